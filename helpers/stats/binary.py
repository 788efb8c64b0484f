"""Effects of events among animals: odds ratio, risk ratio, risk difference."""

from __future__ import annotations

import numpy as np

COUNT_COLUMNS = ("events_treated", "n_treated", "events_control", "n_control")
BINARY_MEASURES = ("OR", "RR", "RD")


def binary_effects(table, *, measure="OR"):
    """Effect, sampling variance and standard error of each experiment that counts events.

    Parameters
    ----------
    table : pandas.DataFrame
        A row an experiment, with ``events_treated, n_treated, events_control, n_control``: animals
        with the event, and all animals.
    measure : {"OR", "RR", "RD"}
        Log odds ratio, log risk ratio (natural logarithms), risk difference; treated against
        control.

    Returns
    -------
    pandas.DataFrame
        ``effect, variance, se, note`` with the index of `table`. A row whose effect is undefined
        holds NaN and the reason as its note; so is noted where 0.5 was added.

    Raises
    ------
    ValueError
        Unknown measure, or a column is missing.

    Notes
    -----
    With a of n1 treated and c of n2 control animals, b = n1 - a, d = n2 - c:

    - OR   ln(a·d / (b·c)), variance 1/a + 1/b + 1/c + 1/d
    - RR   ln((a/n1) / (c/n2)), variance 1/a - 1/n1 + 1/c - 1/n2
    - RD   a/n1 - c/n2, variance a·b/n1³ + c·d/n2³

    Only where one of the four cells is 0, 0.5 is added to all four of that row: for RD in the
    variance alone, so that the difference stays the one that was seen. Groups without any event
    tell nothing of OR and RR, groups of events only nothing of OR: such rows are left out.

    References
    ----------
    Cochrane Handbook 6.4, section 10.4; Sweeting MJ, Sutton AJ, Lambert PC (2004). What to add to
    nothing? Stat Med 23:1351-1375.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"events_treated": [3, 0], "n_treated": [10, 8],
    ...                      "events_control": [7, 0], "n_control": [10, 8]})
    >>> found = binary_effects(rows)
    >>> found[["effect", "se"]].round(4)
       effect      se
    0 -1.6946  0.9759
    1     NaN     NaN
    >>> found["note"][1]
    'no event in either group'
    """
    measure = str(measure).upper()
    if measure not in BINARY_MEASURES:
        raise ValueError(f"measure is one of {', '.join(BINARY_MEASURES)}, not {measure!r}")
    missing = [name for name in COUNT_COLUMNS if name not in table]
    if missing:
        raise ValueError(f"column(s) missing: {', '.join(missing)}")
    a, n1, c, n2 = (table[name].to_numpy(float, na_value=np.nan) for name in COUNT_COLUMNS)
    cells = np.array([a, n1 - a, c, n2 - c])
    zero = (cells == 0).any(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # undefined rows are blanked below
        raw = a / n1 - c / n2
        a, b, c, d = cells + 0.5 * zero
        n1, n2 = a + b, c + d
        if measure == "OR":
            effect, variance = np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d
        elif measure == "RR":
            effect, variance = np.log(a / n1 / (c / n2)), 1 / a - 1 / n1 + 1 / c - 1 / n2
        else:
            effect, variance = raw, a * b / n1**3 + c * d / n2**3
    added = "0.5 added to all four cells" + (", in the variance alone" * (measure == "RD"))
    reasons = [
        (~np.isfinite(cells).all(axis=0), "a number of events or animals is missing"),
        ((cells < 0).any(axis=0), "the events are not between 0 and the number of animals"),
        ((cells[:2].sum(axis=0) == 0) | (cells[2:].sum(axis=0) == 0), "a group without animals"),
    ]
    if measure != "RD":
        reasons.append(((cells[0] == 0) & (cells[2] == 0), "no event in either group"))
    if measure == "OR":
        reasons.append(((cells[1] == 0) & (cells[3] == 0), "the event in every animal"))
    return noted(table.index, effect, variance, reasons, [(zero, added)])


def noted(index, effect, variance, reasons, remarks=()):
    """Effects with their notes, NaN for rows that have a reason against them.

    Parameters
    ----------
    index : pandas.Index
    effect, variance : numpy.ndarray, shape (k,)
    reasons, remarks : sequence of (numpy.ndarray of bool, str)
        Why a row is undefined, the first one counts; and what else there is to say about it.

    Returns
    -------
    pandas.DataFrame
        ``effect, variance, se, note``.
    """
    import pandas as pd  # here, as who asks for the names above alone need not wait for it

    note, ok = np.full(len(index), "", dtype=object), np.ones(len(index), dtype=bool)
    for bad, words in reasons:
        note[bad & ok], ok = words, ok & ~bad
    with np.errstate(invalid="ignore"):
        odd = ~(np.isfinite(effect) & np.isfinite(variance) & (variance > 0))
    note[odd & ok], ok = "undefined, or without a variance", ok & ~odd
    for rows, words in remarks:
        note[rows & ok & (note == "")] = words
    effect, variance = np.where(ok, effect, np.nan), np.where(ok, variance, np.nan)
    return pd.DataFrame(
        {"effect": effect, "variance": variance, "se": np.sqrt(variance), "note": note}, index=index
    )
