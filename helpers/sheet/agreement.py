"""Two extractors' sheets of the same experiments: agreement, differing cells, one sheet of both."""

from pathlib import Path

import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa

from helpers.problems import Finding, ReviewError
from helpers.sheet.files import plain_number, read_table

EITHER = " | "  # between the two readings of a cell that is still to be settled


def compare_sheets(a, b, *, key=None, tolerance=0.0):
    """Hold two sheets with the same headings against each other.

    Parameters
    ----------
    a, b : str or Path
    key : str, optional
        Column that names an experiment in both; by default the first column without duplicates.
    tolerance : float
        Numbers agree when they differ by at most this share of the larger; their mean is taken.

    Returns
    -------
    agreement : pandas.DataFrame
        ``column, cells, agree, share, kappa``; Cohen's kappa for columns of words.
    differing : pandas.DataFrame
        ``key, column, a, b``; also columns and rows that only one sheet has.
    reconciled : pandas.DataFrame
        All rows; a cell still to be settled holds both readings, which the check refuses.
    """
    left, right = (read_table(Path(path)).table for path in (a, b))
    shared = [column for column in left if column in right]
    key = key or next((c for c in shared if _names_rows(left[c]) and _names_rows(right[c])), None)
    if key not in shared or not (_names_rows(left[key]) and _names_rows(right[key])):
        what = "no column names each row once in both sheets"
        remedy = f"Name one with --key; both have {', '.join(shared) or 'no common column'}"
        raise ReviewError([Finding(str(b), what, remedy, value=key)])
    left, right = left.set_index(key), right.set_index(key)
    both = left.index.intersection(right.index, sort=False)
    result = pd.concat([left, right.loc[right.index.difference(left.index, sort=False)]]).fillna("")
    agreement, differing = [], []
    for name in [column for column in shared if column != key]:
        pairs = pd.DataFrame({"a": left.loc[both, name], "b": right.loc[both, name]})
        settled = [_settle(a, b, tolerance) for a, b in pairs.to_numpy()]
        # A list would name columns where it is empty.
        open_ = pairs[pd.Series([cell is None for cell in settled], pairs.index, dtype=bool)]
        result.loc[both, name] = settled
        result.loc[open_.index, name] = open_["a"] + EITHER + open_["b"]
        differing += [(row, name, a, b) for row, a, b in open_.itertuples()]
        agree = len(pairs) - len(open_)
        numeric = all(plain_number(cell) or not cell for cell in pairs.to_numpy().ravel())
        kappa = None if numeric else _kappa(pairs)
        agreement.append((name, len(pairs), agree, agree / max(len(pairs), 1), kappa))
    differing += [("", name, "only here", "") for name in left if name not in right]
    differing += [("", name, "", "only here") for name in right if name not in left]
    differing += [(row, "", "only here", "") for row in left.index.difference(right.index)]
    differing += [(row, "", "", "only here") for row in right.index.difference(left.index)]
    return (
        pd.DataFrame(agreement, columns=["column", "cells", "agree", "share", "kappa"]),
        pd.DataFrame(differing, columns=[_unlike(key, "column", "a", "b"), "column", "a", "b"]),
        result.rename_axis(key).reset_index(),
    )


def _names_rows(column):
    """Whether a column names every row, and each once: an empty cell is no name."""
    return column.is_unique and bool((column != "").all())


def _unlike(heading, *taken):
    """A heading of a sheet as that of a table whose own headings are taken."""
    return f"{heading} (key)" if heading in taken else heading


def _settle(x, y, tolerance):
    """The agreed reading of a cell, None where there is none."""
    if x == y:
        return x
    if plain_number(x) and plain_number(y):
        a, b = float(x), float(y)
        if abs(a - b) <= tolerance * max(abs(a), abs(b)):
            return x if a == b else repr((a + b) / 2)
    return None


def _kappa(table):
    """Cohen's (1960) kappa of two readings; None where both give one word only."""
    words = pd.unique(table.to_numpy().ravel())
    if len(words) < 2:
        return None
    counts = pd.crosstab(table["a"], table["b"]).reindex(index=words, columns=words, fill_value=0)
    return float(cohens_kappa(counts, return_results=False))
