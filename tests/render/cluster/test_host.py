"""The process that makes reports on a worker: what it answers, and that it ends."""

import os
import pickle
import signal
import subprocess
import sys
import time

import pytest
from sheets_of_notebooks import NOTEBOOKS, is_running, make_review

from helpers.problems import ReportFailed
from helpers.render.cluster import host
from helpers.render.cluster.parcel import letter, pack
from helpers.render.jobs import plan
from helpers.render.run import render
from helpers.render.workers import Workers
from helpers.review.description import PROJECT, describe


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    return make_review(tmp_path_factory.mktemp("host") / "review", "good", "raises", "dies")


@pytest.fixture(scope="module")
def ask(review):
    """Ask for a report, as a cluster's worker does."""
    description = describe(review)
    with Workers() as workers:
        _, held = workers.checked(review, [])
    parcel = pickle.dumps(pack(description, held))

    def ask(family, program=None):
        (job,) = plan(description, [family], notebooks=NOTEBOOKS)
        return host.report(parcel, letter(job), None, program or host.program())

    yield ask
    host._own.host.process.stdin.close()  # as when a worker ends
    assert host._own.host.process.wait(20) == 0
    host._own.host.stop()
    host._own.host = None


def test_a_report_is_the_same_as_the_one_made_here(ask, review, tmp_path):
    made = ask("good")
    assert made.seconds > 0
    render(["good"], review=review, out=tmp_path, notebooks=NOTEBOOKS, quiet=True)
    for name, content in made.files.items():
        assert (tmp_path / name).read_bytes() == content


def test_a_failure_is_told_as_here(ask):
    for family, why in (("raises", "cell 6 (raise ValueError("), ("dies", "died (SIGKILL)")):
        made = ask(family)
        assert isinstance(made.files, ReportFailed) and why in str(made.files)


def test_a_host_that_was_killed_is_started_once_more(ask):
    ask("good")
    process = host._own.host.process
    process.kill()
    process.wait(20)
    assert "good.html" in ask("good").files
    assert host._own.host.process.pid != process.pid


def test_another_program_is_told_and_nothing_is_made(ask, monkeypatch):
    monkeypatch.setattr(host, "_worker", lambda: "tcp://there")
    answer = ask("good", {**host.program(), "code": "0"})
    assert answer == host.Stranger("tcp://there", host.program())


@pytest.mark.skipif(os.name == "nt", reason="signals as other systems have them")
def test_it_ends_with_the_worker_however_that_ends(tmp_path):
    """A parent that is killed leaves neither the process nor its folder."""
    code = (
        "import subprocess, time\n"
        f"p = subprocess.Popen({host.COMMAND!r}, stdin=-1)\n"
        "print(p.pid, flush=True); time.sleep(120)"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid = int(parent.stdout.readline())
        wait(lambda: list(tmp_path.glob("preclinical-*")))
        parent.send_signal(signal.SIGKILL)
    wait(lambda: not is_running(pid))
    wait(lambda: not list(tmp_path.glob("preclinical-*")))


def wait(done, seconds=60):
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert done()
