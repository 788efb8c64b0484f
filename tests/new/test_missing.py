"""999 and the like are offered as missing, and a person says whether they are."""

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
