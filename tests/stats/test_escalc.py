"""Measures beyond means: events, spread, tests, ratios of survival, correlations.

Held against metafor's `escalc` and R's own tests by `reference/measures.json`, which
`reference/measures.R` wrote.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import pytest

from helpers.stats.binary import binary_effects
from helpers.stats.conversions import sd_of_change
from helpers.stats.effects import average_smd, effect_sizes
from helpers.stats.reported import correlations, own_effects, smd_from_tests, survival_ratios

FOLDER = pathlib.Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((FOLDER / "measures.json").read_text())
COUNTS = pd.DataFrame(REFERENCE["binary"]["data"])
GROUPS = pd.DataFrame(REFERENCE["groups"]["data"])
TESTS = pd.DataFrame(REFERENCE["tests"]["data"])


def agrees(found, expected):
    for name in ("effect", "variance"):
        expectation = np.array(expected[name], dtype=float)
        np.testing.assert_allclose(found[name], expectation, rtol=1e-11, atol=1e-14, err_msg=name)
    np.testing.assert_allclose(found["se"], np.sqrt(found["variance"]))


# ----------------------------------------------------------------------------------------- events


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_events(measure):
    found = binary_effects(COUNTS, measure=measure)
    agrees(found, REFERENCE["binary"][measure])
    left_out = {"OR": [3, 4], "RR": [3], "RD": []}[measure]
    assert found.index[found["effect"].isna()].tolist() == left_out
    assert (found.loc[left_out, "note"] != "").all()


def test_added_halves_are_listed_and_only_where_a_cell_is_empty():
    found = binary_effects(COUNTS, measure="RR")
    added = found["note"].str.startswith("0.5 added")
    assert found.index[added].tolist() == [4, 5, 6, 7]
    assert found["note"][3] == "no event in either group"
    assert (found["note"][[0, 1, 2, 8]] == "").all()
    assert "the event in every animal" in binary_effects(COUNTS, measure="OR")["note"][4]
    # The difference is the one that was seen.
    assert binary_effects(COUNTS, measure="RD")["effect"][7] == -1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"events_treated": 11}, "not between 0"),
        ({"events_control": -1}, "not between 0"),
        ({"n_treated": np.nan}, "missing"),
        ({"events_treated": 0, "n_treated": 0}, "without animals"),
    ],
)
@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_impossible_counts_have_no_effect(change, words, measure):
    found = binary_effects(COUNTS[:1].assign(**change), measure=measure).iloc[0]
    assert np.isnan(found["effect"]) and words in found["note"]


def test_events_refuse_what_is_not_known():
    with pytest.raises(ValueError, match="measure is one of OR, RR, RD"):
        binary_effects(COUNTS, measure="HR")
    with pytest.raises(ValueError, match="missing: n_control"):
        binary_effects(COUNTS.drop(columns="n_control"))


# -------------------------------------------------------------------- spread and the average effect


@pytest.mark.parametrize("measure", ["VR", "CVR"])
def test_spread(measure):
    agrees(effect_sizes(GROUPS, measure=measure), REFERENCE["groups"][measure])


@pytest.mark.parametrize(
    ("measure", "change"),
    [("VR", {"sd_control": 0.0}), ("CVR", {"mean_treated": -2.0}), ("VR", {"n_treated": 1}),
     ("CVR", {"mean_treated": -2.0, "mean_control": -3.0})],
)  # fmt: skip
def test_spread_that_is_undefined_is_refused(measure, change):
    with pytest.raises(ValueError, match=f"{measure} is undefined.*row\\(s\\) 0"):
        effect_sizes(GROUPS[:1].assign(**change), measure=measure)


def test_variance_at_the_average_effect():
    agrees(effect_sizes(GROUPS, variance="average"), REFERENCE["groups"]["average"])
    three = effect_sizes(GROUPS[:3], variance="average")
    agrees(three, REFERENCE["groups"]["average_of_three"])
    # metafor, written out by hand beforehand
    assert three["variance"].tolist() == pytest.approx([0.6078107, 0.4558581, 0.3844653], abs=5e-8)
    # A part of the rows takes the average of all of them.
    average = average_smd(GROUPS)
    part = effect_sizes(GROUPS[3:], variance="average", average=average)
    whole = REFERENCE["groups"]["average"]["variance"]
    np.testing.assert_allclose(part["variance"], whole[3:], rtol=1e-12)


def test_the_average_is_taken_after_the_sign_and_without_rows_that_bring_an_effect():
    turned = GROUPS[:3].assign(sign=[1, -1, 1])
    g, n = np.array([1.8454913, 2.5674951, 3.0213097]), np.array([12, 16, 19])
    g[1] *= -1
    assert average_smd(turned) == pytest.approx((g * n).sum() / n.sum(), rel=1e-4)
    own = GROUPS[:4].assign(effect=[np.nan] * 3 + [9.0], se=[np.nan] * 3 + [0.5])
    own.loc[3, "n_treated"] = np.nan
    assert average_smd(own) == average_smd(GROUPS[:3])
    found = effect_sizes(own, variance="average")
    assert found.loc[3, ["effect", "variance"]].tolist() == [9.0, 0.25]
    assert np.isnan(average_smd(own[3:]))


def test_a_shared_control_keeps_whole_groups_beside_the_average():
    whole = GROUPS[:3]
    split = whole.assign(n_control_split=whole["n_control"] / 2)
    average = average_smd(split)
    found = effect_sizes(split, variance="average")["variance"]
    n1, n2 = whole["n_treated"], whole["n_control"]
    np.testing.assert_allclose(found, 1 / n1 + 2 / n2 + average**2 / (2 * (n1 + n2)), rtol=1e-14)


# ------------------------------------------------------------------------------ what papers report


@pytest.mark.parametrize("variance", ["metafor", "unbiased", "average"])
@pytest.mark.parametrize("given", ["t", "f", "p"])
def test_smd_from_a_test_is_that_of_the_raw_animals(given, variance):
    columns = ["n_treated", "n_control", given] + ["direction"] * (given != "t")
    found = smd_from_tests(TESTS[columns], variance=variance)
    agrees(found, REFERENCE["tests"][variance])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"p": 0.03}, "direction"),
        ({"p": 0.0, "direction": 1}, "p is not above 0"),
        ({"p": 1.2, "direction": 1}, "p is not above 0"),
        ({"f": -2.0, "direction": 1}, "F is below 0"),
        ({"f": 4.0, "direction": 2}, "direction"),
        ({"direction": 1}, "neither t nor F nor p"),
        ({"t": 2.0, "n_control": np.nan}, "sizes"),
    ],
)
def test_a_test_that_tells_no_effect_is_listed(row, words):
    table = pd.DataFrame([{"n_treated": 6, "n_control": 6} | row, {"n_treated": 6, "n_control": 6,
                         "t": 2.0}])  # fmt: skip
    found = smd_from_tests(table)
    assert np.isnan(found["effect"][0]) and words in found["note"][0]
    assert found["effect"][1] == pytest.approx(0.9227456 * 2 / np.sqrt(3))  # J of 10 df


def test_sd_of_a_change():
    table = pd.DataFrame(REFERENCE["changes"])
    found = sd_of_change(table["sd_baseline"], table["sd_follow_up"], r=table["r"])
    np.testing.assert_allclose(found, table["sd"], rtol=1e-12)
    assert sd_of_change(0.1, 0.1, r=1.0) == 0
    with pytest.raises(ValueError, match="between -1 and 1"):
        sd_of_change(1.0, 1.0, r=1.1)


def test_correlations():
    part = REFERENCE["correlations"]
    agrees(correlations(pd.DataFrame(part["data"])), part["ZCOR"])
    odd = correlations(pd.DataFrame({"r": [1.0, 0.5, np.nan], "n": [9, 3, 9]}))
    assert odd["effect"].isna().all()
    assert odd["note"].tolist() == [
        "r is not between -1 and 1", "n is not above 3", "r or n is missing",
    ]  # fmt: skip


def test_hazard_ratios_with_their_interval():
    """The logarithm's standard error is (ln 0.86 - ln 0.55) / (2 · 1.96) = 0.11402."""
    table = pd.DataFrame({"effect": [0.69], "ci_low": [0.55], "ci_high": [0.86]})
    found = own_effects(table, ratio=True).iloc[0]
    assert found["effect"] == pytest.approx(np.log(0.69))
    assert found["se"] == pytest.approx(0.114033, abs=5e-6) and found["note"] == ""
    wide = own_effects(table, ratio=True, level=0.9).iloc[0]
    assert wide["se"] == pytest.approx(np.log(0.86 / 0.55) / (2 * 1.6448536))


