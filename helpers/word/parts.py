"""The parts of a rendered page that a reader on paper needs, under their headings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Kept as text: a parser of HTML takes the capitals from `viewBox` and `clipPath`.
SVG = re.compile(r"(<svg\b[^>]*)>.*?</svg>", re.DOTALL)
MAIN = re.compile(r"<main\b.*</main>", re.DOTALL)
HEADINGS = re.compile(r"h[1-6]$")
# Of no use on paper: code, what a mouse presses, other pages' addresses, the form for phones.
SCREEN_ONLY = (
    "script, style, .code, .anchor, .actions, .others, .picker, svg.narrow, svg:not(figure svg), "
    ".banner summary span, .unseen"
)


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, up to the next heading.

    Attributes
    ----------
    level : int
        1 is the title of the page.
    title, mark : str
        Its text and its identifier.
    folded : bool
        Whether the page folds it away.
    parts : list of bs4.Tag
        Paragraphs, tables, figures and lists.
    told : list of bs4.Tag
        Those of the parts that the notebook says itself, in words of its own.
    """

    level: int
    title: str
    mark: str
    folded: bool
    parts: list = field(default_factory=list)
    told: list = field(default_factory=list)


def sections(html):
    """Take a page apart.

    Parameters
    ----------
    html : str
        As `helpers.page.document.export` gives it.

    Returns
    -------
    sections : list of Section
        In the order of the page; the first is its title.
    aliases : dict of str to str
        Identifiers of what holds a section, and that of the section's heading.
    """
    from bs4 import BeautifulSoup

    html = MAIN.search(html)[0]
    drawn = [found[0] for found in SVG.finditer(html)]
    soup = BeautifulSoup(SVG.sub(r"\1></svg>", html), "html.parser")
    for svg, text in zip(soup.select("svg"), drawn, strict=True):
        svg.append(text)
    main = soup.main
    for unseen in main.select(SCREEN_ONLY):
        unseen.decompose()
    aliases = {
        holder["id"]: heading.get("id", "")
        for holder in main.select("span[id], div[id]:not(.table), details[id], section[id]")
        if (heading := holder.find(HEADINGS) or holder.find_next(HEADINGS))
    }
    _on_paper(soup, main)
    found = [Section(1, "", "", False)]
    _walk(main, found[0], found, folded=False, told=False)
    return [one for one in found if one.title or one.parts], aliases


def _walk(node, section, found, *, folded, told):
    """Collect sections of a node; returns the one that what follows belongs to."""
    from bs4 import NavigableString, Tag

    for child in list(node.children):
        if type(child) is NavigableString and child.strip():
            section.parts.append(child.wrap(Tag(name="p")))
        elif not isinstance(child, Tag):
            continue
        elif HEADINGS.match(child.name):
            title = " ".join(child.get_text().split())
            section = Section(int(child.name[1]), title, child.get("id", ""), folded)
            found.append(section)
        elif _holds_sections(child):
            fold = child.name == "details"
            own = told or (node.name == "main" and "prose" in child.get("class", ()))
            last = _walk(child, section, found, folded=folded or fold, told=own)
            section = section if fold else last
        elif child.get_text(strip=True) or child.name == "img" or child.find("img"):
            section.parts.append(child)
            if told:
                section.told.append(child)
    return section


def _holds_sections(node):
    classes = node.get("class") or ()
    if node.name == "div":
        return not {"table", "piece"} & set(classes)
    return node.name in ("section", "summary") or (node.name == "details" and "fold" in classes)


def _on_paper(soup, main):
    """Write what only a page can show as paragraphs and lists."""

    def new(name, content=(), **attributes):
        tag = soup.new_tag(name, attrs=attributes)
        tag.extend(content)
        return tag

    def styled(name, tags):
        return new("div", tags, **{"custom-style": name, "class": "piece"})

    for mark in main.select(".head mark"):
        mark.insert_after(" (not the default)")
        mark.name, mark.attrs = "b", {}
    for line in main.select(".head > dl > div"):
        label = new("b", [f"{line.dt.get_text()}: "])
        line.replace_with(new("p", [label, *list(line.dd.contents)]))
    for block in main.select(".head > dl"):
        block.replace_with(styled("Facts", list(block.contents)))
    for cite in main.select(".head .cite"):
        lines = cite.select("p")
        lines[0].insert(0, new("b", [f"{cite.summary.get_text()}: "]))
        cite.replace_with(styled("Facts", lines))
    for banner in main.select(".banner"):
        for summary in banner.select("summary"):
            summary.name = "p"
        banner.replace_with(styled("Evidence", banner.select("p")))
    for block in main.select(".glance > dl"):
        said = (f"{' '.join(one.get_text(' ').split())}" for one in block.select("div"))
        block.replace_with(new("p", ["; ".join(said).replace("( ", "(").replace(" )", ")") + "."]))
    for quote in main.select(".glance blockquote"):
        quote.replace_with(styled("Key Result", quote.select("p")))
    for alert in main.select(".alerts li > b"):
        alert.append(":")
    for summary in main.select(".alerts li details > summary"):
        summary.decompose()
    for details in main.select("details:not(.fold)"):
        if details.summary:
            details.summary.name = "p"
        details.name, details.attrs = "div", {"class": "piece"}
    for block in main.select("section.head, section.glance, section.alerts"):
        block.unwrap()
    for scroll in main.select(".scroll"):
        scroll.unwrap()
