"""A workbook's sheet as text, with what a spreadsheet shows beside the numbers it stores."""

from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace

from helpers.problems import Finding, ReviewError
from helpers.sheet.delimited import clean

MIDNIGHT = " 00:00:00"  # the time of day of a plain date
EMPTY = SimpleNamespace(value=None, data_type=None)


@dataclass(frozen=True)
class Grid:
    """Cells of a sheet; rows and columns count from 1, cells are (row, column).

    Attributes
    ----------
    cells : list of list of str
        Each row up to its last filled cell; a formula whose value was never stored stands as it is.
    numbers : set of cell
        Stored as numbers.
    hidden_rows, hidden_columns : set of int
    struck, percent : set of cell
        Struck out; shown as percentages.
    merged : list of (int, int, int, int)
        Merged ranges: first row and column, last row and column. A cell below the first of its
        range holds what that one does.
    filled : set of cell
        The cells that hold something because they are merged.
    """

    name: str
    cells: list
    numbers: set = field(default_factory=set)
    hidden_rows: set = field(default_factory=set)
    hidden_columns: set = field(default_factory=set)
    struck: set = field(default_factory=set)
    percent: set = field(default_factory=set)
    merged: list = field(default_factory=list)
    filled: set = field(default_factory=set)


@lru_cache(maxsize=2)
def _load(path, changed, computed):
    """A workbook, once for all its sheets; `changed` is when the file was."""
    from openpyxl import load_workbook  # its import takes long and only workbooks need it

    with open(path, "rb") as file:  # openpyxl itself leaves a file open that it cannot read
        return load_workbook(file, data_only=computed)


def names(path, *, hidden=True):
    """Names of the sheets with cells (not of charts), hidden ones last or left out."""
    from openpyxl import load_workbook

    with open(path, "rb") as file:
        book = load_workbook(file, read_only=True)
        sheets = [(sheet.sheet_state != "visible", sheet.title) for sheet in book.worksheets]
    sheets = sorted(sheets, key=lambda sheet: sheet[0])
    return [title for is_hidden, title in sheets if hidden or not is_hidden]


def read_grid(path, sheet=None):
    """Read one sheet, by default the first that is not hidden.

    Only cells that hold something are visited: a blank in the last cell of a sheet costs nothing.

    Raises
    ------
    ReviewError
        There is no such sheet.
    """
    known = names(path)
    sheet = sheet or known[0]
    if sheet not in known:
        remedy = f"It has {', '.join(known)}"
        raise ReviewError([Finding(path.name, "there is no such sheet", remedy, value=sheet)])
    changed = path.stat().st_mtime_ns
    page = _load(path, changed, False)[sheet]
    cells = [cell for cell in _filled(page) if _text(cell.value)]
    values = {}
    if any(cell.data_type == "f" for cell in cells):
        computed = _load(path, changed, True)[sheet]
        values = {cell.coordinate: cell for cell in _filled(computed)}
    # Programs store the value of every formula or of none; beside others an empty one is "".
    stored = any(cell.data_type == "f" and cell.coordinate in values for cell in cells)
    grid = Grid(sheet, [[] for _ in range(max((cell.row for cell in cells), default=0))])
    for cell in sorted(cells, key=lambda cell: (cell.row, cell.column)):
        place, row = (cell.row, cell.column), grid.cells[cell.row - 1]
        held = values.get(cell.coordinate, EMPTY) if cell.data_type == "f" else cell
        row += [""] * (cell.column - len(row) - 1)
        row.append(_text(held.value) or ("" if stored else _formula(cell)))
        if held.data_type == "n":
            grid.numbers.add(place)
            if "%" in cell.number_format:
                grid.percent.add(place)
        if cell.font and cell.font.strike:
            grid.struck.add(place)
    _merge(grid, page)
    for row, look in page.row_dimensions.items():
        if look.hidden:
            grid.hidden_rows.add(row)
    for look in page.column_dimensions.values():
        if look.hidden:
            grid.hidden_columns.update(range(look.min or 0, (look.max or 0) + 1))
    return grid


def _merge(grid, page):
    """Write down the merged ranges, and give each cell below a range's first what that one holds."""
    for span in page.merged_cells.ranges:
        left, top, right, bottom = span.bounds
        grid.merged.append((top, left, bottom, right))
        if top > len(grid.cells) or left > len(grid.cells[top - 1]):
            continue
        held = grid.cells[top - 1][left - 1]
        for row in range(top + 1, min(bottom, len(grid.cells)) + 1):
            cells = grid.cells[row - 1]
            # A row that holds nothing else is no row of the table.
            if held and any(cells):
                cells += [""] * (left - len(cells))
                cells[left - 1] = held
                grid.filled.add((row, left))
                for marked in (grid.numbers, grid.percent, grid.struck):
                    marked |= {(row, left)} if (top, left) in marked else set()


def _filled(page):
    """The cells that exist.

    `iter_rows` would make all up to the last: 17 thousand million where somebody touched that one.
    """
    from openpyxl.cell.cell import MergedCell

    for cell in page._cells.values():
        if cell.value is not None and not isinstance(cell, MergedCell):
            yield cell


def _formula(cell):
    return clean(str(getattr(cell.value, "text", cell.value)))


def _text(value):
    """A cell's value as text, numbers to the last digit."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return repr(value)
    return clean(str(value).removesuffix(MIDNIGHT).replace("_x000D_", ""))
