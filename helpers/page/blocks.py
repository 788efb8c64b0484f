"""What a notebook cell shows: figures, tables, alerts and sentences as pieces of HTML.

Every piece is whole in JupyterLab and in the report made from the notebook, works without a
script, and carries what `helpers.render.execute` collects beside the report: the data of figures
and tables as CSV, and the results as JSON. Texts are plain text; the templates escape them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from markupsafe import Markup

from helpers.page import exports
from helpers.page.assets import for_lab
from helpers.page.downloads import link
from helpers.page.templating import macros, paragraphs
from helpers.problems import Refused
from helpers.writing import MIME, csv, plain

BROAD = 5.7  # inches; a figure that is wider scrolls on a phone, others shrink to its width
NO_ALERTS = "Nothing to report."
MADE_UP = ("reconstructed", "simulated")  # kinds of rows that a file of its own must name
SEVERITIES = {
    "error": "Error",
    "warning": "Warning",
    "change": "Changed",
    "note": "Note",
    "good": "Good",
}


@dataclass(frozen=True)
class Block:
    """One piece of a report.

    Attributes
    ----------
    kind : str
        What it is: figure, table, alerts, banner, head, glance, paragraph, terms, details,
        download, facts, results, heading, section.
    name : str
        Unique in a report; part of identifiers and file names.
    html : str
        What the report shows, and JupyterLab with a style of its own around it.
    text : str
        The same for a reader without HTML.
    data : dict
        ``csv`` and ``results`` where the block has them, ``parts`` where it holds other blocks.
    parts : tuple of Block
        Those that it holds.
    drawn, rows : matplotlib.figure.Figure, pandas.DataFrame, optional
        What a figure is, and what a figure or a table shows, at full precision.
    """

    kind: str
    name: str
    html: str
    text: str
    data: dict = field(default_factory=dict, repr=False)
    parts: tuple = field(default=(), repr=False)
    drawn: object = field(default=None, repr=False, compare=False)
    rows: object = field(default=None, repr=False, compare=False)

    @property
    def note(self):
        """What it is and carries, for `helpers.render.execute`."""
        return {"kind": self.kind, "name": self.name, "csv": None} | self.data

    @property
    def bundle(self):
        """The output of a notebook's cell that shows it: content by MIME type."""
        return {"text/html": str(for_lab(self.html)), "text/plain": self.text, MIME: self.note}

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.bundle

    @property
    def figure(self):
        """The figure, for matplotlib: its size and artists can be changed, and it can be saved."""
        figure = self._only("drawn", "figure").drawn
        figure.set_facecolor("white")  # on a page its ground is the page's
        return figure

    @property
    def frame(self):
        """What a table or a figure shows as a pandas.DataFrame at full precision, a copy."""
        return self._only("rows", "table").rows.copy()

    def save(self, path, *, dpi=300):
        """Save the figure as .pdf, .svg, .png or .tiff, on white, with what it is made from.

        Parameters
        ----------
        path : str or Path
        dpi : float
            Points an inch, of .png and .tiff.

        Returns
        -------
        Path
        """
        block = self._only("drawn", "figure")
        return exports.picture(block.drawn, path, dpi=dpi, **block.origin)

    def to_excel(self, path):
        """Write the table, or the data of the figure, as a workbook (.xlsx) at full precision."""
        block = self._only("rows", "table")
        return exports.workbook(block.rows, path, **block.origin)

    def to_word(self, path):
        """Write the block as a Word document (.docx), tables as tables that can be edited."""
        return exports.document(self.html, path, **self.origin)

    @property
    def origin(self):
        """Its title, and what kind of rows, or which part of them, it is made from."""
        tables = [block.rows for block in self.leaves if block.rows is not None]
        parts = {one for rows in tables if "subset" in rows for one in rows["subset"].unique()}
        kinds = {one for rows in tables if "provenance" in rows for one in rows["provenance"]}
        said = [f"Only experiments with {one}." for one in sorted(parts)]
        said += [f"{kind.capitalize()} data." for kind in MADE_UP if kind in kinds]
        return {"title": self.text.partition("\n")[0], "evidence": " ".join(said)}

    @property
    def leaves(self):
        """Itself, or all blocks inside, also of those inside."""
        return [leaf for part in self.parts for leaf in part.leaves] if self.parts else [self]

    def _only(self, what, noun):
        """The one block here that has something; several, or none, are refused by their names."""
        found = [block for block in self.leaves if getattr(block, what) is not None]
        if len(found) == 1:
            return found[0]
        named = ", ".join(block.name for block in found)
        raise Refused(
            f"{self.name} holds {len(found)} of these: {named}. Take one of its `parts`."
            if found
            else f"{self.name} is a {self.kind} and holds no {noun}."
        )


