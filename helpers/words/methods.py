"""The methods section, written from the parameters that were really used, with citations."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from helpers import provenance
from helpers.analysis import animals
from helpers.analysis.measures import turned
from helpers.analysis.result import is_modelled
from helpers.analysis.settings import THREE_LEVEL
from helpers.analysis.small_study import LEAST, SIZE, TIME_LAG
from helpers.stats.mixed_model.sandwich import MIN_DF
from helpers.stats.shared_controls import covariance
from helpers.words import model, moderators
from helpers.words.model import where_true
from helpers.words.numbers import count, listing, was
from helpers.words.robustness import planning
from helpers.words.settings import (
    INTERVALS,
    METHODS,
    PREDICTIONS,
    VARIANCES,
    measure_words,
    restricted,
    whose,
)

SOURCES = {"Wan 2014": "wan", "Luo 2018": "luo"}  # named in the steps of a conversion
CITATIONS = {
    "SMD": "Hedges LV. J Educ Stat 1981;6:107-128. doi:10.3102/10769986006002107",
    "average": "Doncaster CP, Spake R. Methods Ecol Evol 2018;9:634-644. "
    "doi:10.1111/2041-210X.12927",
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
    "knapp": "Knapp G, Hartung J. Stat Med 2003;22:2693-2710. doi:10.1002/sim.1482",
    "holm": "Holm S. Scand J Stat 1979;6:65-70.",
    "galbraith": "Galbraith RF. Stat Med 1988;7:889-894. doi:10.1002/sim.4780070807",
    "doleman": "Doleman B et al. Res Synth Methods 2020;11:522-534. doi:10.1002/jrsm.1414",
    "pustejovsky": "Pustejovsky JE, Rodgers MA. Res Synth Methods 2019;10:57-71. "
    "doi:10.1002/jrsm.1332",
    "konstantopoulos": "Konstantopoulos S. Res Synth Methods 2011;2:61-76. doi:10.1002/jrsm.35",
    "three_level": "Van den Noortgate W et al. Behav Res Methods 2013;45:576-594. "
    "doi:10.3758/s13428-012-0261-6",
    "gleser": "Gleser LJ, Olkin I. Stochastically dependent effect sizes. In: Cooper H, Hedges LV, "
    "Valentine JC, eds. The handbook of research synthesis and meta-analysis. 2nd ed. New York: "
    "Russell Sage Foundation; 2009:357-376.",
    "cr2": "Pustejovsky JE, Tipton E. J Bus Econ Stat 2018;36:672-683. "
    "doi:10.1080/07350015.2016.1247004",
    "che": "Pustejovsky JE, Tipton E. Prev Sci 2022;23:425-438. doi:10.1007/s11121-021-01246-3",
    "htz": "Tipton E, Pustejovsky JE. J Educ Behav Stat 2015;40:604-634. "
    "doi:10.3102/1076998615606099",
    "metafor": "Viechtbauer W. J Stat Softw 2010;36(3):1-48. doi:10.18637/jss.v036.i03",
    "nakagawa": "Nakagawa S, Santos ESA. Evol Ecol 2012;26:1253-1274. "
    "doi:10.1007/s10682-012-9555-5",
    "nakagawa_bias": "Nakagawa S et al. Methods Ecol Evol 2022;13:4-21. "
    "doi:10.1111/2041-210X.13724",
    "assurance": "O'Hagan A, Stevens JW, Campbell MJ. Pharm Stat 2005;4:187-201. "
    "doi:10.1002/pst.175",
    "r2": "Nakagawa S, Schielzeth H. Methods Ecol Evol 2013;4:133-142. "
    "doi:10.1111/j.2041-210x.2012.00261.x",
}


def methods_text(review, analyses, *, excluded=0, without_effect=0, tested=None, galbraith=()):
    """How the numbers of a report were made, ready to be pasted into a manuscript.

    Each clause, with its citation, stands there only if what it tells was done; it names outcomes
    where it is not true of all.

    Parameters
    ----------
    review : helpers.review.review.Review
    analyses : list of OutcomeAnalysis
        Of one report: the same settings lead in all of them.
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
    settings = analyses[0].settings
    used = [analysis.measure for analysis in analyses]
    start = [_outcomes(analyses), *_restricted(review, analyses)]
    start += [f"{measure_words(review, settings, used)}."]
    start += _turned(settings, analyses)
    if any(one.id != "own" for one in used):
        start += [*_conversions(review), _controls(review, settings, analyses)]
    modelled = [analysis for analysis in analyses if is_modelled(analysis.leading)]
    independent = [analysis for analysis in analyses if not is_modelled(analysis.leading)]
    parts = [
        " ".join(start),
        whose(review, analyses),
        model.of_pooling(modelled, len(analyses)),
        _pooling(settings, independent, len(analyses)),
        moderators.in_one_model(analyses, review.moderators),
        moderators.level_by_level(analyses, review.moderators),
        moderators.together(analyses),
        _exclusions(analyses, excluded, without_effect, galbraith),
        _small_study(tested or {}),
        planning.methods_words(analyses),
        _dependence(analyses),
        software_text(),
    ]
    return _numbered("\n\n".join(filter(None, parts)))


