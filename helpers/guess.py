"""A review folder made from somebody's sheet: guesses what its columns are, and marks them so."""

import json
import re
import shutil
import tomllib
from itertools import chain, count
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from helpers.findings import Finding, ReviewError
from helpers.numerals import ARMS, ERRORS
from helpers.sheets import RANGE, plain_number, read_table, sheet_names

TEMPLATES = Path(__file__).resolve().parent / "templates"
KNOWN = tomllib.loads((TEMPLATES / "guess.toml").read_text(encoding="utf-8"))
MISSING, QUANTITIES = KNOWN["words"]["missing"], KNOWN["quantities"]
ARM_OF = {word: arm for arm in ("treated", "control") for word in KNOWN["arms"][arm]}
ERROR_WORDS = {word for listed in ERRORS.values() for word in listed.split()}

WRITER = Environment(
    loader=FileSystemLoader(TEMPLATES), trim_blocks=True, lstrip_blocks=True, autoescape=False
)
WRITER.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)


def new(folder, source, sheet=None):
    """Make a review folder from a sheet: a copy of it, `review.toml` with guesses, a README.

    Parameters
    ----------
    folder : str or Path
        The new folder.
    source : str or Path
        The sheet; it is copied, never edited.
    sheet : str, optional
        Sheet of a workbook; by default the one in which most columns are recognised.

    Returns
    -------
    list of str
        What is to be filled in or looked at.

    Raises
    ------
    ReviewError
        The sheet cannot be read, or the folder is a review already.
    """
    folder, source = Path(folder), Path(source)
    if (folder / "review.toml").exists():
        remedy = "Name another folder, or edit the review.toml that is there"
        raise ReviewError([Finding(str(folder), "this folder is a review already", remedy)])
    raws = [read_table(source, sheet=name) for name in ([sheet] if sheet else sheet_names(source))]
    best = max((_Guess(raw, raws) for raw in raws), key=lambda guess: len(guess.columns))
    known = best.review(folder.resolve().name)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / source.name)
    for name, template in (("review.toml", "review.toml.j2"), ("README.md", "review_readme.md.j2")):
        text = WRITER.get_template(template).render(known)
        (folder / name).write_text(text, encoding="utf-8")
    return best.todo


