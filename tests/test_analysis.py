"""One outcome under its presets, held against the statistics called by hand."""

import numpy as np
import pytest

from helpers import animals
from helpers.analysis import ARTICLE, RECOMMENDED, Settings, analyse, effects, presets
from helpers.effects import effect_sizes
from helpers.pooling import pool
from helpers.review import load


@pytest.fixture(scope="module")
def review():
    return load()


@pytest.fixture(scope="module")
def locomotion(review):
    return analyse(review, "locomotion")


def test_presets_are_what_they_say(review, locomotion):
    rows = review.rows("locomotion")
    found = effect_sizes(rows, correction="approximate", variance="stata")
    by_hand = pool(found["effect"], variance=found["variance"])
    assert locomotion.article.estimate == by_hand.estimate
    # Every control group shared by several arms is divided; nothing else changes in the sheet.
    shared = rows.groupby("control_group")["experiment"].transform("size")
    split = effect_sizes(rows.assign(n_control_split=rows["n_control"] / shared))
    by_hand = pool(split["effect"], variance=split["variance"], interval="hksj")
    assert locomotion.recommended.estimate == pytest.approx(by_hand.estimate, rel=1e-12)
    assert locomotion.recommended.ci_low == pytest.approx(by_hand.ci_low, rel=1e-12)


def test_the_presets_do_not_follow_the_parameters(review, locomotion):
    other = analyse(review, "locomotion", chosen=Settings(method="DL", interval="hksj"))
    assert other.article.estimate == locomotion.article.estimate
    assert other.recommended.estimate == locomotion.recommended.estimate
    assert other.chosen.estimate != locomotion.chosen.estimate
    assert other.chosen.method == "DL"


def test_exclusions_apply_before_anything_and_are_kept_with_their_effects(review):
    found = analyse(review, "tnf_a")
    assert (found.chosen.k, len(found.excluded), found.with_excluded.k) == (28, 3, 31)
    assert set(found.left_out["by"]) == {"article"}
    assert found.left_out["reason"].str.len().gt(0).all()
    extra = found.rows["experiment"].iloc[0]
    fewer = analyse(review, "tnf_a", exclude=[extra])
    assert fewer.chosen.k == 27
    assert fewer.left_out.loc[extra, "by"] == "parameter"


def test_an_unknown_exclusion_is_refused(review):
    with pytest.raises(ValueError, match="no such experiment to exclude: nothing-like-it"):
        analyse(review, "tnf_a", exclude=["nothing-like-it"])


def test_everything_left_out_is_refused(review):
    rows = review.rows("cd206")["experiment"]
    with pytest.raises(ValueError, match="no experiment on cd206 is left"):
        analyse(review, "cd206", exclude=list(rows))


def test_shared_controls_are_split_by_group_and_day(review):
    rows = review.rows("locomotion")
    share = animals.share(rows) / rows["n_control"]
    assert set(np.round(1 / share)) == {1, 2}
    other_days = rows.assign(follow_up_days=range(len(rows)))
    assert (animals.share(other_days) == rows["n_control"]).all()


def test_a_sheet_that_is_split_is_not_split_again(review):
    rows = review.rows("locomotion")
    once = effects(rows, RECOMMENDED, controls_are_split=True)
    whole = effect_sizes(rows)
    assert once["variance"].equals(whole["variance"])


def test_a_sign_column_turns_effects(review):
    rows = review.rows("cd68")
    turned = effects(rows.assign(sign=-1), ARTICLE)
    assert (turned["effect"] == -effects(rows, ARTICLE)["effect"]).all()


def test_animals_of_a_shared_control_count_once(locomotion):
    rows = locomotion.rows
    controls = rows.drop_duplicates("control_group")["n_control"].sum()
    assert locomotion.animals == rows["n_treated"].sum() + controls


def test_what_cannot_be_regressed_is_named(review):
    found = analyse(review, "locomotion", moderators=["species"])
    assert set(found.regressions) == {"species"}
    mice = found.rows.index[found.moderator_values["species"] == "Mice"]
    alone = analyse(review, "locomotion", moderators=["species"], exclude=list(mice))
    assert alone.not_estimable == {"species": "all rows have the level Rat"}
    assert "species" not in alone.regressions


def test_presets_stand_in_one_table(locomotion):
    table = presets(locomotion).set_index("result")
    assert list(table.index) == ["article", "recommended", "chosen", "three_level"]
    assert table.loc["three_level", "estimate"] == locomotion.robust.estimate
