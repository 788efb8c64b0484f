"""Risk of bias as a domain of the certainty: which share of the weight is at which risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.review import facts

# "Most information is from studies at low risk of bias": Cochrane Handbook 5.1, table 8.7.a.
MOST = 0.5
RISKS = {"": 0, "low": 1, "unclear": 2, "high": 3}  # from not judged to the worst
STUDY = ("study_id", "study_label")  # columns of `risk_of_bias.csv` that may name a sheet's studies


@dataclass(frozen=True, eq=False)
class Judged:
    """Judgements of a review as ranks of `RISKS`, a column an item.

    Attributes
    ----------
    rows : pandas.DataFrame or None
        By experiment, where the sheet has them.
    named : dict of str to pandas.DataFrame
        By study, under each column of `STUDY` that the file has.
    """

    rows: pd.DataFrame | None
    named: dict[str, pd.DataFrame]


def read(review):
    """All judgements of a review, read once for all its outcomes.

    Parameters
    ----------
    review : helpers.review.review.Review

    Returns
    -------
    Judged
    """
    if items := list(review.quality.risk_of_bias):
        return Judged(_ranks(review.judgements[items]), {})
    table, described = review.facts(facts.ROB), review.facts(facts.ITEMS)
    if table.empty or "item" not in described:
        return Judged(None, {})
    described = described[described["item"].isin(table.columns)]
    ranks = _ranks(table[list(described["item"])]).set_axis(_called(described), axis=1)
    keys = [name for name in STUDY if name in table]
    return Judged(None, {name: _worst(ranks, table[name].map(_plain)) for name in keys})


def _ranks(cells):
    return cells.apply(lambda column: column.map(RISKS).fillna(0).astype(int))


def _called(described):
    """What items are called: by the domain where the file names it, as that is the shorter."""
    named = described["domain"] if "domain" in described else described["item"]
    return list(named.where((named != "") & ~named.duplicated(keep=False), described["item"]))


def _worst(ranks, by):
    """The worst judgement of each item, a row a study, in the order in which studies stand."""
    return ranks.groupby(by.to_numpy(), sort=False).max()


def _plain(text):
    return " ".join(str(text).casefold().split())


def risk_of_bias(analysis, judged):
    """Whether most of the information comes from studies at low risk of bias.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    judged : Judged

    Returns
    -------
    levels : int or None
        0 where more than half of the weight lies in studies at low risk on all items that were
        judged, -1 where it does not; None without judgements, or where what was not judged decides.
    rule : str
    facts : dict
        ``low, unclear, high, none``: shares of the weight; ``matched``: whether the judgements are of
        this outcome's studies, not of all studies of the review; ``weak``: items on which at most
        half of the weight is at low risk.

    Notes
    -----
    A study is at high risk if it is on one item, else at unclear risk if it is on one, else at low
    risk, where at least one item was judged; a study of several rows has the worst of them. Its
    weight is its share in the pooled effect; a weight below 0 counts as 0.

    References
    ----------
    Higgins JPT, Altman DG, Sterne JAC, in: Cochrane Handbook 5.1 (2011), tables 8.7.a and 12.2.d.
    """
    ranks, matched = _of_studies(analysis.rows, judged)
    if ranks is None or not ranks.to_numpy().any():
        return None, "not judged", {"matched": matched}
    weights = pd.Series(1.0, ranks.index)
    if matched:
        weights = analysis.effects["weight"].clip(lower=0).groupby(analysis.rows["study"]).sum()
        weights = weights.reindex(ranks.index)
    weights = weights / weights.sum()
    worst = ranks.max(axis=1)
    shares = {name or "none": float(weights[worst == rank].sum()) for name, rank in RISKS.items()}
    low = (ranks == RISKS["low"]).mul(weights, axis=0).sum()
    found = shares | {"matched": matched, "weak": list(low.index[low <= MOST])}
    if shares["low"] > MOST:
        return 0, "most at low risk", found
    if shares["low"] + shares["none"] > MOST:
        return None, "not judged", found
    return -1, "not most at low risk", found


def worst_of_rows(rows, judged):
    """The worst risk that the study of each row was judged to have.

    Parameters
    ----------
    rows : pandas.DataFrame
    judged : Judged

    Returns
    -------
    numpy.ndarray of str, shape (k,)
        Of `RISKS`; empty where nothing was judged, or no judgement is of these studies.
    """
    ranks, matched = _of_studies(rows, judged)
    if not matched:
        return np.full(len(rows), "", object)
    return np.array([*RISKS], object)[rows["study"].map(ranks.max(axis=1)).to_numpy(int)]


def _of_studies(rows, judged):
    """Ranks of an outcome's studies; where the file names none, those of all; whether they match."""
    studies = rows["study"]
    if judged.rows is not None:
        return _worst(judged.rows.loc[rows.index], studies), True
    own = studies.drop_duplicates()
    for table in judged.named.values():
        found = table.reindex(own.map(_plain)).set_axis(own)
        if found.notna().any(axis=None):
            return found.fillna(0).astype(int), True
    return next(iter(judged.named.values()), None), False
