"""The restricted likelihood of a model with nested random effects, and its maximum.

The rows' covariance is M = V + Σ_l σ²_l·Z_l·Z_l', a term a level, the groups of each level parts of
those of the next outer one. What an outer level adds to a group's covariance is one rank-one term,
so sums over groups pass once from the rows up to the whole, which gives the likelihood, and once
down again, which gives its slope in every σ²: both cost O(rows), and no matrix is inverted.

Sampling covariances that stay within the groups of the innermost level turn diagonal in the
eigenvectors of their blocks. Where they reach further, the groups that hold them are dense blocks
(their cost grows with the cube of the rows), and the recursion goes on above them.
"""

from __future__ import annotations

from functools import cached_property
from itertools import combinations

import numpy as np

from helpers.stats.distributions import chi2_isf
from helpers.stats.heterogeneity import others
from helpers.stats.mixed_model.groups import stacks

# Numbers that the recursion works on at once: keeps the working set within a core's cache.
_CHUNK = 400_000
# A dense block of so many rows takes seconds for each value of the likelihood.
MAX_DENSE = 2_000


class Likelihood:
    """The data arranged for the recursion.

    Parameters
    ----------
    y : ndarray, shape (k,)
    x : ndarray, shape (k, p)
        Design of full rank.
    sampling : Sampling
    codes : list of ndarray of int, shape (k,)
        The groups of each level but the rows, outermost first: 0, 1, ... in an order in which the
        groups of one outer group stand side by side.
    row_level : bool
        Whether the rows have a variance of their own, the last σ².

    Notes
    -----
    Everything is in units in which the residuals are of the order of 1: `unit` is the root of what
    a variance is divided by, and θ the variances so divided, that of the rows always the last.
    """

    def __init__(self, y, x, sampling, codes, row_level):
        self.k, self.p = x.shape
        self.codes = codes
        basis, triangle = np.linalg.qr(x)  # a year as moderator costs no digits
        self.back = np.linalg.inv(triangle)
        self.ordinary = self.back @ (basis.T @ y)
        residual = y - x @ self.ordinary
        self.unit = np.sqrt(np.mean(residual**2) + sampling.diagonal.min())
        self.basis, self.residual = basis, residual / self.unit
        self.sampling = sampling.scaled(1 / self.unit**2)
        self.free = np.append(np.ones(len(codes), bool), row_level)
        z = np.column_stack([basis, self.residual])
        # The innermost level whose groups hold all that covaries.
        depth = len(codes)
        while depth and not self.sampling.stays_within(codes[depth - 1]):
            depth -= 1
        self.parents = [  # of each group the group of the next outer level
            codes[level - 1][np.unique(codes[level], return_index=True)[1]]
            for level in range(1, depth)
        ]
        self.starts = [np.flatnonzero(np.diff(parent, prepend=-1)) for parent in self.parents]
        self.depth = depth
        if depth == len(codes):
            self.base = _Turned(z, self.sampling, codes[-1] if codes else None)
        else:
            code = codes[depth - 1] if depth else self.sampling.joined(codes[0])
            self.base = _Dense(z, self.sampling, code, codes[depth:])

    def values(self, theta):
        """Restricted log-likelihood at θ of shape (n, levels), shape (n,)."""
        chunk = max(1, _CHUNK // self.base.size)
        parts = [
            self._logliks(*self._up(theta[start : start + chunk])[:2])
            for start in range(0, len(theta), chunk)
        ]
        return np.concatenate(parts)

    def slopes(self, theta):
        """Restricted log-likelihood (n,), and its gradient (n, levels), at θ (n, levels)."""
        cross, logdet, way = self._up(theta)
        inverse = np.linalg.inv(cross[:, :-1, :-1])
        beta = (inverse @ cross[:, :-1, -1:])[..., 0]
        e = np.concatenate([-beta, np.ones((len(theta), 1))], axis=1)
        gradient = np.empty(theta.shape)
        for level, (trace, square) in enumerate(self._down(theta, way)):
            taken = np.einsum("npq,nqp->n", inverse, square[:, :-1, :-1])
            gradient[:, level] = np.einsum("np,npq,nq->n", e, square, e) - trace + taken
        return self._logliks(cross, logdet, inverse), gradient / 2

    def sums(self, theta):
        """What likelihood and slope are made of, sums over independent rows, at θ (n, levels).

        [X y]'M⁻¹[X y] (n, q, q), log|M| (n,), and of each level Σ 1'M⁻¹1 (n, levels) and
        Σ (1'M⁻¹[X y])'(1'M⁻¹[X y]) (n, levels, q, q), over its groups.
        """
        parts = []
        chunk = max(1, _CHUNK // self.base.size)
        for start in range(0, len(theta), chunk):
            some = theta[start : start + chunk]
            cross, logdet, way = self._up(some)
            trace, square = zip(*self._down(some, way), strict=True)
            trace = [np.broadcast_to(t, len(some)) for t in trace]
            parts.append((cross, logdet, np.stack(trace, axis=1), np.stack(square, axis=1)))
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def at(self, theta):
        """Coefficients on the orthonormal basis, their covariance, Q and log-likelihood at one θ."""
        cross, logdet, _ = self._up(theta[None])
        inverse = np.linalg.inv(cross[0, :-1, :-1])
        beta = inverse @ cross[0, :-1, -1]
        q = cross[0, -1, -1] - cross[0, :-1, -1] @ beta
        return beta, inverse, q, self._logliks(cross, logdet, inverse[None])[0]

    @cached_property
    def typical_variance(self):
        """(k - p)/tr(P), P = V⁻¹ - V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹."""
        if self.p == 1 and self.depth == len(self.codes):
            # Of positive terms only: one weight that outweighs all others costs no digits.
            w = 1 / self.base.spread
            own = self.base.z[0] ** 2 * w
            return (self.k - 1) * own.sum() / (w * others(own)).sum()
        nothing = np.zeros((1, len(self.free)))
        cross, _, way = self._up(nothing)
        *_, (trace, square) = self._down(nothing, way)
        taken = np.trace(np.linalg.solve(cross[0, :-1, :-1], square[0, :-1, :-1]))
        return (self.k - self.p) / (trace[0] - taken)

    def maximum(self, theta=None, free=None):
        """θ with the greatest restricted likelihood among the `free` ones, and that likelihood."""
        free = self.free if free is None else free
        return _climb(self, self._best_of_grid() if theta is None else theta, free)

    def profiles(self, best, level):
        """Profile-likelihood bounds of each free variance, in the effects' own units."""
        drop = chi2_isf(1 - level, 1) / 2
        found = [self._profile(best, at, drop) for at in np.flatnonzero(self.free)]
        return [tuple(float(self.unit**2 * bound) for bound in bounds) for bounds in found]

    def _profile(self, best, which, drop):
        """Bounds of θ[which] where the likelihood, maximised over the others, has lost `drop`."""
        from scipy.optimize import brentq  # 0.1 s to import

        free, near = self.free & (np.arange(len(best)) != which), best.copy()
        loglik = self.values(best[None])[0]

        def above(value):
            near[which] = value
            near[:], found = _climb(self, near, free)
            return found - loglik + drop

        def root(low, high):
            return brentq(above, low, high, xtol=1e-14 * high, rtol=1e-12)

        low = 0.0 if best[which] == 0 or above(0.0) >= 0 else root(0.0, best[which])
        near[:] = best
        high = max(2 * best[which], 0.1)
        while above(high) > 0:
            high *= 2
        return low, root(best[which], high)

    def _logliks(self, cross, logdet, inverse=None):
        sxx, sxy = cross[:, :-1, :-1], cross[:, :-1, -1:]
        inverse = np.linalg.inv(sxx) if inverse is None else inverse
        explained = (sxy.mT @ inverse @ sxy)[:, 0, 0]
        free = (self.k - self.p) * np.log(2 * np.pi)
        return -(free + logdet + np.linalg.slogdet(sxx)[1] + cross[:, -1, -1] - explained) / 2

    def _up(self, theta):
        """[X y]'M⁻¹[X y], log|M|, and what the way down needs of each level's groups."""
        a, b, cross, logdet, base = self.base.up(theta[:, self.depth :])
        way = [base]
        for level in reversed(range(self.depth)):
            if level < self.depth - 1:
                a = np.add.reduceat(a, self.starts[level], axis=-1)
                b = np.add.reduceat(b, self.starts[level], axis=-1)
            sigma2 = theta[:, level, None]
            q = 1 + sigma2 * a
            logdet = logdet + np.log(q).sum(-1)
            cross = cross - (b * (sigma2 / q)[:, None]) @ b.mT
            a, b = a / q, b / q[:, None]
            way.append((a, b, q))
        return cross, logdet, way

    def _down(self, theta, way):
        """Of each level the sums over its groups of 1'M⁻¹1 and of (1'M⁻¹[X y])'(1'M⁻¹[X y])."""
        # What all outer levels predict for a group, and the variance that they leave there.
        mean, left = np.zeros((1, 1, 1)), np.zeros((1, 1))
        sums = []
        for level in range(self.depth):
            if level:
                parent = self.parents[level - 1]
                mean, left = mean[..., parent], left[..., parent]
            a, b, q = way[self.depth - level]
            sigma2 = theta[:, level, None]
            f = b - a[:, None] * mean
            sums.append(((a - a**2 * left).sum(-1), f @ f.mT))
            mean, left = mean + sigma2[:, None] * f, (left + sigma2 * (1 - a * left)) / q
        return sums + self.base.down(mean, left, way[0])

    def _best_of_grid(self):
        """The best of a grid of totals shared equally by some levels: guards against a lesser peak."""
        which = np.flatnonzero(self.free)
        shares = [np.zeros(len(self.free))]
        for n in range(1, len(which) + 1):
            for some in combinations(which, n):
                shares.append(np.isin(np.arange(len(self.free)), some) / n)
        low = min(0.003, 0.03 * np.median(self.sampling.diagonal))
        grid = [total * np.array(shares[1:]) for total in np.geomspace(low, 2, 6)]
        grid = np.concatenate([shares[:1], *grid])
        return grid[np.argmax(self.values(grid))]


class _Turned:
    """Rows whose sampling covariance is diagonal, in the eigenvectors of its blocks.

    There a column of ones has become `one`, and the columns of [X y] the rows of `z`.
    """

    def __init__(self, z, sampling, code):
        k = len(z)
        order = np.arange(k) if code is None else np.argsort(code, kind="stable")
        self.one, spread, z = np.ones(k), sampling.diagonal, z.copy()
        if len(sampling.i):
            block = sampling.block
            if code is not None:
                block = np.unique(block * (code.max() + 1) + code, return_inverse=True)[1]
            spread = spread.copy()
            for rows in stacks(block):
                if rows.shape[1] > 1:
                    spread[rows], vectors = np.linalg.eigh(sampling.dense(rows))
                    self.one[rows] = vectors.sum(axis=1)
                    z[rows] = vectors.mT @ z[rows]
        self.one, self.spread, z = self.one[order], spread[order], z[order]
        self.z = np.ascontiguousarray(z.T)
        self.outer = (z[:, :, None] * z[:, None]).reshape(k, -1)
        self.size = self.z.size
        self.one_one, self.one_z = self.one**2, self.one * self.z
        self.group = None if code is None else code[order]
        if code is not None:
            self.start = np.flatnonzero(np.diff(self.group, prepend=-1))

    def up(self, theta):
        w = 1 / (self.spread + theta)
        q = len(self.z)
        cross = (w @ self.outer).reshape(-1, q, q)
        a = b = None
        if self.group is not None:
            a = np.add.reduceat(self.one_one * w, self.start, axis=-1)
            b = np.add.reduceat(self.one_z * w[:, None], self.start, axis=-1)
        return a, b, cross, -np.log(w).sum(-1), w

    def down(self, mean, left, w):
        if self.group is not None:
            mean, left = mean[..., self.group], left[..., self.group]
        f = w[:, None] * (self.z - self.one * mean)
        return [((w - (w**2 * self.one_one) * left).sum(-1), f @ f.mT)]


class _Dense:
    """Groups whose rows covary across inner levels: the matrix of each, those of one size at once."""

    def __init__(self, z, sampling, code, inner):
        self.columns, self.groups = z.shape[1], int(code.max()) + 1
        self.parts, self.size = [], 0
        for rows in stacks(code):
            n = rows.shape[1]
            if n > MAX_DENSE:
                raise ValueError(
                    f"sampling covariances tie {n} rows together across the groups of an inner "
                    f"level; no more than {MAX_DENSE} can be worked out"
                )
            same = [c[rows][:, :, None] == c[rows][:, None] for c in inner]
            same.append(np.broadcast_to(np.eye(n), same[0].shape))
            self.parts.append((code[rows[:, 0]], z[rows], sampling.dense(rows), np.array(same)))
            self.size += rows.size * n

    def up(self, theta):
        n, q = len(theta), self.columns
        a, b = np.empty((n, self.groups)), np.empty((n, q, self.groups))
        cross, logdet, kept = np.zeros((n, q, q)), np.zeros(n), []
        for group, z, v, same in self.parts:
            m = v + np.tensordot(theta, same, 1)
            logdet += np.linalg.slogdet(m)[1].sum(-1)
            inverse = np.linalg.inv(m)
            one, solved = inverse.sum(-1), inverse @ z
            a[:, group], b[..., group] = one.sum(-1), solved.sum(-2).mT
            cross += (z.mT @ solved).sum(1)
            kept.append((inverse, one, solved))
        return a, b, cross, logdet, kept

    def down(self, mean, left, kept):
        n, q = len(kept[0][0]), self.columns
        mean = np.broadcast_to(mean, (n, q, self.groups))
        left = np.broadcast_to(left, (n, self.groups))
        levels = len(self.parts[0][3])
        trace, square = np.zeros((levels, n)), np.zeros((levels, n, q, q))
        for (group, _, _, same), (inverse, one, solved) in zip(self.parts, kept, strict=True):
            f = solved - one[..., None] * mean[..., group].mT[:, :, None]
            for level, e in enumerate(same):
                shared = (one * (e @ one[..., None])[..., 0]).sum(-1)
                trace[level] += (inverse * e).sum((1, 2, 3)) - (left[:, group] * shared).sum(-1)
                square[level] += (f.mT @ (e @ f)).sum(1)
        return list(zip(trace, square, strict=True))


def _climb(model, theta, free):
    """Newton's method for the free variances, which may end at 0 exactly."""
    theta = np.array(theta, float)
    value, slope, curvature = _around(model, theta, free)
    for _ in range(200):
        move = free & ((theta > 0) | (slope > 0))
        if not move.any():
            break
        step = np.zeros(len(theta))
        step[move] = _uphill(slope[move], curvature[np.ix_(move, move)])
        new = np.maximum(theta + step, 0)
        # So short a step changes the likelihood by its square, which is less than rounding.
        if np.all(np.abs(new - theta) <= 1e-7 * (new + 1e-3)):
            theta = new
            break
        for halving in range(40):
            new = np.maximum(theta + step / 2**halving, 0)
            found = _around(model, new, free)
            if found[0] >= value - 1e-13 * abs(value):
                break
        else:
            break
        theta, (value, slope, curvature) = new, found
    return theta, value


def _around(model, theta, free):
    """Log-likelihood, slope, and curvature from differences of the exact slope."""
    which = np.flatnonzero(free)
    points = np.tile(theta, (len(which) + 1, 1))
    h = 1e-5 * (theta[which] + 0.01)
    points[np.arange(len(which)) + 1, which] += h
    values, slopes = model.slopes(points)
    curvature = np.zeros((len(theta),) * 2)
    curvature[which] = (slopes[1:] - slopes[0]) / h[:, None]
    return values[0], slopes[0], (curvature + curvature.T) / 2


def _uphill(slope, curvature):
    """Newton step, uphill in every direction where the likelihood is not concave; never far."""
    values, vectors = np.linalg.eigh(curvature)
    values = np.maximum(np.abs(values), 1e-12 * np.abs(slope).max())
    step = vectors @ ((vectors.T @ slope) / values)
    return step * min(1, 10 / max(np.abs(step).max(), 1e-300))
