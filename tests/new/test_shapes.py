"""Shapes of sheets that `new` recognises: each is read right and asked, or left to a person."""

import openpyxl
import pytest
from own_review import write_csv

from helpers.new.folder import new
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.review import load
from helpers.stats.effects import GROUP_COLUMNS

NUMBERS = [[8, 4.1, 1.2, 8, 6.0, 1.4], [10, 3.9, 1.1, 10, 5.5, 1.3], [6, 5.2, 1.6, 6, 6.1, 1.5]]


def made(folder, lines, separator=","):
    """What `new` says of a text sheet, and the review's `[sheet]` and what is unconfirmed."""
    folder.mkdir(exist_ok=True)
    rows = [line.split(separator) for line in lines.strip().splitlines()]
    table = [dict(zip(rows[0], cells, strict=True)) for cells in rows[1:]]
    write_csv(folder / "sheet.csv", table, separator)
    return told(folder, folder / "sheet.csv")


def told(folder, source, ask=None):
    todo = new(folder / "review", source, None, ask)
    described = describe(folder / "review")
    return todo, described.config["sheet"], described.unconfirmed


def groups(folder):
    return load(folder / "review").experiments[[*GROUP_COLUMNS]].to_numpy().tolist()


def book(path, rows, merged=(), **sheets):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, lines in ({"Data": rows} | sheets).items():
        page = workbook.create_sheet(title)
        for line in lines:
            page.append(line)
    for span in merged:
        workbook["Data"].merge_cells(span)
    workbook.save(path)
    return path


# ------------------------------------------------------------------ told once for several rows


@pytest.mark.parametrize(
    ("lines", "filled", "studies"),
    [
        (
            "Study;Arm;n_t;mean_t;sd_t;n_c;mean_c;sd_c\nA;low;8;4.9;1.3;8;6.0;1.4\n"
            ";high;8;4.1;1.2;8;6.0;1.4\nB;low;10;3.9;1.1;10;5.5;1.3\n;high;10;3.1;1.1;10;5.5;1.3",
            ["Study"], ["A", "A", "B", "B"],
        ),
        (
            "Studie;Jahr;Spezies;n Behandlung;Mittelwert Behandlung;SD Behandlung;n Kontrolle;"
            "Mittelwert Kontrolle;SD Kontrolle\nAble;2011;Ratte;8;4,9;1,3;8;6,0;1,4\n"
            ";;;8;4,1;1,2;8;6,0;1,4\n;;;9;4,2;1,2;8;6,0;1,4\nBaker;2012;Maus;10;3,9;1,1;10;5,5;1,3",
            ["Studie", "Jahr", "Spezies"], ["Able", "Able", "Able", "Baker"],
        ),
    ],
)  # fmt: skip
def test_a_study_told_once_is_filled_down_and_asked(tmp_path, lines, filled, studies):
    todo, sheet, unconfirmed = made(tmp_path, lines, ";")
    assert sheet["fill_down"] == filled and "sheet.fill_down" in unconfirmed
    assert any("sheet.fill_down" in line for line in todo)
    assert load(tmp_path / "review").experiments["study"].tolist() == studies


def test_the_control_told_once_is_filled_down_and_a_treated_number_never(tmp_path):
    lines = "Study,n_t,mean_t,sd_t,n_c,mean_c,sd_c\n"
    for study in "AB":
        lines += f"{study},8,4.9,1.3,8,6.0,1.4\n,8,4.1,,,,\n,8,3.1,,,,\n"
    _, sheet, _ = made(tmp_path, lines)
    assert sheet["fill_down"] == ["Study", "n_c", "mean_c", "sd_c"]
    assert len(groups(tmp_path)) == 2  # the other rows have no SD, and are listed


@pytest.mark.parametrize("last", ["* mean of two", ""])
def test_a_note_below_the_table_is_no_block(tmp_path, last):
    lines = f"Study,n_t,mean_t,sd_t,n_c,mean_c,sd_c\nA,8,4,1,8,6,1\nB,8,4,1,8,6,1\n{last},,,,,,"
    _, sheet, unconfirmed = made(tmp_path, lines)
    assert "fill_down" not in sheet and "sheet.fill_down" not in unconfirmed


# ------------------------------------------------------------------ several numbers in a cell


