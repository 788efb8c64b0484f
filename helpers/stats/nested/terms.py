"""From terms such as ``log10(dose)`` or ``species:sex`` to the columns of a design.

A term is the name of a moderator, ``log10(name)``, ``spline(name, df)``, or several of these joined
by ``:`` for their interaction. A name that could be read in two ways stands in backticks.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

HOW = "write name, log10(name), spline(name, df), or a:b for an interaction"
MAX_DF = 10
# Share of a column's length that the others leave unexplained, below which it follows from them.
FOLLOWS = 1e-7


@dataclass(frozen=True)
class Factor:
    """One part of a term: a moderator as it stands, its logarithm, or a spline of it."""

    name: str
    function: str = ""
    df: int = 0

    def __str__(self):
        if not self.function:
            return self.name
        return f"{self.function}({self.name}{f', {self.df}' if self.df else ''})"


@dataclass(frozen=True, eq=False)
class Design:
    """The columns that terms stand for.

    Attributes
    ----------
    matrix : pandas.DataFrame
        A row for each row used, the intercept first; the index is that of the moderators.
    terms : dict
        Of each term the places of its columns in `matrix`; main effects come first.
    cells : dict
        Of each term a Series by row used: which combination of its categories a row has, None for a
        term of numbers alone.
    margins : dict
        Of each term the terms in the model that are parts of it.
    factors : dict
        Of each term its parts.
    categorical : ndarray, shape of `matrix`
        The columns as far as their categories go, without the numbers.
    numbers : tuple of str
        The numbers that a column is multiplied by.
    reference : dict
        The level of each categorical moderator that the others are compared with.
    used : ndarray of bool
        Rows in the design.
    left_out : int
        Number of rows that lack a moderator.
    missing : dict
        Of each moderator with missing values the number of rows that have none.
    dropped : dict
        Columns of an interaction that are not there, with the reason.
    notes : tuple of str
        What a reader is to be told.
    """

    matrix: pd.DataFrame
    terms: dict
    cells: dict = field(repr=False)
    margins: dict
    factors: dict
    categorical: np.ndarray = field(repr=False)
    numbers: tuple = field(repr=False)
    reference: dict
    used: np.ndarray = field(repr=False)
    left_out: int
    missing: dict
    dropped: dict
    notes: tuple


def parse(term, known):
    """The factors of a term.

    Parameters
    ----------
    term : str
    known : iterable of str
        Names of the moderators.

    Returns
    -------
    tuple of Factor

    Raises
    ------
    ValueError
        With one line that names the term: its syntax, an unknown moderator and the nearest known
        one, or two possible readings.

    Examples
    --------
    >>> [str(factor) for factor in parse("species:spline(days, 3)", ["species", "days"])]
    ['species', 'spline(days, 3)']
    """
    known = list(known)
    if not isinstance(term, str) or not term.strip():
        raise ValueError(f"{term!r} is no term: {HOW}")
    pieces = re.split(r":(?=(?:[^`]*`[^`]*`)*[^`]*$)", term)  # colons outside backticks
    readings = []
    for joints in product((True, False), repeat=len(pieces) - 1):
        parts = [pieces[0]]
        for joint, piece in zip(joints, pieces[1:], strict=True):
            parts = [*parts, piece] if joint else [*parts[:-1], f"{parts[-1]}:{piece}"]
        readings += product(*(_readings(part.strip(), known) for part in parts))
    if len(readings) > 1:
        raise ValueError(
            f"term {term!r} can be read in {len(readings)} ways: put the moderators' names in "
            "backticks"
        )
    if not readings:
        raise ValueError(_why_not(term, pieces, known))
    if len({factor.name for factor in readings[0]}) < len(readings[0]):
        raise ValueError(f"term {term!r} holds one moderator twice")
    return readings[0]


def design(moderators, terms, *, reference=None, rows=None):
    r"""Design matrix of a regression.

    Parameters
    ----------
    moderators : DataFrame, k rows
        Numbers are numbers, however few values they have; everything else is a category.
    terms : sequence of str
    reference : dict, optional
        For a categorical moderator the level that the others are compared with; else the first one
        in sorted order.
    rows : array_like of bool, shape (k,), optional
        Use these rows only; others do not count as left out.

    Returns
    -------
    Design

    Raises
    ------
    ValueError
        All faults of the terms at once, a line each: syntax, unknown moderators, values that a
        function cannot take (by row), moderators of one level, columns that follow from others.

    Notes
    -----
    Coding as R's ``model.matrix`` does it: a category within an interaction is coded by its
    differences to the reference where the rest of the interaction is in the model, and by all its
    levels where it is not, so that ``species`` and ``species:sex`` without ``sex`` give the
    difference between the sexes within each species. ``spline(x, df)`` is R's
    ``splines::ns(x, df)``: cubic between knots at the quantiles 1/df, 2/df, ... of the rows used,
    straight beyond the smallest and largest value. A combination of levels that no row has leaves
    its column out of an interaction, and is named.

    References
    ----------
    Hastie TJ (1992). Generalized additive models. In: Statistical Models in S, chapter 7.
    """
    frame = pd.DataFrame(moderators)
    parsed, faults = [], []
    for term in [terms] if isinstance(terms, str) else terms:
        try:
            parsed.append(parse(term, map(str, frame.columns)))
        except ValueError as fault:
            faults.append(str(fault))
    if not parsed and not faults:
        raise ValueError(f"a regression needs at least one term: {HOW}")
    for at, factors in enumerate(parsed):
        if set(factors) in [set(other) for other in parsed[:at]]:
            faults.append(f"term {_name(factors)!r} is given twice")
    parsed.sort(key=len)  # main effects first; otherwise as they were given
    names = list(dict.fromkeys(factor.name for factors in parsed for factor in factors))
    _refuse(faults)

    # Keyed by text: a heading may be a number.
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    twice = [name for name in names if isinstance(frame[name], pd.DataFrame)]
    _refuse([f"two columns are called {name!r}" for name in twice])
    table = {name: _cleaned(frame[name]) for name in names}
    chosen = np.ones(len(frame), bool) if rows is None else np.asarray(rows)
    if chosen.dtype != bool or chosen.shape != (len(frame),):
        raise ValueError(f"rows must hold True or False for each of the {len(frame)} rows")
    lacking = {name: int((column.isna() & chosen).sum()) for name, column in table.items()}
    full = pd.concat(table, axis=1).notna().all(axis=1).to_numpy()
    used = chosen & full
    if not used.any():
        raise ValueError(f"no row has all of {', '.join(names)}")
    table = {name: column[used] for name, column in table.items()}
    for factors in parsed:
        faults += _unusable(factors, table)
    _refuse(list(dict.fromkeys(faults)))
    levels = {name: _levels(table[name], (reference or {}).get(name)) for name in names}
    unknown = set(reference or {}) - set(frame.columns)
    if unknown:
        raise ValueError(f"reference names no moderator: {', '.join(map(str, sorted(unknown)))}")
    return _assembled(parsed, table, levels, chosen, used, lacking)


def natural_spline(x, df):
    """Natural cubic splines, as R's ``splines::ns(x, df)``.

    Parameters
    ----------
    x : array_like, shape (k,)
    df : int
        Number of columns; knots at the quantiles 1/df, 2/df, ...

    Returns
    -------
    ndarray, shape (k, df)

    Raises
    ------
    ValueError
        Too few different values for the knots.

    Notes
    -----
    B-splines of order 4, without the first, turned into the space in which the second derivative is
    0 at both ends: straight lines go on from there.
    """
    from scipy.interpolate import BSpline  # its import takes long and only splines need it

    x = np.asarray(x, dtype=float)
    knots = np.quantile(x, np.arange(1, df) / df)
    low, high = x.min(), x.max()
    inner = np.concatenate([[low], knots, [high]])
    if (np.diff(inner) <= 1e-9 * (high - low)).any() or len(np.unique(x)) <= df:
        raise ValueError(
            f"{len(np.unique(x))} different values, some in many rows, are too few for a spline "
            f"with {df} df"
        )
    t = np.concatenate([[low] * 4, knots, [high] * 4])
    spline = BSpline(t, np.eye(len(t) - 4), 3)
    bend = spline.derivative(2)(np.array([low, high]))[:, 1:]
    turn = np.linalg.qr(bend.T, mode="complete")[0]
    return (spline(x)[:, 1:] @ turn)[:, 2:]


# ------------------------------------------------------------------------------------------ words


def _readings(text, known):
    """All factors that a text can mean."""
    found = []
    bare = re.fullmatch(r"`([^`]*)`", text)
    if text in known:
        found.append(Factor(text))
    if bare and bare[1] in known:
        found.append(Factor(bare[1]))
    log = re.fullmatch(r"log10\s*\(\s*(.+?)\s*\)", text)
    spline = re.fullmatch(r"spline\s*\(\s*(.+?)\s*,\s*(\d+)\s*\)", text)
    for match, function in ((log, "log10"), (spline, "spline")):
        if match and match[1].strip("`") in known and match[1].count("`") in (0, 2):
            df = int(match[2]) if function == "spline" else 0
            if function == "log10" or 2 <= df <= MAX_DF:
                found.append(Factor(match[1].strip("`"), function, df))
    return list(dict.fromkeys(found))


def _why_not(term, pieces, known):
    """The one line about a term that cannot be read."""
    for piece in map(str.strip, pieces):
        if _readings(piece, known):
            continue
        inner = piece
        call = re.fullmatch(r"(\w+)\s*\((.*)\)", piece)
        if call and call[1] in ("log10", "spline"):
            inner, *rest = call[2].rsplit(",", 1) if call[1] == "spline" else [call[2]]
            if call[1] == "spline" and not (rest and re.fullmatch(r"\s*\d+\s*", rest[0])):
                return f"term {term!r}: a spline needs its df, as in spline({inner.strip()}, 3)"
            inner = inner.strip()
            if rest and inner.strip("`") in known:
                return (
                    f"term {term!r}: the df of a spline is a whole number from 2 to {MAX_DF}; "
                    f"a straight line is {inner}"
                )
        elif call and call[2].split(",")[0].strip() in known:
            return f"term {term!r}: there is no function {call[1]}; {HOW}"
        inner = inner.strip("`")
        if not inner or (re.search(r"[*+^|~`()]", inner) and not _nearest(inner, known, 0.8)):
            return f"term {term!r} is no term: {HOW}"
        return f"term {term!r}: no moderator is called {inner!r}. {_advice(inner, known)}"
    return f"term {term!r} is no term: {HOW}"


def _nearest(word, known, cutoff):
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def _advice(word, known):
    near = _nearest(word, known, 0.5)
    if near:
        return f"Did you mean {near!r}?"
    return f"Known are {', '.join(known)}" if known else "There are none"


def _name(factors):
    return ":".join(map(str, factors))


def _refuse(faults):
    if faults:
        raise ValueError("\n".join(faults))


# ----------------------------------------------------------------------------------------- values


def _cleaned(column):
    """Numbers as floats, categories as texts; what is missing is None or NaN."""
    is_bool = pd.api.types.is_bool_dtype(column)
    if pd.api.types.is_numeric_dtype(column) and not is_bool:
        return column.astype(float)
    values = column.astype(object)
    blank = values.isna() | values.map(lambda v: isinstance(v, str) and not v.strip())
    values = values.where(~blank, None)
    there = values[~blank]
    number = there.map(lambda v: isinstance(v, int | float | np.number) and not isinstance(v, bool))
    if len(there) and number.all():
        return values.astype(float)
    return values


def _is_number(column):
    return column.dtype != object


def _unusable(factors, table):
    """Lines about values that a term cannot take."""
    faults = []
    for factor in factors:
        term, column = _name(factors), table[factor.name]
        if not _is_number(column):
            if factor.function:
                bad = column[[_reads_not(v) for v in column]]
                shown = _rows(bad) if len(bad) else "it is kept as text"
                faults.append(
                    f"term {term!r}: {factor.function} needs numbers in {factor.name!r}: {shown}"
                )
            elif column.nunique() < 2:
                faults.append(
                    f"term {term!r}: {factor.name!r} has one level only, {column.iloc[0]!r}"
                )
            continue
        endless = column[~np.isfinite(column)]
        if len(endless):
            faults.append(f"term {term!r}: {factor.name!r} is no finite number: {_rows(endless)}")
        elif column.nunique() < 2:
            faults.append(f"term {term!r}: {factor.name!r} is {column.iloc[0]:g} in all rows")
        elif factor.function == "log10" and (column <= 0).any():
            faults.append(
                f"term {term!r}: a logarithm needs values above 0 in {factor.name!r}: "
                f"{_rows(column[column <= 0])}. Leave these rows out, or take {factor.name!r} as it is"
            )
        elif factor.function == "spline":
            try:
                natural_spline(column, factor.df)
            except ValueError as fault:
                faults.append(f"term {term!r}: {fault}")
    return faults


def _rows(cells, most=10):
    shown = ", ".join(f"row {row} ({_shown(value)})" for row, value in cells.head(most).items())
    return shown + (f" and {len(cells) - most} more" if len(cells) > most else "")


def _shown(value):
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _reads_not(value):
    try:
        return not np.isfinite(float(value))
    except (TypeError, ValueError):
        return True


def _levels(column, base):
    """Levels of a categorical moderator, the reference first; None of a number."""
    if _is_number(column):
        if base is not None:
            raise ValueError(f"{column.name!r} holds numbers and has no reference level {base!r}")
        return None
    present = sorted(pd.unique(column), key=str)
    base = present[0] if base is None else base
    if base not in present:
        raise ValueError(
            f"no row has the reference level {base!r} of {column.name}; there are "
            f"{', '.join(map(repr, present))}"
        )
    return [base, *(level for level in present if level != base)]


# ---------------------------------------------------------------------------------------- columns


def _assembled(parsed, table, levels, chosen, used, lacking):
    there = {frozenset(factors) for factors in parsed} | {frozenset()}
    k = int(used.sum())
    names, columns, places = ["intercept"], [np.ones(k)], {}
    bare, numbers = [np.ones(k)], [""]
    for factors in parsed:
        term = _name(factors)
        parts = []
        for factor in factors:
            by_reference = frozenset(factors) - {factor} in there
            parts.append(_columns(factor, table[factor.name], levels[factor.name], by_reference))
        places[term] = []
        combinations = list(product(*parts))
        if _alone(factors, there) and all(levels[factor.name] for factor in factors):
            del combinations[0]  # the cell that the intercept stands for
        for combination in combinations:
            places[term].append(len(names))
            names.append(" × ".join(label for label, _, _ in combination))
            columns.append(np.prod([values for _, values, _ in combination], axis=0))
            cell = [values for _, values, category in combination if category]
            bare.append(np.prod([np.ones(k), *cell], axis=0))
            numbers.append(" × ".join(label for label, _, category in combination if not category))
    x, bare = np.column_stack(columns), np.column_stack(bare)
    categories = {_name(factors): [f.name for f in factors if levels[f.name]] for factors in parsed}
    margins = {
        _name(factors): [_name(o) for o in parsed if set(o) < set(factors)] for factors in parsed
    }
    owner = {at: term for term, own in places.items() for at in own}
    dropped, confounded = {}, []
    for at, others in _dependent(x):
        term = owner.get(at, "")
        inside = {"", term, *margins.get(term, ())}
        if ":" in term and {owner.get(other, "") for other in others} <= inside:
            dropped[names[at]] = (at, _empty_cells(categories[term], table, levels))
            continue
        from_what = ", ".join(repr(names[other]) for other in others)
        confounded.append(
            f"term {term!r}: {names[at]!r} follows from {from_what}: they cannot be told apart"
        )
    _refuse(confounded)
    kept = [at for at in range(len(names)) if at not in {at for at, _ in dropped.values()}]
    place = {at: new for new, at in enumerate(kept)}
    terms = {t: [place[at] for at in own if at in place] for t, own in places.items()}
    dropped = {name: cause for name, (_, cause) in dropped.items() if cause}
    notes = [f"{name!r} is not in the model: {cause}" for name, cause in dropped.items()]
    notes += [
        f"the levels of {name!r} read as numbers, and are taken as categories"
        for name, listed in levels.items()
        if listed and len(listed) > 2 and not any(map(_reads_not, listed))
    ]
    index = next(iter(table.values())).index
    return Design(
        matrix=pd.DataFrame(x[:, kept], columns=[names[at] for at in kept], index=index),
        terms=terms, cells={t: _cell(categories[t], table) for t in terms}, margins=margins,
        factors={_name(factors): factors for factors in parsed}, categorical=bare[:, kept],
        numbers=tuple(numbers[at] for at in kept),
        reference={name: listed[0] for name, listed in levels.items() if listed},
        used=used, left_out=int((chosen & ~used).sum()),
        missing={name: n for name, n in lacking.items() if n},
        dropped=dropped, notes=tuple(notes),
    )  # fmt: skip


def _alone(factors, there):
    """Whether no part of an interaction, but the intercept, is in the model."""
    return len(factors) > 1 and not any(o and o < frozenset(factors) for o in there)


def _columns(factor, column, levels, by_reference):
    """(label, values, whether of a category) of each column of one factor."""
    if levels:
        shown = levels[1:] if by_reference else levels
        values = column.to_numpy(object)
        return [
            (f"{factor.name}: {level}", (values == level).astype(float), True) for level in shown
        ]
    x = column.to_numpy(float)
    if factor.function == "log10":
        return [(str(factor), np.log10(x), False)]
    if factor.function == "spline":
        return [
            (f"{factor} {n}", v, False) for n, v in enumerate(natural_spline(x, factor.df).T, 1)
        ]
    return [(str(factor), x, False)]


def _dependent(x):
    """Columns that follow from the ones before, with those they follow from."""
    size = np.sqrt((x**2).sum(axis=0))
    z = x / np.where(size > 0, size, 1)
    kept = []
    for at in range(z.shape[1]):
        if kept:
            share = np.linalg.lstsq(z[:, kept], z[:, at])[0]
            left = np.linalg.norm(z[:, at] - z[:, kept] @ share)
        else:
            share, left = np.empty(0), np.linalg.norm(z[:, at])
        if left > FOLLOWS:
            kept.append(at)
        else:
            big = np.abs(share) > 1e-6
            yield at, [k for k, b in zip(kept, big, strict=True) if b]


def _empty_cells(names, table, levels):
    """The combinations of levels that no row has, in words, or nothing."""
    if len(names) < 2:
        return ""
    seen = set(zip(*(table[name] for name in names), strict=True))
    lacking = [
        cell for cell in product(*(levels[name] for name in names)) if cell not in seen
    ]  # fmt: skip
    shown = "; ".join(
        " and ".join(f"{n} {v}" for n, v in zip(names, cell, strict=True)) for cell in lacking[:10]
    )
    more = f" and {len(lacking) - 10} more" if len(lacking) > 10 else ""
    return f"no row has {shown}{more}" if lacking else ""


def _cell(names, table):
    """Which combination of categories each row has."""
    if not names:
        return None
    cells = [" × ".join(map(str, row)) for row in zip(*(table[n] for n in names), strict=True)]
    return pd.Series(cells, index=table[names[0]].index)
