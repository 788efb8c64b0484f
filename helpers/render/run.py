"""Reports of a review: what is due is rendered by workers and put in place."""

import gc
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from helpers.problems import NotWritten, Refused, ReportFailed, of_system, printable
from helpers.render import output
from helpers.render.jobs import NOTEBOOKS, due, entry, inputs, notes, plan
from helpers.render.progress import Progress
from helpers.render.workers import Workers
from helpers.review.description import DEFAULT, PROJECT, describe

REPORTS = PROJECT / "reports"


def render(
    families=(), *, review=None, out=None, settings=(), jobs=None, notebooks=None, force=False,
    quiet=False, seconds=None,
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
    seconds : float, optional
        That a cell may take; 900 by default.

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
    notebooks = Path(notebooks or NOTEBOOKS).resolve()
    if out == description.folder:
        raise Refused(f"{out} holds the review itself. Name a folder of its own with --out.")
    every = plan(description, families, settings, notebooks)
    with output.kept(out, review=description.id):
        todo, failed = _render(
            every, description, out, notebooks,
            jobs=jobs, force=force, quiet=quiet, seconds=seconds,
        )  # fmt: skip
    if not quiet:
        print(
            f"{todo - failed} of {len(every)} reports rendered, "
            f"{len(every) - todo} up to date, {failed} failed, "
            f"{time.perf_counter() - started:.1f} s"
        )
        print(f"Open {printable(str(out / 'index.html'))}")
    return 1 if failed else 0


def _render(every, description, out, notebooks, *, jobs, force, quiet, seconds):
    """Render what is due into a folder that nobody else writes to; how many were, and failed."""
    files, entries = inputs(description), output.remembered(out)
    todo, doubtful = (every, []) if force else due(every, entries, files, out)
    failed, index = 0, None
    if todo or doubtful:
        output.refuse_unwritable(out, [job.family for job in todo])
        with Workers(description.folder, out) as workers:
            _import_all()  # while the fork server imports the scientific stack
            excluded = [job.parameters.get("exclude") for job in (*todo, *doubtful)]
            checked = workers.checked([job.family for job in doubtful], filter(None, excluded))
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
                making = _made(todo, jobs or _cores(), workers, description, say, seconds)
                for job, made in making:
                    made, kept = _placed(job, made, out, description, files)
                    if isinstance(made, ReportFailed):
                        failed += 1
                        old = entries.get(job.family, {"review": description.id})
                        entries[job.family] = old | {"failure": str(made)}
                    else:
                        entries[job.family] = kept
                    output.remember(out, entries)
                    say.ended(job, made)
            changed = _noted(entries, description, files, notebooks)
            if todo or changed:  # there, as pandas need not be imported here
                index = workers.call(output.index_page, out, description, entries)
    else:
        changed = _noted(entries, description, files, notebooks)
    if index is None and (changed or not (out / "index.html").is_file()):
        index = output.index_page(out, description, entries)
    if index is not None:
        output.put(out, {"index.html": index.encode("utf-8", "backslashreplace")})
        output.remember(out, entries)
    return len(todo), failed


def _placed(job, made, out, description, files):
    """Put a report in place; gives its files or its failure, and what to remember of it.

    A report whose review changed while it was made may show old rows under the new files' hashes.
    """
    if isinstance(made, ReportFailed):
        return made, None
    try:
        changed = sorted({name for name, _ in inputs(description).items() ^ files.items()})
        if changed:
            what = f"{', '.join(changed)} changed while the report was made. Render it again."
            return ReportFailed(what), None
        kept = entry(job, made, files, description.id)
        output.put(out, made, instead=f"tables/{job.family}")
    except NotWritten as error:
        return ReportFailed(str(error)), None
    except OSError as error:
        return ReportFailed(of_system(error)), None
    except (AttributeError, TypeError, ValueError) as error:
        return ReportFailed(f"its results are of another shape: {error}"), None
    return made, kept


def _noted(entries, description, files, notebooks):
    """Whether what the index says of reports made otherwise differs from what it said before."""
    before = {family: made.get("note", "") for family, made in entries.items()}
    now = notes(description, entries, files, notebooks)
    for family, note in now.items():
        entries[family]["note"] = note
    return before != now


def folder_of(description):
    """Folder of a review's reports: `reports/` of the project's own, a folder in it of others."""
    if description.folder == DEFAULT:
        return REPORTS
    name = re.sub(r"[^\w.-]+", "-", description.id).strip(".-") or "review"
    return REPORTS / name.encode()[:200].decode(errors="ignore")


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


def _made(todo, jobs, workers, description, say, seconds):
    """Make reports in this order; each job as it ends, with its files or its failure."""
    from helpers.render.execute import make

    pool = ThreadPoolExecutor(jobs)  # not waited for: an interrupt ends the workers first
    started = {pool.submit(make, job, workers, description, say, seconds): job for job in todo}
    for future in as_completed(started):
        failure = future.exception()
        if failure and not isinstance(failure, ReportFailed):
            failure = ReportFailed(f"{type(failure).__name__}: {failure}")
        yield started[future], failure or future.result()
