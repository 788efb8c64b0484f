"""Guesses about a sheet, each doubt a question that a person is to answer."""

import re
from dataclasses import dataclass
from functools import wraps

from helpers.new.headings import KNOWN, read_heading, words
from helpers.review.columns import ARM, ARMS, IDS, IN_TURN, NUMBERS
from helpers.review.schema import FILL_IN
from helpers.sheet.files import RANGE, plain_number

OURS = {
    *IDS,
    *NUMBERS,
    "variance",
    "error_type",
    "average_type",
    *(f"{q}_{arm}" for q in ARM for arm in ARMS),
}
NUMERIC = ("n", "mean", "sd", "low", "high", "effect", "se", "variance", "ratio", "events",
           "nonevents")  # fmt: skip
MISSING = set(KNOWN["words"]["missing"])
DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Question:
    """A guess that can change a number, to be confirmed by a person.

    Attributes
    ----------
    setting : str
        Where it stands in `review.toml`, such as ``sheet.columns.study``.
    chosen : str
    cells : tuple of str
        Up to three examples of what stands there.
    instead : tuple of str
        What it might be as well.
    why : str
    choices : tuple of (str, object)
        What can be answered, in words and as a value; the first is what was chosen. A blank has
        `FILL_IN` for what was chosen, and candidates only.
    key : str
        Tells questions about one setting apart.
    """

    setting: str
    chosen: str
    cells: tuple = ()
    instead: tuple = ()
    why: str = ""
    choices: tuple = ()
    key: str = ""

    @property
    def is_blank(self):
        """Whether nothing could be guessed."""
        return self.chosen == FILL_IN

    def __str__(self):
        if self.is_blank:
            return self.why
        cells = f" (there stands {', '.join(map(repr, self.cells))})" if self.cells else ""
        instead = f", or {', '.join(self.instead)}" if self.instead else ""
        why = f" ({self.why})" if self.why else ""
        return f"{self.setting}: {self.chosen}{cells}{instead}?{why}"


def _once(method):
    """A method of a column whose answer is kept: sheets of many columns are asked many times."""

    @wraps(method)
    def kept(self, column, *more):
        key = (method.__name__, column, *more)
        if key not in self.known:
            self.known[key] = method(self, column, *more)
        return self.known[key]

    return kept


