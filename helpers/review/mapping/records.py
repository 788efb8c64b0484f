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
    newest = rule.get("newest")
    columns = [*of, by, *([final["column"]] if final else []), *([newest] if newest else [])]
    mapping.known("records", columns, mapping.table)
    _lack(mapping, [*of, by])
    study = joined(mapping.table, of, "\x1f")
    if final:
        chosen = matches(mapping.table[final["column"]], final["values"])
        if not chosen.any():
            what = f"no row has one of these in {final['column']}"
            mapping.warn("records.keep", what, "Check how the sheet writes it")
        rows = ~chosen & chosen.groupby(study).transform("any")
        reason = "another annotator's record of a study that has a reconciled one"
        mapping.set_aside(rows, reason, "records", final["column"])
        without = chosen.groupby(study).transform("any")
        study = study[~rows]
        first = (~without & ~study.duplicated()).reindex(study.index)
        what = "no record of this study is reconciled: its newest one is taken"
        cells = mapping.table[by].where(first)
        several = mapping.table[by].groupby(study).transform("nunique") > 1
        told = "Reconcile it, or name the one to keep in corrections.csv"
        mapping.found.warn(first & several, cells, what, told)
    _take_newest(mapping, study, by, newest, rule.get("format"))


def _lack(mapping, columns):
    """Faults where it is not said whose record a row is."""
    for column in columns:
        cells = mapping.table[column]
        what = "this is needed to tell the records of several annotators apart"
        mapping.found.fault(cells == "", cells, what, "Fill it in")


def _take_newest(mapping, study, by, newest, form):
    """Of several annotators that are left of a study, the one who wrote last."""
    annotator = mapping.table[by]
    several = annotator.groupby(study).transform("nunique") > 1
    if not several.any():
        return
    if newest is None:
        what = "several annotators have records of this study, and nothing says which counts"
        remedy = "Name the column of dates as `newest` under [sheet.records], or what to `keep`"
        once = several & ~joined(mapping.table, [by], "").groupby(study).transform(
            lambda cells: cells.duplicated()
        ).astype(bool)
        mapping.found.fault(once, annotator, what, remedy)
        return
    times = _times(mapping, mapping.table[newest], several, form)
    last = times.groupby([study, annotator]).transform("max")
    best = last.groupby(study).transform("max")
    winners = annotator.where(several & (last == best)).groupby(study).transform("nunique")
    tied = several & (winners > 1)
    what = "two annotators of this study have the same newest date"
    remedy = "Name the record to keep by `keep` under [sheet.records]"
    shown = tied & ~study.duplicated()
    mapping.found.fault(shown, mapping.table[newest], what, remedy)
    rows = several & ~tied & (last < best)
    reason = "another annotator's record of a study: a newer one is taken"
    mapping.set_aside(rows, reason, "records", by)


def _times(mapping, cells, needed, form):
    """Cells as times; faults where one that is needed cannot be read in one way."""
    if form is None:
        plain = cells.where(cells.map(lambda cell: bool(ISO.fullmatch(cell))))
        times = pd.to_datetime(plain, format="ISO8601", utc=True, errors="coerce")
    else:
        times = pd.to_datetime(cells, format=form, utc=True, errors="coerce")
    what = "this is no date that can be read in one way only"
    remedy = 'Say how it is written, such as format = "%d/%m/%Y %H:%M", under [sheet.records]'
    mapping.found.fault(needed & times.isna(), cells, what, remedy)
    return times
