"""Files that a person makes of a single block: pictures, workbooks, Word documents."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.problems import NotWritten, Refused, nearest, of_system

VECTOR, RASTER = ("pdf", "svg"), ("png", "tiff", "tif")
# What a format calls the text on what it is made from; a date would change its bytes.
SAID = {
    "pdf": lambda text: {"Subject": text, "CreationDate": None},
    "svg": lambda text: {"Description": text, "Date": None},
    "png": lambda text: {"Description": text},
}
DESCRIPTION = 270  # tag of TIFF
PAD = 0.05  # inches beside what would be cut
WIDEST = 60  # letters of a column in a workbook


def picture(figure, path, *, dpi=300, title="", evidence=""):
    """Save a figure at its size, on white; grown where something would be cut.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        Its end tells the format: pdf and svg keep text as text, in pdf with its fonts; png and
        tiff are made of points.
    dpi : float
        Points an inch, of png and tiff.
    title : str
        For the file's properties.
    evidence : str
        What it is made from: below the figure and in the file's properties.

    Returns
    -------
    Path

    Raises
    ------
    Refused
        Another end; NotWritten where the system refuses.
    """
    from matplotlib.transforms import Bbox

    from helpers.drawing.style import SIZE, context

    path = _with_suffix(path, (*VECTOR, *RASTER), "A figure")
    kind = "tiff" if path.suffix.lower() == ".tif" else path.suffix[1:].lower()
    metadata = {"Title": title, **SAID[kind](evidence)} if kind in SAID else {}
    note = evidence and figure.text(0.01, 0, evidence, va="top", fontsize=SIZE)
    content = io.BytesIO()
    try:
        with context(svg__hashsalt=title):
            whole, tight = figure.bbox_inches, figure.get_tightbbox()
            box = Bbox.union([whole, tight])
            if not np.array_equal(box, whole):
                box = Bbox.union([whole, tight.padded(PAD)])
            figure.savefig(
                content, format="png" if kind == "tiff" else kind, dpi=dpi, facecolor="white",
                bbox_inches=box, metadata=metadata,
            )  # fmt: skip
    finally:
        if note:
            note.remove()
    return _written(path, _tiff(content, dpi, f"{title} {evidence}") if kind == "tiff" else content)


def _tiff(png, dpi, said):
    """Without transparency, which journals refuse, and packed without loss."""
    from PIL import Image

    content, said = io.BytesIO(), said.encode("ascii", "replace").decode()
    Image.open(png).convert("RGB").save(
        content, "TIFF", dpi=(dpi, dpi), compression="tiff_lzw", tiffinfo={DESCRIPTION: said}
    )
    return content


def workbook(frame, path, *, title="", evidence=""):
    """Write a table as a workbook: numbers as numbers, at full precision, texts never as formulas.

    Parameters
    ----------
    frame : pandas.DataFrame
    path : str or Path
        Ends in .xlsx.
    title, evidence : str
        For a second sheet, and the file's properties.

    Returns
    -------
    Path
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    path = _with_suffix(path, ("xlsx",), "A workbook")
    book = Workbook()
    book.properties.title, book.properties.description = title, evidence
    sheet, other = book.active, book.create_sheet("About")
    sheet.title = "Data"
    for at, (name, series) in enumerate(frame.items(), start=1):
        values = [str(name), *map(_cell, series.tolist())]
        for row, value in enumerate(values, start=1):
            _put(sheet.cell(row, at), value)
        sheet.cell(1, at).font = Font(bold=True)
        letters = max(len(f"{value:.6g}" if isinstance(value, float) else str(value))
                      for value in values)  # fmt: skip
        sheet.column_dimensions[sheet.cell(1, at).column_letter].width = min(letters, WIDEST) + 2
    sheet.freeze_panes = "A2"
    for row, text in enumerate((title, evidence), start=1):
        _put(other.cell(row, 1), text)
        other.cell(row, 1).alignment = Alignment(wrap_text=True, vertical="top")
    other.column_dimensions["A"].width = 2 * WIDEST
    content = io.BytesIO()
    book.save(content)
    return _written(path, content)


def _cell(value):
    """A value that a workbook can hold; nothing for what is missing."""
    if pd.isna(value):
        return None
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _put(cell, value):
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.data_type = "s"  # a text that begins with = is no formula
    else:
        cell.value = value


def document(html, path, *, title="", evidence=""):
    """Write a block as a Word document, its table as a table of Word.

    Parameters
    ----------
    html : str
        Of the block.
    path : str or Path
        Ends in .docx.
    title, evidence : str
        For the file's properties, and the foot of its pages.

    Returns
    -------
    Path

    Raises
    ------
    Refused
        Where the libraries for Word are not installed, with the way to install them.
    """
    from helpers.word.fragment import fragment

    path = _with_suffix(path, ("docx",), "A Word document")
    return _written(path, io.BytesIO(fragment(html, title=title, evidence=evidence)))


def _with_suffix(path, known, what):
    path = Path(path).expanduser()
    suffix = path.suffix[1:].lower()
    if suffix not in known:
        listed = " or ".join(f".{one}" for one in known)
        advice = f" {nearest(suffix, known)}" if suffix and len(known) > 1 else ""
        raise Refused(f"{path.name}: {what} is saved as {listed}.{advice}")
    return path


def _written(path, content):
    try:
        path.write_bytes(content.getvalue())
    except OSError as error:
        raise NotWritten(of_system(error)) from error
    return path
