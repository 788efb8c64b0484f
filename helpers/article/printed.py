"""What an article prints: numbers, each standing for all that rounds to it, and their places."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from helpers.problems import ReviewError
from helpers.sheet.files import read_csv

NOT_PRINTED = {"", *".-–—", "na", "n/a", "nr", "n/r", "nan", "not reported", "ref", "reference"}
NONE, ONE = Decimal(0), Decimal(1)
MINUS = str.maketrans("−–‐‑", "----")
FORM = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
SUBGROUPS = "published_subgroups.csv"
STATISTICS = ["pooled", "subgroup", "coefficient"]
# The files of estimates, and which kinds a row holds; in the last one each row names its own.
FILES = {"published_pooled.csv": ["pooled"], SUBGROUPS: STATISTICS[1:], "published_text.csv": []}
# The columns of an estimate, its bounds and its p; several names are tried in turn.
ESTIMATE = ("smd", "estimate"), ("ci_low",), ("ci_high",), ("p", "p_reported")
COEFFICIENT = ("coef",), ("coef_low",), ("coef_high",), ("coef_p",)


class Number(NamedTuple):
    """A printed number: its text and the closed interval that it stands for.

    Decimals, so that two intervals that only touch are seen to touch.
    """

    text: str
    low: Decimal
    high: Decimal
    value: Decimal
    bound: str = ""  # "<" or ">" where only a limit is printed

    def agrees(self, other: Number) -> bool:
        """Say whether both can be one number, "p <0.001" and "p = 0.001" being two claims."""
        if bool(self.bound) != bool(other.bound):
            limit, equal = (self, other) if self.bound else (other, self)
            return (equal.value < limit.value) == (limit.bound == "<")
        return self.low <= other.high and other.low <= self.high

    def minus(self, other: Number) -> Number:
        """Return the difference and all that it can be."""
        return Number("", self.low - other.high, self.high - other.low, self.value - other.value)

    def sign(self) -> int:
        """Return 1 or -1 where the sign is certain, 0 where rounding leaves it open."""
        return (self.low > 0) - (self.high < 0)

    def sizes(self) -> tuple[float, float]:
        """Return the smallest and the largest absolute value."""
        near, far = sorted((abs(float(self.low)), abs(float(self.high))))
        return near if self.sign() else 0.0, far


def number(text: str) -> Number | None:
    """Read a printed number; ``0.7`` stands for 0.65 to 0.75, ``-.47`` for -0.475 to -0.465.

    Returns
    -------
    Number or None
        None where nothing is printed ("NA", "N/R", an empty cell).

    Raises
    ------
    ValueError
        If the text is no number.
    """
    digits = text.strip().translate(MINUS).replace(" ", "")
    if plain(text) in NOT_PRINTED:
        return None
    if not FORM.fullmatch(digits):
        raise ValueError("is not a number such as 2.31 or -.47")
    value = Decimal(digits)
    half = Decimal(5).scaleb(value.as_tuple().exponent - 1)
    return Number(text.strip(), value - half, value + half, value)


def p_value(text: str) -> Number | None:
    """Read a printed p; ``<0.0001`` stands for 0 to 0.0001, ``0.042`` for 0.0415 to 0.0425."""
    digits = re.sub(r"^p(?=\s*[=<>≤≥])|[=*\s]", "", text.strip(), flags=re.I)
    digits = ">0.05" if digits.lower() in ("ns", "n.s.") else digits
    if (found := number(digits.lstrip("<>≤≥"))) is None:
        return None
    if not 0 <= found.value <= 1:
        raise ValueError("is no p-value: it lies outside 0 to 1")
    bound = "<" if digits[0] in "<≤" else ">" if digits[0] in ">≥" else ""
    whole = max(found.low, NONE), min(found.high, ONE)
    low, high = {"<": (NONE, found.value), ">": (found.value, ONE)}.get(bound, whole)
    return Number(text.strip(), low, high, found.value, bound)


def count(text: str) -> int | None:
    """Read a printed count, such as the number of experiments."""
    found = number(text)
    if found and (found.value < 0 or found.value % 1):
        raise ValueError("is not a whole number of 0 or more")
    return int(found.value) if found else None


def plain(text: str) -> str:
    """Return a text without differences of case and spacing."""
    return " ".join(text.split()).casefold()


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
        if not path.is_file() or not path.read_bytes().strip():
            return
        try:
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
