"""What an export of SyRF says of itself: a row a group of animals, several annotators of a study."""

import re

import pandas as pd

from helpers.new.headings import KNOWN
from helpers.new.keys import read_sign

SYRF = {name: set(spellings) for name, spellings in KNOWN["syrf"].items()}
NEEDED = ("study", "outcome", "n", "mean", "sd", "treatment")
YES, MISSING = (set(KNOWN["words"][name]) for name in ("yes", "missing"))
OURS = ("study", "cohort", "outcome", "n", "mean", "average_type", "sd", "error_type", "sign",
        "follow_up_days")  # fmt: skip
PAIR = ("study", "experiment", "outcome_id", "follow_up_days")


def columns_of(table):
    """The columns of an export by what they hold, in whatever spelling of their headings."""
    plain = {re.sub(r"[^a-z]", "", column.lower()): column for column in reversed(list(table))}
    return {
        name: next(plain[word] for word in KNOWN["syrf"][name] if word in plain)
        for name, spellings in SYRF.items()
        if spellings & set(plain)
    }


def is_export(table):
    """Whether a table has the columns of a SyRF export."""
    return set(NEEDED) <= set(columns_of(table))


def find_groups(guess):
    """Columns, which groups are controls and shams, which records count, how they are called."""
    there = columns_of(guess.table)
    guess.columns = {"experiment": "row"} | {n: there[n] for n in OURS if n in there}
    guess.of_pairs = tuple(there.values())
    guess.pair = [there[name] for name in PAIR if name in there]
    guess.pair += [there["outcome"]] * ("outcome_id" not in there)
    guess.long, guess.arm, guess.in_minutes = True, there["treatment"], "follow_up_days" in there
    _controls(guess, there)
    _shams(guess, there)
    _signs(guess, there)
    _records(guess, there)
    _labels(guess, there)


def _controls(guess, there):
    column = there["treatment"]
    cells = guess.table[column]
    spelled, empty = _spelled(cells), _empty(cells)
    if empty:
        says = f"groups with {' or '.join([*spelled, 'nothing'])} there are controls"
        guess.ask("sheet.long.control", says, cells, "nothing is no control",
                  f"{column} is empty in {cells.isin(empty).sum()} rows, as in groups that got none",
                  values=(True, False))  # fmt: skip
        spelled += [*empty, ""] if guess.answer("sheet.long.control", True) else []
    guess.controls = list(dict.fromkeys(spelled))
    several = [cell for cell in cells.unique() if ";" in cell and not _all_yes(cell)]
    if several and guess.answer("sheet.leave_out", True):
        reason = "several treatments in one group"
        guess.leave_out.append((column, "values", several, reason))
        labels = there.get("treatments", there.get("cohort_label", column))
        why = f"to compare them, name [[contrasts]] by {labels}: see README"
        guess.ask("sheet.leave_out", f"groups with several treatments in {column} are left out",
                  several, "compared with the controls as they are", why,
                  values=(True, False))  # fmt: skip


def _shams(guess, there):
    """Animals without the disease model are what a normalised difference refers to."""
    if "model" not in there:
        return
    cells = guess.table[there["model"]]
    spelled, empty = _spelled(cells), _empty(cells)
    if not spelled and not empty:
        return
    if empty:
        says = f"groups with {' or '.join([*spelled, 'nothing'])} there have no disease model"
        guess.ask("sheet.long.sham", says, cells, "nothing means with the model",
                  f"{there['model']} is empty in {cells.isin(empty).sum()} rows",
                  values=(True, False))  # fmt: skip
        spelled += [*empty, ""] if guess.answer("sheet.long.sham", True) else []
    if spelled:
        guess.sham_column, guess.shams = there["model"], list(dict.fromkeys(spelled))


def _signs(guess, there):
    if "sign" not in there:
        return
    column = there["sign"]
    if guess.chosen_column("sign", column):
        read_sign(guess, column, YES)
    else:
        del guess.columns["sign"]
    guess.ask("sheet.columns.sign", column, guess.table[column], "no sign",
              "TRUE turns the effect round", values=(column, None))  # fmt: skip


def _records(guess, there):
    """Of several annotators the reconciled record counts, else the newest."""
    table = guess.table
    final = [c for c in table if "reconcil" in c.lower() and _spelled(table[c])]
    if "annotator" not in there:  # whose they are is not said
        marks = _spelled(table[final[0]]) if final else []
        if final and not table[final[0]].isin(marks).all():
            if guess.answer("sheet.records", True):
                guess.leave_out.append((final[0], "keep", marks, "not the reconciled record"))
            guess.ask("sheet.leave_out", f"only rows with {final[0]} {marks[0]}", table[final[0]],
                      "the records of all annotators", values=(True, False),
                      key="sheet.records")  # fmt: skip
        return
    rule = {"of": [there["study"]], "by": there["annotator"]}
    words = []
    if final:
        rule["keep"] = {"column": final[0], "values": _spelled(table[final[0]])}
        words.append(f"rows with {final[0].strip()} {rule['keep']['values'][0]}")
    if "entered" in there:
        rule["newest"] = there["entered"]
        words.append(f"those with the newest {there['entered']}")
    several = table.groupby(there["study"])[there["annotator"]].nunique().max() > 1
    guess.records = rule if guess.answer("sheet.records", True) else None
    if several:
        guess.ask("sheet.records", "of each study " + ", else ".join(words or ["one annotator's"]),
                  table[there["annotator"]], "the records of all annotators",
                  "several annotated the same study", values=(True, False))  # fmt: skip


def _labels(guess, there):
    """Authors and years, and the names of cohorts, where ids are GUIDs."""
    filled = {name: bool(guess.filled(there[name])) for name in there}
    if filled.get("authors") and filled.get("year"):
        guess.labels["study"] = [there["authors"], there["year"]]
    if filled.get("cohort_label") and "cohort" in there:
        guess.labels["cohort"] = there["cohort_label"]
        guess.labels["experiment"] = [there["cohort_label"], there["outcome"]]


def _spelled(cells):
    """How the cells of a column spell yes."""
    return [cell for cell in cells.unique() if cell.lower() in YES]


def _empty(cells):
    """How the cells of a column spell nothing."""
    return [cell for cell in cells.unique() if cell.lower() in MISSING]


def _all_yes(cell):
    """Whether every one of several treatments is a control."""
    return pd.Series(cell.split(";")).str.strip().str.lower().isin(YES | {""}).all()
