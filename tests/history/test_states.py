"""Which states a review has, from when, in which order."""

import living
import pytest
from own_review import rows, write

from helpers.history.states import NOW, from_folders, from_tags
from helpers.problems import Refused


def dated(folder, date):
    toml = folder / "review.toml"
    toml.write_text(f"date = {date}\n{toml.read_text()}")
    return folder


def test_folders_are_dated_by_name_then_by_review_toml(tmp_path):
    old, named = write(tmp_path / "old", rows()), write(tmp_path / "at-2024-02-29", rows())
    dated(old, "2023-05-01"), dated(named, "2030-01-01")
    text = dated(write(tmp_path / "text", rows()), '"2025-01-31"')
    moment = dated(write(tmp_path / "moment", rows()), "2026-01-31T12:00:00")
    found = from_folders([named, text, moment, old, named])
    assert [(one.day, one.dated_by) for one in found] == [
        ("2023-05-01", "date in review.toml"), ("2024-02-29", "the folder's name"),
        ("2025-01-31", "date in review.toml"), ("2026-01-31", "date in review.toml"),
    ]  # fmt: skip
    assert [one.label for one in found] == [one.day for one in found]


@pytest.mark.parametrize(
    ("name", "date", "what"),
    [
        ("stroke", "", "it has no date"),
        ("stroke-2024-02-30", "", "it has no date"),
        ("stroke", '"March 2024"', "it has no date"),
        ("stroke-12024-01-011", "", "it has no date"),
        ("2024-01-01-to-2025-01-01", "2024-01-01", "its name has 2024-01-01 and 2025-01-01"),
    ],
)
def test_a_state_without_a_date_is_refused_with_the_way_out(tmp_path, name, date, what):
    folder = write(tmp_path / name, rows())
    if date:
        dated(folder, date)
    with pytest.raises(Refused, match=f"{what}. Put one date into"):
        from_folders([folder])


def test_two_folders_of_one_date_are_refused(tmp_path):
    folders = [write(tmp_path / name, rows()) for name in ("a-2024-01-01", "b-2024-01-01")]
    with pytest.raises(Refused, match="are both of 2024-01-01"):
        from_folders(folders)


def test_another_review_is_refused(tmp_path):
    folders = [write(tmp_path / name, rows()) for name in ("a-2024-01-01", "b-2025-01-01")]
    for folder, name in zip(folders, "xy", strict=True):
        toml = folder / "review.toml"
        toml.write_text(f'id = "{name}"\n{toml.read_text()}')
    with pytest.raises(Refused, match="b-2025-01-01 is another review: their ids are 'x' and 'y'"):
        from_folders(folders)


def test_tags_are_dated_by_their_commits_and_equal_ones_are_one_state(tmp_path):
    review = living.repository(tmp_path / "work", living.states(tmp_path))
    living.git(review, "tag", "submitted", "v3")
    living.git(review, "commit", "-q", "--allow-empty", "-m", "elsewhere", day="2025-04-01")
    living.git(review, "tag", "v4")
    states, without = from_tags(review)
    assert [one.label for one in states] == [
        "2023-03-01 (v1)", "2024-06-01 (v2)", "2025-03-01 (submitted, v3, v4)"
    ]  # fmt: skip
    assert without == []
    with open(review / "experiments.csv", "a") as sheet:
        sheet.write("new,s-new,score,8,12.5,2.5,6,9.25,2.25\n")
    states, _ = from_tags(review, "v[12]")
    assert [one.label for one in states] == ["2023-03-01 (v1)", "2024-06-01 (v2)", NOW]


def test_tags_without_the_folder_are_named(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    living.git(work, "init", "-q")
    living.git(work, "commit", "-q", "--allow-empty", "-m", "before", day="2020-01-01")
    living.git(work, "tag", "v0")
    review = living.repository(work, living.states(tmp_path))
    assert from_tags(review)[1] == ["v0"]
    with pytest.raises(Refused, match="No tag like v0 has a review in stroke"):
        from_tags(review, "v0")


def test_tags_of_one_second_are_refused_unless_they_hold_the_same(tmp_path):
    one, two, _ = living.states(tmp_path)
    (tmp_path / "x").mkdir()
    two = two.rename(tmp_path / "x" / "b-2023-03-01")
    review = living.repository(tmp_path / "work", [one, two], ("v1", "v2"))
    with pytest.raises(Refused, match="v1 and v2 are of one second"):
        from_tags(review)


def test_a_tag_of_another_review_is_refused(tmp_path):
    of = living.states(tmp_path)
    for folder, name in zip(of, "xyy", strict=True):
        toml = folder / "review.toml"
        toml.write_text(f'id = "{name}"\n{toml.read_text()}')
    review = living.repository(tmp_path / "work", of)
    with pytest.raises(Refused, match="tag v1 is another review"):
        from_tags(review)
    assert [one.tag for one in from_tags(review, "v[23]")[0]] == ["v2", "v3"]
