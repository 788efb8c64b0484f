"""Every file beside the sheet: read as leniently as it, refused as clearly, never half read."""

import csv
import io
import random

import pytest
from own_review import FAMILY, rows, write

from helpers.report.overview import Overview
from helpers.review.check import check
from helpers.review.review import load

TOML = """
[evidence]
kind = "reconstructed"
[article]
citation = "Doe 2020."
"""
FILES = {
    "flow": "stage,item,n\nidentification,records,30\nidentification,duplicates removed,5\n"
    "screening,screened,25\nincluded,studies,3\n",
    "studies": "study_id,first_author,year\na,Abe,2001\nb,Bär,2002\nc,Cho,2003\n",
    "risk_of_bias": "study_label,item_1,item_2\nAbe 2001,low,high\nBär 2002,unclear,low\n",
    "risk_of_bias_items": "item,domain,text\nitem_1,A,Was it?\nitem_2,B,Was it so?\n",
    "earlier_reviews": "outcome_id,review,outcome,population_or_source,smd\n"
    "score,Öz 2019,score,rats,1.25\nscore,Li 2018,score,mice,−0.50\n",
    "article_index": "in_article,what,report,section\nFigure 1,flow,overview,Search\n",
    "alternatives": "outcome,seed,k,tau2,pi_low,pi_high,hksj_excludes_0,doleman_p,pustejovsky_p\n"
    "score,0,3,0.1,-1,2,True,0.2,0.3\nscore,1,4,0.2,-1.5,2.5,False,,\n",
    "published_pooled": "outcome_id,outcome,k,smd,ci_low,ci_high,p_reported,where,claim\n"
    "score,score,3,0.80,0.10,1.50,0.025,Results,increased\n",
    "published_subgroups": "outcome_id,moderator_id,level_id,table,outcome,moderator,level,k,smd,"
    "ci_low,ci_high,p,i2,coef,coef_low,coef_high,coef_p\n"
    "score,species,rat,2,score,species,rat,2,0.90,0.10,1.70,0.027,40,,,,\n"
    "score,species,mouse,2,score,species,mouse,1,0.60,-0.40,1.60,0.240,,-0.30,-1.58,0.98,0.646\n",
    "published_text": "where,statistic,outcome_id,outcome,moderator,level,estimate,ci_low,ci_high,p,"
    "claim,file,column,value,n\nAbstract,pooled,score,score,,,0.80,0.10,1.50,0.025,increased,,,,\n"
    "Results,count,,,,,,,,,,studies.csv,year,2001,1\n",
    "published_bias": "outcome_ids,group,p,bias_claimed\nscore,score,0.40,no\n",
    "certainty": "outcome,domain,judgement,reason,by,rests_on\nscore,imprecision,serious,Few,Öz,x\n"
    "score,indirectness,not serious,Rats,Li,y\nscore,upgrading,,,,z\n",
}  # fmt: skip
SHOWS = (
    "flow", "studies", "risk_of_bias", "risk_of_bias_summary", "risk_of_bias_items", "glance",
    "earlier_reviews", "article_index", "audit_summary", "audit", "open_questions",
    "open_questions_figure", "evidence_map", "pooled", "certainty",
)  # fmt: skip
ODD = ("", "x", "n=3", "1e308", "1e999", "-5", "1,5", "3.5.2", "NaN", "inf", "∞", "٣", "9" * 400,
       "−1", "<0.001", "#N/A", "=1+1", "low", "True", "score", "  ", "a\nb", "²", "$$", "0",
       "1e-400", "\u200b", "漢" * 90, "%s", "{x}", "2026-01-05", "TRUE")  # fmt: skip


def review(folder):
    write(folder, rows(3), toml=TOML + FAMILY)
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def cells_of(text):
    return list(csv.reader(io.StringIO(text)))


def bytes_of(cells, encoding="utf-8", separator=","):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(cells)
    return text.getvalue().encode(encoding, "replace")


def damage(random, text):
    """Bytes of a file after one kind of damage, and what was done."""
    cells = cells_of(text)
    row, column = random.randrange(len(cells)), random.randrange(len(cells[0]))
    kind = random.choice(
        ("cell", "cell", "cell", "column", "heading", "rows", "bytes", "cut", "order", "twice")
    )
    if kind == "cell":
        cells[max(row, 1)][column] = random.choice(ODD)
    elif kind == "column":
        cells = [line[:column] + line[column + 1 :] for line in cells]
    elif kind == "heading":
        cells[0][column] = random.choice(ODD)
    elif kind == "rows":
        cells = cells[: random.choice((0, 1, 1))]
    elif kind == "order":
        random.shuffle(cells)
    elif kind == "twice":
        cells = [[*line, line[column]] for line in cells]
    data = bytes_of(cells)
    if kind == "bytes":
        at = random.randrange(len(data))
        data = data[:at] + bytes(random.randrange(256) for _ in range(4)) + data[at + 2 :]
    elif kind == "cut":
        data = data[: random.randrange(len(data))]
    return data, f"{kind} ({row}, {column})"


def outcome_of(folder):
    """Faults, or else that the overview shows everything."""
    found = check(folder)
    if found.faults:
        assert all(fault.file and fault.what and fault.remedy for fault in found.faults)
        with pytest.raises(ValueError, match="fault"):
            load(folder)
        return "refused"
    overview = Overview(folder)
    for name in SHOWS:
        getattr(overview, name)()
    return "shown"


