"""What a reader must know before the numbers: found, graded, said in a sentence."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import pandas as pd

from helpers.analysis.measures import UNNAMED, turned
from helpers.analysis.result import is_modelled
from helpers.problems import grouped
from helpers.review.check import EXTREME, guessed
from helpers.stats.pooling import critical
from helpers.words.numbers import (
    chance,
    count,
    effect,
    effect_digits,
    effect_interval,
    excludes_zero,
    level_name,
    listing,
    number,
    p_phrase,
    variance_text,
)
from helpers.words.sentences import ALPHA, MANY, opposite
from helpers.words.tables import preset_names

FEW = 5


def of_review(review, outcomes, without_rows=()):
    """Alerts about the sheet: what is odd in the rows of these outcomes, or in no single row.

    Returns
    -------
    list of dict
        ``severity, text`` and, where there is more to say, ``detail``.
    """
    here = review.experiments["outcome"].isin(set(outcomes)) & review.inside
    elsewhere = set(review.keys[~here])
    odd = [finding for finding in review.warnings if finding.key not in elsewhere]
    found = [_unconfirmed(guessed(review.description))] if review.unconfirmed else []
    if odd:
        found.append(
            {
                "severity": "warning",
                "text": f"{count(len(odd), 'odd value')} in the sheet; nothing was changed or left "
                "out because of them.",
                "detail": "\n\n".join(grouped(odd)),
            }
        )
    if without_rows:
        labels = [review.outcomes[name].label for name in without_rows]
        found.append({"severity": "note", "text": f"The sheet has no row of {listing(labels)}."})
    return found


def _unconfirmed(guesses):
    """What is still a guess; folded, the command that confirms each."""
    few, many = "; ".join(words for words, _ in guesses), count(len(guesses), "setting")
    return {
        "severity": "warning",
        "text": "Guessed when the sheet was first read, not yet confirmed by a person: "
        + (f"{few}." if len(guesses) <= MANY else f"{many} of review.toml."),
        "detail": "\n\n".join(
            ["To confirm that", *(f"{words}: {command}" for words, command in guesses)]
        ),
    }


def of_outcomes(analyses, rebuilds=True):
    """Alerts about outcomes, each kind of trouble once with all outcomes that have it.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis
    rebuilds : bool
        Whether the review rebuilds an article; without one nothing is called the article's.

    Returns
    -------
    list of dict
    """
    names = preset_names(rebuilds)
    kinds = (
        ("warning", partial(_depends, names=names), "The conclusion depends on how it is computed"),
        (
            "warning",
            partial(_moves, names=names),
            "The size of the effect depends on how it is computed",
        ),
        (
            "warning",
            _mixed,
            "Rows of an outcome have effects of different kinds, which are pooled all the same",
        ),
        (
            "note",
            _unnamed,
            "Effects stand in the sheet without a name (say what they are by `effect_name` in "
            "review.toml)",
        ),
        (
            "note",
            _turned,
            "The direction of effects was reversed as `sign` in the sheet, or the scale of a row, says "
            "(multiplied by −1, a ratio inverted): there a positive effect or a ratio above 1 is a "
            "lower value in the animals",
        ),
        ("warning", _extreme, f"Effects beyond ±{EXTREME} SDs (do SEMs stand where SDs are due?)"),
        ("warning", _few, f"Fewer than {FEW} experiments, so the interval is unreliable"),
        (
            "warning",
            _one_study,
            "All experiments come from one study, so no interval predicts what another would find",
        ),
        (
            "warning",
            _without_effect,
            "Experiments without an effect by these settings were left out, each listed with its "
            "reason",
        ),
        (
            "note",
            _thin,
            "A level of a moderator has only one experiment or one study; it is shown but not "
            "tested",
        ),
        (
            "warning",
            _dependence,
            "Experiments of one study are not independent, which is taken into account only in part",
        ),
        ("note", _of_model, "The multilevel model of an outcome differs from that asked for"),
        (
            "warning",
            _homogeneous,
            "I² is 0 although the p-value of Q is below 0.05, so it does not show homogeneity",
        ),
        ("note", _outside, "τ² lies outside its own Q-profile interval, so its size is uncertain"),
        (
            "note",
            _narrow,
            "The Hartung-Knapp interval is narrower than the normal one, because the effects happen "
            "to be similar",
        ),
        (
            "note",
            _spread,
            "The confidence interval excludes no effect but the prediction interval includes it. In "
            "brackets: the interval, and the probability that the true effect of a new experiment "
            "lies on the other side (from the prediction distribution)",
        ),
        ("note", _left_out, "Experiments were left out"),
    )  # fmt: skip
    found = []
    for severity, look, words in kinds:
        seen = {analysis.outcome.label: look(analysis) for analysis in analyses}
        named = [f"{label} ({said})" for label, said in seen.items() if said]
        if len(named) > MANY:
            text = f"{words}: {count(len(named), 'outcome')}."
            found.append({"severity": severity, "text": text, "detail": f"{listing(named)}."})
        elif named:
            found.append({"severity": severity, "text": f"{words}: {listing(named)}."})
    return found


def of_not_analysed(review, not_analysed):
    """Alerts about outcomes of which no experiment has an effect by the settings."""
    return [
        {"severity": "warning", "text": f"{review.outcomes[name].label}: {error}."}
        for name, error in not_analysed.items()
    ]


def assumed(review, printed):
    """Outcomes of a reconstructed review whose number of experiments is assumed.

    `printed` is the table of `helpers.article.tables.pooled`; k is assumed where it prints none, and no
    table of subgroups adds up to it.

    Returns
    -------
    tuple of str
        Ids of outcomes.
    """
    if review.evidence["kind"] != "reconstructed":
        return ()
    told = set(review.facts("published_subgroups.csv").get("outcome_id", ()))
    unknown = printed.index[printed["k"].isna()] if len(printed) else ()
    return tuple(name for name in review.outcomes if name in unknown and name not in told)


def of_assumptions(review, outcomes, known):
    """What in a reconstructed sheet is assumed and must carry no verdict: k where none is printed.

    `known` are the ids of `assumed`.
    """
    unknown = [review.outcomes[name].label for name in outcomes if name in known]
    if not unknown:
        return []
    return [
        {
            "severity": "warning",
            "text": f"The number of experiments is not printed but assumed for "
            f"{count(len(unknown), 'outcome')}; τ², I², prediction and Hartung-Knapp intervals and "
            "tests depend on it and are not findings there.",
            "detail": f"{listing(unknown)}.",
        }
    ]


def _results(analysis, names):
    """The results that a reader may choose from, by name; those of another measure are no rivals."""
    of = {
        "chosen": (analysis.leading, analysis.measure),
        "article": (analysis.article, analysis.preset_measure),
        "recommended": (analysis.recommended, analysis.recommended_measure),
        "three_level": (analysis.robust or analysis.three_level, analysis.preset_measure),
    }
    words = {key: name[0].lower() + name[1:] for key, name in names.items()}
    order = dict.fromkeys([analysis.leading_is, *of])
    if analysis.leading_is != "chosen":
        order.pop("chosen")
    return {
        words[key]: of[key][0]
        for key in order
        if of[key][0] is not None and of[key][1].label == analysis.measure.label
    }


def _depends(analysis, names):
    """Results that draw another conclusion about zero than the first of them does."""
    results = _results(analysis, names)
    name, first = next(iter(results.items()))
    if not analysis.leading.pooled:
        return ""
    own = excludes_zero(first)
    flipped = [words for words, one in results.items() if excludes_zero(one) != own]
    if not flipped:
        return ""
    return (
        f"by the {name} the {level_name(first.level)} {'excludes' if own else 'includes'} "
        f"{analysis.measure.null}, by the {listing(flipped)} it does not"
    )


def _moves(analysis, names):
    """The two results furthest apart, where that is more than half the wider interval."""
    if not analysis.leading.pooled:
        return ""
    far = []
    for (name, one), (other, two) in combinations(_results(analysis, names).items(), 2):
        wider = max(one.ci_high - one.ci_low, two.ci_high - two.ci_low)
        distance = abs(one.estimate - two.estimate)
        if distance > wider / 2:
            digits = effect_digits(one.ci_low, one.ci_high, analysis.measure)
            first, second = (effect(r.estimate, analysis.measure, digits) for r in (one, two))
            far.append((distance, f"{first} by the {name}, {second} by the {other}"))
    return max(far, key=lambda one: one[0])[1] if far else ""


def _dependence(analysis):
    """What the engine says against the model of dependence, or its inference, that was used."""
    if is_modelled(analysis.leading):
        return ""
    several = analysis.rows["study"].duplicated().any() and analysis.studies > 1
    if not several:
        return ""
    said = [getattr(analysis.three_level, "note", ""), getattr(analysis.robust, "warning", "")]
    if analysis.robust is None:
        said.append(analysis.three_level_note)
        if analysis.three_level is not None:
            said.append("the three-level model's interval is by z in place of CR2")
    return "; ".join(text.rstrip(".") for text in said if text)


def _of_model(analysis):
    """What the engine says of the multilevel model that leads."""
    return "; ".join(analysis.leading.warnings) if is_modelled(analysis.leading) else ""


def _homogeneous(analysis):
    """Results with a significant Q beside an I² that is printed as 0."""
    result = analysis.leading
    if not (result.p_heterogeneity < ALPHA and result.i2 < 0.05):
        return ""
    return f"Q({result.k - 1}) = {number(result.q)}, {p_phrase(result.p_heterogeneity)}"


def _outside(analysis):
    """τ² beside a Q-profile interval that does not hold it."""
    result = analysis.leading
    if not result.pooled or result.method == "EE" or is_modelled(result):
        return ""
    low, high = result.heterogeneity_interval()["tau2"]
    slack = 1e-6 * max(result.tau2, high)  # where they are equal but for rounding
    if low - slack <= result.tau2 <= high + slack:
        return ""
    return f"{variance_text(result.tau2)} beside [{variance_text(low)}, {variance_text(high)}]"


def _narrow(analysis):
    """Hartung-Knapp intervals narrower than the normal one of the same fit."""
    results = {"recommended": analysis.recommended, analysis.leading_is: analysis.leading}
    found = []
    for name, result in results.items():
        if result is None or is_modelled(result) or not result.pooled or result.interval == "z":
            continue
        plain = (1 / (result.variance + result.tau2)).sum() ** -0.5
        normal = 2 * critical(result.level) * plain
        if result.ci_high - result.ci_low < normal * (1 - 1e-9):
            width = result.ci_high - result.ci_low
            digits = effect_digits(result.ci_low, result.ci_high, analysis.measure)
            width, normal = (number(one, digits) for one in (width, normal))
            found.append(f"{name} settings: width {width} against {normal}")
    return listing(found) if found else ""


def _mixed(analysis):
    return analysis.measure.label if analysis.measure.id == "mixed" else ""


def _unnamed(analysis):
    return "as given" if UNNAMED in analysis.measure.label else ""


def _turned(analysis):
    which = turned(analysis.rows, analysis.settings.measure)
    if not which.any():
        return ""
    said = f"{which.sum()} of {len(analysis.rows)} experiments"
    on = dict.fromkeys(
        analysis.rows.get("outcome_scale", pd.Series("", analysis.rows.index))[which]
    )
    labels = [label for label in on if label and analysis.outcome.on(label).better != (
        analysis.outcome.better)]  # fmt: skip
    return said + (f", on {listing(labels)}" if labels else "")


def _extreme(analysis):
    sizes = analysis.effects["effect"].abs()
    beyond = sizes[sizes > EXTREME]
    if not analysis.measure.standardised or beyond.empty:
        return ""
    return f"{len(beyond)}, the largest {number(beyond.max())}"


def _few(analysis):
    return f"k = {analysis.leading.k}" if analysis.leading.k < FEW else ""


def _spread(analysis):
    result = analysis.leading
    if pd.isna(result.pi_low) or not excludes_zero(result) or result.pi_low * result.pi_high > 0:
        return ""
    span = effect_interval(result.pi_low, result.pi_high, analysis.measure)
    return f"{span}, {chance(opposite(result)[1])}"


def _one_study(analysis):
    return f"k = {analysis.leading.k}" if analysis.from_one_study else ""


def _without_effect(analysis):
    return str(len(analysis.undefined)) if len(analysis.undefined) else ""


def _thin(analysis):
    levels = [level for thin in analysis.thin_levels.values() for level in thin]
    return listing(levels) if levels else ""


def _left_out(analysis):
    return str(len(analysis.excluded)) if len(analysis.excluded) else ""
