"""Processes that run notebooks: forks of one that has imported everything, where forks exist.

Python's own fork server imports the scientific stack once (`helpers.render.preload`), while the
main process imports Papermill and nbconvert; a worker is then ready in milliseconds and shares its
memory. Where a system cannot fork, each worker is a new interpreter. A worker leads a session of
its own: Ctrl-C is for the main process to act on, and whatever a notebook started ends with it.
"""

import contextlib
import multiprocessing
import os
import pickle
import shutil
import signal
import tempfile
import threading
import traceback
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import NamedTuple

from helpers.problems import ProjectError, Refused
from helpers.render.output import BESIDE
from helpers.review.description import PROJECT

START_TIMEOUT = 120  # seconds; a loaded machine may take a minute
# Bytes: macOS allows 103 for the name of a socket, of which `/pymp-12345678/listener-12345678` has 32.
LONGEST_FOLDER = 71

# What would differ between machines or days. The epoch is 1 January 2025.
FIXED = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "SOURCE_DATE_EPOCH": "1735689600",
    "MPLBACKEND": "agg",
    # One thread a worker: as many workers as cores run already, and sums keep their order.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


class WorkerFailed(ProjectError, RuntimeError):
    """A worker did not start or died, or a cell took too long."""


class Workers:
    """Workers for the notebooks of any review, in the fixed environment; all end with it.

    Parameters
    ----------
    beside : Path, optional
        Folder for what they need while they work; the system's by default.
    """

    def __init__(self, beside=None):
        self._beside, self._running, self._over = beside, set(), False
        self._context = multiprocessing.get_context(_start_method())

    def __enter__(self):
        self._before, self._own = (
            dict(os.environ),
            tempfile.mkdtemp(prefix=BESIDE, dir=self._beside),
        )
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        # Nobody's own configuration of IPython.
        os.environ.update(FIXED, PYTHONPATH=path, IPYTHONDIR=self._own)
        if self._context.get_start_method() == "forkserver":
            self._context.set_forkserver_preload(["helpers.render.preload"])
            forkserver.ensure_running()  # imports while this process does
        return self

    def __exit__(self, *_):
        self._over = True
        running = list(self._running)
        for worker in running:
            worker.kill()  # whoever still waits for it can end
        for worker in running:
            worker.join(5)  # it writes nothing any more
        os.environ.clear()
        os.environ.update(self._before)
        shutil.rmtree(self._own, ignore_errors=True)

    def checked(self, folder, families, excluded=()):
        """Read and check a review, once for all workers.

        Parameters
        ----------
        folder : Path
        families : list of str
            Those whose rows' digest is wanted.
        excluded : list
            What parameters `exclude` name, which only the rows can tell.

        Returns
        -------
        found : dict
            The number of ``warnings``, how many ``experiments`` each family has, and the digest of
            the ``rows`` of those asked for.
        review : bytes
            For `start`.

        Raises
        ------
        Refused
            With all faults of the review.
        """
        found, review = self.call(_checked, str(folder), list(families), list(excluded))
        if found["faults"]:
            lines = "\n".join(f"  {fault}" for fault in found["faults"])
            raise Refused(f"{folder} has faults, nothing was rendered:\n{lines}")
        return found, review

    def call(self, function, *arguments):
        """Call a function of the project where all that it imports is there already.

        Raises
        ------
        Refused, OSError
            As the function raises them.
        WorkerFailed
            Where it fails otherwise, or its process dies.
        """
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_call, args=(theirs, function, *arguments), daemon=True
        )
        process.start()
        theirs.close()
        try:
            found = ours.recv()
        except EOFError:
            raise WorkerFailed(f"the process of {function.__name__} died") from None
        finally:
            ours.close()
        process.join()
        if isinstance(found, _Failed):
            raise found.error
        return found

    def start(self, folder, review=None, at=None):
        """Start a `Worker` that runs in a folder and holds a review of `checked`.

        Parameters
        ----------
        folder : path
        review : bytes, optional
        at : path, optional
            Folder of the review.
        """
        if self._over:
            raise WorkerFailed("interrupted")
        worker = Worker(self._context, folder, (review, at), self._running)
        if self._over:  # meanwhile: whoever ended the others did not see this one
            worker.kill()
        return worker


