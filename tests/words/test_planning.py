"""What is said of a next experiment: a first sentence to quote, and no number without its basis."""

import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers import Report
from helpers.analysis.robustness.planning import plan
from helpers.words.numbers import chance, percent


@pytest.fixture(scope="module")
def inflammation():
    return Report("inflammation", outcomes=["il_1a", "il_6", "il_1b"])


def first_sentence(report, outcome):
    return report.outcome(outcome).planning().text.partition("). ")[0]


def test_the_first_sentence_says_animals_assurance_and_power(inflammation):
    analysis = inflammation.analyses["il_1b"]
    found, text = plan(analysis), inflammation.outcome("il_1b").planning().text
    assert text.startswith(
        f"IL-1β: a new experiment needs {found.n_assurance} animals a group for 80% assurance of a "
        "significant result favouring exosomes (two-sided t-test, 5%, averaged over the prediction "
        f"distribution of its true effect); {found.n_power} would give 80% power if its true effect "
        "were the pooled one. (Reconstructed data.)"
    )
    # Less is better: the effect is below 0, and the other side is above.
    assert f"true effect of a new experiment lies above 0 is {chance(found.other_side)}." in text
    assert "assumed" not in text


def test_what_no_number_of_animals_reaches_is_said_with_its_limit(inflammation):
    found, text = (
        plan(inflammation.analyses["il_1a"]), inflammation.outcome("il_1a").planning().text
    )  # fmt: skip
    assert text.startswith("IL-1α (an assumed number of experiments): no number of animals gives")
    assert f"with a probability of {percent(100 * found.limit)} only" in text
    assert "is no finding" in text


def test_the_level_that_would_gain_most_is_named(inflammation):
    found = plan(inflammation.analyses["il_1b"])
    most = found.levels.loc[found.levels["narrower"].idxmax()]
    text = inflammation.outcome("il_1b").planning().text
    assert (
        f"narrow the interval of {most['level']} (origin of exosomes, k = {most['k']}) most, by "
        f"{percent(100 * most['narrower'])}." in text
    )
    assert f"{percent(100 * found.narrowing['narrower'].iloc[0])} narrower" in text


def test_one_width_needs_no_table(inflammation):
    assert "Table" in inflammation.outcome("il_1b").planning().text
    assert "Table" not in inflammation.outcome("il_6").planning().text


def test_it_stands_folded_under_its_heading(inflammation):
    assert "What would change the result" in inflammation.outcome("il_6").sections()
    html = inflammation.outcome("il_6").show().html
    assert '<details class="fold" id="il_6-what-would-change-the-result">' in html


def test_methods_cite_assurance(inflammation):
    text = inflammation.methods().text
    assert "80% assurance [" in text and "Pharm Stat 2005;4:187-201" in text


def made_up(folder, toml=FAMILY + SPECIES, **settings):
    table = [
        row(f"e{i}", study=f"s{i // 2}", cohort=f"c{i}", control_group=f"g{i}",
            mean_treated=10.5 + (7 * i % 5) * 1.1 + (5 * (i // 2)) % 4,
            species=("mouse", "rat")[i // 2 % 2])
        for i in range(16)
    ]  # fmt: skip
    return Report("movement", review=write(folder, table, toml=toml), **settings)


def test_widths_of_ratios_are_quotients_of_bounds(tmp_path):
    report = made_up(tmp_path, measure="ROM")
    result, text = report.analyses["score"].leading, report.outcome("score").planning().text
    quotient = 2.718281828459045 ** (result.ci_high - result.ci_low)
    assert f"(upper ÷ lower bound {quotient:.2f} now" in text
    assert "animals of a new experiment are not computed, as a t-test compares means" in text
    assert "assurance" not in report.methods().text


def test_new_and_existing_studies_are_told_apart(tmp_path):
    text = made_up(tmp_path).outcome("score").planning().text
    assert "in a new study is expected" in text and "in an existing one" in text


def test_a_smallest_effect_is_said_with_its_measure(tmp_path):
    toml = FAMILY.replace("range = [0, 21]", "range = [0, 21]\nsmallest = 0.5")
    report = made_up(tmp_path, toml)
    found, text = plan(report.analyses["score"]), report.outcome("score").planning().text
    said = chance(found.short) if found.short <= 0.5 else f"about {percent(100 * found.short, 0)}"
    assert (
        f"and that it does not reach SMD 0.50, the smallest effect of interest, is {said}." in text
    )
