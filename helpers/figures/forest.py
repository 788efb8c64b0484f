"""Forest plots: aligned columns beside intervals, diamonds, prediction intervals.

Lengths are inches; y counts downwards from the top of the first line.
"""

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from helpers.analysis.measures import SMD
from helpers.drawing.frame import Inches, inside
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.shapes import diamonds, whiskers
from helpers.drawing.style import BLUE, DASHED, GREY, INK, VERMILLION, styled
from helpers.drawing.text import shorten, wrap
from helpers.drawing.ticks import effect_ticks
from helpers.figures import forest_layout as layout
from helpers.figures.forest_layout import COMPACT, GAP, PAD, ROW
from helpers.words.tables import BOUNDS

BESIDE = ["beside", "beside_low", "beside_high"]
AROUND = ["pi_low", "pi_high"]
TURNED = "turned so that benefit lies to the right"
STUMP = 0.12  # inches; what is left of a line between two texts
APART = 0.045  # of two estimates in a row, from its middle
# What a result may lack.
UNKNOWN = {
    **dict.fromkeys(("pi_low", "pi_high", "tau2", "i2", "q", "p_heterogeneity"), np.nan),
    **{"p_effect": np.nan, "method": "", "interval": "", "level": 0.95},
}


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
    axis_label=None,
    favours=("favours control", "favours exosomes"),
    better=None,
    prediction=True,
    sort=None,
    title=None,
    said=None,
    row=ROW,
    narrow=False,
    ax=None,
):
    """Draw effects with their intervals, and what pooling them gives.

    Squares have an area proportional to the weight; the diamond is the pooled effect with its
    interval; the bar below it is the prediction interval; hollow squares are excluded rows.
    Intervals that leave the plot end in an arrow, which the foot explains. At least 45% of the
    width is plot (a third beside the numbers of both groups); study columns for which there is
    then no room are left out, the last ones first. With more than 120 rows the rows are narrow
    and only some labels are printed: the pointer shows all of a row.

    Parameters
    ----------
    rows : DataFrame
        `label, effect, ci_low, ci_high, weight` (fraction of 1); if there, `name` (the whole
        label, for the pointer), `n_treated, mean_treated, sd_treated, n_control, mean_control,
        sd_control` in the outcome's unit, `excluded` and `hollow` (bool), `size` (of the squares
        in place of the weight), the study columns, `pi_low, pi_high` (drawn as a thin line), and
        `beside, beside_low, beside_high`, a second estimate of each row (NaN where there is
        none), drawn below the row's own as a diamond with its interval.
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
    axis_label : str, optional
        Under the axis; by default the measure.
    favours : (str, str)
        What an effect in favour of control, and of treatment, is called.
    better : {"higher", "lower", "neither"}, optional
        Which effects are benefit; where no side is, the sides are not named.
    prediction : bool
        Draw prediction intervals.
    sort : str, optional
        Column of `rows` to sort by, upwards.
    title : str, optional
    said : dict, optional
        Heading of a group to what stands right of it.
    row : float
        Height of a row in inches.
    narrow : bool
        For a phone: label, plot and effect only.
    ax : Axes, optional
        Its box is divided among columns and plot; without it a figure of the right size is made.

    Returns
    -------
    Axes
        x is the effect, y inches downwards from the top of the first line.
    """
    rows, better = _complete(rows, sort), None if better == "neither" else better
    groups = [
        (name, index, pooled_fields(result, prediction)) for name, index, result in groups or ()
    ]
    pooled = pooled_fields(pooled, prediction)
    results = [result for result in (pooled, *(g[2] for g in groups)) if result is not None]
    if narrow:
        lead, tail = layout.narrow_columns(rows, results, heading, measure.title, measure)
    else:
        effect_label = effect_label or layout.measure_heading(measure, level)
        lead, tail = layout.columns(
            rows, results, columns, after, heading, effect_label, favours, measure
        )
        titles = layout.row_titles(lead + tail)
        lead, tail = layout.fitting(lead, tail)
        if len(rows) > COMPACT:
            lead, tail = lead[:1], [tail[0]._replace(texts=[])]

    width = None if ax is None else ax.get_position().width * ax.figure.get_figwidth()
    across = layout.divided(lead, tail, results, groups, width, narrow)
    left, plot, width = across.left, across.plot, across.width
    if narrow:  # numbers that a wide plot has in its columns stand in the notes
        groups = [
            (name, index, result and layout.with_intervals(result, measure))
            for name, index, result in groups
        ]
    lines = layout.lines_of(rows, pooled, groups, across, row)
    shown = [line for line in lines if line.kind == "row"]
    bottom = lines[-1].y + lines[-1].height / 2 + 0.04
    low, high = (
        np.concatenate(
            [rows[f"ci_{side}"], rows.get(f"pi_{side}", []), [r[f"pi_{side}"] for r in results]]
        )
        for side in ("low", "high")
    )
    limits = limits_of(low, high, results, pooled)

    edge, beyond = left + plot, (low < limits[0]).any() or (high > limits[1]).any()
    whole = layout.with_intervals(pooled, measure) if narrow and pooled else pooled
    notes = layout.notes(whole, width - 2 * PAD, overall=True)
    notes += wrap(layout.CUT, width - 2 * PAD) if beyond else []
    words, deep = [], 0
    if better:
        zero = left + plot * (0 - limits[0]) / (limits[1] - limits[0])
        sides = favours if better == "higher" else favours[::-1]
        words, deep = layout.sides(sides, zero, (left, edge), bottom + 0.23)
    named = wrap(axis_label or measure.title, plot)
    words += [
        ("center", False, left + plot / 2, bottom + 0.23 + deep + ROW * (place + 0.5), line)
        for place, line in enumerate(named)
    ]
    top = PAD + ROW * (1 + any(c.group for c in lead)) + (0.25 if title else 0)
    foot = 0.23 + deep + ROW * (len(named) + len(notes)) + (0.1 if notes else 0.04)
    ends = (0, 1) if ax is None else ax.get_position().intervalx
    figure = Figure((width, top + bottom + foot)) if ax is None else ax.figure
    ax = inside(figure, left, width - edge, foot, top, ax=ax)

    ax.set(xlim=limits, ylim=(bottom, 0))
    effect_ticks(ax.xaxis, measure)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    _upright(ax, 0, lines, bottom, narrow, color=INK)
    if pooled is not None:
        _upright(ax, pooled["estimate"], lines, bottom, narrow, color=VERMILLION, ls=DASHED)
    _experiments(ax, rows, shown, limits)
    _summaries(ax, lines, limits)

    transform = Inches(ax, (left, edge), (0, bottom))
    entries = layout.cells(shown, lead, PAD) + layout.cells(shown, tail, edge + GAP) + words
    right = edge + GAP + tail[0].width
    entries += layout.summary_texts(lines, across, right, measure, said, narrow)
    if title:
        text = shorten(title, width - 2 * PAD, bold=True)
        entries.append(("left", True, PAD, PAD - top + ROW / 2, text))
    under = bottom + foot - 0.04 - ROW * len(notes)
    entries += [
        ("left", False, PAD, under + ROW * (place + 0.5), note) for place, note in enumerate(notes)
    ]
    _write(ax, entries, transform)
    across = blended_transform_factory(figure.transFigure, ax.transAxes)
    ax.plot(ends, [1, 1], transform=across, color=INK, lw=0.8, clip_on=False)
    if set(BESIDE) <= set(rows):
        _beside(ax, rows, shown, limits)
    if not narrow:
        size = 72 * width, 72 * min(line.height for line in shown)
        heights, texts = [line.y for line in shown], [titles[line.what] for line in shown]
        Hover(ax, width / 2, heights, texts, transform=transform, size=size)
    return ax


