"""What would change a result: its numbers are those of the leading analysis, by hand."""

import math

import numpy as np
import pytest
from own_review import FAMILY, SPECIES, row, write
from scipy import stats

from helpers import Report
from helpers.analysis.robustness.planning import ALL, BESIDE, plan
from helpers.problems import ReviewError
from helpers.stats.heterogeneity import tau2
from helpers.stats.planning.assurance import animals, assurance
from helpers.stats.pooling import prediction_distribution, probability_below


def table(k=12, per=1, **more):
    """Experiments whose effects follow no pattern, `per` of them a study."""
    return [
        row(
            f"e{i}", study=f"s{i // per}", cohort=f"c{i}", control_group=f"g{i}",
            n_treated=6 + i % 4, n_control=7 + i % 3,
            mean_treated=10.5 + (7 * i % 5) * 1.1 + (5 * (i // per)) % 4,
            species=("mouse", "rat")[(i // per) % 3 == 0],
        ) | more
        for i in range(k)
    ]  # fmt: skip


def analysed(folder, rows=None, toml=FAMILY + SPECIES, **settings):
    rows = table() if rows is None else rows
    report = Report("movement", review=write(folder, rows, toml=toml), **settings)
    (analysis,) = report.analyses.values()
    return report, analysis


@pytest.fixture(scope="module")
def independent(tmp_path_factory):
    return analysed(tmp_path_factory.mktemp("independent"))[1]


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    return analysed(tmp_path_factory.mktemp("nested"), table(30, 3))[1]


@pytest.fixture(scope="module")
def article():
    return Report("histology", outcomes=["gfap"]).analyses["gfap"]


def test_animals_are_those_of_the_prediction_distribution(independent):
    found, result = plan(independent), independent.leading
    mean, scale, df = prediction_distribution(result)
    half = (result.pi_high - result.pi_low) / 2
    assert (mean, df) == (result.estimate, result.k - 2)
    assert scale == pytest.approx(half / stats.t.isf(0.025, df))
    assert found.n_assurance == animals(mean=mean, scale=scale, df=df)
    assert found.n_power == animals(mean=mean) < found.n_assurance
    assert found.other_side == probability_below(result)
    assert found.limit == pytest.approx(1 - found.other_side)
    assert found.predicted and found.sd == 1


@pytest.mark.parametrize("kind", ["independent", "nested", "article"])
def test_widths_now_are_those_of_the_report(kind, request):
    analysis = request.getfixturevalue(kind)
    found, result = plan(analysis), analysis.leading
    first = found.narrowing.iloc[0]
    assert first["stratum"] == ALL and first["k"] == result.k
    assert first["width"] == pytest.approx(result.ci_high - result.ci_low)
    assert first["width_after"] < first["width"]
    shown = {}
    for name, model in analysis.models.items():
        cells = model.cells.to_dict("records")
        shown |= {(name, c["level"]): (c["k"], c["ci_high"] - c["ci_low"]) for c in cells}
    for name, groups in analysis.subgroups.items():
        cells = groups.table.to_dict("records")
        shown |= {(name, c["level"]): (c["k"], c["ci_high"] - c["ci_low"]) for c in cells}
    levels = found.narrowing[found.narrowing["moderator"] != ""]
    assert len(levels) == len(shown) > 1
    for level in levels.to_dict("records"):
        k, width = shown[level["moderator"], level["level"]]
        assert level["k"] == k
        if k > 1 or not analysis.subgroups:
            assert level["width"] == pytest.approx(width)
        else:
            assert math.isnan(level["width"])  # the article does not pool one experiment


def test_an_existing_study_is_told_apart_where_studies_hold_several_rows(independent, nested):
    assert plan(independent).beside is None
    found = plan(nested)
    assert found.beside in nested.rows.index
    new, existing = found.narrowing.iloc[0], found.narrowing.iloc[1]
    assert existing["stratum"] == BESIDE
    assert new["narrower"] > existing["narrower"]


def test_the_new_experiment_is_of_the_median_size(independent):
    found = plan(independent)
    sizes = np.concatenate([independent.rows["n_treated"], independent.rows["n_control"]])
    assert found.n == math.floor(np.median(sizes) + 0.5)
    n = independent.effects["variance"] / (
        1 / independent.rows["n_treated"] + 1 / independent.rows["n_control"]
    )
    assert found.variance == pytest.approx(n.median() * 2 / found.n)


@pytest.mark.slow
@pytest.mark.parametrize(
    "family", ["locomotion", "histology", "apoptosis", "inflammation", "microglia"]
)
def test_all_numbers_are_within_half_a_point_of_100_000_experiments(family):
    """Every outcome of the default review: true effects, then experiments, then their t-tests."""
    rng, worst = np.random.default_rng(3), 0
    for analysis in Report(family).analyses.values():
        found = plan(analysis, "SMD")
        mean, scale, df = prediction_distribution(analysis.leading)
        true = (mean + scale * rng.standard_t(df, 100_000)) * np.sign(mean)
        said = [(found.other_side, np.mean(true < 0))]
        for n in {found.n_assurance or 1_000, found.n_power, found.n}:
            t = rng.normal(true, np.sqrt(2 / n)) / np.sqrt(
                rng.chisquare(2 * n - 2, len(true)) / (2 * n - 2) * 2 / n
            )
            share = np.mean(t > stats.t.isf(0.025, 2 * n - 2))
            said.append((assurance(n, mean=mean, scale=scale, df=df), share))
        worst = max(worst, *(abs(one - share) for one, share in said))
    print(f"{family}: differs by at most {100 * worst:.2f} points")
    assert worst < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["independent", "article"])
def test_narrowing_is_that_of_100_000_experiments_pooled_anew(kind, request):
    """With τ² estimated again after each, and so Hartung and Knapp's factor."""
    analysis = request.getfixturevalue(kind)
    found, result = plan(analysis), analysis.leading
    sd = np.sqrt(found.variance + result.tau2 + 1 / np.sum(1 / (result.variance + result.tau2)))
    new = np.random.default_rng(4).normal(result.estimate, sd, 100_000)
    y = np.column_stack([np.tile(result.effect, (len(new), 1)), new])
    v = np.append(result.variance, found.variance)
    between = tau2(y, variances=np.broadcast_to(v, y.shape))
    weight = 1 / (v + between[:, None])
    middle = np.sum(weight * y, axis=1) / weight.sum(axis=1)
    square, critical = np.ones(len(new)), stats.norm.isf(0.025)
    if result.interval != "z":
        off = weight * (y - middle[:, None]) ** 2
        square, critical = np.maximum(off.sum(axis=1) / result.k, 1), stats.t.isf(0.025, result.k)
    width = np.mean(2 * critical * np.sqrt(square / weight.sum(axis=1)))
    first = found.narrowing.iloc[0]
    share = 1 - width / first["width"]
    print(f"{kind}: narrower by {100 * first['narrower']:.2f}%, simulated {100 * share:.2f}%")
    assert first["narrower"] == pytest.approx(share, abs=0.005)


def smallest(value, better="higher"):
    text = FAMILY.replace('better = "higher"', f'better = "{better}"\nsmallest = {value}')
    return text + SPECIES


@pytest.mark.parametrize("better", ["higher", "lower", "neither"])
def test_the_smallest_effect_lies_towards_benefit(tmp_path, better):
    _, analysis = analysed(tmp_path, toml=smallest(0.5, better))
    found, result = plan(analysis), analysis.leading
    mean, scale, df = prediction_distribution(result)
    towards = -1 if better == "lower" else 1  # all effects are above 0
    assert found.smallest == 0.5 * towards
    beyond = stats.t.cdf((0.5 * towards - mean) / scale, df)
    assert found.short == pytest.approx(beyond if towards > 0 else 1 - beyond)


@pytest.mark.parametrize("value", [1.25, 0.8])
def test_of_ratios_both_sides_of_1_mean_the_same(tmp_path, value):
    toml = smallest(value) + '[settings]\nmeasure = "ROM"\n'
    _, analysis = analysed(tmp_path, toml=toml)
    found = plan(analysis, "ROM")
    assert found.smallest == pytest.approx(math.log(1.25))
    assert found.short == pytest.approx(probability_below(analysis.leading, math.log(1.25)))
    assert found.n_assurance is None and "ratio of means" in found.animals_note


def test_the_smallest_effect_of_another_measure_is_not_used(tmp_path):
    report, analysis = analysed(tmp_path, toml=smallest(0.5), measure="MD")
    found = plan(analysis)
    assert found.smallest is None and found.short is None
    assert "said of SMD, not of MD" in found.smallest_note
    assert "said of SMD, not of MD" in report.outcome("score").planning().text


def test_mean_differences_are_divided_by_a_typical_sd(tmp_path):
    rows = [
        line | {"sd_treated": 2 + i % 3, "sd_control": 2 + i % 3} for i, line in enumerate(table())
    ]
    _, analysis = analysed(tmp_path, rows, measure="MD")
    found, result = plan(analysis), analysis.leading
    assert found.sd == 3  # the median of 2, 3 and 4
    mean, scale, df = prediction_distribution(result)
    assert found.n_assurance == animals(mean=mean / 3, scale=scale / 3, df=df)


def test_nothing_pooled_nothing_planned(tmp_path):
    report, analysis = analysed(tmp_path, table(1))
    assert plan(analysis) is None
    assert report.outcome("score").planning() is None
    assert report.content["outcomes"]["score"]["planning"] is None


def test_two_experiments_predict_nothing(tmp_path):
    report, analysis = analysed(tmp_path, table(2))
    found = plan(analysis)
    assert not found.predicted and found.n_assurance is None
    text = report.outcome("score").planning().text
    assert "no prediction distribution" in text and "probability" not in text
    assert "narrower" in text


@pytest.mark.parametrize(
    ("toml", "what"),
    [
        (smallest(0), "a number"),
        (smallest(-0.5), "a number"),
        (smallest('"small"'), "a number"),
        (smallest(1) + '[settings]\nmeasure = "ROM"\n', "a ratio of 1 is no effect"),
    ],
)
def test_a_smallest_effect_that_cannot_be_is_refused(tmp_path, toml, what):
    with pytest.raises(ReviewError, match=what):
        analysed(tmp_path, toml=toml)
