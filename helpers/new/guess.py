"""All that a sheet seems to say of a review."""

import re
import unicodedata
from itertools import chain, count

from helpers.new.exports import revman, syrf
from helpers.new.figure import find_figure, turn_errors
from helpers.new.groups import find_groups
from helpers.new.headings import KNOWN, read_heading, words
from helpers.new.keys import find_keys
from helpers.new.levels import in_order, merge
from helpers.new.long import find_long
from helpers.new.missing import find_excluded, not_reported
from helpers.new.quality import find_quality
from helpers.new.questions import Guesses
from helpers.new.shapes import cells as shapes
from helpers.new.shapes.heading_rows import rows_of
from helpers.review.schema import FILL_IN

YEARS = set(KNOWN["words"]["year"])


def one_line(text):
    """A text without what would end a line or a comment."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text)


class Guess(Guesses):
    """All that a table seems to say of a review."""

    def __init__(self, raw, raws, answers=()):
        super().__init__(raw, answers)
        self.joins, self.leave_out, self.of_pairs = [], [], ()
        self.pair, self.in_minutes = [], False
        self.header, self.sheet = rows_of(raw), [sheet for _, sheet in raw.parts] or raw.sheet
        if self.header != 1:
            heads = ", ".join(list(raw.table)[:3])
            self.ask(
                "sheet.header", f"the headings are row {raw.header} ({heads}, ...)", (), "another",
                values=(self.header,),
            )  # fmt: skip
        self.long, self.records, self.labels = False, None, {}
        self.sham_column, self.shams = None, []
        self.of_revman = revman.is_revman(self.table)
        of_syrf = syrf.is_export(self.table)
        if not (of_syrf or self.of_revman or raw.digitised):
            shapes.fill_down(self)
            shapes.split(self)
        self.join([other for other in raws if other is not raw])
        find_quality(self)
        find_excluded(self)
        if of_syrf:
            syrf.find_groups(self)
        elif not raw.digitised and not self.of_revman and find_long(self):
            self.long = True
        elif self.of_revman:
            revman.find_analyses(self)
        else:
            if raw.digitised:
                find_figure(self)
            find_groups(self)
            if raw.digitised:
                turn_errors(self)
            shapes.ask_average(self)
            find_keys(self)
        self.recognised = len([c for c in self.columns.values() if c not in (FILL_IN, "row")])
        self.recognised += sum(len(block["columns"]) for block in self.blocks)
        if self.of_revman:
            revman.find_subgroups(self)
        else:
            self.find_moderators()
        self.find_marks()

    # ------------------------------------------------------------------ several sheets

    def join(self, others):
        """Other sheets whose key stands in this one; a running number is no key."""
        for other in others:
            for key in other.table.columns.intersection(self.table.columns):
                if read_heading(key).quantity or set(words(key)) <= YEARS:
                    continue
                theirs, mine = other.table[key], self.table[key]
                filled = mine[mine != ""]
                if not theirs.is_unique or filled.empty or filled.isin(theirs).mean() <= 0.9:
                    continue
                if _has_groups(other.table):  # rows of its own, not more about these
                    break
                if _counts_rows(key, filled, theirs):
                    self.say(
                        f"sheet {other.sheet} was not joined: {key} is a running number; where it "
                        "does say which rows belong together, name it under [[sheet.join]]"
                    )
                    continue
                own = f"sheet.join {other.sheet}"
                if not self.answer(own, True):
                    break
                self.joins.append({"sheet": other.sheet, "on": key})
                self.ask("sheet.join", f"sheet {other.sheet} by {key}", mine, "not joined",
                         values=(True, False), key=own)  # fmt: skip
                known = self.table.columns.difference([key])
                more = other.table.drop(columns=known, errors="ignore").set_index(key)
                self.table = self.table.join(more, on=key).fillna("")
                break

    def pass_over(self, others):
        """Say which sheet was taken, and which were not."""
        joined = {entry["sheet"] for entry in self.joins}
        passed = [raw for raw in others if raw.sheet not in joined]
        if not passed:
            return
        values, shown = [raw.sheet for raw in (self.raw, *passed)], list(map(_size, passed))
        heads = set(self.raw.table)
        alike = [raw.sheet for raw in passed if len(heads ^ set(raw.table)) <= 0.2 * len(heads)]
        if alike and self.raw.sheet:
            shown.append(f"{', '.join([self.raw.sheet, *alike])} below each other")
            values.append([self.raw.sheet, *alike])
        self.ask(
            "sheet.sheet", _size(self.raw), (), shown, "the others are not read", values=values
        )
        self.questions.sort(key=lambda question: question.setting != "sheet.sheet")

    # ------------------------------------------------------------------ the rest of the review

    def find_moderators(self):
        """Columns of well-known names with a few levels; numbers are numbers, also when few."""
        self.moderators, passed = {}, []
        missing, wanted = set(KNOWN["words"]["missing"]), set(KNOWN["words"]["moderators"])
        for column, cells in self.table.items():
            cells = cells[~cells.str.lower().isin(missing)]
            said = self.said[column]
            if column in self.of_pairs or said[:1] == ["is"] or not wanted & set(said):
                continue
            if not self.free(column) or self.is_bias(column):
                continue
            numeric, few = self.share(column, False), cells.nunique() <= 60
            name = slug(column, self.moderators)
            apart = not few or not self.answer(f"sheet.values.{name}", True)
            replaced = {cell: cell for cell in cells} if apart else merge(cells)
            levels = list(dict.fromkeys(replaced.values()))
            nouns, codes = (set(KNOWN["words"][kind]) & set(said) for kind in ("numeric", "coded"))
            number = (
                numeric == 1 and len(levels) > 1 and bool(nouns or (len(levels) > 2 and not codes))
            )
            if not (number or 2 <= len(levels) <= 12):
                continue
            if len(self.moderators) == 8:
                passed.append(column)
                continue
            if len(levels) <= 12:
                levels = in_order(cells.map(replaced).value_counts().index)
            if numeric > 0 and len(levels) <= 12:
                ways = ["a number", f"categories {', '.join(levels[:6])}"]
                chosen, other = ways if number else ways[::-1]
                self.ask(f"moderators.{name}", f"{column} as {chosen}", cells, f"as {other}",
                         values=(number, not number))  # fmt: skip
                number = self.answer(f"moderators.{name}", number)
            if not number:
                self.replace(name, {old: new for old, new in replaced.items() if old != new})
            self.moderators[name] = (column, None if number else levels)
        if self.block_arms:
            self.moderators["arm"] = ("arm", self.block_arms)
        if passed:
            self.say(f"no moderators, for there are 8 already: {', '.join(passed)}")

    def replace(self, name, spellings):
        """Spellings brought to one, which is a question."""
        if spellings:
            self.values[name] = spellings
            pairs = [f"{old!r} is {new!r}" for old, new in list(spellings.items())[:6]]
            self.ask(f"sheet.values.{name}", ", ".join(pairs), (), "levels of their own",
                     values=(True, False))  # fmt: skip

    def find_marks(self):
        """Words for missing cells, and the decimal sign."""
        taken = [c for c in self.number_columns() if c in self.table]
        shapes.strip(self)
        texts = {shapes.bare(cell, self.strip) for column in taken for cell in self.table[column]}
        commas = sorted(t for t in texts if re.fullmatch(r"[-+]?\d+(,\d+)+", t))
        sure = [t for t in commas if not re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+", t)]
        pointed = any(re.fullmatch(r"-?\d+\.\d+", text) for text in texts)
        self.decimal = "," if sure and (self.raw.typed or not pointed) else "."
        guessed, self.decimal = self.decimal, self.answer("sheet.decimal", self.decimal)
        if guessed == ",":
            unsure = [text for text in commas if text not in sure]
            self.ask("sheet.decimal", "a comma", unsure + sure, "a point", values=(",", "."))
        elif commas:
            self.thousands = (
                "," if self.decimal == "." and "sheet.decimal" in self.answers else None
            )
            self.fill_in(
                f"say what the comma in {', '.join(commas[:3])} is: decimal or thousands, "
                "under [sheet]",
                "sheet.decimal",
                (("the decimal sign", ","), ("it parts thousands", ".")),
            )
        columns = [*(column for column, _ in self.moderators.values()), *self.split]
        texts.update(c for column in columns if column in self.table for c in self.table[column])
        self.missing = sorted(t for t in texts if t and t.lower() in KNOWN["words"]["missing"])
        self.missing += not_reported(self)

    def finish(self, title):
        """What the templates of `review.toml` and the README need to know besides."""
        self.id, self.title = slug(title), title
        self.families = revman.families(self, slug) if self.of_revman else self.of_outcomes()
        self.unconfirmed = list(dict.fromkeys(each.setting for each in self.questions))
        self.confirmed = set(self.answers) - set(self.unconfirmed)
        self.todo = list(map(one_line, map(str, [*self.blanks, *self.questions, *self.notes])))

    def of_outcomes(self):
        """One family of all outcomes, each direction a question."""
        outcomes = {"outcome": ("Outcome", self.better(""))}
        column = self.columns.get("outcome")
        if column:
            cells, outcomes = self.table[column], {}
            cells = cells[~cells.str.lower().isin(KNOWN["words"]["missing"])]
            apart = not self.answer("sheet.values.outcome", True)
            replaced = {cell: cell for cell in cells} if apart else merge(cells)
            for text in dict.fromkeys(replaced.values()):
                outcomes[slug(text, outcomes)] = text, self.better(text)
            ids = {text: name for name, (text, _) in outcomes.items()}
            self.replace("outcome", {o: n for o, n in replaced.items() if o != n})
            named = {old: ids[new] for old, new in replaced.items() if old != ids[new]}
            self.values["outcome"] = named
            outcomes = outcomes or {"outcome": ("Outcome", "higher")}
        elif self.block_outcomes:
            outcomes = {}
            for text, block in zip(self.block_outcomes, self.blocks, strict=True):
                block["constants"]["outcome"] = slug(text, outcomes)
                outcomes[slug(text, outcomes)] = text, self.better(text)
        for name, (text, better) in outcomes.items():
            other = {"higher": "lower", "lower": "higher"}[better]
            why = "the effect is treated minus control"
            why += ", times the sign" if "sign" in self.columns else ""
            setting = f"families.outcomes.{name}.better"
            ways = [(f"{way} is better", way) for way in (better, other)]
            ways.append(("neither is benefit", "neither"))
            self.ask(setting, f"{better} is better for {text}", (), other, why, choices=ways)
            outcomes[name] = text, self.answer(setting, better)
        listed = [{"id": id, "label": text, "better": b} for id, (text, b) in outcomes.items()]
        return [{"id": "outcomes", "label": "Outcomes", "outcomes": listed}]

    def better(self, text):
        """The direction that is benefit, as far as the name of an outcome tells."""
        worse = any(word in text.lower() for word in KNOWN["words"]["worse"])
        return "lower" if worse and "sign" not in self.columns else "higher"


def _size(raw):
    """A sheet's name with its rows and columns."""
    rows, columns = raw.table.shape
    return f"{raw.sheet} ({rows} row{'s' * (rows != 1)}, {columns} column{'s' * (columns != 1)})"


