"""What the sheet's columns say of quality: judgements folded to few words, animals lost."""

import numpy as np
import pandas as pd

from helpers.problems import ReviewError, nearest, row_of
from helpers.review.columns import ARMS, MODERATOR
from helpers.review.mapping.working import as_text
from helpers.review.quality import KNOWN, LEVELS
from helpers.review.schema import fault
from helpers.sheet.files import plain_number

NONE = ("none", "no", "nil")  # no animal lost


def fold_moderators(mapping):
    """Moderators that are items of `[quality]` have its words, unless their levels are others."""
    quality, columns = mapping.description.quality, mapping.config.columns
    _know_all(mapping)
    for name, moderator in mapping.description.moderators.items():
        source = quality.source({"id": name, "column": moderator.column}, columns)
        kind, key = quality.kinds.get(source), MODERATOR + name
        if kind and key in mapping.table and {*moderator.levels} <= {*LEVELS[kind]}:
            cells = mapping.table[key]
            words, _ = quality.words(source, cells, _missing(mapping, cells))
            mapping.table[key] = cells.map(lambda cell, words=words: _or(words[cell], cell))


def _or(level, cell):
    return cell if level is None else level


def read_quality(mapping):
    """Judgements and animals lost of the rows that became experiments."""
    quality, index = mapping.description.quality, mapping.table.index
    judged = {item: _judgements(mapping, item) for item in quality.kinds}
    mapping.judgements = pd.DataFrame(judged, index, dtype=object)
    lost = {}
    for name, column in quality.losses.items():
        if mapping.config.long and name in ("drop_outs", "allocated"):
            for arm in ARMS:
                lost[f"{name}_{arm}"] = _animals(mapping, column, mapping.rows_of(arm))
        else:
            lost[name] = _animals(mapping, column, mapping.rows_of())
    mapping.losses = pd.DataFrame(lost, index, dtype=float)


def _know_all(mapping):
    """Refuse, all at once, columns that `[quality]` names and the sheet lacks."""
    quality = mapping.description.quality
    named = [(f"quality.{kind}", item) for item, kind in quality.kinds.items()]
    named += [(f"quality.{name}", column) for name, column in quality.losses.items()]
    faults = [
        fault(place, "the sheet has no such column", column, nearest(column, mapping.before))
        for place, column in named
        if column not in mapping.before
    ]
    if faults:
        raise ReviewError(faults)


def _missing(mapping, cells):
    return set(cells[mapping.is_missing(cells)])


def _judgements(mapping, item):
    quality = mapping.description.quality
    cells = mapping.before[item].reindex(mapping.rows_of()).set_axis(mapping.table.index)
    words, unsure = quality.words(item, cells, _missing(mapping, cells))
    kind, place = quality.kinds[item], f'[quality.values."{item}"]'
    if unsure:
        listed = ", ".join(map(repr, unsure))
        what = f"{listed} may be a low or a high risk under this heading"
        mapping.found.lack(item, what, f'Say {unsure[0]} = "low" (or "high") under {place}')
    unknown = cells.map(lambda cell: words[cell] is None and cell not in unsure)
    remedy = f"Known are {KNOWN[kind]}; or say what it is under {place}, one of "
    remedy += ", ".join(LEVELS[kind])
    mapping.found.fault(unknown, cells, "this is no judgement known here", remedy)
    for word, level in words.items():
        if level and level != as_text(word):
            mapping.note("judgement", item, f"{word!r} is {level}", (cells == word).sum())
    judged = cells.map(lambda cell: words[cell] or "")
    _warn_of_others(mapping, cells, judged)
    return judged


def _warn_of_others(mapping, cells, judged):
    """Rows of a study that are judged otherwise than its first one."""
    there = judged[judged != ""]
    studies = mapping.cells("study")[there.index]
    first = there.index.to_series().groupby(studies).transform("first")
    remedy = (
        "Correct one of them where the study was judged as a whole; tables of studies show the "
    )
    remedy += "worse of them"
    for row, other in first.items():
        if judged[row] != judged[other]:
            what = (
                f"this is {judged[row]}, and {cells[other]!r} in row {row_of(other)} of the same "
            )
            what += f"study is {judged[other]}"
            mapping.found.warn(pd.Series(cells.index == row, cells.index), cells, what, remedy)


def _animals(mapping, column, rows):
    """Numbers of a column in some rows, by the rows of the table."""
    index = mapping.table.index
    cells = mapping.before[column].reindex(rows).set_axis(index)
    blank = mapping.is_missing(cells) | cells.str.casefold().isin(["na", "n/a", "nr", "?"])
    text = cells.mask(blank, "").mask(cells.str.casefold().isin(NONE), "0")
    plain = text.map(lambda cell: plain_number(cell) or "")
    what, remedy = "a whole number of animals is due here", "Write it, or leave the cell empty"
    mapping.found.fault((text != "") & (plain == ""), cells, what, remedy)
    return plain.map(lambda cell: float(cell) if cell else np.nan).astype(float)
