"""What a sheet's columns say about quality: judgements folded, two sources refused, animals lost."""

import pytest

from helpers.analysis.outcome import analyse
from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.quality import Quality, by_study, is_safeguard
from helpers.review.review import load
from tests.own_review import FAMILY, row, write

RANDOM, BLIND, OTHER = "Random allocation", "Blinded outcome assessment", "Other bias"


def judged(*cells, item=RANDOM, **more):
    return [
        row(f"e{i}", mean_treated=11 + i, **{item: cell}, **more) for i, cell in enumerate(cells)
    ]


def quality(items=(RANDOM,), more=""):
    return f"{FAMILY}\n[quality]\nrisk_of_bias = {[*items]}\n{more}".replace("'", '"')


@pytest.mark.parametrize(
    ("heading", "clear"),
    [
        ("Random allocation", True), ("Blinded outcome assessment?", True), ("Randomised", True),
        ("Allocation concealment", True), ("Sample size calculation", True),
        ("Were animals selected at random for outcome assessment?", True),
        ("Other bias", False), ("Selective reporting", False), ("Not blinded", False),
        ("Unblinded assessment", False), ("Attrition", False), ("rob1", False), ("Item 3", False),
        ("Risk of bias: random allocation", False), ("non-randomised", False),
    ],
)  # fmt: skip
def test_yes_is_a_low_risk_only_where_the_heading_names_a_safeguard(heading, clear):
    assert is_safeguard(heading) == clear


# As sheets have them (SYRCLE's entries, RevMan's, yes and no, spreadsheets' TRUE and 1).
WORDS = {
    "low": ["Low", "low risk", "L", "Yes", "y", "TRUE", "1", "+", "Low risk of bias", "green"],
    "unclear": ["Unclear", "UC", "?", "NR", "not reported", "some concerns", "No information"],
    "high": ["High", "high risk", "H", "No", "n", "FALSE", "0", "red"],
    "": ["", "NA", "not applicable"],
}


def test_words_are_folded_to_low_unclear_and_high(tmp_path):
    cells = [cell for listed in WORDS.values() for cell in listed]
    review = load(write(tmp_path, judged(*cells), toml=quality()))
    said = [level for level, listed in WORDS.items() for _ in listed]
    assert review.judgements[RANDOM].tolist() == said
    told = review.trace[review.trace["step"] == "judgement"]
    assert "'NR' is unclear" in set(told["detail"])


def test_words_of_a_checklist_are_yes_partly_and_no(tmp_path):
    cells = ["Yes", "reported", "partly", "unclear", "No", "NR", "", "1", "FALSE"]
    toml = f'{FAMILY}\n[quality]\nreporting = ["ARRIVE 5: sample size"]'
    review = load(write(tmp_path, judged(*cells, item="ARRIVE 5: sample size"), toml=toml))
    due = ["yes", "yes", "partly", "partly", "no", "no", "", "yes", "no"]
    assert review.judgements["ARRIVE 5: sample size"].tolist() == due


def test_unknown_words_are_refused_with_the_list_and_translated_where_said(tmp_path):
    table = judged("Yes, ARRIVE", "C", "x", "-", "no")
    faults = check(write(tmp_path, table, toml=quality())).faults
    assert [(f.row, f.column, f.value) for f in faults] == [
        (2, RANDOM, "Yes, ARRIVE"), (3, RANDOM, "C"), (4, RANDOM, "x"), (5, RANDOM, "-"),
    ]  # fmt: skip
    assert "low, unclear, high" in faults[0].remedy and "quality.values" in faults[0].remedy
    said = f'[quality.values."{RANDOM}"]\n"Yes, ARRIVE" = "low"\nC = "low"\nx = "low"\n'
    said += '[quality.values."*"]\n"-" = ""'
    review = load(write(tmp_path / "b", table, toml=quality(more=said)))
    assert review.judgements[RANDOM].tolist() == ["low", "low", "low", "", "high"]


