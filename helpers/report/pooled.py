"""What the pooled result of one outcome is, how it is told, and what it is held against."""

from __future__ import annotations

import pandas as pd

from helpers.analysis import records
from helpers.analysis.outcome import ARTICLE, analyse
from helpers.analysis.result import is_modelled
from helpers.analysis.units import natural_units, way_back
from helpers.page import blocks
from helpers.report.forests import rows_of
from helpers.words import numbers, tables
from helpers.words import sentences as wording
from helpers.words.numbers import count, interval, number, percent


def heterogeneity(report, analysis):
    """How much the experiments differ, and what that means for the next one."""
    result = analysis.leading
    text = wording.heterogeneity_line(result, analysis.measure)
    if result.pooled:
        level = numbers.level_name(result.level)
        if is_modelled(result):
            spans = [
                f"{name} [{numbers.variance_text(low)}, {numbers.variance_text(high)}]"
                for name, (low, high) in result.variance_intervals().items()
            ]
            text += f"; profile-likelihood {level} of σ²: {numbers.listing(spans)}."
        else:
            low, high = result.heterogeneity_interval()["i2"]
            text += f"; Q-profile {level} of I² {interval(low, high, 1)}."
    return blocks.paragraph(
        text, name=f"{analysis.outcome.id}-heterogeneity{report.exhibits.end}", anchor=True
    )


def result(report, analysis):
    """A results paragraph that can be pasted into a manuscript."""
    text = wording.result_paragraph(
        analysis,
        report.review,
        assumed=analysis.outcome.id in report.assumed,
        natural=natural_units(analysis),
        back=way_back(analysis, report.review.level_values),
    )
    return blocks.paragraph(text, name=f"{analysis.outcome.id}-result", copy=True)


def presets(report, analysis):
    """The same data under several settings side by side, and what was printed."""
    printed = report.printed.T.get(analysis.outcome.id)
    shown, data = tables.presets_table(analysis, printed, report.rebuilds)
    note = _presets_note(analysis)
    return report.exhibits.table(
        shown,
        name=f"{analysis.outcome.id}-presets",
        caption=f"{analysis.outcome.label}: does the result depend on how it is computed? {note}",
        data=data,
    )


def excluded(report, analysis):
    """Which experiments were left out and why, and the result with and without them."""
    out = analysis.left_out
    if out.empty:
        return blocks.paragraph(
            "No experiment was left out.", name=f"{analysis.outcome.id}-excluded"
        )
    effects = records.records(out.rename(columns={"effect": "estimate"}))
    shown = pd.DataFrame(
        {
            "Experiment": out.index,
            f"{analysis.measure.title} [{numbers.level_name(report.settings.level)}]": [
                "–"
                if pd.isna(row["estimate"])
                else tables.estimate_cell(row, measure=analysis.measure)
                for row in effects
            ],
            "Reason": out["reason"],
            "By": out["by"],
        }
    )
    caption = f"{analysis.outcome.label}: experiments left out."
    if len(analysis.undefined):
        caption += (
            f" {count(len(analysis.undefined), 'experiment')} of them "
            f"{'has' if len(analysis.undefined) == 1 else 'have'} no effect by these settings."
        )
    if len(analysis.excluded):
        caption += (
            " With those that were excluded the pooled effect is "
            f"{numbers.estimate_phrase(analysis.with_excluded, analysis.measure)}, "
            f"I² = {percent(analysis.with_excluded.i2)}; without them "
            f"{numbers.estimate_phrase(analysis.leading, analysis.measure)}, "
            f"I² = {percent(analysis.leading.i2)}."
        )
    return report.exhibits.table(
        shown,
        name=f"{analysis.outcome.id}-excluded",
        caption=caption,
        data=rows_of(report, analysis, pd.concat([analysis.excluded, analysis.undefined]), out),
    )


def published(report, analysis):
    """Printed numbers beside those computed by the article's own settings and measure.

    Whatever the parameters are: they are about the chosen result. Nothing where nothing was
    printed.
    """
    if not report.rebuilds:
        return None
    if report.review.subset is not None:
        return blocks.paragraph(
            "What is printed is of all experiments; here is a part of them.",
            name=f"{analysis.outcome.id}-published",
        )
    shown = report.parameters["moderators"], report.parameters["exclude"], report.asked[0]
    if shown != (None, [], None):
        analysis = analyse(report.review, analysis.outcome.id)
    table = tables.published_table(analysis, report.printed, report.printed_levels)
    if table.empty:
        return blocks.paragraph(
            "Nothing was printed for this outcome.", name=f"{analysis.outcome.id}-published"
        )
    return report.exhibits.table(
        tables.published_shown(table, report.review.moderators, analysis.preset_measure),
        name=f"{analysis.outcome.id}-published",
        caption=f"{analysis.outcome.label}: {count(len(table), 'printed estimate')} beside "
        "those computed by the article's settings, whatever the parameters are; each is "
        f"{analysis.preset_measure.name} with {numbers.level_name(ARTICLE.level)}, and the "
        "largest distance of an estimate or bound is "
        f"{number(table['distance'].max(), 3)}.",
        data=table,
    )


def _presets_note(analysis):
    """What is to be said of the results side by side: whom they follow, what was warned of."""
    if (analysis.left_out["by"] == "parameter").any():
        parts = ["All rows leave out the experiments that a parameter names."]
    elif analysis.leading_is == "chosen":
        parts = ["Of all settings only the measure reaches the rows other than the chosen."]
    else:
        parts = []
    if is_modelled(analysis.recommended):
        parts.append(f"The recommended settings: {analysis.recommended.test_label}")
    parts += [f"The {name} settings give no result: {why}" for name, why in analysis.notes.items()]
    parts += [
        analysis.three_level_note,
        getattr(analysis.three_level, "note", ""),
        getattr(analysis.robust, "warning", ""),
    ]
    sentences = [f"{text[0].upper()}{text[1:]}".rstrip(".") for text in parts if text]
    return " ".join(f"{sentence}." for sentence in sentences)
