"""What a notebook calls: one method, one thing shown."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

import pandas as pd

from helpers.analysis import measures, records
from helpers.analysis.outcome import ARTICLE, analyse
from helpers.analysis.settings import of_report, one_of
from helpers.article import tables as published
from helpers.figures import forest
from helpers.page import blocks
from helpers.problems import Refused
from helpers.report import results
from helpers.report.base import of_outcome
from helpers.report.diagnosis import Diagnosis
from helpers.stats.effects import REFERENCE_COLUMNS
from helpers.words import methods, numbers, tables
from helpers.words import sentences as wording
from helpers.words.numbers import count, interval, number, percent
from helpers.words.r_script import metafor_script

DATA_COLUMNS = (
    "experiment", "study", "cohort", "control_group", "outcome", "n_treated", "mean_treated",
    "sd_treated", "n_control", "mean_control", "sd_control", *REFERENCE_COLUMNS, "follow_up_days",
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
        As in `helpers.analysis.settings.Settings`; they make the ``chosen`` result.
    moderators : str or list of str, optional
        Moderators to look at; by default all, none for an empty list.
    exclude : str or list of str
        Experiments left out besides those of `exclusions.csv`.
    seed : int
        Seed of everything that is simulated.

    What each may be, and how text from a command line is read, is said in `helpers.analysis.settings`.

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
        self._analyse(
            [name for name in self.family.outcomes if name in wanted and name in reported],
            chosen=self.settings,
            moderators=moderators,
            exclude=[name for name in exclude if name in self.review.experiments.index],
        )
        if not self.analyses and self.not_analysed:
            raise ValueError("\n".join(map(str, self.not_analysed.values())))
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
        animals = sum(analysis.animals for analysis in self.analyses.values())
        alone = len(self.analyses) == 1
        if not all(analysis.controls_are_named for analysis in self.analyses.values()):
            note = "those of a control group without an id count with every row"
        elif alone:
            note = "shared controls counted once"
        else:
            note = "an animal counts once for each outcome"
        counts = self.counts
        out = f"{counts['rows_excluded'] or 'none'} excluded"
        if none := counts["rows_without_effect"]:
            out += f", {none} without an effect"
        items = [
            ("Experiments", f"{counts['rows_used']:,}", out),
            ("Studies", f"{used['study'].nunique():,}", ""),
            ("Animals", f"{animals:,}" if animals else "not given", note if animals else ""),
        ]
        if alone:
            items += _result_items(*self.analyses.values())
        plot = [
            vars(analysis.chosen)
            | {"label": analysis.outcome.label, "href": f"#outcome-{name}"}
            | {"measure": analysis.measure}
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
                analysis.measure,
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
            error = self.not_analysed.get(outcome)
            words = "This outcome was not selected for this report."
            return blocks.paragraph(words if error is None else f"Not analysed: {error}.")
        result, label = analysis.chosen, analysis.outcome.label
        rows, note = self._drawn(analysis.table)
        name, head = f"{outcome}-forest", f"{label}: {count(result.k, 'experiment')}"
        if by is not None and by not in analysis.subgroups:
            return blocks.paragraph(f"Not selected, or not in the rows: {described.label.lower()}.")
        known = rows[["n_treated", "n_control"]].notna().any(axis=None)
        sizes = "; n counts treated/control animals" if known else ""
        levels = values = {}
        if by is not None:
            levels, values = (
                analysis.subgroups[by].results,
                analysis.moderator_values[by][rows.index],
            )
            name += f"-{by}"
            head += f" by {described.label.lower()}"
        return self._figure(
            self._forest(
                rows,
                pooled=result,
                groups=[(level, rows.index[values == level], r) for level, r in levels.items()],
                better=analysis.measure.better,
                measure=analysis.measure,
            ),
            name=name,
            caption=f"{head}. Squares are effects with {numbers.level_name(result.level)}, their "
            "area the weight; the diamond is the pooled effect, the bar below it the prediction "
            f"interval{sizes}.{note}",
            alt=f"Forest plot of {count(result.k, 'experiment')} on {label}. Pooled "
            f"{numbers.estimate_phrase(result, analysis.measure)}. "
            f"{wording.heterogeneity_line(result, analysis.measure)}.",
            data=self._rows(analysis, analysis.rows, analysis.effects),
        )

    def forest_of(self, outcomes, name, label):
        """Forest plot of several outcomes, each with a diamond of its own."""
        chosen = self._group(outcomes)
        if not chosen:
            return blocks.paragraph("None of these outcomes was selected for this report.")
        every = pd.concat([analysis.table for analysis in chosen])
        rows, note = self._drawn(every)
        directions = {analysis.measure.better for analysis in chosen}
        shared = measures.common(analysis.measure for analysis in chosen)
        axes = self._forest(
            rows,
            groups=[
                (
                    tables.outcome_label(analysis, shared),
                    rows.index[rows["outcome"] == analysis.outcome.id],
                    analysis.chosen,
                )
                for analysis in chosen
            ],
            better=directions.pop() if len(directions) == 1 else None,
            measure=shared,
        )
        return self._figure(
            axes,
            name=f"{name}-forest",
            caption=f"{label}: {count(len(every), 'experiment')} on "
            f"{numbers.listing(analysis.outcome.label for analysis in chosen)}, each marker pooled "
            "by itself. Markers are not pooled together: they measure different things in partly "
            f"the same animals.{note}",
            alt="; ".join(
                f"{analysis.outcome.label}, k = {analysis.chosen.k}: "
                f"{numbers.estimate_phrase(analysis.chosen, analysis.measure)}"
                for analysis in chosen
            ),
            data=pd.concat([self._rows(one, one.rows, one.effects) for one in chosen]),
        )

    @of_outcome()
    def heterogeneity(self, analysis):
        """How much the experiments differ, and what that means for the next one."""
        result = analysis.chosen
        text = wording.heterogeneity_line(result, analysis.measure)
        if result.pooled:
            low, high = result.heterogeneity_interval()["i2"]
            level = numbers.level_name(result.level)
            text += f"; Q-profile {level} of I² {interval(low, high, 1)}."
        return blocks.paragraph(text, name=f"{analysis.outcome.id}-heterogeneity")

    @of_outcome()
    def result(self, analysis):
        """A results paragraph that can be pasted into a manuscript."""
        text = wording.result_paragraph(
            analysis, self.review, assumed=analysis.outcome.id in self.assumed
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
            tables.moderator_table(
                analysis, self.review.moderators, as_printed=not self.printed_levels.empty
            ),
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
        out = analysis.left_out
        if out.empty:
            return blocks.paragraph(
                "No experiment was left out.", name=f"{analysis.outcome.id}-excluded"
            )
        effects = records.records(out.rename(columns={"effect": "estimate"}))
        shown = pd.DataFrame(
            {
                "Experiment": out.index,
                f"{analysis.measure.title} [{numbers.level_name(self.settings.level)}]": [
                    "–"
                    if pd.isna(row["estimate"])
                    else tables.estimate_cell(row, measure=analysis.measure)
                    for row in effects
                ],
                "Reason": out["reason"],
                "By": out["by"],
            }
        )
        caption = f"{analysis.outcome.label}: experiments left out."
        if len(analysis.undefined):
            caption += (
                f" {count(len(analysis.undefined), 'experiment')} of them "
                f"{'has' if len(analysis.undefined) == 1 else 'have'} no effect by these settings."
            )
        if len(analysis.excluded):
            caption += (
                " With those that were excluded the pooled effect is "
                f"{numbers.estimate_phrase(analysis.with_excluded, analysis.measure)}, "
                f"I² = {percent(analysis.with_excluded.i2)}; without them "
                f"{numbers.estimate_phrase(analysis.chosen, analysis.measure)}, "
                f"I² = {percent(analysis.chosen.i2)}."
            )
        return self._table(
            shown,
            name=f"{analysis.outcome.id}-excluded",
            caption=caption,
            data=self._rows(analysis, pd.concat([analysis.excluded, analysis.undefined]), out),
        )

    @of_outcome()
    def published(self, analysis):
        """Printed numbers beside those computed by the article's own settings and measure.

        Whatever the parameters are: they are about the chosen result. Nothing where nothing was
        printed.
        """
        if not self.rebuilds:
            return None
        if self.parameters != self._as_article:
            analysis = analyse(self.review, analysis.outcome.id)
        table = tables.published_table(analysis, self.printed, self.printed_levels)
        if table.empty:
            return blocks.paragraph(
                "Nothing was printed for this outcome.", name=f"{analysis.outcome.id}-published"
            )
        return self._table(
            tables.published_shown(table, self.review.moderators, analysis.preset_measure),
            name=f"{analysis.outcome.id}-published",
            caption=f"{analysis.outcome.label}: {count(len(table), 'printed estimate')} beside "
            "those computed by the article's settings, whatever the parameters are; each is "
            f"{analysis.preset_measure.name} with {numbers.level_name(ARTICLE.level)}, and the "
            "largest distance of an estimate or bound is "
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
        text = metafor_script(self.review, self.family.label, self.analyses)
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
            excluded=self.counts["rows_excluded"],
            without_effect=self.counts["rows_without_effect"],
            tested={
                numbers.listing(self.analyses[name].outcome.label for name in group): found
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
            self.review,
            self.family.id,
            self.analyses,
            self.parameters,
            self.seed,
            self.not_analysed,
        )

    @property
    def _as_article(self):
        """The parameters under which the chosen result of every outcome is the article's."""
        own = {"moderators": None, "exclude": [], **asdict(ARTICLE)}
        return self.parameters | own

    def _forest(self, rows, **how):
        """A forest plot in this review's words; means and SDs are in the download."""
        moderators, columns = self.review.moderator_values.loc[rows.index], {}
        shown = rows[["effect", "ci_low", "ci_high", "weight"]]
        for name, heading in self.review.config.get("forest_columns", {}).items():
            source = next((table for table in (moderators, rows) if name in table), None)
            if source is not None:
                key = f"column {len(columns)}"  # whatever its name, it meets none of the figure's
                shown, columns[key] = shown.assign(**{key: source[name]}), heading
        shown = shown.assign(label=rows["study" if self.review.is_authentic else "experiment"])
        sizes = rows[["n_treated", "n_control"]]
        if sizes.notna().any(axis=None):
            columns = columns | {"animals": "n"}
            shown["animals"] = [
                f"{n:g}/{m:g}".replace("nan", "–") for n, m in sizes.itertuples(index=False)
            ]
        return forest.forest(
            shown,
            columns=columns,
            level=self.settings.level,
            favours=(f"favours {self.review.control}", f"favours {self.review.treated}"),
            **how,
        )

    def _rows(self, analysis, rows, computed):
        """Rows of the sheet with what is computed of them, for a download."""
        rows = rows[[name for name in (*DATA_COLUMNS, "provenance") if name in rows]]
        named = {"measure": analysis.measure.label, "scale": analysis.measure.scale}
        rows = rows.join(computed).assign(**named)
        columns = (*DATA_COLUMNS, *EFFECT_COLUMNS, "reason", "by", *named)
        rows = rows[[name for name in columns if name in rows]]
        moderators = self.review.moderator_values.loc[rows.index]
        return records.with_moderators(rows, moderators, after=DATA_COLUMNS[-1])


def _presets_note(analysis, rebuilds):
    """What is to be said of the results side by side: whom they follow, what was warned of."""
    if (analysis.left_out["by"] == "parameter").any():
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
    result, measure = analysis.chosen, analysis.measure
    digits = numbers.effect_digits(result.ci_low, result.ci_high, measure)
    level = f"{100 * result.level:g}%"
    low_high = numbers.effect_interval(result.ci_low, result.ci_high, measure, digits)
    items = [
        (
            f"Pooled {measure.name}" if result.pooled else measure.title,
            numbers.effect(result.estimate, measure, digits),
            f"{level} CI {low_high}",
        ),
        ("I²", percent(result.i2), f"τ² {numbers.variance_text(result.tau2)}"),
    ]
    if not pd.isna(result.pi_low):
        span = numbers.effect_interval(result.pi_low, result.pi_high, measure)
        items.append((f"{level} prediction interval", span, f"{measure.name} of a new experiment"))
    return items