def test_a_dash_is_a_minus_only_beside_a_plus(tmp_path):
    review = load(write(tmp_path, judged("+", "-", "?"), toml=quality()))
    assert review.judgements[RANDOM].tolist() == ["low", "high", "unclear"]
    assert check(write(tmp_path / "b", judged("low", "-"), toml=quality())).faults


def test_yes_under_a_heading_that_leaves_it_open_is_asked(tmp_path):
    table = judged("Yes", "No", "unclear", item=OTHER)
    (told,) = check(write(tmp_path / "a", table, toml=quality([OTHER]))).faults
    assert told.column == OTHER and "may be a low or a high risk" in told.what
    said = f'[quality.values."{OTHER}"]\nyes = "high"\nno = "low"'
    review = load(write(tmp_path / "b", table, toml=quality([OTHER], said)))
    assert review.judgements[OTHER].tolist() == ["high", "low", "unclear"]


def test_a_word_named_as_missing_is_no_judgement_unless_it_is_one(tmp_path):
    table = judged("NR", "nd", "-", "low")
    review = load(write(tmp_path, table, "missing = ['NR', 'nd', '-']", toml=quality()))
    assert review.judgements[RANDOM].tolist() == ["unclear", "", "", "low"]


def test_rows_of_a_study_that_differ_are_a_warning_with_both_and_the_worse_is_shown(tmp_path):
    table = judged("Yes", "NR", "Yes", "Yes", study="Doe 2019")
    table[3]["study"] = "Roe 2020"
    folder = write(tmp_path, table, toml=quality())
    (told,) = [w for w in check(folder).warnings if w.column == RANDOM]
    assert (told.row, told.value) == (3, "NR")
    assert told.what == "this is unclear, and 'Yes' in row 2 of the same study is low"
    found = by_study(load(folder), "risk_of_bias")
    assert found.to_dict("list") == {
        "study_label": ["Doe 2019", "Roe 2020"], RANDOM: ["unclear", "low"]
    }  # fmt: skip


def test_a_study_judged_in_one_row_only_keeps_its_judgement(tmp_path):
    table = judged("", "high", "", study="Doe 2019")
    folder = write(tmp_path, table, toml=quality())
    assert by_study(load(folder), "risk_of_bias")[RANDOM].tolist() == ["high"]
    assert not [w for w in check(folder).warnings if w.column == RANDOM]


def test_the_file_and_the_columns_together_are_two_sources(tmp_path):
    folder = write(tmp_path, judged("low"), toml=quality(), risk_of_bias=[
        {"study_label": "s-e0", RANDOM: "high"}
    ])  # fmt: skip
    (told,) = check(folder).faults
    assert told.column == "quality.risk_of_bias" and "two sources" in told.what


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('reporting = ["Random allocation"]', "stands here twice"),
        (
            'reporting = ["Randon"]',
            "(?s)quality.reporting: the sheet has no such column.*Random all",
        ),
        ('drop_outs = "lst"', "quality.drop_outs: the sheet has no such column"),
        ('drop_outs = "lost"\ndrop_outs_treated = "lost"', "two sources"),
        ('[quality.values."Blinding"]\nyes = "low"', "there is no such item"),
        ('[quality.values."*"]\nyes = "good"', "this is no level"),
        ('items = ["x"]', "there is no such setting"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, more, said):
    with pytest.raises(ReviewError, match=said):
        load(write(tmp_path, judged("low", lost=1), toml=quality(more=more)))


def test_a_judgement_is_a_moderator_with_its_levels(tmp_path):
    cells = ["Yes", "Yes", "NR", "NR", "no", "no"]
    toml = quality(more=f'[[moderators]]\nid = "randomised"\ncolumn = "{RANDOM}"')
    review = load(write(tmp_path, judged(*cells), "missing = ['NR']", toml=toml))
    assert review.moderators["randomised"].levels == ("low", "unclear", "high")
    assert review.moderator_values["randomised"].tolist() == [
        *["low"] * 2, *["unclear"] * 2, *["high"] * 2
    ]  # fmt: skip
    cells = analyse(review, "score").models["randomised"].cells
    assert dict(zip(cells["level"], cells["k"], strict=True)) == {"low": 2, "unclear": 2, "high": 2}


