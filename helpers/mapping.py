"""From a sheet as it was kept to the project's columns, as `review.toml` says, every step listed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.description import nearest
from helpers.findings import Finding, ReviewError
from helpers.numerals import (
    ARMS,
    KINDS,
    MEASURED,
    convert,
    drop_incomplete,
    read_numbers,
    to_floats,
)  # fmt: skip
from helpers.sheets import GROUPS, NUMBERS, read_csv, read_table

IDS = ("experiment", "study", "outcome", "cohort", "control_group", "provenance")
ARM = (*MEASURED, *KINDS)
TEXT, NUMBER, TABLE = (str, "a text"), ((int, float), "a number"), (dict, "a table")
SETTINGS = {
    "file": TEXT, "sheet": TEXT, "encoding": TEXT, "separator": TEXT, "decimal": TEXT,
    "header": (int, "a row"), "digitiser": (bool, "true or false"), "missing": (list, "a list"),
    "control_n_is_split": (bool, "true or false"), "columns": TABLE, "constants": TABLE,
    "values": TABLE, "divide": TABLE, "long": TABLE, "outliers": TABLE,
    "join": (list, "a list of tables"), "leave_out": (list, "a list of tables"),
    "time_point": ((str, int, float), "all, first, last or a day"),
}  # fmt: skip
INSIDE = {
    "columns": ((str, list), "a column or a list of columns"), "values": TABLE, "divide": NUMBER,
    "constants": ((str, int, float, bool), "a text or a number"), "join": TABLE, "leave_out": TABLE,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sheet:
    """A mapped sheet.

    Attributes
    ----------
    file, sheet : str
    table : pandas.DataFrame
        Cells as text under the project's column names, numbers at full precision; the index is the
        row of the sheet. An empty cell is an empty text.
    names : dict
        The project's column names and what the sheet calls them.
    trace : pandas.DataFrame
        ``step, column, detail, rows``: all that was done, in order.
    not_used : pandas.DataFrame
        ``sheet_row, reason`` of each row that gives no experiment.
    rows_in : int
        Rows of the sheet: those of `table`, their control rows where a row is a group, and those
        not used.
    findings : tuple of Finding
    """

    file: str
    table: pd.DataFrame
    names: dict
    sheet: str | None = None
    trace: pd.DataFrame = field(default_factory=pd.DataFrame)
    not_used: pd.DataFrame = field(default_factory=pd.DataFrame)
    rows_in: int = 0
    findings: tuple = ()


def read_sheet(description):
    """Read the extraction sheet of a review and map it as its `[sheet]` says.

    Parameters
    ----------
    description : helpers.description.Description

    Returns
    -------
    Sheet

    Raises
    ------
    ReviewError
        Files, sheets, columns or settings that do not exist.
    """
    mapping = _Mapping(description)
    mapping.correct()
    mapping.join()
    mapping.leave_out()
    mapping.choose()
    mapping.replace_values()
    if "long" in mapping.config:
        mapping.pair()
    mapping.share()
    drop_incomplete(mapping, read_numbers(mapping))
    convert(mapping)
    mapping.take_time_point()
    return mapping.sheet()


class _Mapping:
    """A table on its way, with what was done to it."""

    def __init__(self, description):
        self.description, self.config = description, description.sheet
        self.names, self.steps, self.unused, self.findings = {}, [], {}, []
        for name, value in self.config.items():
            if name not in SETTINGS:
                self.refuse(name, "there is no such setting", nearest(name, SETTINGS))
            self.typed(name, value, *SETTINGS[name])
            inside = value if name in INSIDE else ()
            for part in inside.values() if isinstance(inside, dict) else inside:
                self.typed(name, part, *INSIDE[name])
        if self.config.get("decimal", ".") not in (".", ","):
            self.refuse("decimal", "this is a point or a comma", 'Say "." or ","')
        options = ("sheet", "header", "encoding", "separator", "digitiser")
        self.raw = read_table(
            description.folder / self.config.get("file", "experiments.csv"),
            **{name: self.config[name] for name in options if name in self.config},
        )
        self.table = self.raw.table.copy()
        self.place = self.raw.file + (f", sheet {self.raw.sheet}" if self.raw.sheet else "")
        detail = f"{self.place}, headings in row {self.raw.header}"
        self.note("read", "", detail, len(self.table))

    # ------------------------------------------------------------------ book-keeping

    def note(self, step, column, detail, rows):
        if rows:
            self.steps.append((step, column, detail, int(rows)))

    def set_aside(self, rows, reasons, step, column, detail):
        """Take rows out of the table and list them; `reasons` is a text or a Series of texts."""
        rows = self.table.index[np.asarray(rows, bool)]
        for row in rows:
            self.unused[row] = reasons if isinstance(reasons, str) else reasons[row]
        self.table = self.table.drop(rows)
        self.note(step, column, detail, len(rows))

    def find(self, row, column, what, remedy, value=None, severity="fault"):
        source = self.names.get(column, column)
        place = (self.raw.file, what, remedy, row, source, value, severity, self.raw.sheet)
        self.findings.append(Finding(*place))

    def warn(self, setting, what, remedy="Check its spelling"):
        found = Finding("review.toml", what, remedy, column=f"sheet.{setting}", severity="warning")
        self.findings.append(found)

    @staticmethod
    def refuse(setting, what, remedy, value=None):
        fault = Finding("review.toml", what, remedy, column=f"sheet.{setting}", value=value)
        raise ReviewError([fault])

    def typed(self, setting, value, kinds, words):
        if not isinstance(value, kinds):
            self.refuse(setting, f"{words} is due here", "Correct this entry", value)

    def known(self, setting, columns, table):
        for column in columns:
            if column not in table:
                self.refuse(setting, "there is no such column", nearest(column, table), column)

    def cells(self, name, default=""):
        return self.table.get(name, pd.Series(default, self.table.index, dtype=object))

    # ------------------------------------------------------------------ rows as they stand

    def correct(self):
        """Apply `corrections.csv`: row, column, old, new, reason."""
        path = self.description.folder / "corrections.csv"
        if not path.is_file():
            return
        wanted, faults = ["row", "column", "old", "new", "reason"], []
        table = read_csv(path).reindex(columns=wanted, fill_value="")
        for line, (row, column, old, new, reason) in table.iterrows():
            row = int(row) if row.isdecimal() else row
            cells = self.table.get(column, pd.Series(dtype=object))
            fault = (
                ("column", "the sheet has no such column", nearest(column, self.table))
                if column not in self.table
                else ("row", "the sheet has no such row", "Use the number a spreadsheet shows")
                if row not in cells
                else ("old", f"the sheet has {cells[row]!r} there", "Correct it or drop this line")
                if cells[row] != old
                else ("reason", "a correction states its reason", "Fill in this cell")
                if not reason
                else None
            )
            if fault:
                where, what, remedy = fault
                place = (line, where, table.loc[line, where])
                faults.append(Finding(path.name, what, remedy, *place))
            else:
                self.table.loc[row, column] = new
                self.note("correction", column, f"row {row}: {old!r} to {new!r}, {reason}", 1)
        if faults:
            raise ReviewError(faults)

    def join(self):
        """Add the columns of other sheets by key; every row keeps its place."""
        for entry in self.config.get("join", []):
            file = entry.get("file", self.raw.file)
            path = self.description.folder / file
            other = read_table(path, sheet=entry.get("sheet"), header=entry.get("header"))
            name = other.sheet or file
            left, right = entry.get("left", entry.get("on")), entry.get("right", entry.get("on"))
            self.known("join", [left], self.table)
            self.known("join", [right], other.table)
            keys, mine = other.table[right], self.table[left]
            used = keys.isin(mine) & (keys != "")
            twice = keys.index[used & keys.duplicated()]
            if len(twice):
                said = (file, "this key stands in an earlier row too", "Make it unique")
                place = {"column": right, "sheet": other.sheet}
                raise ReviewError([Finding(*said, r, value=keys[r], **place) for r in twice])
            partner = other.table[used].set_index(right).reindex(mine).fillna("")
            for column in partner:
                title = column if column not in self.table else f"{name}.{column}"
                self.table[title] = partner[column].to_numpy()
            self.note("join", left, f"columns of {name} by {right}", mine.isin(keys).sum())
            for row in mine.index[~mine.isin(keys[used])]:
                what = f"{name} has no such {right}"
                self.find(row, left, what, "Correct it", mine[row], "warning")
            lonely = sorted(set(keys[~used]))
            if lonely:
                shown = ", ".join(lonely[:10]) + ", ..." * (len(lonely) > 10)
                what = f"no row of {self.place} has the {right} {shown}"
                self.warn("join", f"{name}: {what}", "Check whether rows are missing")

    def leave_out(self):
        """Set rows aside that `[[sheet.leave_out]]` names, with its reason."""
        for entry in self.config.get("leave_out", []):
            column, reason = entry.get("column"), entry.get("reason")
            self.known("leave_out", [column], self.table)
            if not reason or ("values" in entry) == ("keep" in entry):
                remedy = "State a reason, and either `values` to leave out or values to `keep`"
                self.refuse("leave_out", "this rule is not complete", remedy, column)
            listed = self.table[column].isin(map(_text, entry.get("values", entry.get("keep"))))
            rows = listed if "values" in entry else ~listed
            if not rows.any():
                self.warn("leave_out", f"the rule on {column} leaves no row out")
            self.set_aside(rows, reason, "leave out", column, reason)

    # ------------------------------------------------------------------ the project's columns

    def choose(self):
        """Take what is needed under the project's names."""
        arms = [f"{name}_{arm}" for name in ARM for arm in ARMS]
        fields = dict.fromkeys([*IDS, *arms, *ARM, *NUMBERS, *self.description.moderators])
        columns, constants = self.config.get("columns", {}), self.config.get("constants", {})
        self.known("columns", columns, fields)
        self.known("constants", constants, fields)
        chosen, faults, index = {}, [], self.table.index
        # A column of the sheet that happens to be called `n` or `low` is taken only when named.
        tacit = {
            *IDS,
            *NUMBERS,
            *self.description.moderators,
            *(ARM if "long" in self.config else ()),
        }
        for name in [name for name in fields if name in tacit or name in {**columns, **constants}]:
            source = columns.get(name, name)
            sources = source if isinstance(source, list) else [source]
            if name in constants:
                chosen[name] = pd.Series(_text(constants[name]), index, dtype=object)
                self.note("constant", name, f"{constants[name]!r} in every row", len(index))
            elif all(part in self.table for part in sources):
                cells = self.table[sources].to_numpy()
                chosen[name] = pd.Series([" ".join(parts) for parts in cells], index, dtype=object)
                self.names[name] = " + ".join(sources)
                if any(part in self.raw.twice for part in sources):
                    faults.append(self.lacking(name, source, "stands over several columns"))
                if source != name:
                    self.note("rename", name, f"is {self.names[name]}", len(index))
            elif (name, source) == ("experiment", "row"):
                chosen[name] = pd.Series([f"row-{row}" for row in index], index, dtype=object)
                self.note("number", name, "named by their rows", len(index))
            elif name in columns:
                faults.append(self.lacking(name, source, "is not there"))
        needed = ["experiment", "study", "outcome"]
        if not {"effect", "se"} <= set(chosen):
            ends = [""] if "long" in self.config else ["_treated", "_control"]
            needed += [name + end for end in ends for name in ("n", "mean")]
            for end in ends:
                if not {f"sd{end}", f"tip{end}"} & set(chosen) and f"low{end}" not in chosen:
                    needed.append(f"sd{end}")
        for name in needed:
            if name not in chosen and name not in columns:
                faults.append(self.lacking(name, name, "is missing"))
        if faults:
            raise ReviewError(faults)
        self.before, self.table = self.table, pd.DataFrame(chosen, index, dtype=object)
        if {"effect", "se"} <= set(chosen) and "effect" not in columns:
            whole = pd.Series(True, index)
            for name in GROUPS:
                whole &= self.cells(name) != ""
            self.table.loc[whole, ["effect", "se"]] = ""
            self.note(
                "effect", "effect", "computed anew where all group data are there", whole.sum()
            )

    def lacking(self, name, source, what):
        return Finding(
            self.raw.file,
            f"the column for {name} {what}",
            "Add it, or name the right one in review.toml under [sheet.columns]"
            + (' (or say experiment = "row" there)' if name == "experiment" else "")
            + f"; the sheet has {', '.join(self.raw.table)}",
            column=str(source),
            sheet=self.raw.sheet,
        )

    def replace_values(self):
        """Bring spelling variants to one by `[sheet.values]`; moderators not reported are empty."""
        for name, values in self.config.get("values", {}).items():
            columns = [c for c in (name, f"{name}_treated", f"{name}_control") if c in self.table]
            self.known("values", [name] if not columns else [], self.table)
            cells = self.table[columns]
            for old, new in values.items():
                found = (cells == old).sum().sum()
                self.note("value", name, f"{old!r} is {_text(new)!r}", found)
                if not found:
                    self.warn(f"values.{name}", f"{old!r} matches no cell")
            self.table[columns] = cells.replace({old: _text(new) for old, new in values.items()})
        missing = set(self.config.get("missing", []))
        levels = {name: m.levels for name, m in self.description.moderators.items()}
        for name in dict.fromkeys([*IDS, *levels]):
            gone = self.cells(name).isin(missing - set(levels.get(name, ())))
            self.note("missing", name, "not reported", gone.sum())
            if gone.any():
                self.table.loc[gone, name] = ""
        group = self.cells("control_group")
        studies = self.table["study"].groupby(group).transform("nunique")
        again = (group != "") & (studies > 1)
        if again.any():  # each study counts its control groups from 1
            self.table.loc[again, "control_group"] = self.table["study"] + " " + group
            self.note("control group", "control_group", "told apart by study", again.sum())

    def pair(self):
        """A row a group of animals becomes a row a treated group with its control."""
        config = self.config["long"]
        group, keys = config.get("group"), config.get("pair")
        self.typed("long.pair", keys, list, "a list of columns")
        self.typed("long.control", config.get("control"), list, "a list of words")
        self.known("long", [group, *keys], self.before)
        before, table = self.before.loc[self.table.index], self.table
        for row in table.index[before[group] == ""]:
            self.find(row, group, "treated or control is not said", "Fill it in")
        control = before[group].isin([_text(word) for word in config["control"]])
        key = pd.Series(["\x1f".join(cells) for cells in before[keys].to_numpy()], before.index)
        same = "row has the same " + ", ".join(keys)
        again = control & key.where(control).duplicated() & key.isin(key[~control])
        for row in table.index[again]:
            remedy = "Add what tells them apart to `pair` under [sheet.long]"
            self.find(row, group, f"an earlier control {same}", remedy, before[group][row])
        first = key[control].drop_duplicates()
        match = key[~control].map(pd.Series(first.index, first)).dropna().astype(int)
        lonely = {
            "control": ~control & ~control.index.isin(match.index),
            "treated": control & ~control.index.isin([*match, *table.index[again]]),
        }
        for arm, rows in lonely.items():
            rows, detail = rows[self.table.index], f"rows without a {arm} row"
            self.set_aside(rows, f"no {arm} {same}", "pair", group, detail)
        self.table = table.loc[match.index].copy()
        for name in [name for name in ARM if name in table]:
            self.table[f"{name}_treated"] = self.table.pop(name)
            self.table[f"{name}_control"] = table.loc[match, name].to_numpy()
            self.names |= {f"{name}_{arm}": self.names.get(name, name) for arm in ARMS}
        if "control_group" not in self.table:
            self.table["control_group"] = "row-" + match.astype(str)
        detail = f"treated rows with their {match.nunique()} control rows"
        self.note("pair", group, detail, len(match))

    def share(self):
        """One column for both groups counts for each."""
        for name in [name for name in ARM if name in self.table]:
            cells = self.table.pop(name)
            for column in [f"{name}_{arm}" for arm in ARMS if f"{name}_{arm}" not in self.table]:
                self.table[column] = cells
                self.names[column] = self.names.get(name, name)

    def take_time_point(self):
        """One day of each cohort and outcome: the first, the last, or the nearest to a day."""
        rule = self.config.get("time_point", "all")
        if rule == "all":
            return
        nearest_to = isinstance(rule, int | float) and not isinstance(rule, bool)
        if not nearest_to and rule not in ("first", "last"):
            self.refuse("time_point", "this is no rule", "Say all, first, last or a day", rule)
        self.known("time_point", ["cohort", "follow_up_days"], self.table)
        days = to_floats(self.table["follow_up_days"])
        # Of two days equally near the earlier one is taken.
        rank = (days - rule).abs() + days * 1e-9 if nearest_to else days
        rank = (-days if rule == "last" else rank).fillna(np.inf)
        best = rank.groupby([self.table[name] for name in ("study", "cohort", "outcome")])
        rows = (self.table["cohort"] != "") & (rank > best.transform("min"))
        reason = f"another day of this cohort is used ({rule})"
        self.set_aside(
            rows, reason, "time point", "follow_up_days", f"cohorts' other days ({rule})"
        )

    def sheet(self):
        self.note("use", "", "rows that give an experiment", len(self.table))
        wanted = [*IDS, *NUMBERS, *self.description.moderators]
        unused = sorted(self.unused.items())
        return Sheet(
            self.raw.file,
            self.table[[name for name in wanted if name in self.table]],
            self.names,
            self.raw.sheet,
            pd.DataFrame(self.steps, columns=["step", "column", "detail", "rows"]),
            pd.DataFrame(unused, columns=["sheet_row", "reason"]),
            len(self.raw.table),
            tuple(self.findings),
        )


def _text(value):
    """A value of `review.toml` as a sheet writes it."""
    return str(value).upper() if isinstance(value, bool) else str(value)
