"""Rows that are no comparison or no row, numbers that were perhaps not measured: warned of."""

import pytest
from own_review import FAMILY, row, rows, write

from helpers.review.check import check
from helpers.review.review import load


def told(folder, part):
    """Row and column of the warnings that say `part`; there is no fault."""
    found = check(folder)
    assert found.faults == ()
    return [(f.row, f.column) for f in found.warnings if part in f.what]


def varied(k=6, **cells):
    """Rows of different studies and numbers."""
    table = [
        row(f"e{i}", n_treated=8 + i % 3, mean_treated=11 + i / 2, mean_control=9 + i / 10)
        for i in range(k)
    ]
    return [line | cells for line in table]


def test_an_ordinary_sheet_is_not_warned_of(tmp_path):
    assert check(write(tmp_path, varied(12))).warnings == ()


def test_a_row_pasted_twice(tmp_path):
    table = varied()
    table += [table[1] | {"experiment": "again"}, table[2] | {"experiment": "x", "study": "Other"}]
    folder = write(tmp_path, table)
    assert told(folder, "an earlier row of this study") == [(8, "study")]
    assert told(folder, "a row of another study") == [(9, "study")]


def test_an_own_effect_pasted_twice(tmp_path):
    table = [{"experiment": f"e{i}", "study": "s", "outcome": "score", "effect": e, "se": 0.5}
             for i, e in enumerate([1, 2, 1])]  # fmt: skip
    assert told(write(tmp_path, table), "an earlier row of this study") == [(4, "study")]


def test_the_control_group_as_a_row_of_its_own(tmp_path):
    table = varied()
    table[3] |= {"n_treated": 6, "mean_treated": 9.3, "sd_treated": 2.25}
    assert told(write(tmp_path, table), "effect of exactly 0") == [(5, "mean_treated")]


@pytest.mark.parametrize(
    "name", ["Total", "TOTAL:", "Overall", "Sum", "Mean", "Average (n=6)", "Grand total",
             "Mittelwert", "Summe", "Gesamt", "Moyenne", "Promedio", "合计", "Итого"]
)  # fmt: skip
def test_a_row_of_totals(tmp_path, name):
    table = varied()
    table[5]["study"] = name
    assert told(write(tmp_path, table), "row of totals") == [(7, "study")]
    table[5]["study"] = f"{name.strip(':')}ini 2010"
    assert told(write(tmp_path, table), "row of totals") == []


@pytest.mark.parametrize(
    ("column", "cell", "warned"),
    [("n_treated", 999, True), ("n_control", 99, True), ("mean_treated", -99, True),
     ("mean_control", 9999, True), ("sd_treated", 999, True), ("mean_treated", -9, True),
     ("dose", 999, True), ("n_treated", 9, False), ("mean_treated", 9, False),
     ("mean_control", 98, False)],
)  # fmt: skip
def test_sentinels(tmp_path, column, cell, warned):
    table = varied(dose=5)
    table[2][column] = cell
    toml = FAMILY + '[[moderators]]\nid = "dose"\n'
    folder = write(tmp_path, table, toml=toml)
    rows_told = told(folder, "often stands for a value that is not reported")
    assert rows_told == ([(4, column)] if warned else [])
    if warned and column != "dose":
        review = load(write(tmp_path, table, f"missing = ['{cell}']", toml=toml))
        assert review.not_used["sheet_row"].tolist() == [4] and len(review.experiments) == 5


def test_99_among_numbers_like_it_and_minus_9_among_changes_are_numbers(tmp_path):
    table = varied(sd_treated=12, sd_control=12)
    for i, line in enumerate(table):
        line |= {"mean_treated": 95 + i, "mean_control": -12 + i}
    assert table[4]["mean_treated"] == 99 and table[3]["mean_control"] == -9
    assert told(write(tmp_path, table), "not reported") == []


def test_a_group_far_larger_than_all_others(tmp_path):
    table = varied()
    table[1]["n_control"] = 250
    assert told(write(tmp_path, table), "far larger than all others") == [(3, "n_control")]
    table[1]["n_control"] = 24
    assert told(write(tmp_path, table), "far larger") == []


@pytest.mark.parametrize("column", ["n_control", "mean_treated", "sd_treated"])
def test_a_date_stored_as_a_number(tmp_path, column):
    table = varied()
    table[2][column] = 45049
    found = [f for f in check(write(tmp_path, table)).warnings if "2023-05-03" in f.what]
    assert [(f.row, f.column, f.value) for f in found] == [(4, column, "45049")]
    assert "3.5 or 3-5" in found[0].what
    table = varied()
    for line in table:
        line |= {
            "mean_treated": 45000,
            "mean_control": 40000,
            "sd_treated": 3000,
            "sd_control": 2000,
        }
    assert not any("stores the date" in f.what for f in check(write(tmp_path, table)).warnings)


@pytest.mark.parametrize(
    "cell", ["03.05.2023", "May-06", "3-May", "2023-05-03", "05/06/2023", "6. Mai", "3.5.", "12:30"]
)
def test_a_date_stored_as_text(tmp_path, cell):
    (fault,) = check(write(tmp_path, [*varied(2), row("x", mean_treated=cell)])).faults
    assert fault.value == cell and "made a date of it" in fault.remedy


