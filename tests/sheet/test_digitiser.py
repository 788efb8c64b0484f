"""Projects of WebPlotDigitizer, written as the program writes them."""

import io
import json
import tarfile

import pytest

from helpers.problems import ReviewError
from helpers.sheet.files import read_table

# Two points of the axis of values: 0 at the foot of the picture (y = 500), 10 at y = 100.
STANDING = ((100, 500), (100, 100))
LYING = ((100, 500), (500, 500))


def bar_axes(ends=STANDING, *, texts=("0", "10"), rotated=False, name="Bar", **more):
    points = [
        {"px": px, "py": py, "dx": 0, "dy": text, "dz": None}
        for (px, py), text in zip(ends, texts, strict=True)
    ]
    return {"name": name, "type": "BarAxes", "isLog": False, "isRotated": rotated,
            "calibrationPoints": points, **more}  # fmt: skip


def xy_axes(*, x=("0", "14"), y=("0", "100"), log_x=False, name="XY"):
    places = ((0, 400), (400, 400), (0, 400), (0, 0))
    texts = ((x[0], y[0]), (x[1], y[0]), (x[0], y[0]), (x[1], y[1]))
    points = [
        {"px": px, "py": py, "dx": dx, "dy": dy, "dz": None}
        for (px, py), (dx, dy) in zip(places, texts, strict=True)
    ]
    return {"name": name, "type": "XYAxes", "isLogX": log_x, "isLogY": False,
            "noRotation": True, "calibrationPoints": points}  # fmt: skip


def bar(place, value, label=None, **more):
    """A point of standing bars: at pixel `place` from the left."""
    point = {"x": place, "y": 500 - 40 * value, "value": [value]}
    return {**point, **({"metadata": {"label": label}} if label else {}), **more}


def lying(place, value):
    """A point of lying bars: at pixel `place` from the top."""
    return {"x": 100 + 40 * value, "y": place, "value": [value]}


def at(x, y, **more):
    return {"x": x * 400 / 14, "y": 400 - 4 * y, "value": [x, y], **more}


def data_set(name, points, axes="Bar", **more):
    keys = ["label"] if any(point.get("metadata") for point in points) else []
    return {"name": name, "axesName": axes, "colorRGB": [200, 0, 0, 255], "metadataKeys": keys,
            **more, "data": points, "autoDetectionData": None}  # fmt: skip


def project(axes, sets, version=(4, 2)):
    return {"version": list(version), "axesColl": axes, "datasetColl": sets, "measurementColl": []}


def version_3(axes, sets):
    """What versions up to 3.12 write: one pair of axes, labels in lists."""
    old = [
        {
            "name": each["name"],
            "data": [
                {**point, **({"metadata": [point["metadata"]["label"]]} if "metadata" in point else {})}
                for point in each["data"]
            ],
            "metadataKeys": [key.title() for key in each["metadataKeys"]],
        }
        for each in sets
    ]  # fmt: skip
    parameters = {key: axes[key] for key in ("isLog", "isLogX", "isLogY") if key in axes}
    return {"wpd": {"version": [3, 8], "axesType": axes["type"], "axesParameters": parameters,
                    "calibration": axes["calibrationPoints"], "dataSeries": old,
                    "distanceMeasurementData": None, "angleMeasurementData": None}}  # fmt: skip


@pytest.fixture
def read(tmp_path):
    def read(content, name="figure.json"):
        path = tmp_path / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return read_table(path)

    return read


def values(raw):
    return raw.table.to_dict("list")


BARS = [bar(10, 4.5), bar(60, 7.5)]
TIPS = [bar(61, 9.0), bar(11, 5.0)]  # from right to left
PAIRED = {"label": ["Bar0", "Bar1"], "bars": ["4.5", "7.5"], "tips": ["5.0", "9.0"]}


