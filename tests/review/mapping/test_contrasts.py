"""Named contrasts of a sheet whose rows are groups of animals."""

from statistics import mean, stdev

import numpy as np
import pytest
from own_review import write

from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.description import PROJECT, describe
from helpers.review.mapping.contrasts import treatments
from helpers.review.review import load
from helpers.stats.conversions import combined
from helpers.stats.effects import effect_sizes

LONG = """
[sheet.columns]
experiment = "row"
cohort = "animals"
[sheet.long]
group = "arm"
pair = ["study", "day"]
{long}
[sheet.constants]
outcome = "score"
"""
FAMILY = """
[[families]]
id = "movement"
label = "Movement"
outcomes = [
  { id = "score", label = "Score", better = "higher" },
  { id = "speed", label = "Speed", better = "higher" },
]
"""
TWO = """
[[contrasts]]
id = "drug"
label = "drug v. vehicle"
treated = ["drug", "/drug \\\\d+ mg/"]
control = ["vehicle"]
sham = ["sham"]
[[contrasts]]
id = "standard"
label = "drug v. standard"
treated = ["drug"]
control = ["standard"]
"""


def arms(*lines, study="s1", day=7):
    """Rows of arm, n, mean and SD; the cohort is called by study and arm."""
    return [
        {"study": study, "day": day, "arm": arm, "animals": f"{study} {arm}", "n": n, "mean": m,
         "sd": sd}
        for arm, n, m, sd in lines
    ]  # fmt: skip


FOUR = arms(("vehicle", 8, 10, 2), ("drug", 9, 14, 2.5), ("standard", 7, 13, 3), ("sham", 6, 20, 1))


def read(folder, table, contrasts=TWO, long="", extra=""):
    body = LONG.format(long=long).replace("\n", f"\n{extra}\n", 1) if extra else (
        LONG.format(long=long)
    )  # fmt: skip
    return load(write(folder, table, body, toml=contrasts + FAMILY))


def groups(review):
    columns = ["mean_treated", "n_treated", "mean_control", "n_control"]
    return review.experiments[["outcome", *columns]].to_numpy().tolist()


def test_one_group_of_animals_stands_in_each_contrast_that_needs_it(tmp_path):
    review = read(tmp_path, FOUR + arms(("other", 5, 9, 1), ("vehicle", 5, 8, 1), study="s2"))
    assert groups(review) == [["score_drug", 14, 9, 10, 8], ["score_standard", 14, 9, 13, 7]]
    assert review.experiments.index.tolist() == ["row-3 (drug)", "row-3 (standard)"]
    assert review.experiments["sheet_row"].tolist() == [3, 3]
    assert review.experiments["cohort"].tolist() == ["s1 drug"] * 2
    assert review.experiments["control_group"].tolist() == ["s1 vehicle", "s1 standard"]
    assert dict(review.not_used.to_numpy().tolist()) == {
        6: "this group fits no contrast",
        7: "no treated row has the same study, day",
    }
    lines = check(tmp_path).notes
    assert "contrast drug (drug v. vehicle): 1 comparisons: 1 of score, 0 of speed" in lines
    assert "contrast standard (drug v. standard): 1 comparisons: 1 of score, 0 of speed" in lines


def test_families_are_crossed_with_contrasts(tmp_path):
    one = TWO.replace('id = "standard"', 'id = "standard"\nas = "outcome"\noutcomes = ["speed"]')
    folder = write(tmp_path, FOUR, LONG.format(long=""), toml=one + FAMILY)
    found = describe(folder)
    assert {name: family.outcomes for name, family in found.families.items()} == {
        "movement": ("speed_standard",),
        "movement_drug": ("score_drug", "speed_drug"),
    }
    assert found.families["movement_drug"].label == "Movement: drug v. vehicle"
    assert found.outcomes["speed_standard"].label == "Speed (drug v. standard)"
    assert found.outcomes["speed_standard"].family == "movement"


def test_what_is_said_of_an_outcome_counts_in_each_contrast(tmp_path):
    more = """
    [[moderators]]
    id = "species"
    levels = ["mouse", "rat"]
    reference_by_outcome = { score = "rat" }
    [[regressions]]
    terms = ["species"]
    outcomes = ["score"]
    """
    head = 'unconfirmed = ["families.outcomes.score.better"]\n'
    folder = write(tmp_path, FOUR, LONG.format(long=""), toml=TWO + FAMILY + more)
    path = folder / "review.toml"
    path.write_text(head + path.read_text())
    found = describe(folder)
    assert found.moderators["species"].reference_by_outcome == {
        "score_drug": "rat",
        "score_standard": "rat",
    }
    assert found.regressions[0]["outcomes"] == ["score_drug", "score_standard"]
    assert found.guesses == ["higher is better for Score"]


