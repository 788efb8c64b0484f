"""The engine against metafor and clubSandwich, from pinned results (tests/reference/README.md).

`TOLERANCES` is the one place that says how close "agrees" is. A kind's relative tolerance applies
together with an absolute one, in units of the data set's own scale, for values that may be 0.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats

from helpers.stats import influence, multilevel, publication_bias, shared_controls, small_study
from helpers.stats.effects import effect_sizes
from helpers.stats.moderators import meta_regression, subgroups
from helpers.stats.pooling import METHODS, pool
from helpers.stats.robust import cluster_robust

FOLDER = pathlib.Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((FOLDER / "reference.json").read_text())
DATA = {name: pd.DataFrame(columns) for name, columns in REFERENCE["data"].items()}

# kind: (relative, absolute in units of the scale)
TOLERANCES = {
    "effect": (1e-11, 1e-13),  # single effect sizes and their variances
    "estimate": (1e-8, 1e-9),  # univariate estimates, standard errors, bounds, Q
    "tau2": (1e-6, 1e-7),  # iterated variances and what follows from them: I², H², diagnostics
    "p": (1e-6, 1e-14),  # relative: even a p of 1e-80 agrees
    "profile": (1e-5, 1e-7),  # Q-profile and profile-likelihood bounds
    "mv": (1e-6, 1e-7),  # rma.mv: estimates
    "sigma2": (1e-5, 1e-6),  # rma.mv: σ², whose numerical optimum in R is not sharper
    "robust": (1e-6, 1e-8),  # CR2 standard errors, degrees of freedom
    "selection": (1e-5, 1e-5),  # selmodel: R's optimiser stops early, its Hessian is numerical
    "power": (2e-6, 1e-6),  # tes: R integrates over ±5τ, here the integral is exact
}
WHICH = {
    "p_effect": "p",
    "p_heterogeneity": "p",
    "p": "p",
    "p_moderators": "p",
    "p_residual": "p",
    "p_between": "p",
    "tau2": "tau2",
    "i2": "tau2",
    "h2": "tau2",
    "r2": "tau2",
}


def agrees(got, expected, kind, scale=1.0, what=""):
    relative, absolute = TOLERANCES[kind]
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    np.testing.assert_allclose(
        got, expected, rtol=relative, atol=absolute * scale, err_msg=what, equal_nan=True
    )


def field_agrees(got, expected, name, scale):
    """Compare one named quantity; variances scale with the square of the effects."""
    kind = WHICH.get(name, "estimate")
    unit = {"tau2": scale**2, "i2": 100.0, "h2": 1.0, "r2": 1.0}.get(name, scale)
    agrees(got, expected, kind, 1.0 if kind == "p" else unit, name)


def scale_of(data):
    return float(np.sqrt(np.var(data["yi"]) + data["vi"].min()))


def cases(section, *keys):
    return [
        pytest.param(case, id="-".join([case["data"], *(str(case.get(key)) for key in keys)]))
        for case in REFERENCE[section]
    ]


# --------------------------------------------------------------------------------------- the grid


def test_grid_is_complete():
    """At least 30 public data sets, every method, and every kind of diagnostic."""
    public = {name.rsplit("_", 1)[0] if name[-3:] in ("smd", "rom") else name for name in DATA}
    public = {name.removesuffix("_md") for name in public if not name.startswith("edge_")}
    assert len(public) >= 30
    for name in ("curtis1998", "normand1999", "gibson2002", "michael2013", "dagostino1998"):
        assert name in public and name in " ".join(c["data"] for c in REFERENCE["effects"])
    for name in ("lehmann2018", "besson2016"):
        assert name in public
    assert {"edge_k2", "edge_k3", "edge_tau2_zero", "edge_ties"} <= set(DATA)
    assert [case["data"] for case in REFERENCE["pooled"]] == list(DATA)
    for case in REFERENCE["pooled"]:
        assert set(case["fits"]) == set(METHODS) - {"EB"}
        assert all({"z", "hksj", "hksj_truncated"} <= set(fit) for fit in case["fits"].values())
    for case in REFERENCE["regressions"]:
        assert len(case["fits"]) == 12
    assert len(REFERENCE["regressions"]) >= 25 and len(REFERENCE["subgroups"]) >= 10
    assert any(len(case["moderators"]) > 2 for case in REFERENCE["regressions"])
    assert len(REFERENCE["influence"]) >= 12
    assert len(REFERENCE["small_study"]) >= 20
    multilevel = {case["data"] for case in REFERENCE["multilevel"]}
    assert {"konstantopoulos2011", "assink2016", "knapp2017", "riley2003"} <= multilevel
    assert all(set(case["three_level"]) == {"0", "0.5"} for case in REFERENCE["multilevel"])
    versions = REFERENCE["versions"]
    assert set(versions) == {"R", "metafor", "metadat", "clubSandwich"} and all(versions.values())
    readme = (FOLDER / "README.md").read_text()
    assert all(version in readme for version in versions.values())


# ------------------------------------------------------------------------------- effects, pooling


@pytest.mark.parametrize("case", cases("effects"))
def test_effect_sizes(case):
    table = DATA[case["data"]]
    choices = {
        "SMD_metafor": {"variance": "metafor"},
        "SMD_unbiased": {"variance": "unbiased"},
        "SMD_stata_exact": {"variance": "stata"},
        "MD": {"measure": "MD"},
        "ROM": {"measure": "ROM"},
    }
    for name, expected in case["measures"].items():
        got = effect_sizes(table, **choices[name])
        agrees(got["effect"], expected["effect"], "effect", 1, name)
        agrees(got["variance"], expected["variance"], "effect", 1, name)


@pytest.mark.parametrize("case", cases("pooled"))
def test_pooled_results(case):
    data = DATA[case["data"]]
    scale = scale_of(data)
    for method, fit in case["fits"].items():
        for interval, prediction in (("z", "z"), ("hksj", "hk"), ("hksj_truncated", None)):
            got = pool(
                data["yi"], variance=data["vi"], method=method, interval=interval,
                prediction=prediction or "riley",
            )  # fmt: skip
            for name in ("tau2", "i2", "h2", "q", "p_heterogeneity"):
                field_agrees(getattr(got, name), fit[name], name, scale)
            for name, expected in fit[interval].items():
                if name.startswith("pi_") and (not prediction or got.k < 3 or method == "EE"):
                    continue  # metafor draws one at k = 2 too, and none that is ours when truncated
                field_agrees(getattr(got, name), expected, name, scale)


@pytest.mark.parametrize("case", cases("pooled"))
def test_q_profile_intervals(case):
    data, expected = DATA[case["data"]], case["profile"]
    got = pool(data["yi"], variance=data["vi"]).heterogeneity_interval()
    if expected["null"]:
        assert got["tau2"] == (0, 0)
        return
    units = {"tau2": scale_of(data) ** 2, "i2": 100, "h2": 1}
    for name, unit in units.items():
        agrees(got[name], expected[name], "profile", unit, name)


# ------------------------------------------------------------------------------------- moderators


@pytest.mark.parametrize("case", cases("regressions", "moderators"))
def test_meta_regression(case):
    data = DATA[case["data"]]
    scale = scale_of(data)
    for name, expected in case["fits"].items():
        method, interval = name.split()
        got = meta_regression(
            data["yi"], variance=data["vi"], moderators=data[case["moderators"]], method=method,
            interval=interval,
        )  # fmt: skip
        table = got.coefficients
        unit = scale * np.maximum(1, np.abs(np.asarray(expected["se"]) / scale))
        for column in ("coef", "se", "ci_low", "ci_high"):
            agrees(table[column] / unit, expected[column] / unit, "estimate", 1, f"{name} {column}")
        agrees(table["p"], expected["p"], "p", 1, name)
        for field in ("tau2", "i2", "qm", "p_moderators", "q_residual", "p_residual"):
            field_agrees(getattr(got, field), expected[field], field, scale)
        used = pd.DataFrame(data[case["moderators"]]).notna().all(axis=1)
        total = pool(data["yi"][used], variance=data["vi"][used], method=method).tau2
        if total > 1e-8 * scale**2:  # else R divides one rounding error by another
            field_agrees(100 * got.r2, expected["r2"], "i2", scale)


@pytest.mark.parametrize("case", cases("subgroups", "by"))
def test_subgroups(case):
    data = DATA[case["data"]]
    scale = scale_of(data)
    for method, expected in case["fits"].items():
        got = subgroups(data["yi"], variance=data["vi"], by=data[case["by"]], method=method)
        table = got.table[got.table["pooled"]].set_index("level").loc[expected["level"]]
        assert table["k"].tolist() == expected["k"]
        for name in ("estimate", "se", "tau2", "i2"):
            field_agrees(table[name], expected[name], name, scale)
        assert got.df == expected["df"]
        for name in ("q_between", "p_between"):
            agrees(getattr(got, name), expected[name], "tau2", 1, name)


# -------------------------------------------------------------------------------------- influence


@pytest.mark.parametrize("case", cases("influence"))
def test_influence(case):
    data = DATA[case["data"]]
    y, v, scale = data["yi"], data["vi"], scale_of(data)
    for method, expected in case["fits"].items():
        got = influence.diagnostics(y, variance=v, method=method)
        assert got["influential"].tolist() == expected["diagnostics"].pop("influential")
        for name, values in expected["diagnostics"].items():
            unit = {"tau2_deleted": scale**2, "weight": 100}.get(name, 1)
            agrees(got[name], values, "tau2", unit, f"{method} {name}")
        got = influence.leave_one_out(y, variance=v, method=method)
        for name, values in expected["leave_one_out"].items():
            field_agrees(got[name], values, name, scale)
        got = influence.cumulative(y, variance=v, method=method)[1:]
        for name, values in expected["cumulative"].items():
            field_agrees(got[name], values[1:], name, scale)
    got = influence.leave_one_out(y, variance=v, interval="hksj")
    for name, values in case["fits"]["REML"]["leave_one_out_hksj"].items():
        field_agrees(got[name], values, name, scale)


# ---------------------------------------------------------------------------- small-study effects


@pytest.mark.parametrize("case", cases("small_study"))
def test_regression_tests(case):
    data = DATA[case["data"]]
    y, v = data["yi"], data["vi"]
    scale = scale_of(data)
    found = small_study.egger(y, variance=v)
    agrees(found.statistic, case["egger"]["statistic"], "estimate")
    agrees(found.p, case["egger"]["p"], "p")
    agrees(found.intercept, case["egger"]["limit"], "estimate", scale)
    assert found.df == case["egger"]["df"]
    if "pustejovsky" not in case:
        return
    sizes = {"n_treated": data["n_treated"], "n_control": data["n_control"]}
    tests = [(small_study.pustejovsky(y, **sizes), case["pustejovsky"])]
    for name, expected in case["doleman"].items():
        first_step, weights = name.split()
        found = small_study.doleman(
            y, baseline=data["mean_control"], variance=v, first_step=first_step, weights=weights,
            **sizes,
        )  # fmt: skip
        tests.append((found, expected))
    for found, expected in tests:
        for name in ("slope", "se", "statistic"):
            agrees(getattr(found, name), expected[name], "tau2", 1, name)
        agrees(found.p, expected["p"], "p")


@pytest.mark.parametrize("case", cases("small_study"))
def test_trim_and_fill(case):
    data = DATA[case["data"]]
    scale = scale_of(data)
    assert len(case["trim_and_fill"]) >= 20
    for name, expected in case["trim_and_fill"].items():
        method, estimator, side = name.split()
        got = publication_bias.trim_and_fill(
            data["yi"], variance=data["vi"], method=method, estimator=estimator,
            side=None if side == "auto" else side,
        )  # fmt: skip
        assert (got.k0, got.side) == (expected["k0"], expected["side"]), name
        agrees(got.se_k0, expected["se_k0"], "estimate", 1, name)
        for field in ("estimate", "se", "ci_low", "ci_high", "tau2"):
            field_agrees(getattr(got.pooled, field), expected[field], field, scale)


@pytest.mark.parametrize("case", cases("small_study"))
def test_selection_model(case):
    data = DATA[case["data"]]
    scale = scale_of(data)
    for expected in case["selection"]:
        call = {name: expected[name] for name in ("step", "alternative")}
        if expected["delta"] > 99:  # no result on one side of the step: R stops at its bound
            with pytest.raises(ValueError, match="one side of the step"):
                publication_bias.selection_model(data["yi"], variance=data["vi"], **call)
            continue
        got = publication_bias.selection_model(data["yi"], variance=data["vi"], **call)
        # Never a lower likelihood than R's, nor another optimum.
        assert -1e-9 < got.loglik - expected["loglik"] < 1e-6
        for name in ("estimate", "se", "tau2", "delta", "statistic", "p"):
            unit = {"estimate": scale, "se": scale, "tau2": scale**2}.get(name, 1)
            agrees(getattr(got, name), expected[name], "selection", unit, name)


@pytest.mark.parametrize("case", cases("small_study"))
def test_excess_significance(case):
    data = DATA[case["data"]]
    for name, expected in case["excess"].items():
        method, test = name.split()
        got = publication_bias.excess_significance(
            data["yi"], variance=data["vi"], method=method, test=test
        )
        assert got.observed == expected["observed"]
        agrees(got.expected, expected["expected"], "power", got.k)
        agrees(got.p, expected["p"], "power", 10)


# ------------------------------------------------------------------------------------- dependence


def same_study(data, rho):
    study = pd.factorize(data["study"])[0]
    v = np.where(study[:, None] == study, rho * np.sqrt(np.outer(data["vi"], data["vi"])), 0.0)
    np.fill_diagonal(v, data["vi"])
    return v


@pytest.mark.parametrize("case", cases("multilevel"))
@pytest.mark.parametrize("rho", ["0", "0.5"])
def test_three_level(case, rho):
    data, expected = DATA[case["data"]], case["three_level"][rho]
    scale = scale_of(data)
    given = {"variance": data["vi"]} if rho == "0" else {"covariance": same_study(data, float(rho))}
    got = multilevel.three_level(data["yi"], study=data["study"], **given)
    # Never a lower likelihood than R's, and no visibly higher one either: it is the same function.
    assert -1e-9 < got.loglik - expected["loglik"] < 1e-6
    for name in ("estimate", "se", "ci_low", "ci_high"):
        agrees(getattr(got, name), expected[name], "mv", scale, name)
    for name in ("pi_low", "pi_high"):
        agrees(getattr(got, name), expected[name], "sigma2", scale, name)
    agrees(got.p_effect, expected["p_effect"], "sigma2")
    agrees(got.q, expected["q"], "estimate")
    for name in ("sigma2_study", "sigma2_experiment"):
        agrees(getattr(got, name), expected[name], "sigma2", scale**2, name)
    for name in ("i2_study", "i2_experiment"):
        agrees(getattr(got, name), expected[name], "sigma2", 100, name)
    if expected.get("profile_study") is not None:
        for name, (low, high) in got.profile_intervals().items():
            bounds = expected["profile_" + name.removeprefix("sigma2_")]
            agrees((low, high), bounds, "profile", scale**2, name)
    for p, without in zip(got.variance_tests().values(), expected["loglik_without"], strict=True):
        ratio = max(0, 2 * (expected["loglik"] - without))
        agrees(p, stats.chi2.sf(ratio, 1), "sigma2", 1, "likelihood ratio")
    robust = cluster_robust(got, study=data["study"])
    for name in ("se", "df", "ci_low", "ci_high"):
        agrees(getattr(robust, name), expected["cr2"][name], "sigma2", scale, name)
    agrees(robust.p_effect, expected["cr2"]["p_effect"], "sigma2")


@pytest.mark.parametrize("case", cases("multilevel"))
def test_cluster_robust_of_a_pooled_result(case):
    data = DATA[case["data"]]
    for method, expected in case["cluster_robust"].items():
        fit = pool(data["yi"], variance=data["vi"], method=method)
        got = cluster_robust(fit, study=data["study"])
        for name in ("se", "df", "ci_low", "ci_high"):
            agrees(getattr(got, name), expected[name], "robust", scale_of(data), name)
        agrees(got.p_effect, expected["p_effect"], "p")


@pytest.mark.parametrize("case", cases("shared_control"))
def test_covariance_of_shared_controls(case):
    data = DATA[case["data"]]
    for pooled_sd, expected in case["covariance"].items():
        blocks = shared_controls.covariance(
            data["yi"], variance=data["vi"], study=data["study"],
            control_group=data["control_group"], n_treated=data["n_treated"],
            n_control=data["n_control"], pooled_sd=pooled_sd,
        )  # fmt: skip
        got = linalg.block_diag(*blocks)  # the studies stand side by side
        agrees(got.sum(1), expected["row_sums"], "effect")
        agrees(np.linalg.slogdet(got)[1], expected["log_determinant"], "effect")