@pytest.mark.parametrize(
    ("names", "warned"),
    [
        (("Smith 2019 (1)", "Smith 2019 (2)"), [2, 3]),
        (("Smith 2019", "Smith 2019 (2)"), [3]),
        (("Smith 2019 #1", "Smith 2019 #2"), [2, 3]),
        (("Smith 2019, exp 1", "smith 2019 Experiment 2"), [2, 3]),
        (("Smith (2019)", "Smith (2020)"), []),
        (("Smith 2019 (1)", "Jones 2019 (2)"), []),
        (("Smith 2019a", "Smith 2019b"), []),
    ],
)
def test_studies_numbered_at_their_end(tmp_path, names, warned):
    table = varied()
    for line, name in zip(table, names, strict=False):
        line["study"] = name
    assert [r for r, _ in told(write(tmp_path, table), "but for a number")] == warned


@pytest.mark.parametrize("column", ["study", "cohort", "control_group"])
@pytest.mark.parametrize(
    "other", ["smith 2010", "Smith, 2010", "Smith  2010", "SMITH_2010", "Smíth 2010"]
)
def test_ids_that_differ_only_in_spelling(tmp_path, column, other):
    table = varied(control_group="", cohort="")
    for line in table:
        line |= {"study": "s"} if column == "control_group" else {}
    for i in (0, 1, 2):
        table[i][column] = "Smith 2010"
    table[4][column] = other
    assert told(write(tmp_path, table), "only in its spelling") == [(6, column)]
    table[4][column] = "Smith 2011"
    assert told(write(tmp_path, table), "only in its spelling") == []


def test_a_mean_a_thousand_times_off(tmp_path):
    table = varied()
    for i, line in enumerate(table):
        line |= {
            "mean_treated": 1250 + 90 * i,
            "sd_treated": 310,
            "mean_control": 2010,
            "sd_control": 400,
        }
    table[3] |= {"mean_treated": 1.52}
    folder = write(tmp_path, table)
    assert told(folder, "a thousand times off") == [(5, "mean_treated")]
    assert told(folder, "smaller than its SD") == [(5, "mean_treated")]
    # A row in another unit is off in both groups alike, which does no SMD any harm.
    table[3] = row("e3", mean_treated=1.52, sd_treated=0.31, mean_control=2.01, sd_control=0.4)
    assert told(write(tmp_path, table), "a thousand times off") == []


# ------------------------------------------------------------------ shared controls


def doses(**more):
    """Three studies of two or three doses on one control."""
    table = []
    for study, k, control in (("A", 3, 9.5), ("B", 2, 9.1), ("C", 1, 8.7)):
        table += [
            row(f"{study}{i}", study=study, mean_treated=11 + i, mean_control=control, **more)
            for i in range(k)
        ]
    return table


def test_controls_shared_by_their_numbers_are_one_warning_each(tmp_path):
    warnings = check(write(tmp_path, doses())).warnings
    assert [(f.row, f.value) for f in warnings] == [
        (2, "9.5 in rows 2, 3, 4"),
        (5, "9.1 in rows 5, 6"),
    ]
    assert all("by_numbers" in f.remedy for f in warnings)
    assert check(write(tmp_path, doses(), "shared_controls = 'by_id'")).warnings == ()
    assert check(write(tmp_path, doses(), "control_n_is_split = true")).warnings == ()
    known = [line | {"control_group": line["study"]} for line in doses()]
    assert check(write(tmp_path, known)).warnings == ()


def test_controls_are_named_by_their_numbers_where_review_toml_says_so(tmp_path):
    review = load(write(tmp_path, doses(), "shared_controls = 'by_numbers'"))
    assert review.experiments["control_group"].tolist() == [
        "A control 1", "A control 1", "A control 1", "B control 1", "B control 1", ""
    ]  # fmt: skip
    step = review.trace[review.trace["step"] == "shared controls"]
    assert step["rows"].tolist() == [5] and review.warnings == ()


def test_controls_on_other_days_and_outcomes_are_others(tmp_path):
    table = doses(follow_up_days=7) + [
        line | {"experiment": f"{line['experiment']}late"} for line in doses(follow_up_days=28)
    ]
    table[0]["follow_up_days"] = ""  # a day that is not said is no other day's
    groups = load(write(tmp_path, table, "shared_controls = 'by_numbers'")).experiments
    assert groups["control_group"].tolist()[:6] == [
        "", "A control 1", "A control 1", "B control 1", "B control 1", ""
    ]  # fmt: skip
    assert groups["control_group"].tolist()[6:9] == ["A control 2"] * 3


def test_an_id_that_one_of_the_rows_has_is_taken(tmp_path):
    table = doses(control_group="")
    table[1]["control_group"] = "A-vehicle"
    groups = load(write(tmp_path, table, "shared_controls = 'by_numbers'")).experiments
    assert groups["control_group"].tolist()[:3] == ["A-vehicle"] * 3


def test_the_cell_of_a_number_keeps_its_minus(tmp_path):
    table = rows(3)
    for line, cell in zip(table, ["−0.35", "–0.35", "-0.35"], strict=True):
        line["mean_treated"] = cell
    table = [line | {"mean_control": i} for i, line in enumerate(table)]
    folder = write(tmp_path, table, toml=FAMILY.replace("range = [0, 21]", ""))
    assert load(folder).experiments["mean_treated"].tolist() == [-0.35] * 3


def test_minus_one_among_positive_means_is_told_and_a_negative_scale_is_not(tmp_path):
    table = [row(f"e{i}", mean_treated=mean) for i, mean in enumerate((11, 12, -1, 13))]
    told = [
        odd for odd in check(write(tmp_path / "a", table)).warnings if "not reported" in odd.what
    ]
    assert [(odd.row, odd.column, odd.value) for odd in told] == [(4, "mean_treated", "-1")]
    table[0]["mean_treated"] = -2
    warnings = check(write(tmp_path / "b", table)).warnings
    assert not [odd for odd in warnings if "not reported" in odd.what]
