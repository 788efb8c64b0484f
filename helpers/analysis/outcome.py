"""One outcome from its rows to all its results, under several settings side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from helpers.analysis import animals, measures
from helpers.analysis import model as models
from helpers.analysis.effects import effects, without_effect
from helpers.analysis.measures import SMD, Measure
from helpers.analysis.moderators import ModeratorModel, add_in_one_model, add_level_by_level
from helpers.analysis.regressions import TermModel, of_outcome
from helpers.analysis.result import ModelledResult, is_modelled, modelled
from helpers.analysis.settings import ARTICLE, RECOMMENDED, Model, Settings, chosen_ids
from helpers.analysis.three_level import fit_three_level
from helpers.problems import ProjectError
from helpers.stats.effects import brings_own
from helpers.stats.moderators import RegressionResult, SubgroupResult, holm
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import POOLED_FIELDS, PooledResult, critical, pool

# What every result says about its estimate.
INFERENCE = ("estimate", "se", "ci_low", "ci_high", "p_effect")
RHOS = (0.2, 0.5, 0.8)  # correlations of repeated measurements that stand beside each other


class NothingToAnalyse(ProjectError, ValueError):
    """An outcome of which no row is left; ``excluded, undefined`` are numbers of its rows."""

    def __init__(self, message, *, excluded, undefined=0):
        super().__init__(message)
        self.excluded, self.undefined = excluded, undefined


@dataclass(frozen=True, eq=False)
class OutcomeAnalysis:
    """All results of one outcome.

    Attributes
    ----------
    outcome : helpers.review.description.Outcome
    leading_is : {"article", "recommended", "chosen"}
        Which result leads: the headline, the moderators and all words are its.
    settings, model : Settings, Model or None
        Those of the leading result; without a model rows are independent.
    rows : pandas.DataFrame
        The sheet's rows used, in the project's columns alone.
    effects : pandas.DataFrame
        What is computed of them by these settings: ``effect, variance, se, ci_low, ci_high,
        weight, n_split``, with the index of `rows`.
    moderator_values : pandas.DataFrame
        What the sheet says of them, a column a moderator: apart, so that any id will do.
    excluded : pandas.DataFrame
        The sheet's rows that were left out by a person.
    undefined : pandas.DataFrame
        The sheet's rows that have no effect under these settings.
    left_out : pandas.DataFrame
        Of both: ``effect, variance, se, ci_low, ci_high, reason, by``; no effect where there is
        none.
    article : PooledResult or None
        By the article's settings, where the review rebuilds an article.
    recommended : PooledResult, ModelledResult or None
        None where it cannot be computed; ``notes`` then says why.
    chosen : PooledResult or ModelledResult
        By what the review or the parameters say; the leading preset's where they say nothing.
    with_excluded : PooledResult or ModelledResult
        The leading result over all rows.
    three_level : helpers.stats.multilevel.ThreeLevelResult or None
        None where it cannot be fitted; ``three_level_note`` then says why.
    robust : helpers.stats.robust.RobustResult or None
        Cluster-robust inference on the three-level model.
    by_rho : dict of float to ModelledResult
        The multilevel model with other correlations of repeated measurements: the leading one, or
        the recommended one beside an article; empty without a multilevel model.
    models : dict of ModeratorModel
        By moderator, in one model, unless rows are taken as the article takes them.
    subgroups : dict of SubgroupResult
    regressions : dict of RegressionResult
        By moderator, as the article has them; one that cannot be estimated is missing and named in
        ``not_estimable``.
    thin_levels : dict of dict
        By moderator, ``{level: (experiments, studies)}`` of levels of one experiment or one study;
        they are shown but take no part in a test.
    tested : dict of RegressionResult or ModeratorModel
        By moderator, what its test rests on: without the rows of such levels.
    not_tested : dict of str
        By moderator, why there is none.
    asked_model : Model or None
        What the leading result would be fitted with where rows depend on each other; None where
        they are taken as independent.
    options : dict
        What `helpers.stats.multilevel.multilevel` takes besides the effects; empty without a model.
    term_models : list of TermModel
        What `[[regressions]]` asks for, in its order.
    measure, preset_measure, recommended_measure : Measure
        What the effects of the rows used really are: in the leading and the chosen result, in the
        article's and the three-level model, which compute SMDs, and in the recommended one.
    """

    outcome: object
    leading_is: str
    settings: Settings
    model: Model | None
    rows: pd.DataFrame
    effects: pd.DataFrame
    moderator_values: pd.DataFrame
    excluded: pd.DataFrame
    undefined: pd.DataFrame
    left_out: pd.DataFrame
    article: PooledResult | None
    recommended: PooledResult | ModelledResult | None
    chosen: PooledResult | ModelledResult
    with_excluded: PooledResult | ModelledResult
    three_level: object = None
    robust: object = None
    three_level_note: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    by_rho: dict[float, ModelledResult] = field(default_factory=dict)
    models: dict[str, ModeratorModel] = field(default_factory=dict)
    subgroups: dict[str, SubgroupResult] = field(default_factory=dict)
    regressions: dict[str, RegressionResult] = field(default_factory=dict)
    not_estimable: dict[str, str] = field(default_factory=dict)
    thin_levels: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    tested: dict[str, RegressionResult | ModeratorModel] = field(default_factory=dict)
    not_tested: dict[str, str] = field(default_factory=dict)
    term_models: list[TermModel] = field(default_factory=list)
    controls_are_split: bool = False
    asked_model: Model | None = None
    options: dict = field(default_factory=dict)
    measure: Measure = SMD
    preset_measure: Measure = SMD
    recommended_measure: Measure = SMD

    @property
    def leading(self):
        """The result that leads."""
        return getattr(self, self.leading_is)

    @property
    def recommended_level(self):
        """Coverage of the presets' intervals."""
        return RECOMMENDED.level

    @cached_property
    def table(self):
        """The rows used with what is computed of them; no moderator, so no name meets another."""
        return self.rows.drop(columns=["effect", "se"], errors="ignore").join(self.effects)

    @cached_property
    def p_holm(self):
        """P of each moderator that is tested, corrected for their number by Holm's method."""
        return holm(self.tested)

    @property
    def controls_are_named(self):
        """Whether every row used says which control group it has; else none is known as shared."""
        return animals.are_named(self.rows)

    @property
    def from_one_study(self):
        """Whether several experiments all come from one study: nothing is said of another."""
        return len(self.rows) > 1 and self.studies == 1

    @property
    def studies(self):
        """Number of studies among the rows used."""
        return self.rows["study"].nunique()

    @cached_property
    def animals(self):
        """Animals among the rows used, each cohort and each control group counted once."""
        return animals.count(self.rows, split=self.controls_are_split)


