"""Effects from what papers report instead of group data.

An effect with its interval, a t or F or p, medians of survival, a correlation. Each function
returns ``effect, variance, se, note``; a row that cannot be used holds NaN and the reason.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats.binary import noted
from helpers.stats.distributions import normal_isf, t_isf
from helpers.stats.effects import effect_sizes

# An estimate this far from the middle of its interval (in half widths) is more than rounding.
_OFF_MIDDLE = 0.2


def own_effects(table, *, ratio=False, level=0.95):
    """Effects as the sheet has them, with a variance, a standard error or an interval.

    Parameters
    ----------
    table : pandas.DataFrame
        ``effect`` and ``variance``, ``se``, or ``ci_low`` and ``ci_high``; of several the first
        that is given counts.
    ratio : bool
        ``effect, ci_low, ci_high`` are ratios (hazard ratios, odds ratios, ...), whose natural
        logarithm is the effect; ``variance`` and ``se`` are those of the logarithm in any case.
    level : float
        Of the interval.

    Returns
    -------
    pandas.DataFrame

    Notes
    -----
    se = (high - low) / (2 z), z = 1.96 for 95%. An interval around whose middle the estimate does
    not lie may be one of another scale: it is used and noted.

    References
    ----------
    Parmar MKB, Torri V, Stewart L (1998). Extracting summary statistics to perform meta-analyses
    of the published literature for survival endpoints. Stat Med 17:2815-2834.

    Examples
    --------
    >>> hr = pd.DataFrame({"effect": [0.69], "ci_low": [0.55], "ci_high": [0.86]})
    >>> own_effects(hr, ratio=True)[["effect", "se"]].round(4)
       effect     se
    0 -0.3711  0.114
    """
    effect, given, se, low, high = _columns(
        table, "effect", "variance", "se", "ci_low", "ci_high", needed=1
    )
    shown = np.array([effect, low, high])
    with np.errstate(divide="ignore", invalid="ignore"):
        if ratio:
            effect, low, high = np.log(shown)
        by_interval = ((high - low) / (2 * normal_isf((1 - level) / 2))) ** 2
        variance = np.where(np.isnan(given), np.where(np.isnan(se), by_interval, se**2), given)
        outside = (effect < low) | (effect > high)
        unlike = np.abs(given / se**2 - 1) > 0.1
        off = np.abs(effect - (low + high) / 2) > _OFF_MIDDLE * (high - low) / 2
    reasons = [
        (np.isnan(shown[0]), "the effect is missing"),
        ((shown <= 0).any(axis=0) & ratio, "a ratio or a bound of it is not above 0"),
        (
            np.isnan(variance),
            "neither a variance nor a standard error nor both ends of an interval",
        ),
        ((given <= 0) | (se <= 0), "the variance or the standard error is not above 0"),
        (low >= high, "the interval's ends are the wrong way round"),
        (outside, "the effect lies outside its interval"),
        (unlike, "the variance is not the square of the standard error"),
    ]
    return noted(
        table.index, effect, variance, reasons, [(off, "the effect is not the interval's middle")]
    )


def survival_ratios(table):
    """Log ratio of median survival times.

    Parameters
    ----------
    table : pandas.DataFrame
        ``median_treated, median_control``; the deaths seen as ``deaths_treated, deaths_control``,
        or, where these are missing, the animals as ``n_treated, n_control``.

    Returns
    -------
    pandas.DataFrame
        Above 0 where treated animals live longer.

    Notes
    -----
    ln(M1/M2) with the variance 1/d1 + 1/d2, that of exponential survival.

    References
    ----------
    Vesterinen HM et al. (2014). J Neurosci Methods 221:92-102; Simes RJ (1987). J Clin Epidemiol
    40:657.
    """
    m1, m2 = _columns(table, "median_treated", "median_control")
    d1, d2, n1, n2 = _columns(
        table, "deaths_treated", "deaths_control", "n_treated", "n_control", needed=0
    )
    counted = np.isnan(d1) | np.isnan(d2)
    d1, d2 = np.where(np.isnan(d1), n1, d1), np.where(np.isnan(d2), n2, d2)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect, variance = np.log(m1 / m2), 1 / d1 + 1 / d2
    reasons = [
        (np.isnan(m1 + m2), "a median is missing (not reached?)"),
        ((m1 <= 0) | (m2 <= 0), "a median is not above 0"),
        (~(d1 > 0) | ~(d2 > 0), "neither deaths nor animals are known"),
        ((d1 > n1) | (d2 > n2), "more deaths than animals"),
    ]
    return noted(
        table.index, effect, variance, reasons, [(counted, "animals in place of the deaths seen")]
    )


def correlations(table):
    """Fisher's z of correlations, atanh(r), with the variance 1/(n - 3).

    Parameters
    ----------
    table : pandas.DataFrame
        ``r`` and ``n``.

    Returns
    -------
    pandas.DataFrame

    References
    ----------
    Fisher RA (1921). On the "probable error" of a coefficient of correlation. Metron 1:3-32.
    """
    r, n = _columns(table, "r", "n")
    with np.errstate(divide="ignore", invalid="ignore"):
        effect, variance = np.arctanh(r), 1 / (n - 3)
    reasons = [
        (np.isnan(r + n), "r or n is missing"),
        (~(np.abs(r) < 1), "r is not between -1 and 1"),
        (n <= 3, "n is not above 3"),
    ]
    return noted(table.index, effect, variance, reasons)


def smd_from_tests(table, *, correction="exact", variance="metafor", average=None):
    """Hedges g of two independent groups from their t, their F(1, df) or a two-sided p.

    Parameters
    ----------
    table : pandas.DataFrame
        ``n_treated, n_control`` and ``t``, or ``f`` or ``p`` (two-sided, of a t test with equal
        variances) together with ``direction``: 1 where the treated mean is the higher one, -1
        where it is the lower one. Of several the first that is given counts.
    correction, variance, average
        As in `helpers.stats.effects.effect_sizes`.

    Returns
    -------
    pandas.DataFrame

    Notes
    -----
    d = t·√(1/n1 + 1/n2), t = direction·√F, or the quantile of t(n1 + n2 - 2) at p/2; then J.

    References
    ----------
    Cooper H, Hedges LV, Valentine JC (2019). The Handbook of Research Synthesis and Meta-Analysis,
    3rd ed., chapter 11.
    """
    n1, n2 = _columns(table, "n_treated", "n_control")
    t, f, p, side = _columns(table, "t", "f", "p", "direction", needed=0)
    df = n1 + n2 - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        by_f, by_p = side * np.sqrt(f), side * t_isf(p / 2, np.maximum(df, 1))
        statistic = np.where(np.isnan(t), np.where(np.isnan(f), by_p, by_f), t)
        d = statistic * np.sqrt(1 / n1 + 1 / n2)
    turned = np.isnan(t)
    by_p_alone = turned & np.isnan(f)
    reasons = [
        (np.isnan(t) & np.isnan(f) & np.isnan(p), "neither t nor F nor p is given"),
        (~(n1 >= 1) | ~(n2 >= 1) | ~(df >= 2), "the groups' sizes are missing or too small"),
        (turned & ~np.isin(side, (-1, 1)), "the direction is not 1 or -1"),
        (turned & (f < 0), "F is below 0"),
        (by_p_alone & ~((p > 0) & (p <= 1)), "p is not above 0 and at most 1"),
    ]
    ok = ~np.any([bad for bad, _ in reasons], axis=0)
    groups = pd.DataFrame(
        {
            "n_treated": n1, "mean_treated": d, "sd_treated": 1.0,
            "n_control": n2, "mean_control": 0.0, "sd_control": 1.0,
        },
        index=table.index,
    )  # fmt: skip
    found = pd.DataFrame(np.nan, index=table.index, columns=["effect", "variance"])
    if ok.any():
        options = {"correction": correction, "variance": variance, "average": average}
        found[ok] = effect_sizes(groups[ok], **options)[["effect", "variance"]]
    return noted(table.index, found["effect"].to_numpy(), found["variance"].to_numpy(), reasons)


def _columns(table, *names, needed=None):
    """Columns as floats; of those after the first `needed` a missing one is NaN throughout."""
    required = names if needed is None else names[:needed]
    missing = [name for name in required if name not in table]
    if missing:
        raise ValueError(f"column(s) missing: {', '.join(missing)}")
    empty = pd.Series(np.nan, index=table.index)
    return [table.get(name, empty).to_numpy(float, na_value=np.nan) for name in names]
