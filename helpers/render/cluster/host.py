"""What makes reports on a worker of a cluster: a process of its own, asked through its pipes.

A worker of a cluster may be a thread, or a process that is not allowed to start others as Python's
`multiprocessing` does; beside it this process holds a fork server with all that reports import. It
ends when the worker does.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from helpers.problems import ReportFailed
from helpers.provenance import code_hash, versions
from helpers.review.description import PROJECT

# Not by `-m`: as `__main__` nobody would find the classes of its answers.
COMMAND = (sys.executable, "-c", "from helpers.render.cluster.host import main; main()")

_own = threading.local()  # a host for each thread that a worker computes in


class Made(NamedTuple):
    """A report as it comes back: its files or its failure, and the seconds that it took."""

    files: object
    seconds: float


class Stranger(NamedTuple):
    """The answer of a worker that has another version of the program, which it tells."""

    worker: str
    program: dict


def program():
    """What must be the same wherever reports of one call are made."""
    return {"code": code_hash(), **versions()}


def report(parcel, text, seconds, wanted):
    """Make a report; this is what a worker of a cluster calls.

    Parameters
    ----------
    parcel : bytes
        A pickled `parcel.Parcel`.
    text : bytes
        Of `parcel.letter`.
    seconds : float or None
        That a cell may take.
    wanted : dict
        Of `program` where the call was made.

    Returns
    -------
    Made or Stranger
    """
    if program() != wanted:
        return Stranger(_worker(), program())
    for _ in range(2):  # a host that was killed, for its memory or by hand, is started once more
        if getattr(_own, "host", None) is None:
            _own.host = Host()
        try:
            return _own.host.ask(parcel, text, seconds)
        except (EOFError, OSError, pickle.UnpicklingError):
            _own.host.stop()
            _own.host = None
    return Made(ReportFailed("the process that made it died, twice"), 0.0)


def _worker():
    from distributed import get_worker

    return get_worker().address


class Host:
    """The other end of a process that runs `main`."""

    def __init__(self):
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )

    def ask(self, *question):
        """Have a report made: what `report` takes, but for the program."""
        pickle.dump(question, self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)

    def stop(self):
        """End the process and what it started."""
        with suppress(OSError):  # what it was not asked yet
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def main():
    """Answer questions from standard input, until it ends."""
    from helpers.render.imports import import_all
    from helpers.render.workers import Workers

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what else is printed is no answer
    with tempfile.TemporaryDirectory(prefix="preclinical-") as folder:
        threading.Thread(target=_end_with, args=(os.getppid(), folder), daemon=True).start()
        with Workers(folder) as workers:
            import_all()
            with suppress(EOFError):
                while True:
                    question = pickle.load(sys.stdin.buffer)
                    pickle.dump(_answer(*question, workers, folder), answers)
                    answers.flush()


def _answer(parcel, text, seconds, workers, folder):
    from helpers.render.cluster.parcel import unpack
    from helpers.render.execute import make
    from helpers.render.progress import Silence

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder) as root:
        try:
            parcel = pickle.loads(parcel)
            job = unpack(parcel, text, Path(root))
            files = make(job, workers, parcel.review, Silence(), seconds)
        except (ReportFailed, OSError) as failure:
            files = ReportFailed(str(failure))
    return Made(files, time.perf_counter() - begun)


def _end_with(parent, folder):
    """End when the worker has ended, however: its notebooks end with this process."""
    import shutil

    while os.getppid() == parent:
        time.sleep(0.5)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
