"""What a sheet says of its studies' quality: judgements in its words brought to three of ours."""

import re
from dataclasses import dataclass, field

import pandas as pd

from helpers.review.columns import ARMS
from helpers.review.facts import BETWEEN, ROB, WORDS
from helpers.review.schema import fault

# Levels from best to worst, by what a column holds.
LEVELS = {"risk_of_bias": ("low", "unclear", "high"), "reporting": ("yes", "partly", "no")}
LOSSES = tuple(f"{n}{a}" for n in ("drop_outs", "allocated") for a in ("", "_treated", "_control"))
YES = {"yes", "y", "true", "1", "1.0", "done", "reported", "ja", "oui", "si", "sí"}
NO = {"no", "n", "false", "0", "0.0", "not done", "nein", "non"}
OPEN = {word for word, level in WORDS.items() if level == "unclear"} | {*BETWEEN, "uc"}
NOT_JUDGED = {"", "na", "n/a", "n.a", "not applicable", "not assessed"}
SIGNS = {"+", "++", "?", "-", "--", "–"}
# "x" may be a tick or a cross, and a dash an empty cell: neither is read by itself.
UNSURE = {"x", "-", "--", "–"}
OF_BIAS = {word: level for word, level in WORDS.items() if word not in UNSURE}
OF_BIAS |= dict.fromkeys(OPEN, "unclear")
OF_REPORTING = (
    dict.fromkeys(YES | {"complete", "fully", "full", "adequate"}, "yes")
    | dict.fromkeys({"partly", "partial", "partially", "incomplete", *OPEN}, "partly")
    | dict.fromkeys(NO | {"not reported", "nr", "n.r", "not stated", "absent", "none"}, "no")
)
# What lowers the risk where it was done, so that "yes" is low; and headings that turn that round.
SAFEGUARD = re.compile(
    r"random|blind|mask|conceal|sample size|power (calc|anal)|similar|comparab|balanced|free of|"
    r"adequate|appropriate",
    re.I,
)
TURNED = re.compile(
    r"bias(?!ed)|risk|(?<![^\W_])ro?b(?![a-z])|selectiv|incomplete|attrition|conflict|missing|"
    r"(?<![^\W_])(un|non|not|no|lack|without|absence)(?![^\W_])|unblind|unmask|unconceal|"
    r"inadequate|inappropriate|non-?random|differ",
    re.I,
)
KNOWN = {
    "risk_of_bias": "low, unclear, high, yes, no, NR, +, ? and the like",
    "reporting": "yes, partly, no, NR and the like",
}


@dataclass(frozen=True)
class Quality:
    """What `[quality]` says: which columns of the sheet hold judgements, and animals lost.

    `risk_of_bias` and `reporting` are headings, an item each; `values` says by heading (or "*" for
    all) what their words mean; `drop_outs` are animals lost and `allocated` those at the start, by
    group or, without one, of both groups together (in a long sheet, of the row's group).
    """

    risk_of_bias: list = field(default_factory=list)
    reporting: list = field(default_factory=list)
    values: dict = field(default_factory=dict)
    drop_outs: str | None = None
    drop_outs_treated: str | None = None
    drop_outs_control: str | None = None
    allocated: str | None = None
    allocated_treated: str | None = None
    allocated_control: str | None = None

    @property
    def kinds(self):
        """From an item to what it holds: "risk_of_bias" or "reporting"."""
        return {item: kind for kind in LEVELS for item in getattr(self, kind)}

    @property
    def losses(self):
        """From the names of `LOSSES` to columns, as far as they are given."""
        named = {name: getattr(self, name) for name in LOSSES}
        return {name: column for name, column in named.items() if column}

    def as_moderator(self, entry, columns):
        """An entry of `[[moderators]]`; one whose column is an item has the item's levels."""
        kind = self.kinds.get(self.source(entry, columns))
        return entry if kind is None or entry.get("levels") else entry | {"levels": LEVELS[kind]}

    @staticmethod
    def source(entry, columns):
        """The sheet's column of an entry of `[[moderators]]`."""
        source = entry.get("column") or columns.get(entry["id"], entry["id"])
        return source if isinstance(source, str) else None

    def illegal(self):
        """Faults: items that stand twice, words that are said for no item or to be no level."""
        items = [*self.risk_of_bias, *self.reporting]
        for item in dict.fromkeys(item for item in items if items.count(item) > 1):
            yield fault("quality", "this item stands here twice", item, "Take one of them out")
        for item, words in self.values.items():
            place = f"quality.values.{item}"
            if item not in (*items, "*"):
                remedy = "Name it under risk_of_bias or reporting, or take it out"
                yield fault(place, "there is no such item", item, remedy)
                continue
            kinds = {self.kinds[item]} if item in self.kinds else set(self.kinds.values())
            levels = [level for kind in sorted(kinds) for level in LEVELS[kind]]
            for word, level in words.items():
                if level and level not in levels:
                    remedy = f'Write one of {", ".join(levels)}, or "" for not judged'
                    yield fault(f"{place}.{word}", "this is no level", level, remedy)
        for name in ("drop_outs", "allocated"):
            if getattr(self, name) and any(getattr(self, f"{name}_{arm}") for arm in ARMS):
                what = "animals of both groups and of each are named: two sources"
                yield fault(f"quality.{name}", what, getattr(self, name), "Take one of them out")

    def words(self, item, cells, missing=()):
        """What the words of an item's cells mean.

        Parameters
        ----------
        item : str
        cells : iterable of str
            All cells of its column.
        missing : set of str
            Words that stand for a value that is not there, where no level is known for them.

        Returns
        -------
        dict
            From each word to a level, "" where nothing was judged, None where it is not known.
        unsure : list of str
            Words of yes and no whose heading leaves open which of them is a low risk.
        """
        kind, cells = self.kinds[item], list(dict.fromkeys(cells))
        said = {**self.values.get("*", {}), **self.values.get(item, {})}
        known = dict(OF_BIAS if kind == "risk_of_bias" else OF_REPORTING)
        if {*map(_plain, cells)} & {"+", "++"}:  # beside a plus a dash is a minus
            worst = LEVELS[kind][-1]
            known |= {"+": LEVELS[kind][0], "++": LEVELS[kind][0]}
            known |= dict.fromkeys(SIGNS & UNSURE, worst)
        asked = kind == "risk_of_bias" and not is_safeguard(item)
        if kind == "risk_of_bias" and not asked:
            # "n" and "y" too, but "l", "h" and "u" are levels of their own already.
            known |= dict.fromkeys(YES, "low") | dict.fromkeys(NO, "high")
        found, unsure = {}, []
        for cell in cells:
            word = _plain(cell)
            if cell in said or word in said:
                level = said.get(cell, said.get(word)) or ""
            elif cell in missing and known.get(word) not in ("unclear", "partly"):
                level = ""
            else:
                level = "" if word in NOT_JUDGED else known.get(word)
            if level is None and asked and word in YES | NO:
                unsure.append(cell)
            found[cell] = level
        return found, unsure


