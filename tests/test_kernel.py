"""Kernels: forked from the nursery or ordinary, always ended with the command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_render import NOTEBOOKS, make_review

from helpers.nursery import Nursery, NurseryGone
from helpers.render import FIXED, PROJECT, render

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture
def nursery():
    nursery = Nursery({**os.environ, **FIXED, "PYTHONPATH": str(PROJECT)})
    yield nursery
    nursery.close()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone_within(seconds, *pids):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(map(is_running, pids)):
            return True
        time.sleep(0.02)
    return False


def connection(tmp_path):
    return {"argv": ["-f", str(tmp_path / "kernel.json")], "cwd": str(tmp_path), "env": {}}


@forks
def test_a_kernel_ends_with_the_nursery(nursery, tmp_path):
    kernel = nursery.fork(**connection(tmp_path))
    assert kernel.poll() is None
    nursery.close()
    assert gone_within(5, kernel.pid)
    assert kernel.poll() == -signal.SIGKILL


@forks
def test_a_killed_kernel_tells_its_status(nursery, tmp_path):
    kernel = nursery.fork(**connection(tmp_path))
    kernel.kill()
    assert kernel.wait() == -signal.SIGKILL
    assert kernel.poll() == -signal.SIGKILL


@forks
def test_a_dead_nursery_is_noticed(nursery):
    nursery._process.kill()
    with pytest.raises(NurseryGone):
        nursery.ask("check", review=".")


@forks
def test_the_nursery_has_one_thread(nursery, tmp_path):
    nursery.fork(**connection(tmp_path))
    tasks = Path(f"/proc/{nursery._process.pid}/task")
    if not tasks.is_dir():
        pytest.skip("no /proc here")
    assert len(list(tasks.iterdir())) == 1


@forks
def test_without_a_working_nursery_ordinary_kernels_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.nursery.PRELOADED", ())
    started = Nursery.__init__

    def stillborn(self, environment):
        started(self, environment)
        self._process.kill()
        self._process.wait()

    monkeypatch.setattr(Nursery, "__init__", stillborn)
    review = make_review(tmp_path / "review", "good")
    options = {"review": review, "notebooks": NOTEBOOKS, "quiet": True}
    assert render(["good"], out=tmp_path / "out", **options) == 0


@forks
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_no_kernel_outlives_the_command(tmp_path, signum, kind):
    review = make_review(tmp_path / "review", "hangs", "good")
    command = [sys.executable, "-m", "helpers", "render", "hangs", "--review", str(review)]
    command += ["--notebooks", str(NOTEBOOKS), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PRECLINICAL_KERNEL": kind}
    environment |= {"HANGS_PID_FILE": str(tmp_path / "pid")}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    pid_file = tmp_path / "pid"
    deadline = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(pid_file.read_text())
    assert is_running(pid)
    process.send_signal(signum)
    process.wait(20)
    assert process.returncode != 0
    assert gone_within(5, pid)
