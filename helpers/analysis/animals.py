"""Which rows hold the same animals, and how many animals there are.

An id of a cohort or a control group belongs to its study: "A" of two studies are two groups. No key
is a text put together from others, and none is made from a missing value: a row without an id has
animals of its own, and a row without a day is on a day of its own name.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats import shared_controls


def control_groups(rows):
    """Number of the control group of each row.

    Parameters
    ----------
    rows : pandas.DataFrame
        With ``study, control_group``.

    Returns
    -------
    ndarray of int
    """
    return _numbered(rows, "control_group")


def cohorts(rows):
    """Number of the treated cohort of each row, from ``study, cohort``."""
    return _numbered(rows, "cohort")


def days(rows):
    """Number of the day of each row; rows without one are on the same, unnamed day."""
    return pd.factorize(rows["follow_up_days"], use_na_sentinel=False)[0]


def share(rows):
    """Control animals that fall to each row where a control group serves several cohorts.

    A control group is divided among the cohorts compared with it on one day: a cohort with several
    rows there, or seen on several days, is one cohort each time.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one outcome.

    Returns
    -------
    pandas.Series
    """
    by = together(control_groups(rows), days(rows))
    return shared_controls.shared_control_n(rows, by=by, cohort=cohorts(rows))


def count(rows, *, split=False):
    """Number of animals, those of a cohort and those of a control group once.

    Parameters
    ----------
    rows : pandas.DataFrame
        With ``study, cohort, control_group, n_treated, n_control``. Where a group is of different
        size in different rows, animals were lost and the largest counts.
    split : bool
        The sheet's control n is what falls to each cohort: these shares are added up.

    Returns
    -------
    int
    """
    cohort, control = cohorts(rows), control_groups(rows)
    treated = rows["n_treated"].groupby(cohort).max()
    controls = rows["n_control"].groupby([control, cohort] if split else control).max()
    return round(treated.sum() + controls.sum())


def are_named(rows):
    """Whether every row says which control group it has."""
    return bool((rows["control_group"].fillna("") != "").all())


def _numbered(rows, name):
    """Number of each study's group; a row without an id has one of its own."""
    numbers, names = together(rows["study"], rows[name]), rows[name].to_numpy(object)
    blank = pd.isna(names) | (names == "")
    numbers[blank] = len(rows) + np.arange(blank.sum())
    return numbers


def together(*columns):
    """Numbers that are equal where all columns are, in the order in which they appear.

    What is missing counts as a value.
    """
    numbers = np.zeros(len(columns[0]), int)
    for column in columns:
        own = pd.factorize(np.asarray(column), use_na_sentinel=False)[0]
        numbers = pd.factorize(numbers * (len(own) + 1) + own)[0]
    return numbers
