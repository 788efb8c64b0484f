"""Outcomes measured on several scales: range, uninjured value, unit and side by rows."""

import pytest

from helpers.analysis.effects import effects
from helpers.analysis.outcome import NothingToAnalyse, analyse
from helpers.analysis.settings import ARTICLE, Settings
from helpers.analysis.units import natural_units
from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.review import load
from helpers.words import alerts
from tests.own_review import SPECIES, row, write

OUTCOME = """
[[families]]
id = "movement"
label = "Movement"
[[families.outcomes]]
id = "score"
label = "Locomotion"
better = "higher"
unit = "points"
"""
BBB = """
[[families.outcomes.scales]]
label = "BBB"
when = { species = "rat" }
range = [0, 21]
reference = 21
"""
BMS = """
[[families.outcomes.scales]]
label = "BMS"
when = { species = ["mouse", "gerbil"] }
range = [0, 9]
reference = 9
"""
DEFICIT = BMS.replace("reference = 9", 'reference = 0\nbetter = "lower"').replace("BMS", "deficit")


def rats_and_mice(**of_mice):
    rats = [row(f"r{i}", species="rat", mean_treated=12 + i) for i in range(3)]
    mouse = {"mean_treated": 5, "mean_control": 3, "sd_treated": 1, "sd_control": 1}
    mouse |= {"species": "mouse"} | of_mice
    return rats + [row(f"m{i}", **mouse) for i in range(3)]


def test_each_row_has_the_range_and_the_uninjured_value_of_its_scale(tmp_path):
    table = rats_and_mice()
    table[3]["mean_treated"] = 12  # possible on BBB, not on BMS
    folder = write(tmp_path, table, toml=OUTCOME + BBB + BMS + SPECIES)
    (told,) = [w for w in check(folder).warnings if "outside" in w.what]
    assert (told.row, told.column, told.value) == (5, "mean_treated", "12")
    assert "BMS, 0 to 9" in told.what
    review = load(folder)
    assert review.experiments["outcome_scale"].tolist() == ["BBB"] * 3 + ["BMS"] * 3
    assert review.experiments["mean_reference"].tolist() == [21] * 3 + [9] * 3
    # NMD by hand: 100 (mean - control) / (uninjured - control)
    found = effects(review.experiments, Settings(measure="NMD"))["effect"]
    assert found["r0"] == pytest.approx(100 * (12 - 9.25) / (21 - 9.25))
    assert found["m1"] == pytest.approx(100 * (5 - 3) / (9 - 3))


def test_an_sd_is_held_against_the_scale_of_its_row(tmp_path):
    # Bhatia-Davis at 3 of 0 to 9 with 6 animals: SD² <= 6/5 * 6 * 3 = 21.6; on 0 to 21 it is 64.8
    folder = write(tmp_path, rats_and_mice(sd_control=5), toml=OUTCOME + BBB + BMS + SPECIES)
    large = [w for w in check(folder).warnings if "so large an SD" in w.what]
    assert {w.row for w in large} == {5, 6, 7}
    rats = rats_and_mice(sd_control=5, species="rat")
    folder = write(tmp_path / "b", rats, toml=OUTCOME + BBB + BMS + SPECIES)
    assert "so large an SD" not in str(check(folder))


def test_rows_on_a_scale_with_another_better_side_are_turned_counted_and_said(tmp_path):
    table = rats_and_mice(mean_treated=3, mean_control=5)
    plain = load(write(tmp_path / "a", table, toml=OUTCOME + SPECIES)).experiments
    review = load(write(tmp_path / "b", table, toml=OUTCOME + BBB + DEFICIT + SPECIES))
    was, now = (effects(rows, ARTICLE)["effect"] for rows in (plain, review.experiments))
    assert now[:3].tolist() == was[:3].tolist()
    assert now[3:].tolist() == (-was[3:]).tolist() and (now > 0).all()
    (turned,) = review.trace[review.trace["step"] == "turn"].itertuples()
    assert turned.rows == 3 and "deficit: lower is better" in turned.detail
    (told,) = [
        one["text"] for one in alerts.of_outcomes([analyse(review, "score")], rebuilds=False)
        if "reversed" in one["text"]
    ]  # fmt: skip
    assert "3 of 6 experiments, on deficit" in told


