"""Reports of a part of the experiments: everything shown is of that part, and says so."""

import io
import re

import pandas as pd
import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers import Report
from helpers.page import blocks

MARK = "(Only experiments with Species: rat.)"


def sheet():
    """Twelve experiments of six studies: mice and rats in turn, the last without a species."""
    table = [
        row(f"e{i}", study=f"s{i // 2}", mean_treated=10 + i % 5, species=("mouse", "rat")[i % 2])
        for i in range(12)
    ]
    return [*table[:11], table[11] | {"species": ""}]


@pytest.fixture
def folder(tmp_path):
    excluded = [{"experiment": name, "reason": "late", "by": "me"} for name in ("e0", "e1")]
    return write(tmp_path, sheet(), toml=FAMILY + SPECIES, exclusions=excluded)


@pytest.fixture
def report(folder):
    return Report("movement", review=folder, where={"species": "rat"})


def test_rows_add_up_and_those_outside_are_listed(report):
    counts = report.counts
    assert (counts["rows_used"], counts["rows_excluded"], counts["rows_outside"]) == (4, 1, 7)
    assert counts["rows_in"] == sum(n for name, n in counts.items() if name != "rows_in")
    (listed,) = report.not_used().data["parts"]
    rows = pd.read_csv(io.StringIO(listed["csv"])).set_index("experiment")["reason"]
    assert rows["e0"] == "Species: mouse" and rows["e11"] == "Species: no value" and len(rows) == 7
    assert "subset" not in listed["csv"]
    assert "7 outside the subset" in report.glance().text
    assert "7 outside the subset (Species: rat)" in report.sheet().text


def test_the_first_screen_the_methods_and_the_record_say_it(report, folder):
    assert "Settings: only Species: rat (not the default)" in report.head().text
    assert "Experiments with Species: rat." in report.head().html
    said = "Only experiments with Species: rat were analysed, 5 of 12; for 1 of those left out"
    assert said in report.methods().text and said in report.alerts().text
    assert "where = {'species': ['rat']}" in report.provenance().text
    assert report.content["parameters"]["where"] == {"species": ["rat"]}
    assert report.sentence().endswith(MARK)
    assert MARK in report.outcome("score").result().text
    assert "Species: rat" in report.script().html
    whole = Report("movement", review=folder)
    for block in (whole.head(), whole.methods(), whole.glance(), whole.findings(), whole.alerts()):
        assert "subset" not in block.html and "Only experiments" not in block.html


def test_every_caption_and_download_says_it(report):
    for block in (report.findings(), report.outcome("score").forest(groups=True)):
        assert block.text.count(MARK) == 1
        rows = pd.read_csv(io.StringIO(block.data["csv"]))
        assert (rows["subset"] == "Species: rat").all() and "provenance" in rows


def test_an_outcome_of_a_part_stands_beside_that_of_all(folder, report):
    whole = Report("movement", review=folder)
    score, rats = whole.outcome("score"), whole.outcome("score", where={"species": "rat"})
    assert rats.analysis.leading.estimate == report.analyses["score"].leading.estimate
    assert (score.analysis.leading.k, rats.analysis.leading.k) == (10, 4)
    assert whole.counts["rows_outside"] == 0 and len(whole.analyses["score"].rows) == 10
    every = [score.forest(), rats.forest(), score.show(), rats.show()]
    page = "".join(block.html for block in (every[2], every[3]))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert [block.data["csv"].count("\n") for block in every[:2]] == [11, 5]
    assert repr(rats) == "<Score, Species: rat (score), k = 4>"


def test_tests_of_all_are_not_shown_as_those_of_a_part():
    whole = Report("locomotion")
    every, rats = whole.outcome("locomotion"), Report("locomotion", where={"species": "Rat"})
    before = every.small_study_tests().data["csv"]
    part = whole.outcome("locomotion", where={"species": "Rat"})
    alone = rats.outcome("locomotion").small_study_tests().data["csv"]
    assert part.small_study_tests().data["csv"] == alone != before
    assert part.doleman().data["csv"].count("\n") == 55 + 1
    assert every.small_study_tests().data["csv"] == before
    assert whole.content["small_study"][0]["k"] == 72


def test_what_is_printed_of_all_is_not_held_against_a_part():
    rats = Report("locomotion", where={"species": "Rat"})
    outcome = rats.outcome("locomotion")
    assert rats.content["outcomes"]["locomotion"]["published"] is None
    assert "As printed" not in outcome.presets().text
    assert "printed" not in outcome.small_study().text
    assert outcome.published().kind == "paragraph"
    whole = Report("locomotion")
    part = whole.outcome("locomotion", where={"species": "Rat"})
    assert "As printed" not in part.presets().text and part.published().kind == "paragraph"
    assert "As printed" in whole.outcome("locomotion").presets().text
    assert isinstance(whole.outcome("locomotion").published(), blocks.Block)
    assert whole.outcome("locomotion").published().kind == "table"


def test_changes_are_those_of_whole_versions_and_say_so(tmp_path):
    old, table = sheet(), sheet()
    table[2]["mean_treated"], table[3]["mean_treated"] = 15, 16
    write(tmp_path / "old", old, toml=FAMILY + SPECIES)
    folder = write(tmp_path / "new", table, toml=FAMILY + SPECIES)
    text = (folder / "review.toml").read_text("utf-8")
    (folder / "review.toml").write_text(f'previous = "../old"\n{text}', encoding="utf-8")
    changes = Report("movement", review=folder, where={"species": "rat"}).changes()
    results, rows = (pd.read_csv(io.StringIO(part["csv"])) for part in changes.data["parts"])
    assert rows["experiment"].tolist() == ["e2", "e3"]
    assert results["k_new"].tolist() == [12]
    assert "All experiments are compared, not the subset." in changes.text
    assert MARK not in changes.text
