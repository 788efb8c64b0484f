"""The R script: what leads a report, computed again by metafor and clubSandwich."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from own_review import FAMILY, row, write

from helpers.analysis.outcome import analyse
from helpers.analysis.settings import of_review
from helpers.review.review import load
from helpers.words.r.script import metafor_script

pytestmark = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed here")

TWO = (
    FAMILY
    + """
[[families.outcomes]]
id = "größe"
label = "Size"
better = "lower"
"""
)
MODERATORS = """
[[moderators]]
id = "dose"
label = "Dose"

[[moderators]]
id = "drug"
label = "Drug"
levels = ["a", "b", "rare"]
"""
CONSTANT = """
[settings]
variance = "metafor"
[model]
levels = {levels}
covariance = "constant"
within = "exp"
test = "{test}"
"""
# Words that a table of text reads as numbers, truth values or nothing, or that end a string.
ODD = ["01", "1", "1e3", "1000", "T", "TRUE", "NA", "a b", 'say "no"', "back\\slash", "größe", "if",
       "two\nlines"]  # fmt: skip


def script(folder, tmp_path, *, outcomes=None, **parameters):
    """The script of a review's outcomes, and what Rscript says to it."""
    review = load(folder)
    chosen, model = of_review(
        review.settings, review.model, rebuilds=bool(review.article), parameters=parameters
    )
    found = {
        name: analyse(review, name, chosen=chosen, model=model)
        for name in outcomes or review.outcomes
    }
    path = tmp_path / "report.R"
    path.write_text(metafor_script(review, "A family", found), encoding="ascii")
    return found, path


