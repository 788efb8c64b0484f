"""Certainty in words: every branch of every rule has its sentence, and files read back what is told."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.analysis.measures import MEASURES, Measure
from helpers.analysis.robustness import certainty
from helpers.analysis.robustness.certainty import Cell, Certainty
from helpers.review.robustness.certainty import DOMAINS, DOWN, UP, Judgement, levels_of
from helpers.words.robustness import certainty as words
from tests.analysis.robustness.test_certainty import asymmetry, made

RISK = Measure("own", "risk difference", "risk differences")
SHARES = {"low": 0.25, "unclear": 0.75, "high": 0.0, "none": 0.0, "matched": True, "weak": ["a"]}
# Every branch of the rules that read an analysis, with words that its sentence must have.
CASES = [
    ("inconsistency", {}, "I² 30.0%, not above 50%; 95% prediction interval [0.50, 2.50]."),
    ("inconsistency", {"i2": 80.0, "pi_low": -1.0}, "[−1.00, 2.50] includes no effect"),
    ("inconsistency", {"i2": 80.0}, "excludes no effect: sizes differ"),
    ("inconsistency", {"i2": 80.0, "pi_low": np.nan}, "there is no prediction interval"),
    ("inconsistency", {"studies": 1}, "One study cannot show"),
    ("imprecision", {}, "The 95% CI [1.00, 2.00] excludes no effect and rests on 320 animals"),
    ("imprecision", {"animals": 20}, "but it rests on 20 animals; one experiment would need 126."),
    ("imprecision", {"ci_low": -0.2}, "no effect and an important effect (−0.50 or 0.50)"),
    ("imprecision", {"ci_low": -2.0}, "important effects of both sides (−0.50 or 0.50)"),
    ("imprecision", {"ci_low": -0.2, "ci_high": 0.3}, "includes no effect, but no important one"),
    ("imprecision", {"ci_low": np.nan}, "There is no confidence interval."),
    ("imprecision", {"measure": RISK}, "whether an unknown number of animals"),
    ("imprecision", {"measure": RISK, "ci_low": -1.0}, "no source says which effect is important"),
    ("imprecision", {"measure": MEASURES["ROM"], "ci_low": -0.5}, "(0.75 or 1.25)"),
    ("imprecision", {"outcome": SimpleNamespace(smallest=1.0), "ci_low": -2.0},
     "important effects of both sides (−1.00 or 1.00, as the review says)"),
]  # fmt: skip


@pytest.mark.parametrize(("domain", "own", "said"), CASES)
def test_every_branch_has_its_sentence(domain, own, said):
    analysis = made(**own)
    if own.get("measure") is RISK:
        analysis.rows["n_control"] = np.nan
    cell = Cell(domain, *getattr(certainty, domain)(analysis))
    assert said in words.because(cell)
    assert words.rests_on(cell).isascii() or own.get("measure") is RISK


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ({"doleman": (1.0, 0.01)}, "Smaller experiments report larger effects (Doleman p = 0.010)"),
        ({"doleman": (1.0, 0.3)}, "which does not show that nothing was left unpublished"),
        ({}, "No test was possible: no sizes."),
    ],
)
def test_a_test_that_does_not_reject_shows_nothing(tests, said):
    found = asymmetry(refused=("no sizes",), **tests)
    cell = Cell("publication_bias", *certainty.publication_bias(made(), found))
    assert said in words.because(cell)


def test_shares_of_the_weight_are_told_with_the_items_that_are_weak():
    text = words.because(Cell("risk_of_bias", -1, "not most at low risk", SHARES))
    assert text == (
        "Of the weight, 25% at low, 75% at unclear and 0% at high risk of bias; at most half of it "
        "is at low risk on a."
    )
    five = SHARES | {"weak": list("abcde"), "matched": False, "none": 0.1}
    text = words.because(Cell("risk_of_bias", -1, "not most at low risk", five))
    assert "on a, b, c and 2 more." in text and "10% not judged" in text
    assert "those of all studies of the review" in text


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_told_is_read_back_as_the_same(domain):
    for levels in UP if domain == "upgrading" else DOWN:
        assert levels_of(words.judged(levels, domain), domain) == levels


def of(judgements=(), rests_on="", **levels):
    facts = {"low": 1.0, "unclear": 0.0, "high": 0.0, "none": 0.0, "matched": True, "weak": []}
    known = {
        "risk_of_bias": facts, "indirectness": {"k": 2, "studies": ["a", "b"]},
        "inconsistency": certainty.inconsistency(made())[2],
        "imprecision": certainty.imprecision(made())[2],
        "publication_bias": {"k": 2, "p": {}, "refused": []},
        "upgrading": certainty.upgrading(made())[2],
    }  # fmt: skip
    given = dict.fromkeys(DOMAINS, 0) | levels
    return Certainty({n: Cell(n, given[n], "", known[n], dict(judgements).get(n)) for n in DOMAINS})


ALL = {name: Judgement(0, "r", "A. Doe") for name in DOMAINS[:5]}


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        (of(indirectness=None), "extracted", "at most high, unconfirmed"),
        (of(imprecision=-2), "extracted", "low, unconfirmed"),
        (of(imprecision=-3, indirectness=None), "extracted", "very low, unconfirmed"),
        (of(ALL), "extracted", "high"),
        (of(ALL), "reconstructed", "high (reconstructed rows)"),
        (of(ALL), "simulated", "high (simulated rows)"),
        (of(ALL | {"imprecision": Judgement(-1, "r", "b", "other")}), "extracted",
         "moderate, look again"),
    ],
)  # fmt: skip
def test_the_level_in_short_is_never_bare_where_it_is_not_confirmed_or_real(found, kind, said):
    assert words.short(found, kind) == said


def test_a_judgement_is_old_when_its_numbers_read_otherwise():
    cell = of().cells["imprecision"]
    now = words.rests_on(cell)
    assert now == "95% CI [1.00, 2.00]; animals 320"

    def old(text):
        return words.is_old(Cell(**(vars(cell) | {"judgement": Judgement(-1, "r", "b", text)})))

    assert not old(now) and not old(f"  {now.upper()} ".replace("; ", ";  "))
    assert old(now.replace("320", "312")) and old(now.replace("1.00", "1.01"))
    assert not old(""), "nothing is known of other numbers"


def test_another_set_of_as_many_studies_is_noticed():
    cells = [Cell("indirectness", None, "", {"k": 3, "studies": ids}) for ids in (["a"], ["b"])]
    first, second = map(words.rests_on, cells)
    assert first != second and first.startswith("3 experiments from 1 study (")


def test_every_rule_is_printed_with_its_thresholds_and_a_source():
    table = words.rules().set_index("Domain")
    assert list(table.index) == list(words.DOMAIN.values())
    assert (table["Source"].str.len() > 20).all()
    for domain, thresholds in {
        "Risk of bias": ["50%"], "Inconsistency": ["50%"], "Publication bias": ["0.05", "10"],
        "Imprecision": ["0.5 SD", "0.75", "1.25", "126", "80%"],
    }.items():  # fmt: skip
        for threshold in thresholds:
            assert threshold in table.loc[domain, "Rule"]
