"""The states of a living review: folders or tags, each with its date, in order."""

import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

from helpers import repository
from helpers.problems import Refused, ReviewError
from helpers.provenance import input_hashes
from helpers.review.living.previous import other_review
from helpers.review.schema import parsed

DAY = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
NOW = "now"


@dataclass(frozen=True)
class State:
    """One state of a review.

    Attributes
    ----------
    name : str
        Unique: a folder's name, or tags joined by commas; `NOW` of a folder that no tag is like.
    day : str
        YYYY-MM-DD; empty of what no tag is like, which is the newest.
    dated_by : str
        What the date was read from.
    folder : Path
        Of the state, or of the review where `tag` says when.
    tag : str, optional
    """

    name: str
    day: str
    dated_by: str
    folder: Path
    tag: str | None = None

    @property
    def label(self):
        """The date of a folder, date and name of a tag."""
        return f"{self.day} ({self.name})" if self.tag else self.day or self.name

    @contextmanager
    def opened(self):
        """The folder that holds the state, for a tag a temporary one."""
        if self.tag is None:
            yield self.folder
        else:
            with repository.folder_at(self.folder, self.tag) as there:
                yield there


def from_folders(folders):
    """States in folders, oldest first.

    A state's date is the one in the name of its folder, else the `date` of its `review.toml`.

    Parameters
    ----------
    folders : list of Path
        Of which the first is the review whose history it is.

    Returns
    -------
    list of State

    Raises
    ------
    Refused
        For a folder without a date, two of one date, or another review.
    """
    folders = list(dict.fromkeys(folder.resolve() for folder in folders))
    written = {folder: _written(folder) for folder in folders}
    for folder in folders[1:]:
        _refuse_other(written[folders[0]], written[folder], folder.name)
    names = [folder.name for folder in folders]
    states = []
    for folder in folders:
        day, dated_by = _date(folder, written[folder])
        twice = names.count(folder.name) > 1
        name = f"{folder.parent.name}/{folder.name}" if twice else folder.name
        states.append(State(name, day, dated_by, folder))
    states.sort(key=lambda state: state.day)
    for one, two in pairwise(states):
        if one.day == two.day:
            raise Refused(
                f"{one.name} and {two.name} are both of {one.day}, so that nothing says which came "
                "first. Put the right date into the name of one of the folders, or leave one out."
            )
    return states


def from_tags(folder, pattern=None):
    """States at the tags of the git repository that holds a review, oldest commit first, and now.

    Tags at which the folder holds the same are one state; the folder itself is the last one unless
    it holds what the last tag does.

    Parameters
    ----------
    folder : Path
    pattern : str, optional
        Of the tags' names.

    Returns
    -------
    states : list of State
    without : list of str
        Tags at which there was no such review yet.

    Raises
    ------
    Refused
        Without any tag, with two commits of one second, or where another review stood there.
    """
    folder = folder.resolve()
    present, tagged, without = _written(folder), [], []
    for tag in repository.tags(folder, pattern):
        try:
            text = repository.file_at(folder, tag.name, "review.toml")
        except Refused:
            without.append(tag.name)
            continue
        _refuse_other(present, _parsed(text), f"tag {tag.name}", one_place=True)
        tagged.append((tag, repository.digest_at(folder, tag.name)))
    runs = [[tag for tag, _ in run] for _, run in groupby(tagged, key=itemgetter(1))]
    for one, two in pairwise(runs):
        if one[-1].seconds == two[0].seconds:
            raise Refused(
                f"The commits of the tags {one[-1].name} and {two[0].name} are of one second, so "
                "that nothing says which came first. Choose tags by --tags PATTERN, or name folders "
                "by --states."
            )
    if not runs:
        where = f"No tag{f' like {pattern}' if pattern else ''} has a review in {folder.name}. "
        raise Refused(where + "Name folders with its states by --states.")
    states = [
        State(", ".join(tag.name for tag in run), run[0].day, "its commit", folder, run[0].name)
        for run in runs
    ]
    with states[-1].opened() as there:
        is_tagged = input_hashes(there) == input_hashes(folder)
    if not is_tagged:
        states.append(State(NOW, "", "it is the present one", folder))
    return states, without


def _date(folder, written):
    """The date of a state in a folder, and what it was read from."""
    found = {day for day in DAY.findall(folder.name) if _is_day(day)}
    if len(found) == 1:
        return found.pop(), "the folder's name"
    said = (written or {}).get("date", "")
    said = said.date().isoformat() if isinstance(said, datetime) else str(said)
    if not found and _is_day(said):
        return said, "date in review.toml"
    what = f"its name has {' and '.join(sorted(found))}" if found else "it has no date"
    raise Refused(
        f"{folder.name}: when this state is from cannot be told: {what}. Put one date into the "
        f"folder's name, such as {folder.name}-2026-03-01, or `date = 2026-03-01` above all tables "
        "of its review.toml."
    )


def _is_day(text):
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _written(folder):
    """What `review.toml` says; None where it cannot be read, which is said when the state is."""
    try:
        return _parsed((folder / "review.toml").read_bytes())
    except FileNotFoundError:
        raise Refused(
            f"{folder.name}: there is no review.toml. Name a folder of a review."
        ) from None


def _parsed(content):
    try:
        return parsed(content)
    except ReviewError:
        return None


def _refuse_other(review, state, name, **place):
    known = review is not None and state is not None
    if known and (why := other_review(review, state, **place)):
        raise Refused(
            f"{name} is another review: {why}. Leave it out; tags are chosen by --tags PATTERN."
        )
