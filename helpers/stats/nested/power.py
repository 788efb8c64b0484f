"""How often small-study tests of dependent rows would see suppressed results."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats.distributions import t_isf, t_sf
from helpers.stats.effects import small_sample_factor
from helpers.stats.mixed_model.groups import stacks
from helpers.stats.mixed_model.sandwich import MIN_CLUSTERS, MIN_DF, sandwich
from helpers.stats.nested.small_study import least_squares
from helpers.stats.pooling import numbers


def clustered_power(
    result, *, n_treated, n_control, baseline=None, suppressed=0.8, alpha=0.05, replicates=500,
    seed=0,
):  # fmt: skip
    r"""Power of the size regression and of Doleman's test by simulation that keeps the clusters.

    Parameters
    ----------
    result : MultilevelResult
        The mean of standardised mean differences; its levels, their variances and its sampling
        covariance are simulated.
    n_treated, n_control : array_like, shape (k,)
        Group sizes of the rows of the fit.
    baseline : array_like, shape (k,), optional
        Outcome in the control groups; without it Doleman's test is not run.
    suppressed : float
        Share of non-significant results kept back, at least 0 and below 1.
    alpha : float
        A test rejects where its p lies below.
    replicates, seed : int

    Returns
    -------
    pandas.DataFrame
        A row a test, ``size`` or ``doleman``: ``test, false_alarms`` (share rejected with nothing
        suppressed), ``power`` (both NaN with fewer than 4 degrees of freedom, or
        where one cluster alone tells the slope),
        ``error`` (largest standard error of a share from the simulation), ``df``, ``suppressed,
        replicates``.

    Raises
    ------
    ValueError
        A fit with moderators, fewer than 5 clusters, a predictor that does not vary.

    Notes
    -----
    True effects are the pooled one and a normal deviate for each group of each level. Mean
    differences are normal around them, correlated as V says, and divided by an SD with χ² of
    n1 + n2 - 2 degrees of freedom. A row whose own t test gives p > 0.05 is kept back with
    probability `suppressed` and drawn anew within its study; a cluster of which all rows are kept
    back is never heard of, and another takes its place, with group effects of its own. Rows drawn
    anew have sampling errors of their own.

    Each test keeps the weights that the fitted variances give it: then it is linear in the effects,
    and a thousand data sets cost one matrix product. CR2 holds its level without the right weights.

    References
    ----------
    Pustejovsky and Rodgers (2019), Res Synth Methods 10:57; Nakagawa and others (2022), Methods
    Ecol Evol 13:4.
    """
    fit, k = result.fit, result.k
    if fit.x.shape[1] != 1:
        raise ValueError("the power is simulated from a fit of the mean alone")
    if fit.clusters < MIN_CLUSTERS:
        raise ValueError(f"{fit.clusters} of the {MIN_CLUSTERS} clusters that CR2 needs")
    if not 0 <= suppressed < 1:
        raise ValueError(f"suppressed lies between 0 and 1 (not 1 itself), not at {suppressed}")
    n1, n2 = numbers(k, n_treated=n_treated, n_control=n_control)
    size = np.sqrt(1 / n1 + 1 / n2)
    tests = {"size": _size_test(result, size)}
    if baseline is not None:
        (risk,) = numbers(k, baseline=baseline)
        tests["doleman"] = _doleman_test(result, risk, 1 / (n1 + n2))
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({"test": list(tests)})
    for column, share in (("false_alarms", 0.0), ("power", suppressed)):
        y = simulated(result, n1, n2, share, replicates, generator)
        table[column] = [
            float((test(y) < alpha).mean()) if df >= MIN_DF else np.nan
            for test, df in tests.values()
        ]
    shares = table[["false_alarms", "power"]]
    table["error"] = np.sqrt((shares * (1 - shares)).max(axis=1) / replicates)
    table["df"] = [df for _, df in tests.values()]
    return table.assign(suppressed=suppressed, replicates=replicates)


def simulated(result, n1, n2, suppressed, replicates, generator):
    """Hedges g of published rows, shape (replicates, k), with the clusters of a fit.

    Parameters
    ----------
    result : MultilevelResult
        A mean.
    n1, n2 : ndarray, shape (k,)
        Group sizes.
    suppressed : float
        Share of non-significant results kept back.
    replicates : int
    generator : numpy.random.Generator
    """
    fit, df, size = result.fit, n1 + n2 - 2, np.sqrt(1 / n1 + 1 / n2)
    if (df < 1).any():
        raise ValueError("group sizes of at least 2 and 1 are needed to simulate")
    bar, cluster = t_isf(0.025, df) * size, fit.cluster
    roots = _correlation_roots(fit.sampling)
    sd = [np.sqrt(result.sigma2[name]) for name in result.levels]
    members = np.zeros((fit.clusters, result.k))
    members[cluster, np.arange(result.k)] = 1
    is_row = [code.max() + 1 == result.k for code in fit.codes]

    def groups(n):
        outer = np.zeros((n, result.k))
        for code, spread, row in zip(fit.codes, sd, is_row, strict=True):
            if not row:
                outer += generator.normal(0, spread, (n, code.max() + 1))[:, code]
        return outer

    def d(outer):
        """Differences over their SDs, of rows with these effects of their groups."""
        own = sum(
            generator.normal(0, spread, outer.shape)
            for spread, row in zip(sd, is_row, strict=True) if row
        )  # fmt: skip
        error = generator.standard_normal(outer.shape)
        for rows, root in roots:
            error[:, rows] = np.einsum("gij,ngj->ngi", root, error[:, rows])
        chi2 = generator.chisquare(np.broadcast_to(df, outer.shape))
        return (fit.beta[0] + outer + own + size * error) / np.sqrt(chi2 / df)

    outer = groups(replicates)
    found = d(outer)
    back = (np.abs(found) < bar) & (generator.random(found.shape) < suppressed)
    while back.any():
        some = np.flatnonzero(back.any(axis=1))
        again = back[some]
        unheard = (again @ members.T == members.sum(axis=1))[:, cluster]
        outer[some] = np.where(unheard, groups(len(some)), outer[some])
        new = d(outer[some])
        found[some] = np.where(again, new, found[some])
        back[some] = again & (np.abs(new) < bar) & (generator.random(new.shape) < suppressed)
    return small_sample_factor(df) * found


def _correlation_roots(sampling):
    """Rows that covary, and the Cholesky roots of their correlations."""
    found = []
    if not len(sampling.i):
        return found
    for rows in stacks(sampling.block):
        if rows.shape[1] > 1:
            root = 1 / np.sqrt(sampling.diagonal[rows])
            correlation = sampling.dense(rows) * root[:, :, None] * root[:, None]
            found.append((rows, np.linalg.cholesky(correlation)))
    return found


def _size_test(result, size):
    """Test of the slope on √(1/n1 + 1/n2), by generalised least squares with the fit's variances."""
    _refuse_constant("the size regression", "√(1/n1 + 1/n2)", size)
    x = np.column_stack([np.ones(result.k), size])
    return _slope_test(x, *_by_model(result.fit, x))


