"""Files that a person makes of a block: they hold what the page shows, and say what it is."""

import re
import zipfile

import matplotlib.pyplot as plt
import numpy as np
import openpyxl
import pandas as pd
import pytest
from PIL import Image

from helpers.page import blocks, exports, tables
from helpers.problems import Refused
from helpers.word import fragment

ROWS = pd.DataFrame(
    {
        "label": ["=1+1", "β\x07", None],
        "effect": [1 / 3, np.nan, np.inf],
        "k": [1, 2, 3],
        "large": [True, False, True],
        "provenance": "reconstructed",
    }
)


def figure(name="plot", data=ROWS, **size):
    _, axes = plt.subplots(figsize=(4, 3))
    axes.plot([0, 1], [0, 1])
    axes.text(1.2, 0.5, "beyond the edge of the figure", gid="beyond")
    return blocks.figure(axes, name=name, number=1, caption="A plot.", alt="A line.", data=data)


def table(name="numbers"):
    shown = ROWS[["label", "k"]].fillna("–")
    return tables.table(shown, name=name, number=2, caption="Numbers.", data=ROWS)


def shown(picture):
    """Where a picture is not white, as shares of its width: the leftmost and the rightmost."""
    grey = np.asarray(picture.convert("L"))
    dark = np.flatnonzero((grey < 128).any(axis=0))
    return dark[0] / grey.shape[1], dark[-1] / grey.shape[1]


def test_a_figure_is_matplotlibs_and_can_be_changed_after_the_block_has_closed_it(tmp_path):
    block = figure()
    assert not plt.get_fignums()
    block.figure.set_size_inches(6, 2)
    block.figure.axes[0].set_xlabel("Time")
    block.figure.savefig(tmp_path / "a.png", dpi=100)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (600, 200)
        assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


@pytest.mark.parametrize("suffix", ["png", "tiff", "tif", "PNG"])
def test_pictures_are_white_whole_and_as_fine_as_asked_for(tmp_path, suffix):
    path = figure().save(tmp_path / f"a.{suffix}", dpi=200)
    with Image.open(path) as picture:
        assert picture.size[0] > 4 * 200  # grown, as a text lies outside
        assert {round(float(one)) for one in picture.info["dpi"]} == {200}
        assert picture.getpixel((0, 0))[:3] == (255, 255, 255)
        assert shown(picture)[1] < 1 - 3 / picture.size[0]  # nothing is cut
        said = str(picture.info) + str(getattr(picture, "tag_v2", ""))
        assert "Reconstructed data." in said and "Figure 1. A plot." in said
        if suffix.startswith("tif"):
            assert picture.mode == "RGB"


def test_a_figure_that_fits_keeps_its_size(tmp_path):
    _, axes = plt.subplots(figsize=(4, 3))
    axes.plot([0, 1], [0, 1])
    block = blocks.figure(axes, name="a", number=1, caption="A plot.", alt="A line.")
    with Image.open(block.save(tmp_path / "a.png")) as picture:
        assert picture.size == (1200, 900)


