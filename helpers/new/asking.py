"""The questions of `new`, put one by one to a person at a terminal."""

import math
import re

import click

from helpers.new.questions import MISSING, NUMERIC
from helpers.problems import ReviewError, nearest

SKIP = ("s", "?")
MANY = 9  # candidates in one question
WIDTH = 32  # letters of a heading, and of an example cell
GROUPS = {"treated": "the treated group", "control": "the control group"}
# What is asked of a person, by what a column is for; {} is the group of animals.
COLUMN = {
    "study": "Which column says from which study (article) a row is?",
    "outcome": "Which column says what was measured?",
    "cohort": "Which column says which animals were treated, where the same animals were measured "
    "more than once?",
    "control_group": "Which column says which rows share the same control animals?",
    "follow_up_days": "Which column is the time of the measurement, in days?",
    "n": "Which column is the number of animals of {}?",
    "mean": "Which column is the mean (or median) of {}?",
    "sd": "Which column is the error (SD, SEM, half a CI, ...) of {}?",
    "sem": "Some rows have no SD of {}. Should SEMs be taken there?",
    "tip": "What does the point beside the mean of {} show?",
    "low": "Which column is the lower end of the interval of {}?",
    "high": "Which column is the upper end of the interval of {}?",
    "effect": "Which column is the effect, treated against control?",
    "se": "Which column is the standard error of the effect?",
    "variance": "Which column is the variance of the effect?",
    "error_type": "Which column says whether errors are SDs or SEMs{}?",
    "average_type": "Which column says whether averages are means or medians{}?",
    "sign": "Which column says whether a higher value is worse, so that the effect is turned round?",
}
SETTING = {
    "sheet.sheet": "Which sheet of the workbook is to be read?",
    "sheet.header": "Which row holds the headings?",
    "sheet.fill_down": "Some cells are empty below a filled one. Do they mean the same as above?",
    "sheet.split": "Cells hold several numbers. Are they to be taken apart like this?",
    "sheet.strip": "Marks stand beside numbers. May they be taken away?",
    "sheet.blocks": "Several groups, outcomes or days stand beside each other in a row. Is each to be "
    "read as a row of its own?",
    "sheet.join": "Does this sheet say more about the rows?",
    "sheet.leave_out": "Which rows are to be read?",
    "sheet.records": "Several people noted the same study. Which records are to be read?",
    "sheet.long.control": "Some groups of animals are not said to be controls or not. Which are?",
    "sheet.long.sham": "Which animals are without the disease model?",
    "sheet.missing": "Do these numbers stand for values that are not reported?",
    "sheet.decimal": "What is the comma in the numbers?",
    "sheet.shared_controls": "Some rows have the same control values. Is that one group of animals?",
    "sheet.control_n_is_split": "Several treated groups may share one control group. Which number "
    "of control animals stands in the sheet?",
    "sheet.effect_name": "What are the effects in the sheet (a log hazard ratio, an SMD, ...)?",
    "settings.measure": "Which measure is computed of each comparison?",
    "quality.risk_of_bias": "Are these judgements of the risk of bias, to be shown as such?",
    "quality.reporting": "Is this a checklist of what was reported, to be shown as such?",
    "sheet.effect_scale": "Are the effects logarithms?",
    "sheet.constants.outcome": "No column seems to say what was measured. Is there one?",
}
CHOICE = {  # words for what `new` calls otherwise
    "by_id": "no, other animals in each row",
    "by_numbers": "yes, the same animals: counted once",
    "log": "yes: reports turn them back",
    "identity": "no, plain numbers",
    ",": "the decimal sign: 1,5 is one and a half",
    ".": "it parts thousands: 1,500 is fifteen hundred",
    "outcome": "no, all rows are one outcome",
}


class Stopped(Exception):
    """The person does not want to go on; nothing is to be written."""


def ask(guess):
    """Walk through all questions, each computed anew from the answers before.

    Return takes the candidate that was guessed, a number another, and a heading any column; ``s``
    leaves the question open, Ctrl-D all that follow.

    Parameters
    ----------
    guess : callable
        From answers to what follows from them, a `Guesses`.

    Returns
    -------
    dict
        Answers by the keys of questions.

    Raises
    ------
    Stopped
        By Ctrl-C.
    """
    try:
        return _ask(guess)
    except (KeyboardInterrupt, click.Abort):
        raise Stopped from None


