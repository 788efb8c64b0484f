"""Which reports a review has, and which of them are due.

Nothing heavy is imported here: a second call with nothing changed costs a fraction of a second.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from helpers.problems import Refused, nearest
from helpers.provenance import code_hash, input_hashes, sha256, versions
from helpers.render.parameters import declared, resolve
from helpers.review.description import PROJECT

NOTEBOOKS = PROJECT / "notebooks"
OVERVIEW = "overview"


@dataclass(frozen=True)
class Job:
    """One report to make.

    Attributes
    ----------
    family, label : str
    notebook : Path
    cells : tuple of dict
        Those of the notebook, without the sections of outcomes that were not chosen.
    parameters : dict
    key : str
        Hash of notebook, parameters, code and versions.
    outcomes : int
        How many are analysed.
    """

    family: str
    label: str
    notebook: Path
    cells: tuple
    parameters: dict
    key: str
    outcomes: int

    @property
    def size(self):
        """Number of code cells."""
        return sum(cell["cell_type"] == "code" for cell in self.cells)

    def weight(self, experiments):
        """By which the longest job is begun first: the milliseconds that it takes, about."""
        return 3 * self.size + 19 * self.outcomes + 5 * experiments


def plan(description, families=(), settings=(), notebooks=NOTEBOOKS):
    """Make a job of every report asked for, the overview first, then as the review has them.

    Parameters
    ----------
    description : helpers.review.description.Description
    families : list of str
        Ids of families, or ``overview``; all by default.
    settings : list of str
        ``NAME=VALUE`` as on the command line.
    notebooks : Path
        Folder of the notebooks.

    Returns
    -------
    list of Job

    Raises
    ------
    Refused
    """
    labels = {family.id: family.label for family in description.families.values()}
    if (notebooks / f"{OVERVIEW}.ipynb").is_file():
        labels = {OVERVIEW: "Overview", **labels}
    for family in families:
        if family not in labels:
            raise Refused(f"{family}: no such report. {nearest(family, labels)}")
    chosen = [family for family in labels if not families or family in families]
    paths = {family: _notebook(notebooks, family, description) for family in chosen}
    cells = {path: _cells(path) for path in set(paths.values())}
    known = {family: declared(cells[path], path) for family, path in paths.items()}
    values = _select(resolve(settings, known), description, named=bool(families))
    return [
        _job(description, family, labels[family], path, cells[path], known[family], values[family])
        for family, path in paths.items()
        if family in values
    ]


def _job(description, family, label, path, cells, known, parameters):
    if "review" not in known:
        raise Refused(f"{path}: its parameters have no `review`. Add review = None.")
    if "family" in known:
        parameters = parameters | {"family": family}
    made_from = json.dumps([path.name, cells, parameters, code_hash(), versions()])
    every = description.outcomes if family == OVERVIEW else description.families[family].outcomes
    default = known["outcomes"].default if "outcomes" in known else None
    chosen = parameters.get("outcomes") or _ids(outcomes=(default, every))["outcomes"]
    return Job(
        family,
        label,
        path,
        cells=tuple(cell for cell in cells if not chosen or _is_about(cell, chosen)),
        parameters=parameters | {"review": str(description.folder)},
        key=sha256(made_from.encode()),
        outcomes=len(chosen or every),
    )


def _notebook(notebooks, family, description):
    """Choose a family's own notebook where it has a section for each outcome, else the general."""
    own, general = notebooks / f"{family}.ipynb", notebooks / "family.ipynb"
    if own.is_file():
        told = {outcome for cell in _cells(own) for outcome in _outcomes_of(cell)}
        due = () if family == OVERVIEW else description.families[family].outcomes
        if not told or told.issuperset(due) or not general.is_file():
            return own
    if general.is_file():
        return general
    raise Refused(f"{family}: there is neither {own} nor {general}. Add one of them.")


def _cells(path):
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [{"metadata": {}, **cell} for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path}: this is not a notebook of format 4 ({error!r})") from error


def _outcomes_of(cell):
    """Outcomes in whose section a cell stands: its tags ``outcome-<id>``."""
    return {tag[8:] for tag in cell["metadata"].get("tags", ()) if tag.startswith("outcome-")}


