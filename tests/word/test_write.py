"""The command: which pages become documents, and which it refuses."""

import importlib.util
import json

import pytest
from own_review import rows
from own_review import write as write_review

from helpers.__main__ import main
from helpers.problems import Refused
from helpers.render.jobs import inputs
from helpers.render.output import MANIFEST
from helpers.review.description import describe
from helpers.word import fragment as module
from helpers.word.write import write

NEEDS = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in module.NEEDED),
    reason="Word documents are an extra that is not installed (make word)",
)


@pytest.fixture
def review(tmp_path):
    return write_review(tmp_path / "review", rows())


@pytest.fixture
def out(tmp_path, review, html):
    out = tmp_path / "out"
    out.mkdir()
    (out / "movement.html").write_text(html, encoding="utf-8")
    entry = {"files": inputs(describe(review)), "key": "", "used": [], "rows": None, "outputs": {}}
    (out / MANIFEST).write_text(json.dumps({"movement": entry}))
    return out


@NEEDS
def test_documents_stand_beside_their_pages(review, out, capsys):
    assert main(["word", "--review", str(review), "--out", str(out)]) == 0
    assert "movement.docx" in capsys.readouterr().out
    assert (
        main(["word", "movement", "--supplement", "--review", str(review), "--out", str(out)]) == 0
    )
    found = sorted(path.name for path in out.iterdir())
    assert found == [MANIFEST, "movement-supplement.docx", "movement.docx", "movement.html"]


@NEEDS
def test_letters_that_not_every_machine_draws_are_said(review, out, capsys):
    page = out / "movement.html"
    page.write_text(page.read_text("utf-8").replace("τ² = 1.21</text>", "鼠</text>"), "utf-8")
    assert main(["word", "--review", str(review), "--out", str(out)]) == 0
    assert "look at its figures" in capsys.readouterr().out
    assert write(review=review, out=out) == {out / "movement.docx": "鼠"}


@NEEDS
@pytest.mark.parametrize("kind", ["sheet", "failed", "gone", "never"])
def test_a_page_that_does_not_stand_for_its_sheet_is_refused(review, out, kind):
    if kind == "sheet":
        (review / "experiments.csv").write_text("other")
        said = "movement: experiments.csv changed since it was rendered"
    if kind == "failed":
        entry = json.loads((out / MANIFEST).read_text())["movement"] | {"failure": "it broke"}
        (out / MANIFEST).write_text(json.dumps({"movement": entry}))
        said = "movement: its last rendering failed"
    if kind == "gone":
        (out / "movement.html").unlink()
        said = "movement: not rendered yet"
    if kind == "never":
        (out / MANIFEST).unlink()
        said = "no report was rendered"
    with pytest.raises(Refused, match=said) as refused:
        write(review=review, out=out)
    assert "python -m helpers render" in str(refused.value)
    assert not list(out.glob("*.docx"))


@NEEDS
def test_an_unknown_family_is_refused_with_the_nearest(review, out):
    with pytest.raises(Refused, match=r"movment: no such report.*movement"):
        write(["movment"], review=review, out=out)


def test_without_the_extra_one_line_says_how_to_install_it(review, out, monkeypatch, capsys):
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "resvg_py" else name)
    assert main(["word", "--review", str(review), "--out", str(out)]) == 2
    said = capsys.readouterr().err.strip()
    assert "resvg-py" in said and ".ci/locks/word.lock" in said and "\n" not in said
    assert "pypandoc" not in said
