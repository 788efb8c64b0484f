"""Reports of a review: notebooks run by Papermill, written as HTML, JSON and CSV."""

import gc
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from helpers.render import output as shelf
from helpers.render.jobs import NOTEBOOKS, OVERVIEW, due, entry, inputs, plan
from helpers.render.nursery import Nursery, NurseryGone, check
from helpers.render.parameters import Refused
from helpers.review.description import PROJECT, describe

REPORTS = PROJECT / "reports"
BLOCK = "application/vnd.preclinical.block+json"

# Seconds. A loaded machine may take a minute to start a kernel; no cell takes minutes.
START_TIMEOUT = 120
CELL_TIMEOUT = 900

# What would differ between machines or days. The epoch is 1 January 2025.
FIXED = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "SOURCE_DATE_EPOCH": "1735689600",
    "MPLBACKEND": "agg",
    # One thread a kernel: as many kernels as cores run already, and sums keep their order.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

_exporting = threading.Lock()  # nbconvert's exporter keeps state while it works


class ReportFailed(RuntimeError):
    """One report failed; the text says in which cell and why."""


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
    out = Path(out or REPORTS).expanduser().resolve()
    every = plan(description, families, settings, Path(notebooks or NOTEBOOKS).resolve())
    files, entries = inputs(description), shelf.remembered(out)
    todo, doubtful = (every, []) if force else due(every, entries, files, out)
    failed = 0
    if todo or doubtful:
        with _Kernels(description) as kernels:
            _import_all()  # while the nursery imports the scientific stack
            checked = kernels.checked([job.family for job in doubtful])
            for job in doubtful:
                if checked["rows"][job.family] != entries[job.family]["rows"]:
                    todo.append(job)
                else:  # as made from the new files
                    entries[job.family]["files"] = files
            shelf.remember(out, entries)
            with _Progress(todo, quiet) as say:
                if count := checked["warnings"]:
                    say(f"{count} warnings about the sheet; `python -m helpers check` lists them")
                drawn = checked["experiments"]
                todo.sort(key=lambda job: -job.weight(drawn.get(job.family, 0)))
                jobs = jobs or _cores()
                kernels.later = jobs if len(todo) > jobs else 0
                for job, made in _made(todo, jobs, kernels, description, say):
                    if isinstance(made, ReportFailed):
                        failed += 1
                        old = entries.get(job.family, {})
                        entries[job.family] = old | {"failure": str(made)}
                    else:
                        shelf.put(out, made, instead=f"tables/{job.family}")
                        entries[job.family] = entry(job, made, files)
                    shelf.remember(out, entries)
                    say.ended(job, made)
    if todo or not (out / "index.html").is_file():
        shelf.put_index(out, description, entries)
    if not quiet:
        print(
            f"{len(todo) - failed} of {len(every)} reports rendered, "
            f"{len(every) - len(todo)} up to date, {failed} failed, "
            f"{time.perf_counter() - started:.1f} s"
        )
        print(f"Open {out / 'index.html'}")
    return 1 if failed else 0


