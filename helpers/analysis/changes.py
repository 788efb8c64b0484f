"""What changed between two states of a living review: rows, pooled results, conclusions."""

import pandas as pd

from helpers.analysis.outcome import NothingToAnalyse, analyse
from helpers.analysis.records import with_moderators
from helpers.analysis.selection.subset import select
from helpers.analysis.settings import of_review
from helpers.review.review import load

RESULTS = ("article", "recommended", "chosen")


def compare_states(old, new, outcomes=None, *, where=None):
    """Compare two review folders.

    Parameters
    ----------
    old, new : str or Path
    outcomes : list of str, optional
        Ids of those to compare; by default all that either state has.
    where : mapping, optional
        Which experiments of both to compare, as of `helpers.analysis.selection.subset`.

    Returns
    -------
    rows : pandas.DataFrame
        ``experiment, change, column, old, new``; `change` is one of added, removed, changed,
        excluded, included. A cell a row.
    results : pandas.DataFrame
        A row an outcome and result that either state shows: ``outcome, preset, k_old, k_new,
        estimate_old, estimate_new, ci_low_old, ..., measure_old, ..., conclusion_old,
        conclusion_new, flipped``.
    """
    old, new = load(old), load(new)
    every = list(dict.fromkeys([*old.outcomes, *new.outcomes]))
    if outcomes is not None:
        every = list(outcomes)
        old, new = (
            review.part([name for name in every if name in review.outcomes])
            for review in (old, new)
        )
    old, new = (select(review, where) for review in (old, new))
    results = []
    for outcome in every:
        states = [_states(review, outcome) for review in (old, new)]
        for preset in (name for name in RESULTS if any(name in state for state in states)):
            was, now = (state.get(preset, state["none"]) for state in states)
            if was["k"] or now["k"]:
                flipped = was["conclusion"] != now["conclusion"]
                entry = {"outcome": outcome, "preset": preset, "flipped": flipped}
                entry |= {f"{name}_old": value for name, value in was.items()}
                results.append(entry | {f"{name}_new": value for name, value in now.items()})
    return _rows(old, new), pd.DataFrame(results)


def _rows(old, new):
    before, after = _cells(old), _cells(new)
    out, now_out = (
        review.exclusions.set_index("experiment")["reason"].pipe(_inside, review).to_dict()
        for review in (old, new)
    )
    found = [(name, "excluded", "", "", now_out[name]) for name in now_out if name not in out]
    found += [(name, "included", "", out[name], "") for name in out if name not in now_out]
    found += [(name, "added", "", "", "") for name in after.index if name not in before.index]
    found += [(name, "removed", "", "", "") for name in before.index if name not in after.index]
    both = before.index.intersection(after.index)
    blank = pd.Series("", both)
    for column in dict.fromkeys([*before, *after]):
        was, now = (table.get(column, blank)[both] for table in (before, after))
        changed = both[was != now]
        found += [(name, "changed", column, was[name], now[name]) for name in changed]
    return pd.DataFrame(found, columns=["experiment", "change", "column", "old", "new"])


def _inside(reasons, review):
    return reasons[review.inside.reindex(reasons.index, fill_value=review.subset is None)]


def _cells(review):
    table = with_moderators(review.experiments, review.moderator_values)[review.inside]
    table = table.drop(columns=["sheet_row", "experiment"])
    return table.astype(object).where(table.notna(), "").map(str)


def _states(review, outcome):
    """The pooled results of one outcome that a report shows, and what each says."""
    none = {"k": 0, "conclusion": "no rows"}
    if outcome not in review.outcomes or review.rows(outcome).empty:
        return {"none": none}
    chosen, model = of_review(review.settings, review.model, rebuilds=bool(review.article))
    try:
        found = analyse(review, outcome, chosen=chosen, model=model, moderators=())
    except NothingToAnalyse as error:
        return {
            "none": none
            | {"conclusion": "no row with an effect" * bool(error.undefined) or "no rows"}
        }
    shown = {
        "article": (found.article, found.preset_measure),
        "recommended": (found.recommended, found.recommended_measure),
        "chosen": (found.chosen if chosen else None, found.measure),
    }
    states = {name: _state(*one) for name, one in shown.items() if one[0] is not None}
    return states | {"none": none}


def _state(result, measure):
    numbers = {name: getattr(result, name) for name in ("estimate", "ci_low", "ci_high")}
    named = {"measure": measure.label, "scale": measure.scale, "level": result.level}
    return {"k": result.k, **numbers, **named, "conclusion": conclusion(result)}


def conclusion(result):
    """What an interval says: above 0, below 0, or undecided."""
    return "above 0" if result.ci_low > 0 else "below 0" if result.ci_high < 0 else "undecided"
