"""Leave-one-out, diagnostics, cumulative pooling and Galbraith."""

import numpy as np
import pandas as pd
import pytest

from helpers.stats.influence import cumulative, diagnostics, galbraith, leave_one_out
from helpers.stats.pooling import METHODS, POOLED_FIELDS, pool


@pytest.fixture
def data():
    rng = np.random.default_rng(8)
    v = rng.uniform(0.1, 0.8, 12)
    y = pd.Series(1 + rng.normal(0, np.sqrt(v + 0.5)), index=[f"e{i}" for i in range(12)])
    return y, v, np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 5, 6, 7])


OPTIONS = [{"method": m} for m in METHODS] + [
    {"interval": "hksj", "prediction": "hk"},
    {"interval": "hksj_truncated", "prediction": "z", "level": 0.9},
    {"method": "EE", "interval": "hksj"},
]


def same_as_pool(row, y, v, options):
    expected = pool(y, variance=v, **options)
    assert row["k"] == expected.k
    for name in POOLED_FIELDS:
        assert row[name] == pytest.approx(getattr(expected, name), rel=1e-9, nan_ok=True), name


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_leave_one_out_is_pooling_the_rest(data, options):
    y, v, _ = data
    table = leave_one_out(y, variance=v, **options)
    assert table["left_out"].tolist() == y.index.tolist()
    for i, row in table.iterrows():
        same_as_pool(row, np.delete(y.to_numpy(), i), np.delete(v, i), options)


@pytest.mark.parametrize("options", OPTIONS[:3], ids=str)
def test_leave_one_study_out(data, options):
    y, v, study = data
    table = leave_one_out(y, variance=v, study=study, **options)
    assert table["left_out"].tolist() == list(range(8))
    for s, row in enumerate(table.to_dict("records")):
        same_as_pool(row, y[study != s], v[study != s], options)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_cumulative_pools_the_first_ones_in_order(data, options):
    y, v, _ = data
    order = np.argsort(np.argsort(v))
    table = cumulative(y, variance=v, order=v, **options)
    for step, row in table.iterrows():
        chosen = order <= step
        same_as_pool(row, y[chosen], v[chosen], options)
    assert table["added"].tolist() == y.index[np.argsort(v)].tolist()
    unsorted = cumulative(y, variance=v, **options)
    assert unsorted["added"].tolist() == y.index.tolist()
    assert unsorted["estimate"].iloc[-1] == pytest.approx(table["estimate"].iloc[-1])


def test_diagnostics_follow_their_definitions(data):
    y, v, _ = data
    full = pool(y, variance=v)
    table = diagnostics(y, variance=v)
    np.testing.assert_allclose(table["hat"], full.weights, rtol=1e-10)
    np.testing.assert_allclose(table["weight"].sum(), 100)
    for i, row in table.iterrows():
        rest = pool(np.delete(y.to_numpy(), i), variance=np.delete(v, i))
        s = v[i] + rest.tau2
        change = full.estimate - rest.estimate
        expected = {
            "rstudent": (y.iloc[i] - rest.estimate) / np.sqrt(s + rest.se**2),
            "dffits": change / np.sqrt(row["hat"] * s),
            "cook": change**2 / full.se**2,
            "cov_ratio": rest.se**2 / full.se**2,
            "tau2_deleted": rest.tau2,
            "q_deleted": rest.q,
            "dfbetas": change / np.sqrt(1 / (1 / (v + rest.tau2)).sum()),
        }
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, rel=1e-8), name


def test_study_diagnostics_of_single_experiments_are_the_same(data):
    y, v, study = data
    by_study = diagnostics(y, variance=v, study=study).set_index("left_out")
    single = diagnostics(y, variance=v).set_index(study)
    for s in (1, 3, 4, 6, 7):
        pd.testing.assert_series_equal(
            by_study.loc[s], single.loc[s, by_study.columns], check_names=False
        )
    rest = pool(y[study != 2], variance=v[study != 2])
    assert by_study.loc[2, "tau2_deleted"] == pytest.approx(rest.tau2)
    assert by_study.loc[2, "hat"] == pytest.approx(single.loc[2, "hat"].sum())


def test_an_outlier_is_called_influential(data):
    y, v, _ = data
    y = y.copy()
    y["e4"] += 15
    table = diagnostics(y, variance=v).set_index("left_out")
    assert table.index[table["influential"]].tolist() == ["e4"]
    assert table["rstudent"].abs().idxmax() == "e4"


