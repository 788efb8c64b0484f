"""Reports of a review: which are due, run by Papermill, written as HTML, JSON and CSV.

Until it is known that something is due, nothing heavy is imported: a second call with nothing
changed costs a fraction of a second.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from helpers import provenance
from helpers.description import PROJECT, describe, nearest
from helpers.nursery import Nursery, NurseryGone, check
from helpers.parameters import Refused, declared, resolve

NOTEBOOKS = PROJECT / "notebooks"
REPORTS = PROJECT / "reports"
MANIFEST = ".manifest.json"
BLOCK = "application/vnd.preclinical.block+json"
OVERVIEW = "overview"

# Seconds. A loaded machine may take a minute to start a kernel; no cell takes minutes.
START_TIMEOUT = 120
CELL_TIMEOUT = 900

# What would differ between machines or days. 1 January 2025, the year of the first review.
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


@dataclass(frozen=True)
class Job:
    """One report to make."""

    family: str
    label: str
    notebook: Path
    cells: tuple
    parameters: dict
    key: str

    @property
    def size(self):
        """Number of code cells: what takes longest is begun first."""
        return sum(cell["cell_type"] == "code" for cell in self.cells)


class ReportFailed(RuntimeError):
    """One report failed; the text says in which cell and why."""


def render(
    families=(),
    *,
    review=None,
    out=None,
    settings=(),
    jobs=None,
    notebooks=None,
    force=False,
    quiet=False,
):
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
        For a fault in input or usage, before anything runs.
    """
    started = time.perf_counter()
    description = describe(review)
    out = Path(out or REPORTS).expanduser().resolve()
    plan = jobs_of(description, families, settings, Path(notebooks or NOTEBOOKS).resolve())
    files = inputs(description)
    entries = read_manifest(out)
    due = plan if force else due_of(plan, entries, files, out)
    failures = {}
    if due:
        say = _Progress(due, quiet)
        with _Kernels(description) as kernels:
            for warning in kernels.checked():
                say.line(f"warning: {warning}")
            for job, outcome in _run(due, jobs or _cores(), kernels, description, say):
                if isinstance(outcome, ReportFailed):
                    failures[job.family] = str(outcome)
                    entries[job.family] = entries.get(job.family, {}) | {"failure": str(outcome)}
                else:
                    hashes = _publish(out, job.family, outcome)
                    entries[job.family] = {
                        "key": job.key,
                        "inputs": _read_by(outcome, job.family, files),
                        "outputs": hashes,
                    }
        say.close()
    if due or not (out / "index.html").is_file():
        _write_index(out, description, entries)
        _write(out / MANIFEST, json.dumps(entries, indent=1, sort_keys=True).encode())
    if not quiet:
        done = len(due) - len(failures)
        spent = time.perf_counter() - started
        print(
            f"{done} of {len(plan)} reports rendered, {len(plan) - len(due)} were up to date "
            f"({spent:.1f} s)"
        )
        print(f"Open {out / 'index.html'}")
    return 1 if failures else 0


# --- What is due -----------------------------------------------------------------------------


def jobs_of(description, families, settings, notebooks):
    """Make a job of every report asked for, in the order of the review.

    Returns
    -------
    list of Job
    """
    labels = {family.id: family.label for family in description.families.values()}
    if (notebooks / f"{OVERVIEW}.ipynb").is_file():
        labels[OVERVIEW] = "Overview"
    for family in families:
        if family not in labels:
            raise Refused(f"{family}: no such report. {nearest(family, labels)}.")
    chosen = [family for family in labels if not families or family in families]
    paths = {family: _notebook(notebooks, family, description) for family in chosen}
    cells = {family: _cells(path) for family, path in paths.items()}
    known = {family: declared(cells[family], path) for family, path in paths.items()}
    values = _select(resolve(settings, known), description, bool(families))
    code = [provenance.code_hash(), provenance.versions()]
    jobs = []
    for family in values:
        if "review" not in known[family]:
            raise Refused(
                f"{paths[family]}: the parameters cell has no `review`; add review = None"
            )
        parameters = dict(values[family])
        if "family" in known[family]:
            parameters["family"] = family
        outcomes = parameters.get("outcomes") or getattr(
            known[family].get("outcomes"), "default", None
        )
        key = _digest(json.dumps([paths[family].name, cells[family], parameters, code]).encode())
        parameters["review"] = str(description.folder)
        kept = tuple(cell for cell in cells[family] if _is_kept(cell, outcomes))
        jobs.append(Job(family, labels[family], paths[family], kept, parameters, key))
    return jobs


