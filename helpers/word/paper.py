"""What paper needs that a page does not: styles, the size of pages, their foot, a date."""

from __future__ import annotations

import io
import re
from html import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from helpers.problems import ProjectError

DAY = "2025-01-01"  # of a document whose review has none; no clock in it
A4, MARGIN = (210, 297), 20  # millimetres
TWIPS = 1440 / 25.4  # of a millimetre
OFFICE = "http://schemas.openxmlformats.org"
SECTION = r"<w:sectPr\b(?:(?!<w:sectPr\b).)*</w:sectPr>"
FOOT = '<w:footerReference w:type="default" r:id="rIdFoot"/>'

SIZES = {"Title": 36, "Heading1": 30, "Heading2": 26, "Heading3": 22}  # half points
LINES = (
    '<w:top w:val="single" w:sz="8" w:space="0" w:color="222222"/>'
    '<w:bottom w:val="single" w:sz="8" w:space="0" w:color="222222"/>'
    '<w:insideH w:val="single" w:sz="4" w:space="0" w:color="D9D9D9"/>'
)
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


def page(turned=False):
    """Size, margins and foot of the pages that end here, as Word's ``sectPr``."""
    wide, high = A4[::-1] if turned else A4
    orient = ' w:orient="landscape"' if turned else ""
    sides = "".join(f' w:{side}="{_twips(MARGIN)}"' for side in ("top", "right", "bottom", "left"))
    return (
        f'<w:sectPr>{FOOT}<w:pgSz w:w="{_twips(wide)}" w:h="{_twips(high)}"{orient}/>'
        f'<w:pgMar{sides} w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
    )


def _twips(millimetres):
    return round(millimetres * TWIPS)


def styled(content):
    """Make pandoc's own styles fit for an A4 page with captions and tables of many numbers.

    Parameters
    ----------
    content : bytes
        Pandoc's ``reference.docx``.

    Returns
    -------
    bytes
    """
    parts = _parts(content)
    styles = parts["word/styles.xml"]
    for old in ("Caption", "Figure"):
        styles = _replaced(rf'<w:style [^>]*w:styleId="{old}">.*?</w:style>', "", styles)
    for name, size in SIZES.items():
        number = rf'(w:styleId="{name}">.*?<w:sz w:val=")\d+(.*?<w:szCs w:val=")\d+'
        styles = _replaced(number, rf"\g<1>{size}\g<2>{size}", styles)
    styles = _replaced('<w:sz w:val="24" />', '<w:sz w:val="21" />', styles)
    styles = _replaced(
        "<w:tblCellMar>", f"<w:tblBorders>{LINES}</w:tblBorders><w:tblCellMar>", styles
    )
    styles = styles.replace('w:w="108"', 'w:w="70"')  # sides of cells
    parts["word/styles.xml"] = styles.replace("</w:styles>", f"{STYLES}</w:styles>")
    bare = page().replace(FOOT, "")
    parts["word/document.xml"] = _replaced(SECTION, bare, parts["word/document.xml"])
    theme = parts["word/theme/theme1.xml"]  # every Word has Calibri
    parts["word/theme/theme1.xml"] = re.sub('typeface="Aptos[^"]*"', 'typeface="Calibri"', theme)
    return _zipped(parts)


def finished(content, evidence, date):
    """Give a document its foot and its date; rows of tables stay whole.

    Parameters
    ----------
    content : bytes
        As pandoc wrote it with the styles of `styled`.
    evidence : str
        What the foot says before the number of the page.
    date : str
        Taken where it is a day (2025-01-31).

    Returns
    -------
    bytes
    """
    parts = _parts(content)
    text = re.sub(r' descr="data:[^"]*"', ' descr=""', parts["word/document.xml"])  # again
    text = re.sub(r"<w:tr>(?!\s*<w:trPr>)", "<w:tr><w:trPr><w:cantSplit/></w:trPr>", text)
    parts["word/document.xml"] = _replaced(SECTION + r"(?=\s*</w:body>)", page(), text)
    day = date if re.fullmatch(r"\d{4}-\d\d-\d\d", date) else DAY
    core = parts["docProps/core.xml"]
    parts["docProps/core.xml"] = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", f"{day}T00:00:00Z", core)
    said = f"{escape(evidence)} · page " if evidence else "page "
    parts["word/foot.xml"] = (
        f'<?xml version="1.0" encoding="UTF-8"?><w:ftr xmlns:w="{OFFICE}/wordprocessingml/2006/main">'
        '<w:p><w:pPr><w:pStyle w:val="TableText"/><w:jc w:val="center"/></w:pPr>'
        f'<w:r><w:t xml:space="preserve">{said}</w:t></w:r>'
        '<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>'
    )
    types, kind = "[Content_Types].xml", "application/vnd.openxmlformats-officedocument"
    foot = f'<Override PartName="/word/foot.xml" ContentType="{kind}.wordprocessingml.footer+xml"/>'
    parts[types] = parts[types].replace("</Types>", f"{foot}</Types>")
    links, kind = (
        "word/_rels/document.xml.rels",
        f"{OFFICE}/officeDocument/2006/relationships/footer",
    )
    foot = f'<Relationship Id="rIdFoot" Type="{kind}" Target="foot.xml"/>'
    parts[links] = parts[links].replace("</Relationships>", f"{foot}</Relationships>")
    return _zipped(parts)


def _replaced(pattern, new, text):
    """Replace the one place that is meant; a pandoc that writes otherwise is noticed."""
    text, count = re.subn(pattern, new, text, count=1, flags=re.DOTALL)
    if not count:
        raise ProjectError(f"this version of pandoc writes Word documents differently: {pattern}")
    return text


def _parts(content):
    """Texts, and bytes of pictures, by their names in the archive."""
    with ZipFile(io.BytesIO(content)) as archive:
        read = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: part.decode() if name.endswith((".xml", ".rels")) else part
        for name, part in read.items()
    }


def _zipped(parts):
    """Bytes of an archive in which no clock and no system is written."""
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for name, part in parts.items():
            about = ZipInfo(name)
            about.create_system = 3
            archive.writestr(about, part, ZIP_DEFLATED)
    return out.getvalue()
