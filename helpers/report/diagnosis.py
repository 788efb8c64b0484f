"""What may be wrong with a pooled result: outliers, influence, small-study effects, moderators."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.analysis import small_study as asymmetry
from helpers.analysis.records import with_moderators
from helpers.analysis.settings import chosen_ids, one_of
from helpers.figures import influence as influence_figures
from helpers.figures import moderators as moderator_figures
from helpers.figures import small_study as small_study_figures
from helpers.page import blocks
from helpers.report.base import Exhibits, of_outcome
from helpers.stats import influence, moderators
from helpers.stats.pooling import critical
from helpers.words import numbers, sentences, tables
from helpers.words import small_study as small_study_of
from helpers.words.numbers import count, number, percent

# Drawn for each experiment; the download has all diagnostics.
PANELS = ("rstudent", "cook", "tau2_deleted", "weight")

# Experiments beyond which a figure draws a sample, as more would cover each other and only make
# the page heavy, and beyond which none is left out in turn, which costs time by their square.
MANY = 2_000


class Diagnosis(Exhibits):
    """The figures and tables that question a result; `helpers.report.family.Report` has them."""

    def __init__(self, review, seed):
        super().__init__(review, seed)
        self._tested = {}

    def _drawn(self, rows):
        """Rows that a figure draws, and the words for its caption where they are a sample."""
        if len(rows) <= MANY:
            return rows, ""
        places = np.random.default_rng(self.seed).choice(len(rows), MANY, replace=False)
        return rows.iloc[np.sort(places)], (
            f" Drawn: {MANY:,} of the {len(rows):,} experiments, chosen at random; the results are "
            "those of all."
        )

    @of_outcome()
    def bubble(self, analysis, moderator):
        """Effects against one moderator: a strip for each level, a line for a number."""
        described = one_of(moderator, self.review.moderators, "moderator")
        regression = analysis.regressions.get(moderator)
        if not regression:
            return None
        every = analysis.moderator_values[moderator]
        rows, note = self._drawn(analysis.table)
        x = every[rows.index]
        if described.levels:
            fit = analysis.subgroups[moderator].table
            fit = fit.where(fit["pooled"], fit[["level", "k", "pooled"]])
            x = x.astype(object)
        else:
            low, high = every.min(), every.max()
            at = pd.DataFrame({moderator: np.linspace(low, high, 40)})
            fit = regression.predict(at).assign(x=at[moderator])
        measure = analysis.measure
        own = measure if described.levels else tables.slope_of(measure)
        terms = numbers.listing(
            f"{term['level'] or ('ratio per unit' if measure.is_log else 'slope')} "
            f"{numbers.estimate_text(term['coef'], term['ci_low'], term['ci_high'], own)}"
            for _, term in regression.coefficients.iloc[1:].iterrows()
        )
        level = numbers.level_name(self.settings.level)
        against = f" against {regression.reference[moderator]}" if described.levels else ""
        return self._figure(
            moderator_figures.bubble(
                x,
                rows["effect"],
                weight=rows["weight"],
                fit=fit,
                label=described.label,
                measure=measure,
                level=self.settings.level,
                labels=rows["experiment"],
            ),
            name=f"{analysis.outcome.id}-bubble-{moderator}",
            caption=f"{analysis.outcome.label} by {described.label.lower()}: each circle is an "
            f"experiment, its area the weight; {measure.name} with {level}. "
            f"Coefficients{against}: {terms}; "
            f"{self._explained(analysis, moderator)}.{note}",
            alt=f"Coefficients{against}: {terms}.",
            data=with_moderators(
                rows[["experiment", "study", "effect", "se", "weight", "provenance"]],
                every[rows.index].to_frame(),
                after="study",
            ),
        )

    @staticmethod
    def _explained(analysis, moderator):
        """R² of a moderator; a level of one experiment or one study has no part in it."""
        if moderator not in analysis.tested:
            return f"not tested: {analysis.not_tested[moderator]}"
        thin = analysis.thin_levels.get(moderator)
        without = (
            f" without {numbers.listing(thin)}, of one experiment or one study" if thin else ""
        )
        r2 = percent(100 * analysis.tested[moderator].r2, 0)
        return numbers.told("R²", r2) + without

    @of_outcome(least=3)
    def together(self, analysis):
        """Which moderators go together: what one explains, another may explain as well."""
        names = [name for name in analysis.regressions if name in analysis.subgroups]
        levels = analysis.moderator_values[names]
        if len(names) < 2:
            return None
        names = [self.review.moderators[name].label for name in names]
        data = moderators.association(levels)
        table = data.set_axis(names).set_axis(names, axis=1)
        below = [(table.iloc[i, j], i, j) for i in range(len(table)) for j in range(i)]
        most, *pair = max(entry for entry in below if not np.isnan(entry[0]))
        first, second = table.index[pair]
        kind, note = self.review.evidence["kind"], ""
        if not self.review.is_authentic:
            note = f" In {kind} rows how levels combine is made up."
        return self._figure(
            moderator_figures.association(table),
            name=f"{analysis.outcome.id}-together",
            caption=f"{analysis.outcome.label}: how far moderators go together, as Cramér's V from 0 "
            f"(not at all) to 1 (one tells the other); most {first.lower()} and {second.lower()}, "
            f"{number(most)}.{note}",
            alt=f"Largest Cramér's V {number(most)}, {first} and {second}.",
            data=with_moderators(
                data.index.to_frame(name="moderator").assign(
                    provenance=self.review.evidence["kind"]
                ),
                data,
                after="moderator",
            ),
        )

    @of_outcome(least=3)
    def galbraith(self, analysis):
        """Galbraith plot: which experiments lie outside the band of the common effect."""
        out = analysis.left_out.loc[analysis.excluded.index].join(
            analysis.excluded[["experiment", "study", "provenance"]]
        )
        rows = pd.concat([analysis.table, out[out["effect"].notna()]])
        level = self.settings.level
        points = influence.galbraith(rows["effect"], variance=rows["variance"], level=level)
        outside, band = int(points["outside"].sum()), f"{100 * level:g}% band"
        drawn, note = self._drawn(rows)
        shown = points.loc[drawn.index]
        axes = influence_figures.galbraith(
            drawn["effect"],
            variance=drawn["variance"],
            excluded=drawn["experiment"].isin(analysis.excluded["experiment"]).to_numpy(),
            labels=drawn["experiment"],
            level=level,
            points=shown,
        )
        if note:
            note += " The legend counts the sample; line and band are those of all."
        slope = points["fitted"].iloc[0] / points["x"].iloc[0]
        half = critical(level) / (points["x"] ** 2).sum() ** 0.5
        digits = numbers.effect_digits(slope - half, slope + half, analysis.measure)
        common = numbers.effect(slope, analysis.measure, digits)
        return self._figure(
            axes,
            name=f"{analysis.outcome.id}-galbraith",
            caption=f"{analysis.outcome.label}: Galbraith plot. The {band} alone would flag "
            f"{outside} of {count(len(rows), 'experiment')}; {len(analysis.excluded)} "
            f"{'was' if len(analysis.excluded) == 1 else 'were'} left out. Which ones are left out "
            f"is a decision with a reason, not a rule.{note}",
            alt=f"Galbraith plot of {analysis.outcome.label}: common effect "
            f"({analysis.measure.name}) {common}, {outside} of {len(rows)} points outside the "
            f"±{critical(level):.2f} band.",
            data=drawn[["experiment", "study", "effect", "se", "provenance"]].join(
                shown[["x", "y", "low", "high", "outside"]]
            ),
        )

    @of_outcome(least=3)
    def funnel(self, analysis):
        """Funnel plot: SMDs on sample size, as their standard error contains the effect itself."""
        rows, note = self._drawn(analysis.table)
        total, measure = rows["n_treated"] + rows["n_control"], analysis.measure
        axes = small_study_figures.funnel(
            rows["effect"],
            se=rows["se"],
            n_total=total,
            estimate=analysis.chosen.estimate,
            labels=rows["experiment"],
            measure=measure,
        )
        if small_study_figures.funnel_axis(measure, total) == "se":
            drawn = "standard errors with the contours of each row's own standard error"
        else:
            drawn = "1/√N with the contours of the null standard error 2/√N"
        digits = numbers.effect_digits(analysis.chosen.ci_low, analysis.chosen.ci_high, measure)
        around = numbers.effect(analysis.chosen.estimate, measure, digits)
        sizes = f" with {total.min():g} to {total.max():g} animals" if total.notna().all() else ""
        return self._figure(
            axes,
            name=f"{analysis.outcome.id}-funnel",
            caption=f"{analysis.outcome.label}: funnel plot on {drawn}. Asymmetry may come from "
            "small experiments left unpublished, or from other differences between small and large "
            f"ones.{note}",
            alt=f"Funnel plot of {count(len(rows), 'experiment')}{sizes} around {measure.name} "
            f"{around}.",
            data=rows[["experiment", "study", "effect", "se", "provenance"]].assign(n_total=total),
        )

    def small_study(self, outcomes, name):
        """Tests for small-study effects in a group of outcomes, with their power, in words."""
        found = self._asymmetry(outcomes)
        if found is None:
            return None
        text = small_study_of.words(found, self._printed_p(outcomes))
        return blocks.paragraph(text, name=f"{name}-small-study")

    def small_study_tests(self, outcomes, name, label):
        """The tests behind the words, each with what it would have seen."""
        found = self._asymmetry(outcomes)
        if found is None or not found.tests:
            return None
        data = small_study_of.table(found, self._printed_p(outcomes))
        formats = {"p": numbers.p_value, "df": ".0f"}
        shares = [column for column in data if column.startswith("rejects")]
        formats |= dict.fromkeys(shares, lambda share: percent(100 * share, 0))
        return self._table(
            data,
            name=f"{name}-small-study",
            formats=formats,
            caption=f"{label}: tests for small-study effects in {count(found.k, 'experiment')}, "
            "effects turned so that benefit is positive, and how often each rejects in simulated "
            "data sets of these group sizes. Egger's test rejects standardised differences whether "
            "or not results were left unpublished, and is not valid here.",
        )

    def doleman(self, outcomes, name, label):
        """What baseline risk leaves of the effects, against inverse sample size."""
        found = self._asymmetry(outcomes)
        if found is None or "Doleman" not in found.tests:
            return None
        test = found.tests["Doleman"]
        rows, note = self._drawn(found.rows.assign(inverse_n=test.x, residual=test.y))
        axes = small_study_figures.doleman(
            rows["residual"],
            rows["inverse_n"],
            fit=(test.intercept, test.slope),
            labels=rows["experiment"],
        )
        return self._figure(
            axes,
            name=f"{name}-doleman",
            caption=f"{label}: Doleman plot of {count(found.k, 'experiment')}. Residuals of the "
            "effects from their regression on the control group's outcome, against inverse sample "
            f"size; {numbers.p_phrase(test.p)}.{note}",
            alt=f"Doleman plot of {label}: slope {number(test.slope)}, t({test.df:.0f}) = "
            f"{number(test.statistic)}, {numbers.p_phrase(test.p)}.",
            data=rows[
                ["experiment", "outcome", "towards_benefit", "provenance", "inverse_n", "residual"]
            ],
        )

    @of_outcome(least=3)
    def influence(self, analysis):
        """How much each experiment moves the pooled result."""
        rows = analysis.table
        if len(rows) > MANY:
            most = 100 * rows.groupby("study")["weight"].sum().max()
            return blocks.paragraph(
                f"With {count(len(rows), 'experiment')} none was left out in turn, which is done "
                f"up to {MANY:,}. The heaviest has {percent(100 * rows['weight'].max(), 3)} of the "
                f"weight, the heaviest study {percent(most, 3)}.",
                name=f"{analysis.outcome.id}-influence",
            )
        table = influence.diagnostics(
            rows["effect"], variance=rows["variance"], method=self.settings.method
        )
        left_out = {"experiment": None}
        if 1 < analysis.studies < len(rows):
            left_out["study"] = rows["study"]
        words = sentences.influence_words(
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
            return blocks.paragraph(words, name=f"{analysis.outcome.id}-influence")
        return self._figure(
            influence_figures.influence(
                table[list(PANELS)], labels=rows["experiment"], level=self.settings.level
            )[0].figure,
            name=f"{analysis.outcome.id}-influence",
            caption=f"{analysis.outcome.label}: what changes when one experiment is left out. "
            f"{words} Triangles lie beyond a dashed line; a large residual alone does not make an "
            "experiment influential.",
            alt=words,
            data=table.assign(provenance=rows["provenance"].to_numpy()),
        )

    def _asymmetry(self, outcomes):
        chosen = self._group(outcomes)
        key = tuple(analysis.outcome.id for analysis in chosen)
        if not chosen:
            return None
        if key not in self._tested:
            self._tested[key] = asymmetry.of(chosen, self.seed)
        return self._tested[key]

    def _printed_p(self, outcomes):
        """The printed p of just this group, where all of it is reported."""
        table = self.review.facts("published_bias.csv")
        names = set(chosen_ids("outcomes", outcomes, self._outcomes) or self._outcomes)
        if "outcome_ids" not in table or not names <= set(self.analyses):
            return None
        same = [set(ids.split()) == names for ids in table["outcome_ids"]]
        return table.loc[same, "p"].iloc[0] if any(same) else None
