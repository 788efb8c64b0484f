"""Names that disks, figures and shells take badly: long, with dollars, alike but for case."""

import pytest
from own_review import rows, write

from helpers.problems import ReviewError
from helpers.render import reviews
from helpers.render.run import render
from helpers.review.description import describe


def family(label, name="movement"):
    return f"""
[[families]]
id = "{name}"
label = '{label}'
[[families.outcomes]]
id = "of_{name}"
label = '{label}'
unit = '{label}'
better = "higher"
"""


@pytest.mark.parametrize("label", ["$$ a $x^2$ _{", "漢" * 86, "ж" * 143])
def test_any_label_can_be_rendered(tmp_path, label, monkeypatch, capfd):
    table = [{**line, "outcome": "of_movement"} for line in rows(4)]
    folder = write(tmp_path / "review", table, toml=family(label))
    text = (folder / "review.toml").read_text(encoding="utf-8")
    named = text.replace('title = "Made up"', f"id = '{label}'\ntitle = '{label}'")
    (folder / "review.toml").write_text(named, encoding="utf-8")
    monkeypatch.setattr(reviews, "REPORTS", tmp_path / "reports")
    assert render(["movement"], review=folder, quiet=True) == 0
    assert "FAILED" not in capfd.readouterr().err
    (page,) = (tmp_path / "reports").rglob("movement.html")
    assert label in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("names", [("a", "A"), ("straße", "STRASSE"), ("ﬁbre", "fibre")])
def test_families_that_differ_by_case_only_are_refused(tmp_path, names):
    folder = write(tmp_path, rows(2), toml="".join(family("x", name) for name in names))
    with pytest.raises(ReviewError, match="by case only") as refusal:
        describe(folder)
    assert refusal.value.findings[0].value == names[1]


@pytest.mark.parametrize("name", ["con", "Nul", "LPT1", "tables", "a" * 201, "漢" * 86])
def test_a_family_whose_page_no_disk_could_hold_is_refused(tmp_path, name):
    with pytest.raises(ReviewError, match="is due here"):
        describe(write(tmp_path, rows(2), toml=family("x", name)))
