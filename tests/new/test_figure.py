"""A digitised figure is known by `new`, and its numbers are taken for what they are."""

import io
import json
import tarfile

import pytest

from helpers.new.folder import new
from helpers.problems import ReviewError
from helpers.review.review import load

CURVES = {
    "Control": [(1, 20), (7, 40)], "Control SEM": [(1, 22), (7, 44)],
    "Treated": [(7.01, 60), (0.99, 21)], "Treated SEM": [(7, 57), (1, 23)],
}  # fmt: skip


def project(curves):
    sets = [
        {"name": name, "axesName": "XY", "metadataKeys": [], "data": [
            {"x": 100 + 20 * x, "y": 400 - 4 * y, "value": [x, y]} for x, y in points
        ]} for name, points in curves.items()
    ]  # fmt: skip
    axes = {"name": "XY", "type": "XYAxes", "isLogX": False, "isLogY": False}
    return {"version": [4, 2], "axesColl": [axes], "datasetColl": sets, "measurementColl": []}


def written(folder, kind):
    path = folder / f"figure.{kind}"
    if kind == "csv":
        lines = [",".join(f"{name}," for name in CURVES), ",".join(["X,Y"] * len(CURVES))]
        for place in range(2):
            lines.append(",".join(f"{x},{y}" for x, y in (p[place] for p in CURVES.values())))
        path.write_text("\n".join(lines) + "\n")
    elif kind == "json":
        path.write_text(json.dumps(project(CURVES)))
    else:
        text = json.dumps(project(CURVES)).encode()
        with tarfile.open(path, "w") as archive:
            member = tarfile.TarInfo("Figure 2/wpd.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return path


@pytest.mark.parametrize("kind", ["json", "tar", "csv"])
def test_curves_become_days_means_and_errors(tmp_path, kind):
    todo = new(tmp_path / "review", written(tmp_path, kind))
    path = tmp_path / "review" / "review.toml"
    text = path.read_text()
    for line in ('follow_up_days = "x"', 'mean_treated = "Treated"', 'tip_control = "Control SEM"'):
        assert line in text
    assert "sd_treated" not in text
    asked = "\n".join(todo)
    assert "sheet.columns.follow_up_days: x" in asked and "or sd_treated?" in asked
    for column in ("n_treated", "n_control", "study"):
        text = text.replace(f'{column} = "FILL IN"\n', "")
    text = text.replace(
        "[sheet.constants]", "[sheet.constants]\nstudy = 'A'\nn_treated = 9\nn_control = 16"
    )
    path.write_text(text)
    rows = load(tmp_path / "review").experiments
    assert rows["follow_up_days"].tolist() == [1, 7]
    assert rows["mean_treated"].tolist() == [21, 60] and rows["mean_control"].tolist() == [20, 40]
    # The SEM is the tip's distance from the mean, above or below it, times the root of n.
    assert rows["sd_treated"].tolist() == pytest.approx([2 * 3, 3 * 3])
    assert rows["sd_control"].tolist() == pytest.approx([2 * 4, 4 * 4])


def test_tips_that_are_called_so(tmp_path):
    curves = {
        "vehicle": [(1, 20), (7, 40)], "vehicle tips": [(1, 22), (7, 44)],
        "treated": [(1, 21), (7, 60)], "treated tip": [(1, 23), (7, 66)],
    }  # fmt: skip
    (tmp_path / "figure.json").write_text(json.dumps(project(curves)))
    new(tmp_path / "review", tmp_path / "figure.json")
    text = (tmp_path / "review" / "review.toml").read_text()
    for line in (
        'mean_control = "vehicle"',
        'tip_control = "vehicle tips"',
        'tip_treated = "treated tip"',
    ):
        assert line in text
    assert 'error_type = "FILL IN"' in text


def test_curves_of_other_days_are_refused_at_once(tmp_path):
    (tmp_path / "figure.csv").write_text(
        "Control,,Treated,\nX,Y,X,Y\n1,10,1,11\n3,14,5,15\n9,22,9,16\n"
    )
    with pytest.raises(ReviewError, match="x = 3 have no partner in Treated"):
        new(tmp_path / "review", tmp_path / "figure.csv")
