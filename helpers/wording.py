"""Numbers as text and results as sentences; every word follows from the numbers."""

from __future__ import annotations

import math

import pandas as pd

from helpers.moderators import resting_on_one
from helpers.pooling import probability_below

MINUS = "\u2212"
MARKS = "DFFITS, Cook's distance, hat value or DFBETAS"  # as `influence.diagnostics` judges
ALPHA = 0.05
MANY = 8  # names in one sentence


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
    """A p-value to three decimals; one that is neither 0 nor 1 is never printed as that."""
    if p is None or pd.isna(p):
        return "–"
    if p < 0.0005:
        return "<0.001"
    return ">0.999" if p >= 0.9995 else f"{p:.3f}"


def p_phrase(p):
    """A p-value after its letter: "p = 0.012", "p < 0.001"."""
    return told("p", p_value(p))


def percent(value, digits=1):
    """A percentage; one that is neither 0 nor 100 is never printed as that: "<0.1%"."""
    if value is None or pd.isna(value):
        return "–"
    least = 10.0**-digits
    if 0 < value <= least / 2:
        return f"<{least:.{digits}f}%"
    if 100 - least / 2 <= value < 100:
        return f">{100 - least:.{digits}f}%"
    return f"{value:.{digits}f}%"


def told(name, text):
    """A quantity and its value: "I² = 84.1%", "I² > 99.9%", "p < 0.001"."""
    return f"{name} {text[0]} {text[1:]}" if text[0] in "<>" else f"{name} = {text}"


def chance(probability):
    """A probability of at most a half as odds that a reader can picture: "about 1 in 20"."""
    if probability < 0.001:
        return "less than 1 in 1,000"
    if probability >= 0.275:  # between 1 in 4 and 1 in 2 only tenths come near enough
        return f"about {10 * probability:.0f} in 10"
    many = 1 / probability
    return f"about 1 in {float(f'{many:.2g}') if many > 10 else round(many):,.0f}"


def count(n, noun, plural=None):
    """A count with its noun: "1 experiment", "72 experiments"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def was(n):
    """The verb after a count: "was" or "were"."""
    return "was" if n == 1 else "were"


def listing(items):
    """Items as a phrase: "a, b and c"."""
    items = [str(item) for item in items]
    if not items:
        return "none"
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


def verdict(result, outcome, treated, assumed=False):
    """What a pooled effect says about an outcome, as one sentence a reader can quote.

    The direction is that of the estimate; whether it is told as a difference follows from the
    interval, and an interval with 0 inside is told as undecided, never as an absence of effect.
    Whoever copies the sentence copies with it that the number of experiments is `assumed`.
    """
    side = direction(result.estimate, outcome.better)
    words = "neither side" if side == "neither" else f"the side of {side}"
    numbers = f"{number(result.estimate)} {interval(result.ci_low, result.ci_high)}"
    rows = count(result.k, "experiment") + (" (an assumed number)" if assumed else "")
    if not result.pooled:
        return f"{outcome.label}: one experiment gives {numbers}, on {words}; nothing is pooled."
    if not excludes_zero(result):
        return (
            f"{outcome.label}: {rows} do not settle whether {treated} change it; "
            f"{numbers} reaches from one side of zero to the other."
        )
    change = "higher" if result.estimate > 0 else "lower"
    return (
        f"{outcome.label} was {change} with {treated}, on {words}: {numbers}, pooled over {rows}."
    )


def heterogeneity_line(result):
    """Heterogeneity of a pooled result in one line."""
    if not result.pooled:
        return "One experiment: nothing to pool."
    parts = [
        f"τ² = {number(result.tau2)}",
        told("I²", percent(result.i2)),
        f"H² = {number(result.h2)}",
        f"Q({result.k - 1}) = {number(result.q)}, {p_phrase(result.p_heterogeneity)}",
    ]
    if not pd.isna(result.pi_low):
        parts.append(f"prediction interval {interval(result.pi_low, result.pi_high)}")
    return ", ".join(parts)


def heterogeneity_words(result):
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
        f"{interval(result.pi_low, result.pi_high)}; the probability that the true effect of a new "
        f"experiment lies {side} 0 is {chance(probability)} (from the prediction distribution)."
    )


def opposite(result):
    """The side of zero on which the estimate is not, and how probable a true effect there is."""
    below = probability_below(result)
    return ("below", below) if result.estimate >= 0 else ("above", 1 - below)


def result_paragraph(analysis, review, measure="SMD", assumed=False):
    """A results paragraph on one outcome for a manuscript.

    Parameters
    ----------
    analysis : OutcomeAnalysis
    review : helpers.review.Review
    measure : str
        What the effect is called.
    assumed : bool
        Whether the number of experiments is not printed but assumed; what depends on it is then
        said to be no finding.

    Returns
    -------
    str
    """
    result, outcome = analysis.chosen, analysis.outcome
    parts = [verdict(result, outcome, review.treated, assumed)]
    studies = count(analysis.studies, "study", "studies")
    parts.append(f"The data came from {studies} and {count(analysis.animals, 'animal')}.")
    if result.pooled:
        parts.append(
            f"({measure} with {level_name(result.level)}; {told('τ²', number(result.tau2))}, "
            f"{told('I²', percent(result.i2))}.)"
        )
        parts.append(heterogeneity_words(result))
    parts.append(moderator_words(analysis, review))
    if assumed:
        parts.append(
            "τ², I², the prediction interval and tests depend on the assumed number of experiments "
            "and are not findings."
        )
    if not review.is_authentic:
        parts.append(f"Data: {review.evidence['kind']}.")
    return " ".join(filter(None, parts))


def moderator_words(analysis, review):
    """By which moderators effects differed after Holm's correction, or that by none they did.

    A moderator with a level, or a slope, that rests on one experiment or one study carries no
    statement.
    """
    labels = {name: review.moderators[name].label.lower() for name in analysis.regressions}
    tested = {
        name: one.p_moderators
        for name, one in analysis.regressions.items()
        if not pd.isna(one.p_moderators)
    }
    thin = [name for name in tested if rests_on_one(analysis, name)]
    sound = {name: p for name, p in tested.items() if name not in thin}
    differed = [name for name in sound if analysis.p_holm[name] < ALPHA]
    parts = []
    if thin:
        parts.append(
            f"Nothing is said about {listing(labels[name] for name in thin)}, where a level or a "
            "slope rests on one experiment or one study."
        )
    if differed:
        phrases = [
            f"{labels[name]} ({_moderator_p(analysis, name)}, {r2_words(analysis, name)})"
            for name in differed
        ]
        many = f"Of {count(len(tested), 'moderator')} examined one at a time, effects"
        parts.append(f"{many if len(tested) > 1 else 'Effects'} differed by {listing(phrases)}.")
    elif sound:
        smallest = min(sound, key=sound.get)
        found = f"{labels[smallest]}, {_moderator_p(analysis, smallest)}"
        if len(tested) == 1:
            parts.append(f"No difference was established for the one moderator ({found})")
        else:
            start = "Otherwise no" if thin else "No"
            many = f"correction for {count(len(tested), 'moderator')}"
            parts.append(f"{start} difference survived {many} (smallest: {found})")
        parts[-1] += ", which does not show that there is none."
    return " ".join(parts)


def r2_words(analysis, name):
    """R² of a moderator's regression, or why none is printed."""
    if rests_on_one(analysis, name):
        return "no R², as a level or the slope rests on one experiment or one study"
    return told("R²", percent(100 * analysis.regressions[name].r2, 0))


