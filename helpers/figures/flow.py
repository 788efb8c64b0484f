"""The flow of records through a review, in the columns of PRISMA 2020."""

from itertools import pairwise

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.drawing.marks import Texts
from helpers.drawing.style import BLUE, GREY, INK, styled
from helpers.drawing.text import wrap
from helpers.figures.forest_layout import NARROW, ROW, WIDTH
from helpers.review.prisma.flow import STEPS, arranged, gone, parts, sums

# What those are called that leave at a step, where the reasons do not say so themselves.
LEAVING = {
    "removed": "Removed before screening",
    "excluded_screening": "Records excluded",
    "not_retrieved": "Reports not retrieved",
    "excluded_full_text": "Full texts excluded",
}
COLUMNS = {
    "previous": "Earlier version",
    "main": "Databases and registers",
    "other": "Other methods",
}
EDGE, DOWN = 0.1, 0.28  # margin, and the way between two boxes of a column, inches
ACROSS = {1: 0.5, 2: 0.22}  # the way between boxes beside each other: one column, or several
BOX = {1: 3.2, 2: 1.9}


@styled
def flow(counts, *, narrow=False):
    """Draw the PRISMA 2020 flow of records, with the reasons at each stage where there are any.

    Databases and registers stand in one column, other methods in a second, an earlier version of
    the review in a third, as far as there are any. What is not given but follows by subtraction
    is drawn with the words "by subtraction"; where numbers do not add up, the box says by how much.

    Parameters
    ----------
    counts : DataFrame
        `stage, item, n` and, if wanted, `source`, as `helpers.review.prisma.flow.arranged` takes them.
        Items of the identification that speak of duplicates or of removal leave the flow.
    narrow : bool
        The form for phones: the columns below each other.

    Returns
    -------
    Axes
        x and y in inches, y downwards.
    """
    rows = arranged(counts)
    wrong = {held.row: held for held in sums(rows) if not held.holds}
    present = [name for name in COLUMNS if (rows["column"] == name).any()]
    many = len(present) > 1
    box = 1.7 if narrow else BOX[1 + many]
    across = 0.1 if narrow else ACROSS[1 + many]
    sheet = _Sheet(box)
    rest = rows[(rows["stage"] == "included") & (not many)]
    columns = {name: _steps(rows[rows["column"] == name], wrong, rest) for name in present}
    x, y, ends = 2 * EDGE if narrow and many else EDGE, EDGE, {}
    if not narrow:
        tops = _tops(columns, sheet, EDGE + many * (ROW + 0.12))
    # On a phone the main column stands last, above what is included.
    for name in sorted(present, key=lambda name: name == "main") if narrow else present:
        if many:
            sheet.titles.append((x, y + ROW / 2, COLUMNS[name]))
        if narrow:
            tops = _tops({name: columns[name]}, sheet, y + many * (ROW + 0.12))
        ends[name] = (x, sheet.column(x, x + box + across, columns[name], tops))
        if narrow:
            y = max(y + high for _, y, high, *_ in sheet.boxes) + DOWN
        else:
            sides = any(left for _, _, left in columns[name])
            x += box + across + sides * (box + across)
    end = max(y + high for _, y, high, *_ in sheet.boxes) + DOWN
    return _included(sheet, rows, ends, end, wrong, narrow)


def _steps(column, wrong, rest):
    """What the boxes of a column say: step, its lines, the lines of what leaves there.

    `rest` are the rows that the last step leads to where no other column does.
    """
    earlier = column[column["stage"] == "previous"]
    found = [("previous", _counts(earlier), [])] if len(earlier) else []
    present = [step for step, _ in STEPS if (column["stage"] == step).any()]
    for step, leaving in STEPS:
        here, out = (column[column["stage"] == name] for name in (step, leaving))
        if here.empty and out.empty:
            continue
        later = present[present.index(step) + 1 :] if step in present else []
        after = column[column["stage"] == later[0]] if later else rest if len(rest) else None
        lines = []
        if len(out):
            due = None if after is None else sum(parts(here)) - int(after["n"].iloc[0])
            lines = _reasons(out, LEAVING[leaving], due)
        elif after is not None:
            before = parts(here) if step == "identification" else here["n"][:1]
            left = int(sum(before) - after["n"].iloc[0])
            if left:
                lines = [_counted(LEAVING[leaving], left, ", by\u00a0subtraction")]
        if after is not None and (held := wrong.get(after.index[0])) and held.stage in later[:1]:
            lines.append(_gap(held))
        if len(out) and out.index[0] in wrong:
            lines.append(_gap(wrong[out.index[0]]))
        if here.empty and found:
            found[-1][2].extend(lines)
        elif len(here):
            found.append((step, _counts(here), lines))
    return found


def _reasons(out, heading, due):
    """Lines of those that leave: one reason as it is, several under the number of all."""
    counts = gone(out, due)
    items = list(zip(out["item"], out["n"], strict=True))
    if len(items) == 1:
        return [_counted(*items[0])]
    if len(counts) < len(items):
        (heading, n), *items = items
    else:
        n = sum(counts)
    return [_counted(heading, n), *(f"   {item}:\u00a0{n}" for item, n in items)]


def _counts(rows):
    return [_counted(*pair) for pair in zip(rows["item"], rows["n"], strict=True)]


