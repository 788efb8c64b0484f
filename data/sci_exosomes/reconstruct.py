"""Solve an extraction sheet that agrees with what the article printed.

The article prints pooled, subgroup and meta-regression results, not the experiments behind
them. Here group sizes, effects and moderator levels are searched so that the article's own
method (Hedges' g with the approximate correction, Stata's variance, REML, normal intervals)
gives the printed numbers back. Nothing in the result is evidence about exosomes.

    python data/sci_exosomes/reconstruct.py [--seed N] [--outcome ID] [--out FILE]
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

HERE = Path(__file__).resolve().parent
Z95 = 1.959963984540054

# Assumed number of experiments where the article prints none. Reasons are in README.md.
ASSUMED_K = {
    "beta_tubulin_iii": 10, "neun": 8, "gap_43": 6, "nissl": 7, "gfap": 25, "bax": 12,
    "bcl_2": 12, "caspase_1": 5, "caspase_3": 8, "arg1": 5, "cd206": 4, "cd68": 8,
    "iba_1": 9, "il_10": 10, "il_4": 7, "il_6": 12, "il_18": 5, "il_1a": 4, "nlrp3": 5,
    "mcp_1": 4,
}  # fmt: skip

# Printed coefficients that contradict their own interval or p; what is aimed at instead.
CORRECTED = {
    ("locomotion", "origin", "UCMSC"): (-0.32, -1.28, 0.64),
    ("il_1b", "severity", "Severe"): (-1.39, -3.35, 0.57),
    ("tnf_a", "species", "Rat"): (0.01, -1.43, 1.45),
    ("tnf_a", "timing", "Acute (24 to 72 hours)"): (-0.085, -2.22, 2.05),
}

EXCLUDED = {"il_1b": 1, "tnf_a": 3}  # experiments the article dropped as outliers
SIZES = (3, 16)  # animals in a group
LARGE = 12  # effects beyond this are pulled back
LEAN = 0.05  # pull of a candidate to its prior, in tolerances
TOLERANCE = {"pooled": (0.01, 0.01), "subgroup": (0.03, 0.05), "coefficient": (0.06, 0.1)}
I2_TOLERANCE = 1.5


# ---------------------------------------------------------------- what is to be met


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


def read_problem(outcome, k=None):
    """Targets of one outcome from the published tables."""
    pooled = pd.read_csv(HERE / "published_pooled.csv")
    row = pooled[(pooled["outcome_id"] == outcome) & pooled["smd"].notna()].iloc[0]
    if k is None:
        k = int(row["k"]) if pd.notna(row["k"]) else ASSUMED_K[outcome]
    table = pd.read_csv(HERE / "published_subgroups.csv")
    table = table[table["outcome_id"] == outcome]
    fits, index, printed, tolerance = [(-1, -1)], [(0, 0, -1)], [], [TOLERANCE["pooled"]]
    printed.append((row["smd"], row["ci_low"], row["ci_high"]))
    names, i2_fit, i2 = [("pooled", "", "")], [], []
    moderators, levels, counts = [], [], []
    for moderator, block in table.groupby("moderator_id", sort=False):
        block = block.reset_index(drop=True)
        place = len(moderators)
        moderators.append(moderator)
        levels.append(block["level_id"].tolist())
        counts.append(block["k"].astype(int).tolist())
        joint = len(fits)
        fits.append((place, -1))
        reference = int(block.index[block["is_reference"] == "yes"][0])
        for level, line in block.iterrows():
            if pd.notna(line["smd"]):
                i2_fit.append(len(fits))
                i2.append(line["i2"])
                index.append((len(fits), 0, -1))
                fits.append((place, level))
                printed.append((line["smd"], line["ci_low"], line["ci_high"]))
                tolerance.append(TOLERANCE["subgroup"])
                names.append(("subgroup", moderator, line["level_id"]))
            if pd.notna(line["coef"]):
                target = (line["coef"], line["coef_low"], line["coef_high"])
                index.append((joint, level, reference))
                printed.append(CORRECTED.get((outcome, moderator, line["level_id"]), target))
                tolerance.append(TOLERANCE["coefficient"])
                names.append(("coefficient", moderator, line["level_id"]))
    return Problem(
        outcome, k, moderators, levels, counts, fits, np.array(index), np.array(printed, float),
        np.array(tolerance), np.array(i2_fit, int), np.array(i2, float), names,
    )  # fmt: skip


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
    return locals()


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


def loss(r):
    """Squares, steeper above 0.6 of a tolerance: what exceeds its tolerance counts most."""
    return (r**2 + np.maximum(np.abs(r) - 0.6, 0) ** 3).sum(-1)


# ---------------------------------------------------------------- the search


class State:
    """A candidate: effects y, group sizes n (2, k), labels (moderators, k); and its prior."""

    def __init__(self, problem, rng):
        k = problem.k
        estimate, low, high = problem.printed[0]
        spread = np.sqrt(max(k * ((high - low) / 2 / Z95) ** 2 - 0.6, 0.1))
        self.problem, self.rng = problem, rng
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
    r, t, jy, jv = misses(problem, y, v[expand], z, start, jacobian=True)
    blocks = [jy + jv * vg[expand]]
    if sizes:
        dn = (n - SIZES[0]) * (SIZES[1] - n) / (SIZES[1] - SIZES[0])
        blocks += [jv * (v1 * dn[..., 0, :])[expand], jv * (v2 * dn[..., 1, :])[expand]]
    return r, t, np.concatenate(blocks, axis=-1)


def normal(r, j):
    """Gradient and curvature (halved) of the loss in its quadratic model."""
    big = np.maximum(np.abs(r) - 0.6, 0)
    j = j * (weight := np.sqrt(1 + 1.5 * big**2 / np.maximum(np.abs(r), 1e-9)))[..., None]
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
            here = loss(r) + cost
            g, h = normal(r, j)
            g, h = g + gradient, h + np.diag(curve)
        step = -np.linalg.solve(h + damp * np.diag(np.diag(h) + 1e-6), g)
        ny, na, nn = y + np.clip(step[:k], -4, 4), a, n
        if sizes:
            na = np.clip(a + np.clip(step[k:].reshape(2, k), -2, 2), -6, 6)
            nn = SIZES[0] + (SIZES[1] - SIZES[0]) / (1 + np.exp(-na))
        r_new = misses(p, ny, variance_of(ny, *nn)[0], z, t)[0]
        there = loss(r_new) + leaning(state, ny, na, sizes)[0]
        fresh = there < here
        if fresh:
            y, a, n, damp = ny, na, nn, max(damp / 5, 1e-7)
            if here - there < 1e-3 * here:
                break
        elif (damp := damp * 6) > 1e4:
            break
    state.y, state.n = y, n
    return loss(state.miss())


def expected(state, sizes, moderator=None, labels=None, n=None):
    """Loss that one cautious step may reach from trials: `labels` of a moderator, or sizes `n`."""
    p = state.problem
    z = groups_of(p, state.labels)
    cost, gradient, curve = leaning(state, state.y, logit(state.n), sizes)
    caution = np.full(len(curve), 0.15**2)
    caution[: p.k] = 0.3**2
    if labels is None:
        z = np.broadcast_to(z, (len(n), *z.shape))
        r, _, j = slopes(p, np.broadcast_to(state.y, (len(n), 1, p.k)), n, z, sizes)
        value, (g, h) = loss(r), normal(r, j)
    else:
        part, own = p.part(moderator)
        r, _, j = slopes(p, state.y, state.n, z, sizes)
        g0, h0 = normal(r[~own], j[~own])
        trial = np.repeat(state.labels[None], len(labels), axis=0)
        trial[:, moderator] = labels
        new, _, j = slopes(part, state.y, state.n, groups_of(part, trial), sizes)
        g, h = normal(new, j)
        value, g, h = loss(r[~own]) + loss(new), g + g0, h + h0
    g, h = g + gradient, h + np.diag(curve + caution)
    return value - (g * np.linalg.solve(h, g[..., None])[..., 0]).sum(-1)


def moves(state, sizes):
    """Trials of one kind: swaps of two rows' labels of a moderator, or group sizes by one."""
    rng, k, m = state.rng, state.problem.k, len(state.labels)
    if not sizes and (not m or rng.random() < 0.5):
        n = state.n + np.concatenate([np.eye(2 * k), -np.eye(2 * k)]).reshape(-1, 2, k)
        n = n[(n >= SIZES[0]).all((1, 2)) & (n <= SIZES[1]).all((1, 2))]
        n = n[rng.permutation(len(n))[:60]]
        return [{"n": x} for x in n], expected(state, sizes, n=n)
    m = rng.integers(m)
    old = state.labels[m]
    i, j = np.nonzero(np.triu(old[:, None] != old[None, :]))
    pick = rng.permutation(len(i))[:80]
    labels = np.repeat(old[None], len(pick), axis=0)
    rows = np.arange(len(pick))
    labels[rows, i[pick]], labels[rows, j[pick]] = old[j[pick]], old[i[pick]]
    trials = np.repeat(state.labels[None], len(pick), axis=0)
    trials[:, m] = labels
    return [{"labels": x} for x in trials], expected(state, sizes, m, labels)


