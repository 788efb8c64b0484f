"""Axes of a figure, whose scales draw themselves.

Matplotlib makes five artists for each tick and measures each text twice, which is a third of the
time of a figure. Here a scale draws its ticks as one path and its numbers as one artist; where
ticks lie and how they are called is matplotlib's, as is everything else about the axes.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator
from matplotlib.transforms import Bbox, IdentityTransform

from helpers.drawing.style import INK, RC, SIZE
from helpers.drawing.text import Texts

TICK, PAD = 3.5, 3.5  # points: length of a tick, and from there to its number
LINE, MIDDLE = 0.97 * SIZE, 0.4 * SIZE  # height of a line, and from its top to a digit's middle
STEPS = [1, 2, 2.5, 5, 10]


class _Scale:
    """An axis of matplotlib, drawn without an artist for each tick."""

    def reset_ticks(self):
        """Begin without ticks; whoever asks for matplotlib's own still gets them."""
        self.majorTicks, self.minorTicks = [], []

    def draw(self, renderer):
        """Draw ticks, numbers and label."""
        if not self.get_visible():
            return
        feet, ends, numbers = self._parts(renderer)
        if len(feet):
            gc = renderer.new_gc()
            gc.set_foreground(INK)
            gc.set_linewidth(renderer.points_to_pixels(RC["axes.linewidth"]))
            marks = Path(
                np.stack([feet, ends], axis=1).reshape(-1, 2),
                np.tile([Path.MOVETO, Path.LINETO], len(feet)),
            )
            renderer.draw_path(gc, marks, IdentityTransform())
            gc.restore()
        numbers.draw(renderer)
        self.label.draw(renderer)

    def get_tightbbox(self, renderer=None, *, for_layout_only=False):
        """Box around all of it, in pixels."""
        if not self.get_visible():
            return None
        renderer = renderer or self.get_figure(root=True)._get_renderer()
        numbers = self._parts(renderer)[2].extents(renderer)
        return Bbox.union([self.axes.bbox, *numbers, self.label.get_window_extent(renderer)])

    def _parts(self, renderer):
        """Both ends of the ticks in pixels, and the numbers; the label is moved beside them."""
        places, texts = self._ticks()
        texts = texts if self.get_tick_params().get(self.shown, True) else []
        point = renderer.points_to_pixels(1)
        feet = self._feet(places)
        ends = feet + TICK * point * self.outwards
        x, y = (ends + (PAD + self.middle) * point * self.outwards)[: len(texts)].T
        numbers = Texts(x, y, texts, transform=IdentityTransform(), ha=self.ha)
        room = self._room(numbers.extents(renderer), point)
        self._move_label(point * (TICK + PAD + self.labelpad) + room)
        return feet, ends, numbers

    def _ticks(self):
        """Places within the view, and what they are called."""
        places, formatter = self.get_majorticklocs(), self.major.formatter
        texts = formatter.format_ticks(places)
        if formatter.get_offset():  # a power of ten at the end of the scale is easily overlooked
            texts = [f"{place:g}".replace("-", "−") for place in places]
        low, high = np.sort(self.get_view_interval())
        slack = 1e-10 * (high - low)
        inside = (places >= low - slack) & (places <= high + slack)
        return places[inside], [text for text, shown in zip(texts, inside, strict=True) if shown]


class _Across(_Scale, XAxis):
    outwards, ha, shown, middle = np.array([0, -1]), "center", "labelbottom", MIDDLE

    def _feet(self, places):
        at = np.column_stack([places, np.zeros(len(places))])
        return self.axes.get_xaxis_transform(which="tick1").transform(at)

    def _room(self, boxes, point):
        return LINE * point if boxes else 0

    def _move_label(self, distance):
        self.label.set_y(self.axes.bbox.y0 - distance)


class _Upwards(_Scale, YAxis):
    outwards, ha, shown, middle = np.array([-1, 0]), "right", "labelleft", 0

    def _feet(self, places):
        at = np.column_stack([np.zeros(len(places)), places])
        return self.axes.get_yaxis_transform(which="tick1").transform(at)

    def _room(self, boxes, point):
        return max((box.width for box in boxes), default=0)

    def _move_label(self, distance):
        self.label.set_x(self.axes.bbox.x0 - distance)


class Ruled(Axes):
    """Axes with scales at the bottom and at the left that draw themselves."""

    def _init_axis(self):
        self.xaxis, self.yaxis = _Across(self, clear=False), _Upwards(self, clear=False)
        for axis, sides in ((self.xaxis, ("bottom", "top")), (self.yaxis, ("left", "right"))):
            for side in sides:
                self.spines[side].register_axis(axis)


def axes(width, height, left=0.72, right=0.1, bottom=0.5, top=0.1, ax=None):
    """Give axes of a new figure; sizes and margins in inches. An `ax` is given back as it is."""
    if ax is not None:
        return ax
    box = left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height
    return add_axes(Figure((width, height)), box)


def add_axes(figure, box):
    """Add axes to a figure at a box (left, bottom, width, height) in fractions of it."""
    return figure.add_axes(box, axes_class=Ruled)


def plain_ticks(axis, bins=6):
    """Few round ticks, in this look even where they are made outside of our style."""
    axis.set_major_locator(MaxNLocator(bins, steps=STEPS))
    axis.set_tick_params(labelsize=SIZE, labelfontfamily="DejaVu Sans")


class RatioLocator(Locator):
    """Round ratios on an axis whose values are their logarithms."""

    def __init__(self, bins=6):
        self.bins = bins

    def __call__(self):
        """Places of ticks within the view."""
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin, vmax):
        """Logarithms of round ratios between two values."""
        low, high = np.exp(np.clip(sorted((vmin, vmax)), -300, 300))
        if high < 3 * low:  # so narrow that a linear scale is as good
            ratios = MaxNLocator(self.bins, steps=STEPS).tick_values(low, high)
            ratios = ratios[ratios > 0]
        else:
            powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
            for figures in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
                ratios = np.ravel(np.outer(10.0**powers, figures))
                ratios = ratios[(ratios >= low) & (ratios <= high)]
                if len(ratios) <= self.bins:
                    break
            ratios = ratios[:: -(-len(ratios) // self.bins)] if len(ratios) > self.bins else ratios
        return np.log(ratios)


def ratio_ticks(axis, bins=6):
    """Few round ratios on an axis of their logarithms."""
    plain_ticks(axis, bins)
    axis.set_major_locator(RatioLocator(bins))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{np.exp(value):g}"))


def effect_ticks(axis, measure, bins=6):
    """Ticks of an axis of effects: ratios where these are logarithms."""
    (ratio_ticks if measure.is_log else plain_ticks)(axis, bins)
