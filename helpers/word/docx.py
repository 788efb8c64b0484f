"""A Word document from an outline: captions, tables and pictures by Word's own means."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tempfile
from html import escape
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from helpers.word.pictures import picture

DAY = "2025-01-01"  # of a document whose review has none; no clock in it
NUMBER = re.compile(r"(Figure|Table) (\d+)\.")
REFERENCE = re.compile(r"\[\d+\] ")

# Widths in millimetres: of the text on an A4 page, of a letter in a table, of a cell's margins.
UPRIGHT, ACROSS, LETTER, MARGINS = 170, 257, 1.6, 2.6
TWIPS = 1440 / 25.4
A4 = (210, 297)

STYLES = """
<w:style w:type="paragraph" w:styleId="Caption"><w:name w:val="caption"/><w:basedOn w:val="Normal"/>
 <w:next w:val="BodyText"/><w:uiPriority w:val="35"/><w:qFormat/>
 <w:pPr><w:keepNext/><w:spacing w:before="120" w:after="120"/></w:pPr>
 <w:rPr><w:sz w:val="18"/><w:szCs w:val="18"/></w:rPr></w:style>
<w:style w:type="paragraph" w:customStyle="1" w:styleId="TableText"><w:name w:val="Table Text"/>
 <w:basedOn w:val="Normal"/><w:qFormat/><w:pPr><w:spacing w:before="20" w:after="20"/></w:pPr>
 <w:rPr><w:sz w:val="16"/><w:szCs w:val="16"/></w:rPr></w:style>
<w:style w:type="paragraph" w:customStyle="1" w:styleId="Figure"><w:name w:val="Figure"/>
 <w:basedOn w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="200" w:after="60"/></w:pPr>
</w:style>
<w:style w:type="paragraph" w:customStyle="1" w:styleId="Facts"><w:name w:val="Facts"/>
 <w:basedOn w:val="Normal"/><w:pPr><w:spacing w:before="0" w:after="60"/></w:pPr></w:style>
<w:style w:type="paragraph" w:customStyle="1" w:styleId="KeyResult"><w:name w:val="Key Result"/>
 <w:basedOn w:val="BodyText"/><w:next w:val="BodyText"/><w:rPr><w:b/></w:rPr></w:style>
<w:style w:type="paragraph" w:customStyle="1" w:styleId="Evidence"><w:name w:val="Evidence"/>
 <w:basedOn w:val="Normal"/><w:pPr><w:pBdr><w:left w:val="single" w:sz="36" w:space="8"
 w:color="D99A00"/></w:pBdr><w:shd w:val="clear" w:color="auto" w:fill="FFF5DC"/>
 <w:spacing w:before="0" w:after="0"/><w:ind w:left="200"/></w:pPr></w:style>
"""


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
    with tempfile.TemporaryDirectory() as folder:
        styles, made = Path(folder, "reference.docx"), Path(folder, "made.docx")
        styles.write_bytes(_reference())
        _pandoc(
            json.dumps(tree), "--from=json", "--to=docx", f"--reference-doc={styles}",
            f"--output={made}", f"--metadata=title:{outline.title}", f"--metadata=lang:{language}",
        )  # fmt: skip
        return _finished(made.read_bytes(), evidence, date)


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
    for table in soup.select("table"):
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
        cell.name = "td"
        cell.string.wrap(soup.new_tag("b"))
    shares, across = _widths([[_lengths(cell) for cell in row.select("th, td")] for row in rows])
    columns = [_new(soup, "col", style=f"width:{100 * share:.2f}%") for share in shares]
    for cell in table.select("th, td"):
        numeric = "num" in (cell.get("class") or ())
        if numeric:
            cell["style"] = "text-align:right"
        content = _styled(soup, "Table Text", list(cell.contents))
        cell.append(content)
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


def _widths(rows):
    """Shares of the page's width for the columns of a table, and whether it needs a turned page.

    Each column has at least the width of its longest word, and of what is left a part that follows
    how much more it would need in order to stand in one line.
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
    end = f'<w:p><w:pPr><w:pStyle w:val="TableText"/>{_page(turned)}</w:pPr></w:p>'
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


def _page(turned=False):
    """Size, margins and foot of the pages that end here."""
    wide, high = A4[::-1] if turned else A4
    orient = ' w:orient="landscape"' if turned else ""
    sides = " ".join(f'w:{side}="{_twips(20)}"' for side in ("top", "right", "bottom", "left"))
    return (
        '<w:sectPr><w:footerReference w:type="default" r:id="rIdFoot"/>'
        f'<w:pgSz w:w="{_twips(wide)}" w:h="{_twips(high)}"{orient}/>'
        f'<w:pgMar {sides} w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
    )


