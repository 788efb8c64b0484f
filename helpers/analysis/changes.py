"""What changed between two states of a living review: rows, settings, pooled results, conclusions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from helpers.analysis.outcome import NothingToAnalyse, analyse
from helpers.analysis.settings import of_review
from helpers.problems import ProjectError, Refused
from helpers.review.columns import MODERATOR
from helpers.review.living.previous import other_review

# What the text of `review.toml` may say otherwise without any other number.
WORDS = ("title", "subject", "citation", "authors", "question", "date", "previous", "treated",
         "control", "abbreviations", "protocol", "forest_columns", "studies", "unconfirmed",
         "label", "notice", "detail", "doi")  # fmt: skip
NONE = {"k": 0, "conclusion": "none"}
SIDES = ("benefit", "harm", "above", "below", "includes")  # what a pooled result may conclude
NAMED = {"measure": "label", "scale": "scale", "unit": "unit"}  # of a measure
# Columns of the checked sheet that say where a row stands, not what stands there.
PLACES = ["sheet_row", "sheet_file", "experiment"]


@dataclass(frozen=True)
class Changes:
    """What two states have each, and what only one has.

    Attributes
    ----------
    rows : pandas.DataFrame
        ``experiment, change, column, old, new``, a cell a row; `change` is one of added, removed,
        renamed (all cells are those of an experiment that is gone), changed, excluded, included.
    account : dict of str to int
        Experiments: ``before`` = unchanged + changed + renamed + removed, ``after`` = unchanged +
        changed + renamed + added; ``excluded_before, excluded_after`` of them.
    settings : pandas.DataFrame
        ``setting, old, new`` of what `review.toml` says otherwise and numbers can depend on.
    results : pandas.DataFrame
        A row an outcome of which either state has rows: ``outcome, preset_old, k_old,
        estimate_old, ci_low_old, ..., conclusion_old, preset_new, ..., flipped``, of the leading
        result of each state (`state_of`).
    """

    rows: pd.DataFrame
    account: dict
    settings: pd.DataFrame
    results: pd.DataFrame


def compare_states(old, new, outcomes=None):
    """Compare two states of one review.

    Parameters
    ----------
    old, new : helpers.review.review.Review
    outcomes : list of str, optional
        Ids of those to compare; by default all that either state has.

    Returns
    -------
    Changes

    Raises
    ------
    Refused
        Where they are states of different reviews.
    """
    if why := other_review(old.written, new.written):
        raise Refused(f"{old.folder.name} and {new.folder.name} are different reviews: {why}.")
    every = list(dict.fromkeys([*old.outcomes, *new.outcomes])) if outcomes is None else outcomes
    parts = [review.part([name for name in every if name in review.outcomes])
             for review in (old, new)]  # fmt: skip
    rows, account = rows_between(*map(cells, parts))
    states = [{name: state_of(review, name) for name in every} for review in (old, new)]
    return Changes(rows, account, settings_between(old.written, new.written), beside(*states))


def beside(old, new):
    """Results of both states, a row an outcome.

    Parameters
    ----------
    old, new : dict of str to dict
        Of `state_of`, by outcome.

    Returns
    -------
    pandas.DataFrame
        As in `Changes`.
    """
    found = []
    for outcome in dict.fromkeys([*old, *new]):
        was, now = old.get(outcome, NONE), new.get(outcome, NONE)
        if was != NONE or now != NONE:
            entry = {"outcome": outcome, "flipped": is_flip(was, now)}
            entry |= {f"{name}_old": value for name, value in was.items()}
            found.append(entry | {f"{name}_new": value for name, value in now.items()})
    return pd.DataFrame(found)


def is_flip(was, now):
    """Whether both states have a result, and these conclude differently."""
    both = was["conclusion"], now["conclusion"]
    return all(one in SIDES for one in both) and both[0] != both[1]


def cells(review):
    """What the sheet says of each experiment, as text, and who is excluded.

    Returns
    -------
    table : pandas.DataFrame
        A row an experiment; moderators as ``moderator: id``.
    excluded : dict of str to str
        Reasons by experiment.
    by_row : bool
        Whether experiments are called by their row, and so otherwise once a row is put above.
    """
    moderators = review.moderator_values.add_prefix(MODERATOR)
    table = pd.concat([review.experiments, moderators.astype(object)], axis=1)
    table = table.drop(columns=[name for name in PLACES if name in table])
    table = table.astype(object).where(table.notna(), "").map(str)
    excluded = dict(review.exclusions[["experiment", "reason"]].values)
    return table, excluded, review.sheet.columns.get("experiment") == "row"


def rows_between(old, new):
    """Which experiments came, went and changed, every one of both states accounted for.

    Parameters
    ----------
    old, new : tuple
        Of `cells`.

    Returns
    -------
    rows : pandas.DataFrame
    account : dict
        Both as in `Changes`.
    """
    (before, out, by_row), (after, out_now, _) = old, new
    columns = [name for name in dict.fromkeys([*before, *after])
               if not name.startswith(MODERATOR) or (name in before and name in after)]  # fmt: skip
    was, now = (table.reindex(columns=columns, fill_value="") for table in (before, after))
    both = was.index.intersection(now.index, sort=False)
    same = both[(was.loc[both] == now.loc[both]).all(axis=1)]
    kept = same if by_row else both
    left, came = (table[~table.index.isin(kept)] for table in (was, now))
    renamed = _renamed(left, came)
    left = [name for name in left.index if name not in renamed]
    came = [name for name in came.index if name not in renamed.values()]
    changed = [*kept.difference(same, sort=False), *(name for name in left if name in came)]
    removed = [name for name in left if name not in came]
    added = [name for name in came if name not in left]

    excluded = {renamed.get(name, name): reason for name, reason in out.items()}
    found = [(name, "excluded", "", "", out_now[name]) for name in out_now if name not in excluded]
    found += [(name, "included", "", excluded[name], "") for name in excluded
              if name not in out_now and name in now.index]  # fmt: skip
    found += [(name, "added", "", "", "") for name in added]
    found += [(name, "removed", "", "", "") for name in removed]
    found += [(name, "renamed", "experiment", old, name) for old, name in renamed.items()]
    for column in columns:
        cells_of = zip(changed, was.loc[changed, column], now.loc[changed, column], strict=True)
        found += [(name, "changed", column, *pair) for name, *pair in cells_of if len({*pair}) > 1]
    account = {
        "before": len(was), "unchanged": len(same), "changed": len(changed),
        "renamed": len(renamed), "removed": len(removed), "added": len(added), "after": len(now),
        "excluded_before": int(was.index.isin(list(out)).sum()),
        "excluded_after": int(now.index.isin(list(out_now)).sum()),
    }  # fmt: skip
    return pd.DataFrame(found, columns=["experiment", "change", "column", "old", "new"]), account


def _renamed(was, now):
    """Experiments under another name, whose cells are all the same: new names by old ones."""
    by_cells, found = defaultdict(list), {}
    for name, *content in now.itertuples(name=None):
        by_cells[tuple(content)].append(name)
    for name, *content in was.itertuples(name=None):
        if names := by_cells[tuple(content)]:
            found[name] = names.pop(0)
    return found


def settings_between(old, new):
    """What two `review.toml` say differently that numbers can depend on.

    Parameters
    ----------
    old, new : dict
        As written.

    Returns
    -------
    pandas.DataFrame
        ``setting, old, new``; entries of families, outcomes and the like by their ids.
    """
    was, now = (dict(_flat(written)) for written in (old, new))
    found = [(name, was.get(name, ""), now.get(name, "")) for name in dict.fromkeys([*was, *now])]
    found = [entry for entry in found if entry[1] != entry[2]]
    return pd.DataFrame(found, columns=["setting", "old", "new"])


def _flat(value, place=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in WORDS:
                yield from _flat(inner, (*place, name))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, (*place, str(inner.get("id", number))))
    else:
        yield ".".join(place), str(value)


def state_of(review, outcome, like=None):
    """The leading result of one outcome in one state, and what it concludes.

    Parameters
    ----------
    review : helpers.review.review.Review
    outcome : str
    like : helpers.review.review.Review, optional
        The state whose settings hold; by default the review's own.

    Returns
    -------
    dict
        ``k, estimate, ci_low, ci_high, preset, measure, scale, unit, level, conclusion``;
        `conclusion` is the side on which the interval excludes no effect ("benefit" or "harm",
        "above" or "below" where no side is benefit), "includes", "none" where there are no rows,
        or why the rows cannot be pooled.
    """
    if outcome not in review.outcomes or review.rows(outcome).empty:
        return NONE
    like = like or review
    chosen, model = of_review(like.settings, like.model, rebuilds=bool(like.article))
    try:
        found = analyse(review, outcome, chosen=chosen, model=model, moderators=())
    except (ProjectError, ValueError) as error:
        no_rows = isinstance(error, NothingToAnalyse) and not error.undefined
        return NONE if no_rows else NONE | {"conclusion": str(error)}
    result, measure, preset = found.leading, found.measure, found.leading_is
    if chosen is None and not like.article and preset == "article":
        result, measure, preset = found.recommended, found.recommended_measure, "recommended"
        if result is None:
            return NONE | {"conclusion": found.notes["recommended"]}
    numbers = {name: getattr(result, name) for name in ("k", "estimate", "ci_low", "ci_high")}
    named = {name: getattr(measure, of) for name, of in NAMED.items()}
    return {**numbers, "preset": preset, **named, "level": result.level,
            "conclusion": conclusion(result, measure)}  # fmt: skip


def conclusion(result, measure):
    """On which side an interval excludes no effect, of `SIDES`; "includes" where it does not."""
    if not (result.ci_low > 0 or result.ci_high < 0):
        return "includes"
    above = result.ci_low > 0
    if measure.better not in ("higher", "lower"):
        return "above" if above else "below"
    return "benefit" if above == (measure.better == "higher") else "harm"
