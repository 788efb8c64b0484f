"""Faults are refused, warnings are shown; each with its place, value and way out."""

import pytest
from own_review import FAMILY, SPECIES, row, rows, write

from helpers import Report
from helpers.review.check import check


def found(folder, severity="warnings"):
    return [str(finding) for finding in getattr(check(folder), severity)]


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"n_treated": 0}, "n_treated", "at least 1 animal"),
        ({"n_control": -3}, "n_control", "at least 1 animal"),
        ({"n_treated": 1, "n_control": 1}, "n_control", "below 1: no SD can be pooled"),
        ({"n_treated": 2, "n_control": 1}, "n_control", "small-sample factor of an SMD is 0"),
        ({"sd_treated": 0, "sd_control": 0}, "sd_treated", "the pooled SD is 0"),
        ({"sd_treated": 0, "n_control": 1}, "sd_treated", "the pooled SD is 0"),
        ({"mean_treated": "about 5"}, "mean_treated", "a number is due here"),
        ({"mean_treated": "nan"}, "mean_treated", "a number is due here"),
        ({"sd_control": "inf"}, "sd_control", "a number is due here"),
        ({"sd_control": ""}, "sd_control", "a number is due here"),
        ({"sd_control": -1}, "sd_control", "an SD is not negative"),
        ({"outcome": "scroe"}, "outcome", "no such outcome.*Did you mean 'score'"),
        ({"study": ""}, "study", "this id is missing"),
        ({"experiment": "e0"}, "experiment", "stands in an earlier row too"),
        ({"species": "rta"}, "species", "no such level.*Did you mean 'rat'"),
    ],
)
def test_faults(tmp_path, cells, column, words):
    import re

    table = [*rows(2), row("bad", **cells)]
    folder = write(tmp_path, table, toml=FAMILY + SPECIES)
    faults = found(folder, "faults")
    assert len(faults) == 1 and re.search(words, faults[0])
    assert faults[0].startswith(f"experiments.csv, row 4, column {column}: ")


def test_all_faults_come_at_once(tmp_path):
    table = [row("a", n_treated=0), row("b", mean_control="x"), row("c", outcome="y", study="")]
    assert len(found(write(tmp_path, table), "faults")) == 4


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"n_treated": 1}, "this group is 1 animal"),
        ({"n_control": 5.5}, "a group size is a whole number"),
        ({"sd_control": 0}, "this SD is 0"),
        ({"mean_treated": 25}, "outside the outcome's scale"),
        ({"mean_treated": 20.9, "sd_treated": 4}, "so large an SD"),
        ({"mean_treated": 20, "sd_treated": 0.2, "sd_control": 0.3}, "more than 10 SDs apart"),
    ],
)
def test_warnings_do_not_refuse(tmp_path, cells, words):
    findings = check(write(tmp_path, [*rows(2), row("odd", **cells)]))
    assert findings.faults == ()
    assert [words in str(warning) for warning in findings.warnings] == [True]


def test_a_control_group_with_two_means(tmp_path):
    table = [
        row("a", study="s", control_group="c"),
        row("b", study="s", control_group="c", mean_control=8),
    ]
    assert all("share this control group differ" in text for text in found(write(tmp_path, table)))
    assert len(found(write(tmp_path, table))) == 2


def spread(k=12, factor=1.0):
    return [
        row(
            f"e{i}",
            mean_treated=10 + i / 10,
            sd_treated=(2 + i / 20) * factor,
            sd_control=2 + i / 30,
        )
        for i in range(k)
    ]


def test_sems_in_the_place_of_sds_are_suspected(tmp_path):
    table = spread()
    assert found(write(tmp_path, table)) == []
    table[3] |= {"sd_treated": 2.15 / 8**0.5, "sd_control": 2.1 / 6**0.5}
    warnings = found(write(tmp_path, table))
    assert len(warnings) == 1 and "row 5" in warnings[0] and "SEMs" in warnings[0]


def test_a_direction_against_the_majority(tmp_path):
    table = [line | {"sign": 1} for line in spread()]
    table[7]["sign"] = -1
    warnings = found(write(tmp_path, table))
    assert len(warnings) == 1 and "row 9, column sign" in warnings[0]
    for line in table[:5]:
        line["sign"] = -1
    assert found(write(tmp_path, table)) == []


def test_group_sizes_that_count_up_like_a_fill_handle(tmp_path):
    table = [line | {"n_treated": 8 + i} for i, line in enumerate(spread(6))]
    assert sum("fill handle" in text for text in found(write(tmp_path, table))) == 5
    table = [line | {"n_treated": 8 + i % 3} for i, line in enumerate(spread(6))]
    assert found(write(tmp_path, table)) == []


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"experiment": "e9", "reason": "x", "by": "me"}, "no such experiment.*'e9'"),
        ({"experiment": "e1", "reason": "", "by": "me"}, "column reason: an exclusion states"),
        ({"experiment": "e1", "reason": "x"}, "column by is missing"),
    ],
)
def test_exclusions_that_do_not_fit(tmp_path, entry, words):
    import re

    faults = found(write(tmp_path, rows(), exclusions=[entry]), "faults")
    assert len(faults) == 1 and re.search(words, faults[0])


def test_a_row_without_an_effect_may_be_excluded_for_that(tmp_path):
    broken = [row("a", sd_treated=0, sd_control=0), row("b", mean_treated="n.d."),
              row("c", n_treated=0), row("d")]  # fmt: skip
    assert len(check(write(tmp_path, broken)).faults) == 3
    listed = [{"experiment": name, "reason": "no spread", "by": "me"} for name in "abc"]
    found = check(write(tmp_path, broken, exclusions=listed))
    assert not found.faults
    assert "the pooled SD is 0" in str(found) and "a number is due here" in str(found)
    report = Report("movement", review=tmp_path)
    assert report.analyses["score"].left_out["effect"].isna().all()
    assert report.analyses["score"].with_excluded.k == 1


