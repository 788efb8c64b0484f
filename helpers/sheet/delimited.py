"""Text files with separators (CSV, TSV), read strictly: no row swallowed, doubled or cut short."""

import codecs
import csv
import io
import re
from itertools import islice

from helpers.problems import Finding, ReviewError

# One letter that is written in several ways, and letters that nobody sees.
SAME = str.maketrans(
    "\N{MINUS SIGN}\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{FIGURE SPACE}",
    "-    ",
    "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}\N{SOFT HYPHEN}"
    "\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}",
)
QUOTES = (
    "Close or take away the quotation mark in this row; one that belongs to the text is doubled "
    '("") in a cell that stands in quotes'
)


def clean(text):
    """A cell's text: one kind of minus, blank and line break, nothing around it."""
    return re.sub(r"\r\n?", "\n", text.translate(SAME)).strip()


def read_grid(path, *, encoding=None, separator=None):
    """Rows of stripped cells.

    Parameters
    ----------
    path : Path
    encoding, separator : str, optional
        By default found out.

    Returns
    -------
    list of list of str
        Line breaks inside a quoted cell stay in it, all of one kind.

    Raises
    ------
    ReviewError
        A quotation mark that is not closed or takes in other rows, a NUL.
    """
    text, separator, _ = decoded(path.read_bytes(), encoding, separator)
    return _strict(path, text, separator)


def decoded(data, encoding=None, separator=None):
    """The text of a file, its separator and its encoding, found out where they are not told."""
    encoding = encoding or _encoding(data)
    text = data.decode(encoding).removeprefix("\ufeff")
    # Spreadsheets write and read "sep=;" as a first line, and do not count it as a row.
    if told := re.match(r'"?sep=(.)"?(\r\n|\r|\n)', text, re.I):
        separator, text = separator or told[1], text[told.end() :]
    return text, separator or _separator(text), encoding


def with_rows(path, data, rows):
    """Bytes of a file with further rows at its end, written as those that it has.

    Parameters
    ----------
    path : Path
        The file, for messages.
    data : bytes
        What it holds; the first row are the headings.
    rows : list of dict
        Texts by heading.

    Returns
    -------
    bytes

    Raises
    ------
    ReviewError
        What cannot be written so that it reads as it is meant.
    """
    text, separator, encoding = decoded(data)
    before = _strict(path, text, separator)
    more = [[row.get(name, "") for name in before[0]] for row in rows]
    ending = next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=ending).writerows(more)
    added = ("" if text.endswith(("\n", "\r")) else ending) + stream.getvalue()
    if encoding == "utf-16":  # whose mark stands at the beginning alone
        encoding = "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    try:
        new = data + added.encode(encoding)
        reread = decoded(new)
        if _strict(path, *reread[:2]) == before + more:
            return new
    except (UnicodeError, ReviewError):
        pass
    what = f"rows with such letters cannot be added to this file, which is in {encoding}"
    raise ReviewError([Finding(path.name, what, "Save it as CSV in UTF-8, then write them again")])


def _strict(path, text, separator):
    grid, faults = [], []
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True
    )
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            what = f"a quotation mark here is not closed, or not before a separator ({error})"
            faults.append(Finding(path.name, what, QUOTES, row=len(grid) + 1))
            break
        if any("\0" in cell for cell in cells):
            what, remedy = "this row holds a NUL character", "Save the file anew as CSV in UTF-8"
            faults.append(Finding(path.name, what, remedy, row=len(grid) + 1))
        grid.append([clean(cell) for cell in cells])
    faults += _swallowed(path, grid, separator)
    if faults:
        raise ReviewError(faults)
    return grid


def _swallowed(path, grid, separator):
    """Faults of rows in which a cell in quotes seems to hold other rows.

    A quotation mark that a later row closes by chance takes in all rows between. What is left is a
    row of another width, or a cell that holds as many separators as its line breaks ended rows.
    """
    widths = [len(cells) for cells in grid if len(cells) > 1]
    width = max(set(widths), key=widths.count, default=1)
    for row, cells in enumerate(grid, 1):
        for cell in cells:
            breaks, marks = cell.count("\n"), cell.count(separator)
            rows_in_it = width > 1 and marks >= breaks * (width - 1)
            if breaks and marks and (rows_in_it or len(cells) < width):
                what = f"a quotation mark in this row takes in {breaks} more lines"
                yield Finding(path.name, what, QUOTES, row=row, value=cell.split("\n")[0])
                break


def _encoding(data):
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):  # without a mark, mostly Latin letters
        half = data[place:400:2]
        if len(half) > 4 and half.count(0) > 0.8 * len(half):
            return name
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
        lines = csv.reader(io.StringIO(text[:20_000], newline=""), delimiter=mark)
        widths = [len(row) for row in islice(filter(None, lines), 20)]
        common = max(set(widths), key=widths.count, default=1)
        return (common > 1) * widths.count(common) / max(len(widths), 1), common

    return max(",;\t|", key=score)
