"""Numbers as text, and sentences whose words follow from numbers."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_review import FAMILY, write
from scipy import stats

from helpers.analysis.measures import SMD
from helpers.analysis.outcome import analyse
from helpers.analysis.settings import ARTICLE
from helpers.review.description import Outcome
from helpers.review.review import load
from helpers.stats.influence import diagnostics, leave_one_out
from helpers.stats.pooling import pool
from helpers.words import numbers as numbers_of
from helpers.words import sentences

HIGHER = Outcome("score", "Score", "family", better="higher")
LOWER = Outcome("cavity", "Cavity", "family", better="lower")


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.304, "2.30"), (-2.306, "−2.31"), (-0.001, "0.00"), (0.0, "0.00"), (np.nan, "–"),
     (None, "–"), (-np.inf, "−∞")],
)  # fmt: skip
def test_numbers(value, text):
    assert numbers_of.number(value) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0004, "<0.001"),
        (0.0005, "0.001"),
        (0.0416, "0.042"),
        (np.nan, "–"),
        (0.0, "<0.001"),
        (0.9996, ">0.999"),
        (1.0, ">0.999"),
    ],
)
def test_p_values(p, text):
    assert numbers_of.p_value(p) == text


def test_p_phrase_has_one_relation():
    assert numbers_of.p_phrase(1e-9) == "p < 0.001"
    assert numbers_of.p_phrase(0.25) == "p = 0.250"


@pytest.mark.parametrize(
    ("mean", "outcome", "word", "side"),
    [(2, HIGHER, "higher", "benefit"), (-2, HIGHER, "lower", "harm"),
     (-2, LOWER, "lower", "benefit"), (2, LOWER, "higher", "harm")],
)  # fmt: skip
def test_direction_words_follow_the_sign(mean, outcome, word, side):
    result = pool([mean, mean * 1.1, mean * 0.9], variance=[0.01] * 3)
    text = sentences.verdict(result, outcome, "exosomes")
    assert f"{outcome.label} was {word} with exosomes" in text
    assert {"benefit": "favouring exosomes", "harm": "favouring the control"}[side] in text


def test_an_open_result_is_told_as_open():
    result = pool([0.3, -0.2, 0.1], variance=[0.1] * 3)
    text = sentences.verdict(result, HIGHER, "exosomes")
    assert "includes 0, so an effect of exosomes is neither shown nor ruled out" in text
    assert "no effect" not in text


def test_one_experiment_is_not_pooled():
    assert "nothing is pooled" in sentences.verdict(pool([1.0], variance=[1.0]), HIGHER, "exosomes")


@pytest.mark.parametrize(("turn", "side"), [(1, "below"), (-1, "above")])
def test_the_prediction_interval_is_told_with_the_probability_of_the_other_side(turn, side):
    result = pool(turn * np.array([4.0, 0.1, 2.0, 6.0]), variance=[0.1] * 4, level=0.9)
    text = sentences.heterogeneity_words(result)
    # t(2) at the estimate over √(se² + τ²)
    other = stats.t.sf(abs(result.estimate) / np.hypot(result.se, np.sqrt(result.tau2)), 2)
    assert round(1 / other) == 5
    assert "90% prediction interval" in text
    assert f"lies {side} 0 is about 1 in 5 (from the prediction distribution)" in text
    assert "may well" not in text


def test_why_there_is_no_prediction_interval():
    assert "too few" in sentences.heterogeneity_words(pool([1.0, 2.0], variance=[1.0, 1.0]))
    common = pool([1.0, 2.0, 3.0], variance=[1.0] * 3, method="EE")
    assert "common-effect model has no" in sentences.heterogeneity_words(common)


@given(st.floats(0.001, 0.5))
def test_odds_are_near_the_probability_that_they_tell(probability):
    part, whole = re.fullmatch(r"about (\d+) in ([\d,]+)", numbers_of.chance(probability)).groups()
    assert int(part) / int(whole.replace(",", "")) == pytest.approx(probability, rel=0.2)


def test_odds_that_are_too_small_for_a_number():
    assert numbers_of.chance(2e-4) == "less than 1 in 1,000"
    assert numbers_of.chance(0.049) == "about 1 in 20"


@given(st.floats(0, 100), st.sampled_from([0, 1]))
def test_only_0_and_100_percent_are_printed_as_that(value, digits):
    text = numbers_of.percent(value, digits)
    assert (text.rstrip("%") in ("0", "0.0", "100", "100.0")) == (value in (0, 100))
    told = float(text.strip("<>%"))
    assert abs(told - value) <= 10.0**-digits
    assert not (text.startswith("<") and value > told)
    assert not (text.startswith(">") and value < told)


def test_a_quantity_has_one_relation():
    assert numbers_of.told("I²", numbers_of.percent(99.97)) == "I² > 99.9%"
    assert numbers_of.told("I²", numbers_of.percent(84.06)) == "I² = 84.1%"


@pytest.mark.parametrize(
    ("items", "text"), [((), "none"), (("a",), "a"), (("a", "b", "c"), "a, b and c")]
)
def test_lists_of_any_length(items, text):
    assert numbers_of.listing(items) == text


def test_a_family_is_summed_up_by_side():
    analyses = [
        SimpleNamespace(
            outcome=o,
            measure=replace(SMD, better=o.better),
            leading=pool([m, m * 1.1, m * 0.9], variance=[v] * 3),
        )
        for o, m, v in ((HIGHER, 2, 0.01), (LOWER, 2, 0.01), (HIGHER, 0.1, 5.0))
    ]
    text = sentences.family_verdict("Family", analyses)
    assert "1 favouring the treatment (Score) and 1 favouring the control (Cavity)" in text
    assert "it includes 0 for Score, where an effect is neither shown nor ruled out" in text


def family(*groups):
    return [
        SimpleNamespace(outcome=one, leading=result, measure=replace(SMD, better=one.better))
        for one, result in groups
    ]


def test_an_outcome_without_a_better_side_is_no_open_one():
    result = pool([2.0, 2.1, 1.9], variance=[0.01] * 3, level=0.9)
    neither = Outcome("weight", "Weight", "family", better="neither")
    text = sentences.family_verdict("Family", family((neither, result)))
    assert "the 90% CI of the SMD excludes 0 for 1 with no side of benefit (Weight)" in text
    assert "includes 0" not in text


def test_one_experiment_decides_nothing_in_a_family():
    text = sentences.family_verdict("Family", family((HIGHER, pool([9.0], variance=[0.01]))))
    assert (
        text
        == "Family: of 1 outcome, the 95% CI of the SMD excludes 0 for none; Score: one experiment."
    )


def test_assumed_numbers_are_called_so_in_the_sentence_that_is_copied():
    result = pool([2.0, 2.1, 1.9], variance=[0.01] * 3)
    text = sentences.verdict(result, HIGHER, "exosomes", assumed=True)
    assert "3 experiments (an assumed number)" in text
    assert "assumed" not in sentences.verdict(result, HIGHER, "exosomes")
    open_one = pool([0.3, -0.2, 0.1], variance=[0.1] * 3)
    assert (
        "pooled over 3 experiments (an assumed number); the 95% CI includes 0"
        in sentences.verdict(open_one, HIGHER, "exosomes", assumed=True)
    )
    both = family((HIGHER, result), (LOWER, result))
    assert "assumed for Cavity." in sentences.family_verdict("Family", both, assumed={"cavity"})
    assert "assumed for all of them." in sentences.family_verdict(
        "Family", both, assumed={"score", "cavity"}
    )


def test_influence_names_whose_absence_changes_the_conclusion():
    effect = pd.Series([0.1, 0.2, 0.1, 2.5], index=list("abcd"))
    variance = pd.Series([0.04] * 4, index=effect.index)
    fits = {"method": "EE", "interval": "z"}
    analysis = SimpleNamespace(leading=pool(effect, variance=variance, **fits), measure=SMD)
    left = leave_one_out(effect, variance=variance, **fits)
    includes = list(left.loc[left["ci_low"] < 0, "left_out"])
    assert includes == ["d"]
    text = sentences.influence_words(
        analysis, diagnostics(effect, variance=variance, method="EE"), {"experiment": left}
    )
    assert "Leaving out d alone makes the 95% CI include 0." in text


# ------------------------------------------------------------------------------ moderators


@pytest.fixture
def made_up(tmp_path):
    """An analysis of own effects of variance 0.05 with some moderators, and its review."""

    def made_up(levels, study, effect, chosen=None, **numbers):
        rows = [
            {"experiment": f"e{i}", "study": name, "outcome": "score", "effect": y, "se": 0.05**0.5}
            | {key: values[i] for key, values in (levels | numbers).items()}
            for i, (name, y) in enumerate(zip(study, effect, strict=True))
        ]
        toml = FAMILY
        for name, values in levels.items():
            toml += f'[[moderators]]\nid = "{name}"\nlabel = "{name.capitalize()}"\n'
            toml += f"levels = {sorted(set(values))}\n"
        for name in numbers:
            toml += f'[[moderators]]\nid = "{name}"\nlabel = "{name.capitalize()}"\n'
        review = load(write(tmp_path / "review", rows, toml=toml))
        return analyse(review, "score", chosen=chosen), review

    return made_up


def test_differed_by_needs_a_p_by_holm_below_5_percent(made_up):
    study = list("abcdefgh")
    effect = [1.0, 1.1, 0.9, 1.2, 3.0, 3.1, 2.9, 3.2]
    levels = {"drug": list("xxxxyyyy"), "sex": list("fmfmfmfm")}
    analysis, review = made_up(levels, study, effect)
    text = sentences.moderator_words(analysis, review)
    assert "Of 2 moderators examined one at a time, effects differed by drug (p < 0.001" in text
    assert "R² = 100%" in text  # within each drug the effects differ by less than chance
    assert "sex" not in text


def test_without_one_the_number_looked_at_and_the_smallest_p_are_told(made_up):
    study = list("abcdefgh")
    effect = [1.0, 1.4, 0.9, 1.2, 1.2, 1.5, 1.0, 1.4]
    levels = {"drug": list("xxxxyyyy"), "sex": list("fmfmfmfm"), "lab": list("uvvuuvvu")}
    analysis, review = made_up(levels, study, effect, chosen=ARTICLE)
    text = sentences.moderator_words(analysis, review)
    # The means of 4 and 4 differ by 0.35, and τ² is 0: z = 0.35 / √(0.05/2).
    p = 2 * stats.norm.sf(0.35 / np.sqrt(0.05 / 2))
    assert p < 0.05 <= 3 * p  # it is Holm that decides
    assert "None of the 3 moderators examined one at a time was associated with the effect" in text
    assert f"smallest p: sex, p = {p:.3f}, Holm-adjusted p" in text
    assert f"Holm-adjusted p = {3 * p:.3f}" in text
    assert "differed" not in text


def test_the_recommended_test_of_levels_is_f_with_hartung_knapp(made_up):
    effect = [1.0, 1.4, 0.9, 1.2, 1.2, 1.5, 1.0, 1.4]
    analysis, review = made_up({"sex": list("fmfmfmfm")}, list("abcdefgh"), effect)
    # τ² is 0, so F is that of two equal groups: rma(yi, 0.05, mods = ~ sex, test = "knha").
    p = stats.f_oneway(effect[::2], effect[1::2]).pvalue
    assert analysis.tested["sex"].p_moderators == pytest.approx(p, rel=1e-8)
    assert f"differed by sex (p = {p:.3f}" in sentences.moderator_words(analysis, review)


def test_no_statement_rests_on_a_level_of_one_study(made_up):
    study = list("abcdefgg")
    effect = [1.0, 1.1, 0.9, 1.2, 1.0, 1.1, 4.0, 4.2]
    analysis, review = made_up(
        {"drug": list("xxxxxxyy"), "sex": list("fmfmfmfm")}, study, effect, chosen=ARTICLE
    )
    assert analysis.regressions["drug"].p_moderators < 0.001
    text = sentences.moderator_words(analysis, review)
    assert "differed" not in text
    assert "R²" not in text
    assert "Not tested because of too few studies: drug" in text
    assert "No association with the effect was established for the moderator (sex, p = " in text
    assert "does not show that there is no association" in text
    assert "Holm" not in text


def test_levels_of_one_study_are_named_where_others_are_tested(made_up):
    study = list("abcdefgg")
    effect = [1.0, 1.1, 0.9, 3.2, 3.0, 3.1, 9.0, 9.2]
    analysis, review = made_up({"drug": list("xxxyyyzz")}, study, effect)
    text = sentences.moderator_words(analysis, review)
    assert "Effects differed by drug (p < 0.001" in text
    assert "Levels with only one experiment or one study were not tested (drug: z)." in text


def test_no_statement_rests_on_a_slope_of_one_study(made_up):
    study, effect = list("abcdeff"), [1.0, 1.1, 0.9, 1.2, 1.0, 4.1, 4.0]
    analysis, review = made_up({}, study, effect, dose=[1.0, 1, 1, 1, 1, 3, 3])
    assert "Not tested because of too few studies: dose" in sentences.moderator_words(
        analysis, review
    )
    spread, review = made_up({}, study, effect, chosen=ARTICLE, dose=[1.0, 2, 1, 2, 1, 3, 3])
    assert "Effects differed by dose" in sentences.moderator_words(spread, review)


# ------------------------------------------------------------ every number is the analysis' own

TEXT = re.compile(r"−?\d+\.\d+(?:e−?\d+)?")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-4, 4), st.floats(0.02, 2)), min_size=2, max_size=9),
    st.sampled_from([0.8, 0.95, 0.99]),
    st.sampled_from(["z", "hksj"]),
    st.booleans(),
)
def test_a_result_is_told_with_its_own_numbers(rows, level, interval, assumed):
    effect, variance = np.array(rows).T
    result = pool(effect, variance=variance, level=level, interval=interval)
    analysis = SimpleNamespace(
        leading=result, outcome=HIGHER, studies=len(rows), animals=40, tested={},
            thin_levels={}, not_tested={},
        rows=pd.DataFrame({"study": range(len(rows)), "n_treated": 6, "n_control": 6}),
        measure=replace(SMD, better="higher"),
    )  # fmt: skip
    review = SimpleNamespace(
        subset=None,
        treated="drug",
        is_authentic=False,
        evidence={"kind": "simulated"},
        moderators={},
    )
    text = sentences.result_paragraph(analysis, review, assumed=assumed)
    told = [number.replace("−", "-") for number in TEXT.findall(text)]
    fields = (result.estimate, result.ci_low, result.ci_high, result.tau2, result.i2,
              result.pi_low, result.pi_high)  # fmt: skip
    for text_number in told:
        mantissa, tiny, _ = text_number.partition("e")
        form = f".{len(mantissa.split('.')[1])}{tiny or 'f'}"
        known = [float(f"{value:{form}}") for value in (*fields, 99.9, 0.1)]
        assert float(text_number) in known, (text_number, fields)
    excludes = result.ci_low > 0 or result.ci_high < 0
    assert ("neither shown nor ruled out" in text) == (not excludes)
    assert ("was higher" in text or "was lower" in text) == excludes
    assert "no effect" not in text
    assert ("an assumed number" in text) == ("not findings" in text) == assumed
    assert f"{100 * level:g}%" in text
    assert text.endswith("The data are simulated.")
