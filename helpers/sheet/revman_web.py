"""The analyses of a data package of RevMan Web (.zip), a row a study in an analysis."""

import csv
import io
import re
import zipfile

from helpers.sheet.delimited import clean
from helpers.sheet.revman import (
    CONTINUOUS,
    DICHOTOMOUS,
    INVERSE,
    IPD,
    LARGEST,
    NUMBERS,
    Analyses,
    measure_of,
    not_empty,
    part_of,
    refusal,
    swap,
    warn_of,
)

DATA_TYPES = {
    "continuous": CONTINUOUS,
    "dichotomous": DICHOTOMOUS,
    "contrast level": INVERSE,
    "generic inverse variance": INVERSE,
    "o-e and variance": IPD,
}
SWAP = "Swap event and non-event"
PACKAGE = "Download the review's data package from RevMan Web or the Cochrane Library anew"


def read_package(path):
    """The analyses of a data package of RevMan Web, as it is downloaded or inside a review's files.

    Parameters
    ----------
    path : Path
        A zip that holds ``...-data-rows.csv`` and ``...-overall-estimates-and-settings.csv``.

    Returns
    -------
    Analyses

    Raises
    ------
    ReviewError
        It is no such package, or one that is too large or of diagnostic tests.

    Notes
    -----
    Where a number does not belong to the kind of data, older packages have 0 and newer ones
    nothing. ``GIV Mean`` is the logarithm where ``Log-scale data`` is true. ``Mean`` is empty where
    RevMan cannot estimate the effect of a row.
    """
    rows, settings, parts = _files(path)
    found = Analyses(path.name)
    known = {(each["Analysis group"], each["Analysis number"]): each for each in settings.values()}
    analyses, numbers = {}, _part_numbers(rows, parts)
    for key, setting in known.items():
        analyses[key] = _setting(path, setting)
        swapped, pooled = (_true(setting, name) for name in (SWAP, "Overall estimates"))
        has_parts = any(row["Subgroup"] for row in rows.values() if _key(row) == key)
        warn_of(found, analyses[key], pooled, has_parts, swapped)
    for number, row in rows.items():
        key = _key(row)
        if key not in known:
            what = "there is no analysis {}.{} among the settings".format(*key)
            raise refusal(path, what, PACKAGE, row=number)
        pooled = _true(known[key], "Overall estimates")
        here = part_of(analyses[key], row["Subgroup"], numbers.get((*key, row["Subgroup"])), pooled)
        cells = {name: row.get(name) or "" for name in (*NUMBERS, "Study", "Footnotes")}
        cells = {name: re.sub(r"^(\d+)\.0$", r"\1", text) if name.endswith(("cases", " N")) else text
                 for name, text in cells.items()}  # fmt: skip
        cells |= {"Year": row.get("Study year") or ""}
        if _true(known[key], SWAP):
            cells = swap(cells)
        found.add(number, here, cells, _left_out(row, pooled))
    return not_empty(path, found)


def _key(row):
    return row["Analysis group"], row["Analysis number"]


def _true(setting, name):
    return (setting.get(name) or "").lower() == "true"


def _setting(path, setting):
    kind = DATA_TYPES.get(setting["Data type"].lower())
    if kind is None:
        raise refusal(path, "this kind of data is not known", PACKAGE, value=setting["Data type"])
    return {
        "Comparison": setting["Analysis group name"],
        "Analysis": "{}.{}".format(*_key(setting)),
        "Outcome": setting["Analysis name"],
        "Data type": kind,
        "Effect measure": measure_of(setting["Effect measure"]),
        "Scale": "log" if _true(setting, "Log-scale data") else "identity",
        "Experimental group": setting.get("Experimental group label") or "",
        "Control group": setting.get("Control group label") or "",
        "Left side": setting.get("Graph label (left)") or "",
        "Right side": setting.get("Graph label (right)") or "",
    }


