"""The same multilevel model under other correlations ρ between the repeats of the same animals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats.multilevel import multilevel

RHOS = (0.2, 0.5, 0.8)
SHOWN = (
    "estimate", "se", "ci_low", "ci_high", "df", "p_effect", "test", "pi_low", "pi_high", "tau2",
    "i2",
)  # fmt: skip


def rho_series(effect, *, covariance, levels, rhos=RHOS, **options):
    """Fit a multilevel model with each of several ρ.

    Parameters
    ----------
    effect, levels
        As in `helpers.stats.multilevel.multilevel`, and so the `options`.
    covariance : callable
        From ρ to the sampling covariance: blocks (in the order of `cluster`) or one matrix; or a
        pair of blocks and their clusters, as `constant_covariance` gives it.
    rhos : sequence of float

    Returns
    -------
    pandas.DataFrame
        A row each ρ: ``rho, estimate, se, ci_low, ci_high, df, p, test, pi_low, pi_high, tau2, i2``,
        ``sigma2_<level>``, and ``reason`` where it could not be fitted, because the covariance is
        not positive definite there.

    Examples
    --------
    >>> from helpers.stats.mixed_model.sampling import constant_covariance
    >>> series = rho_series(
    ...     [0.1, 0.3, 0.9, 1.1, 0.4, 0.6], levels={"study": list("aabbcc"), "row": None},
    ...     covariance=lambda rho: constant_covariance([0.04] * 6, within=list("aabbcc"), rho=rho))
    >>> series["rho"].tolist()
    [0.2, 0.5, 0.8]
    """
    fits, reasons = [], []
    for rho in rhos:
        try:
            blocks, extra = covariance(rho), {}
            if isinstance(blocks, tuple):
                blocks, extra = blocks[0], {"cluster": blocks[1]}
            fits.append(
                multilevel(effect, levels=levels, covariance=blocks, **(options | extra))
            )  # fmt: skip
            reasons.append("")
        except ValueError as fault:
            if "not positive definite" not in str(fault):
                raise
            fits.append(None)
            reasons.append(str(fault))
    table = pd.DataFrame([_row(fit) for fit in fits])
    table.insert(0, "rho", list(rhos))
    return table.assign(reason=reasons)


def _row(fit):
    row = {name if name != "p_effect" else "p": getattr(fit, name, np.nan) for name in SHOWN}
    if fit is None:
        return row | {"test": ""}
    return row | {f"sigma2_{name}": value for name, value in fit.sigma2.items()}
