"""Cluster-robust inference about a pooled mean: right even where the model of dependence is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.stats.mixed_model.groups import labels, stacks
from helpers.stats.mixed_model.sandwich import MIN_CLUSTERS, MIN_DF, sandwich
from helpers.stats.multilevel import ThreeLevelResult
from helpers.stats.pooling import inference


@dataclass(frozen=True)
class RobustResult:
    """Cluster-robust (CR2) inference about a mean effect.

    Attributes
    ----------
    k, clusters : int
        Numbers of experiments and of clusters.
    estimate, se, statistic, df, ci_low, ci_high, p_effect : float
        The fit's estimate with its robust standard error, and t inference with Satterthwaite df.
    level : float
        Of the interval, for instance 0.95.
    warning : str
        Empty, or why the p-value is not to be trusted (df below 4).
    """

    k: int
    clusters: int
    estimate: float
    se: float
    statistic: float
    df: float
    ci_low: float
    ci_high: float
    p_effect: float
    level: float
    warning: str = ""


def cluster_robust(fit, *, study):
    """CR2 standard error and Satterthwaite degrees of freedom of a pooled mean.

    Parameters
    ----------
    fit : PooledResult or ThreeLevelResult
        Its estimate and level are kept; its weights and its covariance are the working model.
    study : array_like of k labels
        The clusters. A three-level fit's studies must each lie within one cluster.

    Returns
    -------
    RobustResult

    Raises
    ------
    ValueError
        With fewer than 5 clusters, and where residuals or weights leave nothing to estimate a
        standard error from.

    Notes
    -----
    Residuals of cluster i are multiplied by A_i = D'·(D·(Φ - x·m·x')·D')^(-1/2)·D, where Φ is its
    working covariance, D'D = Φ, and m the model variance of the mean: `sandwich` with one
    coefficient.

    References
    ----------
    Pustejovsky and Tipton (2018), Journal of Business & Economic Statistics 36:672.
    """
    code = labels(study, fit.k, "study", missing=False)
    clusters = int(code.max()) + 1
    if clusters < MIN_CLUSTERS:
        raise ValueError(
            f"cluster-robust inference needs at least {MIN_CLUSTERS} studies, there are {clusters}"
        )
    inner = getattr(fit, "study", code)
    cluster_of = np.empty(inner.max() + 1, dtype=int)
    cluster_of[inner] = code
    if (cluster_of[inner] != code).any():
        raise ValueError("each study of the three-level model must lie within one cluster")

    residual = fit.effect - fit.estimate
    if np.abs(residual).max() <= 1e-14 * np.abs(fit.effect).max():
        raise ValueError(
            "the effects do not differ: no cluster-robust standard error follows from them"
        )
    if isinstance(fit, ThreeLevelResult):
        bread = fit.se**2
    else:
        bread = 1 / (1 / (fit.variance + fit.tau2)).sum()
    found = sandwich(
        np.ones((fit.k, 1)), residual, bread=np.array([[bread]]),
        stacked=((rows, _working_covariance(fit, rows)) for rows in stacks(code, within=inner)),
    )  # fmt: skip
    se, df = np.sqrt(found.covariance()[0, 0]), found.df([1.0])
    if not (se > 0 and df > 0):
        raise ValueError(
            "one study carries all the weight: no cluster-robust standard error follows from it"
        )
    numbers = inference(fit.estimate, se, level=fit.level, df=df)
    numbers |= {"statistic": fit.estimate / se, "df": df}
    warning = ""
    if not df >= MIN_DF:
        warning = f"only {df:.1f} degrees of freedom: the robust p-value is not to be trusted"
    return RobustResult(
        k=fit.k, clusters=clusters, **{name: float(value) for name, value in numbers.items()},
        level=fit.level, warning=warning,
    )  # fmt: skip


def _working_covariance(fit, rows):
    """Covariance under the fitted model, shape (clusters, n, n), of rows of shape (clusters, n).

    The rows of one study must lie side by side.
    """
    one = np.eye(rows.shape[1])
    if not isinstance(fit, ThreeLevelResult):
        return one * (fit.variance[rows] + fit.tau2)[:, None]
    study, v = fit.study[rows], fit.covariance
    same = study[:, :, None] == study[:, None]
    if isinstance(v, np.ndarray):
        phi = one * v[rows][:, None]
    else:
        phi = np.zeros(same.shape)
        phi[same] = np.concatenate([v[code].ravel() for code in pd.unique(study.ravel())])
    return phi + fit.sigma2_study * same + fit.sigma2_experiment * one


# --------------------------------------------------------------------------- several coefficients
