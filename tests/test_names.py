"""A moderator may have any id: what a person calls a column never meets what the program calls one."""

import io
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, row, write

from helpers import Report
from helpers.analysis.outcome import ARTICLE, RECOMMENDED, analyse
from helpers.review.check import check
from helpers.review.columns import COLUMNS
from helpers.review.description import PROJECT
from helpers.review.review import load
from helpers.words.r.script import metafor_script

# Every word in quotation marks that the program can use as the name of a column.
NAMES = sorted(
    {
        name
        for path in (PROJECT / "helpers").rglob("*.py")
        for name in re.findall(r'"([a-z][a-z0-9_]*)"', path.read_text(encoding="utf-8"))
    }
)
# What the program computes stands under these names beside the rows; the project's own come first.
COMPUTED = (
    *COLUMNS, "sheet_row", "effect", "variance", "se", "ci_low", "ci_high", "weight", "n_split",
    "n_control_split", "mean_reference", "n_reference", "reason", "by", "x", "y", "label", "animals",
    "level", "k", "moderator", "intercept", "estimate", "towards_benefit", "inverse_n", "residual",
    "n_total", "excluded", "low", "tip", "error_type", "n", "mean",
)  # fmt: skip
VALUES = [215, 260, 240, 310, 275, 330, 225, 300, 285, 250]
LEVELS = ["a", "b", "b", "a", "b", "a", "b", "a", "a", "b"]


def sheet(**columns):
    rng = np.random.default_rng(3)
    table = [
        row(
            f"e{i}", study=f"s{i // 2}", n_treated=6 + i % 3, n_control=6, control_group="c",
            mean_treated=round(10 + rng.normal(), 2), mean_control=8, cohort=f"t{i}",
        )
        for i in range(10)
    ]  # fmt: skip
    return [
        line | {name: cells[i] for name, cells in columns.items()} for i, line in enumerate(table)
    ]


def entry(name, column=None, levels=""):
    column = f'column = "{column}"\n' if column else ""
    levels = 'levels = ["a", "b"]\n' if levels else ""
    return f'\n[[moderators]]\nid = "{name}"\nlabel = "Mine"\n{column}{levels}'


def reviewed(folder, names, values, levels=""):
    """A review in which all these ids are moderators of the same values.

    A name that the sheet itself needs has a column of another one.
    """
    headings = {name: "my column" if name in COLUMNS else name for name in names}
    toml = "".join(
        entry(name, heading if name in COLUMNS else None, levels)
        for name, heading in headings.items()
    )
    return write(folder, sheet(**dict.fromkeys(headings.values(), values)), toml=FAMILY + toml)


def regression(found, name):
    """All numbers of a moderator's regression."""
    one = found.regressions[name]
    coefficients = one.coefficients.select_dtypes("number").to_numpy().ravel()
    return [*coefficients, one.p_moderators, one.r2, one.tau2, found.tested[name].p_moderators]


def test_every_column_of_the_program_is_among_the_names():
    assert set(COMPUTED) <= set(NAMES) | {"n_split", "n_total", "inverse_n", "residual", "n"}
    assert len(NAMES) > 300


@pytest.mark.parametrize("levels", ["", "levels"])
def test_any_id_gives_the_numbers_of_a_neutral_one(levels, tmp_path):
    values = LEVELS if levels else VALUES
    neutral = analyse(
        load(reviewed(tmp_path / "one", ["zzz"], values, levels)), "score", chosen=RECOMMENDED
    )
    names = sorted({*NAMES, *COMPUTED})
    found = analyse(
        load(reviewed(tmp_path / "all", names, values, levels)), "score", chosen=RECOMMENDED
    )
    assert list(found.regressions) == names
    for name in names:
        assert regression(found, name) == regression(neutral, "zzz"), name
    assert found.effects.equals(neutral.effects)
    assert found.animals == neutral.animals == sum(6 + i % 3 for i in range(10)) + 5 * 6
    for preset in ("recommended", "chosen", "three_level"):
        one, other = (getattr(each, preset) for each in (found, neutral))
        assert (one.estimate, one.se) == (other.estimate, other.se)


def rows_of(block):
    return pd.read_csv(io.StringIO(block.data["csv"]))


def test_every_block_and_download_keeps_both_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.analysis.small_study.REPLICATES", (100, 100))
    folder = reviewed(tmp_path, COMPUTED, VALUES)
    with open(folder / "review.toml", "a", encoding="utf-8") as stream:
        stream.write('[article]\ncitation = "A and B 2020"\n')  # it has bubbles and regressions
        stream.write("[forest_columns]\n" + "".join(f'{name} = "Mine"\n' for name in COMPUTED[-9:]))
    report = Report("movement", review=folder, exclude=["e9"])
    found = report.analyses["score"]
    whole = [report.outcome("score").forest(), report.outcome("score").excluded()]
    parts = [(report.outcome("score").bubble(name), [name]) for name in COMPUTED]
    for block, names in [*((block, COMPUTED) for block in whole), *parts]:
        heads = pd.read_csv(io.StringIO(block.data["csv"]), header=None, nrows=1).iloc[0]
        assert heads.is_unique, block.name
        data = rows_of(block).set_index("experiment", drop=False)
        for name in names:
            mine = data[f"moderator: {name}" if f"moderator: {name}" in data else name]
            assert mine.tolist() == [VALUES[int(e[1:])] for e in data["experiment"]], name
        computed = found.left_out if "e9" in data.index else found.effects
        for column in {"effect", "se", "weight"} & set(data) & set(computed):
            assert data[column].tolist() == pytest.approx(computed[column].tolist())
    score = report.outcome("score")
    score.galbraith(), score.funnel(), score.influence()
    score.moderators()
    assert report.content["outcomes"]["score"]["models"].keys() == set(COMPUTED)


