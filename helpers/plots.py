"""Statistical plots beside the forest: small-study effects, influence, moderators, presets.

Effects and their spread come in as arrays or tables, an ``Axes`` comes out. Sizes are inches.
"""

import numpy as np
from matplotlib.ticker import MaxNLocator

from helpers.forest import interval_text, number
from helpers.lettering import Hover, Texts, text_width
from helpers.style import BLUE, GREY, INK, SIZE, VERMILLION, axes, styled

WIDE, HIGH = 5.2, 3.6


def _labelled(ax, x, y, bins=6):
    """Label the axes and keep their ticks few."""
    ax.set(xlabel=x, ylabel=y)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10]))
        axis.set_tick_params(labelsize=SIZE, labelfontfamily="DejaVu Sans")
    return ax


def _points(ax, x, y, marked=None, hollow=None, color=BLUE, size=22, **how):
    """Dots; `marked` ones as triangles of another colour, `hollow` ones without filling."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    nothing = np.zeros(len(x), bool)
    marked = nothing if marked is None else np.asarray(marked, bool)
    hollow = nothing if hollow is None else np.asarray(hollow, bool)
    for which, shape, paint in ((~marked, "o", color), (marked, "^", VERMILLION)):
        for these, face in ((which & ~hollow, paint), (which & hollow, "none")):
            if these.any():
                ax.scatter(
                    x[these],
                    y[these],
                    s=size if np.ndim(size) == 0 else np.asarray(size)[these],
                    marker=shape,
                    facecolors=face,
                    edgecolors=paint,
                    linewidths=0.8,
                    alpha=0.85,
                    zorder=3,
                    **how,
                )


def _hover(ax, x, y, labels, values):
    """Label and values of each point under the pointer."""
    if labels is None:
        labels = [f"row {place + 1}" for place in range(len(x))]
    Hover(ax, x, y, [f"{a}: {b}" for a, b in zip(labels, values, strict=True)])


@styled
def galbraith(effect, *, variance, excluded=None, labels=None, level=1.96, ax=None):
    """Draw the Galbraith (radial) plot as Stata does: effect / SE against 1 / SE.

    The line through the origin has the common-effect estimate of all rows, excluded ones too,
    as its slope; the band is 1.96 wide either side. Rows outside of it are triangles, excluded
    rows are hollow.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
    excluded : array_like of bool, shape (k,), optional
    labels : sequence of str, optional
    level : float
        Half-width of the band in standard errors.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    effect, se = np.asarray(effect, float), np.sqrt(np.asarray(variance, float))
    x, y = 1 / se, effect / se
    slope = (effect / se**2).sum() / (1 / se**2).sum()
    ax = _labelled(axes(WIDE, HIGH, ax=ax), "Precision (1 / SE)", "Effect / SE")
    line = np.array([0, 1.05 * x.max()])
    ax.fill_between(line, slope * line - level, slope * line + level, color=GREY, alpha=0.18, lw=0)
    ax.plot(line, slope * line, color=INK, lw=1)
    ax.axhline(0, color=INK, lw=0.6, ls=(0, (2, 3)))
    outside = np.abs(y - slope * x) > level
    _points(ax, x, y, marked=outside, hollow=excluded)
    ax.set_xlim(line)
    _hover(
        ax,
        x,
        y,
        labels,
        [f"effect {number(e)}, SE {number(s)}" for e, s in zip(effect, se, strict=True)],
    )
    return ax


