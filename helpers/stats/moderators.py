"""What may explain heterogeneity: subgroup analysis and meta-regression."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from helpers.stats import heterogeneity
from helpers.stats.distributions import chi2_sf, f_sf
from helpers.stats.pooling import POOLED_FIELDS, checked, critical, inference, pool, refuse_unknown


@dataclass(frozen=True, eq=False)
class SubgroupResult:
    """Levels of one moderator, each pooled by itself, and the test between them.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a level: ``level, k, pooled`` and the fields of a pooled result. A level with k = 1
        holds its own effect and ``pooled`` False.
    q_between, df, p_between : float
        Q of the level estimates around their weighted mean, from the levels with k of at least 2;
        NaN where fewer than two such levels exist.
    single : tuple
        Levels of one experiment, which are not in the test.
    left_out : int
        Rows without a level.
    results : dict
        The ``PooledResult`` of each level.
    """

    table: pd.DataFrame
    q_between: float
    df: int
    p_between: float
    single: tuple
    left_out: int
    results: dict = field(repr=False)


@dataclass(frozen=True, eq=False)
class RegressionResult:
    """A mixed-effects meta-regression.

    Attributes
    ----------
    coefficients : pandas.DataFrame
        ``term, moderator, level, coef, se, ci_low, ci_high, p``; intercept first.
    tau2, r2, i2 : float
        Residual between-study variance; share of τ² that the moderators explain (0 to 1); residual
        I² in percent.
    qm, qm_df, p_moderators
        Test of all coefficients but the intercept: χ², or F with (qm_df, k - p) degrees of freedom
        under Hartung-Knapp.
    q_residual, p_residual : float
        Residual heterogeneity with fixed weights, χ² with k - p degrees of freedom.
    k, left_out : int
        Rows used; rows left out because a moderator is missing.
    """

    coefficients: pd.DataFrame
    tau2: float
    r2: float
    i2: float
    qm: float
    qm_df: int
    p_moderators: float
    q_residual: float
    p_residual: float
    k: int
    left_out: int
    method: str
    interval: str
    level: float
    reference: dict
    design: pd.DataFrame = field(repr=False)
    effect: np.ndarray = field(repr=False)
    variance: np.ndarray = field(repr=False)
    covariance: np.ndarray = field(repr=False)
    encode: callable = field(repr=False)

    def predict(self, moderators=None):
        """Expected effect at given moderators, by default at those of the rows used.

        Returns
        -------
        pandas.DataFrame
            ``estimate, se, ci_low, ci_high, pi_low, pi_high``; the prediction interval adds τ².
        """
        design = self.design if moderators is None else self.encode(pd.DataFrame(moderators))
        x = design.to_numpy(float)
        df = np.inf if self.interval == "z" else self.k - x.shape[1]
        estimate = x @ self.coefficients["coef"].to_numpy()
        se = np.sqrt(np.einsum("kp,pq,kq->k", x, self.covariance, x))
        half = critical(self.level, df) * se
        wide = critical(self.level, df) * np.hypot(se, np.sqrt(self.tau2))
        return pd.DataFrame(
            {
                "estimate": estimate, "se": se, "ci_low": estimate - half,
                "ci_high": estimate + half, "pi_low": estimate - wide, "pi_high": estimate + wide,
            },
            index=design.index,
        )  # fmt: skip


def subgroups(effect, *, variance, by, method="REML", interval="z", prediction="riley", level=0.95):
    """Pool each level of a moderator by itself, with its own τ².

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Effects and sampling variances.
    by : array_like, shape (k,)
        Level of each effect; missing ones are left out and counted. An ordered or plain
        categorical gives the order of the levels, otherwise it is that of first appearance.
    method, interval, prediction, level
        As in `helpers.stats.pooling.pool`.

    Returns
    -------
    SubgroupResult

    Notes
    -----
    Q_between = Σ w (μ - μ̄)² over the level estimates with k of at least 2, w = 1 / se², χ² with
    their number less one degrees of freedom, as Stata's ``meta summarize, subgroup()``.

    References
    ----------
    Borenstein M, Higgins JPT (2013). Meta-analysis and subgroups. Prev Sci 14:134-143.
    """
    y, v = checked(effect, variance)
    by = by if isinstance(by, pd.Series) else pd.Series(by)
    if len(by) != len(y):
        raise ValueError(f"by has {len(by)} entries for {len(y)} effects")
    labels = by.to_numpy(dtype=object)
    present = by.notna().to_numpy()
    order = by.cat.categories if isinstance(by.dtype, pd.CategoricalDtype) else by.dropna().unique()
    options = {"method": method, "interval": interval, "prediction": prediction, "level": level}
    results = {}
    for name in order:
        rows = present & (labels == name)
        if rows.any():
            results[name] = pool(y[rows], variance=v[rows], **options)
    fields = {
        field: [getattr(result, field) for result in results.values()]
        for field in ("k", "pooled", *POOLED_FIELDS)
    }
    tested = [result for result in results.values() if result.pooled]
    q_between, df, p_between = np.nan, max(len(tested) - 1, 0), np.nan
    if df and all(result.se > 0 for result in tested):
        means = np.array([result.estimate for result in tested])
        w = np.array([result.se for result in tested]) ** -2
        q_between = float(np.sum(w * (means - np.sum(w * means) / np.sum(w)) ** 2))
        p_between = float(chi2_sf(q_between, df))
    return SubgroupResult(
        table=pd.DataFrame({"level": list(results), **fields}),
        q_between=q_between, df=df, p_between=p_between,
        single=tuple(name for name, result in results.items() if not result.pooled),
        left_out=int((~present).sum()), results=results,
    )  # fmt: skip


def meta_regression(
    effect, *, variance, moderators, reference=None, method="REML", interval="z", level=0.95
):
    """Mixed-effects meta-regression on one or several moderators.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Effects and sampling variances.
    moderators : pandas.DataFrame, k rows
        A column a moderator. Numbers enter as they are; text is dummy-coded. Rows with a missing
        moderator are left out and counted.
    reference : dict, optional
        For text columns the level that the others are compared with; else the first one in sorted
        order.
    method, interval, level
        As in `helpers.stats.pooling.pool`; under Hartung-Knapp tests use t and F.

    Returns
    -------
    RegressionResult

    Raises
    ------
    ValueError
        Nothing left to estimate, a reference level that no row has, moderators that cannot be
        told apart, and what `helpers.stats.pooling.checked` refuses.

    Notes
    -----
    R² = max(0, (τ²_RE - τ²_ME) / τ²_RE) on the same rows, 0 where τ²_RE = 0.
    I² = 100 τ² / (τ² + s²) with s² = (k - p) / tr(P).

    References
    ----------
    Raudenbush SW (2009). Analyzing effect sizes: random-effects models. In: The Handbook of
    Research Synthesis and Meta-Analysis, 2nd ed.
    Knapp G, Hartung J (2003). Improved tests for a random effects meta-regression with a single
    covariate. Stat Med 22:2693-2710.
    """
    refuse_unknown(method=method, interval=interval, level=level)
    y, v = checked(effect, variance)
    frame = pd.DataFrame(moderators).reset_index(drop=True)
    if len(frame) != len(y):
        raise ValueError(f"moderators have {len(frame)} rows for {len(y)} effects")
    used = frame.notna().to_numpy().all(axis=1)
    y, v, frame = y[used], v[used], frame[used]
    encode, terms, chosen = _coding(frame, reference or {})
    design = encode(frame)
    x = design.to_numpy(float)
    k, p = x.shape
    if k <= p:
        raise ValueError(f"{k} effects cannot carry {p} coefficients")
    if np.linalg.matrix_rank(x / np.maximum(np.abs(x).max(axis=0), 1e-300)) < p:
        names = ", ".join(design.columns[1:])
        raise ValueError(f"these terms cannot be told apart in the rows at hand: {names}")

    tau2 = float(heterogeneity.estimate(y, v, x, method))
    df, m = k - p, p - 1
    away, middle = heterogeneity.centred(y, v)  # the intercept carries where the effects lie
    beta, covariance = _fit(away, v, x, tau2, interval)
    beta[0] += middle
    term_df = np.inf if interval == "z" else df
    found = inference(beta, np.sqrt(np.diag(covariance)), level=level, df=term_df)
    columns = ("term", "moderator", "level", "coef", "se", "ci_low", "ci_high", "p")
    values = [*zip(*terms, strict=True), *found.values()]
    coefficients = pd.DataFrame(dict(zip(columns, values, strict=True)))

    qm = p_moderators = np.nan
    if m:
        qm = float(_statistics(beta, covariance)[1])
        if interval == "z":
            p_moderators = float(chi2_sf(qm, m))
        else:
            qm /= m
            p_moderators = float(f_sf(qm, m, df))
    q_residual = heterogeneity.q_statistic(y, v, x)
    s2 = heterogeneity.typical_variance(v, x)
    i2, _ = heterogeneity.i2_h2(tau2, s2=s2, q=q_residual, df=df, method=method)
    total = float(heterogeneity.estimate(y, v, np.ones((k, 1)), method))
    return RegressionResult(
        coefficients=coefficients, tau2=tau2, r2=max(0.0, (total - tau2) / total) if total else 0.0,
        i2=float(i2), qm=qm, qm_df=m, p_moderators=p_moderators, q_residual=q_residual,
        p_residual=float(chi2_sf(q_residual, df)), k=k, left_out=int((~used).sum()),
        method=method, interval=interval, level=level, reference=chosen, design=design, effect=y,
        variance=v, covariance=covariance, encode=encode,
    )  # fmt: skip


def association(levels):
    """How far moderators go together: Cramér's V of each pair, over rows that report both.

    Parameters
    ----------
    levels : pandas.DataFrame
        A column a moderator, a row an experiment.

    Returns
    -------
    pandas.DataFrame
        Symmetric, 0 (independent) to 1 (one tells the other); NaN where a moderator has one level.

    References
    ----------
    Cramér H (1946). Mathematical Methods of Statistics, chapter 21.
    """
    codes = [pd.factorize(column)[0] for _, column in levels.items()]
    v = np.ones((len(codes), len(codes)))
    for i, j in combinations(range(len(codes)), 2):
        v[i, j] = v[j, i] = _cramer(codes[i], codes[j])
    return pd.DataFrame(v, index=levels.columns, columns=levels.columns)


def _cramer(a, b):
    """Cramér's V = √(χ² / n / (levels - 1)) of two columns of codes, -1 where there is none."""
    both = (a >= 0) & (b >= 0)
    (_, a), (_, b) = (np.unique(codes[both], return_inverse=True) for codes in (a, b))
    counts = np.zeros((a.max(initial=-1) + 1, b.max(initial=-1) + 1))
    np.add.at(counts, (a, b), 1)
    if min(counts.shape) < 2:
        return np.nan
    expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    chi2 = ((counts - expected) ** 2 / expected).sum()
    return np.sqrt(chi2 / counts.sum() / (min(counts.shape) - 1))


