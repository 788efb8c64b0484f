"""What may stand in `review.toml`: each entry, and what is due in it."""

import math
import tomllib
from datetime import date

from helpers.problems import Finding, ReviewError, nearest


def _number(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 10**18  # more digits than a number holds


def _finite(value):
    return _number(value) and math.isfinite(value)


def _pair(value):
    return isinstance(value, list) and list(map(_number, value)) == [True] * 2


def _texts(value):
    return isinstance(value, list) and value and all(isinstance(part, str) for part in value)


def _divisor(value):
    return isinstance(value, str) or (_finite(value) and value != 0)


def _rows(value):
    rows = value if isinstance(value, list) else [value]
    return bool(rows) and all(map(_whole, rows))


def _whole(value):
    return type(value) is int and 0 < value < 10**9


def _word(value):
    return isinstance(value, str) and value.isidentifier()


FILL_IN = "FILL IN"  # what `new` writes where it could not guess
# What is due, whether a value is that, and the way out: a remedy, or the words that there are.
TABLE = ("a table", lambda value: isinstance(value, dict))
LIST = ("a list", lambda value: isinstance(value, list))
TEXT = ("a text", lambda value: isinstance(value, str))
WHEN = ("a date or a text", lambda value: isinstance(value, str | date))
FINITE = ("a number", _finite)
POSITIVE = ("a number", lambda value: _finite(value) and value > 0, "Write one above 0")
DIVISOR = (
    "a number or a column",
    lambda value: _divisor(value)
    or (isinstance(value, dict) and set(value) <= {"by", "round"} and _divisor(value.get("by"))
        and value.get("round", "down") == "down"),
    "Write a number other than 0 or the name of a column; where only whole animals were counted, "
    '{ by = "column", round = "down" }',
)  # fmt: skip
CELL = ("a text or a number", lambda value: isinstance(value, str | bool) or _finite(value))
CELLS = (
    "a text, a number or a list of them",
    lambda value: all(
        isinstance(part, str | bool) or _finite(part)
        for part in (value if isinstance(value, list) and value else [value])
    ),
)
FLAG = ("true or false", lambda value: isinstance(value, bool))
ROW = ("the number of a row", _whole)
WHOLE = ("a whole number above 0", _whole)
WORD = ("a word of letters, digits and _", _word)
# Names that are none on Windows.
DEVICES = ("con", "prn", "aux", "nul", *(f"{a}{n}" for a in ("com", "lpt") for n in range(1, 10)))
PAGE = (  # a family's page lies beside these
    "a word of letters, digits and _, not overview, history or index,",
    lambda value: (
        _word(value)
        and value.casefold() not in ("overview", "history", "index", "tables", *DEVICES)
        and len(value.encode("utf-8", "replace")) <= 200
    ),
    "Write a shorter or another one; the label can be any text",
)
FILE = (
    "a file, a pattern of names or a list of them",
    lambda value: isinstance(value, str) or _texts(value),
)
HEADER = ("the number of a row, or a list of them", _rows)
COLUMN = ("a column or a list of columns", lambda value: isinstance(value, str) or _texts(value))
COLUMNS = ("a list of columns", _texts)
RANGE = ("a range [lowest, highest]", lambda value: _pair(value) and value[0] < value[1])
DAYS = ("all", "first", "last")
DAY = ("all, first, last or a day", lambda v: v in DAYS or _finite(v), DAYS)


def _one_of(*words):
    *first, last = (f'"{word}"' for word in words)
    return (f"{', '.join(first)} or {last}", lambda value: value in words, words)


SCALE = _one_of("identity", "log")
# A dict is a table, "*" any other key of it, "!" a key that must be there; a list holds any number.
SHEET = {
    "file": FILE,
    "sheet": FILE,
    "header": HEADER,
    "encoding": TEXT,
    "separator": TEXT,
    "digitiser": FLAG,
    "decimal": _one_of(".", ","),
    "thousands": _one_of(",", ".", "'", " ", ""),
    "missing": [TEXT],
    "strip": [TEXT],
    "fill_down": [TEXT],
    "split": {"*": TEXT},
    "control_n_is_split": FLAG,
    "shared_controls": _one_of("by_id", "by_numbers"),
    "columns": {"*": COLUMN},
    "constants": {"*": CELL},
    "values": {"*": {"*": CELL}},
    "divide": {"*": DIVISOR},
    "blocks": [{"columns!": {"*": COLUMN}, "constants": {"*": CELL}}],
    "join": [
        {"file": TEXT, "sheet": TEXT, "header": ROW, "on": COLUMN, "left": COLUMN, "right": COLUMN}
    ],
    "leave_out": [{"column!": TEXT, "reason!": TEXT, "values": [CELL], "keep": [CELL]}],
    "records": {
        "of!": COLUMNS,
        "by!": TEXT,
        "keep": {"column!": TEXT, "values!": [CELL]},
        "newest": TEXT,
        "format": TEXT,
    },
    "labels": dict.fromkeys(("study", "cohort", "experiment"), COLUMN),
    "long": {
        "group!": TEXT,
        "pair!": COLUMNS,
        "control": [CELL],
        "sham": [CELL],
        "sham_column": TEXT,
        "separator": TEXT,
        "combine": FLAG,
    },
    "time_point": DAY,
    "effect_name": TEXT,
    "effect_scale": SCALE,
    "outliers": {"sd!": POSITIVE, "by": TEXT},
}
BETTER = _one_of("higher", "lower", "neither")
# One of several scales of an outcome, and the rows that are measured on it: column = word, or words.
SCALE_OF = {
    "label!": TEXT,
    "when": {"*": CELLS},
    "unit": TEXT,
    "range": RANGE,
    "better": BETTER,
    "reference": FINITE,
}
OUTCOME = {
    "id!": WORD,
    "label": TEXT,
    "unit": TEXT,
    "range": RANGE,
    "better!": BETTER,
    "reference": FINITE,
    "smallest": POSITIVE,
    "scales": [SCALE_OF],
    "effect_name": TEXT,
    "effect_scale": SCALE,
    "measure": _one_of("OR", "RR", "RD"),
}
MODERATOR = {
    "id!": WORD,
    "label": TEXT,
    "column": TEXT,
    "levels": [CELL],
    "reference": CELL,
    "reference_by_outcome": {"*": CELL},
}
# What columns of the sheet say of the studies' quality.
QUALITY = {
    "risk_of_bias": COLUMNS,
    "reporting": COLUMNS,
    "values": {"*": {"*": TEXT}},
    **{
        f"{name}{arm}": TEXT
        for name in ("drop_outs", "allocated")
        for arm in ("", "_treated", "_control")
    },
}
REVIEW = {
    "id": TEXT,
    "title!": TEXT,
    "subject": TEXT,
    "citation": TEXT,
    "authors": [TEXT],
    "question": TEXT,
    "date": WHEN,
    "previous": TEXT,
    "treated": TEXT,
    "control": TEXT,
    "evidence": {
        "kind!": _one_of("extracted", "reconstructed", "simulated"),
        "notice": TEXT,
        "detail": TEXT,
    },
    "forest_columns": {"*": TEXT},
    "abbreviations": {"*": TEXT},
    "article": {"citation!": TEXT, "doi": TEXT},
    # Their words are those of `helpers.analysis.settings`, which checks them.
    "settings": {
        **dict.fromkeys(("measure", "correction", "variance", "method"), TEXT),
        **dict.fromkeys(("interval", "prediction"), TEXT),
        "level": FINITE,
        "split_controls": FLAG,
    },
    "model": {
        "levels": [TEXT],
        "covariance": TEXT,
        "within": TEXT,
        "rho": FINITE,
        "test": TEXT,
        "min_groups": WHOLE,
    },
    "contrasts": [
        {
            "id!": WORD,
            "label": TEXT,
            "treated": [CELL],
            "control": [CELL],
            "sham": [CELL],
            "as": _one_of("family", "outcome"),
            "combine": FLAG,
            "outcomes": [TEXT],
        }
    ],
    "regressions": [{"terms!": [TEXT], "label": TEXT, "outcomes": [TEXT]}],
    "studies": {"columns": {"*": TEXT}, "summaries": {"*": TEXT}, "note": TEXT},
    "protocol": {"id": TEXT, "deviations": [TEXT]},
    "sheet": SHEET,
    "quality": QUALITY,
    "families!": [{"id!": PAGE, "label": TEXT, "outcomes!": [OUTCOME]}],
    "moderators": [MODERATOR],
    "unconfirmed": [TEXT],
}


def parsed(content):
    """What `review.toml` says.

    Parameters
    ----------
    content : bytes

    Raises
    ------
    ReviewError
        With what keeps it from being read, brackets without end and numbers of 5,000 digits too.
    """
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        found = Finding("review.toml", f"this is not TOML: {error}", "Mend the line named here")
        raise ReviewError([found]) from error


def misfits(value, shape, place=""):
    """A fault for each entry that is not what `shape` says.

    Parameters
    ----------
    value : object
        What stands in the file, None where nothing does.
    shape : dict, list or tuple
        As above.
    place : str
        The entry, such as ``sheet.columns.study``.
    """
    due, fits, *advice = {dict: TABLE, list: LIST}.get(type(shape), shape)
    if not fits(value):
        yield _misfit(value, shape, place, due, *advice)
    elif isinstance(shape, list):
        for number, part in enumerate(value, 1):
            yield from misfits(part, shape[0], f"{place}[{number}]")
    elif isinstance(shape, dict):
        known = {name.removesuffix("!"): part for name, part in shape.items()}
        needed = {name[:-1]: None for name in shape if name.endswith("!")}
        for name, part in (needed | value).items():
            inner, where = known.get(name, known.get("*")), f"{place}.{name}".lstrip(".")
            if inner is None:
                yield fault(where, "there is no such setting", remedy=_elsewhere(name, known))
            else:
                yield from misfits(None if name in needed and not part else part, inner, where)


def _misfit(value, shape, place, due, advice="Write it anew"):
    """The fault of an entry: what is due, what was given, and how it is written."""
    inside = "[" in place or isinstance(shape, tuple)
    if not isinstance(advice, str):
        close = nearest(value, advice)
        advice = close if close.startswith("Did") else "Write one of these"
    elif not inside and isinstance(shape, list) and isinstance(shape[0], dict):
        advice = f"Write [[{place}]] above each of its tables"
    elif not inside and isinstance(shape, dict):
        advice = f"Write [{place}] above its entries"
    kind = _kind(value)
    what = f"{due} is due here" + ("" if kind in due else f", not a {kind}")
    return fault(place, what, None if isinstance(value, dict) else value, advice)


def _kind(value):
    """What kind of value stands there; nothing where none does."""
    kinds = {type(None): "", bool: "truth value", str: "text", int: "number", float: "number",
             dict: "table", list: "list"}  # fmt: skip
    return kinds.get(type(value), "date or time")


def _elsewhere(name, known):
    """The way out for an unknown entry: its own table if it stands in another, else the nearest."""
    if name in REVIEW or f"{name}!" in REVIEW:
        return "It belongs above all tables"
    for section, shape in REVIEW.items():
        if isinstance(shape, dict) and {name, f"{name}!"} & set(shape):
            return f"It belongs under [{section}]"
    return nearest(name, known)


def fault(place, what, value=None, remedy="Write it anew"):
    """A fault of `review.toml`."""
    return Finding("review.toml", what, remedy, column=place, value=value)
