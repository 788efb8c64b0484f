"""Headings that take several rows: a group's name above "n, mean, SD", or units below them."""

import re

from helpers.problems import ReviewError
from helpers.sheet.files import read_table

ABOVE = 2  # rows above the fullest one that are tried


def rows_of(raw):
    """The rows of a table's headings: a number, or a list of them."""
    rows = list(map(int, re.findall(r"\d+", str(raw.header))))
    return rows[0] if len(rows) == 1 else rows


def best_headings(source, raw, guess):
    """The table under its headings of one row, or under those of several if these say more.

    Parameters
    ----------
    source : Path
    raw : helpers.sheet.files.Raw
        Read with the headings of one row.
    guess : callable
        From a `Raw` to what it seems to say; the number of columns that are known is `recognised`.

    Returns
    -------
    helpers.sheet.files.Raw
    """
    row = rows_of(raw)
    if raw.digitised or raw.parts or raw.table.empty or not isinstance(row, int):
        return raw
    options = [[*range(row - above, row + 1)] for above in range(1, ABOVE + 1) if above < row]
    # A first row without a number below the headings is one of headings or of units.
    below = raw.table.iloc[0]
    numbers = raw.table.iloc[1:].apply(lambda cells: cells.str.fullmatch(r"[-+]?\d.*").mean() > 0.5)
    told = below[numbers[numbers].index] if len(raw.table) > 2 else below[:0]
    if (told != "").any() and not told.str.match(r"[-+<>~=]?\s?\d").any():
        options = [[row, int(raw.table.index[0])], *options]
    if not options:
        return raw
    first = guess(raw)
    if not first.blanks and not raw.twice and options[0][0] < row:
        return raw
    chosen, most = raw, first.recognised
    for rows in options:
        try:
            other = read_table(source, sheet=raw.sheet, header=rows)
        except ReviewError:
            continue
        found = guess(other)
        units = rows[0] == row and found.recognised >= most
        if units or found.recognised > most:
            chosen, most = other, found.recognised
    return chosen
