"""The Word document: opened as what it is, an archive of XML, and read by pandoc."""

import io
import re
import subprocess
import time
import xml.etree.ElementTree as ET
from collections import Counter
from zipfile import ZipFile

import pytest

from helpers.word import forms
from helpers.word.docx import docx, widths
from helpers.word.parts import Section, sections

for module in ("bs4", "pypandoc", "resvg_py"):
    pytest.importorskip(module)

NOTICE = "Reconstructed rows: no evidence."
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A4 = {"11906", "16838"}


def made(html, form=forms.report, **more):
    found, aliases = sections(html)
    return docx(form(found), aliases, evidence=NOTICE, **more)


@pytest.fixture(scope="module")
def report(html):
    return made(html)


@pytest.fixture(scope="module")
def supplement(html):
    return made(html, forms.supplement)


def part(content, name="word/document.xml"):
    return ET.fromstring(ZipFile(io.BytesIO(content)).read(name))


def style(paragraph):
    named = paragraph.find(f"{W}pPr/{W}pStyle")
    return None if named is None else named.get(f"{W}val")


def text(element):
    return "".join(one.text or "" for one in element.iter(f"{W}t"))


def of_style(content, wanted):
    paragraphs = part(content).iter(f"{W}p")
    return [text(one) for one in paragraphs if re.fullmatch(wanted, style(one) or "")]


def test_headings_are_words_own(report):
    assert of_style(report, "Title") == ["Glia"]
    assert of_style(report, "Heading1") == ["Arg1", "Methods", "Appendix"]
    assert of_style(report, "Heading2") == ["References", "Background", "Arg1", "Provenance"]
    assert of_style(report, "Heading3") == ["Influence"]


def test_captions_have_words_style_and_the_numbers_of_the_page(report, supplement):
    captions = ["Table 1. Findings.", "Figure 1. summary of τ².", "Figure 2. galbraith of τ²."]
    captions += ["Table 2. Arg1: levels.", "Table 3. Arg1: all."]
    assert of_style(report, "Caption") == captions
    numbered = sorted(caption.replace(" ", " S", 1) for caption in captions)
    assert sorted(of_style(supplement, "Caption")) == numbered


def test_numbers_of_captions_are_fields_that_keep_them(report):
    fields = [one.text.split() for one in part(report).iter(f"{W}instrText")]
    kept = [(field[1], field[field.index("\\r") + 1]) for field in fields]
    assert kept == [
        ("Table", "1"),
        ("Figure", "1"),
        ("Figure", "2"),
        ("Table", "2"),
        ("Table", "3"),
    ]


def test_pictures_have_alternative_text(report):
    tag = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
    told = [one.get("descr") for one in part(report).iter(tag)]
    assert told == ["Arg1: SMD 1.80 (−0.37 to 3.97).", "Galbraith plot: slope 1.80."]
    names = ZipFile(io.BytesIO(report)).namelist()
    assert sum(name.startswith("word/media/") for name in names) == 2
    assert "base64" not in ET.tostring(part(report), "unicode")


def test_pictures_are_as_wide_as_the_text_at_most(report):
    tag = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}extent"
    widths = [int(one.get("cx")) / 360_000 for one in part(report).iter(tag)]
    assert widths == [pytest.approx(17, abs=0.05), pytest.approx(5 * 2.54, abs=0.05)]


def test_tables_repeat_their_header_and_keep_rows_whole(report):
    tables = list(part(report).iter(f"{W}tbl"))
    assert len(tables) == 3
    for table in tables:
        rows = table.findall(f"{W}tr")
        heads = [row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows]
        assert heads == [True] + [False] * (len(rows) - 1)
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows[1:])


def test_tables_hold_the_numbers_of_the_page(report):
    findings, levels, _ = part(report).iter(f"{W}tbl")
    cells = [[text(cell) for cell in row.iter(f"{W}tc")] for row in findings.iter(f"{W}tr")]
    assert cells == [
        ["Outcome", "SMD [95% CI]", "Better"],
        ["Arg1", "1.80 [−0.37, 3.97]", "higher"],
        ["CD68", "−6.26 [−8.06, −4.47]", "lower"],
    ]
    rows = [[text(cell) for cell in row.iter(f"{W}tc")] for row in levels.iter(f"{W}tr")]
    assert rows == [["Level", "k"], ["Species"], ["rat", "3"], ["mouse", "2"], ["Day"], ["28", "5"]]
    assert [one.get(f"{W}val") for one in levels.iter(f"{W}gridSpan")] == ["2", "2"]


