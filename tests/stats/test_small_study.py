"""Tests for small-study effects, trim and fill, selection model, excess significance, power."""

import numpy as np
import pytest
from scipy import stats

from helpers.stats.pooling import pool
from helpers.stats.publication_bias import excess_significance, selection_model, trim_and_fill
from helpers.stats.small_study import doleman, egger, power, pustejovsky


@pytest.fixture
def data():
    rng = np.random.default_rng(11)
    n1, n2 = rng.integers(4, 13, (2, 20))
    v = 1 / n1 + 1 / n2 + rng.uniform(0.05, 0.3, 20)
    return {
        "y": 1 + rng.normal(0, np.sqrt(v + 0.4)),
        "v": v,
        "baseline": rng.uniform(3, 9, 20),
        "sizes": {"n_treated": n1, "n_control": n2},
    }


def least_squares(y, x, w):
    """Weighted least squares by numpy, slope with its t and df."""
    root = np.sqrt(w)
    design = np.column_stack([np.ones_like(x), x])
    beta = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    residual = (y - design @ beta) * root
    covariance = np.linalg.inv(design.T @ (w[:, None] * design)) * (residual @ residual)
    return beta, beta[1] / np.sqrt(covariance[1, 1] / (len(y) - 2))


# ------------------------------------------------------------------------------------------ tests


def test_regression_tests_are_weighted_least_squares(data):
    y, v = data["y"], data["v"]
    n1, n2 = data["sizes"].values()
    x = np.sqrt(1 / n1 + 1 / n2)
    for found, expected in (
        (egger(y, variance=v), least_squares(y, np.sqrt(v), 1 / v)),
        (pustejovsky(y, **data["sizes"]), least_squares(y, x, x**-2)),
    ):
        (intercept, slope), t = expected
        assert (found.intercept, found.slope) == pytest.approx((intercept, slope))
        assert found.statistic == pytest.approx(t) and found.df == 18
        assert found.p == pytest.approx(2 * stats.t.sf(abs(t), 18))
        assert found.statistic == pytest.approx(found.slope / found.se)


def test_doleman_regresses_residuals_on_inverse_sample_size(data):
    y, baseline = data["y"], data["baseline"]
    n = sum(data["sizes"].values())
    found = doleman(y, baseline=baseline, first_step="ols", weights="n", **data["sizes"])
    (intercept, slope), _ = least_squares(y, baseline, np.ones(20))
    residual = y - intercept - slope * baseline
    np.testing.assert_allclose(found.y, residual)
    np.testing.assert_allclose(found.x, 1 / n)
    assert found.statistic == pytest.approx(least_squares(residual, 1 / n, n)[1])
    assert found.options == {"first_step": "ols", "weights": "n"}


def test_doleman_is_blind_to_what_the_baseline_explains(data):
    y = data["y"]
    shifted = y + 5 * data["baseline"]
    options = {"baseline": data["baseline"], "first_step": "ols", **data["sizes"]}
    assert doleman(y, **options).p == pytest.approx(doleman(shifted, **options).p)


def test_sign_of_the_effects_does_not_matter(data):
    one, two = (egger(sign * data["y"], variance=data["v"]) for sign in (1, -1))
    assert one.p == pytest.approx(two.p) and one.statistic == pytest.approx(-two.statistic)


# ------------------------------------------------------------------------------------ adjustments


def test_trim_and_fill_by_hand():
    """Three effects far out on the right: R0 counts the run of extreme ranks less one."""
    y = np.array([-0.2, -0.1, 0.0, 0.1, 0.2, 0.25, 3.0, 4.0, 5.0])
    found = trim_and_fill(y, variance=np.full(9, 0.01), estimator="R0", side="left", method="EE")
    assert found.k0 == 2 and found.side == "left" and found.pooled.k == 11
    center = y[:7].mean()
    np.testing.assert_allclose(found.filled_effect, 2 * center - np.array([4.0, 5.0]))
    assert found.pooled.estimate == pytest.approx(center)


def test_trim_and_fill_takes_the_side_from_the_slope_not_from_the_sign(data):
    v = np.linspace(0.05, 1, 20)
    for shift in (-10, 10):
        assert trim_and_fill(shift + 2 * np.sqrt(v), variance=v).side == "left"
        assert trim_and_fill(shift - 2 * np.sqrt(v), variance=v).side == "right"


def test_trim_and_fill_mirrors(data):
    for estimator in ("L0", "R0"):
        one = trim_and_fill(data["y"], variance=data["v"], estimator=estimator)
        two = trim_and_fill(-data["y"], variance=data["v"], estimator=estimator)
        assert one.k0 == two.k0 and {one.side, two.side} == {"left", "right"}
        assert one.pooled.estimate == pytest.approx(-two.pooled.estimate)


