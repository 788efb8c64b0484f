"""Terms of several moderators, against R and as a person writes them."""

import json
import pathlib

import numpy as np
import pandas as pd
import pytest

from helpers.stats.nested.terms import design, natural_spline, parse

PINNED = json.loads(
    (pathlib.Path(__file__).parents[1] / "reference" / "terms.json").read_text(encoding="utf-8")
)
DATA = {name: pd.DataFrame(columns) for name, columns in PINNED["data"].items()}
SMALL = pd.DataFrame({
    "species": ["rat", "mouse", "rat", "mouse", "rat", "mouse", "rat", "mouse"],
    "sex": ["f", "f", "m", "m", "f", "f", "m", "m"],
    "dose": [0.1, 0.3, 1, 10, 3, 30, 1, 0.3],
    "days": [3, 7, 14, 21, 28, 42, 56, 84],
    "study": list("aabbccdd"),
})  # fmt: skip


def refused(*terms, table=SMALL, **options):
    with pytest.raises(ValueError) as caught:
        design(table, list(terms), **options)
    return str(caught.value)


def same_space(a, b):
    """Whether two matrices have one column space."""
    return all(
        np.abs(one - other @ np.linalg.lstsq(other, one)[0]).max() < 1e-9 * np.abs(one).max()
        for one, other in ((a, b), (b, a))
    )


# ------------------------------------------------------------------------------------------ R


@pytest.mark.parametrize(
    "case", PINNED["spline"], ids=lambda case: f"{len(case['x'])}-{case['df']}"
)
def test_spline_is_that_of_ns(case):
    assert natural_spline(case["x"], case["df"]) == pytest.approx(
        np.array(case["basis"]), abs=1e-10
    )


@pytest.mark.parametrize("case", PINNED["regressions"], ids=lambda case: " + ".join(case["terms"]))
def test_columns_span_what_model_matrix_spans(case):
    found = design(DATA[case["data"]], case["terms"])
    expected = np.array(case["x"])
    assert found.matrix.shape == expected.shape
    assert same_space(found.matrix.to_numpy(), expected)
    for joint in case["joint"]:
        assert len(found.terms[joint["term"]]) == len(joint["columns"])


def test_columns_are_those_of_model_matrix_one_by_one():
    case = PINNED["regressions"][2]
    assert case["terms"] == ["species", "log10(dose)", "species:sex"]
    found = design(DATA[case["data"]], case["terms"])
    # R runs through the levels of the first factor within those of the second.
    ours = [c.replace("species: ", "species").replace("sex: ", "sex") for c in found.matrix.columns]
    place = [ours.index(n.replace(":", " × ").replace("(Intercept)", "intercept"))
             for n in case["names"]]  # fmt: skip
    assert found.matrix.to_numpy()[:, place] == pytest.approx(np.array(case["x"]))


# ------------------------------------------------------------------------------------- columns


def test_names_references_and_places():
    found = design(SMALL, ["sex:species", "species", "sex", "log10(dose)"], reference={"sex": "m"})
    assert found.matrix.columns.tolist() == [
        "intercept", "species: rat", "sex: f", "log10(dose)", "sex: f × species: rat",
    ]  # fmt: skip
    assert found.terms == {"species": [1], "sex": [2], "log10(dose)": [3], "sex:species": [4]}
    assert found.reference == {"species": "mouse", "sex": "m"}
    assert found.matrix["log10(dose)"].iloc[0] == -1


def test_few_different_numbers_stay_a_number():
    table = SMALL.assign(dose=pd.Series([1, 1, 10, 10, 1, 10, 1, 10], dtype=object))
    assert design(table, ["dose"]).matrix["dose"].tolist() == [1, 1, 10, 10, 1, 10, 1, 10]
    assert not design(table, ["dose"]).reference


def test_numbers_kept_as_text_are_categories_and_said():
    table = SMALL.assign(dose=["1", "3", "10", "1", "3", "10", "1", "3"])
    found = design(table, ["dose"])
    assert found.reference == {"dose": "1"} and "'dose' read as numbers" in found.notes[0]


