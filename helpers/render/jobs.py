"""Which reports a review has, and which of them are due.

Nothing heavy is imported here: a second call with nothing changed costs a fraction of a second.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

from helpers import repository
from helpers.problems import Refused, nearest, printable
from helpers.provenance import code_hash, input_hashes, sha256, versions
from helpers.render.parameters import declared, resolve
from helpers.review.description import PROJECT
from helpers.sheet.names import fitting

NOTEBOOKS = PROJECT / "notebooks"
OVERVIEW = "overview"
WELCOME = "welcome"  # a notebook that is no report, even of a family of that name
PREVIOUS = "previous "  # before the names of its files


@dataclass(frozen=True)
class Job:
    """One report to make.

    Attributes
    ----------
    review, title, shown : str
        Id and title of the review, and what pages call its folder.
    family, label : str
    notebook : Path
    cells : tuple of dict
        Those of the notebook, without the sections of outcomes that were not chosen.
    parameters : dict
    key, made_by : str
        Hash of notebook, parameters, code and versions; the same without the parameters.
    outcomes : int
        How many are analysed.
    """

    review: str
    title: str
    shown: str
    family: str
    label: str
    notebook: Path
    cells: tuple
    parameters: dict
    key: str
    made_by: str
    outcomes: int

    @property
    def settings(self):
        """What a person set, beside the review and the family."""
        return {k: v for k, v in self.parameters.items() if k not in ("review", "family")}

    @property
    def size(self):
        """Number of code cells."""
        return sum(cell["cell_type"] == "code" for cell in self.cells)

    def weight(self, experiments):
        """By which the longest job is begun first: the milliseconds that it takes, about."""
        return 3 * self.size + 19 * self.outcomes + 5 * experiments


def labels(description, notebooks=NOTEBOOKS):
    """Reports that a review has, the overview first: labels by family."""
    own = {family.id: family.label for family in description.families.values()}
    there = (notebooks / f"{OVERVIEW}.ipynb").is_file()
    return {OVERVIEW: "Overview", **own} if there else own


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
    known_as = labels(description, notebooks)
    for family in families:
        if family not in known_as:
            raise Refused(f"{family}: no such report. {nearest(family, known_as)}")
    chosen = [family for family in known_as if not families or family in families]
    paths = {family: _notebook(notebooks, family, description) for family in chosen}
    cells = {path: _cells(path) for path in set(paths.values())}
    known = {family: declared(cells[path], path) for family, path in paths.items()}
    values = _select(resolve(settings, known), description, named=bool(families))
    return [
        _job(
            description, family, known_as[family], path, cells[path], known[family], values[family]
        )
        for family, path in paths.items()
        if family in values
    ]


def _job(description, family, label, path, cells, known, parameters):
    if "review" not in known:
        raise Refused(f"{path}: its parameters have no `review`. Add review = None.")
    if "family" in known:
        parameters = parameters | {"family": family}
    program = [path.name, cells, code_hash(), versions()]
    made_from = json.dumps([*program, parameters])
    every = description.outcomes if family == OVERVIEW else description.families[family].outcomes
    default = known["outcomes"].default if "outcomes" in known else None
    chosen = parameters.get("outcomes") or _ids(outcomes=(default, every))["outcomes"]
    return Job(
        description.id,
        description.title,
        description.shown,
        family,
        label,
        path,
        cells=tuple(cell for cell in cells if not chosen or _is_about(cell, chosen)),
        parameters=parameters | {"review": str(description.folder)},
        key=sha256(made_from.encode()),
        made_by=sha256(json.dumps(program).encode()),
        outcomes=len(chosen or every),
    )


def _notebook(notebooks, family, description):
    """Choose a family's own notebook where it has a section for each outcome, else the general."""
    own, general = notebooks / f"{family}.ipynb", notebooks / "family.ipynb"
    if own.is_file() and own.stem != WELCOME:
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
        if chosen.get("where"):
            chosen = chosen | {"where": _where(chosen["where"], description)}
        if chosen:
            _refuse_together(chosen, description)
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


def _where(value, description):
    from helpers.analysis.selection.subset import conditions

    try:
        return conditions(value, description.moderators)
    except Refused as refusal:
        raise Refused(f"-p {refusal}") from refusal


def _refuse_together(chosen, description):
    """Refuse settings that each can be meant, but not together, or not of this review."""
    from helpers.analysis import settings

    names = [one.name for one in fields(settings.Settings)]
    asked = {name: chosen[name] for name in names if chosen.get(name) is not None}
    if not asked:
        return
    try:
        rebuilds = description.article is not None
        settings.of_review(
            description.settings, description.model, rebuilds=rebuilds, parameters=asked
        )
    except Refused as refusal:
        raise Refused(f"-p {refusal}") from refusal


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
    found = input_hashes(folder)
    if before := description.previous:
        if at := repository.digest_at(folder, before):
            found[PREVIOUS + before] = at
        for name, digest in input_hashes(folder / before).items():
            found[f"{PREVIOUS}{before}/{name}"] = digest
    for path in elsewhere(description):
        with suppress(FileNotFoundError):  # it went meanwhile
            found[printable(_from(folder, path))] = sha256(path.read_bytes())
    return found


def elsewhere(description):
    """Files outside the review's folder that its `review.toml` names, in order."""
    folder = description.folder
    named = {path.resolve() for text in _texts(description.config) for path in _files(folder, text)}
    return sorted(path for path in named if not path.is_relative_to(folder))


def _files(folder, text):
    try:
        return fitting(folder, text)
    except (OSError, ValueError):  # a text that no name of a file can be
        return []


def _from(folder, path):
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


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
    used |= {name for name in files if name.startswith(PREVIOUS)}
    return {
        "settings": job.settings,
        "made_by": job.made_by,
        "key": job.key,
        "files": files,
        "used": sorted(used),
        "rows": origin.get("rows"),
        "outputs": {name: sha256(content) for name, content in sorted(contents.items())},
    }


def notes(description, entries, files, notebooks):
    """What the index says of reports that were not made as the review now has them.

    Parameters
    ----------
    description : helpers.review.description.Description
    entries, files : dict
        Of `entry` and `inputs`.
    notebooks : Path

    Returns
    -------
    dict of str to str
        By family; an empty text for a report that needs no word.
    """
    said = {}
    for family, made in entries.items():
        usual = None
        with suppress(Refused):
            (usual,) = plan(description, [family], notebooks=notebooks)
        said[family] = "" if "key" not in made else _note(made, usual, files)
    return said


def _note(made, usual, files):
    changed = {name for name, _ in files.items() ^ made["files"].items()}
    if made["rows"] is None and files.keys() == made["files"].keys():
        changed &= set(made["used"])
    parts = [f"Rendered before a change of {', '.join(sorted(changed))}"] * bool(changed)
    if settings := made.get("settings"):
        given = " ".join(f"-p {name}={_typed(value)}" for name, value in settings.items())
        parts.append(f"Rendered with {given}")
    if usual and made.get("made_by") not in (None, usual.made_by):
        parts.append("Rendered by another version of the program")
    return ". ".join(parts) + "." * bool(parts)


def _typed(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
