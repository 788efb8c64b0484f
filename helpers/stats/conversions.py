"""Means and SDs from what papers print instead: SEM, intervals, quartiles, ranges, medians.

References
----------
Wan X, Wang W, Liu J, Tong T (2014). Estimating the sample mean and standard deviation from the
sample size, median, range and/or interquartile range. BMC Med Res Methodol 14:135.
Luo D, Wan X, Liu J, Tong T (2018). Optimally estimating the sample mean from the sample size,
median, mid-range, and/or mid-quartile range. Stat Methods Med Res 27:1785-1805.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats.distributions import normal_isf, t_isf


def sd_of_change(sd_baseline, sd_follow_up, *, r):
    """SD of the change from baseline, √(s1² + s2² - 2 r s1 s2).

    `r` is the correlation of the same animals' values; the Cochrane Handbook 6.4, section 6.5.2.8.
    """
    if not np.all(np.abs(r) <= 1):
        raise ValueError(f"a correlation lies between -1 and 1, not at {r}")
    spread = sd_baseline**2 + sd_follow_up**2 - 2 * r * sd_baseline * sd_follow_up
    return np.sqrt(np.maximum(spread, 0))  # rounding may leave -1e-17 where r is 1


def sd_from_sem(sem, *, n):
    """SD = SEM √n."""
    return sem * np.sqrt(n)


LEVEL = 0.95  # of the intervals that papers print


def sd_from_ci(width, *, n, level=LEVEL):
    """SD from the whole width of a mean's t interval: √n width / (2 t(n - 1))."""
    return np.sqrt(n) * width / (2 * t_isf((1 - level) / 2, n - 1))


def sd_from_iqr(width, *, n=None):
    """SD from the distance of the quartiles.

    With `n` by Wan (2014), width / (2 Φ⁻¹((0.75 n - 0.125) / (n + 0.25))); without it width / 1.35
    as of a large normal sample, about 20% low at n = 6.
    """
    if n is None:
        return width / 1.35
    return width / (2 * -normal_isf((0.75 * n - 0.125) / (n + 0.25)))


def sd_from_range(width, *, n):
    """SD from maximum minus minimum by Wan (2014): width / (2 Φ⁻¹((n - 0.375) / (n + 0.25)))."""
    return width / (2 * -normal_isf((n - 0.375) / (n + 0.25)))


def mean_from_quartiles(median, *, low, high, n):
    """Mean by Luo (2018): w (q1 + q3)/2 + (1 - w) median, w = 0.7 + 0.39/n."""
    w = 0.7 + 0.39 / n
    return w * (low + high) / 2 + (1 - w) * median


def mean_from_range(median, *, low, high, n):
    """Mean by Luo (2018): w (min + max)/2 + (1 - w) median, w = 4 / (4 + n^0.75)."""
    w = 4 / (4 + n**0.75)
    return w * (low + high) / 2 + (1 - w) * median


def combined(n, mean, sd):
    """Several groups of animals as one.

    Parameters
    ----------
    n, mean, sd : array_like, shape (groups,)

    Returns
    -------
    tuple of float
        n, mean and SD of all animals together: N = Σn, M = Σnm/N and
        SD = √((Σ(n-1)sd² + Σn(m-M)²)/(N-1)).

    References
    ----------
    Cochrane Handbook 6.4, section 6.5.2.10, there for two groups.
    """
    n, mean, sd = (np.asarray(each, float) for each in (n, mean, sd))
    total = n.sum()
    middle = (n * mean).sum() / total
    squares = ((n - 1) * sd**2).sum() + (n * (mean - middle) ** 2).sum()
    return total, middle, np.sqrt(squares / (total - 1))


def mean_and_sd(table):
    """Mean and SD of groups of animals from whatever is given of each.

    Parameters
    ----------
    table : pandas.DataFrame
        ``mean`` (or median), ``error`` (one number), ``low, high`` (its two ends), ``n``,
        ``error_type`` (SD, SEM, CI, IQR, RANGE) and ``median`` (bool); NaN where there is none. One
        number is half the width of a CI, and the whole width of an IQR or a range.

    Returns
    -------
    pandas.DataFrame
        ``mean, sd, mean_by, sd_by``: the numbers, and how each was found; empty where it stands as
        it was.
    """
    kind, n, low, high = (table[name] for name in ("error_type", "n", "low", "high"))
    ends = table["error"].isna() & low.notna() & high.notna()
    width = (table["error"] * np.where(kind.isin(["IQR", "RANGE"]), 1, 2)).mask(ends, high - low)
    by_n = (kind == "IQR") & n.notna()
    ways = (
        ((kind == "SD") & ends, "half the distance of the ends", width / 2),
        (kind == "SEM", "SEM times the root of n", sd_from_sem(width / 2, n=n)),
        (kind == "CI", f"from the {100 * LEVEL:g}% CI by t", sd_from_ci(width, n=n)),
        (by_n, "from the quartiles by Wan 2014 with n", sd_from_iqr(width, n=n)),
        ((kind == "IQR") & ~by_n, "IQR/1.35, low in small groups", sd_from_iqr(width)),
        (kind == "RANGE", "from the range by Wan 2014 with n", sd_from_range(width, n=n)),
    )
    found = pd.DataFrame({"mean": table["mean"], "sd": width / 2, "mean_by": "", "sd_by": ""})
    for rows, words, values in ways:
        found.loc[rows & width.notna(), "sd"] = values
        found.loc[rows & width.notna(), "sd_by"] = words
    ways = (
        (kind == "IQR", "from median and quartiles by Luo 2018 with n", mean_from_quartiles),
        (kind == "RANGE", "from median and range by Luo 2018 with n", mean_from_range),
    )
    found.loc[table["median"], "mean_by"] = "the median, for lack of its quartiles"
    for rows, words, function in ways:
        rows = rows & table["median"] & ends
        found.loc[rows, "mean"] = function(table["mean"], low=low, high=high, n=n)
        found.loc[rows, "mean_by"] = words
    return found
