"""Several reviews in one call: which, where to, what of one at fault, and the index of all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sheets_of_notebooks import NOTEBOOKS, make_review

from helpers.__main__ import main
from helpers.problems import Refused
from helpers.render import reviews, run
from helpers.render.output import MANIFEST, kept, remembered
from helpers.render.run import render
from helpers.review.description import PROJECT


def review(folder, *families, name=None):
    """A review of an id and a title of its own."""
    first, *_ = families = families or ("plain",)
    make_review(folder, *families)
    if first != "good":
        sheet = (folder / "experiments.csv").read_text()
        (folder / "experiments.csv").write_text(sheet.replace(",one,", f",of_{first},"))
    own = name or folder.name
    text = (folder / "review.toml").read_text().replace('"made_up"', f'"{own}"')
    (folder / "review.toml").write_text(text.replace("A review", f"On {own}"))
    return folder


@pytest.fixture
def both(tmp_path):
    return [review(tmp_path / name) for name in ("stroke", "trauma")]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def call(*arguments):
    return main(["render", "--quiet", "--notebooks", str(NOTEBOOKS), *map(str, arguments)])


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_each_of_several_has_a_folder_and_one_index_leads_to_all(both, out, tmp_path):
    alone = [tmp_path / f"alone-{one.name}" for one in both]
    assert call(*both, "--out", out) == 0
    for one, place in zip(both, alone, strict=True):
        assert call(one, "--out", place) == 0
        for path in place.rglob("*"):
            if path.is_file() and path.name != MANIFEST:
                assert path.read_bytes() == (out / one.name / path.relative_to(place)).read_bytes()
    page = (out / "index.html").read_text()
    for name in ("stroke", "trauma"):
        assert f'<h2><a href="{name}/index.html">On {name}</a></h2>' in page
    assert page.count("2 reports on 0 outcomes: 2 rendered") == 2 and "0 reports" not in page
    before = times(out)
    assert call(*both, "--out", out) == 0
    assert times(out) == before


def test_a_fault_in_one_stops_no_other(both, out, tmp_path, capfd):
    broken = review(tmp_path / "broken")
    (broken / "experiments.csv").write_text("experiment,study\n")
    mistyped = review(tmp_path / "mistyped")
    (mistyped / "review.toml").write_text("id = ")
    failing = review(tmp_path / "failing", "raises", "plain")
    empty = tmp_path / "empty"
    empty.mkdir()
    every = [broken, mistyped, empty, failing, *both]
    assert call(*every, "--out", out) == 1
    said = capfd.readouterr().err
    for one in (broken, mistyped, empty):
        assert f"{one}: not rendered. " in said or f"{one} has faults" in said
        assert not (out / one.name).exists()
    assert "failing/raises: FAILED" in said
    assert (out / "failing" / "plain.html").is_file()
    assert all((out / one.name / "plain.html").is_file() for one in both)
    assert "2 rendered, 1 FAILED" in (out / "index.html").read_text()
    assert call(broken, mistyped, "--out", tmp_path / "none") == 2
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_more_reviews_than_a_process_may_open_files(both, out, tmp_path):
    import resource

    every = [review(tmp_path / f"r{number}") for number in range(20)]
    for one in every:  # as kept as those that are rendered, and done sooner
        (one / "experiments.csv").write_text("experiment,study\n")
    line = [sys.executable, "-m", "helpers", "render", "plain", *map(str, [*every, both[0]])]
    line += ["--out", str(out), "--notebooks", str(NOTEBOOKS), "--quiet"]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    done = subprocess.run(
        line,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (28, most)),
        check=False,
    )
    assert done.returncode == 1 and "Too many open files" not in done.stderr
    assert done.stderr.count("has faults, nothing was rendered") == 20
    assert (out / "stroke" / "plain.html").is_file()


def test_families_and_reviews_stand_in_one_call(both, out, tmp_path):
    other = review(tmp_path / "other", "good")
    assert call("good", *both, other, "--out", out) == 0
    assert {path.name for path in out.iterdir()} == {"index.html", "other"}
    assert not (out / "other" / "overview.html").exists()
    with pytest.raises(Refused, match="Did you mean 'plain'"):
        render(["plian", *both], out=out, notebooks=NOTEBOOKS, quiet=True)


def test_a_name_that_can_be_a_report_and_a_review_is_refused(both, monkeypatch, tmp_path, out):
    monkeypatch.chdir(tmp_path)
    review(tmp_path / "plain")
    review(tmp_path / "locomotion")
    options = dict(out=out, notebooks=NOTEBOOKS, quiet=True)
    with pytest.raises(Refused, match=r"plain: a report is called so, .* Write ./plain for the"):
        render(["plain", "stroke"], **options)
    # the project's own review has such a family
    with pytest.raises(Refused, match=r"Write ./locomotion for the folder"):
        render(["locomotion"], **options | {"notebooks": None})
    assert render(["./plain", "stroke"], **options) == 0
    assert {path.name for path in out.iterdir()} == {"index.html", "plain", "stroke"}


def test_files_that_a_pattern_catches_are_passed_over_and_said(both, out, tmp_path, capsys):
    (tmp_path / "README.md").write_text("")
    names = [str(tmp_path / "README.md"), *map(str, both)]
    assert render(names, out=out, notebooks=NOTEBOOKS) == 0
    assert "README.md: passed over" in capsys.readouterr().out
    with pytest.raises(Refused, match="no such file"):
        render(names[:1], out=out, notebooks=NOTEBOOKS)


def test_the_same_folder_named_twice_is_one_review(both, out):
    one = both[0]
    assert render([f"{one}/.", str(one)], out=out, notebooks=NOTEBOOKS, quiet=True) == 0
    assert (out / "plain.html").is_file()


@pytest.mark.parametrize("name", ["stroke", "STROKE", "stroke!"])
def test_equal_ids_are_refused_before_work(both, out, tmp_path, monkeypatch, name):
    monkeypatch.setattr(run, "Workers", None)
    other = review(tmp_path / "other", name=name)
    with pytest.raises(Refused, match=r"would both go to .* Give one of them an id of its own"):
        render([*both, other], out=out, notebooks=NOTEBOOKS, quiet=True)
    assert not out.exists()


def test_two_folders_of_one_id_do_not_share_a_folder(both, out, tmp_path):
    options = dict(out=out, notebooks=NOTEBOOKS, quiet=True)
    assert render(["plain", both[0]], **options) == 0
    copy = shutil.copytree(both[0], tmp_path / "older" / "stroke")
    before = times(out)
    with pytest.raises(Refused, match="reports of another folder with the same id, stroke"):
        render([copy], **options)
    assert times(out) == before
    (out / MANIFEST).unlink()  # as the message says for a review that was moved
    assert render([copy], **options) == 0
    assert set(remembered(out)) == {"plain", "overview"}


def test_a_project_may_move_with_its_reports(tmp_path):
    (tmp_path / "here").mkdir()
    review(tmp_path / "here/stroke")
    options = dict(notebooks=NOTEBOOKS, quiet=True)
    assert render([tmp_path / "here/stroke"], out=tmp_path / "here/out", **options) == 0
    (tmp_path / "here").rename(tmp_path / "there")
    before = times(tmp_path / "there/out")
    assert render([tmp_path / "there/stroke"], out=tmp_path / "there/out", **options) == 0
    assert times(tmp_path / "there/out") == before


def test_several_do_not_go_where_one_has_its_reports(both, out):
    options = dict(out=out, notebooks=NOTEBOOKS, quiet=True)
    assert render([both[0]], **options) == 0
    with pytest.raises(Refused, match="holds reports of one review, not a folder for each"):
        render(both, **options)


@pytest.fixture
def project(tmp_path, monkeypatch, out):
    """A project whose own review is a small one."""
    own = review(tmp_path / "own")
    for module in ("helpers.review.description", "helpers.render.reviews"):
        monkeypatch.setattr(f"{module}.DEFAULT", own)
    monkeypatch.setattr(reviews, "REPORTS", out)
    return own


def test_the_index_of_the_project_leads_to_all_reviews_that_are_there(project, both, out):
    def index():
        return (out / "index.html").read_text()

    options = dict(notebooks=NOTEBOOKS, quiet=True)
    assert render(**options) == 0
    assert (out / "plain.html").is_file() and "Other reviews" not in index()
    assert render(both, **options) == 0
    page = index()
    assert "<h1>On own</h1>" in page and "<h2>Other reviews</h2>" in page
    assert '<h3><a href="stroke/index.html">On stroke</a></h3>' in page
    assert set(remembered(out)) == {"plain", "overview"}
    before = times(out)
    assert render([project, *both], **options) == 0
    assert times(out) == before
    shutil.rmtree(out / "stroke")
    assert render(**options) == 0
    assert "On stroke" not in index() and "On trauma" in index()
    shutil.rmtree(out / "trauma")
    assert render(**options) == 0
    assert "Other reviews" not in index()


def test_an_index_that_another_render_holds_is_said_and_stops_nothing(
    project, both, out, monkeypatch, capfd
):
    monkeypatch.setattr(reviews, "PATIENCE", 0.2)
    with kept(out):
        assert render([both[0]], notebooks=NOTEBOOKS, quiet=True) == 0
    assert "index.html does not lead to what is new here" in capfd.readouterr().err
    assert (out / "stroke" / "plain.html").is_file() and not (out / "index.html").exists()
    assert render([both[0]], notebooks=NOTEBOOKS, quiet=True) == 0
    assert "On stroke" in (out / "index.html").read_text()


@pytest.mark.parametrize("name", ["tables", "index.html", "Tables"])
def test_no_review_takes_the_place_of_what_reports_have(name):
    from types import SimpleNamespace

    folder = reviews.folder_of(SimpleNamespace(folder=Path("elsewhere"), id=name))
    assert folder.name == f"{name}-review"