def figure(axes, *, name, number, caption, alt, data=None, narrow=None):
    """Show a matplotlib figure with number, caption, alternative text and its data.

    Parameters
    ----------
    axes : matplotlib.axes.Axes or matplotlib.figure.Figure
        Drawn at its own size on a transparent ground, then closed.
    name : str
        Unique in a report; the anchor is ``figure-<name>``.
    number : int or str
        Printed before the caption.
    caption, alt : str
        Plain text. The alternative text holds the numbers that the figure shows.
    data : pandas.DataFrame, optional
        What is drawn, at full precision, for the download.
    narrow : matplotlib.axes.Axes, optional
        The same for a phone, shown there in place of the other; print and downloads have that.

    Returns
    -------
    Block
    """
    from helpers.drawing.svg import svg

    drawn, small = (getattr(one, "figure", None) or one for one in (axes, narrow))
    mark = f"figure-{name}"
    width, height = drawn.get_size_inches()
    look = "wide" if small is not None else "broad" if width > BROAD else ""
    picture = svg(drawn, name=mark, alt=alt, look=look)
    if small is not None:
        picture += svg(small, name=f"{mark}-narrow", alt=alt, look="narrow")
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        for one in (drawn,) if small is None else (drawn, small):
            pyplot.close(one)
    text = None if data is None else csv(data)
    download = "" if data is None else link(text, f"{name}.csv")
    html = macros().figure(mark, number, caption, Markup(picture), download, height > 2 * width)
    said = f"Figure {number}. {caption}\n{alt}"
    return Block("figure", name, html, said, {"csv": text}, drawn=drawn, rows=data)


def banner(evidence):
    """Say in front of everything what kind of evidence this is.

    Parameters
    ----------
    evidence : mapping
        ``kind`` ("extracted", "reconstructed", "simulated"), ``notice`` and ``detail``, as in
        ``review.toml``. Without a notice nothing is shown.
    """
    notice, detail = evidence.get("notice") or "", evidence.get("detail") or ""
    html = macros().banner(notice, detail) if notice else ""
    return Block("banner", "banner", html, f"{notice} {detail}".strip())


def alerts(findings):
    """List what a reader must know before the numbers, gravest first; notes are folded.

    Parameters
    ----------
    findings : list of mapping
        ``severity`` ("error", "warning", "change", "note", "good"), ``text``, and where there is more
        to say ``detail`` (plain text, folded), ``href`` and ``link`` (an anchor and its words).
    """
    findings = sorted(findings, key=lambda one: list(SEVERITIES).index(one["severity"]))
    notes = [one for one in findings if one["severity"] == "note"]
    grave = [one for one in findings if one["severity"] != "note"]
    html = macros().alerts(grave, notes, SEVERITIES, NO_ALERTS)
    lines = [f"{SEVERITIES[one['severity']]}: {one['text']}" for one in findings]
    return Block("alerts", "alerts", html, "\n".join(lines) or NO_ALERTS)


def head(facts, *, settings=(), others=(), cite="", evidence=None):
    """Say who reports what from where, by which settings, before any number.

    Parameters
    ----------
    facts : list of (str, str)
        Label and text of a line each: authors, date, source. DOIs become links.
    settings : list of (str, bool)
        What numbers were made by, in one line, and whether each differs from the default.
    others : list of (str, str)
        The other reports of the review: label, address.
    cite : str
        How to cite this report, folded.
    evidence : mapping, optional
        As for `banner`.
    """
    warning = banner(evidence or {})
    html = macros().head(facts, settings, others, cite, Markup(warning.html))
    lines = [f"{label}: {text}" for label, text in facts]
    if settings:
        words = (f"{text} (not the default)" if own else text for text, own in settings)
        lines.append(f"Settings: {'; '.join(words)}")
    return Block("head", "head", html, "\n".join([*lines, warning.text]).strip())


