"""What may explain the differences between the experiments of one outcome."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.analysis.records import records, with_moderators
from helpers.figures import forest
from helpers.figures import moderators as moderator_figures
from helpers.page import blocks
from helpers.report.exhibits import sample
from helpers.stats import moderators
from helpers.words import moderator_tables, numbers, tables
from helpers.words.numbers import estimate_text, number, percent
from helpers.words.tables import BOUNDS


def table(report, analysis):
    """Subgroups and meta-regressions, a row a level."""
    if analysis.models:
        return _in_one_model(report, analysis)
    if not analysis.subgroups and not analysis.regressions:
        return blocks.paragraph(
            f"The sheet holds no moderator for {analysis.outcome.label}, so nothing is said "
            "here about what its heterogeneity comes from.",
            name=f"{analysis.outcome.id}-moderators",
        )
    return report.exhibits.table(
        moderator_tables.moderator_table(
            analysis, report.review.moderators, as_printed=not report.printed_levels.empty
        ),
        name=f"{analysis.outcome.id}-moderators",
        caption=f"{analysis.outcome.label}: subgroup analyses, each level with its own τ², and "
        "meta-regressions, one moderator at a time. A level of one experiment is not pooled.",
        groups="moderator",
        data=moderator_tables.moderator_data(analysis),
    )


def _in_one_model(report, analysis):
    """Cell means and slopes of each moderator in the leading model."""
    return report.exhibits.table(
        moderator_tables.model_table(analysis, report.review.moderators),
        name=f"{analysis.outcome.id}-moderators",
        caption=f"{analysis.outcome.label}: moderators, each in a model of its own with the same "
        "variance components for all levels. A level of one experiment or one study is shown and "
        "takes no part in the test.",
        groups="moderator",
        data=moderator_tables.model_data(analysis),
    )


def levels(report, analysis):
    """All levels of all moderators in one figure: estimate, both intervals, k and studies."""
    rows, said = _levels(report, analysis), {}
    if rows.empty:
        return None
    result, measure = analysis.leading, analysis.measure
    for name, label in dict(zip(rows["moderator"], rows["heading"], strict=True)).items():
        said[label] = "not tested"
        if name in analysis.p_holm and name not in analysis.not_tested:
            said[label] = f"{numbers.p_phrase(analysis.p_holm[name])} (Holm)"
    how = {
        "pooled": result,
        "groups": [(name, part.index, None) for name, part in rows.groupby("heading", sort=False)],
        "heading": "Level",
        "measure": measure,
        "level": report.settings.level,
        "favours": (f"favours {report.review.control}", f"favours {report.review.treated}"),
        "better": measure.better,
        "said": said,
    }
    interval = numbers.level_name(report.settings.level)
    hollow = (
        " Hollow: of one experiment or one study, not in the test." if any(rows["hollow"]) else ""
    )
    way = "in one model for each moderator" if analysis.models else "each level pooled by itself"
    drawn = {
        "axes": forest.forest(rows, columns={"k": "k", "studies": "Studies"}, **how),
        "narrow": forest.forest(rows, narrow=True, **how),
    }
    return report.exhibits.figure(
        **drawn,
        name=f"{analysis.outcome.id}-levels",
        caption=f"{analysis.outcome.label}: all levels of all moderators, {way}. Squares are "
        f"{measure.name} with {interval}, their area the number of experiments; thin lines are "
        f"prediction intervals, the diamond is the pooled effect of all experiments.{hollow} p is "
        "that of the test between levels, adjusted for multiple testing (Holm).",
        alt="; ".join(
            f"{row['heading']}, {row['label']}: k = {row['k']:.0f}, "
            f"{estimate_text(row['effect'], row['ci_low'], row['ci_high'], measure)}"
            for _, row in rows.iterrows()
        ),
        data=rows.drop(columns=["heading", "size", "hollow"]).rename(
            columns={"label": "level", "effect": "estimate"}
        ),
    )


def _levels(report, analysis):
    """A row a level of each moderator that has levels."""
    parts = []
    for name, described in report.review.moderators.items():
        values = analysis.moderator_values.get(name)
        if name in analysis.models:
            table = analysis.models[name].cells
            hollow = ~table["in_test"].astype(bool)
        elif name in analysis.subgroups:
            table = analysis.subgroups[name].table
            studies = analysis.rows["study"].groupby(values.astype(object)).nunique()
            table = table.assign(studies=table["level"].map(studies))
            hollow = ~table["pooled"].astype(bool) | (table["studies"] < 2)
        else:
            continue
        parts.append(
            table[["level", "k", "studies", *BOUNDS, "pi_low", "pi_high"]].assign(
                moderator=name, heading=described.label, hollow=hollow, size=table["k"]
            )
        )
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True)
    rows[["k", "studies"]] = rows[["k", "studies"]].astype(int)
    return rows.rename(columns={"level": "label", "estimate": "effect"})


def level_results(analysis, name):
    """What each level of a moderator gives by itself, or as a cell of the leading model."""
    if name in analysis.models:
        cells = analysis.models[name].cells
        return {cell["level"]: cell | {"level": analysis.settings.level} for cell in records(cells)}
    return analysis.subgroups[name].results if name in analysis.subgroups else {}


def regressions(report, analysis):
    """What `[[regressions]]` asks for: several moderators at once, a row a coefficient."""
    if not analysis.term_models:
        return None
    return report.exhibits.table(
        moderator_tables.regressions_table(analysis, report.review.moderators),
        name=f"{analysis.outcome.id}-regressions",
        caption=f"{analysis.outcome.label}: regressions on several moderators, as the review asks "
        "for them. A term's test is one of all its coefficients, not adjusted for the number of "
        "terms; collinearity is GVIF^(1/(2q)) of its q coefficients, 1 where a term goes with no "
        "other.",
        groups="regression",
        data=moderator_tables.regressions_data(analysis),
    )


def bubble(report, analysis, described):
    """Effects against one moderator: a strip for each level, a line for a number."""
    moderator = described.id
    regression = analysis.regressions.get(moderator)
    if moderator in analysis.models:
        return _bubble_of_model(report, analysis, described)
    if not regression:
        return None
    every = analysis.moderator_values[moderator]
    rows, note = sample(analysis.table, report.seed)
    x = every[rows.index]
    if described.levels:
        fit = analysis.subgroups[moderator].table
        fit = fit.where(fit["pooled"], fit[["level", "k", "pooled"]])
        x = x.astype(object)
    else:
        low, high = every.min(), every.max()
        at = pd.DataFrame({moderator: np.linspace(low, high, 40)})
        fit = regression.predict(at).assign(x=at[moderator])
    measure = analysis.measure
    own = measure if described.levels else moderator_tables.slope_of(measure)
    terms = numbers.listing(
        f"{term['level'] or ('ratio per unit' if measure.is_log else 'slope')} "
        f"{numbers.estimate_text(term['coef'], term['ci_low'], term['ci_high'], own)}"
        for _, term in regression.coefficients.iloc[1:].iterrows()
    )
    level = numbers.level_name(report.settings.level)
    against = f" against {regression.reference[moderator]}" if described.levels else ""
    return report.exhibits.figure(
        moderator_figures.bubble(
            x,
            rows["effect"],
            weight=rows["weight"],
            fit=fit,
            label=described.label,
            measure=measure,
            level=report.settings.level,
            labels=rows["experiment"],
        ),
        name=f"{analysis.outcome.id}-bubble-{moderator}",
        caption=f"{analysis.outcome.label} by {described.label.lower()}: each circle is an "
        f"experiment, its area the weight in the pooled effect; {measure.name} with {level}. "
        f"Coefficients{against}: {terms}; "
        f"{_explained(analysis, moderator)}.{note}",
        alt=f"Coefficients{against}: {terms}.",
        data=with_moderators(
            rows[["experiment", "study", "effect", "se", "weight", "provenance"]],
            every[rows.index].to_frame(),
            after="study",
        ),
    )


def _bubble_of_model(report, analysis, described):
    """The same where the moderator stands in the leading model."""
    moderator, measure = described.id, analysis.measure
    found, every = analysis.models[moderator], analysis.moderator_values[moderator]
    rows, note = sample(analysis.table, report.seed)
    x, level = every[rows.index], numbers.level_name(report.settings.level)
    if described.levels:
        fit, x = found.cells, x.astype(object)
        said = [
            f"{cell['level']} {tables.estimate_cell(cell, measure=measure)}"
            for _, cell in fit.iterrows()
        ]
    else:
        fit = found.line(np.linspace(every.min(), every.max(), 40))
        slope = found.slope | {"estimate": found.slope["coef"]}
        own = moderator_tables.slope_of(measure)
        name = "ratio per unit" if measure.is_log else "slope"
        said = [f"{name} {tables.estimate_cell(slope, measure=own)}"]
    test = f"not tested: {found.reason}"
    if found.tested:
        test = f"{found.test} {numbers.p_phrase(found.p)}, "
        test += numbers.told("R²", percent(100 * found.r2, 0))
    return report.exhibits.figure(
        moderator_figures.bubble(
            x, rows["effect"], weight=rows["weight"].clip(lower=0), fit=fit,
            label=described.label, measure=measure, level=report.settings.level,
            labels=rows["experiment"],
        ),
        name=f"{analysis.outcome.id}-bubble-{moderator}",
        caption=f"{analysis.outcome.label} by {described.label.lower()}: each circle is an "
        f"experiment, its area the weight in the pooled effect; {measure.name} with {level} from one "
        f"model: "
        f"{numbers.listing(said)}; {test}.{note}",
        alt=f"{numbers.listing(said)}.",
        data=with_moderators(
            rows[["experiment", "study", "effect", "se", "weight", "provenance"]],
            every[rows.index].to_frame(),
            after="study",
        ),
    )  # fmt: skip


def _explained(analysis, moderator):
    """R² of a moderator; a level of one experiment or one study has no part in it."""
    if moderator not in analysis.tested:
        return f"not tested: {analysis.not_tested[moderator]}"
    thin = analysis.thin_levels.get(moderator)
    without = f" without {numbers.listing(thin)}, of one experiment or one study" if thin else ""
    r2 = percent(100 * analysis.tested[moderator].r2, 0)
    return numbers.told("R²", r2) + without


def together(report, analysis):
    """Which moderators go together: what one explains, another may explain as well."""
    names = [name for name in analysis.regressions if name in analysis.subgroups]
    names += [name for name, found in analysis.models.items() if len(found.cells) > 1]
    levels = analysis.moderator_values[names]
    if len(names) < 2:
        return None
    names = [report.review.moderators[name].label for name in names]
    data = moderators.association(levels)
    named = data.set_axis(names).set_axis(names, axis=1)
    below = [(named.iloc[i, j], i, j) for i in range(len(named)) for j in range(i)]
    most, *pair = max(entry for entry in below if not np.isnan(entry[0]))
    first, second = named.index[pair]
    kind, note = report.review.evidence["kind"], ""
    if not report.review.is_authentic:
        note = f" In {kind} rows how levels combine is made up."
    return report.exhibits.figure(
        moderator_figures.association(named),
        name=f"{analysis.outcome.id}-together",
        caption=f"{analysis.outcome.label}: how far moderators go together, as Cramér's V from 0 "
        f"(not at all) to 1 (one tells the other); most {first.lower()} and {second.lower()}, "
        f"{number(most)}.{note}",
        alt=f"Largest Cramér's V {number(most)}, {first} and {second}.",
        data=with_moderators(
            data.index.to_frame(name="moderator").assign(provenance=report.review.evidence["kind"]),
            data,
            after="moderator",
        ),
    )
