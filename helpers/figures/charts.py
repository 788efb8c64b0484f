"""Charts of a review as a whole: evidence map, study counts, risk of bias, flow of records."""

from itertools import zip_longest

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator

from helpers.analysis.measures import SMD
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.style import BLUE, GREEN, GREY, INK, SIZE, VERMILLION, axes, styled
from helpers.drawing.text import shorten, text_width, wrap
from helpers.drawing.ticks import plain_ticks
from helpers.figures.forest import ROW, forest, whiskers
from helpers.words.numbers import estimate_text, level_name

AMBER = "#B07C00"
JUDGEMENTS = {
    "low": ("+", GREEN, "low risk"),
    "unclear": ("?", AMBER, "unclear"),
    "high": ("−", VERMILLION, "high risk"),
}


@styled
def evidence_map(
    table, *, measure=SMD, level=0.95, favours=("favours control", "favours exosomes")
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

    printed = turned("published", "published_low", "published_high")
    rows = table[["label", "k"]].copy()
    rows["effect"], rows["ci_low"], rows["ci_high"] = turned("estimate", "ci_low", "ci_high")
    rows["printed"] = [estimate_text(*t, measure) if np.isfinite(t[0]) else "–" for t in printed.T]
    groups = [(name, part.index, None) for name, part in rows.groupby(table["family"], sort=False)]
    ax = forest(
        rows,
        groups=groups,
        columns={"k": "k"},
        after={"printed": "◆ Published"},
        heading="Outcome",
        measure=measure,
        effect_label=f"■ {measure.title} ({level_name(level)})",
        favours=favours,
        better="higher" if table["better"].isin(["higher", "lower"]).all() else None,
        row=0.25,
        nudge=-0.045,
    )
    (rows_drawn,) = ax.findobj(Hover)
    y, limits = rows_drawn.xy[:, 1] + 0.045, ax.get_xlim()
    mid, low, high = printed[:, np.concatenate([part for _, part, _ in groups])]
    whiskers(ax, y, low, high, limits, color=VERMILLION)
    inside = np.where((mid >= limits[0]) & (mid <= limits[1]), mid, np.nan)
    ax.plot(inside, y, "D", color=VERMILLION, ms=5.5, mew=0, zorder=3)
    return ax


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
def risk_of_bias(table, items, *, overall=None):
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
    for judgement, (symbol, color, meaning) in JUDGEMENTS.items():
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
def risk_of_bias_summary(table, items):
    """Draw for each item the share of studies at low, unclear and high risk.

    Parameters
    ----------
    table, items
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
    shares = np.array([[(table[i] == j).sum() for j in JUDGEMENTS] for i in items])
    left = np.zeros(len(items))
    for count, (symbol, color, meaning) in zip(shares.T, JUDGEMENTS.values(), strict=True):
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
    how = {"columnspacing": 1.2, "handlelength": 1, "borderaxespad": 0.2}
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=3, **how)
    return ax


@styled
def flow(counts):
    """Draw the PRISMA 2020 flow of records, with the reasons at each stage where there are any.

    What is not given but follows by subtraction is drawn with the words "by subtraction"; where
    numbers do not add up, the box says by how much.

    Parameters
    ----------
    counts : DataFrame
        `stage, item, n`. Stages: ``identification`` (records found; items that speak of
        duplicates or of removal leave the flow), ``screening``, ``excluded_screening``,
        ``eligibility``, ``excluded_full_text``, ``included``.

    Returns
    -------
    Axes
        x and y in inches, y downwards.
    """
    removed = counts["item"].str.contains("duplicat|removed|ineligible", case=False)
    leaves = counts["stage"].eq("identification") & removed
    stages = {
        name: list(zip(part["item"], part["n"], strict=True))
        for name, part in counts.groupby(counts["stage"].mask(leaves, "removed"))
    }
    totals = {name: sum(n for _, n in items) for name, items in stages.items()}
    steps = [name for name in LEAVING if name in stages]
    boxes, arrows, y, before = [], [], 0.1, None
    for stage, following in zip_longest(steps, steps[1:]):
        texts = _folded([_counted(item, n) for item, n in stages[stage]])
        high = ROW * (len(texts) + 1) + 0.16
        boxes.append((MAIN, y, high, texts, stage.capitalize()))
        if before is not None:
            arrows.append(((MAIN + BOX / 2, before), (MAIN + BOX / 2, y)))
        before, deepest = y + high, high
        if following is not None:
            gone = totals[stage] - totals[following]
            reasons, heading = LEAVING[stage]
            listed, out = totals.get(reasons, gone), stages.get(reasons, [])
            if not out:
                left_out = [_counted(heading, gone, ", by subtraction")]
            elif len(out) == 1:
                left_out = [_counted(*out[0])]
            else:
                left_out = [_counted(heading, listed), *(f"   {item}: {n}" for item, n in out)]
            if listed != gone:
                left_out.append(f"{totals[stage]} − {listed} is not {totals[following]}")
            left_out = _folded(left_out)
            deepest = max(high, ROW * len(left_out) + 0.16)
            boxes.append((SIDE, y, ROW * len(left_out) + 0.16, left_out, None))
            arrows.append(((MAIN + BOX, y + 0.165), (SIDE, y + 0.165)))
        y += deepest + 0.28
    return _boxes(boxes, arrows, y - 0.2)


# A stage of the flow: the stage of those that leave it, and what they are called.
LEAVING = {
    "identification": ("removed", "Removed before screening"),
    "screening": ("excluded_screening", "Records excluded"),
    "eligibility": ("excluded_full_text", "Full texts excluded"),
    "included": (None, None),
}
MAIN, SIDE, BOX = 0.1, 3.8, 3.2  # left edges and width of the boxes, inches


def _counted(text, n, note=""):
    count = f"(n = {n:g}{note})".replace(" ", "\u00a0")
    return f"{text[:1].upper()}{text[1:]} {count}"


def _folded(texts):
    """Lines of a box; what begins with blanks, and what goes on in a next line, is indented."""
    return [
        "   " * (text.startswith(" ") + bool(place)) + line
        for text in texts
        for place, line in enumerate(wrap(text.strip(), BOX - 0.32 - 0.12 * text.startswith(" ")))
    ]


def _boxes(boxes, arrows, tall):
    """Boxes with their texts, arrows between them."""
    ax = Figure((7.1, tall)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 7.1), ylim=(tall, 0))
    ax.axis("off")
    for x, y, high, texts, stage in boxes:
        color = BLUE if stage else GREY
        ax.add_patch(Rectangle((x, y), BOX, high, fc=to_rgba(color, 0.1), ec=color, lw=1))
        ys = y + 0.08 + ROW * (np.arange(len(texts)) + 0.5 + bool(stage))
        ax.add_artist(Texts(x + 0.1, ys, texts))
        if stage:
            ax.add_artist(Texts([x + 0.1], [ys[0] - ROW], [stage], bold=True))
    for (x0, y0), (x1, y1) in arrows:
        flat = y0 == y1
        ends = (x1 - 0.06, y1) if flat else (x1, y1 - 0.06)
        ax.plot([x0, ends[0]], [y0, ends[1]], color=INK, lw=1)
        ax.plot(*ends, ">" if flat else "v", color=INK, ms=6, mew=0)
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
    heads = ["Outcome", "k", "τ²", "HK leaves 0 out"]
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
    ax.axvline(0.05, color=INK, lw=0.8, ls=(0, (4, 3)))
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


@styled
def association(table):
    """Draw how far moderators go together, as a matrix below its diagonal.

    Parameters
    ----------
    table : DataFrame
        Symmetric, from 0 to 1, the moderators' names as index and columns.

    Returns
    -------
    Axes
    """
    import seaborn as sns  # here, because only this figure needs it

    shown = table.iloc[1:, :-1]  # the diagonal says nothing
    left, size = 0.2 + max(map(text_width, table.index)), 0.62 * len(shown)
    whole = left + size + 0.1
    # Matplotlib's own axes, since these texts are turned.
    ax = Figure((whole, whole)).add_axes((left / whole, left / whole, size / whole, size / whole))
    sns.heatmap(
        shown, mask=np.triu(np.ones(shown.shape, dtype=bool), 1), vmin=0, vmax=1.6, cbar=False,
        cmap=sns.light_palette(BLUE, as_cmap=True), annot=True, fmt=".2f", ax=ax,
        # The tiles stay light on any ground, so their numbers stay dark.
        annot_kws={"size": SIZE, "color": "#333333"}, linewidths=1, linecolor="none",
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, labelsize=SIZE)
    ax.set_xticklabels(ax.get_xticklabels(), rotation=90)
    ax.set_yticklabels(ax.get_yticklabels(), rotation=0)
    return ax
