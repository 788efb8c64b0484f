"""The version of a review that it names as the one before, and whether two states are of one review."""

import tomllib
from contextlib import contextmanager

from helpers import repository
from helpers.problems import Refused
from helpers.review.schema import fault


def faults(folder, written):
    """A fault where `previous` names neither a folder nor a tag with an earlier state of the review."""
    name, remedy = (
        written.get("previous"),
        "Name the folder of the version before, from this folder ",
    )
    remedy += "on, such as ../stroke-2024, or a tag of the git repository that holds this folder"
    if not name:
        return
    is_tag = not (folder / name / "review.toml").is_file()
    try:
        text = (
            repository.file_at(folder, name, "review.toml")
            if is_tag
            else (folder / name / "review.toml").read_bytes()
        )
        before = tomllib.loads(text.decode())
    except Refused:
        yield fault(
            "previous", "there is no review.toml in this folder or at this tag", name, remedy
        )
    except ValueError as error:
        what = f"the review.toml there cannot be read ({error})"
        yield fault("previous", what, name, remedy)
    else:
        if why := other_review(before, written, one_place=is_tag):
            yield fault("previous", f"this is another review: {why}", name, remedy)


def other_review(one, two, *, one_place=False):
    """Why two states are of different reviews, by what their `review.toml` say; empty for one review.

    Ids decide where both say one, else titles; in one place of one repository, only ids.
    """
    ids, titles = ([state.get(name) for state in (one, two)] for name in ("id", "title"))
    if None not in ids:
        return f"their ids are {ids[0]!r} and {ids[1]!r}" * (ids[0] != ids[1])
    if one_place or titles[0] == titles[1]:
        return ""
    return (
        f"their titles are {titles[0]!r} and {titles[1]!r}. If they are states of one, write the "
        "same `id` above all tables of both"
    )


@contextmanager
def folder_of(description):
    """The folder of the version that a review names as `previous`: a folder, else a tag."""
    folder, name = description.folder, description.previous
    if (folder / name / "review.toml").is_file():
        yield folder / name
    else:
        with repository.folder_at(folder, name) as there:
            yield there
