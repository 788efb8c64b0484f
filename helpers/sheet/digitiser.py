"""Data sets of a digitiser's project: WebPlotDigitizer's, versions 3 to 5, as JSON or in a TAR."""

import json
import re
import tarfile
from math import hypot, isfinite, log10

from helpers.sheet.points import ANEW, DataSet, Point, say_empty

PROJECTS = (".json", ".tar")
VERSIONS = (3, 4, 5)
LARGEST = 50_000_000  # bytes of a project's text; those of a figure have some thousands
MEMBERS = 1_000  # files in an archive: a project has three, and one for each page of a document
# Axes whose points have a value for each bar or x, with how many numbers a point has.
NUMBERS = {"BarAxes": 1, "XYAxes": 2}


def read_project(path, found):
    """Data sets of a project that hold points.

    Parameters
    ----------
    path : Path
        A project as versions 3, 4 and 5 save it, alone (.json) or with its picture (.tar).
    found : Finder
        Takes what is odd: empty data sets, values that were typed over.

    Returns
    -------
    list of DataSet

    Raises
    ------
    ReviewError
        No project, or data sets that cannot be read as bars or curves.
    """
    project = _load(path, found)
    axes, entries = _parts(project, found)
    sets = []
    for number, entry in enumerate(entries, 1):
        name = str(entry.get("name") or "").strip() or f"data set {number}"
        if entry.get("data"):
            sets += _data_sets(name, entry, axes, found)
        else:
            say_empty(name, found)
    found.refuse()
    return sets


def _load(path, found):
    if path.suffix.lower() == ".tar":
        return json.loads(_member(path, found))
    if path.stat().st_size > LARGEST:
        found.lack(None, f"a project of more than {LARGEST:,} bytes is not read", ANEW)
        found.refuse()
    return json.loads(path.read_bytes())


def _member(path, found):
    """The text of the one `wpd.json` in an archive, read in memory, whatever its folder."""
    texts, number = {}, 0
    with tarfile.open(path, "r:") as archive:  # an archive in an archive, or a packed one, is none
        for number, member in enumerate(archive, 1):
            if number > MEMBERS:
                break
            if member.isreg() and member.name.rsplit("/", 1)[-1].lower() == "wpd.json":
                if member.size > LARGEST:
                    what = f"{member.name} in it has more than {LARGEST:,} bytes"
                    found.lack(None, what, ANEW)
                    found.refuse()
                texts[member.name] = archive.extractfile(member).read()
    if number > MEMBERS:
        found.lack(None, f"this archive holds more than {MEMBERS:,} files", ANEW)
    elif len(texts) != 1:
        listed = f" ({', '.join(texts)})" if texts else ""
        what = f"this archive holds {len(texts) or 'no'} wpd.json{listed}, and a project has one"
        found.lack(None, what, "Save the project anew in WebPlotDigitizer, a file each")
    found.refuse()
    return texts.popitem()[1]


def _parts(project, found):
    """Axes by name, and entries of data sets, brought to the form of version 4."""
    project = project if isinstance(project, dict) else {}
    old = project.get("wpd")
    if isinstance(old, dict):
        axes = [
            {
                **(old.get("axesParameters") or {}),
                "name": "axes",
                "type": old.get("axesType"),
                "calibrationPoints": old.get("calibration"),
            }
        ]
        entries = [{**entry, "axesName": "axes"} for entry in old.get("dataSeries") or ()]
    else:
        axes, entries = project.get("axesColl") or (), project.get("datasetColl")
    version = (old if isinstance(old, dict) else project).get("version", VERSIONS[0])
    major = version[0] if isinstance(version, list) and version else version
    if not isinstance(entries, list):
        found.lack(
            None,
            "this is no project of WebPlotDigitizer: there is neither datasetColl nor wpd in it",
            "Save the project in WebPlotDigitizer, or give the file another ending",
        )
    elif str(major).split(".")[0] not in map(str, VERSIONS):
        what = f"a project of version {version} is not known, only of versions 3, 4 and 5"
        found.lack(None, what, "Export the data sets as CSV, and say digitiser = true")
    found.refuse()
    named = {}
    for each in axes:
        named.setdefault(each.get("name"), each)  # of two with one name the digitiser takes this
    return named, entries


def _data_sets(name, entry, axes, found):
    """The data set, or one for each of its point groups."""
    mine = axes.get(entry.get("axesName"), {})
    points = entry["data"]
    kind = mine.get("type")
    numbers = NUMBERS.get(kind) or (kind is None and _width(points))
    if fault := _unfit(points, kind, numbers, mine, axes):
        found.lack(name, *fault)
        return []
    read = [
        _point(name, number, point, entry, mine, numbers, found)
        for number, point in enumerate(points, 1)
    ]
    if None in read:
        return []
    groups = entry.get("groupNames") or []
    curve, label = numbers == 2, str(entry.get("axesName") or "")
    frame = (bool(mine.get("isLogX")),)
    if not curve:
        lying = abs(_across(mine)[1]) > abs(_across(mine)[0])
        frame = (str(entry.get("file", "")), str(entry.get("page", "")), lying)
    if not groups:
        return [DataSet(name, tuple(read), curve, label, frame)]
    return [
        DataSet(each, tuple(members), curve, label, frame)
        for each, members in _groups(name, points, read, groups, found).items()
    ]


