"""Search for experiments that give printed results back: fits, their derivatives, moves.

Used by `reconstruct.py`. All fits of an outcome (pooling, each subgroup, each meta-regression)
are one batch of REML fits of rows in groups, so that derivatives by every effect and group size
are closed formulas and a trial costs less than a millisecond.
"""

from dataclasses import dataclass, replace

import numpy as np

Z95 = 1.959963984540054
SIZES = (3, 16)  # animals in a group
I2_TOLERANCE = 1.5  # points
LARGE = 12  # effects beyond this are pulled back
LEAN = 0.05  # pull of a candidate to its prior, in tolerances


@dataclass(frozen=True)
class Problem:
    """Level counts and printed targets of one outcome.

    A fit is a set of rows in groups that share one tau2: all rows in one group (pooling), the
    rows of a level (subgroup), or a moderator's levels as groups (its meta-regression, in
    which a coefficient is a difference of two group means).
    """

    outcome: str
    k: int
    moderators: list
    levels: list  # of each moderator: its level names
    counts: list  # of each moderator: rows a level
    fits: list  # (moderator index or -1, level index or -1)
    index: np.ndarray  # targets' (fit, group, reference group or -1)
    printed: np.ndarray  # targets' estimate, low, high
    tolerance: np.ndarray  # their tolerances: estimate, bound
    i2_fit: np.ndarray
    i2: np.ndarray
    names: list

    def part(self, moderator):
        """The problem of one moderator alone, and which distances of the whole are its own."""
        fits = np.array([m == moderator for m, _ in self.fits])
        place = np.cumsum(fits) - 1
        keep, keep_i2 = fits[self.index[:, 0]], fits[self.i2_fit]
        index = self.index[keep]
        index[:, 0] = place[index[:, 0]]
        own = np.concatenate([keep, keep, keep, keep_i2])
        return replace(
            self, fits=[f for f in self.fits if f[0] == moderator], index=index,
            printed=self.printed[keep], tolerance=self.tolerance[keep],
            i2_fit=place[self.i2_fit[keep_i2]], i2=self.i2[keep_i2],
        ), own  # fmt: skip


def groups_of(problem, labels):
    """Membership of rows in each fit's groups, shape (..., fits, groups, k), from (..., m, k)."""
    width = max([len(lv) for lv in problem.levels], default=1)
    out = np.zeros((*labels.shape[:-2], len(problem.fits), width, problem.k))
    for f, (moderator, level) in enumerate(problem.fits):
        if moderator < 0:
            out[..., f, 0, :] = 1
        elif level >= 0:
            out[..., f, 0, :] = labels[..., moderator, :] == level
        else:
            for g in range(len(problem.levels[moderator])):
                out[..., f, g, :] = labels[..., moderator, :] == g
    return out


# ---------------------------------------------------------------- fitting, with derivatives


def variance_of(g, n1, n2):
    """Stata's variance of Hedges' g, and its derivatives by g, n1 and n2."""
    m, total = n1 + n2 - 2, n1 + n2
    j = 1 - 3 / (4 * m - 1)
    slope = 24 * j / (4 * m - 1) ** 2 * (1 / n1 + 1 / n2) - g**2 / (2 * total**2)
    v = j**2 * (1 / n1 + 1 / n2) + g**2 / (2 * total)
    return v, g / total, slope - j**2 / n1**2, slope - j**2 / n2**2


def _total(z, x):
    """Sums of x over each fit's groups."""
    return (z @ x[..., None])[..., 0]


def _back(z, x):
    """Each row's group value."""
    return (x[:, None, :] @ z)[:, 0, :]


def _moments(y, v, z, on, t):
    """What REML needs at a given tau2 (P is the projection W - WX(X'WX)^-1X'W).

    u = Py, q = PPy; score = y'PPy - tr P, its derivative `slope`, information = tr PP.
    """
    w = on / (v + t[:, None])
    s1 = _total(z, w)
    s1 = np.where(s1 > 0, s1, 1)
    s2, s3 = _total(z, w**2), _total(z, w**3)
    mu = _total(z, w * y) / s1
    u = w * (y - _back(z, mu))
    q = w * (u - _back(z, _total(z, w * u) / s1))
    score = (u**2).sum(-1) - w.sum(-1) + (s2 / s1).sum(-1)
    information = (w**2).sum(-1) - 2 * (s3 / s1).sum(-1) + ((s2 / s1) ** 2).sum(-1)
    slope = information - 2 * (u * q).sum(-1)
    return {
        "w": w, "s1": s1, "s2": s2, "mu": mu, "u": u, "q": q,
        "score": score, "information": information, "slope": slope,
    }  # fmt: skip


