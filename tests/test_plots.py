"""Plots beside the forest: positions, colours, shapes and texts of what is drawn."""

from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.patches import PathPatch, Rectangle
from test_forest import experiments, lines_of, overlaps, strings, text_boxes

from helpers.drawing.marks import Hover, Texts
from helpers.drawing.style import BLUE, GREY, INK, VERMILLION, context
from helpers.figures import charts, plots


@pytest.fixture
def rows():
    table = experiments(28, seed=3)
    table["se"] = (table["ci_high"] - table["ci_low"]) / (2 * 1.96)
    table["n"] = table["n_treated"] + table["n_control"]
    table.loc[3, "effect"] = 9.0
    return table


def dots(ax):
    return ax.findobj(PathCollection)


def offsets(ax):
    return np.vstack([part.get_offsets() for part in dots(ax)])


def hover_titles(ax):
    return [title for hover in ax.figure.findobj(Hover) for title in hover.titles]


class TestGalbraith:
    def test_slope_is_the_common_effect_of_all_rows_the_dropped_ones_too(self, rows):
        weight = 1 / rows["se"] ** 2
        slope = np.average(rows["effect"], weights=weight)
        for excluded in (None, rows.index == 3):
            ax = plots.galbraith(rows["effect"], variance=rows["se"] ** 2, excluded=excluded)
            line = next(drawn for drawn in lines_of(ax, INK) if len(set(drawn.get_ydata())) > 1)
            x, y = line.get_data()
            np.testing.assert_allclose([x[0], y[0]], 0)
            np.testing.assert_allclose(y[1] / x[1], slope)

    def test_triangles_are_the_points_outside_the_band(self, rows):
        ax = plots.galbraith(rows["effect"], variance=rows["se"] ** 2)
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
        ax = plots.galbraith(rows["effect"], variance=rows["se"] ** 2, excluded=rows.index == 3)
        hollow = [part for part in dots(ax) if part.get_facecolors()[0, 3] == 0]
        (point,) = hollow[0].get_offsets()
        np.testing.assert_allclose(point, [1 / rows["se"][3], 9 / rows["se"][3]])


class TestFunnel:
    def test_on_inverse_root_n_with_precise_experiments_at_the_top(self, rows):
        ax = plots.funnel(rows["effect"], se=rows["se"], n_total=rows["n"], estimate=2.3)
        np.testing.assert_allclose(
            offsets(ax), np.column_stack([rows["effect"], 1 / np.sqrt(rows["n"])])
        )
        bottom, top = ax.get_ylim()
        assert top == 0 < bottom
        dashed = next(line for line in lines_of(ax, VERMILLION))
        np.testing.assert_allclose(dashed.get_xdata(), 2.3)

    @pytest.mark.parametrize(("yaxis", "factor"), [("1/sqrt(N)", 2), ("se", 1)])
    def test_contours_use_the_null_standard_error(self, rows, yaxis, factor):
        ax = plots.funnel(
            rows["effect"], se=rows["se"], n_total=rows["n"], estimate=2.3, yaxis=yaxis
        )
        bottom = ax.get_ylim()[0]
        bands = [p.vertices for part in ax.findobj(PolyCollection) for p in part.get_paths()]
        assert len(bands) == 4
        widest = max(np.abs(band[:, 0]).max() for band in bands)
        assert widest == pytest.approx(2.576 * factor * bottom)
        nearest = min(np.abs(band[band[:, 1] > 0, 0]).min() for band in bands)
        assert nearest == pytest.approx(1.645 * factor * bottom)

    def test_contours_can_be_left_out(self, rows):
        ax = plots.funnel(
            rows["effect"], se=rows["se"], n_total=rows["n"], estimate=2.3, contours=False
        )
        assert ax.findobj(PolyCollection) == []
        assert ax.get_legend() is None


def test_doleman_draws_residuals_and_the_second_regression(rows):
    ax = plots.doleman(rows["effect"] - 2, 1 / rows["n"], fit=(0.5, -3))
    np.testing.assert_allclose(offsets(ax), np.column_stack([1 / rows["n"], rows["effect"] - 2]))
    x, y = lines_of(ax, VERMILLION)[0].get_data()
    np.testing.assert_allclose(y, 0.5 - 3 * x)


