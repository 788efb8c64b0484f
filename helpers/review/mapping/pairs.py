"""Groups of animals: treated rows with their controls, who shares a control, one day of a cohort."""

import re

import numpy as np
import pandas as pd

from helpers.problems import FILES, ROWS, block_of
from helpers.review import controls as shared
from helpers.review.columns import ARM, ARMS, KINDS, SHAM
from helpers.review.mapping import contrasts
from helpers.review.mapping.numbers import floats
from helpers.review.mapping.working import NO_ROW, joined

SHAM_COLUMN = "sham_column"
# Headings of the unit in which an outcome was measured, such as SyRF's OutcomeUnit; no doses.
UNIT = re.compile(
    r"((outcome|measure\w*|mean|average|value|result)[ _]*)?(units?|einheit|unités?|unidad(es)?)"
    r"([ _]*(of)?[ _]*(the)?[ _]*(outcome|measure\w*|mean))?",
    re.I,
)


def pair(mapping):
    """A row a group of animals becomes a row a treated group with its control and sham groups."""
    config = mapping.config.long
    group, keys = config["group"], config["pair"]
    mapping.known("long", [group, *keys, *([config[SHAM_COLUMN]] if SHAM_COLUMN in config else [])],
                  mapping.before)  # fmt: skip
    key = joined(mapping.before, keys, "\x1f")
    if mapping.of_blocks:  # a group of one block is compared with one of the same
        key += pd.Series([f"\x1f{block_of(row)}" for row in key.index], key.index, dtype=object)
    found = contrasts.groups(mapping)
    same = ", ".join(keys)
    parts = [_of_contrast(mapping, key, each, same) for each in found]
    pairs = pd.concat(parts, ignore_index=True)
    _list_unpaired(mapping, key, found, pairs, same)
    # A group that stands in several contrasts has a key in each.
    offset = ROWS * FILES * (1 + max(map(block_of, key.index), default=0))
    pairs.index = (pairs["treated"] + offset * pairs.groupby("treated").cumcount()).astype(int)
    pairs = pairs.sort_index(key=lambda rows: rows % offset, kind="stable")
    mapping.rows_in += len(pairs[["contrast", "treated"]].drop_duplicates())
    mapping.rows_in -= pairs["treated"].nunique()
    mapping.pairs = pairs
    mapping.group_rows = {arm: pairs[arm] for arm in (*ARMS, SHAM)}
    of_controls = mapping.table.loc[pairs["control"]].set_axis(pairs.index)
    _take_groups(mapping, pairs)
    _hold_together(mapping, pairs, of_controls)
    contrasts.name_outcomes(mapping, pairs["contrast"])
    for each in found:
        here = pairs[pairs["contrast"] == each.contrast.id]
        detail = f"treated rows with their {here['control'].nunique()} control rows"
        detail += f" for {each.contrast.id}" * bool(each.contrast.id)
        mapping.note("pair", group, detail, len(here))
        shams = here[here[SHAM] != NO_ROW]
        detail = f"with the reference of {shams[SHAM].nunique()} sham rows"
        detail += f" for {each.contrast.id}" * bool(each.contrast.id)
        mapping.note("pair", group, detail, len(shams))


def _of_contrast(mapping, key, groups, same):
    """The pairs of one contrast: rows of its treated, control and sham groups with one key."""
    contrast, cells = groups.contrast, mapping.before[mapping.config.long["group"]]
    told = f" in contrast {contrast.id}" * bool(contrast.id)
    rows = {"treated": key[groups.treated], "control": key[groups.control], SHAM: key[groups.sham]}
    if not contrast.combine:
        again = groups.control & key.where(groups.control).duplicated() & key.isin(rows["treated"])
        remedy = "Add what tells them apart to `pair` under [sheet.long], or say combine = true"
        mapping.found.fault(
            again, cells, f"an earlier control row has the same {same}{told}", remedy
        )
        rows["control"] = rows["control"].drop_duplicates()
        several = key[groups.sham & key.where(groups.sham).duplicated(keep=False)]
        rows[SHAM] = rows[SHAM][~rows[SHAM].isin(several)]
        first = groups.treated & key.isin(several) & key.isin(rows["control"])
        first &= ~key.where(first).duplicated()
        what = f"several sham rows have the same {same}{told}: none of them is the reference"
        remedy = "Name the right one as `sham`, or say combine = true"
        mapping.found.warn(first, cells, what, remedy)
    tables = [pd.DataFrame({"key": each.to_numpy(), arm: each.index}) for arm, each in rows.items()]
    pairs = tables[0].merge(tables[1], on="key").merge(tables[2], on="key", how="left")
    pairs[SHAM] = pairs[SHAM].fillna(NO_ROW).astype(int)
    pairs = pairs.astype({"treated": int, "control": int})
    pairs["contrast"] = contrast.id
    pairs["together"] = f"{contrast.id}\x1f" + pairs.pop("key") if contrast.combine else ""
    return pairs


