"""Workers forked from the nursery, and ordinary kernels; both always end with the command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_render import NOTEBOOKS, make_review

from helpers.render.nursery import Nursery, NurseryGone, WorkerFailed
from helpers.render.run import FIXED, PROJECT, render

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


@pytest.fixture
def worker(nursery, tmp_path):
    worker = nursery.fork(tmp_path)
    yield worker
    worker.stop()


@forks
def test_a_worker_runs_cells_as_a_notebook_has_them(worker, tmp_path):
    source = """
import sys, os
from IPython.display import HTML, display
print("a"); print("b", file=sys.stderr); print("c"); print("d")
display(HTML("<b>shown</b>"))
os.getcwd()
"""
    count, outputs = worker.run(source)
    assert count == 1
    assert [output["output_type"] for output in outputs] == [
        *("stream", "stream", "stream", "display_data", "execute_result")
    ]
    assert [output.get("text") for output in outputs[:3]] == ["a\n", "b\n", "c\nd\n"]
    assert outputs[3]["data"]["text/html"] == "<b>shown</b>"
    assert outputs[4]["data"] == {"text/plain": repr(str(tmp_path))}
    assert outputs[4]["execution_count"] == 1
    count, (error,) = worker.run("x = 1\n1 / 0")
    assert (count, error["output_type"]) == (2, "error")
    assert (error["ename"], error["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert worker.run("x")[1][0]["data"] == {"text/plain": "1"}
    assert worker.run("await __import__('asyncio').sleep(0, 'slept')")[1][0]["data"] == {
        "text/plain": "'slept'"
    }


@forks
def test_the_nursery_imports_more_for_those_to_come(nursery, tmp_path):
    loaded = "import sys; 'seaborn' in sys.modules"
    for shown in ("False", "False", "True"):
        worker = nursery.fork(tmp_path, later=2)
        assert worker.run(loaded)[1][0]["data"] == {"text/plain": shown}
        worker.stop()


@forks
def test_workers_share_nothing_that_they_change(nursery, tmp_path):
    one, two = nursery.fork(tmp_path), nursery.fork(tmp_path)
    one.run("import helpers; helpers.mark = x = 1")
    _, (error,) = two.run("import helpers; helpers.mark")
    assert error["ename"] == "AttributeError"
    for worker in (one, two):
        worker.stop()


@forks
def test_a_worker_has_the_fixed_environment(worker):
    _, outputs = worker.run("import os, sys; os.environ['TZ'], sys.flags.hash_randomization")
    assert outputs[0]["data"]["text/plain"] == "('UTC', 0)"


@forks
def test_a_worker_ends_with_the_nursery(nursery, worker):
    assert is_running(worker.pid)
    nursery.close()
    assert gone_within(5, worker.pid)
    with pytest.raises(WorkerFailed, match="the kernel died"):
        worker.run("1")


@forks
def test_a_worker_that_dies_tells_how(worker):
    with pytest.raises(WorkerFailed, match="SIGKILL"):
        worker.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


@forks
def test_a_worker_that_leaves_tells_how(worker):
    with pytest.raises(WorkerFailed, match="exit status 3"):
        worker.run("import os; os._exit(3)")


@forks
def test_a_dead_nursery_is_noticed(nursery, tmp_path):
    nursery._process.kill()
    nursery._process.wait()
    with pytest.raises(NurseryGone):
        nursery.fork(tmp_path)


@forks
def test_the_nursery_has_one_thread(nursery, worker):
    tasks = Path(f"/proc/{nursery._process.pid}/task")
    if not tasks.is_dir():
        pytest.skip("no /proc here")
    assert len(list(tasks.iterdir())) == 1


@forks
def test_without_a_working_nursery_ordinary_kernels_are_taken(tmp_path, monkeypatch):
    started = Nursery.__init__

    def stillborn(self, environment, review):
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
