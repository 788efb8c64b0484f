"""Words for errors and averages: what is clear is understood, what is not is a fault."""

import numpy as np
import pytest
from own_review import row, write

from helpers.review.check import check
from helpers.review.error_types import average_kind, error_kind, heading_kinds
from helpers.review.review import load


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("SD", "SD|sd|S.D.|mean ± SD|Mean (SD)|Std. Dev.|standard deviation|Standardabweichung|"
               "écart-type|deviazione standard|desviación estándar|标准差"),
        ("SEM", "SEM|s.e.m|s.e.m.|mean, SEM|SE|Std. Error|standard error of the mean|mean±SEM|"
                "Standardfehler des Mittelwerts|erreur standard|error estándar|平均值±标准误"),
        ("CI", "CI|95% CI|ci95|CI (95%)|95% confidence interval|Konfidenzintervall 95%"),
        ("IQR", "IQR|median (IQR)|Q1-Q3|quartiles|interquartile range|25th-75th percentile"),
        ("RANGE", "range|min-max|median, range|minimum to maximum|Spannweite"),
        (None, "SD or SEM|SD/SEM|SEM?|not clear|unclear|2 SEM|1.96 SE|90% CI|99% CI|variance|"
               "SD of change|wiggle|n/a|probably SD||ET"),
    ],
)  # fmt: skip
def test_words_of_errors(kind, words):
    assert {word: error_kind(word) for word in words.split("|")} == dict.fromkeys(
        words.split("|"), kind
    )


def test_words_of_averages():
    known = {"median": "MEDIAN", "Mean": "MEAN", "m": "MEAN", "median (IQR)": "MEDIAN",
             "mean ± SD": "MEAN", "mean or median": None, "geometric mean": None}  # fmt: skip
    assert {word: average_kind(word) for word in known} == known


@pytest.mark.parametrize(
    ("heading", "kinds"),
    [("Drug_SEM", {"SEM"}), ("semTreated", {"SEM"}), ("sdexp", {"SD"}), ("secon", {"SEM"}),
     ("Drug (mean ± s.e.m.)", {"MEAN", "SEM"}), ("Median drug", {"MEDIAN"}), ("varE", set()),
     ("use of drug", set()), ("ci_low_t", {"CI"}), ("SD/SEM", {"SD", "SEM"})],
)  # fmt: skip
def test_headings(heading, kinds):
    assert heading_kinds(heading) == kinds


def renamed(**names):
    """A tidy sheet of two rows with other headings, and the lines of [sheet.columns] for them."""
    table = [row("a"), row("b", mean_treated=11)]
    table = [{names.get(name, name): cell for name, cell in line.items()} for line in table]
    return table, "".join(f"columns.{ours} = '{theirs}'\n" for ours, theirs in names.items())


@pytest.mark.parametrize(
    ("name", "heading", "words"),
    [
        ("sd_treated", "SEM drug", "speaks of SEM, and no error_type"),
        ("sd_control", "Vehicle s.e.m.", "speaks of SEM, and no error_type"),
        ("sd_treated", "IQR drug", "speaks of IQR"),
        ("sd_treated", "SD or SEM", "speaks of SEM"),
        ("sd_control", "Variance", "speaks of variances, and an SD is due"),
        ("mean_treated", "Median drug", "speaks of medians, and no average_type"),
    ],
)
def test_a_heading_that_contradicts_the_default_is_a_fault(tmp_path, name, heading, words):
    table, body = renamed(**{name: heading})
    faults = check(write(tmp_path, table, body)).faults
    assert len(faults) == 1 and words in faults[0].what and faults[0].column == heading
    if words.endswith("error_type"):
        review = load(write(tmp_path, table, body + "constants.error_type = 'SEM'"))
        assert review.experiments["sd_treated"].iloc[0] == pytest.approx(2.5 * 8**0.5)


def test_a_heading_that_does_not_say_what_errors_these_are_is_warned_of(tmp_path):
    table, body = renamed(sd_treated="varE")
    found = check(write(tmp_path, table, body))
    assert found.faults == () and "read as SDs" in str(found.warnings[0])
    assert check(write(tmp_path, table, body + "constants.error_type = 'SD'")).warnings == ()


def test_ends_of_an_interval_need_an_error_type(tmp_path):
    # Case: n 8, mean 4.1, 3.1 to 5.1: SD by t(7) is 1.0 * sqrt(8) / 2.3646243 = 1.1961423
    table = [row(n_treated=8, mean_treated=4.1, ci_low=3.1, ci_high=5.1)]
    del table[0]["sd_treated"]
    body = "columns.low_treated = 'ci_low'\ncolumns.high_treated = 'ci_high'\n"
    faults = check(write(tmp_path, table, body)).faults
    assert {f.column for f in faults} == {"ci_low", "ci_high"}
    assert all("an error_type is due" in f.what for f in faults)
    review = load(write(tmp_path, table, body + "constants.error_type_treated = '95% CI'"))
    assert review.experiments["sd_treated"].iloc[0] == pytest.approx(1.1961423, rel=1e-7)


def test_a_mean_outside_its_own_interval_is_a_fault(tmp_path):
    table = [row(mean_treated=9, low=3.1, high=5.1)]
    body = "columns.low_treated = 'low'\ncolumns.high_treated = 'high'\n"
    found = check(write(tmp_path, table, body + "constants.error_type_treated = 'CI'"))
    assert [f.what for f in found.faults] == ["this lies outside its own interval"]