def _tau2(y, v, z, on, start, tol):
    """REML tau2 of each fit: Newton steps kept inside a bracket of the score's root."""
    size = _total(z, on)
    if start is None:  # Hedges' estimate
        r = on * (y - _back(z, _total(z, y * on) / np.maximum(size, 1)))
        spare = np.maximum(size.sum(-1) - (size > 0).sum(-1), 1)
        start = (r**2).sum(-1) / spare - (on * v).sum(-1) / np.maximum(size.sum(-1), 1)
    t = np.zeros(len(z))
    live = np.flatnonzero(_moments(y, v, z, on, t)["score"] > 0)
    now = np.maximum(start[live], 0.05)
    low, high = np.zeros(len(live)), np.full(len(live), np.inf)
    for _ in range(60):
        if not len(live):
            break
        m = _moments(y[live], v[live], z[live], on[live], now)
        score, information, slope = m["score"], m["information"], m["slope"]
        low, high = np.where(score > 0, now, low), np.where(score > 0, high, now)
        steep = slope < -0.02 * information
        step = score / np.where(steep, -slope, np.maximum(information, 1e-300))
        go = np.abs(step) > tol * (1 + now)
        middle = np.where(np.isfinite(high), (low + high) / 2, 4 * now)
        new = now + step
        new = np.where(go & ((new <= low) | (new >= np.minimum(high, 8 * now))), middle, new)
        t[live] = new
        live, now, low, high = live[go], new[go], low[go], high[go]
    return t


def fit(y, v, z, start=None, tol=1e-9, jacobian=False):
    """REML of many grouped fits at once.

    Parameters: y, v (..., k) broadcast against the fits; z (..., groups, k) membership.
    Returns means and variances (..., groups), tau2 and I2 (...), and with `jacobian` the
    derivatives of means, variances and I2 by y and by v.
    """
    shape = z.shape[:-2]
    z = z.reshape(-1, *z.shape[-2:])
    on = z.sum(-2)
    y, v = (np.broadcast_to(x, (*shape, x.shape[-1])).reshape(on.shape) for x in (y, v))
    t = _tau2(y, v, z, on, None if start is None else np.ravel(start), tol)
    at = _moments(y, v, z, on, t)
    w0 = on / v
    k, a, b = on.sum(-1), w0.sum(-1), (w0**2).sum(-1)
    gap = np.maximum(a**2 - b, 1e-300)
    typical = (k - 1) * a / gap
    i2 = 100 * t / (t + typical)
    mu, s1, u = at["mu"], at["s1"], at["u"]
    var = 1 / s1
    if not jacobian:
        return tuple(x.reshape(*shape, *x.shape[1:]) for x in (mu, var, t, i2))
    w, q, slope = at["w"], at["q"], at["slope"]
    whole = np.where(on > 0, _back(z, s1), 1)
    share = z * (w / whole)[:, None, :]
    p2 = w**2 * (1 - 2 * w / whole + _back(z, at["s2"] / s1**2))
    inside = ((t > 0) & (slope < 0))[:, None]
    safe = np.where(inside, slope[:, None], -1.0)
    ty = np.where(inside, -2 * q / safe, 0)
    tv = np.where(inside, -(p2 - 2 * u * q) / safe, 0)
    mu_v = -share * u[:, None, :]
    mu_t, var_t = mu_v.sum(-1)[..., None], (share**2).sum(-1)[..., None]
    typical_v = (1 / gap - 2 * a**2 / gap**2)[:, None] + (2 * a / gap**2)[:, None] * w0
    typical_v *= -(k - 1)[:, None] * w0**2
    scale = (100 / (t + typical) ** 2)[:, None]
    out = {
        "mu_y": share + mu_t * ty[:, None, :],
        "mu_v": mu_v + mu_t * tv[:, None, :],
        "var_y": var_t * ty[:, None, :],
        "var_v": share**2 + var_t * tv[:, None, :],
        "i2_y": scale * typical[:, None] * ty,
        "i2_v": scale * (typical[:, None] * tv - t[:, None] * typical_v),
    }
    shaped = [x.reshape(*shape, *x.shape[1:]) for x in (mu, var, t, i2, *out.values())]
    return *shaped[:4], dict(zip(out, shaped[4:], strict=True))


# ---------------------------------------------------------------- distances from the targets


