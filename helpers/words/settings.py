"""Settings in words: what effects are, and what differs from the preset."""

from __future__ import annotations

from dataclasses import replace

from helpers.analysis.result import is_modelled
from helpers.analysis.settings import ARTICLE, RECOMMENDED, Model
from helpers.words.model import correlations, level_word, where_true
from helpers.words.numbers import listing

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
    "average": "1/n₁ + 1/n₂ + ḡ²/(2N), metafor's AV, ḡ the mean of the SMDs computed for the "
    "outcome, weighted by their numbers of animals: an SMD and its usual variance, which holds the "
    "SMD itself, are correlated, and the pooled estimate would be biased towards zero [average]",
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
# Which settings have a part in a measure's effects; of MD the variance only where SDs are pooled.
OF_MEASURE = {"SMD": ("correction", "variance"), "MD": ("variance",), "NMD": ("variance",)}
# In the line at the head of a report.
SHORT_METHODS = {"EE": "common effect"}
SHORT_INTERVALS = {
    "z": "normal (z) intervals", "hksj": "Hartung-Knapp intervals",
    "hksj_truncated": "Hartung-Knapp intervals, not narrower than normal",
}  # fmt: skip
SHORT_VARIANCES = {
    "metafor": "variance as in metafor", "stata": "variance as in Stata",
    "unbiased": "unbiased variance", "revman": "variance as in RevMan",
    "average": "variance at the average effect",
}  # fmt: skip
SHORT_TESTS = {"cr2": "cluster-robust, CR2", "contain": "containment degrees of freedom"}
OF_POOLING = ("method", "interval", "prediction")
CONTROLS = {True: "shared controls divided", False: "shared controls counted in full"}


def measure_words(review, settings, used):
    """What the effects are, and by which formulas those that were computed here.

    Parameters
    ----------
    review : helpers.review.review.Review
    settings : helpers.analysis.settings.Settings
    used : list of helpers.analysis.measures.Measure
        Of each outcome.
    """
    known = list(dict.fromkeys((one.label, one.words) for one in used))
    versus = f"of {review.treated} against {review.control}"
    phrases = [words for _, words in known]
    effect = f"Effects are {listing(phrases)} {versus}"
    given = [one.id == "own" and not one.counted for one in used]
    if counted := [one for one in used if one.counted]:
        effect += ", computed from the events and the numbers of animals" + (
            "" if len(counted) == len(used) else " where rows count events"
        )
        effect += ", 0.5 added to the four cells of a row where one of them is 0"
    if any(given):
        effect += (
            ", as the sheet gives them with their standard errors"
            if all(given)
            else ", those that rows of the sheet bring with their standard errors"
        )
    ids = {one.id for one in used}
    computed = settings.measure if ids & {settings.measure, "mixed"} else None
    if computed == "SMD":
        effect += (
            f", {'the SMDs ' if len(known) > 1 or 'mixed' in ids else ''}"
            f"{CORRECTIONS[settings.correction]} [SMD], with the sampling variance "
            f"{VARIANCES[settings.variance]}"
        )
    elif computed == "NMD":
        effect += NMD_VARIANCES["conventional" if settings.variance == "conventional" else "delta"]
    elif computed == "MD" and settings.variance == "stata":
        effect += ", with the sampling variance of pooled SDs"
    if any(one.is_log for one in used):
        effect += "; effects on a log scale were pooled there and are shown back-transformed"
    return effect


def differences(settings, model, rebuilds):
    """What of a report's settings is not the preset's, as one sentence.

    Parameters
    ----------
    settings : Settings or None
        As of `helpers.analysis.settings.of_review`; None where the preset leads.
    model : Model or None
        The multilevel model of `settings`; None where they take rows as independent.
    rebuilds : bool
        Whether the review rebuilds an article: the preset is then the article's, else the
        recommended one.

    Returns
    -------
    str
        Empty where nothing differs. Settings without any effect on the results, such as the
        interval of independent rows in a multilevel model, are not named.
    """
    if settings is None:
        return ""
    preset = replace(ARTICLE if rebuilds else RECOMMENDED, measure=settings.measure)
    found = []
    if settings.measure != ARTICLE.measure:
        found.append(f"measure {settings.measure} instead of {ARTICLE.measure}")
    for name in OF_MEASURE.get(settings.measure, ()):
        own, other = (_formula(one, name) for one in (settings, preset))
        if own != other:
            found.append(f"{name} {own} instead of {other}")
    if settings.level != preset.level:
        found.append(f"{100 * settings.level:g}% instead of {100 * preset.level:g}% intervals")
    if model is None:
        if not rebuilds:
            found.append("effects taken as independent instead of a multilevel model where needed")
        found += [
            f"{name} {getattr(settings, name)} instead of {getattr(preset, name)}"
            for name in OF_POOLING
            if getattr(settings, name) != getattr(preset, name)
        ]
        if settings.split_controls != preset.split_controls:
            found.append(
                f"{CONTROLS[settings.split_controls]} instead of "
                f"{CONTROLS[preset.split_controls].removeprefix('shared controls ')}"
            )
    else:
        if rebuilds:
            found.append("a multilevel model instead of independent effects")
        found += _of_model(model)
    if not found:
        return ""
    of = "those of the article" if rebuilds else "the recommended"
    return f"Settings of this report that differ from {of}: {'; '.join(found)}."


