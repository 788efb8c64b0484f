"""Exports of WebPlotDigitizer: the layouts, separators and decimal signs that it writes."""

import pytest

from helpers.problems import ReviewError
from helpers.sheet.files import read_table


@pytest.fixture
def read(tmp_path):
    def read(text, digitiser=True):
        path = tmp_path / "figure.csv"
        path.write_text(text, encoding="utf-8")
        return read_table(path, digitiser=digitiser)

    return read


def values(raw):
    return raw.table.to_dict("list")


@pytest.mark.parametrize("digitiser", [True, None])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_all_data_sets_of_curves(read, mark, digitiser):
    text = "Control,,Drug,\nX,Y,X,Y\n1,100,7.02,160\n7,220.5,1,101\n".replace(",", mark)
    raw = read(text, digitiser)
    assert raw.digitised
    assert values(raw) == {
        "label": ["1", "7"], "x": ["1", "7"], "Control": ["100", "220.5"], "Drug": ["101", "160"],
    }  # fmt: skip


def test_a_sheet_of_another_kind_is_none(read):
    assert not read("study,y\nx,1\nz,2\n", None).digitised
    assert "X" in set(read("Control,,Drug,\nX,Y,X,Y\n1,2,1,3\n", False).table["Control"])


def test_shorter_and_empty_data_sets(read):
    text = "Default Dataset,,A,,B,\nX,Y,X,Y,X,Y\n,,1,2,1,4\n,,7,3,7,5\n"
    raw = read(text)
    assert list(raw.table) == ["label", "x", "A", "B"]
    assert [finding.column for finding in raw.findings] == ["Default Dataset"]
    with pytest.raises(ReviewError, match="x = 7 have no partner in B"):
        read("A,,B,\nX,Y,X,Y\n1,2,1,4\n7,3,,\n")


def test_labels_of_bars(read):
    text = "bars,,tips,\nLabel,Y,Label,Y\ncontrol,4.5,drug,9\ndrug,7.5,control,5\n"
    raw = read(text)
    assert values(raw) == {
        "label": ["control", "drug"], "bars": ["4.5", "7.5"], "tips": ["5", "9"],
    }  # fmt: skip
    assert not raw.findings


@pytest.mark.parametrize("label", ["Bar{}", ""])
def test_labels_of_the_program_pair_in_order_and_it_is_said(read, label):
    # Version 4 leaves labels that a person gave out of this export.
    one, two = label.format(0), label.format(1)
    raw = read(f"bars,,tips,\nLabel,Y,Label,Y\n{one},4.5,{one},5\n{two},7.5,{two},9\n")
    assert values(raw)["label"] == ["Bar0", "Bar1"] and values(raw)["tips"] == ["5", "9"]
    assert len(raw.findings) == 1 and "first was paired with first" in str(raw.findings[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bar0, 4.5\nBar1, -7.5\n", {"label": ["Bar0", "Bar1"], "value": ["4.5", "-7.5"]}),
        ("-1, 4.5\n0.5, 7.5\n", {"label": ["-1", "0.5"], "x": ["-1", "0.5"], "value": ["4.5", "7.5"]}),
        ("0,5; 4,25\n1,5; 7,125\n",
         {"label": ["0,5", "1,5"], "x": ["0,5", "1,5"], "value": ["4,25", "7,125"]}),
        ("control; 4,5\ndrug; 7,5\n", {"label": ["control", "drug"], "value": ["4,5", "7,5"]}),
        ("1\t4.5e-1\n2\t7.5e+2\n",
         {"label": ["1", "2"], "x": ["1", "2"], "value": ["4.5e-1", "7.5e+2"]}),
        ("X, Y\n1, 4.5\n", {"label": ["1"], "x": ["1"], "value": ["4.5"]}),
        ("day, BBB\n1, 4.5\n", {"label": ["1"], "x": ["1"], "BBB": ["4.5"]}),
        ("BBB,\n1,4.5\n", {"label": ["1"], "x": ["1"], "BBB": ["4.5"]}),
    ],
)  # fmt: skip
def test_one_data_set(read, text, expected):
    assert values(read(text)) == expected


@pytest.mark.parametrize("labels", [("control", "drug"), ("Bar0", "Bar1")])
def test_point_groups_of_one_data_set(read, labels):
    # Sorted by value in the program: what belongs together is the tuple's number.
    one, two = labels
    raw = read(f"{two}, 8, 1, upper\n{two}, 7, 1, mean\n{one}, 5.5, 0, upper\n{one}, 5, 0, mean\n")
    assert values(raw) == {
        "label": [one, two], "value upper": ["5.5", "8"], "value mean": ["5", "7"],
    }  # fmt: skip
    assert not raw.findings


def test_point_groups_of_a_curve(read):
    raw = read("1, 5, 0, mean\n1.4, 6, 0, upper\n2, 7, 1, mean\n1.6, 9, 1, upper\n")
    assert values(raw)["x"] == ["1", "2"] and values(raw)["value upper"] == ["6", "9"]


def test_decimal_commas_keep_their_order(read):
    assert values(read("10,5; 1\n9,5; 2\n"))["x"] == ["9,5", "10,5"]


def test_names_without_fields_and_names_twice(read):
    for text in ("A,,B,\n1,2,1,4\n7,3,7,5\n", "A,A,B,B\nX,Y,X,Y\n1,2,1,4\n7,3,7,5\n"):
        assert values(read(text))["B"] == ["4", "5"]


def test_names_that_are_numbers(read):
    assert list(read("0,,10,\nX,Y,X,Y\n1,2,1,4\n").table) == ["label", "x", "0", "10"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Control,,Drug,\nr,θ,r,θ\n1,2,1,4\n", "is 'θ', not a number"),
        ("2016/12/29, 15.25\n2017/01/01, 30.5\n", "in row 1 x is '2016/12/29'"),
        ("A,,B,\nX,Y,X,Y\n2016/01/05,2,2016/01/05,4\n", "column A: in row 3 x is '2016/01/05'"),
        ("1, NaN\n2, 3\n", "in row 1 the value is 'NaN'"),
        ("A,,B,\nX,Y,X,Y\n1,,1,4\n", "column A: in row 3 the value is ''"),
        ("drug, 5 mg,,B,\nX,Y,X,Y\n1,2,1,4\n", "'5 mg' stands over the values of 'drug'"),
        ("A,,B,\nLabel,Y,Label,Y\na, b,2,a,4\n", "cells beside each other under 4 headings"),
        ("Bar0, 4.5, 0, mean\nBar0, 5, -1\n", "rows of 4 cells without headings"),
        ("Bar0, 4.5, 5\nBar1, 7, 7\n", "rows of 3 cells without headings"),
        # As the program writes two bars with point groups, mean and upper end of each.
        ("BBB,\nLabel,Y\n,5\nBar1,5.5\n,7\nBar3,8\n", "column BBB: some points have a label"),
        ("X, Y\n", "holds no points"),
        ("Bar0\nBar1\n", "the value is ''"),
    ],
)
def test_what_is_refused(read, text, said):
    with pytest.raises(ReviewError, match=said):
        read(text)
