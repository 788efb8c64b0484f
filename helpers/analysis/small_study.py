"""Small-study effects in one group of outcomes: tests, their power, and what may be said."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.stats import small_study
from helpers.stats.pooling import pool
from helpers.stats.small_study import SmallStudyTest
from helpers.words.sentences import count, listing, p_phrase, percent

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
        why = f"these tests are for standardised mean differences, not for {listing(others)}"
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


def table(found, printed=None):
    """Tests beside their power and the printed p, a row a test."""
    rows = []
    power = found.power.set_index("test")
    for name, test in found.tests.items():
        chance = power.loc[VALID.get(name, name.lower())]
        rows.append(
            {
                "test": name,
                "regressed on": test.predictor,
                "t": test.statistic,
                "df": test.df,
                "p": test.p,
                "rejects with nothing suppressed": chance["false_alarms"],
                f"rejects with {percent(100 * SUPPRESSED, 0)} suppressed": chance["power"],
                "valid for SMDs": "yes" if name in VALID else "no",
                "printed p": printed if name == "Doleman" else None,
            }
        )
    return pd.DataFrame(rows)


def words(found, printed=None):
    """What the tests say, and what they cannot say."""
    quoted = f" The article prints p = {printed}." if printed else ""
    if found.k < LEAST:
        return (
            f"{count(found.k, 'experiment')}: no test for small-study effects was run, because "
            f"below {LEAST} a test says nothing either way.{quoted}"
        )
    if not found.tests:
        why = "; ".join(found.refused) or "group sizes or control means are missing"
        return f"No test for small-study effects was run: {why}.{quoted}"
    valid = {name: found.tests[name] for name in VALID if name in found.tests}
    rejected = [name for name, test in valid.items() if test.p < ALPHA]
    said = listing(f"{name} {p_phrase(test.p)}" for name, test in valid.items())
    power = found.power.set_index("test").loc[[VALID[name] for name in valid], "power"]
    replicates = found.power["replicates"].iloc[0]
    chance = listing(percent(100 * value, 0) for value in power)
    if rejected:
        meaning = (
            f"By {listing(rejected)} effects depend on sample size; unpublished results of small "
            "experiments are one explanation among several."
        )
    else:
        meaning = "That shows neither that effects depend on sample size nor that they do not."
    return (
        f"{said}. {meaning} In {replicates} simulated data sets with these group sizes, this mean "
        f"and this heterogeneity, and with {percent(100 * SUPPRESSED, 0)} of the non-significant "
        f"results unpublished, {'they' if len(valid) > 1 else 'it'} would reject in {chance}: "
        + (
            "a large p would therefore not show that all results were published."
            if power.max() < 0.5
            else "a large p would carry some weight, without showing that all were published."
        )
        + "".join(f" Not run: {why}." for why in found.refused)
        + quoted
    )
