"""Figures of a review as a whole: what is drawn where."""

from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from drawn import hover_titles, offsets, overlaps, strings, text_boxes
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch, Rectangle

from helpers.figures.review import (
    JUDGEMENTS,
    counts,
    evidence_map,
    open_questions,
    risk_of_bias,
    risk_of_bias_summary,
)


class TestEvidenceMap:
    @pytest.fixture
    def table(self):
        return pd.DataFrame(
            {
                "label": ["Locomotion", "Cavity size", "GFAP"],
                "family": ["Locomotion", "Histology", "Histology"],
                "better": ["higher", "lower", "lower"],
                "k": ["72", "26", "25 (assumed)"],
                "estimate": [2.31, -2.75, 0.4],
                "ci_low": [1.95, -3.69, -0.2],
                "ci_high": [2.66, -1.8, 1.0],
                "published": [2.31, -2.7, np.nan],
                "published_low": [1.95, -3.6, np.nan],
                "published_high": [2.66, -1.8, np.nan],
            }
        )

    def test_benefit_is_at_the_right_for_every_outcome(self, table):
        ax = evidence_map(table)
        np.testing.assert_allclose(offsets(ax)[:, 0], [2.31, 2.75, -0.4])
        texts = strings(ax)
        assert {"2.75 [1.80, 3.69]", "−0.40 [−1.00, 0.20]", "← favours control"} <= set(texts)

    def test_published_diamonds_stand_in_the_row_of_their_outcome(self, table):
        ax = evidence_map(table.iloc[::-1])
        (diamonds,) = [line for line in ax.lines if line.get_marker() == "D"]
        x, y = diamonds.get_data()
        np.testing.assert_allclose(x, [np.nan, 2.7, 2.31])
        np.testing.assert_allclose(y - offsets(ax)[:, 1], 0.09)


def test_counts_are_those_of_the_table():
    studies = pd.DataFrame({"species": ["rat"] * 3 + [None], "route": list("abcd")})
    species, route = counts(studies, {"species": "Species", "route": "Route"}, most=3)
    assert [bar.get_width() for bar in species.patches] == [3, 1]
    assert {"rat", "not reported", "3", "Species"} <= set(strings(species))
    assert [bar.get_width() for bar in route.patches] == [1, 1, 2]
    assert "other (2 values)" in strings(route)


class TestRiskOfBias:
    items = MappingProxyType({"item_1": "Was it random?", "item_2": "Was it blinded?"})

    @pytest.fixture
    def table(self):
        return pd.DataFrame(
            {
                "study_label": [f"Author{i} 2020" for i in range(65)],
                "item_1": ["low"] * 60 + ["high"] * 5,
                "item_2": ["unclear"] * 64 + [None],
                "overall": "fair",
            }
        )

    def test_a_tile_and_a_symbol_for_each_judgement(self, table):
        ax = risk_of_bias(table, self.items, overall="overall")
        tiles = {
            to_hex(part.get_facecolor()): len(part.get_path()) // 5
            for part in ax.findobj(PathPatch)
        }
        colours = {name: color.lower() for name, (_, color, _) in JUDGEMENTS.items()}
        # one more each in the key
        assert tiles == {colours["low"]: 61, colours["unclear"]: 65, colours["high"]: 6}
        texts = strings(ax)
        assert [texts.count(s) for s in "+?−"] == [61, 65, 6]
        assert texts.count("Fair") == 65
        assert len([t for t in texts if t.startswith("Author")]) == 65

    def test_it_fits_a_page_and_nothing_overlaps(self, table):
        items = {f"item_{i}": "Was it?" for i in range(1, 11)}
        for name in items:
            table[name] = "low"
        ax = risk_of_bias(table, items, overall="overall")
        width, height = ax.figure.get_size_inches()
        assert width < 9
        assert height < 9
        assert overlaps(*text_boxes(ax)) == []
        assert set(hover_titles(ax)) == {"Was it?"}

    def test_summary_bars_add_up(self, table):
        ax = risk_of_bias_summary(table, self.items)
        bars = [bar for bar in ax.findobj(Rectangle) if bar.get_height() == pytest.approx(0.2)]
        assert sum(b.get_width() for b in bars) == pytest.approx(100 * (1 + 64 / 65))
        assert {"60", "5", "64"} <= set(strings(ax))


def test_open_questions_have_a_dot_for_each_reconstruction():
    table = pd.DataFrame({"label": ["GFAP", "IL-18"], "k": ["25", "2 to 10"],
                          "tau2_low": [1.0, 0.5], "tau2_high": [1.25, 2.0],
                          "knapp": ["all", "3 of 9"]})  # fmt: skip
    points = pd.DataFrame({"label": ["IL-18", "GFAP", "IL-18"], "p": [0.04, 0.5, 0.9]})
    ax = open_questions(table, points)
    (found,) = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(found.get_data(), [[0.04, 0.5, 0.9], [1.5, 0.5, 1.5]])
    assert {"GFAP", "2 to 10", "0.50 to 2.00", "3 of 9"} <= set(strings(ax))
    assert [line.get_xdata()[0] for line in ax.lines if line is not found] == [0.05]
    assert overlaps(*text_boxes(ax)) == []
