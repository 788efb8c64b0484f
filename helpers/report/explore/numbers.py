"""What a choice gives: the engine's result, and what of it is drawn and told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from helpers.analysis.effects import effects, without_effect
from helpers.analysis.outcome import OutcomeAnalysis, analyse, scales_of_means
from helpers.analysis.selection.subset import select
from helpers.drawing.ticks import STEPS, RatioLocator
from helpers.figures import forest
from helpers.figures.forest_layout import measure_heading
from helpers.problems import Refused
from helpers.report.explore.state import asked_of
from helpers.report.forests import named_rows
from helpers.stats.pooling import critical, probability_below
from helpers.words import numbers, sentences
from helpers.words.settings import in_one_line
from helpers.words.tables import BOUNDS

# What becomes of a row: it is used; a person left it out here; its level is not kept; the review
# leaves it out; it has no effect by these settings.
USED, BY_HAND, BY_LEVEL, LISTED, UNDEFINED = "used", "hand", "level", "listed", "undefined"
INTERVALS = ("effect", "ci_low", "ci_high")


@dataclass(frozen=True, eq=False)
class Found:
    """What the engine gives for a choice.

    Attributes
    ----------
    choice : helpers.report.explore.state.Choice
    review : helpers.review.review.Review
        Of the experiments that the choice's levels keep.
    analysis : helpers.analysis.outcome.OutcomeAnalysis or None
        Its leading result is the choice's, whatever preset that is.
    fates : dict of str to (str, str)
        By experiment, in the sheet's order: one of `USED, BY_HAND, BY_LEVEL, LISTED, UNDEFINED`,
        and why it is left out.
    error : str
        Why there is no analysis; empty where there is one.
    """

    choice: object
    review: object
    analysis: OutcomeAnalysis | None
    fates: dict
    error: str = ""


def found(review, choice):
    """The result of a choice, by the engine of the reports.

    Parameters
    ----------
    review : helpers.review.review.Review
        Of all experiments.
    choice : helpers.report.explore.state.Choice

    Returns
    -------
    Found
    """
    part, analysis, error = review, None, ""
    try:
        part = subset_of(review, choice)
        settings, model = asked_of(choice, review)
        analysis = analyse(
            part,
            choice.outcome,
            chosen=settings,
            model=model,
            moderators=[],
            exclude=choice.exclude,
            beside=False,
        )
    except ValueError as refusal:
        error = str(refusal)
    return Found(choice, part, analysis, _fates(review, part, choice, analysis), error)


def subset_of(review, choice):
    """The review of the experiments that a choice's levels keep.

    Raises
    ------
    Refused
    """
    if none := [name for name, kept in choice.where.items() if not kept]:
        raise Refused(f"no level of {review.moderators[none[0]].label.lower()} is kept")
    return select(review, choice.where)


def _fates(review, part, choice, analysis):
    index = review.rows(choice.outcome).index
    fates = {name: (USED, "") for name in index}
    if analysis is not None:
        reasons = analysis.left_out["reason"]
        fates |= {name: (UNDEFINED, reasons[name]) for name in analysis.undefined.index}
    if part.subset is not None:
        outside = part.subset.reasons[index]
        fates |= {name: (BY_LEVEL, why) for name, why in outside[outside != ""].items()}
    fates |= {name: (BY_HAND, "left out here") for name in choice.exclude if name in fates}
    for name, reason, by in review.exclusions.itertuples(index=False):
        if name in fates:
            fates[name] = (LISTED, f"{reason} ({by})")
    return fates


def _outside(one):
    """Effects of the rows whose levels are not kept, as they would be if all rows were.

    None where means on several scales have no difference in common.
    """
    review, settings = replace(one.review, subset=None), one.analysis.settings
    rows = review.rows(one.choice.outcome)
    if one.review.subset is None or (settings.measure == "MD" and len(scales_of_means(rows)) > 1):
        return pd.DataFrame(columns=INTERVALS, dtype=float)
    split = review.sheet.control_n_is_split
    rows = rows[without_effect(rows, settings, controls_are_split=split) == ""]
    found = effects(rows, settings, controls_are_split=split)[~one.review.inside[rows.index]]
    half = critical(settings.level) * found["se"]
    return found.assign(ci_low=found["effect"] - half, ci_high=found["effect"] + half)


def outcome_rows(report, review, outcome):
    """The rows of an outcome as they are called: id, short label, whole name.

    Returns
    -------
    dict
        ``rows``, each with ``id, label, name`` in the order of the sheet; ``naming``, what is to be
        said of the labels.
    """
    rows = review.rows(outcome)
    named, said = named_rows(report, rows)
    columns = (rows.index, named["label"], named["name"])
    keys = ("id", "label", "name")
    listed = [dict(zip(keys, map(str, one), strict=True)) for one in zip(*columns, strict=True)]
    return {"rows": listed, "naming": said.strip()}


def drawn(one, reported):
    """What the forest plot of a choice shows.

    Parameters
    ----------
    one, reported : Found
        Of the choice, and of the report as it was opened.

    Returns
    -------
    dict
        Of the rows, in the order of `outcome_rows`: ``intervals`` (effect and bounds, None where
        there is no effect), ``texts``, ``weights`` (shares of 1, and ``shares`` as text), ``fates``
        and ``why``; ``scale`` of the axis and ``results`` below the rows.
    """
    rows = dict(
        zip(("fates", "why"), map(list, zip(*one.fates.values(), strict=True)), strict=True)
    )
    analysis = one.analysis
    if analysis is None:
        nothing, blank = [None] * len(one.fates), [""] * len(one.fates)
        return rows | {"intervals": nothing, "texts": blank, "weights": nothing, "shares": blank,
                       "scale": None, "results": []}  # fmt: skip
    measure = analysis.measure
    parts = [analysis.effects, analysis.left_out, _outside(one)]
    table = pd.concat([part[[*INTERVALS]] for part in parts]).reindex(one.fates).to_numpy(float)
    there = np.isfinite(table).all(axis=1)
    digits = numbers.effect_digits(analysis.effects["ci_low"], analysis.effects["ci_high"], measure)
    weights = analysis.effects["weight"].reindex(one.fates).tolist()
    results = _results(analysis, reported.analysis)
    return rows | {
        "intervals": [line if ok else None for line, ok in zip(table.tolist(), there, strict=True)],
        "texts": [
            numbers.estimate_text(*line, measure, digits) if ok else "–"
            for line, ok in zip(table.tolist(), there, strict=True)
        ],
        "weights": [None if np.isnan(weight) else weight for weight in weights],
        "shares": ["" if np.isnan(weight) else _share(weight) for weight in weights],
        "scale": _scale(one.review, measure, analysis.leading.level, table[there], results),
        "results": results,
    }


def _share(weight):
    return f"{numbers.number(100 * weight, 1)}%"


def _results(analysis, reported):
    """The pooled effect, its prediction interval and what the report has, from top to bottom."""
    measure, pooled = analysis.measure, forest.pooled_fields(analysis.leading)
    found = []
    if pooled:
        found.append(_bar("pooled", f"Pooled, k = {pooled['k']:,}", pooled, measure))
        if np.isfinite(pooled["pi_low"]):
            name, span = "Prediction interval", (pooled["pi_low"], pooled["pi_high"])
            text = numbers.effect_interval(*span, measure)
            found.append({"kind": "prediction", "name": name, "text": text, "at": [None, *span]})
    if reported is not None and (reported.measure.title, reported.measure.scale) == (
        measure.title, measure.scale
    ):  # fmt: skip
        before = forest.pooled_fields(reported.leading)
        if before:
            found.append(_bar("reported", "In the report", before, measure))
    return found


def _bar(kind, name, result, measure):
    at = [float(result[bound]) for bound in BOUNDS]
    return {"kind": kind, "name": name, "text": numbers.estimate_text(*at, measure), "at": at}


def _scale(review, measure, level, table, results):
    """The axis: its range, its ticks and what they say, its name, what lies on its sides."""
    bounds = [dict(zip(BOUNDS, one["at"], strict=True)) for one in results if one["at"][0]]
    around = [one["at"][1:] for one in results if one["kind"] == "prediction"]
    pooled = None
    if bounds and around:
        pooled = bounds[0] | dict(zip(("pi_low", "pi_high"), around[0], strict=True))
    low, high = forest.limits_of(table[:, 1], table[:, 2], bounds, pooled)
    sides = [f"favours {review.control}", f"favours {review.treated}"]
    sides = {"higher": sides, "lower": sides[::-1]}.get(measure.better)
    locator = RatioLocator() if measure.is_log else MaxNLocator(6, steps=STEPS)
    ticks = [at for at in map(float, locator.tick_values(low, high)) if low <= at <= high]
    return {
        "title": measure.title,
        "heading": measure_heading(measure, level),
        "sides": sides,
        "low": float(low),
        "high": float(high),
        "ticks": [[at, f"{measure.shown(at):g}".replace("-", numbers.MINUS)] for at in ticks],
    }


def told(report, one, reported):
    """What is said of a choice beside the report as it was opened.

    Returns
    -------
    dict
        ``was, now``: estimates with measure and interval; ``error``, why there is none;
        ``sentence``; ``flipped``, what became of the conclusion; ``left_out``, how many rows are
        not used and why; ``heads`` and ``table``, rows of name, was, now; ``settings``, phrases
        and whether they differ from the preset; ``warnings``. Empty where there is nothing to say.
    """
    before, analysis = _facts(reported.analysis), one.analysis
    words = dict.fromkeys(("now", "sentence", "flipped", "error"), "")
    words |= {"was": before.get("words", ""), "left_out": _left_out(one)}
    words |= {"heads": [], "table": [], "settings": [], "warnings": []}
    if analysis is None:
        return words | {"error": f"No result: {one.error.rstrip('.')}."}
    after, review = _facts(analysis), one.review
    assumed = one.choice.outcome in report.assumed
    verdict = sentences.verdict(
        analysis.leading, analysis.outcome, review.treated, analysis.measure, assumed=assumed
    )
    was = before.get("table", {})
    return words | {
        "now": after["words"],
        "sentence": verdict + sentences.evidence_mark(review),
        "flipped": _flipped(reported.analysis, analysis),
        "heads": [f"In the report{before.get('of', '')}", f"Now{after['of']}"],
        "table": [[name, was.get(name, "–"), now] for name, now in after["table"].items()],
        "settings": _settings(report, one),
        "warnings": list(getattr(analysis.leading, "warnings", ())),
    }


def _left_out(one):
    """How many of the outcome's rows are not used, by why: "Of 72 experiments 2 left out here"."""
    words = {BY_HAND: "left out here", BY_LEVEL: "left out by their levels",
             LISTED: "excluded by the review", UNDEFINED: "without an effect"}  # fmt: skip
    counts = Counter(fate for fate, _ in one.fates.values())
    parts = [f"{counts[kind]:,} {text}" for kind, text in words.items() if counts[kind]]
    of = numbers.count(len(one.fates), "experiment")
    return f"Of {of}: {numbers.listing(parts)}." if parts else f"All {of} are used."


