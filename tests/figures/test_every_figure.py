"""What every figure of experiments keeps to: colours, sizes, titles under the pointer, texts."""

import numpy as np
import pytest
from drawn import overlaps, text_boxes, with_errors
from matplotlib.colors import to_hex, to_rgba

from helpers.drawing.marks import Hover
from helpers.drawing.style import INK, context
from helpers.figures.influence import galbraith
from helpers.figures.moderators import bubble
from helpers.figures.small_study import doleman, funnel


@pytest.fixture
def rows():
    return with_errors()


FIGURES = {
    "galbraith": lambda t: galbraith(t["effect"], variance=t["se"] ** 2),
    "funnel": lambda t: funnel(t["effect"], se=t["se"], n_total=t["n"], estimate=2),
    "doleman": lambda t: doleman(t["effect"], 1 / t["n"], fit=(0, 1)),
    "bubble": lambda t: bubble(t["n"], t["effect"], weight=t["weight"]),
}


@pytest.mark.parametrize("name", FIGURES)
class TestEveryPlot:
    def test_only_colours_that_stand_on_light_and_dark(self, rows, name):
        ax = FIGURES[name](rows)
        assert to_rgba(ax.figure.get_facecolor())[3] == 0
        assert to_rgba(ax.get_facecolor())[3] == 0
        colours = [to_hex(line.get_color()) for line in ax.lines]
        colours += [to_hex(c) for part in ax.collections for c in part.get_edgecolors()]
        colours += [to_hex(axis.label.get_color()) for axis in (ax.xaxis, ax.yaxis)]
        for colour in set(colours) - {INK}:
            light = _luminance(colour)
            assert 1.05 / (light + 0.05) > 2.5, colour
            assert (light + 0.05) / (0.01 + 0.05) > 2.5, colour

    def test_texts_are_nine_points_and_apart(self, rows, name):
        ax = FIGURES[name](rows)
        assert {axis.label.get_fontsize() for axis in (ax.xaxis, ax.yaxis)} == {9}
        assert overlaps(*text_boxes(ax)) == []

    def test_every_point_can_be_pointed_at(self, rows, name):
        ax = FIGURES[name](rows)
        assert sum(len(h.titles) for h in ax.findobj(Hover)) == 28

    def test_the_svg_keeps_its_texts(self, rows, name, tmp_path):
        ax = FIGURES[name](rows)
        with context(svg__hashsalt=name):
            for place in (1, 2):
                ax.figure.savefig(tmp_path / f"{place}.svg", metadata={"Date": None})
        first, second = ((tmp_path / f"{place}.svg").read_text() for place in (1, 2))
        assert first == second
        assert ax.get_xlabel() in first


def _luminance(colour):
    rgb = np.array(to_rgba(colour)[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]
