"""Where numbers come from: hashes of inputs and code, and versions."""

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

CODE = Path(__file__).resolve().parent
PACKAGES = (
    "numpy", "scipy", "pandas", "statsmodels", "matplotlib", "seaborn", "papermill", "nbconvert",
)  # fmt: skip


def sha256(content):
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def input_hashes(folder):
    """SHA-256 of each file of a review folder, by its path inside the folder."""
    return {name: sha256(content) for name, content in _contents(Path(folder))}


def _contents(folder):
    """Names and bytes of the files of a folder, in order, without what Python compiles."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


@cache  # what is imported stays as it was
def code_hash():
    """One SHA-256 over all code and templates of this package."""
    return sha256(b"".join(b"%b\0%b\0" % (name.encode(), code) for name, code in _contents(CODE)))


@cache
def versions():
    """Version of Python and of each package that numbers or pages pass through."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in PACKAGES
    }
