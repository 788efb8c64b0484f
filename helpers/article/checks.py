"""The single checks: what a printed number says of its own interval and of the others."""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import chain, combinations

import numpy as np
import pandas as pd

from helpers.article.printed import Article, Number, Printed, count, plain
from helpers.review import facts
from helpers.review.prisma import flow
from helpers.sheet.printed_numbers import CLAIMS, DOWN, FIRM, UP
from helpers.stats.distributions import t_isf, t_sf

ALPHA = 0.05  # every printed interval is read as a 95% interval
# The mean of k effects has a whole number of degrees of freedom; above 1,000 t prints as z.
DF = np.append(np.arange(1.0, 1001.0), np.inf)
CRITICAL = t_isf(ALPHA / 2, DF)  # the last one is that of z
SIGNS = {1: "positive", -1: "negative"}
# What a check finds: grade, place, printed, implied, question; None for each thing that agrees.
Finding = tuple[str, tuple, str, str, str]
Findings = Iterator[Finding | None]


def _short(value) -> str:
    return f"{float(value):.4g}"


def _centre(s: Printed) -> Number:
    """Return the middle of an interval, as a number with its own range."""
    return Number("", *((a + b) / 2 for a, b in zip(s.low[1:4], s.high[1:4], strict=True)))


def _middle(s: Printed) -> Finding | None:
    """Hold an estimate against the middle of its interval."""
    (_, low, high, *_), centre, crossed = s.estimate, _centre(s), s.low.low > s.high.high
    if s.estimate.agrees(centre) and not crossed:
        return None
    outside = crossed or high < s.low.low or low > s.high.high
    lost = [n.text for n in (s.low, s.high) if low <= centre.value - n.value <= high]
    hint = f"has the bound {lost[0]} the wrong sign" if lost else "which number is misprinted"
    hint = "are its bounds interchanged" if crossed else hint
    ends = f"{_short(centre.low)} to {_short(centre.high)} within rounding"
    where = "lies outside" if outside else "is not the middle of"
    question = f"The estimate {where} its interval; {hint}?"
    return "hard" if outside else "soft", s, s, f"middle {_short(centre.value)}, {ends}", question


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
    (near, far), (narrow, wide) = s.estimate.sizes(), s.high.minus(s.low).sizes()
    ratios = 2 * far / narrow if narrow else np.inf, 2 * near / wide
    return tuple(2 * t_sf(CRITICAL[at] * r, DF[at]) for r in ratios)


def _fits(p: Number, low, high) -> np.ndarray:
    return (np.asarray(high) >= float(p.low)) & (np.asarray(low) <= float(p.high))


def _p_value(article: Article, s: Printed) -> Finding | None:
    """Hold p against estimate and interval under z and, that failing, under t."""
    if s.p is None or _fits(s.p, *(z := p_range(s))):
        return None
    low, high = (f"{p:.3g}" if p >= 0.0001 else "<0.0001" for p in z)
    implied = f"p {low} to {high} by z" if low != high else f"p {low} by z"
    question = "The printed p does not follow from its interval under z"
    if len(df := DF[_fits(s.p, *p_range(s, slice(None)))]):
        question += f"; was it t with {df[0]:.4g} to {df[-1]:.4g} degrees of freedom?"
        return "soft", s, s, implied, question
    others = article.groups(s.statistic)[s.key[1:3]]
    misfits = (o for o in others if o.whole and o.p and not _fits(o.p, *p_range(o)))
    swapped = [o.level for o in misfits if _fits(o.p, *z)]
    hint = "which number is misprinted?"
    if s.p.bound == "<" and z[0] < 0.0005:
        hint = f"does {s.p.text} stand for a program's 0.000, that is, below 0.0005?"
    elif _middle(s) and _fits(s.p, *p_range(s._replace(estimate=(m := _centre(s))))):
        hint = f"it fits an estimate of {_short(m.value)}: is the estimate misprinted?"
    elif swapped:
        hint = f"the p of {swapped[0]} fits: were the two interchanged?"
    elif s.statistic == "pooled" and not s.p.bound:
        hint = "is it the p of the test of heterogeneity?"
    implied += "; no t with whole degrees of freedom gives the printed one"
    return "hard", s, s, implied, f"{question} or t; {hint}"


