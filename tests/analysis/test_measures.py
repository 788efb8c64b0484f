"""One result, one measure: its name, scale, direction and digits, from the sheet to the page."""

import io
import math
import re
import shutil
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, row, rows, write

from helpers import Overview, Report
from helpers.analysis import measures
from helpers.analysis.measures import MEASURES, SMD, UNNAMED, Measure, used
from helpers.analysis.outcome import Settings, analyse
from helpers.figures import influence as influence_figures
from helpers.figures.small_study import funnel
from helpers.page.index import index as write_index
from helpers.problems import ReviewError
from helpers.render import index
from helpers.report import forests
from helpers.review.check import check
from helpers.review.description import Outcome
from helpers.review.review import load
from helpers.stats.pooling import pool
from helpers.words import numbers as numbers_of
from helpers.words import sentences
from helpers.words.r.script import metafor_script

# Log hazard ratios; pooled by metafor 3.8: rma(y, sei = se, test = "adhoc"), Hartung-Knapp with its
# factor held at 1 or above, and its exponentials.
LOG_HR = [(-0.36, 0.2), (-0.51, 0.25), (-0.22, 0.3), (-0.11, 0.22), (-0.64, 0.28)]
POOLED_LOG = (-0.351237702752, -0.651455567643, -0.051019837861)
POOLED_HR = "0.70 [0.52, 0.95]"
NAMED = 'effect_name = "log hazard ratio"\neffect_scale = "log"'
LOWER = FAMILY.replace('"higher"', '"lower"')
NEITHER = FAMILY.replace('"higher"', '"neither"')
# escalc("MD") and escalc("ROM") of these rows, pooled in the same way.
SMALL = [(0.0040, 0.0008, 0.0050, 0.0010), (0.0042, 0.0009, 0.0053, 0.0006),
         (0.0039, 0.0007, 0.0051, 0.0008)]  # fmt: skip
MD_TEXT, RATIO_TEXT = "−0.00111 [−0.00210, −0.00012]", "0.78 [0.63, 0.98]"
ROM_LOG = (-0.2434185718, -0.4650169956, -0.0218201481)


def own(values=LOG_HR, **more):
    """Rows that bring effect and standard error and nothing else."""
    return [
        {"experiment": f"e{i}", "study": f"s{i}", "outcome": "score", "effect": e, "se": s} | more
        for i, (e, s) in enumerate(values)
    ]


def small():
    return [
        row(f"e{i}", n_treated=8, n_control=8, mean_treated=m, sd_treated=s, mean_control=c,
            sd_control=t)
        for i, (m, s, c, t) in enumerate(SMALL)
    ]  # fmt: skip


def told(report):
    """All that a report of one outcome says, in words and tables."""
    one = report.outcome(next(iter(report.analyses)))
    blocks = [
        report.head(), report.glance(), report.findings(), report.alerts(), one.forest(),
        one.result(), one.heterogeneity(),
        one.moderators(), one.galbraith(), one.excluded(), one.influence(), one.funnel(),
        one.small_study(), one.presets(), report.methods(),
    ]  # fmt: skip
    return "\n".join(block.text + block.html for block in blocks if block is not None)


def number_of(text, sign=1):
    return pytest.approx(sign * text, rel=1e-6)


# ---------------------------------------------------------------------- own effects


def test_own_effects_bear_the_name_that_the_review_gives_them(tmp_path):
    folder = write(tmp_path, own(), NAMED, toml=LOWER)
    report = Report("movement", review=folder)
    text = told(report)
    assert "Score was lower with treated, favouring treated: hazard ratio 0.70 (95% CI 0.52 " \
        "to 0.95)" in report.sentence()  # fmt: skip
    assert POOLED_HR in report.findings().text
    assert "Hazard ratio [95% CI]" in report.findings().text
    assert "Hazard ratio (95% CI)" in report.outcome("score").forest().html
    assert "Hazard ratio [95% CI]" in report.outcome("score").presets().text
    for word in ("SMD", "Hedges", "standardised", "small samples", "SDs", "Stata"):
        assert word not in text
    assert "log hazard ratios" in report.methods().text


