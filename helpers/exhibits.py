"""Numbered figures and tables of a report, each download with its kind of evidence."""

from __future__ import annotations

from helpers import blocks
from helpers.wording import count


class Exhibits:
    """Counts figures and tables and marks their data.

    Parameters
    ----------
    evidence : str
        Kind of the rows that numbers come from: extracted, reconstructed or simulated.
    """

    def __init__(self, evidence):
        self.evidence = evidence
        self._numbers = {"figure": {}, "table": {}}

    def figure(self, axes, *, name, data=None, **words):
        """A matplotlib figure as a numbered block."""
        data = None if data is None else self.marked(data)
        return blocks.figure(
            axes, name=name, number=self._number("figure", name), data=data, **words
        )

    def table(self, frame, *, name, data=None, **words):
        """A table as a numbered block."""
        data = self.marked(frame if data is None else data)
        return blocks.table(
            frame, name=name, number=self._number("table", name), data=data, **words
        )

    def sheet(self, review):
        """What was done to the sheet on its way to the numbers, in order, with counts."""
        used = len(review.experiments)
        return self.table(
            review.trace.rename(columns=str.capitalize),
            name="sheet",
            caption=f"From the sheet to the numbers: {count(review.rows_in, 'row')} in, "
            f"{used:,} used, {len(review.not_used):,} listed with the reason why not; "
            f"{count(len(review.exclusions), 'experiment')} excluded afterwards.",
        )

    def not_used(self, review):
        """Rows of the sheet that give no experiment, with the reason."""
        if review.not_used.empty:
            return None
        names = {"sheet_row": "Row of the sheet", "reason": "Reason"}
        return self.table(
            review.not_used.rename(columns=names), name="not-used", data=review.not_used,
            caption=f"{count(len(review.not_used), 'row')} of the sheet that give no experiment.",
        )  # fmt: skip

    def marked(self, data):
        """Data with a column that says what kind of rows it was made from."""
        return data if "provenance" in data else data.assign(provenance=self.evidence)

    def _number(self, kind, name):
        """Numbers go by first appearance, so running a cell again does not count on."""
        return self._numbers[kind].setdefault(name, len(self._numbers[kind]) + 1)


def provenance_block(content):
    """Parameters, hashes of inputs and code, versions and seed of `helpers.results`."""
    origin = content["provenance"]
    pairs = [
        ("Review", content["review"]),
        ("Evidence", origin["evidence"]["kind"]),
        ("Rows in, rows used", f"{origin['rows_in']:,}, {origin['rows_used']:,}"),
        ("Parameters", [f"{name} = {value!r}" for name, value in content["parameters"].items()]),
        ("SHA-256 of inputs", [f"{name} {value}" for name, value in origin["inputs"].items()]),
        ("SHA-256 of code", origin["code"]),
        ("Versions", [f"{name} {value}" for name, value in origin["versions"].items()]),
        ("Seed", origin["seed"]),
    ]
    return blocks.facts(pairs, name="provenance")