def test_truth_values_are_categories():
    found = design(SMALL.assign(blind=[True, False] * 4), ["blind"])
    assert found.matrix.columns.tolist() == ["intercept", "blind: True"]


def test_rows_that_lack_a_moderator_are_left_out_and_counted():
    table = SMALL.assign(sex=["f", None, "m", " ", "f", "f", "m", "m"])
    table.loc[[2, 7], "dose"] = np.nan
    rows = np.array([True] * 7 + [False])
    found = design(table, ["sex", "dose"], rows=rows)
    assert found.left_out == 3 and found.missing == {"sex": 2, "dose": 1}
    assert found.used.tolist() == [True, False, False, False, True, True, True, False]
    assert found.matrix.index.tolist() == [0, 4, 5, 6]


def test_knots_are_those_of_the_rows_used():
    table = SMALL.assign(sex=[None, *SMALL["sex"][1:]])
    found = design(table, ["sex", "spline(days, 2)"])
    columns = found.matrix.iloc[:, found.terms["spline(days, 2)"]]
    assert columns.to_numpy() == pytest.approx(natural_spline(SMALL["days"][1:], 2))


def test_interaction_without_its_margin_is_an_effect_within_each_level():
    found = design(SMALL, ["species", "species:sex"])
    assert found.matrix.columns.tolist() == [
        "intercept", "species: rat", "species: mouse × sex: m", "species: rat × sex: m",
    ]  # fmt: skip
    slopes = design(SMALL, ["species:log10(dose)"]).matrix.columns.tolist()
    assert slopes == ["intercept", "species: mouse × log10(dose)", "species: rat × log10(dose)"]


def test_interaction_alone_has_all_combinations_but_one():
    found = design(SMALL, ["species:sex"])
    assert len(found.terms["species:sex"]) == 3 and not found.notes
    assert np.linalg.matrix_rank(found.matrix) == 4


def test_combination_that_no_row_has_is_named():
    table = SMALL.drop(index=[2, 6])  # no male rats
    found = design(table, ["species", "sex", "species:sex"])
    assert found.terms == {"species": [1], "sex": [2], "species:sex": []}
    assert list(found.dropped) == ["species: rat × sex: m"]
    assert "no row has species rat and sex m" in found.notes[0]
    # So it is where the reference is what lacks: the column is then one of others.
    other = design(table, ["species", "sex", "species:sex"], reference={"species": "rat"})
    assert "no row has species rat and sex m" in other.notes[0] and not other.terms["species:sex"]


def test_three_moderators_in_one_interaction():
    table = pd.concat([SMALL, SMALL.assign(dose=SMALL["dose"] * 2)], ignore_index=True)
    table["route"] = ["iv"] * 8 + ["ip"] * 8
    found = design(table, ["species:sex:route"])
    assert np.linalg.matrix_rank(found.matrix) == found.matrix.shape[1] == 8
    # Partial margins: redundant columns go without a word, for every combination is there.
    found = design(table, ["species", "species:sex:route"])
    assert np.linalg.matrix_rank(found.matrix) == found.matrix.shape[1] == 8 and not found.notes


# --------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("dse", "term 'dse': no moderator is called 'dse'. Did you mean 'dose'?"),
        ("log10(Dose)", "no moderator is called 'Dose'. Did you mean 'dose'?"),
        ("species:dyas", "no moderator is called 'dyas'. Did you mean 'days'?"),
        ("spline(dyas, 3)", "no moderator is called 'dyas'. Did you mean 'days'?"),
        ("zzzzzz", "Known are species, sex, dose, days, study"),
        ("spline(days)", "a spline needs its df, as in spline(days, 3)"),
        ("spline(days, 1)", "a whole number from 2 to 10; a straight line is days"),
        ("spline(days, x)", "a spline needs its df, as in spline(days, 3)"),
        (
            "log(dose)",
            "there is no function log; write name, log10(name), spline(name, df), or a:b",
        ),
        ("species*sex", "term 'species*sex' is no term: write name, log10(name)"),
        ("species:", "term 'species:' is no term: write name, log10(name)"),
        ("log10(dose", "term 'log10(dose' is no term: write name"),
        ("  ", "is no term"),
        ("sex:sex", "holds one moderator twice"),
    ],
)
def test_a_term_that_cannot_be_read_is_one_line(term, said):
    message = refused(term)
    assert said in message and "\n" not in message