def _unfit(points, kind, numbers, mine, axes):
    """What keeps a data set out of a table, and the way out; None where nothing does."""
    remedy = "Digitise it on bar axes or XY axes, or delete it in the digitiser"
    if axes and not mine:
        return "this data set stands on no axes, so that its points have no values", remedy
    if kind and kind not in NUMBERS:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(kind)).lower()
        return f"this data set stands on {words}; only bar and XY axes make a table", remedy
    if numbers not in NUMBERS.values():
        return "this data set stands on axes that are neither bar axes nor XY axes", remedy
    typed = _calibrated(mine, numbers)
    if dates := [text for text in typed if re.search(r"[/:]", text)]:
        what = f"its axis runs over dates or times ({', '.join(dates)}), which are not read"
        return what, "Calibrate the axis anew, in days from the start, or delete the data set"
    if commas := [text for text in typed if "," in text]:
        what = (
            f"its axis was calibrated with {', '.join(map(repr, commas))}; WebPlotDigitizer reads "
            "such numbers up to the comma, so that all values are wrong"
        )
        return what, "Calibrate the axis anew, with decimal points"
    return None


def _width(points):
    """How many numbers a point has, where the axes do not say it."""
    widths = {len(point.get("value") or ()) for point in points}
    return widths.pop() if len(widths) == 1 else None


def _calibrated(axes, numbers):
    """What was typed when the axes were calibrated, of the points that count."""
    points = axes.get("calibrationPoints") or []
    if numbers == 1:
        return [str(point.get("dy")) for point in points[:2]]
    return [str(p.get("dx")) for p in points[:2]] + [str(p.get("dy")) for p in points[2:4]]


def _point(name, number, point, entry, axes, numbers, found):
    """A point, or None where it was found at fault."""
    value, more = point.get("value"), point.get("metadata")
    keys = [str(key).lower() for key in entry.get("metadataKeys") or ()]
    if isinstance(more, list):  # up to version 4.1
        keys = keys or ["label"]
        more = dict(zip(keys, more, strict=False))
    more = {str(key).lower(): text for key, text in more.items()} if more else {}
    value = list(value) if isinstance(value, list) else []
    if len(value) != numbers:
        what = f"point {number} has {len(value)} numbers, and its axes give {numbers}"
        found.lack(name, what, ANEW)
        return None
    typed = {str(key).lower(): text for key, text in (more.get("overrides") or {}).items()}
    for at, key in enumerate(("x", "y")[-numbers:]):
        if key in typed:
            found.lack(
                name,
                f"{'x' if numbers == 2 and not at else 'the value'} of point {number} was typed "
                f"over in the digitiser: {typed[key]} is taken, not {value[at]}",
                "Check it, or take the typed value away in the digitiser",
                severity="warning",
            )
            value[at] = typed[key]
    for each in value:
        if isinstance(each, bool) or not isinstance(each, int | float) or not isfinite(each):
            found.lack(name, f"point {number} has {each!r} where a number is due", ANEW)
            return None
    label = " ".join(str(more.get("label") or "").split())
    x, at = "", None
    if numbers == 2:
        x, at = repr(float(value[0])), float(value[0])
        if axes.get("isLogX"):
            if not at:
                found.lack(name, f"point {number} has x = 0 on a logarithmic axis", ANEW)
                return None
            at = log10(abs(at))
    elif "x" in point and "y" in point:
        across = _across(axes)
        at = float(point["x"]) * across[0] + float(point["y"]) * across[1]
    return Point(repr(float(value[-1])), label, x, at)


def _across(axes):
    """Unit vector across the bars: to the right, or down the picture where bars lie.

    Bars grow along the line between the two points of the calibration. Where the axes are not
    called rotated, the digitiser takes the nearest of the picture's directions instead.
    """
    points = axes.get("calibrationPoints") or []
    rotated = bool(axes.get("isRotated"))
    if len(points) < 2:
        return (0.0, 1.0) if rotated else (1.0, 0.0)
    along = [float(points[1][key]) - float(points[0][key]) for key in ("px", "py")]
    if not rotated or not any(along):
        return (0.0, 1.0) if abs(along[0]) > abs(along[1]) else (1.0, 0.0)
    across = (along[1] / hypot(*along), -along[0] / hypot(*along))
    turned = -1 if max(across, key=abs) < 0 else 1
    return (turned * across[0], turned * across[1])


def _groups(name, points, read, groups, found):
    """Points by group: those of a tuple stand where its first one stands, and bear its label."""
    first, sets = {}, {}
    members = sorted(
        (entry.get("group"), entry.get("tuple"), number)
        for number, entry in enumerate(points)
        if isinstance(entry.get("group"), int) and isinstance(entry.get("tuple"), int)
    )
    if len(members) < len(points):
        what = f"{len(points) - len(members)} of its points belong to no point group"
        found.lack(name, what, "Give each point its group in the digitiser, or delete it")
    for group, its, number in members:
        point = read[number]
        head = first.setdefault(its, point)
        called = str(groups[group] or "") if group < len(groups) else ""
        called = called or ("" if not group else f"group {group}")
        label = point.label or head.label or ("" if point.x else f"Bar{its}")
        point = Point(point.value, label, head.x, head.at)
        sets.setdefault(f"{name} {called}".strip(), []).append(point)
    return sets
