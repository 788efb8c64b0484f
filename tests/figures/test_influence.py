"""Galbraith plots and deletion diagnostics: what is drawn where."""

import numpy as np
import pandas as pd
import pytest
from drawn import dots, hover_titles, lines_of, with_errors
from matplotlib.colors import to_hex

from helpers.drawing.style import BLUE, INK, VERMILLION
from helpers.figures.influence import PANELS, galbraith, influence


@pytest.fixture
def rows():
    return with_errors()


class TestGalbraith:
    def test_slope_is_the_common_effect_of_all_rows_the_dropped_ones_too(self, rows):
        weight = 1 / rows["se"] ** 2
        slope = np.average(rows["effect"], weights=weight)
        for excluded in (None, rows.index == 3):
            ax = galbraith(rows["effect"], variance=rows["se"] ** 2, excluded=excluded)
            line = next(drawn for drawn in lines_of(ax, INK) if len(set(drawn.get_ydata())) > 1)
            x, y = line.get_data()
            np.testing.assert_allclose([x[0], y[0]], 0)
            np.testing.assert_allclose(y[1] / x[1], slope)

    def test_triangles_are_the_points_outside_the_band(self, rows):
        ax = galbraith(rows["effect"], variance=rows["se"] ** 2)
        x, y = 1 / rows["se"], rows["effect"] / rows["se"]
        slope = np.average(rows["effect"], weights=x**2)
        outside = (np.abs(y - slope * x) > 1.96).sum()
        inside, beyond = dots(ax)
        assert len(beyond.get_offsets()) == outside > 0
        assert len(inside.get_offsets()) == 28 - outside
        assert to_hex(beyond.get_edgecolors()[0]) == VERMILLION.lower()
        assert to_hex(inside.get_edgecolors()[0]) == BLUE.lower()
        assert len(beyond.get_paths()[0]) != len(inside.get_paths()[0])
        (entry,) = ax.get_legend().get_texts()
        assert entry.get_text() == f"outside ±1.96 ({outside})"

    def test_excluded_points_are_hollow(self, rows):
        ax = galbraith(rows["effect"], variance=rows["se"] ** 2, excluded=rows.index == 3)
        hollow = [part for part in dots(ax) if part.get_facecolors()[0, 3] == 0]
        (point,) = hollow[0].get_offsets()
        np.testing.assert_allclose(point, [1 / rows["se"][3], 9 / rows["se"][3]])


class TestInfluence:
    @pytest.fixture
    def diagnostics(self):
        random = np.random.default_rng(0)
        table = pd.DataFrame({name: random.uniform(0.01, 0.02, 72) for name in PANELS})
        table.loc[7, "rstudent"] = -3.5
        table.loc[8, "cook"] = 0.9
        return table

    def test_a_panel_for_each_diagnostic_there_is(self, diagnostics):
        panels = influence(diagnostics)
        assert [ax.get_title("left") for ax in panels] == list(PANELS.values())
        assert len(influence(diagnostics[["hat", "cook"]])) == 2

    def test_triangles_are_beyond_the_marks(self, diagnostics):
        panels = dict(zip(PANELS, influence(diagnostics), strict=True))
        for name, row in (("rstudent", 8), ("cook", 9)):
            (beyond,) = [line for line in panels[name].lines if line.get_marker() == "^"]
            np.testing.assert_array_equal(beyond.get_xdata(), [row])

    def test_every_row_can_be_pointed_at(self, diagnostics):
        labels = [f"<i>{i}</i>" for i in range(72)]
        ax = influence(diagnostics, labels=labels)[0]
        titles = hover_titles(ax)
        assert len(titles) == 144
        assert titles[7].startswith("<i>7</i>; Studentised residual −3.500")
