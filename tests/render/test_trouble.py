"""Trouble of one report, of the folder of reports, and of files that change or lie oddly."""

import errno
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
from sheets_of_notebooks import GRACE, NOTEBOOKS, make_review, started

from helpers.__main__ import main
from helpers.problems import NotWritten, Refused
from helpers.render import run
from helpers.render.execute import collect
from helpers.render.index import index_page
from helpers.render.output import MANIFEST, kept, put, remembered
from helpers.render.run import render
from helpers.render.workers import LONGEST_FOLDER
from helpers.review.description import describe

ODD = {
    "surrogate": r'print("a lone \udcff")',
    "block": 'display({"text/html": "<p>", MIME: {"no": "kind"}}, raw=True)',
    "listed": 'display({"text/html": "<p>", MIME: [1, 2]}, raw=True)',
    "keys": "display({('a', 1): 2}, raw=True)",
    "circle": "a = []; a.append(a); display({'x': a}, raw=True)",
    "provenance": 'block("results", "results", results={"provenance": "none"})',
    "csv": 'block("table", "t", csv=3)',
}


def notebooks(folder, codes):
    """Copies of good.ipynb, each with a line of code at its end or in place of its results."""
    folder.mkdir()
    good = json.loads((NOTEBOOKS / "good.ipynb").read_text())
    for name, code in codes.items():
        cells = [dict(cell) for cell in good["cells"]]
        line = f'MIME = "application/vnd.preclinical.block+json"\n{code}'
        if "results" in code:
            cells.pop()
        cells.append({**cells[-1], "id": "last", "source": line})
        (folder / f"{name}.ipynb").write_text(json.dumps({**good, "cells": cells}))
    shutil.copy(NOTEBOOKS / "good.ipynb", folder / "good.ipynb")
    return folder


def arguments(review, out, *more):
    return ["render", "--review", review, "--out", out, "--notebooks", NOTEBOOKS, "--quiet", *more]


@pytest.fixture
def review(tmp_path):
    return make_review(tmp_path / "review", "good", "plain")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def contents(folder):
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_whatever_a_report_shows_is_its_own_trouble(tmp_path, out, capfd):
    review = make_review(tmp_path / "review", *ODD, "good")
    books = notebooks(tmp_path / "books", ODD)
    assert render(review=review, out=out, notebooks=books, quiet=True) == 1
    said = capfd.readouterr().err
    assert "Traceback" not in said
    index = (out / "index.html").read_text(encoding="utf-8")
    for family in ODD:
        assert f"{family}: FAILED, " in said and not (out / f"{family}.html").exists()
    assert index.count('<span class="status">FAILED</span>') == len(ODD)
    assert (out / "good.html").is_file() and "failure" not in remembered(out)["good"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf_8_is_written_as_it_is_told(review, out):
    with open(os.fsencode(review) + b"/na\xefve.txt", "wb") as file:
        file.write(b"as it was")
    assert render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True) == 0
    assert "na\\xefve.txt" in remembered(out)["good"]["files"]
    assert render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True) == 0


@pytest.mark.parametrize(
    "state",
    [
        "[]", "3", '{"good": 3}', '{"good": {"key": 1}}', "\xff", '{"good": {"outputs": []}}',
        '{"good": {"key": "x", "files": [], "used": {}, "rows": 3, "outputs": []}}', "[" * 99999,
    ],
)  # fmt: skip
def test_a_remembered_state_of_another_shape_is_set_aside(review, out, state):
    out.mkdir()
    (out / MANIFEST).write_text(state, encoding="latin-1")
    assert render(["good"], review=review, out=out, notebooks=NOTEBOOKS, quiet=True) == 0
    assert set(remembered(out)) == {"good"}


def test_data_of_another_shape_leave_an_index_that_says_so(review, out):
    render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    (out / "plain.json").write_text("[]")
    page, _ = index_page(out, describe(review), remembered(out))
    assert "plain.json is not as it was rendered" in page


@pytest.mark.parametrize("place", ["index.html", "good.html", "good.json", MANIFEST])
def test_a_folder_where_a_file_is_due_is_refused_before_work(review, out, place, monkeypatch):
    (out / place).mkdir(parents=True)
    monkeypatch.setattr(run, "Workers", None)  # nothing begins
    with pytest.raises(Refused, match=r"a folder stands where a file is due. Move it away"):
        render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)


