"""Which columns hold n, mean and error of both groups, or effects, and of which kind errors are."""

import re
from dataclasses import replace

from helpers.new.headings import (
    EFFECTS,
    INERT,
    KINDS,
    KNOWN,
    QUANTITIES,
    Heading,
    error_kinds,
    read_heading,
    words,
)
from helpers.new.questions import MISSING, OURS
from helpers.new.shapes.blocks import find_blocks, take_out
from helpers.review.columns import ARMS, INTERVALS
from helpers.review.columns import KINDS as OF_CELLS
from helpers.review.schema import FILL_IN

# An effect's precision under a heading that does not name the effect again.
BARE_SE = KINDS["SEM"] | {"standard", "error", "std", "err"}
BARE_VARIANCE = set(KNOWN["effects"]["bare_variance"])
BARE_ENDS = (
    QUANTITIES["low"] | QUANTITIES["high"] | KINDS["CI"] | set(KNOWN["effects"]["bare_ends"])
)
BARE = BARE_SE | BARE_VARIANCE | BARE_ENDS
OWN = {"effect": "effect", "se": "effect_se", "variance": "effect_variance"}
EACH = {"per", "each", "pro", "je", "par", "por", "chaque", "cada"}
FEW = 30  # different words for kinds of error
ONE = {"CI": ", half the width of one", "IQR": ", the whole width"}
PLURAL = {"SD": "SDs", "SEM": "SEMs", "CI": "CIs", "IQR": "IQRs", "RANGE": "ranges"}


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
        _effects(guess, effects, bare)
    elif all(f"events_{arm}" in guess.columns for arm in ARMS) and not any_mean:
        _events(guess)
    else:
        _one_n(guess)
        for arm in ARMS:
            for name in ("n", "mean", "sd"):
                there = {"sd": ("sd", "low", "tip")}.get(name, (name,))
                if name == "n" and "n" in guess.columns:
                    continue
                if not {f"{each}_{arm}" for each in there} & set(guess.columns):
                    guess.lack(f"{name}_{arm}")
        if counts := _forget(guess, "events", "nonevents"):
            guess.say(f"{', '.join(counts)}: not used, for effects are computed from the means")
        _error_kinds(guess, found)
        _averages(guess, found)
        if effects and complete:
            listed = ", ".join(effects)
            guess.say(f"{listed}: not used, for effects are computed from the groups")
    take_out(guess)


def _events(guess):
    """Events of animals; which measure is computed of them is a question."""
    _forget(guess, "sd", "low", "high")
    for arm in ARMS:
        if f"n_{arm}" not in guess.columns and f"nonevents_{arm}" not in guess.columns:
            guess.lack(f"n_{arm}")
    guess.measure = guess.answer("settings.measure", "OR")
    cells = guess.table[guess.columns["events_treated"]]
    guess.ask("settings.measure", "odds ratios of the events", cells, ("RR", "RD"),
              values=("OR", "RR", "RD"))  # fmt: skip


def _forget(guess, *names):
    """Take back what was found for both groups."""
    columns = {
        f"{name}_{arm}": guess.columns.pop(f"{name}_{arm}", None) for arm in ARMS for name in names
    }
    settings = {f"sheet.columns.{name}" for name in columns}
    guess.questions = [each for each in guess.questions if each.setting not in settings]
    return [column for column in columns.values() if column]


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
    left = {h.arm for h in found.values()} - {"", *ARMS}
    left = [name for name in left if _complete(found, name)]
    if left and any(guess.chosen_column(f"mean_{arm}") for arm in ARMS):
        guess.say(f"{', '.join(sorted(left))}: groups besides the two, not read")
    return found


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
    setting = f"sheet.columns.sem_{arm}"
    if any(name.startswith("error_type") for name in guess.columns) or not {"SD", "SEM"} <= {
        *kinds
    }:
        return
    sd, sem = kinds["SD"], kinds["SEM"]
    if guess.columns[f"sd_{arm}"] == sd and (count := _only(guess, sd, sem)):
        if not guess.answer(setting, sem):
            return
        guess.columns[f"sem_{arm}"] = sem
        guess.instead[f"sd_{arm}"].remove(sem)
        guess.questions = [q for q in guess.questions if q.setting != f"sheet.columns.sd_{arm}"]
        why = f"{count} rows have no SD, and their SEM is converted"
        guess.ask(setting, f"{sem} where {sd} is empty", guess.table[sem], "not read", why,
                  values=(sem, None))  # fmt: skip


