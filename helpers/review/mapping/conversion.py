"""Errors of every kind to SDs, medians to means."""

import re

import numpy as np
import pandas as pd

from helpers.review.columns import ARMS, KINDS, MEASURED
from helpers.review.error_types import AVERAGES, ERRORS, average_kind, error_kind, heading_kinds
from helpers.review.mapping.intervals import hold_level
from helpers.review.mapping.numbers import floats, own_effect
from helpers.stats.conversions import mean_and_sd

# What says of which kind a number is.
KIND_OF = dict.fromkeys(("sd", "low", "high", "tip"), "error_type") | {"mean": "average_type"}


def convert(mapping):
    """Errors of every kind to SDs, medians to means; a sheet of means and SDs is left alone."""
    heading = mapping.names.get("se", "")
    other = sorted(heading_kinds(heading) & {"SD", "CI", "VARIANCE"})
    if re.fullmatch(r"v|v[._ ]?i|var(_?i)?", heading, re.I):
        other = ["VARIANCE"]
    roots = "variance" in mapping.sources and heading == mapping.names["variance"]
    if other and not roots and own_effect(mapping).any():
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
        filled = (mapping.cells(column) != "") & ~own_effect(mapping)
        filled &= mapping.unsaid.get(KIND_OF[name] + f"_{arm}", True)
        return mapping.names.get(column, "") if filled.any() else ""

    kinds = {name: heading_kinds(heading(name)) for name in ("mean", "sd")}
    words = mapping.cells(f"error_type_{arm}")
    if not _is_said(mapping, f"error_type_{arm}"):
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
    told = _is_said(mapping, f"average_type_{arm}") or words.map(average_kind).notna().any()
    if "MEDIAN" in kinds["mean"] and not told:
        what = "the heading speaks of medians, and no average_type is given"
        way = 'Say average_type = "median" under [sheet.constants], or "mean" where they are means'
        mapping.found.lack(heading("mean"), what, way)


def _is_said(mapping, kinds):
    """Whether the sheet or review.toml says of which kind all numbers are."""
    return kinds in mapping.table and kinds not in mapping.unsaid


def _ends_of(heading):
    """What a heading such as "Q1 drug" most likely gives the ends of."""
    if re.search(r"(?<![^\W_])(q ?[13]|p?25|p?75)|quartil", heading, re.I):
        return "IQR"
    if re.search(r"(?<![^\W_])(min|max)", heading, re.I):
        return "RANGE"
    return next(iter(sorted(heading_kinds(heading) & set(ERRORS))), "CI")


def _convert_arm(mapping, arm):
    given = pd.DataFrame(
        {name: floats(mapping.cells(f"{name}_{arm}")) for name in MEASURED},
        index=mapping.table.index,
    )
    given["error"] = given["sd"].fillna((given["tip"] - given["mean"]).abs())
    given["error_type"] = _kinds(mapping, f"error_type_{arm}", error_kind, ERRORS, "SD")
    for name in ("sd", "low", "high"):
        column = f"{name}_{arm}"
        # What [sheet.divide] turns into half of a 95% interval is one, whatever its heading says.
        if given.loc[given["error_type"] == "CI", name].notna().any() and not (
            {name, column} & set(mapping.config.divide)
        ):
            hold_level(mapping, column, "Give SDs or standard errors, or 95% intervals")
    given["median"] = _averages(mapping, arm) == "MEDIAN"
    by_n = given["error_type"].isin(["SEM", "CI", "IQR", "RANGE"]) | given["median"]
    split = arm == "control" and mapping.config.control_n_is_split
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
        cells[changed] = numbers[changed].astype(float)
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
    unknown = kinds.isna() & ~own_effect(mapping)
    remedy = f"Write one of {', '.join(known)}, or translate it under [sheet.values]"
    mapping.found.fault(unknown, cells, "this word is not known here", remedy)
    return kinds
