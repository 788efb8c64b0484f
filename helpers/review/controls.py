"""Control groups that several rows share, told by their numbers where no id tells them."""

import numpy as np
import pandas as pd

from helpers.review.columns import CONTROL
from helpers.review.mapping.numbers import floats


def alike(table):
    """Which rows have the same control group by its numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        A mapped sheet: ``study, outcome``, the numbers of the control group and, where
        there are any, ``follow_up_days, control_group``.

    Returns
    -------
    dict of int to list of int
        By the first row, all rows of a study, an outcome and a day that agree in n, mean and SD of
        the control group, at least one of which has no ``control_group``.
    """
    numbers = pd.DataFrame({name: floats(table[name]) for name in CONTROL if name in table})
    if numbers.shape[1] < len(CONTROL):
        return {}
    blank = pd.Series("", table.index, dtype=object)
    group = table.get("control_group", blank)
    # A day that is not said is a day of its own name, and no key has a missing value in it.
    keys = [table["study"], table["outcome"], table.get("follow_up_days", blank)]
    keys += [numbers[name] for name in CONTROL]
    whole = np.isfinite(numbers).all(axis=1) & (table["study"] != "")
    # Two rows without any spread have no numbers by which to tell their controls.
    whole &= (numbers["sd_control"] != 0) | (numbers["mean_control"] != 0)
    groups = {}
    for row, *key in zip(table.index[whole], *(key[whole] for key in keys), strict=True):
        groups.setdefault(tuple(key), []).append(row)
    return {
        rows[0]: rows
        for rows in groups.values()
        if len(rows) > 1 and (group[rows] == "").any() and len(set(group[rows]) - {""}) < 2
    }


def name(table):
    """Ids for the control groups found by `alike`: the one a row has, else study and a number."""
    given = table.get("control_group", pd.Series("", table.index, dtype=object)).copy()
    taken, counts = set(given), {}
    for rows in alike(table.assign(control_group=given)).values():
        study = table.loc[rows[0], "study"]
        ids = [each for each in given[rows] if each]
        while not ids:
            counts[study] = counts.get(study, 0) + 1
            ids = [f"{study} control {counts[study]}"]
            ids = [each for each in ids if each not in taken]
        given[rows] = ids[0]
    return given
