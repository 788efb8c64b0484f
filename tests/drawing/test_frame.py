"""Axes whose margins stay in inches, and texts beside them that go along."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from helpers.drawing.frame import Inches, axes, inside
from helpers.drawing.marks import Texts

MARGINS = 0.7, 0.2, 0.5, 0.1  # left, right, bottom, top


def margins(ax):
    """Inches between the axes and the edges of their figure, as they are drawn."""
    figure = ax.figure
    figure.draw_without_rendering()
    box, (wide, high) = ax.get_position(), figure.get_size_inches()
    return box.x0 * wide, (1 - box.x1) * wide, box.y0 * high, (1 - box.y1) * high


@pytest.mark.parametrize("size", [(4, 3), (8, 3), (2, 6), (2.5, 1.5)])
def test_margins_stay_when_the_figure_changes_its_size(size):
    ax = axes(4, 3, *MARGINS)
    ax.figure.set_size_inches(size)
    assert margins(ax) == pytest.approx(MARGINS)


def test_axes_of_somebody_elses_are_put_inside_their_own_place():
    figure = Figure((10, 4))
    left, right = figure.add_axes((0, 0, 0.5, 1)), figure.add_axes((0.5, 0, 0.5, 1))
    inside(figure, *MARGINS, ax=left)
    inside(figure, *MARGINS, ax=right)
    figure.set_size_inches(20, 8)
    assert margins(left) == pytest.approx((0.7, 10.2, 0.5, 0.1))
    assert margins(right) == pytest.approx((10.7, 0.2, 0.5, 0.1))


def test_inches_beside_the_axes_keep_their_distance_and_those_inside_follow():
    ax = axes(4, 3, *MARGINS)
    place = Inches(ax, (0.7, 3.8), (0, 2.4))
    points = [(0.1, -0.05), (0.7, 0), (2.25, 1.2), (3.8, 2.4), (3.9, 2.8)]

    def seen():
        ax.figure.draw_without_rendering()
        return place.transform(points) / ax.figure.dpi

    expected = [(0.1, 2.95), (0.7, 2.9), (2.25, 1.7), (3.8, 0.5), (3.9, 0.1)]
    np.testing.assert_allclose(seen(), expected)
    ax.figure.set_size_inches(8, 5)
    expected = [(0.1, 4.95), (0.7, 4.9), (4.25, 2.7), (7.8, 0.5), (7.9, 0.1)]
    np.testing.assert_allclose(seen(), expected)


def test_texts_are_found_where_they_went():
    ax = axes(4, 3, *MARGINS)
    text = Texts([3.9], [0.2], ["x"], transform=Inches(ax, (0.7, 3.8), (0, 2.4)))
    ax.add_artist(text)
    ax.figure.set_size_inches(8, 3)
    ax.figure.draw_without_rendering()
    assert text.get_window_extent().x0 == pytest.approx(7.9 * ax.figure.dpi)