def _ask(guess):
    answers, skipped = {}, set()
    known = guess(answers)
    if _open(known, answers, skipped):
        rows = len(known.table)
        click.echo(
            f"{known.raw.file}: {rows:,} rows. Some things only you can know.\n"
            "  Return takes 1, a number takes another, and any heading of the sheet may be typed.\n"
            "  s skips a question, which then stays open; Ctrl-D skips all that follow;\n"
            "  Ctrl-C stops, and nothing is written."
        )
    while left := _open(known, answers, skipped):
        question = left[0]
        try:
            answer = _put(question, known, len(left))
        except EOFError:
            click.echo("\nThe other questions stay open.")
            break
        if answer == SKIP:
            skipped.add(question.key)
            continue
        key, value = answer
        if key == question.key and not question.is_blank and value == question.choices[0][1]:
            answers[key] = value  # what was guessed: nothing else changes
            continue
        try:
            known = guess(answers | {key: value})
            answers[key] = value
        except ReviewError as error:
            click.echo(f"  This cannot be: {error.findings[0].what}. Please answer again.")
    return answers


def _open(known, answers, skipped):
    """Questions that can be answered and are not: the sheet and its headings first."""
    every = [q for q in (*known.questions, *known.blanks) if q.key not in skipped]
    every = [q for q in every if q.choices or (q.is_blank and _of_column(q))]
    first = ("sheet.sheet", "sheet.header", "sheet.join", "sheet.fill_down", "sheet.split",
             "sheet.blocks")  # fmt: skip
    last = ("families", "moderators", "sheet.values")
    every.sort(key=lambda q: q.setting.startswith(last) - q.setting.startswith(first))
    return [q for q in every if q.key not in answers]


def _put(question, known, left):
    """Show one question and take its answer: key and value, or SKIP."""
    shown = _shown(question)
    texts = [_choice(question, *choice) for choice in shown]
    click.echo()
    click.secho(_words(question), bold=True)
    if not question.is_blank and question.why:
        click.echo(f"  ({question.why})")
    cells = [_cells(question, known, value) for _, value in shown]
    if question.cells and not any(cells):
        click.echo(f"  In the sheet: {', '.join(question.cells)}")
    for number, (text, example) in enumerate(zip(texts, cells, strict=True), 1):
        number = "" if question.setting == "sheet.header" else number
        text = text.ljust(max(map(len, texts)) if example else 0)
        click.echo(f"  {number}  {text}{'   e.g. ' if example else ''}{example}")
    if more := len(question.choices) - len(shown):
        click.echo(f"  {more} more columns can be typed by their headings")
    if question.is_blank and _of_column(question):
        click.echo("  or, where all rows have the same, = and what that is, such as =8")
    default = "s" if question.is_blank else "1"
    if question.setting == "sheet.header":
        default = str(question.choices[0][1]).strip("[]")

    def read(text):
        try:
            return _read(text.strip(), question, known)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    try:
        return click.prompt(f"Answer ({left} left)", default=default, value_proc=read)
    except click.Abort as stop:
        if isinstance(stop.__context__, EOFError):
            raise EOFError from None
        raise


def _shown(question):
    """The candidates that are listed; "none", where there is one, is the last."""
    choices = question.choices
    return choices if len(choices) <= MANY else (*choices[: MANY - 1], choices[-1])


def _choice(question, text, value):
    """A candidate for a person."""
    place = question.setting.rpartition(".")[0]
    if place == "sheet.values":
        return "yes, one and the same" if value else "no, each is something else"
    if place == "sheet.columns":
        return "none of the columns" if value is None else _short(text)
    if place == "moderators":  # the question names the column
        return f"as {text.partition(' as ')[2]}" if " as " in text else text
    return CHOICE.get(value, text) if isinstance(value, str) else text


def _of_column(question):
    """Whether a column may be the answer."""
    by_name = question.setting.startswith(("sheet.columns.", "sheet.constants.outcome"))
    return by_name and not (question.choices and question.choices[0][1] is True)