def test_numbers_of_tables_stand_right(report):
    first = next(part(report).iter(f"{W}tbl"))
    row = first.findall(f"{W}tr")[1]
    sides = [cell.find(f"{W}p/{W}pPr/{W}jc") for cell in row.iter(f"{W}tc")]
    assert [side is not None and side.get(f"{W}val") == "right" for side in sides] == [0, 1, 0]


def test_only_a_wide_table_turns_its_page(report):
    body = part(report).find(f"{W}body")
    turned = []
    for element in body:
        held = Counter({"tables": len(list(element.iter(f"{W}tbl")))})
        turned.append(held) if not turned else turned[-1].update(held)
        for section in element.iter(f"{W}sectPr"):
            size = section.find(f"{W}pgSz")
            assert {size.get(f"{W}w"), size.get(f"{W}h")} == A4
            assert section.find(f"{W}footerReference") is not None
            turned[-1]["across"] = size.get(f"{W}orient") == "landscape"
            turned.append(Counter())
    assert [(one["tables"], one["across"]) for one in turned[:-1]] == [(2, 0), (1, 1), (0, 0)]


def test_columns_are_as_wide_as_their_texts_need():
    shares, across = widths([[(4, 4), (20, 20)], [(9, 30), (20, 20)]])
    assert not across and shares.sum() <= 1 and shares[0] > shares[1]
    shares, across = widths([[(9, 200), (20, 20)]])
    assert not across and shares.sum() == pytest.approx(1)
    assert shares[1] * 170 >= 20 * 1.5  # an interval of 20 letters stays in one line
    assert widths([[(20, 20)] * 12])[1]


def test_links_lead_to_the_web_or_inside(report, supplement):
    links = part(report, "word/_rels/document.xml.rels")
    targets = {one.get("Target") for one in links if one.get("TargetMode") == "External"}
    assert targets == {"https://doi.org/10.1234/x", "https://doi.org/10.3102/10769986006002107"}
    for content in (report, supplement):
        tree = part(content)
        marks = {one.get(f"{W}name") for one in tree.iter(f"{W}bookmarkStart")}
        anchors = {one.get(f"{W}anchor") for one in tree.iter(f"{W}hyperlink")} - {None}
        assert anchors and anchors <= marks


def test_evidence_stands_first_and_at_the_foot_of_each_page(report):
    paragraphs = [text(one) for one in part(report).iter(f"{W}p") if text(one)]
    assert paragraphs[:3] == ["Glia", NOTICE, "They were solved."]
    assert text(part(report, "word/foot.xml")).startswith(NOTICE)


def test_references_are_a_list_of_their_own(report):
    (reference,) = of_style(report, "Bibliography")
    assert reference.startswith("[1] Hedges LV.")


def test_every_style_is_there_once(report):
    styles = [one.get(f"{W}styleId") for one in part(report, "word/styles.xml").iter(f"{W}style")]
    assert max(Counter(styles).values()) == 1
    used = {style(one) for one in part(report).iter(f"{W}p")} - {None}
    assert used <= set(styles)


def test_same_bytes_and_no_clock(html, report):
    time.sleep(2.1)  # an archive counts in steps of two seconds
    assert made(html) == report
    archive = ZipFile(io.BytesIO(report))
    assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    dates = re.findall(rb">(\d{4}-[^<]*)<", archive.read("docProps/core.xml"))
    assert set(dates) == {b"2025-01-01T00:00:00Z"}
    dated = ZipFile(io.BytesIO(made(html, date="2026-02-03"))).read("docProps/core.xml")
    assert dated.count(b">2026-02-03T00:00:00Z<") == 2


def test_pandoc_reads_back_what_the_page_says(report, tmp_path):
    import pypandoc

    (tmp_path / "report.docx").write_bytes(report)
    command = [pypandoc.get_pandoc_path(), "--to=plain", "--wrap=none", tmp_path / "report.docx"]
    told = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    for said in ("CD68 was lower.", "Arg1: SMD 1.80 (95% CI −0.37 to 3.97).", "numpy 2.0"):
        assert said in told
    assert "secret_code" not in told


def test_a_title_is_text_whatever_it_looks_like(html):
    outline = forms.Outline("yes: *TNF-α* <b>", [Section(0, "", "", False)])
    assert of_style(docx(outline, {}), "Title") == ["yes: *TNF-α* <b>"]


def test_pictures_from_elsewhere_are_not_fetched():
    page = "<main><h1>T</h1><p>1<img src='https://example.invalid/x.png'></p></main>"
    found, aliases = sections(page)
    content = docx(forms.report(found), aliases)
    assert not [n for n in ZipFile(io.BytesIO(content)).namelist() if "media" in n]
