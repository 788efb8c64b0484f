"""Groups of animals a row each: what both groups of a comparison must have in common."""

from own_review import write

from helpers.review.check import check

LONG = """
[sheet.columns]
experiment = "row"
study = "study"
sign = "GreaterIsWorse"
{more}
[sheet.values.sign]
True = -1
False = 1
[sheet.long]
group = "arm"
control = ["vehicle"]
pair = ["study"]
[sheet.constants]
error_type = "SD"
"""


def folder(tmp_path, more="", **control):
    treated = {"study": "s1", "arm": "drug", "n": 8, "mean": 12, "sd": 2, "GreaterIsWorse": "True",
               "OutcomeUnit": "mg", "measured": "score"}  # fmt: skip
    table = [treated, treated | {"arm": "vehicle", "mean": 9} | control]
    constant = "" if more else 'outcome = "score"\n'
    return write(tmp_path, table, LONG.format(more=more) + constant)


def test_groups_of_one_comparison_may_not_differ_in_direction_or_outcome(tmp_path):
    assert not check(folder(tmp_path / "same")).faults
    assert not check(folder(tmp_path / "empty", GreaterIsWorse="")).faults
    (fault,) = check(folder(tmp_path / "sign", GreaterIsWorse="False")).faults
    assert (fault.row, fault.column, fault.value) == (2, "GreaterIsWorse", "True")
    assert "another direction" in fault.what
    other = folder(tmp_path / "outcome", 'outcome = "measured"', measured="speed")
    assert "another outcome" in str(check(other))


def test_another_unit_of_the_control_is_warned_of(tmp_path):
    def warned(path, **control):
        return [odd for odd in check(folder(path, **control)).warnings if "unit" in odd.what]

    assert not warned(tmp_path / "same")
    assert not warned(tmp_path / "empty", OutcomeUnit="")
    (warning,) = warned(tmp_path / "unit", OutcomeUnit="g")
    assert (warning.row, warning.column, warning.value) == (2, "OutcomeUnit", "mg")
