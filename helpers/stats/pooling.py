"""Pooled effects under the random-effects and the common-effect model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.stats import heterogeneity
from helpers.stats.distributions import chi2_isf, chi2_sf, t_isf, t_sf
from helpers.stats.heterogeneity import METHODS, tau2

INTERVALS = ("z", "hksj", "hksj_truncated")
PREDICTIONS = ("riley", "z", "hk")
POOLED_FIELDS = (
    "estimate", "se", "ci_low", "ci_high", "p_effect", "tau2", "i2", "h2", "q",
    "p_heterogeneity", "pi_low", "pi_high",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class PooledResult:
    """A pooled effect with its interval, heterogeneity and prediction interval.

    Attributes
    ----------
    k : int
        Number of effects.
    estimate, se, ci_low, ci_high, p_effect : float
        Pooled effect, standard error, confidence interval and two-sided p against 0.
    tau2, i2, h2 : float
        Between-study variance (squared unit of the effect), I² in percent, H².
    q, p_heterogeneity : float
        Cochran's Q with fixed weights and its p, χ² with k - 1 degrees of freedom.
    pi_low, pi_high : float
        Prediction interval for the true effect of a new experiment; NaN where there is none.
    weights : numpy.ndarray, shape (k,)
        Share of each effect in the pooled one; they add up to 1.
    method, interval, prediction : str
    level : float
        What was asked for.
    effect, variance : numpy.ndarray, shape (k,)
        The pooled data.
    """

    k: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_effect: float
    tau2: float
    i2: float
    h2: float
    q: float
    p_heterogeneity: float
    pi_low: float
    pi_high: float
    weights: np.ndarray = field(repr=False)
    method: str = "REML"
    interval: str = "z"
    prediction: str = "riley"
    level: float = 0.95
    effect: np.ndarray = field(default=None, repr=False)
    variance: np.ndarray = field(default=None, repr=False)

    @property
    def pooled(self):
        """Whether there was more than one effect to pool."""
        return self.k > 1

    def heterogeneity_interval(self, level=None):
        """Q-profile bounds of τ², I² (percent) and H².

        Returns
        -------
        dict
            ``{"tau2": (low, high), "i2": (low, high), "h2": (low, high)}``. Both bounds are 0
            (and 1 for H²) where even the upper one lies below 0: the interval is then null.
            A REML estimate may lie outside the interval.

        References
        ----------
        Viechtbauer W (2007). Confidence intervals for the amount of heterogeneity in
        meta-analysis. Stat Med 26:37-52.
        """
        if self.k < 2:
            return {name: (np.nan, np.nan) for name in ("tau2", "i2", "h2")}
        tail = (1 - (self.level if level is None else level)) / 2
        quantiles = chi2_isf([tail, 1 - tail], self.k - 1)
        design = np.ones((self.k, 1))
        tau2 = heterogeneity.profile(self.effect, self.variance, design, quantiles)
        s2 = heterogeneity.typical_variance(self.variance, design)
        i2, h2 = 100 * tau2 / (tau2 + s2), 1 + tau2 / s2
        return {name: tuple(b.tolist()) for name, b in (("tau2", tau2), ("i2", i2), ("h2", h2))}


def refuse_unknown(*, level=0.95, **options):
    """Refuse a method, interval or prediction that is not known, and an impossible level."""
    known = {"method": METHODS, "interval": INTERVALS, "prediction": PREDICTIONS}
    for name, value in options.items():
        if value not in known[name]:
            raise ValueError(f"{name} is one of {', '.join(known[name])}, not {value!r}")
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1, not at {level!r}")


def checked(effect, variance):
    """Effects and variances as float arrays of shape (k,).

    Raises
    ------
    ValueError
        Unequal lengths, nothing to pool, values that are not finite, variances not above 0.
    """
    effect, variance = np.asarray(effect, dtype=float), np.asarray(variance, dtype=float)
    if effect.ndim != 1 or effect.shape != variance.shape:
        raise ValueError(
            f"effect and variance are one-dimensional and of equal length, "
            f"not {effect.shape} and {variance.shape}"
        )
    if not len(effect):
        raise ValueError("there is no effect to pool")
    for name, bad in (
        ("effect is not finite", ~np.isfinite(effect)),
        ("variance is not finite and above 0", ~(np.isfinite(variance) & (variance > 0))),
    ):
        if bad.any():
            raise ValueError(
                f"{name} at position(s) {', '.join(map(str, np.flatnonzero(bad)[:10]))}"
            )
    return effect, variance


def numbers(k, **columns):
    """Float arrays of k finite values each, a name for each of the `columns`."""
    arrays = [np.asarray(values, dtype=float) for values in columns.values()]
    for name, values in zip(columns, arrays, strict=True):
        if values.shape != (k,) or not np.isfinite(values).all():
            raise ValueError(f"{name} needs a number for each of the {k} effects")
    return arrays


def critical(level, df=np.inf):
    """Two-sided critical value of t with `df` degrees of freedom, of z where they are infinite."""
    return t_isf((1 - level) / 2, df)


def two_sided_p(statistic, df=np.inf):
    """Two-sided p of a z or t statistic."""
    return 2 * t_sf(np.abs(statistic), df)


def inference(estimate, se, *, level, df=np.inf):
    """Interval and two-sided p against 0 by t with `df` degrees of freedom, by z where infinite.

    Returns
    -------
    dict
        ``estimate, se, ci_low, ci_high, p_effect``; p is NaN where the standard error is 0, which
        is a want of spread and no certainty.
    """
    half = critical(level, df) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(np.equal(se, 0), np.nan, two_sided_p(np.divide(estimate, se), df))
    return {
        "estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half,
        "p_effect": p,
    }  # fmt: skip


def pool(effect, *, variance, method="REML", interval="z", prediction="riley", level=0.95):
    """Pool effects of independent experiments.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Effects and their sampling variances (not standard errors).
    method : {"REML", "ML", "DL", "PM", "SJ", "HE", "EB", "EE"}
        Estimator of τ²; ``EE`` is the common-effect model with τ² = 0.
    interval : {"z", "hksj", "hksj_truncated"}
        Normal; Hartung-Knapp-Sidik-Jonkman, t with k - 1 df, its variance factor as it comes; the
        same with the factor at least 1.
    prediction : {"riley", "z", "hk"}
        t(k - 2) with the plain standard error; z with the plain one; t(k - 1) with the
        Hartung-Knapp one. None below k = 3, nor under the common-effect model.
    level : float
        Coverage of all intervals.

    Returns
    -------
    PooledResult
        With k = 1 the effect itself and its z interval; what needs two effects is NaN.

    Raises
    ------
    ValueError
        Unknown option, unequal lengths, values that are not finite, variances not above 0.

    Notes
    -----
    Weights are 1 / (v + τ²). I² = 100 τ² / (τ² + s²) and H² = 1 + τ² / s² with the typical
    sampling variance s² = (k - 1) Σw / ((Σw)² - Σw²), w = 1 / v; under the common-effect model
    I² = 100 max(0, (Q - df) / Q) and H² = Q / df.

    References
    ----------
    Higgins JPT, Thompson SG (2002). Quantifying heterogeneity. Stat Med 21:1539-1558.
    IntHout J, Ioannidis JPA, Borm GF (2014). The Hartung-Knapp-Sidik-Jonkman method. BMC Med Res
    Methodol 14:25.
    Riley RD, Higgins JPT, Deeks JJ (2011). Interpretation of random effects meta-analyses. BMJ
    342:d549.

    Examples
    --------
    >>> result = pool([0.1, 0.3, 0.35, 0.65], variance=[0.03, 0.03, 0.05, 0.01])
    >>> round(result.estimate, 3), round(result.tau2, 3)
    (0.378, 0.044)
    """
    options = {"method": method, "interval": interval, "prediction": prediction, "level": level}
    refuse_unknown(**options)
    y, v = checked(effect, variance)
    k, df = len(y), len(y) - 1
    if k == 1:
        fields = dict.fromkeys(POOLED_FIELDS, np.nan) | inference(y[0], np.sqrt(v[0]), level=level)
        weights = np.ones(1)
    else:
        design = np.ones((k, 1))
        between = tau2(y, variances=v, method=method)
        w = 1 / (v + between)
        away, middle = heterogeneity.centred(y, v)
        shift, weights = np.sum(w * away) / np.sum(w), w / np.sum(w)
        fields = pooled_values(
            middle + shift, plain_se=1 / np.sqrt(np.sum(w)), k=k, tau2=between,
            mean_square=np.sum(w * (away - shift) ** 2) / df,
            q=heterogeneity.q_statistic(y, v, design),
            s2=heterogeneity.typical_variance(v, design), **options,
        )  # fmt: skip
    fields = {name: float(value) for name, value in fields.items()}
    return PooledResult(k=k, **fields, weights=weights, effect=y, variance=v, **options)


def probability_below(result, value=0.0):
    """Probability that the true effect of a new experiment lies below a value.

    Parameters
    ----------
    result : PooledResult
        Or any result that tells the degrees of freedom of its interval as `prediction_df`.
    value : float

    Returns
    -------
    float
        NaN where the result has no prediction interval.

    Notes
    -----
    P(T < (value - estimate) / s), with the scale s and the distribution T of the prediction
    interval that was asked for: t(k - 2) with s² = se² + τ² and the plain se (``riley``), the
    normal one with the same s (``z``), t(k - 1) with the Hartung-Knapp se (``hk``).

    References
    ----------
    Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). A re-evaluation of random-effects
    meta-analysis. J R Stat Soc A 172:137-159.
    """
    mean, scale, df = prediction_distribution(result)
    if np.isnan(scale):
        return np.nan
    with np.errstate(divide="ignore", invalid="ignore"):  # an interval without width: 0 or 1
        distance = np.divide(mean - value, scale)
    return 0.5 if np.isnan(distance) else float(t_sf(distance, df))


def prediction_distribution(result):
    """Distribution of the true effect of a new experiment: mean + scale·T, T of t with df.

    Parameters
    ----------
    result
        As in `probability_below`.

    Returns
    -------
    mean, scale, df : float
        The scale is NaN where the result has no prediction interval.
    """
    df = getattr(result, "prediction_df", None)
    if df is None:
        df = {"riley": result.k - 2, "z": np.inf, "hk": result.k - 1}[result.prediction]
    half = (result.pi_high - result.pi_low) / 2
    return result.estimate, np.nan if np.isnan(half) else half / critical(result.level, df), df


def pooled_values(
    estimate, *, plain_se, k, tau2, mean_square, q, s2, method, interval, prediction, level
):
    """What follows from the sums over two or more effects, elementwise for many sets of effects.

    Parameters
    ----------
    estimate, plain_se, tau2 : float or numpy.ndarray
        Pooled effect, its standard error by the weights 1 / (v + τ²), and τ².
    k : int or numpy.ndarray
        Number of effects.
    mean_square : float or numpy.ndarray
        Weighted mean square of the effects around the pooled one, df = k - 1: the variance factor
        of Hartung and Knapp.
    q, s2 : float or numpy.ndarray
        Q with fixed weights and the typical sampling variance.
    method, interval, prediction, level
        As in `pool`.

    Returns
    -------
    dict
        The `POOLED_FIELDS`.
    """
    knapp = plain_se * np.sqrt(mean_square)
    se = {"z": plain_se, "hksj": knapp, "hksj_truncated": np.maximum(knapp, plain_se)}[interval]
    found = inference(estimate, se, level=level, df=np.inf if interval == "z" else k - 1)
    i2, h2 = heterogeneity.i2_h2(tau2, s2=s2, q=q, df=k - 1, method=method)
    wide, df = {"riley": (plain_se, k - 2), "z": (plain_se, np.inf), "hk": (knapp, k - 1)}[
        prediction
    ]
    spread = critical(level, df) * np.hypot(wide, np.sqrt(tau2))
    spread = np.where((k > 2) & (method != "EE"), spread, np.nan)
    return found | {
        "tau2": tau2, "i2": i2, "h2": h2, "q": q, "p_heterogeneity": chi2_sf(q, k - 1),
        "pi_low": estimate - spread, "pi_high": estimate + spread,
    }  # fmt: skip
