"""Shared controls, their covariance and the three-level model."""

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, optimize

from helpers.stats.mixed_model.groups import labels, stacks
from helpers.stats.multilevel import three_level
from helpers.stats.pooling import pool
from helpers.stats.shared_controls import covariance, shared_control_n


@pytest.fixture
def nested():
    """40 experiments in 12 studies, with heterogeneity at both levels."""
    rng = np.random.default_rng(7)
    study = np.sort(np.concatenate([np.arange(12), rng.integers(0, 12, 28)]))
    v = rng.uniform(0.1, 0.5, 40)
    y = 1 + rng.normal(0, 1.4, 12)[study] + rng.normal(0, 0.8, 40) + rng.normal(0, np.sqrt(v))
    return y, v, study


def within(study, v, rho):
    """Covariance with one correlation inside each study."""
    same = study[:, None] == study
    return np.where(np.eye(len(v), dtype=bool), np.diag(v), same * rho * np.sqrt(np.outer(v, v)))


def plain_loglik(y, v, study, sigma2, tau2):
    """Restricted log-likelihood with full matrices, the textbook way."""
    v = np.diag(v) if np.ndim(v) == 1 else v
    m = v + tau2 * np.eye(len(y)) + sigma2 * (study[:, None] == study)
    inverse, one = np.linalg.inv(m), np.ones(len(y))
    sxx = one @ inverse @ one
    r = y - (one @ inverse @ y) / sxx
    k = len(y)
    terms = np.linalg.slogdet(m)[1] + np.log(sxx) + r @ inverse @ r + (k - 1) * np.log(2 * np.pi)
    return (np.log(k) - terms) / 2


# ------------------------------------------------------------------------- shared control groups


def test_control_animals_are_divided_among_the_arms():
    table = pd.DataFrame({"n_control": [10, 10, 10, 8, 6, 6]}, index=list("abcdef"))
    got = shared_control_n(table, by=["c1", "c1", "c1", "c2", None, ""])
    assert got.to_dict() == pytest.approx(
        {"a": 10 / 3, "b": 10 / 3, "c": 10 / 3, "d": 8, "e": 6, "f": 6}
    )


def test_one_cohort_on_two_days_is_one_arm():
    table = pd.DataFrame({"n_control": [10, 10, 10]})
    got = shared_control_n(table, by=["c", "c", "c"], cohort=["low", "low", "high"])
    assert got.tolist() == [5, 5, 5]


ARMS = {
    "effect": [2.0, 1.0, 0.5],
    "variance": [0.5, 0.45, 0.4],
    "study": ["s", "s", "t"],
    "control_group": ["c", "c", "c"],
    "n_treated": [6, 8, 8],
    "n_control": [10, 10, 10],
}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 1 / 10 + 2 * 1 * 9 / (2 * 14 * 16)),
        ({"pooled_sd": "study"}, 1 / 10 + 2 * 1 / (2 * (10 + 6 + 8))),
        ({"pooled_sd": "control"}, 1 / 10 + 2 * 1 / (2 * 9)),
        (
            {"formula": "stata", "correction": "approximate"},
            (1 - 3 / 55) * (1 - 3 / 63) / 10 + 2 * 1 * 9 / (2 * 14 * 16),
        ),
        ({"occasion": [7, 28, 7], "rho": 0.4}, 0.4 * (1 / 10 + 2 * 9 / (2 * 14 * 16))),
        ({"cohort": ["x", "x", "x"], "rho": 0.8}, 0.8 * np.sqrt(0.5 * 0.45)),
    ],
)
def test_covariance_of_two_arms_on_one_control(options, expected):
    two, alone = covariance(**ARMS, **options)
    assert two[0, 1] == two[1, 0] == pytest.approx(expected, rel=1e-12)
    assert np.diag(two).tolist() == ARMS["variance"][:2]
    assert alone.tolist() == [[0.4]]  # another study, whatever its control is called


def test_covariance_has_a_block_for_each_study_as_they_appear():
    turn = [2, 0, 1]
    alone, two = covariance(**{name: [values[i] for i in turn] for name, values in ARMS.items()})
    assert alone.tolist() == [[0.4]]
    assert two.tolist() == covariance(**ARMS)[0].tolist()


