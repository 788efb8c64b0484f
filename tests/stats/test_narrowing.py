"""Expected widths with one experiment more, held against R and against simulated experiments."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from helpers.stats.mixed_model.sampling import constant_covariance
from helpers.stats.multilevel import moderator_levels, multilevel
from helpers.stats.planning.narrowing import Narrowing, most_telling, of_multilevel, of_pooled
from helpers.stats.pooling import pool

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "planning.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("interval", ["z", "hksj"])
@pytest.mark.parametrize("case", REFERENCE["independent"], ids=lambda case: f"k={len(case['yi'])}")
def test_widths_of_independent_experiments_are_those_of_r(case, interval):
    result = pool(case["yi"], variance=case["vi"], interval=interval)
    found = of_pooled(result, variance=case["new"])
    assert found.now == pytest.approx(result.ci_high - result.ci_low)
    assert found.now == pytest.approx(case[interval]["now"], rel=1e-6)
    assert found.then == pytest.approx(case[interval]["then"], rel=1e-5)
    assert found.share == pytest.approx(1 - found.then / found.now)


def with_variances(fit, sigma2):
    """A fit of a mean with other variances than its own."""
    model = fit.model
    theta = np.asarray(sigma2) / model.unit**2
    beta, inverse, _, _ = model.at(theta)
    return replace(
        fit, theta=theta, beta=model.ordinary + model.unit * (model.back @ beta),
        covariance=model.unit**2 * model.back @ inverse @ model.back.T,
    )  # fmt: skip


@pytest.mark.parametrize("case", REFERENCE["nested"], ids=lambda case: f"k={len(case['yi'])}")
def test_widths_of_the_multilevel_model_are_those_of_r(case):
    study = np.array(case["study"])
    blocks, _ = constant_covariance(case["vi"], within=study, rho=case["rho"])
    fit = multilevel(case["yi"], levels={"study": study, "row": None}, covariance=blocks).fit
    fit = with_variances(fit, case["sigma2"])
    for place, beside in (("new_study", None), ("first_study", 0)):
        found = of_multilevel(fit, [1.0], variance=case["new"], beside=beside)
        assert found.now == pytest.approx(case["now"], rel=1e-6), place
        assert found.then == pytest.approx(case[place], rel=1e-5), place


def test_a_floored_interval_starts_from_its_floor():
    y, v = [1.0, 1.1, 0.9, 1.05], np.full(4, 0.5)
    result = pool(y, variance=v, interval="hksj_truncated")
    found = of_pooled(result, variance=0.5)
    assert found.now == pytest.approx(2 * stats.t.isf(0.025, 3) * np.sqrt(0.5 / 4))
    knapp = of_pooled(pool(y, variance=v, interval="hksj"), variance=0.5)
    assert found.now > knapp.now and found.then > knapp.then


def nested(seed, studies, **more):
    rng = np.random.default_rng(seed)
    study = np.repeat(np.arange(studies), rng.integers(1, 4, studies))
    v = rng.uniform(0.1, 0.5, len(study))
    y = 1 + rng.normal(0, 0.6, studies)[study] + rng.normal(0, np.sqrt(v + 0.2))
    return y, {"levels": {"study": study, "row": None}, "variance": v, **more}


def test_by_containment_the_width_does_not_depend_on_what_is_found():
    y, options = nested(1, 9, test="contain")
    found = multilevel(y, **options)
    more = of_multilevel(found.fit, [1.0], variance=0.3)
    levels = {"study": np.append(options["levels"]["study"], 9), "row": None}
    longer = options | {"levels": levels, "variance": np.append(options["variance"], 0.3)}
    larger = multilevel(np.append(y, found.estimate), **longer)
    sigma2 = [found.sigma2["study"], found.sigma2["row"]]
    by_hand = with_variances(larger.fit, sigma2).contrast(np.ones(1))
    assert more.now == pytest.approx(found.ci_high - found.ci_low)
    assert more.then == pytest.approx(by_hand["ci_high"] - by_hand["ci_low"])


def test_one_more_study_can_bring_cluster_robust_inference():
    y, options = nested(2, 5)
    found = multilevel(y, **options)
    contained = multilevel(y, **options | {"test": "contain"})
    assert found.test == contained.test == "contain"
    robust, by_df = (of_multilevel(one.fit, [1.0], variance=0.3) for one in (found, contained))
    assert robust.now == by_df.now and robust.then != pytest.approx(by_df.then)


def test_the_most_telling_study_is_that_of_the_largest_gain():
    y, options = nested(3, 10, test="contain")
    fit = multilevel(y, **options).fit
    best = most_telling(fit, variance=0.3)
    gains = [of_multilevel(fit, [1.0], variance=0.3, beside=row).share for row in range(len(y))]
    assert gains[best] == pytest.approx(max(gains))
    assert of_multilevel(fit, [1.0], variance=0.3).share > max(gains)


def test_without_groups_it_makes_no_difference_where():
    y, options = nested(4, 12)
    alone = multilevel(y, levels={"row": None}, variance=options["variance"])
    assert most_telling(alone.fit, variance=0.3) is None


def widths(fit, design, variance, found):
    """Widths with a row of a new study added, by dense algebra: one for each of its effects."""
    k, c = len(fit.y), np.asarray(design)
    phi, cluster = np.zeros((k + 1, k + 1)), np.append(fit.cluster, fit.cluster.max() + 1)
    phi[:k, :k] = fit.working(np.arange(k)[None])[0]
    phi[k, k] = variance + fit.tau2
    x, inverse = np.vstack([fit.x, c]), np.linalg.inv(phi)
    bread = np.linalg.inv(x.T @ inverse @ x)
    y = np.vstack([np.repeat(fit.y[:, None], len(found), axis=1), found])
    residual = y - x @ (bread @ (x.T @ (inverse @ y)))
    rows, squared = [], 0
    for one in np.unique(cluster):
        at = np.flatnonzero(cluster == one)
        d = np.linalg.cholesky(phi[np.ix_(at, at)]).T
        values, vectors = np.linalg.eigh(d @ (phi[np.ix_(at, at)] - x[at] @ bread @ x[at].T) @ d.T)
        values[values < 1e-12 * values.max()] = np.inf
        root = d.T @ (vectors / np.sqrt(values)) @ vectors.T @ d
        row = np.zeros(k + 1)
        row[at] = c @ bread @ x[at].T @ np.linalg.inv(phi[np.ix_(at, at)]) @ root
        rows.append(row)
        squared = squared + (row[at] @ residual[at]) ** 2
    of_scores = np.array(rows) @ (np.eye(k + 1) - x @ bread @ x.T @ inverse)
    spread = of_scores @ phi @ of_scores.T
    df = np.trace(spread) ** 2 / np.sum(spread**2)
    return 2 * stats.t.isf(0.025, df) * np.sqrt(squared)


def drawn(fit, design, variance, replicates, seed):
    """Effects of a new study's experiment, by the model and the uncertainty of its mean."""
    c = np.asarray(design)
    sd = np.sqrt(variance + fit.tau2 + c @ fit.covariance @ c)
    return np.random.default_rng(seed).normal(c @ fit.beta, sd, replicates)


