"""What a review says of itself: `review.toml` as objects."""

import math
import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from helpers.problems import Finding, Refused, ReviewError, nearest
from helpers.review import contrasts, guesses
from helpers.review.contrasts import Contrast
from helpers.review.living import previous
from helpers.review.schema import REVIEW, fault, misfits, parsed
from helpers.stats.binary import BINARY_MEASURES

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT = PROJECT / "data" / "sci_exosomes"
SHARED = ("unit", "low", "high", "better", "reference")  # what a scale has from its outcome


@dataclass(frozen=True)
class Scale:
    """One of several scales of an outcome.

    `when` says which rows are measured on it: words by column, of which a row has one in each;
    without it, all rows that are on no other. What it does not say is the outcome's.
    """

    label: str
    when: dict = field(default_factory=dict)
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    better: str | None = None
    reference: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What is measured: its scale and on which side benefit lies.

    `reference` is the uninjured value where it is fixed, for normalised mean differences; `smallest`
    the smallest effect of interest, in the review's measure and above 0 on whichever side; `scales`
    are there where rows are measured on different ones; `effect_name` and `effect_scale` say what
    the effects are that rows bring themselves, `measure` ("OR", "RR" or "RD") what is computed where
    rows count events.
    """

    id: str
    label: str
    family: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    better: str | None = None
    reference: float | None = None
    effect_name: str = ""
    effect_scale: str = "identity"
    measure: str | None = None
    smallest: float | None = None
    scales: tuple[Scale, ...] = ()

    def on(self, label):
        """The scale called so; the outcome itself, which has all that a scale has, for no scale."""
        return next((scale for scale in self.scales if scale.label == label), self)


@dataclass(frozen=True)
class Family:
    """Outcomes that are reported together."""

    id: str
    label: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Moderator:
    """A property of experiments that may explain heterogeneity; without levels it is a number.

    `column` is the sheet's column, where it is not the one called like the id or named under
    `[sheet.columns]`.
    """

    id: str
    label: str
    levels: tuple[str, ...] = ()
    reference: str | None = None
    reference_by_outcome: dict = field(default_factory=dict)
    column: str | None = None

    def reference_for(self, outcome, present):
        """The level to compare with; the first one present where the usual one has no row."""
        reference = self.reference_by_outcome.get(outcome, self.reference)
        return next(level for level in (reference, *self.levels) if level in present)


@dataclass(frozen=True)
class Sheet:
    """What `[sheet]` says, and what holds where it says nothing.

    The file
        `file, sheet, header, encoding, separator, digitiser`; several files or sheets, or a pattern
        of file names, are read below each other. `header` is one row or a list of rows.
    Cells
        `decimal` and `thousands` marks; `missing`: what stands for a value that is not there;
        `strip`: marks beside a number; `fill_down`: columns told only in the first row of a block;
        `split`: columns whose cells hold several numbers, and how they are written.
    Rows
        `join, records, leave_out, blocks, long, time_point`.
    Columns
        `columns, constants, values, labels, divide`, by the project's names.
    Numbers
        `control_n_is_split`; `shared_controls`: how controls without an id are told; `outliers`;
        `effect_name` and `effect_scale` of effects that rows bring themselves.
    """

    file: str | list = "experiments.csv"
    sheet: str | list | None = None
    header: int | list | None = None
    encoding: str | None = None
    separator: str | None = None
    digitiser: bool | None = None
    decimal: str | None = None
    thousands: str | None = None
    missing: list | None = None
    strip: list = field(default_factory=list)
    fill_down: list = field(default_factory=list)
    split: dict = field(default_factory=dict)
    join: list = field(default_factory=list)
    records: dict | None = None
    leave_out: list = field(default_factory=list)
    blocks: list = field(default_factory=list)
    long: dict | None = None
    time_point: str | float = "all"
    columns: dict = field(default_factory=dict)
    constants: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    divide: dict = field(default_factory=dict)
    control_n_is_split: bool = False
    shared_controls: str | None = None
    outliers: dict | None = None
    effect_name: str = ""
    effect_scale: str = "identity"


@dataclass(frozen=True)
class Description:
    """A review without its rows; its outcomes are those of its contrasts, where it names any.

    `config` is `review.toml` with these outcomes, `written` as it stands in the file. `shown` is what
    pages call the folder: its path in the project, elsewhere its name, which is the same on every
    machine.
    """

    folder: Path
    id: str
    title: str
    families: dict[str, Family]
    outcomes: dict[str, Outcome]
    moderators: dict[str, Moderator]
    sheet: Sheet
    config: dict = field(repr=False)
    subject: str = ""
    citation: str = ""
    authors: tuple[str, ...] = ()
    question: str = ""
    date: str = ""
    previous: str = ""
    treated: str = "treated"
    control: str = "control"
    evidence: dict = field(default_factory=lambda: {"kind": "extracted"})
    unconfirmed: tuple[str, ...] = ()
    contrasts: dict[str, Contrast] = field(default_factory=dict)
    written: dict = field(default_factory=dict, repr=False)
    shown: str = ""
    subset = None  # a `Review` can be restricted, what describes it is not

    @property
    def article(self):
        """The article that the review rebuilds: ``citation`` and ``doi``; None where there is none."""
        return self.config.get("article")

    @property
    def settings(self):
        """What `[settings]` says, as far as given, but for the measure of events."""
        return _settings(self.config)

    @property
    def events_measure(self):
        """The measure of events that `[settings]` says, None where it says none."""
        measure = str(self.config.get("settings", {}).get("measure", "")).upper()
        return measure if measure in BINARY_MEASURES else None

    @property
    def model(self):
        """What `[model]` says; None where the review has none."""
        return self.config.get("model")

    @property
    def regressions(self):
        """What each `[[regressions]]` says: ``terms``, and ``label, outcomes`` where given."""
        return self.config.get("regressions", [])

    @property
    def level_columns(self):
        """Columns of the sheet that the levels of `[model]` name, besides study and row."""
        model = self.model or {}
        named = [*model.get("levels", ()), *([model["within"]] if "within" in model else [])]
        return tuple(name for name in dict.fromkeys(named) if name not in ("study", "experiment"))

    @property
    def quality(self):
        """What `[quality]` says of columns about the studies' quality (`helpers.review.quality`)."""
        return _quality(self.config)

    @property
    def protocol(self):
        """What `[protocol]` says: ``id`` and a list of ``deviations``, as far as given."""
        return self.config.get("protocol", {})

    @property
    def studies(self):
        """What `[studies]` says of `studies.csv`: ``columns``, ``summaries``, a ``note``."""
        return self.config.get("studies", {})

    @property
    def guesses(self):
        """What `unconfirmed` lists, in words with what stands there now."""
        there = dict(guesses.entries(self.written))
        return [guesses.in_words(name, there) for name in self.unconfirmed]

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
    for candidate in (Path.cwd() / path, PROJECT / path):
        if os.path.isfile(candidate / "review.toml"):
            return candidate.resolve()
    remedy = "Name a folder that holds a review.toml, or make one with "
    remedy += "`python -m helpers new DIR --from SHEET`"
    raise ReviewError([Finding(str(path / "review.toml"), "there is no such file", remedy)])