def test_log_effects_stay_logs_in_the_data(tmp_path):
    report = Report("movement", review=write(tmp_path, own(), NAMED, toml=LOWER))
    chosen = report.content["outcomes"]["score"]["chosen"]
    assert chosen["measure"] == "log hazard ratio"
    assert chosen["scale"] == "log"
    assert [chosen[f] for f in ("estimate", "ci_low", "ci_high")] == [
        number_of(value) for value in POOLED_LOG
    ]
    table = pd.read_csv(io.StringIO(report.outcome("score").forest().data["csv"]))
    assert list(table["effect"]) == [effect for effect, _ in LOG_HR]
    assert set(table["measure"]) == {"log hazard ratio"}
    assert set(table["scale"]) == {"log"}


def test_a_log_effect_is_drawn_on_an_axis_of_ratios(tmp_path):
    report = Report("movement", review=write(tmp_path, own(), NAMED, toml=LOWER))
    analysis = report.analyses["score"]
    drawn, _ = forests.draw(
        report, analysis.table.assign(label="a", name="a"), [analysis], "",
        pooled=analysis.chosen, better=analysis.measure.better, measure=analysis.measure,
    )  # fmt: skip
    ax = drawn["axes"]
    places = ax.get_xticks()
    low, high = ax.get_xlim()
    shown = [text for text in ax.xaxis.get_major_formatter().format_ticks(places)]
    assert "1" in shown
    assert all(float(text) > 0 for text in shown)
    np.testing.assert_allclose(np.exp(places), [float(text) for text in shown])
    assert sum((places >= low) & (places <= high)) >= 2


def test_without_a_name_an_own_effect_is_called_as_given(tmp_path):
    report = Report("movement", review=write(tmp_path, own()))
    text = told(report)
    assert f"{UNNAMED} −0.35 (95% CI −0.65 to −0.05)" in report.sentence()
    assert "SMD" not in text
    assert "effect_name" in report.alerts().text
    assert report.content["outcomes"]["score"]["chosen"]["measure"] == UNNAMED


def test_a_name_belongs_to_the_review_or_to_an_outcome(tmp_path):
    toml = FAMILY + 'effect_name = "log odds ratio"\neffect_scale = "log"\n'
    review = load(write(tmp_path, own(), 'effect_name = "slope"', toml=toml))
    assert review.outcomes["score"].effect_name == "log odds ratio"
    assert analyse(review, "score").measure.name == "odds ratio"


@pytest.mark.parametrize(("line", "words"), [
    ('effect_scale = "ln"', "identity"), ("effect_name = 3", "a text is due"),
    ('efect_name = "x"', "effect_name"),
])  # fmt: skip
def test_a_wrong_name_or_scale_is_refused(tmp_path, line, words):
    with pytest.raises(ReviewError, match=words):
        load(write(tmp_path, own(), line))


def test_a_report_needs_no_group_sizes(tmp_path):
    folder = write(tmp_path, own([(0.1 * i, 0.2 + 0.01 * i) for i in range(12)]))
    report = Report("movement", review=folder)
    assert "standard error" in report.outcome("score").funnel().text
    assert not re.search(r"\bnan\b", told(report))
    assert "Animals: not given" in report.glance().text
    assert "the numbers of animals are not given" in report.outcome("score").result().text
    said = report.outcome("score").small_study().text
    assert "No test for small-study effects was run" in said
    assert "standardised mean differences" in said
    assert Overview(folder).evidence_map().text


def test_effects_of_two_kinds_in_one_outcome_are_called_so(tmp_path):
    table = [*rows(3), *own(LOG_HR[:2])]
    for place, line in enumerate(table):
        line["experiment"] = f"x{place}"
    report = Report("movement", review=write(tmp_path, table, NAMED))
    measure = report.analyses["score"].measure
    assert measure.id == "mixed"
    assert measure.scale == "identity"
    assert "SMD and log hazard ratio" in report.sentence()
    assert "SMD and log hazard ratio" in report.alerts().text
    assert "in 2 of 5 rows, log hazard ratios" in report.methods().text


