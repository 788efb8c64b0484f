"""Axes of a given size in inches, their labels, and one line of keys above them."""

from matplotlib.figure import Figure

from helpers.drawing.ticks import plain_ticks


def axes(width=4.8, height=3.6, left=0.72, right=0.1, bottom=0.5, top=0.1, ax=None):
    """Give axes of a new figure; sizes and margins in inches. An `ax` is given back as it is."""
    if ax is not None:
        return ax
    box = left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height
    return Figure((width, height)).add_axes(box)


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