def describe(folder=None, *, earlier=False):
    """Read `review.toml`.

    Parameters
    ----------
    folder : str or Path, optional
        Folder of the review; by default the project's own.
    earlier : bool
        Whether it is an earlier state of a review: its own `previous` is not looked up.

    Returns
    -------
    Description

    Raises
    ------
    ReviewError
        With every fault of the file.
    """
    folder = find_folder(folder)
    written = parsed((folder / "review.toml").read_bytes())
    faults = list(misfits(written, REVIEW)) or list(contrasts.faults(written))
    if faults:
        raise ReviewError(faults)
    config = contrasts.cross(written)
    families = [_family(entry) for entry in config["families"]]
    sheet = config.get("sheet", {})
    own = {name: sheet[name] for name in ("effect_name", "effect_scale") if name in sheet}
    outcomes = [
        _outcome(own | o, entry["id"]) for entry in config["families"] for o in entry["outcomes"]
    ]
    quality = _quality(config) if "quality" in config else None
    moderators = [
        _moderator(quality.as_moderator(entry, sheet.get("columns", {})) if quality else entry)
        for entry in config.get("moderators", [])
    ]
    for kind in (families, outcomes, moderators):
        ids = [entry.id for entry in kind]
        twice = [name for place, name in enumerate(ids) if name in ids[:place]]
        faults += [fault(f"id = {name}", "this id is given twice") for name in twice]
    faults += _alike([family.id for family in families])
    known = [outcome.id for outcome in outcomes]
    faults += [found for moderator in moderators for found in _references(moderator, known)]
    faults += guesses.unknown(written)
    faults += [] if earlier else previous.faults(folder, written)
    faults += [found for outcome in outcomes for found in _illegal_scales(outcome)]
    faults += [found for outcome in outcomes for found in _illegal_smallest(outcome, config)]
    faults += quality.illegal() if quality else []
    faults += _illegal_settings(config)
    faults += _illegal_regressions(config, {one.id: one for one in moderators}, known)
    if faults:
        raise ReviewError(faults)
    texts = (
        "title",
        "subject",
        "citation",
        "question",
        "previous",
        "treated",
        "control",
        "evidence",
    )
    return Description(
        folder=folder,
        id=config.get("id", folder.name),
        families={family.id: family for family in families},
        outcomes={outcome.id: outcome for outcome in outcomes},
        moderators={moderator.id: moderator for moderator in moderators},
        sheet=Sheet(**config.get("sheet", {})),
        config=config,
        authors=tuple(config.get("authors", ())),
        date=str(config.get("date", "")),
        written=written,
        shown=_shown(folder),
        contrasts=contrasts.contrasts_of(written),
        unconfirmed=tuple(config.get("unconfirmed", ())),
        **{name: config[name] for name in texts if name in config},
    )


