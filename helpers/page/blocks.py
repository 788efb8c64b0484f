"""What a notebook cell shows: figures, tables, alerts and sentences as pieces of HTML.

Every piece is whole in JupyterLab and in the report made from the notebook, works without a
script, and carries what `helpers.render.run` collects beside the report: the data of figures and
tables as CSV, and the results as JSON. Texts are plain text and are escaped here.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from csv import writer
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from operator import itemgetter
from types import SimpleNamespace
from urllib.parse import quote

from helpers.analysis.measures import SMD
from helpers.words.sentences import effect, estimate_text, level_name

MIME = "application/vnd.preclinical.block+json"
# A number, and what may stand behind it: "2.31 [1.95, 2.66]", "81.5% (<0.001)".
NUMBER = re.compile(r"([<>≥≤]?\s?[−+-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?%?)(\s[\[(].*[\])])?")
PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DOI = re.compile(r"\b(?:doi:\s?|https://doi\.org/)(10\.\d+/[^\s;,&]*[^\s;,&.)])")
DOI_LINK = r'<a href="https://doi.org/\1">doi:\1</a>'
# What a link cannot hold as it is.
UNSAFE = re.compile(r"[^\w .,;:/()\[\]!*$=@+?~-]+", re.ASCII)
LONG = 40  # rows beyond which a table scrolls inside its own box
NO_ALERTS = "Nothing to report."
SEVERITIES = {"error": "Error", "warning": "Warning", "note": "Note", "good": "Good"}


@dataclass(frozen=True)
class Block:
    """One piece of a report.

    Attributes
    ----------
    kind : str
        What it is: figure, table, alerts, banner, glance, paragraph, details, download,
        facts, results, heading.
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
        return {"text/html": self.html, "text/plain": self.text, MIME: note}


