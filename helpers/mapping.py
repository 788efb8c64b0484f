"""From a sheet as it was kept to the project's columns, as `review.toml` says, every step listed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers import conversions
from helpers.description import nearest
from helpers.findings import Finding, ReviewError
from helpers.sheets import NUMBER, NUMBERS, RANGE, plain_number, read_csv, read_table

IDS = ("experiment", "study", "outcome", "cohort", "control_group", "provenance")
# What a group of animals has: with `_treated` or `_control`, or without where both share it and in
# a sheet that has a row a group.
ARM = ("n", "mean", "sd", "low", "high", "tip", "n_error", "error_type", "average_type")
ARMS = ("treated", "control")
SETTINGS = (
    "file", "sheet", "header", "encoding", "separator", "decimal", "digitiser", "missing",
    "columns", "constants", "values", "divide", "join", "leave_out", "long", "time_point",
    "outliers", "control_n_is_split",
)  # fmt: skip
ERRORS = {
    "SD": "sd s.d. std stdev standarddeviation",
    "SEM": "sem s.e.m. se s.e. stderr standarderror standarderrorofthemean",
    "CI": "ci 95%ci ci95 95ci confidenceinterval 95%confidenceinterval",
    "IQR": "iqr quartiles q1-q3 interquartilerange",
    "RANGE": "range min-max minmax",
}
AVERAGES = {"MEAN": "mean average m", "MEDIAN": "median"}


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
    mapping.pair()
    mapping.read_numbers()
    mapping.drop_incomplete()
    mapping.convert()
    mapping.take_time_point()
    return mapping.sheet()


class _Mapping:
    """A table on its way, with what was done to it."""

    def __init__(self, description):
        self.description, self.config = description, description.sheet
        self.names, self.steps, self.unused, self.findings = {}, [], {}, []
        for name in self.config:
            if name not in SETTINGS:
                self.refuse(name, "there is no such setting", nearest(name, SETTINGS))
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

    def known(self, setting, columns, table):
        for column in columns:
            if column not in table:
                self.refuse(setting, "there is no such column", nearest(column, table), column)

    # ------------------------------------------------------------------ rows as they stand

    def correct(self):
        """Apply `corrections.csv`: row, column, old, new, reason."""
        path = self.description.folder / "corrections.csv"
        if not path.is_file():
            return
        table, faults = read_csv(path), []
        missing = [c for c in ("row", "column", "old", "new", "reason") if c not in table]
        if missing:
            faults = [
                Finding(path.name, "this column is missing", "Add it", column=c) for c in missing
            ]
            raise ReviewError(faults)
        for line, (row, column, old, new, reason) in table[
            ["row", "column", "old", "new", "reason"]
        ].iterrows():
            row = int(row) if row.isdecimal() else row
            if row not in self.table.index:
                fault = (
                    "row",
                    "the sheet has no such row",
                    "Use the number that a spreadsheet shows",
                )
            elif column not in self.table:
                fault = "column", "the sheet has no such column", nearest(column, self.table)
            elif self.table.loc[row, column] != old:
                there = self.table.loc[row, column]
                fault = "old", f"the sheet has {there!r} there", "Correct `old` or drop this line"
            elif not reason:
                fault = "reason", "a correction states its reason", "Fill in this cell"
            else:
                self.table.loc[row, column] = new
                self.note("correction", column, f"row {row}: {old!r} to {new!r}, {reason}", 1)
                continue
            where, what, remedy = fault
            faults.append(Finding(path.name, what, remedy, line, where, table.loc[line, where]))
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
                what, remedy = "this key stands in an earlier row too", "Make it unique"
                raise ReviewError(
                    [
                        Finding(file, what, remedy, r, right, keys[r], sheet=other.sheet)
                        for r in twice
                    ]
                )
            partner = other.table[used].set_index(right).reindex(mine).fillna("")
            for column in partner:
                title = column if column not in self.table else f"{name}.{column}"
                self.table[title] = partner[column].to_numpy()
            self.note("join", left, f"columns of {name} by {right}", mine.isin(keys).sum())
            for row in mine.index[~mine.isin(keys[used])]:
                self.find(
                    row, left, f"{name} has no such {right}", "Correct it", mine[row], "warning"
                )
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
        for name in fields:
            source = columns.get(name, name)
            sources = source if isinstance(source, list) else [source]
            if name in constants:
                chosen[name] = pd.Series(_text(constants[name]), index, dtype=object)
                self.note("constant", name, f"{constants[name]!r} in every row", len(index))
            elif all(part in self.table for part in sources):
                chosen[name] = self.table[sources].agg(" ".join, axis=1)
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
        for name, moderator in self.description.moderators.items():
            if name in self.table:
                gone = self.table[name].isin(
                    set(self.config.get("missing", [])) - set(moderator.levels)
                )
                self.table.loc[gone, name] = ""
                self.note("missing", name, "not reported", gone.sum())

    def pair(self):
        """A row a group of animals becomes a row a treated group with its control."""
        if "long" in self.config:
            config = self.config["long"]
            group, keys = config.get("group"), list(config.get("pair", []))
            self.known("long", [group, *keys], self.before)
            before = self.before.loc[self.table.index]
            control = before[group].isin([_text(word) for word in config.get("control", [])])
            key = before[keys].agg("\x1f".join, axis=1)
            same = "the same " + ", ".join(keys)
            partner = pd.Series(self.table.index, key)[control.to_numpy()]
            for row in partner[partner.index.duplicated() & partner.index.isin(key[~control])]:
                remedy = "Add what tells them apart to `pair` under [sheet.long]"
                self.find(
                    row, group, f"an earlier control row has {same}", remedy, before[group][row]
                )
            match = key.map(partner[~partner.index.duplicated()])
            self.set_aside(
                ~control & match.isna(),
                f"no control row has {same}",
                "pair",
                group,
                "treated rows without a control row",
            )
            used = match[~control].dropna().astype(int)
            spare = control & ~control.index.isin(used)
            self.set_aside(
                spare.loc[self.table.index],
                f"no treated row has {same}",
                "pair",
                group,
                "control rows without a treated row",
            )
            both, controls = [name for name in ARM if name in self.table], self.table
            self.table = self.table.loc[used.index].copy()
            for name in both:
                self.table[f"{name}_treated"] = self.table.pop(name)
                self.table[f"{name}_control"] = controls.loc[used, name].to_numpy()
                self.names |= {f"{name}_{arm}": self.names.get(name, name) for arm in ARMS}
            if "control_group" not in self.table:
                self.table["control_group"] = "row-" + used.astype(str)
            self.note(
                "pair", group, f"treated rows with their {used.nunique()} control rows", len(used)
            )
        for name in ARM:
            if name in self.table:  # one column for both groups
                for arm in ARMS:
                    self.table[f"{name}_{arm}"] = self.table[name]
                    self.names[f"{name}_{arm}"] = self.names.get(name, name)
                del self.table[name]

    # ------------------------------------------------------------------ numbers

    def read_numbers(self):
        """Texts to plain numbers; what cannot be read stays for the check to find."""
        moderators = [name for name, m in self.description.moderators.items() if not m.levels]
        arms = [f"{name}_{arm}" for name in ARM[:-2] for arm in ARMS]
        self.gone = {}
        for name in dict.fromkeys([*arms, *NUMBERS, *moderators]):
            if name not in self.table:
                continue
            cells = self.table[name]
            self.gone[name] = cells
            cells = cells.mask(cells.isin(self.config.get("missing", [])), "")
            if name.startswith("n_"):
                for text in cells[cells.map(RANGE.fullmatch).notna()].unique():
                    low = str(min(map(int, RANGE.fullmatch(text).groups())))
                    self.note(
                        "range",
                        self.names.get(name, name),
                        f"{text!r} read as {low}",
                        (cells == text).sum(),
                    )
                    cells = cells.mask(cells == text, low)
            decimal = self.config.get("decimal", ".")
            plain = cells.map(
                lambda cell, d=decimal: plain_number(cell, decimal=d, typed=self.raw.typed)
            )
            commas = plain.notna() & cells.str.contains(",")
            self.note("decimal comma", self.names.get(name, name), "read as a point", commas.sum())
            divisor = self.config.get("divide", {}).get(name)
            if divisor:
                plain = plain.map(lambda cell, d=divisor: repr(float(cell) / d), na_action="ignore")
                self.note("divide", name, f"by {divisor}", plain.notna().sum())
            self.table[name] = plain.where(plain.notna(), cells)

    def drop_incomplete(self):
        """Where `missing` is given, rows without a number that is due are listed and not used."""
        if "missing" not in self.config:
            return
        reasons = pd.Series("", self.table.index)
        own = self.filled("effect") & self.filled("se")
        for arm in ARMS:
            ends = self.filled(f"low_{arm}") & self.filled(f"high_{arm}")
            lacks = {
                f"n_{arm}": ~self.filled(f"n_{arm}"),
                f"mean_{arm}": ~self.filled(f"mean_{arm}"),
                f"sd_{arm}": ~(self.filled(f"sd_{arm}") | self.filled(f"tip_{arm}") | ends),
                f"error_type_{arm}": self.cells(f"error_type_{arm}", "SD").isin(
                    ["", *self.config["missing"]]
                ),
            }
            for name, lack in lacks.items():
                there = self.gone.get(name, self.cells(name))[lack]
                words = there.map(lambda cell: f" ({cell})" if cell else "")
                reasons[lack] += f", no {self.names.get(name, name)}" + words
        self.set_aside(
            (reasons != "") & ~own,
            reasons.str[2:],
            "incomplete",
            "",
            "rows without a number that is due",
        )

    def cells(self, name, default=""):
        return self.table.get(name, pd.Series(default, self.table.index, dtype=object))

    def filled(self, name):
        return self.cells(name) != ""

    def floats(self, name):
        """A column as numbers, exactly as Python reads them; NaN where there is none."""
        return self.cells(name).map(lambda c: float(c) if NUMBER.fullmatch(c) else np.nan)

    def kinds(self, name, known, default):
        """A column of words as one of the known kinds; faults where a word is none of them."""
        words = {word: kind for kind, listed in known.items() for word in listed.split()}
        cells = self.cells(name, default)
        kinds = cells.map(lambda cell: words.get("".join(cell.lower().split())))
        for row in cells.index[kinds.isna() & ~(self.filled("effect") & self.filled("se"))]:
            remedy = f"Write one of {', '.join(known)}, or translate it under [sheet.values]"
            self.find(row, name, "this word is not known here", remedy, cells[row])
        return kinds

    def convert(self):
        """Every error to an SD, medians to means."""
        for arm in ARMS:
            if f"mean_{arm}" in self.table:
                self.convert_arm(arm)

    def convert_arm(self, arm):
        columns = {
            name: self.floats(f"{name}_{arm}") for name in ("n", "mean", "sd", "low", "high")
        }
        given = pd.DataFrame(columns).rename(columns={"sd": "error"})
        tip = (self.floats(f"tip_{arm}") - given["mean"]).abs()
        given["error"] = given["error"].fillna(tip)
        given["error_type"] = self.kinds(f"error_type_{arm}", ERRORS, "SD")
        given["median"] = self.kinds(f"average_type_{arm}", AVERAGES, "MEAN") == "MEDIAN"
        n_error = self.floats(f"n_error_{arm}")
        by_n = given["error_type"].isin(["SEM", "CI", "RANGE"]) | given["median"]
        if (
            arm == "control"
            and self.config.get("control_n_is_split")
            and (by_n & n_error.isna()).any()
        ):
            what = "errors and medians are converted with the n of the whole group"
            self.refuse("control_n_is_split", what, "Name its column as n_error_control")
        given["n"] = n_error.fillna(given["n"])
        for row in given.index[given["low"] > given["high"]]:
            self.find(
                row,
                f"low_{arm}",
                "the lower end lies above the upper end",
                "Swap them",
                given["low"][row],
            )
        with np.errstate(all="ignore"):
            found = conversions.mean_and_sd(given)
        for name in ("mean", "sd"):
            column, numbers, words = f"{name}_{arm}", found[name], found[f"{name}_by"]
            cells = self.cells(column).copy()
            changed = numbers.notna() & (words != "") | (numbers.notna() & (cells == ""))
            for row in cells.index[changed & ~np.isfinite(numbers)]:
                self.find(
                    row,
                    f"n_{arm}",
                    f"{name} cannot be converted with this n",
                    "Correct n",
                    given["n"][row],
                )
            cells[changed] = numbers[changed].map(lambda value: repr(float(value)))
            self.table[column] = cells
            for word, rows in words[changed & (words != "")].groupby(words):
                self.note(f"{name} by conversion", self.names.get(column, column), word, len(rows))

    def take_time_point(self):
        """One day of each cohort and outcome: the first, the last, or the nearest to a day."""
        rule = self.config.get("time_point", "all")
        if rule == "all":
            return
        nearest_to = isinstance(rule, int | float) and not isinstance(rule, bool)
        if not nearest_to and rule not in ("first", "last"):
            self.refuse("time_point", "this is no rule", "Say all, first, last or a day", rule)
        self.known("time_point", ["cohort", "follow_up_days"], self.table)
        days = self.floats("follow_up_days")
        distance = (days - rule).abs() if nearest_to else -days if rule == "last" else days
        keys = [self.table[name] for name in ("study", "cohort", "outcome")]
        # Of two days equally near the earlier one is taken.
        rank = (distance + days * 1e-9 if nearest_to else distance).fillna(np.inf)
        best = rank.groupby(keys).transform("min")
        rows = (self.table["cohort"] != "") & (rank > best)
        words = f"nearest to day {rule:g}" if nearest_to else rule
        reason = f"another day of this cohort is used ({words})"
        self.set_aside(
            rows,
            reason,
            "time point",
            "follow_up_days",
            f"other days of a cohort ({words} is used)",
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