def _has_groups(table):
    """Whether the headings name means and errors of two groups."""
    found = [read_heading(column) for column in table]
    means = {h.arm for h in found if h.quantity in ("mean", "median")}
    return len(means & {h.arm for h in found if h.quantity in ("sd", "low")} - {""}) > 1


def _counts_rows(key, mine, theirs):
    """Whether a key only counts the rows of one of two sheets."""
    if not (_is_counter(mine) or _is_counter(theirs)):
        return False
    if set(words(key)) <= set(KNOWN["words"]["counters"]):
        return True
    # "Study" 1, 2, 3, each once, may count rows too; S1, S2 or 1, 1, 2 says whose row it is.
    return _is_counter(mine) and mine.iloc[0][:1].isdigit()


def _is_counter(cells):
    """Whether cells only count rows: 1, 2, 3 or E01, E02, each once, hardly a gap."""
    found = [re.fullmatch(r"(\D*?)0*(\d+)(?:\.0)?", cell) for cell in cells]
    if len(found) < 2 or not all(found) or len({match[1] for match in found}) > 1:
        return False
    numbers = {int(match[2]) for match in found}
    return len(numbers) == len(found) and max(numbers) - min(numbers) < 1.5 * len(numbers)


def slug(text, taken=()):
    """An id for a text, unlike those that are taken: "IL-1α" and "IL-1β" both begin as il_1."""
    bare = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    name = re.sub(r"\W+", "_", bare, flags=re.ASCII).strip("_") or "x"
    name = name if name.isidentifier() else f"x_{name}"
    numbered = (f"{name}_{number}" for number in count(2))
    taken = {*taken, "overview", "index"}
    return next(each for each in chain([name], numbered) if each not in taken)
