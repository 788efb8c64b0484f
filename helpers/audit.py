"""Reported against recomputed: what an article's printed numbers say about each other.

Everything that an article prints is read as text from a review folder; nothing else is known
about it, and what is absent is skipped. A printed number stands for all that rounds to it
(`helpers.printed`), and a finding is reported only where no choice within those ranges mends it.

A finding is `hard` if it contradicts z and t with every number of degrees of freedom, if levels add
up to more than k, or if an estimate lies outside its interval; every other one is `soft`, an
estimate off the middle of its interval among them. I² is not held against its p: under REML it comes from τ² and does
not determine Q, so nothing follows.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from helpers.printed import Article, Number, Printed, count, plain, read

COLUMNS = [
    *("check", "grade", "table", "outcome", "moderator", "level", "statistic"),
    *("printed", "implied", "question"),
]
ALPHA = 0.05  # every printed interval is read as a 95% interval
# The mean of k effects has a whole number of degrees of freedom; above 1,000 t prints as z.
DF = np.append(np.arange(1.0, 1001.0), np.inf)
CRITICAL = stats.t.ppf(1 - ALPHA / 2, DF)  # the last one is that of z
CLAIMS = (
    "is no claim such as 'increased', 'not decreased', 'significantly decreased', "
    "'no difference', 'larger effect', 'not significant', 'all significant'"
)

Findings = Iterator[dict | None]  # what a check yields: None for each thing that agrees


def _short(value) -> str:
    return f"{float(value):.4g}"


def _finding(check, grade, place, printed, implied, question) -> dict[str, str]:
    cells = check, grade, *place[:5], str(printed), implied, question
    return dict(zip(COLUMNS, cells, strict=True))


def _centre(s: Printed) -> Number:
    """Return the middle of an interval, as a number with its own range."""
    ends = ((getattr(s.low, n) + getattr(s.high, n)) / 2 for n in ("low", "high", "value"))
    return Number("", *ends)


def _middle(s: Printed) -> dict | None:
    """Hold an estimate against the middle of its interval."""
    centre = _centre(s)
    if s.estimate.agrees(centre) and s.low.low <= s.high.high:
        return None
    outside = s.estimate.high < s.low.low or s.estimate.low > s.high.high
    where = "lies outside" if outside else "is not the middle of"
    where = "has its bounds in the wrong order in" if s.low.low > s.high.high else where
    turned = {n.text: centre.value - n.value for n in (s.low, s.high)}
    lost = [t for t, middle in turned.items() if s.estimate.low <= middle <= s.estimate.high]
    hint = f"has the bound {lost[0]} the wrong sign" if lost else "which number is misprinted"
    implied = f"middle {_short(centre.value)}, {_short(centre.low)} to {_short(centre.high)} "
    question = f"The estimate {where} its interval; {hint}?"
    grade = "hard" if outside or s.low.low > s.high.high else "soft"
    return _finding("middle", grade, s, s, implied + "within rounding", question)


def p_range(s: Printed, at: int | slice = -1) -> tuple[np.ndarray, np.ndarray]:
    """Give the smallest and the largest p that an estimate and its 95% interval allow.

    Parameters
    ----------
    s : Printed
        An estimate with both bounds.
    at : int or slice
        Which of the degrees of freedom `DF`; the last, infinity, is z.

    Notes
    -----
    With half width h = (high-low)/2 the standard error is h divided by the critical value c(df),
    so p = 2·P(T > c·|estimate|/h), at both ends of what rounding allows.
    """
    width = abs(s.high.value - s.low.value) / 2
    slack = (s.high.high - s.high.low + s.low.high - s.low.low) / 4
    near, far = sorted(map(abs, s.estimate[1:3]))
    near = near if s.estimate.sign() else 0
    largest = float(far / (width - slack)) if width > slack else np.inf
    smallest = float(near / (width + slack)) if width + slack else 0.0
    return tuple(2 * stats.t.sf(CRITICAL[at] * r, DF[at]) for r in (largest, smallest))


def _fits(p: Number, low, high) -> np.ndarray:
    return (np.asarray(high) >= float(p.low)) & (np.asarray(low) <= float(p.high))


def _p_value(s: Printed, others: list[Printed]) -> dict | None:
    """Hold p against estimate and interval under z and, that failing, under t."""
    if s.p is None or _fits(s.p, *(z := p_range(s))):
        return None
    low, high = (f"{p:.3g}" if p >= 0.0001 else "<0.0001" for p in z)
    implied = f"p {low} to {high} by z" if low != high else f"p {low} by z"
    question = "The printed p does not follow from its interval under z"
    if len(df := DF[_fits(s.p, *p_range(s, slice(None)))]):
        question += f"; was it t with {_short(df[0])} to {_short(df[-1])} degrees of freedom?"
        return _finding("p_value", "soft", s, s, implied, question)
    misfits = (o for o in others if o.whole and o.p and not _fits(o.p, *p_range(o)))
    swapped = [o.level for o in misfits if _fits(o.p, *z)]
    if s.p.bound == "<" and z[0] < 0.0005:
        hint = f"does {s.p.text} stand for a program's 0.000, that is, below 0.0005?"
    elif _middle(s) and _fits(s.p, *p_range(s._replace(estimate=(m := _centre(s))))):
        hint = f"it fits an estimate of {_short(m.value)}: is the estimate misprinted?"
    elif swapped:
        hint = f"the p of {swapped[0]} fits: were the two interchanged?"
    elif s.statistic == "pooled" and not s.p.bound:
        hint = "is it the p of the test of heterogeneity?"
    else:
        hint = "which number is misprinted?"
    implied += "; no t with whole degrees of freedom gives the printed one"
    return _finding("p_value", "hard", s, s, implied, f"{question} or t; {hint}")


def _below_alpha(s: Printed) -> bool | None:
    """Say whether the printed p is below 0.05; None where that is open."""
    if s.p is None or s.p.low < ALPHA < s.p.high:
        return None
    return bool(s.p.high <= ALPHA)


def _excludes_zero(s: Printed) -> bool | None:
    """Say whether the printed interval excludes 0; None where that is open."""
    if s.low is None or s.high is None or not (s.low.sign() and s.high.sign()):
        return None
    return s.low.sign() == s.high.sign()


def _significance(s: Printed) -> dict | None:
    """Hold p against the interval about 0.05, where z and every t must agree."""
    below, excludes = _below_alpha(s), _excludes_zero(s)
    if None in (below, excludes) or below == excludes:
        return None
    implied = f"the interval {'excludes' if excludes else 'includes'} 0"
    implied += f": p {'below' if excludes else 'above'} 0.05"
    question = "The p and the interval disagree about 0.05; which of them holds?"
    return _finding("significance", "hard", s, s, implied, question)


def _level_count(article: Article) -> Findings:
    """Hold the sum of a moderator's levels against the number of experiments."""
    groups = article.groups("subgroup")
    totals = {group: sum(s.k or 0 for s in levels) for group, levels in groups.items()}
    for group, levels in groups.items():
        pooled = article.numbers.get(("pooled", group[0], "", ""))
        k, source = pooled and pooled.k, "as printed"
        if not totals[group]:
            continue
        if k is None:
            k = max(t for g, t in totals.items() if g[0] == group[0])
            source = "by another moderator's levels"
        off = totals[group] - k
        if off == 0 or (off < 0 and any(s.k is None for s in levels)):
            yield None
            continue
        place = levels[0]._replace(level="", statistic="count")
        printed = f"{' + '.join(str(s.k or 0) for s in levels)} = {totals[group]}"
        implied = f"k {k} {source}: {abs(off)} {'too many' if off > 0 else 'without a level'}"
        question = "Was the moderator not reported for the other experiments?"
        question = "Are some experiments counted under two levels?" if off > 0 else question
        grade = "hard" if off > 0 else "soft"
        yield _finding("level_count", grade, place, f"levels {printed}", implied, question)


