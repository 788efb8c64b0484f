"""Regressions, deletions, small-study tests and other ρ in the multilevel model, against R."""

import json
import pathlib
import time

import numpy as np
import pandas as pd
import pytest

from helpers.stats.mixed_model.groups import stacks
from helpers.stats.mixed_model.sampling import constant_covariance
from helpers.stats.moderators import meta_regression
from helpers.stats.multilevel import moderator_levels, multilevel
from helpers.stats.nested.correlation import rho_series
from helpers.stats.nested.deletion import leave_out
from helpers.stats.nested.power import clustered_power, simulated
from helpers.stats.nested.regression import regression
from helpers.stats.nested.small_study import doleman_clustered, size_regression, time_lag

PINNED = json.loads(
    (pathlib.Path(__file__).parents[1] / "reference" / "terms.json").read_text(encoding="utf-8")
)
DATA = {name: pd.DataFrame(columns) for name, columns in PINNED["data"].items()}


def errors(d, rho):
    if rho == 0:
        return {"variance": d["vi"]}
    blocks, code = constant_covariance(d["vi"], within=d["study"], rho=rho)
    return {"covariance": blocks, "cluster": code}


def model(d, rho=0, **options):
    levels = {"study": d["study"], "row": None}
    return {"levels": levels, "min_groups": 2} | errors(d, rho) | options


# ---------------------------------------------------------------------------------- regression


def by_terms(case, **options):
    d = DATA[case["data"]]
    return regression(
        d["yi"], terms=case["terms"], moderators=d, **model(d, case.get("rho", 0)), **options
    )


@pytest.mark.parametrize("case", PINNED["regressions"], ids=lambda case: " + ".join(case["terms"]))
def test_joint_tests_agree_with_club_sandwich_and_metafor(case):
    robust, contained = by_terms(case), by_terms(case, test="contain")
    assert robust.result.loglik == pytest.approx(case["loglik"], abs=1e-6)
    assert list(robust.sigma2.values()) == pytest.approx(case["sigma2"], rel=1e-4, abs=1e-6)
    assert robust.r2 == pytest.approx(case["r2"], rel=1e-5)
    expected = {joint["term"]: joint for joint in case["joint"]}
    for row, other in zip(robust.terms.itertuples(), contained.terms.itertuples(), strict=True):
        joint = expected[row.term]
        f, df, p = joint["htz"]
        assert row.df1 == len(joint["columns"]) and row.df2 == pytest.approx(df, rel=1e-4)
        assert row.tested == (df >= 4) and row.test == "HTZ"
        if row.tested:
            assert (row.statistic, row.p) == pytest.approx((f, p), rel=1e-4)
        else:
            assert np.isnan(row.p) and "degrees of freedom" in row.reason
        assert [other.statistic, other.df2, other.p] == pytest.approx(joint["f"], rel=1e-4)
        assert row.gvif == pytest.approx(joint["gvif"], rel=1e-5)
        assert row.gsif == pytest.approx(joint["gvif"] ** (0.5 / row.df1), rel=1e-5)
    assert robust.terms["gvif"].iloc[0] == pytest.approx(case["vif"], rel=1e-5)  # metafor's own


@pytest.mark.parametrize("at", [0, 2, 4, 7])
def test_coefficients_agree_with_rma_mv(at):
    case = PINNED["regressions"][at]
    found = by_terms(case).coefficients
    plain = by_terms(case, test="contain").coefficients
    # Of the interaction R has the columns in another order.
    order = np.argsort(case["beta"])
    ours = np.argsort(found["coef"].to_numpy())
    assert found["coef"].to_numpy()[ours] == pytest.approx(np.array(case["beta"])[order], rel=1e-4)
    assert plain["se"].to_numpy()[ours] == pytest.approx(np.array(case["se"])[order], rel=1e-5)
    robust = (found["test"] == "cr2").to_numpy()[ours]
    assert robust.any()
    for name, pinned in (("se", "cr2_se"), ("df", "cr2_df"), ("p", "cr2_p")):
        values, right = found[name].to_numpy()[ours], np.array(case[pinned])[order]
        assert values[robust] == pytest.approx(right[robust], rel=1e-3, abs=1e-12)
    assert found["term"].iloc[0] == "intercept" and set(found["term"][1:]) == set(case["terms"])


