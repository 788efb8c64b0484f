"""Cluster-robust inference about a pooled mean: right even where the model of dependence is not."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.stats.dependence import ThreeLevelResult, labels, stacks
from helpers.stats.distributions import f_sf
from helpers.stats.pooling import inference

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


# --------------------------------------------------------------------------- several coefficients

# A matrix of so many rows, and the roots of its inverse, take seconds.
MAX_CLUSTER = 3_000


@dataclass(frozen=True, eq=False)
class Sandwich:
    """What CR2 inference about the coefficients β of a regression needs of its clusters.

    Attributes
    ----------
    score : ndarray, shape (clusters, p)
        Each cluster's adjusted residuals, weighted: Σ score·score' is the covariance of β.
    own : ndarray, shape (clusters, p, p)
        Covariance of these scores under the working model, had β been known.
    lever : ndarray, shape (clusters, p, p)
        X_i'·U_i: what fitting β takes from it is lever'·M·lever.
    bread : ndarray, shape (p, p)
        M, the covariance of β under the working model.
    adjusted : list of (rows, U)
        Of clusters of one size their rows (clusters, n) and U (clusters, n, p): U'·residuals are its
        scores.
    """

    score: np.ndarray
    own: np.ndarray
    lever: np.ndarray
    bread: np.ndarray
    adjusted: list = field(default_factory=list, repr=False)

    @property
    def clusters(self):
        """Number of clusters."""
        return len(self.score)

    def covariance(self):
        """CR2 covariance of the coefficients."""
        return self.score.T @ self.score

    def df(self, contrast):
        """Satterthwaite degrees of freedom of one contrast of the coefficients."""
        contrast = np.atleast_2d(contrast)
        mean, variance = self._moments(contrast)
        # Nothing is left where all that tells the contrast lies in one cluster.
        left = mean > 1e-8 * (contrast @ self.bread @ contrast.T)
        return float(2 * mean[0, 0] ** 2 / variance) if left.all() else np.nan

    def unbiased(self, contrast):
        """Whether CR2 is right on average under the working model.

        It is not, but too small, where a contrast needs a coefficient that one cluster has to
        itself, for instance the mean of a moderator's level that was seen in one study.
        """
        contrast = np.atleast_2d(contrast)
        root = np.linalg.inv(np.linalg.cholesky(contrast @ self.bread @ contrast.T))
        mean = self._moments(contrast)[0]
        return bool(np.linalg.eigvalsh(root @ mean @ root.T)[0] > 1 - 1e-6)

    def htz(self, contrast, off):
        r"""Approximate Hotelling test (HTZ) that contrasts of β are 0.

        Parameters
        ----------
        contrast : ndarray, shape (q, p)
        off : ndarray, shape (q,)
            Their values.

        Returns
        -------
        tuple of float
            F, its second degrees of freedom, and p; NaN where the scores do not allow them.

        Notes
        -----
        η = q(q + 1)/Σ Var(t_rs), t the covariance of the contrasts standardised to mean I;
        F = (η - q + 1)/(η·q)·T² with q and η - q + 1 degrees of freedom.

        References
        ----------
        Tipton and Pustejovsky (2015), J Educ Behav Stat 40:604.
        """
        contrast = np.atleast_2d(contrast)
        rows = len(contrast)
        mean, _ = self._moments(contrast)
        values, vectors = np.linalg.eigh(mean)
        if values[0] <= 1e-8 * np.linalg.eigvalsh(contrast @ self.bread @ contrast.T)[0]:
            return np.nan, np.nan, np.nan
        root = (vectors / np.sqrt(values)) @ vectors.T
        eta = rows * (rows + 1) / self._moments(root @ contrast)[1]
        df = eta - rows + 1
        spread = contrast @ self.covariance() @ contrast.T
        if df <= 0 or np.linalg.cond(spread) > 1e12:
            return np.nan, float(df), np.nan
        f = df / eta * (off @ np.linalg.solve(spread, off)) / rows
        return float(f), float(df), float(f_sf(f, rows, df))

    def _moments(self, contrast):
        """Mean of the contrasts' CR2 covariance under the working model; its elements' variance.

        The scores s_i of clusters covary as δ_ij·own_i - l_i'·l_j, l = M^½·lever, so that
        Var(t_rs) = Σ_ij cov(s_ir, s_jr)·cov(s_is, s_js) + cov(s_ir, s_js)·cov(s_is, s_jr).
        """
        own = contrast @ self.own @ contrast.T
        lever = np.linalg.cholesky(self.bread).T @ self.lever @ contrast.T  # (clusters, p, q)
        taken = lever.mT @ lever
        o, t = (np.einsum("irr->ir", m) for m in (own, taken))
        variance = (o[:, :, None] * (o - 2 * t)[:, None] + own * (own - 2 * taken)).sum()
        both = np.einsum("ipr,iqs->rspq", lever, lever, optimize=True)
        variance += (both**2).sum() + np.einsum("rspq,rsqp->", both, both)
        return (own - taken).sum(axis=0), variance


def sandwich(x, residual, *, bread, stacked):
    """CR2 scores of a generalised least-squares fit.

    Parameters
    ----------
    x : array_like, shape (k, p)
    residual : array_like, shape (k,)
    bread : ndarray, shape (p, p)
        Covariance of the coefficients under the working model, (X'Φ⁻¹X)⁻¹.
    stacked : iterable of (rows, phi)
        Clusters of one size at once: their rows (clusters, n) and covariance Φ (clusters, n, n).

    Returns
    -------
    Sandwich

    Notes
    -----
    As in `cluster_robust`: A_i = D'·(D·(Φ_i - X_i·M·X_i')·D')^(-1/2)·D with D'D = Φ_i, and
    U_i = A_i'·Φ_i⁻¹·X_i·M.
    """
    score, own, lever, adjusted = [], [], [], []
    for rows, phi in stacked:
        part = x[rows]
        d = np.linalg.cholesky(phi).mT
        whole, taken = d @ phi @ d.mT, d @ part @ bread @ part.mT @ d.mT
        values, vectors = np.linalg.eigh(whole - taken)
        # The inverse root is 0 where fitting β takes all that there is, as in a cluster with a
        # coefficient of its own.
        largest = whole.diagonal(axis1=1, axis2=2).max(axis=1)
        values[values <= 1e-12 * largest[:, None]] = np.inf
        u = vectors.mT @ (d @ np.linalg.solve(phi, part @ bread)) / np.sqrt(values)[..., None]
        u = d.mT @ (vectors @ u)
        adjusted.append((rows, u))
        score.append((u.mT @ residual[rows][..., None])[..., 0])
        own.append(u.mT @ phi @ u)
        lever.append(part.mT @ u)
    parts = (np.concatenate(part) for part in (score, own, lever))
    return Sandwich(*parts, bread, adjusted)