def _sign(article: Article) -> Findings:
    """Hold a coefficient's sign against the difference of the subgroup estimates."""
    for s in chain(*article.groups("coefficient").values()):
        level, base = article.numbers.get(("subgroup", *s.key[1:])), article.reference(s)
        if not (s.estimate and level and base and level.estimate and base.estimate):
            continue
        (_, low, high, value, _), (_, base_low, base_high, base_value, _) = level[6], base[6]
        difference = Number("", low - base_high, high - base_low, value - base_value)
        if difference.sign() * s.estimate.sign() >= 0:
            yield None
            continue
        implied = f"subgroups {level.estimate.text} - ({base.estimate.text}) = {difference.value}"
        question = "Does the common τ² of the regression turn the sign of this difference?"
        yield _finding("sign", "soft", s, s, implied, question)


def _contradiction(claim: str, s: Printed, reference: int) -> str | None:
    """Say which printed number contradicts a claim; `reference` is the sign of that estimate."""
    words = set(claim.casefold().split())
    relative = words & {"larger", "smaller"}
    up = bool(words & {"increased", "larger"}) - bool(words & {"decreased", "smaller"})
    firm = words & {"significant", "significantly"}
    if not (up or firm or "difference" in words):
        raise ValueError(CLAIMS)
    sign = s.estimate.sign() if s.estimate else 0
    way = up * (reference if relative else 1)
    below, excludes = _below_alpha(s), _excludes_zero(s)
    if words & {"no", "not"}:
        contradicted = (below or excludes) and (not up or sign == way)
        return "the printed numbers are significant" if contradicted else None
    if sign * way < 0:
        names = {1: "positive", -1: "negative"}
        other = f", the effect it adds to {names[reference]}" if relative else ""
        return f"the {str(s).split()[0]} is {names[sign]}{other}"
    if firm and False in (below, excludes):
        return "the interval includes 0" if excludes is False else "p is above 0.05"
    return None


