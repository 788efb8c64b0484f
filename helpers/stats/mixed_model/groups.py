"""Labels as whole numbers, and the rows of each label, those of one size together."""

from __future__ import annotations

import numpy as np
import pandas as pd


def labels(values, k, name, missing=True):
    """Whole numbers that are equal where labels are; a missing one is one of its own, or refused.

    Without missing labels they are 0, 1, ... in the order in which the labels appear.
    """
    values = np.asarray(values, dtype=object)
    if len(values) != k:
        raise ValueError(f"{name} has {len(values)} labels, expected {k}")
    codes, names = pd.factorize(values)
    blank = np.append(names == "", True)[codes]  # the code of NaN and None is -1
    if blank.any() and not missing:
        raise ValueError(f"{name} is missing in {blank.sum()} rows")
    codes[blank] = len(names) + np.arange(blank.sum())
    return codes


def stacks(code, within=None):
    """Rows of each code, those of as many rows together, so that a loop is over sizes only.

    Parameters
    ----------
    code : ndarray of int, shape (k,)
    within : ndarray of int, shape (k,), optional
        Put the rows of each code in the order of this one.

    Yields
    ------
    ndarray of int, shape (codes, rows)
        Of at most 1,000,000 pairs of rows, where one code alone has no more.
    """
    order = np.lexsort((code if within is None else within, code))
    size = np.bincount(code)[code[order]]
    for n in np.unique(size):
        rows = order[size == n].reshape(-1, n)
        yield from np.array_split(rows, min(len(rows), -(-rows.size * n // 1_000_000)))
