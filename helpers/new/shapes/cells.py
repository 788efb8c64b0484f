"""Habits that hide what cells hold, recognised: told once, several numbers, marks beside one."""

import re
from collections import Counter
from dataclasses import replace

from helpers.new.headings import KINDS, KNOWN, QUANTITIES, Heading, error_kinds, read_heading, words
from helpers.new.keys import NO_STUDY
from helpers.new.questions import MISSING
from helpers.review.schema import FILL_IN
from helpers.sheet.files import RANGE, plain_number

# A number in a cell of several; a comma after a decimal point parts two of them.
NUMBER = r"(?<![\d.,])(?<!\d\s)[-+−]?\d+(?:\.\d+|(?:[.,']\d+)*)(?:[eE][-+]?\d+)?"
MOST = 0.6  # of the filled cells are written in one way
# How cells of several numbers are written, "#" a number: what the numbers are. The words become
# those of [sheet.split]; "value" is a mean or median.
SKELETONS = {
    r"#±#": ("value", "error"),
    r"#±#[(\[,;]?n?[=:]?#[)\]]?": ("value", "error", "n"),
    r"#[(\[]#[)\]]": ("value", "error"),
    r"#[(\[]#[)\][(\[,;]*n[=:]#[)\]]?": ("value", "error", "n"),
    r"#[(\[]#[-,;]#[)\]]": ("value", "low", "high"),
    r"#[(\[]#[-,;]#[)\]][(\[,;]*n[=:]#[)\]]?": ("value", "low", "high", "n"),
    r"[(\[]?#[-,;]#[)\]]?": ("low", "high"),
}
# Words that may stand before a number and leave it what it is.
BEFORE = {"n", "ca", "c", "circa", "approx", "about", "etwa", "env", "environ", "mean", "sd", "sem"}
FACTORS = ("k", "m", "mio", "mill", "million", "thousand", "tsd", "e", "x", "×")
OF_ENDS = {*KINDS["CI"], *KINDS["IQR"], *KINDS["RANGE"], "limits", "interval"}


# ------------------------------------------------------------------ told once for several rows


def fill_down(guess):
    """Columns told only in the first row of a block: the study, and what is blank in its rows."""
    table = guess.table
    if table.empty:
        return
    # A line of notes below the table holds no numbers; a row of its own has two at least.
    rows_of_numbers = table.map(lambda cell: bool(cell) and cell[-1].isdigit()).sum(axis=1) > 1
    keys = [c for c in table if _names(guess, c, "study") or _names(guess, c, "outcome")]
    told = [c for c in keys if (table[c] != "").all() and table[c].duplicated().any()]
    found = []
    for key in keys:
        blank = table[key] == ""
        rows = blank & rows_of_numbers
        kind = "study" if _names(guess, key, "study") else "outcome"
        if blank.iloc[0] or not rows.any() or any(_names(guess, c, kind) for c in told):
            continue
        found += [c for c in table if c not in found and (c == key or _as_blank(table[c], blank))
                  and read_heading(c).arm in ("", "control")]  # fmt: skip
    if not found or not guess.answer("sheet.fill_down", True):
        return
    below = [c for c in table if c in found]
    guess.fill_down = below
    cells = table[below[0]][table[below[0]] != ""]
    guess.ask("sheet.fill_down", f"{', '.join(below)}: an empty cell is as the one above", cells,
              "not reported there", values=(True, False))  # fmt: skip
    guess.table = table.assign(
        **{c: table[c].where(table[c] != "").ffill().fillna("") for c in below}
    )
    guess.known.clear()


def _as_blank(cells, blank):
    """Whether a column is empty in the same rows, several of them, and filled in all others."""
    return blank.sum() > 1 and (cells[blank] == "").all() and (cells[~blank] != "").all()


def _names(guess, column, key):
    said = set(guess.said[column])
    if read_heading(column).quantity:
        return False
    others = NO_STUDY if key == "study" else {"id", "type", "unit", "units", "n"}
    return bool(said & set(KNOWN["keys"][key])) and not said & others