def rests_on_one(analysis, name):
    """Whether a moderator's levels, or its slope, rest on one experiment or one study."""
    return bool(resting_on_one(analysis.rows[name], analysis.rows["study"]))


def _moderator_p(analysis, name):
    """P of a moderator's regression, with that by Holm where there are several."""
    raw = p_phrase(analysis.regressions[name].p_moderators)
    if len(analysis.regressions) == 1:
        return raw
    return f"{raw}, adjusted for multiple testing (Holm) {p_phrase(analysis.p_holm[name])}"


def evidence_mark(review):
    """What stands behind a sentence that is copied, where its rows are not authentic."""
    return "" if review.is_authentic else f" ({review.evidence['kind'].capitalize()} data.)"


def influence_words(analysis, table, left_out):
    """What leaving out one experiment, or one study, does to a pooled result.

    `table` is that of `helpers.influence.diagnostics`; `left_out` holds those of
    `helpers.influence.leave_one_out` by what was left out.
    """
    result, parts, turned = analysis.chosen, [], []
    excludes = excludes_zero(result)
    for noun, left in left_out.items():
        low, high = left["estimate"].min(), left["estimate"].max()
        parts.append(f"between {number(low)} and {number(high)} with one {noun} left out")
        kept = (left["ci_low"] > 0) | (left["ci_high"] < 0)
        names = list(left.loc[kept != excludes, "left_out"])
        if names:
            named = listing(names) if len(names) == 1 else f"any one of {listing(names)}"
            if len(names) > MANY:
                named = f"any one of {count(len(names), noun, 'studies' * (noun == 'study'))}"
            turned.append(
                f"Leaving out {named} alone makes the {level_name(result.level)} "
                f"{'include' if excludes else 'exclude'} 0. "
            )
    named = list(table.loc[table["influential"], "left_out"])
    text = f"Pooled effect {number(result.estimate)}, {listing(parts)}. {''.join(turned)}"
    if named:
        return text + f"Influential by {MARKS}: {listing(named)}."
    return text + f"No experiment is influential by {MARKS}."


def family_verdict(label, analyses, assumed=()):
    """What the outcomes of a family say together, as one sentence.

    `assumed` holds the ids of outcomes whose number of experiments is assumed.
    """
    analyses = list(analyses)
    few = len(analyses) < 10  # a sentence to quote, not a list
    groups = {"benefit": [], "harm": [], "neither": [], "open": [], "one": []}
    for analysis in analyses:
        result = analysis.chosen
        kind = direction(result.estimate, analysis.outcome.better)
        if not result.pooled:
            kind = "one"
        elif not excludes_zero(result):
            kind = "open"
        groups[kind].append(analysis.outcome.label)

    def named(names):
        return f" ({listing(names)})" if few else ""

    sides = {"benefit": "on the side of benefit", "harm": "on the side of harm",
             "neither": "where neither side is benefit"}  # fmt: skip
    parts = [
        f"{len(groups[side])} {words}{named(groups[side])}"
        for side, words in sides.items()
        if groups[side]
    ]
    levels = sorted({level_name(analysis.chosen.level) for analysis in analyses})
    text = (
        f"{label}: of {count(len(analyses), 'outcome')}, the {listing(levels)} excludes 0 for "
        f"{listing(parts)}"
    )
    if groups["open"]:
        names = groups["open"]
        text += f"; it includes 0 for {listing(names) if few else len(names)}, where an effect is "
        text += "neither shown nor ruled out"
    if groups["one"]:
        names = groups["one"]
        rest = "rests on one experiment" if len(names) == 1 else "rest on one experiment each"
        text += f"; {listing(names) if few else len(names)} {rest}"
    known = [analysis.outcome.label for analysis in analyses if analysis.outcome.id in assumed]
    if known:
        names = listing(known) if few and len(known) < len(analyses) else ""
        every = "all of them" if len(known) == len(analyses) else count(len(known), "outcome")
        text += f"; the number of experiments is assumed for {names or every}"
    return text + "."
