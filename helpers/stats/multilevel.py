"""The multilevel model: effects within experiments within studies, and what explains them.

effect_i = x_i·β + Σ_levels u + e, e ~ N(0, V). A level is a column of labels, outermost first; its
groups are the paths of the outer levels' labels, as in `~ 1 | a/b/c`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from helpers.stats.distributions import chi2_sf
from helpers.stats.heterogeneity import centred
from helpers.stats.mixed_model.groups import labels
from helpers.stats.mixed_model.inference import ASKED, Fitted, WaldResult, fitted
from helpers.stats.mixed_model.likelihood import Likelihood
from helpers.stats.mixed_model.sampling import sampling
from helpers.stats.mixed_model.sandwich import MIN_DF
from helpers.stats.pooling import critical, inference

TESTS = ("cr2", "contain")
# With fewer groups a variance between them is hardly estimated, and its standard errors neither.
MIN_GROUPS = 5
ROW = "row"  # the level of the rows where no column names them


@dataclass(frozen=True, eq=False)
class MultilevelResult:
    """A multilevel model fitted by REML.

    Attributes
    ----------
    k : int
        Number of rows.
    studies : int or None
        Number of studies, where their labels are known.
    levels : tuple of str
        The levels in the model, outermost first.
    left_out : dict
        Each level that is not in it, with the reason.
    groups : dict
        Number of groups of each level in the model.
    estimate, se, statistic, df, ci_low, ci_high, p_effect : float
        The mean effect; NaN in a model with a design, whose coefficients stand in `coefficients`.
    pi_low, pi_high : float
        Prediction interval for a new row of new groups at every level.
    test : str
        ``cr2`` or ``contain``: by which the mean effect was really tested.
    test_label : str
        The same in words, with the reason where it is not what was asked for.
    terms : tuple of str
        Names of the coefficients.
    beta, covariance : ndarray, shape (p,), (p, p)
        Coefficients, and their covariance under the model.
    sigma2 : dict
        Variance between the groups of each level within those of the next outer one.
    tau2 : float
        Their sum.
    i2, i2_levels : float, dict
        Percent of the total variance that is heterogeneity, whole and by level.
    q, p_heterogeneity : float
        Residual heterogeneity: Q with V alone as covariance, χ² with k - p degrees of freedom.
    r2 : float
        Marginal R², var(Xβ)/(var(Xβ) + Σσ²), percent; NaN without a design.
    loglik : float
        Restricted log-likelihood.
    clusters : int
        Number of independent clusters of rows.
    level : float
        Of all intervals, for instance 0.95.
    warnings : tuple of str
        What is to be said about the fit.
    """

    k: int
    studies: int | None
    levels: tuple
    left_out: dict
    groups: dict
    estimate: float
    se: float
    statistic: float
    df: float
    ci_low: float
    ci_high: float
    p_effect: float
    pi_low: float
    pi_high: float
    test: str
    test_label: str
    terms: tuple
    beta: np.ndarray = field(repr=False)
    covariance: np.ndarray = field(repr=False)
    sigma2: dict
    tau2: float
    i2: float
    i2_levels: dict
    q: float
    p_heterogeneity: float
    r2: float
    loglik: float
    clusters: int
    level: float
    warnings: tuple
    fit: Fitted = field(repr=False)

    @property
    def coefficients(self):
        """A DataFrame of ``term, coef, se, ci_low, ci_high, df, p, test``."""
        found = self.predict(np.eye(len(self.terms))).drop(columns=["pi_low", "pi_high"])
        found.insert(0, "term", self.terms)
        return found.rename(columns={"estimate": "coef"})

    def profile_intervals(self, level=None):
        """Profile-likelihood interval of each variance, a dict of (low, high) by level.

        Where twice the loss of restricted log-likelihood, maximised over the other variances,
        reaches χ²(1).
        """
        found = self.fit.model.profiles(self.fit.theta, self.level if level is None else level)
        return dict(zip(self.levels, found, strict=True))

    def predict(self, design):
        """Expected effect at rows of a design, with its intervals.

        Parameters
        ----------
        design : DataFrame or array_like, shape (n, p)
            Columns as in the fit.

        Returns
        -------
        pandas.DataFrame
            ``estimate, se, ci_low, ci_high, df, p, test, pi_low, pi_high``.
        """
        x = np.asarray(design, dtype=float).reshape(-1, len(self.beta))
        found = pd.DataFrame([self.fit.contrast(row) for row in x])
        columns = ["estimate", "se", "ci_low", "ci_high", "df", "p_effect", "test"]
        return found[[*columns, "pi_low", "pi_high"]].rename(columns={"p_effect": "p"})


@dataclass(frozen=True, eq=False)
class ModeratorResult:
    """The levels of a moderator, estimated together, and the test of their differences.

    Attributes
    ----------
    table : pandas.DataFrame
        ``level, k, studies, estimate, se, ci_low, ci_high, df, p, test, pi_low, pi_high, in_test``.
    wald : WaldResult
        Test that the levels with more than one row and study have one mean.
    left_out : int
        Rows without a level.
    result : MultilevelResult
        The model with the levels' means as coefficients.
    """

    table: pd.DataFrame
    wald: WaldResult
    left_out: int
    result: MultilevelResult = field(repr=False)


def multilevel(
    effect, *, levels, variance=None, covariance=None, cluster=None, study=None, design=None,
    rows=None, test="cr2", min_groups=MIN_GROUPS, level=0.95,
):  # fmt: skip
    r"""Fit a multilevel model by REML.

    Parameters
    ----------
    effect : array_like, shape (k,)
    levels : dict of array_like, or DataFrame
        Labels of each level, outermost first; None for a level that is the row itself.
    variance : array_like, shape (k,), optional
        Sampling variances of independent errors.
    covariance : list of array_like, or array_like, shape (k, k), optional
        Their sampling covariance: a block for each value of `cluster` in order of appearance
        (see `helpers.stats.shared_controls.covariance` and `constant_covariance`), or one matrix.
    cluster : array_like of k labels, optional
        Whose blocks these are; by default `study`.
    study : array_like of k labels, optional
        By default the level of that name. Robust inference goes by studies where all random groups
        lie within one.
    design : DataFrame, or array_like, shape (k, p), optional
        Fixed effects, an intercept included if there is to be one; by default the mean alone.
    rows : array_like of bool, shape (k,), optional
        Fit these rows only.
    test : {"cr2", "contain"}
        Cluster-robust with Satterthwaite degrees of freedom, where there are at least 5 clusters
        and 4 degrees of freedom; or t with containment degrees of freedom.
    min_groups : int
        A level with fewer groups is left out.
    level : float
        Coverage of all intervals.

    Returns
    -------
    MultilevelResult

    Raises
    ------
    ValueError
        Missing labels, a covariance that is not positive definite, a design that is not of full
        rank, no row more than coefficients.

    Notes
    -----
    Clusters are the groups of the outermost level in the model, or the studies where every group
    lies within one; clusters that V joins count as one. Containment: for each coefficient the
    fewest groups among the levels within which its column is constant (k where none is), less p,
    at least 1. I² of a level is 100·σ²/(Σσ² + s²), s² = (k - p)/tr(P). The prediction interval is
    estimate ± t·√(se² + Σσ²), by `cr2` with clusters - p degrees of freedom, and never narrower
    than the confidence interval.

    References
    ----------
    Konstantopoulos (2011), Res Synth Methods 2:61; Van den Noortgate and others (2013), Behav Res
    Methods 45:576; Pustejovsky and Tipton (2018), J Bus Econ Stat 36:672; Nakagawa and Santos
    (2012), Evol Ecol 26:1253 (I² by level); Nakagawa and Schielzeth (2013), Methods Ecol Evol
    4:133 (R²).

    Examples
    --------
    >>> found = multilevel([0.1, 0.3, 0.9, 1.1, 0.4, 0.6], levels={"study": list("aabbcc")},
    ...                    variance=[0.04] * 6, min_groups=2)
    >>> round(found.estimate, 3), round(found.sigma2["study"], 3), found.test
    (0.567, 0.143, 'contain')
    """
    if test not in TESTS:
        raise ValueError(f"test is one of {', '.join(TESTS)}, not {test!r}")
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1, not at {level!r}")
    k = np.size(effect)
    table = {name: None if v is None else labels(v, k, name, False) for name, v in levels.items()}
    if study is None:
        study = levels.get("study")
    named, study = study, None if study is None else labels(study, k, "study", False)
    y, errors = sampling(
        effect, variance=variance, covariance=covariance,
        cluster=named if cluster is None else cluster,
    )  # fmt: skip
    x, terms = _design(design, k)
    if rows is not None:
        keep = np.asarray(rows)
        if keep.dtype != bool or keep.shape != (k,):
            raise ValueError(f"rows must hold True or False for each of the {k} effects")
        y, x, errors = y[keep], x[keep], errors.part(keep)
        table = {name: None if code is None else code[keep] for name, code in table.items()}
        if study is not None:
            study = np.unique(study[keep], return_inverse=True)[1]
        k = len(y)
    if k <= x.shape[1]:
        raise ValueError(f"{k} effects cannot tell {x.shape[1]} coefficients and their variances")
    _refuse_deficient(x, terms)
    kept, left_out = _kept(table, k, min_groups)
    names, codes = list(kept), list(kept.values())
    fit = fitted(y, x, errors, codes, names, study, test, level)
    return _result(fit, names, left_out, terms, mean=design is None)


def wald_test(result, contrast):
    """Test several contrasts of the coefficients together.

    Parameters
    ----------
    result : MultilevelResult
    contrast : list of str, or array_like, shape (q, p)
        Terms that are 0 by hypothesis, or a matrix whose product with the coefficients is.

    Returns
    -------
    WaldResult
        HTZ where the model's test is `cr2`, and not tested where that has fewer than 4 degrees of
        freedom: the test then no longer keeps its level. By `contain` F with the smallest
        containment df of the coefficients in it.

    References
    ----------
    Tipton and Pustejovsky (2015), J Educ Behav Stat 40:604.
    """
    terms = list(result.terms)
    if all(isinstance(term, str) for term in contrast):
        unknown = set(contrast) - set(terms)
        if unknown:
            raise ValueError(f"the model has no term {', '.join(sorted(unknown))}")
        contrast = np.eye(len(terms))[[terms.index(term) for term in contrast]]
    contrast = np.atleast_2d(np.asarray(contrast, dtype=float))
    if contrast.shape[1] != len(terms):
        raise ValueError(f"a contrast has {len(terms)} columns, not {contrast.shape[1]}")
    return result.fit.wald(contrast)


def moderator_levels(effect, *, by, levels, study=None, rows=None, **options):
    """Means of a moderator's levels in one multilevel model, and the test of their differences.

    Parameters
    ----------
    effect, levels, study, rows
        As in `multilevel`, and so the `options`.
    by : array_like of k labels
        Level of the moderator; rows without one are left out and counted.

    Returns
    -------
    ModeratorResult
        A level of one row or of one study has a mean but no part in the test.
    """
    by = by if isinstance(by, pd.Series) else pd.Series(by)
    ordered = isinstance(by.dtype, pd.CategoricalDtype)
    code, names = (by.cat.codes, by.cat.categories) if ordered else pd.factorize(by)
    code = np.where(np.append(names == "", True)[code], -1, code)  # the code of a missing one is -1
    chosen = np.ones(len(code), bool) if rows is None else np.asarray(rows)
    used = chosen & (code >= 0)
    shown = [at for at in range(len(names)) if (code[used] == at).any()]
    cells = pd.DataFrame({str(names[at]): (code == at).astype(float) for at in shown})
    shown = [names[at] for at in shown]
    if len(cells.columns) < len(shown):
        raise ValueError("two levels of the moderator are written alike")
    result = multilevel(
        effect, levels=levels, study=study, rows=used, design=cells, **options
    )  # fmt: skip
    member = cells[used].to_numpy(bool)
    k, studies = member.sum(axis=0), [None] * len(shown)
    in_test = k > 1
    if result.studies is not None:
        studies = [len(np.unique(result.fit.study[rows])) for rows in member.T]
        in_test &= np.array(studies) > 1
    table = result.predict(np.eye(len(shown)))
    table.insert(0, "level", shown)
    table.insert(1, "k", k)
    table.insert(2, "studies", studies)
    table["in_test"] = in_test
    tested = np.flatnonzero(in_test)
    if len(tested) > 1:
        contrast = np.eye(len(shown))[tested[1:]] - np.eye(len(shown))[tested[0]]
        wald = wald_test(result, contrast)
    else:
        reason = "fewer than two levels have more than one experiment and study"
        wald = WaldResult(np.nan, max(len(tested) - 1, 0), np.nan, np.nan, "", reason)
    return ModeratorResult(table, wald, int((chosen & (code < 0)).sum()), result)


def _result(fit, names, left_out, terms, mean):
    """What a reader needs of a fit."""
    model, level = fit.model, fit.level
    k, p = fit.x.shape
    which = model.free
    sigma2 = model.unit**2 * fit.theta[which]
    tau2 = float(sigma2.sum())
    whole = tau2 + model.unit**2 * model.typical_variance
    q = max(float(model.at(np.zeros(len(fit.theta)))[2]), 0.0)
    unit = [fit.contrast(row) for row in np.eye(p)]
    explained = np.var(fit.x @ fit.beta, ddof=1)
    r2 = 100 * explained / (explained + tau2) if not mean and explained + tau2 > 0 else np.nan
    shown = unit[0] if mean else dict.fromkeys(unit[0], np.nan)
    test, label, warnings = _label(fit, unit, mean)
    if "joined" in fit.cluster_name and fit.fallback != ASKED:
        warnings.append(f"robust inference by {fit.clusters} clusters: {fit.cluster_name}")
    studies = None if fit.study is None else int(fit.study.max()) + 1
    if studies == 1:
        warnings.append("all rows are of one study: nothing is known about other studies")
    for name, reason in left_out.items():
        warnings.append(f"level {name} is left out: {reason}")
    return MultilevelResult(
        k=k, studies=studies, levels=tuple(names), left_out=left_out,
        groups={n: int(c.max()) + 1 for n, c in zip(names, fit.codes, strict=True)},
        **(shown | {"test": test}), test_label=label, terms=tuple(terms), beta=fit.beta,
        covariance=fit.covariance, sigma2=dict(zip(names, sigma2.tolist(), strict=True)),
        tau2=tau2, i2=float(100 * tau2 / whole),
        i2_levels=dict(zip(names, (100 * sigma2 / whole).tolist(), strict=True)), q=q,
        p_heterogeneity=float(chi2_sf(q, k - p)), r2=float(r2), loglik=fit.loglik,
        clusters=fit.clusters, level=level, warnings=tuple(warnings), fit=fit,
    )  # fmt: skip


def _label(fit, unit, mean):
    """Which test was used, in words, and what to warn about."""
    robust = [found["test"] == "cr2" for found in unit]
    cr2 = f"cluster-robust (CR2) t, {fit.clusters} clusters ({fit.cluster_name})"
    contain = "t with containment degrees of freedom"
    if all(robust):
        return "cr2", cr2, []
    if fit.fallback == ASKED:
        return "contain", contain, []
    reason = fit.fallback or (
        f"CR2 has fewer than {MIN_DF} degrees of freedom, or one cluster alone to go by"
    )
    if any(robust):
        label = f"{cr2}; {contain} where {reason}"
        return "cr2", label, [label]
    label = f"{contain}: {reason}"
    return "contain", label, [label]


# ------------------------------------------------------------------------------ three-level model

VARIANCES = ("sigma2_study", "sigma2_experiment")


@dataclass(frozen=True)
class ThreeLevelResult:
    """A three-level model: experiments within studies.

    Attributes
    ----------
    k, studies : int
        Numbers of experiments and of studies.
    estimate, se, ci_low, ci_high, p_effect : float
        Mean effect with its interval.
    sigma2_study, sigma2_experiment : float
        Variance between studies, and between experiments of one study.
    i2, i2_study, i2_experiment : float
        Percent of the total variance that is heterogeneity, whole and by level.
    pi_low, pi_high : float
        Prediction interval for a new experiment of a new study.
    q, p_heterogeneity : float
        Cochran's Q with the full sampling covariance, and its p (χ², k - 1).
    loglik : float
        Restricted log-likelihood.
    level : float
        Of both intervals, for instance 0.95.
    interval : str
        ``z`` or ``t`` (k - 1 degrees of freedom).
    note : str
        What is to be said about the fit, or empty.
    """

    k: int
    studies: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_effect: float
    sigma2_study: float
    sigma2_experiment: float
    i2: float
    i2_study: float
    i2_experiment: float
    pi_low: float
    pi_high: float
    q: float
    p_heterogeneity: float
    loglik: float
    level: float
    interval: str
    note: str = ""
    effect: np.ndarray = field(default=None, repr=False, compare=False)
    covariance: object = field(default=None, repr=False, compare=False)  # (k,), or blocks
    study: np.ndarray = field(default=None, repr=False, compare=False)
    model: Likelihood = field(default=None, repr=False, compare=False)
    theta: np.ndarray = field(default=None, repr=False, compare=False)  # at its maximum

    def profile_intervals(self, level=None):
        """Profile-likelihood intervals of both variances.

        Returns
        -------
        dict
            ``{"sigma2_study": (low, high), "sigma2_experiment": (low, high)}``: where twice the
            loss of restricted log-likelihood, maximised over the other variance, reaches χ²(1).
            NaN for a variance that the data cannot tell from the other.
        """
        found = self.model.profiles(self.theta, self.level if level is None else level)
        return dict(zip(VARIANCES, [(np.nan, np.nan)] * (2 - len(found)) + found, strict=True))

    def variance_tests(self):
        """Likelihood-ratio p of each variance against 0 (χ² with 1 df, as in the literature).

        Conservative: at the boundary the null distribution is a mixture that halves p.
        """
        best, p = self.model.values(self.theta[None])[0], []
        for which in range(len(self.theta)):
            others = np.arange(len(self.theta)) != which
            rest = self.model.maximum(np.where(others, self.theta, 0.0), others)[1]
            p.append(float(chi2_sf(max(2 * (best - rest), 0), 1)))
        return dict(zip(VARIANCES, [np.nan] * (2 - len(p)) + p, strict=True))


def three_level(effect, *, study, variance=None, covariance=None, interval="z", level=0.95):
    r"""Fit the three-level random-effects model by REML.

    Parameters
    ----------
    effect : array_like, shape (k,)
    study : array_like of k labels
        The study of each experiment.
    variance : array_like, shape (k,), optional
        Sampling variances of independent effects.
    covariance : list of array_like, or array_like, shape (k, k), optional
        Their sampling covariance: a block for each study (see
        `helpers.stats.shared_controls.covariance`), or one matrix that is zero between studies.
    interval : {"z", "t"}
        Normal, or t with k - 1 degrees of freedom.
    level : float

    Returns
    -------
    ThreeLevelResult

    Raises
    ------
    ValueError
        With fewer than two studies, or input that is not usable.

    Notes
    -----
    y_ij = μ + u_i + w_ij + e_ij with Var(u) = σ²_study, Var(w) = σ²_experiment, Var(e) = V.
    It is `multilevel` with the levels study and experiment and every study in it, however few.

    References
    ----------
    Konstantopoulos (2011), Research Synthesis Methods 2:61;
    Van den Noortgate and others (2013), Behavior Research Methods 45:576.
    """
    k = np.size(effect)
    code = labels(study, k, "study", missing=False)
    y, errors = sampling(effect, variance=variance, covariance=covariance, cluster=study)
    studies = int(code.max()) + 1
    if studies < 2:
        raise ValueError(f"a three-level model needs at least two studies, there is {studies}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    if interval not in ("z", "t"):
        raise ValueError(f"interval must be z or t, not {interval!r}")
    if not errors.stays_within(code):
        raise ValueError("the covariance between studies must be zero")
    note, levels = "", [code]
    if studies == k:
        note = "Every study has one experiment: only the sum of the two variances can be estimated."
        levels = []
    away, middle = centred(y, errors.diagonal)  # equal effects differ by rounding alone
    model = Likelihood(away, np.ones((k, 1)), errors, levels, True)
    theta, _ = model.maximum()
    mean, inverse, _, loglik = model.at(theta)
    estimate = middle + (model.ordinary + model.unit * (model.back @ mean))[0]
    se = model.unit * np.sqrt((model.back @ inverse @ model.back.T)[0, 0])
    unit2 = model.unit**2
    by_study, by_experiment = unit2 * (theta if levels else np.append(0.0, theta))
    tau2 = by_study + by_experiment
    share = 100 / (tau2 + unit2 * model.typical_variance)
    q = max(model.at(np.zeros(len(theta)))[2], 0.0)
    df = np.inf if interval == "z" else k - 1
    reach = critical(level, df) * np.sqrt(se**2 + tau2)
    found = inference(estimate, se, level=level, df=df) | {
        "sigma2_study": by_study, "sigma2_experiment": by_experiment, "i2": share * tau2,
        "i2_study": share * by_study, "i2_experiment": share * by_experiment,
        "pi_low": estimate - reach, "pi_high": estimate + reach, "q": q,
        "p_heterogeneity": chi2_sf(q, k - 1), "loglik": loglik - (k - 1) * np.log(model.unit),
    }  # fmt: skip
    kept = errors.diagonal
    if isinstance(covariance, list):
        kept = [np.asarray(block, dtype=float) for block in covariance]
    elif covariance is not None:
        rows = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
        kept = [np.asarray(covariance, dtype=float)[np.ix_(one, one)] for one in rows]
    return ThreeLevelResult(
        k=k, studies=studies, **{name: float(value) for name, value in found.items()},
        level=level, interval=interval, note=note, effect=y, covariance=kept, study=code,
        model=model, theta=theta,
    )  # fmt: skip


# ----------------------------------------------------------------------------------------- input


def _kept(table, k, min_groups):
    """Groups of the levels in the model, those of one outer group side by side; the others."""
    path, kept, left_out = np.zeros(k, int), {}, {}
    for name, code in table.items():
        own = np.arange(k) if code is None else code
        groups, inside = np.unique(path * (own.max() + 1) + own, return_inverse=True)
        if len(groups) < min_groups:
            left_out[name] = f"{len(groups)} groups, fewer than {min_groups}"
            continue
        kept[name], path = inside, inside
    if not kept:
        last = next(reversed(table), ROW)
        row = last if table and _is_row(table[last], k) else ROW
        left_out.pop(row, None)
        kept[row] = np.arange(k)
    names = list(kept)
    for outer, inner in pairwise(names):
        if kept[outer].max() == kept[inner].max():
            left_out[outer] = f"its groups are those of {inner}"
            del kept[outer]
    return kept, left_out


def _is_row(code, k):
    return code is None or len(np.unique(code)) == k


def _design(design, k):
    """Design matrix and the names of its columns."""
    if design is None:
        return np.ones((k, 1)), ["intercept"]
    x = np.asarray(design, dtype=float)
    if x.ndim != 2 or len(x) != k:
        raise ValueError(f"design needs a row for each of the {k} effects")
    terms = list(getattr(design, "columns", range(x.shape[1])))
    return x, [str(term) for term in terms]


def _refuse_deficient(x, terms):
    """Refuse a design that holds what is no number, or a column that follows from others."""
    bad = ~np.isfinite(x).all(axis=0)
    if bad.any():
        named = ", ".join(term for term, b in zip(terms, bad, strict=True) if b)
        raise ValueError(f"design has missing values in {named}")
    size = np.sqrt((x**2).sum(axis=0))
    pivots = np.abs(np.diag(np.linalg.qr(x / np.where(size > 0, size, 1))[1]))
    if (pivots <= 1e-10).any():
        named = ", ".join(term for term, low in zip(terms, pivots <= 1e-10, strict=True) if low)
        raise ValueError(f"these terms follow from the others: {named}")
