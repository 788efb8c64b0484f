"""What the effects of an outcome are: their name, scale, null value and direction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.stats.effects import GROUP_COLUMNS, REFERENCE_COLUMNS, brings_own

UNNAMED = "effect (as given in the sheet)"
SCALES = ("identity", "log")
# Names of own effects that are standardised mean differences, whoever computed them.
STANDARDISED = ("smd", "hedges g", "hedges' g", "hedges’ g", "cohen's d", "cohens d", "g", "d")


@dataclass(frozen=True)
class Measure:
    """What the effects of an outcome are.

    Attributes
    ----------
    id : str
        One of `helpers.stats.effects.MEASURES`, "own" (every row brings its effect) or "mixed".
    label : str
        Its name on the scale of the data ("SMD", "log ratio of means"); `name` is what people read.
    words : str
        The plural for the methods section.
    scale : {"identity", "log"}
        Effects on a log scale are shown back-transformed, with no effect at 1.
    unit : str
        What stands behind a number.
    columns : tuple of str
        The columns that its effects are computed from.
    better : {"higher", "lower", "neither"}
        Whether positive or negative effects are benefit.
    positive : {"higher", "lower", ""}
        What a positive effect says of the treated animals' values; empty where rows differ in it.
    counted : bool
        Whether its effects were computed from events as the sheet was read.
    """

    id: str
    label: str
    words: str
    scale: str = "identity"
    unit: str = ""
    columns: tuple[str, ...] = GROUP_COLUMNS
    better: str = "neither"
    positive: str = "higher"
    counted: bool = False

    @property
    def is_log(self):
        """Whether its effects are logarithms of what people read."""
        return self.scale == "log"

    @property
    def name(self):
        """Its name on the scale that is shown: "SMD", "ratio of means"."""
        if not self.is_log:
            return self.label
        for prefix in ("log ", "ln ", "log-", "log", "ln"):
            if self.label.lower().startswith(prefix) and len(self.label) > len(prefix):
                return self.label[len(prefix) :]
        # "hazard ratio" on a log scale names what is read, not its logarithm.
        return self.label if re.search(r"\bratio\b", self.label, re.I) else f"exp({self.label})"

    @property
    def title(self):
        """Its name with the unit, as headings and axes have it."""
        text = self.name[:1].upper() + self.name[1:]
        return f"{text}, {self.unit}" if self.unit else text

    @property
    def null(self):
        """The value that is no effect, as it is shown: 0, or 1 of a ratio."""
        return 1 if self.is_log else 0

    @property
    def standardised(self):
        """Whether it is a difference in SDs, corrected for small samples or not."""
        return self.id != "mixed" and self.label.lower() in STANDARDISED

    def shown(self, value):
        """A value of the data as people read it: a ratio where the data are logs."""
        if not self.is_log or value is None:
            return value
        try:
            return math.exp(value)
        except OverflowError:
            return math.inf

    @property
    def better_animals(self):
        """On which side of the animals' own values benefit lies, where effects were turned too."""
        flipped = {"higher": "lower", "lower": "higher"} if self.positive == "lower" else {}
        return flipped.get(self.better, self.better)

    def benefit(self, effect):
        """Effects turned so that benefit is positive; as they are where no side is benefit."""
        return -effect if self.better == "lower" else effect


MEASURES = {
    one.id: one
    for one in (
        Measure("SMD", "SMD", "standardised mean differences"),
        Measure("GLASS", "Glass's Δ", "Glass's delta, the mean difference divided by the control "
                "group's SD"),
        Measure("MD", "MD", "mean differences"),
        Measure("ROM", "log ratio of means", "log ratios of means", scale="log"),
        Measure("NMD", "NMD", "normalised mean differences, in percent of the distance from control "
                "to uninjured", unit="%", columns=GROUP_COLUMNS + REFERENCE_COLUMNS),
    )
}  # fmt: skip
SMD = MEASURES["SMD"]


