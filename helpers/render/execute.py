"""One report: its notebook run by Papermill, and what its cells showed turned into files."""

import json
import os
import re
import sys
import threading
from pathlib import Path

import nbformat
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.translators import PythonTranslator

from helpers.page import document
from helpers.problems import ReportFailed, printable
from helpers.render.jobs import OVERVIEW
from helpers.review.description import PROJECT
from helpers.writing import MIME, leaves

ENGINE = "preclinical"
CELL_TIMEOUT = 900  # seconds; no cell takes minutes

LONGEST = 200  # bytes of a file's name; disks take 255, with endings and what stands beside

_exporting = threading.Lock()  # nbconvert's exporter keeps state while it works


class InWorker(Engine):
    """Papermill's way of running a notebook, in a `helpers.render.workers.Worker`."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man, kernel_name, *, worker, on_cell_start, execution_timeout, **_
    ):
        """Run the code cells one after the other, until one fails.

        What they show is left in `worker.shown`, by the number of the cell: Papermill would
        encode all of it once more, in order to write it nowhere.

        Parameters
        ----------
        nb_man : papermill.engines.NotebookExecutionManager
        kernel_name : str
            Not looked at.
        worker : helpers.render.workers.Worker
        on_cell_start : callable
            Called with ``cell`` and ``cell_index``, as nbclient does.
        execution_timeout : float
            Seconds that a cell may take.
        """
        for index, cell in enumerate(nb_man.nb.cells):
            if cell.cell_type != "code":
                continue
            nb_man.cell_start(cell, cell_index=index)
            on_cell_start(cell=cell, cell_index=index)
            cell.execution_count, outputs = worker.run(cell.source, execution_timeout)
            if errors := [output for output in outputs if output["output_type"] == "error"]:
                cell.outputs = [nbformat.from_dict(error) for error in errors]
                nb_man.cell_exception(cell, cell_index=index)
                break
            worker.shown[index] = outputs
            nb_man.cell_complete(cell, cell_index=index)


papermill_engines.register(ENGINE, InWorker)


def warm_up():
    """Export once, which compiles schemas and templates, while workers get ready."""
    cells = [nbformat.v4.new_code_cell("0"), nbformat.v4.new_markdown_cell("*0*")]
    document.export(nbformat.v4.new_notebook(cells=cells), title="")


def make(job, workers, review, say, seconds=None):
    """Run one notebook and turn it into the files of its report.

    Parameters
    ----------
    job : helpers.render.jobs.Job
    workers : helpers.render.workers.Workers
    review : bytes
        The job's, of `Workers.checked`.
    say : helpers.render.progress.Progress
    seconds : float, optional
        That a cell may take; `CELL_TIMEOUT` by default.

    Returns
    -------
    dict of str to bytes
        By path inside the folder of reports.

    Raises
    ------
    ReportFailed
        Whatever goes wrong: it is the trouble of this report alone.
    """
    try:
        return _make(job, workers, review, say, seconds or CELL_TIMEOUT)
    except ReportFailed as failure:
        raise ReportFailed(_without_paths(printable(str(failure)), job)) from failure
    except UnicodeEncodeError as error:
        what = f"it shows a character that no text can hold, {error.object[error.start]!r}"
        raise ReportFailed(what) from error
    except Exception as error:
        what = _without_paths(printable(f"{type(error).__name__}: {error}"), job)
        raise ReportFailed(f"what its notebook showed cannot be made a page ({what})") from error


def _make(job, workers, review, say, seconds):
    notebook = _execute(job, workers, review, say, seconds)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = [output.data[MIME] for output in outputs if MIME in output.get("data", {})]
    blocks = [part for note in shown for part in leaves(note)]
    files = collect(job.family, blocks)

    with _exporting:
        html = document.export(_still(notebook, job), title=f"{job.label}: {job.title}")
    return files | {f"{job.family}.html": html.encode()}


def _execute(job, workers, review, say, seconds, *, again=True):
    """Execute a notebook in a worker of its own; one that does not start gets a second try."""
    place, worker = _Place(job, say), None
    try:
        worker = workers.start(job.notebook.parent, review, job.parameters["review"])
        say.begun(job)
        return _with_papermill(job, place, worker, seconds)
    except ReportFailed:
        raise
    except Exception as error:
        if place.cell is None and again:
            return _execute(job, workers, review, say, seconds, again=False)
        last = (str(error).strip().splitlines() or [""])[-1]
        raise ReportFailed(f"{place}: {type(error).__name__}: {last}") from error
    finally:
        if worker:
            worker.stop()


def _with_papermill(job, place, worker, seconds):
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
            execution_timeout=seconds,
            on_cell_start=place.enter,
            engine_name=ENGINE,
            worker=worker,
        )
    except PapermillExecutionError as error:
        raise ReportFailed(f"{place}: {error.ename}: {error.evalue}") from error
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
            cell.source = _without_paths(cell.source, job)
        for output in cell.get("outputs", ()):
            if output["output_type"] == "stream":
                output["text"] = _without_paths(output["text"], job)
    return notebook


def _without_paths(text, job):
    """A text without the folders of this machine, however a program writes them."""
    folder = Path(job.parameters["review"])
    for written, name in zip(_written(folder), _written(Path(job.shown)), strict=True):
        text = text.replace(written, name)
    for place in (PROJECT, Path(sys.prefix), Path(os.path.expanduser("~"))):
        if place.is_absolute() and place != place.parent:
            for written in dict.fromkeys(_written(place)):
                text = re.sub(re.escape(written) + r"(\\\\|[\\/])", "", text)
    return text


def _written(folder):
    """A folder as systems, Python, JSON and Papermill write it."""
    plain = str(folder)
    quoted = (ascii, repr, json.dumps, PythonTranslator.translate_escaped_str)
    return [plain, folder.as_posix(), *(write(plain)[1:-1] for write in quoted)]


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
    files, named = {}, set()
    for block in blocks:
        if block.get("csv") is not None:
            if block["name"] in named:
                raise ReportFailed(f"two figures or tables are called {block['name']!r}")
            named.add(block["name"])
            stem = _file_name(block["name"], {Path(name).stem.casefold() for name in files})
            files[f"tables/{family}/{stem}.csv"] = block["csv"].encode()
        if block["kind"] == "results":
            try:
                text = json.dumps(block["results"], ensure_ascii=False, allow_nan=False, indent=1)
            except ValueError as error:
                raise ReportFailed(f"its results are no JSON: {error}") from error
            files[f"{family}.json"] = text.encode()
    return files


def _file_name(name, taken):
    """A name that any disk can hold beside those taken, which differ from it by more than case."""
    stem = re.sub(r"[^\w.-]", "-", name).encode()[:LONGEST].decode(errors="ignore")
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    return next(one for one in names if one.casefold() not in taken)
