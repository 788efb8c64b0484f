"""Settings of `review.toml` changed or confirmed one by one; all else in the file stays as it is."""

import copy
import re
import tempfile
import tomllib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from helpers.problems import ReviewError, nearest
from helpers.review.description import describe, find_folder
from helpers.review.guesses import at, places
from helpers.review.schema import CELL, FILL_IN, REVIEW, SHEET, fault, misfits, parsed
from helpers.writing import replace_file

# A key as TOML writes it, but that a bare part may hold any letter and blanks within.
PART = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[^."'=\s](?:[^.=]*[^.=\s])?""")
PLAIN_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d+)?")


@dataclass(frozen=True)
class Change:
    """What became of one setting.

    Attributes
    ----------
    setting : str
        Its name, such as ``sheet.columns.study``.
    before, now : object
        What stood there and what stands there now, None where nothing does.
    confirmed : bool
        Whether it was taken out of `unconfirmed`.
    """

    setting: str
    before: object
    now: object
    confirmed: bool

    def __str__(self):
        was, now = (as_toml(value) for value in (self.before, self.now))
        line = f"{self.setting} {'was taken out' if self.now is None else f'= {now}'}"
        if self.before is None:
            line += " (was not set)"
        elif self.before != self.now:
            line += f" (was {was})"
        else:
            line += " as before"
        return line + ", confirmed" * self.confirmed


def edit(folder, settings=(), confirm=(), remove=()):
    """Change settings of a review and take them out of `unconfirmed`.

    Parameters
    ----------
    folder : str or Path, optional
        Folder of the review; by default the project's own.
    settings : list of str
        ``KEY=VALUE`` sets, ``KEY`` confirms what stands there. A key is called as in `unconfirmed`,
        a part of it with a dot or ``=`` in it stands in quotation marks; a value is TOML, or a
        text as it stands.
    confirm, remove : list of str
        Keys to confirm; keys to take out of the file.

    Returns
    -------
    list of Change

    Raises
    ------
    ReviewError
        With every fault; nothing is written then.
    """
    folder = find_folder(folder)
    path = (folder / "review.toml").resolve()
    text, config = _read(path)
    new, changes, faults, seen = text, [], [], set()
    keys = {*confirm, *remove}
    for given in (*settings, *confirm, *remove):
        try:
            parts, value = _parts(given)
            if value is not None and given in keys:
                raise _refusal(".".join(parts), "a key alone is due here", "Leave = and value out")
            if (place := _place(parts, config)) in seen:
                raise _refusal(".".join(parts), "this setting is given twice")
            seen.add(place)
            new, change = _one(new, parts, value, given in remove)
            changes.append(change)
        except ReviewError as error:
            faults += error.findings
    faults += [] if faults else _new_faults(text, new)
    if faults:
        raise ReviewError(faults)
    if new != text:
        replace_file(path, new.encode("utf-8"))
    return changes


def as_toml(value, width=60):
    """A value as TOML writes it on one line, cut where it is long."""
    text = " ".join(tomlkit.item(value).as_string().split()) if value is not None else ""
    if isinstance(value, dict):
        text = "{ " + ", ".join(f"{key} = {as_toml(part)}" for key, part in value.items()) + " }"
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        text = f"[{', '.join(map(as_toml, value))}]"
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _read(path):
    content = path.read_bytes()
    config = parsed(content)
    return content.decode(), config


def _refusal(place, what, remedy="Write it anew", value=None):
    return ReviewError([fault(place, what, value, remedy)])


# ---------------------------------------------------------------------- keys


def _parts(given):
    """The parts of a key, and the text behind its ``=``; None where there is none."""
    place, parts = 0, []
    while match := PART.match(given, place):
        part, place = match[0], match.end()
        parts.append(tomllib.loads(f"x = {part}")["x"] if part[0] in "\"'" else part)
        place += len(given[place:]) - len(given[place:].lstrip())
        if given[place : place + 1] != ".":
            break
        place += 1
    rest = given[place:]
    if not parts or rest[:1] not in ("", "="):
        what = "this is no KEY=VALUE"
        remedy = 'Write it like sheet.columns.study="Paper"; a part with a dot stands in quotes'
        raise _refusal(None, what, remedy, given)
    return tuple(parts), rest[1:].strip() if rest else None