def test_own_effects_that_are_smds_by_name_are_smds(tmp_path):
    review = load(write(tmp_path, [*rows(2), *own(LOG_HR)[2:]], 'effect_name = "SMD"'))
    assert analyse(review, "score").measure.id == "SMD"


# ---------------------------------------------------------------------- direction


@pytest.mark.parametrize("measure", ["SMD", "GLASS", "MD", "ROM"])
def test_a_sign_turns_the_effect_and_not_the_animals(tmp_path, measure):
    """Treated animals are lower: the word says so, and benefit lies where `better` says."""
    table = [row(f"e{i}", mean_treated=5 + i, mean_control=12) for i in range(4)]
    folder = write(tmp_path, table, "[sheet.constants]\nsign = -1")
    report = Report("movement", review=folder, measure=measure)
    assert "Score was lower with treated, favouring treated" in report.sentence()
    plain = Report("movement", review=write(tmp_path / "plain", table), measure=measure)
    assert "Score was lower with treated, favouring the control" in plain.sentence()


def test_rows_of_mixed_signs_have_a_side_and_no_higher_or_lower(tmp_path):
    table = [row(f"e{i}", mean_treated=17 + i, sign=1) for i in range(3)]
    table += [row(f"f{i}", mean_treated=3 + i, sign=-1) for i in range(3)]
    text = Report("movement", review=write(tmp_path, table)).sentence()
    assert "Score differed with treated, favouring treated" in text
    assert "higher" not in text
    assert "lower" not in text


def test_where_neither_side_is_better_no_side_is_named(tmp_path):
    table = [row(f"e{i}", mean_treated=15 + i) for i in range(4)]
    folder = write(tmp_path, table, toml=NEITHER)
    report = Report("movement", review=folder)
    assert "Score was higher with treated: SMD" in report.sentence()
    assert "benefit" not in report.sentence() + Overview(folder).sentence().replace(
        "with no side of benefit", ""
    )
    assert "favours" not in report.outcome("score").forest().html
    assert "favours" not in Overview(folder).evidence_map().html


def test_asymmetry_turns_effects_by_the_side_of_benefit():
    effect = pd.Series([1.0, -2.0])
    for better, turned in (("higher", effect), ("lower", -effect), ("neither", effect)):
        assert list(replace(SMD, better=better).benefit(effect)) == list(turned)


def test_a_family_counts_outcomes_without_a_better_side_apart():
    result = pool([2, 2.1, 1.9], variance=[0.01] * 3)
    outcome = SimpleNamespace(label="Weight", better="neither")
    analysis = SimpleNamespace(outcome=outcome, measure=SMD, leading=result)
    assert "1 with no side of benefit (Weight)" in sentences.family_verdict("F", [analysis])


# ---------------------------------------------------------------------- normalised differences

SHAM = dict(n_treated=8, mean_treated=15, sd_treated=2, n_control=8, mean_control=9, sd_control=2)


def test_normalised_differences_from_uninjured_animals_of_the_sheet(tmp_path):
    table = [
        row(f"e{i}", **SHAM, mean_reference=21, sd_reference=3, n_reference=9) for i in range(3)
    ]
    found = analyse(load(write(tmp_path, table)), "score", chosen=Settings(measure="NMD"))
    # By the delta method: 100/12 squared, times 4/8 + (1/2)^2 4/8 + (1/2)^2 9/9.
    effects = getattr(found, "effects", found.rows)
    np.testing.assert_allclose(effects["effect"], 50)
    np.testing.assert_allclose(effects["variance"], (100 / 12) ** 2 * (0.5 + 0.125 + 0.25))


def test_a_fixed_uninjured_value_of_an_outcome_or_by_scale(tmp_path):
    fixed = write(tmp_path / "a", [row("e1", **SHAM)], toml=FAMILY + "reference = 21\n")
    scales = write(
        tmp_path / "b",
        [row("e1", **SHAM, Scale="BBB"), row("e2", **SHAM, Scale="BMS")],
        '[sheet.columns]\nmean_reference = "Scale"\n[sheet.values.mean_reference]\nBBB = 21\n'
        "BMS = 9.5\n",
    )
    for folder, expected in ((fixed, [50]), (scales, [50, 1200])):
        found = analyse(load(folder), "score", chosen=Settings(measure="NMD"))
        effects = getattr(found, "effects", found.rows)
        np.testing.assert_allclose(effects["effect"], expected)
        np.testing.assert_allclose(effects["variance"].iloc[0], (100 / 12) ** 2 * (0.5 + 0.125))