KNOCKED = arms(
    ("vehicle", 8, 10, 2), ("drug", 9, 14, 2.5),
    ("knock-out;vehicle", 7, 11, 2), ("drug; knock-out", 6, 12, 2), ("knock-out", 5, 9, 2),
)  # fmt: skip


def test_several_treatments_of_a_cohort_are_a_set(tmp_path):
    named = """
    [[contrasts]]
    id = "plain"
    treated = ["/dr.*/"]
    control = ["vehicle"]
    [[contrasts]]
    id = "without_receptor"
    treated = ["knock-out;drug"]
    control = ["/VEH.*/; knock-out"]
    """
    review = read(tmp_path, KNOCKED, named)
    assert groups(review) == [
        ["score_plain", 14, 9, 10, 8],
        ["score_without_receptor", 12, 6, 11, 7],
    ]
    assert review.not_used["sheet_row"].tolist() == [6]  # got the knock-out only


def test_a_set_is_parted_by_what_the_sheet_uses(tmp_path):
    table = [line | {"arm": line["arm"].replace(";", " +")} for line in KNOCKED]
    named = (
        '[[contrasts]]\nid = "x"\ntreated = ["knock-out + drug"]\ncontrol = ["vehicle+knock-out"]\n'
    )
    review = read(tmp_path, table, named, 'separator = "+"')
    assert groups(review) == [["score_x", 12, 6, 11, 7]]


def test_treatments():
    assert treatments("a; b;a;") == {"a", "b"} and treatments("") == {""}


def test_a_contrast_is_of_the_same_experiment_and_time(tmp_path):
    table = FOUR + [line | {"day": 28, "mean": line["mean"] + 1} for line in FOUR]
    review = read(tmp_path, table, TWO.split('[[contrasts]]\nid = "standard"')[0])
    assert groups(review) == [["score_drug", 14, 9, 10, 8], ["score_drug", 15, 9, 11, 8]]
    # One cohort on two days is one group of animals.
    assert review.experiments["control_group"].tolist() == ["s1 vehicle"] * 2
    assert review.experiments.index.tolist() == ["row-3", "row-7"]  # one contrast needs no mark


ANIMALS = {"low": [11, 12, 13, 15], "high": [14, 16, 19], "saline": [8, 9, 13], "water": [7, 9.5]}


def measured(name):
    return name, len(ANIMALS[name]), mean(ANIMALS[name]), stdev(ANIMALS[name])


def test_combined_groups_are_those_of_all_their_animals():
    n, m, sd = combined(*zip(*(measured(name)[1:] for name in ANIMALS), strict=True))
    every = [animal for group in ANIMALS.values() for animal in group]
    assert (n, m, sd) == pytest.approx((len(every), mean(every), stdev(every)))


@pytest.mark.parametrize("kind", ["SD", "SEM"])
def test_arms_become_one_where_that_is_asked(tmp_path, kind):
    table = arms(*map(measured, ANIMALS)) + arms(*map(measured, ["low", "water"]), study="s2")
    if kind == "SEM":
        table = [line | {"sd": line["sd"] / line["n"] ** 0.5} for line in table]
    named = """
    [[contrasts]]
    id = "any"
    treated = ["low", "high"]
    control = ["saline", "water"]
    combine = true
    """
    extra = f'error_type = "{kind}"'
    body = LONG.format(long="") + extra + "\n"
    review = load(write(tmp_path, table, body, toml=named + FAMILY))
    first, second = (review.experiments.loc[name] for name in ("row-2 + row-3", "row-6"))
    for arm, names in (("treated", ("low", "high")), ("control", ("saline", "water"))):
        every = ANIMALS[names[0]] + ANIMALS[names[1]]
        found = [first[f"{name}_{arm}"] for name in ("n", "mean", "sd")]
        assert found == pytest.approx([len(every), mean(every), stdev(every)])
    assert (first["cohort"], first["control_group"]) == ("s1 low + s1 high", "s1 saline + s1 water")
    assert second["n_treated"] == 4 and second["n_control"] == 2
    assert review.rows_in == 6 and not len(review.not_used)
    assert review.trace["step"].tolist().count("combine") == 1


