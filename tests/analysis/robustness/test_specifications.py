"""Specification curves: every number is the engine's by hand; shares are of equals only."""

import time
from dataclasses import asdict, replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from own_review import row, write

from helpers.analysis import model as models
from helpers.analysis.effects import effects, without_effect
from helpers.analysis.outcome import analyse
from helpers.analysis.robustness import specifications as curves
from helpers.analysis.settings import ARTICLE, RECOMMENDED, Model, Settings
from helpers.review.review import load
from helpers.stats.influence import galbraith
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import pool

FAMILY = """
[[families]]
id = "movement"
label = "Movement"

[[families.outcomes]]
id = "score"
label = "Score"
unit = "points"
range = [0, 40]
better = "higher"
reference = 38

[quality]
risk_of_bias = ["Random allocation", "Blinding"]
"""


def course(studies=6, seed=3):
    """Studies with two cohorts on one control, seen on two days, and one outlier left out."""
    rng = np.random.default_rng(seed)
    table = []
    for study, arm, day in product(range(studies), "ab", (7, 28)):
        control = 10 + study % 3 + day / 14
        table.append(row(
            f"e{study}{arm}{day}", study=f"s{study}", cohort=f"c{study}{arm}",
            control_group=f"k{study}", follow_up_days=day, n_treated=6 + study % 4, n_control=9,
            mean_treated=round(control + 2 + rng.normal(0, 1.5), 2), mean_control=control,
            sd_treated=round(rng.uniform(1, 3), 2), sd_control=round(2 + study / 10, 2),
            **{"Random allocation": ("low", "high", "unclear")[study % 3], "Blinding": "low"},
        ))  # fmt: skip
    table[5]["mean_treated"] = 24
    return table


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    """A review with repeated, shared and judged rows, one of them excluded."""
    left_out = [{"experiment": "e1a28", "reason": "outlier", "by": "a reader"}]
    folder = tmp_path_factory.mktemp("repeated")
    columns = '[sheet.columns]\nfollow_up_days = "follow_up_days"'
    return load(write(folder, course(), columns, toml=FAMILY, exclusions=left_out))


@pytest.fixture(scope="module")
def rebuilt():
    return load()


def kept_rows(review, analysis, one, settings):
    """Rows of a specification, by the rules as they are said."""
    rows, split = review.rows(analysis.outcome.id), analysis.controls_are_split
    if one.follow_up in ("last", "first"):
        end = rows.groupby(["study", "cohort"])["follow_up_days"]
        end = end.transform("max" if one.follow_up == "last" else "min")
        rows = rows[rows["follow_up_days"] == end]
    if one.risk_of_bias in ("low", "not high"):
        judged = review.judgements.loc[rows.index]
        if one.risk_of_bias == "low":
            rows = rows[(judged == "low").all(axis=1)]
        else:
            rows = rows[(judged != "high").all(axis=1)]
    if one.outliers in ("", "decided"):
        rows = rows[~rows.index.isin(analysis.excluded.index)]
    rows = rows[without_effect(rows, settings, controls_are_split=split) == ""]
    if one.outliers == "band":
        found = effects(rows, settings, controls_are_split=split)
        points = galbraith(found["effect"], variance=found["variance"], level=settings.level)
        rows = rows[~points["outside"]]
    return rows[without_effect(rows, settings, controls_are_split=split) == ""]


def settings_of(one, base):
    words = {"separate": "average", "pooled": "stata"}
    given = {name: getattr(one, name) for name in ("measure", "correction", "variance", "method",
                                                  "interval") if getattr(one, name)}  # fmt: skip
    if "variance" in given:
        given["variance"] = words.get(given["variance"], given["variance"])
    return replace(base, **given, split_controls=one.controls == "divided")


def by_hand(review, analysis, one):
    """What the engine gives by the settings of one specification."""
    base = analysis.settings if analysis.asked_model else RECOMMENDED
    settings = settings_of(one, base)
    rows, split = kept_rows(review, analysis, one, settings), analysis.controls_are_split
    found = effects(rows, settings, controls_are_split=split)
    model = analysis.asked_model or Model()
    model = replace(model, rho=one.rho or model.rho, test=one.test or model.test)
    shared = {"level_values": review.level_values, "split": split}
    if one.model == "multilevel" and models.is_needed(model, rows, **shared):
        options = models.options(model, rows, found, settings, **shared)
        return multilevel(found["effect"], **options)
    return pool(found["effect"], variance=found["variance"], **settings.pooling())


