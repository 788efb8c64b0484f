"""Experiments that are not independent: shared controls, same animals, several per study.

Only experiments of one study covary, so a sampling covariance is a list of blocks, one for each
study in the order in which the studies appear, its rows in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.stats import heterogeneity
from helpers.stats.distributions import chi2_isf, chi2_sf
from helpers.stats.effects import small_sample_factor
from helpers.stats.pooling import checked, critical, inference, numbers

# ------------------------------------------------------------------------- shared control groups


def shared_control_n(table, *, by, cohort=None):
    """Divide each control group's animals among the treated groups compared with it.

    Parameters
    ----------
    table : DataFrame, k rows of one outcome
        With the column ``n_control``.
    by : array_like of k labels
        The control group of each row, named differently in different studies. A missing or empty
        label is a control of its own.
    cohort : array_like of k labels, optional
        The treated animals of each row; rows of one cohort (several days) count as one group.

    Returns
    -------
    Series
        ``n_control`` divided by the number of treated groups on that control; fractions are kept.

    References
    ----------
    Cochrane Handbook 6.4, section 23.3.4.
    """
    n = pd.Series(table["n_control"], dtype=float)
    label = labels(by, len(n), "by")
    arm = np.arange(len(n)) if cohort is None else labels(cohort, len(n), "cohort")
    arms = np.bincount(np.unique([label, arm], axis=1)[0])
    return (n / arms[label]).rename("n_control")


def covariance(
    effect, *, variance, study, control_group, n_treated, n_control, cohort=None, occasion=None,
    rho=0.5, pooled_sd="pair", formula="metafor", correction="exact",
):  # fmt: skip
    r"""Sampling covariance of standardised mean differences within studies.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Hedges g (treated minus control) and its sampling variance, both from unsplit group sizes.
    study, control_group : array_like of k labels
        Only rows of one study covary; a missing control group is a control of its own.
    n_treated, n_control : array_like, shape (k,)
        Full numbers of animals.
    cohort : array_like of k labels, optional
        The treated animals; rows of one cohort are the same animals on several outcomes or days.
    occasion : array_like of k labels, optional
        Outcome or day. Two cohorts seen on different occasions share their control only through
        the correlation of its animals with themselves: the covariance is multiplied by `rho`.
    rho : float
        Correlation between two measurements of the same animals.
    pooled_sd : {"pair", "study", "control"}
        Which SD standardises: each comparison's own, one over all arms on the control, or the
        control's alone (Glass).
    formula : {"metafor", "stata"}
        With ``stata`` (its variance is J² times that of d) 1/n_c is multiplied by J_i·J_j.
    correction : {"exact", "approximate", "none"}
        The J that `formula="stata"` means.

    Returns
    -------
    list of ndarray
        For each study, in the order in which the studies appear, its rows' covariance, positive
        definite. Between studies it is zero.

    Raises
    ------
    ValueError
        If a study's block is not positive definite.

    Notes
    -----
    Shared control, m = n_treated + n_control - 2:

    - ``pair``: 1/n_c + g_i·g_j·(n_c - 1)/(2·m_i·m_j)
    - ``study``: 1/n_c + g_i·g_j/(2·N), N = n_c + all animals treated against that control
    - ``control``: 1/n_c + g_i·g_j/(2·(n_c - 1))

    Same animals: ρ·√(v_i·v_j).

    References
    ----------
    Gleser and Olkin (2009), in The Handbook of Research Synthesis, 2nd ed., chapter 19.
    """
    g, v = checked(effect, variance)
    k = len(g)
    n1, nc = numbers(k, n_treated=n_treated, n_control=n_control)
    if not -1 < rho < 1:
        raise ValueError(f"rho must lie between -1 and 1, not {rho}")
    if pooled_sd not in ("pair", "study", "control"):
        raise ValueError(f"pooled_sd must be pair, study or control, not {pooled_sd!r}")
    if formula not in ("metafor", "stata"):
        raise ValueError(f"formula must be metafor or stata, not {formula!r}")
    place = labels(study, k, "study", missing=False)
    group = labels(control_group, k, "control_group")
    animals = np.arange(k) if cohort is None else labels(cohort, k, "cohort")
    day = np.zeros(k) if occasion is None else labels(occasion, k, "occasion")
    m = n1 + nc - 2
    factor = small_sample_factor(m, correction) if formula == "stata" else np.ones(k)
    if pooled_sd == "study":
        arms = pd.DataFrame({"study": place, "group": group, "animals": animals, "n": n1})
        counted = arms["n"].where(~arms.duplicated(["study", "group", "animals"]), 0)
        treated = counted.groupby([place, group]).transform("sum").to_numpy()

    blocks = {}
    for rows in stacks(place):
        i, j = rows[:, :, None], rows[:, None]
        # Where a control lost animals between two rows, the smaller group is part of the larger.
        controls = np.maximum(nc[i], nc[j])
        if pooled_sd == "pair":
            spread = (controls - 1) / (2 * m[i] * m[j])
        elif pooled_sd == "study":
            spread = 1 / (2 * (controls + treated[j]))
        else:
            spread = 1 / (2 * (controls - 1))
        shared = factor[i] * factor[j] / controls + g[i] * g[j] * spread
        shared *= np.where(day[i] == day[j], 1, rho)
        again = rho * np.sqrt(v[i] * v[j])
        block = np.where(group[i] == group[j], shared, 0)
        block = np.where(animals[i] == animals[j], again, block)
        block = np.where(i == j, v[i], block)
        bad = np.linalg.eigvalsh(block)[:, 0] <= 1e-12 * v[rows].min(axis=1)
        if bad.any():
            name = pd.Series(np.asarray(study)).iloc[rows[bad][0, 0]]
            raise ValueError(
                f"the covariance of study {name} is not positive definite: "
                "check its group sizes and control groups, or use a smaller rho"
            )
        blocks |= zip(place[rows[:, 0]].tolist(), block, strict=True)
    return [blocks[code] for code in range(len(blocks))]


# ------------------------------------------------------------------------------ three-level model


@dataclass(frozen=True)
class ThreeLevelResult:
    """A three-level model: experiments within studies.

    Attributes
    ----------
    k, studies : int
        Numbers of experiments and of studies.
    estimate, se, ci_low, ci_high, p_effect : float
        Mean effect with its interval.
    sigma2_study, sigma2_experiment : float
        Variance between studies, and between experiments of one study.
    i2, i2_study, i2_experiment : float
        Percent of the total variance that is heterogeneity, whole and by level.
    pi_low, pi_high : float
        Prediction interval for a new experiment of a new study.
    q, p_heterogeneity : float
        Cochran's Q with the full sampling covariance, and its p (χ², k - 1).
    loglik : float
        Restricted log-likelihood.
    level : float
        Of both intervals, for instance 0.95.
    interval : str
        ``z`` or ``t`` (k - 1 degrees of freedom).
    note : str
        What is to be said about the fit, or empty.
    """

    k: int
    studies: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_effect: float
    sigma2_study: float
    sigma2_experiment: float
    i2: float
    i2_study: float
    i2_experiment: float
    pi_low: float
    pi_high: float
    q: float
    p_heterogeneity: float
    loglik: float
    level: float
    interval: str
    note: str = ""
    effect: np.ndarray = field(default=None, repr=False, compare=False)
    covariance: object = field(default=None, repr=False, compare=False)  # (k,), or blocks
    study: np.ndarray = field(default=None, repr=False, compare=False)

    def profile_intervals(self, level=None):
        """Profile-likelihood intervals of both variances.

        Returns
        -------
        dict
            ``{"sigma2_study": (low, high), "sigma2_experiment": (low, high)}``: where twice the
            loss of restricted log-likelihood, maximised over the other variance, reaches χ²(1).
            NaN for a variance that the data cannot tell from the other.
        """
        blocks, best = self._fitted()
        drop = chi2_isf(1 - (self.level if level is None else level), 1) / 2
        return {
            name: _profile(blocks, best, which, self.loglik - drop)
            for which, name in enumerate(("sigma2_study", "sigma2_experiment"))
        }

    def variance_tests(self):
        """Likelihood-ratio p of each variance against 0 (χ² with 1 df, as in the literature).

        Conservative: at the boundary the null distribution is a mixture that halves p.
        """
        (blocks, best), p = self._fitted(), {}
        for which, name in enumerate(("sigma2_study", "sigma2_experiment")):
            others = blocks.free & (np.arange(2) != which)
            ratio = 2 * (self.loglik - _climb(blocks, np.where(others, best, 0.0), others)[1])
            p[name] = float(chi2_sf(max(ratio, 0), 1)) if blocks.free[which] else np.nan
        return p

    def _fitted(self):
        blocks = _blocks(self.effect, self.covariance, self.study)
        return blocks, np.array([self.sigma2_study, self.sigma2_experiment])


def three_level(effect, *, study, variance=None, covariance=None, interval="z", level=0.95):
    r"""Fit the three-level random-effects model by REML.

    Parameters
    ----------
    effect : array_like, shape (k,)
    study : array_like of k labels
        The study of each experiment.
    variance : array_like, shape (k,), optional
        Sampling variances of independent effects.
    covariance : list of array_like, or array_like, shape (k, k), optional
        Their sampling covariance: a block for each study (see `covariance`), or one matrix that is
        zero between studies.
    interval : {"z", "t"}
        Normal, or t with k - 1 degrees of freedom.
    level : float

    Returns
    -------
    ThreeLevelResult

    Raises
    ------
    ValueError
        With fewer than two studies, or input that is not usable.

    Notes
    -----
    y_ij = μ + u_i + w_ij + e_ij with Var(u) = σ²_study, Var(w) = σ²_experiment, Var(e) = V.
    In the eigenvectors of a study's V its covariance is diagonal plus one rank-one term, so the
    likelihood and its gradient cost O(k) and no matrix is inverted. The optimum is the best point
    of a grid, polished by Newton steps that may end at 0.

    References
    ----------
    Konstantopoulos (2011), Research Synthesis Methods 2:61;
    Van den Noortgate and others (2013), Behavior Research Methods 45:576.
    """
    k = np.size(effect)
    code = labels(study, k, "study", missing=False)
    y, v = _sampling(effect, variance, covariance, code)
    studies = int(code.max()) + 1
    if studies < 2:
        raise ValueError(f"a three-level model needs at least two studies, there is {studies}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    if interval not in ("z", "t"):
        raise ValueError(f"interval must be z or t, not {interval!r}")
    blocks = _blocks(y, v, code)
    note = ""
    if not blocks.free[0]:
        note = "Every study has one experiment: only the sum of the two variances can be estimated."
    theta, loglik = _climb(blocks, _start(blocks), blocks.free)
    sxx, sxy = blocks.sums(theta)[:2]
    estimate, se = blocks.middle + sxy / sxx, 1 / np.sqrt(sxx)

    # Typical sampling variance (k - 1)/tr(P), P from the sampling covariance alone.
    w = 1 / blocks.spread
    sxx0, sxy0 = blocks.sums(np.zeros(2))[:2]
    trace = (w * heterogeneity.others(blocks.x**2 * w)).sum() / sxx0
    total = theta.sum() + (k - 1) / trace
    q = ((blocks.y - blocks.x * sxy0 / sxx0) ** 2 * w).sum()
    df = np.inf if interval == "z" else k - 1
    reach = critical(level, df) * np.sqrt(se**2 + theta.sum())
    found = inference(estimate, se, level=level, df=df) | {
        "sigma2_study": theta[0], "sigma2_experiment": theta[1],
        "i2": 100 * theta.sum() / total, "i2_study": 100 * theta[0] / total,
        "i2_experiment": 100 * theta[1] / total, "pi_low": estimate - reach,
        "pi_high": estimate + reach, "q": q, "p_heterogeneity": chi2_sf(q, k - 1),
        "loglik": loglik,
    }  # fmt: skip
    return ThreeLevelResult(
        k=k, studies=studies, **{name: float(value) for name, value in found.items()},
        level=level, interval=interval, note=note, effect=y, covariance=v, study=code,
    )  # fmt: skip


@dataclass(frozen=True)
class _Blocks:
    """The data in the eigenvectors of each study's sampling covariance, studies contiguous.

    There the covariance of a study is diag(spread + σ²_experiment) + σ²_study·x·x', and the
    column of ones has become x. The effects are counted from `middle`, to keep their digits.
    """

    spread: np.ndarray
    x: np.ndarray
    y: np.ndarray
    start: np.ndarray
    free: np.ndarray  # which of the two variances the data can tell apart
    middle: float

    def sums(self, theta):
        """1'M⁻¹1, 1'M⁻¹y, y'M⁻¹y and log|M| for θ of shape (..., 2)."""
        sigma2, tau2 = np.asarray(theta)[..., :1], np.asarray(theta)[..., 1:]
        d = self.spread + tau2
        a, b = self._by_study(self.x**2 / d), self._by_study(self.x * self.y / d)
        q = 1 + sigma2 * a
        syy = (self.y**2 / d).sum(-1) - (sigma2 * b**2 / q).sum(-1)
        return (a / q).sum(-1), (b / q).sum(-1), syy, np.log(d).sum(-1) + np.log(q).sum(-1)

    def loglik(self, theta):
        """Restricted log-likelihood, θ of shape (..., 2)."""
        sxx, sxy, syy, logdet = self.sums(theta)
        k = len(self.y)
        constant = np.log(k) - (k - 1) * np.log(2 * np.pi)
        return (constant - logdet - np.log(sxx) - syy + sxy**2 / sxx) / 2

    def gradient(self, theta):
        """Gradient of the restricted log-likelihood at one θ."""
        sigma2, tau2 = theta
        w = 1 / (self.spread + tau2)
        xw, yw = self.x * w, self.y * w
        a, b = self._by_study(self.x * xw), self._by_study(self.x * yw)
        a1, b1 = self._by_study(xw**2), self._by_study(xw * yw)  # -∂a/∂τ², -∂b/∂τ²
        q = 1 + sigma2 * a
        sxx = (a / q).sum()
        mu = (b / q).sum() / sxx
        e = (b - mu * a) / q  # 1'M⁻¹(y - μ) of each study
        e1 = b1 - mu * a1
        by_study = -(a / q).sum() + (a**2 / q**2).sum() / sxx + (e**2).sum()
        by_experiment = (sigma2 * a1 / q + a1 / q**2 / sxx).sum() - w.sum()
        by_experiment += ((yw - mu * xw) ** 2).sum()
        by_experiment -= (sigma2 * e * (2 * e1 - sigma2 * a1 * e)).sum()
        return np.array([by_study, by_experiment]) / 2

    def _by_study(self, values):
        return np.add.reduceat(values, self.start, axis=-1)