class TestBubble:
    def test_numbers_get_a_line_and_areas_by_weight(self, rows):
        fit = pd.DataFrame({"x": [7.0, 56], "estimate": [2.0, 2.5], "ci_low": 1, "ci_high": 4})
        days = np.linspace(7, 56, 28)
        weight = np.linspace(0.5, 1, 28)
        ax = plots.bubble(days, rows["effect"], weight=weight, fit=fit)
        (points,) = dots(ax)
        np.testing.assert_allclose(points.get_sizes(), 90 * weight)
        np.testing.assert_allclose(lines_of(ax, VERMILLION)[0].get_ydata(), [2, 2.5])

    def test_rows_without_a_value_are_not_drawn(self, rows):
        days = np.linspace(7, 56, 28)
        days[5] = np.nan
        ax = plots.bubble(days, rows["effect"])
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
        ax = plots.bubble(levels, rows["effect"], fit=fit)
        (diamonds,) = ax.findobj(PolyCollection)
        assert [path.vertices[1, 0] for path in diamonds.get_paths()] == [2, 3]
        assert {"Mice (k = 7)", "2.00 [1.00, 3.00]", "not pooled"} <= set(strings(ax))
        points = offsets(ax)
        assert len(points) == 21
        mice = rows["effect"][levels == "Mice"]
        on_first = points[points[:, 1] < 1]
        assert sorted(on_first[:, 0]) == sorted(mice)


def test_baujat_names_the_farthest_points_without_overlap(rows):
    x, y = np.r_[np.full(26, 0.1), 50, 50], np.r_[np.full(26, 0.1), 1, 1.001]
    ax = plots.baujat(x, y, labels=rows["label"])
    (names,) = ax.findobj(Texts)
    assert names.strings[0] == "Experiment 28"
    assert "Experiment 27" not in names.strings
    assert overlaps(*text_boxes(ax)) == []


class TestInfluence:
    @pytest.fixture
    def diagnostics(self):
        random = np.random.default_rng(0)
        table = pd.DataFrame({name: random.uniform(0.01, 0.02, 72) for name in plots.PANELS})
        table.loc[7, "rstudent"] = -3.5
        table.loc[8, "cook"] = 0.9
        return table

    def test_a_panel_for_each_diagnostic_there_is(self, diagnostics):
        panels = plots.influence(diagnostics)
        assert [ax.get_title("left") for ax in panels] == list(plots.PANELS.values())
        assert len(plots.influence(diagnostics[["hat", "cook"]])) == 2

    def test_triangles_are_beyond_the_marks(self, diagnostics):
        panels = dict(zip(plots.PANELS, plots.influence(diagnostics), strict=True))
        for name, row in (("rstudent", 8), ("cook", 9)):
            (beyond,) = [line for line in panels[name].lines if line.get_marker() == "^"]
            np.testing.assert_array_equal(beyond.get_xdata(), [row])

    def test_every_row_can_be_pointed_at(self, diagnostics):
        labels = [f"<i>{i}</i>" for i in range(72)]
        ax = plots.influence(diagnostics, labels=labels)[0]
        titles = hover_titles(ax)
        assert len(titles) == 144
        assert titles[7].startswith("<i>7</i>; Studentised residual −3.500")


def test_leave_one_out_and_cumulative_draw_one_line_a_row():
    table = pd.DataFrame({"label": list("abcd"), "estimate": [2.0, 2.2, 2.4, 2.3]})
    table["ci_low"], table["ci_high"] = table["estimate"] - 0.4, table["estimate"] + 0.4
    for ax, overall in ((plots.leave_one_out(table, 2.25), 2.25), (plots.cumulative(table), 2.3)):
        np.testing.assert_allclose(offsets(ax)[:, 0], table["estimate"])
        dashed = lines_of(ax, VERMILLION)[-1]
        np.testing.assert_allclose(dashed.get_xdata(), overall)
    texts = strings(plots.leave_one_out(table.rename(columns={"label": "left_out"}), 2.25))
    assert {"Left out", "a", "d"} <= set(texts)


def test_gosh_draws_a_density_not_points():
    random = np.random.default_rng(0)
    estimate = random.normal(2.3, 0.2, 20_000)
    ax = plots.gosh(estimate, np.clip(random.normal(80, 5, 20_000), 0, 100), full=(2.31, 81.5))
    assert len(ax.collections) == 1
    assert len(ax.collections[0].get_paths()) == 6
    (diamond,) = lines_of(ax, VERMILLION)
    assert diamond.get_xdata()[0] == 2.31
    assert ax.get_xlim()[0] < np.quantile(estimate, 0.001)


def test_gosh_of_identical_subsets_is_drawn_too():
    assert plots.gosh(np.full(50, 2.0), np.zeros(50)).get_xlabel() == "SMD"


def test_presets_stand_below_each_other_with_the_published_one_marked():
    table = pd.DataFrame(
        {
            "preset": ["article", "recommended", "published"],
            "estimate": [2.31, 2.2, 2.3],
            "ci_low": [1.95, 1.8, 1.9],
            "ci_high": [2.66, 2.6, 2.7],
            "pi_low": [-0.5, -0.6, np.nan],
            "pi_high": [5.1, 5.2, np.nan],
        }
    )
    ax = plots.presets(table)
    texts = strings(ax)
    assert texts[:3] == ["Article's method", "Recommended", "Published"]
    assert "2.20 [1.80, 2.60]" in texts
    diamonds = [line for line in ax.lines if line.get_marker() == "D"]
    assert [line.get_xdata()[0] for line in diamonds] == [2.3]
    thin = lines_of(ax, GREY)[0].get_xdata()
    np.testing.assert_allclose(thin[:2], [-0.5, 5.1])
    assert overlaps(*text_boxes(ax)) == []


