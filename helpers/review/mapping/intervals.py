"""Effects of a sheet that come as ratios or with the ends of a 95% interval."""

import re

import pandas as pd

from helpers.review.columns import ENDS
from helpers.review.mapping.numbers import floats
from helpers.review.schema import fault
from helpers.stats.reported import own_effects

LOG = "log"


def take_intervals(mapping):
    """Effect and standard error of rows that bring a ratio or both ends of an interval.

    Parameters
    ----------
    mapping : object
        With ``description, table, found, names, cells, note``.

    Notes
    -----
    A ratio becomes its natural logarithm; an interval (high - low) / (2 · 1.96) on that scale, see
    `helpers.stats.reported.own_effects`. A standard error that is given stays.
    """
    for kind, ends in ENDS.items():
        if {kind, *ends} & set(mapping.table) - {"effect"}:
            _take(mapping, kind, ends)


def _take(mapping, kind, ends):
    ratio, found, table = kind == "ratio", mapping.found, mapping.table
    cells = {name: mapping.cells(name) for name in (kind, *ends)}
    given = cells[kind] != ""
    for name in ends:
        hold_level(mapping, name, "Give standard errors in a column of their own as se")
    se = mapping.cells("se")
    numbers = pd.DataFrame({name: floats(text) for name, text in cells.items()})
    numbers = numbers.set_axis(["effect", "ci_low", "ci_high"], axis=1).assign(se=floats(se))
    for text in cells.values():
        wrong = (text != "") & floats(text).isna()
        found.fault(wrong, text, "a number is due here", "Write a number or leave it empty")
    if ratio:
        twice = given & (mapping.cells("effect") != "")
        what = "a ratio stands in a row that has an effect as well"
        found.fault(twice, cells[kind], what, "Empty the one or the other")
        given &= ~twice
    given &= numbers["effect"].notna()
    made = own_effects(numbers[given], ratio=ratio)
    bad = made["effect"].isna().reindex(table.index, fill_value=False)
    for what in made["note"][made["effect"].isna()].unique():
        rows = bad & (made["note"] == what).reindex(table.index, fill_value=False)
        found.fault(rows, cells[kind], what, "Correct it from the source")
    odd = (made["effect"].notna() & (made["note"] != "")).reindex(table.index, fill_value=False)
    found.warn(odd, cells[kind], "this is not the middle of its interval",
               "Look whether it is a logarithm or a ratio, and its interval too")  # fmt: skip
    known = made[made["effect"].notna()]
    if ratio:
        _write(mapping, "effect", known["effect"], kind, "natural logarithm")
        _hold_scale(mapping, known.index)
    by_ends = known[numbers["se"].reindex(known.index).isna()]
    _write(mapping, "se", by_ends["se"], ends[0], "from the 95% interval")
    gone = [*ends, *([kind] if ratio else [])]
    mapping.table = mapping.table.drop(columns=gone, errors="ignore")


def _write(mapping, name, values, source, detail):
    """Computed values in the column of effects or standard errors."""
    mapping.table[name] = mapping.cells(name)
    heading = mapping.names.get(source, source)
    if name == "effect":  # an interval's heading is not that of a standard error
        mapping.names.setdefault(name, heading)
    mapping.table.loc[values.index, name] = [float(value) for value in values]
    mapping.note(f"{name} by conversion", heading, detail, len(values))


def hold_level(mapping, name, remedy):
    """A fault where a heading speaks of another interval than one of 95%."""
    heading = mapping.names.get(name, name)
    said = re.search(r"(?<![\d.])(\d{2}(?:\.\d+)?)\s*%|(?i:ci|ki|ic)\s*(\d{2})(?!\d)", heading)
    if said and float(said[1] or said[2]) != 95:
        what = "only intervals of 95% are read"
        mapping.found.lack(heading, what, remedy)


def _hold_scale(mapping, rows):
    """A fault where `review.toml` does not say that the effects are logarithms."""
    for name in mapping.table["outcome"][rows].unique():
        outcome = mapping.description.outcomes.get(name)
        if outcome and outcome.effect_scale != LOG:
            what = "the logarithms of ratios are its effects"
            remedy = 'Say effect_scale = "log" and effect_name = "log hazard ratio" or what it is'
            place = f"families.outcomes.{name}.effect_scale"
            mapping.found.findings.append(fault(place, what, outcome.effect_scale, remedy))
