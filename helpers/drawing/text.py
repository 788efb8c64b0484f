"""How wide text is in a figure, and how it is folded or cut to a width."""

from functools import cache
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font, LoadFlags

from helpers.drawing.style import SIZE

FILES = {
    bold: str(Path(matplotlib.get_data_path(), "fonts", "ttf", name))
    for bold, name in ((False, "DejaVuSans.ttf"), (True, "DejaVuSans-Bold.ttf"))
}
SLACK = 1.04  # hinting, and a reader's sans-serif that is a little wider than DejaVu Sans


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
