"""Statistical plots beside the forest: small-study effects, influence, moderators, presets.

Effects and their spread come in as arrays or tables, an ``Axes`` comes out. Sizes are inches.
"""

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Bbox, blended_transform_factory

from helpers.analysis.measures import SMD
from helpers.drawing.marks import Hover, Texts
from helpers.drawing.style import BLUE, GREY, INK, LOOKS, VERMILLION, axes, styled
from helpers.drawing.text import shorten, text_width
from helpers.drawing.ticks import effect_ticks, plain_ticks
from helpers.figures.forest import BOUNDS, DASHED, clear_limits, diamonds, forest, whiskers
from helpers.stats import influence as deletions
from helpers.stats.pooling import critical
from helpers.words.numbers import effect as effect_text
from helpers.words.numbers import effect_digits, estimate_text, level_name, number

WIDE, HIGH = 5.2, 3.6


def _labelled(ax, x, y, bins=6):
    """Label the axes and keep their ticks few."""
    ax.set(xlabel=x, ylabel=y)
    for axis in (ax.xaxis, ax.yaxis):
        plain_ticks(axis, bins)
    return ax


def _legend(ax):
    """One line of keys above the plot."""
    how = {"columnspacing": 1.2, "handlelength": 1.3, "handletextpad": 0.4, "borderaxespad": 0.2}
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=4, **how)


def _points(ax, x, y, marked=False, hollow=False, size=22):
    """Dots; `marked` ones as triangles of another colour, `hollow` ones without filling."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    marked, hollow, size = (np.broadcast_to(part, len(x)) for part in (marked, hollow, size))
    for which, shape, paint in ((~marked, "o", BLUE), (marked, "^", VERMILLION)):
        for these, alpha in ((which & ~hollow, 0.6), (which & hollow, 0)):
            if these.any():
                look = {"facecolors": [to_rgba(paint, alpha)], "edgecolors": paint}
                ax.scatter(
                    x[these], y[these], size[these], marker=shape, linewidths=0.8, zorder=3, **look
                )


def _hover(ax, x, y, labels, values):
    """Label and values of each point under the pointer."""
    titles = [f"{a}: {b}" for a, b in zip(_row_labels(labels, len(x)), values, strict=True)]
    Hover(ax, x, y, titles)


def _row_labels(labels, k):
    return [f"row {place + 1}" for place in range(k)] if labels is None else labels


@styled
def galbraith(effect, *, variance, excluded=None, labels=None, level=0.95, points=None, ax=None):
    """Draw the Galbraith (radial) plot as Stata does: effect / SE against 1 / SE.

    Line and band are those of `helpers.stats.influence.galbraith`. Rows outside of the band are
    triangles, excluded rows are hollow.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
    excluded : array_like of bool, shape (k,), optional
    labels : sequence of str, optional
    level : float
        Of the band.
    points : DataFrame, k rows, optional
        Of `helpers.stats.influence.galbraith`, where more rows than are drawn gave line and band.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    effect, se = np.asarray(effect, float), np.sqrt(np.asarray(variance, float))
    if points is None:
        points = deletions.galbraith(effect, variance=se**2, level=level)
    x, y, outside = (points[name].to_numpy() for name in ("x", "y", "outside"))
    slope, z = points["fitted"].iloc[0] / x[0], critical(level)
    ax = _labelled(axes(WIDE, HIGH, top=0.3, ax=ax), "Precision (1 / SE)", "Effect / SE")
    line = np.array([0, 1.05 * x.max()])
    ax.fill_between(line, slope * line - z, slope * line + z, color=GREY, alpha=0.18, lw=0)
    ax.plot(line, slope * line, color=INK, lw=1)
    ax.axhline(0, color=INK, lw=0.6, ls=(0, (2, 3)))
    excluded = np.zeros(len(x), bool) if excluded is None else np.asarray(excluded, bool)
    _points(ax, x, y, marked=outside, hollow=excluded)
    ax.plot([], [], "^", color=VERMILLION, mew=0, label=f"outside ±{z:.2f} ({outside.sum()})")
    if excluded.any():
        ax.plot([], [], "o", mfc="none", mec=INK, label=f"excluded ({excluded.sum()})")
    _legend(ax)
    ax.set_xlim(line)
    digits = effect_digits(effect - z * se, effect + z * se)
    _hover(
        ax,
        x,
        y,
        labels,
        [
            f"effect {number(e, digits)}, SE {number(s, digits)}"
            for e, s in zip(effect, se, strict=True)
        ],
    )
    return ax


