"""999 and the like, and rows that somebody excluded: a person says whether they count."""

import pytest
from own_review import rows, write_csv

from helpers.new.folder import new
from helpers.review.review import load


@pytest.mark.parametrize("mark", ["999", "-99", "9999"])
def test_a_number_far_from_all_others_is_asked_about(tmp_path, mark):
    table = rows(5)
    table[3]["n_treated"] = mark
    write_csv(tmp_path / "s.csv", table)
    todo = new(tmp_path / "r", tmp_path / "s.csv")
    [asked] = [line for line in todo if line.startswith("sheet.missing")]
    assert f"{mark} in n_treated are values that are not reported" in asked
    review = load(tmp_path / "r")
    assert review.not_used.to_numpy().tolist() == [[5, f"no n_treated ({mark})"]]
    assert "sheet.missing" in review.unconfirmed


def test_numbers_of_that_size_are_no_question(tmp_path):
    table = [
        line | {"mean_treated": 900 + i, "mean_control": 850} for i, line in enumerate(rows(5))
    ]
    table[2]["mean_treated"] = 999
    write_csv(tmp_path / "s.csv", table)
    assert not [q for q in new(tmp_path / "r", tmp_path / "s.csv") if "sheet.missing" in q]
    assert len(load(tmp_path / "r").experiments) == 5


def test_who_says_that_they_are_numbers_keeps_them(tmp_path):
    table = rows(5)
    table[3]["n_treated"] = 999
    write_csv(tmp_path / "s.csv", table)
    new(tmp_path / "r", tmp_path / "s.csv", ask=lambda guess: {"sheet.missing": False})
    assert load(tmp_path / "r").experiments["n_treated"].max() == 999


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Include", ["yes", "no", "yes"]), ("Included in meta-analysis?", ["x", "", "x"]),
        ("Excluded", ["", "x", ""]), ("Reason for exclusion", ["", "no control group", ""]),
        ("Ausgeschlossen", ["nein", "ja", "nein"]), ("Excluded", ["0", "1", "0"]),
    ],
)  # fmt: skip
def test_rows_that_a_column_excludes_are_left_out_by_a_question(tmp_path, heading, cells):
    table = [line | {heading: cell} for line, cell in zip(rows(3), cells, strict=True)]
    write_csv(tmp_path / "s.csv", table)
    new(tmp_path / "r", tmp_path / "s.csv")
    review = load(tmp_path / "r")
    assert review.experiments.index.tolist() == ["e0", "e2"]
    assert review.not_used["sheet_row"].tolist() == [3]
    assert "sheet.leave_out" in review.unconfirmed
    told = {f"sheet.leave_out {heading}": False}
    new(tmp_path / "all", tmp_path / "s.csv", ask=lambda guess: told)
    assert len(load(tmp_path / "all").experiments) == 3


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Excluded", ["0", "1", "2"]), ("Excluded animals", ["0", "1", "0"]),
        ("Inclusion criteria", ["a", "b", "no"]), ("Included", ["yes"] * 3), ("Excluded", ["no"] * 3),
    ],
)  # fmt: skip
def test_animals_lost_and_criteria_exclude_no_row(tmp_path, heading, cells):
    table = [line | {heading: cell} for line, cell in zip(rows(3), cells, strict=True)]
    write_csv(tmp_path / "s.csv", table)
    assert not [q for q in new(tmp_path / "r", tmp_path / "s.csv") if "sheet.leave_out" in q]
    assert len(load(tmp_path / "r").experiments) == 3
