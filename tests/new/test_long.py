"""Sheets with a row for each group of animals."""

import pytest
from own_review import write_csv

from helpers.new.folder import new
from helpers.problems import ReviewError
from helpers.review.description import describe
from helpers.review.review import load


def group(study, arm, n, mean, sd, **more):
    return {
        "Study": study,
        "Outcome": "Score",
        "Treatment": arm,
        "n": n,
        "Mean": mean,
        "SD": sd,
    } | more


PAIRS = [
    group("A 2001", "Vehicle", 8, 10, 2),
    group("A 2001", "Drug", 9, 12, 2.5),
    group("B 2002", "Vehicle", 6, 9, 3),
    group("B 2002", "Drug", 7, 11, 2),
]


def read(folder, table):
    write_csv(folder / "s.csv", table)
    new(folder / "r", folder / "s.csv")
    return load(folder / "r")


def means(review):
    return review.experiments[["mean_treated", "mean_control"]].to_numpy().tolist()


def test_treated_rows_find_the_control_of_their_study(tmp_path):
    review = read(tmp_path, PAIRS)
    assert means(review) == [[12, 10], [11, 9]]
    asked = {"sheet.long.group", "sheet.long.control", "sheet.long.pair"}
    assert asked <= set(review.unconfirmed)


def test_what_tells_two_controls_of_a_study_apart_belongs_to_the_pair(tmp_path):
    table = [row | {"Experiment name": name} for name in ("one", "two") for row in PAIRS]
    for at, row in enumerate(table):
        row["Mean"] += at // 4
    review = read(tmp_path, table)
    assert means(review) == [[12, 10], [11, 9], [13, 11], [12, 10]]
    assert describe(tmp_path / "r").sheet.long["pair"] == ["Study", "Outcome", "Experiment name"]


def test_uninjured_animals_are_neither_treated_nor_control(tmp_path):
    sham = [group(study, "Sham", 5, 20, 1) for study in ("A 2001", "B 2002")]
    review = read(tmp_path, PAIRS + sham)
    assert means(review) == [[12, 10], [11, 9]]
    assert review.not_used["reason"].tolist() == ["animals without the disease model"] * 2
    assert "sheet.leave_out" in review.unconfirmed


def test_controls_that_nothing_tells_apart_are_to_be_filled_in(tmp_path):
    with pytest.raises(ReviewError, match="FILL IN"):
        read(tmp_path, [*PAIRS, group("A 2001", "Vehicle", 8, 10.5, 2)])


def test_a_sheet_of_pairs_is_none_of_groups(tmp_path):
    table = [
        {"Study": "A", "Treatment": "Vehicle", "n drug": 8, "mean drug": 1, "sd drug": 1,
         "n control": 8, "mean control": 2, "sd control": 1},
    ]  # fmt: skip
    write_csv(tmp_path / "s.csv", table)
    new(tmp_path / "r", tmp_path / "s.csv")
    assert describe(tmp_path / "r").sheet.long is None


def test_a_kind_of_error_that_no_heading_says_is_to_be_filled_in(tmp_path):
    table = [{("Error" if k == "SD" else k): v for k, v in row.items()} for row in PAIRS]
    with pytest.raises(ReviewError, match="FILL IN"):
        read(tmp_path, table)
