"""Forest plots: aligned columns beside intervals, diamonds, prediction intervals.

Lengths are inches; y counts downwards from the top of the first line.
"""

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from helpers.analysis.measures import SMD
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.shapes import diamonds, whiskers
from helpers.drawing.style import BLUE, DASHED, GREY, INK, VERMILLION, styled
from helpers.drawing.text import shorten
from helpers.drawing.ticks import effect_ticks
from helpers.figures import forest_layout as layout
from helpers.figures.forest_layout import COMPACT, GAP, PAD, ROW
from helpers.words.numbers import level_name
from helpers.words.tables import BOUNDS

WIDTH = 7.1  # A4 less its margins
LEFT_MIN = 2.3  # room for the texts of a pooled result
PLOT_MIN, PLOT_MAX = 2.2, 4.0
BESIDE = ["beside", "beside_low", "beside_high"]
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
    favours=("favours control", "favours exosomes"),
    better=None,
    prediction=True,
    sort=None,
    title=None,
    row=ROW,
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
        outcome's unit, `excluded` (bool), the study columns, and `beside, beside_low,
        beside_high`, a second estimate of each row (NaN where there is none), drawn below the
        row's own as a diamond with its interval.
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
    lead, tail = layout.columns(
        rows, results, columns, after, heading, effect_label, favours, measure
    )
    titles = layout.row_titles(lead + tail)
    if len(rows) > COMPACT:
        lead, tail = lead[:1], [tail[0]._replace(texts=[])]

    left = max(PAD + sum(c.width + GAP for c in lead), LEFT_MIN if results else 0)
    right = PAD + sum(c.width + GAP for c in tail)
    width = WIDTH if ax is None else ax.get_position().width * ax.figure.get_figwidth()
    plot = max(PLOT_MIN, width - left - right)
    if ax is None:
        plot = min(plot, PLOT_MAX)
        width = left + plot + right
    lines = layout.lines_of(rows, pooled, groups, left, row)
    shown = [line for line in lines if line.kind == "row"]
    bottom = lines[-1].y + lines[-1].height / 2 + 0.04
    notes = layout.notes(pooled, width - 2 * PAD, overall=True)
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
    _experiments(ax, rows, shown, limits)
    _summaries(ax, lines, limits)

    transform = _inches(ax, left)
    entries = layout.cells(shown, lead, PAD) + layout.cells(shown, tail, left + plot + GAP)
    entries += layout.summary_texts(lines, left, left + plot + GAP + tail[0].width, measure)
    if title:
        text = shorten(title, width - 2 * PAD, bold=True)
        entries.append(("left", True, PAD, -0.13 - ROW * (1 + grouped), text))
    if better:
        zero = left + plot * (0 - limits[0]) / (limits[1] - limits[0])
        entries += layout.sides(
            favours if better == "higher" else favours[::-1], zero, bottom, width
        )
    under = bottom + foot - 0.06 - ROW * len(notes)
    entries += [
        ("left", False, PAD, under + ROW * (place + 0.5), note) for place, note in enumerate(notes)
    ]
    _write(ax, entries, transform)
    ax.plot([0, width], [0, 0], transform=transform, color=INK, lw=0.8, clip_on=False)
    size = 72 * width, 72 * min(line.height for line in shown)
    heights, texts = [line.y for line in shown], [titles[line.what] for line in shown]
    if set(BESIDE) <= set(rows):
        _beside(ax, rows, shown, limits)
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


def _experiments(ax, rows, shown, limits):
    """Squares with their intervals; hollow and grey where excluded."""
    rows = rows.iloc[[line.what for line in shown]]
    y = np.array([line.y for line in shown]) - (APART if set(BESIDE) <= set(rows) else 0)
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
    diamonds(ax, [line.y for line in pooled], triples, 0.055)
    bars = [line for line in lines if line.kind == "interval"]
    if bars:
        low, high = ([b.what[name] for b in bars] for name in ("pi_low", "pi_high"))
        whiskers(ax, [b.y for b in bars], low, high, limits, color=VERMILLION, lw=2.5, size=5.5)


def _write(ax, entries, transform):
    look = itemgetter(0, 1)
    for (ha, bold), group in groupby(sorted(entries, key=look), key=look):
        _, _, x, y, texts = zip(*group, strict=True)
        ax.add_artist(Texts(x, y, texts, transform=transform, ha=ha, bold=bold))
