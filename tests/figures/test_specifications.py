"""Specification curves: what is drawn where."""

import numpy as np
import pytest
from drawn import lines_of, strings

from helpers.drawing.style import BLUE, GREY, INK, VERMILLION
from helpers.figures.specifications import curve

ESTIMATE = np.array([2.0, 1.0, 3.0, 1.5])
PRINCIPLED = np.array([True, False, False, True])


@pytest.fixture
def ax():
    by = [("Model", [("multilevel", PRINCIPLED), ("independent rows", ~PRINCIPLED)])]
    return curve(
        ESTIMATE, ESTIMATE - 0.5, ESTIMATE + 0.5, principled=PRINCIPLED,
        leading=ESTIMATE == 3, choices=by,
    )  # fmt: skip


def segments(line):
    """Ends of the pieces of a line: (x, y) of the first and of the last, a row each."""
    x, y = (np.reshape(part, (-1, 3)) for part in line.get_data())
    assert np.isnan(x[:, 2]).any() or np.isnan(y[:, 2]).any()
    return np.column_stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]])


def test_intervals_stand_in_the_order_of_the_estimates(ax):
    (blue,), (grey,) = lines_of(ax, BLUE), lines_of(ax, GREY)
    np.testing.assert_allclose(segments(blue), [[1, 1.0, 1, 2.0], [2, 1.5, 2, 2.5]])
    np.testing.assert_allclose(segments(grey), [[0, 0.5, 0, 1.5], [3, 2.5, 3, 3.5]])


def test_the_leading_analysis_is_a_line_of_its_own(ax):
    (line,) = lines_of(ax, VERMILLION)
    assert set(line.get_xdata()) == {3}


def test_runs_of_a_choice_are_one_stroke_and_principled_needs_no_colour(ax):
    assert strings(ax)[:1] == ["equally principled"] or "equally principled" in strings(ax)
    marks = max(lines_of(ax, INK), key=lambda line: line.get_linewidth())
    found = segments(marks)
    # Principled and multilevel: ranks 1 and 2 together; independent: rank 0 and rank 3.
    np.testing.assert_allclose(found[:, [0, 2]], [[0.5, 2.5], [0.5, 2.5], [-0.5, 0.5], [2.5, 3.5]])
    assert (found[:, 1] < 0).all() and len(set(found[:, 1])) == 3
