"""The page that leads to reports: what it says of a review, and how it is known again."""

import json

import pytest
from own_review import rows, write

from helpers import Report
from helpers.render import index
from helpers.render.output import about, remember
from helpers.review.description import describe


@pytest.fixture
def review(tmp_path):
    return write(tmp_path / "review", rows(4))


@pytest.fixture
def out(tmp_path, review):
    """A folder with what one family's report leaves there."""
    folder = tmp_path / "out"
    folder.mkdir()
    report = Report("movement", review=review)
    found = report.results().data["results"]
    (folder / "movement.json").write_text(json.dumps(found))
    (folder / "movement.html").write_text("")
    return folder


ENTRY = {"key": "", "files": {}, "used": [], "rows": None, "outputs": {}}


def test_a_review_is_told_in_one_sentence_from_its_results(out, review):
    page, said = index.index_page(out, describe(review), {"movement": ENTRY})
    assert said["title"] == "Made up" in page
    assert said["state"] == "1 report on 1 outcome: 1 rendered"
    low = json.loads((out / "movement.json").read_text())["outcomes"]["score"]["leading"]["ci_low"]
    verb = "excludes 0 for 1 favouring treated" if low > 0 else "includes 0 for Score"
    assert verb in said["headline"] and said["headline"].startswith("Of 1 outcome, the 95% CI of ")
    assert "data.)" not in said["headline"]


def test_evidence_and_assumed_numbers_stand_in_that_sentence(out, review):
    text = (review / "review.toml").read_text()
    kind = 'evidence = { kind = "simulated", notice = "Simulated rows." }\n'
    (review / "review.toml").write_text(kind + text)
    found = json.loads((out / "movement.json").read_text())
    found["outcomes"]["score"]["assumed"] = True
    (out / "movement.json").write_text(json.dumps(found))
    said = index.index_page(out, describe(review), {"movement": ENTRY})[1]
    assert said["headline"].endswith("is assumed for all of them. (Simulated data.)")


@pytest.mark.parametrize("leading", [None, {}, {"estimate": None, "pooled": True}])
def test_results_that_do_not_tell_leave_the_sentence_away(out, review, leading):
    found = json.loads((out / "movement.json").read_text())
    found["outcomes"]["score"]["leading"] = leading
    (out / "movement.json").write_text(json.dumps(found))
    assert index.index_page(out, describe(review), {"movement": ENTRY})[1]["headline"] == ""


def test_reviews_beside_each_other_are_found_by_what_is_remembered(tmp_path):
    said = {"title": "B", "headline": "Of 1 <outcome>.", "state": "1 report"}
    for name, review in (("b", said), ("a", {}), ("c d#", {"title": 3})):
        (tmp_path / name).mkdir()
        remember(tmp_path / name, {}, review)
        (tmp_path / name / "index.html").write_text("")
    (tmp_path / "no").mkdir()
    remember(tmp_path / "no", {}, said)  # nothing to lead to
    found = index.beside(tmp_path)
    assert [one["title"] for one in found] == ["a", "B", "c d#"]
    assert about(tmp_path / "c d#") == {}
    assert not index.is_current(tmp_path, found)
    page = index.reviews_page(found)
    assert "Of 1 &lt;outcome&gt;." in page and 'href="c%20d%23/index.html"' in page
    (tmp_path / "index.html").write_text(page)
    assert index.is_current(tmp_path, found)
    assert not index.is_current(tmp_path, found[:1]) and not index.is_current(tmp_path, [])
    (tmp_path / "index.html").write_text("<title>of one review</title>")
    assert index.is_current(tmp_path, []) and not index.is_current(tmp_path, found)
