"""The end of a cluster that asks: reports are sent to a Dask scheduler, and come back."""

import pickle
from concurrent.futures import Future
from importlib.util import find_spec

from helpers.problems import Refused, ReportFailed
from helpers.render.cluster import host
from helpers.render.cluster.parcel import letter, pack

PATIENCE = 15  # seconds in which a scheduler answers
INSTALL = (
    "python .ci/locks/install.py dask, or in another environment: "
    "pip install -r .ci/locks/dask.lock"
)


def _same(content):
    return content


class Cluster:
    """Workers of a Dask cluster, as `helpers.render.run` asks them for reports.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.
    say : callable
        Takes a line for a person.
    """

    def __init__(self, address, say):
        self._address, self._say = address, say
        self._parcels, self._strangers, self._program = {}, {}, host.program()

    def __enter__(self):
        if find_spec("distributed") is None:
            raise Refused(f"A cluster needs distributed. Install by: {INSTALL}")
        from distributed import Client

        try:
            self._client = Client(self._address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            last = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise Refused(
                f"--scheduler {self._address}: no scheduler answers there ({last}). Start one by "
                "`dask scheduler`, and say the address that it tells."
            ) from error
        try:
            self._refuse_strangers()
        except BaseException:
            self._client.close()
            raise
        self._executor = self._client.get_executor(pure=False)
        return self

    def __exit__(self, *_):
        self._client.close()

    def _refuse_strangers(self):
        """Refuse, before work, a cluster of which any worker has another program."""
        found = self._client.run(host.program, on_error="return")
        if not found:
            self._say("The cluster has no worker yet; reports wait for one.")
        told = [_told(worker, one, self._program) for worker, one in found.items()]
        if any(told):
            lines = "".join(f"\n  {line}" for line in filter(None, told))
            raise Refused(f"Workers of the cluster cannot make the same reports:{lines}")

    @property
    def executor(self):
        """Its `concurrent.futures` interface."""
        return self._executor

    def submit(self, edition, job, seconds):
        """Send a job; it comes back as a future of a `host.Made` or a `host.Stranger`.

        Raises
        ------
        ReportFailed
            Where no worker is left that has this version of the program.
        """
        parcel = self._parcels.get(edition)
        if parcel is None:
            content = pickle.dumps(pack(edition.description, edition.review))
            # A result of the cluster's own: where the worker that holds it dies, it comes anew.
            parcel = self._client.submit(_same, content, pure=False)
            self._parcels[edition] = parcel
        where = {}
        if self._strangers:
            every = self._client.nthreads()
            where = {"workers": [one for one in every if one not in self._strangers]}
            if not where["workers"]:
                return _failed("; ".join(self._strangers.values()))
        executor = self._client.get_executor(pure=False, **where) if where else self._executor
        return executor.submit(host.report, parcel, letter(job), seconds, self._program)

    def again(self, answer):
        """Whether an answer is no report: that of a worker that came later, with another program.

        It gets nothing more.
        """
        if not isinstance(answer, host.Stranger):
            return False
        if answer.worker not in self._strangers:
            told = _told(answer.worker, answer.program, self._program)
            self._strangers[answer.worker] = told
            self._say(f"{told}; nothing more is sent to it")
        return True


def _failed(why):
    future = Future()
    future.set_exception(ReportFailed(f"no worker is left that can make it: {why}"))
    return future


def _told(worker, program, here):
    """What keeps a worker from making the same reports; empty for nothing."""
    if isinstance(program, BaseException):
        return f"{worker} has no such program ({type(program).__name__}: {program})"
    other = [name for name in here if program.get(name) != here[name]]
    differs = [f"{name} {program.get(name)}, here {here[name]}" for name in other]
    return f"{worker} has another version: {'; '.join(differs)}" if differs else ""
