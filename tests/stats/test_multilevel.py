"""The multilevel model, against metafor and clubSandwich and against full matrices."""

import json
import pathlib

import numpy as np
import pandas as pd
import pytest

from helpers.stats.mixed_model.likelihood import Likelihood
from helpers.stats.mixed_model.sampling import constant_covariance, sampling
from helpers.stats.multilevel import moderator_levels, multilevel, wald_test

FOLDER = pathlib.Path(__file__).parents[1] / "reference"
PINNED = json.loads((FOLDER / "multilevel.json").read_text())
CASES = PINNED["cases"]
REFERENCE = json.loads((FOLDER / "reference.json").read_text())


def paths(levels):
    """The label of each row's group at each level, with those of the outer levels in it."""
    found, outer = {}, [""] * len(next(iter(levels.values())))
    for name, labels in levels.items():
        outer = [f"{a}/{b}" for a, b in zip(outer, labels, strict=True)]
        found[name] = outer
    return found


def fitted(case, **options):
    levels = dict(case["levels"])
    path = paths(levels)
    if case["within"] == "none":
        errors = {"variance": case["vi"]}
    else:
        blocks, code = constant_covariance(case["vi"], within=path[case["within"]], rho=case["rho"])
        errors = {"covariance": blocks, "cluster": code}
    if case["row"]:
        levels["row"] = None
    x = None if case["x"] is None else np.array(case["x"])
    study = next(iter(path.values()))  # the clusters of the script
    return multilevel(
        case["yi"], levels=levels, study=study, design=x, min_groups=1, **errors, **options
    )  # fmt: skip


# --------------------------------------------------------------------------- metafor, clubSandwich


def test_pinned_layouts_hold_every_kind():
    assert len(CASES) >= 60
    assert {len(case["levels"]) + case["row"] for case in CASES} >= {1, 2, 3, 4, 5}
    assert {case["within"] for case in CASES} > {"none", "strain", "study", "experiment"}
    assert {153, 331} <= {case["seed"] for case in CASES}  # a level that is one row
    assert sum(case["x"] is not None for case in CASES) >= 20
    assert sum("htz" in case for case in CASES) >= 20 and sum("pi" in case for case in CASES) >= 10
    # An outer group's V over several inner groups: blocks, not the recursion alone.
    assert any(case["within"] == next(iter(case["levels"])) for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["seed"]))
def test_layout_agrees_with_rma_mv(case):
    got, by_df = fitted(case), fitted(case, test="contain")
    scale = np.std(case["yi"])
    assert got.loglik >= case["loglik"] - 1e-9
    assert got.loglik == pytest.approx(case["loglik"], abs=1e-6)
    sigma2 = list(got.sigma2.values())
    assert list(got.groups.values()) == np.atleast_1d(case["groups"]).tolist()
    assert sigma2 == pytest.approx(np.atleast_1d(case["sigma2"]), rel=1e-6, abs=1e-6 * scale**2)
    # On the boundary the logarithms of R's optimiser end near 0, here they end at it.
    assert all(
        s == 0 for s, r in zip(sigma2, np.atleast_1d(case["sigma2"]), strict=True) if r < 1e-9
    )
    table = by_df.coefficients
    assert table["coef"].to_numpy() == pytest.approx(np.atleast_1d(case["beta"]), abs=1e-6 * scale)
    assert table["se"].to_numpy() == pytest.approx(np.atleast_1d(case["se"]), rel=1e-6)
    assert table["df"].tolist() == np.atleast_1d(case["df"]).tolist()
    assert table["p"].to_numpy() == pytest.approx(np.atleast_1d(case["p"]), rel=1e-5, abs=1e-9)
    assert (got.q, got.p_heterogeneity) == pytest.approx((case["q"], case["q_p"]), rel=1e-8)
    if "pi" in case:
        assert (by_df.pi_low, by_df.pi_high) == pytest.approx(case["pi"], abs=1e-6 * scale)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["seed"]))
