"""Tails and quantiles, held against scipy.stats, far out as well."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from helpers.stats import distributions as d

P = np.array([1e-300, 1e-100, 1e-30, 1e-9, 0.001, 0.025, 0.4, 0.6, 0.975, 0.999])
DF = (1, 2, 2.5, 7, 24, 71, 1000, 1e6)


def same(here, there):
    np.testing.assert_allclose(here, there, rtol=1e-12, atol=0)


def test_normal():
    z = np.array([-9, -1, 0, 0.1, 1.96, 5, 20, 37])
    same(d.t_sf(z, np.inf), stats.norm.sf(z))
    same(d.t_isf(P, np.inf), stats.norm.isf(P))
    same(d.normal_isf(P), stats.norm.isf(P))


@pytest.mark.parametrize("df", DF)
def test_t(df):
    t = np.array([-9, -0.1, 0, 0.5, 3, 30, 1e4, 1e60])
    same(d.t_sf(t, df), stats.t.sf(t, df))
    same(d.t_isf(P[1:], df), stats.t.isf(P[1:], df))


@pytest.mark.parametrize("df", DF)
def test_chi2(df):
    x = np.array([0, 1e-3, 1, 10, 100, 1300])
    same(d.chi2_sf(x, df), stats.chi2.sf(x, df))
    same(d.chi2_isf(P, df), stats.chi2.isf(P, df))


@pytest.mark.parametrize("df", [(1, 3), (2, 10), (5, 66)])
def test_f(df):
    f = np.array([0, 1e-3, 1, 10, 1e4, 1e60])
    same(d.f_sf(f, *df), stats.f.sf(f, *df))


def test_far_tails_are_no_zeros():
    assert 0 < d.t_sf(37.4, np.inf) < 1e-300 < d.chi2_sf(1370, 1)
    assert 0 < d.t_sf(1e60, 5) < 1e-290
    assert 0 < d.f_sf(1e90, 3, 6) < 1e-250


def test_unknown_stays_unknown():
    assert np.isnan([d.t_sf(np.nan, 3), d.chi2_sf(np.nan, 3), d.f_sf(np.nan, 1, 3)]).all()
    assert np.isnan(d.t_isf(0.025, np.nan))


def test_results_do_without_slow_imports():
    modules = "pooling, moderators, small_study, influence, publication_bias, conversions"
    imports = f"from helpers.stats import {modules}; import sys; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", imports], capture_output=True, text=True, check=True
    )
    assert not {"scipy.stats", "scipy.optimize", "statsmodels"} & set(said.stdout.split())