def _wording(article: Article) -> Findings:
    """Hold words against sign, p and interval, and the levels' labels against each other."""
    for said in article.claims:
        bias = (
            "not significant" if said.row.text("bias_claimed") in ("no", "none") else "significant"
        )
        claim = said.row.text("claim") or bias
        about, every = [article.numbers.get(said.key, said)], set(claim.split()) & {"all", "none"}
        if every:
            about = chain(*article.groups(said.statistic).values())
            about = [s for s in about if s.whole and said.key[1] == s.key[1]]
        excepted = list(map(plain, said.row.text("except_levels").split(";")))
        for s in about:
            negative = every and ("none" in every) != (s.key[3] in excepted)
            each = ("not " if negative else "") + "significant" if every else claim
            base = article.reference(s) or article.numbers.get(("pooled", s.key[1], "", ""))
            try:
                implied = _contradiction(each, s, base.estimate.sign() if base else 0)
            except ValueError as fault:
                said.row.fault("claim", str(fault))
                break
            place = (said.table, *s[1:5])
            question = f"The words say '{claim}', the numbers do not; which is meant?"
            found = _finding("wording", "soft", place, f"'{claim}': {s}", implied, question)
            yield found if implied else None
    for levels in article.groups("subgroup").values():
        labels = [(s, label, _span(label)) for s in levels if (label := s.row.text("level"))]
        for (_, label, a), (s, other, b) in combinations(labels, 2):
            if not (a and b and a[2] == b[2]):
                continue
            question = f"Where does an experiment belong that fits '{label}' and '{other}'?"
            place, implied = (*s[:4], "count"), f"overlaps '{label}'"
            found = _finding("wording", "soft", place, f"level '{other}'", implied, question)
            yield found if max(a[0], b[0]) < min(a[1], b[1]) else None


def _span(label: str) -> tuple[float, float, str] | None:
    """Read a range and its unit from a label such as "Acute (24 to 72 hours)", "<28 days"."""
    if m := re.search(r"(\d+\.?\d*)\s*(?:to|-|–)\s*(\d+\.?\d*)\s*([a-z]+)", label, re.I):
        return float(m[1]), float(m[2]), plain(m[3])
    if m := re.search(r"([<>≤≥])=?\s*(\d+\.?\d*)\s*([a-z]+)", label, re.I):
        return *sorted((float(m[2]), -np.inf if m[1] in "<≤" else np.inf)), plain(m[3])
    return None


def _text_vs_table(article: Article) -> Findings:
    """Hold numbers against their other printings, and counts against the tables' rows."""
    for s in article.repeats:
        if (other := article.numbers.get(s.key)) is None:
            continue
        names = ("estimate", "lower bound", "upper bound", "p")
        both = {n: ab for n, *ab in zip(names, s[6:], other[6:], strict=True) if None not in ab}
        differ = [name for name, (a, b) in both.items() if not a.agrees(b)]
        differ += ["k"] if None not in (s.k, other.k) and s.k != other.k else []
        if not differ:
            yield from [None] * bool(both)
            continue
        source = f"{'table ' * other.table.isdigit()}{other.table}"
        printed, implied = (f"k {t.k}, {t}" if "k" in differ else str(t) for t in (s, other))
        question = f"In {source} stands another {' and another '.join(differ)}; which is right?"
        yield _finding("text_vs_table", "soft", s, printed, f"{source}: {implied}", question)
        if s.whole:  # the other version of an estimate has to agree with itself, too
            yield from filter(None, (_middle(s), _p_value(s, []), _significance(s)))
    tables = {file: list(article.rows(file)) for file in {r.text("file") for r in article.counts}}
    for row in article.counts:
        column, value, said = row.text("column"), row.text("value"), row.read(count, "n")
        listed = tables[row.text("file")]
        if said is None or not listed or (column and column not in listed[0].cells):
            continue
        cells = Counter(plain(r.text(column)) for r in listed)
        found = cells[plain(value)] if column else len(listed)
        others = ", ".join(f"{t or 'empty'} {n}" for t, n in cells.items() if t != plain(value))
        place = (row.text("where"), "", row.text("moderator_id", "moderator") or column)
        place = (*place, row.text("level_id", "level") or value, "count")
        implied = f"{found} of {len(listed)} in {row.text('file')}" + f" ({others})" * bool(column)
        question = f"The text counts {said}, the table {found}; which is right?"
        printed = f"{value or 'articles'} {said}"
        different = _finding("text_vs_table", "soft", place, printed, implied, question)
        yield different if found != said else None


