"""The explorer in the kernel: controls, rows and buttons, and nothing where nobody looks on."""

import random
import subprocess
import sys
import time

import made_up
import pytest
from own_review import SPECIES, row, write

from helpers import Report
from helpers.report.explore import live
from helpers.report.explore.widget import Explorer
from helpers.review.review import load

OUTCOME = """
[[families]]
id = "movement"
label = "Movement"
outcomes = [{ id = "score", label = "Score", better = "higher" }]
"""
ARTICLE = '[article]\ncitation = "Doe J. 2020."\n'
MODEL = '[model]\ntest = "contain"\n'


@pytest.fixture
def folder(tmp_path):
    table = [row(f"e{i}", mean_treated=9.5 + i, species=("mouse", "rat")[i % 2]) for i in range(6)]
    return write(tmp_path / "r", table, toml=OUTCOME + SPECIES)


@pytest.fixture
def explorer(folder):
    return Explorer(Report("movement", review=folder))


def options(dropdown):
    return [value for _, value in dropdown.options]


def test_a_setting_a_level_and_a_row_each_change_the_numbers(explorer):
    seen = [explorer.view.told["now"]]
    explorer.controls.settings["method"].value = "DL"
    explorer.controls.levels["species"]["mouse"].value = False
    seen.append(explorer.view.told["now"])
    explorer.view.clicked({"toggle": "e5"})
    seen.append(explorer.view.told["now"])
    assert len(set(seen)) == 3 and explorer.view.told["was"] == seen[0]
    assert explorer.view.fates == ["level", "used", "level", "used", "level", "hand"]
    assert explorer.found.analysis.leading.k == 2
    assert explorer.controls.preset.value == "chosen"
    explorer.view.clicked({"toggle": "e0"})  # its level is not kept: a click is no step
    explorer.view.clicked({"toggle": "nobody"})
    explorer.view.clicked({})
    assert explorer.history.now.exclude == ("e5",)


def test_undo_redo_and_reset_bring_numbers_and_controls_back(explorer):
    assert explorer.undo.disabled and explorer.redo.disabled
    start = explorer.view.told["now"]
    explorer.controls.settings["measure"].value = "MD"
    explorer.view.clicked({"toggle": "e1"})
    explorer.undo.click()
    explorer.undo.click()
    assert explorer.view.told["now"] == start and explorer.controls.settings["measure"].value == ""
    explorer.redo.click()
    assert explorer.view.told["now"].startswith("MD ")
    assert explorer.controls.settings["measure"].value == "MD"
    explorer.reset.click()
    assert explorer.view.told["now"] == start and not explorer.undo.disabled


def test_what_cannot_be_together_is_greyed_out_with_its_reason(explorer):
    settings = explorer.controls.settings
    assert "NMD" not in options(settings["measure"])
    settings["measure"].value = "ROM"
    assert settings["correction"].disabled and settings["variance"].disabled
    assert "ROM has one formula" in explorer.controls.hint.value
    settings["measure"].value = ""
    assert not settings["correction"].disabled
    settings["method"].value = "EE"
    assert settings["prediction"].disabled


def test_what_has_no_result_is_said_and_no_error_is_raised(explorer):
    for name in [f"e{i}" for i in range(6)]:
        explorer.view.clicked({"toggle": name})
    assert explorer.view.told["error"].startswith("No result") and explorer.view.results == []
    assert not explorer.undo.disabled
    explorer.view.clicked({"toggle": "e0"})
    assert explorer.view.told["error"] == "" and explorer.found.analysis.leading.k == 1


@pytest.mark.parametrize("head", ["", ARTICLE, MODEL], ids=["plain", "article", "model"])
def test_no_way_through_the_controls_raises_an_error(tmp_path, head):
    table = [row(f"e{i}", study=f"s{i // 2}", mean_treated=9.5 + i, species=("", "mouse", "rat")[i % 3])
             for i in range(9)]  # fmt: skip
    toml = head + OUTCOME.replace("better", "reference = 20, better") + SPECIES
    report = Report("movement", review=write(tmp_path / "r", table, toml=toml))
    explorer, rng, said = Explorer(report), random.Random(len(head)), set()
    controls, boxes = explorer.controls, [*explorer.controls.levels["species"].values()]
    for _ in range(120):
        kind = rng.choice(["setting", "setting", "setting", "preset", "level", "row", "step"])
        if kind == "setting":
            one = rng.choice([one for one in controls.settings.values() if not one.disabled])
            one.value = rng.choice(options(one))
        elif kind == "preset":
            controls.preset.value = rng.choice(options(controls.preset))
        elif kind == "level":
            box = rng.choice(boxes)
            box.value = not box.value
        elif kind == "row":
            explorer.view.clicked({"toggle": f"e{rng.randrange(9)}"})
        else:
            rng.choice([explorer.undo, explorer.redo, explorer.reset]).click()
        told, choice = explorer.view.told, explorer.history.now
        assert bool(told["now"]) != bool(told["error"])
        assert controls.preset.value == choice.preset
        assert {n: one.value for n, one in controls.settings.items() if one.value != ""} == (
            choice.settings
        )
        said.add(told["now"])
    assert len(said) > 20


