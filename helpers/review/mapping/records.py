"""Several annotators of one study: the reconciled record is kept, else the newest one."""

import re

import pandas as pd

from helpers.review.mapping.working import joined, matches

ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?")


def keep(mapping):
    """Keep the records of one annotator of each study, as `[sheet.records]` says; list the others.

    Of the studies (`of`) that have rows which `keep` names, these are kept; where rows of several
    annotators (`by`) are left, those of the annotator who wrote last (`newest`).
    """
    rule = mapping.config.records
    if rule is None:
        return
    of, by, final = rule["of"], rule["by"], rule.get("keep")
    named = [final["column"]] if final else []
    named += [rule["newest"]] if "newest" in rule else []
    mapping.known("records", [*of, by, *named], mapping.table)
    for column in (*of, by):
        cells = mapping.table[column]
        what = "this is needed to tell the records of several annotators apart"
        mapping.found.fault(cells == "", cells, what, "Fill it in")
    if final:
        _keep_final(mapping, of, final)
    _take_newest(mapping, of, by, rule)


def _keep_final(mapping, of, final):
    """Of studies that have a reconciled record only that."""
    table, column = mapping.table, final["column"]
    study = joined(table, of, "\x1f")
    chosen = matches(table[column], final["values"])
    reconciled = chosen.groupby(study).transform("any")
    if not chosen.any():
        what = f"no row of the sheet has one of these in {column}"
        mapping.warn("records.keep", what, "Check how the sheet writes it")
    reason = "not the reconciled record of a study that has one"
    mapping.set_aside(reconciled & ~chosen, reason, "records", column)


def _take_newest(mapping, of, by, rule):
    """Of several annotators that are left of a study, the one who wrote last."""
    study, annotator = joined(mapping.table, of, "\x1f"), mapping.table[by]
    several = annotator.groupby(study).transform("nunique") > 1
    if not several.any():
        return
    if "newest" not in rule:
        what = "several annotators have records of this study, and nothing says which counts"
        remedy = "Name the column of dates as `newest` under [sheet.records], or what to `keep`"
        mapping.found.fault(several & ~study.duplicated(), mapping.table[of[0]], what, remedy)
        return
    cells = mapping.table[rule["newest"]]
    times = _times(mapping, cells, several, rule.get("format"))
    last = times.groupby([study, annotator]).transform("max")
    newest = last == last.groupby(study).transform("max")
    tied = several & (annotator.where(newest).groupby(study).transform("nunique") > 1)
    what = "another annotator of this study wrote at the same time, and one of them counts"
    remedy = "Name the record to keep by `keep` under [sheet.records]"
    mapping.found.fault(tied & newest & ~study.duplicated(), cells, what, remedy)
    reason = "another annotator has a newer record of this study"
    taken = several & ~tied & newest
    what = "several annotators have records of this study that may count: the newest is taken"
    remedy = "Where another is the right one, mark it by corrections.csv and `keep`"
    first = taken & ~study.where(taken).duplicated()
    mapping.found.warn(first, mapping.table[of[0]], what, remedy)
    mapping.set_aside(several & ~tied & ~newest, reason, "records", by)


def _times(mapping, cells, needed, form):
    """Cells as times; faults where one that is needed cannot be read in one way."""
    if form is None:
        cells_or_none = cells.where(cells.map(lambda cell: bool(ISO.fullmatch(cell))))
        times = pd.to_datetime(cells_or_none, format="ISO8601", utc=True, errors="coerce")
    else:
        times = pd.to_datetime(cells, format=form, utc=True, errors="coerce")
    what = "this is no date that can be read in one way only"
    remedy = 'Say how it is written, such as format = "%d/%m/%Y %H:%M", under [sheet.records]'
    mapping.found.fault(needed & times.isna(), cells, what, remedy)
    return times
