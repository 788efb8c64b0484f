"""A choice written back: the same report by parameters, by the command line and by Python."""

import os
import shlex
import stat

import pytest
from own_review import row, write, write_csv

from helpers import Report
from helpers.problems import ProjectError, Refused
from helpers.report.explore import numbers, state, written
from helpers.report.explore.state import Choice
from helpers.review.review import load
from helpers.sheet.files import read_csv

CHOICE = Choice(
    "tnf_a",
    "chosen",
    {"method": "DL", "level": 0.9},
    {"species": ["Rat"]},
    ("reconstructed-tnf-a-02",),
)


@pytest.fixture(scope="module")
def report():
    return Report("inflammation", outcomes=["il_10", "tnf_a"], moderators=[], seed=3)


@pytest.fixture(scope="module")
def expected(report):
    return numbers.found(report.review, CHOICE).analysis.leading.estimate


def test_lines_of_the_parameters_cell_make_the_same_report(report, expected):
    lines, passed = written.cell(report.given, CHOICE), {}
    exec(lines, {}, passed)
    assert passed["seed"] == 3 and passed["outcomes"] == ["il_10", "tnf_a"]
    assert Report("inflammation", **passed).outcome("tnf_a").analysis.leading.estimate == expected


def test_the_command_makes_the_same_report(report, expected):
    command = written.command("inflammation", report.given, CHOICE)
    words = shlex.split(command)
    assert words[:5] == ["python", "-m", "helpers", "render", "inflammation"]
    assert words[5::2] == ["-p"] * len(words[6::2])
    passed = dict(word.split("=", 1) for word in words[6::2])
    assert all(isinstance(value, str) for value in passed.values())
    assert Report("inflammation", **passed).outcome("tnf_a").analysis.leading.estimate == expected


def test_the_review_that_was_read_is_named(tmp_path):
    folder = write(tmp_path / "own", [row("e1"), row("e2", mean_treated=15)])
    report = Report("movement", review=folder)
    choice = state.normal(Choice("score"), report.review)
    command = shlex.split(written.command("movement", report.given, choice))
    assert command[5:] == ["--review", str(folder)]
    assert f"review={str(folder)!r}" in written.call("movement", report.given, choice)


def test_nothing_chosen_is_nothing_to_change():
    text = written.cell({}, Choice("iba_1", "chosen"))
    assert text == "# nothing differs from the report"


def test_a_result_that_no_parameter_makes_lead_is_called_by_its_name(report):
    call = written.call("inflammation", {}, Choice("tnf_a", "recommended"))
    assert call.endswith("report.outcome('tnf_a').analysis.recommended")
    lines = written.cell({}, Choice("tnf_a", "recommended"))
    assert lines == "# the recommended result: see the report's sensitivity analyses"


# --- Rows of exclusions.csv --------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "r", [row(f"e{i}", mean_treated=11 + i) for i in range(4)])


def add(folder, names=("e1",), reason="ill", by="A. Doe"):
    return written.add_exclusions(load(folder), names, reason, by)


def test_a_file_is_begun_where_there_is_none(folder):
    assert add(folder, ("e1", "e2")) == ["e1", "e2"]
    path = folder / "exclusions.csv"
    assert path.read_bytes() == b"experiment,reason,by\ne1,ill,A. Doe\ne2,ill,A. Doe\n"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(
        (folder / "review.toml").stat().st_mode
    )
    assert sorted(load(folder).exclusions["experiment"]) == ["e1", "e2"]


@pytest.mark.parametrize(
    ("before", "encoding", "after"),
    [
        ("experiment,reason,by\ne0,old,B\n", "utf-8", "e1,größer,Å\n"),
        ("experiment,reason,by\ne0,old,B", "utf-8", "\ne1,größer,Å\n"),
        ("by;note;experiment;reason\r\nB;;e0;old\r\n", "utf-8-sig", "Å;;e1;größer\r\n"),
        ("experiment\treason\tby\ne0\told\tB\n", "utf-16", "e1\tgrößer\tÅ\n"),
        ("experiment;reason;by\ne0;ältere Quelle für Größe;Müller\n", "cp1252", "e1;größer;Å\n"),
        ("sep=;\nexperiment;reason;by\ne0;old;B\n", "utf-8", "e1;größer;Å\n"),
        ('"experiment","reason","by"\n"e0","a, b","B"\n\n', "utf-8", "e1,größer,Å\n"),
    ],
)
def test_a_file_keeps_its_bytes_and_its_habits(folder, before, encoding, after):
    path = folder / "exclusions.csv"
    path.write_bytes(before.encode(encoding))
    read = read_csv(path)
    add(folder, reason=" größer ", by="Å")
    assert path.read_bytes() == (before + after).encode(encoding)
    rows = read_csv(path)
    assert rows.iloc[:-1].to_dict("records") == read.to_dict("records")
    assert rows.iloc[-1][["experiment", "reason", "by"]].tolist() == ["e1", "größer", "Å"]


def test_letters_that_the_file_cannot_hold_are_refused(folder):
    path = folder / "exclusions.csv"
    path.write_bytes("experiment;reason;by\ne0;ältere Quelle für Größe;Müller\n".encode("cp1252"))
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="Save it as CSV in UTF-8"):
        add(folder, reason="TNF-α 血")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        ({"names": ()}, "click on one first"),
        ({"reason": " "}, "`reason` is empty"),
        ({"by": ""}, "`by` is empty"),
        ({"reason": "=1+1"}, "no formula"),
        ({"names": ("e9",)}, "no experiment e9"),
        ({"names": ("e0",)}, "e0 is left out already"),
    ],
)
def test_what_is_no_exclusion_is_refused_and_nothing_written(folder, passed, said):
    write_csv(folder / "exclusions.csv", [{"experiment": "e0", "reason": "x", "by": "y"}])
    before = (folder / "exclusions.csv").read_bytes()
    with pytest.raises(Refused, match=said):
        add(folder, **passed)
    assert (folder / "exclusions.csv").read_bytes() == before


def test_a_file_that_changed_meanwhile_is_not_written_over(folder):
    review = load(folder)
    write_csv(folder / "exclusions.csv", [{"experiment": "e0", "reason": "x", "by": "y"}])
    with pytest.raises(Refused, match="has changed since"):
        written.add_exclusions(review, ["e1"], "ill", "me")


def test_a_file_that_cannot_be_written_is_said_and_stays(folder, monkeypatch):
    add(folder, ("e0",))
    before = (folder / "exclusions.csv").read_bytes()

    def closed(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", closed)
    with pytest.raises(Refused, match="cannot be written"):
        add(folder)
    assert (folder / "exclusions.csv").read_bytes() == before
    assert sorted(os.listdir(folder)) == ["exclusions.csv", "experiments.csv", "review.toml"]
