"""Which rows are the treated, control and sham groups of each contrast; arms combined into one."""

from dataclasses import dataclass

import pandas as pd

from helpers.review.columns import ARMS, SHAM
from helpers.review.contrasts import Contrast
from helpers.review.mapping.numbers import floats
from helpers.review.mapping.working import NO_ROW, as_text, matches
from helpers.stats.conversions import combined

SEPARATOR = ";"  # parts the treatments of a cohort
NAMES = ("experiment", "cohort", "control_group")  # of what is combined


@dataclass(frozen=True)
class Groups:
    """Which rows are a contrast's groups, as Series of bool."""

    contrast: Contrast
    treated: pd.Series
    control: pd.Series
    sham: pd.Series


def groups(mapping):
    """The groups of each contrast; without `[[contrasts]]` of the one that `[sheet.long]` tells.

    Returns
    -------
    list of Groups
    """
    config = mapping.config.long
    cells = _group_cells(mapping, config["group"])
    whole = Contrast(combine=config.get("combine", False))
    found = [_groups(mapping, cells, each) for each in _contrasts(mapping) or [whole]]
    for each in found:
        place = f"contrasts.{each.contrast.id}" if each.contrast.id else "sheet.long"
        two = each.treated & each.control
        what = f"this group is treated and control at once, by {place}"
        mapping.found.fault(two, cells, what, "Make the patterns there narrower")
    if not mapping.description.contrasts and "" not in config["control"]:
        lack = cells == ""
        mapping.found.fault(lack, cells, "treated or control is not said", "Fill it in")
    return found


def healthy(mapping):
    """Rows of animals that have no disease model, whatever they got, where a column tells."""
    config = mapping.config.long
    if "sham_column" not in config:
        return pd.Series(False, mapping.before.index)
    flags = _group_cells(mapping, config["sham_column"])
    return _fitting(mapping, flags, config.get("sham", ()), config.get("separator", SEPARATOR))


def _contrasts(mapping):
    return list(mapping.description.contrasts.values())


def _group_cells(mapping, column):
    cells = mapping.before[column]
    return cells.mask(mapping.is_missing(cells), "")


def _groups(mapping, cells, contrast):
    config, separator = mapping.config.long, mapping.config.long.get("separator", SEPARATOR)

    def among(name):
        """Rows of a group by the words of the contrast, else of the sheet."""
        own = getattr(contrast, name)
        place = None if own is None else f"contrasts.{contrast.id}.{name}"
        words = config.get(name, ()) if own is None else own
        return _fitting(mapping, cells, words, separator, place)

    control = among("control")
    if "sham_column" in config:
        without_model = healthy(mapping)
        sham = without_model & (control if contrast.sham is None else among("sham"))
    else:
        without_model = sham = among("sham")
    control &= ~without_model
    if contrast.treated is None:
        treated = ~control & ~without_model & (cells != "")
    else:
        treated = among("treated") & ~without_model
    if contrast.outcomes:
        asked = mapping.cells("outcome").isin(contrast.outcomes)
        treated, control, sham = treated & asked, control & asked, sham & asked
    return Groups(contrast, treated, control, sham)


def treatments(text, separator=SEPARATOR):
    """What a cohort got, as a set: ``"drug; knock-out"`` is two treatments, in any order."""
    parts = [part.strip() for part in text.split(separator)] if separator else [text]
    return frozenset(part for part in parts if part) or frozenset([""])


def _fitting(mapping, cells, entries, separator, place=None):
    """Which cells are one of some entries, both read as sets of treatments.

    Each treatment of the cell fits a part of the entry, and each part a treatment. An entry of which
    there is no cell is warned of where `place` says where it stands.
    """
    got = {text: treatments(text, separator) for text in cells.unique()}
    single = pd.Series(sorted({part for parts in got.values() for part in parts}), dtype=object)
    found = set()
    for entry in map(as_text, entries):
        parts = treatments(entry, separator)
        if any(part.startswith("/") and not (part.endswith("/") and part[1:]) for part in parts):
            what = f"this pattern holds {separator!r}, which parts treatments"
            remedy = r"Write it as \x3b in the pattern, or say another separator under [sheet.long]"
            mapping.refuse("long", what, remedy, entry)
        hits = [set(single[matches(single, [part])]) for part in parts]
        fits = {
            text for text, all_got in got.items()
            if all_got <= set().union(*hits) and all(all_got & hit for hit in hits)
        }  # fmt: skip
        if place and not fits:
            what = f"{entry!r} is no group of the sheet"
            mapping.warn_of(place, what, "Check its spelling, and what several treatments are")
        found |= fits
    return cells.isin(found)


def name_outcomes(mapping, contrast):
    """Outcomes by the contrast that each row belongs to.

    Parameters
    ----------
    contrast : Series of str
        Ids by row of the mapped table.
    """
    several = _contrasts(mapping)
    if not several:
        return
    table, known = mapping.table, [o["id"] for f in mapping.description.written["families"]
                                   for o in f["outcomes"]]  # fmt: skip
    contrasts = mapping.description.contrasts
    table["outcome"] = [
        contrasts[each].outcome(name) if name in known else name
        for name, each in zip(table["outcome"], contrast, strict=True)
    ]
    for each in several:
        if not (contrast == each.id).any():
            what = "no rows of the sheet make a comparison of this contrast"
            remedy = "Check its groups, and what a pair has in common under [sheet.long]"
            mapping.warn_of(f"contrasts.{each.id}", what, remedy)
    there = set(table["outcome"])
    for family in mapping.description.families.values():
        if not there & set(family.outcomes):
            what = "no comparison of the sheet has an outcome of it, so it has no report"
            remedy = "Name the outcomes of each of [[contrasts]] by `outcomes`"
            mapping.warn_of(f"families.{family.id}", what, remedy)