def _medians_in_turn(guess, arm, options):
    """Medians in the rows that have no mean: both columns are read."""
    found = {h.quantity: h.column for h in reversed(options)}
    setting, (mean, median) = f"sheet.columns.median_{arm}", map(found.get, ("mean", "median"))
    if (
        guess.columns.get(f"mean_{arm}") != mean
        or not median
        or not (count := _only(guess, mean, median))
    ):
        return
    if not guess.answer(setting, median):
        return
    guess.columns[f"median_{arm}"] = median
    guess.instead[f"mean_{arm}"].remove(median)
    guess.questions = [q for q in guess.questions if q.setting != f"sheet.columns.mean_{arm}"]
    why = f"{count} rows have no mean"
    guess.ask(setting, f"{median} where {mean} is empty", guess.table[median], "not read", why,
              values=(median, None))  # fmt: skip


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


def error_types(guess):
    """Columns that say of which kind errors and averages are, known by their cells."""
    for column in guess.table:
        said, cells = set(guess.said[column]), guess.filled(column)
        different = dict.fromkeys(cells)
        if len(different) > FEW:
            continue
        name = re.sub(r"[\s_]+", "_", column.lower())
        arm = read_heading(re.sub(r"(?i)[\s_]*types?$", "", column)).arm
        arm = f"_{arm}" if arm in ARMS else ""
        odd = [cell for cell in different if not error_kinds(words(cell))]
        if name in OURS and name.startswith(OF_CELLS):
            guess.columns[name] = column
        elif _says_errors(said, cells) and guess.share(column) < 0.5:
            why = f"{', '.join(odd[:3])}: no kind of error" if odd else ""
            guess.take(f"error_type{arm}", [column], sure=False, why=why)
        elif cells and {cell.lower() for cell in cells} <= {"mean", "median", "average"}:
            guess.take(f"average_type{arm}", [column], sure=False)


def _says_errors(said, cells):
    """Whether cells name kinds of error; SD is a strain of rats as well."""
    kinds = [error_kinds(words(cell)) for cell in cells]
    if not any(kinds) or said & ({"animal", "animals"} | set(KNOWN["words"]["coded"]) - {"type"}):
        return False
    if said & (
        set(KNOWN["words"]["error_type"]) | QUANTITIES["error"] | KINDS["SD"] | KINDS["SEM"]
    ):
        return sum(map(bool, kinds)) > 0.5 * len(cells)
    return all(kinds) and any(kind != {"SD"} for kind in kinds)


def _error_kinds(guess, found):
    """The kind of error by the headings, where no column says it; never a default."""
    if any(name.startswith("error_type") for name in guess.columns):
        return
    kinds = {}
    for arm in ARMS:
        columns = [guess.columns.get(f"{name}_{arm}") for name in ("sd", "low", "high")]
        columns = [c for c in columns if c in found]
        if columns:
            said = {found[c].kind for c in columns}
            kinds[arm] = said.pop() if len(said) == 1 else "", columns
    if not kinds or (all(kind == "SD" for kind, _ in kinds.values()) and not guess.split):
        return
    same = len({kind for kind, _ in kinds.values()}) == 1
    for arm, (kind, columns) in kinds.items():
        name = "error_type" if same else f"error_type_{arm}"
        listed = columns if not same else [c for _, cs in kinds.values() for c in cs]
        if name not in guess.constants:
            say_kind(guess, name, kind, listed)


def say_kind(guess, name, kind, columns):
    """The kind of error of columns as a constant, asked; to be filled in where it is not said."""
    setting = f"sheet.constants.{name}"
    guess.constants[name] = guess.answer(setting, kind or FILL_IN)
    choices = [(f"{words}{ONE.get(other, '')}", other) for other, words in PLURAL.items()
               if other != kind]  # fmt: skip
    if not kind:
        guess.fill_in(f"say {name} under [sheet.constants] (SD, SEM, CI, IQR or RANGE): "
                     f"the heading {columns[0]!r} does not say it", setting, choices)  # fmt: skip
    else:
        guess.ask(setting, f"{PLURAL[kind]} in {', '.join(columns)}", guess.table[columns[0]],
                  [k for k in ("SD", "SEM") if k != kind],
                  choices=[(f"{PLURAL[kind]}, as the headings say", kind), *choices])  # fmt: skip