def test_moderators_that_go_together_may_be_called_like_the_tables_columns(tmp_path):
    toml = FAMILY + entry("moderator", levels=1) + entry("provenance", "kind", 1)
    table = sheet(moderator=LEVELS, kind=LEVELS[::-1])
    report = Report("movement", review=write(tmp_path, table, toml=toml))
    data = rows_of(report.outcome("score").together())
    assert data["moderator"].tolist() == ["moderator", "provenance"]
    assert set(data["provenance"]) == {"extracted"}
    assert data[["moderator: moderator", "moderator: provenance"]].iloc[0, 0] == 1


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed here")
def test_the_r_script_regresses_on_the_persons_column(tmp_path):
    names = ("weight", "yi", "vi", "outcome", "n_split", "x", "term", "c")
    table = sheet(**{f"own {name}": VALUES[i:] + VALUES[:i] for i, name in enumerate(names)})
    toml = FAMILY + "".join(entry(name, f"own {name}") for name in names)
    toml += entry("sign", "own weight") + entry("effect", "kind", "levels")
    table = [line | {"kind": kind} for line, kind in zip(table, LEVELS, strict=True)]
    report = Report("movement", review=write(tmp_path / "r", table, toml=toml))
    path = tmp_path / "script.R"
    path.write_text(metafor_script(report.review, "F", report.analyses))
    ran = subprocess.run(["Rscript", path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout.rsplit(":", 1)[1]) < 1e-6


def test_body_weight_is_not_the_weight_of_the_pooling(tmp_path):
    review = load(reviewed(tmp_path, ["weight"], VALUES))
    found = analyse(review, "score", chosen=ARTICLE)
    slope = found.regressions["weight"].coefficients["coef"].iloc[1]
    # About SDs a gram over 115 g: far below the slope on weights, which are fractions of 1.
    x, y, w = (
        np.array(VALUES),
        found.effects["effect"],
        1 / (found.effects["variance"] + found.regressions["weight"].tau2),
    )
    x = x - (w * x).sum() / w.sum()
    assert slope == pytest.approx((w * x * y).sum() / (w * x * x).sum(), rel=1e-9)


def test_one_column_may_serve_as_moderator_and_as_the_projects(tmp_path):
    days = [7, 7, 14, 14, 28, 28, 7, 14, 28, 28]
    table = sheet(follow_up_days=days)
    review = load(
        write(tmp_path, table, toml=FAMILY + entry("follow_up_days") + entry("n_treated"))
    )
    assert review.moderator_values["follow_up_days"].tolist() == days
    assert review.experiments["follow_up_days"].tolist() == days
    sizes = review.experiments["n_treated"].tolist()
    assert review.moderator_values["n_treated"].tolist() == sizes
    assert not [odd for odd in review.warnings if "read as the moderator" in odd.what]


def test_a_column_that_would_govern_others_is_said(tmp_path):
    signs = [1, -1, 1, 1, 1, 1, 1, 1, 1, 1]
    folder = write(tmp_path, sheet(sign=signs), toml=FAMILY + entry("sign"))
    (said,) = [odd for odd in check(folder).warnings if "read as the moderator" in odd.what]
    assert said.column == "moderators.sign" and "`column`" in said.remedy


def test_levels_are_no_numbers_of_the_projects(tmp_path):
    folder = write(tmp_path, sheet(effect=LEVELS), toml=FAMILY + entry("effect", levels=1))
    assert not check(folder).faults
    assert load(folder).moderator_values["effect"].tolist() == LEVELS


def test_a_moderators_column_that_is_not_there_is_a_fault(tmp_path):
    (fault,) = check(write(tmp_path, sheet(), toml=FAMILY + entry("dose", "Dosis"))).faults
    assert fault.column == "Dosis" and "column for dose is not there" in fault.what


def test_values_and_divisors_reach_a_moderator_of_any_name(tmp_path):
    table = sheet(weight=[f"{value} g" for value in VALUES], kind=["A"] * 5 + ["B"] * 5)
    config = 'divide.se = 10\nvalues.effect = { A = "a", B = "b" }\n[sheet.values.weight]\n'
    config += "".join(f'"{value} g" = {value}\n' for value in VALUES)
    toml = FAMILY + entry("weight") + entry("effect", "kind", 1) + entry("se", "weight_2")
    table = [line | {"weight_2": value} for line, value in zip(table, VALUES, strict=True)]
    found = load(write(tmp_path, table, config, toml=toml)).moderator_values
    assert found["weight"].tolist() == VALUES
    assert found["effect"].tolist() == ["a"] * 5 + ["b"] * 5
    assert found["se"].tolist() == [value / 10 for value in VALUES]