def test_layout_agrees_with_club_sandwich(case):
    got = fitted(case)
    robust, back = got.fit.sandwich, got.fit.model.back
    se = np.sqrt(np.diag(back @ robust.covariance() @ back.T))
    df = [robust.df(row) for row in back]
    assert se == pytest.approx(np.atleast_1d(case["cr2_se"]), rel=1e-6, abs=1e-9)
    assert df == pytest.approx(np.atleast_1d(case["cr2_df"]), rel=1e-6)
    table = got.coefficients
    shown = (table["test"] == "cr2").to_numpy()
    unbiased = np.array([robust.unbiased(row) for row in back])
    assert (shown == ((got.clusters >= 5) & (np.array(df) >= 4) & unbiased)).all()
    expected = np.atleast_1d(case["cr2_p"])[shown]
    assert table["p"].to_numpy()[shown] == pytest.approx(expected, rel=1e-5, abs=1e-9)
    if "htz" in case:
        expected, terms = case["htz"], list(got.terms[1:])
        htz = wald_test(got, terms)
        assert htz.df2 == pytest.approx(expected["df"], rel=1e-5)
        right = robust.unbiased(back[1:])
        assert htz.tested == (got.clusters >= 5 and expected["df"] >= 4 and right)
        p = htz.p if htz.tested else htz.p_untrusted
        assert p == pytest.approx(expected["p"], rel=1e-5, abs=1e-9)
        assert np.isnan(htz.p) != htz.tested
        f = wald_test(fitted(case, test="contain"), terms)
        assert (f.f, f.df2) == pytest.approx((case["f"]["f"], case["f"]["df"]), rel=1e-5, abs=1e-9)
        assert f.p == pytest.approx(case["f"]["p"], rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(
    "case",
    [c for c in REFERENCE["multilevel"] if c["three_level"]["0"].get("profile_study")],
    ids=lambda case: case["data"],
)
def test_public_data_profiles_and_robust_intervals(case):
    data, expected = REFERENCE["data"][case["data"]], case["three_level"]["0"]
    got = multilevel(
        data["yi"], variance=data["vi"], levels={"study": data["study"], "experiment": None},
        min_groups=2,
    )  # fmt: skip
    unit = np.var(data["yi"]) + min(data["vi"])
    for level, bounds in got.profile_intervals().items():
        assert bounds == pytest.approx(expected[f"profile_{level}"], rel=1e-5, abs=1e-6 * unit)
    for level, i2 in got.i2_levels.items():
        assert i2 == pytest.approx(expected[f"i2_{level}"], rel=1e-5, abs=1e-4)
    assert got.i2 == pytest.approx(sum(got.i2_levels.values()))
    if got.test == "cr2":
        robust = expected["cr2"]
        names = ("se", "df", "p_effect", "ci_low", "ci_high")
        assert [getattr(got, n) for n in names] == pytest.approx(
            [robust[n] for n in names], rel=1e-5
        )


# ------------------------------------------------------------------------------------ full matrices


def layout(seed=3, k=40):
    rng = np.random.default_rng(seed)
    strain = rng.integers(0, 6, k)
    study = rng.integers(0, 3, k)
    v = rng.uniform(0.1, 0.6, k)
    y = 1 + rng.normal(0, 0.8, 6)[strain] + rng.normal(0, 0.5, k) + rng.normal(0, np.sqrt(v))
    return y, v, strain, study


@pytest.mark.parametrize("reach", ["diagonal", "study", "strain", "across"])
def test_likelihood_and_slope_of_full_matrices(reach):
    y, v, strain, study = layout()
    k, path = len(y), strain * 3 + study
    label = {"diagonal": np.arange(k), "study": path, "strain": strain, "across": study}[reach]
    same = label[:, None] == label
    full = np.where(np.eye(k, dtype=bool), np.diag(v), same * 0.4 * np.sqrt(np.outer(v, v)))
    x = np.column_stack([np.ones(k), np.linspace(2000, 2020, k)])
    _, errors = sampling(y, covariance=full)
    codes = [np.unique(c, return_inverse=True)[1] for c in (strain, path)]
    model = Likelihood(y, x, errors, codes, row_level=True)
    theta = np.array([0.3, 0.2, 0.1])

    def loglik(theta):
        m = full / model.unit**2 + theta[2] * np.eye(k)
        for code, s in zip(codes, theta, strict=False):
            m += s * (code[:, None] == code)
        inverse, basis = np.linalg.inv(m), model.basis
        cross = basis.T @ inverse @ basis
        e = model.residual - basis @ np.linalg.solve(cross, basis.T @ inverse @ model.residual)
        logdet = np.linalg.slogdet(m)[1] + np.linalg.slogdet(cross)[1]
        return -((k - 2) * np.log(2 * np.pi) + logdet + e @ inverse @ e) / 2

    values, slopes = model.slopes(theta[None])
    assert values[0] == pytest.approx(loglik(theta), rel=1e-10)
    for at, h in enumerate(1e-6 * np.eye(3)):
        slope = (loglik(theta + h) - loglik(theta - h)) / 2e-6
        assert slopes[0, at] == pytest.approx(slope, rel=1e-5, abs=1e-7)
    inverse = np.linalg.inv(full / model.unit**2)
    hat = model.basis @ np.linalg.solve(
        model.basis.T @ inverse @ model.basis, model.basis.T @ inverse
    )
    assert model.typical_variance == pytest.approx((k - 2) / np.trace(inverse - inverse @ hat))


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_scale_and_shift(factor):
    y, v, strain, study = layout()
    levels = {"strain": strain, "study": study, "experiment": None}
    one = multilevel(y, variance=v, levels=levels)
    two = multilevel(factor * y + 1e3 * factor, variance=factor**2 * v, levels=levels)
    assert two.estimate == pytest.approx(factor * (one.estimate + 1e3), rel=1e-12)
    assert two.se == pytest.approx(factor * one.se, rel=1e-7)
    expected = {name: factor**2 * s for name, s in one.sigma2.items()}
    assert two.sigma2 == pytest.approx(expected, rel=1e-6)
    assert two.i2_levels == pytest.approx(one.i2_levels, rel=1e-6)


def test_order_of_rows_does_not_matter():
    y, v, strain, study = layout()
    order = np.random.default_rng(1).permutation(len(y))
    one = multilevel(y, variance=v, levels={"strain": strain, "study": study})
    two = multilevel(
        y[order], variance=v[order], levels={"strain": strain[order], "study": study[order]}
    )
    assert (two.estimate, two.se, two.df) == pytest.approx((one.estimate, one.se, one.df))


def test_the_higher_of_two_maxima_is_found():
    data = REFERENCE["data"]["gibson2002_md"]  # a maximum at 0 and a higher one inside
    got = multilevel(data["yi"], variance=data["vi"], levels={"experiment": None})
    y, errors = sampling(data["yi"], variance=data["vi"])
    k = len(y)
    model = Likelihood(y, np.ones((k, 1)), errors, [], row_level=True)
    values = model.values(np.append(0, np.geomspace(1e-9, 100, 4000))[:, None])
    assert values[0] > values[1] and values.argmax() > 1
    assert got.loglik >= values.max() - (k - 1) * np.log(model.unit) - 1e-9


# ------------------------------------------------------------------------------------------- levels


def test_a_group_is_the_path_of_outer_labels():
    y, v, strain, study = layout()
    named = [f"{a}-{b}" for a, b in zip(strain, study, strict=True)]
    one = multilevel(y, variance=v, levels={"strain": strain, "study": study})
    two = multilevel(y, variance=v, levels={"strain": strain, "study": named})
    assert one.groups == two.groups == {"strain": 6, "study": len(set(named))}
    assert one.loglik == pytest.approx(two.loglik, rel=1e-12)


def test_levels_of_few_groups_are_left_out_and_said():
    y, v, strain, study = layout()
    got = multilevel(y, variance=v, levels={"species": strain % 2, "strain": strain, "row": None})
    assert got.levels == ("strain", "row")
    assert got.left_out == {"species": "2 groups, fewer than 5"}
    assert "level species is left out: 2 groups, fewer than 5" in got.warnings
    none = multilevel(y, variance=v, levels={"species": strain % 2, "study": study})
    assert none.levels == ("row",) and set(none.left_out) == {"species", "study"}
    plain = multilevel(y, variance=v, levels={"experiment": None})
    assert none.loglik == plain.loglik and plain.levels == ("experiment",)
    few = multilevel(y[:4], variance=v[:4], levels={"study": list("aabb"), "experiment": None})
    assert few.levels == ("experiment",)


def test_a_level_that_repeats_another_is_left_out():
    y, v, strain, _ = layout()
    one_each = multilevel(y, variance=v, levels={"study": np.arange(40), "experiment": None})
    assert one_each.levels == ("experiment",)
    assert one_each.left_out == {"study": "its groups are those of experiment"}
    twice = multilevel(y, variance=v, levels={"lab": strain + 10, "study": strain, "row": None})
    assert twice.levels == ("study", "row") and twice.left_out == {
        "lab": "its groups are those of study"
    }


@pytest.mark.parametrize("blank", [None, np.nan, "", pd.NA])
def test_missing_labels_are_refused(blank):
    with pytest.raises(ValueError, match="strain is missing in 1 rows"):
        multilevel(
            [1.0, 2.0, 3.0], variance=[1.0] * 3, levels={"strain": ["a", blank, "b"], "row": None}
        )


def test_rows_alone_give_what_a_smaller_sheet_gives():
    y, v, strain, study = layout()
    path = strain * 3 + study
    blocks, code = constant_covariance(v, within=path, rho=0.5)
    keep = np.arange(40) % 4 > 0
    part = multilevel(
        y, covariance=blocks, cluster=code, levels={"strain": strain, "study": study}, rows=keep
    )
    blocks, code = constant_covariance(v[keep], within=path[keep], rho=0.5)
    alone = multilevel(
        y[keep], covariance=blocks, cluster=code,
        levels={"strain": strain[keep], "study": study[keep]},
    )  # fmt: skip
    assert (part.k, part.studies) == (30, alone.studies)
    assert (part.estimate, part.se, part.loglik) == pytest.approx(
        (alone.estimate, alone.se, alone.loglik)
    )


# --------------------------------------------------------------------------------- sampling errors


def test_constant_covariance():
    v = [1.0, 4.0, 9.0, 4.0]
    blocks, code = constant_covariance(v, within=["a", "b", "a", np.nan], rho=0.5)
    assert code.tolist() == [0, 1, 0, 2]
    assert blocks[0].tolist() == [[1, 1.5], [1.5, 9]] and blocks[1].tolist() == [[4]]
    _, code = constant_covariance(v, within=[1, 1, 1, 1], cluster=["x", "x", "y", "y"])
    assert code.tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="rho must lie between 0 and 1"):
        constant_covariance(v, within=[1, 1, 1, 1], rho=1)


