"""A review's files beside its sheet: risk of bias, flow of records, studies, printed numbers."""

import math
import re

import pandas as pd

from helpers.problems import Finder, ReviewError, nearest
from helpers.review.prisma import flow
from helpers.review.robustness import certainty
from helpers.review.schema import fault
from helpers.sheet import printed_numbers
from helpers.sheet.files import plain_number, read_csv
from helpers.sheet.names import is_there

JUDGEMENTS = {
    "low": "low; low risk; low risk of bias; l; +; ++; green",
    "unclear": "unclear; unclear risk; unclear risk of bias; u; ?; not clear; unknown; nc",
    "high": "high; high risk; high risk of bias; h; -; --; –; x; red",
}
# Words of other tools that have no place of their own here: shown as unclear, and said.
BETWEEN = ("some concerns", "some concern", "moderate", "moderate risk", "no information", "ni",
           "not reported", "nr", "yellow")  # fmt: skip
WORDS = {word: kind for kind, words in JUDGEMENTS.items() for word in words.split("; ")}
WORDS |= dict.fromkeys(BETWEEN, "unclear")
# What a stage of the flow is called, tried in this order on its stage and on its item.
EXCLUDED = r"exclu|remov|not (retriev|eligib|relevant)|reject|ineligib|withdraw"
FULL = r"full[ -_]?text|eligib|assess|articles? exclu|reports? exclu"
STAGES = ("previous", "identification", "screening", "excluded_screening", "retrieval",
          "not_retrieved", "eligibility", "excluded_full_text", "included", "total")  # fmt: skip
# PRISMA 2020 names three phases only: in the screening the item tells the step.
STEPS = {
    "not_retrieved": r"not (be )?(retriev|obtain|available)",
    "excluded_full_text": r"(reports?|full[ -]?texts?|articles?) (were )?exclu",
    "excluded_screening": EXCLUDED,
    "retrieval": r"sought|retrieval",
    "eligibility": r"full[ -]?text|assess\w* for elig",
}
NO_ITEMS = ("study_label", "study_id", "study", "overall", "article_line", "note")
ROB, ITEMS, FLOW = "risk_of_bias.csv", "risk_of_bias_items.csv", "flow.csv"
STUDIES = "studies.csv"
ALTERNATIVES = "alternatives.csv"
KINDS = ("pooled", "subgroup", "coefficient", "count")
NUMBERS = ("smd", "estimate", "ci_low", "ci_high", "coef", "coef_low", "coef_high", "i2")
P_VALUES = ("p", "p_reported", "coef_p", "i2_p")
# Of each file: columns that must be there, columns that may, and those that hold ids of outcomes.
OTHERS = {
    "earlier_reviews.csv": (
        ("outcome_id", "review", "outcome", "population_or_source", "smd"), (), ()
    ),
    "article_index.csv": (("in_article", "what", "report", "section"), (), ()),
    ALTERNATIVES: (
        ("outcome", "k", "tau2", "pi_low", "pi_high", "hksj_excludes_0", "doleman_p",
         "pustejovsky_p"), (), ("outcome",),
    ),
    "published_pooled.csv": (
        ("outcome_id", "smd", "ci_low", "ci_high"), ("k", "p_reported", "note"), ("outcome_id",)
    ),
    "published_subgroups.csv": (
        ("outcome_id", "moderator_id", "level_id"),
        ("table", "k", "smd", "ci_low", "ci_high", "p", "i2", "coef", "coef_low", "coef_high",
         "coef_p"), ("outcome_id",),
    ),
    "published_text.csv": (("statistic",), (), ()),
    "published_bias.csv": (("outcome_ids", "p"), (), ()),
}  # fmt: skip
YES, NO = ("true", "wahr", "vrai", "verdadero", "1"), ("false", "falsch", "faux", "falso", "0")
TRUTHS = dict.fromkeys(YES, "True") | dict.fromkeys(NO, "False")


