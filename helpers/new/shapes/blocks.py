"""Several groups, outcomes or days beside each other in a row: a block of columns for each."""

import re
from dataclasses import dataclass, replace

from helpers.new.headings import INERT, OF_ARMS, OTHER_ARMS, left_over, read_heading, words
from helpers.review.columns import ARMS

MEASURED = ("n", "mean", "sd", "low", "high")
NOUNS = {"group", "groups", "arm", "arms", "the", "of", "in", "gruppe", "groupe", "grupo", "gruppo"}
DAYS = {"day": 1, "days": 1, "d": 1, "dpi": 1, "tag": 1, "tage": 1, "jour": 1, "jours": 1, "dia": 1,
        "dias": 1, "week": 7, "weeks": 7, "wk": 7, "w": 7, "woche": 7, "wochen": 7, "semaine": 7,
        "semaines": 7, "semana": 7, "semanas": 7}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """A group of animals in a row: its arm ("" where unknown), what else names it, its columns."""

    arm: str
    label: tuple
    columns: dict

    @property
    def is_whole(self):
        """Whether an effect can be computed of it."""
        there = set(self.columns)
        return "mean" in there and ("sd" in there or {"low", "high"} <= there)


def find_blocks(guess, found):
    """Headings of one block for all, and the blocks in `guess.blocks`, where a row holds several.

    Two readings are known: several treated groups against one control, whose names become the
    moderator `arm`; both groups for each of several outcomes or days. All of it is one question.

    Parameters
    ----------
    guess : helpers.new.questions.Guesses
    found : dict of str to Heading

    Returns
    -------
    dict of str to Heading
    """
    groups = _groups(guess, found)
    whole = [group for group in groups if group.is_whole]
    plain = [group.arm for group in whole if not group.label]
    if {*ARMS} <= {*plain} or any(guess.chosen_column(f"mean_{arm}") for arm in ARMS):
        return found
    controls = [group for group in whole if group.arm == "control"]
    treated = [group for group in whole if group.arm != "control"]
    pairs = [(group, _control_of(group, controls)) for group in treated]
    pairs = [(group, control) for group, control in pairs if control]
    arms = all(not control.label for _, control in pairs)
    both = all(control.label == group.label for group, control in pairs)
    if len(pairs) < 2 or not (arms or both) or not guess.answer("sheet.blocks", True):
        return found
    labels = [_shown(group, guess) for group, _ in pairs]
    days = [_days(label) for label in labels]
    if both and None not in days and len(set(days)) == len(days):
        constants, kind = [{"follow_up_days": day} for day in days], "days"
    elif both:
        if _has_outcomes(guess):
            return found
        guess.block_outcomes = labels
        constants, kind = [{"outcome": label} for label in labels], "outcomes"
    else:
        guess.block_arms = labels
        constants, kind = [{"arm": label} for label in labels], "groups against one control"
    guess.blocks = [
        {"columns": _named(group, "treated") | (_named(control, "control") if both else {}),
         "constants": constant}
        for (group, control), constant in zip(pairs, constants, strict=True)
    ]  # fmt: skip
    guess.ask("sheet.blocks", f"{kind} beside each other in a row: {', '.join(labels)}", (),
              "not", values=(True, False))  # fmt: skip
    return _of_first(guess, found, pairs, both)


def _groups(guess, found):
    found |= _beside_names(guess, found)
    groups = {}
    for column, heading in found.items():
        if not heading.quantity or heading.quantity.startswith(("effect", "ratio")):
            continue
        arm = heading.arm if heading.arm in ARMS else ""
        label = guess.group_labels.get(column) or left_over(guess.parts.get(column, column))
        if arm == "control":
            label = tuple(word for word in label if word not in INERT)
        if not arm and (not label or set(label) & OTHER_ARMS):
            continue
        quantity = "mean" if heading.quantity == "median" else heading.quantity
        groups.setdefault((arm, label), {}).setdefault(quantity, column)
    # "n low" beside "mean treated low": a number of animals whose group is named by its label.
    return [Group(arm, label, columns) for (arm, label), columns in groups.items()]


