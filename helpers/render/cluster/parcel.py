"""What a machine that shares no files needs to make a report: a review's files, and a notebook."""

import json
import os
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.provenance import contents
from helpers.render.jobs import elsewhere

ABOVE = "above"  # a folder for each step out of the review's that a name of a file takes


@dataclass(frozen=True)
class Parcel:
    """The files of a review and its checked rows, the same for all its reports.

    Attributes
    ----------
    folder : str
        Where the review's own folder lies.
    files : dict of str to bytes
        By path, beside and inside that folder, so that relative names lead from one to another.
    review : bytes
        Of `helpers.render.workers.Workers.checked`; what its rows were read from need not be there.
    """

    folder: str
    files: dict
    review: bytes


def pack(description, review):
    """Pack a review: its folder without hidden files, and other files that `review.toml` names.

    Parameters
    ----------
    description : helpers.review.description.Description
    review : bytes

    Returns
    -------
    Parcel
    """
    folder, outside = description.folder, {}
    for path in elsewhere(description):
        try:
            outside[Path(os.path.relpath(path, folder)).as_posix()] = path.read_bytes()
        except (FileNotFoundError, ValueError):  # it went meanwhile; on another drive
            continue
    steps = max((name.split("/").count("..") for name in outside), default=1)
    own = "/".join([*[ABOVE] * (steps - 1), folder.name])
    files = {f"{own}/{name}": content for name, content in contents(folder)}
    for name, content in outside.items():
        files[Path(os.path.normpath(f"{own}/{name}")).as_posix()] = content
    return Parcel(own, files, review)


def letter(job):
    """A job with its notebook, as bytes."""
    document = json.loads(job.notebook.read_text(encoding="utf-8"))
    document["cells"] = []  # those of the job are what runs
    return pickle.dumps((replace(job, notebook=job.notebook.name), document))


def unpack(parcel, text, root):
    """Write a review and a notebook into a folder.

    Parameters
    ----------
    parcel : Parcel
    text : bytes
        Of `letter`.
    root : Path

    Returns
    -------
    helpers.render.jobs.Job
        Of the notebook and the review that lie there.
    """
    root = root.resolve()
    for name, content in parcel.files.items():
        path = root / "reviews" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    job, document = pickle.loads(text)
    notebook = root / "notebooks" / job.notebook
    notebook.parent.mkdir()
    notebook.write_text(json.dumps(document), encoding="utf-8")
    folder = root / "reviews" / parcel.folder
    return replace(job, notebook=notebook, parameters=job.parameters | {"review": str(folder)})
