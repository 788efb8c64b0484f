"""Points of a digitised figure, and the table that they make: a column a data set, a row a bar or x."""

import re
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

ANEW = "Mend it in the digitiser and save it anew"
OWN = ("label", "x")  # the table's columns beside those of the data sets
AUTOMATIC = re.compile(r"Bar\d+")  # WebPlotDigitizer's, in the order of the clicks
# What is taken for one x is said where it lies farther apart than these shares of the least distance
# between neighbours, or of the length of the axis.
CLOSE, CLOSE_OF_ALL = 0.25, 0.02
BESIDE = 0.4  # the same of bars: two of a group stand beside each other, a third of its width apart
NAMED = 6  # of more places than these the rest is only counted
ALONE = 0.02  # of the larger x: what curves of one point may differ by


@dataclass(frozen=True)
class Point:
    """A point that was clicked.

    Attributes
    ----------
    value : str
        What the figure's axis says there, as it stands in the file.
    label : str
        "" where there is none.
    x : str
        Of a curve, as it stands in the file.
    at : float or None
        Where it stands: x of a curve (its logarithm on a log axis); of a bar the pixel from left to
        right, or from top to bottom where bars lie; None where the file does not say.
    """

    value: str
    label: str = ""
    x: str = ""
    at: float | None = None


@dataclass(frozen=True)
class DataSet:
    """The points of one data set.

    Attributes
    ----------
    name : str
    points : tuple of Point
    curve : bool
        Points of a curve over x, else bars.
    axes : str
        The name of the axes they were calibrated on.
    frame : tuple
        What `at` is measured in: the picture and its direction, or whether x is logarithmic.
    """

    name: str
    points: tuple
    curve: bool
    axes: str = ""
    frame: tuple = ()


def say_empty(name, found):
    """A warning: a digitiser begins with an empty data set."""
    what = "this data set holds no points and is ignored"
    found.lack(name, what, "Delete it in the digitiser, or digitise it", severity="warning")


def to_table(sets, found):
    """One table of all data sets, paired by x, by label or by place, never by chance.

    Parameters
    ----------
    sets : list of DataSet
        Those with points.
    found : Finder
        Takes warnings of what was assumed.

    Returns
    -------
    pandas.DataFrame
        Text; `label`, for curves `x`, and a column a data set; rows count from 2.

    Raises
    ------
    ReviewError
        The data sets do not make one table.
    """
    _refuse_what_is_no_table(sets, found)
    curves = sets[0].curve
    if len(sets) == 1:
        rows = [(point,) for point in _from_left(sets[0].points)]
    elif curves:
        rows = _by_place(sets, found)
    elif all(map(_is_labelled, sets)):
        rows = _by_label(sets, found)
    elif all(point.at is not None for each in sets for point in each.points):
        rows = _by_place(sets, found)
    else:
        rows = _by_order(sets, found)
    labels = _labels(sets, rows, curves)
    found.refuse()
    table = {"label": labels, **({"x": [row[0].x for row in rows]} if curves else {})}
    table |= {each.name: [row[at].value for row in rows] for at, each in enumerate(sets)}
    return pd.DataFrame(table, range(2, len(rows) + 2), dtype=object)


def _refuse_what_is_no_table(sets, found):
    if not sets:
        found.lack(
            None, "no data set of this file holds a point", "Digitise the figure, and save anew"
        )
    names = [each.name for each in sets]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            found.lack(name, "several data sets have this name", "Rename them in the digitiser")
        elif name in OWN:
            found.lack(name, "the table has a column of this name", "Rename it in the digitiser")
    curves = {kind: [each.name for each in sets if each.curve is kind] for kind in (True, False)}
    if all(curves.values()):
        found.lack(
            None,
            f"{_listed(curves[True])} stand on XY axes and {_listed(curves[False])} on bar axes, "
            "which makes no table",
            "Save bars and curves in a file each",
        )
    found.refuse()


def _from_left(points):
    return sorted(points, key=lambda point: point.at) if points[0].at is not None else points


