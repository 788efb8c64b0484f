"""One preloaded process that forks workers, so that no report pays for imports again.

The scientific stack takes a second to import. The nursery imports it once, while the main process
is busy importing Papermill and nbconvert, and a worker is then a fork of the nursery: ready in
milliseconds, its memory shared. It reads the review once for all of them as well. The nursery has
no threads, which is what makes forking it safe; it answers requests of one JSON line each, and
kills its workers and ends when the process that started it is gone.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What notebooks and IPython use, some of it imported late; and what only some figures use, which
# is imported once the first workers are at work.
PRELOADED = (
    "numpy",
    "pandas",
    "pandas.io.formats.csvs",
    "pandas.io.formats.string",
    "matplotlib.backends.backend_svg",
    "helpers.review.check",
    "helpers.report.family",
    "helpers.drawing.svg",
)
LATER = ("helpers.report.overview", "seaborn")


class NurseryGone(RuntimeError):
    """The nursery ended; ordinary kernels still work."""


class WorkerFailed(RuntimeError):
    """A worker died, or a cell took too long."""


class Nursery:
    """The preloaded process, as seen by the process that asks it for workers.

    Parameters
    ----------
    environment : dict of str
        Environment variables of the nursery and its workers.
    review : path, optional
        Folder of a review that is read once for all workers.
    """

    def __init__(self, environment, review=""):
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.render.nursery", str(theirs.fileno()), str(review)],
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the main process to act on
            )
        self._answers = self._socket.makefile("r", encoding="utf-8")
        self._lock = threading.Lock()

    def ask(self, what, *, send=(), **details):
        """Send a request, with file descriptors, and wait for its answer, a dict."""
        request = json.dumps({"what": what, **details}).encode() + b"\n"
        try:
            with self._lock:
                socket.send_fds(self._socket, [request], send)
                answer = self._answers.readline()
        except (OSError, ValueError) as error:
            raise NurseryGone(str(error)) from error
        if not answer:
            raise NurseryGone("the preloaded process ended")
        return json.loads(answer)

    def fork(self, cwd, *, later=0):
        """Fork a `Worker` that runs in this folder.

        When it is the `later`-th, the nursery then imports what only some figures use, while the
        workers are at work.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                pid = self.ask("fork", send=[theirs.fileno()], cwd=str(cwd), later=later)["pid"]
            except NurseryGone:
                ours.close()
                raise
        return Worker(self, pid, ours)

    def close(self):
        """End the nursery and every worker that it forked."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._answers.close()
        self._socket.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Worker:
    """A forked process, as seen by the process that sends it cells."""

    def __init__(self, nursery, pid, channel):
        self.pid, self.shown = pid, {}
        self._nursery, self._channel = nursery, channel
        self._stream = channel.makefile("rw", encoding="utf-8")

    def run(self, source, timeout=None):
        """Run a cell.

        Parameters
        ----------
        source : str
        timeout : float, optional
            Seconds.

        Returns
        -------
        count : int
            Execution count.
        outputs : list of dict
            As the notebook format has them.

        Raises
        ------
        WorkerFailed
        """
        self._channel.settimeout(timeout)
        try:
            self._stream.write(json.dumps(source) + "\n")
            self._stream.flush()
            answer = self._stream.readline()
        except TimeoutError as error:
            raise WorkerFailed(f"the cell took longer than {timeout:g} seconds") from error
        except OSError as error:
            raise WorkerFailed(f"the kernel died ({error})") from error
        if not answer:
            raise WorkerFailed(f"the kernel died ({self._how_it_ended()})")
        answer = json.loads(answer)
        return answer["count"], answer["outputs"]

    def _how_it_ended(self):
        try:
            status = self._nursery.ask("wait", pid=self.pid)["status"]
        except NurseryGone as error:
            return error
        return f"exit status {status}" if status >= 0 else signal.Signals(-status).name

    def kill(self):
        """Kill the worker and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def stop(self):
        """Kill the worker and leave nothing behind."""
        self.kill()
        with contextlib.suppress(OSError):
            self._stream.close()
        self._channel.close()


def serve(channel, review):
    """Answer requests on a socket until its other end closes (runs in the nursery)."""
    import gc

    from helpers import provenance
    from helpers.render.worker import make_shell

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # while importing, collections take a tenth of the time and find nothing
    shell = make_shell()
    _import(PRELOADED)
    if review:
        from helpers.review.review import hold

        with contextlib.suppress(Exception):  # `check` tells its faults
            hold(review)
    provenance.versions()  # both are kept, and so computed once for all
    provenance.code_hash()
    # A collection in a worker need not touch, and so copy, what all workers share; and the few
    # hundred figures of a report are no reason for a hundred collections.
    gc.freeze()
    gc.set_threshold(300_000, 20, 100)
    gc.enable()
    running, forks = set(), 0
    try:
        # The other end may die at any moment, also while an answer is on its way to it.
        with channel, contextlib.suppress(ConnectionError):
            while True:
                request, descriptors, *_ = socket.recv_fds(channel, 65536, 1)
                if not request:
                    break
                request = json.loads(request)
                answer = _answer(request, descriptors, channel, shell, running)
                channel.sendall(json.dumps(answer).encode() + b"\n")
                forks += request["what"] == "fork"
                if forks == request.get("later"):
                    _import(LATER)
    finally:
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _answer(request, descriptors, channel, shell, running):
    if request["what"] == "check":
        return check(request["review"], request["families"])
    if request["what"] == "wait":
        running.discard(request["pid"])
        return {"status": os.waitstatus_to_exitcode(os.waitpid(request["pid"], 0)[1])}
    pid = os.fork()
    if pid == 0:
        os.close(channel.detach())
        _become_worker(request["cwd"], descriptors[0], shell)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)  # by both sides: whoever comes first, a signal finds the group
    os.close(descriptors[0])
    running.add(pid)
    return {"pid": pid}


def _import(modules):
    for name in modules:
        # What cannot be imported fails in the notebook that imports it, with a place and a name.
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _become_worker(cwd, descriptor, shell):
    from helpers.render import worker

    status = 1
    try:
        os.setpgid(0, 0)
        os.chdir(cwd)
        worker.serve(shell, socket.socket(fileno=descriptor))
        status = 0
    finally:
        os._exit(status)


def check(folder, families=()):
    """Check a review.

    Returns
    -------
    dict
        ``faults`` as lines of text; else the number of ``warnings``, how many ``experiments`` each
        family has, and the digest of the ``rows`` of those asked for.
    """
    from helpers.problems import ReviewError
    from helpers.review.review import load

    try:
        review = load(folder)
    except ReviewError as error:
        return {"faults": [str(finding) for finding in error.findings]}
    parts = {name: review.part(family.outcomes) for name, family in review.families.items()}
    return {
        "faults": [],
        "warnings": len(review.warnings),
        "experiments": {name: len(part.experiments) for name, part in parts.items()},
        "rows": {name: parts[name].digest() for name in families},
    }


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
    os._exit(0)  # nothing is left to tidy, and taking it all down would take a while
