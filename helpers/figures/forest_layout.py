"""What stands where in a forest plot: lines from top to bottom, columns of text beside the plot.

Lengths are inches. Vertical positions count downwards from the top of the first line, so a row
is where it stands and never what it is called. Columns are as wide as their longest text.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.drawing.text import shorten, text_width, wrap
from helpers.review.columns import ARMS
from helpers.words.numbers import (
    effect_digits,
    effect_interval,
    estimate_text,
    number,
    p_phrase,
    variance_text,
)
from helpers.words.tables import BOUNDS

ROW = 0.17  # a line of 9 point text
PAD = 0.06  # left and right of everything
GAP = 0.13  # between columns
LABEL_MAX, HEAD_MAX = 2.4, 1.25  # the widest label, the widest heading of a study column
COMPACT = 120  # more rows than that are drawn without their texts, every nth label excepted


class Line(NamedTuple):
    """One line of the plot: its kind, its centre and height, and what it shows."""

    kind: str  # "row", "heading", "pooled", "interval" or "note"
    y: float
    height: float
    what: object


class Column(NamedTuple):
    """One text column; `group` is printed above the heading, `name` under the pointer."""

    heading: str
    name: str
    whole: list
    texts: list
    ha: str
    width: float
    group: str = ""


def lines_of(rows, pooled, groups, left, row):
    """Lay the lines out from top to bottom."""
    height = float(np.clip(9 / len(rows), 0.022, 0.075)) if len(rows) > COMPACT else row
    plan = []  # (kind, height, what, space above)

    def summary(result, space, notes):
        if result is not None:
            plan.append(("pooled", ROW, result, space))
            if np.isfinite(result["pi_low"]):
                plan.append(("interval", ROW, result, 0))
            plan.extend(("note", ROW, note, 0) for note in notes)

    for name, index, result in groups or [(None, rows.index.unique(), None)]:
        if name is not None:
            plan.append(("heading", ROW, name, 0.1 if plan else 0))
        # in the order of the table, so that a sorted table is sorted within its groups too
        places = np.sort(rows.index.get_indexer_for(pd.Index(index).unique()))
        plan.extend(("row", height, place, 0) for place in places)
        summary(result, 0.05, notes(result, left - 2 * PAD - GAP))
    summary(pooled, 0.15 if groups else 0.05, ())
    ends = accumulate((height + space for _, height, _, space in plan), initial=0.04)
    return [
        Line(kind, end - height / 2, height, what)
        for (kind, height, what, _), end in zip(plan, list(ends)[1:], strict=True)
    ]


def notes(pooled, width, overall=False):
    """Heterogeneity and test of the pooled effect, folded to `width`."""
    if pooled is None:
        return []
    parts = [
        f"τ² = {variance_text(pooled['tau2'])}",
        f"I² = {number(pooled['i2'], 1)}%",
        f"Q({pooled['k'] - 1:.0f}) = {number(pooled['q'])}",
        p_phrase(pooled["p_heterogeneity"]),
    ]
    if overall:
        parts[0] = "Heterogeneity: " + parts[0]
        parts[-1] += f"; test of the pooled effect: {p_phrase(pooled['p_effect'])}"
    whole = ", ".join(part.replace(" ", "\u00a0") for part in parts)  # no part is folded itself
    return [line.replace("\u00a0", " ") for line in wrap(whole, width)]


def columns(rows, results, columns, after, first, effect_label, favours, measure):
    """Text columns left and right of the plot."""

    def column(heading, cells, ha="right", *, most=9, tail=0, least=0, group=""):
        whole = [str(cell) for cell in cells]
        texts = [shorten(text, most, tail=tail) for text in whole]
        width = max(least, text_width(heading, bold=True), *map(text_width, set(texts)))
        return Column(heading, f"{group} {heading}".strip(), whole, texts, ha, width)

    def study_column(name, heading, ha):
        numeric = pd.api.types.is_numeric_dtype(rows[name])
        cells = ["–" if pd.isna(c) else f"{c:g}" if numeric else c for c in rows[name]]
        heading = shorten(heading, HEAD_MAX, bold=True)
        return column(heading, cells, "right" if numeric else ha, most=LABEL_MAX)

    def arm_columns(arm, called):
        group = shorten(called.removeprefix("favours ").capitalize(), HEAD_MAX, bold=True)
        pair = [column("n", [f"{n:.4g}" for n in rows[f"n_{arm}"]], group=group)]
        if {f"mean_{arm}", f"sd_{arm}"} <= set(rows):
            values = zip(rows[f"mean_{arm}"], rows[f"sd_{arm}"], strict=True)
            texts = [f"{number(mean, digits)} ({number(sd, digits)})" for mean, sd in values]
            pair.append(column("mean (SD)", texts, group=group))
        taken = sum(c.width for c in pair) + GAP * (len(pair) - 1)
        lacking = max(0, text_width(group, bold=True) - taken)
        pair[0] = pair[0]._replace(width=pair[0].width + lacking)
        pair[-1] = pair[-1]._replace(group=group)
        return pair

    digits = _digits(rows)
    lead = [column(first, rows["label"], "left", most=LABEL_MAX, tail=8)]
    lead += [study_column(*item, "left") for item in (columns or {}).items()]
    for arm, called in zip(ARMS, favours[::-1], strict=True):
        lead += arm_columns(arm, called) if f"n_{arm}" in rows else []
    summaries = [estimate_text(*(r[name] for name in BOUNDS), measure) for r in results]
    least = max((text_width(text, bold=True) for text in summaries), default=0)
    triples = rows[["effect", "ci_low", "ci_high"]].to_numpy(float)
    places = effect_digits(rows["ci_low"], rows["ci_high"], measure)
    texts = [estimate_text(*triple, measure, places) for triple in triples]
    tail = [column(effect_label, texts, least=least)]
    if rows["weight"].notna().any() or rows["excluded"].any():
        shares = zip(rows["weight"], rows["excluded"], strict=True)
        tail.append(column("Weight", ["excl." if out else number(100 * w, 1) for w, out in shares]))
    tail += [study_column(*item, "right") for item in (after or {}).items()]
    return lead, tail


def _digits(rows):
    """Decimals of means and SDs: two significant figures of a middling SD."""
    if not {"sd_treated", "sd_control"} <= set(rows):
        return 1
    middle = np.nanmedian(np.abs(rows[["sd_treated", "sd_control"]].to_numpy(float)))
    return int(np.clip(1 - np.floor(np.log10(middle)), 0, 4)) if middle > 0 else 1


def row_titles(columns):
    """All of a row's texts, uncut, for the pointer."""
    first, *others = columns
    named = [[f"{c.name} {text}" for text in c.whole] for c in others]
    return ["; ".join(parts) for parts in zip(first.whole, *named, strict=True)]


