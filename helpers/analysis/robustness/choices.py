"""Choices of an analysis that apply to an outcome, and why some of them are only shown.

A choice is *principled* where a reader who had made it before seeing the data could defend it as
well as any other of its decision. What has a known fault here is *only shown*: it is computed, so
that a reader sees what it would have given, and it never enters a share of the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from helpers.analysis import model as models
from helpers.analysis.outcome import RHOS
from helpers.analysis.robustness import bias
from helpers.analysis.robustness.factorial import INDEPENDENT, MULTILEVEL, Block
from helpers.analysis.settings import RECOMMENDED, Model
from helpers.stats.effects import NMD_VARIANCES, brings_own
from helpers.stats.mixed_model.sandwich import MIN_CLUSTERS
from helpers.stats.multilevel import TESTS

DECIDED, RESTORED, BAND = "decided", "restored", "band"
# In the order in which an analysis makes them. A decision on rows changes k.
DECISIONS = ("measure", "correction", "variance", "model", "rho", "test", "controls", "method",
             "interval", "outliers", "follow_up", "risk_of_bias")  # fmt: skip
ON_ROWS = ("outliers", "follow_up", "risk_of_bias")
# Choices of each decision; the last are the first to go where there are too many.
CORRECTIONS = ("exact", "approximate", "none")
VARIANCES = {
    "SMD": ("average", "stata", "metafor", "revman", "unbiased"),
    "MD": ("separate", "pooled"),  # SDs
    "NMD": ("delta", "conventional"),
}
OF_MD = {"separate": "average", "pooled": "stata"}  # the words that `Settings` has for MD
METHODS = ("REML", "PM", "DL", "EE", "ML", "SJ", "HE")  # EB is PM
INTERVALS = ("hksj_truncated", "hksj", "z")
CONTROLS = ("full", "divided")
_CORRELATED = (
    "an SMD and this variance, which contains it, are correlated: the mean is pulled towards 0 "
    "(Doncaster and Spake 2018)"
)
ONLY_SHOWN = {
    ("measure", "GLASS"): "is not corrected for small samples and so too large (Hedges 1981)",
    ("correction", "none"): "SMDs of small groups are too large without it (Hedges 1981)",
    **{("variance", word): _CORRELATED for word in VARIANCES["SMD"][1:]},
    ("variance", "conventional"): "takes the distance to the uninjured value as known",
    ("method", "DL"): "τ² too small where experiments differ much (Langan et al. 2019)",
    ("method", "EE"): "one true effect in all experiments, which differ in animals and treatment",
    ("method", "ML"): "τ² too small with few experiments (Viechtbauer 2005)",
    ("method", "SJ"): "τ² too large where experiments differ little (Langan et al. 2019)",
    ("method", "HE"): "imprecise where group sizes differ (Viechtbauer 2005)",
    ("interval", "z"): "takes τ² as known: too narrow with few experiments (IntHout et al. 2014)",
    ("outliers", BAND): "leaves out experiments for their results and by no judgement, which "
    "makes heterogeneity and intervals too small",
}
_DEPENDENT = (
    "experiments share studies, controls or animals: intervals that ignore it are too narrow "
    "(Van den Noortgate et al. 2013)"
)


@dataclass(frozen=True, eq=False)
class Choices:
    """All choices that apply to an outcome.

    Attributes
    ----------
    blocks : list of Block
    shown : dict
        Why a choice, (decision, value), is only shown; the others are principled.
    leading : dict
        What the leading analysis decides, by decision.
    kept : dict of dict of numpy.ndarray of bool
        By decision on rows and choice, the rows that it keeps; of the Galbraith band none.
    not_possible : list of str
        Why a measure or a rule is no choice here.
    """

    blocks: list[Block]
    shown: dict[tuple, str]
    leading: dict
    kept: dict[str, dict]
    not_possible: list[str] = field(default_factory=list)

    def fits(self, block):
        """Number of multilevel fits that the principled specifications of a block need."""
        if block.model != MULTILEVEL or not self.principled("measure", block.measure):
            return 0
        left = (
            sum(self.principled(name, value) for value in values)
            for name, values in block.choices.items() if name != "test"
        )  # fmt: skip
        return math.prod(left)

    def principled(self, decision, value):
        """Whether a choice is as principled as any other of its decision."""
        return (decision, value) not in self.shown


def of_outcome(review, analysis, experiments, *, control, cohort, by_rho):
    """Choices that apply to an outcome's rows.

    Parameters
    ----------
    review : helpers.review.review.Review
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    experiments : helpers.stats.many.effects.Experiments
        All rows of the outcome, those that were left out by a person included.
    control, cohort : numpy.ndarray of int, shape (k,)
        Control group and treated animals of each.
    by_rho : bool
        Whether sampling errors change with the correlation of repeated measurements.

    Returns
    -------
    Choices
    """
    shown, not_possible, rows = dict(ONLY_SHOWN), [], experiments.table
    kept = {
        "outliers": _outliers(rows, analysis),
        "follow_up": _follow_up(rows, cohort, not_possible),
        "risk_of_bias": _risk_of_bias(review, rows, not_possible),
    }
    on_rows = {name: tuple(choice) for name, choice in kept.items() if len(choice) > 1}
    settings, asked = analysis.settings, analysis.asked_model or Model()
    shared = {"level_values": review.level_values, "split": analysis.controls_are_split}
    depends = asked != Model() or models.is_needed(asked, rows, **shared)
    if depends:
        shown["model", INDEPENDENT] = _DEPENDENT
    of_model = {}
    if depends:
        rhos = (asked.rho, *(rho for rho in RHOS if rho != asked.rho)) if by_rho else ()
        tests = (asked.test, *(test for test in TESTS if test != asked.test))
        if rows["study"].nunique() < MIN_CLUSTERS:
            tests = ()  # CR2 is not to be had
        of_model[MULTILEVEL] = {"rho": rhos, "test": tests}
    divisible = not analysis.controls_are_split and len(np.unique(control)) < len(rows)
    methods = tuple("EB" if (name, settings.method) == ("PM", "EB") else name for name in METHODS)
    of_model[INDEPENDENT] = {
        "controls": CONTROLS if divisible else (), "method": methods, "interval": INTERVALS,
    }  # fmt: skip
    blocks = [
        Block(measure, model, {
            name: values
            for name, values in {**of_measure, **of_model[model], **on_rows}.items()
            if len(values) > 1
        })
        for measure, of_measure in _measures(
            experiments, rows, analysis, shown, not_possible
        ).items()
        for model in of_model
    ]  # fmt: skip
    return Choices(blocks, shown, _leading(analysis, of_model), kept, not_possible)


def _leading(analysis, of_model):
    """What the leading analysis decides; a measure that has no variance to choose has none."""
    settings, asked = analysis.settings, analysis.asked_model
    variance = settings.variance
    if settings.measure == "MD":
        variance = "pooled" if variance == "stata" else "separate"
    modelled = asked is not None and MULTILEVEL in of_model
    found = {
        "measure": settings.measure, "correction": settings.correction, "variance": variance,
        "model": MULTILEVEL if modelled else INDEPENDENT,
        "controls": "divided" if settings.split_controls else "full",
        "method": settings.method, "interval": settings.interval, "outliers": DECIDED,
        "follow_up": "all", "risk_of_bias": "all",
    }  # fmt: skip
    return found | ({"rho": asked.rho, "test": asked.test} if modelled else {})


def _measures(experiments, rows, analysis, shown, not_possible):
    """Measures that can be computed from the rows, with their own decisions."""
    leading, own = analysis.settings.measure, brings_own(rows)
    decisions = {
        "SMD": {"correction": CORRECTIONS, "variance": VARIANCES["SMD"]},
        "MD": {"variance": VARIANCES["MD"]}, "NMD": {"variance": VARIANCES["NMD"]},
    }  # fmt: skip
    if own.all():
        return {leading: {}}
    if own.any():
        not_possible.append("another measure: some rows bring their own effect")
        return {leading: decisions.get(leading, {})}
    found = {leading: decisions.get(leading, {})}
    for measure in ("SMD", "MD", "ROM", "NMD", "GLASS"):
        why = "" if measure == leading else _why_not(measure, rows, analysis.outcome)
        without = 0 if why else int((experiments.why_undefined(measure) != "").sum())
        if not why and len(rows) - without < 2:
            why = "fewer than two rows have an effect by it"
        if why:
            not_possible.append(f"{measure}: {why}")
            continue
        found.setdefault(measure, decisions.get(measure, {}))
        if without and measure in ("ROM", "NMD") and measure != leading:
            shown["measure", measure] = f"{without} of {len(rows)} rows have no effect by it"
    return found


def _why_not(measure, rows, outcome):
    """Why a measure would mean nothing for an outcome; empty where it means something."""
    on = set(rows["outcome_scale"]) if "outcome_scale" in rows else {""}
    scales = [outcome.on(label) for label in on]
    if measure == "MD":
        if len(scales) > 1:
            return "means are on several scales"
        if not scales[0].unit or not np.isfinite([scales[0].low, scales[0].high]).all():
            return "the review names no unit and range that all means share"
    if measure == "ROM" and any(scale.low != 0 for scale in scales):
        return "the review does not say that the outcome begins at 0 (`range`)"
    if measure == "NMD" and ("mean_reference" not in rows or rows["mean_reference"].isna().all()):
        return "no uninjured value is known"
    return ""


def _outliers(rows, analysis):
    """Rows that each rule for outliers keeps."""
    out = rows.index.isin(analysis.excluded.index)
    found = {DECIDED: ~out}
    if out.any():
        found[RESTORED] = np.ones(len(rows), bool)
    return found | ({BAND: None} if len(rows) > 2 else {})


def _follow_up(rows, cohort, not_possible):
    """Rows that are kept where a cohort that was seen on several days counts once."""
    found = {"all": np.ones(len(rows), bool)}
    if len(np.unique(cohort)) == len(rows):
        return found
    day = rows["follow_up_days"]
    several = day.groupby(cohort).transform("nunique") + day.isna().groupby(cohort).transform("any")
    several = several > 1  # an absent day is a day of its own
    if not several.any():
        return found
    if day[several].isna().any():
        not_possible.append("one day of each cohort: some cohorts have days without a number")
        return found
    ends = day.groupby(cohort)
    for name, end in (("last", ends.transform("max")), ("first", ends.transform("min"))):
        found[name] = (~several | (day == end)).to_numpy(bool)
    return found


def _risk_of_bias(review, rows, not_possible):
    """Rows that are kept by the worst judgement of their study, where that is known."""
    found = {"all": np.ones(len(rows), bool)}
    worst = bias.worst_of_rows(rows, _judged(review))
    if not (worst != "").any():
        if _judged(review).named:
            not_possible.append("risk of bias: no judgement is of a study of the sheet")
        return found
    for name, mask in (("not high", worst != "high"), ("low", worst == "low")):
        if mask.all() or mask.sum() < 2:
            few = "all" if mask.all() else f"{mask.sum()} of {len(rows)}"
            not_possible.append(f"risk of bias {name}: {few} rows are")
        else:
            found[name] = mask
    return found


@lru_cache(maxsize=1)
def _judged(review):
    """Judgements of a review, read once for all outcomes of a report."""
    return bias.read(review)


def formula(measure, correction, variance, settings):
    """How effects are computed, in the words of `Settings`; what is None is as `settings` have it.

    Returns
    -------
    dict
        ``measure, correction, variance``.
    """
    usual = settings.variance
    if (measure == "NMD") != (usual in NMD_VARIANCES):  # their words are not those of others
        usual = "delta" if measure == "NMD" else RECOMMENDED.variance
    return {
        "measure": measure, "correction": correction or settings.correction,
        "variance": OF_MD.get(variance, variance) or usual,
    }  # fmt: skip