def _is_labelled(each):
    """Whether a person labelled all points, each differently."""
    labels = {point.label for point in each.points}
    return len(labels) == len(each.points) and not any(map(_is_automatic, labels))


def _is_automatic(label):
    return not label or bool(AUTOMATIC.fullmatch(label))


def _labels(sets, rows, curves):
    """Labels of the rows: those that a person gave, else the digitiser's, else by place."""
    columns = [[row[at].label for row in rows] for at, _ in enumerate(sets)]
    full = [labels for labels in columns if all(labels) and len(set(labels)) == len(labels)]
    full.sort(key=lambda labels: any(map(_is_automatic, labels)))
    if full:
        return full[0]
    if len(sets) == 1 and all(columns[0]):
        return columns[0]
    return [row[0].x if curves else f"Bar{place}" for place, row in enumerate(rows)]


def _by_label(sets, found):
    named = [{point.label: point for point in each.points} for each in sets]
    for each, mine in zip(sets, named, strict=True):
        lacking = dict.fromkeys(label for points in named for label in points if label not in mine)
        if lacking:
            found.lack(
                each.name,
                f"this data set has no bar {_listed(map(repr, lacking))}; {_sizes(sets)}",
                "Digitise a point for each bar in every data set, and label those of one bar alike",
            )
    found.refuse()
    order = [point.label for point in _from_left(sets[0].points)]
    for each in sets[1:]:
        theirs = [point.label for point in _from_left(each.points)]
        if each.points[0].at is not None and each.frame == sets[0].frame and theirs != order:
            found.lack(
                each.name,
                f"its labels stand in another order than those of {sets[0].name} "
                f"({_listed(theirs)}; {_listed(order)}); points were paired by label",
                "Check the labels in the digitiser",
                severity="warning",
            )
    return [tuple(points[label] for points in named) for label in order]


def _by_place(sets, found):
    """Points that stand together: nearer than half the least distance between neighbours."""
    curves = sets[0].curve
    if len({each.frame for each in sets}) > 1:
        what = "stand on several pictures, or some lie and some stand"
        what = "stand on linear and on logarithmic axes of x" if curves else what
        found.lack(
            None,
            f"the points of {_names(sets)} {what}, so that their places do not say which belong "
            "together",
            "Save a file for each" + ("" if curves else ", or label the bars alike everywhere"),
        )
        found.refuse()
    axes = dict.fromkeys(each.axes for each in sets)
    if not curves and len(axes) > 1:
        found.lack(
            None,
            f"the bars of {_names(sets)} were calibrated on several axes ({_listed(axes)}) and "
            "were paired by their places in the picture",
            "Check which belong together, or label them alike in every data set",
            severity="warning",
        )
    _refuse_twice(sets, found)
    gaps = [
        (b.at - a.at, f"{_place(a, each)} and {_place(b, each)} of {each.name}")
        for each in sets
        for a, b in pairwise(_from_left(each.points))
    ]
    places = [(point.at, at, point) for at, each in enumerate(sets) for point in each.points]
    places.sort(key=lambda place: place[:2])
    alone = ALONE * max(abs(at) for at, _, _ in places) if curves else float("inf")
    least, between = min(gaps, default=(2 * alone, "for curves of one point, of x itself"))
    reach = least / 2
    rows = []
    for at, which, point in places:
        away = at - min(each.at for each in rows[-1].values()) if rows else reach
        if rows and which not in rows[-1] and (away == 0 or away < reach):
            rows[-1][which] = point
        else:
            rows.append({which: point})
    _refuse_unpaired(sets, rows, f"{reach:.3g}, half the least distance ({between})", found)
    _warn_of_far(sets, rows, least, found)
    if not curves:
        _refuse_other_labels(sets, rows, found)
    return [tuple(row[at] for at, _ in enumerate(sets)) for row in rows]


def _refuse_twice(sets, found):
    for each in sets:
        pairs = pairwise(_from_left(each.points))
        twice = [
            f"{_place(one, each)} (values {one.value} and {other.value})"
            for one, other in pairs
            if one.at == other.at
        ]
        if twice:
            found.lack(
                each.name,
                f"two points stand at {_some(twice)}, so that it is not clear which belongs to the "
                "other data sets",
                "Delete the point that was clicked twice, or make a data set of its own of it",
            )
    found.refuse()