@pytest.mark.parametrize("version", [(3, 8), (4, 0), (4, 2), (5, 0)])
def test_versions(read, version):
    sets = [data_set("bars", BARS), data_set("tips", TIPS)]
    axes = bar_axes()
    content = version_3(axes, sets) if version[0] == 3 else project([axes], sets, version)
    raw = read(content)
    assert values(raw) == PAIRED
    assert raw.digitised and raw.numeric["bars"].all() and not raw.numeric["label"].any()
    assert list(raw.table.index) == [2, 3]


def test_an_unknown_version_is_refused(read):
    with pytest.raises(ReviewError, match=r"version \[6, 0\] is not known"):
        read(project([bar_axes()], [data_set("bars", BARS)], (6, 0)))


def test_labels_of_version_4_0_stand_in_lists(read):
    points = [bar(10, 4.5, metadata=["control"]), bar(60, 7.5, metadata=["drug"])]
    sets = [data_set("bars", points) | {"metadataKeys": ["Label"]}]
    assert values(read(project([bar_axes()], sets, (4, 0))))["label"] == ["control", "drug"]


def archive(path, files, kind=tarfile.REGTYPE):
    with tarfile.open(path, "w") as made:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(text)
            if kind == tarfile.SYMTYPE:
                member.linkname, member.size, text = "/etc/hostname", 0, b""
            made.addfile(member, io.BytesIO(text))


def text_of(content):
    return json.dumps(content).encode()


@pytest.mark.parametrize("top", ["wpd_project/", "Fig 2, panel b/", "", "../../up/"])
def test_an_archive_whatever_its_folder(tmp_path, top):
    path = tmp_path / "figure.tar"
    content = text_of(project([bar_axes()], [data_set("bars", BARS), data_set("tips", TIPS)]))
    info = text_of({"version": [4, 0], "json": "wpd.json", "images": ["image.png"]})
    archive(
        path, {f"{top}info.json": info, f"{top}wpd.json": content, f"{top}image.png": b"\x89PNG"}
    )
    assert values(read_table(path)) == PAIRED
    assert [each.name for each in tmp_path.iterdir()] == ["figure.tar"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a/info.json": b"{}"}, "holds no wpd.json"),
        ({"a/wpd.json": b"{}", "b/wpd.json": b"{}"}, "holds 2 wpd.json"),
        ({f"a/{number}.png": b"" for number in range(1001)}, "more than 1,000 files"),
    ],
)
def test_archives_that_are_no_project(tmp_path, files, said):
    path = tmp_path / "figure.tar"
    archive(path, files)
    with pytest.raises(ReviewError, match=said):
        read_table(path)


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    path = tmp_path / "figure.tar"
    archive(path, {"a/wpd.json": b""}, tarfile.SYMTYPE)
    with pytest.raises(ReviewError, match=r"holds no wpd\.json"):
        read_table(path)


def test_a_huge_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.sheet.digitiser.LARGEST", 100)
    content = text_of(project([bar_axes()], [data_set("bars", BARS)]))
    archive(tmp_path / "figure.tar", {"a/wpd.json": content})
    (tmp_path / "figure.json").write_bytes(content)
    for name in ("figure.tar", "figure.json"):
        with pytest.raises(ReviewError, match="more than 100 bytes"):
            read_table(tmp_path / name)


@pytest.mark.parametrize("content", [[], {}, {"name": "package"}, {"wpd": {"version": [3, 8]}}])
def test_other_json_is_refused(read, content):
    with pytest.raises(ReviewError, match=r"figure\.json: (this is no project|no data set)"):
        read(content)


# ------------------------------------------------------------------ bars


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("ends", [LYING, LYING[::-1]])
def test_lying_bars_go_by_the_axis_not_by_what_it_is_called(read, ends, rotated):
    sets = [
        data_set("bars", [lying(50, 6.0), lying(150, 4.8), lying(100, 5.9)]),
        data_set("tips", [lying(101, 7.5), lying(50, 6.2), lying(149, 5.0)]),
    ]
    table = read(project([bar_axes(ends, rotated=rotated)], sets)).table
    assert table["bars"].tolist() == ["6.0", "5.9", "4.8"]
    assert table["tips"].tolist() == ["6.2", "7.5", "5.0"]


