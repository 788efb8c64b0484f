"""Pooling: published analyses, definitions, edge cases and refusals."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from helpers.stats.pooling import METHODS, pool, probability_below, tau2

# Stata's help example of `meta` with its printed, rounded input and output.
STATA = np.array([1.480, 0.999, 1.272, 1.001, 1.179, 1.939, 2.377, 0.694, 1.099, 1.805])
BOUNDS = np.array(
    [(-0.352, 3.311), (-0.933, 2.931), (0.427, 2.117), (0.750, 1.252), (-0.527, 2.884),
     (0.427, 3.452), (1.005, 3.750), (-0.569, 1.956), (-0.147, 2.345), (-0.151, 3.761)]
)  # fmt: skip
STATA_VARIANCE = (np.ptp(BOUNDS, axis=1) / 2 / stats.norm.ppf(0.975)) ** 2


def test_stata_example_within_its_rounded_input():
    found = pool(STATA, variance=STATA_VARIANCE)
    assert found.estimate == pytest.approx(1.138, abs=0.001)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.857, 1.418), abs=0.001)
    assert found.estimate / found.se == pytest.approx(7.96, abs=0.005)
    assert found.tau2 == pytest.approx(0.0156, abs=5e-5)
    assert found.i2 == pytest.approx(5.26, abs=0.005)
    assert found.q == pytest.approx(6.33, abs=0.005)


def test_definitions_on_unequal_variances():
    found = pool([0.1, 0.3, 0.35, 0.65], variance=(v := np.array([0.03, 0.03, 0.05, 0.01])))
    w = 1 / v
    s2 = 3 * w.sum() / (w.sum() ** 2 - (w**2).sum())
    assert found.i2 == pytest.approx(100 * found.tau2 / (found.tau2 + s2))
    assert found.h2 == pytest.approx(1 + found.tau2 / s2)
    assert found.weights.sum() == pytest.approx(1)
    half = stats.t.ppf(0.975, 2) * np.sqrt(found.se**2 + found.tau2)
    assert found.pi_high == pytest.approx(found.estimate + half)
    common = pool(found.effect, variance=v, method="EE")
    assert common.i2 == pytest.approx(100 * (found.q - 3) / found.q)
    assert np.isnan(common.pi_low)


def test_hartung_knapp_is_not_floored_unless_asked():
    effect, variance = [1.0, 1.01, 0.99, 1.0], [0.04] * 4
    plain = pool(effect, variance=variance)
    floored = pool(effect, variance=variance, interval="hksj_truncated")
    raw = pool(effect, variance=variance, interval="hksj")
    assert raw.se < plain.se
    assert floored.se == plain.se
    assert floored.ci_high - 1 == pytest.approx(stats.t.ppf(0.975, 3) * plain.se)


@pytest.mark.parametrize("method", METHODS)
def test_batches_agree_with_single_fits(method):
    generator = np.random.default_rng(5)
    y, v = generator.normal(size=(4, 3, 9)), generator.uniform(0.05, 2, size=(4, 3, 9))
    batch = tau2(y, variances=v, method=method)
    assert batch.shape == (4, 3)
    single = [[tau2(y[i, j], variances=v[i, j], method=method) for j in range(3)] for i in range(4)]
    np.testing.assert_allclose(batch, single, rtol=1e-10, atol=1e-12)


def test_an_infinite_variance_leaves_an_effect_out():
    y, v = np.array([0.1, 0.9, 0.4, 5.0]), np.array([0.02, 0.03, 0.02, np.inf])
    for method in METHODS:
        without = tau2(y[:3], variances=v[:3], method=method)
        assert tau2(y, variances=v, method=method) == pytest.approx(without, rel=1e-9, abs=1e-12)


def test_reml_is_the_maximum_of_its_likelihood():
    generator = np.random.default_rng(1)
    for _ in range(20):
        v = 10 ** generator.uniform(-6, 1, 12)
        y = generator.normal(0, np.sqrt(v + 10 ** generator.uniform(-6, 0)))
        found = tau2(y, variances=v)

        def loglik(t, y=y, v=v):
            w = 1 / (v + t)
            mu = w @ y / w.sum()
            return 0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ (y - mu) ** 2)

        for factor in (0.98, 1.02):
            assert loglik(found) >= loglik(max(found * factor, 1e-12 * (factor > 1))) - 1e-9


def test_q_profile_bounds_reach_their_quantiles():
    found = pool(STATA, variance=STATA_VARIANCE * 0.3)
    low, high = found.heterogeneity_interval()["tau2"]
    for bound, tail in ((low, 0.025), (high, 0.975)):
        w = 1 / (found.variance + bound)
        mu = w @ STATA / w.sum()
        assert stats.chi2.sf(w @ (STATA - mu) ** 2, 9) == pytest.approx(tail)


def test_null_interval_of_equal_effects():
    found = pool([0.5] * 8, variance=[0.1] * 8)
    assert found.tau2 == 0
    assert found.heterogeneity_interval()["tau2"] == (0, 0)


def test_one_effect_is_shown_not_pooled():
    found = pool([2.0], variance=[0.25])
    assert not found.pooled
    assert (found.estimate, found.se) == (2.0, 0.5)
    assert np.isnan(found.tau2)
    assert np.isnan(found.i2)
    assert np.isnan(found.pi_low)


def test_two_effects_have_no_prediction_interval():
    found = pool([2.0, 1.0], variance=[0.25, 0.25])
    assert found.pooled
    assert np.isnan(found.pi_low)


@pytest.mark.parametrize(
    ("effect", "variance", "words"),
    [
        ([1.0, 2.0], [0.1], "equal length"),
        ([1.0, np.nan], [0.1, 0.1], r"effect is not finite at position\(s\) 1"),
        ([1.0, 2.0], [0.1, -0.1], "variance is not finite and above 0"),
        ([1.0, 2.0], [0.0, 0.1], "variance is not finite and above 0"),
        ([], [], "no effect"),
    ],
)
def test_nonsense_is_refused(effect, variance, words):
    with pytest.raises(ValueError, match=words):
        pool(effect, variance=variance)


@pytest.mark.parametrize("option", ["method", "interval", "prediction"])
def test_unknown_options_are_refused(option):
    with pytest.raises(ValueError, match="is one of"):
        pool([1.0, 2.0], variance=[0.1, 0.1], **{option: "nonsense"})


@pytest.mark.parametrize(
    ("prediction", "tail"),
    [
        ("riley", lambda k: stats.t(k - 2)),
        ("z", lambda k: stats.norm()),
        ("hk", lambda k: stats.t(k - 1)),
    ],
)
@pytest.mark.parametrize("value", [0.0, 1.3, -2.0])
def test_the_probability_of_an_effect_below_a_value_is_that_of_the_prediction_interval(
    prediction, tail, value
):
    effect, variance = np.array([0.4, 2.1, 1.7, -0.3, 3.0]), np.array([0.2, 0.3, 0.25, 0.4, 0.1])
    result = pool(effect, variance=variance, prediction=prediction, level=0.9)
    w = 1 / (variance + result.tau2)
    mean = (w * effect).sum() / w.sum()
    square = 1 / w.sum()
    if prediction == "hk":
        square *= (w * (effect - mean) ** 2).sum() / 4
    scale = np.sqrt(square + result.tau2)
    expected = tail(5).cdf((value - mean) / scale)
    assert probability_below(result, value) == pytest.approx(expected, rel=1e-9)


def test_the_ends_of_a_prediction_interval_have_its_tails_beyond_them():
    result = pool([1.0, 2.5, 0.2, 3.1], variance=[0.2, 0.1, 0.3, 0.2], level=0.8)
    assert probability_below(result, result.pi_low) == pytest.approx(0.1)
    assert probability_below(result, result.pi_high) == pytest.approx(0.9)


def test_there_is_no_probability_without_a_prediction_interval():
    assert np.isnan(probability_below(pool([1.0, 2.0], variance=[0.1, 0.1])))
    assert np.isnan(probability_below(pool([1.0, 2.0, 3.0], variance=[0.1] * 3, method="EE")))


def exact(effect, variance, method="Q"):
    """Q, s² or τ² of DerSimonian and Laird in whole fractions, without any rounding."""
    y, w = [Fraction(x) for x in effect], [1 / Fraction(x) for x in variance]
    total, df = sum(w), len(y) - 1
    mean = sum(a * b for a, b in zip(w, y, strict=True)) / total
    q = sum(a * (b - mean) ** 2 for a, b in zip(w, y, strict=True))
    trace = total - sum(a * a for a in w) / total
    return float({"Q": q, "s2": df / trace, "DL": (q - df) / trace}[method])


SPREAD = np.array([0.5, 3.25, -1.75, 2.0, 0.125])  # exact in binary, so that a shift is exact too


@pytest.mark.parametrize("shift", [0.0, 1e5, -1e9])
@pytest.mark.parametrize("method", METHODS)
def test_digits_do_not_depend_on_where_the_effects_lie(method, shift):
    v = np.array([0.1, 0.4, 0.2, 0.3, 0.25])
    here, there = (pool(SPREAD + s, variance=v, method=method) for s in (0, shift))
    for name in ("tau2", "i2", "h2", "q", "p_heterogeneity", "se"):
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-12), name
    assert here.q == pytest.approx(exact(SPREAD, v), rel=1e-14)


@pytest.mark.parametrize(
    "variance",
    [
        [1e-12, 0.4, 0.2, 0.3, 0.25],
        [1e12, 0.4, 0.2, 0.3, 0.25],
        [1e-12, 1e12, 1e-6, 1.0, 1e-12],
        [1e-12, 4e-12, 2e-12, 3e-12, 2e-12],
        [1e12, 4e12, 2e12, 3e12, 2e12],
    ],
)
def test_extreme_variances_cost_no_digits(variance):
    found = pool(SPREAD + 10, variance=variance, method="DL")
    q, s2 = exact(SPREAD, variance), exact(SPREAD, variance, "s2")
    tau2 = max(0, exact(SPREAD, variance, "DL"))
    assert found.q == pytest.approx(q, rel=1e-13)
    assert found.tau2 == pytest.approx(tau2, rel=1e-12)
    assert found.i2 == pytest.approx(100 * tau2 / (tau2 + s2), rel=1e-12)


# 0.1 + 0.2 is not 0.3 in a computer, and no spread of effects either.
ALIKE = [[0.1, 0.1], [0.3, 0.1 + 0.2], [0.0] * 3, [1e5 / 3] * 4, [0.3, 0.1 + 0.2, 0.3]]


@pytest.mark.parametrize("effect", ALIKE)
@pytest.mark.parametrize("method", METHODS)
def test_equal_effects_have_no_heterogeneity(effect, method):
    for low in (1e-12, 0.04, 0.1):
        variance = np.linspace(low, 0.1, len(effect))
        for interval in ("z", "hksj_truncated"):
            found = pool(effect, variance=variance, method=method, interval=interval)
            assert (found.q, found.p_heterogeneity, found.i2, found.tau2) == (0, 1, 0, 0)
            assert found.h2 == (0 if method == "EE" else 1)
            assert found.ci_high - found.ci_low >= 2 * 1.9599 * found.se > 0
        raw = pool(effect, variance=variance, method=method, interval="hksj")
        # No spread gives Hartung-Knapp no standard error; that is no p of 0.
        assert raw.se == 0 and np.isnan(raw.p_effect)
