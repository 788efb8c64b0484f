"""What the data sets of a digitised figure are: means of the groups, tips of error bars, days."""

from helpers.new.errors import PLURAL
from helpers.new.headings import ARM_OF
from helpers.new.questions import FILL_IN
from helpers.review.columns import ARMS

TIPS = {"tip", "tips"}


def find_figure(guess):
    """Curves by the names of the groups, tips named so, and x; before other headings are read."""
    if "x" in guess.table:
        guess.take("follow_up_days", ["x"], why="the axis of x may be another than days")
    for arm in ARMS:
        for name, more in (("mean", set()), ("tip", TIPS)):
            columns = [
                column for column, said in guess.said.items()
                if {ARM_OF.get(word) for word in said if word not in more} == {arm}
                and bool(more) == bool(more & set(said))
            ]  # fmt: skip
            if columns:
                guess.take(f"{name}_{arm}", columns, sure=False)


def turn_errors(guess):
    """A data set called after an error says where its bar ends; of which error is to be said."""
    for arm in ARMS:
        column = guess.columns.get(f"sd_{arm}", FILL_IN)
        setting = f"sheet.columns.tip_{arm}"
        if column != FILL_IN and not guess.answer(setting, True):
            continue  # a person says that it is the error itself
        if column != FILL_IN:
            names = {f"sd_{arm}": f"tip_{arm}"}
            guess.columns = {names.get(n, n): c for n, c in guess.columns.items()}
            why = "a digitised point says where an error bar ends, not how long it is"
            ways = (("where the bar ends, on the axis", True), ("how long the bar is", False))
            guess.ask(setting, column, guess.table[column], f"sd_{arm}", why, choices=ways)
    tips = [guess.columns[f"tip_{arm}"] for arm in ARMS if f"tip_{arm}" in guess.columns]
    if tips and not any(name.startswith("error_type") for name in guess.constants):
        setting = "sheet.constants.error_type"
        guess.constants["error_type"] = guess.answer(setting, FILL_IN)
        guess.fill_in(
            "say error_type under [sheet.constants] (SD, SEM, CI, IQR or RANGE): "
            f"the heading {tips[0]!r} does not say it",
            setting,
            [(words, kind) for kind, words in PLURAL.items()],
        )