def test_standing_bars_on_tilted_axes(read):
    # A scan turned by about 11 degrees: a tip stands 80 pixels beside its bar's foot.
    ends = ((100, 500), (180, 100))
    bars = [{"x": 200, "y": 480, "value": [1.0]}, {"x": 300, "y": 500, "value": [2.0]}]
    tips = [{"x": 380, "y": 100, "value": [9.0]}, {"x": 280, "y": 80, "value": [8.0]}]
    sets = [data_set("bars", bars), data_set("tips", tips)]
    table = read(project([bar_axes(ends, rotated=True)], sets)).table
    assert table["bars"].tolist() == ["1.0", "2.0"] and table["tips"].tolist() == ["8.0", "9.0"]


def test_empty_data_sets_are_ignored_and_said(read):
    sets = [data_set("Default Dataset", []), data_set("bars", BARS), data_set("Empty", [])]
    raw = read(project([bar_axes()], sets))
    assert list(raw.table) == ["label", "bars"]
    assert [(f.column, f.severity) for f in raw.findings] == [
        ("Default Dataset", "warning"), ("Empty", "warning"),
    ]  # fmt: skip


def test_a_file_of_empty_data_sets_is_refused(read):
    with pytest.raises(ReviewError, match="no data set of this file holds a point"):
        read(project([bar_axes()], [data_set("Default Dataset", []), data_set("tips", [])]))


def test_point_groups_of_one_data_set(read):
    # Clicked bar by bar; the second bar's lower end was given up.
    points = [
        bar(10, 4.5, "control", tuple=0, group=0), bar(14, 5.0, tuple=0, group=1),
        bar(60, 7.5, "drug", tuple=1, group=0), bar(50, 9.0, tuple=1, group=1),
    ]  # fmt: skip
    sets = [data_set("BBB", points, groupNames=["mean", "upper"])]
    assert values(read(project([bar_axes()], sets))) == {
        "label": ["control", "drug"], "BBB mean": ["4.5", "7.5"], "BBB upper": ["5.0", "9.0"],
    }  # fmt: skip


def test_a_point_without_its_group_is_refused(read):
    points = [bar(10, 4.5, tuple=0, group=0), bar(12, 5.0)]
    with pytest.raises(ReviewError, match="column BBB: 1 of its points belong to no point group"):
        read(project([bar_axes()], [data_set("BBB", points, groupNames=["", ""])]))


def test_a_value_that_was_typed_over_is_taken_and_said(read):
    points = [bar(10, 4.5, metadata={"label": "Bar0", "overrides": {"y": 4.6}}), bar(60, 7.5)]
    raw = read(project([bar_axes()], [data_set("bars", points)]))
    assert raw.table["bars"].tolist() == ["4.6", "7.5"]
    assert "point 1 was typed over" in str(raw.findings[0]) and "not 4.5" in str(raw.findings[0])


@pytest.mark.parametrize("value", [[None], [float("nan")], ["4.5"], [], [1.0, 2.0], [True]])
def test_a_point_without_its_number_is_refused_by_its_place(read, value):
    points = [bar(10, 4.5), bar(60, 7.5) | {"value": value}]
    with pytest.raises(ReviewError, match=r"figure.json, column bars: point 2 has"):
        read(project([bar_axes()], [data_set("bars", points)]))


def test_all_faults_at_once(read):
    sets = [
        data_set("polar", [at(1, 2)], "P"),
        data_set("lost", BARS, ""),
        data_set("bars", [bar(10, 1.0) | {"value": [None]}]),
    ]
    axes = [bar_axes(), {"name": "P", "type": "PolarAxes", "calibrationPoints": []}]
    with pytest.raises(ReviewError) as refused:
        read(project(axes, sets))
    assert [finding.column for finding in refused.value.findings] == ["polar", "lost", "bars"]
    assert "stands on polar axes" in str(refused.value) and "stands on no axes" in str(
        refused.value
    )


