"""What a person can choose: each step a new choice, and only what a report can be asked for."""

import pytest
from own_review import FAMILY, rows, write

from helpers.analysis.settings import ARTICLE, RECOMMENDED, Model, Settings
from helpers.report.explore import state
from helpers.report.explore.state import Choice, History
from helpers.review.review import load

ARTICLE_TOML = '[article]\ncitation = "Doe J. 2020."\n'
SPECIES = ("mouse", "rat")


@pytest.fixture
def own(tmp_path):
    return load(write(tmp_path / "own", rows()))


@pytest.fixture
def rebuilt(tmp_path):
    return load(write(tmp_path / "rebuilt", rows(), toml=ARTICLE_TOML + FAMILY))


def begin(review):
    return state.normal(Choice("score"), review)


def test_what_nobody_chose_is_the_preset_that_leads(own, rebuilt):
    assert begin(own).preset == "recommended" and begin(rebuilt).preset == "article"
    assert state.asked_of(begin(own), own) == (RECOMMENDED, Model())
    assert state.asked_of(begin(rebuilt), rebuilt) == (ARTICLE, None)


def test_a_setting_makes_the_chosen_result_and_taking_it_back_the_preset(rebuilt):
    chosen = state.with_setting(begin(rebuilt), rebuilt, "method", "DL")
    assert chosen.preset == "chosen" and chosen.settings == {"method": "DL"}
    assert state.asked_of(chosen, rebuilt) == (Settings(method="DL"), None)
    assert state.with_setting(chosen, rebuilt, "method", None) == begin(rebuilt)


def test_settings_of_independent_rows_take_the_multilevel_model_away(own):
    other = state.with_setting(begin(own), own, "correction", "none")
    assert state.asked_of(other, own)[1] == Model() and not state.makes_independent(other)
    other = state.with_setting(other, own, "interval", "hksj")
    assert state.asked_of(other, own)[1] is None and state.makes_independent(other) == ["interval"]


def test_only_the_measure_stays_in_the_recommended_result_of_a_rebuilt_article(rebuilt):
    recommended = state.normal(Choice("score", "recommended", {"method": "DL"}), rebuilt)
    assert recommended.settings == {}
    other = state.with_setting(recommended, rebuilt, "measure", "MD")
    assert other.preset == "recommended"
    assert state.asked_of(other, rebuilt)[0].measure == "MD"
    why = state.idle(other, rebuilt, RECOMMENDED, None)
    assert set(why) == {*state.NAMES} - {"measure"} and "take the article's" in why["method"]


def test_a_variance_goes_with_the_measure_that_it_belongs_to(own):
    choice = state.with_setting(begin(own), own, "measure", "NMD")
    choice = state.with_setting(choice, own, "variance", "conventional")
    assert state.with_setting(choice, own, "measure", "SMD").settings == {"measure": "SMD"}
    assert state.values("variance", "NMD") == ("delta", "conventional")
    assert "delta" not in state.values("variance", "SMD")


def test_settings_without_a_part_in_the_measure_are_idle(own):
    why = state.idle(begin(own), own, Settings(measure="ROM", method="EE"), None)
    assert set(why) == {"correction", "variance", "prediction"}
    assert set(state.impossible(own, "score")) == {"NMD"}


def test_all_levels_are_no_choice():
    choice = state.with_levels(Choice("score"), "species", ["rat"], SPECIES)
    assert choice.where == {"species": ["rat"]}
    assert state.with_levels(choice, "species", SPECIES, SPECIES).where == {}
    assert state.with_levels(choice, "species", [], SPECIES).where == {"species": []}


def test_an_experiment_goes_out_and_comes_back():
    out = state.toggled(state.toggled(Choice("score"), "e1"), "e2")
    assert out.exclude == ("e1", "e2") and state.toggled(out, "e1").exclude == ("e2",)


def test_history_goes_back_and_forth():
    start, one, two = (Choice("score", exclude=tuple("ab"[:n])) for n in range(3))
    history = History(start)
    assert not history.can_undo and history.undo() == start
    history.go(one)
    history.go(one)  # no step
    history.go(two)
    assert [history.undo(), history.undo(), history.undo()] == [one, start, start]
    assert [history.redo(), history.redo(), history.redo()] == [one, two, two]
    assert history.reset() == start and history.undo() == two
    history.go(one)
    assert not history.can_redo


def test_what_the_review_excludes_itself_is_forgotten_in_all_choices():
    history = History(Choice("score"))
    for name in ("a", "b"):
        history.go(state.toggled(history.now, name))
    history.forget(["a"])
    assert history.now.exclude == ("b",) and history.undo().exclude == ()
