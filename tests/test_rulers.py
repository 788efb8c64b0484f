"""Scales that draw themselves show what matplotlib's own would show, where it would."""

import io

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.drawing.axes import add_axes, axes, plain_ticks
from helpers.drawing.style import context
from helpers.drawing.svg import svg
from helpers.drawing.text import Texts

BOX = 0.2, 0.2, 0.7, 0.7
VIEWS = [(0, 1), (-3.2, 11.5), (5, -5), (0, 1e-3), (-0.02, 0.31), (0, 200_000)]


def drawn(add, xlim, ylim):
    """Axes with a label each, drawn by Agg; with their renderer."""
    with context():
        figure = Figure((5, 3.6))
        ax = add(figure)
        ax.set(xlim=xlim, ylim=ylim, xlabel="Precision", ylabel="Effect")
        for axis in (ax.xaxis, ax.yaxis):
            plain_ticks(axis)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    return ax, canvas.get_renderer()


def own(axis, renderer):
    """What a scale shows: texts with the middles of their boxes."""
    numbers = axis._parts(renderer)[2]
    boxes = numbers.extents(renderer)
    return numbers.strings, [((b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2) for b in boxes]


def matplotlibs(axis, renderer):
    """The same of matplotlib's axis."""
    labels = [tick.label1 for tick in axis._update_ticks() if tick.label1.get_text()]
    boxes = [label.get_window_extent(renderer) for label in labels]
    middles = [((b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2) for b in boxes]
    return [label.get_text() for label in labels], middles


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_numbers_and_labels_stand_where_matplotlib_sets_them(view):
    ruled, renderer = drawn(lambda figure: add_axes(figure, BOX), view, view[::-1])
    plain, other = drawn(lambda figure: figure.add_axes(BOX), view, view[::-1])
    for name in ("xaxis", "yaxis"):
        texts, places = own(getattr(ruled, name), renderer)
        expected, theirs = matplotlibs(getattr(plain, name), other)
        assert texts == expected
        assert len(texts) >= 3
        assert np.abs(np.subtract(places, theirs)).max() < 3  # pixels
        pair = [getattr(ax, name).label.get_window_extent(renderer) for ax in (ruled, plain)]
        assert np.abs(np.subtract(*(box.extents for box in pair))).max() < 5


def test_ticks_point_from_the_edge_of_the_axes_outwards():
    ax, renderer = drawn(lambda figure: add_axes(figure, BOX), (0, 1), (0, 1))
    for axis, edge, along in ((ax.xaxis, ax.bbox.y0, 0), (ax.yaxis, ax.bbox.x0, 1)):
        feet, ends, numbers = axis._parts(renderer)
        assert np.allclose(feet[:, 1 - along], edge)
        assert np.allclose(feet[:, along], ends[:, along])
        assert (ends[:, 1 - along] < edge).all()
        assert len(feet) == len(numbers.strings)


def test_numbers_of_a_common_power_are_written_out_in_each():
    ax, renderer = drawn(lambda figure: add_axes(figure, BOX), (0, 4e-7), (-3e9, 1e9))
    assert own(ax.xaxis, renderer)[0] == ["0", "1e−07", "2e−07", "3e−07", "4e−07"]
    assert own(ax.yaxis, renderer)[0] == ["−3e+09", "−2e+09", "−1e+09", "0", "1e+09"]


def test_numbers_can_be_left_out_and_the_label_moves_up():
    ax, renderer = drawn(lambda figure: add_axes(figure, BOX), (0, 1), (0, 1))
    before = ax.xaxis.label.get_window_extent(renderer).y1
    ax.tick_params("x", labelbottom=False)
    feet, _, numbers = ax.xaxis._parts(renderer)
    assert len(feet) and numbers.strings == []
    assert ax.xaxis.label.get_window_extent(renderer).y1 > before


def test_a_hidden_scale_draws_nothing():
    with context():
        ax = axes(3, 2)
        ax.yaxis.set_visible(False)
        ax.set(xlim=(0, 1), ylim=(100, 900), ylabel="unseen")
        picture = svg(ax.figure, name="x", alt="")
    assert "unseen" not in picture and ">500<" not in picture and ">0.4<" in picture


def test_matplotlibs_own_labels_can_still_be_had():
    ax, _ = drawn(lambda figure: add_axes(figure, BOX), (0, 1), (0, 1))
    assert "0.4" in [label.get_text() for label in ax.get_xticklabels()]


def test_a_picture_cut_to_what_it_shows_keeps_scales_and_texts():
    ax, _ = drawn(lambda figure: add_axes(figure, (0, 0, 1, 1)), (0, 1), (0, 1))
    lines = Texts(-0.6, [0.5], ["far left of the axes"], transform=ax.transAxes)
    ax.add_artist(lines).set_clip_on(False)
    file = io.BytesIO()
    ax.figure.savefig(file, dpi=72, bbox_inches="tight", pad_inches=0)
    height, width = matplotlib.image.imread(io.BytesIO(file.getvalue())).shape[:2]
    assert width > 1.6 * 5 * 72 - 2
    assert height > 3.6 * 72 + 20


def test_given_axes_are_given_back():
    ax = Figure().add_axes(BOX)
    assert axes(3, 2, ax=ax) is ax
