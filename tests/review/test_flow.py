"""The flow of records: its columns by PRISMA 2020, and every sum held."""

import pytest
from own_review import rows, write

from helpers.review.check import check
from helpers.review.prisma import flow
from helpers.review.review import load

# The template of PRISMA 2020 with an earlier version of the review, its numbers made up.
WHOLE = """source,stage,item,n
previous,previous,studies included in previous version of review,20
previous,previous,reports of studies included in previous version,23
databases,identification,PubMed,700
databases,identification,Embase,309
registers,identification,registers,11
,identification,duplicate records removed,507
,identification,records marked as ineligible by automation tools,3
,screening,records screened,510
,screening,records excluded,346
,screening,reports sought for retrieval,164
,screening,reports not retrieved,8
,screening,reports assessed for eligibility,156
,screening,reports excluded: reviews,52
,screening,reports excluded: no control group,39
other,identification,websites,5
other,identification,citation searching,12
other,screening,reports sought for retrieval,17
other,screening,reports not retrieved,1
other,screening,reports assessed for eligibility,16
other,screening,reports excluded: wrong population,10
,included,new studies included in review,64
,included,reports of new included studies,71
,total,total studies included in review,84
,total,reports of total included studies,94
"""


def review(folder, text, toml=""):
    folder = write(folder, rows(3))
    (folder / "flow.csv").write_text(text, encoding="utf-8")
    if toml:
        with open(folder / "review.toml", "a", encoding="utf-8") as stream:
            stream.write(toml)
    return folder


def arranged(folder):
    table = load(folder).facts("flow.csv")
    return flow.arranged(table.assign(n=table["n"].astype(int)))


def test_the_whole_template_is_read_by_its_phases_and_adds_up(tmp_path):
    folder = review(tmp_path, WHOLE)
    assert check(folder).faults == check(folder).warnings == ()
    table = arranged(folder)
    assert table.groupby("column", sort=False)["n"].size().to_dict() == {
        "previous": 2, "main": 16, "other": 6
    }  # fmt: skip
    held = flow.sums(table)
    # 510 = 1020 - 510; 164; 156; 17; 16; 71 = (156 - 91) + (16 - 10); 84 = 20 + 64; 94 = 23 + 71
    assert [(one.stage, one.left) for one in held] == [
        ("screening", 510), ("retrieval", 164), ("eligibility", 156), ("retrieval", 17),
        ("eligibility", 16), ("included", 71), ("total", 84), ("total", 94),
    ]  # fmt: skip
    assert all(one.holds for one in held)


@pytest.mark.parametrize(("row", "cell", "wrong", "says"), [
    (9, "510", "511", "700 + 309 + 11 - 507 - 3 = 510"),
    (11, "164", "165", "510 - 346 = 164"),
    (13, "156", "157", "164 - 8 = 156"),
    (20, "16", "15", "17 - 1 = 16"),
    (23, "71", "70", "156 + 16 - 52 - 39 - 10 = 71"),
    (24, "84", "83", "20 + 64 = 84"),
    (25, "94", "90", "23 + 71 = 94"),
])  # fmt: skip
def test_each_sum_that_fails_is_a_fault_at_its_row(tmp_path, row, cell, wrong, says):
    lines = WHOLE.splitlines()
    assert lines[row - 1].endswith(f",{cell}")
    lines[row - 1] = lines[row - 1].removesuffix(cell) + wrong
    faults = check(review(tmp_path, "\n".join(lines) + "\n")).faults
    first = [fault for fault in faults if fault.row == row]
    assert [(f.file, f.column, f.value) for f in first] == [("flow.csv", "n", wrong)]
    assert says in first[0].what and "add a row" in first[0].remedy


@pytest.mark.parametrize(("lines", "kind", "row", "says"), [
    # found elsewhere joins before the duplicates go, as flows were drawn before 2020
    ("identification,PubMed,60|identification,other sources,10|identification,duplicates,20|"
     "screening,screened,50", None, None, ""),
    # or at the end
    ("eligibility,full texts,20|excluded_full_text,reviews,16|identification,additional articles,2|"
     "identification,PubMed,60|included,articles,6", None, None, ""),
    # a total before its parts counts once
    ("identification,all,100|identification,PubMed,60|identification,Embase,40|"
     "identification,duplicates,20|screening,screened,80", None, None, ""),
    ("eligibility,full texts,50|excluded_full_text,full texts excluded,30|"
     "excluded_full_text,reviews,10|excluded_full_text,models,20|included,articles,20",
     None, None, ""),
    ("eligibility,full texts,50|excluded_full_text,full texts excluded,30|"
     "excluded_full_text,reviews,10|excluded_full_text,models,15|included,articles,20",
     "warning", 3, "reasons listed below add up to 25"),
    # two equal reasons are no total and its part
    ("eligibility,full texts,50|excluded_full_text,reviews,10|excluded_full_text,models,10|"
     "included,articles,40", "fault", 5, "50 - 10 - 10 = 30"),
    # what left is not listed: less is possible, more is not
    ("screening,screened,50|eligibility,full texts,40", None, None, ""),
    ("screening,screened,50|eligibility,full texts,51", "fault", 3, "more than the 50 before it"),
    # a study can have several reports
    ("eligibility,reports assessed,50|excluded_full_text,reviews,10|included,studies,38",
     "warning", 4, "50 - 10 = 40"),
    ("eligibility,reports assessed,50|excluded_full_text,reviews,10|included,studies,41",
     "fault", 4, "50 - 10 = 40"),
    ("previous,earlier review,5|included,new,6|total,all,12", "fault", 4, "5 + 6 = 11"),
])  # fmt: skip
def test_habits_of_flows(tmp_path, lines, kind, row, says):
    text = "stage,item,n\n" + lines.replace("|", "\n") + "\n"
    findings = check(review(tmp_path, text))
    found = [*findings.faults, *findings.warnings]
    assert [(one.severity, one.row) for one in found] == ([(kind, row)] if kind else [])
    assert all(says in one.what for one in found)


def test_an_articles_flow_is_put_to_its_authors_and_stops_nothing(tmp_path):
    text = "stage,item,n\nscreening,x,50\nexcluded_screening,y,9\neligibility,z,40\n"
    assert check(review(tmp_path / "own", text)).faults
    folder = review(tmp_path / "article", text, '[article]\ncitation = "A 2020"\n')
    assert check(folder).faults == ()


def test_a_source_that_is_not_known_is_said(tmp_path):
    text = "stage,item,n,source\nidentification,a,5,Scopus\nidentification,b,6,Uncle Bob\n"
    (found,) = check(review(tmp_path, text)).warnings
    assert (found.row, found.column, found.value) == (3, "source", "Uncle Bob")
    assert "registers" in found.remedy
    assert set(arranged(tmp_path)["source"]) == {"databases"}


@pytest.mark.parametrize(("item", "source"), [
    ("records from ClinicalTrials.gov", "registers"),
    ("trial registers", "registers"),
    ("other databases", "databases"),
    ("other sources", "other"),
    ("citation searching", "other"),
    ("websites", "other"),
    ("hand search", "other"),
    ("grey literature", "other"),
])  # fmt: skip
def test_an_item_tells_its_source(item, source):
    assert flow.source_of("", item) == source
