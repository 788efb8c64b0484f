"""Data sets of a digitiser's export: WebPlotDigitizer's CSV, of one data set or of all."""

import re
from dataclasses import replace

from helpers.sheet import delimited
from helpers.sheet.points import ANEW, AUTOMATIC, DataSet, Point, say_empty

SEPARATORS = "\t;|,"  # the comma last: it may be a decimal sign
# The digitiser writes no marks for thousands, so that a comma is a decimal sign.
NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?", re.ASCII)
# How the digitiser writes what stands on an axis of dates or times.
DATE = re.compile(r"\d{1,4}/\d{1,2}(/\d{1,4})?( \d{1,2}:.*)?|\d{1,2}:\d\d.*")
VALUE = "value"  # the column of one data set whose name the file does not say
NO_NUMBER = {"nan", "infinity", "-infinity", "null", "undefined"}  # as JavaScript writes it


def read_grid(path, *, encoding=None, separator=None):
    """Rows of cells, cut by the mark that stands in each of them."""
    for mark in separator or SEPARATORS:
        grid = delimited.read_grid(path, encoding=encoding, separator=mark)
        if all(len(cells) > 1 for cells in grid if any(cells)):
            break
    return grid


def is_export(grid):
    """Whether a table is an export of all data sets: X and Y, or Label and Y, stand in row 2."""
    fields = [field.lower() for field in _trimmed(grid[1])] if len(grid) > 2 else []
    if not fields or len(fields) % 2:
        return False
    pairs = zip(fields[::2], fields[1::2], strict=True)
    return all(pair in (("x", "y"), ("label", "y"), ("label", "value")) for pair in pairs)


def read_export(grid, found):
    """Data sets of an export that hold points.

    Parameters
    ----------
    grid : list of list of str
        Rows of cells. All data sets: names, then fields such as X and Y, then points, two columns
        a data set. One data set: a row a point without headings, or with fields alone; with point
        groups, the number of the point's tuple and the name of its group follow.
    found : Finder

    Returns
    -------
    list of DataSet
        Bars come without places, for an export has none; those of a tuple stand at its number.

    Raises
    ------
    ReviewError
    """
    rows = {number: _trimmed(cells) for number, cells in enumerate(grid, 1) if any(cells)}
    names, fields = _headings(rows)
    cells = max(map(len, [names, fields, *rows.values()]), default=0)
    width = cells + cells % 2
    if names == [VALUE] and rows and all(map(_is_grouped, rows.values())):
        sets = _groups(rows, found)
        found.refuse()
        return sets
    remedy = "Export all data sets anew, or save the project (.json or .tar)"
    what = None
    if not rows:
        what = "this export holds no points"
    elif width != 2 and not fields and names == [VALUE]:
        what = f"rows of {cells} cells without headings are not known as an export of one data set"
    elif fields and width > len(fields):
        what = f"there are {width} cells beside each other under {len(fields)} headings"
        remedy = "Take commas out of names and labels, or save the project (.json or .tar)"
    if what:
        found.lack(None, what, remedy)
        found.refuse()
    sets = []
    for start in range(0, width, 2):
        name, beside = (names[at] if at < len(names) else "" for at in (start, start + 1))
        if not fields and width == 2 and beside:  # headings that a person gave to the two columns
            name = beside
        elif beside not in ("", name):
            what = f"{beside!r} stands over the values of {name!r}, as if a name held a comma"
            found.lack(None, what, "Rename the data set in the digitiser, and export anew")
        sets += _columns(name or f"data set {start // 2 + 1}", start, fields, rows, found)
    found.refuse()
    return sets


def _trimmed(cells):
    return cells[: max((at for at, cell in enumerate(cells, 1) if cell), default=0)]


def _headings(rows):
    """Names and fields, taken out of the rows; each may be lacking."""
    first, second, *_ = [*rows, None, None]
    if second and is_export([[], rows[second], []]):
        return rows.pop(first), rows.pop(second)
    if first and is_export([[], rows[first], []]):
        return [VALUE] if len(rows[first]) == 2 else [], rows.pop(first)
    cells = rows.get(first, [])
    is_point = any(map(NUMBER.fullmatch, cells)) or any(
        cell.lower() in NO_NUMBER or AUTOMATIC.fullmatch(cell) for cell in cells
    )
    if cells and not is_point:
        return rows.pop(first), []
    return [VALUE], []


def _is_grouped(cells):
    return len(cells) == 4 and cells[2].isdecimal() and not NUMBER.fullmatch(cells[3])


def _groups(rows, found):
    """A data set for each point group: points of a tuple have the label or x of its first one."""
    first, parts, sets = {}, {}, []
    for row, (where, value, its, group) in rows.items():
        head = first.setdefault(its, where)
        parts.setdefault(f"{VALUE} {group}", {})[row] = [head, value]
    for name, part in parts.items():
        for each in _columns(name, 0, [], part, found):
            places = [float(rows[row][2]) for row in part]
            points = [
                point if each.curve else replace(point, at=place)
                for point, place in zip(each.points, places, strict=True)
            ]
            sets.append(replace(each, points=tuple(points)))
    return sets


def _columns(name, start, fields, rows, found):
    pairs = {}
    for row, cells in rows.items():
        pair = [cells[at] if at < len(cells) else "" for at in (start, start + 1)]
        if any(pair):
            pairs[row] = pair
    if not pairs:
        say_empty(name, found)
        return []
    first = [cell for cell, _ in pairs.values()]
    curve = all(NUMBER.fullmatch(cell) or DATE.fullmatch(cell) for cell in first)
    curve = fields[start].lower() == "x" if fields else curve
    points, known = [], len(found.findings)
    if not curve and any(first) and not all(first):
        found.lack(
            name,
            "some points have a label and some have none, as where point groups or labels of your "
            "own were left out of the export",
            "Save the project (.json or .tar), which has them",
        )
    for row, (where, value) in pairs.items():
        for cell, what in ((value, "the value"), *([(where, "x")] if curve else [])):
            if not NUMBER.fullmatch(cell):
                found.lack(
                    name, f"in row {row} {what} is {cell!r}, not a number; dates are not read", ANEW
                )
        if len(found.findings) == known:
            if curve:
                points.append(Point(value, x=where, at=float(where.replace(",", "."))))
            else:
                points.append(Point(value, where))
    return [DataSet(name, tuple(points), curve)] if len(found.findings) == known else []
