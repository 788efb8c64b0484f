"""Estimates with their intervals on one axis, small enough for a line of a table."""

from __future__ import annotations

import math

from helpers.analysis.measures import SMD
from helpers.page.templating import macros
from helpers.words.numbers import effect, estimate_text


def by_measure(rows):
    """Rows by what their estimates are, as (measure, rows), in the order of first appearance."""
    groups = {}
    for row in rows:
        measure = row.get("measure", SMD)
        groups.setdefault((measure.title, measure.scale), (measure, []))[1].append(row)
    return list(groups.values())


def axis(rows, measure=SMD):
    """Round limits of an axis that holds no effect and all intervals, on the data's scale."""
    keys = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
    ends = [row.get(key) for row in rows for key in keys]
    finite = [0.0, *filter(_known, ends)]
    low, high = min(finite), max(finite)
    if measure.is_log:
        return _ratio_end(low, math.floor), _ratio_end(high, math.ceil) or (0.0 if low else 1.0)
    power = 10.0 ** math.floor(math.log10(((high - low) or 1.0) / 8))
    step = next(m * power for m in (1, 2, 5, 10) if high - low <= 8 * m * power)
    return math.floor(low / step) * step, math.ceil(high / step) * step or (0.0 if low else 1.0)


def _ratio_end(value, towards):
    """The log of a ratio of one figure (two near 1) at or beyond the log `value`."""
    power = 10.0 ** (math.floor(value / math.log(10)) - (abs(value) < 0.4))
    return math.log(towards(round(math.exp(value) / power, 9)) * power) if value else 0.0


def scale(low, high, measure=SMD):
    """Numbers at the ends of an axis, and its null value, above intervals drawn on it."""
    # A null value that stands near an end is left out where the axis is short.
    near = not 0.25 < -low / (high - low) < 0.75
    marks = [
        {
            "x": _share(at, low, high),
            "anchor": {low: "start", high: "end"}.get(at, "middle"),
            "near": near and low < at < high,
            "text": f"{measure.shown(at):.10g}".replace("-", "−"),
        }
        for at in sorted({low, 0.0, high})
    ]
    return macros().scale(marks)


def interval(row, low, high):
    """Draw one estimate with its interval as a small SVG on the axis from `low` to `high`."""
    lines = [
        (kind, _share(start, low, high), _share(end, low, high))
        for kind in ("pi", "ci")
        if _known(start := row.get(f"{kind}_low")) and _known(end := row.get(f"{kind}_high"))
    ]
    at = row.get("estimate")
    point = _share(at, low, high) if _known(at) else None
    return macros().interval(lines, _share(0, low, high), point, row.get("kind") == "published")


def _known(value):
    return value is not None and math.isfinite(value)


def _share(value, low, high):
    return f"{100 * (value - low) / (high - low):.2f}%"


def estimate(row):
    """Write an estimate with its interval: ``"1.66 [1.53, 1.79]"``, ratios of log effects."""
    if not _known(row.get("estimate")):
        return "not pooled"
    measure = row.get("measure", SMD)
    if not _known(row.get("ci_low")):
        return effect(row["estimate"], measure)
    # The interval stays in one line where a narrow screen wants two.
    text = estimate_text(row["estimate"], row["ci_low"], row["ci_high"], measure)
    return text.replace(", ", ",\u00a0")