def test_an_impossible_covariance_names_its_cluster():
    y, v, strain, _ = layout()
    blocks, code = constant_covariance(v, within=strain, rho=0.5)
    blocks[2] = np.full(blocks[2].shape, 0.9) + 0.01 * np.eye(len(blocks[2]))
    blocks[2][0, 1] = blocks[2][1, 0] = -0.9
    names = np.array([f"Smith {c}" for c in code])
    with pytest.raises(ValueError, match="covariance of Smith 2 is not positive definite"):
        multilevel(y, covariance=blocks, cluster=names, levels={"row": None})
    with pytest.raises(ValueError, match="blocks of covariance need the cluster"):
        multilevel(y, covariance=blocks, levels={"row": None})
    with pytest.raises(ValueError, match="give the sampling variance"):
        multilevel(y, levels={"row": None})


def test_clusters_that_share_errors_count_as_one():
    """A control of two strains ties them: robust inference must not take them as independent."""
    y, v, strain, _ = layout()
    within = np.arange(40)
    first = [np.flatnonzero(strain == s)[0] for s in (0, 1)]
    within[first[1]] = within[first[0]]
    blocks, code = constant_covariance(v, within=within, rho=0.5)
    got = multilevel(y, covariance=blocks, cluster=code, levels={"strain": strain, "row": None})
    assert got.groups["strain"] == 6 and got.clusters == 5
    assert any("joined where sampling errors covary" in warning for warning in got.warnings)


