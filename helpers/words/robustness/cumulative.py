"""How a result went over the years of publication, as sentences."""

from __future__ import annotations

import math

from helpers.analysis.records import records
from helpers.words.numbers import count, effect, effect_digits, level_name


def words(analysis, steps):
    """Since when the interval excludes, or includes, no effect, and how the estimate moved.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    steps : pandas.DataFrame
        Of `helpers.analysis.robustness.cumulative.by_year`.
    """
    measure, result = analysis.measure, analysis.leading
    known = [row for row in records(steps) if not math.isnan(row["ci_low"])]
    run = len(known) - 1
    while run and _side(known[run - 1]) == _side(known[-1]):
        run -= 1
    verb = "excluded" if _side(known[-1]) else "included"
    first = known[run]
    when = f"since {_year(first)} ({_basis(first)})" if run else "in every year"
    text = f"The {level_name(result.level)} has {verb} {measure.null} {when}."
    if pooled := [row for row in known if row["k"] > 1]:
        digits = effect_digits(result.ci_low, result.ci_high, measure)
        was, now = (effect(row["estimate"], measure, digits) for row in (pooled[0], pooled[-1]))
        text += (
            f" The pooled {measure.name} was {was} in {_year(pooled[0])} ({_basis(pooled[0])}) and "
            f"is {now} now ({_basis(pooled[-1])})."
        )
    if len(known) < len(steps):
        text += f" {count(len(steps) - len(known), 'year')} gave no result by the model."
    return text + " Looks at growing data are not adjusted for their number."


def _side(row):
    """1 or -1 where the interval excludes no effect on that side, else 0."""
    return (row["ci_low"] > 0) - (row["ci_high"] < 0)


def _year(row):
    return (
        "the experiments whose year is not known"
        if math.isnan(row["year"])
        else f"{row['year']:.0f}"
    )


def _basis(row):
    experiments = count(row["k"], "experiment")
    return f"{experiments} of {count(row['studies'], 'study', 'studies')}"
