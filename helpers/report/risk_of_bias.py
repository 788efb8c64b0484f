"""Risk of bias of the included studies, item by item, as the review's own files have it."""

from __future__ import annotations

import pandas as pd

from helpers.figures import review as review_figures
from helpers.words.numbers import count, listing


def read(review):
    """Judgements, a row a study, and the items' texts."""
    items = review.facts("risk_of_bias_items.csv")
    texts = {} if items.empty else dict(zip(items["item"], items["text"], strict=True))
    return review.facts("risk_of_bias.csv"), texts


def judgements(exhibits, table, items):
    """Judgement of each study on each item."""
    if table.empty:
        return None
    overall, said = None, ""
    if "overall" in table:
        overall = "overall"
        said = f"; the printed word for all is {listing(sorted(set(table[overall])))!r}"
    return exhibits.figure(
        review_figures.risk_of_bias(table, items, overall=overall),
        name="risk-of-bias",
        caption=f"SYRCLE's risk of bias in {count(len(table), 'study', 'studies')}: + low, ? "
        f"unclear, − high. There is no summary score{said}.",
        alt=words(table, items),
        data=table.assign(provenance="as printed"),
    )


def summary(exhibits, table, items):
    """Judgements counted for each item."""
    if table.empty:
        return None
    return exhibits.figure(
        review_figures.risk_of_bias_summary(table, items),
        name="risk-of-bias-summary",
        caption=f"Judgements by item. {words(table, items)}",
        alt=words(table, items),
        data=counts(table, items).assign(provenance="as printed"),
    )


def counts(table, items):
    """Judgements counted, a row an item."""
    found = {word: (table[list(items)] == word).sum() for word in review_figures.JUDGEMENTS}
    counted = pd.DataFrame({"text": pd.Series(items, dtype=object), **found})
    return counted.rename_axis("item").reset_index()


def words(table, items):
    """On which items few studies are at low risk, from the counts."""
    counted = counts(table, items)
    totals = counted[list(review_figures.JUDGEMENTS)].sum(axis=1)
    weak = [
        f"{item.replace('item_', 'item ')} ({low} of {total} low)"
        for item, low, total in zip(counted["item"], counted["low"], totals, strict=True)
        if 5 * low < total
    ]
    if not weak:
        return "On every item at least a fifth of the studies is at low risk."
    return f"Fewer than a fifth of the studies are at low risk on {listing(weak)}."


def texts(exhibits, table, items):
    """The items' texts with their counts."""
    counted = counts(table, items)
    if counted.empty:
        return None
    shown = counted.assign(item=counted["item"].str.replace("item_", "Item "))
    return exhibits.table(
        shown.rename(columns=str.capitalize), name="risk-of-bias-items",
        caption="SYRCLE's items and how many studies were judged low, unclear and high.",
        data=counted.assign(provenance="as printed"),
    )  # fmt: skip
