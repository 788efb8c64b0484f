"""Words of a specification curve follow from its numbers, and keep equals and others apart."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.analysis.measures import MEASURES
from helpers.analysis.robustness.choices import DECISIONS, ONLY_SHOWN, Choices
from helpers.analysis.robustness.specifications import Share, Specifications
from helpers.words.robustness import specifications as words

REVIEW = SimpleNamespace(treated="exosomes", is_authentic=True)


def found(intervals, better="higher", principled=None, reason=""):
    n = len(intervals)
    table = pd.DataFrame("", range(n), list(DECISIONS)).astype(object)
    low, high = np.transpose(np.asarray(intervals, float))
    flags = np.ones(n, bool) if principled is None else np.array(principled)
    table = table.assign(
        measure="SMD", model="independent", method="REML", interval=np.where(flags, "hksj", "z"),
        k=9.0, estimate=(low + high) / 2, ci_low=low, ci_high=high, principled=flags,
        leading=np.arange(n) == 0, reason=reason,
    )  # fmt: skip
    from dataclasses import replace

    measure = replace(MEASURES["SMD"], better=better)
    shares = [Share("SMD", "independent", True, "method", 80.0),
              Share("SMD", "independent", True, "interplay", 20.0)]  # fmt: skip
    shown = {("interval", "z"): ONLY_SHOWN["interval", "z"]}
    choices = Choices([], shown, {"measure": "SMD"}, {}, ["MD: several scales"])
    return Specifications(table, choices, [], 500, 0, shares, {"SMD": measure}, 0.95)


def said(one, **how):
    return words.sentence(one, words.counts(one), REVIEW, label="Score", **how)


def test_conclusions_by_the_side_of_benefit():
    one = found([(1, 2), (-1, 1), (-3, -2)])
    assert list(words.conclusions(one.table, one.measures)) == ["benefit", "includes", "harm"]
    one = found([(1, 2), (-1, 1), (-3, -2)], better="lower")
    assert list(words.conclusions(one.table, one.measures)) == ["harm", "includes", "benefit"]
    one = found([(1, 2), (-1, 1), (-3, -2)], better="neither")
    assert list(words.conclusions(one.table, one.measures)) == ["above", "includes", "below"]


def test_shares_never_mix_equals_with_what_is_only_shown():
    text = said(found([(1, 2), (1, 3), (-1, 1), (-1, 2), (-1, 3)], principled=[1, 1, 0, 0, 0]))
    assert "5 of 500 specifications computed." in text
    assert "Of 2 that are equally principled the 95% CI excludes 0 favouring exosomes in 2" in text
    assert "Apart from these, of 3 that are only shown the 95% CI includes 0 in 3 (100%)" in text
    assert text.endswith("The leading analysis is one of the principled.")


def test_a_leading_analysis_with_a_fault_is_named_with_it():
    text = said(found([(1, 2), (1, 3)], principled=[False, True]), assumed=True)
    assert "The leading analysis is only shown (interval normal (z))." in text
    assert "assumed number of experiments" in text


def test_what_has_no_result_is_in_no_share():
    one = found([(1, 2), (np.nan, np.nan)], reason=np.array(["", "too few"], object))
    assert "Of 1 that are equally principled" in said(one) and "1 has no result." in said(one)
    assert "No result: too few." in words.reasons(one)


def test_the_table_says_what_parts_the_estimates():
    one = found([(1, 2), (2, 3)])
    (row,) = words.shown_table(one, words.counts(one), "exosomes").to_dict("records")
    assert (
        row["Estimates"] == "1.50 to 2.50" and row["Share of the spread"] == "τ² 80%, interplay 20%"
    )
    one = found([(1, 2), (1, 2)])
    (row,) = words.shown_table(one, words.counts(one), "exosomes").to_dict("records")
    assert row["Estimates"] == "1.50" and row["Share of the spread"] == "–"


def test_reasons_are_given_of_the_choices_that_were_made():
    text = words.reasons(found([(1, 2), (1, 3)], principled=[True, False]))
    assert "Interval normal (z): takes τ² as known" in text and "MD: several scales" in text
    assert "Interval" not in words.reasons(found([(1, 2), (1, 3)]))


@pytest.mark.parametrize("decision", DECISIONS)
def test_every_decision_has_a_name(decision):
    assert words.DECISIONS[decision] and words.noun(decision)
