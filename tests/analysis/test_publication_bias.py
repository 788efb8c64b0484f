"""Analyses of unpublished results: told with how often they err, and not below ten experiments."""

import numpy as np
import pytest
import simulation

from helpers import Report
from helpers.analysis.robustness.publication_bias import FALSE_ALARMS, of
from helpers.stats.effects import small_sample_factor
from helpers.stats.publication_bias import excess_significance, selection_model, trim_and_fill


@pytest.fixture(scope="module")
def inflammation():
    return Report("inflammation", outcomes=["il_6", "il_18", "tnf_a", "il_1b"])


def test_the_table_says_what_each_finds(inflammation):
    analysis = inflammation.analyses["tnf_a"]
    found, effects = of(analysis), analysis.effects
    data = {"effect": effects["effect"], "variance": effects["variance"]}
    assert found.trim_and_fill.k0 == trim_and_fill(**data).k0 > 0
    # Less TNF-α is better: results are published more readily below 0.
    assert found.selection.delta == selection_model(**data, alternative="less").delta
    assert found.excess.p == excess_significance(**data).p
    shown = inflammation.outcome("tnf_a").publication_bias()
    for text in (
        "none of them decides",
        "88%",
        "27%",
        f"{found.trim_and_fill.k0} experiments imputed",
    ):
        assert text in shown.text
    rows = shown.data["csv"].splitlines()
    assert len(rows) == 4 and rows[0].endswith("provenance")
    kept = inflammation.content["outcomes"]["tnf_a"]["planning"]["publication_bias"]
    assert kept[0]["imputed"] == found.trim_and_fill.k0 and kept[1]["p"] == found.selection.p


def test_none_is_run_below_ten_experiments(inflammation):
    assert len(inflammation.analyses["il_18"].rows) < 10
    assert of(inflammation.analyses["il_18"]) is None
    assert inflammation.outcome("il_18").publication_bias() is None
    assert inflammation.content["outcomes"]["il_18"]["planning"]["publication_bias"] == []


def test_a_variance_at_the_average_errs_less():
    chosen = Report("inflammation", outcomes=["il_1b"], variance="average")
    found = of(chosen.analyses["il_1b"])
    assert found.false_alarms == FALSE_ALARMS[False]
    assert "this variance formula" in chosen.outcome("il_1b").publication_bias().text
    ratio = Report("inflammation", outcomes=["il_1b"], measure="ROM")
    assert of(ratio.analyses["il_1b"]).false_alarms == {}
    assert "was not simulated" in ratio.outcome("il_1b").publication_bias().text


def test_without_a_selection_model_the_table_says_why():
    report = Report("histology", outcomes=["gfap"])
    found = of(report.analyses["gfap"])
    if found.selection is None:
        assert found.selection_note in report.outcome("gfap").publication_bias().text
    assert (found.selection is None) == bool(found.selection_note)


@pytest.mark.slow
@pytest.mark.parametrize("contains_effect", [True, False])
def test_false_alarms_are_those_of_simulated_reviews(contains_effect):
    rng, replicates = np.random.default_rng(5), 400
    alarms = {name: 0 for name in FALSE_ALARMS[True]}
    for _ in range(replicates):
        n1, n2, d, *_ = simulation.reviews(rng, 30, False)
        n, kind = n1 + n2, "approximate" if contains_effect else "exact"
        g = small_sample_factor(n - 2, kind) * d
        at = d**2 if contains_effect else np.average(g, weights=n) ** 2
        v = 1 / n1 + 1 / n2 + at / (2 * n)
        v *= small_sample_factor(n - 2, kind) ** 2 if contains_effect else 1
        alarms["trim_and_fill"] += trim_and_fill(g, variance=v).k0 > 0
        alarms["selection"] += selection_model(g, variance=v).p < 0.05
        alarms["excess"] += excess_significance(g, variance=v).p < 0.05
    for name, count in alarms.items():
        share = FALSE_ALARMS[contains_effect][name]
        print(f"{name}: {count / replicates:.3f}, said {share}")
        assert count / replicates == pytest.approx(share, abs=0.015), name
