"""Rows that count events among animals: their odds ratio, risk ratio or risk difference."""

from dataclasses import dataclass, field, replace

import pandas as pd

from helpers.review.columns import ARMS, GROUPS
from helpers.review.mapping.numbers import floats
from helpers.review.schema import fault
from helpers.sheet.files import advice
from helpers.stats.binary import COUNT_COLUMNS, binary_effects

# What the effects are that come out of it, and their scale.
NAMES = {
    "OR": ("log odds ratio", "log"),
    "RR": ("log risk ratio", "log"),
    "RD": ("risk difference", "identity"),
}
SAY = 'Say measure = "OR", "RR" or "RD" under [settings], or for the outcome'


@dataclass(frozen=True)
class Counts:
    """Where a sheet counts events.

    Attributes
    ----------
    measures : dict of str to str
        By outcome, the measure of its effects, None where none is said.
    rows : frozenset of int
    """

    measures: dict = field(default_factory=dict)
    rows: frozenset = frozenset()


def measure_of(description, outcome):
    """The measure of an outcome's events, None where neither it nor `[settings]` says one."""
    said = description.outcomes[outcome].measure if outcome in description.outcomes else None
    return said or description.events_measure


def take_events(mapping, before):
    """Effects of rows that count events, in place of what the sheet would bring itself.

    Parameters
    ----------
    mapping : object
        With ``description, table, config, found, names, cells, note, set_aside``.
    before : dict of Series
        Columns of numbers as they stood in the sheet.

    Returns
    -------
    Counts

    Notes
    -----
    A row without an effect is listed with its reason, see `helpers.stats.binary.binary_effects`.
    Where the animals without the event are counted in place of all animals, n is their sum.
    """
    table, found = mapping.table, mapping.found
    if not {f"events_{arm}" for arm in ARMS} <= set(table):
        _hold_together(mapping, {}, pd.Series(False, table.index))
        return Counts()
    counting = pd.concat([mapping.cells(f"events_{arm}") != "" for arm in ARMS], axis=1)
    # A row that counts nothing brings something else, where the sheet has columns for it.
    rows = counting.any(axis=1) | (not {"mean_treated", "mean_control", "effect"} & set(table))
    _sum_up(mapping, rows)
    cells = {name: mapping.cells(name) for name in COUNT_COLUMNS}
    whole = (table.reindex(columns=GROUPS, fill_value="") != "").all(axis=1)
    own = (mapping.cells("effect") != "") & (mapping.cells("se") != "")
    for other, what in ((whole, "means"), (own, "an effect")):
        twice = f"events stand in a row that has {what} as well"
        found.fault(rows & other, cells["events_treated"], twice, "Empty the one or the other")
    rows &= ~(whole | own)
    rows = _check(mapping, rows, cells, before)
    outcomes, measures = mapping.table["outcome"][rows], _measures(mapping, rows)
    _effects(mapping, rows, measures)
    counted = {name: measure_of(mapping.description, name) for name in outcomes.unique()}
    _hold_together(mapping, counted, rows)
    return Counts(counted, frozenset(outcomes.index))


def _sum_up(mapping, rows):
    """Number of animals where only those with and those without the event are given."""
    for arm in ARMS:
        if f"nonevents_{arm}" not in mapping.table:
            continue
        others, n = mapping.cells(f"nonevents_{arm}"), mapping.cells(f"n_{arm}")
        total = floats(others) + floats(mapping.cells(f"events_{arm}"))
        lone = rows & (n == "") & total.notna()
        mapping.table[f"n_{arm}"] = n.mask(lone, total)
        heading = mapping.names.get(f"nonevents_{arm}", f"nonevents_{arm}")
        mapping.names.setdefault(f"n_{arm}", heading)
        mapping.note("n", heading, "added to the events", lone.sum())
        unlike = rows & ~lone & total.notna() & (total != floats(n))
        what = "events and animals without one do not add up to n"
        mapping.found.fault(unlike, others, what, "Correct one of the three")


