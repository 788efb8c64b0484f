"""Extraction sheets as people keep them, read as text with nothing guessed and nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers.findings import Finding, ReviewError

GROUPS = ("n_treated", "mean_treated", "sd_treated", "n_control", "mean_control", "sd_control")
REQUIRED = ("experiment", "study", "outcome", *GROUPS)
OPTIONAL = ("cohort", "control_group", "follow_up_days", "provenance")
NUMBERS = (*GROUPS, "follow_up_days")


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet as text.

    Attributes
    ----------
    file : str
        Name of the file inside the review folder.
    table : pandas.DataFrame
        Cells as text under the project's column names; the index is the row of the sheet, the
        header being row 1. An empty cell is an empty text.
    names : dict
        The project's column names and what the sheet calls them.
    """

    file: str
    table: pd.DataFrame
    names: dict


def read_csv(path):
    """A CSV file as text, its rows numbered as a spreadsheet does."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    table.index = range(2, len(table) + 2)
    return table


def read_sheet(description):
    """Read the extraction sheet of a review.

    Parameters
    ----------
    description : helpers.description.Description

    Returns
    -------
    Sheet

    Raises
    ------
    ReviewError
        The file or columns are missing; all at once.
    """
    file = description.sheet.get("file", "experiments.csv")
    path = description.folder / file
    if not path.is_file():
        raise ReviewError([Finding(file, "there is no such file", "Put the sheet there")])
    raw = read_csv(path)
    columns = description.sheet.get("columns", {})
    wanted = [*REQUIRED, *OPTIONAL, *description.moderators]
    names = {name: columns.get(name, name) for name in wanted}
    faults = [
        Finding(
            file,
            f"the column for {name} is missing",
            f"Add it, or name the right one in review.toml under [sheet.columns]; the sheet has "
            f"{', '.join(raw.columns)}",
            column=source,
        )
        for name, source in names.items()
        if source not in raw.columns and (name in REQUIRED or name in columns)
    ]
    if faults:
        raise ReviewError(faults)
    names = {name: source for name, source in names.items() if source in raw.columns}
    table = pd.DataFrame({name: raw[source].str.strip() for name, source in names.items()})
    return Sheet(file, table, names)
