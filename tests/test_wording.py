"""Numbers as text, and sentences whose words follow from numbers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import wording
from helpers.description import Outcome
from helpers.measures import SMD
from helpers.pooling import pool

HIGHER = Outcome("score", "Score", "family", better="higher")
LOWER = Outcome("cavity", "Cavity", "family", better="lower")


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.304, "2.30"), (-2.306, "−2.31"), (-0.001, "0.00"), (0.0, "0.00"), (np.nan, "–"),
     (None, "–"), (-np.inf, "−∞")],
)  # fmt: skip
def test_numbers(value, text):
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "<0.001"), (0.0005, "0.001"), (0.0416, "0.042"), (np.nan, "–")]
)
def test_p_values(p, text):
    assert wording.p_value(p) == text


def test_p_phrase_has_one_relation():
    assert wording.p_phrase(1e-9) == "p < 0.001"
    assert wording.p_phrase(0.25) == "p = 0.250"


@pytest.mark.parametrize(
    ("mean", "outcome", "word", "side"),
    [(2, HIGHER, "higher", "benefit"), (-2, HIGHER, "lower", "harm"),
     (-2, LOWER, "lower", "benefit"), (2, LOWER, "higher", "harm")],
)  # fmt: skip
def test_direction_words_follow_the_sign(mean, outcome, word, side):
    result = pool([mean, mean * 1.1, mean * 0.9], variance=[0.01] * 3)
    text = wording.verdict(result, outcome, "exosomes")
    assert f"{outcome.label} was {word} with exosomes" in text
    assert f"side of {side}" in text


def test_an_open_result_is_told_as_open():
    result = pool([0.3, -0.2, 0.1], variance=[0.1] * 3)
    text = wording.verdict(result, HIGHER, "exosomes")
    assert "do not settle" in text
    assert "no effect" not in text


def test_one_experiment_is_not_pooled():
    assert "nothing is pooled" in wording.verdict(pool([1.0], variance=[1.0]), HIGHER, "exosomes")


def test_prediction_interval_words():
    wide = pool([4.0, 0.1, 2.0, 6.0], variance=[0.1] * 4)
    narrow = pool([4.0, 4.1, 4.2, 3.9], variance=[0.01] * 4)
    assert "holds zero" in wording.heterogeneity_words(wide)
    assert "one side of zero" in wording.heterogeneity_words(narrow)


def test_a_family_is_summed_up_by_side():
    analyses = [
        SimpleNamespace(
            outcome=o,
            measure=replace(SMD, better=o.better),
            chosen=pool([m, m * 1.1, m * 0.9], variance=[v] * 3),
        )
        for o, m, v in ((HIGHER, 2, 0.01), (LOWER, 2, 0.01), (HIGHER, 0.1, 5.0))
    ]
    text = wording.family_verdict("Family", analyses)
    assert "1 on the side of benefit (Score) and 1 on the side of harm (Cavity)" in text
    assert "undecided is Score" in text