def test_own_effects_by_variance_or_standard_error():
    table = pd.DataFrame({"effect": [0.5, -1.0, 2.0], "variance": [0.04, np.nan, np.nan],
                          "se": [np.nan, 0.3, np.nan], "ci_low": [np.nan, np.nan, 1.0],
                          "ci_high": [np.nan, np.nan, 3.0]})  # fmt: skip
    found = own_effects(table)
    assert found["effect"].tolist() == [0.5, -1.0, 2.0]
    assert found["se"].tolist() == pytest.approx([0.2, 0.3, 1 / 1.959964])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "neither a variance"),
        ({"ci_low": 0.2}, "neither a variance"),
        ({"ci_low": 0.9, "ci_high": 0.2}, "wrong way round"),
        ({"ci_low": 0.7, "ci_high": 0.9}, "outside its interval"),
        ({"se": -0.1}, "not above 0"),
        ({"variance": 0.3, "se": 0.3}, "not the square"),
        ({"effect": np.nan, "se": 0.1}, "effect is missing"),
    ],
)
def test_own_effects_that_cannot_be_right_are_listed(row, words):
    found = own_effects(pd.DataFrame([{"effect": 0.5} | row])).iloc[0]
    assert np.isnan(found["effect"]) and words in found["note"]


def test_a_ratio_in_a_scale_that_is_not_that_of_a_ratio_is_seen():
    negative = pd.DataFrame({"effect": [-0.37], "ci_low": [-0.6], "ci_high": [-0.15]})
    assert "not above 0" in own_effects(negative, ratio=True)["note"][0]
    # A hazard ratio taken for a plain effect: its interval is lopsided.
    lopsided = pd.DataFrame({"effect": [0.4], "ci_low": [0.1], "ci_high": [1.6]})
    assert "not the interval's middle" in own_effects(lopsided)["note"][0]
    assert own_effects(lopsided, ratio=True)["note"][0] == ""


def test_ratios_of_median_survival():
    table = pd.DataFrame(
        {"median_treated": [30.0, 20.0, 15.0, np.nan], "median_control": [20.0, 20.0, 0.0, 9.0],
         "deaths_treated": [8, np.nan, 8, 8], "deaths_control": [10, np.nan, 9, 9],
         "n_treated": [10, 6, 8, 8], "n_control": [10, 7, 9, 9]}
    )  # fmt: skip
    found = survival_ratios(table)
    assert found["effect"][0] == pytest.approx(np.log(1.5))
    assert found["variance"][:2].tolist() == pytest.approx([1 / 8 + 1 / 10, 1 / 6 + 1 / 7])
    assert "animals in place of the deaths" in found["note"][1] and found["note"][0] == ""
    assert found["effect"][2:].isna().all() and "not above 0" in found["note"][2]


def test_the_reference_names_its_versions():
    readme = (FOLDER / "README.md").read_text()
    assert all(version in readme for version in REFERENCE["versions"].values())
