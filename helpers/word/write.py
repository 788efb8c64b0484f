"""Word documents of a review's reports, beside their pages."""

from __future__ import annotations

from pathlib import Path

from helpers.problems import Refused, nearest
from helpers.render.jobs import OVERVIEW, inputs
from helpers.render.output import put, refuse_others, remembered
from helpers.render.reviews import folder_of
from helpers.review.description import describe
from helpers.word.fragment import refuse_without_libraries


def write(families=(), *, review=None, out=None, supplement=False):
    """Write rendered reports as Word documents.

    The pages are taken as they stand, with the parameters that they were rendered with.

    Parameters
    ----------
    families : list of str
        Families of the review, or ``overview``; all that were rendered by default.
    review, out : path, optional
        Folder of the review and of its reports, as for `helpers.render.run.render`.
    supplement : bool
        Whether to write methods, results and tables for a manuscript, without what explains them,
        as ``<family>-supplement.docx``.

    Returns
    -------
    dict of Path to str
        Each document, and the letters in its figures that this machine's fonts had to draw.

    Raises
    ------
    Refused
        Before anything is written: where a library is missing, or a report is not there, failed,
        or was rendered from files that have changed since.
    """
    refuse_without_libraries()
    description = describe(review)
    out = Path(out or folder_of(description)).expanduser().resolve()
    refuse_others(out, description)
    pages = _pages(description, families, out)

    from helpers.word import forms, parts
    from helpers.word.docx import docx
    from helpers.word.pictures import foreign

    written = {}
    for family, page in pages.items():
        html = page.read_text(encoding="utf-8")
        sections, aliases = parts.sections(html)
        outline = (forms.supplement if supplement else forms.report)(sections)
        content = docx(
            outline,
            aliases,
            evidence=description.evidence.get("notice") or "",
            date=description.date,
        )
        name = f"{family}-supplement.docx" if supplement else f"{family}.docx"
        put(out, {name: content})
        written[out / name] = foreign(html)
    return written


def _pages(description, families, out):
    """Pages to write, by family; refused together where one does not stand for its sheet."""
    known = [OVERVIEW, *description.families]
    for family in families:
        if family not in known:
            raise Refused(f"{family}: no such report. {nearest(family, known)}")
    entries, files = remembered(out), inputs(description)
    chosen = [family for family in known if family in (families or entries)]
    wrong = [why for family in chosen if (why := _fault(family, entries, files, out))]
    if wrong or not chosen:
        lines = "".join(f"\n  {line}" for line in wrong)
        raise Refused(
            f"{out}: {'no report to write' if wrong else 'no report was rendered'}; "
            f"render first, by: python -m helpers render{lines}"
        )
    return {family: out / f"{family}.html" for family in chosen}


def _fault(family, entries, files, out):
    """Say why a report cannot be taken as it stands, if so."""
    entry = entries.get(family)
    if entry is None or not (out / f"{family}.html").is_file():
        return f"{family}: not rendered yet"
    if "failure" in entry:
        return f"{family}: its last rendering failed; what stands there is older"
    changed = sorted({name for name, _ in files.items() ^ entry["files"].items()})
    if changed:
        return f"{family}: {', '.join(changed)} changed since it was rendered"
    return None
