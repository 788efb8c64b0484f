"""What people judged of the certainty of the evidence, as a review's `certainty.csv` has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from helpers.problems import Finder, nearest
from helpers.sheet.files import read_csv
from helpers.sheet.names import is_there

CERTAINTY = "certainty.csv"
NEEDED = ("outcome", "domain", "judgement", "reason", "by")
RESTS_ON = "rests_on"
# The domains of GRADE: five that can lower the certainty, and what can raise it.
LOWERING = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
UPGRADING = "upgrading"
DOMAINS = (*LOWERING, UPGRADING)
_ALSO = {
    "rob": "risk_of_bias",
    "bias": "risk_of_bias",
    "heterogeneity": "inconsistency",
    "reporting_bias": "publication_bias",
    "upgrade": UPGRADING,
    "rating_up": UPGRADING,
}
# By how many levels a judgement moves the certainty, and the words for it.
DOWN = {
    0: "not serious; no; none; no concern; no concerns; no serious; undetected; not suspected; 0",
    -1: "serious; suspected; strongly suspected; some concerns; one level; -1",
    -2: "very serious; two levels; -2",
    -3: "extremely serious; three levels; -3",
}
UP = {
    0: "none; no; not upgraded; 0",
    1: "one level; one level up; +1; 1",
    2: "two levels; two levels up; +2; 2",
}


@dataclass(frozen=True)
class Judgement:
    """What a person judged of one domain of one outcome.

    Attributes
    ----------
    levels : int
        By how many levels it moves the certainty.
    reason, by : str
    rests_on : str
        The numbers at that time, as the report gave them; empty where they were not kept.
    """

    levels: int
    reason: str
    by: str
    rests_on: str = ""


def read(folder):
    """The judgements of a review.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict of (str, str) to Judgement
        By outcome and domain; a row whose judgement is still to be filled in gives none.
    """
    if not is_there(folder / CERTAINTY):
        return {}
    table = read_csv(folder / CERTAINTY)
    found = {}
    for row in table.to_dict("records"):
        domain = domain_of(row["domain"])
        levels = levels_of(row["judgement"], domain)
        if levels is not None:
            rests_on = row.get(RESTS_ON, "")
            key = row["outcome"], domain
            found[key] = Judgement(levels, row["reason"], row["by"], rests_on)
    return found


def domain_of(text):
    """A domain by its name in any case, with spaces or by a usual other name; None for others."""
    word = re.sub(r"[\W_]+", "_", text.casefold()).strip("_")
    word = _ALSO.get(word, word)
    return word if word in DOMAINS else None


def levels_of(text, domain):
    """By how many levels a judgement moves the certainty; None where it is none known."""
    words = " ".join(text.casefold().replace("−", "-").replace("_", " ").split()).strip(". ")
    known = UP if domain == UPGRADING else DOWN
    return next((levels for levels, said in known.items() if words in said.split("; ")), None)


def findings(folder, outcomes):
    """Faults and warnings of `certainty.csv`, each with row and column.

    Parameters
    ----------
    folder : Path
    outcomes : iterable of str
        Ids that `review.toml` has.

    Returns
    -------
    list of Finding

    Raises
    ------
    ReviewError
        It cannot be read at all.
    """
    if not is_there(folder / CERTAINTY):
        return []
    table, found = read_csv(folder / CERTAINTY), Finder(CERTAINTY)
    for column in [name for name in NEEDED if name not in table]:
        found.lack(column, "this column is missing", f"Add it; it has {', '.join(table)}")
    if found.findings:
        return found.findings
    ids, domains, judged = (table[name] for name in NEEDED[:3])
    known = tuple(outcomes)
    found.fault(
        ~ids.isin(known), ids, "there is no such outcome", lambda cell: nearest(cell, known)
    )
    named = domains.map(domain_of)
    remedy = f"Write one of {', '.join(DOMAINS)}"
    found.fault(named.isna(), domains, "there is no such domain", remedy)
    for up, levels in ((False, DOWN), (True, UP)):
        wrong = (judged != "") & named.notna() & ((named == UPGRADING) == up)
        lost = [levels_of(*pair) is None for pair in zip(judged, named, strict=True)]
        wrong &= pd.Series(lost, table.index)
        remedy = f"Write one of {', '.join(said.partition(';')[0] for said in levels.values())}"
        found.fault(wrong, judged, "this is no judgement known here", remedy)
    # A row of which nothing is filled in is still to be judged; one of which some is, is not whole.
    begun = (table[["judgement", "reason", "by"]] != "").any(axis=1)
    for column in ("judgement", "reason", "by"):
        what = "a judgement states its reason and its author"
        what = "a judgement is due here" if column == "judgement" else what
        found.fault(begun & (table[column] == ""), table[column], what, "Fill in this cell")
    twice = begun & table.assign(domain=named)[begun].duplicated(["outcome", "domain"]).reindex(
        table.index, fill_value=False
    )
    what = "this domain of this outcome is judged in an earlier row too"
    found.fault(twice & named.notna(), domains, what, "Take one of the rows out")
    if RESTS_ON not in table:
        what = "without it no report can say that numbers changed since"
        found.lack(RESTS_ON, what, "Add the column; reports give its text", "warning")
    else:
        what = "the numbers that this judgement rests on are not said, so no report can say that "
        what += "they changed since"
        lost = begun & (table[RESTS_ON] == "")
        found.warn(lost, table[RESTS_ON], what, "Copy them from the report")
    return found.findings