def _place(point, each):
    return f"x = {point.x}" if each.curve else f"pixel {point.at:.4g}"


def _refuse_unpaired(sets, rows, reach, found):
    for at, each in enumerate(sets):
        lonely = [row for row in rows if at in row and len(row) < len(sets)]
        if not lonely:
            continue
        places = _some([_place(row[at], each).removeprefix("x = ") for row in lonely])
        lacking = {other for row in lonely for other in range(len(sets)) if other not in row}
        others = _listed(sets[other].name for other in sorted(lacking))
        kind, where, at_x = "bars without labels", "place", ""
        if each.curve:
            kind, where, at_x = "curves", "x", "x = "
        found.lack(
            each.name,
            f"its points at {at_x}{places} have no partner in {others}: they do not stand at the "
            f"same places; {kind} are paired by {where}, nearer than "
            f"{reach}; {_sizes(sets)}",
            "Digitise a point at the same places in every data set and delete what has no "
            "partner, or save what does not belong together in a file each"
            + ("" if each.curve else ", or label the bars alike"),
        )
    found.refuse()


def _warn_of_far(sets, rows, least, found):
    places = [point.at for row in rows for point in row.values()]
    close, what = BESIDE * least, "places"
    if sets[0].curve:
        close, what = min(CLOSE * least, CLOSE_OF_ALL * (max(places) - min(places))), "x"
    far = []
    for row in rows if len(rows) > 1 else ():
        (first, low), *_, (last, high) = sorted(row.items(), key=lambda entry: entry[1].at)
        if high.at - low.at > close:
            texts = (_place(low, sets[first]), _place(high, sets[last]))
            texts = [text.removeprefix("x = ") for text in texts]
            far.append(f"{texts[0]} of {sets[first].name} and {texts[1]} of {sets[last].name}")
    if far:
        found.lack(
            None,
            f"these {what} were taken for one: {_some(far, '; ')}",
            "Check that they belong together, or delete those that do not in the digitiser",
            severity="warning",
        )


def _refuse_other_labels(sets, rows, found):
    """Points at one place, or of one number, to which a person gave different labels."""
    for place, row in enumerate(rows, 1):
        labels = {sets[at].name: point.label for at, point in sorted(row.items())}
        own = {name: label for name, label in labels.items() if not _is_automatic(label)}
        if len(set(own.values())) > 1:
            named = _listed(f"{label!r} in {name}" for name, label in own.items())
            found.lack(
                None,
                f"bar {place} is called {named}",
                "Label the bars alike in every data set, or only in one",
            )
    found.refuse()


def _by_order(sets, found):
    """Points of an export without places, whose labels do not say which belong together."""
    if len({len(each.points) for each in sets}) > 1:
        found.lack(
            None,
            f"the data sets do not hold the same bars ({_sizes(sets)})",
            "Digitise a point for each bar in every data set, labelled alike",
        )
        found.refuse()
    rows = [dict(enumerate(row)) for row in zip(*(each.points for each in sets), strict=True)]
    _refuse_other_labels(sets, rows, found)
    found.lack(
        None,
        f"this export says neither places nor labels of its own for {_names(sets)}: first was "
        "paired with first, second with second",
        "Check each pair, or take the digitiser's project (.json or .tar), which has the places",
        severity="warning",
    )
    return [tuple(row.values()) for row in rows]


def _names(sets):
    return _listed(each.name for each in sets)


def _sizes(sets):
    return "points: " + ", ".join(f"{each.name} {len(each.points)}" for each in sets)


def _listed(words):
    *others, last = map(str, words)
    return f"{', '.join(others)} and {last}" if others else last


def _some(words, mark=None):
    more = f" (and {len(words) - NAMED} more)" if len(words) > NAMED else ""
    return (mark.join(words[:NAMED]) if mark else _listed(words[:NAMED])) + more
