"""The methods section, written from the parameters that were really used, with citations."""

from __future__ import annotations

import re

from helpers import provenance
from helpers.measures import SMD
from helpers.wording import count, listing

CORRECTIONS = {
    "exact": "corrected for small samples by Hedges' exact factor",
    "approximate": "corrected for small samples by the approximate factor 1 − 3/(4m − 1)",
    "none": "without small-sample correction",
}
VARIANCES = {
    "metafor": "1/n₁ + 1/n₂ + g²/(2N), metafor's default",
    "stata": "J²(1/n₁ + 1/n₂ + d²/(2N)), Stata's default",
    "unbiased": "the unbiased large-sample formula",
    "revman": "1/n₁ + 1/n₂ + g²/(2(N − 3.94)), RevMan's formula",
}
NMD_VARIANCES = {
    "delta": " [NMD], with the sampling variance by the delta method, the uninjured value's own "
    "included where it was measured",
    "conventional": " [NMD], with the conventional sampling variance that takes the distance from "
    "control to uninjured as known",
}
METHODS = {
    "REML": "restricted maximum likelihood (REML)",
    "ML": "maximum likelihood",
    "DL": "the method of DerSimonian and Laird",
    "PM": "the method of Paule and Mandel",
    "EB": "the empirical Bayes method",
    "SJ": "the method of Sidik and Jonkman",
    "HE": "the method of Hedges",
    "EE": "a common-effect model, with no variance between experiments",
}
INTERVALS = {
    "z": "normal quantiles",
    "hksj": "the method of Hartung, Knapp, Sidik and Jonkman",
    "hksj_truncated": "the method of Hartung, Knapp, Sidik and Jonkman with the variance factor "
    "held at 1 or above",
}
PREDICTIONS = {
    "riley": "a t distribution with k − 2 degrees of freedom and the plain standard error (Riley)",
    "z": "normal quantiles and the plain standard error",
    "hk": "a t distribution with k − 1 degrees of freedom and the Hartung-Knapp standard error",
}
CITATIONS = {
    "SMD": "Hedges LV. J Educ Stat 1981;6:107-128. doi:10.3102/10769986006002107",
    "DL": "DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188. "
    "doi:10.1016/0197-2456(86)90046-2",
    "PM": "Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377-385. doi:10.6028/jres.087.022",
    "SJ": "Sidik K, Jonkman JN. J R Stat Soc C 2005;54:367-384. "
    "doi:10.1111/j.1467-9876.2005.00489.x",
    "NMD": "Vesterinen HM et al. J Neurosci Methods 2014;221:92-102. "
    "doi:10.1016/j.jneumeth.2013.09.010",
    "REML": "Viechtbauer W. J Educ Behav Stat 2005;30:261-293. doi:10.3102/10769986030003261",
    "i2": "Higgins JPT, Thompson SG. Stat Med 2002;21:1539-1558. doi:10.1002/sim.1186",
    "hksj": "IntHout J, Ioannidis JPA, Borm GF. BMC Med Res Methodol 2014;14:25. "
    "doi:10.1186/1471-2288-14-25",
    "riley": "Riley RD, Higgins JPT, Deeks JJ. BMJ 2011;342:d549. doi:10.1136/bmj.d549",
    "holm": "Holm S. Scand J Stat 1979;6:65-70.",
    "galbraith": "Galbraith RF. Stat Med 1988;7:889-894. doi:10.1002/sim.4780070807",
    "doleman": "Doleman B et al. Res Synth Methods 2020;11:522-534. doi:10.1002/jrsm.1414",
    "pustejovsky": "Pustejovsky JE, Rodgers MA. Res Synth Methods 2019;10:57-71. "
    "doi:10.1002/jrsm.1332",
    "cr2": "Tipton E, Pustejovsky JE. J Educ Behav Stat 2015;40:604-634. "
    "doi:10.3102/1076998615606099",
    "three_level": "Van den Noortgate W et al. Behav Res Methods 2013;45:576-594. "
    "doi:10.3758/s13428-012-0261-6",
}


