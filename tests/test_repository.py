"""Tags of a git repository, and a folder as it was at one."""

import shutil

import living
import pytest

from helpers import repository
from helpers.problems import Refused


@pytest.fixture
def review(tmp_path):
    return living.repository(tmp_path / "work", living.states(tmp_path), name="revü s/a b")


def test_tags_come_in_the_order_of_their_commits(review):
    living.git(review, "tag", "-m", "a message", "a-first", "v1^{commit}")
    living.git(review, "tag", "no-commit", living.git(review, "rev-parse", "v1:").strip())
    found = repository.tags(review)
    assert [(one.name, one.day) for one in found] == [
        ("a-first", "2023-03-01"), ("v1", "2023-03-01"), ("v2", "2024-06-01"), ("v3", "2025-03-01")
    ]  # fmt: skip
    assert [one.name for one in repository.tags(review, "v[12]")] == ["v1", "v2"]


def test_a_folder_at_a_tag_is_as_it_was_and_the_work_tree_stays(review, tmp_path):
    mine = review / "experiments.csv"
    mine.write_text("being worked on")
    with repository.folder_at(review, "v1") as there:
        assert there.name == review.name
        for file in (tmp_path / "stroke-2023-03-01").iterdir():
            assert (there / file.name).read_bytes() == file.read_bytes()
    assert not there.exists() and mine.read_text() == "being worked on"
    assert living.git(
        review, "status", "--porcelain"
    ).strip() == 'M "revü s/a b/experiments.csv"' or (
        living.git(review, "status", "--porcelain").count("\n") == 1
    )


def test_files_outside_of_the_folder_come_with_it_where_it_names_them(review):
    (review.parent / "sheet.csv").write_text("x\n1\n")
    toml = review / "review.toml"
    toml.write_text(toml.read_text().replace('"experiments.csv"', '"../sheet.csv"'))
    living.git(review, "add", "-A", ":/")
    living.git(review, "commit", "-qm", "outside", day="2026-01-01")
    living.git(review, "tag", "outside")
    with repository.folder_at(review, "outside") as there:
        assert (there / "../sheet.csv").read_text() == "x\n1\n"


def test_the_review_may_be_the_repository_itself(tmp_path):
    (state, *_) = living.states(tmp_path)
    work = tmp_path / "work"
    shutil.copytree(state, work)
    living.git(work, "init", "-q")
    living.git(work, "add", "-A")
    living.git(work, "commit", "-qm", "x", day="2024-01-01")
    living.git(work, "tag", "v1")
    assert repository.file_at(work, "v1", "review.toml") == (work / "review.toml").read_bytes()
    with repository.folder_at(work, "v1") as there:
        assert (there / "experiments.csv").is_file()


def test_what_is_not_there_is_refused_with_what_git_says(review, tmp_path, monkeypatch):
    assert (
        repository.digest_at(review, "v9") is None and repository.digest_at(tmp_path, "v1") is None
    )
    for name in ("v9", "--output=x", "v1:../x", "HEAD"):
        with pytest.raises(Refused, match="git says"):
            repository.file_at(review, name, "review.toml")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="git is not installed"):
        repository.tags(review)


def test_the_environment_of_a_hook_leads_to_no_other_repository(review, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert len(repository.tags(review)) == 3
