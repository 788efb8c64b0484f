"""What a notebook calls: one method, one thing shown."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

import numpy as np
import pandas as pd

from helpers import (
    alerts,
    asymmetry,
    blocks,
    forest,
    influence,
    methods,
    plots,
    published,
    results,
    tables,
    wording,
)
from helpers.analysis import Settings, analyse
from helpers.description import nearest
from helpers.exhibits import Exhibits, provenance_block
from helpers.review import load
from helpers.script import metafor_script
from helpers.wording import count, interval, number, percent

DATA_COLUMNS = (
    "experiment", "study", "cohort", "control_group", "outcome", "n_treated", "mean_treated",
    "sd_treated", "n_control", "mean_control", "sd_control", "follow_up_days",
)  # fmt: skip
# Drawn for each experiment; the download has all diagnostics.
PANELS = ("rstudent", "cook", "tau2_deleted", "weight")


class Report:
    """One family of a review, analysed under given parameters.

    Every method shows one thing and gives back a block that JupyterLab and the rendered page
    show alike. A method that is asked for an outcome that was not selected shows nothing.

    Parameters
    ----------
    family : str
        Id of the family in `review.toml`.
    review : str or Path, optional
        Folder of the review; by default the project's own.
    outcomes : list of str, optional
        Outcomes to report; by default all of the family.
    measure, correction, variance, method, interval, prediction, level, split_controls
        As in `helpers.analysis.Settings`; they make the ``chosen`` result.
    moderators : list of str, optional
        Moderators to look at; by default all.
    exclude : list of str
        Experiments left out besides those of `exclusions.csv`.
    seed : int
        Seed of everything that is simulated.

    Raises
    ------
    ReviewError, ValueError
        With a message that says how to mend what is wrong.
    """

    def __init__(
        self, family, *, review=None, outcomes=None, moderators=None, exclude=(), seed=0, **settings
    ):
        self.review = load(review)
        self.seed = seed
        self.settings = Settings(**settings)
        self.parameters = {
            "review": self.review.id,
            "outcomes": outcomes,
            **asdict(self.settings),
            "moderators": moderators,
            "exclude": list(exclude or ()),
            "seed": seed,
        }
        self.family = _known(family, self.review.families, "family")
        wanted = self.family.outcomes if outcomes is None else outcomes
        for name in wanted:
            _known(name, dict.fromkeys(self.family.outcomes), f"outcome of {family}")
        for name in moderators or ():
            _known(name, self.review.moderators, "moderator")
        reported = set(self.review.experiments["outcome"])
        self.without_rows = [name for name in wanted if name not in reported]
        self.analyses = {
            name: analyse(
                self.review,
                name,
                chosen=self.settings,
                moderators=moderators,
                exclude=self.parameters["exclude"],
            )
            for name in self.family.outcomes
            if name in wanted and name in reported
        }
        if not self.analyses:
            raise ValueError(f"the sheet has no row of {family}'s outcomes {', '.join(wanted)}")
        self.printed = published.pooled(self.review)
        self.printed_levels = published.subgroups(self.review)
        self._tested = {}
        self.show = Exhibits(self.review.evidence["kind"])

    # ------------------------------------------------------------------ first screen

    def banner(self):
        """What kind of evidence this is."""
        return blocks.banner(self.review.evidence)

    def glance(self):
        """The numbers that matter, and one sentence to quote."""
        used = pd.concat([analysis.rows for analysis in self.analyses.values()])
        excluded = sum(len(analysis.excluded) for analysis in self.analyses.values())
        items = [
            (
                "Experiments",
                f"{len(used):,}",
                f"{excluded} excluded" if excluded else "none excluded",
            ),
            ("Studies", f"{used['study'].nunique():,}", ""),
            (
                "Animals",
                f"{sum(analysis.animals for analysis in self.analyses.values()):,}",
                "shared controls counted once"
                if len(self.analyses) == 1
                else "an animal counts once for each outcome",
            ),
        ]
        if len(self.analyses) == 1:
            analysis = next(iter(self.analyses.values()))
            items += _result_items(analysis)
        plot = [
            {
                "label": analysis.outcome.label,
                "estimate": analysis.chosen.estimate,
                "ci_low": analysis.chosen.ci_low,
                "ci_high": analysis.chosen.ci_high,
                "pi_low": _or_none(analysis.chosen.pi_low),
                "pi_high": _or_none(analysis.chosen.pi_high),
                "href": f"#outcome-{name}",
            }
            for name, analysis in self.analyses.items()
        ]
        return blocks.glance(items, sentence=self.sentence(), plot=plot)

    def sentence(self):
        """The family's result in one sentence."""
        if len(self.analyses) == 1:
            analysis = next(iter(self.analyses.values()))
            text = wording.verdict(analysis.chosen, analysis.outcome, self.review.treated)
        else:
            text = wording.family_verdict(self.family.label, self.analyses.values())
        if not self.review.is_authentic:
            text += f" ({self.review.evidence['kind'].capitalize()} data.)"
        return text

    def alerts(self):
        """What a reader should know before the numbers."""
        return blocks.alerts(
            alerts.of_review(self.review, self.without_rows)
            + alerts.of_assumptions(self.review, self.analyses, self.printed)
            + alerts.of_outcomes(list(self.analyses.values()))
        )

    # ------------------------------------------------------------------ one outcome

    def forest(self, outcome, by=None):
        """Forest plot of one outcome, its experiments grouped by a moderator on request."""
        analysis = self.analyses.get(outcome)
        if analysis is None:
            return blocks.paragraph("This outcome was not selected for this report.")
        result = analysis.chosen
        groups = None
        if by is not None:
            levels = analysis.subgroups[by].results
            groups = [
                (level, analysis.rows.index[analysis.rows[by] == level], pooled)
                for level, pooled in levels.items()
            ]
        axes = self._forest(
            analysis.rows,
            pooled=result if result.pooled else None,
            groups=groups,
            better=analysis.outcome.better,
        )
        label = analysis.outcome.label
        head = f"{label}: {count(result.k, 'experiment')}"
        if by:
            head += f" by {self.review.moderators[by].label.lower()}"
        return self.show.figure(
            axes,
            name=f"{outcome}-forest" + (f"-{by}" if by else ""),
            caption=f"{head}. Squares are effects with {wording.level_name(result.level)}, their "
            "area the weight; the diamond is the pooled effect, the bar below it the prediction "
            "interval; n counts treated/control animals.",
            alt=f"Forest plot of {count(result.k, 'experiment')} on {label}. Pooled "
            f"{wording.estimate_phrase(result, self.settings.measure)}. "
            f"{wording.heterogeneity_line(result)}.",
            data=self._rows(analysis),
        )

    def forest_of(self, outcomes, name, label):
        """Forest plot of several outcomes, each with a diamond of its own."""
        chosen = [self.analyses[outcome] for outcome in outcomes if outcome in self.analyses]
        if not chosen:
            return blocks.paragraph("None of these outcomes was selected for this report.")
        rows = pd.concat([analysis.rows for analysis in chosen])
        directions = {analysis.outcome.better for analysis in chosen}
        axes = self._forest(
            rows,
            groups=[
                (
                    analysis.outcome.label,
                    analysis.rows.index,
                    analysis.chosen if analysis.chosen.pooled else None,
                )
                for analysis in chosen
            ],
            better=directions.pop() if len(directions) == 1 else None,
        )
        return self.show.figure(
            axes,
            name=f"{name}-forest",
            caption=f"{label}: {count(len(rows), 'experiment')} on "
            f"{wording.listing(analysis.outcome.label for analysis in chosen)}, each marker pooled "
            "by itself. Markers are not pooled together: they measure different things in partly "
            "the same animals.",
            alt="; ".join(
                f"{analysis.outcome.label}, k = {analysis.chosen.k}: "
                f"{wording.estimate_phrase(analysis.chosen, self.settings.measure)}"
                for analysis in chosen
            ),
            data=pd.concat([self._rows(analysis) for analysis in chosen]),
        )

    def heterogeneity(self, outcome):
        """How much the experiments differ, and what that means for the next one."""
        analysis = self.analyses.get(outcome)
        if analysis is None:
            return None
        result = analysis.chosen
        text = wording.heterogeneity_line(result)
        if result.pooled:
            low, high = result.heterogeneity_interval()["i2"]
            text += f"; Q-profile interval of I² {interval(low, high, 1)}."
        return blocks.paragraph(text, name=f"{outcome}-heterogeneity")

    def result(self, outcome):
        """A results paragraph that can be pasted into a manuscript."""
        analysis = self.analyses.get(outcome)
        if analysis is None:
            return None
        text = wording.result_paragraph(analysis, self.review, self.settings.measure)
        return blocks.paragraph(text, name=f"{outcome}-result", copy=True)

    def moderators(self, outcome):
        """Subgroups and meta-regressions, laid out as the article's tables."""
        analysis = self.analyses.get(outcome)
        if analysis is None:
            return None
        if not analysis.subgroups and not analysis.regressions:
            return blocks.paragraph(
                f"The sheet holds no moderator for {analysis.outcome.label}, so nothing is said "
                "here about what its heterogeneity comes from.",
                name=f"{outcome}-moderators",
            )
        return self.show.table(
            tables.moderator_table(analysis, self.review.moderators),
            name=f"{outcome}-moderators",
            caption=f"{analysis.outcome.label}: subgroup analyses, each level with its own τ², and "
            "meta-regressions, one moderator at a time. A level of one experiment is not pooled.",
            groups="moderator",
            data=tables.moderator_data(analysis),
        )

    def bubble(self, outcome, moderator):
        """Effects against one moderator: a strip for each level, a line for a number."""
        analysis = self.analyses.get(outcome)
        regression = analysis and analysis.regressions.get(moderator)
        if not regression:
            return None
        rows, described = analysis.rows, self.review.moderators[moderator]
        if described.levels:
            fit = analysis.subgroups[moderator].table
            fit = fit.where(fit["pooled"], fit[["level", "k", "pooled"]])
            x = rows[moderator].astype(object)
        else:
            x = rows[moderator]
            at = pd.DataFrame({moderator: np.linspace(x.min(), x.max(), 40)})
            fit = regression.predict(at).assign(x=at[moderator])
        terms = wording.listing(
            f"{term['level'] or 'slope'} {number(term['coef'])} "
            f"{interval(term['ci_low'], term['ci_high'])}"
            for _, term in regression.coefficients.iloc[1:].iterrows()
        )
        against = f" against {regression.reference[moderator]}" if described.levels else ""
        return self.show.figure(
            plots.bubble(
                x,
                rows["effect"],
                weight=rows["weight"],
                fit=fit,
                label=described.label,
                effect_label=self.settings.measure,
                labels=rows["experiment"],
            ),
            name=f"{outcome}-bubble-{moderator}",
            caption=f"{analysis.outcome.label} by {described.label.lower()}: each circle is an "
            f"experiment, its area the weight. Coefficients{against}: {terms}; "
            f"R² = {percent(100 * regression.r2, 0)}.",
            alt=f"Coefficients{against}: {terms}.",
            data=rows[["experiment", "study", moderator, "effect", "se", "weight", "provenance"]],
        )

    def galbraith(self, outcome):
        """Galbraith plot: which experiments lie outside the band of the common effect."""
        analysis = self.analyses.get(outcome)
        if analysis is None or analysis.with_excluded.k < 3:
            return None
        rows = pd.concat([analysis.rows, analysis.excluded])
        left_out = rows["experiment"].isin(analysis.excluded["experiment"])
        axes = plots.galbraith(
            rows["effect"],
            variance=rows["variance"],
            excluded=left_out.to_numpy(),
            labels=rows["experiment"],
        )
        x, y = 1 / rows["se"], rows["effect"] / rows["se"]
        slope = (y * x).sum() / (x**2).sum()
        outside = int(((y - slope * x).abs() > 1.96).sum())
        return self.show.figure(
            axes,
            name=f"{outcome}-galbraith",
            caption=f"{analysis.outcome.label}: Galbraith plot. The band alone would flag "
            f"{outside} of {count(len(rows), 'experiment')}; {len(analysis.excluded)} "
            f"{'was' if len(analysis.excluded) == 1 else 'were'} left out. Which ones are left out "
            "is a decision with a reason, not a rule.",
            alt=f"Galbraith plot of {analysis.outcome.label}: common-effect slope {number(slope)}, "
            f"{outside} of {len(rows)} points outside the ±1.96 band.",
            data=rows[["experiment", "study", "effect", "se", "provenance"]].assign(x=x, y=y),
        )

    def funnel(self, outcome):
        """Funnel plot on sample size: an SMD's standard error contains the effect itself."""
        analysis = self.analyses.get(outcome)
        if analysis is None or analysis.chosen.k < 3:
            return None
        rows = analysis.rows
        total = rows["n_treated"] + rows["n_control"]
        axes = plots.funnel(
            rows["effect"],
            se=rows["se"],
            n_total=total,
            estimate=analysis.chosen.estimate,
            labels=rows["experiment"],
            effect_label=self.settings.measure,
        )
        return self.show.figure(
            axes,
            name=f"{outcome}-funnel",
            caption=f"{analysis.outcome.label}: funnel plot on 1/√N with the contours of the null "
            "standard error 2/√N. Asymmetry may come from small experiments left unpublished, and "
            "from much else.",
            alt=f"Funnel plot of {count(len(rows), 'experiment')} with {int(total.min())} to "
            f"{int(total.max())} animals around {number(analysis.chosen.estimate)}.",
            data=rows[["experiment", "study", "effect", "se", "provenance"]].assign(n_total=total),
        )

    def small_study(self, outcomes, name):
        """Tests for small-study effects in a group of outcomes, with their power, in words."""
        found = self._asymmetry(outcomes)
        if found is None:
            return None
        text = asymmetry.words(found, self._printed_p(outcomes))
        return blocks.paragraph(text, name=f"{name}-small-study")

    def small_study_tests(self, outcomes, name, label):
        """The tests behind the words, each with what it would have seen."""
        found = self._asymmetry(outcomes)
        if found is None or not found.tests:
            return None
        data = asymmetry.table(found, self._printed_p(outcomes))
        formats = {"p": wording.p_value, "df": ".0f"}
        formats |= {column: ".0%" for column in data if column.startswith("rejects")}
        return self.show.table(
            data,
            name=f"{name}-small-study",
            formats=formats,
            caption=f"{label}: tests for small-study effects in {count(found.k, 'experiment')}, "
            "effects turned so that benefit is positive, and how often each rejects in simulated "
            "data sets of these group sizes. Egger's test rejects standardised differences whether "
            "or not anything was kept back; it stands here to show that.",
        )

    def doleman(self, outcomes, name, label):
        """What baseline risk leaves of the effects, against inverse sample size."""
        found = self._asymmetry(outcomes)
        if found is None or "Doleman" not in found.tests:
            return None
        test = found.tests["Doleman"]
        axes = plots.doleman(
            test.y, test.x, fit=(test.intercept, test.slope), labels=found.rows["experiment"]
        )
        return self.show.figure(
            axes,
            name=f"{name}-doleman",
            caption=f"{label}: Doleman plot of {count(found.k, 'experiment')}. Residuals of the "
            "effects from their regression on the control group's outcome, against inverse sample "
            f"size; {wording.p_phrase(test.p)}.",
            alt=f"Doleman plot of {label}: slope {number(test.slope)}, t({test.df:.0f}) = "
            f"{number(test.statistic)}, {wording.p_phrase(test.p)}.",
            data=found.rows[["experiment", "outcome", "towards_benefit", "provenance"]].assign(
                inverse_n=test.x, residual=test.y
            ),
        )

    def _asymmetry(self, outcomes):
        chosen = [self.analyses[outcome] for outcome in outcomes if outcome in self.analyses]
        key = tuple(analysis.outcome.id for analysis in chosen)
        if not chosen or self.settings.measure != "SMD":
            return None
        if key not in self._tested:
            self._tested[key] = asymmetry.of(chosen, self.seed)
        return self._tested[key]

    def _printed_p(self, outcomes):
        """The printed p of just this group, where all of it is reported."""
        table = self.review.facts("published_bias.csv")
        if "outcome_ids" not in table or not set(outcomes) <= set(self.analyses):
            return None
        same = [set(ids.split()) == set(outcomes) for ids in table["outcome_ids"]]
        return table.loc[same, "p"].iloc[0] if any(same) else None

    def influence(self, outcome):
        """How much each experiment moves the pooled result."""
        analysis = self.analyses.get(outcome)
        if analysis is None or analysis.chosen.k < 3:
            return None
        rows = analysis.rows.set_index("experiment", drop=False)
        table = influence.diagnostics(
            rows["effect"], variance=rows["variance"], method=self.settings.method
        )
        left_out = {"experiment": None, "study": rows["study"]}
        if not 1 < analysis.studies < len(rows):
            del left_out["study"]
        words = wording.influence_words(
            analysis,
            table,
            {
                noun: influence.leave_one_out(
                    rows["effect"],
                    variance=rows["variance"],
                    study=study,
                    **self.settings.pooling(),
                )
                for noun, study in left_out.items()
            },
        )
        if len(rows) < asymmetry.LEAST:  # a plot of so few says less than the words
            return blocks.paragraph(words, name=f"{outcome}-influence")
        return self.show.figure(
            plots.influence(table[list(PANELS)], labels=rows["experiment"])[0].figure,
            name=f"{outcome}-influence",
            caption=f"{analysis.outcome.label}: what changes when one experiment is left out. "
            f"{words}",
            alt=words,
            data=table.assign(provenance=rows["provenance"].to_numpy()),
        )

    def presets(self, outcome):
        """The same data under the article's, the recommended and the chosen settings."""
        analysis = self.analyses.get(outcome)
        if analysis is None:
            return None
        printed = self.printed.loc[outcome] if outcome in self.printed.index else None
        shown, data = tables.presets_table(analysis, printed)
        note = f" {analysis.three_level_note}" if analysis.three_level_note else ""
        return self.show.table(
            shown,
            name=f"{outcome}-presets",
            caption=f"{analysis.outcome.label}: does the result depend on how it is computed? The "
            f"first two rows never change with the parameters.{note}",
            data=data,
        )

    def excluded(self, outcome):
        """Which experiments were left out and why, and the result with and without them."""
        analysis = self.analyses.get(outcome)
        if analysis is None:
            return None
        if analysis.excluded.empty:
            return blocks.paragraph("No experiment was left out.", name=f"{outcome}-excluded")
        rows = analysis.excluded
        shown = pd.DataFrame(
            {
                "Experiment": rows["experiment"],
                "Effect [95% CI]": [
                    tables.estimate_cell(_effect(row)) for _, row in rows.iterrows()
                ],
                "Reason": rows["reason"],
                "By": rows["by"],
            }
        )
        return self.show.table(
            shown,
            name=f"{outcome}-excluded",
            caption=f"{analysis.outcome.label}: experiments left out. With them the pooled effect "
            f"is {wording.estimate_phrase(analysis.with_excluded, self.settings.measure)}, "
            f"I² = {percent(analysis.with_excluded.i2)}; without them "
            f"{wording.estimate_phrase(analysis.chosen, self.settings.measure)}, "
            f"I² = {percent(analysis.chosen.i2)}.",
            data=self._rows(analysis, rows).assign(reason=rows["reason"], by=rows["by"]),
        )

    def published(self, outcome):
        """Printed numbers beside those computed by the article's own settings."""
        analysis = self.analyses.get(outcome)
        if analysis is None:
            return None
        table = tables.published_table(analysis, self.printed, self.printed_levels)
        if table.empty:
            return blocks.paragraph(
                "Nothing was printed for this outcome.", name=f"{outcome}-published"
            )
        return self.show.table(
            tables.published_shown(table, self.review.moderators),
            name=f"{outcome}-published",
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
                    self.moderators(name),
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
                display(blocks.heading(title, level=3, name=f"{name}-{title}"))
                display(*(block for block in parts if block is not None))

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
        labels = {
            name: self.review.moderators[name].label.lower()
            for analysis in self.analyses.values()
            for name in analysis.subgroups
        }
        excluded = sum(len(analysis.excluded) for analysis in self.analyses.values())
        text = methods.methods_text(self.review, self.settings, list(labels.values()), excluded)
        references = "\n\n".join(methods.citations(self.settings))
        return blocks.paragraph(
            f"{text}\n\n{methods.software_text()}\n\n{references}", name="methods", copy=True
        )

    def sheet(self):
        """What was done to the sheet on its way to the numbers."""
        return self.show.sheet(self.review)

    def not_used(self):
        """Rows of the sheet that give no experiment."""
        return self.show.not_used(self.review)

    def provenance(self):
        """Parameters, hashes of inputs and code, versions and seed."""
        return provenance_block(self.content)

    def results(self):
        """All results as data, for programs."""
        return blocks.results(self.content)

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
        columns = [name for name in (*DATA_COLUMNS, *self.review.moderators) if name in rows]
        extra = [
            name
            for name in ("effect", "variance", "se", "ci_low", "ci_high", "weight")
            if name in rows
        ]
        return rows[[*columns, *extra, "provenance"]]


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


def _effect(row):
    return {"estimate": row["effect"], "ci_low": row["ci_low"], "ci_high": row["ci_high"]}


def _or_none(value):
    return None if pd.isna(value) else value


def _known(name, known, what):
    if name not in known:
        raise ValueError(f"there is no {what} {name!r}. {nearest(name, known)}")
    return known[name]
