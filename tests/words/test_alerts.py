"""What a reader is told before the numbers: each kind from a review that has that trouble."""

from dataclasses import replace

import numpy as np
import pytest
from own_review import row, write

from helpers import Report
from helpers.analysis.outcome import RECOMMENDED, analyse
from helpers.review.review import load
from helpers.stats.pooling import pool
from helpers.words import alerts


def sheet(*means, study=None, sd=2.0, n=10):
    """Rows with these means against controls of 10."""
    names = study or [f"s{i}" for i in range(len(means))]
    return [
        row(f"e{i}", study=name, mean_treated=mean, mean_control=10, sd_treated=sd, sd_control=sd,
            n_treated=n, n_control=n)
        for i, (mean, name) in enumerate(zip(means, names, strict=True))
    ]  # fmt: skip


@pytest.fixture
def analysed(tmp_path):
    def analysed(rows, **settings):
        folder = write(tmp_path / "review", rows)
        return analyse(load(folder), "score", chosen=replace(RECOMMENDED, **settings))

    return analysed


def texts(*analyses, **options):
    return [one["text"] for one in alerts.of_outcomes(list(analyses), **options)]


def said(words, found):
    (one,) = [text for text in found if words in text]
    return one


def unsaid(words, found):
    assert not [text for text in found if words in text]


def independent(analysis):
    """The same analysis without a three-level model, as if no study held two experiments."""
    return replace(analysis, three_level=None, robust=None, three_level_note="")


def test_results_that_fall_on_two_sides_of_zero_are_told_with_both(analysed):
    analysis = independent(analysed(sheet(11, 12, 13, 12)))
    far, near = pool([1.0, 1.2], variance=[0.1] * 2), pool([0.3, 0.1], variance=[0.1] * 2)
    torn = replace(analysis, leading_is="article", article=far, chosen=far, recommended=near)
    text = said("The conclusion depends", texts(torn))
    assert "by the article's settings the 95% CI excludes 0" in text
    assert "by the recommended settings it does not" in text
    asked = replace(torn, leading_is="chosen", article=None)
    assert "by the chosen settings the 95% CI excludes 0" in said("The conclusion", texts(asked))
    unsaid("The conclusion", texts(replace(torn, recommended=far)))


@pytest.mark.parametrize(("shift", "told"), [(0.45, False), (0.55, True)])
def test_a_difference_of_more_than_half_the_wider_interval_is_told(analysed, shift, told):
    analysis = independent(analysed(sheet(11, 12, 13, 12)))
    effect, variance = np.array([5.0, 5.2]), np.array([0.1, 0.1])
    one = pool(effect, variance=variance)
    width = one.ci_high - one.ci_low
    other = pool(effect + shift * width, variance=variance)  # an interval of the same width
    found = texts(
        replace(analysis, leading_is="article", article=one, chosen=one, recommended=other)
    )
    unsaid("The conclusion depends", found)
    if told:
        text = said("The size of the effect depends", found)
        assert f"{one.estimate:.2f} by the article's settings" in text
        assert f"{other.estimate:.2f} by the recommended settings" in text
    else:
        unsaid("The size of the effect depends", found)


def test_another_preset_can_move_an_effect_without_crossing_zero(analysed):
    # One study of many like experiments, far from all others: it is one study to the model.
    others = [12, 12.2, 11.8, 12.1, 11.9, 12]
    rows = sheet(*[18] * 14, *others, study=["big"] * 14 + list("abcdef"), n=30)
    analysis = analysed(rows, correction="approximate", variance="stata", interval="z")
    assert analysis.leading.ci_low > 0
    assert analysis.robust.ci_low > 0
    text = said("The size of the effect depends", texts(analysis))
    assert f"{analysis.leading.estimate:.2f} by the chosen settings" in text
    assert f"{analysis.robust.estimate:.2f} by the three-level model" in text


def test_one_study_is_told(analysed):
    rows = sheet(11, 12, 13, 12, study=["one"] * 4)
    assert "Score (k = 4)" in said("All experiments come from one study", texts(analysed(rows)))
    unsaid("one study, so", texts(analysed(sheet(11, 12, 13))))


def test_z_in_place_of_cr2_is_told_and_why(analysed):
    analysis = analysed(sheet(11, 12, 13, 12, study=list("aabc")))
    assert analysis.three_level is not None and analysis.robust is None
    text = said("Experiments of one study are not independent", texts(analysis))
    assert "needs at least 5 studies, there are 3" in text
    assert "by z in place of CR2" in text


