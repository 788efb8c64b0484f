"""Files that a name or a pattern stands for, and what they are called."""

import glob
import os

from helpers.problems import printable


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


def name_from(folder, path):
    """What a file is called from a folder on: its path inside it, or its own name."""
    inside = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    return printable(inside)
