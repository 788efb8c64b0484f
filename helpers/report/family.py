"""One family of outcomes as a notebook calls it: `Report`, with its first screen and its end."""

from __future__ import annotations

from copy import copy
from dataclasses import asdict, fields
from functools import cached_property
from inspect import Parameter, Signature, signature

import pandas as pd

from helpers.analysis import small_study
from helpers.analysis.selection.subset import select
from helpers.analysis.settings import (
    ARTICLE,
    RECOMMENDED,
    Settings,
    as_meant,
    chosen_ids,
    of_report,
    one_of,
)
from helpers.article import tables as published
from helpers.page import blocks
from helpers.page.document import slug
from helpers.problems import Refused
from helpers.provenance import sha256
from helpers.report import common, diagnosis, first_screen, results
from helpers.report.exhibits import Exhibits
from helpers.report.group import Group
from helpers.report.outcome import Outcome
from helpers.report.robustness import certainty, planning, specifications
from helpers.review.review import load
from helpers.words import alerts, methods, numbers
from helpers.words.r.script import metafor_script
from helpers.words.reading import how_to_read


class Report:
    """One family of a review, analysed under given parameters.

    Every method shows one thing and gives back a block that JupyterLab and the rendered page
    show alike; `outcome` and `group` give things that have such methods themselves. Of an outcome
    or a moderator that was not selected they show nothing; what does not exist is refused, with
    the nearest name.

    Parameters
    ----------
    family : str
        Id of the family in `review.toml`.
    review : str or Path, optional
        Folder of the review; by default the project's own.
    outcomes : str or list of str, optional
        Outcomes to report; by default all of the family.
    measure, correction, variance, method, interval, prediction, level, split_controls
        As in `helpers.analysis.settings.Settings`; None is as the review says. What is set makes
        the ``chosen`` result, which then leads.
    moderators : str or list of str, optional
        Moderators to look at; by default all, none for an empty list.
    exclude : str or list of str
        Experiments left out besides those of `exclusions.csv`.
    where : dict
        By moderator, which experiments to keep, such as ``{"species": "Rat"}``; as of
        `helpers.analysis.selection.subset`. What is printed of all experiments is then not shown.
    seed : int
        Seed of everything that is simulated.

    What each may be, and how text from a command line is read, is said in `helpers.analysis.settings`.

    Raises
    ------
    ReviewError, ValueError
        With a message that says how to mend what is wrong.
    """

    # What every report says of its evidence, its sheet and the origin of its numbers.
    __dir__, section, banner = common.public_names, common.section, common.banner
    alerts, changes, evidence = common.alerts, common.changes, common.evidence
    sheet, not_used = common.sheet, common.not_used
    provenance, results = common.provenance, common.results
    rebuilds, counts = property(common.rebuilds), property(common.counts)
    changed = cached_property(common.changed)
    certainty, certainties = certainty.shown, cached_property(certainty.of_report)

    def __init__(
        self, family, *, review=None, outcomes=None, moderators=None, exclude=(), where=None,
        seed=0, **settings,
    ):  # fmt: skip
        self.seed = as_meant("seed", seed)
        self.review = load(as_meant("review", review))
        self.assumed = alerts.assumed(self.review, published.pooled(self.review))
        self.exhibits = Exhibits(self.review.evidence["kind"])
        self.family = one_of(family, self.review.families, "family")
        rows = {"outcomes": outcomes, "moderators": moderators, "exclude": exclude, "where": where}
        chosen = of_report(self.review, self.family, **rows, **settings)
        self.asked = chosen.pop("asked")
        usual = ARTICLE if self.rebuilds else RECOMMENDED
        self.settings, model = self.asked[0] or usual, self.asked[1]
        outcomes, moderators, exclude, where = chosen.values()
        self.parameters = {
            "review": self.review.id,
            "outcomes": outcomes,
            **asdict(self.settings),
            "model": asdict(model) if model else None,
            "moderators": moderators,
            "exclude": exclude,
            "where": where,
            "seed": self.seed,
        }
        self.given = settings | {
            "review": review and str(self.review.folder), "outcomes": outcomes,
            "moderators": moderators, "where": where or None, "seed": self.seed,
        }  # fmt: skip
        self.review = self.review.part(self.family.outcomes)
        wanted = self.family.outcomes if outcomes is None else outcomes
        reported = set(self.review.experiments["outcome"])
        self.without_rows = [name for name in wanted if name not in reported]
        present = [name for name in self.family.outcomes if name in wanted and name in reported]
        _analyse(self, present, where)
        if not self.analyses and self.not_analysed:
            raise ValueError("\n".join(map(str, self.not_analysed.values())))
        if not self.analyses:
            names = ", ".join(wanted)
            raise ValueError(f"the sheet has no row of {self.family.id}'s outcomes {names}")

    def __repr__(self):
        moderators = self.parameters["moderators"]
        if moderators is None:
            moderators = self.review.moderators
        return (
            f"<{self.family.label} ({self.family.id}) of review {self.review.id}\n"
            f"outcomes: {', '.join(self.analyses)}\n"
            f"moderators: {', '.join(moderators) or 'none'}>"
        )

    # ------------------------------------------------------------------ first screen

    def title(self):
        """The family's name as the heading of the page, and the review's question if it says one."""
        parts = [blocks.heading(self.family.label, level=1, name="title")]
        if self.review.question:
            parts.append(blocks.paragraph(self.review.question, name="question"))
        return blocks.together(parts, name="title")

    def head(self):
        """Review, authors, source, settings in one line, other reports, kind of evidence."""
        return first_screen.head(self, self.family.label, self.family.id)

    def glance(self):
        """The result in one sentence to quote, and how much it rests on."""
        used = pd.concat([analysis.rows for analysis in self.analyses.values()])
        animals = sum(analysis.animals for analysis in self.analyses.values())
        if not all(analysis.controls_are_named for analysis in self.analyses.values()):
            note = "those of a control group without an id count with every row"
        elif len(self.analyses) == 1:
            note = "shared controls counted once"
        else:
            note = "an animal counts once for each outcome"
        counts = self.counts
        out = f"{counts['rows_excluded'] or 'none'} excluded"
        if none := counts["rows_without_effect"]:
            out += f", {none} without an effect"
        if outside := counts["rows_outside"]:
            out += f", {outside:,} outside the subset"
        items = [
            ("Experiments", f"{counts['rows_used']:,}", out),
            ("Studies", f"{used['study'].nunique():,}", ""),
            ("Animals", f"{animals:,}" if animals else "not given", note if animals else ""),
        ]
        return blocks.glance(items, sentence=self.sentence())

    def sentence(self):
        """The family's result in one sentence."""
        return first_screen.quotable(self, self.family.label)

    def findings(self):
        """One table of all outcomes: evidence, effect, prediction."""
        return first_screen.findings(self)

    def summary(self):
        """Forest plot of the pooled effects of all outcomes; nothing where there is only one."""
        return first_screen.summary(self)

    def abbreviations(self):
        """Abbreviations of measures, groups and levels that the report uses; nothing for none."""
        return first_screen.abbreviations(self)

    def how_to_read(self):
        """What the parts of an outcome's section say, and what they do not say."""
        return blocks.terms(how_to_read(self.rebuilds), name="how-to-read")

    # ------------------------------------------------------------------ outcomes

    def outcome(self, id, *, where=None):
        """One outcome of the family, whose methods show its figures, tables and words.

        Parameters
        ----------
        id : str
            As in `review.toml`. One that was not selected shows nothing.
        where : dict, optional
            Which of its experiments to analyse, as for `Report`; these are analysed anew by the
            report's settings, and what is shown says so.

        Returns
        -------
        helpers.report.outcome.Outcome
        """
        known = {name: name for name in self.family.outcomes}
        id, report, end = one_of(id, known, "outcome here called"), self, ""
        if where:
            report, words = copy(self), select(self.review, where).subset.words
            end = f"-{slug(words)}-{sha256(words.encode())[:6]}"  # "<28" and "≥28" are one slug
            shown = id in self.analyses or id in self.not_analysed
            _analyse(report, [id] * shown, where, end)
        return Outcome(report, id, end)

    def group(self, outcomes, label, *, name=None):
        """Several outcomes that are shown and tested together.

        Parameters
        ----------
        outcomes : list of str
            Ids; those that were not selected are left out.
        label : str
            What they are called together.
        name : str, optional
            Part of the names of the group's figures, tables and downloads; by default made from
            the label.

        Returns
        -------
        helpers.report.group.Group
        """
        names = chosen_ids("outcomes", outcomes, self.family.outcomes) or self.family.outcomes
        name = slug(label) if name is None else name
        if name in self.family.outcomes:
            raise Refused(
                f"a group may not be called {name!r}, which is an outcome: their figures would bear "
                f"one name. Give it another by `name=`, or use `report.outcome({name!r})`."
            )
        return Group(self, list(names), label, name)

    def outcome_sections(self):
        """Everything about every outcome, under headings, for a notebook that knows no outcome."""
        from IPython.display import display

        for name in self.analyses:
            outcome = self.outcome(name)
            display(blocks.heading(outcome.label, level=2, name=f"outcome-{name}"))
            display(outcome.show())

    def explore(self, outcomes=None):
        """Other choices of the analysis by hand, each seen at once beside this report.

        Settings, levels to keep and experiments to leave out, with the forest plot, the numbers and
        the sentence; what was chosen is written back as parameters, as a Python call or into
        `exclusions.csv`. Nothing where nobody looks on, such as in a rendered report.

        Parameters
        ----------
        outcomes : str or list of str, optional
            Those to choose from; by default all of the report.

        Returns
        -------
        helpers.report.explore.widget.Explorer or None
        """
        from helpers.report.explore.live import is_live

        names = chosen_ids("outcomes", outcomes, [*self.analyses, *self.not_analysed])
        if not is_live():
            return None
        from helpers.report.explore.widget import Explorer

        return Explorer(self, names)

    # ------------------------------------------------------------------ the end of a report

    def methods(self):
        """The methods section, from the parameters really used."""
        text = methods.methods_text(
            self.review,
            self.analyses.values(),
            excluded=self.counts["rows_excluded"],
            without_effect=self.counts["rows_without_effect"],
            tested={
                numbers.listing(self.analyses[name].outcome.label for name in group): found
                for group, found in self.tested.items()
            },
            galbraith=[
                analysis.outcome.label
                for name, analysis in self.analyses.items()
                if f"{name}-galbraith" in self.exhibits.figures
            ],
        )
        return blocks.paragraph(text, name="methods", copy=True)

    def script(self):
        """An R script that computes this report's numbers in metafor."""
        label = self.family.label
        if self.review.subset is not None:
            label += f", {self.review.subset.words}"
        text = metafor_script(self.review, label, self.analyses)
        return blocks.download(
            text, name="script", filename=f"{self.family.id}.R", label="R script for metafor"
        )

    @cached_property
    def content(self):
        """All results as plain data."""
        return results.family_results(
            self.review,
            self.family.id,
            self.analyses,
            self.parameters,
            self.seed,
            self.not_analysed,
            influence={
                name: diagnosis.influence_rows(self, analysis)
                for name, analysis in self.analyses.items()
            },
            small_study=self._small_study,
            planning={
                name: planning.fields(self, analysis) for name, analysis in self.analyses.items()
            },
            certainty={name: certainty.fields(one) for name, one in self.certainties.items()},
            specifications={
                name: specifications.fields(self, analysis)
                for name, analysis in self.analyses.items()
            },
        )

    @property
    def _small_study(self):
        """Every group that the page shows, and by itself each outcome that is in none of them."""
        shown = [(self.groups[key], key, found) for key, found in self.tested.items()]
        together = {name for key in self.tested for name in key}
        shown += [
            (analysis.outcome.label, (name,), small_study.of([analysis], self.seed))
            for name, analysis in self.analyses.items()
            if name not in together
        ]
        return [results.small_study_fields(*one) for one in shown]


