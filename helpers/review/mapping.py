"""From a sheet as it was kept to the project's columns, as `review.toml` says, every step listed."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.problems import Finder, ReviewError, nearest
from helpers.review import controls, group_data
from helpers.review.columns import (
    ARM,
    ARMS,
    COLUMNS,
    CORRECTION,
    CORRECTIONS,
    GOVERNING,
    GROUPS,
    IDS,
    KINDS,
    LEVEL,
    MODERATOR,
    NUMBERS,
    OWN_EFFECT,
)
from helpers.review.schema import fault
from helpers.sheet.files import Raw, read_csv, read_table

# Settings of [sheet] that say something of one of the project's columns each.
BY_COLUMN = ("columns", "constants", "values", "divide")


@dataclass(frozen=True, eq=False)
class Sheet:
    """A mapped sheet.

    Attributes
    ----------
    file, sheet : str
    table : pandas.DataFrame
        Cells as text under the project's column names, numbers at full precision; the index is the
        row of the sheet. An empty cell is an empty text.
    moderators : pandas.DataFrame
        The moderators' cells in the same way, a column an id: an id may be any word, also one that
        is the project's name of another column.
    levels : pandas.DataFrame
        What the sheet says in the columns that the levels of `[model]` name.
    names : dict
        The project's column names and what the sheet calls them; a moderator stands there under
        `MODERATOR` and its id, as its cells do.
    trace : pandas.DataFrame
        ``step, column, detail, rows``: all that was done, in order.
    not_used : pandas.DataFrame
        ``sheet_row, reason`` of each row that gives no experiment.
    rows_in : int
        Rows of the sheet: those of `table`, their control rows where a row is a group, and those
        not used.
    findings : tuple of Finding
    origin : dict
        From a column of `table` to its rows and texts as the sheet has them, for messages.
    raw : helpers.sheet.files.Raw
        The sheet as it was read.
    """

    file: str
    sheet: str | None
    table: pd.DataFrame
    moderators: pd.DataFrame
    levels: pd.DataFrame
    names: dict
    trace: pd.DataFrame
    not_used: pd.DataFrame
    rows_in: int
    findings: tuple
    origin: dict
    raw: Raw


def read_sheet(description):
    """Read the extraction sheet of a review and map it as its `[sheet]` says.

    Parameters
    ----------
    description : helpers.review.description.Description

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
    mapping.prefer_groups()
    mapping.replace_values()
    mapping.empty_what_is_missing()
    if "long" in mapping.config:
        mapping.pair()
    mapping.share()
    group_data.take_sems(mapping)
    before = group_data.read_numbers(mapping)
    group_data.take_roots(mapping)
    group_data.drop_incomplete(mapping, before)
    group_data.convert(mapping)
    mapping.share_controls()
    mapping.take_time_point()
    return mapping.sheet()


