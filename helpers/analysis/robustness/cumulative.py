"""The result of one outcome as it stood after each year of publication."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from helpers.analysis.result import is_modelled
from helpers.analysis.small_study import years
from helpers.stats.influence import cumulative
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import pool

FIELDS = ("estimate", "se", "ci_low", "ci_high", "p_effect")
# A year beside a name, not the number of an id such as s2001.
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
NAME = re.compile(r"[^\W\d_]{2}")


def publication_years(analyses, names):
    """Year of publication of each row: of the moderator called year, else the one in its name.

    Parameters
    ----------
    analyses : list of helpers.analysis.outcome.OutcomeAnalysis
    names : pandas.Series of str
        With the index of the rows meant.

    Returns
    -------
    pandas.Series of float
        With that index; NaN where no year is known.
    """
    known = years(analyses)
    return named_years(names) if known is None else known.loc[names.index]


def named_years(names):
    """The year in each name; NaN where there are two, which may be a cohort's and its paper's.

    NaN for all where less than half have one: ids have numbers too.
    """
    found = [{*YEAR.findall(str(name))} if NAME.search(str(name)) else () for name in names]
    found = pd.Series([float(*one) if len(one) == 1 else np.nan for one in found], names.index)
    return found if 2 * found.notna().sum() >= len(found) else found * np.nan


def by_year(analysis):
    """Pool what had been published by the end of each year.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis

    Returns
    -------
    pandas.DataFrame or None
        A row a year in which something was published: ``year, k, studies`` so far, ``added`` (the
        experiments of that year), ``estimate, se, ci_low, ci_high, p_effect`` by the leading
        analysis, and ``note`` why there is none. Rows of no known year come last, with NaN as year,
        so that the last row is the result of all. None where less than two years are known.

    Notes
    -----
    Sampling variances are those of the full analysis. The multilevel model is fitted anew at each
    step: a level with too few groups at the time is left out of that step, and CR2 gives way to
    containment degrees of freedom, as in any fit.

    References
    ----------
    Lau J et al. (1992). Cumulative meta-analysis of therapeutic trials for myocardial infarction.
    N Engl J Med 327:248-254.
    """
    year, study = publication_years([analysis], analysis.rows["study"]), analysis.rows["study"]
    if year.nunique() < 2:
        return None
    when = year.fillna(np.inf).to_numpy()
    steps = np.unique(when)
    counts = [
        {
            "year": step if np.isfinite(step) else np.nan,
            "k": int((when <= step).sum()),
            "studies": study[when <= step].nunique(),
            "added": int((when == step).sum()),
        }
        for step in steps
    ]
    found = _modelled if is_modelled(analysis.leading) else _independent
    return pd.concat([pd.DataFrame(counts), found(analysis, when, steps)], axis=1)


def _independent(analysis, when, steps):
    effects = analysis.effects
    table = cumulative(
        effects["effect"], variance=effects["variance"], order=when,
        **analysis.settings.pooling(),
    )  # fmt: skip
    last = np.searchsorted(np.sort(when), steps, side="right") - 1
    return table.iloc[last][list(FIELDS)].reset_index(drop=True).assign(note="")


def _modelled(analysis, when, steps):
    effects, rows = analysis.effects, []
    for step in steps:
        so_far, note = when <= step, ""
        try:
            if so_far.sum() == 1:
                only = effects[so_far]
                level = analysis.settings.level
                one = pool(only["effect"], variance=only["variance"], level=level)
            elif so_far.all():
                one = analysis.leading
            else:
                one = multilevel(effects["effect"], rows=so_far, **analysis.options)
        except ValueError as error:
            one, note = None, str(error)
        rows.append({name: getattr(one, name, np.nan) for name in FIELDS} | {"note": note})
    return pd.DataFrame(rows)
