"""One outcome under its presets, held against the statistics called by hand."""

import numpy as np
import pytest
from own_review import FAMILY, row, write
from scipy import stats

from helpers.analysis import animals
from helpers.analysis.effects import effects
from helpers.analysis.outcome import (
    ARTICLE,
    RECOMMENDED,
    NothingToAnalyse,
    Settings,
    analyse,
    presets,
)
from helpers.review.review import load
from helpers.stats.effects import effect_sizes
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import pool


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
    # Exact g with the variance at the average; arms of a control covary through it, nothing else
    # does: 1/n_c + ḡ²·(n_c - 1)/(2·m_i·m_j), the control in full.
    found = effect_sizes(rows, correction="exact", variance="average")
    n1, n2 = (rows[name].to_numpy(float) for name in ("n_treated", "n_control"))
    g, m = np.average(found["effect"], weights=n1 + n2), n1 + n2 - 2
    control = rows["control_group"].to_numpy()
    covariance = np.where(
        control[:, None] == control, 1 / n2 + g**2 * (n2 - 1) / (2 * np.outer(m, m)), 0.0
    )
    np.fill_diagonal(covariance, found["variance"])
    study = rows["study"]
    by_hand = multilevel(
        found["effect"],
        covariance=covariance,
        levels={"study": study, "experiment": None},
        study=study,
    )
    for name in ("estimate", "se", "df", "ci_low", "pi_high"):
        expected = pytest.approx(getattr(by_hand, name), rel=1e-8)
        assert getattr(locomotion.recommended, name) == expected, name
    assert locomotion.leading is locomotion.article


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
    settings = Settings(correction="exact", variance="metafor", split_controls=True)
    once = effects(rows, settings, controls_are_split=True)
    whole = effect_sizes(rows, correction="exact", variance="metafor")
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
    assert list(table.index) == [
        "article",
        "recommended",
        "rho 0.2",
        "rho 0.5",
        "rho 0.8",
        "three_level",
    ]
    assert table.loc["three_level", "estimate"] == locomotion.robust.estimate


def test_no_test_rests_on_a_level_of_one_experiment(review):
    # The reconstructed IL-1b: by model of injury p 0.014 through one experiment, 0.525 without it.
    found = analyse(review, "il_1b")
    assert found.thin_levels["model"] == {"Transection": (1, 1)}
    assert found.regressions["model"].p_moderators == pytest.approx(0.014, abs=5e-4)
    assert found.tested["model"].p_moderators == pytest.approx(0.525, abs=5e-4)
    # What has no such level is tested as it stands.
    assert found.tested["species"] is found.regressions["species"]
    raw = {name: one.p_moderators for name, one in found.tested.items()}
    smallest = min(raw, key=raw.get)
    assert found.p_holm[smallest] == pytest.approx(min(1, len(raw) * raw[smallest]))


def moderated(folder, studies, values, levels=True, chosen=None):
    """A review of one moderator with these studies and values."""
    toml = FAMILY + '[[moderators]]\nid = "kind"\n' + ('levels = ["a", "b", "c"]\n' * levels)
    table = [
        row(f"e{i}", study=study, kind=value, mean_treated=11 + i % 3 + (value in ("b", 2)))
        for i, (study, value) in enumerate(zip(studies, values, strict=True))
    ]
    return analyse(load(write(folder, table, toml=toml)), "score", chosen=chosen)


def test_a_level_of_one_study_takes_part_in_no_test(tmp_path):
    found = moderated(tmp_path, "stuvwxxx", "aabbaccc", chosen=ARTICLE)
    assert found.thin_levels == {"kind": {"c": (3, 1)}}
    assert found.regressions["kind"].k == 8 and found.tested["kind"].k == 5
    assert set(found.p_holm) == {"kind"}
    few = moderated(tmp_path / "few", "stuvwwww", "aaaabbbb")
    assert few.thin_levels == {"kind": {"b": (4, 1)}} and not few.tested and not few.p_holm
    assert few.not_tested == {"kind": "fewer than two levels have two studies or more"}