@pytest.mark.parametrize("case", PINNED["independent"], ids=lambda case: " + ".join(case["terms"]))
def test_independent_rows_are_tested_by_hartung_knapp(case):
    found = by_terms(case, interval="hksj")
    assert found.test == "knha" and found.tau2 == pytest.approx(case["tau2"], rel=1e-6)
    assert found.coefficients["coef"].to_numpy() == pytest.approx(case["beta"], rel=1e-6)
    assert found.coefficients["se"].to_numpy() == pytest.approx(case["se"], rel=1e-6)
    assert found.coefficients["p"].to_numpy() == pytest.approx(case["p"], rel=1e-5)
    for row, joint in zip(found.terms.itertuples(), case["joint"], strict=True):
        assert [row.statistic, row.df2, row.p] == pytest.approx(joint["f"], rel=1e-6)
    # By default its factor is floored; asked for, containment governs here too.
    d = DATA[case["data"]]
    floored, wide = by_terms(case), meta_regression(
        d["yi"], variance=d["vi"], moderators=found.design.matrix.iloc[:, 1:],
        interval="hksj_truncated",
    )  # fmt: skip
    assert floored.coefficients["se"].to_numpy() == pytest.approx(wide.coefficients["se"])
    assert set(by_terms(case, test="contain").terms["test"]) == {"F"}


def test_a_shared_control_makes_rows_dependent():
    d = DATA["single"]
    block = np.diag(d["vi"])
    block[0, 1] = block[1, 0] = 0.3 * np.sqrt(d["vi"][0] * d["vi"][1])
    found = regression(
        d["yi"], terms=["species"], moderators=d, levels={"study": d["study"], "row": None},
        covariance=block,
    )  # fmt: skip
    assert found.test == "cr2" and found.terms["test"].tolist() == ["HTZ"]


def test_one_category_is_tested_as_a_moderator():
    d = DATA["full"].copy()
    # A level of one study: it takes no part in either test.
    d.loc[d["study"] == 3, "sex"] = "unclear"
    found = regression(d["yi"], terms=["sex"], moderators=d, **model(d, 0.5))
    levels = moderator_levels(d["yi"], by=d["sex"], **model(d, 0.5))
    row = found.terms.iloc[0]
    assert "unclear" in row["note"] and row["df1"] == levels.wald.df1 == 2
    assert (row["statistic"], row["p"]) == pytest.approx((levels.wald.f, levels.wald.p))
    # Whatever the reference level is, also that of the one study.
    other = regression(
        d["yi"], terms=["sex"], moderators=d, reference={"sex": "unclear"}, **model(d, 0.5)
    ).terms.iloc[0]
    assert (other["df1"], other["p"]) == (2, pytest.approx(row["p"]))


def test_thin_combination_leaves_the_test_of_an_interaction_only():
    d = DATA["full"].copy()
    d.loc[(d["species"] == "rat") & (d["sex"] == "male"), "sex"] = "female"
    rat = d.index[d["species"] == "rat"][0]
    d.loc[rat, "sex"] = "male"  # one row
    terms = ["species", "sex", "species:sex"]
    found = regression(d["yi"], terms=terms, moderators=d, **model(d, 0.5)).terms.set_index("term")
    assert found.loc["species:sex", "df1"] == 1 and "rat × male" in found.loc["species:sex", "note"]
    # What is left is what the rows without it say of it, but for their variances.
    without = d.index != rat
    rest = regression(
        d["yi"], terms=terms, moderators=d, rows=without, **model(d, 0.5)
    ).terms.set_index("term")
    assert rest.loc["species:sex", "df1"] == 1
    assert found.loc["species:sex", "p"] == pytest.approx(rest.loc["species:sex", "p"], abs=0.1)


