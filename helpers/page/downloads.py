"""Data that a page carries for programs and spreadsheets: JSON without NaN, CSV without formulas."""

from __future__ import annotations

import csv as csv_module
import json
import math
import re
from collections.abc import Mapping
from types import SimpleNamespace
from urllib.parse import quote

from helpers.page.templating import macros

PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# What a link cannot hold as it is.
UNSAFE = re.compile(r"[^\w .,;:/()\[\]!*$=@+?~-]+", re.ASCII)


def plain(value):
    """Numbers, texts, lists and dicts that JSON can hold, of anything that resembles them."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if hasattr(value, "columns"):
        return plain(value.to_dict("records"))
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def as_json(content):
    """JSON that can stand inside a script element of a page."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def csv(frame):
    """Full-precision CSV that a spreadsheet opens as data, never as formulas.

    A text that begins with ``= + - @``, a tab or a carriage return gets an apostrophe in front
    unless it is a number.
    """
    cells = frame.to_numpy(object, copy=True)
    cells[frame.isna().to_numpy()] = ""
    lines = []

    def take(line):  # a writer that ends lines with "\r\n" quotes both where they stand in a cell
        lines.append(line.removesuffix("\r\n") + "\n")

    rows = csv_module.writer(SimpleNamespace(write=take), lineterminator="\r\n")
    rows.writerow(_safe(str(name)) for name in frame)
    rows.writerows(map(_safe, row) for row in cells.tolist())
    return "".join(lines)


def _safe(value):
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and value
    return f"'{value}" if risky and not PLAIN_NUMBER.fullmatch(value) else value


def link(text, filename, label="CSV", mime="text/csv"):
    """A link that hands out a text as a file, from inside the page."""
    data = f"data:{mime};charset=utf-8,{UNSAFE.sub(lambda found: quote(found[0]), text)}"
    return macros().link(data, filename, label)
