"""Forest plots of one outcome and of several, and the rows behind them as a download."""

from __future__ import annotations

from functools import partial

import pandas as pd

from helpers.analysis import measures, records
from helpers.analysis.robustness.cumulative import publication_years
from helpers.figures import forest, labels, orchard
from helpers.page import blocks
from helpers.problems import Refused
from helpers.report import risk_of_bias
from helpers.report.exhibits import sample
from helpers.report.moderators import level_results
from helpers.review.columns import GROUPS, REFERENCE
from helpers.words import numbers, tables
from helpers.words import sentences as wording
from helpers.words.numbers import count

DATA_COLUMNS = (
    "label", "experiment", "study", "cohort", "control_group", "outcome", "outcome_scale",
    *GROUPS, *REFERENCE, "follow_up_days",
)  # fmt: skip
EFFECT_COLUMNS = ("effect", "variance", "se", "ci_low", "ci_high", "weight", "provenance")
LONG = 60  # experiments beyond which an orchard plot takes the place of the rows
NO_LEVEL = "Not given"  # experiments that are in no level, but in the pooled effect of all
SORTS = "effect, year, or the id of a moderator"
BOUNDS = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")


def of_one(report, analysis, by=None, *, groups=False, sort=None, rows=None, ax=None):
    """Forest plot of one outcome, its experiments grouped by a moderator on request.

    Parameters
    ----------
    report : helpers.report.family.Report
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    by : helpers.review.description.Moderator, optional
        One with levels.
    groups : bool
        Mean (SD) and n of both groups beside the plot.
    sort : str, optional
        ``effect``, ``year``, or the id of a moderator.
    rows : bool, optional
        A row an experiment, or else an orchard plot; by default rows up to `LONG` experiments.
    ax : matplotlib.axes.Axes, optional
        Where to draw, without a block around it.

    Returns
    -------
    helpers.page.blocks.Block or matplotlib.axes.Axes
        The latter where `ax` is given.
    """
    result, label = analysis.leading, analysis.outcome.label
    table, note = sample(analysis.table, report.seed)
    name, head = f"{analysis.outcome.id}-forest", f"{label}: {count(result.k, 'experiment')}"
    levels = {} if by is None else level_results(analysis, by.id)
    if by is not None and not levels:
        return blocks.paragraph(f"Not selected, or not in the rows: {by.label.lower()}.")
    values = {}
    if by is not None:
        values = analysis.moderator_values[by.id][table.index]
        name += f"-{by.id}"
        head += f" by {by.label.lower()}"
    chosen = {"pooled": result, "better": analysis.measure.better, "measure": analysis.measure}
    chosen["groups"] = [(level, table.index[values == level], r) for level, r in levels.items()]
    if levels:
        head += "; weights are those in the pooled effect of all"
        rest = table.index[~values.isin(list(levels))]
        chosen["groups"] += [(NO_LEVEL, rest, None)] * bool(len(rest))
    named, dropped = named_rows(report, analysis.table)
    drawn, more = draw(
        report,
        table.join(named),
        [analysis],
        dropped,
        groups_shown=groups,
        sort=sort,
        as_rows=rows,
        ax=ax,
        **chosen,
    )
    if ax is not None:
        return drawn["axes"]
    return report.exhibits.figure(
        **drawn,
        name=name,
        caption=f"{head}. {more}{note}",
        alt=f"Forest plot of {count(result.k, 'experiment')} on {label}. Pooled "
        f"{numbers.estimate_phrase(result, analysis.measure)}. "
        f"{wording.heterogeneity_line(result, analysis.measure)}.",
        data=rows_of(report, analysis, analysis.rows.join(named["label"]), analysis.effects),
    )


