"""Habits of a sheet that hide what a row holds: blocks told once, several numbers in a cell."""

import re

import numpy as np
import pandas as pd

from helpers.problems import FILES, ROWS
from helpers.review.mapping.numbers import stripped
from helpers.review.mapping.working import as_text

NUMBER = r"[-+−–]?\s?\d[\d.,']*(?:[eE][-+]?\d+)?"


def fill_down(mapping):
    """Give rows what stands only in the first row of their block."""
    columns = mapping.config.fill_down
    mapping.known("fill_down", columns, mapping.table)
    for column in columns:
        cells = mapping.table[column]
        filled = cells.where(cells != "").ffill().fillna("")
        mapping.note("fill down", column, "as in the row above", (filled != cells).sum())
        mapping.table[column] = filled
        stored = mapping.stored[column].astype(object).where(cells != "").ffill()
        mapping.stored[column] = stored.eq(True)


def split(mapping):
    """Take cells apart that hold several numbers, by how `[sheet.split]` says they are written.

    ``"Drug" = "mean ± error (n = n)"`` reads "4.1 ± 1.2 (n = 8)" into the columns "Drug mean", "Drug
    error" and "Drug n". A cell that is not written so is a fault; an empty one, or one that stands
    for a missing value, leaves its parts empty.
    """
    mapping.known("split", mapping.config.split, mapping.table)
    for column, form in mapping.config.split.items():
        parts, pattern = _pattern(form)
        if len(parts) < 2 or len(set(parts)) < len(parts):
            what = "this does not say which numbers stand in a cell"
            remedy = 'Write it as the cells are, with a word for each number: "mean ± error (n)"'
            mapping.refuse(f"split.{column}", what, remedy, form)
        cells = mapping.table[column]
        there = ~mapping.is_missing(cells)
        bare = stripped(mapping, column, cells)
        found = bare.map(lambda cell, p=pattern: p.fullmatch(cell))
        what = f"this is not written as [sheet.split] says: {form}"
        remedy = "Correct the cell, or name it among `missing` where it is no value"
        mapping.found.fault(there & found.isna(), cells, what, remedy)
        for place, part in enumerate(parts, 1):
            title = f"{column} {part}"
            if title in mapping.table:
                mapping.refuse(
                    f"split.{column}", f"the sheet has a column {title}", "Use another word"
                )
            mapping.table[title] = [m[place].replace(" ", "") if m else "" for m in found]
            mapping.stored[title] = False
        mapping.note("split", column, f"into {', '.join(parts)}", (there & found.notna()).sum())


def _pattern(form):
    """The words of a form, and the pattern of a cell that is written so."""
    signs = {"±": r"(?:±|\+/-|\+-|\+/−)", "-": "[-–—−]|to|bis|à|a", "–": "[-–—−]|to|bis|à|a"}
    # "n = n": a word before "=" is a word of the cell, not a number.
    tokens = re.findall(r"[^\W\d_]\w*(?=\s*[=:])|[^\W\d]\w*|\S", form)
    parts, pattern = [], r"\s*"
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        if re.match(r"\w", token) and after not in ("=", ":"):
            parts.append(token)
            pattern += f"({NUMBER})"
        elif token in signs:
            pattern += f"(?:{signs[token]})"
        else:
            pattern += re.escape(token)
        pattern += r"\s*"
    return parts, re.compile(pattern, re.I)


def blocks(mapping):
    """A row once for each block of columns that `[[sheet.blocks]]` names: arms, outcomes, days.

    Columns that all blocks share stay as they are. A row with nothing in a block's columns has no
    such row. Where the blocks name treated groups only, a row's control group is the same animals.
    """
    entries = mapping.config.blocks
    if not entries:
        return
    table, stored, parts = mapping.table, mapping.stored, []
    names = list(
        dict.fromkeys(name for e in entries for name in (*e["columns"], *e.get("constants", {})))
    )
    titles = {name: f"{name} (by block)" for name in names}
    headings = {title: [] for title in titles.values()}
    for number, entry in enumerate(entries):
        mapping.known("blocks", entry["columns"].values(), table)
        part, kinds = table.copy(), stored.copy()
        for name, title in titles.items():
            source, constant = entry["columns"].get(name), entry.get("constants", {}).get(name, "")
            part[title] = table[source] if source else as_text(constant)
            kinds[title] = stored[source] if source else not isinstance(constant, str)
        whole = (table[[*entry["columns"].values()]] != "").any(axis=1)
        keys = part.index + number * ROWS * FILES
        for name, title in titles.items():
            source = entry["columns"].get(name, title)
            headings[title].append(pd.Series(source, keys, dtype=object))
        parts.append(
            (part.set_axis(keys)[whole.to_numpy()], kinds.set_axis(keys)[whole.to_numpy()])
        )
        label = (
            ", ".join(map(as_text, entry.get("constants", {}).values())) or f"block {number + 1}"
        )
        mapping.note("block", label, f"columns {', '.join(entry['columns'].values())}", whole.sum())
    empty = ~np.isin(
        table.index, np.concatenate([part.index % (ROWS * FILES) for part, _ in parts])
    )
    mapping.set_aside(pd.Series(empty, table.index), "no block holds anything", "blocks", "")
    # Rows stay together, as they stand in the sheet.
    mapping.table = pd.concat([part for part, _ in parts]).sort_index(key=_by_row, kind="stable")
    mapping.stored = pd.concat([kinds for _, kinds in parts]).reindex(mapping.table.index)
    mapping.headings = {title: pd.concat(each) for title, each in headings.items()}
    mapping.of_blocks = titles
    mapping.rows_in += len(mapping.table) - len(table.index.difference(mapping.unused))


def _by_row(keys):
    return keys % (ROWS * FILES)