def figure(axes, *, name, number, caption, alt, data=None, titles=None):
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
    titles : dict of str to str, optional
        Text that appears on hovering over artists with that ``gid``; by default what
        `helpers.drawing.text.Hover` has put into the figure.

    Returns
    -------
    Block
    """
    from helpers.drawing.svg import svg

    drawn = getattr(axes, "figure", None) or axes
    mark = f"figure-{name}"
    titles = titles or getattr(drawn, "_titles", None)
    picture = svg(drawn, name=mark, alt=alt, titles=titles)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(drawn)
    width, height = drawn.get_size_inches()
    text = None if data is None else csv(data)
    link = "" if data is None else _link(text, f"{name}.csv")
    html = (
        f'<figure class="figure{" tall" if height > 2 * width else ""}" id="{escape(mark)}">'
        f'<div class="scroll" tabindex="0" role="group" aria-label="Figure {number}">{picture}'
        f"</div><figcaption><b>Figure {number}.</b> {escape(caption)}</figcaption>"
        f'<p class="actions">{link}</p></figure>'
    )
    return Block("figure", name, html, f"Figure {number}. {caption}\n{alt}", {"csv": text})


def table(frame, *, name, number, caption, formats=None, groups=None, data=None):
    """Show a table with number and caption, sortable and filterable where scripts run.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a row; the index is not shown. The first column names the row.
    name : str
        Unique in a report; the anchor is ``table-<name>``.
    number : int or str
        Printed before the caption.
    caption : str
        Plain text.
    formats : dict of str to str or callable, optional
        How a column's values are written: a format specification (``".2f"``) or a function.
        Floats have two decimals and missing values an en dash otherwise.
    groups : str, optional
        Column whose values become headings above their (adjacent) rows.
    data : pandas.DataFrame, optional
        What is downloaded, at full precision; `frame` by default.

    Returns
    -------
    Block
    """
    mark = escape(f"table-{name}")
    shown = frame.drop(columns=groups) if groups else frame
    heads, columns = [], []
    for label, series in shown.items():
        cells = _cells(series, (formats or {}).get(label))
        found = [NUMBER.fullmatch(cell) for cell in cells]
        numeric = 2 * sum(map(bool, found)) > sum(cell != "–" for cell in cells)
        style = ' class="num"' if numeric else ""
        heads.append(f'<th scope="col"{style}>{escape(str(label))}</th>')
        columns.append(_tagged(cells, found if numeric else None, first=not columns))
    rows = [f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True)]
    body = "" if groups else f"<tbody>{''.join(rows)}</tbody>"
    labelled = zip(frame[groups], rows, strict=True) if groups else ()
    for label, run in groupby(labelled, key=itemgetter(0)):
        title = f'<th colspan="{len(columns)}" scope="rowgroup">{escape(str(label))}</th>'
        lines = "".join(row for _, row in run)
        body += f'<tbody><tr class="group">{title}</tr>{lines}</tbody>'
    text = csv(frame if data is None else data)
    html = (
        f'<div class="{"table long" if len(rows) > LONG else "table"}" id="{mark}">'
        f'<div class="scroll" tabindex="0" role="group" '
        f'aria-labelledby="{mark}-caption"><table><caption id="{mark}-caption"><span>'
        f"<b>Table {number}.</b> {escape(caption)}</span></caption><thead><tr>"
        f"{''.join(heads)}</tr></thead>{body}</table></div>"
        f'<p class="actions">{_link(text, f"{name}.csv")}</p></div>'
    )
    plain = shown.to_string(index=False, max_rows=20)
    return Block("table", name, html, f"Table {number}. {caption}\n{plain}", {"csv": text})


def banner(evidence):
    """Say in front of everything what kind of evidence this is.

    Parameters
    ----------
    evidence : mapping
        ``kind`` ("extracted", "reconstructed", "simulated"), ``notice`` and ``detail``, as in
        ``review.toml``. Without a notice nothing is shown.
    """
    notice, detail = evidence.get("notice") or "", evidence.get("detail") or ""
    html = (
        f'<aside class="banner" role="note" aria-label="Kind of evidence">'
        f"<p><b>{escape(notice)}</b></p>{f'<p>{escape(detail)}</p>' if detail else ''}</aside>"
    )
    return Block("banner", "banner", html if notice else "", f"{notice} {detail}".strip())


def alerts(findings):
    """List what a reader must know before the numbers, gravest first.

    Parameters
    ----------
    findings : list of mapping
        ``severity`` ("error", "warning", "note", "good"), ``text``, and where there is more
        to say ``detail`` (plain text, folded), ``href`` and ``link`` (an anchor and its words).
    """
    findings = sorted(findings, key=lambda one: list(SEVERITIES).index(one["severity"]))
    items = "".join(_alert(**one) for one in findings) or f"<li>{NO_ALERTS}</li>"
    html = f'<section class="alerts" aria-label="Alerts"><ul>{items}</ul></section>'
    lines = [f"{SEVERITIES[one['severity']]}: {one['text']}" for one in findings]
    return Block("alerts", "alerts", html, "\n".join(lines) or NO_ALERTS)


def _alert(severity, text, detail=None, href=None, link="Show the rows"):
    more = f' <a href="{escape(href)}">{escape(link)}</a>' if href else ""
    if detail:
        more += f"<details><summary>Details</summary>{_paragraphs(detail)}</details>"
    return f'<li class="{severity}"><b>{SEVERITIES[severity]}</b> {escape(text)}{more}</li>'


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
    cards = "".join(
        f"<div><dt>{escape(str(label))}</dt><dd><b>{escape(str(value))}</b>"
        f"{f'<span>{escape(str(note))}</span>' if note else ''}</dd></div>"
        for label, value, note in items
    )
    columns = 4 if len(items) in (4, 7, 8) else 3
    html = (
        f'<section class="glance" aria-label="At a glance">'
        f'<blockquote class="copy"><p>{escape(sentence)}</p></blockquote>'
        f'<dl class="by{columns}">{cards}</dl>{intervals(plot) if plot else ""}</section>'
    )
    lines = [
        f"{label}: {value} ({note})" if note else f"{label}: {value}"
        for label, value, note in items
    ]
    return Block("glance", "glance", html, "\n".join([sentence, *lines]))


def intervals(rows):
    """Draw estimates with intervals on one axis, in a table that is read without the drawing.

    Estimates of another measure have an axis of their own below.

    Parameters
    ----------
    rows : list of mapping
        ``label``, ``estimate``, ``ci_low``, ``ci_high``; optionally ``pi_low`` and ``pi_high``
        (a thin line), ``href`` (where the label leads), ``kind`` ("published" is drawn hollow),
        ``measure`` (by default the SMD) and ``level`` of the intervals, by default 0.95.

    Returns
    -------
    str
    """
    bodies = []
    for measure, run in by_measure(rows):
        low, high = axis(run, measure)
        heads = (
            f'<th scope="col">{scale(low, high, measure)}</th>'
            f'<th scope="col" class="num">{escape(measure.title)} '
            f"[{level_name(run[0].get('level', 0.95))}]</th>"
        )
        lines = "".join(
            f'<tr><th scope="row">{_anchor(row["label"], row.get("href"))}</th>'
            f"<td>{interval(row, low, high)}</td>"
            f'<td class="num">{estimate(row)}</td></tr>'
            for row in run
        )
        bodies.append((heads, lines))
    (heads, lines), *others = bodies
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Result">'
        '<table class="intervals"><thead><tr><th scope="col">Result</th>'
        f"{heads}</tr></thead><tbody>{lines}</tbody>"
        + "".join(f"<tbody><tr><td></td>{head}</tr>{body}</tbody>" for head, body in others)
        + "</table></div>"
    )


def by_measure(rows):
    """Rows by what their estimates are, as (measure, rows), in the order of first appearance."""
    groups = {}
    for row in rows:
        measure = row.get("measure", SMD)
        groups.setdefault((measure.title, measure.scale), (measure, []))[1].append(row)
    return list(groups.values())


def axis(rows, measure=SMD):
    """Round limits of an axis that holds no effect and all intervals, on the data's scale."""
    keys = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
    ends = [row.get(key) for row in rows for key in keys]
    finite = [0.0, *filter(_known, ends)]
    low, high = min(finite), max(finite)
    if measure.is_log:
        return _ratio_end(low, math.floor), _ratio_end(high, math.ceil) or (0.0 if low else 1.0)
    power = 10.0 ** math.floor(math.log10(((high - low) or 1.0) / 8))
    step = next(m * power for m in (1, 2, 5, 10) if high - low <= 8 * m * power)
    return math.floor(low / step) * step, math.ceil(high / step) * step or (0.0 if low else 1.0)


