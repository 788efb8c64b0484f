"""Reported against recomputed: what an article's printed numbers say about each other.

Everything that an article prints is read as text from a review folder; nothing else is known
about it, and what is absent is skipped. A printed number stands for all that rounds to it
(`helpers.article.printed`), and a finding is reported only where no choice within those ranges
mends it.

A finding is `hard` if it contradicts z and t with every whole number of degrees of freedom, if
levels add up to more than k, or if an estimate lies outside its interval; every other one is
`soft`, an estimate off the middle of its interval among them. A p and an interval on two sides of
0.05 contradict every t, hence hard. I² is not held against its p: under REML it comes from τ² and
leaves Q open (of the default review's rows, one with I² 27% has the Q of a DerSimonian-Laird I²
of 56%).
"""

import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from helpers.article.checks import Finding, all_checks, whole_numbers
from helpers.article.printed import Printed, read
from helpers.writing import write_csv

PLACE = ["table", "outcome", "moderator", "level", "statistic"]
COLUMNS = ["check", "grade", *PLACE, "printed", "implied", "question"]


def audit(folder: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold all that a review's article prints against everything else that it prints.

    Parameters
    ----------
    folder : path
        A review folder. Read where present: ``published_pooled.csv``,
        ``published_subgroups.csv``, ``published_text.csv``, ``published_bias.csv``,
        ``studies.csv``, ``risk_of_bias.csv``, ``flow.csv``.

    Returns
    -------
    findings : DataFrame
        A row a finding, check by check and hard ones first; columns `COLUMNS`, all text.
    counts : DataFrame
        How many printed numbers and statements each check could use, and how many agree: a row a
        check, indexed by its name, after a first row ``statistics`` for all estimates printed with
        an interval (consistent if middle, p and significance are); columns
        ``checked, consistent, hard, soft``.

    Raises
    ------
    ValueError
        If cells cannot be read: names all of them by file, row and column.

    Notes
    -----
    ``published_text.csv`` holds what the article's words say, a row a statement: `where` it is
    said; `statistic` (pooled, subgroup, coefficient, count); its place (`outcome_id`,
    `moderator_id`, `level_id`, or the same without ``_id`` as printed); the numbers repeated
    (`k, estimate, ci_low, ci_high, p`), and a `claim`: "increased" or "decreased" with
    "significantly" or "not" before it, "no difference", "significant", "not significant",
    "larger effect" or "smaller effect" (of a coefficient, against the reference level), "all
    significant" or "none significant" (but for the levels in `except_levels`, separated by
    semicolons). A count says that `n` rows of `file` have `value` in `column`; without a column,
    that the file has n rows. ``published_pooled.csv`` can have a `claim` too.
    """
    article = read(folder)
    done = all_checks(article)
    if faults := dict.fromkeys(article.faults):
        raise ValueError("\n".join(["these cells cannot be read:", *faults]))
    rows = [
        (check, grade, *place[:5], str(printed), implied, question)
        for check, found in done.items()
        for grade, place, printed, implied, question in sorted(filter(None, found), key=_grade)
    ]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=str), _counted(whole_numbers(article), done)


def _grade(found: Finding | None) -> str:
    return found[0] if found else ""


def _counted(whole: list[Printed], done: dict[str, list[Finding | None]]) -> pd.DataFrame:
    """Count what `audit` found; the first three checks found it in the order of `whole`."""
    first = {check: done[check][: len(whole)] for check in ("middle", "p_value", "significance")}
    together = zip(*first.values(), strict=True)
    worst = [min(filter(None, map(_grade, found)), default="") for found in together]
    for check in ("p_value", "significance"):  # without p there is nothing to hold
        first[check] = [f for s, f in zip(whole, first[check], strict=True) if s.p]
    grades = {check: list(map(_grade, found)) for check, found in (done | first).items()}
    grades = {"statistics": worst} | grades
    table = [[len(g), g.count(""), g.count("hard"), g.count("soft")] for g in grades.values()]
    index = pd.Index(list(grades), name="check")
    return pd.DataFrame(table, index, columns=["checked", "consistent", "hard", "soft"])


def report(findings: pd.DataFrame) -> str:
    """Lay findings out for a terminal: a line each, its place, what is printed and implied."""
    if findings.empty:
        return "No findings: nothing printed contradicts anything else that is printed."
    places = [", ".join(filter(None, place)) for place in findings[PLACE[:4]].to_numpy()]
    names = ["grade", "check", "where", "statistic", "printed", "implied"]
    cells = [names, *findings.assign(where=places)[names].to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    grades = Counter(findings["grade"])
    noun = "finding" if len(findings) == 1 else "findings"
    total = f"{len(findings)} {noun}: {grades['hard']} hard, {grades['soft']} soft"
    return "\n".join([*lines, "", total])


def main(folder: str | Path, csv_path: str | Path | None = None) -> int:
    """Print findings and counts, write the findings if asked; 0, or 2 if input is unreadable."""
    try:
        findings, counts = audit(folder)
        if csv_path:
            write_csv(findings, csv_path)
    except (ValueError, OSError) as fault:
        print(f"audit: {fault}", file=sys.stderr)
        return 2
    print(report(findings), counts.to_string(), sep="\n\n")
    return 0
