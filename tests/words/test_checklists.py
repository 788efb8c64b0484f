"""Checklists: every item once, answered from the files alone, the rest marked for a person."""

import csv
import io

import pytest
from own_review import FAMILY, row, write

from helpers import Overview
from helpers.words import checklists

# The numbers of Page et al. 2021, table 1 (27 items, of which 10, 13, 16, 20, 23 and 24 have parts),
# and of Percie du Sert et al. 2020, table 1.
PARTS = {10: "ab", 13: "abcdef", 16: "ab", 20: "abcd", 23: "abcd", 24: "abc"}
NUMBERS = [f"{n}{part}" for n in range(1, 28) for part in PARTS.get(n, [""])]


def items(block):
    return {line["number"]: line for line in csv.DictReader(io.StringIO(block.data["csv"]))}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    return Overview(write(folder, [row(f"e{i}", mean_treated=11 + i) for i in range(4)]))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told")
    write(folder, [row(f"e{i}", mean_treated=11 + i) for i in range(4)], toml=FAMILY + """
[protocol]
id = "CRD42020000001"
deviations = ["a second outcome", "no search of registers"]
""")  # fmt: skip
    path = folder / "review.toml"
    path.write_text('question = "Does it help?"\n' + path.read_text().replace(
        '"Made up"', '"Made up: a systematic review"'
    ))  # fmt: skip
    (folder / "flow.csv").write_text(
        "stage,item,n\nidentification,PubMed,1200\nidentification,duplicates,200\n"
        "screening,records screened,1000\nexcluded_screening,not in vivo,996\n"
        "included,studies,4\n"
    )
    (folder / "studies.csv").write_text(
        "study,year,species,sex,age_weeks\na,2020,rat,M,8\nb,2021,rat,NR,\nc,2022,mouse,F,not clear\n"
    )
    (folder / "risk_of_bias.csv").write_text(
        "study_label,q1,q2\na,low,high\nb,low,unclear\nc,high,high\n"
    )
    (folder / "risk_of_bias_items.csv").write_text(
        "item,domain,text\nq1,Selection,Was the allocation sequence random?\nq2,Blinding,Who knew?\n"
    )
    return Overview(folder)


def test_every_item_stands_there_once(bare):
    assert list(items(bare.prisma())) == NUMBERS
    assert list(items(bare.arrive())) == [str(n) for n in range(1, 11)]


def test_what_no_file_tells_is_marked_for_a_person(bare):
    found, shown = items(bare.prisma()), bare.prisma().html
    for number in ("3", "4", "7", "8", "16a", "17", "18", "23a", "24a", "25", "26"):
        assert (found[number]["answer"], found[number]["status"]) == ("", "open"), number
    for number in ("15", "22"):  # rated by rules, and nobody has judged
        assert found[number]["status"] == "in part"
    marked = sum(line["status"] != "complete" for line in found.values())
    assert shown.count(checklists.OPEN) == marked > 20
    assert [n for n, line in items(bare.arrive()).items() if line["status"] == "open"] == [
        "3", "4", "5", "7", "8", "9"
    ]  # fmt: skip


def test_answers_are_those_of_the_files(told):
    found = items(told.prisma())
    for number, words in {
        "1": "Made up: a systematic review", "4": "Does it help?", "6": "PubMed (1,200)",
        "10a": "1 outcome: Score", "12": "SMD", "17": "3 studies", "18": "3 studies",
        "24a": "CRD42020000001", "24c": "a second outcome and no search of registers",
    }.items():  # fmt: skip
        assert words in found[number]["answer"], number
    assert found["1"]["status"] == found["4"]["status"] == found["24c"]["status"] == "complete"
    assert found["6"]["status"] == "in part" and "searched" in found["6"]["missing"]
    assert 'href="#figure-flow"' in told.prisma().html


def test_reporting_of_the_studies_is_counted(told):
    found = items(told.arrive())
    # sex "NR", an empty age and "not clear" are not reported
    assert found["8"]["answer"] == "Of 3 studies report: species 3, sex 2 and age or weight 1."
    assert "Selection 2 of 3" in found["4"]["answer"]
    assert "Blinding 0 of 3" in found["5"]["answer"]
    assert "3" not in {n for n, line in found.items() if line["status"] == "complete"}
    assert "4 of 4 experiments" in found["10"]["answer"]


def test_reconstructed_rows_are_said_to_be_that():
    assert "Reconstructed data" in items(Overview().arrive())["2"]["answer"]
