"""Inference in a multilevel model: cluster-robust, or with containment degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.stats.distributions import f_sf
from helpers.stats.mixed_model.groups import stacks
from helpers.stats.mixed_model.likelihood import Likelihood
from helpers.stats.mixed_model.sampling import Sampling
from helpers.stats.mixed_model.sandwich import MAX_CLUSTER, MIN_CLUSTERS, MIN_DF, sandwich
from helpers.stats.pooling import critical, inference

ASKED = "as asked for"
# A robust standard error below this share of the model's comes of equal effects, or of one cluster.
NO_WIDTH = 1e-6


@dataclass(frozen=True)
class WaldResult:
    """A joint test of contrasts of coefficients.

    Attributes
    ----------
    f, df1, df2, p : float
        NaN where it was not tested.
    test : str
        ``HTZ`` (cluster-robust) or ``F`` (containment degrees of freedom).
    reason : str
        Empty, or why it was not tested; df2 is then what would have been left.
    p_untrusted : float
        The p that was not given for this reason, for comparison with other programs.
    """

    f: float
    df1: int
    df2: float
    p: float
    test: str
    reason: str = ""
    p_untrusted: float = np.nan

    @property
    def tested(self):
        """Whether there is a p."""
        return not self.reason


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model with what its tests need.

    Attributes
    ----------
    model : Likelihood
    theta : ndarray
        Its variances at the maximum, in the model's units.
    codes : list of ndarray
        The groups of every level, that of the rows included.
    study : ndarray or None
    y, x, sampling
        The data.
    beta, covariance : ndarray
        Coefficients, and their covariance under the model.
    loglik : float
    level : float
    cluster : ndarray
        Independent clusters.
    cluster_name : str
    fallback : str
        Why all tests are by containment, or empty.
    """

    model: Likelihood
    theta: np.ndarray
    codes: list
    study: np.ndarray | None
    y: np.ndarray
    x: np.ndarray
    sampling: Sampling
    beta: np.ndarray
    covariance: np.ndarray
    loglik: float
    level: float
    cluster: np.ndarray
    cluster_name: str
    fallback: str

    @property
    def clusters(self):
        """Number of clusters."""
        return int(self.cluster.max()) + 1

    @cached_property
    def sandwich(self):
        """CR2 on the orthonormal basis of the model, or None where clusters are too large."""
        largest = np.bincount(self.cluster).max()
        if largest > MAX_CLUSTER or (self.fallback and largest > MAX_CLUSTER / 10):
            return None
        model, stacked = self.model, ((r, self.working(r)) for r in stacks(self.cluster))
        bread = np.linalg.solve(model.back, np.linalg.solve(model.back, self.covariance).T)
        return sandwich(model.basis, self.y - self.x @ self.beta, bread=bread, stacked=stacked)

    def working(self, rows):
        """Covariance of clusters' rows (clusters, n) under the model, shape (clusters, n, n)."""
        phi, sigma2 = self.sampling.dense(rows), self.model.unit**2 * self.theta
        for code, variance in zip(self.codes, sigma2, strict=False):  # of rows without one: 0
            phi += variance * (code[rows][:, :, None] == code[rows][:, None])
        return phi

    def weights(self):
        """Share of each row in a mean: its sum in the inverse covariance; they add up to 1."""
        shares = np.empty(len(self.y))
        for rows in stacks(self.cluster):
            ones = np.ones((*rows.shape, 1))
            shares[rows] = np.linalg.solve(self.working(rows), ones)[..., 0]
        return shares / shares.sum()

    @property
    def tau2(self):
        """Sum of the variances."""
        return self.model.unit**2 * self.theta.sum()

    def contrast(self, c):
        """Estimate, intervals and test of one contrast of the coefficients."""
        df, test, turned = np.nan, "cr2", c @ self.model.back
        if not self.fallback and self.sandwich.unbiased(turned):
            df = self.sandwich.df(turned)
        se = np.sqrt(c @ self.covariance @ c)
        robust_se = np.sqrt(turned @ self.sandwich.covariance() @ turned) if df >= MIN_DF else 0.0
        if robust_se > NO_WIDTH * se:
            se, wide_df = robust_se, self.clusters - len(c)
        else:
            test, df = "contain", self.contained(c)
            wide_df = df
        found = inference(c @ self.beta, se, level=self.level, df=df)
        reach = critical(self.level, max(wide_df, 1)) * np.hypot(se, np.sqrt(self.tau2))
        reach = max(reach, found["ci_high"] - found["estimate"])
        found |= {"statistic": found["estimate"] / se, "df": df}
        found |= {"pi_low": found["estimate"] - reach, "pi_high": found["estimate"] + reach}
        return {name: float(value) for name, value in found.items()} | {"test": test}

    def contained(self, contrast):
        """Containment degrees of freedom: the fewest of the coefficients in it."""
        k, p = self.x.shape
        groups = np.full(p, k)
        for code in self.codes:
            first = np.unique(code, return_index=True)[1]
            constant = (self.x == self.x[first[code]]).all(axis=0)
            groups[constant] = np.minimum(groups[constant], len(first))
        taking_part = (np.atleast_2d(contrast) != 0).any(axis=0)
        return int(max(groups[taking_part].min() - p, 1))

    def wald(self, contrast):
        """Joint test of the rows of a matrix."""
        q, off = len(contrast), contrast @ self.beta
        if np.linalg.matrix_rank(contrast) < q:
            raise ValueError("the contrasts are not independent of each other")
        if self.fallback != ASKED:
            f, df2, p, reason = np.nan, np.nan, np.nan, self.fallback
            if self.sandwich is not None:
                turned = contrast @ self.model.back
                f, df2, p = self.sandwich.htz(turned, off)
                if not self.sandwich.unbiased(turned):
                    reason = reason or "a coefficient in it rests on one cluster"
            if not reason and not df2 >= MIN_DF:
                left = "none" if np.isnan(df2) else f"{df2:.1f}"
                reason = f"{left} of the {MIN_DF} degrees of freedom that HTZ needs"
            if reason:
                return WaldResult(np.nan, q, df2, np.nan, "HTZ", reason, p)
            return WaldResult(f, q, df2, p, "HTZ")
        df2 = self.contained(contrast)
        f = float(off @ np.linalg.solve(contrast @ self.covariance @ contrast.T, off) / q)
        return WaldResult(f, q, df2, float(f_sf(f, q, df2)), "F")


