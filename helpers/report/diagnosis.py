"""What may be wrong with the pooled result of one outcome: outliers, asymmetry, influence."""

from __future__ import annotations

import pandas as pd

from helpers.analysis import small_study
from helpers.analysis.records import records
from helpers.analysis.result import is_modelled
from helpers.figures import influence as influence_figures
from helpers.figures import small_study as small_study_figures
from helpers.page import blocks
from helpers.report import exhibits
from helpers.report.exhibits import sample
from helpers.stats import influence
from helpers.stats.distributions import chi2_isf
from helpers.stats.nested.deletion import leave_out
from helpers.stats.pooling import critical
from helpers.words import numbers, sentences, tables
from helpers.words.numbers import count, percent

MEDIAN = float(chi2_isf(0.5, 1))  # of χ²(1): Cook's distances beyond it are called influential
# In the JSON.
INFLUENCE = ("left_out_is", "left_out", "k", "estimate", "se", "ci_low", "ci_high", "pi_low",
             "pi_high", "cook", "dfbetas", "influential", "reason")  # fmt: skip
# Drawn for each experiment; the download has all diagnostics.
PANELS = ("rstudent", "cook", "tau2_deleted", "weight")


def galbraith(report, analysis):
    """Galbraith plot: which experiments lie outside the band of the common effect."""
    out = analysis.left_out.loc[analysis.excluded.index].join(
        analysis.excluded[["experiment", "study", "provenance"]]
    )
    rows = pd.concat([analysis.table, out[out["effect"].notna()]])
    level = report.settings.level
    points = influence.galbraith(rows["effect"], variance=rows["variance"], level=level)
    outside, band = int(points["outside"].sum()), f"{100 * level:g}% band"
    drawn, note = sample(rows, report.seed)
    shown = points.loc[drawn.index]
    axes = influence_figures.galbraith(
        drawn["effect"],
        variance=drawn["variance"],
        excluded=drawn["experiment"].isin(analysis.excluded["experiment"]).to_numpy(),
        labels=drawn["experiment"],
        level=level,
        points=shown,
    )
    if note:
        note += " The legend counts the sample; line and band are those of all."
    slope = points["fitted"].iloc[0] / points["x"].iloc[0]
    half = critical(level) / (points["x"] ** 2).sum() ** 0.5
    digits = numbers.effect_digits(slope - half, slope + half, analysis.measure)
    common = numbers.effect(slope, analysis.measure, digits)
    return report.exhibits.figure(
        axes,
        name=f"{analysis.outcome.id}-galbraith",
        caption=f"{analysis.outcome.label}: Galbraith plot. The {band} alone would flag "
        f"{outside} of {count(len(rows), 'experiment')}; {len(analysis.excluded)} "
        f"{'was' if len(analysis.excluded) == 1 else 'were'} left out. Which ones are left out "
        f"is a decision with a reason, not a rule.{note}",
        alt=f"Galbraith plot of {analysis.outcome.label}: common effect "
        f"({analysis.measure.name}) {common}, {outside} of {len(rows)} points outside the "
        f"±{critical(level):.2f} band.",
        data=drawn[["experiment", "study", "effect", "se", "provenance"]].join(
            shown[["x", "y", "low", "high", "outside"]]
        ),
    )


def funnel(report, analysis):
    """Funnel plot: SMDs on sample size, as their standard error contains the effect itself."""
    rows, note = sample(analysis.table, report.seed)
    total, measure = rows["n_treated"] + rows["n_control"], analysis.measure
    axes = small_study_figures.funnel(
        rows["effect"],
        se=rows["se"],
        n_total=total,
        estimate=analysis.leading.estimate,
        labels=rows["experiment"],
        measure=measure,
    )
    if small_study_figures.funnel_axis(measure, total) == "se":
        drawn = "standard errors with the contours of each row's own standard error"
    else:
        drawn = "1/√N with the contours of the null standard error 2/√N"
    digits = numbers.effect_digits(analysis.leading.ci_low, analysis.leading.ci_high, measure)
    around = numbers.effect(analysis.leading.estimate, measure, digits)
    sizes = f" with {total.min():g} to {total.max():g} animals" if total.notna().all() else ""
    return report.exhibits.figure(
        axes,
        name=f"{analysis.outcome.id}-funnel",
        caption=f"{analysis.outcome.label}: funnel plot on {drawn}. Asymmetry may come from "
        "small experiments left unpublished, or from other differences between small and large "
        f"ones.{note}",
        alt=f"Funnel plot of {count(len(rows), 'experiment')}{sizes} around {measure.name} "
        f"{around}.",
        data=rows[["experiment", "study", "effect", "se", "provenance"]].assign(n_total=total),
    )


