"""Figures of a page as pictures that Word shows: PNG, light, sharp enough for print."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from html import unescape
from pathlib import Path

DPI = 300
WIDE, HIGH = 17 / 2.54, 22 / 2.54  # inches; what an A4 page leaves beside its margins and a caption
SIDES = "width", "height"
INK = "#222222"


def picture(svg):
    """Draw a figure of a page, in light colours, as wide as a page of paper shows it.

    Parameters
    ----------
    svg : str
        As `helpers.drawing.svg` writes it: its width and height are CSS pixels.

    Returns
    -------
    address : str
        The PNG as a ``data:`` address.
    width : float
        Inches on paper.
    """
    import resvg_py

    wide, high = (float(re.search(rf'\b{side}="([\d.]+)"', svg)[1]) / 96 for side in SIDES)
    width = wide * min(1, WIDE / wide, HIGH / high)
    text = svg.replace("currentColor", INK).replace("var(--ground,#fff)", "#ffffff")
    drawn = resvg_py.svg_to_bytes(
        svg_string=text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1),
        width=round(width * DPI),
        background="#ffffff",
        skip_system_fonts=not foreign(svg),  # every machine draws the same
        font_files=[str(font) for font in sorted(_fonts().glob("DejaVuS*.ttf"))],
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
        serif_family="DejaVu Serif",
        monospace_family="DejaVu Sans Mono",
    )
    return f"data:image/png;base64,{base64.b64encode(_small(drawn)).decode()}", width


def foreign(svg):
    """Letters of a figure that matplotlib's fonts do not have, which fonts of the machine draw."""
    texts = "".join(unescape(text) for text in re.findall(r">([^<>]*)</text>", svg))
    return "".join(sorted(letter for letter in set(texts) if ord(letter) not in _known()))


@cache
def _known():
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(_fonts() / "DejaVuSans.ttf")).get_charmap()


def _fonts():
    from matplotlib import get_data_path

    return Path(get_data_path(), "fonts", "ttf")


def _small(png):
    """The same picture with a palette, which its few colours fit into: half of the bytes."""
    from PIL import Image

    out = io.BytesIO()
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(out, "png", compress_level=9, dpi=(DPI, DPI))
    return out.getvalue()
