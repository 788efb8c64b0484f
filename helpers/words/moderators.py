"""Moderators in words: in which model they were examined and how they were tested."""

from __future__ import annotations

import pandas as pd

from helpers.analysis.result import is_modelled
from helpers.stats.nested.regression import CHI2, KNHA
from helpers.stats.robust import MIN_CLUSTERS, MIN_DF
from helpers.words.model import CONTAINED, told
from helpers.words.numbers import listing


def in_one_model(analyses, moderators):
    """How moderators were examined where all of a moderator's levels are in one model.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis
    moderators : dict of Moderator

    Returns
    -------
    str
    """
    analyses = [analysis for analysis in analyses if analysis.models]
    if not analyses:
        return ""
    found = [one for analysis in analyses for one in analysis.models.values()]
    levelled = {one.moderator for one in found if one.slope is None}
    numeric = {one.moderator for one in found if one.slope is not None}

    what = [f"the means of the levels of {_labels(levelled, moderators)}"] * bool(levelled)
    what += [f"the slope of {_labels(numeric, moderators)} as a number"] * bool(numeric)
    text = (
        "Moderators were examined one at a time, each in one model with the same variance "
        f"components for all experiments, which gives {listing(what)}."
    )
    parts = [text, *told(analyses, _of_model), *told(analyses, _tests)]
    if any(one.left_out for one in found):
        parts.append("Experiments without a value of a moderator are not in its model.")
    parts.append(_not_tested(analyses, moderators))
    if any(len(analysis.tested) > 1 for analysis in analyses):
        parts.append(
            "P-values were adjusted for the number of moderators tested on an outcome by Holm's "
            "method [holm]; a difference is stated where the adjusted p is below 0.05."
        )
    return " ".join(filter(None, parts))


def _of_model(analysis):
    """Which model the moderators entered, and the intervals of what it gives."""
    if not is_modelled(analysis.leading):
        return (
            "the model is one of random effects with one τ², its intervals by Hartung and Knapp's "
            "standard errors and t with k − p degrees of freedom for p coefficients [knapp]; R² is "
            "the share of τ² that the moderator takes away"
        )
    tests = {test for one in analysis.models.values() for test in _intervals(one)}
    contained = f"{CONTAINED} the number of coefficients [metafor]"
    by = {frozenset({"cr2"}): "CR2", frozenset({"contain"}): contained}.get(
        frozenset(tests),
        f"CR2 or, where that has fewer than {MIN_DF} degrees of freedom or one cluster alone to go "
        f"by, {contained}",
    )
    return (
        f"the model is the one that the effects were pooled in, its intervals by {by}; R² is "
        "marginal, var(Xβ)/(var(Xβ) + Σσ²) [r2]"
    )


def _intervals(one):
    """By what each interval of a moderator was made."""
    return set(one.cells["test"]) if one.slope is None else {one.slope["test"]}


def _tests(analysis):
    """By which tests moderators of one outcome were really tested."""
    tested = [one for one in analysis.models.values() if one.tested]
    if not tested:
        return ""
    what = ["that the levels have one mean"] * any(one.slope is None for one in tested)
    what += ["that the slope is 0"] * any(one.slope is not None for one in tested)
    if not is_modelled(analysis.leading):
        how = (
            "F with m and k − p degrees of freedom and Hartung and Knapp's standard errors [knapp]"
        )
    elif {one.test for one in tested} == {"HTZ"}:
        how = "the cluster-robust Wald test by CR2 and the approximate Hotelling T² (HTZ) [htz]"
    else:
        how = "F with the smallest containment degrees of freedom of the coefficients [metafor]"
    return f"{' or '.join(what)} was tested by {how}"


def _not_tested(analyses, moderators):
    """The rule by which some levels and moderators are not tested, and where it applied."""
    thin, why = (
        [
            f"{moderators[name].label.lower()} on {analysis.outcome.label}, {words}"
            for analysis in analyses
            for name, words in found(analysis).items()
            if name in analysis.models
        ]
        for found in (_thin, lambda analysis: analysis.not_tested)
    )
    parts = []
    if thin:
        parts.append(
            "A level of one experiment or one study is shown but has no part in a test "
            f"({'; '.join(thin)})."
        )
    if why:
        rule = ""
        if any(one.leading.test == "cr2" for one in analyses if is_modelled(one.leading)):
            rule = (
                f" or, by HTZ, on fewer than {MIN_CLUSTERS} clusters or {MIN_DF} degrees of freedom"
            )
        parts.append(
            f"No moderator was tested where the test would rest on one study{rule} "
            f"({'; '.join(why)})."
        )
    return " ".join(parts)


def _thin(analysis):
    return {name: listing(levels) for name, levels in analysis.thin_levels.items()}


def level_by_level(analyses, moderators):
    """How moderators were examined as the article does it: each level pooled by itself.

    Parameters
    ----------
    analyses, moderators
        As in `in_one_model`.

    Returns
    -------
    str
        Empty where no subgroup analysis or meta-regression of this kind was run.
    """
    groups = {name for analysis in analyses for name in analysis.subgroups}
    regressed = {name for analysis in analyses for name in analysis.regressions}
    common = analyses[0].settings.method == "EE"
    kind = "fixed-effects" if common else "mixed-effects"
    parts = []
    if groups:
        own = "each level pooled by itself" + ("" if common else " with a τ² of its own")
        parts.append(f"subgroup analyses of {_labels(groups, moderators)}, {own}")
    if levels := regressed & groups:
        on = (
            "each of these" if levels == groups and len(groups) > 1 else _labels(levels, moderators)
        )
        parts.append(f"{kind} meta-regression on {on} against a reference level")
    if numbers := regressed - groups:
        parts.append(f"{kind} meta-regression on {_labels(numbers, moderators)} as a number")
    if not parts:
        return ""
    text = f"Moderators were examined one at a time: {'; '.join(parts)}."
    if any(len(analysis.tested) > 1 for analysis in analyses):
        text += (
            " P-values of an outcome's meta-regressions stand beside those adjusted for their "
            "number by Holm's method [holm]."
        )
    return text


def together(analyses):
    """How moderators were examined together, where the review asks for it.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis

    Returns
    -------
    str
    """
    found = {
        model.label: model.result
        for analysis in analyses
        for model in analysis.term_models
        if model.result is not None
    }
    if not found:
        return ""
    ways = {
        "HTZ": "the cluster-robust Wald test by CR2 and HTZ [htz]",
        "F": "F with containment degrees of freedom [metafor]",
        KNHA: "F with Hartung and Knapp's standard errors [knapp]",
        CHI2: "χ²",
    }
    terms = pd.concat(
        model.result.terms
        for analysis in analyses
        for model in analysis.term_models
        if model.result is not None
    )
    used = [ways[test] for test in terms.loc[terms["tested"], "test"].unique()]
    how = (
        f"the coefficients of a term were tested together by {' or '.join(used)}, p-values not "
        "adjusted for the number of terms"
        if used
        else "no term could be tested"
    )
    return f"Regressions on several terms were asked for by the review ({'; '.join(found)}); {how}."


def _labels(names, moderators):
    """Labels of moderators in the review's order."""
    return listing(moderators[name].label.lower() for name in moderators if name in names)
