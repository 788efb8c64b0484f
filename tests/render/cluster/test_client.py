"""Reports made by a real Dask scheduler and two workers on this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from made_up import simulate
from sheets_of_notebooks import NOTEBOOKS, is_running, make_review

from helpers.__main__ import main
from helpers.problems import Refused, ReportFailed
from helpers.render.cluster import client, host
from helpers.render.run import arriving, render
from helpers.review.description import PROJECT

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not here")
SECONDS = 300  # that a loaded machine may need

LOADS = """
from pathlib import Path
from helpers.review.review import load, load_before
held = load(review)
print(len(held.experiments), load_before(held).title, (Path(review) / "../sheet.csv").read_text())
"""
WAITS = """
import os, time
from pathlib import Path
place = Path({place!r})
(place / str(os.getpid())).write_text("")
while not (place / "go").exists():
    time.sleep(0.05)
"""


def wait(done):
    deadline = time.monotonic() + SECONDS
    while not (found := done()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found
    return found


@contextmanager
def process(*arguments, **options):
    """A process in a session of its own, which is killed with all that it started."""
    path = os.pathsep.join([str(options.pop("code", PROJECT)), os.environ.get("PYTHONPATH", "")])
    running = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL) if running.poll() is None else None
        running.communicate()


@contextmanager
def worker(folder, number, code=PROJECT):
    arguments = ["-m", "distributed.cli.dask_worker", "--scheduler-file", folder / "scheduler.json"]
    arguments += ["--nthreads", 1, "--no-dashboard", "--no-nanny", "--name", number]
    arguments += ["--local-directory", folder / "local", "--worker-port", 0]
    with process(*arguments, code=code, cwd=folder) as running:
        yield running


@pytest.fixture
def scheduler(tmp_path):
    """Folder and address of a scheduler without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    arguments = ["--host", "127.0.0.1", "--port", 0, "--no-dashboard"]
    arguments += ["--scheduler-file", folder / "scheduler.json"]
    with process("-m", "distributed.cli.dask_scheduler", *arguments, cwd=folder):
        wait((folder / "scheduler.json").is_file)
        yield folder, json.loads(wait((folder / "scheduler.json").read_text))["address"]


def books(folder, families, code):
    """Notebooks that run a line of code before their results."""
    folder.mkdir()
    good = json.loads((NOTEBOOKS / "good.ipynb").read_text())
    cells = [*good["cells"], {**good["cells"][-1], "id": "last", "source": code}]
    for family in families:
        (folder / f"{family}.ipynb").write_text(json.dumps({**good, "cells": cells}))
    return folder


def line(review, out, notebooks, *more):
    """The command line that renders."""
    named = ["--out", out, "--notebooks", notebooks]
    return ["-m", "helpers", "render", review, *named, *more]


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@needs_dask
def test_reports_are_those_made_here_with_files_from_beside_the_review(scheduler, tmp_path):
    folder, address = scheduler
    families = ["good", "first"]
    make_review(tmp_path / "before", *families)
    review = make_review(tmp_path / "review", *families)
    (review / "experiments.csv").rename(tmp_path / "sheet.csv")
    text = (review / "review.toml").read_text().replace("experiments.csv", "../sheet.csv")
    (review / "review.toml").write_text('previous = "../before"\n' + text)
    notebooks = books(tmp_path / "books", families, LOADS)
    assert render(review=review, out=tmp_path / "here", notebooks=notebooks, quiet=True) == 0
    with worker(folder, 1), worker(folder, 2):
        call = line(review, tmp_path / "there", notebooks, "--scheduler", address)
        with process(*call) as running:
            said = running.communicate(timeout=SECONDS)[1]
        assert running.returncode == 0, said
    assert all(f"{family}: rendered in " in said for family in families)
    here = contents(tmp_path / "here")
    assert len([name for name in here if name.endswith(".html")]) == 3  # with the index
    assert contents(tmp_path / "there") == here


