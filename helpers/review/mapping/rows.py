"""The sheet's own rows: corrected, joined with other sheets, some of them left out."""

import pandas as pd

from helpers.problems import Finder, file_of, nearest, row_of
from helpers.review.columns import CORRECTION, CORRECTIONS
from helpers.review.mapping.working import joined, matches
from helpers.sheet.files import read_csv, read_table
from helpers.sheet.names import is_there


def correct(mapping):
    """Apply `corrections.csv`: row, column, old, new, reason; `file` too where several are read."""
    path = mapping.description.folder / CORRECTIONS
    if not is_there(path):
        return
    found = Finder(path.name)
    lines = read_csv(path).reindex(columns=[*CORRECTION, "file"], fill_value="")
    keys = {}
    for key in mapping.table.index:
        keys.setdefault(str(row_of(key)), []).append(key)
    for line, entry in lines.iterrows():
        row, column, old, new, reason, file = entry
        there = [
            key for key in keys.get(row, ()) if file in ("", mapping.found.files[file_of(key)][0])
        ]
        if column not in mapping.table:
            wrong = ("column", "the sheet has no such column", nearest(column, mapping.table))
        elif not there:
            wrong = ("row", "the sheet has no such row", "Use the number a spreadsheet shows")
        elif len(there) > 1:
            wrong = ("row", "several files have this row", "Add a column file that says which")
        elif (cell := mapping.table.loc[there[0], column]) != old:
            wrong = ("old", f"the sheet has {cell!r} there", "Correct it or drop this line")
        elif not reason:
            wrong = ("reason", "a correction states its reason", "Fill in this cell")
        else:
            mapping.table.loc[there[0], column] = new
            mapping.stored.loc[there[0], column] = False
            mapping.note("correction", column, f"row {row}: {old!r} to {new!r}, {reason}", 1)
            continue
        where, what, remedy = wrong
        found.fault(lines.index == line, lines[where], what, remedy)
    found.refuse()


def join(mapping):
    """Add the columns of other sheets by one key or several; every row keeps its place."""
    for entry in mapping.config.join:
        path = mapping.description.folder / entry.get("file", mapping.found.files[0][0])
        other = read_table(path, sheet=entry.get("sheet"), header=entry.get("header"))
        mapping.found.findings += other.findings
        name = other.sheet or other.file
        left, right = (_listed(entry.get(side, entry.get("on", ()))) for side in ("left", "right"))
        if not left or len(left) != len(right):
            what, remedy = (
                "it is not said by which columns to join",
                "Say `on`, or `left` and `right`",
            )
            mapping.refuse("join", what, remedy)
        mapping.known("join", left, mapping.table)
        mapping.known("join", right, other.table)
        keys, mine = (
            joined(table, columns, "\x1f").where((table[columns] != "").any(axis=1), "")
            for table, columns in ((other.table, right), (mapping.table, left))
        )
        shown = " and ".join(right)
        found, what = Finder(other.file, other.sheet), "this key stands in an earlier row too"
        used = keys.isin(mine) & (keys != "")
        cells = keys.str.replace("\x1f", ", ").rename(shown)
        found.fault(used & keys.duplicated(), cells, what, "Make it unique")
        found.refuse()
        partner = other.table[used].drop(columns=right).set_axis(keys[used]).reindex(mine)
        partner = partner.fillna("")
        stored = pd.DataFrame(False, other.table.index, other.table.columns)
        stored = (stored if other.numeric is None else other.numeric)[used]
        stored = stored.set_axis(keys[used]).reindex(mine, fill_value=False)
        for column in partner:
            title = column if column not in mapping.table else f"{name}.{column}"
            mapping.table[title] = partner[column].to_numpy()
            mapping.digitised |= {title} if other.digitised else set()
            mapping.stored[title] = stored[column].to_numpy()
        there = mine.isin(keys[used])
        mapping.note("join", " and ".join(left), f"columns of {name} by {shown}", there.sum())
        told = mine.str.replace("\x1f", ", ").rename(" and ".join(left))
        mapping.found.warn(~there, told, f"{name} has no such {shown}", "Correct it")
        lonely = sorted(set(cells[~used]))
        if lonely:
            few = ", ".join(lonely[:10]) + ", ..." * (len(lonely) > 10)
            what = f"{name}: no row of {mapping.place} has the {shown} {few}"
            mapping.warn("join", what, "Check whether rows are missing")


def _listed(columns):
    return [columns] if isinstance(columns, str) else list(columns)


def leave_out(mapping):
    """Set rows aside that `[[sheet.leave_out]]` names, with its reason."""
    for entry in mapping.config.leave_out:
        column = entry["column"]
        mapping.known("leave_out", [column], mapping.table)
        if ("values" in entry) == ("keep" in entry):
            remedy = "State either `values` to leave out or values to `keep`"
            mapping.refuse("leave_out", "this rule is not complete", remedy, column)
        listed = matches(mapping.table[column], entry.get("values", entry.get("keep")))
        rows = listed if "values" in entry else ~listed
        if not rows.any():
            mapping.warn("leave_out", f"the rule on {column} leaves no row out")
        mapping.set_aside(rows, entry["reason"], "leave out", column)
