"""The numbers of a mapped sheet: each read once from its text, and what is due completed."""

import numpy as np
import pandas as pd

from helpers.review.columns import ARMS, IN_PLACE, INTERVALS, MEASURED, MODERATOR, NUMBERS, SHAM
from helpers.sheet.files import NUMBER, RANGE, plain_number, unsure_marks


def floats(cells):
    """The numbers of a mapped column as floats; NaN where a cell is empty or could not be read."""
    numbers = [cell if isinstance(cell, float) else np.nan for cell in cells]
    return pd.Series(numbers, cells.index, float, cells.name)


def read_numbers(mapping):
    """Texts to numbers; what cannot be read stays text, for the check to find.

    Returns
    -------
    dict of Series
        Each column as it stood before.
    """
    moderators = mapping.description.moderators
    free = [MODERATOR + name for name, moderator in moderators.items() if not moderator.levels]
    arms = [f"{name}_{arm}" for name in MEASURED for arm in (*ARMS, SHAM)]
    due = dict.fromkeys([*arms, *NUMBERS, *IN_PLACE, *free])
    names = [name for name in due if name in mapping.table]
    before = {name: mapping.table[name] for name in names}
    for column in mapping.config.divide:
        there = {column, MODERATOR + column, *(f"{column}_{arm}" for arm in ARMS)} & set(names)
        known = [name.removeprefix(MODERATOR) for name in names]
        mapping.known("divide", [] if there else [column], known)
    numeric = {name: mapping.numeric(name) for name in names}
    _ask_for_marks(mapping, before, numeric)
    for name, cells in before.items():
        mapping.table[name] = _read_column(mapping, name, cells, numeric[name])
    return before


def _ask_for_marks(mapping, columns, numeric):
    """Faults of cells that are two numbers: 1.149 is 1149 where a point parts thousands."""
    decimal, thousands = mapping.config.decimal, mapping.config.thousands
    if thousands and thousands == decimal:
        what = "one mark cannot part thousands and decimals"
        mapping.refuse("thousands", what, "Correct one of `thousands` and `decimal`", thousands)
    if decimal is not None or thousands is not None:
        return
    texts = {name: cells[~numeric[name]] for name, cells in columns.items()}
    unsure = unsure_marks(cell for cells in texts.values() for cell in cells).get(".", set())
    remedy = 'Say decimal = "." or thousands = "." under [sheet] in review.toml, whichever it is'
    for cells in texts.values():
        what = "the point here may be a decimal point or part thousands; no other cell tells which"
        mapping.found.fault(cells.isin(unsure), cells, what, remedy)


def _read_column(mapping, name, cells, numeric):
    config, source = mapping.config, mapping.names.get(name, name)
    cells = cells.mask(mapping.is_missing(cells), "")
    if name.startswith("n_"):
        for text in cells[cells.map(RANGE.fullmatch).notna()].unique():
            low = str(min(map(int, RANGE.fullmatch(text).groups())))
            mapping.note("range", source, f"{text!r} read as {low}", (cells == text).sum())
            cells = cells.mask(cells == text, low)
    cells = stripped(mapping, source, cells)
    thousands = config.thousands
    decimal = config.decimal or ("," if thousands == "." else ".")
    plain = pd.Series(
        [
            plain_number(cell, decimal=decimal, thousands=thousands, typed=typed)
            for cell, typed in zip(cells, numeric, strict=True)
        ],
        cells.index,
        object,
        name,
    )
    read, text = plain.notna(), ~numeric
    if decimal == ",":
        commas = read & text & cells.str.contains(",", regex=False)
        mapping.note("decimal comma", source, "read as a point", commas.sum())
        pointed = ~read & cells.map(NUMBER.fullmatch).notna()
        what = "a point stands in a sheet with decimal commas"
        remedy = 'Write a comma, or say thousands = "." under [sheet] where it parts thousands'
        mapping.found.fault(pointed, cells, what, remedy)
    if thousands:
        parted = read & text & cells.str.replace("’", "'").str.contains(thousands, regex=False)
        mapping.note("thousands", source, f"without {thousands!r}", parted.sum())
    dashes = read & ~cells.str.contains("-", regex=False) & plain.str.startswith("-", na=False)
    mapping.note("minus", source, "a dash before a number read as minus", dashes.sum())
    # Adding 0 makes a zero of "-0", whose sign would show.
    numbers = plain.map(lambda cell: float(cell) + 0.0, na_action="ignore")
    return _divided(mapping, name, source, numbers.where(read, cells))


def stripped(mapping, source, cells):
    """Cells without the marks that `strip` names, before or after the number."""
    for mark in sorted(mapping.config.strip, key=len, reverse=True):
        bare = cells.str.removeprefix(mark).str.removesuffix(mark).str.strip()
        # What is left must be a number: "mg" taken from "mg/kg" would leave another text.
        bare = bare.where(bare.str.contains(r"\d") & (bare != cells), cells)
        mapping.note("strip", source, f"without {mark!r}", (bare != cells).sum())
        cells = bare
    return cells


