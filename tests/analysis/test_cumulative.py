"""Results by year of publication: each step is the leading analysis of what was there."""

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, row, write

from helpers import Report
from helpers.analysis.robustness.cumulative import by_year, named_years
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import pool

YEAR = '\n[[moderators]]\nid = "year"\nlabel = "Year"\n'
YEARS = (2004, 2001, 2010, 2001, 2007, 2004, 2012, 2007)


def analysed(folder, per=1, years=YEARS, toml=FAMILY + YEAR, named=False):
    table = [
        row(
            f"e{i}", study=f"Doe {year} {i // per}" if named else f"s{i // per}", cohort=f"c{i}",
            control_group=f"g{i}", mean_treated=11 + (7 * i % 5), **({} if named else {"year": year}),
        )
        for i, year in enumerate(np.repeat(years, per))
    ]  # fmt: skip
    report = Report("movement", review=write(folder, table, toml=toml))
    (analysis,) = report.analyses.values()
    return report, analysis


def test_each_step_pools_what_was_published_by_then(tmp_path):
    _, analysis = analysed(tmp_path)
    steps, effects = by_year(analysis), analysis.effects
    year = analysis.moderator_values["year"]
    assert steps["year"].tolist() == sorted(set(YEARS))
    assert steps["added"].tolist() == [2, 2, 2, 1, 1]
    assert steps["k"].tolist() == steps["studies"].tolist() == [2, 4, 6, 7, 8]
    for step in steps.itertuples():
        then = effects[year <= step.year]
        by_hand = pool(then["effect"], variance=then["variance"], **analysis.settings.pooling())
        for name in ("estimate", "se", "ci_low", "ci_high", "p_effect"):
            assert getattr(step, name) == pytest.approx(getattr(by_hand, name)), name
    assert steps["estimate"].iloc[-1] == pytest.approx(analysis.leading.estimate)


def test_each_step_fits_the_multilevel_model_anew(tmp_path):
    _, analysis = analysed(tmp_path, per=3)
    steps, year = by_year(analysis), analysis.moderator_values["year"]
    assert steps["k"].tolist() == [6, 12, 18, 21, 24]
    for step in steps.iloc[:-1].itertuples():
        then = (year <= step.year).to_numpy()
        by_hand = multilevel(analysis.effects["effect"], rows=then, **analysis.options)
        assert step.estimate == by_hand.estimate and step.ci_low == by_hand.ci_low
    last = steps.iloc[-1]
    assert (last["estimate"], last["ci_high"]) == (
        analysis.leading.estimate,
        analysis.leading.ci_high,
    )


def test_years_may_stand_in_names_and_unknown_ones_come_last(tmp_path):
    years = (*YEARS[:6], "n.d.", "in press")
    _, analysis = analysed(tmp_path, years=years, named=True, toml=FAMILY)
    steps = by_year(analysis)
    assert steps["year"].tolist()[:-1] == sorted(set(YEARS[:6])) and pd.isna(steps["year"].iloc[-1])
    assert steps["added"].iloc[-1] == 2 and steps["k"].iloc[-1] == 8
    assert steps["estimate"].iloc[-1] == pytest.approx(analysis.leading.estimate)


def test_of_two_years_in_a_name_none_is_taken():
    found = named_years(pd.Series(["Able 2001", "Baker 1998 (2004)", "Cole 2003, 2003"]))
    assert found.tolist()[::2] == [2001, 2003] and np.isnan(found[1])


def test_numbers_of_ids_are_no_years():
    ids = pd.Series([*"abc", "s2001", "s2002", "2003", "2004", "2005"])
    assert named_years(ids).isna().all()
    few = pd.Series(["Doe 2001", "Roe 2002", *(f"study {i}" for i in range(5))])
    assert named_years(few).isna().all()
    names = pd.Series(["Doe 2001", "Li2003b", "2004_Roe", "Poe, in press"])
    assert named_years(names).tolist()[:3] == [2001, 2003, 2004]


@pytest.mark.parametrize("years", [("a", "b", "c"), (2001, 2001, 2001)])
def test_without_two_years_there_is_nothing(tmp_path, years):
    report, analysis = analysed(tmp_path, years=years, named=True, toml=FAMILY)
    assert by_year(analysis) is None
    assert report.outcome("score").cumulative() is None


def test_the_figure_says_since_when(tmp_path):
    report, analysis = analysed(tmp_path)
    steps, shown = by_year(analysis), report.outcome("score").cumulative()
    outside = (steps["ci_low"] > 0) | (steps["ci_high"] < 0)
    assert outside.tolist() == [False, True, True, True, True]
    assert "The 95% CI has excluded 0 since 2004 (4 experiments of 4 studies)." in shown.text
    assert f"is {steps['estimate'].iloc[-1]:.2f} now (8 experiments of 8 studies)" in shown.text
    assert "2012, k = 8" in shown.text and "not adjusted for their number" in shown.text
    downloaded = shown.data["csv"].splitlines()
    assert len(downloaded) == 6 and "provenance" in downloaded[0]
    assert report.content["outcomes"]["score"]["planning"]["cumulative"][-1]["k"] == 8