class Worker:
    """A process that runs the cells of one notebook.

    Parameters
    ----------
    context : multiprocessing context
    folder : path
        The current folder of its cells.
    held : tuple of (bytes, path), optional
        A pickled `Review` with the one before it, so that the notebook need not read them again,
        and the folder where it lies.
    running : set, optional
        In which it stands as long as it runs.

    Attributes
    ----------
    shown : dict of int to list
        For whoever runs cells: outputs by the number of the cell.
    """

    def __init__(self, context, folder, held=(None, None), running=None):
        self._pipe, theirs = context.Pipe()
        self._running = set() if running is None else running
        arguments = theirs, str(folder), dict(os.environ), *held
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.shown, self.pid = {}, self._process.pid
        self._running.add(self)
        with contextlib.suppress(EOFError, OSError):
            if self._pipe.poll(START_TIMEOUT) and self._pipe.recv() == "ready":
                return
        self.stop()
        raise WorkerFailed("the kernel did not start")

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
        try:
            self._pipe.send(source)
            if not self._pipe.poll(timeout):
                raise WorkerFailed(
                    f"the cell took longer than {timeout:g} seconds; --cell-seconds sets the limit"
                )
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(10)
            status = self._process.exitcode
            signalled = status is not None and status < 0
            how = signal.Signals(-status).name if signalled else f"exit status {status}"
            raise WorkerFailed(f"the kernel died ({how})") from error

    def kill(self):
        """Kill the worker and whatever it started, from any thread."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()

    def join(self, seconds):
        """Wait until it has ended."""
        with contextlib.suppress(AssertionError, ValueError):  # somebody stopped it already
            self._process.join(seconds)

    def stop(self):
        """Kill the worker and leave nothing behind."""
        self.kill()
        self._process.join()
        self._running.discard(self)  # its number may be another process's from now on
        self._pipe.close()


def _start_method():
    """How a worker comes about; `PRECLINICAL_START=spawn` tries here what Windows does.

    A fork server is spoken to through a socket in the system's temporary folder, whose whole name
    may have few bytes.
    """
    is_there = "forkserver" in multiprocessing.get_all_start_methods()
    is_short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST_FOLDER
    return os.environ.get("PRECLINICAL_START", "forkserver" if is_there and is_short else "spawn")


class _Failed(NamedTuple):
    """What a function raised, on its way through a pipe."""

    error: Exception


def _call(pipe, function, *arguments):
    try:
        found = function(*arguments)
    except (Refused, OSError) as error:
        found = _Failed(error)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})"
        found = _Failed(WorkerFailed(f"{function.__name__} failed with {what}"))
    pipe.send(found)


def _checked(folder, families, excluded=()):
    """What `Workers.checked` returns, and the pickled review."""
    from helpers.analysis.settings import chosen_ids
    from helpers.problems import ReviewError
    from helpers.review.review import load, load_before

    try:
        review = load(folder)
    except ReviewError as error:
        return {"faults": [str(finding) for finding in error.findings]}, None
    for value in excluded:
        try:
            chosen_ids("exclude", value, review.experiments.index)
        except Refused as refusal:
            raise Refused(f"-p {refusal}") from None
    parts = {name: review.part(family.outcomes) for name, family in review.families.items()}
    found = {
        "faults": [],
        "warnings": len(review.warnings),
        "experiments": {name: len(part.experiments) for name, part in parts.items()},
        "rows": {name: parts[name].digest() for name in families},
    }
    before = None
    if review.previous:
        with contextlib.suppress(ProjectError):  # which the report says that asks for it
            before = load_before(review)
    return found, pickle.dumps((review, before), pickle.HIGHEST_PROTOCOL)


def _serve(pipe, folder, environment, review, at):
    """Run the cells that come through the pipe, until it closes."""
    if hasattr(os, "setsid"):
        os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()  # the fork server keeps that of the time when it was started
    os.environ.update(environment)
    os.chdir(folder)
    from helpers.render.preload import SHELL
    from helpers.review.review import hold

    if review:
        hold(*pickle.loads(review), folder=at)
    SHELL.take_streams()
    pipe.send("ready")
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(SHELL.run(pipe.recv()))


def _end_with_parent():
    """End, with all that was started here, when the main process is gone, however it went."""
    connection.wait([multiprocessing.parent_process().sentinel])
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
