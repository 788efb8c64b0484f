"""Where numbers come from: hashes of inputs and code, and versions."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

CODE = Path(__file__).resolve().parent
PACKAGES = (
    "numpy", "scipy", "pandas", "statsmodels", "matplotlib", "seaborn", "papermill", "nbconvert",
)  # fmt: skip


def sha256(path):
    """Hash of one file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def input_hashes(folder):
    """SHA-256 of each file of a review folder, by its path inside the folder."""
    folder = Path(folder)
    files = (
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(files)}


@cache  # what is imported stays as it was
def code_hash():
    """One SHA-256 over all code and templates of this package."""
    digest = hashlib.sha256()
    for path in sorted(CODE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(CODE).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def versions():
    """Version of Python and of each package that numbers or pages pass through."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in PACKAGES
    }
