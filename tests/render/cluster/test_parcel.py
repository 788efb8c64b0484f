"""What travels: all that a review's `review.toml` names, at places that lead to each other."""

import pickle
import shutil

import pytest
from sheets_of_notebooks import NOTEBOOKS, make_review

from helpers.render.cluster.parcel import letter, pack, unpack
from helpers.render.jobs import inputs, plan
from helpers.review.description import describe


@pytest.fixture
def review(tmp_path):
    """A review whose sheet lies two folders above it, and another file of it beside it."""
    folder = tmp_path / "a" / "b" / "stroke"
    folder.parent.mkdir(parents=True)
    make_review(folder, "good")
    text = (folder / "review.toml").read_text()
    text = (
        text.replace("experiments.csv", "../../sheet.csv")
        + '\n[article]\ncitation = "../note.txt"\n'
    )
    (folder / "review.toml").write_text(text)
    (folder / "experiments.csv").rename(tmp_path / "a" / "sheet.csv")
    (tmp_path / "a" / "b" / "note.txt").write_text("beside")
    (folder / "deep").mkdir()
    (folder / "deep" / "flow.csv").write_text("stage\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("")
    return folder


def test_a_review_is_the_same_where_it_is_unpacked(review, tmp_path):
    description = describe(review)
    (job,) = plan(description, ["good"], notebooks=NOTEBOOKS)
    parcel, text = pack(description, b"rows"), letter(job)
    for content in (pickle.dumps(parcel), text):
        assert str(tmp_path).encode() not in content.replace(str(review).encode(), b"")
    root = tmp_path / "elsewhere"
    root.mkdir()
    made = unpack(parcel, text, root)
    there = describe(made.parameters["review"])
    assert there.folder.is_relative_to(root) and there.id == description.id
    assert inputs(there) == inputs(description) and "../../sheet.csv" in inputs(there)
    assert not (there.folder / ".git").exists()
    assert made.notebook.is_file() and made.notebook.name == "good.ipynb"
    assert made.cells == job.cells and made.shown == job.shown == "stroke"
    assert {k: v for k, v in made.parameters.items() if k != "review"} == {
        k: v for k, v in job.parameters.items() if k != "review"
    }


def test_a_review_without_other_files_keeps_the_name_of_its_folder(tmp_path):
    folder = make_review(tmp_path / "named", "good")
    (tmp_path / "stranger.csv").write_text("")
    parcel = pack(describe(folder), b"")
    assert parcel.folder == "named"
    assert set(parcel.files) == {"named/review.toml", "named/experiments.csv"}
    shutil.rmtree(folder)
