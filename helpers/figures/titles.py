"""What the pointer shows of each experiment that is drawn as a dot."""

from helpers.words.numbers import effect as effect_text
from helpers.words.numbers import effect_digits


def row_labels(labels, k):
    """Labels as they are given, or else the numbers of the rows."""
    return [f"row {place + 1}" for place in range(k)] if labels is None else labels


def titles(labels, values):
    """Label and values of each experiment."""
    labels = row_labels(labels, len(values))
    return [f"{label}: {value}" for label, value in zip(labels, values, strict=True)]


def effect_texts(effect, se, measure):
    """Effects with their measure, their decimals by their standard errors."""
    digits = effect_digits(effect - 2 * se, effect + 2 * se, measure)
    return [f"{measure.name} {effect_text(e, measure, digits)}" for e in effect]
