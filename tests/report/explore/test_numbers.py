"""The explorer's numbers are those of the report that its own call makes."""

import random
from contextlib import suppress
from dataclasses import replace

import made_up
import numpy as np
import pytest
from own_review import FAMILY, row, write

from helpers import Report
from helpers.report.explore import numbers, state, written
from helpers.report.explore.state import Choice

SETTINGS = ("measure", "correction", "variance", "method", "interval", "prediction", "level",
            "split_controls")  # fmt: skip
SAME = ("k", "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_effect", "tau2", "i2")
MODEL = '[settings]\nlevel = 0.9\n[model]\nlevels = ["study", "experiment"]\nrho = 0.7\n'


def wander(review, outcomes, rng, steps):
    """Choices as a person would come to them, one step after the other."""
    choice = state.normal(Choice(outcomes[0]), review)
    levels = {name: one.levels for name, one in review.moderators.items() if one.levels}
    for _ in range(steps):
        kind = rng.choice(["setting", "setting", "row", "row", "levels", "preset", "outcome"])
        if kind == "setting":
            name = rng.choice(SETTINGS)
            measure = choice.settings.get("measure", "SMD")
            value = rng.choice([None, *state.values(name, measure)])
            choice = state.with_setting(choice, review, name, value)
        elif kind == "row":
            choice = state.toggled(choice, rng.choice([*review.rows(choice.outcome).index]))
        elif kind == "levels" and levels:
            name = rng.choice([*levels])
            kept = rng.sample(levels[name], rng.randint(1, len(levels[name])))
            choice = state.with_levels(choice, name, kept, levels[name])
        elif kind == "preset":
            preset = rng.choice(state.presets(choice, review))
            choice = state.normal(replace(choice, preset=preset), review)
        elif kind == "outcome":
            choice = replace(choice, outcome=rng.choice(outcomes))
        yield choice


def run(call):
    """What an exact Python call gives, by its own words."""
    *before, last = call.splitlines()
    scope = {}
    exec("\n".join(before), scope)
    return eval(last, scope)


def agree(report, choice):
    """Whether a choice has a number, after it was held to that of its own call."""
    review, given = report.review, report.given
    one = numbers.found(review, choice)
    call = written.call(report.family.id, given, choice)
    if one.analysis is None:
        assert one.error
        with suppress(ValueError, AttributeError):  # no report, or an outcome not analysed
            assert run(call) is None
        return False
    theirs = run(call)
    for name in SAME:
        mine, other = getattr(one.analysis.leading, name), getattr(theirs, name)
        assert mine == other or (np.isnan(mine) and np.isnan(other)), (name, call)
    return True


def held(report, outcomes, seed, steps):
    walk = wander(report.review, outcomes, random.Random(seed), steps)
    had = [agree(report, choice) for choice in walk]
    assert sum(had) > 0.5 * len(had)


def test_numbers_are_those_of_the_call_in_a_rebuilt_article():
    outcomes = ["il_6", "tnf_a"]
    held(Report("inflammation", outcomes=outcomes, moderators=[]), outcomes, seed=1, steps=24)


@pytest.mark.parametrize("settings", ["", MODEL], ids=["plain", "settings and model"])
def test_numbers_are_those_of_the_call_in_an_own_review(tmp_path, settings):
    made_up.simulate(tmp_path / "own", 40)
    path = tmp_path / "own" / "review.toml"
    head, rest = path.read_text().split("[[families]]")
    path.write_text(f"{head}\n{settings}\n[[families]]{rest}")
    report = Report("made_up", review=tmp_path / "own", moderators=[])
    held(report, ["score"], seed=2, steps=24)


def test_the_average_variance_is_that_of_the_rows_that_are_kept():
    review = Report("microglia", outcomes="iba_1", moderators=[]).review
    choice = state.with_setting(
        state.normal(Choice("iba_1"), review), review, "variance", "average"
    )
    before = numbers.found(review, choice).analysis
    out = before.effects["effect"].idxmax()
    after = numbers.found(review, state.toggled(choice, out)).analysis
    others = before.effects["variance"].drop(out)
    assert after.effects.index.equals(others.index)
    assert (abs(after.effects["variance"] - others) > 1e-9).all()


# --- What is drawn and told --------------------------------------------------------------------


@pytest.fixture
def report(tmp_path):
    toml = (
        FAMILY
        + """
[[moderators]]
id = "species"
label = "Species"
levels = ["mouse", "rat"]
"""
    )
    table = [
        row(f"e{i}", mean_treated=10 + i, species="" if i == 5 else ("mouse", "rat")[i % 2])
        for i in range(6)
    ]
    excluded = [{"experiment": "e4", "reason": "ill", "by": "me"}]
    return Report("movement", review=write(tmp_path / "r", table, toml=toml, exclusions=excluded))


def shown(report, **choice):
    review = report.review
    start = state.normal(Choice("score"), review)
    one, reported = (numbers.found(review, c) for c in (replace(start, **choice), start))
    return numbers.drawn(one, reported), numbers.told(report, one, reported)


def test_each_row_has_its_fate_and_stays_a_row(report):
    drawn, told = shown(report, exclude=("e1",), where={"species": ["mouse"]})
    assert drawn["fates"] == ["used", "hand", "used", "level", "listed", "level"]
    assert drawn["why"][3:] == ["Species: rat", "ill (me)", "Species: no value"]
    assert [line is None for line in drawn["intervals"]] == [False] * 6
    assert [weight is None for weight in drawn["weights"]] == [False, True, False, True, True, True]
    assert told["left_out"] == (
        "Of 6 experiments: 1 left out here, 2 left out by their levels and 1 excluded by the "
        "review."
    )


def test_what_was_and_what_is_stand_beside_each_other(report):
    _, same = shown(report)
    assert same["was"] == same["now"] and same["flipped"] == ""
    assert all(before == after for _, before, after in same["table"])
    drawn, other = shown(report, exclude=("e3", "e5"))
    assert other["was"] == same["now"] != other["now"] and other["now"].startswith("SMD ")
    assert "includes 0" in other["sentence"] and "k = 3" in drawn["results"][0]["name"]
    assert [one["kind"] for one in drawn["results"]] == ["pooled", "prediction", "reported"]
    assert "CI" in other["flipped"] and "in the report" in other["flipped"]


def test_another_measure_is_named_and_not_drawn_on_the_same_axis(report):
    review, start = report.review, state.normal(Choice("score"), report.review)
    one = numbers.found(review, state.with_setting(start, review, "measure", "ROM"))
    reported = numbers.found(review, start)
    drawn, told = (numbers.drawn(one, reported),
                   numbers.told(report, one, reported))  # fmt: skip
    assert told["was"].startswith("SMD ") and told["now"].startswith("ratio of means ")
    assert told["heads"] == ["In the report: SMD", "Now: Ratio of means"]
    assert "reported" not in [bar["kind"] for bar in drawn["results"]]
    ticks = [float(text) for _, text in drawn["scale"]["ticks"]]
    assert np.allclose(np.log(ticks), [at for at, _ in drawn["scale"]["ticks"]])


def test_what_cannot_be_computed_is_said_and_no_number_stays(report):
    drawn, told = shown(report, exclude=tuple(f"e{i}" for i in range(6)))
    assert told["error"] == "No result: no experiment on score is left to analyse."
    assert told["now"] == "" and told["table"] == [] and drawn["results"] == []
    assert set(drawn["intervals"]) == {None} and drawn["fates"].count("hand") == 5
