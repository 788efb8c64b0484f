"""Parameters of a report: their names, words and ranges, checked here whoever sets them.

A command line and Papermill hand values on as text, a person in JupyterLab as whatever comes to
hand. All go through the functions below, so that a value means the same everywhere:

- words (``measure``, ``method``, ...) are found whatever their case: ``smd`` is SMD;
- ids of outcomes, moderators and experiments are text and taken as they stand, with their case;
  the number 12 is the id "12", and a single id is a list of that one;
- what cannot be meant is refused with what was given, what is due and the nearest right word.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from functools import partial
from numbers import Integral, Real
from pathlib import Path

from helpers.analysis.selection.subset import as_mapping, conditions
from helpers.problems import Refused, nearest
from helpers.stats.effects import CORRECTIONS, MEASURES, NMD_VARIANCES, SMD_VARIANCES
from helpers.stats.heterogeneity import METHODS
from helpers.stats.multilevel import MIN_GROUPS, TESTS
from helpers.stats.pooling import INTERVALS, PREDICTIONS

# All that a word may be. Which variances a measure has stands in `Settings`.
WORDS = {
    "measure": MEASURES,
    "correction": CORRECTIONS,
    "variance": (*SMD_VARIANCES, *NMD_VARIANCES),
    "method": METHODS,
    "interval": INTERVALS,
    "prediction": PREDICTIONS,
}
IDS = ("outcomes", "moderators", "exclude")
NAMES = (*WORDS, *IDS, "where", "level", "split_controls", "seed")
# An interval that covers less than half is a mistake: 0.05 for 0.95, as some programs want it.
LARGEST = 10**300  # of whole numbers: more digits are no float, and in the end no text
LOWEST_LEVEL = 0.5
# Of sampling errors: by what rows share, or by one correlation.
COVARIANCES = ("modelled", "constant")
STUDY, EXPERIMENT = "study", "experiment"  # levels that every sheet has


@dataclass(frozen=True)
class Settings:
    """How effects are computed and pooled; every report prints them.

    Parameters
    ----------
    measure, correction, variance, method, interval, prediction : str
        One of `WORDS`, in any case.
    level : float
        Coverage of all intervals, from 0.5 to below 1.
    split_controls : bool
        Divide a shared control group among its treated groups.

    Raises
    ------
    Refused
        With every value that cannot be meant.

    Notes
    -----
    The sampling variances ``metafor, stata, unbiased, revman, average`` are formulas of the SMD,
    of which MD knows ``stata`` and takes the SDs apart under the others; GLASS and ROM have one
    formula and take no notice. Those of NMD are ``delta`` and ``conventional``: they are refused with
    other measures, and with NMD any word of the SMD becomes ``delta``.
    """

    measure: str = "SMD"
    correction: str = "approximate"
    variance: str = "stata"
    method: str = "REML"
    interval: str = "z"
    prediction: str = "riley"
    level: float = 0.95
    split_controls: bool = False

    def __post_init__(self):
        names = [one.name for one in fields(self)]
        read = _all({name: partial(as_meant, name, getattr(self, name)) for name in names})
        usual = {one.name: one.default for one in fields(self)}
        read = {name: usual[name] if value is None else value for name, value in read.items()}
        if read["measure"] == "NMD" and read["variance"] not in NMD_VARIANCES:
            read["variance"] = "delta"
        elif read["measure"] != "NMD" and read["variance"] in NMD_VARIANCES:
            raise Refused(
                f"variance = {self.variance!r} is a formula of NMD, but the measure is "
                f"{read['measure']}. Set measure = 'NMD', or one of {', '.join(SMD_VARIANCES)}."
            )
        for name, value in read.items():
            object.__setattr__(self, name, value)

    def pooling(self):
        """The part that `helpers.stats.pooling.pool` takes."""
        names = ("method", "interval", "prediction", "level")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Model:
    """How the experiments of a review depend on each other, as `[model]` of `review.toml` says it.

    Attributes
    ----------
    levels : tuple of str
        Columns of the sheet, outermost first; ``study`` is the project's, ``experiment`` the row.
    covariance : {"modelled", "constant"}
        Sampling errors covary through shared controls and repeated animals, or by ρ within the
        values of the column `within`.
    within : str, optional
        That column.
    rho : float
        Correlation of two measurements of the same animals (``modelled``) or of two rows of one
        value (``constant``), from 0 to below 1.
    test : {"cr2", "contain"}
        Cluster-robust, or t and F with containment degrees of freedom.
    min_groups : int
        A level with fewer groups is left out.

    Raises
    ------
    Refused
    """

    levels: tuple[str, ...] = (STUDY, EXPERIMENT)
    covariance: str = "modelled"
    within: str | None = None
    rho: float = 0.5
    test: str = "cr2"
    min_groups: int = MIN_GROUPS

    def __post_init__(self):
        object.__setattr__(self, "levels", tuple(self.levels))
        for name, known in (("covariance", COVARIANCES), ("test", TESTS)):
            value = getattr(self, name)
            if value not in known:
                raise Refused(f"[model] {name} = {value!r}. {nearest(str(value), known)}")
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise Refused("[model] levels names one column or more, each once, outermost first")
        if not 0 <= self.rho < 1:
            raise Refused(f"[model] rho = {self.rho}: a number from 0 to below 1 is due")
        if self.min_groups < 1:
            raise Refused(f"[model] min_groups = {self.min_groups}: 1 or more is due")
        if (self.covariance == "constant") != (self.within is not None):
            raise Refused('[model] within belongs to covariance = "constant", which needs it')

    @property
    def columns(self):
        """Columns of the sheet, other than the project's study and the row, that it speaks of."""
        named = dict.fromkeys([*self.levels, *([self.within] if self.within else [])])
        return tuple(name for name in named if name not in (STUDY, EXPERIMENT))


