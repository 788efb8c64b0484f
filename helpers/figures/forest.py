"""Forest plots: aligned columns beside intervals, diamonds, prediction intervals.

Lengths are inches. Vertical positions count downwards from the top of the first line, so a row
is where it stands and never what it is called. Columns are as wide as their longest text.
"""

from collections.abc import Mapping
from itertools import accumulate, groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from helpers.analysis.measures import SMD
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.style import BLUE, GREY, INK, VERMILLION, styled
from helpers.drawing.text import shorten, text_width, wrap
from helpers.drawing.ticks import effect_ticks
from helpers.words.numbers import (
    effect_digits,
    effect_interval,
    estimate_text,
    level_name,
    number,
    p_phrase,
    variance_text,
)

WIDTH = 7.1  # A4 less its margins
ROW = 0.17  # a line of 9 point text
PAD = 0.06  # left and right of everything
GAP = 0.13  # between columns
LABEL_MAX, HEAD_MAX = 2.4, 1.25  # the widest label, the widest heading of a study column
LEFT_MIN = 2.3  # room for the texts of a pooled result
PLOT_MIN, PLOT_MAX = 2.2, 4.0
COMPACT = 120  # more rows than that are drawn without their texts, every nth label excepted
DASHED = (0, (4, 3))
BOUNDS = ["estimate", "ci_low", "ci_high"]
# What a result may lack.
UNKNOWN = {
    **dict.fromkeys(("pi_low", "pi_high", "tau2", "i2", "q", "p_heterogeneity"), np.nan),
    **{"p_effect": np.nan, "method": "", "interval": "", "level": 0.95},
}


class Line(NamedTuple):
    """One line of the plot: its kind, its centre and height, and what it shows."""

    kind: str  # "row", "heading", "pooled", "interval" or "note"
    y: float
    height: float
    what: object


class Column(NamedTuple):
    """One text column; `group` is printed above the heading, `name` under the pointer."""

    heading: str
    name: str
    whole: list
    texts: list
    ha: str
    width: float
    group: str = ""


