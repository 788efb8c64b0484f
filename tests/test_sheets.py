"""Files as people keep them, read as text."""

import json
from pathlib import Path

import pandas as pd
import pytest

from helpers.findings import ReviewError
from helpers.sheets import advice, plain_number, read_csv, read_table, sheet_names

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
     ("NS", "`missing`"), ("", "plain number"), ("7a", "plain number")],
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
