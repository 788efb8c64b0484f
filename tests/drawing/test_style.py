"""The look of axes: few ticks, numbers written out, axes of a given size."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.drawing.frame import axes
from helpers.drawing.style import context
from helpers.drawing.ticks import effect_ticks, plain_ticks, ratio_ticks


def ticks(low, high, kind=plain_ticks):
    with context():
        ax = axes(5, 3.6)
        ax.set_xlim(low, high)
        kind(ax.xaxis)
        FigureCanvasAgg(ax.figure).draw()
        places = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        return [label.get_text() for at, label in places if low <= at <= high]


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ((0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((0, 4e-7), ["0", "1e−07", "2e−07", "3e−07", "4e−07"]),
        ((-3e9, 1e9), ["−3e+09", "−2e+09", "−1e+09", "0", "1e+09"]),
        (
            (100_000, 100_001),
            ["100000.0", "100000.2", "100000.4", "100000.6", "100000.8", "100001.0"],
        ),
    ],
    ids=str,
)
def test_every_number_is_written_out(view, expected):
    assert ticks(*view) == expected


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ((0.45, 4.5), ["0.5", "0.7", "1", "1.5", "2", "3"]),
        ((0.09, 11), ["0.1", "0.3", "1", "3", "10"]),
        ((0.0008, 1200), ["0.001", "0.1", "10", "1000"]),
        ((0.88, 1.12), ["0.9", "0.95", "1", "1.05", "1.1"]),
    ],
    ids=str,
)
def test_an_axis_of_logarithms_bears_round_ratios(view, expected):
    assert ticks(*np.log(view), ratio_ticks) == expected


@pytest.mark.parametrize(("is_log", "kind"), [(True, ratio_ticks), (False, plain_ticks)])
def test_effects_that_are_logarithms_get_ratios(is_log, kind):
    def of_measure(axis):
        effect_ticks(axis, SimpleNamespace(is_log=is_log))

    assert ticks(-1, 1, of_measure) == ticks(-1, 1, kind)


@pytest.mark.parametrize("view", [(0.1, 0.9), (0.9, 0.1), (-1, 1), (0, 0.3)])
def test_no_tick_lies_outside_of_the_view(view):
    ax = axes()
    ax.set_xlim(view)
    plain_ticks(ax.xaxis)
    places = ax.get_xticks()
    assert min(view) - 1e-9 <= places.min() < places.max() <= max(view) + 1e-9
    assert len(places) >= 4


def test_margins_are_inches():
    ax = axes(5, 4, left=1, right=0.5, bottom=0.6, top=0.4)
    box = ax.get_position()
    assert (box.x0 * 5, box.y0 * 4) == pytest.approx((1, 0.6))
    assert (box.width * 5, box.height * 4) == pytest.approx((3.5, 3))


def test_given_axes_are_given_back():
    ax = Figure().add_axes((0.2, 0.2, 0.7, 0.7))
    assert axes(3, 2, ax=ax) is ax


VIEWS = [
    (plain_ticks, (-13, 4)),
    (plain_ticks, (-0.13, 0.9)),
    (plain_ticks, (0, 4e6)),
    (ratio_ticks, (-5, 5)),
]


@pytest.mark.parametrize("wide", [0.6, 1.2, 2, 4])
@pytest.mark.parametrize(("kind", "view"), VIEWS)
def test_numbers_of_an_axis_stand_apart_however_narrow_it_is(wide, kind, view):
    ax = axes(wide, 1, 0, 0, 0.4, 0)
    kind(ax.xaxis)
    ax.set_xlim(view)
    ax.figure.draw_without_rendering()
    labels = [tick.label1 for tick in ax.xaxis.get_major_ticks() if tick.label1.get_text()]
    boxes = sorted(label.get_window_extent().extents[[0, 2]].tolist() for label in labels)
    assert boxes
    for (_, end), (start, _) in pairwise(boxes):
        assert start - end > 0.07 * ax.figure.dpi


def test_a_saved_pdf_has_true_type_fonts_and_an_svg_texts(tmp_path):
    """Outside of `context` as well: a person saves when the drawing is done."""
    ax = axes()
    ax.set_xlabel("Standardised mean difference")
    ax.figure.savefig(tmp_path / "figure.pdf")
    ax.figure.savefig(tmp_path / "figure.svg")
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert "Standardised mean difference</text>" in (tmp_path / "figure.svg").read_text()