def _ratio_end(value, towards):
    """The log of a ratio of one figure (two near 1) at or beyond the log `value`."""
    power = 10.0 ** (math.floor(value / math.log(10)) - (abs(value) < 0.4))
    return math.log(towards(round(math.exp(value) / power, 9)) * power) if value else 0.0


def scale(low, high, measure=SMD):
    """Numbers at the ends of an axis, and its null value, above intervals drawn on it."""
    # A null value that stands near an end is left out where the axis is short.
    near = not 0.25 < -low / (high - low) < 0.75
    texts = ""
    for at in sorted({low, 0.0, high}):
        anchor = {low: "start", high: "end"}.get(at, "middle")
        style = ' class="near"' if near and low < at < high else ""
        number = f"{measure.shown(at):.10g}".replace("-", "−")
        place = f'x="{_share(at, low, high)}" y="11" text-anchor="{anchor}"'
        texts += f"<text {place}{style}>{number}</text>"
    return (
        '<span class="unseen">Interval</span><svg class="scale" width="100%" height="14" '
        f'fill="currentColor" aria-hidden="true">{texts}</svg>'
    )


def interval(row, low, high):
    """Draw one estimate with its interval as a small SVG on the axis from `low` to `high`."""

    def line(kind, start, end):
        if not (_known(start) and _known(end)):
            return ""
        x1, x2 = _share(start, low, high), _share(end, low, high)
        return f'<line class="{kind}" x1="{x1}" x2="{x2}" y1="9" y2="9"/>'

    at, hollow = row.get("estimate"), row.get("kind") == "published"
    point = f'<circle cx="{_share(at, low, high)}" cy="9" r="4.5"/>' if _known(at) else ""
    zero = _share(0, low, high)
    return (
        f'<svg class="interval{" hollow" if hollow else ""}" width="100%" height="18" '
        f'stroke="currentColor" fill="currentColor" aria-hidden="true">'
        f'<line class="zero" x1="{zero}" x2="{zero}" y1="0" y2="18"/>'
        f"{line('pi', row.get('pi_low'), row.get('pi_high'))}"
        f"{line('ci', row.get('ci_low'), row.get('ci_high'))}{point}</svg>"
    )


def _known(value):
    return value is not None and math.isfinite(value)


def _share(value, low, high):
    return f"{100 * (value - low) / (high - low):.2f}%"


def estimate(row):
    """Write an estimate with its interval: ``"1.66 [1.53, 1.79]"``, ratios of log effects."""
    if not _known(row.get("estimate")):
        return "not pooled"
    measure = row.get("measure", SMD)
    if not _known(row.get("ci_low")):
        return effect(row["estimate"], measure)
    # The interval stays in one line where a narrow screen wants two.
    text = estimate_text(row["estimate"], row["ci_low"], row["ci_high"], measure)
    return text.replace(", ", ",\u00a0")


def heading(text, *, level, name):
    """Head a section from code, where a notebook cannot know its sections in advance."""
    mark = escape(re.sub(r"\W+", "-", name).lower())
    html = f'<div id="{mark}"><h{level}>{escape(text)}</h{level}></div>'
    return Block("heading", name, html, text)


def paragraph(text, *, name="paragraph", copy=False):
    """Show plain text; blank lines part paragraphs, DOIs become links.

    Parameters
    ----------
    text : str
    copy : bool
        Whether a button copies it, for texts that go into a manuscript.
    """
    html = f'<div class="{"copy prose" if copy else "prose"}">{_paragraphs(text)}</div>'
    return Block("paragraph", name, html, text)


