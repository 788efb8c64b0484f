"""The project's columns: which of the sheet's they are, and the words in them."""

import re

import pandas as pd

from helpers.problems import ReviewError, block_of, nearest
from helpers.review.columns import (
    ARM,
    ARMS,
    COLUMNS,
    EVENTS,
    GOVERNING,
    GROUPS,
    IDS,
    IN_PLACE,
    IN_TURN,
    LEVEL,
    MODERATOR,
    NUMBERS,
    OWN_EFFECT,
)
from helpers.review.error_types import average_kind, error_kind
from helpers.review.mapping.working import as_text, joined, matches
from helpers.review.schema import fault

# Settings of [sheet] that say something of one of the project's columns each.
BY_COLUMN = ("columns", "constants", "values", "divide")
# Columns that say what numbers are: of which number, how a word is read, and what is understood
# without one.
READERS = {"error_type": ("sd", error_kind, "SD"), "average_type": ("mean", average_kind, "MEAN")}
FEW = 12  # different words in a column of such words
OTHERS = "*"  # in [sheet.values]: all words that are not named


def choose(mapping):
    """Take what is needed under the project's names."""
    columns = mapping.config.columns | mapping.of_blocks
    constants = mapping.config.constants
    moderators = mapping.description.moderators
    _know_all(mapping)
    # A column of the sheet that happens to be called `n` or `low` is taken only when named.
    counts = [f"{name}_{arm}" for name in EVENTS for arm in ARMS]
    of_group = [name for name in ARM if mapping.config.long and name not in IN_TURN]
    taken = [*COLUMNS, *counts, *of_group, *columns, *constants]
    taken = [name for name in taken if not _is_moderator_only(mapping, name)]
    wanted = {name: (name, columns.get(name, name)) for name in taken}
    for name, moderator in moderators.items():
        source = moderator.column or columns.get(name, name)
        wanted[MODERATOR + name] = (name, source)
    chosen, index = _level_columns(mapping), mapping.table.index
    for key, (name, source) in wanted.items():
        sources = source if isinstance(source, list) else [source]
        # A moderator that names its column means that one, whatever its id means elsewhere.
        own = key != name and moderators[name].column
        again = key != name and name in wanted and not own  # one column for both
        if name in constants and not own:
            chosen[key] = as_text(constants[name])
            if not again:
                mapping.note("constant", name, f"{constants[name]!r} in every row", len(index))
        elif set(sources) <= set(mapping.table):
            chosen[key] = joined(mapping.table, sources, " ")
            mapping.names[key], mapping.sources[key] = " + ".join(sources), sources
            if mapping.raw.twice & set(sources):
                _lack(mapping, name, source, "stands over several columns")
            _warn_of_lengths(mapping, key, sources)
            if source != name and not again and name not in mapping.of_blocks:
                mapping.note("rename", name, f"is {mapping.names[key]}", len(index))
        elif (key, source) == ("experiment", "row"):
            chosen[key] = [mapping.row_name(row) for row in index]
            mapping.note("number", name, "named by their rows", len(index))
        elif own or (name in columns and not again):
            _lack(mapping, name, source, "is not there")
        if again and name in GOVERNING and key in chosen:
            what = f"the column {name} is read as the moderator and as the project's {name}"
            remedy = "If that is not meant, rename it in the sheet and name it by `column` there"
            mapping.warn_of(f"moderators.{name}", what, remedy)
    _read_kinds(mapping, chosen)
    needed = [("experiment",), ("study",), ("outcome",)]
    named = {*chosen, *(set(columns) & set(wanted))}
    each = [""] if mapping.config.long else ["_treated", "_control"]
    if {f"events{arm}" for arm in each} <= named:
        needed += [(f"n{arm}", f"nonevents{arm}") for arm in each]
    elif not (
        {"effect", "ratio"} & named and {"se", "variance", "effect_low", "ratio_low"} & named
    ):
        for arm in each:
            needed += [
                (f"n{arm}", "n"),  # one number of animals may count for both groups
                (f"mean{arm}", f"median{arm}"),
                tuple(f"{name}{arm}" for name in ("sd", "sem", "tip", "low", *IN_TURN)),
            ]
    for name, *instead in needed:
        if not {name, *instead} & {*chosen, *(set(columns) & set(wanted))}:
            _lack(mapping, name, name, "is missing")
    for name, moderator in moderators.items():
        if MODERATOR + name not in chosen and not moderator.column:
            what = "the sheet has no such column"
            remedy = f"{nearest(name, mapping.table)} (name it under [sheet.columns])"
            mapping.warn_of(f"moderators.{name}", what, remedy)
    if mapping.of_blocks and "experiment" in mapping.sources:
        _number_blocks(mapping, chosen)
    mapping.found.refuse()
    mapping.before, mapping.table = mapping.table, pd.DataFrame(chosen, index, dtype=object)


