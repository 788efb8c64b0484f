"""R code of effect sizes, their variances and sampling covariances."""

from __future__ import annotations

import pandas as pd

from helpers.words.r.notation import comment

FACTORS = {
    "exact": "exp(lgamma(m / 2) - lgamma((m - 1) / 2)) / sqrt(m / 2)",
    "approximate": "1 - 3 / (4 * m - 1)",
    "none": "rep(1, length(m))",
}
VARIANCES = {
    "metafor": "1 / n1 + 1 / ns + g^2 / (2 * (n1 + ns))",
    "stata": "J(m)^2 * (1 / n1 + 1 / ns + d^2 / (2 * (n1 + ns)))",
    "unbiased": "1 / n1 + 1 / ns + (1 - (m - 2) / (m * Jexact(m)^2)) * g^2",
    "revman": "1 / n1 + 1 / ns + g^2 / (2 * (n1 + ns - 3.94))",
    "average": "1 / n1 + 1 / ns + dat$average^2 / (2 * (n1 + n2))",
}
SMD = """
# Standardised mean differences from means, SDs and group sizes.
n1 <- dat$n_treated; n2 <- dat$n_control; ns <- dat$n_split
sp <- sqrt(((n1 - 1) * dat$sd_treated^2 + (n2 - 1) * dat$sd_control^2) / (n1 + n2 - 2))
d <- (dat$mean_treated - dat$mean_control) / sp
m <- ifelse(n1 + ns - 2 < 2, n1 + n2 - 2, n1 + ns - 2)
J <- function(m) {factor}
Jexact <- function(m) {exact}
g <- J(m) * d
dat$yi <- g * dat$sign
"""
AVERAGE = """\
# The average of each outcome, by animals, so that no variance hangs on its own effect.
animals <- ifelse(dat$own, 0, n1 + n2)
total <- function(x) ave(ifelse(is.na(x), 0, x), dat$outcome, FUN = sum)
dat$average <- total(animals * dat$yi) / total(animals)
"""
# By measure: what it is, its effect and its variance; sp, n1, n2 and ns as above.
OTHERS = {
    "GLASS": (
        "Glass's delta",
        "sign * (m1 - m2) / s2",
        "1 / n1 + 1 / ns + ((m1 - m2) / s2)^2 / (2 * (ns - 1))",
    ),
    "MD": ("Mean differences", "sign * (m1 - m2)", "s1^2 / n1 + s2^2 / ns"),
    "ROM": (
        "Log ratios of means",
        "sign * log(m1 / m2)",
        "s1^2 / (n1 * m1^2) + s2^2 / (ns * m2^2)",
    ),
    "NMD": (
        "Normalised mean differences, positive for benefit whatever the sign",
        "D * (m1 - m2)",
        "D^2 * (s1^2 / n1 + (1 - dat$yi / 100)^2 * s2^2 / ns + (dat$yi / 100)^2 * ref)",
    ),
}
POOLED_MD = "sp^2 * (1 / n1 + 1 / ns)"
CONVENTIONAL_NMD = "D^2 * (s1^2 / n1 + s2^2 / ns)"
OTHER = """
# {title}, from means, SDs and group sizes.
n1 <- dat$n_treated; n2 <- dat$n_control; ns <- dat$n_split; sign <- dat$sign
m1 <- dat$mean_treated; s1 <- dat$sd_treated; m2 <- dat$mean_control; s2 <- dat$sd_control
sp <- sqrt(((n1 - 1) * s1^2 + (n2 - 1) * s2^2) / (n1 + n2 - 2))
{reference}dat$yi <- {effect}
"""
REFERENCE = """D <- 100 / (dat$mean_reference - m2)
ref <- ifelse(is.na(dat$sd_reference), 0, dat$sd_reference^2 / dat$n_reference)
"""
GIVEN = """
# Effects and sampling variances as the report has them: {words}.
dat$yi <- dat$effect
dat$vi <- dat$variance
"""
OWN = """\
# Rows that bring their own: {words}.
dat$yi[dat$own] <- dat$effect[dat$own]
dat$vi[dat$own] <- dat$variance[dat$own]
"""
# Covariance of two rows through a control that they share, by measure.
SHARED = {
    "SMD": """\
  f <- {f}; e <- {e}; df <- rows$n_treated + rows$n_control - 2
  shared <- outer(f, f) / n + outer(e, e) * (n - 1) / (2 * outer(df, df))
""",
    "GLASS": "  shared <- 1 / n + outer(rows$yi, rows$yi) / (2 * (n - 1))\n",
    "MD": """\
  s <- rows$sd_control / sqrt(rows$n_control)
  shared <- outer(s, s)
""",
    "ROM": """\
  s <- rows$sd_control / sqrt(rows$n_control) / abs(rows$mean_control)
  shared <- outer(s, s)
""",
    "NMD": """\
  s <- rows$sd_control / sqrt(rows$n_control)
  s <- s * (100 - rows$yi) / (rows$mean_reference - rows$mean_control)
  shared <- outer(s, s)
""",
}
MODELLED = """
# Sampling errors: the same animals correlate by rho; a control group that two rows share brings
# the covariance below, times rho between two of its measurements.
sampling <- function(rows, rho) {{
  equal <- function(x) outer(x, x, "==")
  occasion <- groups(rows$day, rows$mean_control, rows$sd_control)
  n <- outer(rows$n_control, rows$n_control, pmax)
{shared}  shared[!is.finite(shared) | outer(rows$own, rows$own, "|")] <- 0
  V <- equal(rows$control) * shared * ifelse(equal(occasion), 1, rho)
  V <- ifelse(equal(rows$cohort), rho * sqrt(outer(rows$vi, rows$vi)), V)
  diag(V) <- rows$vi
  V
}}
"""
CONSTANT = """
# Sampling errors of one group ({within}) correlate by rho.
sampling <- function(rows, rho)
  vcalc(vi, cluster = within, obs = seq_along(vi), rho = rho, data = rows)
"""


