"""The look of axes: few ticks, numbers written out, axes of a given size."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.drawing.frame import axes
from helpers.drawing.style import context
from helpers.drawing.ticks import plain_ticks


def ticks(low, high):
    with context():
        ax = axes(5, 3.6)
        ax.set_xlim(low, high)
        plain_ticks(ax.xaxis)
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


def test_margins_are_inches():
    ax = axes(5, 4, left=1, right=0.5, bottom=0.6, top=0.4)
    box = ax.get_position()
    assert (box.x0 * 5, box.y0 * 4) == pytest.approx((1, 0.6))
    assert (box.width * 5, box.height * 4) == pytest.approx((3.5, 3))


def test_given_axes_are_given_back():
    ax = Figure().add_axes((0.2, 0.2, 0.7, 0.7))
    assert axes(3, 2, ax=ax) is ax