def test_trim_and_fill_with_nothing_missing_changes_nothing():
    y = np.array([-2.0, -1.0, 0.01, 1.0, 2.0])
    found = trim_and_fill(y, variance=np.ones(5), side="left")
    plain = pool(y, variance=np.ones(5))
    assert found.k0 == 0 and not len(found.filled_effect)
    assert (found.pooled.estimate, found.pooled.ci_low) == (plain.estimate, plain.ci_low)


def test_selection_model_likelihood_has_its_maximum_there(data):
    y, v = data["y"], data["v"]
    found = selection_model(y, variance=v)

    def loglik(mu, tau2, delta):
        bar, s = stats.norm.isf(0.025) * np.sqrt(v), np.sqrt(v + tau2)
        weight = np.where(y > bar, 1, delta)
        area = stats.norm.sf(bar, mu, s) + delta * stats.norm.cdf(bar, mu, s)
        return np.log(weight * stats.norm.pdf(y, mu, s) / area).sum()

    at = (found.estimate, found.tau2, found.delta)
    assert loglik(*at) == pytest.approx(found.loglik)
    for i in range(3):
        for step in (-1e-3, 1e-3):
            near = list(at)
            near[i] += step
            assert loglik(*near) < found.loglik
    plain = pool(y, variance=v, method="ML")
    ratio = 2 * (found.loglik - loglik(plain.estimate, plain.tau2, 1))
    assert found.statistic == pytest.approx(ratio) and found.df == 1
    assert found.significant == (y > stats.norm.isf(0.025) * np.sqrt(v)).sum()


def test_selection_model_turns_with_the_effects(data):
    one = selection_model(data["y"], variance=data["v"])
    two = selection_model(-data["y"], variance=data["v"], alternative="less")
    assert one.estimate == pytest.approx(-two.estimate) and one.p == pytest.approx(two.p)


def test_selection_model_finds_the_truth_behind_a_selected_sample():
    rng = np.random.default_rng(5)
    v = rng.uniform(0.02, 0.3, 20_000)
    y = rng.normal(0.3, np.sqrt(v + 0.04))
    kept = (y > 1.96 * np.sqrt(v)) | (rng.random(len(v)) < 0.2)
    found = selection_model(y[kept], variance=v[kept])
    assert found.estimate == pytest.approx(0.3, abs=4 * found.se)
    assert found.delta == pytest.approx(0.2, rel=0.15)
    assert pool(y[kept], variance=v[kept]).estimate > 0.38 and found.p < 1e-6


def test_excess_significance_by_hand():
    y, v = np.array([1.0, 0.1, 2.5, -0.2]), np.array([0.2, 0.1, 0.4, 0.3])
    mu = (y / v).sum() / (1 / v).sum()
    bar = 1.959964 * np.sqrt(v)
    chance = stats.norm.sf(bar, mu, np.sqrt(v)) + stats.norm.cdf(-bar, mu, np.sqrt(v))
    found = excess_significance(y, variance=v, method="EE")
    assert (found.observed, found.k) == (2, 4)
    assert found.expected == pytest.approx(chance.sum(), rel=1e-6)
    exact = excess_significance(y, variance=v, method="EE", test="exact")
    outcomes = np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1)
    odds = np.where(outcomes, chance[:, None], 1 - chance[:, None]).prod(0)
    assert exact.p == pytest.approx(odds[outcomes.sum(0) >= 2].sum(), rel=1e-6)


# ------------------------------------------------------------------------------------------ power


def test_power_is_reproducible_and_names_what_it_did(data):
    sizes = data["sizes"].values()
    call = {"mean": 1.0, "tau": 0.5, "replicates": 100, "baseline": data["baseline"]}
    one = power(*sizes, seed=1, **call)
    assert one["test"].tolist() == ["doleman", "pustejovsky", "egger"]
    assert one.equals(power(*sizes, seed=1, **call))
    assert not one.equals(power(*sizes, seed=2, **call))
    assert one["power"].between(0, 1).all() and (one["suppressed"] == 0.8).all()
    without = power(*sizes, mean=1.0, tau=0.5, replicates=50)
    assert "doleman" not in without["test"].tolist()