# ------------------------------------------------------------------ axes


@pytest.mark.parametrize(
    "kind", ["PolarAxes", "TernaryAxes", "MapAxes", "ImageAxes", "CircularChartRecorderAxes"]
)
def test_axes_that_make_no_table(read, kind):
    with pytest.raises(ReviewError, match="only bar and XY axes"):
        read(project([{"name": "A", "type": kind}], [data_set("one", [at(1, 2)], "A")]))
    sets = [data_set("one", [], "A"), data_set("bars", BARS)]  # an empty one does no harm
    assert len(read(project([{"name": "A", "type": kind}, bar_axes()], sets)).table) == 2


@pytest.mark.parametrize("x", [("2016/01/01", "2016/02/01"), ("10:25", "12:30")])
def test_axes_of_dates_are_refused(read, x):
    with pytest.raises(ReviewError, match=f"dates or times .*{x[0]}"):
        read(project([xy_axes(x=x)], [data_set("Control", [at(1584180068904.5, 2)], "XY")]))


@pytest.mark.parametrize("axes", [xy_axes(y=("0", "7,5")), bar_axes(texts=("0", "7,5"))])
def test_a_comma_in_the_calibration_is_refused(read, axes):
    # The program reads 7,5 as 7.
    points = [at(1, 2)] if axes["type"] == "XYAxes" else BARS
    with pytest.raises(ReviewError, match=r"'7,5'.*all values are wrong"):
        read(project([axes], [data_set("Control", points, axes["name"])]))


def test_a_logarithmic_x_is_paired_by_ratios(read):
    axes = xy_axes(x=("0.1", "100"), log_x=True)
    sets = [
        data_set("Control", [at(0.1, 1), at(1, 2), at(10, 3), at(100, 4)], "XY"),
        data_set("Drug", [at(103, 8), at(0.103, 5), at(0.98, 6), at(10.1, 7)], "XY"),
    ]
    table = read(project([axes], sets)).table
    assert table["x"].tolist() == ["0.1", "1.0", "10.0", "100.0"]
    assert table["Drug"].tolist() == ["5.0", "6.0", "7.0", "8.0"]


def test_a_zero_on_a_logarithmic_axis_is_refused(read):
    with pytest.raises(ReviewError, match="point 2 has x = 0"):
        read(project([xy_axes(log_x=True)], [data_set("Control", [at(1, 1), at(0, 2)], "XY")]))


def test_bars_and_curves_make_no_table(read):
    sets = [data_set("curve", [at(1, 2)], "XY"), data_set("bars", BARS)]
    with pytest.raises(ReviewError, match="curve stand on XY axes and bars on bar axes"):
        read(project([xy_axes(), bar_axes()], sets))


def test_data_sets_of_two_pictures_go_by_label_only(read):
    sets = [data_set("bars", BARS, file=0), data_set("tips", TIPS, file=1)]
    with pytest.raises(ReviewError, match="several pictures"):
        read(project([bar_axes()], sets))
    labelled = [
        data_set("bars", [bar(10, 4.5, "control"), bar(60, 7.5, "drug")], file=0),
        data_set("tips", [bar(900, 9.0, "drug"), bar(950, 5.0, "control")], file=1),
    ]
    assert read(project([bar_axes()], labelled)).table["tips"].tolist() == ["5.0", "9.0"]


def test_bars_of_two_axes_are_paired_by_place_and_it_is_said(read):
    sets = [data_set("left", BARS), data_set("right", TIPS, "Bar 2")]
    raw = read(project([bar_axes(), bar_axes(name="Bar 2")], sets))
    assert raw.table["right"].tolist() == ["5.0", "9.0"]
    assert "several axes (Bar and Bar 2)" in str(raw.findings[0])
