"""Analyses of unpublished results with their caveat, as a table and its caption."""

from __future__ import annotations

import math

import pandas as pd

from helpers.words.numbers import count, estimate_text, level_name, number, p_value, percent


def table(analysis, found):
    """A row an analysis: what it says, and how often it says so where nothing is missing.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    found : helpers.analysis.robustness.publication_bias.PublicationBias
    """
    measure, rates = analysis.measure, found.false_alarms
    filled, model, excess = found.trim_and_fill, found.selection, found.excess

    def adjusted(one):
        return estimate_text(one.estimate, one.ci_low, one.ci_high, measure)

    said = found.selection_note
    if model is not None:
        share = f"{number(model.delta)} times as often" + f"; {model.warning}" * bool(model.warning)
        said = f"results with a one-sided p above {model.step:g} are published {share}"
    where = {"left": "lower", "right": "higher"}[filled.side]
    imputed = f"{count(filled.k0, 'experiment')} imputed"
    rows = [
        ("Trim and fill (L0)", imputed + f" with {where} effects" * bool(filled.k0),
         adjusted(filled.pooled), math.nan, "trim_and_fill"),
        ("Three-parameter selection model", said, adjusted(model) if model else "–",
         model.p if model else math.nan, "selection"),
        ("Excess significance", f"{excess.observed} significant results, {number(excess.expected, 1)} "
         "expected", "–", excess.p, "excess"),
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "Analysis": name,
            "Finds": finds,
            f"{measure.title} [{level_name(analysis.settings.level)}]": value,
            "p": p_value(p),
            "False alarms": percent(100 * rates[key], 0) if rates else "–",
        }
        for name, finds, value, p, key in rows
    )


def caveat(analysis, found):
    """What the table cannot say."""
    text = "analyses of unpublished results that hold with a caveat only; none of them decides. "
    text += "They take experiments as independent"
    if len(analysis.rows) > analysis.studies:
        text += f", which these of {count(analysis.studies, 'study', 'studies')} are not"
    text += ", and large differences between experiments look to them like missing ones."
    if not found.false_alarms:
        return text + f" How often they err with a {analysis.measure.name} was not simulated."
    text += (
        " False alarms are how often each imputes, or has p < 0.05, in 400 simulated reviews in "
        "which nothing is missing (30 experiments, SMD 2, τ 1.3, 4 to 12 animals a group, "
    )
    usual = found.false_alarms["trim_and_fill"] > 0.5
    return text + (
        "variances that contain the effect, as here)." if usual else "this variance formula)."
    )


def data(found):
    """The same numbers in full, a row an analysis."""
    filled, model, excess = found.trim_and_fill, found.selection, found.excess
    names = ("estimate", "se", "ci_low", "ci_high", "tau2")
    rows = [{"analysis": "trim_and_fill", "imputed": filled.k0, "side": filled.side}]
    rows[0] |= {name: getattr(filled.pooled, name) for name in names}
    chosen = {"analysis": "selection_model", "note": found.selection_note}
    if model is not None:
        chosen |= {
            name: getattr(model, name) for name in (*names, "delta", "statistic", "p", "step")
        }
    rows.append(chosen)
    rows.append(
        {"analysis": "excess_significance", "observed": excess.observed}
        | {name: getattr(excess, name) for name in ("expected", "statistic", "p")}
    )
    rates = found.false_alarms
    keys = ("trim_and_fill", "selection", "excess")
    return pd.DataFrame(rows).assign(false_alarms=[rates.get(key) for key in keys])
