"""Numbered figures and tables of a report, each download with its kind of evidence."""

from __future__ import annotations

from helpers import blocks


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
