"""Where ticks lie and how their numbers are written."""

import numpy as np
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, ScalarFormatter

from helpers.drawing.style import SIZE
from helpers.drawing.text import text_width

STEPS = [1, 2, 4, 5, 10]
BETWEEN = 0.12  # inches at least between the numbers of an axis


def plain_ticks(axis, bins=6):
    """Few round ticks, in this look even where they are made outside of our style.

    Numbers are written out: a power of ten at the end of a scale is easily overlooked.
    """
    axis.set_major_locator(RoundLocator(bins, steps=STEPS))
    axis.set_major_formatter(WrittenOut(useOffset=False))
    axis.set_tick_params(labelsize=SIZE, labelfontfamily="DejaVu Sans")


def apart(axis, places):
    """Whether the numbers at these places of an x axis stand apart; those of a y axis always do."""
    if axis.axis_name != "x" or len(places) < 2:
        return True
    low, high = sorted(axis.get_view_interval())
    wide = axis.axes.get_position().width * axis.axes.figure.get_figwidth()
    at = (np.asarray(places) - low) / (high - low or 1) * wide
    half = np.array([text_width(t) for t in axis.get_major_formatter().format_ticks(places)]) / 2
    return (np.diff(at) - half[1:] - half[:-1]).min() >= BETWEEN


class RoundLocator(MaxNLocator):
    """Round numbers, those within the view only, and so few that their labels stand apart.

    Matplotlib's own gives one beyond each end, too; such a tick is laid out and never seen, and
    ticks are what a figure takes longest for.
    """

    def __init__(self, bins, **how):
        super().__init__(bins, **how)
        self.bins = bins

    def __call__(self):
        """Places of ticks within the view."""
        low, high = sorted(self.axis.get_view_interval())
        slack = 1e-9 * (high - low)  # a tick at the very edge is seen
        for bins in range(self.bins, 0, -1):
            self.set_params(nbins=bins)
            places = self.tick_values(low, high)
            places = places[(places >= low - slack) & (places <= high + slack)]
            if apart(self.axis, places):
                break
        return places


class WrittenOut(ScalarFormatter):
    """Matplotlib's numbers, each with its own power of ten where there is one."""

    def format_ticks(self, values):
        """Labels of all ticks."""
        labels = super().format_ticks(values)
        if not super().get_offset():
            return labels
        return [f"{value:g}".replace("-", "\N{MINUS SIGN}") for value in values]

    def get_offset(self):
        """Nothing: it is in the labels."""
        return ""


class RatioLocator(Locator):
    """Round ratios on an axis whose values are their logarithms."""

    def __init__(self, bins=6):
        self.bins = bins

    def __call__(self):
        """Places of ticks within the view, so few that their labels stand apart."""
        for bins in range(self.bins, 0, -1):
            places = self.tick_values(*self.axis.get_view_interval(), bins)
            if apart(self.axis, places):
                break
        return places

    def tick_values(self, vmin, vmax, bins=None):
        """Logarithms of at most `bins` round ratios between two values."""
        bins = bins or self.bins
        low, high = np.exp(np.clip(sorted((vmin, vmax)), -300, 300))
        if high < 3 * low:  # so narrow that a linear scale is as good
            ratios = MaxNLocator(bins, steps=STEPS).tick_values(low, high)
            ratios = ratios[(ratios >= low) & (ratios <= high) & (ratios > 0)]
        else:
            powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
            for figures in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
                ratios = np.ravel(np.outer(10.0**powers, figures))
                ratios = ratios[(ratios >= low) & (ratios <= high)]
                if len(ratios) <= bins:
                    break
            ratios = ratios[:: -(-len(ratios) // bins)] if len(ratios) > bins else ratios
        return np.log(ratios)


def ratio_ticks(axis, bins=6):
    """Few round ratios on an axis of their logarithms."""
    plain_ticks(axis, bins)
    axis.set_major_locator(RatioLocator(bins))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{np.exp(value):g}"))


def effect_ticks(axis, measure, bins=6):
    """Ticks of an axis of effects: ratios where these are logarithms."""
    (ratio_ticks if measure.is_log else plain_ticks)(axis, bins)