def misses(problem, y, v, z, start=None, tol=1e-7, jacobian=False):
    """Signed distances from the targets in units of their tolerances, (..., targets).

    Order: estimates, lower bounds, upper bounds, I2. Also tau2 of the fits and, on request,
    the derivatives of the distances by y and by v.
    """
    mu, var, t, i2, *slopes = fit(y, v, z, start, tol, jacobian)
    f, a, b = problem.index.T
    both = b >= 0
    printed, (te, tb) = problem.printed.T, problem.tolerance.T
    estimate = mu[..., f, a] - np.where(both, mu[..., f, b], 0)
    half = Z95 * np.sqrt(var[..., f, a] + np.where(both, var[..., f, b], 0))
    bounds = (estimate - half - printed[1]) / tb, (estimate + half - printed[2]) / tb
    i2 = (i2[..., problem.i2_fit] - problem.i2) / I2_TOLERANCE
    r = np.concatenate([(estimate - printed[0]) / te, *bounds, i2], axis=-1)
    if not jacobian:
        return r, t
    d, te, tb, both = slopes[0], te[:, None], tb[:, None], both[:, None]
    out = []
    for x in "yv":
        e = d[f"mu_{x}"][..., f, a, :] - both * d[f"mu_{x}"][..., f, b, :]
        h = d[f"var_{x}"][..., f, a, :] + both * d[f"var_{x}"][..., f, b, :]
        h = h * (Z95**2 / 2 / half)[..., None]
        i = d[f"i2_{x}"][..., problem.i2_fit, :] / I2_TOLERANCE
        out.append(np.concatenate([e / te, (e - h) / tb, (e + h) / tb, i], axis=-2))
    return r, t, *out


def loss(r, steep):
    """Squares, steeper above 0.6 of a tolerance: what exceeds its tolerance counts most."""
    return (r**2 + steep * np.maximum(np.abs(r) - 0.6, 0) ** 3).sum(-1)


# ---------------------------------------------------------------- the search


class State:
    """A candidate: effects y, group sizes n (2, k), labels (moderators, k); and its prior."""

    def __init__(self, problem, rng):
        k = problem.k
        estimate, low, high = problem.printed[0]
        spread = np.sqrt(max(k * ((high - low) / 2 / Z95) ** 2 - 0.6, 0.1))
        self.problem, self.rng, self.steep = problem, rng, 1.0
        self.centre, self.spread = estimate, max(spread, 1.0)
        self.y = estimate + spread * rng.standard_normal(k)
        base = rng.uniform(4.5, 9, k)
        self.n = np.array([base, base + rng.uniform(-0.5, 0.5, k)])
        self.prior = logit(self.n)
        self.labels = np.full((len(problem.moderators), k), -1)
        for i, counts in enumerate(problem.counts):
            given = np.repeat(np.arange(len(counts)), counts)
            self.labels[i, : len(given)] = given
            self.labels[i] = rng.permutation(self.labels[i])

    def copy(self, **changes):
        """Another candidate, with changes."""
        other = object.__new__(State)
        other.__dict__.update(self.__dict__ | {"y": self.y.copy()} | changes)
        return other

    def miss(self):
        """Distances from the targets."""
        z = groups_of(self.problem, self.labels)
        return misses(self.problem, self.y, variance_of(self.y, *self.n)[0], z)[0]


def logit(n):
    """Group sizes on a scale without bounds."""
    x = (np.clip(n, SIZES[0] + 0.01, SIZES[1] - 0.01) - SIZES[0]) / (SIZES[1] - SIZES[0])
    return np.log(x / (1 - x))


def slopes(problem, y, n, z, sizes, start=None):
    """Distances, tau2, and derivatives by effects and (`sizes`) by the logits of group sizes."""
    v, vg, v1, v2 = variance_of(y, n[..., 0, :], n[..., 1, :])
    expand = (..., None, slice(None))  # over fits, over targets
    r, t, jy, jv = misses(problem, y[expand], v[expand], z, start, jacobian=True)
    blocks = [jy + jv * vg[expand]]
    if sizes:
        dn = (n - SIZES[0]) * (SIZES[1] - n) / (SIZES[1] - SIZES[0])
        blocks += [jv * (v1 * dn[..., 0, :])[expand], jv * (v2 * dn[..., 1, :])[expand]]
    return r, t, np.concatenate(blocks, axis=-1)


