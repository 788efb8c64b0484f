"""Numbers as an article prints them: each stands for all that rounds to it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

NOT_PRINTED = {"", *".-–—", "na", "n/a", "nr", "n/r", "nan", "not reported", "ref", "reference"}
NONE, ONE = Decimal(0), Decimal(1)
MINUS = str.maketrans("−–‐‑", "----")
FORM = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
LARGEST = 30  # digits before the point, or zeros behind it
# What a claim says: one of these words, with "not", "no", "all", "none" as it may be.
FIRM, UP, DOWN = {"significant", "significantly"}, {"increased", "larger"}, {"decreased", "smaller"}
CLAIMS = "is no claim such as 'not increased', 'no difference', 'larger effect', 'all significant'"


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
    if abs(value.adjusted()) > LARGEST:
        raise ValueError("is a number that no article prints")
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


def claim(text: str) -> str:
    """Read a claim: a text with one of the words of a direction, a difference or significance."""
    if not set(text.casefold().split()) & {*FIRM, *UP, *DOWN, "difference"}:
        raise ValueError(CLAIMS)
    return text


def digits(text: str) -> str:
    """Give a printed number as programs read it, an empty text where nothing is printed."""
    try:
        return text.strip().translate(MINUS).replace(" ", "") if number(text) else ""
    except ValueError:
        return text