def test_power_in_percent_with_a_shape_a_scenario():
    table = pd.DataFrame({"test": ["Egger", "Doleman"], "none": [0.99, 0.05], "80%": [1, 0.08]})
    ax = plots.power(table)
    drawn = {line.get_marker(): line for line in ax.lines if len(line.get_xdata()) == 2}
    np.testing.assert_allclose(drawn["o"].get_xdata(), [99, 5])
    np.testing.assert_allclose(drawn["s"].get_xdata(), [100, 8])
    assert "5% / 8%" in strings(ax)


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
        ax = charts.evidence_map(table)
        np.testing.assert_allclose(offsets(ax)[:, 0], [2.31, 2.75, -0.4])
        texts = strings(ax)
        assert {"2.75 [1.80, 3.69]", "−0.40 [−1.00, 0.20]", "← favours control"} <= set(texts)

    def test_published_diamonds_stand_in_the_row_of_their_outcome(self, table):
        ax = charts.evidence_map(table.iloc[::-1])
        (diamonds,) = [line for line in ax.lines if line.get_marker() == "D"]
        x, y = diamonds.get_data()
        np.testing.assert_allclose(x, [np.nan, 2.7, 2.31])
        np.testing.assert_allclose(y - offsets(ax)[:, 1], 0.09)


def test_counts_are_those_of_the_table():
    studies = pd.DataFrame({"species": ["rat"] * 3 + [None], "route": list("abcd")})
    species, route = charts.counts(studies, {"species": "Species", "route": "Route"}, most=3)
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
        ax = charts.risk_of_bias(table, self.items, overall="overall")
        tiles = {
            to_hex(part.get_facecolor()): len(part.get_path()) // 5
            for part in ax.findobj(PathPatch)
        }
        colours = {name: color.lower() for name, (_, color, _) in charts.JUDGEMENTS.items()}
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
        ax = charts.risk_of_bias(table, items, overall="overall")
        width, height = ax.figure.get_size_inches()
        assert width < 9
        assert height < 9
        assert overlaps(*text_boxes(ax)) == []
        assert set(hover_titles(ax)) == {"Was it?"}

    def test_summary_bars_add_up(self, table):
        ax = charts.risk_of_bias_summary(table, self.items)
        bars = [bar for bar in ax.findobj(Rectangle) if bar.get_height() == pytest.approx(0.2)]
        assert sum(b.get_width() for b in bars) == pytest.approx(100 * (1 + 64 / 65))
        assert {"60", "5", "64"} <= set(strings(ax))


class TestFlow:
    counts = pd.DataFrame(
        [
            ("identification", "records found", 1009),
            ("identification", "duplicates removed", 507),
            ("screening", "records screened", 502),
            ("eligibility", "full texts reviewed", 156),
            ("excluded_full_text", "reviews", 52),
            ("excluded_full_text", "no mesenchymal stem cells", 39),
            ("included", "articles", 65),
        ],
        columns=["stage", "item", "n"],
    )

    def texts(self, counts):
        return [text.replace("\u00a0", " ").strip() for text in strings(charts.flow(counts))]

    def test_boxes_bear_their_numbers_and_reasons(self):
        texts = self.texts(self.counts)
        for text in (
            "Records found (n = 1009)",
            "Duplicates removed (n = 507)",
            "Records excluded (n = 346, by subtraction)",
            "Full texts excluded (n = 91)",
            "reviews: 52",
            "Articles (n = 65)",
        ):
            assert text in texts
        assert not any("is not" in text for text in texts)

    def test_a_gap_is_shown(self):
        counts = self.counts.copy()
        counts.loc[6, "n"] = 63
        assert "156 − 91 is not 63" in self.texts(counts)

    def test_texts_stay_in_their_boxes(self):
        ax = charts.flow(self.counts)
        boxes, names = text_boxes(ax)
        assert overlaps(boxes, names) == []
        frames = [box.get_window_extent() for box in ax.findobj(Rectangle) if box.get_width() > 3]
        held = [
            any(f.x0 < x0 and x1 < f.x1 and f.y0 < y0 and y1 < f.y1 for f in frames)
            for x0, y0, x1, y1 in boxes
        ]
        assert all(held)


FIGURES = {
    "galbraith": lambda t: plots.galbraith(t["effect"], variance=t["se"] ** 2),
    "funnel": lambda t: plots.funnel(t["effect"], se=t["se"], n_total=t["n"], estimate=2),
    "doleman": lambda t: plots.doleman(t["effect"], 1 / t["n"], fit=(0, 1)),
    "bubble": lambda t: plots.bubble(t["n"], t["effect"], weight=t["weight"]),
    "baujat": lambda t: plots.baujat(t["effect"] ** 2, t["weight"], labels=t["label"]),
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
