"""One outcome from its rows to all its results, under several settings side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from helpers.analysis import animals, measures
from helpers.analysis.measures import SMD, Measure
from helpers.analysis.settings import ARTICLE, RECOMMENDED, Settings, chosen_ids
from helpers.stats import shared_controls
from helpers.stats.effects import brings_own, effect_sizes, undefined
from helpers.stats.moderators import (
    RegressionResult,
    SubgroupResult,
    holm,
    meta_regression,
    subgroups,
)
from helpers.stats.multilevel import three_level
from helpers.stats.pooling import POOLED_FIELDS, PooledResult, critical, pool
from helpers.stats.robust import cluster_robust

# No three-level model is fitted where a study holds more: a study's covariance holds its
# experiments times themselves.
MOST = 1_000
# What every result says about its estimate.
INFERENCE = ("estimate", "se", "ci_low", "ci_high", "p_effect")


class NothingToAnalyse(ValueError):
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
    settings : Settings
        Those of ``chosen``.
    rows : pandas.DataFrame
        The sheet's rows used, in the project's columns alone.
    effects : pandas.DataFrame
        What is computed of them by the chosen settings: ``effect, variance, se, ci_low, ci_high,
        weight, n_split``, with the index of `rows`.
    moderator_values : pandas.DataFrame
        What the sheet says of them, a column a moderator: apart, so that any id will do.
    excluded : pandas.DataFrame
        The sheet's rows that were left out by a person.
    undefined : pandas.DataFrame
        The sheet's rows that have no effect under the chosen settings.
    left_out : pandas.DataFrame
        Of both: ``effect, variance, se, ci_low, ci_high, reason, by``; no effect where there is
        none.
    article, recommended, chosen, with_excluded : PooledResult
        The presets, the chosen result, and the chosen result over all rows.
    three_level : helpers.stats.multilevel.ThreeLevelResult or None
        None where it cannot be fitted; ``three_level_note`` then says why.
    robust : helpers.stats.robust.RobustResult or None
        Cluster-robust inference on the three-level model.
    subgroups : dict of SubgroupResult
    regressions : dict of RegressionResult
        By moderator; one that cannot be estimated is missing and named in ``not_estimable``.
    thin_levels : dict of dict
        By moderator, ``{level: (experiments, studies)}`` of levels of one experiment or one study;
        they are shown but take no part in a test.
    tested : dict of RegressionResult
        By moderator, the regression without the rows of such levels: tests, R² and sentences rest
        on this one.
    not_tested : dict of str
        By moderator, why there is none.
    measure, preset_measure : Measure
        What the effects of the rows used really are, in ``chosen`` and in the presets and the
        three-level model, which compute SMDs.
    """

    outcome: object
    settings: Settings
    rows: pd.DataFrame
    effects: pd.DataFrame
    moderator_values: pd.DataFrame
    excluded: pd.DataFrame
    undefined: pd.DataFrame
    left_out: pd.DataFrame
    article: PooledResult
    recommended: PooledResult
    chosen: PooledResult
    with_excluded: PooledResult
    three_level: object = None
    robust: object = None
    three_level_note: str = ""
    subgroups: dict[str, SubgroupResult] = field(default_factory=dict)
    regressions: dict[str, RegressionResult] = field(default_factory=dict)
    not_estimable: dict[str, str] = field(default_factory=dict)
    thin_levels: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    tested: dict[str, RegressionResult] = field(default_factory=dict)
    not_tested: dict[str, str] = field(default_factory=dict)
    controls_are_split: bool = False
    measure: Measure = SMD
    preset_measure: Measure = SMD

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


def effects(rows, settings, *, controls_are_split=False):
    """Effects of rows of an extraction sheet under some settings.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one outcome.
    settings : Settings
    controls_are_split : bool
        The sheet's control n is already divided among the arms that share it; it is then not
        divided again.

    Returns
    -------
    pandas.DataFrame
        ``effect, variance, se`` with the index of `rows`.
    """
    if settings.split_controls and not controls_are_split:
        rows = rows.assign(n_control_split=animals.share(rows))
    found = effect_sizes(rows, **_effect_options(settings))
    if "sign" in rows:
        sign = rows["sign"].fillna(1)
        if settings.measure == "NMD":  # positive is benefit already; only own effects are turned
            sign = sign.where(brings_own(rows), 1)
        found["effect"] *= sign
    return found


