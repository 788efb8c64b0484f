"""Figures and tables of one report: numbered, marked with their kind of evidence, and sampled."""

from __future__ import annotations

from copy import copy

import numpy as np

from helpers.page import blocks
from helpers.page import tables as page_tables

# Experiments beyond which a figure draws a sample, as more would cover each other and only make
# the page heavy, and beyond which none is left out in turn, which costs time by their square.
MANY = 2_000


class Exhibits:
    """Numbers the figures and tables of one report, each download with its kind of evidence.

    Numbers go by first appearance of a name, so running a cell again does not count on.

    Parameters
    ----------
    kind : str
        What kind of rows everything is made from, as `review.toml` has it.
    """

    def __init__(self, kind):
        self.kind, self.subset, self.end = kind, None, ""
        self.figures, self.tables = {}, {}

    def within(self, subset, end=""):
        """The same numbers, whose captions and downloads say to what their rows are restricted.

        Parameters
        ----------
        subset : helpers.analysis.selection.subset.Subset or None
        end : str
            Of each name, where the same is shown of other rows too.
        """
        part = copy(self)
        part.subset, part.end = subset, end
        return part

    def figure(self, axes, *, name, caption, data=None, **words):
        """A numbered figure; the rest is as in `helpers.page.blocks.figure`."""
        words |= self._named(self.figures, name, caption)
        data = None if data is None else self._marked(data)
        return blocks.figure(axes, data=data, **words)

    def table(self, frame, *, name, caption, data=None, **words):
        """A numbered table; the rest is as in `helpers.page.tables.table`."""
        words |= self._named(self.tables, name, caption)
        return page_tables.table(frame, data=self._marked(frame if data is None else data), **words)

    def _named(self, numbers, name, caption):
        name += self.end
        number = numbers.setdefault(name, len(numbers) + 1)
        caption += "" if self.subset is None else self.subset.mark
        return {"name": name, "number": number, "caption": caption}

    def _marked(self, data):
        data = data if "provenance" in data else data.assign(provenance=self.kind)
        return data if self.subset is None else data.assign(subset=self.subset.words)


def sample(rows, seed):
    """Rows that a figure draws, and the words for its caption where they are a sample.

    Parameters
    ----------
    rows : pandas.DataFrame
    seed : int

    Returns
    -------
    rows : pandas.DataFrame
        In the order in which they were given.
    note : str
    """
    if len(rows) <= MANY:
        return rows, ""
    places = np.random.default_rng(seed).choice(len(rows), MANY, replace=False)
    return rows.iloc[np.sort(places)], (
        f" Drawn: {MANY:,} of the {len(rows):,} experiments, chosen at random; the results are "
        "those of all."
    )
