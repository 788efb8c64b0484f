"""Leave-one-out in the multilevel model: what one study, or one experiment, does to the result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats.mixed_model.groups import labels
from helpers.stats.mixed_model.inference import ASKED, fitted
from helpers.stats.nested.downdate import MAX_LEVELS, deletions, suited

COLUMNS = ("estimate", "se", "ci_low", "ci_high", "df", "p_effect", "test", "pi_low", "pi_high")


def leave_out(result, *, by=None, names=None):
    r"""Fit a multilevel model anew without each study, or without each row.

    Parameters
    ----------
    result : MultilevelResult
        The full fit; its levels, its test and its design are kept.
    by : array_like of k labels, optional
        What is left out together, by default each row by itself; the rows are those of the fit.
    names : array_like of k labels, optional
        What the rows are called where `by` is not given; by default 0, 1, ...

    Returns
    -------
    pandas.DataFrame
        A row for each label, in order of appearance: ``left_out, k`` (rows that remain),
        ``estimate, se, ci_low, ci_high, df, p, test, pi_low, pi_high`` (of a mean; NaN with a
        design), ``tau2``, ``sigma2_<level>``, ``cook``, ``dfbetas`` (with a design
        ``dfbetas_<term>``), and ``reason`` why a model could not be fitted.

    Notes
    -----
    With β the coefficients of all rows, β₍ᵢ₎ and σ²₍ᵢ₎ those without i: Cook's distance is
    (β - β₍ᵢ₎)'·Var(β)⁻¹·(β - β₍ᵢ₎) with the model variance of the full fit, not divided by p;
    DFBETAS is (β - β₍ᵢ₎)/√Var₍ᵢ₎(β), the model variance that all rows have with σ²₍ᵢ₎. As
    metafor's ``cooks.distance`` and ``dfbetas`` of an ``rma.mv`` with ``cluster``. With
    one or two variances each fit starts from those of the full one.

    References
    ----------
    Viechtbauer and Cheung (2010), Res Synth Methods 1:112; Cook and Weisberg (1982), Residuals and
    Influence in Regression.

    Examples
    --------
    >>> from helpers.stats.multilevel import multilevel
    >>> study = list("aabbccddee")
    >>> found = multilevel([0.1, 0.3, 0.9, 1.1, 0.4, 0.6, 0.5, 0.6, 0.4, 3.0],
    ...                    levels={"study": study, "row": None}, variance=[0.04] * 10)
    >>> leave_out(found, by=study)[["left_out", "estimate"]].round(2).values.tolist()[-1]
    ['e', 0.56]
    """
    fit, k = result.fit, result.k
    named = np.arange(k) if names is None else np.asarray(names, object)
    named = named if by is None else np.asarray(by, object)
    if len(named) != k:
        raise ValueError(f"labels are needed for the {k} rows of the fit, there are {len(named)}")
    code = np.arange(k) if by is None else labels(named, k, "by", missing=False)
    mean = result.terms == ("intercept",) and not np.isnan(result.estimate)
    together = suited(fit, code) if mean else np.zeros(code.max() + 1, bool)
    rows = [
        None if together[one] else _without(result, fit, code != one, mean)
        for one in range(code.max() + 1)
    ]
    if together.any():
        for one, found in _together(result, fit, code, np.flatnonzero(together)):
            rows[one] = found
    first = np.unique(code, return_index=True)[1]
    remain = len(code) - np.bincount(code)
    rows = [
        {"left_out": named[first[one]], "k": int(remain[one])} | found
        for one, found in enumerate(rows)
    ]
    table = pd.DataFrame(rows)
    last = table.pop("reason")
    return table.assign(reason=last)


def _together(result, fit, code, which):
    """Rows of the table for deletions within one cluster each."""
    found = deletions(fit, code, which)
    sigma2, robust = found.pop("sigma2"), found.pop("robust")
    for at, one in enumerate(which):
        row = {name: float(values[at]) for name, values in found.items()}
        row |= {"test": "cr2" if robust[at] else "contain", "tau2": float(sigma2[at].sum())}
        names = [f"sigma2_{name}" for name in result.levels]
        row |= dict(zip(names, sigma2[at].tolist(), strict=True)) | {"reason": ""}
        yield int(one), _blank(result, ["dfbetas"]) | row


def _blank(result, dfbetas):
    """A row without numbers, in the order of the table."""
    names = ["p" if name == "p_effect" else name for name in COLUMNS]
    names += ["tau2", *(f"sigma2_{name}" for name in result.levels), "cook", *dfbetas]
    return dict.fromkeys(names, np.nan) | {"test": "", "reason": ""}


def _without(result, fit, keep, mean):
    """What is left of a fit without some rows."""
    dfbetas = ["dfbetas"] if mean else [f"dfbetas_{term}" for term in result.terms]
    empty = _blank(result, dfbetas)
    x, p = fit.x[keep], fit.x.shape[1]
    if len(x) <= p:
        return empty | {"reason": f"{len(x)} rows cannot tell {p} coefficients and variances"}
    if p > 1 and np.linalg.matrix_rank(x / np.maximum(np.abs(x).max(axis=0), 1e-300)) < p:
        return empty | {"reason": "the coefficients cannot be told apart without it"}
    # A level that is left with the groups of the next inner one cannot be told from it.
    kept, inner = [], -1
    for at in reversed(range(len(fit.codes))):
        groups = np.unique(fit.codes[at][keep], return_inverse=True)[1]
        if groups.max() != inner:
            kept.append((at, groups))
            inner = groups.max()
    kept = kept[::-1]
    at = [level for level, _ in kept]
    study = None if fit.study is None else np.unique(fit.study[keep], return_inverse=True)[1]
    sigma2 = None
    if len(at) <= MAX_LEVELS:  # else there may be another, higher peak
        sigma2 = [result.sigma2[result.levels[level]] for level in at]
    part = fitted(
        fit.y[keep], x, fit.sampling.part(keep), [groups for _, groups in kept],
        [result.levels[level] for level in at], study,
        "contain" if fit.fallback == ASKED else "cr2", result.level, sigma2,
    )  # fmt: skip
    found = dict(empty)
    if mean:
        one = part.contrast(np.ones(1))
        found |= {name: one[name] for name in COLUMNS if name != "p_effect"}
        found["p"] = one["p_effect"]
    # Variances of the levels in the model; those of the rows, where they have none, are 0.
    left = part.model.unit**2 * part.theta[part.model.free]
    found |= {f"sigma2_{result.levels[level]}": s for level, s in zip(at, left, strict=True)}
    found["tau2"] = float(left.sum())
    theta = np.zeros(len(fit.theta))
    theta[at] = left / fit.model.unit**2
    _, inverse, _, _ = fit.model.at(theta)
    back = fit.model.unit * fit.model.back
    off = fit.beta - part.beta
    found["cook"] = float(off @ np.linalg.solve(fit.covariance, off))
    scaled = off / np.sqrt(np.einsum("pq,qr,pr->p", back, inverse, back))
    return found | dict(zip(dfbetas, scaled.tolist(), strict=True))