def test_all_faults_come_at_once():
    message = refused("dse", "species:", "sex", "sex").splitlines()
    assert len(message) == 3
    table = SMALL.assign(dose=[0, *SMALL["dose"][1:]], only="x")
    message = refused("log10(dose)", "only", "log10(sex)", table=table).splitlines()
    assert len(message) == 3


def test_log_names_the_rows_and_the_way_out():
    table = SMALL.assign(dose=[0, 0.3, -1.5, 10, 3, 30, 1, 0.3]).set_axis(range(2, 10))
    message = refused("species", "log10(dose)", table=table)
    assert "row 2 (0), row 4 (-1.5)" in message and "take 'dose' as it is" in message
    assert "row 3" not in message


def test_function_of_text_names_the_cells():
    table = SMALL.assign(dose=["0.1", "<3", "1", "10", "3", "30", "1", "n.r."])
    assert "log10 needs numbers in 'dose': row 1 ('<3'), row 7 ('n.r.')" in refused(
        "log10(dose)", table=table
    )


def test_name_with_two_readings_is_refused_and_backticks_tell_them_apart():
    table = SMALL.assign(**{"species:sex": list("xyxyxyyx"), "log10(dose)": np.arange(8.0)})
    assert "2 ways" in refused("species:sex", table=table)
    assert "2 ways" in refused("log10(dose)", table=table)
    assert design(table, ["`species:sex`"]).matrix.columns[1] == "species:sex: y"
    assert design(table, ["`species`:`sex`"]).terms["species:sex"] == [1, 2, 3]
    assert design(table, ["log10(`dose`)"]).matrix.iloc[0, 1] == -1
    assert design(table, ["`log10(dose)`"]).matrix.iloc[7, 1] == 7


@pytest.mark.parametrize("name", ["dose (mg/kg)", "größe", "if", "time of injection", "a:b", "n,m"])
def test_headings_as_people_write_them(name):
    table = SMALL.rename(columns={"dose": name})
    assert str(parse(name, table.columns)[0]) == name
    assert design(table, [f"log10({name})", f"species:{name}"]).matrix.shape == (8, 4)


def test_moderators_that_cannot_be_told_apart_are_named():
    table = SMALL.assign(route=np.where(SMALL["species"] == "rat", "iv", "ip"))
    message = refused("species", "route", table=table)
    assert "'route: iv' follows from 'species: rat'" in message
    message = refused("dose", "twice", table=SMALL.assign(twice=2 * SMALL["dose"]))
    assert "'twice' follows from 'dose'" in message


def test_what_does_not_vary_is_refused():
    assert "one level only, 'x'" in refused("a", table=SMALL.assign(a="x"))
    assert "'a' is 3 in all rows" in refused("a", table=SMALL.assign(a=3))
    assert "no row has all of sex, a" in refused(
        "sex", "a", table=SMALL.assign(a=pd.Series(np.nan, range(8)))
    )


def test_spline_of_too_few_values_is_refused():
    assert "too few for a spline with 3 df" in refused(
        "spline(a, 3)", table=SMALL.assign(a=[1, 2] * 4)
    )
    ties = SMALL.assign(a=[1, 1, 1, 1, 1, 2, 3, 4])
    assert "too few" in refused("spline(a, 3)", table=ties)  # a knot at the smallest value


def test_reference_must_be_there():
    assert "no row has the reference level 'x' of sex" in refused("sex", reference={"sex": "x"})
    assert "reference names no moderator: sx" in refused("sex", reference={"sx": "f"})
    assert "holds numbers" in refused("dose", reference={"dose": 1})
