"""Power and assurance, held against R and against simulated experiments."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from helpers.stats.planning.assurance import MOST, animals, assurance, assurance_limit

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "planning.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", REFERENCE["power"], ids=str)
def test_power_and_its_animals_are_those_of_r(case):
    assert animals(mean=case["delta"]) == animals(mean=-case["delta"]) == case["n"]
    assert assurance(case["n"], mean=case["delta"]) == pytest.approx(case["power"], abs=1e-6)


@pytest.mark.parametrize("case", REFERENCE["assurance"], ids=str)
def test_assurance_is_the_integral_that_r_finds(case):
    true = {name: case[name] for name in ("mean", "scale", "df")}
    assert assurance(case["n"], **true) == pytest.approx(case["assurance"], abs=2e-5)
    mirrored = true | {"mean": -true["mean"]}
    assert assurance(case["n"], **mirrored) == pytest.approx(assurance(case["n"], **true))


def test_the_fewest_animals_reach_the_target_and_one_less_does_not():
    true = {"mean": 1.2, "scale": 0.9, "df": 20}
    n = animals(**true)
    assert assurance(n - 1, **true) < 0.8 <= assurance(n, **true)
    assert animals(**true, target=0.85) > n


def test_assurance_nears_its_limit_and_never_passes_it():
    true = {"mean": 0.6, "scale": 0.7, "df": 5}
    limit = assurance_limit(**true)
    assert limit == pytest.approx(stats.t.cdf(0.6 / 0.7, 5))
    grown = assurance(np.array([2, 10, 100, MOST, 10**6]), **true)
    assert (np.diff(grown) > 0).all() and grown[-1] < limit
    assert grown[-1] == pytest.approx(limit, abs=0.002)
    assert animals(**true) is None


def test_no_animals_where_the_true_effect_is_nothing():
    assert animals(mean=0.0) is None
    assert assurance_limit(mean=0.0, scale=0.0, df=np.inf) == 0.5
    assert assurance_limit(mean=0.0, scale=1.0, df=4) == 0.5
    assert assurance_limit(mean=-2.0, scale=0.0, df=4) == 1.0


def test_one_animal_a_group_is_no_t_test():
    with pytest.raises(ValueError, match="at least 2"):
        assurance(1, mean=1.0)


def simulated(rng, replicates, n, mean, scale, df):
    """Share of experiments significant on the side of the mean, from animals on."""
    true = mean + scale * stats.t.rvs(df, size=replicates, random_state=rng)
    treated = rng.normal(true[:, None], 1, (replicates, n))
    control = rng.normal(0, 1, (replicates, n))
    found = stats.ttest_ind(treated, control, axis=1)
    return np.mean((found.pvalue < 0.05) & (np.sign(found.statistic) == np.sign(mean)))


CASES = [(9, 2.31, 1.38, 70), (4, -1.1, 0.9, 3), (15, 0.6, 0.5, 8), (30, 0.3, 0.6, 1)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_assurance_is_what_simulated_animals_give(case):
    n, mean, scale, df = case
    share = simulated(np.random.default_rng(7), 4_000, *case)
    assert assurance(n, mean=mean, scale=scale, df=df) == pytest.approx(share, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_assurance_is_within_half_a_point_of_100_000_experiments(case):
    n, mean, scale, df = case
    share = simulated(np.random.default_rng(11), 100_000, *case)
    found = assurance(n, mean=mean, scale=scale, df=df)
    print(f"assurance {100 * found:.2f}%, simulated {100 * share:.2f}%")
    assert found == pytest.approx(share, abs=0.005)
