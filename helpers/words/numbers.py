"""Numbers as text: one formatter for every number, interval, p and count that a person reads."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from helpers.analysis.measures import SMD

MINUS = "\u2212"


MOST_DIGITS = 8  # decimals beyond which a number is written as 1.2e−9


NOTHING = 1e-15  # what is nearer to no effect is a rounding error of the machine


def number(value, digits=2):
    """A number with a true minus sign; an en dash where there is none; never "−0.00"."""
    if value is None or pd.isna(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    size = abs(value)
    if size == 0 or (digits <= MOST_DIGITS and size < 1e9):
        text = f"{size:,.{min(digits, MOST_DIGITS)}f}"
    else:
        figures = min(max(1, digits + math.floor(math.log10(size))), 6)
        text = f"{size:.{figures}e}".replace("-", MINUS)
    return (MINUS if value < 0 and text.strip("0.,") else "") + text


def effect_digits(low, high, measure=SMD):
    """Decimals for effects with these intervals, one or many.

    SMDs have two. Other effects have as many as the middling half-width of their intervals needs
    for two figures, at least two, or one where the numbers are in the hundreds.
    """
    if measure.standardised:
        return 2
    low, high = (np.atleast_1d(np.asarray(bound, float)) for bound in (low, high))
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = (np.exp(bound) if measure.is_log else bound for bound in (low, high))
        half = (high - low) / 2
    half = half[np.isfinite(half) & (half > 0)]
    if not len(half):
        return 2
    middle = float(np.median(half))
    if middle < 0.02:
        return 1 - math.floor(math.log10(middle))
    return 1 if middle >= 1 and np.nanmedian(np.maximum(abs(low), abs(high))) >= 100 else 2


def effect(value, measure=SMD, digits=2):
    """One effect or bound as people read it.

    What is not the null value is never written as the null value, nor a ratio as 0: such a number
    has the decimals of its first figure.
    """
    shown = measure.shown(value)
    if shown is None or not math.isfinite(shown):
        return number(shown)
    for far in (shown - measure.null, shown):
        hidden = 0 < abs(far) < 0.5 * 10.0**-digits
        if hidden and abs(far) > NOTHING:
            digits = -math.floor(math.log10(abs(far)))
    return number(shown, digits)


def effect_interval(low, high, measure=SMD, digits=None):
    """An interval of effects in brackets."""
    digits = effect_digits(low, high, measure) if digits is None else digits
    return f"[{effect(low, measure, digits)}, {effect(high, measure, digits)}]"


def estimate_text(estimate, low, high, measure=SMD, digits=None):
    """An estimate with its interval in brackets: "2.31 [1.95, 2.66]"."""
    digits = effect_digits(low, high, measure) if digits is None else digits
    return f"{effect(estimate, measure, digits)} {effect_interval(low, high, measure, digits)}"


def variance_text(value, digits=2):
    """A variance such as τ², with more decimals where these would make 0.00 of it."""
    if value is not None and math.isfinite(value) and NOTHING < value < 0.5 * 10.0**-digits:
        digits = 1 - math.floor(math.log10(value))
    return number(value, digits)


def interval(low, high, digits=2):
    """An interval in brackets."""
    return f"[{number(low, digits)}, {number(high, digits)}]"


def p_value(p):
    """A p-value to three decimals; one that is neither 0 nor 1 is never printed as that."""
    if p is None or pd.isna(p):
        return "–"
    if p < 0.0005:
        return "<0.001"
    return ">0.999" if p >= 0.9995 else f"{p:.3f}"


def p_phrase(p):
    """A p-value after its letter: "p = 0.012", "p < 0.001"."""
    return told("p", p_value(p))


def percent(value, digits=1):
    """A percentage; one that is neither 0 nor 100 is never printed as that: "<0.1%"."""
    if value is None or pd.isna(value):
        return "–"
    least = 10.0**-digits
    if 0 < value <= least / 2:
        return f"<{least:.{digits}f}%"
    if 100 - least / 2 <= value < 100:
        return f">{100 - least:.{digits}f}%"
    return f"{value:.{digits}f}%"


def told(name, text):
    """A quantity and its value: "I² = 84.1%", "I² > 99.9%", "p < 0.001"."""
    return f"{name} {text[0]} {text[1:]}" if text[0] in "<>" else f"{name} = {text}"


def chance(probability):
    """A probability of at most a half as odds that a reader can picture: "about 1 in 20"."""
    if probability < 0.001:
        return "less than 1 in 1,000"
    if probability >= 0.275:  # between 1 in 4 and 1 in 2 only tenths come near enough
        return f"about {10 * probability:.0f} in 10"
    many = 1 / probability
    return f"about 1 in {float(f'{many:.2g}') if many > 10 else round(many):,.0f}"


def count(n, noun, plural=None):
    """A count with its noun: "1 experiment", "72 experiments"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def was(n):
    """The verb after a count: "was" or "were"."""
    return "was" if n == 1 else "were"


def listing(items):
    """Items as a phrase: "a, b and c"."""
    items = [str(item) for item in items]
    if not items:
        return "none"
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def level_name(level):
    """Name of an interval: "95% CI"."""
    return f"{100 * level:g}% CI"


def estimate_phrase(result, measure=SMD):
    """Estimate with interval and p: "SMD 2.31 (95% CI 1.95 to 2.66), p < 0.001"."""
    return f"{estimate_words(result, measure)}, {p_phrase(result.p_effect)}"


def estimate_words(result, measure=SMD):
    """Estimate with its measure and the level of its interval: "SMD 2.31 (95% CI 1.95 to 2.66)"."""
    digits = effect_digits(result.ci_low, result.ci_high, measure)
    value, low, high = (
        effect(one, measure, digits) for one in (result.estimate, result.ci_low, result.ci_high)
    )
    unit = {"": "", "%": "%"}.get(measure.unit, f" {measure.unit}")
    return f"{measure.name} {value}{unit} ({level_name(result.level)} {low} to {high})"


def direction(estimate, better):
    """On which side an estimate lies: "benefit", "harm" or "neither"."""
    if estimate == 0 or better not in ("higher", "lower"):
        return "neither"
    return "benefit" if (estimate > 0) == (better == "higher") else "harm"


def excludes_zero(result):
    """Whether the confidence interval excludes 0."""
    return result.ci_low > 0 or result.ci_high < 0
