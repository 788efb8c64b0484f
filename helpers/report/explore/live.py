"""Whether somebody looks on: only then there is anything to explore, and progress to be told."""

from __future__ import annotations

import sys

PATIENCE = 1.0  # seconds that a person waits without a word


def is_live():
    """Whether a cell was run from a front end, such as JupyterLab, and not by a program.

    A front end says which cell it runs, or gives no name of a user; Papermill and nbconvert do
    neither, and rendering has no kernel at all.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if getattr(shell, "kernel", None) is None:
        return False
    request = shell.get_parent() or {}
    named = request.get("header", {}).get("username")
    return "cellId" in request.get("metadata", {}) or named == ""


def waited(steps, label):
    """Steps as they are; in front of a person, with a bar on stderr once they take a second.

    Parameters
    ----------
    steps : list
    label : str
        What the bar is called.

    Returns
    -------
    iterable
    """
    if "IPython" not in sys.modules or not is_live():
        return steps
    from tqdm import tqdm

    return tqdm(steps, desc=label, delay=PATIENCE, leave=False)
