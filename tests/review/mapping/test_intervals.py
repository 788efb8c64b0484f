"""Effects as ratios, and with the ends of a 95% interval in place of a standard error."""

from math import log

import pytest
from own_review import FAMILY, row, write

from helpers.analysis.outcome import analyse
from helpers.analysis.settings import of_review
from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.review import load

Z = 1.959964
EXPECTED = (-0.369079, -0.585201, -0.152956)  # metafor 3.8, see below
RATIOS = [(0.62, 0.40, 0.96), (0.75, 0.50, 1.13), (0.50, 0.28, 0.89), (0.80, 0.55, 1.16)]
LOGS = FAMILY.replace("range = [0, 21]\n", "").replace(
    'better = "higher"', 'better = "lower"\neffect_name = "log hazard ratio"\neffect_scale = "log"'
)


def table(rows, names):
    return [
        {"experiment": f"e{i}", "study": f"s{i}", "outcome": "score"}
        | dict(zip(names, each, strict=True))
        for i, each in enumerate(rows)
    ]


def body(**columns):
    return "[sheet.columns]\n" + "".join(
        f'{name} = "{column}"\n' for name, column in columns.items()
    )


HR = body(ratio="HR", ratio_low="CI low", ratio_high="CI high")
HEADS = ("HR", "CI low", "CI high")


def test_ratios_with_their_interval_are_pooled_as_logarithms(tmp_path):
    review = load(write(tmp_path, table(RATIOS, HEADS), HR, toml=LOGS))
    first = review.experiments.iloc[0]
    assert first["effect"] == pytest.approx(log(0.62))
    assert first["se"] == pytest.approx((log(0.96) - log(0.40)) / (2 * Z), abs=1e-6)
    # metafor: rma(log(HR), sei = (log(high) - log(low)) / 3.919928), REML, z
    settings, model = of_review({}, rebuilds=False, parameters={"interval": "z"})
    found = analyse(review, "score", chosen=settings, model=model).leading
    assert found.estimate == pytest.approx(EXPECTED[0], abs=5e-5)
    assert (found.ci_low, found.ci_high) == pytest.approx(EXPECTED[1:], abs=5e-5)


def test_ends_of_an_effect_s_interval(tmp_path):
    rows = [(-0.9, -1.4, -0.4), (-0.5, -0.9, -0.1)]
    named = body(effect="yi", effect_low="ci.lb", effect_high="ci.ub")
    toml = FAMILY.replace("range = [0, 21]\n", "")
    review = load(write(tmp_path, table(rows, ("yi", "ci.lb", "ci.ub")), named, toml=toml))
    assert review.experiments["effect"].tolist() == [-0.9, -0.5]
    assert review.experiments["se"].tolist() == pytest.approx(
        [1 / (2 * Z), 0.8 / (2 * Z)], abs=1e-6
    )


def test_a_standard_error_that_is_given_stays(tmp_path):
    rows = [(0.62, 0.40, 0.96, ""), (0.75, "", "", 0.21)]
    lines = table(rows, (*HEADS, "SE"))
    review = load(write(tmp_path, lines, HR + 'se = "SE"\n', toml=LOGS))
    assert review.experiments["se"].iloc[1] == 0.21
    assert review.experiments["se"].iloc[0] == pytest.approx(0.22334, abs=1e-5)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ((-0.62, 0.40, 0.96), "not above 0"),
        ((0.62, 0.96, 0.40), "wrong way round"),
        ((0.30, 0.40, 0.96), "outside its interval"),
        ((0.62, "", ""), "neither a variance"),
        ((0.62, "0,40-0,96", 0.96), "a number is due"),
    ],
)
def test_what_cannot_be_an_interval_is_a_fault_of_its_row(tmp_path, row, what):
    faults = check(write(tmp_path, table([*RATIOS, row], HEADS), HR, toml=LOGS)).faults
    assert {fault.row for fault in faults if what in fault.what} == {6}


def test_an_interval_of_another_scale_is_a_warning(tmp_path):
    rows = [*RATIOS, (0.62, 0.33, 0.91)]  # the middle of 0.33 and 0.91, not of their logarithms
    warnings = check(write(tmp_path, table(rows, HEADS), HR, toml=LOGS)).warnings
    assert [w.row for w in warnings if "not the middle of its interval" in w.what] == [6]


def test_effects_of_ratios_are_named_as_logarithms(tmp_path):
    toml = FAMILY.replace("range = [0, 21]\n", "")
    (fault,) = check(write(tmp_path, table(RATIOS, HEADS), HR, toml=toml)).faults
    assert 'effect_scale = "log"' in fault.remedy


@pytest.mark.parametrize("heading", ["90% CI low", "CI90 low", "99 % lower"])
def test_other_intervals_are_refused(tmp_path, heading):
    named = body(ratio="HR", ratio_low=heading, ratio_high="CI high")
    with pytest.raises(ReviewError, match="only intervals of 95%"):
        load(write(tmp_path, table(RATIOS, ("HR", heading, "CI high")), named, toml=LOGS))


@pytest.mark.parametrize("heading", ["90% CI", "CI90", "99 % CI"])
def test_other_intervals_of_groups_are_refused(tmp_path, heading):
    ends = [row("e1") | {f"drug {heading} low": 10, f"drug {heading} high": 15}]
    ends[0]["sd_treated"] = ""
    named = f'[sheet.columns]\nci_low_treated = "drug {heading} low"\n'
    named += f'ci_high_treated = "drug {heading} high"\n'
    faults = check(write(tmp_path / "ends", ends, named)).faults
    assert {f.column for f in faults} == {f"drug {heading} low", f"drug {heading} high"}
    assert all("only intervals of 95%" in f.what for f in faults)
    half = [row("e1") | {f"drug {heading}": 2}]
    named = f'[sheet.columns]\nsd_treated = "drug {heading}"\n'
    named += '[sheet.constants]\nerror_type_treated = "CI"\n'
    (fault,) = check(write(tmp_path / "half", half, named)).faults
    assert "only intervals of 95%" in fault.what
    divided = named + "[sheet.divide]\nsd_treated = 0.8\n"  # made 95% by hand
    assert not check(write(tmp_path / "divided", half, divided)).faults
