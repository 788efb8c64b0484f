"""Files that a name or a pattern stands for, and what they are called."""

import glob
import os

from helpers.problems import Finding, ReviewError, printable


def fitting(folder, name):
    """Files that a name or a pattern such as ``figures/*.json`` stands for, in order.

    Parameters
    ----------
    folder : Path
        From which a relative name is looked up.
    name : str

    Returns
    -------
    list of Path
        Empty where there is none, or where no file can have such a name.
    """
    found = glob.glob(name, root_dir=folder, recursive=True) if "\0" not in name else []
    return [path for path in sorted(folder / one for one in found) if os.path.isfile(path)]


def is_there(path):
    """Whether a file of a review is there.

    What was meant for it is not passed over in silence: a folder of its name, a link to nothing, a
    name that differs by case only, which some systems take for the same.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReviewError
    """
    if os.path.isfile(path):
        return True
    if os.path.lexists(path):
        what = "what bears this name is no file: a folder, or a link that leads nowhere"
        raise ReviewError([Finding(path.name, what, "Put the file there, or move that away")])
    beside = os.listdir(path.parent) if os.path.isdir(path.parent) else ()
    for name in sorted(beside):
        if name.casefold() == path.name.casefold():
            what = f"this file would be read if it were called {path.name}"
            raise ReviewError([Finding(printable(name), what, "Call it so, or move it away")])
    return False


def name_from(folder, path):
    """What a file is called from a folder on: its path inside it, or its own name."""
    inside = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    return printable(inside)
