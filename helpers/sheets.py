"""Extraction sheets as people keep them, read as text with nothing guessed and nothing lost."""

import codecs
import csv
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from helpers.digitiser import bars, read_export, read_project
from helpers.findings import Finding, ReviewError

GROUPS = ("n_treated", "mean_treated", "sd_treated", "n_control", "mean_control", "sd_control")
REFERENCE = ("mean_reference", "sd_reference", "n_reference")
NUMBERS = (*GROUPS, "follow_up_days", "sign", "effect", "se", *REFERENCE)
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
PLAIN = str.maketrans("\N{MINUS SIGN}\N{NO-BREAK SPACE}\N{THIN SPACE}", "-  ")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
RANGE = re.compile(r"(\d+)\s*(?:-|–|—|to|a|à|bis)\s*(\d+)", re.ASCII)


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
    header : int
        Row of the headings.
    """

    file: str
    table: pd.DataFrame
    sheet: str | None = None
    twice: frozenset = frozenset()
    typed: bool = False
    header: int = 1


def read_csv(path):
    """A file of facts as text, its rows numbered as a spreadsheet does."""
    return read_table(path, header=1).table


def read_table(path, *, sheet=None, header=None, encoding=None, separator=None, digitiser=False):
    """Read a table from a text file, a workbook or a digitiser's export.

    Parameters
    ----------
    path : Path
        CSV, TSV or other separated text; XLSX, XLS, ODS; WebPlotDigitizer's CSV or JSON.
    sheet : str, optional
        Sheet of a workbook; by default the first.
    header : int, optional
        Row of the headings; by default the first row that is about as full as the table is wide.
    encoding, separator : str, optional
        Of a text file; by default found out.
    digitiser : bool
        The file is a digitiser's export: a row a bar, a column a data set.

    Returns
    -------
    Raw

    Raises
    ------
    ReviewError
    """
    if not path.is_file():
        raise _error(path, "there is no such file", "Put the sheet there, or correct its name")
    kind = path.suffix.lower()
    with _reading(path):
        if kind == ".json":
            return Raw(path.name, bars(read_project(path.read_bytes())))
        if kind in WORKBOOKS:
            sheet, grid = _workbook(path, sheet)
        else:
            sheet, grid = None, _text_grid(path, encoding, separator)
        if digitiser:
            return Raw(path.name, bars(read_export(grid)))
    return _table(path, sheet, grid, header, typed=kind in WORKBOOKS)


def sheet_names(path):
    """Names of a workbook's sheets; of any other file, one nameless sheet."""
    if path.suffix.lower() not in WORKBOOKS or not path.is_file():
        return [None]
    with _reading(path), pd.ExcelFile(path) as book:
        return book.sheet_names


@contextmanager
def _reading(path):
    """What the readers of four formats raise, as a fault of the file."""
    try:
        yield
    except ReviewError:
        raise
    except Exception as error:
        remedy = "Open and save it anew as XLSX or as CSV in UTF-8"
        raise _error(path, f"this file cannot be read: {error}", remedy) from error


def _error(path, what, remedy, **place):
    return ReviewError([Finding(path.name, what, remedy, **place)])


def _workbook(path, sheet):
    with pd.ExcelFile(path) as book:
        name, known = sheet or book.sheet_names[0], ", ".join(book.sheet_names)
        if name not in book.sheet_names:
            raise _error(path, "there is no such sheet", f"It has {known}", value=name)
        cells = pd.read_excel(book, name, header=None, dtype=object, na_filter=False)
    return name, [[_cell(value) for value in row] for row in cells.itertuples(index=False)]


def _cell(value):
    """A workbook's cell as text, numbers to the last digit."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return repr(float(value))
    return str(value).removesuffix(" 00:00:00").translate(PLAIN).strip()


def _text_grid(path, encoding, separator):
    data = path.read_bytes()
    text = data.decode(encoding or _encoding(data)).removeprefix("\ufeff")
    rows = _rows(text.translate(PLAIN), separator or _separator(text))
    return [list(map(str.strip, row)) for row in rows]


def _rows(text, separator):
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _encoding(data):
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        # Short texts in Western Europe's encoding look like many others: it has the first say.
        others = ["cp1251", "gb18030", "shift_jis", "euc_kr", "big5"]
        best = from_bytes(data, cp_isolation=["cp1252", *others]).best()
        return best.encoding if best else "latin-1"


def _separator(text):
    """The separator that cuts most of the first rows into one number of columns."""

    def score(mark):
        widths = [len(row) for row in islice(filter(None, _rows(text[:20_000], mark)), 20)]
        common = max(set(widths), key=widths.count, default=1)
        return (common > 1) * widths.count(common) / max(len(widths), 1), common

    return max(",;\t|", key=score)


def _table(path, sheet, grid, header, *, typed):
    filled = [sum(map(bool, row)) for row in grid]
    if not any(filled):
        raise _error(path, "this table is empty", "Put the rows there", sheet=sheet)
    full = max(max(filled[:20]) / 2, 1)
    header = header or next(row for row, cells in enumerate(filled, 1) if cells >= full)
    if header > len(grid):
        raise _error(path, "the headings have no such row", "Correct `header`", value=header)
    names, twice = [], set()
    for place, name in enumerate(grid[header - 1], 1):
        name = name or f"column {place}"
        twice |= {name} & set(names)
        names.append(f"{name} (column {place})" if name in names else name)
    width = len(names)
    rows = {row: grid[row - 1] for row in range(header + 1, len(grid) + 1) if filled[row - 1]}
    remedy = "Put texts that hold the separator into quotes, or add the heading"
    wide = [
        Finding(path.name, f"this row has {len(cells)} cells under {width} headings", remedy,
                row=row, sheet=sheet)
        for row, cells in rows.items()
        if any(cells[width:])
    ]  # fmt: skip
    if wide:
        raise ReviewError(wide)
    cells = [[*cells[:width], *[""] * (width - len(cells))] for cells in rows.values()]
    table = pd.DataFrame(cells, pd.Index(rows, dtype=int), names, dtype=object)
    return Raw(path.name, table, sheet, frozenset(twice), typed, header)


def plain_number(text, *, decimal=".", typed=False):
    """A cell's number as plain text, or None where it is none.

    Parameters
    ----------
    text : str
    decimal : {".", ","}
        With "," a comma is the decimal sign, and a point is refused: it may part thousands.
    typed : bool
        The file tells numbers from text; a point in it is no thousands mark.
    """
    if decimal == ",":
        if "." in text and ("," in text or not typed):
            return None
        text = text.replace(",", ".")
    return text if NUMBER.fullmatch(text) else None


def advice(text):
    """How to mend a text that stands where a number is due."""
    known = (
        (r"\d{4}-\d\d-\d\d.*", "A spreadsheet made a date of it (6-8 becomes 6 August): type it anew"),
        (r"[-+]?\d+,\d+", 'Write a point, or say decimal = "," under [sheet] in review.toml'),
        (r".*(±|\+/-).*", "Give the mean and its error a column each"),
        (RANGE.pattern, "A range is read as its lower end for group sizes only: write one number"),
        (r"\D+", f"Write a number, or name {text!r} among `missing` under [sheet] in review.toml: "
         "such rows are then left out and listed"),
    )  # fmt: skip
    fits = (remedy for pattern, remedy in known if re.fullmatch(pattern, text))
    return next(fits, "Write a plain number such as 12.5")
