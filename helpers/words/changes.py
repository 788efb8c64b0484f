"""What changed between two states of a review, as text for a terminal."""

from helpers.analysis.measures import restored
from helpers.words.numbers import estimate_text, level_name


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


def _result(row, when):
    if not row[f"k_{when}"]:
        return "no rows"
    measure = restored(row[f"measure_{when}"], row[f"scale_{when}"])
    numbers = [row[f"{name}_{when}"] for name in ("estimate", "ci_low", "ci_high")]
    level = level_name(row[f"level_{when}"])
    return f"{measure.name} {estimate_text(*numbers, measure)} ({level}, k {row[f'k_{when}']:.0f})"