def cells(shown, columns, x):
    """Headings and cells of columns from `x` on, as (alignment, bold, x, y, text)."""
    step = int(np.ceil(ROW / min(line.height for line in shown)))
    entries = []
    for column in columns:
        anchor = x if column.ha == "left" else x + column.width
        entries.append((column.ha, True, anchor, -0.08, column.heading))
        if column.group:
            entries.append((column.ha, True, anchor, -0.08 - ROW, column.group))
        if column.texts:
            entries += [
                (column.ha, False, anchor, line.y, column.texts[line.what])
                for line in shown[step // 2 :: step]
            ]
        x += column.width + GAP
    return entries


def summary_texts(lines, left, right, measure):
    """Texts of headings, pooled results and their notes."""
    entries = []
    for kind, y, _, what in lines:
        if kind == "heading":
            entries.append(("left", True, PAD, y, shorten(what, left - GAP, bold=True)))
        elif kind == "note":
            entries.append(("left", False, 2 * PAD, y, what))
        elif kind == "pooled":
            how = what["method"] + (", HKSJ" if what["interval"].startswith("hksj") else "")
            text = f"Pooled, k = {what['k']:.0f}" + (f" ({how})" if how else "")
            entries.append(("left", True, PAD, y, shorten(text, left - PAD - GAP, bold=True)))
            values = estimate_text(*(what[name] for name in BOUNDS), measure)
            entries.append(("right", True, right, y, values))
        elif kind == "interval":
            name = f"{100 * what['level']:g}% prediction interval"
            entries.append(("left", False, 2 * PAD, y, name))
            values = effect_interval(what["pi_low"], what["pi_high"], measure)
            entries.append(("right", False, right, y, values))
    return entries


def sides(favours, zero, bottom, width):
    """What an effect left and right of no effect speaks for, under the axis."""
    low, high = shorten(f"← {favours[0]}", zero - 2 * PAD), f"{favours[1]} →"
    high, y = shorten(high, width - zero - 2 * PAD), bottom + 0.34
    return [("right", False, zero - PAD, y, low), ("left", False, zero + PAD, y, high)]
