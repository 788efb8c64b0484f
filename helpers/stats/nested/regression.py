"""Several moderators at once, and their interactions, in the multilevel model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.stats.distributions import chi2_sf, f_sf
from helpers.stats.mixed_model.inference import WaldResult
from helpers.stats.moderators import meta_regression
from helpers.stats.multilevel import MultilevelResult, multilevel, wald_test
from helpers.stats.nested.terms import Design, design
from helpers.stats.pooling import checked

THIN = 2  # a combination of levels with fewer rows, or studies, takes no part in a test
KNHA = "Hartung-Knapp F"
CHI2 = "χ²"


@dataclass(frozen=True, eq=False)
class TermsResult:
    """A regression on several terms.

    Attributes
    ----------
    terms : pandas.DataFrame
        ``term, df1, df2, statistic, p, test, tested, reason, gvif, gsif, note``: a joint test a term.
    coefficients : pandas.DataFrame
        ``term, column, coef, se, ci_low, ci_high, df, p, test``, the intercept first.
    k, left_out : int
        Rows used; rows left out because they lack a moderator.
    missing : dict
        Of each moderator with missing values the number of rows without one.
    studies : int or None
    r2 : float
        Marginal R² in percent: var(Xβ)/(var(Xβ) + Σσ²).
    tau2 : float
        Sum of the variances that are left.
    sigma2 : dict
        The variances by level.
    reference : dict
        The level of each categorical moderator that the others are compared with.
    test, test_label : str
        ``cr2``, ``contain``, ``knha`` or ``z``, and in words.
    level : float
    warnings : tuple of str
        What is to be said about design and fit.
    design : Design
    result : MultilevelResult
        The multilevel fit, also where rows are independent and its tests are not shown.
    """

    terms: pd.DataFrame
    coefficients: pd.DataFrame
    k: int
    left_out: int
    missing: dict
    studies: int | None
    r2: float
    tau2: float
    sigma2: dict
    reference: dict
    test: str
    test_label: str
    level: float
    warnings: tuple
    design: Design = field(repr=False)
    result: MultilevelResult = field(repr=False)


def regression(
    effect, *, terms, moderators, levels, variance=None, reference=None, rows=None, test="cr2",
    interval="hksj_truncated", method="REML", independent=False, level=0.95, **options,
):  # fmt: skip
    r"""Regression on several terms, a joint test for each.

    Parameters
    ----------
    effect, levels, variance, test, level
        As in `helpers.stats.multilevel.multilevel`, and so the `options` (``covariance, cluster,
        study, min_groups``).
    terms : sequence of str
        As in `helpers.stats.nested.terms.design`.
    moderators : DataFrame, k rows
    reference : dict, optional
        For a categorical moderator the level that the others are compared with.
    rows : array_like of bool, shape (k,), optional
    interval : {"hksj_truncated", "hksj", "z"}
        Of the meta-regression where rows are independent: Hartung-Knapp, its factor floored at 1
        or not, or z and χ².
    method : str
        How that one estimates τ², as in `helpers.stats.pooling.pool`.
    independent : bool
        Take rows as independent, whatever `test` and the clusters are; ``study`` then only tells
        which combinations are of one study.

    Returns
    -------
    TermsResult

    Raises
    ------
    ValueError
        What `design` and `multilevel` refuse.

    Notes
    -----
    By `cr2` a term is tested by HTZ, by `contain` with containment degrees of freedom. Where each
    cluster has one row (one row a study, no shared control group) and `cr2` is asked for, by
    F(q, k - p) of a meta-regression with Hartung-Knapp's variance.

    A combination of categories with one row or of one study takes no part in the test of its term:
    tested are the contrasts of the term's coefficients that the other combinations tell, the row
    space of (I - H)·C, C the term's columns over these combinations and H the projection on the
    columns of its margins.

    With an interaction in the model the test of its margin is one at the reference level of the
    other category (or where the other number is 0): `note` says where.

    Collinearity: GVIF = det(R_t)·det(R_o)/det(R), R the correlation of all coefficients but the
    intercept, R_t those of the term, R_o the others; ``gsif`` is GVIF^(1/(2q)).

    References
    ----------
    Fox and Monette (1992), J Am Stat Assoc 87:178; Tipton and Pustejovsky (2015), J Educ Behav
    Stat 40:604; Knapp and Hartung (2003), Stat Med 22:2693; Nakagawa and Schielzeth (2013),
    Methods Ecol Evol 4:133.
    """
    if len(pd.DataFrame(moderators)) != np.size(effect):
        raise ValueError(f"moderators need a row for each of the {np.size(effect)} effects")
    found = design(moderators, terms, reference=reference, rows=rows)
    x = np.zeros((len(found.used), found.matrix.shape[1]))
    x[found.used] = found.matrix.to_numpy()
    fit = multilevel(
        effect, levels=levels, variance=variance, rows=found.used, test=test, level=level,
        design=pd.DataFrame(x, columns=found.matrix.columns), **options,
    )  # fmt: skip
    study = fit.fit.study
    independent = independent or (test == "cr2" and fit.clusters == fit.k)
    by_z = interval == "z"
    if independent:
        single = _single(fit, found.matrix, interval, method, level)
        coefficients = single.coefficients.drop(columns=["term", "moderator", "level"])
        coefficients = coefficients.assign(
            df=np.inf if by_z else float(fit.k - x.shape[1]), test="z" if by_z else "knha"
        )
        coefficients.insert(0, "column", found.matrix.columns)
        covariance, tau2 = single.covariance, single.tau2
        label = f"z and {CHI2}" if by_z else "Hartung-Knapp t and F"
        sigma2 = {fit.levels[-1]: single.tau2}
    else:
        coefficients = fit.coefficients.rename(columns={"term": "column"})
        covariance, tau2, label, sigma2 = fit.covariance, fit.tau2, fit.test_label, fit.sigma2
    beta = coefficients["coef"].to_numpy()
    owner = dict.fromkeys(range(len(beta)), "intercept")
    owner |= {at: term for term, own in found.terms.items() for at in own}
    coefficients.insert(0, "term", [owner[at] for at in range(len(beta))])
    table = []
    for term, own in found.terms.items():
        contrast, thin = _contrast(found, term, study)
        if not len(contrast):
            reason = "no two combinations have more than one experiment and study"
            reason = reason if own else "nothing is left of it that could be told apart"
            wald = WaldResult(np.nan, len(own), np.nan, np.nan, "", reason)
        elif independent:
            wald = _joint(contrast, beta, covariance, np.inf if by_z else fit.k - len(beta))
        else:
            wald = wald_test(fit, contrast)
        gvif = _gvif(covariance, own)
        table.append({
            "term": term, "df1": wald.df1, "df2": wald.df2, "statistic": wald.f, "p": wald.p,
            "test": wald.test, "tested": wald.tested, "reason": wald.reason, "gvif": gvif,
            "gsif": gvif ** (1 / (2 * len(own))) if own else np.nan,
            "note": "; ".join(filter(None, [_where(found, term), thin])),
        })  # fmt: skip
    explained = np.var(found.matrix.to_numpy() @ beta, ddof=1)
    # What the labels say of the tests of the multilevel fit is not said where they are not shown.
    warnings = found.notes + (tuple(fit.warnings) if not independent else ())
    return TermsResult(
        terms=pd.DataFrame(table), coefficients=coefficients, k=fit.k, left_out=found.left_out,
        missing=found.missing,
        studies=fit.studies, r2=float(100 * explained / (explained + tau2)) if explained > 0 else 0.0,
        tau2=tau2, sigma2=sigma2, reference=found.reference,
        test=("z" if by_z else "knha") if independent else fit.test, test_label=label, level=level,
        warnings=warnings, design=found, result=fit,
    )  # fmt: skip


def _single(fit, matrix, interval, method, level):
    """Meta-regression of independent rows on the same columns."""
    y, v = checked(fit.fit.y, fit.fit.sampling.diagonal)
    named = matrix.iloc[:, 1:].set_axis([f"{at:06d}" for at in range(matrix.shape[1] - 1)], axis=1)
    return meta_regression(
        y, variance=v, moderators=named, method=method, interval=interval, level=level
    )


def _joint(contrast, beta, covariance, df2):
    """F of contrasts with `df2` degrees of freedom; without an end to them χ²."""
    off, q, test = contrast @ beta, len(contrast), KNHA if np.isfinite(df2) else CHI2
    spread = contrast @ covariance @ contrast.T
    if not (np.diag(spread) > 0).all():
        return WaldResult(np.nan, q, df2, np.nan, test, "the fit meets every effect: no spread")
    chi2 = float(off @ np.linalg.solve(spread, off))
    if test == CHI2:
        return WaldResult(chi2, q, df2, float(chi2_sf(chi2, q)), test)
    return WaldResult(chi2 / q, q, float(df2), float(f_sf(chi2 / q, q, df2)), test)


def _contrast(found, term, study):
    """What is tested of a term, as a matrix on all coefficients; the combinations left out."""
    own, cell = found.terms[term], found.cells[term]
    p = found.matrix.shape[1]
    if cell is None:
        return np.eye(p)[own], ""
    code, names = pd.factorize(cell)
    number = np.bincount(code)
    few = number < THIN
    if study is not None:
        pairs = pd.DataFrame({"cell": code, "study": study}).drop_duplicates()
        few |= np.bincount(pairs["cell"]) < THIN
    if not few.any():
        return np.eye(p)[own], ""
    thin = [str(name) for name, lacks in zip(names, few, strict=True) if lacks]
    note = f"not in the test, with one experiment or study: {', '.join(thin[:10])}"
    first = np.unique(code, return_index=True)[1][~few]
    cells = found.categorical[first]
    parts = []
    for label in dict.fromkeys(found.numbers[at] for at in own):
        # Only margins that are multiplied by the same number say the same of these combinations.
        inner = [at for at in own if found.numbers[at] == label]
        margin = [at for other in found.margins[term] for at in found.terms[other]]
        margin = [at for at in [0, *margin] if found.numbers[at] == label]
        rest, low = cells[:, inner], cells[:, margin]
        if margin:
            rest = rest - low @ np.linalg.lstsq(low, rest)[0]
        _, size, vectors = np.linalg.svd(rest, full_matrices=False)
        part = np.zeros(((size > 1e-8).sum(), p))
        part[:, inner] = vectors[size > 1e-8]
        parts.append(part)
    return np.concatenate(parts), note


def _where(found, term):
    """At which values of the others the margin of an interaction is tested."""
    held = {}
    for other, margins in found.margins.items():
        if term in margins:
            held |= dict.fromkeys(set(found.factors[other]) - set(found.factors[term]))
    where = [
        f"{factor} = {found.reference.get(factor.name, 0)}" for factor in sorted(held, key=str)
    ]  # fmt: skip
    return f"tested where {' and '.join(where)}" if where else ""


def _gvif(covariance, own):
    """Generalised variance inflation of the columns of one term."""
    size = np.sqrt(np.diag(covariance))[1:]
    own = np.array(own, int) - 1
    others = np.setdiff1d(np.arange(len(size)), own)
    if not len(own) or not (size > 0).all():
        return np.nan
    r = covariance[1:, 1:] / np.outer(size, size)
    parts = [np.linalg.slogdet(r[np.ix_(part, part)])[1] for part in (own, others)]
    return float(np.exp(sum(parts) - np.linalg.slogdet(r)[1]))
