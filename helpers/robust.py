"""Cluster-robust inference about a pooled mean: right even where the model of dependence is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.dependence import ThreeLevelResult, labels, stacks
from helpers.pooling import inference

# Below this number of clusters CR2 has too little to go on, even with its own degrees of freedom.
MIN_CLUSTERS = 5
# Tipton (2015), Psychological Methods 20:375: with fewer, the type-I error is no longer kept.
MIN_DF = 4


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
    working covariance, D'D = Φ, and m the model variance of the mean.

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
    model = isinstance(fit, ThreeLevelResult)
    m = fit.se**2 if model else 1 / (1 / (fit.variance + fit.tau2)).sum()
    parts = []
    for rows in stacks(code, within=inner):
        phi = _working_covariance(fit, rows)
        d = np.linalg.cholesky(phi).mT
        values, vectors = np.linalg.eigh(d @ (phi - m) @ d.mT)
        values[values <= 1e-12 * values[:, -1:]] = np.inf  # the inverse root there is 0
        w = np.linalg.solve(phi, np.ones((*rows.shape, 1)))  # Φ⁻¹x
        u = vectors.mT @ (d @ w) / np.sqrt(values)[..., None]
        u = d.mT @ (vectors @ u) * m  # A'·Φ⁻¹·x·m (A is symmetric)
        score = u.mT @ residual[rows][..., None]
        parts.append([score, u.mT @ phi @ u, u.sum(axis=1, keepdims=True)])
    score, own, lever = np.concatenate(parts, axis=1)[..., 0, 0]
    # Covariance J = diag(own) - m·lever·lever' of the clusters' scores under the working model,
    # after fitting the mean; df = tr(J)²/ΣJ².
    taken = m * lever**2
    squares = (own**2 - 2 * own * taken).sum() + taken.sum() ** 2
    se = np.sqrt((score**2).sum())
    if not (se > 0 and squares > 0):
        raise ValueError(
            "one study carries all the weight: no cluster-robust standard error follows from it"
        )
    df = (own - taken).sum() ** 2 / squares
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
