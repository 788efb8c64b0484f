"""Pooled SMDs in the outcome's own units: by hand, scale by scale, and never where scales mix."""

import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers import Report
from helpers.analysis.units import natural_units, way_back

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


FIXED = FAMILY.replace('better = "higher"\n', 'better = "higher"\nreference = 21\n')


def normalised(folder, references=(), toml=FAMILY, **more):
    table = [row(f"e{i}", mean_treated=11 + i, mean_control=9 + 0.5 * i) | more for i in range(5)]
    for line, value in zip(table, references, strict=False):
        line |= {"mean_reference": value, "sd_reference": value and 1, "n_reference": value and 6}
    report = Report("movement", review=write(folder, table, toml=toml))
    (analysis,) = report.analyses.values()
    return report, analysis, way_back(analysis, report.review.level_values)


def test_the_way_back_to_a_fixed_uninjured_value(tmp_path):
    report, analysis, back = normalised(tmp_path, toml=FIXED)
    # metafor: effects 100 * (2, 2.5, 3, 3.5, 4) / (12, 11.5, 11, 10.5, 10), variances by the delta
    # method (94.943576, 98.149485, 101.448842, 104.875283, 108.5), REML, test = "adhoc"
    assert (back.result.k, back.of, back.reference) == (5, 5, 21)
    ours = [back.result.estimate, back.result.ci_low, back.result.ci_high]
    assert ours == pytest.approx([27.4146770228, 14.9140027991, 39.9153512466], rel=1e-6)
    text = report.outcome("score").result().text
    assert (
        "This is 27% (95% CI 15 to 40) of the way from the control mean to the uninjured value of 21"
        in text
    )
    assert "the normalised mean difference of all 5 experiments, pooled by the same model" in text
    assert analysis.measure.id == "SMD"


def test_rows_without_an_uninjured_value_are_said(tmp_path):
    report, _, back = normalised(tmp_path, (20, 21, 19, 20, ""))
    assert (back.result.k, back.of) == (4, 5)
    # metafor as above: 18.181818, 21.739130, 33.333333, 36.842105 with 111.701159, 98.745061,
    # 145.033150, 126.364260, in which the uninjured animals' own variance is 1 / 6
    ours = [back.result.estimate, back.result.ci_low, back.result.ci_high]
    assert ours == pytest.approx([26.6852367962, 9.39754000926, 43.9729335832], rel=1e-6)
    text = report.outcome("score").result().text
    assert "to the uninjured value of its row" in text and "4 of the 5 experiments" in text


def test_the_model_of_the_way_back_is_that_of_the_result(tmp_path):
    _, _, back = normalised(tmp_path / "one", toml=FIXED, study="s", control_group="c")
    assert list(back.result.levels) == ["experiment"]
    report, _, _ = normalised(tmp_path / "two", toml=FIXED, study="s", control_group="c")
    own = Report("movement", review=report.review.folder, measure="NMD").analyses["score"].leading
    assert back.result.estimate == pytest.approx(own.estimate, rel=1e-9)


@pytest.mark.parametrize("references", [(), (20, "", "", "", "")])
def test_without_two_uninjured_values_there_is_no_way_back(tmp_path, references):
    report, _, back = normalised(tmp_path, references)
    assert back is None and "of the way" not in report.outcome("score").result().text