def test_an_uninjured_groups_sem_is_converted_with_the_others(tmp_path):
    cells = SHAM | {"sd_treated": 2 / math.sqrt(8), "sd_control": 2 / math.sqrt(8)}
    table = [row("e1", **cells, mean_reference=21, sd_reference=1, n_reference=9)]
    review = load(write(tmp_path, table, '[sheet.constants]\nerror_type = "SEM"'))
    assert review.experiments["sd_reference"].iloc[0] == pytest.approx(3)
    assert review.experiments["sd_treated"].iloc[0] == pytest.approx(2)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_normalised_difference_is_never_turned_again(tmp_path, sign):
    """Less is better and treated animals have less: positive, lower, benefit, whatever the sign."""
    table = [
        row(f"e{i}", mean_treated=4 + i, mean_control=12, mean_reference=0, sign=sign)
        for i in range(3)
    ]
    folder = write(tmp_path, table, toml=LOWER)
    report = Report("movement", review=folder, measure="NMD")
    analysis = report.analyses["score"]
    assert analysis.chosen.estimate > 0
    assert "Score was lower with treated, favouring treated: NMD" in report.sentence()
    drawn = strings_of(report)
    assert "favours treated →" in drawn


def strings_of(report):
    """Texts of the forest plot of a report's only outcome."""
    return report.outcome(next(iter(report.analyses))).forest().html


def test_normalised_differences_end_to_end(tmp_path):
    table = [row(f"e{i}", mean_treated=11 + i, mean_reference=21) for i in range(12)]
    report = Report("movement", review=write(tmp_path, table), measure="NMD")
    text = told(report)
    assert "NMD, % (95% CI)" in text
    assert "normalised mean differences" in report.methods().text
    assert "Hedges' exact factor" not in report.methods().text.replace("exact Hedges g", "")
    assert report.content["outcomes"]["score"]["chosen"]["measure"] == "NMD"
    shown = report.outcome("score").presets().text
    assert "NMD, %" in shown
    assert (
        "SMD" not in shown
    )  # the recommended result takes the measure, and no other stands beside
    assert "not for NMD" in report.outcome("score").small_study().text