def improve(state, rounds, goal, sizes):
    """Make the most promising moves, each followed by least squares, until all is within `goal`."""
    here = least_squares(state, 60, sizes)
    best, best_loss, since = state, here, 0
    for turn in range(rounds):
        if np.abs(best.miss()).max() < goal or (sizes and not len(state.labels)):
            break
        changes, hopes = moves(state, sizes)
        trials = [state.copy(**changes[i]) for i in hopes.argsort()[:3]]
        losses = [least_squares(trial, 10, sizes) for trial in trials]
        value = min(losses)
        if np.log(value / here) < state.rng.exponential(0.02):
            state, here = trials[losses.index(value)], value
        if value < best_loss:
            best, best_loss, since = state, value, turn
        elif turn - since > 60:
            state, here, since = best, best_loss, turn
    return best


def search(problem, seed=0, tries=6, rounds=(80, 600), goal=0.5, aim=0.8, verbose=False):
    """Labels, effects and whole group sizes for one outcome.

    Several short searches with continuous sizes; the best is carried on, then its sizes are
    rounded and the rest is solved again.
    """
    best = None
    for attempt in range(tries):
        state = State(problem, np.random.default_rng([seed, attempt]))
        state = improve(state, rounds[0], goal, sizes=True)
        if best is None or loss(state.miss()) < loss(best.miss()):
            best = state
        if verbose:
            print(f"  try {attempt}: {np.abs(state.miss()).max():.2f}", flush=True)
        if np.abs(best.miss()).max() < goal:
            break
    best = improve(best, rounds[1], goal, sizes=True)
    if verbose:
        print(f"  continuous: {np.abs(best.miss()).max():.2f}", flush=True)
    best.n = np.rint(best.n)
    best = improve(best, rounds[1], aim, sizes=False)
    if verbose:
        print(f"  whole sizes: {np.abs(best.miss()).max():.2f}", flush=True)
    return best


