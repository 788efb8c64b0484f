"""What a publication prints, as numbers, beside what is computed here."""

from __future__ import annotations

import pandas as pd

POOLED = {
    "k": "k", "smd": "estimate", "ci_low": "ci_low", "ci_high": "ci_high", "p_reported": "p",
}  # fmt: skip
SUBGROUP = {
    "k": "k", "smd": "estimate", "ci_low": "ci_low", "ci_high": "ci_high", "p": "p", "i2": "i2",
    "coef": "coef", "coef_low": "coef_low", "coef_high": "coef_high", "coef_p": "coef_p",
}  # fmt: skip


def pooled(review):
    """Printed pooled effects.

    Returns
    -------
    pandas.DataFrame
        Indexed by outcome: ``k, estimate, ci_low, ci_high`` as numbers, NaN where not printed,
        ``p`` as printed, ``where``. The first row with an estimate counts; a mention without one,
        as in an abstract, does not. Empty where the review has no `published_pooled.csv`.
    """
    table = review.facts("published_pooled.csv")
    if table.empty:
        return pd.DataFrame(columns=[*POOLED.values(), "where"])
    table = table[table["smd"] != ""].drop_duplicates("outcome_id").set_index("outcome_id")
    return _numbers(table, POOLED).assign(where=table.get("note", ""))


def subgroups(review):
    """Printed subgroup estimates and coefficients, a row a level.

    Returns
    -------
    pandas.DataFrame
        ``outcome, moderator, level``, the printed table's number and the printed values as
        numbers; ``p`` and ``coef_p`` as printed.
    """
    table = review.facts("published_subgroups.csv")
    if table.empty:
        return pd.DataFrame(columns=["outcome", "moderator", "level", "table", *SUBGROUP.values()])
    ids = {"outcome_id": "outcome", "moderator_id": "moderator", "level_id": "level"}
    names = table[[*ids, "table"]].rename(columns=ids)
    return pd.concat([names, _numbers(table, SUBGROUP)], axis=1)


def _numbers(table, columns):
    """Printed cells as numbers, p-values as they are printed."""
    texts = ("p", "coef_p")
    return pd.DataFrame(
        {
            name: table[cells] if name in texts else pd.to_numeric(table[cells], errors="coerce")
            for cells, name in columns.items()
        }
    )
