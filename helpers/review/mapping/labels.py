"""Ids that nobody can read, such as GUIDs, under names that a reader knows: author and year."""

import re
from itertools import count

import pandas as pd

from helpers.review.mapping.working import joined

LABELLED = ("study", "cohort", "experiment")


def label(mapping):
    """Name studies, cohorts and experiments by the columns that `[sheet.labels]` says.

    One id keeps one name, and two ids never get the same: studies are told apart as "Doe 2019a" and
    "Doe 2019b", others by a number. The name of a cohort or an experiment begins with its study's.
    """
    entries = mapping.config.labels
    for name in LABELLED:
        if name in entries and name in mapping.table:
            _label(mapping, name, entries[name])


def _label(mapping, name, columns):
    columns = [columns] if isinstance(columns, str) else list(columns)
    mapping.known(f"labels.{name}", columns, mapping.before)
    ids = mapping.table[name]
    parts = mapping.before[columns].reindex(ids.index)
    parts = parts.where(~parts.apply(mapping.is_missing), "")
    if name == "study":
        parts[columns[0]] = parts[columns[0]].map(first_author)
    texts = joined(parts, columns, " ").map(lambda text: " ".join(text.split()))
    # Half a name, such as a bare year, would not tell a study.
    texts = texts.where(parts[columns[0]] != "", "")
    if name != "study":
        texts = (mapping.table["study"] + ", " + texts).where(texts != "", "")
    known = pd.DataFrame({"id": ids, "text": texts})[(ids != "") & (texts != "")]
    differ = known.groupby("id")["text"].transform("nunique") > 1
    first = known[~known["id"].duplicated()]
    what = "rows of this id have different labels: the first is taken"
    rows = differ.reindex(ids.index, fill_value=False) & ids.index.isin(first.index)
    mapping.found.warn(rows, ids, what, f"Bring them to one, or drop labels.{name} in [sheet]")
    taken = set(ids) - set(first["id"])
    names = _distinct(dict(zip(first["id"], first["text"], strict=True)), taken, name == "study")
    mapping.table[name] = ids.map(lambda cell: names.get(cell, cell))
    mapping.note("label", name, f"named by {' and '.join(columns)}", len(known))


def first_author(text):
    """The first author's surname of a list such as "REVEL FG :MOREAU J-L" or "Doe, J.; Roe, R."."""
    first = re.split(r"\s*[;:|]\s*|\s+and\s+|\s*&\s*|\s+et\s+al\b", text.strip())[0]
    first = first.split(",")[0].strip()
    words = first.split()
    while len(words) > 1 and re.fullmatch(r"(?:[^\W\d_]\.?-?){1,3}", words[-1]) and (
        words[-1].isupper()
    ):  # fmt: skip
        words.pop()
    name = " ".join(words)
    return name.title() if name.isupper() else name


def _distinct(texts, taken, letters):
    """A name for each id that no other id has."""
    same = {}
    for key, text in texts.items():
        same.setdefault(text, []).append(key)
    names = {}
    for text, keys in same.items():
        if len(keys) == 1 and text not in taken:
            names[keys[0]] = text
            taken.add(text)
    for text, keys in same.items():
        for key in keys:
            if key not in names:
                forms = (f"{text}{_letter(i)}" if letters else f"{text} ({i + 1})" for i in count())
                names[key] = next(form for form in forms if form not in taken)
                taken.add(names[key])
    return names


def _letter(number):
    """A letter or several: a, b, ..., z, aa, ab."""
    more, last = divmod(number, 26)
    return (_letter(more - 1) if more else "") + chr(ord("a") + last)
