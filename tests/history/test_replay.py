"""A living review replayed: its results, its rows, what flipped and why."""

import living
import pandas as pd
import pytest
from own_review import row, rows, write

from helpers.analysis.outcome import analyse
from helpers.history.replay import replay
from helpers.history.states import from_folders, from_tags
from helpers.problems import Refused
from helpers.review.review import load


def test_each_state_gives_what_it_gives_by_itself(tmp_path):
    folders = living.states(tmp_path)
    history = replay(from_folders(folders))
    score = history.results[history.results["outcome"] == "score"].set_index("date")
    for folder in folders:
        alone = analyse(load(folder), "score", moderators=[]).leading
        shown = score.loc[folder.name[-10:]]
        for name in ("k", "estimate", "ci_low", "ci_high"):
            assert shown[name] == getattr(alone, name)
    assert score["conclusion"].tolist() == ["includes", "benefit", "benefit"]
    assert score["flipped"].tolist() == [False, True, False]


def test_what_came_in_and_went_adds_up(tmp_path):
    history = replay(from_folders(living.states(tmp_path)))
    steps = history.steps
    assert steps[["before", "after"]].values.tolist() == [[4, 10], [10, 9]]
    shared = steps["unchanged"] + steps["changed"] + steps["renamed"]
    assert (shared + steps["removed"] == steps["before"]).all()
    assert (shared + steps["added"] == steps["after"]).all()
    last = history.rows[history.rows["to"] == "2025-03-01"]
    assert last[["experiment", "change", "column"]].values.tolist() == [
        ["e0", "removed", ""], ["e1", "changed", "sd_control"]
    ]  # fmt: skip
    experiments = history.states["rows_in"] - history.states["not_used"]
    assert (experiments == history.states["experiments"]).all()


def test_tags_tell_the_same_as_folders(tmp_path):
    folders = living.states(tmp_path)
    one = replay(from_folders(folders))
    two = replay(from_tags(living.repository(tmp_path / "work", folders))[0])
    names = ["outcome", "k", "estimate", "ci_low", "ci_high", "conclusion", "flipped"]
    pd.testing.assert_frame_equal(one.results[names], two.results[names])
    assert one.states["digest"].tolist() == two.states["digest"].tolist()


def test_a_flip_says_which_rows_and_settings_changed(tmp_path):
    folders = living.states(tmp_path)
    with open(folders[1] / "review.toml", "a") as toml:
        toml.write('[settings]\nmethod = "DL"\n')
    (flip,) = replay(from_folders(folders)).flips.to_dict("records")
    assert (flip["from"], flip["to"], flip["added"]) == ("2023-03-01", "2024-06-01", 6)
    assert flip["settings"] == 1
    # By the older settings the newer rows give what `recommended` gives.
    like = analyse(load(folders[1]), "score", moderators=[]).recommended
    assert flip["like_estimate"] == like.estimate and flip["like_conclusion"] == "benefit"


def test_a_flip_by_a_setting_alone_is_told_from_one_by_data(tmp_path):
    table = living.table([9.5, 11.0, 12.4])
    folders = [write(tmp_path / day, table) for day in ("2024-01-01", "2025-01-01")]
    with open(folders[1] / "review.toml", "a") as toml:
        toml.write('[settings]\ninterval = "z"\nmethod = "EE"\n')
    history = replay(from_folders(folders))
    (flip,) = history.flips.to_dict("records")
    assert flip["conclusion_old"] == "includes" and flip["conclusion_new"] == "benefit"
    assert flip["added"] == flip["changed"] == flip["removed"] == 0
    assert flip["like_conclusion"] == "includes" and flip["like_estimate"] == flip["estimate_old"]
    assert set(history.settings["setting"]) == {"settings.interval", "settings.method"}


def test_a_state_that_cannot_be_read_is_named_and_passed_over(tmp_path):
    folders = living.states(tmp_path)
    broken = write(tmp_path / "2024-01-01", [living.table([9])[0] | {"sd_treated": -1}])
    history = replay(from_folders([*folders, broken]))
    faults = history.states.set_index("state")["fault"]
    assert (
        "an SD is not negative" in faults["2024-01-01"] and faults.drop("2024-01-01").eq("").all()
    )
    assert history.steps[["from", "to"]].values.tolist()[0] == ["2023-03-01", "2024-06-01"]
    assert str(tmp_path) not in faults["2024-01-01"]


def test_an_unreadable_state_names_no_temporary_place(tmp_path):
    folders = living.states(tmp_path)
    (folders[1] / "experiments.csv").unlink()
    history = replay(from_tags(living.repository(tmp_path / "work", folders))[0])
    fault = history.states.set_index("state").loc["2024-06-01 (v2)", "fault"]
    assert "experiments.csv" in fault and "tmp" not in fault


def test_an_outcome_that_comes_and_goes_is_no_flip(tmp_path):
    folders = living.states(tmp_path)
    pain = [row(f"p{i}", outcome="pain", mean_treated=5 + i / 2) for i in range(4)]
    write(folders[1], [*living.table(living.UNCLEAR), *pain], toml=living.TWO)
    history = replay(from_folders(folders))
    assert "pain" not in set(history.flips.get("outcome", ()))
    shown = history.results[history.results["outcome"] == "pain"]
    assert shown["conclusion"].tolist() == ["none", "benefit", "none"]


def test_a_previous_version_that_is_gone_keeps_no_state_from_being_read(tmp_path):
    folders = living.states(tmp_path)
    toml = folders[0] / "review.toml"
    toml.write_text(f'previous = "../stroke-2020"\n{toml.read_text()}')
    assert replay(from_folders(folders)).states["fault"].eq("").all()


def test_a_single_state_is_no_history(tmp_path):
    folder = write(tmp_path / "2024-01-01", rows())
    with pytest.raises(Refused, match="needs two states"):
        replay(from_folders([folder]))