def analyse(review, outcome, *, chosen=None, model=None, moderators=None, exclude=(), beside=True):
    """Analyse one outcome of a review.

    Parameters
    ----------
    review : helpers.review.review.Review
    outcome : str
        Id of the outcome.
    chosen : Settings, optional
        What the review or a person asks for: it then leads. Without it the article's settings
        lead where the review rebuilds an article, else the recommended ones.
    model : Model, optional
        The multilevel model of `chosen`; without one its rows are independent.
    moderators : sequence of str, optional
        Ids of the moderators to look at, by default all.
    exclude : sequence of str
        Experiments to leave out, before any effect is computed, besides those of `exclusions.csv`.
    beside : bool
        False leaves out all that stands beside the leading result, for who asks again at once.

    Returns
    -------
    OutcomeAnalysis

    Raises
    ------
    NothingToAnalyse
        No row is left, or none has an effect under the settings.
    ValueError
        An experiment to exclude does not exist; a sampling covariance that cannot be.
    """
    rows = review.rows(outcome)
    moderators = chosen_ids("moderators", moderators, review.moderators)
    reasons = exclusion_reasons(review, exclude)
    out = rows.index.isin(reasons.index)
    remaining, excluded = rows[~out], rows[out]
    if remaining.empty:
        message = f"no experiment on {outcome} is left to analyse"
        message += f" ({review.subset.words})" if review.subset else ""
        raise NothingToAnalyse(message, excluded=len(excluded))
    split, described = review.sheet.control_n_is_split, review.outcomes[outcome]

    def pooled(table, settings, model, *, always=False):
        """Effects of the rows that have one, what pooling them gives, why others have none.

        Last what the multilevel model was fitted with, empty without one.
        """
        why = without_effect(table, settings, controls_are_split=split)
        if (why != "").all():
            message = f"no experiment on {outcome} has an effect: {_listed(why)}"
            none = len(remaining)
            raise NothingToAnalyse(message, excluded=len(excluded), undefined=none)
        kept = table[why == ""]
        if settings.measure == "MD" and len(on := scales_of_means(kept)) > 1:
            message = f"the means on {outcome} are on several scales ({', '.join(on)}), whose "
            message += "differences have no unit in common: take measure SMD, ROM or NMD, or leave "
            message += "out the rows on all scales but one"
            raise NothingToAnalyse(message, excluded=len(excluded), undefined=len(remaining))
        found = effects(kept, settings, controls_are_split=split)
        shared = {"level_values": review.level_values, "split": split}
        if (
            model is None
            or len(kept) < 2
            or not (always or models.is_needed(model, kept, **shared))
        ):
            result = pool(found["effect"], variance=found["variance"], **settings.pooling())
            return found, result, why, {}
        options = models.options(model, kept, found, settings, **shared)
        fit = multilevel(found["effect"], **options)
        return found, modelled(fit, rho=model.rho), why, options

    leading_is = "chosen" if chosen else "article" if review.article else "recommended"
    recommended = replace(RECOMMENDED, measure=chosen.measure if chosen else RECOMMENDED.measure)
    asked = {
        "article": (ARTICLE, None, False),
        "recommended": (recommended, Model(), False),
        # What `[model]` says holds for every outcome, its default only where rows depend.
        "chosen": (chosen, model, model not in (None, Model())),
    }
    states, notes = {}, {}
    others = {"recommended", *(["article"] if review.article else [])} if beside else set()
    for name in asked:
        if name == leading_is or name in others:
            settings, of_rows, always = asked[name]
            try:
                states[name] = pooled(remaining, settings, of_rows, always=always)
            except (NothingToAnalyse, ValueError) as error:
                if name == leading_is:
                    raise
                notes[name] = str(error)
    settings, of_rows, always = asked[leading_is]
    found, leading, why, options = states[leading_is]
    every = found
    with_excluded = leading
    if len(excluded):
        alike = rows
        if settings.measure == "MD" and (on := scales_of_means(remaining.loc[found.index])):
            alike = rows[rows["outcome_scale"].isin(on) | brings_own(rows)]
        if beside:
            every, with_excluded, *_ = pooled(alike, settings, of_rows, always=always)
        else:
            has = without_effect(alike, settings, controls_are_split=split) == ""
            every, with_excluded = effects(alike[has], settings, controls_are_split=split), None
    used, none = remaining.loc[found.index], remaining[why != ""]
    three_level, robust, note = fit_three_level(remaining, split) if beside else (None, None, "")
    unable = pd.DataFrame({"reason": why[why != ""], "by": "has no effect"})
    divided = settings.split_controls and not split

    def with_effect(name):
        """The rows that have an effect by a preset, which may not have been asked for."""
        if name in states:
            return remaining.loc[states[name][0].index]
        return remaining[without_effect(remaining, asked[name][0]) == ""]

    analysis = OutcomeAnalysis(
        outcome=described,
        leading_is=leading_is,
        settings=settings,
        model=of_rows if is_modelled(leading) else None,
        rows=used,
        effects=_with_bounds(found, settings).assign(
            weight=leading.weights, n_split=animals.share(used) if divided else used["n_control"]
        ),
        moderator_values=review.moderator_values.loc[used.index],
        excluded=excluded,
        undefined=none,
        left_out=_with_bounds(every.reindex([*excluded.index, *none.index]), settings).join(
            pd.concat([reasons, unable])
        ),
        controls_are_split=split,
        asked_model=of_rows,
        options=options,
        article=states["article"][1] if "article" in states else None,
        recommended=states["recommended"][1] if "recommended" in states else None,
        notes=notes,
        chosen=leading,
        with_excluded=with_excluded,
        three_level=three_level,
        robust=robust,
        three_level_note=note,
        by_rho=_by_rho(states, asked, leading_is, remaining, review, split) if beside else {},
        measure=measures.used(used, settings.measure, described),
        preset_measure=measures.used(with_effect("article"), ARTICLE.measure, described),
        recommended_measure=measures.used(
            with_effect("recommended"), recommended.measure, described
        ),
    )
    in_one_model = bool(options) or leading_is == "recommended"
    for name in review.moderators if moderators is None else moderators:
        if in_one_model:
            add_in_one_model(analysis, review.moderators[name], options)
        else:
            add_level_by_level(analysis, review.moderators[name])
    analysis.term_models.extend(of_outcome(analysis, review, options, moderators))
    return analysis