def _hold_together(mapping, pairs, of_controls):
    """What both groups of a comparison must have in common: outcome, direction and unit."""
    for name, what in (("outcome", "outcome"), ("sign", "direction")):
        if name in mapping.table:
            cells, others = mapping.table[name], of_controls[name]
            rows = (cells != others) & ~mapping.is_missing(cells) & ~mapping.is_missing(others)
            what = f"the control row of this group has another {what}"
            remedy = (
                "Correct one of them, or add what tells them apart to `pair` under [sheet.long]"
            )
            mapping.found.fault(rows, cells, what, remedy)
    for name in filter(UNIT.fullmatch, mapping.before):
        cells, others = (mapping.before.loc[pairs[arm], name].set_axis(pairs.index) for arm in ARMS)
        rows = (cells != others) & ~mapping.is_missing(cells) & ~mapping.is_missing(others)
        what = "the control row of this group has another unit"
        mapping.found.warn(rows, cells, what, "Bring both groups to one unit")


def _list_unpaired(mapping, key, found, pairs, same):
    """Set rows aside that are a group of no pair, each with its reason."""
    group = mapping.config.long["group"]
    fits = pd.DataFrame(
        {arm: np.any([getattr(each, arm) for each in found], axis=0)
         for arm in ("treated", "control", "sham")}, key.index, dtype=bool,
    )  # fmt: skip
    used = key.index.isin(pairs[[*ARMS, SHAM]].to_numpy().ravel())
    faulty = {f.key for f in mapping.found.findings if f.severity == "fault"}
    lonely = ~used & ~key.index.isin(faulty)
    healthy = ~fits.any(axis=1) & contrasts.healthy(mapping)
    compared = key.isin(key[pairs["treated"]])
    for rows, reason, detail in (
        (fits["treated"], f"no control row has the same {same}", "rows without a control row"),
        (fits["control"], f"no treated row has the same {same}", "rows without a treated row"),
        (fits["sham"] & compared, f"another sham row has the same {same}", None),
        (fits["sham"], f"no comparison has the same {same}", "sham rows without a comparison"),
        (healthy, "animals without the disease model that are no sham group", None),
        (~fits.any(axis=1), "this group fits no contrast", None),
    ):
        rows = rows & lonely & mapping.table.index.to_series().isin(key.index)
        rows &= ~rows.index.isin(mapping.unused)
        mapping.set_aside(rows[mapping.table.index], reason, "pair", group, detail)


def _take_groups(mapping, pairs):
    """The columns of both groups, and of the sham group where there is one."""
    table, shams = mapping.table, (pairs[SHAM] != NO_ROW).to_numpy()
    controls = table.loc[pairs["control"]]
    of_shams = table.loc[pairs[SHAM].where(shams, pairs["treated"])]
    mapping.table = table.loc[pairs["treated"]].set_axis(pairs.index)
    for name in mapping.table.columns.intersection(ARM):
        treated = mapping.table.pop(name)
        mapping.table[f"{name}_treated"] = treated
        mapping.table[f"{name}_control"] = controls[name].to_numpy()
        mapping.whose[f"{name}_control"] = "control"
        arms = ARMS
        if shams.any():
            none = treated if name in KINDS else ""
            cells = pd.Series(of_shams[name].to_numpy(), pairs.index).where(shams, none)
            mapping.table[f"{name}_{SHAM}"] = cells
            mapping.whose[f"{name}_{SHAM}"] = SHAM
            arms = (*ARMS, SHAM)
        _call(mapping, name, [f"{name}_{arm}" for arm in arms])
    # The control's cohort is one group of animals on all days; without it the row is all there is.
    cohort = controls["cohort"] if "cohort" in controls else pd.Series("", controls.index)
    names = [mapping.row_name(row) for row in controls.index]
    rows = pd.Series(names, controls.index, dtype=object)
    known = cohort.where(cohort != "", rows).set_axis(pairs.index)
    named = mapping.cells("control_group")
    mapping.table["control_group"] = named.where(named != "", known)


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