def influenced(report, analysis):
    """How much each experiment moves the pooled result."""
    rows = analysis.table
    if len(rows) > exhibits.MANY:
        most = 100 * rows.groupby("study")["weight"].sum().max()
        heaviest = percent(100 * rows["weight"].max(), 3)
        return blocks.paragraph(
            f"With {count(len(rows), 'experiment')} none was left out in turn, which is done "
            f"up to {exhibits.MANY:,}. The heaviest has {heaviest} of the weight, the "
            f"heaviest study {percent(most, 3)}.",
            name=f"{analysis.outcome.id}-influence",
        )
    if is_modelled(analysis.leading):
        return _influenced_by_study(report, analysis)
    table, left_out = _left_out(report, analysis)
    words = sentences.influence_words(analysis, table, left_out)
    if len(rows) < small_study.LEAST:  # a plot of so few says less than the words
        return blocks.paragraph(words, name=f"{analysis.outcome.id}-influence")
    return report.exhibits.figure(
        influence_figures.influence(
            table[list(PANELS)], labels=rows["experiment"], level=report.settings.level
        )[0].figure,
        name=f"{analysis.outcome.id}-influence",
        caption=f"{analysis.outcome.label}: what changes when one experiment is left out. "
        f"{words} Triangles lie beyond a dashed line; a large residual alone does not make an "
        "experiment influential.",
        alt=words,
        data=table.assign(provenance=rows["provenance"].to_numpy()),
    )


def _left_out(report, analysis):
    """Diagnostics, and results by what was left out; computed once a report."""
    if analysis.outcome.id not in report.left_out:
        report.left_out[analysis.outcome.id] = _deletions(report, analysis)
    return report.left_out[analysis.outcome.id]


def _deletions(report, analysis):
    if is_modelled(analysis.leading):
        table = leave_out(analysis.leading.fit, by=analysis.rows["study"])
        table["influential"] = (table["dfbetas"].abs() > 1) | (table["cook"] > MEDIAN)
        return table, {"study": table}
    rows = analysis.table
    table = influence.diagnostics(
        rows["effect"], variance=rows["variance"], method=report.settings.method
    )
    nouns = {"experiment": None}
    if 1 < analysis.studies < len(rows):
        nouns["study"] = rows["study"]
    return table, {
        noun: influence.leave_one_out(
            rows["effect"], variance=rows["variance"], study=study, **report.settings.pooling()
        )
        for noun, study in nouns.items()
    }


def influence_rows(report, analysis):
    """The same as plain data, for the JSON: a row for each study, or experiment, left out.

    Parameters
    ----------
    report : helpers.report.family.Report
    analysis : helpers.analysis.outcome.OutcomeAnalysis

    Returns
    -------
    list of dict
        ``left_out_is, left_out, k, estimate, se, ci_low, ci_high, pi_low, pi_high, cook, dfbetas,
        influential``; empty where the page shows none. Of studies in the multilevel model, of
        experiments where they are independent.
    """
    few = analysis.studies < 3 if is_modelled(analysis.leading) else len(analysis.table) < 3
    if few or len(analysis.table) > exhibits.MANY:
        return []
    table, left_out = _left_out(report, analysis)
    noun, found = next(iter(left_out.items()))
    own = [name for name in ("cook", "dfbetas", "influential") if name not in found]
    found = found.assign(left_out_is=noun, **{name: table[name].to_numpy() for name in own})
    return records(found[[name for name in INFLUENCE if name in found]])


def _influenced_by_study(report, analysis):
    """How much each study moves the result of the multilevel model."""
    name = f"{analysis.outcome.id}-influence"
    if analysis.studies < 3:
        return blocks.paragraph("With fewer than 3 studies none was left out.", name=name)
    table, _ = _left_out(report, analysis)
    words = sentences.influence_words(
        analysis, table, {"study": table}, noun="study", marks="Cook's distance or DFBETAS"
    )
    measure, level = analysis.measure, numbers.level_name(report.settings.level)
    shown = pd.DataFrame({
        "Study left out": table["left_out"],
        "k": table["k"],
        f"{measure.title} [{level}]": [
            tables.estimate_cell(row, measure=measure) for _, row in table.iterrows()
        ],
        "Cook's distance": table["cook"],
        "DFBETAS": table["dfbetas"],
    })  # fmt: skip
    return report.exhibits.table(
        shown,
        name=name,
        caption=f"{analysis.outcome.label}: the multilevel model without each study. {words}",
        data=table.assign(measure=measure.label, scale=measure.scale),
    )
