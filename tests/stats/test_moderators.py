"""Subgroups and meta-regression."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from helpers.stats.moderators import association, holm, meta_regression, subgroups
from helpers.stats.pooling import pool

generator = np.random.default_rng(7)
K = 30
VARIANCE = generator.uniform(0.05, 0.5, K)
LEVEL = pd.Series(generator.choice(["a", "b", "c"], K))
DOSE = pd.Series(generator.normal(size=K))
EFFECT = 0.5 + (LEVEL == "b") + 0.3 * DOSE + generator.normal(0, np.sqrt(VARIANCE + 0.1))


def test_each_level_is_a_pooling_of_its_own():
    found = subgroups(EFFECT, variance=VARIANCE, by=LEVEL)
    for _, row in found.table.iterrows():
        rows = row["level"] == LEVEL
        alone = pool(EFFECT[rows], variance=VARIANCE[rows])
        assert (row["estimate"], row["tau2"], row["k"]) == (alone.estimate, alone.tau2, alone.k)
    mean, w = found.table["estimate"], found.table["se"] ** -2
    q = (w * (mean - (w * mean).sum() / w.sum()) ** 2).sum()
    assert found.q_between == pytest.approx(q)
    assert found.p_between == pytest.approx(stats.chi2.sf(q, 2))


def test_levels_keep_the_order_of_a_categorical_and_leave_missing_rows_out():
    by = pd.Categorical(LEVEL.where(LEVEL.index != 3), categories=["c", "a", "b", "never"])
    found = subgroups(EFFECT, variance=VARIANCE, by=pd.Series(by))
    assert list(found.table["level"]) == ["c", "a", "b"]
    assert found.left_out == 1


def test_a_level_of_one_is_shown_and_not_tested():
    by = LEVEL.copy()
    by[0] = "lonely"
    found = subgroups(EFFECT, variance=VARIANCE, by=by)
    row = found.table.set_index("level").loc["lonely"]
    assert not row["pooled"]
    assert row["estimate"] == EFFECT[0]
    assert found.single == ("lonely",)
    assert found.df == 2


def test_regression_on_a_group_with_no_heterogeneity_is_weighted_least_squares():
    x = np.column_stack([np.ones(K), LEVEL == "b", LEVEL == "c"])
    found = meta_regression(
        EFFECT, variance=VARIANCE, moderators=pd.DataFrame({"level": LEVEL}), method="EE"
    )
    beta = np.linalg.lstsq(x / np.sqrt(VARIANCE)[:, None], EFFECT / np.sqrt(VARIANCE), rcond=None)[
        0
    ]
    np.testing.assert_allclose(found.coefficients["coef"], beta, rtol=1e-10)
    assert list(found.coefficients["term"]) == ["intercept", "level: b", "level: c"]


def test_coding_follows_the_reference_and_missing_rows_are_counted():
    frame = pd.DataFrame({"level": LEVEL.where(LEVEL.index > 1), "dose": DOSE})
    found = meta_regression(EFFECT, variance=VARIANCE, moderators=frame, reference={"level": "c"})
    assert list(found.coefficients["level"].dropna()) == ["a", "b"]
    assert (found.k, found.left_out) == (K - 2, 2)
    other = meta_regression(EFFECT, variance=VARIANCE, moderators=frame)
    assert other.reference == {"level": "a"}
    # The same model in other words: same heterogeneity, same test of all moderators.
    assert found.tau2 == pytest.approx(other.tau2, rel=1e-8)
    assert found.qm == pytest.approx(other.qm, rel=1e-8)


def test_r2_is_the_share_of_tau2_on_the_same_rows():
    found = meta_regression(EFFECT, variance=VARIANCE, moderators=pd.DataFrame({"x": DOSE}))
    total = pool(EFFECT, variance=VARIANCE).tau2
    assert found.r2 == pytest.approx(max(0, (total - found.tau2) / total))
    flat = meta_regression(np.ones(K), variance=VARIANCE, moderators=pd.DataFrame({"x": DOSE}))
    assert flat.r2 == 0


def test_prediction_at_the_reference_is_the_intercept():
    found = meta_regression(
        EFFECT, variance=VARIANCE, moderators=pd.DataFrame({"level": LEVEL}), interval="hksj"
    )
    at = found.predict(pd.DataFrame({"level": ["a", "b"]}))
    first, second = found.coefficients["coef"].iloc[0], found.coefficients["coef"].iloc[1]
    assert at["estimate"].tolist() == pytest.approx([first, first + second])
    assert at["ci_low"].iloc[0] == pytest.approx(found.coefficients["ci_low"].iloc[0])


@pytest.mark.parametrize(
    ("frame", "reference", "words"),
    [
        (pd.DataFrame({"level": LEVEL}), {"level": "z"}, "no row has the reference level 'z'"),
        (pd.DataFrame({"level": LEVEL}), {"other": "a"}, "names no moderator: other"),
        (pd.DataFrame({"a": DOSE, "b": 2 * DOSE}), None, "cannot be told apart"),
        (pd.DataFrame({"a": DOSE[:5]}), None, "5 rows for 30 effects"),
    ],
)
def test_refusals(frame, reference, words):
    with pytest.raises(ValueError, match=words):
        meta_regression(EFFECT, variance=VARIANCE, moderators=frame, reference=reference)


def test_too_few_rows_for_the_coefficients():
    with pytest.raises(ValueError, match="2 effects cannot carry 2 coefficients"):
        meta_regression([1, 2], variance=[1, 1], moderators=pd.DataFrame({"x": [0.0, 1.0]}))


def test_holm_corrects_the_joint_tests_by_hand():
    p = {"a": 0.01, "b": 0.04, "c": 0.03}
    found = holm({name: SimpleNamespace(p_moderators=value) for name, value in p.items()})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({}) == {}


def test_holm_is_that_of_statsmodels():
    rng = np.random.default_rng(5)
    for m in (1, 2, 8, 40):
        p = np.append(rng.uniform(0, 0.2, m - 1), 0.01)
        found = holm({i: SimpleNamespace(p_moderators=value) for i, value in enumerate(p)})
        expected = multipletests(p, method="holm")[1]
        np.testing.assert_allclose([found[i] for i in range(m)], expected, rtol=1e-14)


def test_association_is_one_for_copies_and_zero_for_balance():
    levels = pd.DataFrame(
        {"a": ["x", "x", "y", "y"] * 5, "copy": ["1", "1", "2", "2"] * 5,
         "crossed": ["u", "v"] * 10, "one": ["same"] * 20}
    )  # fmt: skip
    table = association(levels)
    assert table.loc["a", "copy"] == pytest.approx(1)
    assert table.loc["a", "crossed"] == pytest.approx(0)
    assert np.isnan(table.loc["a", "one"])
    assert table.equals(table.T)


def test_association_of_rows_that_report_both_is_that_of_scipy():
    levels = pd.DataFrame(
        {name: pd.Series(generator.choice(["a", "b", "c", None], K)) for name in "pqr"}
    )
    levels["r"] = pd.Categorical(levels["r"], ["c", "never", "b", "a"])
    table = association(levels)
    for first, second in ("pq", "pr", "qr"):
        counts = pd.crosstab(levels[first], levels[second])
        expected = stats.contingency.association(counts, method="cramer")
        assert table.loc[first, second] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["intercept", "moderators", "term", "coef", "kind: b"])
def test_a_moderator_may_be_called_like_a_term(name):
    plain = pd.DataFrame({"kind": LEVEL, "dose": DOSE})
    expected = meta_regression(EFFECT, variance=VARIANCE, moderators=plain)
    found = meta_regression(
        EFFECT, variance=VARIANCE, moderators=plain.rename(columns={"dose": name})
    )
    assert found.coefficients["coef"].tolist() == expected.coefficients["coef"].tolist()
    assert found.predict()["estimate"].tolist() == expected.predict()["estimate"].tolist()


@pytest.mark.parametrize("interval", ["z", "hksj", "hksj_truncated"])
def test_equal_effects_leave_nothing_to_explain(interval):
    for effect in (np.full(8, 0.1), np.array([0.3, 0.1 + 0.2] * 4)):
        found = meta_regression(
            effect, variance=VARIANCE[:8], moderators=pd.DataFrame({"x": DOSE[:8]}),
            interval=interval,
        )  # fmt: skip
        assert (found.tau2, found.i2, found.q_residual, found.p_residual) == (0, 0, 0, 1)
        assert (found.coefficients["coef"][1], found.r2) == (0, 0)
        if interval == "hksj":  # no residual, so no standard error and no test
            assert np.isnan(found.p_moderators) and found.coefficients["p"].isna().all()
        else:
            assert found.p_moderators == 1


def test_effects_that_a_moderator_explains_wholly_are_not_certain_for_it():
    frame = pd.DataFrame({"level": list("aaabbb")})
    effect = [0.1, 0.1, 0.1, 0.7, 0.7, 0.7]
    found = meta_regression(effect, variance=[0.1] * 6, moderators=frame, interval="hksj")
    assert found.q_residual == pytest.approx(0, abs=1e-25) and found.p_residual == 1
    assert np.isnan(found.p_moderators)
    floored = meta_regression(
        effect, variance=[0.1] * 6, moderators=frame, interval="hksj_truncated"
    )
    t = 0.6 / np.sqrt(0.2 / 3)
    assert floored.coefficients["p"][1] == pytest.approx(2 * stats.t.sf(t, 4))


def test_one_extreme_variance_costs_a_regression_no_digits():
    """Q and tr P of a model with a level are the sums over the levels, each known exactly."""
    effect = np.array([3.5, 2.25, 4.0, 1.0, 5.5, 4.25, 3.0, 6.0])
    variance = np.array([0.3, 1e-12, 0.5, 0.2, 0.4, 0.6, 0.1, 1e12])
    level = pd.DataFrame({"level": list("aaaabbbb")})
    found = meta_regression(effect, variance=variance, moderators=level, method="DL")
    parts = [pool(effect[r], variance=variance[r], method="DL") for r in (slice(4), slice(4, 8))]
    assert found.q_residual == pytest.approx(sum(part.q for part in parts), rel=1e-12)
    w = 1 / variance.reshape(2, 4)  # tr P of a level: the pairs' products over the sum
    pairs = [sum(row[i] * row[j] for i in range(4) for j in range(4) if i != j) for row in w]
    trace = sum(pair / row.sum() for pair, row in zip(pairs, w, strict=True))
    assert found.tau2 == pytest.approx((found.q_residual - 6) / trace, rel=1e-11)
    common = meta_regression(effect, variance=variance, moderators=level, method="EE")
    means = [pool(part.effect, variance=part.variance, method="EE") for part in parts]
    assert common.coefficients["coef"][1] == pytest.approx(
        means[1].estimate - means[0].estimate, rel=1e-12
    )
    assert common.coefficients["se"][1] == pytest.approx(
        np.hypot(means[0].se, means[1].se), rel=1e-12
    )


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_the_unit_of_a_moderator_does_not_matter(unit):
    frame = pd.DataFrame({"a": DOSE, "b": DOSE**2})
    one = meta_regression(EFFECT, variance=VARIANCE, moderators=frame)
    two = meta_regression(EFFECT, variance=VARIANCE, moderators=frame.assign(b=unit * frame["b"]))
    assert (two.qm, two.tau2) == pytest.approx((one.qm, one.tau2), rel=1e-8)


def test_two_alike_effects_of_a_level_keep_a_floored_interval():
    by = ["a", "a", "b", "b"]
    found = subgroups([1.0, 1.0, 2.0, 2.001], variance=[0.2] * 4, by=by, interval="hksj_truncated")
    half = stats.t.ppf(0.975, 1) * np.sqrt(0.1)
    np.testing.assert_allclose((found.table["ci_high"] - found.table["ci_low"]) / 2, half)
    assert found.q_between == pytest.approx(1.0005**2 / 0.2)
    assert (found.table["i2"] == 0).all() and found.table["q"][0] == 0


def test_a_regression_without_a_p_is_not_counted_by_holm():
    p = {"a": 0.01, "none": np.nan, "b": 0.04}
    found = holm({name: SimpleNamespace(p_moderators=value) for name, value in p.items()})
    assert (found["a"], found["b"]) == pytest.approx((0.02, 0.04)) and np.isnan(found["none"])