def without_effect(rows, settings, *, controls_are_split=False):
    """Why rows have no effect under some settings, empty where they have one.

    Parameters
    ----------
    rows, settings, controls_are_split
        As in `effects`.

    Returns
    -------
    pandas.Series of str
    """
    reasons = undefined(rows, **_effect_options(settings))
    if settings.split_controls and not controls_are_split:
        # Rows that go leave larger shares to the others, so one more look is enough.
        kept = rows[reasons == ""]
        kept = kept.assign(n_control_split=animals.share(kept))
        reasons.update(undefined(kept, **_effect_options(settings)))
    return reasons


def _effect_options(settings):
    """The part of the settings that `helpers.stats.effects.effect_sizes` takes."""
    return {name: getattr(settings, name) for name in ("measure", "correction", "variance")}


def analyse(review, outcome, *, chosen=ARTICLE, moderators=None, exclude=()):
    """Analyse one outcome of a review.

    Parameters
    ----------
    review : helpers.review.review.Review
    outcome : str
        Id of the outcome.
    chosen : Settings
        Settings of the third result; subgroups and meta-regressions belong to it.
    moderators : sequence of str, optional
        Ids of the moderators to look at, by default all.
    exclude : sequence of str
        Experiments to leave out, before any effect is computed, besides those of `exclusions.csv`.

    Returns
    -------
    OutcomeAnalysis

    Raises
    ------
    NothingToAnalyse
        No row is left, or none has an effect under the settings.
    ValueError
        An experiment to exclude does not exist.
    """
    rows = review.rows(outcome)
    moderators = chosen_ids("moderators", moderators, review.moderators)
    reasons = exclusion_reasons(review, exclude)
    out = rows.index.isin(reasons.index)
    remaining, excluded = rows[~out], rows[out]
    if remaining.empty:
        message = f"no experiment on {outcome} is left to analyse"
        raise NothingToAnalyse(message, excluded=len(excluded))
    split = bool(review.sheet.get("control_n_is_split", False))

    def pooled(table, settings):
        """Effects of the rows that have one, and what pooling them gives."""
        why = without_effect(table, settings, controls_are_split=split)
        if (why != "").all():
            message = f"no experiment on {outcome} has an effect: {_listed(why)}"
            none = len(remaining)
            raise NothingToAnalyse(message, excluded=len(excluded), undefined=none)
        found = effects(table[why == ""], settings, controls_are_split=split)
        result = pool(found["effect"], variance=found["variance"], **settings.pooling())
        return found, result, why

    as_article = pooled(remaining, ARTICLE)
    _, recommended, _ = pooled(remaining, RECOMMENDED)
    found, chosen_result, why = as_article if chosen == ARTICLE else pooled(remaining, chosen)
    every, with_excluded, _ = pooled(rows, chosen) if len(excluded) else (found, chosen_result, "")
    used, none = remaining.loc[found.index], remaining[why != ""]
    three_level, robust, note = _three_level(remaining, split)
    unable = pd.DataFrame({"reason": why[why != ""], "by": "has no effect"})
    analysis = OutcomeAnalysis(
        outcome=review.outcomes[outcome],
        settings=chosen,
        rows=used,
        effects=_with_bounds(found, chosen).assign(
            weight=chosen_result.weights,
            n_split=animals.share(used)
            if chosen.split_controls and not split
            else used["n_control"],
        ),
        moderator_values=review.moderator_values.loc[used.index],
        excluded=excluded,
        undefined=none,
        left_out=_with_bounds(every.reindex([*excluded.index, *none.index]), chosen).join(
            pd.concat([reasons, unable])
        ),
        controls_are_split=split,
        article=as_article[1],
        recommended=recommended,
        chosen=chosen_result,
        with_excluded=with_excluded,
        three_level=three_level,
        robust=robust,
        three_level_note=note,
        measure=measures.used(used, chosen.measure, review.outcomes[outcome]),
        preset_measure=measures.used(
            remaining.loc[as_article[0].index], ARTICLE.measure, review.outcomes[outcome]
        ),
    )
    for name in review.moderators if moderators is None else moderators:
        _moderate(analysis, review.moderators[name])
    return analysis


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


def _three_level(rows, split):
    """Three-level model with modelled covariance and CR2 on exact g, control groups unsplit."""
    sizes = rows["study"].value_counts()
    if sizes.max() == 1:
        note = "No study holds several experiments, so there is no level between to estimate."
    elif len(rows) < 3 or len(sizes) < 2:
        note = "Too few experiments or studies for a three-level model."
    elif sizes.max() > MOST:
        note = (
            f"No three-level model is fitted where one study holds more than {MOST:,} experiments."
        )
    else:
        note = ""
    if note:
        return None, None, note
    settings = replace(RECOMMENDED, split_controls=False)
    rows = rows[without_effect(rows, settings) == ""]
    found = effects(rows, settings)
    fitted = None
    try:
        sampling = _sampling(rows, found, split)
        fitted = three_level(found["effect"], study=rows["study"], **sampling)
        return fitted, cluster_robust(fitted, study=rows["study"]), ""
    except ValueError as error:
        return fitted, None, str(error)


