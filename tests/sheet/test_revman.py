"""Reviews of RevMan 5 and data packages of RevMan Web, as text with nothing lost."""

import math
import zipfile

import pytest
from revman_files import (
    STUDIES,
    continuous,
    data,
    events,
    line,
    outcome,
    package,
    rm5,
    setting,
    subgroup,
)

from helpers.problems import ReviewError
from helpers.sheet import revman, revman_web
from helpers.sheet.files import read_table

ABLE, BAKER = STUDIES
CONTINUOUS = continuous(ABLE, 8, "4.1", "1.2", 9, "6.0", "1.4", ORDER="12")
NUMBERS = [
    f"{arm} {what}" for arm in ("Experimental", "Control") for what in ("N", "mean", "SD", "cases")
]


def read(path):
    return read_table(path)


def cells(raw, row, *names):
    return raw.table.loc[row, list(names)].tolist()


# ---------------------------------------------------------------------- RevMan 5


def test_means_are_read_under_their_study_s_name(tmp_path):
    other = continuous(BAKER, 10, "3.9", "1.1", 10, "5.5", "1.3", footnote="Read off a figure")
    lesion = outcome("CONT", 2, "Lesion volume", CONTINUOUS + other, EFFECT_MEASURE="SMD")
    raw = read(rm5(tmp_path / "review.rm5", lesion))
    assert raw.table["Study"].tolist() == ["Able 2011", "Baker-2"]
    assert raw.table["Year"].tolist() == ["2011", "2012"]
    assert raw.table.index.tolist() == [2, 3]
    assert cells(raw, 2, *NUMBERS) == ["8", "4.1", "1.2", "", "9", "6.0", "1.4", ""]
    assert cells(raw, 3, "Comparison", "Analysis", "Outcome", "Data type", "Effect measure") == [
        "Drug versus vehicle", "1.2", "Lesion volume", "continuous", "SMD",
    ]  # fmt: skip
    assert cells(raw, 3, "Left side", "Right side") == ["Favours drug", "Favours vehicle"]
    assert cells(raw, 3, "Footnotes") == ["Read off a figure"]
    # A point in a file of RevMan is a decimal point, whatever stands beside it.
    assert raw.numeric.loc[2, "Experimental mean"] and not raw.numeric.loc[2, "Analysis"]
    assert raw.findings == () and raw.left_out == {}


def test_events_and_all_animals(tmp_path):
    deaths = outcome("DICH", 1, "Death", events(ABLE, 3, 12, 8, 12), EFFECT_MEASURE="RR")
    raw = read(rm5(tmp_path / "review.rm5", deaths))
    assert cells(raw, 2, *NUMBERS) == ["12", "", "", "3", "12", "", "", "8"]
    assert cells(raw, 2, "Effect measure", "Scale") == ["RR", "log"]


def test_swapped_events_are_the_animals_without_one(tmp_path):
    rows = events(ABLE, 3, 12, 8, 12) + events(BAKER, 14, 12, 2, 10)  # the second cannot be
    deaths = outcome("DICH", 1, "Survival", rows, EFFECT_MEASURE="OR", SWAP_EVENTS="YES")
    raw = read(rm5(tmp_path / "review.rm5", deaths))
    assert cells(raw, 2, "Experimental cases", "Control cases") == ["9", "4"]
    assert cells(raw, 3, "Experimental cases", "Control cases") == ["14", "8"]
    assert ["swapped in RevMan" in found.what for found in raw.findings] == [True]