def cases():
    for seed, studies in ((5, 8), (6, 12), (7, 25)):
        y, options = nested(seed, studies)
        yield f"mean of {studies}", multilevel(y, **options).fit, [1.0]
        by = np.where(np.arange(studies) % 3 == 0, "a", "b")[options["levels"]["study"]]
        if studies > 8:
            yield (
                f"level of {studies}",
                moderator_levels(y, by=by, **options).result.fit,
                [0.0, 1.0],
            )


@pytest.mark.parametrize(
    ("fit", "design"), [one[1:] for one in cases()], ids=[c[0] for c in cases()]
)
def test_expected_widths_are_what_simulated_studies_give(fit, design):
    found = of_multilevel(fit, design, variance=0.3)
    width = np.mean(widths(fit, design, 0.3, drawn(fit, design, 0.3, 20_000, 1)))
    assert found.share == pytest.approx(1 - width / found.now, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fit", "design"), [one[1:] for one in cases()], ids=[c[0] for c in cases()]
)
def test_narrowing_is_within_half_a_point_of_100_000_studies(fit, design):
    found = of_multilevel(fit, design, variance=0.3)
    width = np.mean(widths(fit, design, 0.3, drawn(fit, design, 0.3, 100_000, 2)))
    print(f"narrower by {100 * found.share:.2f}%, simulated {100 * (1 - width / found.now):.2f}%")
    assert found.share == pytest.approx(1 - width / found.now, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("k", [8, 15, 40])
@pytest.mark.parametrize("interval", ["z", "hksj", "hksj_truncated"])
def test_fitting_the_variance_anew_changes_little(k, interval):
    """What the width really becomes, with τ² estimated again, is near what is said with it held."""
    rng = np.random.default_rng(k)
    v = rng.uniform(0.1, 0.5, k)
    result = pool(rng.normal(1, np.sqrt(v + 0.5)), variance=v, interval=interval)
    found = of_pooled(result, variance=0.3)
    sd = np.sqrt(0.3 + result.tau2 + 1 / np.sum(1 / (v + result.tau2)))
    longer = np.append(v, 0.3)
    again = [
        pool(np.append(result.effect, one), variance=longer, interval=interval)
        for one in rng.normal(result.estimate, sd, 4_000)
    ]
    width = np.mean([one.ci_high - one.ci_low for one in again])
    print(
        f"{interval}, k {k}: held {100 * found.share:.2f}%, anew {100 * (1 - width / found.now):.2f}%"
    )
    assert found.share == pytest.approx(1 - width / found.now, abs=0.007)


def test_an_interval_without_width_narrows_by_no_share():
    assert np.isnan(Narrowing(0.0, 0.5).share)
