"""Habits of sheets that hide what a row holds: blocks, several numbers in a cell, stacked files."""

import openpyxl
import pytest
from own_review import FAMILY, row, rows, write, write_csv

from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.mapping.sheet import read_sheet
from helpers.review.review import load
from helpers.stats.effects import GROUP_COLUMNS


def groups(review):
    return review.experiments[[*GROUP_COLUMNS]].to_numpy().tolist()


PLAIN = [[8, 11, 2.5, 6, 9.25, 2.25], [8, 11.5, 2.5, 6, 9.25, 2.25], [8, 12, 2.5, 6, 9.25, 2.25]]


def test_what_stands_at_the_top_of_a_block_counts_for_all_of_it(tmp_path):
    table = [line | {"study": name} for line, name in zip(rows(3), ("A", "", "B"), strict=True)]
    assert "this id is missing" in str(check(write(tmp_path / "no", table)))
    review = load(write(tmp_path / "yes", table, 'fill_down = ["study"]'))
    assert review.experiments["study"].tolist() == ["A", "A", "B"]
    assert ["fill down", "study", "as in the row above", 1] in review.trace.to_numpy().tolist()


def test_merged_cells_of_a_workbook_hold_one_value(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    table = rows(3)
    page.append([*table[0]])
    for line in table:
        page.append([*line.values()])
    page["B2"] = "A"
    page.merge_cells("B2:B3")  # the study of two rows
    page.merge_cells("H2:H4")  # one control mean for three
    folder = write(tmp_path, None, file="book.xlsx")
    book.save(folder / "book.xlsx")
    review = load(folder)
    assert review.experiments["study"].tolist() == ["A", "A", "s-e2"]
    assert groups(review) == PLAIN
    assert ("merged", "study") in set(
        zip(review.trace["step"], review.trace["column"], strict=True)
    )
    told = [odd for odd in review.warnings if "merged" in odd.what]
    assert {odd.column for odd in told} == {"mean_control"}  # a number that counts several times


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        ("mean ± error", ["11 ± 2.5", "11.5±2.5", "12 +/- 2.5"]),
        ("mean (error)", ["11 (2.5)", "11.5(2.5)", "12 ( 2.5 )"]),
        ("mean ± error (n = n)", ["11 ± 2.5 (n=8)", "11.5 ± 2.5 (N = 8)", "12 ± 2.5 (n = 8)"]),
    ],
)
def test_several_numbers_in_a_cell_are_taken_apart_as_said(tmp_path, form, cells):
    table = [line | {"Drug": cell} for line, cell in zip(rows(), cells, strict=True)]
    for line in table:
        del line["mean_treated"], line["sd_treated"]
    columns = 'mean_treated = "Drug mean"\nsd_treated = "Drug error"'
    if "n = n" in form:
        columns += '\nn_treated = "Drug n"'
    body = f'split = {{ Drug = "{form}" }}\n[sheet.columns]\n{columns}'
    constants = '\n[sheet.constants]\nerror_type = "SD"'
    assert groups(load(write(tmp_path, table, body + constants))) == PLAIN


def test_a_cell_that_is_written_otherwise_is_a_fault(tmp_path):
    cells = ["11 ± 2.5", "11.5 (2.5)", "12"]
    table = [line | {"Drug": cell} for line, cell in zip(rows(), cells, strict=True)]
    body = 'split = { Drug = "mean ± error" }\n[sheet.columns]\nmean_treated = "Drug mean"'
    faults = [str(fault) for fault in check(write(tmp_path, table, body)).faults]
    told = [text for text in faults if "not written as" in text]
    assert (
        len(told) == 2 and "row 3" in told[0] and "'11.5 (2.5)'" in told[0] and "row 4" in told[1]
    )