def in_one_line(settings, model, analyses, rebuilds):
    """What a report's numbers were made by, in short phrases.

    Parameters
    ----------
    settings, model : Settings, Model or None
        As for `differences`.
    analyses : list of OutcomeAnalysis
        Of one report.
    rebuilds : bool

    Returns
    -------
    list of (str, bool)
        A phrase, and whether what it says differs from the preset.
    """
    leading = [one.leading for one in analyses]
    own, usual = analyses[0].settings, ARTICLE if rebuilds else RECOMMENDED
    modelled = [one for one in leading if is_modelled(one)]
    plain = [one for one in leading if not is_modelled(one)]
    names = {one.measure.name: one.measure for one in analyses}
    phrases = [(listing(names), settings is not None and own.measure != usual.measure)]
    if any(one.id == "SMD" for one in names.values()):
        differs = (own.correction, own.variance) != (usual.correction, usual.variance)
        words = f"{SHORT_VARIANCES[own.variance]}, {own.correction} small-sample correction"
        phrases.append((words, settings is not None and differs))
    if modelled:
        tests = listing(sorted({SHORT_TESTS[one.test] for one in modelled}))
        where = "" if not plain else " where experiments depend on each other"
        words = f"multilevel model{where} ({tests})"
        phrases.append((words, settings is not None and (rebuilds or model != Model())))
    if plain:
        pooled = SHORT_METHODS.get(own.method, f"random effects ({own.method})")
        differs = own.method != usual.method or (not rebuilds and model is None)
        phrases.append((pooled, settings is not None and differs))
        interval = SHORT_INTERVALS[own.interval]
        phrases.append((interval, settings is not None and own.interval != usual.interval))
        if own.split_controls != usual.split_controls:
            phrases.append((CONTROLS[own.split_controls], settings is not None))
    if own.level != usual.level:
        phrases.append((f"{100 * own.level:g}% intervals", settings is not None))
    preset = "the article's settings" if rebuilds else "recommended settings"
    return [(preset, False)] * (settings is None) + phrases


def restricted(review, outcomes):
    """Which experiments a report is about, where these are not all, with counts.

    Parameters
    ----------
    review : helpers.review.review.Review
    outcomes : iterable of str
        Ids of those that were to be analysed.

    Returns
    -------
    str
        Empty for all.
    """
    if review.subset is None:
        return ""
    here = review.experiments["outcome"].isin(list(outcomes))
    kept, every = int((here & review.inside).sum()), int(here.sum())
    text = f"Only experiments with {review.subset.words} were analysed, {kept:,} of {every:,}"
    unknown = int((here & review.subset.unknown).sum())
    if unknown:
        text += f"; for {unknown:,} of those left out the sheet does not say it"
    return f"{text}."


def whose(review, analyses):
    """Whose settings lead, what differs from the preset, and which results stand beside them.

    Parameters
    ----------
    review : helpers.review.review.Review
    analyses : list of OutcomeAnalysis
        Of one report.
    """
    first = analyses[0]
    parts = []
    if first.leading_is == "article":
        citation = review.article["citation"].removesuffix(".")
        doi = f", doi:{review.article['doi']}" if "doi" in review.article else ""
        parts.append(f"The settings are those of the article that this rebuilds: {citation}{doi}.")
    elif first.leading_is == "chosen":
        asked = next((one.model for one in analyses if one.model is not None), None)
        if any(one.leading.pooled for one in analyses):
            parts.append(differences(first.settings, asked, rebuilds=bool(review.article)))
    beside = ["the article's settings"] * (first.leading_is != "article" and bool(review.article))
    if first.leading_is != "recommended":
        others = [one for one in analyses if one.recommended is not None]
        beside += [f"the recommended settings{_recommended(others)}"] * bool(others)
    if beside:
        parts.append(f"Results by {listing(beside)} stand beside these.")
    return " ".join(filter(None, parts))


def _recommended(analyses):
    """What is recommended, in brackets, where the leading results have nothing of it."""
    if any(is_modelled(one.leading) for one in analyses):
        return ""
    modelled = [one for one in analyses if is_modelled(one.recommended)]
    plain = [one for one in analyses if one.recommended.pooled and one not in modelled]
    parts = []
    if any(one.recommended_measure.id in ("SMD", "mixed") for one in analyses):
        parts.append("exact Hedges g with the variance at the mean effect [average]")
    if modelled:
        parts.append(
            f"a multilevel model of dependent effects{where_true(modelled, analyses)} [konstantopoulos]"
        )
    for test, words in (
        ("cr2", "cluster-robust inference (CR2){} [cr2] [che]"),
        ("contain", "containment degrees of freedom{} [metafor]"),
    ):
        some = [one for one in modelled if one.recommended.test == test]
        parts += [words.format(where_true(some, modelled))] * bool(some)
    if series := next(filter(None, map(correlations, modelled)), ""):
        parts.append(f"repeated measurements correlating by {series}")
    if plain:
        parts.append(
            f"random effects with Hartung and Knapp's intervals{where_true(plain, analyses)} [hksj]"
        )
    return f" ({'; '.join(parts)})" if parts else ""


def _formula(settings, name):
    """What a setting comes to: MD knows pooled SDs and SDs apart, whatever the word."""
    value = getattr(settings, name)
    if name == "variance" and settings.measure == "MD":
        return "by pooled SDs" if value == "stata" else "by each group's SD"
    return value


def _of_model(model):
    """What of a multilevel model is not the default's."""
    usual, found = Model(), []
    if model.levels != usual.levels:
        found.append(
            f"levels {listing(map(level_word, model.levels))} instead of {listing(usual.levels)}"
        )
    if model.covariance != usual.covariance:
        found.append(
            "sampling errors with a constant correlation within "
            f"{level_word(model.within)} instead of modelled"
        )
    if model.rho != usual.rho:
        found.append(f"ρ = {model.rho:g} instead of {usual.rho:g}")
    if model.test != usual.test:
        found.append("containment degrees of freedom instead of cluster-robust inference (CR2)")
    if model.min_groups != usual.min_groups:
        found.append(
            f"at least {model.min_groups} instead of {usual.min_groups} groups for a level"
        )
    return found
