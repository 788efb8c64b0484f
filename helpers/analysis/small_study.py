"""Small-study effects in one group of outcomes: tests, their power, and what may be said."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.stats import small_study
from helpers.stats.pooling import pool
from helpers.stats.small_study import SmallStudyTest

LEAST = 10  # experiments below which no test is run
SUPPRESSED = 0.8  # share of non-significant results left unpublished in the simulation
REPLICATES = 500, 100  # simulated data sets, and the fewest where these hold many experiments
SIMULATED = 1_000_000  # effects in all of them; bounds time and memory
ALPHA = 0.05
VALID = {"Doleman": "doleman", "Pustejovsky-Rodgers": "pustejovsky"}


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
        How often each test rejects for these group sizes, as `helpers.stats.small_study.power` says.
    """

    rows: pd.DataFrame
    tests: dict[str, SmallStudyTest] = field(default_factory=dict)
    power: pd.DataFrame | None = None
    refused: tuple[str, ...] = ()

    @property
    def k(self):
        """Number of experiments."""
        return len(self.rows)


def of(analyses, seed):
    """Test a group of outcomes.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis
        Their effects are standardised; those of an outcome where less is better change sign.
    seed : int
        Of the simulation of power.

    Returns
    -------
    Asymmetry
    """
    rows = pd.concat(
        analysis.table.assign(towards_benefit=analysis.measure.benefit(analysis.effects["effect"]))
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
    pooled = pool(effect, variance=variance)
    power = small_study.power(
        *sizes.values(), baseline=baseline if "Doleman" in tests else None, mean=pooled.estimate,
        tau=np.sqrt(pooled.tau2), suppressed=SUPPRESSED, alpha=ALPHA, seed=seed,
        replicates=int(np.clip(SIMULATED // len(rows), *REPLICATES[::-1])),
        tests=("doleman", "pustejovsky", "egger"),
    )  # fmt: skip
    return Asymmetry(rows, tests, power, tuple(refused))