def solve(outcome, k=None, seed=0, verbose=False):
    """One reconstruction of one outcome.

    Parameters
    ----------
    outcome : str
        Outcome id.
    k : int, optional
        Number of experiments; default the printed or else the assumed one.
    seed : int
        Other seeds give other sheets that agree with what was printed.

    Returns
    -------
    DataFrame
        A row an experiment: `outcome, n_treated, n_control, g`, the moderators, `excluded`.
        `attrs["worst"]` is the largest distance from a target, in tolerances.
    """
    problem = read_problem(outcome, k)
    state = search(problem, seed, verbose=verbose)
    out = pd.DataFrame({"outcome": outcome, "n_treated": state.n[0], "n_control": state.n[1]})
    out["g"], out["excluded"] = state.y, False
    for moderator, names, codes in zip(
        problem.moderators, problem.levels, state.labels, strict=True
    ):
        out[moderator] = [names[c] if c >= 0 else "" for c in codes]
    rng = np.random.default_rng([seed, 99])
    for _ in range(EXCLUDED.get(outcome, 0)):
        row = out.iloc[[rng.integers(len(out))]].copy()
        n = int(rng.integers(8, 11))
        row[["n_treated", "n_control"]] = n
        row["g"] = np.sign(problem.printed[0, 0]) * rng.uniform(10.5, 13.5)
        row["excluded"] = True
        for moderator in problem.moderators:
            row[moderator] = rng.choice(out.loc[out[moderator] != "", moderator])
        out = pd.concat([out, row], ignore_index=True)
    out = out.astype({"n_treated": int, "n_control": int})
    out.attrs["worst"] = float(np.abs(state.miss()).max())
    return out


# ---------------------------------------------------------------- from effects to a sheet

