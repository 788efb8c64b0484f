"""Means of a multilevel model without some rows of one cluster, all deletions at once.

Independent clusters add up in the likelihood and in its slope, so that of the other rows is the
whole less the cluster, plus what is left of it. Newton's method runs for all deletions together.
"""

from __future__ import annotations

import numpy as np

from helpers.stats.mixed_model.groups import stacks
from helpers.stats.mixed_model.inference import ASKED, NO_WIDTH
from helpers.stats.mixed_model.sandwich import MIN_CLUSTERS, MIN_DF
from helpers.stats.pooling import critical, two_sided_p

# Larger clusters are cheaper one by one.
MAX_ROWS = 100
MAX_LEVELS = 2
# Matrices of so many numbers are worked on at once.
CHUNK = 2_000_000


def suited(fit, code):
    """Which deletions can be worked out here, shape (deletions,).

    Parameters
    ----------
    fit : Fitted
    code : ndarray of int, shape (k,)
        What is left out together: 0, 1, ...
    """
    n = code.max() + 1
    p = fit.x.shape[1]
    cluster_of = np.zeros(n, int)
    cluster_of[code] = fit.cluster
    ordinary = p == 1 and "joined" not in fit.cluster_name and (fit.x == 1).all()
    ordinary &= bool((cluster_of[code] == fit.cluster).all())
    ordinary &= np.bincount(fit.cluster).max() <= MAX_ROWS and fit.clusters > 2
    # With more variances there can be several peaks, and each fit looks for the highest by itself.
    ordinary &= fit.model.free.sum() <= MAX_LEVELS
    if fit.study is not None:  # else clusters could become others
        first = np.unique(fit.study, return_index=True)[1]
        ordinary &= bool((fit.cluster == fit.cluster[first[fit.study]]).all())
    if not ordinary:
        return np.zeros(n, bool)
    left = groups_left(fit, code)
    # A level that is left with the groups of the next one is another model.
    return (np.diff(left, axis=1) > 0).all(axis=1) & (left[:, 0] > 1)


def groups_left(fit, code):
    """Groups that each deletion leaves of each level, shape (deletions, levels)."""
    found = []
    for level in fit.codes:
        pairs = np.unique(np.column_stack([level, code]), axis=0)
        alone = np.bincount(pairs[:, 0])[pairs[:, 0]] == 1  # all of the group goes
        gone = np.bincount(pairs[alone, 1], minlength=code.max() + 1)
        found.append(level.max() + 1 - gone)
    return np.column_stack(found)


def deletions(fit, code, which):
    """The fits without each of some deletions.

    Parameters
    ----------
    fit : Fitted
        A mean.
    code : ndarray of int, shape (k,)
    which : ndarray of int, shape (n,)
        Codes of the deletions.

    Returns
    -------
    dict of ndarray, shape (n,)
        ``estimate, se, ci_low, ci_high, df, p, pi_low, pi_high, cook, dfbetas``, whether ``robust``,
        and ``sigma2`` (n, levels).
    """
    model, n = fit.model, len(which)
    parts = _parts(fit, code, which)
    theta = _maxima(model, parts, np.tile(fit.theta, (n, 1)))
    (cross, _, _, _), whole = _sums(model, parts, theta[:, None])
    sxx, sxy = cross[:, 0, 0, 0], cross[:, 0, 0, 1]
    beta = sxy / sxx
    scale = model.unit * model.back[0, 0]
    estimate = model.ordinary[0] + scale * beta
    plain = np.abs(scale) / np.sqrt(sxx)
    left = groups_left(fit, code)[which]
    df, se, robust = left.min(axis=1) - 1.0, plain, np.zeros(n, bool)
    df = np.maximum(df, 1.0)
    clusters = fit.clusters - (
        np.bincount(code)[which] == np.bincount(fit.cluster)[parts["cluster"]]
    )
    wide = df.copy()
    if fit.fallback != ASKED:
        own_se, own_df, unbiased = _robust(fit, parts, theta, beta, 1 / sxx)
        own_se = np.abs(scale) * own_se
        robust = (clusters >= MIN_CLUSTERS) & unbiased & (own_df >= MIN_DF)
        robust &= own_se > NO_WIDTH * plain
        df, se = np.where(robust, own_df, df), np.where(robust, own_se, plain)
        wide = np.where(robust, clusters - 1.0, wide)
    sigma2 = model.unit**2 * theta[:, model.free]
    half = critical(fit.level, df) * se
    reach = critical(fit.level, np.maximum(wide, 1)) * np.hypot(se, np.sqrt(sigma2.sum(axis=1)))
    reach = np.maximum(reach, half)
    off = fit.beta[0] - estimate
    return {
        "estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half,
        "df": df, "p": two_sided_p(estimate / se, df), "pi_low": estimate - reach,
        "pi_high": estimate + reach, "cook": off**2 / fit.covariance[0, 0],
        "dfbetas": off / (np.abs(scale) / np.sqrt(whole[:, 0])), "robust": robust,
        "sigma2": sigma2,
    }  # fmt: skip


