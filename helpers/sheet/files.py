"""Extraction sheets as people keep them, read as text with nothing guessed and nothing lost."""

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field

import pandas as pd

from helpers.problems import Finder, Finding, ReviewError
from helpers.sheet import delimited, exports, revman, revman_web, workbook
from helpers.sheet.digitiser import PROJECTS, read_project
from helpers.sheet.names import is_there
from helpers.sheet.points import to_table

WORKBOOKS = (".xlsx", ".xlsm")
REVMAN = {".rm5": revman.read_rm5, ".zip": revman_web.read_package}
CLOSED = (".xls", ".xlsb", ".ods", ".numbers", ".doc", ".docx", ".pdf")
DASH = re.compile(r"^[‐‑‒–﹣－](?=[\d.])")  # signs that stand for a minus before a number
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
RANGE = re.compile(r"(\d+)\s*(?:-|–|—|to|a|à|bis)\s*(\d+)", re.ASCII)
MONTH = r"(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?"
DATE = (
    r"\d{4}-\d\d-\d\d.*|\d{1,2}\.\d{1,2}\.(\d{2}|\d{4})?|\d{1,2}/\d{1,2}/\d{2,4}|"
    rf"(?i:\d{{1,4}}[-. ]{{0,2}}{MONTH}|{MONTH}[-. ]{{0,2}}\d{{1,4}})|\d{{1,2}}:\d\d(:\d\d)?"
)


@dataclass(frozen=True, eq=False)
class Raw:
    """A table as it stands in a file.

    Attributes
    ----------
    file, sheet : str
    table : pandas.DataFrame
        Stripped text; the index is the row as a spreadsheet counts it. Empty rows are left away.
    twice : frozenset of str
        Headings that stand over several columns; the first column has the name.
    typed : bool
        Whether the file tells numbers from text (a workbook does, a text file does not).
    header : int or str
        Row of the headings, or rows as in "2 and 3".
    numeric : pandas.DataFrame of bool
        Which cells the file stores as numbers, shaped as `table`.
    marks : dict of str to frozenset
        What a spreadsheet shows beside the cells: rows that are "hidden rows", headings of "hidden
        columns", cells (row, heading) that are "struck" out, shown as "percent", or hold something
        because they are "merged" with one above.
    findings : tuple of Finding
        Warnings about the table as a whole.
    parts : tuple of (str, str)
        File and sheet of each part, where several are read below each other: a row's key says which
        part it is of (`helpers.problems`).
    digitised : bool
        Whether the numbers are places on the axes of a figure.
    left_out : dict of int to str
        Rows that the file itself leaves out of its results, and why.
    """

    file: str
    table: pd.DataFrame
    sheet: str | None = None
    twice: frozenset = frozenset()
    typed: bool = False
    header: int | str = 1
    numeric: pd.DataFrame | None = None
    marks: dict = field(default_factory=dict)
    findings: tuple = ()
    parts: tuple = ()
    digitised: bool = False
    left_out: dict = field(default_factory=dict)


def read_csv(path):
    """A file of facts as text, its rows numbered as a spreadsheet does."""
    return read_table(path, header=1).table