def test_an_interval_in_brackets_has_two_ends(tmp_path):
    table = [line | {"Drug": "5 (4-7)", "Veh": "8 (7 – 9)"} for line in rows(1)]
    for name in ("mean_treated", "sd_treated", "mean_control", "sd_control"):
        del table[0][name]
    form = "median (low-high)"
    body = f'split = {{ Drug = "{form}", Veh = "{form}" }}\n[sheet.columns]\n'
    for arm, name in (("treated", "Drug"), ("control", "Veh")):
        body += f'median_{arm} = "{name} median"\n'
        body += f'low_{arm} = "{name} low"\nhigh_{arm} = "{name} high"\n'
    body += '[sheet.constants]\nerror_type = "IQR"'
    found = load(write(tmp_path, table, body)).experiments.iloc[0]
    # Luo 2018 with n = 8: weight of the mid-quartile 0.7 + 0.39 / n; control n = 6
    for arm, n, low, median, high in (("treated", 8, 4, 5, 7), ("control", 6, 7, 8, 9)):
        weight = 0.7 + 0.39 / n
        mean = weight * (low + high) / 2 + (1 - weight) * median
        assert found[f"mean_{arm}"] == pytest.approx(mean, rel=1e-12)


def test_marks_beside_a_number_go_when_they_are_named(tmp_path):
    cells = [("n = 8", "11 mg"), ("~8", "11.5 mg"), ("n=8", "12*")]
    table = [
        line | {"n_treated": n, "mean_treated": mean}
        for line, (n, mean) in zip(rows(), cells, strict=True)
    ]
    assert len(check(write(tmp_path / "no", table)).faults) == 6
    review = load(write(tmp_path / "yes", table, 'strip = ["n =", "n=", "~", "mg", "*"]'))
    assert groups(review) == PLAIN
    stripped = review.trace[review.trace["step"] == "strip"]
    assert stripped["rows"].sum() == 6


def test_errors_and_medians_in_columns_of_their_own(tmp_path):
    table = rows(3)
    table[1] |= {"sd_treated": "", "SEM drug": 2.5 / 8**0.5}
    table[2] |= {"mean_treated": "", "sd_treated": "", "Median drug": 12, "Q1": 11, "Q3": 13}
    body = """
    [sheet.columns]
    sem_treated = "SEM drug"
    median_treated = "Median drug"
    low_treated = "Q1"
    high_treated = "Q3"
    error_type_treated = "Kind"
    """
    table[2]["Kind"] = "IQR"
    for line in table[:2]:
        line["Kind"] = "SD"
    found = load(write(tmp_path, table, body)).experiments
    assert found["sd_treated"].iloc[1] == pytest.approx(2.5, rel=1e-12)
    assert found["mean_treated"].iloc[2] == pytest.approx(12, rel=1e-12)
    # Wan 2014 for n = 8: 2 qnorm((0.75 * 8 - 0.125) / (8 + 0.25)) in R
    assert found["sd_treated"].iloc[2] == pytest.approx(2 / 1.119184548454865, rel=1e-9)


def test_a_message_quotes_the_column_that_a_row_was_taken_from(tmp_path):
    table = rows(2)
    table[1] |= {"sd_treated": "", "SEM drug": "2.5 mm"}
    folder = write(tmp_path, table, '[sheet.columns]\nsem_treated = "SEM drug"')
    (fault,) = check(folder).faults
    assert (fault.row, fault.column, fault.value) == (3, "SEM drug", "2.5 mm")


def test_a_number_is_divided_by_a_column(tmp_path):
    table = [line | {"n_control": 12, "Comparisons": 2} for line in rows()]
    review = load(write(tmp_path / "a", table, 'divide = { n_control = "Comparisons" }'))
    assert groups(review) == PLAIN
    table[1]["Comparisons"] = 0
    folder = write(tmp_path / "b", table, 'divide = { n_control = "Comparisons" }')
    assert "row 3, column Comparisons: a number is to be divided" in str(check(folder))


ARMS = """
[[sheet.blocks]]
columns = { n_treated = "n low", mean_treated = "m low", sd_treated = "sd low" }
constants = { dose = "low" }
[[sheet.blocks]]
columns = { n_treated = "n high", mean_treated = "m high", sd_treated = "sd high" }
constants = { dose = "high" }
"""
DOSE = '[[moderators]]\nid = "dose"\nlevels = ["low", "high"]\n'


def wide():
    line = row()
    for name in ("n_treated", "mean_treated", "sd_treated"):
        del line[name]
    low = {"n low": 8, "m low": 11, "sd low": 2.5}
    return line | low | {"n high": 7, "m high": 12, "sd high": 2.25}


def test_several_arms_in_a_row_share_its_control(tmp_path):
    review = load(write(tmp_path, [wide()], ARMS, toml=FAMILY + DOSE))
    assert groups(review) == [[8, 11, 2.5, 6, 9.25, 2.25], [7, 12, 2.25, 6, 9.25, 2.25]]
    assert review.moderator_values["dose"].tolist() == ["low", "high"]
    assert review.experiments["control_group"].nunique() == 1
    assert review.experiments.index.is_unique and review.experiments["sheet_row"].tolist() == [2, 2]