def _blocks(y, v, code):
    order, size = np.argsort(code, kind="stable"), np.bincount(code)
    start = np.cumsum(size) - size
    free = np.array([size.max() > 1, True])
    if isinstance(v, np.ndarray):
        y, middle = heterogeneity.centred(y, v)
        return _Blocks(v[order], np.ones(len(y)), y[order], start, free, middle)
    spread, x, turned = np.empty((3, len(y)))
    for rows in stacks(code):
        spread[rows] = _stack(v, code, rows).diagonal(axis1=1, axis2=2)
    y, middle = heterogeneity.centred(y, spread)
    for rows in stacks(code):
        spread[rows], vectors = np.linalg.eigh(_stack(v, code, rows))
        x[rows] = vectors.sum(axis=1)
        turned[rows] = (y[rows][:, None] @ vectors)[:, 0]
    return _Blocks(spread[order], x[order], turned[order], start, free, middle)


def _start(blocks):
    """The best point of a coarse grid: guards against the wrong of two maxima."""
    ladder = np.array([0, 0.003, 0.03, 0.1, 0.3, 0.6, 1, 2]) * _scale(blocks)
    grid = np.stack(np.meshgrid(ladder if blocks.free[0] else [0.0], ladder), -1).reshape(-1, 2)
    return grid[np.argmax(blocks.loglik(grid))]


