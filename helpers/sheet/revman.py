"""The analyses of a review of RevMan 5 (.rm5), a row a study in an analysis."""

import math
from dataclasses import dataclass, field
from itertools import count
from xml.etree.ElementTree import TreeBuilder
from xml.parsers import expat

from helpers.problems import Finding, ReviewError
from helpers.sheet.delimited import clean

# Bytes; a review holds its texts and figures too.
LARGEST = 200_000_000
ARMS = ("Experimental", "Control")
NUMBERS = (
    *(f"{arm} {name}" for arm in ARMS for name in ("mean", "SD", "cases", "N")),
    *("GIV Mean", "GIV SE", "O-E", "Variance"),
)
SIZES = tuple(f"{arm} N" for arm in ARMS)
HEADINGS = (
    *("Comparison", "Analysis", "Outcome", "Subgroup", "Study", "Year"),
    *("Data type", "Effect measure", "Scale", "Experimental group", "Control group"),
    *("Left side", "Right side"),
    *NUMBERS,
    "Footnotes",
)
CONTINUOUS, DICHOTOMOUS, INVERSE, IPD = (
    *("continuous", "dichotomous"),
    *("generic inverse variance", "O-E and variance"),
)
# Which numbers belong to a kind of data: a package has 0 in the columns of all others.
BELONGING = {
    CONTINUOUS: ("mean", "SD", "N"),
    DICHOTOMOUS: ("cases", "N"),
    INVERSE: ("GIV Mean", "GIV SE", "N"),
    IPD: ("O-E", "Variance", "cases", "N"),
}
TAGS = {"CONT": CONTINUOUS, "DICH": DICHOTOMOUS, "IV": INVERSE, "IPD": IPD}
MEASURES = {
    "odds ratio": "OR",
    "risk ratio": "RR",
    "risk difference": "RD",
    "mean difference": "MD",
    "standardized mean difference": "SMD",
    "standardised mean difference": "SMD",
    "std. mean difference": "SMD",
    "hazard ratio": "HR",
    "peto_or": "Peto OR",
    "peto odds ratio": "Peto OR",
}
RATIOS = ("OR", "RR", "HR", "Peto OR")
ATTRIBUTES = {"mean": "MEAN", "SD": "SD", "cases": "EVENTS", "N": "TOTAL"}


@dataclass(frozen=True)
class Analyses:
    """What stands in a file of RevMan.

    Attributes
    ----------
    rows : dict of int to dict
        A study in an analysis under each of `HEADINGS`, as text. The number is the row of
        ``data-rows.csv``; an .rm5 has no rows: its entries are counted from 2 on, in their order.
    left_out : dict of int to str
        Why rows are not in RevMan's own result, or cannot be read here.
    findings : list of Finding
        Warnings.
    """

    file: str
    rows: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    findings: list = field(default_factory=list)

    def add(self, number, analysis, cells, excluded):
        """A row, and why it is left out, if it is."""
        row = dict.fromkeys(HEADINGS, "") | analysis | cells
        kind = row["Data type"]
        for name in NUMBERS:
            if name not in BELONGING[kind] and name.split()[-1] not in BELONGING[kind]:
                row[name] = ""
        if kind == INVERSE:  # 0 stands for a number of animals that was not entered
            row |= {name: "" for name in SIZES if row[name] == "0"}
        self.rows[number] = {name: clean(text) for name, text in row.items()}
        if excluded or kind == IPD:
            self.left_out[number] = excluded or "O-E and variance are no group data"

    def warn(self, analysis, what, remedy):
        """A warning about one analysis."""
        what = f"analysis {analysis['Analysis']} ({analysis['Outcome']}): {what}"
        self.findings.append(Finding(self.file, what, remedy, severity="warning"))


