"""Several annotators of one study: one record counts, the others are listed."""

import pytest
from own_review import row, write

from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.mapping.records import ISO
from helpers.review.review import load

RULE = """
[sheet.records]
of = ["study"]
by = "who"
keep = { column = "final", values = ["True", "TRUE"] }
newest = "entered"
"""


def records(*lines):
    """Rows of study, annotator, whether reconciled, when, and the treated mean."""
    return [
        row(f"e{i}", study=study, mean_treated=mean) | {"who": who, "final": final, "entered": when}
        for i, (study, who, final, when, mean) in enumerate(lines)
    ]


TABLE = records(
    ("s1", "A", "", "2024-05-01 10:00:00", 11),
    ("s1", "R", "True", "2024-01-01 10:00:00", 12),  # older, but reconciled
    ("s2", "A", "False", "2024-01-01 09:00:00", 13),
    ("s2", "B", "False", "2024-01-01 10:00:00", 14),
    ("s3", "A", "", "", 15),
)


def test_the_reconciled_record_counts_else_the_newest_and_the_others_are_listed(tmp_path):
    review = load(write(tmp_path, TABLE, RULE))
    assert review.experiments["mean_treated"].tolist() == [12, 14, 15]
    listed = dict(zip(review.not_used["sheet_row"], review.not_used["reason"], strict=True))
    assert listed == {
        2: "not the reconciled record of a study that has one",
        4: "another annotator has a newer record of this study",
    }
    assert review.rows_in == len(review.experiments) + len(review.not_used)
    [odd] = [odd for odd in review.warnings if "the newest is taken" in odd.what]
    assert (odd.row, odd.column, odd.value) == (5, "study", "s2")


def test_all_rows_of_the_annotator_who_counts_are_kept(tmp_path):
    table = records(
        ("s1", "A", "", "2024-01-01", 11), ("s1", "A", "", "2024-03-01", 12),
        ("s1", "B", "", "2024-02-01", 13), ("s1", "B", "", "2024-02-02", 14),
    )  # fmt: skip
    review = load(write(tmp_path, table, RULE.replace('"True", "TRUE"', '"yes"')))
    assert review.experiments["mean_treated"].tolist() == [11, 12]
    assert any("no row of the sheet has one of these" in odd.what for odd in review.warnings)


def test_two_reconcilers_of_a_study_are_told_apart_by_their_dates(tmp_path):
    table = records(("s", "A", "TRUE", "2024-01-01", 11), ("s", "B", "TRUE", "2024-01-02", 12))
    assert load(write(tmp_path, table, RULE)).experiments["mean_treated"].tolist() == [12]


def test_a_reconciled_record_that_is_left_out_gives_no_way_to_another(tmp_path):
    table = [line | {"excluded": line["final"]} for line in TABLE]
    rule = '\n[[sheet.leave_out]]\ncolumn = "excluded"\nvalues = ["True"]\nreason = "excluded"\n'
    review = load(write(tmp_path, table, RULE + rule))
    assert "s1" not in set(review.experiments["study"])


@pytest.mark.parametrize(
    ("lines", "rule", "told"),
    [
        # Nothing says which of two counts.
        ([("s", "A", "", "", 11), ("s", "B", "", "", 12)], RULE.replace("newest", "# "),
         "several annotators have records of this study"),
        ([("s", "A", "", "2024-01-01", 11), ("s", "B", "", "2024-01-01", 12)], RULE,
         "wrote at the same time"),
        ([("s", "A", "", "01/02/2024", 11), ("s", "B", "", "02/01/2024", 12)], RULE,
         "no date that can be read in one way only"),
        ([("s", "A", "", "2024-01-01", 11), ("s", "", "", "2024-01-02", 12)], RULE,
         "needed to tell the records of several annotators apart"),
    ],
)  # fmt: skip
def test_what_leaves_two_records_is_a_fault_that_names_the_row(tmp_path, lines, rule, told):
    faults = check(write(tmp_path, records(*lines), rule)).faults
    assert any(told in fault.what and fault.row in (2, 3) for fault in faults)


def test_dates_are_read_as_they_are_said_to_be_written(tmp_path):
    lines = ("s", "A", "", "01/02/2024 10:00", 11), ("s", "B", "", "02/01/2024 10:00", 12)
    for form, mean in (("%d/%m/%Y %H:%M", 11), ("%m/%d/%Y %H:%M", 12)):
        folder = write(tmp_path / form[1], records(*lines), RULE + f'format = "{form}"')
        assert load(folder).experiments["mean_treated"].tolist() == [mean]


def test_columns_that_are_not_there_are_refused(tmp_path):
    for name in ("who", "final", "entered", "study"):
        folder = write(tmp_path / name, TABLE, RULE.replace(f'"{name}"', '"nobody"'))
        with pytest.raises(ReviewError, match="there is no such column"):
            load(folder)


def test_what_is_a_date_in_one_way_only():
    assert all(ISO.fullmatch(text) for text in ("2024-01-31", "2024-01-31T10:00:00Z"))
    assert not any(ISO.fullmatch(text) for text in ("31-01-2024", "2024-1-3", "2024", ""))