def agrees(path, within=5e-6, **environment):
    """What the script prints, whose largest difference from the report is small.

    The optimisers of `rma.mv` know variances to about 1e-6.
    """
    ran = subprocess.run(
        ["Rscript", path], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    if "no package called" in ran.stderr:
        pytest.skip("R has no metafor or clubSandwich here")
    assert ran.returncode == 0, ran.stderr
    assert "could not be computed" not in ran.stdout
    assert float(ran.stdout.strip().splitlines()[-1].rsplit(":", 1)[1]) < within, ran.stdout
    return ran.stdout


def dependent(studies=14, outcome="score", **more):
    """Three arms a study: two days of the same animals, and another dose on the same control."""
    rng, table = np.random.default_rng(8), []
    for i in range(studies):
        n, mean, effect = 6 + i % 4, 8 + i % 3, rng.normal(2, 1)
        arms = [("low", 7, 0), ("low", 14, 0.4), ("high", 7, 0.7)]
        for arm, day, extra in arms[: 2 + i % 2]:
            table.append(
                row(
                    f"{outcome}{i}-{arm}{day}", study=f"s{i}", outcome=outcome, cohort=arm,
                    control_group="c", follow_up_days=day, n_treated=6 + (i + day) % 3,
                    mean_treated=round(mean + effect + extra + rng.normal(0, 0.4), 2), n_control=n,
                    mean_control=mean, sd_control=2, sd_treated=round(rng.uniform(1.5, 3), 2),
                    dose=round(1 + rng.uniform(0, 5), 1), drug="ab"[i % 2],
                )
                | more
            )  # fmt: skip
    table[0]["drug"], table[1]["drug"] = "rare", ""
    return table


def nested(outcome="score"):
    """Comparisons within experiments within studies, and five strains across the studies."""
    rng, table = np.random.default_rng(5), []
    for i in range(60):
        study, exp = i // 5, i // 2
        table.append(
            row(
                f"{outcome}{i}", study=f"s{study}", outcome=outcome, strain=f"r{(i // 3) % 5}",
                exp=f"x{exp}", n_treated=6 + i % 5, mean_treated=round(9.5 + (study % 4) * 0.8
                + rng.normal(0, 1), 2), dose=i % 4, drug="ab"[exp % 2], sign=-1,
            )
        )  # fmt: skip
    return table


def independent(outcome="score"):
    return [line | {"study": line["experiment"], "cohort": line["experiment"],
                    "control_group": line["experiment"]}
            for line in dependent(outcome=outcome)]  # fmt: skip


def test_the_recommended_model_of_shared_controls_and_repeated_days(tmp_path):
    table = dependent() + independent("größe")
    found, path = script(write(tmp_path / "r", table, toml=TWO + MODERATORS), tmp_path)
    one, other = found.values()
    assert (one.leading_is, one.leading.test, other.model) == ("recommended", "cr2", None)
    assert set(one.models) == {"dose", "drug"}
    assert any(model.test == "HTZ" and model.tested for model in one.models.values())
    printed = agrees(path)
    text = path.read_text()
    assert "library(clubSandwich)" in text
    assert "dat$average" in text  # the variance at the average effect is computed anew
    # pooled at three correlations, both moderators, and the outcome without dependence
    assert printed.count(" mean ") == 4
    assert printed.count(" cr2 ") > 5
    assert printed.count(" HTZ ") == sum(model.tested for model in one.models.values())


def test_clubsandwich_is_asked_for_only_where_it_is_used(tmp_path):
    found, path = script(write(tmp_path / "r", independent(), toml=FAMILY + MODERATORS), tmp_path)
    assert found["score"].model is None
    agrees(path, 1e-8)
    assert "clubSandwich" not in path.read_text()
    assert "rma.mv" not in path.read_text()


@pytest.mark.parametrize(("levels", "asked", "test", "clusters"), [
    (["strain", "study", "exp"], "contain", "contain", 1),
    (["strain", "study", "exp"], "cr2", "contain", 1),  # strains that share studies are one cluster
    (["study", "exp"], "cr2", "cr2", 6),  # every third experiment spans two of twelve studies
    (["study", "experiment"], "cr2", "cr2", 6),
])  # fmt: skip
def test_levels_of_the_review_with_constant_correlation(tmp_path, levels, asked, test, clusters):
    model = CONSTANT.format(levels=json.dumps(levels), test=asked)
    found, path = script(
        write(tmp_path / "r", nested(), toml=FAMILY + MODERATORS + model), tmp_path
    )
    leading = found["score"].leading
    assert (list(leading.levels), leading.test, leading.clusters) == (levels, test, clusters)
    agrees(path)
    assert "vcalc" in path.read_text()


@pytest.mark.parametrize("parameters", [
    {"measure": "GLASS"}, {"measure": "MD"}, {"measure": "MD", "variance": "stata"},
    {"measure": "ROM"}, {"measure": "NMD"}, {"variance": "stata", "correction": "approximate"},
    {"variance": "unbiased", "level": 0.9},
])  # fmt: skip
def test_the_covariance_of_every_measure_is_computed_anew(tmp_path, parameters):
    table = dependent(mean_reference=21, sd_reference=2, n_reference=7, sign=-1)
    found, path = script(write(tmp_path / "r", table), tmp_path, **parameters)
    assert found["score"].model.covariance == "modelled"
    agrees(path)


def test_rows_that_bring_their_own_effect_stand_beside_computed_ones(tmp_path):
    table = dependent()
    own = [row(f"o{i}", outcome="größe", effect=i / 5, se=0.4) for i in range(6)]
    for line in [*own, *table[::5]]:
        line |= {name: "" for name in line if name.split("_")[0] in ("n", "mean", "sd")}
    for line in table[::5]:
        line |= {"effect": 1.5, "se": 0.6}
    found, path = script(write(tmp_path / "r", table + own, toml=TWO), tmp_path)
    assert set(found["score"].rows["effect"].notna()) == {True, False}
    agrees(path)
    assert "dat$own <- !is.na" in path.read_text()


@pytest.mark.parametrize("parameters", [
    {}, {"interval": "hksj", "split_controls": True, "method": "PM", "prediction": "hk"},
])  # fmt: skip
def test_a_rebuilt_article_leads_with_its_own_settings(tmp_path, parameters):
    found, path = script(None, tmp_path, outcomes=["tnf_a", "il_1b"], **parameters)
    assert found["tnf_a"].model is None
    assert found["tnf_a"].subgroups
    agrees(path, 1e-8)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_no_level_and_no_id_breaks_the_script(tmp_path, locale):
    ids = ("if", "größe", "weight", "yi", "dat", "NA", "_1", "outcome")
    quoted = ", ".join(json.dumps(level) for level in ODD)
    table = dependent(studies=24)
    for at, line in enumerate(table):
        line |= {f"column {name}": ODD[(at // 3) % len(ODD)] for name in ids}
        line["study"] = ODD[at // 3 % len(ODD)] + str(at // 5)
    toml = FAMILY + "".join(
        f'\n[[moderators]]\nid = "{name}"\ncolumn = "column {name}"\nlevels = [{quoted}]\n'
        for name in ids[: 2 if locale == "C.UTF-8" else 1]
    ) + "".join(
        f'\n[[moderators]]\nid = "{name}"\ncolumn = "dose"\n' for name in ids[2:]
    )  # fmt: skip
    folder = write(tmp_path / "r", table, toml=toml)
    text = (folder / "review.toml").read_text(encoding="utf-8")
    title = r'title = "Ends\nstop(1) # \"größe\" \\ {data} 猫"'
    (folder / "review.toml").write_text(text.replace('title = "Made up"', title), encoding="utf-8")
    found, path = script(folder, tmp_path)
    assert set(found["score"].models["if"].cells["level"]) == set(ODD)
    agrees(path, LC_ALL=locale)


def test_a_difference_from_the_report_is_told(tmp_path):
    found, path = script(write(tmp_path / "r", dependent()), tmp_path)
    text, number = path.read_text(), repr(found["score"].leading.estimate)
    assert text.count(number) >= 1
    path.write_text(text.replace(number, "7"))
    with pytest.raises(AssertionError):
        agrees(path)
