"""Numbers as text and results as sentences; every word follows from the numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.measures import SMD

MINUS = "\u2212"
MOST_DIGITS = 8  # decimals beyond which a number is written as 1.2e−9
NOTHING = 1e-15  # what is nearer to no effect is a rounding error of the machine
MARKS = "DFFITS, Cook's distance, hat value or DFBETAS"  # as `influence.diagnostics` judges


def number(value, digits=2):
    """A number with a true minus sign; an en dash where there is none; never "−0.00"."""
    if value is None or pd.isna(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    size = abs(value)
    if size == 0 or (digits <= MOST_DIGITS and size < 1e9):
        text = f"{size:,.{min(digits, MOST_DIGITS)}f}"
    else:
        figures = min(max(1, digits + math.floor(math.log10(size))), 6)
        text = f"{size:.{figures}e}".replace("-", MINUS)
    return (MINUS if value < 0 and text.strip("0.,") else "") + text


def effect_digits(low, high, measure=SMD):
    """Decimals for effects with these intervals, one or many.

    SMDs have two. Other effects have as many as the middling half-width of their intervals needs
    for two figures, at least two, or one where the numbers are in the hundreds.
    """
    if measure.standardised:
        return 2
    low, high = (np.atleast_1d(np.asarray(bound, float)) for bound in (low, high))
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = (np.exp(bound) if measure.is_log else bound for bound in (low, high))
        half = (high - low) / 2
    half = half[np.isfinite(half) & (half > 0)]
    if not len(half):
        return 2
    middle = float(np.median(half))
    if middle < 0.02:
        return 1 - math.floor(math.log10(middle))
    return 1 if middle >= 1 and np.nanmedian(np.maximum(abs(low), abs(high))) >= 100 else 2


def effect(value, measure=SMD, digits=2):
    """One effect or bound as people read it.

    What is not the null value is never written as the null value, nor a ratio as 0: such a number
    has the decimals of its first figure.
    """
    shown = measure.shown(value)
    if shown is None or not math.isfinite(shown):
        return number(shown)
    for far in (shown - measure.null, shown):
        hidden = 0 < abs(far) < 0.5 * 10.0**-digits
        if hidden and abs(far) > NOTHING:
            digits = -math.floor(math.log10(abs(far)))
    return number(shown, digits)


def effect_interval(low, high, measure=SMD, digits=None):
    """An interval of effects in brackets."""
    digits = effect_digits(low, high, measure) if digits is None else digits
    return f"[{effect(low, measure, digits)}, {effect(high, measure, digits)}]"


def estimate_text(estimate, low, high, measure=SMD, digits=None):
    """An estimate with its interval in brackets: "2.31 [1.95, 2.66]"."""
    digits = effect_digits(low, high, measure) if digits is None else digits
    return f"{effect(estimate, measure, digits)} {effect_interval(low, high, measure, digits)}"


def variance_text(value, digits=2):
    """A variance such as τ², with more decimals where these would make 0.00 of it."""
    if value is not None and math.isfinite(value) and NOTHING < value < 0.5 * 10.0**-digits:
        digits = 1 - math.floor(math.log10(value))
    return number(value, digits)


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


def estimate_phrase(result, measure=SMD):
    """Estimate with interval and p: "SMD 2.31 (95% CI 1.95 to 2.66), p < 0.001"."""
    return f"{estimate_words(result, measure)}, {p_phrase(result.p_effect)}"


def estimate_words(result, measure=SMD):
    """Estimate with its measure and the level of its interval: "SMD 2.31 (95% CI 1.95 to 2.66)"."""
    digits = effect_digits(result.ci_low, result.ci_high, measure)
    value, low, high = (
        effect(one, measure, digits) for one in (result.estimate, result.ci_low, result.ci_high)
    )
    unit = {"": "", "%": "%"}.get(measure.unit, f" {measure.unit}")
    return f"{measure.name} {value}{unit} ({level_name(result.level)} {low} to {high})"


def direction(estimate, better):
    """On which side an estimate lies: "benefit", "harm" or "neither"."""
    if estimate == 0 or better not in ("higher", "lower"):
        return "neither"
    return "benefit" if (estimate > 0) == (better == "higher") else "harm"


def excludes_zero(result):
    """Whether the confidence interval leaves 0 out."""
    return result.ci_low > 0 or result.ci_high < 0


def verdict(result, outcome, treated, measure=None):
    """What a pooled effect says about an outcome, as one sentence a reader can quote.

    The direction is that of the animals: which way the treated ones differ follows from the
    estimate and from what a positive effect means (`helpers.measures.Measure.positive`), the side
    of benefit from its `better`. Whether it is told as a difference follows from the interval, and
    an interval with no effect inside is told as undecided, never as an absence of effect.

    Parameters
    ----------
    result : helpers.pooling.PooledResult
    outcome : helpers.description.Outcome
    treated : str
        What the treated group is called.
    measure : helpers.measures.Measure, optional
        By default the SMD, treated less control.
    """
    measure = measure or replace(SMD, better=outcome.better or "neither")
    side = direction(result.estimate, measure.better)
    on = "" if side == "neither" else f", on the side of {side}"
    numbers = estimate_words(result, measure)
    if not result.pooled:
        return f"{outcome.label}: one experiment gives {numbers}{on}; nothing is pooled."
    if not excludes_zero(result):
        return (
            f"{outcome.label}: {result.k} experiments do not settle whether {treated} change it; "
            f"{numbers} includes {measure.null}."
        )
    pooled = f"{numbers}, pooled over {result.k} experiments."
    change = higher_or_lower(result.estimate, measure)
    if change:
        return f"{outcome.label} was {change} with {treated}{on}: {pooled}"
    # Rows measure it in both directions, so that only the side can be told.
    towards = "differed" if side == "neither" else f"differed in the direction of {side}"
    return f"{outcome.label} {towards} with {treated}: {pooled}"


def higher_or_lower(estimate, measure):
    """Which way the treated animals differ, "higher" or "lower"; empty where rows disagree."""
    if not measure.positive or estimate == 0:
        return ""
    other = {"higher": "lower", "lower": "higher"}
    return measure.positive if estimate > 0 else other[measure.positive]


def heterogeneity_line(result, measure=SMD):
    """Heterogeneity of a pooled result in one line."""
    if not result.pooled:
        return "One experiment: nothing to pool."
    parts = [
        f"τ² = {variance_text(result.tau2)}",
        f"I² = {percent(result.i2)}",
        f"H² = {number(result.h2)}",
        f"Q({result.k - 1}) = {number(result.q)}, {p_phrase(result.p_heterogeneity)}",
    ]
    if not pd.isna(result.pi_low):
        span = effect_interval(result.pi_low, result.pi_high, measure)
        parts.append(f"{100 * result.level:g}% prediction interval {span}")
    return ", ".join(parts)


def heterogeneity_words(result, measure=SMD):
    """What heterogeneity and the prediction interval mean for the next experiment."""
    if not result.pooled:
        return ""
    if pd.isna(result.pi_low):
        return "There are too few experiments for a prediction interval."
    span = effect_interval(result.pi_low, result.pi_high, measure)
    if result.pi_low > 0 or result.pi_high < 0:
        tail = "which lies on one side of zero"
    else:
        tail = "which holds zero: a new experiment may well find an effect on the other side"
    return (
        f"The true effect of a new experiment of this kind is expected within {span} "
        f"({100 * result.level:g}%), {tail}."
    )


def result_paragraph(analysis, review):
    """A results paragraph on one outcome for a manuscript."""
    result, outcome, measure = analysis.chosen, analysis.outcome, analysis.measure
    text = verdict(result, outcome, review.treated, measure)
    studies = count(analysis.studies, "study", "studies")
    text += f" The data came from {studies}{animals_phrase(analysis)}."
    if result.pooled:
        text += f" (τ² = {variance_text(result.tau2)}, I² = {percent(result.i2)}.)"
        text += f" {heterogeneity_words(result, measure)}"
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
    measure, chosen = analysis.measure, analysis.chosen
    digits = effect_digits(chosen.ci_low, chosen.ci_high, measure)
    parts = []
    for noun, left in left_out.items():
        low, high = left["estimate"].min(), left["estimate"].max()
        kept = (left["ci_low"] > 0) | (left["ci_high"] < 0)
        flips = int((kept != excludes_zero(analysis.chosen)).sum())
        turned = (
            f", and zero moves into or out of the interval {count(flips, 'time')}" if flips else ""
        )
        parts.append(
            f"one {noun} left out, it lies between {effect(low, measure, digits)} and "
            f"{effect(high, measure, digits)}{turned}"
        )
    named = list(table.loc[table["influential"], "left_out"])
    pooled = effect(chosen.estimate, measure, digits)
    text = f"Pooled {measure.name} {pooled}; with {listing(parts)}. "
    if named:
        return text + f"Influential by {MARKS}: {listing(named)}."
    return text + f"No experiment is influential by {MARKS}."


def animals_phrase(analysis):
    """How many animals, as far as the rows tell it: " and 60 animals"; nothing where none does."""
    known = analysis.rows[["n_treated", "n_control"]].notna().all(axis=1)
    if not known.any():
        return "; the numbers of animals are not given"
    text = f" and {count(analysis.animals, 'animal')}"
    return text if known.all() else f"{text} in {known.sum()} of {len(known)} experiments"


SIDES = {
    "benefit": "on the side of benefit",
    "harm": "on the side of harm",
    "neither": "of which no side is benefit",
}


def family_verdict(label, analyses):
    """What the outcomes of a family say together, as one sentence."""
    analyses = list(analyses)
    sides = {"benefit": [], "harm": [], "neither": []}
    undecided = []
    for analysis in analyses:
        side = direction(analysis.chosen.estimate, analysis.measure.better)
        if analysis.chosen.pooled and excludes_zero(analysis.chosen):
            sides[side].append(analysis.outcome.label)
        else:
            undecided.append(analysis.outcome.label)
    few = len(analyses) < 10  # a sentence to quote, not a list
    parts = [
        f"{len(names)} {SIDES[side]}" + (f" ({listing(names)})" if few else "")
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
