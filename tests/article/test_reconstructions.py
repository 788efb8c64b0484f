"""What several reconstructions leave open, from a made-up table of them."""

import pandas as pd
import pytest

from helpers.article import reconstructions
from helpers.article.tables import pooled
from helpers.review.review import load
from helpers.words import reconstructions as reconstructions_of


def row(outcome, k, tau2, p, excludes):
    return {
        "outcome": outcome, "k": k, "tau2": tau2, "pi_low": -1.0 + tau2, "pi_high": 5.0,
        "hksj_excludes_0": excludes, "doleman_p": p, "pustejovsky_p": p, "leave_one_out_shift": 0.1,
    }  # fmt: skip


TABLE = pd.DataFrame(
    [row("locomotion", 72, 1.86, 0.02, True), row("locomotion", 72, 1.88, 0.70, True),
     row("caspase_1", 5, 3.0, None, False), row("caspase_1", 7, 4.0, None, True),
     row("caspase_1", 8, 5.0, None, True), row("cd206", 4, 2.0, None, False),
     row("cd206", 6, 3.0, None, False)]
)  # fmt: skip


@pytest.fixture(scope="module")
def found():
    review = load()
    return reconstructions.summary(TABLE, review).set_index("outcome")


def test_ranges_over_reconstructions(found):
    assert list(found["k"]) == ["72", "5 to 8", "4 to 6"]
    assert found.loc["locomotion", ["tau2_low", "tau2_high"]].tolist() == [1.86, 1.88]
    assert found.loc["locomotion", "pi_spread"] == pytest.approx(0.02)
    assert list(found["assumed"]) == [False, True, True]


def test_what_hartung_knapp_says_by_number_of_experiments(found):
    assert list(found["knapp"]) == ["always", "k ≤ 5 no, k ≥ 7 yes", "never"]
    torn = pd.concat([TABLE, pd.DataFrame([row("caspase_1", 8, 5.0, None, False)])])
    review = load()
    again = reconstructions.summary(torn, review).set_index("outcome")
    assert again.loc["caspase_1", "knapp"] == "it depends"


def test_words_follow_from_the_ranges(found):
    text = reconstructions_of.words(found.reset_index())
    assert "τ² is pinned down to 10% for Locomotion (BBB or BMS)" in text
    assert "for 1 outcome of 1 it falls on both sides of 0.05" in text
    assert "For 2 outcomes k is assumed" in text
    assert "excludes 0 at none for CD206-positive cells and at some only" in text
    assert "do not decide, for Caspase 1." in text


def test_the_committed_reconstructions_agree_with_what_is_printed():
    review = load()
    table, printed = reconstructions.read(review), pooled(review)
    assert set(table["outcome"]) == set(review.outcomes)
    assert table.groupby("outcome")["seed"].nunique().min() >= 3
    assert table["largest_distance"].max() <= 1  # in units of each number's aim
    for name in ("estimate", "ci_low", "ci_high"):
        assert (table[name] - table["outcome"].map(printed[name])).abs().max() < 0.0101
    assert not table["tau2"].lt(0).any()


def test_no_conclusion_is_settled_where_the_number_of_experiments_decides():
    review = load()
    real = reconstructions.summary(reconstructions.read(review), review)
    real = real.set_index("outcome")
    assert not real.loc[["locomotion", "cavity_size", "gfap", "tnf_a"], "assumed"].any()
    assert real.loc["cd206", "knapp"] == "never"  # as printed intervals allow no other k
    assert real.loc["gap_43", "knapp"].endswith("yes")
    assert real.loc["caspase_1", "knapp"].endswith("k ≥ 7 yes")
