"""A Word document of one part of a page, such as a table."""

from __future__ import annotations

from importlib.util import find_spec

from helpers.problems import Refused

NEEDED = {"bs4": "beautifulsoup4", "pypandoc": "pypandoc-binary", "resvg_py": "resvg-py"}
INSTALL = (
    "python .ci/locks/install.py word, or in another environment: "
    "pip install -r .ci/locks/word.lock"
)


def refuse_without_libraries():
    """Refuse what needs libraries that are not installed, with the way to install them."""
    missing = [name for module, name in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise Refused(f"Word documents need {', '.join(missing)}. Install by: {INSTALL}")


def fragment(html, *, title="", evidence=""):
    """Write a piece of a page as a Word document, with Word's own tables and captions.

    Parameters
    ----------
    html : str
        Of a block.
    title : str
        Of the document, in its properties.
    evidence : str
        What the foot of each page says before its number.

    Returns
    -------
    bytes

    Raises
    ------
    Refused
        Where a library is missing.
    """
    refuse_without_libraries()
    from helpers.word import parts
    from helpers.word.docx import docx
    from helpers.word.forms import Outline

    sections, aliases = parts.sections(f"<main>{html}</main>")
    return docx(Outline(title, sections), aliases, evidence=evidence)