def _cells(question, known, column):
    """Three example cells of a column that is a candidate."""
    table, names_rows = known.table, question.setting == "sheet.constants.outcome"
    if not _of_column(question) or not column or (names_rows and column == "outcome"):
        return ""
    cells = table[column].agg(" ".join, axis=1) if isinstance(column, list) else table[column]
    there = [cell for cell in cells.unique() if cell.lower() not in MISSING]
    return ", ".join(map(_short, there[:3]))


def _short(text):
    text = " ".join(text.split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _read(text, question, known):
    """What was typed, as the key and the value of an answer."""
    setting, shown = question.setting, _shown(question)
    of_column = _of_column(question)
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    if not quoted and text.lower() in SKIP:
        return SKIP
    if setting == "sheet.header":
        rows = list(map(int, re.findall(r"\d+", text)))
        if not re.fullmatch(r"\d+(\s*(,|and|\s)\s*\d+)*", text) or 0 in rows:
            what = "the number of a row is due, as the spreadsheet counts, or several: 1 and 2"
            raise ValueError(what)
        return question.key, rows[0] if len(rows) == 1 else rows
    if not quoted and text.isdecimal() and text not in known.table:
        if not 1 <= int(text) <= len(shown):
            raise ValueError(_due(shown))
        value = shown[int(text) - 1][1]
        is_column = setting == "sheet.constants.outcome" and int(text) > 1
        return "sheet.columns.outcome" if is_column else question.key, value
    text = text[1:-1] if quoted else text
    for words, value in question.choices:
        names = {words, str(value), _choice(question, words, value)}
        if text.casefold() in map(str.casefold, names) and not (of_column and value):
            return question.key, value
    if setting == "sheet.effect_name":
        return question.key, text
    if of_column:
        name = setting.rpartition(".")[2]
        if question.is_blank and text.startswith("="):
            return f"sheet.constants.{name}", _same(name, text[1:].strip())
        column = _column(text, list(known.table), several=name == "study")
        if name.split("_")[0] in NUMERIC and not known.holds_numbers(column):
            there = _cells(question, known, column) or "nothing"
            raise ValueError(f"{column!r} holds no numbers: there stands {there}")
        return f"sheet.columns.{name}", column
    raise ValueError(_due(shown))


def _due(shown):
    one = (
        "a heading" if not shown else "1" if len(shown) == 1 else f"a number from 1 to {len(shown)}"
    )
    return f"{one} is due, or s to skip"


def _same(name, text):
    """What all rows have; a number where one is due."""
    if not text:
        raise ValueError("a value is due behind the =")
    if name.split("_")[0] not in (*NUMERIC, "sign"):
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"a number is due behind the =, not {text!r}")
    return int(number) if number == int(number) else number


def _column(text, columns, several=False):
    """A heading as the sheet has it, whatever the case; for a study two joined by "and"."""
    alike = {column.casefold(): column for column in columns}
    if text in columns or text.casefold() in alike:
        return text if text in columns else alike[text.casefold()]
    parts = [part.strip().casefold() for part in text.split(" and ")]
    if several and len(parts) > 1 and set(parts) <= set(alike):
        return [alike[part] for part in parts]
    raise ValueError(f"the sheet has no column {text!r}. {nearest(text, columns)}")


def _words(question):
    """What is asked, for a person."""
    setting = question.setting
    place, _, name = setting.rpartition(".")
    if place == "sheet.columns":
        stem, _, arm = name.partition("_")
        if stem in ("error", "average"):
            stem, arm = f"{stem}_type", name.removeprefix(f"{stem}_type").strip("_")
            return COLUMN[stem].format(f" in {GROUPS[arm]}" if arm else "")
        return COLUMN.get(name) or COLUMN.get(stem, f"Which column is {name}?").format(
            GROUPS.get(arm, "")
        )
    if setting in SETTING:
        return SETTING[setting]
    of = next((f" of {words}" for arm, words in GROUPS.items() if name.endswith(arm)), "")
    if name.startswith("error_type"):
        return f"What are the errors{of}?"
    if name.startswith("average_type"):
        return f"What are the averages{of}?"
    if place == "sheet.values":
        return f"Is the same meant by different spellings ({question.chosen})?"
    if place == "moderators":
        return f"How is {question.chosen.partition(' as ')[0]} to be read?"
    if name == "better":
        return f"Which is better for {question.chosen.partition(' is better for ')[2]}?"
    return f"{question.chosen}?"