def normal(r, j, steep):
    """Gradient and curvature (halved) of the loss in its quadratic model."""
    big = np.maximum(np.abs(r) - 0.6, 0)
    j = j * (weight := np.sqrt(1 + 1.5 * steep * big**2 / np.maximum(np.abs(r), 1e-9)))[..., None]
    back = np.swapaxes(j, -1, -2)
    return (back @ (weight * r)[..., None])[..., 0], back @ j


def leaning(state, y, a, sizes):
    """What holds a candidate near its prior: cost, gradient, curvature."""
    pulls = [(LEAN**2 / state.spread**2, y - state.centre)]
    pulls += [(0.04 * (np.abs(y) > LARGE), y - LARGE * np.sign(y))]
    curve, gradient = sum(c * np.ones_like(x) for c, x in pulls), sum(c * x for c, x in pulls)
    cost = sum((c * x**2).sum() for c, x in pulls)
    if sizes:
        x = (a - state.prior).ravel()
        cost += LEAN**2 * (x**2).sum()
        gradient = np.concatenate([gradient, LEAN**2 * x])
        curve = np.concatenate([curve, np.full(len(x), LEAN**2)])
    return cost, gradient, curve


def least_squares(state, turns, sizes):
    """Levenberg-Marquardt in effects and (`sizes`) continuous group sizes; changes the state."""
    p, k = state.problem, state.problem.k
    z, y, a, n = groups_of(p, state.labels), state.y, logit(state.n), state.n
    damp, fresh = 1e-2, True
    for _ in range(turns):
        if fresh:
            r, t, j = slopes(p, y, n, z, sizes)
            cost, gradient, curve = leaning(state, y, a, sizes)
            here = loss(r, state.steep) + cost
            g, h = normal(r, j, state.steep)
            g, h = g + gradient, h + np.diag(curve)
        step = -np.linalg.solve(h + damp * np.diag(np.diag(h) + 1e-6), g)
        ny, na, nn = y + np.clip(step[:k], -4, 4), a, n
        if sizes:
            na = np.clip(a + np.clip(step[k:].reshape(2, k), -2, 2), -6, 6)
            nn = SIZES[0] + (SIZES[1] - SIZES[0]) / (1 + np.exp(-na))
        r_new = misses(p, ny, variance_of(ny, *nn)[0], z, t)[0]
        there = loss(r_new, state.steep) + leaning(state, ny, na, sizes)[0]
        fresh = there < here
        if fresh:
            y, a, n, damp = ny, na, nn, max(damp / 5, 1e-7)
            if here - there < 1e-4 * here:
                break
        elif (damp := damp * 6) > 1e4:
            break
    state.y, state.n = y, n
    return loss(state.miss(), state.steep)


def swaps(state, moderator, most=10**6):
    """Labels of one moderator after each swap of two rows (a random choice of `most`)."""
    old = state.labels[moderator]
    i, j = np.nonzero(np.triu(old[:, None] != old[None, :]))
    pick = state.rng.permutation(len(i))[:most]
    labels = np.repeat(old[None], len(pick), axis=0)
    rows = np.arange(len(pick))
    labels[rows, i[pick]], labels[rows, j[pick]] = old[j[pick]], old[i[pick]]
    trials = np.repeat(state.labels[None], len(pick), axis=0)
    trials[:, moderator] = labels
    return trials


def size_steps(state, most=10**6):
    """Group sizes with one of them changed by one."""
    steps = np.concatenate([np.eye(state.n.size), -np.eye(state.n.size)])
    n = state.n + steps.reshape(-1, *state.n.shape)
    n = n[(n >= SIZES[0]).all((1, 2)) & (n <= SIZES[1]).all((1, 2))]
    return n[state.rng.permutation(len(n))[:most]]


def greedy(state, sizes):
    """Swap labels, and change whole sizes by one, while that helps with the rest as it is."""
    p, improved = state.problem, True
    while improved:
        improved = False
        v = variance_of(state.y, *state.n)[0]
        for m in state.rng.permutation(len(state.labels)):
            part, _ = p.part(m)
            trials = np.concatenate([state.labels[None], swaps(state, m)])
            losses = loss(misses(part, state.y, v, groups_of(part, trials))[0], state.steep)
            if losses.min() < losses[0] * (1 - 1e-4):
                state.labels, improved = trials[losses.argmin()], True
        if not sizes:
            n = np.concatenate([state.n[None], size_steps(state)])
            v = variance_of(state.y, n[:, 0], n[:, 1])[0][:, None]
            z = groups_of(p, state.labels)
            r = misses(p, state.y, v, np.broadcast_to(z, (len(n), *z.shape)))[0]
            losses = loss(r, state.steep)
            if losses.min() < losses[0] * (1 - 1e-4):
                state.n, improved = n[losses.argmin()], True


