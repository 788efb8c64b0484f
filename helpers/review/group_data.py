"""The numbers of a mapped sheet: read from text, completed, converted to means and SDs."""

import re

import numpy as np
import pandas as pd

from helpers.review.columns import ARMS, KINDS, MEASURED, MODERATOR, NUMBERS
from helpers.review.error_types import AVERAGES, ERRORS, average_kind, error_kind, heading_kinds
from helpers.sheet.files import NUMBER, RANGE, plain_number, unsure_marks
from helpers.stats.conversions import mean_and_sd


def to_floats(text):
    """A column of texts as numbers, exactly as Python reads them; NaN where one is none."""
    # Adding 0 makes a zero of "-0", whose sign would show.
    numbers = [float(cell) + 0.0 if NUMBER.fullmatch(cell) else np.nan for cell in text]
    return pd.Series(numbers, text.index, float, text.name)


def read_numbers(mapping):
    """Texts to plain numbers; what cannot be read stays for the check to find.

    Returns
    -------
    dict of Series
        Each column as it stood before.
    """
    moderators = mapping.description.moderators
    free = [MODERATOR + name for name, moderator in moderators.items() if not moderator.levels]
    arms = [f"{name}_{arm}" for name in MEASURED for arm in ARMS]
    names = [
        name
        for name in dict.fromkeys([*arms, *NUMBERS, "variance", *free])
        if name in mapping.table
    ]
    before = {name: mapping.table[name] for name in names}
    for column in mapping.config.get("divide", {}):
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
    decimal, thousands = (mapping.config.get(name) for name in ("decimal", "thousands"))
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
    if "missing" in config:
        cells = cells.mask(cells.isin(config["missing"]), "")
    if name.startswith("n_"):
        for text in cells[cells.map(RANGE.fullmatch).notna()].unique():
            low = str(min(map(int, RANGE.fullmatch(text).groups())))
            mapping.note("range", source, f"{text!r} read as {low}", (cells == text).sum())
            cells = cells.mask(cells == text, low)
    thousands, divisors = config.get("thousands"), config.get("divide", {})
    both = name.removesuffix("_treated").removesuffix("_control")  # `mean` divides both groups'
    divisor = divisors.get(name.removeprefix(MODERATOR), divisors.get(both))
    decimal = config.get("decimal", "," if thousands == "." else ".")
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
    if divisor:
        plain = plain.map(lambda cell: repr(float(cell) / divisor), na_action="ignore")
        mapping.note("divide", source, f"by {divisor}", plain.notna().sum())
    return plain.where(read, cells)


def take_sems(mapping):
    """SEMs from columns of their own, `sem_treated` and `sem_control`, where no SD is given."""
    missing = ["", *mapping.config.get("missing", ())]
    for arm in ARMS:
        if f"sem_{arm}" not in mapping.table:
            continue
        sems, sds = mapping.table.pop(f"sem_{arm}"), mapping.cells(f"sd_{arm}")
        rows = sds.isin(missing) & ~sems.isin(missing)
        mapping.table[f"sd_{arm}"] = sds.mask(rows, sems)
        kinds = mapping.cells(f"error_type_{arm}", "SD")
        mapping.table[f"error_type_{arm}"] = kinds.mask(rows, "SEM")
        mapping.names.setdefault(f"sd_{arm}", mapping.names.get(f"sem_{arm}", f"sem_{arm}"))
        detail = f"taken from {mapping.names.get(f'sem_{arm}', f'sem_{arm}')} where no SD is given"
        mapping.note("SEM", mapping.names[f"sd_{arm}"], detail, rows.sum())


def take_roots(mapping):
    """Standard errors of effects that the sheet brings with their variances."""
    if "variance" not in mapping.table:
        return
    cells = mapping.table.pop("variance")
    numbers, se = to_floats(cells), mapping.cells("se")
    what, remedy = "a variance is a number above 0", "Correct it from the source"
    mapping.found.fault((cells != "") & ~(numbers > 0), cells, what, remedy)
    rows = (se == "") & (numbers > 0)
    mapping.table["se"] = se.mask(rows, np.sqrt(numbers.where(rows)).map(repr))
    if not (se != "").any():  # a message about the heading is about that of its own column
        mapping.names["se"] = mapping.names.get("variance", "variance")
    mapping.note("se by conversion", mapping.names["se"], "root of the variance", rows.sum())