def _read_kinds(mapping, chosen):
    """Faults of columns that say what errors or averages are, and that nobody has named.

    A column whose words all are what is understood without it changes nothing.
    """
    used = {column for sources in mapping.sources.values() for column in sources}
    arms = ("", *(f"_{arm}" for arm in ARMS))
    for kind, (number, reader, usual) in READERS.items():
        names = [kind + arm for arm in arms]
        if {*names} & {*chosen} or not {number + arm for arm in arms} & {*chosen}:
            continue
        for column in mapping.table.columns.difference(used, sort=False):
            cells = mapping.table[column].unique()
            called = re.sub(r"[\W_]+", "", column.casefold())
            name = next((name for name in names if name.replace("_", "") == called), None)
            said = {reader(cell) for cell in cells if cell} if name or len(cells) <= FEW else set()
            if name and said - {usual}:
                what = f"this column says what the {kind.split('_')[0]}s are, and is not read"
                remedy = f'Say {name} = "{column}" under [sheet.columns], or {kind} = "{usual}" '
                remedy += "under [sheet.constants] where it does not speak of these numbers"
                mapping.found.lack(column, what, remedy)
            elif kind == "error_type" and said - {usual} and None not in said:
                what = f"this column speaks of {', '.join(sorted(said))}, and is not read"
                remedy = (
                    f'Say error_type = "{column}" under [sheet.columns] if it is of these errors'
                )
                mapping.found.lack(column, what, remedy, "warning")


def _warn_of_lengths(mapping, key, sources):
    """A figure's points are places on its axis, which no error is."""
    error, _, arm = key.partition("_")
    if error in ("sd", "sem") and set(sources) <= mapping.digitised:
        what = "a digitised point says where an error bar ends, not how long it is"
        remedy = f"Name it as {f'tip_{arm}' if arm else 'tip'} under [sheet.columns]"
        mapping.found.lack(mapping.names[key], what, remedy, "warning")


def _number_blocks(mapping, chosen):
    """Ids of rows that were read once for each block are made unique, unless the blocks bring them."""
    if "experiment" not in mapping.of_blocks:
        ids = chosen["experiment"]
        number = [f" ({block_of(row) + 1})" for row in ids.index]
        chosen["experiment"] = ids.where(
            ids == "", ids + pd.Series(number, ids.index, dtype=object)
        )


def _know_all(mapping):
    """Refuse, all at once, what `review.toml` says about columns that the project has not."""
    config, moderators = mapping.config, mapping.description.moderators
    known = [
        *COLUMNS,
        *IN_PLACE,
        *ARM,
        *(f"{name}_{arm}" for name in ARM for arm in ARMS),
        *moderators,
    ]
    places = {f"sheet.{name}": getattr(config, name) for name in BY_COLUMN}
    for entry in config.blocks:
        places["sheet.blocks"] = places.get("sheet.blocks", {}) | entry["columns"]
        places["sheet.blocks"] |= entry.get("constants", {})
    faults = [
        fault(f"{place}.{name}", "there is no such column", remedy=nearest(name, known))
        for place, names in places.items()
        for name in names
        if name not in known
    ]
    shown = [*COLUMNS, "outcome_scale", *moderators]
    faults += [
        fault(f"forest_columns.{name}", "there is no such column", remedy=nearest(name, shown))
        for name in mapping.description.config.get("forest_columns", {})
        if name not in shown
    ]
    if faults:
        raise ReviewError(faults)


