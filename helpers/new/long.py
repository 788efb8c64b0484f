"""A sheet with a row for each group of animals: which rows are controls, and which rows are a pair."""

from itertools import combinations

from helpers.new.errors import error_types, say_kind
from helpers.new.headings import KNOWN, quantity_of, words
from helpers.new.keys import find_keys
from helpers.new.questions import FILL_IN

CONTROLS = set(KNOWN["arms"]["control"]) | set(KNOWN["words"]["substances"]) - {"none", "sham"}
UNHARMED = {"sham", "naive", "naïve", "intact", "healthy", "normal", "uninjured"}
GROUP = {"group", "arm", "treatment", "intervention", "condition", "gruppe", "groupe", "grupo",
         "gruppo", "bras", "behandlung", "traitement", "tratamiento"}  # fmt: skip
DUE = ("n", "mean", "sd")


def find_long(guess):
    """Take a sheet as one of groups, if it is one.

    It is one where headings name n, mean and error without a group, and a column of words tells
    treated rows from controls. Which words are controls, which rows are of animals without the
    disease model, and what a pair has in common are questions.

    Returns
    -------
    bool
    """
    numbers, groups = _numbers(guess), _group_columns(guess)
    if not {*DUE} <= set(numbers) or not groups:
        return False
    error_types(guess)
    guess.arm = guess.answer("sheet.long.group", groups[0])
    for name in DUE:
        columns = numbers[name]
        guess.take(name, [c for c, _ in columns], sure=len(columns) == 1)
    kind = dict(numbers["sd"]).get(guess.columns["sd"], "")
    if "error_type" not in guess.columns and kind != "SD":
        say_kind(guess, "error_type", kind, [guess.columns["sd"]])
    guess.of_pairs = (guess.arm,)
    find_keys(guess)
    cells = guess.filled(guess.arm)
    kinds = dict.fromkeys(cells)
    guess.controls = [cell for cell in kinds if _is_control(cell)]
    guess.ask("sheet.long.group", guess.arm, cells, groups[1:], "it tells treated rows from controls",
              values=groups)  # fmt: skip
    treated = [cell for cell in kinds if cell not in guess.controls and not _is_unharmed(cell)]
    guess.ask("sheet.long.control", " and ".join(guess.controls), guess.controls, (),
              f"compared with it: {', '.join(treated[:4])}",
              choices=[(" and ".join(guess.controls), guess.controls)])  # fmt: skip
    if unharmed := [cell for cell in kinds if _is_unharmed(cell)]:
        guess.leave_out.append((guess.arm, "values", unharmed, "animals without the disease model"))
        guess.ask("sheet.leave_out", f"rows with {guess.arm} {' and '.join(unharmed)}", unharmed,
                  "treated groups", "animals without the disease model")  # fmt: skip
    guess.pair = guess.answer("sheet.long.pair", _pair(guess, unharmed))
    if guess.pair is None:
        guess.pair = [FILL_IN]
        line = "say under [sheet.long] which columns a treated row and its control have in common "
        line += "(pair): no columns single out one control for each"
        guess.fill_in(line, "sheet.long.pair")
    else:
        guess.ask("sheet.long.pair", " and ".join(guess.pair), (), (),
                  "a treated row and its control have these in common",
                  choices=[(" and ".join(guess.pair), guess.pair)])  # fmt: skip
    return True


def _numbers(guess):
    """Columns of n, mean and error whose headings name no group, with the kind of error."""
    found = {}
    for column in guess.table:
        if column in guess.columns_taken:
            continue
        if (
            (part := guess.headings.get(column))
            and part.quantity in (*DUE, "median")
            and not part.arm
        ):
            name = "mean" if part.quantity == "median" else part.quantity
            found.setdefault(name, []).append((column, part.kind))
            continue
        said = words(column)
        # An abbreviation that stands alone, such as the Spanish DE, is an error beside n and mean.
        bare = [KNOWN["abbreviations"].get(word, word) for word in said] if len(said) == 1 else said
        name, kind, used = quantity_of(bare)
        name = "mean" if name == "median" else name
        if name in DUE and guess.holds_numbers(column) and not set(bare) - used - {"of", "the"}:
            found.setdefault(name, []).append((column, kind))
    return found


def _group_columns(guess):
    """Columns of words that name controls and other groups, the likeliest first."""
    found = []
    for column in guess.table:
        cells = guess.filled(column)
        kinds = set(cells)
        controls = {cell for cell in kinds if _is_control(cell)}
        others = {cell for cell in kinds - controls if not _is_unharmed(cell)}
        if guess.share(column) < 0.5 and controls and others and len(kinds) <= 0.75 * len(cells):
            named = bool(GROUP & set(words(column)))
            if named or len(kinds) <= 12:
                found.append((not named, len(kinds), column))
    return [column for *_, column in sorted(found)]


def _is_control(cell):
    said = words(cell)
    return bool(CONTROLS & set(said)) and not _is_unharmed(cell) and "+" not in cell


def _is_unharmed(cell):
    return bool(UNHARMED & set(words(cell)))


def _pair(guess, unharmed):
    """The fewest keys by which each treated row has one control, None where none do."""
    columns = [guess.columns.get(name) for name in ("study", "outcome", "follow_up_days")]
    keys = [c for each in columns if each for c in ([each] if isinstance(each, str) else each)]
    keys = [column for column in keys if column in guess.table]
    measured = {c for name in DUE for c in [guess.columns.get(name)]}
    others = [c for c in guess.table if c not in {*keys, *measured, guess.arm}]
    rows = guess.table[~guess.table[guess.arm].isin([*unharmed, ""])]
    for more in range(3):
        for extra in combinations(others, more):
            chosen = [*keys, *extra]
            if chosen and _is_unique(rows, chosen, rows[guess.arm].isin(guess.controls)):
                return chosen
    return None


def _is_unique(rows, columns, control):
    """Whether the columns single out one control for each treated row."""
    key = rows[columns].agg("\x1f".join, axis=1)
    return not key[control].duplicated().any() and key[~control].isin(key[control]).all()
