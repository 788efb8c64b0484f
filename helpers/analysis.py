"""One outcome from its rows to all its results, under several settings side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from helpers import dependence
from helpers.effects import effect_sizes
from helpers.moderators import RegressionResult, SubgroupResult, holm, meta_regression, subgroups
from helpers.pooling import POOLED_FIELDS, PooledResult, critical, pool
from helpers.robust import cluster_robust
from helpers.settings import ARTICLE, RECOMMENDED, Settings, chosen_ids

# No three-level model is fitted where a study holds more: a study's covariance holds its
# experiments times themselves.
MOST = 1_000
# What every result says about its estimate.
INFERENCE = ("estimate", "se", "ci_low", "ci_high", "p_effect")


@dataclass(frozen=True, eq=False)
class OutcomeAnalysis:
    """All results of one outcome.

    Attributes
    ----------
    outcome : helpers.description.Outcome
    settings : Settings
        Those of ``chosen``.
    rows : pandas.DataFrame
        Rows used, with ``effect, variance, se, ci_low, ci_high, weight`` by the chosen settings.
    excluded : pandas.DataFrame
        Rows left out, with the same effects and ``reason, by``.
    article, recommended, chosen, with_excluded : PooledResult
        The presets, the chosen result, and the chosen result over all rows.
    three_level : helpers.dependence.ThreeLevelResult or None
        None where it cannot be fitted; ``three_level_note`` then says why.
    robust : helpers.robust.RobustResult or None
        Cluster-robust inference on the three-level model.
    subgroups : dict of SubgroupResult
    regressions : dict of RegressionResult
        By moderator; one that cannot be estimated is missing and named in ``not_estimable``.
    """

    outcome: object
    settings: Settings
    rows: pd.DataFrame
    excluded: pd.DataFrame
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

    @cached_property
    def p_holm(self):
        """P of each moderator's regression, corrected for their number by Holm's method."""
        return holm(self.regressions)

    @property
    def studies(self):
        """Number of studies among the rows used."""
        return self.rows["study"].nunique()

    @cached_property
    def animals(self):
        """Animals among the rows used, each control group counted once."""
        controls = self.rows["n_control"][~control_key(self.rows).duplicated()]
        return int(self.rows["n_treated"].sum() + controls.sum())


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
        rows = rows.assign(n_control_split=split_n(rows))
    found = effect_sizes(
        rows, measure=settings.measure, correction=settings.correction, variance=settings.variance
    )
    if "sign" in rows:
        found["effect"] *= rows["sign"]
    return found


def split_n(rows):
    """Control animals that fall to each row when shared control groups are divided."""
    return dependence.shared_control_n(rows, by=control_key(rows))


def control_key(rows):
    """What tells control groups apart: group and day; a row without a group has its own."""
    own = rows["control_group"].where(rows["control_group"] != "", "row " + rows["experiment"])
    return own + "|" + rows["follow_up_days"].astype(str)


def analyse(review, outcome, *, chosen=ARTICLE, moderators=None, exclude=()):
    """Analyse one outcome of a review.

    Parameters
    ----------
    review : helpers.review.Review
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
    ValueError
        No row is left, or an effect is undefined under the settings.
    """
    rows = review.rows(outcome)
    moderators = chosen_ids("moderators", moderators, review.moderators)
    reasons = exclusion_reasons(review, exclude)
    left_out = rows.index.isin(reasons.index)
    used, excluded = rows[~left_out], rows[left_out]
    if used.empty:
        raise ValueError(f"no experiment on {outcome} is left to analyse")
    split = bool(review.sheet.get("control_n_is_split", False))

    def pooled(table, settings):
        found = effects(table, settings, controls_are_split=split)
        return found, pool(found["effect"], variance=found["variance"], **settings.pooling())

    as_article = pooled(used, ARTICLE)
    _, recommended = pooled(used, RECOMMENDED)
    found, chosen_result = as_article if chosen == ARTICLE else pooled(used, chosen)
    # Rows left out may have no effect at all; it may be the reason why.
    effects_excluded = _effects_where_defined(excluded, chosen, split)
    with_effect = rows.index.difference(
        excluded.index[effects_excluded["effect"].isna()], sort=False
    )
    with_excluded = pooled(rows.loc[with_effect], chosen)[1] if len(excluded) else chosen_result
    three_level, robust, note = _three_level(used, split)
    analysis = OutcomeAnalysis(
        outcome=review.outcomes[outcome],
        settings=chosen,
        rows=_with_effects(used, found, chosen).assign(
            weight=chosen_result.weights,
            n_split=split_n(used) if chosen.split_controls and not split else used["n_control"],
        ),
        excluded=_with_effects(excluded, effects_excluded, chosen).join(reasons),
        article=as_article[1],
        recommended=recommended,
        chosen=chosen_result,
        with_excluded=with_excluded,
        three_level=three_level,
        robust=robust,
        three_level_note=note,
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


def _effects_where_defined(rows, settings, split):
    """Effects of rows, missing where a row has none under the settings."""
    try:
        return effects(rows, settings, controls_are_split=split)
    except ValueError:
        if len(rows) == 1:
            columns = ["effect", "variance", "se"]
            return pd.DataFrame(float("nan"), index=rows.index, columns=columns)
        each = [rows.iloc[[place]] for place in range(len(rows))]
        return pd.concat([_effects_where_defined(row, settings, split) for row in each])


def _with_effects(rows, found, settings):
    half = critical(settings.level) * found["se"]
    return rows.assign(**found, ci_low=found["effect"] - half, ci_high=found["effect"] + half)


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
    found = effects(rows, settings)
    fitted = None
    try:
        sampling = _sampling(rows, found, split)
        fitted = dependence.three_level(found["effect"], study=rows["study"], **sampling)
        return fitted, cluster_robust(fitted, study=rows["study"]), ""
    except ValueError as error:
        return fitted, None, str(error)


def _sampling(rows, found, split):
    """Sampling variances, with covariances where animals are shared."""
    own = "row " + rows["experiment"]
    groups = own if split else rows["control_group"].where(rows["control_group"] != "", own)
    if not groups.duplicated().any() or (rows["n_treated"] + rows["n_control"]).hasnans:
        return {"variance": found["variance"]}
    # Animals seen on several days covary through themselves, arms through their control.
    return {
        "covariance": dependence.covariance(
            found["effect"],
            variance=found["variance"],
            study=rows["study"],
            control_group=groups,
            n_treated=rows["n_treated"],
            n_control=rows["n_control"],
            cohort=rows["cohort"].where(rows["cohort"] != "", own),
            occasion=rows["follow_up_days"].fillna(-1),
        )
    }


def _moderate(analysis, moderator):
    """Add one moderator's subgroups and meta-regression to an analysis."""
    rows, settings, name = analysis.rows, analysis.settings, moderator.id
    if name not in rows or rows[name].notna().sum() == 0:
        return
    options = settings.pooling()
    del options["prediction"]
    reference = None
    if moderator.levels:
        present = [level for level in moderator.levels if (rows[name] == level).any()]
        analysis.subgroups[name] = subgroups(
            rows["effect"], variance=rows["variance"], by=rows[name], **settings.pooling()
        )
        if len(present) < 2:
            analysis.not_estimable[name] = f"all rows have the level {present[0]}"
            return
        reference = {name: moderator.reference_for(analysis.outcome.id, present)}
    try:
        analysis.regressions[name] = meta_regression(
            rows["effect"],
            variance=rows["variance"],
            moderators=rows[[name]],
            reference=reference,
            **options,
        )
    except ValueError as error:
        analysis.not_estimable[name] = str(error)


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
