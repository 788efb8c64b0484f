"""Numbers such as 999 that stand for values which are not reported."""

from helpers.review.plausibility import SENTINEL
from helpers.sheet.files import plain_number

FAR = 3  # times the largest of the other numbers of a column


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
