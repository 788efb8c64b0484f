"""What a reader must know before the numbers: found, graded, said in a sentence."""

from __future__ import annotations

import pandas as pd

from helpers.findings import grouped
from helpers.measures import UNNAMED
from helpers.wording import count, effect_interval, excludes_zero, listing, number

FEW = 5
EXTREME = 10
MANY = 8  # names in one sentence


def of_review(review, outcomes, without_rows=()):
    """Alerts about the sheet: what is odd in the rows of these outcomes, or in no single row.

    Returns
    -------
    list of dict
        ``severity, text`` and, where there is more to say, ``detail``.
    """
    rows = review.experiments
    elsewhere = set(rows["sheet_row"][~rows["outcome"].isin(set(outcomes))])
    odd = [finding for finding in review.warnings if finding.row not in elsewhere]
    found = [_unconfirmed(review.guesses)] if review.unconfirmed else []
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
    words = "Guessed when the sheet was first read, not yet confirmed by a person"
    if len(guesses) <= MANY:
        return {"severity": "warning", "text": f"{words}: {'; '.join(guesses)}."}
    text = f"{words}: {count(len(guesses), 'setting')} of review.toml."
    return {"severity": "warning", "text": text, "detail": f"{'; '.join(guesses)}."}


def of_outcomes(analyses):
    """Alerts about outcomes, each kind of trouble once with all outcomes that have it.

    Parameters
    ----------
    analyses : list of OutcomeAnalysis

    Returns
    -------
    list of dict
    """
    kinds = (
        ("warning", _depends, "The conclusion depends on how it is computed"),
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
        ("warning", _extreme, f"Effects beyond ±{EXTREME} SDs (do SEMs stand where SDs are due?)"),
        ("warning", _few, f"Fewer than {FEW} experiments, so the interval rests on very little"),
        ("warning", _one_study, "All experiments come from one study, so no interval tells what "
         "another study would find"),
        ("warning", _without_effect, "Experiments without an effect by these settings were left out, "
         "each listed with its reason"),
        ("note", _thin, "A level of a moderator rests on one experiment or one study; it is shown "
         "but not tested"),
        ("note", _spread, "The pooled interval leaves zero out, the prediction interval holds it"),
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


def of_assumptions(review, outcomes, printed):
    """What in a reconstructed sheet is assumed and must carry no verdict: k where none is printed.

    `printed` is the table of `helpers.published.pooled`.
    """
    if review.is_authentic:
        return []
    told = set(review.facts("published_subgroups.csv").get("outcome_id", ()))
    unknown = [
        review.outcomes[name].label
        for name in outcomes
        if name in printed.index and pd.isna(printed.loc[name, "k"]) and name not in told
    ]
    if not unknown:
        return []
    return [
        {
            "severity": "warning",
            "text": f"The number of experiments is not printed but assumed for "
            f"{count(len(unknown), 'outcome')}; what hangs on it (τ², I², prediction and "
            "Hartung-Knapp intervals, tests) is no finding there.",
            "detail": f"{listing(unknown)}.",
        }
    ]


def _depends(analysis):
    """Results that draw another conclusion about zero than the article's settings do."""
    if not analysis.article.pooled:
        return ""
    others = {
        "recommended settings": analysis.recommended,
        "three-level model": analysis.robust or analysis.three_level,
        "chosen settings": analysis.chosen,
    }
    own = excludes_zero(analysis.article)
    flipped = [words for words, one in others.items() if one and excludes_zero(one) != own]
    if not flipped:
        return ""
    return f"zero is {'inside' if own else 'outside'} the interval by the {listing(flipped)} only"


def _mixed(analysis):
    return analysis.measure.label if analysis.measure.id == "mixed" else ""


def _unnamed(analysis):
    return "as given" if UNNAMED in analysis.measure.label else ""


def _extreme(analysis):
    sizes = analysis.effects["effect"].abs()
    beyond = sizes[sizes > EXTREME]
    if not analysis.measure.standardised or beyond.empty:
        return ""
    return f"{len(beyond)}, the largest {number(beyond.max())}"


def _few(analysis):
    return f"k = {analysis.chosen.k}" if analysis.chosen.k < FEW else ""


def _spread(analysis):
    result = analysis.chosen
    if pd.isna(result.pi_low) or not excludes_zero(result) or result.pi_low * result.pi_high > 0:
        return ""
    return effect_interval(result.pi_low, result.pi_high, analysis.measure)


def _one_study(analysis):
    return f"k = {analysis.chosen.k}" if analysis.from_one_study else ""


def _without_effect(analysis):
    return str(len(analysis.undefined)) if len(analysis.undefined) else ""


def _thin(analysis):
    levels = [level for thin in analysis.thin_levels.values() for level in thin]
    return listing(levels) if levels else ""


def _left_out(analysis):
    return str(len(analysis.excluded)) if len(analysis.excluded) else ""