def test_what_combined_arms_do_not_share_is_left_empty_and_said(tmp_path):
    table = [line | {"dose": i} for i, line in enumerate(arms(*map(measured, ANIMALS)), 1)]
    named = '[[contrasts]]\nid = "any"\ncontrol = ["saline"]\nsham = ["water"]\ncombine = true\n'
    review = read(tmp_path, table, named + '[[moderators]]\nid = "dose"\n')
    assert np.isnan(review.moderator_values["dose"].iloc[0])
    [odd] = [odd for odd in review.warnings if "differ in dose (1, 2)" in odd.what]
    assert (odd.row, odd.column) == (2, "dose")
    assert not len(review.not_used)


def test_an_arm_without_a_number_is_listed_and_the_others_are_combined(tmp_path):
    table = arms(*map(measured, ["low", "high", "saline"]))
    table[1]["sd"] = "NR"
    named = '[[contrasts]]\nid = "any"\ncontrol = ["saline"]\ncombine = true\n'
    review = read(tmp_path, table, named, extra='missing = ["NR"]')
    assert groups(review) == [["score_any", 12.75, 4, 10, 3]]
    assert review.not_used.to_numpy().tolist() == [[3, "no sd (NR)"]]


def test_two_controls_are_refused_unless_they_are_combined(tmp_path):
    named = '[[contrasts]]\nid = "any"\ntreated = ["low"]\ncontrol = ["saline", "water"]\n'
    body = LONG.format(long="")
    folder = write(tmp_path, arms(*map(measured, ANIMALS)), body, toml=named + FAMILY)
    [fault] = check(folder).faults
    assert fault.row == 5 and fault.value == "water"
    assert "an earlier control row has the same study, day in contrast any" in fault.what
    assert "combine = true" in fault.remedy


def test_shams_of_the_same_experiment_and_time_are_the_reference(tmp_path):
    table = FOUR + [line for line in arms(("vehicle", 8, 9, 2), ("drug", 9, 11, 2), study="s2")]
    review = read(tmp_path, table)
    row = review.experiments.loc["row-3 (drug)"]
    assert row[["mean_reference", "sd_reference", "n_reference"]].tolist() == [20, 1, 6]
    others = review.experiments.drop("row-3 (drug)")
    assert others[["mean_reference", "sd_reference", "n_reference"]].isna().all(axis=None)
    effects = effect_sizes(review.experiments.loc[["row-3 (drug)"]], measure="NMD")
    assert effects["effect"].iloc[0] == pytest.approx(100 * (14 - 10) / (20 - 10))


def flagged(*lines):
    """Rows with a column for the disease model and one for the treatment, as SyRF has them."""
    return [
        {"study": "s", "day": 1, "sham": sham, "arm": arm, "animals": f"c{i}", "n": 4 + i,
         "mean": 10 + i, "sd": 1}
        for i, (sham, arm) in enumerate(lines)
    ]  # fmt: skip


SHAMS = 'control = ["True", ""]\nsham_column = "sham"\nsham = ["True", ""]'


def test_shams_are_told_by_a_column_of_their_own(tmp_path):
    table = flagged(("False", "False"), ("False", ""), ("", ""), ("True", "False"))
    review = read(tmp_path, table, "", SHAMS)
    assert groups(review) == [["score", 10, 4, 11, 5]]
    assert review.experiments["mean_reference"].tolist() == [12]
    assert review.not_used.to_numpy().tolist() == [
        [5, "animals without the disease model that are no sham group"]
    ]


def test_an_animal_with_one_model_of_two_is_no_sham(tmp_path):
    table = flagged(("False;True", "False"), ("False", "True;True"), ("True;True", ""))
    review = read(tmp_path, table, "", SHAMS)
    assert groups(review) == [["score", 10, 4, 11, 5]]
    assert review.experiments["mean_reference"].tolist() == [12]


def test_of_several_shams_none_is_taken_unless_they_are_combined(tmp_path):
    table = flagged(("False", "False"), ("False", "True"), ("True", "True"), ("True", ""))
    review = read(tmp_path / "apart", table, "", SHAMS)
    assert "mean_reference" not in review.experiments or (
        review.experiments["mean_reference"].isna().all()
    )
    told = [odd.row for odd in review.warnings if "none of them is the reference" in odd.what]
    assert told == [2]
    reason = "another sham row has the same study, day"
    assert review.not_used.to_numpy().tolist() == [[4, reason], [5, reason]]
    review = read(tmp_path / "one", table, "", SHAMS + "\ncombine = true")
    row = review.experiments.iloc[0]
    assert row["n_reference"] == 6 + 7
    assert row["mean_reference"] == pytest.approx((6 * 12 + 7 * 13) / 13)