class _Kernels:
    """Where kernels come from: a nursery where processes can fork, else new interpreters."""

    def __init__(self, description):
        self._review = str(description.folder)
        self._folder = tempfile.mkdtemp(prefix="reports-")
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        own = {"PYTHONPATH": path, "IPYTHONDIR": self._folder}  # nobody's own configuration
        self._environment = {**os.environ, **FIXED, **own}
        forks = hasattr(os, "fork") and os.environ.get("PRECLINICAL_KERNEL") != "spawn"
        self._nursery = Nursery(self._environment, self._review) if forks else None
        self._made, self._over = [], False
        self.later = 0  # after so many workers the nursery imports more

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over = True
        for kernel in self._made:
            kernel.kill()  # whoever still waits for it can end
        if self._nursery:
            self._nursery.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def checked(self, families):
        """Check the review, as `helpers.render.nursery.check`; raises `Refused` for its faults."""
        found = None
        if self._nursery:
            try:
                found = self._nursery.ask("check", review=self._review, families=families)
            except NurseryGone:
                self._nursery.close()
                self._nursery = None
        found = found or check(self._review, families)
        if found["faults"]:
            lines = "\n".join(f"  {fault}" for fault in found["faults"])
            raise Refused(f"{self._review} has faults, nothing was rendered:\n{lines}")
        return found

    def new(self, folder, *, fork):
        """Make a worker or kernel in a folder, and the options with which Papermill takes it."""
        from helpers.render.kernel import ENGINE, Manager

        if self._over:
            raise ReportFailed("interrupted")
        nursery = self._nursery
        if fork and nursery:
            made = nursery.fork(folder, later=self.later)
            options = {"engine_name": ENGINE, "worker": made}
        else:
            made = Manager(folder=self._folder, environment=self._environment)
            options = {"km": made, "resources": {"metadata": {"path": str(folder)}}}
        self._made.append(made)
        return made, options


def _import_all():
    """Import Papermill and nbconvert, and export once, which compiles schemas and templates.

    Without collections, which find nothing here, and without a grammar of internationalised web
    addresses: jsonschema compiles it on import, in 0.7 seconds, in order to check a format that
    notebooks do not have; where it does not find the grammar, it goes without.
    """
    absent = "rfc3987_syntax" not in sys.modules
    if absent:
        sys.modules["rfc3987_syntax"] = None
    gc.disable()
    try:
        import nbformat

        from helpers.page import document as page
        from helpers.render import kernel  # noqa: F401

        cells = [nbformat.v4.new_code_cell("0"), nbformat.v4.new_markdown_cell("*0*")]
        page.export(nbformat.v4.new_notebook(cells=cells), title="")
    finally:
        gc.enable()
        if absent:
            del sys.modules["rfc3987_syntax"]


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _made(todo, jobs, kernels, description, say):
    """Make reports in this order; each job as it ends, with its files or its failure."""
    pool = ThreadPoolExecutor(jobs)  # not waited for: an interrupt ends the kernels first
    started = {pool.submit(_make, job, kernels, description, say): job for job in todo}
    for future in as_completed(started):
        failure = future.exception()
        if failure and not isinstance(failure, ReportFailed):
            raise failure
        yield started[future], failure or future.result()


def _make(job, kernels, description, say):
    """Run one notebook and turn it into the files of its report."""
    notebook = _execute(job, kernels, say)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    blocks = [output.data[BLOCK] for output in outputs if BLOCK in output.get("data", {})]
    files = collect(job.family, blocks)
    from helpers.page import document as page

    with _exporting:
        html = page.export(_still(notebook, job), title=f"{job.label}: {description.title}")
    return files | {f"{job.family}.html": html.encode()}


def _execute(job, kernels, say, *, fork=True):
    """Execute a notebook; if its kernel does not start, an ordinary one gets a second try."""
    place, kernel = _Place(job, say), None
    try:
        kernel, options = kernels.new(job.notebook.parent, fork=fork)
        say.begun(job)
        return _with_papermill(job, place, options)
    except ReportFailed:
        raise
    except Exception as error:
        if place.cell is None and fork:
            return _execute(job, kernels, say, fork=False)
        last = (str(error).strip().splitlines() or [""])[-1]
        raise ReportFailed(f"{place}: {type(error).__name__}: {last}") from error
    finally:
        if kernel:
            kernel.stop()


def _with_papermill(job, place, options):
    import nbformat
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    source = json.loads(job.notebook.read_text(encoding="utf-8"))
    source["cells"] = [{"id": f"cell-{n}", **cell} for n, cell in enumerate(job.cells)]
    try:
        notebook = execute_notebook(
            nbformat.from_dict(source),
            None,
            parameters=job.parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            execution_timeout=CELL_TIMEOUT,
            on_cell_start=place.enter,
            **options,
        )
    except PapermillExecutionError as error:
        raise ReportFailed(f"{place}: {error.ename}: {error.evalue}") from error
    if worker := options.get("worker"):
        for index, outputs in worker.shown.items():
            notebook.cells[index].outputs = [nbformat.from_dict(output) for output in outputs]
    return notebook


