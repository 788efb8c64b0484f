"""What changed between two states of a living review: rows, pooled results, conclusions."""

import pandas as pd

from helpers.analysis.measures import used
from helpers.analysis.outcome import ARTICLE, RECOMMENDED, effects, without_effect
from helpers.analysis.records import with_moderators
from helpers.review.review import load
from helpers.stats.pooling import pool

PRESETS = {"article": ARTICLE, "recommended": RECOMMENDED}


def compare_states(old, new):
    """Compare two review folders.

    Parameters
    ----------
    old, new : str or Path

    Returns
    -------
    rows : pandas.DataFrame
        ``experiment, change, column, old, new``; `change` is one of added, removed, changed,
        excluded, included. A cell a row.
    results : pandas.DataFrame
        A row an outcome and preset: ``outcome, preset, k_old, k_new, estimate_old, estimate_new,
        ci_low_old, ..., measure_old, ..., conclusion_old, conclusion_new, flipped``.
    """
    old, new = load(old), load(new)
    results = []
    for outcome in dict.fromkeys([*old.outcomes, *new.outcomes]):
        for preset, settings in PRESETS.items():
            was, now = (_state(review, outcome, settings) for review in (old, new))
            if was["k"] or now["k"]:
                flipped = was["conclusion"] != now["conclusion"]
                entry = {"outcome": outcome, "preset": preset, "flipped": flipped}
                entry |= {f"{name}_old": value for name, value in was.items()}
                results.append(entry | {f"{name}_new": value for name, value in now.items()})
    return _rows(old, new), pd.DataFrame(results)


def _rows(old, new):
    before, after = _cells(old), _cells(new)
    out, now_out = (
        dict(review.exclusions[["experiment", "reason"]].values) for review in (old, new)
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


def _cells(review):
    table = with_moderators(review.experiments, review.moderator_values)
    table = table.drop(columns=["sheet_row", "experiment"])
    return table.astype(object).where(table.notna(), "").map(str)


def _state(review, outcome, settings):
    """The pooled result of one outcome and what it says."""
    known = outcome in review.outcomes
    rows = review.rows(outcome) if known else review.experiments[:0]
    rows = rows[~rows.index.isin(review.exclusions["experiment"])]
    if rows.empty:
        return {"k": 0, "conclusion": "no rows"}
    split = bool(review.sheet.get("control_n_is_split", False))
    rows = rows[without_effect(rows, settings, controls_are_split=split) == ""]
    if rows.empty:
        return {"k": 0, "conclusion": "no row with an effect"}
    table = effects(rows, settings, controls_are_split=split)
    result = pool(table["effect"], variance=table["variance"], **settings.pooling())
    numbers = {name: getattr(result, name) for name in ("estimate", "ci_low", "ci_high")}
    measure = used(rows, settings.measure, review.outcomes[outcome])
    named = {"measure": measure.label, "scale": measure.scale, "level": result.level}
    return {"k": len(rows), **numbers, **named, "conclusion": conclusion(result)}


def conclusion(result):
    """What an interval says: above 0, below 0, or undecided."""
    return "above 0" if result.ci_low > 0 else "below 0" if result.ci_high < 0 else "undecided"
