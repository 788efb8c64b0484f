"""Which columns are keys: study, outcome, cohort, control group, day, experiment and sign."""

import re

from helpers.new.headings import ARM_OF, KINDS, KNOWN, QUANTITIES
from helpers.review.columns import CONTROL
from helpers.sheet.stacking import SHEET

YES, NO = (set(KNOWN["words"][name]) for name in ("yes", "no"))
LOWER, HIGHER = (set(KNOWN["words"][f"{side}_is_better"]) for side in ("lower", "higher"))
NO_STUDY = {"design", "type", "quality", "arm", "group", "duration", "country", "aim", "title",
            "phase", "population", "period", "setting", "kind", "random", "funding", "line",
            "n", *QUANTITIES["mean"], *QUANTITIES["median"], *KINDS["SD"], *KINDS["SEM"]}  # fmt: skip
AUTHORS = set(KNOWN["keys"]["author"])
NO_OUTCOME = {"were", "was", "is", "assessment", "assessor", "assessed", "blinded", "blinding",
              "random", "reporting", "incomplete", "date", "unit", "units", "group",
              "direction"}  # fmt: skip


def find_keys(guess):
    """Keys by their names; an experiment's is unique, a study's is not if it can be helped."""
    _study(guess)
    _outcome(guess)
    for name in ("cohort", "control_group", "follow_up_days", "experiment"):
        if (chosen := guess.chosen_column(name)) in guess.table:
            guess.columns[name] = chosen
            continue
        hits = [c for c in guess.table if _fits(guess, name, c)]
        hits += [c for c in guess.table if guess.free(c) and _cohort_of(guess, c) == name]
        hits.sort(key=lambda c: not guess.is_ours(name, c))
        if name == "control_group":
            substances = [c for c in hits if _names_substances(guess, c)]
            hits = [c for c in hits if c not in substances]
            for column in substances:
                guess.say(f"{column} names what controls got, not which rows share a control")
        if name == "experiment" and hits:
            guess.columns[name] = hits[0]
        elif hits:
            guess.take(name, hits)
    if "experiment" not in guess.columns:
        guess.columns["experiment"] = "row"
    if "provenance" in guess.table and guess.free("provenance"):
        guess.columns["provenance"] = "provenance"
    _signs(guess)
    _control_sizes(guess)
    _shared_controls(guess)


def _cohort_of(guess, column):
    """Whose animals a heading such as "cohort_c" names: those of a control group or treated ones."""
    said = [word for word in guess.said[column] if word != "id"]
    arms = [ARM_OF.get(word) for word in said if word != "cohort"]
    if "cohort" not in said or len(arms) != 1:
        return None
    return {"treated": "cohort", "control": "control_group"}.get(arms[0])


def _strict(guess, name, column):
    """Whether a heading is a word of a key and nothing that makes it another thing."""
    said, known = guess.said[column], set(KNOWN["keys"][name])
    bag, joined = set(said), "".join(said)
    with_ids = {joined, joined.removesuffix("id"), *bag, *(w.removesuffix("id") for w in bag)}
    return bool(with_ids & known) and (
        joined.removesuffix("id") in known
        or all(
            w in known
            or w.removesuffix("id") in known
            or w in KNOWN["keys"].get(f"{name}_with", ())
            for w in bag
        )
    )


