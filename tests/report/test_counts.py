"""Rows in are rows used and rows listed, and every page says so with the same numbers."""

import io
import re

import pandas as pd
import pytest
from own_review import FAMILY, row, write

from helpers import Overview, Report

OTHER = (
    FAMILY
    + """
[[families.outcomes]]
id = "other"
label = "Other"
range = [-30, 30]
better = "lower"

[[moderators]]
id = "kind"
label = "Kind"
levels = ["a", "b", "c"]
""".replace("[0, 21]", "[-30, 30]")
)


def sheet():
    """Ten rows of score, one of them negative; three of other, all negative; two that are left out."""
    table = [
        row(f"e{i}", study=f"s{i // 2}", kind="aabbaabbcc"[i], mean_treated=10 + i % 4)
        for i in range(10)
    ]
    table[2]["mean_treated"] = -1
    table += [row(f"o{i}", outcome="other", mean_treated=-3 - i, mean_control=-2) for i in range(3)]
    return [*table, row("x1", study="gone"), row("x2", study="gone")]


ARTICLE_LEADS = '[article]\ncitation = "A and B 2020"\n'
LEAVE_OUT = '[[sheet.leave_out]]\ncolumn = "study"\nvalues = ["gone"]\nreason = "no control"\n'
EXCLUSIONS = [{"experiment": name, "reason": "late", "by": "me"} for name in ("e0", "e0", "o1")]


@pytest.fixture
def folder(tmp_path):
    toml = LEAVE_OUT + OTHER.replace("[0, 21]", "[-30, 30]")
    return write(tmp_path, sheet(), toml=toml, exclusions=EXCLUSIONS)


def text(block):
    return re.sub(r"<[^>]+>", " ", block.html)


@pytest.mark.parametrize("outcomes", [None, ["score"]])
@pytest.mark.parametrize(("measure", "none"), [("SMD", 0), ("ROM", 1)])
def test_everything_that_a_report_counts_agrees(folder, outcomes, measure, none):
    report = Report(
        "movement", review=folder, outcomes=outcomes, measure=measure, exclude=["e1", "e0"]
    )
    counts, score = report.counts, report.analyses["score"]
    elsewhere = 0 if outcomes is None else 3
    lost = 0 if outcomes else (2 if measure == "ROM" else 0)
    out = 2 if outcomes else 3
    used = 10 - 2 - none + (2 if not outcomes and measure == "SMD" else 0)
    assert counts == {
        "rows_in": 15, "rows_not_used": 2, "rows_controls": 0, "rows_elsewhere": elsewhere,
        "rows_outside": 0,
        "rows_used": used, "rows_excluded": out, "rows_without_effect": none + lost,
    }  # fmt: skip
    assert counts["rows_in"] == sum(n for name, n in counts.items() if name != "rows_in")
    provenance = report.content["provenance"]
    assert {name: provenance[name] for name in counts} == counts
    glance = report.glance().text
    assert f"Experiments: {used} ({out} excluded" in glance
    assert (f", {none + lost} without an effect)" in glance) == bool(none + lost)
    assert f"{used:,} are used, {out} excluded" in report.sheet().text
    assert f"{out} experiments were left out" in report.methods().text
    assert "2 were left out" in report.outcome("score").galbraith().text
    listed = pd.read_csv(io.StringIO(report.outcome("score").excluded().data["csv"]))
    assert listed["experiment"].tolist() == ["e0", "e1"] + ["e2"] * none
    outcome = report.content["outcomes"]["score"]
    assert [one["experiment"] for one in outcome["excluded"]] == ["e0", "e1"]
    assert [one["experiment"] for one in outcome["undefined"]] == ["e2"] * none
    assert len(score.rows) + len(listed) == 10


def test_a_row_without_an_effect_stands_in_the_table_with_its_reason(folder):
    report = Report("movement", review=folder, measure="ROM")
    block = report.outcome("score").excluded()
    assert "1 experiment of them has no effect by these settings" in block.text
    assert "both means must be above 0" in block.text
    assert "Experiments without an effect by these settings were left out" in report.alerts().text
    assert report.outcome("other").excluded() is None
    assert (
        "Not analysed: no experiment on other has an effect"
        in report.outcome("other").forest().text
    )
    assert "o0, o2: ROM is undefined" in report.alerts().text
    assert set(report.content["provenance"]["not_analysed"]) == {"other"}


def test_a_report_of_nothing_but_undefined_effects_is_refused_with_every_row(folder):
    with pytest.raises(ValueError, match="no experiment on other has an effect: o0, o2: ROM"):
        Report("movement", review=folder, outcomes=["other"], measure="ROM")


def test_an_excluded_row_need_not_have_an_effect(folder):
    report = Report("movement", review=folder, outcomes=["score"], measure="ROM", exclude=["e2"])
    assert report.counts["rows_without_effect"] == 0
    assert report.counts["rows_excluded"] == 2
    assert "–" in report.outcome("score").excluded().text


def test_the_overview_counts_the_whole_sheet(folder):
    overview = Overview(folder)
    assert overview.counts["rows_elsewhere"] == 0
    assert sum(overview.counts.values()) == 2 * overview.counts["rows_in"]
    assert "11 are used, 2 excluded" in overview.sheet().text


def test_levels_of_one_study_are_named_and_not_tested(folder):
    report = Report("movement", review=folder, outcomes=["score"])
    heading = report.outcome("score").moderators().html
    assert "c (not in the test)" in heading
    cells = report.analyses["score"].models["kind"].cells.set_index("level")
    assert cells["in_test"].to_dict() == {"a": True, "b": True, "c": False}
    assert "has only one experiment or one study" in report.alerts().text


def test_levels_of_one_study_are_named_and_not_tested_in_subgroups(tmp_path):
    toml = ARTICLE_LEADS + LEAVE_OUT + OTHER.replace("[0, 21]", "[-30, 30]")
    folder = write(tmp_path, sheet(), toml=toml, exclusions=EXCLUSIONS)
    report = Report("movement", review=folder, outcomes=["score"])
    heading = report.outcome("score").moderators().html
    assert "levels of one experiment or one study, not tested: c" in heading
    found = report.analyses["score"]
    p = found.tested["kind"].p_moderators
    assert f"without them regression p = {p:.3f}, by Holm p = {p:.3f}" in heading
    assert p != found.regressions["kind"].p_moderators
    assert "Q between" not in heading
    assert "has only one experiment or one study" in report.alerts().text
    assert (
        "without c, of one experiment or one study" in report.outcome("score").bubble("kind").text
    )


def test_an_articles_table_keeps_its_tests_of_all_levels_beside_those_without():
    report = Report("inflammation", outcomes=["il_1b"])
    heading = report.outcome("il_1b").moderators().html
    assert "Q between" in heading and "regression p = 0.014, R² =" in heading
    assert "not tested: Transection · without them regression p = 0.525" in heading


def test_one_study_is_said_and_nothing_tested(tmp_path):
    table = [row(f"e{i}", study="only", kind="aab"[i], mean_treated=12 + i) for i in range(3)]
    report = Report("movement", review=write(tmp_path, table, toml=OTHER), outcomes=["score"])
    assert "All experiments come from one study" in report.alerts().text
    assert (
        "not tested: all experiments come from one study"
        in report.outcome("score").moderators().html
    )
    words = report.outcome("score").result().text
    assert "differed by" not in words and "moderator" not in words
    assert report.content["outcomes"]["score"]["p_holm"] == {}