# --------------------------------------------------------------------------------------- inference


def test_few_clusters_are_tested_by_containment_and_said():
    y, v, strain, _ = layout()
    four = strain % 4
    got = multilevel(y, variance=v, levels={"study": four, "row": None}, min_groups=2)
    assert (got.test, got.df) == ("contain", 3)
    assert got.test_label in got.warnings and "4 of the 5 clusters" in got.test_label
    asked = multilevel(y, variance=v, levels={"study": four, "row": None}, test="contain")
    assert asked.test_label == "t with containment degrees of freedom"


def test_cr2_with_few_degrees_of_freedom_gives_way_and_says_so():
    y, v, _, _ = layout()
    lopsided = np.where(np.arange(40) < 34, 0, np.arange(40) - 33)
    got = multilevel(
        y, variance=np.where(lopsided > 0, 50, v), levels={"study": lopsided, "row": None}
    )
    assert got.clusters == 7 and got.fit.sandwich.df(got.fit.model.back[0]) < 4
    assert (got.test, got.df) == ("contain", 6)
    assert "fewer than 4 degrees of freedom" in got.test_label and got.test_label in got.warnings


def test_studies_are_the_clusters_where_groups_lie_within_them():
    y, v, strain, study = layout()
    got = multilevel(y, variance=v, levels={"experiment": None}, study=strain)
    assert got.clusters == got.studies == 6 and "(study)" in got.test_label
    across = multilevel(y, variance=v, levels={"strain": strain, "row": None}, study=study)
    assert across.clusters == 6 and "(strain)" in across.test_label