def _shown(folder):
    inside = folder.is_relative_to(PROJECT)
    return folder.relative_to(PROJECT).as_posix() if inside else folder.name


def _alike(ids):
    """Faults of families whose pages would be one file on disks that know no case."""
    seen = {}
    for name in dict.fromkeys(ids):
        key = unicodedata.normalize("NFKC", name).casefold()
        if key in seen:
            what = f"this family differs from {seen[key]!r} by case only, as their pages would"
            yield fault("families.id", what, name, "Call one of them otherwise")
        seen.setdefault(key, name)


def _settings(config):
    """`[settings]` without the measure of events, which the rows of a sheet are read by."""
    given = config.get("settings", {})
    of_events = str(given.get("measure", "")).upper() in BINARY_MEASURES
    return {name: value for name, value in given.items() if name != "measure" or not of_events}


def _quality(config):
    """What `[quality]` says; imported late, for it brings pandas, and `render` needs none."""
    from helpers.review.quality import Quality

    return Quality(**config.get("quality", {}))


def _illegal_settings(config):
    """Faults of `[settings]` and `[model]`; who has neither does not wait for the statistics."""
    if not {"settings", "model"} & set(config):
        return
    from helpers.analysis.settings import of_review

    try:
        of_review(_settings(config), config.get("model"), rebuilds="article" in config)
    except Refused as refusal:
        for line in str(refusal).splitlines():
            yield fault("settings, model", line, remedy="Correct it there")


def _illegal_regressions(config, moderators, outcomes):
    """Faults of `[[regressions]]`: terms that cannot be read, and outcomes that do not exist."""
    if "regressions" not in config:
        return
    from helpers.stats.nested.terms import parse

    for entry in config["regressions"]:
        place, seen = "regressions.terms", {}
        for term in entry["terms"]:
            try:
                factors = parse(term, moderators)
            except ValueError as error:
                yield fault(place, str(error), term, remedy="Correct it there")
                continue
            if (parts := frozenset(factors)) in seen:
                what = f"this term stands there twice, as {seen[parts]!r} too"
                yield fault(place, what, term, remedy="Take one of them out")
            seen[parts] = term
            for factor in factors:
                if factor.function and moderators[factor.name].levels:
                    what = f"{factor.function} needs numbers, and {factor.name} has levels"
                    remedy = f"Write {factor.name}, or take its levels out of [[moderators]]"
                    yield fault(place, what, term, remedy=remedy)
        for outcome in entry.get("outcomes", ()):
            if outcome not in outcomes:
                what, remedy = "there is no such outcome", nearest(outcome, outcomes)
                yield fault("regressions.outcomes", what, outcome, remedy=remedy)
        if entry.get("outcomes") == []:
            what, remedy = "this regression has no outcome", "Name one, or take `outcomes` out"
            yield fault("regressions.outcomes", what, remedy=remedy)


