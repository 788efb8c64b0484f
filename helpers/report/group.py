"""Outcomes that are shown and tested together."""

from __future__ import annotations

from helpers.analysis import small_study
from helpers.figures import small_study as small_study_figures
from helpers.page import blocks
from helpers.report import forests
from helpers.report.exhibits import sample
from helpers.words import numbers
from helpers.words import small_study as small_study_of
from helpers.words.numbers import count, number, percent


class Group:
    """Several outcomes of a family, as `helpers.report.family.Report.group` gives them.

    Those that were not selected are left out; where none was, only `forest` says so, and the
    other methods show nothing.

    Parameters
    ----------
    report : helpers.report.family.Report
    outcomes : list of str
        Ids.
    label : str
        What the outcomes are called together.
    name : str
        Part of the names of its figures, tables and downloads.
    """

    def __init__(self, report, outcomes, label, name):
        self.outcomes, self.label, self.name = outcomes, label, name
        self._report = report

    def __repr__(self):
        return f"<{self.label}: {', '.join(self.outcomes)}>"

    def __dir__(self):
        return [name for name in super().__dir__() if not name.startswith("_")]

    @property
    def analyses(self):
        """The analyses of those that were selected and have rows."""
        every = self._report.analyses
        return [every[name] for name in self.outcomes if name in every]

    def forest(self, *, groups=False, sort=None, rows=None):
        """Forest plot of all outcomes, each with a diamond of its own.

        Where benefit lies on different sides, it is turned to the right.

        Parameters
        ----------
        groups, sort, rows
            As of `helpers.report.outcome.Outcome.forest`.
        """
        how = {"groups": groups, "sort": sort, "rows": rows}
        return forests.of_several(self._report, self.analyses, self.name, self.label, **how)

    def small_study(self):
        """Tests for small-study effects, with their power, in words."""
        found = self._tested
        if found is None:
            return None
        text = small_study_of.words(found, self._printed_p)
        return blocks.paragraph(text, name=f"{self.name}-small-study")

    def small_study_tests(self):
        """The tests behind the words, each with what it would have seen."""
        found = self._tested
        if found is None or not found.tests:
            return None
        data = small_study_of.table(found, self._printed_p)
        formats = {"p": numbers.p_value, "df": ".1f" if found.dependence else ".0f"}
        shares = [column for column in data if column.startswith("rejects")]
        formats |= dict.fromkeys(shares, lambda share: percent(100 * share, 0))
        return self._report.exhibits.table(
            data,
            name=f"{self.name}-small-study",
            formats=formats,
            caption=f"{self.label}: {small_study_of.table_words(found)}",
        )

    def doleman(self):
        """Doleman plot: what baseline risk leaves of the effects, against inverse sample size."""
        found = self._tested
        if found is None or "Doleman" not in found.tests:
            return None
        test = found.tests["Doleman"]
        rows = found.rows.assign(inverse_n=test.x, residual=test.y)
        rows, note = sample(rows, self._report.seed)
        axes = small_study_figures.doleman(
            rows["residual"],
            rows["inverse_n"],
            fit=(test.intercept, test.slope),
            labels=rows["experiment"],
        )
        return self._report.exhibits.figure(
            axes,
            name=f"{self.name}-doleman",
            caption=f"{self.label}: Doleman plot of {count(found.k, 'experiment')}. Residuals of "
            "the effects from their regression on the control group's outcome, against inverse "
            f"sample size; {small_study_of.p_words(test)}.{note}",
            alt=f"Doleman plot of {self.label}: slope {number(test.slope)}, "
            f"{small_study_of.t_words(test)}, {small_study_of.p_words(test)}.",
            data=rows[
                ["experiment", "outcome", "towards_benefit", "provenance", "inverse_n", "residual"]
            ],
        )

    def diagnosis(self):
        """Small-study effects of all outcomes together, folded under a heading."""
        title, parts = "Small-study effects", [self.small_study(), self.small_study_tests()]
        name = f"{self.name}-{title}"
        return blocks.section(title, [*parts, self.doleman()], name=name, folded=True)

    @property
    def _tested(self):
        """The tests, run once a report; the methods section tells of those that were run."""
        chosen, tested = self.analyses, self._report.tested
        if not chosen:
            return None
        key = tuple(analysis.outcome.id for analysis in chosen)
        if key not in tested:
            tested[key] = small_study.of(chosen, self._report.seed)
            self._report.groups[key] = self.label
        return tested[key]

    @property
    def _printed_p(self):
        """The printed p of just this group, where all of it is reported."""
        table = self._report.review.facts("published_bias.csv")
        names = set(self.outcomes)
        if "outcome_ids" not in table or not names <= set(self._report.analyses):
            return None
        same = [set(ids.split()) == names for ids in table["outcome_ids"]]
        return table.loc[same, "p"].iloc[0] if any(same) else None
