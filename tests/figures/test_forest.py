"""Forest plots: what stands where, and that nothing lies on anything else."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import experiments, lines_of, overlaps, strings, text_boxes, y_of
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from helpers.drawing.marks import Hover, Texts
from helpers.drawing.style import BLUE, GREY, INK, VERMILLION
from helpers.figures.forest import clear_limits, forest
from helpers.figures.forest_layout import COMPACT
from helpers.words.numbers import estimate_text


def summary(k=13, **changed):
    values = {
        "k": k,
        "estimate": 2.31,
        "ci_low": 1.95,
        "ci_high": 2.66,
        "pi_low": -0.5,
        "pi_high": 5.1,
        "tau2": 1.58,
        "i2": 81.5,
        "q": 345.6,
        "p_heterogeneity": 1e-9,
        "p_effect": 0.0123,
        "method": "REML",
        "interval": "z",
        "level": 0.95,
    }
    return SimpleNamespace(**(values | changed))


def squares(ax):
    return ax.findobj(PathCollection)


LABELS = {
    "short": "A{}",
    "long": "Experiment with a name that no column of any journal would hold, number {}",
    "unicode": "Żółć–Müller & Ωμέγα ≥28 days, №{}",
    "same": "Huang 2020",
}


@pytest.mark.parametrize("k", [1, 2, 13, 72, 561])
@pytest.mark.parametrize(("label", "sign"), [*((name, 1) for name in LABELS), ("long", -1)])
def test_no_text_lies_on_another_or_outside(k, label, sign):
    rows = experiments(k, sign=sign, label=LABELS[label])
    pooled = None
    if k > 1:
        bounds = {"estimate": -2.31, "ci_low": -2.66, "ci_high": -1.95} if sign < 0 else {}
        pooled = summary(k, **bounds)
    ax = forest(
        rows,
        pooled=pooled,
        columns={"model": "Model of injury"},
        better="lower" if sign < 0 else "higher",
        title="Locomotion (BBB or BMS), " + LABELS[label],
    )
    boxes, names = text_boxes(ax)
    assert len(boxes) > min(k, 72)
    assert overlaps(boxes, names) == []
    width, height = ax.figure.get_size_inches() * ax.figure.dpi
    assert boxes[:, :2].min() >= 0
    assert boxes[:, 2].max() <= width
    assert boxes[:, 3].max() <= height


def test_overlaps_are_found():
    """The check above is able to fail."""
    ax = forest(experiments(3))
    ax.add_artist(Texts([0.1], [0.12], ["on the label"], transform=_inches_of(ax)))
    assert overlaps(*text_boxes(ax))


def _inches_of(ax):
    return next(a for a in ax.findobj(Texts) if "Experiment 1" in a.strings).get_transform()


def test_groups_do_not_overlap_either():
    rows = experiments(13, label=LABELS["long"])
    groups = [
        (f"{name} and a very long heading indeed for a level", part.index, summary(len(part)))
        for name, part in rows.groupby("model")
    ]
    few = rows.drop(columns=[c for c in rows if c[:2] in ("n_", "me", "sd")])
    for table in (rows, few):
        ax = forest(table, pooled=summary(), groups=groups, better="higher")
        assert overlaps(*text_boxes(ax)) == []


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("k", [1, 13, 72])
def test_forms_for_page_and_phone_give_half_of_the_width_to_the_plot(k, narrow):
    rows = experiments(k).drop(columns=[c for c in experiments(1) if c[:2] in ("n_", "me", "sd")])
    rows["days"], rows["empty"], rows["long"] = 28, np.nan, "a rather long text of the sheet"
    columns = {"model": "Model of injury", "empty": "Nothing", "long": "Text", "days": "Days"}
    pooled = summary(k, estimate=-10.31, ci_low=-13.25, ci_high=-9.55) if k > 1 else None
    ax = forest(rows, pooled=pooled, columns=columns, better="higher", narrow=narrow)
    assert overlaps(*text_boxes(ax)) == []
    assert ax.get_position().width >= 0.45
    assert ax.figure.get_figwidth() <= (3.73 if narrow else 8.6)
    texts = strings(ax)
    assert "Nothing" not in texts  # a column without content
    assert ("Days" in texts) == (not narrow)  # what stands next to the plot stays longest
    if not narrow:
        assert any("a rather long text" in title for title in ax.findobj(Hover)[0].titles)


def test_a_phone_has_labels_and_effects_and_all_of_the_result():
    ax = forest(experiments(13), pooled=summary(), narrow=True)
    texts = strings(ax)
    assert {"Experiment", "SMD", "Pooled", "Prediction", "2.31"} <= set(texts)
    said = " ".join(texts)
    assert "k = 13, 95% CI [1.95, 2.66], 95% prediction interval [−0.50, 5.10]" in said
    assert "I² = 81.5%" in said and not ax.findobj(Hover)
    np.testing.assert_allclose(
        squares(ax)[0].get_offsets()[:, 0], squares(forest(experiments(13)))[0].get_offsets()[:, 0]
    )


@pytest.mark.parametrize(("low", "high"), [(-9, 1), (-1, 9), (-5, 5)])
@pytest.mark.parametrize("name", ["it", "mesenchymal stem-cell-derived exosomes"])
@pytest.mark.parametrize("narrow", [False, True])
def test_sides_stand_under_the_plot_and_inside_it(low, high, name, narrow):
    rows = experiments(4)
    rows["effect"] = np.linspace(low, high, 4)
    rows["ci_low"], rows["ci_high"] = rows["effect"] - 0.5, rows["effect"] + 0.5
    sides = (f"favours {name}", "favours no treatment at all")
    ax = forest(rows, better="higher", favours=sides, narrow=narrow)
    start, end = ax.get_window_extent().extents[[0, 2]]
    boxes, texts = text_boxes(ax)
    assert overlaps(boxes, texts) == []
    words = {"favours", "←", "→"}
    under = [box for box, text in zip(boxes, texts, strict=True) if words & set(text.split())]
    assert len(under) >= 2
    for box in under:
        assert start - 1 <= box[0] and box[2] <= end + 1
    bottom = ax.get_window_extent().y0
    assert max(box[3] for box in under) < bottom


@pytest.mark.parametrize("narrow", [False, True])
def test_the_line_of_no_effect_spares_texts_across_the_plot(narrow):
    rows = experiments(13)
    groups = [(name, part.index, summary(len(part))) for name, part in rows.groupby("model")]
    ax = forest(rows, groups=groups, narrow=narrow)
    line = next(one for one in lines_of(ax, INK) if set(one.get_xdata()) == {0})
    parts = line.get_ydata().reshape(-1, 3)[:, :2]
    texts = [text for text in strings(ax) if "τ²" in text]
    texts += [name for name, *_ in groups] if narrow else []
    assert len(texts) == (4 if narrow else 2)
    for y in (y_of(ax, text) for text in texts):
        assert not ((parts[:, 0] < y) & (y < parts[:, 1])).any()
    for y in squares(ax)[0].get_offsets()[:, 1]:
        assert ((parts[:, 0] < y) & (y < parts[:, 1])).any()


def test_arrows_are_explained_where_there_are_any():
    rows = experiments(13)
    assert not any(text.startswith("Arrows") for text in strings(forest(rows)))
    rows.loc[4, ["effect", "ci_low", "ci_high"]] = 40.0, 1.0, 79.0
    for narrow in (False, True):
        assert any(text.startswith("Arrows") for text in strings(forest(rows, narrow=narrow)))


def test_prediction_intervals_of_rows_are_thin_lines_behind_their_intervals():
    rows = experiments(5)
    rows["pi_low"], rows["pi_high"] = rows["effect"] - 3, rows["effect"] + 3
    rows["hollow"] = [False, False, False, False, True]
    rows["size"], rows["weight"] = [1, 2, 4, 8, 1], np.nan
    ax = forest(rows, said={"Group": "p = 0.020 (Holm)"}, groups=[("Group", rows.index, None)])
    around = max(lines_of(ax, VERMILLION), key=lambda line: len(line.get_xdata()))
    np.testing.assert_allclose(around.get_xdata().reshape(5, 3)[:, :2], rows[["pi_low", "pi_high"]])
    inner = max(lines_of(ax, INK), key=lambda line: line.get_linewidth())
    assert inner.get_linewidth() > 1.5 * around.get_linewidth()
    filled, hollow = squares(ax)
    assert hollow.get_offsets()[0, 0] == rows["effect"][4]
    assert len(hollow.get_facecolors()) == 0
    assert np.all(np.diff(filled.get_sizes()) >= 0)
    assert "p = 0.020 (Holm)" in strings(ax) and "Weight" not in strings(ax)


def test_an_overall_prediction_interval_is_seen_whole_unless_it_would_take_the_plot():
    for half, whole in ((8, True), (200, False)):
        result = summary(pi_low=2 - half, pi_high=2 + half)
        low, high = forest(experiments(13), pooled=result).get_xlim()
        assert (low < 2 - half and 2 + half < high) == whole


def test_squares_stand_at_the_effects_with_areas_by_weight():
    rows = experiments(13)
    ax = forest(rows)
    (marks,) = squares(ax)
    np.testing.assert_allclose(marks.get_offsets()[:, 0], rows["effect"])
    assert np.all(np.diff(marks.get_offsets()[:, 1]) > 0)
    ratio = marks.get_sizes() / rows["weight"]
    np.testing.assert_allclose(ratio, ratio[0])
    assert to_hex(marks.get_facecolors()[0]) == BLUE.lower()


def test_intervals_have_the_rows_bounds():
    rows = experiments(13)
    line = max(lines_of(forest(rows), INK), key=lambda drawn: len(drawn.get_xdata()))
    x = line.get_xdata().reshape(13, 3)
    np.testing.assert_allclose(x[:, :2], rows[["ci_low", "ci_high"]])
    assert np.isnan(x[:, 2]).all()


def test_an_interval_far_outside_ends_in_an_arrow():
    rows = experiments(13)
    rows.loc[4, ["effect", "ci_low", "ci_high"]] = 40.0, 1.0, 79.0
    rows.loc[5, ["effect", "ci_low", "ci_high"]] = 2.0, -60.0, 54.0
    ax = forest(rows)
    assert ax.get_xlim()[1] < 30
    arrows = {line.get_marker(): line for line in ax.lines if line.get_marker() in "<>"}
    assert len(arrows[">"].get_xdata()) == 2
    assert len(arrows["<"].get_xdata()) == 1
    assert arrows[">"].get_xdata()[0] == ax.get_xlim()[1]
    assert len(squares(ax)[0].get_offsets()) == 12
    assert "40.00 [1.00, 79.00]" in strings(ax)


def test_diamond_and_prediction_interval():
    ax = forest(experiments(13), pooled=summary())
    (diamonds,) = ax.findobj(PolyCollection)
    x, y = diamonds.get_paths()[0].vertices[:4].T
    np.testing.assert_allclose(x, [1.95, 2.31, 2.66, 2.31])
    bar = next(line for line in lines_of(ax, VERMILLION) if line.get_linewidth() == 2.5)
    np.testing.assert_allclose(bar.get_xdata()[:2], [-0.5, 5.1])
    assert bar.get_ydata()[0] > y.max()
    texts = strings(ax)
    assert {"2.31 [1.95, 2.66]", "95% prediction interval", "[−0.50, 5.10]"} <= set(texts)
    (note,) = [t for t in texts if t.startswith("Heterogeneity")]
    assert "τ² = 1.58, I² = 81.5%, Q(12) = 345.60, p < 0.001" in note
    assert note.endswith("test of the pooled effect: p = 0.012")


def test_prediction_interval_is_left_out_on_request_and_where_there_is_none():
    for how in ({"prediction": False}, {"pooled": summary(2, pi_low=np.nan, pi_high=np.nan)}):
        ax = forest(experiments(2), **{"pooled": summary(2)} | how)
        assert "95% prediction interval" not in strings(ax)


@pytest.mark.parametrize(("better", "left"), [("higher", "control"), ("lower", "exosomes")])
def test_the_side_of_benefit_follows_the_direction(better, left):
    texts = strings(forest(experiments(3), better=better))
    assert f"← favours {left}" in texts
    assert not any("favours" in s for s in strings(forest(experiments(3))))


def test_excluded_rows_are_hollow_and_named():
    rows = experiments(6)
    rows["excluded"] = [False, True, False, False, False, False]
    ax = forest(rows)
    filled, hollow = squares(ax)
    assert len(filled.get_offsets()) == 5
    assert hollow.get_offsets()[0, 0] == rows["effect"][1]
    assert len(hollow.get_facecolors()) == 0
    assert to_hex(hollow.get_edgecolors()[0]) == GREY
    assert "excl." in strings(ax)


def test_equal_labels_and_equal_index_stay_rows_of_their_own():
    rows = experiments(4, label="Huang 2020")
    rows.index = [7, 7, 8, 8]
    ax = forest(rows, groups=[("first", [7], None), ("second", [8], None)])
    assert len(set(squares(ax)[0].get_offsets()[:, 1])) == 4
    assert strings(ax).count("Huang 2020") == 4


def test_sorting_moves_whole_rows():
    rows = experiments(9)
    ax = forest(rows, sort="effect")
    offsets = squares(ax)[0].get_offsets()
    np.testing.assert_allclose(offsets[:, 0], np.sort(rows["effect"]))
    labels = [s for s in strings(ax) if s.startswith("Experiment ")]
    assert labels == list(rows.sort_values("effect")["label"])


def test_groups_have_headings_diamonds_and_their_own_heterogeneity():
    rows = experiments(13)
    parts = [part for _, part in rows.groupby("model")]
    groups = [
        ("Contusion", parts[0].index, summary(len(parts[0]))),
        ("Transection", parts[1].index, None),
    ]
    ax = forest(rows, pooled=summary(), groups=groups)
    assert len(ax.findobj(PolyCollection)[0].get_paths()) == 2
    texts, groups_names = strings(ax), ("Contusion", "Transection")
    assert len([t for t in texts if t.startswith("τ²")]) == 1
    heading, other = (y_of(ax, name) for name in groups_names)
    marks = np.sort(squares(ax)[0].get_offsets()[:, 1])
    assert heading < marks[0]
    assert (marks < other).sum() == len(parts[0])


def test_height_follows_rows_and_many_rows_are_narrow():
    heights = [forest(experiments(k)).figure.get_figheight() for k in (1, 13, 72, COMPACT, 561)]
    assert heights[0] < 1.25
    assert np.all(np.diff(heights[:4]) > 0)
    assert heights[-1] < 15
    compact = forest(experiments(561))
    assert 60 < len([s for s in strings(compact) if s.startswith("Experiment ")]) < 100
    (hover,) = compact.findobj(Hover)
    assert len(hover.titles) == 561


def test_the_pointer_shows_every_value_of_a_row():
    rows = experiments(3, label="<b>{}</b>")
    rows.loc[2, "model"] = "a" * 200
    ax = forest(rows, columns={"model": "Model"})
    (hover,) = ax.findobj(Hover)
    assert "a" * 200 in hover.titles[2]
    assert "a" * 200 not in strings(ax)
    title = hover.titles[0]
    assert title.startswith(f"<b>1</b>; Model {rows['model'][0]}; Exosomes mean (SD) ")
    for part in ("Exosomes n ", "Control mean (SD) ", "Control n ", "SMD (95% CI) ", "Weight "):
        assert part in title
    np.testing.assert_allclose(hover.xy[:, 1], squares(ax)[0].get_offsets()[:, 1])


def test_given_axes_are_divided_not_replaced():
    figure = Figure((9, 4))
    ax = figure.add_axes((0, 0, 1, 1))
    assert forest(experiments(5), pooled=summary(5), ax=ax) is ax
    assert figure.axes == [ax]
    box = ax.get_position()
    assert box.x0 > 0.2
    assert box.width < 0.6


def test_a_mapping_serves_as_pooled_result():
    ax = forest(experiments(13), pooled=vars(summary()))
    assert "Pooled, k = 13 (REML)" in strings(ax)


def test_digits_follow_the_scale():
    rows = experiments(3)
    for arm in ("treated", "control"):
        rows[[f"mean_{arm}", f"sd_{arm}"]] = [[0.512, 0.0213]] * 3
    assert "0.512 (0.021)" in strings(forest(rows))


def test_a_group_of_one_is_shown_and_not_pooled():
    rows = experiments(3)
    ax = forest(rows, pooled=summary(3), groups=[("alone", rows.index[:1], summary(1))])
    assert not any("k = 1 " in text for text in strings(ax))
    assert len(ax.findobj(PolyCollection)[0].get_paths()) == 1


def test_limits_hold_what_must_be_seen_and_leave_out_what_is_far():
    low, high = np.array([0.0, 1, 2, 1, -500]), np.array([3.0, 4, 5, 900, 4])
    limits = clear_limits(low, high, include=(-4,))
    assert limits[0] == pytest.approx(-4 - 0.03 * 9)
    assert limits[1] == pytest.approx(5 + 0.03 * 9)
    assert clear_limits([], []) == (-0.03, 0.03)
    assert np.isfinite(clear_limits([np.nan, -np.inf], [np.nan, np.inf])).all()


def test_intervals_in_brackets():
    assert estimate_text(-2.75, -3.69, -1.8) == "−2.75 [−3.69, −1.80]"


def test_a_second_estimate_stands_in_its_row_below_the_first():
    rows = experiments(5)
    rows["beside"] = [1.0, np.nan, 3.0, 90.0, -60.0]
    rows["beside_low"], rows["beside_high"] = rows["beside"] - 0.5, rows["beside"] + 0.5
    ax = forest(rows, sort="effect", row=0.25)
    (diamonds,) = [line for line in ax.lines if line.get_marker() == "D"]
    (marks,) = squares(ax)
    order = rows.sort_values("effect")
    x, y = diamonds.get_data()
    shown = order["beside"].where(order["beside"].between(*ax.get_xlim()))
    assert shown.notna().sum() == 2  # what lies outside of the plot has an interval's arrow alone
    np.testing.assert_allclose(x, shown)
    np.testing.assert_allclose(marks.get_offsets()[:, 0], order["effect"])
    np.testing.assert_allclose(y - marks.get_offsets()[:, 1], 0.09)
    intervals = max(lines_of(ax, VERMILLION), key=lambda line: len(line.get_xdata()))
    drawn = intervals.get_xdata().reshape(5, 3)[shown.notna()]
    np.testing.assert_allclose(drawn[:, :2], order[["beside_low", "beside_high"]][shown.notna()])
