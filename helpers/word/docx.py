"""A Word document from an outline: captions, tables and pictures by Word's own means."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from helpers.word import paper
from helpers.word.pictures import picture

NUMBER = re.compile(r"(Figure|Table) (\d+)\.")
LINK = re.compile(r"(Figure|Table) (\d+)")
REFERENCE = re.compile(r"\[\d+\] ")

# Widths in millimetres: of the text on an A4 page, of a letter in a table, of a cell's margins.
UPRIGHT, ACROSS, LETTER, MARGINS = 170, 257, 1.6, 2.6


def docx(outline, aliases, *, evidence="", date="", language="en-GB"):
    """Write a Word document.

    Parameters
    ----------
    outline : helpers.word.forms.Outline
    aliases : dict of str to str
        Identifiers to which links may lead, and those of the headings meant.
    evidence : str
        What the foot of each page says before its number.
    date : str
        Of the review, written into the file where it is a day (2025-01-31); never the clock.
    language : str
        For Word's spelling (BCP 47).

    Returns
    -------
    bytes
        The same outline gives the same bytes.
    """
    tree = json.loads(_pandoc(_html(outline, aliases), "--from=html", "--to=json"))
    tree["blocks"] = _turned(tree["blocks"])
    tree = _numbered(tree)
    title = [{"t": "Str", "c": outline.title}]
    tree["meta"] = {
        "title": {"t": "MetaInlines", "c": title},
        "lang": {"t": "MetaString", "c": language},
    }
    with tempfile.TemporaryDirectory() as folder:
        styles, made = Path(folder, "reference.docx"), Path(folder, "made.docx")
        default = _pandoc("", "--print-default-data-file=reference.docx")
        styles.write_bytes(paper.styled(default))
        _pandoc(
            json.dumps(tree), "--from=json", "--to=docx", f"--reference-doc={styles}",
            f"--output={made}",
        )  # fmt: skip
        return paper.finished(made.read_bytes(), evidence, date)


def _pandoc(text, *options):
    """Run pandoc without leave to read files or the web by itself."""
    import pypandoc

    command = [pypandoc.get_pandoc_path(), "--sandbox", *options]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout


def _html(outline, aliases):
    """The outline as plain HTML, in which the names of Word's styles stand."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup("", "html.parser")
    for section in outline.sections:
        if section.level:
            heading = _new(soup, f"h{min(section.level, 6)}", [section.title])
            if section.mark:
                heading["id"] = section.mark
            soup.append(heading)
        soup.extend(section.parts)
    for holder in soup.select("div.piece:not([custom-style])"):
        holder.unwrap()
    for figure in soup.select("figure"):
        _put_figure(soup, figure, outline.prefix)
    for table in soup.select("table:has(th, td)"):
        _put_table(soup, table, outline.prefix)
    _head_references(soup)
    for image in soup.select("img:not([src^='data:'])"):
        image.decompose()
    marks = {tag["id"] for tag in soup.select("[id]")}
    for link in soup.select("a"):
        place = link.get("href", "")
        inside = aliases.get(place[1:], place[1:]) if place.startswith("#") else ""
        if inside in marks:
            link["href"] = f"#{inside}"
            if found := LINK.fullmatch(link.get_text()):
                link.string = f"{found[1]} {outline.prefix}{found[2]}"
        elif not place.startswith(("https:", "http:", "mailto:")):
            link.unwrap()
    return str(soup)


def _new(soup, name, content=(), **attributes):
    tag = soup.new_tag(name, attrs=attributes)
    tag.extend(content)
    return tag


def _styled(soup, style, content, mark=None):
    attributes = {"custom-style": style} | ({"id": mark} if mark else {})
    return _new(soup, "div", [_new(soup, "p", content)], **attributes)


def _caption(soup, content, mark, prefix):
    """A caption of Word's own style, whose number is a field to which Word can refer."""
    caption = _styled(soup, "Caption", list(content), mark)
    name = caption.find("b")
    if name and (found := NUMBER.match(name.get_text())):
        number = _new(soup, "span", [f"{found[1]} {found[2]}"], **{"class": "number"})
        name.clear()
        name.extend([f"{found[1]} {prefix}", number, "."])
    return caption


def _put_figure(soup, figure, prefix):
    svg = figure.find("svg")
    if svg is None:
        return
    address, width = picture(svg.get_text())
    alt = svg.get("aria-label", "")
    image = _new(soup, "img", src=address, alt=alt, width=f"{width:.3f}in")
    figure.insert_before(_styled(soup, "Figure", [image]))
    if figure.figcaption:
        content = list(figure.figcaption.contents)
        figure.insert_before(_caption(soup, content, figure.get("id"), prefix))
    figure.decompose()


