"""Axes whose margins stay in inches whatever size their figure is given, and their labels."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox, Transform

from helpers.drawing.ticks import plain_ticks

FAR = 1e3  # inches; further than any text lies outside


def axes(width=4.8, height=3.6, left=0.72, right=0.1, bottom=0.5, top=0.1, ax=None):
    """Give axes of a new figure; sizes and margins in inches. An `ax` is given back as it is."""
    if ax is not None:
        return ax
    return inside(Figure((width, height)), left, right, bottom, top)


def inside(figure, left, right, bottom, top, *, ax=None):
    """Axes inside margins in inches, which stay so when the figure changes its size.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    left, right, bottom, top : float
    ax : matplotlib.axes.Axes, optional
        To be put inside its own place; by default new ones inside the whole figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    x0, y0, x1, y1 = (0, 0, 1, 1) if ax is None else ax.get_position().extents

    def place(*_):
        wide, high = figure.get_size_inches()
        return Bbox.from_extents(
            x0 + left / wide, y0 + bottom / high, x1 - right / wide, y1 - top / high
        )

    ax = figure.add_axes(place()) if ax is None else ax
    ax.set_position(place())
    ax.set_axes_locator(place)
    return ax


class Inches(Transform):
    """From inches of a drawing as it was made to pixels, whatever size its figure has now.

    y counts downwards. What lies beside the axes
    keeps its distance from them, what lies inside follows them. For artists that look for their
    places whenever they are drawn, as `helpers.drawing.marks.Texts` does.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    across, down : (float, float)
        Where in these inches the axes begin and end.
    """

    input_dims = output_dims = 2
    is_separable = has_inverse = False

    def __init__(self, ax, across, down):
        super().__init__()
        self.ax, self.across, self.down = ax, across, down

    def transform_non_affine(self, values):
        """Pixels of points."""
        box, dpi = self.ax.bbox, self.ax.figure.dpi
        x, y = np.asarray(values, float).reshape(-1, 2).T
        x = _stretched(x, self.across, (box.x0, box.x1), dpi)
        return np.column_stack([x, _stretched(y, self.down, (box.y1, box.y0), -dpi)])


def _stretched(at, made, now, dpi):
    """Places in pixels: between two that moved in proportion, beside them at the same distance."""
    (start, end), (first, last) = made, now
    known = [start - FAR, start, end, end + FAR]
    return np.interp(at, known, [first - FAR * dpi, first, last, last + FAR * dpi])


def labelled(ax, x=None, y=None, bins=6):
    """Label the axes and keep their ticks few."""
    ax.set(xlabel=x, ylabel=y)
    for axis in (ax.xaxis, ax.yaxis):
        plain_ticks(axis, bins)
    return ax


def legend_above(ax, **how):
    """One line of keys above the plot; `how` are further words to `Axes.legend`."""
    look = {"columnspacing": 1.2, "handlelength": 1.3, "handletextpad": 0.4, "borderaxespad": 0.2}
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), **{"ncols": 4, **look, **how})
