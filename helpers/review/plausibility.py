"""Rows and numbers of a checked sheet that are odd: no comparison, no row, no measured number."""

import re
import unicodedata
from datetime import date, timedelta

import numpy as np
import pandas as pd

from helpers.problems import FILES, ROWS, Finding, row_of
from helpers.review import controls
from helpers.review.columns import ARMS, GROUPS, MODERATOR, OWN_EFFECT
from helpers.review.mapping.numbers import floats
from helpers.sheet.files import NUMBER

# Words in an id that head or end a table instead of naming a study.
TOTALS = re.compile(
    r"(grand |sub|n )?[ -]?(totals?|sums?|means?|averages?|overall|pooled|summe|gesamt\w*|mittelwert|"
    r"durchschnitt|moyenne|somme|ensemble|promedio|suma|totale|totaal|media|итого|всего|среднее|"
    r"合计|总计|平均|合計)\s*:?\s*(\(.*\))?",
    re.I,
)
SENTINEL = re.compile(r"-?9{2,6}(\.0)?|-9(\.0)?")
COPY = re.compile(
    r"(.*\S)\s*(?:\((\d{1,2})\)|#\s*(\d{1,2})|[,; ]\s*exp(?:eriment|\.)?\s*(\d{1,2}))", re.I
)
# Days since 1899-12-30 by which spreadsheets store dates, for the years 2000 to 2049.
SERIALS = 36526, 54788
FAR = 5  # times the largest other group
CONTRADICTED = 5, 0.8  # rows from which on, and share of them, that speak against `better`
THOUSAND = 2.5, 3.5  # powers of ten that are about a thousand


def rows(found, description, sheet, table, numbers):
    """Warnings of rows that are no comparison, stand twice, or were not meant to be read.

    Parameters
    ----------
    found : helpers.problems.Finder
    description : helpers.review.description.Description
    sheet : helpers.review.mapping.sheet.MappedSheet
    table : pandas.DataFrame
        The mapped sheet as text.
    numbers : pandas.DataFrame
        Its number columns.
    """
    odd = _twice(found, table, numbers) | _equal_groups(found, table, numbers)
    _shared_controls(found, description, table[~odd])
    _totals(found, table)
    _against_better(found, table, numbers, description)
    _marked(found, sheet, table, numbers)
    _copies(found, table)
    _spellings(found, table, sheet.levels)
    _within_several_studies(found, description.model, sheet, table)


def cells(found, sheet, table, numbers):
    """Warnings of numbers that were perhaps not measured."""
    told = _sentinels(found, sheet, table)
    told |= _dates(found, table, numbers)
    _far_sizes(found, table, numbers, told)
    _thousandfold(found, table, numbers)
    _percent(found, sheet)


def _shared_controls(found, description, table):
    """Warnings of rows that seem to share a control group which has no id."""
    if description.sheet.shared_controls or description.sheet.control_n_is_split:
        return
    what = "n, mean and SD of the control group stand in several rows of this study, outcome and "
    what += "day, and no id says whether these are the same animals"
    remedy = 'Give them one control_group, or say shared_controls = "by_numbers" under [sheet] in '
    remedy += 'review.toml ("by_id" where they are different animals)'
    source = found.names.get("mean_control", "mean_control")
    for first, alike in controls.alike(table).items():
        rows = ", ".join(str(row_of(key)) for key in alike)
        value = f"{table.loc[first, 'mean_control']} in rows {rows}"
        found.add(what, remedy, int(first), source, value, "warning")