def _left_out(row, pooled):
    """Why a row is not in RevMan's own result."""
    here, no = (
        (row.get("Applicability") or "").upper(),
        "SUBGROUP_ONLY" if pooled else "OVERALL_ONLY",
    )
    if here == no or here not in ("", "SUBGROUP_ONLY", "OVERALL_ONLY", "SUBGROUP_AND_OVERALL"):
        return f"not in RevMan's result ({here})"
    return "" if row.get("Mean") else "not estimable in RevMan"


def _part_numbers(rows, parts):
    """The number of each subgroup: as a file has it, or in their order."""
    numbers, seen = {}, {}
    for row in rows.values():
        if row["Subgroup"]:
            order = seen.setdefault(_key(row), [])
            if row["Subgroup"] not in order:
                order.append(row["Subgroup"])
            given = row.get("Subgroup number") or str(order.index(row["Subgroup"]) + 1)
            numbers.setdefault((*_key(row), row["Subgroup"]), given)
    for part in parts.values():
        if part.get("Subgroup number"):
            numbers[*_key(part), part["Subgroup"]] = part["Subgroup number"]
    return numbers


def _files(path):
    """Rows, settings and subgroups of the package, each by the row of their file."""
    needed = {
        "data-rows.csv": ("Analysis group", "Analysis number", "Subgroup", "Study", "Mean"),
        "overall-estimates-and-settings.csv": (
            *("Analysis group", "Analysis number", "Analysis name", "Analysis group name"),
            *("Data type", "Effect measure", "Overall estimates"),
        ),
        "subgroup-estimates.csv": ("Analysis group", "Analysis number", "Subgroup"),
    }
    texts = _unzip(path, needed)
    tables = []
    for name, columns in needed.items():
        if name not in texts:
            if name.startswith("subgroup"):
                tables.append({})
                continue
            raise refusal(path, f"this package has no {name}", PACKAGE)
        reader = csv.reader(io.StringIO(texts[name], newline=""), strict=True)
        heads, *lines = [[clean(cell) for cell in line] for line in reader]
        if lacking := [column for column in columns if column not in heads]:
            raise refusal(path, f"{name} has no column {lacking[0]}", PACKAGE)
        tables.append(_lines(path, name, heads, lines))
    return tables


def _lines(path, name, heads, lines):
    for row, line in enumerate(lines, 2):
        if any(line) and len(line) != len(heads):
            what = f"{name} has {len(line)} cells under {len(heads)} headings in this row"
            raise refusal(path, what, PACKAGE, row=row)
    return {
        row: dict(zip(heads, line, strict=True)) for row, line in enumerate(lines, 2) if any(line)
    }


def _unzip(path, needed):
    """The texts of the files that are needed, by the ends of their names."""
    with zipfile.ZipFile(path) as outer:
        members = [each for each in outer.infolist() if not _apple(each.filename)]
        inside = [
            each for each in members if each.filename.lower().endswith(("data.zip", "package.zip"))
        ]
        archives = [outer]
        if not any(each.filename.endswith("data-rows.csv") for each in members):
            archives = [zipfile.ZipFile(io.BytesIO(_read(path, outer, each))) for each in inside]
        found, texts = [(a, each) for a in archives for each in a.infolist()], {}
        if any(each.filename.endswith("-parameters.csv") for _, each in found):
            what = "this is the package of a review of diagnostic tests"
            raise refusal(path, what, "Only reviews that compare two groups are read")
        for archive, member in found:
            for name in needed:
                if member.filename.endswith(name) and not _apple(member.filename):
                    if name in texts:
                        what = f"this package has several files {name}"
                        raise refusal(path, what, "Pack one review only")
                    texts[name] = _read(path, archive, member).decode("utf-8-sig")
    if not texts:
        what = "this zip is no data package of RevMan Web"
        raise refusal(path, what, "Unpack it and name the sheet inside, or " + PACKAGE.lower())
    return texts


def _apple(name):
    """Whether a file is what a Mac adds to a zip."""
    return "__MACOSX" in name or name.rsplit("/")[-1].startswith("._")


def _read(path, archive, member):
    """A file of an archive, never larger than it may be, whatever the archive says of its size."""
    with archive.open(member) as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise refusal(
            path, f"{member.filename} is too large", "Is it a data package of RevMan Web?"
        )
    return data
