"""Names for ids that nobody can read: authors and years, cohorts."""

import pytest
from own_review import row, write

from helpers.review.check import check
from helpers.review.mapping.labels import first_author
from helpers.review.review import load

BODY = """
[sheet.labels]
study = ["Authors", "Year"]
cohort = "Name"
experiment = ["Name", "What"]
"""


def line(name, study, authors, year, cohort="c", label="drug", **cells):
    told = {"cohort": cohort, "Authors": authors, "Year": year, "Name": label, "What": "BBB"}
    return row(name, study=study) | told | cells


@pytest.mark.parametrize(
    ("authors", "name"),
    [
        ("REVEL FG :MOREAU J-L :POUZET B", "Revel"),
        ("Doe, J.; Roe, R.", "Doe"),
        ("van der Berg A and Roe B", "van der Berg"),
        ("Doe J.-P. et al.", "Doe"),
        ("O'Brien K & Roe R", "O'Brien"),
        ("Müller", "Müller"),
        ("LI X", "Li"),
        ("", ""),
    ],
)
def test_the_first_author_of_a_list(authors, name):
    assert first_author(authors) == name


def test_studies_are_called_by_author_and_year_and_stay_apart(tmp_path):
    table = [
        line("e1", "55bd4131", "DOE J:ROE R", "2013", "k1"),
        line("e2", "4f31dcd6", "Doe K", "2013", "k2"),  # another study of a Doe
        line("e3", "5ec13944", "Roe R", "2020", "k3", "vehicle"),
        line("e4", "fb8ed201", "NA", "2020", "k4"),  # half a name is none
        line("e5", "4f31dcd6", "Doe K", "2013", "k2"),
    ]
    review = load(write(tmp_path, table, f'missing = ["NA"]{BODY}'))
    found = review.experiments
    assert found["study"].tolist() == [
        "Doe 2013a",
        "Doe 2013b",
        "Roe 2020",
        "fb8ed201",
        "Doe 2013b",
    ]
    assert found["cohort"].tolist() == [
        "Doe 2013a, drug", "Doe 2013b, drug", "Roe 2020, vehicle", "fb8ed201, drug",
        "Doe 2013b, drug",
    ]  # fmt: skip
    assert found.index.tolist() == [
        "Doe 2013a, drug BBB", "Doe 2013b, drug BBB (1)", "Roe 2020, vehicle BBB",
        "fb8ed201, drug BBB", "Doe 2013b, drug BBB (2)",
    ]  # fmt: skip
    told = review.trace[review.trace["step"] == "label"]
    assert told["rows"].tolist() == [4, 5, 5]


def test_two_cohorts_of_one_name_stay_two(tmp_path):
    table = [line("e1", "s", "Doe J", "2013", "k1"), line("e2", "s", "Doe J", "2013", "k2")]
    found = load(write(tmp_path, table, BODY)).experiments
    assert found["cohort"].tolist() == ["Doe 2013, drug (1)", "Doe 2013, drug (2)"]


def test_a_label_that_is_an_id_of_another_study_is_not_taken(tmp_path):
    table = [line("e1", "x", "Doe J", "2013"), line("e2", "Doe 2013", "NA", "NA")]
    found = load(write(tmp_path, table, f'missing = ["NA"]{BODY}')).experiments
    assert found["study"].tolist() == ["Doe 2013a", "Doe 2013"]


def test_one_id_with_two_labels_is_warned_of(tmp_path):
    table = [line("e1", "x", "Doe J", "2013"), line("e2", "x", "Doe J", "2014")]
    review = load(write(tmp_path, table, BODY))
    assert set(review.experiments["study"]) == {"Doe 2013"}
    told = [odd for odd in review.warnings if "different labels" in odd.what]
    assert [(odd.row, odd.value) for odd in told] == [(2, "x")]


def test_labels_of_what_has_none(tmp_path):
    text = str(
        check(write(tmp_path, [line("e1", "x", "Doe J", "2013")], 'labels.outcome = "What"'))
    )
    assert "labels.outcome: there is no such setting" in text
    text = str(check(write(tmp_path, [line("e1", "x", "D", "1")], 'labels.study = "Who"')))
    assert "there is no such column (there stands 'Who')" in text
