"""Specification curves in words: what was decided, what follows, what is only shown and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.analysis.robustness.choices import BAND, DECIDED, RESTORED
from helpers.analysis.robustness.factorial import INDEPENDENT, MULTILEVEL
from helpers.words.numbers import (
    count,
    effect,
    effect_digits,
    effect_interval,
    level_name,
    listing,
    percent,
)
from helpers.words.sentences import favouring

DECISIONS = {
    "measure": "Measure", "correction": "Small-sample factor", "variance": "Sampling variance",
    "model": "Model", "rho": "ρ", "test": "Test", "controls": "Shared controls", "method": "τ²",
    "interval": "Interval", "outliers": "Outliers", "follow_up": "Follow-up",
    "risk_of_bias": "Risk of bias",
}  # fmt: skip
CHOICES = {
    "correction": {"none": "none"},
    "variance": {
        "average": "at the average SMD", "stata": "as in Stata", "metafor": "as in metafor",
        "revman": "as in RevMan", "unbiased": "unbiased", "separate": "each group's SD",
        "pooled": "pooled SDs", "delta": "delta method", "conventional": "conventional",
    },
    "model": {MULTILEVEL: "multilevel", INDEPENDENT: "independent rows"},
    "test": {"cr2": "CR2", "contain": "containment df"},
    "controls": {"full": "in full", "divided": "divided"},
    "method": {"EE": "common effect"},
    "interval": {"hksj_truncated": "Hartung-Knapp, ≥ z", "hksj": "Hartung-Knapp", "z": "normal (z)"},
    "outliers": {DECIDED: "as decided", RESTORED: "restored", BAND: "outside band out"},
    "follow_up": {"all": "all days", "last": "last day", "first": "first day"},
    "risk_of_bias": {"all": "any", "not high": "none high", "low": "all low"},
}  # fmt: skip
SIDES = ("benefit", "harm", "above", "below", "includes")
BY_BETTER = {"higher": ("benefit", "harm"), "lower": ("harm", "benefit")}  # above 0, below it
LEAST, NAMED = 5, 3  # percent of the spread that is named, and how many decisions are
INTERPLAY = "interplay"
SOURCES = (
    "Simonsohn et al. 2020, doi:10.1038/s41562-020-0912-z; Steegen et al. 2016, "
    "doi:10.1177/1745691616658637; Voracek et al. 2019, doi:10.1027/2151-2604/a000357"
)


def noun(decision):
    """A decision within a sentence."""
    word = DECISIONS.get(decision, decision)
    return word if decision in ("rho", "method") else word.lower()


def choice(decision, value, measures=None):
    """One choice in words."""
    if decision == "measure" and measures:
        return measures[value].name
    word = CHOICES.get(decision, {}).get(value, value)
    return f"{word:g}" if isinstance(word, float) else str(word)


def conclusions(table, measures):
    """What each specification says: "benefit", "harm", "includes", or an empty text without one.

    Where neither side is benefit "above" and "below" the null value stand for them.
    """
    low, high = (table[name].to_numpy(float) for name in ("ci_low", "ci_high"))
    side = {name: BY_BETTER.get(one.better, ("above", "below")) for name, one in measures.items()}
    measure = table["measure"].to_numpy(object)
    said = np.full(len(table), "includes", object)
    for place, beyond in enumerate((low > 0, high < 0)):
        said[beyond] = [side[name][place] for name in measure[beyond]]
    said[table["reason"].to_numpy(object) != ""] = ""
    return said


def counts(found):
    """Conclusions counted, a row a measure and whether its specifications are principled.

    Parameters
    ----------
    found : helpers.analysis.robustness.specifications.Specifications

    Returns
    -------
    pandas.DataFrame
        ``measure, principled, specifications, benefit, harm, above, below, includes, none`` (without
        a result), the ends of all estimates ``low, high``, of all intervals ``ci_low, ci_high``, and
        ``k_low, k_high``.
    """
    table, said = found.table, conclusions(found.table, found.measures)
    own = table["principled"].to_numpy(bool), table["measure"].to_numpy(object)
    k, estimate, ci_low, ci_high = (
        table[name].to_numpy(float) for name in ("k", "estimate", "ci_low", "ci_high")
    )
    ends = (
        ("low", estimate, np.min, np.inf), ("high", estimate, np.max, -np.inf),
        ("ci_low", ci_low, np.min, np.inf), ("ci_high", ci_high, np.max, -np.inf),
    )  # fmt: skip
    rows = []
    for principled in (True, False):
        for measure in found.measures:
            part = (own[0] == principled) & (own[1] == measure)
            if part.any():
                known = (said[part] != "").any()
                rows.append({
                    "measure": measure, "principled": principled, "specifications": part.sum(),
                    **{name: (said[part] == name).sum() for name in SIDES},
                    "none": (said[part] == "").sum(),
                    **{name: how(values[part & (said != "")], initial=start) if known else np.nan
                       for name, values, how, start in ends},
                    "k_low": k[part].min(), "k_high": k[part].max(),
                })  # fmt: skip
    return pd.DataFrame(rows)


def side(name, treated, null=0):
    """What a conclusion is called."""
    if name in ("above", "below"):
        return f"lies {name} {null}"
    said = "includes" if name == "includes" else "excludes"
    return f"{said} {null} {favouring(name, treated)}".strip()


def sentence(found, counted, review, *, label, assumed=False):
    """How many specifications there are, and what the principled and the others conclude.

    Parameters
    ----------
    found : helpers.analysis.robustness.specifications.Specifications
    counted : pandas.DataFrame
        Of `counts`.
    review : helpers.review.review.Review
    label : str
        Of the outcome.
    assumed : bool
        Whether the number of experiments is assumed; whoever copies the text copies that.
    """
    fits = f" ({count(found.fits, 'multilevel fit')} among them)" if found.fits else ""
    parts = [
        f"{label}, specification curve: {counted['specifications'].sum():,} of "
        f"{count(found.of, 'specification')} computed{fits}."
    ]
    level, head = level_name(found.level), "Of"
    for principled, words in ((True, "equally principled"), (False, "only shown")):
        part = counted[counted["principled"] == principled]
        n = part["specifications"].sum() - part["none"].sum()
        told = [
            f"{side(name, review.treated)} in {part[name].sum():,} "
            f"({percent(100 * part[name].sum() / n, 0)})"
            for name in SIDES
            if part[name].sum()
        ]
        if told:
            parts.append(f"{head} {n:,} that are {words} the {level} {listing(told)}.")
            head = "Apart from these, of"
        else:
            parts.append(f"None that has a result is {words}.")
    if none := counted["none"].sum():
        parts.append(f"{none:,} {'has' if none == 1 else 'have'} no result.")
    parts.append(_of_leading(found))
    if assumed:
        parts.append("All depend on the assumed number of experiments and are not findings.")
    if not review.is_authentic:
        parts.append(f"The data are {review.evidence['kind']}.")
    return " ".join(parts)


def _of_leading(found):
    """Whether the leading analysis is principled, and by which of its choices it is not."""
    leading = found.table[found.table["leading"]].iloc[0]
    if leading["principled"]:
        return "The leading analysis is one of the principled."
    faults = [
        choice(name, leading[name], found.measures)
        if name in ("measure", "model") else f"{noun(name)} {choice(name, leading[name])}"
        for name in DECISIONS if not found.choices.principled(name, leading[name])
    ]  # fmt: skip
    return f"The leading analysis is only shown ({'; '.join(faults)})."


def shown_table(found, counted, treated):
    """The counts as a reader sees them."""
    rows = []
    used = [name for name in SIDES if counted[name].any() or name == "includes"]
    for row in counted.to_dict("records"):
        measure = found.measures[row["measure"]]
        digits = effect_digits(row["ci_low"], row["ci_high"], measure)
        ends = [effect(row[end], measure, digits) for end in ("low", "high")]
        rows.append({
            "Specifications": f"{measure.title}: "
            f"{'equally principled' if row['principled'] else 'only shown'}",
            "Number": row["specifications"],
            **{f"{level_name(found.level)} {side(name, treated)}": row[name]
               for name in used},
            "Estimates": " to ".join(dict.fromkeys(ends)),
            "k": f"{row['k_low']:.0f}" + (
                f" to {row['k_high']:.0f}" if row["k_high"] > row["k_low"] else ""),
            "Share of the spread": "–" if len({*ends}) < 2 else _spread(found, row),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _spread(found, row):
    """Which decisions part the estimates most."""
    by_model = {}
    for one in found.explained:
        if (one.measure, one.principled) == (row["measure"], row["principled"]):
            by_model.setdefault(one.model, []).append(one)
    parts = []
    for model, shares in by_model.items():
        most = sorted((one for one in shares if one.share >= LEAST), key=lambda one: -one.share)
        told = ", ".join(f"{noun(one.decision)} {percent(one.share, 0)}" for one in most[:NAMED])
        if told:
            parts.append(f"{CHOICES['model'][model]}: {told}" if len(by_model) > 1 else told)
    return "; ".join(parts) or "–"


def reasons(found):
    """What is only shown, and why; what is no choice here, and why."""
    by_reason = {}
    for (decision, value), why in found.choices.shown.items():
        if (found.table[decision] == value).any():
            name = choice(decision, value, found.measures)
            by_reason.setdefault((decision, why), []).append(name)
    told = [
        f"{DECISIONS[decision]} {listing(names)}: {why}"
        for (decision, why), names in by_reason.items()
    ]
    text = f"Only shown, and why. {'. '.join(told)}." if told else ""
    if found.choices.not_possible:
        text += f" No choice here. {'. '.join(found.choices.not_possible)}."
    failed = found.table.loc[found.table["reason"] != "", "reason"]
    if len(failed):
        text += f" No result: {'; '.join(dict.fromkeys(failed))}."
    return f"{text} A specification curve, or multiverse, is described by {SOURCES}.".strip()


def leading_text(found):
    """The leading analysis: its estimate with interval."""
    row = found.table[found.table["leading"]].iloc[0]
    measure = found.measures[row["measure"]]
    digits = effect_digits(row["ci_low"], row["ci_high"], measure)
    span = effect_interval(row["ci_low"], row["ci_high"], measure, digits)
    return f"{measure.name} {effect(row['estimate'], measure, digits)} {span}"