def _scale(blocks):
    """A variance of the order of the effects' own."""
    mu = (blocks.x @ blocks.y) / (blocks.x @ blocks.x)
    return max(np.mean((blocks.y - mu * blocks.x) ** 2), 1e-6 * blocks.spread.min())


def _climb(blocks, theta, free):
    """Maximise the likelihood over the free variances from θ: θ at the maximum, and its value."""
    scale = _scale(blocks)
    theta, value = np.array(theta, float), blocks.loglik(theta)
    for _ in range(200):
        slope = blocks.gradient(theta)
        move = free & ((theta > 0) | (slope > 0))
        if not move.any():
            break
        step = np.zeros(2)
        step[move] = _newton_step(blocks, theta, slope, move, scale)
        for halving in range(40):
            new = np.maximum(theta + step / 2**halving, 0)
            new_value = blocks.loglik(new)
            if new_value >= value - 1e-13 * abs(value):
                break
        else:
            break
        done = np.all(np.abs(new - theta) <= 1e-11 * (new + 1e-3 * scale))
        theta, value = new, new_value
        if done:
            break
    return theta, value


def _newton_step(blocks, theta, slope, move, scale):
    """Newton step on the moving variances; curvature from differences of the exact gradient."""
    which = np.flatnonzero(move)
    curvature = np.empty((len(which), len(which)))
    for column, i in enumerate(which):
        h = np.zeros(2)
        h[i] = 1e-5 * (theta[i] + 0.01 * scale)
        curvature[:, column] = ((blocks.gradient(theta + h) - slope) / h[i])[which]
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    # Uphill in every direction, even where the likelihood is not concave; never absurdly far.
    values = np.maximum(np.abs(values), 1e-12 * np.abs(slope[which]).max() / scale)
    step = vectors @ ((vectors.T @ slope[which]) / values)
    return step * min(1, 10 * scale / max(np.abs(step).max(), 1e-300))


