"""What an article prints: numbers, each standing for all that rounds to it, and their places."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pandas as pd

NOT_PRINTED = {"", *".-–—", "na", "n/a", "nr", "n/r", "nan", "not reported", "ref", "reference"}
MINUS = str.maketrans("−–‐‑", "----")
FORM = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


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

    def sign(self) -> int:
        """Return 1 or -1 where the sign is certain, 0 where rounding leaves it open."""
        return (self.low > 0) - (self.high < 0)


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
    plain = text.strip().translate(MINUS).replace(" ", "")
    if text.strip().lower() in NOT_PRINTED:
        return None
    if not FORM.fullmatch(plain):
        raise ValueError("is not a number such as 2.31 or -.47")
    value = Decimal(plain)
    half = Decimal(5).scaleb(value.as_tuple().exponent - 1)
    return Number(text.strip(), value - half, value + half, value)


def p_value(text: str) -> Number | None:
    """Read a printed p; ``<0.0001`` stands for 0 to 0.0001, ``0.042`` for 0.0415 to 0.0425."""
    plain = re.sub(r"^p(?=\s*[=<>≤≥])|[=*\s]", "", text.strip().translate(MINUS), flags=re.I)
    plain = ">0.05" if plain.lower() in ("ns", "n.s.") else plain
    bound = {"<": "<", "≤": "<", ">": ">", "≥": ">"}.get(plain[:1], "")
    found = number(plain.lstrip("<>≤≥"))
    if found is None:
        return None
    if not 0 <= found.value <= 1:
        raise ValueError("is no p-value: it lies outside 0 to 1")
    low = {"<": Decimal(0), ">": found.value}.get(bound, max(found.low, Decimal(0)))
    high = {"<": found.value, ">": Decimal(1)}.get(bound, min(found.high, Decimal(1)))
    return Number(text.strip(), low, high, found.value, bound)


def count(text: str) -> int | None:
    """Read a printed count, such as the number of experiments."""
    found = number(text)
    if found and (found.value < 0 or found.value % 1):
        raise ValueError("is not a whole number of 0 or more")
    return int(found.value) if found else None


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
        place = f"{self.file}, row {self.line}, column {name}"
        self.faults.append(f"{place}: {self.text(name)!r} {complaint}")


def rows(folder: Path, file: str, faults: list[str]) -> Iterator[Row]:
    """Yield the rows of a CSV file of a review folder as text; none where there is no file."""
    try:
        table = pd.read_csv(folder / file, dtype=str, na_filter=False, encoding="utf-8-sig")
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return
    except (ValueError, OSError) as fault:
        faults.append(f"{file}: cannot be read as a CSV file in UTF-8 ({fault})")
        return
    table.columns = table.columns.str.strip()
    for at, cells in enumerate(table.to_dict("records")):
        yield Row(cells, file, at + 2, faults)


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


class Article(NamedTuple):
    """What a review folder holds: numbers by key, their repetitions, claims, counts, faults."""

    folder: Path
    numbers: dict[tuple[str, ...], Printed]
    repeats: list[Printed]
    claims: list[Printed]
    counts: list[Row]
    faults: list[str]

    def rows(self, file: str) -> Iterator[Row]:
        """Yield the rows of a file of the folder."""
        return rows(self.folder, file, self.faults)

    def add(self, s: Printed) -> None:
        """Take in a number of the text: the first printing is the number, others repeat it."""
        if s.whole and s.key not in self.numbers:
            self.numbers[s.key] = s
        else:
            self.repeats.append(s)
        if s.row.text("claim"):
            self.claims.append(s)

    def groups(self, statistic: str) -> dict[tuple[str, ...], list[Printed]]:
        """Return the numbers of one kind by outcome and moderator."""
        found = defaultdict(list)
        for key, s in self.numbers.items():
            if key[0] == statistic:
                found[key[1:3]].append(s)
        return found

    def reference(self, s: Printed) -> Printed | None:
        """Return the level that a coefficient is compared with."""
        prefix, said = ("subgroup", *s.key[1:3]), {"yes", "true", "1", "reference", "ref"}
        same = (t for key, t in self.numbers.items() if key[:3] == prefix)
        marks = ("is_reference", "coef")
        return next((t for t in same if said & {plain(t.row.text(m)) for m in marks}), None)


def plain(text: str) -> str:
    """Return a text without differences of case and spacing."""
    return " ".join(text.split()).casefold()


def _printed(row: Row, statistic: str, table: str) -> Printed:
    place = [row.text(f"{n}_id", n) for n in ("outcome", "moderator", "level")]
    names = [("smd", "estimate"), ("ci_low",), ("ci_high",)]
    if statistic == "coefficient" and "coef" in row.cells:
        names = [("coef",), ("coef_low",), ("coef_high",)]
    p = ("coef_p",) if names[0] == ("coef",) else ("p", "p_reported")
    numbers = [row.read(number, *n) for n in names]
    return Printed(table, *place, statistic, row, *numbers, row.read(p_value, *p))


def read(folder: str | Path) -> Article:
    """Read all that a review folder holds of what its article prints."""
    article = Article(Path(folder), {}, [], [], [], [])
    if not article.folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    for row in article.rows("published_pooled.csv"):
        article.add(_printed(row, "pooled", row.text("where", "table") or "text"))
    for row in article.rows("published_subgroups.csv"):
        for statistic in ("subgroup", "coefficient"):
            s = _printed(row, statistic, row.text("table"))
            if s.estimate or statistic == "subgroup":
                key = (*s.key, row.line) if s.key in article.numbers else s.key
                article.numbers[key] = s
    for row in article.rows("published_bias.csv"):
        place = ("text", row.text("group"), "publication bias", "", "pooled")
        p = row.read(p_value, "p")
        article.claims.extend([Printed(*place, row, p=p)] * bool(row.text("bias_claimed")))
    for row in article.rows("published_text.csv"):
        kind = row.text("statistic")
        if kind in ("pooled", "subgroup", "coefficient"):
            article.add(_printed(row, kind, row.text("where")))
        elif kind == "count":
            article.counts.append(row)
        else:
            row.fault("statistic", "is none of pooled, subgroup, coefficient, count")
    return article
