"""The version of a review that it names as the one before, and whether two states are of one review."""

import os
from contextlib import contextmanager

from helpers import repository
from helpers.problems import Refused, ReviewError
from helpers.review.schema import fault, parsed

REMEDY = (
    "Name the folder of the version before, from this folder on, such as ../stroke-2024, or a tag of "
    "the git repository that holds this folder"
)


def faults(folder, written):
    """A fault where `previous` names neither a folder nor a tag with an earlier state of the review."""
    if name := written.get("previous"):
        is_tag, why = not _is_folder(folder, name), ""
        try:
            if is_tag:
                text = repository.file_at(folder, name, "review.toml")
            elif os.path.samefile(folder, folder / name):
                why = "this is the review itself"
            else:
                text = (folder / name / "review.toml").read_bytes()
            if not why and (other := other_review(parsed(text), written, one_place=is_tag)):
                why = f"this is another review: {other}"
        except ReviewError as error:
            why = f"its review.toml cannot be read ({error.findings[0].what})"
        except Refused:
            why = "there is no review.toml in this folder or at this tag"
        if why:
            yield fault("previous", why, name, REMEDY)


def _is_folder(folder, name):
    return os.path.isfile(folder / name / "review.toml")  # a name may be too long to ask for


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
    if _is_folder(folder, name):
        yield folder / name
    else:
        with repository.folder_at(folder, name) as there:
            yield there
