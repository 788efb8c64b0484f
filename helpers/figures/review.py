"""Charts of a review as a whole: evidence map, counts of studies, risk of bias, open questions."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator

from helpers.analysis.measures import SMD
from helpers.drawing.frame import axes, legend_above
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.style import BLUE, DASHED, GREEN, INK, VERMILLION, styled
from helpers.drawing.text import shorten, text_width, wrap
from helpers.drawing.ticks import plain_ticks
from helpers.figures.forest import BESIDE, TURNED, forest
from helpers.figures.forest_layout import ROW
from helpers.words.numbers import estimate_text, level_name

AMBER = "#B07C00"
JUDGEMENTS = {
    "low": ("+", GREEN, "low risk"),
    "unclear": ("?", AMBER, "unclear"),
    "high": ("−", VERMILLION, "high risk"),
}
REPORTED = {
    "yes": ("+", GREEN, "reported"),
    "partly": ("?", AMBER, "partly or unclear"),
    "no": ("−", VERMILLION, "not reported"),
}


@styled
def evidence_map(
    table, *, measure=SMD, level=0.95, favours=("favours control", "favours exosomes"), narrow=False
):
    """Draw every outcome's pooled effect, computed and published, with benefit at the right.

    Effects of outcomes where lower is better change their sign; where neither side is better they
    stay as they are. Squares are computed, diamonds published.

    Parameters
    ----------
    table : DataFrame
        A row an outcome, in order: `label, family, better` ("higher", "lower" or "neither"), `k`
        (number or text), `estimate, ci_low, ci_high`, and `published, published_low,
        published_high` (NaN where nothing was printed).
    measure : helpers.analysis.measures.Measure
        What all these effects are.
    level : float
        Of their intervals.
    favours : (str, str)
    narrow : bool
        As in `helpers.figures.forest.forest`.

    Returns
    -------
    Axes
        x is the effect towards benefit.
    """
    table = table.reset_index(drop=True)
    sign = np.where(table["better"] == "lower", -1, 1)

    def turned(*names):
        estimate, *bounds = table[list(names)].to_numpy(float).T * sign
        return np.array([estimate, *np.sort(bounds, axis=0)])

    rows = table[["label", "k"]].copy()
    rows[["effect", "ci_low", "ci_high"]] = turned("estimate", "ci_low", "ci_high").T
    printed = turned("published", "published_low", "published_high").T
    after, mark = None, ""
    if np.isfinite(printed).any():
        rows[BESIDE], after, mark = printed, {"printed": "◆ Published"}, "■ "
        rows["printed"] = [
            estimate_text(*t, measure) if np.isfinite(t[0]) else "–" for t in printed
        ]
    groups = [(name, part.index, None) for name, part in rows.groupby(table["family"], sort=False)]
    lower, sides = (sign < 0).any(), table["better"].isin(["higher", "lower"])
    return forest(
        rows,
        groups=groups,
        columns={"k": "k"},
        after=after,
        heading="Outcome",
        measure=measure,
        effect_label=f"{mark}{measure.title} ({level_name(level)})",
        favours=favours,
        axis_label=f"{measure.title}, {TURNED}" if lower and sides.all() else None,
        better="higher" if sides.all() else None,
        row=0.25,
        narrow=narrow,
    )


@styled
def family_summary(
    table,
    *,
    measure=SMD,
    level=0.95,
    favours=("favours control", "favours treatment"),
    narrow=False,
):
    """Draw the pooled effect of each outcome of a family.

    Where outcomes differ in the side of benefit, effects are turned so that benefit is right.

    Parameters
    ----------
    table : DataFrame
        A row an outcome: `label, better, k, estimate, ci_low, ci_high`.
    measure, level, favours, narrow
        As for `evidence_map`.

    Returns
    -------
    Axes
    """
    sides = set(table["better"])
    mixed = len(sides) > 1
    sign = np.where(mixed & (table["better"] == "lower").to_numpy(), -1, 1)
    estimate, *bounds = table[["estimate", "ci_low", "ci_high"]].to_numpy(float).T * sign
    rows = table[["label", "k"]].reset_index(drop=True)
    rows[["effect", "ci_low", "ci_high"]] = np.array([estimate, *np.sort(bounds, axis=0)]).T
    directed = sides <= {"higher", "lower"}
    return forest(
        rows,
        columns={} if narrow else {"k": "k"},
        heading="Outcome",
        measure=measure,
        effect_label=f"{measure.title} ({level_name(level)})",
        favours=favours,
        better=None if not directed else "higher" if mixed else sides.pop(),
        row=0.25,
        narrow=narrow,
    )


@styled
def counts(studies, columns, *, most=8):
    """Draw how many studies have each value, a small bar chart a column.

    Parameters
    ----------
    studies : DataFrame
        A row a study.
    columns : dict
        Column to heading; an empty cell counts as "not reported".
    most : int
        Further values are counted together as "other".

    Returns
    -------
    list of Axes
        x is the number of studies.
    """
    tallies = {}
    for name, heading in columns.items():
        tally = studies[name].where(studies[name].notna(), "not reported").value_counts()
        if len(tally) > most:
            rest = pd.Series({f"other ({len(tally) - most + 1} values)": tally[most - 1 :].sum()})
            tally = pd.concat([tally[: most - 1], rest])
        tallies[heading] = tally
    names = list(tallies)
    pairs = [names[i : i + 2] for i in range(0, len(names), 2)]
    heights = [0.5 + 0.21 * max(len(tallies[n]) for n in pair) for pair in pairs]
    width, tall, panels, top = 7.1, sum(heights), [], sum(heights)
    figure = Figure((width, tall))
    top_count = max(tally.max() for tally in tallies.values())
    for pair, height in zip(pairs, heights, strict=True):
        for column, name in enumerate(pair):
            tally, y = tallies[name], np.arange(len(tallies[name])) + 0.5
            deep = 0.21 * len(tally)
            box = (column * 3.6 + 1.75) / width, (top - 0.3 - deep) / tall, 1.3 / width, deep / tall
            ax = figure.add_axes(box)
            ax.barh(y, tally, height=0.7, color=BLUE)
            ax.set(xlim=(0, top_count), ylim=(len(tally), 0))
            ax.xaxis.set_visible(False)
            ax.yaxis.set_visible(False)
            ax.spines[["left", "bottom"]].set_visible(False)
            levels = [shorten(level, 1.6) for level in tally.index]
            across = ax.get_yaxis_transform()
            for x, at, strings, ha, bold in (
                (-0.06, y, levels, "right", False),
                (tally.to_numpy() / top_count + 0.04, y, tally.astype(str), "left", False),
                (-1.65 / 1.3, -0.75, [shorten(name, 3.2, bold=True)], "left", True),
            ):
                ax.add_artist(Texts(x, at, strings, transform=across, ha=ha, bold=bold))
            panels.append(ax)
        top -= height
    return panels


def _tiles(ax, x, y, color, size=0.92):
    """Squares of one colour as one path: hundreds of them cost what one does."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * size / 2
    points = (np.column_stack([x, y])[:, None] + corners).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY], len(x))
    ax.add_artist(PathPatch(Path(points, codes), fc=color, alpha=0.45, lw=0))