def test_the_workbook_and_its_sheet_are_named(tmp_path):
    import pandas as pd

    folder = write(tmp_path, None, "sheet = 'Data'", file="book.xlsx")
    with pd.ExcelWriter(folder / "book.xlsx") as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="Notes", index=False)
        pd.DataFrame([row(n_treated=0)]).to_excel(book, sheet_name="Data", index=False)
    assert found(folder, "faults")[0].startswith("book.xlsx, sheet Data, row 2, column n_treated: ")


def test_the_default_review_has_no_fault():
    from helpers.review.description import DEFAULT

    assert found(DEFAULT, "faults") == []


def test_many_rows_with_one_trouble_are_one_line(tmp_path):
    table = [row(f"e{i}", n_treated=0, mean_treated=11 + i) for i in range(5)]
    findings = check(write(tmp_path, table))
    assert len(findings.faults) == 5
    assert str(findings).splitlines() == [
        "fault: experiments.csv, column n_treated: a group has at least 1 animal, in 5 rows: "
        "2 (0), 3 (0), 4 (0), 5 (0), 6 (0). Correct the group size",
        "no warning",
    ]


# ------------------------------------------------------------------ as read


def test_the_first_rows_are_shown_as_they_were_read(tmp_path):
    # g of n 6/6, means 2.5 and 0, SDs 1 is 2.306864 (metafor); SEMs are SDs over the root of n.
    table = [row("a", study="Long  name", n_treated=6, mean_treated=2.5, sd_treated=6**-0.5,
                 n_control=6, mean_control=0, sd_control=6**-0.5, sign=-1)]  # fmt: skip
    table += [row(f"e{i}", mean_treated=11 + i, sign=1) for i in range(6)]
    lines = check(write(tmp_path, table, "constants.error_type = 'SEM'")).as_read.splitlines()
    assert lines[0] == "experiments.csv: 7 rows, 7 of them experiments, 0 not used"
    assert lines[1] == "The first 5 as read:" and len(lines) == 8
    assert lines[3].split() == [
        "2",
        "Long",
        "name",
        "score",
        "6",
        "2.5",
        "1",
        "6",
        "0",
        "1",
        "-2.31",
    ]


def test_what_was_not_used_is_counted_with_its_reason(tmp_path):
    table = [*rows(3), row("x", sd_treated="NS"), row("bad", n_treated=0)]
    body = "missing = ['NS']\nleave_out = [{column='experiment', values=['e1'], reason='RNA'}]"
    found = check(write(tmp_path, table, body))
    assert found.as_read.splitlines()[0] == (
        "experiments.csv: 5 rows, 3 of them experiments (1 with a fault), "
        "2 not used: 1 RNA; 1 no sd_treated (NS)"
    )


def test_cells_that_are_no_numbers_are_shown_as_they_stand(tmp_path):
    text = check(write(tmp_path, [row(mean_treated="4.1 ± 1.2")])).as_read
    assert "4.1 ± 1.2" in text and text.split()[-1] == "-"


def test_check_says_it_and_ends_quietly_when_nobody_reads_on(tmp_path):
    import subprocess
    import sys

    folder = write(tmp_path, [row(f"e{i}", study=f"s{i}" * 400, n_treated=1) for i in range(400)])
    command = [sys.executable, "-m", "helpers", "check", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        run.stdout.read(10)
        run.stdout.close()
        assert run.stderr.read() == b""
    whole = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "400 rows, 400 of them experiments" in whole and "The first 5 as read:" in whole


@pytest.mark.parametrize(
    ("cell", "words"),
    [("n=10", "without n ="), ("4.1*", "mark"), ("4.1a", "mark"), ("<0.1", "limit of detection"),
     (">5", "limit of detection"), ("~12", "number itself"), ("ca. 12", "number itself"),
     ("6/7", "Two numbers"), ("4.1 ± 1.2", "a column each"), ("5 (4-7)", "brackets"),
     ("5 [4; 7]", "brackets"), ("45%", "percent"), ("#DIV/0!", "could not compute"),
     ("#WERT!", "could not compute"), ("1'250", "thousands = \"'\""), ("1 250", 'thousands = " "'),
     ("1.250,5", 'thousands = "."'), ("1,250.5", 'thousands = ","'), ("12,5", 'decimal = ","'),
     ("NR", "`missing`")],
)  # fmt: skip
@pytest.mark.parametrize("column", ["n_treated", "mean_control"])
def test_texts_in_a_number_column_are_named_with_a_way_out(tmp_path, column, cell, words):
    (fault,) = check(write(tmp_path, [*rows(2), row("x", **{column: cell})])).faults
    assert (fault.row, fault.column, fault.value) == (4, column, cell) and words in fault.remedy


@pytest.mark.parametrize("cell", ["1e308", "-1e308", "1e200", "1e-308"])
@pytest.mark.parametrize("column", ["mean_treated", "sd_control", "n_treated"])
def test_numbers_beyond_what_can_be_computed_with_are_refused(tmp_path, column, cell):
    table = rows(5)
    table[2][column] = cell
    faults = check(write(tmp_path, table)).faults
    assert ("experiments.csv", 4, column, cell) in {
        (fault.file, fault.row, fault.column, str(fault.value)) for fault in faults
    }
    assert any("beyond what can be computed with" in fault.what for fault in faults)
