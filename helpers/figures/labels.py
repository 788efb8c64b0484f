"""Short labels of rows, unique within a plot."""

from helpers.drawing.text import shorten, text_width

LONG = 1.2  # inches; ids that are wider lose the beginning that all of them share
HEAD = 6  # fewer shared characters are kept


def shared_head(names):
    """The beginning that all ids share, up to a hyphen or underscore; empty where all are short.

    Names with blanks ("Huang 2017") are no ids and keep everything.
    """
    names = [str(name) for name in names]
    if len(set(names)) < 2 or max(map(text_width, names)) <= LONG:
        return ""
    if any(" " in name for name in names):
        return ""
    first, last = min(names), max(names)  # what these share all others share
    pairs = enumerate(zip(first, last, strict=False))
    common = first[: next((at for at, (a, b) in pairs if a != b), len(first))]
    head = _words(common)
    if any(name[len(head) :][:1].isdigit() and _words(name[len(head) :]) for name in names):
        head = _words(head[:-1])  # "il-18-01" and "il-6-01" are no "18-01" and "6-01"
    return head if len(head) >= HEAD and all(len(name) > len(head) for name in names) else ""


def _words(text):
    """A text up to its last hyphen or underscore."""
    return text[: max(text.rfind("-"), text.rfind("_")) + 1]


def short(names):
    """Names without their shared beginning; equal ones get a number in their order.

    Returns
    -------
    labels : list of str
        "Huang 2017 (1)" and "Huang 2017 (2)" where a study has two rows.
    head : str
        What was left out in front of all of them.
    """
    head = shared_head(names)
    return numbered([str(name)[len(head) :] for name in names]), head


def cut(names, most):
    """Names of at most `most` inches.

    Where cutting would make different ones equal, their ends stay, or else they get numbers.
    """
    names = [str(name) for name in names]
    for tail in (0, 8, 4, 12):
        fitting = [shorten(name, most, tail=tail) for name in names]
        if len(set(fitting)) == len({" ".join(name.split()) for name in names}):
            return fitting
    room = text_width(f" ({len(fitting)})")
    return numbered([shorten(name, most - room, tail=8) for name in names])


def numbered(names):
    """Names, those that stand there twice with a number each: "a (1)", "a (2)"."""
    counts, seen, found = {}, {}, []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return found
