"""Columns of judgements, checklists and animals lost are offered as quality, and as nothing else."""

import pytest

from helpers.new.folder import new
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.review import load
from tests.own_review import row, write_csv


def made(tmp_path, columns, **more):
    """A review made from four tidy rows with columns of cells besides; its description and list."""
    table = [
        row(f"e{i}", mean_treated=11 + i, **{name: cells[i] for name, cells in columns.items()})
        for i in range(4)
    ]
    for line in table:
        line.update(more)
    write_csv(tmp_path / "sheet.csv", table)
    todo = new(tmp_path / "review", tmp_path / "sheet.csv")
    return describe(tmp_path / "review"), "\n".join(todo)


@pytest.mark.parametrize(
    "heading",
    ["Random allocation", "Randomised", "Blinding of assessors", "Allocation concealment",
     "Blinded outcome assessment?", "Sample size calculation"],
)  # fmt: skip
def test_safeguards_are_offered_as_items_of_the_risk_of_bias(tmp_path, heading):
    described, todo = made(tmp_path, {heading: ["Yes", "No", "NR", "unclear"]})
    assert described.quality.risk_of_bias == [heading]
    assert "quality.risk_of_bias" in described.unconfirmed and heading in todo
    assert not described.moderators
    assert not check(tmp_path / "review").faults
    assert load(tmp_path / "review").judgements[heading].tolist() == [
        "low", "high", "unclear", "unclear"
    ]  # fmt: skip


def test_items_of_syrcle_under_short_headings_and_a_question_are_items_too(tmp_path):
    levels = ["L", "UC", "H", "L"]
    question = "Were animals selected at random for outcome assessment?"
    other = "Were the groups alike at the start?"
    described, _ = made(tmp_path, {"RB_seqGen": levels, "rob3": levels, question: ["Unclear"] * 4,
                                   other: levels})  # fmt: skip
    assert described.quality.risk_of_bias == ["RB_seqGen", "rob3", question, other]


def test_a_question_on_bias_is_no_outcome(tmp_path):
    table = [line | {"OutcomeType": "Memory"} for line in [row(f"e{i}") for i in range(4)]]
    for line in table:
        del line["outcome"]
        line["Blinded outcome assessment"] = "Unclear"
    write_csv(tmp_path / "sheet.csv", table)
    new(tmp_path / "review", tmp_path / "sheet.csv")
    described = describe(tmp_path / "review")
    assert described.sheet.columns["outcome"] == "OutcomeType"
    assert described.quality.risk_of_bias == ["Blinded outcome assessment"]


def test_checklists_are_offered_as_reporting(tmp_path):
    described, _ = made(tmp_path, {
        "ARRIVE 2a": ["Yes", "No", "partly", "NR"], "camarades3": ["Yes", "No", "Unclear", "No"],
        "Conflict of interest statement": ["yes", "no", "no", "no"],
    })  # fmt: skip
    assert described.quality.reporting == [
        "ARRIVE 2a", "camarades3", "Conflict of interest statement"
    ]  # fmt: skip
    assert described.quality.risk_of_bias == []


def test_yes_that_may_be_either_is_named_and_not_read(tmp_path):
    described, todo = made(tmp_path, {"Other bias": ["Yes", "No", "No", "Unclear"]})
    assert described.quality.risk_of_bias == [] and not described.moderators
    assert "Other bias: not read as judgements, 'Yes' and 'No' may be a low or a high risk" in todo


def test_words_that_are_no_judgements_are_named(tmp_path):
    described, todo = made(tmp_path, {"Blinded": ["Yes", "No", "No", "only surgeon"]})
    assert described.quality.risk_of_bias == []
    assert "Blinded: not read as judgements, for 'only surgeon'" in todo


@pytest.mark.parametrize(
    "columns",
    [
        {"Higher is better?": ["yes", "no", "yes", "no"]},
        {"Is this a reconciliation?": ["True", "True", "", "True"]},
        {"Baseline weight": ["210", "200", "220", "205"]},
        {"Random effects": ["0.2", "0.4", "0.1", "0.9"]},
    ],
)
def test_other_columns_are_no_judgements(tmp_path, columns):
    described, todo = made(tmp_path, columns)
    assert not described.quality.kinds and "judgements" not in todo


def test_animals_lost_are_offered_by_group(tmp_path):
    described, _ = made(tmp_path, {"Dropouts treated": ["0", "1", "2", "0"],
                                   "Drop-outs control": ["0", "0", "1", "0"]})  # fmt: skip
    assert described.quality.drop_outs_treated == "Dropouts treated"
    assert described.quality.drop_outs_control == "Drop-outs control"
    assert described.sheet.columns["n_treated"] == "n_treated"


def test_a_direction_in_words_becomes_a_sign_and_is_asked(tmp_path):
    cells = ["lower is better", "Higher is better", "lower is better", "Higher is better"]
    described, todo = made(tmp_path, {"Desired": cells})
    assert described.sheet.columns["sign"] == "Desired" and "sheet.columns.sign" in todo
    assert load(tmp_path / "review").experiments["sign"].tolist() == [-1, 1, -1, 1]