def is_safeguard(heading):
    """Whether "yes" under a heading is clearly a low risk: "Random allocation", not "Other bias"."""
    return bool(SAFEGUARD.search(heading)) and not TURNED.search(heading)


def by_study(review, kind):
    """Judgements of a review's sheet, a row a study.

    Parameters
    ----------
    review : helpers.review.review.Review
    kind : {"risk_of_bias", "reporting"}

    Returns
    -------
    pandas.DataFrame
        ``study_label`` and a column an item; where rows of a study differ the worst of them, and
        an empty text where none was judged. Empty where the sheet has no such column.
    """
    items = list(getattr(review.quality, kind))
    if not items or review.experiments.empty:
        return pd.DataFrame()
    order = {level: place for place, level in enumerate(("", *LEVELS[kind]))}
    cells = review.judgements[items]
    ranks = cells.apply(lambda column: column.map(order))
    worst = ranks.groupby(review.experiments["study"], sort=False).max()
    levels = dict(zip(order.values(), order, strict=True))
    table = worst.apply(lambda column: column.map(levels))
    return table.rename_axis("study_label").reset_index()


def findings(found, folder, quality, sheet, numbers, whole_controls):
    """Faults and warnings of what the sheet says about quality.

    Parameters
    ----------
    found : helpers.problems.Finder
    folder : Path
    quality : Quality
    sheet : helpers.review.mapping.sheet.MappedSheet
    numbers : pandas.DataFrame
        Group sizes, as floats.
    whole_controls : bool
        Whether the control's n counts the whole group.
    """
    if quality.risk_of_bias and (folder / ROB).is_file():
        what = f"{ROB} is there too: two sources of the judgements"
        found.findings.append(
            fault("quality.risk_of_bias", what, remedy="Take one of them away (move or rename it)")
        )
    _losses(found, quality, sheet.losses, numbers, whole_controls)


def _losses(found, quality, losses, numbers, whole_controls):
    """Animals that do not add up: those at the start less those lost are those in the mean."""
    n = {arm: numbers[f"n_{arm}"] for arm in ARMS}
    n[""] = sum(n.values())
    for name in losses:
        column = quality.losses.get(name, quality.losses.get(name.rpartition("_")[0]))
        cells = losses[name].rename(column)
        what, remedy = "a whole number of animals is due here", "Write it, or leave the cell empty"
        found.fault((cells < 0) | (cells % 1 != 0) & cells.notna(), cells, what, remedy)
    for arm, size in n.items():
        end = f"_{arm}" * bool(arm)
        if arm != "treated" and not whole_controls:
            continue
        start, lost = losses.get(f"allocated{end}"), losses.get(f"drop_outs{end}")
        if start is not None and lost is not None:
            wrong = (start - lost).notna() & size.notna() & (start - lost != size)
            what = "n is not the animals allocated less those lost"
        elif start is not None:
            wrong, what = start < size, "fewer animals were allocated than n counts"
        else:
            continue
        there = quality.losses.get(f"allocated{end}", quality.losses.get("allocated"))
        remedy = f"Check n, {', '.join(quality.losses.values())} against the source"
        for row in size.index[wrong]:
            said = f"{what} ({start[row]:g} allocated"
            said += f", {lost[row]:g} lost" if lost is not None else ""
            said += f", n {size[row]:g})"
            found.warn(pd.Series(size.index == row, size.index), start.rename(there), said, remedy)
    if not any(name.startswith("allocated") for name in losses):
        for name in losses.columns[(losses > 0).any()]:
            column = quality.losses.get(name, quality.losses.get(name.rpartition("_")[0]))
            what = "animals were lost, and no column says how many were allocated: n is read as "
            what += "the animals that the mean and SD are of"
            remedy = "Name the column of those allocated as `allocated` under [quality], or check n"
            found.lack(column, what, remedy, "warning")


def _plain(text):
    return " ".join(text.casefold().replace("_", " ").split()).strip(". ")