@pytest.mark.parametrize(("cells", "words", "severity"), [
    ({"mean_reference": 21, "sd_reference": -1, "n_reference": 6}, "not negative", "faults"),
    ({"mean_reference": 21, "sd_reference": 2}, "needs its number", "faults"),
    ({"mean_reference": 21, "sd_reference": 2, "n_reference": 0}, "at least 1 animal", "faults"),
    ({"mean_reference": "x"}, "a number is due", "faults"),
    ({"mean_reference": 9.25}, "equals the control's mean", "warnings"),
])  # fmt: skip
def test_uninjured_values_are_checked(tmp_path, cells, words, severity):
    found = check(write(tmp_path, [row("e1", **cells), row("e2")]))
    assert any(words in one.what for one in getattr(found, severity))


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize(("measure", "variance"), [
    ("SMD", "stata"), ("GLASS", "stata"), ("MD", "stata"), ("MD", "metafor"), ("ROM", "stata"),
    ("NMD", "stata"), ("own", "stata"),
])  # fmt: skip
def test_the_r_script_computes_every_measure_anew(tmp_path, measure, variance):
    table = [
        row(f"e{i}", mean_treated=11 + i, mean_reference=21, sd_reference=2, n_reference=7, sign=-1)
        for i in range(4)
    ]
    table = own(sign=-1) if measure == "own" else table
    folder = write(tmp_path, table)
    chosen = "SMD" if measure == "own" else measure
    report = Report("movement", review=folder, measure=chosen, variance=variance)
    text = metafor_script(report.review, "Movement", report.analyses)
    assert ("dat$yi <- dat$effect" in text) == (measure == "own")
    (tmp_path / "it.R").write_text(text)
    run = subprocess.run(["Rscript", tmp_path / "it.R"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout.rsplit(":", 1)[1]) < 1e-8


# ---------------------------------------------------------------------- ratios and digits


def test_a_log_ratio_of_means_is_read_as_a_ratio(tmp_path):
    report = Report("movement", review=write(tmp_path, small()), measure="ROM")
    assert RATIO_TEXT in report.findings().text
    assert "ratio of means 0.78 (95% CI 0.63 to 0.98)" in report.sentence()
    chosen = report.content["outcomes"]["score"]["chosen"]
    assert (chosen["measure"], chosen["scale"]) == ("log ratio of means", "log")
    assert [chosen[f] for f in ("estimate", "ci_low", "ci_high")] == [
        number_of(value) for value in ROM_LOG
    ]


def test_rows_of_two_negative_means_are_listed_and_the_others_pooled(tmp_path):
    """Their ratio is positive and would turn the direction round."""
    toml = FAMILY.replace("range = [0, 21]", "range = [-50, 50]")
    table = [*rows(3), row("x1", mean_treated=-2, mean_control=-4), row("x2", mean_treated=-1)]
    report = Report("movement", review=write(tmp_path, table, toml=toml), measure="ROM")
    assert report.analyses["score"].chosen.k == 3
    listed = report.outcome("score").excluded().text
    assert "x1" in listed
    assert "x2" in listed
    assert "both means must be above 0" in listed


def test_digits_follow_small_numbers_through_the_report(tmp_path):
    report = Report("movement", review=write(tmp_path, small()), measure="MD", variance="metafor")
    for block in (
        report.findings(),
        report.outcome("score").forest(),
        report.outcome("score").presets(),
    ):
        assert MD_TEXT in (block.html + block.text).replace("\xa0", " ")
    assert "MD −0.00111 score".replace(" score", "") in report.sentence()
    assert "−0.00 " not in told(report)


MD = MEASURES["MD"]


@pytest.mark.parametrize(("numbers", "measure", "text"), [
    ((2.306, 1.954, 2.657), SMD, "2.31 [1.95, 2.66]"),
    ((-0.00105, -0.00147, -0.00063), MD, "−0.00105 [−0.00147, −0.00063]"),
    ((12345.6, 12001.2, 12700.0), MD, "12,345.6 [12,001.2, 12,700.0]"),
    ((1.2e-10, 1e-10, 1.4e-10), MD, "1.20e−10 [1.00e−10, 1.40e−10]"),
    ((0.8, 0.0004, 1.6), SMD, "0.80 [0.0004, 1.60]"),
    ((-0.8, -1.6, -0.003), SMD, "−0.80 [−1.60, −0.003]"),
    ((0.0, 0.0, 0.0), SMD, "0.00 [0.00, 0.00]"),
    ((1e-17, -0.5, 0.5), SMD, "0.00 [−0.50, 0.50]"),
    ((math.log(0.69), math.log(0.55), math.log(0.86)), MEASURES["ROM"], "0.69 [0.55, 0.86]"),
    ((math.log(1.2), math.log(1.001), math.log(1.44)), MEASURES["ROM"], "1.20 [1.0010, 1.44]"),
    ((-9.0, -12.0, -6.0), MEASURES["ROM"], "0.00012 [0.000006, 0.00248]"),
])  # fmt: skip
def test_an_estimate_with_its_interval(numbers, measure, text):
    shown = numbers_of.estimate_text(*numbers, measure)
    if measure.is_log and numbers[0] == -9.0:  # at least nothing of it is written as 0
        assert "0.00 " not in shown
        assert "[0.00," not in shown
        return
    assert shown == text


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e-3, 1, 1e3, 1e6])
def test_no_number_is_written_as_nothing(unit):
    """Whatever the unit, what excludes 0 is written without a 0, and ends are told apart."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        low = unit * rng.uniform(0.001, 2)
        high = low + unit * rng.uniform(0.05, 2)
        text = numbers_of.estimate_text((low + high) / 2, low, high, MD)
        ends = [float(part.replace("−", "-")) for part in
                text.replace(",", " ").replace("[", "").replace("]", "").split()
                ] if unit < 1e2 else [low, high]  # fmt: skip
        assert min(ends) > 0
        assert len(set(ends)) == len(ends)


def test_a_variance_is_not_written_as_zero_either():
    assert numbers_of.variance_text(0.0) == "0.00"
    assert numbers_of.variance_text(1.2345) == "1.23"
    assert numbers_of.variance_text(3.1e-7) == "0.00000031"


@pytest.mark.parametrize(("label", "name"), [
    ("log hazard ratio", "hazard ratio"), ("log HR", "HR"), ("lnRR", "RR"),
    ("response", "exp(response)"), ("hazard ratio", "hazard ratio"),
    ("ratio of median survival", "ratio of median survival"),
])  # fmt: skip
def test_names_of_back_transformed_effects(label, name):
    assert Measure("own", label, label, scale="log").name == name
    assert Measure("own", label, label).name == label


@pytest.mark.parametrize(("better", "positive", "animals"), [
    ("higher", "higher", "higher"), ("higher", "lower", "lower"), ("lower", "lower", "higher"),
    ("neither", "lower", "neither"), ("lower", "", "lower"),
])  # fmt: skip
def test_benefit_is_told_on_the_side_of_the_animals_values(better, positive, animals):
    one = Measure("SMD", "SMD", "", better=better, positive=positive)
    assert one.better_animals == animals


# ---------------------------------------------------------------------- published, index, overview


def test_printed_numbers_stand_beside_the_articles_own_whatever_the_parameters():
    usual = Report("inflammation", outcomes=["il_1b"]).outcome("il_1b").published()
    other = Report(
        "inflammation", outcomes=["il_1b"], measure="MD", level=0.8, interval="hksj",
        moderators=["species"], exclude=["reconstructed-il-1b-01"],
    ).outcome("il_1b").published()  # fmt: skip
    assert other.data["csv"] == usual.data["csv"]
    assert "SMD" in other.text


def test_presets_of_another_measure_are_named_row_by_row():
    report = Report("inflammation", outcomes=["il_1b"], measure="MD")
    shown = pd.read_csv(io.StringIO(report.outcome("il_1b").presets().data["csv"])).set_index(
        "result"
    )
    asked = ["chosen", "recommended", "rho 0.2", "rho 0.5", "rho 0.8"]
    assert set(shown.loc[asked, "measure"]) == {"MD"}
    assert set(shown.drop(asked)["measure"]) == {"SMD"}
    outcome = report.content["outcomes"]["il_1b"]
    assert {outcome[name]["measure"] for name in ("article", "three_level")} == {"SMD"}
    assert {outcome[name]["measure"] for name in ("chosen", "recommended")} == {"MD"}
    assert {one["measure"] for one in outcome["subgroups"]} == {"MD"}


TWO = FAMILY + '\n[[families.outcomes]]\nid = "death"\nlabel = "Death"\nbetter = "lower"\n'


def two_measures(folder):
    table = rows(3) + [line | {"outcome": "death", "experiment": f"d{line['experiment']}"}
                       for line in own()]  # fmt: skip
    return write(folder, table, NAMED, toml=TWO)


def test_outcomes_of_two_measures_are_named_each(tmp_path):
    folder = two_measures(tmp_path)
    report = Report("movement", review=folder)
    found = report.findings().text
    assert "Effect [95% CI]" in found and "P(effect below no effect)" in found
    assert "SMD" in found and "Hazard ratio" in found and POOLED_HR in found
    assert report.summary() is None  # one outcome of each measure: nothing to draw side by side
    overview = Overview(folder)
    table = overview.pooled().text
    assert "Measure" in table
    assert "Hazard ratio" in table
    assert POOLED_HR in table
    assert "hazard ratio" in overview.evidence_map().text
    assert "Effect (95% CI)" in report.group(["score", "death"], "All").forest().html


def test_the_index_names_each_measure_and_shows_ratios(tmp_path):
    report = Report("movement", review=two_measures(tmp_path), level=0.9)
    outcomes = [index._outcome(name, one, "") for name, one in report.content["outcomes"].items()]
    entry = {"family": "movement", "label": "Movement", "href": "m.html", "status": "ok",
             "message": None, "level": 0.9, "outcomes": outcomes}  # fmt: skip
    html = write_index([entry], title="T")
    assert ">SMD [90% CI]<" in html and "Computed" not in html  # nothing printed stands beside it
    assert "Hazard ratio [90% CI]" in html
    assert "0.70 [0.56,\xa00.89]" in html


def test_measures_are_restored_from_results():
    assert measures.restored(None) is SMD
    assert measures.restored("log ratio of means", "log").name == "ratio of means"
    assert measures.restored("MD", "identity", "g").title == "MD, g"
    assert measures.restored("log HR", "log").name == "HR"


# ---------------------------------------------------------------------- figures and level


def test_contours_of_a_funnel_belong_to_the_measure():
    effect, se, n = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7, 0.9]), np.array([20, 14, 10])
    smd = funnel(effect, se=se, n_total=n, estimate=2)
    other = funnel(effect, se=se, n_total=n, estimate=2, measure=MD)
    unknown = funnel(effect, se=se, n_total=n * np.nan, estimate=2)
    assert smd.get_ylabel() == "1 / √N"
    assert other.get_ylabel() == unknown.get_ylabel() == "Standard error"
    for ax in (other, unknown):  # at the bottom, the 5% contour is 1.96 of the row's own errors
        deep = ax.get_ylim()[0]
        corners = np.vstack([p.vertices for c in ax.collections[:1] for p in c.get_paths()])
        assert np.abs(corners[:, 0]).max() == pytest.approx(1.96 * deep)
        assert np.isfinite(ax.get_xlim()).all()


def test_the_band_and_the_marks_follow_the_level():
    report = Report("inflammation", outcomes=["il_1b"], level=0.8)
    block = report.outcome("il_1b").galbraith()
    table = pd.read_csv(io.StringIO(block.data["csv"]))
    outside = int(table["outside"].sum())
    assert "The 80% band alone" in block.text
    assert f"{outside} of {len(table)} points outside the ±1.28 band" in block.text
    assert f"outside ±1.28 ({outside})" in block.html
    np.testing.assert_allclose(table["high"] - table["low"], 2 * 1.2815515655446004)
    il_1b = report.outcome("il_1b")
    for other in (il_1b.bubble("species"), il_1b.forest(), il_1b.funnel(), il_1b.influence(),
                  report.glance()):  # fmt: skip
        assert "95%" not in other.text + other.html
    strip = influence_figures.influence(pd.DataFrame({"rstudent": [0.5, 1.5, -3.0]}), level=0.8)[0]
    assert len(strip.lines[1].get_xdata()) == 2  # beyond ±1.28 there are two


def test_used_measures_name_unit_and_side():
    outcome = Outcome("score", "Score", "movement", unit="g", better="lower")
    table = pd.DataFrame([row("e1", mean_reference=0)])
    assert used(table, "MD", outcome).title == "MD, g"
    assert used(table, "SMD", outcome).better == "lower"
    assert used(table, "NMD", outcome).better == "higher"
    assert used(table, "NMD", outcome).positive == "lower"


def test_the_index_draws_what_was_printed_only_on_an_axis_of_its_measure():
    printed = {"estimate": 2.31, "ci_low": 1.95, "ci_high": 2.66}
    one = {"id": "a", "label": "A", "k": 3, "estimate": 5.0, "ci_low": 4.0, "ci_high": 6.0,
           "better": "higher", "published": printed}  # fmt: skip
    entry = {"family": "f", "label": "F", "href": "f.html", "status": "ok", "message": None}
    own = write_index([entry | {"outcomes": [one]}], title="T")
    other = write_index([entry | {"outcomes": [one | {"measure": MD}]}], title="T")
    assert own.count('class="interval hollow"') == other.count('class="interval hollow"') + 1
    assert "SMD 2.31" in other
