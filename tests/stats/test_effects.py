"""Effect sizes: worked values, formulas, and what is refused."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from helpers.stats.effects import VARIANCES, effect_sizes, small_sample_factor, undefined

ROW = {
    "n_treated": 6, "mean_treated": 2.5, "sd_treated": 1.0,
    "n_control": 6, "mean_control": 0.0, "sd_control": 1.0,
}  # fmt: skip


def table(**changes):
    return pd.DataFrame([ROW | changes], index=["a"])


# Worked by hand and in metafor 3.8 (escalc with vtype LS and UB) for n 6/6, d = 2.5.
@pytest.mark.parametrize(
    ("correction", "variance", "effect", "se"),
    [
        ("exact", "metafor", 2.306864, 0.7450286),
        ("exact", "unbiased", 2.306864, 0.8092929),
        ("approximate", "stata", 2.307692, 0.7113),
    ],
)
def test_worked_values(correction, variance, effect, se):
    found = effect_sizes(table(), correction=correction, variance=variance).loc["a"]
    assert found["effect"] == pytest.approx(effect, abs=5e-7)
    assert found["se"] == pytest.approx(se, abs=5e-5)
    assert found["variance"] == pytest.approx(found["se"] ** 2)


def test_weights_differ_by_formula_as_documented():
    weights = {
        v: 1 / effect_sizes(table(), correction="approximate", variance=v)["variance"].item()
        for v in ("stata", "metafor", "revman")
    }
    assert weights == pytest.approx({"stata": 1.98, "metafor": 1.80, "revman": 1.51}, abs=0.006)


def test_exact_factor_against_its_integral_values():
    # Γ(1)/(√1 Γ(1/2)) at m = 2, and Γ(5)/(√5 Γ(9/2)) at m = 10.
    assert small_sample_factor(2) == pytest.approx(1 / np.sqrt(np.pi))
    assert small_sample_factor(10) == pytest.approx(0.9227456, abs=5e-8)


def test_other_measures_by_hand():
    row = table(mean_treated=6.0, mean_control=4.0, sd_treated=2.0, sd_control=1.0, n_control=5)
    found = {m: effect_sizes(row, measure=m).loc["a"] for m in ("GLASS", "MD", "ROM")}
    assert found["GLASS"]["effect"] == 2.0
    assert found["GLASS"]["variance"] == pytest.approx(1 / 6 + 1 / 5 + 4 / 8)
    assert found["MD"]["variance"] == pytest.approx(4 / 6 + 1 / 5)
    assert found["ROM"]["effect"] == pytest.approx(np.log(1.5))
    assert found["ROM"]["variance"] == pytest.approx(4 / (6 * 36) + 1 / (5 * 16))
    pooled = effect_sizes(row, measure="MD", variance="stata").loc["a", "variance"]
    assert pooled == pytest.approx((5 * 4 + 4 * 1) / 9 * (1 / 6 + 1 / 5))


def test_normalised_difference_is_benefit_whatever_the_direction():
    # Uninjured 21, control 9, treated 15: half the way; and the mirror image for a damage scale.
    row = table(mean_treated=15.0, mean_control=9.0).assign(mean_reference=21.0)
    mirrored = table(mean_treated=-15.0, mean_control=-9.0).assign(mean_reference=-21.0)
    for rows in (row, mirrored):
        found = effect_sizes(rows, measure="NMD").loc["a"]
        assert found["effect"] == pytest.approx(50)
        scale = (100 / 12) ** 2
        assert found["variance"] == pytest.approx(scale * (1 / 6 + 0.25 / 6))
    known = effect_sizes(row, measure="NMD", variance="conventional").loc["a", "variance"]
    assert known == pytest.approx(scale * (1 / 6 + 1 / 6))


def test_measured_reference_adds_its_own_error():
    row = table(mean_treated=15.0, mean_control=9.0)
    row = row.assign(mean_reference=21.0, sd_reference=2.0, n_reference=8)
    found = effect_sizes(row, measure="NMD").loc["a", "variance"]
    assert found == pytest.approx((100 / 12) ** 2 * (1 / 6 + 0.25 / 6 + 0.25 * 4 / 8))


def test_split_control_enters_factor_and_variance_but_not_the_sd():
    row = table(sd_control=2.0)
    whole = effect_sizes(row, correction="none")
    split = effect_sizes(row.assign(n_control_split=3.0), correction="none")
    assert split["effect"].item() == whole["effect"].item()
    expected = 1 / 6 + 1 / 3 + whole["effect"].item() ** 2 / 18
    assert split["variance"].item() == pytest.approx(expected)
    exact = effect_sizes(row.assign(n_control_split=3.0))["effect"].item()
    assert exact == pytest.approx(small_sample_factor(7) * whole["effect"].item())


def test_too_small_a_share_keeps_the_full_factor():
    row = table(n_treated=2, n_control=3)
    split = effect_sizes(row.assign(n_control_split=1.5))["effect"].item()
    assert split == effect_sizes(row)["effect"].item()


def test_rows_may_bring_their_own_effect():
    rows = pd.concat([table(), table(n_treated=np.nan)], ignore_index=True)
    rows["effect"], rows["se"] = [np.nan, -1.5], [np.nan, 0.5]
    found = effect_sizes(rows)
    assert found.loc[1].tolist() == [-1.5, 0.25, 0.5]
    assert found.loc[0, "effect"] == pytest.approx(2.306864, abs=5e-7)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sd_treated": 0.0, "sd_control": 0.0}, "SMD is undefined"),
        ({"sd_treated": -1.0}, "sd_treated is negative"),
        ({"n_treated": 0}, "n_treated is below 1"),
        ({"n_treated": 1, "n_control": 1}, "n_treated \\+ n_control - 2 is below 1"),
        ({"mean_control": np.nan}, "mean_control is missing"),
    ],
)
def test_refusals_name_the_row(changes, words):
    with pytest.raises(ValueError, match=words + r".* in row\(s\) a"):
        effect_sizes(table(**changes))


def test_one_degree_of_freedom_is_refused_by_every_formula():
    row = table(n_treated=2, n_control=1)
    for correction, variance in product(("exact", "approximate"), VARIANCES):
        with pytest.raises(ValueError, match="SMD is undefined"):
            effect_sizes(row, correction=correction, variance=variance)


def test_one_sd_of_zero_is_no_reason_to_refuse():
    assert np.isfinite(effect_sizes(table(sd_control=0.0))["effect"].item())


@pytest.mark.parametrize("option", ["measure", "correction", "variance"])
def test_unknown_options_are_refused(option):
    with pytest.raises(ValueError, match="is one of"):
        effect_sizes(table(), **{option: "nonsense"})


@pytest.mark.parametrize(
    ("measure", "rows", "reasons"),
    [
        ("ROM", {"a": {"mean_control": 2.0}, "b": {"mean_control": 0.0}, "c": {"mean_control": -1.0},
                 "d": {"mean_control": -1.0, "mean_treated": -2.0}},
         ["", "both means must be above 0", "both means must be above 0",
          "both means must be above 0"]),
        ("GLASS", {"a": {}, "b": {"sd_control": 0.0}}, ["", "SD of the control group"]),
        ("SMD", {"a": {"n_treated": 1, "n_control": 1}, "b": {}, "c": {"n_treated": 1, "n_control": 2},
                 "d": {"sd_treated": 0.0, "sd_control": 0.0}, "e": {"sd_treated": np.nan}},
         ["n_treated + n_control - 2 is below 1", "", "SMD is undefined", "SMD is undefined",
          "sd_treated is missing"]),
        ("NMD", {"a": {"mean_reference": 21.0}, "b": {"mean_reference": 0.0}},
         ["", "mean_reference equals mean_control"]),
        ("MD", {"a": {"effect": 1.0, "se": 0.5, "sd_treated": np.nan}, "b": {}}, ["", ""]),
    ],
)  # fmt: skip
def test_each_row_without_an_effect_has_its_reason(measure, rows, reasons):
    table = pd.DataFrame([ROW | changes for changes in rows.values()], index=list(rows))
    found = undefined(table, measure=measure)
    for said, words in zip(found, reasons, strict=True):
        assert words in said and bool(said) == bool(words)
    assert effect_sizes(table[found == ""], measure=measure).notna().all(axis=None)


def test_of_two_negative_means_no_ratio_is_taken():
    # ln(-15.26 / -11.21) = 0.31 would say more where there is less
    # (`effect_sizes` takes it as metafor does; an analysis lists the row)
    found = undefined(table(mean_treated=-15.26, mean_control=-11.21), measure="ROM")
    assert "both means must be above 0" in found.iloc[0]
