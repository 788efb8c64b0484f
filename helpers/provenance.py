"""Where numbers come from: hashes of inputs and code, and versions."""

import hashlib
import os
import platform
import re
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

from helpers.problems import printable

CODE = Path(__file__).resolve().parent
MANIFEST = ".manifest.json"  # a folder that holds it is one of reports
# What Excel, LibreOffice, macOS and Windows put beside files that somebody looks at.
BESIDE = re.compile(r"~\$|\.~lock\.|\.DS_Store$|Thumbs\.db$|desktop\.ini$", re.I)
PACKAGES = (
    "numpy", "scipy", "pandas", "statsmodels", "matplotlib", "seaborn", "papermill", "nbconvert",
)  # fmt: skip


def sha256(content):
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def input_hashes(folder):
    """SHA-256 of each file of a review folder, by its path inside the folder; see `contents`."""
    return {name: sha256(content) for name, content in sorted(contents(Path(folder)))}


def contents(folder):
    """Names and bytes of the files of a folder, in order, without what Python compiles.

    Without folders of reports, hidden folders, and what programs put beside an open file.
    """
    for place, folders, files in os.walk(folder, onerror=_unless_gone):
        here = Path(place)
        if here != folder and MANIFEST in files:
            folders.clear()
            continue
        folders[:] = sorted(n for n in folders if n != "__pycache__" and not n.startswith("."))
        for name in sorted(files):
            path = here / name
            if BESIDE.match(name) or not path.is_file():
                continue
            with suppress(FileNotFoundError):  # it may go between being listed and being read
                yield printable(path.relative_to(folder).as_posix()), path.read_bytes()


def _unless_gone(error):
    if not isinstance(error, FileNotFoundError):
        raise error


@cache  # what is imported stays as it was
def code_hash():
    """One SHA-256 over all code and templates of this package."""
    return sha256(b"".join(b"%b\0%b\0" % (name.encode(), code) for name, code in contents(CODE)))


@cache
def versions():
    """Version of Python and of each package that numbers or pages pass through."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in PACKAGES
    }