def settle(state, sizes, goal):
    """Alternate greedy steps and least squares; returns the loss."""
    value = least_squares(state, 40, sizes)
    for _ in range(3):
        if np.abs(state.miss()).max() < goal:
            break
        greedy(state, sizes)
        value = least_squares(state, 12, sizes)
    return value


def promising(state, sizes):
    """Best three of some moves, by the loss that a cautious linear step from them may reach."""
    p, m = state.problem, len(state.labels)
    _, gradient, curve = leaning(state, state.y, logit(state.n), sizes)
    caution = np.full(len(curve), 0.15**2)
    caution[: p.k] = 0.3**2
    z = groups_of(p, state.labels)
    if not sizes and (not m or state.rng.random() < 0.5):
        trials = size_steps(state, 60)
        changes = [{"n": n} for n in trials]
        z = np.broadcast_to(z, (len(trials), *z.shape))
        r, _, j = slopes(p, np.broadcast_to(state.y, (len(trials), p.k)), trials, z, sizes)
        value, (g, h) = loss(r, state.steep), normal(r, j, state.steep)
    else:
        m = state.rng.integers(m)
        part, own = p.part(m)
        r, _, j = slopes(p, state.y, state.n, z, sizes)
        g, h = normal(r[~own], j[~own], state.steep)
        trials = swaps(state, m, 80)
        changes = [{"labels": labels} for labels in trials]
        new, _, j = slopes(part, state.y, state.n, groups_of(part, trials), sizes)
        value = loss(r[~own], state.steep) + loss(new, state.steep)
        g, h = (x + x_new for x, x_new in zip((g, h), normal(new, j, state.steep), strict=True))
    g, h = g + gradient, h + np.diag(curve + caution)
    value = value - (g * np.linalg.solve(h, g[..., None])[..., 0]).sum(-1)
    return [state.copy(**changes[i]) for i in value.argsort()[:3]]


def kicked(state, sizes):
    """A candidate a few random moves away."""
    rng, out = state.rng, state.copy()
    for _ in range(rng.integers(1, 4) if len(state.labels) else 0):
        m = rng.integers(len(out.labels))
        part, _ = state.problem.part(m)
        trials = swaps(out, m, 60)
        v = variance_of(out.y, *out.n)[0]
        r = misses(part, out.y, v, groups_of(part, trials))[0]
        order = loss(r, out.steep).argsort()
        out.labels = trials[order[min(int(rng.exponential(3)), len(order) - 1)]]
    if not sizes:
        out.n = size_steps(out.copy(n=size_steps(out, 1)[0]), 1)[0]
    return out


def improve(state, rounds, goal, sizes):
    """Move, solve again, keep what is better (or a little worse), until all is within `goal`."""
    here = settle(state, sizes, goal)
    best, best_loss, since = state, here, 0
    for turn in range(rounds):
        if np.abs(best.miss()).max() < goal or (sizes and not len(state.labels)):
            break
        if turn % 4 == 0:
            trials = [kicked(state, sizes)]
            losses = [settle(trials[0], sizes, goal)]
        else:
            trials = promising(state, sizes)
            losses = [least_squares(trial, 10, sizes) for trial in trials]
        value = min(losses)
        if np.log(value / here) < state.rng.exponential(0.02):
            state, here = trials[losses.index(value)], value
        if value < best_loss:
            best, best_loss, since = state, value, turn
        elif turn - since > 60:
            state, here, since = best, best_loss, turn
    return best


def search(problem, seed=0, tries=4, rounds=(30, 300), goal=0.5, aim=0.8):
    """Labels, effects and whole group sizes for one outcome.

    Several short searches with continuous sizes; the best is carried on, then its sizes are
    rounded and the rest is solved again; if need be, once more with a steeper loss, which
    trades small distances for the largest.
    """
    best = None
    for attempt in range(tries):
        state = State(problem, np.random.default_rng([seed, attempt]))
        state = improve(state, rounds[0], goal, sizes=True)
        if best is None or loss(state.miss(), 1) < loss(best.miss(), 1):
            best = state
        if np.abs(best.miss()).max() < goal:
            break
    best = improve(best, rounds[1], goal, sizes=True)
    best.n = np.rint(best.n)
    best = improve(best, rounds[1], aim, sizes=False)
    best.steep = 20.0
    return improve(best, rounds[1] // 3, aim, sizes=False)