def methods_text(review, settings, moderators, excluded, used=(SMD,)):
    """How the numbers of a report were made, ready to be pasted into a manuscript.

    Parameters
    ----------
    review : helpers.review.Review
    settings : helpers.analysis.Settings
    moderators : list of str
        Labels of the moderators that were looked at.
    excluded : int
        Number of experiments left out.
    used : iterable of helpers.measures.Measure
        What the effects of the outcomes really are.

    Returns
    -------
    str
    """
    used = list(used)
    effect = measure_words(review, settings, used)
    share = (
        "a control group that several treated groups share was divided among them"
        if settings.split_controls
        else "a control group that several treated groups share counted in full for each of them"
    )
    if settings.method == "EE":
        pooling = f"They were pooled under {METHODS['EE']}"
        prediction = "; a common effect has no prediction interval"
        i2 = "(Q − df)/Q"
    else:
        cited = settings.method if settings.method in CITATIONS else "REML"
        pooling = (
            f"They were pooled under a random-effects model whose between-experiment variance τ² "
            f"was estimated by {METHODS[settings.method]} [{cited}]"
        )
        prediction = f", and prediction intervals {PREDICTIONS[settings.prediction]} [riley]"
        i2 = "τ²/(τ² + s²), s² the typical variance"
    knapp = "" if settings.interval == "z" else " [hksj]"
    parts = [
        f"{effect}. In the computation {share}. {pooling}; {100 * settings.level:g}% confidence "
        f"intervals use {INTERVALS[settings.interval]}{knapp}{prediction}.",
        f"Heterogeneity is described by Cochran's Q with fixed weights, by τ² and by I² as "
        f"{i2} [i2].",
    ]
    if moderators:
        parts.append(
            f"{listing(moderators).capitalize()} were examined one at a time, by subgroup analyses "
            "in which each level has a τ² of its own, and by mixed-effects meta-regression against "
            "a reference level; their p-values stand beside those corrected for the number of looks "
            "by Holm's method [holm]."
        )
    left_out = "no experiment was left out."
    if excluded:
        verb = "was" if excluded == 1 else "were"
        left_out = f"{count(excluded, 'experiment')} {verb} left out, each listed with its reason."
    parts.append(f"Outliers were looked for in a Galbraith plot [galbraith]; {left_out}")
    if any(one.id == "SMD" for one in used):
        parts.append(
            "Because the standard error of a standardised mean difference contains the effect "
            "itself, small-study effects were tested only by methods based on sample size: the "
            "regression of Doleman on baseline risk and inverse sample size [doleman] and that of "
            "Pustejovsky and Rodgers [pustejovsky], and only where at least 10 experiments were at "
            "hand."
        )
    hedges = "" if all(one.id == "own" for one in used) else "of exact Hedges g "
    parts.append(
        "Where studies hold several experiments, dependence was allowed for in a three-level model "
        f"{hedges}with modelled sampling covariances [three_level], and where there are "
        "enough studies by cluster-robust CR2 inference [cr2]."
    )
    return _numbered("\n\n".join([*parts, software_text()]))


def measure_words(review, settings, used):
    """What the effects are, and by which formulas those that were computed here."""
    known = list(dict.fromkeys((one.label, one.words) for one in used))
    versus = f"of {review.treated} against {review.control}"
    phrases = [words for _, words in known]
    effect = f"Effects are {listing(phrases)} {versus}"
    if any(one.id == "own" for one in used):
        effect += (
            ", as the sheet gives them with their standard errors"
            if all(one.id == "own" for one in used)
            else ", those that rows of the sheet bring with their standard errors"
        )
    ids = {one.id for one in used}
    computed = settings.measure if ids & {settings.measure, "mixed"} else None
    if computed == "SMD":
        effect += (
            f", {'the SMDs ' if len(known) > 1 or 'mixed' in ids else ''}"
            f"{CORRECTIONS[settings.correction]}, with the sampling variance "
            f"{VARIANCES[settings.variance]} [SMD]"
        )
    elif computed == "NMD":
        effect += NMD_VARIANCES["conventional" if settings.variance == "conventional" else "delta"]
    elif computed == "MD" and settings.variance == "stata":
        effect += ", with the sampling variance of pooled SDs"
    if any(one.is_log for one in used):
        effect += "; effects on a log scale were pooled there and are shown back-transformed"
    return effect


def _numbered(text):
    """Number citations such as [REML] by first appearance and add the list of references."""
    keys = list(dict.fromkeys(key for key in re.findall(r"\[(\w+)\]", text) if key in CITATIONS))
    for number, key in enumerate(keys, 1):
        text = text.replace(f"[{key}]", f"[{number}]")
    return "\n\n".join([text, *(f"[{n}] {CITATIONS[key]}" for n, key in enumerate(keys, 1))])


def software_text():
    """Software with versions, as a sentence."""
    found = provenance.versions()
    names = [f"{name} {version}" for name, version in found.items() if name != "python"]
    return f"Computed with Python {found['python']}, {listing(names)}."
