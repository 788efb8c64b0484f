"""Numbers as text and results as sentences; every word follows from the numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from helpers.analysis.measures import SMD
from helpers.analysis.result import is_modelled
from helpers.stats.pooling import probability_below
from helpers.words.numbers import (
    chance,
    count,
    direction,
    effect,
    effect_digits,
    effect_interval,
    estimate_words,
    excludes_zero,
    level_name,
    listing,
    number,
    p_phrase,
    percent,
    told,
    variance_text,
)

MARKS = "DFFITS, Cook's distance, hat value or DFBETAS"  # as `influence.diagnostics` judges
ALPHA = 0.05
MANY = 8  # names in one sentence


def verdict(result, outcome, treated, measure=None, assumed=False):
    """What a pooled effect says about an outcome, as one sentence a reader can quote.

    The direction is that of the animals: which way the treated ones differ follows from the
    estimate and from what a positive effect means (`Measure.positive`), the side
    of benefit from its `better`. Whether it is told as a difference follows from the interval, and
    an interval that includes no effect is never told as an absence of effect.

    Parameters
    ----------
    result : helpers.stats.pooling.PooledResult
    outcome : helpers.review.description.Outcome
    treated : str
        What the treated group is called.
    measure : helpers.analysis.measures.Measure, optional
        By default the SMD, treated less control.
    assumed : bool
        Whether the number of experiments is assumed: whoever copies the sentence copies that.
    """
    measure = measure or replace(SMD, better=outcome.better or "neither")
    favours = favouring(direction(result.estimate, measure.better), treated)
    on = f", {favours}" if favours else ""
    numbers = estimate_words(result, measure)
    rows = count(result.k, "experiment") + (" (an assumed number)" if assumed else "")
    if not result.pooled:
        return f"{outcome.label}: a single experiment, {numbers}{on}; nothing is pooled."
    if not excludes_zero(result):
        return (
            f"{outcome.label}: {numbers}, pooled over {rows}; the {level_name(result.level)} "
            f"includes {measure.null}, so an effect of {treated} is neither shown nor ruled out."
        )
    pooled = f"{numbers}, pooled over {rows}."
    change = higher_or_lower(result.estimate, measure)
    if change:
        return f"{outcome.label} was {change} with {treated}{on}: {pooled}"
    # Rows measure it in both directions, so that only the side can be told.
    return f"{outcome.label} differed with {treated}{on}: {pooled}"


def favouring(side, treated):
    """Whom an effect favours: "favouring exosomes"; empty where neither side is benefit."""
    return {"benefit": f"favouring {treated}", "harm": "favouring the control"}.get(side, "")


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
    if is_modelled(result):
        parts = [f"{told('I²', percent(result.i2))} in all"]
        parts += [_level_text(result, name) for name in result.levels]
    else:
        parts = [
            f"τ² = {variance_text(result.tau2)}",
            told("I²", percent(result.i2)),
            f"H² = {number(result.h2)}",
        ]
    parts += [f"Q({result.k - 1}) = {number(result.q)}, {p_phrase(result.p_heterogeneity)}"]
    if not pd.isna(result.pi_low):
        span = effect_interval(result.pi_low, result.pi_high, measure)
        parts.append(f"{100 * result.level:g}% prediction interval {span}")
    return ", ".join(parts)


def _level_text(result, name):
    """Variance and I² of one level: "between studies σ² = 0.31 (I² = 22.0%)"."""
    between = {"study": "between studies", "experiment": "between experiments of a study"}
    where = between.get(name, f"between values of {name}")
    share = told("I²", percent(result.i2_levels[name]))
    return f"{where} σ² = {variance_text(result.sigma2[name])} ({share})"


def heterogeneity_words(result, measure=SMD):
    """What the prediction interval says about the next experiment, with a probability."""
    if not result.pooled:
        return ""
    if result.method == "EE":
        return "A common-effect model has no prediction interval."
    if pd.isna(result.pi_low):
        return "There are too few experiments for a prediction interval."
    side, probability = opposite(result)
    return (
        f"The {100 * result.level:g}% prediction interval is "
        f"{effect_interval(result.pi_low, result.pi_high, measure)}; the probability that the true "
        f"effect of a new experiment lies {side} {measure.null} is {chance(probability)} (from the "
        "prediction distribution)."
    )


def opposite(result):
    """The side of zero on which the estimate is not, and how probable a true effect there is."""
    below = probability_below(result)
    return ("below", below) if result.estimate >= 0 else ("above", 1 - below)


def result_paragraph(analysis, review, assumed=False, natural=(), back=None):
    """A results paragraph on one outcome for a manuscript.

    Parameters
    ----------
    analysis : OutcomeAnalysis
    review : helpers.review.review.Review
    assumed : bool
        Whether the number of experiments is not printed but assumed; what depends on it is then
        said to be no finding.
    natural : list of NaturalUnits
        The result in the outcome's own units.
    back : WayBack, optional
        The result as the way back to the uninjured value.

    Returns
    -------
    str
    """
    result, outcome, measure = analysis.leading, analysis.outcome, analysis.measure
    parts = [verdict(result, outcome, review.treated, measure, assumed)]
    parts += [natural_words(natural, result), way_back_words(back)]
    studies = count(analysis.studies, "study", "studies")
    parts.append(f"The data came from {studies}{animals_phrase(analysis)}.")
    if result.pooled:
        parts.append(f"({_spread_text(result)}.)")
        parts.append(heterogeneity_words(result, measure))
    parts.append(moderator_words(analysis, review))
    if assumed:
        parts.append(
            "τ², I², the prediction interval and tests depend on the assumed number of experiments "
            "and are not findings."
        )
    if review.subset is not None:
        parts.append(review.subset.mark.strip())
    if not review.is_authentic:
        parts.append(f"The data are {review.evidence['kind']}.")
    return " ".join(filter(None, parts))


def natural_words(found, result):
    """A pooled SMD in the outcome's own units, and how they were made; empty where there are none.

    `found` are the `helpers.analysis.units.NaturalUnits` of the outcome.
    """
    if not found:
        return ""
    low_high = level_name(result.level)
    said = []
    for one in found:
        digits = max(0, 1 - math.floor(math.log10(one.sd)))
        values = [number(value, digits) for value in (one.estimate, one.ci_low, one.ci_high)]
        said.append(
            f"{values[0]} {one.unit}, {low_high} {values[1]} to {values[2]} (median SD "
            f"{number(one.sd, digits)} of {count(one.groups, 'control group')})"
        )
    return (
        f"In natural units this is about {'; '.join(said)}: the SMD times the median SD of the "
        "control groups."
    )


def way_back_words(back):
    """How far back to the uninjured value, and how that was computed; empty where it is unknown.

    `back` is a `helpers.analysis.units.WayBack` or None.
    """
    if back is None:
        return ""
    one = back.result
    values = [number(value, 0) for value in (one.estimate, one.ci_low, one.ci_high)]
    value = "value of its row" if math.isnan(back.reference) else f"value of {back.reference:g}"
    rows = f"{one.k} of the {count(back.of, 'experiment')}"
    rows = (
        f"all {count(back.of, 'experiment')}" if one.k == back.of else f"the {rows} that have one"
    )
    return (
        f"This is {values[0]}% ({level_name(one.level)} {values[1]} to {values[2]}) of the way from "
        f"the control mean to the uninjured {value}: the normalised mean difference of "
        f"{rows}, pooled by the same model."
    )


def _spread_text(result):
    """How much true effects differ, and by which model."""
    if not is_modelled(result):
        return f"τ² = {variance_text(result.tau2)}, {told('I²', percent(result.i2))}"
    levels = listing(result.levels)
    parts = [f"Multilevel model, levels {levels}" if len(result.levels) > 1 else f"Random {levels}"]
    parts += [f"σ² = {variance_text(result.tau2)} in all", told("I²", percent(result.i2))]
    return ", ".join([*parts, result.test_label])


def moderator_words(analysis, review):
    """By which moderators effects differed after Holm's adjustment, or that no association was shown.

    Levels, and slopes, that rest on one experiment or one study carry no statement.
    """
    labels = {name: moderator.label.lower() for name, moderator in review.moderators.items()}
    tested = {
        name: one.p_moderators
        for name, one in analysis.tested.items()
        if not pd.isna(one.p_moderators)
    }
    differed = [name for name in tested if analysis.p_holm[name] < ALPHA]
    parts = []
    if differed:
        phrases = [
            f"{labels[name]} ({_moderator_p(analysis, name)}, "
            f"{told('R²', percent(100 * analysis.tested[name].r2, 0))})"
            for name in differed
        ]
        many = f"Of {count(len(tested), 'moderator')} examined one at a time, effects"
        parts.append(f"{many if len(tested) > 1 else 'Effects'} differed by {listing(phrases)}.")
    elif tested:
        smallest = min(tested, key=tested.get)
        found = f"{labels[smallest]}, {_moderator_p(analysis, smallest)}"
        if len(tested) == 1:
            text = f"No association with the effect was established for the moderator ({found})"
        else:
            text = (
                f"None of the {count(len(tested), 'moderator')} examined one at a time was associated "
                f"with the effect after adjustment for multiple testing (smallest p: {found})"
            )
        parts.append(f"{text}; this does not show that there is no association.")
    thin = [
        f"{labels[name]}: {listing(levels)}"
        for name, levels in analysis.thin_levels.items()
        if name in tested
    ]
    if thin:
        parts.append(
            f"Levels with only one experiment or one study were not tested ({'; '.join(thin)})."
        )
    if analysis.not_tested:
        names = listing(labels[name] for name in analysis.not_tested)
        parts.append(f"Not tested because of too few studies: {names}.")
    return " ".join(parts)


def _moderator_p(analysis, name):
    """P of a moderator's regression, with that by Holm where there are several."""
    raw = p_phrase(analysis.tested[name].p_moderators)
    if len(analysis.tested) == 1:
        return raw
    return f"{raw}, Holm-adjusted {p_phrase(analysis.p_holm[name])}"