def test_prediction_interval():
    y, v, strain, _ = layout()
    levels = {"study": strain, "experiment": None}
    got = multilevel(y, variance=v, levels=levels)
    reach = 2.5705818366147395 * np.sqrt(got.se**2 + got.tau2)  # t(5) at 97.5 %
    assert (got.pi_low, got.pi_high) == pytest.approx((got.estimate - reach, got.estimate + reach))
    alike = multilevel(1 + y / 1e3, variance=v, levels=levels)
    assert alike.tau2 == 0
    assert alike.pi_low <= alike.ci_low and alike.pi_high >= alike.ci_high


def test_equal_effects_have_an_interval_of_some_width():
    got = multilevel(
        np.full(12, 0.7), variance=np.full(12, 0.2), levels={"study": np.arange(12) // 2}
    )
    assert got.estimate == pytest.approx(0.7) and got.tau2 == 0 and got.i2 == 0
    assert (got.q, got.p_heterogeneity) == pytest.approx((0, 1))
    assert got.test == "contain" and got.ci_high - got.ci_low > 0.3


def test_one_study_is_said():
    y, v, _, _ = layout()
    got = multilevel(y, variance=v, levels={"study": ["a"] * 40, "experiment": None})
    assert any("one study" in warning for warning in got.warnings) and got.test == "contain"


# -------------------------------------------------------------------------------------- moderators


def test_levels_of_a_moderator():
    rng = np.random.default_rng(5)
    study = np.repeat(np.arange(30), 3)
    by = pd.Series(np.array(["high", "low"])[study % 2])
    y = rng.normal(0, 0.3, 30)[study] + rng.normal(0, 0.5, 90) + 2 * (study % 2)
    by[[0, 1, 2]] = None
    by[3] = ""
    by[study == 7] = "single study"
    got = moderator_levels(
        y, by=by, levels={"study": study, "experiment": None}, variance=np.full(90, 0.25)
    )
    assert got.left_out == 4
    assert dict(zip(got.table["level"], got.table["in_test"], strict=True)) == {
        "low": True, "high": True, "single study": False,
    }  # fmt: skip
    assert got.table["studies"].tolist() == [14, 14, 1]
    assert got.table["k"].sum() == 86 == got.result.k
    assert got.wald.tested and got.wald.test == "HTZ" and got.wald.df1 == 1 and got.wald.p < 1e-6
    assert got.table["test"].tolist() == ["cr2", "cr2", "contain"]
    assert got.table["se"].iloc[2] > 0.2
    assert got.result.r2 > 80 and np.isnan(got.result.estimate)
    cells = [y[(by == name).to_numpy()].mean() for name in got.table["level"]]
    assert got.table["estimate"].to_numpy() == pytest.approx(cells, abs=0.15)


@pytest.mark.parametrize("blank", [None, np.nan, pd.NA, ""])
def test_a_moderator_takes_any_kind_of_missing_value_and_the_order_of_its_levels(blank):
    y, v, _, _ = layout()
    study = np.arange(40) // 2
    by = np.array(["b", "a"], dtype=object)[study % 2]
    by[:2] = blank
    options = {"levels": {"study": study, "row": None}, "variance": v}
    got = moderator_levels(y, by=by, **options)
    assert got.left_out == 2 and got.table["level"].tolist() == ["a", "b"]  # as they appear
    order = pd.Series(pd.Categorical(by, ["b", "never", "a", ""]))
    assert moderator_levels(y, by=order, **options).table["level"].tolist() == ["b", "a"]
    half = moderator_levels(y, by=by, rows=np.arange(40) < 20, **options)
    assert half.result.k == 18 and half.left_out == 2


def test_a_coefficient_of_one_study_is_not_tested_by_cr2():
    """Its own cluster has no residual: CR2 would see the other side of the difference alone."""
    y, v, _, _ = layout()
    design = pd.DataFrame({"intercept": 1.0, "single": (np.arange(40) == 3).astype(float)})
    got = multilevel(y, variance=v, levels={"study": None}, design=design)
    robust, row = got.fit.sandwich, got.fit.model.back[1]
    assert robust.df(row) > 30 and np.sqrt(row @ robust.covariance() @ row) < 0.3
    table = got.coefficients.set_index("term")
    assert table["test"].to_dict() == {"intercept": "cr2", "single": "contain"}
    assert table.loc["single", "se"] > 0.6
    wald = wald_test(got, ["single"])
    assert not wald.tested and "rests on one cluster" in wald.reason


def test_a_moderator_of_few_studies_is_not_tested():
    y, v, strain, _ = layout()
    by = np.where(strain < 2, "a", "b")
    got = moderator_levels(y, by=by, levels={"study": strain, "row": None}, variance=v)
    assert not got.wald.tested and np.isnan(got.wald.p) and "degrees of freedom" in got.wald.reason
    by = np.where(strain == 0, "a", "b")
    got = moderator_levels(y, by=by, levels={"study": strain, "row": None}, variance=v)
    assert "fewer than two levels" in got.wald.reason


def test_equal_contrasts_give_equal_tests():
    """Reference coding and cell means are one model."""
    y, v, _, _ = layout()
    study = np.arange(40) // 2
    by = study % 3
    cells = np.eye(3)[by]
    coded = np.column_stack([np.ones(40), cells[:, 1:]])
    levels = {"study": study, "row": None}
    one = multilevel(y, variance=v, levels=levels, design=cells)
    two = multilevel(y, variance=v, levels=levels, design=coded)
    a, b = wald_test(one, [[-1, 1, 0], [-1, 0, 1]]), wald_test(two, ["1", "2"])
    assert a.tested and (a.f, a.df2, a.p) == pytest.approx((b.f, b.df2, b.p), rel=1e-6)
    assert one.loglik == pytest.approx(two.loglik, abs=1e-8)
    predicted = two.predict([[1, 0, 1]]).iloc[0]
    mean = one.coefficients.iloc[2]
    assert predicted[["estimate", "se", "ci_low", "p"]].tolist() == pytest.approx(
        mean[["coef", "se", "ci_low", "p"]].tolist(), rel=1e-6
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": "z"}, "test is one of cr2, contain"),
        ({"level": 95}, "level lies between 0 and 1"),
        ({"design": pd.DataFrame({"a": np.ones(40), "b": np.full(40, 2.0)})}, "others: b"),
        ({"design": pd.DataFrame({"a": [np.nan] * 40})}, "missing values in a"),
        ({"design": np.ones((39, 1))}, "a row for each of the 40 effects"),
        ({"rows": np.arange(40)}, "True or False for each of the 40"),
        ({"rows": np.arange(40) < 1}, "1 effects cannot tell 1 coefficients"),
    ],
)
def test_what_cannot_be_fitted_is_refused(options, message):
    y, v, strain, _ = layout()
    with pytest.raises(ValueError, match=message):
        multilevel(y, variance=v, levels={"study": strain}, **options)


def test_contrasts_that_are_not_there_are_refused():
    y, v, strain, _ = layout()
    fit = multilevel(y, variance=v, levels={"study": strain})
    with pytest.raises(ValueError, match="no term dose"):
        wald_test(fit, ["dose"])
    with pytest.raises(ValueError, match="not independent"):
        wald_test(fit, [[1.0], [2.0]])


def test_many_rows_and_one_large_study():
    rng = np.random.default_rng(1)
    study = rng.integers(0, 8000, 20_000)
    y, v = rng.normal(1, 1, 20_000) + rng.normal(0, 0.5, 8000)[study], np.full(20_000, 0.2)
    got = multilevel(y, variance=v, levels={"study": study, "experiment": None})
    assert list(got.sigma2.values()) == pytest.approx([0.25, 0.8], abs=0.05)
    one = multilevel(y[:1000], variance=v[:1000], levels={"study": [1] * 1000, "experiment": None})
    assert one.sigma2["experiment"] == pytest.approx(np.var(y[:1000], ddof=1) - 0.2)