def _below_alpha(s: Printed) -> bool | None:
    """Say whether the printed p is below 0.05; None where that is open."""
    unclear = s.p is None or s.p.low < ALPHA < s.p.high
    return None if unclear else bool(s.p.high <= ALPHA)


def _excludes_zero(s: Printed) -> bool | None:
    """Say whether the printed interval excludes 0; None where that is open."""
    signs = [bound.sign() if bound else 0 for bound in (s.low, s.high)]
    return signs[0] == signs[1] if all(signs) else None


def _significance(s: Printed) -> Finding | None:
    """Hold p against the interval about 0.05, where z and every t must agree."""
    below, excludes = _below_alpha(s), _excludes_zero(s)
    if None in (below, excludes) or below == excludes:
        return None
    implied = f"the interval {'ex' if excludes else 'in'}cludes 0: p "
    question = "The p and the interval disagree about 0.05; which of them holds?"
    return "hard", s, s, implied + f"{'below' if excludes else 'above'} 0.05", question


def _level_count(article: Article) -> Findings:
    """Hold the sum of a moderator's levels against the number of experiments."""
    groups = article.groups("subgroup")
    totals = {group: sum(s.k or 0 for s in levels) for group, levels in groups.items()}
    for group, levels in groups.items():
        pooled = article.numbers.get(("pooled", group[0], "", ""))
        k, source = pooled and pooled.k, "as printed"
        if k is None:
            k = max(t for g, t in totals.items() if g[0] == group[0])
            source = "by another moderator's levels"
        off = totals[group] - k
        if off == 0 or (off < 0 and any(s.k is None for s in levels)):
            yield from [None] * bool(totals[group])
            continue
        place = levels[0]._replace(level="", statistic="count")
        printed = f"levels {' + '.join(str(s.k or 0) for s in levels)} = {totals[group]}"
        if off > 0:
            grade, gap = "hard", "too many"
            question = "Are some experiments counted under two levels?"
        else:
            grade, gap = "soft", "without a level"
            question = "Was the moderator not reported for the other experiments?"
        yield grade, place, printed, f"k {k} {source}: {abs(off)} {gap}", question


def _sign(article: Article) -> Findings:
    """Hold a coefficient's sign against the difference of the subgroup estimates."""
    question = "Does the common τ² of the regression turn the sign of this difference?"
    for s in chain(*article.groups("coefficient").values()):
        level, base = article.numbers.get(("subgroup", *s.key[1:])), article.reference(s)
        if s.estimate and level and base and level.estimate and base.estimate:
            gap = level.estimate.minus(base.estimate)
            implied = f"subgroups {level.estimate.text} - ({base.estimate.text}) = {gap.value}"
            against = gap.sign() * s.estimate.sign() < 0
            yield ("soft", s, s, implied, question) if against else None


def _contradiction(claim: str, s: Printed, reference: int) -> str | None:
    """Say which printed number contradicts a claim; `reference` is the sign of that estimate."""
    words = set(claim.casefold().split())
    relative, up = words & {"larger", "smaller"}, bool(words & UP) - bool(words & DOWN)
    sign = s.estimate.sign() if s.estimate else 0
    agrees = sign * up * (reference if relative else 1)  # 1, -1, or 0 where nothing is said
    below, excludes = _below_alpha(s), _excludes_zero(s)
    if words & {"no", "not"}:
        denied = (below or excludes) and (agrees > 0 or not up)
        return "the printed numbers are significant" if denied else None
    if agrees < 0:
        other = ", the effect it adds to " + SIGNS[reference] if relative else ""
        return f"the {str(s).split()[0]} is {SIGNS[sign]}{other}"
    if words & FIRM and False in (below, excludes):
        return "the interval includes 0" if excludes is False else "p is above 0.05"
    return None


