"""Every example of the page on sheets gives what it says."""

import csv
import re
import tomllib
from pathlib import Path

import pytest
from own_review import FAMILY, row

from helpers.review.check import check
from helpers.review.review import load
from helpers.review.schema import REVIEW as SHAPE
from helpers.review.schema import misfits

PAGE = (Path(__file__).parents[1] / "docs" / "sheets.md").read_text(encoding="utf-8")
PARTS = {part.split("\n", 1)[0]: part for part in re.split(r"(?m)^### ", PAGE)[1:]}
BLOCK = re.compile(r"```(csv|toml|text)( [^\n]*)?\n(.*?)```", re.S)
FACTS = ("corrections.csv", "exclusions.csv")


def examples():
    """Each text of a part with the sheets and settings before it."""
    for title, part in PARTS.items():
        files, toml = {}, ""
        for number, (kind, name, body) in enumerate(BLOCK.findall(part)):
            if kind == "csv":
                files[name.strip() or "experiments.csv"] = body
            elif kind == "toml":
                toml = body
            else:
                yield pytest.param(files, toml, body, id=f"{title} {number}")


def test_every_part_has_an_example():
    assert len(PARTS) > 20
    for title, part in PARTS.items():
        kinds = [kind for kind, *_ in BLOCK.findall(part)]
        assert kinds[0] == "csv" and kinds[-1] == "text", title


def completed(body, config, at):
    """A sheet of the page with the columns that it does not show."""
    lines = list(csv.DictReader(body.splitlines()))
    sheet = config.get("sheet", {})
    named = {*sheet.get("columns", {}), *sheet.get("constants", {})}
    named |= {name for entry in sheet.get("blocks", ()) for name in entry["columns"]}
    joined = {"study"} if "join" in sheet else set()
    own = {"effect", "ratio"} & named or "events_treated" in lines[0]
    for place, line in enumerate(lines, at):
        usual = row(f"e{place}", study="Abe 2001")
        if own:
            usual = {name: usual[name] for name in ("experiment", "study", "outcome")}
        if any(name.startswith("median") for name in named):
            del usual["mean_treated"], usual["sd_treated"]
        for name in set(usual) - set(line) - named - joined:
            line[name] = usual[name]
    return lines


def folder_of(folder, files, toml):
    config = tomllib.loads(toml)
    folder.mkdir()
    text = 'title = "Example"\n' + toml + "\n" + FAMILY
    (folder / "review.toml").write_text(text, encoding="utf-8")
    at = 1
    for name, body in files.items():
        raw = name == "raw"
        if (
            raw
            or name in FACTS
            or (name != "experiments.csv" and "join" in config.get("sheet", {}))
        ):
            target = "experiments.csv" if raw else name
            (folder / target).write_text(body, encoding="utf-8")
            continue
        lines = completed(body, config, at)
        at += len(lines)
        with open(folder / name, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
    return folder


NUMBERS = re.compile(r"treated (\S+), (\S+), (\S+) +control (\S+), (\S+), (\S+)")


@pytest.mark.parametrize(("files", "toml", "told"), list(examples()))
def test_an_example_gives_what_it_says(tmp_path, files, toml, told):
    folder = folder_of(tmp_path / "r", files, toml)
    lines = told.splitlines()
    if lines[0].startswith("fault "):
        words = lines[0].removeprefix("fault ")
        assert any(re.search(words, str(fault)) for fault in check(folder).faults)
        return
    review = load(folder)
    used = [line for line in lines if not line.startswith("not used ")]
    listed = [line.removeprefix("not used ") for line in lines if line not in used]
    reasons = review.not_used["reason"].tolist()
    assert len(reasons) == len(listed)
    assert all(map(re.fullmatch, map(_pattern, listed), reasons)), reasons
    assert len(review.experiments) == len(used)
    for line, (name, found) in zip(used, review.experiments.iterrows(), strict=True):
        if line.startswith("effect "):
            wanted = [float(x) for x in line.removeprefix("effect ").split(", ")]
            assert found[["effect", "se"]].tolist() == pytest.approx(wanted, rel=1e-5)
            continue
        groups = NUMBERS.match(line)
        wanted = [float(x) for x in groups.groups()]
        columns = [f"{q}_{arm}" for arm in ("treated", "control") for q in ("n", "mean", "sd")]
        assert found[columns].tolist() == pytest.approx(wanted, rel=1e-6)
        for each in filter(None, re.split(" {2,}", line[groups.end() :].strip())):
            column, value = each.split(" ", 1)
            if column == "excluded":
                assert review.exclusions["experiment"].tolist() == [name]
                continue
            there = review.moderator_values.loc[name] if column in review.moderators else found
            assert str(there[column]).removesuffix(".0") == value, each


def _pattern(text):
    """A text of the page as a pattern; ".*" stands for any words."""
    return re.escape(text).replace(re.escape(".*"), ".*")


REVIEW = (Path(__file__).parents[1] / "docs" / "review.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "toml", [body for kind, _, body in BLOCK.findall(REVIEW) if kind == "toml"]
)
def test_what_the_page_on_reviews_shows_is_known(toml):
    shown = tomllib.loads('title = "Example"\n' * ("title =" not in toml) + toml)
    assert list(misfits({"families": tomllib.loads(FAMILY)["families"]} | shown, SHAPE)) == []


def test_no_page_names_another_that_is_not_there():
    root = Path(__file__).parents[1]
    for path in [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)", path.read_text("utf-8")):
            assert not target or (path.parent / target).exists(), (path.name, target)