def test_an_exclusion_is_written_and_holds_from_then_on(explorer, folder):
    explorer.view.clicked({"toggle": "e2"})
    number = explorer.found.analysis.leading.estimate
    explorer.write.click()
    assert "`reason` is empty" in explorer.status.value
    assert not (folder / "exclusions.csv").exists()
    explorer.reason.value, explorer.by.value = "fell ill", "A. Doe"
    explorer.write.click()
    assert explorer.status.value.startswith("Written: e2.")
    assert explorer.view.fates[2] == "listed" and "fell ill" in explorer.view.why[2]
    assert explorer.found.analysis.leading.estimate == number
    assert explorer.history.now.exclude == ()
    explorer.undo.click()  # back to before the click: the file says otherwise
    assert explorer.found.analysis.leading.estimate == number
    report = Report("movement", review=folder)
    assert report.outcome("score").analysis.leading.estimate == number
    assert load(folder).exclusions["by"].tolist() == ["A. Doe"]


def test_only_what_changed_is_sent(explorer):
    sent = []
    for name in explorer.view.keys:
        explorer.view.observe(lambda change: sent.append(change["name"]), name)
    explorer.controls.settings["level"].value = 0.9  # neither rows nor their weights
    assert {"intervals", "told"} <= set(sent)
    assert not {"rows", "naming", "weights", "fates", "why"} & set(sent)


def test_it_begins_as_the_report_is(folder):
    where = {"species": "mouse"}
    report = Report("movement", review=folder, method="DL", exclude=["e0"], where=where)
    explorer = Explorer(report)
    assert explorer.view.told["was"] == explorer.view.told["now"]
    assert len(explorer.view.rows) == 6 and not explorer.controls.levels["species"]["rat"].value
    assert explorer.found.analysis.leading.estimate == report.analyses["score"].leading.estimate
    assert explorer.controls.settings["method"].value == "DL"
    assert explorer.history.now.exclude == ("e0",)


def test_levels_of_a_part_of_the_report_are_kept(folder, monkeypatch):
    monkeypatch.setattr(live, "is_live", lambda: True)
    part = Report("movement", review=folder).outcome("score", where={"species": "rat"})
    explorer = part.explore()
    assert explorer.history.now.where == {"species": ["rat"]}
    assert explorer.found.analysis.leading.estimate == part.analysis.leading.estimate


def test_no_level_at_all_is_said(explorer):
    for box in explorer.controls.levels["species"].values():
        box.value = False
    assert explorer.view.told["error"] == "No result: no level of species is kept."
    explorer.controls.levels["species"]["rat"].value = True
    assert explorer.found.analysis.leading.k == 3


def test_a_family_is_explored_outcome_by_outcome():
    report = Report("apoptosis", moderators=[])
    explorer = Explorer(report)
    assert options(explorer.controls.outcome) == list(report.analyses)
    for name, one in report.analyses.items():
        explorer.controls.outcome.value = name
        assert explorer.found.analysis.leading.estimate == one.leading.estimate
        assert len(explorer.view.rows) == len(report.review.rows(name))


def test_nothing_is_shown_where_nobody_looks_on(folder, monkeypatch):
    report = Report("movement", review=folder)
    assert report.explore() is None and report.outcome("score").explore() is None
    monkeypatch.setattr(live, "is_live", lambda: True)
    assert isinstance(report.explore(), Explorer)
    assert isinstance(report.outcome("score").explore(), Explorer)


@pytest.mark.parametrize(("rows", "most"), [(200, 0.2), (561, 0.3)])
def test_a_step_takes_a_fraction_of_a_second(tmp_path, rows, most):
    made_up.simulate(tmp_path / "r", rows)
    explorer = Explorer(Report("made_up", review=tmp_path / "r", moderators=[]))
    assert explorer.found.analysis.leading.interval == "multilevel"
    took = []
    for name in [one["id"] for one in explorer.view.rows[:8]]:
        began = time.process_time()
        explorer.view.clicked({"toggle": name})
        took.append(time.process_time() - began)
    assert min(took) < most, took


def test_a_report_does_not_load_what_the_explorer_needs():
    code = (
        "import sys; from helpers import Report; Report('microglia', outcomes='iba_1').explore();"
    )
    code += "print([n for n in ('ipywidgets', 'anywidget') if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