def _twice(found, table, numbers):
    remedy = "Leave one out by [[sheet.leave_out]] or `exclusions.csv`, or correct it"
    odd = pd.Series(False, table.index)
    whole = np.isfinite(numbers[[*GROUPS]]).all(axis=1)
    own = ~whole & np.isfinite(numbers[[*OWN_EFFECT]]).all(axis=1)
    for there, columns in ((whole, [*GROUPS]), (own, [*OWN_EFFECT])):
        data = numbers.loc[there, columns].assign(outcome=table["outcome"][there])
        elsewhere = data.duplicated()
        here = data.assign(study=table["study"][there]).duplicated() if there.any() else elsewhere
        here = here.reindex(table.index, fill_value=False)
        what = "an earlier row of this study and outcome has the same numbers"
        found.warn(here, table["study"], what, remedy)
        odd |= here
        if there is whole:  # an effect and its error may be met twice by chance, six numbers not
            elsewhere = elsewhere.reindex(table.index, fill_value=False) & ~here
            what = "a row of another study has the same numbers for this outcome"
            found.warn(elsewhere, table["study"], what, remedy)
    return odd


def _equal_groups(found, table, numbers):
    n1, mean1, sd1, n2, mean2, sd2 = (numbers[name] for name in GROUPS)
    same = (n1 == n2) & (mean1 == mean2) & (sd1 == sd2)
    what = "treated and control are the same here: an effect of exactly 0"
    remedy = "Leave the row out by [[sheet.leave_out]] if it is the control group itself"
    found.warn(same, table["mean_treated"], what, remedy)
    return same


def _against_better(found, table, numbers, description):
    """Outcomes most of whose effects are harm: `better` may be the wrong way round."""
    _, mean1, _, _, mean2, _ = (numbers[name] for name in GROUPS)
    own = numbers["effect"].notna() & numbers["se"].notna()
    effect = numbers["effect"].where(own, mean1 - mean2) * numbers["sign"].fillna(1)
    for outcome in description.outcomes.values():
        known = effect[(table["outcome"] == outcome.id) & (effect != 0)].dropna()
        harm = int(((known < 0) if outcome.better == "higher" else (known > 0)).sum())
        if outcome.better == "neither" or len(known) < CONTRADICTED[0]:
            continue
        if harm < CONTRADICTED[1] * len(known):
            continue
        place = f"families.outcomes.{outcome.id}.better"
        what = f"{harm} of {len(known)} effects are harm by this"
        remedy = "Check which side is better, and whether `sign` turns the effects already"
        told = Finding("review.toml", what, remedy, column=place, value=outcome.better,
                       severity="warning", key=int(known.index[0]))  # fmt: skip
        found.findings.append(told)


def _totals(found, table):
    for name in ("study", "experiment"):
        rows = table[name].map(lambda cell: bool(TOTALS.fullmatch(cell.strip())))
        what, remedy = "this looks like a row of totals", "Leave it out by [[sheet.leave_out]]"
        found.warn(rows, table[name], what, remedy)


def _marked(found, sheet, table, numbers):
    """Rows that a spreadsheet hides or strikes out, columns that it hides."""
    marks, remedy = sheet.raw.marks, "Show it and look, or leave it out by [[sheet.leave_out]]"
    keys = table.index % (ROWS * FILES)  # a row's own, whichever block of it
    hidden = keys.isin(marks.get("hidden rows", ()))
    found.warn(hidden, table["study"], "this row is hidden or filtered away in the sheet", remedy)
    struck = {row for row, _ in marks.get("struck", ())}
    rows, what = keys.isin(struck), "cells of this row are struck out in the sheet"
    found.warn(rows, table["study"], what, remedy)
    for name in numbers:
        column = found.names.get(name, name)
        rows = np.array([(key, column) in marks.get("merged", ()) for key in keys], bool)
        what = "this number stands in merged cells and is read in each of their rows"
        found.warn(rows, table[name], what, "Check whether it belongs to each of them")
    for name in table:
        if found.names.get(name) in marks.get("hidden columns", ()):
            what = f"the column read as {name} is hidden in the sheet"
            found.lack(found.names[name], what, "Check whether it is the right one", "warning")