@styled
def forest(
    rows,
    *,
    pooled=None,
    groups=None,
    columns=None,
    after=None,
    heading="Experiment",
    measure=SMD,
    level=0.95,
    effect_label=None,
    favours=("favours control", "favours exosomes"),
    better=None,
    prediction=True,
    sort=None,
    title=None,
    row=ROW,
    nudge=0.0,
    ax=None,
):
    """Draw effects with their intervals, and what pooling them gives.

    Squares have an area proportional to the weight; the diamond is the pooled effect with its
    interval; the bar below it is the prediction interval; hollow squares are excluded rows.
    Intervals that leave the plot end in an arrow. With more than 120 rows the rows are narrow
    and only some labels are printed: the pointer shows all of a row.

    Parameters
    ----------
    rows : DataFrame
        `label, effect, ci_low, ci_high, weight` (fraction of 1); if there,
        `n_treated, mean_treated, sd_treated, n_control, mean_control, sd_control` in the
        outcome's unit, `excluded` (bool), and the study columns.
    pooled : PooledResult or mapping, optional
        None where nothing is pooled (k = 1).
    groups : list of (str, index labels, PooledResult or None), optional
        Headed blocks of rows, each with its own diamond.
    columns : dict, optional
        Study columns beside the label: name in `rows` to heading.
    after : dict, optional
        Further text columns at the right.
    heading : str
        Heading of the labels.
    measure : helpers.analysis.measures.Measure
        What the effects are; those on a log scale are drawn on a log axis and written as ratios.
    level : float
        Of the rows' intervals, for the heading.
    effect_label : str, optional
        Heading of the effects, by default measure and level.
    favours : (str, str)
        What an effect in favour of control, and of treatment, is called.
    better : {"higher", "lower", "neither"}, optional
        Which effects are benefit; where no side is, the sides are not named.
    prediction : bool
        Draw prediction intervals.
    sort : str, optional
        Column of `rows` to sort by, upwards.
    title : str, optional
    row : float
        Height of a row in inches.
    nudge : float
        Inches by which intervals are drawn below the middle of their row, to leave room for others.
    ax : Axes, optional
        Its box is divided among columns and plot; without it a figure of the right size is made.

    Returns
    -------
    Axes
        x is the effect, y inches downwards from the top of the first line.
    """
    rows, better = _complete(rows, sort), None if better == "neither" else better
    effect_label = effect_label or f"{measure.title} ({level_name(level)})"
    groups = [(name, index, _pooled(result, prediction)) for name, index, result in groups or ()]
    pooled = _pooled(pooled, prediction)
    results = [result for result in (pooled, *(g[2] for g in groups)) if result is not None]
    lead, tail = _columns(rows, results, columns, after, heading, effect_label, favours, measure)
    titles = _titles(lead + tail)
    if len(rows) > COMPACT:
        lead, tail = lead[:1], [tail[0]._replace(texts=[])]

    left = max(PAD + sum(c.width + GAP for c in lead), LEFT_MIN if results else 0)
    right = PAD + sum(c.width + GAP for c in tail)
    width = WIDTH if ax is None else ax.get_position().width * ax.figure.get_figwidth()
    plot = max(PLOT_MIN, width - left - right)
    if ax is None:
        plot = min(plot, PLOT_MAX)
        width = left + plot + right
    lines = _lines(rows, pooled, groups, left, row)
    shown = [line for line in lines if line.kind == "row"]
    bottom = lines[-1].y + lines[-1].height / 2 + 0.04
    notes = _notes(pooled, width - 2 * PAD, overall=True)
    grouped = any(c.group for c in lead)
    top = PAD + ROW * (1 + grouped) + (0.25 if title else 0)
    foot = 0.3 + (0.2 if better else 0) + ROW * len(notes)
    ax = _frame(ax, width, (left, plot), (top, bottom, foot))

    low, high = (
        np.append(rows[f"ci_{side}"], [r[f"pi_{side}"] for r in results])
        for side in ("low", "high")
    )
    limits = clear_limits(low, high, [0, *(r[b] for r in results for b in BOUNDS)])
    ax.set(xlim=limits, ylim=(bottom, 0))
    effect_ticks(ax.xaxis, measure)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.plot([0, 0], [0, bottom], color=INK, lw=0.8, zorder=1)
    if pooled is not None:
        middle = [pooled["estimate"]] * 2
        ax.plot(middle, [0, bottom], color=VERMILLION, lw=0.8, ls=DASHED, zorder=1)
    _experiments(ax, rows, shown, limits, nudge)
    _summaries(ax, lines, limits)

    transform = _inches(ax, left)
    entries = _cells(shown, lead, PAD) + _cells(shown, tail, left + plot + GAP)
    entries += _summary_texts(lines, left, left + plot + GAP + tail[0].width, measure)
    if title:
        text = shorten(title, width - 2 * PAD, bold=True)
        entries.append(("left", True, PAD, -0.13 - ROW * (1 + grouped), text))
    if better:
        zero = left + plot * (0 - limits[0]) / (limits[1] - limits[0])
        entries += _sides(favours if better == "higher" else favours[::-1], zero, bottom, width)
    under = bottom + foot - 0.06 - ROW * len(notes)
    entries += [
        ("left", False, PAD, under + ROW * (place + 0.5), note) for place, note in enumerate(notes)
    ]
    _write(ax, entries, transform)
    ax.plot([0, width], [0, 0], transform=transform, color=INK, lw=0.8, clip_on=False)
    size = 72 * width, 72 * min(line.height for line in shown)
    heights, texts = [line.y for line in shown], [titles[line.what] for line in shown]
    Hover(ax, width / 2, heights, texts, transform=transform, size=size)
    return ax


def clear_limits(low, high, include=(0,)):
    """Range of an axis: all bounds less those far outside of the bulk, and what must be seen.

    Far is more than 1.5 times the distance between the lower quartile of the lower and the
    upper quartile of the upper bounds.
    """
    low, high = (np.asarray(b, float)[np.isfinite(np.asarray(b, float))] for b in (low, high))
    seen = list(include)
    if len(low) and len(high):
        lower, upper = np.quantile(low, 0.25), np.quantile(high, 0.75)
        reach = 1.5 * (upper - lower)
        seen += [low[low >= lower - reach].min(), high[high <= upper + reach].max()]
    low, high = np.nanmin(seen), np.nanmax(seen)
    margin = 0.03 * (high - low or 1)
    return low - margin, high + margin


