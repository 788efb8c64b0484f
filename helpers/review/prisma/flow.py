"""The flow of records in the columns of PRISMA 2020, and whether its sums hold."""

import re
from dataclasses import dataclass

import pandas as pd

# A step of a column and the stage of those that leave it.
STEPS = (("identification", "removed"), ("screening", "excluded_screening"),
         ("retrieval", "not_retrieved"), ("eligibility", "excluded_full_text"))  # fmt: skip
STAGES = [step for step, _ in STEPS]
SOURCES = {
    "previous": r"\b(previous|earlier|prior|old) |\bprevious$|last version|update",
    "registers": r"\bregist|clinicaltrials|ictrp|prospero",
    "other": r"\bother\b(?! (database|reason))|website|organi[sz]ation|citation|addition|gr[ea]y"
    r"|\b(manual|hand)[ -]?search|reference lists?|snowball|experts?\b|personal",
    "databases": r"database|medline|pubmed|embase|scopus|web of science|cinahl|psycinfo|cochrane"
    r"|cnki|biosis|lilacs",
}
OTHER_WAY = r"other (methods|sources)|citation search"  # what an item beyond the search may say
REMOVED = r"duplicat|remov|ineligib"
TOTAL = r"exclu|remov|not retriev|total|\ball\b"
# An item that names no reason is the total of those below it.
BARE = (
    r"(total|all)? ?(records?|reports?|full[- ]?texts?|articles?|studies)? ?(were )?"
    r"(excluded|removed|not retrieved|total)?( before screening| in total)?[: ]*"
)
REPORTS = r"report|article|paper|publication|record"


@dataclass(frozen=True)
class Sum:
    """One number of the flow held against those before it.

    Attributes
    ----------
    row : int
        Label of its row in the table.
    item : str
    n : int
    more, less : tuple of int
        What it should be: the sum of these, less those.
    listed : bool
        Whether all that leaves is listed; without that only more than there was is wrong.
    unit : bool
        Whether it counts studies, and what came before reports: fewer are possible.
    stage : str
    """

    row: int
    item: str
    n: int
    more: tuple
    less: tuple = ()
    listed: bool = True
    unit: bool = False
    stage: str = ""

    @property
    def left(self):
        """What the number should be."""
        return sum(self.more) - sum(self.less)

    @property
    def holds(self):
        """Whether it is that, or can be where not all that left is listed."""
        return self.n == self.left or (not self.listed and self.n < self.left)

    @property
    def terms(self):
        """Such as "1009 - 507"."""
        return " + ".join(map(str, self.more)) + "".join(f" - {n}" for n in self.less)


def source_of(word, item="", stage="identification"):
    """From where a record came: databases, registers, other or previous; None where unclear.

    Parameters
    ----------
    word : str
        The cell of the column `source`, empty where there is none.
    item : str
        Tells it where there is no such word.
    stage : str
    """
    if word.strip():
        return next((s for s, form in SOURCES.items() if re.search(form, f"{word} ", re.I)), None)
    if stage == "previous":
        return stage
    if stage == "identification":
        named = (s for s in ("registers", "other") if re.search(SOURCES[s], item, re.I))
        return next(named, "databases")
    return "other" if re.search(OTHER_WAY, item, re.I) else "databases"


def arranged(table):
    """The rows with their stage, column and source.

    Parameters
    ----------
    table : pandas.DataFrame
        ``stage, item, n`` and, if wanted, ``source``; stages as `helpers.review.facts.stage` says.

    Returns
    -------
    pandas.DataFrame
        ``stage, item, n, source, column``; `column` is main, other or previous; what leaves before
        the screening has the stage ``removed``.
    """
    stage, item = table["stage"], table["item"]
    leaves = (stage == "identification") & item.str.contains(REMOVED, case=False)
    words = table["source"] if "source" in table else pd.Series("", table.index)
    source = [
        source_of(*cells) or "databases" for cells in zip(words, item, stage, strict=True)
    ]  # what leaves is not told apart by its item
    source = pd.Series(source, table.index, dtype=object)
    source = source.mask(leaves & (words == ""), "databases")
    stage = stage.mask(leaves, "removed").mask(
        (source == "previous") & ~stage.isin(["included", "total"]), "previous"
    )
    column = source.replace({"databases": "main", "registers": "main"})
    rows = pd.DataFrame({"stage": stage, "item": item, "n": table["n"].astype(int),
                         "source": source, "column": column})  # fmt: skip
    # An old habit: what was found elsewhere joins the records before duplicates are removed.
    main, other = (rows[rows["column"] == name] for name in ("main", "other"))
    screened = _of(main, "screening")["n"].tolist()
    if set(other["stage"]) == {"identification"} and screened:
        found, elsewhere = (sum(parts(_of(part, "identification"))) for part in (main, other))
        left = found - sum(gone(_of(main, "removed"), found + elsewhere - screened[0]))
        if left != screened[0] == left + elsewhere:
            rows.loc[other.index, "column"] = "main"
    return rows


