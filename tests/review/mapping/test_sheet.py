"""What `[sheet]` of review.toml does to a sheet, and that every step is listed."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_review import FAMILY, HEAD, SPECIES, row, rows, write, write_csv

from helpers.analysis import animals
from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.mapping.sheet import read_sheet
from helpers.review.review import load
from helpers.stats import conversions

# Wan 2014 for n = 8: 2 qnorm((0.75 * 8 - 0.125) / (8 + 0.25)) in R
WAN_8 = 1.119184548454865


def trace(review, step):
    found = review.trace[review.trace["step"] == step]
    return found[["column", "detail", "rows"]].itertuples(index=False, name=None)


def accounted(review):
    """Rows in = rows used + rows listed."""
    assert not set(review.not_used["sheet_row"]) & set(review.experiments["sheet_row"])
    return len(review.experiments) + len(review.not_used) == review.rows_in


def test_a_tidy_sheet_passes_unchanged(tmp_path):
    review = load(write(tmp_path, rows()))
    assert review.experiments["mean_treated"].tolist() == [11, 11.5, 12]
    assert review.experiments["sheet_row"].tolist() == [2, 3, 4]
    assert [step for step in review.trace["step"]] == ["read", "use"]
    assert accounted(review) and review.warnings == ()


def test_rename_join_words_and_constants(tmp_path):
    table = [
        {"Author": "A", "year": 2010, "id": 1, **row("x")},
        {"Author": "A", "year": 2011, "id": 2, **row("y")},
    ]
    for line in table:
        del line["study"], line["outcome"], line["experiment"]
    body = """
    [sheet.columns]
    experiment = "row"
    study = ["Author", "year"]
    [sheet.constants]
    outcome = "score"
    """
    review = load(write(tmp_path, table, body))
    assert review.experiments["study"].tolist() == ["A 2010", "A 2011"]
    assert review.experiments.index.tolist() == ["row-2", "row-3"]
    assert list(trace(review, "constant")) == [("outcome", "'score' in every row", 2)]
    assert list(trace(review, "rename")) == [("study", "is Author + year", 2)]


def test_missing_columns_are_named_all_at_once(tmp_path):
    table = [{"mean_treated": 1, "x": 2}]
    with pytest.raises(ReviewError) as caught:
        load(write(tmp_path, table))
    named = {finding.column for finding in caught.value.findings}
    assert named == {"experiment", "study", "outcome", "n_treated", "sd_treated", "n_control",
                     "mean_control", "sd_control"}  # fmt: skip
    assert "the sheet has mean_treated, x" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("mising = []", "sheet.mising: there is no such setting.*'missing'"),
        ("[sheet.columns]\nmean_treatd = 'a'", "no such column.*'mean_treated'"),
        ("[sheet.columns]\nstudy = 'a'", "column for study is not there"),
        ("[sheet.columns]\nstudy = []", "a column or a list of columns is due"),
        ("[sheet.values.spcies]\na = 'b'", "no such column"),
        ("[[sheet.leave_out]]\ncolumn = 'nothing'\nvalues = ['a']\nreason = 'x'", "no such column"),
        ("[[sheet.leave_out]]\ncolumn = 'study'\nvalues = ['a']", "reason: a text is due"),
        ("[[sheet.leave_out]]\ncolumn = 'study'\nreason = 'a'", "not complete"),
        ("time_point = 'latest'", "all, first, last or a day is due"),
        ("time_point = 'last'", "no such column.*'cohort'"),
        ("[[sheet.join]]\nfile = 'other.csv'\non = 'study'", "other.csv: there is no such file"),
        ("header = 99", "the headings have no such row"),
        ("encoding = 'klingon'", "cannot be read"),
        ("missing = 'NS'", "a list is due here"),
        ("decimal = ';'", '"." or "," is due'),
        ("columns = 'study'", "a table is due here"),
        ("values.species = 'rat'", "a table is due here"),
        ("divide.n_treated = 'x'", "sheet.divide: there is no such column"),
        ("divide.n_treated = true", "a number or a column is due here"),
        ("constants.study = ['x']", "a text or a number is due here"),
        ("join = ['x']", "a table is due here"),
        ("long = true", "a table is due here"),
        ("long = { group = 'study', pair = 'study', control = ['a'] }", "a list of columns is due"),
        ("long = { group = 'study', pair = ['study'], control = 'a' }", "a list is due"),
        ("outliers = {}", "outliers.sd: a number is due"),
        ("outliers = { sd = 3, by = 'colour' }", "outliers: there is no such column"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(tmp_path, body, words):
    with pytest.raises(ReviewError, match=f"(?s){words}"):
        load(write(tmp_path, [line | {"n": 1, "mean": 2, "sd": 3} for line in rows()], body))


def test_columns_that_the_project_has_not_are_named_all_at_once(tmp_path):
    body = "[sheet.columns]\nstdy = 'a'\n[sheet.constants]\nspeces = 'rat'\n"
    body += "[sheet.values.outcme]\na = 'b'\n[sheet.divide]\nmaen = 10\n"
    body += "[forest_columns]\nsex = 'Sex'\nspecie = 'Species'"
    with pytest.raises(ReviewError) as refusal:
        read_sheet(describe(write(tmp_path, rows(), body, toml=FAMILY + SPECIES)))
    for name in ("columns.stdy", "constants.speces", "values.outcme", "divide.maen", "columns.sex"):
        assert f"{name}: there is no such column" in str(refusal.value)
    assert "Did you mean 'species'" in str(refusal.value)
    assert len(refusal.value.findings) == 6


def test_a_divisor_of_both_groups_and_one_of_nothing(tmp_path):
    folder = write(tmp_path, [row(mean_treated=1250, mean_control=925)], "divide = { mean = 100 }")
    table = read_sheet(describe(folder)).table
    assert table.iloc[0][["mean_treated", "mean_control"]].tolist() == [12.5, 9.25]
    for name in ("low", "outcome"):
        folder = write(tmp_path, rows(), f"divide = {{ {name} = 100 }}")
        with pytest.raises(ReviewError, match="divide: there is no such column"):
            read_sheet(describe(folder))


def test_a_moderator_without_a_column_is_said(tmp_path):
    folder = write(tmp_path, [row(speces="rat")], toml=FAMILY + SPECIES)
    found = check(folder)
    assert not found.faults
    words = "moderators.species: the sheet has no such column. Did you mean 'speces'?"
    assert words in str(found)


def test_join_by_key_and_what_matches_nothing(tmp_path):
    table = [row("a", study="S1"), row("b", study="S2"), row("c", study="S9")]
    studies = [{"study": "S1", "species": "rat"}, {"study": "S2", "species": "mouse"},
               {"study": "S7", "species": "rat"}]  # fmt: skip
    body = "[[sheet.join]]\nfile = 'studies.csv'\non = 'study'"
    folder = write(tmp_path, table, body, toml=FAMILY + SPECIES, studies=studies)
    review = load(folder)
    assert review.moderator_values["species"].tolist()[:2] == ["rat", "mouse"]
    assert review.moderator_values["species"].isna().tolist() == [False, False, True]
    words = "\n".join(map(str, review.warnings))
    assert "row 4, column study: studies.csv has no such study (there stands 'S9')" in words
    assert "no row of experiments.csv has the study S7" in words
    write_csv(folder / "studies.csv", [*studies, {"study": "S1", "species": "mouse"}])
    with pytest.raises(ReviewError, match=r"studies\.csv, row 5, column study: this key"):
        load(folder)


def test_value_maps_and_a_word_that_is_never_found(tmp_path):
    table = [row("a", species="rats"), row("b", species="Rat "), row("c", species="NA")]
    body = "missing = ['NA']\n[sheet.values.species]\nrats = 'rat'\nRat = 'rat'\nmus = 'mouse'"
    review = load(write(tmp_path, table, body, toml=FAMILY + SPECIES))
    assert review.moderator_values["species"].tolist()[:2] == ["rat", "rat"]
    assert review.moderator_values["species"].isna().sum() == 1
    assert list(trace(review, "value")) == [
        ("species", "'rats' is 'rat'", 1),
        ("species", "'Rat' is 'rat'", 1),
    ]
    assert "'mus' matches no cell" in str(review.warnings[0])


def test_rows_are_left_out_with_their_reason(tmp_path):
    table = [row(f"e{i}", kind="protein" if i % 2 else "RNA") for i in range(5)]
    body = (
        "leave_out = [{ column = 'kind', keep = ['protein'], reason = 'RNA is another question' }]"
    )
    review = load(write(tmp_path, table, body))
    assert review.not_used.values.tolist() == [
        [row, "RNA is another question"] for row in (2, 4, 6)
    ]
    assert accounted(review)
    notes = check(tmp_path).notes
    assert notes == ("not used, 3 of 5 rows: RNA is another question (row 2, 4, 6)",)


def test_group_sizes_given_as_a_range_take_the_lower_end(tmp_path):
    table = [row("a", n_treated="6-8"), row("b", n_treated="9 to 7"), row("c", n_control="6 – 8")]
    review = load(write(tmp_path, table))
    assert review.experiments["n_treated"].tolist() == [6, 7, 8]
    assert review.experiments["n_control"].tolist() == [6, 6, 6]
    assert ("n_treated", "'6-8' read as 6", 1) in trace(review, "range")
    assert "a number is due" in str(check(write(tmp_path, [row(n_treated="6/8")])))
    assert "lower end for group sizes only" in str(
        check(write(tmp_path, [row(mean_treated="6-8")]))
    )


def test_decimal_commas(tmp_path):
    table = [row("a", mean_treated="12,75", sd_treated="1,5", mean_control=9, sd_control=2)]
    folder = write(tmp_path, table, "decimal = ','", separator=";")
    review = load(folder)
    assert review.experiments["mean_treated"].tolist() == [12.75]
    assert ("sd_treated", "read as a point", 1) in trace(review, "decimal comma")
    assert 'say decimal = ","' in str(check(write(tmp_path, table, separator=";")))
    table[0]["mean_control"] = "1.234"
    assert "a point stands in a sheet" in str(
        check(write(tmp_path, table, "decimal = ','", separator=";"))
    )


def test_missing_words_are_listed_only_where_they_are_declared(tmp_path):
    table = [*rows(2), row("ns", sd_treated="NS"), row("empty", n_control="")]
    faults = check(write(tmp_path, table)).faults
    assert len(faults) == 2 and "name 'NS' among `missing`" in str(
        faults[0] if faults[0].value else faults[1]
    )
    review = load(write(tmp_path, table, "missing = ['NS']"))
    assert review.not_used.values.tolist() == [[4, "no sd_treated (NS)"], [5, "no n_control"]]
    assert accounted(review)


@pytest.mark.parametrize("kind", ["SEM", "s.e.m.", "Standard Error"])
def test_sems_for_all(tmp_path, kind):
    review = load(
        write(tmp_path, [row(n_treated=9, sd_treated=2)], f"constants.error_type = '{kind}'")
    )
    assert review.experiments["sd_treated"].tolist() == [6]
    assert review.experiments["sd_control"].iloc[0] == pytest.approx(2.25 * 6**0.5, rel=1e-15)
    assert ("sd_treated", "SEM times the root of n", 1) in trace(review, "sd by conversion")


def test_errors_by_column_and_a_word_nobody_knows(tmp_path):
    table = [
        row("a", kind="SD"),
        row("b", kind="sem"),
        row("c", kind="95% CI"),
        row("d", kind="IQR"),
    ]
    body = "columns.error_type = 'kind'"
    review = load(write(tmp_path, table, body))
    n = 8
    expected = [2.5, 2.5 * np.sqrt(n), conversions.sd_from_ci(5.0, n=n), 2.5 / WAN_8]
    assert review.experiments["sd_treated"].tolist() == pytest.approx(expected, rel=1e-12)
    table[2]["kind"] = "wiggle"
    found = check(write(tmp_path, table, body)).faults
    assert {str(f.value) for f in found} == {"wiggle"} and "SD, SEM, CI, IQR, RANGE" in str(
        found[0]
    )


def test_medians_with_quartiles(tmp_path):
    table = [row("a", mean_treated=10, q1=8, q3=14)]
    del table[0]["sd_treated"]
    body = """
    columns.low_treated = "q1"
    columns.high_treated = "q3"
    constants.average_type_treated = "median"
    constants.error_type_treated = "quartiles"
    """
    review = load(write(tmp_path, table, body))
    found = review.experiments.iloc[0]
    assert found["mean_treated"] == pytest.approx(
        conversions.mean_from_quartiles(10.0, low=8, high=14, n=8)
    )
    assert found["sd_treated"] == pytest.approx(conversions.sd_from_iqr(6.0, n=8))
    assert found["sd_control"] == 2.25
    table[0] |= {"q1": 15}
    assert "lower end lies above" in str(check(write(tmp_path, table, body)))


def test_a_split_control_n_does_not_turn_sems_into_sds(tmp_path):
    table = [row(n_control=2, whole=6)]
    body = "control_n_is_split = true\nconstants.error_type = 'SEM'"
    with pytest.raises(ReviewError, match=r"n of the whole group.*n_error_control"):
        load(write(tmp_path, table, body))
    review = load(write(tmp_path, table, body + "\ncolumns.n_error_control = 'whole'"))
    assert review.experiments["sd_control"].iloc[0] == pytest.approx(2.25 * 6**0.5)
    assert review.experiments["n_control"].iloc[0] == 2


def test_direction_by_constant_and_by_column(tmp_path):
    from helpers.analysis.effects import effects
    from helpers.analysis.outcome import ARTICLE

    plain = effects(load(write(tmp_path / "a", rows())).experiments, ARTICLE)["effect"]
    turned = load(write(tmp_path / "b", rows(), "constants.sign = -1"))
    assert effects(turned.experiments, ARTICLE)["effect"].tolist() == (-plain).tolist()
    table = [line | {"worse": i == 1} for i, line in enumerate(rows())]
    body = "columns.sign = 'worse'\nvalues.sign = { True = -1, False = 1 }"
    mixed = load(write(tmp_path / "c", table, body))
    assert mixed.experiments["sign"].tolist() == [1, -1, 1]
    wrong = check(write(tmp_path / "d", table, "columns.sign = 'worse'"))
    assert "a number is due" in str(wrong)
    assert "a sign is 1 or -1" in str(check(write(tmp_path / "e", rows(), "constants.sign = 2")))


def test_rows_that_bring_effect_and_se(tmp_path):
    from helpers.analysis.effects import effects
    from helpers.analysis.outcome import ARTICLE

    table = [*rows(2), row("own", effect=1.5, se=0.5)]
    for name in (
        "n_treated",
        "mean_treated",
        "sd_treated",
        "n_control",
        "mean_control",
        "sd_control",
    ):
        table[2][name] = ""
    review = load(write(tmp_path, table))
    found = effects(review.experiments, ARTICLE)
    assert found.loc["own", ["effect", "se"]].tolist() == [1.5, 0.5]
    both = [line | {"effect": 9, "se": 1} for line in rows(2)]
    computed = load(write(tmp_path / "both", both))
    assert computed.experiments["effect"].isna().all()
    assert ("effect", "computed anew where all group data are there", 2) in trace(
        computed, "effect"
    )
    taken = load(write(tmp_path / "named", both, "columns.effect = 'effect'"))
    assert effects(taken.experiments, ARTICLE)["effect"].tolist() == [9, 9]
    table[2]["se"] = 0
    assert "a standard error is above 0" in str(check(write(tmp_path, table)))


@pytest.mark.parametrize(
    ("rule", "taken"),
    [("'all'", [7, 14, 28, 14]), ("'first'", [7, 14]), ("'last'", [28, 14]), ("15", [14, 14]),
     ("21", [14, 14])],
)  # fmt: skip
def test_one_time_point_for_each_cohort(tmp_path, rule, taken):
    table = [
        row(f"{cohort}{day}", study="s", cohort=cohort, follow_up_days=day)
        for cohort, day in (("a", 7), ("a", 14), ("a", 28), ("", 14))
    ]
    review = load(write(tmp_path, table, f"time_point = {rule}"))
    assert review.experiments["follow_up_days"].tolist() == taken
    assert accounted(review)


def test_names_that_happen_to_be_ours_are_not_taken(tmp_path):
    table = [
        line | {"n": 99, "low": 1, "high": 2, "tip": 3, "error_type": "SD", "min": 5, "q1": 1}
        for line in rows()
    ]
    review = load(write(tmp_path, table))
    assert review.experiments["n_treated"].tolist() == [8, 8, 8]
    assert review.experiments["sd_treated"].tolist() == [2.5, 2.5, 2.5]
    named = load(write(tmp_path, table, "columns = { n = 'n' }"))
    assert named.experiments["n_treated"].tolist() == [8, 8, 8]


@pytest.mark.parametrize("heading", ["error_type", "Error type", "ErrorType", "error_type_treated"])
def test_a_column_that_says_what_errors_are_is_read_or_refused(tmp_path, heading):
    table = [line | {heading: word} for line, word in zip(rows(), ("SD", "SEM", ""), strict=True)]
    [fault] = check(write(tmp_path, table)).faults
    assert fault.column == heading and "not read" in fault.what
    name = "error_type_treated" if "treated" in heading else "error_type"
    assert f'{name} = "{heading}" under [sheet.columns]' in fault.remedy
    constant = load(write(tmp_path, table, 'constants = { error_type = "SD" }'))
    assert constant.experiments["sd_treated"].tolist() == [2.5, 2.5, 2.5]
    of_sds = [line | {heading: "SD"} for line in rows()]
    assert len(load(write(tmp_path, of_sds)).experiments) == 3  # it says what is understood anyway


def test_words_for_errors_under_another_heading_are_warned_of(tmp_path):
    table = [
        line | {"Shown as": word} for line, word in zip(rows(), ("SD", "SEM", "SEM"), strict=True)
    ]
    told = [odd for odd in check(write(tmp_path, table)).warnings if odd.column == "Shown as"]
    assert len(told) == 1 and "speaks of SD, SEM" in told[0].what
    named = check(write(tmp_path, table, 'columns = { error_type = "Shown as" }'))
    assert not [odd for odd in named.warnings if odd.column == "Shown as"]


def test_control_groups_of_studies_keep_their_ids_and_missing_ones_are_none(tmp_path):
    table = [row(f"e{i}", study=f"s{i // 2}", control_group="c1") for i in range(4)]
    table += [row(f"m{i}", control_group="NA", cohort="NA") for i in range(2)]
    review = load(write(tmp_path, table, "missing = ['NA']"))
    groups = review.experiments["control_group"].tolist()
    assert groups == ["c1", "c1", "c1", "c1", "", ""]
    # Two studies call their control c1: four treated groups, two controls, and two of their own.
    assert animals.count(review.experiments) == 6 * 8 + 4 * 6
    assert review.experiments["cohort"].tolist() == [""] * 6


def test_a_sheet_without_a_row_is_refused(tmp_path):
    table = [row(sd_treated="NS")]
    assert "no row of this sheet" in str(
        check(write(tmp_path, table, "missing = ['NS']")).faults[0]
    )
    (tmp_path / "experiments.csv").write_text(",".join(HEAD) + "\n")
    assert "no row of this sheet" in str(check(tmp_path).faults[0])


def long_rows():
    base = {"study": "s", "exp": "1", "day": 1440, "out": "score", "N": 9, "err": 1, "type": "SEM"}
    return [
        base | {"ctrl": "TRUE", "avg": 5, "cohort": "c"},
        base | {"ctrl": "FALSE", "avg": 8, "cohort": "t1"},
        base | {"ctrl": "FALSE", "avg": 9, "cohort": "t2", "N": 4},
        base | {"ctrl": "FALSE", "avg": 9, "cohort": "lonely", "exp": "2"},
        base | {"ctrl": "TRUE", "avg": 9, "cohort": "spare", "exp": "3"},
    ]


LONG = """
divide.follow_up_days = 1440
long = { group = "ctrl", control = [true], pair = ["study", "exp", "day"] }
[sheet.columns]
experiment = "row"
outcome = "out"
follow_up_days = "day"
n = "N"
mean = "avg"
sd = "err"
error_type = "type"
"""


def test_long_form_pairs_each_treated_group_with_its_control(tmp_path):
    review = load(write(tmp_path, long_rows(), LONG))
    table = review.experiments
    assert table["mean_treated"].tolist() == [8, 9] and table["mean_control"].tolist() == [5, 5]
    assert table["sd_treated"].tolist() == [3, 2] and table["sd_control"].tolist() == [3, 3]
    assert table["follow_up_days"].tolist() == [1, 1]
    assert table["control_group"].tolist() == ["c", "c"]  # the control's cohort
    assert dict(review.not_used.values.tolist()) == {
        5: "no control row has the same study, exp, day",
        6: "no treated row has the same study, exp, day",
    }
    # five rows in: two treated, the control that both share, two listed
    assert review.rows_in == len(table) + 1 + len(review.not_used)


def test_two_controls_for_one_treated_group_are_refused(tmp_path):
    table = long_rows()
    table[4]["exp"] = "1"
    found = check(write(tmp_path, table, LONG)).faults
    assert len(found) == 1 and found[0].row == 6 and "earlier control row" in found[0].what


def test_a_group_that_is_not_said_is_refused(tmp_path):
    table = long_rows()
    table[1]["ctrl"] = ""
    found = check(write(tmp_path, table, LONG)).faults
    assert [finding.row for finding in found] == [3] and "treated or control" in found[0].what


def test_digitised_bars_with_their_error_tips(tmp_path):
    points = {"bars": [(1, 5.0, "c"), (2, 8.0, "t")], "tips": [(1, 6.0, "c"), (2, 7.5, "t")]}
    project = {
        "datasetColl": [
            {
                "name": name,
                "data": [
                    {"x": x, "y": 0, "value": [value], "metadata": {"label": label}}
                    for x, value, label in listed
                ],
            }
            for name, listed in points.items()
        ]
    }
    bars = [
        {"label": "c", "group": "control", "n": 9, "study": "s"},
        {"label": "t", "group": "drug", "n": 4, "study": "s"},
    ]
    body = """
    long = { group = "group", control = ["control"], pair = ["study"] }
    join = [{ file = "bars.csv", on = "label" }]
    columns = { experiment = "row", mean = "bars", tip = "tips" }
    constants = { outcome = "score", error_type = "SEM" }
    """
    folder = write(tmp_path, None, body, file="figure.json", bars=bars)
    (folder / "figure.json").write_text(json.dumps(project))
    found = load(folder).experiments.iloc[0]
    assert found["mean_treated"] == 8 and found["sd_treated"] == 1.0
    assert found["mean_control"] == 5 and found["sd_control"] == 3.0


def test_a_joined_figure_keeps_its_warnings(tmp_path):
    table = [row("a", bar="Bar0"), row("b", bar="Bar1")]
    for line in table:
        del line["sd_treated"]
    (tmp_path / "figure.csv").write_text(
        "bars,,tips,\nLabel,Y,Label,Y\nBar0,11,Bar0,13\nBar1,12,Bar1,14\n"
    )
    body = """
    join = [{ file = "figure.csv", left = "bar", right = "label" }]
    columns = { sd_treated = "tips" }
    constants = { error_type = "SD" }
    """
    said = "\n".join(map(str, load(write(tmp_path, table, body)).warnings))
    assert "first was paired with first" in said
    assert "column tips: a digitised point says where an error bar ends" in said


def test_lengths_of_error_bars_are_no_digitised_points(tmp_path):
    (tmp_path / "figure.csv").write_text(
        "Mt,,St,,Mc,,Sc,\nX,Y,X,Y,X,Y,X,Y\n1,10,1,12,1,8,1,9\n7,20,7,23,7,9,7,11\n"
    )
    body = """
    id = "own"
    title = "t"
    [sheet]
    file = "figure.csv"
    [sheet.columns]
    experiment = "row"
    mean_treated = "Mt"
    sd_treated = "St"
    mean_control = "Mc"
    tip_control = "Sc"
    [sheet.constants]
    study = "A"
    outcome = "score"
    n_treated = 8
    n_control = 8
    error_type = "SD"
    """
    (tmp_path / "review.toml").write_text(body + FAMILY)
    said = [str(each) for each in load(tmp_path).warnings if "how long" in str(each)]
    assert len(said) == 1
    assert "column St: a digitised point says where an error bar ends" in said[0]
    assert "Name it as tip_treated" in said[0]


def test_corrections_are_applied_and_listed(tmp_path):
    fix = {
        "row": 3,
        "column": "mean_treated",
        "old": "11.5",
        "new": "15.1",
        "reason": "typing error",
    }
    review = load(write(tmp_path, rows(), corrections=[fix]))
    assert review.experiments["mean_treated"].tolist() == [11, 15.1, 12]
    assert list(trace(review, "correction")) == [
        ("mean_treated", "row 3: '11.5' to '15.1', typing error", 1)
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"old": "11.6"}, "column old: the sheet has '11.5' there"),
        ({"row": 99}, "no such row"),
        ({"row": "x"}, "no such row"),
        ({"column": "mean_treatd"}, "no such column.*'mean_treated'"),
        ({"reason": ""}, "states its reason"),
    ],
)
def test_a_correction_that_does_not_fit_is_a_fault(tmp_path, change, words):
    fix = {
        "row": 3,
        "column": "mean_treated",
        "old": "11.5",
        "new": "15.1",
        "reason": "typing error",
    }
    folder = write(tmp_path, rows(), corrections=[fix | change])
    with pytest.raises(ReviewError, match=f"(?s)corrections.csv, row 2.*{words}"):
        load(folder)


def test_headings_that_repeat_are_refused_where_they_matter(tmp_path):
    folder = write(tmp_path, rows())
    text = (folder / "experiments.csv").read_text().replace("sd_control", "sd_treated", 1)
    (folder / "experiments.csv").write_text(text)
    assert "stands over several columns" in str(check(folder))


def test_outliers_are_exclusions_with_their_distance(tmp_path):
    table = [*rows(20), row("far", mean_treated=20.5, sd_treated=0.5, sd_control=0.5)]
    review = load(write(tmp_path, table, "outliers = { sd = 3.3 }"))
    assert review.exclusions["experiment"].tolist() == ["far"]
    assert "SDs from the mean" in review.exclusions["reason"][0]
    assert "far" in review.experiments.index


def test_an_outlier_rule_looks_at_what_is_not_excluded_already(tmp_path):
    table = [*rows(20), row("far", mean_treated=20.5, sd_treated=0.5, sd_control=0.5)]
    table += [row("flat", sd_treated=0, sd_control=0)]
    listed = [{"experiment": "flat", "reason": "no spread", "by": "me"}]
    review = load(write(tmp_path, table, "outliers = { sd = 3.3 }", exclusions=listed))
    assert review.exclusions["experiment"].tolist() == ["flat", "far"]


# ------------------------------------------------------------------ thousands


def large(*cells):
    """Rows of whole numbers; these cells are means."""
    table = [
        row(f"e{i}", mean_treated=cell, mean_control=1900 + i, sd_treated=310, sd_control=350 + i)
        for i, cell in enumerate(cells)
    ]
    return table


LARGE = FAMILY.replace("range = [0, 21]", "")


@pytest.mark.parametrize("mark", [",", "."])
def test_what_may_be_a_thousand_or_a_decimal_is_asked_and_a_setting_says_it(tmp_path, mark):
    table = large(f"1{mark}250", 980, f"1{mark}430")
    faults = check(write(tmp_path, table, toml=LARGE)).faults
    assert [(f.row, f.value) for f in faults] == [(2, f"1{mark}250"), (4, f"1{mark}430")]
    assert all("thousands" in f.remedy and "decimal" in f.remedy for f in faults)
    folder = write(tmp_path, table, f"thousands = '{mark}'", toml=LARGE)
    assert load(folder).experiments["mean_treated"].tolist() == [1250, 980, 1430]
    assert ("mean_treated", f"without {mark!r}", 2) in trace(load(folder), "thousands")
    folder = write(tmp_path, table, f"decimal = '{mark}'", toml=LARGE)
    assert load(folder).experiments["mean_treated"].tolist() == [1.25, 980, 1.43]


def test_a_decimal_elsewhere_in_the_sheet_tells_what_a_point_is(tmp_path):
    table = large("1.250", "1.430", "1.105")
    assert len(check(write(tmp_path, table, toml=LARGE)).faults) == 3
    table[1]["sd_control"] = "0.25"
    found = check(write(tmp_path, table, toml=LARGE))
    assert found.faults == ()
    assert sum("smaller than its SD" in f.what for f in found.warnings) == 3
    table[1]["sd_control"] = 350
    assert check(write(tmp_path, table, "thousands = ''", toml=LARGE)).faults == ()


def test_thousands_and_decimals_cannot_have_one_mark(tmp_path):
    body = "thousands = ','\ndecimal = ','"
    assert "part thousands and decimals" in str(check(write(tmp_path, rows(), body)))
    assert 'sheet.thousands: ",", "."' in str(check(write(tmp_path, rows(), "thousands = ';'")))


def test_a_corrected_cell_of_a_workbook_is_a_text(tmp_path):
    fix = {"row": 3, "column": "mean_treated", "old": "11.5", "new": "1.149", "reason": "typing"}
    folder = write(tmp_path, None, file="book.xlsx", corrections=[fix])
    table = [line | {"sd_treated": 2, "sd_control": 3} for line in rows()]
    pd.DataFrame(table).to_excel(folder / "book.xlsx", index=False)
    (fault,) = check(folder).faults
    assert (fault.row, fault.value) == (3, "1.149") and "thousands" in fault.remedy


# ------------------------------------------------------------------ whatever is broken

CELLS = st.one_of(
    st.sampled_from(
        ["", "NS", "n.s.", "6-8", "12,5", "1.234,5", "-1", "0", "1e999", "nan", "inf", "1_0", "−3",
         "2024-08-06", "5±1", "8*", "=1+1", "<script>", "0x10", "1 000", "½", "٣", " 7 ", "TRUE"]
    ),
    st.text(max_size=6),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)  # fmt: skip
COLUMNS = ("study", "outcome", "n_treated", "mean_treated", "sd_treated", "n_control", "sd_control")


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    broken=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(COLUMNS), CELLS), max_size=4),
    body=st.sampled_from(
        ["", "missing = ['NS', 'n.s.']", "decimal = ','", "constants.error_type = 'SEM'",
         "missing = ['NS']\nconstants = { error_type = 'CI' }", "outliers = { sd = 2 }"]
    ),
)  # fmt: skip
def test_broken_cells_give_words_or_right_numbers(tmp_path_factory, broken, body):
    table = rows(4)
    for place, column, cell in broken:
        table[place][column] = cell.replace("\0", "").replace("\r", "")
    folder = write(tmp_path_factory.mktemp("r"), table, body, separator=";")
    try:
        review = load(folder)
    except ReviewError as error:
        assert error.findings and all(f.what and f.remedy and f.file for f in error.findings)
        return
    assert accounted(review)
    for _, found in review.experiments.iterrows():
        given_row = table[found["sheet_row"] - 2]
        for column in ("n_treated", "mean_treated", "n_control"):
            cell = str(given_row[column]).strip().replace("−", "-")
            cell = cell.replace(",", ".") if "decimal" in body else cell
            assert found[column] == (6 if cell == "6-8" else float(cell))
        factor = found["n_treated"] ** 0.5 if "SEM" in body else 1
        if "CI" not in body:
            cell = str(given_row["sd_treated"]).strip().replace("−", "-").replace(",", ".")
            assert found["sd_treated"] == pytest.approx(float(cell) * factor, rel=1e-12)


# A workbook is written with 16 digits, so 15 come back as they were.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: float(f"{x:.15g}"))
TYPED = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), FLOATS, st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    st.sampled_from(["12,5", "NS", "6-8", " 9 ", "=1+1"]),
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    cells=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(COLUMNS[2:]), TYPED), max_size=3)
)
def test_workbooks_of_any_cells_give_words_or_right_numbers(tmp_path_factory, cells):
    table = rows(4)
    for place, column, cell in cells:
        table[place][column] = cell
    folder = write(tmp_path_factory.mktemp("x"), None, "missing = ['NS']", file="book.xlsx")
    pd.DataFrame(table).astype(object).to_excel(folder / "book.xlsx", index=False)
    try:
        review = load(folder)
    except ReviewError as error:
        assert error.findings
        return
    assert accounted(review)
    for _, found in review.experiments.iterrows():
        for column in COLUMNS[2:]:
            cell = table[found["sheet_row"] - 2][column]
            assert found[column] == (6 if cell == "6-8" else float(cell))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.binary(max_size=200), name=st.sampled_from(["s.csv", "s.tsv", "s.xlsx", "s.json"]))
def test_any_bytes_give_words_or_a_table(tmp_path_factory, data, name):
    folder = write(tmp_path_factory.mktemp("b"), None, file=name)
    (folder / name).write_bytes(data)
    findings = check(folder)
    assert findings.faults or findings.warnings or pd.notna(str(findings))