def _put_table(soup, table, prefix):
    """Caption above, columns as wide as their texts need, on a page of its own turn if wider."""
    holder = table.find_parent("div", class_="table")
    caption, rows = table.caption, table.select("tr")
    for cell in table.select("tr.group th"):
        cell.name = "td"  # a row of headings inside a table is none of its columns
        cell.append(_new(soup, "b", list(cell.contents)))
    shares, across = widths([[_lengths(cell) for cell in row.select("th, td")] for row in rows])
    columns = [_new(soup, "col", style=f"width:{100 * share:.2f}%") for share in shares]
    for cell in table.select("th, td"):
        numeric = "num" in (cell.get("class") or ())
        if numeric:
            cell["style"] = "text-align:right"
        content = list(cell.contents)
        if cell.find_parent("thead"):
            content = [_new(soup, "b", content)]
        cell.append(_styled(soup, "Table Text", content))
    place = _new(soup, "div", **({"class": "across"} if across else {}))
    (holder or table).insert_before(place)
    if caption:
        mark = holder.get("id") if holder else None
        place.append(_caption(soup, (caption.span or caption).contents, mark, prefix))
        caption.decompose()
    table.insert(0, _new(soup, "colgroup", columns))
    place.append(table.extract())
    if holder:
        holder.decompose()


def _lengths(cell):
    """Letters of a cell's longest word and of all of it; numbers and intervals are one word."""
    text = cell.get_text()
    whole = cell.find_parent("tbody") and {"num", "whole"} & set(cell.get("class") or ())
    return max(map(len, [text] if whole else text.split()), default=1), len(text)


def widths(rows):
    """Divide the width of a page among the columns of a table.

    Each column has at least the width of its longest word, and of what is left a part that follows
    how much more it would need in order to stand in one line.

    Parameters
    ----------
    rows : list of list of (int, int)
        Letters of a cell's longest word and of all of it; rows with joined cells do not count.

    Returns
    -------
    shares : numpy.ndarray
        Of the page's width.
    across : bool
        Whether the page is to be turned.
    """
    cells = np.array([row for row in rows if len(row) == max(map(len, rows))], dtype=float)
    need, wish = (cells.max(axis=0) * LETTER + MARGINS).T
    across = bool(need.sum() > UPRIGHT or wish.sum() > 2.5 * UPRIGHT)
    page = ACROSS if across else UPRIGHT
    if wish.sum() <= page:
        return wish * min(1.2 / page, 1 / wish.sum()), across
    spare = max(page - need.sum(), 0) / (wish - need).sum() if (wish > need).any() else 0
    width = need + spare * (wish - need)
    return width / max(width.sum(), page), across


def _head_references(soup):
    """Give the list of references a heading, and Word's style of a bibliography."""
    listed = [p for p in soup.select("p") if REFERENCE.match(p.get_text())]
    if not listed:
        return
    above = listed[0].find_previous(re.compile(r"h[1-6]$"))
    level = min(int(above.name[1]) + 1, 6) if above else 1
    listed[0].insert_before(_new(soup, f"h{level}", ["References"]))
    for line in listed:
        line.wrap(_new(soup, "div", **{"custom-style": "Bibliography"}))


def _turned(blocks):
    """Each table that needs it, with the headings right above it, on pages turned by themselves."""
    out = []
    for block in blocks:
        if block["t"] != "Div" or "across" not in block["c"][0][1]:
            out.append(block)
            continue
        start = len(out)
        while start and out[start - 1]["t"] == "Header":
            start -= 1
        out.insert(start, _end_of_pages(turned=False))
        out += [block, _end_of_pages(turned=True)]
    return out


def _end_of_pages(*, turned):
    end = f'<w:p><w:pPr><w:pStyle w:val="TableText"/>{paper.page(turned)}</w:pPr></w:p>'
    return {"t": "RawBlock", "c": ["openxml", end]}


def _numbered(node):
    """Numbers of captions as fields that keep the number of the page."""
    if isinstance(node, list):
        return [_numbered(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("t") == "Span" and "number" in node["c"][0][1]:
        kind, number = (one["c"] for one in node["c"][1] if one["t"] == "Str")
        field = "".join(
            f"<w:r><w:rPr><w:b/></w:rPr>{part}</w:r>"
            for part in (
                '<w:fldChar w:fldCharType="begin"/>',
                f'<w:instrText xml:space="preserve"> SEQ {kind} \\* ARABIC \\r {number} </w:instrText>',
                '<w:fldChar w:fldCharType="separate"/>',
                f"<w:t>{number}</w:t>",
                '<w:fldChar w:fldCharType="end"/>',
            )
        )
        return {"t": "RawInline", "c": ["openxml", field]}
    return {key: _numbered(value) for key, value in node.items()}
