"""The dialogue of `new`, at a real terminal."""

import os
import select
import signal
import sys
import time
import tomllib
from pathlib import Path

import click
import pandas as pd
import pytest
from own_review import row, write_csv

from helpers.new import asking
from helpers.new.folder import new
from helpers.review.check import check
from helpers.review.review import load

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows")
ROOT = Path(__file__).resolve().parents[2]
PROMPT = b"]: "
CTRL_C, CTRL_D = "\x03", "\x04"


def terminal(folder, source, answers, *options):
    """What `new` says at a terminal to somebody who answers so, and its exit status."""
    arguments = [sys.executable, "-m", "helpers", "new", str(folder), "--from", str(source)]
    pid, screen = pty.fork()
    if pid == 0:
        os.environ |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        os.execv(sys.executable, [*arguments, *options])
    typed, said, answered, answers, end = "", b"", 0, list(answers), time.monotonic() + 60
    while True:
        ready, _, _ = select.select([screen], [], [], 2)
        if not ready and time.monotonic() > end:  # it waits for what nobody types
            os.kill(pid, signal.SIGKILL)
            break
        if not ready:  # readline loses a Ctrl-C that comes as it begins to wait; people press again
            os.write(screen, typed.encode() if typed == CTRL_C else b"")
            continue
        try:
            part = os.read(screen, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not part:
            break
        said += part
        if said.endswith(PROMPT) and len(said) > answered:
            answered = len(said)
            typed = answers.pop(0) if answers else CTRL_D
            os.write(screen, typed.encode() + (b"" if typed in (CTRL_C, CTRL_D) else b"\n"))
    os.close(screen)
    _, status = os.waitpid(pid, 0)
    return said.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def sheet(folder, k=6, **cells):
    """A physiologist's sheet: the headings name no study, no outcome, and a drug."""
    table = [
        {"Paper": f"Roe {2010 + i // 2}", "Lab": "AB"[i % 2], "Tested": ["Grip", "Lesion area"][i % 2],
         "Vehicle n": 8, "Vehicle mean": 20 + i, "Vehicle SEM": 1.5,
         "Drug X n": 9, "Drug X mean": 17 + i, "Drug X SEM": 1.25} | cells
        for i in range(k)
    ]  # fmt: skip
    write_csv(folder / "s.csv", table)
    return folder / "s.csv"


def config(folder):
    return tomllib.loads((folder / "review.toml").read_text(encoding="utf-8"))


def test_return_confirms_each_guess_with_candidates_and_cells_shown(tmp_path):
    source = sheet(tmp_path)
    said, status = terminal(tmp_path / "r", source, [""] * 20)
    assert status == 0
    assert "Which column says from which study (article) a row is?" in said
    assert "  1  Paper   e.g. Roe 2010, Roe 2011, Roe 2012\n" in said
    assert "  1  no, all rows are one outcome\n  2  Lab   " in said
    assert "\n  3  Tested" in said and "e.g. Grip, Lesion area\n" in said
    assert "Which is better for Outcome?" in said
    assert "sheet." not in said.split("review.toml says")[0]  # a person reads no ids
    asked, silent = config(tmp_path / "r"), tmp_path / "silent"
    new(silent, source)
    guessed = config(silent)
    assert asked.pop("unconfirmed") == [] and len(guessed.pop("unconfirmed")) == 7
    assert asked | {"id": "", "title": ""} == guessed | {"id": "", "title": ""}
    # What is confirmed is no guess any more; what was sure still is.
    text = (tmp_path / "r" / "review.toml").read_text()
    assert 'study = "Paper"\n' in text and 'n_control = "Vehicle n"  # guessed' in text
    assert "Look at" not in (tmp_path / "r" / "README.md").read_text()


def test_answers_are_taken_by_number_by_heading_and_by_word(tmp_path):
    answers = ["", "", "", "SD", "paper", "Tested", "lower", "1"]
    said, status = terminal(tmp_path / "r", sheet(tmp_path), answers)
    assert status == 0, said
    there = config(tmp_path / "r")
    assert there["unconfirmed"] == []
    assert there["sheet"]["columns"]["outcome"] == "Tested"
    assert there["sheet"]["constants"] == {"error_type": "SD"}
    found = {o["label"]: o["better"] for o in there["families"][0]["outcomes"]}
    assert found == {"Grip": "lower", "Lesion area": "lower"}
    # The choice of an outcome brought new questions, computed after it.
    assert "Which is better for Grip?" in said and "Which is better for Outcome?" not in said
    assert load(tmp_path / "r").experiments["sd_treated"].tolist() == [1.25] * 6


def test_a_heading_that_is_not_there_is_asked_again_with_the_nearest(tmp_path):
    answers = ["Drug X men", "Tested", "Drug X n", "7", "", "", "", "Papre", '"Paper"']
    said, _ = terminal(tmp_path / "r", sheet(tmp_path), answers)
    assert "the sheet has no column 'Drug X men'. Did you mean 'Drug X mean'?" in said
    assert "'Tested' holds no numbers: there stands Grip, Lesion area" in said
    assert "1 is due, or s to skip" in said
    assert "Did you mean 'Paper'?" in said
    assert config(tmp_path / "r")["sheet"]["columns"]["study"] == "Paper"


@pytest.mark.parametrize("skip", ["s", "?", "S"])
def test_what_is_skipped_stays_unconfirmed(tmp_path, skip):
    said, status = terminal(tmp_path / "r", sheet(tmp_path), ["", skip, "", "", skip, "", ""])
    assert status == 0
    there = config(tmp_path / "r")
    assert there["unconfirmed"] == ["sheet.columns.mean_treated", "sheet.columns.study"]
    assert there["sheet"]["columns"]["study"] == "Paper"
    assert "sheet.columns.study: Paper" in said


def test_ctrl_d_leaves_the_rest_open_and_ctrl_c_writes_nothing(tmp_path):
    source = sheet(tmp_path)
    said, status = terminal(tmp_path / "r", source, ["", CTRL_D])
    assert status == 0 and "The other questions stay open." in said
    assert len(config(tmp_path / "r")["unconfirmed"]) == 6
    for answers in ([CTRL_C], ["", "", "x", CTRL_C]):
        said, status = terminal(tmp_path / "none", source, answers)
        assert status == 130 and "stopped; nothing was written" in said
        assert not (tmp_path / "none").exists() and "Traceback" not in said


def test_yes_asks_nothing_and_confirms_nothing(tmp_path):
    source = sheet(tmp_path)
    said, status = terminal(tmp_path / "r", source, [], "--yes")
    assert status == 0 and "Answer" not in said
    assert len(config(tmp_path / "r")["unconfirmed"]) == 7


def test_without_a_terminal_nothing_is_asked(tmp_path):
    import subprocess

    command = [sys.executable, "-m", "helpers", "new", str(tmp_path / "r"), "--from"]
    done = subprocess.run(
        [*command, str(sheet(tmp_path))],
        input="2\n" * 20, text=True, capture_output=True, timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    assert "Answer" not in done.stdout
    assert len(config(tmp_path / "r")["unconfirmed"]) == 7


def test_blanks_are_asked_and_one_answer_names_the_whole_group(tmp_path):
    table = [
        {"study": f"s{i}", "outcome": "score", "control n": 8, "control mean": 5 + i, "control SD": 1,
         "Low n": 6, "Low mean": 7 + i, "Low SD": 1.5, "High n": 7, "High mean": 9 + i, "High SD": 2}
        for i in range(4)
    ]  # fmt: skip
    write_csv(tmp_path / "s.csv", table)
    said, status = terminal(tmp_path / "r", tmp_path / "s.csv", ["2", "Low n"] + [""] * 9)
    assert status == 0
    assert "Is each to be read as a row of its own?" in said
    assert "Which column is the number of animals of the treated group?" in said
    columns = config(tmp_path / "r")["sheet"]["columns"]
    names = ("n_treated", "mean_treated", "sd_treated")
    assert [columns[name] for name in names] == ["Low n", "Low mean", "Low SD"]
    assert load(tmp_path / "r").experiments["mean_treated"].tolist() == [7, 8, 9, 10]
    assert "high: groups besides the two, not read" in said


def test_another_sheet_and_another_row_of_headings(tmp_path):
    source = tmp_path / "b.xlsx"
    with pd.ExcelWriter(source) as book:
        for name, first in (("Pilot", 5), ("Main", 7)):
            table = pd.DataFrame([row(f"e{i}", mean_treated=first + i) for i in range(4)])
            table.to_excel(book, sheet_name=name, index=False, startrow=2)
            book.sheets[name]["A1"] = "Extraction"
    said, status = terminal(tmp_path / "r", source, ["Main", "99", "3", "lower"])
    assert "Which sheet of the workbook is to be read?" in said
    there = config(tmp_path / "r")
    assert status == 0 and there["sheet"]["sheet"] == "Main" and there["sheet"]["header"] == 3
    assert there["unconfirmed"] == []
    assert load(tmp_path / "r").experiments["mean_treated"].tolist() == [7, 8, 9, 10]
    assert "This cannot be: " in said


# ---------------------------------------------------------------------- kinds of questions


def answered(monkeypatch, folder, source, answers):
    """The review that follows where questions with such words are answered so, others by return."""
    seen = []

    def echo(text="", **_):
        seen.append(text)

    def prompt(text, default, value_proc):
        heading = next(line for line in reversed(seen) if str(line).endswith("?"))
        return value_proc(next((a for words, a in answers.items() if words in heading), default))

    monkeypatch.setattr(asking.click, "echo", echo)
    monkeypatch.setattr(asking.click, "secho", echo)
    monkeypatch.setattr(asking.click, "prompt", prompt)
    new(folder, source, ask=asking.ask)
    return config(folder), "\n".join(seen)


def plain(i, **cells):
    return row(f"e{i}", mean_treated=11 + i) | cells


KINDS = {
    "join": (
        {"Does this sheet say more": "2"},
        lambda there: "join" not in there["sheet"] and "species" not in str(there.get("moderators")),
    ),
    "number": (
        {"How is Dose to be read?": "2"},
        lambda there: there["moderators"][0].get("levels") == ["1", "3", "10"],
    ),
    "spellings": (
        {"different spellings": "no, each is something else"},
        lambda there: "values" not in there["sheet"] or "strain" not in there["sheet"]["values"],
    ),
    "sign": (
        {"a higher value is worse": "2"},
        lambda there: "sign" not in there["sheet"]["columns"],
    ),
    "shared": (
        {"the same control values": "2"},
        lambda there: there["sheet"]["shared_controls"] == "by_numbers",
    ),
    "split": (
        {"number of control animals": "2"},
        lambda there: there["sheet"]["control_n_is_split"] is True,
    ),
    "comma": ({"What is the comma": "2"}, lambda there: there["sheet"].get("decimal", ".") == "."),
    "thousands": (
        {"What is the comma": "2"},
        lambda there: there["sheet"].get("thousands") == "," and "decimal" not in there["sheet"],
    ),
    "effect": (
        {"What are the effects": "Log hazard ratio", "Are the effects logarithms?": "2"},
        lambda there: there["sheet"]["effect_name"] == "Log hazard ratio"
        and there["sheet"]["effect_scale"] == "log",
    ),
    "cohort": (
        {"animals were treated": "none"},
        lambda there: "cohort" not in there["sheet"]["columns"],
    ),
    "neither": (
        {"Which is better": "3"},
        lambda there: there["families"][0]["outcomes"][0]["better"] == "neither",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_question_takes_the_other_answer(monkeypatch, tmp_path, kind):
    source = tmp_path / "s.csv"
    cells = {
        "number": lambda i: {"Dose": [1, 3, 10][i % 3]},
        "spellings": lambda i: {"Strain": ["Wistar", "wistar", "Lewis"][i % 3]},
        "sign": lambda i: {"Greater is worse": ["yes", "no"][i % 2]},
        "shared": lambda i: {"study": "one"},
        "split": lambda i: {"n_control": 3.5},
        "comma": lambda i: dict.fromkeys(
            ("mean_treated", "sd_treated", "mean_control", "sd_control"), f"3,{i}5"
        ),
        "thousands": lambda i: {"mean_treated": f"1,{200 + i}", "mean_control": f"1,{300 + i}"},
        "cohort": lambda i: {"Cohort ID": f"c{i // 2}"},
    }.get(kind, lambda i: {})
    if kind == "effect":
        write_csv(source, [{"study": f"s{i}", "outcome": "death", "effect": i / 8, "se": 0.25}
                           for i in range(4)])  # fmt: skip
    elif kind == "join":
        source = tmp_path / "s.xlsx"
        papers = [{"study": f"s-e{i}", "species": "rat" if i % 2 else "mouse"} for i in range(6)]
        with pd.ExcelWriter(source) as book:
            pd.DataFrame([plain(i) for i in range(6)]).to_excel(book, sheet_name="D", index=False)
            pd.DataFrame(papers).to_excel(book, sheet_name="Papers", index=False)
    else:
        write_csv(source, [plain(i, **cells(i)) for i in range(6)])
    answers, right = KINDS[kind]
    usual, said = answered(monkeypatch, tmp_path / "usual", source, {})
    assert all(words in said for words in answers)
    assert not right(usual)
    new(tmp_path / "usual_unasked", source)  # what was confirmed is what was guessed
    guessed = config(tmp_path / "usual_unasked")
    own = ("unconfirmed", "id", "title")
    assert [guessed | dict.fromkeys(own)] == [usual | dict.fromkeys(own)]
    other, _ = answered(monkeypatch, tmp_path / "other", source, answers)
    assert right(other) and other["unconfirmed"] == []
    if kind != "comma":  # points in a sheet with commas are faults, and that is right
        assert not check(tmp_path / "other").faults


@pytest.mark.parametrize("name", ["none", "SD"])
def test_sems_beside_sds_are_asked(monkeypatch, tmp_path, name):
    arms = ("treated", "control")
    table = [{"study": f"s{i}", "outcome": "x"} for i in range(6)]
    for i, line in enumerate(table):
        errors = {"SD": 2 if i % 2 else "", "SEM": "" if i % 2 else 1}
        numbers = {"n": 8, "mean": 5 + i} | errors
        line |= {f"{name} {arm}": value for arm in arms for name, value in numbers.items()}
    write_csv(tmp_path / "s.csv", table)
    answers = {"Should SEMs be taken there?": "2"} if name == "none" else {}
    there, _ = answered(monkeypatch, tmp_path / "r", tmp_path / "s.csv", answers)
    assert ("sem_treated" in there["sheet"]["columns"]) == (name == "SD")
    assert there["unconfirmed"] == []


def test_a_syrf_export_is_asked_for_signs_and_records(monkeypatch, tmp_path):
    base = {
        "StudyId": "s1", "ExperimentId": "x", "OutcomeId": "o", "OutcomeLabel": "Neuroscore",
        "GreaterIsWorse": "TRUE", "TimeInMinutes": 10080, "OutcomeAverageType": "mean",
        "OutcomeErrorType": "SD", "IsDiseaseModelControl": "FALSE", "OutcomeError": 2,
    }  # fmt: skip
    table = []
    for kept in ("TRUE", "FALSE"):
        for control, n, mean in (("FALSE", 8, 9), ("TRUE", 6, 12)):
            cells = {"NumberOfAnimals": n, "OutcomeAverage": mean, "IsTreatmentControl": control}
            table.append(
                base | cells | {"CohortId": control, "Reconciled": kept, "AnnotatorId": kept}
            )
    write_csv(tmp_path / "s.csv", table)
    usual, _ = answered(monkeypatch, tmp_path / "usual", tmp_path / "s.csv", {})
    kept = {"column": "Reconciled", "values": ["TRUE"]}
    assert usual["sheet"]["records"] == {"of": ["StudyId"], "by": "AnnotatorId", "keep": kept}
    answers = {"Which records": "2", "a higher value is worse": "none"}
    other, _ = answered(monkeypatch, tmp_path / "other", tmp_path / "s.csv", answers)
    assert "sign" in usual["sheet"]["columns"] and "sign" not in other["sheet"]["columns"]
    assert "records" not in other["sheet"] and other["unconfirmed"] == []


def test_a_digitised_figure_is_asked_what_the_points_beside_the_means_show(monkeypatch, tmp_path):
    heads = "Control,,Control SEM,,Treated,,Treated SEM,"
    (tmp_path / "f.csv").write_text(
        f"{heads}\nX,Y,X,Y,X,Y,X,Y\n1,20,1,22,1,21,1,23\n7,40,7,44,7,60,7,63\n"
    )
    answers = {"errors": "SEM", "number of animals": "=9", "from which study": "=Roe 2010"}
    usual, said = answered(monkeypatch, tmp_path / "usual", tmp_path / "f.csv", answers)
    assert usual["sheet"]["constants"]["n_treated"] == 9
    # The SEM is the tip's distance from the mean times the root of n.
    assert load(tmp_path / "usual").experiments["sd_treated"].tolist() == pytest.approx([6, 9])
    assert "where the bar ends, on the axis" in said
    assert usual["sheet"]["columns"]["tip_treated"] == "Treated SEM"
    assert usual["sheet"]["constants"]["error_type"] == "SEM" and usual["unconfirmed"] == []
    answers = {"the point beside": "2", "number of animals": "=nine"}
    with pytest.raises(click.UsageError, match="a number is due behind the =, not 'nine'"):
        answered(monkeypatch, tmp_path / "none", tmp_path / "f.csv", answers)
    del answers["number of animals"]
    other, _ = answered(monkeypatch, tmp_path / "other", tmp_path / "f.csv", answers)
    assert other["sheet"]["columns"]["sd_treated"] == "Treated SEM"
    assert not {"tip_treated", "tip_control"} & set(other["sheet"]["columns"])