class _Place:
    """The cell that runs, for progress and for the message of a failure."""

    def __init__(self, job, say):
        self._job, self._say, self.cell, self._index = job, say, None, 0

    def enter(self, cell, cell_index):
        self.cell, self._index = cell, cell_index
        self._say.cell(self._job, cell_index + 1)

    def __str__(self):
        if self.cell is None:
            return f"{self._job.notebook.name}, kernel not started"
        code = (self.cell["source"].strip().splitlines() or [""])[0]
        return f"{self._job.notebook.name}, cell {self._index + 1} ({code})"


def _still(notebook, job):
    """Take out of an executed notebook what differs between runs, folders and machines."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            folder = Path(job.parameters["review"])
            inside = folder.is_relative_to(PROJECT)
            shown = folder.relative_to(PROJECT).as_posix() if inside else folder.name
            cell.source = cell.source.replace(str(folder), shown)
    return notebook


def collect(family, blocks):
    """Data files of a report from what its cells showed, and a check that they showed it.

    Parameters
    ----------
    family : str
    blocks : list of dict
        ``{"kind", "name", "csv", "results"}`` in the order of the cells.

    Returns
    -------
    dict of str to bytes

    Raises
    ------
    ReportFailed
        When a family's report has no figure, no table or no results, or two tables of one name.
    """
    kinds = [block["kind"] for block in blocks]
    missing = [kind for kind in ("figure", "table", "results") if kind not in kinds]
    if missing and family != OVERVIEW:
        raise ReportFailed(f"the notebook ran, but showed no {' and no '.join(missing)}")
    if kinds.count("results") > 1:
        raise ReportFailed("the notebook showed its results twice")
    files = {}
    for block in blocks:
        if block.get("csv") is not None:
            stem = re.sub(r"[^\w.-]", "-", block["name"])
            name = f"tables/{family}/{stem}.csv"
            if name in files:
                raise ReportFailed(f"two figures or tables are called {block['name']!r}")
            files[name] = block["csv"].encode()
        if block["kind"] == "results":
            try:
                text = json.dumps(block["results"], ensure_ascii=False, allow_nan=False, indent=1)
            except ValueError as error:
                raise ReportFailed(f"its results are no JSON: {error}") from error
            files[f"{family}.json"] = text.encode()
    return files


class _Progress:
    """A bar on a terminal, plain lines elsewhere, nothing but failures on request."""

    def __init__(self, todo, quiet):
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own
        self._bar = tqdm(
            total=sum(job.size + 1 for job in todo),  # Papermill adds a cell
            unit="cell",
            leave=False,
            file=sys.stderr,
            disable=quiet or None,  # None: where there is no terminal
        )
        self._quiet, self._started = quiet, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()

    def __call__(self, text, *, always=False):
        if always or not self._quiet:  # in one piece: others write at the same time
            self._bar.write(f"{text}\n", file=sys.stderr, end="")

    def begun(self, job):
        self._started[job.family] = time.perf_counter()
        if self._bar.disable:
            self(f"{job.family}: started, {job.size} cells")

    def cell(self, job, number):
        self._bar.set_description(f"{job.family}, cell {number}", refresh=False)
        self._bar.update()

    def ended(self, job, made):
        if isinstance(made, ReportFailed):
            self(f"{job.family}: FAILED, {made}", always=True)
            return
        spent = time.perf_counter() - self._started[job.family]
        size = len(made[f"{job.family}.html"]) / 1e6
        self(f"{job.family}: rendered in {spent:.1f} s, {size:.1f} MB")
