"""An R script with the data inside that computes a report's numbers in metafor."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.analysis import animals
from helpers.analysis.model import codes
from helpers.analysis.records import records
from helpers.analysis.settings import Model
from helpers.stats.effects import GROUP_COLUMNS, REFERENCE_COLUMNS, brings_own
from helpers.stats.mixed_model.groups import labels

TESTS = {"z": "z", "hksj": "knha", "hksj_truncated": "adhoc"}
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
HEAD = """\
# {title}: {family}
# {notice}
# Recomputes the results that lead the report, with its moderators, in metafor and prints how far
# they lie from the report's numbers. Needs R with {packages}.
"""
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
GROUPS = """
# Numbers of the groups that values of several columns make together.
groups <- function(...) {
  parts <- do.call(paste, lapply(list(...), function(x) match(x, unique(x))))
  match(parts, unique(parts))
}
"""
MULTILEVEL = """
# The groups of each level within those of the outer ones. A level with too few of them is left
# out, and so is one whose groups are those of the next.
nested <- function(rows) {
  kept <- list()
  path <- rep(1, nrow(rows))
  for (name in levels) {
    inside <- groups(path, rows[[name]])
    if (max(inside) >= fewest) kept[[name]] <- path <- inside
  }
  if (length(kept) == 0) kept$row <- seq_len(nrow(rows))
  sizes <- sapply(kept, max)
  kept[c(diff(sizes) != 0, TRUE)]
}

# Clusters: the outermost groups, or the studies if each group lies within one; those whose
# sampling errors covary are one.
clusters <- function(rows, outer, V) {
  study <- groups(rows$study)
  code <- if (all(rowSums(table(outer, study) > 0) == 1)) study else outer
  touch <- which(V != 0, arr.ind = TRUE)
  repeat {
    joined <- ave(as.vector(tapply(code[touch[, 2]], touch[, 1], min)), code, FUN = min)
    if (all(joined == code)) return(code)
    code <- joined
  }
}

# Tight tolerances make some optimisers give up: the first that converges counts, and another goes
# on from where it ended.
optimisers <- list(
  list(optimizer = "nlminb", rel.tol = 1e-10),
  list(optimizer = "nlm", gradtol = 1e-9, steptol = 1e-9),
  list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-12),
  list(optimizer = "nlminb"),
  list(optimizer = "optim", optmethod = "Nelder-Mead", maxit = 5000))
last <- list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-14)
converged <- function(fit) {
  attempt <- function(control) try(suppressWarnings(fit(control)), silent = TRUE)
  for (control in optimisers) {
    found <- attempt(control)
    if (!inherits(found, "try-error")) break
  }
  if (inherits(found, "try-error")) stop(found)
  nearer <- attempt(c(last, list(sigma2.init = pmax(found$sigma2, 1e-9 * max(found$sigma2)))))
  worse <- inherits(nearer, "try-error") || logLik(nearer) < logLik(found) - 1e-6
  if (worse) found else nearer
}

