"""What a person has chosen in the explorer, as plain data: each step makes a new `Choice`.

A choice says no more than what `Report` can be asked for: settings that are not set are as the
review has them, so that the number that is shown is that of a report.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from helpers.analysis.settings import (
    ARTICLE,
    OF_INDEPENDENT_ROWS,
    RECOMMENDED,
    WORDS,
    Model,
    Settings,
    of_review,
)
from helpers.stats.effects import NMD_VARIANCES, SMD_VARIANCES
from helpers.words.settings import OF_MEASURE

NAMES = tuple(one.name for one in fields(Settings))
PRESETS = ("article", "recommended", "chosen")
LEVELS = (0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Choice:
    """What is analysed, and how.

    Attributes
    ----------
    outcome : str
    preset : {"article", "recommended", "chosen"}
        Which result of a report is meant; `chosen` is what `review.toml` and `settings` ask for.
    settings : dict
        Fields of `helpers.analysis.settings.Settings` that a person sets.
    where : dict
        By moderator, the list of levels that are kept, as of `helpers.analysis.selection.subset`;
        of a moderator that is a number as the report was asked for.
    exclude : tuple of str
        Experiments left out besides those of `exclusions.csv`.
    """

    outcome: str
    preset: str = "chosen"
    settings: dict = field(default_factory=dict)
    where: dict = field(default_factory=dict)
    exclude: tuple[str, ...] = ()


def leading(review, settings):
    """Which result leads in a report with these settings."""
    asked, _ = of_review(
        review.settings, review.model, rebuilds=bool(review.article), parameters=settings
    )
    if asked is not None:
        return "chosen"
    return "article" if review.article else "recommended"


def normal(choice, review):
    """The same choice in its plainest form: what nobody chose is no choice."""
    if choice.preset == "chosen":
        choice = replace(choice, preset=leading(review, choice.settings))
    kept = {"article": (), "recommended": ("measure",)}.get(choice.preset, NAMES)
    settings = {name: choice.settings[name] for name in NAMES if name in choice.settings}
    return replace(choice, settings={k: v for k, v in settings.items() if k in kept})


def asked_of(choice, review):
    """Settings and multilevel model (None for independent rows) that make the choice's result.

    Raises
    ------
    Refused
    """
    if choice.preset == "article":
        return ARTICLE, None
    settings, model = of_review(
        review.settings, review.model, rebuilds=bool(review.article), parameters=choice.settings
    )
    if choice.preset == "recommended":
        measure = RECOMMENDED.measure if settings is None else settings.measure
        return replace(RECOMMENDED, measure=measure), Model()
    return settings, model


def with_setting(choice, review, name, value):
    """Another choice with one setting set, or as the review has it for None.

    A setting makes the `chosen` result, but that the measure reaches the recommended one too.
    What cannot stand beside a new measure goes.
    """
    settings = {key: one for key, one in choice.settings.items() if key != name}
    if value is not None:
        settings[name] = value
    if name == "measure" and settings.get("variance") not in variances(value):
        settings.pop("variance", None)
    stays = choice.preset == "recommended" and name == "measure"
    preset = choice.preset if stays else "chosen"
    return normal(replace(choice, preset=preset, settings=settings), review)


def with_levels(choice, moderator, kept, levels):
    """Another choice that keeps some levels of a moderator; all of them are no choice.

    Parameters
    ----------
    choice : Choice
    moderator : str
    kept, levels : sequence of str
        Those to keep, and all that there are, in their order.
    """
    where = {name: one for name, one in choice.where.items() if name != moderator}
    if set(kept) != set(levels):
        where[moderator] = [level for level in levels if level in kept]
    return replace(choice, where=where)


def toggled(choice, experiment):
    """Another choice with an experiment left out, or back."""
    out = [name for name in choice.exclude if name != experiment]
    if len(out) == len(choice.exclude):
        out.append(experiment)
    return replace(choice, exclude=tuple(out))


def presets(choice, review):
    """Which presets can be taken: those that a report shows, and what is chosen already."""
    offered = ["article"] * bool(review.article) + ["recommended"]
    if choice.preset == "chosen" or leading(review, {}) == "chosen":
        offered.append("chosen")
    return offered


def variances(measure):
    """Sampling variances that a measure can have."""
    return NMD_VARIANCES if measure == "NMD" else SMD_VARIANCES


def values(name, measure):
    """What one setting can be, beside a measure."""
    if name == "variance":
        return variances(measure)
    return {"level": LEVELS, "split_controls": (False, True)}.get(name) or WORDS[name]


def impossible(review, outcome):
    """Measures that no row of an outcome can have, and why."""
    rows = review.rows(outcome)
    if "mean_reference" in rows and rows["mean_reference"].notna().any():
        return {}
    return {"NMD": "No uninjured value is known."}


def idle(choice, review, settings, measure):
    """Why settings cannot be chosen here, by name; those that can are not named.

    Parameters
    ----------
    choice : Choice
    review : helpers.review.review.Review
    settings : Settings
        Those in use.
    measure : helpers.analysis.measures.Measure or None
        That the rows really have; None where nothing could be computed.
    """
    why = {}
    if choice.preset == "recommended" and leading(review, {}) != "recommended":
        other = "the article's" if review.article else "the chosen"
        only = f"These belong to the recommended result; take {other} settings to set them."
        why |= {name: only for name in NAMES if name != "measure"}
    if measure is not None and measure.id == "own":
        given = "The sheet brings these effects as they are."
        why |= dict.fromkeys(("measure", "correction", "variance"), given)
    for name in ("correction", "variance"):
        if name not in OF_MEASURE.get(settings.measure, ()):
            why.setdefault(name, f"{settings.measure} has one formula.")
    if settings.method == "EE":
        why.setdefault("prediction", "A common-effect model has no prediction interval.")
    if review.sheet.control_n_is_split:
        why.setdefault("split_controls", "The sheet has divided its control groups already.")
    return why


def makes_independent(choice):
    """Which chosen settings take rows as independent, and the multilevel model away."""
    return [name for name in OF_INDEPENDENT_ROWS if name in choice.settings]


class History:
    """Choices one after the other: back, forward again, and to where they began."""

    def __init__(self, start):
        self.start, self.now = start, start
        self._past, self._future = [], []

    def go(self, choice):
        """Go on to another choice; the same one is no step."""
        if choice != self.now:
            self._past.append(self.now)
            self._future.clear()
            self.now = choice
        return self.now

    def undo(self):
        """One step back, if there is one."""
        if self._past:
            self._future.append(self.now)
            self.now = self._past.pop()
        return self.now

    def redo(self):
        """One step that was undone, if there is one."""
        if self._future:
            self._past.append(self.now)
            self.now = self._future.pop()
        return self.now

    def reset(self):
        """Back to the start, which can be undone as well."""
        return self.go(self.start)

    def forget(self, experiments):
        """Take experiments out of all choices, as the review itself leaves them out now."""

        def without(choice):
            kept = tuple(name for name in choice.exclude if name not in experiments)
            return replace(choice, exclude=kept)

        self.now, self.start = without(self.now), without(self.start)
        self._past = [without(choice) for choice in self._past]
        self._future = [without(choice) for choice in self._future]

    @property
    def can_undo(self):
        """Whether there is a step back."""
        return bool(self._past)

    @property
    def can_redo(self):
        """Whether there is a step that was undone."""
        return bool(self._future)
