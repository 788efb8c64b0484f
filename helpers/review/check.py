"""Everything that is wrong or odd in a review, found at once."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.problems import Finder, Finding, ReviewError, command_line, grouped, nearest, row_of
from helpers.review import facts, plausibility, quality
from helpers.review.columns import (
    ARMS,
    COLUMNS,
    CONTROL,
    EXCLUSION,
    EXCLUSIONS,
    GROUPS,
    MODERATOR,
    NUMBERS,
    OWN_EFFECT,
    REFERENCE,
)
from helpers.review.description import describe
from helpers.review.mapping import contrasts, events
from helpers.review.mapping.numbers import floats
from helpers.review.mapping.sheet import read_sheet
from helpers.sheet.files import advice, read_csv
from helpers.sheet.names import is_there
from helpers.stats.effects import effect_sizes

SIGNS = "Say what each word means under [sheet.values.sign]: -1 where lower is better, else 1"
LARGEST = 1e75  # of numbers in a sheet: fourth powers stay finite
EXTREME = 10  # pooled SDs between two means
LEAVE_OUT = f"or leave the row out by {EXCLUSIONS} or [[sheet.leave_out]] in review.toml"


@dataclass(frozen=True)
class Findings:
    """Faults, which are refused; warnings, which are shown; notes on rows that are not used.

    `as_read` is a text for a terminal: how many rows of the sheet became experiments, and the first
    of them with the numbers that were read.
    """

    faults: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    as_read: str = ""

    def __str__(self):
        lines = [f"fault: {line}" for line in grouped(self.faults)] or ["no fault"]
        lines += [f"warning: {line}" for line in grouped(self.warnings)] or ["no warning"]
        return "\n".join([*lines, *self.notes])


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


def examine(folder=None, *, earlier=False):
    """Description, mapped sheet and findings of a review, or of an earlier state, each read once.

    Raises
    ------
    ReviewError
        What keeps the sheet from being read at all.
    """
    description = describe(folder, earlier=earlier)
    sheet = read_sheet(description)
    description = events.named(description, sheet)
    of_exclusions, left_out = _of_exclusions(description, sheet)
    found = [*sheet.findings, *_of_rows(description, sheet), *of_exclusions]
    found = [_no_effect_due(finding, left_out, sheet) for finding in found]
    rebuilds = description.article is not None
    found += facts.findings(description.folder, description.outcomes, rebuilds=rebuilds)
    found += facts.of_studies(description.folder, description.studies)
    found = list(dict.fromkeys(found))  # a column for both groups is found in each
    faults, warnings = (
        tuple(f for f in found if f.severity == kind) for kind in ("fault", "warning")
    )
    as_read = f"{counted(sheet, faults)}\n{first_rows(sheet)}".rstrip()
    notes = (
        *contrasts.count(description, sheet.table["outcome"]),
        *_not_used(sheet),
        *_guessed(description),
    )
    return description, sheet, Findings(faults, warnings, notes, as_read)


def counted(sheet, faults=()):
    """How many rows of the sheet became experiments, how many did not and why, in a sentence."""
    k, listed, file = len(sheet.table), len(sheet.not_used), sheet.file
    rows = "1 row" if sheet.rows_in == 1 else f"{sheet.rows_in} rows"
    text = f"{file}: {rows}, {k} of them experiments"
    wrong = len({f.key for f in faults if f.file in sheet.files} & set(sheet.table.index))
    text += f" ({wrong} with a fault)" * bool(wrong)
    if as_controls := sheet.rows_in - k - listed:
        text += f", {as_controls} their control groups"
    text += f", {listed} not used"
    reasons = sheet.not_used["reason"].value_counts(sort=False)
    return text + ": " * bool(listed) + "; ".join(f"{n} {why}" for why, n in reasons.items())


def first_rows(sheet, k=5):
    """The first experiments as they were read, as text, so that a person sees a wrong column.

    Parameters
    ----------
    sheet : helpers.review.mapping.sheet.MappedSheet
    k : int

    Returns
    -------
    str
        Row of the sheet, study and outcome, n, mean and SD of both groups after all conversions, and
        the effect (Hedges g, or the row's own) with its sign. Empty where there is no row.
    """
    table = sheet.table.head(k)
    if table.empty:
        return ""
    due = table.reindex(columns=[*GROUPS, *OWN_EFFECT, "sign"], fill_value="")
    numbers = due.apply(floats)
    effect = [_effect(numbers.loc[[row]]) for row in numbers.index]
    shown = pd.DataFrame(
        {"row": table.index.map(row_of), "study": table["study"], "outcome": table["outcome"]}
    )
    for arm in ARMS:
        for name in ("n", "mean", "sd"):
            column = f"{name}_{arm}"
            # What is no number stands as it is: that is what is to be seen.
            pairs = zip(due[column], numbers[column], strict=True)
            digits = 12 if name == "n" else 5
            shown[f"{name} {arm}"] = [c if np.isnan(x) else f"{x:.{digits}g}" for c, x in pairs]
    shown["effect"] = [f"{x:.3g}" if np.isfinite(x) else "-" for x in effect]
    for name in ("study", "outcome"):
        shown[name] = shown[name].str.replace(r"\s+", " ", regex=True).str.slice(0, 24)
    head = f"The first {len(table)} as read:" if len(table) < len(sheet.table) else "As read:"
    return f"{head}\n{shown.to_string(index=False)}"


def _effect(row):
    """The effect of one row, NaN where its numbers give none."""
    try:
        with np.errstate(all="ignore"):
            return (effect_sizes(row)["effect"] * row["sign"].fillna(1)).iloc[0]
    except ValueError:
        return np.nan


def guessed(description, folder=None):
    """What `new` guessed and nobody has confirmed yet, in words, each with the command that does.

    Parameters
    ----------
    description : helpers.review.description.Description
    folder : str, optional
        What the command calls the folder; by default what pages call it.

    Returns
    -------
    list of (str, str)
    """
    folder = folder or description.shown
    guesses = zip(description.unconfirmed, description.guesses, strict=True)
    return [(words, command_line("set", folder, name)) for name, words in guesses]


def _guessed(description):
    """A line for each of them, for a terminal."""
    here, folder = Path.cwd(), description.folder
    folder = folder.relative_to(here).as_posix() if folder.is_relative_to(here) else str(folder)
    how = "confirm it, or change it with =VALUE behind, by"
    for words, confirm in guessed(description, folder):
        yield f"guessed, not yet confirmed: {words}; {how}\n  {confirm}"
        how = "confirm it by"


def _not_used(sheet):
    """A line for each reason why rows of the sheet give no experiment."""
    for reason, rows in sheet.not_used.groupby("reason", sort=False)["sheet_row"]:
        listed = ", ".join(map(str, rows))
        yield f"not used, {len(rows)} of {sheet.rows_in} rows: {reason} (row {listed})"


def _no_effect_due(finding, left_out, sheet):
    """Group data without an effect are a warning in a row that is left out, maybe for that."""
    columns = {sheet.names.get(name, name) for name in (*GROUPS, *OWN_EFFECT)}
    of_row = finding.file in sheet.files and finding.key in left_out
    if of_row and finding.severity == "fault" and finding.column in columns:
        return replace(finding, severity="warning")
    return finding


def _of_exclusions(description, sheet):
    """What is wrong with `exclusions.csv`, and the rows of the sheet that it leaves out."""
    path = description.folder / EXCLUSIONS
    if not is_there(path):
        return [], set()
    table, found = read_csv(path), Finder(path.name)
    for column in set(EXCLUSION) - set(table):
        found.lack(column, f"the column {column} is missing", "Add it")
    if found.findings:
        return found.findings, set()
    unknown = ~table["experiment"].isin(sheet.table["experiment"])
    remedy = "Use an id of the extraction sheet"
    found.fault(unknown, table["experiment"], "there is no such experiment", remedy)
    what = "an exclusion states its reason and its author"
    for column in ("reason", "by"):
        found.fault(table[column] == "", table[column], what, "Fill in this cell")
    left_out = sheet.table["experiment"].isin(table["experiment"])
    return found.findings, set(sheet.table.index[left_out])


def _of_rows(description, sheet):
    if sheet.table.empty:
        what = "no row of this sheet gives an experiment"
        return [Finding(sheet.file, what, "Check how review.toml reads it")]
    found = Finder(sheet.file, sheet.sheet, sheet.names, sheet.origin.get, sheet.raw.parts)
    table = sheet.table.reindex(columns=COLUMNS, fill_value="")
    moderators = sheet.moderators.reindex(columns=description.moderators, fill_value="")
    _words(found, table, moderators, description)
    told = {(f.key, f.column) for f in sheet.findings if f.severity == "fault"}
    numbers = _numbers(found, table, told, sheet.counts.rows)
    with np.errstate(all="ignore"):
        _group_sizes(found, table, numbers, description)
        _pooled_sds(found, table, numbers)
        _scales(found, table, numbers, description, sheet.scales)
        _references(found, table, numbers)
        _shared_controls(found, table, numbers)
        _directions(found, table, numbers, description, sheet.scales)
        _sems(found, table, numbers)
        plausibility.rows(found, description, sheet, table, numbers)
        plausibility.cells(found, sheet, table, numbers)
        whole = not description.sheet.control_n_is_split
        quality.findings(found, description.folder, description.quality, sheet, numbers, whole)
    return found.findings


def _words(found, table, moderators, description):
    """Ids and levels that are missing, stand twice, or that `review.toml` does not know."""
    for column in ("experiment", "study", "outcome"):
        found.fault(table[column] == "", table[column], "this id is missing", "Fill it in")
    ids = table["experiment"]
    twice = ids.duplicated() & (ids != "")
    found.fault(twice, ids, "this id stands in an earlier row too", "Make ids unique")
    columns = [(table["outcome"], tuple(description.outcomes), "outcome")]
    for name, moderator in description.moderators.items():
        cells = moderators[name].rename(MODERATOR + name)
        columns.append((cells, moderator.levels, "level"))
    for cells, words, noun in columns:
        if words:
            wrong = ~cells.isin(["", *words])
            what = f"review.toml knows no such {noun}"
            found.fault(wrong, cells, what, lambda cell, words=words: nearest(cell, words))
        else:
            wrong = (cells != "") & ~np.isfinite(floats(cells))
            found.fault(wrong, cells, "a number is due here", "Write a number or leave it empty")
            _beyond(found, cells, floats(cells))


def _numbers(found, table, told, counting):
    """The number columns, NaN where a cell is none; group data are due without an effect.

    Rows that count events were looked at when their effects were computed.
    """
    numbers = pd.DataFrame({name: floats(table[name]) for name in NUMBERS})
    groups_due = (table["effect"] == "") | (table["se"] == "")
    groups_due &= ~table.index.isin(counting)
    for column in NUMBERS:
        due = (table[column] != "") | (groups_due & (column in GROUPS))
        wrong = due & ~np.isfinite(numbers[column])
        # A cell that has a fault of its own needs no second one for being no number.
        heading = found.names.get(column, column)
        wrong &= np.array([(key, heading) not in told for key in table.index], bool)
        remedy = SIGNS if column == "sign" else lambda cell: advice(str(cell))
        found.fault(wrong, table[column], "a number is due here", remedy)
        _beyond(found, table[column], numbers[column])
    found.fault(numbers["se"] <= 0, table["se"], "a standard error is above 0", "Correct it")
    return numbers


def _beyond(found, cells, numbers):
    """Numbers whose squares computers cannot hold, so that what follows would be 0 or endless."""
    size = numbers.abs()
    beyond = np.isfinite(size) & (size > 0) & ((size > LARGEST) | (size < 1 / LARGEST))
    what = f"this number is beyond what can be computed with, from {1 / LARGEST:g} to {LARGEST:g}"
    found.fault(beyond, cells, what, "Correct it, or write it in another unit")


def _group_sizes(found, table, numbers, description):
    for column in ("n_treated", "n_control"):
        n, cells = numbers[column], table[column]
        found.fault(n < 1, cells, "a group has at least 1 animal", "Correct the group size")
        found.warn(n == 1, cells, "this group is 1 animal", "Check the source")
        if column == "n_treated" or not description.sheet.control_n_is_split:
            what = "a group size is a whole number"
            remedy = "Check it, or say control_n_is_split = true in review.toml"
            found.warn((n >= 1) & (n % 1 != 0), cells, what, remedy)
        # Dragging a cell down in a spreadsheet counts up instead of repeating it.
        step = (n.diff() == 1) & (n.index.to_series().diff() == 1)
        run = step.groupby((~step).cumsum()).transform("sum")
        what = "group sizes count up from row to row"
        remedy = "Check whether a spreadsheet's fill handle did it"
        found.warn(step & (run >= 4), cells, what, remedy)


def _pooled_sds(found, table, numbers):
    """SDs that cannot be pooled or are 0, and means further apart than they can be."""
    n1, mean1, s1, n2, mean2, s2 = (numbers[name] for name in GROUPS)
    for sd in (s1, s2):
        remedy = "Correct it from the source"
        found.fault(sd < 0, table[sd.name], "an SD is not negative", remedy)
    df, sized = n1 + n2 - 2, (n1 >= 1) & (n2 >= 1)
    remedy = f"Correct the group sizes {LEAVE_OUT}"
    for what, rows in (
        ("n_treated + n_control - 2 is below 1: no SD can be pooled", df < 1),
        ("n_treated + n_control - 2 is 1: the small-sample factor of an SMD is 0", df == 1),
    ):
        found.fault(sized & rows, table["n_control"], what, remedy)
    # A group of one animal adds nothing to the pooled SD, whatever its SD.
    squares = (n1 - 1) * s1**2 + (n2 - 1) * s2**2
    none = sized & (df >= 1) & (squares == 0)
    what = "the pooled SD is 0: no standardised difference exists"
    found.fault(none, table["sd_treated"], what, f"Correct the SDs from the source {LEAVE_OUT}")
    for sd in (s1, s2):
        found.warn((sd == 0) & ~none, table[sd.name], "this SD is 0", "Check the source")
    d = (mean1 - mean2) / np.sqrt(squares / df)
    far = np.isfinite(d) & (d.abs() > EXTREME)
    what = f"the means lie more than {EXTREME} SDs apart"
    remedy = "Check whether SEMs were taken for SDs, and the means"
    found.warn(far, table["mean_treated"], what, remedy)


def _of_each(description, table, scales):
    """The scale of each row, or its outcome where that has one only; None for an unknown outcome."""
    outcomes = (description.outcomes.get(name) for name in table["outcome"])
    pairs = zip(outcomes, scales, strict=True)
    return [outcome and outcome.on(label) for outcome, label in pairs]


def _scales(found, table, numbers, description, scales):
    """Means outside the scale of their rows, and SDs that no sample on it can have."""
    on = _of_each(description, table, scales)
    low, high = (
        pd.Series([np.nan if one is None else getattr(one, end) for one in on], table.index, float)
        for end in ("low", "high")
    )
    means = [numbers[f"mean_{arm}"] for arm in (*ARMS, "reference")]
    for mean in means:
        outside = (mean < low) | (mean > high)
        for label in dict.fromkeys(scales[outside]):
            these = outside & (scales == label)
            what = "this mean lies outside the outcome's scale"
            what += (
                f" ({label}, {low[these].iloc[0]:g} to {high[these].iloc[0]:g})" if label else ""
            )
            remedy = "Check the source, or the range in review.toml"
            found.warn(these, table[mean.name], what, remedy)
    for arm in ARMS:
        mean, sd, n = (numbers[f"{name}_{arm}"] for name in ("mean", "sd", "n"))
        outside = (mean < low) | (mean > high)
        # Bhatia and Davis (2000): SD² ≤ n/(n-1) (max - mean)(mean - min)
        limit = n / (n - 1) * (high - mean) * (mean - low)
        large = ~outside & (n > 1) & np.isfinite(limit) & (sd**2 > limit * (1 + 1e-9))
        what = "no sample on this outcome's scale has so large an SD"
        found.warn(large, table[sd.name], what, "Check whether the SD belongs to this mean")


def _references(found, table, numbers):
    """Uninjured values that cannot be, or that leave no distance to normalise by."""
    mean, sd, n = (numbers[name] for name in REFERENCE)
    found.fault(sd < 0, table[sd.name], "an SD is not negative", "Correct it from the source")
    found.fault(n < 1, table[n.name], "a group has at least 1 animal", "Correct the group size")
    what = "an SD of the uninjured value needs its number of animals"
    lack = (sd > 0) & n.isna()
    found.fault(lack, table[sd.name], what, "Add n_reference, or drop sd_reference")
    what = "the uninjured value equals the control's mean: no normalised difference exists"
    found.warn(mean == numbers["mean_control"], table[mean.name], what, "Check the source")


def _shared_controls(found, table, numbers):
    """One control group, several values."""
    keys = [table[name] for name in ("control_group", "study", "outcome", "follow_up_days")]
    what = "rows that share this control group differ here"
    remedy = "Correct the row, or give the control groups ids of their own"
    for column in CONTROL:
        several = numbers[column].groupby(keys).transform("nunique") > 1
        found.warn((keys[0] != "") & several, table[column], what, remedy)


def _directions(found, table, numbers, description, scales):
    """Signs that are none, and rows flagged against nearly all others of their outcome."""
    sign, outcome, cells = numbers["sign"], table["outcome"], table["sign"]
    on, usual = (_of_each(description, table, each) for each in (scales, scales.map(lambda _: "")))
    turned = [a is not None and a.better != b.better for a, b in zip(on, usual, strict=True)]
    sign = sign.mask(np.array(turned, bool))  # said in review.toml, not by a cell
    if sign.isna().all():
        return
    remedy = "Translate it under [sheet.values.sign] in review.toml"
    found.fault(sign.notna() & ~sign.isin([-1, 1]), cells, "a sign is 1 or -1", remedy)
    size = sign.groupby(outcome).transform("size")
    share = sign.groupby([outcome, sign]).transform("size") / size
    what = "at least nine in ten rows of this outcome have the other direction"
    found.warn((size >= 10) & (share <= 0.1), cells, what, "Check which direction is better here")


def _sems(found, table, numbers):
    """SDs so small for their outcome that they may be SEMs.

    SDs grow with means: their ratio is much alike within an outcome, and an SEM in an SD's place
    is low by the root of n in both groups.
    """
    n1, mean1, s1, n2, mean2, s2 = (numbers[name] for name in GROUPS)
    ratio = np.log(s1 * s2 / (mean1 * mean2).abs()) / 2
    ratio, root = ratio.where(np.isfinite(ratio)), np.log(n1 * n2) / 4
    by = ratio.groupby(table["outcome"])
    below = by.transform("median") - ratio
    spread = 1.4826 * below.abs().groupby(table["outcome"]).transform("median")
    low = (below > 3 * spread) & ((root - below).abs() < below) & (by.transform("count") >= 8)
    what = "these SDs are small for their means beside this outcome's other rows"
    found.warn(low, table["sd_treated"], what, "Check whether they are SEMs")