multilevel <- function(part, rows) {
  used <- !is.na(design(part, rows)[, 1])
  V <- sampling(rows, part$rho[1])[used, used, drop = FALSE]
  rows <- rows[used, ]
  x <- design(part, rows)
  colnames(x) <- paste0("x", seq_len(ncol(x)))
  kept <- nested(rows)
  rows[names(kept)] <- kept
  random <- as.formula(paste("~ 1 |", paste(names(kept), collapse = "/")))
  fit <- converged(function(control)
    rma.mv(yi, V, mods = x, intercept = FALSE, random = random, data = rows, test = "t",
           dfs = "contain", level = 100 * level, control = control,
           sparse = nrow(rows) > 300))
  se <- fit$se; df <- as.numeric(fit$ddf); wide <- df
  # The test that the levels in it have one mean, or that the slope is 0.
  f <- part$by[part$kind == "test"]
  joint <- c(NA, NA, NA)
  contrast <- diag(ncol(x))[ncol(x), , drop = FALSE]
  if (length(f) && part$kind[1] == "cell") {
    tested <- which(part$in_test[part$kind == "cell"])
    contrast <- diag(ncol(x))[tested[-1], , drop = FALSE]
    contrast[, tested[1]] <- -1
  }
  if (identical(f, "F")) {
    found <- anova(fit, X = contrast)
    joint <- c(found$QM, found$QMdf[2], found$QMp)
  }
  if (any(part$by %in% c("cr2", "HTZ"))) {
    cluster <- clusters(rows, kept[[1]], V)
    robust <- vcovCR(fit, cluster = cluster, type = "CR2")
    found <- coef_test(fit, vcov = robust, test = "Satterthwaite")
    cr2 <- part$by[part$kind %in% c("mean", "cell", "slope")] == "cr2"
    if (part$kind[1] == "slope") cr2 <- c(FALSE, cr2)
    se[cr2] <- found$SE[cr2]
    df[cr2] <- found$df_Satt[cr2]
    wide[cr2] <- length(unique(cluster)) - ncol(x)
    if (identical(f, "HTZ")) {
      found <- Wald_test(fit, constraints = contrast, vcov = robust, test = "HTZ")
      joint <- c(found$Fstat, found$df_denom, found$p_val)
    }
  }
  estimate <- as.numeric(fit$beta)
  half <- qt((1 + level) / 2, df) * se
  reach <- pmax(half, qt((1 + level) / 2, pmax(wide, 1)) * sqrt(se^2 + sum(fit$sigma2)))
  all <- data.frame(estimate, se, ci_low = estimate - half, ci_high = estimate + half, df,
    p = 2 * pt(-abs(estimate / se), df), pi_low = estimate - reach, pi_high = estimate + reach,
    q = fit$QE)
  answer(part, all, joint, fit$sigma2)
}
"""
INDEPENDENT = """
control <- list(threshold = 1e-13, tol = 1e-13, maxiter = 10000)
independent <- function(part, rows) {
  x <- design(part, rows)
  used <- !is.na(x[, 1])
  run <- function(used, x)
    rma(yi, vi, mods = x, intercept = FALSE, data = rows[used, ], method = method,
        test = part$by[1], level = 100 * level, control = control)
  fit <- run(used, x[used, , drop = FALSE])
  df <- if (part$by[1] == "z") Inf else fit$k - ncol(x)
  half <- qt((1 + level) / 2, df) * sqrt(fit$se^2 + fit$tau2)
  if (part$kind[1] %in% c("mean", "subgroup")) {
    w <- 1 / (fit$vi + fit$tau2)
    plain <- 1 / sqrt(sum(w))
    knapp <- plain * sqrt(sum(w * (fit$yi - fit$beta[1])^2) / (fit$k - 1))
    wide <- switch(prediction, riley = c(plain, fit$k - 2), z = c(plain, Inf),
      hk = c(knapp, fit$k - 1))
    half <- if (fit$k < 3 || method == "EE") NA else
      qt((1 + level) / 2, wide[2]) * sqrt(wide[1]^2 + fit$tau2)
  }
  all <- data.frame(estimate = as.numeric(fit$beta), se = fit$se, ci_low = fit$ci.lb,
    ci_high = fit$ci.ub, df, p = fit$pval, pi_low = fit$beta[, 1] - half,
    pi_high = fit$beta[, 1] + half, q = fit$QE)
  joint <- c(NA, NA, NA)
  if ("test" %in% part$kind) {
    found <- fit
    if (part$kind[1] == "cell") {
      # The levels that are tested, by themselves; the first of them is the intercept.
      x <- x[, which(part$in_test[part$kind == "cell"]), drop = FALSE]
      used <- used & rowSums(x) > 0
      x[, 1] <- 1
      found <- run(used, x[used, , drop = FALSE])
    }
    found <- anova(found, btt = 2:ncol(x))
    joint <- c(found$QM, found$QMdf[2], found$QMp)
  }
  answer(part, all, joint, fit$tau2)
}
"""
RUN = """
# Columns of a model: the mean, a level each, or the intercept and what is compared with it.
design <- function(part, rows) {
  one <- rep(1, nrow(rows))
  if (is.na(part$column[1])) return(cbind(one))
  value <- rows[[part$column[1]]]
  one[is.na(value)] <- NA
  if (part$kind[1] == "slope") return(cbind(one, value))
  x <- outer(value, part$level[part$kind %in% c("subgroup", "cell", "coefficient")], "==") * 1
  if (part$kind[1] == "subgroup") return(ifelse(x == 1, 1, NA))
  if (part$kind[1] == "coefficient") cbind(one, x) else x
}

numbers <- c("estimate", "se", "ci_low", "ci_high", "df", "p", "pi_low", "pi_high", "q")
# A model's numbers, each where the report has its own.
answer <- function(part, all, joint, variances) {
  out <- as.data.frame(matrix(NA_real_, nrow(part), length(numbers)))
  names(out) <- numbers
  terms <- which(!part$kind %in% c("test", "variance"))
  out[terms, ] <- utils::tail(all, length(terms))[, numbers]
  if ("test" %in% part$kind) out[part$kind == "test", c("estimate", "df", "p")] <- joint
  out$estimate[part$kind == "variance"] <- variances[seq_len(sum(part$kind == "variance"))]
  out
}

