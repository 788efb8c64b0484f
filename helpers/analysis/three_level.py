"""The three-level model with modelled covariance that stands beside every result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.analysis import animals
from helpers.analysis.effects import effects, without_effect
from helpers.analysis.settings import THREE_LEVEL
from helpers.stats import shared_controls
from helpers.stats.multilevel import three_level
from helpers.stats.robust import cluster_robust

# No three-level model is fitted where a study holds more: a study's covariance holds its
# experiments times themselves.
MOST = 1_000


def fit_three_level(rows, split):
    """Three-level model with modelled covariance and CR2 on exact g, control groups unsplit."""
    sizes = rows["study"].value_counts()
    if sizes.max() == 1:
        note = "No study holds several experiments, so there is no level between to estimate."
    elif len(rows) < 3 or len(sizes) < 2:
        note = "Too few experiments or studies for a three-level model."
    elif sizes.max() > MOST:
        note = (
            f"No three-level model is fitted where one study holds more than {MOST:,} experiments."
        )
    else:
        note = ""
    if note:
        return None, None, note
    rows = rows[without_effect(rows, THREE_LEVEL) == ""]
    found = effects(rows, THREE_LEVEL)
    fitted = None
    try:
        sampling = _sampling(rows, found, split)
        fitted = three_level(found["effect"], study=rows["study"], **sampling)
        return fitted, cluster_robust(fitted, study=rows["study"]), ""
    except ValueError as error:
        return fitted, None, str(error)


def _sampling(rows, found, split):
    """Sampling variances, with covariances where animals are shared."""
    cohort = animals.cohorts(rows)
    control = np.arange(len(rows)) if split else animals.control_groups(rows)
    alone = not (pd.Index(control).has_duplicates or pd.Index(cohort).has_duplicates)
    if alone or (rows["n_treated"] + rows["n_control"]).hasnans:
        return {"variance": found["variance"]}
    # Animals seen on several days covary through themselves, arms through their control.
    return {
        "covariance": shared_controls.covariance(
            found["effect"],
            variance=found["variance"],
            study=rows["study"],
            control_group=control,
            n_treated=rows["n_treated"],
            n_control=rows["n_control"],
            cohort=cohort,
            occasion=animals.days(rows),
        )
    }
