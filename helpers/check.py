"""Everything that is wrong or odd in a review, found at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.description import describe, nearest
from helpers.findings import Finding, ReviewError
from helpers.mapping import read_sheet
from helpers.numerals import to_floats
from helpers.sheets import GROUPS, NUMBERS, advice, read_csv

EXTREME = 10  # pooled SDs between two means


@dataclass(frozen=True)
class Findings:
    """Faults, which are refused; warnings, which are shown; notes on rows that are not used."""

    faults: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def __str__(self):
        lines = [f"fault: {line}" for line in grouped(self.faults)] or ["no fault"]
        lines += [f"warning: {line}" for line in grouped(self.warnings)] or ["no warning"]
        return "\n".join([*lines, *self.notes])


def grouped(findings):
    """A line a finding; what is the matter with many rows of a column is one line with them all."""
    groups = {}
    for finding in findings:
        key = (finding.file, finding.sheet, finding.column, finding.what, finding.remedy)
        groups.setdefault(key, []).append(finding)
    for first, *others in groups.values():
        if len(others) < 3:
            yield from map(str, (first, *others))
        else:
            rows = ", ".join(f"{each.row} ({each.value})" for each in (first, *others))
            place = replace(first, row=None).place
            yield f"{place}: {first.what}, in {len(others) + 1} rows: {rows}. {first.remedy}"


def check(folder=None):
    """Check a review folder.

    Parameters
    ----------
    folder : str or Path, optional
        Folder of the review; by default the project's own.

    Returns
    -------
    Findings
    """
    try:
        return examine(folder)[2]
    except ReviewError as error:
        return Findings(error.findings, ())


def examine(folder=None):
    """Description, mapped sheet and findings of a review, each read once.

    Raises
    ------
    ReviewError
        What keeps the sheet from being read at all.
    """
    description = describe(folder)
    sheet = read_sheet(description)
    found = check_sheet(description, sheet) + check_exclusions(description, sheet)
    kinds = [tuple(f for f in found if f.severity == kind) for kind in ("fault", "warning")]
    return description, sheet, Findings(*kinds, not_used(sheet))


def not_used(sheet):
    """A line for each reason why rows of the sheet give no experiment."""
    if sheet.not_used.empty:
        return ()
    by_reason = sheet.not_used.groupby("reason", sort=False)["sheet_row"]
    return tuple(
        f"not used, {len(rows)} of {sheet.rows_in} rows: {reason} (row {', '.join(map(str, rows))})"
        for reason, rows in by_reason
    )


def check_sheet(description, sheet):
    """Findings about the rows of the extraction sheet."""
    checker = _Checker(sheet)
    if sheet.table.empty:
        what = "no row of this sheet gives an experiment"
        return [*sheet.findings, Finding(sheet.file, what, "Check how review.toml reads it")]
    numbers = checker.numbers()
    checker.ids(description)
    checker.levels(description)
    checker.groups(numbers, description)
    checker.scales(numbers, description)
    checker.shared_controls(numbers)
    checker.directions(numbers)
    checker.errors(numbers)
    return [*sheet.findings, *checker.findings]


def check_exclusions(description, sheet):
    """Findings about `exclusions.csv`."""
    path = description.folder / "exclusions.csv"
    if not path.is_file():
        return []
    table = read_csv(path)
    missing = {"experiment", "reason", "by"} - set(table.columns)
    if missing:
        return [
            Finding(path.name, f"the column {name} is missing", "Add it", column=name)
            for name in sorted(missing)
        ]
    known = set(sheet.table["experiment"])
    found = []
    for row, entry in table.iterrows():
        place = {"file": path.name, "row": row}
        if entry["experiment"] not in known:
            found.append(
                Finding(
                    what="there is no such experiment",
                    remedy="Use an id of the extraction sheet",
                    column="experiment",
                    value=entry["experiment"],
                    **place,
                )
            )
        for column in ("reason", "by"):
            if not entry[column].strip():
                found.append(
                    Finding(
                        what="an exclusion states its reason and its author",
                        remedy="Fill in this cell",
                        column=column,
                        **place,
                    )
                )
    return found


class _Checker:
    """Collects findings about one sheet."""

    def __init__(self, sheet):
        self.sheet = sheet
        self.table = sheet.table
        self.findings = []

    def find(self, rows, column, what, remedy, severity="fault"):
        """One finding for each row that is marked in `rows`."""
        for row in self.table.index[np.asarray(rows, dtype=bool)]:
            source = self.sheet.names.get(column, column)
            value = self.table.loc[row, column] if column in self.table else None
            self.findings.append(
                Finding(
                    self.sheet.file,
                    what,
                    remedy,
                    int(row),
                    source,
                    value,
                    severity,
                    self.sheet.sheet,
                )
            )

    def numbers(self):
        """The number columns, NaN where a cell is none."""
        blank = pd.Series("", self.table.index, dtype=object)
        own = (self.table.get("effect", blank) != "") & (self.table.get("se", blank) != "")
        numbers = pd.DataFrame(index=self.table.index)
        for column in NUMBERS:
            text = self.table.get(column, blank)
            numbers[column] = to_floats(text)
            unreadable = ~np.isfinite(numbers[column]) & (text != "")
            if column in GROUPS:
                unreadable |= (text == "") & ~own
            for words in text[unreadable].unique():
                self.find(
                    unreadable & (text == words), column, "a number is due here", advice(words)
                )
        return numbers

    def ids(self, description):
        for column in ("experiment", "study", "outcome"):
            self.find(self.table[column] == "", column, "this id is missing", "Fill it in")
        experiment = self.table["experiment"]
        twice = experiment.duplicated() & (experiment != "")
        self.find(twice, "experiment", "this id stands in an earlier row too", "Make ids unique")
        for outcome in self.table["outcome"].unique():
            if outcome and outcome not in description.outcomes:
                self.find(
                    self.table["outcome"] == outcome,
                    "outcome",
                    "review.toml knows no such outcome",
                    nearest(outcome, description.outcomes),
                )

    def levels(self, description):
        for name, moderator in description.moderators.items():
            if name not in self.table:
                continue
            cells = self.table[name]
            if not moderator.levels:
                wrong = (cells != "") & ~np.isfinite(to_floats(cells))
                self.find(wrong, name, "a number is due here", "Write a number or leave it empty")
                continue
            for level in cells.unique():
                if level and level not in moderator.levels:
                    self.find(
                        cells == level,
                        name,
                        "review.toml knows no such level",
                        nearest(level, moderator.levels),
                    )

    def groups(self, numbers, description):
        split = bool(description.sheet.get("control_n_is_split", False))
        for column in ("n_treated", "n_control"):
            n = numbers[column]
            self.find(n < 1, column, "a group has at least 1 animal", "Correct the group size")
            if not (split and column == "n_control"):
                self.find(
                    (n >= 1) & (n % 1 != 0),
                    column,
                    "a group size is a whole number",
                    "Check it, or say control_n_is_split = true in review.toml",
                    "warning",
                )
            self.find(n == 1, column, "this group is 1 animal", "Check the source", "warning")
            # Dragging a cell down in a spreadsheet counts up instead of repeating it.
            step = (n.diff() == 1) & (n.index.to_series().diff() == 1)
            run = step.groupby((~step).cumsum()).transform("sum")
            self.find(
                step & (run >= 4),
                column,
                "group sizes count up from row to row",
                "Check whether a spreadsheet's fill handle did it",
                "warning",
            )
        for column in ("sd_treated", "sd_control"):
            self.find(
                numbers[column] < 0, column, "an SD is not negative", "Correct it from the source"
            )
        n1, n2, s1, s2 = (
            numbers[name] for name in ("n_treated", "n_control", "sd_treated", "sd_control")
        )
        df, aside = n1 + n2 - 2, "or leave the row out by [[sheet.leave_out]] in review.toml"
        sized = (n1 >= 1) & (n2 >= 1)
        self.find(
            sized & (df < 1),
            "n_control",
            "n_treated + n_control - 2 is below 1: no SD can be pooled",
            f"Correct the group sizes {aside}",
        )
        self.find(
            sized & (df == 1),
            "n_control",
            "n_treated + n_control - 2 is 1: the small-sample factor of an SMD is 0",
            f"Correct the group sizes {aside}",
        )
        # A group of one animal adds nothing to the pooled SD, whatever its SD.
        none = sized & (df >= 1) & ((n1 - 1) * s1**2 + (n2 - 1) * s2**2 == 0)
        self.find(
            none,
            "sd_treated",
            "the pooled SD is 0: no standardised difference exists",
            f"Correct the SDs from the source {aside}",
        )
        for column, sd in (("sd_treated", s1), ("sd_control", s2)):
            self.find((sd == 0) & ~none, column, "this SD is 0", "Check the source", "warning")

    def scales(self, numbers, description):
        """Means outside the outcome's scale, and SDs that no sample on it can have."""
        known = self.table["outcome"].map(description.outcomes)
        low = known.map(lambda outcome: outcome.low, na_action="ignore").astype(float)
        high = known.map(lambda outcome: outcome.high, na_action="ignore").astype(float)
        for group in ("treated", "control"):
            mean, sd, n = (numbers[f"{name}_{group}"] for name in ("mean", "sd", "n"))
            outside = (mean < low) | (mean > high)
            self.find(
                outside,
                f"mean_{group}",
                "this mean lies outside the outcome's scale",
                "Check the source, or the range in review.toml",
                "warning",
            )
            # Bhatia and Davis (2000): SD² ≤ n/(n-1) (max - mean)(mean - min)
            with np.errstate(invalid="ignore", divide="ignore"):
                limit = n / (n - 1) * (high - mean) * (mean - low)
            self.find(
                ~outside & (n > 1) & np.isfinite(limit) & (sd**2 > limit * (1 + 1e-9)),
                f"sd_{group}",
                "no sample on this outcome's scale has so large an SD",
                "Check whether the SD belongs to this mean",
                "warning",
            )

    def shared_controls(self, numbers):
        """One control group, several values."""
        if "control_group" not in self.table:
            return
        named = self.table["control_group"] != ""
        keys = [self.table["control_group"], self.table["outcome"]]
        days = self.table.get("follow_up_days")
        if days is not None:
            keys.append(days)
        for column in ("n_control", "mean_control", "sd_control"):
            several = numbers[column].groupby(keys).transform("nunique") > 1
            self.find(
                named & several,
                column,
                "rows that share this control group differ here",
                "Correct the row, or give the control groups ids of their own",
                "warning",
            )

    def directions(self, numbers):
        """Signs that are none, and rows flagged against nearly all others of their outcome."""
        sign = numbers["sign"]
        self.find(
            sign.notna() & ~sign.isin([-1, 1]), "sign", "a sign is 1 or -1", "Translate it under "
            "[sheet.values.sign] in review.toml",
        )  # fmt: skip
        by = sign.groupby(self.table["outcome"])
        share = sign.groupby([self.table["outcome"], sign]).transform("size") / by.transform("size")
        self.find(
            (by.transform("size") >= 10) & (share <= 0.1),
            "sign",
            "at least nine in ten rows of this outcome have the other direction",
            "Check which direction is better here",
            "warning",
        )
        self.find(numbers["se"] <= 0, "se", "a standard error is above 0", "Correct it")

    def errors(self, numbers):
        """Effects beyond belief, and SDs so small for their outcome that they may be SEMs."""
        n1, n2 = numbers["n_treated"], numbers["n_control"]
        s1, s2 = numbers["sd_treated"], numbers["sd_control"]
        with np.errstate(all="ignore"):
            pooled = np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))
            d = (numbers["mean_treated"] - numbers["mean_control"]) / pooled
            self.find(
                np.isfinite(d) & (d.abs() > EXTREME),
                "mean_treated",
                f"the means lie more than {EXTREME} SDs apart",
                "Check whether SEMs were taken for SDs, and the means",
                "warning",
            )
            # SDs grow with means: their ratio is much alike within an outcome, and an SEM in an
            # SD's place is low by the root of n in both groups.
            ratio = np.log(s1 * s2 / (numbers["mean_treated"] * numbers["mean_control"]).abs()) / 2
            ratio = ratio.where(np.isfinite(ratio))
            root = np.log(n1 * n2) / 4
        by = ratio.groupby(self.table["outcome"])
        middle = by.transform("median")
        spread = 1.4826 * (ratio - middle).abs().groupby(self.table["outcome"]).transform("median")
        low = (ratio - middle < -3 * spread) & ((ratio + root - middle).abs() < middle - ratio)
        self.find(
            low & (by.transform("count") >= 8),
            "sd_treated",
            "these SDs are small for their means beside this outcome's other rows",
            "Check whether they are SEMs",
            "warning",
        )