def details(summary, content, *, name="details"):
    """Fold something away under a summary.

    Parameters
    ----------
    summary : str
        Plain text.
    content : Block or str
        A block, or plain text.
    """
    inside = content.html if isinstance(content, Block) else _paragraphs(content)
    text = content.text if isinstance(content, Block) else content
    data = content.data if isinstance(content, Block) else {}
    html = f"<details><summary>{escape(summary)}</summary>{inside}</details>"
    return Block("details", name, html, f"{summary}\n{text}", data)


def facts(values, *, name="facts"):
    """List names and values: parameters, versions, hashes.

    Parameters
    ----------
    values : mapping of str to object
        A value that is a list is written one item a line.
    """
    items = ""
    for key, value in values.items():
        lines = value if isinstance(value, list | tuple) else [value]
        items += f"<dt>{escape(str(key))}</dt>"
        items += "".join(f"<dd>{escape(str(line))}</dd>" for line in lines)
    html = f'<dl class="facts">{items}</dl>'
    return Block("facts", name, html, "\n".join(f"{key}: {value}" for key, value in values.items()))


def download(text, *, name, filename, label):
    """Offer a text file that is inside the page, such as a script or a citation list."""
    html = f'<p class="actions">{_link(text, filename, label, "text/plain")}</p>'
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


def plain(value):
    """Numbers, texts, lists and dicts that JSON can hold, of anything that resembles them."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if hasattr(value, "columns"):
        return plain(value.to_dict("records"))
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def as_json(content):
    """JSON that can stand inside a script element of a page."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def csv(frame):
    """Full-precision CSV that a spreadsheet opens as data, never as formulas.

    A text that begins with ``= + - @``, a tab or a carriage return gets an apostrophe in front
    unless it is a number.
    """
    cells = frame.to_numpy(object, copy=True)
    cells[frame.isna().to_numpy()] = ""
    lines = []

    def take(line):  # a writer that ends lines with "\r\n" quotes both where they stand in a cell
        lines.append(line.removesuffix("\r\n") + "\n")

    rows = writer(SimpleNamespace(write=take), lineterminator="\r\n")
    rows.writerow(_safe(str(name)) for name in frame)
    rows.writerows(map(_safe, row) for row in cells.tolist())
    return "".join(lines)


def _safe(value):
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and value
    return f"'{value}" if risky and not PLAIN_NUMBER.fullmatch(value) else value


def _link(text, filename, label="CSV", mime="text/csv"):
    data = f"data:{mime};charset=utf-8,{UNSAFE.sub(lambda found: quote(found[0]), text)}"
    return f'<a download="{escape(filename)}" href="{escape(data)}">{escape(label)}</a>'


def _anchor(label, href):
    return f'<a href="{escape(href)}">{escape(label)}</a>' if href else escape(label)


def _paragraphs(text):
    parts = (escape(part.strip()) for part in re.split(r"\n\s*\n", text.strip()))
    return "".join(f"<p>{DOI.sub(DOI_LINK, part)}</p>" for part in parts)


def _cells(series, how):
    write = how if callable(how) else _writer(series, how)
    missing = series.isna().tolist()
    return [
        "–" if gone else str(write(v)) for v, gone in zip(series.tolist(), missing, strict=True)
    ]


def _writer(series, how):
    if how is None and series.dtype.kind == "f":
        how = ".2f"
    if how is None:
        return {True: "yes", False: "no"}.get if series.dtype == bool else str
    return lambda value: format(value, how).replace("-", "−")


def _tagged(cells, found, *, first):
    """Cells of a column; where most are numbers (`found`), those align at the decimal point."""
    tag, scope = ("th", ' scope="row"') if first else ("td", "")
    if found is None:
        return [f"<{tag}{scope}>{escape(cell)}</{tag}>" for cell in cells]
    # What stands behind the numbers is made equally wide and shorter fractions are padded, both
    # by style, so that the points stand below each other and the text stays as it is.
    wide = max((_digits(match[2]) for match in found if match), default=0)
    places = [_places(match[1]) if match else 0 for match in found]
    out = []
    for cell, match, place in zip(cells, found, places, strict=True):
        name, text = "num", escape(cell)
        if match and match[2]:
            text = f'{escape(match[1])}<span class="after w{wide}">{escape(match[2])}</span>'
        elif match and place < max(places) and not wide:
            name += f" d{max(places) - place}{'' if place else ' i'}"
        elif not match and not wide and cell == "–" and max(places):
            name += f" d{max(places)} i"
        out.append(f'<{tag}{scope} class="{name}">{text}</{tag}>')
    return out


def _places(number):
    return len(number.rstrip("%").partition(".")[2])


def _digits(text):
    """How many characters of a text are as wide as a digit."""
    return sum(one.isdigit() or one in "−<>" for one in text or "")