def drop_incomplete(mapping, before):
    """Where `missing` is given, rows without a number that is due are listed and not used."""
    if "missing" not in mapping.config:
        return
    reasons = pd.Series("", mapping.table.index, dtype=object)
    for arm in ARMS:
        empty = {name: mapping.cells(f"{name}_{arm}") == "" for name in MEASURED}
        empty["sd"] &= empty["tip"] & (empty["low"] | empty["high"])
        kind = mapping.cells(f"error_type_{arm}", "SD")
        empty["error_type"] = kind.isin(["", *mapping.config["missing"]])
        for name in ("n", "mean", "sd", "error_type"):
            column, lack = f"{name}_{arm}", empty[name]
            there = before.get(column, mapping.cells(column))[lack]
            words = there.map(lambda cell: f" ({cell})" if cell else "")
            reasons[lack] += f", no {mapping.names.get(column, column)}" + words
    # A row with a fault is not passed over for what it lacks besides.
    faulty = {found.row for found in mapping.found.findings if found.severity == "fault"}
    rows = (reasons != "") & ~_own_effect(mapping) & ~reasons.index.isin(faulty)
    detail = "rows without a number that is due"
    mapping.set_aside(rows, reasons.str[2:], "incomplete", "", detail)


def convert(mapping):
    """Errors of every kind to SDs, medians to means; a sheet of means and SDs is left alone."""
    heading = mapping.names.get("se", "")
    other = sorted(heading_kinds(heading) & {"SD", "CI", "VARIANCE"})
    if re.fullmatch(r"v|v[._ ]?i|var(_?i)?", heading, re.I):
        other = ["VARIANCE"]
    roots = "variance" in mapping.sources and heading == mapping.names["variance"]
    if other and not roots and _own_effect(mapping).any():
        said = " and ".join(other)
        what = f"the heading speaks of {said}, and the standard error of an effect is due"
        mapping.found.lack(heading, what, "Give standard errors (the root of a variance)")
    for arm in (*ARMS, "reference"):
        names = [f"{name}_{arm}" for name in (*KINDS, "low", "high", "tip")]
        _hold_against_headings(mapping, arm)
        if any(name in mapping.table for name in names):
            _convert_arm(mapping, arm)


def _hold_against_headings(mapping, arm):
    """Faults where no word says what errors and averages are, and a heading says not SD or mean."""

    def heading(name):
        column = f"{name}_{arm}"
        filled = (mapping.cells(column) != "") & ~_own_effect(mapping)
        return mapping.names.get(column, "") if filled.any() else ""

    kinds = {name: heading_kinds(heading(name)) for name in ("mean", "sd")}
    words = mapping.cells(f"error_type_{arm}")
    if f"error_type_{arm}" not in mapping.table:
        remedy = "Say which under [sheet.constants], such as error_type = {!r}, or name its column "
        remedy += "as error_type under [sheet.columns]"
        ends = [name for name in ("low", "high", "tip") if heading(name)]
        other = sorted(kinds["sd"] & {"SEM", "CI", "IQR", "RANGE", "VARIANCE"})
        for name in ends:
            what = (
                f"these are ends of an interval or bar: an error_type is due ({', '.join(ERRORS)})"
            )
            mapping.found.lack(heading(name), what, remedy.format(_ends_of(heading(name))))
        if other == ["VARIANCE"]:
            what = "the heading speaks of variances, and an SD is due"
            way = 'Give their roots, or say error_type = "SD" where they are SDs'
            mapping.found.lack(heading("sd"), what, way)
        elif other:
            what = f"the heading speaks of {' and '.join(other)}, and no error_type is given"
            mapping.found.lack(heading("sd"), what, remedy.format(other[0]))
        elif heading("sd") and not kinds["sd"]:
            what = "the heading does not say what errors these are: they are read as SDs"
            way = 'Say error_type = "SD" or "SEM" under [sheet.constants]'
            mapping.found.lack(heading("sd"), what, way, "warning")
    told = f"average_type_{arm}" in mapping.table or words.map(average_kind).notna().any()
    if "MEDIAN" in kinds["mean"] and not told:
        what = "the heading speaks of medians, and no average_type is given"
        way = 'Say average_type = "median" under [sheet.constants], or "mean" where they are means'
        mapping.found.lack(heading("mean"), what, way)


