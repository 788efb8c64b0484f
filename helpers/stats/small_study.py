"""Small-study effects: tests, trim and fill, selection model, excess significance, power.

No test on the standard error decides about standardised mean differences, whose standard error
contains the effect itself: `egger` is there for comparison and for other measures; `doleman` and
`pustejovsky` rest on sample size alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.stats import heterogeneity
from helpers.stats.distributions import t_isf
from helpers.stats.effects import small_sample_factor
from helpers.stats.pooling import checked, numbers, two_sided_p

FIRST_STEPS = ("mixed", "weighted", "ols")
WEIGHTS = ("none", "variance", "n")


@dataclass(frozen=True, eq=False)
class SmallStudyTest:
    """A test for small-study effects.

    Attributes
    ----------
    test : str
        Its name.
    k : int
    statistic, df, p : float
        t with df degrees of freedom, and two-sided p.
    slope, se, intercept : float
        Of the regression.
    predictor : str
        What the effects were regressed on.
    options : dict
        The choices made, to be printed.
    x, y : numpy.ndarray, shape (k,)
        The points of the regression, for a plot.
    """

    test: str
    k: int
    statistic: float
    df: float
    p: float
    slope: float = np.nan
    se: float = np.nan
    intercept: float = np.nan
    predictor: str = ""
    options: dict = field(default_factory=dict)
    x: np.ndarray = field(default=None, repr=False)
    y: np.ndarray = field(default=None, repr=False)


def doleman(
    effect, *, baseline, n_treated, n_control, variance=None, first_step="mixed", weights="none"
):
    """Doleman's test: effect on baseline risk, then residuals on inverse sample size.

    Parameters
    ----------
    effect : array_like, shape (k,)
    baseline : array_like, shape (k,)
        Outcome in the control group.
    n_treated, n_control : array_like, shape (k,)
        Group sizes.
    variance : array_like, shape (k,), optional
        Sampling variances; needed unless `first_step` is ``ols`` and no weights are by variance.
    first_step : {"mixed", "weighted", "ols"}
        How the effect is regressed on the baseline: mixed-effects meta-regression by REML,
        weighted by 1/variance, or unweighted.
    weights : {"none", "variance", "n"}
        Weights of the second regression.

    Returns
    -------
    SmallStudyTest
        ``x`` is 1/(n_treated + n_control), ``y`` the residual.

    Notes
    -----
    Proposed for unstandardised differences; for SMDs the baseline is on another scale than the
    effect, so choices and result are to be read with care.

    References
    ----------
    Doleman and others (2020), Research Synthesis Methods 11:522 (reference 40 of the article).
    """
    if first_step not in FIRST_STEPS or weights not in WEIGHTS:
        raise ValueError(
            f"first_step is one of {', '.join(FIRST_STEPS)} and weights one of "
            f"{', '.join(WEIGHTS)}, not {first_step!r} and {weights!r}"
        )
    if variance is None and (first_step != "ols" or weights == "variance"):
        raise ValueError(f"first_step {first_step!r} with weights {weights!r} needs the variance")
    y, v = checked(effect, np.ones(len(effect)) if variance is None else variance)
    n1, n2 = _group_sizes(n_treated, n_control, len(y))
    (baseline,) = numbers(len(y), baseline=baseline)
    if np.ptp(baseline) <= 1e-12 * np.abs(baseline).max():
        raise ValueError("Doleman: the baseline is the same in all rows")
    away = heterogeneity.centred(y, v)[0]  # the residuals do not depend on where the effects lie
    return _regression(
        "Doleman", "1/N", *_doleman_points(away, v, n1 + n2, baseline, first_step, weights),
        options={"first_step": first_step, "weights": weights}, size=np.abs(away).max(),
    )  # fmt: skip


def pustejovsky(effect, *, n_treated, n_control):
    """Pustejovsky and Rodgers: regression of SMDs on the part of their SE that is sample size.

    Parameters
    ----------
    effect, n_treated, n_control : array_like, shape (k,)

    Returns
    -------
    SmallStudyTest
        ``x`` is √(1/n_treated + 1/n_control); weights 1/x², t with k - 2 degrees of freedom.

    References
    ----------
    Pustejovsky and Rodgers (2019), Research Synthesis Methods 10:57.
    """
    y, _ = checked(effect, np.ones(len(effect)))
    points = _pustejovsky_points(y, *_group_sizes(n_treated, n_control, len(y)))
    return _regression("Pustejovsky-Rodgers", "√(1/n1 + 1/n2)", *points)


def egger(effect, *, variance):
    """Egger's classical test: regression on the standard error, weights 1/variance, t(k - 2).

    Not valid for SMDs.

    References
    ----------
    Egger and others (1997), BMJ 315:629.
    """
    y, v = checked(effect, variance)
    return _regression("Egger", "standard error", *_egger_points(y, v))


# ------------------------------------------------------------------------------------ adjustments


# ------------------------------------------------------------------------------------------ power


def power(
    n_treated, n_control, *, mean, tau, suppressed=0.8, baseline=None, first_step="mixed",
    weights="none", alpha=0.05, replicates=1000, seed=0, tests=None,
):  # fmt: skip
    """How often each test would see that non-significant results are kept back.

    Hedges g are drawn for the group sizes at hand; an experiment whose own two-sided t test gives
    p > 0.05 is kept back with probability `suppressed` and drawn anew.

    Parameters
    ----------
    n_treated, n_control : array_like, shape (k,)
        Group sizes.
    mean, tau : float
        Mean and standard deviation of the true standardised effects.
    suppressed : float
        Share of non-significant results kept back, at least 0 and below 1.
    baseline : array_like, shape (k,), optional
        Outcome in the control groups; without it `doleman` is not run.
    first_step, weights : str
        As in `doleman`.
    alpha : float
        A test rejects where its p lies below.
    replicates : int
        Simulated data sets.
    seed : int
    tests : sequence of str, optional
        Of ``doleman, pustejovsky, egger``; by default all.

    Returns
    -------
    DataFrame
        A row a test: ``test, false_alarms`` (share rejected with nothing suppressed),
        ``power`` (share rejected with suppression), ``error`` (largest standard error of a share
        from the simulation), ``suppressed, replicates``.
    """
    k = np.size(n_treated)
    n1, n2 = _group_sizes(n_treated, n_control, k)
    _enough(k)
    if not 0 <= suppressed < 1 or tau < 0:
        raise ValueError("suppressed lies between 0 and 1 (not 1 itself), tau is not negative")

    def p(points):
        return two_sided_p(_line(*points)[2], k - 2)

    runs = {
        "pustejovsky": lambda y, v: p(_pustejovsky_points(y, n1, n2)),
        "egger": lambda y, v: p(_egger_points(y, v)),
    }
    if baseline is not None:
        (risk,) = numbers(k, baseline=baseline)
        runs = {
            "doleman": lambda y, v: p(_doleman_points(y, v, n1 + n2, risk, first_step, weights))
        } | runs
    if tests is not None:
        runs = {name: run for name, run in runs.items() if name in tests}
    generator = np.random.default_rng(seed)
    table = pd.DataFrame(index=pd.Index(runs, name="test"))
    for column, share in (("false_alarms", 0.0), ("power", suppressed)):
        y, v = _published(n1, n2, mean, tau, share, replicates, generator)
        table[column] = [(run(y, v) < alpha).mean() for run in runs.values()]
    error = np.sqrt((table * (1 - table)).max(axis=1) / replicates)
    return table.assign(error=error, suppressed=suppressed, replicates=replicates).reset_index()


def _published(n1, n2, mean, tau, suppressed, replicates, generator):
    """Hedges g and variances that survive suppression, shape (replicates, k)."""
    df, size = n1 + n2 - 2, np.sqrt(1 / n1 + 1 / n2)
    bar = t_isf(0.025, df) * size
    d = np.empty((replicates, len(n1)))
    every_df, every_size = np.broadcast_to(df, d.shape), np.broadcast_to(size, d.shape)
    again = np.ones_like(d, dtype=bool)
    while again.any():
        true = generator.normal(mean, tau, again.sum())
        difference = generator.normal(true, every_size[again])
        d[again] = difference / np.sqrt(generator.chisquare(every_df[again]) / every_df[again])
        again &= (np.abs(d) < bar) & (generator.random(d.shape) < suppressed)
    g = small_sample_factor(df) * d
    return g, size**2 + g**2 / (2 * (n1 + n2))


# ----------------------------------------------------------------------------------- shared parts
# What each test regresses: y, x and weights, batches in front.


def _doleman_points(y, v, n, baseline, first_step, weights):
    tau2 = 0.0
    if first_step == "mixed":
        design = np.column_stack([np.ones(len(baseline)), baseline])
        tau2 = heterogeneity.estimate(y, v, design, "REML")[..., None]
    w = np.ones_like(v) if first_step == "ols" else 1 / (v + tau2)
    slope, _, _, intercept = _line(y, baseline, w)
    residual = y - intercept[..., None] - slope[..., None] * baseline
    second = {"none": np.ones_like(v), "variance": 1 / v, "n": np.broadcast_to(n, v.shape)}
    return residual, 1 / n, second[weights]


def _pustejovsky_points(y, n1, n2):
    x = np.sqrt(1 / n1 + 1 / n2)
    return y, x, x**-2


def _egger_points(y, v):
    return y, np.sqrt(v), 1 / v


def _line(y, x, w):
    """Weighted straight line of y on x, batches in front: slope, its SE, t, intercept."""
    total = w.sum(-1, keepdims=True)
    x_mean, y_mean = (np.vecdot(w, z)[..., None] / total for z in (x, y))
    x = x - x_mean
    sxx = np.vecdot(w, x**2)
    slope = np.vecdot(w * x, y) / sxx
    residual = y - y_mean - slope[..., None] * x
    se = np.sqrt(np.vecdot(w, residual**2) / (y.shape[-1] - 2) / sxx)
    with np.errstate(divide="ignore", invalid="ignore"):  # no spread: refused by the caller
        t = slope / se
    return slope, se, t, (y_mean - slope[..., None] * x_mean)[..., 0]


def _regression(test, predictor, y, x, w, options=None, size=None):
    """A regression test with its points; `size` is that of the effects behind y."""
    _enough(len(y))
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        raise ValueError(f"{test}: the predictor {predictor} is the same in all rows")
    away, middle = heterogeneity.centred(y, 1 / w)
    slope, se, t, intercept = map(float, _line(away, x, w))
    residual = np.abs(away - intercept - slope * x).max()
    if residual <= 1e-13 * (np.abs(away).max() if size is None else size):
        raise ValueError(f"{test}: the effects lie on one line, so there is no spread to test by")
    df = len(y) - 2
    return SmallStudyTest(
        test, len(y), t, df, float(two_sided_p(t, df)), slope, se, float(middle + intercept),
        predictor, options or {}, x, y,
    )  # fmt: skip


def _enough(k):
    if k < 3:
        raise ValueError(f"at least 3 effects are needed, there are {k}")


def _group_sizes(n_treated, n_control, k):
    sizes = numbers(k, n_treated=n_treated, n_control=n_control)
    for name, n in zip(("n_treated", "n_control"), sizes, strict=True):
        if (n <= 0).any():
            raise ValueError(f"{name} must be above 0")
    return sizes