def test_one_odd_or_empty_word_is_a_fault_of_its_cell(tmp_path):
    table = [row("a", kind="mean, SEM"), row("b", kind="not clear"), row("c", kind="")]
    table = [line | {"mean_treated": 11 + i} for i, line in enumerate(table)]
    faults = check(write(tmp_path, table, "columns.error_type = 'kind'")).faults
    assert {(f.row, f.column) for f in faults} == {(3, "kind"), (4, "kind")}
    body = "missing = ['not clear']\ncolumns.error_type = 'kind'"
    review = load(write(tmp_path, table, body))
    assert review.experiments["sd_treated"].tolist() == pytest.approx([2.5 * 8**0.5])
    assert review.not_used["sheet_row"].tolist() == [3, 4]


def test_a_median_named_beside_its_error_is_a_median(tmp_path):
    # Luo 2018 at n = 8: w = 0.7 + 0.39/8 = 0.74875; mean = w * (8 + 14)/2 + (1 - w) * 10
    table = [row(mean_treated=10, q1=8, q3=14, kind="median (IQR)")]
    body = "columns.low_treated = 'q1'\ncolumns.high_treated = 'q3'\n"
    body += "columns.error_type_treated = 'kind'\n"
    del table[0]["sd_treated"]
    found = load(write(tmp_path, table, body)).experiments.iloc[0]
    assert found["mean_treated"] == pytest.approx(0.74875 * 11 + 0.25125 * 10)
    wrong = check(write(tmp_path, table, body + "constants.average_type_treated = 'mean'"))
    assert "contradicts the words of the error type" in str(wrong)


def test_a_message_quotes_the_cell_and_not_its_conversion(tmp_path):
    table = [row("a"), row("b", mean_treated=3.9, sd_treated="-0.35", n_treated=10)]
    (fault,) = check(write(tmp_path, table, "constants.error_type = 'SEM'")).faults
    assert (fault.row, fault.column, fault.value) == (3, "sd_treated", "-0.35")
    days = [row(follow_up_days="soon"), row("b", follow_up_days="1440", mean_treated=11)]
    (fault,) = check(write(tmp_path, days, "divide.follow_up_days = 1440")).faults
    assert fault.value == "soon"


def test_a_message_about_a_control_names_its_own_row(tmp_path):
    base = {"study": "s", "outcome": "score", "n": 9, "mean": 5, "sd": 1}
    table = [base | {"arm": "drug", "mean": 8}, base | {"arm": "veh", "sd": "-1"}]
    body = "columns = { experiment = 'row' }\n"
    body += "long = { group = 'arm', control = ['veh'], pair = ['study'] }"
    (fault,) = check(write(tmp_path, table, body)).faults
    assert (fault.row, fault.column, fault.value) == (3, "sd", "-1")


def test_quartiles_without_a_median_take_the_factor_of_their_n(tmp_path):
    # Wan 2014: 2.7 / (2 qnorm((0.75 * 9 - 0.125) / 9.25)), by R
    table = [row(n_treated=9, sd_treated=2.7)]
    review = load(write(tmp_path, table, "constants.error_type_treated = 'IQR'"))
    assert review.experiments["sd_treated"].iloc[0] == pytest.approx(2.36163642267909, rel=1e-12)
    assert np.isclose(review.experiments["sd_control"].iloc[0], 2.25)


@pytest.mark.parametrize("heading", ["vi", "variance", "SD of effect", "95% CI"])
def test_another_number_in_the_place_of_an_effects_standard_error(tmp_path, heading):
    table = [{"experiment": "a", "study": "s", "outcome": "score", "effect": 1, heading: 0.5}]
    found = check(write(tmp_path, table, f"columns.se = '{heading}'"))
    assert [f.column for f in found.faults] == [heading] and "root" in found.faults[0].remedy
    table[0]["sei"] = table[0].pop(heading)
    assert check(write(tmp_path, table, "columns.se = 'sei'")).faults == ()


@pytest.mark.parametrize("heading", ["vi", "v", "variance", "Var(g)", "Sampling variance"])
def test_a_variance_that_is_named_as_one_gives_standard_errors(tmp_path, heading):
    table = [{"experiment": "a", "study": "s", "outcome": "score", "effect": 1, heading: 0.25}]
    folder = write(tmp_path, table, f"columns.variance = '{heading}'")
    assert check(folder).faults == ()
    assert load(folder).experiments["se"].tolist() == [0.5]
    # Beside standard errors it fills gaps, and their own heading is still looked at.
    table = [table[0] | {"SD of effect": 0.3}, table[0] | {"experiment": "b", "SD of effect": ""}]
    body = f"columns.variance = '{heading}'\ncolumns.se = 'SD of effect'"
    found = check(write(tmp_path / "both", table, body))
    assert [f.column for f in found.faults] == ["SD of effect"]


@pytest.mark.parametrize("name", ["error_type", "error_type_control", "average_type"])
def test_a_column_of_kinds_that_is_not_named_is_told(tmp_path, name):
    table = [row(**{name: "SEM"})]
    found = check(write(tmp_path, table))
    assert [f.column for f in found.faults] == [name] and "not read" in found.faults[0].what
    named = check(write(tmp_path, table, f"columns.{name} = '{name}'"))
    assert not [f for f in (*named.faults, *named.warnings) if "not read" in f.what]


def test_ends_that_are_swapped_are_one_fault_that_quotes_the_sheet(tmp_path):
    table = [row(mean_treated=4.1, lo=5.1, hi=3.1), row("b", mean_treated=6, lo=6, hi=6)]
    for line in table:
        del line["sd_treated"]
    body = "columns.low_treated = 'lo'\ncolumns.high_treated = 'hi'\n"
    found = check(write(tmp_path, table, body + "constants.error_type_treated = 'CI'"))
    assert [(f.row, f.column, f.value) for f in found.faults] == [(2, "lo", "5.1")]
    assert [(f.row, f.column, f.value) for f in found.warnings] == [(3, "lo + hi", "6 6")]
