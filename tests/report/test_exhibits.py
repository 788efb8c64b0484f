"""What every report says of its sheet and its origin."""

from dataclasses import replace

import pandas as pd
import pytest

from helpers import Overview, Report
from helpers.report import risk_of_bias


@pytest.fixture(scope="module")
def report():
    return Report("locomotion")


def test_the_way_of_the_sheet_is_counted(report):
    text = report.sheet().text
    rows = report.review.rows_in
    assert f"{rows} rows in, {rows} experiments out, 0 rows listed" in text
    assert "72 of them belong to this report" in text
    assert "of them belong" not in Overview().sheet().text
    assert report.not_used() is None


def test_rows_not_used_are_listed_with_their_reason(report, monkeypatch):
    left = pd.DataFrame({"sheet_row": [7], "reason": ["no mean (NS)"]})
    monkeypatch.setattr(report, "review", replace(report.review, not_used=left))
    assert "1 row listed" in report.sheet().text
    assert "no mean (NS)" in report.not_used().text


def test_origin_names_hashes_parameters_and_evidence(report):
    text = report.provenance().text
    assert "reconstructed" in text
    assert report.content["provenance"]["inputs"]["review.toml"] in text
    assert report.content["provenance"]["rows"] in text
    assert "method = 'REML'" in text
    assert "Protocol" not in text


def test_a_protocol_and_its_deviations_are_shown(report):
    config = report.review.description.config
    config["protocol"] = {"id": "CRD42", "deviations": ["one more outcome"]}
    try:
        text = report.provenance().text
    finally:
        del config["protocol"]
    assert "CRD42" in text
    assert "one more outcome" in text


def test_a_report_shows_the_odd_values_of_its_own_rows_only():
    whole = Overview()
    inflammation = Report("inflammation")
    rows = whole.review.experiments.set_index("sheet_row")["outcome"]
    own = [f for f in whole.review.warnings if rows.get(f.row) in inflammation.analyses]
    assert 0 < len(own) < len(whole.review.warnings)
    assert f"{len(own)} odd values" in inflammation.alerts().text
    assert f"{len(whole.review.warnings)} odd values" in whole.alerts().text


def test_the_presets_say_another_level_of_the_chosen_result():
    assert (
        "Chosen settings, 90% CI" in Report("microglia", level=0.9).outcome("iba_1").presets().html
    )
    assert "Chosen settings<" in Report("microglia", method="DL").outcome("iba_1").presets().html


def test_what_the_article_prints_is_marked_so_in_downloads():
    whole = Overview()
    for block in (whole.flow(), whole.risk_of_bias(), whole.risk_of_bias_items()):
        lines = block.data["csv"].splitlines()
        assert lines[0].endswith("provenance")
        assert all(line.endswith("as printed") for line in lines[1:])


def test_a_risk_of_bias_table_needs_no_word_on_the_whole_study():
    whole = Overview()
    judged = risk_of_bias.read(whole.review)
    without = replace(judged, table=judged.table.drop(columns="overall"))
    shown = risk_of_bias.judgements(whole.exhibits, without)
    assert "There is no summary score; the printed word" in whole.risk_of_bias().text
    assert "There is no summary score." in shown.text
