"""Effects of many selections of the same experiments, by one formula at a time."""

from __future__ import annotations

import numpy as np

from helpers.stats.effects import FORMULAS, brings_own, group_data, undefined


class Experiments:
    """Rows of one outcome, read once, whose effects are wanted under many settings.

    Parameters
    ----------
    table : pandas.DataFrame, k rows
        As `helpers.stats.effects.effect_sizes` takes it, and ``sign`` where effects are turned.
    control : array_like of int, shape (k,)
        Control group on its day; equal numbers share animals.
    cohort : array_like of int, shape (k,)
        Treated animals.
    """

    def __init__(self, table, control, cohort):
        self.table = table
        self.own = brings_own(table)
        self.sign = table["sign"].fillna(1).to_numpy(float) if "sign" in table else np.ones(1)
        self.given = table[["effect", "se"]].to_numpy(float) if self.own.any() else None
        pairs, of_pair = np.unique(np.column_stack([control, cohort]), axis=0, return_inverse=True)
        self._pairs = np.eye(len(pairs))[of_pair.ravel()]
        self._control = np.asarray(control)
        self._groups = np.eye(self._control.max() + 1)[pairs[:, 0]]
        self._read = {}

    def why_undefined(self, measure):
        """Why rows have no effect by a measure, empty where they have one, shape (k,)."""
        if measure not in self._read:
            # The loosest factor: what a stricter formula has no number for is seen there.
            reasons = undefined(self.table, measure=measure, correction="none").to_numpy(object)
            computed = (reasons == "") & ~self.own
            data = group_data(self.table[computed], measure) if computed.any() else None
            self._read[measure] = reasons, computed, data
        return self._read[measure][0]

    def shares(self, kept):
        """Control animals that fall to each row where a control serves several cohorts.

        Parameters
        ----------
        kept : numpy.ndarray of bool, shape (sets, k)
            A control is divided among the cohorts that a set keeps.

        Returns
        -------
        numpy.ndarray, shape (sets, k)

        References
        ----------
        Cochrane Handbook 6.4, section 23.3.4.
        """
        arms = ((kept @ self._pairs) > 0) @ self._groups
        return self.table["n_control"].to_numpy(float) / np.maximum(arms[:, self._control], 1)

    def effects(self, kept, *, measure, correction, variance, divided=False):
        """Effects and sampling variances of sets of rows.

        Parameters
        ----------
        kept : numpy.ndarray of bool, shape (sets, k)
            The rows of each set.
        measure, correction, variance : str
            As `helpers.stats.effects.effect_sizes` takes them; by the variance ``average`` each
            set has its own mean effect.
        divided : bool
            Whether shared controls are divided among the cohorts of the set.

        Returns
        -------
        effect, variance : numpy.ndarray, shape (sets, k)
            Infinite variances, and effects of 0, where a row is not in a set or has no effect.
        """
        kept = kept & (self.why_undefined(measure) == "")
        how = {"measure": measure, "correction": correction, "variance": variance}
        if divided:  # rows that go leave larger shares to the others, so one more look is enough
            kept = kept & np.isfinite(self._computed(kept, self.shares(kept), **how)[1])
        shares = self.shares(kept) if divided else None
        effect, sampling = self._computed(kept, shares, **how)
        out = ~(kept & np.isfinite(effect) & np.isfinite(sampling) & (sampling > 0))
        effect, sampling = np.array(effect), np.array(sampling)
        effect[out], sampling[out] = 0.0, np.inf
        return effect, sampling

    def _computed(self, kept, shares, *, measure, correction, variance):
        _, computed, data = self._read[measure]
        effect, sampling = np.full((2, *kept.shape), np.nan)
        if data is not None:
            data = dict(data)
            if shares is not None:
                data["n_split"] = shares[:, computed]
            sign = np.broadcast_to(self.sign, len(computed))[computed]
            if measure == "SMD" and variance == "average":
                data["average"] = _average(data, kept[:, computed], sign, correction)[:, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                found, spread = FORMULAS[measure](data, correction, variance)
            # A normalised difference is positive for benefit already.
            effect[:, computed] = found if measure == "NMD" else found * sign
            sampling[:, computed] = spread
        if self.given is not None:
            own = self.own
            effect[:, own] = (self.given[:, 0] * self.sign)[own]
            sampling[:, own] = self.given[own, 1] ** 2
        return effect, sampling


def _average(data, kept, sign, correction):
    """Mean g of each set by its animals, as `helpers.stats.effects.average_smd` has it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        g = sign * FORMULAS["SMD"](data, correction, "metafor")[0]
        n = kept * np.isfinite(g) * (data["n_treated"] + data["n_control"])
        return (n * np.nan_to_num(g)).sum(axis=1) / n.sum(axis=1)
