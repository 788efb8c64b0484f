"""Workers: they run cells as notebooks have them, tell how they ended, and end with the command."""

import os
import signal
import subprocess
import sys
import time

import pytest
from sheets_of_notebooks import GRACE, NOTEBOOKS, is_running, make_review, started

from helpers.render import workers as module
from helpers.render.run import render
from helpers.render.workers import WorkerFailed, Workers
from helpers.review.description import PROJECT

METHODS = ["spawn", "forkserver"] if hasattr(os, "fork") else ["spawn"]


@pytest.fixture
def workers(tmp_path):
    with Workers() as workers:
        yield workers


@pytest.fixture
def worker(workers, tmp_path):
    worker = workers.start(tmp_path)
    yield worker
    worker.stop()


def gone_within(seconds, *pids):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(map(is_running, pids)):
            return True
        time.sleep(0.02)
    return False


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


def test_workers_share_nothing_that_they_change(workers, tmp_path):
    one, two = workers.start(tmp_path), workers.start(tmp_path)
    one.run("import helpers; helpers.mark = x = 1")
    _, (error,) = two.run("import helpers; helpers.mark")
    assert error["ename"] == "AttributeError"
    for worker in (one, two):
        worker.stop()


def test_a_worker_has_the_fixed_environment(worker):
    _, outputs = worker.run("import os, sys; os.environ['TZ'], sys.flags.hash_randomization")
    assert outputs[0]["data"]["text/plain"] == "('UTC', 0)"


def test_a_worker_sees_variables_set_after_the_first_one_was_started(worker, tmp_path, monkeypatch):
    with Workers() as later:
        monkeypatch.setenv("SET_LATER", "yes")
        second = later.start(tmp_path)
        assert second.run("import os; os.environ['SET_LATER']")[1][0]["data"] == {
            "text/plain": "'yes'"
        }
        second.stop()


def test_the_environment_of_the_main_process_is_left_as_it_was(tmp_path):
    before = dict(os.environ)
    with Workers():
        assert os.environ["TZ"] == "UTC"
    assert os.environ == before


def test_a_worker_ends_with_its_pool(workers, worker):
    assert is_running(worker.pid)
    workers.__exit__()
    assert gone_within(5, worker.pid)
    with pytest.raises(WorkerFailed, match="the kernel died"):
        worker.run("1")
    workers.__enter__()  # the fixture leaves it once more


def test_what_a_notebook_started_ends_with_its_worker(worker):
    source = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1)"
    )
    worker.run(source)
    pid = int(worker.run("p.pid")[1][0]["data"]["text/plain"])
    assert is_running(pid)
    worker.stop()
    assert gone_within(5, pid)


def test_a_worker_that_dies_tells_how(worker):
    with pytest.raises(WorkerFailed, match="SIGKILL"):
        worker.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def test_a_worker_that_leaves_tells_how(worker):
    with pytest.raises(WorkerFailed, match="exit status 3"):
        worker.run("import os; os._exit(3)")


@pytest.mark.parametrize("fails", [1, 2])
def test_a_worker_that_does_not_start_is_tried_once_more(tmp_path, monkeypatch, fails, capfd):
    left, started = iter(range(fails)), Workers.start

    def start(self, *arguments):
        if next(left, None) is not None:
            raise WorkerFailed("the kernel did not start")
        return started(self, *arguments)

    monkeypatch.setattr(Workers, "start", start)
    review = make_review(tmp_path / "review", "good")
    options = {"review": review, "notebooks": NOTEBOOKS, "quiet": True}
    assert render(["good"], out=tmp_path / "out", **options) == fails - 1
    assert ("kernel not started" in capfd.readouterr().err) == (fails == 2)


def test_a_worker_that_says_nothing_is_given_up(workers, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "START_TIMEOUT", 0)
    with pytest.raises(WorkerFailed, match="did not start"):
        workers.start(tmp_path)


def test_the_review_is_read_once_for_all(tmp_path):
    review = make_review(tmp_path / "review", "good")
    with Workers() as workers:
        found, held = workers.checked(review, ["good"])
        assert found["experiments"] == {"good": 1} and list(found["rows"]) == ["good"]
        worker = workers.start(tmp_path, held)
        (review / "experiments.csv").unlink()
        load = f"from helpers.review.review import load; len(load({str(review)!r}).experiments)"
        assert worker.run(load)[1][0]["data"] == {"text/plain": "1"}
        worker.stop()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_command(tmp_path, signum, method):
    review = make_review(tmp_path / "review", "hangs", "good")
    line = [
        "render",
        "hangs",
        "--review",
        review,
        "--notebooks",
        NOTEBOOKS,
        "--out",
        tmp_path / "out",
    ]
    pid_file = tmp_path / "pid"
    with started(*line, PRECLINICAL_START=method, HANGS_PID_FILE=str(pid_file)) as process:
        deadline = time.monotonic() + GRACE
        while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        pid = int(pid_file.read_text())
        assert is_running(pid)
        process.send_signal(signum)
        process.communicate(timeout=GRACE)
    assert process.returncode != 0
    assert gone_within(5, pid)


def test_the_process_that_runs_papermill_imports_no_pandas():
    code = "from helpers.render import run; run.import_all()"
    asked = f"import sys; {code}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=PROJECT).returncode == 0


def test_a_call_that_fails_is_said(workers):
    assert workers.call(abs, -3) == 3
    with pytest.raises(WorkerFailed, match="int failed with ValueError: invalid literal"):
        workers.call(int, "no number")