def _analyse(report, outcomes, where, end=""):
    """Analyse outcomes, of the experiments that `where` keeps; nothing computed before stays.

    `end` is that of the names of all that is shown, where the same is shown of other rows too.
    """
    for name, one in vars(type(report)).items():
        if isinstance(one, cached_property):
            vars(report).pop(name, None)
    report.tested, report.groups, report.left_out = {}, {}, {}  # what is computed for the page
    report.planned, report.specifications = {}, {}
    report.review = select(report.review, where)
    report.exhibits = report.exhibits.within(report.review.subset, end)
    report.printed = published.pooled(report.review)
    report.printed_levels = published.subgroups(report.review)
    known = report.review.experiments.index
    report.analyses, report.not_analysed = common.analyse_all(
        report.review,
        outcomes,
        chosen=report.asked[0],
        model=report.asked[1],
        moderators=report.parameters["moderators"],
        exclude=[name for name in report.parameters["exclude"] if name in known],
    )


def _all_named(function):
    """What a person can pass: `Settings` knows the names and defaults that `**settings` hides."""
    own = [one for one in signature(function).parameters.values() if one.name != "self"]
    more = [Parameter(f.name, Parameter.KEYWORD_ONLY, default=None) for f in fields(Settings)]
    return Signature([*own[:-1], *more])


Report.__signature__ = _all_named(Report.__init__)
