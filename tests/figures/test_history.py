"""Pooled results over the states of a review: positions, turned sides, hollow marks."""

import numpy as np
import pandas as pd

from helpers.figures.history import over_time


def table(better=("higher", "lower")):
    return pd.DataFrame({
        "outcome": ["Score", "Score", "Pain"], "state": ["2023 (v1)", "2024 (v2)", "2024 (v2)"],
        "date": ["2023", "2024", "2024"], "better": [better[0], better[0], better[1]],
        "k": [4, 10, 6], "estimate": [0.2, 0.9, -0.5], "ci_low": [-0.3, 0.4, -0.9],
        "ci_high": [0.7, 1.4, -0.1], "changed": ["", "changed", ""],
    })  # fmt: skip


def drawn(ax):
    """Effects of full and of hollow squares, and all texts."""
    full, hollow = [], []
    for marks in ax.collections:
        (full if len(marks.get_facecolor()) else hollow).extend(marks.get_offsets()[:, 0])
    texts = [text for artist in ax.artists for text in getattr(artist, "strings", ())]
    return full, hollow, texts


def test_states_are_drawn_in_order_with_benefit_at_the_right():
    full, hollow, texts = drawn(over_time(table()))
    assert np.allclose(sorted(full), [0.5, 0.9]) and np.allclose(hollow, [0.2])
    assert {"Score", "Pain", "2023 (v1)", "2024 (v2)"} <= {*texts}
    assert "changed" in texts and any("turned so that benefit" in text for text in texts)


def test_outcomes_of_one_side_are_not_turned():
    full, _, texts = drawn(over_time(table(("lower", "lower"))))
    assert np.allclose(sorted(full), [-0.5, 0.9])
    assert not any("turned" in text for text in texts)


def test_a_phone_shows_dates():
    _, _, texts = drawn(over_time(table(), narrow=True))
    assert "2023" in texts and "2023 (v1)" not in texts


def test_levels_that_differ_are_not_named_as_one():
    _, _, texts = drawn(over_time(table(), level=None))
    assert "SMD (CI)" in texts
