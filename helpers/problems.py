"""Faults and warnings about a review, each with its place and the way out."""

import difflib
from dataclasses import dataclass, replace
from functools import cache

# Of more known words than these the rest is only counted.
NAMED = 40


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or odd in a file.

    Attributes
    ----------
    file, sheet, row, column, value : str or int or None
        Where it stands and what stands there; `row` counts as a spreadsheet does, header = 1.
    what, remedy : str
        What is the matter; how to mend it.
    severity : {"fault", "warning"}
        A fault is refused; a warning is rendered and shown.
    """

    file: str
    what: str
    remedy: str
    row: int | None = None
    column: str | None = None
    value: object = None
    severity: str = "fault"
    sheet: str | None = None

    @property
    def place(self):
        """File, sheet, row and column as one phrase."""
        parts = {"sheet": self.sheet, "row": self.row, "column": self.column}
        return ", ".join([self.file, *(f"{name} {part}" for name, part in parts.items() if part)])

    def __str__(self):
        value = "" if self.value in (None, "") else f" (there stands {str(self.value)!r})"
        return f"{self.place}: {self.what}{value}. {self.remedy}"


class ProjectError(Exception):
    """Root of all errors that are raised on purpose; the text says what to do."""


class Refused(ProjectError, ValueError):
    """A fault in input or usage, found before anything runs; its text says how to mend it."""


class ReviewError(Refused):
    """All faults of a review at once."""

    def __init__(self, findings):
        self.findings = tuple(findings)
        count = len(self.findings)
        lines = "\n".join(f"  {finding}" for finding in self.findings)
        super().__init__(f"{count} fault{'s' if count != 1 else ''}:\n{lines}")


class ReportFailed(ProjectError, RuntimeError):
    """One report failed; the text says in which cell and why."""


class Finder:
    """Collects what is found in one table.

    Parameters
    ----------
    file, sheet : str
    names : dict, optional
        What the file calls a column that has another name here.
    origin : callable, optional
        From a column's name to its rows in the file and its texts as they stand there, Series by
        row of the table, or None: what a message names and quotes.
    """

    def __init__(self, file, sheet=None, names=None, origin=None):
        self.file, self.sheet, self.findings = file, sheet, []
        self.names = {} if names is None else names
        self.origin = origin or (lambda name: None)

    def fault(self, rows, cells, what, remedy, severity="fault"):
        """One finding for each cell.

        Parameters
        ----------
        rows : Series or array of bool
            Which cells.
        cells : pandas.Series
            Its index is the row in the file, its name is the column.
        what : str
        remedy : str or callable
            A text, or what gives one for a cell.
        severity : {"fault", "warning"}
        """
        if not rows.any():
            return
        column = self.names.get(cells.name, cells.name)
        places, texts = self.origin(cells.name) or ({}, {})
        remedy = cache(remedy) if callable(remedy) else remedy
        for row, value in cells[rows].items():
            advice = remedy(value) if callable(remedy) else remedy
            place, text = int(places.get(row, row)), texts.get(row, value)
            self.findings.append(
                Finding(self.file, what, advice, place, column, text, severity, self.sheet)
            )

    def warn(self, rows, cells, what, remedy):
        """One warning for each cell."""
        self.fault(rows, cells, what, remedy, "warning")

    def lack(self, column, what, remedy, severity="fault"):
        """A fault of a whole column."""
        found = Finding(self.file, what, remedy, column=column, severity=severity, sheet=self.sheet)
        self.findings.append(found)

    def row(self, row, what, remedy, severity="fault"):
        """A fault of a whole row."""
        found = Finding(self.file, what, remedy, int(row), severity=severity, sheet=self.sheet)
        self.findings.append(found)

    def refuse(self):
        """Raise all faults so far, if there are any."""
        faults = [finding for finding in self.findings if finding.severity == "fault"]
        if faults:
            raise ReviewError(faults)


def grouped(findings):
    """A line a finding; what is the matter with many rows of a column is one line with them all."""
    groups = {}
    for finding in findings:
        key = (finding.file, finding.sheet, finding.column, finding.what, finding.remedy)
        groups.setdefault(key, []).append(finding)
    for first, *others in groups.values():
        if len(others) < 3:
            yield from map(str, (first, *others))
        else:
            rows = ", ".join(f"{each.row} ({each.value})" for each in (first, *others))
            place = replace(first, row=None).place
            yield f"{place}: {first.what}, in {len(others) + 1} rows: {rows}. {first.remedy}"


def nearest(word, known):
    """Advice that names the nearest known word, whatever the case of its letters."""
    known = {str(name).casefold(): str(name) for name in known}
    if not known:
        return "There are none"
    close = difflib.get_close_matches(str(word).casefold(), known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {known[close[0]]!r}?"
    listed, more = list(known.values())[:NAMED], len(known) - NAMED
    return f"Known are {', '.join(listed)}" + (f" and {more:,} more" if more > 0 else "")