def test_a_file_where_a_folder_is_due_is_refused_before_work(review, out, monkeypatch):
    monkeypatch.setattr(run, "Workers", None)
    out.write_text("")
    with pytest.raises(Refused, match=r"out: .*A file stands where a folder is due"):
        render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    out.unlink()
    out.mkdir()
    (out / "tables").write_text("")
    with pytest.raises(Refused, match="tables: a file stands where a folder is due"):
        render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_folder_that_takes_nothing_is_refused_before_work(
    review, out, number, monkeypatch, capsys
):
    def refuse(path, *_):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(run, "Workers", None)
    assert main([str(one) for one in arguments(review, out)]) == 2
    said = capsys.readouterr().err
    assert os.strerror(number) in said and "Traceback" not in said
    assert ("place" in said) and not out.exists()


def test_a_disk_that_gets_full_fails_with_a_message_and_keeps_what_was_there(
    review, out, monkeypatch, capfd
):
    render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    before = contents(out)
    writes = Path.write_bytes

    def full(path, content):
        if path.suffix == ".html":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return writes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main([str(one) for one in arguments(review, out, "--force")]) == 1
    said = capfd.readouterr().err
    assert "No space left on device. Make room on the disk" in said and "Traceback" not in said
    after = contents(out)
    assert {k: v for k, v in after.items() if k != MANIFEST} == {
        k: v for k, v in before.items() if k != MANIFEST
    }
    assert all("No space" in entry["failure"] for entry in remembered(out).values())


def test_a_place_that_refuses_one_of_several_files_leaves_all_as_they_were(tmp_path):
    put(tmp_path, {"a.html": b"1", "a.json": b"1", "tables/a/x.csv": b"1"}, instead="tables/a")
    (tmp_path / "b.json").mkdir()
    before = contents(tmp_path)
    new = {"a.html": b"2", "a.json": b"2", "tables/a/y.csv": b"2", "b.json": b"2"}
    with pytest.raises(NotWritten, match="A folder stands where a file is due"):
        put(tmp_path, new, instead="tables/a")
    assert contents(tmp_path) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_one_render_at_a_time_into_a_folder(review, out):
    with kept(out), started(*arguments(review, out)) as late:
        said = late.communicate()[1]
    assert late.returncode == 2 and "another render writes here" in said
    assert "Traceback" not in said
    with kept(out):
        pass  # the lock went with its holder