def test_a_scale_and_a_sign_of_the_sheet_are_two_sources_of_one_direction(tmp_path):
    table = [line | {"sign": -1} for line in rats_and_mice()]
    folder = write(tmp_path, table, toml=OUTCOME + BBB + DEFICIT + SPECIES)
    faults = check(folder).faults
    assert {(f.row, f.column, f.value) for f in faults} == {(n, "sign", "-1") for n in (5, 6, 7)}
    assert "two sources" in faults[0].what
    table = [line | {"sign": 1 if line["species"] == "rat" else ""} for line in table]
    assert not check(write(tmp_path / "b", table, toml=OUTCOME + BBB + DEFICIT + SPECIES)).faults


def test_few_rows_on_a_turned_scale_are_not_odd_for_their_sign(tmp_path):
    rats = [row(f"r{i}", species="rat", mean_treated=12 + i % 5) for i in range(15)]
    folder = write(tmp_path, [*rats, *rats_and_mice()[-1:]], toml=OUTCOME + BBB + DEFICIT + SPECIES)
    assert "other direction" not in str(check(folder))


@pytest.mark.parametrize(
    ("species", "said"),
    [
        ("", "on none of the outcome's scales (BBB, BMS)"),
        ("pig", "on none of the outcome's scales (BBB, BMS)"),
    ],
)
def test_a_row_on_no_scale_is_a_fault(tmp_path, species, said):
    table = [*rats_and_mice(), row("p", species=species)]
    levels = SPECIES.replace('"rat"]', '"rat", "pig"]')
    (told,) = check(write(tmp_path, table, toml=OUTCOME + BBB + BMS + levels)).faults
    assert told.row == 8 and said in told.what


def test_a_scale_without_when_is_for_all_other_rows(tmp_path):
    rest = '[[families.outcomes.scales]]\nlabel = "other"\nrange = [0, 100]\n'
    table = [*rats_and_mice(), row("p", species="")]
    review = load(write(tmp_path, table, toml=OUTCOME + rest + BBB + BMS + SPECIES))
    assert review.experiments["outcome_scale"].tolist() == ["BBB"] * 3 + ["BMS"] * 3 + ["other"]


def test_a_row_on_two_scales_is_a_fault(tmp_path):
    both = BMS.replace('"gerbil"', '"rat"')
    faults = check(write(tmp_path, rats_and_mice(), toml=OUTCOME + BBB + both + SPECIES)).faults
    assert [f.row for f in faults] == [2, 3, 4] and "several scales (BBB and BMS)" in faults[0].what


def test_scales_go_by_a_heading_of_the_sheet_by_patterns_and_by_numbers(tmp_path):
    table = [line | {"Test used": "BBB score" if i < 3 else "BMS", "version": 1 + (i > 2)}
             for i, line in enumerate(rats_and_mice())]  # fmt: skip
    by_text = BBB.replace('species = "rat"', '"Test used" = "/bbb.*/"')
    by_text += BMS.replace('species = ["mouse", "gerbil"]', '"Test used" = "BMS"')
    by_number = BBB.replace('species = "rat"', "version = 1")
    by_number += BMS.replace('species = ["mouse", "gerbil"]', "version = 2")
    version = '[[moderators]]\nid = "version"\n'
    for name, toml in (("a", by_text), ("b", by_number), ("c", by_number + version)):
        review = load(write(tmp_path / name, table, toml=OUTCOME + toml))
        assert review.experiments["outcome_scale"].tolist() == ["BBB"] * 3 + ["BMS"] * 3


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (BBB + BBB, "two scales have this label"),
        (BBB.replace('when = { species = "rat" }', "") + BMS.replace("when", "# when"),
         "several scales are for all rows"),
        (BBB + 'better = "neither"', "cannot be turned to the same side"),
        (BBB.replace("species", "specis"), "there is no such column"),
        (BBB.replace('"BBB"', '"BBB"\nbeter = "higher"'), "there is no such setting"),
    ],
)  # fmt: skip
def test_scales_that_cannot_be_are_refused(tmp_path, toml, said):
    with pytest.raises(ReviewError, match=said):
        load(write(tmp_path, rats_and_mice(), toml=OUTCOME + toml + SPECIES))


