"""A table on its way from the sheet to the project's columns, with what was done to it."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from helpers.problems import Finder, ReviewError, block_of, file_of, nearest, row_of
from helpers.review.schema import fault

NO_ROW = -1  # where a comparison has no reference group


class Mapping:
    """A table on its way; the steps of this package change it one after the other.

    Parameters
    ----------
    description : helpers.review.description.Description
    raw : helpers.sheet.files.Raw

    Attributes
    ----------
    config : helpers.review.description.Sheet
    table : pandas.DataFrame
        Cells as text; those of number columns become floats once, by `numbers.read_numbers`. What
        cannot be read stays text for the check to find. The index is the row's key.
    before : pandas.DataFrame
        The sheet's own columns as they stood when the project's were taken from them.
    names : dict
        The project's columns and what the sheet calls them.
    sources : dict
        The project's columns and the sheet's columns that they were taken from.
    of_blocks : dict
        The project's columns that `[[sheet.blocks]]` gives, and what they are called in `table`.
    headings : dict
        The sheet's headings by row, of each of these.
    digitised : set
        The sheet's columns whose numbers are places on the axis of a figure.
    instead : dict
        Other sources of a column in some of its rows.
    pairs : pandas.DataFrame or None
        Where a row of the sheet is a group: each comparison's contrast, and what is combined with it.
    group_rows : dict of Series
        Where a row of the sheet is a group: the sheet's row of each comparison's treated and control
        group, and of its reference group or `NO_ROW`.
    whose : dict
        Columns that are not the treated group's, and whose they are.
    unsaid : dict
        Of `error_type_treated` and the like: which rows have a kind only because others have one.
    stored : pandas.DataFrame of bool
        Which cells the file itself stores as numbers.
    scales, judgements, losses : pandas.Series, pandas.DataFrame, pandas.DataFrame
        As in `helpers.review.mapping.sheet.MappedSheet`, once they were read.
    steps, unused : list, dict
        What was done; the reason of each row that gives no experiment.
    """

    def __init__(self, description, raw):
        self.description, self.config, self.raw = description, description.sheet, raw
        self.table, self.steps, self.unused, self.names = raw.table.copy(), [], {}, {}
        self.sources, self.headings, self.of_blocks, self.instead = {}, {}, {}, {}
        self.pairs, self.group_rows, self.whose = None, {}, {}
        self.unsaid = {}
        self.scales = self.judgements = self.losses = None
        self.rows_in = len(self.table)
        self.stored = raw.numeric
        if self.stored is None:
            self.stored = pd.DataFrame(False, self.table.index, self.table.columns)
        self.found = Finder(raw.file, raw.sheet, self.names, self.origin, raw.parts)
        self.found.findings += raw.findings
        self.digitised = set(self.table) if raw.digitised else set()
        self.place = raw.file + (f", sheet {raw.sheet}" if raw.sheet else "")
        detail = f"{self.place}, headings in row {raw.header}"
        self.note("read", "", detail, len(self.table))
        if left_out := raw.left_out:
            rows = self.table.index.to_series().isin(left_out)
            why = "rows that the file leaves out of its own results"
            self.set_aside(rows, left_out, "leave out", "", why)
        merged = pd.Series([column for _, column in raw.marks.get("merged", ())], dtype=object)
        for column, count in merged.value_counts().sort_index().items():
            self.note(
                "merged", column, "cells that are merged with the one above hold the same", count
            )

    # ------------------------------------------------------------------ book-keeping

    def note(self, step, column, detail, rows):
        """Write down a step that touched rows."""
        if rows:
            self.steps.append((step, column, detail, int(rows)))

    def set_aside(self, rows, reasons, step, column, detail=None):
        """Take rows out of the table and list them; `reasons` is a text or a Series of texts."""
        rows = rows.index[rows]
        self.unused |= {row: reasons if isinstance(reasons, str) else reasons[row] for row in rows}
        self.table = self.table.drop(rows)
        self.note(step, column, detail or reasons, len(rows))

    def origin(self, name):
        """Rows, texts and headings of a column as the sheet has them, None where it has none."""
        if name not in self.sources or name not in self.table:
            return None
        rows, sources = self._rows(name), self.sources[name]
        texts = joined(self.before, sources, " ").reindex(rows, fill_value="").set_axis(rows.index)
        headings = self.headings.get(sources[0], {}) if len(sources) == 1 else {}
        headings = {row: headings[place] for row, place in rows.items() if place in headings}
        for other, taken in self.instead.get(name, ()):
            taken = texts.index.intersection(taken)
            texts[taken] = joined(self.before, other, " ").reindex(rows[taken]).to_numpy()
            headings = {row: headings.get(row, " + ".join(sources)) for row in texts.index}
            headings |= dict.fromkeys(taken, " + ".join(other))
        return rows, texts, headings

    def take_rows(self, name, other, rows):
        """Some rows of a column are those of another, for messages."""
        if name not in self.sources:
            self.names[name] = self.names.get(other, other)
            self.sources |= {name: self.sources[other]} if other in self.sources else {}
        elif other in self.sources:
            self.instead.setdefault(name, []).append((self.sources[other], rows.index[rows]))
        self.whose |= {name: self.whose[other]} if other in self.whose else {}

    def numeric(self, name):
        """Which cells of a column the file itself stores as numbers."""
        sources, rows = self.sources.get(name), self._rows(name)
        if sources is None:
            return pd.Series(True, self.table.index)
        stored = self._stored(sources, rows)
        for other, taken in self.instead.get(name, ()):
            stored = stored.mask(stored.index.isin(taken), self._stored(other, rows))
        return stored

    def _stored(self, sources, rows):
        if len(sources) > 1:
            return pd.Series(False, rows.index)
        return self.stored[sources[0]].reindex(rows, fill_value=False).set_axis(rows.index)

    def rows_of(self, arm="treated"):
        """The sheet's row of each row of the table, or of its treated or control group."""
        rows = self.table.index.to_series()
        return self.group_rows[arm][rows.index] if self.group_rows else rows

    def _rows(self, name):
        if not self.group_rows:
            return self.table.index.to_series()
        return self.group_rows[self.whose.get(name, "treated")][self.table.index]

    def cells(self, name, default=""):
        """A column, or one of `default` where there is none."""
        return self.table.get(name, pd.Series(default, self.table.index, dtype=object, name=name))

    def row_name(self, key):
        """A name for what a row holds, unique over files, sheets and blocks."""
        (file, sheet), block = self.found.files[file_of(key)], block_of(key)
        name = f"row-{row_of(key)}" + f"-{block + 1}" * bool(self.of_blocks and block)
        if len(self.raw.parts) < 2:
            return name
        several = [other for other, _ in self.raw.parts].count(file) > 1
        return " ".join([Path(file).stem, *([sheet] if several else []), name])

    def is_missing(self, cells):
        """Which cells stand for a value that is not there."""
        return (cells == "") | matches(cells, self.config.missing or ())

    # ------------------------------------------------------------------ what review.toml says

    def warn(self, setting, what, remedy="Check its spelling"):
        """Warn of an entry of `[sheet]`."""
        self.warn_of(f"sheet.{setting}", what, remedy)

    def warn_of(self, entry, what, remedy):
        """Warn of an entry of `review.toml`."""
        found = fault(entry, what, remedy=remedy)
        self.found.findings.append(replace(found, severity="warning"))

    @staticmethod
    def refuse(setting, what, remedy, value=None):
        """Refuse an entry of `[sheet]`."""
        raise ReviewError([fault(f"sheet.{setting}", what, value, remedy)])

    def known(self, setting, columns, table):
        """Refuse columns that an entry names and the table lacks."""
        for column in columns:
            if column not in table:
                self.refuse(setting, "there is no such column", nearest(column, table), column)