@styled
def risk_of_bias(table, items, *, overall=None, marks=JUDGEMENTS):
    """Draw each study's judgements as tiles with symbols: + low, ? unclear, − high.

    More than 40 studies are set in two blocks side by side. Nothing is added up.

    Parameters
    ----------
    table : DataFrame
        A row a study: `study_label`, and a column for each item with "low", "unclear" or "high"
        (anything else stays empty).
    items : dict
        Column to text of the item, shown under the pointer; the columns are headed 1, 2, ...
    overall : str, optional
        Column with a word on the whole study, printed as it is.
    marks : dict
        From a judgement to symbol, colour and meaning; `REPORTED` for a checklist.

    Returns
    -------
    Axes
        x and y in tiles.
    """
    cells = table[list(items)].to_numpy(object)
    k, wide = cells.shape
    names = [shorten(name, 1.5) for name in table["study_label"]]
    words = table[overall].astype(str).str.capitalize().tolist() if overall else []
    cell = 0.19
    name_wide = 0.1 + max(map(text_width, names))
    word_wide = 0.15 + max(map(text_width, [*words, "Overall"])) if words else 0.1
    blocks = 2 if k > 40 else 1
    deep = -(-k // blocks)
    block_wide = name_wide + wide * cell + word_wide + 0.15
    width, tall = max(blocks * block_wide, 3), 0.55 + deep * cell
    figure = Figure((width, tall))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width / cell), ylim=(tall / cell, 0))
    ax.axis("off")
    block, line = np.divmod(np.arange(k), deep)
    y = 0.55 / cell + line + 0.4
    left = (0.06 + block * block_wide) / cell
    first = left + name_wide / cell + 0.5
    x = first[:, None] + np.arange(wide)
    ax.add_artist(Texts(left, y, names))
    if words:
        ax.add_artist(Texts(first + wide - 0.1, y, words))
    high = np.broadcast_to(y[:, None], x.shape)
    key = 0.06 / cell
    for judgement, (symbol, color, meaning) in marks.items():
        these = cells == judgement
        at = np.append(x[these], key + 0.5), np.append(high[these], 0.9)
        _tiles(ax, *at, color)
        ax.add_artist(Texts(*at, [symbol] * len(at[0]), ha="center", bold=True))
        ax.add_artist(Texts([key + 1.3], [0.9], [meaning]))
        key += 2.4 + text_width(meaning) / cell
    for start in range(blocks):
        heads = first[start * deep] + np.arange(wide)
        numbers = [str(n + 1) for n in range(wide)]
        ax.add_artist(Texts(heads, 2.2, numbers, ha="center", bold=True))
        if words:
            ax.add_artist(Texts([heads[-1] + 0.9], [2.2], ["Overall"], bold=True))
        Hover(ax, heads, 2.2, items.values(), size=(72 * cell, 72 * cell))
    return ax


