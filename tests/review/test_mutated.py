"""Mutated review folders: refused with a place, or read with every number that is not touched.

What is true is known before it is written: the numbers of each row, and the one cell that changed.
Nothing of the reader is used to tell.
"""

import math
import random
import re
import time

import openpyxl
import pytest
from own_review import FAMILY, write_csv

from helpers.review.check import check
from helpers.review.review import load

HEAD = ("experiment", "study", "outcome", "n_treated", "mean_treated", "sd_treated", "n_control",
        "mean_control", "sd_control")  # fmt: skip
NUMBERS = HEAD[3:]
CELLS = ("", "x", "n=3", "1e308", "1e999", "-5", "1,5", "3.5.2", "NaN", "inf", "٣", "9" * 400, "−1",
         "<0.001", "#N/A", "=1+1", "4 ± 1", "True", "a\nb", "²", "0", "1e-400", "7", "7.25", "+3",
         "1 000", "6-8", "12*", "1e1", "0x10", "1_000", ".5", "5.", "\u00a07", "7%", "05")  # fmt: skip
SLOWEST = 20  # CPU seconds a folder
PLAIN = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def truth(chance):
    """Numbers of some rows, as nobody has written them yet."""
    return [
        {
            "experiment": f"e{i}", "study": f"s{i}", "outcome": "score",
            "n_treated": chance.randint(4, 20), "mean_treated": chance.randint(40, 80) / 4,
            "sd_treated": chance.randint(4, 16) / 4, "n_control": chance.randint(4, 20),
            "mean_control": chance.randint(20, 60) / 4, "sd_control": chance.randint(4, 16) / 4,
        }
        for i in range(chance.randint(2, 6))
    ]  # fmt: skip


def store(folder, table, kind, separator, encoding):
    folder.mkdir()
    text = f'title = "Made up"\n[sheet]\nfile = "sheet.{kind}"\n{FAMILY}'
    (folder / "review.toml").write_text(text, encoding="utf-8")
    path = folder / f"sheet.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(list(table[0]))
        for line in table:
            book.active.append(list(line.values()))
        book.save(path)
    else:
        write_csv(path, table, separator)
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding, "replace"))
    return path


def mutate(chance, folder, seed):
    """One folder with one change; gives the numbers that must be read where nothing is refused."""
    table, kind = truth(chance), chance.choice(("csv", "csv", "tsv", "xlsx"))
    separator, encoding = (
        chance.choice((",", ";", "\t")),
        chance.choice(("utf-8", "utf-8-sig", "utf-16")),
    )
    what = chance.choice(
        ("cell", "cell", "cell", "bytes", "cut", "toml", "other", "drop", "nothing")
    )
    written = [dict(line) for line in table]
    row, name = chance.randrange(len(table)), chance.choice(NUMBERS)
    sure = what in ("cell", "toml", "other", "drop", "nothing")  # bytes may change any number
    if what == "cell":
        text = chance.choice(CELLS)
        if kind == "xlsx" and (text.startswith("=") or not text.isprintable()):
            text = "x"
        written[row][name] = text
        plain = text.strip("\u00a0").replace("−", "-")
        table[row][name] = float(plain) if PLAIN.fullmatch(plain) else None
        if text == "6-8":
            table[row][name] = 6.0  # a range is its lower end, of group sizes alone
    if what == "drop":
        written = [{k: v for k, v in line.items() if k != name} for line in written]
    path = store(folder, written, kind, separator, encoding)
    if what in ("bytes", "cut", "toml"):
        target = folder / "review.toml" if what == "toml" else path
        data, at = target.read_bytes(), chance.randrange(max(len(target.read_bytes()), 1))
        noise = bytes(chance.randrange(256) for _ in range(chance.randint(1, 4)))
        target.write_bytes(data[:at] if what == "cut" else data[:at] + noise + data[at + 1 :])
        sure = sure and what != "toml"  # it may name another side or file
    if what == "other":
        other = chance.choice(("exclusions.csv", "corrections.csv", "flow.csv", "studies.csv"))
        (folder / other).write_bytes(
            bytes(chance.randrange(256) for _ in range(chance.randint(0, 60)))
        )
    return table if sure else None, f"seed {seed}: {what} row {row} {name} of {kind}"


def hold(folder, table):
    """Raise where a fault has no place, or a number is not the one that was written."""
    found = check(folder)
    for fault in found.faults:
        assert fault.file and fault.what and fault.remedy
    if found.faults:
        return "refused"
    review = load(folder)
    assert review.rows_in == review.rows_out + len(review.not_used)
    for line in table or ():
        if line["experiment"] not in review.experiments.index:
            assert len(review.not_used) or len(review.exclusions)
            continue
        read = review.experiments.loc[line["experiment"]]
        for name in NUMBERS:
            if line[name] is None:
                assert math.isnan(read[name]), f"{name}: {read[name]} of no number"
            else:
                assert read[name] == line[name], f"{name}: {read[name]}, not {line[name]}"
    return "read"


def tried(tmp_path, seeds):
    done = {"refused": 0, "read": 0}
    for seed in seeds:
        chance, folder = random.Random(seed), tmp_path / str(seed)
        table, what = mutate(chance, folder, seed)
        before, began = sorted(path.name for path in folder.iterdir()), time.process_time()
        try:
            done[hold(folder, table)] += 1
        except Exception as error:
            raise AssertionError(what) from error
        assert time.process_time() - began < SLOWEST, what
        assert sorted(path.name for path in folder.iterdir()) == before
    return done


def test_a_sample_of_mutated_folders(tmp_path):
    assert min(tried(tmp_path, range(60)).values()) > 8


@pytest.mark.slow
def test_ten_thousand_mutated_folders(tmp_path):
    assert min(tried(tmp_path, range(10_000, 20_000)).values()) > 2_000
