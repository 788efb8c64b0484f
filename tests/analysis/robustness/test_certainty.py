"""Certainty: each rule at and around its thresholds, on made-up results and on whole reviews."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.analysis.measures import MEASURES, Measure
from helpers.analysis.outcome import analyse
from helpers.analysis.robustness import certainty
from helpers.analysis.robustness.bias import read
from helpers.analysis.robustness.certainty import ENOUGH, Cell, Certainty, of_outcome
from helpers.analysis.small_study import Asymmetry
from helpers.review.review import load
from helpers.review.robustness.certainty import DOMAINS, Judgement
from helpers.stats.small_study import SmallStudyTest
from tests.analysis.robustness.test_bias import judged
from tests.own_review import rows, write


def made(**own):
    """What the rules read of an analysis: eight studies of two rows, precise and alike."""
    k, result = 16, {"k": 16, "estimate": 1.5, "ci_low": 1.0, "ci_high": 2.0, "pi_low": 0.5,
                     "pi_high": 2.5, "level": 0.95, "i2": 30.0}  # fmt: skip
    table = pd.DataFrame({
        "study": [f"s{i // 2}" for i in range(k)], "n_treated": 10.0, "n_control": 10.0,
        "sd_treated": 2.0, "sd_control": 2.0,
    })  # fmt: skip
    names = ("measure", "animals", "studies", "rows", "effects", "outcome", "settings")
    given = {"measure": MEASURES["SMD"], "outcome": SimpleNamespace(smallest=None),
             "settings": SimpleNamespace(measure="SMD"), "animals": 320, "studies": 8, "rows": table,
             "effects": pd.DataFrame({"weight": np.full(k, 1 / k)})}  # fmt: skip
    leading = SimpleNamespace(**result | {n: v for n, v in own.items() if n not in names})
    return SimpleNamespace(leading=leading, **given | {n: v for n, v in own.items() if n in names})


# --- Inconsistency -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "levels"),
    [
        ({"i2": 50.0, "pi_low": -1.0}, 0),  # not above 50%
        ({"i2": 50.01, "pi_low": -1.0}, -1),
        ({"i2": 50.01, "pi_low": 0.0}, -1),  # the interval holds its ends
        ({"i2": 90.0, "pi_low": 0.01}, 0),  # sizes differ, the side does not
        ({"i2": 90.0, "pi_low": -3.0, "pi_high": -0.01}, 0),
        ({"i2": 90.0, "pi_low": -3.0, "pi_high": 0.0}, -1),
        ({"i2": 90.0, "pi_low": np.nan, "pi_high": np.nan}, None),
        ({"i2": 10.0, "pi_low": np.nan, "pi_high": np.nan}, 0),
        ({"i2": 90.0, "studies": 1}, None),
        ({"i2": np.nan}, None),
    ],
)
def test_inconsistency_needs_a_high_i2_and_both_sides(own, levels):
    assert certainty.inconsistency(made(**own))[0] == levels


# --- Imprecision -------------------------------------------------------------------------------


def test_the_optimal_information_size_has_the_power_that_it_is_for():
    def power(n):  # of a two-sided z test between two groups of n, 0.5 SD apart
        shift = 0.5 / np.sqrt(2 / n)
        return stats.norm.sf(stats.norm.isf(0.025) - shift)

    each = ENOUGH // 2
    assert ENOUGH == 126 and power(each) >= 0.8 > power(each - 1)


@pytest.mark.parametrize(
    ("own", "levels"),
    [
        ({"animals": 126}, 0),
        ({"animals": 125}, -1),
        ({"ci_low": 0.0, "ci_high": 0.49}, 0),  # includes no effect, but no important one
        ({"ci_low": 0.0, "ci_high": 0.49, "animals": 125}, -1),
        ({"ci_low": 0.0, "ci_high": 0.5}, -1),
        ({"ci_low": -0.5, "ci_high": 0.2}, -1),
        ({"ci_low": -0.49, "ci_high": 3.0}, -1),
        ({"ci_low": -0.5, "ci_high": 0.5}, -2),
        ({"ci_low": -0.5, "ci_high": 0.5, "animals": 20}, -2),
        ({"ci_low": 0.01, "ci_high": 3.0}, 0),  # wide, but on one side
        ({"ci_low": np.nan, "ci_high": np.nan}, None),
    ],
)
def test_imprecision_of_standardised_differences(own, levels):
    assert certainty.imprecision(made(**own))[0] == levels


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [(np.log(0.76), np.log(1.24), 0), (np.log(0.75), np.log(1.24), -1),
     (np.log(0.75), np.log(1.25), -2), (np.log(1.01), np.log(4), 0)],
)  # fmt: skip
def test_ratios_have_thresholds_of_their_own(low, high, levels):
    found = certainty.imprecision(made(measure=MEASURES["ROM"], ci_low=low, ci_high=high))
    assert found[0] == levels


def test_mean_differences_are_held_against_half_the_median_sd_of_their_rows():
    analysis = made(measure=MEASURES["MD"])
    analysis.rows.loc[:2, ["sd_treated", "sd_control"]] = 50.0
    assert certainty.important_effects(analysis) == ((-1.0, 1.0), False)
    analysis.rows[["sd_treated", "sd_control"]] = np.nan
    assert certainty.important_effects(analysis) == (None, False)


def test_a_measure_without_thresholds_is_lowered_by_its_interval_alone():
    risk = Measure("own", "risk difference", "risk differences")
    assert certainty.imprecision(made(measure=risk, ci_low=-0.1))[:2] == (-1, "includes no effect")
    assert certainty.imprecision(made(measure=risk))[:2] == (None, "size not known")
    assert certainty.important_effects(made(measure=MEASURES["NMD"])) == (None, False)


@pytest.mark.parametrize(
    ("measure", "smallest", "bounds", "enough"),
    [
        ("SMD", 1.0, (-1.0, 1.0), 32),  # 2 (1.96 + 0.84)² = 15.7 in each group
        ("SMD", 0.5, (-0.5, 0.5), ENOUGH),
        ("MD", 1.0, (-1.0, 1.0), ENOUGH),  # half of the rows' SD of 2
        ("ROM", 1.25, (-np.log(1.25), np.log(1.25)), ENOUGH),
        ("ROM", 0.8, (-np.log(1.25), np.log(1.25)), ENOUGH),
        ("NMD", 10.0, (-10.0, 10.0), ENOUGH),
    ],
)
def test_the_smallest_effect_of_the_review_is_the_important_one(measure, smallest, bounds, enough):
    analysis = made(
        measure=MEASURES[measure], outcome=SimpleNamespace(smallest=smallest),
        settings=SimpleNamespace(measure=measure),
    )  # fmt: skip
    found, said = certainty.important_effects(analysis, measure)
    assert found == pytest.approx(bounds) and said
    known = certainty.imprecision(analysis, measure)[2]
    assert known["enough"] == enough
    if measure != "SMD":  # said of another measure than the one that was asked for
        assert not certainty.important_effects(analysis, "SMD")[1]


def test_animals_that_are_not_given_decide_nothing():
    analysis = made()
    analysis.rows.loc[3, "n_control"] = np.nan
    assert certainty.imprecision(analysis)[:2] == (None, "size not known")


# --- Publication bias --------------------------------------------------------------------------


def asymmetry(better="higher", refused=(), **tests):
    found = pd.DataFrame({"better": [better] * 16})
    names = {"doleman": "Doleman", "pustejovsky": "Pustejovsky-Rodgers", "egger": "Egger"}
    tests = {
        names[key]: SmallStudyTest(names[key], 16, 1.0, 14, p, slope=slope)
        for key, (slope, p) in tests.items()
    }
    return Asymmetry(found, tests, refused=refused)


@pytest.mark.parametrize(
    ("tests", "levels"),
    [
        ({"doleman": (2.0, 0.0499)}, -1),
        ({"doleman": (2.0, 0.05)}, None),  # nothing shows that nothing is missing
        ({"doleman": (-2.0, 0.001)}, None),  # smaller experiments report smaller benefits
        ({"doleman": (2.0, 0.4), "pustejovsky": (1.0, 0.01)}, -1),
        ({"egger": (9.0, 0.0001)}, None),  # not valid for SMDs
        ({"doleman": (2.0, np.nan)}, None),
        ({}, None),
    ],
)
def test_publication_bias_needs_a_valid_test_with_larger_effects_in_small_experiments(
    tests, levels
):
    assert certainty.publication_bias(made(), asymmetry(**tests))[0] == levels


def test_without_a_side_larger_effects_are_those_away_from_no_effect():
    found = asymmetry("neither", doleman=(-2.0, 0.01))
    assert certainty.publication_bias(made(estimate=-1.0), found)[0] == -1
    assert certainty.publication_bias(made(estimate=1.0), found)[0] is None


# --- The level ---------------------------------------------------------------------------------


def certainty_of(judgements=(), **levels):
    given = dict.fromkeys(DOMAINS, 0) | levels
    return Certainty({
        name: Cell(name, given[name], "", {}, dict(judgements).get(name)) for name in DOMAINS
    })  # fmt: skip


def test_it_starts_at_high_and_each_level_lowers_it_down_to_very_low():
    assert certainty_of().level == 4
    assert certainty_of(risk_of_bias=-1).level == 3
    assert certainty_of(risk_of_bias=-1, imprecision=-2).level == 1
    assert certainty_of(risk_of_bias=-1, inconsistency=-1, imprecision=-2).level == 1


def test_what_is_open_lowers_nothing_and_leaves_a_bound():
    found = certainty_of(indirectness=None, risk_of_bias=-1)
    assert found.level == 3 and found.is_bound and not found.is_confirmed
    assert not certainty_of(risk_of_bias=-1).is_bound
    assert not certainty_of(indirectness=None, imprecision=-3).is_bound, "very low is the end"


def test_a_person_counts_in_place_of_the_rule_and_all_five_domains_confirm():
    person = {name: Judgement(0, "r", "b") for name in DOMAINS[:5]}
    found = certainty_of(person, risk_of_bias=-1, indirectness=None)
    assert found.level == 4 and found.is_confirmed and not found.is_bound
    raised = person | {"risk_of_bias": Judgement(-2, "r", "b"), "upgrading": Judgement(1, "r", "b")}
    assert certainty_of(raised).level == 3
    assert certainty_of(person | {"upgrading": Judgement(2, "r", "b")}).level == 4, (
        "high is the end"
    )
    without = {name: one for name, one in person.items() if name != "indirectness"}
    assert not certainty_of(without).is_confirmed


def test_a_whole_outcome_is_rated_from_its_rows(tmp_path):
    review = judged(tmp_path, [("low", "low")] * 12)
    analysis = analyse(review, "score")
    found = of_outcome(
        analysis, read(review), {("score", "imprecision"): Judgement(-1, "r", "b", "x")}
    )
    assert list(found.cells) == list(DOMAINS)
    assert found.cells["imprecision"].counted == -1 and found.cells["imprecision"].levels == 0
    assert found.cells["indirectness"].facts["k"] == 12
    assert found.cells["publication_bias"].levels is None
    assert found.level == 3 and found.is_bound


def test_one_experiment_alone_is_rated_too(tmp_path):
    review = load(write(tmp_path, rows(1)))
    found = of_outcome(analyse(review, "score"), read(review), {})
    assert {name: cell.levels for name, cell in found.cells.items()} == {
        "risk_of_bias": None, "inconsistency": None, "indirectness": None, "imprecision": -1,
        "publication_bias": None, "upgrading": 0,
    }  # fmt: skip


def test_tests_without_their_power_are_the_same_tests():
    from helpers.analysis import small_study

    review = load()
    one = analyse(review, "il_10", moderators=())
    whole, alone = (small_study.of([one], 1, simulated=said) for said in (True, False))
    assert alone.power is None and whole.power is not None
    assert {n: t.p for n, t in alone.tests.items()} == {n: t.p for n, t in whole.tests.items()}
    assert certainty.publication_bias(one, alone) == certainty.publication_bias(one, whole)
    recommended = replace(one, leading_is="recommended")
    assert of_outcome(recommended, read(review), {}).cells["inconsistency"].facts["i2"] == (
        one.recommended.i2
    )