def test_a_block_without_a_cell_is_no_row_and_a_faulty_one_is_named(tmp_path):
    empty = wide() | {"experiment": "e2", "n high": "", "m high": "", "sd high": ""}
    faulty = wide() | {"experiment": "e3", "m high": "12,0"}
    folder = write(tmp_path, [wide(), empty, faulty], ARMS, toml=FAMILY + DOSE)
    (fault,) = check(folder).faults
    assert (fault.row, fault.column, fault.value) == (4, "m high", "12,0")
    folder = write(tmp_path, [wide(), empty], ARMS, toml=FAMILY + DOSE)
    assert len(load(folder).experiments) == 3


def test_days_beside_each_other_are_one_cohort(tmp_path):
    line = row() | {"m7": 11, "s7": 2, "c7": 9, "d7": 2, "m14": 12, "s14": 2, "c14": 9.5, "d14": 2}
    for name in ("mean_treated", "sd_treated", "mean_control", "sd_control"):
        del line[name]
    body = "".join(
        f'[[sheet.blocks]]\ncolumns = {{ mean_treated = "m{day}", sd_treated = "s{day}", '
        f'mean_control = "c{day}", sd_control = "d{day}" }}\nconstants = {{ follow_up_days = {day} }}\n'
        for day in (7, 14)
    )
    found = load(write(tmp_path, [line], body)).experiments
    assert found["follow_up_days"].tolist() == [7, 14]
    assert found["cohort"].nunique() == found["control_group"].nunique() == 1
    assert found["mean_control"].tolist() == [9, 9.5]


def test_two_rows_of_headings_are_read_together(tmp_path):
    lines = [
        ["", "", "", "Drug", "", "", "Vehicle", "", ""],
        ["experiment", "study", "outcome", "n", "mean", "sd", "n", "mean", "sd"],
        *([*map(str, line.values())] for line in rows()),
    ]
    body = "header = [1, 2]\n[sheet.columns]\n" + "\n".join(
        f'{name}_{arm} = "{title} {name}"'
        for arm, title in (("treated", "Drug"), ("control", "Vehicle"))
        for name in ("n", "mean", "sd")
    )
    folder = write(tmp_path, None, body)
    text = "\n".join(",".join(line) for line in lines)
    (folder / "experiments.csv").write_text(text, encoding="utf-8")
    assert groups(load(folder)) == PLAIN


def test_files_are_read_below_each_other_and_a_message_names_the_file(tmp_path):
    first, second = rows(2), rows(3)[2:]
    folder = write(tmp_path, None, file="part-*.csv")
    write_csv(folder / "part-1.csv", first)
    write_csv(folder / "part-2.csv", second)
    review = load(folder)
    assert groups(review) == PLAIN
    places = review.experiments[["sheet_file", "sheet_row"]].to_numpy().tolist()
    assert places == [["part-1.csv", 2], ["part-1.csv", 3], ["part-2.csv", 2]]
    write_csv(folder / "part-2.csv", [second[0] | {"mean_treated": "12,5 s"}])
    (fault,) = check(folder).faults
    assert fault.place == "part-2.csv, row 2, column mean_treated" and fault.value == "12,5 s"


def test_a_column_that_one_file_lacks_is_told(tmp_path):
    folder = write(tmp_path, None).parent / tmp_path.name
    text = (folder / "review.toml").read_text(encoding="utf-8")
    text = text.replace('file = "experiments.csv"', 'file = ["a.csv", "b.csv"]')
    (folder / "review.toml").write_text(text, encoding="utf-8")
    write_csv(folder / "a.csv", [line | {"Note": "x"} for line in rows(1)])
    write_csv(folder / "b.csv", rows(2)[1:])
    told = [odd for odd in check(folder).warnings if odd.column == "Note"]
    assert [odd.file for odd in told] == ["b.csv"]