def glance(items, *, sentence):
    """Put the result in one sentence that a reader can quote, and how much it rests on.

    Parameters
    ----------
    items : list of (str, object, str)
        Label, value and note: ``("Experiments", 72, "none excluded")``.
    sentence : str
    """
    html = macros().glance(items, sentence)
    lines = [
        f"{label}: {value} ({note})" if note else f"{label}: {value}"
        for label, value, note in items
    ]
    return Block("glance", "glance", html, "\n".join([sentence, *lines]))


def heading(text, *, level, name):
    """Head a section from code, where a notebook cannot know its sections in advance."""
    mark = re.sub(r"\W+", "-", name).lower()
    return Block("heading", name, macros().heading(text, level, mark), text)


def paragraph(text, *, name="paragraph", copy=False, small=False, anchor=False):
    """Show plain text; blank lines part paragraphs, DOIs become links.

    Parameters
    ----------
    text : str
    copy : bool
        Whether a button copies it, for texts that go into a manuscript.
    small : bool
        For what is looked up and not read.
    anchor : bool
        Whether links can lead to it, as ``#<name>``.
    """
    html = macros().paragraph(text, copy, small, name if anchor else "")
    return Block("paragraph", name, html, text)


def terms(items, *, name):
    """Explain terms, a point each.

    Parameters
    ----------
    items : list of (str, str)
        Plain text: the term, and what is to be known of it.
    """
    text = "\n".join(f"{term}. {said}" for term, said in items)
    return Block("terms", name, macros().terms(items), text)


def section(title, parts, *, name, intro="", level=3, folded=False):
    """Put blocks under a heading, folded away on request: the heading opens what is below it.

    Parameters
    ----------
    title : str
    parts : list of Block or None
        None, for what there is nothing to show of, is left out.
    name : str
        Unique in a report; part of the identifier.
    intro : str
        Plain text before the parts.
    level : int
        Of the heading.
    folded : bool
        Whether a reader opens it by a click (or by searching in the page, or by a link into it).

    Returns
    -------
    Block or None
        None where nothing is to be shown: a heading over nothing is no use.
    """
    parts = [part for part in parts if part is not None]
    if not any(part.html for part in parts):
        return None
    parts = [paragraph(intro)] * bool(intro) + parts
    mark = re.sub(r"\W+", "-", name).lower()
    inside = Markup("").join(Markup(part.html) for part in parts)
    html = macros().section(title, level, mark, inside, folded)
    return _of_parts("section", name, html, parts, title)


def together(parts, *, name):
    """Show several blocks as one output; None where there is none."""
    parts = [part for part in parts if part is not None]
    if not parts:
        return None
    return _of_parts("section", name, Markup("").join(Markup(one.html) for one in parts), parts)


def _of_parts(kind, name, html, parts, *head):
    text = "\n\n".join([*head, *(part.text for part in parts)])
    notes = [part.note | {"text": part.text} for part in parts]
    return Block(kind, name, html, text, {"parts": notes}, tuple(parts))


def details(summary, content, *, name="details"):
    """Fold something away under a summary.

    Parameters
    ----------
    summary : str
        Plain text.
    content : Block or str
        A block, or plain text.
    """
    inside = Markup(content.html) if isinstance(content, Block) else paragraphs(content)
    text = content.text if isinstance(content, Block) else content
    data, parts = (content.data, (content,)) if isinstance(content, Block) else ({}, ())
    html = macros().details(summary, inside)
    return Block("details", name, html, f"{summary}\n{text}", data, parts)


def facts(values, *, name="facts"):
    """List names and values: parameters, versions, hashes.

    Parameters
    ----------
    values : mapping of str to object
        A value that is a list is written one item a line.
    """
    listed = [
        (str(key), value if isinstance(value, list | tuple) else [value])
        for key, value in values.items()
    ]
    text = "\n".join(f"{key}: {value}" for key, value in values.items())
    return Block("facts", name, macros().facts(listed), text)


def download(text, *, name, filename, label):
    """Offer a text file that is inside the page, such as a script or a citation list."""
    html = macros().actions(link(text, filename, label, "text/plain"))
    return Block("download", name, html, f"{label}: {filename}")


def results(content):
    """Carry the results of a report for programs; nothing of it is shown.

    Parameters
    ----------
    content : dict
        Anything that JSON holds, numpy numbers and dataclass fields included; what is not
        finite becomes null.
    """
    return Block("results", "results", "", "Results as JSON", {"results": plain(content)})
