"""A review: its description and its checked rows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers import check
from helpers.description import Description, describe
from helpers.findings import Finding, ReviewError
from helpers.sheets import NUMBERS, read_csv, read_sheet


@dataclass(frozen=True, eq=False)
class Review:
    """A review that can be analysed.

    Attributes
    ----------
    description : Description
        What `review.toml` says.
    experiments : pandas.DataFrame
        The checked sheet: ``experiment`` ids as index, numbers as floats, moderators as
        categoricals in the order of their levels; ``sheet_row`` is the row in the file.
    exclusions : pandas.DataFrame
        ``experiment, reason, by``.
    warnings : tuple of Finding
        What is odd but not refused.
    """

    description: Description
    experiments: pd.DataFrame
    exclusions: pd.DataFrame
    warnings: tuple[Finding, ...]

    def __getattr__(self, name):
        # A review is its description with rows: review.title, review.outcomes, ...
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.description, name)

    def rows(self, outcome):
        """The rows of one outcome, exclusions not yet applied."""
        return self.experiments[self.experiments["outcome"] == outcome]

    def facts(self, name):
        """One of the review's files of facts as text, empty where there is none."""
        path = self.description.folder / name
        return read_csv(path) if path.is_file() else pd.DataFrame()


def load(folder=None):
    """Read and check a review.

    Parameters
    ----------
    folder : str or Path, optional
        Folder with `review.toml`; by default the project's own review.

    Returns
    -------
    Review

    Raises
    ------
    ReviewError
        With all faults of all files.
    """
    findings = check.check(folder)
    if findings.faults:
        raise ReviewError(findings.faults)
    description = describe(folder)
    sheet = read_sheet(description)
    path = description.folder / "exclusions.csv"
    columns = ["experiment", "reason", "by"]
    exclusions = read_csv(path)[columns] if path.is_file() else pd.DataFrame(columns=columns)
    return Review(description, _typed(description, sheet), exclusions, findings.warnings)


def _typed(description, sheet):
    """The sheet's text as numbers and categories."""
    table = sheet.table.copy()
    table.insert(0, "sheet_row", table.index)
    for column in NUMBERS:
        if column in table:
            table[column] = pd.to_numeric(table[column].where(table[column] != ""))
    for column in ("cohort", "control_group", "provenance"):
        if column not in table:
            table[column] = ""
    for name, moderator in description.moderators.items():
        if name not in table:
            continue
        cells = table[name].where(table[name] != "")
        if moderator.levels:
            table[name] = pd.Categorical(cells, categories=list(moderator.levels), ordered=True)
        else:
            table[name] = pd.to_numeric(cells)
    return table.set_index("experiment", drop=False)