@needs_dask
def test_a_worker_that_is_killed_costs_no_report_and_doubles_none(scheduler, tmp_path):
    folder, address = scheduler
    families = ["good", "first", "second", "third", "fourth"]
    review = make_review(tmp_path / "review", *families)
    place = tmp_path / "place"
    place.mkdir()
    notebooks = books(tmp_path / "books", families, WAITS.format(place=str(place)))
    with ExitStack() as stack:
        victim = stack.enter_context(worker(folder, 1))
        stack.enter_context(worker(folder, 2))
        call = line(review, tmp_path / "out", notebooks, "--scheduler", address)
        running = stack.enter_context(process(*call, stdout=subprocess.PIPE))
        begun = wait(lambda: len(list(place.iterdir())) == 2 and [*place.iterdir()])
        victim.kill()
        victim.wait()
        (place / "go").write_text("")
        stdout, said = running.communicate(timeout=SECONDS)
        assert running.returncode == 0, said
        assert "5 of 5 reports rendered, 0 up to date, 0 failed" in stdout
        came = Counter(text.partition(":")[0] for text in said.splitlines() if "rendered" in text)
        assert came == dict.fromkeys(families, 1)
        pids = [int(path.name) for path in begun]
        wait(lambda: not all(map(is_running, pids)))  # what the victim had begun ends
    assert render(review=review, out=tmp_path / "here", notebooks=notebooks, quiet=True) == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "here")


@needs_dask
def test_a_worker_of_another_version_is_refused_before_work(scheduler, tmp_path):
    folder, address = scheduler
    other = tmp_path / "other"
    shutil.copytree(PROJECT / "helpers", other / "helpers")
    with open(other / "helpers" / "writing.py", "a") as file:
        file.write("\n")
    review = make_review(tmp_path / "review", "good")
    with worker(folder, 1), worker(folder, 2, code=other):
        code = "import sys; from distributed import Client\n"
        code += "with Client(sys.argv[1]) as c: c.wait_for_workers(2, timeout=300)"
        subprocess.run([sys.executable, "-c", code, address], check=True)
        call = line(review, tmp_path / "out", NOTEBOOKS, "--scheduler", address)
        with process(*call) as running:
            said = running.communicate(timeout=SECONDS)[1]
    assert running.returncode == 2 and not (tmp_path / "out").exists()
    assert f"has another version: code {host.program()['code']}" not in said
    assert f", here {host.program()['code']}" in said
    assert said.count("has another version: code ") == 1


@needs_dask
@pytest.mark.filterwarnings("default")  # of distributed's own
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "tcp://127.0.0.1:port"])
def test_a_scheduler_that_does_not_answer_is_refused(tmp_path, monkeypatch, address):
    monkeypatch.setattr(client, "PATIENCE", 1)
    review = make_review(tmp_path / "review", "good")
    with pytest.raises(Refused, match="no scheduler answers there"):
        render(review=review, out=tmp_path / "out", notebooks=NOTEBOOKS, scheduler=address)
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "find_spec", lambda name: None)
    review = make_review(tmp_path / "review", "good")
    with pytest.raises(Refused, match=r"A cluster needs distributed. Install by: python .ci/locks"):
        render(review=review, out=tmp_path / "out", notebooks=NOTEBOOKS, scheduler="x")


def test_a_stranger_that_comes_later_gets_nothing_more_and_costs_no_report():
    said = []
    cluster = client.Cluster("tcp://there", said.append)
    program = host.program()
    asked = []

    def submit(edition, job):
        future = Future()
        asked.append(job)
        stranger = asked.count(job) == 1 and job != "third"
        other = host.Stranger("tcp://late", {**program, "code": "0"})
        future.set_result(other if stranger else host.Made({job: b""}, 0.5))
        return future

    todo = [(None, job) for job in ("first", "second", "third")]
    made = {job: files for _, job, files, _ in arriving(todo, submit, cluster.again)}
    assert made == {job: {job: b""} for job in ("first", "second", "third")}
    (line,) = said
    assert line.startswith(f"tcp://late has another version: code 0, here {program['code']}")
    cluster._client = SimpleNamespace(
        nthreads=lambda: {"tcp://late": 1}, submit=lambda *arguments, **options: None
    )
    cluster._parcels[None] = b""
    with pytest.raises(ReportFailed, match="no worker is left that can make it: tcp://late has"):
        cluster.submit(None, "first", None).result()


@needs_dask
def test_a_specification_curve_is_the_one_made_here(scheduler, tmp_path):
    folder, address = scheduler
    simulate(tmp_path / "review", 12)
    call = ["-m", "helpers", "specifications", "score", "--review", tmp_path / "review"]
    call += ["--most", 60, "--fits", 2, "--out"]
    with worker(folder, 1), process(*call, tmp_path / "there.csv", "--scheduler", address) as there:
        said = there.communicate(timeout=SECONDS)[1]
        assert there.returncode == 0, said
    assert main([*map(str, call[2:]), str(tmp_path / "here.csv")]) == 0
    assert (tmp_path / "there.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