def of_several(report, chosen, name, label, *, groups=False, sort=None, rows=None):
    """Forest plot of several outcomes, each with a diamond of its own.

    Where benefit lies on different sides, effects are turned so that it lies to the right.
    """
    if not chosen:
        return blocks.paragraph("None of these outcomes was selected for this report.")
    shared = measures.common(analysis.measure for analysis in chosen)
    better, turned = directions(chosen)
    every = pd.concat([analysis.table for analysis in chosen])
    named, dropped = named_rows(report, every)
    table, note = sample(every.join(named), report.seed)
    # Weights add up to 1 in each outcome, so squares are compared within it.
    table["size"] = table["weight"] / table.groupby("outcome")["weight"].transform("max")
    blocks_of, others = [], []
    for analysis in chosen:
        own = tables.outcome_label(analysis, shared)
        of_it = table["outcome"] == analysis.outcome.id
        result = analysis.leading
        if analysis.outcome.id in turned:
            own, result = f"{own} (turned)", backwards(result)
            table.loc[of_it, ["effect", "ci_low", "ci_high"]] = -table.loc[
                of_it, ["effect", "ci_high", "ci_low"]
            ].to_numpy()
            others.append(analysis.outcome.label)
        blocks_of.append((own, table.index[of_it], result))
    drawn, more = draw(
        report,
        table,
        chosen,
        dropped,
        groups_shown=groups,
        sort=sort,
        as_rows=rows,
        groups=blocks_of,
        better=better,
        measure=shared,
        axis_label=f"{shared.title}, {forest.TURNED}" if turned else None,
    )
    if turned:
        inverse = "as inverse ratios" if shared.is_log else "with their signs changed"
        more += f" Lower is better for {numbers.listing(others)}, drawn and written {inverse}; "
        more += "text, tables and download have them as they are."
    return report.exhibits.figure(
        **drawn,
        name=f"{name}-forest",
        caption=f"{label}: {count(len(every), 'experiment')} on "
        f"{numbers.listing(analysis.outcome.label for analysis in chosen)}, each marker pooled "
        "by itself. Markers are not pooled together: they measure different things in partly "
        f"the same animals. {more}{note}",
        alt="; ".join(
            f"{analysis.outcome.label}, k = {analysis.leading.k}: "
            f"{numbers.estimate_phrase(analysis.leading, analysis.measure)}"
            for analysis in chosen
        ),
        data=pd.concat(
            [rows_of(report, a, a.rows.join(named["label"]), a.effects) for a in chosen]
        ),
    )


def directions(chosen):
    """On which side benefit lies in a plot of several outcomes, and which of them are turned.

    Returns
    -------
    better : {"higher", "lower"} or None
        None where it cannot be said of all.
    turned : set of str
        Outcomes whose effects change sign, so that benefit lies to the right for all.
    """
    sides = {analysis.outcome.id: analysis.measure.better for analysis in chosen}
    if set(sides.values()) == {"higher", "lower"}:
        return "higher", {name for name, side in sides.items() if side == "lower"}
    one = set(sides.values())
    return (one.pop() if len(one) == 1 else None), set()


def backwards(result):
    """A result with its estimate and intervals turned round; everything else stays."""
    estimate, low, high, pi_low, pi_high = (getattr(result, name) for name in BOUNDS)
    return vars(result) | {
        "estimate": -estimate, "ci_low": -high, "ci_high": -low, "pi_low": -pi_high,
        "pi_high": -pi_low,
    }  # fmt: skip


def draw(
    report, rows, analyses, about_labels, *, groups_shown=False, sort=None, as_rows=None, ax=None,
    **how,
):  # fmt: skip
    """A figure in this review's words, for a page and for a phone, and what its caption says.

    Returns
    -------
    drawn : dict
        ``axes`` and, without an `ax`, ``narrow``.
    words : str
        What the signs mean, and how the rows are called and sorted.
    """
    level = numbers.level_name(report.settings.level)
    review = report.review
    how["level"] = report.settings.level
    how["favours"] = (f"favours {review.control}", f"favours {review.treated}")
    kept = ("label", "name", "effect", "ci_low", "ci_high", "weight", "se", "size")
    shown = rows[[name for name in kept if name in rows]]
    if not (as_rows or (as_rows is None and len(rows) <= LONG)):
        return _drawn(orchard.orchard, shown, ax, **how), (
            "Each dot is an experiment, the larger the more precise; thick bars are pooled effects "
            f"with {level}, thin ones prediction intervals."
        )
    first = {sort: report.review.moderators[sort].label} if sort in report.review.moderators else {}
    shown, columns = _beside(report, shown, rows, groups_shown, first)
    judged, about_judgements = risk_of_bias.beside(review, rows)
    if judged is not None:
        shown, how["after"] = shown.assign(judged=judged), {"judged": "Risk of bias"}
    words = f"Squares are effects with {level}, their area the weight; the diamond is the pooled "
    words += "effect, the bar below it the prediction interval"
    words += "; n counts treated/control animals" if "animals" in columns else ""
    words += "; lost are drop-outs." if "lost" in columns else "."
    words += about_labels + about_judgements
    if sort is not None:
        shown, said = _sorted(report, analyses, shown, sort)
        words += f" {said}"
    how |= {"heading": "Study" if review.is_authentic else "Experiment"}
    return _drawn(partial(forest.forest, columns=columns), shown, ax, **how), words