def _profile(blocks, best, which, target):
    """Bounds of one variance where its profile likelihood reaches `target`."""
    from scipy.optimize import brentq  # 0.1 s to import, and no report needs it

    if not blocks.free[which]:
        return np.nan, np.nan
    free, near = blocks.free & (np.arange(2) != which), best.copy()

    def above(value):
        near[which] = value
        near[:], loglik = _climb(blocks, near, free)
        return loglik - target

    def root(low, high):
        return brentq(above, low, high, xtol=1e-14 * high, rtol=1e-12)

    low = 0.0 if best[which] == 0 or above(0.0) >= 0 else root(0.0, best[which])
    near[:] = best
    high = max(2 * best[which], 0.1 * _scale(blocks))
    while above(high) > 0:
        high *= 2
    return float(low), float(root(best[which], high))


# ------------------------------------------------------------------------------------------ input


def _sampling(effect, variance, covariance, code):
    """Effects with their variances (k,), or with the covariance of each study."""
    if variance is None and covariance is None:
        raise ValueError("give the sampling variance or the sampling covariance")
    if covariance is None:
        return checked(effect, variance)
    rows = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    if not isinstance(covariance, list):
        v = np.asarray(covariance, dtype=float)
        if v.shape != 2 * code.shape:
            raise ValueError(f"covariance must be a matrix, a row an effect, not {v.shape}")
        covariance = [v[np.ix_(r, r)] for r in rows]
        if np.count_nonzero(v) > sum(map(np.count_nonzero, covariance)):
            raise ValueError("the covariance between studies must be zero")
    blocks = [np.asarray(block, dtype=float) for block in covariance]
    if [block.shape for block in blocks] != [2 * r.shape for r in rows]:
        raise ValueError("covariance must have a square block for each study, in their order")
    diagonal = np.empty(len(code))
    for rows in stacks(code):
        block = _stack(blocks, code, rows)
        if not np.allclose(block, block.mT, rtol=1e-8, atol=0):
            raise ValueError("covariance must be symmetric")
        diagonal[rows] = block.diagonal(axis1=1, axis2=2)
    y, diagonal = checked(effect, diagonal)
    if variance is not None and not np.allclose(diagonal, np.asarray(variance, float)):
        raise ValueError("variance differs from the diagonal of covariance")
    return y, blocks