def _of(rows, stage):
    return rows[rows["stage"] == stage]


def parts(rows):
    """Counts of rows, without what they are told of in detail: a total before its parts counts once.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of one stage.

    Returns
    -------
    list of int
    """
    counts = rows["n"].tolist()
    return counts[:1] if len(counts) > 2 and counts[0] == sum(counts[1:]) else counts


def gone(rows, due=None):
    """Counts of those that leave at a step: the total that is named first, else all reasons.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of one stage.
    due : int, optional
        How many have to leave, by what is left.
    """
    counts = rows["n"].tolist()
    if len(counts) < 2 or not re.search(TOTAL, rows["item"].iloc[0], re.I):
        return counts
    named = re.fullmatch(BARE, rows["item"].iloc[0].strip(), re.I)
    named = named or counts[0] == sum(counts[1:]) or counts[0] == due != sum(counts)
    return counts[:1] if named else counts


def total(rows, due=None):
    """The number of a step, None without rows: its first, or their sum where that is what is due."""
    counts = rows["n"].tolist()
    if not counts:
        return None
    return due if sum(counts) == due else counts[0]


def sums(rows):
    """Each number of the flow that follows from others.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `arranged`.

    Returns
    -------
    list of Sum
    """
    found = []
    ends = [_down(rows[rows["column"] == column], found) for column in ("main", "other")]
    return [*found, *_included(rows, *ends), *_of_versions(rows)]


@dataclass(frozen=True)
class _End:
    """What the last step of a column leaves: `more` less `less`, as of `Sum`."""

    more: tuple
    less: tuple
    listed: bool
    assessed: bool


def _down(column, found):
    """Hold the steps of one column one after the other; the end of it, None for an empty one."""
    more, less, listed = (), (), False
    present = [step for step, _ in STEPS if len(_of(column, step))]
    for step, leaving in STEPS:
        here, out = _of(column, step), _of(column, leaving)
        if len(here):
            n = total(here, sum(more) - sum(less) if more else None)
            if more:
                row, item = here.index[0], here["item"].iloc[0]
                found.append(Sum(row, item, n, more, less, listed, stage=step))
            more = tuple(parts(here)) if step == "identification" else (n,)
            less, listed = (), False
        if not len(out):
            continue
        later = [name for name in present if name in STAGES[STAGES.index(step) + 1 :]]
        due = sum(more) - sum(less) - _of(column, later[0])["n"].iloc[0] if later else None
        counts = gone(out, due)
        if len(counts) < len(out):
            reasons = tuple(out["n"].iloc[1:])
            row, item = out.index[0], out["item"].iloc[0]
            found.append(Sum(row, item, counts[0], reasons, stage=leaving))
        less, listed = (*less, *counts), True
    return _End(more, less, listed, "eligibility" in present) if more else None


def _included(rows, main, other):
    """Hold what is included against what the columns leave."""
    new = _of(rows, "included")
    if new.empty or main is None or not main.assessed:
        return
    reports = new[new["item"].str.contains(REPORTS, case=False)]
    row = (reports if len(reports) else new).iloc[0]
    # What was found elsewhere without steps of its own joined as it was.
    ends = [end for end in (main, other) if end is not None]
    listed = main.listed and (other is None or other.listed or not other.assessed)
    studies = not len(reports) and "stud" in row["item"].lower()
    more, less = (sum((getattr(end, name) for end in ends), ()) for name in ("more", "less"))
    yield Sum(row.name, row["item"], int(row["n"]), more, less, listed, studies, "included")


def _of_versions(rows):
    """Hold the total against an earlier version and what is new, studies and reports each."""
    three = [_of(rows, stage) for stage in ("total", "previous", "included")]
    if not all(map(len, three)):
        return
    of_reports = [part["item"].str.contains(REPORTS, case=False) for part in three]
    for kind in (False, True):
        firsts = [part[mask == kind] for part, mask in zip(three, of_reports, strict=True)]
        if not all(map(len, firsts)) and not any(len(part) > 1 for part in three) and not kind:
            firsts = three
        if all(map(len, firsts)):
            whole, before, new = (part.iloc[0] for part in firsts)
            counts = (int(before["n"]), int(new["n"]))
            yield Sum(whole.name, whole["item"], int(whole["n"]), counts, stage="total")