def _outcomes(analyses):
    labels = [analysis.outcome.label for analysis in analyses]
    if len(labels) == 1:
        return f"The outcome is {labels[0]}."
    return f"{count(len(labels), 'outcome')} were analysed, each by itself: {listing(labels)}."


def _restricted(review, analyses):
    """Which experiments were analysed, where these are not all."""
    text = restricted(review, [analysis.outcome.id for analysis in analyses])
    return [text] * bool(text)


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
    if review.sheet.control_n_is_split:
        return (
            "Sizes of control groups that several treated groups share were already divided in the "
            "sheet and were taken as they stand."
        )
    if not any((analysis.rows["control_group"] != "").any() for analysis in analyses):
        return "The sheet does not say which treated groups share a control group."
    if not any(_shared(analysis.rows) for analysis in analyses):
        return "No control group is shared by several treated groups in the sheet."
    if settings.split_controls:
        if not any((animals.share(one.rows) < one.rows["n_control"]).any() for one in analyses):
            return "No control group is shared by several treated groups on one day, to be divided."
        return "A control group that several treated groups share was divided among them."
    text = "A control group that several treated groups share counted in full for each of them"
    if any(one.model is not None and one.model.covariance == "modelled" for one in analyses):
        return f"{text}; that effects then covary is part of the model."
    return f"{text} in these effects."


def _shared(rows):
    """Whether different treated animals have one control group, on whatever days."""
    groups = {"control": animals.control_groups(rows), "cohort": animals.cohorts(rows)}
    return bool(pd.DataFrame(groups).drop_duplicates()["control"].duplicated().any())


def _pooling(settings, analyses, every):
    """How independent effects were pooled; what needs several only where there were.

    `every` is the number of all outcomes: where some are in the multilevel model, these are named.
    """
    if not analyses:
        return ""
    pooled = [analysis for analysis in analyses if analysis.leading.pooled]
    single = [analysis.outcome.label for analysis in analyses if not analysis.leading.pooled]
    alone = f"For {listing(single)} one experiment was at hand and nothing was pooled."
    level = f"{100 * settings.level:g}% confidence intervals use"
    if not pooled:
        return f"{alone} {level.capitalize()} normal quantiles."
    start = "Effects were"
    if len(analyses) < every:
        start = f"For {listing(one.outcome.label for one in pooled)}, effects were"
    if settings.method == "EE":
        text = f"{start} pooled under {METHODS['EE']}"
        prediction = "; a common effect has no prediction interval"
        i2 = "(Q − df)/Q"
    else:
        cited = settings.method if settings.method in CITATIONS else "REML"
        text = (
            f"{start} pooled under a random-effects model whose between-experiment variance "
            f"τ² was estimated by {METHODS[settings.method]} [{cited}]"
        )
        source = "riley" if settings.prediction == "riley" else "prediction"
        prediction = ""
        if any(analysis.leading.k > 2 for analysis in pooled):
            prediction = f", and prediction intervals {PREDICTIONS[settings.prediction]} [{source}]"
        i2 = "τ²/(τ² + s²), s² the typical variance"
    knapp = "" if settings.interval == "z" else " [hksj]"
    parts = [
        f"{text}; {level} {INTERVALS[settings.interval]}{knapp}{prediction}.",
        _as_independent(pooled),
        "Heterogeneity is described by Cochran's Q with fixed weights, by τ² and by I² as "
        f"{i2} [i2].",
        alone if single else "",
    ]
    return " ".join(filter(None, parts))