@styled
def funnel(
    effect,
    *,
    se,
    n_total,
    estimate,
    yaxis=None,
    contours=True,
    excluded=None,
    labels=None,
    measure=SMD,
    ax=None,
):
    """Draw the funnel plot, precise experiments at the top, with contours of significance.

    The grounds show where p is above 0.10 (none), and down to 0.05 and 0.01, for a test against
    no effect. On 1/√N the standard error there is that of an SMD under the null, 2/√N (equal
    groups), which does not contain the effect itself; other measures are drawn on the rows' own
    standard errors.

    Parameters
    ----------
    effect, se, n_total : array_like, shape (k,)
        Effects, standard errors, animals of both groups.
    estimate : float
        Pooled effect, the dashed line.
    yaxis : {"1/sqrt(N)", "se"}, optional
        By default the first for SMDs whose group sizes are known; contours on it are for SMDs only.
    contours : bool
    excluded : array_like of bool, shape (k,), optional
        Drawn hollow.
    labels : sequence of str, optional
    measure : helpers.analysis.measures.Measure
    ax : Axes, optional

    Returns
    -------
    Axes
        The y axis runs downwards from 0.

    References
    ----------
    Peters et al., J Clin Epidemiol 2008; Zwetsloot et al., eLife 2017.
    """
    effect, se = np.asarray(effect, float), np.asarray(se, float)
    n_total = np.asarray(n_total, float)
    by_size = (yaxis or funnel_axis(measure, n_total)) == "1/sqrt(N)"
    contours = contours and (measure.standardised or not by_size)
    y = 1 / np.sqrt(n_total) if by_size else se
    ax = axes(WIDE, HIGH, top=0.3 if contours else 0.1, ax=ax)
    _labelled(ax, measure.title, "1 / √N" if by_size else "Standard error")
    effect_ticks(ax.xaxis, measure)
    deep = 1.08 * y.max()
    outermost = 2.576 * 2 * deep if contours and by_size else 0
    span = np.append(effect, [estimate, -outermost, outermost])
    margin = 0.06 * np.ptp(span)
    limits = span.min() - margin, span.max() + margin
    if contours:
        wide = deep * (2 if by_size else 1)
        for (near, far), alpha, name in (
            ((1.645, 1.960), 0.28, "0.05 < p < 0.10"),
            ((1.960, 2.576), 0.16, "0.01 < p < 0.05"),
        ):
            wedges = [[(0, 0), (s * near * wide, deep), (s * far * wide, deep)] for s in (-1, 1)]
            look = {"facecolors": BLUE, "alpha": alpha, "linewidths": 0, "label": name}
            ax.add_collection(PolyCollection(wedges, **look), autolim=False)
    ax.axvline(0, color=INK, lw=0.8)
    ax.axvline(estimate, color=VERMILLION, lw=1, ls=DASHED, label="pooled effect")
    _points(ax, effect, y, hollow=False if excluded is None else np.asarray(excluded, bool))
    ax.set(xlim=limits, ylim=(deep, 0))
    if contours:
        _legend(ax)
    _hover(
        ax,
        effect,
        y,
        labels,
        [
            f"{text}, N {n:g}" if np.isfinite(n) else f"{text}, SE {number(s, 3)}"
            for text, n, s in zip(_effect_texts(effect, se, measure), n_total, se, strict=True)
        ],
    )
    return ax


def funnel_axis(measure, n_total):
    """The y axis of a funnel plot: 1/√N for SMDs of known group sizes, else standard errors."""
    known = np.isfinite(np.asarray(n_total, float)).all()
    return "1/sqrt(N)" if measure.standardised and known else "se"


def _effect_texts(effect, se, measure):
    """Effects with their measure, their decimals by their standard errors."""
    digits = effect_digits(effect - 2 * se, effect + 2 * se, measure)
    return [f"{measure.name} {effect_text(e, measure, digits)}" for e in effect]


