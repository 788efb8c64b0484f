"""Animals that a new experiment needs: power, and assurance over what its true effect may be."""

from __future__ import annotations

import numpy as np
from scipy import special

from helpers.stats.distributions import t_isf, t_sf

ALPHA = 0.05  # of the two-sided test that the experiment ends with
TARGET = 0.8  # power and assurance that are planned for
FEWEST, MOST = 2, 1_000  # animals a group that are looked at
# Gauss-Legendre nodes v on (0, 1); of the probability u = v²(3 - 2v), whose slope vanishes at both
# ends, where quantiles have infinite slopes. 32 of them leave errors of 1e-6.
_V, _WEIGHT = (np.polynomial.legendre.leggauss(32) + np.array([[1.0], [0.0]])) / 2
_U, _SHARE = _V**2 * (3 - 2 * _V), 6 * _V * (1 - _V) * _WEIGHT


def assurance(n, *, mean, scale=0.0, df=np.inf, alpha=ALPHA):
    r"""Expected power of a two-sample t-test over the prediction distribution of the true effect.

    Parameters
    ----------
    n : array_like of int
        Animals in each of two groups of one size, at least 2.
    mean, scale, df : float
        The true effect, a difference in SDs, is `mean` + `scale`·T with T of Student's t with `df`
        degrees of freedom; a `scale` of 0 gives the power at `mean`.
    alpha : float
        Level of the two-sided test.

    Returns
    -------
    numpy.ndarray
        With the shape of `n`: the probability of p < `alpha` **on the side of** `mean`. A
        significant effect on the other side is no success, so that this cannot exceed
        `assurance_limit`.

    Notes
    -----
    With λ = √(n/2), c the critical value of t(2n - 2), s² ~ χ²(2n - 2)/(2n - 2) of the pooled
    variance and w ~ χ²(df)/df of the prediction distribution, success is
    E Φ((mean·λ - c·s) / √(1 + scale²·λ²/w)), an integral over s and w. With `scale` 0 it is the
    upper tail of the noncentral t with noncentrality mean·λ, as R's ``power.t.test`` has it.

    References
    ----------
    O'Hagan A, Stevens JW, Campbell MJ (2005). Assurance in clinical trial design. Pharm Stat
    4:187-201.

    Examples
    --------
    >>> assurance([17], mean=1.0).round(4)
    array([0.807])
    """
    n = np.asarray(n, dtype=float)[..., None]
    if not (n >= FEWEST).all():
        raise ValueError(f"a t-test needs at least {FEWEST} animals a group")
    half = np.sqrt(n / 2)
    s, share_s = _chi(2 * n - 2)
    w, share_w = _chi(np.asarray(df, dtype=float))
    reach = np.abs(mean) * half - t_isf(alpha / 2, 2 * n - 2) * s
    success = special.ndtr(reach[..., None] / np.hypot(1, scale * half / w)[..., None, :])
    return np.einsum("...sw,s,w->...", success, share_s, share_w)


def _chi(df):
    """Values of √(χ²(df)/df) along a last axis, and their weights in a mean over them."""
    if np.isinf(df).all():
        return np.ones(1), np.ones(1)
    return np.sqrt(special.chdtri(df, 1 - _U) / df), _SHARE


def assurance_limit(*, mean, scale, df):
    """What assurance nears with ever more animals: P(the true effect is on the side of `mean`)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.divide(np.abs(mean), scale)
    return 0.5 if np.isnan(distance) else float(1 - t_sf(distance, df))


def animals(*, mean, scale=0.0, df=np.inf, target=TARGET, alpha=ALPHA):
    """Fewest animals a group whose assurance, or power with a `scale` of 0, reaches a target.

    Parameters
    ----------
    mean, scale, df, alpha
        As in `assurance`.
    target : float

    Returns
    -------
    int or None
        None where `MOST` animals a group do not reach it.
    """
    low, high = FEWEST, MOST
    enough = {"mean": mean, "scale": scale, "df": df, "alpha": alpha}
    if mean == 0 or assurance(high, **enough) < target:
        return None
    while low < high:  # assurance grows with n
        middle = (low + high) // 2
        if assurance(middle, **enough) >= target:
            high = middle
        else:
            low = middle + 1
    return low
