"""Width of text in a figure, and how it is folded or cut."""

from helpers.drawing.text import shorten, text_width, wrap


def test_widths_are_those_of_the_font():
    assert text_width("mmmm") > text_width("iiii") * 3
    assert text_width("abc", bold=True) > text_width("abc")
    short = shorten("word " * 20, 1)
    assert short.endswith("…")
    assert text_width(short) <= 1
    assert shorten("word", 1) == "word"
    assert shorten("reconstructed-apoptotic-cells-01", 1, tail=8).endswith("…cells-01")
    lines = wrap("one two three four five six seven", 1)
    assert " ".join(lines) == "one two three four five six seven"
    assert max(map(text_width, lines)) <= 1