def of_report(review, family, *, outcomes, moderators, exclude, where=None, **settings):
    """Parameters of a family's report, all their faults at once.

    Parameters
    ----------
    review : helpers.review.review.Review
        With the rows of all families.
    family : helpers.review.description.Family
    outcomes, moderators, exclude
        As `chosen_ids` takes them.
    where
        As of `helpers.analysis.selection.subset`.
    **settings
        Fields of `Settings`, None for what the review says; a mistyped name is refused with the
        nearest right one.

    Returns
    -------
    dict
        ``asked``, as of `of_review`, the three lists of ids, and ``where`` in its one form.

    Raises
    ------
    Refused
    """
    return _all({
        "asked": partial(
            of_review, review.settings, review.model, rebuilds=bool(review.article),
            parameters=settings,
        ),
        "outcomes": partial(chosen_ids, "outcomes", outcomes, family.outcomes),
        "moderators": partial(chosen_ids, "moderators", moderators, review.moderators),
        "exclude": partial(chosen_ids, "exclude", exclude, review.experiments.index),
        "where": partial(conditions, where, review.moderators),
    })  # fmt: skip


def of_review(given, model=None, *, rebuilds, parameters=None):
    """What a review and a person ask for.

    Parameters
    ----------
    given, model : dict
        `[settings]` and `[model]` of the review, the second None where there is none.
    rebuilds : bool
        Whether the review rebuilds an article: what nobody asks for is then the article's, else
        the recommended.
    parameters : dict, optional
        Fields of `Settings` that a person sets; None where nothing is meant.

    Returns
    -------
    settings : Settings or None
        None where nothing is asked for.
    model : Model or None
        None where rows are taken as independent: in a rebuilt article without `[model]`, and where
        a person or `[settings]` asks for one of `OF_INDEPENDENT_ROWS`.

    Raises
    ------
    Refused
    """
    known = [one.name for one in fields(Settings)]
    parameters = {name: value for name, value in (parameters or {}).items() if value is not None}
    unknown = [name for name in parameters if name not in known]
    if unknown:
        advice = [f"there is no parameter {name!r}. {nearest(name, known)}" for name in unknown]
        raise Refused("\n".join(advice))
    of_model = None if model is None else Model(**model)
    twice = [name for name in OF_INDEPENDENT_ROWS if name in given]
    if of_model and twice:
        raise Refused(
            f"{', '.join(twice)} under [settings] takes rows as independent (a divided control "
            "would be corrected for twice), [model] does not. Leave out the one or the other."
        )
    asked = given | parameters
    if not asked and of_model is None:
        return None, None
    settings = Settings(**asdict(ARTICLE if rebuilds else RECOMMENDED) | asked)
    if any(name in parameters for name in OF_INDEPENDENT_ROWS) or twice:
        return settings, None
    return settings, of_model or (None if rebuilds else Model())


