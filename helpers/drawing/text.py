"""Text in figures: how wide it is, many lines as one artist, and what the pointer shows."""

from functools import cache
from pathlib import Path as File

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform

from helpers.drawing.style import INK, RC, SIZE

FILES = {
    bold: str(File(matplotlib.get_data_path(), "fonts", "ttf", name))
    for bold, name in ((False, "DejaVuSans.ttf"), (True, "DejaVuSans-Bold.ttf"))
}
SLACK = 1.04  # hinting, and a reader's sans-serif that is a little wider than DejaVu Sans
SHARE = {"left": 0, "center": 0.5, "right": 1}  # of a line's width left of its anchor


class Measures(dict):
    """Widths of a font's characters in ems, unhinted, with height and descent of a line."""

    def __init__(self, path):
        super().__init__()
        self.font = FT2Font(path)
        self.font.set_size(1000, 72)
        self.font.set_text("lp", 0.0, flags=LoadFlags.NO_HINTING)  # letters that reach up and down
        self.height = self.font.get_width_height()[1] / 64e3
        self.descent = self.font.get_descent() / 64e3

    def __missing__(self, character):
        # What this font does not have, the reader's may: ideographs and emoji are as wide as high.
        width = 1.15
        if self.font.get_char_index(ord(character)):
            glyph = self.font.load_char(ord(character), LoadFlags.NO_HINTING)
            width = glyph.linearHoriAdvance / 65536e3
        self[character] = width
        return width

    def width(self, text):
        """Width of a line in ems: shaping it would take far longer and change little."""
        return sum(map(self.__getitem__, text))


@cache
def measures(path):
    """Give the measures of the font in a file."""
    return Measures(path)


def text_width(text, *, bold=False):
    """Room for a line in inches: the font's advance widths (no layout, no kerning) and SLACK."""
    return SLACK * measures(FILES[bold]).width(text) * SIZE / 72


def shorten(text, width, *, bold=False, tail=0):
    """Cut a line to `width` inches, an ellipsis in place of what is left out.

    The last `tail` characters stay: names of rows often differ only there.
    """
    text = " ".join(str(text).split())
    if text_width(text, bold=bold) <= width:
        return text
    end = "…" + (text[-tail:] if tail else "")
    text = text[: len(text) - tail]
    while text and text_width(text + end, bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + end


def wrap(text, width):
    """Fold a text at its blanks into lines of at most `width` inches."""
    lines = [""]
    for word in str(text).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class Texts(Artist):
    """Many short lines of one look as one artist, centred vertically on their positions.

    A `Text` for each would be laid out one by one, and a forest plot has 700.

    Parameters
    ----------
    x, y : array_like, shape (n,)
    strings : sequence of str
    transform : Transform, optional
        Of both coordinates; without it they are data of the axes that the texts are added to.
    ha : {"left", "center", "right"}
    bold : bool
    """

    def __init__(self, x, y, strings, *, transform=None, ha="left", bold=False):
        super().__init__()
        self.strings = [str(s) for s in strings]
        self.xy = np.column_stack(np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float)))
        self.ha, self.bold = ha, bold
        weight = "bold" if bold else "normal"
        self._font = FontProperties(family=RC["font.family"], size=SIZE, weight=weight)
        self.set_zorder(5)
        self.set_clip_on(False)
        if transform is not None:
            self.set_transform(transform)

    def _placed(self, renderer):
        """Anchors, left ends and baselines in pixels."""
        anchors, y = self.get_transform().transform(self.xy).T
        x = anchors
        if self.ha != "left":
            x = x - SHARE[self.ha] * np.array([self._size(renderer, s)[0] for s in self.strings])
        # half the height of a capital below the middle
        return anchors, x, y - renderer.points_to_pixels(0.36 * SIZE)

    def _size(self, renderer, string):
        return renderer.get_text_width_height_descent(string, self._font, False)

    def extents(self, renderer):
        """Boxes of the lines in pixels as this renderer measures them."""
        boxes = []
        for x, y, string in zip(*self._placed(renderer)[1:], self.strings, strict=True):
            width, high, down = self._size(renderer, string)
            boxes.append(Bbox.from_bounds(x, y - down, width, high))
        return boxes

    def get_window_extent(self, renderer=None):
        """Box around all lines, so that a figure cut to what it shows keeps them."""
        renderer = renderer or self.get_figure(root=True)._get_renderer()
        return Bbox.union(self.extents(renderer) or [Bbox.null()])

    def draw(self, renderer):
        """Draw line by line; one text that is moved along tells SVG writers the anchor."""
        if not self.get_visible():
            return
        flip = renderer.get_canvas_width_height()[1] if renderer.flipy() else None
        text = Text(ha=self.ha, fontproperties=self._font, transform=IdentityTransform())
        gc = renderer.new_gc()
        gc.set_foreground(INK)
        for anchor, x, y, string in zip(*self._placed(renderer), self.strings, strict=True):
            text.set_position((anchor, y))
            renderer.draw_text(
                gc, x, y if flip is None else flip - y, string, self._font, 0, mtext=text
            )
        gc.restore()


class Hover(Artist):
    """Unseen boxes, each a group with its own gid, for texts that appear under the pointer.

    The texts are collected in the figure's attribute ``_titles``: gid to text.

    Parameters
    ----------
    axes : Axes
        Where the boxes lie.
    x, y : array_like, shape (n,)
        Centres, in `transform` (by default the axes' data).
    titles : sequence of str
    size : tuple of float
        Width and height in points.
    """

    def __init__(self, axes, x, y, titles, *, transform=None, size=(9, 9)):
        super().__init__()
        self.xy = np.column_stack(np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float)))
        self.size = size
        known = axes.figure.__dict__.setdefault("_titles", {})
        self.gids = [f"row-{len(known) + place}" for place in range(len(self.xy))]
        known.update(zip(self.gids, map(str, titles), strict=True))
        self.set_transform(transform or axes.transData)
        self.set_zorder(10)
        axes.add_artist(self).set_clip_on(False)

    def draw(self, renderer):
        """Draw nearly transparent boxes: without any paint the pointer would not meet them."""
        width, height = (renderer.points_to_pixels(length) for length in self.size)
        box = Affine2D().scale(width, height).translate(-width / 2, -height / 2)
        gc = renderer.new_gc()
        gc.set_linewidth(0)
        for (x, y), gid in zip(self.get_transform().transform(self.xy), self.gids, strict=True):
            renderer.open_group("row", gid)
            place = box.frozen().translate(x, y)
            renderer.draw_path(gc, Path.unit_rectangle(), place, (0.5, 0.5, 0.5, 0.001))
            renderer.close_group("row")
        gc.restore()
