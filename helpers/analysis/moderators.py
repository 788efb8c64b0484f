"""What may explain differences, in the model that leads: cell means, slopes and their tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.analysis import model as models
from helpers.stats.distributions import t_sf
from helpers.stats.moderators import RegressionResult, meta_regression, subgroups
from helpers.stats.multilevel import moderator_levels, multilevel, wald_test

CELLS = ("level", "k", "studies", "estimate", "se", "ci_low", "ci_high", "df", "p", "test",
         "pi_low", "pi_high", "in_test")  # fmt: skip
VALUE = "moderator"  # what any moderator is called in a fit, so that no id meets a term


@dataclass(frozen=True, eq=False)
class ModeratorModel:
    """One moderator in one model: common variance components, one set of rows.

    Attributes
    ----------
    moderator : str
    cells : pandas.DataFrame
        A row a level: `CELLS`; empty where the moderator is a number.
    slope : dict or None
        Of a number: ``coef, se, ci_low, ci_high, df, p, test``.
    f, df1, df2, p : float
        Test that the levels with two studies or more have one mean, or that the slope is 0; NaN
        where nothing is tested.
    test : str
        ``HTZ``, ``F`` or ``t``.
    reason : str
        Why nothing is tested, or empty.
    r2 : float
        Marginal R², a share.
    k, studies, left_out : int
        Rows and studies in the model, and rows without a value.
    sigma2 : dict
    fit : object
        The fitted model, to predict from.
    """

    moderator: str
    cells: pd.DataFrame
    slope: dict | None
    f: float
    df1: float
    df2: float
    p: float
    test: str
    reason: str
    r2: float
    k: int
    studies: int
    left_out: int
    sigma2: dict
    fit: object

    @property
    def tested(self):
        """Whether there is a test."""
        return not self.reason

    def line(self, at):
        """Expected effects at values of a number: ``x, estimate, ci_low, ci_high``."""
        if isinstance(self.fit, RegressionResult):
            found = self.fit.predict(pd.DataFrame({VALUE: at}))
        else:
            found = self.fit.predict(np.column_stack([np.ones(len(at)), at]))
        return found.assign(x=at)

    @property
    def p_moderators(self):
        """P of the test, as a `RegressionResult` calls it."""
        return self.p


def in_multilevel(moderator, values, effects, studies, options, why=""):
    """A moderator in the multilevel model.

    Parameters
    ----------
    moderator : helpers.review.description.Moderator
    values : pandas.Series
        Its values in the rows used.
    effects : pandas.DataFrame
        Their ``effect``.
    studies : pandas.Series
    options : dict
        Of `helpers.analysis.model.options`.
    why : str
        Why no test can rest on these values, if so.

    Returns
    -------
    ModeratorModel

    Raises
    ------
    ValueError
        Nothing can be estimated.
    """
    known = values.notna().to_numpy()
    rows = int(known.sum())
    facts = {"k": rows, "studies": studies[known].nunique(), "left_out": int((~known).sum())}
    if moderator.levels:
        found = moderator_levels(effects["effect"], by=values, **options)
        wald, fit = found.wald, found.result
        return ModeratorModel(
            moderator.id, found.table[list(CELLS)], None, wald.f, wald.df1, wald.df2, wald.p,
            wald.test, why or wald.reason, fit.r2 / 100, sigma2=fit.sigma2, fit=fit, **facts,
        )  # fmt: skip
    if values[known].nunique() < 2:
        raise ValueError("all rows have the same value")
    x = values.fillna(0).to_numpy(float)
    design = pd.DataFrame({"intercept": np.ones(len(x)), moderator.id: x})
    design.columns = ["intercept", "slope"]  # whatever the moderator is called
    fit = multilevel(effects["effect"], design=design, rows=known, **options)
    slope = fit.coefficients.set_index("term").loc["slope"].to_dict()
    wald = wald_test(fit, ["slope"])
    return ModeratorModel(
        moderator.id, pd.DataFrame(columns=list(CELLS)), slope, wald.f, wald.df1, wald.df2, wald.p,
        wald.test, why or wald.reason, fit.r2 / 100, sigma2=fit.sigma2, fit=fit, **facts,
    )  # fmt: skip


def in_random_effects(moderator, values, effects, studies, settings, why=""):
    """A moderator where rows are independent: one τ² for all levels, Hartung-Knapp, F(m, k - p).

    Parameters
    ----------
    moderator, values, effects, studies, why
        As in `in_multilevel`; `effects` with their ``variance``.
    settings : helpers.analysis.settings.Settings

    Returns
    -------
    ModeratorModel
    """
    known = values.notna()
    kept, name = values[known], VALUE
    pooling = {"method": settings.method, "interval": "hksj", "level": settings.level}
    size = kept.groupby(kept, observed=True).size() if moderator.levels else None
    facts = {
        "k": int(known.sum()),
        "studies": studies[known].nunique(),
        "left_out": int((~known).sum()),
    }

    def regress(rows):
        part = effects.loc[rows.index]
        frame = rows.astype(object if moderator.levels else float).to_frame(name)
        return meta_regression(
            part["effect"], variance=part["variance"], moderators=frame, **pooling
        )

    fit = regress(kept)
    cells, slope, tested = pd.DataFrame(columns=list(CELLS)), None, fit
    if moderator.levels:
        levels = [level for level in moderator.levels if level in size.index]
        cells = fit.predict(pd.DataFrame({name: pd.Series(levels, dtype=object)}))
        by = studies[known].groupby(kept, observed=True).nunique()
        cells = cells.assign(
            level=levels, k=[int(size[level]) for level in levels], test="hksj",
            studies=[int(by[level]) for level in levels], df=fit.k - len(levels),
        )  # fmt: skip
        cells["p"] = _p(cells)
        cells["in_test"] = (cells["k"] > 1) & (cells["studies"] > 1)
        cells = cells[list(CELLS)]
        inside = cells.loc[cells["in_test"], "level"]
        if len(inside) < 2:
            why = why or "fewer than two levels have more than one experiment and study"
        elif len(inside) < len(cells):
            tested = regress(kept[kept.isin(list(inside))])
    else:
        row = fit.coefficients.iloc[1]
        slope = {one: row[one] for one in ("coef", "se", "ci_low", "ci_high", "p")}
        slope |= {"df": fit.k - 2, "test": "hksj"}
    numbers = (tested.qm, tested.qm_df, tested.k - tested.qm_df - 1, tested.p_moderators)
    if why:
        numbers = (np.nan, tested.qm_df, np.nan, np.nan)
    return ModeratorModel(
        moderator.id, cells, slope, *numbers, "F", why, tested.r2,
        sigma2={models.EXPERIMENT: fit.tau2}, fit=fit, **facts,
    )  # fmt: skip


def thin_levels(values, study):
    """Levels of one experiment or of one study, with ``(experiments, studies)`` of each."""
    code, levels, pairs = _levels(values, study)
    rows, studies = np.bincount(code), np.bincount(pairs)
    return {levels[one]: (int(rows[one]), 1) for one in np.flatnonzero(studies == 1)}


def untestable(values, study):
    """Why no test can rest on these values, or nothing: what differs, differs by one study."""
    if len(study.unique()) == 1:
        return "all experiments come from one study"
    code, levels, pairs = _levels(values, study)
    if len(levels) < 2:
        return "fewer than two levels have two studies or more"
    study = study[values.notna()].to_numpy()
    usual = np.bincount(pairs).argmax()
    suspects = study if len(pd.unique(study)) == 2 else study[code != usual]
    for name in pd.unique(suspects)[:2]:
        if len(np.unique(code[study != name])) < 2:
            return f"without the study {name} all experiments have the same value"
    return ""


def _levels(values, study):
    """Level of each experiment that has one, the levels in order, and the level of each study there.

    A study with several levels is there once for each.
    """
    known = values.notna()
    code, levels = pd.factorize(values[known], sort=True)
    place, names = pd.factorize(study[known])
    size = max(len(names), 1)
    return code, levels, np.unique(code * size + place) // size


def _p(cells):
    return 2 * t_sf((cells["estimate"] / cells["se"]).abs(), cells["df"])


def add_in_one_model(analysis, moderator, options):
    """Add one moderator in the leading model; `options` are the multilevel model's, if it is one."""
    name, study = moderator.id, analysis.rows["study"]
    values = analysis.moderator_values.get(name)
    if values is None or values.notna().sum() == 0:
        return
    thick = values
    if moderator.levels:
        thin = thin_levels(values, study)
        if thin:
            analysis.thin_levels[name] = thin
            thick = values.where(~values.isin(list(thin)))
    arguments = moderator, values, analysis.effects, study
    why = untestable(thick, study)
    try:
        if options:
            found = in_multilevel(*arguments, options, why)
        else:
            found = in_random_effects(*arguments, analysis.settings, why)
    except ValueError as error:
        analysis.not_estimable[name] = str(error)
        if why:
            analysis.not_tested[name] = why
        return
    analysis.models[name] = found
    if found.tested:
        analysis.tested[name] = found
    else:
        analysis.not_tested[name] = found.reason


def add_level_by_level(analysis, moderator):
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
    if why := untestable(values, analysis.rows["study"]):
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