def test_reports_of_two_reviews_do_not_share_a_folder(review, out, tmp_path):
    render(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    other = make_review(tmp_path / "other", "good")
    text = (other / "review.toml").read_text().replace("made_up", "elsewhere")
    (other / "review.toml").write_text(text)
    before = contents(out)
    with pytest.raises(Refused, match=r"holds reports of another review, made_up.*--out"):
        render(review=other, out=out, notebooks=NOTEBOOKS, quiet=True)
    assert contents(out) == before


def test_reports_inside_the_review_are_none_of_its_files(review):
    out = review / "reports"
    options = dict(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    assert render(**options) == 0
    assert not [name for name in remembered(out)["good"]["files"] if "reports" in name]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert render(**options) == 0
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with pytest.raises(Refused, match="holds the review itself"):
        render(**options | {"out": review})


def test_what_programs_put_beside_a_file_makes_nothing_due(review, out):
    options = dict(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    render(**options)
    before = contents(out)
    for name in ("~$experiments.xlsx", ".~lock.experiments.csv#", ".DS_Store", ".git/HEAD"):
        (review / name).parent.mkdir(exist_ok=True)
        (review / name).write_text("x")
    render(**options)
    assert contents(out) == before


def test_a_file_outside_the_review_counts_however_it_is_named(review, out, tmp_path):
    sheet = (review / "experiments.csv").rename(tmp_path / "sheet.csv")
    options = dict(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    text = (review / "review.toml").read_text()
    for name in ("../sheet.csv", "../sh*.csv", str(sheet)):
        (review / "review.toml").write_text(text.replace("experiments.csv", name))
        assert render(**options) == 0
        assert "../sheet.csv" in remembered(out)["good"]["files"]


def test_a_sheet_that_changes_while_its_report_is_made_gives_none(review, out, tmp_path, capfd):
    sheet = str(review / "experiments.csv")
    books = notebooks(tmp_path / "books", {"plain": f"open({sheet!r}, 'a').write('\\n')"})
    assert render(["plain"], review=review, out=out, notebooks=books, quiet=True) == 1
    assert "experiments.csv changed while the report was made" in capfd.readouterr().err
    assert not (out / "plain.html").exists()


def test_the_index_says_what_is_stale_and_what_is_of_other_settings(review, out):
    options = dict(review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    render(**options)
    assert "Rendered" not in (out / "index.html").read_text()
    with open(review / "experiments.csv", "a") as file:
        file.write("\n")
    render(["good"], settings=["method=DL"], **options)
    index = (out / "index.html").read_text()
    assert "Rendered with -p method=DL." in index
    assert index.count("Rendered before a change of experiments.csv") == 2  # plain, overview
    render(**options)
    assert "Rendered" not in (out / "index.html").read_text()


@pytest.mark.parametrize("name", ["révue", "отзыв", "back\\slash", 'quo"te', "a b"])
def test_no_page_tells_where_the_review_lies(tmp_path, out, name):
    if os.name == "nt" and set(name) & set('\\"'):
        pytest.skip("no such names there")
    (tmp_path / "secretplace").mkdir()
    review = make_review(tmp_path / "secretplace" / name, "good")
    books = notebooks(tmp_path / "books", {})
    cells = json.loads((books / "good.ipynb").read_text())
    shows = "print(review, repr(review), [review]); import warnings; warnings.warn(review)"
    cells["cells"].append({**cells["cells"][-1], "id": "x", "source": shows})
    (books / "good.ipynb").write_text(json.dumps(cells))
    assert render(review=review, out=out, notebooks=books, quiet=True) == 0
    for path, content in contents(out).items():
        assert b"secretplace" not in content, path


def test_names_that_differ_by_case_or_are_long_get_files_of_their_own():
    blocks = [
        {"kind": "table", "name": name, "csv": name}
        for name in ("A", "a", "a-2", "ж" * 143, "ж" * 144, "漢" * 86)
    ]
    files = collect("overview", blocks)
    assert len({name.casefold() for name in files}) == len(blocks)
    assert max(len(Path(name).name.encode()) for name in files) < 240
    assert sorted(map(bytes.decode, files.values())) == sorted(block["csv"] for block in blocks)


@pytest.fixture
def short():
    """A temporary folder whose name is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="end-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.skipif(os.name == "nt", reason="signals as other systems have them")
@pytest.mark.parametrize("numbers", [["SIGHUP"], ["SIGINT", "SIGINT"], ["SIGKILL"], ["SIGTERM"]])
def test_an_end_leaves_nothing_behind_that_the_next_run_does_not_clear(
    tmp_path, out, short, numbers
):
    review = make_review(tmp_path / "review", "good", "hangs")
    line = arguments(review, out, "--jobs", "2")
    with started(*line, TMPDIR=str(short)) as process:
        deadline = time.monotonic() + GRACE
        while not (out / "good.html").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        for name in numbers:
            process.send_signal(getattr(signal, name))
            time.sleep(0.01)
        said = process.communicate(timeout=GRACE)[1]
    assert process.returncode != 0 and "Traceback" not in said
    if numbers != ["SIGKILL"]:
        assert not [path.name for path in out.glob(".new-*")]
    render(["good"], review=review, out=out, notebooks=NOTEBOOKS, quiet=True)
    assert {path.name for path in out.iterdir()} - {"overview.html"} == {
        MANIFEST, "index.html", "good.html", "good.json", "tables"
    }  # fmt: skip
    left = list(short.iterdir())
    if numbers == ["SIGKILL"]:  # a socket of Python's own fork server, which the system clears
        left = [path for path in left if not path.name.startswith("pymp-")]
    assert not left


@pytest.mark.parametrize("length", [LONGEST_FOLDER, LONGEST_FOLDER + 1, 150])
def test_a_temporary_folder_of_any_length_will_do(short, review, out, length):
    folder = short / ("a" * (length - len(str(short)) - 1))
    folder.mkdir()
    with started(*arguments(review, out), "good", TMPDIR=str(folder)) as process:
        process.communicate()
    assert process.returncode == 0 and (out / "good.html").is_file()


def test_the_time_of_a_cell_can_be_set(tmp_path, out, capfd):
    review = make_review(tmp_path / "review", "hangs", "good")  # it has the row
    assert main([str(one) for one in arguments(review, out, "--cell-seconds", "0.5")]) == 1
    said = capfd.readouterr().err
    assert "longer than 0.5 seconds; --cell-seconds sets the limit" in said
