"""Counts of events among animals: from the sheet to pooled ratios, what cannot be named.

Expected effects are those of metafor's `escalc` (0.5 added to all four cells where one is 0; for RD
nothing), pooled by `rma`, REML.
"""

import pytest
from own_review import FAMILY, write

from helpers.analysis.outcome import analyse
from helpers.analysis.settings import of_review
from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.review import load

COUNTS = [(3, 12, 8, 12), (2, 10, 6, 10), (5, 15, 9, 15), (0, 8, 4, 8), (4, 20, 11, 20)]
NAMES = ("events_treated", "n_treated", "events_control", "n_control")
OF_OUTCOME = FAMILY.replace("range = [0, 21]\n", "").replace(
    'better = "higher"', 'better = "higher"\nmeasure = "{}"'
)
PLAIN = FAMILY.replace("range = [0, 21]\n", "")


def table(counts=COUNTS, **cells):
    return [
        {"experiment": f"e{i}", "study": f"s{i}", "outcome": "score"}
        | dict(zip(NAMES, each, strict=True))
        | cells
        for i, each in enumerate(counts)
    ]


def settings(measure):
    return f'[settings]\nmeasure = "{measure}"\n{PLAIN}'


def pooled(review, **parameters):
    asked = of_review(review.settings, review.model, rebuilds=False, parameters=parameters)
    return analyse(review, "score", chosen=asked[0], model=asked[1])


@pytest.mark.parametrize(
    ("measure", "first", "variance", "estimate", "name"),
    [
        ("OR", -1.7917595, 0.8194444, -1.601011, "log odds ratio"),
        ("RR", -0.9808293, 0.2916667, -0.9036844, "log risk ratio"),
        ("RD", -0.4166667, 0.0341435, None, "risk difference"),
    ],
)
@pytest.mark.parametrize("place", ["settings", "outcome"])
def test_effects_of_events_are_metafor_s(tmp_path, measure, first, variance, estimate, name, place):
    toml = settings(measure) if place == "settings" else OF_OUTCOME.format(measure)
    review = load(write(tmp_path, table(), toml=toml))
    assert review.experiments["effect"].iloc[0] == pytest.approx(first, abs=1e-6)
    assert review.experiments["se"].iloc[0] ** 2 == pytest.approx(variance, abs=1e-6)
    found = pooled(review)
    assert found.measure.label == name and found.animals == 130
    if estimate is not None:
        assert found.leading.estimate == pytest.approx(estimate, abs=1e-5)


def test_the_interval_of_the_odds_ratio_is_metafor_s(tmp_path):
    found = pooled(load(write(tmp_path, table(), toml=settings("or"))), interval="z")
    bounds = (found.leading.ci_low, found.leading.ci_high)
    assert bounds == pytest.approx((-2.3853, -0.8167), abs=5e-5)


def test_no_measure_is_taken_in_silence(tmp_path):
    (fault,) = check(write(tmp_path, table(), toml=PLAIN)).faults
    assert "no measure is said" in fault.what and '"RR"' in fault.remedy


def test_rows_that_tell_nothing_are_listed(tmp_path):
    counts = [*COUNTS, (0, 8, 0, 8), (8, 8, 6, 6)]
    review = load(write(tmp_path, table(counts), toml=settings("OR")))
    assert review.not_used.values.tolist() == [
        [7, "no event in either group: no log odds ratio"],
        [8, "the event in every animal: no log odds ratio"],
    ]
    steps = review.trace[review.trace["step"] == "events"]["detail"].tolist()
    assert "0.5 added to all four cells" in steps
    assert len(load(write(tmp_path / "rd", table(counts), toml=settings("RD"))).experiments) == 7


@pytest.mark.parametrize(
    ("counts", "what", "value"),
    [
        ((13, 12, 8, 12), "more events than animals", "13"),
        ((-1, 12, 8, 12), "below 0", "-1"),
        ((0.25, 12, 8, 12), "no whole number", "0.25"),
        (("3/12", 12, 8, 12), "a number is due", "3/12"),
        (("", 12, 8, 12), "a number is due", ""),
        (("", 12, "", 12), "a number is due", ""),
        ((3, "", 8, 12), "a number is due", ""),
    ],
)
def test_counts_that_cannot_be_are_faults_of_their_cell(tmp_path, counts, what, value):
    faults = check(write(tmp_path, table([*COUNTS, counts]), toml=settings("OR"))).faults
    found = {(each.row, each.value) for each in faults if what in each.what}
    assert found == {(7, value)}


