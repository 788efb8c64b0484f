"""Turn an executed notebook into one self-contained HTML page, and many pages into an index.

A page asks for nothing: no font, script, picture or style comes from elsewhere, and its
Content-Security-Policy forbids every connection and every script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from functools import cache
from html import escape, unescape
from pathlib import Path

from helpers.analysis.measures import SMD
from helpers.page import blocks
from helpers.words.sentences import level_name

ARTICLE_LEVEL = 0.95  # of the intervals that articles print
TEMPLATES = Path(__file__).with_name("templates")
HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
SLOT = re.compile(r"<!--slot:(\w+)-->")
INSIDE = re.compile(r'<a href="#([^"]*)">(.*?)</a>')
TAG = re.compile(r"<[^>]*>")
BARE_PICTURE = re.compile(r"<img(?![^>]*\salt=)")


def export(notebook, *, title=None, language="en"):
    """Export an executed notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed. Its first heading of level 1 becomes the title of the page; blocks of
        `helpers.page.blocks` are shown as they are, what code wrote to standard error as an alert.
    title : str, optional
        Name of the page in the browser, and its heading where the notebook has none.
    language : str
        Language of the text (BCP 47).

    Returns
    -------
    str
        One HTML document; the same notebook gives the same bytes.
    """
    import nbformat

    slots, data = {}, []
    cells = [_placeholders(cell, slots, data) for cell in _anchored(notebook.cells)]
    shell = nbformat.from_dict({**notebook, "cells": cells})
    html, _ = _exporter().from_notebook_node(shell, {"language": escape(language)})
    html = BARE_PICTURE.sub('<img alt="No description was given"', html)
    html, contents, heading = _headings(html, title)
    slots["title"] = escape(title or heading)
    slots["contents"] = contents
    slots["data"] = "".join(data)
    foreign = "style=" in html or html.count("<style") > 1
    slots["css"], slots["js"] = asset("report.css"), asset("report.js")
    slots["policy"] = policy(slots["css"], slots["js"], inline_styles=foreign)
    return _links(SLOT.sub(lambda match: slots[match[1]], html)) + "\n"


def index(entries, *, title, lead="", banner="", language="en"):
    """Write the page that leads to all reports.

    Parameters
    ----------
    entries : list of mapping
        A report each: ``family``, ``label``, ``href`` (None where there is no page), ``status``
        ("ok", "FAILED", "not rendered"), ``message`` (why it failed, or None) and ``outcomes``,
        a list of mappings with ``id, label, k, estimate, ci_low, ci_high, better``,
        ``published`` (a mapping with ``estimate, ci_low, ci_high``, or None) and optionally
        ``anchor`` (identifier of its section, by default ``outcome-<id>``; None where it has none);
        optionally the ``measure`` of an outcome (a `Measure`, by default the SMD)
        and the ``level`` of the report's intervals. The page of a failed report is the last good
        one, and is called so.
    title, lead : str
        Heading, and a sentence below it.
    banner : str
        HTML of `blocks.banner`.

    Returns
    -------
    str
        One HTML document.
    """
    import jinja2
    from markupsafe import Markup

    css, js = asset("report.css"), asset("report.js")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True
    )
    reports = [_family(entry) for entry in entries]
    named = [{row["id"] for row in report["rows"]} for report in reports]
    for report, own in zip(reports, named, strict=True):
        # A report that repeats what smaller ones show, such as an overview, is only linked.
        others = set().union(*(other for other in named if len(other) < len(own)))
        report["repeats"] = bool(own) and own <= others
    return environment.get_template("index.html.j2").render(
        reports=reports,
        printed=level_name(ARTICLE_LEVEL),
        outcomes=len(set().union(*named)),
        states=Counter(report["status"].replace("ok", "rendered") for report in reports),
        title=title,
        lead=Markup(blocks.paragraph(lead).html if lead else ""),
        language=language,
        banner=Markup(banner),
        css=Markup(css),
        js=Markup(js),
        policy=Markup(policy(css, js)),
    )


def slug(text):
    """Identifier of a heading: ``"Effect of time (days)"`` becomes ``"effect-of-time-days"``."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "section"