def _by_rho(states, asked, leading_is, rows, review, split):
    """The multilevel model that is shown, with each of `RHOS`; one that cannot be is left out."""
    for name in dict.fromkeys(name for name in (leading_is, "recommended") if name in states):
        found, result, *_ = states[name]
        settings, model, _ = asked[name]
        if is_modelled(result):
            break
    else:
        return {}
    rows, series = rows.loc[found.index], {}
    for rho in RHOS:
        # Without covariances nothing hangs on their correlation, and other fits would be the same.
        if rho == model.rho or (model.rho and not len(result.fit.fit.sampling.value)):
            series[rho] = replace(result, rho=rho)
            continue
        try:
            other = models.with_rho(model, rho)
            fit = models.fit(other, rows, found, settings, review.level_values, split=split)
            series[rho] = modelled(fit, rho=rho)
        except ValueError:
            continue
    return series


def scales_of_means(rows):
    """Labels of the scales on which the rows' means are; none where the outcome has only one."""
    known = rows.loc[~brings_own(rows), "outcome_scale"] if "outcome_scale" in rows else ()
    return [label for label in dict.fromkeys(known) if label]


def exclusion_reasons(review, exclude=()):
    """Reason and author of each exclusion, indexed by experiment."""
    listed = review.exclusions.set_index("experiment")
    listed = listed[~listed.index.duplicated()]
    asked = chosen_ids("exclude", exclude, review.experiments.index)
    asked = [name for name in asked if name not in listed.index]
    if not asked:
        return listed
    extra = pd.DataFrame(
        {"reason": "left out by the report's parameter `exclude`", "by": "parameter"}, index=asked
    )
    return pd.concat([listed, extra])