def test_sheets_of_a_workbook_are_read_below_each_other(tmp_path):
    book = openpyxl.Workbook()
    for title, part in (("2019", rows(2)), ("2020", rows(3)[2:])):
        page = book.create_sheet(title)
        page.append([*part[0]])
        for line in part:
            page.append([*line.values()])
    del book["Sheet"]
    folder = write(tmp_path, None, 'sheet = "*"\n[sheet.columns]\ncohort = "sheet"', file="b.xlsx")
    book.save(folder / "b.xlsx")
    review = load(folder)
    assert groups(review) == PLAIN
    assert review.experiments["cohort"].tolist() == ["2019", "2019", "2020"]


def test_no_file_for_a_pattern_is_a_fault(tmp_path):
    with pytest.raises(ReviewError, match="no file fits this pattern"):
        load(write(tmp_path, None, file="none-*.csv"))


def test_patterns_of_missing_values_and_rows(tmp_path):
    table = rows(5)
    table[3] |= {"mean_treated": "not reported (fig. 2)"}
    table[4] |= {"study": "Pilot 7"}
    body = """
    missing = ["/not reported.*/"]
    [[sheet.leave_out]]
    column = "study"
    values = ["/pilot \\\\d+/"]
    reason = "a pilot"
    """
    review = load(write(tmp_path, table, body))
    assert groups(review) == PLAIN
    assert sorted(review.not_used["reason"]) == [
        "a pilot",
        "no mean_treated (not reported (fig. 2))",
    ]
    with pytest.raises(ReviewError, match="this is no pattern"):
        load(write(tmp_path / "x", table, 'missing = ["/(/"]'))


def test_all_other_words_become_one(tmp_path):
    toml = FAMILY + '[[moderators]]\nid = "strain"\nlevels = ["SD", "other"]\n'
    table = [
        line | {"strain": word} for line, word in zip(rows(), ("SD", "Wistar", ""), strict=True)
    ]
    body = '[sheet.values.strain]\n"*" = "other"\n"SD" = "SD"'
    review = load(write(tmp_path, table, body, toml=toml))
    assert review.moderator_values["strain"].astype(object).tolist()[:2] == ["SD", "other"]
    assert review.moderator_values["strain"].isna().tolist() == [False, False, True]


def test_sheets_are_joined_on_several_columns(tmp_path):
    toml = FAMILY + '[[moderators]]\nid = "age"\nlevels = ["young", "old"]\n'
    table = [
        line | {"Author": "A", "Year": year} for line, year in zip(rows(2), (1, 2), strict=True)
    ]
    studies = [{"Author": "A", "Year": 1, "age": "young"}, {"Author": "A", "Year": 2, "age": "old"}]
    body = '[[sheet.join]]\nfile = "studies_x.csv"\non = ["Author", "Year"]'
    review = load(write(tmp_path, table, body, toml=toml, studies_x=studies))
    assert review.moderator_values["age"].tolist() == ["young", "old"]
    studies[1]["Year"] = 1
    write_csv(tmp_path / "studies_x.csv", studies)
    with pytest.raises(ReviewError, match=r"this key stands in an earlier row too.*A, 1"):
        read_sheet(describe(tmp_path))


def test_a_whole_group_divided_among_arms_without_what_is_left_over(tmp_path):
    table = [line | {"arms": arms} for line, arms in zip(rows(), (1, 2, 4), strict=True)]
    body = "control_n_is_split = true\n[sheet.divide]\n"
    down = body + 'n_control = { by = "arms", round = "down" }'
    review = load(write(tmp_path, table, down))
    assert review.experiments["n_control"].tolist() == [6, 3, 1]
    assert ["divide", "n_control", "by arms, rounded down", 3] in review.trace.to_numpy().tolist()
    plain = load(write(tmp_path, table, body + 'n_control = "arms"'))
    assert plain.experiments["n_control"].tolist() == [6, 3, 1.5]
    for wrong in ("{ by = 0 }", '{ by = "arms", round = "up" }', '{ round = "down" }'):
        assert "Write a number other than 0" in str(
            check(write(tmp_path, table, f"{body}n_control = {wrong}"))
        )


# Quartiles by Luo 2018 and Wan 2014 with n = 8, a 95% interval by t on 7 degrees of freedom; the
# quantiles by R.
IN_TURN = """
[sheet.columns]
median_treated = "Median drug"
q1_treated = "Q1 drug"
q3_treated = "Q3 drug"
ci_low_treated = "Drug CI from"
ci_high_treated = "Drug CI to"
"""