def _as_independent(analyses):
    """Whether these effects are independent, or only taken as that."""
    together = [one for one in analyses if one.studies < len(one.rows)]
    if not together:
        return ""
    where = where_true(together, analyses)
    return f"Experiments of one study were taken as independent of each other{where}."


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
    ran = {
        name: found.tests for name, found in tested.items() if found.tests and not found.dependence
    }
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
    clustered = {name: found for name, found in tested.items() if found.tests and found.dependence}
    if clustered:
        parts.append(_clustered_small_study(clustered))
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


def _clustered_small_study(tested):
    """Tests of rows that depend on each other: which, on what, in which model, by what inference."""
    words = {
        SIZE: "the regression of effects on √(1/n₁ + 1/n₂) in the multilevel model [nakagawa_bias]",
        "Doleman": "the regression of Doleman, effects on baseline risk in the multilevel model and "
        "its residuals by least squares on inverse sample size [doleman]",
        TIME_LAG: "the regression of effects on the year of publication in that model (time lag) "
        "[nakagawa_bias]",
    }
    groups = {}
    for test, phrase in words.items():
        where = "; ".join(name for name, found in tested.items() if test in found.tests)
        groups.setdefault(where, []).append(phrase)
    phrases = [f"by {listing(said)} ({where})" for where, said in groups.items() if where]
    text = (
        "Because the standard error of a standardised mean difference contains the effect itself "
        "and experiments of one study depend on each other, small-study effects were tested "
        f"{'; '.join(phrases)}."
    )
    across = [name for name, found in tested.items() if found.dependence == "study"]
    if across:
        text += (
            f" For several outcomes together ({'; '.join(across)}) that model has random effects "
            "of study and experiment and independent sampling errors."
        )
    ran = [test for found in tested.values() for test in found.tests.values()]
    if any(test.options["test"] == "cr2" and not np.isnan(test.p) for test in ran):
        text += (
            " Tests are cluster-robust (CR2) t tests with Satterthwaite degrees of freedom [cr2]"
        )
        contained = [test for test in ran if test.options["test"] == "contain"]
        if contained:
            text += "; slopes for which CR2 could not be used have containment degrees of freedom"
        text += "."
    elif any(test.options["test"] == "contain" for test in ran):
        text += " Tests are t tests with containment degrees of freedom."
    if any(np.isnan(test.p) for test in ran):
        text += f" With fewer than {MIN_DF} degrees of freedom Doleman's has no p."
    if any(found.power is not None for found in tested.values()):
        text += (
            " How often the tests on sample size would see a suppression of results that are not "
            "significant was simulated for the group sizes and clusters at hand."
        )
    return text


def _dependence(analyses):
    """The three-level model beside the leading results, and the inference on it, where fitted."""
    fitted = [analysis for analysis in analyses if analysis.three_level is not None]
    if not fitted:
        return ""

    modelled = [one for one in fitted if isinstance(one.three_level.covariance, list)]
    repeats = [one for one in modelled if _repeated(one.rows)]
    start = "Dependence of experiments of one study was modelled"
    if any(is_modelled(one.leading) for one in analyses):
        start = "For comparison dependence of experiments of one study was also modelled"
    text = f"{start}{where_true(fitted, analyses)} by a three-level model"
    if all(one.preset_measure.id == "SMD" for one in fitted):
        text += f" of exact Hedges g with the variance {VARIANCES[THREE_LEVEL.variance]}"
    text += " [three_level]"
    if modelled:
        text += ", with sampling covariances modelled where animals are shared"
    if repeats:
        rho = covariance.__kwdefaults__["rho"]
        text += f" (repeated measurements of the same animals taken to correlate by ρ = {rho:g})"
    robust = [analysis for analysis in fitted if analysis.robust is not None]
    plain = [analysis for analysis in fitted if analysis.robust is None]
    if robust:
        text += f"; its inference is cluster-robust (CR2){where_true(robust, fitted)} [cr2]"
    if plain:
        text += (
            f"; with too few studies for CR2 it is by normal quantiles{where_true(plain, fitted)}"
        )
    return f"{text}."


def _repeated(rows):
    """Whether animals are seen more than once: a cohort, or a control group on several days."""
    cohorts = rows["cohort"][rows["cohort"] != ""]
    known = rows[rows["control_group"] != ""]
    days = known.drop_duplicates(["control_group", "follow_up_days"])
    return bool(cohorts.duplicated().any() or days["control_group"].duplicated().any())


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
