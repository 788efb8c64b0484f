"""Standardised effects in units of the outcome: typical SDs, and the way back to the uninjured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.analysis import animals
from helpers.analysis import model as models
from helpers.analysis.effects import effects, without_effect
from helpers.analysis.result import ModelledResult, modelled
from helpers.analysis.settings import Model
from helpers.stats.effects import brings_own
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import PooledResult, pool


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


@dataclass(frozen=True)
class WayBack:
    """A normalised mean difference beside an SMD: percent of the way back to the uninjured value.

    Attributes
    ----------
    result : PooledResult or ModelledResult
        In percent; positive is towards the uninjured value.
    of : int
        How many experiments the SMD is pooled from; `result.k` of them know an uninjured value.
    reference : float
        The uninjured value, NaN where rows differ in it.
    """

    result: PooledResult | ModelledResult
    of: int
    reference: float


def way_back(analysis, level_values):
    """How far back to the uninjured value a treatment brings the animals, where that is known.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    level_values : pandas.DataFrame
        Of the review, as `helpers.analysis.model.fit` takes them.

    Returns
    -------
    WayBack or None
        None where the leading effects are no SMDs, where fewer than two of their rows have means
        and an uninjured value, or where the model cannot be fitted to them.

    Notes
    -----
    The normalised mean difference 100 · (m1 - m2) / (m_ref - m2) with its variance by the delta
    method, pooled by the model and the settings of the leading result.

    References
    ----------
    Vesterinen HM et al. J Neurosci Methods 2014;221:92-102.
    """
    rows = analysis.rows
    if analysis.measure.id != "SMD" or not analysis.leading.pooled or "mean_reference" not in rows:
        return None
    rows = rows[rows["mean_reference"].notna() & ~brings_own(rows)]
    settings = replace(analysis.settings, measure="NMD", variance="delta")
    split = analysis.controls_are_split
    if len(rows):
        rows = rows[without_effect(rows, settings, controls_are_split=split) == ""]
    if len(rows) < 2:
        return None
    found = effects(rows, settings, controls_are_split=split)
    model, shared = analysis.model, {"level_values": level_values, "split": split}
    try:
        if model is not None and (model != Model() or models.is_needed(model, rows, **shared)):
            fit = multilevel(
                found["effect"], **models.options(model, rows, found, settings, **shared)
            )
            result = modelled(fit, rho=model.rho)
        else:
            result = pool(found["effect"], variance=found["variance"], **settings.pooling())
    except ValueError:
        return None
    values = rows["mean_reference"].unique()
    return WayBack(result, len(analysis.rows), float(values[0]) if len(values) == 1 else np.nan)
