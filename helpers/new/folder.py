"""A review folder made from somebody's sheet: guesses what its columns are, and asks."""

import json
import shutil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from helpers.new.guess import Guess, one_line
from helpers.new.headings import TEMPLATES
from helpers.new.shapes.heading_rows import best_headings, rows_of
from helpers.problems import Finding, ReviewError
from helpers.review.columns import CORRECTIONS, EXCLUSIONS
from helpers.sheet.files import read_table, sheet_names
from helpers.sheet.stacking import read_tables

WRITER = Environment(
    loader=FileSystemLoader(TEMPLATES), trim_blocks=True, lstrip_blocks=True, autoescape=False
)
# JSON's strings are TOML's, but for DEL; a line break in a comment would end it.
WRITER.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False).replace(
    "\x7f", "\\u007f"
)
WRITER.filters["line"] = one_line
# Files of a review that a sheet may not be called like.
TAKEN = (EXCLUSIONS, CORRECTIONS)


def new(folder, source, sheet=None, ask=None):
    """Make a review folder from a sheet: a copy of it, `review.toml` with guesses, a README.

    Parameters
    ----------
    folder : str or Path
        The new folder, or one that holds the sheet and no review. Nothing there is overwritten.
    source : str or Path
        The sheet; it is copied where it does not lie in the folder, never edited.
    sheet : str, optional
        Sheet of a workbook; by default the one in which most columns are recognised.
    ask : callable, optional
        Asks a person: takes a function from answers to a `Guess`, and gives answers. By default
        nobody is asked.

    Returns
    -------
    list of str
        What is to be filled in; then each guess that can change a number, as `review.toml` lists
        them under `unconfirmed`; then what was passed over.

    Raises
    ------
    ReviewError
        The sheet cannot be read, or what is to be written would replace something.
    """
    folder, source = Path(folder), Path(source)
    _refuse_to_replace(folder, source)
    guess = _guesser(source, _tables(source, sheet), folder.resolve().name)
    best = guess(ask(guess) if ask else {})
    known = vars(best)
    texts = {
        name: WRITER.get_template(template).render(known)
        for name, template in (
            ("review.toml", "review.toml.j2"),
            ("README.md", "review_readme.md.j2"),
        )
        if not (folder / name).exists()
    }
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / source.name).exists():
        shutil.copyfile(source, folder / source.name)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    kept = [] if "README.md" in texts else ["README.md was there and is kept"]
    return best.todo + kept


def _guesser(source, raws, title):
    """What gives the likeliest guess, or that which follows from answers."""
    raws = [best_headings(source, raw, lambda each: Guess(each, [each])) for raw in raws]
    guesses = [Guess(raw, raws) for raw in raws]

    def guess(answers):
        best = max(guesses, key=lambda each: each.recognised)
        sheet = answers.get("sheet.sheet")
        if isinstance(sheet, str):
            best = next(each for each in guesses if each.raw.sheet == sheet)
        raw, others = best.raw, [each.raw for each in guesses if each is not best]
        if isinstance(sheet, list):
            header = None if rows_of(raw) == 1 else rows_of(raw)
            raw = read_tables(source.parent, source.name, sheet=sheet, header=header)
            others = [each for each in others if each.sheet not in sheet]
        if answers.get("sheet.header", rows_of(raw)) != rows_of(raw):
            raw = read_table(source, sheet=raw.sheet, header=answers["sheet.header"])
        best = Guess(raw, [raw, *others], answers)
        best.pass_over(others)
        best.finish(title)
        return best

    return guess


def _refuse_to_replace(folder, source):
    faults, target = [], folder / source.name
    if folder.exists() and not folder.is_dir():
        faults.append(Finding(str(folder), "this is a file", "Name a folder"))
    elif (folder / "review.toml").exists():
        remedy = "Name another folder, or edit the review.toml that is there"
        faults.append(Finding(str(folder), "this folder is a review already", remedy))
    elif source.is_file() and target.exists() and not _same(source, target):
        remedy = f"Name another folder, or take that one: --from {target}"
        faults.append(Finding(str(target), "another file of this name is there", remedy))
    if source.name in TAKEN:
        what = "a file of this name has a meaning of its own in a review"
        faults.append(Finding(str(source), what, "Give the sheet another name"))
    if faults:
        raise ReviewError(faults)


def _same(source, target):
    return target.samefile(source) or (
        target.is_file() and target.read_bytes() == source.read_bytes()
    )


def _tables(source, sheet):
    """The sheets to look at; empty ones among several say nothing."""
    names, tables = [sheet] if sheet else sheet_names(source), []
    for name in names:
        try:
            tables.append(read_table(source, sheet=name))
        except ReviewError as error:
            if "empty" not in str(error) or (name == names[-1] and not tables):
                raise
    return tables