def whiskers(ax, y, low, high, limits, *, color=INK, lw=1.0, size=4.5):
    """Intervals as one line, cut at the limits with an arrow there."""
    y, low, high = (np.asarray(part, float) for part in (y, low, high))
    gone = (high < limits[0]) | (low > limits[1])
    ends = np.column_stack([np.maximum(low, limits[0]), np.minimum(high, limits[1]), low * np.nan])
    ends[gone] = np.nan
    x, heights = ends.ravel(), np.repeat(y, 3)
    ax.plot(x, heights, color=color, lw=lw, solid_capstyle="butt", zorder=2)
    for mark, beyond, edge in zip("<>", (low < limits[0], high > limits[1]), limits, strict=True):
        if beyond.any():
            look = {"color": color, "ms": size, "mew": 0, "clip_on": False}
            ax.plot(np.full(beyond.sum(), edge), y[beyond], mark, **look)


def diamonds(ax, y, triples, half):
    """Pooled effects (estimate, low, high) as diamonds of `half` their height."""
    corners = [
        [(low, at), (mid, at - half), (high, at), (mid, at + half)]
        for at, (mid, low, high) in zip(y, triples, strict=True)
        if np.isfinite(mid)
    ]
    if corners:
        shapes = PolyCollection(corners, facecolors=VERMILLION, zorder=4)
        ax.add_collection(shapes, autolim=False)


def _complete(rows, sort):
    rows = rows.copy() if sort is None else rows.sort_values(sort, kind="stable")
    if "weight" not in rows:
        rows["weight"] = np.nan
    rows["excluded"] = rows["excluded"].astype(bool) if "excluded" in rows else False
    return rows


def _pooled(result, prediction):
    """Give a result as a dict; nothing for that of one experiment: there is nothing to pool."""
    if result is None:
        return None
    result = UNKNOWN | dict(result if isinstance(result, Mapping | pd.Series) else vars(result))
    if not prediction:
        result |= {"pi_low": np.nan, "pi_high": np.nan}
    return None if result["k"] < 2 else result


def _lines(rows, pooled, groups, left, row):
    """Lay the lines out from top to bottom."""
    height = float(np.clip(9 / len(rows), 0.022, 0.075)) if len(rows) > COMPACT else row
    plan = []  # (kind, height, what, space above)

    def summary(result, space, notes):
        if result is not None:
            plan.append(("pooled", ROW, result, space))
            if np.isfinite(result["pi_low"]):
                plan.append(("interval", ROW, result, 0))
            plan.extend(("note", ROW, note, 0) for note in notes)

    for name, index, result in groups or [(None, rows.index.unique(), None)]:
        if name is not None:
            plan.append(("heading", ROW, name, 0.1 if plan else 0))
        # in the order of the table, so that a sorted table is sorted within its groups too
        places = np.sort(rows.index.get_indexer_for(pd.Index(index).unique()))
        plan.extend(("row", height, place, 0) for place in places)
        summary(result, 0.05, _notes(result, left - 2 * PAD - GAP))
    summary(pooled, 0.15 if groups else 0.05, ())
    ends = accumulate((height + space for _, height, _, space in plan), initial=0.04)
    return [
        Line(kind, end - height / 2, height, what)
        for (kind, height, what, _), end in zip(plan, list(ends)[1:], strict=True)
    ]


def _notes(pooled, width, overall=False):
    """Heterogeneity and test of the pooled effect, folded to `width`."""
    if pooled is None:
        return []
    parts = [
        f"τ² = {variance_text(pooled['tau2'])}",
        f"I² = {number(pooled['i2'], 1)}%",
        f"Q({pooled['k'] - 1:.0f}) = {number(pooled['q'])}",
        p_phrase(pooled["p_heterogeneity"]),
    ]
    if overall:
        parts[0] = "Heterogeneity: " + parts[0]
        parts[-1] += f"; test of the pooled effect: {p_phrase(pooled['p_effect'])}"
    whole = ", ".join(part.replace(" ", "\u00a0") for part in parts)  # no part is folded itself
    return [line.replace("\u00a0", " ") for line in wrap(whole, width)]


