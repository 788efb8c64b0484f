"""What a digitiser measured in a figure: WebPlotDigitizer's project (JSON) or export (CSV)."""

import json

import pandas as pd


def read_project(data):
    """Points of each data set of a project as (label, position, value)."""
    found = {}
    for entry in json.loads(data)["datasetColl"]:
        points = []
        for point in entry["data"]:
            more = point.get("metadata") or {}
            label = more.get("label", "") if isinstance(more, dict) else more[0]
            points.append((str(label), float(point["x"]), repr(float(point["value"][-1]))))
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
    columns = {}
    for name, points in datasets.items():
        points = sorted(points, key=lambda point: point[1])
        labels = [label for label, _, _ in points]
        if not all(labels) or len(set(labels)) < len(labels):
            labels = [f"Bar{place}" for place in range(len(points))]
        columns[name] = pd.Series([value for _, _, value in points], labels, dtype=object)
    if len({frozenset(column.index) for column in columns.values()}) != 1:
        sizes = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(
            f"the data sets do not hold the same bars ({sizes}): digitise a point for each bar in "
            "every data set, in the same order or labelled alike"
        )
    table = pd.DataFrame(columns).rename_axis("label").reset_index().astype(object)
    return table.set_axis(range(2, len(table) + 2))
