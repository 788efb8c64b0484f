"""Of which kind errors and averages are: by columns of words, or by headings."""

import re

from helpers.new.headings import KINDS, KNOWN, QUANTITIES, error_kinds, read_heading, words
from helpers.new.questions import OURS
from helpers.review.columns import ARMS
from helpers.review.columns import KINDS as OF_CELLS
from helpers.review.schema import FILL_IN

FEW = 30  # different words for kinds of error
ONE = {"CI": ", half the width of one", "IQR": ", the whole width"}
PLURAL = {"SD": "SDs", "SEM": "SEMs", "CI": "CIs", "IQR": "IQRs", "RANGE": "ranges"}


def error_types(guess):
    """Columns that say of which kind errors and averages are, known by their cells."""
    for column in guess.table:
        said, cells = set(guess.said[column]), guess.filled(column)
        different = dict.fromkeys(cells)
        if len(different) > FEW:
            continue
        name = re.sub(r"[\s_]+", "_", column.lower())
        arm = read_heading(re.sub(r"(?i)[\s_]*types?$", "", column)).arm
        arm = f"_{arm}" if arm in ARMS else ""
        odd = [cell for cell in different if not error_kinds(words(cell))]
        if name in OURS and name.startswith(OF_CELLS):
            guess.columns[name] = column
        elif _says_errors(said, cells) and guess.share(column) < 0.5:
            why = f"{', '.join(odd[:3])}: no kind of error" if odd else ""
            guess.take(f"error_type{arm}", [column], sure=False, why=why)
        elif cells and {cell.lower() for cell in cells} <= {"mean", "median", "average"}:
            guess.take(f"average_type{arm}", [column], sure=False)


def _says_errors(said, cells):
    """Whether cells name kinds of error; SD is a strain of rats as well."""
    kinds = [error_kinds(words(cell)) for cell in cells]
    if not any(kinds) or said & ({"animal", "animals"} | set(KNOWN["words"]["coded"]) - {"type"}):
        return False
    if said & (
        set(KNOWN["words"]["error_type"]) | QUANTITIES["error"] | KINDS["SD"] | KINDS["SEM"]
    ):
        return sum(map(bool, kinds)) > 0.5 * len(cells)
    return all(kinds) and any(kind != {"SD"} for kind in kinds)


def take_kinds(guess, found):
    """The kind of error by the headings, where no column says it; never a default."""
    if any(name.startswith("error_type") for name in guess.columns):
        return
    kinds = {}
    for arm in ARMS:
        columns = [guess.columns.get(f"{name}_{arm}") for name in ("sd", "low", "high")]
        columns = [c for c in columns if c in found]
        if columns:
            said = {found[c].kind for c in columns}
            kinds[arm] = said.pop() if len(said) == 1 else "", columns
    if not kinds or (all(kind == "SD" for kind, _ in kinds.values()) and not guess.split):
        return
    same = len({kind for kind, _ in kinds.values()}) == 1
    for arm, (kind, columns) in kinds.items():
        name = "error_type" if same else f"error_type_{arm}"
        listed = columns if not same else [c for _, cs in kinds.values() for c in cs]
        if name not in guess.constants:
            say_kind(guess, name, kind, listed)


def say_kind(guess, name, kind, columns):
    """The kind of error of columns as a constant, asked; to be filled in where it is not said."""
    setting = f"sheet.constants.{name}"
    guess.constants[name] = guess.answer(setting, kind or FILL_IN)
    choices = [(f"{words}{ONE.get(other, '')}", other) for other, words in PLURAL.items()
               if other != kind]  # fmt: skip
    if not kind:
        guess.fill_in(f"say {name} under [sheet.constants] (SD, SEM, CI, IQR or RANGE): "
                     f"the heading {columns[0]!r} does not say it", setting, choices)  # fmt: skip
    else:
        guess.ask(setting, f"{PLURAL[kind]} in {', '.join(columns)}", guess.table[columns[0]],
                  [k for k in ("SD", "SEM") if k != kind],
                  choices=[(f"{PLURAL[kind]}, as the headings say", kind), *choices])  # fmt: skip


def take_averages(guess, found):
    """Medians by the heading."""
    if any(name.startswith("average_type") for name in guess.columns):
        return
    chosen = {arm: guess.columns.get(f"mean_{arm}") for arm in ARMS}
    medians = {arm: c for arm, c in chosen.items() if "median" in words(c or "")
               or (c in found and found[c].quantity == "median")}  # fmt: skip
    for arm, column in medians.items():
        name = "average_type" if len(medians) == 2 else f"average_type_{arm}"
        if name in guess.constants:
            continue
        setting = f"sheet.constants.{name}"
        if {"mean", "average"} & set(words(column)):
            guess.constants[name] = guess.answer(setting, FILL_IN)
            guess.fill_in(f"say {name} under [sheet.constants] (mean or median): the heading "
                         f"{column!r} says both", setting,
                         (("means", "mean"), ("medians", "median")))  # fmt: skip
        else:
            guess.constants[name] = guess.answer(setting, "median")
            guess.ask(setting, f"medians in {column}", guess.table[column], "means",
                      values=("median", "mean"))  # fmt: skip
