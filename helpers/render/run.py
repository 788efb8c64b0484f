"""Reports of reviews: what is due is rendered by one pool of workers and put in place."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from helpers.problems import ProjectError, Refused, ReportFailed, of_system, printable
from helpers.render import output, reviews
from helpers.render.cluster.client import Cluster
from helpers.render.cluster.host import Made
from helpers.render.imports import import_all
from helpers.render.jobs import NOTEBOOKS
from helpers.render.progress import Progress
from helpers.render.workers import Workers


def render(
    names=(), *, review=None, out=None, settings=(), jobs=None, notebooks=None, force=False,
    quiet=False, seconds=None, scheduler=None,
):  # fmt: skip
    """Render what is due of the reports of one review or several.

    What is wrong with one of several reviews, or fails in one, is said and keeps no other from being
    rendered.

    Parameters
    ----------
    names : list of str
        Families, or ``overview``, of each review that has them, all by default; and folders of
        reviews, the project's own by default.
    review, out, notebooks : path, optional
        Folder of a review, of the reports and of the notebooks. Reports of the project's own review
        go to the project's `reports/`, those of another to a folder of its id inside; to `out` those
        of one review, to a folder of its id inside `out` those of each of several.
    settings : list of str
        ``NAME=VALUE`` as on the command line.
    jobs : int, optional
        Notebooks at a time; the number of usable cores by default.
    force : bool
        Render also what has not changed.
    quiet : bool
        Say nothing but faults.
    seconds : float, optional
        That a cell may take; 900 by default.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers then make the reports instead of this machine.

    Returns
    -------
    int
        0 when all reports are rendered, 1 when one failed or a review was refused, 2 when all were.

    Raises
    ------
    Refused, ReviewError
        For a fault in input or usage of a single review or of the call, before anything is written.
    """
    started, notebooks = time.perf_counter(), Path(notebooks or NOTEBOOKS).resolve()
    made, root, trouble, passed_over = reviews.editions(
        names, review=review, out=out, settings=settings, notebooks=notebooks
    )
    alone = len(made) + len(trouble) == 1
    with ExitStack() as stack:
        batch = Batch(made, trouble)
        output.allow_open(len(made))
        batch.each(lambda one: stack.enter_context(output.kept(one.out)))
        batch.each(lambda one: one.look(force=force))
        jobs = jobs or cores()
        batch.render(root, jobs=jobs, quiet=quiet, seconds=seconds, scheduler=scheduler)
        for refusal in trouble.values() if alone else ():
            raise refusal
    for folder, refusal in trouble.items():
        named = "" if str(refusal).startswith(folder) else f"{folder}: not rendered. "
        _say(printable(f"{named}{refusal}"))
    for name in [] if quiet else passed_over:
        print(f"{printable(name)}: passed over, it is no folder of a review")
    if batch.editions and not quiet:
        print(f"{batch.summary()}, {time.perf_counter() - started:.1f} s")
        print(f"Open {printable(str((root if len(made) > 1 else made[0].out) / 'index.html'))}")
    return 2 if not batch.editions else 1 if trouble or batch.failed else 0


class Batch:
    """Editions that are rendered together, each until it meets trouble.

    Parameters
    ----------
    editions : list of helpers.render.edition.Edition
    trouble : dict
        By folder, why an edition is none of them any more.
    """

    def __init__(self, editions, trouble):
        self.editions, self._trouble = list(editions), trouble

    @property
    def failed(self):
        """How many reports failed."""
        return sum(one.failed for one in self.editions)

    def summary(self):
        """What was done, as a phrase."""
        every = sum(len(one.jobs) for one in self.editions)
        todo = sum(len(one.todo) for one in self.editions)
        of = f" of {len(self.editions)} reviews" if len(self.editions) > 1 else ""
        return (
            f"{todo - self.failed} of {every} reports{of} rendered, "
            f"{every - todo} up to date, {self.failed} failed"
        )

    def each(self, do, over=map):
        """Do something with each edition; those that meet trouble are rendered no further."""
        every = list(self.editions)
        for one, error in zip(every, list(over(_trouble(do), every)), strict=True):
            self._drop(one, error)

    def _drop(self, one, error):
        if error is not None:
            self._trouble[str(one.description.folder)] = error
            self.editions.remove(one)

    def render(self, root, *, jobs, quiet, seconds, scheduler):
        """Render what is due and write each index, at last the one that leads to all."""
        if not any(one.is_due for one in self.editions):
            self._finish(root, lambda function, *arguments: function(*arguments), _say)
            return
        with ExitStack() as stack:
            # Asked before anything is read: a scheduler that does not answer ends the call.
            cluster = stack.enter_context(Cluster(scheduler, _say)) if scheduler else None
            workers = stack.enter_context(Workers(self.editions[0].out))
            if not cluster:
                import_all()  # while the fork server imports the scientific stack
            pool = ThreadPoolExecutor(jobs)  # not waited for: an interrupt ends the workers first
            self.each(lambda one: one.read(workers) if one.is_due else None, pool.map)
            todo = [(one, job) for one in self.editions for job in one.todo]
            todo.sort(key=lambda due: -due[0].weight(due[1]))
            with Progress([job for _, job in todo], quiet) as say:
                if count := sum(one.warnings for one in self.editions):
                    say(f"{count} warnings about the sheet; `python -m helpers check` lists them")
                if cluster:
                    making = arriving(
                        todo, lambda *due: cluster.submit(*due, seconds), cluster.again
                    )
                else:
                    making = arriving(todo, _locally(pool, workers, say, seconds))
                for one, job, made, spent in making:
                    if one in self.editions:
                        arrived = _trouble(self._arrived)
                        self._drop(one, arrived(one, job, made, spent, say, workers.call, root))
                    if not self.editions:
                        break
            self._finish(root, workers.call, _say)

    @staticmethod
    def _arrived(one, job, made, spent, say, call, root):
        say.ended(job, one.place(job, made), spent)
        if one.is_complete and one.out != root:
            one.finish(call)

    def _finish(self, root, call, say):
        self.each(lambda one: one.finish(call) if one.out != root and not one.is_new else None)
        if self.editions:
            reviews.lead_to_all(root, self.editions, call, say)


def _trouble(do):
    """Something to do that gives what goes wrong, None for nothing."""

    def attempt(*arguments):
        try:
            do(*arguments)
        except ProjectError as error:
            return error
        except OSError as error:
            return Refused(of_system(error))
        return None

    return attempt


def _say(line):
    print(line, file=sys.stderr)


def cores():
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _locally(pool, workers, say, seconds):
    """How a job is submitted to this machine's own workers."""
    from helpers.render.execute import make

    return lambda one, job: pool.submit(make, job, workers, one.review, say, seconds)


def arriving(todo, submit, again=lambda made: False):
    """Make reports in this order; each as it ends, with its files or its failure, and its seconds.

    Parameters
    ----------
    todo : list of (Edition, Job)
    submit : callable
        Takes an edition and a job, gives a future.
    again : callable, optional
        Whether a result is none, and the job to be sent once more.
    """
    ended, started = SimpleQueue(), {}

    def send(one, job):
        future = submit(one, job)
        started[future] = one, job
        future.add_done_callback(ended.put)

    for one, job in todo:
        send(one, job)
    while started:
        future = ended.get()
        one, job = started.pop(future)
        failure, seconds = future.exception(), None
        made = failure or future.result()
        if failure and not isinstance(failure, ReportFailed):
            made = ReportFailed(f"{type(failure).__name__}: {failure}")
        elif again(made):
            send(one, job)
            continue
        elif isinstance(made, Made):
            made, seconds = made
        yield one, job, made, seconds