def evidence_mark(review):
    """What stands behind a sentence that is copied, where its rows are not all, or not authentic."""
    mark = "" if review.subset is None else review.subset.mark
    return mark + kind_mark(review)


def kind_mark(described):
    """What kind of rows a sentence rests on, by a review or its description; empty for real ones."""
    return "" if described.is_authentic else f" ({described.evidence['kind'].capitalize()} data.)"


def influence_words(analysis, table, left_out, *, noun="experiment", marks=MARKS):
    """What leaving out one experiment, or one study, does to a pooled result.

    `table` is that of `helpers.stats.influence.diagnostics`; `left_out` holds those of
    `helpers.stats.influence.leave_one_out` by what was left out.
    """
    result, spans, turned = analysis.leading, {}, []
    excludes = excludes_zero(result)
    measure = analysis.measure
    digits = effect_digits(result.ci_low, result.ci_high, measure)
    for one, left in left_out.items():
        low, high = left["estimate"].min(), left["estimate"].max()
        span = f"{effect(low, measure, digits)} and {effect(high, measure, digits)}"
        spans.setdefault(span, []).append(f"one {one}")
        kept = (left["ci_low"] > 0) | (left["ci_high"] < 0)
        names = list(left.loc[kept != excludes, "left_out"])
        if names:
            named = listing(names) if len(names) == 1 else f"any one of {listing(names)}"
            if len(names) > MANY:
                named = f"any one of {count(len(names), one, 'studies' * (one == 'study'))}"
            turned.append(
                f"Leaving out {named} alone makes the {level_name(result.level)} "
                f"{'include' if excludes else 'exclude'} {measure.null}. "
            )
    parts = [f"between {span} with {' or '.join(ones)} left out" for span, ones in spans.items()]
    named = list(table.loc[table["influential"], "left_out"])
    pooled = f"{measure.name} {effect(result.estimate, measure, digits)}"
    text = f"Pooled {pooled}, {listing(parts)}. {''.join(turned)}"
    if named:
        return text + f"Influential by {marks}: {listing(named)}."
    return text + f"No {noun} is influential by {marks}."


