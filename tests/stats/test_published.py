"""Published analyses, each with its source: what a reader can look up, not what we computed."""

import json
import os
import pathlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.stats.effects import effect_sizes
from helpers.stats.multilevel import three_level
from helpers.stats.pooling import pool

HERE = pathlib.Path(__file__).parents[1]
PUBLIC = json.loads((HERE / "reference" / "reference.json").read_text())["data"]


def real(*parts):
    """A file of the optional real sheets, or skip."""
    folder = os.environ.get("PRECLINICAL_REAL") or HERE.parent.parent / "shared" / "real"
    path = pathlib.Path(folder).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the real sheet {'/'.join(parts)} is not here (PRECLINICAL_REAL)")
    return path


def rounded(value, printed):
    """Is `value` what is printed, rounded to as many decimals?"""
    decimals = len(printed.partition(".")[2])
    return f"{value:.{decimals}f}" == printed


def test_stata_manual_meta_summarize():
    """Stata 17 Meta-Analysis Reference Manual, `meta summarize`.

    The input is printed with three decimals; from it z is 7.96, τ² .0156, I² 5.26 and Q 6.33,
    where the manual, from unrounded data, has 7.95, .0157, 5.30 and 6.34.
    """
    effect = np.array([1.480, 0.999, 1.272, 1.001, 1.179, 1.939, 2.377, 0.694, 1.099, 1.805])
    low = np.array([-0.352, -0.933, 0.427, 0.750, -0.527, 0.427, 1.005, -0.569, -0.147, -0.151])
    high = np.array([3.311, 2.931, 2.117, 1.252, 2.884, 3.452, 3.750, 1.956, 2.345, 3.761])
    variance = ((high - low) / 2 / stats.norm.isf(0.025)) ** 2
    found = pool(effect, variance=variance)
    assert rounded(found.estimate, "1.138")
    assert rounded(found.ci_low, "0.857") and rounded(found.ci_high, "1.418")
    assert rounded(found.estimate / found.se, "7.96")
    assert rounded(found.tau2, "0.0156") and rounded(found.i2, "5.26") and rounded(found.q, "6.33")


def test_raudenbush_1985_teacher_expectancy():
    """Viechtbauer 2010, J Stat Softw 36(3): REML .0837 (.0516), τ² .0188, I² 41.86, Q 35.83.

    I² and the upper prediction bound were printed from a fit stopped at a change of 1e-5; at the
    optimum they are 41.85 and .3710.
    """
    data = PUBLIC["raudenbush1985"]
    found = pool(data["yi"], variance=data["vi"], prediction="z")
    assert rounded(found.estimate, "0.0837") and rounded(found.se, "0.0516")
    assert rounded(found.tau2, "0.0188") and rounded(found.i2, "41.85")
    assert rounded(found.q, "35.83")
    assert rounded(found.pi_low, "-0.2036") and rounded(found.pi_high, "0.3710")


def test_bcg_vaccine():
    """Viechtbauer 2010, J Stat Softw 36(3), log relative risks by REML."""
    data = PUBLIC["bcg"]
    found = pool(data["yi"], variance=data["vi"])
    assert rounded(found.estimate, "-0.7145") and rounded(found.se, "0.1798")
    assert rounded(found.tau2, "0.3132") and rounded(found.i2, "92.22")
    assert rounded(found.q, "152.23")


def test_konstantopoulos_2011_three_level():
    """Konstantopoulos 2011 as analysed on the metafor project's site: .1847, σ² .0651 and .0327."""
    data = PUBLIC["konstantopoulos2011"]
    found = three_level(data["yi"], study=data["study"], variance=data["vi"])
    assert rounded(found.estimate, "0.1847") and rounded(found.se, "0.0846")
    assert rounded(found.sigma2_study, "0.0651") and rounded(found.sigma2_experiment, "0.0327")