def blank_incomplete_references(mapping):
    """Where `missing` is given, a reference group without a number that is due is none."""
    if f"n_{SHAM}" not in mapping.table or mapping.config.missing is None or not mapping.group_rows:
        return
    there = mapping.group_rows[SHAM][mapping.table.index] != NO_ROW
    empty = {name: mapping.cells(f"{name}_{SHAM}") == "" for name in ("n", "mean", "sd")}
    ends = [mapping.cells(f"{name}_{SHAM}") != "" for name in ("tip", "low", "high")]
    lack = there & (empty["n"] | empty["mean"] | (empty["sd"] & ~ends[0] & ~(ends[1] & ends[2])))
    columns = [c for c in mapping.table if c.endswith(f"_{SHAM}") and "type" not in c]
    for name in columns:
        mapping.table[name] = mapping.table[name].astype(object).mask(lack, "")
    mapping.note(
        "pair", "", "sham groups without a number that is due are no reference", lack.sum()
    )


def combine(mapping):
    """Arms of one contrast, experiment, outcome and time become one where `combine` says so."""
    if mapping.pairs is None or not len(mapping.table):
        return
    pairs = mapping.pairs.loc[mapping.table.index]
    keys = pairs["together"][pairs["together"] != ""]
    several = keys[keys.duplicated(keep=False)]
    gone, mapping.table = [], mapping.table.astype(object)
    for rows in several.groupby(several, sort=False).groups.values():
        own = mapping.cells("effect").loc[rows] != ""
        what = "arms that bring effects or events are to be combined, and only means can be"
        mapping.found.fault(own, mapping.cells("effect").loc[rows], what, "Take `combine` out")
        numbers = _pooled(mapping.table.loc[rows], pairs.loc[rows])
        if numbers is None:  # an arm without a number is told of by the check
            continue
        for name in mapping.table:
            if name not in numbers and not name.endswith(tuple(f"_{a}" for a in (*ARMS, SHAM))):
                numbers[name] = _common(mapping, name, mapping.table.loc[rows, name])
        for name, value in numbers.items():
            mapping.table.loc[rows[0], name] = value
        gone += list(rows[1:])
    mapping.table = mapping.table.drop(index=gone)
    detail = f"comparisons of arms into {several.nunique()}, each with the animals of its arms"
    mapping.note("combine", "", detail, len(several) if gone else 0)


def _pooled(table, pairs):
    """n, mean and SD of each group's arms together; None where an arm lacks a number."""
    found = {}
    for arm in (*ARMS, SHAM):
        columns = [f"{name}_{arm}" for name in ("n", "mean", "sd")]
        if not set(columns) <= set(table):
            continue
        rows = ~pairs[arm].duplicated() & (pairs[arm] != NO_ROW)  # an arm may stand in several
        numbers = pd.DataFrame({name: floats(table.loc[rows, name]) for name in columns})
        if arm == SHAM:
            numbers = numbers.dropna()
        elif numbers.isna().any(axis=None):
            return None
        if len(numbers) > 1:
            found |= dict(zip(columns, map(float, combined(*numbers.to_numpy().T)), strict=True))
    return found


def _common(mapping, name, cells):
    """What arms that become one have in common: names of all, nothing where they differ."""
    different = list(dict.fromkeys(cell for cell in cells if cell != ""))
    if len(different) < 2:
        return different[0] if different else ""
    if name in NAMES:
        return " + ".join(different)
    told = ", ".join(f"{cell:g}" if isinstance(cell, float) else cell for cell in different)
    title = mapping.names.get(name, name)
    what = f"the arms that are combined here differ in {title} ({told}): it is left empty"
    remedy = "Where it matters, take `combine` out, or leave arms out"
    mapping.found.warn(cells.index == cells.index[0], cells, what, remedy)
    return ""


def name_experiments(mapping):
    """Ids that tell contrasts apart, for a group of animals may stand in several."""
    if mapping.pairs is None or len(mapping.description.contrasts) < 2:
        return
    ids = mapping.table["experiment"]
    named = ids + " (" + mapping.pairs.loc[ids.index, "contrast"] + ")"
    mapping.table["experiment"] = named.where(ids != "", "")


def count(description, outcomes):
    """A line for each contrast: how many comparisons it has, by outcome.

    Parameters
    ----------
    description : helpers.review.description.Description
    outcomes : Series of str
        Outcomes of the comparisons, by their ids.
    """
    counts = outcomes.value_counts()
    names = [o["id"] for f in description.written["families"] for o in f["outcomes"]]
    for contrast in description.contrasts.values():
        asked = [n for n in dict.fromkeys(names) if n in (contrast.outcomes or names)]
        each = {name: int(counts.get(contrast.outcome(name), 0)) for name in asked}
        listed = ", ".join(f"{k} of {name}" for name, k in each.items())
        yield f"contrast {contrast.id} ({contrast.label}): {sum(each.values())} comparisons: {listed}"