def _listed(why):
    """Rows and the reasons why they have no effect, the rows of a reason together."""
    found = why.groupby(why, sort=False).groups.items()
    return "; ".join(f"{', '.join(map(str, rows))}: {reason}" for reason, rows in found)


def _with_bounds(found, settings):
    half = critical(settings.level) * found["se"]
    return found.assign(ci_low=found["effect"] - half, ci_high=found["effect"] + half)


def presets(analysis):
    """The results that stand side by side, a row each.

    Returns
    -------
    pandas.DataFrame
        ``result, k, estimate, ci_low, ci_high, pi_low, pi_high, p_effect, tau2, i2``; `chosen` only
        where something was asked for, and a row ``rho 0.2`` for each other correlation.
    """
    names = ["article", "recommended"]
    names += ["chosen"] * (analysis.leading_is == "chosen")
    names = [name for name in names if getattr(analysis, name) is not None]
    rows = [{"result": name} | pooled_fields(getattr(analysis, name)) for name in names]
    rows += [
        {"result": f"rho {rho:g}"} | pooled_fields(result)
        for rho, result in analysis.by_rho.items()
    ]
    fitted, robust = analysis.three_level, analysis.robust or analysis.three_level
    if fitted is not None:
        tau2 = fitted.sigma2_study + fitted.sigma2_experiment
        own = {"result": "three_level", "k": fitted.k, "tau2": tau2}
        rows.append(own | {name: getattr(robust, name) for name in INFERENCE})
    return pd.DataFrame(rows)


def pooled_fields(result):
    """A pooled result as plain numbers, without its weights."""
    return {name: getattr(result, name) for name in ("k", *POOLED_FIELDS, "pooled")}
