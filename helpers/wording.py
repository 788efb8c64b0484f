"""Numbers as text and results as sentences; every word follows from the numbers."""

from __future__ import annotations

import math

import pandas as pd

MINUS = "\u2212"
MARKS = "DFFITS, Cook's distance, hat value or DFBETAS"  # as `influence.diagnostics` judges


def number(value, digits=2):
    """A number with a true minus sign; an en dash where there is none; never "−0.00"."""
    if value is None or pd.isna(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    text = f"{abs(value):.{digits}f}"
    return (MINUS if value < 0 and float(text) != 0 else "") + text


def interval(low, high, digits=2):
    """An interval in brackets."""
    return f"[{number(low, digits)}, {number(high, digits)}]"


def p_value(p):
    """A p-value to three decimals."""
    if p is None or pd.isna(p):
        return "–"
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def p_phrase(p):
    """A p-value after its letter: "p = 0.012", "p < 0.001"."""
    text = p_value(p)
    return "p < 0.001" if text == "<0.001" else f"p = {text}"


def percent(value, digits=1):
    """A percentage."""
    return "–" if value is None or pd.isna(value) else f"{value:.{digits}f}%"


def count(n, noun, plural=None):
    """A count with its noun: "1 experiment", "72 experiments"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listing(items):
    """Items as a phrase: "a, b and c"."""
    items = [str(item) for item in items]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def level_name(level):
    """Name of an interval: "95% CI"."""
    return f"{100 * level:g}% CI"


def estimate_phrase(result, measure="SMD"):
    """Estimate with interval and p: "SMD 2.31 [1.95, 2.66], p < 0.001"."""
    return (
        f"{measure} {number(result.estimate)} {interval(result.ci_low, result.ci_high)}, "
        f"{p_phrase(result.p_effect)}"
    )


def direction(estimate, better):
    """On which side an estimate lies: "benefit", "harm" or "neither"."""
    if estimate == 0 or better not in ("higher", "lower"):
        return "neither"
    return "benefit" if (estimate > 0) == (better == "higher") else "harm"


def excludes_zero(result):
    """Whether the confidence interval leaves 0 out."""
    return result.ci_low > 0 or result.ci_high < 0


def verdict(result, outcome, treated):
    """What a pooled effect says about an outcome, as one sentence a reader can quote.

    The direction is that of the estimate; whether it is told as a difference follows from the
    interval, and an interval with 0 inside is told as undecided, never as an absence of effect.
    """
    side = direction(result.estimate, outcome.better)
    words = "neither side" if side == "neither" else f"the side of {side}"
    numbers = f"{number(result.estimate)} {interval(result.ci_low, result.ci_high)}"
    if not result.pooled:
        return f"{outcome.label}: one experiment gives {numbers}, on {words}; nothing is pooled."
    if not excludes_zero(result):
        return (
            f"{outcome.label}: {result.k} experiments do not settle whether {treated} change it; "
            f"{numbers} reaches from one side of zero to the other."
        )
    change = "higher" if result.estimate > 0 else "lower"
    return (
        f"{outcome.label} was {change} with {treated}, on {words}: {numbers}, pooled over "
        f"{result.k} experiments."
    )


def heterogeneity_line(result):
    """Heterogeneity of a pooled result in one line."""
    if not result.pooled:
        return "One experiment: nothing to pool."
    parts = [
        f"τ² = {number(result.tau2)}",
        f"I² = {percent(result.i2)}",
        f"H² = {number(result.h2)}",
        f"Q({result.k - 1}) = {number(result.q)}, {p_phrase(result.p_heterogeneity)}",
    ]
    if not pd.isna(result.pi_low):
        parts.append(f"prediction interval {interval(result.pi_low, result.pi_high)}")
    return ", ".join(parts)


def heterogeneity_words(result):
    """What heterogeneity and the prediction interval mean for the next experiment."""
    if not result.pooled:
        return ""
    if pd.isna(result.pi_low):
        return "There are too few experiments for a prediction interval."
    span = interval(result.pi_low, result.pi_high)
    if result.pi_low > 0 or result.pi_high < 0:
        tail = "which lies on one side of zero"
    else:
        tail = "which holds zero: a new experiment may well find an effect on the other side"
    return (
        f"The true effect of a new experiment of this kind is expected within {span} "
        f"({100 * result.level:g}%), {tail}."
    )


def result_paragraph(analysis, review, measure="SMD"):
    """A results paragraph on one outcome for a manuscript."""
    result, outcome = analysis.chosen, analysis.outcome
    text = verdict(result, outcome, review.treated)
    studies = count(analysis.studies, "study", "studies")
    text += f" The data came from {studies} and {count(analysis.animals, 'animal')}."
    if result.pooled:
        text += (
            f" ({measure} with {level_name(result.level)}; τ² = {number(result.tau2)}, "
            f"I² = {percent(result.i2)}.)"
        )
        text += f" {heterogeneity_words(result)}"
    tested = [
        (name, regression)
        for name, regression in analysis.tested.items()
        if regression.p_moderators < 0.05
    ]
    if tested:
        phrases = [
            f"{review.moderators[name].label.lower()} ({p_phrase(regression.p_moderators)}, "
            f"corrected for the number of looks {p_phrase(analysis.p_holm[name])}, "
            f"R² = {percent(100 * regression.r2, 0)})"
            for name, regression in tested
        ]
        text += (
            f" Of {count(len(analysis.tested), 'moderator')} examined one at a time, effects "
            f"differed by {listing(phrases)}."
        )
    elif analysis.tested:
        text += (
            f" None of {count(len(analysis.tested), 'moderator')} examined one at a time had "
            "p below 0.05, which does not show that they make no difference."
        )
    if not review.is_authentic:
        text += f" Data: {review.evidence['kind']}."
    return text


def influence_words(analysis, table, left_out):
    """What leaving out one experiment, or one study, does to a pooled result.

    `table` is that of `helpers.influence.diagnostics`; `left_out` holds those of
    `helpers.influence.leave_one_out` by what was left out.
    """
    parts = []
    for noun, left in left_out.items():
        low, high = left["estimate"].min(), left["estimate"].max()
        kept = (left["ci_low"] > 0) | (left["ci_high"] < 0)
        flips = int((kept != excludes_zero(analysis.chosen)).sum())
        turned = (
            f", and zero moves into or out of the interval {count(flips, 'time')}" if flips else ""
        )
        parts.append(
            f"one {noun} left out, it lies between {number(low)} and {number(high)}{turned}"
        )
    named = list(table.loc[table["influential"], "left_out"])
    text = f"Pooled effect {number(analysis.chosen.estimate)}; with {listing(parts)}. "
    if named:
        return text + f"Influential by {MARKS}: {listing(named)}."
    return text + f"No experiment is influential by {MARKS}."


def family_verdict(label, analyses):
    """What the outcomes of a family say together, as one sentence."""
    analyses = list(analyses)
    sides = {"benefit": [], "harm": []}
    undecided = []
    for analysis in analyses:
        side = direction(analysis.chosen.estimate, analysis.outcome.better)
        if analysis.chosen.pooled and excludes_zero(analysis.chosen) and side in sides:
            sides[side].append(analysis.outcome.label)
        else:
            undecided.append(analysis.outcome.label)
    few = len(analyses) < 10  # a sentence to quote, not a list
    parts = [
        f"{len(names)} on the side of {side}" + (f" ({listing(names)})" if few else "")
        for side, names in sides.items()
        if names
    ]
    text = (
        f"{label}: of {count(len(analyses), 'outcome')}, the pooled interval leaves zero out for "
    )
    text += listing(parts) if parts else "none"
    if undecided:
        text += f"; undecided {'is' if len(undecided) == 1 else 'are'} {listing(undecided)}"
    return text + "."
