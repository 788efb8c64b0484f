"""Figures of outliers and influence: the Galbraith plot and deletion diagnostics."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from helpers.drawing.frame import axes, labelled, legend_above
from helpers.drawing.marks import Hover
from helpers.drawing.shapes import dots
from helpers.drawing.style import BLUE, DASHED, GREY, INK, VERMILLION, styled
from helpers.figures.titles import row_labels, titles
from helpers.stats import influence as deletions
from helpers.stats.pooling import critical
from helpers.words.numbers import effect_digits, number


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
    ax = labelled(axes(top=0.3, ax=ax), "Precision (1 / SE)", "Effect / SE")
    line = np.array([0, 1.05 * x.max()])
    ax.fill_between(line, slope * line - z, slope * line + z, color=GREY, alpha=0.18, lw=0)
    ax.plot(line, slope * line, color=INK, lw=1)
    ax.axhline(0, color=INK, lw=0.6, ls=(0, (2, 3)))
    excluded = np.zeros(len(x), bool) if excluded is None else np.asarray(excluded, bool)
    dots(ax, x, y, marked=outside, hollow=excluded)
    ax.plot([], [], "^", color=VERMILLION, mew=0, label=f"outside ±{z:.2f} ({outside.sum()})")
    if excluded.any():
        ax.plot([], [], "o", mfc="none", mec=INK, label=f"excluded ({excluded.sum()})")
    legend_above(ax)
    ax.set_xlim(line)
    digits = effect_digits(effect - z * se, effect + z * se)
    values = [
        f"effect {number(e, digits)}, SE {number(s, digits)}"
        for e, s in zip(effect, se, strict=True)
    ]
    Hover(ax, x, y, titles(labels, values))
    return ax


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
        ax = labelled(figure.add_axes(box), bins=4)
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
    texts = [
        "; ".join(
            [label, *(f"{PANELS[n]} {number(v, 3)}" for n, v in zip(shown, row, strict=True))]
        )
        for label, row in zip(map(str, row_labels(labels, k)), values, strict=True)
    ]
    for ax in panels[:2]:  # a strip for each experiment, over all panels of the column
        strip = blended_transform_factory(ax.transData, figure.transFigure)
        Hover(ax, x, 0.5, texts, transform=strip, size=(72 * 2.85 / (k + 1), 72 * high))
    for ax in panels[-2:]:
        ax.set_xlabel("Experiment, in the order of the sheet", labelpad=2)
    return panels
