"""What nobody has confirmed yet: settings of `review.toml` by name, and in words."""

from helpers.problems import nearest
from helpers.review.schema import fault


def places(value, name=(), path=()):
    """All settings of a file: the parts of their names, and keys and numbers that lead there.

    What stands in a list is named by its id, with or without that of the list above.
    """
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*name, key), (*path, key)
            yield from places(part, (*name, key), (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from places(part, name, (*path, number))
            if isinstance(part, dict) and "id" in part:
                own = (*name, str(part["id"]))
                yield own, (*path, number)
                yield from places(part, own, (*path, number))


def at(value, path):
    """What stands at a place, None where nothing does."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def entries(config):
    """Settings of a file by their names, such as ``families.outcomes.il_6.better``."""
    for name, path in places(config):
        yield ".".join(name), at(config, path)


def in_words(name, there):
    """A setting and its value for a reader: "study is the column ArticleID"."""
    value, (place, _, last) = there[name], name.rpartition(".")
    words = last.replace("_", " ")
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = " and ".join(value)
    if place == "sheet.columns":
        return f"{words} is the column {value}"
    if place == "sheet.constants":
        return f"{words} is {value} in every row"
    if place == "sheet.values":
        return f"words for {words} are replaced"
    if isinstance(value, dict):
        read = (
            "" if place != "moderators" else "as categories" if "levels" in value else "as a number"
        )
        return f"{value.get('label', words)} {read}".strip()
    if isinstance(value, list):
        return words
    if place.startswith("families"):
        return f"{value} is {words} for {there[place].get('label', there[place]['id'])}"
    return f"{words} is {str(value).lower() if isinstance(value, bool) else value}"


def unknown(config):
    """Faults of `unconfirmed`: settings that `review.toml` does not have."""
    there = dict(entries(config))
    for name in config.get("unconfirmed", ()):
        if name not in there:
            remedy = f"{nearest(name, there)}, or take it out"
            yield fault("unconfirmed", "there is no such setting in this file", name, remedy)
