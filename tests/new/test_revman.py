"""A review of RevMan to a review folder: comparisons, analyses, sides and measures."""

import math

import pytest
from revman_files import (
    STUDIES,
    continuous,
    data,
    events,
    line,
    outcome,
    package,
    rm5,
    setting,
    subgroup,
)

from helpers.new.folder import new
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.review import load

ABLE, BAKER = STUDIES
LESION = continuous(ABLE, 8, "4.1", "1.2", 9, "6.0", "1.4")
LESION += continuous(BAKER, 10, "3.9", "1.1", 10, "5.5", "1.3")
DEATH = events(ABLE, 3, 12, 8, 12) + events(BAKER, 2, 10, 6, 10)


def made(folder, *outcomes, **more):
    todo = new(folder / "review", rm5(folder / "old review.rm5", *outcomes, **more))
    return load(folder / "review"), todo


def test_comparisons_are_families_and_analyses_outcomes(tmp_path):
    """One outcome in two comparisons stays two."""
    comparisons = {
        "Drug versus vehicle": [
            outcome("CONT", 1, "Lesion volume", LESION, EFFECT_MEASURE="SMD"),
            outcome("DICH", 2, "Death", DEATH, EFFECT_MEASURE="RR"),
        ],
        "Drug versus overview": [outcome("CONT", 1, "Lesion volume", LESION, EFFECT_MEASURE="SMD")],
    }
    review, _ = made(tmp_path, comparisons=comparisons)
    families = {family.label: family.outcomes for family in review.families.values()}
    assert families == {
        "Drug versus vehicle": ("lesion_volume", "death"),
        "Drug versus overview": ("lesion_volume_2",),
    }
    assert [each.label for each in review.outcomes.values()] == [
        "Lesion volume (1.1)", "Death (1.2)", "Lesion volume (2.1)",
    ]  # fmt: skip
    assert len(review.experiments) == 6
    assert review.experiments["study"].unique().tolist() == ["Able 2011", "Baker-2"]
    death = review.rows("death")
    assert death["effect"].tolist() == pytest.approx([math.log(3 / 8), math.log(2 / 6)])
    assert review.outcomes["death"].effect_name == "log risk ratio"
    assert check(tmp_path / "review").faults == ()


@pytest.mark.parametrize(
    ("sides", "better", "told"),
    [
        (("Drug", "Vehicle", "Favours drug", "Favours vehicle"), "lower", True),
        (("Drug", "Vehicle", "Favours vehicle", "Favours drug"), "higher", True),
        (("A", "B", "Favors [experimental]", "Favors [control]"), "lower", True),
        (("Drug A", "Drug B", "Favours Drug B", "Favours Drug A"), "higher", True),
        (("Drug", "Vehicle", "Less", "More"), "higher", False),
        (("Drug", "Vehicle", "", ""), "higher", False),
    ],
)
def test_sides_give_the_direction_as_a_question(tmp_path, sides, better, told):
    review, todo = made(tmp_path, outcome("CONT", 1, "Steps", LESION, sides))
    assert review.outcomes["steps"].better == better
    assert "families.outcomes.steps.better" in review.unconfirmed
    (line,) = [each for each in todo if "steps.better" in each]
    assert ("on the left" in line) == told and ("do not tell" in line) != told


def test_a_hazard_ratio_is_shown_as_one(tmp_path):
    entry = data("IV", ABLE, ESTIMATE="-0.478", EFFECT_SIZE="0.62", SE="0.22")
    found = outcome("IV", 1, "Survival", entry, measure="Hazard Ratio", LOG_DATA="YES")
    review, _ = made(tmp_path, found)
    assert review.outcomes["survival"].effect_name == "log hazard ratio"
    assert review.outcomes["survival"].effect_scale == "log"
    assert review.experiments[["effect", "se"]].values.tolist() == [[-0.478, 0.22]]


def test_mean_differences_stay_what_they_are(tmp_path):
    review, _ = made(tmp_path, outcome("CONT", 1, "Days", LESION, EFFECT_MEASURE="MD"))
    assert review.settings == {"measure": "MD"} and "settings.measure" in review.unconfirmed
    other = tmp_path / "other"
    other.mkdir()
    both = [outcome("CONT", 1, "Days", LESION, EFFECT_MEASURE="MD"),
            outcome("CONT", 2, "Score", LESION, EFFECT_MEASURE="SMD")]  # fmt: skip
    review, todo = made(other, *both)
    assert review.settings == {} and any("analyses 1.1: RevMan has mean" in each for each in todo)


def test_subgroups_are_a_moderator(tmp_path):
    parts = subgroup("CONT", 1, "Rats", continuous(ABLE, 8, "4.1", "1.2", 9, "6.0", "1.4"))
    parts += subgroup("CONT", 2, "Mice", continuous(BAKER, 5, "1.0", "0.5", 5, "2.0", "0.5"))
    review, _ = made(tmp_path, outcome("CONT", 1, "Lesion", parts, SUBGROUPS="YES"))
    assert review.moderator_values["subgroup"].tolist() == ["Rats", "Mice"]


def test_what_is_left_out_is_listed_and_not_counted(tmp_path):
    rows = DEATH + events(ABLE, 0, 12, 0, 12, ESTIMABLE="NO")
    review, todo = made(tmp_path, outcome("DICH", 1, "Death", rows, EFFECT_MEASURE="OR"))
    assert review.not_used.values.tolist() == [[4, "not estimable in RevMan"]]
    assert (review.rows_in, review.rows_out) == (3, 2)
    assert any("1 rows are not in RevMan's results" in each for each in todo)


def test_warnings_of_the_file_stand_in_new_and_in_every_check(tmp_path):
    found = outcome("DICH", 1, "Survival", DEATH, EFFECT_MEASURE="OR", SWAP_EVENTS="YES")
    review, todo = made(tmp_path, found)
    assert any("swapped in RevMan" in each for each in todo)
    assert any("swapped in RevMan" in warning.what for warning in review.warnings)
    assert review.experiments["effect"].iloc[0] == pytest.approx(math.log(9 * 8 / (3 * 4)))


def test_a_package_gives_what_the_file_gives(tmp_path):
    cells = {
        "Experimental mean": "4.1", "Experimental SD": "1.2", "Experimental N": "8",
        "Control mean": "6.0", "Control SD": "1.4", "Control N": "9",
    }  # fmt: skip
    counts = {"Experimental cases": "3", "Experimental N": "12", "Control cases": "8",
              "Control N": "12"}  # fmt: skip
    known = [
        setting(measure="Standardized Mean Difference"),
        setting(2, "Death", "Dichotomous", "Odds Ratio"),
    ]
    new(tmp_path / "web", package(tmp_path / "a.zip", known, [line(**cells), line(2, **counts)]))
    review = load(tmp_path / "web")
    assert review.rows("death")["effect"].tolist() == pytest.approx([math.log(3 * 4 / (9 * 8))])
    assert review.rows("lesion")["mean_treated"].tolist() == [4.1]
    assert describe(tmp_path / "web").outcomes["death"].measure == "OR"