class Guesses:
    """A table with what its columns seem to be.

    Attributes
    ----------
    columns, constants, values : dict
        As under `[sheet]` in `review.toml`.
    instead : dict
        Other columns that might serve.
    blanks, questions, notes : list
        What cannot be guessed, what is to be confirmed, what was passed over.
    quality, apart : dict, set
        As under `[quality]` in `review.toml`; columns that belong there.
    answers : dict
        What a person said, by the keys of questions; it goes before every guess.
    """

    def __init__(self, raw, answers=()):
        self.raw, self.table, self.known = raw, raw.table, {}
        self.columns, self.constants, self.values, self.instead = {}, {}, {}, {}
        self.blanks, self.questions, self.notes = [], [], []
        self.effect_name = self.effect_scale = self.shared_controls = self.measure = None

        # Of what a sheet hides: see `helpers.new.shapes`.
        self.fill_down, self.split, self.strip, self.blocks = [], {}, [], []
        self.headings, self.parts, self.group_labels, self.columns_taken = {}, {}, {}, []
        self.block_arms, self.block_outcomes = [], []
        self.answers, self.control_n_is_split, self.thousands = dict(answers), False, None
        self.quality, self.apart = {}, set()

    def heading(self, column):
        """What a heading says; that of a part of a cell is known from the whole."""
        return self.headings.get(column) or read_heading(column)

    def answer(self, key, guess=None):
        """What a person answered, else the guess."""
        return self.answers.get(key, guess)

    def chosen_column(self, name, guess=None):
        """The column that a person chose, else the guess."""
        return self.answer(f"sheet.columns.{name}", guess)

    def ask(self, setting, chosen, cells=(), instead=(), why="", *, values=(), choices=(), key=""):
        """A guess that a person is to confirm, if none has; `values` are those of the texts."""
        if (key := key or setting) in self.answers:
            return
        cells = [cell for cell in dict.fromkeys(cells) if cell.lower() not in MISSING][:3]
        cells = [cell if len(cell) <= 40 else f"{cell[:37]}..." for cell in cells]
        instead = (instead,) if isinstance(instead, str) else tuple(instead)
        choices = choices or zip((chosen, *instead), values, strict=False)
        question = Question(setting, chosen, tuple(cells), instead, why, tuple(choices), key)
        self.questions.append(question)

    def say(self, line):
        """What was passed over."""
        self.notes.append(line)

    def fill_in(self, line, setting="", choices=()):
        """What cannot be guessed, and the setting that says it, if one does and nobody has."""
        if setting not in self.answers:
            self.blanks.append(Question(setting, FILL_IN, (), (), line, tuple(choices), setting))

    def lack(self, name, why=""):
        """A column that is due and was not found; what is the same in all rows needs none."""
        if (same := self.answer(f"sheet.constants.{name}")) is not None:
            self.constants[name] = same
            return
        self.columns[name] = self.chosen_column(name, FILL_IN)
        line = f"name the column of {name} under [sheet.columns]" + why
        numbers = name.split("_")[0] in NUMERIC
        left = [c for c in self.table if self.free(c) and (not numbers or self.holds_numbers(c))]
        choices = [*((c, c) for c in left), *((("none", None),) if name == "sign" else ())]
        self.fill_in(line, f"sheet.columns.{name}", choices)

    def take(self, name, options, *, sure=None, why=""):
        """The first of several columns for what is needed; a question unless it is sure."""
        if f"sheet.columns.{name}" in self.answers:
            if (chosen := self.chosen_column(name)) is None:
                return
            options = [chosen, *(option for option in options if option != chosen)]
        first, *others = options
        self.columns[name], self.instead[name] = first, others
        sure = self.is_ours(name, first) if sure is None else sure and not others
        if not sure:
            shown = " and ".join(first) if isinstance(first, list) else first
            cells = self.table[first].agg(" ".join, axis=1) if isinstance(first, list) else (
                self.table[first]
            )  # fmt: skip
            texts = [" and ".join(o) if isinstance(o, list) else o for o in others]
            due = (*NUMERIC, "tip", "study")
            none = () if name.split("_")[0] in due else (("none", None),)
            choices = (*zip((shown, *texts), options, strict=True), *none)
            self.ask(f"sheet.columns.{name}", shown, cells, texts, why, choices=choices)

    @property
    def said(self):
        """The words of each heading."""
        return {column: words(column) for column in self.table}

    @staticmethod
    def is_ours(name, column):
        """Whether a column is called as we call it."""
        return isinstance(column, str) and re.sub(r"[\s_]+", "_", column.lower()) == name

    def free(self, column, name=None):
        """Whether a column serves nothing yet, is no second choice, and was chosen for no other."""
        place, own = "sheet.columns.", f"sheet.columns.{name}"
        chosen = [
            c for key, c in self.answers.items()
            if isinstance(c, str | list) and key.startswith(place) and key != own
        ]  # fmt: skip
        lists = [c if isinstance(c, list) else [c] for c in (*self.columns.values(), *chosen)]
        taken = {c for listed in lists for c in listed}
        others = {c for listed in self.instead.values() for c in listed if isinstance(c, str)}
        return column not in taken | others | self.apart | set(self.columns_taken)

    @_once
    def filled(self, column):
        """The cells of a column that say something."""
        return [cell for cell in self.table[column] if cell.lower() not in MISSING]

    @_once
    def share(self, column, ranges=True):
        """Share of the filled cells that are numbers; "6-8" is one where `ranges`."""
        cells = self.filled(column)
        good = [plain_number(c.replace(",", ".")) or (ranges and RANGE.fullmatch(c)) for c in cells]
        return sum(map(bool, good)) / max(len(good), 1)

    @_once
    def holds_numbers(self, column):
        """Whether most filled cells hold a number, be it "n=10", "4.1*" or "<0.1"."""
        cells = self.filled(column)
        form = re.compile(
            r"\D{0,4}\d+([.,]\d+)*\s*(\D{0,4}|[a-z ]{0,12}|\D{1,5}\d+([.,]\d+)*)", re.I
        )
        good = [bool(form.fullmatch(cell)) for cell in cells if not DATE.match(cell)]
        return sum(good) > 0.6 * len(cells) and len(cells) > 0

    @_once
    def is_bias(self, column):
        """Whether a column is a question on the risk of bias."""
        said, cells = self.said[column], {cell.lower() for cell in self.filled(column)}
        judged = len(cells) > 1 and cells <= set(KNOWN["words"]["bias"])
        return column.endswith("?") or {"rob", "rb", "bias"} & set(said) or len(said) > 8 or judged

    def number_columns(self):
        """Columns that hold numbers which are used."""
        columns = [
            *self.columns.items(),
            *(p for block in self.blocks for p in block["columns"].items()),
        ]
        kinds = (*NUMERIC, "sem", "follow", *IN_TURN)
        return [
            c for name, c in columns if {name.split("_")[0], name.rpartition("_")[0]} & {*kinds}
        ]
