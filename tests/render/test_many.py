"""Reports of many experiments: what is drawn, what is not done, and that the page says so."""

import io

import numpy as np
import pandas as pd
import pytest
from made_up import simulate

from helpers import Report
from helpers.analysis import small_study, three_level
from helpers.render.run import render
from helpers.report import exhibits

MANY = 20


@pytest.fixture
def report():
    return Report("locomotion", seed=1)


@pytest.fixture
def few(monkeypatch):
    """Let a call take more than 20 experiments for many."""
    return lambda: monkeypatch.setattr(exhibits, "MANY", MANY)


def downloaded(block):
    return pd.read_csv(io.StringIO(block.data["csv"]))


@pytest.mark.parametrize("figure", ["galbraith", "funnel", "forest"])
def test_a_figure_of_many_draws_a_sample_and_says_so(figure, report, few):
    whole = getattr(report.outcome("locomotion"), figure)().html
    few()
    part = getattr(report.outcome("locomotion"), figure)().html
    assert "chosen at random" not in whole
    assert f"Drawn: {MANY} of the 7" in part
    assert len(part) < len(whole)


def test_results_and_the_download_of_the_forest_plot_are_those_of_all(report, few):
    forest, result = report.outcome("locomotion").forest(), report.outcome("locomotion").result()
    few()
    assert downloaded(report.outcome("locomotion").forest()).equals(downloaded(forest))
    assert report.outcome("locomotion").result().text == result.text
    assert len(downloaded(report.outcome("locomotion").funnel())) == MANY


def test_groups_of_a_sampled_forest_plot_keep_the_results_of_all(report, few):
    few()
    html = report.outcome("locomotion").forest("species").html
    for pooled in report.analyses["locomotion"].subgroups["species"].results.values():
        assert pooled is None or f"Pooled, k = {pooled.k}" in html


def test_the_sample_is_the_same_again_and_in_the_order_of_the_sheet(report, few):
    few()
    rows = report.analyses["locomotion"].rows
    drawn, _ = exhibits.sample(rows, report.seed)
    assert len(drawn) == MANY
    assert drawn.equals(exhibits.sample(rows, report.seed)[0])
    assert (np.diff(rows.index.get_indexer(drawn.index)) > 0).all()


def test_none_of_many_is_left_out_in_turn(report, few):
    few()
    block = report.outcome("locomotion").influence()
    weight = 100 * report.analyses["locomotion"].effects["weight"].max()
    assert "none was left out in turn" in block.text
    assert f"{weight:.3f}%" in block.text


def test_a_study_too_large_for_a_three_level_model_is_said(monkeypatch):
    monkeypatch.setattr(three_level, "MOST", 1)
    one = Report("locomotion").analyses["locomotion"]
    assert one.three_level is None
    assert one.robust is None
    assert one.three_level_note == (
        "No three-level model is fitted where one study holds more than 1 experiments."
    )


@pytest.mark.parametrize(("most", "replicates"), [(10**6, 500), (72 * 150, 150), (72, 100)])
def test_many_experiments_are_simulated_less_often(most, replicates, report, monkeypatch):
    monkeypatch.setattr(small_study, "SIMULATED", most)
    assert f"In {replicates} simulated" in report.outcome("locomotion").small_study().text


@pytest.mark.slow
def test_a_report_on_5000_rows_stays_below_5_mb(tmp_path):
    simulate(tmp_path / "review", 5_000)
    render(["made_up"], review=tmp_path / "review", out=tmp_path / "out", quiet=True)
    assert (tmp_path / "out" / "made_up.html").stat().st_size < 5e6