def joined(table, columns, mark):
    """The cells of several columns as one text."""
    first, *others = (table[column] for column in columns)
    return first.str.cat(others, sep=mark) if others else first


def as_text(value):
    """A value of `review.toml` as a sheet writes it."""
    return str(value).upper() if isinstance(value, bool) else str(value)


def matches(cells, words):
    r"""Which cells are one of some words; one between slashes is a pattern of the whole cell.

    Parameters
    ----------
    cells : pandas.Series
        Texts; numbers match nothing.
    words : iterable
        Values of `review.toml`; in ``"/n\.?r\.?/"`` the pattern is a regular expression, in any
        case of letters.

    Returns
    -------
    pandas.Series of bool

    Raises
    ------
    ReviewError
        A pattern that is none.
    """
    words = [as_text(word) for word in words]
    patterns = [_compiled(word) for word in words if is_pattern(word)]
    found = cells.isin([word for word in words if not is_pattern(word)])
    for pattern in patterns:
        found |= cells.map(lambda c, p=pattern: isinstance(c, str) and bool(p.fullmatch(c)))
    return found


def is_pattern(word):
    """Whether a word of `review.toml` is a pattern: ``"/.../"``."""
    return len(word) > 2 and word.startswith("/") and word.endswith("/")


def _compiled(word):
    try:
        return re.compile(word[1:-1], re.I)
    except re.error as error:
        what = f"this is no pattern: {error}"
        remedy = "Correct what stands between the slashes, or take the slashes away"
        raise ReviewError([fault("sheet", what, word, remedy)]) from error