def _study(guess):
    dated = set(KNOWN["words"]["year"])
    hits = [
        c for c in guess.table if guess.free(c) and _strict(guess, "study", c) and guess.filled(c)
        and not (dated & set(guess.said[c]) and guess.share(c) > 0.5)
    ]  # fmt: skip
    if len(hits) > 1:  # a bare "ID" beside a study's name is the row's
        hits = [c for c in hits if guess.said[c] != ("id",)]
    loose = [
        c for c in guess.table
        if guess.free(c) and c not in hits and not guess.is_bias(c) and guess.filled(c)
        and set(KNOWN["keys"]["study"]) - {"id"} & set(guess.said[c])
        and not NO_STUDY & set(guess.said[c]) and not dated & set(guess.said[c])
    ]  # fmt: skip
    authors = [c for c in hits if AUTHORS & set(guess.said[c])]
    years = [c for c in guess.table if guess.free(c) and dated & set(guess.said[c])
             and c not in hits and guess.share(c) > 0.5]  # fmt: skip
    options = []
    for column in [*hits, *loose]:
        with_year = sum(bool(re.search(r"\d{4}", cell)) for cell in guess.filled(column))
        if column in authors and years and with_year <= 0.5 * len(guess.filled(column)):
            options.append([column, years[0]])
        else:
            options.append(column)
    unique = {str(o): not guess.table[o].duplicated().any() for o in options}
    options.sort(
        key=lambda o: (
            not guess.is_ours("study", o), o in loose, unique[str(o)],
            isinstance(o, str) and guess.said[o] == ("id",), isinstance(o, list),
        )
    )  # fmt: skip
    if len(options) > 1 and unique[str(options[0])] and len(guess.table) >= 10:
        # A "study" of its own in every row beside articles of several rows names the row.
        articles = [
            o for o in options[1:] if isinstance(o, str) and not unique[o]
            and {"article", "paper", "publication"} & set(guess.said[o])
        ]  # fmt: skip
        options.sort(key=lambda o: o not in articles)
    if not options:
        guess.lack("study")
        return
    first = options[0]
    several = isinstance(first, list) or guess.table[first].nunique() > 1
    sure = isinstance(first, str) and {*guess.said[first]} <= {"study", "id", "studyid"}
    guess.take("study", options, sure=several and (guess.is_ours("study", first) or sure))


def _outcome(guess):
    if guess.block_outcomes:
        return

    def fits(column):
        return (
            guess.free(column) and guess.share(column) < 0.5
            and 0 < guess.table[column].nunique() <= 40 and not guess.is_bias(column)
        )  # fmt: skip

    hits = [c for c in guess.table if guess.is_ours("outcome", c) and guess.free(c)]
    hits += [c for c in guess.table if c not in hits and _strict(guess, "outcome", c) and fits(c)]
    if not hits:
        known = set(KNOWN["keys"]["outcome"])
        hits = [c for c in guess.table if known & set(guess.said[c]) and fits(c)
                and not NO_OUTCOME & set(guess.said[c])]  # fmt: skip
    if not hits and guess.raw.parts and SHEET in guess.table:
        hits = [SHEET]  # each sheet of a workbook has an outcome of its own
    hits.sort(key=lambda c: not guess.is_ours("outcome", c) and "id" in guess.said[c])
    hits = [guess.chosen_column("outcome")] * ("sheet.columns.outcome" in guess.answers) or hits
    if hits != [None] and hits:
        guess.take("outcome", hits, sure=guess.is_ours("outcome", hits[0]))
    else:
        guess.constants["outcome"] = "outcome"
        if not hits:
            left = [c for c in guess.table if fits(c) and guess.filled(c)]
            guess.ask("sheet.constants.outcome", "all rows are one outcome", (), (),
                     "no column says what was measured",
                     choices=[("no", "outcome"), *((c, c) for c in left)])  # fmt: skip


def _fits(guess, name, column):
    """Whether a column can hold what its name says."""
    if not guess.free(column):
        return False
    if guess.is_ours(name, column):
        return True
    cells, joined = guess.table[column], "".join(guess.said[column])
    if name == "experiment":
        return cells.is_unique and "" not in set(cells) and joined in KNOWN["keys"]["experiment"]
    return (
        _strict(guess, name, column)
        and cells.nunique() > 1
        and (name != "follow_up_days" or guess.share(column) > 0.5)
    )


def _names_substances(guess, column):
    """Whether a column of control groups says what they got ("vehicle"), not which they are."""
    cells = {cell.lower() for cell in guess.filled(column)}
    return bool(cells & set(KNOWN["words"]["substances"]))


