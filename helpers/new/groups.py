"""Which columns hold n, mean and error of both groups, or effects, and of which kind errors are."""

import re
from dataclasses import replace

from helpers.new.effects import BARE, forget, take_effects, take_events
from helpers.new.errors import PLURAL, error_types, take_averages, take_kinds
from helpers.new.headings import INERT, KNOWN, QUANTITIES, Heading, read_heading, words
from helpers.new.questions import MISSING
from helpers.new.shapes.blocks import find_blocks, take_out
from helpers.review.columns import ARMS, INTERVALS

OWN = {"effect": "effect", "se": "effect_se", "variance": "effect_variance"}
EACH = {"per", "each", "pro", "je", "par", "por", "chaque", "cada"}


def find_groups(guess):
    """Error types and the numbers of both groups, or effects that the sheet brings itself."""
    error_types(guess)
    found = _headings(guess)
    for arm in ARMS:
        _group(guess, arm, found)
    for name in (f"{part}_{arm}" for part in ("low", "high", "tip", "n_error") for arm in ARMS):
        for column in guess.table:
            if guess.is_ours(name, column) and guess.free(column):
                guess.columns[name] = column
    complete = all(_measured(guess, arm) for arm in ARMS)
    effects = {c: h for c, h in found.items() if h.quantity.startswith(("effect", "ratio"))}
    any_mean = any(f"mean_{arm}" in guess.columns for arm in ARMS)
    bare = {
        c: set(guess.said[c]) for c in found
        if c not in effects and guess.free(c) and guess.holds_numbers(c) and found[c].arm not in ARMS
    }  # fmt: skip
    precise = any(h.quantity not in ("effect", "ratio") for h in effects.values()) or any(
        said and said <= BARE for said in bare.values()
    )
    if effects and precise and not any_mean:
        take_effects(guess, effects, bare)
    elif all(f"events_{arm}" in guess.columns for arm in ARMS) and not any_mean:
        take_events(guess)
    else:
        _one_n(guess)
        for arm in ARMS:
            for name in ("n", "mean", "sd"):
                there = {"sd": ("sd", "low", "tip")}.get(name, (name,))
                if name == "n" and "n" in guess.columns:
                    continue
                if not {f"{each}_{arm}" for each in there} & set(guess.columns):
                    guess.lack(f"{name}_{arm}")
        if counts := forget(guess, "events", "nonevents"):
            guess.say(f"{', '.join(counts)}: not used, for effects are computed from the means")
        take_kinds(guess, found)
        take_averages(guess, found)
        if effects and complete:
            listed = ", ".join(effects)
            guess.say(f"{listed}: not used, for effects are computed from the groups")
    take_out(guess)


def _one_n(guess):
    """One number of animals for each group, such as "n per group"."""
    if any(f"n_{arm}" in guess.columns for arm in ARMS):
        return
    counts = QUANTITIES["n"] | QUANTITIES["n_weak"]
    hits = [c for c in guess.table if EACH & {*guess.said[c]} and counts & {*guess.said[c]}]
    hits = [c for c in hits if guess.free(c) and guess.holds_numbers(c)]
    if hits:
        guess.take("n", hits, sure=False, why="it counts for both groups")


def _measured(guess, arm):
    return {f"n_{arm}", f"mean_{arm}"} <= set(guess.columns) and bool(
        {f"sd_{arm}", f"low_{arm}", f"tip_{arm}"} & set(guess.columns)
    )


def _headings(guess):
    """What each free column's heading says, the arms brought to treated and control."""
    found = {c: guess.heading(c) for c in guess.table if guess.free(c)}
    found = {
        c: h for c, h in found.items()
        if guess.holds_numbers(c) or any(guess.is_ours(f"{h.quantity}_{arm}", c) for arm in ARMS)
    }  # fmt: skip
    found |= _of_cells(found)
    _as_chosen(guess, found)
    _controls_by_substance(found)
    found = find_blocks(guess, found)
    for arm, other in (ARMS, ARMS[::-1]):
        whose = {h.arm for h in found.values() if h.quantity in ("mean", "median", "events")}
        unknown = [
            name for name in dict.fromkeys(h.arm for h in found.values())
            if name not in ("", *ARMS) and _complete(found, name)
        ]  # fmt: skip
        if arm in whose or not unknown:
            continue
        numbered = arm == "treated" and sorted(unknown) == ["1", "2"]
        if numbered or (other in whose and len(unknown) == 1):
            name = sorted(unknown)[0]
            found |= {
                c: Heading(c, h.quantity, arm, h.kind, False)
                for c, h in found.items() if h.arm == name
            }  # fmt: skip
        elif other in whose and arm == "treated":
            listed = ", ".join(unknown)
            guess.fill_in(f"several groups stand in one row ({listed}): a row for each is due")
    left = dict.fromkeys(h.arm for h in found.values() if h.arm not in ("", *ARMS))
    left = [name for name in left if _complete(found, name)]
    if left and any(guess.chosen_column(f"mean_{arm}") for arm in ARMS):
        guess.say(f"{', '.join(sorted(left))}: groups besides the two, not read")
        guess.columns_taken += [c for c, h in found.items() if h.arm in left]
    elif left and guess.columns.get("effect") is None:
        _ask_whose(guess, found, left)
    return found