MODERATORS = ["species", "model", "severity", "origin", "administrations", "timing", "route"]
MODERATORS += ["follow_up"]
COLUMNS = ["experiment", "study", "cohort", "control_group", "outcome"]
COLUMNS += [f"{x}_{arm}" for arm in ("treated", "control") for x in ("n", "mean", "sd")]
COLUMNS += ["follow_up_days", *MODERATORS, "provenance"]
# What a disagreement of a study's rows costs when rows are dealt to studies.
DISAGREEMENT = dict.fromkeys(MODERATORS, 1) | {"species": 1000, "model": 10, "severity": 10}
DISAGREEMENT["follow_up"] = 3
STUDIES, PAIRS = 65, 7  # 72 locomotion experiments from 65 studies

# Control mean from, to; the range that treated means keep to; SD as a share of the control mean.
SCALES = {
    "Rat": ((5, 10), (0.5, 20), (0.12, 0.3)),
    "Mice": ((2, 4), (0.3, 8.7), (0.12, 0.3)),
    "cavity_size": ((28, 45), (3, 90), (0.1, 0.25)),
    "apoptotic_cells": ((35, 60), (3, 95), (0.1, 0.25)),
    "cd206": ((10, 20), (2, 80), (0.15, 0.3)),
    "cd68": ((35, 60), (3, 95), (0.1, 0.25)),
    "neurons": ((25, 45), (8, 110), (0.12, 0.3)),
    "falls": ((2, 4), (0.3, 8), (0.1, 0.25)),  # relative expression, benefit is lower
    "rises": ((0.35, 0.7), (0.1, 2.5), (0.12, 0.3)),  # relative expression, benefit is higher
}


def scale_of(outcome, species, estimate):
    """Scale of an outcome; locomotion is BMS in mice and BBB in rats."""
    if outcome == "locomotion":
        return SCALES[species]
    if outcome in ("neun", "nf200", "nissl"):
        return SCALES["neurons"]
    return SCALES.get(outcome, SCALES["rises" if estimate > 0 else "falls"])


def find_pairs(rows, wanted, rng):
    """Pairs of rows that could be two arms of a study with one control group."""
    same = ["n_control", "species", "model", "severity", "follow_up"]
    rows = rows.reindex(columns=[*rows.columns, *set(same) - set(rows.columns)]).fillna("")
    pool = rows[~rows["excluded"] & rows["g"].abs().lt(8)]
    found = []
    for _, block in pool.groupby(same, sort=True):
        order = rng.permutation(block.index)
        found += list(zip(order[::2], order[1::2], strict=False))
    return [found[i] for i in rng.permutation(len(found))[:wanted]]


def deal(rows, profiles, rng):
    """Give rows to studies so that a study's rows agree as far as they can.

    Adds `study` (0 to 64) and `arm`; studies below PAIRS have two treated arms. Rows fill in
    what their study's profile does not yet say.
    """
    rows["study"], rows["arm"] = -1, 1
    moderators = [m for m in MODERATORS if m in rows]
    first = not profiles
    if first:
        profiles.extend({} for _ in range(STUDIES))
    wanted = PAIRS if first else 2 if len(rows) >= 20 else int(len(rows) >= 8)
    pairs = find_pairs(rows, wanted, rng)

    def cost(units, studies):
        out = rng.uniform(0, 0.1, (len(units), len(studies)))
        for i, unit in enumerate(units):
            for j, s in enumerate(studies):
                for m in moderators:
                    known = profiles[s].get(m, "")
                    for r in unit:
                        level = rows.at[r, m]
                        out[i, j] += DISAGREEMENT[m] * bool(level and known and level != known)
        return out

    single = [(r,) for r in rows.index if not any(r in p for p in pairs)]
    for units, studies in ((pairs, range(PAIRS)), (single, range(STUDIES))):
        free = [s for s in studies if s not in set(rows["study"])]
        for i, j in zip(*linear_sum_assignment(cost(units, free)), strict=True):
            for arm, r in enumerate(units[i], 1):
                rows.loc[r, ["study", "arm"]] = free[j], arm
                for m in moderators:
                    profiles[free[j]].setdefault(m, rows.at[r, m])
                    profiles[free[j]][m] = profiles[free[j]][m] or rows.at[r, m]
    return rows.sort_values(["study", "arm"], ignore_index=True)