def effects_code(settings, analyses, data):
    """R code of the effects: anew from the group data, or as they are where rows bring them."""
    words = comment(", ".join(dict.fromkeys(one.measure.label for one in analyses)))
    own = data["effect"].notna() if "effect" in data else pd.Series(False, data.index)
    mark = "dat$own <- !is.na(dat$effect)\n" if own.any() else "dat$own <- FALSE\n"
    if own.all():
        return GIVEN.format(words=words) + mark
    if settings.measure == "SMD":
        code = SMD.format(factor=FACTORS[settings.correction], exact=FACTORS["exact"])
        code += AVERAGE if settings.variance == "average" else ""
        variance = VARIANCES[settings.variance]
    else:
        title, effect, variance = OTHERS[settings.measure]
        if (settings.measure, settings.variance) == ("MD", "stata"):
            variance = POOLED_MD
        if (settings.measure, settings.variance) == ("NMD", "conventional"):
            variance = CONVENTIONAL_NMD
        reference = REFERENCE if settings.measure == "NMD" else ""
        code = OTHER.format(title=title, effect=effect, reference=reference)
    code = f"{mark}{code}dat$vi <- {variance}\n"
    return code + (OWN.format(words=words) if own.any() else "")


def covariance_code(settings, model, data):
    """R code of the sampling covariance of an outcome's rows."""
    if model.within:
        return CONSTANT.format(within=comment(model.within))
    computed = "effect" not in data or data["effect"].isna().any()
    smd = settings.measure == "SMD"
    shared = SHARED[settings.measure if computed else "MD"].format(
        f="J(rows$n_treated + rows$n_control - 2)" if smd and settings.variance == "stata"
        else "rep(1, nrow(rows))",
        e="rows$average" if settings.variance == "average" else "rows$yi",
    )  # fmt: skip
    return MODELLED.format(shared=shared)
