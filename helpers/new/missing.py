"""What a sheet says does not count: numbers such as 999, and rows that somebody excluded."""

from helpers.new.headings import KNOWN
from helpers.new.questions import MISSING
from helpers.review.plausibility import SENTINEL
from helpers.sheet.files import plain_number

FAR = 3  # times the largest of the other numbers of a column
SAID = {name: set(listed) for name, listed in KNOWN["exclusion"].items()}
YES, NO = (set(KNOWN["words"][name]) for name in ("yes", "no"))


def not_reported(guess):
    """Cells such as 999 far from all others of their column, which a person is asked about.

    Parameters
    ----------
    guess : helpers.new.folder.Guess

    Returns
    -------
    list of str
        What to name under `missing`, empty where a person said that they are numbers.
    """
    columns = [c for c in guess.number_columns() if c in guess.table]
    columns += [column for column, levels in guess.moderators.values() if levels is None]
    found = {}
    for column in dict.fromkeys(columns):
        texts = set(guess.filled(column))
        marked = {text for text in texts if SENTINEL.fullmatch(text)}
        others = [float(n) for text in texts - marked if (n := plain_number(text))]
        for text in marked:
            negative = text.startswith("-") and all(other >= 0 for other in others)
            if others and (negative or abs(float(text)) > FAR * max(map(abs, others))):
                found.setdefault(text, []).append(column)
    if not found:
        return []
    marks = sorted(found, key=float)
    where = ", ".join(dict.fromkeys(c for columns in found.values() for c in columns))
    guess.ask("sheet.missing", f"{', '.join(marks)} in {where} are values that are not reported",
              marks, "numbers as they stand", "rows without a number that is due are left out",
              values=(True, False))  # fmt: skip
    return marks if guess.answer("sheet.missing", True) else []


def find_excluded(guess):
    """Rows that a column such as "Included" or "Reason for exclusion" takes out, a question.

    Parameters
    ----------
    guess : helpers.new.guess.Guess
    """
    for column in guess.table:
        said = set(guess.said[column])
        out, kept = said & SAID["out"], said & SAID["kept"]
        if not guess.free(column) or bool(out) == bool(kept):
            continue
        if said - out - kept - SAID["with"]:
            continue
        cells = guess.table[column]
        gone = [cell for cell in dict.fromkeys(cells) if _is_out(cell, bool(out))]
        other = [cell for cell in dict.fromkeys(cells) if cell and cell not in gone]
        if kept and not gone and "" in set(cells):  # ticks in the rows that are kept
            key, listed, count = "keep", other, int((cells == "").sum())
        else:
            key, listed, count = "values", gone, int(cells.isin(gone).sum())
        if not listed or count == len(cells) or _counts(guess.filled(column)):
            continue
        own = f"sheet.leave_out {column}"
        shown = " or ".join(listed[:3])
        only = "only rows with" if key == "keep" else "rows left out with"
        guess.ask("sheet.leave_out", f"{only} {column} {shown}", cells, "all rows are read",
                  f"{count} rows are then left out", values=(True, False), key=own)  # fmt: skip
        if guess.answer(own, True):
            guess.leave_out.append((column, key, listed, f"left out by {column}"))
            guess.columns_taken.append(column)


def _is_out(cell, is_reason):
    """Whether a cell takes its row out; where a reason is due, whatever stands there does."""
    word = cell.casefold()
    if not is_reason:
        return word in NO | SAID["out"]
    return word not in NO | SAID["kept"] | MISSING


def _counts(cells):
    """Whether cells count something, such as animals, instead of saying yes or no."""
    numbers = [number for cell in cells if (number := plain_number(cell))]
    return any(float(number) not in (0, 1) for number in numbers)
