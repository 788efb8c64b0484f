"""A part of a review's experiments, chosen by their moderators: `where`.

``{"species": "Rat"}`` keeps one level and ``{"species": ["Rat", "Mice"]}`` several. Of a moderator
that is a number, ``{"dose": 50}`` and ``{"dose": [50, 100]}`` keep these values, and
``{"dose": {"from": 50, "to": 100}}`` all between them, both included; either bound can lack. All
conditions must hold. An experiment without the value is outside, and said to be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real

import pandas as pd

from helpers.problems import Refused, nearest

BOUNDS = {"from": -math.inf, "to": math.inf}  # and what stands for one that lacks
NO_VALUE = "no value"
EXAMPLE = 'such as {"species": "Rat"}'


@dataclass(frozen=True, eq=False)
class Subset:
    """What a review is restricted to.

    Attributes
    ----------
    where : dict
        By moderator, the list of levels or of numbers that are kept, or bounds ``from, to``.
    words : str
        The same for a reader: "Species: Rat; Dose: 50 to 100".
    reasons : pandas.Series of str
        By experiment of the review, why it is outside, with what the sheet has; empty inside.
    unknown : pandas.Series of bool
        Whether the sheet has no value of a moderator that counts.
    """

    where: dict
    words: str
    reasons: pd.Series
    unknown: pd.Series

    @property
    def inside(self):
        """By experiment, whether it is kept."""
        return self.reasons == ""

    @property
    def mark(self):
        """What stands behind a sentence or a caption that is copied."""
        return f" (Only experiments with {self.words}.)"


def select(review, where):
    """The same review, of which only a part of the experiments is analysed.

    Nothing is taken out of its tables: `Review.rows` gives fewer rows, `Review.subset` says why.

    Parameters
    ----------
    review : helpers.review.review.Review
    where : mapping, str or None
        As above, or the same as JSON or YAML. Of a review that is restricted already it restricts
        further, by other moderators.

    Returns
    -------
    helpers.review.review.Review
        The review itself where nothing is asked for.

    Raises
    ------
    Refused
        Moderators or levels that do not exist, with the nearest.
    """
    where = conditions(where, review.moderators)
    before = review.subset.where if review.subset else {}
    if twice := [name for name in where if name in before]:
        raise Refused(f"where: {twice[0]} restricts the whole report already. Leave it out here.")
    where = before | where
    if not where:
        return review
    index, words = review.experiments.index, []
    reasons, unknown = pd.Series("", index, dtype=object), pd.Series(False, index)
    for name, kept in where.items():
        moderator = review.moderators[name]
        if name not in review.moderator_values:
            raise Refused(f"where: the sheet has no column of the moderator {name}.")
        values = review.moderator_values[name].astype(object)
        found = pd.Series([f"; {moderator.label}: {_said(value)}" for value in values], index)
        reasons += found.mask(_holds(values, kept), "")
        unknown |= values.isna()
        words.append(f"{moderator.label}: {_kept_words(kept)}")
    reasons = reasons.str.removeprefix("; ")
    return replace(review, subset=Subset(where, "; ".join(words), reasons, unknown))


def conditions(value, moderators):
    """What `where` asks for, in one form, whoever wrote it.

    Parameters
    ----------
    value : mapping, str or None
    moderators : dict of helpers.review.description.Moderator
        Of the review.

    Returns
    -------
    dict
        As `Subset.where`; empty where nothing is asked for.

    Raises
    ------
    Refused
        All faults at once.
    """
    found, faults = {}, []
    for name, kept in as_mapping(value).items():
        try:
            if name not in moderators:
                raise Refused(f"there is no moderator {name!r}. {nearest(str(name), moderators)}")
            read = _levels if moderators[name].levels else _numbers
            found[name] = read(moderators[name], kept)
        except Refused as refusal:
            faults.append(f"where: {refusal}")
    if faults:
        raise Refused("\n".join(faults))
    return found


def as_mapping(value):
    """`where` as a mapping, also where a command line or Papermill hands it on as text."""
    if value is None or (isinstance(value, str) and value.strip() in ("", "None", "null")):
        return {}
    if isinstance(value, str):
        import yaml

        try:
            # JSON is YAML; this loader leaves words as they stand: NO is no truth value.
            value = yaml.load(value, Loader=yaml.BaseLoader)
        except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
            raise Refused(f"where = {value}: this is not well formed ({error})") from error
    if not isinstance(value, Mapping):
        raise Refused(f"where = {value!r}: moderators and what to keep of each are due, {EXAMPLE}.")
    return dict(value)


def _levels(moderator, kept):
    """Levels of a moderator, in its order."""
    asked = [str(level) for level in _as_list(moderator.id, kept)]
    for level in asked:
        if level not in moderator.levels:
            advice = nearest(level, moderator.levels)
            raise Refused(f"{moderator.id} has no level {level!r}. {advice}")
    return [level for level in moderator.levels if level in asked]


def _numbers(moderator, kept):
    """Numbers of a moderator, or the bounds between which they lie."""
    if not isinstance(kept, Mapping):
        return [_number(moderator.id, one) for one in _as_list(moderator.id, kept)]
    for name in kept:
        if name not in BOUNDS:
            raise Refused(f"{moderator.id} has no bound {name!r}. {nearest(str(name), BOUNDS)}")
    bounds = {name: _number(moderator.id, kept[name]) for name in BOUNDS if name in kept}
    if not bounds or list(bounds.values()) != sorted(bounds.values()):
        raise Refused(
            f'{moderator.id} = {kept!r}: write {{"from": 50, "to": 100}}, or one of them.'
        )
    return bounds


def _as_list(name, kept):
    if hasattr(kept, "tolist"):  # numpy and pandas
        kept = kept.tolist()
    kept = sorted(kept, key=str) if isinstance(kept, set | frozenset) else kept
    kept = list(kept) if isinstance(kept, list | tuple) else [kept]
    if not kept or any(one is None or isinstance(one, bool | Mapping) for one in kept):
        raise Refused(f"{name} = {kept!r}: a level or number, or a list of them, is due.")
    return kept


def _number(name, value):
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise Refused(f"{name} is a number, and {value!r} is none.")
    return number


def _holds(values, kept):
    """Where values are among those kept, or between the bounds; a missing one is not."""
    if isinstance(kept, list):
        return values.isin(kept)
    numbers = pd.to_numeric(values)
    return numbers.between(*(kept.get(name, end) for name, end in BOUNDS.items()))


def _kept_words(kept):
    if isinstance(kept, list):
        *most, last = map(_said, kept)
        return f"{', '.join(most)} or {last}" if most else last
    low, high = (kept.get(name) for name in BOUNDS)
    if high is None:
        return f"{_said(low)} or more"
    return f"{_said(high)} or less" if low is None else f"{_said(low)} to {_said(high)}"


def _said(value):
    """A value as the sheet has it; a whole number without its point."""
    if pd.isna(value):
        return NO_VALUE
    return f"{value:.10g}" if isinstance(value, Real) else str(value)