def _ask_whose(guess, found, left):
    """Ask which group the treated one is compared with: control, model and drug in a row."""

    def mean_of(arm):
        return next((c for c, h in found.items() if h.arm == arm and h.quantity == "mean"), None)

    sized = [name for name in left if any(h.quantity == "n" and h.arm == name
                                          for h in found.values())]  # fmt: skip
    control, others = mean_of("control"), [mean_of(name) for name in sized]
    if not control or not mean_of("treated") or None in others or not others:
        return
    guess.ask("sheet.columns.mean_control", control, guess.table[control], others,
              f"groups besides the two are not read: {', '.join(sized)}",
              values=(control, *others))  # fmt: skip
    guess.columns_taken += [c for c, h in found.items() if h.arm in sized]


def _controls_by_substance(found):
    """A group called by what controls get, such as saline, where none is called control."""
    whose = {h.arm for h in found.values() if _complete(found, h.arm)}
    inert = whose & INERT
    if "control" not in whose and len(inert) == 1 and whose - inert - {""}:
        found |= {
            c: replace(h, arm="control", plain=False) for c, h in found.items() if h.arm in inert
        }


def _of_cells(found):
    """What headings of one word say, such as metafor's "ai", where the others stand there too."""
    lowered = {column.lower(): column for column in found}
    for known in KNOWN["cells"].values():
        there = {lowered[name]: said for name, said in known.items() if name in lowered}
        if {quantity for quantity, _ in known.values() if quantity != "nonevents"} <= {
            quantity for quantity, _ in there.values()
        } and len({arm for _, arm in there.values()}) == 2:
            return {c: Heading(c, quantity, arm, "", False) for c, (quantity, arm) in there.items()}
    return {}


def _as_chosen(guess, found):
    """Columns that a person chose; where their headings name a group, it is known by that."""
    for column, quantity in ((guess.chosen_column(name), says) for name, says in OWN.items()):
        if column in guess.table:
            found[column] = Heading(column, quantity, "", read_heading(column).kind)
    for arm in ARMS:
        for quantity in ("n", "mean", "sd", "low", "high"):
            if (column := guess.chosen_column(f"{quantity}_{arm}")) not in guess.table:
                continue
            said = read_heading(column)
            same = [c for c, h in found.items() if h.arm == said.arm not in ("", *ARMS)]
            if quantity == "mean":  # the group that was taken for this one is another then
                there = {found[c].quantity for c in same}
                found |= {
                    c: replace(h, arm=f"other {arm}") for c, h in found.items()
                    if h.arm == arm and h.quantity in there
                }  # fmt: skip
            found |= {c: replace(found[c], arm=arm, plain=False) for c in same}
            median = quantity == "mean" and said.quantity == "median"
            found[column] = Heading(column, "median" if median else quantity, arm, said.kind)
        if (column := guess.chosen_column(f"sem_{arm}")) in guess.table:
            found[column] = Heading(column, "sd", arm, "SEM")


