"""Judgements of the included studies, item by item, as a file or the columns of the sheet have them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from helpers.figures import review as review_figures
from helpers.review import quality
from helpers.words.numbers import count, listing

BESIDE = 6  # items for which a forest plot has room
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, eq=False)
class Judged:
    """Judgements, a row a study, and what they are.

    `items` are their texts by column, `marks` symbol, colour and meaning of each judgement, `best`
    what the best of them is called in a sentence; `provenance` says where they come from.
    """

    table: pd.DataFrame
    items: dict
    name: str = "risk-of-bias"
    title: str = "SYRCLE's risk of bias"
    marks: dict = None
    best: str = "at low risk"
    provenance: str = "as printed"
    note: str = ""


def read(review, kind="risk_of_bias"):
    """Judgements of a review: the columns of its sheet, else `risk_of_bias.csv`.

    Parameters
    ----------
    review : helpers.review.review.Review
    kind : {"risk_of_bias", "reporting"}

    Returns
    -------
    Judged
        Its table is empty where there are none.
    """
    marks = review_figures.JUDGEMENTS if kind == "risk_of_bias" else review_figures.REPORTED
    table = quality.by_study(review, kind)
    if len(table) or kind == "reporting":
        items = {name: name for name in table.columns.drop("study_label", errors="ignore")}
        title, best = ("Reporting", "reported") if kind == "reporting" else (
            "Risk of bias", "at low risk")  # fmt: skip
        note = " Where rows of a study differ, the worse judgement is shown."
        note = note * _differ(review, list(items))
        name = kind.replace("_", "-")
        return Judged(table, items, name, title, marks, best, "as in the sheet", note)
    items = review.facts("risk_of_bias_items.csv")
    texts = {} if items.empty else dict(zip(items["item"], items["text"], strict=True))
    return Judged(review.facts("risk_of_bias.csv"), texts, title=tool(texts), marks=marks)


def tool(items):
    """What the judgements are called: SYRCLE's where an item is of how animals were housed."""
    housed = any(re.search(r"hous(ed|ing)|cages?\b", text, re.I) for text in items.values())
    return "SYRCLE's risk of bias" if housed else "Risk of bias"


def _differ(review, items):
    judged = review.judgements[items].replace("", pd.NA)
    different = judged.groupby(review.experiments["study"]).nunique()
    return bool((different > 1).any(axis=None))


def judgements(exhibits, judged):
    """Judgement of each study on each item."""
    table, items = judged.table, judged.items
    if table.empty:
        return None
    overall, said = None, ""
    if "overall" in table and "overall" not in items:
        overall = "overall"
        said = f"; the printed word for all is {listing(sorted(set(table[overall])))!r}"
    key = ", ".join(f"{symbol} {words}" for symbol, _, words in _short(judged.marks))
    return exhibits.figure(
        review_figures.risk_of_bias(table, items, overall=overall, marks=judged.marks),
        name=judged.name,
        caption=f"{judged.title} in {count(len(table), 'study', 'studies')}: {key}. There is no "
        f"summary score{said}.{judged.note}",
        alt=words(judged),
        data=table.assign(provenance=judged.provenance),
    )


def _short(marks):
    """Marks with the shortest words for them: "low", not "low risk"."""
    return [(symbol, color, said.removesuffix(" risk")) for symbol, color, said in marks.values()]


def summary(exhibits, judged):
    """Judgements counted for each item."""
    if judged.table.empty:
        return None
    return exhibits.figure(
        review_figures.risk_of_bias_summary(judged.table, judged.items, marks=judged.marks),
        name=f"{judged.name}-summary",
        caption=f"Judgements by item. {words(judged)}",
        alt=words(judged),
        data=counts(judged).assign(provenance=judged.provenance),
    )


def counts(judged):
    """Judgements counted, a row an item."""
    found = {word: (judged.table[list(judged.items)] == word).sum() for word in judged.marks}
    counted = pd.DataFrame({"text": pd.Series(judged.items, dtype=object), **found})
    return counted.rename_axis("item").reset_index()


def words(judged):
    """On which items few studies have the best judgement, from the counts."""
    counted, best = counts(judged), next(iter(judged.marks))
    totals = counted[list(judged.marks)].sum(axis=1)
    weak = [
        f"{item.replace('item_', 'item ')} ({low} of {total} {best})"
        for item, low, total in zip(counted["item"], counted[best], totals, strict=True)
        if 5 * low < total
    ]
    if not weak:
        return f"On every item at least a fifth of the studies is {judged.best}."
    return f"Fewer than a fifth of the studies are {judged.best} on {listing(weak)}."


def texts(exhibits, judged):
    """The items' texts with their counts."""
    counted = counts(judged)
    if counted.empty:
        return None
    shown = counted.assign(item=counted["item"].str.replace("item_", "Item "))
    if (counted["item"] == counted["text"]).all():
        shown = shown.drop(columns="text")
    meant = listing(said for _, _, said in _short(judged.marks))
    whose = "SYRCLE's items" if judged.title.startswith("SYRCLE") else f"{judged.title}: items"
    return exhibits.table(
        shown.rename(columns=str.capitalize), name=f"{judged.name}-items",
        caption=f"{whose} and how many studies were judged {meant}.",
        data=counted.assign(provenance=judged.provenance),
    )  # fmt: skip


def beside(review, rows):
    """Judgements of rows for a column beside a forest plot, and what its letters mean.

    Returns
    -------
    cells : pandas.Series or None
        Such as ``A+ B? C−``: an item's letter with the symbol of its judgement, so that no colour is
        needed. None where the sheet has no such column, or more than there is room for.
    said : str
        For the caption.
    """
    items = list(review.quality.risk_of_bias)
    if not 0 < len(items) <= BESIDE:
        return None, ""
    marks = {level: symbol for level, (symbol, *_) in review_figures.JUDGEMENTS.items()}
    judged = review.judgements.loc[rows.index, items]
    cells = judged.apply(
        lambda row: " ".join(
            letter + marks.get(level, "·") for letter, level in zip(LETTERS, row, strict=False)
        ),
        axis=1,
    )
    named = [f"{letter} {item}" for letter, item in zip(LETTERS, items, strict=False)]
    key = ", ".join(f"{s} {said}" for s, _, said in _short(review_figures.JUDGEMENTS))
    return cells, f" Risk of bias: {listing(named)}; {key}, · not judged."