# ------------------------------------------------------------------ several numbers in a cell


def split(guess):
    """Columns whose cells hold several numbers, and how they are written."""
    for column in list(guess.table):
        cells = guess.filled(column)
        form = _form(column, cells)
        if not form or not guess.answer(f"sheet.split {column}", True):
            continue
        shape, parts = form
        guess.split[column] = shape
        guess.ask("sheet.split", f"{column} as {shape}", cells, "not taken apart",
                  values=(True, False), key=f"sheet.split {column}")  # fmt: skip
        pattern = re.compile(NUMBER)
        numbers = [pattern.findall(cell) for cell in guess.table[column]]
        whole = [n if _skeleton(c).count("#") == len(parts) == len(n) else [""] * len(parts)
                 for c, n in zip(guess.table[column], numbers, strict=True)]  # fmt: skip
        for place, part in enumerate(parts):
            title = f"{column} {part}"
            guess.table = guess.table.assign(**{title: [each[place] for each in whole]})
            guess.headings[title] = _of_part(column, part, title)
            guess.parts[title] = column
        guess.columns_taken.append(column)


def _skeleton(cell):
    text = re.sub(r"\+\s?/?\s?[-−]", "±", cell)
    text = re.sub(NUMBER, "#", text)
    text = re.sub(r"(?<=#)\s*(?:–|—|−|to|bis|à|a)\s*(?=#)", "-", text)
    return re.sub(r"\s+", "", text).casefold()


def _form(column, cells):
    """How the cells of a column are written and what their numbers are; None for one number."""
    if not cells:
        return None
    commonest, count = Counter(map(_skeleton, cells)).most_common(1)[0]
    if commonest.count("#") < 2 or count < MOST * len(cells):
        return None
    parts = next((p for form, p in SKELETONS.items() if re.fullmatch(form, commonest)), None)
    said = set(words(column))
    if parts is None or (parts == ("low", "high") and not said & OF_ENDS):
        return None
    averages = [name for name in ("mean", "median") if said & QUANTITIES[name]]
    effect = read_heading(column).quantity.startswith(("effect", "ratio"))
    first = "effect" if effect else averages[0] if len(averages) == 1 else "value"
    if parts == ("value", "error") and "±" not in commonest and _counts(column):
        parts = ("value", "n")
    parts = tuple(first if part == "value" else part for part in parts)
    shape = commonest
    for part in parts:
        shape = shape.replace("#", f" {part} ", 1)
    for mark in "±-=":
        shape = shape.replace(mark, f" {mark} ")
    shape = re.sub(r"([,;])", r"\1 ", shape)
    shape = re.sub(r"\s+", " ", shape).strip()
    return re.sub(r"(?<=[(\[])\s|\s(?=[)\],;])", "", shape), parts


def _counts(column):
    """Whether a heading such as "Mean (n)" has the number of animals in brackets."""
    inside = re.search(r"[(\[]([^)\]]*)[)\]]", column)
    said = set(words(inside[1])) if inside else set()
    return bool(said & QUANTITIES["n"]) and not error_kinds(said)


def _of_part(column, part, title):
    """What a part of a cell is, by the heading of the whole."""
    said = words(column)
    # After the sign or in brackets an abbreviation is what it stands for: the Spanish DE is an SD.
    after = re.split(r"±|\+\s?/?\s?-|[(\[,]", column)[1:]
    kinds = error_kinds(said) | error_kinds(
        [KNOWN["abbreviations"].get(word, word) for text in after for word in words(text)]
    )
    kind = kinds.pop() if len(kinds) == 1 else ""
    whole = read_heading(column)
    if whole.quantity.startswith(("effect", "ratio")):
        bare = re.sub(r"[(\[].*", "", column)
        ratio = read_heading(bare).quantity == "ratio"
        return Heading(
            title, ("ratio" if ratio else "effect") if part == "effect" else "effect_end"
        )
    if not (set(said) & (QUANTITIES["mean"] | QUANTITIES["median"])):
        whole = read_heading(f"{column} mean")
    quantity = {"error": "sd", "value": "mean"}.get(part, part)
    return replace(whole, column=title, quantity=quantity, kind=kind)


