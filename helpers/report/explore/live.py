"""Whether somebody looks on: only then there is anything to explore."""

from __future__ import annotations


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
