"""Risk of bias as a domain of the certainty: shares of the weight, at and around the half."""

import pytest

from helpers.analysis.outcome import analyse
from helpers.analysis.robustness.bias import read, risk_of_bias
from helpers.review.review import load
from tests.own_review import FAMILY, row, rows, write

QUALITY = '[quality]\nrisk_of_bias = ["Random allocation", "Blinded assessment"]\n'


def judged(folder, words, studies=None, **files):
    """A review of a row a study of one weight, judged by two items in its sheet."""
    table = [
        row(f"e{i}", study=(studies or {}).get(i, f"Doe 201{i}"), **{
            "Random allocation": first, "Blinded assessment": second})
        for i, (first, second) in enumerate(words)
    ]  # fmt: skip
    return load(write(folder, table, toml=FAMILY + QUALITY, **files))


@pytest.mark.parametrize(
    ("words", "levels", "rule"),
    [
        ([("low", "low")] * 3 + [("low", "high")] * 2, 0, "most at low risk"),
        ([("low", "low")] * 2 + [("low", "high")] * 2, -1, "not most at low risk"),  # just a half
        ([("low", "low")] * 2 + [("low", "unclear")] * 3, -1, "not most at low risk"),
        ([("low", "")] * 3 + [("high", "")] * 2, 0, "most at low risk"),  # what was judged counts
        ([("low", "low")] * 2 + [("", "")] * 2 + [("high", "high")], None, "not judged"),
        ([("", "")] * 4, None, "not judged"),
    ],
)
def test_most_of_the_weight_must_be_at_low_risk(tmp_path, words, levels, rule):
    review = judged(tmp_path, words)
    assert risk_of_bias(analyse(review, "score"), read(review))[:2] == (levels, rule)


def test_a_study_of_several_rows_has_the_worst_of_them_and_all_their_weight(tmp_path):
    words = [("low", "low"), ("high", "low"), ("low", "low"), ("low", "low")]
    review = judged(tmp_path, words, {0: "Doe", 1: "Doe"})
    analysis = analyse(review, "score")
    found = risk_of_bias(analysis, read(review))[2]
    weight = analysis.effects["weight"][analysis.rows["study"] == "Doe"].sum()
    assert found["high"] == pytest.approx(weight / analysis.effects["weight"].sum())
    assert found["low"] == pytest.approx(1 - found["high"]) and found["unclear"] == 0


ITEMS = [
    {"item": "a", "domain": "Allocation", "text": "?"},
    {"item": "b", "domain": "", "text": "?"},
]


def test_a_file_of_judgements_is_matched_by_study(tmp_path):
    table = rows(4)  # of the studies s-e0 to s-e3
    judged = [{"study_label": f"S-E{i}", "a": "low", "b": "low" if i else "high"} for i in range(4)]
    review = load(write(tmp_path, table, risk_of_bias=judged, risk_of_bias_items=ITEMS))
    levels, _, found = risk_of_bias(analyse(review, "score"), read(review))
    assert levels == 0 and found["matched"] and 0.2 < found["high"] < 0.3


def test_judgements_of_other_studies_count_once_each_and_that_is_said(tmp_path):
    judged = [{"study_label": f"Roe {i}", "a": "low", "b": "unclear"} for i in range(3)]
    review = load(write(tmp_path, rows(4), risk_of_bias=judged, risk_of_bias_items=ITEMS))
    levels, _, found = risk_of_bias(analyse(review, "score"), read(review))
    assert levels == -1 and not found["matched"]
    assert found["unclear"] == pytest.approx(1) and found["weak"] == ["b"]


def test_a_study_that_the_file_does_not_name_is_not_judged(tmp_path):
    judged = [{"study_label": "s-e0", "a": "low", "b": "low"}]
    review = load(write(tmp_path, rows(4), risk_of_bias=judged, risk_of_bias_items=ITEMS))
    levels, rule, found = risk_of_bias(analyse(review, "score"), read(review))
    assert (levels, rule) == (None, "not judged") and found["none"] == pytest.approx(0.75, abs=0.02)