def read(folder, name):
    """One file of facts as text, judgements and stages under the program's words.

    Parameters
    ----------
    folder : Path
    name : str

    Returns
    -------
    pandas.DataFrame
        Empty where there is no such file. The items of a risk of bias without a file of items are
        its columns.
    """
    path = folder / name
    if not is_there(path):
        rob = read_csv(folder / ROB) if name == ITEMS and is_there(folder / ROB) else None
        return pd.DataFrame() if rob is None else _items(rob)
    table = read_csv(path)
    if name == ROB:
        for item in _items(table)["item"]:
            table[item] = table[item].map(lambda cell: judgement(cell) or "")
    if name in OTHERS:
        table = _as_printed(name, table)
    if name == FLOW and {"stage", "item"} <= set(table):
        pairs = zip(table["stage"], table["item"], strict=True)
        table["stage"] = [stage(*pair) or pair[0] for pair in pairs]
    return table


def judgement(text):
    """A judgement as low, unclear or high; None where it is none of them."""
    return WORDS.get(" ".join(text.casefold().replace("_", " ").split()).strip(". "))


def stage(word, item=""):
    """The stage of the flow of records that a word and an item name, None where it is none."""
    plain = re.sub(r"[\s_-]+", "_", word.strip().casefold())
    gone = bool(re.search(EXCLUDED, item, re.I))
    if plain == "screening" or (plain == "eligibility" and gone):
        steps = (name for name, form in STEPS.items() if re.search(form, item, re.I))
        step = next(steps, plain)
        return (
            "excluded_full_text" if (plain, step) == ("eligibility", "excluded_screening") else step
        )
    if plain == "identification" and re.search(r"previous|earlier version", item, re.I):
        return "previous"
    if plain == "included" and re.match(r"(reports of )?total", item.strip(), re.I):
        return "total"
    if plain in STAGES:
        return plain
    text = plain.replace("_", " ")
    if re.search(r"previous|earlier version", text):
        return "previous"
    if re.match(r"total", text):
        return "total"
    if re.search(STEPS["not_retrieved"], text):
        return "not_retrieved"
    if re.search(STEPS["retrieval"], text):
        return "retrieval"
    if re.search(EXCLUDED, text):
        if re.search(r"duplicat|before", text):
            return "identification"
        full = re.search(FULL, text) or re.search(r"full[ -]?text", item, re.I)
        if full or re.search(r"screen|title|abstract|record", text):
            return "excluded_full_text" if full else "excluded_screening"
        return None
    for name, form in (
        ("identification", r"identif|search|database|duplicat|found|hits"),
        ("eligibility", FULL),
        ("screening", r"screen|title|abstract"),
        ("included", r"^(studies |articles |reports )?includ|synthes|analys"),
    ):
        if re.search(form, text):
            leaving = {"screening": "excluded_screening", "eligibility": "excluded_full_text"}
            return leaving.get(name, name) if gone else name
    return None


def _items(rob):
    """The items of a table of risk of bias by its own headings."""
    items = [name for name in rob if name not in NO_ITEMS]
    return pd.DataFrame({"item": items, "domain": items, "text": items}, dtype=object)


def findings(folder, outcomes=(), *, rebuilds=False):
    """Faults and warnings of these files, each with row and column.

    Parameters
    ----------
    folder : Path
    outcomes : iterable of str
        Ids that `review.toml` has.
    rebuilds : bool
        Whether the numbers of the flow are those of an article, which `helpers.article.checks`
        puts to its authors where they do not add up; in a review's own flow that is a fault.

    Returns
    -------
    list of Finding
    """
    ids = tuple(outcomes)
    readers = [_of_bias, lambda folder: _of_flow(folder, rebuilds), _of_all_studies]
    readers += [lambda folder, name=name: _of_other(folder, name, ids) for name in OTHERS]
    readers.append(lambda folder: certainty.findings(folder, ids))
    found = []
    for read_one in readers:
        try:
            found += read_one(folder)
        except ReviewError as error:  # one file that cannot be read hides no other
            found += error.findings
    return found


