"""Forest plots: aligned columns beside intervals, diamonds, prediction intervals.

Lengths are inches. Vertical positions count downwards from the top of the first line, so a row
is where it stands and never what it is called. Columns are as wide as their longest text.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from helpers.lettering import Hover, Texts, shorten, text_width
from helpers.style import BLUE, GREY, INK, SIZE, VERMILLION, styled

WIDTH = 7.1  # A4 less its margins
ROW = 0.17  # a line of 9 point text
PAD = 0.06  # left and right of everything
GAP = 0.13  # between columns
LABEL_MAX, TEXT_MAX = 2.1, 1.25  # the widest label, the widest heading of a study column
PLOT_MIN, PLOT_MAX = 2.2, 4.0
COMPACT = 120  # more rows than that are drawn without their texts, every nth label excepted


class Line(NamedTuple):
    """One line of the plot: its kind, its centre and height, and what it shows."""

    kind: str  # "row", "heading", "pooled", "interval" or "note"
    y: float
    height: float
    what: object


class Column(NamedTuple):
    """One text column: two lines of heading, a text for each row, alignment and width."""

    group: str
    heading: str
    texts: list
    ha: str
    width: float


@styled
def forest(
    rows,
    *,
    pooled=None,
    groups=None,
    columns=None,
    after=None,
    heading="Experiment",
    effect_label="SMD (95% CI)",
    favours=("favours control", "favours exosomes"),
    better=None,
    prediction=True,
    sort=None,
    title=None,
    row=ROW,
    nudge=0.0,
    ax=None,
):
    """Draw effects with their intervals, and what pooling them gives.

    Squares have an area proportional to the weight; the diamond is the pooled effect with its
    interval; the bar below it is the prediction interval; hollow squares are excluded rows.
    Intervals that leave the plot end in an arrow. With more than 120 rows the rows are narrow
    and only some labels are printed: the pointer shows all of a row.

    Parameters
    ----------
    rows : DataFrame
        `label, effect, ci_low, ci_high, weight` (fraction of 1); if there,
        `n_treated, mean_treated, sd_treated, n_control, mean_control, sd_control` in the
        outcome's unit, `excluded` (bool), and the study columns.
    pooled : PooledResult or mapping, optional
        None where nothing is pooled (k = 1).
    groups : list of (str, index labels, PooledResult or None), optional
        Headed blocks of rows, each with its own diamond.
    columns : dict, optional
        Study columns beside the label: name in `rows` to heading.
    after : dict, optional
        Further text columns at the right.
    heading : str
        Heading of the labels.
    effect_label : str
        Heading of the effects; its first word stands over the plot.
    favours : (str, str)
        What an effect in favour of control, and of treatment, is called.
    better : {"higher", "lower"}, optional
        Which effects are benefit; without it the sides are not named.
    prediction : bool
        Draw prediction intervals.
    sort : str, optional
        Column of `rows` to sort by, upwards.
    title : str, optional
    row : float
        Height of a row in inches.
    nudge : float
        Inches by which intervals are drawn below the middle of their row, to leave room for others.
    ax : Axes, optional
        Its box is divided among columns and plot; without it a figure of the right size is made.

    Returns
    -------
    Axes
        x is the effect, y inches downwards from the top of the first line.
    """
    rows = _complete(rows, sort)
    results = [r for r in [pooled, *(g[2] for g in groups or [])] if r is not None]
    lead, tail = _columns(rows, results, (columns, after), (heading, effect_label), favours)
    left = PAD + sum(c.width + GAP for c in lead)
    if pooled is not None or groups:
        left = max(left, 2.3)
    right = PAD + sum(c.width + GAP for c in tail)
    width = WIDTH if ax is None else ax.get_position().width * ax.figure.get_figwidth()
    plot = max(PLOT_MIN, width - left - right)
    if ax is None:
        plot = min(plot, PLOT_MAX)
        width = left + plot + right
    lines = layout(rows, pooled=pooled, groups=groups, prediction=prediction, left=left, row=row)
    bottom = lines[-1].y + lines[-1].height / 2 + 0.04
    notes = _notes(pooled, width - 2 * PAD, overall=True)
    head = 0.06 + ROW * (1 + any(c.group for c in lead + tail)) + (0.25 if title else 0)
    foot = 0.24 + (0.2 if better else 0) + ROW * len(notes) + 0.06
    ax = _frame(ax, width, (left, plot, right), (head, bottom, foot))

    limits = _limits(rows, results, prediction)
    _scale(ax, limits, bottom, pooled)
    _intervals(ax, rows, lines, limits, nudge)
    _summaries(ax, lines, limits)
    across, transform = (left, plot, width), _inches(ax, left)
    _letters(ax, rows, lines, (lead, tail), across, transform, title)
    _footer(
        ax, notes, bottom, better and favours[:: 1 if better == "higher" else -1], limits, across
    )
    _hover(ax, rows, lines, columns, effect_label, width, transform)
    return ax


def field(result, name, default=np.nan):
    """Value of a result's attribute, or key where it is a mapping."""
    if isinstance(result, Mapping | pd.Series):
        return result.get(name, default)
    return getattr(result, name, default)