@styled
def funnel(
    effect,
    *,
    se,
    n_total,
    estimate,
    yaxis="1/sqrt(N)",
    contours=True,
    excluded=None,
    labels=None,
    effect_label="SMD",
    ax=None,
):
    """Draw the funnel plot, precise experiments at the top, with contours of significance.

    The grounds show where p is above 0.10 (none), and down to 0.05 and 0.01, for a test against
    no effect. On 1/√N the standard error there is that of an SMD under the null, 2/√N (equal
    groups), which does not contain the effect itself.

    Parameters
    ----------
    effect, se, n_total : array_like, shape (k,)
        Effects, standard errors, animals of both groups.
    estimate : float
        Pooled effect, the dashed line.
    yaxis : {"1/sqrt(N)", "se"}
    contours : bool
    excluded : array_like of bool, shape (k,), optional
        Drawn hollow.
    labels : sequence of str, optional
    effect_label : str
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
    by_size = yaxis == "1/sqrt(N)"
    y = 1 / np.sqrt(np.asarray(n_total, float)) if by_size else se
    ax = _labelled(axes(WIDE, HIGH, ax=ax), effect_label, "1 / √N" if by_size else "Standard error")
    deep = 1.08 * y.max()
    span = np.append(effect, [0, estimate])
    margin = 0.06 * np.ptp(span)
    limits = span.min() - margin, span.max() + margin
    if contours:
        edge = np.array([0, deep]) * (2 if by_size else 1)
        for (near, far), alpha, name in (
            ((1.645, 1.960), 0.28, "0.05 < p < 0.10"),
            ((1.960, 2.576), 0.16, "0.01 < p < 0.05"),
        ):
            for sign in (-1, 1):
                ax.fill_betweenx(
                    [0, deep],
                    sign * near * edge,
                    sign * far * edge,
                    color=BLUE,
                    alpha=alpha,
                    lw=0,
                    label=name if sign == 1 else None,
                )
    ax.axvline(0, color=INK, lw=0.8)
    ax.axvline(estimate, color=VERMILLION, lw=1, ls=(0, (4, 3)), label="pooled effect")
    _points(ax, effect, y, hollow=excluded)
    ax.set(xlim=limits, ylim=(deep, 0))
    if contours:
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=3,
            columnspacing=1.2,
            handlelength=1.4,
            borderaxespad=0.2,
        )
    _hover(
        ax,
        effect,
        y,
        labels,
        [f"{effect_label} {number(e)}, N {n:g}" for e, n in zip(effect, n_total, strict=True)],
    )
    return ax


def _strip(
    names, *, texts, effect_label, widths=(2.0, 4.2), row=0.24, head=0.24, foot=0.42, ax=None
):
    """Axes for a list of named intervals: names left, values right, one line each.

    Gives the axes, the lines' heights and the number of inches left of the plot.
    """
    left = 0.1 + max(text_width(name) for name in names)
    right = 0.2 + max(text_width(text) for text in [*texts, effect_label])
    tall = head + row * len(names) + foot
    made = ax is None
    ax = axes(left + widths[0] + right + 0.1, tall, left + 0.1, right, foot, head) if made else ax
    y = np.arange(len(names)) + 0.5
    ax.set_ylim(len(names), 0)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.axvline(0, color=INK, lw=0.8, zorder=1)
    across = ax.get_yaxis_transform()
    box = ax.get_position()
    wide = box.width * ax.figure.get_figwidth()
    ax.add_artist(Texts(-0.1 / wide, y, names, transform=across, ha="right")).set_clip_on(False)
    edge = 1 + (right - 0.06) / wide
    ax.add_artist(Texts(edge, y, texts, transform=across, ha="right")).set_clip_on(False)
    high = -0.55 * head / row
    head_text = Texts([edge], [high], [effect_label], transform=across, ha="right", bold=True)
    ax.add_artist(head_text).set_clip_on(False)
    ax.xaxis.set_tick_params(labelsize=SIZE, labelfontfamily="DejaVu Sans")
    return ax, y


def _clear(low, high, include=(0,)):
    """Limits that hold all bounds less what lies far outside of the bulk, and 0."""
    low, high = (np.asarray(b, float)[np.isfinite(b)] for b in (low, high))
    lower, upper = np.quantile(low, 0.25), np.quantile(high, 0.75)
    reach = 1.5 * (upper - lower)
    inside = [*include, low[low >= lower - reach].min(), high[high <= upper + reach].max()]
    margin = 0.04 * (max(inside) - min(inside) or 1)
    return min(inside) - margin, max(inside) + margin


def _whiskers(ax, y, table, limits, color=INK, marker="s", low="ci_low", high="ci_high", **how):
    """Estimates with intervals, cut at the limits with an arrow."""
    ends = table[[low, high]].to_numpy(float)
    gap = np.full((len(y), 1), np.nan)
    ax.plot(
        np.hstack([ends.clip(*limits), gap]).ravel(),
        np.repeat(y, 3),
        color=color,
        lw=how.pop("lw", 1.2),
        zorder=2,
        solid_capstyle="butt",
    )
    for mark, beyond, edge in (("<", ends[:, 0] < limits[0], 0), (">", ends[:, 1] > limits[1], 1)):
        if beyond.any():
            x = np.full(beyond.sum(), limits[edge])
            ax.plot(x, y[beyond], mark, color=color, ms=5, mew=0, clip_on=False)
    if marker:
        x = table["estimate"].to_numpy(float)
        x = np.where((x >= limits[0]) & (x <= limits[1]), x, np.nan)
        ax.plot(x, y, marker, color=how.pop("face", color), ms=how.pop("ms", 6), mew=0, zorder=3)


PRESETS = {
    "article": "Article's method",
    "recommended": "Recommended",
    "chosen": "Chosen",
    "three_level": "Three-level",
    "published": "Published",
}


@styled
def presets(rows, *, effect_label="SMD (95% CI)", ax=None):
    """Draw one outcome's pooled effect by each way of pooling it, and as published.

    Parameters
    ----------
    rows : DataFrame
        Index or column `preset` (article, recommended, chosen, three_level, published, or any
        text); `estimate, ci_low, ci_high`, and `pi_low, pi_high` where there is a prediction
        interval (the thin line).
    effect_label : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    rows = rows if "preset" not in rows else rows.set_index("preset")
    names = [PRESETS.get(name, str(name)) for name in rows.index]
    bounds = rows[["estimate", "ci_low", "ci_high"]].to_numpy(float)
    texts = [interval_text(*values) for values in bounds]
    ax, y = _strip(names, texts=texts, effect_label=effect_label, widths=(3.2, 0), ax=ax)
    for name in ("pi_low", "pi_high"):
        rows = rows if name in rows else rows.assign(**{name: np.nan})
    low = rows[["ci_low", "pi_low"]].min(axis=1)
    high = rows[["ci_high", "pi_high"]].max(axis=1)
    limits = _clear(low, high)
    ax.set_xlim(limits)
    _whiskers(ax, y, rows, limits, color=GREY, marker="", low="pi_low", high="pi_high", lw=0.9)
    for place, name in enumerate(rows.index):
        color = VERMILLION if name == "published" else BLUE
        marker = "D" if name == "published" else "s"
        _whiskers(ax, y[[place]], rows.iloc[[place]], limits, color=color, marker=marker, lw=2)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    return ax