def _beside_names(guess, found):
    """Headings that say a quantity once the name of a group, known by its mean, is taken away."""
    means = {
        left_over(guess.parts.get(c, c)): h.arm for c, h in found.items() if h.quantity == "mean"
    }
    more = {}
    for column in guess.table:
        silent = column not in found or not found[column].quantity
        if not silent or not guess.free(column) or not guess.holds_numbers(column):
            continue
        for label, arm in means.items():
            if not label or not set(label) <= set(guess.said[column]):
                continue
            bare = column
            for word in label:
                bare = re.sub(
                    rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", " ", bare, count=1, flags=re.I
                )
            said = read_heading(bare if arm in ARMS else f"treated {bare}")
            if said.quantity in MEASURED and said.arm in ("treated", arm):
                more[column] = replace(said, column=column, arm=arm, plain=False)
                guess.group_labels[column] = label
    return more


def _control_of(group, controls):
    """The control whose name says no more than the group's, the one that shares most of it."""
    fits = [each for each in controls if set(each.label) <= set(group.label)]
    return max(fits, key=lambda each: len(each.label), default=None)


def _named(group, arm):
    return {f"{name}_{arm}": group.columns[name] for name in MEASURED if name in group.columns}


def _shown(group, guess):
    """A group's name as the sheet writes it: its heading without the words for what it measures."""
    column = group.columns["mean"]
    column = guess.parts.get(column, column)
    gone = set(words(column)) - set(group.label) - (OF_ARMS - NOUNS)
    tokens = [
        token for token in re.finditer(r"[A-Za-z][^\W\d_A-Z]*|[^\W\d_]+|\d+", column)
        if not set(words(token[0])) <= gone
    ]  # fmt: skip
    text = column[tokens[0].start() : tokens[-1].end()] if tokens else ""
    whole = all(word in map(str.casefold, re.findall(r"[^\W_]+", text)) for word in group.label)
    return text if whole and not set(words(text)) & gone else " ".join(group.label)


def _days(label):
    """The day that a label such as "day 7", "7d" or "week 4" names, None where it names none."""
    match = re.fullmatch(r"([a-z]+)\W*(\d+)|(\d+)\W*([a-z]+)", label.casefold().strip())
    factor = DAYS.get(match[1] or match[4]) if match else None
    return factor and int(match[2] or match[3]) * factor


def _has_outcomes(guess):
    """Whether a column already says what was measured."""
    return any({"outcome", "endpoint"} & set(said) for said in guess.said.values())


def _of_first(guess, found, pairs, both):
    """The headings with the first block's columns as the treated group's, and no other block's."""
    taken = {c for block in guess.blocks for c in block["columns"].values()}
    guess.instead["blocks"] = sorted(taken)
    kinds = {found[c].kind for c in taken if found[c].quantity in ("sd", "low", "high")}
    kept = {c: h for c, h in found.items() if c not in taken and h.arm in ("", *ARMS)}
    # What else the headings name beside the groups is no group of its own.
    shared = {c for _, control in pairs for c in control.columns.values()}
    kept = {c: h for c, h in kept.items() if c in shared or h.arm not in ARMS or not left_over(c)}
    first = pairs[0]
    for group, arm in zip(first if both else first[:1], ARMS, strict=False):
        for column in group.columns.values():
            kind = found[column].kind if len(kinds) == 1 else ""
            kept[column] = replace(found[column], arm=arm, kind=kind, plain=True)
            guess.instead["blocks"].remove(column)
    return kept


def take_out(guess):
    """The blocks' own columns are not those of all rows; their questions are that of the blocks."""
    names = {name for block in guess.blocks for name in block["columns"]}
    for name in names & set(guess.columns):
        column = guess.columns.pop(name)
        guess.instead.pop(name, None)
        guess.instead["blocks"].append(column)
    asked = {f"sheet.columns.{name}" for name in names}
    guess.questions = [each for each in guess.questions if each.setting not in asked]
