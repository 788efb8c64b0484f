"""Imports without parts that are not used: nothing of it is left afterwards."""

import gc
import sys

import pytest

from helpers.render.imports import without
from helpers.render.workers import Workers


def test_a_module_seems_absent_for_a_while_only():
    name = "tomllib.never"
    with without(name, "sys"):
        assert not gc.isenabled()
        assert sys.modules["sys"] is sys  # what is there stays
        with pytest.raises(ImportError):
            __import__("importlib").import_module(name)
    assert gc.isenabled() and name not in sys.modules


def test_a_failure_leaves_nothing_behind_either():
    with pytest.raises(KeyError), without("tomllib.never"):
        raise KeyError
    assert gc.isenabled() and "tomllib.never" not in sys.modules


def test_a_notebook_finds_what_was_left_out_while_its_worker_got_ready(tmp_path):
    with Workers() as workers:
        worker = workers.start(tmp_path)
        code = "import sys; ready = 'seaborn' in sys.modules, 'ipywidgets' in sys.modules\nready"
        assert worker.run(code)[1][0]["data"] == {"text/plain": "(True, False)"}
        _, outputs = worker.run("import ipywidgets; ipywidgets.__name__")
        assert outputs[0]["data"] == {"text/plain": "'ipywidgets'"}
        worker.stop()