found <- lapply(split(report, report$model), function(part) {
  rows <- dat[dat$outcome == part$outcome[1], ]
  run <- if (is.na(part$rho[1])) independent else multilevel
  tryCatch(run(part, rows), error = function(problem) {
    cat("could not be computed:", part$outcome[1], part$moderator[1], conditionMessage(problem), "\\n")
    answer(part, as.data.frame(matrix(NA_real_, nrow(part), length(numbers),
      dimnames = list(NULL, numbers))), rep(NA, 3), NA)
  })
})
found <- do.call(rbind, found)
theirs <- as.matrix(report[, numbers])
found <- as.matrix(found)
found[is.na(theirs)] <- NA
# Absolute below 1, relative above.
gaps <- ifelse(is.na(theirs), 0, abs(found - theirs) / pmax(1, abs(theirs)))
out <- cbind(report[, c("outcome", "kind", "moderator", "level", "rho", "by")], found,
  gap = apply(gaps, 1, max))
options(width = 200, max.print = 1e6)
print(out, digits = 10, row.names = FALSE)
cat("metafor", as.character(packageVersion("metafor")), "- largest difference from the report:",
  max(gaps), "\\n")
"""
KNOWN = ("SMD", *OTHERS)
WIDTH = 96  # of a line of data
NUMBERS = ("estimate", "se", "ci_low", "ci_high", "df", "p", "pi_low", "pi_high", "q")


def metafor_script(review, family, analyses):
    """R code that reproduces in metafor what the leading results of a report show.

    Parameters
    ----------
    review : helpers.review.review.Review
    family : str
        Label of the family, for the heading.
    analyses : dict of OutcomeAnalysis
        Under the same settings; the rows of one may depend on each other, those of another not.

    Returns
    -------
    str
        The script; the data and the report's own numbers stand inside, at full precision.
    """
    found = list(analyses.values())
    settings, models = found[0].settings, [one.model for one in found if one.model]
    moderators = {name: f"moderator{at}" for at, name in enumerate(review.moderators, start=1)}
    data = pd.concat([_data(review, one, moderators) for one in found], ignore_index=True)
    # The covariance looks at group data, also of rows that bring their own effects.
    due = GROUP_COLUMNS if models else ()
    data = data.drop(columns=[c for c in data if c not in due and data[c].isna().all()])
    report, packages = _expected(analyses, moderators), ["metafor"]
    if report["by"].isin(["cr2", "HTZ"]).any():
        packages.append("clubSandwich")
    named = {column: name for name, column in moderators.items() if column in data}
    if models:
        named |= {f"level{at}": name for at, name in enumerate(models[0].levels, start=1)}
    parts = [
        HEAD.format(
            title=_comment(review.title), family=_comment(family),
            notice=_comment(review.evidence.get("notice", "")), packages=" and ".join(packages),
        ),
        *(f"# {column}: {_comment(name)}\n" for column, name in named.items()),
        *(f"suppressPackageStartupMessages(library({name}))\n" for name in packages),
        f"\ndat <- {_frame(data)}\nreport <- {_frame(report)}\n",
        f'method <- "{settings.method}"; prediction <- "{settings.prediction}"; ',
        f"level <- {settings.level!r}\n",
        _effects(settings, found, data),
    ]  # fmt: skip
    if models:
        levels = [f"level{at}" for at, _ in enumerate(models[0].levels, start=1)]
        parts.append(f"levels <- {_vector(levels)}; fewest <- {models[0].min_groups}\n")
        parts += [GROUPS, _covariance(settings, models[0], data), MULTILEVEL]
    if len(models) < len(found):
        parts.append(INDEPENDENT)
    return "".join([*parts, RUN])


def _data(review, analysis, moderators):
    """The rows of an outcome as the script needs them; no column is called as a person says."""
    rows, effects, model = analysis.rows, analysis.effects, analysis.model
    own = pd.Series(brings_own(rows) | (analysis.settings.measure not in KNOWN), rows.index)
    table = rows.reindex(columns=["experiment", "study", "outcome", *GROUP_COLUMNS])
    if analysis.settings.measure == "NMD":
        table = table.join(rows.reindex(columns=REFERENCE_COLUMNS))
    table = table.assign(
        n_split=effects["n_split"], sign=rows["sign"].fillna(1) if "sign" in rows else 1.0,
        effect=effects["effect"].where(own), variance=effects["variance"].where(own),
    )  # fmt: skip
    values = analysis.moderator_values.rename(columns=moderators)
    table = table.join(values.astype({c: object for c in values.select_dtypes("category")}))
    if model is None:
        return table

    def of(levels):
        found = codes(Model(levels=levels), rows, review.level_values).values()
        return [rows["experiment"] if one is None else one for one in found]

    for at, one in enumerate(of(model.levels), start=1):
        table[f"level{at}"] = one
    if model.within:
        table["within"] = labels(*of([model.within]), len(rows), model.within)
        return table
    split = analysis.controls_are_split
    return table.assign(
        cohort=animals.cohorts(rows), day=animals.days(rows),
        control=np.arange(len(rows)) if split else animals.control_groups(rows),
    )  # fmt: skip


def _effects(settings, analyses, data):
    """R code of the effects: anew from the group data, or as they are where rows bring them."""
    words = _comment(", ".join(dict.fromkeys(one.measure.label for one in analyses)))
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


def _covariance(settings, model, data):
    """R code of the sampling covariance of an outcome's rows."""
    if model.within:
        return CONSTANT.format(within=_comment(model.within))
    computed = "effect" not in data or data["effect"].isna().any()
    smd = settings.measure == "SMD"
    shared = SHARED[settings.measure if computed else "MD"].format(
        f="J(rows$n_treated + rows$n_control - 2)" if smd and settings.variance == "stata"
        else "rep(1, nrow(rows))",
        e="rows$average" if settings.variance == "average" else "rows$yi",
    )  # fmt: skip
    return MODELLED.format(shared=shared)