def _signs(guess):
    """Columns that say which way is better, or multiply the effect."""
    if guess.chosen_column("sign", "") is None:
        return
    for column in guess.table:
        joined = "".join(guess.said[column])
        if not guess.free(column, "sign") or "sign" in guess.columns:
            continue
        if (told := set(guess.table[column].str.casefold())) and told <= LOWER | HIGHER:
            guess.columns["sign"] = column
            cells = guess.table[column].unique()
            guess.values["sign"] = {c: "-1" if c.casefold() in LOWER else "1" for c in cells}
            guess.ask("sheet.columns.sign", column, cells, "no sign", "effects are turned round "
                      "where lower is better", values=(column, None))  # fmt: skip
            continue
        worse = any(w in joined for w in KNOWN["words"]["worse_if_higher"])
        better = any(w in joined for w in KNOWN["words"]["better_if_higher"])
        if worse or better:
            cells = set(guess.table[column].str.lower())
            if "" in cells or not cells <= YES | NO:
                why = f": {column} is empty or no yes or no in some rows"
                guess.lack("sign", why)
                continue
            read_sign(guess, column, YES if worse else NO)
            guess.ask("sheet.columns.sign", column, guess.table[column], "no sign",
                     "yes turns the effect round, so that positive is benefit" if worse
                     else "no turns the effect round, so that positive is benefit",
                     values=(column, None))  # fmt: skip
        elif guess.is_ours("sign", column) or _strict(guess, "sign", column):
            if set(guess.table[column]) <= {"1", "-1", "1.0", "-1.0", "+1"}:
                guess.columns["sign"] = column
                guess.ask("sheet.columns.sign", column, guess.table[column], "no sign",
                         "it multiplies the effect, treated minus control",
                         values=(column, None))  # fmt: skip
            else:
                shown = ", ".join(guess.table[column].unique()[:3])
                guess.say(f"{column} was not read ({shown}): does it say which way is better?")
    if "sign" not in guess.columns and guess.chosen_column("sign"):
        guess.columns["sign"] = guess.chosen_column("sign")


def read_sign(guess, column, turned):
    """A column of yes and no as signs; the cells in `turned` turn the effect round."""
    guess.columns["sign"] = column
    known = [cell for cell in guess.table[column].unique() if cell.lower() in YES | NO]
    guess.values["sign"] = {c: "-1" if c.lower() in turned else "1" for c in known}


def _shared_controls(guess):
    """Rows of a study with the same control group by its numbers, where no id says so."""
    columns, table = guess.columns, guess.table
    numbers = list(map(columns.get, CONTROL))
    if "control_group" in columns or not set(numbers) <= set(table):
        return
    keys = [columns[name] for name in ("study", "outcome", "follow_up_days") if name in columns]
    keys = [c for key in keys for c in (key if isinstance(key, list) else [key]) if c in table]
    alike = table.duplicated([*keys, *numbers], keep=False) & (table[numbers] != "").all(axis=1)
    if alike.any():
        guess.shared_controls = guess.answer("sheet.shared_controls", "by_id")
        rows = list(map(str, table.index[alike]))
        shown = ", ".join(rows[:6]) + ", ..." * (len(rows) > 6)
        chosen = "by_id, so that each row has a control group of its own"
        why = f"rows {shown} have equal controls"
        guess.ask("sheet.shared_controls", chosen, (), "by_numbers", why,
                  values=("by_id", "by_numbers"))  # fmt: skip


def _control_sizes(guess):
    """Whether the control's n is divided among the groups that share it."""
    column = guess.columns.get("n_control")
    if column not in guess.table:
        return
    cells = guess.filled(column)
    broken = [c for c in cells if re.fullmatch(r"\d+[.,]\d*[1-9]\d*", c)]
    divided = {"corr", "corrected", "adj", "adjusted", "split", "divided", "shared"}
    if broken or divided & set(guess.said[column]):
        guess.control_n_is_split = guess.answer("sheet.control_n_is_split", False)
        guess.ask("sheet.control_n_is_split", f"{column} is the whole group's n", broken or cells,
                 "already divided among the groups that share it", values=(False, True))  # fmt: skip
