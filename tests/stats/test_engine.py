"""What other programs call of the engine: where it is, what it takes and what it gives."""

import dataclasses
import inspect

import pytest

from helpers.stats import (
    effects,
    heterogeneity,
    influence,
    moderators,
    multilevel,
    pooling,
    publication_bias,
    robust,
    small_study,
)

PARAMETERS = {
    effects.effect_sizes: "table measure correction variance",
    pooling.pool: "effect variance method interval prediction level",
    pooling.tau2: "effects variances method",
    moderators.subgroups: "effect variance by method interval prediction level",
    moderators.meta_regression: "effect variance moderators reference method interval level",
    multilevel.three_level: "effect study variance covariance interval level",
    robust.cluster_robust: "fit study",
    small_study.egger: "effect variance",
    publication_bias.trim_and_fill: "effect variance estimator side method interval level",
    influence.leave_one_out: "effect variance study method interval prediction level",
    influence.diagnostics: "effect variance study method",
}
FIELDS = {
    pooling.PooledResult: "k estimate se ci_low ci_high p_effect tau2 i2 h2 q p_heterogeneity "
    "pi_low pi_high weights",
    moderators.SubgroupResult: "table q_between df p_between single left_out results",
    moderators.RegressionResult: "coefficients tau2 r2 i2 qm qm_df p_moderators q_residual "
    "p_residual k left_out",
    multilevel.ThreeLevelResult: "k studies estimate se ci_low ci_high p_effect sigma2_study "
    "sigma2_experiment i2 i2_study i2_experiment pi_low pi_high q p_heterogeneity loglik level "
    "interval note effect covariance study",
    robust.RobustResult: "k clusters estimate se statistic df ci_low ci_high p_effect level warning",
    small_study.SmallStudyTest: "test k statistic df p slope se intercept predictor options x y",
    publication_bias.TrimAndFillResult: "k0 side se_k0 filled_effect filled_variance pooled "
    "estimator",
}


@pytest.mark.parametrize("function", PARAMETERS, ids=lambda f: f.__name__)
def test_parameters_stay(function):
    taken = list(inspect.signature(function).parameters)
    assert taken[: len(PARAMETERS[function].split())] == PARAMETERS[function].split()


@pytest.mark.parametrize("result", FIELDS, ids=lambda r: r.__name__)
def test_fields_of_results_stay(result):
    assert set(FIELDS[result].split()) <= {field.name for field in dataclasses.fields(result)}


def test_columns_of_deletions_stay():
    left = influence.leave_one_out([0.1, 0.4, 0.9], variance=[0.1, 0.2, 0.1])
    assert list(left) == ["left_out", "k", *pooling.POOLED_FIELDS]
    table = influence.diagnostics([0.1, 0.4, 0.9], variance=[0.1, 0.2, 0.1])
    expected = "left_out rstudent dffits cook cov_ratio tau2_deleted q_deleted hat weight dfbetas"
    assert list(table) == [*expected.split(), "influential"]


def test_tau2_is_found_in_both_places():
    assert heterogeneity.tau2 is pooling.tau2
