"""What a review says of itself: `review.toml` as objects."""

from __future__ import annotations

import difflib
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from helpers.findings import Finding, ReviewError

PROJECT = Path(__file__).resolve().parents[1]
DEFAULT = PROJECT / "data" / "sci_exosomes"

DIRECTIONS = ("higher", "lower")
EVIDENCE = ("extracted", "reconstructed", "simulated")


@dataclass(frozen=True)
class Outcome:
    """What is measured: its scale and on which side benefit lies."""

    id: str
    label: str
    family: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    better: str | None = None


@dataclass(frozen=True)
class Family:
    """Outcomes that are reported together."""

    id: str
    label: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Moderator:
    """A property of experiments that may explain heterogeneity; without levels it is a number."""

    id: str
    label: str
    levels: tuple[str, ...] = ()
    reference: str | None = None
    reference_by_outcome: dict = field(default_factory=dict)

    def reference_for(self, outcome, present=None):
        """The level to compare with; the first one present where the usual one has no row."""
        reference = self.reference_by_outcome.get(outcome, self.reference)
        if present is None or reference in present:
            return reference
        return next(level for level in self.levels if level in present)


@dataclass(frozen=True)
class Description:
    """A review without its rows."""

    folder: Path
    id: str
    title: str
    families: dict[str, Family]
    outcomes: dict[str, Outcome]
    moderators: dict[str, Moderator]
    subject: str = ""
    citation: str = ""
    treated: str = "treated"
    control: str = "control"
    evidence: dict = field(default_factory=lambda: {"kind": "extracted"})
    sheet: dict = field(default_factory=dict)
    config: dict = field(default_factory=dict, repr=False)

    @property
    def protocol(self):
        """What `[protocol]` says: ``id`` and a list of ``deviations``, as far as given."""
        return self.config.get("protocol", {})

    @property
    def is_authentic(self):
        """Whether the rows were taken from publications, not reconstructed or simulated."""
        return self.evidence["kind"] == "extracted"


def find_folder(folder=None):
    """Folder of a review: as given, or inside the project; by default the project's own review.

    A relative path is looked up from the current folder and then from the project's, so that a
    notebook finds its review wherever it was started.
    """
    if folder is None or str(folder) == "":
        return DEFAULT
    path = Path(folder).expanduser()
    candidates = [path] if path.is_absolute() else [Path.cwd() / path, PROJECT / path]
    for candidate in candidates:
        if (candidate / "review.toml").is_file():
            return candidate.resolve()
    raise ReviewError(
        [
            Finding(
                file=str(path / "review.toml"),
                what="there is no such file",
                remedy="Name a folder that holds a review.toml, or make one with "
                "`python -m helpers new DIR --from SHEET`",
            )
        ]
    )


