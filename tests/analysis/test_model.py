"""`[settings]` and `[model]` of a review, from its `review.toml` to the JSON beside a report."""

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, row, write
from scipy import stats

from helpers import Report
from helpers.analysis.outcome import analyse
from helpers.analysis.settings import RECOMMENDED, Model
from helpers.problems import Refused, ReviewError
from helpers.review.review import load
from helpers.stats.effects import effect_sizes
from helpers.stats.multilevel import multilevel

NESTED = """
[settings]
variance = "metafor"
[model]
levels = ["strain", "study", "exp"]
covariance = "constant"
within = "exp"
test = "contain"
min_groups = 2
"""
FIELDS = {
    "measure", "scale", "level", "note", "estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high",
    "df", "p_effect", "k", "studies", "animals", "sigma2", "i2_by_level", "test",
}  # fmt: skip


def nested(studies=8):
    """Two experiments a study with two rows each; studies in three strains, one of them in two."""
    rng, table = np.random.default_rng(3), []
    for s in range(studies):
        shift = rng.normal()
        for e in range(2):
            strain = "ABC"[s % 3] if s or e else "C"
            for r in range(2):
                mean = round(11.5 + shift + rng.normal(), 2)
                name = f"s{s}-{e}-{r}"
                table.append(
                    row(name, study=f"s{s}", exp=f"x{e}", strain=strain, mean_treated=mean)
                )
    return table


def report(folder, table, toml="", **parameters):
    return Report("movement", review=write(folder, table, toml=FAMILY + toml), **parameters)


def test_levels_named_in_the_review_are_the_model_fitted_by_hand(tmp_path):
    table = nested()
    found = analyse_of(tmp_path, table, NESTED)
    rows = pd.DataFrame(table)
    effects = effect_sizes(rows, correction="exact", variance="metafor")
    # A group is the path of the levels outside; V correlates by 0.5 within the values of `exp`.
    half = 0.5 * np.sqrt(np.outer(effects["variance"], effects["variance"]))
    one = rows["exp"].to_numpy()[:, None] == rows["exp"].to_numpy()
    covariance = np.where(one, half, 0.0)
    np.fill_diagonal(covariance, effects["variance"])
    hand = multilevel(
        effects["effect"],
        levels={name: rows[name] for name in ("strain", "study", "exp")},
        covariance=covariance,
        study=rows["study"],
        test="contain",
        min_groups=2,
    )
    assert found.leading_is == "chosen" and found.leading.levels == ("strain", "study", "exp")
    assert found.leading.df == hand.df == 2  # three strains less one coefficient
    for name in ("estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high", "p_effect"):
        assert getattr(found.leading, name) == pytest.approx(getattr(hand, name), rel=1e-7), name
    assert list(found.leading.sigma2.values()) == pytest.approx(
        list(hand.sigma2.values()), abs=1e-7
    )


def analyse_of(folder, table, toml):
    review = load(write(folder, table, toml=FAMILY + toml))
    from helpers.analysis.settings import of_review

    settings, model = of_review(review.settings, review.model, rebuilds=bool(review.article))
    return analyse(review, "score", chosen=settings, model=model)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('[settings]\nmeasure = "SDM"\n', "SMD"),
        ('[settings]\nvarience = "average"\n', "variance"),
        ('[settings]\nvariance = "averge"\n', "average"),
        ('[model]\nlevles = ["study"]\n', "levels"),
        ("[model]\nlevel = 0.9\n", "It belongs under [settings]"),
        ('[model]\ncovariance = "modeled"\n', "modelled"),
        ('[model]\ntest = "cr3"\n', "cr2"),
        ('[model]\nlevels = ["study", "expp"]\n', "exp"),
        ('[settings]\nmethod = "DL"\n[model]\nrho = 0.4\n', "takes rows as independent"),
        ("[settings]\nsplit_controls = true\n[model]\nrho = 0.4\n", "corrected for twice"),
        ("[model]\nrho = 1.0\n", "0 to below 1"),
        ('[model]\ncovariance = "constant"\n', "within"),
    ],
)
def test_words_that_cannot_be_meant_are_refused_with_the_nearest(toml, says, tmp_path):
    with pytest.raises(ReviewError) as caught:
        load(write(tmp_path, nested(), toml=FAMILY + toml))
    assert says in str(caught.value)


@pytest.mark.parametrize("column", ["strain", "exp"])
def test_a_row_without_a_label_of_a_level_is_a_fault(column, tmp_path):
    table = nested()
    table[5][column] = ""
    with pytest.raises(ReviewError) as caught:
        load(write(tmp_path, table, toml=FAMILY + NESTED))
    text = str(caught.value)
    assert column in text and "7" in text  # the sixth row of the sheet, below its head