def _copies(found, table):
    """One study under several numbered names."""
    cells, parts = table["study"], table["study"].map(COPY.fullmatch)
    bases = parts.map(lambda part: part[1].casefold().rstrip(" ,;") if part else "")
    whole = set(cells.str.casefold())
    several = bases.map(cells.groupby(bases).nunique()) > 1
    rows = (bases != "") & (several | bases.isin(whole)) & ~cells.duplicated()
    what = "studies have this name but for a number at its end: they are counted as different ones"
    remedy = "Give experiments of one study one name, by [sheet.values.study] in review.toml"
    found.warn(rows, cells, what, remedy)


def _spellings(found, table, levels):
    """Ids and labels of levels that differ only in case, blanks, points, accents or kind of dash."""
    ids = ("study", "cohort", "control_group", "experiment")
    for cells in [*(table[name] for name in ids), *(levels[name] for name in levels)]:
        # The commonest spelling first; each other one is named once.
        first = cells.value_counts().index.to_series()
        first = first[first != ""]
        rows = cells.isin(first[first.map(_plain).duplicated()]) & ~cells.duplicated()
        what = "another id differs from this one only in its spelling"
        remedy = f"Bring them to one under [sheet.values.{cells.name}] in review.toml"
        if cells.name not in ids:
            remedy = "Bring them to one in the sheet, if they are one"
        found.warn(rows, cells, what, remedy)


def _within_several_studies(found, model, sheet, table):
    """Numbers that start anew in each study would join sampling errors of different studies."""
    within = (model or {}).get("within")
    if within not in sheet.levels:
        return
    cells = sheet.levels[within]
    several = table["study"].groupby(cells).transform("nunique") > 1
    what = "several studies have this value, and their sampling errors are taken to correlate"
    remedy = "Where it is another one in each study, give each a name of its own in the sheet"
    found.warn(several & ~cells.duplicated(), cells, what, remedy)


def _plain(text):
    if NUMBER.fullmatch(text):
        return repr(float(text))
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return re.sub(r"[\s.,;:_]+", "", re.sub("[‐‑‒–—−]", "-", text))


def _stands_for_nothing(name, cell):
    """Whether a cell may mean "not reported": 999 and the like, and -1 as a mean or an SD."""
    minus_one = name.startswith(("mean_", "sd_")) and re.fullmatch(r"-1(\.0)?", cell)
    return bool(minus_one or SENTINEL.fullmatch(cell))


def _sentinels(found, sheet, table):
    """Cells such as 999 that stand for "not reported"; returns them as (row, column)."""
    texts = {name: cells for name, (_, cells, _) in sheet.origin.items()}
    marked = pd.DataFrame(
        {
            name: cells.map(lambda c, n=name: _stands_for_nothing(n, c))
            for name, cells in texts.items()
        },
        table.index,
        dtype=bool,
    )
    told, often = set(), marked.sum(axis=1) > 1
    for name in marked.columns[marked.any()]:
        known = name in table
        cells = floats(table[name] if known else sheet.moderators[name.removeprefix(MODERATOR)])
        others = cells[~marked[name]].dropna()
        if others.empty and not name.startswith(("n_", "mean_", "sd_")):
            continue  # an id
        negative = texts[name].str.startswith("-") & ~(others < 0).any()
        far = cells.abs() > 3 * others.abs().max() if len(others) else True
        rows = marked[name] & (negative | far | often)
        what = "this number often stands for a value that is not reported"
        remedy = "If it does here, name it among `missing` under [sheet] in review.toml"
        found.warn(rows, texts[name].rename(name), what, remedy)
        told |= {(row, name) for row in table.index[rows]}
    return told


