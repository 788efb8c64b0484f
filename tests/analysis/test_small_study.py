"""Small-study tests and influence of rows that depend on each other, in a whole report."""

import numpy as np
import pytest
from own_review import FAMILY, row, write

from helpers import Report
from helpers.report import diagnosis

TWO = (
    FAMILY
    + """
[[families.outcomes]]
id = "grip"
label = "Grip"
better = "lower"
"""
)
YEAR = """
[[moderators]]
id = "{id}"
label = "{id}"
column = "year"
"""


# R 4.2 on `lines()`: escalc("SMD", vtype = "AV"), rma.mv(random = ~ 1 | study/experiment) by
# Nelder-Mead to 1e-15, clubSandwich's coef_test(vcov = "CR2"): slope, se, df, p. Doleman by
# coef_test of lm(residual ~ I(1/N)), the residuals those of rma.mv(mods = ~ mean_control).
REFERENCE = {
    "multilevel size regression": (-3.61162775, 1.53529892, 9.35949561, 0.04210961),
    "time lag": (0.033669749, 0.080680977, 5.742791974, 0.691594345),
    "Doleman": (-15.29876236, 6.99137419, 9.18074913, 0.05583648),
}


def lines(studies=12, per=3, outcome="score", sizes=lambda s, j: 5 + (3 * s + 2 * j) % 8):
    """Rows whose sizes, baselines and effects follow no pattern, but are the same every time."""
    return [
        row(
            f"{outcome}-{s}-{j}",
            study=f"s{s}",
            outcome=outcome,
            n_treated=sizes(s, j),
            n_control=sizes(s, j),
            mean_control=6 + (5 * s + 3 * j) % 7,
            mean_treated=8 + (5 * s + 3 * j) % 7 + 1.2 * (7 * s % 5) + 1.5 * ((3 * j + s) % 4),
            year=2001 + 3 * s % 11,
        )
        for s in range(studies)
        for j in range(per)
    ]


def report(folder, table, toml=TWO, **settings):
    return Report("movement", review=write(folder, table, toml=toml), **settings)


def run_in(found, at=0):
    return {one["name"]: one for one in found.content["small_study"][at]["tests"]}


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    table = lines() + lines(per=1, outcome="grip")
    return report(tmp_path_factory.mktemp("several"), table, TWO + YEAR.format(id="year"))


def test_one_outcome_is_tested_in_its_multilevel_model(several):
    found = run_in(several)
    assert set(found) == {"multilevel size regression", "Doleman", "time lag"}
    for name, expected in REFERENCE.items():
        numbers = [found[name][key] for key in ("slope", "se", "df", "p")]
        assert numbers == pytest.approx(expected, rel=1e-5)
        assert found[name]["test"] == "cr2" and found[name]["clusters"] == 12


def test_words_and_table_tell_each_test_and_how_it_was_done(several):
    outcome, found = several.outcome("score"), run_in(several)
    text, table = outcome.small_study().text, outcome.small_study_tests()
    assert "Dependent rows are taken into account by the outcome's multilevel model." in text
    for name, one in found.items():
        p = "p < 0.001" if one["p"] < 0.0005 else f"p = {one['p']:.3f}"
        t = f"t({one['df']:.1f}) = {one['statistic']:.2f}".replace("-", "−")
        assert f"{name[0].upper()}{name[1:]}: {t}, {p} (CR2, 12 clusters)" in text
    assert "group sizes and clusters" in text and "Egger" not in text + table.text
    assert "Pustejovsky-Rodgers" not in table.text
    power = several.content["small_study"][0]["power"]
    assert [one["test"] for one in power] == ["size", "doleman"]
    assert f"would reject in {100 * power[0]['power']:.0f}%" in text


def test_outcomes_together_have_levels_of_study_and_experiment(tmp_path):
    table = lines(per=1) + lines(per=1, outcome="grip")
    found = report(tmp_path, table)
    alone, both = found.outcome("score"), found.group(["score", "grip"], "Both")
    assert "Pustejovsky-Rodgers" in alone.small_study().text
    text = both.small_study().text
    assert "random effects of study and experiment" in text and "independent" in text
    assert "Multilevel size regression" in text and "12 clusters" in text
    methods = found.methods().text
    assert "the regression of Pustejovsky and Rodgers on sample size [" in methods
    assert methods.count("(Score)") == 1  # the independent rows' tests alone
    assert "For several outcomes together (Score and Grip) that model has random" in methods
    shown = {one["group"]: one for one in found.content["small_study"]}
    assert {name: one["dependence"] for name, one in shown.items()} == {
        "Score": None,
        "Both": "study",
    }
    assert shown["Both"]["outcomes"] == ["score", "grip"] and shown["Both"]["k"] == 24


def test_who_asks_for_independent_rows_gets_their_tests(tmp_path):
    table = lines() + lines(per=1, outcome="grip")
    found = report(tmp_path, table, method="DL")
    for shown in (found.outcome("score"), found.group(["score", "grip"], "Both")):
        text = shown.small_study().text
        assert "Pustejovsky-Rodgers" in text and "ultilevel" not in text


