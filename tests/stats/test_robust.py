"""Cluster-robust inference."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from helpers.stats.multilevel import three_level
from helpers.stats.pooling import pool
from helpers.stats.robust import cluster_robust
from helpers.stats.shared_controls import covariance


@pytest.fixture
def nested():
    """40 experiments in 12 studies, not side by side."""
    rng = np.random.default_rng(7)
    study = rng.permutation(np.concatenate([np.arange(12), rng.integers(0, 12, 28)]))
    v = rng.uniform(0.1, 0.5, 40)
    y = 1 + rng.normal(0, 1.4, 12)[study] + rng.normal(0, 0.8, 40) + rng.normal(0, np.sqrt(v))
    return y, v, study


def test_robust_standard_error_is_unbiased_under_the_working_model(nested):
    """CR2's defining property, checked by averaging over data drawn from the model."""
    _, v, study = nested
    rng = np.random.default_rng(2)
    tau2 = 0.4
    fit = dataclasses.replace(pool(rng.normal(size=40), variance=v), tau2=tau2)
    w = 1 / (v + tau2)
    squares = []
    for _ in range(600):
        y = rng.normal(1, np.sqrt(v + tau2))
        one = dataclasses.replace(fit, effect=y, estimate=float((w * y).sum() / w.sum()))
        squares.append(cluster_robust(one, study=study).se ** 2)
    assert np.mean(squares) == pytest.approx(1 / w.sum(), rel=0.06)


def test_robust_with_single_clusters_and_equal_variances_is_the_t_test():
    y = np.array([0.3, 1.1, 2.0, 0.8, 1.7, 2.9, 0.1])
    got = cluster_robust(pool(y, variance=np.full(7, 0.2)), study=np.arange(7))
    assert got.df == pytest.approx(6)
    assert got.se == pytest.approx(y.std(ddof=1) / np.sqrt(7))


def test_few_clusters_are_refused_or_warned_about():
    rng = np.random.default_rng(3)
    fit = pool(rng.normal(size=12), variance=np.full(12, 0.1))
    with pytest.raises(ValueError, match="at least 5 studies, there are 4"):
        cluster_robust(fit, study=np.repeat(np.arange(4), 3))
    lopsided = np.array([0] * 8 + [1, 2, 3, 4])
    assert "degrees of freedom" in cluster_robust(fit, study=lopsided).warning
    assert cluster_robust(fit, study=np.arange(12)).warning == ""


def test_clusters_must_hold_whole_studies(nested):
    y, v, study = nested
    fit = three_level(y, study=study, variance=v)
    assert cluster_robust(fit, study=study // 2).clusters == 6
    with pytest.raises(ValueError, match="within one cluster"):
        cluster_robust(fit, study=np.arange(40))


@pytest.mark.parametrize("together", [1, 2])
def test_three_level_fit_by_the_textbook(nested, together):
    """Standard error and degrees of freedom with full matrices, clusters of whole studies."""
    y, v, study = nested
    same = study[:, None] == study
    sampling = np.where(np.eye(40, dtype=bool), np.diag(v), same * 0.3 * np.sqrt(np.outer(v, v)))
    fit = three_level(y, study=study, covariance=sampling)
    cluster = study // together
    phi = sampling + fit.sigma2_study * same + fit.sigma2_experiment * np.eye(40)
    x = np.ones((40, 1))
    m = np.linalg.inv(x.T @ np.linalg.solve(phi, x))
    hat = np.eye(40) - x @ m @ x.T @ np.linalg.inv(phi)
    arms = []
    for one in range(12 // together):
        r = cluster == one
        d = np.linalg.cholesky(phi[np.ix_(r, r)]).T
        values, vectors = np.linalg.eigh(d @ (hat @ phi @ hat.T)[np.ix_(r, r)] @ d.T)
        a = d.T @ vectors @ np.diag(values**-0.5) @ vectors.T @ d
        arms.append(m @ x[r].T @ np.linalg.inv(phi[np.ix_(r, r)]) @ a @ hat[r])
    scores = np.vstack(arms)
    joint = scores @ phi @ scores.T
    got = cluster_robust(fit, study=cluster)
    assert got.se == pytest.approx(np.sqrt(((scores @ y) ** 2).sum()), rel=1e-8)
    assert got.df == pytest.approx(np.trace(joint) ** 2 / (joint**2).sum(), rel=1e-8)


def test_many_experiments_are_not_held_times_themselves():
    rng, k = np.random.default_rng(4), 20_000  # a matrix of all by all would take 3.2 GB
    study, g = np.arange(k) // 4, rng.normal(1, 1, k)
    tracemalloc.start()
    blocks = covariance(
        g, variance=0.25 + g**2 / 32, study=study, control_group=study, n_treated=np.full(k, 8),
        n_control=np.full(k, 8),
    )  # fmt: skip
    got = cluster_robust(three_level(g, study=study, covariance=blocks), study=study)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert got.clusters == k / 4 and got.df > 4_000
    assert peak < 100e6


def test_equal_effects_give_no_robust_standard_error(nested):
    _, v, study = nested
    for y in (np.full(40, 0.1), np.array([0.3, 0.1 + 0.2] * 20), np.zeros(40)):
        for fit in (pool(y, variance=v), three_level(y, study=study, variance=v)):
            with pytest.raises(ValueError, match="effects do not differ"):
                cluster_robust(fit, study=study)