def _dates(found, table, numbers):
    """Whole numbers that a spreadsheet shows as dates of this century, far from all others."""
    told = set()
    for name in numbers:
        cells = numbers[name]
        serial = cells.between(*SERIALS) & (cells % 1 == 0)
        others = cells[~serial].abs().max()
        rows = serial & (~np.isfinite(others) & name.startswith("n_") | (cells > 20 * others))
        for serial in sorted(set(cells[rows])):
            day = date(1899, 12, 30) + timedelta(int(serial))
            what = f"a spreadsheet stores the date {day:%Y-%m-%d} as this number: perhaps "
            what += f"{day.day}.{day.month} or {day.day}-{day.month} was typed"
            found.warn(rows & (cells == serial), table[name], what, "Check it against the source")
        told |= {(row, name) for row in table.index[rows]}
    return told


def _far_sizes(found, table, numbers, told):
    """Group sizes far above all others, those apart that are warned of already."""
    sizes = numbers[[f"n_{arm}" for arm in ARMS]]
    known = pd.DataFrame({c: [(row, c) in told for row in sizes.index] for c in sizes}, sizes.index)
    values = np.sort(sizes.mask(known).to_numpy().ravel())
    values = values[np.isfinite(values)]
    if len(values) < 6:
        return
    for column in sizes:
        n = sizes[column]
        below = np.searchsorted(values, n)
        largest = np.where(below > 0, values[below - 1], np.nan)
        rare = len(values) - below <= max(2, 0.05 * len(values))
        rows = rare & (n > FAR * largest) & (n > 20) & ~known[column]
        what = "this group is far larger than all others"
        found.warn(rows, table[column], what, "Check it against the source")


def _thousandfold(found, table, numbers):
    """Means and SDs about a thousand times off, as by a mark for thousands read as decimal."""
    remedy = "Check the mark for decimals or thousands, and the unit"
    for name in ("mean", "sd"):
        size = numbers[[f"{name}_{arm}" for arm in ARMS]].abs()
        logs = np.log10(size.where(size > 0))
        by = logs.mean(axis=1).groupby(table["outcome"])
        middle, count = by.transform("median"), by.transform("count")
        # A row in another unit is off in both groups; a slip is off from the other group too.
        apart = (logs.iloc[:, 0] - logs.iloc[:, 1]).abs()
        for column in logs:
            off = (logs[column] - middle).abs()
            rows = off.between(*THOUSAND) & (apart > 2) & (count >= 4)
            what = f"this {name} is about a thousand times off those of the outcome's other rows"
            found.warn(rows, table[column], what, remedy)
    for arm in ARMS:
        mean, sd = numbers[f"mean_{arm}"], numbers[f"sd_{arm}"]
        # Changes from baseline lie about 0, with either sign.
        changes = (mean < 0).groupby(table["outcome"]).transform("any")
        rows = (mean != 0) & (sd > 100 * mean.abs()) & ~changes
        what = "this mean is hundreds of times smaller than its SD"
        found.warn(rows, table[mean.name], what, remedy)


def _percent(found, sheet):
    """Cells that a workbook shows as percentages and stores as their hundredth."""
    percent = sheet.raw.marks.get("percent", ())
    for name in sheet.origin:
        source, (places, texts, _) = found.names.get(name), sheet.origin[name]
        shown = places.map(lambda row, source=source: (row, source) in percent)
        if shown.any() and not shown.all():
            what = "the sheet shows this as a percentage, and other cells of the column as they are"
            remedy = "Check the unit: 45% is stored as 0.45"
            found.warn(shown & (texts != ""), texts.rename(name), what, remedy)
    for name in ("mean", "sd"):
        pair = [column for column in (f"{name}_{arm}" for arm in ARMS) if column in sheet.origin]
        shown = {
            column: sheet.origin[column][0].map(
                lambda row, column=column: (row, found.names.get(column)) in percent
            )
            for column in pair
        }
        if len(pair) == 2 and all(len(set(cells)) == 1 for cells in shown.values()):
            for column, other in (pair, pair[::-1]):
                rows = shown[column] & ~shown[other]
                what = "the sheet shows this as a percentage, and the other group's as it is"
                remedy = "Check the unit: 45% is stored as 0.45"
                found.warn(rows, sheet.origin[column][1].rename(column), what, remedy)