def _parts(fit, code, which):
    """The clusters of the deletions, and what is left of them: rows of one number together."""
    order = np.argsort(fit.cluster, kind="stable")
    split = np.split(order, np.cumsum(np.bincount(fit.cluster))[:-1])
    cluster = np.zeros(code.max() + 1, int)
    cluster[code] = fit.cluster
    touched = [split[cluster[one]] for one in which]
    rest = [rows[code[rows] != one] for rows, one in zip(touched, which, strict=True)]
    return {
        "cluster": cluster[which],
        "touched": list(_by_size(touched)),
        "rest": list(_by_size(rest)),
        "blocks": {},
    }


def _by_size(listed):
    size = np.array([len(rows) for rows in listed])
    for n in np.unique(size[size > 0]):
        at = np.flatnonzero(size == n)
        yield at, np.array([listed[one] for one in at])


def _sums(model, parts, theta):
    """Sums of `Likelihood.sums` over the rows left, θ of shape (n, points, levels); x'M⁻¹x of all."""
    n, points, depth = theta.shape
    found = [
        part.reshape(n, points, *part.shape[1:]) for part in model.sums(theta.reshape(-1, depth))
    ]
    whole = found[0][..., 0, 0].copy()
    for sign, kind in ((-1, "touched"), (1, "rest")):
        for at, rows in parts[kind]:
            for total, own in zip(found, _dense(model, rows, theta[at]), strict=True):
                total[at] += sign * own
    return found, whole


def _dense(model, rows, theta):
    """`Likelihood.sums` over groups of rows (n, m), θ of shape (n, points, levels)."""
    m = _covariance(model, rows, theta)
    z = np.stack([model.basis[rows, 0], model.residual[rows]], axis=-1)[:, None]
    same = _same(model, rows)
    inverse = np.linalg.inv(m)
    solved = inverse @ z
    cross, logdet = z.mT @ solved, np.linalg.slogdet(m)[1]
    trace = np.einsum("npij,lnij->npl", inverse, same)
    square = np.einsum("npia,lnij,npjb->nplab", solved, same, solved, optimize=True)
    return cross, logdet, trace, square


def _same(model, rows):
    """Which rows are in one group, of each level that of the rows included, (levels, n, m, m)."""
    same = [code[rows][:, :, None] == code[rows][:, None] for code in model.codes]
    return np.array(
        [*same, np.broadcast_to(np.eye(rows.shape[1]), (*rows.shape, rows.shape[1]))], float
    )


def _covariance(model, rows, theta):
    """Covariance of groups of rows (n, m), θ of shape (n, points, levels): (n, points, m, m)."""
    return _errors(model.sampling, rows)[:, None] + np.einsum(
        "npl,lnij->npij", theta, _same(model, rows)
    )


def _errors(sampling, rows):
    """V of groups of rows (n, m), which may hold the same rows more than once: (n, m, m)."""
    k, m = len(sampling.diagonal), rows.shape[1]
    full = np.zeros((*rows.shape, m))
    if len(sampling.i):
        known, wanted = sampling.i * k + sampling.j, rows[:, :, None] * k + rows[:, None]
        order = np.argsort(known)
        at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)]
        full = np.where(known[at] == wanted, sampling.value[at], 0.0)
    full[:, range(m), range(m)] = sampling.diagonal[rows]
    return full


def _maxima(model, parts, theta):
    """Newton's method for all deletions at once."""
    theta = theta.copy()
    n = len(theta)
    value, slope, step = _around(model, parts, theta)
    scale, going = np.ones(n), np.ones(n, bool)
    for _ in range(100):
        trial = np.maximum(theta + scale[:, None] * step, 0)
        trial[~going] = theta[~going]
        new_value, new_slope, new_step = _around(model, parts, trial)
        better = going & (new_value >= value - 1e-13 * np.abs(value))
        near = (np.abs(trial - theta) <= 1e-7 * (trial + 1e-3)).all(axis=1)
        theta[better], value[better] = trial[better], new_value[better]
        slope[better], step[better] = new_slope[better], new_step[better]
        scale = np.where(better, 1.0, scale / 2)
        going &= ~(better & near) & (scale > 1e-12)
        if not going.any():
            break
    return theta


