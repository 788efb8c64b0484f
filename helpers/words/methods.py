"""The methods section, written from the parameters that were really used, with citations."""

from __future__ import annotations

import re

from helpers import provenance
from helpers.analysis import animals
from helpers.analysis.measures import turned
from helpers.analysis.small_study import LEAST
from helpers.stats.shared_controls import covariance
from helpers.words.numbers import count, listing, was

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
SOURCES = {"Wan 2014": "wan", "Luo 2018": "luo"}  # named in the steps of a conversion
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
    "wan": "Wan X et al. BMC Med Res Methodol 2014;14:135. doi:10.1186/1471-2288-14-135",
    "luo": "Luo D et al. Stat Methods Med Res 2018;27:1785-1805. doi:10.1177/0962280216669183",
    "prediction": "Higgins JPT et al. J R Stat Soc A 2009;172:137-159. "
    "doi:10.1111/j.1467-985X.2008.00552.x",
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


def methods_text(
    review, settings, analyses, *, excluded=0, without_effect=0, tested=None, galbraith=()
):
    """How the numbers of a report were made, ready to be pasted into a manuscript.

    Each clause, with its citation, stands there only if what it tells was done.

    Parameters
    ----------
    review : helpers.review.review.Review
    settings : helpers.analysis.outcome.Settings
    analyses : list of OutcomeAnalysis
    excluded, without_effect : int
        Numbers of experiments that a person left out, and that have no effect by these settings.
    tested : dict of Asymmetry, optional
        Small-study tests that the report shows, by the name of the group of outcomes.
    galbraith : sequence of str
        Outcomes, by label, whose Galbraith plot the report shows.

    Returns
    -------
    str
    """
    analyses = list(analyses)
    used = [analysis.measure for analysis in analyses]
    start = [_outcomes(analyses), f"{measure_words(review, settings, used)}."]
    start += _turned(settings, analyses)
    if any(one.id != "own" for one in used):
        start += [*_conversions(review), _controls(review, settings, analyses)]
    parts = [
        " ".join(start),
        _pooling(settings, analyses),
        _moderators(settings, analyses, review),
        _exclusions(analyses, excluded, without_effect, galbraith),
        _small_study(tested or {}),
        _dependence(analyses),
        software_text(),
    ]
    return _numbered("\n\n".join(filter(None, parts)))


def _outcomes(analyses):
    labels = [analysis.outcome.label for analysis in analyses]
    if len(labels) == 1:
        return f"The outcome is {labels[0]}."
    return f"{count(len(labels), 'outcome')} were analysed, each by itself: {listing(labels)}."


def _turned(settings, analyses):
    """How many effects the sheet's sign turned round."""
    many = sum(int(turned(analysis.rows, settings.measure).sum()) for analysis in analyses)
    if many:
        was_turned = "was multiplied by −1, as" if many == 1 else "were multiplied by −1, as"
        yield f"{count(many, 'effect')} (logarithms for ratios) {was_turned} the sheet says."


def _conversions(review):
    """What of the sheet's means and SDs was computed from something else, with counts."""
    steps = review.trace[review.trace["step"].str.endswith(" by conversion")]
    found = steps.groupby(["step", "detail"], sort=False)["rows"].sum()
    phrases = []
    for (step, detail), rows in found.items():
        noun = step.removesuffix(" by conversion")
        many = count(int(rows), *("SD", "SDs") if noun == "sd" else ("mean", "means"))
        cited = "".join(f" [{key}]" for name, key in SOURCES.items() if name in detail)
        phrases.append(f"{many}: {detail}{cited}")
    if phrases:
        yield f"In the whole sheet these were converted: {'; '.join(phrases)}."


def _controls(review, settings, analyses):
    """Whether control groups were shared, as far as the sheet tells, and what was done then."""
    if review.sheet.get("control_n_is_split"):
        return (
            "Sizes of control groups that several treated groups share were already divided in the "
            "sheet and were taken as they stand."
        )
    if not any((analysis.rows["control_group"] != "").any() for analysis in analyses):
        return "The sheet does not say which treated groups share a control group."
    if not any(
        (animals.share(analysis.rows) < analysis.rows["n_control"]).any() for analysis in analyses
    ):
        return "No control group is shared by several treated groups in the sheet."
    if settings.split_controls:
        return "A control group that several treated groups share was divided among them."
    return (
        "A control group that several treated groups share counted in full for each of them in "
        "these effects."
    )


def _pooling(settings, analyses):
    """Model, intervals and heterogeneity; what needs several experiments only where there were."""
    pooled = [analysis.chosen for analysis in analyses if analysis.chosen.pooled]
    single = [analysis.outcome.label for analysis in analyses if not analysis.chosen.pooled]
    alone = f"For {listing(single)} one experiment was at hand and nothing was pooled."
    level = f"{100 * settings.level:g}% confidence intervals use"
    if not pooled:
        return f"{alone} {level.capitalize()} normal quantiles."
    if settings.method == "EE":
        text = f"Effects were pooled under {METHODS['EE']}"
        prediction = "; a common effect has no prediction interval"
        i2 = "(Q − df)/Q"
    else:
        cited = settings.method if settings.method in CITATIONS else "REML"
        text = (
            f"Effects were pooled under a random-effects model whose between-experiment variance "
            f"τ² was estimated by {METHODS[settings.method]} [{cited}]"
        )
        source = "riley" if settings.prediction == "riley" else "prediction"
        prediction = ""
        if any(result.k > 2 for result in pooled):
            prediction = f", and prediction intervals {PREDICTIONS[settings.prediction]} [{source}]"
        i2 = "τ²/(τ² + s²), s² the typical variance"
    knapp = "" if settings.interval == "z" else " [hksj]"
    return (
        f"{text}; {level} {INTERVALS[settings.interval]}{knapp}{prediction}. Heterogeneity is "
        f"described by Cochran's Q with fixed weights, by τ² and by I² as {i2} [i2]."
    ) + (f" {alone}" if single else "")


