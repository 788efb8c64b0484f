"""The history of a living review in words and tables."""

from __future__ import annotations

import pandas as pd

from helpers.analysis.changes import SIDES
from helpers.words.changes import conclusion_words, state_words
from helpers.words.numbers import count, listing
from helpers.words.sentences import MANY, evidence_mark

HOW = (
    "Every state is read and analysed by this version of the program, under the settings of its own "
    "review.toml: what was reported at the time may have been computed otherwise. A conclusion is "
    "what the confidence interval of the leading result says; it changed where the interval came to "
    "exclude or include no effect, or went to the other side. An interval that includes no effect "
    "does not show that there is none, and a conclusion may change without any difference between "
    "the two estimates that chance could not explain."
)
DATES = (
    "Tags are dated by their commits; folders by the date in their name, else by the date in their "
    "review.toml."
)
ACCOUNT = {
    "to": "State", "before": "Before", "unchanged": "Unchanged", "changed": "Changed",
    "renamed": "Renamed", "removed": "Removed", "added": "Added", "after": "After",
    "excluded_after": "Of them excluded",
}  # fmt: skip
STATES = {
    "state": "State", "fault": "Why it was not read", "name": "Name", "dated_by": "Dated by",
    "rows_in": "Rows of the sheet", "not_used": "Rows not used", "experiments": "Experiments",
    "excluded": "Excluded", "provenance": "Evidence", "digest": "SHA-256 of the rows",
}  # fmt: skip
KINDS = ("added", "removed", "changed", "excluded", "included")


def sentence(history):
    """What happened from the first readable state to the last, as one sentence to quote."""
    read = history.states[history.states["fault"] == ""]
    first, last = read.iloc[0], read.iloc[-1]
    used = [int(one["experiments"] - one["excluded"]) for one in (first, last)]
    flipped = list(dict.fromkeys(history.flips["label"])) if len(history.flips) else []
    many = len(flipped) > MANY
    names = count(len(flipped), "outcome") if many else listing(flipped)
    said = f"the conclusion changed for {names}" if flipped else "no conclusion changed"
    text = (
        f"From {first['state']} to {last['state']}, in {count(len(read), 'state')}, the experiments "
        f"analysed went from {used[0]:,} to {used[1]:,}; {said}."
    )
    return text + evidence_mark(history.review)


def states(history):
    """The states: from when, how many rows, or why one could not be read."""
    table = history.states.assign(digest=history.states["digest"].str[:12])
    table = table.rename(columns=STATES)[[*STATES.values()]]
    without = table.columns[(table == "").all()]  # nothing is said where every state was read
    return table.drop(columns=without)


def steps(history):
    """Experiments from each state to the next."""
    return history.steps.rename(columns=ACCOUNT)[[*ACCOUNT.values()]]


def alerts(history):
    """States that could not be read, kinds of evidence that changed, settings that changed."""
    found = [
        {
            "severity": "error",
            "text": f"The state {row['state']} cannot be read, and what came after it is compared "
            "with the one before.",
            "detail": row["fault"],
        }
        for row in history.states.to_dict("records")
        if row["fault"]
    ]
    kinds = list(dict.fromkeys(history.states["provenance"].dropna()))
    if len(kinds) > 1:
        text = f"The states hold different kinds of evidence: {listing(kinds)}."
        found.append({"severity": "warning", "text": text})
    steps = history.steps[history.steps["settings"] > 0]
    if len(steps):
        where = listing(f"{row['to']} ({row['settings']})" for row in steps.to_dict("records"))
        found.append(
            {
                "severity": "warning",
                "text": f"Settings changed with {where}: a conclusion that changed there need not "
                "have changed because of new experiments.",
                "href": "#table-changed-settings",
                "link": "Show the settings",
            }
        )
    return found


def flips(history):
    """Conclusions that changed, a row each: when, from what to what, and what else changed."""
    rows, treated = history.flips.to_dict("records"), history.review.treated
    named = {
        "Outcome": [row["label"] for row in rows],
        "With": [row["to"] for row in rows],
        "Before": [state_words(_part(row, "{}_old"), treated) for row in rows],
        "After": [state_words(_part(row, "{}_new"), treated) for row in rows],
        "Its experiments": [_kinds(row) for row in rows],
    }
    if any(row["settings"] for row in rows):
        named["Settings"] = [_settings(row) for row in rows]
        named["After, by the settings before"] = [
            state_words(_part(row, "like_{}"), treated)
            if isinstance(row.get("like_conclusion"), str) else "the same" for row in rows
        ]  # fmt: skip
    return pd.DataFrame(named)


def _settings(row):
    return f"{row['settings']} changed" if row["settings"] else "unchanged"


def _part(row, form):
    fields = ("k", "estimate", "ci_low", "ci_high", "measure", "scale", "unit", "level")
    return {field: row.get(form.format(field)) for field in (*fields, "conclusion")}


def _kinds(row):
    said = [f"{row[kind]} {kind}" for kind in KINDS if row[kind]]
    return ", ".join(said) or "unchanged"


def results(history):
    """Each outcome in each state, a row each, under headings of outcomes."""
    rows = history.results.to_dict("records")
    treated = history.review.treated
    return pd.DataFrame({
        "Outcome": [row["label"] for row in rows],
        "State": [row["state"] for row in rows],
        "Result": [state_words(row) if row["conclusion"] in SIDES else "–" for row in rows],
        "Analysis": [row["preset"] or "–" for row in rows],
        "What the interval says": [conclusion_words(row, treated) for row in rows],
        "Conclusion": [changed(row) or "–" for row in rows],
    })  # fmt: skip


def changed(row):
    """A mark beside a result of which the conclusion is another one than before."""
    return "changed" if row["flipped"] else ""


def not_yet(tags):
    """Tags at which there was no such review yet; empty without any."""
    if not tags:
        return ""
    named = listing(tags) if len(tags) <= MANY else count(len(tags), "tag")
    return f"The folder held no review at {named}."
