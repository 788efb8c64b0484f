"""Files as people keep them, read as text."""

import json
from pathlib import Path

import pandas as pd
import pytest

from helpers.problems import ReviewError
from helpers.sheet.files import (
    advice,
    plain_number,
    read_csv,
    read_table,
    sheet_names,
    unsure_marks,
)

TEXT = "study;species;mean\nDürr 2010;rat;12,5\nŒuf 2011;“mouse”;11,2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_found_out(tmp_path, encoding, separator):
    path = tmp_path / "sheet.csv"
    path.write_bytes(TEXT.replace(",", ".").replace(";", separator).encode(encoding))
    table = read_table(path).table
    assert list(table) == ["study", "species", "mean"]
    assert table["study"].tolist() == ["Dürr 2010", "Œuf 2011"]
    assert table["mean"].tolist() == ["12.5", "11.2"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("研究;种类;平均值\n王 2010;大鼠;12.5\n", "gb18030"),
        ("исследование;вид\nИванов;крыса\n", "cp1251"),
    ],
)
def test_other_alphabets(tmp_path, text, encoding):
    path = tmp_path / "sheet.csv"
    path.write_bytes(text.encode(encoding))
    assert list(read_table(path).table) == text.split("\n")[0].split(";")


def test_rows_count_as_a_spreadsheet_does(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n,\n3,4\n')
    table = read_csv(path)
    assert table.index.tolist() == [2, 5]
    assert table.loc[2, "b"] == "two\nlines"


def test_titles_above_the_headings_are_passed_over(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("My extraction sheet,,\n,,\nstudy,n,mean\nA,3,4\n")
    raw = read_table(path)
    assert raw.header == 3 and raw.table.index.tolist() == [4]
    assert list(read_table(path, header=4).table) == ["A", "3", "4"]


def test_workbooks_keep_every_digit(tmp_path):
    path = tmp_path / "book.xlsx"
    values = [
        0.1,
        1 / 3,
        1e-17,
        123456789.123,
        8,
        "6-8",
        "NS",
        True,
        pd.Timestamp(2024, 8, 6),
        None,
    ]
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"x": ["first sheet"]}).to_excel(book, sheet_name="Notes", index=False)
        pd.DataFrame({"cell": values, "b": 1}).to_excel(book, sheet_name="Data", index=False)
    assert sheet_names(path) == ["Notes", "Data"]
    raw = read_table(path, sheet="Data")
    assert [float(cell) for cell in raw.table["cell"][:5]] == values[:5]
    assert raw.table["cell"].tolist()[4:] == ["8", "6-8", "NS", "TRUE", "2024-08-06", ""]
    with pytest.raises(ReviewError, match=r"there is no such sheet.*'data'.*Notes, Data"):
        read_table(path, sheet="data")