def test_rows_without_a_count_are_listed_where_missing_says_so(tmp_path):
    lines = table([*COUNTS, ("NS", 12, 8, 12), ("NS", 12, "", 12)])
    review = load(write(tmp_path, lines, 'missing = ["NS"]', toml=settings("OR")))
    assert review.not_used.values.tolist() == [
        [7, "no events_treated (NS)"], [8, "no events_treated (NS), no events_control"],
    ]  # fmt: skip


def test_animals_without_the_event_complete_n(tmp_path):
    lines = [
        {"experiment": f"e{i}", "study": f"s{i}", "outcome": "score", "ai": a, "bi": n1 - a,
         "ci": c, "di": n2 - c}
        for i, (a, n1, c, n2) in enumerate(COUNTS)
    ]  # fmt: skip
    body = """[sheet.columns]
    events_treated = "ai"
    nonevents_treated = "bi"
    events_control = "ci"
    nonevents_control = "di"
    """
    review = load(write(tmp_path, lines, body, toml=settings("OR")))
    assert review.experiments["n_treated"].tolist() == [12, 10, 15, 8, 20]
    assert pooled(review).leading.estimate == pytest.approx(-1.601011, abs=1e-5)
    wrong = [line | {"n_treated": 99, "n_control": 99} for line in lines]
    with pytest.raises(ReviewError, match="do not add up to n"):
        load(write(tmp_path / "wrong", wrong, body, toml=settings("OR")))


def test_a_measure_of_events_needs_some(tmp_path):
    lines = [
        {"experiment": f"e{i}", "study": f"s{i}", "outcome": "score", "n_treated": 8,
         "mean_treated": 4 + i, "sd_treated": 2, "n_control": 8, "mean_control": 5, "sd_control": 2}
        for i in range(3)
    ]  # fmt: skip
    for toml in (settings("OR"), OF_OUTCOME.format("RR")):
        faults = check(write(tmp_path / toml[:3], lines, toml=toml)).faults
        assert any("counts events" in fault.what for fault in faults)


def test_outcomes_without_events_are_named(tmp_path):
    """`[settings]` asks for odds ratios, and one outcome has means: it is said that they stay."""
    means = {"experiment": "m", "study": "m", "outcome": "steps", "n_treated": 8, "n_control": 8,
             "mean_treated": 4, "sd_treated": 2, "mean_control": 5, "sd_control": 2}  # fmt: skip
    toml = settings("OR") + '[[families.outcomes]]\nid = "steps"\nbetter = "higher"\n'
    review = load(write(tmp_path, [*table(), means], toml=toml))
    assert any("no row of steps counts events" in found.what for found in review.warnings)
    assert len(review.rows("steps")) == 1


def test_means_and_events_of_one_row_are_refused(tmp_path):
    means = {"mean_treated": 1, "sd_treated": 1, "mean_control": 2, "sd_control": 1}
    faults = check(write(tmp_path, table(**means), toml=settings("OR"))).faults
    assert {fault.row for fault in faults if "means as well" in fault.what} == {2, 3, 4, 5, 6}


def test_own_effects_of_the_same_outcome_are_refused(tmp_path):
    lines = [
        *table(),
        {"experiment": "x", "study": "x", "outcome": "score", "effect": -0.5, "se": 0.2},
    ]
    (fault,) = check(write(tmp_path, lines, toml=settings("OR"))).faults
    assert fault.row == 7 and "others of its outcome count events" in fault.what


def test_a_row_a_group_counts_events_too(tmp_path):
    lines = [
        {"study": f"s{i}", "outcome": "score", "group": group, "n": n, "events": count}
        for i, (a, n1, c, n2) in enumerate(COUNTS)
        for group, n, count in (("drug", n1, a), ("vehicle", n2, c))
    ]
    body = """[sheet.columns]
    experiment = "row"
    n = "n"
    events = "events"
    [sheet.long]
    group = "group"
    control = ["vehicle"]
    pair = ["study"]
    """
    review = load(write(tmp_path, lines, body, toml=settings("OR")))
    assert pooled(review).leading.estimate == pytest.approx(-1.601011, abs=1e-5)