def number(value, decimals=2):
    """Print a number with a true minus sign; from 100 on without decimals."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:.{0 if abs(value) >= 99.995 else decimals}f}"
    return (text[1:] if float(text) == 0 else "−" + text[1:]) if text.startswith("-") else text


def p_text(p):
    """P-value with its relation: "= 0.012" or "< 0.001"."""
    return "< 0.001" if p < 0.0005 else f"= {p:.3f}"


def interval_text(estimate, low, high):
    """Estimate with its interval in brackets."""
    return f"{number(estimate)} [{number(low)}, {number(high)}]"


def _complete(rows, sort):
    rows = rows if sort is None else rows.sort_values(sort, kind="stable")
    rows = rows.copy()
    if "weight" not in rows:
        rows["weight"] = np.nan
    rows["excluded"] = rows["excluded"].astype(bool) if "excluded" in rows else False
    return rows


def layout(rows, *, pooled=None, groups=None, prediction=True, left=2.3, row=ROW):
    """Lay the lines out from top to bottom."""
    height = float(np.clip(9 / len(rows), 0.022, 0.075)) if len(rows) > COMPACT else row
    plan = []  # (kind, height, what, space above)

    def summary(result, own_note, space=0.05):
        if result is None:
            return
        plan.append(("pooled", ROW, result, space))
        if prediction and np.isfinite(field(result, "pi_low")):
            plan.append(("interval", ROW, result, 0))
        if own_note:
            plan.extend(("note", ROW, text, 0) for text in _notes(result, left - 2 * PAD - GAP))

    everything = np.arange(len(rows))
    for heading, labels, result in groups or [(None, None, None)]:
        if heading is not None:
            plan.append(("heading", ROW, heading, 0.1 if plan else 0))
        places = everything if labels is None else rows.index.get_indexer_for(list(labels))
        # a sorted table is sorted within its groups too
        plan.extend(("row", height, place, 0) for place in np.sort(places))
        summary(result, own_note=True)
    summary(pooled, own_note=False, space=0.15 if groups else 0.05)
    ends = list(accumulate((height + space for _, height, _, space in plan), initial=0.04))[1:]
    return [
        Line(kind, end - height / 2, height, what)
        for (kind, height, what, _), end in zip(plan, ends, strict=True)
    ]


def _notes(pooled, width, overall=False):
    """Heterogeneity and test of the pooled effect, folded to `width`."""
    if pooled is None or field(pooled, "k") < 2:
        return []
    parts = [
        f"τ² = {number(field(pooled, 'tau2'))}",
        f"I² = {number(field(pooled, 'i2'), 1)}%",
        f"Q({field(pooled, 'k') - 1:.0f}) = {number(field(pooled, 'q'))}",
        f"p {p_text(field(pooled, 'p_heterogeneity'))}",
    ]
    if overall:
        parts[0] = "Heterogeneity: " + parts[0]
        parts[-1] += f"; test of the pooled effect: p {p_text(field(pooled, 'p_effect'))}"
    notes = [parts[0]]
    for part in parts[1:]:
        longer = f"{notes[-1]}, {part}"
        if text_width(longer) <= width:
            notes[-1] = longer
        else:
            notes[-1] += ","
            notes.append(part)
    return notes


def _columns(rows, results, more, headings, favours):
    """Text columns left and right of the plot."""
    (columns, after), (first, effect_label) = more, headings

    def column(heading, texts, ha="left", most=TEXT_MAX, group=""):
        texts = [shorten(text, most) for text in texts]
        width = max((text_width(text) for text in set(texts)), default=0)
        return Column(group, heading, texts, ha, max(width, text_width(heading, bold=True)))

    def study_column(name, heading, ha="left"):
        cells = rows[name].astype(object).where(rows[name].notna(), "–")
        numeric = pd.api.types.is_numeric_dtype(rows[name])
        cells = [f"{c:g}" if numeric and c != "–" else c for c in cells]
        ha = "right" if numeric else ha
        return column(shorten(heading, TEXT_MAX, bold=True), cells, ha, most=LABEL_MAX)

    lead = [column(first, rows["label"], most=LABEL_MAX)]
    triple = "estimate", "ci_low", "ci_high"
    summaries = [interval_text(*(field(r, name) for name in triple)) for r in results]
    widest = max((text_width(text, bold=True) for text in summaries), default=0)
    if len(rows) > COMPACT:
        effects = column(effect_label, [], "right")
        return lead, [effects._replace(width=max(effects.width, widest))]
    lead.extend(study_column(*item) for item in (columns or {}).items())
    digits = _digits(rows)
    for arm, called in zip(("treated", "control"), reversed(favours), strict=True):
        if f"n_{arm}" not in rows:
            continue
        group = shorten(called.removeprefix("favours ").capitalize(), TEXT_MAX, bold=True)
        pair = [column("n", [f"{n:.4g}" for n in rows[f"n_{arm}"]], "right", group=group)]
        if {f"mean_{arm}", f"sd_{arm}"} <= set(rows):
            values = zip(rows[f"mean_{arm}"], rows[f"sd_{arm}"], strict=True)
            texts = [f"{number(mean, digits)} ({number(sd, digits)})" for mean, sd in values]
            pair.append(column("mean (SD)", texts, "right"))
        lacking = text_width(group, bold=True) - sum(c.width for c in pair)
        lacking -= GAP * (len(pair) - 1)
        pair[0] = pair[0]._replace(width=pair[0].width + max(0, lacking))
        lead.extend(pair)
    effects = [
        interval_text(*values)
        for values in zip(rows["effect"], rows["ci_low"], rows["ci_high"], strict=True)
    ]
    tail = [column(effect_label, effects, "right", most=9)]
    tail[0] = tail[0]._replace(width=max(tail[0].width, widest))
    if rows["weight"].notna().any():
        shares = zip(rows["weight"], rows["excluded"], strict=True)
        texts = ["excl." if out else number(100 * share, 1) for share, out in shares]
        tail.append(column("Weight", texts, "right"))
    tail.extend(study_column(*item, ha="right") for item in (after or {}).items())
    return lead, tail


def _digits(rows):
    """Decimals of means and SDs: two significant figures of a middling SD."""
    if "sd_treated" not in rows:
        return 1
    middle = np.nanmedian(np.abs(rows[["sd_treated", "sd_control"]].to_numpy(float)))
    return int(np.clip(1 - np.floor(np.log10(middle)), 0, 4)) if middle > 0 else 1


def _frame(ax, width, across, down):
    """Give the plot's axes: a figure of the right size, or the plot's part of given axes."""
    left, plot, _ = across
    _, body, foot = down
    tall = sum(down)
    if ax is None:
        figure = Figure((width, tall))
        return figure.add_axes((left / width, foot / tall, plot / width, body / tall))
    box = ax.get_position()
    ax.set_position(
        (
            box.x0 + box.width * left / width,
            box.y0 + box.height * foot / tall,
            box.width * plot / width,
            box.height * body / tall,
        )
    )
    return ax


def _limits(rows, results, prediction):
    """Range of the plot: everything, less what lies far outside of the bulk."""
    low, high = (rows[name].to_numpy(float) for name in ("ci_low", "ci_high"))
    low, high = low[np.isfinite(low)], high[np.isfinite(high)]
    must = [0.0, *(field(r, name) for r in results for name in ("ci_low", "ci_high"))]
    if prediction:
        low = np.append(low, [field(r, "pi_low") for r in results])
        high = np.append(high, [field(r, "pi_high") for r in results])
    low, high = low[np.isfinite(low)], high[np.isfinite(high)]
    if len(low):
        lower, upper = np.quantile(low, 0.25), np.quantile(high, 0.75)
        reach = 1.5 * (upper - lower)
        must += [low[low >= lower - reach].min(), high[high <= upper + reach].max()]
    margin = 0.03 * (np.nanmax(must) - np.nanmin(must) or 1)
    return np.nanmin(must) - margin, np.nanmax(must) + margin


def _scale(ax, limits, bottom, pooled):
    """Axis, line of no effect, line of the pooled effect."""
    ax.set(xlim=limits, ylim=(bottom, 0))
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(*limits)
    ticks = ticks[(ticks >= limits[0]) & (ticks <= limits[1])]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_tick_params(labelsize=SIZE, labelfontfamily="DejaVu Sans")
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.plot([0, 0], [0, bottom], color=INK, lw=0.8, zorder=1)
    if pooled is not None:
        line = [field(pooled, "estimate")] * 2
        ax.plot(line, [0, bottom], color=VERMILLION, lw=0.8, ls=(0, (4, 3)), zorder=1)


def _intervals(ax, rows, lines, limits, nudge):
    """Squares with their intervals, arrows where they leave the plot."""
    placed = [(line.what, line.y) for line in lines if line.kind == "row"]
    place, y = (np.array(part) for part in zip(*placed, strict=True))
    place, y = place.astype(int), y + nudge
    effect, low, high, weight = (
        rows[name].to_numpy(float)[place] for name in ("effect", "ci_low", "ci_high", "weight")
    )
    out = rows["excluded"].to_numpy()[place]
    tall = 72 * min(line.height for line in lines if line.kind == "row")
    weight = np.where(np.isfinite(weight) & (weight > 0), weight, np.nan)
    share = weight / np.nanmax(weight) if np.isfinite(weight).any() else np.full(len(y), 0.5)
    side = np.clip(0.72 * tall * np.sqrt(np.nan_to_num(share, nan=0.3)), 1.6, None)
    for which, color in ((~out, INK), (out, GREY)):
        if which.any():
            ends = np.column_stack(
                [np.maximum(low, limits[0]), np.minimum(high, limits[1]), np.full(len(y), np.nan)]
            )[which]
            gone = (high[which] < limits[0]) | (low[which] > limits[1])
            ends[gone] = np.nan
            heights = np.repeat(y[which], 3)
            thick = 0.6 if len(rows) > COMPACT else 1.0
            ax.plot(ends.ravel(), heights, color=color, lw=thick, solid_capstyle="butt", zorder=2)
    within = (effect >= limits[0]) & (effect <= limits[1])
    for which, face, edge in ((within & ~out, BLUE, "none"), (within & out, "none", GREY)):
        if which.any():
            ax.scatter(
                effect[which],
                y[which],
                s=side[which] ** 2,
                marker="s",
                c=face,
                edgecolors=edge,
                zorder=3,
            )
    for mark, beyond, edge in (("<", low < limits[0], 0), (">", high > limits[1], 1)):
        if beyond.any():
            size = min(4.5, tall)
            x = np.full(beyond.sum(), limits[edge])
            ax.plot(x, y[beyond], mark, color=INK, ms=size, mew=0, clip_on=False, zorder=3)


def _summaries(ax, lines, limits):
    """Diamonds of pooled effects and bars of prediction intervals."""
    diamonds = []
    for line in lines:
        if line.kind == "pooled":
            low, mid, high = (field(line.what, n) for n in ("ci_low", "estimate", "ci_high"))
            y, half = line.y, 0.055
            diamonds.append([(low, y), (mid, y - half), (high, y), (mid, y + half)])
        elif line.kind == "interval":
            ends = field(line.what, "pi_low"), field(line.what, "pi_high")
            ax.plot(np.clip(ends, *limits), [line.y] * 2, color=VERMILLION, lw=2.5, zorder=3)
            for end, mark, edge in zip(ends, "<>", limits, strict=True):
                if not limits[0] <= end <= limits[1]:
                    ax.plot([edge], [line.y], mark, color=VERMILLION, ms=5, clip_on=False)
    if diamonds:
        ax.add_collection(PolyCollection(diamonds, facecolors=VERMILLION, zorder=4), autolim=False)


def _inches(ax, left):
    """Transform with x in inches from the left edge of the whole plot, y as in the axes."""
    figure = ax.figure
    origin = ax.get_position().x0 * figure.get_figwidth() - left
    x = figure.dpi_scale_trans + ScaledTranslation(origin, 0, figure.dpi_scale_trans)
    return blended_transform_factory(x, ax.transData)


def _letters(ax, rows, lines, columns, across, transform, title):
    """Headings, cells and the texts of the summaries."""
    lead, tail = columns
    left, plot, width = across
    plain = {"left": [], "right": []}
    bold = {"left": [], "right": [], "center": []}
    shown = [line for line in lines if line.kind == "row"]
    step = int(np.ceil(ROW / min(line.height for line in shown))) if shown else 1
    group_top, heading_top = -0.08 - ROW, -0.08
    x = PAD
    for number_, column in enumerate([*lead, *tail]):
        if number_ == len(lead):
            x = left + plot + GAP
        anchor = x if column.ha == "left" else x + column.width
        bold[column.ha].append((anchor, heading_top, column.heading))
        if number_ < len(lead) or len(column.texts) == len(rows):
            plain[column.ha] += [
                (anchor, line.y, column.texts[line.what]) for line in shown[step // 2 :: step]
            ]
        if column.group:
            partner = [*lead, *tail][number_ + 1]
            end = partner.width + GAP if partner.heading == "mean (SD)" else 0
            bold["right"].append((anchor + end, group_top, column.group))
        x += column.width + GAP
    right = left + plot + GAP + tail[0].width
    for line in lines:
        if line.kind == "heading":
            bold["left"].append((PAD, line.y, shorten(line.what, left - GAP, bold=True)))
        elif line.kind == "note":
            plain["left"].append((2 * PAD, line.y, line.what))
        elif line.kind == "pooled":
            values = (field(line.what, name) for name in ("estimate", "ci_low", "ci_high"))
            label = shorten(_pooled_label(line.what), left - PAD - GAP, bold=True)
            bold["left"].append((PAD, line.y, label))
            bold["right"].append((right, line.y, interval_text(*values)))
        elif line.kind == "interval":
            low, high = (number(field(line.what, name)) for name in ("pi_low", "pi_high"))
            level = 100 * field(line.what, "level", 0.95)
            plain["left"].append((2 * PAD, line.y, f"{level:g}% prediction interval"))
            plain["right"].append((right, line.y, f"[{low}, {high}]"))
    if title:
        y = group_top - (ROW if any(c.group for c in lead) else 0) - 0.05
        bold["left"].append((PAD, y, shorten(title, width - 2 * PAD, bold=True)))
    for texts, heavy in ((plain, False), (bold, True)):
        for ha, triples in texts.items():
            if triples:
                xs, ys, strings = zip(*triples, strict=True)
                ax.add_artist(
                    Texts(xs, ys, strings, transform=transform, ha=ha, bold=heavy)
                ).set_clip_on(False)
    ax.plot([0, width], [0, 0], transform=transform, color=INK, lw=0.8, clip_on=False)


def _pooled_label(result):
    method, interval = field(result, "method", ""), field(result, "interval", "")
    how = [str(method)] if isinstance(method, str) and method else []
    if isinstance(interval, str) and interval.startswith("hksj"):
        how.append("HKSJ")
    return f"Pooled, k = {field(result, 'k'):.0f}" + (f" ({', '.join(how)})" if how else "")


def _footer(ax, notes, bottom, sides, limits, across):
    """Side of benefit under the axis, heterogeneity under that."""
    left, plot, width = across
    transform = _inches(ax, left)
    y = bottom + 0.24
    if sides:
        low, high = sides
        zero = left + plot * (0 - limits[0]) / (limits[1] - limits[0])
        texts = f"← {low}", f"{high} →"
        ends = zero - 0.06, zero + 0.06
        for text, end, ha in zip(texts, ends, ("right", "left"), strict=True):
            room = end - PAD if ha == "right" else width - PAD - end
            text = shorten(text, room)
            ax.add_artist(Texts([end], [y + 0.1], [text], transform=transform, ha=ha))
        y += 0.2
    if notes:
        ys = y + ROW * (np.arange(len(notes)) + 0.5)
        ax.add_artist(Texts(PAD, ys, notes, transform=transform))


def _hover(ax, rows, lines, columns, effect_label, width, transform):
    """All of a row's values under the pointer."""
    shown = [line for line in lines if line.kind == "row"]
    records = rows.to_dict("records")
    measure = effect_label.split(" (")[0]
    titles = []
    for line in shown:
        row = records[line.what]
        effect = interval_text(row["effect"], row["ci_low"], row["ci_high"])
        parts = [str(row["label"]), f"{measure} {effect}"]
        for arm in ("treated", "control"):
            if f"n_{arm}" in row:
                part = f"{arm} n {row[f'n_{arm}']:.4g}"
                if f"mean_{arm}" in row:
                    values = number(row[f"mean_{arm}"]), number(row[f"sd_{arm}"])
                    part += ", mean {} (SD {})".format(*values)
                parts.append(part)
        parts += [f"{heading}: {row[name]}" for name, heading in (columns or {}).items()]
        if row["excluded"]:
            parts.append("excluded")
        elif np.isfinite(row["weight"]):
            parts.append(f"weight {number(100 * row['weight'], 1)}%")
        titles.append("; ".join(parts))
    heights = [line.y for line in shown]
    size = 72 * width, 72 * min(line.height for line in shown)
    Hover(ax, width / 2, heights, titles, transform=transform, size=size)