def test_another_measure_alone_keeps_the_recommended_model(tmp_path):
    asked = report(tmp_path, nested(), measure="MD").analyses["score"]
    assert asked.leading_is == "chosen" and asked.model is not None
    for name in ("estimate", "se", "df", "ci_low", "pi_high"):
        assert getattr(asked.chosen, name) == getattr(asked.recommended, name), name
    assert asked.measure.id == asked.recommended_measure.id == "MD"


def test_a_method_asked_for_takes_rows_as_independent(tmp_path):
    asked = report(tmp_path, nested(), method="DL").analyses["score"]
    assert asked.leading_is == "chosen" and asked.model is None
    assert asked.leading.method == "DL"
    assert asked.recommended.interval == "multilevel"


def test_the_json_names_what_leads_and_all_that_stands_beside(tmp_path):
    preset = report(tmp_path / "preset", nested()).content["outcomes"]["score"]
    assert preset["article"] is None and preset["leading_is"] == "recommended"
    assert preset["leading"] == preset["recommended"] | {"leading_is": "recommended"}
    for name in ("leading", "recommended", "chosen"):
        assert set(preset[name]) >= FIELDS, name
    assert set(preset["three_level"]) >= FIELDS
    three = preset["three_level"]
    assert three["test"] == "cr2"
    reach = stats.t.ppf(0.975, 8 - 1) * (three["se"] ** 2 + sum(three["sigma2"].values())) ** 0.5
    low = min(three["estimate"] - reach, three["ci_low"])
    assert three["pi_low"] == pytest.approx(low, rel=1e-9)
    assert [one["rho"] for one in preset["rho"]] == [0.2, 0.5, 0.8]
    asked = report(tmp_path / "asked", nested(), NESTED).content["outcomes"]["score"]
    assert asked["leading_is"] == "chosen" and asked["leading"]["test"] == "contain"
    assert list(asked["leading"]["sigma2"]) == ["strain", "study", "exp"]
    article = '[article]\ncitation = "A and B 2020"\n'
    rebuilt = report(tmp_path / "rebuilt", nested(), article).content["outcomes"]["score"]
    assert rebuilt["leading_is"] == "article"
    assert rebuilt["article"]["test"] == "z" and set(rebuilt["article"]) >= FIELDS


def test_a_parameter_that_is_none_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(Refused, match="variance"):
        report(tmp_path, nested(), varience="average")


def warnings(tmp_path, change):
    table = nested()
    for place, line in enumerate(table):
        line["exp"] = change(place, f"x{place // 2}")
    return [str(one) for one in load(write(tmp_path, table, toml=FAMILY + NESTED)).warnings]


@pytest.mark.parametrize("change", [str.upper, "{}.".format, " {}".format])
def test_a_label_of_a_level_in_two_spellings_is_told(change, tmp_path):
    said = warnings(tmp_path, lambda place, label: change(label) if place == 1 else label)
    same = change("x0").strip() == "x0"
    assert any("only in its spelling" in line and "exp" in line for line in said) == (not same)


def test_numbers_that_start_anew_in_each_study_are_told(tmp_path):
    anew = warnings(tmp_path / "anew", lambda place, label: str(1 + place % 2))
    assert any("several studies have this value" in line for line in anew)
    own = warnings(tmp_path / "own", lambda place, label: f"x{place // 2}")
    assert not any("several studies have this value" in line for line in own)


def test_one_number_written_in_two_ways_is_told(tmp_path):
    said = warnings(tmp_path, lambda place, label: "1.0" if place == 1 else str(place or 1))
    assert any("only in its spelling" in line for line in said)


@pytest.mark.parametrize("control_group", ["", "C"])
def test_other_correlations_are_those_that_were_asked_for(tmp_path, control_group):
    """Where no errors covary all are alike; where some do they are fitted anew."""
    rng = np.random.default_rng(8)
    table = [
        row(
            f"e{s}{e}", study=f"s{s}", mean_treated=round(12 + 4 * rng.normal(), 2),
            control_group=control_group, follow_up_days=7 + e,
        )
        for s in range(8) for e in range(2)
    ]  # fmt: skip
    review = load(write(tmp_path, table))
    name = review.experiments["outcome"].iloc[0]
    by_rho = analyse(review, name).by_rho
    assert list(by_rho) == [0.2, 0.5, 0.8] and all(one.rho == rho for rho, one in by_rho.items())
    for rho, one in by_rho.items():
        fresh = analyse(review, name, chosen=RECOMMENDED, model=Model(rho=rho)).chosen
        assert (one.estimate, one.se, one.sigma2) == (fresh.estimate, fresh.se, fresh.sigma2)
    found = {tuple(one.sigma2.values()) for one in by_rho.values()}
    assert len(found) == (3 if control_group else 1)
