"""Parameters of a notebook: what its tagged cell declares, and what a command line may set."""

import ast
import json
import re
from dataclasses import dataclass

from helpers.problems import Refused, nearest

EXAMPLES = {"bool": "true", "int": "5", "float": "0.9", "str": "word", "list": "[one, two]"}


@dataclass(frozen=True)
class Parameter:
    """One assignment of the cell tagged `parameters`.

    Attributes
    ----------
    default : object
        The literal that stands there.
    types : tuple of str
        Names of the types that it may have; empty where nobody knows.
    choices : tuple of str
        All words that it may be; empty where any word will do.
    """

    name: str
    default: object
    types: tuple
    choices: tuple = ()


def declared(cells, notebook):
    """Read the parameters that a notebook declares.

    The comment after a parameter counts: "exact, approximate or none" lists all that it may be
    (when its default is one of them), "list of ..." says that it is a list or None.

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
    source = "".join(tagged[0]["source"])
    try:
        found = [
            _parameter(statement, source.splitlines()[statement.end_lineno - 1])
            for statement in ast.parse(source).body
        ]
    except (SyntaxError, AttributeError, ValueError, TypeError) as error:
        raise Refused(
            f"{notebook}: its cell tagged 'parameters' holds more than `name = literal` ({error}). "
            "Move everything else to another cell."
        ) from error
    return {parameter.name: parameter for parameter in found}


def _parameter(statement, line):
    (target,) = statement.targets
    default = ast.literal_eval(statement.value)
    comment = line.rpartition("#")[2].strip()
    listed = re.search(r"(\w+, )*\w+ or \w+$", comment)
    choices = tuple(re.split(", | or ", listed[0])) if listed else ()
    if default is not None:
        types = (type(default).__name__,)
    else:
        types = ("list", "NoneType") if comment.startswith("list of") else ()
    return Parameter(target.id, default, types, choices if default in choices else ())


def read_value(text, parameter):
    """Read a value as JSON, YAML list or word, and refuse what its parameter cannot be.

    What a report's own parameters mean is said by `helpers.analysis.settings`; a notebook may declare
    others, which are read by the type of their default.

    Parameters
    ----------
    text : str
        As typed: ``DL``, ``0.9``, ``[gfap, neun]``, ``null``, ``True``.
    parameter : Parameter

    Returns
    -------
    object
    """
    from helpers.analysis import settings

    if parameter.name in settings.NAMES:
        try:
            value = settings.as_meant(parameter.name, text)
        except Refused as refusal:
            raise Refused(f"-p {refusal}") from refusal
        return _chosen(value, text, parameter)
    value, types = _literal(text), parameter.types
    kind = type(value).__name__
    if types == ("str",) and kind in ("bool", "int", "float"):
        value, kind = text, "str"  # a word such as 7 or NO where words are expected
    if types == ("float",) and kind == "int":
        value, kind = float(value), "float"
    if types and kind not in types:
        raise Refused(
            f"-p {parameter.name}={text}: this is {kind}, but {types[0]} is due. "
            f"Write for example -p '{parameter.name}={EXAMPLES.get(types[0], 'null')}'."
        )
    return _chosen(value, text, parameter)


def _chosen(value, text, parameter):
    """The value, if the notebook does not list others."""
    if parameter.choices and value not in parameter.choices:
        advice = nearest(value, parameter.choices)
        raise Refused(f"-p {parameter.name}={text}: there is no such {parameter.name}. {advice}")
    return value


def _literal(text):
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    try:
        return json.loads(text, parse_constant=str)  # NaN and Infinity are words here
    except (ValueError, RecursionError):
        if text[:1] not in ("[", "{"):
            return text
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Refused(f"{text}: this list is not closed or not well formed ({error})") from error


def resolve(given, notebooks):
    """Values for each of several notebooks from what the command line sets.

    Parameters
    ----------
    given : list of str
        ``NAME=VALUE``, the last of a name wins.
    notebooks : dict of str to dict of Parameter
        Declared parameters by family.

    Returns
    -------
    dict of str to dict
        Family to values; a notebook gets only what it declares.
    """
    values, refused = {family: {} for family in notebooks}, []
    for setting in given:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or not name.isidentifier():
            raise Refused(f"-p {setting}: write it as NAME=VALUE, for example -p method=DL")
        if name in ("review", "family"):
            use = "--review DIR" if name == "review" else "FAMILY without -p"
            raise Refused(f"-p {name}: write {use} instead")
        takers = [family for family, known in notebooks.items() if name in known]
        if not takers:
            names = sorted({one for known in notebooks.values() for one in known} - {"review"})
            raise Refused(f"-p {name}: no such parameter. {nearest(name, names)}")
        for family in takers:
            try:
                values[family][name] = read_value(text, notebooks[family][name])
            except Refused as refusal:
                refused.append(str(refusal))
    if refused:
        raise Refused("\n".join(dict.fromkeys(refused)))
    return values
