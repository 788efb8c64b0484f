"""Text in figures: how wide it is, many lines as one artist, and what the pointer shows."""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform

from helpers.style import INK, SIZE, context


@cache
def _font(bold):
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FT2Font(Path(matplotlib.get_data_path(), "fonts", "ttf", name))


@cache
def _advance(char, bold):
    if ord(char) > 0x2E7F:  # not in DejaVu Sans: ideographs and emoji are about as wide as high
        return 1.15
    font = _font(bold)
    return font.load_char(ord(char), LoadFlags.NO_SCALE).horiAdvance / font.units_per_EM


def text_width(text, *, bold=False, size=SIZE):
    """Width of a line in inches, from the font's advance widths (no layout, no kerning)."""
    return sum(_advance(char, bold) for char in text) * size / 72


def shorten(text, width, *, bold=False):
    """Cut a line to `width` inches, with an ellipsis where something is left out."""
    text = " ".join(str(text).split())
    if text_width(text, bold=bold) <= width:
        return text
    while text and text_width(text + "…", bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


class Texts(Artist):
    """Many short lines of one look as one artist, centred vertically on their positions.

    A `Text` for each costs 0.3 ms; a forest plot has 700.

    Parameters
    ----------
    x, y : array_like, shape (n,)
    strings : sequence of str
    transform : Transform
        Of both coordinates.
    ha : {"left", "center", "right"}
    """

    def __init__(self, x, y, strings, *, transform, ha="left", bold=False, color=INK):
        super().__init__()
        self.strings = [str(s) for s in strings]
        self.xy = np.column_stack(np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float)))
        self.ha, self.bold, self.color = ha, bold, color
        self.set_transform(transform)

    def _each(self, renderer):
        """Yield the lines one after the other as one and the same text in pixels."""
        xy = self.get_transform().transform(self.xy)
        xy[:, 1] -= renderer.points_to_pixels(0.36 * SIZE)
        with context():
            text = Text(ha=self.ha, color=self.color, weight="bold" if self.bold else "normal")
        text.set(figure=self.get_figure(), transform=IdentityTransform(), parse_math=False)
        for (x, y), string in zip(xy, self.strings, strict=True):
            text.set(x=x, y=y, text=string)
            yield text

    def extents(self, renderer):
        """Boxes of the lines in pixels."""
        return [text.get_window_extent(renderer) for text in self._each(renderer)]

    def draw(self, renderer):
        """Write plain SVG text where the picture is an SVG with text; else draw line by line."""
        if not hasattr(renderer, "writer") or matplotlib.rcParams["svg.fonttype"] != "none":
            for text in self._each(renderer):
                text.draw(renderer)
            return
        anchor = {"left": "start", "center": "middle", "right": "end"}[self.ha]
        weight = "font-weight: 700; " if self.bold else ""
        style = f"{weight}font-size: {SIZE}px; font-family: 'DejaVu Sans', sans-serif; "
        renderer.writer.start("g", style=f"{style}text-anchor: {anchor}; fill: {self.color}")
        xy = self.get_transform().transform(self.xy)
        for (x, y), string in zip(xy, self.strings, strict=True):
            y = renderer.height - y + 0.36 * SIZE
            renderer.writer.element("text", string, x=f"{x:.2f}", y=f"{y:.2f}")
        renderer.writer.end("g")


class Hover(Artist):
    """Unseen boxes that show a text under the pointer, in SVG only.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Centres, in `transform`.
    titles : sequence of str
    size : tuple of float
        Width and height in points.
    """

    def __init__(self, x, y, titles, *, transform, size=(9, 9)):
        super().__init__()
        self.xy = np.column_stack(np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float)))
        self.titles, self.size = [str(t) for t in titles], size
        self.set_transform(transform)
        self.set_zorder(10)

    def draw(self, renderer):
        """Write a rectangle with a title for each."""
        if not hasattr(renderer, "writer"):
            return
        writer, (width, height) = renderer.writer, self.size
        writer.start("g", attrib={"fill": "none", "pointer-events": "all"})
        for (x, y), title in zip(self.get_transform().transform(self.xy), self.titles, strict=True):
            corner = {
                "x": f"{x - width / 2:.2f}",
                "y": f"{renderer.height - y - height / 2:.2f}",
                "width": f"{width:.2f}",
                "height": f"{height:.2f}",
            }
            writer.start("rect", attrib=corner)
            writer.element("title", title)
            writer.end("rect")
        writer.end("g")
