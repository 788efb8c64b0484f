"""The face: what a notebook imports, and what a person sees of it in JupyterLab."""

import inspect
import subprocess
import sys
from dataclasses import fields

import nbformat
import pytest
from IPython.core.completer import IPCompleter
from IPython.core.interactiveshell import InteractiveShell
from own_review import FAMILY, SPECIES, row, write

import helpers
from helpers import Overview, Report
from helpers.analysis.settings import Settings
from helpers.review.description import PROJECT
from helpers.words.numbers import number

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    table = [
        row(f"e{i}", outcome="score", mean_treated=11 + i, species=("rat", "mouse")[i % 2])
        for i in range(4)
    ]
    folder = write(tmp_path_factory.mktemp("review"), table, toml=FAMILY + SPECIES)
    return Report("movement", review=folder)


def completed(text, **names):
    """What the Tab key offers after a text."""
    shell = InteractiveShell.instance()
    completer = IPCompleter(shell=shell, namespace=names, global_namespace={}, use_jedi=False)
    return {match.rsplit(".", 1)[-1] for match in completer.all_completions(text)}


def test_importing_costs_nothing_until_something_is_asked_for():
    code = (
        "import sys, helpers; assert not {'numpy', 'pandas', 'scipy'} & set(sys.modules); "
        "print(sorted(m for m in sys.modules if m.startswith('helpers'))); helpers.Report; "
        "assert 'pandas' in sys.modules"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "['helpers']"


def test_the_face_is_two_names_and_refuses_others():
    assert dir(helpers) == ["Overview", "Report"]
    assert completed("helpers.", helpers=helpers) == {"Overview", "Report"}
    with pytest.raises(AttributeError, match="no attribute 'Reprot'"):
        _ = helpers.Reprot


def test_the_face_explains_the_words_of_the_field():
    words = helpers.__doc__.split("\n")
    for word in (
        "experiment",
        "study",
        "outcome",
        "family",
        "moderator",
        "control group",
        "cohort",
    ):
        assert word in words, word


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_the_face_and_nothing_else(path):
    source = "\n".join(
        c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"
    )
    imports = [line for line in source.splitlines() if "import" in line]
    if path.stem == "welcome":  # it also writes files and a link
        imports = [line for line in imports if "helpers" in line]
    assert imports == [f"from helpers import {'Overview' if path.stem == 'overview' else 'Report'}"]


def test_a_report_says_what_it_is(report):
    text = repr(report)
    for word in ("movement", report.review.id, "outcomes: score", "moderators: species"):
        assert word in text
    none = Report("microglia", outcomes=["iba_1"], moderators=[])
    assert "outcomes: iba_1\nmoderators: none" in repr(none)
    chosen = Report("microglia", moderators=["species"])
    assert "moderators: species>" in repr(chosen)
    assert "sci_exosomes" in repr(Overview())
    assert repr(report.outcome("score")).endswith("(score), k = 4>")
    assert "not selected" in repr(none.outcome("cd68"))
    assert repr(none.group(["cd68", "iba_1"], "Cells")) == "<Cells: cd68, iba_1>"


def test_what_shift_tab_shows_is_what_one_passes(report):
    shown = inspect.signature(Report).parameters
    lists = {"family", "review", "outcomes", "moderators", "exclude", "where", "seed"}
    assert set(shown) == lists | {one.name for one in fields(Settings)}
    assert {shown[name].default for name in shown.keys() - lists} == {None}  # as the review says
    assert str(inspect.signature(report.outcome)) == "(id, *, where=None)"
    assert str(inspect.signature(report.outcome("score").forest)) == (
        "(by=None, *, groups=False, sort=None, rows=None, ax=None)"
    )
    assert str(inspect.signature(report.outcome("score").bubble)) == "(moderator)"
    for thing in (Report, Overview, report.outcome("score"), report.group(["score"], "One")):
        for name in (name for name in dir(thing) if not name.startswith("_")):
            assert inspect.getdoc(getattr(thing, name)), name


def test_tab_offers_public_names_only(report):
    things = report, Overview(), report.outcome("score"), report.group(["score"], "One")
    for thing in things:
        offered = completed("thing.", thing=thing)
        assert offered and not [name for name in offered if name.startswith("_")]
        assert not [name for name in dir(thing) if name.startswith("_")]
    assert {"outcome", "group", "glance", "results"} <= completed("thing.", thing=report)


def test_a_thing_is_no_child_of_another():
    for class_ in (Report, Overview, type(Report("microglia").outcome("iba_1"))):
        assert class_.__mro__ == (class_, object)


def test_an_outcome_gives_all_of_its_results(report):
    chosen = report.outcome("score").analysis.chosen
    assert chosen.k == 4
    assert number(chosen.estimate) in report.outcome("score").result().text
