"""Factorials of choices: which go first, and how their spread is parted."""

import numpy as np
import pytest

from helpers.analysis.robustness import factorial
from helpers.analysis.robustness.choices import ONLY_SHOWN


def test_shares_of_the_spread_by_hand():
    a, b = np.array([0.0, 6.0]), np.array([0.0, 2.0, 4.0])
    shares = factorial.variance_shares(a[:, None] + b)
    # Variances of two and of three values: 9 and 8/3, which add up without an interplay.
    assert shares == pytest.approx([100 * 9 / (9 + 8 / 3), 100 * (8 / 3) / (9 + 8 / 3), 0])
    assert factorial.variance_shares(np.array([[1.0, -1], [-1, 1]])) == pytest.approx([0, 0, 100])
    assert np.isnan(factorial.variance_shares(np.full((2, 2), 3.0))).all()


def test_a_gap_costs_the_fewest_choices():
    values = np.arange(12.0).reshape(3, 4)
    values[1, 2] = values[2, 2] = np.nan
    np.testing.assert_array_equal(
        factorial.complete(values), np.delete(np.arange(12.0).reshape(3, 4), 2, 1)
    )
    assert factorial.complete(np.full((2, 3), np.nan)).size == 0


def test_pieces_give_the_whole_again():
    choices = {"correction": ("exact", "none"), "method": ("REML", "PM", "DL"),
               "variance": ("average", "stata")}  # fmt: skip
    block = factorial.Block("SMD", "independent", choices)
    whole = np.arange(12.0).reshape(block.shape)
    pieces = list(factorial.by_formula(block))
    assert len(pieces) == 4 and all(piece.size == 3 for piece in pieces)
    made = iter({"estimate": whole[i : i + 1, :, j : j + 1]} for i in (0, 1) for j in (0, 1))
    np.testing.assert_array_equal(factorial.put_together(block, made)["estimate"], whole)


def test_thinning_takes_what_is_only_shown_first():
    choices = {"variance": ("average", "stata"), "outliers": ("decided", "restored", "band")}
    blocks = [factorial.Block("SMD", "independent", choices)]
    leading = {
        "measure": "SMD",
        "model": "independent",
        "variance": "average",
        "outliers": "decided",
    }
    (left,) = factorial.thinned(blocks, leading, most=4, fits=0, shown=ONLY_SHOWN)
    assert left.choices == {"variance": ("average", "stata"), "outliers": ("decided", "restored")}
    (left,) = factorial.thinned(blocks, leading, most=1, fits=0, shown=ONLY_SHOWN)
    assert left.choices == {"variance": ("average",), "outliers": ("decided",)}
