"""Rendering: what is due, what is refused, what fails, and the same bytes every time."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sheets_of_notebooks import NOTEBOOKS, SHEET, make_review

from helpers.__main__ import main
from helpers.problems import Refused, ReportFailed
from helpers.render import execute
from helpers.render.execute import collect
from helpers.render.jobs import due as due_of
from helpers.render.jobs import inputs, plan
from helpers.render.output import MANIFEST, put, remembered
from helpers.render.parameters import Parameter, declared, read_value
from helpers.render.progress import Progress
from helpers.render.run import render
from helpers.review.description import PROJECT, describe

FAILING = {
    "raises": "raises.ipynb, cell 6 (raise ValueError(",
    "dies": "dies.ipynb, cell 5 (import os, signal): WorkerFailed: the kernel died (SIGKILL)",
    "leaves": "SystemExit",
    "no_figure": "showed no figure",
    "no_table": "showed no table",
    "no_results": "showed no results",
    "two_results": "results twice",
    "same_name": "called 'forest'",
}


@pytest.fixture
def review(tmp_path):
    folder = make_review(tmp_path / "review", "good", "plain")
    (folder / "notes.txt").write_text("as they were")
    return folder


@pytest.fixture
def run(review, tmp_path):
    """Render quietly into tmp_path/out."""

    def run(*families, **options):
        options = {"review": review, "out": tmp_path / "out", "notebooks": NOTEBOOKS} | options
        return render(families, quiet=True, **options)

    return run


def snapshot(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_all_reports_and_their_data_are_written(run, tmp_path):
    assert run() == 0
    out = tmp_path / "out"
    assert set(snapshot(out)) == {
        MANIFEST,
        *("index.html", "good.html", "plain.html", "overview.html", "good.json", "plain.json"),
        *(f"tables/good/{name}.csv" for name in ("forest", "rows", "two")),
        *(f"tables/plain/{name}.csv" for name in ("forest", "rows")),
        "tables/overview/rows.csv",
    }
    assert (out / "tables/good/forest.csv").read_text() == "x,y\n1,2\n"
    results = json.loads((out / "good.json").read_text())
    assert results["method"] == "REML" and results["review"] is True
    assert json.loads((out / "plain.json").read_text())["family"] == "plain"
    page = (out / "good.html").read_text()
    assert str(tmp_path) not in page and "papermill" not in page.lower()


def test_one_failing_report_spoils_no_other(tmp_path, capfd):
    review = make_review(tmp_path / "review", *FAILING, "good")
    out = tmp_path / "out"
    out.mkdir()
    (out / "raises.html").write_text("the last good report")
    assert render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True) == 1
    assert (out / "good.html").is_file()
    assert (out / "raises.html").read_text() == "the last good report"
    entries = json.loads((out / MANIFEST).read_text())
    said, index = capfd.readouterr().err, (out / "index.html").read_text()
    for family, why in FAILING.items():
        assert why in entries[family]["failure"]
        assert f"{family}: FAILED, " in said
    assert "sheet row 7 is odd" in index
    assert "failure" not in entries["good"]


def test_a_failed_report_is_tried_again(run, review, monkeypatch, tmp_path):
    make_review(review, "raises", "good")
    assert run("good", "raises") == 1
    assert run("good", "raises") == 1


def test_a_hanging_cell_ends_in_a_failure(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(execute, "CELL_TIMEOUT", 1)
    review = make_review(tmp_path / "review", "hangs", "good")
    out = tmp_path / "out"
    assert render(["hangs"], review=review, out=out, notebooks=NOTEBOOKS, quiet=True) == 1
    assert "hangs.ipynb, cell 6 (while True:)" in capfd.readouterr().err


def test_nothing_changed_nothing_done(run, tmp_path):
    assert run() == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert run() == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}


@pytest.fixture
def due(run, review, tmp_path):
    """Names of the reports that a call would render."""
    run()

    def due(*families, settings=()):
        description, out = describe(review), tmp_path / "out"
        jobs = plan(description, families, settings, NOTEBOOKS)
        found, _ = due_of(jobs, remembered(out), inputs(description), out)
        return {job.family for job in found}

    return due


def test_what_is_due_is_decided_by_content(due, review, tmp_path):
    out = tmp_path / "out"
    os.utime(review / "experiments.csv")
    assert due() == set()
    (out / "good.html").write_text("edited")
    assert due() == {"good"}
    assert due("plain") == set()
    (out / "tables/plain/rows.csv").unlink()
    assert due() == {"good", "plain"}
    (review / "review.toml").write_text((review / "review.toml").read_text() + "\n")
    assert due() == {"good", "plain", "overview"}


def test_only_what_reads_a_file_depends_on_it(due, review):
    (review / "notes.txt").write_text("changed")
    assert due() == {"good", "overview"}  # family.ipynb says that it read the sheet only
    (review / "flow.csv").write_text("a\n")
    assert due() == {"good", "plain", "overview"}  # a new file: who knows who wants it


def test_parameters_are_part_of_what_a_report_is_made_from(due):
    assert due(settings=["method=DL"]) == {"good", "plain"}
    assert due(settings=["level=0.9"]) == {"good"}


def test_settings_reach_the_notebooks_that_have_them(run, tmp_path):
    settings = ["method=DL", "level=0.9", "seed=7", "moderators=[route, timing]"]
    assert run(settings=settings) == 0
    results = json.loads((tmp_path / "out/good.json").read_text())
    assert {key: results[key] for key in ("method", "level", "seed", "moderators")} == {
        "method": "DL",
        "level": 0.9,
        "seed": 7,
        "moderators": ["route", "timing"],
    }


def test_sections_of_deselected_outcomes_are_dropped(run, tmp_path):
    assert run(settings=["outcomes=[two]"]) == 0
    page = (tmp_path / "out/good.html").read_text()
    assert "table two" in page and "table one" not in page
    assert json.loads((tmp_path / "out/good.json").read_text())["chosen"] == ["two"]
    assert not (tmp_path / "out/plain.html").exists()  # none of its outcomes is chosen


@pytest.mark.parametrize(
    ("families", "settings", "says"),
    [
        (["goood"], [], "Did you mean 'good'?"),
        (["good"], ["metod=DL"], "Did you mean 'method'?"),
        (["good"], ["method=ERML"], "Did you mean 'REML'?"),
        (["good"], ["method"], "NAME=VALUE"),
        (["good"], ["seed=many"], "a whole number of at least 0 is due"),
        (["good"], ["seed=1.5"], "a whole number of at least 0 is due"),
        (["good"], ["level=95"], "Did you mean 0.95?"),
        (["good"], ["seed=x", "level=95"], "Did you mean 0.95?"),
        (["good"], ["outcomes=[]"], "selects nothing"),
        (["good"], ["moderators=rout"], "Did you mean 'route'?"),
        (["good"], ["moderators=[rout]"], "Did you mean 'route'?"),
        (["good"], ["moderators=[route"], "not closed"),
        (["good"], ["outcomes=[tow]"], "Did you mean 'two'?"),
        (["plain"], ["outcomes=[two]"], "of_plain"),
        (["good"], ["review=elsewhere"], "--review"),
    ],
)
def test_usage_is_refused_with_a_way_out(run, families, settings, says):
    with pytest.raises(Refused, match=r".*") as refusal:
        run(*families, settings=settings)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("family", "says"),
    [
        ("untagged", "no cell is tagged 'parameters'"),
        ("computed", "name = literal"),
        ("no_review", "review = None"),
        ("broken", "not a notebook"),
    ],
)
def test_notebooks_are_refused_before_anything_runs(tmp_path, family, says, capsys):
    review = make_review(tmp_path / "review", family)
    arguments = ["render", family, "--review", str(review), "--notebooks", str(NOTEBOOKS)]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_faults_of_the_sheet_are_said_all_at_once(run, review, tmp_path):
    sheet = SHEET.replace("6,2.5", "0,2.5") + SHEET.splitlines()[1].replace("one", "oen") + "\n"
    (review / "experiments.csv").write_text(sheet)
    with pytest.raises(Refused) as refusal:
        run()
    assert "row 2, column n_treated" in str(refusal.value)
    assert "row 3, column outcome" in str(refusal.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("DL", "REML", "DL"),
        ("7", "REML", "7"),
        ('"7"', "REML", "7"),
        ("no", "REML", "no"),
        ("1e-3", 0.5, 0.001),
        ("1", 0.5, 1.0),
        ("true", False, True),
        ("False", True, False),
        ("[a, 2]", [], ["a", 2]),
        ('["a"]', [], ["a"]),
        ("{a: 1}", {}, {"a": 1}),
        ("anything", None, "anything"),
        ("null", None, None),
    ],
)
def test_values_are_read_by_the_type_of_their_default(text, default, value):
    types = () if default is None else (type(default).__name__,)
    read = read_value(text, Parameter("x", default, types))
    assert read == value and type(read) is type(value)


def test_comments_say_what_a_parameter_may_be():
    source = """\
