"""Certainty of the evidence of one outcome: GRADE's domains, each by a stated rule.

Experiments start at high certainty, as randomised trials do, and each domain lowers it by the levels
that its rule gives or that a person judged. Where no rule can decide, `levels` is None and nothing is
lowered: that is for a person. A rule never raises the certainty, and never gives more levels than its
source has a criterion for.

References
----------
Hooijmans CR, de Vries RBM, Ritskes-Hoitinga M, et al. (2018). Facilitating healthcare decisions by
assessing the certainty in the evidence from preclinical animal studies. PLoS ONE 13:e0187271.
Guyatt GH, Oxman AD, Kunz R, et al. (2011). GRADE guidelines 6: imprecision. J Clin Epidemiol
64:1283-1293.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.analysis import small_study
from helpers.analysis.measures import MEASURES
from helpers.analysis.robustness.bias import risk_of_bias
from helpers.analysis.robustness.planning import smallest_effect, typical_sd
from helpers.review.robustness.certainty import DOMAINS, LOWERING, Judgement
from helpers.stats.distributions import normal_isf

START, LOWEST = 4, 1  # high and very low: GRADE has four levels
# "50% to 90%: may represent substantial heterogeneity": Cochrane Handbook 6.4, section 10.10.2.
SUBSTANTIAL_I2 = 50.0
# Where no minimal important difference is known, rate down if the interval crosses an effect size of
# 0.5 (GRADE, as the KCE process book, 5.5.1.2, has it); of ratios 0.75 or 1.25 (Guyatt et al. 2011).
IMPORTANT_SD = 0.5
IMPORTANT_RATIO = 0.75, 1.25
ALPHA, POWER = 0.05, 0.8  # of the optimal information size: "usual α and β", Guyatt et al. 2011


def optimal_information_size(difference=IMPORTANT_SD, alpha=ALPHA, power=POWER):
    """Animals, in both groups, that one adequately powered experiment needs.

    Parameters
    ----------
    difference : float
        Between the means, in SDs.
    alpha, power : float
        Two-sided error and power.

    Returns
    -------
    int

    Notes
    -----
    n in each group is 2 (z(1 - α/2) + z(power))² / difference², rounded up: 126 in all for 0.5 SD.

    References
    ----------
    Guyatt GH, et al. (2011), as above: the optimal information size is what a conventional
    calculation gives for one trial.
    """
    z = normal_isf(alpha / 2) + normal_isf(1 - power)
    return 2 * math.ceil(2 * (z / difference) ** 2)


ENOUGH = optimal_information_size()


@dataclass(frozen=True)
class Cell:
    """One domain of one outcome.

    Attributes
    ----------
    domain : str
    levels : int or None
        By how many levels its rule moves the certainty, 0 or below; None where no rule can decide.
    rule : str
        Which branch of the rule decided, or why none did; `helpers.words.robustness.certainty` has
        its sentence.
    facts : dict
        The numbers that it rests on.
    judgement : Judgement or None
        A person's, which counts in place of the rule's.
    """

    domain: str
    levels: int | None
    rule: str
    facts: dict = field(default_factory=dict)
    judgement: Judgement | None = None

    @property
    def counted(self):
        """By how many levels it moves the certainty in the end; an open one moves nothing."""
        return self.judgement.levels if self.judgement else self.levels or 0

    @property
    def is_open(self):
        """Whether neither a rule nor a person has decided."""
        return self.levels is None and self.judgement is None


@dataclass(frozen=True)
class Certainty:
    """The certainty of one outcome; ``cells`` by domain."""

    cells: dict[str, Cell]

    @property
    def level(self):
        """From 4, high, to 1, very low."""
        total = START + sum(cell.counted for cell in self.cells.values())
        return max(LOWEST, min(START, total))

    @property
    def is_bound(self):
        """Whether it can only be lower, as a domain that may lower it is still open."""
        open_ones = any(self.cells[domain].is_open for domain in LOWERING)
        return open_ones and self.level > LOWEST

    @property
    def is_confirmed(self):
        """Whether a person has judged every domain that can lower it."""
        return all(self.cells[domain].judgement for domain in LOWERING)


def of_outcome(analysis, judged, judgements, declared="SMD"):
    """The certainty of one outcome by its leading result.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    judged : helpers.analysis.robustness.bias.Judged
        Of the risk of bias.
    judgements : dict of (str, str) to Judgement
        Of `helpers.review.robustness.certainty.read`.
    declared : str
        The measure in which `smallest` of `review.toml` is said.

    Returns
    -------
    Certainty
    """
    asymmetry = small_study.of([analysis], 0, simulated=False)
    decided = {
        "risk_of_bias": risk_of_bias(analysis, judged),
        "inconsistency": inconsistency(analysis),
        "indirectness": indirectness(analysis),
        "imprecision": imprecision(analysis, declared),
        "publication_bias": publication_bias(analysis, asymmetry),
        "upgrading": upgrading(analysis),
    }
    name = analysis.outcome.id
    return Certainty({
        domain: Cell(domain, *decided[domain], judgements.get((name, domain)))
        for domain in DOMAINS
    })  # fmt: skip


def inconsistency(analysis):
    """Whether heterogeneity is substantial and leaves open on which side a new experiment lies.

    Returns
    -------
    levels : int or None
        -1 where I² is above 50% and the prediction interval includes no effect; 0 where I² is not,
        or where the prediction interval excludes no effect: then sizes differ and sides do not. None
        for a single study, and for a high I² without a prediction interval.
    rule : str
    facts : dict
        ``i2, pi_low, pi_high, level, measure``.

    References
    ----------
    Deeks JJ, Higgins JPT, Altman DG, in: Cochrane Handbook 6.4 (2023), section 10.10.2.
    IntHout J, Ioannidis JPA, Rovers MM, Goeman JJ (2016). Plea for routinely presenting prediction
    intervals in meta-analysis. BMJ Open 6:e010247.
    Guyatt G, et al. (2025). Core GRADE 3: inconsistency. BMJ 389:e081905.
    """
    result = analysis.leading
    found = {name: getattr(result, name) for name in ("i2", "pi_low", "pi_high", "level")}
    found["measure"] = analysis.measure
    if analysis.studies < 2 or not np.isfinite(result.i2):
        return None, "one study", found
    if result.i2 <= SUBSTANTIAL_I2:
        return 0, "not substantial", found
    if not (np.isfinite(result.pi_low) and np.isfinite(result.pi_high)):
        return None, "no prediction interval", found
    if result.pi_low <= 0 <= result.pi_high:
        return -1, "both sides", found
    return 0, "one side", found


def indirectness(analysis):
    """Whether animals, model and timing stand for what is asked: no rule can say.

    Returns
    -------
    None, "for a person", dict
        ``k``, and ``studies``: their ids, so that another set of studies is noticed.
    """
    studies = sorted(map(str, analysis.rows["study"].unique()))
    return None, "for a person", {"k": analysis.leading.k, "studies": studies}


def imprecision(analysis, declared="SMD"):
    """Whether the confidence interval and the number of animals let the result stand.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    declared : str
        As in `of_outcome`.

    Returns
    -------
    levels : int or None
        0 where the interval excludes no effect, or includes no important one, and the animals are as
        many as one adequately powered experiment needs; -1 where they are fewer, or where the
        interval includes both no effect and an important one; -2 where it includes important
        effects of both sides. None where the number of animals that would do is not known.
    rule : str
    facts : dict
        ``ci_low, ci_high, level, measure``; ``important``: the least important effects on both sides,
        on the scale of the data, or None; ``is_said``: whether the review says them; ``animals``;
        ``enough``: how many are, or None.

    References
    ----------
    Guyatt GH, et al. (2011), as above. Zeng L, Brignardello-Petersen R, Hultcrantz M, et al. (2022).
    GRADE guidance 34: update on rating imprecision. J Clin Epidemiol 150:216-224.
    """
    result, (important, is_said) = analysis.leading, important_effects(analysis, declared)
    counted = analysis.rows[["n_treated", "n_control"]].notna().all(axis=None)
    enough = _enough(analysis, important) if counted else None
    found = {
        "ci_low": result.ci_low, "ci_high": result.ci_high, "level": result.level,
        "measure": analysis.measure, "important": important, "is_said": is_said, "enough": enough,
        "animals": analysis.animals if counted else None,
    }  # fmt: skip
    if not (np.isfinite(result.ci_low) and np.isfinite(result.ci_high)):
        return None, "no interval", found
    if result.ci_low <= 0 <= result.ci_high:
        if important is None:
            return -1, "includes no effect", found
        reached = int(result.ci_low <= important[0]) + int(result.ci_high >= important[1])
        if reached:
            return -reached, "both important" if reached == 2 else "one important", found
    if enough is None:
        return None, "size not known", found
    return (0, "precise", found) if analysis.animals >= enough else (-1, "few animals", found)


def important_effects(analysis, declared="SMD"):
    """The least effects on both sides that count as important, on the scale of the data.

    Returns
    -------
    (float, float) or None
        The smallest effect of interest where the review says one; else half an SD of standardised
        differences, half a typical SD of mean differences, 0.75 and 1.25 of ratios. None of other
        measures, for which no source has any.
    is_said : bool
        Whether the review says them.
    """
    measure, (smallest, _) = analysis.measure, smallest_effect(analysis, declared)
    if smallest is not None:
        return (-abs(smallest), abs(smallest)), True
    if measure.standardised or measure.id == "GLASS":
        return (-IMPORTANT_SD, IMPORTANT_SD), False
    if measure.id == "MD":
        half = IMPORTANT_SD * typical_sd(analysis)[0]
        return ((-half, half) if half > 0 else None), False
    if measure.is_log and measure.id != "mixed":
        return (math.log(IMPORTANT_RATIO[0]), math.log(IMPORTANT_RATIO[1])), False
    return None, False


def _enough(analysis, important):
    """How many animals are enough where means are compared: for the important effect in SDs."""
    measure = analysis.measure
    if not (measure.standardised or measure.id in MEASURES):
        return None
    if important is None or measure.is_log or measure.id == "NMD":
        return ENOUGH
    sd = typical_sd(analysis)[0] if measure.id == "MD" else 1.0
    return optimal_information_size(important[1] / sd) if sd > 0 else None


def publication_bias(analysis, asymmetry):
    """Whether a test that is valid for these effects finds larger effects in smaller experiments.

    Returns
    -------
    levels : int or None
        -1 where one does, p < 0.05; else None: no test, and none that does not reject, can say that
        nothing was left unpublished.
    rule : str
    facts : dict
        ``k``; ``p``: of each test by name; ``refused``: why there is none.

    References
    ----------
    Guyatt GH, Oxman AD, Montori V, et al. (2011). GRADE guidelines 5: publication bias. J Clin
    Epidemiol 64:1277-1282.
    """
    tests = {
        name: test for name, test in asymmetry.tests.items()
        if name in small_study.VALID and not pd.isna(test.p)
    }  # fmt: skip
    found = {
        "k": asymmetry.k,
        "p": {name: test.p for name, test in tests.items()},
        "refused": list(asymmetry.refused),
    }
    # Turned so that benefit is positive; where no side is, away from no effect is the larger effect.
    side = 1 if asymmetry.directed else np.sign(analysis.leading.estimate)
    if any(test.p < small_study.ALPHA and side * test.slope > 0 for test in tests.values()):
        return -1, "larger in small", found
    if tests:
        return None, "not larger in small", found
    return None, "few" if asymmetry.k < small_study.LEAST else "not tested", found


def upgrading(analysis):
    """Whether anything raises the certainty: never by a rule.

    GRADE raises it for large effects, dose and response, and confounding that works against the
    effect, in evidence that does not start at high.
    """
    result = analysis.leading
    found = {"measure": analysis.measure} | {
        name: getattr(result, name) for name in ("estimate", "ci_low", "ci_high", "level")
    }
    return 0, "starts at high", found