def test_a_pdf_has_its_fonts_and_an_svg_its_texts(tmp_path):
    pdf = figure().save(tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf and b"CreationDate" not in pdf
    assert b"Reconstructed data." in pdf
    svg = figure().save(tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "beyond the edge of the figure</text>" in svg and "<dc:date>" not in svg
    # In its properties, and below the figure for whoever sees it.
    assert svg.count("Reconstructed data.") == 2


def test_the_same_figure_gives_the_same_files_and_is_left_as_it_was(tmp_path):
    block = figure()
    texts = len(block.drawn.texts)
    for suffix in ("pdf", "svg", "png", "tiff"):
        first = block.save(tmp_path / f"a.{suffix}").read_bytes()
        assert block.save(tmp_path / f"b.{suffix}").read_bytes() == first, suffix
    assert len(block.drawn.texts) == texts


def test_authentic_rows_need_no_mark_and_a_part_of_them_is_named(tmp_path):
    authentic = ROWS.assign(provenance="extracted")
    assert figure(data=authentic).origin["evidence"] == ""
    part = figure(data=authentic.assign(subset="Species: Rat"))
    assert part.origin["evidence"] == "Only experiments with Species: Rat."
    svg = part.save(tmp_path / "a.svg").read_text(encoding="utf-8")
    assert svg.count("Only experiments with Species: Rat.") == 2


@pytest.mark.parametrize(
    ("call", "name", "words"),
    [
        ("save", "a.jpg", "a.jpg: A figure is saved as .pdf or .svg or .png or .tiff or .tif"),
        ("save", "a.pfd", "Did you mean 'pdf'"),
        ("save", "a", "a: A figure is saved as .pdf"),
        ("to_excel", "a.xls", "A workbook is saved as .xlsx"),
        ("to_word", "a.doc", "A Word document is saved as .docx"),
        ("save", "nowhere/a.pdf", "nowhere"),
    ],
)
def test_other_ends_and_folders_that_are_not_there_are_refused(tmp_path, call, name, words):
    with pytest.raises(Refused) as refusal:
        getattr(figure(), call)(tmp_path / name)
    assert words in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_a_frame_is_a_copy_at_full_precision():
    block = table()
    changed = block.frame
    changed.loc[0, "effect"] = 7
    assert block.frame.loc[0, "effect"] == 1 / 3
    pd.testing.assert_frame_equal(figure().frame, ROWS)


def test_a_workbook_has_numbers_as_numbers_and_texts_never_as_formulas(tmp_path):
    book = openpyxl.load_workbook(table().to_excel(tmp_path / "a.xlsx"))
    head, *rows = book["Data"].values
    assert head == tuple(ROWS)
    assert [row[:4] for row in rows] == [
        ("=1+1", 1 / 3, 1, True), ("β", None, 2, False), (None, "inf", 3, True),
    ]  # fmt: skip
    assert book["Data"]["A2"].data_type == "s"
    assert [cell.value for cell in book["About"]["A"]] == [
        "Table 2. Numbers.",
        "Reconstructed data.",
    ]
    assert book.properties.description == "Reconstructed data."


def test_a_word_document_has_a_table_of_words_own(tmp_path):
    pytest.importorskip("pypandoc")
    path = table().to_word(tmp_path / "a.docx")
    with zipfile.ZipFile(path) as parts:
        text = parts.read("word/document.xml").decode()
        foot = parts.read("word/foot.xml").decode()
    assert text.count("<w:tbl>") == 1
    assert "=1+1" in re.findall(r"<w:t[^>]*>([^<]*)</w:t>", text)
    assert "Reconstructed data." in foot
    section = blocks.section("Inside", [figure(), table()], name="inner")
    with zipfile.ZipFile(section.to_word(path)) as parts:
        text = parts.read("word/document.xml").decode()
    assert "Inside</w:t>" in text and text.count("<w:tbl>") == text.count("<w:drawing>") == 1


def test_without_its_libraries_word_says_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(fragment, "find_spec", lambda name: None)
    with pytest.raises(Refused, match=r"pypandoc-binary.*install\.py word"):
        table().to_word(tmp_path / "a.docx")
    assert not list(tmp_path.iterdir())


def test_parts_of_a_section_can_be_taken_one_by_one(tmp_path):
    inner = blocks.section("Inside", [figure(), blocks.paragraph("Words.")], name="inner")
    whole = blocks.together([inner, table("one"), table("two")], name="whole")
    assert [block.name for block in whole.parts] == ["inner", "one", "two"]
    assert whole.figure is inner.parts[0].figure
    assert whole.save(tmp_path / "a.pdf").is_file()
    with pytest.raises(Refused, match="whole holds 3 of these: plot, one, two"):
        _ = whole.frame
    with pytest.raises(Refused, match="words is a paragraph and holds no figure"):
        _ = blocks.paragraph("Words.", name="words").figure
    with pytest.raises(Refused, match="one is a table and holds no figure"):
        table("one").save(tmp_path / "b.pdf")


def test_a_format_that_is_promised_can_be_written(tmp_path):
    for suffix in (*exports.VECTOR, *exports.RASTER):
        assert figure().save(tmp_path / f"a.{suffix}").stat().st_size > 1000
