"""Artists of our own: many lines of text as one, and unseen boxes that show a text.

Of matplotlib's private parts one is used: a figure's `_get_renderer`, which measures where nobody
hands a renderer in, as matplotlib's own artists do.
"""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.transforms import Bbox, IdentityTransform

from helpers.drawing.style import INK, RC, SIZE

SHARE = {"left": 0, "center": 0.5, "right": 1}  # of a line's width left of its anchor


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
    """Unseen boxes with texts that appear under the pointer.

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
        self.size, self.titles = size, list(map(str, titles))
        self.set_transform(transform or axes.transData)
        self.set_zorder(10)
        axes.add_artist(self).set_clip_on(False)

    def draw(self, renderer):
        """Let a renderer that knows titles (`helpers.drawing.svg`) put them there."""
        if hover := getattr(renderer, "hover", None):
            width, height = (renderer.points_to_pixels(length) for length in self.size)
            for (x, y), title in zip(
                self.get_transform().transform(self.xy), self.titles, strict=True
            ):
                hover(x - width / 2, y - height / 2, width, height, title)