def ask_average(guess):
    """Whether cells such as "5 (4-7)" hold means or medians, where no heading says it."""
    values = [c for c in guess.parts if c.endswith(" value") and f"{c[:-5]}low" in guess.parts]
    used = [name for name, column in guess.columns.items() if column in values]
    if not used or any(
        name.startswith("average_type") for name in (*guess.columns, *guess.constants)
    ):
        return
    guess.constants["average_type"] = guess.answer("sheet.constants.average_type", FILL_IN)
    guess.fill_in(
        "say average_type under [sheet.constants] (mean or median): "
        f"{guess.parts[values[0]]!r} does "
        "not say what stands before the brackets",
        "sheet.constants.average_type",
        (("means", "mean"), ("medians", "median")),
    )


# ------------------------------------------------------------------ marks beside a number


def strip(guess):
    """Marks beside numbers, such as "n=10", "~12", "4.1*": offered, taken away when a person says so.

    A mark that all cells of a column have is a unit or the like and taken for one, which is asked.
    """
    found, whole = {}, {}
    for column in guess.number_columns():
        cells = guess.filled(column) if column in guess.table else []
        marks = {cell: _mark(cell) for cell in cells if not _is_number(cell)}
        marks = {cell: mark for cell, mark in marks.items() if mark}
        same = len(set(marks.values())) == 1 and len(marks) == len(set(cells)) > 1
        for cell, mark in marks.items():
            (whole if same else found).setdefault(mark, []).append(cell)
    units = [mark for mark in (*whole, *found) if re.fullmatch(r"[^\W\d_]{2,}.*", mark)
             and mark.casefold() not in BEFORE]  # fmt: skip
    if len(set(units)) > 1:  # 4 mg beside 200 µg: what is left would be numbers of two scales
        whole, found = (
            {m: c for m, c in each.items() if m not in units} for each in (whole, found)
        )
    if not found and not whole:
        return
    listed = {**whole, **found}
    shown = [cell for cells in listed.values() for cell in cells[:2]][:4]
    if not found:
        guess.strip = guess.answer("sheet.strip", [*whole])
        guess.ask("sheet.strip", f"{', '.join(whole)} taken away from the numbers", shown,
                  "left: such cells are faults", values=([*whole], []))  # fmt: skip
        return
    guess.strip = guess.answer("sheet.strip", [])
    guess.fill_in(
        f"{', '.join(shown)}: correct these cells, or say strip = "
        f"[{', '.join(map(_quoted, listed))}] under [sheet] to take such marks away",
        "sheet.strip",
        (("take the marks away", [*listed]), ("leave them: such cells are faults", [])),
    )


def bare(cell, marks):
    """A cell without the marks that are taken away."""
    for mark in sorted(marks, key=len, reverse=True):
        cell = cell.removeprefix(mark).removesuffix(mark).strip()
    return cell


def _quoted(text):
    return f'"{text}"'


def _is_number(cell):
    return plain_number(cell.replace(",", ".")) or RANGE.fullmatch(cell)


def _mark(cell):
    """What stands before or after the one number of a cell, if nothing about it changes the number."""
    match = re.fullmatch(r"(\D*?)\s*([-+−]?\d+(?:[.,]\d+)*)\s*(\D*)", cell)
    if not match or bool(match[1]) == bool(match[3]):
        return None
    mark = (match[1] or match[3]).strip()
    if match[1] and re.search(r"[^\W\d_]", mark) and mark.rstrip(" =.:").casefold() not in BEFORE:
        return None
    forbidden = re.search(r"[<>≤≥±/%()\[\]^=]$|^[<>≤≥±/%()\[\]^]|[<>≤≥±%]", mark.removesuffix("="))
    if forbidden or mark.casefold() in (*MISSING, *FACTORS):
        return None
    return mark
