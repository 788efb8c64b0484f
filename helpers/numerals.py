"""The numbers of a mapped sheet: read from text, completed, converted to means and SDs."""

import numpy as np
import pandas as pd

from helpers.conversions import mean_and_sd
from helpers.sheets import NUMBER, NUMBERS, RANGE, plain_number

ARMS = ("treated", "control")
# Before a moderator's id, so that no id is a column of the project's; no id holds a colon.
MODERATOR = "moderator: "
# What a group of animals has: with `_treated` or `_control`, or without where both share it and in
# a sheet that has a row a group. `sd` is the error of whatever kind; `low` and `high` are its ends,
# `tip` is the tip of an error bar, `n_error` the n that it was computed with.
MEASURED = ("n", "mean", "sd", "low", "high", "tip", "n_error")
KINDS = ("error_type", "average_type")
ERRORS = {
    "SD": "sd s.d. std stdev standarddeviation",
    "SEM": "sem s.e.m. se s.e. stderr standarderror standarderrorofthemean",
    "CI": "ci 95%ci ci95 95ci confidenceinterval 95%confidenceinterval",
    "IQR": "iqr quartiles q1-q3 interquartilerange",
    "RANGE": "range min-max minmax",
}
AVERAGES = {"MEAN": "mean average m", "MEDIAN": "median"}


def to_floats(text):
    """A column of texts as numbers, exactly as Python reads them; NaN where one is none."""
    numbers = [float(cell) if NUMBER.fullmatch(cell) else np.nan for cell in text]
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
    for name, cells in before.items():
        mapping.table[name] = _read_column(mapping, name, cells)
    return before


def _read_column(mapping, name, cells):
    config, source = mapping.config, mapping.names.get(name, name)
    if "missing" in config:
        cells = cells.mask(cells.isin(config["missing"]), "")
    if name.startswith("n_"):
        for text in cells[cells.map(RANGE.fullmatch).notna()].unique():
            low = str(min(map(int, RANGE.fullmatch(text).groups())))
            mapping.note("range", source, f"{text!r} read as {low}", (cells == text).sum())
            cells = cells.mask(cells == text, low)
    decimal, divisors = config.get("decimal", "."), config.get("divide", {})
    both = name.removesuffix("_treated").removesuffix("_control")  # `mean` divides both groups'
    divisor = divisors.get(name.removeprefix(MODERATOR), divisors.get(both))
    if decimal == "." and not divisor:
        return cells
    plain = cells.map(lambda cell: plain_number(cell, decimal=decimal, typed=mapping.raw.typed))
    commas = plain.notna() & cells.str.contains(",")
    mapping.note("decimal comma", source, "read as a point", commas.sum())
    pointed = plain.isna() & cells.map(NUMBER.fullmatch).notna()
    what = "a point stands in a sheet with decimal commas"
    mapping.found.fault(pointed, cells, what, "Write a comma, and no mark for thousands")
    if divisor:
        plain = plain.map(lambda cell: repr(float(cell) / divisor), na_action="ignore")
        mapping.note("divide", source, f"by {divisor}", plain.notna().sum())
    return plain.where(plain.notna(), cells)


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
    rows = (reasons != "") & ~_own_effect(mapping)
    detail = "rows without a number that is due"
    mapping.set_aside(rows, reasons.str[2:], "incomplete", "", detail)


def convert(mapping):
    """Errors of every kind to SDs, medians to means; a sheet of means and SDs is left alone."""
    for arm in (*ARMS, "reference"):
        names = [f"{name}_{arm}" for name in (*KINDS, "low", "high", "tip")]
        if any(name in mapping.table for name in names):
            _convert_arm(mapping, arm)


def _convert_arm(mapping, arm):
    given = pd.DataFrame(
        {name: to_floats(mapping.cells(f"{name}_{arm}")) for name in MEASURED},
        index=mapping.table.index,
    )
    given["error"] = given["sd"].fillna((given["tip"] - given["mean"]).abs())
    given["error_type"] = _kinds(mapping, f"error_type_{arm}", ERRORS, "SD")
    given["median"] = _kinds(mapping, f"average_type_{arm}", AVERAGES, "MEAN") == "MEDIAN"
    by_n = given["error_type"].isin(["SEM", "CI", "RANGE"]) | given["median"]
    split = arm == "control" and mapping.config.get("control_n_is_split")
    if split and (by_n & given["n_error"].isna()).any():
        what = "errors and medians are converted with the n of the whole group"
        mapping.refuse("control_n_is_split", what, "Name its column as n_error_control")
    given["n"] = given["n_error"].fillna(given["n"])
    crossed = given["low"] > given["high"]
    what = "the lower end lies above the upper end"
    mapping.found.fault(crossed, mapping.cells(f"low_{arm}"), what, "Swap them")
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


def _kinds(mapping, name, known, default):
    """A column of words as one of the known kinds; faults where a word is none of them."""
    words = {word: kind for kind, listed in known.items() for word in listed.split()}
    cells = mapping.cells(name, default)
    kinds = cells.map(lambda cell: words.get("".join(cell.lower().split())))
    unknown = kinds.isna() & ~_own_effect(mapping)
    remedy = f"Write one of {', '.join(known)}, or translate it under [sheet.values]"
    mapping.found.fault(unknown, cells, "this word is not known here", remedy)
    return kinds


def _own_effect(mapping):
    return (mapping.cells("effect") != "") & (mapping.cells("se") != "")
