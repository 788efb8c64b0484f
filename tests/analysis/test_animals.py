"""Who shares animals with whom: cohorts, control groups and days, and how often an animal counts."""

import pandas as pd
import pytest
from own_review import FAMILY, row, rows, write

from helpers import Report
from helpers.analysis import animals
from helpers.analysis.effects import effects
from helpers.analysis.outcome import ARTICLE, Settings, analyse
from helpers.review.review import load


def table(*lines):
    """Rows of ``study, cohort, control_group, follow_up_days, n_treated, n_control``."""
    names = ["study", "cohort", "control_group", "follow_up_days", "n_treated", "n_control"]
    return pd.DataFrame(lines, columns=names)


@pytest.mark.parametrize("day", [28, None])
def test_a_day_that_is_not_reported_is_a_day_of_its_own_name(day):
    lines = [("A", "", "c", day, 10, 10), ("A", "", "c", day, 10, 10), ("B", "", "c", day, 9, 9)]
    found = table(*lines)
    assert animals.share(found).tolist() == [5, 5, 9]
    assert animals.count(found) == 10 + 10 + 9 + 10 + 9


def test_the_unnamed_day_is_none_of_the_named_ones():
    found = table(*(("A", "", "c", day, 6, 12) for day in (None, -1, 0, None, -1)))
    assert animals.share(found).tolist() == [6, 6, 12, 6, 6]


def test_a_cohort_is_one_arm_however_many_rows_it_has():
    found = table(
        ("A", "low", "c", 7, 8, 12), ("A", "high", "c", 7, 8, 12), ("A", "high", "c", 7, 8, 12),
        ("A", "low", "c", 28, 7, 12), ("A", "low", "c", 28, 7, 12),
    )  # fmt: skip
    # On day 7 two cohorts share the control, on day 28 one has it alone.
    assert animals.share(found).tolist() == [6, 6, 6, 12, 12]
    # Two cohorts of 8, one of which had lost an animal by day 28, and one control of 12.
    assert animals.count(found) == 8 + 8 + 12


def test_ids_belong_to_their_study_and_are_never_put_together():
    found = table(
        ("A", "1", "1", 7, 5, 6), ("B", "1", "1", 7, 5, 6), ("A 1", "1", "1", 7, 5, 6),
        ("A", "1 1", "1 1", 7, 5, 6), ("1", "A", "A", 7, 5, 6),
    )  # fmt: skip
    assert len(set(animals.control_groups(found))) == len(set(animals.cohorts(found))) == 5
    assert animals.count(found) == 5 * 11


def test_rows_without_ids_share_nothing():
    found = table(*[("A", "", "", 7, 5, 6), ("A", None, None, 7, 5, 6)] * 2)
    assert animals.count(found) == 4 * 11 and animals.share(found).tolist() == [6] * 4
    assert not animals.are_named(found)


def test_shares_that_the_sheet_made_are_added_up():
    lines = [("A", c, "c", day, 8, 4) for day in (7, 28) for c in ("low", "mid", "high")]
    assert animals.count(table(*lines), split=True) == 3 * 8 + 3 * 4
    assert animals.count(table(*lines)) == 3 * 8 + 4


def shared(days):
    """Two studies with two arms on one control, one with one arm; values of three decimals."""
    lines = [("A", 10, 12, 2, 8), ("A", 10, 11, 2, 8), ("B", 9, 13, 3, 9), ("B", 9, 12, 3, 9),
             ("C", 8, 11, 2, 9)]  # fmt: skip
    return [
        row(
            f"e{i}", study=study, n_treated=n, n_control=n, mean_treated=mean, sd_treated=sd,
            mean_control=control, sd_control=sd, control_group=f"{study}-c", **days,
        )
        for i, (study, n, mean, sd, control) in enumerate(lines)
    ]  # fmt: skip


@pytest.mark.parametrize("days", [{"follow_up_days": 28}, {"follow_up_days": ""}, {}])
def test_controls_are_divided_with_and_without_days(days, tmp_path):
    divided = Settings(correction="exact", variance="metafor", split_controls=True, interval="hksj")
    found = analyse(load(write(tmp_path, shared(days))), "score", chosen=divided)
    # metafor: escalc with exact J and n2 / 2 in the shared rows, REML, test = "knha"
    assert found.chosen.estimate == pytest.approx(1.2481, abs=5e-5)
    assert found.animals == 2 * 10 + 2 * 9 + 8 + 10 + 9 + 8


def test_counted_once_is_said_only_where_ids_are_known(tmp_path):
    named = Report("movement", review=write(tmp_path / "a", shared({}))).glance()
    assert "shared controls counted once" in named.text
    blank = [line | {"control_group": ""} for line in shared({})[:1]] + shared({})[1:]
    found = Report("movement", review=write(tmp_path / "b", blank)).glance()
    assert "once" not in found.text and "without an id" in found.text


def test_a_control_cohort_seen_on_two_days_is_one_group_in_a_long_sheet(tmp_path):
    arms = {"veh": "control", "low": "treated", "high": "treated"}
    lines = [
        dict(study=s, outcome="score", cohort=f"{s}-{arm}", arm=kind, follow_up_days=day, n=10,
             mean=5 + len(arm) + day / 28, sd=1.5)
        for s in "AB" for day in (7, 28) for arm, kind in arms.items()
    ]  # fmt: skip
    config = 'long = { group = "arm", control = ["control"], pair = ["study", "follow_up_days"] }\n'
    config += 'columns = { experiment = "row" }'
    found = load(write(tmp_path, lines, config)).experiments
    assert set(found["control_group"]) == {"A-veh", "B-veh"}
    assert animals.count(found) == 2 * 3 * 10
    assert animals.share(found).tolist() == [5] * 8


def test_a_row_without_a_group_shares_nothing_with_one_whose_group_is_called_like_it(tmp_path):
    lines = rows(2)
    lines[1] |= {"control_group": "row e0", "study": "s-e0"}
    found = load(write(tmp_path, lines)).experiments
    divided, whole = (effects(found, Settings(split_controls=split)) for split in (True, False))
    assert (divided == whole).all(axis=None)


def test_the_rule_of_outliers_sees_rows_without_a_level(tmp_path):
    # The rule compares rows within levels; those that do not say theirs are compared too.
    lines = [row(f"e{i}", mean_treated=12 + i / 10) for i in range(9)]
    lines += [row("far", mean_treated=30)]
    toml = FAMILY + '[[moderators]]\nid = "kind"\nlevels = ["x"]\n'
    lines = [line | {"kind": ""} for line in lines]
    folder = write(tmp_path, lines, 'outliers = { sd = 2, by = "kind" }', toml=toml)
    assert load(folder).exclusions["experiment"].tolist() == ["far"]
    assert analyse(load(folder), "score", chosen=ARTICLE).chosen.k == 9
