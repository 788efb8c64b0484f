"""`certainty.csv`: read as leniently as other files, refused as clearly, all faults at once."""

import pytest

from helpers.review.check import check
from helpers.review.description import PROJECT
from helpers.review.review import load
from helpers.review.robustness.certainty import DOWN, UP, Judgement, domain_of, levels_of, read
from tests.own_review import FAMILY, rows, write

HEAD = "outcome,domain,judgement,reason,by,rests_on\n"


def folder(path, text, encoding="utf-8"):
    write(path, rows(4), toml=FAMILY)
    (path / "certainty.csv").write_bytes(text.encode(encoding))
    return path


def faults(path, text):
    return check(folder(path, text)).faults


def test_judgements_are_read_by_outcome_and_domain(tmp_path):
    text = HEAD + "score,imprecision,very serious,Too few,A. Doe,animals 56\n"
    found = read(folder(tmp_path, text))
    assert found == {("score", "imprecision"): Judgement(-2, "Too few", "A. Doe", "animals 56")}
    assert read(write(tmp_path / "none", rows(4))) == {}


def test_a_row_that_nobody_has_filled_in_is_no_judgement_and_no_fault(tmp_path):
    text = HEAD + "score,imprecision,,,,animals 56\nscore,indirectness,serious,Rats,A. Doe,x\n"
    assert list(read(folder(tmp_path, text))) == [("score", "indirectness")]
    assert not check(tmp_path).faults


@pytest.mark.parametrize("word", ["Serious", " serious ", "SERIOUS.", "-1", "−1", "One level"])
def test_words_of_judgements_are_taken_in_any_form(word):
    assert levels_of(word.strip(), "imprecision") == -1


def test_up_and_down_have_words_of_their_own():
    assert levels_of("1", "upgrading") == levels_of("+1", "upgrading") == 1
    assert levels_of("serious", "upgrading") is None
    assert levels_of("1", "imprecision") is None, "up or down? not to be guessed"
    assert levels_of("one level", "imprecision") == -levels_of("one level", "upgrading")
    for levels in (DOWN, UP):
        words = [word for said in levels.values() for word in said.split("; ")]
        assert len(words) == len(set(words)), "a word of two levels"


@pytest.mark.parametrize(
    ("name", "domain"),
    [("Risk of bias", "risk_of_bias"), ("RoB", "risk_of_bias"), 
     ("publication-bias", "publication_bias"),
     ("Heterogeneity", "inconsistency"), ("precision", None), ("", None)],
)  # fmt: skip
def test_domains_go_by_several_names(name, domain):
    assert domain_of(name) == domain


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(";", "cp1252"), ("\t", "utf-16"), (";", "utf-8-sig"), (",", "utf-8")],
)
def test_files_of_excel_are_read(tmp_path, separator, encoding):
    text = HEAD + "score,risk of bias,serious,Käfige nicht verblindet,B. Müller,low 0%\n"
    found = read(folder(tmp_path, text.replace(",", separator), encoding))
    assert found["score", "risk_of_bias"].by == "B. Müller"
    assert not check(tmp_path).faults


def test_all_faults_come_at_once_each_with_row_column_value_and_way_out(tmp_path):
    text = HEAD + (
        "scor,imprecision,serious,a,b,c\n"
        "score,precision,serious,a,b,c\n"
        "score,indirectness,quite bad,a,b,c\n"
        "score,risk_of_bias,serious,,b,c\n"
        "score,inconsistency,,a,b,c\n"
        "score,publication_bias,suspected,a,b,c\n"
        "score,Reporting bias,serious,a,b,c\n"
        "score,upgrading,serious,a,b,c\n"
    )
    found = {(one.row, one.column): one for one in faults(tmp_path, text)}
    assert set(found) == {
        (2, "outcome"), (3, "domain"), (4, "judgement"), (5, "reason"), (6, "judgement"),
        (8, "domain"), (9, "judgement"),
    }  # fmt: skip
    assert {one.file for one in found.values()} == {"certainty.csv"}
    assert "Did you mean 'score'?" in str(found[2, "outcome"])
    assert "there stands 'quite bad'" in str(found[4, "judgement"])
    assert "not serious, serious, very serious" in str(found[4, "judgement"])
    assert "none, one level, two levels" in str(found[9, "judgement"])
    assert "earlier row" in str(found[8, "domain"])


def test_a_row_still_to_be_judged_may_stand_beside_its_judgement(tmp_path):
    text = HEAD + "score,imprecision,,,,x\nscore,imprecision,serious,a,b,x\n"
    assert faults(tmp_path, text) == ()


def test_columns_that_are_missing_are_faults_and_hide_nothing_else(tmp_path):
    found = faults(tmp_path, "outcome,domain\nscore,imprecision\n")
    assert [one.column for one in found] == ["judgement", "reason", "by"]


@pytest.mark.parametrize(
    "text",
    ["outcome,domain,judgement,reason,by\nscore,imprecision,serious,a,b\n",
     HEAD + "score,imprecision,serious,a,b,\n"],
)  # fmt: skip
def test_a_judgement_without_its_numbers_is_warned_of(tmp_path, text):
    found = check(folder(tmp_path, text))
    warned = [str(one) for one in found.warnings if one.file == "certainty.csv"]
    assert not found.faults and len(warned) == 1 and "changed since" in warned[0]


def test_the_review_is_refused_and_its_provenance_names_the_file(tmp_path):
    with pytest.raises(ValueError, match=r"certainty\.csv, row 2, column outcome"):
        load(folder(tmp_path / "a", HEAD + "scor,imprecision,serious,a,b,c\n"))
    review = load(folder(tmp_path / "b", HEAD + "score,imprecision,serious,a,b,c\n"))
    assert "certainty.csv" in review.part(["score"]).inputs()


def test_the_example_of_the_documents_is_read(tmp_path):
    page = (PROJECT / "docs" / "review.md").read_text(encoding="utf-8")
    example = next(
        block for block in page.split("```csv\n")[1:] if block.startswith("outcome,domain")
    )
    toml = FAMILY + '[[families.outcomes]]\nid = "il_6"\nbetter = "lower"\n'
    write(tmp_path, rows(4), toml=toml)
    (tmp_path / "certainty.csv").write_text(example.partition("```")[0], encoding="utf-8")
    found = check(tmp_path)
    assert not found.faults and len(read(tmp_path)) == 2
    assert not [one for one in found.warnings if one.file == "certainty.csv"]
