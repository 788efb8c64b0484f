"""Effects against a moderator, and moderators against each other."""

import numpy as np
import pandas as pd
import pytest
from drawn import dots, lines_of, offsets, overlaps, strings, text_boxes, with_errors
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from helpers.drawing.style import BLUE, INK, VERMILLION
from helpers.figures.moderators import association, bubble


@pytest.fixture
def rows():
    return with_errors()


class TestBubble:
    def test_numbers_get_a_line_and_areas_by_weight(self, rows):
        fit = pd.DataFrame({"x": [7.0, 56], "estimate": [2.0, 2.5], "ci_low": 1, "ci_high": 4})
        days = np.linspace(7, 56, 28)
        weight = np.linspace(0.5, 1, 28)
        ax = bubble(days, rows["effect"], weight=weight, fit=fit)
        (points,) = dots(ax)
        np.testing.assert_allclose(points.get_sizes(), 90 * weight)
        np.testing.assert_allclose(lines_of(ax, VERMILLION)[0].get_ydata(), [2, 2.5])

    def test_rows_without_a_value_are_not_drawn(self, rows):
        days = np.linspace(7, 56, 28)
        days[5] = np.nan
        ax = bubble(days, rows["effect"])
        assert len(offsets(ax)) == 27

    def test_levels_get_strips_and_diamonds(self, rows):
        levels = pd.Series(["Mice", "Rat", "Pig", None] * 7)
        fit = pd.DataFrame(
            {
                "level": ["Mice", "Rat", "Pig"],
                "estimate": [2, 3, np.nan],
                "ci_low": [1, 2.5, np.nan],
                "ci_high": [3, 3.5, np.nan],
            }
        )
        ax = bubble(levels, rows["effect"], fit=fit)
        (diamonds,) = ax.findobj(PolyCollection)
        assert [path.vertices[1, 0] for path in diamonds.get_paths()] == [2, 3]
        assert {"Mice (k = 7)", "2.00 [1.00, 3.00]", "not pooled"} <= set(strings(ax))
        points = offsets(ax)
        assert len(points) == 21
        mice = rows["effect"][levels == "Mice"]
        on_first = points[points[:, 1] < 1]
        assert sorted(on_first[:, 0]) == sorted(mice)


def test_the_matrix_of_moderators_is_that_of_the_table_below_its_diagonal():
    names = ["Species", "Route", "Dose"]
    values = [[1, 0.25, 0.5], [0.25, 1, 0.75], [0.5, 0.75, 1]]
    ax = association(pd.DataFrame(values, names, names))
    assert [text.get_text() for text in ax.texts] == ["0.25", "0.50", "0.75"]
    places = [text.get_position() for text in ax.texts]
    assert places == [(0.5, 0.5), (0.5, 1.5), (1.5, 1.5)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Species", "Route"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Route", "Dose"]
    assert ax.yaxis_inverted()
    assert overlaps(*text_boxes(ax)) == []
    ax.figure.draw_without_rendering()
    (mesh,) = ax.collections
    tiles = [tile for tile in mesh.get_facecolors() if tile[3]]
    assert {to_hex(tile) for tile in tiles} == {BLUE.lower()}
    # The closer, the more opaque, and never so much that ink cannot be read on it in the dark.
    assert [tile[3] for tile in tiles] == pytest.approx([0.15, 0.3, 0.45], abs=0.005)
    assert {to_hex(text.get_color()) for text in ax.texts} == {INK}