def describe(folder=None):
    """Read `review.toml`.

    Parameters
    ----------
    folder : str or Path, optional
        Folder of the review; by default the project's own.

    Returns
    -------
    Description

    Raises
    ------
    ReviewError
        With every fault of the file.
    """
    folder = find_folder(folder)
    try:
        config = tomllib.loads((folder / "review.toml").read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fault = Finding("review.toml", f"this is not TOML: {error}", "Mend the line named here")
        raise ReviewError([fault]) from error
    reader = _Reader()
    reader.shape(config)
    if reader.faults:
        raise ReviewError(reader.faults)
    families, outcomes = reader.families(config)
    moderators = reader.moderators(config, outcomes)
    evidence = dict(config.get("evidence", {"kind": "extracted"}))
    if evidence.get("kind") not in EVIDENCE:
        reader.fault("evidence.kind", f"is one of {', '.join(EVIDENCE)}", evidence.get("kind"))
    if not config.get("title"):
        reader.fault("title", "is missing")
    sheet = dict(config.get("sheet", {}))
    if reader.faults:
        raise ReviewError(reader.faults)
    texts = {
        key: str(config[key])
        for key in ("subject", "citation", "treated", "control")
        if key in config
    }
    return Description(
        folder=folder,
        id=str(config.get("id", folder.name)),
        title=str(config["title"]),
        families=families,
        outcomes=outcomes,
        moderators=moderators,
        evidence=evidence,
        sheet=sheet,
        config=config,
        **texts,
    )


class _Reader:
    """Collects the faults of one `review.toml`."""

    def __init__(self):
        self.faults = []

    def fault(self, column, what, value=None, remedy="Mend this entry of review.toml"):
        self.faults.append(Finding("review.toml", what, remedy, column=column, value=value))

    def shape(self, config):
        """Faults where a table or a list of tables is due and something else stands."""
        for name in ("sheet", "evidence", "protocol"):
            if not isinstance(config.get(name, {}), dict):
                self.fault(name, f"is a table: [{name}]", config[name])
        families, moderators = (self.tables(config, name) for name in ("families", "moderators"))
        for entry in families:
            self.tables(entry, "outcomes")
        for entry in moderators:
            for name, kind in (("levels", list), ("reference_by_outcome", dict)):
                if not isinstance(entry.get(name, kind()), kind):
                    self.fault(f"moderators.{name}", "is a list, or a table", entry[name])

    def tables(self, config, name):
        found = config.get(name, [])
        if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
            return found
        self.fault(name, f"is a list of tables: [[{name}]]", found)
        return []

    def families(self, config):
        families, outcomes = {}, {}
        if not config.get("families"):
            self.fault("families", "names no family", remedy="Add a [[families]] with its outcomes")
        for place, entry in enumerate(config.get("families", [])):
            family = str(entry.get("id", ""))
            if not family.isidentifier() or family in families or family in ("overview", "index"):
                self.fault(
                    f"families[{place}].id",
                    "is a word of letters, digits and _, used once, and not overview or index",
                    family,
                )
            members = []
            if not entry.get("outcomes"):
                self.fault(f"families[{place}].outcomes", "names no outcome")
            for item in entry.get("outcomes", []):
                outcome = self._outcome(item, family, outcomes)
                outcomes[outcome.id] = outcome
                members.append(outcome.id)
            families[family] = Family(family, str(entry.get("label", family)), tuple(members))
        return families, outcomes

    def _outcome(self, item, family, known):
        name = str(item.get("id", ""))
        if not name.isidentifier() or name in known:
            self.fault(
                f"outcome {name!r}", "has an id that is a word of letters, digits and _, used once"
            )
        bounds = item.get("range", [-math.inf, math.inf])
        if not (
            isinstance(bounds, list)
            and len(bounds) == 2
            and all(isinstance(bound, int | float) for bound in bounds)
            and bounds[0] < bounds[1]
        ):
            self.fault(f"outcome {name!r}", "has a range [lowest, highest]", bounds)
            bounds = [-math.inf, math.inf]
        better = item.get("better")
        if better not in DIRECTIONS:
            self.fault(f"outcome {name!r}", 'says better = "higher" or "lower"', better)
        return Outcome(
            id=name,
            label=str(item.get("label", name)),
            family=family,
            unit=str(item.get("unit", "")),
            low=float(bounds[0]),
            high=float(bounds[1]),
            better=better,
        )

    def moderators(self, config, outcomes):
        moderators = {}
        for entry in config.get("moderators", []):
            name = str(entry.get("id", ""))
            if not name.isidentifier() or name in moderators:
                self.fault(
                    f"moderator {name!r}",
                    "has an id that is a word of letters, digits and _, used once",
                )
            levels = tuple(str(level) for level in entry.get("levels", []))
            by_outcome = dict(entry.get("reference_by_outcome", {}))
            reference = entry.get("reference", levels[0] if levels else None)
            for level in [reference, *by_outcome.values()] if levels else []:
                if level not in levels:
                    self.fault(f"moderator {name!r}", "has a reference among its levels", level)
            for outcome in by_outcome:
                if outcome not in outcomes:
                    self.fault(
                        f"moderator {name!r}",
                        "has a reference_by_outcome for an outcome that exists",
                        outcome,
                        nearest(outcome, outcomes),
                    )
            moderators[name] = Moderator(
                id=name,
                label=str(entry.get("label", name)),
                levels=levels,
                reference=reference,
                reference_by_outcome=by_outcome,
            )
        return moderators


def nearest(word, known):
    """Advice that names the nearest known word."""
    close = difflib.get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.5)
    listing = ", ".join(str(name) for name in known)
    return f"Did you mean {close[0]!r}?" if close else f"Known are {listing}"