@pytest.mark.parametrize("pooled_sd", ["pair", "control"])
def test_covariance_is_that_of_simulated_experiments(pooled_sd):
    rng = np.random.default_rng(1)
    n1, n2, nc, runs = 9, 12, 15, 40_000
    a, b, c = (
        rng.normal(0.8, 1, (runs, n1)),
        rng.normal(1.2, 1, (runs, n2)),
        rng.normal(size=(runs, nc)),
    )

    def g(arm):
        n = arm.shape[1]
        ss_arm, ss_control = ((x.var(1, ddof=1) * (x.shape[1] - 1)) for x in (arm, c))
        var = (
            ss_control / (nc - 1)
            if pooled_sd == "control"
            else (ss_arm + ss_control) / (n + nc - 2)
        )
        return (arm.mean(1) - c.mean(1)) / np.sqrt(var)

    seen = np.cov(g(a), g(b))
    (told,) = covariance(
        [g(a).mean(), g(b).mean()], variance=np.diag(seen), study=[1, 1], control_group=[1, 1],
        n_treated=[n1, n2], n_control=[nc, nc], pooled_sd=pooled_sd,
    )  # fmt: skip
    # First-order formula at 15 controls: a few percent low, and the simulation's error is 1.5 %.
    assert told[0, 1] == pytest.approx(seen[0, 1], rel=0.2 if pooled_sd == "control" else 0.12)


def test_covariance_refuses_what_is_not_positive_definite():
    with pytest.raises(ValueError, match="study s is not positive definite"):
        covariance(**{**ARMS, "variance": [0.05, 0.05, 0.4]})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rho": 1.0}, "rho must lie"),
        ({"pooled_sd": "all"}, "pooled_sd must be"),
        ({"formula": "revman"}, "formula must be"),
        ({"n_control": [10, 10]}, "n_control needs a number"),
        ({"n_treated": [6, np.nan, 8]}, "n_treated needs a number"),
        ({"study": ["s", None, "t"]}, "study is missing in 1 row"),
        ({"control_group": ["c"]}, "control_group has 1 labels"),
    ],
)
def test_covariance_refuses_nonsense(change, words):
    with pytest.raises(ValueError, match=words):
        covariance(**{**ARMS, **change})


# ------------------------------------------------------------------------------ three-level model


@pytest.mark.parametrize("rho", [None, 0.5])
def test_likelihood_is_the_textbook_one_and_nothing_near_is_better(nested, rho):
    y, v, study = nested
    sampling = v if rho is None else within(study, v, rho)
    given = {"variance": v} if rho is None else {"covariance": sampling}
    fit = three_level(y, study=study, **given)
    s, t = fit.sigma2_study, fit.sigma2_experiment
    assert s > 0 and t > 0
    assert fit.loglik == pytest.approx(plain_loglik(y, sampling, study, s, t), abs=1e-10)
    for near in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4), (1e-4, -1e-4)):
        assert plain_loglik(y, sampling, study, s + near[0], t + near[1]) < fit.loglik


def test_full_covariance_without_correlation_changes_nothing(nested):
    y, v, study = nested
    one = three_level(y, study=study, variance=v)
    two = three_level(y, study=study, covariance=np.diag(v))
    for name in ("estimate", "se", "sigma2_study", "sigma2_experiment", "loglik", "q", "i2_study"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-9)


def test_blocks_fit_as_the_matrix_does(nested):
    y, v, study = nested
    turn = np.random.default_rng(1).permutation(40)  # studies not side by side
    y, v, study = y[turn], v[turn], study[turn]
    whole = within(study, v, 0.3)
    rows = [np.flatnonzero(study == label) for label in pd.unique(study)]
    blocks = [whole[np.ix_(r, r)] for r in rows]
    assert three_level(y, study=study, covariance=blocks) == three_level(
        y, study=study, covariance=whole
    )
    with pytest.raises(ValueError, match="a square block for each study"):
        three_level(y, study=study, covariance=blocks[1:])


