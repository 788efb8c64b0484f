"""Cluster-robust (CR2) covariance of coefficients, and tests by it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.stats.distributions import f_sf

# Below this number of clusters CR2 has too little to go on, even with its own degrees of freedom.
MIN_CLUSTERS = 5
# Tipton (2015), Psychological Methods 20:375: with fewer, the type-I error is no longer kept.
MIN_DF = 4
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
        flat = lever.reshape(len(lever), -1)
        both = (flat.T @ flat).reshape(2 * lever.shape[1:]).transpose(1, 3, 0, 2)  # Σ l_pr·l_qs
        variance += (both**2).sum() + (both * both.mT).sum()
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
    A_i = D'·(D·(Φ_i - X_i·M·X_i')·D')^(-1/2)·D with D'D = Φ_i, and U_i = A_i'·Φ_i⁻¹·X_i·M.

    References
    ----------
    Pustejovsky and Tipton (2018), Journal of Business & Economic Statistics 36:672.
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
