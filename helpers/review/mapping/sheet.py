"""A mapped sheet: the project's columns of an extraction sheet, every step on the way listed."""

from dataclasses import dataclass

import pandas as pd

from helpers.problems import file_of, row_of
from helpers.review.columns import COLUMNS, LEVEL, MODERATOR
from helpers.review.mapping import (
    choice,
    contrasts,
    conversion,
    events,
    intervals,
    labels,
    numbers,
    pairs,
    quality,
    records,
    rows,
    shapes,
)
from helpers.review.mapping.working import Mapping
from helpers.review.scales import choose_scales
from helpers.sheet.files import Raw
from helpers.sheet.stacking import read_tables


@dataclass(frozen=True, eq=False)
class MappedSheet:
    """A mapped sheet.

    Attributes
    ----------
    file, sheet : str
    table : pandas.DataFrame
        Cells under the project's column names: texts, and numbers as floats, which were read once;
        what could not be read is still text. The index is the row's key: its number in the sheet
        unless several files or blocks are read (`helpers.problems`). An empty cell is an empty text.
    moderators : pandas.DataFrame
        The moderators' cells in the same way, a column an id: an id may be any word, also one that
        is the project's name of another column.
    levels : pandas.DataFrame
        What the sheet says in the columns that the levels of `[model]` name.
    scales : pandas.Series of str
        The label of each row's scale, empty where its outcome has one only.
    judgements : pandas.DataFrame
        What the columns of `[quality]` say, folded to its words, a column a heading.
    losses : pandas.DataFrame
        Animals lost and allocated, as floats, as far as `[quality]` names their columns.
    names : dict
        The project's column names and what the sheet calls them; a moderator stands there under
        `MODERATOR` and its id, as its cells do.
    trace : pandas.DataFrame
        ``step, column, detail, rows``: all that was done, in order.
    not_used : pandas.DataFrame
        ``sheet_row, reason`` of each row that gives no experiment; ``file`` where there are several.
    rows_in : int
        Rows of the sheet: those of `table`, their control rows where a row is a group, and those
        not used; a group that is treated in several contrasts counts in each.
    findings : tuple of Finding
    origin : dict
        From a column of `table` to its rows, texts and headings as the sheet has them, for messages.
    raw : helpers.sheet.files.Raw
        The sheet as it was read.
    counts : helpers.review.mapping.events.Counts
        Where effects were computed from events.
    """

    file: str
    sheet: str | None
    table: pd.DataFrame
    moderators: pd.DataFrame
    levels: pd.DataFrame
    scales: pd.Series
    judgements: pd.DataFrame
    losses: pd.DataFrame
    names: dict
    trace: pd.DataFrame
    not_used: pd.DataFrame
    rows_in: int
    findings: tuple
    origin: dict
    raw: Raw
    counts: events.Counts

    @property
    def files(self):
        """Names of the files that were read, one or several below each other."""
        return {file for file, _ in self.raw.parts} or {self.file}


def read_sheet(description):
    """Read the extraction sheet of a review and map it as its `[sheet]` says.

    Parameters
    ----------
    description : helpers.review.description.Description

    Returns
    -------
    MappedSheet

    Raises
    ------
    ReviewError
        Files, sheets, columns or settings that do not exist.
    """
    config = description.sheet
    options = ("sheet", "header", "encoding", "separator", "digitiser")
    raw = read_tables(
        description.folder, config.file, **{name: getattr(config, name) for name in options}
    )
    mapping = Mapping(description, raw)
    for step in (
        rows.correct, shapes.fill_down, shapes.split, rows.join, records.keep, rows.leave_out,
        shapes.blocks, choice.choose, choice.prefer_groups, choice.replace_values,
        quality.fold_moderators, choice.empty_what_is_missing, labels.label,
    ):  # fmt: skip
        step(mapping)
    if config.long:
        pairs.pair(mapping)
    pairs.share_rows(mapping)
    pairs.share(mapping)
    numbers.take_instead(mapping)
    before = numbers.read_numbers(mapping)
    numbers.take_roots(mapping)
    intervals.take_intervals(mapping)
    counts = events.take_events(mapping, before)
    numbers.drop_incomplete(mapping, before)
    contrasts.blank_incomplete_references(mapping)
    conversion.convert(mapping)
    contrasts.combine(mapping)
    contrasts.name_experiments(mapping)
    choose_scales(mapping)
    pairs.share_controls(mapping)
    pairs.take_time_point(mapping)
    quality.read_quality(mapping)
    return _mapped(mapping, counts)


def _mapped(mapping, counts):
    mapping.note("use", "", "rows that give an experiment", len(mapping.table))
    ids = {MODERATOR + name: name for name in mapping.description.moderators}
    moderators = mapping.table.reindex(columns=[name for name in ids if name in mapping.table])
    levels = {name: name.removeprefix(LEVEL) for name in mapping.table if name.startswith(LEVEL)}
    for name in levels:
        blank, remedy = mapping.table[name] == "", "Fill it in: this row belongs to no group"
        mapping.found.fault(blank, mapping.table[name], "this level of [model] is missing", remedy)
    unused = sorted(mapping.unused.items())
    not_used = pd.DataFrame(unused, columns=["sheet_row", "reason"])
    keys = not_used["sheet_row"].astype(int)
    not_used["sheet_row"] = keys.map(row_of)
    if len(mapping.raw.parts) > 1:
        not_used.insert(0, "file", [mapping.found.files[file_of(key)][0] for key in keys])
    return MappedSheet(
        mapping.raw.file,
        mapping.raw.sheet,
        mapping.table[[name for name in COLUMNS if name in mapping.table]],
        moderators.rename(columns=ids),
        mapping.table[list(levels)].rename(columns=levels),
        mapping.scales.reindex(mapping.table.index),
        mapping.judgements,
        mapping.losses,
        mapping.names,
        trace=pd.DataFrame(mapping.steps, columns=["step", "column", "detail", "rows"]),
        not_used=not_used,
        rows_in=mapping.rows_in,
        # A row that is not used need not be right.
        findings=tuple(f for f in mapping.found.findings if f.key not in mapping.unused),
        origin={name: found for name in (*COLUMNS, *ids) if (found := mapping.origin(name))},
        raw=mapping.raw,
        counts=counts,
    )
