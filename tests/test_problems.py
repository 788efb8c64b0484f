"""Commands that a message names."""

import shlex

import pytest

from helpers.problems import command_line


@pytest.mark.parametrize(
    "words",
    [("reviews/stroke", "sheet.x"), ("my review", "a b"), ("a'b", '"A.b"', "5 $", "%x%"), ("ü",)],
)
def test_a_command_comes_out_of_a_shell_as_it_was_meant(words):
    assert shlex.split(command_line("set", *words)) == ["python", "-m", "helpers", "set", *words]
    assert command_line("set", "reviews/stroke") == "python -m helpers set reviews/stroke"