def inputs(description):
    """Hash every file that a report of this review can read.

    Returns
    -------
    dict of str to str
        Path relative to the review's folder to SHA-256.
    """
    folder = description.folder
    named = [folder / text for text in _texts(description.config)]
    elsewhere = [path for path in named if path.is_file() and not path.is_relative_to(folder)]
    return provenance.input_hashes(folder) | {
        os.path.relpath(path, folder): provenance.sha256(path) for path in elsewhere
    }


def _texts(config):
    """Collect short texts of review.toml: some of them name files."""
    if isinstance(config, dict | list):
        parts = config.values() if isinstance(config, dict) else config
        return [text for part in parts for text in _texts(part)]
    return [config] if isinstance(config, str) and 0 < len(config) < 200 else []


def _notebook(notebooks, family, description):
    """Choose a family's own notebook where it has a section for each outcome, else the general."""
    own, general = notebooks / f"{family}.ipynb", notebooks / "family.ipynb"
    if family == OVERVIEW:
        return own
    if own.is_file():
        told = {
            tag[8:] for cell in _cells(own) for tag in _tags(cell) if tag.startswith("outcome-")
        }
        if not told or told >= set(description.families[family].outcomes) or not general.is_file():
            return own
    if general.is_file():
        return general
    raise Refused(f"{family}: there is neither {own} nor {general}. Add one of them.")


def _cells(path):
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [dict(cell, metadata=cell.get("metadata", {})) for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path}: this is not a notebook of format 4 ({error!r})") from error


def _tags(cell):
    return cell["metadata"].get("tags", ())


def _is_kept(cell, outcomes):
    about = {tag[8:] for tag in _tags(cell) if tag.startswith("outcome-")}
    return not outcomes or not about or bool(about & set(outcomes))


def _select(values, description, named):
    """Refuse unknown outcomes; leave out families of which none is chosen."""
    selected = {}
    for family, chosen in values.items():
        outcomes = chosen.get("outcomes")
        if not outcomes:
            selected[family] = chosen
            continue
        for outcome in outcomes:
            if outcome not in description.outcomes:
                raise Refused(
                    f"-p outcomes: {outcome!r} is no outcome of this review. "
                    f"{nearest(outcome, description.outcomes)}."
                )
        if family == OVERVIEW:
            selected[family] = chosen
            continue
        own = [one for one in outcomes if one in description.families[family].outcomes]
        if own:
            selected[family] = chosen | {"outcomes": own}
        elif named:
            raise Refused(
                f"-p outcomes: none of them belongs to {family}, which has "
                f"{', '.join(description.families[family].outcomes)}."
            )
    return selected


def _digest(content):
    return hashlib.sha256(content).hexdigest()


def read_manifest(out):
    """Read what was rendered into a folder of reports, and from what; a dict by family."""
    try:
        return json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def due_of(plan, entries, files, out):
    """Choose the jobs whose report does not stand there as it would be rendered.

    Parameters
    ----------
    plan : list of Job
    entries : dict
        Of `read_manifest`.
    files : dict of str to str
        Of `inputs`.
    out : Path

    Returns
    -------
    list of Job
    """
    return [job for job in plan if not _is_current(entries.get(job.family), job, files, out)]


def _is_current(entry, job, files, out):
    """Whether a report stands there as rendered, from the same inputs, parameters and code."""
    if not entry or "failure" in entry or entry["key"] != job.key:
        return False
    read = entry["inputs"]
    if any(files.get(name) != digest for name, digest in read["used"].items()):
        return False
    if sorted(files) != read["present"]:
        return False
    paths = {out / name: digest for name, digest in entry["outputs"].items()}
    return all(path.is_file() and _digest(path.read_bytes()) == d for path, d in paths.items())


def _read_by(contents, family, files):
    """Find what a report was made from: the inputs that its provenance names, or all."""
    results = json.loads(contents.get(f"{family}.json", b"{}"))
    named = {"review.toml", *((results.get("provenance") or {}).get("inputs") or files)}
    used = {name: digest for name, digest in files.items() if name in named or name[:2] == ".."}
    return {"used": used, "present": sorted(files)}


# --- Running ---------------------------------------------------------------------------------


