"""Where the explorer shows itself: in front of a person, and in no report."""

from types import SimpleNamespace

import nbformat
import papermill
import pytest

from helpers.page import document
from helpers.report.explore import live
from helpers.review.description import PROJECT


def shell(kernel, request):
    return SimpleNamespace(kernel=kernel, get_parent=lambda: request)


@pytest.mark.parametrize(
    ("looks_on", "found"),
    [
        (False, None),  # no IPython
        (False, shell(None, {})),  # IPython without a kernel, as reports are rendered
        (False, shell(1, {"header": {"username": "me"}, "metadata": {}})),  # Papermill, nbconvert
        (True, shell(1, {"header": {"username": ""}, "metadata": {}})),
        (True, shell(1, {"header": {"username": "me"}, "metadata": {"cellId": "a"}})),
    ],
)
def test_a_front_end_is_known_by_its_requests(monkeypatch, looks_on, found):
    monkeypatch.setattr("IPython.get_ipython", lambda: found)
    assert live.is_live() is looks_on


def test_progress_is_told_to_a_person_who_waits_and_to_nobody_else(monkeypatch, capsys):
    steps = ["a", "b", "c"]
    monkeypatch.setattr(live, "is_live", lambda: False)
    assert live.waited(steps, "Parts") is steps
    monkeypatch.setattr(live, "is_live", lambda: True)
    assert list(live.waited(steps, "Parts")) == steps  # within a second
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(live, "PATIENCE", 0)
    assert list(live.waited(steps, "Parts")) == steps
    out, told = capsys.readouterr()
    assert "Parts" in told and not out


def test_papermill_runs_it_without_an_output(tmp_path):
    cells = [
        "from helpers import Report\nreport = Report('microglia', outcomes='iba_1', moderators=[])",
        "report.explore()",
        "report.outcome('iba_1').explore()",
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    nbformat.write(made, tmp_path / "in.ipynb")
    run = papermill.execute_notebook(
        tmp_path / "in.ipynb", None, cwd=PROJECT, kernel_name="python3", progress_bar=False
    )
    assert [cell.outputs for cell in run.cells if cell.cell_type == "code"] == [[], [], []]
    assert "widgets" not in run.metadata


def test_a_page_has_nothing_of_it():
    sources = ["report.explore()", "locomotion.explore() ;\n", "text = 'kept'\nreport.explore()"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    shown = {"text/html": "<p>widget</p>", "application/vnd.jupyter.widget-view+json": {}}
    for cell in cells[:2]:
        cell.outputs = [nbformat.v4.new_output("display_data", shown)]
    html = document.export(nbformat.v4.new_notebook(cells=cells), title="Page")
    assert "kept" in html and "widget" not in html and "locomotion" not in html
    assert html.count("explore") == 1