a = "x"  # which: x, y or z
b = "w"  # x, y or z
c = None  # list of ids; None is all
d = 0.5  # share of one or two
"""
    cells = [{"metadata": {"tags": ["parameters"]}, "source": source}]
    found = declared(cells, "a notebook")
    assert found["a"].choices == ("x", "y", "z") and found["a"].types == ("str",)
    assert found["b"].choices == ()  # the default is none of them: it is no list of choices
    assert found["c"].types == ("list", "NoneType") and found["c"].default is None
    assert found["d"].choices == () and found["d"].types == ("float",)


def test_files_are_put_in_place_together(tmp_path, monkeypatch):
    put(tmp_path, {"a.html": b"1", "tables/a/x.csv": b"1"}, instead="tables/a")
    put(tmp_path, {"a.html": b"2", "tables/a/y.csv": b"2"}, instead="tables/a")
    good = {"a.html": b"2", "tables/a/y.csv": b"2"}
    assert snapshot(tmp_path) == good

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        put(tmp_path, {"a.html": b"3", "tables/a/z.csv": b"3"}, instead="tables/a")
    assert snapshot(tmp_path) == good


def test_blocks_become_files():
    blocks = [
        {"kind": "figure", "name": "forest plot/1", "csv": "é\n"},
        {"kind": "table", "name": "rows", "csv": None},
        {"kind": "results", "name": "results", "results": {"a": None}},
    ]
    files = collect("good", blocks)
    assert set(files) == {"tables/good/forest-plot-1.csv", "good.json"}
    assert files["tables/good/forest-plot-1.csv"] == "é\n".encode()
    with pytest.raises(ReportFailed, match="Out of range float values"):
        collect("good", [*blocks[:2], {**blocks[2], "results": {"a": float("nan")}}])


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "quiet", "says"),
    [
        (Terminal, False, ["good, cell 3:", "good: rendered", "plain: FAILED, why"]),
        (io.StringIO, False, ["good: started, 7 cells", "good: rendered", "plain: FAILED, why"]),
        (io.StringIO, True, ["plain: FAILED, why"]),
        (Terminal, True, ["plain: FAILED, why"]),
    ],
)
def test_progress_is_a_bar_or_a_log_or_nothing(review, monkeypatch, stream, quiet, says):
    jobs = plan(describe(review), ["good", "plain"], notebooks=NOTEBOOKS)
    monkeypatch.setattr(sys, "stderr", stream())
    with Progress(jobs, quiet) as say:
        say.begun(jobs[0])
        say.cell(jobs[0], 3)
        say.ended(jobs[0], {"good.html": b""})
        say.ended(jobs[1], ReportFailed("why"))
    said = sys.stderr.getvalue()
    assert all(text in said for text in says)
    assert ("cell 3" in said) == (not quiet and stream is Terminal)
    assert quiet == ("good" not in said)


def test_two_renders_are_byte_identical(review, tmp_path):
    """With other jobs, time zone, locale, hash seed, current folder and kind of worker."""
    common = [sys.executable, "-m", "helpers", "render", "--notebooks", str(NOTEBOOKS)]
    common += ["--review", str(review), "--quiet"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    project = str(PROJECT)
    for out, jobs, folder, environment in [
        ("a", "1", project, {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}),
        ("b", "3", elsewhere, {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "5"}),
        ("c", "2", elsewhere, {"PRECLINICAL_START": "spawn"}),
    ]:
        subprocess.run(
            [*common, "--out", str(tmp_path / out), "--jobs", jobs],
            check=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": project, **environment},
        )
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b") == snapshot(tmp_path / "c")
