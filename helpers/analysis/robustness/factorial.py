"""Full factorials of choices: thinned to a number, cut into pieces, their spread parted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

MULTILEVEL, INDEPENDENT = "multilevel", "independent"
FORMULA = ("correction", "variance", "controls")  # what effects of given rows depend on
# Of two decisions with as many choices the one that usually moves a result less loses one.
GO_FIRST = ("correction", "method", "controls", "interval", "rho", "risk_of_bias", "follow_up",
            "outliers", "variance")  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Specifications of one measure and one model: every combination of what is left to decide.

    `choices` are the values of each decision, decisions that do not apply left out.
    """

    measure: str
    model: str
    choices: dict[str, tuple]

    @property
    def shape(self):
        """Number of choices of each decision."""
        return tuple(map(len, self.choices.values()))

    @property
    def size(self):
        """Number of specifications."""
        return math.prod(self.shape)

    @property
    def fits(self):
        """Number of multilevel fits that they need: both tests come from one."""
        tests = len(self.choices.get("test", (None,)))
        return self.size // tests if self.model == MULTILEVEL else 0


def thinned(blocks, leading, *, most, fits, shown):
    """Blocks with so few choices that no more than a number of specifications is left.

    Parameters
    ----------
    blocks : list of Block
    leading : dict
        Choices of the leading analysis, which stay.
    most, fits : int
        Specifications of independent rows, and multilevel fits.
    shown : dict
        Of `helpers.analysis.robustness.choices.Choices`.

    Returns
    -------
    list of Block

    Notes
    -----
    What is left is a full factorial of each measure and model, so that the spread can be parted
    exactly. First go choices that are only shown, from the largest block that has any, and measures
    that are; then other choices, again from the largest block, and other measures. Where a model is
    only shown, so are all of its specifications, and none goes before the others. Of a block goes
    the last choice of the decision with the most, of equal ones by `GO_FIRST`. The first choice of
    each decision and those of the leading analysis stay.
    """
    blocks = list(blocks)
    for model, limit in ((INDEPENDENT, most), (MULTILEVEL, fits)):
        while sum(_cost(block, model) for block in blocks) > limit:
            smaller = _smaller(blocks, model, leading, shown)
            if smaller is None:
                break
            blocks = smaller
    return blocks


def _cost(block, model):
    return 0 if block.model != model else block.fits or block.size


def _leads(block, leading):
    return (block.measure, block.model) == (leading["measure"], leading["model"])


def _smaller(blocks, model, leading, shown):
    """The blocks without one choice or one of them; None where all have to stay."""
    order = sorted((b for b in blocks if b.model == model), key=lambda b: -_cost(b, model))
    others = [block for block in reversed(order) if not _leads(block, leading)]
    among = None if ("model", model) in shown else shown  # where all are, none goes before others
    for chosen in (among, None):
        for block in order:
            free = _free(block, leading, chosen)
            if free:
                name = max(free, key=lambda one: len(block.choices[one]))
                return _without(blocks, block, name, free[name])
        whole = [block for block in others if ("measure", block.measure) in shown or not chosen]
        if whole:
            return [other for other in blocks if other is not whole[0]]
    return None


def _free(block, leading, among=None):
    """The last choice of each decision that may go, those only that are `among` some."""
    found = {}
    for name in GO_FIRST:  # tests cost no fit and stay
        values = block.choices.get(name, ())
        stays = {*values[:1], leading.get(name) if _leads(block, leading) else None}
        free = [value for value in values if value not in stays]
        free = [value for value in free if among is None or (name, value) in among]
        if free:
            found[name] = free[-1]
    return found


def _without(blocks, block, name, gone):
    left = tuple(value for value in block.choices[name] if value != gone)
    smaller = replace(block, choices=block.choices | {name: left})
    return [smaller if other is block else other for other in blocks]


def by_formula(block):
    """A block in pieces of one formula each, in their order."""
    names = [name for name in FORMULA if name in block.choices]
    for values in product(*(block.choices[name] for name in names)):
        one = dict(zip(names, ((value,) for value in values), strict=True))
        yield replace(block, choices=block.choices | one)


def put_together(block, made):
    """Results of a block from those of its pieces.

    Parameters
    ----------
    block : Block
    made : iterator of dict of numpy.ndarray
        Those of the pieces come next.

    Returns
    -------
    dict of numpy.ndarray
        Each of the block's shape.
    """
    names = list(block.choices)
    axes = [names.index(name) for name in FORMULA if name in block.choices]
    sizes = [block.shape[axis] for axis in axes]
    parts = [next(made) for _ in range(math.prod(sizes))]
    whole = {}
    for name, first in parts[0].items():
        whole[name] = np.empty(block.shape, first.dtype)
        for part, at in zip(parts, np.ndindex(*sizes), strict=True):
            place = [slice(None)] * len(names)
            for axis, index in zip(axes, at, strict=True):
                place[axis] = slice(index, index + 1)
            whole[name][tuple(place)] = part[name]
    return whole


def complete(values):
    """The largest full factorial without gaps, one choice after the other left out.

    Parameters
    ----------
    values : numpy.ndarray
        An axis a decision; NaN where there is no result.
    """
    while np.isnan(values).any():
        gaps = np.isnan(values)
        axis, at = max(
            ((axis, at) for axis in range(values.ndim) for at in range(values.shape[axis])),
            key=lambda place: (gaps.take(place[1], place[0]).mean(), place),
        )
        values = np.delete(values, at, axis)
    return values


def variance_shares(estimates):
    """Percent of the variance over a full factorial that each of its axes explains by itself.

    Parameters
    ----------
    estimates : numpy.ndarray
        An axis a decision.

    Returns
    -------
    numpy.ndarray
        A share for each axis, and last what only their interplay explains; they add up to 100.
        NaN where nothing varies, or nothing is there.
    """
    shares = np.full(estimates.ndim + 1, np.nan)
    if not estimates.size:
        return shares
    away = estimates - estimates.mean()
    total = (away**2).mean()
    if total <= (8 * np.finfo(float).eps * np.abs(estimates).max()) ** 2:
        return shares
    for axis in range(estimates.ndim):
        others = tuple(other for other in range(estimates.ndim) if other != axis)
        shares[axis] = 100 * (away.mean(axis=others) ** 2).mean() / total
    shares[-1] = max(100 - shares[:-1].sum(), 0.0)
    return shares