def test_a_row_wider_than_its_headings_is_refused(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("study,mean\nA,12,5\nB,11,2\n")
    with pytest.raises(ReviewError, match="row 2: this row has 3 cells under 2 headings") as caught:
        read_table(path)
    assert len(caught.value.findings) == 2


def test_headings_that_repeat_are_told_apart(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("a,a,,b\n1,2,3,4\n")
    raw = read_table(path)
    assert list(raw.table) == ["a", "a (column 2)", "column 3", "b"] and raw.twice == {"a"}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04 broken", b"\x00\x01\x02"])
@pytest.mark.parametrize("name", ["sheet.csv", "sheet.xlsx", "sheet.json"])
def test_what_is_no_table_is_refused_in_words(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    try:
        table = read_table(path).table
    except ReviewError as error:
        assert name in str(error)
    else:
        assert name == "sheet.csv" and len(table) == 0


def test_a_missing_file_is_named():
    with pytest.raises(ReviewError, match=r"nowhere\.csv: there is no such file"):
        read_table(Path("nowhere.csv"))


@pytest.mark.parametrize(
    ("text", "decimal", "typed", "number"),
    [
        ("12.5", ".", False, "12.5"), ("12,5", ".", False, None), ("12,5", ",", False, "12.5"),
        ("1.234", ",", False, None), ("1.234", ",", True, "1.234"), ("1.234,5", ",", True, None),
        ("1e-3", ".", False, "1e-3"), ("1_000", ".", False, None), ("nan", ".", False, None),
        ("inf", ".", False, None), ("", ".", False, None), ("5 %", ".", False, None),
        ("٣", ".", False, None),
    ],
)  # fmt: skip
def test_plain_numbers(text, decimal, typed, number):
    assert plain_number(text, decimal=decimal, typed=typed) == number


@pytest.mark.parametrize(
    ("text", "word"),
    [("2024-08-06", "date"), ("12,5", "decimal"), ("3 ± 1", "column each"), ("6-8", "lower end"),
     ("NS", "`missing`"), ("", "plain number"), ("7a", "mark away")],
)  # fmt: skip
def test_advice_fits_what_stands_there(text, word):
    assert word in advice(text)


def project(points):
    return {"datasetColl": [
        {"name": name, "data": [
            {"x": x, "y": 9, "value": value, **({"metadata": label} if label else {})}
            for x, value, label in listed
        ]} for name, listed in points.items()
    ]}  # fmt: skip


def test_digitiser_project_by_labels(tmp_path):
    path = tmp_path / "wpd.json"
    bars = [(10, [4.5], {"label": "control"}), (20, [7.5], {"label": "drug"})]
    tips = [(21, [9.0], {"label": "drug"}), (9, [5.0], {"label": "control"})]
    path.write_text(json.dumps(project({"bars": bars, "tips": tips})))
    table = read_table(path).table
    assert table.to_dict("list") == {
        "label": ["control", "drug"], "bars": ["4.5", "7.5"], "tips": ["5.0", "9.0"],
    }  # fmt: skip


def test_digitiser_points_without_labels_go_from_left_to_right(tmp_path):
    path = tmp_path / "wpd.json"
    path.write_text(json.dumps(project({
        "bars": [(30, [3, 7.5], None), (10, [1, 4.5], None)],
        "tips": [(11, [1, 5.0], None), (31, [3, 9.0], None)],
    })))  # fmt: skip
    table = read_table(path).table
    assert table["bars"].tolist() == ["4.5", "7.5"] and table["tips"].tolist() == ["5.0", "9.0"]


def test_digitiser_csv(tmp_path):
    path = tmp_path / "wpd.csv"
    path.write_text("bars,,tips,\nX,Y,X,Y\n2,7.5,1.1,5\n1,4.5,2.1,9\n")
    table = read_table(path, digitiser=True).table
    assert table["bars"].tolist() == ["4.5", "7.5"] and table["tips"].tolist() == ["5", "9"]
    path.write_text("Bar0, 4.5\nBar1, 7.5\n")
    assert read_table(path, digitiser=True).table.to_dict("list") == {
        "label": ["Bar0", "Bar1"], "value": ["4.5", "7.5"],
    }  # fmt: skip


def test_digitiser_with_a_bar_too_few_is_refused(tmp_path):
    path = tmp_path / "wpd.csv"
    path.write_text("bars,,tips,\nX,Y,X,Y\n2,7.5,1.1,5\n1,4.5,,\n")
    with pytest.raises(ReviewError, match=r"bars 2, tips 1"):
        read_table(path, digitiser=True)


# ------------------------------------------------------------------ marks for thousands


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "number"),
    [
        ("1,250", ".", ",", "1250"), ("1,250.5", ".", ",", "1250.5"),
        ("1,250,000", ".", ",", "1250000"),
        ("12,5", ".", ",", None), ("1,25", ".", ",", None), ("1250,5", ".", ",", None),
        ("1.250", ",", ".", "1250"), ("1.250,5", ",", ".", "1250.5"), ("12.5", ",", ".", None),
        ("1'250", ".", "'", "1250"), ("1’250.5", ".", "'", "1250.5"), ("1 250", ".", " ", "1250"),
        ("1.149", ".", "", "1.149"), ("1,250", ".", "", None), ("1,250", ",", "", "1.250"),
        ("–0.35", ".", None, "-0.35"), ("0,125", ".", ",", "0125"), ("-1,250", ".", ",", "-1250"),
    ],
)  # fmt: skip
def test_marks_for_thousands(text, decimal, thousands, number):
    assert plain_number(text, decimal=decimal, thousands=thousands) == number


@pytest.mark.parametrize(
    ("texts", "points", "commas"),
    [
        (["1.149", "310"], {"1.149"}, set()),
        (["1,250", "980"], set(), {"1,250"}),
        (["1.149", "0.25"], None, set()),
        (["1.149", "12.5"], None, set()),
        (["1.149", "0.912"], None, set()),
        (["1.149", "2.0012"], None, set()),
        (["1.149", "1.5e3"], None, set()),
        (["1.149", "1,250.5"], None, set()),
        (["1.149", "1234.567"], None, set()),
        (["1.149", "1.250.000"], {"1.149", "1.250.000"}, set()),
        (["12.345", "8", "-3.221"], {"12.345", "-3.221"}, set()),
        (["0.912", "0.105"], None, set()),
        (["1,250", "12,5"], set(), None),
    ],
)
def test_which_marks_are_unsure(texts, points, commas):
    assert unsure_marks(texts).get(".") == points
    assert unsure_marks(texts).get(",") == commas


def test_a_digitised_figure_of_lying_bars_and_an_empty_data_set(tmp_path):
    points = {"bars": [(300, [6.0], None), (250, [4.8], None)],
              "tips": [(240, [6.2], None), (380, [5.0], None)], "Default": []}  # fmt: skip
    made = project(points)
    for entry in made["datasetColl"]:
        entry["axesName"] = "Bar"
        for place, point in enumerate(entry["data"]):
            point["y"] = 50 + 50 * place
    made["axesColl"] = [{"name": "Bar", "isRotated": True}]
    path = tmp_path / "wpd.json"
    path.write_text(json.dumps(made))
    table = read_table(path).table
    assert list(table) == ["label", "bars", "tips"]
    assert table["bars"].tolist() == ["6.0", "4.8"] and table["tips"].tolist() == ["6.2", "5.0"]


def test_curves_digitised_at_other_places_are_not_paired(tmp_path):
    path = tmp_path / "wpd.csv"
    path.write_text("Control,,Drug,\nX,Y,X,Y\n1,10,1,11\n3,14,5,15\n9,22,9,16\n")
    with pytest.raises(ReviewError, match="do not stand at the same places"):
        read_table(path, digitiser=True)