def _around(model, parts, theta):
    """Log-likelihood (up to a constant), its slope, and Newton's step at θ of shape (n, levels)."""
    n, depth = theta.shape
    which = np.flatnonzero(model.free)
    points = np.repeat(theta[:, None], len(which) + 1, axis=1)
    h = 1e-5 * (theta[:, which] + 0.01)
    points[:, np.arange(len(which)) + 1, which] += h
    (cross, logdet, trace, square), _ = _sums(model, parts, points)
    sxx, sxy, syy = cross[..., 0, 0], cross[..., 0, 1], cross[..., 1, 1]
    beta = sxy / sxx
    value = -(logdet + np.log(sxx) + syy - sxy * beta)[:, 0] / 2
    e = np.stack([-beta, np.ones_like(beta)], axis=-1)
    slopes = np.einsum("npa,nplab,npb->npl", e, square, e, optimize=True) - trace
    slopes = (slopes + square[..., 0, 0] / sxx[..., None]) / 2
    slope = slopes[:, 0]
    curvature = np.zeros((n, depth, depth))
    curvature[:, which] = (slopes[:, 1:] - slopes[:, :1]) / h[..., None]
    curvature = (curvature + curvature.mT) / 2
    move = model.free & ((theta > 0) | (slope > 0))
    both = move[:, :, None] & move[:, None]
    curvature = np.where(both, curvature, 0) - np.eye(depth) * ~move[:, None]
    uphill = np.where(move, slope, 0)
    values, vectors = np.linalg.eigh(curvature)
    values = np.maximum(np.abs(values), 1e-12 * np.abs(uphill).max(axis=1, keepdims=True) + 1e-300)
    step = (vectors @ ((vectors.mT @ uphill[..., None]) / values[..., None]))[..., 0]
    far = np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300)
    return value, slope, step * np.minimum(1, 10 / far)


def _robust(fit, parts, theta, beta, m):
    """CR2 standard error, its degrees of freedom, and whether it is right on average."""
    model, n = fit.model, len(theta)
    total = np.zeros((5, n))  # Σ of score², own - taken, own², own·taken, taken
    for rows in stacks(fit.cluster):
        chunk = max(1, CHUNK // (rows.size * rows.shape[1]))
        for start in range(0, n, chunk):
            some = np.arange(start, min(n, start + chunk))
            terms = _cr2(model, rows, theta[some], beta[some], m[some])
            gone = fit.cluster[rows[:, 0]][:, None] == parts["cluster"][some]
            total[:, some] += np.where(gone, 0, terms).sum(axis=1)
    for at, rows in parts["rest"]:
        for one, own in zip(at, rows, strict=True):
            terms = _cr2(model, own[None], theta[[one]], beta[[one]], m[[one]])
            total[:, one] += terms[:, 0, 0]
    score2, left, own2, both, taken = total
    with np.errstate(divide="ignore", invalid="ignore"):
        df = left**2 / (own2 - 2 * both + taken**2)
    return np.sqrt(score2), df, left > (1 - 1e-6) * m


def _cr2(model, rows, theta, beta, m):
    """What clusters (c, size) bring at θ of n deletions, shape (5, c, n)."""
    phi = _covariance(model, rows, np.broadcast_to(theta, (len(rows), *theta.shape)))
    x = model.basis[rows, 0][:, None, :, None]
    d = np.linalg.cholesky(phi).mT
    whole, taken = d @ phi @ d.mT, (d @ x) @ (d @ x).mT * m[:, None, None]
    values, vectors = np.linalg.eigh(whole - taken)
    largest = whole.diagonal(axis1=2, axis2=3).max(axis=-1)
    values[values <= 1e-12 * largest[..., None]] = np.inf
    u = vectors.mT @ (d @ np.linalg.solve(phi, x)) / np.sqrt(values)[..., None]
    u = d.mT @ (vectors @ u) * m[:, None, None]
    residual = model.residual[rows][:, None] - model.basis[rows, 0][:, None] * beta[:, None]
    score = (u[..., 0] * residual).sum(axis=-1)
    own = (u.mT @ phi @ u)[..., 0, 0]
    taken = m * (x * u).sum(axis=(-2, -1)) ** 2
    return np.array([score**2, own - taken, own**2, own * taken, taken])
