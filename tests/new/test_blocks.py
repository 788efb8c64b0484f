"""Several groups, outcomes or days beside each other in a row, recognised and asked."""

import pytest
from own_review import rows, write_csv

from helpers.analysis import animals
from helpers.new.folder import new
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.review import load

CONTROL, LOW, HIGH = (8, 6.0, 1.4), (7, 4.9, 1.3), (6, 4.1, 1.2)
HEADS = ("{} n", "{} mean", "{} SD")


def made(folder, table, ask=None, separator=","):
    folder.mkdir(exist_ok=True)
    write_csv(folder / "sheet.csv", table, separator)
    todo = new(folder / "review", folder / "sheet.csv", None, ask)
    return todo, describe(folder / "review")


def sheet(groups, heads=HEADS, k=3, study="Study"):
    """Rows of a study with groups beside each other; the mean rises with the row."""
    return [
        {study: f"s{i}"}
        | {
            head.format(name): value + i if place == 1 else value
            for name, numbers in groups.items()
            for place, (head, value) in enumerate(zip(heads, numbers, strict=True))
        }
        for i in range(k)
    ]


@pytest.mark.parametrize(
    ("names", "heads", "study", "arms"),
    [
        (("Control", "Low dose", "High dose"), HEADS, "Study", ["Low dose", "High dose"]),
        (("control", "low", "high"), ("n {}", "mean {}", "sd {}"), "Study", ["low", "high"]),
        (("Vehicle", "10 mg/kg", "30 mg/kg"), HEADS, "Study", ["10 mg/kg", "30 mg/kg"]),
        (("Kontrolle", "Behandlung niedrig", "Behandlung hoch"),
         ("{} n", "{} Mittelwert", "{} SD"), "Studie", ["niedrig", "hoch"]),
        (("saline", "fluoxetine", "imipramine"), ("n {}", "mean {}", "SD {}"), "Reference",
         ["fluoxetine", "imipramine"]),
    ],
)  # fmt: skip
def test_several_groups_against_one_control(tmp_path, names, heads, study, arms):
    groups = dict(zip(names, (CONTROL, LOW, HIGH), strict=True))
    todo, description = made(tmp_path, sheet(groups, heads, study=study))
    assert "sheet.blocks" in description.unconfirmed
    assert any("sheet.blocks" in line and ", ".join(arms) in line for line in todo)
    review = load(tmp_path / "review")
    table = review.experiments
    assert table["n_treated"].tolist() == [7, 6] * 3
    assert table["mean_treated"].tolist() == pytest.approx([4.9, 4.1, 5.9, 5.1, 6.9, 6.1])
    assert table["mean_control"].tolist() == [6, 6, 7, 7, 8, 8]
    assert review.moderator_values["arm"].tolist() == arms * 3
    assert table["control_group"].nunique() == 3 and animals.count(table) == 3 * (8 + 7 + 6)


def test_an_arm_that_a_study_has_not_is_no_row(tmp_path):
    table = sheet({"Control": CONTROL, "Low": LOW, "High": HIGH})
    table[2] |= {"Low n": "", "Low mean": "", "Low SD": ""}
    made(tmp_path, table)
    assert len(load(tmp_path / "review").experiments) == 5


def test_groups_with_mean_and_error_in_one_cell_and_one_n_for_all(tmp_path):
    table = [
        {"Study": f"s{i}", "n per group": 9, "Control (mean ± SEM)": f"{6 + i} ± 0.5",
         "Low (mean ± SEM)": f"{5 + i} ± 0.4", "High (mean ± SEM)": f"{4 + i} ± 0.3"}
        for i in range(3)
    ]  # fmt: skip
    _, description = made(tmp_path, table)
    asked = {"sheet.split", "sheet.blocks", "sheet.columns.n", "sheet.constants.error_type"}
    assert asked <= set(description.unconfirmed)
    first = load(tmp_path / "review").experiments.iloc[:2]
    assert first["sd_treated"].tolist() == pytest.approx([1.2, 0.9])  # SEM √9
    assert first[["n_treated", "n_control"]].to_numpy().tolist() == [[9, 9], [9, 9]]


def pairs(labels, heads=("mean {} {}", "SD {} {}")):
    table = [{"Study": f"s{i}", "n treated": 8, "n control": 7} for i in range(3)]
    for i, line in enumerate(table):
        for place, label in enumerate(labels):
            for arm, mean in (("treated", 4), ("control", 6)):
                line[heads[0].format(arm, label)] = mean + i + 10 * place
                line[heads[1].format(arm, label)] = 1.5
    return table


def test_outcomes_beside_each_other(tmp_path):
    _todo, description = made(tmp_path, pairs(["IL-6", "infarct volume"]))
    assert "sheet.blocks" in description.unconfirmed
    assert [o.label for o in description.outcomes.values()] == ["IL-6", "infarct volume"]
    better = {f"families.outcomes.{name}.better" for name in description.outcomes}
    assert better <= set(description.unconfirmed)
    table = load(tmp_path / "review").experiments
    assert table["outcome"].tolist() == [*description.outcomes] * 3
    assert table["mean_treated"].tolist() == [4, 14, 5, 15, 6, 16]
    assert table["cohort"].nunique() == 3  # the same animals
    assert animals.count(table) == 3 * 15


@pytest.mark.parametrize(
    ("labels", "days"),
    [(["day 7", "day 28"], [7, 28]), (["d3", "d14"], [3, 14]), (["week 1", "week 4"], [7, 28])],
)
def test_days_beside_each_other(tmp_path, labels, days):
    _, description = made(tmp_path, pairs(labels))
    assert "sheet.blocks" in description.unconfirmed
    table = load(tmp_path / "review").experiments
    assert table["follow_up_days"].tolist() == days * 3 and set(table["outcome"]) == {"outcome"}


def test_a_person_may_say_no(tmp_path):
    groups = {"Control": CONTROL, "Low": LOW, "High": HIGH}
    todo, description = made(tmp_path, sheet(groups), lambda guess: {"sheet.blocks": False})
    assert "blocks" not in description.config["sheet"] and check(tmp_path / "review").faults
    assert any("name the column of mean_treated" in line for line in todo)


def test_a_plain_pair_is_no_block_whatever_stands_beside_it(tmp_path):
    more = {"n sham": 8, "mean sham": 9, "SD sham": 1, "mean treated baseline": 5,
            "SD treated baseline": 1, "mean control baseline": 5, "SD control baseline": 1}  # fmt: skip
    _, description = made(tmp_path, [line | more for line in rows()])
    assert "blocks" not in description.config["sheet"]
    assert load(tmp_path / "review").experiments["mean_treated"].tolist() == [11, 11.5, 12]


def test_errors_of_different_kinds_are_due(tmp_path):
    table = sheet({"Control": CONTROL, "Low": LOW}, k=3)
    for line in table:
        line |= {"High n": 6, "High mean": 4, "High SEM": 0.4}
    made(tmp_path, table)
    assert any("error_type" in str(fault) for fault in check(tmp_path / "review").faults)


def test_outcomes_beside_each_other_where_a_column_names_the_outcome_are_left_open(tmp_path):
    table = [line | {"Outcome": "score"} for line in pairs(["left", "right"])]
    _, description = made(tmp_path, table)
    assert "blocks" not in description.config["sheet"]