def _labels(article: Article, file: str) -> list[str]:
    """Return the studies of a table as it names them, "Cheshmi2023" being "Cheshmi 2023"."""
    labels = (
        r.text("study_label") or f"{r.text('first_author', 'study')} {r.text('year')}"
        for r in article.rows(file)
    )
    return [re.sub(r"(?<=[^\W\d])(?=\d{4}$)", " ", t.strip()) for t in labels if t.strip()]


def _study_lists(article: Article) -> Findings:
    """Hold the table of studies against the table of the risks of bias."""
    lists = [_labels(article, f) for f in ("studies.csv", "risk_of_bias.csv")]
    one, two = (Counter(map(plain, labels)) for labels in lists)
    if not (one and two):
        return
    names = {plain(label): label for label in chain(*lists)}
    yield from [None] * (one & two).total()
    left, right = list((one - two).elements()), list((two - one).elements())
    for a in list(left):
        alike = [b for b in right if a[-4:] == b[-4:] and _alike(a[:-4], b[:-4])]
        if alike:
            left.remove(a)
            right.remove(b := alike[0])
            place, question = ("both", "", "", names[a], "count"), "Is this one study?"
            printed, implied = f"{names[a]} and {names[b]}", "one spelling"
            yield _finding("study_lists", "soft", place, printed, implied, question)
    for a in left + right:
        here, there = ("studies", "risk of bias")[:: 1 if a in left else -1]
        question = f"Is {names[a]} among the included studies?"
        place, implied = (here, "", "", names[a], "count"), f"not in the table of {there}"
        yield _finding("study_lists", "soft", place, names[a], implied, question)


def _alike(a: str, b: str) -> bool:
    """Say whether two names are likely one: more than three quarters of their letters match."""
    return SequenceMatcher(None, a.strip(), b.strip()).ratio() > 0.75


def _flow(article: Article) -> Findings:
    """Hold each box of the flow diagram against what the boxes before it leave."""
    boxes = defaultdict(list)
    for row in article.rows("flow.csv"):
        stage, item, n = row.text("stage"), row.text("item"), row.read(count, "n")
        if stage == "identification" and re.search("duplicat|removed|ineligible", item, re.I):
            stage = "removed"
        elif stage == "identification" and re.search("addition|other|gr[ea]y|manual", item, re.I):
            stage = "additional"
        elif stage.startswith(("excluded", "not_retrieved")):
            full = re.search("full|eligib", stage)
            stage = "excluded_full_text" if full else "excluded_screening"
        once = stage in ("screening", "eligibility", "included") and boxes[stage]
        boxes[stage].extend([] if n is None or once else [(item, n)])
    boxes["listed"] = [("studies listed", n)] if (n := len(_labels(article, "studies.csv"))) else []
    for end, start, extra, less in (
        ("screening", "identification", "", "removed"),
        ("eligibility", "screening", "", "excluded_screening"),
        ("included", "eligibility", "additional", "excluded_full_text"),
        ("included", "listed", "", ""),
    ):
        if not (boxes[end] and boxes[start] and (boxes[less] or not less)):
            continue
        more, gone = ([n for _, n in b] for b in (boxes[start] + boxes[extra], boxes[less]))
        said, left = sum(n for _, n in boxes[end]), sum(more) - sum(gone)
        implied = f"{' + '.join(map(str, more))}{''.join(f' - {n}' for n in gone)} = {left}"
        place, printed = ("flow", "", "", boxes[end][0][0], "count"), f"{boxes[end][0][0]}: {said}"
        question = "The flow diagram does not add up here; which number should be corrected?"
        found = _finding("flow", "soft", place, printed, f"sum {implied}", question)
        yield found if said != left else None