class _Kernels:
    """Where kernels come from: a nursery where processes can fork, else new interpreters."""

    def __init__(self, description):
        self.review = description.folder
        self.folder = tempfile.mkdtemp(prefix="reports-")
        paths = [str(PROJECT), os.environ.get("PYTHONPATH")]
        self.environment = {
            **os.environ,
            **FIXED,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "IPYTHONDIR": str(Path(self.folder) / "ipython"),  # nobody's own configuration
        }
        forks = hasattr(os, "fork") and os.environ.get("PRECLINICAL_KERNEL") != "spawn"
        self.nursery = Nursery(self.environment) if forks else None
        self.made, self.over = [], False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        for kernel in self.made:
            kernel.kill()  # whoever still waits for it can end
        if self.nursery:
            self.nursery.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def checked(self):
        """Check the review; raises `Refused` for its faults, returns its warnings."""
        _import_quickly()
        try:
            found = self.nursery.ask("check", review=str(self.review)) if self.nursery else None
        except NurseryGone:
            self.nursery.close()
            self.nursery = found = None
        found = found or check(str(self.review))
        if found["faults"]:
            lines = "\n".join(f"  {fault}" for fault in found["faults"])
            raise Refused(f"{self.review} has faults; nothing was rendered:\n{lines}")
        return found["warnings"]

    def new(self, *, fork=True):
        """Make a kernel, not yet started."""
        from helpers.kernel import Manager

        if self.over:
            raise ReportFailed("interrupted")
        nursery = self.nursery if fork else None
        kernel = Manager(folder=self.folder, environment=self.environment, nursery=nursery)
        self.made.append(kernel)
        return kernel


def _import_quickly():
    """Import Papermill and nbconvert, without 0.7 seconds for a grammar that nobody uses here.

    jsonschema compiles the grammar of internationalised web addresses on import, if it finds it,
    in order to check a string format that notebooks do not have.
    """
    absent = "rfc3987_syntax" not in sys.modules
    if absent:
        sys.modules["rfc3987_syntax"] = None
    try:
        import nbconvert.exporters.html  # noqa: F401
        import papermill.execute  # noqa: F401

        from helpers import kernel, page  # noqa: F401
    finally:
        if absent:
            del sys.modules["rfc3987_syntax"]


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(due, jobs, kernels, description, say):
    """Yield each job with its files or its failure, in the order in which they end."""
    order = sorted(due, key=lambda job: -job.size)
    done = []
    ready = threading.Semaphore(0)

    def work(job):
        try:
            result = make(job, kernels, description, say)
        except Exception as error:
            result = error
        done.append((job, result))
        ready.release()

    pool = ThreadPoolExecutor(jobs)
    try:
        for job in order:
            pool.submit(work, job)
        for _ in order:
            ready.acquire()
            job, result = done.pop(0)
            if isinstance(result, Exception) and not isinstance(result, ReportFailed):
                raise result
            say.finished(job, result)
            yield job, result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def make(job, kernels, description, say):
    """Run one notebook and turn it into the files of its report.

    Returns
    -------
    dict of str to bytes
        Path inside the folder of reports to content.
    """
    from helpers import page

    say.begun(job)
    notebook = _execute(job, kernels, say)
    blocks = [
        output["data"][BLOCK]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if BLOCK in output.get("data", {})
    ]
    files = collect(job.family, blocks)
    title = f"{job.label}: {description.title}"
    with _exporting:
        html = page.export(_still(notebook, job), title=title)
    return files | {f"{job.family}.html": html.encode()}


def _execute(job, kernels, say):
    """Execute a job's notebook; a kernel that does not start is tried once more, as an ordinary."""
    for fork in (True, False):
        kernel = kernels.new(fork=fork)
        place = _Place(job, say)
        try:
            return _with_papermill(job, kernel, place)
        except ReportFailed:
            raise
        except Exception as error:
            if place.cell is None and fork:
                continue
            raise ReportFailed(f"{place}: {_last_line(error)}") from error
        finally:
            kernel.stop()
    raise AssertionError("unreachable")


def _with_papermill(job, kernel, place):
    import nbformat
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    source = json.loads(job.notebook.read_text(encoding="utf-8")) | {"cells": list(job.cells)}
    try:
        return execute_notebook(
            nbformat.from_dict(_with_ids(source)),
            None,
            parameters=job.parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            execution_timeout=CELL_TIMEOUT,
            km=kernel,
            on_cell_start=place.enter,
            resources={"metadata": {"path": str(job.notebook.parent)}},
        )
    except PapermillExecutionError as error:
        raise ReportFailed(f"{place}: {error.ename}: {error.evalue}") from error


class _Place:
    """The cell that runs, for progress and for the message of a failure."""

    def __init__(self, job, say):
        self.job, self.say, self.cell, self.index = job, say, None, 0

    def enter(self, cell, cell_index):
        self.cell, self.index = cell, cell_index
        self.say.cell(self.job)

    def __str__(self):
        if self.cell is None:
            return f"{self.job.notebook.name}, kernel not started"
        lines = [line for line in self.cell["source"].splitlines() if line.strip()]
        return f"{self.job.notebook.name}, cell {self.index + 1} ({lines[0] if lines else ''})"