def clear_limits(low, high, include=(0,), far=1.5):
    """Range of an axis: all bounds less those far outside of the bulk, and what must be seen.

    Far is more than `far` times the distance between the lower quartile of the lower and the
    upper quartile of the upper bounds.
    """
    low, high = (np.asarray(b, float)[np.isfinite(np.asarray(b, float))] for b in (low, high))
    seen = list(include)
    if len(low) and len(high):
        lower, upper = np.quantile(low, 0.25), np.quantile(high, 0.75)
        reach = far * (upper - lower)
        seen += [low[low >= lower - reach].min(), high[high <= upper + reach].max()]
    low, high = np.nanmin(seen), np.nanmax(seen)
    margin = 0.03 * (high - low or 1)
    return low - margin, high + margin


def limits_of(low, high, results, pooled, far=1.5):
    """Range of an axis: `clear_limits` with all pooled effects in it.

    The overall prediction interval is seen whole too, unless it would take most of the plot.
    """
    seen = [0, *(result[name] for result in results for name in BOUNDS)]
    limits = clear_limits(low, high, seen, far)
    around = [np.nan] if pooled is None else [pooled[name] for name in AROUND]
    if np.isfinite(around).all() and around[1] - around[0] <= 3 * (limits[1] - limits[0]):
        limits = clear_limits(low, high, [*seen, *around], far)
    return limits


