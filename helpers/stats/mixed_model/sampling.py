"""Sampling covariance of effects: which errors hang together, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.stats.mixed_model.groups import labels, stacks
from helpers.stats.pooling import checked


@dataclass(frozen=True)
class Sampling:
    """Sampling covariance V of k rows, by its entries that are not zero.

    Attributes
    ----------
    diagonal : ndarray, shape (k,)
    i, j : ndarray of int, shape (pairs,)
        Rows and columns of the entries off the diagonal, each pair in both orders.
    value : ndarray, shape (pairs,)
    block : ndarray of int, shape (k,)
        Rows of different blocks do not covary.
    """

    diagonal: np.ndarray
    i: np.ndarray
    j: np.ndarray
    value: np.ndarray
    block: np.ndarray

    def part(self, keep):
        """The covariance of the rows that `keep` marks."""
        place = np.cumsum(keep) - 1
        both = keep[self.i] & keep[self.j]
        block = np.unique(self.block[keep], return_inverse=True)[1]
        i, j = place[self.i[both]], place[self.j[both]]
        return Sampling(self.diagonal[keep], i, j, self.value[both], block)

    def scaled(self, factor):
        """The covariance of the rows times the root of `factor`."""
        return Sampling(
            self.diagonal * factor, self.i, self.j, self.value * factor, self.block
        )  # fmt: skip

    def dense(self, rows):
        """V of rows of shape (groups, n), shape (groups, n, n); between groups it is not looked."""
        groups, n = rows.shape
        full = np.zeros((groups, n, n))
        full[:, range(n), range(n)] = self.diagonal[rows]
        if len(self.i):
            group, place = np.full((2, len(self.diagonal)), -1)
            group[rows], place[rows] = np.arange(groups)[:, None], np.arange(n)
            here = (group[self.i] >= 0) & (group[self.i] == group[self.j])
            i, j = self.i[here], self.j[here]
            full[group[i], place[i], place[j]] = self.value[here]
        return full

    def stays_within(self, code):
        """Whether rows of different codes never covary."""
        return bool((code[self.i] == code[self.j]).all())

    def joined(self, code):
        """Codes of groups that the covariance joins made one, 0, 1, ..."""
        label, i, j = np.arange(code.max() + 1), code[self.i], code[self.j]
        while (label[i] != label[j]).any():
            low = np.minimum(label[i], label[j])
            np.minimum.at(label, label[i], low)
            np.minimum.at(label, label[j], low)
            label = label[label]
        return np.unique(label[code], return_inverse=True)[1]


def constant_covariance(variance, *, within, cluster=None, rho=0.5):
    """Sampling covariance ρ·√(v_i·v_j) between rows of one label, 0 between others.

    Parameters
    ----------
    variance : array_like, shape (k,)
    within : array_like of k labels
        Rows of one label correlate; a row without one correlates with none.
    cluster : array_like of k labels, optional
        Labels of `within` count within those of `cluster` (its `vcalc` name is `subgroup` then).
    rho : float
        From 0 to below 1.

    Returns
    -------
    blocks : list of ndarray
        A block for each label, in order of appearance.
    code : ndarray of int, shape (k,)
        Whose block a row is in: `covariance` and `cluster` of `multilevel`.

    Notes
    -----
    As metafor's ``vcalc(vi, cluster = within, obs = row, rho = rho)``.
    """
    v = np.asarray(variance, dtype=float)
    if not 0 <= rho < 1:
        raise ValueError(f"rho must lie between 0 and 1, not at {rho}")
    code = labels(within, len(v), "within")
    if cluster is not None:
        code = code + (code.max() + 1) * labels(cluster, len(v), "cluster", missing=False)
    code, _ = pd.factorize(code)
    blocks = {}
    for rows in stacks(code):
        block = rho * np.sqrt(v[rows][:, :, None] * v[rows][:, None])
        block[:, range(rows.shape[1]), range(rows.shape[1])] = v[rows]
        blocks |= zip(code[rows[:, 0]].tolist(), block, strict=True)
    return [blocks[c] for c in range(len(blocks))], code


def shared_covariance(
    variance, *, study, control_group, cohort, occasion, shared, rho=0.5, names=None
):
    """Sampling covariance of rows that share a control group or their treated animals.

    Parameters
    ----------
    variance : array_like, shape (k,)
    study, control_group, cohort, occasion : array_like of k labels
        Only rows of one study covary. Rows of one cohort are the same animals; two cohorts with
        one control group seen on different occasions share it only through the correlation of its
        animals with themselves.
    shared : callable
        Covariance through a shared control, of arrays of places of rows i and j.
    rho : float
        Correlation between two measurements of the same animals.
    names : array_like of k labels, optional
        What the cohorts are called, for the message.

    Returns
    -------
    list of ndarray
        A positive definite block for each study, in order of appearance.

    Raises
    ------
    ValueError
        A block is not positive definite; its study and cohorts are named.

    Notes
    -----
    ρ·√(v_i·v_j) for the same animals; `shared`, times ρ between occasions, for one control.

    References
    ----------
    Gleser and Olkin (2009), in The Handbook of Research Synthesis, 2nd ed., chapter 19.
    """
    v = np.asarray(variance, dtype=float)
    place = labels(study, len(v), "study", missing=False)
    group, animals, day = map(np.asarray, (control_group, cohort, occasion))
    blocks = {}
    for rows in stacks(place):
        i, j = rows[:, :, None], rows[:, None]
        through = shared(i, j) * np.where(day[i] == day[j], 1, rho)
        block = np.where(group[i] == group[j], through, 0)
        block = np.where(animals[i] == animals[j], rho * np.sqrt(v[i] * v[j]), block)
        block = np.where(i == j, v[i], block)
        bad = np.linalg.eigvalsh(block)[:, 0] <= 1e-12 * v[rows].min(axis=1)
        if bad.any():
            among = rows[bad][0]
            who = pd.unique(np.asarray(animals if names is None else names, object)[among])
            raise ValueError(
                f"the sampling covariance of study {np.asarray(study, object)[among[0]]} (cohorts "
                f"{', '.join(map(str, who))}) is not positive definite: check its group sizes and "
                "control groups, or use a smaller rho"
            )
        blocks |= zip(place[rows[:, 0]].tolist(), block, strict=True)
    return [blocks[code] for code in range(len(blocks))]


def sampling(effect, *, variance=None, covariance=None, cluster=None):
    """Effects, checked, with their sampling covariance.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
    covariance : list of array_like, or array_like, shape (k, k)
        A block for each value of `cluster` in order of appearance, or one matrix.
    cluster : array_like of k labels

    Returns
    -------
    effect : ndarray, shape (k,)
    sampling : Sampling

    Raises
    ------
    ValueError
        Neither variance nor covariance; shapes or numbers that cannot be; a covariance that is not
        symmetric or not positive definite, which names the cluster.
    """
    if variance is None and covariance is None:
        raise ValueError("give the sampling variance or the sampling covariance")
    k, nothing = np.size(effect), np.empty(0, int)
    if covariance is None:
        y, v = checked(effect, variance)
        return y, Sampling(v, nothing, nothing, np.empty(0), np.arange(k))
    if isinstance(covariance, list):
        if cluster is None:
            raise ValueError("blocks of covariance need the cluster (or study) of each row")
        code, names = labels(cluster, k, "cluster", missing=False), np.asarray(cluster, object)
    else:
        if np.shape(covariance) != (k, k):
            raise ValueError(
                f"covariance must be a matrix, a row an effect, not {np.shape(covariance)}"
            )
        covariance, code, names = [covariance], np.zeros(k, int), np.full(k, "all rows")
        names = np.asarray(cluster, object) if cluster is not None else names
    blocks = [np.asarray(block, dtype=float) for block in covariance]
    if [block.shape for block in blocks] != [(n, n) for n in np.bincount(code)]:
        raise ValueError(
            "covariance must have a square block for each study, or cluster, in their order"
        )
    diagonal, parts = np.empty(k), []
    for rows in stacks(code):
        block = np.stack([blocks[c] for c in code[rows[:, 0]]])
        if not np.allclose(block, block.mT, rtol=1e-8, atol=0):
            raise ValueError("covariance must be symmetric")
        diagonal[rows] = block.diagonal(axis1=1, axis2=2)
        block = block * (1 - np.eye(rows.shape[1]))
        which, i, j = np.nonzero(block)
        parts.append((rows[which, i], rows[which, j], block[which, i, j]))
    y, diagonal = checked(effect, diagonal)
    if variance is not None and not np.allclose(diagonal, np.asarray(variance, float)):
        raise ValueError("variance differs from the diagonal of covariance")
    i, j, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    found = Sampling(diagonal, i, j, value, code)
    found = Sampling(diagonal, i, j, value, found.joined(np.arange(k)))
    _refuse_indefinite(found, names)
    return y, found


def _refuse_indefinite(sampling, names):
    """Refuse blocks without an inverse, by the names of their rows' clusters."""
    bad = []
    for rows in stacks(sampling.block):
        if rows.shape[1] > 1:
            root = 1 / np.sqrt(sampling.diagonal[rows])
            correlation = sampling.dense(rows) * root[:, :, None] * root[:, None]
            low = np.linalg.eigvalsh(correlation)[:, 0]
            bad += names[rows[low <= 1e-12, 0]].tolist()
    if bad:
        shown = ", ".join(map(str, pd.unique(np.array(bad, dtype=object))[:10]))
        raise ValueError(
            f"the sampling covariance of {shown} is not positive definite: check its group sizes, "
            "cohorts and control groups, or use a smaller rho"
        )