def _twips(millimetres):
    return round(millimetres * TWIPS)


def _reference():
    """Pandoc's own styles, those of captions and tables made for many numbers."""
    with ZipFile(io.BytesIO(_pandoc("", "--print-default-data-file=reference.docx"))) as given:
        parts = {name: given.read(name) for name in given.namelist()}
    styles = parts["word/styles.xml"].decode()
    for old in ("Caption", "Figure"):
        styles = re.sub(
            rf'<w:style [^>]*w:styleId="{old}">.*?</w:style>', "", styles, flags=re.DOTALL
        )
    sizes = {"Title": 36, "Heading1": 30, "Heading2": 26, "Heading3": 22}
    for name, size in sizes.items():
        styles = re.sub(
            rf'(w:styleId="{name}">.*?<w:sz w:val=")\d+(.*?<w:szCs w:val=")\d+',
            rf"\g<1>{size}\g<2>{size}", styles, count=1, flags=re.DOTALL,
        )  # fmt: skip
    styles = styles.replace('<w:sz w:val="24" />', '<w:sz w:val="21" />', 1)
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="{colour}"/>'
        for side, size, colour in (
            ("top", 8, "222222"),
            ("bottom", 8, "222222"),
            ("insideH", 4, "D9D9D9"),
        )
    )
    styles = styles.replace(
        "<w:tblCellMar>", f"<w:tblBorders>{lines}</w:tblBorders><w:tblCellMar>", 1
    )
    styles = styles.replace('w:w="108"', 'w:w="70"')
    first = '<w:tblStylePr w:type="firstRow">'
    styles = styles.replace(first, f"{first}<w:rPr><w:b/></w:rPr>")
    page = _page().replace('<w:footerReference w:type="default" r:id="rIdFoot"/>', "")
    body = parts["word/document.xml"].decode()
    parts["word/document.xml"] = re.sub(
        r"<w:sectPr>.*</w:sectPr>", page, body, flags=re.DOTALL
    ).encode()
    theme = parts["word/theme/theme1.xml"].decode()
    theme = re.sub(r'typeface="Aptos[^"]*"', 'typeface="Calibri"', theme)  # every Word has it
    parts["word/theme/theme1.xml"] = theme.encode()
    parts["word/styles.xml"] = styles.replace("</w:styles>", f"{STYLES}</w:styles>").encode()
    return _zipped(parts)


def _finished(content, evidence, date):
    """Set the pages' size and foot and the date; rows of tables stay whole."""
    with ZipFile(io.BytesIO(content)) as made:
        parts = {name: made.read(name) for name in made.namelist()}
    text = parts["word/document.xml"].decode()
    text = re.sub(r' descr="data:[^"]*"', ' descr=""', text)  # the picture once more
    text = re.sub(
        r"<w:sectPr\s*/>|<w:sectPr[ >](?:(?!<w:sectPr).)*</w:sectPr>(?=\s*</w:body>)",
        _page(),
        text,
        flags=re.DOTALL,
    )
    text = re.sub(r"<w:tr>(?!\s*<w:trPr>)", "<w:tr><w:trPr><w:cantSplit/></w:trPr>", text)
    parts["word/document.xml"] = text.encode()
    day = date if re.fullmatch(r"\d{4}-\d\d-\d\d", date) else DAY
    core = re.sub(
        rb"\d{4}(-\d\d){2}T[\d:]+Z", f"{day}T00:00:00Z".encode(), parts["docProps/core.xml"]
    )
    parts["docProps/core.xml"] = core
    said = f"{escape(evidence)} · page " if evidence else "page "
    parts["word/foot.xml"] = (
        '<?xml version="1.0" encoding="UTF-8"?><w:ftr xmlns:w='
        '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:pPr>'
        '<w:pStyle w:val="TableText"/><w:jc w:val="center"/></w:pPr><w:r>'
        f'<w:t xml:space="preserve">{said}</w:t></w:r><w:fldSimple w:instr=" PAGE "><w:r>'
        "<w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>"
    ).encode()
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"
    _insert(
        parts, "[Content_Types].xml", f'<Override PartName="/word/foot.xml" ContentType="{kind}"/>'
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer"
    _insert(
        parts,
        "word/_rels/document.xml.rels",
        f'<Relationship Id="rIdFoot" Type="{kind}" Target="foot.xml"/>',
    )
    return _zipped(parts)


def _insert(parts, name, element):
    """Put an element at the end of a part."""
    parts[name] = re.sub(rb"(</\w+>)\s*$", lambda end: element.encode() + end[1], parts[name])


def _zipped(parts):
    """An archive whose times are those of `ZipInfo`, the same on every machine."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    return out.getvalue()
