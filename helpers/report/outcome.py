"""One outcome of a family: everything that can be shown of it."""

from __future__ import annotations

from functools import partial

from helpers.analysis.settings import one_of
from helpers.analysis.small_study import LEAST
from helpers.page import blocks
from helpers.problems import Refused
from helpers.report import diagnosis, forests, moderators, pooled
from helpers.report.explore.live import waited
from helpers.report.group import Group
from helpers.report.robustness import planning, specifications


class Outcome:
    """One outcome of a family, as `helpers.report.family.Report.outcome` gives it.

    Every method shows one thing. Of an outcome that was not selected, or of which no row has an
    effect, only `forest` says so, and the other methods show nothing.

    Parameters
    ----------
    report : helpers.report.family.Report
    id : str
        One of the family's outcomes.
    end : str
        Of the names of all that it shows, where the report shows the outcome of other rows too.
    """

    def __init__(self, report, id, end=""):
        self.id, self.label = id, report.review.outcomes[id].label
        self._report, self._name = report, f"{id}{end}"
        if end:
            self.label += f", {report.review.subset.words}"
        self._alone = Group(report, [id], self.label, id)

    def __repr__(self):
        k = "not selected" if self.analysis is None else f"k = {self.analysis.leading.k}"
        return f"<{self.label} ({self.id}), {k}>"

    def __dir__(self):
        return [name for name in super().__dir__() if not name.startswith("_")]

    @property
    def analysis(self):
        """All results, as `helpers.analysis.outcome.analyse` gives them; None where there are none."""
        return self._report.analyses.get(self.id)

    def forest(self, by=None, *, groups=False, sort=None, rows=None, ax=None):
        """Forest plot, its experiments grouped by the levels of a moderator on request.

        Parameters
        ----------
        by : str, optional
            Id of a moderator with levels.
        groups : bool
            Mean (SD) and n of both groups beside the plot.
        sort : str, optional
            ``effect``, ``year``, or the id of a moderator; by default as the sheet has them.
        rows : bool, optional
            A row an experiment, however many (True), or an orchard plot (False); by default rows
            up to 60 experiments.
        ax : matplotlib.axes.Axes, optional
            Draws there, for a figure of several panels, and gives these axes back.
        """
        described = None if by is None else self._moderator(by)
        if described is not None and not described.levels:
            raise Refused(f"{by} is a number and has no levels to group by. Use `bubble`.")
        if self.analysis is None:
            error = self._report.not_analysed.get(self.id)
            words = "This outcome was not selected for this report."
            words = words if error is None else f"Not analysed: {error}."
            return blocks.paragraph(words, name=f"{self._name}-not-shown")
        how = {"groups": groups, "sort": sort, "rows": rows, "ax": ax}
        return forests.of_one(self._report, self.analysis, described, **how)

    def result(self):
        """A results paragraph that can be pasted into a manuscript."""
        return self._show(pooled.result)

    def heterogeneity(self):
        """How much the experiments differ, and what that means for the next one."""
        return self._show(pooled.heterogeneity)

    def moderators(self):
        """Subgroups and meta-regressions, a row a level."""
        return self._show(moderators.table)

    def levels(self):
        """One figure of all levels of all moderators: estimate, intervals, k and studies."""
        return self._show(moderators.levels)

    def regressions(self):
        """Several moderators at once, where the review asks for it: a test a term, coefficients."""
        return self._show(moderators.regressions)

    def bubble(self, moderator):
        """Effects against one moderator: a strip for each level, a line for a number.

        Parameters
        ----------
        moderator : str
            Its id.
        """
        return self._show(moderators.bubble, self._moderator(moderator))

    def together(self):
        """Which moderators go together: what one explains, another may explain as well."""
        return self._show(moderators.together, least=3)

    def galbraith(self):
        """Galbraith plot: which experiments lie outside the band of the common effect."""
        return self._show(diagnosis.galbraith, least=3)

    def excluded(self):
        """Which experiments were left out and why, and the result with and without them."""
        return self._show(pooled.excluded)

    def influence(self):
        """How much each experiment moves the pooled result."""
        return self._show(diagnosis.influenced, least=3)

    def funnel(self):
        """Funnel plot: SMDs on sample size, as their standard error contains the effect itself."""
        return self._show(diagnosis.funnel, least=3)

    def small_study(self):
        """Tests for small-study effects, with their power, in words."""
        return self._alone.small_study()

    def small_study_tests(self):
        """The tests behind the words, each with what it would have seen."""
        return self._alone.small_study_tests()

    def doleman(self):
        """Doleman plot: what baseline risk leaves of the effects, against inverse sample size."""
        return self._alone.doleman()

    def presets(self):
        """The same data under several settings side by side, and what was printed."""
        return self._show(pooled.presets)

    def specifications(self, most=None):
        """Specification curve: the result by every combination of defensible choices.

        Parameters
        ----------
        most : int, optional
            Specifications of independent rows; multilevel fits are one for 20 of them.
        """
        return self._show(specifications.curve, most, least=2)

    def planning(self):
        """What a new experiment may find, how many animals it needs, and what it would add."""
        return self._show(planning.planning, least=2)

    def cumulative(self):
        """The result after each year of publication; nothing where years are not known."""
        return self._show(planning.cumulative, least=2)

    def publication_bias(self):
        """Trim and fill, a selection model and excess significance, each with its caveat."""
        return self._show(planning.publication_bias, least=LEAST)

    def published(self):
        """Printed numbers beside those computed by the article's own settings and measure.

        Whatever the parameters are: they are about the chosen result. Nothing where nothing was
        printed.
        """
        return self._show(pooled.published)

    def explained(self, *moderators):
        """Heterogeneity; moderators: their table, several at once, together, bubbles of these.

        Parameters
        ----------
        moderators : str
            Ids of those that are drawn; by default all that are numbers.
        """
        shown = [show() for show in self._explained(*moderators)]
        return blocks.together(shown, name=f"{self._name}-explained")

    def diagnosis(self, *, tests=True):
        """What tells how far the result can be trusted, each part folded under its heading.

        Parameters
        ----------
        tests : bool
            False where the small-study effects of a group are those of its outcomes.
        """
        parts = list(self._parts(tests).items())[3:]
        return blocks.together(self._folded(parts), name=f"{self._name}-diagnosis")

    def show(self, *, forest=True, tests=True):
        """The outcome's whole section: forest plot and result, all else folded.

        Parameters
        ----------
        forest, tests : bool
            False where a group shows its experiments, and tests it together with others.
        """
        if self.analysis is None:
            return self.forest()
        drawn, result, *others = self._parts(tests).items()
        first = [show() for show in [*(drawn[1] if forest else ()), *result[1]]]
        return blocks.together([*first, *self._folded(others)], name=f"{self._name}-section")

    def explore(self):
        """Other choices of this outcome's analysis by hand, as `Report.explore` has them."""
        if self.analysis is None:
            return self.forest()
        return self._report.explore([self.id])

    def sections(self):
        """Everything above in its order: headings, each with what there is to show under it.

        Returns
        -------
        dict of list of helpers.page.blocks.Block
            By heading; a heading with nothing under it is left out.
        """
        shown = {title: [show() for show in parts] for title, parts in self._parts().items()}
        found = {title: [one for one in parts if one is not None] for title, parts in shown.items()}
        return {title: parts for title, parts in found.items() if parts}

    def _parts(self, tests=True):
        """What each part shows, by its heading: nothing is drawn or counted before it is called."""
        tested = [self.small_study, self.small_study_tests, self.doleman] if tests else []
        return {
            "All experiments": [self.forest],
            "Result": [self.result],
            "What may explain the differences": self._explained(),
            "Outliers and influence": [self.galbraith, self.excluded, self.influence],
            "Small-study effects": [self.funnel, *tested],
            "Sensitivity analyses": [self.presets, self.specifications],
            "What would change the result": [self.planning, self.cumulative, self.publication_bias],
            "Comparison with the published values": [self.published],
        }

    def _explained(self, *drawn):
        every = self._report.review.moderators
        drawn = drawn or [name for name, one in every.items() if not one.levels]
        bubbles = [partial(self.bubble, name) for name in drawn]
        return [
            self.heterogeneity, self.levels, self.moderators, self.regressions, self.together, *bubbles
        ]  # fmt: skip

    def _folded(self, parts):
        return [
            blocks.section(
                title, [show() for show in shown], name=f"{self._name}-{title}", folded=True
            )
            for title, shown in waited(list(parts), self.label)
        ]

    def _moderator(self, name):
        return one_of(name, self._report.review.moderators, "moderator")

    def _show(self, function, *args, least=1):
        """What a function shows of the analysis; nothing where there are too few experiments."""
        if self.analysis is None or self.analysis.leading.k < least:
            return None
        return function(self._report, self.analysis, *args)
