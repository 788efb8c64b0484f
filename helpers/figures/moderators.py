"""Figures of moderators: effects against one of them, and how far they go together."""

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

from helpers.analysis.measures import SMD
from helpers.drawing.frame import Inches, axes, labelled
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.shapes import diamonds, dots
from helpers.drawing.style import BLUE, GREY, INK, SIZE, VERMILLION, styled
from helpers.drawing.text import shorten, text_width
from helpers.drawing.ticks import effect_ticks
from helpers.figures.titles import effect_texts, row_labels, titles
from helpers.words.numbers import estimate_text, level_name
from helpers.words.tables import BOUNDS


@styled
def bubble(
    x, effect, *, weight=None, fit=None, label=None, measure=SMD, level=0.95, labels=None, ax=None
):
    """Draw effects against a moderator, as bubbles whose area is the weight.

    A numeric moderator gets a regression line with its confidence band; a moderator with levels
    a strip for each level, with the level's pooled effect and interval as a diamond.

    Parameters
    ----------
    x : array_like, shape (k,)
        Numbers, or names of levels; rows without a value are not drawn.
    effect : array_like, shape (k,)
    weight : array_like, shape (k,), optional
    fit : DataFrame, optional
        `x` or `level`, with `estimate, ci_low, ci_high`; NaN where a level is not pooled.
    label : str, optional
        Name of the moderator.
    measure : helpers.analysis.measures.Measure
    level : float
        Of the band and of the levels' intervals.
    labels : sequence of str, optional
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    x, effect = pd.Series(x).reset_index(drop=True), np.asarray(effect, float)
    weight = np.full(len(x), 0.25) if weight is None else np.asarray(weight, float)
    size = np.clip(90 * weight / np.nanmax(weight), 9, None)
    labels = np.asarray(row_labels(labels, len(x)))
    known = x.notna().to_numpy()
    x, effect, size, labels = x[known], effect[known], size[known], labels[known]
    if not pd.api.types.is_numeric_dtype(x):
        return _level_strips(x, effect, size, fit, measure, level, labels, ax)
    ax = labelled(axes(ax=ax), label or x.name or "", measure.title)
    effect_ticks(ax.yaxis, measure)
    ax.axhline(0, color=INK, lw=0.8)
    if fit is not None:
        ax.fill_between(fit["x"], fit["ci_low"], fit["ci_high"], color=GREY, alpha=0.2, lw=0)
        ax.plot(fit["x"], fit["estimate"], color=VERMILLION, lw=1.5)
    dots(ax, x, effect, size=size)
    texts = effect_texts(effect, np.nanstd(effect), measure)
    values = [f"{a:g}, {text}" for a, text in zip(x, texts, strict=True)]
    Hover(ax, x, effect, titles(labels, values))
    return ax


def _level_strips(x, effect, size, fit, measure, level, labels, ax):
    levels = list(pd.unique(x) if fit is None else fit["level"])
    names = [f"{shorten(one, 2.2)} (k = {(x == one).sum()})" for one in levels]
    texts = [""] * len(levels)
    if fit is not None:
        triples = fit[list(BOUNDS)].to_numpy(float)
        texts = [estimate_text(*t, measure) if np.isfinite(t[0]) else "not pooled" for t in triples]
    heading = f"{measure.title} ({level_name(level)})" if fit is not None else ""
    ax, y = _strip(names, texts, heading, ax)
    effect_ticks(ax.xaxis, measure)
    place = x.map(dict(zip(levels, y, strict=True))).astype(float).to_numpy()
    # the golden ratio spreads dots evenly, and the same way each time
    height = place + 0.5 * ((np.arange(len(x)) * 0.618034) % 1 - 0.5)
    shown = np.isfinite(place)
    dots(ax, effect[shown], height[shown], size=size[shown])
    if fit is not None:
        diamonds(ax, y, triples, 0.25)
    values = effect_texts(effect[shown], np.nanstd(effect), measure)
    Hover(ax, effect[shown], height[shown], titles(labels[shown], values))
    return ax


def _strip(names, texts, heading, ax=None):
    """Axes for a strip a level: names at the left, values at the right.

    Gives the axes and the heights of the strips' middles.
    """
    row, head, foot, width = 0.42, 0.24, 0.3, 3.2
    left = 0.2 + max(map(text_width, names))
    right = 0.25 + max(text_width(text, bold=True) for text in [*texts, heading])
    tall = head + row * len(names) + foot
    ax = labelled(axes(left + width + right, tall, left, right, foot, head, ax=ax))
    y = np.arange(len(names)) + 0.5
    ax.set_ylim(len(names), 0)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.axvline(0, color=INK, lw=0.8, zorder=1)
    inches, edge = (
        Inches(ax, (left, left + width), (0, row * len(names))),
        left + width + right - 0.08,
    )
    for x, heights, strings, bold in (
        (left - 0.1, y * row, names, False),
        (edge, y * row, texts, False),
        (edge, -0.1, [heading], True),
    ):
        ax.add_artist(Texts(x, heights, strings, transform=inches, ha="right", bold=bold))
    return ax, y


@styled
def association(table):
    """Draw how far moderators go together, as a matrix below its diagonal.

    Parameters
    ----------
    table : DataFrame
        Symmetric, from 0 to 1, the moderators' names as index and columns.

    Returns
    -------
    Axes
    """
    import seaborn as sns  # here, because only this figure needs it

    shown = table.iloc[1:, :-1].astype(float)  # the diagonal says nothing
    left, size = 0.2 + max(map(text_width, table.index)), 0.5 * len(shown)
    whole = left + size + 0.1
    ax = Figure((whole, whole)).add_axes((left / whole, left / whole, size / whole, size / whole))
    # Tiles are more or less opaque, so that their numbers can be read on any ground.
    tiles = LinearSegmentedColormap.from_list("", [to_rgba(BLUE, 0), to_rgba(BLUE, 0.6)])
    sns.heatmap(
        shown, mask=np.triu(np.ones(shown.shape, bool), 1), vmin=0, vmax=1, cmap=tiles, cbar=False,
        annot=True, fmt=".2f", annot_kws={"color": INK, "size": SIZE}, ax=ax,
    )  # fmt: skip
    ax.tick_params(length=0, labelsize=SIZE)
    ax.set_xticks(ax.get_xticks(), table.columns[:-1], rotation=90)
    ax.set_yticks(ax.get_yticks(), table.index[1:], rotation=0)
    return ax
