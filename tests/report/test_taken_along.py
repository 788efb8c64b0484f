"""What README says can be taken along: its own lines, run, and the files they leave read back."""

import re
import zlib

import openpyxl
import pytest

from helpers import Report
from helpers.review.description import PROJECT
from helpers.words.numbers import number

LINES = re.findall(
    r"^```python\n(.*?)^```", (PROJECT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)


def lines(word):
    """The one example of README in which a word stands."""
    (code,) = [code for code in LINES if word in code]
    return code


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rats_only_hartung_knapp_a_pdf_and_a_workbook_in_three_lines(here):
    code = lines("to_excel")
    names = {}
    assert len(code.removeprefix("from helpers import Report\n\n").splitlines()) == 3
    exec(code, names)
    result = names["report"].analyses["locomotion"].leading
    assert (result.k, result.interval) == (55, "hksj")

    head, row = openpyxl.load_workbook("rats.xlsx")["Data"].values
    found = dict(zip(head, row, strict=True))
    assert (found["k"], found["estimate"], found["ci_low"]) == (
        55, pytest.approx(result.estimate, rel=1e-15), pytest.approx(result.ci_low, rel=1e-15),
    )  # fmt: skip
    assert (found["provenance"], found["subset"]) == ("reconstructed", "Species: Rat")

    pdf = (here / "rats.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"Only experiments with Species: Rat." in pdf
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    assert any(b" Tf" in zlib.decompress(one) for one in streams if one[:1] == b"x")  # texts


def test_a_pdf_says_the_numbers_of_the_report(here):
    report = Report("locomotion", where={"species": "Rat"}, interval="hksj")
    path = report.outcome("locomotion").forest().save(here / "rats.svg")
    text, result = path.read_text("utf-8"), report.analyses["locomotion"].leading
    values = [number(value) for value in (result.estimate, result.ci_low, result.ci_high)]
    assert "{} [{}, {}]</text>".format(*values) in text
    assert "(REML, HKSJ)" in text


def test_two_forest_plots_stand_side_by_side(here):
    names = {}
    exec(lines("subplots"), names)
    figure = names["figure"]
    figure.savefig(here / "both.svg")
    text = (here / "both.svg").read_text("utf-8")
    for name, axes in (("gfap", names["left"]), ("neun", names["right"])):
        result = names["report"].analyses[name].leading
        assert f"Pooled, k = {result.k} (REML)" in text
        # The diamond lies where the pooled effect does, in its own panel.
        low, high = axes.get_xlim()
        assert low < result.estimate < high
    assert names["left"].get_position().x1 < names["right"].get_position().x0
