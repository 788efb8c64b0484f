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

from helpers.page.downloads import link
from helpers.page.intervals import intervals
from helpers.page.templating import macros, paragraphs
from helpers.writing import MIME, csv, plain

BROAD = 5.7  # inches; a figure that is wider scrolls on a phone, others shrink to its width
NO_ALERTS = "Nothing to report."
SEVERITIES = {"error": "Error", "warning": "Warning", "note": "Note", "good": "Good"}


@dataclass(frozen=True)
class Block:
    """One piece of a report.

    Attributes
    ----------
    kind : str
        What it is: figure, table, alerts, banner, glance, paragraph, terms, details,
        download, facts, results, heading.
    name : str
        Unique in a report; part of identifiers and file names.
    html : str
        What JupyterLab and the report show.
    text : str
        The same for a reader without HTML.
    data : dict
        ``csv`` and ``results`` where the block has them.
    """

    kind: str
    name: str
    html: str
    text: str
    data: dict = field(default_factory=dict)

    def _repr_mimebundle_(self, include=None, exclude=None):
        note = {"kind": self.kind, "name": self.name, "csv": None} | self.data
        return {"text/html": str(self.html), "text/plain": self.text, MIME: note}


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
    return Block("figure", name, html, f"Figure {number}. {caption}\n{alt}", {"csv": text})


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
    """List what a reader must know before the numbers, gravest first.

    Parameters
    ----------
    findings : list of mapping
        ``severity`` ("error", "warning", "note", "good"), ``text``, and where there is more
        to say ``detail`` (plain text, folded), ``href`` and ``link`` (an anchor and its words).
    """
    findings = sorted(findings, key=lambda one: list(SEVERITIES).index(one["severity"]))
    html = macros().alerts(findings, SEVERITIES, NO_ALERTS)
    lines = [f"{SEVERITIES[one['severity']]}: {one['text']}" for one in findings]
    return Block("alerts", "alerts", html, "\n".join(lines) or NO_ALERTS)


def glance(items, *, sentence, plot=None):
    """Put the numbers that matter on the first screen.

    Parameters
    ----------
    items : list of (str, object, str)
        Label, value and note of each card: ``("Experiments", 72, "65 studies")``.
    sentence : str
        The result in one sentence that a reader can quote.
    plot : list of mapping, optional
        Rows of `intervals`.
    """
    html = macros().glance(items, sentence, intervals(plot) if plot else "")
    lines = [
        f"{label}: {value} ({note})" if note else f"{label}: {value}"
        for label, value, note in items
    ]
    return Block("glance", "glance", html, "\n".join([sentence, *lines]))


def heading(text, *, level, name):
    """Head a section from code, where a notebook cannot know its sections in advance."""
    mark = re.sub(r"\W+", "-", name).lower()
    return Block("heading", name, macros().heading(text, level, mark), text)


def paragraph(text, *, name="paragraph", copy=False):
    """Show plain text; blank lines part paragraphs, DOIs become links.

    Parameters
    ----------
    text : str
    copy : bool
        Whether a button copies it, for texts that go into a manuscript.
    """
    return Block("paragraph", name, macros().paragraph(text, copy), text)


def terms(items, *, name):
    """Explain terms, a point each.

    Parameters
    ----------
    items : list of (str, str)
        Plain text: the term, and what is to be known of it.
    """
    text = "\n".join(f"{term}. {said}" for term, said in items)
    return Block("terms", name, macros().terms(items), text)


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
    data = content.data if isinstance(content, Block) else {}
    return Block("details", name, macros().details(summary, inside), f"{summary}\n{text}", data)


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