def _level_columns(mapping):
    """Cells of the columns that the levels of `[model]` name, by a key of their own.

    A heading of the sheet, or a column of the project's by its own name.
    """
    found, columns = {}, mapping.config.columns
    for name in mapping.description.level_columns:
        source = name if name in mapping.table else columns.get(name)
        if not isinstance(source, str) or source not in mapping.table:
            what, remedy = "the sheet has no such column", nearest(name, mapping.table)
            raise ReviewError([fault("model", what, name, remedy)])
        found[LEVEL + name] = mapping.table[source]
        mapping.names[LEVEL + name] = source
    return found


def _is_moderator_only(mapping, name):
    """Whether an id of a moderator is not meant to name a column of the project's as well.

    Levels are no numbers, and the columns of `ARM` are read only where they are named.
    """
    moderator = mapping.description.moderators.get(name)
    if moderator is None:
        return False
    if name not in COLUMNS:
        return name not in ARM or not mapping.config.long
    optional = name in NUMBERS and name not in GROUPS
    return bool(moderator.levels) and optional and name not in mapping.config.columns


def _lack(mapping, name, source, what):
    remedy = "Add it, or name the right one in review.toml under [sheet.columns]"
    remedy += ' (or say experiment = "row" there)' if name == "experiment" else ""
    remedy += f"; the sheet has {', '.join(mapping.table)}"
    mapping.found.lack(str(source), f"the column for {name} {what}", remedy)


def prefer_groups(mapping):
    """Empty an effect that stands beside whole group data, unless `[sheet.columns]` names it."""
    if set(OWN_EFFECT) <= set(mapping.table) and "effect" not in mapping.config.columns:
        whole = (mapping.table.reindex(columns=GROUPS, fill_value="") != "").all(axis=1)
        mapping.table.loc[whole, [*OWN_EFFECT]] = ""
        detail = "computed anew where all group data are there"
        mapping.note("effect", "effect", detail, whole.sum())


def replace_values(mapping):
    """Bring spelling variants to one by `[sheet.values]`; `"*"` stands for all other words."""
    for name, values in mapping.config.values.items():
        known = (name, f"{name}_treated", f"{name}_control", MODERATOR + name)
        columns = [column for column in known if column in mapping.table]
        mapping.known("values", [] if columns else [name], mapping.table)
        before = mapping.table[columns].copy()
        told = pd.DataFrame(False, before.index, columns)
        for old, new in sorted(values.items(), key=lambda pair: pair[0] == OTHERS):
            if old == OTHERS:
                fits = ~told & (before != "") & ~before.isin([*map(as_text, values.values())])
            else:
                fits = before.apply(matches, words=[old]) & ~told
            mapping.note("value", name, f"{old!r} is {as_text(new)!r}", fits.sum().sum())
            if not fits.any(axis=None):
                mapping.warn(f"values.{name}", f"{old!r} matches no cell")
            told |= fits
            mapping.table[columns] = mapping.table[columns].mask(fits, as_text(new))


def empty_what_is_missing(mapping):
    """Empty the ids and moderators that are not reported, as `missing` has it."""
    levels = {MODERATOR + name: m.levels for name, m in mapping.description.moderators.items()}
    for name in mapping.table.columns.intersection([*IDS, *levels]):
        cells = mapping.table[name]
        gone = (cells != "") & mapping.is_missing(cells) & ~cells.isin(levels.get(name, ()))
        if gone.any():
            mapping.note("missing", name.removeprefix(MODERATOR), "not reported", gone.sum())
            mapping.table[name] = cells.mask(gone, "")
