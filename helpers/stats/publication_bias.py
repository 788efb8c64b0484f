"""Corrections for unpublished results: trim and fill, a selection model, excess significance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import special

from helpers.stats.distributions import chi2_sf, normal_isf
from helpers.stats.moderators import meta_regression
from helpers.stats.pooling import PooledResult, checked, inference, pool
from helpers.stats.small_study import _enough

# Of (μ, τ², ln δ); δ up to 100 as in metafor.
_SELECTION_BOUNDS = ((-np.inf, np.inf), (0, np.inf), (-12, np.log(100)))


@dataclass(frozen=True, eq=False)
class TrimAndFillResult:
    """Trim and fill.

    Attributes
    ----------
    k0 : int
        Number of imputed effects.
    side : str
        ``left`` or ``right``: where effects seem to be missing.
    se_k0 : float
        Standard error of the number before rounding.
    filled_effect, filled_variance : numpy.ndarray, shape (k0,)
        The imputed effects.
    pooled : PooledResult
        Pooled with the imputed effects, which come last.
    estimator : str
    """

    k0: int
    side: str
    se_k0: float
    filled_effect: np.ndarray = field(repr=False)
    filled_variance: np.ndarray = field(repr=False)
    pooled: PooledResult
    estimator: str = "L0"


def trim_and_fill(
    effect, *, variance, estimator="L0", side=None, method="REML", interval="z", level=0.95
):
    """Trim and fill: impute the mirror images of effects that have no counterpart.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
    estimator : {"L0", "R0", "Q0"}
        Of the number of missing effects.
    side : {"left", "right"}, optional
        Where they are missing; by default right where the effect falls with √variance (the slope
        of a meta-regression), else left.
    method, interval, level
        As in `helpers.stats.pooling.pool`.

    Returns
    -------
    TrimAndFillResult

    References
    ----------
    Duval and Tweedie (2000), Journal of the American Statistical Association 95:89.
    """
    y, v = checked(effect, variance)
    k = len(y)
    _enough(k)
    if estimator not in ("L0", "R0", "Q0") or side not in (None, "left", "right"):
        raise ValueError(f"estimator {estimator!r} or side {side!r} is not known")
    if side is None:
        slope = 0.0
        if np.ptp(v) > 1e-12 * v.max():
            by_se = meta_regression(
                y, variance=v, moderators=pd.DataFrame({"x": np.sqrt(v)}), method=method
            )
            slope = by_se.coefficients["coef"].iloc[1]
        side = "right" if slope < 0 else "left"
    sign = -1 if side == "right" else 1
    order = np.argsort(sign * y, kind="stable")
    ys, vs = sign * y[order], v[order]
    k0 = 0
    for _ in range(100):
        center = pool(ys[: k - k0], variance=vs[: k - k0], method=method).estimate
        deviation = ys - center
        deviation[np.abs(deviation) <= 1e-15 * np.abs(ys).max()] = 0  # rounding is on no side
        rank = np.argsort(np.argsort(np.abs(deviation), kind="stable"), kind="stable") + 1
        number, se_k0 = _missing(np.sign(deviation) * rank, k, estimator)
        # Python rounds half to even, as R does.
        before, k0 = k0, min(max(0, round(number)), k - 1)
        if k0 == before:
            break
    else:
        raise RuntimeError("trim and fill does not settle on a number of missing effects")
    filled = sign * (2 * center - ys[k - k0 :])
    filled_v = vs[k - k0 :]
    result = pool(
        np.concatenate([y, filled]), variance=np.concatenate([v, filled_v]), method=method,
        interval=interval, level=level,
    )  # fmt: skip
    return TrimAndFillResult(k0, side, se_k0, filled, filled_v, result, estimator)


def _missing(signed_rank, k, estimator):
    """Estimated number of missing effects and its standard error; Duval and Tweedie (2000)."""
    if estimator == "R0":
        number = k - max((-signed_rank[signed_rank < 0]).max(initial=0), 0) - 1
        return number, float(np.sqrt(2 * max(0, number) + 2))
    s = signed_rank[signed_rank > 0].sum()
    if estimator == "L0":
        number = (4 * s - k * (k + 1)) / (2 * k - 1)
        factor = 4 / (2 * k - 1)
    else:
        number = k - 0.5 - np.sqrt(2 * k**2 - 4 * s + 0.25)
        factor = 2 / np.sqrt(max((k - 0.5) ** 2 - number * (2 * k - number - 1), 1e-300))
    s2 = k * (k + 1) * (2 * k + 1) + 10 * number**3 + 27 * number**2 + 17 * number
    s2 += -18 * k * number**2 - 18 * k * number + 6 * k**2 * number
    return float(number), float(factor * np.sqrt(s2 / 24)) if s2 >= 0 else np.nan


@dataclass(frozen=True, eq=False)
class SelectionResult:
    """Three-parameter selection model.

    Attributes
    ----------
    estimate, se, ci_low, ci_high, p_effect, tau2 : float
        Mean and between-study variance, by maximum likelihood, adjusted for the selection.
    delta : float
        Probability that a result with p above the step is published, relative to one below it.
    statistic, df, p : float
        Likelihood-ratio test of no selection (delta = 1), χ² with 1 degree of freedom.
    significant, k : int
        Number of results with p below the step, and of all.
    step, alternative, loglik
        The one-sided p at the step, the direction tested, the log-likelihood.
    warning : str
        Empty, or that delta lies at the end of what is looked for.
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_effect: float
    tau2: float
    delta: float
    statistic: float
    df: int
    p: float
    significant: int
    k: int
    step: float
    alternative: str
    loglik: float
    warning: str = ""


