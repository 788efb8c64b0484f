"""What notebooks call: blocks with the right numbers, and the JSON contract."""

import io
import json
import math
import shutil
import subprocess

import pandas as pd
import pytest

from helpers import Overview, Report
from helpers.stats.pooling import pool
from helpers.words.r.script import metafor_script


@pytest.fixture(scope="module")
def inflammation():
    return Report("inflammation")


@pytest.fixture(scope="module")
def content(inflammation):
    return inflammation.results().data["results"]


@pytest.fixture(scope="module")
def overview():
    return Overview()


def csv(block):
    return pd.read_csv(io.StringIO(block.data["csv"]))


def test_contract_of_the_results(content):
    assert set(content) == {
        "review", "family", "parameters", "provenance", "outcomes", "small_study",
    }  # fmt: skip
    provenance = content["provenance"]
    assert {"inputs", "code", "versions", "seed"} <= set(provenance)
    assert len(provenance["inputs"]["review.toml"]) == len(provenance["rows"]) == 64
    outcome = content["outcomes"]["tnf_a"]
    fields = {"k", "estimate", "se", "ci_low", "ci_high", "p_effect", "tau2", "i2", "h2", "q",
              "p_heterogeneity", "pi_low", "pi_high", "pooled", "measure", "scale"}  # fmt: skip
    whole = fields | {"level", "note", "df", "studies", "animals", "sigma2", "i2_by_level", "test"}
    for preset in ("article", "recommended", "chosen"):
        assert whole <= set(outcome[preset])
    assert outcome["leading_is"] == "article"
    assert outcome["leading"] == outcome["article"] | {"leading_is": "article"}
    assert fields | {"moderator", "level"} == set(outcome["subgroups"][0])
    terms = {"moderator", "level", "coef", "se", "ci_low", "ci_high", "p"}
    assert terms <= set(outcome["meta_regression"][0])
    assert {row["experiment"] for row in outcome["excluded"]} == {
        row["experiment"] for row in outcome["excluded"] if row["reason"]
    }
    assert len(outcome["excluded"]) == 3
    assert set(outcome["q_between"]) == {row["moderator"] for row in outcome["subgroups"]}


def test_results_are_plain_json_with_null_for_what_does_not_exist(content):
    text = json.dumps(content, allow_nan=False)
    assert "NaN" not in text
    single = [row for row in content["outcomes"]["tnf_a"]["subgroups"] if row["k"] == 1]
    assert single
    for row in single:
        assert row["pooled"] is False
        assert row["tau2"] is None
        assert math.isfinite(row["estimate"])


def test_a_forest_plot_carries_its_rows_and_names_its_numbers(inflammation):
    block = inflammation.outcome("il_1b").forest()
    rows = csv(block)
    found = pool(rows["effect"], variance=rows["variance"])
    chosen = inflammation.analyses["il_1b"].chosen
    assert found.estimate == pytest.approx(chosen.estimate, rel=1e-12)
    assert set(rows["provenance"]) == {"reconstructed"}
    assert f"−{abs(chosen.estimate):.2f}" in block.text


def test_intervals_are_called_by_their_level():
    report = Report("inflammation", level=0.9)
    assert "SMD [90% CI]" in report.findings().html
    assert "SMD [90% CI]" in report.outcome("il_1b").excluded().text


def test_every_download_says_what_rows_it_comes_from(inflammation):
    calming = inflammation.group(["il_10", "il_4"], "Calming interleukins")
    il_1b = inflammation.outcome("il_1b")
    shown = [
        il_1b.forest(by="species"), il_1b.moderators(), il_1b.galbraith(), il_1b.funnel(),
        il_1b.influence(), il_1b.presets(), il_1b.excluded(), il_1b.published(),
        calming.forest(), calming.small_study_tests(), calming.doleman(),
    ]  # fmt: skip
    for block in shown:
        assert set(csv(block)["provenance"]) == {"reconstructed"}, block.name


def test_numbers_go_by_first_appearance():
    report = Report("locomotion")
    first, second = report.outcome("locomotion").forest(), report.outcome("locomotion").galbraith()
    assert "Figure 1." in first.text
    assert "Figure 2." in second.text
    assert "Figure 1." in report.outcome("locomotion").forest().text