def labels(values, k, name, missing=True):
    """Whole numbers that are equal where labels are; a missing one is one of its own, or refused.

    Without missing labels they are 0, 1, ... in the order in which the labels appear.
    """
    values = np.asarray(values, dtype=object)
    if len(values) != k:
        raise ValueError(f"{name} has {len(values)} labels, expected {k}")
    codes, names = pd.factorize(values)
    blank = np.append(names == "", True)[codes]  # the code of NaN and None is -1
    if blank.any() and not missing:
        raise ValueError(f"{name} is missing in {blank.sum()} rows")
    codes[blank] = len(names) + np.arange(blank.sum())
    return codes


def stacks(code, within=None):
    """Rows of each code, those of as many rows together, so that a loop is over sizes only.

    Parameters
    ----------
    code : ndarray of int, shape (k,)
    within : ndarray of int, shape (k,), optional
        Put the rows of each code in the order of this one.

    Yields
    ------
    ndarray of int, shape (codes, rows)
        Of at most 1,000,000 pairs of rows, where one code alone has no more.
    """
    order = np.lexsort((code if within is None else within, code))
    size = np.bincount(code)[code[order]]
    for n in np.unique(size):
        rows = order[size == n].reshape(-1, n)
        yield from np.array_split(rows, -(-rows.size * n // 1_000_000))


def _stack(blocks, code, rows):
    """Blocks of the codes whose rows these are, shape (codes, rows, rows)."""
    return np.stack([blocks[c] for c in code[rows[:, 0]]])
