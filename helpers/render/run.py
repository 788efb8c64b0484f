"""Reports of a review: what is due is rendered by workers and put in place."""

import gc
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from helpers.problems import ReportFailed
from helpers.render import output
from helpers.render.jobs import NOTEBOOKS, due, entry, inputs, plan
from helpers.render.progress import Progress
from helpers.render.workers import Workers
from helpers.review.description import DEFAULT, PROJECT, describe

REPORTS = PROJECT / "reports"


def render(
    families=(), *, review=None, out=None, settings=(), jobs=None, notebooks=None, force=False,
    quiet=False,
):  # fmt: skip
    """Render what is due of a review's reports.

    Parameters
    ----------
    families : list of str
        Families of the review, or ``overview``; all by default.
    review, out, notebooks : path, optional
        Folder of the review, of the reports and of the notebooks; the project's own by default.
        Reports of another review go to a folder of its id inside the project's.
    settings : list of str
        ``NAME=VALUE`` as on the command line.
    jobs : int, optional
        Notebooks at a time; the number of usable cores by default.
    force : bool
        Render also what has not changed.
    quiet : bool
        Say nothing but faults.

    Returns
    -------
    int
        0 when all reports are rendered, 1 when one failed.

    Raises
    ------
    Refused, ReviewError
        For a fault in input or usage, before anything is written.
    """
    started = time.perf_counter()
    description = describe(review)
    out = Path(out or folder_of(description)).expanduser().resolve()
    every = plan(description, families, settings, Path(notebooks or NOTEBOOKS).resolve())
    files, entries = inputs(description), output.remembered(out)
    todo, doubtful = (every, []) if force else due(every, entries, files, out)
    failed, index = 0, None
    if todo or doubtful:
        with Workers(description.folder) as workers:
            _import_all()  # while the fork server imports the scientific stack
            checked = workers.checked([job.family for job in doubtful])
            for job in doubtful:
                if checked["rows"][job.family] != entries[job.family]["rows"]:
                    todo.append(job)
                else:  # as made from the new files
                    entries[job.family]["files"] = files
            output.remember(out, entries)
            with Progress(todo, quiet) as say:
                if count := checked["warnings"]:
                    say(f"{count} warnings about the sheet; `python -m helpers check` lists them")
                drawn = checked["experiments"]
                todo.sort(key=lambda job: -job.weight(drawn.get(job.family, 0)))
                jobs = jobs or _cores()
                for job, made in _made(todo, jobs, workers, description, say):
                    if isinstance(made, ReportFailed):
                        failed += 1
                        old = entries.get(job.family, {})
                        entries[job.family] = old | {"failure": str(made)}
                    else:
                        output.put(out, made, instead=f"tables/{job.family}")
                        entries[job.family] = entry(job, made, files)
                    output.remember(out, entries)
                    say.ended(job, made)
            if todo:  # there, as pandas need not be imported here
                index = workers.call(output.index_page, out, description, entries)
    if index is None and not (out / "index.html").is_file():
        index = output.index_page(out, description, entries)
    if index is not None:
        output.put(out, {"index.html": index.encode()})
    if not quiet:
        print(
            f"{len(todo) - failed} of {len(every)} reports rendered, "
            f"{len(every) - len(todo)} up to date, {failed} failed, "
            f"{time.perf_counter() - started:.1f} s"
        )
        print(f"Open {out / 'index.html'}")
    return 1 if failed else 0


def folder_of(description):
    """Folder of a review's reports: `reports/` of the project's own, a folder in it of others."""
    if description.folder == DEFAULT:
        return REPORTS
    return REPORTS / (re.sub(r"[^\w.-]+", "-", description.id).strip(".-") or "review")


def _import_all():
    """Import Papermill and nbconvert, and export once.

    Without collections, which find nothing here, and without a grammar of internationalised web
    addresses: jsonschema compiles it on import, in 0.7 seconds, in order to check a format that
    notebooks do not have; where it does not find the grammar, it goes without.
    """
    absent = "rfc3987_syntax" not in sys.modules
    if absent:
        sys.modules["rfc3987_syntax"] = None
    gc.disable()
    try:
        from helpers.render import execute

        execute.warm_up()
    finally:
        gc.enable()
        if absent:
            del sys.modules["rfc3987_syntax"]


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _made(todo, jobs, workers, description, say):
    """Make reports in this order; each job as it ends, with its files or its failure."""
    from helpers.render.execute import make

    pool = ThreadPoolExecutor(jobs)  # not waited for: an interrupt ends the workers first
    started = {pool.submit(make, job, workers, description, say): job for job in todo}
    for future in as_completed(started):
        failure = future.exception()
        if failure and not isinstance(failure, ReportFailed):
            raise failure
        yield started[future], failure or future.result()
