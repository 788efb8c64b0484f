"""What stands where in a forest plot: lines from top to bottom, columns of text beside the plot.

Lengths are inches. Vertical positions count downwards from the top of the first line, so a row
is where it stands and never what it is called. Columns are as wide as their longest text.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.drawing.text import shorten, text_width, wrap
from helpers.figures.labels import cut
from helpers.review.columns import ARMS
from helpers.words.numbers import (
    effect,
    effect_digits,
    effect_interval,
    estimate_text,
    level_name,
    number,
    p_phrase,
    variance_text,
)
from helpers.words.tables import BOUNDS

ROW = 0.17  # a line of 9 point text
PAD = 0.06  # left and right of everything
GAP = 0.12  # between columns
WIDTH, NARROW = 7.1, 3.7  # of a figure: A4 less its margins, and a phone
WIDEST = 8.6  # 9 point text is still 7 point when this is printed 17 cm wide
SHARE = 0.455  # of the width that is plot at least, a little above 45%
ARMS_SHARE = 0.32  # where means, SDs and n of both groups stand beside it
PLOT_MAX = 4.4
LABEL_MAX, HEAD_MAX = 2.0, 1.25  # the widest label, the widest heading of a study column
LABEL_NARROW, HEAD_NARROW = 1.12, 0.6
COMPACT = 120  # more rows than that are drawn without their texts, every nth label excepted
CUT = "Arrows: the interval goes on beyond the axis."


class Line(NamedTuple):
    """One line of the plot: its kind, its centre and height, and what it shows."""

    kind: str  # "row", "heading", "pooled", "interval" or "note"
    y: float
    height: float
    what: object


class Column(NamedTuple):
    """One text column; `group` is printed above the heading, `name` under the pointer.

    One that `stays` is drawn however little room there is.
    """

    heading: str
    name: str
    whole: list
    texts: list
    ha: str
    width: float
    group: str = ""
    stays: bool = False


class Across(NamedTuple):
    """How the width is divided: texts, plot, texts."""

    left: float
    plot: float
    right: float

    @property
    def width(self):
        """All of it."""
        return self.left + self.plot + self.right


def lines_of(rows, pooled, groups, across, row):
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
        summary(result, 0.05, notes(result, across.width - 3 * PAD))
    summary(pooled, 0.15 if groups else 0.05, ())
    ends = accumulate((height + space for _, height, _, space in plan), initial=0.04)
    return [
        Line(kind, end - height / 2, height, what)
        for (kind, height, what, _), end in zip(plan, list(ends)[1:], strict=True)
    ]


def with_intervals(result, measure):
    """The part of a narrow plot's note that stands in a wide plot's columns."""
    level, parts = f"{100 * result['level']:g}%", [f"k = {result['k']:.0f}"]
    parts.append(f"{level} CI {effect_interval(result['ci_low'], result['ci_high'], measure)}")
    if np.isfinite(result["pi_low"]):
        span = effect_interval(result["pi_low"], result["pi_high"], measure)
        parts.append(f"{level} prediction interval {span}")
    return result | {"intervals": parts}


def notes(pooled, width, overall=False):
    """Heterogeneity and test of the pooled effect, folded to `width`."""
    if pooled is None:
        return []
    parts = []
    if np.isfinite(pooled["tau2"]):  # a level of a model has none of its own
        parts = [
            f"τ² = {variance_text(pooled['tau2'])}",
            f"I² = {number(pooled['i2'], 1)}%",
            f"Q({pooled['k'] - 1:.0f}) = {number(pooled['q'])}",
            p_phrase(pooled["p_heterogeneity"]),
        ]
    if overall and parts:
        parts[0] = "Heterogeneity: " + parts[0]
        parts[-1] += f"; test of the pooled effect: {p_phrase(pooled['p_effect'])}"
    lines = []
    for listed in (pooled.get("intervals", []), parts):
        whole = ", ".join(part.replace(" ", "\u00a0") for part in listed)  # no part is folded
        lines += [line.replace("\u00a0", " ") for line in wrap(whole, width) if line]
    return lines


def divided(lead, tail, results, groups, width=None, narrow=False):
    """Divide the width among texts and plot, which has its share at least.

    Without a `width` the figure is as wide as its texts ask for.
    """
    right = PAD + sum(c.width + GAP for c in tail)
    left = PAD + sum(c.width + GAP for c in lead)
    names = [pooled_name(result, narrow) for result in results]
    least = [text_width(name, bold=True) for name in names]
    if results and not narrow:
        least.append(text_width(interval_name(results[0])) + PAD)
    if not narrow:
        least += [min(text_width(name, bold=True), LABEL_MAX) for name, *_ in groups]
    left = max(left, PAD + GAP + max(least, default=0))
    share = ARMS_SHARE if any(c.group for c in lead) else SHARE
    if width is None and not narrow:
        plot = max(min(WIDTH - left - right, PLOT_MAX), share / (1 - share) * (left + right))
    else:
        plot = max((width or NARROW) - left - right, 1.2)
    return Across(left, plot, right)


def fitting(lead, tail):
    """Columns less those of the studies for which there is no room.

    What stands nearest to the plot stays longest, as it is the size of the groups, and then what
    stands first.
    """
    most = (1 - SHARE) * WIDEST - 2 * PAD - sum(c.width + GAP for c in tail)
    kept = [c for c in lead if c.stays]
    for column in [*lead[-1:], *lead[:-1]]:
        if not column.stays and sum(c.width + GAP for c in [*kept, column]) <= most:
            kept.append(column)
    return [c for c in lead if any(c is one for one in kept)], tail


def columns(rows, results, columns, after, first, effect_label, favours, measure):
    """Text columns left and right of the plot; those without any content are left out."""

    def column(heading, cells, ha="right", *, least=0, group=""):
        whole = [str(cell) for cell in cells]
        texts = whole if ha == "right" else [shorten(text, LABEL_MAX) for text in whole]
        width = max(least, text_width(heading, bold=True), *map(text_width, set(texts)))
        return Column(heading, f"{group} {heading}".strip(), whole, texts, ha, width)

    def study_columns(named, ha):
        for name, heading in (named or {}).items():
            numeric = pd.api.types.is_numeric_dtype(rows[name])
            cells = ["–" if pd.isna(c) else f"{c:g}" if numeric else c for c in rows[name]]
            if set(cells) - {"–", "", "–/–"}:
                short = shorten(heading, HEAD_MAX, bold=True)
                one = column(short, cells, "right" if numeric else ha)
                yield one._replace(name=heading)

    def arm_columns(arm, called):
        group = shorten(called.removeprefix("favours ").capitalize(), HEAD_MAX, bold=True)
        pair = []
        if {f"mean_{arm}", f"sd_{arm}"} <= set(rows):
            values = zip(rows[f"mean_{arm}"], rows[f"sd_{arm}"], strict=True)
            texts = [
                "–" if pd.isna(mean) else f"{number(mean, digits)} ({number(sd, digits)})"
                for mean, sd in values
            ]
            pair.append(column("mean (SD)", texts, group=group))
        sizes = ["–" if pd.isna(n) else f"{n:.4g}" for n in rows[f"n_{arm}"]]
        pair.append(column("n", sizes, group=group))
        taken = sum(c.width for c in pair) + GAP * (len(pair) - 1)
        lacking = max(0, text_width(group, bold=True) - taken)
        pair[0] = pair[0]._replace(width=pair[0].width + lacking)
        pair[-1] = pair[-1]._replace(group=group)
        return [c._replace(stays=True) for c in pair]

    digits = _digits(rows)
    whole = [str(name) for name in rows["name" if "name" in rows else "label"]]
    texts = cut(rows["label"], LABEL_MAX)
    width = max(text_width(first, bold=True), *map(text_width, set(texts)))
    lead = [Column(first, first, whole, texts, "left", width, stays=True)]
    lead += study_columns(columns, "left")
    for arm, called in zip(ARMS, favours[::-1], strict=True):
        if f"n_{arm}" in rows and rows[f"n_{arm}"].notna().any():
            lead += arm_columns(arm, called)
    summaries = [estimate_text(*(r[name] for name in BOUNDS), measure) for r in results]
    least = max((text_width(text, bold=True) for text in summaries), default=0)
    triples = rows[["effect", "ci_low", "ci_high"]].to_numpy(float)
    places = effect_digits(rows["ci_low"], rows["ci_high"], measure)
    texts = [estimate_text(*triple, measure, places) for triple in triples]
    tail = [column(effect_label, texts, least=least)]
    if rows["weight"].notna().any() or rows["excluded"].any():
        shares = zip(rows["weight"], rows["excluded"], strict=True)
        tail.append(
            column("Weight", ["excl." if out else f"{number(100 * w, 1)}%" for w, out in shares])
        )
    return lead, [*tail, *study_columns(after, "right")]


def narrow_columns(rows, results, first, heading, measure):
    """The two columns of a plot for a phone: labels, and effects whose intervals are drawn."""
    texts = cut(rows["label"], LABEL_NARROW)
    heading = heading if text_width(heading, bold=True) < HEAD_NARROW else "Effect"
    first = shorten(first, LABEL_NARROW, bold=True)
    wide = max(text_width(first, bold=True), *map(text_width, set(texts)))
    places = effect_digits(rows["ci_low"], rows["ci_high"], measure)
    values = [effect(value, measure, places) for value in rows["effect"]]
    summaries = [estimate_alone(result, measure) for result in results]
    broad = max(
        text_width(heading, bold=True),
        *map(text_width, set(values)),
        *(text_width(text, bold=True) for text in summaries),
    )
    label = Column(first, first, texts, texts, "left", wide)
    return [label], [Column(heading, heading, values, values, "right", broad)]


def estimate_alone(result, measure):
    """A pooled effect without its interval, with the decimals that it has beside it."""
    digits = effect_digits(result["ci_low"], result["ci_high"], measure)
    return effect(result["estimate"], measure, digits)


def _digits(rows):
    """Decimals of means and SDs: two significant figures of a middling SD."""
    if not {"sd_treated", "sd_control"} <= set(rows):
        return 1
    sds = np.abs(rows[["sd_treated", "sd_control"]].to_numpy(float))
    middle = np.nanmedian(sds) if np.isfinite(sds).any() else np.nan
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


def pooled_name(result, narrow=False):
    """What a diamond is called in front of it."""
    if narrow:
        return "Pooled"
    how = result["method"] + (", HKSJ" if result["interval"].startswith("hksj") else "")
    return f"Pooled, k = {result['k']:.0f}" + (f" ({how})" if how else "")


def interval_name(result, narrow=False):
    """What the bar below a diamond is called."""
    return "Prediction" if narrow else f"{100 * result['level']:g}% prediction interval"


def summary_texts(lines, across, right, measure, beside=None, narrow=False):
    """Texts of headings, pooled results and their notes; `beside` stands right of headings."""
    entries = []
    for kind, y, _, what in lines:
        if kind == "heading":
            said = (beside or {}).get(what, "")
            room = across.width - 3 * PAD - text_width(said) if narrow else across.left - GAP
            entries.append(("left", True, PAD, y, shorten(what, room, bold=True)))
            if said:
                entries.append(("right", False, right, y, said))
        elif kind == "note":
            entries.append(("left", False, 2 * PAD, y, what))
        elif kind == "pooled":
            entries.append(("left", True, PAD, y, pooled_name(what, narrow)))
            whole = estimate_text(*(what[name] for name in BOUNDS), measure)
            text = estimate_alone(what, measure) if narrow else whole
            entries.append(("right", True, right, y, text))
        elif kind == "interval":
            entries.append(
                ("left", False, PAD if narrow else 2 * PAD, y, interval_name(what, narrow))
            )
            if not narrow:
                values = effect_interval(what["pi_low"], what["pi_high"], measure)
                entries.append(("right", False, right, y, values))
    return entries


def sides(favours, zero, edges, top):
    """What effects left and right of no effect speak for, under the axis and never beyond it.

    Returns
    -------
    entries : list
        As of `cells`.
    deep : float
        Height of their lines: one, or more where both do not fit beside each other.
    """
    (start, end), (low, high) = edges, (f"← {favours[0]}", f"{favours[1]} →")
    wide = [text_width(text) for text in (low, high)]
    if start + wide[0] <= zero - PAD and zero + PAD + wide[1] <= end:
        return [
            ("right", False, zero - PAD, top + ROW / 2, low),
            ("left", False, zero + PAD, top + ROW / 2, high),
        ], ROW
    if sum(wide) + GAP <= end - start:
        return [
            ("left", False, start, top + ROW / 2, low),
            ("right", False, end, top + ROW / 2, high),
        ], ROW
    texts = [("left", start, one) for one in wrap(low, end - start)]
    texts += [("right", end, one) for one in wrap(high, end - start)]
    entries = [
        (ha, False, x, top + ROW * (place + 0.5), shorten(text, end - start))
        for place, (ha, x, text) in enumerate(texts)
    ]
    return entries, ROW * len(texts)


def measure_heading(measure, level):
    """Heading of effects with their intervals: "SMD (95% CI)"."""
    return f"{measure.title} ({level_name(level)})"