def test_splines_within_levels_are_tested_whole():
    d = DATA["full"]
    found = regression(
        d["yi"], terms=["species", "species:spline(days, 2)"], moderators=d, **model(d)
    ).terms.set_index("term")
    assert found.loc["species:spline(days, 2)", "df1"] == 4
    thin = d.copy()
    thin.loc[thin["study"] == 3, "species"] = "pig"  # one study
    found = regression(
        thin["yi"], terms=["species", "species:spline(days, 2)"], moderators=thin, **model(thin)
    ).terms.set_index("term")
    assert found.loc["species:spline(days, 2)", "df1"] == 4
    assert "pig" in found.loc["species:spline(days, 2)", "note"]


def test_margin_of_an_interaction_says_where_it_is_tested():
    d = DATA["full"]
    found = regression(
        d["yi"], terms=["species", "log10(dose)", "species:log10(dose)"], moderators=d, **model(d)
    ).terms.set_index("term")
    assert found.loc["species", "note"] == "tested where log10(dose) = 0"
    assert found.loc["log10(dose)", "note"] == "tested where species = mouse"
    assert found.loc["species:log10(dose)", "note"] == ""


def test_rows_without_a_moderator_are_counted_and_do_not_count():
    d = DATA["full"].copy()
    d.loc[[0, 5, 9], "dose"] = np.nan
    found = regression(d["yi"], terms=["log10(dose)"], moderators=d, **model(d, 0.5))
    assert (found.k, found.left_out, found.missing) == (len(d) - 3, 3, {"dose": 3})
    part = d.drop(index=[0, 5, 9])
    again = regression(part["yi"], terms=["log10(dose)"], moderators=part, **model(part, 0.5))
    assert again.terms["p"].tolist() == pytest.approx(found.terms["p"].tolist())


def test_moderators_of_other_rows_are_refused():
    d = DATA["full"]
    with pytest.raises(ValueError, match="moderators need a row for each of the"):
        regression(d["yi"], terms=["dose"], moderators=d.iloc[1:], **model(d))


# ------------------------------------------------------------------------------------ deletion


@pytest.mark.parametrize("case", PINNED["deletion"], ids=lambda case: case["data"])
@pytest.mark.parametrize("test", ["cr2", "contain"])
def test_deletions_agree_with_metafor(case, test):
    d = DATA[case["data"]]
    full = multilevel(d["yi"], test=test, **model(d, case["rho"]))
    found = leave_out(full, by=d["study"])
    each = pd.DataFrame(case["each"])
    assert found["left_out"].tolist() == each["study"].tolist() and not found["reason"].any()
    assert found["estimate"].to_numpy() == pytest.approx(each["estimate"].to_numpy(), rel=1e-5)
    se, df = ("cr2_se", "cr2_df") if test == "cr2" else ("se", None)
    assert found["se"].to_numpy() == pytest.approx(each[se].to_numpy(), rel=1e-5)
    if df:
        assert found["df"].to_numpy() == pytest.approx(each[df].to_numpy(), rel=1e-4)
    else:
        pi = np.array(each["pi"].tolist())
        assert found[["pi_low", "pi_high"]].to_numpy() == pytest.approx(pi, rel=1e-4)
    sigma2 = np.array(each["sigma2"].tolist())
    assert found[["sigma2_study", "sigma2_row"]].to_numpy() == pytest.approx(sigma2, abs=1e-5)
    assert found["cook"].to_numpy() == pytest.approx(each["cook"].to_numpy(), rel=1e-3, abs=1e-8)
    assert found["dfbetas"].to_numpy() == pytest.approx(
        each["dfbetas"].to_numpy(), rel=1e-3, abs=1e-5
    )
    # metafor's own functions stop early.
    assert found["cook"].to_numpy() == pytest.approx(case["metafor_cook"], rel=0.02, abs=1e-4)
    assert found["dfbetas"].to_numpy() == pytest.approx(case["metafor_dfbetas"], rel=0.02, abs=1e-3)
    rows = leave_out(full, names=d["row"])
    assert rows["cook"].to_numpy() == pytest.approx(case["row_cook"], rel=0.02, abs=1e-4)