class _Mapping:
    """A table on its way, with what was done to it."""

    def __init__(self, description):
        self.description, self.config = description, description.sheet
        options = ("sheet", "header", "encoding", "separator", "digitiser")
        self.raw = read_table(
            description.folder / self.config["file"],
            **{name: self.config[name] for name in options if name in self.config},
        )
        self.table, self.steps, self.unused, self.names = self.raw.table.copy(), [], {}, {}
        # Of the project's columns: the sheet's columns; the row of its control in a long sheet.
        self.sources, self.control_rows, self.of_controls = {}, None, set()
        self.stored = self.raw.numeric
        if self.stored is None:
            self.stored = pd.DataFrame(False, self.table.index, self.table.columns)
        self.found = Finder(self.raw.file, self.raw.sheet, self.names, self.origin)
        self.found.findings += self.raw.findings
        self.digitised = set(self.table) if self.raw.digitised else set()  # on the axes of a figure
        self.place = self.raw.file + (f", sheet {self.raw.sheet}" if self.raw.sheet else "")
        detail = f"{self.place}, headings in row {self.raw.header}"
        self.note("read", "", detail, len(self.table))

    # ------------------------------------------------------------------ book-keeping

    def note(self, step, column, detail, rows):
        if rows:
            self.steps.append((step, column, detail, int(rows)))

    def set_aside(self, rows, reasons, step, column, detail=None):
        """Take rows out of the table and list them; `reasons` is a text or a Series of texts."""
        rows = rows.index[rows]
        self.unused |= {row: reasons if isinstance(reasons, str) else reasons[row] for row in rows}
        self.table = self.table.drop(rows)
        self.note(step, column, detail or reasons, len(rows))

    def origin(self, name):
        """Rows and texts of a column as the sheet has them, None where it has no such column."""
        if name not in self.sources or name not in self.table:
            return None
        rows = self._rows(name)
        texts = _joined(self.before, self.sources[name], " ").reindex(rows)
        return rows, texts.set_axis(rows.index)

    def numeric(self, name):
        """Which cells of a column the file itself stores as numbers."""
        (source, *more), rows = self.sources.get(name, [None]), self._rows(name)
        if source is None or more:
            return pd.Series(source is None, self.table.index)
        return self.stored[source].reindex(rows, fill_value=False).set_axis(rows.index)

    def _rows(self, name):
        rows = self.table.index.to_series()
        if name not in self.of_controls:
            return rows
        return self.control_rows[rows]

    def warn(self, setting, what, remedy="Check its spelling"):
        self.warn_of(f"sheet.{setting}", what, remedy)

    def warn_of(self, entry, what, remedy):
        found = fault(entry, what, remedy=remedy)
        self.found.findings.append(replace(found, severity="warning"))

    def warn_of_lengths(self, key, sources):
        """A figure's points are places on its axis, which no error is."""
        error, _, arm = key.partition("_")
        if error in ("sd", "sem") and set(sources) <= self.digitised:
            what = "a digitised point says where an error bar ends, not how long it is"
            name = f"tip_{arm}" if arm else "tip"
            remedy = f"Name it as {name} under [sheet.columns]"
            self.found.lack(self.names[key], what, remedy, "warning")

    @staticmethod
    def refuse(setting, what, remedy, value=None):
        raise ReviewError([fault(f"sheet.{setting}", what, value, remedy)])

    def known(self, setting, columns, table):
        for column in columns:
            if column not in table:
                self.refuse(setting, "there is no such column", nearest(column, table), column)

    def know_all(self, fields):
        """Refuse, all at once, what `review.toml` says about columns that the project has not."""
        places = {f"sheet.{name}": self.config.get(name, {}) for name in BY_COLUMN}
        shown = {"forest_columns": self.description.config.get("forest_columns", {})}
        faults = [
            fault(f"{place}.{name}", "there is no such column", remedy=nearest(name, known))
            for entries, known in (
                (places, fields),
                (shown, [*COLUMNS, *self.description.moderators]),
            )
            for place, names in entries.items()
            for name in names
            if name not in known
        ]
        if faults:
            raise ReviewError(faults)

    def cells(self, name, default=""):
        return self.table.get(name, pd.Series(default, self.table.index, dtype=object, name=name))

    # ------------------------------------------------------------------ rows as they stand

    def correct(self):
        """Apply `corrections.csv`: row, column, old, new, reason."""
        path = self.description.folder / CORRECTIONS
        if not path.is_file():
            return
        found = Finder(path.name)
        lines = read_csv(path).reindex(columns=CORRECTION)
        for line, entry in lines.fillna("").iterrows():
            row, column, old, new, reason = entry
            row = int(row) if row.isdecimal() else row
            if column not in self.table:
                wrong = ("column", "the sheet has no such column", nearest(column, self.table))
            elif row not in self.table.index:
                wrong = ("row", "the sheet has no such row", "Use the number a spreadsheet shows")
            elif (there := self.table.loc[row, column]) != old:
                wrong = ("old", f"the sheet has {there!r} there", "Correct it or drop this line")
            elif not reason:
                wrong = ("reason", "a correction states its reason", "Fill in this cell")
            else:
                self.table.loc[row, column] = new
                self.stored.loc[row, column] = False
                self.note("correction", column, f"row {row}: {old!r} to {new!r}, {reason}", 1)
                continue
            where, what, remedy = wrong
            found.fault(lines.index == line, lines[where], what, remedy)
        found.refuse()

    def join(self):
        """Add the columns of other sheets by key; every row keeps its place."""
        for entry in self.config.get("join", []):
            path = self.description.folder / entry.get("file", self.raw.file)
            other = read_table(path, sheet=entry.get("sheet"), header=entry.get("header"))
            self.found.findings += other.findings
            name = other.sheet or other.file
            left, right = (entry.get(side, entry.get("on")) for side in ("left", "right"))
            self.known("join", [left], self.table)
            self.known("join", [right], other.table)
            keys, mine = other.table[right], self.table[left]
            used = keys.isin(mine) & (keys != "")
            found, what = Finder(other.file, other.sheet), "this key stands in an earlier row too"
            found.fault(used & keys.duplicated(), keys, what, "Make it unique")
            found.refuse()
            partner = other.table[used].set_index(right).reindex(mine).fillna("")
            stored = pd.DataFrame(False, other.table.index, other.table.columns)
            stored = (stored if other.numeric is None else other.numeric)[used]
            stored = stored.set_axis(keys[used]).reindex(mine, fill_value=False)
            for column in partner:
                title = column if column not in self.table else f"{name}.{column}"
                self.table[title] = partner[column].to_numpy()
                self.digitised |= {title} if other.digitised else set()
                self.stored[title] = stored[column].to_numpy()
            there = mine.isin(keys[used])
            self.note("join", left, f"columns of {name} by {right}", there.sum())
            self.found.warn(~there, mine, f"{name} has no such {right}", "Correct it")
            lonely = sorted(set(keys[~used]))
            if lonely:
                shown = ", ".join(lonely[:10]) + ", ..." * (len(lonely) > 10)
                what = f"{name}: no row of {self.place} has the {right} {shown}"
                self.warn("join", what, "Check whether rows are missing")

    def leave_out(self):
        """Set rows aside that `[[sheet.leave_out]]` names, with its reason."""
        for entry in self.config.get("leave_out", []):
            column = entry["column"]
            self.known("leave_out", [column], self.table)
            if ("values" in entry) == ("keep" in entry):
                remedy = "State either `values` to leave out or values to `keep`"
                self.refuse("leave_out", "this rule is not complete", remedy, column)
            listed = self.table[column].isin(map(_text, entry.get("values", entry.get("keep"))))
            rows = listed if "values" in entry else ~listed
            if not rows.any():
                self.warn("leave_out", f"the rule on {column} leaves no row out")
            self.set_aside(rows, entry["reason"], "leave out", column)

    # ------------------------------------------------------------------ the project's columns

    def choose(self):
        """Take what is needed under the project's names."""
        columns, constants = self.config.get("columns", {}), self.config.get("constants", {})
        moderators = self.description.moderators
        fields = [*COLUMNS, "variance", *ARM]
        fields += [f"{name}_{arm}" for name in (*ARM, "sem") for arm in ARMS]
        self.know_all([*fields, *moderators])
        # A column of the sheet that happens to be called `n` or `low` is taken only when named.
        taken = [*COLUMNS, *(ARM if "long" in self.config else ()), *columns, *constants]
        taken = [name for name in taken if not self.is_moderator_only(name)]
        wanted = {name: (name, columns.get(name, name)) for name in taken}
        for name, moderator in moderators.items():
            source = moderator.column or columns.get(name, name)
            wanted[MODERATOR + name] = (name, source)
        chosen, index = self.level_columns(), self.table.index
        for key, (name, source) in wanted.items():
            sources = source if isinstance(source, list) else [source]
            # A moderator that names its column means that one, whatever its id means elsewhere.
            own = key != name and moderators[name].column
            again = key != name and name in wanted and not own  # one column for both
            if name in constants and not own:
                chosen[key] = _text(constants[name])
                if not again:
                    self.note("constant", name, f"{constants[name]!r} in every row", len(index))
            elif set(sources) <= set(self.table):
                chosen[key] = _joined(self.table, sources, " ")
                self.names[key], self.sources[key] = " + ".join(sources), sources
                if self.raw.twice & set(sources):
                    self.lack(name, source, "stands over several columns")
                self.warn_of_lengths(key, sources)
                if source != name and not again:
                    self.note("rename", name, f"is {self.names[key]}", len(index))
            elif (key, source) == ("experiment", "row"):
                chosen[key] = [f"row-{row}" for row in index]
                self.note("number", name, "named by their rows", len(index))
            elif own or (name in columns and not again):
                self.lack(name, source, "is not there")
            if again and name in GOVERNING and key in chosen:
                what = f"the column {name} is read as the moderator and as the project's {name}"
                remedy = (
                    "If that is not meant, rename it in the sheet and name it by `column` there"
                )
                self.warn_of(f"moderators.{name}", what, remedy)
        for kind in KINDS:
            for name in (kind, f"{kind}_treated", f"{kind}_control"):
                if name in self.table and name not in chosen:
                    what = "this column is not read, so no row's error or average is of its kind"
                    remedy = f'Say {name} = "{name}" under [sheet.columns], or rename it'
                    self.found.lack(name, what, remedy, "warning")
        needed = [("experiment",), ("study",), ("outcome",)]
        named = {*chosen, *(set(columns) & set(wanted))}
        if not ("effect" in named and {"se", "variance"} & named):
            for arm in [""] if "long" in self.config else ["_treated", "_control"]:
                needed += [
                    (f"n{arm}",),
                    (f"mean{arm}",),
                    (f"sd{arm}", f"sem{arm}", f"tip{arm}", f"low{arm}"),
                ]
        for name, *instead in needed:
            if not {name, *instead} & {*chosen, *(set(columns) & set(wanted))}:
                self.lack(name, name, "is missing")
        for name, moderator in moderators.items():
            if MODERATOR + name not in chosen and not moderator.column:
                what = "the sheet has no such column"
                remedy = f"{nearest(name, self.table)} (name it under [sheet.columns])"
                self.warn_of(f"moderators.{name}", what, remedy)
        self.found.refuse()
        self.before, self.table = self.table, pd.DataFrame(chosen, index, dtype=object)

    def level_columns(self):
        """Cells of the columns that the levels of `[model]` name, by a key of their own.

        A heading of the sheet, or a column of the project's by its own name.
        """
        found, columns = {}, self.config.get("columns", {})
        for name in self.description.level_columns:
            source = name if name in self.table else columns.get(name)
            if not isinstance(source, str) or source not in self.table:
                what, remedy = "the sheet has no such column", nearest(name, self.table)
                raise ReviewError([fault("model", what, name, remedy)])
            found[LEVEL + name] = self.table[source]
            self.names[LEVEL + name] = source
        return found

    def is_moderator_only(self, name):
        """Whether an id of a moderator is not meant to name a column of the project's as well.

        Levels are no numbers, and the columns of `ARM` are read only where they are named.
        """
        moderator = self.description.moderators.get(name)
        if moderator is None:
            return False
        if name not in COLUMNS:
            return name not in ARM or "long" not in self.config
        optional = name in NUMBERS and name not in GROUPS
        return bool(moderator.levels) and optional and name not in self.config.get("columns", {})

    def lack(self, name, source, what):
        remedy = "Add it, or name the right one in review.toml under [sheet.columns]"
        remedy += ' (or say experiment = "row" there)' if name == "experiment" else ""
        remedy += f"; the sheet has {', '.join(self.table)}"
        self.found.lack(str(source), f"the column for {name} {what}", remedy)

    def prefer_groups(self):
        """Empty an effect that stands beside whole group data, unless `[sheet.columns]` names it."""
        if set(OWN_EFFECT) <= set(self.table) and "effect" not in self.config.get("columns", {}):
            whole = (self.table.reindex(columns=GROUPS, fill_value="") != "").all(axis=1)
            self.table.loc[whole, [*OWN_EFFECT]] = ""
            detail = "computed anew where all group data are there"
            self.note("effect", "effect", detail, whole.sum())

    def replace_values(self):
        """Bring spelling variants to one by `[sheet.values]`."""
        for name, values in self.config.get("values", {}).items():
            known = (name, f"{name}_treated", f"{name}_control", MODERATOR + name)
            columns = [column for column in known if column in self.table]
            self.known("values", [] if columns else [name], self.table)
            words, cells = {old: _text(new) for old, new in values.items()}, self.table[columns]
            for old, new in words.items():
                found = (cells == old).sum().sum()
                self.note("value", name, f"{old!r} is {new!r}", found)
                if not found:
                    self.warn(f"values.{name}", f"{old!r} matches no cell")
            self.table[columns] = cells.replace(words)

    def empty_what_is_missing(self):
        """Empty the ids and moderators that are not reported, as `missing` has it."""
        levels = {MODERATOR + name: m.levels for name, m in self.description.moderators.items()}
        for name in self.table.columns.intersection([*IDS, *levels]):
            words = set(self.config.get("missing", ())) - set(levels.get(name, ()))
            gone = self.table[name].isin(words)
            if gone.any():
                self.note("missing", name.removeprefix(MODERATOR), "not reported", gone.sum())
                self.table[name] = self.table[name].mask(gone, "")

    def pair(self):
        """A row a group of animals becomes a row a treated group with its control."""
        config = self.config["long"]
        group, keys = config["group"], config["pair"]
        self.known("long", [group, *keys], self.before)
        arm, key = self.before[group], _joined(self.before, keys, "\x1f")
        self.found.fault(arm == "", arm, "treated or control is not said", "Fill it in")
        control = arm.isin(map(_text, config["control"]))
        same = "row has the same " + ", ".join(keys)
        again = control & key.where(control).duplicated() & key.isin(key[~control])
        remedy = "Add what tells them apart to `pair` under [sheet.long]"
        self.found.fault(again, arm, f"an earlier control {same}", remedy)
        first = key[control].drop_duplicates()
        match = key[~control].map(pd.Series(first.index, first)).dropna().astype(int)
        lonely = ~(again | key.index.isin([*match.index, *match]))
        for other, rows in (("control", lonely & ~control), ("treated", lonely & control)):
            self.set_aside(rows, f"no {other} {same}", "pair", group, f"rows without a {other} row")
        controls, self.table = self.table.loc[match], self.table.loc[match.index].copy()
        self.control_rows = match
        for name in self.table.columns.intersection(ARM):
            self.table[f"{name}_treated"] = self.table.pop(name)
            self.table[f"{name}_control"] = controls[name].to_numpy()
            self.of_controls.add(f"{name}_control")
            self.call(name, [f"{name}_{arm}" for arm in ARMS])
        # The control's cohort is one group of animals on all days; without it the row is all there is.
        cohort = controls["cohort"] if "cohort" in controls else pd.Series("", controls.index)
        rows = pd.Series([f"row-{row}" for row in controls.index], controls.index, dtype=object)
        known = cohort.where(cohort != "", rows).set_axis(match.index)
        named = self.cells("control_group")
        self.table["control_group"] = named.where(named != "", known)
        detail = f"treated rows with their {match.nunique()} control rows"
        self.note("pair", group, detail, len(match))

    def share(self):
        """One column for both groups counts for each."""
        for name in self.table.columns.intersection(ARM):
            cells = self.table.pop(name)
            arms = ARMS
            if name in KINDS and "sd_reference" in self.table:  # an SEM there as well
                arms = (*ARMS, "reference")
            columns = sorted({f"{name}_{arm}" for arm in arms} - set(self.table))
            for column in columns:
                self.table[column] = cells
            self.call(name, columns)

    def call(self, name, columns):
        """What the sheet calls these columns is what it calls `name`."""
        for column in columns:
            self.names[column] = self.names.get(name, name)
            if name in self.sources:
                self.sources[column] = self.sources[name]

    def share_controls(self):
        """Give one id to controls that agree by their numbers, where review.toml says so."""
        if self.config.get("shared_controls") == "by_numbers" and len(self.table):
            before = self.cells("control_group")
            self.table["control_group"] = controls.name(self.table)
            named = self.table["control_group"] != before
            detail = "one id where n, mean and SD agree within study, outcome and day"
            self.note("shared controls", "control_group", detail, named.sum())

    def take_time_point(self):
        """One day of each cohort and outcome: the first, the last, or the nearest to a day."""
        rule = self.config.get("time_point", "all")
        if rule == "all":
            return
        self.known("time_point", ["cohort", "follow_up_days"], self.table)
        days = group_data.to_floats(self.table["follow_up_days"])
        if rule in ("first", "last"):
            rank = days if rule == "first" else -days
        else:  # of two days equally near the earlier one is taken
            rank = (days - rule).abs() + days * 1e-9
        rank = rank.fillna(np.inf)
        best = rank.groupby([self.table[name] for name in ("study", "cohort", "outcome")])
        rows = (self.table["cohort"] != "") & (rank > best.transform("min"))
        reason = f"another day of this cohort is used ({rule})"
        self.set_aside(rows, reason, "time point", "follow_up_days")

    def sheet(self):
        self.note("use", "", "rows that give an experiment", len(self.table))
        ids = {MODERATOR + name: name for name in self.description.moderators}
        moderators = self.table.reindex(columns=[name for name in ids if name in self.table])
        levels = {name: name.removeprefix(LEVEL) for name in self.table if name.startswith(LEVEL)}
        for name in levels:
            blank, remedy = self.table[name] == "", "Fill it in: this row belongs to no group"
            self.found.fault(blank, self.table[name], "this level of [model] is missing", remedy)
        unused = sorted(self.unused.items())
        return Sheet(
            self.raw.file,
            self.raw.sheet,
            self.table[[name for name in COLUMNS if name in self.table]],
            moderators.rename(columns=ids),
            self.table[list(levels)].rename(columns=levels),
            self.names,
            trace=pd.DataFrame(self.steps, columns=["step", "column", "detail", "rows"]),
            not_used=pd.DataFrame(unused, columns=["sheet_row", "reason"]),
            rows_in=len(self.raw.table),
            # A row that is not used need not be right.
            findings=tuple(f for f in self.found.findings if f.row not in self.unused),
            origin={name: found for name in (*COLUMNS, *ids) if (found := self.origin(name))},
            raw=self.raw,
        )


def _joined(table, columns, mark):
    """The cells of several columns as one text."""
    first, *others = (table[column] for column in columns)
    return first.str.cat(others, sep=mark) if others else first


def _text(value):
    """A value of `review.toml` as a sheet writes it."""
    return str(value).upper() if isinstance(value, bool) else str(value)
