"""The part of the explorer that is drawn in the browser: forest plot, numbers, words."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

TEMPLATES = Path(__file__).with_name("templates")


class View(anywidget.AnyWidget):
    """Draws what it is given; a click on a row calls back with its experiment.

    Attributes
    ----------
    rows, naming, intervals, texts, weights, shares, fates, why, scale, results
        As of `helpers.report.explore.numbers.outcome_rows` and `drawn`.
    told : dict
        As of `helpers.report.explore.numbers.told`.
    written : list of (str, str)
        Headings, and the texts below them that can be copied.
    """

    _esm = (TEMPLATES / "explorer.js").read_text(encoding="utf-8")
    _css = (TEMPLATES / "explorer.css").read_text(encoding="utf-8")
    rows = traitlets.List().tag(sync=True)
    naming = traitlets.Unicode().tag(sync=True)
    intervals = traitlets.List().tag(sync=True)
    texts = traitlets.List().tag(sync=True)
    weights = traitlets.List().tag(sync=True)
    shares = traitlets.List().tag(sync=True)
    fates = traitlets.List().tag(sync=True)
    why = traitlets.List().tag(sync=True)
    scale = traitlets.Dict(allow_none=True).tag(sync=True)
    results = traitlets.List().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)
    written = traitlets.List().tag(sync=True)

    def __init__(self, on_row):
        super().__init__()
        self._on_row = on_row
        self.on_msg(lambda _, content, buffers: self.clicked(content))

    def clicked(self, content):
        """Take what the browser says of a click: ``{"toggle": experiment}``."""
        self._on_row(content.get("toggle"))

    def show(self, **shown):
        """Send what changed, in one message."""
        with self.hold_sync():
            for name, value in shown.items():
                setattr(self, name, value)
