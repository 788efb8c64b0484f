"""Workbooks: what is stored, what is shown, and what somebody hid."""

import time

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font
from own_review import HEAD, row, rows, write

from helpers.review.check import check
from helpers.review.review import load
from helpers.sheet.files import read_table


def book(folder, table, change=lambda page: None, name="book.xlsx"):
    """A review of a workbook, changed by hand before it is saved."""
    folder = write(folder, None, file=name)
    made = Workbook()
    page = made.active
    page.append(HEAD)
    for line in table:
        page.append([line[column] for column in HEAD])
    change(page)
    made.save(folder / name)
    return folder


def warned(folder):
    return "\n".join(map(str, check(folder).warnings))


def test_a_blank_in_the_last_cell_costs_nothing(tmp_path):
    def touch(page):
        page["XFD1048576"] = " "
        page["C900000"] = " "

    folder = book(tmp_path, rows(3), touch)
    start = time.perf_counter()
    review = load(folder)
    assert len(review.experiments) == review.rows_in == 3
    assert time.perf_counter() - start < 5
    assert list(read_table(folder / "book.xlsx").table) == list(HEAD)


def test_rows_that_are_hidden_or_struck_out_are_named(tmp_path):
    def hide(page):
        page.row_dimensions[3].hidden = True
        page["F5"].font = Font(strike=True)

    found = check(book(tmp_path, rows(5), hide)).warnings
    told = {(f.row, f.what) for f in found}
    assert told == {
        (3, "this row is hidden or filtered away in the sheet"),
        (5, "cells of this row are struck out in the sheet"),
    }


def test_a_hidden_column_that_is_used_is_named(tmp_path):
    def hide(page):
        page.column_dimensions.group("E", "F", hidden=True)

    text = warned(book(tmp_path, rows(3), hide))
    assert "column mean_treated: the column read as mean_treated is hidden" in text
    assert "column sd_treated" in text and "column n_treated" not in text


def test_a_hidden_sheet_is_not_the_first(tmp_path):
    def hide(page):
        page.parent.create_sheet("Lists", 0).append(["x"])
        page.parent["Lists"].sheet_state = "hidden"

    assert len(load(book(tmp_path, rows(3), hide)).experiments) == 3


def test_formulas_without_a_stored_value_are_said_to_be_that(tmp_path):
    def compute(page):
        page["F3"] = "=0.4*SQRT(D3)"

    faults = check(book(tmp_path, rows(3), compute)).faults
    assert [(f.row, f.column, f.value) for f in faults] == [(3, "sd_treated", "=0.4*SQRT(D3)")]
    assert "never stored" in faults[0].remedy


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!"])
def test_cells_that_could_not_be_computed_are_said_to_be_that(tmp_path, error):
    def fail(page):
        page["E4"] = error

    folder = book(tmp_path, rows(3), fail)
    faults = check(folder).faults
    assert [(f.row, f.column, f.value) for f in faults] == [(4, "mean_treated", error)]
    assert "could not compute" in faults[0].remedy and "sheet Sheet" in faults[0].place


@pytest.mark.parametrize("text", ["1,250", "1.149"])
def test_a_text_cell_is_asked_and_a_number_cell_is_not(tmp_path, text):
    table = [row(f"e{i}", mean_treated=1100 + i, mean_control=980, sd_treated=90, sd_control=80)
             for i in range(3)]  # fmt: skip
    table[1]["mean_treated"] = text
    faults = check(book(tmp_path, table)).faults
    assert [(f.row, f.value) for f in faults] == [(3, text)] and "thousands" in faults[0].remedy
    table[1]["mean_treated"] = 1.149
    assert check(book(tmp_path / "number", table)).faults == ()


def test_percentages_in_one_group_only_are_warned_of(tmp_path):
    def show(page):
        for place in ("E2", "E3", "E4"):
            page[place].number_format = "0%"

    told = warned(book(tmp_path, rows(3), show))
    assert "mean_treated: the sheet shows this as a percentage, and the other group's" in told


def test_percentages_beside_numbers_are_warned_of(tmp_path):
    def show(page):
        page["E3"].number_format = "0%"

    assert "row 3, column mean_treated: the sheet shows this as a percentage" in warned(
        book(tmp_path, rows(3), show)
    )


def test_kinds_of_files_that_are_not_read_are_named(tmp_path):
    folder = write(tmp_path, None, file="old.xls")
    (folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    assert "a .xls file cannot be read here. Save it as XLSX" in str(check(folder))