def test_galbraith_band(data):
    y, v, _ = data
    table = galbraith(y, variance=v)
    slope = pool(y, variance=v, method="EE").estimate
    np.testing.assert_allclose(table["x"], 1 / np.sqrt(v))
    np.testing.assert_allclose(table["fitted"], slope / np.sqrt(v))
    np.testing.assert_allclose(table["high"] - table["low"], 2 * 1.959964, rtol=1e-6)
    z = (y - slope) / np.sqrt(v)
    assert table["outside"].tolist() == (np.abs(z) > 1.959964).tolist()
    assert 0 < table["outside"].sum() < 12


@pytest.mark.parametrize("function", [leave_one_out, diagnostics, cumulative])
def test_chunks_change_nothing(data, function, monkeypatch):
    y, v, _ = data
    whole = function(y, variance=v)
    monkeypatch.setattr("helpers.stats.influence._CHUNK", 12 * 5)
    pd.testing.assert_frame_equal(whole, function(y, variance=v))


def test_two_effects(data):
    y, v, _ = data
    table = leave_one_out(y[:2], variance=v[:2])
    np.testing.assert_allclose(table["estimate"], y[:2].to_numpy()[::-1])
    assert table["k"].tolist() == [1, 1] and table["tau2"].isna().all()


@pytest.mark.parametrize(
    ("function", "call", "words"),
    [
        (diagnostics, {"effect": [1.0, 2.0], "variance": [1.0, 1.0]}, "at least 3 effects"),
        (leave_one_out, {"effect": [1.0], "variance": [1.0]}, "at least 2 effects"),
        (leave_one_out, {"effect": [1.0, 2.0], "variance": [1.0, -1.0]}, "above 0"),
        (galbraith, {"effect": [1.0, 2.0], "variance": [1.0]}, "equal length"),
        (cumulative, {"effect": [1.0, np.nan], "variance": [1.0, 1.0]}, "not finite"),
        (cumulative, {"effect": [1.0, 2.0], "variance": [1.0, 1.0], "order": [1]}, "order has 1"),
        (
            leave_one_out,
            {"effect": [1.0, 2.0], "variance": [1.0, 1.0], "study": ["a", None]},
            "study needs",
        ),
        (
            leave_one_out,
            {"effect": [1.0, 2.0], "variance": [1.0, 1.0], "study": ["a", "a"]},
            "leaves nothing",
        ),
        (
            leave_one_out,
            {"effect": [1.0, 2.0], "variance": [1.0, 1.0], "interval": "t"},
            "interval is one of",
        ),
        (leave_one_out, {"effect": [1.0, 2.0], "variance": [1.0, 1.0], "method": "X"}, "method is"),
    ],
)
def test_nonsense_is_refused(function, call, words):
    with pytest.raises(ValueError, match=words):
        function(call.pop("effect"), **call)


@pytest.mark.parametrize("method", METHODS)
def test_deletions_from_equal_effects(method):
    for y in (np.full(5, 0.1), np.array([0.3, 0.1 + 0.2, 0.3, 0.3, 0.3])):
        v = np.array([0.1, 0.1, 0.3, 0.2, 1e-12])
        for options in ({"interval": "hksj_truncated"}, {"interval": "z"}):
            table = leave_one_out(y, variance=v, method=method, **options)
            assert (table[["q", "i2", "tau2"]] == 0).all(axis=None)
            assert (table["p_heterogeneity"] == 1).all()
        table = diagnostics(y, variance=v, method=method)
        assert (table[["q_deleted", "tau2_deleted", "cook", "rstudent"]] == 0).all(axis=None)


def test_one_extreme_variance_costs_deletions_no_digits(data):
    y, v, _ = data
    v = v.copy()
    v[3] = 1e-12
    for i, row in leave_one_out(y, variance=v).iterrows():
        same_as_pool(row, np.delete(y.to_numpy(), i), np.delete(v, i), {})


def test_a_study_that_leaves_one_effect_has_no_deleted_tau2():
    table = diagnostics([1.0, 2.0, 4.0], variance=[0.1, 0.2, 0.3], study=["a", "a", "b"])
    gone = table.set_index("left_out").loc["a"]
    assert np.isnan([gone["tau2_deleted"], gone["rstudent"], gone["dffits"]]).all()
    assert np.isfinite([gone["hat"], gone["cook"]]).all()
