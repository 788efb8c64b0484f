"""What would change the result of one outcome: new experiments, years, unpublished results."""

from __future__ import annotations

import numpy as np

from helpers.analysis.records import records
from helpers.analysis.robustness import publication_bias as unpublished
from helpers.analysis.robustness.cumulative import by_year
from helpers.analysis.robustness.planning import plan
from helpers.figures import forest
from helpers.page import blocks
from helpers.words.numbers import count, estimate_text, level_name
from helpers.words.robustness import cumulative as wording_of_years
from helpers.words.robustness import planning as wording
from helpers.words.robustness import publication_bias as wording_of_unpublished

FIELDS = ("other_side", "smallest", "short", "smallest_note", "n_power", "n_assurance", "limit",
          "sd", "animals_note", "n", "variance", "beside")  # fmt: skip


def planning(report, analysis):
    """What a new experiment may find, how many animals it needs, what it adds; None without any."""
    found, name = _planned(report, analysis), f"{analysis.outcome.id}-planning"
    if found is None:
        return None
    assumed = analysis.outcome.id in report.assumed
    text = wording.words(analysis, found, report.review, assumed)
    table = _narrowing(report, analysis, found) if len(found.narrowing) > 1 else None
    return blocks.together([blocks.paragraph(text, name=name, copy=True), table], name=name)


def _narrowing(report, analysis, found):
    animals = "" if found.n is None else f" of {count(found.n, 'animal')} a group"
    levels = ", and of a level in the model of its moderator" if len(found.levels) else ""
    caption = (
        f"{analysis.outcome.label}: how much one more experiment{animals} is expected to narrow the "
        f"interval of the pooled effect{levels}, if the variances between experiments are as "
        "estimated."
    )
    if (found.narrowing["narrower"] < 0).any():
        caption += (
            " An interval that is expected to widen is narrower now than its model expects: the "
            "studies that it rests on happen to agree."
        )
    return report.exhibits.table(
        wording.table(analysis, found, report.review),
        name=f"{analysis.outcome.id}-narrowing",
        caption=caption,
        groups="group",
        data=_of_measure(found.narrowing, analysis),
    )


def cumulative(report, analysis):
    """Pooled effects so far, a row a year of publication; None where no years are known."""
    steps, measure = _by_year(report, analysis), analysis.measure
    if steps is None:
        return None
    label = np.where(steps["year"].isna(), "year not known", steps["year"].map("{:.0f}".format))
    drawn = steps.rename(columns={"estimate": "effect"}).assign(label=label, size=steps["k"])
    drawn = drawn[drawn["effect"].notna()]
    how = {
        "pooled": analysis.leading,
        "heading": "Up to",
        "measure": measure,
        "level": report.settings.level,
        "favours": (f"favours {report.review.control}", f"favours {report.review.treated}"),
        "better": measure.better,
    }
    numbers = ("label", "k", "effect", "ci_low", "ci_high")
    return report.exhibits.figure(
        forest.forest(drawn, columns={"k": "k", "studies": "Studies"}, **how),
        narrow=forest.forest(drawn, narrow=True, **how),
        name=f"{analysis.outcome.id}-cumulative",
        caption=f"{analysis.outcome.label}: cumulative meta-analysis by year of publication, in each "
        f"row all that was published by then. {wording_of_years.words(analysis, steps)}",
        alt=f"{measure.name} with {level_name(report.settings.level)}: "
        + "; ".join(
            f"{name}, k = {k}, {estimate_text(*values, measure)}"
            for name, k, *values in drawn[list(numbers)].itertuples(index=False)
        )
        + ".",
        data=_of_measure(steps, analysis),
    )


def publication_bias(report, analysis):
    """Trim and fill, a selection model and excess significance; None below 10 experiments."""
    found = _unpublished(report, analysis)
    if found is None:
        return None
    return report.exhibits.table(
        wording_of_unpublished.table(analysis, found),
        name=f"{analysis.outcome.id}-publication-bias",
        caption=f"{analysis.outcome.label}: {wording_of_unpublished.caveat(analysis, found)}",
        data=_of_measure(wording_of_unpublished.data(found), analysis),
    )


def fields(report, analysis):
    """All of it as plain data, for the JSON; None where nothing is pooled.

    Parameters
    ----------
    report : helpers.report.family.Report
    analysis : helpers.analysis.outcome.OutcomeAnalysis

    Returns
    -------
    dict or None
        What `helpers.analysis.robustness.planning.Planning` has, and rows of ``cumulative`` and
        ``publication_bias``, which are empty where the page has none.
    """
    found = _planned(report, analysis)
    if found is None:
        return None
    steps, bias = _by_year(report, analysis), _unpublished(report, analysis)
    return {name: getattr(found, name) for name in FIELDS} | {
        "narrowing": records(found.narrowing),
        "cumulative": [] if steps is None else records(steps),
        "publication_bias": [] if bias is None else records(wording_of_unpublished.data(bias)),
    }


def declared_measure(review):
    """The measure that a review asks for, in which it says its smallest effects of interest."""
    return str(review.settings.get("measure", "SMD")).upper()


def _planned(report, analysis):
    return _once(report, analysis, plan, declared_measure(report.review))


def _by_year(report, analysis):
    return _once(report, analysis, by_year)


def _unpublished(report, analysis):
    return _once(report, analysis, unpublished.of)


def _once(report, analysis, compute, *args):
    """What is computed of an outcome, once a report: for the page and for the JSON."""
    key = compute, analysis.outcome.id
    if key not in report.planned:
        report.planned[key] = compute(analysis, *args)
    return report.planned[key]


def _of_measure(table, analysis):
    return table.assign(measure=analysis.measure.label, scale=analysis.measure.scale)