def _doleman_test(result, risk, inverse):
    """Test of the slope of the residuals of the baseline on 1/N, by least squares."""
    _refuse_constant("Doleman", "the baseline", risk)
    _refuse_constant("Doleman", "1/N", inverse)
    one = np.ones(result.k)
    first, x = np.column_stack([one, risk - risk.mean()]), np.column_stack([one, inverse])
    solved, _ = _by_model(result.fit, first)
    _, robust = least_squares(x, one, one, result.fit.cluster)
    test, df = _slope_test(x, x @ robust.bread, robust)
    return lambda y: test(y - (y @ solved) @ first.T), df


def _by_model(fit, x):
    """What gives the coefficients of x from effects, shape (k, p), and its `Sandwich`."""
    solved, stacked = np.empty(x.shape), []
    for rows in stacks(fit.cluster):
        phi = fit.sampling.dense(rows)
        for code, variance in zip(fit.codes, fit.model.unit**2 * fit.theta, strict=False):
            phi += variance * (code[rows][:, :, None] == code[rows][:, None])
        solved[rows] = np.linalg.solve(phi, x[rows])
        stacked.append((rows, phi))
    bread = np.linalg.inv(x.T @ solved)
    return solved @ bread, sandwich(x, np.zeros(len(x)), bread=bread, stacked=stacked)


def _slope_test(x, solved, robust):
    """A function from effects (replicates, k) to p of the second coefficient, and its df."""
    weights = []
    for rows, u in robust.adjusted:
        own = np.zeros((len(rows), len(x)))
        np.put_along_axis(own, rows, u[..., 1], axis=1)
        weights.append(own)
    weights = np.concatenate(weights)
    slope = np.array([0.0, 1.0])
    df = robust.df(slope) if robust.unbiased(slope) else np.nan

    def test(y):
        beta = y @ solved
        se = np.sqrt((((y - beta @ x.T) @ weights.T) ** 2).sum(axis=1))
        return 2 * t_sf(np.abs(beta[:, 1]) / se, df)

    return test, df


def _refuse_constant(test, predictor, x):
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        raise ValueError(f"{test}: {predictor} is the same in all rows")
