"""Several reviews in one call: which are asked for, where the reports of each go, what leads to all."""

import os
import re
from pathlib import Path

from helpers.problems import Refused, ReviewError, nearest, printable
from helpers.render import index, output
from helpers.render.edition import Edition
from helpers.render.jobs import labels, plan
from helpers.review.description import DEFAULT, PROJECT, describe, find_folder

REPORTS = PROJECT / "reports"
PATIENCE = 10  # seconds to wait for another render that writes the page of all reviews


def asked(names, review=None):
    """Tell folders of reviews from names of reports.

    Parameters
    ----------
    names : list of str
        Of the command line; what is a folder with `review.toml` is a review.
    review : path, optional
        A review named by an option.

    Returns
    -------
    folders : list of Path or str
        Each once; the project's own review where none is named. Those of str were meant as folders
        and are none of a review.
    families : list of str
    passed_over : list of str
        Files, as a pattern such as ``reviews/*`` catches.
    """
    folders = [] if review is None else [find_folder(review)]
    families, passed_over = [], []
    for name in map(str, names):
        if folder := _review(name):
            folders.append(folder)
        elif os.path.isfile(name):
            passed_over.append(name)
        elif os.path.isdir(name) or re.search(r"[\\/]", name):
            folders.append(name)
        else:
            families.append(name)
    if passed_over and not folders:  # no pattern: meant as something
        folders = passed_over
    return list(dict.fromkeys(folders)) or [DEFAULT], families, passed_over


def _review(name):
    try:
        return find_folder(name) if name else None
    except ReviewError:
        return None


def editions(names, *, review=None, out=None, settings=(), notebooks):
    """An edition of each review asked for.

    Parameters
    ----------
    names, review
        As for `asked`.
    out : path, optional
        Folder of the reports of one review, and of a folder each of several; by default the
        project's, with a folder each of all reviews but its own.
    settings : list of str
        ``NAME=VALUE`` as on the command line.
    notebooks : Path

    Returns
    -------
    made : list of Edition
    root : Path
        Folder whose index leads to all reviews in it.
    trouble : dict of str to Refused
        By folder, why a review cannot be rendered.
    passed_over : list of str

    Raises
    ------
    Refused
        What is wrong with the call as a whole.
    """
    folders, families, passed_over = asked(names, review)
    described, trouble = {}, {}
    for folder in folders:
        try:
            described[folder] = describe(folder)
        except Refused as refusal:
            trouble[str(folder)] = refusal
    known = {folder: labels(one, notebooks) for folder, one in described.items()}
    _refuse_unclear(names, families, known, trouble, notebooks)
    root = Path(out or REPORTS).expanduser().resolve()
    several, made = len(folders) > 1, []
    for folder, description in described.items():
        own = [name for name in families if name in known[folder]]
        if families and not own:
            continue
        place = root / _name(description) if several and out else root
        place = folder_of(description) if out is None else place
        try:
            if place == description.folder:
                raise Refused(f"{place} holds the review itself. Name another folder with --out.")
            jobs = plan(description, own, settings, notebooks)
            made.append(Edition(description, place, jobs, notebooks))
        except Refused as refusal:
            trouble[str(folder)] = refusal
    _refuse_same(made)
    if several and out and output.remembered(root):
        raise Refused(
            f"{root} holds reports of one review, not a folder for each of several. Name another "
            "folder with --out, or move those reports away."
        )
    return made, root, trouble, passed_over


def _refuse_unclear(names, families, known, trouble, notebooks):
    """Refuse names that can be meant in two ways, and reports that no review has."""
    every = dict.fromkeys(name for own in known.values() for name in own)
    bare = [name for name in map(str, names) if not re.search(r"[\\/]", name) and _review(name)]
    # Alone it may have been meant as a report of the project's own review.
    meant = every | labels(describe(), notebooks) if len(bare) == len(names) == 1 else every
    for name in bare:
        if name in meant:
            raise Refused(
                f"{name}: a report is called so, and so is a folder with a review.toml. Write "
                f"./{name} for the folder; for the report, call from another folder."
            )
    for name in families:
        if name not in every and not trouble:
            raise Refused(f"{name}: no such report. {nearest(name, every)}")


def _refuse_same(made):
    """Refuse reviews whose reports would go to one folder, on disks that know no case too."""
    seen = {}
    for one in made:
        other = seen.setdefault(str(one.out).casefold(), one)
        if other is not one:
            raise Refused(
                f"The reports of {printable(str(other.description.folder))} and of "
                f"{printable(str(one.description.folder))} would both go to {one.out}. Give one of "
                "them an id of its own in its review.toml."
            )


def folder_of(description):
    """Folder of a review's reports: `reports/` of the project's own, a folder in it of others."""
    return REPORTS if description.folder == DEFAULT else REPORTS / _name(description)


def _name(description):
    """A review's id as the name of a folder, which nothing else is called in a folder of reports."""
    name = re.sub(r"[^\w.-]+", "-", description.id).strip(".-") or "review"
    name = name.encode()[:200].decode(errors="ignore")
    return f"{name}-review" if name.casefold() in ("tables", index.PAGE) else name


def lead_to_all(root, made, call, say):
    """Write the index that leads to all reviews whose reports lie in a folder.

    Parameters
    ----------
    root : Path
    made : list of Edition
        Of this call; one whose reports lie in `root` itself is finished here.
    call : callable
        As for `Edition.finish`.
    say : callable
        Takes a line for a person.
    """
    others = index.beside(root)
    for one in made:
        if one.out == root:
            one.finish(call, others)
            return
    if index.is_current(root, others):
        return
    try:
        with output.kept(root, patience=PATIENCE):
            others = index.beside(root)  # those of others who wrote meanwhile too
            entries = output.remembered(root)
            if not entries:
                if others:
                    page = call(index.reviews_page, others)
                    output.put(root, {index.PAGE: page.encode("utf-8", "backslashreplace")})
                return
            description = describe()
            output.refuse_others(root, description)
            page, about = call(index.index_page, root, description, entries, others)
            output.put(root, {index.PAGE: page.encode("utf-8", "backslashreplace")})
            output.remember(root, entries, about)
    except Refused as refusal:
        say(f"{root / index.PAGE} does not lead to what is new here. {refusal}")