def test_forced_swim():
    """Martins et al. 2025, Behav Pharmacol 36:347: 561 experiments, exact J, REML, z.

    The sheet brings control groups already divided among their arms; the effect is control minus
    treated, because less immobility is better.
    """
    sheet = pd.read_excel(real("forced_swim", "extraction.xlsx"))
    # The groups exchange their roles, which turns the sign and nothing else.
    columns = {"ctr_n_corr": "n_treated", "ctr_mean": "mean_treated", "ctr_sd": "sd_treated"}
    columns |= {"atd_n_round": "n_control", "atd_mean": "mean_control", "atd_sd": "sd_control"}
    table = sheet[list(columns)].rename(columns=columns)
    effects = effect_sizes(table)
    everything = pool(effects["effect"], variance=effects["variance"])
    assert everything.k == 561 and rounded(everything.i2, "81.5")
    for species, k, printed in (
        (None, 561, ("1.66", "1.53", "1.79")),
        ("mice", 326, ("1.84", "1.66", "2.03")),
        ("rat", 235, ("1.44", "1.25", "1.63")),  # 1.6251; the article prints 1.62
    ):
        rows = slice(None) if species is None else (sheet["species"] == species).to_numpy()
        found = pool(effects["effect"][rows], variance=effects["variance"][rows])
        assert found.k == k
        for value, text in zip((found.estimate, found.ci_low, found.ci_high), printed, strict=True):
            assert rounded(value, text), (species, value, text)


def test_anxiety_ssri():
    """Heesbeen et al. 2024, Psychopharmacology, doi 10.1007/s00213-024-06645-2.

    Three-level REML for each of four tests. The p-values of the two variances are interchanged in
    the published table: ours agree with it the other way round.
    """
    sheet = pd.read_csv(real("anxiety_ssri", "extraction.csv"))
    published = pd.read_csv(real("anxiety_ssri", "published_three_level.csv"))
    columns = {"nexp": "n_treated", "mexp": "mean_treated", "sdexp": "sd_treated"}
    columns |= {"ncon": "n_control", "mcon": "mean_control", "sdcon": "sd_control"}
    effects = effect_sizes(sheet.rename(columns=columns))
    g = -effects["effect"] * sheet["multiplier"]
    kept = (g - g.mean()).abs() <= 3.3 * g.std()
    assert (~kept).groupby(sheet["test"]).sum().to_dict() == {"EPM": 1, "MB": 4, "SIH": 0, "USV": 0}
    for test, rows in sheet[kept].groupby("test"):
        found = three_level(
            g[rows.index], study=rows["article"], variance=effects["variance"][rows.index]
        )
        printed = published[published["Sample"] == test].set_index("Parameter")
        estimate = printed["Estimate"]
        assert found.estimate == pytest.approx(estimate["Overall ES"], rel=2e-6)
        assert found.p_effect == pytest.approx(printed.loc["Overall ES", "p"], rel=2e-4)
        assert found.sigma2_study == pytest.approx(estimate["tau2 between"], rel=1e-5)
        assert found.sigma2_experiment == pytest.approx(estimate["tau2 within"], rel=1e-5, abs=1e-8)
        assert found.i2_study == pytest.approx(estimate["I2_Between"], rel=1e-5)
        assert found.i2_experiment == pytest.approx(estimate["I2_Within"], rel=1e-5, abs=1e-6)
        p = found.variance_tests()
        assert p["sigma2_study"] == pytest.approx(printed.loc["tau2 within", "p"], rel=1e-5)
        assert p["sigma2_experiment"] == pytest.approx(printed.loc["tau2 between", "p"], rel=1e-5)
        bounds = found.profile_intervals()
        for row, low, high in (
            ("Overall ES", found.ci_low, found.ci_high),
            ("tau2 between", *bounds["sigma2_study"]),
            ("tau2 within", *bounds["sigma2_experiment"]),
        ):
            texts = printed.loc[row, "CI"].strip("[]").split(", ")
            assert rounded(low, texts[0]) and rounded(high, texts[1]), (test, row, low, high, texts)