@styled
def risk_of_bias_summary(table, items, *, marks=JUDGEMENTS):
    """Draw for each item the share of studies at low, unclear and high risk.

    Parameters
    ----------
    table, items, marks
        As for `risk_of_bias`.

    Returns
    -------
    Axes
        x in percent of the studies; the bars bear the numbers of studies.
    """
    room = 3.2
    lines = [wrap(f"{place}. {text}", room) for place, text in enumerate(items.values(), 1)]
    heights = np.array([ROW * len(folded) + 0.1 for folded in lines])
    tall = heights.sum()
    ax = axes(7.1, tall + 0.65, left=room + 0.3, right=0.3, bottom=0.35, top=0.3)
    middle = np.cumsum(heights) - heights / 2
    shares = np.array([[(table[i] == j).sum() for j in marks] for i in items])
    left = np.zeros(len(items))
    for count, (symbol, color, meaning) in zip(shares.T, marks.values(), strict=True):
        part = 100 * count / len(table)
        label = f"{symbol} {meaning}"
        ax.barh(middle, part, left=left, height=0.2, color=color, alpha=0.45, lw=0, label=label)
        texts = [str(n) if share > 5 else "" for n, share in zip(count, part, strict=True)]
        ax.add_artist(Texts(left + part / 2, middle, texts, ha="center"))
        left += part
    ys = [
        at + ROW * (place - (len(folded) - 1) / 2)
        for at, folded in zip(middle, lines, strict=True)
        for place in range(len(folded))
    ]
    x = -(room + 0.2) / (7.1 - room - 0.6)
    texts = [text for folded in lines for text in folded]
    ax.add_artist(Texts(x, ys, texts, transform=ax.get_yaxis_transform()))
    ax.set(xlim=(0, 100), ylim=(tall, 0))
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    plain_ticks(ax.xaxis)
    ax.xaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    legend_above(ax, ncols=3, handlelength=1, handletextpad=0.8)
    return ax


@styled
def open_questions(table, points):
    """Draw what several reconstructions of each outcome agree on, and their small-study p-values.

    Parameters
    ----------
    table : DataFrame
        A row an outcome: `label, k` (text), `tau2_low, tau2_high, knapp` (text).
    points : DataFrame
        A row a reconstruction: `label` and `p`, drawn from 0 to 1 with a line at 0.05.

    Returns
    -------
    Axes
        x is p, y the row of the outcome, downwards.
    """
    heads = ["Outcome", "k", "τ²", "HK excludes 0"]
    cells = [
        table["label"].map(lambda label: shorten(label, 2.0)),
        table["k"],
        [
            f"{low:.2f} to {high:.2f}"
            for low, high in zip(table["tau2_low"], table["tau2_high"], strict=True)
        ],
        table["knapp"],
    ]
    widths = [
        0.25 + max(map(text_width, [head, *texts]))
        for head, texts in zip(heads, cells, strict=True)
    ]
    left, plot, top = sum(widths), 2.4, 0.4
    ax = axes(left + plot + 0.2, ROW * len(table) + top + 0.5, left, 0.2, 0.5, top)
    ax.set(xlim=(0, 1), ylim=(len(table), 0), xlabel="p of the sample-size tests")
    plain_ticks(ax.xaxis)
    ax.yaxis.set_visible(False)
    ax.axvline(0.05, color=INK, lw=0.8, ls=DASHED)
    y = np.arange(len(table)) + 0.5
    place = dict(zip(table["label"], y, strict=True))
    ax.plot(points["p"], points["label"].map(place), "o", color=BLUE, ms=4, mew=0, alpha=0.6)
    blend = ax.get_yaxis_transform()
    start = -left / plot
    for head, texts, width in zip(heads, cells, widths, strict=True):
        ax.add_artist(Texts(np.full(len(y), start), y, list(texts), transform=blend))
        ax.text(start, -0.6, head, transform=blend, weight="bold", va="center")
        start += width / plot
    return ax
