"""What an article prints: numbers, each standing for all that rounds to it, and their places."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from helpers.problems import ReviewError
from helpers.sheet.files import read_csv
from helpers.sheet.names import is_there
from helpers.sheet.printed_numbers import Number, count, number, p_value, plain

SUBGROUPS = "published_subgroups.csv"
STATISTICS = ["pooled", "subgroup", "coefficient"]
# The files of estimates, and which kinds a row holds; in the last one each row names its own.
FILES = {"published_pooled.csv": ["pooled"], SUBGROUPS: STATISTICS[1:], "published_text.csv": []}
# The columns of an estimate, its bounds and its p; several names are tried in turn.
ESTIMATE = ("smd", "estimate"), ("ci_low",), ("ci_high",), ("p", "p_reported")
COEFFICIENT = ("coef",), ("coef_low",), ("coef_high",), ("coef_p",)


class Row(NamedTuple):
    """A row of a transcribed table; what cannot be read is noted in `faults`, never guessed."""

    cells: dict[str, str]
    file: str
    line: int
    faults: list[str]

    def text(self, *names: str) -> str:
        """Return the first of the named cells that holds something, or an empty text."""
        return next((cell for n in names if (cell := self.cells.get(n, "").strip())), "")

    def read(self, reader: Callable, *names: str):
        """Return the first of the named cells that holds something, read by `reader`."""
        name = next((n for n in names if self.text(n)), None)
        try:
            return reader(self.text(name)) if name else None
        except ValueError as fault:
            self.fault(name, str(fault))

    def fault(self, name: str, complaint: str) -> None:
        """Note that a cell cannot be used."""
        cell = f"row {self.line}, column {name}: {self.text(name)!r}"
        self.faults.append(f"{self.file}, {cell} {complaint}")


class Printed(NamedTuple):
    """A printed estimate and its place; what is not printed is None."""

    table: str
    outcome: str
    moderator: str
    level: str
    statistic: str
    row: Row
    estimate: Number | None = None
    low: Number | None = None
    high: Number | None = None
    p: Number | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """Return what names the same number wherever it is printed again."""
        outcome = re.sub(r"\(.*?\)", "", self.outcome)
        return (self.statistic, *map(plain, (outcome, self.moderator, self.level)))

    @property
    def k(self) -> int | None:
        """Return the number of experiments."""
        return self.row.read(count, "k")

    @property
    def whole(self) -> bool:
        """Say whether estimate and both bounds are printed."""
        return None not in (self.estimate, self.low, self.high)

    def __str__(self) -> str:
        """Return estimate, interval and p exactly as printed."""
        name = "coefficient" if self.statistic == "coefficient" else "estimate"
        shown = f"{name} {self.estimate.text} " if self.estimate else ""
        shown += f"[{self.low.text}, {self.high.text}]" if self.low and self.high else ""
        return ", ".join(filter(None, (shown.strip(), self.p and f"p {self.p.text}")))


@dataclass
class Article:
    """What a review folder holds: numbers by key, repetitions, claims, faults, rows of its files."""

    folder: Path
    numbers: dict[tuple[str, ...], Printed] = field(default_factory=dict)
    repeats: list[Printed] = field(default_factory=list)
    claims: list[Printed] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    files: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, file: str) -> list[Row]:
        """Return the rows of a CSV file of the folder as text; none where there is no file."""
        if file not in self.files:
            self.files[file] = list(self._read(file))
        return self.files[file]

    def _read(self, file: str) -> Iterator[Row]:
        path = self.folder / file
        try:
            if not is_there(path) or not path.read_bytes().strip():
                return
            table = read_csv(path)
        except ReviewError as error:
            found = "; ".join(f"row {f.row}: {f.what}" if f.row else f.what for f in error.findings)
            self.faults.append(f"{file}: cannot be read as a CSV file ({found})")
            return
        for line, cells in zip(table.index, table.to_dict("records"), strict=True):
            yield Row(cells, file, line, self.faults)

    def add(self, s: Printed) -> None:
        """Take in a number; its first printing in the text is the number, others repeat it.

        A level that a table prints again is another one.
        """
        new, listed = s.key not in self.numbers, s.row.file == SUBGROUPS
        if listed and (s.estimate or s.statistic == "subgroup"):
            self.numbers[s.key if new else (*s.key, s.row.line)] = s
        elif not listed and s.whole and new:
            self.numbers[s.key] = s
        elif not listed:
            self.repeats.append(s)
        if s.row.text("claim", "bias_claimed"):
            self.claims.append(s)

    def groups(self, statistic: str) -> dict[tuple[str, ...], list[Printed]]:
        """Return the numbers of one kind by outcome and moderator."""
        found = defaultdict(list)
        for key, s in self.numbers.items():
            if s.statistic == statistic:
                found[key[1:3]].append(s)
        return found

    def reference(self, s: Printed) -> Printed | None:
        """Return the level that a coefficient is compared with."""
        for level in self.groups("subgroup")[s.key[1:3]]:
            marks = {plain(level.row.text(name)) for name in ("is_reference", "coef")}
            if marks & {"yes", "true", "1", "reference", "ref"}:
                return level
        return None


def _printed(row: Row, statistic: str) -> Printed:
    place = [row.text(f"{n}_id", n) for n in ("outcome", "moderator", "level")]
    own = statistic == "coefficient" and "coef" in row.cells
    *numbers, p = COEFFICIENT if own else ESTIMATE
    values = [row.read(number, *names) for names in numbers]
    table = row.text("where", "table") or "text"
    return Printed(table, *place, statistic, row, *values, row.read(p_value, *p))


def read(folder: str | Path) -> Article:
    """Read all that a review folder holds of what its article prints."""
    article = Article(Path(folder))
    if not article.folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    for file, statistics in FILES.items():
        for row in article.rows(file):
            for statistic in statistics or [row.text("statistic")]:
                if statistic in STATISTICS:
                    article.add(_printed(row, statistic))
                elif statistic != "count":
                    row.fault("statistic", f"is none of {', '.join(STATISTICS)}, count")
    for row in article.rows("published_bias.csv"):
        place = "text", row.text("group"), "publication bias", "", "pooled"
        article.add(Printed(*place, row, p=row.read(p_value, "p")))
    return article