def _wording(article: Article) -> Findings:
    """Hold words against sign, p and interval."""
    for said in article.claims:
        clear = said.row.text("bias_claimed") in ("no", "none")
        claim = said.row.text("claim") or ("not significant" if clear else "significant")
        if not set(claim.casefold().split()) & {*FIRM, *UP, *DOWN, "difference"}:
            said.row.fault("claim", CLAIMS)
            continue
        about = [article.numbers.get(said.key, said)]
        if every := set(claim.split()) & {"all", "none"}:
            about = chain(*article.groups(said.statistic).values())
            about = [s for s in about if s.whole and said.key[1] == s.key[1]]
        excepted = list(map(plain, said.row.text("except_levels").split(";")))
        for s in about:
            negative = every and ("none" in every) != (s.key[3] in excepted)
            each = ("not " if negative else "") + "significant" if every else claim
            bases = article.reference(s), article.numbers.get(("pooled", s.key[1], "", ""))
            base = next((b.estimate.sign() for b in bases if b and b.estimate), 0)
            implied = _contradiction(each, s, base)
            question = f"The words say '{claim}', the numbers do not; which is meant?"
            found = "soft", (said.table, *s[1:5]), f"'{claim}': {s}", implied, question
            yield found if implied else None


def _overlaps(article: Article) -> Findings:
    """Hold the labels of a moderator's levels against each other."""
    for levels in article.groups("subgroup").values():
        spans = [(s, label, _span(label)) for s in levels if (label := s.row.text("level"))]
        for (_, label, a), (s, other, b) in combinations(spans, 2):
            if a and b and a[2] == b[2]:
                question = f"Where does an experiment belong that fits '{label}' and '{other}'?"
                place, printed = (*s[:4], "count"), f"level '{other}'"
                found = "soft", place, printed, f"overlaps '{label}'", question
                yield found if max(a[0], b[0]) < min(a[1], b[1]) else None


def _span(label: str) -> tuple[float, float, str] | None:
    """Read a range and its unit from a label such as "Acute (24 to 72 hours)", "<28 days"."""
    if m := re.search(r"(\d+\.?\d*)\s*(?:to|-|–)\s*(\d+\.?\d*)\s*([a-z]+)", label, re.I):
        return float(m[1]), float(m[2]), plain(m[3])
    if m := re.search(r"([<>≤≥])=?\s*(\d+\.?\d*)\s*([a-z]+)", label, re.I):
        return *sorted((float(m[2]), -np.inf if m[1] in "<≤" else np.inf)), plain(m[3])
    return None


def _differing(article: Article, s: Printed) -> list[str] | None:
    """Name the parts of a number that are printed otherwise elsewhere; None with no other."""
    if (other := article.numbers.get(s.key)) is None:
        return None
    names = "estimate", "lower bound", "upper bound", "p"
    both = [(n, a, b) for n, a, b in zip(names, s[6:], other[6:], strict=True) if a and b]
    differ = [name for name, a, b in both if not a.agrees(b)]
    differ += ["k"] if None not in (s.k, other.k) and s.k != other.k else []
    return differ if both or differ else None


def _repeats(article: Article) -> Findings:
    """Hold numbers against their other printings."""
    for s in article.repeats:
        if not (differ := _differing(article, s)):
            yield from [None] * (differ is not None)
            continue
        other = article.numbers[s.key]
        source = f"{'table ' * other.table.isdigit()}{other.table}"
        printed, implied = (f"k {t.k}, {t}" if "k" in differ else str(t) for t in (s, other))
        question = f"In {source} stands another {' and another '.join(differ)}"
        if "p" in differ and other.whole:  # which of the two goes with the interval
            right = [t.p.text for t in (s, other) if _fits(t.p, *p_range(other))]
            question += f" ({right[0]} follows from the interval)" if len(right) == 1 else ""
        yield "soft", s, printed, f"{source}: {implied}", f"{question}; which is right?"


def _counts(article: Article) -> Findings:
    """Hold counts in the text against the rows of tables."""
    for row in article.rows("published_text.csv"):
        if row.text("statistic") != "count":
            continue
        column, value, said = row.text("column"), row.text("value"), row.read(count, "n")
        listed = article.rows(file := row.text("file"))
        if said is None or not listed or (column and column not in listed[0].cells):
            continue  # no count, or of something that the folder does not hold
        cells = Counter(plain(r.text(column)) for r in listed)
        found = cells[plain(value)] if column else len(listed)
        others = ", ".join(f"{t or 'empty'} {n}" for t, n in cells.items() if t != plain(value))
        implied = f"{found} of {len(listed)} in {file}" + f" ({others})" * bool(column)
        moderator = row.text("moderator_id", "moderator") or column
        level = row.text("level_id", "level") or value
        place = row.text("where"), "", moderator, level, "count"
        question = f"The text counts {said}, the table {found}; which is right?"
        different = "soft", place, f"{value or 'articles'} {said}", implied, question
        yield different if found != said else None


