"""What nobody has confirmed yet: settings of `review.toml` by name, and in words."""

from helpers.problems import nearest
from helpers.review.schema import fault


def entries(value, place=""):
    """Settings of a file by their names, such as ``families.outcomes.il_6.better``.

    What stands in a list is named by its id, with or without that of the list above.
    """
    if isinstance(value, dict):
        for name, part in value.items():
            where = f"{place}.{name}".lstrip(".")
            yield where, part
            yield from entries(part, where)
    elif isinstance(value, list):
        for part in value:
            yield from entries(part, place)
            if isinstance(part, dict) and "id" in part:
                yield f"{place}.{part['id']}", part
                yield from entries(part, f"{place}.{part['id']}")


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