@pytest.mark.parametrize(
    ("attributes", "estimate", "scale", "warnings"),
    [
        ({"LOG_DATA": "YES"}, {"ESTIMATE": "-0.4780", "EFFECT_SIZE": "0.62002"}, "log", 0),
        ({"LOG_DATA": "YES"}, {"EFFECT_SIZE": repr(math.exp(-0.478))}, "log", 0),
        ({"LOG_DATA": "NO"}, {"ESTIMATE": "-0.478", "EFFECT_SIZE": "-0.478"}, "identity", 1),
        # What was entered is no logarithm, though the file says so.
        ({"LOG_DATA": "YES"}, {"ESTIMATE": "-0.478", "EFFECT_SIZE": "0.9"}, "log", 1),
    ],
)
def test_an_estimate_is_on_the_scale_it_was_entered_in(
    tmp_path, attributes, estimate, scale, warnings
):
    entry = data("IV", ABLE, SE="0.22", TOTAL_1="0", TOTAL_2="15", **estimate)
    found = outcome("IV", 1, "Survival", entry, measure="Hazard Ratio", **attributes)
    raw = read(rm5(tmp_path / "review.rm5", found))
    assert float(raw.table.loc[2, "GIV Mean"]) == pytest.approx(-0.478, abs=1e-12)
    assert cells(raw, 2, "GIV SE", "Scale", "Effect measure") == ["0.22", scale, "HR"]
    assert cells(raw, 2, "Experimental N", "Control N") == ["", "15"]  # 0 was not entered
    assert len(raw.findings) == warnings


def test_a_mean_difference_is_no_logarithm(tmp_path):
    entry = data("IV", ABLE, ESTIMATE="-2.4", SE="0.9", EFFECT_SIZE="-2.4")
    found = outcome("IV", 1, "Days", entry, measure="Mean Difference", LOG_DATA="NO")
    raw = read(rm5(tmp_path / "review.rm5", found))
    assert cells(raw, 2, "GIV Mean", "Scale", "Effect measure") == ["-2.4", "identity", "MD"]
    assert raw.findings == ()


def test_o_minus_e_is_given_but_not_used(tmp_path):
    entry = data("IPD", ABLE, O_E="-3.2", VAR="5.1", EVENTS_1=3, TOTAL_1=12, EVENTS_2=8, TOTAL_2=12)
    found = outcome("IPD", 1, "Survival", entry, measure="Hazard Ratio")
    raw = read(rm5(tmp_path / "review.rm5", found))
    assert cells(raw, 2, "O-E", "Variance") == ["-3.2", "5.1"]
    assert raw.left_out == {2: "O-E and variance are no group data"}
    assert "(O-E)/Variance" in raw.findings[0].remedy


def test_what_revman_cannot_estimate_is_listed(tmp_path):
    rows = events(ABLE, 0, 12, 0, 12, ESTIMABLE="NO") + events(BAKER, 1, 10, 4, 10)
    raw = read(rm5(tmp_path / "review.rm5", outcome("DICH", 1, "Death", rows)))
    assert raw.left_out == {2: "not estimable in RevMan"}
    assert raw.table["Study"].tolist() == ["Able 2011", "Baker-2"]


def test_subgroups_keep_their_analysis(tmp_path):
    parts = subgroup("CONT", 1, "Rats", CONTINUOUS)
    parts += subgroup("CONT", 2, "Mice", continuous(BAKER, 5, "1.0", "0.5", 5, "2.0", "0.5"))
    raw = read(rm5(tmp_path / "review.rm5", outcome("CONT", 3, "Lesion", parts, SUBGROUPS="YES")))
    assert raw.table[["Analysis", "Subgroup"]].values.tolist() == [["1.3", "Rats"], ["1.3", "Mice"]]
    assert raw.findings == ()


def test_subgroups_without_an_overall_result_are_analyses_of_their_own(tmp_path):
    """The same study stands in both: pooling them together would count it twice."""
    parts = subgroup("CONT", 1, "Day 7", CONTINUOUS) + subgroup("CONT", 2, "Day 28", CONTINUOUS)
    found = outcome("CONT", 3, "Lesion", parts, SUBGROUPS="YES", TOTALS="SUB")
    raw = read(rm5(tmp_path / "review.rm5", found))
    assert raw.table["Analysis"].tolist() == ["1.3.1", "1.3.2"]
    assert raw.table["Outcome"].tolist() == ["Lesion: Day 7", "Lesion: Day 28"]
    assert "no overall result" in raw.findings[0].what