def _columns(rows, results, columns, after, first, effect_label, favours, measure):
    """Text columns left and right of the plot."""

    def column(heading, cells, ha="right", *, most=9, tail=0, least=0, group=""):
        whole = [str(cell) for cell in cells]
        texts = [shorten(text, most, tail=tail) for text in whole]
        width = max(least, text_width(heading, bold=True), *map(text_width, set(texts)))
        return Column(heading, f"{group} {heading}".strip(), whole, texts, ha, width)

    def study_column(name, heading, ha):
        numeric = pd.api.types.is_numeric_dtype(rows[name])
        cells = ["–" if pd.isna(c) else f"{c:g}" if numeric else c for c in rows[name]]
        heading = shorten(heading, HEAD_MAX, bold=True)
        return column(heading, cells, "right" if numeric else ha, most=LABEL_MAX)

    def arm_columns(arm, called):
        group = shorten(called.removeprefix("favours ").capitalize(), HEAD_MAX, bold=True)
        pair = [column("n", [f"{n:.4g}" for n in rows[f"n_{arm}"]], group=group)]
        if {f"mean_{arm}", f"sd_{arm}"} <= set(rows):
            values = zip(rows[f"mean_{arm}"], rows[f"sd_{arm}"], strict=True)
            texts = [f"{number(mean, digits)} ({number(sd, digits)})" for mean, sd in values]
            pair.append(column("mean (SD)", texts, group=group))
        taken = sum(c.width for c in pair) + GAP * (len(pair) - 1)
        lacking = max(0, text_width(group, bold=True) - taken)
        pair[0] = pair[0]._replace(width=pair[0].width + lacking)
        pair[-1] = pair[-1]._replace(group=group)
        return pair

    digits = _digits(rows)
    lead = [column(first, rows["label"], "left", most=LABEL_MAX, tail=8)]
    lead += [study_column(*item, "left") for item in (columns or {}).items()]
    for arm, called in zip(("treated", "control"), favours[::-1], strict=True):
        lead += arm_columns(arm, called) if f"n_{arm}" in rows else []
    summaries = [estimate_text(*(r[name] for name in BOUNDS), measure) for r in results]
    least = max((text_width(text, bold=True) for text in summaries), default=0)
    triples = rows[["effect", "ci_low", "ci_high"]].to_numpy(float)
    places = effect_digits(rows["ci_low"], rows["ci_high"], measure)
    texts = [estimate_text(*triple, measure, places) for triple in triples]
    tail = [column(effect_label, texts, least=least)]
    if rows["weight"].notna().any() or rows["excluded"].any():
        shares = zip(rows["weight"], rows["excluded"], strict=True)
        tail.append(column("Weight", ["excl." if out else number(100 * w, 1) for w, out in shares]))
    tail += [study_column(*item, "right") for item in (after or {}).items()]
    return lead, tail


def _digits(rows):
    """Decimals of means and SDs: two significant figures of a middling SD."""
    if not {"sd_treated", "sd_control"} <= set(rows):
        return 1
    middle = np.nanmedian(np.abs(rows[["sd_treated", "sd_control"]].to_numpy(float)))
    return int(np.clip(1 - np.floor(np.log10(middle)), 0, 4)) if middle > 0 else 1


def _titles(columns):
    """All of a row's texts, uncut, for the pointer."""
    first, *others = columns
    named = [[f"{c.name} {text}" for text in c.whole] for c in others]
    return ["; ".join(parts) for parts in zip(first.whole, *named, strict=True)]


def _frame(ax, width, across, down):
    """Give the plot's axes: a figure of the right size, or the plot's part of given axes."""
    (left, plot), (_, body, foot), tall = across, down, sum(down)
    x, y, w, h = left / width, foot / tall, plot / width, body / tall
    if ax is None:
        return Figure((width, tall)).add_axes((x, y, w, h))
    box = ax.get_position()
    ax.set_position(
        (box.x0 + box.width * x, box.y0 + box.height * y, box.width * w, box.height * h)
    )
    return ax


def _inches(ax, left):
    """Transform with x in inches from the left edge of the whole plot, y as in the axes."""
    figure = ax.figure
    origin = ax.get_position().x0 * figure.get_figwidth() - left
    x = figure.dpi_scale_trans + ScaledTranslation(origin, 0, figure.dpi_scale_trans)
    return blended_transform_factory(x, ax.transData)


