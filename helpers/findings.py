"""Faults and warnings about a review, each with its place and the way out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or odd in a file.

    Attributes
    ----------
    file, sheet, row, column, value : str or int or None
        Where it stands and what stands there; `row` counts as a spreadsheet does, header = 1.
    what, remedy : str
        What is the matter; how to mend it.
    severity : {"fault", "warning"}
        A fault is refused; a warning is rendered and shown.
    """

    file: str
    what: str
    remedy: str
    row: int | None = None
    column: str | None = None
    value: object = None
    severity: str = "fault"
    sheet: str | None = None

    @property
    def place(self):
        """File, sheet, row and column as one phrase."""
        parts = [self.file]
        if self.sheet:
            parts.append(f"sheet {self.sheet}")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            parts.append(f"column {self.column}")
        return ", ".join(parts)

    def __str__(self):
        value = "" if self.value is None else f" (there stands {str(self.value)!r})"
        return f"{self.place}: {self.what}{value}. {self.remedy}"


class ReviewError(ValueError):
    """All faults of a review at once."""

    def __init__(self, findings):
        self.findings = tuple(findings)
        count = len(self.findings)
        lines = "\n".join(f"  {finding}" for finding in self.findings)
        super().__init__(f"{count} fault{'s' if count != 1 else ''}:\n{lines}")
