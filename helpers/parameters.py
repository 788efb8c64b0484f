"""Parameters of a notebook: what its tagged cell declares, and what a command line may set."""

import ast
import json
import math
import re
from dataclasses import dataclass

from helpers.description import nearest

TYPES = ("bool", "int", "float", "str", "list", "dict", "None")


class Refused(ValueError):
    """A fault in input or usage, found before anything runs; its text says how to mend it."""


@dataclass(frozen=True)
class Parameter:
    """One assignment of the cell tagged `parameters`.

    Attributes
    ----------
    default : object
        The literal that stands there.
    types : frozenset of str
        Names of what it may be: those of its annotation, else that of its default; empty where
        neither says anything (a bare None).
    """

    name: str
    default: object
    types: frozenset


def declared(cells, notebook):
    """Read the parameters that a notebook declares.

    Parameters
    ----------
    cells : list of dict
        Cells as they stand in the file.
    notebook : path
        For the message of a refusal.

    Returns
    -------
    dict of str to Parameter

    Raises
    ------
    Refused
        When no cell is tagged, or when it holds something else than literals: Papermill would run
        the notebook all the same, with its defaults.
    """
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    if not tagged:
        raise Refused(
            f"{notebook}: no cell is tagged 'parameters', so nothing can be set. "
            "Tag the first code cell (in JupyterLab: property inspector, Cell tags)."
        )
    found = {}
    try:
        for statement in ast.parse("".join(tagged[0]["source"])).body:
            target = getattr(statement, "target", None) or statement.targets[0]
            default = ast.literal_eval(statement.value)
            annotation = ast.unparse(getattr(statement, "annotation", None) or ast.Constant(""))
            types = frozenset(re.findall(r"\w+", annotation)) & frozenset(TYPES)
            if not types and default is not None:
                types = frozenset([type(default).__name__])
            found[target.id] = Parameter(target.id, default, types)
    except (SyntaxError, AttributeError, ValueError, TypeError) as error:
        raise Refused(
            f"{notebook}: its cell tagged 'parameters' holds more than `name = literal` ({error}). "
            "Move everything else to another cell."
        ) from error
    return found


def read_setting(text):
    """Split ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise Refused(f"-p {text}: write it as NAME=VALUE, for example -p method=DL")
    return name.strip(), value.strip()


def read_value(text, parameter):
    """Read a value as JSON, YAML list or word, and refuse what its parameter cannot be.

    Parameters
    ----------
    text : str
        As typed: ``DL``, ``0.9``, ``[gfap, neun]``, ``null``, ``True``.
    parameter : Parameter

    Returns
    -------
    object
    """
    value = _literal(text)
    types = parameter.types
    kind = "None" if value is None else type(value).__name__
    if "str" in types and kind not in types and kind in ("bool", "int", "float"):
        return text  # a word such as 7 or NO where words are expected
    if kind == "int" and "float" in types:
        return float(value)
    if types and kind not in types:
        example = {"list": "[one, two]", "bool": "true", "int": "5", "float": "0.9"}
        due = " or ".join(name for name in TYPES if name in types)
        hint = next((example[name] for name in TYPES if name in types and name in example), "word")
        raise Refused(
            f"-p {parameter.name}={text}: a value of type {due} is due, this is {kind}. "
            f"Write for example -p '{parameter.name}={hint}'."
        )
    return value


def _literal(text):
    constants = {"True": True, "False": False, "None": None, "": ""}
    if text in constants:
        return constants[text]
    try:
        value = json.loads(text)
        return value if not isinstance(value, float) or math.isfinite(value) else text
    except ValueError:
        if text[:1] not in "[{":
            return text
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refused(f"{text}: this list is not closed or not well formed ({error})") from error


def resolve(settings, notebooks):
    """Values for each of several notebooks from what the command line sets.

    Parameters
    ----------
    settings : list of str
        ``NAME=VALUE``, the last of a name wins.
    notebooks : dict of str to dict of Parameter
        Declared parameters by family.

    Returns
    -------
    dict of str to dict
        Family to values; a notebook gets only what it declares.
    """
    values = {family: {} for family in notebooks}
    for name, text in map(read_setting, settings):
        if name in ("review", "family"):
            use = "--review DIR" if name == "review" else "FAMILY without -p"
            raise Refused(f"-p {name}: write {use} instead")
        takers = [family for family, known in notebooks.items() if name in known]
        if not takers:
            names = sorted({one for known in notebooks.values() for one in known} - {"review"})
            raise Refused(f"-p {name}: no such parameter. {nearest(name, names)}.")
        for family in takers:
            values[family][name] = read_value(text, notebooks[family][name])
    return values
