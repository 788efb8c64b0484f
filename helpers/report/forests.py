"""Forest plots of one outcome and of several, and the rows behind them as a download."""

from __future__ import annotations

import pandas as pd

from helpers.analysis import measures, records
from helpers.figures import forest
from helpers.page import blocks
from helpers.report.exhibits import sample
from helpers.review.columns import GROUPS, REFERENCE
from helpers.words import numbers, tables
from helpers.words import sentences as wording
from helpers.words.numbers import count

DATA_COLUMNS = (
    "experiment", "study", "cohort", "control_group", "outcome", *GROUPS, *REFERENCE,
    "follow_up_days",
)  # fmt: skip
EFFECT_COLUMNS = ("effect", "variance", "se", "ci_low", "ci_high", "weight", "provenance")


def of_one(report, analysis, by=None):
    """Forest plot of one outcome, its experiments grouped by a moderator on request.

    Parameters
    ----------
    report : helpers.report.family.Report
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    by : helpers.review.description.Moderator, optional
        One with levels.

    Returns
    -------
    helpers.page.blocks.Block
    """
    result, label = analysis.leading, analysis.outcome.label
    rows, note = sample(analysis.table, report.seed)
    name, head = f"{analysis.outcome.id}-forest", f"{label}: {count(result.k, 'experiment')}"
    if by is not None and by.id not in analysis.subgroups:
        return blocks.paragraph(f"Not selected, or not in the rows: {by.label.lower()}.")
    known = rows[["n_treated", "n_control"]].notna().any(axis=None)
    sizes = "; n counts treated/control animals" if known else ""
    levels = values = {}
    if by is not None:
        levels = analysis.subgroups[by.id].results
        values = analysis.moderator_values[by.id][rows.index]
        name += f"-{by.id}"
        head += f" by {by.label.lower()}"
    return report.exhibits.figure(
        draw(
            report,
            rows,
            pooled=result,
            groups=[(level, rows.index[values == level], r) for level, r in levels.items()],
            better=analysis.measure.better,
            measure=analysis.measure,
        ),
        name=name,
        caption=f"{head}. Squares are effects with {numbers.level_name(result.level)}, their "
        "area the weight; the diamond is the pooled effect, the bar below it the prediction "
        f"interval{sizes}.{note}",
        alt=f"Forest plot of {count(result.k, 'experiment')} on {label}. Pooled "
        f"{numbers.estimate_phrase(result, analysis.measure)}. "
        f"{wording.heterogeneity_line(result, analysis.measure)}.",
        data=rows_of(report, analysis, analysis.rows, analysis.effects),
    )


def of_several(report, chosen, name, label):
    """Forest plot of several outcomes, each with a diamond of its own."""
    if not chosen:
        return blocks.paragraph("None of these outcomes was selected for this report.")
    every = pd.concat([analysis.table for analysis in chosen])
    rows, note = sample(every, report.seed)
    directions = {analysis.measure.better for analysis in chosen}
    shared = measures.common(analysis.measure for analysis in chosen)
    axes = draw(
        report,
        rows,
        groups=[
            (
                tables.outcome_label(analysis, shared),
                rows.index[rows["outcome"] == analysis.outcome.id],
                analysis.leading,
            )
            for analysis in chosen
        ],
        better=directions.pop() if len(directions) == 1 else None,
        measure=shared,
    )
    return report.exhibits.figure(
        axes,
        name=f"{name}-forest",
        caption=f"{label}: {count(len(every), 'experiment')} on "
        f"{numbers.listing(analysis.outcome.label for analysis in chosen)}, each marker pooled "
        "by itself. Markers are not pooled together: they measure different things in partly "
        f"the same animals.{note}",
        alt="; ".join(
            f"{analysis.outcome.label}, k = {analysis.leading.k}: "
            f"{numbers.estimate_phrase(analysis.leading, analysis.measure)}"
            for analysis in chosen
        ),
        data=pd.concat([rows_of(report, one, one.rows, one.effects) for one in chosen]),
    )


def draw(report, rows, **how):
    """A forest plot in this review's words; means and SDs are in the download."""
    moderators, columns = report.review.moderator_values.loc[rows.index], {}
    shown = rows[["effect", "ci_low", "ci_high", "weight"]]
    for name, heading in report.review.config.get("forest_columns", {}).items():
        source = next((table for table in (moderators, rows) if name in table), None)
        if source is not None:
            key = f"column {len(columns)}"  # whatever its name, it meets none of the figure's
            shown, columns[key] = shown.assign(**{key: source[name]}), heading
    shown = shown.assign(label=rows["study" if report.review.is_authentic else "experiment"])
    sizes = rows[["n_treated", "n_control"]]
    if sizes.notna().any(axis=None):
        columns = columns | {"animals": "n"}
        shown["animals"] = [
            f"{n:g}/{m:g}".replace("nan", "–") for n, m in sizes.itertuples(index=False)
        ]
    return forest.forest(
        shown,
        columns=columns,
        level=report.settings.level,
        favours=(f"favours {report.review.control}", f"favours {report.review.treated}"),
        **how,
    )


def rows_of(report, analysis, rows, computed):
    """Rows of the sheet with what is computed of them, for a download."""
    rows = rows[[name for name in (*DATA_COLUMNS, "provenance") if name in rows]]
    named = {"measure": analysis.measure.label, "scale": analysis.measure.scale}
    rows = rows.join(computed).assign(**named)
    columns = (*DATA_COLUMNS, *EFFECT_COLUMNS, "reason", "by", *named)
    rows = rows[[name for name in columns if name in rows]]
    moderators = report.review.moderator_values.loc[rows.index]
    return records.with_moderators(rows, moderators, after=DATA_COLUMNS[-1])