def _strip(names, texts, heading, *, width, row=0.24, head=0.24, zero=True, ax=None):
    """Axes for a list of intervals: names at the left, values at the right, a line each.

    Gives the axes and the heights of the lines.
    """
    left = 0.2 + max(map(text_width, names))
    right = 0.25 + max(text_width(text, bold=True) for text in [*texts, heading])
    foot = 0.3 if zero else 0.5
    tall = head + row * len(names) + foot
    ax = axes(left + width + right, tall, left, right, foot, head, ax=ax)
    y = np.arange(len(names)) + 0.5
    ax.set_ylim(len(names), 0)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    if zero:
        ax.axvline(0, color=INK, lw=0.8, zorder=1)
    across, wide = ax.get_yaxis_transform(), ax.get_position().width * ax.figure.get_figwidth()
    edge = 1 + (right - 0.08) / wide
    for x, heights, strings, ha, bold in (
        (-0.1 / wide, y, names, "right", False),
        (edge, y, texts, "right", False),
        (edge, -0.1 / row, [heading], "right", True),
    ):
        ax.add_artist(Texts(x, heights, strings, transform=across, ha=ha, bold=bold))
    return _labelled(ax, None, None), y


PRESETS = {
    "article": "Article's method",
    "recommended": "Recommended",
    "chosen": "Chosen",
    "three_level": "Three-level",
    "published": "Published",
}


@styled
def presets(rows, *, measure=SMD, level=0.95, ax=None):
    """Draw one outcome's pooled effect by each way of pooling it, and as published.

    Parameters
    ----------
    rows : DataFrame
        Index or column `preset` (article, recommended, chosen, three_level, published, or any
        text); `estimate, ci_low, ci_high`, and `pi_low, pi_high` where there is a prediction
        interval (the thin line).
    measure : helpers.analysis.measures.Measure
    level : float
        Of the intervals.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    rows = rows if "preset" not in rows else rows.set_index("preset")
    rows = rows.reindex(columns=[*BOUNDS, "pi_low", "pi_high"]).astype(float)
    names = [PRESETS.get(name, str(name)) for name in rows.index]
    texts = [estimate_text(*values, measure) for values in rows[BOUNDS].to_numpy()]
    heading = f"{measure.title} ({level_name(level)})"
    ax, y = _strip(names, texts, heading, width=3.2, ax=ax)
    effect_ticks(ax.xaxis, measure)
    low = rows[["ci_low", "pi_low"]].min(axis=1)
    high = rows[["ci_high", "pi_high"]].max(axis=1)
    limits = clear_limits(low, high)
    ax.set_xlim(limits)
    whiskers(ax, y, rows["pi_low"], rows["pi_high"], limits, color=GREY, lw=0.9)
    published = rows.index == "published"
    for these, color, mark in ((~published, BLUE, "s"), (published, VERMILLION, "D")):
        at, part = y[these], rows[these]
        whiskers(ax, at, part["ci_low"], part["ci_high"], limits, color=color, lw=2)
        ax.plot(part["estimate"], at, mark, color=color, ms=6, mew=0, zorder=3)
    return ax


@styled
def doleman(residual, inverse_n, *, fit=None, labels=None, ax=None):
    """Draw residuals from the regression on control-group outcome against inverse sample size.

    Parameters
    ----------
    residual : array_like, shape (k,)
        What the control-group outcome leaves unexplained of the effect, in the effect's unit.
    inverse_n : array_like, shape (k,)
        One over the number of animals of both groups.
    fit : (float, float), optional
        Intercept and slope of the second regression.
    labels : sequence of str, optional
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    x, y = np.asarray(inverse_n, float), np.asarray(residual, float)
    ax = _labelled(axes(WIDE, HIGH, ax=ax), "1 / N", "Residual effect")
    ax.axhline(0, color=INK, lw=0.8)
    _points(ax, x, y)
    if fit is not None:
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, fit[0] + fit[1] * ends, color=VERMILLION, lw=1.5)
    values = [f"residual {number(b)}, N {1 / a:.4g}" for a, b in zip(x, y, strict=True)]
    _hover(ax, x, y, labels, values)
    return ax


