"""Several files or sheets of one shape, read below each other."""

import os
import re

import pandas as pd

from helpers.problems import ROWS, Finding
from helpers.sheet.files import Raw, read_table, unreadable, visible_sheets
from helpers.sheet.names import fitting, name_from

FILE, SHEET = "file", "sheet"  # headings of the columns that say which part a row is of


def read_tables(folder, names, *, sheet=None, **options):
    """Read one table, or several below each other.

    Parameters
    ----------
    folder : Path
    names : str or list of str
        Files; a pattern such as ``figures/*.json`` stands for all files that fit, in order.
    sheet : str or list of str, optional
        Sheets of each workbook; ``"*"`` for all that are not hidden.
    **options
        As in `read_table`.

    Returns
    -------
    Raw
        Several tables have a column `FILE` and, where there are several sheets of one file, a
        column `SHEET`. A column that only some of them have is empty in the others, with a warning.

    Raises
    ------
    ReviewError
    """
    listed = names if isinstance(names, list) else [names]
    paths, several = [], len(listed) > 1 or isinstance(sheet, list) or sheet == "*"
    for name in listed:
        if os.path.isfile(folder / name) or not re.search(r"[*?\[]", name):
            paths.append(folder / name)
        elif fits := fitting(folder, name):
            paths, several = paths + fits, True
        else:
            raise unreadable(
                folder / name, "no file fits this pattern", "Correct `file`, or put one there"
            )
    if not several:
        return read_table(paths[0], sheet=sheet, **options)
    wanted = [
        (path, one)
        for path in dict.fromkeys(paths)
        for one in (
            visible_sheets(path) if sheet == "*" else sheet if isinstance(sheet, list) else [sheet]
        )
    ]
    tables = [read_table(path, sheet=one, **options) for path, one in wanted]
    return _stacked([name_from(folder, path) for path, _ in wanted], tables)


def _stacked(names, tables):
    """Tables below each other, each row's key with its part."""
    parts, frames, numbers, twice, left_out = [], [], [], frozenset(), {}
    marks = {"hidden rows": set(), "hidden columns": set(), "struck": set(), "percent": set()}
    several_sheets = len(set(names)) < len(names)
    columns = list(dict.fromkeys(column for raw in tables for column in raw.table))
    found = [finding for raw in tables for finding in raw.findings]
    for place, (name, raw) in enumerate(zip(names, tables, strict=True)):
        shift = place * ROWS
        told = {FILE: name} | ({SHEET: raw.sheet or ""} if several_sheets else {})
        for title in set(told) & set(columns):
            del told[title]  # the sheets say it themselves
        for column in columns:
            if column not in raw.table:
                what, remedy = (
                    "this file has no such column, others have",
                    "Check its spelling there",
                )
                found.append(Finding(name, what, remedy, None, column, None, "warning", raw.sheet))
        frame = raw.table.set_axis(raw.table.index + shift)
        stored = raw.numeric if raw.numeric is not None else frame.astype(bool) & False
        frames.append(frame.assign(**told).astype(object))
        numbers.append(stored.set_axis(frame.index))
        parts.append((name, raw.sheet))
        twice |= raw.twice
        left_out |= {row + shift: why for row, why in raw.left_out.items()}
        for mark, places in raw.marks.items():
            kind = marks.setdefault(mark, set())
            kind |= {_shifted(each, shift) for each in places}
    table = pd.concat(frames).fillna("").astype(object)
    numeric = pd.concat(numbers).reindex(columns=table.columns).eq(True)
    shown = ", ".join(dict.fromkeys(names))
    headers = " and ".join(dict.fromkeys(str(raw.header) for raw in tables))
    marks = {mark: frozenset(places) for mark, places in marks.items()}
    return Raw(
        shown,
        table,
        twice=twice,
        typed=tables[0].typed,
        header=headers,
        numeric=numeric,
        marks=marks,
        findings=tuple(found),
        parts=tuple(parts),
        digitised=all(raw.digitised for raw in tables),
        left_out=left_out,
    )


def _shifted(mark, shift):
    """A row, a cell (row, heading) or a heading of a part as it is called in the whole."""
    if isinstance(mark, tuple):
        return mark[0] + shift, mark[1]
    return mark + shift if isinstance(mark, int) else mark
