"""Which points of several data sets make a row."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.problems import Finder, ReviewError
from helpers.sheet.points import DataSet, Point, to_table


def curve(name, points):
    return DataSet(name, tuple(Point(str(y), x=str(x), at=float(x)) for x, y in points), True)


def bars(name, points, frame=()):
    """Bars as (place, value) or (place, value, label); place None where it is not known."""
    made = tuple(Point(str(value), *label, at=place) for place, value, *label in points)
    return DataSet(name, made, False, frame=frame)


def table(*sets):
    found = Finder("figure.json")
    made = to_table(list(sets), found).to_dict("list")
    return made, [str(finding) for finding in found.findings]


def test_curves_are_paired_by_x_whatever_their_order():
    made, said = table(
        curve("Control", [(7, 22), (1, 10), (14, 40)]),
        curve("Treated", [(14.05, 24), (6.96, 16), (0.98, 11)]),
    )
    assert made == {
        "label": ["1", "7", "14"], "x": ["1", "7", "14"],
        "Control": ["10", "22", "40"], "Treated": ["11", "16", "24"],
    }  # fmt: skip
    assert not said


def test_curves_of_other_days_are_refused_with_curve_and_x():
    with pytest.raises(ReviewError) as refused:
        table(
            curve("Control", [(1, 100), (3, 140), (7, 220), (14, 400)]),
            curve("Treated", [(1, 101), (5, 150), (7, 160), (14, 240)]),
        )
    lines = [str(finding) for finding in refused.value.findings]
    assert len(lines) == 2
    assert "column Control: its points at x = 3 have no partner in Treated" in lines[0]
    assert "column Treated: its points at x = 5 have no partner in Control" in lines[1]


def test_the_least_distance_of_all_neighbours_counts():
    # 20 is nearer to 28 than half the distance of their own neighbours, and yet another day.
    with pytest.raises(ReviewError, match="x = 28 have no partner"):
        table(
            curve("Control", [(1, 1), (2, 2), (3, 3), (28, 4)]),
            curve("Drug", [(1, 1), (2, 2), (3, 3), (20, 4)]),
        )


def test_half_the_distance_is_too_far():
    with pytest.raises(ReviewError, match="have no partner"):
        table(curve("A", [(1, 1), (3, 2)]), curve("B", [(2, 1), (4, 2)]))


@pytest.mark.parametrize("day", [24, 27])
def test_x_that_lie_apart_are_said(day):
    made, said = table(curve("Control", [(7, 1), (28, 2)]), curve("Drug", [(7, 3), (day, 4)]))
    assert made["Drug"] == ["3", "4"]
    assert len(said) == 1 and f"{day} of Drug and 28 of Control" in said[0]


def test_x_within_the_hand_of_a_digitiser_are_not_said():
    days = range(1, 29)
    _, said = table(
        curve("A", [(day, day) for day in days]), curve("B", [(day + 0.1, day) for day in days])
    )
    assert not said


def test_a_point_clicked_twice_is_named():
    with pytest.raises(
        ReviewError, match=r"half the least distance \(x = 3 and x = 3.01 of Drug\)"
    ):
        table(curve("Control", [(1, 1), (3, 2)]), curve("Drug", [(1.1, 3), (3, 4), (3.01, 5)]))


def test_an_x_twice_in_one_curve_is_refused():
    with pytest.raises(
        ReviewError, match=r"column Drug: two points stand at x = 3 \(values 4 and 5"
    ):
        table(curve("Control", [(1, 1), (3, 2)]), curve("Drug", [(1, 3), (3, 4), (3, 5)]))


@pytest.mark.parametrize(("x", "paired"), [(7, True), (7.1, True), (9, False)])
def test_curves_of_one_point(x, paired):
    sets = curve("Control", [(7, 1)]), curve("Drug", [(x, 2)])
    if paired:
        assert table(*sets)[0]["Drug"] == ["2"]
    else:
        with pytest.raises(ReviewError, match="no partner"):
            table(*sets)


def test_tips_above_and_below_curves():
    made, said = table(
        curve("Control", [(1, 10), (7, 20)]), curve("Control tips", [(7, 18), (1, 9)]),
        curve("Drug", [(1, 12), (7, 30)]), curve("Drug tips", [(1, 14), (7, 33)]),
    )  # fmt: skip
    assert made["Control tips"] == ["9", "18"] and made["Drug tips"] == ["14", "33"] and not said


def test_one_curve_goes_along_x():
    assert table(curve("A", [(7, 2), (1, 3)]))[0] == {
        "label": ["1", "7"], "x": ["1", "7"], "A": ["3", "2"],
    }  # fmt: skip


def test_bars_labelled_in_one_set_only_go_by_place():
    made, said = table(
        bars("bars", [(60, 7, "Bar0"), (10, 4, "Bar1")]),
        bars("tips", [(11, 5, "control"), (61, 9, "drug")]),
    )
    assert made == {"label": ["control", "drug"], "bars": ["4", "7"], "tips": ["5", "9"]}
    assert not said


def test_labels_in_the_order_of_clicks_pair_nothing():
    # Bars from left to right, tips from right to left: Bar0 is another bar in each.
    made, _ = table(
        bars("bars", [(10, 4, "Bar0"), (60, 7, "Bar1")]),
        bars("tips", [(61, 9, "Bar0"), (11, 5, "Bar1")]),
    )
    assert made == {"label": ["Bar0", "Bar1"], "bars": ["4", "7"], "tips": ["5", "9"]}


def test_groups_of_bars_beside_each_other():
    made, _ = table(
        bars("control", [(10, 1), (60, 2), (110, 3)]), bars("drug", [(125, 6), (25, 4), (75, 5)])
    )
    assert made["control"] == ["1", "2", "3"] and made["drug"] == ["4", "5", "6"]


def test_bars_that_might_belong_to_the_next_group_are_said():
    made, said = table(bars("control", [(10, 1), (60, 2)]), bars("drug", [(34, 3), (84, 4)]))
    assert made["drug"] == ["3", "4"]
    assert "pixel 10 of control and pixel 34 of drug" in said[0]
    _, said = table(bars("control", [(10, 1), (60, 2)]), bars("drug", [(28, 3), (78, 4)]))
    assert not said


def test_bars_amid_others_are_refused():
    with pytest.raises(ReviewError, match="bars without labels are paired by place"):
        table(bars("control", [(10, 1), (60, 2)]), bars("drug", [(35, 3), (85, 4)]))


def test_a_tip_too_few_is_refused_with_its_place():
    with pytest.raises(ReviewError, match=r"column bars: its points at pixel 60 .* tips 1"):
        table(bars("bars", [(10, 1), (60, 2)]), bars("tips", [(11, 3)]))


def test_labels_pair_what_stands_elsewhere():
    made, said = table(
        bars("d1", [(10, 1, "control"), (60, 2, "drug")]),
        bars("d7", [(910, 3, "control"), (960, 4, "drug")]),
    )
    assert made["d7"] == ["3", "4"] and not said


def test_labels_in_another_order_than_the_places_are_said():
    made, said = table(
        bars("bars", [(10, 1, "control"), (60, 2, "drug")]),
        bars("tips", [(10, 3, "drug"), (60, 4, "control")]),
    )
    assert made["tips"] == ["4", "3"] and "another order than those of bars" in said[0]


def test_a_label_that_others_lack_is_named():
    with pytest.raises(ReviewError, match="column tips: this data set has no bar 'drug'"):
        table(
            bars("bars", [(10, 1, "control"), (60, 2, "drug")]), bars("tips", [(10, 3, "control")])
        )


def test_one_bar_with_two_names_is_refused():
    with pytest.raises(
        ReviewError, match="bar 1 is called 'control' in bars and 'vehicle' in tips"
    ):
        table(
            bars("bars", [(10, 1, "control"), (60, 2, "Bar1")]),
            bars("tips", [(10, 3, "vehicle"), (60, 4, "Bar1")]),
        )


def test_without_places_the_order_of_the_file_is_taken_and_said():
    made, said = table(
        bars("bars", [(None, 1, "Bar0"), (None, 2, "Bar1")]), bars("tips", [(None, 3), (None, 4)])
    )
    assert made == {"label": ["Bar0", "Bar1"], "bars": ["1", "2"], "tips": ["3", "4"]}
    assert "first was paired with first" in said[0]


def test_without_places_other_sizes_are_refused():
    with pytest.raises(ReviewError, match="do not hold the same bars"):
        table(bars("bars", [(None, 1), (None, 2)]), bars("tips", [(None, 3)]))


@pytest.mark.parametrize("name", ["label", "x"])
def test_names_of_the_table_are_taken(name):
    with pytest.raises(ReviewError, match="the table has a column of this name"):
        table(curve(name, [(1, 2)]))


def test_two_data_sets_of_one_name_are_refused():
    with pytest.raises(ReviewError, match="several data sets have this name"):
        table(curve("A", [(1, 2)]), curve("A", [(1, 3)]))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 400), min_size=2, max_size=7, unique=True),
    st.integers(2, 4),
    st.randoms(use_true_random=False),
    st.sampled_from(["whole", "lost", "moved", "twice"]),
)
def test_any_figure_is_read_as_it_is_or_refused(days, count, random, fault):
    days.sort()
    hand = min(b - a for a, b in pairwise(days)) / 5  # how far a click may miss
    truth = {
        f"set {at}": [1000 * at + place for place, _ in enumerate(days)] for at in range(count)
    }
    clicked = {
        name: [
            (day + random.uniform(-hand, hand) / 2, value)
            for day, value in zip(days, column, strict=True)
        ]
        for name, column in truth.items()
    }
    spoilt = clicked[random.choice(list(clicked))]
    if fault == "lost":
        spoilt.pop(random.randrange(len(spoilt)))
    elif fault == "moved":
        spoilt[-1] = (days[-1] + 3 * (days[-1] - days[-2]) + 1, spoilt[-1][1])
    elif fault == "twice":
        spoilt.append(random.choice(spoilt))
    for points in clicked.values():
        random.shuffle(points)
    sets = [curve(name, points) for name, points in clicked.items()]
    if fault == "whole":
        made, _ = table(*sets)
        assert {name: [int(cell) for cell in made[name]] for name in truth} == truth
    elif all(clicked.values()):
        with pytest.raises(ReviewError):
            table(*sets)
