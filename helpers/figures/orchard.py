"""Orchard plots: many experiments as points, pooled effects with both of their intervals."""

import numpy as np

from helpers.analysis.measures import SMD
from helpers.drawing.frame import Inches, axes
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.shapes import whiskers
from helpers.drawing.style import BLUE, DASHED, INK, VERMILLION, styled
from helpers.drawing.text import shorten, text_width, wrap
from helpers.drawing.ticks import effect_ticks
from helpers.figures import forest_layout as layout
from helpers.figures.forest import limits_of, pooled_fields
from helpers.figures.forest_layout import GAP, NARROW, PAD, ROW, WIDTH
from helpers.figures.titles import effect_texts, titles
from helpers.words.numbers import effect_interval, estimate_text
from helpers.words.tables import BOUNDS

STRIP, ALONE, SPACE = 0.62, 0.95, 0.08  # inches of one of several strips, of one, between them
EVERY = "All experiments"
CUT = "Arrows: there are experiments or intervals beyond the axis."
GOLDEN = 0.618034  # spreads dots evenly, and the same way each time


@styled
def orchard(
    rows,
    *,
    pooled=None,
    groups=None,
    measure=SMD,
    level=0.95,
    axis_label=None,
    favours=("favours control", "favours exosomes"),
    better=None,
    narrow=False,
    ax=None,
):
    """Draw effects as dots in a strip for each level, with what pooling them gives.

    Dots are the larger the more precise; a thick bar is the confidence interval, a thin one the
    prediction interval. The last strip holds all experiments where there is a pooled result.

    Parameters
    ----------
    rows : DataFrame
        `label, effect, se`; `name` for the pointer where there is one.
    pooled, groups, measure, level, axis_label, favours, better, narrow
        As of `helpers.figures.forest.forest`.
    ax : Axes, optional

    Returns
    -------
    Axes
        x is the effect, y inches downwards.

    References
    ----------
    Nakagawa et al., Research Synthesis Methods 2021;12:4-12.
    """
    strips = [(name, index, pooled_fields(result)) for name, index, result in groups or ()]
    if pooled is not None or not strips:
        strips.append((EVERY, rows.index, pooled_fields(pooled)))
    strips = [(name, rows.loc[rows.index.isin(index)], result) for name, index, result in strips]
    width = NARROW if narrow else WIDTH
    plot, results = width - 2 * PAD, [result for *_, result in strips if result is not None]
    effect = rows["effect"].to_numpy(float)
    low, high = (np.append(effect, [r[f"pi_{side}"] for r in results]) for side in ("low", "high"))
    last = strips[-1][2] if strips[-1][0] == EVERY else None
    limits = limits_of(low, high, results, last, far=3)
    cut = bool((low < limits[0]).any() or (high > limits[1]).any())

    most = max(len(part) for _, part, _ in strips)
    strip = (STRIP if len(strips) > 1 else ALONE) * np.clip(most / 150, 1, 1.6)
    step = ROW + strip + SPACE
    bottom = len(strips) * step - SPACE / 2
    words, deep = [], 0
    if better not in (None, "neither"):
        zero = PAD + plot * (0 - limits[0]) / (limits[1] - limits[0])
        ends = favours if better == "higher" else favours[::-1]
        words, deep = layout.sides(ends, zero, (PAD, PAD + plot), bottom + 0.23)
    under = [("center", width / 2, line) for line in wrap(axis_label or measure.title, plot)]
    told = layout.with_intervals(last, measure) if narrow and last else last
    notes = layout.notes(told, plot, overall=True) + (wrap(CUT, plot) if cut else [])
    under += [("left", PAD, note) for note in notes]
    words += [
        (ha, False, x, bottom + 0.23 + deep + ROW * (place + 0.5), text)
        for place, (ha, x, text) in enumerate(under)
    ]
    foot = 0.23 + deep + ROW * len(under) + 0.04
    ax = axes(width, PAD + bottom + foot, PAD, PAD, foot, PAD, ax=ax)
    ax.set(xlim=limits, ylim=(bottom, 0))
    effect_ticks(ax.xaxis, measure)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)

    for place, (name, part, result) in enumerate(strips):
        top = place * step
        words += _heads(name, part, result, top + ROW / 2, measure, level, width)
        ends = top + ROW, top + ROW + strip
        ax.plot([0, 0], ends, color=INK, lw=0.8, zorder=1)
        if result is not None:
            ax.plot([result["estimate"]] * 2, ends, color=VERMILLION, lw=0.8, ls=DASHED, zorder=1)
        once = not narrow and not (groups and name == EVERY)  # an experiment has one title
        _strip(ax, part, result, ends, limits, measure, hover=once)
    inches = Inches(ax, (PAD, PAD + plot), (0, bottom))
    for ha, bold, x, y, text in words:
        ax.add_artist(Texts([x], [y], [text], transform=inches, ha=ha, bold=bold))
    return ax


def _heads(name, part, result, y, measure, level, width):
    """Name and k at the left of a strip's line, its result at the right."""
    said = "not pooled"
    if result is not None:
        said = estimate_text(*(result[bound] for bound in BOUNDS), measure)
        whole = f"{said}, prediction interval "
        whole += effect_interval(result["pi_low"], result["pi_high"], measure)
        if np.isfinite(result["pi_low"]) and text_width(whole) < 0.6 * width:
            said = whole
    room = width - 2 * PAD - GAP - text_width(said)
    k = f", k = {len(part) if result is None else result['k']:.0f}"
    label = shorten(name, room - text_width(k, bold=True), bold=True) + k
    return [("left", True, PAD, y, label), ("right", False, width - PAD, y, said)]


def _strip(ax, part, result, ends, limits, measure, hover):
    """Dots of one level around the middle of its strip, bars of its intervals above them."""
    middle, high = np.mean(ends), ends[1] - ends[0]
    effect, se = part["effect"].to_numpy(float), part["se"].to_numpy(float)
    precise = np.nanmin(se) / se
    largest = np.clip(5000 / len(part), 16, 60)  # so that many do not cover each other
    size = np.clip(largest * precise**2, 5, None)
    spread = 0.8 * high * min(1, len(part) / 12)
    y = middle + spread * ((np.arange(len(part)) * GOLDEN + 0.5) % 1 - 0.5)
    within = (effect >= limits[0]) & (effect <= limits[1])
    look = {"c": BLUE, "alpha": 0.6, "linewidths": 0, "zorder": 2}
    ax.scatter(effect[within], y[within], size[within], **look)
    for mark, beyond, edge in zip(
        "<>", (effect < limits[0], effect > limits[1]), limits, strict=True
    ):
        if beyond.any():
            ax.plot(np.full(beyond.sum(), edge), y[beyond], mark, color=BLUE, ms=4, mew=0)
    if result is not None:
        for low, high, lw in (("pi_low", "pi_high", 1.4), ("ci_low", "ci_high", 5)):
            ends = [result[low]], [result[high]]
            whiskers(ax, [middle], *ends, limits, color=VERMILLION, lw=lw, size=6)
        ax.lines[-1].set_zorder(4)
        ax.plot(result["estimate"], middle, "o", color=INK, ms=6, mew=0, zorder=5)
    if hover:
        names = part["name" if "name" in part else "label"]
        texts = effect_texts(effect[within], np.nanmedian(se), measure)
        Hover(ax, effect[within], y[within], titles(names[within], texts))
