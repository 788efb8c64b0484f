"""The explorer itself: controls, forest plot and ways to write a choice back, as one widget."""

from __future__ import annotations

from dataclasses import replace

import ipywidgets as widgets
from IPython.display import display

from helpers.problems import ProjectError
from helpers.report.explore import numbers, state, written
from helpers.report.explore.controls import Controls, wide
from helpers.report.explore.view import View
from helpers.review.review import load


class Explorer:
    """A family of outcomes under other choices, each seen at once beside the report.

    Parameters
    ----------
    report : helpers.report.family.Report
        As which it begins.
    outcomes : list of str, optional
        Those to choose from; by default all that the report has.

    Attributes
    ----------
    history : helpers.report.explore.state.History
        The choices so far; ``history.now`` is the one that is shown.
    found : helpers.report.explore.numbers.Found
        Its result.
    """

    def __init__(self, report, outcomes=None):
        self._report = report
        self._review = self._begun = replace(report.review, subset=None)  # all rows stay rows
        self._reported, self._rows = {}, {}  # by outcome: what does not change
        outcomes = outcomes or [*report.analyses, *report.not_analysed]
        settings = {name: getattr(report.settings, name) for name in state.NAMES
                    if report.given.get(name) is not None}  # fmt: skip
        where = {} if report.review.subset is None else dict(report.review.subset.where)
        exclude = tuple(report.parameters["exclude"])
        start = state.Choice(outcomes[0], settings=settings, where=where, exclude=exclude)
        self.history = state.History(state.normal(start, self._review))
        labels = {name: self._review.outcomes[name].label for name in outcomes}
        self.controls = Controls(self._review, labels, self.step)
        self.view = View(self._on_row)
        self.undo, self.redo, self.reset = (
            self._button(text, act)
            for text, act in (("Undo", "undo"), ("Redo", "redo"), ("Reset", "reset"))
        )
        self.reason = widgets.Text(description="Reason", placeholder="why", layout=wide())
        self.by = widgets.Text(description="By", placeholder="who says so", layout=wide())
        self.write = widgets.Button(description="Write to exclusions.csv", layout=wide())
        self.write.on_click(lambda _: self.write_exclusions())
        self.status = widgets.Label().add_class("explorer-status")
        steps = widgets.HBox([self.undo, self.redo, self.reset])
        title = widgets.Label("Leave these out of the review for good").add_class("explorer-title")
        parts = [steps, self.controls.box, title, self.reason, self.by, self.write, self.status]
        left = widgets.VBox(parts)
        left.layout = widgets.Layout(flex="1 1 19rem", max_width="24rem", min_width="0")
        left.add_class("explorer-controls")
        self.view.layout = widgets.Layout(flex="3 1 26rem", min_width="0")
        self.box = widgets.HBox([left, self.view]).add_class("explorer-box")
        self._show()

    def _ipython_display_(self):
        display(self.box)

    def step(self, change):
        """Go on to what a function makes of the present choice, and show it."""
        self.history.go(change(self.history.now))
        self._show()

    def write_exclusions(self):
        """Write the experiments that are left out here into the review's `exclusions.csv`."""
        try:
            names = written.add_exclusions(
                self._review, self.history.now.exclude, self.reason.value, self.by.value
            )
            family = self._report.family
            self._review = load(self._review.folder).part(family.outcomes)
        except ProjectError as refusal:
            self.status.value = str(refusal)
            return
        self.history.forget(names)
        self._show()
        self.status.value = (
            f"Written: {', '.join(names)}. Run the notebook anew to have it in the report."
        )

    def _on_row(self, experiment):
        fates = dict(zip((row["id"] for row in self.view.rows), self.view.fates, strict=True))
        if fates.get(experiment) in (numbers.USED, numbers.BY_HAND):
            self.step(lambda choice: state.toggled(choice, experiment))

    def _button(self, text, act):
        button = widgets.Button(description=text, layout=widgets.Layout(flex="1 1 4rem"))

        def press(_):
            getattr(self.history, act)()
            self._show()

        button.on_click(press)
        return button

    def _named(self, outcome):
        """The rows of an outcome as they are called, made once."""
        if outcome not in self._rows:
            self._rows[outcome] = numbers.outcome_rows(self._report, self._review, outcome)
        return self._rows[outcome]

    def _as_reported(self, outcome):
        """The result of an outcome as the report has it, computed once."""
        if outcome not in self._reported:
            start = replace(self.history.start, outcome=outcome)
            self._reported[outcome] = numbers.found(self._begun, start)
        return self._reported[outcome]

    def _show(self):
        report, review, choice = self._report, self._review, self.history.now
        self.found = numbers.found(review, choice)
        reported = self._as_reported(choice.outcome)
        self.view.show(
            **self._named(choice.outcome),
            **numbers.drawn(self.found, reported),
            told=numbers.told(report, self.found, reported),
            written=written.texts(report.family.id, report.given, choice),
        )
        self.controls.show(choice, self.found.analysis)
        self.undo.disabled = not self.history.can_undo
        self.redo.disabled = not self.history.can_redo
        self.reset.disabled = choice == self.history.start
        self.status.value = ""
