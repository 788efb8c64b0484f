"""Files of other programs, damaged: refused with a message, or read with the numbers in them.

What was written is known before it is damaged. Where one number is replaced by another, that one is
due and nothing else may differ; where bytes are, any number may, but nothing may break.
"""

import io
import json
import random
import tarfile
import time
import zipfile

import openpyxl
import pytest
from revman_files import STUDIES, continuous, line, outcome, package, rm5, setting

from helpers.problems import ReviewError
from helpers.sheet.files import read_table

resource = pytest.importorskip("resource")

SLOWEST, LARGEST = 20, 2 * 2**30  # CPU seconds a file, bytes of the whole process
AXES = {
    "name": "Bar", "type": "BarAxes", "isLog": False, "isRotated": False,
    "calibrationPoints": [
        {"px": 100, "py": 500, "dx": 0, "dy": "0", "dz": None},
        {"px": 100, "py": 100, "dx": 0, "dy": "10", "dz": None},
    ],
}  # fmt: skip
CELLS = {"Experimental N": "8", "Experimental mean": "4.1", "Experimental SD": "1.2",
         "Control N": "9", "Control mean": "6.25", "Control SD": "1.4"}  # fmt: skip
MARK = "31.5"  # a number that stands nowhere else


def project(number):
    points = [
        {"x": 120 + 60 * at, "y": 500 - 40 * value, "value": [value], "metadata": {"label": label}}
        for at, (label, value) in enumerate(
            {"Sham": 1.5, "Vehicle": float(number), "Drug": 4.25}.items()
        )
    ]
    sets = [{"name": "Mean", "axesName": "Bar", "colorRGB": [200, 0, 0, 255],
             "metadataKeys": ["label"], "data": points, "autoDetectionData": None}]  # fmt: skip
    return json.dumps({"version": [4, 2], "axesColl": [AXES], "datasetColl": sets,
                       "measurementColl": []})  # fmt: skip


def written(folder, kind, number=MARK):
    """One file of a kind, with this number in it."""
    path = folder / f"file{kind}"
    if kind == ".rm5":
        row = continuous(next(iter(STUDIES)), 8, "4.1", "1.2", 9, number, "1.4")
        rm5(path, outcome("CONT", 1, "Lesion", row))
    elif kind == ".zip":
        package(path, [setting()], [line(**CELLS | {"Control mean": number})])
    elif kind == ".json":
        path.write_text(project(number))
    elif kind == ".tar":
        with tarfile.open(path, "w") as archive:
            data = project(number).encode()
            entry = tarfile.TarInfo("figure/wpd.json")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    elif kind == ".xlsx":
        book = openpyxl.Workbook()
        for cells in (["study", "n", "mean"], ["Able", 8, 4.1], ["Baker", 9, float(number)]):
            book.active.append(cells)
        book.save(path)
    else:
        separator = "\t" if kind == ".tsv" else ";"
        text = f"study{separator}n{separator}mean\nAble{separator}8{separator}4.1\n"
        path.write_text(text + f"Bäker{separator}9{separator}{number}\n", encoding="utf-8")
    return path


KINDS = (".rm5", ".zip", ".json", ".tar", ".xlsx", ".tsv", ".csv")


def cells_of(path):
    return [cell for row in read_table(path).table.to_numpy().tolist() for cell in row]


def damage(chance, data):
    what, at = (
        chance.choice(("bytes", "cut", "twice", "gone", "inside")),
        chance.randrange(len(data)),
    )
    noise = bytes(chance.randrange(256) for _ in range(chance.randint(1, 6)))
    if what == "bytes":
        return data[:at] + noise + data[at + len(noise) :]
    if what == "cut":
        return data[:at]
    if what == "twice":
        return data + data[at:]
    if what == "gone":
        return data[:at] + data[at + chance.randint(1, 40) :]
    return damaged_inside(chance, data, at, noise)


def damaged_inside(chance, data, at, noise):
    """Bytes replaced in one member of an archive, which itself stays whole."""
    if data[:2] != b"PK":
        return data[:at] + noise * chance.randint(1, 400) + data[at:]
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        names = old.namelist()
        hit = chance.choice(names)
        for name in names:
            inner = old.read(name)
            if name == hit and inner:
                place = chance.randrange(len(inner))
                inner = inner[:place] + noise + inner[place + len(noise) :]
            new.writestr(name, inner)
    return target.getvalue()


def tried(folder, seeds):
    done = {"refused": 0, "read": 0}
    for seed in seeds:
        chance = random.Random(seed)
        kind = chance.choice(KINDS)
        path = written(folder, kind)
        path.write_bytes(damage(chance, path.read_bytes()))
        beside, began = sorted(folder.iterdir()), time.process_time()
        try:
            read_table(path)
            done["read"] += 1
        except ReviewError as error:
            assert all(fault.file and fault.what and fault.remedy for fault in error.findings)
            done["refused"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, {kind}") from error
        assert time.process_time() - began < SLOWEST, f"seed {seed}, {kind}"
        assert sorted(folder.iterdir()) == beside
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < LARGEST
    return done


@pytest.mark.parametrize("kind", KINDS)
def test_another_number_is_read_and_nothing_else(tmp_path, kind):
    before = cells_of(written(tmp_path, kind))
    for number in ("7.125", "0.015", "2.5e1", "-4.5"):
        after = cells_of(written(tmp_path, kind, number))
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert [float(a) for a, _ in changed] == [float(MARK)]
        assert [float(b) for _, b in changed] == [float(number)]


def test_a_sample_of_damaged_files(tmp_path):
    assert min(tried(tmp_path, range(120)).values()) > 10


@pytest.mark.slow
def test_ten_thousand_damaged_files(tmp_path):
    assert min(tried(tmp_path, range(1_000, 11_000)).values()) > 1_000
