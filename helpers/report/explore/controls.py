"""The controls of the explorer: what they offer, what is greyed out and why."""

from __future__ import annotations

from dataclasses import replace

import ipywidgets as widgets

from helpers.analysis.result import is_modelled
from helpers.report.explore import state
from helpers.words import settings as words

TITLES = {
    "measure": "Measure", "correction": "Small-sample factor", "variance": "Variance",
    "method": "τ² estimator", "interval": "Confidence interval", "prediction": "Prediction interval",
    "level": "Coverage", "split_controls": "Shared controls",
}  # fmt: skip
PRESETS = {"article": "Article's settings", "recommended": "Recommended settings",
           "chosen": "Chosen settings"}  # fmt: skip
UNSET = ""  # a dropdown shows nothing at None


def wide():
    """The layout of what is as wide as there is room."""
    return widgets.Layout(width="auto")


def _said(name, value):
    """A value of a setting as a person reads it."""
    said = {
        "variance": words.SHORT_VARIANCES, "interval": words.SHORT_INTERVALS,
        "split_controls": words.CONTROLS,
    }.get(name, {}).get(value)  # fmt: skip
    if said is None:
        said = f"{100 * value:g}%" if name == "level" else str(value)
    return said.removeprefix("variance ").removeprefix("shared controls ")


class Controls:
    """Widgets for outcome, preset, settings and levels, which call `step` with what was chosen.

    Parameters
    ----------
    review : helpers.review.review.Review
    outcomes : dict of str to str
        Labels by id.
    step : callable
        Takes a function from one `Choice` to the next.
    """

    def __init__(self, review, outcomes, step):
        self._review, self._step, self._quiet, self._counts = review, step, False, {}
        options = [(label, id) for id, label in outcomes.items()]
        self.outcome = self._dropdown("Outcome", options, self._on_outcome)
        self.preset = self._dropdown("Preset", [], self._on_preset)
        self.settings = {
            name: self._dropdown(title, [], lambda value, name=name: self._on_setting(name, value))
            for name, title in TITLES.items()
        }
        self.hint = widgets.Label().add_class("explorer-hint")
        self.levels = {
            name: {level: self._box(name) for level in one.levels}
            for name, one in review.moderators.items()
            if one.levels
        }
        self.moderator = self._dropdown("Keep levels of", [], self._on_moderator)
        self._boxes = widgets.VBox().add_class("explorer-levels")
        parts = [self.outcome] * (len(options) > 1)
        parts += [self.preset, *self.settings.values(), self.hint]
        parts += [self.moderator, self._boxes] if self.levels else []
        self.box = widgets.VBox(parts)

    def show(self, choice, analysis):
        """Bring all widgets to a choice.

        Parameters
        ----------
        choice : helpers.report.explore.state.Choice
        analysis : OutcomeAnalysis or None
        """
        review, self._quiet = self._review, True
        try:
            self.outcome.value = choice.outcome
            offered = state.presets(choice, review)
            self._set(self.preset, [(PRESETS[name], name) for name in offered], choice.preset)
            settings, _ = state.asked_of(choice, review)
            measure = analysis and analysis.measure
            why = state.idle(choice, review, settings, measure)
            never = state.impossible(review, choice.outcome)
            for name, one in self.settings.items():
                usual = self._usual(choice, name, analysis)
                options = [(_said(name, v), v) for v in state.values(name, settings.measure)]
                options = [one for one in options if one[1] not in never]
                own = choice.settings.get(name, UNSET)
                if own not in [UNSET, *(value for _, value in options)]:
                    options.append((_said(name, own), own))
                self._set(one, [(f"{usual} (as preset)", UNSET), *options], own)
                one.disabled, one.tooltip = name in why, why.get(name, "")
            self.hint.value = self._hint(choice, why | never)
            self._show_levels(choice)
        finally:
            self._quiet = False

    def _usual(self, choice, name, analysis):
        """What holds where a setting is not set."""
        gone = ("measure", "variance") if name == "measure" else (name,)
        rest = {key: value for key, value in choice.settings.items() if key not in gone}
        plain = state.normal(replace(choice, settings=rest), self._review)
        if name in state.OF_INDEPENDENT_ROWS and analysis and is_modelled(analysis.leading):
            return "multilevel model"
        return _said(name, getattr(state.asked_of(plain, self._review)[0], name))

    def _hint(self, choice, why):
        """Why settings are greyed out, and what some of them do besides."""
        grouped = {}
        for name, reason in why.items():
            grouped.setdefault(reason, []).append(TITLES.get(name, name))
        said = [
            reason if len(names) > 3 else f"{', '.join(names)}: {reason}"
            for reason, names in grouped.items()
        ]
        independent = state.makes_independent(choice)
        if independent and not self._review.article:
            named = ", ".join(TITLES[name] for name in independent)
            said.append(f"{named}: belongs to models that take experiments as independent.")
        return " ".join(said)

    def _show_levels(self, choice):
        options = []
        for name, boxes in self.levels.items():
            counts, missing = self._counted(choice.outcome)[name]
            kept, label = choice.where.get(name), self._review.moderators[name].label
            if kept is None and not any(counts.values()):
                continue
            for level, box in boxes.items():
                box.description = f"{level} ({counts.get(level, 0)})"
                box.value = kept is None or level in kept
                box.disabled = not counts.get(level, 0)
            said = "all" if kept is None else ", ".join(kept) or "none"
            gone = f"; {missing} unknown go" if missing and kept is not None else ""
            options.append((f"{label}: {said}{gone}", name))
        names = [name for _, name in options]
        if options:
            now = self.moderator.value
            self._set(self.moderator, options, now if now in names else names[0])
        self._boxes.children = [*self.levels[self.moderator.value].values()] if options else []
        self.moderator.layout.display = None if options else "none"

    def _counted(self, outcome):
        """How many rows each level has and how many have none, by moderator; counted once."""
        if outcome not in self._counts:
            rows = self._review.rows(outcome).index
            values = {name: self._review.moderator_values.loc[rows, name] for name in self.levels}
            self._counts[outcome] = {
                name: (one.value_counts().to_dict(), int(one.isna().sum()))
                for name, one in values.items()
            }
        return self._counts[outcome]

    def _set(self, dropdown, options, value):
        if [*dropdown.options] != options:
            dropdown.options = options
        dropdown.value = value

    def _dropdown(self, title, options, chosen):
        one = widgets.Dropdown(options=options, description=title, layout=wide())
        one.style.description_width = "10.5em"
        one.observe(lambda change: None if self._quiet else chosen(change["new"]), "value")
        return one

    def _box(self, moderator):
        box = widgets.Checkbox(True, indent=False, layout=wide())
        box.observe(lambda _: None if self._quiet else self._on_level(moderator), "value")
        return box

    def _on_outcome(self, id):
        self._step(lambda choice: replace(choice, outcome=id))

    def _on_preset(self, preset):
        self._step(lambda choice: state.normal(replace(choice, preset=preset), self._review))

    def _on_setting(self, name, value):
        self._step(
            lambda choice: state.with_setting(
                choice, self._review, name, None if value == UNSET else value
            )
        )

    def _on_moderator(self, name):
        self._boxes.children = [*self.levels[name].values()]

    def _on_level(self, moderator):
        boxes = self.levels[moderator]
        kept = [level for level, box in boxes.items() if box.value]
        self._step(lambda choice: state.with_levels(choice, moderator, kept, [*boxes]))