def read_rm5(path):
    """The analyses of a review of RevMan 5.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Analyses

    Raises
    ------
    ReviewError
        It is too large, no XML of RevMan 5, declares entities, or has no analyses.

    Notes
    -----
    A comparison holds outcomes of four kinds (``CONT_OUTCOME``, ``DICH_OUTCOME``, ``IV_OUTCOME``,
    ``IPD_OUTCOME``), these hold studies (``CONT_DATA``, ...), in subgroups or not. Group 1 is the
    experimental one. The estimate of an ``IV_DATA`` is on the scale in which it was entered.
    """
    if path.stat().st_size > LARGEST:
        raise refusal(path, "this file is too large", "Is it a review of RevMan 5?")
    root = _tree(path)
    if root.tag != "COCHRANE_REVIEW":
        raise refusal(path, "this is no review of RevMan 5", "Save it from RevMan 5 as .rm5")
    names, found, numbers = _studies(root), Analyses(path.name), count(2)
    for comparison in root.iter("COMPARISON"):
        others = comparison.findall("OTHER_OUTCOME")
        if others:
            listed = ", ".join(_said(other, "NAME") for other in others)
            what = f"{_said(comparison, 'NAME')}: tables of other data are not read ({listed})"
            found.findings.append(
                Finding(path.name, what, "They hold text and no analysis", severity="warning")
            )
        for outcome in comparison:
            kind = outcome.tag.removesuffix("_OUTCOME")
            if kind in TAGS and outcome.tag != kind:
                _outcome(found, comparison, outcome, kind, names, numbers)
    return not_empty(path, found)


def _tree(path):
    """The parsed file; a declared entity is refused, for it may grow to any size."""

    def refuse(name, *_):
        raise refusal(path, f"this file declares the entity {name}", "Save it from RevMan 5 anew")

    builder, parser = TreeBuilder(), expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler, parser.CharacterDataHandler = builder.end, builder.data
    parser.EntityDeclHandler = parser.SkippedEntityHandler = refuse
    parser.Parse(path.read_bytes(), True)
    return builder.close()


def _said(element, tag):
    child = element.find(tag)
    return "" if child is None else clean("".join(child.itertext()))


def _studies(root):
    """Name and year of each study by its id; the id is added where two bear one name."""
    studies = {each.get("ID"): each for each in root.iter("STUDY")}
    names = [each.get("NAME", "") for each in studies.values()]
    return {
        id: (name if name and names.count(name) == 1 else f"{name} ({id})", each.get("YEAR", ""))
        for (id, each), name in zip(studies.items(), names, strict=True)
    }


def _outcome(found, comparison, outcome, kind, names, numbers):
    measure = measure_of(outcome.get("EFFECT_MEASURE") or _said(outcome, "EFFECT_MEASURE"))
    log = outcome.get("LOG_DATA") == "YES" if kind == "IV" else measure in RATIOS
    analysis = {
        "Comparison": _said(comparison, "NAME"),
        "Analysis": f"{comparison.get('NO')}.{outcome.get('NO')}",
        "Outcome": _said(outcome, "NAME"),
        "Data type": TAGS[kind],
        "Effect measure": measure,
        "Scale": "log" if log else "identity",
        "Experimental group": _said(outcome, "GROUP_LABEL_1"),
        "Control group": _said(outcome, "GROUP_LABEL_2"),
        "Left side": _said(outcome, "GRAPH_LABEL_1"),
        "Right side": _said(outcome, "GRAPH_LABEL_2"),
    }
    parts = [*outcome.findall(f"{kind}_SUBGROUP")]
    pooled = outcome.get("TOTALS", "YES")
    swapped = outcome.get("SWAP_EVENTS") == "YES"
    warn_of(found, analysis, pooled == "YES", bool(parts), swapped)
    for part in [outcome, *parts]:
        here = analysis
        if part is not outcome:
            here = part_of(analysis, _said(part, "NAME"), part.get("NO"), pooled == "YES")
        for entry in part.findall(f"{kind}_DATA"):
            cells = _entry(found, here, entry, names)
            excluded = "not estimable in RevMan" if entry.get("ESTIMABLE") == "NO" else ""
            found.add(next(numbers), here, swap(cells) if swapped else cells, excluded)