def _last_line(error):
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[-1] if text else ''}"


def _with_ids(notebook):
    """Name cells by their place: an id made up at random would change the bytes of the page."""
    for number, cell in enumerate(notebook["cells"]):
        cell.setdefault("id", f"cell-{number}")
    return notebook


def _still(notebook, job):
    """Take out of an executed notebook what differs between runs, folders and machines."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        for name in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in _tags(cell):
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
            text = json.dumps(block["results"], ensure_ascii=False, allow_nan=False, indent=1)
            files[f"{family}.json"] = text.encode()
    return files


# --- Writing ---------------------------------------------------------------------------------


def _publish(out, family, files):
    """Put a report in place of its predecessor, whole or not at all; returns hashes by path."""
    tables = out / "tables" / family
    fresh = tables.with_name(f".{family}-{os.getpid()}")
    try:
        for name, content in files.items():
            path = out / name
            path = fresh / path.name if path.parent == tables else _beside(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        stale = tables.with_name(f".{family}-{os.getpid()}-stale")
        if tables.exists():
            os.replace(tables, stale)
        if fresh.exists():
            os.replace(fresh, tables)
        for name in files:
            if (out / name).parent != tables:
                os.replace(_beside(out / name), out / name)
        shutil.rmtree(stale, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        for name in files:
            _beside(out / name).unlink(missing_ok=True)
    return {name: _digest(content) for name, content in sorted(files.items())}


def _beside(path):
    return path.with_name(f".{path.name}-{os.getpid()}")


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    _beside(path).write_bytes(content)
    os.replace(_beside(path), path)


def _write_index(out, description, entries):
    """Write the index over all reports of the review, rendered now or before, or failed."""
    from helpers import blocks, page

    labels = {family.id: family.label for family in description.families.values()}
    rows = [
        _index_entry(out, family, label, entries.get(family))
        for family, label in {OVERVIEW: "Overview", **labels}.items()
        if family in entries or family != OVERVIEW
    ]
    banner = blocks.banner(description.evidence).html
    text = page.index(rows, title=description.title, lead=description.citation, banner=banner)
    _write(out / "index.html", text.encode())


def _index_entry(out, family, label, entry):
    page, data = out / f"{family}.html", out / f"{family}.json"
    row = {"family": family, "label": label, "status": "not rendered", "message": None}
    if entry is None:
        return row
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    results = json.loads(data.read_bytes()) if data.is_file() else {}
    failure = entry.get("failure")
    return row | {
        "status": "FAILED" if failure else "ok",
        "message": failure,
        "href": page.name if text else None,
        "outcomes": [
            _index_outcome(name, outcome, text)
            for name, outcome in (results.get("outcomes") or {}).items()
        ],
    }


def _index_outcome(name, outcome, text):
    from helpers.page import slug

    anchor = slug(outcome["label"])
    fields = ("k", "estimate", "ci_low", "ci_high")
    return {
        "id": name,
        **{field: outcome[field] for field in ("label", "better", "published")},
        **{field: outcome["chosen"].get(field) for field in fields},
        "anchor": anchor if f'id="{anchor}"' in text else None,
    }


class _Progress:
    """A bar on a terminal, plain lines elsewhere, nothing on request."""

    def __init__(self, due, quiet):
        self._quiet = quiet
        self._started = {}
        self._bar = None
        if not quiet and sys.stderr.isatty():
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # no thread of its own
            total = sum(job.size + 1 for job in due)  # Papermill adds a cell
            self._bar = tqdm(total=total, unit="cell", leave=False, file=sys.stderr)

    def line(self, text):
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        elif not self._quiet:
            sys.stderr.write(f"{text}\n")  # in one piece: others write at the same time

    def begun(self, job):
        self._started[job.family] = time.perf_counter()
        if self._bar is None:
            self.line(f"{job.family}: started, {job.size} cells")

    def cell(self, job):
        if self._bar is not None:
            self._bar.set_description(job.family, refresh=False)
            self._bar.update()

    def finished(self, job, result):
        spent = time.perf_counter() - self._started[job.family]
        if isinstance(result, ReportFailed):
            failure = f"{job.family}: FAILED, {result}"
            if self._quiet:
                print(failure, file=sys.stderr)
            self.line(failure)
        else:
            size = len(result[f"{job.family}.html"]) / 1e6
            self.line(f"{job.family}: rendered in {spent:.1f} s, {size:.1f} MB")

    def close(self):
        if self._bar is not None:
            self._bar.close()
