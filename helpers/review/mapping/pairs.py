"""Groups of animals: treated rows with their controls, who shares a control, one day of a cohort."""

import numpy as np
import pandas as pd

from helpers.problems import FILES, ROWS, block_of
from helpers.review import controls as shared
from helpers.review.columns import ARM, ARMS, KINDS
from helpers.review.mapping.numbers import floats
from helpers.review.mapping.working import joined, matches


def pair(mapping):
    """A row a group of animals becomes a row a treated group with its control."""
    config = mapping.config.long
    group, keys = config["group"], config["pair"]
    mapping.known("long", [group, *keys], mapping.before)
    arm = mapping.before[group]
    key = joined(mapping.before, keys, "\x1f")
    if mapping.of_blocks:  # a group of one block is compared with one of the same
        key += pd.Series([f"\x1f{block_of(row)}" for row in key.index], key.index, dtype=object)
    mapping.found.fault(arm == "", arm, "treated or control is not said", "Fill it in")
    control = matches(arm, config["control"])
    same = "row has the same " + ", ".join(keys)
    again = control & key.where(control).duplicated() & key.isin(key[~control])
    remedy = "Add what tells them apart to `pair` under [sheet.long]"
    mapping.found.fault(again, arm, f"an earlier control {same}", remedy)
    first = key[control].drop_duplicates()
    match = key[~control].map(pd.Series(first.index, first)).dropna().astype(int)
    lonely = ~(again | key.index.isin([*match.index, *match]))
    for other, rows in (("control", lonely & ~control), ("treated", lonely & control)):
        mapping.set_aside(rows, f"no {other} {same}", "pair", group, f"rows without a {other} row")
    controls, mapping.table = mapping.table.loc[match], mapping.table.loc[match.index].copy()
    mapping.control_rows = match
    for name in mapping.table.columns.intersection(ARM):
        mapping.table[f"{name}_treated"] = mapping.table.pop(name)
        mapping.table[f"{name}_control"] = controls[name].to_numpy()
        mapping.of_controls.add(f"{name}_control")
        _call(mapping, name, [f"{name}_{arm}" for arm in ARMS])
    # The control's cohort is one group of animals on all days; without it the row is all there is.
    cohort = controls["cohort"] if "cohort" in controls else pd.Series("", controls.index)
    names = [mapping.row_name(row) for row in controls.index]
    rows = pd.Series(names, controls.index, dtype=object)
    known = cohort.where(cohort != "", rows).set_axis(match.index)
    named = mapping.cells("control_group")
    mapping.table["control_group"] = named.where(named != "", known)
    detail = f"treated rows with their {match.nunique()} control rows"
    mapping.note("pair", group, detail, len(match))


def share_rows(mapping):
    """Where a row was read once for each block: what its blocks have in common is one group.

    Blocks of treated groups share the control group of their row; blocks that bring both groups are
    other days or outcomes of the row's two.
    """
    if not mapping.of_blocks:
        return
    rows = [mapping.row_name(row % (ROWS * FILES)) for row in mapping.table.index]
    rows = pd.Series(rows, mapping.table.index, dtype=object)
    brought = {name for name in mapping.of_blocks if name.endswith("_control")}
    for name in ["cohort", "control_group"] if brought else ["control_group"]:
        given = mapping.cells(name)
        blank = given == ""
        if name not in mapping.of_blocks and not mapping.config.long:
            mapping.table[name] = given.where(~blank, rows)
            mapping.note("block", name, "the blocks of a row share it", blank.sum())


def share(mapping):
    """One column for both groups counts for each."""
    for name in mapping.table.columns.intersection(ARM):
        cells = mapping.table.pop(name)
        arms = ARMS
        if name in KINDS and "sd_reference" in mapping.table:  # an SEM there as well
            arms = (*ARMS, "reference")
        columns = sorted({f"{name}_{arm}" for arm in arms} - set(mapping.table))
        for column in columns:
            mapping.table[column] = cells
        _call(mapping, name, columns)


def _call(mapping, name, columns):
    """What the sheet calls these columns is what it calls `name`."""
    for column in columns:
        mapping.names[column] = mapping.names.get(name, name)
        if name in mapping.sources:
            mapping.sources[column] = mapping.sources[name]


def share_controls(mapping):
    """Give one id to controls that agree by their numbers, where review.toml says so."""
    if mapping.config.shared_controls == "by_numbers" and len(mapping.table):
        before = mapping.cells("control_group")
        mapping.table["control_group"] = shared.name(mapping.table)
        named = mapping.table["control_group"] != before
        detail = "one id where n, mean and SD agree within study, outcome and day"
        mapping.note("shared controls", "control_group", detail, named.sum())


def take_time_point(mapping):
    """One day of each cohort and outcome: the first, the last, or the nearest to a day."""
    rule = mapping.config.time_point
    if rule == "all":
        return
    mapping.known("time_point", ["cohort", "follow_up_days"], mapping.table)
    days = floats(mapping.table["follow_up_days"])
    if rule in ("first", "last"):
        rank = days if rule == "first" else -days
    else:  # of two days equally near the earlier one is taken
        rank = (days - rule).abs() + days * 1e-9
    rank = rank.fillna(np.inf)
    best = rank.groupby([mapping.table[name] for name in ("study", "cohort", "outcome")])
    rows = (mapping.table["cohort"] != "") & (rank > best.transform("min"))
    reason = f"another day of this cohort is used ({rule})"
    mapping.set_aside(rows, reason, "time point", "follow_up_days")
