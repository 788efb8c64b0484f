"""What a notebook calls: one method, one thing shown."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

import pandas as pd

from helpers import blocks, forest, methods, published, results, tables, wording
from helpers.analysis import analyse
from helpers.diagnosis import Diagnosis
from helpers.exhibits import of_outcome
from helpers.findings import Refused
from helpers.script import metafor_script
from helpers.settings import of_report, one_of
from helpers.wording import count, interval, number, percent

DATA_COLUMNS = (
    "experiment", "study", "cohort", "control_group", "outcome", "n_treated", "mean_treated",
    "sd_treated", "n_control", "mean_control", "sd_control", "follow_up_days",
)  # fmt: skip
EFFECT_COLUMNS = ("effect", "variance", "se", "ci_low", "ci_high", "weight", "provenance")


class Report(Diagnosis):
    """One family of a review, analysed under given parameters.

    Every method shows one thing and gives back a block that JupyterLab and the rendered page
    show alike. A method that is asked for an outcome or a moderator that was not selected shows
    nothing; one that is asked for what does not exist refuses, with the nearest name.

    Parameters
    ----------
    family : str
        Id of the family in `review.toml`.
    review : str or Path, optional
        Folder of the review; by default the project's own.
    outcomes : str or list of str, optional
        Outcomes to report; by default all of the family.
    measure, correction, variance, method, interval, prediction, level, split_controls
        As in `helpers.settings.Settings`; they make the ``chosen`` result.
    moderators : str or list of str, optional
        Moderators to look at; by default all, none for an empty list.
    exclude : str or list of str
        Experiments left out besides those of `exclusions.csv`.
    seed : int
        Seed of everything that is simulated.

    What each may be, and how text from a command line is read, is said in `helpers.settings`.

    Raises
    ------
    ReviewError, ValueError
        With a message that says how to mend what is wrong.
    """

    def __init__(
        self, family, *, review=None, outcomes=None, moderators=None, exclude=(), seed=0, **settings
    ):
        super().__init__(review, seed)
        self.family = one_of(family, self.review.families, "family")
        lists = {"outcomes": outcomes, "moderators": moderators, "exclude": exclude}
        chosen = of_report(self.review, self.family, **lists, **settings)
        self.settings = chosen.pop("settings")
        outcomes, moderators, exclude = chosen.values()
        self.parameters = {
            "review": self.review.id,
            "outcomes": outcomes,
            **asdict(self.settings),
            "moderators": moderators,
            "exclude": exclude,
            "seed": self.seed,
        }
        self.review = self.review.part(self.family.outcomes)
        wanted = self.family.outcomes if outcomes is None else outcomes
        reported = set(self.review.experiments["outcome"])
        self.without_rows = [name for name in wanted if name not in reported]
        self.analyses = {
            name: analyse(
                self.review,
                name,
                chosen=self.settings,
                moderators=moderators,
                exclude=[name for name in exclude if name in self.review.experiments.index],
            )
            for name in self.family.outcomes
            if name in wanted and name in reported
        }
        if not self.analyses:
            names = ", ".join(wanted)
            raise ValueError(f"the sheet has no row of {self.family.id}'s outcomes {names}")
        self.printed_levels = published.subgroups(self.review)

    @property
    def _outcomes(self):
        return self.family.outcomes

    # ------------------------------------------------------------------ first screen

    def glance(self):
        """The numbers that matter, and one sentence to quote."""
        used = pd.concat([analysis.rows for analysis in self.analyses.values()])
        excluded = sum(len(analysis.excluded) for analysis in self.analyses.values())
        animals = sum(analysis.animals for analysis in self.analyses.values())
        alone = len(self.analyses) == 1
        note = "shared controls counted once" if alone else "an animal counts once for each outcome"
        items = [
            ("Experiments", f"{len(used):,}", f"{excluded or 'none'} excluded"),
            ("Studies", f"{used['study'].nunique():,}", ""),
            ("Animals", f"{animals:,}", note),
        ]
        if alone:
            items += _result_items(*self.analyses.values())
        plot = [
            vars(analysis.chosen) | {"label": analysis.outcome.label, "href": f"#outcome-{name}"}
            for name, analysis in self.analyses.items()
        ]
        return blocks.glance(items, sentence=self.sentence(), plot=plot)

    def sentence(self):
        """The family's result in one sentence."""
        if len(self.analyses) == 1:
            (analysis,) = self.analyses.values()
            text = wording.verdict(
                analysis.chosen,
                analysis.outcome,
                self.review.treated,
                assumed=analysis.outcome.id in self.assumed,
            )
        else:
            text = wording.family_verdict(
                self.family.label, self.analyses.values(), assumed=self.assumed
            )
        return text + wording.evidence_mark(self.review)

    # ------------------------------------------------------------------ one outcome

    def forest(self, outcome, by=None):
        """Forest plot of one outcome, its experiments grouped by a moderator on request."""
        analysis, levels = self._analysis(outcome), {}
        if by is not None:
            described = one_of(by, self.review.moderators, "moderator")
            if not described.levels:
                raise Refused(f"{by} is a number and has no levels to group by. Use `bubble`.")
        if analysis is None:
            return blocks.paragraph("This outcome was not selected for this report.")
        result, label = analysis.chosen, analysis.outcome.label
        rows, note = self._drawn(analysis.rows)
        name, head = f"{outcome}-forest", f"{label}: {count(result.k, 'experiment')}"
        if by is not None and by not in analysis.subgroups:
            return blocks.paragraph(f"Not selected, or not in the rows: {described.label.lower()}.")
        if by is not None:
            levels = analysis.subgroups[by].results
            name += f"-{by}"
            head += f" by {described.label.lower()}"
        return self._figure(
            self._forest(
                rows,
                pooled=result,
                groups=[(level, rows.index[rows[by] == level], r) for level, r in levels.items()],
                better=analysis.outcome.better,
            ),
            name=name,
            caption=f"{head}. Squares are effects with {wording.level_name(result.level)}, their "
            "area the weight; the diamond is the pooled effect, the bar below it the prediction "
            f"interval; n counts treated/control animals.{note}",
            alt=f"Forest plot of {count(result.k, 'experiment')} on {label}. Pooled "
            f"{wording.estimate_phrase(result, self.settings.measure)}. "
            f"{wording.heterogeneity_line(result)}.",
            data=self._rows(analysis),
        )

    def forest_of(self, outcomes, name, label):
        """Forest plot of several outcomes, each with a diamond of its own."""
        chosen = self._group(outcomes)
        if not chosen:
            return blocks.paragraph("None of these outcomes was selected for this report.")
        every = pd.concat([analysis.rows for analysis in chosen])
        rows, note = self._drawn(every)
        directions = {analysis.outcome.better for analysis in chosen}
        axes = self._forest(
            rows,
            groups=[
                (
                    analysis.outcome.label,
                    rows.index[rows["outcome"] == analysis.outcome.id],
                    analysis.chosen,
                )
                for analysis in chosen
            ],
            better=directions.pop() if len(directions) == 1 else None,
        )
        return self._figure(
            axes,
            name=f"{name}-forest",
            caption=f"{label}: {count(len(every), 'experiment')} on "
            f"{wording.listing(analysis.outcome.label for analysis in chosen)}, each marker pooled "
            "by itself. Markers are not pooled together: they measure different things in partly "
            f"the same animals.{note}",
            alt="; ".join(
                f"{analysis.outcome.label}, k = {analysis.chosen.k}: "
                f"{wording.estimate_phrase(analysis.chosen, self.settings.measure)}"
                for analysis in chosen
            ),
            data=pd.concat([self._rows(analysis) for analysis in chosen]),
        )

    @of_outcome()
    def heterogeneity(self, analysis):
        """How much the experiments differ, and what that means for the next one."""
        result = analysis.chosen
        text = wording.heterogeneity_line(result)
        if result.pooled:
            low, high = result.heterogeneity_interval()["i2"]
            text += f"; Q-profile interval of I² {interval(low, high, 1)}."
        return blocks.paragraph(text, name=f"{analysis.outcome.id}-heterogeneity")

    @of_outcome()
    def result(self, analysis):
        """A results paragraph that can be pasted into a manuscript."""
        text = wording.result_paragraph(
            analysis,
            self.review,
            self.settings.measure,
            assumed=analysis.outcome.id in self.assumed,
        )
        return blocks.paragraph(text, name=f"{analysis.outcome.id}-result", copy=True)

    @of_outcome()
    def moderators(self, analysis):
        """Subgroups and meta-regressions, a row a level."""
        if not analysis.subgroups and not analysis.regressions:
            return blocks.paragraph(
                f"The sheet holds no moderator for {analysis.outcome.label}, so nothing is said "
                "here about what its heterogeneity comes from.",
                name=f"{analysis.outcome.id}-moderators",
            )
        return self._table(
            tables.moderator_table(analysis, self.review.moderators),
            name=f"{analysis.outcome.id}-moderators",
            caption=f"{analysis.outcome.label}: subgroup analyses, each level with its own τ², and "
            "meta-regressions, one moderator at a time. A level of one experiment is not pooled.",
            groups="moderator",
            data=tables.moderator_data(analysis),
        )

    @of_outcome()
    def presets(self, analysis):
        """The same data under several settings side by side, and what was printed."""
        printed = self.printed.T.get(analysis.outcome.id)
        shown, data = tables.presets_table(analysis, printed, self.rebuilds)
        note = _presets_note(analysis, self.rebuilds)
        return self._table(
            shown,
            name=f"{analysis.outcome.id}-presets",
            caption=f"{analysis.outcome.label}: does the result depend on how it is computed? "
            f"{note}",
            data=data,
        )

    @of_outcome()
    def excluded(self, analysis):
        """Which experiments were left out and why, and the result with and without them."""
        if analysis.excluded.empty:
            return blocks.paragraph(
                "No experiment was left out.", name=f"{analysis.outcome.id}-excluded"
            )
        rows = analysis.excluded
        effects = results.records(rows.rename(columns={"effect": "estimate"}))
        shown = pd.DataFrame(
            {
                "Experiment": rows["experiment"],
                f"Effect [{wording.level_name(self.settings.level)}]": [
                    tables.estimate_cell(row) for row in effects
                ],
                "Reason": rows["reason"],
                "By": rows["by"],
            }
        )
        return self._table(
            shown,
            name=f"{analysis.outcome.id}-excluded",
            caption=f"{analysis.outcome.label}: experiments left out. With them the pooled effect "
            f"is {wording.estimate_phrase(analysis.with_excluded, self.settings.measure)}, "
            f"I² = {percent(analysis.with_excluded.i2)}; without them "
            f"{wording.estimate_phrase(analysis.chosen, self.settings.measure)}, "
            f"I² = {percent(analysis.chosen.i2)}.",
            data=self._rows(analysis, rows).assign(reason=rows["reason"], by=rows["by"]),
        )

    @of_outcome()
    def published(self, analysis):
        """Printed numbers beside those computed by the article's own settings, if there are any."""
        if not self.rebuilds:
            return None
        table = tables.published_table(analysis, self.printed, self.printed_levels)
        if table.empty:
            return blocks.paragraph(
                "Nothing was printed for this outcome.", name=f"{analysis.outcome.id}-published"
            )
        return self._table(
            tables.published_shown(table, self.review.moderators),
            name=f"{analysis.outcome.id}-published",
            caption=f"{analysis.outcome.label}: {count(len(table), 'printed estimate')} beside "
            f"the computed ones; the largest distance of an estimate or bound is "
            f"{number(table['distance'].max(), 3)}.",
            data=table,
        )

    def outcome_sections(self):
        """Everything about every outcome, under headings, for a notebook that knows no outcome."""
        from IPython.display import display

        for name, analysis in self.analyses.items():
            label = analysis.outcome.label
            group = [name], name
            display(blocks.heading(label, level=2, name=f"outcome-{name}"))
            shown = {
                "All experiments": [self.forest(name)],
                "Result": [self.result(name), self.heterogeneity(name)],
                "What may explain the differences": [
                    self.moderators(name), self.together(name),
                    *(self.bubble(name, moderator) for moderator in self._numeric()),
                ],
                "Outliers and influence": [
                    self.galbraith(name), self.excluded(name), self.influence(name)
                ],
                "Small-study effects": [
                    self.funnel(name), self.small_study(*group),
                    self.small_study_tests(*group, label), self.doleman(*group, label),
                ],
                "Other ways to compute it": [self.presets(name)],
                "Printed beside computed": [self.published(name)],
            }  # fmt: skip
            for title, parts in shown.items():
                parts = [block for block in parts if block is not None]
                if parts:
                    display(blocks.heading(title, level=3, name=f"{name}-{title}"), *parts)

    def _numeric(self):
        return [name for name, one in self.review.moderators.items() if not one.levels]

    # ------------------------------------------------------------------ the end of a report

    def script(self):
        """An R script that computes this report's numbers in metafor."""
        text = metafor_script(self.review, self.family.label, self.analyses, self.settings)
        return blocks.download(
            text, name="script", filename=f"{self.family.id}.R", label="R script for metafor"
        )

    def methods(self):
        """The methods section, from the parameters really used."""
        drawn = self._numbers["figure"]
        text = methods.methods_text(
            self.review,
            self.settings,
            self.analyses.values(),
            tested={
                wording.listing(self.analyses[name].outcome.label for name in group): found
                for group, found in self._tested.items()
            },
            galbraith=[
                analysis.outcome.label
                for name, analysis in self.analyses.items()
                if f"{name}-galbraith" in drawn
            ],
        )
        return blocks.paragraph(text, name="methods", copy=True)

    @cached_property
    def content(self):
        """All results as plain data."""
        return results.family_results(
            self.review, self.family.id, self.analyses, self.parameters, self.seed
        )

    def _forest(self, rows, **how):
        """A forest plot in this review's words; means and SDs are in the download."""
        columns = self.review.config.get("forest_columns", {})
        columns = {name: heading for name, heading in columns.items() if name in rows}
        shown = rows[["effect", "ci_low", "ci_high", "weight", *columns]].assign(
            label=rows["study" if self.review.is_authentic else "experiment"],
            animals=[
                f"{n:g}/{m:g}" for n, m in zip(rows["n_treated"], rows["n_control"], strict=True)
            ],
        )
        return forest.forest(
            shown,
            columns=columns | {"animals": "n"},
            effect_label=f"{self.settings.measure} ({wording.level_name(self.settings.level)})",
            favours=(f"favours {self.review.control}", f"favours {self.review.treated}"),
            **how,
        )

    def _rows(self, analysis, rows=None):
        """Rows of the sheet with their effects, for a download."""
        rows = analysis.rows if rows is None else rows
        columns = (*DATA_COLUMNS, *self.review.moderators, *EFFECT_COLUMNS)
        return rows[[name for name in columns if name in rows]]


def _presets_note(analysis, rebuilds):
    """What is to be said of the results side by side: whom they follow, what was warned of."""
    if (analysis.excluded["by"] == "parameter").any():
        parts = ["All rows leave out the experiments that a parameter names."]
    else:
        parts = ["The first two rows follow none of the parameters set here."]
    if not rebuilds:
        parts.append("Plain settings: normal intervals, with shared controls counted in full.")
    parts += [
        analysis.three_level_note,
        getattr(analysis.three_level, "note", ""),
        getattr(analysis.robust, "warning", ""),
    ]
    sentences = [f"{text[0].upper()}{text[1:]}".rstrip(".") for text in parts if text]
    return " ".join(f"{sentence}." for sentence in sentences)


def _result_items(analysis):
    result = analysis.chosen
    items = [
        ("Pooled effect", number(result.estimate), interval(result.ci_low, result.ci_high)),
        ("I²", percent(result.i2), f"τ² {number(result.tau2)}"),
    ]
    if not pd.isna(result.pi_low):
        items.append(
            ("Prediction interval", interval(result.pi_low, result.pi_high), "of a new experiment")
        )
    return items