@pytest.mark.parametrize("test", ["cr2", "contain"])
def test_deletion_is_the_fit_of_the_other_rows(test):
    d = DATA["holes"]
    strain = np.array(d["study"]) % 7
    levels = {"strain": strain, "study": d["study"], "row": None}
    options = {"levels": levels, "test": test} | errors(d, 0.5)
    full = multilevel(d["yi"], **options)
    for by in (d["study"].to_numpy(), strain, np.arange(len(d))):
        found = leave_out(full, by=by)
        for row in found.iloc[:: max(1, len(found) // 6)].itertuples():
            one = multilevel(d["yi"], rows=by != row.left_out, min_groups=1, **{
                k: v for k, v in options.items() if k != "min_groups"})  # fmt: skip
            assert row.k == one.k and row.test == one.test
            got = [
                row.estimate,
                row.se,
                row.ci_low,
                row.ci_high,
                row.df,
                row.p,
                row.pi_low,
                row.tau2,
            ]
            assert got == pytest.approx(
                [one.estimate, one.se, one.ci_low, one.ci_high, one.df, one.p_effect, one.pi_low,
                 one.tau2], rel=1e-5, abs=1e-9,
            )  # fmt: skip


def test_deletion_with_moderators_has_influence_a_coefficient():
    d = DATA["full"]
    x = pd.DataFrame({"intercept": 1.0, "rat": (d["species"] == "rat").astype(float)})
    full = multilevel(d["yi"], design=x, **model(d, 0.5))
    found = leave_out(full, by=d["study"])
    assert found["estimate"].isna().all() and found["cook"].notna().all()
    rest = multilevel(d["yi"], design=x, rows=(d["study"] != 2).to_numpy(), **model(d, 0.5))
    off = full.beta - rest.beta
    assert found["cook"][1] == pytest.approx(off @ np.linalg.solve(full.covariance, off), rel=1e-5)
    assert np.sign(found["dfbetas_rat"][1]) == np.sign(off[1])
    # Without the only study of a level its coefficient is gone.
    x["rat"] = (d["study"] == 1).astype(float)
    alone = leave_out(multilevel(d["yi"], design=x, **model(d, 0.5)), by=d["study"])
    assert "told apart" in alone["reason"][0] and np.isnan(alone["cook"][0])


def test_two_hundred_studies_are_left_out_fast():
    generator = np.random.default_rng(1)
    study = np.sort(np.append(np.arange(200), generator.integers(0, 200, 300)))
    v = generator.uniform(0.1, 0.8, 500)
    y = generator.normal(0, 0.6, 200)[study] + generator.normal(1, np.sqrt(v + 0.2))
    full = multilevel(y, levels={"study": study, "row": None}, variance=v)
    start = time.process_time()
    found = leave_out(full, by=study)
    # 0.35 seconds of one core; a busy machine is given several times that.
    assert time.process_time() - start < 2.5 and len(found) == 200


# --------------------------------------------------------------------------------- small studies


@pytest.mark.parametrize("case", PINNED["small"], ids=lambda case: case["data"])
def test_small_study_regressions_agree_with_club_sandwich(case):
    d = DATA[case["data"]]
    sizes = {"n_treated": d["n1"], "n_control": d["n2"]}
    options = model(d, case["rho"])
    tests = {
        "size": lambda **o: size_regression(d["yi"], **sizes, **options, **o),
        "year": lambda **o: time_lag(d["yi"], year=d["year"], **options, **o),
    }
    for name, test in tests.items():
        expected, found = case[name], test()
        assert expected["df"] >= 4 and found.options["test"] == "cr2"
        assert [found.slope, found.intercept, found.se, found.df, found.p] == pytest.approx(
            [expected[n] for n in ("slope", "intercept", "se", "df", "p")], rel=1e-4
        )
        by_df = test(test="contain")
        assert (by_df.df, by_df.p) == pytest.approx(
            (expected["contain_df"], expected["contain_p"]), rel=1e-4
        )
    for weights, expected in case["doleman"].items():
        found = doleman_clustered(
            d["yi"], baseline=d["baseline"], weights=weights, **sizes, **options
        )
        names = ("slope", "intercept", "se", "df")
        assert [getattr(found, name) for name in names] == pytest.approx(
            [expected[name] for name in names], rel=1e-4
        )
        if expected["df"] >= 4:
            assert found.p == pytest.approx(expected["p"], rel=1e-4)
        else:
            assert np.isnan(found.p) and "of the 4 degrees of freedom" in found.options["reason"]
    assert case["doleman"]["none"]["df"] >= 4


def test_rows_without_a_year_are_left_out():
    d = DATA["full"]
    year = d["year"].astype(float)
    year[[1, 4]] = np.nan
    found = time_lag(d["yi"], year=year, **model(d))
    part = d.drop(index=[1, 4])
    again = time_lag(part["yi"], year=part["year"], **model(part))
    assert found.options["left_out"] == 2 and found.k == len(d) - 2
    assert (found.slope, found.p) == pytest.approx((again.slope, again.p))


def test_what_cannot_be_tested_is_refused_or_said():
    d = DATA["full"]
    with pytest.raises(ValueError, match="is the same in all rows"):
        size_regression(d["yi"], n_treated=[6] * len(d), n_control=[6] * len(d), **model(d))
    few = d[d["study"] <= 4]
    with pytest.raises(ValueError, match="4 of the 5 clusters"):
        doleman_clustered(
            few["yi"],
            baseline=few["baseline"],
            n_treated=few["n1"],
            n_control=few["n2"],
            **model(few),
        )
    found = size_regression(few["yi"], n_treated=few["n1"], n_control=few["n2"], **model(few))
    assert found.options["test"] == "contain" and "4 of the 5 clusters" in found.options["label"]
    # One study alone is of another size: no degree of freedom is left for the second step.
    n = np.where(d["study"] == 2, 12, 6)
    found = doleman_clustered(d["yi"], baseline=d["baseline"], n_treated=n, n_control=n, **model(d))
    assert np.isnan(found.p) and "one cluster alone" in found.options["reason"]
    n = np.where(d["study"] <= 2, 12, 6)
    found = doleman_clustered(d["yi"], baseline=d["baseline"], n_treated=n, n_control=n, **model(d))
    assert np.isnan(found.p) and "of the 4 degrees of freedom" in found.options["reason"]


# ---------------------------------------------------------------------------------------- power


def clustered(k=72, studies=30, seed=1):
    generator = np.random.default_rng(seed)
    study = np.sort(np.append(np.arange(studies), generator.integers(0, studies, k - studies)))
    n1, n2 = generator.integers(3, 20, (2, k))
    v = 1 / n1 + 1 / n2
    y = 0.5 + generator.normal(0, 0.7, studies)[study] + generator.normal(0, np.sqrt(v + 0.1))
    blocks, code = constant_covariance(v, within=study, rho=0.5)
    fit = multilevel(
        y, levels={"study": study, "row": None}, covariance=blocks, cluster=code
    )  # fmt: skip
    return fit, {"n_treated": n1, "n_control": n2}, study, generator.normal(8, 2, k)


def test_power_keeps_its_level_and_sees_suppression():
    fit, sizes, _, baseline = clustered()
    table = clustered_power(fit, **sizes, baseline=baseline, replicates=2000).set_index("test")
    assert list(table.index) == ["size", "doleman"] and (table["df"] >= 4).all()
    # Four Monte Carlo standard errors, and a share of what CR2 is off by.
    assert (table["false_alarms"] - 0.05).abs().max() < 0.03
    same = clustered_power(fit, **sizes, baseline=baseline, replicates=2000).set_index("test")
    pd.testing.assert_frame_equal(table, same)


def test_power_sees_suppression_where_it_can_be_seen():
    """Small experiments of a small mean with hardly any spread, some much larger than others."""
    generator = np.random.default_rng(2)
    study = np.repeat(np.arange(60), 2)
    n = generator.choice([4, 6, 8, 40], 120)
    y = 0.3 + generator.normal(0, np.sqrt(2 / n))
    fit = multilevel(y, levels={"study": study, "row": None}, variance=2 / n)
    assert fit.tau2 < 0.1
    table = clustered_power(fit, n_treated=n, n_control=n, replicates=1000).set_index("test")
    row = table.loc["size"]
    assert row["false_alarms"] < 0.08 and row["power"] > row["false_alarms"] + 4 * row["error"]


def test_simulated_rows_are_clustered_and_suppressed():
    fit, sizes, study, _ = clustered()
    n1, n2 = sizes["n_treated"], sizes["n_control"]
    generator = np.random.default_rng(0)
    y = simulated(fit, n1, n2, 0.0, 4000, generator)
    # Hedges g is unbiased, so the mean is that of the fit.
    assert y.mean() == pytest.approx(fit.estimate, abs=0.02)
    rows = next(rows for rows in stacks(study) if rows.shape[1] == 2)[0]
    within = fit.sigma2["study"] + 0.5 * np.sqrt(np.prod(1 / n1[rows] + 1 / n2[rows]))
    assert np.cov(y[:, rows[0]], y[:, rows[1]])[0, 1] == pytest.approx(within, rel=0.15)
    other = np.flatnonzero(study != study[rows[0]])[0]
    assert abs(np.corrcoef(y[:, rows[0]], y[:, other])[0, 1]) < 0.06
    few = simulated(fit, n1, n2, 0.8, 4000, generator)
    size, factor = np.sqrt(1 / n1 + 1 / n2), 1 - 3 / (4 * (n1 + n2 - 2) - 1)

    def significant(g):
        from scipy import stats

        return (np.abs(g / factor) > stats.t.ppf(0.975, n1 + n2 - 2) * size).mean()

    # Of single rows with chance s of significance s/(s + 0.2(1 - s)) of those published are.
    assert significant(few) > significant(y) + 0.1
    assert few.mean() > y.mean() + 0.1


def test_power_of_five_hundred_reviews_is_fast():
    fit, sizes, _, baseline = clustered()
    start = time.process_time()
    clustered_power(fit, **sizes, baseline=baseline, replicates=500)
    assert time.process_time() - start < 2


def test_power_refuses_what_it_cannot_simulate():
    fit, sizes, study, _ = clustered()
    with pytest.raises(ValueError, match="suppressed lies between 0 and 1"):
        clustered_power(fit, **sizes, suppressed=1)
    x = pd.DataFrame({"a": 1.0, "b": np.arange(72.0)})
    other = multilevel(fit.fit.y, levels={"study": study}, variance=[0.1] * 72, design=x)
    with pytest.raises(ValueError, match="mean alone"):
        clustered_power(other, **sizes)


# ------------------------------------------------------------------------------------------- rho


def test_series_of_rho_agrees_with_metafor():
    d, pinned = DATA["full"], PINNED["series"]
    found = rho_series(
        d["yi"], levels={"study": d["study"], "row": None},
        covariance=lambda rho: constant_covariance(d["vi"], within=d["study"], rho=rho),
    )  # fmt: skip
    assert found["rho"].tolist() == [0.2, 0.5, 0.8]
    for row, expected in zip(found.itertuples(), pinned["each"], strict=True):
        assert [row.estimate, row.se] == pytest.approx(
            [expected["estimate"], expected["se"]], rel=1e-5
        )
        assert row.df == pytest.approx(expected["df"], rel=1e-4)
        assert [row.sigma2_study, row.sigma2_row] == pytest.approx(expected["sigma2"], abs=1e-5)


def test_rho_that_cannot_be_is_a_row_with_the_reason():
    d = DATA["full"].iloc[:8]

    def covariance(rho):
        v = np.diag(d["vi"]).astype(float)
        v[0, 1] = v[1, 0] = 2 * rho * np.sqrt(v[0, 0] * v[1, 1])
        return v

    for order in ((0.2, 0.8), (0.8, 0.2)):
        found = rho_series(
            d["yi"], covariance=covariance, levels={"row": None}, rhos=order
        ).set_index("rho")
        assert "not positive definite" in found.loc[0.8, "reason"]
        assert np.isnan(found.loc[0.8, "estimate"]) and not found.loc[0.2, "reason"]
    with pytest.raises(ValueError, match="labels"):
        rho_series(d["yi"], covariance=covariance, levels={"study": ["a"]})