def _of_all_studies(folder):
    """Nothing but what keeps the table of studies from being read."""
    if is_there(folder / STUDIES):
        read_csv(folder / STUDIES)
    return []


def _reader(name, column):
    """What reads the cells of a column and raises ValueError with what is wrong; None where any do."""
    if name == ALTERNATIVES:
        return {"outcome": None, "hksj_excludes_0": _truth}.get(column, _plain)
    if name == "article_index.csv":
        return None
    if column in P_VALUES:
        return printed_numbers.p_value
    if column in ("k", "n"):
        return printed_numbers.count
    readers = {"claim": printed_numbers.claim, "statistic": _statistic}
    return readers.get(column, printed_numbers.number if column in NUMBERS else None)


def _plain(text):
    number = plain_number(text) or ""
    if not number or not math.isfinite(float(number)):
        raise ValueError("is no number such as 2.31")


def _truth(text):
    if text.casefold() not in TRUTHS:
        raise ValueError("is neither True nor False")


def _statistic(text):
    if text not in KINDS:
        raise ValueError(f"is none of {', '.join(KINDS)}")


def _of_other(folder, name, outcomes):
    """Faults of a file of printed numbers, of reconstructions, or that leads to reports."""
    if not is_there(folder / name):
        return []
    table, found = read_csv(folder / name), Finder(name)
    needed, _, of_ids = OTHERS[name]
    for column in needed:
        if column not in table:
            found.lack(column, "this column is missing", f"Add it; it has {', '.join(table)}")
    optional = name == ALTERNATIVES and ("doleman_p", "pustejovsky_p")
    for column in table:
        reader, cells = _reader(name, column), table[column]
        if reader is None:
            continue
        wrong = cells.map(lambda cell, reader=reader: _complaint(reader, cell) if cell else "")
        for what in wrong[wrong != ""].unique():
            found.fault(wrong == what, cells, f"this {what}", "Write it as it is printed")
        if name == ALTERNATIVES and column in needed and column not in optional:
            found.fault(cells == "", cells, "a value is due here", "Fill it in")
    if name == "published_text.csv" and "statistic" in table:
        cells = table["statistic"]
        found.fault(cells == "", cells, "a kind is due here", f"Write one of {', '.join(KINDS)}")
    for column in {"outcome_ids", *of_ids} & set(table):
        cells, several = table[column], column == "outcome_ids"
        parts = cells.map(lambda cell, several=several: cell.split() if several else [cell])
        lost = (cells != "") & parts.map(lambda ids: not set(ids) <= set(outcomes))
        found.fault(lost, cells, "there is no such outcome", lambda cell: _nearest(cell, outcomes))
    return found.findings


def _nearest(cell, ids):
    return nearest(next((part for part in cell.split() if part not in ids), cell), ids)


def _complaint(reader, cell):
    try:
        reader(cell)
    except ValueError as error:
        return str(error)
    return ""


def _as_printed(name, table):
    """Columns that may lack, empty; numbers with the minus that programs know, "" where none is."""
    for column in (*OTHERS[name][0], *OTHERS[name][1]):
        if column not in table:
            table[column] = ""
    for column in table:
        reader = _reader(name, column)
        if column == "hksj_excludes_0":
            table[column] = table[column].map(lambda cell: TRUTHS.get(cell.casefold(), ""))
        elif reader in (printed_numbers.number, printed_numbers.count):
            table[column] = table[column].map(printed_numbers.digits)
        elif reader is _plain:
            table[column] = table[column].map(lambda cell: plain_number(cell) or "")
    return table


def of_studies(folder, said):
    """Faults of `[studies]`: columns that `studies.csv` does not have.

    Parameters
    ----------
    folder : Path
    said : dict
        What stands under `[studies]` in `review.toml`.

    Returns
    -------
    list of Finding
    """
    path = folder / STUDIES
    known = list(read_csv(path)) if said and is_there(path) else None
    return [
        fault(
            f"studies.{kind}.{name}", f"{STUDIES} has no such column", remedy=nearest(name, known)
        )
        for kind in ("columns", "summaries")
        for name in said.get(kind, ())
        if known is not None and name not in known
    ]


