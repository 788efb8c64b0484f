"""The specification curve: estimates in their order above, the choices of each below."""

import numpy as np

from helpers.analysis.measures import SMD
from helpers.drawing.frame import axes
from helpers.drawing.marks import Texts
from helpers.drawing.style import BLUE, DASHED, GREY, INK, VERMILLION, styled
from helpers.drawing.ticks import effect_ticks
from helpers.figures.forest_layout import PAD, ROW

WIDTH, LABELS, PLOT = 4.8, 1.62, 1.7  # inches; narrow enough for a phone


@styled
def curve(estimate, ci_low, ci_high, *, principled, leading, choices, measure=SMD, ax=None):
    """Draw estimates with their intervals in rising order, and under each what was decided.

    Equally principled specifications are blue, those that are only shown grey, and the first line
    below says the same without colour; the leading analysis is a dashed line.

    Parameters
    ----------
    estimate, ci_low, ci_high : array_like, shape (n,)
    principled, leading : array_like of bool, shape (n,)
    choices : list of (str, list of (str, array_like of bool))
        By decision, each choice and the specifications that make it.
    measure : helpers.analysis.measures.Measure
    ax : Axes, optional

    Returns
    -------
    Axes
        x is the rank of a specification, y the effect.

    References
    ----------
    Simonsohn U, Simmons JP, Nelson LD (2020). Nat Hum Behav 4:1208-1214.
    """
    estimate, ci_low, ci_high = (np.asarray(one, float) for one in (estimate, ci_low, ci_high))
    order = np.argsort(estimate, kind="stable")
    principled, leading = np.asarray(principled, bool)[order], np.asarray(leading, bool)[order]
    lines = [("equally principled", principled, True)]
    for decision, made in choices:
        lines.append((decision, None, True))
        lines += [(name, np.asarray(by, bool)[order], False) for name, by in made]
    bottom = 2 * PAD + ROW * len(lines)
    ax = axes(WIDTH, PAD + PLOT + bottom, LABELS, PAD, bottom, PAD, ax=ax)
    x, y = np.arange(len(order)), estimate[order]
    low, high = ci_low[order], ci_high[order]
    for which, color, over in ((~principled, GREY, 2), (principled, BLUE, 3)):
        if which.any():
            ends = _line(x[which], low[which], high[which])
            ax.plot(*ends, color=color, lw=0.9, solid_capstyle="butt", zorder=over)
            middle = _line(y[which], x[which] - 0.5, x[which] + 0.5)[::-1]
            ax.plot(*middle, color=INK, lw=2, solid_capstyle="butt", zorder=4)
    ax.axhline(0, color=INK, lw=0.8, zorder=1)
    for at in np.flatnonzero(leading):
        ax.axvline(at, color=VERMILLION, lw=1.2, ls=DASHED, zorder=5)
    ax.set_xlim(-1, len(x))
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    effect_ticks(ax.yaxis, measure)
    ax.set_ylabel(measure.title)
    _choices(ax, lines, len(x))
    return ax


def _line(along, start, end):
    """Pieces of one line: at each place from start to end, then a gap."""
    places = np.repeat(along.astype(float), 3)
    return places, np.column_stack([start, end, np.full(len(start), np.nan)]).ravel()


def _choices(ax, lines, n):
    """A line of marks for each choice, runs of specifications that make it as one stroke."""
    high = ax.figure.get_figheight() * ax.get_position().height
    starts, ends, rows, words = [], [], [], {True: [], False: []}
    for place, (name, made, bold) in enumerate(lines):
        y = -(2 * PAD + ROW * (place + 0.5)) / high
        words[bold].append((y, name))
        if made is None:
            continue
        steps = np.diff(np.concatenate([[0], made, [0]]))
        begin, stop = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        starts += [*begin]
        ends += [*stop]
        rows += [y] * len(begin)
    x, y = _line(np.array(rows), np.array(starts) - 0.5, np.array(ends) - 0.5)[::-1]
    across = ax.get_xaxis_transform()
    ax.plot(x, y, transform=across, color=INK, lw=4, solid_capstyle="butt", clip_on=False)
    wide = ax.figure.get_figwidth() * ax.get_position().width
    edge = -1 + (n + 1) * (PAD - LABELS) / wide
    for bold, told in words.items():
        if told:
            at, names = zip(*told, strict=True)
            left = edge + (0 if bold else 0.12 * (n + 1) / wide)
            ax.add_artist(Texts([left] * len(at), at, names, bold=bold, transform=across))
