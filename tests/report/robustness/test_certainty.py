"""Certainty as reports show it: linked, with its rules, confirmed by a file, looked at again."""

import io
import re

import pandas as pd
import pytest

from helpers import Overview, Report
from helpers.review.robustness.certainty import LOWERING
from tests.own_review import FAMILY, row, write

KIND = '[evidence]\nkind = "{}"\n'


def table(block, name):
    """The download of one of a block's tables."""
    part = next(one for one in block.data["parts"] if one["name"] == name)
    return pd.read_csv(io.StringIO(part["csv"].lstrip("\ufeff")), keep_default_na=False)


def review(folder, kind="extracted", **files):
    rows = [
        row(f"e{i}", mean_treated=11 + i % 4, n_treated=7 + i % 3, n_control=8, a="low", b="low")
        for i in range(12)
    ]
    toml = FAMILY + KIND.format(kind) + '[quality]\nrisk_of_bias = ["a", "b"]\n'
    return write(folder, rows, toml=toml, **files)


def filled(block, by="A. Doe", **judgements):
    """The download with a person's judgements, the rule's own where none is given."""
    lines = table(block, "certainty")
    lowering = lines["domain"].isin(LOWERING)
    said = lines["computed"].replace("for a person", "not serious")
    said = [judgements.get(*pair) for pair in zip(lines["domain"], said, strict=True)]
    lines["judgement"] = pd.Series(said).where(lowering, "")
    lines.loc[lowering, ["reason", "by"]] = "As computed", by
    return lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return review(tmp_path_factory.mktemp("certainty"))


@pytest.fixture
def confirmed(folder, tmp_path):
    lines = filled(Report("movement", review=folder).certainty(), imprecision="serious")
    path = review(tmp_path / "confirmed")
    lines.to_csv(path / "certainty.csv", index=False, sep=";", encoding="cp1252")
    return path


def test_nothing_is_confirmed_by_itself(folder):
    report = Report("movement", review=folder)
    text = report.certainty().text
    assert "at most high, unconfirmed" in text and "for a person" in text
    assert "A person has judged every domain of 0 of 1 outcome." in text
    assert report.content["outcomes"]["score"]["certainty"]["confirmed"] is False
    assert table(report.certainty(), "summary-of-findings")["certainty"].tolist() == ["high"]


def test_the_first_screen_has_it_and_leads_to_the_whole(folder):
    block = Report("movement", review=folder).findings()
    assert '<a href="#table-summary-of-findings">at most high, unconfirmed</a>' in block.html
    assert "at most high, unconfirmed" in block.data["csv"]


def test_each_judgement_leads_to_what_it_rests_on(folder):
    report = Report("movement", review=folder)
    shown = report.certainty().html
    page = str(shown + report.findings().html + report.outcome("score").show().html)
    page += '<div id="outcome-score"></div>'  # of the heading above an outcome
    leads = re.findall(r'href="([^"]*#[^"]*)"', shown)
    assert len(leads) == 6
    inside = {lead[1:] for lead in leads if lead.startswith("#")}
    assert inside == {
        "outcome-score",
        "score-heterogeneity",
        "figure-score-funnel",
        "table-findings",
    }
    assert [mark for mark in inside if f'id="{mark}"' not in page] == []
    assert [lead for lead in leads if not lead.startswith("#")] == ["overview.html#risk-of-bias"]


def test_the_overview_says_the_same_and_leads_to_the_families(folder):
    whole, part = Overview(folder), Report("movement", review=folder)
    own, other = (one.content["outcomes"]["score"]["certainty"] for one in (whole, part))
    assert own == other
    leads = re.findall(r'href="([^"]*#[^"]*)"', whole.certainty().html)
    assert "movement.html#score-heterogeneity" in leads and "#risk-of-bias" in leads


def test_the_download_filled_in_confirms_and_changes_nothing_else(confirmed):
    report = Report("movement", review=confirmed)
    text = report.certainty().text
    assert "serious (−1), A. Doe" in text and "look again" not in text.casefold()
    assert "A. Doe: As computed. By the rule not serious: the 95% CI" in text
    content = report.content["outcomes"]["score"]["certainty"]
    assert (content["certainty"], content["confirmed"]) == ("moderate", True)
    assert ">moderate</a>" in report.findings().html
    assert not [one for one in report.alerts().text.splitlines() if "certainty" in one]
    again = table(report.certainty(), "certainty").set_index("domain")
    assert again.loc["imprecision", ["judgement", "by", "now"]].tolist() == [
        "serious",
        "A. Doe",
        "",
    ]


def test_a_judgement_whose_numbers_have_changed_is_marked(confirmed):
    sheet = pd.read_csv(confirmed / "experiments.csv")
    sheet.loc[0, "mean_treated"] += 1
    sheet.to_csv(confirmed / "experiments.csv", index=False)
    report = Report("movement", review=confirmed)
    assert "moderate, look again" in report.findings().text
    text = report.certainty().text
    assert re.search(r"Look again: judged on 95% CI \[.*\]; animals \d+; now it is 95% CI", text)
    assert "3 judgements of certainty.csv rest on numbers that have changed" in report.alerts().text
    lines = table(report.certainty(), "certainty").set_index("domain")
    assert (lines["now"] != "").sum() == 3
    lines.loc[lines["now"] != "", "rests_on"] = lines["now"]
    lines.reset_index().to_csv(confirmed / "certainty.csv", index=False)
    assert "look again" not in Report("movement", review=confirmed).findings().text


def test_numbers_of_other_settings_are_other_numbers(confirmed):
    report = Report("movement", review=confirmed, exclude=["e3"])
    assert "look again" in report.findings().text


@pytest.mark.parametrize("kind", ["reconstructed", "simulated"])
def test_rows_that_are_not_authentic_never_have_a_bare_level(folder, tmp_path, kind):
    lines = filled(Report("movement", review=folder).certainty())
    path = review(tmp_path, kind)
    lines.to_csv(path / "certainty.csv", index=False)
    report = Report("movement", review=path)
    assert f">high ({kind} rows)</a>" in report.findings().html
    assert f"Levels of certainty are those of {kind} rows." in report.findings().text
    assert "say nothing about the world" in report.certainty().text
    assert set(table(report.certainty(), "certainty")["provenance"]) == {kind}


def test_a_judged_upgrade_has_its_column(folder, tmp_path):
    lines = filled(Report("movement", review=folder).certainty(), imprecision="very serious")
    lines.loc[lines["domain"] == "upgrading", ["judgement", "reason", "by"]] = (
        "one level",
        "Dose",
        "B",
    )
    path = review(tmp_path)
    lines.to_csv(path / "certainty.csv", index=False)
    report = Report("movement", review=path)
    assert "one level up (+1), B" in report.certainty().text
    assert ">moderate</a>" in report.findings().html
