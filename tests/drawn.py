"""Made-up experiments to draw, and what the tests of figures ask of the artists."""

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.text import Text

from helpers.drawing.marks import Hover, Texts


def experiments(k, *, sign=1, label="Experiment {}", seed=0):
    random = np.random.default_rng(seed)
    n = random.integers(4, 13, (2, k))
    effect = sign * (2.3 + 1.3 * random.standard_normal(k))
    se = np.sqrt((1 / n).sum(axis=0) + effect**2 / (2 * n.sum(axis=0)))
    weight = 1 / (se**2 + 1.7)
    control, sd = random.uniform(3, 8, k), random.uniform(1, 3, k)
    return pd.DataFrame(
        {
            "label": [label.format(place + 1) for place in range(k)],
            "effect": effect,
            "ci_low": effect - 1.96 * se,
            "ci_high": effect + 1.96 * se,
            "weight": weight / weight.sum(),
            "n_treated": n[0],
            "mean_treated": control + effect * sd,
            "sd_treated": sd,
            "n_control": n[1],
            "mean_control": control,
            "sd_control": sd,
            "model": random.choice(["Contusion", "Transection"], k),
        }
    )


def with_errors(k=28, seed=3):
    """Experiments with standard errors and all animals, the fourth far out."""
    table = experiments(k, seed=seed)
    table["se"] = (table["ci_high"] - table["ci_low"]) / (2 * 1.96)
    table["n"] = table["n_treated"] + table["n_control"]
    table.loc[3, "effect"] = 9.0
    return table


def strings(ax):
    return [s for artist in ax.findobj(Texts) for s in artist.strings]


def y_of(ax, text):
    (y,) = [a.xy[a.strings.index(text), 1] for a in ax.findobj(Texts) if text in a.strings]
    return y


def lines_of(ax, color):
    return [line for line in ax.lines if to_hex(line.get_color()) == to_hex(color)]


def dots(ax):
    return ax.findobj(PathCollection)


def offsets(ax):
    return np.vstack([part.get_offsets() for part in dots(ax)])


def hover_titles(ax):
    return [title for hover in ax.figure.findobj(Hover) for title in hover.titles]


def text_boxes(ax):
    """Boxes of all texts, the axis's included, in pixels."""
    figure = ax.figure
    many = figure.findobj(Texts)
    for artist in many:  # measured, not drawn: drawing them is slow
        artist.set_visible(False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # puts ticks and legends in their places
    renderer = canvas.get_renderer()
    for artist in many:
        artist.set_visible(True)
    boxes = [box for artist in many for box in artist.extents(renderer)]
    names = [s for artist in many for s in artist.strings]
    for axes in figure.axes:
        # its titles and what was written with `Axes.text`
        single = [one for one in axes.get_children() if isinstance(one, Text)]
        single = single if axes.axison else []
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            if axis.get_visible():
                low, high = sorted(axis.get_view_interval())
                places = axis.get_majorticklocs()
                ticks = zip(places, axis.get_major_ticks(len(places)), strict=True)
                labels = [tick.label1 for at, tick in ticks if low <= at <= high]
                single += [label for label in labels if label.get_visible()] + [axis.label]
        single += axes.get_legend().get_texts() if axes.get_legend() else []
        for text in single:
            if text.get_text():
                boxes.append(text.get_window_extent(renderer))
                names.append(text.get_text())
    return np.array([box.extents for box in boxes]), names


def overlaps(boxes, names):
    """Names of the pairs that lie on each other by more than half a pixel."""
    x0, y0, x1, y1 = (boxes.T)[:, :, None]
    across = np.minimum(x1, x1.T) - np.maximum(x0, x0.T)
    down = np.minimum(y1, y1.T) - np.maximum(y0, y0.T)
    pairs = np.argwhere(np.triu((across > 0.5) & (down > 0.5), 1))
    return [(names[a], names[b]) for a, b in pairs]