def test_two_studies_of_one_name_stay_two(tmp_path):
    studies = {ABLE: ("Able", "2011"), BAKER: ("Able", "2012")}
    rows = CONTINUOUS + continuous(BAKER, 5, "1.0", "0.5", 5, "2.0", "0.5")
    raw = read(rm5(tmp_path / "review.rm5", outcome("CONT", 1, "Lesion", rows), studies=studies))
    assert raw.table["Study"].tolist() == [f"Able ({ABLE})", f"Able ({BAKER})"]


def test_tables_of_other_data_are_named(tmp_path):
    other = outcome("OTHER", 2, "Costs", data("OTHER", ABLE))
    raw = read(rm5(tmp_path / "review.rm5", outcome("CONT", 1, "Lesion", CONTINUOUS), other))
    assert len(raw.table) == 1 and "(Costs)" in raw.findings[0].what


ENTITY = '<!DOCTYPE COCHRANE_REVIEW [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize("head", [ENTITY, '<!DOCTYPE COCHRANE_REVIEW [<!ENTITY x SYSTEM "y">]>'])
def test_entities_are_refused(tmp_path, head):
    path = rm5(tmp_path / "review.rm5", outcome("CONT", 1, "Lesion", CONTINUOUS), head=head)
    with pytest.raises(ReviewError, match="declares the entity"):
        read(path)


def test_what_is_no_review_is_refused(tmp_path, monkeypatch):
    empty = rm5(tmp_path / "empty.rm5", comparisons={"Nothing": []})
    page, broken = tmp_path / "page.rm5", tmp_path / "broken.rm5"
    page.write_text("<html/>")
    broken.write_text("<COCHRANE_REVIEW><COMPARISON>")
    for path, what in (
        (empty, "no analyses"),
        (page, "no review of RevMan 5"),
        (broken, "cannot be read"),
    ):
        with pytest.raises(ReviewError, match=what):
            read(path)
    monkeypatch.setattr(revman, "LARGEST", 10)
    with pytest.raises(ReviewError, match="too large"):
        read(empty)


# ---------------------------------------------------------------------- RevMan Web

LESION = {
    "Experimental mean": "4.1", "Experimental SD": "1.2", "Experimental N": "8",
    "Control mean": "6.0", "Control SD": "1.4", "Control N": "9",
}  # fmt: skip


@pytest.mark.parametrize("nested", [False, True])
def test_a_package_says_what_the_review_says(tmp_path, nested):
    path = package(tmp_path / "data.zip", [setting()], [line(**LESION)], nested=nested)
    raw = read(path)
    five = read(rm5(tmp_path / "review.rm5", outcome("CONT", 1, "Lesion", CONTINUOUS)))
    known = ["Comparison", "Analysis", "Outcome", "Study", "Year", "Data type", *NUMBERS]
    assert cells(raw, 2, *known) == cells(five, 2, *known)
    assert raw.left_out == {} and raw.findings == ()


def test_zeros_of_other_kinds_of_data_are_none(tmp_path):
    counts = {"Experimental cases": "0", "Experimental N": "12", "Control cases": "8",
              "Control N": "12"}  # fmt: skip
    settings = [setting(), setting(2, "Death", "Dichotomous", "Risk Ratio")]
    raw = read(package(tmp_path / "data.zip", settings, [line(**LESION), line(2, **counts)]))
    assert cells(raw, 2, "Experimental cases", "GIV Mean", "O-E") == ["", "", ""]
    assert cells(raw, 3, "Experimental cases", "Experimental mean", "GIV SE") == ["0", "", ""]