def resting_on_one(values, study):
    """Levels of a moderator that rest on one experiment or one study; no statement rests on them.

    Parameters
    ----------
    values : pandas.Series, shape (k,)
        Level or number of each experiment; missing ones are left out.
    study : pandas.Series, shape (k,)

    Returns
    -------
    tuple
        Levels found in one study only. Of a number, the studies without each of which it would be
        the same everywhere, so that its slope rests on that study alone.
    """
    known = values.notna()
    values, study = values[known], study[known]
    if isinstance(values.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(values):
        studies = study.groupby(values.astype(object)).nunique()
        return tuple(studies.index[studies < 2])
    names = study.unique()
    return tuple(name for name in names if values[study != name].nunique() < 2)


def holm(regressions):
    """P-values of several regressions' moderators, corrected for their number by Holm's method.

    The smallest of m values is multiplied by m, the next by m - 1, ...; none is then below an
    earlier one or above 1. A regression without a p-value stays without one and is not counted.

    Parameters
    ----------
    regressions : dict of RegressionResult

    Returns
    -------
    dict of float

    References
    ----------
    Holm S (1979). A simple sequentially rejective multiple test procedure. Scand J Stat 6:65-70.
    """
    from statsmodels.stats.multitest import multipletests  # only this function needs it

    p = np.array([regression.p_moderators for regression in regressions.values()], dtype=float)
    corrected, known = np.full(len(p), np.nan), np.isfinite(p)
    if known.any():
        corrected[known] = multipletests(p[known], method="holm")[1]
    return dict(zip(regressions, corrected.tolist(), strict=True))


def _coding(frame, reference):
    """How moderators become columns: a function, the terms, the reference levels."""
    terms, chosen = [("intercept", None, None)], {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            terms.append((str(name), name, None))
            continue
        values = column.to_numpy(object)
        if isinstance(column.dtype, pd.CategoricalDtype):
            present = [level for level in column.cat.categories if (values == level).any()]
        else:
            present = sorted(pd.unique(values), key=str)
        base = reference.get(name, min(present, key=str) if present else None)
        if base not in present:
            raise ValueError(
                f"no row has the reference level {base!r} of {name}; there are "
                f"{', '.join(map(repr, present))}"
            )
        chosen[name] = base
        terms += [(f"{name}: {level}", name, level) for level in present if level != base]
    unknown = set(reference) - set(frame.columns)
    if unknown:
        raise ValueError(f"reference names no moderator: {', '.join(map(str, sorted(unknown)))}")

    def encode(table):
        columns = [np.ones(len(table))]
        for _, name, level in terms[1:]:
            if level is None:
                columns.append(table[name].to_numpy(float))
            else:
                columns.append((table[name].to_numpy(object) == level).astype(float))
        # A moderator may be called like another's term, or "intercept": two columns, one name.
        names = [term for term, _, _ in terms]
        return pd.DataFrame(np.column_stack(columns), columns=names, index=table.index)

    return encode, terms, chosen


def _fit(y, v, x, tau2, interval):
    """Coefficients and covariance, with the residual mean square of Knapp and Hartung, unless z.

    Batches in front: y and v of shape (..., k), τ² of shape (...).
    """
    beta, covariance = heterogeneity.fit(y, v, x, tau2)
    if interval == "z":
        return beta, covariance
    residual = y - beta @ x.T
    # A fit that meets every effect has no residuals; what is left of them then is rounding.
    noise = 1e-14 * np.abs(y).max(axis=-1, keepdims=True)
    residual = np.where(np.abs(residual) > noise, residual, 0.0)
    factor = np.sum(residual**2 / (v + np.asarray(tau2)[..., None]), axis=-1)
    factor /= x.shape[0] - x.shape[1]
    if interval == "hksj_truncated":
        factor = np.maximum(factor, 1)
    return beta, covariance * factor[..., None, None]


def _statistics(beta, covariance):
    """Test statistic of each coefficient, and χ² of all but the intercept; batches in front.

    NaN where a fit without residuals leaves Hartung-Knapp no variance to test by.
    """
    se = np.sqrt(np.einsum("...pp->...p", covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se > 0, beta / se, np.nan)
        # Correlations, so that the moderators' units do not matter.
        r = (covariance / (se[..., None] * se[..., None, :]))[..., 1:, 1:]
    rest = z[..., 1:]
    return z, np.vecdot(rest, np.linalg.solve(r, rest[..., None])[..., 0])