def assert_like_the_engine(review, outcome, **how):
    analysis = analyse(review, outcome, moderators=[])
    found = curves.of_outcome(review, analysis, **how)
    for one in found.table[found.table["reason"] == ""].itertuples():
        expected = by_hand(review, analysis, one)
        for name in curves.NUMBERS:
            wanted = getattr(expected, name)
            assert getattr(one, name) == pytest.approx(wanted, rel=1e-7, abs=1e-9), (name, one)
    return found


@pytest.mark.parametrize("outcome", ["il_1b", "cavity_size", "gap_43", "locomotion"])
def test_every_number_is_the_engine_s(rebuilt, outcome):
    found = assert_like_the_engine(rebuilt, outcome)
    assert len(found.table) > 100


def test_every_number_is_the_engine_s_where_rows_repeat(repeated):
    found = assert_like_the_engine(repeated, "score", most=400, fits=110)
    assert {"rho", "controls", "outliers", "follow_up", "risk_of_bias"} <= set(found.decisions)
    assert set(found.measures) >= {"SMD", "MD", "ROM", "NMD"}
    assert set(found.table["risk_of_bias"]) >= {"all", "not high"}


def test_some_of_them_by_the_whole_analysis(rebuilt):
    analysis = analyse(rebuilt, "tnf_a", moderators=[])
    table = curves.of_outcome(rebuilt, analysis).table
    for one in table.iloc[::17].itertuples():
        settings = settings_of(one, RECOMMENDED)
        rows = rebuilt.rows("tnf_a").index
        out = rows.difference(kept_rows(rebuilt, analysis, one, settings).index)
        left = pd.DataFrame({"experiment": out, "reason": "by hand", "by": "test"})
        review = replace(rebuilt, exclusions=left)
        model = replace(Model(), test=one.test) if one.model == "multilevel" else None
        whole = analyse(review, "tnf_a", chosen=settings, model=model, moderators=[]).chosen
        assert (one.k, one.estimate, one.ci_high) == pytest.approx(
            (whole.k, whole.estimate, whole.ci_high), rel=1e-7
        )


@pytest.mark.parametrize("chosen, model", [
    (None, None), (Settings(measure="ROM", method="DL", split_controls=True), None),
    (replace(RECOMMENDED, measure="MD", variance="stata"), Model(rho=0.3)),
    (replace(ARTICLE, variance="revman", method="EB", level=0.9), None),
    (replace(RECOMMENDED, measure="NMD", variance="conventional"), Model(test="contain")),
])  # fmt: skip
def test_the_leading_analysis_is_one_of_them_however_few(repeated, chosen, model):
    analysis = analyse(repeated, "score", chosen=chosen, model=model, moderators=[])
    for most in (1, 50, 2_000):
        table = curves.of_outcome(repeated, analysis, most=most, fits=2).table
        (one,) = table[table["leading"]].itertuples()
        leading = analysis.leading
        assert (one.k, one.estimate, one.ci_low, one.ci_high) == pytest.approx(
            (leading.k, leading.estimate, leading.ci_low, leading.ci_high), rel=1e-8
        )


def test_what_has_a_fault_here_is_never_principled(repeated):
    analysis = analyse(repeated, "score", moderators=[])
    found = curves.of_outcome(repeated, analysis, most=3_000, fits=100)
    table = found.table
    shown = pd.Series(False, table.index)
    for name, value in found.choices.shown:
        shown |= table[name] == value
    assert (table["principled"] == ~shown).all()
    principled = table[table["principled"]]
    assert len(principled) and (principled["model"] == "multilevel").all()
    assert not principled["variance"].isin(["stata", "metafor", "revman", "unbiased"]).any()


def test_the_number_asked_for_is_kept_and_stays_a_factorial(repeated):
    analysis = analyse(repeated, "score", moderators=[])
    for most, fits in ((40, 4), (300, 12), (2_000, 30)):
        found = curves.of_outcome(repeated, analysis, most=most, fits=fits)
        independent = found.table["model"] == "independent"
        assert independent.sum() <= most and found.fits <= fits
        assert sum(block.size for block in found.blocks) == len(found.table) <= found.of
        again = curves.of_outcome(repeated, analysis, most=most, fits=fits)
        pd.testing.assert_frame_equal(found.table, again.table)