def in_turn():
    first, second, third = rows()
    first |= {
        "mean_treated": "",
        "sd_treated": "",
        "Median drug": 4.1,
        "Q1 drug": 3.2,
        "Q3 drug": 5.3,
    }
    second |= {"sd_treated": "", "Drug CI from": 10.5, "Drug CI to": 12.5}
    return [third, first, second]


def test_medians_quartiles_and_intervals_in_the_rows_without_mean_or_sd(tmp_path):
    review = load(write(tmp_path, in_turn(), IN_TURN))
    plain, quartiles, interval = groups(review)
    assert plain == PLAIN[2]
    w = 0.7 + 0.39 / 8
    assert quartiles[1] == pytest.approx(w * (3.2 + 5.3) / 2 + (1 - w) * 4.1)
    assert quartiles[2] == pytest.approx(2.1 / (2 * 0.5595923), rel=1e-5)  # qnorm(5.875 / 8.25)
    assert interval[1] == 11.5
    assert interval[2] == pytest.approx(8**0.5 * 2 / (2 * 2.364624), rel=1e-6)  # qt(0.975, 7)
    steps = {(step, rows) for step, _, _, rows in review.trace.to_numpy().tolist()}
    assert {("median", 1), ("IQR", 1), ("CI", 1)} <= steps


def test_a_row_with_an_sd_keeps_it_whatever_stands_beside(tmp_path):
    table = [line | {"Q1 drug": 1, "Q3 drug": 2} for line in rows()]
    body = '[sheet.columns]\nq1_treated = "Q1 drug"\nq3_treated = "Q3 drug"'
    assert groups(load(write(tmp_path, table, body))) == PLAIN


def test_an_interval_with_one_end_is_refused_or_a_missing_number(tmp_path):
    table = in_turn()
    with pytest.raises(ReviewError, match="Name ci_high_treated as well"):
        load(write(tmp_path, table, IN_TURN.replace('ci_high_treated = "Drug CI to"\n', "")))
    table[2]["Drug CI to"] = ""
    [fault] = check(write(tmp_path, table, IN_TURN)).faults
    assert (fault.row, fault.column) == (4, "sd_treated")


def test_the_heading_of_errors_still_speaks_where_other_rows_bring_intervals(tmp_path):
    table = [
        {("SEM drug" if name == "sd_treated" else name): cell for name, cell in line.items()}
        for line in in_turn()
    ]
    body = IN_TURN + 'sd_treated = "SEM drug"\n'
    [fault] = check(write(tmp_path, table, body)).faults
    assert "speaks of SEM, and no error_type is given" in fault.what


def test_marks_are_taken_away_before_cells_are_taken_apart(tmp_path):
    cells = ["11 ± 2.5*", "11.5 ± 2.5", "12 ± 2.5 *"]
    table = [line | {"Drug": cell} for line, cell in zip(rows(), cells, strict=True)]
    body = 'split = { Drug = "mean ± error" }\n[sheet.columns]\nmean_treated = "Drug mean"\n'
    body += 'sd_treated = "Drug error"\n[sheet.constants]\nerror_type = "SD"'
    assert len(check(write(tmp_path / "no", table, body)).faults) == 2
    assert groups(load(write(tmp_path / "yes", table, 'strip = ["*"]\n' + body))) == PLAIN


def test_one_number_of_animals_counts_for_both_groups(tmp_path):
    table = [line | {"n per group": 7 + i} for i, line in enumerate(rows())]
    for line in table:
        del line["n_treated"], line["n_control"]
    review = load(write(tmp_path, table, 'columns = { n = "n per group" }'))
    assert review.experiments[["n_treated", "n_control"]].to_numpy().tolist() == [
        [7, 7],
        [8, 8],
        [9, 9],
    ]


def test_rows_of_several_sheets_of_a_workbook_have_names_of_their_own(tmp_path):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title in ("IL-6", "TNF"):
        page = book.create_sheet(title)
        page.append([*rows()[0]][1:])
        for line in rows():
            page.append([*line.values()][1:])
    folder = write(
        tmp_path, None, 'sheet = "*"\ncolumns = { experiment = "row" }', file="book.xlsx"
    )
    book.save(folder / "book.xlsx")
    names = [f"book {title} row-{row}" for title in ("IL-6", "TNF") for row in (2, 3, 4)]
    assert load(folder).experiments["experiment"].tolist() == names