def test_newer_packages_have_sides_and_leave_cells_empty(tmp_path):
    heads = ("Graph label (left)", "Graph label (right)")
    known = setting(1, **dict(zip(heads, ("Favours drug", "Favours vehicle"), strict=True)))
    row = {name: "" for name in line()} | {
        "Analysis group": "1", "Analysis number": "1", "Study": "Able 2011", "Mean": "-1.9",
    } | LESION  # fmt: skip
    raw = read(package(tmp_path / "data.zip", [known], [row], heads=heads))
    assert cells(raw, 2, "Left side", "Right side") == ["Favours drug", "Favours vehicle"]
    assert cells(raw, 2, *NUMBERS) == ["8", "4.1", "1.2", "", "9", "6.0", "1.4", ""]


def test_contrasts_of_a_package_are_logarithms_where_it_says_so(tmp_path):
    kind = setting(1, "Survival", "Contrast level", "Hazard Ratio", **{"Log-scale data": "true"})
    row = line(1, **{"GIV Mean": "-0.478", "GIV SE": "0.22", "Mean": "0.62", "Control N": "0"})
    raw = read(package(tmp_path / "data.zip", [kind], [row]))
    assert cells(raw, 2, "GIV Mean", "Scale", "Control N") == ["-0.478", "log", ""]


def test_rows_outside_the_overall_result_are_listed(tmp_path):
    rows = [
        line(1, "Able 2011", Subgroup="Low", Applicability="SUBGROUP_ONLY", **LESION),
        line(1, "Able 2011", Subgroup="High", Applicability="SUBGROUP_ONLY", **LESION),
        line(1, "Able 2011", Applicability="OVERALL_ONLY", **LESION),
        line(1, "Baker 2012", Mean="", **LESION),
        line(1, "Cole 2013", Applicability="NEW_WORD", **LESION),
    ]
    raw = read(package(tmp_path / "data.zip", [setting()], rows))
    assert sorted(raw.left_out) == [2, 3, 5, 6]
    assert raw.left_out[2] == "not in RevMan's result (SUBGROUP_ONLY)"
    assert raw.left_out[5] == "not estimable in RevMan"
    assert "NEW_WORD" in raw.left_out[6]


def test_a_package_without_an_overall_result_has_its_subgroups(tmp_path):
    rows = [
        line(1, Subgroup="Low", Applicability="SUBGROUP_ONLY", **LESION),
        line(1, Subgroup="High", **LESION),
        line(1, Applicability="OVERALL_ONLY", **LESION),
    ]
    known = setting(1, **{"Overall estimates": "false"})
    raw = read(package(tmp_path / "data.zip", [known], rows))
    assert raw.table["Analysis"].tolist()[:2] == ["1.1.1", "1.1.2"]
    assert raw.left_out == {4: "not in RevMan's result (OVERALL_ONLY)"}


@pytest.mark.parametrize(
    ("settings", "rows", "files", "what"),
    [
        ([setting()], [line(2, **LESION)], {}, "no analysis 1.2"),
        ([setting(kind="Mystery")], [line()], {}, "kind of data is not known"),
        ([setting()], [], {}, "no analyses"),
        ([setting()], [line()], {"a/2-data-rows.csv": "x"}, "several files data-rows.csv"),
        ([setting()], [line()], {"a/1-parameters.csv": "x"}, "diagnostic tests"),
        ([setting()], [line()], {"analysis-data/1-data-rows.csv": "Study\r\nA\r\n"}, "no column"),
    ],
)
def test_a_package_that_cannot_be_read_is_refused(tmp_path, settings, rows, files, what):
    path = package(tmp_path / "data.zip", settings, rows, **files)
    with pytest.raises(ReviewError, match=what):
        read(path)


def test_a_zip_of_something_else_and_a_bomb_are_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("sheet.csv", "a,b")
    with pytest.raises(ReviewError, match="no data package"):
        read(tmp_path / "other.zip")
    path = package(tmp_path / "data.zip", [setting()], [line()])
    monkeypatch.setattr(revman_web, "LARGEST", 50)
    with pytest.raises(ReviewError, match="too large"):
        read(path)