def in_cells(form, head, separator=";"):
    """The plain numbers with mean and error, or more, in one cell."""
    rows = [separator.join(["Study", *head])]
    for name, (n1, m1, s1, n2, m2, s2) in zip("ABC", NUMBERS, strict=True):
        cells = [form.format(m=m, s=s, n=n) for n, m, s in ((n1, m1, s1), (n2, m2, s2))]
        counts = [] if "{n}" in form else [str(n1), str(n2)]
        rows.append(separator.join([name, *cells, *counts]))
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("form", "head", "written"),
    [
        ("{m} ± {s}", ("Drug (mean ± SD)", "Vehicle (mean ± SD)", "n drug", "n vehicle"),
         "mean ± error"),
        ("{m} +/- {s}", ("Treated mean +/- SD", "Control mean +/- SD", "n treated", "n control"),
         "mean ± error"),
        ("{m} ({s})", ("Drug mean (SD)", "Vehicle mean (SD)", "n drug", "n vehicle"),
         "mean (error)"),
        ("{m} ± {s} (n = {n})", ("Treated, mean ± SD", "Control, mean ± SD"),
         "mean ± error (n = n)"),
        ("{m}±{s}, n={n}", ("Behandlung Mittelwert ± SD", "Kontrolle Mittelwert ± SD"),
         "mean ± error, n = n"),
    ],
)  # fmt: skip
def test_mean_and_error_in_a_cell(tmp_path, form, head, written):
    _todo, sheet, unconfirmed = made(tmp_path, in_cells(form, head), ";")
    assert list(sheet["split"].values()) == [written, written]
    assert {"sheet.split", "sheet.constants.error_type"} <= set(unconfirmed)
    assert sheet["constants"]["error_type"] == "SD"
    assert groups(tmp_path) == NUMBERS


def test_which_error_stands_in_a_cell_is_due_where_no_heading_says_it(tmp_path):
    todo, sheet, _ = made(tmp_path, in_cells("{m} ± {s} (n={n})", ("Drug", "Vehicle")), ";")
    assert sheet["constants"]["error_type"] == "FILL IN"
    assert any("say error_type" in line for line in todo)
    assert any("FILL IN" in str(fault) for fault in check(tmp_path / "review").faults)


@pytest.mark.parametrize("dash", ["-", "–", " to ", "; "])
def test_medians_with_both_quartiles_in_a_cell(tmp_path, dash):
    cells = [("5 (4-7)", "6 (5-7)"), ("4 (3-6)", "6.5 (5-8)"), ("5 (4-6)", "7 (6-9)")]
    lines = "Study|n drug|n vehicle|Drug, median (IQR)|Vehicle, median (IQR)\n" + "\n".join(
        f"{name}|8|8|{drug}|{vehicle}".replace("-", dash)
        for name, (drug, vehicle) in zip("ABC", cells, strict=True)
    )
    folder = tmp_path / "s"
    _, sheet, unconfirmed = made(folder, lines, "|")
    assert sheet["constants"] | {"outcome": ""} == {
        "error_type": "IQR", "average_type": "median", "outcome": ""
    }  # fmt: skip
    assert {"sheet.constants.error_type", "sheet.constants.average_type"} <= set(unconfirmed)
    first = load(folder / "review").experiments.iloc[0]
    w = 0.7 + 0.39 / 8  # Luo 2018
    assert first["mean_treated"] == pytest.approx(w * (4 + 7) / 2 + (1 - w) * 5)
    assert first["sd_control"] == pytest.approx(2 / (2 * 0.5595923))  # Wan 2014, n = 8


def test_brackets_that_nothing_explains_are_left_to_a_person(tmp_path):
    lines = "Study|n treated|n control|Treated|Control\n"
    lines += "A|8|8|5 [4; 7]|6 [5; 7]\nB|8|8|4 [3; 6]|6 [5; 8]"
    todo, sheet, _ = made(tmp_path, lines, "|")
    due = {"error_type": "FILL IN", "average_type": "FILL IN"}
    assert sheet["constants"] | due == sheet["constants"]
    assert any("say average_type" in line for line in todo)


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        ("Study|HR (95% CI)", ("0.62 (0.40, 0.96)", "0.75 (0.50, 1.13)")),
        ("Study|Hazard ratio|95% CI", ("0.62|0.40-0.96", "0.75|0.50-1.13")),
        ("Study|Hazard ratio|95% CI", ("0.62|0.40 to 0.96", "0.75|0.50 to 1.13")),
    ],
)
def test_a_ratio_with_its_interval_in_a_cell(tmp_path, head, cells):
    made(tmp_path, "\n".join([head, *(f"{n}|{c}" for n, c in zip("AB", cells, strict=True))]), "|")
    first = load(tmp_path / "review").experiments.iloc[0]
    assert first["effect"] == pytest.approx(-0.4780358)  # log(0.62)
    assert first["se"] == pytest.approx(0.2233379655)  # log(0.96 / 0.40) / (2 qnorm(0.975))


