"""Which experiments carry, or spoil, a pooled result.

Every function fits many sets of effects at once: a set is a row of variances in which those of the
effects left out are infinite, so that their weight is 0.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats import heterogeneity
from helpers.stats.distributions import chi2_isf
from helpers.stats.many.pooling import pooled_sets, summaries
from helpers.stats.pooling import checked, critical, refuse_unknown

# Effects worked on at once: bounds the memory whatever is asked for.
_CHUNK = 2_000_000


def leave_one_out(
    effect, *, variance, study=None, method="REML", interval="z", prediction="riley", level=0.95
):
    """Pool again without each experiment, or without each study.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Effects and sampling variances. The index of a Series names its rows.
    study : array_like of k labels, optional
        Leave out whole studies.
    method, interval, prediction, level
        As in `helpers.stats.pooling.pool`.

    Returns
    -------
    DataFrame
        A row a deletion: ``left_out, k`` and the fields of a pooled result.
    """
    options = {"method": method, "interval": interval, "prediction": prediction, "level": level}
    refuse_unknown(**options)
    y, v, names, code = _deletions(effect, variance, study, least=2)
    return _in_chunks(
        lambda part: _pooled({"left_out": names[part]}, y, _without(part, code, v), **options),
        len(names), len(y),
    )  # fmt: skip


def diagnostics(effect, *, variance, study=None, method="REML"):
    """Outlier and influence diagnostics of each experiment, or of each study.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Effects and sampling variances, at least three. The index of a Series names its rows.
    study : array_like of k labels, optional
        Delete whole studies; a study of one experiment gets that experiment's values.
    method : str
        Estimator of τ².

    Returns
    -------
    DataFrame
        ``left_out, rstudent, dffits, cook, cov_ratio, tau2_deleted, q_deleted, hat, weight,
        dfbetas, influential``; weight in percent.

    Notes
    -----
    With h the hat value, (i) a fit without i, and S_i = v_i + τ²_(i):

    - rstudent = (y_i - μ_(i)) / √(S_i + Var(μ_(i)))
    - dffits = (μ - μ_(i)) / √(h_i·S_i)
    - cook = (μ - μ_(i))² / Var(μ)
    - cov_ratio = Var(μ_(i)) / Var(μ)
    - dfbetas = (μ - μ_(i)) / √(1 / Σ 1/(v + τ²_(i))), the sum over all effects

    For a study y_i is its mean weighted by 1/(v + τ²_(i)), S_i that mean's variance, h_i its sum.
    ``influential`` is metafor's rule: abs(dffits) > 3/√(k - 1), cook beyond the median of χ²(1),
    hat > 3/k, or abs(dfbetas) > 1.

    References
    ----------
    Viechtbauer and Cheung (2010), Research Synthesis Methods 1:112.
    """
    y, v, names, code = _deletions(effect, variance, study, least=3)
    y = heterogeneity.centred(y, v)[0]  # nothing below depends on where the effects lie
    full = summaries(y, v[None], method)
    return _in_chunks(
        lambda part: _diagnostics(names[part], y, v, _without(part, code, v), full, method),
        len(names), len(y),
    )  # fmt: skip


def _diagnostics(names, y, v, rest, full, method):
    """Diagnostics of some deletions, `rest` with infinite variances where deleted."""
    k, gone = len(y), np.isinf(rest)
    deleted = summaries(y, rest, method)
    # Where one effect is left τ² is unknown, and so is what rests on it.
    deleted["tau2"] = np.where(deleted["k"] > 1, deleted["tau2"], np.nan)
    deleted["se"] = np.where(deleted["k"] > 1, deleted["se"], np.nan)
    w = 1 / (v + deleted["tau2"][:, None])
    own = np.where(gone, w, 0)
    own_sum = own.sum(1)
    hat = (gone / (v + full["tau2"])).sum(1) * full["se"] ** 2
    change = full["estimate"] - deleted["estimate"]
    own_mean, dffits = (own @ y) / own_sum, change / np.sqrt(hat / own_sum)
    cook, dfbetas = change**2 / full["se"] ** 2, change * np.sqrt(w.sum(1))
    return pd.DataFrame(
        {
            "left_out": names,
            "rstudent": (own_mean - deleted["estimate"]) / np.hypot(own_sum**-0.5, deleted["se"]),
            "dffits": dffits,
            "cook": cook,
            "cov_ratio": deleted["se"] ** 2 / full["se"] ** 2,
            "tau2_deleted": deleted["tau2"],
            "q_deleted": deleted["q"],
            "hat": hat,
            "weight": 100 * hat,
            "dfbetas": dfbetas,
            "influential": (np.abs(dffits) > 3 / np.sqrt(k - 1))
            | (cook > chi2_isf(0.5, 1))
            | (hat > 3 / k)
            | (np.abs(dfbetas) > 1),
        }
    )


def cumulative(
    effect, *, variance, order=None, method="REML", interval="z", prediction="riley", level=0.95
):
    """Pool the first effect, the first two, and so on.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Effects and sampling variances. The index of a Series names its rows.
    order : array_like, shape (k,), optional
        Year or precision to sort by; as given by default.
    method, interval, prediction, level
        As in `helpers.stats.pooling.pool`.

    Returns
    -------
    DataFrame
        A row a step: ``added, k`` and the fields of a pooled result.
    """
    options = {"method": method, "interval": interval, "prediction": prediction, "level": level}
    refuse_unknown(**options)
    y, v, names, _ = _deletions(effect, variance, None, least=1)
    if order is not None:
        if len(order) != len(y):
            raise ValueError(f"order has {len(order)} entries for {len(y)} effects")
        turn = np.argsort(np.asarray(order), kind="stable")
        y, v, names = y[turn], v[turn], names[turn]

    def steps(part):
        later = np.arange(len(y)) > np.arange(len(y))[part, None]
        return _pooled({"added": names[part]}, y, np.where(later, np.inf, v), **options)

    return _in_chunks(steps, len(y), len(y))


def galbraith(effect, *, variance, level=0.95):
    """Points and band of the Galbraith (radial) plot, as Stata draws it.

    Returns
    -------
    DataFrame
        ``x`` = 1/SE, ``y`` = effect/SE, ``fitted`` on the common-effect line through the origin
        (its slope is the common effect of all rows), ``low, high`` the ±z band, ``outside``.

    References
    ----------
    Galbraith (1988), Statistics in Medicine 7:889.
    """
    y, v, names, _ = _deletions(effect, variance, None, least=1)
    z = critical(level)
    table = pd.DataFrame({"x": 1 / np.sqrt(v), "y": y / np.sqrt(v)}, index=names)
    table["fitted"] = table["x"] * (y / v).sum() / (1 / v).sum()
    table["low"], table["high"] = table["fitted"] - z, table["fitted"] + z
    table["outside"] = (table["y"] < table["low"]) | (table["y"] > table["high"])
    return table


def _deletions(effect, variance, study, *, least):
    """Arrays, the names of what can be left out, and to which of them each effect belongs."""
    names = effect.index.to_numpy() if isinstance(effect, pd.Series) else None
    y, v = checked(effect, variance)
    if len(y) < least:
        raise ValueError(f"at least {least} effects are needed, there are {len(y)}")
    if study is None:
        code = np.arange(len(y))
        return y, v, code if names is None else names, code
    code, names = pd.factorize(np.asarray(study, dtype=object))
    if len(code) != len(y) or (code < 0).any():
        raise ValueError(f"study needs a label for each of the {len(y)} effects")
    if len(names) < 2:
        raise ValueError("leaving out the only study leaves nothing")
    return y, v, names, code


def _without(part, code, v):
    """Variances of the sets that lack each of some deletions."""
    return np.where(code == np.arange(code.max() + 1)[part, None], np.inf, v)


def _in_chunks(function, sets, k):
    """Tables of slices of the sets, one below the other."""
    rows = max(1, _CHUNK // k)
    parts = [function(slice(start, start + rows)) for start in range(0, sets, rows)]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _pooled(names, y, v, **options):
    """The fields of `helpers.stats.pooling.pool` for each set."""
    return pd.DataFrame({**names, **pooled_sets(summaries(y, v, options["method"]), **options)})
