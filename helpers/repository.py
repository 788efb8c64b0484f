"""The git repository that holds a folder: its tags, and the folder as it was at one."""

import os
import subprocess
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from helpers.problems import Refused

TAGS = "refs/tags/"
# Of a tag that points at a commit, and of one with a message, which points at it through itself.
FORMAT = "%09".join(
    f"%({star}committerdate:{form})" for star in ("", "*") for form in ("unix", "short")
)
# What a hook of git's own sets, for another repository than the one that holds the folder.
OWN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")


@dataclass(frozen=True)
class Tag:
    """A tag: its name, when its commit was made (seconds since 1970) and on which day there."""

    name: str
    seconds: int
    day: str


def tags(folder, pattern=None):
    """Tags of the repository that holds a folder, oldest commit first.

    Parameters
    ----------
    folder : Path
    pattern : str, optional
        Of their names, such as ``v*``; all by default.

    Returns
    -------
    list of Tag
        Without those that name something else than a commit.

    Raises
    ------
    Refused
        Where no repository holds the folder, or git is not there.
    """
    form = f"--format=%(refname:strip=2)%09{FORMAT}"
    found = []
    for line in _git(folder, "for-each-ref", form, TAGS + (pattern or "")).decode().splitlines():
        name, *dates = line.split("\t")
        seconds, day = dates[:2] if dates[0] else dates[2:]
        if seconds:
            found.append(Tag(name, int(seconds), day))
    return sorted(found, key=lambda tag: (tag.seconds, tag.name))


def digest_at(folder, tag):
    """What git calls a folder's content at a tag; None where there is no such tag or folder."""
    try:
        _git(folder, "show-ref", "--verify", "--quiet", TAGS + tag)
        return _git(folder, "rev-parse", "--verify", "--quiet", _tree(folder, tag)).decode().strip()
    except Refused:
        return None


def file_at(folder, tag, name):
    """Bytes of a file of a folder as they were at a tag; refused where there is none."""
    return _git(folder, "cat-file", "blob", f"{_tree(folder, tag)}/{name}".replace(":/", ":"))


@contextmanager
def folder_at(folder, tag):
    """A folder as it was at a tag, in a temporary place; the work tree is not touched.

    The whole repository comes with it where its `review.toml` names files outside of it.

    Parameters
    ----------
    folder : Path
    tag : str

    Yields
    ------
    Path

    Raises
    ------
    Refused
    """
    outside = b"../" in file_at(folder, tag, "review.toml")
    tree = TAGS + tag if outside else _tree(folder, tag)
    with tempfile.TemporaryDirectory() as place:
        packed = Path(place, "packed.zip")
        _git(folder, "archive", "--format=zip", f"--output={packed}", tree, top=True)
        there = Path(place, Path(folder).name)
        with zipfile.ZipFile(packed) as files:
            files.extractall(there)
        packed.unlink()
        yield there / _prefix(folder) if outside else there


def _tree(folder, tag):
    return f"{TAGS}{tag}:{_prefix(folder)}"


def _prefix(folder):
    """The folder's path inside its repository; empty for the repository itself."""
    return _git(folder, "rev-parse", "--show-prefix").decode().strip("\n").rstrip("/")


def _git(folder, *words, top=False):
    """What git prints; `top` from the repository's first folder on, as `archive` takes paths."""
    if top:
        folder = _git(folder, "rev-parse", "--show-toplevel").decode().strip("\n")
    settings = {name: value for name, value in os.environ.items() if name not in OWN}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            env=settings | {"LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError:
        raise Refused(
            "git is not installed. Install it, or name folders instead of tags."
        ) from None
    except (OSError, ValueError) as error:  # a word that no system can hand over
        raise Refused(f"{Path(folder).name}: git cannot be asked for this: {error}.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or f"no {words[-1]}"
        raise Refused(f"{Path(folder).name}: git says {said!r}. Name folders instead of tags.")
    return done.stdout