def _place(parts, config):
    """Where a setting stands, or would stand, as keys and numbers in lists."""
    every = list(places(config))
    joined = ".".join(parts)
    # A name in `unconfirmed` has no quotation marks.
    found = {path for name, path in every if name == parts or ".".join(name) == joined}
    if len(found) > 1:
        alone = Counter(name for name, _ in every)
        clear = {p: ".".join(name) for name, p in every if p in found and alone[name] == 1}
        remedy = f"Name one of {', '.join(clear.values())}" if clear else "Edit the file"
        raise _refusal(joined, "several entries are called so", remedy)
    if found:
        return found.pop()
    for length in range(len(parts) - 1, 0, -1):
        above = {path for name, path in every if name == parts[:length]}
        tables = {path for path in above if isinstance(at(config, path), dict)}
        if len(tables) == 1:
            return (*tables.pop(), *parts[length:])
        if above:
            where = ".".join(parts[:length])
            known = [".".join(n) for n, _ in every if ".".join(n).startswith(f"{where}.")]
            raise _refusal(joined, "there is no such setting", nearest(joined, known))
    return parts


# ---------------------------------------------------------------------- values


def _shape(path):
    """What `review.toml` may hold at a place, None where it may hold nothing."""
    shape = REVIEW
    for step in path:
        if isinstance(shape, list):
            shape = shape[0] if isinstance(step, int) else None
        elif isinstance(shape, dict):
            known = {name.removesuffix("!"): part for name, part in shape.items()}
            shape = known.get(step, known.get("*"))
        else:
            return None
    return shape


def _value(text, shape, name):
    """A value as it was typed: TOML where that is what is due, else the text itself."""
    if text == "" and shape is not SHEET["thousands"]:
        remedy = f"Write {name} alone to confirm what stands there"
        raise _refusal(name, "there is no value behind the =", remedy)
    try:
        value = tomlkit.value(text).unwrap()
    except (TOMLKitError, ValueError):
        value = text
        if text[:1] in ('"', "'"):
            remedy = f"Write it like {name}=\"'a text'\""
            what = "this text in quotation marks is not closed"
            raise _refusal(name, what, remedy, text) from None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if shape is CELL and number and not PLAIN_NUMBER.fullmatch(text):
        return text  # "1_2" is a word, and so is "0x10"
    if isinstance(shape, list) and not isinstance(value, list):
        remedy = f"Write it like {name}=\"['{text}']\"" if shape[0] is not dict else "Edit the file"
        raise _refusal(name, "a list is due here", remedy, text)
    if isinstance(shape, tuple) and not shape[1](value) and shape[1](text):
        return text  # a heading may be called 2024
    return value


def _one(text, parts, given, taken_out):
    """The file's text with one setting changed, and the change."""
    config = tomllib.loads(text)
    place = _place(parts, config)
    name, before = ".".join(parts), at(config, place)
    if before is None and (taken_out or given is None):
        known = [".".join(each) for each, _ in places(config)]
        raise _refusal(name, "there is no such setting in this file", nearest(name, known))
    if given is None and not taken_out and before == FILL_IN:
        raise _refusal(name, "this is still to be filled in", f"Write {name}=VALUE", before)
    now = None if taken_out else before
    if given is not None:
        shape = _shape(place)
        if shape is None:
            _refuse_unknown(place, config, given)
        if _holds_tables(before):
            what = "this holds settings of its own"
            raise _refusal(name, what, f"Set one of them, such as {name}.{_inside(before)}")
        now = _value(given, shape, name)
    if now != before or type(now) is not type(before):
        text = _changed(text, place, now, name)
    # What is taken out takes all with it that stands in it.
    long = len(place) if taken_out else None
    names = {".".join(each) for each, path in places(config) if path[:long] == place}
    text, confirmed = _confirmed(text, names)
    return text, Change(name, before, now, confirmed)