def read_table(path, *, sheet=None, header=None, encoding=None, separator=None, digitiser=None):
    """Read a table from a text file, a workbook or a digitiser's export.

    Parameters
    ----------
    path : Path
        CSV, TSV or other separated text; XLSX; WebPlotDigitizer's CSV, JSON or TAR; a review of
        RevMan 5 (.rm5) or a data package of RevMan Web (.zip).
    sheet : str, optional
        Sheet of a workbook; by default the first that is not hidden.
    header : int or list of int, optional
        Row of the headings, or rows that are read together: a heading that stands over several
        columns in an upper row counts for each of them; by default the first row that is about as
        full as the table is wide.
    encoding, separator : str, optional
        Of a text file; by default found out.
    digitiser : bool, optional
        The file is a digitiser's: a row a bar or an x, a column a data set. By default projects are
        known by their ending, and exports of all data sets by their second row.

    Returns
    -------
    Raw

    Raises
    ------
    ReviewError
    """
    if not is_there(path):
        raise unreadable(path, "there is no such file", "Put the sheet there, or correct its name")
    kind = path.suffix.lower()
    if kind in CLOSED:
        what = f"a {kind} file cannot be read here"
        raise unreadable(path, what, "Save it as XLSX or as CSV in UTF-8")
    if kind in REVMAN:
        with _reading(path, remedy="Save it anew from RevMan"):
            return _of_revman(REVMAN[kind](path))
    if kind not in WORKBOOKS and path.read_bytes()[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise unreadable(path, "this is a workbook and no text", "Name it .xlsx, or save it as CSV")
    with _reading(path, digitised=digitiser or kind in PROJECTS):
        if kind in PROJECTS:
            found = Finder(path.name)
            return _digitised(read_project(path, found), found, typed=True)
        if kind in WORKBOOKS:
            grid = workbook.read_grid(path, sheet)
        else:
            read = exports.read_grid if digitiser else delimited.read_grid
            grid = workbook.Grid(None, read(path, encoding=encoding, separator=separator))
        if digitiser or (digitiser is None and exports.is_export(grid.cells)):
            found = Finder(path.name, grid.name)
            return _digitised(exports.read_export(grid.cells, found), found)
    return _table(path, grid, header, typed=kind in WORKBOOKS)


def _digitised(sets, found, *, typed=False):
    table = to_table(sets, found)
    numeric = pd.DataFrame(typed, table.index, table.columns)
    numeric["label"] = False
    return Raw(
        found.file,
        table,
        found.sheet,
        typed=typed,
        numeric=numeric,
        findings=tuple(found.findings),
        digitised=True,
    )


def visible_sheets(path):
    """Names of a workbook's sheets that are not hidden."""
    if path.suffix.lower() not in WORKBOOKS or not os.path.isfile(path):
        return [None]
    with _reading(path):
        return workbook.names(path, hidden=False)


def sheet_names(path):
    """Names of a workbook's sheets; of any other file, one nameless sheet."""
    if path.suffix.lower() not in WORKBOOKS or not os.path.isfile(path):
        return [None]
    with _reading(path):
        return workbook.names(path)


@contextmanager
def _reading(path, digitised=False, remedy="Open and save it anew as XLSX or as CSV in UTF-8"):
    """What the readers of the formats raise, as a fault of the file."""
    try:
        yield
    except ReviewError:
        raise
    except Exception as error:
        remedy = "Mend it in the digitiser and save it anew" if digitised else remedy
        raise unreadable(path, f"this file cannot be read: {error}", remedy) from error


def unreadable(path, what, remedy, **place):
    """The error of a file that cannot be read."""
    return ReviewError([Finding(path.name, what, remedy, **place)])


def _of_revman(found):
    """RevMan's analyses as a table; its columns of numbers hold nothing but numbers."""
    table = pd.DataFrame(list(found.rows.values()), list(found.rows), revman.HEADINGS, dtype=object)
    numbers = table.map(NUMBER.fullmatch).notna() & table.columns.isin(revman.NUMBERS)
    return Raw(
        found.file,
        table,
        typed=True,
        numeric=numbers,
        left_out=found.left_out,
        findings=tuple(found.findings),
    )


def _table(path, grid, header, *, typed):
    filled = [sum(map(bool, row)) for row in grid.cells]
    if not any(filled):
        raise unreadable(path, "this table is empty", "Put the rows there", sheet=grid.name)
    full = max(max(filled[:20]) / 2, 1)
    header = header or next(row for row, cells in enumerate(filled, 1) if cells >= full)
    of_headings = sorted(header) if isinstance(header, list) else [header]
    if of_headings[-1] > len(filled):
        raise unreadable(
            path, "the headings have no such row", "Correct `header`", value=of_headings[-1]
        )
    first = of_headings[-1]
    rows = {row: cells for row, cells in enumerate(grid.cells, 1) if row > first and any(cells)}
    headings = _headings(grid, of_headings)
    header = " and ".join(map(str, of_headings)) if len(of_headings) > 1 else first
    if typed:  # a text file says how wide its rows are, a workbook does not
        headings += [""] * (max(map(len, rows.values()), default=0) - len(headings))
    names, twice = [], set()
    for place, name in enumerate(headings, 1):
        name = name or f"column {place}"
        twice |= {name} & set(names)
        names.append(f"{name} (column {place})" if name in names else name)
    width, found = len(names), Finder(path.name, grid.name)
    for row, cells in rows.items():
        uneven = f"this row has {len(cells)} cells under {width} headings"
        if any(cells[width:]):
            found.row(
                row, uneven, "Put texts that hold the separator into quotes, or add the heading"
            )
        elif len(cells) < width and not typed:
            remedy = "Check whether a cell is lacking, so that others stand under a wrong heading"
            found.row(row, uneven, remedy, severity="warning")
    found.refuse()
    cells = [[*cells[:width], *[""] * (width - len(cells))] for cells in rows.values()]
    table = pd.DataFrame(cells, pd.Index(rows, dtype=int), names, dtype=object)
    return Raw(
        path.name,
        table,
        grid.name,
        frozenset(twice),
        typed,
        header,
        numeric=pd.DataFrame(
            [[(row, place) in grid.numbers for place in range(1, width + 1)] for row in rows],
            table.index,
            names,
            dtype=bool,
        ),
        marks={
            "hidden rows": frozenset(grid.hidden_rows & set(rows)),
            "hidden columns": frozenset(
                names[at - 1] for at in grid.hidden_columns if 0 < at <= width
            ),
            "struck": _cells_of(grid.struck, rows, names),
            "percent": _cells_of(grid.percent, rows, names),
            "merged": _cells_of(grid.filled, rows, names),
        },
        findings=tuple(found.findings),
    )


def _headings(grid, rows):
    """Headings of one row, or of several read from top to bottom.

    An upper heading counts as far as it is merged, or else up to the next one in its row.
    """
    lines = [list(grid.cells[row - 1]) for row in rows]
    width = max(map(len, lines))
    lines = [line + [""] * (width - len(line)) for line in lines]
    for row, line in zip(rows[:-1], lines, strict=False):
        spans = [span for span in grid.merged if span[0] <= row <= span[2]]
        for place in range(1, width):
            inside = any(left <= place and place + 1 <= right for _, left, _, right in spans)
            if not line[place] and (inside or not spans):
                line[place] = line[place - 1]
    return [
        " ".join(dict.fromkeys(part for part in parts if part))
        for parts in zip(*lines, strict=True)
    ]


def _cells_of(places, rows, names):
    return frozenset((row, names[at - 1]) for row, at in places if row in rows and at <= len(names))


def plain_number(text, *, decimal=".", thousands=None, typed=False):
    """A cell's number as plain text, or None where it is none.

    Parameters
    ----------
    text : str
    decimal : {".", ","}
        With "," a point is refused where it is not named as `thousands`.
    thousands : {",", ".", "'", " ", ""}, optional
        What may stand before every three digits.
    typed : bool
        The file itself stores this cell as a number: a point in it is the decimal point.
    """
    if typed and NUMBER.fullmatch(text):
        return text
    text = DASH.sub("-", text)
    if thousands:
        text = text.replace("’", "'")
        mark, point = re.escape(thousands), re.escape(decimal)
        if re.fullmatch(rf"[-+]?\d{{1,3}}({mark}\d{{3}})+({point}\d+)?", text, re.ASCII):
            text = text.replace(thousands, "")
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    return text if NUMBER.fullmatch(text) else None


def unsure_marks(texts):
    """Those texts whose mark may part thousands or decimals, as in "1.149" and "1,250".

    Three digits stand after every mark, and no other of the texts shows what the mark is: "0.25",
    "12.5" and "1,250.5" have a decimal point for certain, so that "1.149" beside them is no
    thousand.

    Parameters
    ----------
    texts : iterable of str
        Cells of a sheet's number columns that are not stored as numbers.

    Returns
    -------
    dict of str to set of str
        By mark, "." and ",".
    """
    texts = set(texts)
    unsure = {}
    for mark, other in (".,", ",."):
        mark, other = re.escape(mark), re.escape(other)
        sure = re.compile(
            rf"[-+]?(\d*{mark}\d{{1,2}}|\d*{mark}\d{{4,}}|0*{mark}\d+|\d{{4,}}{mark}\d+|"
            rf"\d+{mark}\d+[eE].+|\d{{1,3}}({other}\d{{3}})+{mark}\d+)"
        )
        grouped = re.compile(rf"[-+]?[1-9]\d{{0,2}}({mark}\d{{3}})+")
        if not any(map(sure.fullmatch, texts)):
            unsure[mark[-1]] = set(filter(grouped.fullmatch, texts))
    return unsure


def advice(text):
    """How to mend a text that stands where a number is due."""
    setting = "under [sheet] in review.toml"
    known = (
        (r"=.+", "A formula whose value was never stored: open the workbook in a spreadsheet "
         "program and save it"),
        (r"#.+", "The spreadsheet could not compute this cell: mend the formula, or name "
         f"{text!r} among `missing` {setting}, so that such rows are left out and listed"),
        (DATE, "A spreadsheet made a date of it (6-8 becomes 6 August, 3.5 becomes 3 May): type it "
         "anew, in cells formatted as text"),
        (r"[-+]?\d{1,3},\d{3}", f'Say thousands = "," {setting}, or decimal = "," where the comma '
         "is a decimal sign"),
        (r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", f'Say thousands = "," {setting}'),
        (r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?", f'Say thousands = "." {setting}'),
        (r"[-+]?\d{1,3}([' ’])\d{3}(\1\d{3})*([.,]\d+)?",
         f'Say thousands = "{(re.findall("[ ’]", text) or [chr(39)])[0]}" {setting}'.replace("’", "'")),
        (r"[-+]?\d+,\d+", f'Write a point, or say decimal = "," {setting}'),
        (r".*(±|\+/-|\+-).*", "Give the mean and its error a column each"),
        (r".*\d\s*[(\[].*\d.*[)\]].*", "Give the number and what stands in brackets a column each"),
        (RANGE.pattern, "A range is read as its lower end for group sizes only: write one number"),
        (r"[<>≤≥].*", "A limit of detection is no number: write the number that was used for it, "
         f"or name {text!r} among `missing` {setting}"),
        (r"[~≈]\s*\d.*|(ca|c|approx|about|circa|etwa|env)\.?\s*\d.*", "Write the number itself, "
         f"or name {text!r} among `missing` {setting}"),
        (r"[nN]\s*=.*", "Write the number alone, without n ="),
        (r".*\d\s*%", "Write the number without the percent sign, in the unit of the column"),
        (r"[-+]?\d+\s*/\s*\d+", "Two numbers stand here: write the one of this group"),
        (r"[-+]?[\d.,]+\s*([*†‡§#$^]+|[a-z]{1,3})", "Take the mark away, or put it into a column "
         "of its own"),
        ("", "Write a plain number such as 12.5, or say missing = [] "
         f"{setting}: rows without a number are then left out and listed"),
        (r"\D+", f"Write a number, or name {text!r} among `missing` {setting}: "
         "such rows are then left out and listed"),
    )  # fmt: skip
    fits = (remedy for pattern, remedy in known if re.fullmatch(pattern, text, re.S))
    return next(fits, "Write a plain number such as 12.5")
