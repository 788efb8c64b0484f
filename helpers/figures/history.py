"""The pooled results of a living review over its states."""

import numpy as np

from helpers.analysis.measures import SMD
from helpers.drawing.style import styled
from helpers.figures.forest import TURNED, forest
from helpers.words.numbers import level_name


@styled
def over_time(
    table,
    *,
    measure=SMD,
    level=0.95,
    favours=("favours control", "favours treatment"),
    narrow=False,
):
    """Draw the pooled effect of each outcome in each state of a review, oldest first.

    Hollow squares have an interval that includes no effect. Where outcomes differ in the side of
    benefit, effects are turned so that benefit is right.

    Parameters
    ----------
    table : DataFrame
        A row an outcome and state, in order: `outcome` (heading of the block), `state` and its
        `date`, `better`, `k, estimate, ci_low, ci_high`, `changed` (text beside the effect).
    measure : helpers.analysis.measures.Measure
        What all these effects are.
    level : float or None
        Of their intervals; None where they differ.
    favours : (str, str)
    narrow : bool
        As in `helpers.figures.forest.forest`.

    Returns
    -------
    Axes
        x is the effect.
    """
    table = table.reset_index(drop=True)
    sides = set(table["better"])
    mixed, directed = len(sides) > 1, sides <= {"higher", "lower"}
    sign = np.where(mixed & directed & (table["better"] == "lower").to_numpy(), -1, 1)
    estimate, *bounds = table[["estimate", "ci_low", "ci_high"]].to_numpy(float).T * sign
    rows = table[["k", "changed"]].assign(label=table["date" if narrow else "state"])
    rows[["effect", "ci_low", "ci_high"]] = np.array([estimate, *np.sort(bounds, axis=0)]).T
    rows["hollow"] = (rows["ci_low"] <= 0) & (rows["ci_high"] >= 0)
    of_outcome = table["outcome"].ne(table["outcome"].shift()).cumsum()
    return forest(
        rows,
        groups=[
            (table["outcome"][part.index[0]], part.index, None)
            for _, part in rows.groupby(of_outcome, sort=False)
        ],
        columns={} if narrow else {"k": "k"},
        after={"changed": "Conclusion"} if (table["changed"] != "").any() else None,
        heading="State",
        measure=measure,
        effect_label=f"{measure.title} ({level_name(level) if level else 'CI'})",
        axis_label=f"{measure.title}, {TURNED}" if mixed and directed else None,
        favours=favours,
        better=None if not directed else "higher" if mixed else sides.pop(),
        row=0.25,
        narrow=narrow,
    )