def _is_about(cell, outcomes):
    own = _outcomes_of(cell)
    return not own or not own.isdisjoint(outcomes)


def _select(values, description, *, named):
    """Refuse unknown outcomes and moderators; leave out families of which nothing is chosen."""
    selected = {}
    for family, chosen in values.items():
        known = {"outcomes": description.outcomes, "moderators": description.moderators}
        try:
            ids = _ids(**{name: (chosen[name], known[name]) for name in known if name in chosen})
        except Refused as refusal:
            raise Refused(f"-p {refusal}") from refusal
        chosen = chosen | ids
        outcomes = chosen.get("outcomes")
        if outcomes and family != OVERVIEW:
            own = description.families[family].outcomes
            chosen = chosen | {"outcomes": [one for one in outcomes if one in own]}
            if not chosen["outcomes"]:
                if named:
                    raise Refused(f"-p outcomes: none is of {family}, which has {', '.join(own)}.")
                continue
        selected[family] = chosen
    return selected


def _ids(**lists):
    """Ids that parameters name: each a value as it was set, and the ids that there are."""
    if all(value is None for value, _ in lists.values()):
        return {name: None for name in lists}
    from helpers.analysis.settings import (
        chosen_ids,  # with all of the statistics, which takes its time
    )

    return {name: chosen_ids(name, *given) for name, given in lists.items()}


def inputs(description):
    """Hash every file that a report of this review can read.

    Returns
    -------
    dict of str to str
        Path relative to the review's folder to SHA-256.
    """
    folder = description.folder
    named = [folder / text for text in _texts(description.config)]
    # A text may be too long for a name of a file, which `Path.is_file` raises.
    elsewhere = [p for p in named if os.path.isfile(p) and not p.is_relative_to(folder)]
    before = input_hashes(folder / description.previous) if description.previous else {}
    return (
        input_hashes(folder)
        | {f"{description.previous}/{k}": v for k, v in before.items()}
        | {os.path.relpath(path, folder): sha256(path.read_bytes()) for path in elsewhere}
    )


def _texts(config):
    """Collect the short texts of review.toml: some of them name files."""
    if isinstance(config, dict | list):
        parts = config.values() if isinstance(config, dict) else config
        return [text for part in parts for text in _texts(part)]
    return [config] if isinstance(config, str) and 0 < len(config) < 200 else []


def due(jobs, entries, files, out):
    """Tell which reports do not stand there as they would be rendered.

    Parameters
    ----------
    jobs : list of Job
    entries : dict
        What `entry` gave when each family was rendered.
    files : dict of str to str
        Of `inputs`.
    out : Path
        Folder of the reports.

    Returns
    -------
    due, doubtful : list of Job
        A doubtful report is due if its rows have changed: only they can have.
    """
    states = [(job, _state(entries.get(job.family), job, files, out)) for job in jobs]
    return tuple([job for job, state in states if state == kind] for kind in ("due", "doubtful"))


def _state(entry, job, files, out):
    if not entry or "failure" in entry or entry["key"] != job.key:
        return "due"
    for name, expected in entry["outputs"].items():
        if not (out / name).is_file() or sha256((out / name).read_bytes()) != expected:
            return "due"
    # A new file makes every report due, since nobody knows who would read it.
    changed = {name for name, _ in files.items() ^ entry["files"].items()}
    if changed & set(entry["used"]) or files.keys() != entry["files"].keys():
        return "due"
    return "doubtful" if changed and entry["rows"] else "current"


def entry(job, contents, files):
    """What to remember of a rendered report in order to know later whether it is due.

    Parameters
    ----------
    job : Job
    contents : dict of str to bytes
        Files of the report.
    files : dict of str to str
        Of `inputs`. A report depends on those that its provenance names, or on all; where it
        names the digest of its rows, these may have come through any other.
    """
    results = json.loads(contents.get(f"{job.family}.json", b"{}"))
    origin = results.get("provenance") or {}
    used = {"review.toml", *(origin.get("inputs") or files)}
    if not origin.get("rows"):
        used |= {name for name in files if name.startswith("..")}
    return {
        "key": job.key,
        "files": files,
        "used": sorted(used),
        "rows": origin.get("rows"),
        "outputs": {name: sha256(content) for name, content in sorted(contents.items())},
    }