def _expected(analyses, moderators):
    """The report's numbers: a row each estimate, test and variance, with the model it is of."""
    rows, fits = [], 0

    def add(outcome, terms, variances, test=None, **place):
        nonlocal fits
        fits += 1
        place |= {"model": fits, "outcome": outcome}
        place["column"] = moderators.get(place.get("moderator"))
        tests = [{"kind": "test"} | test] if test else []
        sums = [{"kind": "variance", "level": n, "estimate": v} for n, v in variances.items()]
        rows.extend(one | place for one in [*terms, *tests, *sums])

    for outcome, analysis in analyses.items():
        rho, by = analysis.model and analysis.model.rho, TESTS[analysis.settings.interval]
        # What stands beside results of independent rows is not what leads.
        means = {rho: analysis.leading} | (analysis.by_rho if analysis.model else {})
        for each, result in means.items():
            if result.pooled:
                add(outcome, [_mean(result, by)], _variances(result), rho=each)
        for name, result in analysis.subgroups.items():
            for level, one in result.results.items():
                if one.pooled:
                    term = _mean(one, by) | {"kind": "subgroup", "level": level}
                    add(outcome, [term], _variances(one), moderator=name)
        for name, result in analysis.regressions.items():
            coefficients = result.coefficients.iloc[1:].rename(columns={"coef": "estimate"})
            kind = "coefficient" if result.reference else "slope"
            terms = [term | {"kind": kind, "by": by} for term in records(coefficients)]
            add(outcome, terms, {"tau2": result.tau2}, moderator=name)
        for name, result in analysis.models.items():
            terms = [{"kind": "cell"} | cell for cell in records(result.cells)]
            if result.slope:
                terms = [{"kind": "slope", "estimate": result.slope["coef"]} | result.slope]
            terms = [term | {"by": TESTS.get(term["test"], term["test"])} for term in terms]
            test = {"by": result.test, "estimate": result.f, "df": result.df2, "p": result.p}
            add(outcome, terms, result.sigma2, test if result.tested else None,
                moderator=name, rho=rho)  # fmt: skip
    columns = ["model", "outcome", "kind", "moderator", "column", "level", "rho", "by", "in_test"]
    return pd.DataFrame(rows).reindex(columns=[*columns, *NUMBERS])


def _mean(result, by):
    """A pooled result of either kind as a row of the report's numbers."""
    found = {name: getattr(result, name, np.nan) for name in NUMBERS} | {"p": result.p_effect}
    return found | {"kind": "mean", "by": getattr(result, "test", by)}


def _variances(result):
    return getattr(result, "sigma2", {"tau2": result.tau2})


def _frame(table):
    """R code of a table."""
    columns = [f"  {name} = {_vector(values)}" for name, values in table.items()]
    return "data.frame(stringsAsFactors = FALSE,\n" + ",\n".join(columns) + ")"


def _vector(values):
    """R code of a vector, in lines that an editor can show."""
    lines = ["c("]
    for place, value in enumerate(values):
        token = f"{', ' if place else ''}{_token(value)}"
        if len(lines[-1]) + len(token) > WIDTH:
            lines.append("   ")
        lines[-1] += token.lstrip() if lines[-1].isspace() else token
    return "\n".join(lines) + ")"


def _token(value):
    """A cell as R writes it."""
    if pd.isna(value):
        return "NA"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool | np.bool_):
        return str(value).upper()
    return repr(float(value)).removesuffix(".0").replace("inf", "Inf")


def _string(text):
    """An R string in plain ASCII, so that no locale can misread it; R knows no NUL."""
    return '"' + "".join(map(_escaped, text.replace("\0", ""))) + '"'


def _escaped(character):
    if character in '"\\':
        return "\\" + character
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"


def _comment(text):
    """Text that cannot leave its comment line."""
    return " ".join(str(text).split()).encode("ascii", "replace").decode()