def part_of(analysis, name, number, pooled):
    """The analysis of a subgroup: one of its own where RevMan has no result of them together."""
    if pooled or not name:
        return analysis | {"Subgroup": name}
    outcome = f"{analysis['Outcome']}: {name}"
    return analysis | {
        "Subgroup": name, "Outcome": outcome, "Analysis": f"{analysis['Analysis']}.{number}",
    }  # fmt: skip


def warn_of(found, analysis, pooled, parted, swapped):
    """What a reader should know of an analysis before its numbers."""
    kind, measure = analysis["Data type"], analysis["Effect measure"]
    if not pooled:
        what = "RevMan has no overall result of it"
        what += ", so each of its subgroups is read as an outcome of its own" * parted
        found.warn(analysis, what, "Take out the outcomes that should not be pooled")
    if swapped:
        what = "events and non-events are swapped in RevMan"
        remedy = "The cases here are those without the event, so that the ratio is RevMan's"
        found.warn(analysis, what, remedy)
    if kind == IPD:
        what = "O-E and its variance are no group data, so its rows are not read"
        remedy = (
            "Give the logarithm of the ratio, (O-E)/Variance, and its SE, 1/√Variance, in a sheet"
        )
        found.warn(analysis, what, remedy)
    if kind == INVERSE and measure in RATIOS and analysis["Scale"] == "identity":
        what = f"the file says that these are no logarithms, and the measure is {measure}"
        found.warn(analysis, what, 'Say effect_scale = "log" for this outcome where they are')
    if measure == "Peto OR":
        what = "RevMan has odds ratios by Peto's method, which is not computed here"
        found.warn(analysis, what, "The usual odds ratio takes its place")


def _entry(found, analysis, entry, names):
    """The cells of one study."""
    study = entry.get("STUDY_ID", "")
    name, year = names.get(study, (study, ""))
    notes = "; ".join(filter(None, (clean("".join(each.itertext())) for each in entry)))
    cells = {"Study": name, "Year": year, "Footnotes": notes}
    for place, arm in enumerate(ARMS, 1):
        for what, attribute in ATTRIBUTES.items():
            cells[f"{arm} {what}"] = entry.get(f"{attribute}_{place}", "")
    cells |= {"O-E": entry.get("O_E", ""), "Variance": entry.get("VAR", "")}
    if analysis["Data type"] == INVERSE:
        cells |= {
            "GIV Mean": _estimate(found, analysis, entry, name),
            "GIV SE": entry.get("SE", ""),
        }
    return cells


def _estimate(found, analysis, entry, name):
    """An estimate as it was entered; RevMan shows the ratio that belongs to a logarithm."""
    given, shown = entry.get("ESTIMATE", ""), entry.get("EFFECT_SIZE", "")
    log = analysis["Scale"] == "log"
    if not log and not given:
        return shown
    try:
        known = math.log(float(shown)) if log else float(shown)
        if not given:
            return repr(known)
        if entry.get("ESTIMABLE") == "NO" or math.isclose(float(given), known, abs_tol=5e-3):
            return given
    except ValueError:
        return given
    what = f"the estimate of {name} is {given}, and RevMan shows {shown}"
    found.warn(analysis, what, "Look whether it is a logarithm; it is read as it was entered")
    return given


def swap(cells):
    """Animals without the event; what is no count stays for the check to find."""
    result = dict(cells)
    for arm in ARMS:
        cases, n = cells[f"{arm} cases"], cells[f"{arm} N"]
        if cases.isdecimal() and n.isdecimal() and int(cases) <= int(n):
            result[f"{arm} cases"] = str(int(n) - int(cases))
    return result


def measure_of(text):
    """An effect measure under its short name, as far as it is known."""
    return MEASURES.get(clean(text).lower(), clean(text))


def not_empty(path, found):
    """The analyses; a fault where there is none."""
    if not found.rows:
        what = "this review has no analyses"
        raise refusal(path, what, "Name a file with data and analyses")
    return found


def refusal(path, what, remedy, **place):
    """A fault of the whole file."""
    return ReviewError([Finding(path.name, what, remedy, **place)])
