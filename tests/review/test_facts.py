"""Risk of bias and flow of records: words folded, or refused with those that are known."""

import pytest
from own_review import FAMILY, row, rows, write

from helpers.article.audit import audit
from helpers.drawing.marks import Texts
from helpers.figures.flow import flow
from helpers.report import risk_of_bias
from helpers.report.overview import Overview
from helpers.review import facts
from helpers.review.check import check
from helpers.review.review import load


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("low", "low|Low|LOW|Low risk|low_risk|low risk of bias|+|L"),
        ("unclear", "unclear|Unclear risk|?|U|Some concerns|No information|moderate"),
        ("high", "high|HIGH|High risk|-|\N{EN DASH}|H"),
        (None, "yes|no|maybe|3|hihg|serious|n/a"),
    ],
)
def test_judgements(kind, words):
    words = words.split("|")
    assert {word: facts.judgement(word) for word in words} == dict.fromkeys(words, kind)


def bias(folder, cells, items="item,domain,text\nitem_1,A,Was it?\nitem_2,B,Was it so?\n"):
    folder = write(folder, rows(3))
    lines = [f"Study {i},{one},{two}\n" for i, (one, two) in enumerate(cells)]
    (folder / "risk_of_bias.csv").write_text("study_label,item_1,item_2\n" + "".join(lines))
    if items:
        (folder / "risk_of_bias_items.csv").write_text(items)
    return folder


def test_judgements_reach_the_charts_under_one_spelling(tmp_path):
    folder = bias(tmp_path, [("Low", "HIGH"), ("+", "−"), ("Some concerns", "?"), ("", "low ")])
    table = load(folder).facts("risk_of_bias.csv")
    assert table["item_1"].tolist() == ["low", "low", "unclear", ""]
    assert table["item_2"].tolist() == ["high", "high", "unclear", "low"]
    (warning,) = check(folder).warnings
    assert (warning.row, warning.column, warning.value) == (4, "item_1", "Some concerns")


def test_a_word_that_is_no_judgement_is_refused_with_the_list(tmp_path):
    (fault,) = check(bias(tmp_path, [("low", "hgih")])).faults
    assert (fault.file, fault.row, fault.column, fault.value) == (
        "risk_of_bias.csv", 2, "item_2", "hgih"
    )  # fmt: skip
    assert "low, unclear or high" in fault.remedy


def test_a_risk_of_bias_without_items_is_said_and_drawn_by_its_headings(tmp_path):
    folder = bias(tmp_path, [("low", "high")], items=None)
    (warning,) = check(folder).warnings
    assert "no risk_of_bias_items.csv" in warning.what and "item, domain, text" in warning.remedy
    items = load(folder).facts("risk_of_bias_items.csv")
    assert items["item"].tolist() == items["text"].tolist() == ["item_1", "item_2"]


def test_items_that_the_judgements_do_not_have_are_refused(tmp_path):
    folder = bias(tmp_path, [("low", "high")], "item,domain,text\nitem_1,A,a\nitem_3,B,b\n")
    (fault,) = check(folder).faults
    assert (fault.file, fault.row, fault.value) == ("risk_of_bias_items.csv", 3, "item_3")
    folder = bias(tmp_path / "x", [("low", "high")], "Item;Domain\nitem_1;A\n")
    assert {f.column for f in check(folder).faults} == {"item", "text"}


PLAIN = """stage;item;n
Identification;records found in databases;1009
Identification;Duplicates;507
Screening;records screened;502
Screening;records excluded;346
Full text;full texts assessed;156
Full text;full texts excluded: reviews;52
Full text;full texts excluded: no control group;39
Included;studies included;65
"""


def test_stages_under_plain_names(tmp_path):
    folder = write(tmp_path, rows(3))
    (folder / "flow.csv").write_text(PLAIN)
    assert check(folder).faults == ()
    assert load(folder).facts("flow.csv")["stage"].tolist() == [
        "identification", "identification", "screening", "excluded_screening", "eligibility",
        "excluded_full_text", "excluded_full_text", "included",
    ]  # fmt: skip
    assert audit(folder)[0].empty  # 1009 - 507 = 502, 502 - 346 = 156, 156 - 52 - 39 = 65


