"""Between-study variance for any design: estimators, I², H² and Q-profile bounds.

Everything here works on batches: effects and variances of shape (..., k) share one design
matrix of shape (k, p), and no loop runs over the batch.
"""

from __future__ import annotations

from functools import partial

import numpy as np

# Newton's method converges quadratically here: a last step of this share of τ² leaves an error of
# its square. metafor's default (an absolute 1e-5) is too loose for small variances.
_TOLERANCE = 1e-8
_MAX_STEPS = 200
# Share of the typical sampling variance below which no second maximum is looked for.
# A second maximum beside one that is not at 0 was only ever seen where the largest sampling variance
# is more than 24 times the smallest.
_TWO_MAXIMA = 20
_NEGLIGIBLE = 0.01
# A difference of this share of the effects themselves is rounding (0.1 + 0.2 less 0.3), no spread.
_ROUNDING = 4 * np.finfo(float).eps
# Where one weight is this many times another, sums of weights lose the smaller one's digits.
_UNEVEN = 1e4
# Elements of a batch worked on at once: keeps the working set within a core's cache and the
# memory of a million fits bounded.
_CHUNK = 65_536


def estimate(effects, variances, design, method="REML"):
    """Between-study variance of each set of effects.

    Parameters
    ----------
    effects, variances : numpy.ndarray, shape (..., k)
        Effects and their sampling variances; an infinite variance leaves an effect out.
    design : numpy.ndarray, shape (k, p)
        Design matrix, intercept included.
    method : {"REML", "ML", "DL", "PM", "SJ", "HE", "EB", "EE"}
        Estimator; EB equals PM; EE (equal effects) is 0.

    Returns
    -------
    numpy.ndarray, shape (...)
        τ², never negative; 0 where there are no degrees of freedom.

    References
    ----------
    Viechtbauer W (2005). Bias and efficiency of meta-analytic variance estimators in the
    random-effects model. J Educ Behav Stat 30:261-293.
    """
    if method not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}, not {method!r}")
    effects, variances = np.broadcast_arrays(effects, variances)
    shape, k = effects.shape[:-1], effects.shape[-1]
    y, v = effects.reshape(-1, k), variances.reshape(-1, k)
    out = np.zeros(len(y))
    if method != "EE":
        rows = max(1, _CHUNK // k)
        for start in range(0, len(y), rows):
            part = slice(start, start + rows)
            out[part] = _estimate(y[part], v[part], _Design(design), method)
    return out.reshape(shape)


def tau2(effects, *, variances, method="REML"):
    """Between-study variance of one or many sets of effects.

    Parameters
    ----------
    effects, variances : array_like, shape (..., k)
        Effects and sampling variances, broadcast against each other; an infinite variance leaves
        an effect out of its set.
    method : {"REML", "ML", "DL", "PM", "SJ", "HE", "EB", "EE"}
        Estimator.

    Returns
    -------
    float or numpy.ndarray, shape (...)
        τ², never negative.

    References
    ----------
    Viechtbauer W (2005). Bias and efficiency of meta-analytic variance estimators in the
    random-effects model. J Educ Behav Stat 30:261-293.
    """
    effects, variances = np.asarray(effects, dtype=float), np.asarray(variances, dtype=float)
    if np.isnan(effects).any() or np.isnan(variances).any() or (variances <= 0).any():
        raise ValueError("effects are numbers and variances are above 0")
    design = np.ones((effects.shape[-1] if effects.ndim else 1, 1))
    found = estimate(np.atleast_1d(effects), variances, design, method)
    return float(found) if found.ndim == 0 else found


def centred(effects, variances):
    """Effects less the most precise one of their set: what is computed from them keeps its digits.

    Parameters
    ----------
    effects, variances : numpy.ndarray, shape (..., k)
        An infinite variance leaves an effect out.

    Returns
    -------
    away, middle : numpy.ndarray, shapes (..., k) and (...)
        `away` is exactly 0 where effects differ by rounding only, and where one is left out.
    """
    effects, variances = np.broadcast_arrays(effects, variances)
    first = np.argmin(variances, axis=-1)[..., None]
    middle = np.take_along_axis(effects, first, axis=-1)
    away = effects - middle
    # What differs from the middle by rounding only is of its size, so that this bound will do.
    away[(np.abs(away) <= _ROUNDING * np.abs(middle)) | np.isinf(variances)] = 0.0
    return away, middle[..., 0]


def others(weights):
    """Sum of the other weights of the set for each weight, to the last digit, shape (..., k)."""
    top = np.argmax(weights, axis=-1)[..., None]
    rest = weights.copy()
    np.put_along_axis(rest, top, 0.0, axis=-1)
    rest = rest.sum(-1, keepdims=True)
    out = rest + np.take_along_axis(weights, top, axis=-1) - weights
    np.put_along_axis(out, top, rest, axis=-1)
    return out


def typical_variance(variances, design):
    """Typical sampling variance s² = (k - p) / tr(P) of Higgins and Thompson (2002).

    `variances` of shape (..., k); an infinite one leaves an effect out.
    """
    design, shape = _Design(design), np.shape(variances)
    v = np.reshape(variances, (-1, shape[-1]))
    m = design.moments(1 / v, np.zeros(v.shape))
    with np.errstate(divide="ignore", invalid="ignore"):  # none where no df is left
        return ((np.isfinite(v).sum(1) - design.p) / m.tr_p).reshape(shape[:-1])


def i2_h2(tau2, *, s2, q, df, method):
    """I² in percent and H²: from τ² and the typical variance, for a common effect from Q."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "EE":
            return 100 * np.maximum(0, 1 - df / np.asarray(q, dtype=float)), q / df
        return 100 * tau2 / (tau2 + s2), 1 + tau2 / s2


def q_statistic(effects, variances, design, tau2=0.0):
    """Generalised Q, the weighted residual sum of squares at a given τ²; never negative."""
    y = centred(effects, variances)[0]
    return float(_Design(design).moments(1 / (variances + tau2)[None], y[None]).ypy[0])


def profile(effects, variances, design, quantiles):
    """Values of τ² at which the generalised Q equals each of `quantiles`; 0 where Q(0) is below."""
    design = _Design(design)
    n = len(quantiles)
    y, v = np.tile(centred(effects, variances)[0], (n, 1)), np.tile(variances, (n, 1))
    return _solve_q(y, v, design, np.asarray(quantiles, dtype=float))


def fit(effects, variances, design, tau2):
    """Weighted least squares at given τ²: coefficients (..., p), covariance (..., p, p)."""
    effects, variances = np.broadcast_arrays(effects, variances)
    w = 1 / (variances + np.asarray(tau2)[..., None])
    basis, triangle = np.linalg.qr(design)
    if _uneven(w).any():  # by orthogonal steps, the heaviest rows first: slower, loses no digits
        order = np.argsort(-w, axis=-1)
        root = np.sqrt(np.take_along_axis(w, order, axis=-1))
        q, r = np.linalg.qr(root[..., None] * basis[order])
        y = root * np.take_along_axis(effects, order, axis=-1)
        back = np.linalg.inv(r @ triangle)
        return (back @ (q.mT @ y[..., None]))[..., 0], back @ back.mT
    back = np.linalg.inv(triangle)
    inverse = np.linalg.inv(np.einsum("...k,kp,kq->...pq", w, basis, basis))
    inverse = back @ inverse @ back.T
    return np.einsum("...pq,kq,...k->...p", inverse, design, w * effects), inverse


class _Moments:
    """Traces and quadratic forms of P = W - WX(X'WX)⁻¹X'W for one batch."""

    __slots__ = ("tr_p", "tr_pp", "tr_w", "tr_ww", "ypppy", "yppy", "ypy")


class _Design:
    """A design matrix with what does not change between iterations."""

    def __init__(self, matrix):
        self.x = np.ascontiguousarray(matrix, dtype=float)
        self.p = self.x.shape[1]
        if self.p > 1:
            # The same space on an orthonormal basis: a year as moderator costs no digits.
            self.x = np.linalg.qr(self.x)[0]
        self.outer = (self.x[:, :, None] * self.x[:, None, :]).reshape(len(self.x), -1)
        self.is_intercept = self.p == 1 and bool((self.x == 1).all())

    def cross(self, w):
        return (w @ self.outer).reshape(len(w), self.p, self.p)

    def moments(self, w, y):
        return self._intercept(w, y) if self.is_intercept else self._general(w, y)

    def _intercept(self, w, y):
        m = _Moments()
        w2 = w * w
        sum1, sum2 = w.sum(1), w2.sum(1)
        sum3 = np.vecdot(w2, w)
        r = y - (np.vecdot(w, y) / sum1)[:, None]
        u = w * r  # u = Py
        m.tr_w, m.tr_ww = sum1, sum2
        m.tr_p = sum1 - sum2 / sum1
        m.tr_pp = sum2 - 2 * sum3 / sum1 + (sum2 / sum1) ** 2
        lost = m.tr_p < sum1 / _UNEVEN
        if lost.any():  # one weight outweighs all others: the same from positive terms only
            own = w[lost] * others(w[lost]) / sum1[lost, None]  # diagonal of P
            pairs = np.vecdot(w2[lost], others(w2[lost])) / sum1[lost] ** 2
            m.tr_p[lost], m.tr_pp[lost] = own.sum(1), np.vecdot(own, own) + pairs
        m.ypy = np.vecdot(u, r)
        m.yppy = np.vecdot(u, u)
        m.ypppy = np.vecdot(w * u, u) - np.vecdot(w, u) ** 2 / sum1
        return m

    def _general(self, w, y):
        m = _Moments()
        w2 = w * w
        inverse = np.linalg.inv(self.cross(w))
        half = inverse @ self.cross(w2)
        beta = np.einsum("bpq,bq->bp", inverse, (w * y) @ self.x)
        r = y - beta @ self.x.T
        u = w * r
        m.tr_w, m.tr_ww = w.sum(1), w2.sum(1)
        m.tr_p = m.tr_w - np.einsum("bpp->b", half)
        m.tr_pp = (
            m.tr_ww
            - 2 * np.einsum("bpq,bqp->b", inverse, self.cross(w2 * w))
            + np.einsum("bpq,bqp->b", half, half)
        )
        m.ypy = np.vecdot(u, r)
        for row in np.flatnonzero(_uneven(w)):
            u[row], m.ypy[row], m.tr_p[row], m.tr_pp[row] = self._complement(w[row], y[row])
        wu = w * u
        xwu = wu @ self.x
        m.yppy = np.vecdot(u, u)
        m.ypppy = np.vecdot(wu, u) - np.einsum("bp,bpq,bq->b", xwu, inverse, xwu)
        return m

    def _complement(self, w, y):
        """Py, y'Py, tr P and tr PP of one set from P = W½NN'W½, N orthonormal to W½X."""
        order = np.argsort(-w)  # the heaviest first: then each row keeps its own digits
        root = np.sqrt(w[order])[:, None]
        null = root * np.linalg.qr(root * self.x[order], mode="complete")[0][:, self.p :]
        z, square, u = null.T @ y[order], null.T @ null, np.empty_like(y)
        u[order] = null @ z
        return u, z @ z, np.trace(square), (square**2).sum()


def _uneven(w):
    """Sets whose weights are so uneven that sums of them lose digits."""
    return w.max(-1) > _UNEVEN * np.where(w > 0, w, np.inf).min(-1)


def _estimate(y, v, design, method):
    """τ² of one chunk, y and v of shape (b, k)."""
    used = np.isfinite(v)
    df = used.sum(1) - design.p
    enough = df > 0
    out = np.zeros(len(y))
    if enough.any():
        y, v, df = centred(y, v)[0][enough], v[enough], df[enough]
        out[enough] = _ESTIMATORS[method](y, v, design, df)
    return out


def _dersimonian_laird(y, v, design, df):
    """Moment estimator from Q with fixed weights; DerSimonian and Laird (1986)."""
    m = design.moments(1 / v, y)
    return np.maximum(0, (m.ypy - df) / m.tr_p)


def _hedges(y, v, design, df):
    """Moment estimator from ordinary least squares; Hedges and Olkin (1985)."""
    ones = np.isfinite(v).astype(float)
    m = design.moments(ones, y)
    inverse = np.linalg.inv(design.cross(ones))
    finite = np.where(ones > 0, v, 0.0)
    trace = finite.sum(1) - np.einsum("bpq,bqp->b", inverse, design.cross(finite))
    return np.maximum(0, (m.ypy - trace) / df)


def _sidik_jonkman(y, v, design, df):
    """Two-step estimator that starts from the variance of the effects; Sidik and Jonkman (2005)."""
    ones = np.isfinite(v).astype(float)
    count = ones.sum(1)
    mean = (y * ones).sum(1) / count
    crude = (((y - mean[:, None]) ** 2) * ones).sum(1) / count
    crude_or_one = np.where(crude > 0, crude, 1.0)
    residual = design.moments(1 / (v + crude_or_one[:, None]), y).ypy
    return np.where(crude > 0, crude_or_one * residual / df, 0.0)


def _solve_q(y, v, design, target):
    """τ² with Q(τ²) = target, 0 where Q(0) is below.

    Q is a sum of terms a / (λ + τ²), so 1/Q rises, is concave and nearly straight: Newton's method
    for it climbs to the root from 0 and takes few steps.
    """
    tau2 = np.zeros(len(y))
    active = np.arange(len(y))
    for _ in range(_MAX_STEPS):
        m = design.moments(1 / (v[active] + tau2[active, None]), y[active])
        gap = np.maximum(m.ypy / target[active] - 1, 0)
        step = gap * m.ypy / np.where(m.yppy > 0, m.yppy, 1)
        tau2[active] += step
        active = active[step > _TOLERANCE * tau2[active]]
        if not len(active):
            break
    return tau2


def _solve_likelihood(y, v, design, df, restricted=True):
    """Maximise the (restricted) likelihood, which can have one maximum at or near 0 and one above."""
    harmonic = df / (1 / v).sum(1)
    tau2 = _climb(y, v, design, harmonic, np.zeros(len(y)), restricted)
    spread = np.where(np.isfinite(v), v, 0).max(1) / v.min(1)
    rows = np.flatnonzero((tau2 == 0) | (spread > _TWO_MAXIMA))
    if not len(rows):
        return tau2
    known = _gain(y[rows], v[rows], design, tau2[rows], restricted)
    for own, *bounds in _peaks(y[rows], v[rows], design, df[rows], harmonic[rows], restricted):
        at = rows[own]
        found = _climb(y[at], v[at], design, harmonic[at], bounds[1], restricted, bounds[::2])
        gain = _gain(y[at], v[at], design, found, restricted)
        higher = gain > known[own] + _TOLERANCE  # by more than rounding: it may be the same maximum
        tau2[at[higher]], known[own[higher]] = found[higher], gain[higher]
    return tau2


def _peaks(y, v, design, df, harmonic, restricted):
    """The two highest peaks of steps up to the effects' own variance.

    Each step doubles τ²: a peak is about as wide as its τ², and two lie further apart than that.

    Yields
    ------
    rows, low, at, high : numpy.ndarray
        Sets that have such a peak, its step and those beside it.
    """
    most = np.maximum(design.moments(np.isfinite(v).astype(float), y).ypy / df, harmonic)
    count = 4 + int(np.log2((most / harmonic).max() / _NEGLIGIBLE))
    ladder = _NEGLIGIBLE * harmonic * 2.0 ** np.arange(count)[:, None]
    rows = np.tile(np.arange(len(y)), count)
    gains = _gain(y[rows], v[rows], design, ladder.ravel(), restricted).reshape(count, -1)
    inner = gains[1:-1]
    left = np.where((inner > gains[:-2]) & (inner >= gains[2:]), inner, -np.inf)
    for _ in range(2):
        rows = np.flatnonzero((left > -np.inf).any(0))
        if not len(rows):
            return
        at = np.argmax(left[:, rows], axis=0)
        yield rows, *(ladder[at + step, rows] for step in range(3))
        left[at, rows] = -np.inf


def _score(y, v, design, tau2, restricted):
    """Slope of the (restricted) log-likelihood in τ², and two curvatures for a step along it.

    The first is that of Newton's method for tr P / y'PPy = 1, where the slope is 0 as well. The
    left side is a straight line in τ² where all sampling variances are equal, and nearly one
    elsewhere, so this takes half the steps that Newton's method takes for the slope. The second
    is the expected curvature of Fisher scoring.
    """
    m = design.moments(1 / (v + tau2[:, None]), y)
    trace, square = (m.tr_p, m.tr_pp) if restricted else (m.tr_w, m.tr_ww)
    straight = m.ypppy * trace / np.maximum(m.yppy, 1e-300) - square / 2
    return (m.yppy - trace) / 2, straight, square / 2


def _gain(y, v, design, tau2, restricted):
    """(Restricted) log-likelihood less that at τ² = 0."""
    w0, w = 1 / v, 1 / (v + tau2[:, None])
    gain = design.moments(w0, y).ypy - design.moments(w, y).ypy
    gain -= np.log1p(tau2[:, None] * w0).sum(1)
    if restricted:
        gain += np.linalg.slogdet(design.cross(w0))[1] - np.linalg.slogdet(design.cross(w))[1]
    return gain / 2


def _climb(y, v, design, harmonic, start, restricted, bounds=None):
    """The maximum that is reached from `start`, between bounds where they are known.

    The sign of the score brackets the maximum; a step that leaves the bracket is replaced by its
    middle, so the search cannot cycle or run away.
    """
    found, now = start.copy(), start
    low, high = np.full((2, len(y)), [[-np.inf], [np.inf]]) if bounds is None else bounds
    active = np.arange(len(y))
    for _ in range(_MAX_STEPS):
        score, straight, expected = _score(y, v, design, now, restricted)
        rising = score > 0
        low, high = np.where(rising, now, low), np.where(rising, high, now)
        next_ = now + score / np.where(straight > 1e-3 * expected, straight, expected)
        outside = np.where(rising, next_ >= high, next_ <= low)
        # Where nothing is known further down a step goes to 0 at most, to look there.
        next_ = np.maximum(np.where(outside, (low + high) / 2, next_), 0.0)
        found[active] = next_
        still = np.abs(next_ - now) > _TOLERANCE * next_ + 1e-15 * harmonic
        now = next_
        if not still.all():
            active, now, low, high, y, v, harmonic = (
                a[still] for a in (active, now, low, high, y, v, harmonic)
            )
            if not len(active):
                break
    return found


_ESTIMATORS = {
    "REML": _solve_likelihood,
    "ML": partial(_solve_likelihood, restricted=False),
    "DL": _dersimonian_laird,
    "PM": _solve_q,
    "SJ": _sidik_jonkman,
    "HE": _hedges,
    "EB": _solve_q,
}
METHODS = (*_ESTIMATORS, "EE")