def as_meant(name, value):
    """A parameter's value as what it means, whoever wrote it; ids need `chosen_ids` besides.

    Parameters
    ----------
    name : str
        A field of `Settings`, or ``seed, review, outcomes, moderators, exclude, where``; the value
        of any other name is given back.
    value : object
        As it was set; text from a command line.

    Returns
    -------
    object

    Raises
    ------
    Refused
        What was given, what is due, and the nearest right value.
    """
    value = _plain(value)
    if value is None and name in (*WORDS, "level", "split_controls"):
        return None
    if name in WORDS:
        return _word(name, value)
    if name == "split_controls":
        return _flag(name, value)
    if name == "level":
        return _level(name, value)
    if name == "seed":
        return _whole(name, value)
    if name == "review":
        return _folder(name, value)
    if name == "where":
        return as_mapping(value)
    if name in IDS and isinstance(value, str) and value.startswith(("[", "{")):
        return _listed(name, value)
    return value


def chosen_ids(name, value, known):
    """Ids that a parameter names, as a list of text without repetition; None is all of them.

    Parameters
    ----------
    name : {"outcomes", "moderators", "exclude"}
    value : None, str, number, or list, tuple, set, array or Series of them
        A text is one id where there is such an id, else a list as JSON, YAML or "a, b" has it.
    known : iterable of str
        All ids that there are.

    Returns
    -------
    list of str or None

    Raises
    ------
    Refused
        Ids that do not exist, with the nearest; anything that is no id; no outcome at all.
    """
    known, value = dict.fromkeys(known), _plain(value)
    if isinstance(value, str) and value in known:
        parts = _listed(name, value)
        if len(parts) > 1 and all(part in known for part in parts):
            raise Refused(
                f"{name} = {value!r} may be one id or {len(parts)}. "
                f"Write {json.dumps([value], ensure_ascii=False)} or "
                f"{json.dumps(parts, ensure_ascii=False)}."
            )
        value = [value]
    elif isinstance(value, str):
        value = _listed(name, value)
    elif isinstance(value, Real) and not isinstance(value, bool):
        value = [value]
    if value is None:
        return [] if name == "exclude" else None
    if not isinstance(value, list):
        raise Refused(_due(name, value, "an id or a list of ids"))
    what = {"exclude": "experiment to exclude"}.get(name, name.removesuffix("s"))
    found, faults = [], []
    for part in value:
        texts = _id_texts(part)
        there = [text for text in texts if text in known]
        if not texts:
            faults.append(_due(name, part, "an id, which is a text,"))
        elif not there:
            faults.append(f"{name}: no such {what}: {part}. {nearest(texts[0], known)}")
        elif len(there) > 1:
            either = " or ".join(map(repr, there))
            faults.append(f"{name}: {part} may be {either}. Write it as text.")
        found += there
    if name == "outcomes" and not value:
        faults.append("outcomes = [] selects nothing. None is all of the family.")
    if faults:
        raise Refused("\n".join(dict.fromkeys(faults)))
    return list(dict.fromkeys(found))


def one_of(name, known, what):
    """What is known under an id, or a refusal with the nearest id.

    Parameters
    ----------
    name : str
        As asked for; a number is the id that it spells.
    known : dict
        By id.
    what : str
        What it should be, for the message.

    Raises
    ------
    Refused
    """
    for text in _id_texts(_plain(name)):
        if text in known:
            return known[text]
    raise Refused(f"there is no {what} {name!r}. {nearest(name, known)}")


def _all(readings):
    """What each reading gives, by name; the refusals of all come as one."""
    found, faults = {}, []
    for name, read in readings.items():
        try:
            found[name] = read()
        except Refused as refusal:
            faults.append(str(refusal))
    if faults:
        raise Refused("\n".join(faults))
    return found


