"""The levels of a moderator as a sheet spells them: what is one level, and in which order."""

import re

PLURALS = {"mice": "mouse"}
NUMBERED = re.compile(r"([<>≤≥~=]*)\s*([-+]?\d*[.,]?\d+)")


def spelling(level):
    """What the spellings of one level share: all but case, spaces, a plural, an ending mark.

    Digits, signs, comparison marks and letters stay: 15 is not 1.5, ">60" not "60", "ApoE+/+" not
    "ApoE-/-", "C57BL/6J" not "C57BL/6N".
    """
    # A space parts two numbers ("1 5"), else it is only a way to write.
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", level.strip().rstrip(".,;: "))
    text = text.casefold()
    if not text.isalpha():
        return text
    word = PLURALS.get(text, text)
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def merge(cells):
    """Levels by their commonest spelling.

    Parameters
    ----------
    cells : pandas.Series of str
        Filled cells.

    Returns
    -------
    dict
        Each spelling in the sheet and the one that it is brought to.
    """
    first = {}
    for level in cells.value_counts().index:
        first.setdefault(spelling(level), level)
    return {level: first[spelling(level)] for level in cells.unique()}


def in_order(levels):
    """Levels that all begin with a number by that number, others as they come."""
    found = [NUMBERED.match(level) for level in levels]
    if not all(found):
        return list(levels)
    size = {
        match.string: (float(match[2].replace(",", ".")), ">" in match[1] or -("<" in match[1]))
        for match in found
    }
    return sorted(levels, key=size.get)