def _check(mapping, rows, cells, before):
    """Faults of counts that cannot be; rows that lack one are listed where `missing` is given."""
    reasons = pd.Series("", mapping.table.index, dtype=object)
    for name, text in cells.items():
        numbers, empty = floats(text), text == ""
        heading = mapping.names.get(name, name)
        there = before.get(name, text).map(lambda cell: f" ({cell})" if cell else "")
        reasons[rows & empty] += f", no {heading}" + there
        if mapping.config.missing is None:
            mapping.found.fault(rows & empty, text, "a number is due here", _advice)
        bad = rows & ~empty & numbers.isna()
        mapping.found.fault(bad, text, "a number is due here", _advice)
        part = rows & (numbers % 1 > 0)
        what = "this is no whole number of animals"
        mapping.found.fault(part, text, what, "Write how many animals there are, not their share")
        mapping.found.fault(rows & (numbers < 0), text, "this is below 0", "Correct it")
    for arm in ARMS:
        events, n = (cells[f"{name}_{arm}"] for name in ("events", "n"))
        more = rows & (floats(events) > floats(n))
        mapping.found.fault(
            more, events, "these are more events than animals", "Correct one of them"
        )
    if mapping.config.missing is not None:
        lacking = rows & (reasons != "")
        detail = "rows without a number that is due"
        mapping.set_aside(lacking, reasons.str[2:], "incomplete", "", detail)
    return rows.reindex(mapping.table.index)


def _advice(cell):
    return advice(str(cell))


def _measures(mapping, rows):
    """The measure of each row that counts events, empty in others; a fault where none is said."""
    outcomes = mapping.table["outcome"].where(rows, "")
    measures = outcomes.map(
        lambda outcome: measure_of(mapping.description, outcome) if outcome else ""
    )
    if measures.isna().any():
        heading = mapping.names.get("events_treated", "events_treated")
        mapping.found.lack(heading, "these are events, and no measure is said for them", SAY)
    return measures.fillna("")


def _effects(mapping, rows, measures):
    """Effect and standard error in the columns of own effects; rows without one are listed."""
    heading = mapping.names.get("events_treated", "events_treated")
    for name in ("effect", "se"):
        mapping.table[name] = mapping.cells(name)
        mapping.names.setdefault(name, heading)
    faulty = {found.key for found in mapping.found.findings if found.severity == "fault"}
    rows = rows & ~rows.index.isin(faulty)
    numbers = pd.DataFrame({name: floats(mapping.cells(name)) for name in COUNT_COLUMNS})
    for measure, (name, _) in NAMES.items():
        found = binary_effects(numbers[rows & (measures == measure)], measure=measure)
        known, none = found[found["se"].notna()], found[found["se"].isna()]
        for column in ("effect", "se"):
            mapping.table.loc[known.index, column] = [float(value) for value in known[column]]
        mapping.note("events", heading, f"as {name}", len(known))
        for note, count in known["note"][known["note"] != ""].value_counts(sort=False).items():
            mapping.note("events", heading, note, count)
        reasons = none["note"] + f": no {name}"
        none = mapping.table.index.to_series().isin(none.index)
        mapping.set_aside(none, reasons, "events", heading, f"no {name}")


def _hold_together(mapping, counted, rows):
    """What `review.toml` says of events, held against the outcomes that count some."""
    description, found = mapping.description, mapping.found.findings
    remedy = "Name the columns events_treated and events_control, or take the measure out"
    for name, outcome in description.outcomes.items():
        if outcome.measure and name not in counted and (mapping.cells("outcome") == name).any():
            place = f"families.outcomes.{name}.measure"
            what = "no row of this outcome counts events"
            found.append(fault(place, what, outcome.measure, remedy))
    if description.events_measure and not counted:
        what = "no row counts events"
        found.append(fault("settings.measure", what, description.events_measure, remedy))
    elif description.events_measure:
        there = set(mapping.cells("outcome")) & set(description.outcomes)
        if others := sorted(there - set(counted)):
            what = f"no row of {', '.join(others)} counts events: the effects there are of another kind"
            mapping.warn_of("settings.measure", what, "Say `measure` for the outcomes with events")
    own = ~rows.reindex(mapping.table.index) & (mapping.cells("effect") != "")
    own &= mapping.cells("outcome").isin(counted)
    what = "this row brings an effect of its own, and others of its outcome count events"
    mapping.found.fault(own, mapping.cells("effect"), what, "Make two outcomes of them")


def named(description, sheet):
    """The description with the names of what was computed from events."""
    outcomes = dict(description.outcomes)
    for outcome, measure in sheet.counts.measures.items():
        if outcome in outcomes and measure in NAMES:
            name, scale = NAMES[measure]
            outcomes[outcome] = replace(
                outcomes[outcome], effect_name=name, effect_scale=scale, measure=measure
            )
    return replace(description, outcomes=outcomes)
