"""Orchard plots: dots by precision, both intervals of each level, nothing on anything else."""

import numpy as np
import pytest
from drawn import dots, experiments, hover_titles, lines_of, overlaps, strings, text_boxes

from helpers.drawing.style import VERMILLION
from helpers.figures.orchard import EVERY, orchard


def rows_of(k):
    rows = experiments(k)
    rows["se"] = (rows["ci_high"] - rows["ci_low"]) / (2 * 1.96)
    return rows


def result(k, estimate=2.3, half=0.4, pi=2.5):
    return {
        "k": k, "estimate": estimate, "ci_low": estimate - half, "ci_high": estimate + half,
        "pi_low": estimate - pi, "pi_high": estimate + pi,
    }  # fmt: skip


def levels(rows):
    parts = rows.groupby("model")
    return [(name, part.index, result(len(part), 2 + len(part) / 100)) for name, part in parts]


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("k", [61, 561])
def test_texts_stay_apart_and_inside(k, narrow):
    rows = rows_of(k)
    ax = orchard(
        rows, pooled=result(k), groups=levels(rows), better="higher", narrow=narrow,
        favours=("favours a control group of a long name", "favours exosomes of stem cells"),
    )  # fmt: skip
    boxes, names = text_boxes(ax)
    assert overlaps(boxes, names) == []
    width, height = ax.figure.get_size_inches() * ax.figure.dpi
    assert boxes[:, :2].min() >= 0 and boxes[:, 2].max() <= width and boxes[:, 3].max() <= height
    assert ax.get_position().width > 0.9


def test_dots_have_areas_by_precision_and_stand_at_the_effects():
    rows = rows_of(80)
    (drawn,) = dots(orchard(rows, pooled=result(80)))
    inside = np.isin(rows["effect"], drawn.get_offsets()[:, 0])
    assert inside.sum() == len(drawn.get_offsets()) > 70
    precision = 1 / rows.loc[inside, "se"] ** 2
    ratio = drawn.get_sizes() / precision
    known = drawn.get_sizes() > 5  # the least that is drawn
    np.testing.assert_allclose(ratio[known], ratio[known].iloc[0])


def test_each_level_and_all_have_both_intervals():
    rows = rows_of(80)
    groups = levels(rows)
    ax = orchard(rows, pooled=result(80), groups=groups)
    bars = [line for line in lines_of(ax, VERMILLION) if line.get_linewidth() > 1]
    assert len(bars) == 6
    for place, one in enumerate([*(r for *_, r in groups), result(80)]):
        wide, thick = bars[2 * place : 2 * place + 2]
        np.testing.assert_allclose(wide.get_xdata()[:2], [one["pi_low"], one["pi_high"]])
        np.testing.assert_allclose(thick.get_xdata()[:2], [one["ci_low"], one["ci_high"]])
        assert thick.get_linewidth() > 2 * wide.get_linewidth()
        assert len(set(wide.get_ydata()[:2])) == 1
    texts = strings(ax)
    assert f"{EVERY}, k = 80" in texts
    assert "2.30 [1.90, 2.70], prediction interval [−0.20, 4.80]" in texts
    assert sum(text.startswith(groups[0][0]) for text in texts) == 1


def test_what_lies_beyond_the_axis_is_marked_and_said():
    rows = rows_of(70)
    rows.loc[3, "effect"] = 60.0
    ax = orchard(rows, pooled=result(70))
    (arrow,) = [line for line in ax.lines if line.get_marker() == ">"]
    assert arrow.get_xdata() == [ax.get_xlim()[1]]
    assert any(text.startswith("Arrows") for text in strings(ax))
    calm = orchard(rows_of(70).assign(effect=np.linspace(1, 3, 70)), pooled=result(70))
    assert not any(text.startswith("Arrows") for text in strings(calm))


def test_a_level_of_one_experiment_is_not_pooled():
    rows = rows_of(70)
    one = ("Alone", rows.index[:1], result(1))
    ax = orchard(rows, pooled=result(70), groups=[one])
    assert "not pooled" in strings(ax)
    assert "Alone, k = 1" in strings(ax)


def test_the_pointer_shows_the_whole_name():
    rows = rows_of(70).assign(name=[f"whole-name-{n}" for n in range(70)])
    titles = hover_titles(orchard(rows, pooled=result(70)))
    assert len(titles) > 60
    assert titles[0].startswith("whole-name-0: SMD ")
    assert hover_titles(orchard(rows, pooled=result(70), narrow=True)) == []