def policy(css, js, *, inline_styles=False):
    """Content-Security-Policy of a page that holds this style sheet and this script."""
    styles = "'unsafe-inline'" if inline_styles else _hash(css)
    rules = (
        f"default-src 'none'; script-src {_hash(js)}; style-src {styles}; "
        "img-src data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


@cache
def asset(name):
    """Text of a file beside the templates."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _exporter():
    from nbconvert import HTMLExporter, TemplateExporter
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    colours = get_lexer_by_name("ipython3"), HtmlFormatter(cssclass="highlight hl-ipython3")

    class Exporter(HTMLExporter):
        """HTMLExporter with one highlighter for all cells, which does not read its page again."""

        def from_notebook_node(self, nb, resources=None, **more):
            self.register_filter("highlight_code", lambda code, **_: highlight(code, *colours))
            resources = self._init_resources(resources)
            return TemplateExporter.from_notebook_node(self, nb, resources, **more)

    return Exporter(
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,
        default_preprocessors=[],  # each would check the whole notebook again, and none is needed
        embed_images=True,
    )


def _anchored(cells):
    """Put the title first, and name the first cell of each outcome for links from the index."""
    title = [c for c in cells if c.cell_type == "markdown" and c.source.lstrip().startswith("# ")]
    seen = set()
    for cell in [*title[:1], *(cell for cell in cells if cell not in title[:1])]:
        about = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("outcome-")]
        if len(about) == 1 and about[0] not in seen:
            seen.add(about[0])
            cell = {**cell, "metadata": {**cell.metadata, "anchor": about[0]}}
        yield cell


def _placeholders(cell, slots, data):
    """Put slots where blocks are; they go around nbconvert, untouched and quickly."""
    if cell["cell_type"] != "code":
        return cell
    outputs = []
    for output in cell["outputs"]:
        note = output.get("data", {}).get(blocks.MIME)
        if note is None:
            outputs.append(output)
            continue
        if "results" in note:
            text = blocks.as_json(note["results"])
            data.append(f'<script type="application/json" id="results">{text}</script>')
        html, key = "".join(output["data"]["text/html"]), f"block{len(slots)}"
        if html and note["kind"] != "heading":  # headings are put in order below
            slots[key], html = html, f"<!--slot:{key}-->"
        if html:
            bundle = {"data": {"text/html": html}, "metadata": {}}
            outputs.append({"output_type": "display_data", **bundle})
    return {**cell, "outputs": outputs}


def _headings(html, title):
    """Give every heading its level, identifier and link; list them.

    There is one heading of level 1, and no level is skipped on the way down.
    """
    seen, found = {"results": 1, "main": 1}, []  # names that the page needs for itself
    if not re.search(r"<h1\b", html):
        html = html.replace(
            'tabindex="-1">', f'tabindex="-1"><h1>{escape(title or "Report")}</h1>', 1
        )

    def tidy(match):
        level, inside = int(match[1]), match[2]
        text = " ".join(unescape(TAG.sub("", inside)).split())
        last = found[-1][0] if found else 0
        level = 1 if not found else max(2, min(level, last + 1))
        name = slug(text)
        seen[name] = seen.get(name, 0) + 1
        mark = escape(name if seen[name] == 1 else f"{name}-{seen[name]}")
        found.append((level, mark, text))
        if level == 1:
            return f'<h1 id="{mark}">{inside}</h1>'
        link = f'<a class="anchor" href="#{mark}" aria-label="Link to this section">#</a>'
        return f'<h{level} id="{mark}">{inside}{link}</h{level}>'

    html = HEADING.sub(tidy, html)
    items, depth = [], 1
    for level, mark, text in found:
        if not 2 <= level <= 3:
            continue
        items.append(
            "<ol><li>" if level > depth else "</li></ol></li><li>" if level < depth else "</li><li>"
        )
        items.append(f'<a href="#{mark}">{escape(text)}</a>')
        depth = level
    items.append("</li></ol>" * (depth - 1))
    contents = f"<details open><summary>Contents</summary>{''.join(items)}</details>"
    return html, contents if depth > 1 else "", found[0][2]


def _links(html):
    """Words that would lead to a part that this report does not have are no links."""
    marks = set(re.findall(r' id="([^"]*)"', html))
    return INSIDE.sub(lambda link: link[0] if link[1] in marks else link[2], html)


def _family(entry):
    """A report with its rows in the index drawn, those of each measure on an axis of their own."""
    from markupsafe import Markup

    outcomes = [{"measure": SMD, **one} for one in entry.get("outcomes") or []]
    level = level_name(entry.get("level", ARTICLE_LEVEL))
    rows, heads = {}, []
    for measure, run in blocks.by_measure(outcomes):
        printed = [one.get("published") or {} for one in run]
        # What was printed is of the article's measure: beside another it is written, not drawn.
        of = [one.get("printed_measure", SMD) for one in run]
        alike = [one.title == measure.title for one in of]
        drawn = [one for one, same in zip(printed, alike, strict=True) if same]
        low, high = blocks.axis([*run, *drawn], measure)
        axis = Markup(blocks.scale(low, high, measure))
        heads.append({"measure": measure.title, "scale": axis})
        for one, shown, printed_as, same in zip(run, printed, of, alike, strict=True):
            plot, text = blocks.interval(one, low, high), "–"
            if shown.get("estimate") is not None:
                text = blocks.estimate({**shown, "measure": printed_as})
                if same:
                    plot = blocks.interval({**shown, "kind": "published"}, low, high) + plot
                else:
                    text = f"{printed_as.name} {text}"
            anchor = one.get("anchor", f"outcome-{one['id']}")
            rows[one["id"]] = {
                **one,
                "head": heads[-1] if one is run[0] and len(heads) > 1 else None,
                "plot": Markup(plot),
                "href": "#".join(filter(None, (entry["href"], anchor))) if entry["href"] else "",
                "computed": blocks.estimate(one),
                "published": text,
            }
    first = heads[0] if heads else {"measure": "", "scale": ""}
    return {**entry, "rows": list(rows.values()), **first, "level": level}