def _counted(text, n, note=""):
    return f"{text[:1].upper()}{text[1:]} (n\u00a0=\u00a0{n:g}{note})"


def _gap(held):
    """Such as "156 − 91 is not 63"."""
    less = f" − {sum(held.less)}" if held.less else ""
    several = len(held.more) > 2
    more = str(sum(held.more)) if several else " + ".join(map(str, held.more))
    return f"{more}{less} is not {held.n}"


def _tops(columns, sheet, y):
    """Where the boxes of each step begin, common to the columns, and where the last one ends."""
    tops = {}
    for name in ("previous", *(step for step, _ in STEPS)):
        high = [
            max(sheet.height(lines, True), sheet.height(left, False))
            for steps in columns.values() for step, lines, left in steps if step == name
        ]  # fmt: skip
        tops[name] = y
        # An earlier version stands beside the first step, not above it.
        y += max(high) + DOWN if high and (name != "previous" or len(columns) == 1) else 0
    return tops


def _included(sheet, rows, ends, y, wrong, narrow):
    """Boxes of what is included and of the total, and the arrows into them."""
    x = ends.get("main", next(iter(ends.values())))[0]
    middles = {}
    for stage, head in (("included", "Included"), ("total", "Total")):
        part = rows[rows["stage"] == stage]
        if part.empty:
            continue
        gaps = [_gap(wrong[row]) for row in part.index if row in wrong]
        high = sheet.box(x, y, [*_counts(part), *gaps], head)
        middles[stage] = y + min(high / 2, 0.16)
        if stage == "total" and "included" in middles:
            sheet.path((x + sheet.wide / 2, y - DOWN), (x + sheet.wide / 2, y))
        elif "main" in ends:
            sheet.path((x + sheet.wide / 2, ends["main"][1]), (x + sheet.wide / 2, y))
        y += high + DOWN
    for name, (left, end) in ends.items():
        into = middles.get("total" if name == "previous" else "included")
        if name == "main" or into is None:
            continue
        if narrow:
            into += 0.06 * (name == "other")
            sheet.path((left, end - 0.12), (EDGE, end - 0.12), (EDGE, into), (x, into))
        else:
            under, edge = left + sheet.wide / 2, x if left < x else x + sheet.wide
            sheet.path((under, end), (under, into), (edge, into))
    return sheet.draw(y - DOWN + EDGE, NARROW if narrow else None)


class _Sheet:
    """Boxes and arrows collected before the figure's size is known.

    Parameters
    ----------
    wide : float
        Width of each box, inches.
    """

    def __init__(self, wide):
        self.wide = wide
        self.boxes, self.arrows, self.titles = [], [], []

    def folded(self, texts):
        """Lines of a box; what begins with blanks, and what goes on in a next line, is indented."""
        return [
            "   " * (text.startswith(" ") + bool(place)) + line
            for text in texts
            for place, line in enumerate(
                wrap(text.strip(), self.wide - 0.32 - 0.12 * text.startswith(" "))
            )
        ]

    def height(self, texts, headed):
        return ROW * (len(self.folded(texts)) + headed) + 0.16 if texts else 0

    def box(self, x, y, texts, head=None):
        """Add a box; how high it is."""
        high = self.height(texts, head is not None)
        self.boxes.append((x, y, high, self.folded(texts), head))
        return high

    def path(self, *corners):
        """Add an arrow round corners."""
        self.arrows.append(corners)

    def column(self, x, side, steps, tops):
        """Add the boxes of one column and what leaves beside them; where its last box ends."""
        middle, end = x + self.wide / 2, 0
        for step, lines, left in steps:
            y = tops[step]
            high = self.box(
                x, y, lines, step.capitalize() if step != "previous" else "Included before"
            )
            if end:
                self.path((middle, end), (middle, y))
            if left:
                self.box(side, y, left)
                self.path((x + self.wide, y + 0.165), (side, y + 0.165))
            end = y + high
        return end

    def draw(self, tall, wide=None):
        """The axes with all of it."""
        right = max(x for x, *_ in self.boxes) + self.wide + EDGE
        wide = max(right, wide or (WIDTH if len(self.boxes) and right < WIDTH + 0.5 else right))
        ax = Figure((wide, tall)).add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, wide), ylim=(tall, 0))
        ax.axis("off")
        for x, y, high, texts, head in self.boxes:
            color = BLUE if head else GREY
            ax.add_patch(Rectangle((x, y), self.wide, high, fc=to_rgba(color, 0.1), ec=color, lw=1))
            ys = y + 0.08 + ROW * (np.arange(len(texts)) + 0.5 + bool(head))
            ax.add_artist(Texts(x + 0.1, ys, texts))
            if head:
                ax.add_artist(Texts([x + 0.1], [ys[0] - ROW], [head], bold=True))
        for x, y, text in self.titles:
            ax.add_artist(Texts([x], [y], [text], bold=True))
        for corners in self.arrows:
            for start, end in pairwise(corners):
                ax.plot(*zip(start, end, strict=True), color=INK, lw=1)
            (x0, y0), (x1, y1) = corners[-2:]
            tip = ">" if x1 > x0 else "<" if x1 < x0 else "v"
            back = 0.06 * np.sign([x1 - x0, y1 - y0])
            ax.plot(x1 - back[0], y1 - back[1], tip, color=INK, ms=6, mew=0)
        return ax
