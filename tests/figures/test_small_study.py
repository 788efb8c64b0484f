"""Funnel and Doleman plots: what is drawn where."""

import numpy as np
import pytest
from drawn import lines_of, offsets, with_errors
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from helpers.drawing.style import GREY, VERMILLION
from helpers.figures.small_study import doleman, funnel


@pytest.fixture
def rows():
    return with_errors()


class TestFunnel:
    def test_on_inverse_root_n_with_precise_experiments_at_the_top(self, rows):
        ax = funnel(rows["effect"], se=rows["se"], n_total=rows["n"], estimate=2.3)
        np.testing.assert_allclose(
            offsets(ax), np.column_stack([rows["effect"], 1 / np.sqrt(rows["n"])])
        )
        bottom, top = ax.get_ylim()
        assert top == 0 < bottom
        dashed = next(line for line in lines_of(ax, VERMILLION))
        np.testing.assert_allclose(dashed.get_xdata(), 2.3)

    @pytest.mark.parametrize(("yaxis", "factor"), [("1/sqrt(N)", 2), ("se", 1)])
    def test_contours_use_the_null_standard_error(self, rows, yaxis, factor):
        ax = funnel(rows["effect"], se=rows["se"], n_total=rows["n"], estimate=2.3, yaxis=yaxis)
        bottom = ax.get_ylim()[0]
        bands = [p.vertices for part in ax.findobj(PolyCollection) for p in part.get_paths()]
        assert len(bands) == 4
        widest = max(np.abs(band[:, 0]).max() for band in bands)
        assert widest == pytest.approx(2.576 * factor * bottom)
        nearest = min(np.abs(band[band[:, 1] > 0, 0]).min() for band in bands)
        assert nearest == pytest.approx(1.645 * factor * bottom)

    def test_contours_have_edges_that_stand_on_light_and_dark(self, rows):
        ax = funnel(rows["effect"], se=rows["se"], n_total=rows["n"], estimate=2.3)
        near, far = ax.findobj(PolyCollection)
        for part in (near, far):
            assert {to_hex(edge) for edge in part.get_edgecolors()} == {GREY}
            assert part.get_linewidths()[0] >= 0.5
        assert near.get_facecolors()[0, 3] >= 1.5 * far.get_facecolors()[0, 3] >= 0.3

    def test_contours_can_be_left_out(self, rows):
        ax = funnel(rows["effect"], se=rows["se"], n_total=rows["n"], estimate=2.3, contours=False)
        assert ax.findobj(PolyCollection) == []
        assert ax.get_legend() is None


def test_doleman_draws_residuals_and_the_second_regression(rows):
    ax = doleman(rows["effect"] - 2, 1 / rows["n"], fit=(0.5, -3))
    np.testing.assert_allclose(offsets(ax), np.column_stack([1 / rows["n"], rows["effect"] - 2]))
    x, y = lines_of(ax, VERMILLION)[0].get_data()
    np.testing.assert_allclose(y, 0.5 - 3 * x)
