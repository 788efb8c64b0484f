"""What is rendered again after a change: what depends on it, and nothing else."""

import csv
import shutil

import pytest

from helpers.__main__ import main
from helpers.render.run import render
from helpers.review.description import PROJECT
from helpers.review.review import load

FAMILIES = ("locomotion", "microglia")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A copy of the default review and the reports of two families made of it."""
    folder = tmp_path_factory.mktemp("dependencies")
    shutil.copytree(PROJECT / "data" / "sci_exosomes", folder / "review")
    assert render(FAMILIES, review=folder / "review", out=folder / "out", quiet=True) == 0
    return folder


@pytest.fixture
def again(rendered, tmp_path, capsys):
    """Render a second time after a change; gives the families that were rendered."""
    shutil.copytree(rendered, tmp_path, dirs_exist_ok=True)

    def again(families=FAMILIES):
        out = tmp_path / "out"
        before = {family: (out / f"{family}.html").stat().st_mtime_ns for family in families}
        assert render(families, review=tmp_path / "review", out=out) == 0
        after = {family: (out / f"{family}.html").stat().st_mtime_ns for family in families}
        made = [family for family in families if before[family] != after[family]]
        said = f"{len(made)} of {len(families)} reports rendered"
        assert said in capsys.readouterr().out
        return made

    return again


def rewrite(path, change):
    """Change the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def first(rows, outcome):
    return next(row for row in rows if row["outcome"] == outcome)


def test_a_judgement_of_the_certainty_concerns_all_reports(again, tmp_path):
    path = tmp_path / "review" / "certainty.csv"
    head, line = "outcome,domain,judgement,reason,by,rests_on", "iba_1,imprecision,{},Few,A. Doe,x"
    path.write_text(f"{head}\n{line.format('serious')}\n", encoding="utf-8")
    assert again() == list(FAMILIES), "a new file"
    assert again() == []
    path.write_text(f"{head}\n{line.format('very serious')}\n", encoding="utf-8")
    assert again() == list(FAMILIES), "another judgement"


def test_a_changed_cell_concerns_its_family_only(again, tmp_path):
    def change(rows):
        first(rows, "iba_1")["mean_treated"] = "0.5"

    rewrite(tmp_path / "review" / "experiments.csv", change)
    assert again() == ["microglia"]
    assert again() == []
    # What was left as it stood is what rendering everything anew gives, byte for byte.
    fresh = tmp_path / "fresh"
    assert render(FAMILIES, review=tmp_path / "review", out=fresh, quiet=True) == 0
    for path in (path for path in fresh.rglob("*") if path.is_file() and path.suffix != ".html"):
        assert (tmp_path / "out" / path.relative_to(fresh)).read_bytes() == path.read_bytes(), path
    for family in FAMILIES:
        assert (tmp_path / "out" / f"{family}.html").read_bytes() == (
            fresh / f"{family}.html"
        ).read_bytes()


def test_an_exclusion_concerns_its_family_only(again, tmp_path):
    name = load(tmp_path / "review").rows("iba_1")["experiment"].iloc[0]
    with (tmp_path / "review" / "exclusions.csv").open("a", encoding="utf-8") as file:
        file.write(f"{name},a reason,me\n")
    assert again() == ["microglia"]


def test_a_row_of_another_family_moves_no_number_but_is_counted_in_every_report(again, tmp_path):
    def change(rows):
        rows.append(first(rows, "il_6") | {"experiment": "one-more"})

    rewrite(tmp_path / "review" / "experiments.csv", change)
    assert again() == list(FAMILIES)  # each says how many rows the sheet has


def test_other_cells_written_in_another_way_concern_nobody(again, tmp_path):
    path = tmp_path / "review" / "experiments.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert again() == []
    assert again() == []


@pytest.mark.parametrize("name", ["review.toml", "published_pooled.csv"])
def test_what_holds_for_the_whole_review_concerns_all(again, tmp_path, name):
    with (tmp_path / "review" / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert again() == list(FAMILIES)


def test_a_report_names_the_digest_of_its_rows(capsys):
    review = load()
    parts = {name: review.part(family.outcomes) for name, family in review.families.items()}
    assert len({part.digest() for part in parts.values()}) == len(parts)
    assert sum(len(part.experiments) for part in parts.values()) == len(review.experiments)
    assert "experiments.csv" in review.inputs()
    assert not {"experiments.csv", "exclusions.csv"} & parts["microglia"].inputs().keys()
    assert "published_pooled.csv" in parts["microglia"].inputs()
    assert parts["microglia"].rows_out == review.rows_out
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    assert f"microglia: 26 rows, SHA-256 {parts['microglia'].digest()}" in said
