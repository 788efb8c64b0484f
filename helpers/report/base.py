"""What every report has: numbered figures and tables, the sheet's way, the origin of numbers."""

from __future__ import annotations

from functools import wraps

from helpers.analysis.outcome import NothingToAnalyse, analyse
from helpers.analysis.settings import as_meant, chosen_ids, one_of
from helpers.article import tables
from helpers.page import blocks
from helpers.page import tables as page_tables
from helpers.report import results
from helpers.review.review import load
from helpers.words import alerts
from helpers.words.numbers import count


class Exhibits:
    """Shows things of one review, numbered, each download with its kind of evidence.

    Parameters
    ----------
    review : str, Path or None
        Folder of the review; None is the project's own.
    seed : int
        Seed of everything that is simulated.
    """

    def __init__(self, review, seed):
        self.seed = as_meant("seed", seed)
        self.review = load(as_meant("review", review))
        self.printed = tables.pooled(self.review)
        self.assumed = alerts.assumed(self.review, self.printed)
        self.analyses = {}
        self.without_rows = []
        self.not_analysed = {}
        self._numbers = {"figure": {}, "table": {}}

    @property
    def rebuilds(self):
        """Whether the review rebuilds an article: whether it has printed results to be beside."""
        return not self.printed.empty

    @property
    def content(self):
        """All results as plain data; each kind of report has its own."""
        raise NotImplementedError

    def _analyse(self, outcomes, **options):
        """Analyse outcomes; one of which no row has an effect is not analysed, and that is said."""
        for name in outcomes:
            try:
                self.analyses[name] = analyse(self.review, name, **options)
            except NothingToAnalyse as error:
                self.not_analysed[name] = error

    @property
    def counts(self):
        """How many rows of the sheet went where, of `helpers.report.results.counts`."""
        return results.counts(self.review, self.analyses, self.not_analysed)

    def banner(self):
        """What kind of evidence this is."""
        return blocks.banner(self.review.evidence)

    def evidence(self):
        """How to read what is printed, and rows that are not authentic; nothing for others."""
        parts = []
        if self.rebuilds:
            parts.append(
                "Comparison with the published values: what the article prints, beside what this "
                "sheet gives by the article's settings."
            )
        kind = self.review.evidence["kind"]
        if kind == "reconstructed":
            parts.append(
                "Reconstructed rows: the sheet was solved so that it gives back printed numbers; "
                "that they agree shows that the reconstruction worked and nothing else. What they "
                "do not pin down is made up: single effects, group sizes, the controls' means, "
                "which experiments share a study. Galbraith and funnel plots, tests for "
                "small-study effects and influence describe such rows and no real experiments; "
                "they show in which form extracted data would be reported."
            )
        elif kind == "simulated":
            parts.append(
                "Simulated rows: a program made up every row, so no result here is about animals; "
                "it shows in which form extracted data would be reported."
            )
        return blocks.paragraph("\n\n".join(parts), name="evidence") if parts else None

    def alerts(self):
        """What a reader should know before the numbers."""
        return blocks.alerts(
            alerts.of_review(self.review, self.analyses, self.without_rows)
            + alerts.of_assumptions(self.review, self.analyses, self.printed)
            + alerts.of_not_analysed(self.review, self.not_analysed)
            + alerts.of_outcomes(list(self.analyses.values()), rebuilds=self.rebuilds)
        )

    def sheet(self):
        """What was done to the sheet on its way to the numbers, in order, with counts."""
        review, counts = self.review, self.counts
        here = review.rows_out - counts["rows_elsewhere"]
        words = f"{here:,} of them belong to this report, " if counts["rows_elsewhere"] else ""
        words += f"{counts['rows_used']:,} are used, {counts['rows_excluded']:,} excluded"
        if none := counts["rows_without_effect"]:
            words += f", {none:,} without an effect by these settings"
        return self._table(
            review.trace.rename(columns=str.capitalize),
            name="sheet",
            caption=f"From the sheet to the numbers: {count(review.rows_in, 'row')} in, "
            f"{count(review.rows_out, 'experiment')} out, {count(len(review.not_used), 'row')} listed "
            f"with the reason why not; {words}.",
        )

    def not_used(self):
        """Rows of the sheet that give no experiment, with the reason."""
        rows = self.review.not_used
        if rows.empty:
            return None
        names = {"sheet_row": "Row of the sheet", "reason": "Reason"}
        return self._table(
            rows.rename(columns=names), name="not-used", data=rows,
            caption=f"{count(len(rows), 'row')} of the sheet that give no experiment.",
        )  # fmt: skip

    def provenance(self):
        """Parameters, hashes of inputs and code, versions and seed."""
        content, origin = self.content, self.content["provenance"]
        plan, protocol = self.review.protocol, {}
        if plan:
            protocol["Protocol"] = plan.get("id", "no id given")
            protocol["Deviations from it"] = plan.get("deviations") or "none stated"
        facts = {
            "Review": content["review"],
            "Evidence": origin["evidence"]["kind"],
            **protocol,
            "Rows in, rows used": f"{origin['rows_in']:,}, {origin['rows_used']:,}",
            "Parameters": [f"{k} = {v!r}" for k, v in content["parameters"].items()],
            "SHA-256 of this report's rows": f"{origin['rows']} "
            "(python -m helpers check prints it too)",
            "SHA-256 of inputs": [f"{k} {v}" for k, v in origin["inputs"].items()],
            "SHA-256 of code": origin["code"],
            "Versions": [f"{k} {v}" for k, v in origin["versions"].items()],
            "Seed": origin["seed"],
        }
        return blocks.facts(facts, name="provenance")

    def results(self):
        """All results as data, for programs."""
        return blocks.results(self.content)

    def _analysis(self, outcome):
        """The analysis of an outcome; None where it was not selected or has no row."""
        known = {name: name for name in self._outcomes}
        return self.analyses.get(one_of(outcome, known, "outcome here called"))

    def _group(self, outcomes):
        """The analyses of several outcomes, as far as they were selected and have rows."""
        names = chosen_ids("outcomes", outcomes, self._outcomes) or self._outcomes
        return [self.analyses[name] for name in names if name in self.analyses]

    @property
    def _outcomes(self):
        """Outcomes that this report can show."""
        return tuple(self.review.outcomes)

    def _figure(self, axes, *, name, data=None, **words):
        number, data = self._number("figure", name), None if data is None else self._marked(data)
        return blocks.figure(axes, name=name, number=number, data=data, **words)

    def _table(self, frame, *, name, data=None, **words):
        number, data = self._number("table", name), self._marked(frame if data is None else data)
        return page_tables.table(frame, name=name, number=number, data=data, **words)

    def _marked(self, data):
        """Data with a column that says what kind of rows it was made from."""
        if "provenance" in data:
            return data
        return data.assign(provenance=self.review.evidence["kind"])

    def _number(self, kind, name):
        """Numbers go by first appearance, so running a cell again does not count on."""
        return self._numbers[kind].setdefault(name, len(self._numbers[kind]) + 1)


def of_outcome(least=1):
    """Let a method take an outcome's id for its analysis.

    Where the outcome was not selected, or has fewer experiments than `least`, it gives None; an
    outcome that the report does not know is refused.
    """

    def decorate(method):
        @wraps(method)
        def wrapper(self, outcome, *args, **options):
            analysis = self._analysis(outcome)
            if analysis is None or analysis.chosen.k < least:
                return None
            return method(self, analysis, *args, **options)

        return wrapper

    return decorate