def test_rows_are_stacked_by_the_size_of_their_study():
    code = labels(list("abacbad"), 7, "study")
    assert [rows.tolist() for rows in stacks(code)] == [[[3], [6]], [[1, 4]], [[0, 2, 5]]]
    within = np.array([5, 1, 4, 0, 0, 3, 0])
    assert [rows.tolist() for rows in stacks(code, within)][1:] == [[[4, 1]], [[5, 2, 0]]]
    many = list(stacks(np.repeat(np.arange(30), 200)))  # 30 x 200 x 200 pairs
    assert [len(rows) for rows in many] == [15, 15]
    assert [rows.shape for rows in stacks(np.zeros(1_500, int))] == [(1, 1_500)]


def test_missing_labels_are_their_own():
    got = labels(["x", "", None, "x", np.nan, ""], 6, "control_group")
    assert got[0] == got[3] and len(set(got)) == 5


def test_order_of_rows_does_not_matter(nested):
    y, v, study = nested
    v2 = within(study, v, 0.3)
    order = np.random.default_rng(0).permutation(len(y))
    one = three_level(y, study=study, covariance=v2)
    two = three_level(y[order], study=study[order], covariance=v2[np.ix_(order, order)])
    assert two.estimate == pytest.approx(one.estimate, rel=1e-9)
    assert two.sigma2_study == pytest.approx(one.sigma2_study, rel=1e-7)


@pytest.mark.parametrize("factor", [1e-4, -1e3])
def test_scale(nested, factor):
    y, v, study = nested
    one = three_level(y, study=study, variance=v)
    two = three_level(factor * y, study=study, variance=factor**2 * v)
    assert two.estimate == pytest.approx(factor * one.estimate, rel=1e-8)
    assert two.sigma2_study == pytest.approx(factor**2 * one.sigma2_study, rel=1e-6)
    assert two.i2_experiment == pytest.approx(one.i2_experiment, rel=1e-6)
    assert two.p_effect == pytest.approx(one.p_effect, rel=1e-7)
    for name, bounds in one.profile_intervals().items():
        np.testing.assert_allclose(
            two.profile_intervals()[name], factor**2 * np.array(bounds), rtol=1e-5
        )


def test_profile_bounds_lie_where_the_likelihood_has_dropped(nested):
    y, v, study = nested
    fit = three_level(y, study=study, variance=v)
    low, high = fit.profile_intervals()["sigma2_study"]
    assert 0 < low < fit.sigma2_study < high
    for bound in (low, high):
        loss = optimize.minimize_scalar(
            lambda t, bound=bound: -plain_loglik(y, v, study, bound, t),
            bounds=(0, 5),
            method="bounded",
        ).fun
        assert 2 * (fit.loglik + loss) == pytest.approx(3.841459, abs=1e-3)
    wider = fit.profile_intervals(level=0.99)["sigma2_study"]
    assert wider[0] < low and wider[1] > high


def test_both_variances_at_zero(nested):
    _, v, study = nested
    y = np.full(40, 1.5) + 1e-3 * np.sin(np.arange(40))
    fit = three_level(y, study=study, variance=v)
    assert (fit.sigma2_study, fit.sigma2_experiment, fit.i2) == (0, 0, 0)
    assert fit.se == pytest.approx((1 / v).sum() ** -0.5)
    for low, high in fit.profile_intervals().values():
        assert low == 0 and high > 0
    assert set(fit.variance_tests().values()) == {1.0}


def test_equal_effects_are_no_trouble(nested):
    _, v, study = nested
    fit = three_level(np.ones(40), study=study, variance=v)
    assert fit.estimate == 1 and fit.sigma2_study == fit.sigma2_experiment == 0


def test_one_experiment_a_study_is_the_random_effects_model(nested):
    y, v, _ = nested
    fit = three_level(y, study=np.arange(40), variance=v)
    other = pool(y, variance=v)
    assert fit.estimate == pytest.approx(other.estimate, rel=1e-9)
    assert fit.sigma2_experiment == pytest.approx(other.tau2, rel=1e-7)
    assert fit.i2 == pytest.approx(other.i2, rel=1e-7)
    assert fit.sigma2_study == 0 and "one experiment" in fit.note
    assert np.isnan(fit.profile_intervals()["sigma2_study"]).all()