def _drawn(plot, shown, ax, **how):
    """The figure for a page and the one for a phone, or the only one on axes of somebody's own."""
    drawn = {"axes": plot(shown, ax=ax, **how)}
    return drawn if ax is not None else drawn | {"narrow": plot(shown, narrow=True, **how)}


def named_rows(report, rows):
    """Short labels of rows and their whole names, and what the caption says of the labels."""
    authentic = report.review.is_authentic
    short, dropped = labels.short(rows["study" if authentic else "experiment"])
    whole = rows["experiment"].astype(str)
    if authentic:
        studies = rows["study"].astype(str)
        whole = whole.mask(studies != whole, studies + " (" + whole + ")")
    said = f" Labels leave out “{dropped}” in front." if dropped else ""
    return pd.DataFrame({"label": short, "name": whole}, index=rows.index), said


def _beside(report, shown, rows, groups_shown, first):
    """Columns of the review's choice and group sizes, or all numbers of both groups."""
    moderators, columns = report.review.moderator_values.loc[rows.index], {}
    for name, heading in (first | report.review.config.get("forest_columns", {})).items():
        source = next((table for table in (moderators, rows) if name in table), None)
        if source is not None:
            key = f"column {len(columns)}"  # whatever its name, it meets none of the figure's
            shown, columns[key] = shown.assign(**{key: source[name]}), heading
    sizes = rows[["n_treated", "n_control"]]
    if groups_shown:
        return shown.join(rows[[name for name in GROUPS if name in rows]]), columns
    if sizes.notna().any(axis=None):
        both = [f"{n:g}/{m:g}".replace("nan", "–") for n, m in sizes.itertuples(index=False)]
        shown = shown.assign(animals=both)
        columns["animals"] = "n"
    lost = report.review.losses.loc[rows.index].filter(regex="^drop_outs")
    if lost.notna().any(axis=None):
        each = [
            "/".join(f"{n:g}" for n in line).replace("nan", "–")
            for line in lost.reindex(columns=sorted(lost, reverse=True)).to_numpy()
        ]
        shown = shown.assign(lost=each)
        first, *others = lost
        arm = first.removeprefix("drop_outs").replace("_", ", ")  # of one group only
        columns["lost"] = "Lost" + arm * (not others)
    return shown, columns


def _sorted(report, analyses, shown, sort):
    """Rows in another order, and the words for it."""
    values = pd.concat([analysis.moderator_values for analysis in analyses]).loc[shown.index]
    if sort == "effect":
        key, said = shown["effect"], "Sorted by effect."
    elif sort == "year":
        key, said = publication_years(analyses, shown["name"]), "Sorted by year of publication."
        if key.isna().all():
            raise Refused(
                "the review knows no year of publication: give the sheet's column of years as a "
                "moderator called year, or sort by effect or a moderator."
            )
    elif sort in values:
        key, described = values[sort], report.review.moderators[sort]
        if described.levels:
            key = key.map({level: place for place, level in enumerate(described.levels)})
        said = f"Sorted by {described.label.lower()}."
    else:
        raise Refused(f"a forest plot is sorted by {SORTS}; {sort!r} is none of them.")
    order = key.reset_index(drop=True).sort_values(kind="stable", na_position="last").index
    return shown.iloc[order], said


def _of_quality(review):
    """Animals lost and judgements by experiment, under headings that are none of the program's."""
    kinds = {"risk_of_bias": "risk of bias", "reporting": "reported"}
    named = {item: f"{kinds[kind]}: {item}" for item, kind in review.quality.kinds.items()}
    return review.losses.join(review.judgements.rename(columns=named))


def rows_of(report, analysis, rows, computed):
    """Rows of the sheet with what is computed of them, for a download."""
    rows = rows[[name for name in (*DATA_COLUMNS, "provenance") if name in rows]]
    named = {"measure": analysis.measure.label, "scale": analysis.measure.scale}
    rows = rows.join(computed).assign(**named)
    columns = (*DATA_COLUMNS, *EFFECT_COLUMNS, "reason", "by", *named)
    rows = rows[[name for name in columns if name in rows]].join(_of_quality(report.review))
    moderators = report.review.moderator_values.loc[rows.index]
    return records.with_moderators(rows, moderators, after=DATA_COLUMNS[-1])