def test_numbers_of_animals_such_as_6_8_are_not_taken_apart(tmp_path):
    lines = "Study,n_t,mean_t,sd_t,n_c,mean_c,sd_c\nA,6-8,4,1,8,6,1\nB,7-9,4,1,8,6,1"
    _, sheet, _ = made(tmp_path, lines)
    assert "split" not in sheet and [row[0] for row in groups(tmp_path)] == [6, 7]


# ------------------------------------------------------------------ marks beside a number


def test_marks_in_some_cells_are_offered_and_not_taken_away(tmp_path):
    lines = "Study,n_t,mean_t,sd_t,n_c,mean_c,sd_c\nA,n=8,4.1*,1.2,8,6.0,1.4\n"
    lines += "B,~10,3.9,1.1,10,5.5a,1.3\nC,6,<0.1,1.6,6,6.1,1.5"
    todo, sheet, _ = made(tmp_path, lines)
    assert "strip" not in sheet
    [line] = [line for line in todo if "strip" in line]
    assert '"n="' in line and '"~"' in line and '"*"' in line and "<" not in line
    named = {fault.value for fault in check(tmp_path / "review").faults}
    assert named == {"n=8", "~10", "4.1*", "5.5a", "<0.1"}


def test_a_person_may_have_the_marks_taken_away(tmp_path):
    lines = (
        "Study,n_t,mean_t,sd_t,n_c,mean_c,sd_c\nA,n=8,4.1*,1.2,8,6.0,1.4\nB,10,3.9,1.1,10,5.5,1.3"
    )
    made(tmp_path / "a", lines)
    answers = {"sheet.strip": ["n=", "*"]}
    _, sheet, unconfirmed = told(tmp_path, tmp_path / "a" / "sheet.csv", lambda guess: answers)
    assert sheet["strip"] == ["n=", "*"] and "sheet.strip" not in unconfirmed
    assert groups(tmp_path) == NUMBERS[:2]


@pytest.mark.parametrize(("count", "unit"), [("n = {}", ""), ("{}", " mg"), ("{}", " mm3")])
def test_a_mark_of_a_whole_column_is_taken_away_and_asked(tmp_path, count, unit):
    lines = "Study|n_t|mean_t|sd_t|n_c|mean_c|sd_c\n" + "\n".join(
        "|".join([name, count.format(n1), f"{m1}{unit}", f"{s1}{unit}", count.format(n2),
                  f"{m2}{unit}", f"{s2}{unit}"]).replace("mm3", "mm³")
        for name, (n1, m1, s1, n2, m2, s2) in zip("ABC", NUMBERS, strict=True)
    )  # fmt: skip
    _, sheet, unconfirmed = made(tmp_path, lines, "|")
    assert "sheet.strip" in unconfirmed and len(sheet["strip"]) == 1
    assert groups(tmp_path) == NUMBERS


def test_units_that_differ_and_factors_are_never_taken_away(tmp_path):
    lines = "Study|n_t|mean_t|sd_t|n_c|mean_c|sd_c\nA|8|4 mg|900 µg|8|6 mg|1 mg\n"
    lines += "B|8|4 mg|800 µg|8|6 mg|1 mg"
    _, sheet, _ = made(tmp_path / "a", lines, "|")
    assert "strip" not in sheet and len(check(tmp_path / "a" / "review").faults) == 8
    lines = "Study|n_t|mean_t|sd_t|n_c|mean_c|sd_c\nA|8|4k|900|8|6k|800\nB|8|4k|800|8|6k|900"
    _, sheet, _ = made(tmp_path / "b", lines, "|")
    assert "strip" not in sheet and check(tmp_path / "b" / "review").faults


# ------------------------------------------------------------------ in the rows that lack the usual


def test_quartiles_and_medians_in_the_rows_without_mean_and_sd(tmp_path):
    lines = "Study,n_t,mean_t,sd_t,median_t,Q1_t,Q3_t,n_c,mean_c,sd_c,median_c,Q1_c,Q3_c\n"
    lines += "A,8,,,4.1,3.2,5.3,8,,,6.0,5.0,7.1\nB,10,3.9,1.1,,,,10,5.5,1.3,,,"
    _, _sheet, unconfirmed = made(tmp_path, lines)
    names = {"median_treated", "q1_treated", "q3_treated", "q3_control"}
    assert {f"sheet.columns.{name}" for name in names} <= set(unconfirmed)
    first, second = groups(tmp_path)
    assert second == NUMBERS[1]
    assert first[1:3] == [pytest.approx(4.2123125), pytest.approx(2.1 / 1.1191846)]