def add_days(rows, profiles, rng):
    """Follow-up in days: in the row's level, and a study's own where the level allows."""
    choice = {"<28 days": [7, 14, 21], "≥28 days": [28, 28, 35, 42, 56]}
    days = []
    for _, row in rows.iterrows():
        known = profiles[row["study"]].setdefault("days", {})
        level = row.get("follow_up") or profiles[row["study"]].get("follow_up") or "≥28 days"
        days.append(known.setdefault(level, int(rng.choice(choice[level]))))
    rows["follow_up_days"] = days


def add_means(rows, outcome, rng):
    """Means and SDs on the outcome's scale that have each row's effect after rounding."""
    for (study,), block in rows.groupby(["study"]):
        estimate = np.median(rows["g"])
        species = block["species"].iloc[0] if outcome == "locomotion" else ""
        control, (low, high), spread = scale_of(outcome, species, estimate)
        mean = round(rng.uniform(*control), 4)
        sd_control = mean * rng.uniform(*spread)
        n1, n2 = block["n_treated"].to_numpy(), block["n_control"].to_numpy()
        sd = sd_control * rng.uniform(0.85, 1.2, len(block))
        m = n1 + n2 - 2
        d = block["g"].to_numpy() / (1 - 3 / (4 * m - 1))
        room = np.where(d > 0, high - mean, mean - low) * rng.uniform(0.7, 0.95, len(block))
        pooled = np.sqrt(((n1 - 1) * sd**2 + (n2 - 1) * sd_control**2) / m)
        shrink = np.minimum(1, room / (np.abs(d) * pooled)).min()  # large effects, small SDs
        sd, sd_control = np.round(sd * shrink, 4), round(sd_control * shrink, 4)
        pooled = np.sqrt(((n1 - 1) * sd**2 + (n2 - 1) * sd_control**2) / m)
        at = block.index
        rows.loc[at, ["mean_control", "sd_control"]] = mean, sd_control
        rows.loc[at, "sd_treated"] = sd
        rows.loc[at, "mean_treated"] = np.round(mean + d * pooled, 4)


def assemble(solved, seed=0):
    """The sheet and the exclusions from solved outcomes, locomotion first (it sets the studies)."""
    rng = np.random.default_rng([seed, 7])
    profiles, parts, dropped = [], [], []
    for outcome, rows in solved.items():
        rows = deal(rows.copy(), profiles, rng)
        add_days(rows, profiles, rng)
        add_means(rows, outcome, rng)
        study = (rows["study"] + 1).map("reconstructed-study-{:02d}".format)
        name = f"reconstructed-{outcome.replace('_', '-')}"
        rows["experiment"] = [f"{name}-{i:02d}" for i in range(1, len(rows) + 1)]
        rows["study"], rows["control_group"] = study, study + "-control"
        rows["cohort"] = study + "-arm-" + rows["arm"].astype(str)
        rows["provenance"] = "reconstructed"
        dropped += rows.loc[rows["excluded"], "experiment"].tolist()
        parts.append(rows.reindex(columns=COLUMNS))
    reason = "outlier (the article: significant effects on heterogeneity or publication bias)"
    exclusions = pd.DataFrame({"experiment": dropped, "reason": reason, "by": "article"})
    return pd.concat(parts, ignore_index=True), exclusions


def main():
    """Solve and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--outcome", help="only this outcome (printed unless --out is given)")
    parser.add_argument("--out", type=Path, help="where to write the sheet")
    options = parser.parse_args()
    outcomes = pd.read_csv(HERE / "published_pooled.csv").dropna(subset="smd")["outcome_id"]
    solved = {}
    for outcome in [options.outcome] if options.outcome else outcomes:
        begin = time.monotonic()
        solved[outcome] = solve(outcome, seed=options.seed)
        worst, took = solved[outcome].attrs["worst"], time.monotonic() - begin
        print(f"{outcome}: largest distance {worst:.2f} tolerances, {took:.0f} s", flush=True)
    if options.outcome and not options.out:
        print(solved[options.outcome].to_csv(index=False))
        return
    sheet, exclusions = assemble(solved, options.seed)
    out = options.out or HERE / "experiments.csv"
    sheet.to_csv(out, index=False)
    if not options.outcome:
        exclusions.to_csv(out.with_name("exclusions.csv"), index=False)


if __name__ == "__main__":
    main()