def test_the_drawn_flow_adds_up(tmp_path):
    folder = write(tmp_path, rows(3))
    (folder / "flow.csv").write_text(PLAIN)
    table = load(folder).facts("flow.csv")
    ax = flow(table.assign(n=table["n"].astype(int)))
    texts = " ".join(text for artist in ax.findobj(Texts) for text in artist.strings)
    assert "65" in texts and "is not" not in texts


@pytest.mark.parametrize(
    ("word", "item", "stage"),
    [
        ("excluded at screening", "", "excluded_screening"),
        ("Excluded (full text)", "", "excluded_full_text"),
        ("Eligibility", "reports excluded", "excluded_full_text"),
        ("Title/abstract screening", "", "screening"),
        ("Records identified", "", "identification"),
        ("full-text articles assessed for eligibility", "", "eligibility"),
        ("included studies", "", "included"),
        ("Studies included in synthesis", "", "included"),
        ("phase 3", "", None),
    ],
)
def test_other_names_of_stages(word, item, stage):
    assert facts.stage(word, item) == stage


def test_stages_and_counts_that_are_none_are_refused(tmp_path):
    folder = write(tmp_path, rows(3))
    (folder / "flow.csv").write_text('stage,item,n\nphase 3,x,12\nscreening,y,"1,009"\n')
    found = {(f.row, f.column): f for f in check(folder).faults}
    assert set(found) == {(2, "stage"), (3, "n")}
    assert "excluded_screening" in found[2, "stage"].remedy
    (folder / "flow.csv").write_text("Stage,count\nscreening,4\n")
    assert {f.column for f in check(folder).faults} == {"stage", "item", "n"}


def test_a_column_of_studies_that_is_not_there_is_a_fault_with_the_nearest_name(tmp_path):
    toml = FAMILY + "[studies.columns]\nstrian = 'Strain'\nyear = 'Year'\n"
    folder = write(tmp_path / "review", [row("e1"), row("e2")], toml=toml)
    assert not check(folder).faults  # nothing is shown where there is no such file
    (folder / "studies.csv").write_text("study,year,strain\nA,2020,SD\n")
    (found,) = check(folder).faults
    assert "studies.columns.strian" in str(found) and "strain" in found.remedy


def test_the_overview_shows_the_columns_of_studies_that_the_review_names_or_all(tmp_path):
    folder = write(tmp_path / "all", [row(f"e{i}", study=f"s{i}") for i in range(4)], toml=FAMILY)
    (folder / "studies.csv").write_text("study,year,housing\nA,2020,single\nB,2021,group\n")
    shown = Overview(review=folder)
    html = shown.studies().html
    assert ">housing<" in html and ">year<" in html and shown.study_counts() is None
    named = "[studies.columns]\nhousing = 'Cages'\n[studies.summaries]\nhousing = 'Cages'\n"
    folder = write(tmp_path / "named", [row(f"e{i}", study=f"s{i}") for i in range(4)],
                   toml=FAMILY + named)  # fmt: skip
    (folder / "studies.csv").write_text("study,year,housing\nA,2020,single\nB,2021,group\n")
    shown = Overview(review=folder)
    html = shown.studies().html
    assert "Cages" in html and ">year<" not in html
    assert "Cages" in shown.study_counts().html


@pytest.mark.parametrize(("text", "called"), [
    ("Were the animals randomly housed?", "SYRCLE's risk of bias"),
    ("Was the dose stated?", "Risk of bias"),
])  # fmt: skip
def test_a_tool_is_called_syrcles_only_where_it_asks_how_animals_were_housed(text, called):
    assert risk_of_bias.tool({"q1": "Was it blinded?", "q2": text}) == called
