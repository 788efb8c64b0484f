"""What every test has: no figure that another test left open."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    """Close what matplotlib keeps, where a test has imported it."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
