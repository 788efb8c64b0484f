"""Pooled effects of many sets of effects at once, as `helpers.stats.pooling.pool` gives of one."""

from __future__ import annotations

import numpy as np

from helpers.stats import heterogeneity
from helpers.stats.pooling import inference, pooled_values


def summaries(effects, variances, method):
    """Estimate, plain standard error and heterogeneity of each set.

    Parameters
    ----------
    effects : numpy.ndarray, shape (k,) or (sets, k)
    variances : numpy.ndarray, shape (sets, k)
        An infinite variance leaves an effect out of its set.
    method : str
        Of `helpers.stats.heterogeneity.METHODS`.

    Returns
    -------
    dict of numpy.ndarray, shape (sets,)
        ``k, estimate, se, tau2, i2, h2, q, s2`` and ``square``, the weighted sum of squares around
        the estimate.
    """
    k = np.isfinite(variances).sum(1)
    design = np.ones((variances.shape[-1], 1))
    tau2 = heterogeneity.estimate(effects, variances, design, method)
    away, middle = heterogeneity.centred(effects, variances)
    w, fixed = 1 / (variances + tau2[:, None]), 1 / variances
    total = w.sum(1)
    shift, common = np.vecdot(w, away) / total, np.vecdot(fixed, away) / fixed.sum(1)
    q = np.vecdot(fixed, (away - common[:, None]) ** 2)
    s2 = heterogeneity.typical_variance(variances, design)
    i2, h2 = heterogeneity.i2_h2(tau2, s2=s2, q=q, df=k - 1, method=method)
    square = np.vecdot(w, (away - shift[:, None]) ** 2)
    return {
        "k": k, "estimate": middle + shift, "se": total**-0.5, "tau2": tau2, "i2": i2, "h2": h2,
        "q": q, "s2": s2, "square": square,
    }  # fmt: skip


def pooled_sets(found, *, method, level, **options):
    """The fields of `helpers.stats.pooling.pool` for each set.

    Parameters
    ----------
    found : dict
        Of `summaries` by the same `method`.
    method, interval, prediction, level
        As in `helpers.stats.pooling.pool`.

    Returns
    -------
    dict of numpy.ndarray, shape (sets,)
        ``k`` and the `POOLED_FIELDS`; of a set of one effect the effect and its z interval.
    """
    k, mean = found["k"], found["estimate"]
    with np.errstate(divide="ignore", invalid="ignore"):
        fields = pooled_values(
            mean, plain_se=found["se"], k=k, tau2=found["tau2"],
            mean_square=found["square"] / (k - 1), q=found["q"], s2=found["s2"], method=method,
            level=level, **options,
        )  # fmt: skip
    alone = inference(mean, found["se"], level=level)
    return {"k": k} | {
        name: np.where(k > 1, values, alone.get(name, np.nan)) for name, values in fields.items()
    }