def _complete(rows, sort):
    rows = rows.copy() if sort is None else rows.sort_values(sort, kind="stable")
    if "weight" not in rows:
        rows["weight"] = np.nan
    for name in ("excluded", "hollow"):
        rows[name] = rows[name].astype(bool) if name in rows else False
    return rows


def pooled_fields(result, prediction=True):
    """Give a result as a dict; nothing for that of one experiment: there is nothing to pool."""
    if result is None:
        return None
    result = UNKNOWN | dict(result if isinstance(result, Mapping | pd.Series) else vars(result))
    if not prediction:
        result |= {"pi_low": np.nan, "pi_high": np.nan}
    return None if result["k"] < 2 else result


def _upright(ax, x, lines, bottom, narrow, **look):
    """A line from top to bottom that spares texts which go across the whole width."""
    texts = ("heading", "note") if narrow else ("note",)
    stops = [(line.y - line.height / 2, line.y + line.height / 2) for line in lines
             if line.kind in texts]  # fmt: skip
    starts, ends = [0, *(end for _, end in stops)], [*(start for start, _ in stops), bottom]
    parts = [(a, b, np.nan) for a, b in zip(starts, ends, strict=True) if b - a > STUMP]
    y = np.ravel(parts)
    ax.plot(np.full(len(y), x), y, lw=0.8, zorder=1, **look)


def _experiments(ax, rows, shown, limits):
    """Squares with their intervals; hollow where excluded, and grey."""
    rows = rows.iloc[[line.what for line in shown]]
    y = np.array([line.y for line in shown]) - (APART if set(BESIDE) <= set(rows) else 0)
    weight = rows["size" if "size" in rows else "weight"].to_numpy(float)
    effect, low, high = (rows[name].to_numpy(float) for name in ("effect", "ci_low", "ci_high"))
    out, tall = rows["excluded"].to_numpy(), 72 * min(line.height for line in shown)
    hollow = out | rows["hollow"].to_numpy()
    known = np.isfinite(weight) & (weight > 0)
    share = np.full(len(y), 0.3 if known.any() else 0.5)
    share[known] = weight[known] / weight[known].max(initial=0)
    least = 4.5 if "size" in rows else 1.8  # points a side
    area = np.clip(0.76 * tall * np.sqrt(share), least, None) ** 2
    within = (effect >= limits[0]) & (effect <= limits[1])
    lw, size = (0.6 if len(rows) > COMPACT else 1.1), min(4.5, tall)
    if set(AROUND) <= set(rows):
        around, lw = rows[AROUND].to_numpy(float).T, 2.2
        whiskers(ax, y, *around, limits, color=VERMILLION, lw=1.1, size=size)
    for which, line, face, edge in (
        (~hollow, INK, BLUE, "none"),
        (hollow & ~out, INK, "none", BLUE),
        (out, GREY, "none", GREY),
    ):
        if which.any():
            whiskers(ax, y[which], low[which], high[which], limits, color=line, lw=lw, size=size)
            these = which & within
            look = {"marker": "s", "c": face, "edgecolors": edge, "zorder": 3}
            ax.scatter(effect[these], y[these], area[these], **look)


def _beside(ax, rows, shown, limits):
    """Second estimates as diamonds with their intervals, below the rows' own."""
    mid, low, high = rows[BESIDE].iloc[[line.what for line in shown]].to_numpy(float).T
    y = np.array([line.y for line in shown]) + APART
    whiskers(ax, y, low, high, limits, color=VERMILLION)
    inside = np.where((mid >= limits[0]) & (mid <= limits[1]), mid, np.nan)
    ax.plot(inside, y, "D", color=VERMILLION, ms=5.5, mew=0, zorder=3)


def _summaries(ax, lines, limits):
    """Diamonds of pooled effects and bars of prediction intervals."""
    pooled = [line for line in lines if line.kind == "pooled"]
    triples = [[line.what[name] for name in BOUNDS] for line in pooled]
    diamonds(ax, [line.y for line in pooled], triples, 0.065)
    bars = [line for line in lines if line.kind == "interval"]
    if bars:
        low, high = ([b.what[name] for b in bars] for name in ("pi_low", "pi_high"))
        whiskers(ax, [b.y for b in bars], low, high, limits, color=VERMILLION, lw=2.5, size=5.5)


def _write(ax, entries, transform):
    look = itemgetter(0, 1)
    for (ha, bold), group in groupby(sorted(entries, key=look), key=look):
        _, _, x, y, texts = zip(*group, strict=True)
        ax.add_artist(Texts(x, y, texts, transform=transform, ha=ha, bold=bold))
