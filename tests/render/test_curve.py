"""The specification curve of one outcome by several processes: the same numbers by any number."""

import pandas as pd
import pytest
from made_up import simulate

from helpers import __main__ as command
from helpers.analysis.outcome import analyse
from helpers.analysis.robustness import specifications
from helpers.problems import Refused
from helpers.render.curve import computed
from helpers.review.review import load

HOW = {"most": 300, "fits": 6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curve") / "review"
    simulate(folder, 24)
    return folder


@pytest.fixture(scope="module")
def alone(folder):
    review = load(folder)
    return specifications.of_outcome(review, analyse(review, "score", moderators=[]), **HOW)


def test_in_pieces_they_are_the_same_to_the_last_digit(folder, alone):
    review = load(folder)
    analysis = analyse(review, "score", moderators=[])
    pieces = specifications.of_outcome(review, analysis, **HOW, run=map)
    pd.testing.assert_frame_equal(pieces.table, alone.table, check_exact=True)
    assert pieces.explained == alone.explained


@pytest.mark.parametrize("jobs", [1, 3])
def test_by_processes_too(folder, alone, jobs):
    table, said = computed("score", review=folder, jobs=jobs, **HOW)
    assert set(table.pop("provenance")) == {"simulated"}
    pd.testing.assert_frame_equal(table, alone.table, rtol=1e-12, check_dtype=False)
    assert said.startswith("Score, specification curve: ") and "equally principled" in said


def test_the_command_writes_all_of_them(folder, alone, tmp_path, capsys):
    out = tmp_path / "curve.csv"
    asked = ["score", "--review", str(folder), "--most", "300", "--fits", "6", "--out", str(out)]
    assert command.main(["specifications", *asked]) == 0
    written = pd.read_csv(out)
    assert len(written) == len(alone.table)
    assert written["estimate"].tolist() == pytest.approx(alone.table["estimate"].tolist())
    assert "specification curve" in capsys.readouterr().out


def test_an_outcome_that_is_not_there_is_refused_with_the_nearest(folder, capsys):
    assert command.main(["specifications", "scor", "--review", str(folder)]) == 2
    assert "score" in capsys.readouterr().err


def test_a_single_experiment_is_refused(tmp_path):
    simulate(tmp_path / "one", 1)
    with pytest.raises(Refused, match="single experiment"):
        computed("score", review=tmp_path / "one")