@pytest.mark.parametrize(
    ("studies", "values", "words"),
    [
        ("ssssss", (1, 2, 3, 1, 2, 3), "all experiments come from one study"),
        ("stuvww", (1, 1, 1, 1, 2, 3), "without the study w all experiments have the same value"),
        ("stuvwx", (1, 1, 1, 1, 2, 2), ""),
        ("stuvww", (1, 1, 1, 1, 1, 1), "fewer than two levels have two studies or more"),
        (
            "ssttuu",
            ("", "", "", 1, 2, ""),
            "without the study t all experiments have the same value",
        ),
    ],
)
def test_a_slope_of_one_study_is_not_tested(studies, values, words, tmp_path):
    found = moderated(tmp_path, studies, values, levels=False)
    assert found.not_tested == ({"kind": words} if words else {})
    assert set(found.tested) == (set() if words else {"kind"})
    assert found.from_one_study == (studies == "ssssss")


def test_a_row_without_an_effect_takes_that_row(tmp_path):
    # ln(m1/m2) by hand; two negative means have a ratio above 0 that points the other way.
    means = [(12, 8), (-12, -8), (0, 8), (9, 8), (10, 8), (6, -1)]
    table = [row(f"e{i}", mean_treated=a, mean_control=b) for i, (a, b) in enumerate(means)]
    review = load(write(tmp_path, table, toml=FAMILY.replace("[0, 21]", "[-30, 30]")))
    found = analyse(review, "score", chosen=Settings(measure="ROM"), exclude=["e1", "e3"])
    assert found.rows.index.tolist() == found.effects.index.tolist() == ["e0", "e4"]
    assert found.effects["effect"].tolist() == pytest.approx([np.log(1.5), np.log(1.25)])
    assert found.excluded.index.tolist() == ["e1", "e3"]
    assert found.undefined.index.tolist() == ["e2", "e5"]
    out = found.left_out
    assert out.index.tolist() == ["e1", "e3", "e2", "e5"]
    assert out["effect"].tolist() == pytest.approx(
        [np.nan, np.log(9 / 8), np.nan, np.nan], nan_ok=True
    )
    assert (
        out["reason"].str.contains("both means must be above 0").tolist()
        == [False] * 2 + [True] * 2
    )
    assert found.article is None  # nothing is rebuilt
    assert (found.recommended.k, found.chosen.k, found.with_excluded.k) == (2, 2, 3)


def test_an_outcome_without_any_effect_names_all_its_rows_and_why(tmp_path):
    table = [row(f"e{i}", mean_treated=-5 - i, mean_control=-9) for i in range(3)]
    review = load(write(tmp_path, table, toml=FAMILY.replace("[0, 21]", "[-30, 30]")))
    with pytest.raises(
        NothingToAnalyse, match=r"e0, e1, e2: ROM .* means must be above 0"
    ) as caught:
        analyse(review, "score", chosen=Settings(measure="ROM"))
    assert (caught.value.excluded, caught.value.undefined) == (0, 3)


def test_shares_of_a_control_are_those_among_the_rows_that_are_left(tmp_path):
    table = [row(f"e{i}", study="s", control_group="c", mean_treated=9 + i) for i in range(3)]
    table[0]["mean_treated"] = -1
    review = load(write(tmp_path, table, toml=FAMILY.replace("[0, 21]", "[-30, 30]")))
    settings = Settings(measure="ROM", split_controls=True)
    assert analyse(review, "score", chosen=settings).effects["n_split"].tolist() == [3, 3]


def test_a_cohort_called_alike_in_two_studies_is_two(tmp_path):
    # Two treated cohorts called alike in two studies covary with none of the other study.
    table = [row(f"e{i}", study="st"[i // 2], cohort="x", follow_up_days=i % 2) for i in range(4)]
    found = analyse(load(write(tmp_path, table)), "score")
    assert found.animals == 2 * 8 + 4 * 6
    first, second = found.three_level.covariance
    assert first.shape == second.shape == (2, 2) and first[0, 1] > 0


def test_two_equal_effects_keep_an_interval_in_recommended():
    found = pool([0.1, 0.1], variance=[0.04, 0.04], **RECOMMENDED.pooling() | {"prediction": "z"})
    half = stats.t.ppf(0.975, 1) * 0.2 / np.sqrt(2)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.1 - half, 0.1 + half))
    assert (found.q, found.p_heterogeneity, found.i2) == (0, 1, 0)