def _of_bias(folder):
    path, items = folder / ROB, folder / ITEMS
    if not is_there(path):
        if is_there(items):
            read_csv(items)  # the overview would
        return []
    table, found = read_csv(path), Finder(ROB)
    if "study_label" not in table:
        remedy = f"Name the column of the studies so; it has {', '.join(table)}"
        found.lack("study_label", "this column is missing", remedy)
    listed = _items(table)["item"]
    if not len(listed):
        found.lack(None, "there is no column of an item", "Add one for each item that was judged")
    if is_there(items):
        texts, told = read_csv(items), Finder(ITEMS)
        for name in ("item", "text"):
            if name not in texts:
                remedy = f"Add it; it has {', '.join(texts)}"
                told.lack(name, "this column is missing", remedy)
        if texts.empty:
            told.lack("item", "no item is listed", f"List them, or take {ITEMS} away")
        if not told.findings:
            lost = ~texts["item"].isin(table.columns)
            what = f"{ROB} has no such column"
            told.fault(lost, texts["item"], what, lambda cell: nearest(cell, table.columns))
            listed = texts["item"][~lost]
        found.findings += told.findings
    else:
        what = f"there is no {ITEMS}: the items are called by their headings"
        found.lack(None, what, "Write one with the columns item, domain, text", "warning")
    remedy = "Write low, unclear or high (or low risk, +, ?, -)"
    for name in listed:
        cells = table[name]
        wrong = (cells != "") & cells.map(judgement).isna()
        found.fault(wrong, cells, "this is no judgement known here", remedy)
        between = cells.map(lambda cell: " ".join(cell.casefold().split()) in BETWEEN)
        what = "this is shown as unclear"
        found.warn(between, cells, what, "Write low or high where it is one of them")
    return found.findings


def _of_flow(folder, rebuilds):
    path = folder / FLOW
    if not is_there(path):
        return []
    table, found = read_csv(path), Finder(FLOW)
    lacking = [name for name in ("stage", "item", "n") if name not in table]
    for name in lacking:
        found.lack(name, "this column is missing", f"Add it; it has {', '.join(table)}")
    if not lacking:
        pairs = zip(table["stage"], table["item"], strict=True)
        unknown = pd.Series([stage(*pair) is None for pair in pairs], table.index)
        remedy = f"Write one of {', '.join(STAGES)}"
        found.fault(unknown, table["stage"], "there is no such stage", remedy)
        wrong = table["n"].map(
            lambda cell: not re.fullmatch(r"[0-9]{1,9}", plain_number(cell) or "")
        )
        found.fault(wrong, table["n"], "a whole number is due here", "Write it without marks")
        if "source" in table:
            cells = table["source"]
            unclear = (cells.str.strip() != "") & cells.map(flow.source_of).isna()
            remedy = f"Write one of {', '.join(flow.SOURCES)}"
            found.warn(unclear, cells, "this counts as a database", remedy)
        if not (rebuilds or unknown.any() or wrong.any()):
            _of_sums(read(folder, FLOW), found)
    return found.findings


def _of_sums(table, found):
    """Findings of a flow that does not add up."""
    for held in flow.sums(flow.arranged(table.assign(n=table["n"].map(plain_number)))):
        if held.holds:
            continue
        what = f"this should be {held.terms} = {held.left}"
        remedy = "Mend the number that is wrong, or add a row for those that left or came here"
        severity = "fault"
        if held.unit and held.n < held.left:
            severity = "warning"  # a study can have several reports
            remedy = (
                f"Where a study has several reports, add a row of included reports: {held.left}"
            )
        elif held.stage.startswith(("excluded", "not", "removed")):
            severity = "warning"  # a report can have several reasons, or one that is not listed
            what = f"the reasons listed below add up to {held.left}"
        elif not held.listed:
            what = f"this is more than the {held.terms} before it"
        found.add(what, remedy, held.row, "n", str(held.n), severity)
