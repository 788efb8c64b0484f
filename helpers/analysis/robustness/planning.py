"""What a next experiment may find of one outcome, how large it should be, what it would add."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.analysis.result import is_modelled
from helpers.analysis.settings import EXPERIMENT
from helpers.review.columns import ARMS
from helpers.stats.effects import brings_own
from helpers.stats.planning import narrowing
from helpers.stats.planning.assurance import animals, assurance_limit
from helpers.stats.pooling import prediction_distribution, probability_below

ALL, BESIDE = "all experiments", "beside an existing one"
COLUMNS = ("stratum", "moderator", "level", "k", "width", "width_after", "narrower")


@dataclass(frozen=True, eq=False)
class Planning:
    """What would change the result of one outcome, from its leading result.

    Attributes
    ----------
    other_side : float
        Probability that the true effect of a new experiment lies on the other side of no effect.
    smallest, short : float or None
        Smallest effect of interest on the scale of the data, with its sign, and the probability
        that the true effect of a new experiment does not reach it.
    smallest_note : str
        Why the review's smallest effect is not used, or empty.
    n_power, n_assurance : int or None
        Animals a group of a two-sided t-test at 5% for 80% power if the true effect is the pooled
        one, and for 80% assurance; None where no number up to 1,000 reaches it.
    limit : float
        Assurance that no number of animals exceeds.
    sd : float
        By which differences are divided: 1 of SMDs, a typical SD of mean differences.
    animals_note : str
        Why no number of animals is computed, or empty.
    n : int or None
        Median number of animals a group; None where group sizes are not known.
    variance : float
        Sampling variance of one more experiment of `n` animals a group.
    beside : object
        Row of the existing group in which one more experiment tells most; None where it makes no
        difference.
    narrowing : pandas.DataFrame
        `COLUMNS`: width of the interval now and expected with one experiment more in the stratum,
        and by which share it narrows. The interval is that of all experiments' mean, or that of
        the level's mean in the model that the report shows.
    """

    other_side: float
    smallest: float | None
    short: float | None
    smallest_note: str
    n_power: int | None
    n_assurance: int | None
    limit: float
    sd: float
    animals_note: str
    n: int | None
    variance: float
    beside: object
    narrowing: pd.DataFrame = field(repr=False)

    @property
    def predicted(self):
        """Whether there is a prediction distribution."""
        return not math.isnan(self.other_side)

    @property
    def levels(self):
        """Rows of `narrowing` that are levels of moderators, those with a width now and after."""
        return self.narrowing[self.narrowing["moderator"] != ""].dropna(subset="narrower")


def plan(analysis, declared="SMD"):
    """What would change the result of an outcome.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    declared : str
        The measure that the review asks for, in which `smallest` of `review.toml` is said.

    Returns
    -------
    Planning or None
        None where nothing is pooled.

    Notes
    -----
    The true effect of a new experiment has the prediction distribution of the leading result,
    estimate + s·T(df), as `helpers.stats.pooling.prediction_distribution` says. Its animals are
    those of an experiment of two groups of one size and one SD. A mean difference is divided by the
    root of the median pooled variance of the rows.
    """
    result = analysis.leading
    if not result.pooled:
        return None
    mean, scale, df = prediction_distribution(result)
    below = probability_below(result)
    smallest, smallest_note = smallest_effect(analysis, declared)
    short = None
    if smallest is not None and not math.isnan(scale):
        short = probability_below(result, smallest)
        short = short if smallest > 0 else 1 - short
    sd, animals_note = typical_sd(analysis)
    if math.isnan(scale):
        animals_note = animals_note or "there is no prediction distribution"
    n_power, n_assurance, limit = None, None, math.nan
    if not animals_note:
        true = {"mean": mean / sd, "scale": scale / sd, "df": df}
        n_power, n_assurance = animals(mean=mean / sd), animals(**true)
        limit = assurance_limit(**true)
    n, variance = _typical(analysis.table)
    beside, table = _narrowing(analysis, variance)
    return Planning(
        below if mean >= 0 else 1 - below, smallest, short, smallest_note, n_power, n_assurance,
        limit, sd, animals_note, n, variance, beside, table,
    )  # fmt: skip


def smallest_effect(analysis, declared):
    """Smallest effect of interest on the scale of the data, towards benefit, or why there is none.

    Where no side is benefit it lies on the side of the estimate. Of ratios 0.8 means what 1.25 does.
    """
    size, measure = analysis.outcome.smallest, analysis.measure
    if size is None:
        return None, ""
    own = brings_own(analysis.rows)
    if measure.id == "mixed" or (not own.all() and analysis.settings.measure != declared):
        return None, f"the smallest effect of interest is said of {declared}, not of {measure.name}"
    side = {"higher": 1, "lower": -1}.get(measure.better, analysis.leading.estimate)
    return math.copysign(abs(math.log(size)) if measure.is_log else size, side), ""


def typical_sd(analysis):
    """What differences are divided by for a t-test, and why there is none; NaN without all SDs."""
    if analysis.measure.standardised:
        return 1.0, ""
    if analysis.measure.id == "MD":
        n1, n2, sd1, sd2 = (
            analysis.rows[f"{name}_{arm}"].to_numpy(float) for name in ("n", "sd") for arm in ARMS
        )
        pooled = ((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2)
        return float(np.sqrt(np.median(pooled))), ""
    name = analysis.measure.name
    return math.nan, f"a t-test compares means, and its power does not follow from {name} alone"


def _typical(table):
    """Median number of animals a group, and the sampling variance of such an experiment.

    The median of the rows' variances, each brought to that many animals by v·(1/n1 + 1/n2)⁻¹; of
    rows without group sizes as it is.
    """
    n1, n2 = (table[name].to_numpy(float) for name in ("n_treated", "n_split"))
    variance, sizes = table["variance"].to_numpy(float), 1 / n1 + 1 / n2
    if not np.isfinite(sizes).all():
        return None, float(np.median(variance))
    n = math.floor(np.median([table["n_treated"], table["n_control"]]) + 0.5)
    return n, float(np.median(variance / sizes) * 2 / n)


def _narrowing(analysis, variance):
    """The existing row beside which one more tells most, and the table of all strata."""
    result, beside, rows = analysis.leading, None, []
    if is_modelled(result):
        fit = result.fit.fit
        rows.append((ALL, "", "", result.k, narrowing.of_multilevel(fit, [1.0], variance=variance)))
        at = narrowing.most_telling(fit, variance=variance)
        if at is not None:
            found = narrowing.of_multilevel(fit, [1.0], variance=variance, beside=at)
            beside = analysis.rows.index[at]
            rows.append((BESIDE, "", "", result.k, found))
    else:
        rows.append((ALL, "", "", result.k, narrowing.of_pooled(result, variance=variance)))
    for name, values in analysis.moderator_values.items():
        rows += [(EXPERIMENT, name, *one) for one in _of_levels(analysis, name, values, variance)]
    table = [
        (*row[:4], found.now, found.then, found.share) if found else (*row[:4], *[math.nan] * 3)
        for *row, found in rows
    ]
    return beside, pd.DataFrame(table, columns=list(COLUMNS))


def _of_levels(analysis, name, values, variance):
    """Level, k and narrowing of each level of a moderator; None where it is not pooled."""
    if name in analysis.subgroups:
        for level, one in analysis.subgroups[name].results.items():
            pooled = narrowing.of_pooled(one, variance=variance) if one.pooled else None
            yield level, one.k, pooled
        return
    if name not in analysis.models:
        return
    model = analysis.models[name]
    kept = values[values.notna()]
    for place, cell in enumerate(model.cells.to_dict("records")):
        if analysis.options:
            unit = np.eye(len(model.cells))[place]
            found = narrowing.of_multilevel(model.fit.fit, unit, variance=variance)
        else:
            tau2 = model.fit.tau2
            weight = (1 / (model.fit.variance + tau2))[(kept == cell["level"]).to_numpy()].sum()
            found = narrowing.of_weights(
                weight, added=1 / (variance + tau2), level=analysis.settings.level,
                df=cell["df"], mean_square=cell["se"] ** 2 * weight,
            )  # fmt: skip
        yield cell["level"], int(cell["k"]), found