def _group(guess, arm, found):
    """n, mean and error of a group: whole words first, SDs before SEMs, short names first."""
    mine = [h for h in found.values() if h.arm == arm]

    def options(*quantities):
        kinds = ["SD", "SEM", "CI", "IQR", "RANGE", ""]
        chosen = [h for h in mine if h.quantity in quantities]
        return sorted(
            chosen,
            key=lambda h: (
                not guess.is_ours(f"{h.quantity}_{arm}", h.column),
                quantities.index(h.quantity), -guess.share(h.column, False),
                kinds.index(h.kind), not h.plain, len(words(h.column)),
            ),
        )  # fmt: skip

    of_group = {name: (name,) for name in ("n", "mean", "sd", "events", "nonevents")}
    for name, quantities in (of_group | {"mean": ("mean", "median")}).items():
        if listed := options(*quantities):
            columns = [h.column for h in listed]
            exact = guess.is_ours(f"{name}_{arm}", columns[0])
            sure = exact or listed[0].plain
            guess.take(f"{name}_{arm}", columns, sure=sure and (exact or len(columns) == 1),
                      why=_by_row(guess, columns))  # fmt: skip
            two = [c for c in guess.filled(columns[0]) if re.search(r"±|\+/-|\d\s*\(.*\d", c)]
            if two:
                guess.fill_in(f"{columns[0]} holds two numbers in a cell ({two[0]}): say how they "
                             "are written under [sheet.split]")  # fmt: skip
    _sems_in_turn(guess, arm, options("sd"))
    _medians_in_turn(guess, arm, options("mean", "median"))
    ends = [options("low"), options("high")]
    _ends_in_turn(guess, arm, ends)
    if f"sd_{arm}" not in guess.columns and all(ends):
        for name, listed in zip(("low", "high"), ends, strict=True):
            guess.take(f"{name}_{arm}", [h.column for h in listed], sure=listed[0].plain)


def _only(guess, column, other):
    """Number of rows that have the other column only."""
    there, others = (~guess.table[c].str.lower().isin(MISSING) for c in (column, other))
    return int((others & ~there).sum())


def _by_row(guess, columns):
    """Words for columns that are filled in turn, such as means and medians."""
    if len(columns) < 2 or not (count := _only(guess, *columns[:2])):
        return ""
    return (
        f"{count} rows have {columns[1]} only and are left out: bring both into one column, with a "
        "second one that says which it is"
    )


def _sems_in_turn(guess, arm, options):
    """SEMs in the rows that have no SD: both columns are read."""
    kinds = {h.kind: h.column for h in reversed(options)}
    if {"SD", "SEM"} <= {*kinds} and not any(c.startswith("error_type") for c in guess.columns):
        _in_turn(
            guess, arm, ("sd", kinds["SD"]), ("sem", kinds["SEM"]), "SD, and their SEM is converted"
        )


def _medians_in_turn(guess, arm, options):
    """Medians in the rows that have no mean: both columns are read."""
    found = {h.quantity: h.column for h in reversed(options)}
    if {"mean", "median"} <= {*found}:
        _in_turn(guess, arm, ("mean", found["mean"]), ("median", found["median"]), "mean")


def _in_turn(guess, arm, usual, other, lacking):
    """A second column where the usual one is empty, which is a question."""
    (name, column), (instead, second) = usual, other
    setting, taken = f"sheet.columns.{instead}_{arm}", f"{name}_{arm}"
    if guess.columns.get(taken) != column or not (count := _only(guess, column, second)):
        return
    if not guess.answer(setting, second):
        return
    guess.columns[f"{instead}_{arm}"] = second
    guess.instead[taken].remove(second)
    guess.questions = [q for q in guess.questions if q.setting != f"sheet.columns.{taken}"]
    guess.ask(setting, f"{second} where {column} is empty", guess.table[second], "not read",
              f"{count} rows have no {lacking}", values=(second, None))  # fmt: skip


def _ends_in_turn(guess, arm, ends):
    """Both ends of an interval in the rows that have neither SD nor SEM."""
    usual = [guess.columns.get(f"{name}_{arm}") for name in ("sd", "sem")]
    usual = [column for column in usual if column in guess.table]
    for kind, names in INTERVALS.items():
        pair = [next((h.column for h in listed if h.kind == kind), None) for listed in ends]
        if not usual or not all(pair):
            continue
        empty = guess.table[usual].map(lambda cell: cell.lower() in MISSING).all(axis=1)
        there = ~guess.table[pair].map(lambda cell: cell.lower() in MISSING).any(axis=1)
        settings = [f"sheet.columns.{name}_{arm}" for name in names]
        if not (count := int((empty & there).sum())) or not guess.answer(settings[0], pair[0]):
            continue
        why = f"{count} rows have no {usual[0]}, and {PLURAL[kind]} are converted"
        for name, setting, column in zip(names, settings, pair, strict=True):
            guess.columns[f"{name}_{arm}"] = column
            guess.ask(setting, f"{column} where {usual[0]} is empty", guess.table[column],
                      "not read", why, values=(column, None))  # fmt: skip


def _complete(found, arm):
    """Whether a group has what an effect is computed from; both ends are an error too."""
    there = {h.quantity for h in found.values() if h.arm == arm}
    there |= {"mean"} if "median" in there else set()
    error = "sd" in there or {"low", "high"} <= there
    return "events" in there or ("mean" in there and error)