def _labels(article: Article, file: str) -> list[str]:
    """Return the studies of a table as it names them, "Cheshmi2023" being "Cheshmi 2023"."""
    parts = ("study_label",), ("first_author", "study"), ("year",)
    cells = ([r.text(*names) for names in parts] for r in article.rows(file))
    names = (label or f"{author} {year}" for label, author, year in cells)
    return [re.sub(r"(?<=[^\W\d])(?=\d{4}$)", " ", t.strip()) for t in names if t.strip()]


def _alike(a: str, b: str) -> bool:
    """Say whether two labels are likely one study: same year, three quarters of the letters."""
    return a[-4:] == b[-4:] and SequenceMatcher(None, a[:-5], b[:-5]).ratio() > 0.75


def _study_lists(article: Article) -> Findings:
    """Hold the table of studies against the table of the risks of bias."""
    lists = [_labels(article, f) for f in ("studies.csv", "risk_of_bias.csv")]
    if not all(lists):
        return
    names = {plain(label): label for label in chain(*lists)}
    one, two = (Counter(map(plain, labels)) for labels in lists)
    yield from [None] * (one & two).total()
    left, right = list((one - two).elements()), list((two - one).elements())
    for a in list(left):
        if b := next((b for b in right if _alike(a, b)), None):
            left.remove(a)
            right.remove(b)
            place, printed = ("both", "", "", names[a], "count"), f"{names[a]} and {names[b]}"
            yield "soft", place, printed, "one spelling", "Is this one study?"
    for here, labels, there in (
        ("studies", left, "risk of bias"),
        ("risk of bias", right, "studies"),
    ):
        for a in labels:
            place, implied = (here, "", "", names[a], "count"), f"not in the table of {there}"
            yield "soft", place, names[a], implied, f"Is {names[a]} among the included studies?"


def _flow(article: Article) -> Findings:
    """Hold each box of the flow diagram against what the boxes before it leave."""
    question = "The flow diagram does not add up here; which number should be corrected?"
    cells = {}
    for row in article.rows(facts.FLOW):
        stage, item, n = row.text("stage"), row.text("item"), row.read(count, "n")
        if n is not None:
            stage = facts.stage(stage, item) or stage
            cells[row.line] = {"stage": stage, "item": item, "n": n, "source": row.text("source")}
    if not cells:
        return
    rows = flow.arranged(pd.DataFrame.from_dict(cells, orient="index"))
    held = [(one.item, one.n, one.terms, one.left) for one in flow.sums(rows) if one.listed]
    included = rows[rows["stage"] == "included"]
    if len(included) and (n := len(_labels(article, facts.STUDIES))):
        held.append((*included[["item", "n"]].iloc[0], str(n), n))
    for item, n, terms, left in held:
        place = "flow", "", "", item, "count"
        found = "soft", place, f"{item}: {n}", f"sum {terms} = {left}", question
        yield found if n != left else None


def whole_numbers(article: Article) -> list[Printed]:
    """Return every estimate that is printed with an interval, once."""
    return [s for s in article.numbers.values() if s.whole]


def all_checks(article: Article) -> dict[str, list[Finding | None]]:
    """Run every check: what each finds by its name, None for each thing that agrees."""
    whole = whole_numbers(article)
    # The other version of an estimate has to agree with itself, too.
    held = whole + [s for s in article.repeats if s.whole and _differing(article, s)]
    done = {
        "middle": map(_middle, held),
        "p_value": [_p_value(article, s) for s in held],
        "significance": map(_significance, held),
        "level_count": _level_count(article),
        "sign": _sign(article),
        "wording": chain(_wording(article), _overlaps(article)),
        "text_vs_table": chain(_repeats(article), _counts(article)),
        "study_lists": _study_lists(article),
        "flow": _flow(article),
    }
    return {check: list(found) for check, found in done.items()}
