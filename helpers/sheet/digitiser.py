"""What a digitiser measured in a figure: WebPlotDigitizer's project (JSON) or export (CSV)."""

import json
from itertools import pairwise

import pandas as pd


def read_project(data):
    """Points of each data set of a project as (label, position, value)."""
    found, project = {}, json.loads(data)
    # Bars that lie: what tells them apart is how high they lie.
    lying = {axes["name"] for axes in project.get("axesColl", ()) if axes.get("isRotated")}
    for entry in project["datasetColl"]:
        points, along = [], "y" if entry.get("axesName") in lying else "x"
        for point in entry["data"]:
            more = point.get("metadata") or {}
            label = more.get("label", "") if isinstance(more, dict) else more[0]
            points.append((str(label), float(point[along]), repr(float(point["value"][-1]))))
        found[entry["name"]] = points
    return found


def read_export(grid):
    """The same of an export: names over fields over values, or one data set without headings."""
    if len(grid) < 2 or grid[0][-1][:1].isdigit():
        grid = [["value"], ["label", "y"], *grid]
    starts = [place for place, name in enumerate(grid[0]) if name]
    found = {}
    for start, end in zip(starts, [*starts[1:], max(map(len, grid))], strict=True):
        fields = [name.lower() for name in grid[1][start:end]]
        points = []
        for number, row in enumerate(grid[2:]):
            point = dict(zip(fields, row[start:end], strict=False))
            value = point.get("y") or point.get("value")
            if value:
                points.append((point.get("label", ""), float(point.get("x") or number), value))
        found[grid[0][start]] = points
    return found


def bars(datasets):
    """A row a bar, a column a data set: by the bars' labels, or else from left to right.

    Raises
    ------
    ValueError
        The data sets do not hold the same bars.
    """
    columns, places = {}, {}
    for name, points in datasets.items():
        if not points:  # a digitiser begins with an empty data set
            continue
        points = sorted(points, key=lambda point: point[1])
        labels = [label for label, _, _ in points]
        if not all(labels) or len(set(labels)) < len(labels):
            labels = [f"Bar{place}" for place in range(len(points))]
            places[name] = [position for _, position, _ in points]
        columns[name] = pd.Series([value for _, _, value in points], labels, dtype=object)
    if len({frozenset(column.index) for column in columns.values()}) != 1:
        sizes = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(
            f"the data sets do not hold the same bars ({sizes}): digitise a point for each bar in "
            "every data set, in the same order or labelled alike"
        )
    if len(places) > 1:
        _hold_together(places)
    table = pd.DataFrame(columns).rename_axis("label").reset_index().astype(object)
    return table.set_axis(range(2, len(table) + 2))


def _hold_together(places):
    """Raise where points without labels do not stand above each other.

    What belongs together lies nearer than half the least distance between neighbours.
    """
    (first, here), *others = places.items()
    gaps = [b - a for a, b in pairwise(here)]
    for name, there in others:
        far = max(abs(a - b) for a, b in zip(here, there, strict=True))
        if gaps and far > min(gaps) / 2:
            raise ValueError(
                f"the points of {first} and {name} do not stand at the same places: label the "
                "points, or digitise them at the same places"
            )
