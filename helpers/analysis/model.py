"""The multilevel model of an outcome: its levels, its sampling errors, its fit.

Who computes what: a `Model` says how the rows of a review depend on each other, `fit` brings an
outcome's rows to `helpers.stats.multilevel.multilevel` as it says.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.analysis import animals
from helpers.analysis.settings import EXPERIMENT, STUDY
from helpers.review.columns import ARMS
from helpers.stats.effects import brings_own, small_sample_factor
from helpers.stats.mixed_model.sampling import constant_covariance, shared_covariance
from helpers.stats.multilevel import multilevel


def codes(model, rows, level_values):
    """Labels of each level, outermost first; None for the row itself.

    Parameters
    ----------
    model : helpers.analysis.settings.Model
    rows : pandas.DataFrame
        Rows of the checked sheet.
    level_values : pandas.DataFrame
        What the sheet says in the columns that the model names, with the index of all rows.
    """
    return {name: _labels(name, rows, level_values) for name in model.levels}


def _labels(name, rows, level_values):
    if name == EXPERIMENT:
        return None
    return rows[STUDY] if name == STUDY else level_values.loc[rows.index, name]


def is_needed(model, rows, level_values, *, split=False):
    """Whether any two rows depend on each other: by a level, a control group or their animals."""
    labels = [one for one in codes(model, rows, level_values).values() if one is not None]
    if not split:
        labels.append(pd.Series(animals.control_groups(rows)))
    labels.append(pd.Series(animals.cohorts(rows)))
    return any(one.duplicated().any() for one in labels)


def errors(model, rows, found, settings, level_values, *, split=False):
    """Sampling errors of the rows as `multilevel` takes them.

    Parameters
    ----------
    model : helpers.analysis.settings.Model
    rows, found : pandas.DataFrame
        Rows used, and their ``effect, variance``.
    settings : helpers.analysis.settings.Settings
    level_values : pandas.DataFrame
    split : bool
        The sheet's control n is divided among its arms: they share no animals.

    Returns
    -------
    dict
        ``variance``, or ``covariance`` with ``cluster``.
    """
    variance = found["variance"]
    if model.covariance == "constant":
        within = _labels(model.within, rows, level_values)
        if within is None:
            return {"variance": variance}
        blocks, code = constant_covariance(variance, within=within, rho=model.rho)
        return {"covariance": blocks, "cluster": code}
    cohort = animals.cohorts(rows)
    control = np.arange(len(rows)) if split else animals.control_groups(rows)
    if not (pd.Index(control).has_duplicates or pd.Index(cohort).has_duplicates):
        return {"variance": variance}
    blocks = shared_covariance(
        variance,
        study=rows[STUDY],
        control_group=control,
        cohort=cohort,
        occasion=_occasions(rows),
        shared=_shared(rows, found, settings),
        rho=model.rho,
        names=rows["cohort"].where(rows["cohort"] != "", rows["experiment"]),
    )
    return {"covariance": blocks, "cluster": rows[STUDY]}


def _occasions(rows):
    """Which measurement of a control each row is compared with.

    On one day, too, a control whose mean or SD differs was measured in another way.
    """
    return animals.together(animals.days(rows), rows["mean_control"], rows["sd_control"])


def _shared(rows, found, settings):
    """Covariance of two rows through a control that they share, as a function of their places.

    Of an SMD as `helpers.stats.shared_controls.covariance` has it, the average effect in place of both
    by the variance at the average; of the other measures the geometric mean of what the control
    contributes to both variances. Rows that bring their own effect share nothing that is known.
    """
    own = brings_own(rows)
    n1, n2 = (rows[f"n_{arm}"].to_numpy(float) for arm in ARMS)
    mean, sd = rows["mean_control"].to_numpy(float), rows["sd_control"].to_numpy(float)
    # Effects are turned by `sign` already: measures that are turned alike go up together.
    effect = found["effect"].to_numpy(float)
    if settings.measure in ("SMD", "GLASS"):
        df, factor = n1 + n2 - 2, np.ones(len(rows))
        if settings.measure == "SMD" and settings.variance == "stata":
            factor = small_sample_factor(df, settings.correction)
        if settings.measure == "SMD" and settings.variance == "average":
            weights = np.where(own, 0, n1 + n2)
            effect = np.full(len(rows), np.nansum(weights * effect) / np.nansum(weights))

        def covary(i, j):
            # Where a control lost animals between two rows, the smaller is part of the larger.
            n = np.maximum(n2[i], n2[j])
            spread = (n - 1) / (2 * df[i] * df[j])
            if settings.measure == "GLASS":
                spread = 1 / (2 * (n - 1))
            return factor[i] * factor[j] / n + effect[i] * effect[j] * spread
    else:
        part, sign = sd**2 / n2, np.ones(len(rows))
        if settings.measure == "ROM":
            part = part / mean**2
        elif settings.measure == "NMD":
            distance = rows["mean_reference"].to_numpy(float) - mean
            part = part * ((100 - effect) / distance) ** 2
            sign = np.sign((100 - effect) / distance)

        def covary(i, j):
            return sign[i] * sign[j] * np.sqrt(part[i] * part[j])

    def known(i, j):
        return np.where(own[i] | own[j], 0.0, np.nan_to_num(covary(i, j)))

    return known


def fit(model, rows, found, settings, level_values, *, split=False, design=None, only=None):
    """Fit the model to an outcome's effects.

    Parameters
    ----------
    model : helpers.analysis.settings.Model
    rows, found, settings, level_values, split
        As in `errors`.
    design : pandas.DataFrame, optional
        Fixed effects; the mean by default.
    only : array_like of bool, optional
        Rows to fit.

    Returns
    -------
    helpers.stats.multilevel.MultilevelResult
    """
    return multilevel(
        found["effect"],
        design=design,
        rows=only,
        **options(model, rows, found, settings, level_values, split=split),
    )


def options(model, rows, found, settings, level_values, *, split=False):
    """What `multilevel` and its relatives take besides the effects."""
    return {
        "levels": codes(model, rows, level_values),
        "study": rows[STUDY],
        "test": model.test,
        "min_groups": model.min_groups,
        "level": settings.level,
        **errors(model, rows, found, settings, level_values, split=split),
    }


def with_rho(model, rho):
    """The same model with another correlation of repeated measurements."""
    return replace(model, rho=rho)