def test_a_moderator_may_keep_the_sheets_own_words(tmp_path):
    more = f'[[moderators]]\nid = "r"\ncolumn = "{RANDOM}"\nlevels = ["Yes", "no"]'
    review = load(write(tmp_path, judged("Yes", "no", ""), toml=quality(more=more)))
    assert review.moderator_values["r"].astype(object).tolist()[:2] == ["Yes", "no"]
    assert review.judgements[RANDOM].tolist() == ["low", "high", ""]


LOST = """
drop_outs_treated = "lost t"
drop_outs_control = "lost c"
allocated_treated = "start t"
allocated_control = "start c"
"""


def test_animals_that_do_not_add_up_are_a_warning(tmp_path):
    # n is 8 and 6
    sizes = {"lost t": 2, "lost c": 0, "start t": 10, "start c": 6}
    table = [row("e0", **sizes), row("e1", **sizes | {"lost t": 1}), row("e2", **sizes)]
    table[2]["start c"] = ""
    folder = write(tmp_path, table, toml=quality(()).replace("risk_of_bias = []", LOST))
    (told,) = [w for w in check(folder).warnings if "allocated" in w.what]
    assert (told.row, told.column) == (3, "start t")
    assert "10 allocated, 1 lost, n 8" in told.what
    lost = load(folder).losses
    assert lost.loc["e0"].to_dict() == {
        "drop_outs_treated": 2, "drop_outs_control": 0, "allocated_treated": 10,
        "allocated_control": 6,
    }  # fmt: skip


def test_fewer_allocated_than_counted_and_losses_without_allocated_are_told(tmp_path):
    table = [row("e0", start=7, lost="none"), row("e1", start=9, lost=3)]
    only = quality(()).replace("risk_of_bias = []", 'allocated_treated = "start"')
    (told,) = [
        w for w in check(write(tmp_path / "a", table, toml=only)).warnings if "fewer" in w.what
    ]
    assert (told.row, told.value) == (2, "7")
    only = quality(()).replace("risk_of_bias = []", 'drop_outs = "lost"')
    (told,) = check(write(tmp_path / "b", table, toml=only)).warnings[-1:]
    assert told.column == "lost" and "how many were allocated" in told.what
    assert load(tmp_path / "b").losses["drop_outs"].tolist() == [0, 3]


@pytest.mark.parametrize("cell", ["some", "2 of 8", "-1", "1.5"])
def test_animals_lost_are_whole_numbers(tmp_path, cell):
    only = quality(()).replace("risk_of_bias = []", 'drop_outs = "lost"')
    (told,) = check(write(tmp_path, [row(lost=cell)], toml=only)).faults
    assert (told.row, told.column, told.value) == (2, "lost", cell)


def test_a_row_a_group_has_animals_lost_in_both_groups(tmp_path):
    table = [
        {"study": "s", "outcome": "score", "arm": arm, "n": 8, "mean": mean, "sd": 1, "lost": lost,
         RANDOM: "yes"}
        for arm, mean, lost in (("drug", 5, 2), ("veh", 3, 1))
    ]  # fmt: skip
    sheet = (
        'columns.experiment = "row"\nlong = { group = "arm", control = ["veh"], pair = ["study"] }'
    )
    toml = quality(more='drop_outs = "lost"')
    review = load(write(tmp_path, table, sheet, toml=toml))
    assert review.losses.iloc[0].to_dict() == {"drop_outs_treated": 2, "drop_outs_control": 1}
    assert review.judgements[RANDOM].tolist() == ["low"]


def test_no_quality_leaves_a_review_as_it_is(tmp_path):
    review = load(write(tmp_path, judged("Yes")))
    assert review.quality == Quality() and review.judgements.shape == (1, 0)
