"""What must hold for any data: scale, shift, order, sign, duplication, bounds, refusals."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.stats import heterogeneity
from helpers.stats.influence import cumulative, diagnostics, leave_one_out
from helpers.stats.moderators import meta_regression, subgroups
from helpers.stats.multilevel import three_level
from helpers.stats.pooling import METHODS, pool, tau2
from helpers.stats.publication_bias import selection_model, trim_and_fill
from helpers.stats.small_study import egger

settings.register_profile("engine", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("engine")

FINITE = st.floats(-50, 50, allow_nan=False).map(lambda x: round(x, 4))
VARIANCE = st.floats(1e-3, 1e3).map(lambda x: float(f"{x:.3g}"))
METHOD = st.sampled_from(METHODS)
INTERVAL = st.sampled_from(["z", "hksj", "hksj_truncated"])


@st.composite
def data_sets(draw, least=2, most=25):
    k = draw(st.integers(least, most))
    y = np.array(draw(st.lists(FINITE, min_size=k, max_size=k)))
    v = np.array(draw(st.lists(VARIANCE, min_size=k, max_size=k)))
    return y, v


def unit(y, v):
    return np.sqrt(np.var(y) + v.min())


# ---------------------------------------------------------------------------------------- pooling


@given(data_sets(), METHOD, INTERVAL)
def test_bounds_and_shares(data, method, interval):
    y, v = data
    found = pool(y, variance=v, method=method, interval=interval)
    assert found.tau2 >= 0 and 0 <= found.i2 <= 100 and found.q >= 0
    assert 0 <= found.p_heterogeneity <= 1
    assert found.weights.sum() == pytest.approx(1) and (found.weights > 0).all()
    assert y.min() - 1e-9 <= found.estimate <= y.max() + 1e-9
    assert found.ci_low <= found.estimate <= found.ci_high
    low, high = found.heterogeneity_interval()["tau2"]
    assert 0 <= low <= high


@given(data_sets(), METHOD, INTERVAL, st.sampled_from([1e-3, 0.7, 40.0]))
def test_scale(data, method, interval, factor):
    y, v = data
    one = pool(y, variance=v, method=method, interval=interval)
    two = pool(factor * y, variance=factor**2 * v, method=method, interval=interval)
    size = unit(y, v)
    assert two.tau2 == pytest.approx(
        factor**2 * one.tau2, rel=1e-6, abs=1e-9 * (factor * size) ** 2
    )
    for name in ("estimate", "se", "ci_low", "ci_high"):
        ours, theirs = getattr(two, name), factor * getattr(one, name)
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-7 * factor * size), name
    assert two.i2 == pytest.approx(one.i2, rel=1e-5, abs=1e-5)


@given(data_sets(), METHOD, st.sampled_from([-30.0, 0.25, 1000.0]))
def test_shift(data, method, shift):
    y, v = data
    one, two = pool(y, variance=v, method=method), pool(y + shift, variance=v, method=method)
    size = unit(y, v)
    assert two.estimate - shift == pytest.approx(one.estimate, abs=1e-5 * size)
    assert two.tau2 == pytest.approx(one.tau2, rel=1e-5, abs=1e-7 * size**2)
    assert two.q == pytest.approx(one.q, rel=1e-6, abs=1e-6)


@given(data_sets(), METHOD, st.randoms(use_true_random=False))
def test_order_and_sign(data, method, random):
    y, v = data
    order = list(range(len(y)))
    random.shuffle(order)
    one = pool(y, variance=v, method=method)
    two = pool(-y[order], variance=v[order], method=method)
    size = unit(y, v)
    assert two.estimate == pytest.approx(-one.estimate, rel=1e-7, abs=1e-8 * size)
    assert two.se == pytest.approx(one.se, rel=1e-6)
    assert two.ci_low == pytest.approx(-one.ci_high, rel=1e-6, abs=1e-7 * size)


@given(data_sets())
def test_duplication_keeps_the_common_effect_and_halves_its_variance(data):
    y, v = data
    one = pool(y, variance=v, method="EE")
    two = pool(np.tile(y, 2), variance=np.tile(v, 2), method="EE")
    assert two.estimate == pytest.approx(one.estimate, rel=1e-9, abs=1e-9)
    assert two.se == pytest.approx(one.se / np.sqrt(2))
    assert two.q == pytest.approx(2 * one.q, abs=1e-8)
    # Maximum likelihood does not mind either; REML does, by its degrees of freedom.
    three = [tau2(np.tile(y, n), variances=np.tile(v, n), method="ML") for n in (1, 2)]
    assert three[1] == pytest.approx(three[0], rel=1e-6, abs=1e-8 * unit(y, v) ** 2)


@given(data_sets(), st.sampled_from(["REML", "ML"]))
def test_no_value_of_tau2_has_a_visibly_higher_likelihood(data, method):
    y, v = data
    design = heterogeneity._Design(np.ones((len(y), 1)))
    found = tau2(y, variances=v, method=method)
    ladder = np.concatenate([[0], np.geomspace(1e-4, 10, 300)]) * unit(y, v) ** 2
    ladder = np.append(ladder, found)
    gain = heterogeneity._gain(
        np.tile(y, (302, 1)), np.tile(v, (302, 1)), design, ladder, method == "REML"
    )
    assert gain[-1] >= gain[:-1].max() - 1e-6


def test_a_maximum_far_from_the_moment_estimates_is_found():
    y, v = np.zeros(8), np.array([1.0, 1, 1, 1, 73, 0.0156, 0.00391, 3])
    y[7] = 9
    found = tau2(y, variances=v)
    assert found == pytest.approx(6.553, abs=0.001)  # by a search of 20,000 points


def test_of_two_maxima_above_0_the_higher_is_found():
    y = np.array([0.0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0])
    v = np.array(
        [1, 1, 2, 3, 3, 22, 90, 223, 1, 267, 323, 838, 1000, 0.25, 14, 223, 13, 19, 289, 489]
    )
    assert tau2(y, variances=v) == pytest.approx(16.5942, abs=1e-4)  # the other lies at 0.00002


@pytest.mark.slow
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_the_highest_maximum_of_many_odd_sets_is_found(method):
    chance = np.random.default_rng(1)
    for k in chance.integers(3, 60, 40):
        v = np.exp(chance.uniform(0, chance.uniform(0, 10), (2000, k)))
        y = chance.standard_t(1.5, v.shape) * np.sqrt(v) ** chance.choice([0, 1])
        design, size = heterogeneity._Design(np.ones((k, 1))), y.var(1) + v.mean(1)
        gain = partial(heterogeneity._gain, y, v, design, restricted=method == "REML")
        best = np.max([gain(step * size) for step in [0, *np.geomspace(1e-5, 20, 160)]], axis=0)
        assert (gain(tau2(y, variances=v, method=method)) > best - 1e-6).all()


@pytest.mark.parametrize("name", ["gibson2002_md", "lau1992"])
def test_the_higher_of_two_maxima_is_found(name):
    """Mean differences in asthma have a second, lower maximum at 0; metafor agrees."""
    import json
    import pathlib

    path = pathlib.Path(__file__).parents[1] / "reference" / "reference.json"
    data = json.loads(path.read_text())["data"][name]
    y, v = np.array(data["yi"]), np.array(data["vi"])
    if name == "lau1992":
        y, v = y[:26], v[:26]
    expected = {"gibson2002_md": 9.67921400031, "lau1992": 0.0116562388825}[name]
    assert tau2(y, variances=v) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("extreme", [1e-12, 1e12])
def test_one_extreme_variance(method, extreme):
    y = np.array([1.0, 2.0, 0.5, 1.4, 3.0])
    v = np.array([0.2, 0.3, 0.25, 0.4, extreme])
    found = pool(y, variance=v, method=method)
    assert all(np.isfinite(getattr(found, n)) for n in ("estimate", "se", "tau2", "i2", "q"))
    if extreme == 1e12 and method in ("REML", "ML", "EE"):  # moments count it as an effect
        assert found.estimate == pytest.approx(pool(y[:4], variance=v[:4], method=method).estimate)
    if method == "EE" and extreme == 1e-12:
        assert found.estimate == pytest.approx(3.0)


@pytest.mark.parametrize("method", METHODS)
def test_equal_effects(method):
    found = pool(np.full(6, 1.5), variance=np.linspace(0.1, 0.6, 6), method=method, interval="hksj")
    assert (found.estimate, found.tau2, found.i2) == (1.5, 0, 0)
    assert found.q == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_one_and_two_effects(k, method):
    found = pool([0.5, 2.5][:k], variance=[0.1, 0.2][:k], method=method)
    assert found.k == k and np.isfinite([found.estimate, found.se, found.ci_low]).all()
    assert np.isnan(found.pi_low)
    if k == 2 and method in ("REML", "DL", "PM", "EB", "HE"):
        # With two effects all of these solve (y1 - y2)²/2 = (v1 + v2)/2 + τ².
        assert found.tau2 == pytest.approx(2 - 0.15) or method == "DL"


# ------------------------------------------------------------------------------------- moderators


@given(data_sets(least=8), METHOD)
def test_meta_regression_on_dummies_reparametrised(data, method):
    """Another reference level changes signs, nothing else."""
    y, v = data
    group = pd.DataFrame({"g": np.where(np.arange(len(y)) % 2, "a", "b")})
    one, two = (
        meta_regression(y, variance=v, moderators=group, reference={"g": r}, method=method)
        for r in "ab"
    )
    size = unit(y, v)
    assert one.coefficients["coef"][1] == pytest.approx(
        -two.coefficients["coef"][1], rel=1e-5, abs=1e-6 * size
    )
    assert one.tau2 == pytest.approx(two.tau2, rel=1e-5, abs=1e-7 * size**2)
    assert 0 <= one.r2 <= 1 and 0 <= one.i2 <= 100 and one.qm >= 0
    assert one.q_residual == pytest.approx(two.q_residual, rel=1e-6, abs=1e-6)


@given(data_sets(least=6), st.sampled_from([1.0, 1e3]), st.sampled_from([0.0, 2000.0]))
def test_slope_follows_the_unit_of_its_moderator(data, factor, shift):
    y, v = data
    x = np.arange(len(y), dtype=float)
    one = meta_regression(y, variance=v, moderators=pd.DataFrame({"x": x}))
    two = meta_regression(y, variance=v, moderators=pd.DataFrame({"x": factor * x + shift}))
    slope = [r.coefficients["coef"][1] for r in (one, two)]
    assert factor * slope[1] == pytest.approx(slope[0], rel=1e-5, abs=1e-6 * unit(y, v))
    assert one.tau2 == pytest.approx(two.tau2, rel=1e-4, abs=1e-6 * unit(y, v) ** 2)


@given(data_sets(least=6))
def test_subgroups_add_up(data):
    y, v = data
    by = np.where(np.arange(len(y)) % 3, "a", "b")
    found = subgroups(y, variance=v, by=by)
    assert found.table["k"].sum() == len(y) and found.q_between >= 0 and found.df == 1


# -------------------------------------------------------------------------------------- influence


@given(data_sets(least=3, most=12), st.sampled_from(["REML", "DL", "EE"]))
def test_influence_follows_scale_sign_and_order(data, method):
    y, v = data
    turned = np.arange(len(y))[::-1]
    one = diagnostics(y, variance=v, method=method)
    two = diagnostics(-10 * y[turned], variance=100 * v[turned], method=method).iloc[turned]
    for name, sign in (("hat", 1), ("cook", 1), ("rstudent", -1), ("dfbetas", -1)):
        np.testing.assert_allclose(two[name], sign * one[name], rtol=1e-3, atol=1e-4, err_msg=name)
    assert one["hat"].sum() == pytest.approx(1) and one["weight"].between(0, 100).all()
    table = leave_one_out(y, variance=v, method=method)
    assert (table["k"] == len(y) - 1).all() and (table["tau2"] >= 0).all()
    last = cumulative(y, variance=v, method=method).iloc[-1]
    assert last["estimate"] == pytest.approx(pool(y, variance=v, method=method).estimate)


# ---------------------------------------------------------------------------- small-study effects


@given(data_sets(least=4))
def test_small_study_tests_follow_scale(data):
    y, v = data
    assume(len(np.unique(v)) > 2 and np.ptp(y) > 0.1)
    one, two = egger(y, variance=v), egger(10 * y, variance=100 * v)
    assert two.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-6)
    assert egger(y + 5, variance=v).slope == pytest.approx(one.slope, rel=1e-5, abs=1e-5)


@given(data_sets(least=4), st.sampled_from(["L0", "R0"]), st.sampled_from(["left", "right"]))
def test_trim_and_fill_adds_and_mirrors(data, estimator, side):
    y, v = data
    try:
        found = trim_and_fill(y, variance=v, estimator=estimator, side=side, method="DL")
    except RuntimeError as error:
        assert "settle" in str(error)
        return
    assert 0 <= found.k0 < len(y) and found.pooled.k == len(y) + found.k0
    np.testing.assert_array_equal(found.pooled.effect[: len(y)], y)
    assert np.isin(found.filled_variance, v).all()
    mirrored = trim_and_fill(
        -y, variance=v, estimator=estimator, side={"left": "right", "right": "left"}[side],
        method="DL",
    )  # fmt: skip
    assert mirrored.k0 == found.k0
    assert mirrored.pooled.estimate == pytest.approx(-found.pooled.estimate, rel=1e-9, abs=1e-9)


@given(data_sets(least=5))
def test_selection_model_never_fits_worse_than_no_selection(data):
    y, v = data
    above = y > 1.959964 * np.sqrt(v)
    assume(0 < above.sum() < len(y))
    found = selection_model(y, variance=v)
    assert found.statistic >= 0 and found.tau2 >= 0 and found.delta > 0


# ------------------------------------------------------------------------------------- dependence


@given(data_sets(least=5), st.integers(2, 4))
def test_three_level_bounds(data, size):
    y, v = data
    study = np.arange(len(y)) // size
    assume(study.max() > 0)
    found = three_level(y, study=study, variance=v)
    assert found.sigma2_study >= 0 and found.sigma2_experiment >= 0 and 0 <= found.i2 <= 100
    assert found.i2 == pytest.approx(found.i2_study + found.i2_experiment)
    # The two-level model is the same with one variance fixed at 0.
    two = pool(y, variance=v)
    design = heterogeneity._Design(np.ones((len(y), 1)))
    gain = heterogeneity._gain(y[None], v[None], design, np.array([two.tau2]), True)[0]
    zero = three_level_loglik_at_zero(y, v)
    assert found.loglik >= zero + gain - 1e-7


def three_level_loglik_at_zero(y, v):
    w = 1 / v
    q = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
    terms = np.log(v).sum() + np.log(w.sum()) + q + (len(y) - 1) * np.log(2 * np.pi)
    return (np.log(len(y)) - terms) / 2


# ---------------------------------------------------------------------------------------- refusal

BAD = {
    "negative variance": ([1.0, 2.0, 3.0, 4.0], [0.1, -0.1, 0.2, 0.3]),
    "zero variance": ([1.0, 2.0, 3.0, 4.0], [0.1, 0.0, 0.2, 0.3]),
    "NaN effect": ([1.0, np.nan, 3.0, 4.0], [0.1, 0.1, 0.2, 0.3]),
    "NaN variance": ([1.0, 2.0, 3.0, 4.0], [0.1, np.nan, 0.2, 0.3]),
    "infinite effect": ([1.0, np.inf, 3.0, 4.0], [0.1, 0.1, 0.2, 0.3]),
    "unequal lengths": ([1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.3]),
    "nothing": ([], []),
}
FUNCTIONS = {
    "pool": pool,
    "subgroups": lambda y, variance: subgroups(y, variance=variance, by=["a"] * len(y)),
    "meta_regression": lambda y, variance: meta_regression(
        y, variance=variance, moderators=pd.DataFrame({"x": range(len(y))})
    ),
    "three_level": lambda y, variance: three_level(y, variance=variance, study=range(len(y))),
    "leave_one_out": leave_one_out,
    "diagnostics": diagnostics,
    "cumulative": cumulative,
    "egger": egger,
    "trim_and_fill": trim_and_fill,
    "selection_model": selection_model,
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nonsense_is_refused_with_a_clear_error(name, bad):
    y, v = BAD[bad]
    words = "not finite|above 0|equal length|no effect|at least"
    with pytest.raises(ValueError, match=words):
        FUNCTIONS[name](y, variance=v)
