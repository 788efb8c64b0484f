"""Small made-up reviews in the manner of RevMan 5's files and RevMan Web's data packages."""

import csv
import io
import zipfile
from xml.sax.saxutils import quoteattr

STUDIES = {"STD-Able-2011": ("Able 2011", "2011"), "STD-Baker_x002d_2": ("Baker-2", "2012")}
OUTCOME = {"ESTIMABLE": "YES", "TOTALS": "YES", "SUBGROUPS": "NO", "RANDOM": "NO"}
SIDES = ("Drug", "Vehicle", "Favours drug", "Favours vehicle")
NUMBER_HEADS = (
    "GIV Mean", "GIV SE", "Experimental mean", "Experimental SD", "Experimental cases",
    "Experimental N", "Control mean", "Control SD", "Control cases", "Control N", "O-E", "Variance",
)  # fmt: skip
ROW_HEADS = (
    "Analysis group", "Analysis number", "Analysis name", "Subgroup", "Applicability", "Study",
    "Study year", *NUMBER_HEADS, "Weight", "Mean", "CI start", "CI end", "Footnotes",
)  # fmt: skip
SETTING_HEADS = (
    "Analysis group", "Analysis number", "Analysis name", "Analysis group name", "Data type",
    "Log-scale data", "Experimental group label", "Control group label", "Statistical method",
    "Effect measure", "Subgroup estimates", "Overall estimates", "Swap event and non-event",
)  # fmt: skip


def element(tag, attributes=(), inner=""):
    said = "".join(f" {name}={quoteattr(str(value))}" for name, value in dict(attributes).items())
    return f"<{tag}{said}>{inner}</{tag}>" if inner else f"<{tag}{said}/>"


def continuous(study, n1, m1, s1, n2, m2, s2, **more):
    """A study of a continuous outcome, its calculated fields empty as RevMan 5.0 leaves them."""
    cells = dict(
        TOTAL_1=n1, MEAN_1=m1, SD_1=s1, TOTAL_2=n2, MEAN_2=m2, SD_2=s2, EFFECT_SIZE="", WEIGHT=""
    )
    return data("CONT", study, **cells | more)


def events(study, e1, n1, e2, n2, **more):
    return data("DICH", study, EVENTS_1=e1, TOTAL_1=n1, EVENTS_2=e2, TOTAL_2=n2, **more)


def data(kind, study, footnote="", **cells):
    inner = element("FOOTNOTE", inner=footnote) if footnote else ""
    return element(f"{kind}_DATA", {"ESTIMABLE": "YES", "STUDY_ID": study} | cells, inner)


def outcome(kind, number, name, inner, sides=SIDES, measure=None, **attributes):
    labels = ("GROUP_LABEL_1", "GROUP_LABEL_2", "GRAPH_LABEL_1", "GRAPH_LABEL_2")
    said = "".join(element(tag, inner=text) for tag, text in zip(labels, sides, strict=True))
    said = element("NAME", inner=name) + said
    said += element("EFFECT_MEASURE", inner=measure) if measure else ""
    return element(f"{kind}_OUTCOME", OUTCOME | {"NO": number} | attributes, said + inner)


def subgroup(kind, number, name, inner):
    inner = element("NAME", inner=name) + inner
    return element(f"{kind}_SUBGROUP", {"NO": number, "ESTIMABLE": "YES"}, inner)


def rm5(path, *outcomes, comparisons=None, studies=STUDIES, head=""):
    """Write a review; `outcomes` are those of its only comparison, or `comparisons` are given."""
    listed = "".join(
        element("STUDY", {"ID": id, "NAME": name, "YEAR": year}, element("REFERENCE"))
        for id, (name, year) in studies.items()
    )
    comparisons = comparisons or {"Drug versus vehicle": outcomes}
    inner = "".join(
        element("COMPARISON", {"NO": number}, element("NAME", inner=name) + "".join(listed_))
        for number, (name, listed_) in enumerate(comparisons.items(), 1)
    )
    body = element("STUDIES_AND_REFERENCES", inner=listed)
    body += element("ANALYSES_AND_DATA", inner=inner) if inner else ""
    head = f'<?xml version="1.0" encoding="ISO-8859-1"?>{head}'
    text = head + element("COCHRANE_REVIEW", {"REVMAN_VERSION": "5"}, body)
    path.write_bytes(text.encode("ISO-8859-1"))
    return path


def setting(number=1, name="Lesion", kind="Continuous", measure="Mean Difference", **more):
    cells = {
        "Analysis group": "1", "Analysis number": str(number), "Analysis name": name,
        "Analysis group name": "Drug versus vehicle", "Data type": kind, "Log-scale data": "false",
        "Effect measure": measure, "Overall estimates": "true", "Subgroup estimates": "true",
        "Swap event and non-event": "false",
    }  # fmt: skip
    return cells | more


def line(number=1, study="Able 2011", **cells):
    """A row as older packages have it: 0 in every column of numbers of another kind of data."""
    blank = dict.fromkeys(NUMBER_HEADS, "0.0") | {"Experimental cases": "0", "Control cases": "0"}
    known = {
        "Analysis group": "1", "Analysis number": str(number), "Analysis name": "Lesion",
        "Applicability": "SUBGROUP_AND_OVERALL", "Study": study, "Study year": study[-4:],
        "Weight": "1", "Mean": "1",
    }  # fmt: skip
    return blank | known | cells


def package(path, settings, rows, *, nested=False, heads=(), **files):
    """Write a data package, by itself or inside the files of a review."""
    texts = {
        "analysis-data/1-overall-estimates-and-settings.csv": _csv(
            (*SETTING_HEADS, *heads), settings
        ),
        "analysis-data/1-data-rows.csv": _csv((*ROW_HEADS, *heads), rows),
        "study-data/1-study-information.csv": "Study,Year\r\nAble 2011,2011\r\n",
    } | files
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, b"\xef\xbb\xbf" + text.encode())
    if not nested:
        path.write_bytes(inner.getvalue())
        return path
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr("made/1-article.pdf", b"%PDF")
        outer.writestr("made/1-files/1-data.zip", inner.getvalue())
    return path


def _csv(heads, rows):
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, heads, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