def test_whole_files_are_shown(tmp_path):
    assert outcome_of(review(tmp_path)) == "shown"


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("cp1252", ";"), ("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-8", ";")],
)
def test_files_are_read_as_excel_writes_them(tmp_path, encoding, separator):
    plain, other = review(tmp_path / "plain"), review(tmp_path / "other")
    for name, text in FILES.items():
        data = bytes_of(cells_of(text.replace("−", "-")), encoding, separator)
        (other / f"{name}.csv").write_bytes(data)
    assert check(other).faults == ()
    for name in FILES:
        left, right = (load(folder).facts(f"{name}.csv") for folder in (plain, other))
        assert left.equals(right), name


@pytest.mark.parametrize(
    ("name", "old", "new", "row", "column", "value", "says"),
    [
        ("earlier_reviews", "1.25", "n=3", 2, "smd", "n=3", "is not a number such as 2.31"),
        ("published_pooled", "0.025", "1.5", 2, "p_reported", "1.5", "is no p-value"),
        ("published_pooled", "score,score,3", "score,score,2.5", 2, "k", "2.5", "whole number"),
        ("published_pooled", "\nscore", "\nscoer", 2, "outcome_id", "scoer", "no such outcome"),
        ("published_pooled", "increased", "went up", 2, "claim", "went up", "is no claim"),
        ("published_subgroups", "1.60", "1.6O", 3, "ci_high", "1.6O", "is not a number"),
        ("published_text", "count", "counts", 3, "statistic", "counts", "is none of pooled"),
        ("published_bias", "0.40", "4O", 2, "p", "4O", "is not a number"),
        ("alternatives", "0.1,-1", "high,-1", 2, "tau2", "high", "is no number"),
        ("alternatives", "True", "maybe", 2, "hksj_excludes_0", "maybe", "neither True nor False"),
        ("alternatives", "score,0,3", "score,0,", 2, "k", "", "a value is due"),
        ("flow", ",30", ",about 30", 2, "n", "about 30", "a whole number is due"),
    ],
)
def test_a_damaged_cell_is_named(tmp_path, name, old, new, row, column, value, says):
    folder = review(tmp_path)
    text = FILES[name]
    assert old in text
    (folder / f"{name}.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    (fault,) = check(folder).faults
    place = fault.file, fault.row, fault.column, fault.value
    assert place == (f"{name}.csv", row, column, value)
    assert says in fault.what and fault.remedy


def test_missing_columns_and_empty_files_of_all_come_at_once(tmp_path):
    folder = review(tmp_path)
    names = sorted(set(FILES) - {"studies", "risk_of_bias", "risk_of_bias_items"})
    for name in names:
        (folder / f"{name}.csv").write_text("nothing,of\nthe,kind\n")
    (folder / "studies.csv").write_bytes(b"")
    faults = check(folder).faults
    assert {fault.file for fault in faults} == {f"{name}.csv" for name in (*names, "studies")}


def test_excel_writes_truth_in_its_own_language(tmp_path):
    folder = review(tmp_path)
    text = FILES["alternatives"].replace("True", "WAHR").replace("False", "FALSCH")
    (folder / "alternatives.csv").write_text(text)
    assert load(folder).facts("alternatives.csv")["hksj_excludes_0"].tolist() == ["True", "False"]


def tried(tmp_path, seeds):
    folder, done = review(tmp_path), {"refused": 0, "shown": 0}
    for seed in seeds:
        chance = random.Random(seed)
        name = chance.choice(sorted(FILES))
        data, how = damage(chance, FILES[name])
        (folder / f"{name}.csv").write_bytes(data)
        try:
            done[outcome_of(folder)] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, {name}: {how}: {data!r}") from error
        (folder / f"{name}.csv").write_text(FILES[name], encoding="utf-8")
    return done


def test_a_sample_of_damaged_files_is_refused_or_shown(tmp_path):
    assert min(tried(tmp_path, range(30)).values()) > 5


@pytest.mark.slow
def test_damaged_files_are_refused_or_shown(tmp_path):
    assert min(tried(tmp_path, range(1000, 1600)).values()) > 100


@pytest.mark.parametrize("name", [*FILES, "exclusions", "corrections"])
@pytest.mark.parametrize("kind", ["folder", "link to nothing", "circle of links", "other case"])
def test_what_was_meant_for_a_file_is_never_passed_over_in_silence(tmp_path, name, kind):
    folder = review(tmp_path)
    path = folder / f"{name}.csv"
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "other case":
        path = path.with_name(path.name.capitalize())
        path.write_text("experiment,reason,by\ne1,x,y\n")
    else:
        path.symlink_to("/nowhere/at all" if kind == "link to nothing" else path.name)
    faults = [fault for fault in check(folder).faults if fault.file == path.name]
    what = "it were called" if kind == "other case" else "is no file"
    assert [what in fault.what for fault in faults] == [True]


def test_items_of_a_risk_of_bias_are_checked_without_its_judgements_too(tmp_path):
    folder = review(tmp_path)
    (folder / "risk_of_bias.csv").unlink()
    (folder / "risk_of_bias_items.csv").write_bytes(b"\xff\xfe\x00")
    assert [fault.file for fault in check(folder).faults] == ["risk_of_bias_items.csv"]