def animals_phrase(analysis):
    """How many animals, as far as the rows tell it: " and 60 animals"; nothing where none does."""
    known = analysis.rows[["n_treated", "n_control"]].notna().all(axis=1)
    if not known.any():
        return "; the numbers of animals are not given"
    text = f" and {count(analysis.animals, 'animal')}"
    return text if known.all() else f"{text} in {known.sum()} of {len(known)} experiments"


def family_verdict(label, analyses, treated="the treatment", assumed=()):
    """What the outcomes of a family say together, as one sentence; without a label, of any.

    `treated` is what the treated group is called; `assumed` holds the ids of outcomes whose number
    of experiments is assumed.
    """
    analyses = list(analyses)
    few = len(analyses) < 10  # a sentence to quote, not a list
    groups = {"benefit": [], "harm": [], "neither": [], "open": [], "one": []}
    for analysis in analyses:
        result = analysis.leading
        kind = direction(result.estimate, analysis.measure.better)
        if not result.pooled:
            kind = "one"
        elif not excludes_zero(result):
            kind = "open"
        groups[kind].append(analysis.outcome.label)

    def named(names):
        return f" ({listing(names)})" if few else ""

    parts = [
        f"{len(groups[side])} {favouring(side, treated) or 'with no side of benefit'}"
        f"{named(groups[side])}"
        for side in ("benefit", "harm", "neither")
        if groups[side]
    ]
    measures = {analysis.measure.name for analysis in analyses}
    of = f" of the {measures.pop()}" if len(measures) == 1 else ""
    levels = sorted({level_name(analysis.leading.level) for analysis in analyses})
    nulls = {analysis.measure.null for analysis in analyses}
    null = nulls.pop() if len(nulls) == 1 else "no effect"
    text = (f"{label}: of " if label else "Of ") + (
        f"{count(len(analyses), 'outcome')}, the {listing(levels)}{of} excludes {null} "
        f"for {listing(parts)}"
    )
    if groups["open"]:
        names = groups["open"]
        text += (
            f"; it includes {null} for {listing(names) if few else len(names)}, where an effect is "
            "neither shown nor ruled out"
        )
    if groups["one"]:
        names = groups["one"]
        rest = "one experiment" if len(names) == 1 else "one experiment each"
        text += f"; {listing(names) if few else len(names)}: {rest}"
    known = [one.outcome.label for one in analyses if assumed and one.outcome.id in assumed]
    if known:
        names = listing(known) if few and len(known) < len(analyses) else ""
        every = "all of them" if len(known) == len(analyses) else count(len(known), "outcome")
        text += f"; the number of experiments is assumed for {names or every}"
    return text + "."
