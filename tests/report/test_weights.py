"""Weights belong to what was pooled: each that is shown or downloaded, and the result beside it."""

import io

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers import Report
from helpers.drawing.marks import Texts
from helpers.report.forests import NO_LEVEL


@pytest.fixture(scope="module", params=["", '[article]\ncitation = "A 2020"\n'])
def folder(request, tmp_path_factory):
    """Ten experiments of as many studies, two of them without a species; one is excluded."""
    table = [
        row(f"e{i}", study=f"s{i}", mean_treated=10 + i % 4, n_treated=4 + i, n_control=5 + i,
            species=("mouse", "rat")[i % 2])
        for i in range(10)
    ]  # fmt: skip
    table[3]["species"] = table[8]["species"] = ""
    excluded = [{"experiment": "e1", "reason": "late", "by": "me"}]
    toml = request.param + FAMILY + SPECIES
    return write(tmp_path_factory.mktemp("review"), table, toml=toml, exclusions=excluded)


def written(block):
    """All texts of a figure's own, in the order in which they were put there."""
    axes = block.figure.axes[0]
    return [one for artist in axes.get_children() if isinstance(artist, Texts)
            for one in artist.strings]  # fmt: skip


def shares(block):
    """The weights that a forest plot writes, in percent."""
    return [float(text[:-1]) for text in written(block) if text.endswith("%") and " " not in text]


@pytest.mark.parametrize("where", [None, {"species": "rat"}])
@pytest.mark.parametrize("settings", [{}, {"method": "DL"}, {"measure": "ROM"}, {"method": "EE"}])
def test_weights_give_the_estimate_that_leads(folder, where, settings):
    report = Report("movement", review=folder, where=where, **settings)
    outcome = report.outcome("score")
    rows = pd.read_csv(io.StringIO(outcome.forest().data["csv"]))
    assert rows["weight"].sum() == pytest.approx(1, abs=1e-12)
    pooled = (rows["weight"] * rows["effect"]).sum()
    assert pooled == pytest.approx(outcome.analysis.leading.estimate, rel=1e-9)
    assert shares(outcome.forest()) == pytest.approx(100 * rows["weight"], abs=0.051)


def test_a_part_beside_the_whole_has_weights_of_its_own(folder):
    report = Report("movement", review=folder)
    whole, part = report.outcome("score"), report.outcome("score", where={"species": "rat"})
    for outcome in (part, whole, part):
        effects = outcome.analysis.effects
        pooled = (effects["weight"] * effects["effect"]).sum()
        assert pooled == pytest.approx(outcome.analysis.leading.estimate, rel=1e-9)


def test_a_plot_by_levels_shows_all_that_was_pooled_and_says_whose_weights_it_has(folder):
    outcome = Report("movement", review=folder).outcome("score")
    block = outcome.forest(by="species")
    assert "weights are those in the pooled effect of all" in block.text
    assert NO_LEVEL in written(block)
    assert len(shares(block)) == outcome.analysis.leading.k == 9
    assert sum(shares(block)) == pytest.approx(100, abs=0.5)
    assert "weights are those" not in outcome.forest().text


def test_bubbles_say_whose_weights_they_have(folder):
    block = Report("movement", review=folder).outcome("score").bubble("species")
    assert "its area the weight in the pooled effect" in block.text
    rows = block.frame
    whole = Report("movement", review=folder).analyses["score"].effects["weight"]
    np.testing.assert_allclose(rows.set_index("experiment")["weight"], whole[rows["experiment"]])


def test_in_a_group_each_outcome_has_weights_of_its_own():
    report = Report("microglia")
    rows = report.group(["cd68", "iba_1"], "Both").forest().frame
    for name, part in rows.groupby("outcome"):
        assert part["weight"].sum() == pytest.approx(1, abs=1e-12)
        pooled = (part["weight"] * part["effect"]).sum()
        assert pooled == pytest.approx(report.analyses[name].leading.estimate, rel=1e-9)
