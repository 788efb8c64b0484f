"""An R script with the data inside that computes a report's numbers in metafor."""

from __future__ import annotations

import pandas as pd

from helpers.analysis.outcome import pooled_fields
from helpers.analysis.records import records
from helpers.review.columns import MODERATOR
from helpers.stats.effects import GROUP_COLUMNS, REFERENCE_COLUMNS

TESTS = {"z": "z", "hksj": "knha", "hksj_truncated": "adhoc"}
FACTORS = {
    "exact": "exp(lgamma(m / 2) - lgamma((m - 1) / 2)) / sqrt(m / 2)",
    "approximate": "1 - 3 / (4 * m - 1)",
    "none": "rep(1, length(m))",
}
VARIANCES = {
    "metafor": "1 / n1 + 1 / ns + g^2 / (2 * (n1 + ns))",
    "stata": "J^2 * (1 / n1 + 1 / ns + d^2 / (2 * (n1 + ns)))",
    "unbiased": "1 / n1 + 1 / ns + (1 - (m - 2) / (m * Jexact^2)) * g^2",
    "revman": "1 / n1 + 1 / ns + g^2 / (2 * (n1 + ns - 3.94))",
}
HEAD = """\
# {title}: {family}
# {notice}
# Recomputes the pooled effects, subgroups and meta-regressions of the report in metafor and
# prints how far they lie from the report's numbers. Needs R and the package metafor.
suppressPackageStartupMessages(library(metafor))

table <- function(lines, ...)
  read.csv(textConnection(lines, encoding = "UTF-8"), na.strings = "", encoding = "UTF-8",
    check.names = FALSE, ...)
dat <- table({data}, colClasses = {classes})
report <- table({report})
control <- list(threshold = 1e-13, tol = 1e-13, maxiter = 10000)
"""
SMD = """
# Standardised mean differences from means, SDs and group sizes.
n1 <- dat$n_treated; n2 <- dat$n_control; ns <- dat$n_split
sp <- sqrt(((n1 - 1) * dat$sd_treated^2 + (n2 - 1) * dat$sd_control^2) / (n1 + n2 - 2))
d <- (dat$mean_treated - dat$mean_control) / sp
m <- ifelse(n1 + ns - 2 < 2, n1 + n2 - 2, n1 + ns - 2)
J <- {factor}
Jexact <- {exact}
g <- J * d
dat$yi <- g * dat$sign
dat$vi <- {variance}
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
dat$vi <- {variance}
"""
REFERENCE = """D <- 100 / (dat$mean_reference - m2)
ref <- ifelse(is.na(dat$sd_reference), 0, dat$sd_reference^2 / dat$n_reference)
"""
GIVEN = """
# Effects and sampling variances as the report has them: {words}.
dat$yi <- dat$effect
dat$vi <- dat$variance
"""
FITS = """
fit <- function(rows, mods = ~ 1)
  rma(yi, vi, mods = mods, data = rows, method = "{method}", test = "{test}",
      level = {level}, control = control)
out <- list()
keep <- function(outcome, kind, moderator, level, x, i)
  out[[length(out) + 1]] <<- data.frame(outcome, kind, moderator, level,
    estimate = x$beta[i], se = x$se[i], ci_low = x$ci.lb[i], ci_high = x$ci.ub[i], tau2 = x$tau2)

for (i in seq_len(nrow(report))) {{
  r <- report[i, ]
  rows <- dat[dat$outcome == r$outcome, ]
  if (r$kind != "pooled") rows$x <- rows[[paste0("{prefix}", r$moderator)]]
  if (r$kind == "pooled") keep(r$outcome, r$kind, NA, NA, fit(rows), 1)
  if (r$kind == "subgroup")
    keep(r$outcome, r$kind, r$moderator, r$level, fit(rows[which(rows$x == r$level), ]), 1)
  if (r$kind == "coefficient") {{
    rows <- rows[!is.na(rows$x), ]
    if (is.na(r$level)) keep(r$outcome, r$kind, r$moderator, NA, fit(rows, ~ x), 2)
    else {{
      present <- c(r$reference, setdiff(unique(rows$x), r$reference))
      rows$term <- match(rows$x, present)
      keep(r$outcome, r$kind, r$moderator, r$level, fit(rows, ~ factor(term)),
        match(r$level, present))
    }}
  }}
}}
out <- do.call(rbind, out)
print(out, digits = 10, row.names = FALSE)
numbers <- c("estimate", "se", "ci_low", "ci_high", "tau2")
gap <- max(abs(as.matrix(out[, numbers]) - as.matrix(report[, numbers])))
version <- as.character(packageVersion("metafor"))
cat("metafor", version, "- largest difference from the report:", gap, "\\n")
"""