def test_t_interval_is_wider_than_z(nested):
    y, v, study = nested
    z = three_level(y, study=study, variance=v)
    t = three_level(y, study=study, variance=v, interval="t", level=0.95)
    assert t.ci_low < z.ci_low and t.p_effect > z.p_effect and t.estimate == z.estimate


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variance": None}, "give the sampling variance or"),
        ({"variance": [0.1, -0.1, 0.1]}, "above 0"),
        ({"variance": [0.1, 0.1]}, "equal length"),
        ({"effect": [1.0, np.nan, 2.0]}, "not finite"),
        ({"study": [1, 1, 1]}, "at least two studies"),
        ({"study": [1, 1]}, "2 labels"),
        ({"interval": "hksj"}, "interval must be"),
        ({"level": 95}, "level must lie"),
        ({"covariance": np.ones((3, 2))}, "covariance must be"),
        ({"covariance": np.diag([1.0, 1, 1])}, "differs from the diagonal"),
        ({"variance": None, "covariance": np.eye(3) + 0.1}, "between studies"),
        ({"variance": None, "covariance": [[[1, 0.1], [0.2, 1]], [[1]]]}, "must be symmetric"),
    ],
)
def test_three_level_refuses_nonsense(change, words):
    call = {"effect": [1.0, 2.0, 3.0], "variance": [0.1, 0.1, 0.1], "study": [1, 1, 2]}
    with pytest.raises(ValueError, match=words):
        three_level(**{**call, **change})


@pytest.mark.parametrize("rho", [0, 0.5])
def test_where_the_effects_lie_costs_no_digits(nested, rho):
    y, v, study = nested
    y = np.round(y * 1024) / 1024  # so that the shift is exact
    here, there = (
        three_level(y + shift, study=study, covariance=within(study, v, rho)) for shift in (0, 1e6)
    )
    for name in ("q", "loglik", "sigma2_study", "sigma2_experiment", "i2", "se"):
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-9), name
    assert there.estimate - 1e6 == pytest.approx(here.estimate, rel=1e-8)


@pytest.mark.parametrize("rho", [0, 0.5])
def test_equal_effects_have_no_heterogeneity(nested, rho):
    _, v, study = nested
    for y in (np.full(40, 0.1), np.array([0.3, 0.1 + 0.2] * 20), np.full(40, 1e5 / 3)):
        fit = three_level(y, study=study, covariance=within(study, v, rho))
        assert (fit.q, fit.p_heterogeneity, fit.i2, fit.i2_study) == (0, 1, 0, 0)
        assert fit.estimate == y[np.argmin(v)]


def test_covariance_of_any_study_costs_what_its_pairs_do(nested):
    """A study of 1,500 rows with small cohorts is no block of 1,500 by 1,500 to the engine."""
    _, v, study = nested
    rng = np.random.default_rng(3)
    n = 1_500
    study = np.concatenate([np.zeros(n, int), 1 + study])
    v = np.concatenate([rng.uniform(0.1, 0.5, n), v])
    y = rng.normal(1, 1, len(v))
    cohort = np.arange(n) // 2
    block = np.where(cohort[:, None] == cohort, 0.5 * np.sqrt(np.outer(v[:n], v[:n])), 0.0)
    np.fill_diagonal(block, v[:n])
    rows = [np.flatnonzero(study == label) for label in pd.unique(study)[1:]]
    fit = three_level(y, study=study, covariance=[block, *(np.diag(v[r]) for r in rows)])
    assert fit.model.base.size == 2 * len(y)  # the rows themselves, turned pair by pair
    whole = linalg.block_diag(block, np.diag(v[n:]))
    expected = plain_loglik(y, whole, study, fit.sigma2_study, fit.sigma2_experiment)
    assert fit.loglik == pytest.approx(expected, rel=1e-9)
