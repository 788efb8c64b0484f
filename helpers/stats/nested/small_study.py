"""Small-study effects of rows that depend on each other: regressions in the multilevel model.

With several experiments a study the tests of `helpers.stats.small_study` reject in 13 to 26% of
reviews in which nothing is suppressed; these take the clusters into account.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats.distributions import t_sf
from helpers.stats.mixed_model.groups import stacks
from helpers.stats.mixed_model.inference import ASKED, NO_WIDTH
from helpers.stats.mixed_model.sandwich import MIN_CLUSTERS, MIN_DF, sandwich
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import numbers
from helpers.stats.small_study import WEIGHTS, SmallStudyTest

SIZE = "√(1/n1 + 1/n2)"


def size_regression(effect, *, n_treated, n_control, levels, **options):
    """Regression of effects on √(1/n1 + 1/n2) in the multilevel model.

    Parameters
    ----------
    effect, levels
        As in `helpers.stats.multilevel.multilevel`, and so the `options`.
    n_treated, n_control : array_like, shape (k,)
        Group sizes.

    Returns
    -------
    SmallStudyTest
        The slope with its test, ``cr2`` or ``contain``, which stands in ``options`` with the
        number of clusters, the label, and the ``reason`` why CR2 was not used.

    References
    ----------
    Nakagawa and others (2022), Methods Ecol Evol 13:4; Pustejovsky and Rodgers (2019), Res Synth
    Methods 10:57.
    """
    n1, n2 = _sizes(np.size(effect), n_treated, n_control)
    x = np.sqrt(1 / n1 + 1 / n2)
    return _in_model("multilevel size regression", SIZE, effect, x, 0.0, levels, options)


def time_lag(effect, *, year, levels, **options):
    """Regression of effects on the year of publication in the multilevel model.

    Parameters
    ----------
    effect, levels
        As in `helpers.stats.multilevel.multilevel`, and so the `options`.
    year : array_like, shape (k,)
        Rows without one (NaN) are left out and counted in ``options``.

    Returns
    -------
    SmallStudyTest
        The slope by year; the intercept is the mean of the mean year of the rows used.

    References
    ----------
    Nakagawa and others (2022), Methods Ecol Evol 13:4.
    """
    year = np.asarray(year, dtype=float)
    if year.shape != (np.size(effect),) or np.isinf(year).any():
        raise ValueError(f"year needs a number, or nothing, for each of {np.size(effect)} effects")
    rows = options.pop("rows", None)
    chosen = np.ones(len(year), bool) if rows is None else np.asarray(rows)
    used = chosen & ~np.isnan(year)
    if not used.any():
        raise ValueError("no row has a year of publication")
    found = _in_model(
        "time lag", "year of publication", effect, np.where(used, year, 0.0), year[used].mean(),
        levels, options | {"rows": used},
    )  # fmt: skip
    found.options["left_out"] = int((chosen & ~used).sum())
    return found


def doleman_clustered(
    effect, *, baseline, n_treated, n_control, levels, weights="none", variance=None, rows=None,
    **options,
):  # fmt: skip
    r"""Doleman's test for dependent rows.

    Parameters
    ----------
    effect, levels, variance, rows
        As in `helpers.stats.multilevel.multilevel`, and so the `options`.
    baseline : array_like, shape (k,)
        Outcome in the control group.
    n_treated, n_control : array_like, shape (k,)
    weights : {"none", "variance", "n"}
        Of the second regression.

    Returns
    -------
    SmallStudyTest
        ``x`` is 1/(n_treated + n_control), ``y`` the residual.

    Raises
    ------
    ValueError
        Fewer than 5 clusters: there is no other test of least squares on dependent rows.

    Notes
    -----
    First effects on the baseline risk in the multilevel model; then its residuals by least squares
    on 1/N with CR2 and Satterthwaite's degrees of freedom, the clusters those of the model, the
    working model independent rows of variance 1/weight. With fewer than 4 degrees of freedom the
    test is not given (p is NaN) and ``options`` says why; nor where one cluster alone tells the
    slope.

    References
    ----------
    Doleman and others (2020), Res Synth Methods 11:522; Pustejovsky and Tipton (2018), J Bus Econ
    Stat 36:672.
    """
    if weights not in WEIGHTS:
        raise ValueError(f"weights is one of {', '.join(WEIGHTS)}, not {weights!r}")
    k = np.size(effect)
    n1, n2 = _sizes(k, n_treated, n_control)
    (risk,) = numbers(k, baseline=baseline)
    keep = np.ones(k, bool) if rows is None else np.asarray(rows)
    _refuse_constant("Doleman", "baseline", risk[keep])
    middle = risk[keep].mean()
    first = multilevel(
        effect, levels=levels, variance=variance, rows=rows,
        design=pd.DataFrame({"intercept": np.ones(k), "baseline": risk - middle}), **options,
    )  # fmt: skip
    fit = first.fit
    if first.clusters < MIN_CLUSTERS:
        raise ValueError(
            f"Doleman: {first.clusters} of the {MIN_CLUSTERS} clusters that CR2 needs "
            f"({fit.cluster_name})"
        )
    n, left = (n1 + n2)[keep], fit.y - fit.x @ fit.beta
    _refuse_constant("Doleman", "1/N", 1 / n)
    w = {"none": np.ones(len(n)), "variance": 1 / fit.sampling.diagonal, "n": n}[weights]
    x = np.column_stack([np.ones(len(n)), 1 / n])
    beta, robust = least_squares(x, left, w, fit.cluster)
    slope = np.array([0.0, 1.0])
    se, df = float(np.sqrt(robust.covariance()[1, 1])), robust.df(slope)
    said = {
        "first_step": "multilevel", "weights": weights, "test": "cr2",
        "clusters": first.clusters, "label": f"CR2 t, {first.clusters} clusters", "reason": "",
    }  # fmt: skip
    t = beta[1] / se if se > NO_WIDTH * abs(beta[1]) else np.nan
    p = float(2 * t_sf(abs(t), df))
    if not df >= MIN_DF or np.isnan(t):
        p, said["reason"] = np.nan, f"{df:.1f} of the {MIN_DF} degrees of freedom that CR2 needs"
    elif not robust.unbiased(slope):
        p, said["reason"] = np.nan, "one cluster alone tells the slope"
    return SmallStudyTest(
        "Doleman", len(n), float(t), float(df), p, float(beta[1]), se, float(beta[0]), "1/N", said,
        1 / n, left,
    )  # fmt: skip


def least_squares(x, y, w, cluster):
    """Weighted least squares with CR2: coefficients, and the `Sandwich` of its clusters.

    Parameters
    ----------
    x : ndarray, shape (k, p)
    y, w : ndarray, shape (k,)
        The working variances are 1/w.
    cluster : ndarray of int, shape (k,)
    """
    bread = np.linalg.inv((x * w[:, None]).T @ x)
    beta = bread @ (x * w[:, None]).T @ y
    working = ((rows, np.eye(rows.shape[1]) / w[rows][:, None]) for rows in stacks(cluster))
    return beta, sandwich(x, y - x @ beta, bread=bread, stacked=working)


def _in_model(test, predictor, effect, x, middle, levels, options):
    """The slope of one number in the multilevel model."""
    rows = options.get("rows")
    keep = np.ones(len(x), bool) if rows is None else np.asarray(rows)
    _refuse_constant(test, predictor, x[keep])
    design = pd.DataFrame({"intercept": np.ones(len(x)), predictor: x - middle})
    found = multilevel(effect, levels=levels, design=design, **options)
    slope = found.fit.contrast(np.array([0.0, 1.0]))
    reason = _why_contained(found.fit, slope["test"])
    label = f"cluster-robust (CR2) t, {found.clusters} clusters ({found.fit.cluster_name})"
    if slope["test"] == "contain":
        label = "t with containment degrees of freedom" + (f": {reason}" if reason else "")
    said = {
        "test": slope["test"], "clusters": found.clusters, "label": label, "reason": reason,
        "sigma2": found.sigma2, "ci_low": slope["ci_low"], "ci_high": slope["ci_high"],
    }  # fmt: skip
    return SmallStudyTest(
        test, found.k, slope["statistic"], slope["df"], slope["p_effect"], slope["estimate"],
        slope["se"], float(found.beta[0]), predictor, said, x[keep], found.fit.y,
    )  # fmt: skip


def _why_contained(fit, test):
    """Why the slope is tested by containment where CR2 was asked for; empty elsewhere."""
    if test == "cr2" or fit.fallback == ASKED:
        return ""
    if fit.fallback:
        return fit.fallback
    turned = np.array([0.0, 1.0]) @ fit.model.back
    df = fit.sandwich.df(turned) if fit.sandwich.unbiased(turned) else np.nan
    if df < MIN_DF:
        return f"{df:.1f} of the {MIN_DF} degrees of freedom that CR2 needs"
    return "one cluster alone tells the slope" if np.isnan(df) else "CR2 gives it no width"


def _sizes(k, n_treated, n_control):
    sizes = numbers(k, n_treated=n_treated, n_control=n_control)
    for name, n in zip(("n_treated", "n_control"), sizes, strict=True):
        if (n <= 0).any():
            raise ValueError(f"{name} must be above 0")
    return sizes


def _refuse_constant(test, predictor, x):
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        raise ValueError(f"{test}: the predictor {predictor} is the same in all rows")
