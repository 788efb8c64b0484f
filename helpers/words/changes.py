"""What changed between two states of a review, as text for a terminal."""

import pandas as pd

from helpers.analysis.measures import restored
from helpers.words.numbers import count, estimate_text, level_name, listing


def report(rows, results):
    """Both tables as text for a terminal."""
    counts = rows.drop_duplicates(["experiment", "change"])["change"].value_counts(sort=False)
    lines = [", ".join(f"{n} {change}" for change, n in counts.items()) or "no row changed"]
    for experiment, change, column, old, new in rows.itertuples(index=False):
        cells = f"{column}: {old!r} to {new!r}" if change == "changed" else old or new
        lines.append(f"  {change} {experiment} {cells}".rstrip())
    for _, row in results.iterrows():
        was, now = (_result(row, when) for when in ("old", "new"))
        flip = f"; FLIPPED: {row['conclusion_old']} to {row['conclusion_new']}"
        change = f"{was} to {now}" if was != now else f"{was}, unchanged"
        lines.append(f"{row['outcome']}, {row['preset']}: {change}{flip * row['flipped']}")
    return "\n".join(lines)


def counts(rows):
    """How many experiments were added, changed, excluded and so on, as a phrase."""
    found = rows.drop_duplicates(["experiment", "change"])["change"].value_counts(sort=False)
    said = [f"{count(n, 'experiment')} {change}" for change, n in found.items()]
    return listing(said) if said else "no experiment changed"


def table(results, labels):
    """Results of both versions beside each other, a row an outcome.

    Parameters
    ----------
    results : pandas.DataFrame
        Of `helpers.analysis.changes.compare_states`, one result an outcome.
    labels : dict
        Outcomes by id.

    Returns
    -------
    pandas.DataFrame
        All as text.
    """
    return pd.DataFrame({
        "Outcome": [labels[name] for name in results["outcome"]],
        "Previous version": [_result(row, "old") for _, row in results.iterrows()],
        "This version": [_result(row, "new") for _, row in results.iterrows()],
        "Conclusion": [
            f"{row['conclusion_old']} → {row['conclusion_new']}" if row["flipped"] else "unchanged"
            for _, row in results.iterrows()
        ],
    })  # fmt: skip


def _result(row, when):
    if not row[f"k_{when}"]:
        return "no rows"
    measure = restored(row[f"measure_{when}"], row[f"scale_{when}"])
    numbers = [row[f"{name}_{when}"] for name in ("estimate", "ci_low", "ci_high")]
    level = level_name(row[f"level_{when}"])
    return f"{measure.name} {estimate_text(*numbers, measure)} ({level}, k {row[f'k_{when}']:.0f})"