@pytest.mark.parametrize("test", ["doleman", "pustejovsky", "egger"])
def test_power_runs_the_same_tests_as_on_real_data(data, test, monkeypatch):
    """One simulated data set, tested by the public function, gives the share 0 or 1 reported."""
    from helpers.stats import small_study

    n1, n2 = (n.astype(float) for n in data["sizes"].values())
    rng = np.random.default_rng(0)
    y, v = small_study._published(n1, n2, 1.0, 0.8, 0.9, 1, rng)
    public = {
        "doleman": lambda: doleman(y[0], baseline=data["baseline"], variance=v[0], **data["sizes"]),
        "pustejovsky": lambda: pustejovsky(y[0], **data["sizes"]),
        "egger": lambda: egger(y[0], variance=v[0]),
    }[test]().p
    monkeypatch.setattr(small_study, "_published", lambda *_: (y, v))
    for alpha, rejects in ((public + 1e-9, 1.0), (public - 1e-9, 0.0)):
        table = power(
            n1, n2, mean=1, tau=0.8, baseline=data["baseline"], alpha=alpha, replicates=1
        ).set_index("test")
        assert table.loc[test, "power"] == rejects


def test_suppression_keeps_back_what_it_says():
    from helpers.stats.small_study import _published

    n = np.full(10, 8.0)
    shares = []
    for suppressed in (0.0, 0.8):
        g, _ = _published(n, n, 0.5, 0.5, suppressed, 4000, np.random.default_rng(1))
        j = 1 - 3 / (4 * 14 - 1)
        shares.append((np.abs(g / j) / np.sqrt(2 / 8) < stats.t.isf(0.025, 14)).mean())
    before, after = shares
    assert after == pytest.approx(0.2 * before / (0.2 * before + 1 - before), abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("k", [15, 30, 72])
def test_type_one_error_and_power_of_the_small_study_tests(k):
    """No bias at all: tests on sample size keep their level, tests on the standard error do not."""
    rng = np.random.default_rng(k)
    table = power(
        rng.integers(4, 13, k), rng.integers(4, 13, k), mean=2.3, tau=1.3, suppressed=0.8,
        baseline=rng.normal(5, 2, k), replicates=4000, seed=k,
    ).set_index("test")  # fmt: skip
    false = table["false_alarms"]
    assert false[["doleman", "pustejovsky"]].between(0.03, 0.08).all()
    assert false["egger"] > (0.9 if k == 15 else 0.99)
    # With so much heterogeneity few results are suppressed, and group sizes vary little.
    assert table["power"][["doleman", "pustejovsky"]].between(0.02, 0.15).all()


@pytest.mark.slow
def test_sample_size_tests_have_power_where_there_is_something_to_see():
    """Group sizes that vary much, a small mean, hardly any heterogeneity."""
    rng = np.random.default_rng(1)
    n = np.round(np.exp(rng.uniform(np.log(4), np.log(60), 60)))
    call = {"mean": 0.4, "tau": 0.05, "suppressed": 0.95, "baseline": rng.normal(5, 2, 60)}
    weighted = power(n, n, weights="n", replicates=2000, **call).set_index("test")
    assert weighted["power"][["doleman", "pustejovsky"]].min() > 0.7
    assert weighted["false_alarms"][["doleman", "pustejovsky"]].max() < 0.08
    # Unweighted, Doleman's second step takes small groups' larger scatter for a slope.
    plain = power(n, n, replicates=2000, **call).set_index("test")
    assert 0.1 < plain.loc["doleman", "false_alarms"] < 0.2


# ---------------------------------------------------------------------------------------- refusal

TWO = {"effect": [1.0, 2.0], "variance": [0.1, 0.2]}
FOUR = {"effect": [0.1, 0.2, 0.3, 0.4], "variance": [1.0, 1.1, 1.2, 1.3]}
SIZES = {"n_treated": [5, 6, 7, 8], "n_control": [5, 5, 5, 5]}


@pytest.mark.parametrize(
    ("function", "call", "words"),
    [
        (egger, TWO, "at least 3 effects"),
        (trim_and_fill, TWO, "at least 3 effects"),
        (egger, {**FOUR, "variance": [1.0] * 4}, "same in all rows"),
        (egger, {**FOUR, "variance": [1.0, -1, 1, 1]}, "above 0"),
        (trim_and_fill, {**FOUR, "estimator": "X0"}, "not known"),
        (trim_and_fill, {**FOUR, "side": "up"}, "not known"),
        (selection_model, FOUR, "one side of the step"),
        (selection_model, {**FOUR, "step": 5}, "not usable"),
        (excess_significance, {**FOUR, "test": "t"}, "test is chi2 or exact"),
        (pustejovsky, {"effect": FOUR["effect"], **SIZES, "n_control": [5, 5]}, "each of the 4"),
        (pustejovsky, {"effect": FOUR["effect"], **SIZES, "n_control": [0] * 4}, "above 0"),
        (
            doleman,
            {"effect": FOUR["effect"], **SIZES, "baseline": [1, 2, 3, np.nan], "first_step": "ols"},
            "baseline needs a number",
        ),
        (doleman, {"effect": FOUR["effect"], **SIZES, "baseline": [1, 2, 3, 4]}, "needs the varia"),
        (doleman, {**FOUR, **SIZES, "baseline": [1, 2, 3, 4], "weights": "w"}, "first_step is one"),
    ],
)
def test_nonsense_is_refused(function, call, words):
    call = dict(call)
    with pytest.raises(ValueError, match=words):
        function(call.pop("effect"), **call)


def test_power_refuses_nonsense():
    with pytest.raises(ValueError, match="at least 3 effects"):
        power([5, 5], [5, 5], mean=1, tau=1)
    with pytest.raises(ValueError, match="suppressed lies between"):
        power([5] * 4, [5] * 4, mean=1, tau=1, suppressed=1)


@pytest.mark.parametrize("effect", [[0.1] * 6, [0.3, 0.1 + 0.2] * 3, [1e5 / 3] * 6])
def test_equal_effects_are_refused(effect):
    v, n = np.linspace(0.1, 0.6, 6), np.arange(4, 10)
    sizes = {"n_treated": n, "n_control": n}
    for run in (
        lambda: egger(effect, variance=v),
        lambda: pustejovsky(effect, **sizes),
        lambda: doleman(effect, baseline=[3, 1, 4, 1, 5, 9], variance=v, **sizes),
    ):
        with pytest.raises(ValueError, match="no spread to test by"):
            run()
    assert trim_and_fill(effect, variance=v).k0 == 0


def test_effects_on_one_line_are_refused():
    v = np.array([0.1, 0.2, 0.4, 0.5])
    with pytest.raises(ValueError, match="Egger: the effects lie on one line"):
        egger(2 + 3 * np.sqrt(v), variance=v)


def test_excess_significance_of_certain_results_is_no_excess():
    found = excess_significance([50.0, 50.0, 50.0], variance=[1e-6] * 3)
    assert (found.observed, found.expected, found.p) == (3, 3, 1)


@pytest.mark.parametrize("unit", [1e-9, 1e7])
def test_selection_model_does_not_depend_on_the_unit(data, unit):
    one = selection_model(data["y"], variance=data["v"])
    two = selection_model(unit * data["y"], variance=unit**2 * data["v"])
    for name in ("estimate", "se", "ci_low"):
        assert getattr(two, name) == pytest.approx(unit * getattr(one, name), rel=1e-6)
    assert (two.delta, two.p) == pytest.approx((one.delta, one.p), rel=1e-6)
    assert two.loglik == pytest.approx(one.loglik - 20 * np.log(unit))


def random_review(seed):
    """Small and large reviews, ordinary and absurd: the likelihood need not have a maximum."""
    rng = np.random.default_rng(seed)
    k = rng.integers(3, 20)
    v = 10 ** rng.uniform(*((-6, 4) if seed % 2 else (-1.5, 0)), k)
    y = rng.normal() + rng.normal(0, np.sqrt(v + rng.exponential()))
    unit = 10.0 ** rng.choice([-6, 0, 5])
    return unit * y, unit * np.sqrt(v)


def test_selection_model_is_refused_or_a_maximum():
    fitted = 0
    for seed in range(60):
        y, s = random_review(seed)
        try:
            found = selection_model(y, variance=s**2)
        except ValueError as error:
            assert "one side of the step" in str(error) or "no clear maximum" in str(error)
            continue
        fitted += 1
        numbers = (found.estimate, found.se, found.ci_low, found.ci_high, found.tau2, found.p)
        assert np.isfinite(numbers).all() and found.se > 0
        assert abs(found.estimate - y.mean()) <= 10 * (np.ptp(y) + s.max())
        assert bool(found.warning) == (found.delta < 1e-5 or found.delta > 99.99)
    assert fitted > 20


def test_selection_model_says_when_delta_is_at_its_bound():
    """Far below the step all are published, above it next to none: more than 100 to 1."""
    rng = np.random.default_rng(4)
    v = np.full(400, 0.04)
    y = rng.normal(0.5, 0.2, 4_000)
    y = np.concatenate([y[y < 0.39][:399], [0.45]])
    found = selection_model(y, variance=v)
    assert found.delta == pytest.approx(100) and "delta lies at the end" in found.warning