def _averages(guess, found):
    """Medians by the heading."""
    if any(name.startswith("average_type") for name in guess.columns):
        return
    chosen = {arm: guess.columns.get(f"mean_{arm}") for arm in ARMS}
    medians = {arm: c for arm, c in chosen.items() if "median" in words(c or "")
               or (c in found and found[c].quantity == "median")}  # fmt: skip
    for arm, column in medians.items():
        name = "average_type" if len(medians) == 2 else f"average_type_{arm}"
        if name in guess.constants:
            continue
        setting = f"sheet.constants.{name}"
        if {"mean", "average"} & set(words(column)):
            guess.constants[name] = guess.answer(setting, FILL_IN)
            guess.fill_in(f"say {name} under [sheet.constants] (mean or median): the heading "
                         f"{column!r} says both", setting,
                         (("means", "mean"), ("medians", "median")))  # fmt: skip
        else:
            guess.constants[name] = guess.answer(setting, "median")
            guess.ask(setting, f"medians in {column}", guess.table[column], "means",
                      values=("median", "mean"))  # fmt: skip


def _effects(guess, found, bare):
    """Effects that the sheet brings; a variance is no standard error, a ratio no logarithm."""
    _forget(guess, "mean", "sd", "low", "high", "events", "nonevents")  # n may be there
    effects = [c for c, h in found.items() if h.quantity == "effect"]
    errors = [c for c, h in found.items() if h.quantity == "effect_se"]
    errors += [c for c, said in bare.items() if said and said <= BARE_SE]
    variances = [c for c, h in found.items() if h.quantity == "effect_variance"]
    variances += [c for c, said in bare.items() if said and said <= BARE_VARIANCE]
    effects.sort(key=lambda c: not guess.is_ours("effect", c))
    errors.sort(key=lambda c: not guess.is_ours("se", c))
    ratios = [c for c, h in found.items() if h.quantity == "ratio"]
    if effects:
        guess.take("effect", effects)
        said = set(guess.said[effects[0]])
        logs = bool(said & {"log", "ln"}) or "".join(said).startswith(("ln", "log", "lrr"))
        guess.effect_name = guess.answer("sheet.effect_name", guess.columns["effect"])
        scales = ("log", "identity") if logs else ("identity", "log")
        guess.effect_scale, cells = (
            guess.answer("sheet.effect_scale", scales[0]),
            guess.table[effects[0]],
        )
        why = "what they measure: a log hazard ratio, an SMD, ..."
        guess.ask("sheet.effect_name", guess.effect_name, cells, (), why,
                  values=(guess.effect_name,))  # fmt: skip
        guess.ask("sheet.effect_scale", scales[0], cells, scales[1], values=scales)
    elif ratios:
        guess.take("ratio", ratios)
        known = [
            name
            for word, name in KNOWN["effects"]["names"].items()
            if word in guess.said[ratios[0]]
        ]
        guess.effect_name = guess.answer("sheet.effect_name", (known or [f"log {ratios[0]}"])[0])
        guess.effect_scale = "log"
        why = "what they measure: a log hazard ratio, a log odds ratio, ..."
        guess.ask("sheet.effect_name", guess.effect_name, guess.table[ratios[0]], (), why,
                  values=(guess.effect_name,))  # fmt: skip
    else:
        guess.lack("effect")
    if errors:
        guess.take("se", errors)
        if variances:
            guess.instead["se"] += variances
    elif variances:
        guess.take("variance", variances)
    else:
        _ends(guess, "effect" if effects else "ratio", found, bare)


def _ends(guess, kind, found, bare):
    """Both ends of an effect's interval."""
    listed = [c for c, h in found.items() if h.quantity == "effect_end"]
    listed += [c for c, said in bare.items() if said and said <= BARE_ENDS]
    sides = [
        [c for c in listed if words_ & set(guess.said[c])]
        for words_ in (
            QUANTITIES["low"] | EFFECTS["lower_end"], QUANTITIES["high"] | EFFECTS["upper_end"],
        )
    ]  # fmt: skip
    if not all(sides) or not (effect := guess.columns.get(kind)) or effect == FILL_IN:
        guess.lack("se", f": {', '.join(listed)} may be the ends of its interval" if listed else "")
        return
    for name, columns in zip(("low", "high"), sides, strict=True):
        guess.take(f"{kind}_{name}", columns, why="an end of the 95% interval")


def _complete(found, arm):
    """Whether a group has what an effect is computed from; both ends are an error too."""
    there = {h.quantity for h in found.values() if h.arm == arm}
    there |= {"mean"} if "median" in there else set()
    error = "sd" in there or {"low", "high"} <= there
    return "events" in there or ("mean" in there and error)
