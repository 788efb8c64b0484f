"""Analyses of unpublished results of one outcome that are valid with a caveat only."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.analysis.small_study import LEAST
from helpers.stats.publication_bias import (
    ExcessSignificance,
    SelectionResult,
    TrimAndFillResult,
    excess_significance,
    selection_model,
    trim_and_fill,
)

# How often each says that results are missing (trim and fill: imputes; p < 0.05 of the others) where
# none is: 400 simulated reviews of 30 experiments, SMD 2, τ 1.3, 4 to 12 animals a group, by
# whether a row's variance contains its own effect. A slow test holds them.
FALSE_ALARMS = {
    True: {"trim_and_fill": 0.88, "selection": 0.27, "excess": 0.12},
    False: {"trim_and_fill": 0.33, "selection": 0.07, "excess": 0.0},
}


@dataclass(frozen=True, eq=False)
class PublicationBias:
    """Three analyses that take experiments as independent.

    Attributes
    ----------
    trim_and_fill : TrimAndFillResult
    selection : SelectionResult or None
    selection_note : str
        Why there is no selection model, or empty.
    excess : ExcessSignificance
    false_alarms : dict of float
        As in `FALSE_ALARMS`; empty for measures that were not simulated.
    """

    trim_and_fill: TrimAndFillResult
    selection: SelectionResult | None
    selection_note: str
    excess: ExcessSignificance
    false_alarms: dict


def of(analysis):
    """Trim and fill, a selection model and the test of excess significance of an outcome.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis

    Returns
    -------
    PublicationBias or None
        None below 10 experiments.

    Notes
    -----
    Effects and variances are those of the leading analysis, without its model of dependence. The
    selection model has one step at a one-sided p of 0.025 towards benefit, or on the side of the
    estimate where no side is benefit.
    """
    effects, measure, settings = analysis.effects, analysis.measure, analysis.settings
    if len(effects) < LEAST:
        return None
    data = {"effect": effects["effect"], "variance": effects["variance"]}
    side = {"higher": 1, "lower": -1}.get(measure.better, analysis.leading.estimate)
    selection, note = None, ""
    try:
        selection = selection_model(
            **data, alternative="greater" if side >= 0 else "less", level=settings.level
        )
    except ValueError as error:
        note = str(error)
    rates = {}
    if measure.standardised:
        computed = measure.id == "SMD" and settings.variance == "average"
        rates = FALSE_ALARMS[not computed]
    return PublicationBias(
        trim_and_fill(**data, method=settings.method, level=settings.level),
        selection,
        note,
        excess_significance(**data, method=settings.method),
        rates,
    )
