"""The flow of records through a review, after PRISMA 2020."""

from itertools import zip_longest

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.drawing.marks import Texts
from helpers.drawing.style import BLUE, GREY, INK, styled
from helpers.drawing.text import wrap
from helpers.figures.forest_layout import ROW

# A stage of the flow: the stage of those that leave it, and what they are called.
LEAVING = {
    "identification": ("removed", "Removed before screening"),
    "screening": ("excluded_screening", "Records excluded"),
    "eligibility": ("excluded_full_text", "Full texts excluded"),
    "included": (None, None),
}
MAIN, SIDE, BOX = 0.1, 3.8, 3.2  # left edges and width of the boxes, inches


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