@styled
def bubble(
    x, effect, *, weight=None, fit=None, label=None, measure=SMD, level=0.95, labels=None, ax=None
):
    """Draw effects against a moderator, as bubbles whose area is the weight.

    A numeric moderator gets a regression line with its confidence band; a moderator with levels
    a strip for each level, with the level's pooled effect and interval as a diamond.

    Parameters
    ----------
    x : array_like, shape (k,)
        Numbers, or names of levels; rows without a value are not drawn.
    effect : array_like, shape (k,)
    weight : array_like, shape (k,), optional
    fit : DataFrame, optional
        `x` or `level`, with `estimate, ci_low, ci_high`; NaN where a level is not pooled.
    label : str, optional
        Name of the moderator.
    measure : helpers.analysis.measures.Measure
    level : float
        Of the band and of the levels' intervals.
    labels : sequence of str, optional
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    x, effect = pd.Series(x).reset_index(drop=True), np.asarray(effect, float)
    weight = np.full(len(x), 0.25) if weight is None else np.asarray(weight, float)
    size = np.clip(90 * weight / np.nanmax(weight), 9, None)
    labels = np.asarray(_row_labels(labels, len(x)))
    known = x.notna().to_numpy()
    x, effect, size, labels = x[known], effect[known], size[known], labels[known]
    if not pd.api.types.is_numeric_dtype(x):
        return _level_strips(x, effect, size, fit, measure, level, labels, ax)
    ax = _labelled(axes(WIDE, HIGH, ax=ax), label or x.name or "", measure.title)
    effect_ticks(ax.yaxis, measure)
    ax.axhline(0, color=INK, lw=0.8)
    if fit is not None:
        ax.fill_between(fit["x"], fit["ci_low"], fit["ci_high"], color=GREY, alpha=0.2, lw=0)
        ax.plot(fit["x"], fit["estimate"], color=VERMILLION, lw=1.5)
    _points(ax, x, effect, size=size)
    texts = _effect_texts(effect, np.nanstd(effect), measure)
    values = [f"{a:g}, {text}" for a, text in zip(x, texts, strict=True)]
    _hover(ax, x, effect, labels, values)
    return ax


def _level_strips(x, effect, size, fit, measure, level, labels, ax):
    levels = list(pd.unique(x) if fit is None else fit["level"])
    names = [f"{shorten(one, 2.2)} (k = {(x == one).sum()})" for one in levels]
    texts = [""] * len(levels)
    if fit is not None:
        triples = fit[BOUNDS].to_numpy(float)
        texts = [estimate_text(*t, measure) if np.isfinite(t[0]) else "not pooled" for t in triples]
    heading = f"{measure.title} ({level_name(level)})" if fit is not None else ""
    ax, y = _strip(names, texts, heading, width=3.2, row=0.42, ax=ax)
    effect_ticks(ax.xaxis, measure)
    place = x.map(dict(zip(levels, y, strict=True))).astype(float).to_numpy()
    # the golden ratio spreads dots evenly, and the same way each time
    height = place + 0.5 * ((np.arange(len(x)) * 0.618034) % 1 - 0.5)
    shown = np.isfinite(place)
    _points(ax, effect[shown], height[shown], size=size[shown])
    if fit is not None:
        diamonds(ax, y, triples, 0.25)
    values = _effect_texts(effect[shown], np.nanstd(effect), measure)
    _hover(ax, effect[shown], height[shown], labels[shown], values)
    return ax


@styled
def baujat(heterogeneity, influence, *, labels=None, named=5, ax=None):
    """Draw each experiment's share of Q against its pull on the pooled effect.

    Parameters
    ----------
    heterogeneity : array_like, shape (k,)
        Contribution to Q.
    influence : array_like, shape (k,)
        Squared standardised shift of the pooled effect when the experiment is left out.
    labels : sequence of str, optional
    named : int
        How many of the farthest points at most bear their label.
    ax : Axes, optional

    Returns
    -------
    Axes

    References
    ----------
    Baujat et al., Stat Med 2002.
    """
    x, y = np.asarray(heterogeneity, float), np.asarray(influence, float)
    ax = _labelled(axes(WIDE, HIGH, ax=ax), "Contribution to Q", "Influence on the pooled effect")
    _points(ax, x, y)
    most = x.max() or 1, y.max() or 1
    ax.set(xlim=(-0.03 * most[0], 1.06 * most[0]), ylim=(-0.05 * most[1], 1.1 * most[1]))
    if labels is not None:
        far = np.argsort(-(x / most[0] + y / most[1]), kind="stable")[:named]
        _name(ax, x[far], y[far], np.asarray(labels)[far])
    values = [f"{number(a)}, {number(b)}" for a, b in zip(x, y, strict=True)]
    _hover(ax, x, y, labels, values)
    return ax


def _name(ax, x, y, labels):
    """Write labels beside their points, leaving out those that would lie on an earlier one."""
    inches = ax.figure.dpi_scale_trans
    at = inches.inverted().transform(ax.transData.transform(np.column_stack([x, y])))
    edge = ax.get_position().x0 * ax.figure.get_figwidth()
    taken, kept = [], []
    for (x0, middle), label in zip(at, labels, strict=True):
        text = shorten(label, 1.9, tail=8)
        wide = text_width(text)
        right = x0 - 0.09 - wide < edge  # no room at the left
        box = Bbox.from_bounds(x0 + 0.09 if right else x0 - 0.09 - wide, middle - 0.08, wide, 0.16)
        if not any(box.overlaps(other) for other in taken):
            taken.append(box)
            kept.append((box.x0, middle, text))
    if kept:
        ax.add_artist(Texts(*zip(*kept, strict=True), transform=inches))


PANELS = {
    "rstudent": "Studentised residual",
    "dffits": "DFFITS",
    "cook": "Cook's distance",
    "cov_ratio": "Covariance ratio",
    "tau2_deleted": "τ² without it",
    "q_deleted": "Q without it",
    "hat": "Hat value",
    "weight": "Weight",
}


@styled
def influence(diagnostics, *, labels=None, level=0.95):
    """Draw the deletion diagnostics of each experiment, a panel for each.

    Dashed lines are the usual marks of attention and triangles lie beyond them: ±z of the level for
    residuals, ±3·√(1/(k-1)) for DFFITS, the median of χ²(1) for Cook's distance, 3/k for hat
    values. Stems start where an experiment would change nothing, or else at the median.

    Parameters
    ----------
    diagnostics : DataFrame, k rows in the order of the sheet
        Some of `rstudent, dffits, cook, cov_ratio, tau2_deleted, q_deleted, hat, weight`.
    labels : sequence of str, optional
    level : float
        Of the marks on residuals.

    Returns
    -------
    list of Axes
        x is the number of the row, from 1.
    """
    k = len(diagnostics)
    spread = 3 * np.sqrt(1 / max(k - 1, 1))
    marks = {
        "rstudent": (-critical(level), critical(level)),
        "dffits": (-spread, spread),
        "cook": (-np.inf, 0.455),
        "hat": (-np.inf, 3 / k),
    }
    neutral = {"rstudent": 0, "dffits": 0, "cook": 0, "cov_ratio": 1, "hat": 1 / k}
    shown = [name for name in PANELS if name in diagnostics]
    deep, tall = -(-len(shown) // 2), 1.15
    high = deep * tall + 0.4
    figure, x, panels = Figure((7.1, high)), np.arange(1, k + 1), []
    for place, name in enumerate(shown):
        row, column = divmod(place, 2)
        bottom = 0.45 + (deep - 1 - row) * tall
        box = (0.6 + 3.55 * column) / 7.1, bottom / high, 2.85 / 7.1, (tall - 0.35) / high
        ax = _labelled(figure.add_axes(box), None, None, bins=4)
        y = diagnostics[name].to_numpy(float)
        lower, upper = marks.get(name, (-np.inf, np.inf))
        beyond = (y < lower) | (y > upper)
        middle = neutral.get(name, np.nanmedian(y))
        stems = np.column_stack([np.full(k, middle), y, np.full(k, np.nan)]).ravel()
        ax.set_title(PANELS[name], pad=4)
        ax.plot(np.repeat(x, 3), stems, color=BLUE, lw=1.5, solid_capstyle="butt")
        ax.plot(x[beyond], y[beyond], "^", color=VERMILLION, ms=6, mew=0)
        ax.axhline(middle, color=INK, lw=0.7)
        for mark in (lower, upper):
            if ax.get_ylim()[0] <= mark <= ax.get_ylim()[1]:
                ax.axhline(mark, color=INK, lw=0.7, ls=DASHED)
        ax.set_xlim(0, k + 1)
        ax.tick_params("x", labelbottom=place + 2 >= len(shown))
        panels.append(ax)
    values = diagnostics[shown].itertuples(index=False)
    titles = [
        "; ".join(
            [label, *(f"{PANELS[n]} {number(v, 3)}" for n, v in zip(shown, row, strict=True))]
        )
        for label, row in zip(map(str, _row_labels(labels, k)), values, strict=True)
    ]
    for ax in panels[:2]:  # a strip for each experiment, over all panels of the column
        strip = blended_transform_factory(ax.transData, figure.transFigure)
        Hover(ax, x, 0.5, titles, transform=strip, size=(72 * 2.85 / (k + 1), 72 * high))
    for ax in panels[-2:]:
        ax.set_xlabel("Experiment, in the order of the sheet", labelpad=2)
    return panels


def leave_one_out(table, estimate, *, ax=None, **more):
    """Draw the pooled effect without each experiment or study in turn.

    Parameters
    ----------
    table : DataFrame
        `label` or `left_out`, with `estimate, ci_low, ci_high`.
    estimate : float
        Pooled effect of all, the dashed line.
    ax : Axes, optional
    **more
        To `helpers.figures.forest.forest`, such as measure and level.

    Returns
    -------
    Axes
    """
    names = {"estimate": "effect", "left_out": "label", "added": "label"}
    rows = table.rename(columns=names).drop(columns="weight", errors="ignore")
    ax = forest(rows, **{"heading": "Left out", "ax": ax} | more)
    ax.plot([estimate] * 2, ax.get_ylim(), color=VERMILLION, lw=0.8, ls=DASHED, zorder=1)
    return ax


def cumulative(table, *, ax=None, **more):
    """Draw how the pooled effect changes as experiments are added, from top to bottom.

    Parameters
    ----------
    table : DataFrame
        `label` or `added`, with `estimate, ci_low, ci_high`; NaN bounds where one row is alone.
    ax : Axes, optional
    **more
        To `helpers.figures.forest.forest`.

    Returns
    -------
    Axes
    """
    more = {"heading": "Added", "ax": ax} | more
    return leave_one_out(table, table["estimate"].iloc[-1], **more)


@styled
def gosh(estimate, i2, *, full=None, measure=SMD, ax=None):
    """Draw the density of pooled effect and I² over many subsets of the experiments.

    The shades hold 99, 90, 75, 50, 25 and 10% of the subsets.

    Parameters
    ----------
    estimate, i2 : array_like, shape (m,)
        Pooled effect and I² (percent) of each subset.
    full : (float, float), optional
        The same of all experiments, a diamond.
    measure : helpers.analysis.measures.Measure
    ax : Axes, optional

    Returns
    -------
    Axes

    References
    ----------
    Olkin, Dahabreh and Trikalinos, Res Synth Methods 2012.
    """
    from scipy.ndimage import gaussian_filter

    estimate, i2 = np.asarray(estimate, float), np.asarray(i2, float)
    box = []
    for values in (estimate, i2):
        low, high = np.quantile(values, [0.001, 0.999])
        margin = 0.15 * (high - low) or 1
        box.append((low - margin, high + margin))
    box[1] = max(box[1][0], -2), min(box[1][1], 102)
    counts, x, y = np.histogram2d(estimate, i2, bins=(90, 60), range=box)
    density = gaussian_filter(counts, 1.5, mode="constant").T
    ranked = np.sort(density.ravel())[::-1]
    held = np.cumsum(ranked) / ranked.sum()
    levels = np.unique(ranked[np.searchsorted(held, [0.99, 0.9, 0.75, 0.5, 0.25, 0.1])])
    paint = [to_rgba(BLUE, alpha) for alpha in np.linspace(0.15, 0.95, len(levels))]
    ax = _labelled(axes(WIDE, HIGH, ax=ax), measure.title, "I² (%)")
    effect_ticks(ax.xaxis, measure)
    centres = (edges[1:] / 2 + edges[:-1] / 2 for edges in (x, y))
    ax.contourf(*centres, density, levels=[*levels, 1.01 * ranked[0]], colors=paint)
    if full is not None:
        ax.plot(*full, "D", color=VERMILLION, ms=7, mew=0)
    ax.set(xlim=box[0], ylim=box[1])
    return ax


@styled
def power(table, *, alpha=0.05, ax=None):
    """Draw how often each small-study test rejects, for this data set's own group sizes.

    Parameters
    ----------
    table : DataFrame
        A row a test (its name is the index or the column `test`), a column a scenario, for
        instance ``no suppression`` and ``80% suppressed``; values are shares of simulations
        from 0 to 1.
    alpha : float
        Nominal level, the dashed line.
    ax : Axes, optional

    Returns
    -------
    Axes
        x in percent.
    """
    table = table.set_index("test") if "test" in table else table
    table = table.select_dtypes("number") * 100
    names = [shorten(name, 2.6) for name in table.index]
    texts = [" / ".join(f"{v:.0f}%" for v in row) for row in table.to_numpy()]
    ax, y = _strip(names, texts, "Rejected", width=3, head=0.5, zero=False, ax=ax)
    ax.axvline(100 * alpha, color=INK, lw=0.8, ls=DASHED)
    for place, (scenario, (color, mark)) in enumerate(zip(table, LOOKS, strict=False)):
        look = {"color": color, "ms": 7 - place, "mew": 0, "clip_on": False}
        ax.plot(table[scenario], y, mark, label=scenario, **look)
    ax.set_xlim(0, 100)
    ax.xaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    ax.set_xlabel(f"Simulations with p < {alpha:g} (%)")
    _legend(ax)
    return ax
