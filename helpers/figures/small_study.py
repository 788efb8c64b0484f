"""Figures of small-study effects: the funnel plot and Doleman's."""

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba

from helpers.analysis.measures import SMD
from helpers.drawing.frame import axes, labelled, legend_above
from helpers.drawing.marks import Hover
from helpers.drawing.shapes import dots
from helpers.drawing.style import BLUE, DASHED, GREY, INK, VERMILLION, styled
from helpers.drawing.ticks import effect_ticks
from helpers.figures.titles import effect_texts, titles
from helpers.words.numbers import number


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
    ax = axes(top=0.3 if contours else 0.1, ax=ax)
    labelled(ax, measure.title, "1 / √N" if by_size else "Standard error")
    effect_ticks(ax.xaxis, measure)
    deep = 1.08 * y.max()
    outermost = 2.576 * 2 * deep if contours and by_size else 0
    span = np.append(effect, [estimate, -outermost, outermost])
    margin = 0.06 * np.ptp(span)
    limits = span.min() - margin, span.max() + margin
    if contours:
        wide = deep * (2 if by_size else 1)
        for (near, far), alpha, name in (
            ((1.645, 1.960), 0.5, "0.05 < p < 0.10"),
            ((1.960, 2.576), 0.25, "0.01 < p < 0.05"),
        ):
            wedges = [[(0, 0), (s * near * wide, deep), (s * far * wide, deep)] for s in (-1, 1)]
            # Edges are seen where the ground is dark and on paper, whatever becomes of the tint.
            look = {"facecolors": [to_rgba(BLUE, alpha)], "edgecolors": GREY, "linewidths": 0.6}
            ax.add_collection(PolyCollection(wedges, label=name, **look), autolim=False)
    ax.axvline(0, color=INK, lw=0.8)
    ax.axvline(estimate, color=VERMILLION, lw=1, ls=DASHED, label="pooled effect")
    dots(ax, effect, y, hollow=False if excluded is None else np.asarray(excluded, bool))
    ax.set(xlim=limits, ylim=(deep, 0))
    if contours:
        legend_above(ax)
    values = [
        f"{text}, N {n:g}" if np.isfinite(n) else f"{text}, SE {number(s, 3)}"
        for text, n, s in zip(effect_texts(effect, se, measure), n_total, se, strict=True)
    ]
    Hover(ax, effect, y, titles(labels, values))
    return ax


def funnel_axis(measure, n_total):
    """The y axis of a funnel plot: 1/√N for SMDs of known group sizes, else standard errors."""
    known = np.isfinite(np.asarray(n_total, float)).all()
    return "1/sqrt(N)" if measure.standardised and known else "se"


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
    ax = labelled(axes(ax=ax), "1 / N", "Residual effect")
    ax.axhline(0, color=INK, lw=0.8)
    dots(ax, x, y)
    if fit is not None:
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, fit[0] + fit[1] * ends, color=VERMILLION, lw=1.5)
    values = [f"residual {number(b)}, N {1 / a:.4g}" for a, b in zip(x, y, strict=True)]
    Hover(ax, x, y, titles(labels, values))
    return ax
