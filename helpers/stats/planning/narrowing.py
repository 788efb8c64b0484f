"""How much one more experiment would narrow a confidence interval.

The model and its variances between experiments are held at what they are now. What the new
experiment finds is not known, so that the width after it is an expected one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.stats.mixed_model.groups import stacks
from helpers.stats.mixed_model.inference import ASKED
from helpers.stats.mixed_model.sampling import Sampling
from helpers.stats.mixed_model.sandwich import MAX_CLUSTER, MIN_CLUSTERS, MIN_DF, sandwich
from helpers.stats.pooling import critical

# Of a standard normal variable: what the new experiment finds, standardised.
_Z, _SHARE = np.polynomial.hermite_e.hermegauss(60)
_SHARE = _SHARE / _SHARE.sum()


@dataclass(frozen=True)
class Narrowing:
    """Width of a confidence interval, in units of the effect, and expected with one experiment more.

    Attributes
    ----------
    now, then : float
    """

    now: float
    then: float

    @property
    def share(self):
        """By which share of its width it narrows; below 0 where it would be wider, NaN of no width."""
        return 1 - self.then / self.now if self.now else np.nan


def of_pooled(result, *, variance):
    """Narrowing of a pooled effect of independent experiments.

    Parameters
    ----------
    result : helpers.stats.pooling.PooledResult
        Of at least two effects.
    variance : float
        Sampling variance of the new experiment's effect.

    Returns
    -------
    Narrowing
    """
    weight = 1 / (result.variance + result.tau2)
    df, square = np.inf, 1.0
    if result.interval != "z":
        off = weight * (result.effect - result.estimate) ** 2
        df, square = result.k - 1, off.sum() / (result.k - 1)
    if result.interval == "hksj_truncated":
        square = max(square, 1.0)
    return of_weights(
        weight.sum(), added=1 / (variance + result.tau2), level=result.level, df=df,
        mean_square=square,
    )  # fmt: skip


def of_weights(weight, *, added, level, df=np.inf, mean_square=1.0):
    r"""Narrowing of a weighted mean of independent effects.

    Parameters
    ----------
    weight, added : float
        Sum of the weights 1/(v + τ²), and that of the new effect.
    level : float
    df, mean_square : float
        Of Hartung and Knapp's interval: degrees of freedom, and the weighted mean square q of the
        effects around their means; infinite and 1 for that by z.

    Returns
    -------
    Narrowing

    Notes
    -----
    The half-width is t(df)·√(q/W), and with one effect more of weight w it is expected at
    t(df + 1)·E√((df·q + Z²)/(df + 1)) / √(W + w): under the model, and with the variances known,
    (effect - mean)²/(1/w + 1/W) is the square of a standard normal Z. A mean square that is floored
    at 1 enters as that and is not floored again, since τ² takes up what it falls short.

    References
    ----------
    Roloff V, Higgins JPT, Sutton AJ (2013). Planning future studies based on the conditional power
    of a random-effects meta-analysis. Stat Med 32:11-24 (τ² held at its estimate).
    """
    now = critical(level, df) * np.sqrt(mean_square / weight)
    square = mean_square if np.isinf(df) else (df * mean_square + _Z**2) / (df + 1)
    then = critical(level, df + 1) * np.sum(_SHARE * np.sqrt(square)) / np.sqrt(weight + added)
    return Narrowing(float(2 * now), float(2 * then))


def of_multilevel(fit, design, *, variance, beside=None):
    r"""Narrowing of a mean of the multilevel model.

    Parameters
    ----------
    fit : helpers.stats.mixed_model.inference.Fitted
    design : array_like, shape (p,)
        Of the new row, and of the mean whose interval is meant: 1 for the mean of all.
    variance : float
        Sampling variance of the new row, whose errors covary with no other's.
    beside : int, optional
        A row whose groups, but for its own row, the new one shares; by default it has new groups
        at every level.

    Returns
    -------
    Narrowing

    Notes
    -----
    With Φ the covariance of all rows, the new one n included, M = (X'Φ⁻¹X)⁻¹ and
    P = Φ⁻¹ - Φ⁻¹XMX'Φ⁻¹, what the new row finds differs from what the others let expect by
    e ~ N(0, 1/P_nn). By containment df the width does not depend on e. By CR2 the scores are linear
    in e, so that the squared standard error is a quadratic in it, and the width its expected root
    times the critical value of t with the Satterthwaite df of the larger data. Which of the two
    holds follows from the larger data by the same rule.
    """
    c = np.asarray(design, dtype=float)
    before = fit.contrast(c)
    more = _extended(fit, c, variance, beside)
    last, p = len(fit.y), len(c)
    information, solved, own = np.zeros((p, p)), np.empty((last + 1, p)), 0.0
    blocks = [(rows, more.working(rows)) for rows in stacks(more.cluster)]
    for rows, phi in blocks:
        part = more.x[rows]
        solved[rows] = np.linalg.solve(phi, part)
        information += np.einsum("gnp,gnq->pq", part, solved[rows])
        if len(here := np.argwhere(rows == last)):
            group, place = here[0]
            own = np.linalg.inv(phi[group])[place, place]
    bread = np.linalg.inv(information)
    now = before["ci_high"] - before["ci_low"]
    contained = float(2 * critical(fit.level, more.contained(c)) * np.sqrt(c @ bread @ c))
    sizes = np.bincount(more.cluster)
    if fit.fallback == ASKED or len(sizes) < MIN_CLUSTERS or sizes.max() > MAX_CLUSTER:
        return Narrowing(now, contained)
    precision = own - solved[last] @ bread @ solved[last]
    gain = bread @ solved[last]
    shift = -more.x @ gain  # of the residuals, by each unit of the new effect
    shift[last] += 1
    residual = more.y - more.x @ (bread @ (solved.T @ more.y))
    # The new effect that the others let expect is the one that leaves them as they are.
    expected = _weighted(blocks, residual, last) / precision
    robust = sandwich(more.x, residual - expected * shift, bread=bread, stacked=blocks)
    df = robust.df(c)
    if not (df >= MIN_DF and robust.unbiased(c)):
        return Narrowing(now, contained)
    fixed = robust.score @ c
    moved = np.concatenate([(u.mT @ shift[rows][..., None])[..., 0] for rows, u in robust.adjusted])
    scores = fixed[:, None] + moved @ c[:, None] * (_Z / np.sqrt(precision))
    se = _SHARE @ np.sqrt((scores**2).sum(axis=0))
    return Narrowing(now, float(2 * critical(fit.level, df) * se))


def most_telling(fit, *, variance):
    """Row of the existing group in which one more row tells most about the mean; None for none.

    Groups are those of the levels that hold several rows. The most is the largest gain
    (1 - 1'Φ⁻¹φ)²/(s - φ'Φ⁻¹φ) of the mean's precision, s the variance of the new row and φ its
    covariances.
    """
    shared = [code for code in fit.codes if code.max() + 1 < len(fit.y)]
    if not shared:
        return None
    sigma2, best = fit.model.unit**2 * fit.theta, (-1.0, None)
    for rows in stacks(fit.cluster):
        phi = fit.working(rows)
        common = sum(
            variance * (code[rows][:, :, None] == code[rows][:, None])
            for code, variance in zip(shared, sigma2, strict=False)
        )
        told = np.linalg.solve(phi, common)
        left = variance + sigma2.sum() - np.einsum("gij,gij->gj", common, told)
        found = (1 - told.sum(axis=1)) ** 2 / left
        group, place = np.unravel_index(np.argmax(found), found.shape)
        if found[group, place] > best[0]:
            best = found[group, place], int(rows[group, place])
    return best[1]


def _weighted(blocks, residual, last):
    """(Φ⁻¹·residual) at the last row."""
    for rows, phi in blocks:
        if len(here := np.argwhere(rows == last)):
            group, place = here[0]
            return np.linalg.solve(phi[group], residual[rows[group]])[place]
    raise ValueError("no block holds the row")


def _extended(fit, design, variance, beside):
    """The fit with a row more, whose effect is the one expected; coefficients are the old ones."""
    k = len(fit.y)

    def place(code, row_level):
        return code.max() + 1 if beside is None or row_level else code[beside]

    codes = [np.append(code, place(code, code.max() + 1 == k)) for code in fit.codes]
    errors = fit.sampling
    return replace(
        fit, y=np.append(fit.y, design @ fit.beta), x=np.vstack([fit.x, design]), codes=codes,
        cluster=np.append(fit.cluster, place(fit.cluster, False)),
        sampling=Sampling(
            np.append(errors.diagonal, variance), errors.i, errors.j, errors.value,
            np.append(errors.block, errors.block.max() + 1),
        ),
    )  # fmt: skip