def _experiments(ax, rows, shown, limits, nudge):
    """Squares with their intervals; hollow and grey where excluded."""
    rows = rows.iloc[[line.what for line in shown]]
    y = np.array([line.y for line in shown]) + nudge
    effect, low, high, weight = (
        rows[name].to_numpy(float) for name in ("effect", "ci_low", "ci_high", "weight")
    )
    out, tall = rows["excluded"].to_numpy(), 72 * min(line.height for line in shown)
    known = np.isfinite(weight) & (weight > 0)
    share = np.full(len(y), 0.3 if known.any() else 0.5)
    share[known] = weight[known] / weight[known].max(initial=0)
    area = np.clip(0.72 * tall * np.sqrt(share), 1.6, None) ** 2
    within = (effect >= limits[0]) & (effect <= limits[1])
    lw, size = (0.6 if len(rows) > COMPACT else 1.0), min(4.5, tall)
    for which, line, face, edge in ((~out, INK, BLUE, "none"), (out, GREY, "none", GREY)):
        if which.any():
            whiskers(ax, y[which], low[which], high[which], limits, color=line, lw=lw, size=size)
            these = which & within
            look = {"marker": "s", "c": face, "edgecolors": edge, "zorder": 3}
            ax.scatter(effect[these], y[these], area[these], **look)


def _summaries(ax, lines, limits):
    """Diamonds of pooled effects and bars of prediction intervals."""
    pooled = [line for line in lines if line.kind == "pooled"]
    triples = [[line.what[name] for name in BOUNDS] for line in pooled]
    diamonds(ax, [line.y for line in pooled], triples, 0.055)
    bars = [line for line in lines if line.kind == "interval"]
    if bars:
        low, high = ([b.what[name] for b in bars] for name in ("pi_low", "pi_high"))
        whiskers(ax, [b.y for b in bars], low, high, limits, color=VERMILLION, lw=2.5, size=5.5)


def _cells(shown, columns, x):
    """Headings and cells of columns from `x` on, as (alignment, bold, x, y, text)."""
    step = int(np.ceil(ROW / min(line.height for line in shown)))
    entries = []
    for column in columns:
        anchor = x if column.ha == "left" else x + column.width
        entries.append((column.ha, True, anchor, -0.08, column.heading))
        if column.group:
            entries.append((column.ha, True, anchor, -0.08 - ROW, column.group))
        if column.texts:
            entries += [
                (column.ha, False, anchor, line.y, column.texts[line.what])
                for line in shown[step // 2 :: step]
            ]
        x += column.width + GAP
    return entries


def _summary_texts(lines, left, right, measure):
    """Texts of headings, pooled results and their notes."""
    entries = []
    for kind, y, _, what in lines:
        if kind == "heading":
            entries.append(("left", True, PAD, y, shorten(what, left - GAP, bold=True)))
        elif kind == "note":
            entries.append(("left", False, 2 * PAD, y, what))
        elif kind == "pooled":
            how = what["method"] + (", HKSJ" if what["interval"].startswith("hksj") else "")
            text = f"Pooled, k = {what['k']:.0f}" + (f" ({how})" if how else "")
            entries.append(("left", True, PAD, y, shorten(text, left - PAD - GAP, bold=True)))
            values = estimate_text(*(what[name] for name in BOUNDS), measure)
            entries.append(("right", True, right, y, values))
        elif kind == "interval":
            name = f"{100 * what['level']:g}% prediction interval"
            entries.append(("left", False, 2 * PAD, y, name))
            values = effect_interval(what["pi_low"], what["pi_high"], measure)
            entries.append(("right", False, right, y, values))
    return entries


def _sides(favours, zero, bottom, width):
    """What an effect left and right of no effect speaks for, under the axis."""
    low, high = shorten(f"← {favours[0]}", zero - 2 * PAD), f"{favours[1]} →"
    high, y = shorten(high, width - zero - 2 * PAD), bottom + 0.34
    return [("right", False, zero - PAD, y, low), ("left", False, zero + PAD, y, high)]


def _write(ax, entries, transform):
    look = itemgetter(0, 1)
    for (ha, bold), group in groupby(sorted(entries, key=look), key=look):
        _, _, x, y, texts = zip(*group, strict=True)
        ax.add_artist(Texts(x, y, texts, transform=transform, ha=ha, bold=bold))
