"""Pooled SMDs in the outcome's own units: by hand, scale by scale, and never where scales mix."""

import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers import Report
from helpers.analysis.units import natural_units

BBB = """
[[families.outcomes.scales]]
label = "BBB scale"
when = { species = "rat" }
range = [0, 50]
unit = "points"

[[families.outcomes.scales]]
label = "BMS"
when = { species = "mouse" }
range = [0, 50]
unit = "points"
"""


def reviewed(folder, units="", sds=(1, 2, 4, 10), **more):
    table = [
        row(f"e{i}", mean_treated=11 + i, sd_control=sd, sd_treated=sd, control_group=f"c{i}",
            species=("rat", "mouse")[i == 3]) | more
        for i, sd in enumerate(sds)
    ]  # fmt: skip
    return write(folder, table, toml=FAMILY + units + SPECIES)


def found(folder):
    report = Report("movement", review=folder)
    (analysis,) = report.analyses.values()
    return analysis, natural_units(analysis), report


def test_a_scale_has_the_median_sd_of_its_own_controls(tmp_path):
    analysis, (rats, mice), report = found(reviewed(tmp_path, BBB))
    assert (rats.unit, rats.groups) == ("points of the BBB scale", 3)
    assert (rats.sd, mice.sd) == (2, 10)  # the median of 1, 2 and 4, and a single one
    assert rats.estimate == pytest.approx(2 * analysis.leading.estimate, rel=1e-12)
    assert mice.ci_low == pytest.approx(10 * analysis.leading.ci_low, rel=1e-12)
    text = report.outcome("score").result().text
    assert f"about {rats.estimate:.1f} points of the BBB scale, 95% CI" in text
    assert "median SD 2.0 of 3 control groups" in text
    assert "the SMD times the median SD of the control groups" in text


def test_a_control_group_counts_once(tmp_path):
    folder = reviewed(tmp_path, BBB, sds=(1, 1, 1, 10), study="s", control_group="c")
    _, (rats, _), _ = found(folder)
    assert rats.groups == 1


def test_other_measures_have_no_natural_units(tmp_path):
    report = Report("movement", review=reviewed(tmp_path, BBB), measure="ROM")
    (analysis,) = report.analyses.values()
    assert natural_units(analysis) == []
    assert "natural units" not in report.outcome("score").result().text