def common(measures):
    """What the effects of several outcomes are together; where they differ, "effect"."""
    first, *others = measures
    if all((one.title, one.scale) == (first.title, first.scale) for one in others):
        return first
    log = first.is_log and all(one.is_log for one in others)
    return Measure("mixed", "log effect" if log else "effect", "effects of several kinds",
                   scale="log" if log else "identity")  # fmt: skip


def restored(label, scale=None, unit=None):
    """A measure from what results in JSON say of it; without a label the SMD."""
    known = {one.label: one for one in MEASURES.values()}
    if label is None or label in known:
        found = known.get(label, SMD)
        return replace(found, unit=unit or "") if found.id == "MD" else found
    return Measure("own", label, label, scale=scale or "identity")


def used(rows, measure, outcome):
    """The measure that the rows of an outcome really have.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of the checked sheet; those with ``effect`` and ``se`` bring their own effect.
    measure : str
        What is computed for rows with group data.
    outcome : helpers.review.description.Outcome
        Its ``effect_name`` and ``effect_scale`` name the effects that rows bring.

    Returns
    -------
    Measure
    """
    computed = MEASURES[measure]
    if measure == "MD":
        computed = replace(computed, unit=_unit(rows, outcome))
    own, better = brings_own(rows), outcome.better or "neither"
    given = _own(outcome)
    # A normalised difference is benefit where it is positive, on whichever side better lies.
    side = "higher" if measure == "NMD" and better != "neither" else better
    if own.all() and len(rows):
        found = replace(given, better=better)
    elif not own.any() or given.label == computed.label:
        found = replace(computed, better=side)
    else:
        log = given.is_log and computed.is_log
        found = Measure(
            "mixed",
            f"{computed.label} and {given.label}",
            f"{computed.words} and, in {own.sum()} of {len(rows)} rows, {given.words}",
            scale="log" if log else "identity",
            better=better if side == better else "neither",
        )
    return replace(found, positive=_positive(rows, own, measure))


def _unit(rows, outcome):
    """The unit of an outcome's means: that of the one scale on which its rows are."""
    labels = set(rows["outcome_scale"]) if "outcome_scale" in rows else {""}
    return outcome.on(labels.pop()).unit if len(labels) == 1 else ""


def _own(outcome):
    label = outcome.effect_name or UNNAMED
    kind, of, rest = label.partition(" of ")
    words = (
        f"{kind}s{of}{rest}"
        if outcome.effect_name
        else "effects of a kind that the sheet does not name"
    )
    return Measure(
        "own", label, words, scale=outcome.effect_scale, columns=("effect", "se"),
        counted=outcome.measure is not None,
    )  # fmt: skip


def turned(rows, measure):
    """Which rows' effects the sheet's sign turns round, so that positive is lower in the animals.

    Parameters
    ----------
    rows : pandas.DataFrame
    measure : str
        What is computed where rows do not bring their own effect; NMD is positive for benefit
        already and is not turned.

    Returns
    -------
    numpy.ndarray of bool
    """
    if "sign" not in rows:
        return np.zeros(len(rows), dtype=bool)
    negative = (rows["sign"].fillna(1) < 0).to_numpy(bool)
    return negative & brings_own(rows) if measure == "NMD" else negative


def _positive(rows, own, measure):
    """What a positive effect says of the animals, where all rows agree in it."""
    towards = np.ones(len(rows))
    if "sign" in rows:
        towards = rows["sign"].fillna(1).to_numpy(float)
    if measure == "NMD" and not own.all():
        distance = _column(rows, "mean_reference") - _column(rows, "mean_control")
        towards = np.where(own, towards, np.sign(distance))
    known = towards[np.isfinite(towards) & (towards != 0)]
    if len(known) and (known > 0).all():
        return "higher"
    return "lower" if len(known) and (known < 0).all() else ""


def _column(rows, name):
    if name not in rows:
        return np.full(len(rows), np.nan)
    return pd.to_numeric(rows[name]).to_numpy(float, na_value=np.nan)
