"""Experiments that share animals: divided control groups, and the covariance of their effects.

Only experiments of one study covary, so a sampling covariance is a list of blocks, one for each
study in the order in which the studies appear, its rows in their order.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.stats.effects import small_sample_factor
from helpers.stats.mixed_model.groups import labels, stacks
from helpers.stats.pooling import checked, numbers


def shared_control_n(table, *, by, cohort=None):
    """Divide each control group's animals among the treated groups compared with it.

    Parameters
    ----------
    table : DataFrame, k rows of one outcome
        With the column ``n_control``.
    by : array_like of k labels
        The control group of each row, named differently in different studies. A missing or empty
        label is a control of its own.
    cohort : array_like of k labels, optional
        The treated animals of each row; rows of one cohort (several days) count as one group.

    Returns
    -------
    Series
        ``n_control`` divided by the number of treated groups on that control; fractions are kept.

    References
    ----------
    Cochrane Handbook 6.4, section 23.3.4.
    """
    n = pd.Series(table["n_control"], dtype=float)
    label = labels(by, len(n), "by")
    arm = np.arange(len(n)) if cohort is None else labels(cohort, len(n), "cohort")
    arms = np.bincount(np.unique([label, arm], axis=1)[0])
    return (n / arms[label]).rename("n_control")


def covariance(
    effect, *, variance, study, control_group, n_treated, n_control, cohort=None, occasion=None,
    rho=0.5, pooled_sd="pair", formula="metafor", correction="exact",
):  # fmt: skip
    r"""Sampling covariance of standardised mean differences within studies.

    Parameters
    ----------
    effect, variance : array_like, shape (k,)
        Hedges g (treated minus control) and its sampling variance, both from unsplit group sizes.
    study, control_group : array_like of k labels
        Only rows of one study covary; a missing control group is a control of its own.
    n_treated, n_control : array_like, shape (k,)
        Full numbers of animals.
    cohort : array_like of k labels, optional
        The treated animals; rows of one cohort are the same animals on several outcomes or days.
    occasion : array_like of k labels, optional
        Outcome or day. Two cohorts seen on different occasions share their control only through
        the correlation of its animals with themselves: the covariance is multiplied by `rho`.
    rho : float
        Correlation between two measurements of the same animals.
    pooled_sd : {"pair", "study", "control"}
        Which SD standardises: each comparison's own, one over all arms on the control, or the
        control's alone (Glass).
    formula : {"metafor", "stata"}
        With ``stata`` (its variance is J² times that of d) 1/n_c is multiplied by J_i·J_j.
    correction : {"exact", "approximate", "none"}
        The J that `formula="stata"` means.

    Returns
    -------
    list of ndarray
        For each study, in the order in which the studies appear, its rows' covariance, positive
        definite. Between studies it is zero.

    Raises
    ------
    ValueError
        If a study's block is not positive definite.

    Notes
    -----
    Shared control, m = n_treated + n_control - 2:

    - ``pair``: 1/n_c + g_i·g_j·(n_c - 1)/(2·m_i·m_j)
    - ``study``: 1/n_c + g_i·g_j/(2·N), N = n_c + all animals treated against that control
    - ``control``: 1/n_c + g_i·g_j/(2·(n_c - 1))

    Same animals: ρ·√(v_i·v_j).

    References
    ----------
    Gleser and Olkin (2009), in The Handbook of Research Synthesis, 2nd ed., chapter 19.
    """
    g, v = checked(effect, variance)
    k = len(g)
    n1, nc = numbers(k, n_treated=n_treated, n_control=n_control)
    if not -1 < rho < 1:
        raise ValueError(f"rho must lie between -1 and 1, not {rho}")
    if pooled_sd not in ("pair", "study", "control"):
        raise ValueError(f"pooled_sd must be pair, study or control, not {pooled_sd!r}")
    if formula not in ("metafor", "stata"):
        raise ValueError(f"formula must be metafor or stata, not {formula!r}")
    place = labels(study, k, "study", missing=False)
    group = labels(control_group, k, "control_group")
    animals = np.arange(k) if cohort is None else labels(cohort, k, "cohort")
    day = np.zeros(k) if occasion is None else labels(occasion, k, "occasion")
    m = n1 + nc - 2
    factor = small_sample_factor(m, correction) if formula == "stata" else np.ones(k)
    if pooled_sd == "study":
        arms = pd.DataFrame({"study": place, "group": group, "animals": animals, "n": n1})
        counted = arms["n"].where(~arms.duplicated(["study", "group", "animals"]), 0)
        treated = counted.groupby([place, group]).transform("sum").to_numpy()

    blocks = {}
    for rows in stacks(place):
        i, j = rows[:, :, None], rows[:, None]
        # Where a control lost animals between two rows, the smaller group is part of the larger.
        controls = np.maximum(nc[i], nc[j])
        if pooled_sd == "pair":
            spread = (controls - 1) / (2 * m[i] * m[j])
        elif pooled_sd == "study":
            spread = 1 / (2 * (controls + treated[j]))
        else:
            spread = 1 / (2 * (controls - 1))
        shared = factor[i] * factor[j] / controls + g[i] * g[j] * spread
        shared *= np.where(day[i] == day[j], 1, rho)
        again = rho * np.sqrt(v[i] * v[j])
        block = np.where(group[i] == group[j], shared, 0)
        block = np.where(animals[i] == animals[j], again, block)
        block = np.where(i == j, v[i], block)
        bad = np.linalg.eigvalsh(block)[:, 0] <= 1e-12 * v[rows].min(axis=1)
        if bad.any():
            name = pd.Series(np.asarray(study)).iloc[rows[bad][0, 0]]
            raise ValueError(
                f"the covariance of study {name} is not positive definite: "
                "check its group sizes and control groups, or use a smaller rho"
            )
        blocks |= zip(place[rows[:, 0]].tolist(), block, strict=True)
    return [blocks[code] for code in range(len(blocks))]