def _family(entry):
    outcomes = tuple(outcome["id"] for outcome in entry["outcomes"])
    return Family(**{"label": entry["id"]} | entry | {"outcomes": outcomes})


def _outcome(entry, family):
    given = _with_bounds({"label": entry["id"]} | entry)
    inherited = {name: given[name] for name in SHARED if name in given}
    scales = tuple(
        Scale(**inherited | _with_bounds(scale | {"when": _words_by_column(scale)}))
        for scale in given.pop("scales", ())
    )
    return Outcome(family=family, scales=scales, **given)


def _with_bounds(entry):
    """An entry with `low` and `high` in place of `range`, where it says one."""
    low_high = dict(zip(("low", "high"), map(float, entry.get("range", ())), strict=False))
    return {name: value for name, value in entry.items() if name != "range"} | low_high


def _words_by_column(scale):
    given = scale.get("when", {}).items()
    return {name: tuple(w) if isinstance(w, list) else (w,) for name, w in given}


def _illegal_scales(outcome):
    """Faults of an outcome's scales: two of one name, two for the rest, a side of one alone."""
    place, labels = f"families.outcomes.{outcome.id}.scales", [s.label for s in outcome.scales]
    for label in dict.fromkeys(label for label in labels if labels.count(label) > 1):
        yield fault(place, "two scales have this label", label, "Give each a label of its own")
    rest = [scale.label for scale in outcome.scales if not scale.when]
    if len(rest) > 1:
        what = "several scales are for all rows that are on no other"
        yield fault(place, what, ", ".join(rest), "Say by `when` which rows each is for")
    for scale in outcome.scales:
        if (scale.better == "neither") != (outcome.better == "neither"):
            what = f"better is {scale.better} on the scale {scale.label} and {outcome.better} for "
            what += "the outcome: its rows cannot be turned to the same side"
            yield fault(f"{place}.better", what, scale.better, "Correct one of them")


def _illegal_smallest(outcome, config):
    """A fault where the smallest effect of a ratio is 1, which is none."""
    measure = str(config.get("settings", {}).get("measure", "")).upper()
    ratio = outcome.effect_scale == "log" or outcome.measure in ("OR", "RR")
    if outcome.smallest == 1 and (ratio or measure in ("ROM", "OR", "RR")):
        what = "a ratio of 1 is no effect"
        remedy = "Write a ratio above 1 or below it, such as 1.25"
        yield fault(f"families.outcomes.{outcome.id}.smallest", what, 1, remedy)


def _moderator(entry):
    given = {"label": entry["id"], "levels": ()} | entry
    given["levels"] = tuple(map(str, given["levels"]))
    if given["levels"]:
        given["reference"] = str(given.get("reference", given["levels"][0]))
    return Moderator(**given)


def _references(moderator, outcomes):
    """Faults of a moderator's references: levels and outcomes that do not exist."""
    place = f"moderators.{moderator.id}.reference"
    by_outcome = moderator.reference_by_outcome
    for level in [moderator.reference, *by_outcome.values()] if moderator.levels else ():
        if level not in moderator.levels:
            remedy = nearest(level, moderator.levels)
            yield fault(place, "this reference is no level", level, remedy)
    for outcome in by_outcome:
        if outcome not in outcomes:
            remedy = nearest(outcome, outcomes)
            yield fault(f"{place}_by_outcome", "there is no such outcome", outcome, remedy)
