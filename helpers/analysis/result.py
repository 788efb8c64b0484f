"""A pooled result of the multilevel model, told as results of independent rows are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.stats.multilevel import MultilevelResult
from helpers.stats.pooling import POOLED_FIELDS, PooledResult


@dataclass(frozen=True, eq=False)
class ModelledResult:
    """A mean effect by the multilevel model, with the fields of a `PooledResult` and its own.

    Attributes
    ----------
    k, studies, clusters : int
    estimate, se, df, ci_low, ci_high, p_effect : float
    pi_low, pi_high, prediction_df : float
        Prediction interval for a new row of new groups, and its degrees of freedom.
    tau2, i2, h2 : float
        Sum of the variances, I² in percent, 1/(1 - I²).
    q, p_heterogeneity : float
    sigma2, i2_levels : dict
        By level.
    weights : numpy.ndarray
        Share of each row in the mean; they add up to 1, and one of them can be below 0.
    test, test_label : str
        ``cr2`` or ``contain``, and the same in words.
    levels : tuple of str
    left_out : dict
        Levels that are not in the fit, with the reason.
    rho : float
    warnings : tuple of str
    level : float
    fit : MultilevelResult
    """

    k: int
    studies: int
    clusters: int
    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p_effect: float
    pi_low: float
    pi_high: float
    prediction_df: float
    tau2: float
    i2: float
    h2: float
    q: float
    p_heterogeneity: float
    sigma2: dict
    i2_levels: dict
    weights: np.ndarray = field(repr=False)
    test: str
    test_label: str
    levels: tuple
    left_out: dict
    rho: float
    warnings: tuple
    level: float
    fit: MultilevelResult = field(repr=False)
    method: str = "REML"
    interval: str = "multilevel"
    prediction: str = "multilevel"

    @property
    def pooled(self):
        """Whether there was more than one effect to pool."""
        return self.k > 1

    def variance_intervals(self):
        """Profile-likelihood interval of each level's variance."""
        return self.fit.profile_intervals(self.level)


def modelled(fit, *, rho):
    """A `ModelledResult` of a fit without moderators.

    Parameters
    ----------
    fit : helpers.stats.multilevel.MultilevelResult
    rho : float
        The correlation that its sampling errors were made with.
    """
    names = ("k", "studies", "clusters", "estimate", "se", "df", "ci_low", "ci_high", "p_effect",
             "pi_low", "pi_high", "tau2", "i2", "q", "p_heterogeneity", "sigma2", "i2_levels",
             "test", "test_label", "levels", "left_out", "warnings", "level")  # fmt: skip
    return ModelledResult(
        **{name: getattr(fit, name) for name in names},
        prediction_df=fit.clusters - 1 if fit.test == "cr2" else fit.df,
        h2=1 / (1 - fit.i2 / 100) if fit.i2 < 100 else np.inf,
        weights=fit.fit.weights(),
        rho=rho,
        fit=fit,
    )


def is_modelled(result):
    """Whether a result comes from the multilevel model."""
    return isinstance(result, ModelledResult)


def result_fields(result, measure, *, studies, animals):
    """A pooled result of either kind as plain data, for the JSON.

    Parameters
    ----------
    result : PooledResult or ModelledResult
    measure : helpers.analysis.measures.Measure
    studies, animals : int

    Returns
    -------
    dict
        What `PooledResult` has, with ``measure, scale, level, note, df, test, studies, animals,
        sigma2`` and ``i2_by_level``; τ² and I² of independent rows are those of the experiment.
    """
    found = {name: getattr(result, name) for name in ("k", *POOLED_FIELDS, "pooled")}
    found |= {"measure": measure.label, "scale": measure.scale, "level": result.level}
    found |= {"studies": studies, "animals": animals}
    if isinstance(result, PooledResult):
        t_based = result.interval != "z" and result.pooled
        return found | {
            "model": "independent",
            "test": result.interval,
            "df": result.k - 1 if t_based else None,
            "note": "" if result.pooled else "one experiment: nothing is pooled",
            "sigma2": {"experiment": result.tau2},
            "i2_by_level": {"experiment": result.i2},
        }
    return found | {
        "model": "multilevel",
        "test": result.test,
        "df": result.df,
        "note": "; ".join([result.test_label, *result.warnings]),
        "sigma2": result.sigma2,
        "i2_by_level": result.i2_levels,
        "rho": result.rho,
    }
