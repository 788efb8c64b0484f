"""What changed between two states of a review, in words: for a terminal, an alert, a table."""

import pandas as pd

from helpers.analysis.changes import NONE, SIDES
from helpers.analysis.measures import restored
from helpers.words.numbers import count, estimate_text, level_name, listing
from helpers.words.sentences import MANY, favouring

FIELDS = ("k", "estimate", "ci_low", "ci_high", "measure", "scale", "unit", "level", "conclusion")


def report(changes, review):
    """All changes as text for a terminal.

    Parameters
    ----------
    changes : helpers.analysis.changes.Changes
    review : helpers.review.review.Review
        The newer state.
    """
    lines = [counts(changes), *_warnings(changes)]
    for experiment, change, column, old, new in changes.rows.itertuples(index=False):
        pair = change in ("changed", "renamed")
        words = f"{column}: {old!r} to {new!r}" if pair else old or new
        lines.append(f"  {change} {experiment} {words}".rstrip())
    lines += [f"  setting {name}: {old or 'not said'} to {new or 'not said'}"
              for name, old, new in changes.settings.itertuples(index=False)]  # fmt: skip
    for row in changes.results.to_dict("records"):
        one, two = (state_words(_state(row, when)) for when in ("old", "new"))
        flip = f"; FLIPPED: {flip_words(row, review.treated)}" * row["flipped"]
        change = f"{one} to {two}" if one != two else f"{one}, unchanged"
        lines.append(f"{row['outcome']}: {change}{flip}")
    return "\n".join(lines)


def _warnings(changes):
    """What a reader must know of how the states belong together."""
    account = changes.account
    if account["before"] and account["after"] and not account["unchanged"] + account["changed"]:
        yield (
            "No experiment is called the same in both states, so that what changed in an experiment "
            "cannot be told."
        )


def counts(changes):
    """How many experiments were added, changed, excluded and so on, as a phrase."""
    found = changes.rows.drop_duplicates(["experiment", "change"])["change"]
    found = found.value_counts(sort=False).items()
    said = [f"{count(n, 'experiment')} {change}" for change, n in found]
    return listing(said) if said else "no experiment changed"


def alert(changes, since, outcomes, treated):
    """What changed since the last published state, for the first screen; details folded.

    Parameters
    ----------
    changes : helpers.analysis.changes.Changes
    since : str
        What that state is called.
    outcomes : dict of str to str
        Labels by id.
    treated : str
        What the treated group is called.

    Returns
    -------
    dict
        As `helpers.page.blocks.alerts` takes it.
    """
    flips = [row for row in changes.results.to_dict("records") if row["flipped"]]
    names = [outcomes.get(row["outcome"], row["outcome"]) for row in flips]
    text = f"Since the version {since}: {counts(changes)}"
    if changed := len(changes.settings):
        text += f", {count(changed, 'setting')} changed"
    few = f"{len(names)} outcomes" if len(names) > MANY else listing(names)
    text += f"; the conclusion changed for {few}." if names else "; no conclusion changed."
    details = [
        f"{name}: {flip_words(row, treated)}." for name, row in zip(names, flips, strict=True)
    ]
    more = list(_warnings(changes))
    return {
        "severity": "warning" if flips or more else "change",
        "text": " ".join([text, *more]),
        "detail": "\n\n".join(details),
        "href": "#changes",
        "link": "What changed",
    }


def table(results, labels, treated):
    """Results of both states beside each other, a row an outcome.

    Parameters
    ----------
    results : pandas.DataFrame
        Of `helpers.analysis.changes.Changes`.
    labels : dict
        Outcomes by id.
    treated : str

    Returns
    -------
    pandas.DataFrame
        All as text.
    """
    rows = results.to_dict("records")
    return pd.DataFrame({
        "Outcome": [labels.get(row["outcome"], row["outcome"]) for row in rows],
        "Previous version": [state_words(_state(row, "old")) for row in rows],
        "This version": [state_words(_state(row, "new")) for row in rows],
        "Conclusion": [flip_words(row, treated) if row["flipped"] else "unchanged"
                       if row["conclusion_old"] == row["conclusion_new"] else "–" for row in rows],
    })  # fmt: skip


def _state(row, when):
    return {name: row.get(f"{name}_{when}") for name in FIELDS}


def flip_words(row, treated):
    """What an interval said before, and says now."""
    words = (conclusion_words(_state(row, when), treated) for when in ("old", "new"))
    return " → ".join(words)


def conclusion_words(state, treated):
    """What an interval says: "95% CI excludes 0, favouring exosomes"; nothing where none is there.

    Parameters
    ----------
    state : dict
        Of `helpers.analysis.changes.state_of`.
    treated : str
    """
    side = state["conclusion"]
    if side not in SIDES:
        return "no rows" if side == NONE["conclusion"] else f"not pooled: {side}"
    null = restored(state["measure"], state["scale"]).null
    if side == "includes":
        return f"{level_name(state['level'])} includes {null}"
    words = favouring(side, treated) or f"{side} it"
    return f"{level_name(state['level'])} excludes {null}, {words}"


def state_words(state, treated=None):
    """A pooled result with its number of experiments, or why there is none.

    Parameters
    ----------
    state : dict
        Of `helpers.analysis.changes.state_of`.
    treated : str, optional
        What the treated group is called; with it, what the interval says is told too.
    """
    if state["conclusion"] not in SIDES:
        return conclusion_words(state, treated)
    measure = restored(state["measure"], state["scale"], state["unit"])
    numbers = (state[name] for name in ("estimate", "ci_low", "ci_high"))
    text, k = f"{measure.name} {estimate_text(*numbers, measure)}", f"k {state['k']:.0f}"
    if treated is None:
        return f"{text} ({level_name(state['level'])}, {k})"
    return f"{text} ({k}): {conclusion_words(state, treated)}"
