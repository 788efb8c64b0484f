"""A living review replayed: each state analysed, and what changed from each to the next."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers.analysis.changes import (
    NONE,
    SIDES,
    beside,
    cells,
    is_flip,
    rows_between,
    settings_between,
    state_of,
)
from helpers.analysis.settings import of_review
from helpers.problems import ProjectError, Refused, of_system
from helpers.review.review import Review, load

COUNTS = ("rows_in", "not_used", "experiments", "excluded")
RESULT = ("k", "estimate", "ci_low", "ci_high", "preset", "measure", "scale", "unit", "level")


@dataclass(frozen=True)
class History:
    """All states of a review, and the way from each to the next.

    Attributes
    ----------
    review : Review
        The newest state that can be read.
    states : pandas.DataFrame
        ``state, name, date, dated_by, rows_in, experiments, excluded, provenance, digest, fault``; of a
        state that cannot be read only why not.
    steps : pandas.DataFrame
        From each readable state to the next: ``from, to`` and the account of
        `helpers.analysis.changes.Changes`.
    rows, settings : pandas.DataFrame
        Those of `helpers.analysis.changes.Changes`, with ``from, to``.
    results : pandas.DataFrame
        A row an outcome and readable state: ``outcome, label, family, state, date, k, estimate, ci_low,
        ci_high, preset, measure, scale, unit, level, better, conclusion, flipped`` (since the
        readable state before).
    flips : pandas.DataFrame
        A row a conclusion that changed: ``outcome, label, from, to``, what `beside` gives, how many
        of its experiments were ``added, removed, changed, excluded, included``, ``settings`` (how
        many changed), and ``like_*``: the newer rows by the older state's settings, None where
        those are the same.
    """

    review: Review
    states: pd.DataFrame
    steps: pd.DataFrame
    rows: pd.DataFrame
    settings: pd.DataFrame
    results: pd.DataFrame
    flips: pd.DataFrame


def replay(states):
    """Analyse all states, by this version of the program and the settings of each one's own.

    Parameters
    ----------
    states : list of helpers.history.states.State
        Oldest first.

    Returns
    -------
    History

    Raises
    ------
    Refused
        Where fewer than two states can be read, or no state has a pooled result.
    """
    described, steps, rows, settings, results, flips = [], [], [], [], [], []
    last = None
    for state in states:
        review, fault = _read(state)
        named = {"state": state.label, "name": state.name, "date": state.day}
        named |= {"dated_by": state.dated_by, "fault": fault}
        described.append(named | _facts(review))
        if review is None:
            continue
        found = {name: state_of(review, name) for name in review.outcomes}
        if last:
            way = {"from": last[0], "to": state.label}
            changed, account = rows_between(cells(last[1]), cells(review))
            asked = settings_between(last[1].written, review.written)
            steps.append(way | account | {"settings": len(asked)})
            rows.append(changed.assign(**way))
            settings.append(asked.assign(**way))
            flips += _flips(last, (state.label, review, found), changed, asked)
        before = last[2] if last else {}
        results += [_result(review, name, state, now, before.get(name, NONE))
                    for name, now in found.items()]  # fmt: skip
        last = state.label, review, found
    if last is None or not steps:
        said = "".join(f"\n  {one['state']}: {one['fault']}" for one in described if one["fault"])
        raise Refused(f"A history needs two states that can be read. Name more by --states.{said}")
    results = pd.DataFrame(results)
    if not results["conclusion"].isin(SIDES).any():
        raise Refused("No outcome of any state can be pooled, so that there is no history to tell.")
    described = pd.DataFrame(described).astype(dict.fromkeys(COUNTS, "Int64"))
    tables = (described, pd.DataFrame(steps), pd.concat(rows), pd.concat(settings))
    return History(last[1], *tables, results, pd.DataFrame(flips))


def _read(state):
    """A state's review, or why it cannot be read."""
    try:
        with state.opened() as folder:
            try:
                return load(folder, earlier=True), ""
            except (ProjectError, OSError) as error:
                said = of_system(error) if isinstance(error, OSError) else str(error)
                return None, said.replace(str(folder), folder.name)
    except Refused as error:  # what git says
        return None, str(error)


def _facts(review):
    if review is None:
        return {}
    excluded = review.experiments.index.isin(review.exclusions["experiment"])
    return {
        "rows_in": review.rows_in, "not_used": len(review.not_used),
        "experiments": len(review.experiments), "excluded": int(excluded.sum()),
        "provenance": review.evidence["kind"], "digest": review.digest(),
    }  # fmt: skip


def _result(review, name, state, now, before):
    outcome = review.outcomes[name]
    named = {"outcome": name, "label": outcome.label, "family": outcome.family}
    named |= {"state": state.label, "date": state.day or state.name}
    return named | {field: now.get(field) for field in RESULT} | {
        "better": outcome.better, "conclusion": now["conclusion"],
        "flipped": is_flip(before, now), "provenance": review.evidence["kind"],
    }  # fmt: skip


def _flips(last, present, rows, settings):
    """Conclusions that changed from one state to the next, and what else did."""
    (was, old, before), (now, new, after) = last, present
    for entry in beside(before, after).to_dict("records"):
        if not entry["flipped"]:
            continue
        name = entry["outcome"]
        own = {*old.rows(name).index, *new.rows(name).index}
        kinds = rows[rows["experiment"].isin(own)].drop_duplicates(["experiment", "change"])
        number = kinds["change"].value_counts()
        like = state_of(new, name, like=old) if _settings(old) != _settings(new) else {}
        yield {
            **entry, "label": new.outcomes[name].label, "from": was, "to": now,
            **{kind: int(number.get(kind, 0))
               for kind in ("added", "removed", "changed", "excluded", "included")},
            "settings": len(settings), **{f"like_{field}": value for field, value in like.items()},
        }  # fmt: skip


def _settings(review):
    """By what a review is analysed, however its `review.toml` says so."""
    return of_review(review.settings, review.model, rebuilds=bool(review.article)), bool(
        review.article
    )
