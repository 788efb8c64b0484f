"""The multilevel model in words: levels, sampling errors, inference, moderators."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from helpers.analysis import animals
from helpers.analysis.settings import EXPERIMENT, STUDY
from helpers.stats.multilevel import ROW
from helpers.words.numbers import count, listing, number

KINDS = {2: "three-level", 3: "four-level", 4: "five-level"}  # with the sampling errors' own
ONE_EACH = "its groups are those of "  # why `multilevel` leaves out a level that is another
CONTAINED = "t with containment degrees of freedom, the smallest number of groups of any level less"


def of_pooling(analyses, every):
    """How effects were pooled in the multilevel model, outcomes together of which the same is true.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis
        Those whose leading result is of that model.
    every : int
        Number of all outcomes: fewer in `analyses` are named.

    Returns
    -------
    str
    """
    if not analyses:
        return ""
    parts = [
        *told(analyses, _model, every),
        *told(analyses, _left_out),
        *told(analyses, _errors),
        _columns(analyses),
        *told(analyses, _inference),
        _sizes(analyses),
        *told(analyses, _prediction),
        _heterogeneity(analyses),
        *told(analyses, _series),
    ]
    return " ".join(filter(None, parts))


def told(analyses, words, every=None):
    """Sentences on some analyses, one for all of which it is the same.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis
    words : callable
        What is to be said of one, or empty; it begins in lower case and has no full stop.
    every : int, optional
        Number of outcomes of which nobody needs a name; by default that of `analyses`.

    Yields
    ------
    str
    """
    groups = {}
    for analysis in analyses:
        groups.setdefault(words(analysis), []).append(analysis.outcome.label)
    for text, labels in groups.items():
        if not text:
            continue
        alone = len(labels) == (len(analyses) if every is None else every)
        yield f"{text[0].upper()}{text[1:]}." if alone else f"For {listing(labels)}, {text}."


def where_true(some, every):
    """Of which outcomes something is true, " for Score and Weight"; empty where of all."""
    if len(some) == len(every):
        return ""
    return f" for {listing(analysis.outcome.label for analysis in some)}"


def level_word(name):
    """A level as a word; a column of the sheet in quotation marks."""
    if name == ROW:
        return EXPERIMENT
    return name if name in (STUDY, EXPERIMENT) else f"“{name}”"


def _model(analysis):
    """Random effects, and what the innermost leaves to sampling error."""
    result = analysis.leading
    names = [level_word(name) for name in result.levels]
    inner, by_row = names[-1], result.fit.groups[result.levels[-1]] == result.k
    if len(names) == 1:
        kind = "under a" if by_row else "in a two-level"
        text = f"effects were pooled {kind} random-effects model with a random effect of {inner}"
    else:
        nested = [names[0], *(f"{low} within {high}" for high, low in pairwise(names))]
        text = (
            f"effects were pooled in a {KINDS.get(len(names), 'multilevel')} random-effects model "
            f"[konstantopoulos] [three_level] with random effects of {listing(nested)}"
        )
    variances = "variances" if len(names) > 1 else "variance"
    text += f", the {variances} estimated by restricted maximum likelihood (REML) [REML]"
    if not by_row:
        text += f"; effects of the same {inner} differ by sampling error alone"
    return text


def _sizes(analyses):
    """Effects, groups and degrees of freedom of each model, as one sentence."""
    phrases = {one.outcome.label: _size(one.leading) for one in analyses}
    if len(phrases) == 1:
        return f"The model holds {listing(phrases.values())}."
    return f"The models hold: {'; '.join(f'{name}, {text}' for name, text in phrases.items())}."


def _size(result):
    """Effects, studies, groups that are neither, and degrees of freedom of one model."""
    text = f"{count(result.k, 'effect')} from {count(result.studies, 'study', 'studies')}"
    groups = []
    for at, name in enumerate(result.levels):
        many = result.fit.groups[name]
        if many == result.k or (name == STUDY and at == 0):  # the effects, or the studies
            continue
        within = f" within {level_word(result.levels[at - 1])}" if at else ""
        groups.append(f"{count(many, 'group')} of {level_word(name)}{within}")
    if groups:
        text += f" in {listing(groups)}"
    if result.test == "cr2":
        return f"{text} (df = {number(result.df, 1)} from {count(result.clusters, 'cluster')})"
    return f"{text} (df = {number(result.df, 0)})"


def _columns(analyses):
    """What the quotation marks mean, where there are any."""
    if any(analysis.model.columns for analysis in analyses):
        return "Names in quotation marks are columns of the extraction sheet."
    return ""


def _left_out(analysis):
    """Levels that were asked for and are not in the model."""
    few, same = [], []
    for name, reason in analysis.leading.left_out.items():
        if reason.startswith(ONE_EACH):
            inner = level_word(reason.removeprefix(ONE_EACH))
            same.append(
                f"no random effect of {level_word(name)} was fitted besides, as each of its groups "
                f"holds one {inner}"
            )
        else:
            few.append(f"{level_word(name)} ({reason})".replace("(1 groups", "(1 group"))
    if few:
        same.insert(
            0,
            f"no random effect of {listing(few)} was fitted, as a variance between so few groups "
            "can hardly be estimated",
        )
    return "; ".join(same)


def _covarying(analysis):
    """Which sampling errors covary in the fitted model.

    Returns
    -------
    dict of bool
        ``any`` at all; ``control`` of different animals through a control group, ``occasions`` so
        through one that was measured again, ``cohort`` of the same treated animals.
    """
    rows, of = analysis.rows, analysis.leading.fit.fit.sampling
    cohort, control = animals.cohorts(rows), animals.control_groups(rows)
    again = cohort[of.i] == cohort[of.j]
    through = ~again & (control[of.i] == control[of.j])
    return {
        "any": len(of.i) > 0,
        "control": bool(through.any()),
        "occasions": bool((through & _moved(analysis)).any()),
        "cohort": bool(again.any()),
    }


def _moved(analysis):
    """Which covariances of the fitted model another ρ changes."""
    value = analysis.leading.fit.fit.sampling.value
    for rho, other in analysis.by_rho.items():
        changed = other.fit.fit.sampling.value
        if rho != analysis.leading.rho and len(changed) == len(value):
            return changed != value
    return np.zeros(len(value), bool)


def _errors(analysis):
    """Which sampling errors covary, and by how much."""
    model, rho, found = analysis.model, f"ρ = {analysis.leading.rho:g}", _covarying(analysis)
    if model.covariance == "constant" and found["any"]:
        return (
            f"sampling errors of effects of the same {level_word(model.within)} were taken to "
            f"correlate by {rho}, all others to be independent"
        )
    parts, subject = [], "sampling errors"
    if found["control"]:
        text = f"{subject} of effects that share a control group were taken to covary "
        if analysis.settings.measure in ("SMD", "GLASS"):
            text += "after Gleser and Olkin [gleser]"
        else:
            text += "by what the control contributes to both variances"
        if (analysis.settings.measure, analysis.settings.variance) == ("SMD", "average"):
            text += ", with ḡ in place of both effects"
        if found["occasions"]:
            text += f", times {rho} where the control was measured on different occasions"
        parts.append(text)
        subject = "those"
    if found["cohort"]:
        parts.append(
            f"{subject} of repeated measurements of the same animals were taken to correlate by {rho}"
        )
    if parts:
        return "; ".join(parts)
    return "sampling errors were taken to be independent" + (
        f" ({rho})" if model.covariance == "constant" and not analysis.leading.rho else ""
    )


def _inference(analysis):
    """How the mean effect was tested; its degrees of freedom stand in `_size`."""
    result = analysis.leading
    level = f"the test and the {100 * result.level:g}% confidence interval of the mean effect"
    if result.test == "cr2":
        name, _, joined = result.fit.fit.cluster_name.partition(", ")
        clusters = "studies" if name == STUDY else f"the groups of {level_word(name)}"
        joined = f", {joined}" if joined else ""
        return (
            f"{level} are cluster-robust (CR2) [cr2] [che], the clusters being {clusters}{joined}, "
            "with t and Satterthwaite degrees of freedom"
        )
    text = f"{level} use {CONTAINED} one [metafor]"
    reason = result.test_label.partition(": ")[2]
    return f"{text}; cluster-robust inference (CR2) was not used: {reason}" if reason else text


def _prediction(analysis):
    """Of the prediction interval."""
    df = "the same" if analysis.leading.test == "contain" else "clusters − 1"
    return (
        f"prediction intervals, of an effect in new groups of every level, are the estimate ± "
        f"t·√(se² + Σσ²) with {df} degrees of freedom, and never narrower than the confidence "
        "interval [prediction]"
    )


def _heterogeneity(analyses):
    by = "of each level " * any(len(one.leading.levels) > 1 for one in analyses)
    return (
        f"Heterogeneity is described by the variance σ² {by}and by I² {by}as σ²/(Σσ² + s²), s² the "
        "typical sampling variance [nakagawa], and tested by Cochran's Q with the sampling "
        "covariance as weights."
    )


def _series(analysis):
    known = correlations(analysis)
    return f"as ρ is an assumption, results with {known} stand beside each other" if known else ""


def correlations(analysis):
    """The correlations of `by_rho`, "ρ = 0.2, 0.5 and 0.8"; empty where ρ changes nothing."""
    errors = [one.fit.fit.sampling.value for one in analysis.by_rho.values()]
    if all(np.array_equal(one, errors[0]) for one in errors):
        return ""
    return f"ρ = {listing(f'{rho:g}' for rho in analysis.by_rho)}"