def test_a_scale_that_no_row_is_on_is_a_warning(tmp_path):
    table = rats_and_mice(species="gerbil")
    gone = BMS.replace('["mouse", "gerbil"]', '"mouse"') + BMS.replace("BMS", "gerbils").replace(
        '["mouse", "gerbil"]', '"gerbil"'
    )
    levels = SPECIES.replace('"rat"]', '"rat", "gerbil"]')
    found = check(write(tmp_path, table, toml=OUTCOME + BBB + gone + levels))
    assert not found.faults and "no row is measured on BMS" in str(found)


def test_mean_differences_of_several_scales_are_not_pooled(tmp_path):
    review = load(write(tmp_path, rats_and_mice(), toml=OUTCOME + BBB + BMS + SPECIES))
    with pytest.raises(NothingToAnalyse, match=r"several scales \(BBB, BMS\).*no unit in common"):
        analyse(review, "score", chosen=Settings(measure="MD"))
    one = analyse(review, "score", chosen=Settings(measure="MD"), exclude=["m0", "m1", "m2"])
    assert one.measure.unit == "points" and one.leading.k == 3
    assert one.with_excluded.k == 3  # what is on another scale is never pooled with these


def test_a_scale_takes_from_its_outcome_what_it_does_not_say(tmp_path):
    toml = OUTCOME + "range = [0, 100]\n" + BBB.replace("range = [0, 21]\n", 'unit = "steps"\n')
    outcome = describe(write(tmp_path, rats_and_mice(), toml=toml + BMS)).outcomes["score"]
    first, second = outcome.scales
    assert (first.low, first.high, first.unit, first.better) == (0, 100, "steps", "higher")
    assert (second.low, second.high, second.unit) == (0, 9, "points")


def test_a_direction_that_most_rows_contradict_is_a_warning(tmp_path):
    table = [row(f"e{i}", mean_treated=5 + i / 2 + 9 * (i > 8)) for i in range(10)]
    (told,) = [w for w in check(write(tmp_path / "a", table)).warnings if "harm" in w.what]
    assert told.column == "families.outcomes.score.better" and "9 of 10" in told.what
    turned = "constants.sign = -1"
    assert "are harm" not in str(check(write(tmp_path / "b", table, turned)))
    neither = (tmp_path / "a" / "review.toml").read_text().replace('"higher"', '"neither"')
    (tmp_path / "a" / "review.toml").write_text(neither)
    assert "are harm" not in str(check(tmp_path / "a"))
    assert "are harm" not in str(check(write(tmp_path / "c", table[:4])))


def test_natural_units_are_those_of_each_scale_that_was_not_turned(tmp_path):
    def units(name, toml):
        review = load(write(tmp_path / name, rats_and_mice(), toml=OUTCOME + toml + SPECIES))
        analysis = analyse(review, "score")
        found = natural_units(analysis)
        return analysis.leading.estimate, {one.unit: one.estimate for one in found}

    smd, both = units("a", BBB + BMS)  # SDs of the controls are 2.25 and 1
    assert both == pytest.approx({"points of the BBB": 2.25 * smd, "points of the BMS": smd})
    assert list(units("b", BBB + DEFICIT)[1]) == ["points of the BBB"]
