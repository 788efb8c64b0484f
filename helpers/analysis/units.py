"""Standardised effects in the units of the outcome: an SMD times a typical SD of the controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.analysis import animals


@dataclass(frozen=True)
class NaturalUnits:
    """A pooled SMD on one scale of its outcome.

    Attributes
    ----------
    unit : str
        Such as "points of the BBB scale".
    sd : float
        Median SD of the control groups, in `unit`.
    groups : int
        How many control groups it is the median of.
    estimate, ci_low, ci_high : float
        In `unit`.
    """

    unit: str
    sd: float
    groups: int
    estimate: float
    ci_low: float
    ci_high: float


def natural_units(analysis):
    """A pooled SMD in the outcome's own units, scale by scale.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis

    Returns
    -------
    list of NaturalUnits
        Empty where effects are no SMDs, or where rows do not share a scale: an outcome has one
        where each of its `scales` has a range that is closed on both sides, or where it has one
        scale, such a range and a `unit`.

    Notes
    -----
    estimate = SMD · median SD of the control groups, each group once. The SMD is divided by the
    pooled SD, so this is an approximation: it says how large the effect is in a typical experiment.

    References
    ----------
    Cochrane Handbook, version 6, section 15.5.3.2.
    """
    outcome, result = analysis.outcome, analysis.leading
    if analysis.measure.id != "SMD" or not result.pooled:
        return []
    rows = analysis.rows
    if outcome.scales:  # rows on one that was turned have another sign: they are not said
        on = rows["outcome_scale"]
        scales = [
            (f"{one.unit or 'points'} of the {one.label}", (on == one.label).to_numpy())
            for one in outcome.scales
            if one.better == outcome.better and np.isfinite([one.low, one.high]).all()
        ]
    elif outcome.unit and np.isfinite([outcome.low, outcome.high]).all():
        scales = [(outcome.unit, np.ones(len(rows), dtype=bool))]
    else:
        scales = []
    found = []
    group = pd.Series(animals.control_groups(rows), rows.index)
    day = pd.Series(animals.days(rows), rows.index)
    for unit, mask in scales:
        sds = rows.loc[mask, ["sd_control"]].assign(group=group, day=day).dropna()
        sds = sds.drop_duplicates(["group", "day", "sd_control"])["sd_control"]
        sd = float(sds[sds > 0].median())
        if np.isfinite(sd):
            scaled = (sd * getattr(result, name) for name in ("estimate", "ci_low", "ci_high"))
            found.append(NaturalUnits(unit, sd, int((sds > 0).sum()), *scaled))
    return found
