"""What is written, whole: JSON without NaN, CSV without formulas that a spreadsheet would run."""

import csv as csv_module
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

MIME = "application/vnd.preclinical.block+json"  # of what a cell shows, beside its HTML
# What may begin with a sign and is no formula.
HARMLESS = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]+")


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
    unless it is a number or nothing but signs, as a dash is that stands for a missing value.
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


def write_csv(frame, path):
    """Write a table as `csv` has it, in UTF-8, line ends as they are on every machine."""
    Path(path).write_text(csv(frame), encoding="utf-8", newline="")


def replace_file(path, content):
    """Write a file whole or not at all: who reads it meanwhile finds the old or the new one.

    Parameters
    ----------
    path : Path
        Its mode stays where it exists.
    content : bytes
    """
    path = Path(path).resolve()  # a link stays one
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if path.exists():
            shutil.copymode(path, name)
        else:  # a temporary file is its owner's alone
            os.umask(mask := os.umask(0))
            os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _safe(value):
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and value
    return f"'{value}" if risky and not HARMLESS.fullmatch(value) else value


def leaves(note):
    """The notes of all blocks inside one of several parts, or the note itself."""
    return [one for part in note["parts"] for one in leaves(part)] if "parts" in note else [note]
