"""The specification curve in a report: the same numbers in page, download and JSON."""

import csv
import io
import re

import pytest

from helpers import Report


@pytest.fixture(scope="module")
def report():
    return Report("histology", outcomes="cavity_size")


@pytest.fixture(scope="module")
def block(report):
    return report.outcome("cavity_size").specifications()


def test_sentence_figure_picker_table_and_reasons(block):
    kinds = [part["kind"] for part in block.data["parts"]]
    assert kinds == ["paragraph", "figure", "picker", "table", "paragraph"]
    assert "style=" not in block.html and "<script" not in block.html


def test_it_stands_in_the_folded_sensitivity_analyses(report):
    html = report.outcome("cavity_size").diagnosis().html
    fold = html[html.index("Sensitivity analyses") :]
    assert 'id="figure-cavity_size-specifications"' in fold


def test_download_json_and_words_agree(report, block):
    (figure,) = (part for part in block.data["parts"] if part["kind"] == "figure")
    rows = list(csv.DictReader(io.StringIO(figure["csv"])))
    fields = report.content["outcomes"]["cavity_size"]["specifications"]
    assert len(rows) == fields["computed"] <= fields["of"]
    assert {row["provenance"] for row in rows} == {"reconstructed"}
    told = re.search(r"Of ([\d,]+) that are equally principled", block.text)[1]
    assert int(told) == sum(row["principled"] == "yes" for row in rows)
    counted = fields["conclusions"]
    assert sum(one["specifications"] for one in counted) == len(rows)
    (leading,) = (row for row in rows if row["leading"] == "yes")
    estimate = report.analyses["cavity_size"].leading.estimate
    assert float(leading["estimate"]) == pytest.approx(estimate, rel=1e-9)


def test_every_choice_in_the_download_can_be_picked(block):
    (figure,) = (part for part in block.data["parts"] if part["kind"] == "figure")
    rows = list(csv.DictReader(io.StringIO(figure["csv"])))
    boxes = re.findall(r'type="checkbox" name="(\w+)" value="([^"]*)"', block.html)
    picked = {(name, value) for name, value in boxes if name != "principled"}
    there = {(name, row[name]) for row in rows for name, _ in picked if row[name]}
    assert picked == there


def test_a_page_stays_small_and_two_thousand_take_300_kb(report, block):
    assert len(block.html) < 60_000
    more = report.outcome("cavity_size").specifications(most=2_000)
    assert len(more.html) < 300_000


def test_a_single_experiment_has_no_curve():
    rows = Report("histology", outcomes="gap_43").review.rows("gap_43").index
    report = Report("histology", outcomes="gap_43", exclude=list(rows[1:]))
    assert report.outcome("gap_43").specifications() is None
    assert report.content["outcomes"]["gap_43"]["specifications"] is None
