"""Sheets of many habits: the answer is the truth, a question or a fault, never another number."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sheet_grammar import sheets

from helpers.new.folder import new
from helpers.problems import ReviewError
from helpers.review.review import load

# What `new` asks of every sheet, whatever its numbers.
ALWAYS = ("families.",)
EASY = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck)
)


def read(sheet, folder):
    """What became of a sheet: the verdict and, where there are numbers, they and what was asked."""
    try:
        new(folder / "review", sheet.write(folder))
        review = load(folder / "review")
    except ReviewError as error:
        return "a fault", [], [str(finding) for finding in error.findings]
    columns = ["study", "outcome"]
    columns += [f"{name}_{arm}" for arm in ("treated", "control") for name in ("n", "mean", "sd")]
    found = list(review.experiments[columns].itertuples(index=False, name=None))
    asked = [name for name in review.unconfirmed if not name.startswith(ALWAYS)]
    if alike(sheet.truth, found):
        return "the truth", found, asked
    return ("a question" if asked else "another number"), found, asked


def alike(truth, found):
    """Whether numbers agree row by row, and which rows are of one study and of one outcome."""

    def plain(rows):
        rows = sorted((tuple(f"{x:.9g}" for x in row[2:]), row[0], row[1]) for row in rows)
        studies, outcomes = {}, {}
        return [
            (
                key,
                studies.setdefault(study, len(studies)),
                outcomes.setdefault(outcome, len(outcomes)),
            )
            for key, study, outcome in rows
        ]

    return plain(truth) == plain(found)


def hold(sheet):
    """One sheet: nothing but the truth, a question or a fault."""
    with tempfile.TemporaryDirectory() as folder:
        verdict, found, _ = read(sheet, Path(folder))
    assert verdict != "another number", (sheet.habits, sheet.rows, sheet.truth, found)
    return verdict


@EASY
@given(sheets())
def test_no_habit_gives_another_number_in_silence(sheet):
    hold(sheet)


@pytest.mark.slow
def test_ten_thousand_sheets():
    verdicts = Counter()

    @settings(EASY, max_examples=10_000)
    @given(sheets())
    def each(sheet):
        verdicts[hold(sheet)] += 1

    each()
    print(verdicts)
    assert verdicts["the truth"] > 0.5 * verdicts.total()
