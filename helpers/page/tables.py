"""A table with number and caption, its numbers aligned, its data as a download."""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

from helpers.page.blocks import Block
from helpers.page.downloads import link
from helpers.page.templating import macros
from helpers.writing import csv

# A number, and what may stand behind it: "2.31 [1.95, 2.66]", "81.5% (<0.001)".
NUMBER = re.compile(r"([<>≥≤]?\s?[−+-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?%?)(\s[\[(].*[\])])?")
INTERVAL = re.compile(r"\[[^\]]{1,24}\]")
LONG = 40  # rows beyond which a table scrolls inside its own box
TOLD = 80  # characters from which a cell is prose, which a phone gives room


def table(frame, *, name, number, caption, formats=None, groups=None, data=None, links=()):
    """Show a table with number and caption, sortable and filterable where scripts run.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a row; the index is not shown. The first column names the row.
    name : str
        Unique in a report; the anchor is ``table-<name>``.
    number : int or str
        Printed before the caption.
    caption : str
        Plain text.
    formats : dict of str to str or callable, optional
        How a column's values are written: a format specification (``".2f"``) or a function.
        Floats have two decimals and missing values an en dash otherwise.
    groups : str, optional
        Column whose values become headings above their (adjacent) rows.
    data : pandas.DataFrame, optional
        What is downloaded, at full precision; `frame` by default.
    links : list of str or dict of str to list of str, optional
        Where the first cell of each row leads, or the cells of columns by their heading; an empty
        text for one that leads nowhere.

    Returns
    -------
    Block
    """
    shown = frame.drop(columns=groups) if groups else frame
    heads, columns = [], []
    for label, series in shown.items():
        cells = _cells(series, (formats or {}).get(label))
        found = [NUMBER.fullmatch(cell) for cell in cells]
        numeric = 2 * sum(map(bool, found)) > sum(cell != "–" for cell in cells)
        heads.append({"label": str(label), "numeric": numeric})
        columns.append(_aligned(cells, found) if numeric else [_text(cell) for cell in cells])
    for label, hrefs in (links if isinstance(links, dict) else {shown.columns[0]: links}).items():
        for cell, href in zip(columns[list(shown).index(label)], hrefs, strict=False):
            cell["href"] = href
    rows = list(zip(*columns, strict=True))
    bodies = [(None, rows)]
    if groups:
        labelled = groupby(zip(frame[groups], rows, strict=True), key=itemgetter(0))
        bodies = [(str(label), [row for _, row in run]) for label, run in labelled]
    data = frame if data is None else data
    text = csv(data)
    html = macros().table(
        f"table-{name}", number, caption, heads, bodies, link(text, f"{name}.csv"), len(rows) > LONG
    )
    plain = shown.to_string(index=False, max_rows=20)
    said = f"Table {number}. {caption}\n{plain}"
    return Block("table", name, html, said, {"csv": text}, rows=data)


def _cells(series, how):
    write = how if callable(how) else _writer(series, how)
    missing = series.isna().tolist()
    return [
        "–" if gone else str(write(v)) for v, gone in zip(series.tolist(), missing, strict=True)
    ]


def _writer(series, how):
    if how is None and series.dtype.kind == "f":
        how = ".2f"
    if how is None:
        return {True: "yes", False: "no"}.get if series.dtype == bool else str
    return lambda value: format(value, how).replace("-", "−")


def _text(cell):
    """A cell of a column of texts; an interval in one stays in one line."""
    style = "whole" if INTERVAL.fullmatch(cell) else "told" if len(cell) >= TOLD else ""
    return {"text": cell, "style": style} if style else {"text": cell}


def _aligned(cells, found):
    """Cells of a column in which most are numbers (`found`), aligned at the decimal point.

    What stands behind the numbers is made equally wide and shorter fractions are padded, both by
    style, so that the points stand below each other and the text stays as it is.
    """
    wide = max((_digits(match[2]) for match in found if match), default=0)
    places = [_places(match[1]) if match else 0 for match in found]
    most, aligned = max(places), []
    for cell, match, place in zip(cells, found, places, strict=True):
        one = {"text": cell, "style": "num"}
        if match and match[2]:
            one |= {"text": match[1], "after": match[2], "wide": wide}
        elif match and place < most and not wide:
            one["style"] += f" d{most - place}{'' if place else ' i'}"
        elif not match and not wide and cell == "–" and most:
            one["style"] += f" d{most} i"
        aligned.append(one)
    return aligned


def _places(number):
    return len(number.rstrip("%").partition(".")[2])


def _digits(text):
    """How many characters of a text are as wide as a digit."""
    return sum(one.isdigit() or one in "−<>" for one in text or "")