def test_a_warning_of_the_engine_reaches_the_reader(analysed):
    rows = sheet(11, 12, 13, 12, 14, 11, study=list("aabcde"))
    for line in rows[2:]:
        line |= {"n_treated": 3, "n_control": 3}
    for line in rows[:2]:
        line |= {"n_treated": 400, "n_control": 400}
    analysis = analysed(rows)
    assert analysis.robust.df < 4
    assert analysis.robust.warning in said("not independent", texts(analysis))


def test_a_covariance_that_cannot_be_is_told(analysed):
    analysis = analysed(sheet(11, 12, 13, 12, 11, study=list("aabcd")))
    failed = replace(
        analysis, three_level=None, robust=None, three_level_note="not positive definite"
    )
    assert "not positive definite" in said("not independent", texts(failed))


def test_independent_experiments_need_no_word_on_dependence(analysed):
    unsaid("not independent", texts(analysed(sheet(11, 12, 13, 12))))


def test_a_significant_q_beside_an_i2_of_0_is_told(analysed):
    # The REML likelihood of these has its maximum at τ² = 0.
    effect = [-7.74, 0.99, 0.88, 1.05, 1.01]
    odd = pool(effect, variance=[5.8, 0.009, 0.041, 0.013, 0.002])
    assert odd.tau2 == 0
    assert odd.p_heterogeneity == pytest.approx(0.0081, abs=1e-4)
    analysis = independent(analysed(sheet(11, 12, 13)))
    found = texts(replace(analysis, chosen=odd))
    assert "p = 0.008" in said("I² is 0 although the p-value of Q is below 0.05", found)
    low, high = odd.heterogeneity_interval()["tau2"]
    assert low > odd.tau2
    assert f"[{low:.2f}, {high:.2f}]" in said("outside its own Q-profile interval", found)


def test_effects_that_the_sheet_turns_round_are_told(analysed):
    rows = [
        line | {"sign": sign}
        for line, sign in zip(sheet(11, 12, 13, 12), (1, -1, 1, -1), strict=True)
    ]
    text = said("direction of effects was reversed", texts(analysed(rows)))
    assert "Score (2 of 4 experiments)" in text and "lower value in the animals" in text
    unsaid(
        "direction of effects was reversed", texts(analysed([line | {"sign": 1} for line in rows]))
    )


def test_usual_heterogeneity_needs_no_word(analysed):
    found = texts(analysed(sheet(10, 12, 15, 11, 13)))
    unsaid("Q-profile", found)
    unsaid("I² is 0", found)


def test_an_interval_of_hartung_and_knapp_below_the_normal_one_is_told(analysed):
    alike = sheet(12, 12.1, 11.9, 12.05, 12)
    analysis = analysed(alike, interval="hksj")
    normal = pool(analysis.chosen.effect, variance=analysis.chosen.variance, interval="z")
    assert analysis.chosen.ci_high - analysis.chosen.ci_low < normal.ci_high - normal.ci_low
    text = said("Hartung-Knapp interval is narrower", texts(analysis))
    assert f"{normal.ci_high - normal.ci_low:.2f}" in text
    unsaid("narrower", texts(analysed(sheet(10, 12, 15, 11, 13), interval="hksj")))


def test_a_floored_interval_is_never_narrower(analysed):
    analysis = analysed(sheet(12, 12.1, 11.9, 12.05, 12), interval="hksj_truncated")
    floored = replace(analysis, recommended=analysis.chosen)
    unsaid("narrower", texts(floored))


def test_a_prediction_interval_over_zero_is_told_with_a_probability(analysed):
    analysis = analysed(sheet(11, 13, 16, 12, 14, 12), interval="z")
    assert analysis.chosen.ci_low > 0 > analysis.chosen.pi_low
    text = said("but the prediction interval includes it", texts(analysis))
    assert "about 1 in" in text
    assert "may well" not in text


def test_assumed_numbers_belong_to_reconstructed_reviews_only():
    report = Report("inflammation")
    assert set(report.assumed) >= {"il_18", "il_1a"}
    assert not set(report.assumed) & {"il_1b", "tnf_a"}  # their levels add up to a printed k
    (alert,) = alerts.of_assumptions(report.review, report.analyses, report.assumed)
    assert "IL-18" in alert["detail"] and "IL-1β" not in alert["detail"]
    assert "is assumed for" in report.sentence()
    assert "an assumed number" in report.outcome("il_18").result().text
    assert "assumed" not in report.outcome("il_1b").result().text
    for kind in ("extracted", "simulated"):
        review = replace(
            report.review, description=replace(report.review.description, evidence={"kind": kind})
        )
        assert alerts.assumed(review, report.printed) == ()