class _Guess:
    """What the columns of a table seem to be."""

    def __init__(self, raw, raws):
        self.raw, self.table, self.joins = raw, raw.table, []
        self.columns, self.notes, self.constants, self.values, self.todo = {}, {}, {}, {}, []
        for other in raws:
            self.join(other)
        self.long = set(KNOWN["syrf"].values()) <= set(self.table)
        if self.long:
            self.columns = {"experiment": "row", **KNOWN["syrf"]}
            self.values["sign"] = {"TRUE": "-1", "FALSE": "1"}
        else:
            self.groups()
            self.keys()
        self.find_moderators()
        self.numbers()

    def join(self, other):
        """Another sheet whose key stands in this one."""
        for key in other.table.columns.intersection(self.table.columns):
            theirs, mine = other.table[key], self.table[key]
            if other is not self.raw and theirs.is_unique and mine.isin(theirs).mean() > 0.9:
                self.joins.append({"sheet": other.sheet, "on": key})
                known = self.table.columns.difference([key])
                more = other.table.drop(columns=known, errors="ignore").set_index(key)
                self.table = self.table.join(more, on=key).fillna("")
                return

    def free(self, column):
        return column not in self.columns.values()

    def share(self, column, ranges=True):
        """Share of the filled cells that are numbers; "6-8" is one where `ranges`."""
        cells = [cell for cell in self.table[column] if cell.lower() not in MISSING]
        good = [plain_number(c.replace(",", ".")) or (ranges and RANGE.fullmatch(c)) for c in cells]
        return sum(map(bool, good)) / max(len(good), 1)

    def groups(self):
        """The columns of n, mean and SD: a word for what it is beside a word for whose it is."""
        found = {}
        for column in self.table:
            reading = _reading(column)
            if reading and self.share(column) > 0.6:
                found.setdefault(reading, []).append(column)
        others = {arm for quantity, arm in found if quantity == "mean" and ("sd", arm) in found}
        others -= set(ARMS)
        if ("mean", "treated") not in found and len(others) == 1:  # "atd_mean" beside "ctr_mean"
            arm = others.pop()
            found |= {(q, "treated"): cs for (q, whose), cs in found.items() if whose == arm}
        for arm in ARMS:
            for quantity in QUANTITIES:
                # Numbers before ranges, SDs before SEMs, short names before long ones.
                options = sorted(
                    found.get((quantity, arm), []),
                    key=lambda c: (-self.share(c, False), "se" in c.lower(), len(_words(c))),
                )
                self.columns[f"{quantity}_{arm}"] = options[0] if options else "FILL IN"
                self.notes[f"{quantity}_{arm}"] = options[1:]

    def keys(self):
        """Keys by their names; an experiment's is unique, a study's is not if it can be helped."""
        for column, cells in self.table.items():
            words = set(cells.str.lower()) - set(MISSING)
            if words and words <= ERROR_WORDS:
                _, arm = _reading(column.removesuffix("type")) or ("", "")
                self.columns[f"error_type_{arm}" if arm in ARMS else "error_type"] = column
        for name, listed in KNOWN["keys"].items():
            hits = [
                column
                for word in listed for column in self.table
                if word in (*_words(column), "".join(_words(column))) and self.fits(name, column)
            ]  # fmt: skip
            if name == "study":
                hits.sort(key=lambda column: self.table[column].is_unique)
            if hits:
                self.columns[name] = hits[0]
        self.columns.setdefault("experiment", "row")
        self.columns.setdefault("study", "FILL IN")
        if "outcome" not in self.columns:
            self.constants["outcome"] = "outcome"
            self.todo.append("no column says what was measured: all rows are one outcome")

    def fits(self, name, column):
        """Whether a column can hold what its name says."""
        cells, numeric, whole = self.table[column], self.share(column), "".join(_words(column))
        return self.free(column) and {
            "outcome": numeric < 0.5 and cells.nunique() <= 40,
            "sign": set(cells) <= {"1", "-1"},
            "follow_up_days": numeric > 0.5,
            "experiment": cells.is_unique and whole in KNOWN["keys"]["experiment"],
        }.get(name, name == "study" or cells.nunique() > 1)

    def find_moderators(self):
        """Columns of well-known names with a few levels, spelling variants brought to one."""
        self.moderators = {}
        taken = {column for others in self.notes.values() for column in others}
        for column, cells in self.table.items():
            cells = cells[~cells.str.lower().isin(MISSING)]
            known = set(KNOWN["words"]["moderators"]) & set(_words(column))
            if not known or not self.free(column) or column in taken or len(self.moderators) == 8:
                continue
            name, levels = _slug(column, self.moderators), {}
            for level in cells.value_counts().index:
                levels.setdefault(_plain(level), level)
            if self.share(column) == 1 and len(levels) > 6:
                self.moderators[name] = (column, None)
            elif 2 <= len(levels) <= 12:
                spellings = set(cells) - set(levels.values())
                self.values[name] = {c: levels[_plain(c)] for c in sorted(spellings)}
                self.moderators[name] = (column, list(levels.values()))

    def numbers(self):
        """Words for missing cells, decimal commas, and SEMs by their heading."""
        names = [n for n in self.columns if n.split("_")[0] in (*QUANTITIES, "follow")]
        chosen = {n: self.columns[n] for n in names if self.columns[n] in self.table}
        texts = {cell for column in chosen.values() for cell in self.table[column]}
        self.decimal = "."
        if any(re.fullmatch(r"-?\d+,\d+", text) for text in texts):
            pointed = any(re.fullmatch(r"-?\d+\.\d+", text) for text in texts)
            self.decimal = "," if self.raw.typed or not pointed else "."
        texts.update(c for column, _ in self.moderators.values() for c in self.table[column])
        self.missing = sorted(text for text in texts if text and text.lower() in MISSING)
        sems = [c for n, c in chosen.items() if n[:2] == "sd" and {"se", "sem"} & set(_words(c))]
        if sems and not any(name.startswith("error_type") for name in self.columns):
            self.constants["error_type"] = "SEM"
            taken = ", ".join(sems)
            self.todo.append(f"{taken}: taken for SEMs; set error_type where they are not")

    def review(self, title):
        """What the templates of `review.toml` and the README need to know."""
        outcomes = {"outcome": ("Outcome", "higher")}
        if "outcome" in self.columns:
            outcomes = {}
            for text in filter(None, self.table[self.columns["outcome"]].unique()):
                outcomes[_slug(text, outcomes)] = text, self.better(text)
            slugs = {text: name for name, (text, _) in outcomes.items() if text != name}
            self.values["outcome"] = slugs
        for name, column in self.columns.items():
            if column == "FILL IN":
                self.todo.append(f"name the column of {name} under [sheet.columns]")
            elif self.notes.get(name):
                self.todo.append(f"{name}: {column}, or {', '.join(self.notes[name])}?")
        if "sign" in self.columns:
            sign = self.columns["sign"]
            self.todo.append(f"{sign} multiplies the effects: treated minus control")
        self.todo.append("which direction is better, for each outcome (no number depends on it)")
        return vars(self) | {"id": _slug(title), "title": title, "outcomes": outcomes}

    def better(self, text):
        worse = any(word in text.lower() for word in KNOWN["words"]["worse"])
        return "lower" if worse and not self.long else "higher"


def _words(column):
    """A heading's words in lower case, camelCase taken apart."""
    return [word.lower() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+", column)]


def _reading(column):
    """What a heading means as (quantity, arm), or None; an unknown word may name an arm."""
    words = _words(column)
    for quantity, listed in QUANTITIES.items():
        for word in listed:
            if len(words) == 1:  # "sdcon"
                arms = [arm for end, arm in ARM_OF.items() if words[0] in (word + end, end + word)]
            else:
                rest = [other for other in words if other != word] if word in words else []
                arms = [ARM_OF[other] for other in rest if other in ARM_OF] or rest
            if arms:
                return quantity, arms[0]
    return None


def _plain(level):
    """What spelling variants of a level share."""
    text = re.sub(r"[\W_]+", "", level.lower())
    return {"mice": "mouse"}.get(text, text.removesuffix("s"))


def _slug(text, taken=()):
    """An id for a text, unlike those that are taken: "IL-1α" and "IL-1β" both begin as il_1."""
    name = re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_") or "x"
    name = name if name.isidentifier() else f"x_{name}"
    numbered = (f"{name}_{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)