def _facts(analysis):
    """An estimate in words and a column of numbers; nothing where there is no analysis."""
    if analysis is None:
        return {}
    result, measure = analysis.leading, analysis.measure
    has_prediction = result.pooled and np.isfinite(result.pi_low)
    below = numbers.percent(100 * probability_below(result)) if has_prediction else "–"
    animals = f"{analysis.animals:,}" if analysis.animals else "–"
    return {
        "words": numbers.estimate_words(result, measure),
        "of": f": {measure.title}",
        "table": {
            "Experiments (studies)": f"{result.k:,} ({analysis.studies:,})",
            "Animals": animals,
            "Effect": numbers.estimate_text(*(getattr(result, name) for name in BOUNDS), measure),
            "p": numbers.p_value(result.p_effect) if result.pooled else "–",
            "Prediction interval": (
                numbers.effect_interval(result.pi_low, result.pi_high, measure)
                if has_prediction
                else "–"
            ),
            "P(true effect below none)": below,
            "I²": numbers.percent(result.i2) if result.pooled else "–",
            "τ²": numbers.variance_text(result.tau2) if result.pooled else "–",
        },
    }


def _flipped(before, after):
    """Whether the interval excludes no effect now and did not in the report, or the other way."""
    if before is None or not (before.leading.pooled and after.leading.pooled):
        return ""
    kinds = [_side(one.leading) for one in (before, after)]
    if kinds[0] == kinds[1]:
        return ""
    was, now = (_interval(one) for one in (before, after))
    return f"The conclusion changes: the {now}; in the report the {was}."


def _side(result):
    return numbers.excludes_zero(result) and np.sign(result.estimate)


def _interval(analysis):
    result, null = analysis.leading, analysis.measure.null
    name = numbers.level_name(result.level)
    if not numbers.excludes_zero(result):
        return f"{name} includes {null}"
    return f"{name} lies {'above' if result.estimate > 0 else 'below'} {null}"


def _settings(report, one):
    """The settings of a choice in short phrases, each with whether it differs from the preset."""
    settings, model = asked_of(one.choice, one.review)
    if one.choice.preset == "chosen":
        phrases = in_one_line(settings, model, [one.analysis], report.rebuilds)
    else:
        phrases = in_one_line(None, model, [one.analysis], one.choice.preset == "article")
    first, *others = phrases
    phrases = [(f"{first[0][:1].upper()}{first[0][1:]}", first[1]), *others]
    subset = one.review.subset
    return ([] if subset is None else [(f"Only {subset.words}", True)]) + phrases