def _divided(mapping, name, source, cells):
    """Numbers divided by what `[sheet.divide]` says: a number, or those of a column.

    With `round = "down"` what is left over is dropped, as of animals that no group gets.
    """
    divisors = mapping.config.divide
    both = name.removesuffix("_treated").removesuffix("_control")  # `mean` divides both groups'
    both = both if mapping.pairs is None else both.removesuffix(f"_{SHAM}")
    divisor = divisors.get(name.removeprefix(MODERATOR), divisors.get(both))
    numbers = floats(cells)
    if divisor is None:
        return cells
    whole = isinstance(divisor, dict) and "round" in divisor
    divisor = divisor["by"] if isinstance(divisor, dict) else divisor
    if isinstance(divisor, str):
        mapping.known("divide", [divisor], mapping.before)
        told = mapping.before[divisor].reindex(cells.index)
        by = told.map(lambda cell: float(cell) if NUMBER.fullmatch(cell) else np.nan).astype(float)
        wrong = numbers.notna() & ~(by.abs() > 0)
        what = "a number is to be divided by this"
        mapping.found.fault(wrong, told, what, "Write a number other than 0")
    else:
        by = pd.Series(float(divisor), cells.index)
    parts = numbers / by
    parts = np.floor(parts) if whole else parts
    detail = f"by {divisor}" + ", rounded down" * whole
    mapping.note("divide", source, detail, parts.notna().sum())
    return cells.where(parts.isna(), parts)


# What may stand in a column of its own where another is empty, and what kind of number it is then.
INSTEAD = {"sem": ("sd", "error_type", "SEM"), "median": ("mean", "average_type", "median")}
USUAL = {"error_type": "SD", "average_type": "mean"}


def take_instead(mapping):
    """What stands in columns of its own where the usual one is empty.

    SEMs where no SD is given and medians where no mean is; both ends of a CI, of the quartiles or of
    the range where there is neither SD nor SEM. Rows that say nothing of their kind stand in
    `mapping.unsaid`.
    """
    for name, (column, kind, word) in INSTEAD.items():
        for arm in (*ARMS, SHAM):
            if f"{name}_{arm}" in mapping.table:
                empty = mapping.is_missing(mapping.cells(f"{column}_{arm}"))
                _take(mapping, {name: column}, arm, empty, (kind, word))
    for word, ends in INTERVALS.items():
        for arm in (*ARMS, SHAM):
            there = [end for end in ends if f"{end}_{arm}" in mapping.table]
            if len(there) == 1:
                other = next(end for end in ends if end not in there)
                what = "an interval has two ends, and only one is named"
                mapping.refuse(f"columns.{there[0]}_{arm}", what, f"Name {other}_{arm} as well")
            if there:
                usual = (f"{name}_{arm}" for name in ("sd", "tip", "low", "high"))
                cells = [mapping.is_missing(mapping.cells(name)) for name in usual]
                pairs = dict(zip(ends, ("low", "high"), strict=True))
                _take(mapping, pairs, arm, np.logical_and.reduce(cells), ("error_type", word))


def _take(mapping, columns, arm, empty, said):
    """Cells of other columns in the rows where the usual one is empty, and their kind."""
    kind, word = said
    kinds, rows = f"{kind}_{arm}", pd.Series(empty, mapping.table.index)
    for name in columns:
        rows &= ~mapping.is_missing(mapping.table[f"{name}_{arm}"])
    if kinds not in mapping.table:
        mapping.unsaid[kinds] = pd.Series(True, mapping.table.index)
    mapping.table[kinds] = mapping.cells(kinds, USUAL[kind]).mask(rows, word)
    if kinds in mapping.unsaid:
        mapping.unsaid[kinds] &= ~rows
    for name, column in columns.items():
        other, wanted = f"{name}_{arm}", f"{column}_{arm}"
        mapping.table[wanted] = mapping.cells(wanted).mask(rows, mapping.table.pop(other))
        title = mapping.names.get(other, other)
        mapping.take_rows(wanted, other, rows)
        lacking = column if column in ("sd", "mean") else "sd"
        detail = f"taken from {title} where no {lacking} is given"
        mapping.note(word, mapping.names[wanted], detail, rows.sum())


def take_roots(mapping):
    """Standard errors of effects that the sheet brings with their variances."""
    if "variance" not in mapping.table:
        return
    cells = mapping.table.pop("variance")
    numbers, se = floats(cells), mapping.cells("se")
    what, remedy = "a variance is a number above 0", "Correct it from the source"
    mapping.found.fault((cells != "") & ~(numbers > 0), cells, what, remedy)
    rows = (se == "") & (numbers > 0)
    mapping.table["se"] = se.mask(rows, np.sqrt(numbers.where(rows)))
    if not (se != "").any():  # a message about the heading is about that of its own column
        mapping.names["se"] = mapping.names.get("variance", "variance")
    mapping.note("se by conversion", mapping.names["se"], "root of the variance", rows.sum())


def drop_incomplete(mapping, before):
    """Where `missing` is given, rows without a number that is due are listed and not used."""
    if mapping.config.missing is None:
        return
    reasons = pd.Series("", mapping.table.index, dtype=object)
    for arm in ARMS:
        empty = {name: mapping.cells(f"{name}_{arm}") == "" for name in MEASURED}
        empty["sd"] &= empty["tip"] & (empty["low"] | empty["high"])
        kind = mapping.cells(f"error_type_{arm}", "SD")
        empty["error_type"] = mapping.is_missing(kind)
        for name in ("n", "mean", "sd", "error_type"):
            column, lack = f"{name}_{arm}", empty[name]
            there = before.get(column, mapping.cells(column)).reindex(lack.index)[lack]
            words = there.map(lambda cell: f" ({cell})" if cell else "")
            reasons[lack] += f", no {mapping.names.get(column, column)}" + words
    # A row with a fault is not passed over for what it lacks besides.
    faulty = {found.row for found in mapping.found.findings if found.severity == "fault"}
    rows = (reasons != "") & ~own_effect(mapping) & ~reasons.index.isin(faulty)
    detail = "rows without a number that is due"
    mapping.set_aside(rows, reasons.str[2:], "incomplete", "", detail)


def own_effect(mapping):
    """Which rows bring an effect and its standard error."""
    return (mapping.cells("effect") != "") & (mapping.cells("se") != "")