def fitted(y, x, sampling, codes, names, study, test, level, sigma2=None):
    """Fit a model by REML.

    Parameters
    ----------
    y, x, sampling
        Effects (k,), design (k, p), `helpers.stats.mixed_model.sampling.Sampling`.
    codes, names : list
        Groups of each level, outermost first, and its name.
    study : ndarray of int, shape (k,), or None
    test : {"cr2", "contain"}
    level : float
    sigma2 : array_like, optional
        Variances of each level to start from, where they are nearly known.

    Returns
    -------
    Fitted
    """
    row_level = codes[-1].max() + 1 == len(y)
    model = Likelihood(y, x, sampling, codes[:-1] if row_level else codes, row_level)
    start = None
    if sigma2 is not None:
        start = np.append(sigma2, [] if row_level else 0.0) / model.unit**2
    theta, _ = model.maximum(start)
    beta, inverse, _, loglik = model.at(theta)
    beta = model.ordinary + model.unit * (model.back @ beta)
    cluster, name = _clusters(codes[0], names[0], study, sampling)
    clusters, largest, reason = int(cluster.max()) + 1, np.bincount(cluster).max(), ""
    if test == "contain":
        reason = ASKED
    elif clusters < MIN_CLUSTERS:
        reason = f"{clusters} of the {MIN_CLUSTERS} clusters that CR2 needs ({name})"
    elif largest > MAX_CLUSTER:
        reason = f"a cluster of {largest} rows is too large for CR2 ({name})"
    return Fitted(
        model=model, theta=theta, codes=codes, study=study, y=y, x=x, sampling=sampling, beta=beta,
        covariance=model.unit**2 * model.back @ inverse @ model.back.T,
        loglik=float(loglik - (len(y) - x.shape[1]) * np.log(model.unit)), level=level, cluster=cluster,
        cluster_name=name, fallback=reason,
    )  # fmt: skip


def _clusters(outer, name, study, sampling):
    """Independent clusters and what they are."""
    if study is not None and name != "study":
        first = np.unique(outer, return_index=True)[1]
        if (study == study[first[outer]]).all():  # every group lies within one study
            outer, name = study, "study"
    joined = sampling.joined(outer)
    if joined.max() < outer.max():
        name += ", joined where sampling errors covary"
    return joined, name
