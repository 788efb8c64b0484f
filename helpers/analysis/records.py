"""Results as plain rows: tables as mappings, moderators beside their rows."""

from __future__ import annotations

import pandas as pd

from helpers.review.columns import MODERATOR


def with_moderators(table, moderators, after=None):
    """A table for a download with the moderators beside what is computed.

    A moderator whose id is a column of the table's own is headed "moderator: id" there.

    Parameters
    ----------
    table, moderators : pandas.DataFrame
        With the same index.
    after : str, optional
        Column of `table` behind which the moderators stand; by default the last.
    """
    apart = {name: f"{MODERATOR}{name}" if name in table else name for name in moderators}
    place = len(table.columns) if after is None else table.columns.get_loc(after) + 1
    parts = [table.iloc[:, :place], moderators.rename(columns=apart), table.iloc[:, place:]]
    return pd.concat(parts, axis=1)


def records(frame):
    """Rows of a small table as dicts of plain Python values."""
    columns = [series.tolist() for _, series in frame.items()]
    return [dict(zip(frame, row, strict=True)) for row in zip(*columns, strict=True)]
