"""What a next experiment may find, and what it would add, as sentences and a table."""

from __future__ import annotations

import math

import pandas as pd

from helpers.analysis.records import records
from helpers.analysis.robustness.planning import BESIDE
from helpers.stats.planning.assurance import ALPHA, MOST, TARGET
from helpers.words.numbers import chance, count, direction, effect, level_name, number, percent
from helpers.words.sentences import evidence_mark, favouring

AIM = percent(100 * TARGET, 0)
LONG = 40  # characters of a study's name
TEST = f"two-sided t-test, {percent(100 * ALPHA, 0)}"


def words(analysis, plan, review, assumed=False):
    """What would change the result; its first sentence can be quoted.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    plan : helpers.analysis.robustness.planning.Planning
    review : helpers.review.review.Review
    assumed : bool
        Whether the number of experiments is assumed.

    Returns
    -------
    str
    """
    first = _animals(analysis, plan, review.treated, assumed) + evidence_mark(review)
    parts = [first, _chances(analysis, plan), _narrower(analysis, plan, review)]
    if plan.predicted:
        parts.append("Where small effects were left unpublished, these numbers promise too much.")
    if assumed:
        parts.append("All of this depends on the assumed number of experiments and is no finding.")
    return " ".join(filter(None, parts))


def _animals(analysis, plan, treated, assumed):
    """How many animals a new experiment needs."""
    label, result = analysis.outcome.label, analysis.leading
    label += " (an assumed number of experiments)" if assumed else ""
    if plan.animals_note:
        return f"{label}: animals of a new experiment are not computed, as {plan.animals_note}."
    side = favouring(direction(result.estimate, analysis.measure.better), treated)
    aim = (
        f"{AIM} assurance of a significant result {side or 'on the side of the pooled effect'} "
        f"({TEST}, averaged over the prediction distribution of its true effect)"
    )
    power = f"would give {AIM} power if its true effect were the pooled one"
    if plan.limit >= TARGET:
        need = f"{_many(plan.n_assurance)} animals a group"
        return f"{label}: a new experiment needs {need} for {aim}; {_many(plan.n_power)} {power}."
    return (
        f"{label}: no number of animals gives a new experiment {aim}, as its true effect lies on "
        f"that side with a probability of {percent(100 * plan.limit)} only; {_many(plan.n_power)} "
        f"animals a group {power}."
    )


def _many(n):
    return f"more than {MOST:,}" if n is None else f"{n:,}"


def _chances(analysis, plan):
    """What true effect a new experiment may have."""
    measure, parts = analysis.measure, []
    if plan.predicted:
        side = "below" if analysis.leading.estimate >= 0 else "above"
        parts.append(f"lies {side} {measure.null} is {_chance(plan.other_side)}")
    if plan.short is not None:
        least = f"{measure.name} {effect(plan.smallest, measure)}{_unit(measure)}"
        parts.append(
            f"does not reach {least}, the smallest effect of interest, is {_chance(plan.short)}"
        )
    told = ", and that it ".join(parts)
    text = f"The probability that the true effect of a new experiment {told}." if parts else ""
    if plan.smallest_note:
        text += f" Nothing is said of a smallest effect: {plan.smallest_note}."
    return text.strip()


def _chance(probability):
    """A probability in odds up to a half, in percent beyond."""
    if probability <= 0.5:
        return chance(probability)
    return f"about {percent(100 * probability, 0)}"


def _unit(measure):
    return {"": "", "%": "%"}.get(measure.unit, f" {measure.unit}")


def _narrower(analysis, plan, review):
    """What one more experiment does to the interval, and where it does most."""
    interval, measure = level_name(analysis.leading.level), analysis.measure
    first, size = records(plan.narrowing)[0], "of the usual precision"
    if not first["width"]:
        return (
            f"The {interval} has no width, as all effects are equal: nothing is said of narrowing."
        )
    if plan.n is not None:
        size = f"of {count(plan.n, 'animal')} a group (the median here)"
    text = f"One more experiment {size}"
    text += " in a new study" if plan.beside is not None else ""
    text += f" is expected to make the {interval} {_changed(first['narrower'])}"
    text += (
        f" ({_width_name(measure)} {_width(first['width'], measure)} now, "
        f"{_width(first['width_after'], measure)} then)"
    )
    beside = plan.narrowing.loc[plan.narrowing["stratum"] == BESIDE, "narrower"]
    if len(beside):
        text += (
            f", in an existing one {_changed(beside.iloc[0])} at best ({_study(analysis, plan)})"
        )
    text += "."
    levels = plan.levels
    if len(levels):
        most = records(levels.loc[[levels["narrower"].idxmax()]])[0]
        label = review.moderators[most["moderator"]].label.lower()
        text += (
            f" Of all levels of moderators, it would narrow the interval of {most['level']} ({label}, "
            f"k = {most['k']}) most, by {percent(100 * most['narrower'])}."
        )
    return text


def _changed(share):
    """A share by which an interval narrows, or widens."""
    return f"{percent(100 * abs(share))} {'narrower' if share >= 0 else 'wider'}"


def methods_words(analyses):
    """How all this was computed, for the methods section; empty where nothing is pooled."""
    pooled = [analysis for analysis in analyses if analysis.leading.pooled]
    if not pooled:
        return ""
    text = (
        "How much one more experiment would narrow an interval is an expected value given the data, "
        "with the variances between experiments held at their estimates."
    )
    if any(analysis.measure.standardised or analysis.measure.id == "MD" for analysis in pooled):
        text = (
            f"Animals of a new experiment are those of two groups of one size for {AIM} assurance "
            f"[assurance]: the expected power of a {TEST}, over the prediction distribution of its "
            "true effect, counting significant results on the side of the pooled effect only. "
            + text
        )
    return text


def table(analysis, plan, review):
    """Width of the interval now and with one experiment more, a row a stratum.

    Of ratios the width is told as the upper bound divided by the lower one.
    """
    measure, interval = analysis.measure, level_name(analysis.leading.level)
    width = f"{interval}, {_width_name(measure)}"
    rows = [
        {
            "group": _group(row, review),
            "Stratum": _stratum(row, analysis, plan),
            "k": row["k"],
            width: _width(row["width"], measure),
            "with one more": _width(row["width_after"], measure),
            "narrower by": "–"
            if math.isnan(row["narrower"])
            else percent(100 * row["narrower"]).replace("-", "−"),
        }
        for row in records(plan.narrowing)
    ]
    return pd.DataFrame(rows)


def _group(row, review):
    return review.moderators[row["moderator"]].label if row["moderator"] else "The pooled effect"


def _stratum(row, analysis, plan):
    if row["moderator"]:
        return row["level"]
    if row["stratum"] == BESIDE:
        return f"one more beside {_study(analysis, plan)}"
    return "one more in a new study" if plan.beside is not None else "one more"


def _study(analysis, plan):
    """Name of the existing study, cut where it is a whole citation."""
    name = str(analysis.rows.loc[plan.beside, "study"])
    return name if len(name) <= LONG else f"{name[: LONG - 1].rstrip()}…"


def _width_name(measure):
    return "upper ÷ lower bound" if measure.is_log else "width"


def _width(width, measure):
    return number(math.exp(min(width, 700)) if measure.is_log else width)
