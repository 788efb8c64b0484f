"""Turn an executed notebook into one self-contained HTML page.

A page asks for nothing: no font, script, picture or style comes from elsewhere, and its
Content-Security-Policy forbids every connection and every script but its own.
"""

from __future__ import annotations

import re
from functools import cache
from html import unescape

from markupsafe import Markup, escape

from helpers.page.assets import asset, for_page, policy
from helpers.page.templating import TEMPLATES, macros
from helpers.writing import MIME, as_json, leaves

HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
SLOT = re.compile(r"<!--slot:(\w+)-->")
INSIDE = re.compile(r'<a href="#([^"]*)">(.*?)</a>')
TAG = re.compile(r"<[^>]*>")
COLLAPSED = "jp-MarkdownHeadingCollapsed"  # JupyterLab's own mark of a section that is folded
LAB_ONLY = "remove-cell"
EXPLORER = re.compile(r"\s*[^\n;]*\.explore\([^\n]*\)[\s;]*")  # a cell that is nothing else
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
    foreign = "style=" in html or html.count("<style") > 1
    html = SLOT.sub(lambda match: slots.get(match[1], match[0]), html)
    html, contents, heading = _headings(html, title)
    slots["title"] = escape(title or heading)
    slots["contents"] = contents
    slots["data"] = "".join(data)
    slots["css"], slots["js"] = asset("report.css"), asset("report.js")
    slots["policy"] = policy(slots["css"], slots["js"], inline_styles=foreign)
    return _links(SLOT.sub(lambda match: slots[match[1]], html)) + "\n"


def slug(text):
    """Identifier of a heading: ``"Effect of time (days)"`` becomes ``"effect-of-time-days"``."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "section"


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
    """Put the title first, and name the first cell of each outcome for links from the index.

    Cells that are for JupyterLab alone are left out, and what is collapsed there is folded here.
    """
    cells = [cell for cell in cells if not _is_for_lab(cell)]
    title = [c for c in cells if c.cell_type == "markdown" and c.source.lstrip().startswith("# ")]
    seen = set()
    for cell in [*title[:1], *(cell for cell in cells if cell not in title[:1])]:
        about = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("outcome-")]
        if len(about) == 1 and about[0] not in seen:
            seen.add(about[0])
            cell = {**cell, "metadata": {**cell.metadata, "anchor": about[0]}}
        if cell["metadata"].get(COLLAPSED):
            heading, _, rest = cell["source"].partition("\n")
            cell = {**cell, "source": rest, "metadata": {**cell["metadata"], "fold": heading}}
        yield cell


def _is_for_lab(cell):
    """Whether a cell is for JupyterLab alone: tagged so, or a call of the explorer."""
    explores = cell.cell_type == "code" and EXPLORER.fullmatch(cell.source)
    return LAB_ONLY in cell.metadata.get("tags", []) or bool(explores)


def _placeholders(cell, slots, data):
    """Put slots where blocks are; they go around nbconvert, untouched and quickly."""
    if cell["cell_type"] != "code":
        return cell
    outputs = []
    for output in cell["outputs"]:
        note = output.get("data", {}).get(MIME)
        if note is None:
            outputs.append(output)
            continue
        for part in leaves(note):
            if "results" in part:
                text = as_json(part["results"])
                data.append(f'<script type="application/json" id="results">{text}</script>')
        html, key = for_page("".join(output["data"]["text/html"])), f"block{len(slots)}"
        if html:
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
        added = Markup("<h1>{}</h1>").format(title or "Report")
        html = html.replace('tabindex="-1">', f'tabindex="-1">{added}', 1)

    def tidy(match):
        level, inside = int(match[1]), match[2]
        text = " ".join(unescape(TAG.sub("", inside)).split())
        last = found[-1][0] if found else 0
        level = 1 if not found else max(2, min(level, last + 1))
        name = slug(text)
        seen[name] = seen.get(name, 0) + 1
        mark = name if seen[name] == 1 else f"{name}-{seen[name]}"
        found.append((level, mark, text))
        # A heading that opens what is below it is pressed itself and holds no link.
        folds = match.string.startswith("<summary>", match.start() - len("<summary>"))
        return macros().linked_heading(level, mark, Markup(inside), level > 1 and not folds)

    html = HEADING.sub(tidy, html)
    sections = []
    for level, mark, text in found:
        if level == 2:
            sections.append((mark, text, []))
        elif level == 3:
            sections[-1][2].append((mark, text))
    return html, macros().contents(sections) if sections else "", found[0][2]


def _links(html):
    """Words that would lead to a part that this report does not have are no links."""
    marks = set(re.findall(r' id="([^"]*)"', html))
    return INSIDE.sub(lambda link: link[0] if link[1] in marks else link[2], html)