@pytest.mark.parametrize(
    ("ends", "names", "sd"),
    [
        (("CI low {}", "CI high {}"), ("ci_low", "ci_high"), 8**0.5 * 2 / (2 * 2.364624)),
        (("Min {}", "Max {}"), ("min", "max"), 2 / (2 * 1.4342001597)),  # qnorm(7.625 / 8.25)
    ],
)
def test_other_intervals_in_the_rows_without_an_sd(tmp_path, ends, names, sd):
    lines = ["Study", "n_t", "mean_t", "sd_t", *(e.format("t") for e in ends)]
    lines += ["n_c", "mean_c", "sd_c", *(e.format("c") for e in ends)]
    lines = ",".join(lines) + "\nA,8,4.1,,3.1,5.1,8,6.0,,5.0,7.0\nB,10,3.9,1.1,,,10,5.5,1.3,,"
    _, _sheet, unconfirmed = made(tmp_path, lines)
    assert {f"sheet.columns.{name}_control" for name in names} <= set(unconfirmed)
    first, second = groups(tmp_path)
    assert second == NUMBERS[1] and first[2] == pytest.approx(sd, rel=1e-6) == first[5]


# ------------------------------------------------------------------ headings in several rows


HEADS = ["n", "mean", "SD"]


def two_rows(first, second):
    return [[None, first, None, None, second, None, None], ["Study", *HEADS, *HEADS],
            *([name, *row] for name, row in zip("ABC", NUMBERS, strict=True))]  # fmt: skip


@pytest.mark.parametrize("merged", [(), ("B1:D1", "E1:G1")])
@pytest.mark.parametrize(
    "arms", [("Treated", "Control"), ("Behandlung", "Kontrolle"), ("Drug", "PBS")]
)
def test_two_rows_of_headings(tmp_path, arms, merged):
    _, sheet, unconfirmed = told(tmp_path, book(tmp_path / "b.xlsx", two_rows(*arms), merged))
    assert sheet["header"] == [1, 2] and "sheet.header" in unconfirmed
    assert groups(tmp_path) == NUMBERS


def test_units_below_the_headings(tmp_path):
    rows = two_rows("Treated", "Control")[2:]
    heads = [
        "Study",
        "n treated",
        "mean treated",
        "SD treated",
        "n control",
        "mean control",
        "SD control",
    ]
    rows = [heads, ["", "animals", "mm3", "mm3", "animals", "mm3", "mm3"], *rows]
    _, sheet, _ = told(tmp_path, book(tmp_path / "b.xlsx", rows))
    assert sheet["header"] == [1, 2] and groups(tmp_path) == NUMBERS


def test_a_title_above_plain_headings_is_no_heading(tmp_path):
    heads = [
        "Study",
        "n treated",
        "mean treated",
        "SD treated",
        "n control",
        "mean control",
        "SD control",
    ]
    rows = [["Extraction", "by AB"], [], heads, *two_rows("", "")[2:]]
    _, sheet, _ = told(tmp_path, book(tmp_path / "b.xlsx", rows))
    assert sheet["header"] == 3 and groups(tmp_path) == NUMBERS


# ------------------------------------------------------------------ sheets of one shape


def test_sheets_of_one_shape_are_offered_below_each_other(tmp_path):
    heads = [
        "Study",
        "n treated",
        "mean treated",
        "SD treated",
        "n control",
        "mean control",
        "SD control",
    ]
    rows = [heads, *two_rows("", "")[2:]]
    source = book(tmp_path / "b.xlsx", rows, TNF=rows, Notes=[["Who", "What"], ["AB", "x"]])
    offered = []

    def ask(guess):
        [question] = [q for q in guess({}).questions if q.setting == "sheet.sheet"]
        offered.extend(value for _, value in question.choices)
        return {"sheet.sheet": ["Data", "TNF"]}

    _todo, sheet, unconfirmed = told(tmp_path, source, ask)
    assert ["Data", "TNF"] in offered and sheet["sheet"] == ["Data", "TNF"]
    review = load(tmp_path / "review")
    assert review.experiments["outcome"].tolist() == ["data"] * 3 + ["tnf"] * 3
    assert "sheet.columns.outcome" in unconfirmed and groups(tmp_path) == NUMBERS * 2
    _plain, sheet, unconfirmed = told(
        tmp_path / "one", source
    )  # nobody answers: one is read, and said
    assert sheet["sheet"] == "Data" and "sheet.sheet" in unconfirmed
