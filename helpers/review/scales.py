"""On which of its outcome's scales each row is measured, and which rows are turned for that."""

import pandas as pd

from helpers.problems import nearest
from helpers.review.columns import MODERATOR
from helpers.review.mapping.working import as_text, matches
from helpers.review.schema import fault


def choose_scales(mapping):
    """Name each row's scale, and turn rows on a scale on which the other side is better.

    Parameters
    ----------
    mapping : helpers.review.mapping.working.Mapping
        Its `scales` become the labels by row, empty where the outcome has one scale only.
    """
    mapping.scales = pd.Series("", mapping.table.index, dtype=object, name="scale")
    for outcome in mapping.description.outcomes.values():
        if outcome.scales:
            _of_outcome(mapping, outcome, mapping.table["outcome"] == outcome.id)


def _of_outcome(mapping, outcome, rows):
    place, outcomes = f"families.outcomes.{outcome.id}.scales", mapping.table["outcome"]
    fits = {}
    for scale in outcome.scales:
        if scale.when:
            there = [_has(mapping, place, *each) for each in scale.when.items()]
            fits[scale.label] = rows & pd.concat(there, axis=1).all(axis=1)
            if rows.any() and not fits[scale.label].any():
                mapping.warn_of(place, f"no row is measured on {scale.label}", "Check its `when`")
    many = sum(fits.values(), pd.Series(0, rows.index))
    several, none = many > 1, rows & (many == 0)
    names = " and ".join(fits)
    remedy = f"Correct `when` under {place}: each row is on one scale"
    what = f"this row is on several scales ({names})"
    mapping.found.fault(several, outcomes, what, remedy)
    for scale in outcome.scales:
        if not scale.when:
            fits[scale.label], none = none, none & False
    what = f"this row is on none of the outcome's scales ({', '.join(fits)})"
    remedy = f"Add what is missing to `when` under {place}, or a scale without `when` for the rest"
    mapping.found.fault(none, outcomes, what, remedy)
    for scale in outcome.scales:
        these = fits[scale.label] & ~several
        mapping.scales[these] = scale.label
        mapping.note("scale", outcome.id, _in_words(scale), these.sum())
        if scale.better != outcome.better:
            _turn(mapping, outcome, scale, these)


def _has(mapping, place, column, words):
    """Which rows have one of some words in a column: a moderator, ours, or one of the sheet."""
    for name in (MODERATOR + column, column):
        if name in mapping.table:
            cells = mapping.table[name]
            break
    else:
        if column not in mapping.before:
            known = [*mapping.description.moderators, *mapping.before]
            mapping.found.findings.append(
                fault(f"{place}.when", "there is no such column", column, nearest(column, known))
            )
            return pd.Series(False, mapping.table.index)
        cells = mapping.before[column].reindex(mapping.rows_of())
        cells = cells.set_axis(mapping.table.index)
    numbers = [float(word) for word in words if isinstance(word, int | float)]
    cells = cells.map(lambda cell: f"{cell:g}" if isinstance(cell, float) else cell)
    return matches(cells, [*map(as_text, words), *(f"{number:g}" for number in numbers)])


def _in_words(scale):
    bounds = f", {scale.low:g} to {scale.high:g}" if scale.low > -float("inf") else ""
    return f"on {scale.label}{bounds}, {scale.better} is better"


def _turn(mapping, outcome, scale, rows):
    """Signs of -1 for the rows of a scale; a row has one source of its direction."""
    sign = mapping.cells("sign")
    both = rows & (sign != "")
    what = f"the sheet gives this row a sign, and {scale.label} has another side that is better "
    what += "than its outcome: two sources of one direction"
    remedy = f"Take `sign` out of [sheet], or `better` out of the scale {scale.label}"
    mapping.found.fault(both, sign, what, remedy)
    mapping.table["sign"] = sign.mask(rows & ~both, -1.0)
    detail = f"{scale.label}: {scale.better} is better, {outcome.better} for {outcome.id}; "
    mapping.note("turn", "sign", f"{detail}the effect is multiplied by -1", (rows & ~both).sum())