def _moderators(settings, analyses, review):
    """Subgroup analyses and meta-regressions that were really run."""

    def labels(names):
        names = [name for name in review.moderators if name in names]
        return listing(review.moderators[name].label.lower() for name in names)

    groups = {name for analysis in analyses for name in analysis.subgroups}
    regressed = {name for analysis in analyses for name in analysis.regressions}
    common = settings.method == "EE"
    kind = "fixed-effects" if common else "mixed-effects"
    parts = []
    if groups:
        own = "each level pooled by itself" + ("" if common else " with a τ² of its own")
        parts.append(f"subgroup analyses of {labels(groups)}, {own}")
    if levels := regressed & groups:
        on = "each of these" if levels == groups and len(groups) > 1 else labels(levels)
        parts.append(f"{kind} meta-regression on {on} against a reference level")
    if numbers := regressed - groups:
        parts.append(f"{kind} meta-regression on {labels(numbers)} as a number")
    if not parts:
        return ""
    text = f"Moderators were examined one at a time: {'; '.join(parts)}."
    if any(len(analysis.tested) > 1 for analysis in analyses):
        text += (
            " P-values of an outcome's meta-regressions stand beside those adjusted for their "
            "number by Holm's method [holm]."
        )
    return text


def _exclusions(analyses, excluded, undefined, galbraith):
    text = "No experiment was left out."
    if excluded:
        text = (
            f"{count(excluded, 'experiment')} {was(excluded)} left out, each listed with its "
            "reason."
        )
    if undefined:
        text += (
            f" {count(undefined, 'experiment')} had no effect by these settings, and why is listed."
        )
    if not galbraith:
        return text
    where = "" if len(galbraith) == len(analyses) else f" of {listing(galbraith)}"
    return f"Outliers were looked for in Galbraith plots{where} [galbraith]. {text}"


def _small_study(tested):
    """Which tests for small-study effects were run on what, and where none was."""
    ran = {name: found.tests for name, found in tested.items() if found.tests}
    words = {
        "Doleman": "the regression of Doleman on baseline risk and inverse sample size [doleman]",
        "Pustejovsky-Rodgers": "the regression of Pustejovsky and Rodgers on sample size "
        "[pustejovsky]",
    }
    groups = {}  # tests that were run on the same groups of outcomes are told together
    for test, phrase in words.items():
        where = "; ".join(name for name, tests in ran.items() if test in tests)
        groups.setdefault(where, []).append(phrase)
    phrases = [f"by {listing(said)} ({where})" for where, said in groups.items() if where]
    parts = []
    if phrases:
        parts.append(
            "Because the standard error of a standardised mean difference contains the effect "
            f"itself, small-study effects were tested on sample size only: {'; '.join(phrases)}. "
            "How often each test would see a suppression of results that are not significant was "
            "simulated for the group sizes at hand."
        )
        if any("Egger" in tests for tests in ran.values()):
            parts.append("Egger's test was computed for comparison and decides nothing.")
    few = [name for name, found in tested.items() if not found.tests and found.k < LEAST]
    other = [name for name, found in tested.items() if not found.tests and found.k >= LEAST]
    if few:
        parts.append(
            f"With fewer than {LEAST} experiments no test for small-study effects was run "
            f"({'; '.join(few)})."
        )
    if other:
        parts.append(f"No test for small-study effects could be run ({'; '.join(other)}).")
    return " ".join(parts)


def _dependence(analyses):
    """The three-level model and the inference on it, where they were fitted."""
    fitted = [analysis for analysis in analyses if analysis.three_level is not None]
    if not fitted:
        return ""

    def where(some, every=analyses):
        if len(some) == len(every):
            return ""
        return f" for {listing(analysis.outcome.label for analysis in some)}"

    modelled = [one for one in fitted if isinstance(one.three_level.covariance, list)]
    repeats = [one for one in modelled if _repeated(one.rows)]
    text = f"Dependence of experiments of one study was modelled{where(fitted)} by a three-level "
    hedges = all(one.preset_measure.id == "SMD" for one in fitted)
    text += "model" + " of exact Hedges g" * hedges + " [three_level]"
    if modelled:
        text += ", with sampling covariances modelled where animals are shared"
    if repeats:
        rho = covariance.__kwdefaults__["rho"]
        text += f" (repeated measurements of the same animals taken to correlate by ρ = {rho:g})"
    robust = [analysis for analysis in fitted if analysis.robust is not None]
    plain = [analysis for analysis in fitted if analysis.robust is None]
    if robust:
        text += f"; its inference is cluster-robust (CR2){where(robust, fitted)} [cr2]"
    if plain:
        text += f"; with too few studies for CR2 it is by normal quantiles{where(plain, fitted)}"
    return f"{text}."


def _repeated(rows):
    """Whether animals are seen more than once: a cohort, or a control group on several days."""
    cohorts = rows["cohort"][rows["cohort"] != ""]
    known = rows[rows["control_group"] != ""]
    days = known.drop_duplicates(["control_group", "follow_up_days"])
    return bool(cohorts.duplicated().any() or days["control_group"].duplicated().any())


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
