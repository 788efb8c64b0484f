"""Figures as pictures: sharp, light, within the page, every letter drawn."""

import base64
import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from helpers.drawing.svg import svg
from helpers.word.pictures import foreign, picture

pytest.importorskip("resvg_py")


def drawn(text):
    """Pixels of a picture and its width in inches."""
    address, width = picture(text)
    png = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int), width


def letters(text):
    return (
        '<svg width="96" height="48" viewBox="0 0 72 36" font-family="Arial, sans-serif" '
        f'font-size="20" fill="currentColor"><text x="9" y="24">{text}</text></svg>'
    )


def figure(size):
    made = Figure(figsize=size, facecolor="none")
    axes = made.add_axes((0.1, 0.2, 0.85, 0.75), facecolor="none")
    axes.plot([0, 9], [0, 1], color="#0072B2", clip_on=True, lw=3)
    axes.set_xlim(0, 3)
    return svg(made, name="figure-x", alt="")


@pytest.mark.parametrize("sign", list("τ²Iβαγρχ−–≥½₁·→ü"))
def test_every_letter_is_drawn(sign):
    pixels, _ = drawn(letters(sign))
    unknown, _ = drawn(letters("\U000f0000"))
    assert (pixels < 128).sum() > 100
    assert (pixels != unknown).any()


@pytest.mark.parametrize(
    ("size", "width"), [((3, 2), 3), ((12, 3), 17 / 2.54), ((7, 30), 7 / 30 * 22 / 2.54)]
)
def test_pictures_have_300_dots_an_inch_and_fit_the_page(size, width):
    pixels, found = drawn(figure(size))
    assert found == pytest.approx(width, abs=1e-3)
    high, wide, _ = pixels.shape
    assert wide == round(width * 300)
    assert high / wide == pytest.approx(size[1] / size[0], rel=0.01)


def test_the_whole_figure_is_seen_on_white_and_clipped_where_the_page_clips():
    pixels, _ = drawn(figure((6, 3)))
    wide = pixels.shape[1]
    assert (pixels[0, 0] == 255).all() and (pixels[-1, -1] == 255).all()
    blue = (abs(pixels - [0, 0x72, 0xB2]) < 30).all(axis=2)
    columns = np.flatnonzero(blue.any(axis=0)) / wide
    assert columns.min() == pytest.approx(0.1, abs=0.02)
    assert columns.max() == pytest.approx(0.95, abs=0.02)  # the line goes on to 3 times that


def test_grounds_are_light():
    page = '<svg width="96" height="96" viewBox="0 0 9 9"><path d="M0 0h9v9h-9z" fill="{}"/></svg>'
    assert (drawn(page.format("var(--ground,#fff)"))[0] == 255).all()
    assert (drawn(page.format("currentColor"))[0] == 0x22).all()


def test_letters_that_only_other_fonts_have_are_known():
    assert foreign(letters("τ² &lt; 1, Экзосомы")) == ""
    assert foreign(letters("鼠 and 大鼠")) == "大鼠"
    assert foreign('<svg aria-label="鼠"><title>鼠</title></svg>') == ""