def _plain(value):
    """Without wrappings: numpy's scalars, arrays, Series, tuples and sets, texts around spaces."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, tuple | range):
        return list(value)
    if hasattr(value, "tolist"):  # numpy and pandas
        value = value.tolist()
    if isinstance(value, str):
        value = value.strip()
        return None if value in ("None", "null") else value
    return value


def _word(name, value):
    known = WORDS[name]
    if isinstance(value, str):
        if value in known:
            return value
        alike = [word for word in known if word.casefold() == value.casefold()]
        if len(alike) == 1:
            return alike[0]
    listed = f"{name} is one of {', '.join(known)}, not {value!r}."
    raise Refused(f"{listed} {nearest(value, known)}" if isinstance(value, str) else listed)


def _flag(name, value):
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.casefold() in words:
        return words[value.casefold()]
    if isinstance(value, bool):
        return value
    raise Refused(_due(name, value, "True or False"))


def _number(value):
    """A number, also one written as text; None where it is none."""
    try:
        if isinstance(value, str) and value.replace("_", "") == value:
            return float(value)
        return None if isinstance(value, bool | str) or not isinstance(value, Real) else value
    except ValueError:
        return None


def _level(name, value):
    level = _number(value)
    if level is not None and LOWEST_LEVEL <= level < 1:
        return float(level)
    if level is None and isinstance(value, str):
        level = _number(value.removesuffix("%").replace(",", ".").strip())
    hint = None
    if level is not None and 100 * LOWEST_LEVEL <= level < 100:
        hint = level / 100
    elif level is not None and 0 < level <= 1 - LOWEST_LEVEL:
        hint = 1 - level
    elif level is not None and LOWEST_LEVEL <= level < 1:
        hint = level
    advice = "" if hint is None else f" Did you mean {hint:.10g}?"
    raise Refused(_due(name, value, f"a number from {LOWEST_LEVEL} to below 1") + advice)


def _whole(name, value):
    number = _number(value)
    if number is not None and 0 <= number < LARGEST and number == int(number):
        return int(value) if isinstance(value, Integral) else int(number)
    raise Refused(_due(name, value, "a whole number of at least 0"))


def _folder(name, value):
    if value is None or isinstance(value, str | Path):
        return value or None
    raise Refused(_due(name, value, "the folder of a review, or None for the project's own,"))


def _listed(name, text):
    """The ids in a text: a list as JSON or YAML has it, "a, b", or one id."""
    if not text.startswith(("[", "{")):
        return [part for one in text.split(",") if (part := one.strip())]
    import yaml

    try:
        # JSON is YAML; this loader leaves each entry as it stands: 012 is no octal, NO no bool.
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Refused(
            f"{name} = {text}: this list is not closed or not well formed ({error})"
        ) from error
    if not isinstance(found, list):
        raise Refused(_due(name, text, "an id or a list such as [one, two]"))
    return found


def _id_texts(part):
    """What an id may look like in a sheet; nothing where it is no id."""
    if isinstance(part, str):
        return [part]
    if isinstance(part, bool) or not isinstance(part, Real) or not abs(part) < math.inf:
        return []
    if isinstance(part, Integral):
        return [str(int(part))] if abs(part) < LARGEST else []
    whole = [str(int(part))] if part == int(part) else []
    return [*whole, repr(float(part))]


def _due(name, value, due):
    kind = "" if isinstance(value, str) else f", and this is {_kind(value)}"
    return f"{name} = {value!r}: {due} is due{kind}."


def _kind(value):
    """What a value is, in words."""
    kinds = ((type(None), "nothing"), (bool, "a truth value"), (str, "a text"), (Real, "a number"),
             (list, "a list"), (dict, "a table"))  # fmt: skip
    return next((kind for type_, kind in kinds if isinstance(value, type_)), "of another type")


# Neither changes with a parameter other than the measure: the first does what the article did, the
# second what the field's methodologists advise. The third is the three-level model's.
ARTICLE = Settings()
RECOMMENDED = Settings(correction="exact", variance="average", interval="hksj_truncated")
THREE_LEVEL = Settings(correction="exact", variance="metafor")
# These belong to models that take rows as independent.
OF_INDEPENDENT_ROWS = ("method", "interval", "prediction", "split_controls")