@pytest.mark.parametrize(
    ("id", "change", "is_year"),
    [
        ("year", 0, True),
        ("Publication_year", 0, True),
        ("year_of_publication", 0, True),
        ("pub_year", 0, True),
        ("year", -2000, False),  # years since something
        ("years_of_age", 0, False),
        ("yearling", 0, False),
    ],
)
def test_a_time_lag_needs_a_year_of_publication(id, change, is_year, tmp_path):
    table = [one | {"year": one["year"] + change} for one in lines()]
    found = run_in(report(tmp_path, table, TWO + YEAR.format(id=id)))
    assert ("time lag" in found) == is_year


def test_years_that_are_missing_are_counted(tmp_path):
    table = lines()
    table[4]["year"] = table[9]["year"] = ""
    found = report(tmp_path, table, TWO + YEAR.format(id="year"))
    assert run_in(found)["time lag"]["k"] == 34
    assert "without 2 experiments of no known year" in found.outcome("score").small_study().text


def test_few_clusters_are_tested_by_containment_and_it_is_said(tmp_path):
    found = report(tmp_path, lines(studies=4))
    one = run_in(found)["multilevel size regression"]
    assert one["test"] == "contain" and "4 of the 5 clusters" in one["reason"]
    text = found.outcome("score").small_study().text
    assert "(containment: 4 of the 5 clusters that CR2 needs (study))" in text
    assert "Not run: Doleman: 4 of the 5 clusters" in text and "would reject" not in text
    assert "Not run: simulation of power: 4 of the 5 clusters" in text
    assert "rejects" not in found.outcome("score").small_study_tests().text
    assert found.content["small_study"][0]["power"] == []
    methods = found.methods().text
    assert "Tests are t tests with containment degrees of freedom." in methods


def test_few_degrees_of_freedom_are_named(tmp_path):
    table = lines(studies=8, sizes=lambda s, j: 14 if s < 2 else 6)
    found = report(tmp_path, table)
    size, doleman = run_in(found).values()
    assert size["test"] == "contain" and "degrees of freedom that CR2 needs" in size["reason"]
    assert doleman["p"] is None and doleman["df"] < 4
    shown = found.outcome("score")
    text, why = shown.small_study().text, f"{doleman['df']:.1f} of the 4 degrees of freedom"
    assert f"Doleman: not tested ({why} that CR2 needs)" in text
    assert f"not tested ({why}" in shown.doleman().text + shown.doleman().html
    assert f"not tested: {why}" in shown.small_study_tests().text
    assert "by Doleman" not in text and "would reject" not in text
    assert "Doleman's has no p" in found.methods().text


def test_power_is_not_told_of_a_test_that_it_does_not_simulate(tmp_path):
    found = report(tmp_path, lines(), TWO + '\n[model]\ntest = "contain"\n')
    one = run_in(found)["multilevel size regression"]
    assert one["test"] == "contain" and one["reason"] == ""
    text = found.outcome("score").small_study().text
    assert "(containment)" in text and "Doleman: t(" in text
    (size, doleman) = found.content["small_study"][0]["power"]
    assert size["power"] is None and 0 <= doleman["power"] <= 1


def test_below_ten_nothing_is_tested(tmp_path):
    found = report(tmp_path, lines(studies=3))
    assert "no test for small-study effects was run" in found.outcome("score").small_study().text
    (one,) = found.content["small_study"]
    assert one["tests"] == [] and one["not_run"] == ["9 of the 10 experiments that a test needs"]


# ------------------------------------------------------------------------------------- influence


def test_influence_in_the_json_is_the_analysis_without_the_study(tmp_path):
    table = lines(studies=6)
    full = report(tmp_path / "all", table, measure="MD")
    rows = full.content["outcomes"]["score"]["influence"]
    assert [one["left_out"] for one in rows] == [f"s{s}" for s in range(6)]
    assert {one["left_out_is"] for one in rows} == {"study"}
    part = [one for one in table if one["study"] != "s2"]
    without = report(tmp_path / "part", part, measure="MD").analyses["score"].leading
    for name in ("k", "estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high"):
        assert rows[2][name] == pytest.approx(getattr(without, name), rel=1e-5)
    assert np.sign(rows[2]["dfbetas"]) == np.sign(
        full.analyses["score"].leading.estimate - without.estimate
    )
    assert rows[2]["cook"] > 0


def test_influence_of_independent_rows_is_that_of_experiments(tmp_path):
    table = lines(studies=7, per=1)
    rows = report(tmp_path / "all", table, measure="MD").content["outcomes"]["score"]["influence"]
    assert [one["left_out"] for one in rows] == [f"score-{s}-0" for s in range(7)]
    assert {one["left_out_is"] for one in rows} == {"experiment"}
    without = report(tmp_path / "part", table[1:], measure="MD").analyses["score"].leading
    for name in ("k", "estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high"):
        assert rows[0][name] == pytest.approx(getattr(without, name), rel=1e-6)


def test_page_and_json_share_what_was_computed(several, monkeypatch):
    calls = []
    of = diagnosis.leave_out
    monkeypatch.setattr(diagnosis, "leave_out", lambda *a, **o: calls.append(1) or of(*a, **o))
    fresh = Report("movement", review=several.review.folder)
    shown = fresh.outcome("score").influence().data["csv"]
    rows = fresh.content["outcomes"]["score"]["influence"]
    assert len(calls) == 1 and f"{rows[0]['estimate']!r}" in shown