def _ends_of(heading):
    """What a heading such as "Q1 drug" most likely gives the ends of."""
    if re.search(r"(?<![^\W_])(q ?[13]|p?25|p?75)|quartil", heading, re.I):
        return "IQR"
    if re.search(r"(?<![^\W_])(min|max)", heading, re.I):
        return "RANGE"
    return next(iter(sorted(heading_kinds(heading) & set(ERRORS))), "CI")


def _convert_arm(mapping, arm):
    given = pd.DataFrame(
        {name: to_floats(mapping.cells(f"{name}_{arm}")) for name in MEASURED},
        index=mapping.table.index,
    )
    given["error"] = given["sd"].fillna((given["tip"] - given["mean"]).abs())
    given["error_type"] = _kinds(mapping, f"error_type_{arm}", error_kind, ERRORS, "SD")
    given["median"] = _averages(mapping, arm) == "MEDIAN"
    by_n = given["error_type"].isin(["SEM", "CI", "IQR", "RANGE"]) | given["median"]
    split = arm == "control" and mapping.config.get("control_n_is_split")
    if split and (by_n & given["n_error"].isna()).any():
        what = "errors and medians are converted with the n of the whole group"
        mapping.refuse("control_n_is_split", what, "Name its column as n_error_control")
    given["n"] = given["n_error"].fillna(given["n"])
    crossed = given["low"] > given["high"]
    what = "the lower end lies above the upper end"
    mapping.found.fault(crossed, mapping.cells(f"low_{arm}"), what, "Swap them")
    given.loc[crossed, ["low", "high"]] = given.loc[crossed, ["high", "low"]].to_numpy()
    outside = (given["mean"] < given["low"]) | (given["mean"] > given["high"])
    outside &= given["median"] | (given["error_type"] != "IQR")  # a mean may lie off the quartiles
    what = "this lies outside its own interval"
    remedy = "Check the number and both ends against the source"
    mapping.found.fault(outside & ~crossed, mapping.cells(f"mean_{arm}"), what, remedy)
    ends = [name for name in (f"low_{arm}", f"high_{arm}", f"tip_{arm}") if name in mapping.sources]
    if f"sd_{arm}" not in mapping.sources and ends:  # what a message about this SD quotes
        mapping.sources[f"sd_{arm}"] = [each for name in ends for each in mapping.sources[name]]
        mapping.names[f"sd_{arm}"] = " + ".join(mapping.sources[f"sd_{arm}"])
    with np.errstate(all="ignore"):
        found = mean_and_sd(given)
    for name in ("mean", "sd"):
        column, numbers, words = f"{name}_{arm}", found[name], found[f"{name}_by"]
        cells = mapping.cells(column).copy()
        changed = numbers.notna() & ((words != "") | (cells == ""))
        endless, what = changed & ~np.isfinite(numbers), f"{name} cannot be converted with this n"
        mapping.found.fault(endless, given["n"].rename(f"n_{arm}"), what, "Correct n")
        cells[changed] = numbers[changed].map(lambda value: repr(float(value)))
        mapping.table[column] = cells
        for word, n in words[changed & (words != "")].value_counts(sort=False).items():
            mapping.note(f"{name} by conversion", mapping.names.get(column, column), word, n)


def _averages(mapping, arm):
    """MEAN or MEDIAN of each row: as its own column says, or else the words of the error type."""
    beside = mapping.cells(f"error_type_{arm}").map(average_kind)
    column = f"average_type_{arm}"
    if column not in mapping.table:
        return beside.fillna("MEAN")
    kinds = _kinds(mapping, column, average_kind, AVERAGES, "MEAN")
    against = kinds.notna() & beside.notna() & (kinds != beside)
    what = "this contradicts the words of the error type"
    mapping.found.fault(against, mapping.cells(column), what, "Correct one of them")
    return kinds


def _kinds(mapping, name, reader, known, default):
    """A column of words as one of the known kinds; faults where a word is none of them."""
    cells = mapping.cells(name, default)
    kinds = cells.map(reader)
    unknown = kinds.isna() & ~_own_effect(mapping)
    remedy = f"Write one of {', '.join(known)}, or translate it under [sheet.values]"
    mapping.found.fault(unknown, cells, "this word is not known here", remedy)
    return kinds


def _own_effect(mapping):
    return (mapping.cells("effect") != "") & (mapping.cells("se") != "")