def metafor_script(review, family, analyses, settings):
    """R code that reproduces the chosen pooled, subgroup and regression numbers in metafor.

    Parameters
    ----------
    review : helpers.review.review.Review
    family : str
        Label of the family, for the heading.
    analyses : dict of OutcomeAnalysis
    settings : helpers.analysis.outcome.Settings

    Returns
    -------
    str
        The script; the data and the report's own numbers stand inside, at full precision.
    """
    rows = pd.concat([analysis.table for analysis in analyses.values()])
    moderators = review.moderator_values.loc[rows.index].add_prefix(MODERATOR)
    numbers = [*GROUP_COLUMNS, "effect", "variance"]
    if settings.measure == "NMD":
        rows = rows.reindex(columns=list(dict.fromkeys([*rows, *REFERENCE_COLUMNS])))
        numbers += REFERENCE_COLUMNS
    data = rows[["experiment", "outcome", *numbers, "provenance"]]
    data = data.assign(n_split=rows["n_split"], sign=rows.get("sign", 1)).join(moderators)
    numbers += ["n_split", "sign", *moderators.select_dtypes("number")]
    classes = ["numeric" if name in numbers else "character" for name in data]
    head = HEAD.format(
        title=_comment(review.title), family=_comment(family),
        notice=_comment(review.evidence.get("notice", "")), data=_text(data),
        report=_text(_expected(analyses)), classes=f"c({', '.join(map(_string, classes))})",
    )  # fmt: skip
    effects = _effects(settings, [analysis.measure for analysis in analyses.values()])
    fits = FITS.format(
        method=settings.method,
        test=TESTS[settings.interval],
        level=100 * settings.level,
        prefix=MODERATOR,
    )
    return head + effects + fits


def _effects(settings, used):
    """R code of the effects: anew from the group data, or as they are where rows bring them."""
    if any(one.id != settings.measure for one in used):
        labels = ", ".join(dict.fromkeys(one.label for one in used))
        return GIVEN.format(words=_comment(labels))
    if settings.measure == "SMD":
        return SMD.format(
            factor=FACTORS[settings.correction], exact=FACTORS["exact"],
            variance=VARIANCES[settings.variance],
        )  # fmt: skip
    title, effect, variance = OTHERS[settings.measure]
    if (settings.measure, settings.variance) == ("MD", "stata"):
        variance = POOLED_MD
    if (settings.measure, settings.variance) == ("NMD", "conventional"):
        variance = CONVENTIONAL_NMD
    reference = REFERENCE if settings.measure == "NMD" else ""
    return OTHER.format(title=title, effect=effect, variance=variance, reference=reference)


def _expected(analyses):
    """The report's numbers, a row a fit."""
    rows = []
    for outcome, analysis in analyses.items():
        if analysis.chosen.pooled:
            rows.append({"outcome": outcome, "kind": "pooled"} | pooled_fields(analysis.chosen))
        for moderator, result in analysis.subgroups.items():
            place = {"outcome": outcome, "kind": "subgroup", "moderator": moderator}
            rows += [place | level for level in records(result.table) if level["pooled"]]
        for moderator, result in analysis.regressions.items():
            place = {"outcome": outcome, "kind": "coefficient", "tau2": result.tau2}
            place["reference"] = result.reference.get(moderator)
            terms = result.coefficients.iloc[1:].rename(columns={"coef": "estimate"})
            rows += [place | term for term in records(terms)]
    columns = ["outcome", "kind", "moderator", "level", "reference", "estimate", "se"]
    return pd.DataFrame(rows, columns=[*columns, "ci_low", "ci_high", "tau2"])


def _text(frame):
    """A table as R strings, one a line of CSV."""
    lines = frame.to_csv(index=False, lineterminator="\n").removesuffix("\n").split("\n")
    return "c(\n" + ",\n".join(map(_string, lines)) + ")"


def _string(text):
    """An R string in plain ASCII, so that no locale can misread it."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character):
    if character in '"\\':
        return "\\" + character
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"


def _comment(text):
    """Text that cannot leave its comment line."""
    return " ".join(str(text).split()).encode("ascii", "replace").decode()