def test_a_group_below_ten_is_not_tested(inflammation):
    text = inflammation.outcome("il_1a").small_study().text
    assert "no test for small-study effects was run" in text


def test_small_study_words_never_claim_absence(inflammation):
    for outcomes in (["il_1b"], ["tnf_a"], ["il_10", "il_4"]):
        text = inflammation.group(outcomes, "Group").small_study().text.lower()
        assert "no publication bias" not in text
        assert "no bias" not in text


def test_the_printed_p_is_that_of_the_same_group(inflammation):
    assert "p = 0.066" in inflammation.group(["il_4", "il_10"], "Calming").small_study().text
    assert "prints" not in inflammation.outcome("il_10").small_study().text


def test_deselected_outcomes_show_nothing():
    report = Report("inflammation", outcomes=["il_6"])
    assert set(report.analyses) == {"il_6"}
    assert report.outcome("tnf_a").galbraith() is None
    assert "not selected" in report.outcome("tnf_a").forest().text


@pytest.mark.parametrize(
    ("family", "options", "words"),
    [
        ("locomotin", {}, "Did you mean 'locomotion'"),
        ("inflammation", {"outcomes": ["il_66"]}, "Did you mean 'il_6'"),
        ("inflammation", {"moderators": ["specis"]}, "Did you mean 'species'"),
        ("inflammation", {"method": "RMEL"}, "method is one of"),
        ("inflammation", {"measure": "ROM", "exclude": ["nothing"]}, "no such experiment"),
    ],
)
def test_mistakes_are_refused_with_a_way_out(family, options, words):
    with pytest.raises(ValueError, match=words):
        Report(family, **options)


def test_methods_follow_the_parameters():
    plain = Report("microglia").methods().text
    other = Report("microglia", method="DL", interval="hksj", correction="exact").methods().text
    assert "restricted maximum likelihood" in plain
    assert "DerSimonian" in other
    assert "Hartung" in other.split("prediction")[0]
    assert "exact factor" in other


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed here")
@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("inflammation", {}),
        ("apoptosis", {"correction": "exact", "variance": "unbiased", "interval": "hksj",
                       "split_controls": True, "method": "PM"}),
        ("locomotion", {"measure": "ROM", "method": "ML"}),
    ],
)  # fmt: skip
def test_the_script_reproduces_the_report_in_metafor(family, options, tmp_path):
    report = Report(family, **options)
    script = metafor_script(report.review, family, report.analyses)
    path = tmp_path / "report.R"
    path.write_text(script, encoding="utf-8")
    ran = subprocess.run(["Rscript", path], capture_output=True, text=True, check=False)
    if "no package called" in ran.stderr:
        pytest.skip("R has no metafor here")
    assert ran.returncode == 0, ran.stderr
    last = ran.stdout.strip().splitlines()[-1]
    assert float(last.rsplit(":", 1)[1]) < 1e-7, last


def test_overview_holds_all_outcomes_published_and_computed(overview):
    table = csv(overview.evidence_map())
    assert len(table) == 26
    assert table["published"].notna().all()
    assert (table["estimate"] - table["published"]).abs().max() < 0.01


def test_overview_counts_risk_of_bias(overview):
    table = csv(overview.risk_of_bias_summary()).set_index("item")
    assert table.loc["item_3", "low"] == 2  # as the article's text says
    assert table.loc["item_8", "low"] == 8
    assert (table[["low", "unclear", "high"]].sum(axis=1) == 65).all()


def test_overview_says_that_the_flow_adds_up_from_its_numbers(overview):
    assert overview.flow_words() == "Its numbers add up."


def test_overview_results_carry_the_audit(overview):
    content = overview.results().data["results"]
    assert len(content["audit"]) == len(overview.findings) > 50


def test_moderators_that_go_together_are_drawn_and_named():
    block = Report("locomotion").outcome("locomotion").together()
    table = csv(block).set_index("moderator").drop(columns="provenance")
    largest = table.where(table < 1).max().max()
    assert f"{largest:.2f}" in block.text
    assert "made up" in block.text
    assert Report("microglia").outcome("arg1").together() is None


def test_methods_say_nothing_that_was_not_done():
    ratio = Report("microglia", measure="ROM", method="EE").methods().text
    assert "small-study effects were tested" not in ratio
    assert "prediction intervals a t" not in ratio
    assert "[1]" in ratio