def test_an_incomplete_sham_is_no_reference(tmp_path):
    table = flagged(("False", "False"), ("False", "True"), ("True", "True"))
    table[2]["n"] = "NA"
    review = read(tmp_path, table, "", SHAMS, extra='missing = ["NA"]')
    assert review.experiments["mean_reference"].isna().all()
    detail = "sham groups without a number that is due are no reference"
    assert detail in review.trace["detail"].tolist()


def test_errors_of_shams_are_converted_with_their_own_n(tmp_path):
    table = [line | {"error_type": "SEM"} for line in FOUR]
    row = read(tmp_path, table).experiments.loc["row-3 (drug)"]
    assert row["sd_reference"] == pytest.approx(6**0.5)
    assert row["sd_treated"] == pytest.approx(2.5 * 3)


def test_an_empty_cell_is_a_control_only_where_that_is_said(tmp_path):
    table = arms(("", 8, 10, 2), ("drug", 9, 14, 2.5))
    assert groups(read(tmp_path / "yes", table, "", 'control = [""]')) == [["score", 14, 9, 10, 8]]
    folder = write(
        tmp_path / "no", table, LONG.format(long='control = ["vehicle"]'), toml=FAMILY
    )  # fmt: skip
    assert "treated or control is not said" in str(check(folder))


def test_faults_and_warnings_of_contrasts(tmp_path):
    def said(name, contrasts, body=LONG):
        folder = write(tmp_path / name, FOUR, body.format(long=""), toml=contrasts + FAMILY)
        return str(check(folder))

    both = '[[contrasts]]\nid = "x"\ntreated = ["/.*/"]\ncontrol = ["vehicle"]\n'
    text = said("both", both)
    assert "this group is treated and control at once, by contrasts.x" in text and "row 2" in text
    text = said("typo", TWO.replace('["standard"]', '["standrd"]'))
    assert "contrasts.standard.control: 'standrd' is no group of the sheet" in text
    assert "no rows of the sheet make a comparison of this contrast" in text
    assert "families.movement_standard: no comparison of the sheet has an outcome of it" in text
    text = said("all", TWO.replace('["vehicle"]', '["?"]').replace('["standard"]', '["?"]'))
    assert "no row of this sheet gives an experiment" in text
    assert "a list is due here" in said("none", '[[contrasts]]\nid = "x"\n')
    assert "id is given twice" in said("twice", TWO.replace('"standard"', '"drug"', 1))
    outcome = TWO.replace('id = "drug"', 'id = "drug"\noutcomes = ["scores"]')
    assert "no such outcome (there stands 'scores'). Did you mean 'score'?" in said("o", outcome)
    assert "Say group and pair under [sheet.long]" in said("wide", TWO, "")
    with pytest.raises(ReviewError, match="which parts treatments"):
        pattern = TWO.replace('["standard"]', '["/a;b/"]')
        load(write(tmp_path / "p", FOUR, LONG.format(long=""), toml=pattern + FAMILY))


def test_control_is_due_under_long_where_there_are_no_contrasts(tmp_path):
    with pytest.raises(ReviewError, match=r"sheet\.long\.control: a list is due"):
        read(tmp_path, FOUR, "")


def test_messages_quote_the_row_of_the_group_they_are_about(tmp_path):
    table = arms(("vehicle", 8, 10, "2.0*"), ("drug", 9, 14, 2.5), ("standard", "x", 13, 3))
    table += arms(("sham", 6, "20 mm", 1))
    body = LONG.format(long="")
    faults = check(write(tmp_path, table, body, toml=TWO + FAMILY)).faults
    assert {(f.row, f.column, f.value) for f in faults} == {
        (2, "sd", "2.0*"), (4, "n", "x"), (5, "mean", "20 mm"),
    }  # fmt: skip


def test_the_example_of_the_readme(tmp_path):
    text = (PROJECT / "docs" / "review.md").read_text(encoding="utf-8").split("## Contrasts")[1]
    toml = text.split("```toml")[1].split("```")[0]
    (tmp_path / "review.toml").write_text('title = "x"\n' + toml, encoding="utf-8")
    families = {name: family.outcomes for name, family in describe(tmp_path).families.items()}
    assert families == {
        "behaviour_drug": ("locomotor_drug", "memory_drug"),
        "behaviour_knockout": ("locomotor_knockout",),
    }
