"""Subsets of a review: which experiments are kept, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers.analysis.outcome import NothingToAnalyse, analyse
from helpers.analysis.selection.subset import as_mapping, conditions, select
from helpers.analysis.settings import Settings
from helpers.problems import Refused
from helpers.review.review import load

DOSE = '[[moderators]]\nid = "dose"\nlabel = "Dose (µg)"\n'
DOSES = (10, 20, 50, 100, "", 200)


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """Mice and rats in turn; the fourth without a species, the fifth without a dose."""
    table = [
        row(f"e{i}", mean_treated=10 + i, species=("mouse", "rat")[i % 2], dose=dose)
        for i, dose in enumerate(DOSES)
    ]
    table[3]["species"] = ""
    folder = tmp_path_factory.mktemp("review")
    return load(write(folder, table, toml=FAMILY + SPECIES + DOSE))


def kept(review, where):
    return "".join(name[1] for name in select(review, where).rows("score").index)


@pytest.mark.parametrize(
    ("where", "names", "words"),
    [
        ({"species": "rat"}, "15", "Species: rat"),
        ({"species": ["rat", "mouse"]}, "01245", "Species: mouse or rat"),
        ({"species": {"rat"}}, "15", "Species: rat"),
        ({"dose": 50}, "2", "Dose (µg): 50"),
        ({"dose": [10, "100"]}, "03", "Dose (µg): 10 or 100"),
        ({"dose": np.array([10, 20, 50])}, "012", "Dose (µg): 10, 20 or 50"),
        ({"dose": {"from": 20, "to": 100}}, "123", "Dose (µg): 20 to 100"),
        ({"dose": {"from": "50"}}, "235", "Dose (µg): 50 or more"),
        ({"dose": {"to": 20.5}}, "01", "Dose (µg): 20.5 or less"),
        ({"species": "rat", "dose": {"to": 100}}, "1", "Species: rat; Dose (µg): 100 or less"),
        ('{"species": "rat"}', "15", "Species: rat"),
        ("{species: [rat], dose: {from: 20}}", "15", "Species: rat; Dose (µg): 20 or more"),
    ],
)
def test_conditions_keep_the_rows_that_meet_all_of_them(review, where, names, words):
    assert kept(review, where) == names
    subset = select(review, where).subset
    assert subset.words == words
    assert subset.inside.sum() == len(names)
    # In its one form it is what it was, also after a way through JSON's text.
    assert kept(review, subset.where) == kept(review, str(subset.where)) == names


def test_what_is_outside_has_its_reason_and_what_is_unknown_is_told(review):
    subset = select(review, {"species": "rat", "dose": {"to": 100}}).subset
    assert subset.reasons.to_dict() == {
        "e0": "Species: mouse",
        "e1": "",
        "e2": "Species: mouse",
        "e3": "Species: no value",
        "e4": "Species: mouse; Dose (µg): no value",
        "e5": "Dose (µg): 200",
    }
    assert subset.unknown.tolist() == [False, False, False, True, True, False]


@pytest.mark.parametrize("nothing", [None, {}, "", "None", "{}"])
def test_nothing_asked_for_keeps_the_review_as_it_is(review, nothing):
    assert select(review, nothing) is review
    assert len(review.rows("score")) == 6


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"specis": "rat"}, "no moderator 'specis'. Did you mean 'species'"),
        ({"species": "Rat"}, "species has no level 'Rat'. Did you mean 'rat'"),
        ({"species": []}, "a level or number, or a list of them, is due"),
        ({"species": None}, "a level or number, or a list of them, is due"),
        ({"species": {"from": "rat"}}, "a level or number, or a list of them, is due"),
        ({"dose": "high"}, "dose is a number, and 'high' is none"),
        ({"dose": math.nan}, "dose is a number, and nan is none"),
        ({"dose": True}, "a level or number, or a list of them, is due"),
        ({"dose": {"form": 5}}, "no bound 'form'. Did you mean 'from'"),
        ({"dose": {"from": 9, "to": 5}}, '"from": 50, "to": 100'),
        ({"dose": {}}, '"from": 50, "to": 100'),
        ("species", 'such as {"species": "Rat"}'),
        ("{species: rat", "not well formed"),
        (["species"], "such as"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_out(review, where, words):
    with pytest.raises(Refused, match=r"^where") as refusal:
        select(review, where)
    assert words in str(refusal.value)


def test_all_faults_come_at_once(review):
    with pytest.raises(Refused, match=r"(?s)'specis'.*dose is a number"):
        conditions({"specis": "rat", "dose": "much"}, review.moderators)


def test_words_stay_words_in_text():
    assert as_mapping("{kind: NO, code: 012}") == {"kind": "NO", "code": "012"}


def test_a_subset_can_be_restricted_further_by_another_moderator(review):
    rats = select(review, {"species": "rat"})
    assert kept(rats, {"dose": {"to": 100}}) == "1"
    assert rats.subset.where == {"species": ["rat"]}
    with pytest.raises(Refused, match="species restricts the whole report already"):
        select(rats, {"species": "mouse"})


def test_a_subset_is_analysed_as_if_its_rows_were_all(review, tmp_path):
    """The weighted mean SMD within the variance is that of the subset too."""
    settings = Settings(correction="exact", variance="average", interval="hksj")
    found = analyse(select(review, {"species": "mouse"}), "score", chosen=settings)
    table = [row(f"e{i}", mean_treated=10 + i, species="mouse", dose=5) for i in (0, 2, 4)]
    alone = load(write(tmp_path, table, toml=FAMILY + SPECIES + DOSE))
    expected = analyse(alone, "score", chosen=settings)
    for name in ("leading", "article", "recommended"):
        own, other = getattr(found, name), getattr(expected, name)
        assert (own is None) == (other is None)
        assert own is None or (own.k, own.estimate, own.se) == (other.k, other.estimate, other.se)
    pd.testing.assert_frame_equal(found.effects, expected.effects)


def test_a_subset_without_rows_says_to_what_it_was_restricted(review):
    with pytest.raises(NothingToAnalyse, match=r"score is left to analyse \(Dose \(µg\): 5\)"):
        analyse(select(review, {"dose": 5}), "score")


def test_a_subset_keeps_the_digest_of_the_rows_and_has_nothing_printed():
    whole = load()
    rats = select(whole.part(["locomotion"]), {"species": "Rat"})
    assert rats.digest() == whole.part(["locomotion"]).digest()
    assert len(whole.facts("published_pooled.csv")) and rats.facts("published_pooled.csv").empty
    assert len(rats.facts("flow.csv"))
