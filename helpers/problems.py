"""Faults and warnings about a review, each with its place and the way out."""

import contextlib
import difflib
import errno
import re
from dataclasses import dataclass, field, replace
from functools import cache

# Of more known words than these the rest is only counted.
NAMED = 40
# A row's key is its number in a spreadsheet, plus these for each file stacked before its own, plus
# `FILES` of them for each block of columns read before: a key tells where a row comes from.
ROWS = 10**7
FILES = 1000


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
    key : int, optional
        The row's key in the table that was looked at.
    """

    file: str
    what: str
    remedy: str
    row: int | None = None
    column: str | None = None
    value: object = None
    severity: str = "fault"
    sheet: str | None = None
    key: int | None = field(default=None, compare=False, repr=False)

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


class NotWritten(Refused, OSError):
    """A file or folder that cannot be written; the text says which, why, and the way out."""


# What a system says, and what helps.
REMEDIES = {
    (errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY): "Close it in other programs, get "
    "leave to use it, or name another place",
    (errno.EROFS,): "Name a place that can be written to",
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG): "Make room on the disk, or name another place",
    (errno.EISDIR,): "A folder stands where a file is due: move it away",
    (errno.ENOTDIR, errno.EEXIST): "A file stands where a folder is due: move it away",
    (errno.ENAMETOOLONG,): "Give it a shorter name",
    (errno.ENOENT,): "Check the name, and whether somebody moved or deleted it",
}


def of_system(error):
    """What the system refused, as a sentence with the way out.

    Parameters
    ----------
    error : OSError
    """
    names = (error.filename2, error.filename)
    name = next((printable(str(name)) for name in names if name is not None), "")
    remedy = next((text for codes, text in REMEDIES.items() if error.errno in codes), "Try again")
    what = error.strerror or str(error) or type(error).__name__
    return f"{name}: {what}. {remedy}.".removeprefix(": ")


def printable(text):
    """A text that UTF-8 can hold: what else a name of a file or an output holds as backslashes."""
    with contextlib.suppress(UnicodeEncodeError):  # else the surrogates are not Python's own
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def file_of(key):
    """Which of the stacked files a row's key belongs to, from 0 on."""
    return key // ROWS % FILES


def row_of(key):
    """A row's number in its file, as a spreadsheet counts it."""
    return key % ROWS


def block_of(key):
    """Which block of columns a row's key belongs to, from 0 on."""
    return key // (ROWS * FILES)


class Finder:
    """Collects what is found in one table.

    Parameters
    ----------
    file, sheet : str
    names : dict, optional
        What the file calls a column that has another name here.
    origin : callable, optional
        From a column's name to its rows in the file, its texts as they stand there, and its
        headings where they differ by row (Series by row of the table), or None: what a message
        names and quotes.
    files : sequence of (str, str), optional
        File and sheet of each part, where the table is stacked.
    """

    def __init__(self, file, sheet=None, names=None, origin=None, files=()):
        self.file, self.sheet, self.findings = file, sheet, []
        self.files = tuple(files) or ((file, sheet),)
        self.names = {} if names is None else names
        self.origin = origin or (lambda name: None)

    def fault(self, rows, cells, what, remedy, severity="fault"):
        """One finding for each cell.

        Parameters
        ----------
        rows : Series or array of bool
            Which cells.
        cells : pandas.Series
            Its index is the row's key, its name is the column.
        what : str
        remedy : str or callable
            A text, or what gives one for a cell.
        severity : {"fault", "warning"}
        """
        if not rows.any():
            return
        column = self.names.get(cells.name, cells.name)
        places, texts, headings = self.origin(cells.name) or ({}, {}, {})
        remedy = cache(remedy) if callable(remedy) else remedy
        for row, value in cells[rows].items():
            advice = remedy(value) if callable(remedy) else remedy
            place, text = int(places.get(row, row)), texts.get(row, value)
            heading = headings.get(row, column)
            text = f"{text:.12g}" if isinstance(text, float) else text
            self.add(what, advice, place, heading, text, severity, key=int(row))

    def add(self, what, remedy, row=None, column=None, value=None, severity="fault", key=None):
        """One finding, at a row's key or none."""
        file, sheet = self.files[file_of(row or 0)]
        number = None if row is None else row_of(row)
        found = Finding(file, what, remedy, number, column, value, severity, sheet, key or row)
        self.findings.append(found)

    def warn(self, rows, cells, what, remedy):
        """One warning for each cell."""
        self.fault(rows, cells, what, remedy, "warning")

    def lack(self, column, what, remedy, severity="fault"):
        """A fault of a whole column."""
        self.add(what, remedy, column=column, severity=severity)

    def row(self, row, what, remedy, severity="fault"):
        """A fault of a whole row."""
        self.add(what, remedy, int(row), severity=severity)

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


def command_line(*words):
    """A command of the project, to be copied into a shell, of Windows too where its letters allow."""
    return " ".join(["python -m helpers", *map(_for_shell, words)])


def _for_shell(word):
    if re.fullmatch(r"[\w./:,+@-]+", word, re.ASCII):
        return word
    if not re.search(r'["$`\\!%]', word):
        return f'"{word}"'
    return "'" + word.replace("'", "'\"'\"'") + "'"
