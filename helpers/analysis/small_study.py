"""Small-study effects in one group of outcomes: tests, their power, and what may be said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.analysis.settings import EXPERIMENT, STUDY
from helpers.stats import small_study
from helpers.stats.multilevel import multilevel
from helpers.stats.nested.power import clustered_power
from helpers.stats.nested.small_study import doleman_clustered, size_regression, time_lag
from helpers.stats.pooling import pool
from helpers.stats.small_study import SmallStudyTest

LEAST = 10  # experiments below which no test is run
SUPPRESSED = 0.8  # share of non-significant results left unpublished in the simulation
REPLICATES = 500, 100  # simulated data sets, and the fewest where these hold many experiments
SIMULATED = 1_000_000  # effects in all of them; bounds time and memory
ALPHA = 0.05
SIZE, TIME_LAG = "multilevel size regression", "time lag"
# Tests that may decide, and what the simulation of power calls them.
VALID = {"Doleman": "doleman", "Pustejovsky-Rodgers": "pustejovsky", SIZE: "size"}
YEAR = re.compile(r"(pub(lication|lished)?_?)?year((_of)?_?pub(lication|lished)?)?")
YEARS = 1900, 2100  # a moderator called year that lies elsewhere counts something else


@dataclass(frozen=True, eq=False)
class Asymmetry:
    """Small-study tests of a group of outcomes.

    Attributes
    ----------
    rows : pandas.DataFrame
        Rows of all outcomes of the group; ``towards_benefit`` is the effect turned so that
        benefit is positive.
    tests : dict of SmallStudyTest
        Empty below 10 experiments.
    refused : tuple of str
        Why a test could not be run.
    power : pandas.DataFrame or None
        How often each test rejects for these group sizes, as `helpers.stats.small_study.power` says,
        or for these clusters, as `helpers.stats.nested.power.clustered_power`.
    dependence : {"", "model", "study"}
        Rows are independent; they depend on each other as the outcome's own multilevel model says;
        or, in a group of several outcomes, by random effects of study and experiment with
        independent sampling errors.
    """

    rows: pd.DataFrame
    tests: dict[str, SmallStudyTest] = field(default_factory=dict)
    power: pd.DataFrame | None = None
    refused: tuple[str, ...] = ()
    dependence: str = ""

    @property
    def k(self):
        """Number of experiments."""
        return len(self.rows)

    @property
    def directed(self):
        """Whether a side is benefit for all its outcomes."""
        return "better" not in self.rows or not (self.rows["better"] == "neither").any()


def of(analyses, seed, *, simulated=True):
    """Test a group of outcomes.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis
        Their effects are standardised; those of an outcome where less is better change sign.
    seed : int
        Of the simulation of power.
    simulated : bool
        False for the tests alone, without the simulation of their power.

    Returns
    -------
    Asymmetry
    """
    rows = pd.concat(
        analysis.table.assign(
            towards_benefit=analysis.measure.benefit(analysis.effects["effect"]),
            better=analysis.measure.better,
        )
        for analysis in analyses
    )
    others = dict.fromkeys(
        analysis.measure.label for analysis in analyses if not analysis.measure.standardised
    )
    if others:
        why = f"these tests are for standardised mean differences, not for {' and '.join(others)}"
        return Asymmetry(rows, refused=(why,))
    if len(rows) < LEAST or rows[["n_treated", "n_control", "mean_control"]].isna().any(axis=None):
        return Asymmetry(rows)
    options = _options(analyses, rows)
    if options:
        return _clustered(analyses, rows, options, seed, simulated)
    effect, variance = rows["towards_benefit"], rows["variance"]
    baseline = rows["mean_control"]
    sizes = {"n_treated": rows["n_treated"], "n_control": rows["n_control"]}
    tests, refused = {}, []
    for run in (
        lambda: small_study.doleman(effect, baseline=baseline, variance=variance, **sizes),
        lambda: small_study.pustejovsky(effect, **sizes),
        lambda: small_study.egger(effect, variance=variance),
    ):
        try:
            test = run()
            tests[test.test] = test
        except ValueError as error:
            refused.append(str(error))
    if not tests.keys() & VALID.keys():
        return Asymmetry(rows, refused=tuple(refused))
    if not simulated:
        return Asymmetry(rows, tests, refused=tuple(refused))
    pooled = pool(effect, variance=variance)
    power = small_study.power(
        *sizes.values(), baseline=baseline if "Doleman" in tests else None, mean=pooled.estimate,
        tau=np.sqrt(pooled.tau2), suppressed=SUPPRESSED, alpha=ALPHA, seed=seed,
        replicates=int(np.clip(SIMULATED // len(rows), *REPLICATES[::-1])),
        tests=("doleman", "pustejovsky", "egger"),
    )  # fmt: skip
    return Asymmetry(rows, tests, power, tuple(refused))


def _options(analyses, rows):
    """What the multilevel model takes besides the effects; empty where rows are independent."""
    first = analyses[0]
    if len(analyses) == 1:
        return dict(first.options)
    model = first.asked_model
    modelled = any(analysis.options for analysis in analyses)
    if model is None or not (modelled or rows[STUDY].duplicated().any()):
        return {}
    return {
        "levels": {STUDY: rows[STUDY], EXPERIMENT: None},
        "study": rows[STUDY],
        "test": model.test,
        "min_groups": model.min_groups,
        "level": first.settings.level,
        "variance": rows["variance"],
    }


def _clustered(analyses, rows, options, seed, simulated):
    """The tests of rows that depend on each other, with their power."""
    effect, baseline, year = rows["towards_benefit"], rows["mean_control"], years(analyses)
    sizes = {"n_treated": rows["n_treated"], "n_control": rows["n_control"]}
    runs = [
        lambda: size_regression(effect, **sizes, **options),
        lambda: doleman_clustered(effect, baseline=baseline, **sizes, **options),
    ]
    if year is not None:
        runs.append(lambda: time_lag(effect, year=year, **options))
    tests, refused, power = {}, [], None
    for run in runs:
        try:
            test = run()
            tests[test.test] = test
        except ValueError as error:
            refused.append(str(error))
    if simulated and tests.keys() & VALID.keys():
        try:
            power = clustered_power(
                multilevel(effect, **options),
                **sizes,
                baseline=baseline if "Doleman" in tests else None,
                suppressed=SUPPRESSED,
                alpha=ALPHA,
                replicates=int(np.clip(SIMULATED // len(rows), *REPLICATES[::-1])),
                seed=seed,
            )
            # It is that of the tests by CR2, and tells nothing of one by containment.
            robust = [VALID.get(n) for n, test in tests.items() if test.options["test"] == "cr2"]
            shares = ["false_alarms", "power", "error"]
            power.loc[~power["test"].isin(robust), shares] = np.nan
            if power["power"].isna().all():
                power = None
                refused.append("simulation of power, which is that of tests by CR2")
        except ValueError as error:
            refused.append(f"simulation of power: {error}")
    dependence = "model" if len(analyses) == 1 else "study"
    return Asymmetry(rows, tests, power, tuple(refused), dependence)


def years(analyses):
    """Years of publication of all rows, where a numeric moderator of that name has them."""
    values = pd.concat([analysis.moderator_values for analysis in analyses])
    for name, column in values.items():
        called = re.sub(r"[^a-z]+", "_", str(name).lower()).strip("_")
        known = column.dropna()
        if (
            YEAR.fullmatch(called)
            and pd.api.types.is_numeric_dtype(column)
            and len(known)
            and known.between(*YEARS).all()
        ):
            return column.astype(float)
    return None