def _refuse_unknown(place, config, given):
    new = copy.deepcopy(config)
    _put(new, place, given)
    raise ReviewError([f for f in misfits(new, REVIEW) if f not in set(misfits(config, REVIEW))])


def _holds_tables(value):
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(part, dict) for part in value)
    )


def _inside(value):
    """A setting inside a table or a list of tables, as an example."""
    return next((".".join(name) for name, path in places(value) if len(path) < 3), "KEY")


# ---------------------------------------------------------------------- the file's text


def _put(config, place, value):
    """Set, or take out where the value is None, in nested dicts and lists."""
    *above, last = place
    for step in above:
        config = config.setdefault(step, {}) if isinstance(config, dict) else config[step]
    if value is None:
        del config[last]
    else:
        config[last] = value


def _changed(text, place, value, name):
    """The text with one value changed, everything else in it as it was."""
    wanted = tomllib.loads(text)
    _put(wanted, place, value)
    for attempt in (_by_place, _at_the_end):
        with suppress(TOMLKitError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
            new = attempt(text, place, value)
            if tomllib.loads(new) == wanted:
                return new
    what = "this file is written in a way that cannot be changed here"
    raise _refusal(name, what, f"Edit review.toml by hand: {name} = {as_toml(value)}")


def _by_place(text, place, value):
    document = tomlkit.parse(text)
    if document.as_string() != text:
        raise ValueError("this text would not come out as it went in")
    _put(document, place, value)
    return _tidy(text, document.as_string())


def _tidy(old, new):
    """What was added, behind the last entry before it: a comment may belong to the next table."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = next((i for i, pair in enumerate(zip(before, after, strict=False)) if len(set(pair)) > 1),
                 min(len(before), len(after)))  # fmt: skip
    added = after[start : start + len(after) - len(before)]
    if not added or before[:start] + added + before[start:] != after:
        return new
    end = "\r\n" if before and before[0].endswith("\r\n") else "\n"
    while start and (not before[start - 1].strip() or before[start - 1].lstrip()[0] == "#"):
        start -= 1
    added = [line.rstrip("\r\n") + end for line in added if line.strip()]
    if added[0].lstrip().startswith("["):  # a table stands between empty lines
        following = before[start].strip() if start < len(before) else ""
        added = [end, *added, *[end] * bool(following)]
    return "".join(before[:start] + added + before[start:])


def _at_the_end(text, place, value):
    """A table of its own behind all others."""
    end = "\r\n" if "\r\n" in text else "\n"
    *table, key = place
    added = tomlkit.document()
    added[key] = value
    head = tomlkit.key(list(table)).as_string()
    line = added.as_string().rstrip("\n")
    return f"{text.rstrip()}{end}{end}[{head}]{end}{line}{end}"


def _confirmed(text, names):
    """The text without some names under `unconfirmed`, and whether there were any."""
    listed = tomllib.loads(text).get("unconfirmed", [])
    left = [name for name in listed if name not in names]
    if left == listed:
        return text, False
    document = tomlkit.parse(text)
    for number in range(len(listed) - 1, -1, -1):
        if listed[number] in names:
            del document["unconfirmed"][number]
    new = document.as_string()
    with suppress(tomllib.TOMLDecodeError):
        if tomllib.loads(new).get("unconfirmed") == left:
            return new, True
    return _changed(text, ("unconfirmed",), left, "unconfirmed"), True


def _new_faults(text, new):
    """Faults that the old text has not; what rests on a clean file is seen in one only."""
    before, after = (list(misfits(tomllib.loads(each), REVIEW)) for each in (text, new))
    if added := [found for found in after if found not in before]:
        return added
    if before:
        return []
    old, now = map(_described, (text, new))
    return [found for found in now if found not in old]


def _described(text):
    """Faults of a review.toml that lies nowhere yet."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "review.toml").write_bytes(text.encode("utf-8"))
        try:
            describe(folder)
        except ReviewError as error:
            return error.findings
    return ()
