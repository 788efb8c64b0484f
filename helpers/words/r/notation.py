"""Values, tables and comments as R writes them."""

from __future__ import annotations

import numpy as np
import pandas as pd

WIDTH = 96  # of a line of data


def frame(table):
    """R code of a table."""
    columns = [f"  {name} = {vector(values)}" for name, values in table.items()]
    return "data.frame(stringsAsFactors = FALSE,\n" + ",\n".join(columns) + ")"


def vector(values):
    """R code of a vector, in lines that an editor can show."""
    lines = ["c("]
    for place, value in enumerate(values):
        token = f"{', ' if place else ''}{_token(value)}"
        if len(lines[-1]) + len(token) > WIDTH:
            lines.append("   ")
        lines[-1] += token.lstrip() if lines[-1].isspace() else token
    return "\n".join(lines) + ")"


def _token(value):
    """A cell as R writes it."""
    if pd.isna(value):
        return "NA"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool | np.bool_):
        return str(value).upper()
    return repr(float(value)).removesuffix(".0").replace("inf", "Inf")


def _string(text):
    """An R string in plain ASCII, so that no locale can misread it; R knows no NUL."""
    return '"' + "".join(map(_escaped, text.replace("\0", ""))) + '"'


def _escaped(character):
    if character in '"\\':
        return "\\" + character
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"


def comment(text):
    """Text that cannot leave its comment line."""
    return " ".join(str(text).split()).encode("ascii", "replace").decode()