def selection_model(effect, *, variance, step=0.025, alternative="greater", level=0.95):
    """Three-parameter selection model: one step in the one-sided p-value.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
    step : float
        One-sided p where the probability of publication changes.
    alternative : {"greater", "less"}
        The direction in which results are published more readily.
    level : float

    Returns
    -------
    SelectionResult

    Raises
    ------
    ValueError
        Where all results lie on one side of the step, and where the likelihood has no maximum
        that is told apart from what is around it: nothing tells the selection then.

    Notes
    -----
    The likelihood of y_i is δ_i·φ((y_i - μ)/s_i)/(s_i·A_i) with s_i² = v_i + τ² and
    A_i = P(p < step) + δ·P(p > step).

    References
    ----------
    Vevea and Hedges (1995), Psychometrika 60:419; McShane, Böckenholt and Hansen (2016).
    """
    from scipy import optimize  # here, because its import takes long and only this model needs it

    y, v = checked(effect, variance)
    if not 0 < step < 1 or alternative not in ("greater", "less"):
        raise ValueError(f"step {step!r} or alternative {alternative!r} is not usable")
    _enough(len(y))
    sign = 1 if alternative == "greater" else -1
    # Standardised: starts and steps are of the order of one for data of any unit.
    unit = np.sqrt(np.median(v) + pool(y, variance=v, method="ML").tau2)
    y, v, k = sign * y / unit, v / unit**2, len(y)
    bar = normal_isf(step) * np.sqrt(v)
    above = y >= bar
    if above.all() or not above.any():
        raise ValueError(f"all {k} results lie on one side of the step p = {step}")

    def loss(theta):
        """Minus the log-likelihood at (μ, τ², ln δ), and its gradient."""
        mu, tau2, log_delta = theta
        s = np.sqrt(v + tau2)
        r, z = (y - mu) / s, (bar - mu) / s
        log_a = np.logaddexp(special.log_ndtr(-z), log_delta + special.log_ndtr(z))
        value = (-(r**2) / 2 - np.log(s) - np.log(2 * np.pi) / 2 - log_a).sum()
        h = np.expm1(log_delta) * np.exp(-(z**2) / 2 - log_a) / np.sqrt(2 * np.pi)  # dA/dz / A
        by_mu, by_tau2 = (r + h) / s, (r**2 - 1 + h * z) / (2 * s**2)
        by_delta = ~above - np.exp(log_delta + special.log_ndtr(z) - log_a)
        gradient = np.array([by_mu.sum(), by_tau2.sum(), by_delta.sum()])
        return -(value + log_delta * (~above).sum()), -gradient

    plain = pool(y, variance=v, method="ML")
    starts = [
        (plain.estimate, share * max(plain.tau2, 0.05 * v.mean()), np.log(delta))
        for share in (0.5, 1, 2)
        for delta in (0.2, 1, 5)
    ]
    fits = [
        optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=_SELECTION_BOUNDS)
        for start in starts
    ]
    best = min(fits, key=lambda fit: fit.fun if np.isfinite(fit.fun) else np.inf).x
    theta, variance_mu = _polish(loss, best)
    if abs(theta[0] - np.mean(y)) > 10 * (np.ptp(y) + np.sqrt(v.max())):
        variance_mu = np.nan  # the mean runs away along a ridge
    if not variance_mu > 0:
        raise ValueError(
            f"the likelihood of the selection model has no clear maximum for these {k} results"
        )
    loglik = -loss(theta)[0]
    statistic = max(0.0, 2 * (loglik + loss((plain.estimate, plain.tau2, 0.0))[0]))
    found = inference(sign * unit * theta[0], unit * np.sqrt(variance_mu), level=level) | {
        "tau2": unit**2 * theta[1], "delta": np.exp(theta[2]), "statistic": statistic,
        "p": chi2_sf(statistic, 1), "loglik": loglik - k * np.log(unit),
    }  # fmt: skip
    warning = ""
    if not _inside(theta, 1e-6)[2]:
        warning = f"delta lies at the end of what is looked for ({found['delta']:.3g})"
    return SelectionResult(
        **{name: float(value) for name, value in found.items()}, df=1,
        significant=int(above.sum()), k=k, step=step, alternative=alternative, warning=warning,
    )  # fmt: skip


