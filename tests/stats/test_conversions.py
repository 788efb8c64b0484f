"""Conversions to mean and SD, held against worked numbers and simulation."""

import numpy as np
import pandas as pd
import pytest

from helpers.stats import conversions as c


def test_sem_and_interval_give_back_the_sd():
    assert c.sd_from_sem(2.0, n=9) == 6
    # t(0.975, 7) = 2.364624; the interval of SD 3 at n = 8 is 2 * 2.364624 * 3 / sqrt(8) wide
    assert c.sd_from_ci(5.016125, n=8) == pytest.approx(3, abs=1e-5)


def test_quartiles_by_wan():
    # n = 6: 2 * Phi^-1(4.375 / 6.25) = 2 * 0.524401
    assert c.sd_from_iqr(2.0, n=6) == pytest.approx(2 / (2 * 0.5244005), rel=1e-6)
    assert c.sd_from_iqr(2.7) == 2.0


def test_range_by_wan():
    # n = 10: 2 * Phi^-1(9.625 / 10.25) = 2 * 1.546635 (the expected range of 10 normals is 3.08)
    assert c.sd_from_range(3.08, n=10) == pytest.approx(1.0, abs=0.005)


def test_means_by_luo():
    assert c.mean_from_quartiles(10.0, low=8, high=14, n=10) == pytest.approx(
        0.739 * 11 + 0.261 * 10
    )
    w = 4 / (4 + 16**0.75)
    assert c.mean_from_range(10.0, low=4, high=20, n=16) == pytest.approx(w * 12 + (1 - w) * 10)


@pytest.mark.parametrize("n", [6, 12, 40])
def test_normal_samples_are_met_on_average(n):
    samples = np.random.default_rng(1).normal(50, 5, (20_000, n))
    low, median, high = np.quantile(samples, [0.25, 0.5, 0.75], axis=1)
    edges = samples.min(1), samples.max(1)
    assert c.sd_from_range(edges[1] - edges[0], n=n).mean() == pytest.approx(5, rel=0.02)
    assert c.mean_from_quartiles(median, low=low, high=high, n=n).mean() == pytest.approx(
        50, rel=0.01
    )
    assert c.mean_from_range(median, low=edges[0], high=edges[1], n=n).mean() == pytest.approx(
        50, rel=0.01
    )


def groups(**cells):
    blank = dict(
        mean=10.0, error=np.nan, low=np.nan, high=np.nan, n=9.0, error_type="SD", median=False
    )
    return pd.DataFrame([blank | cells])


@pytest.mark.parametrize(
    ("cells", "sd", "words"),
    [
        (dict(error=2.0), 2.0, ""),
        (dict(error=2.0, error_type="SEM"), 6.0, "SEM"),
        (dict(low=8.0, high=12.0), 2.0, "half"),
        (dict(low=8.0, high=12.0, error_type="SEM"), 6.0, "SEM"),
        (dict(error=2.0, error_type="CI"), c.sd_from_ci(4.0, n=9), "CI"),
        (dict(low=8.0, high=12.0, error_type="CI"), c.sd_from_ci(4.0, n=9), "CI"),
        (
            dict(error=2.7, error_type="IQR"),
            2.7 / 1.143275050330172,
            "Wan",
        ),  # 2 qnorm(6.625 / 9.25)
        (dict(error=2.7, error_type="IQR", n=np.nan), 2.0, "1.35"),
        (dict(error=2.7, error_type="IQR", median=True), c.sd_from_iqr(2.7, n=9), "Wan"),
        (dict(error=5.0, error_type="RANGE"), c.sd_from_range(5.0, n=9), "Wan"),
    ],
)
def test_every_kind_of_error_becomes_an_sd(cells, sd, words):
    found = c.mean_and_sd(groups(**cells)).iloc[0]
    assert found["sd"] == pytest.approx(sd, rel=1e-12)
    assert words in found["sd_by"] and bool(words) == bool(found["sd_by"])
    assert found["mean"] == 10


def test_a_median_becomes_a_mean_only_with_its_ends():
    cells = dict(error_type="IQR", median=True)
    found = c.mean_and_sd(groups(low=8.0, high=15.0, **cells)).iloc[0]
    assert found["mean"] == pytest.approx(c.mean_from_quartiles(10.0, low=8.0, high=15.0, n=9.0))
    alone = c.mean_and_sd(groups(error=7.0, **cells)).iloc[0]
    assert alone["mean"] == 10 and "lack" in alone["mean_by"]