def _sampling(rows, found, split):
    """Sampling variances, with covariances where animals are shared."""
    cohort = animals.cohorts(rows)
    control = np.arange(len(rows)) if split else animals.control_groups(rows)
    alone = not (pd.Index(control).has_duplicates or pd.Index(cohort).has_duplicates)
    if alone or (rows["n_treated"] + rows["n_control"]).hasnans:
        return {"variance": found["variance"]}
    # Animals seen on several days covary through themselves, arms through their control.
    return {
        "covariance": shared_controls.covariance(
            found["effect"],
            variance=found["variance"],
            study=rows["study"],
            control_group=control,
            n_treated=rows["n_treated"],
            n_control=rows["n_control"],
            cohort=cohort,
            occasion=animals.days(rows),
        )
    }


def _moderate(analysis, moderator):
    """Add one moderator's subgroups and meta-regression to an analysis."""
    name = moderator.id
    values = analysis.moderator_values.get(name)
    if values is None or values.notna().sum() == 0:
        return
    found = analysis.effects
    if moderator.levels:
        analysis.subgroups[name] = subgroups(
            found["effect"], variance=found["variance"], by=values, **analysis.settings.pooling()
        )
    try:
        analysis.regressions[name] = _regress(analysis, moderator, values)
    except ValueError as error:
        analysis.not_estimable[name] = str(error)
    thin = thin_levels(values, analysis.rows["study"]) if moderator.levels else {}
    if thin:
        analysis.thin_levels[name] = thin
        values = values.where(~values.isin(list(thin)))
    if why := _untestable(values, analysis.rows["study"]):
        analysis.not_tested[name] = why
    elif not thin:
        if name in analysis.regressions:
            analysis.tested[name] = analysis.regressions[name]
    else:
        try:
            analysis.tested[name] = _regress(analysis, moderator, values)
        except ValueError as error:
            analysis.not_tested[name] = str(error)


def _regress(analysis, moderator, values):
    """Meta-regression on one moderator; rows without a value are left out."""
    options, reference = analysis.settings.pooling(), None
    del options["prediction"]
    if moderator.levels:
        present = [level for level in moderator.levels if (values == level).any()]
        if len(present) < 2:
            raise ValueError(f"all rows have the level {present[0]}")
        reference = {moderator.id: moderator.reference_for(analysis.outcome.id, present)}
    return meta_regression(
        analysis.effects["effect"],
        variance=analysis.effects["variance"],
        moderators=values.to_frame(moderator.id),
        reference=reference,
        **options,
    )


def thin_levels(values, study):
    """Levels of one experiment or of one study, with ``(experiments, studies)`` of each."""
    known = values.notna()
    studies = study[known].groupby(values[known], observed=True).agg(["size", "nunique"])
    thin = studies[studies["nunique"] == 1]
    return {level: (int(row["size"]), int(row["nunique"])) for level, row in thin.iterrows()}


def _untestable(values, study):
    """Why no test can rest on these values, or nothing: what differs, differs by one study."""
    if len(study.unique()) == 1:
        return "all experiments come from one study"
    values, study = values.dropna(), study[values.notna()]
    if values.nunique() < 2:
        return "fewer than two levels have two studies or more"
    usual = study.groupby(values, observed=True).nunique().idxmax()
    suspects = study if study.nunique() == 2 else study[values != usual]
    for name in suspects.unique()[:2]:
        if values[study != name].nunique() < 2:
            return f"without the study {name} all experiments have the same value"
    return ""


def presets(analysis):
    """The results that stand side by side, a row each.

    Returns
    -------
    pandas.DataFrame
        ``result, k, estimate, ci_low, ci_high, pi_low, pi_high, p_effect, tau2, i2``.
    """
    names = ("article", "recommended", "chosen")
    rows = [{"result": name} | pooled_fields(getattr(analysis, name)) for name in names]
    fitted, robust = analysis.three_level, analysis.robust or analysis.three_level
    if fitted is not None:
        tau2 = fitted.sigma2_study + fitted.sigma2_experiment
        own = {"result": "three_level", "k": fitted.k, "tau2": tau2}
        rows.append(own | {name: getattr(robust, name) for name in INFERENCE})
    return pd.DataFrame(rows)


def pooled_fields(result):
    """A pooled result as plain numbers, without its weights."""
    return {name: getattr(result, name) for name in ("k", *POOLED_FIELDS, "pooled")}