def _inside(theta, margin=1e-9):
    """Which parameters of the selection model lie off their bounds."""
    low, high = np.array(_SELECTION_BOUNDS, dtype=float).T
    return (theta > low + margin) & (theta < high - margin)


def _polish(loss, theta):
    """Newton steps to the optimum, τ² and δ held where they are at a bound.

    Returns θ and the variance of μ, which is NaN where this is no maximum.
    """
    free = _inside(theta)
    curvature = None
    for _ in range(50):
        slope, curvature = loss(theta)[1][free], _curvature(loss, theta, free)
        if not np.isfinite(curvature).all() or np.linalg.matrix_rank(curvature) < free.sum():
            return theta, np.nan
        move = np.linalg.solve(curvature, slope)
        new = theta.copy()
        new[free] -= move
        if (_inside(new) != free).any() or np.abs(loss(new)[1][free] @ move) > np.abs(slope @ move):
            break
        theta = new
        if np.all(np.abs(move) < 1e-11):
            break
    curvature = _curvature(loss, theta, free)
    root = np.sqrt(np.abs(np.diag(curvature)))
    slope = np.abs(loss(theta)[1][free]) / root
    if np.linalg.eigvalsh(curvature / np.outer(root, root))[0] < 1e-8 or slope.max() > 1e-3:
        return theta, np.nan
    return theta, float(np.linalg.inv(curvature)[0, 0])


def _curvature(loss, theta, free):
    """Second derivatives of the loss in the free parameters, from differences of its slope."""
    by_tau2 = min(1e-5 * max(1, theta[1]), theta[1] / 2)  # never below 0
    steps = np.diag([1e-5, by_tau2, 1e-5])[free]
    rows = np.array([(loss(theta + h)[1] - loss(theta - h)[1])[free] for h in steps])
    rows /= 2 * steps.sum(1)[:, None]
    return (rows + rows.T) / 2


@dataclass(frozen=True)
class ExcessSignificance:
    """Test of excess significance.

    Attributes
    ----------
    k, observed : int
        Numbers of effects and of significant ones.
    expected : float
        Sum of the powers to see the pooled effect.
    statistic, df, p : float
        χ² with 1 degree of freedom (NaN for the exact test) and one-sided p of an excess.
    test, method : str
    """

    k: int
    observed: int
    expected: float
    statistic: float
    df: int
    p: float
    test: str
    method: str


def excess_significance(effect, *, variance, method="REML", alpha=0.05, test="chi2"):
    """Test whether there are more significant results than the pooled effect would give.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
    method : str
        Of τ²; true effects vary around the pooled one with that variance, ``EE`` has none.
    alpha : float
        Two-sided level of significance of the single results.
    test : {"chi2", "exact"}
        χ² of observed and expected number, or the Poisson-binomial distribution.

    Returns
    -------
    ExcessSignificance

    References
    ----------
    Ioannidis and Trikalinos (2007), Clinical Trials 4:245.
    """
    y, v = checked(effect, variance)
    k = len(y)
    if test not in ("chi2", "exact"):
        raise ValueError(f"test is chi2 or exact, not {test!r}")
    fit = pool(y, variance=v, method=method)
    bar, spread = normal_isf(alpha / 2) * np.sqrt(v), np.sqrt(v + (fit.tau2 if k > 1 else 0))
    above, below = ((sign * fit.estimate - bar) / spread for sign in (1, -1))
    chance = special.ndtr(above) + special.ndtr(below)
    observed, expected = int((np.abs(y) >= bar).sum()), float(chance.sum())
    statistic = np.nan
    if not 0 < expected < k:  # so sure of each result that nothing is left to chance
        p = 1.0 if observed <= expected else 0.0
    elif test == "chi2":
        z = (observed - expected) / np.sqrt(expected * (1 - expected / k))
        statistic, p = z**2, special.ndtr(-z)
    else:
        number = np.ones(1)
        for one in chance:
            number = np.convolve(number, [1 - one, one])
        p = min(1.0, number[observed:].sum())
    return ExcessSignificance(
        k=k, observed=observed, expected=expected, statistic=float(statistic), df=1, p=float(p),
        test=test, method=method,
    )  # fmt: skip