def test_two_thousand_of_72_rows_take_a_moment(tmp_path):
    columns = '[sheet.columns]\nfollow_up_days = "follow_up_days"'
    review = load(write(tmp_path, course(18), columns, toml=FAMILY))
    analysis = analyse(review, "score", moderators=[])
    begun = time.process_time()
    found = curves.of_outcome(review, analysis, most=2_000, fits=0)
    assert time.process_time() - begun < 2
    assert analysis.leading.k == 72 and len(found.table) > 1_500


def test_a_specification_without_result_is_listed_with_its_reason(tmp_path):
    table = course(3)[:6]
    for place, line in enumerate(table):
        line["Random allocation"] = "low" if place < 2 else "high"
    review = load(write(tmp_path, table, toml=FAMILY))
    analysis = analyse(review, "score", moderators=[])
    found = curves.of_outcome(review, analysis, most=5_000, fits=200).table
    assert (found["reason"] == curves.FEW).any()
    assert found["estimate"].isna().equals(found["reason"] != "")
    assert (found.loc[found["reason"] != "", "k"] < 2).all()


def test_rows_that_lose_their_effect_by_a_measure_change_k_and_its_rank(tmp_path):
    table = course(6)
    table[0]["mean_control"] = 0
    review = load(write(tmp_path, table, toml=FAMILY))
    found = curves.of_outcome(review, analyse(review, "score", moderators=[]), most=500)
    by_measure = found.table[found.table["outliers"].isin(["", "decided"])].groupby("measure")["k"]
    assert by_measure.max()["ROM"] == by_measure.max()["SMD"] - 1
    assert not found.choices.principled("measure", "ROM")
    assert found.choices.principled("measure", "SMD")


def test_own_effects_keep_their_measure(tmp_path):
    table = [row(f"e{i}", effect=0.2 * i - 0.1, se=0.3) for i in range(6)]
    columns = '[sheet.columns]\neffect = "effect"\nse = "se"'
    review = load(write(tmp_path, table, columns))
    found = curves.of_outcome(review, analyse(review, "score", moderators=[]))
    assert not {"measure", "correction", "variance"} & set(found.decisions)
    assert set(found.table["k"]) <= {5, 6}


def test_rows_that_bring_their_effect_stand_beside_computed_ones(tmp_path):
    table = course(6)
    for place, line in enumerate(table):
        line["effect"], line["se"] = (0.4, 0.3) if place % 5 == 0 else ("", "")
    columns = '[sheet.columns]\neffect = "effect"\nse = "se"\nfollow_up_days = "follow_up_days"'
    review = load(write(tmp_path, table, columns, toml=FAMILY))
    found = assert_like_the_engine(review, "score", most=120, fits=8)
    assert set(found.table["measure"]) == {"SMD"}
    assert any("bring their own effect" in why for why in found.choices.not_possible)


def test_effects_that_the_sheet_turns_are_turned(tmp_path):
    table = [line | {"turn": -1 if line["study"] == "s2" else 1} for line in course(6)]
    columns = '[sheet.columns]\nsign = "turn"\nfollow_up_days = "follow_up_days"'
    review = load(write(tmp_path, table, columns, toml=FAMILY))
    assert_like_the_engine(review, "score", most=80, fits=8)


def test_shares_are_of_one_scale_and_of_equals(repeated):
    analysis = analyse(repeated, "score", moderators=[])
    found = curves.of_outcome(repeated, analysis, most=2_000, fits=60)
    table, explained = found.table, pd.DataFrame(map(asdict, found.explained))
    whole = explained.dropna().groupby(["measure", "model", "principled"])["share"].sum()
    assert whole.to_numpy() == pytest.approx(np.full(len(whole), 100))
    part = table[table["principled"] & (table["measure"] == "SMD")]
    total = ((part["estimate"] - part["estimate"].mean()) ** 2).sum()
    means = part.groupby("outliers")["estimate"].transform("mean")
    by_outliers = 100 * ((means - part["estimate"].mean()) ** 2).sum() / total
    said = explained[explained["principled"] & (explained["measure"] == "SMD")]
    said = said.set_index("decision")["share"]["outliers"]
    assert said == pytest.approx(by_outliers)


def test_days_without_a_number_are_no_rule_of_follow_up(tmp_path):
    table = course(6)
    table[1]["follow_up_days"] = ""
    columns = '[sheet.columns]\nfollow_up_days = "follow_up_days"'
    review = load(write(tmp_path, table, columns, toml=FAMILY))
    found = curves.of_outcome(review, analyse(review, "score", moderators=[]))
    assert "follow_up" not in found.decisions
    assert any("days without a number" in why for why in found.choices.not_possible)