def _run(folder: str | Path) -> tuple[list[Printed], dict[str, list[dict | None]]]:
    article = read(folder)
    whole = [s for s in article.numbers.values() if s.whole]
    peers = {kind: article.groups(kind) for kind in ("pooled", "subgroup", "coefficient")}
    done = {
        "middle": [_middle(s) for s in whole],
        "p_value": [_p_value(s, peers[s.statistic][s.key[1:3]]) for s in whole],
        "significance": [_significance(s) for s in whole],
        "level_count": list(_level_count(article)),
        "sign": list(_sign(article)),
        "wording": list(_wording(article)),
        "text_vs_table": list(_text_vs_table(article)),
        "study_lists": list(_study_lists(article)),
        "flow": list(_flow(article)),
    }
    if faults := dict.fromkeys(article.faults):
        raise ValueError("\n".join(["these cells cannot be read:", *faults]))
    return whole, done


def audit(folder: str | Path) -> pd.DataFrame:
    """Hold all that a review's article prints against everything else that it prints.

    Parameters
    ----------
    folder : path
        A review folder. Read where present: ``published_pooled.csv``,
        ``published_subgroups.csv``, ``published_text.csv``, ``published_bias.csv``,
        ``studies.csv``, ``risk_of_bias.csv``, ``flow.csv``.

    Returns
    -------
    DataFrame
        A row a finding, check by check and hard ones first; columns `COLUMNS`, all text.

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
    done = _run(folder)[1]
    found = [f for results in done.values() for f in results if f]
    found.sort(key=lambda f: (list(done).index(f["check"]), f["grade"]))
    return pd.DataFrame(found, columns=COLUMNS, dtype=str)


def summary(folder: str | Path) -> pd.DataFrame:
    """Count how many printed numbers and statements each check could use, and how many agree.

    Returns
    -------
    DataFrame
        A row a check, indexed by its name, after a first row ``statistics`` for all estimates
        printed with an interval (consistent if middle, p and significance are); columns
        ``checked, consistent, hard, soft``.
    """
    whole, done = _run(folder)
    together = list(zip(*(done[c] for c in ("middle", "p_value", "significance")), strict=True))
    worst = [min((f["grade"] for f in found if f), default="") for found in together]
    grades = {"statistics": worst}
    for check, found in done.items():
        grades[check] = [f["grade"] if f else "" for f in found if not f or f["check"] == check]
    unprinted = [""] * sum(s.p is None for s in whole)  # nothing to hold against the interval
    for check in ("p_value", "significance"):
        grades[check] = list((Counter(grades[check]) - Counter(unprinted)).elements())
    table = [[len(g), g.count(""), g.count("hard"), g.count("soft")] for g in grades.values()]
    index = pd.Index(list(grades), name="check")
    return pd.DataFrame(table, index, columns=["checked", "consistent", "hard", "soft"])


def report(findings: pd.DataFrame) -> str:
    """Lay findings out for a terminal: a line each, its place, what is printed and implied."""
    if findings.empty:
        return "No findings: nothing printed contradicts anything else that is printed."
    places = findings[["table", "outcome", "moderator", "level"]].agg(
        lambda cells: ", ".join(filter(None, cells)), axis=1
    )
    names = ["grade", "check", "where", "statistic", "printed", "implied"]
    shown = findings.assign(where=places)[names]
    widths = [max(len(name), *map(len, shown[name])) for name in names]
    lines = (map(str.ljust, cells, widths) for cells in [names, *shown.to_numpy().tolist()])
    grades = Counter(findings["grade"])
    total = f"{len(findings)} findings: {grades['hard']} hard, {grades['soft']} soft"
    return "\n".join([*("  ".join(line).rstrip() for line in lines), "", total])


def main(folder: str | Path, csv_path: str | Path | None = None) -> int:
    """Print findings and counts, write the findings if asked; 0, or 2 if input is unreadable."""
    try:
        findings, counts = audit(folder), summary(folder)
        if csv_path:  # a text that a spreadsheet would take for a formula gets an apostrophe
            safe = findings.map(lambda t: f"'{t}" if t[:1] in tuple("=+-@\t\r") else t)
            safe.to_csv(csv_path, index=False, encoding="utf-8", lineterminator="\n")
    except (ValueError, OSError) as fault:
        print(f"audit: {fault}", file=sys.stderr)
        return 2
    print(report(findings), counts.to_string(), sep="\n\n")
    return 0
