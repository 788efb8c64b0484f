"""Shapes that stand for numbers: dots, intervals cut at the limits, diamonds."""

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba

from helpers.drawing.style import BLUE, INK, VERMILLION


def dots(ax, x, y, marked=False, hollow=False, size=22):
    """Dots; `marked` ones as triangles of another colour, `hollow` ones without filling."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    marked, hollow, size = (np.broadcast_to(part, len(x)) for part in (marked, hollow, size))
    for which, shape, paint in ((~marked, "o", BLUE), (marked, "^", VERMILLION)):
        for these, alpha in ((which & ~hollow, 0.6), (which & hollow, 0)):
            if these.any():
                look = {"facecolors": [to_rgba(paint, alpha)], "edgecolors": paint}
                ax.scatter(
                    x[these], y[these], size[these], marker=shape, linewidths=0.8, zorder=3, **look
                )


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
