"""The specification curve of one outcome: its sentence, figure, picker and table."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from markupsafe import Markup

from helpers.analysis.records import records
from helpers.analysis.robustness import specifications as curves
from helpers.analysis.robustness.choices import DECISIONS
from helpers.figures import specifications as figures
from helpers.page import blocks
from helpers.page.templating import macros
from helpers.words import numbers
from helpers.words.robustness import specifications as words

DRAWN = 240  # of one measure; the download and the picker have all
# Rows beyond which the download, which the picker reads, has ten digits: with all it were too large.
LONG, DIGITS = 1_000, 10


def computed(report, analysis, most=None):
    """The specifications of an outcome, computed once a report."""
    key = analysis.outcome.id, most
    if key not in report.specifications:
        report.specifications[key] = curves.of_outcome(report.review, analysis, most=most)
    return report.specifications[key]


def curve(report, analysis, most=None):
    """Sentence, figure with its picker, counts and reasons.

    Parameters
    ----------
    report : helpers.report.family.Report
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    most : int, optional
        As of `helpers.analysis.robustness.specifications.of_outcome`.
    """
    found, name = computed(report, analysis, most), f"{analysis.outcome.id}-specifications"
    counted, treated = words.counts(found), report.review.treated
    said = words.sentence(
        found, counted, report.review, label=analysis.outcome.label,
        assumed=analysis.outcome.id in report.assumed,
    )  # fmt: skip
    figure = _figure(report, analysis, found, said, name)
    table = report.exhibits.table(
        words.shown_table(found, counted, treated),
        name=f"{name}-counts",
        caption=f"{analysis.outcome.label}: what the specifications conclude. The spread is the "
        "variance of their estimates, and a decision's share what it explains by itself; "
        f"{words.INTERPLAY} is what only several together explain. An interval is held against the "
        "value of no effect, 0, or 1 of a ratio.",
        data=counted,
    )
    parts = [blocks.paragraph(said, name=f"{name}-words", copy=True), figure,
             _picker(found, report, name), table,
             blocks.paragraph(words.reasons(found), name=f"{name}-reasons", small=True)]  # fmt: skip
    return blocks.together(parts, name=name)


def _figure(report, analysis, found, said, name):
    leading = found.choices.leading["measure"]
    table = found.table[(found.table["measure"] == leading) & (found.table["reason"] == "")]
    step = -(-len(table) // DRAWN)
    note = ""
    if step > 1:
        ranked = table.sort_values("estimate", kind="stable")
        keep = np.arange(len(ranked)) % step == 0
        table = ranked[keep | ranked["leading"].to_numpy(bool)]
        note = f" Drawn is every {step}th; the download (CSV) has all."
    if len(found.table) > LONG:
        note += f" In the download numbers have {DIGITS} digits."
    measure = found.measures[leading]
    choices = []
    for decision in found.decisions:
        made = table[decision].to_numpy(object)
        several = [value for value in dict.fromkeys(found.table[decision]) if (made == value).any()]
        if decision != "measure" and len(several) > 1:
            by = [
                (words.choice(decision, value), made == value) for value in several if value != ""
            ]
            choices.append((words.DECISIONS[decision], by))
    axes = figures.curve(
        *(table[column] for column in ("estimate", "ci_low", "ci_high")),
        principled=table["principled"], leading=table["leading"], choices=choices, measure=measure,
    )  # fmt: skip
    others = [one.name for key, one in found.measures.items() if key != leading]
    also = f" The table has {numbers.listing(others)} too." if others else ""
    return report.exhibits.figure(
        axes,
        name=name,
        caption=f"{analysis.outcome.label}: specification curve, {measure.name} with "
        f"{numbers.level_name(found.level)} by every combination of choices, in rising order. "
        f"Blue: equally principled; grey: only shown. Dashed: the leading analysis, "
        f"{words.leading_text(found)}.{also}{note}",
        alt=said,
        data=_data(found),
    )


def _data(found):
    """The curve as it is handed out: only decisions with several choices."""
    data = found.table[list(dict.fromkeys(["measure", "model", *found.decisions]))].copy()
    data = data.assign(k=found.table["k"].astype(int))
    for name in ("estimate", "ci_low", "ci_high"):
        data[name] = found.table[name]
        if len(data) > LONG:
            data[name] = [float(f"{value:.{DIGITS}g}") for value in data[name]]
    for name in ("principled", "leading"):
        data[name] = np.where(found.table[name], "yes", "")
    if (found.table["reason"] != "").any():
        data["reason"] = [" ".join(text.split()) for text in found.table["reason"]]
    return data


def _picker(found, report, name):
    """What chooses which specifications are drawn; the page's script shows and follows it."""
    decisions = [
        (decision, words.DECISIONS[decision], [
            (words.choice(decision, value), words.choice(decision, value))
            if decision == "rho" else (value, words.choice(decision, value))
            for value in dict.fromkeys(found.table[decision]) if value != ""
        ])
        for decision in found.decisions if decision != "measure"
    ]  # fmt: skip
    measures = [
        {"id": key, "title": one.title, "log": one.is_log, "null": one.null,
         "checked": key == found.choices.leading["measure"],
         "sides": [words.side(name, report.review.treated, one.null)
                   for name in words.BY_BETTER.get(one.better, ("above", "below"))]}
        for key, one in found.measures.items()
    ]  # fmt: skip
    html = macros().picker(f"figure-{name}", measures, decisions, numbers.level_name(found.level))
    return blocks.Block("picker", f"{name}-picker", Markup(html), "")


def fields(report, analysis):
    """Counts, shares and what explains the spread, for the JSON; None for a single experiment."""
    if not analysis.leading.pooled:
        return None
    found = computed(report, analysis)
    leading = found.table[found.table["leading"]]
    return {
        "computed": len(found.table),
        "of": found.of,
        "multilevel_fits": found.fits,
        "decisions": [name for name in DECISIONS if name in found.decisions],
        "leading_is_principled": bool(leading["principled"].any()),
        "conclusions": records(words.counts(found)),
        "spread": [asdict(one) for one in found.explained],
        "only_shown": [
            {"decision": decision, "choice": value, "reason": why}
            for (decision, value), why in found.choices.shown.items()
            if (found.table[decision] == value).any()
        ],
        "not_possible": list(found.choices.not_possible),
    }
