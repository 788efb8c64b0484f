"""From somebody's sheet to a review folder without a fault."""

import math
import re
import shlex
from statistics import NormalDist

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_review import row, rows, write, write_csv

from helpers import Overview, Report
from helpers import __main__ as command
from helpers.new.folder import new
from helpers.new.guess import slug
from helpers.new.headings import read_heading
from helpers.new.levels import in_order, merge, spelling
from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.review import load
from helpers.words import alerts


def messy(k=8):
    spelling = ["rat", "Rat", "Rats", "mouse", "mice", "mouse", "rat", "rat"]
    return [
        {
            "Author, year": f"Doe {i}", "Species": spelling[i % 8], "Outcome": "Infarct volume (mm3)",
            "n treated": "6-8" if i == 2 else 8, "Mean treated": f"{40 + i},5", "SEM treated": "2,25",
            "n control": 6, "Mean control": "60,75", "SEM control": "NS" if i == 3 else "3,5",
            "Extracted by": "AB",
        }
        for i in range(k)
    ]  # fmt: skip


def test_a_tidy_sheet_is_ready_at_once(tmp_path):
    write_csv(tmp_path / "tidy.csv", rows(4))
    new(tmp_path / "review", tmp_path / "tidy.csv")
    review = load(tmp_path / "review")
    assert review.experiments["mean_treated"].tolist() == [11, 11.5, 12, 12.5]
    assert len(review.experiments) == 4 and review.not_used.empty


def test_a_messy_sheet_is_understood(tmp_path):
    source = tmp_path / "my sheet.csv"
    write_csv(source, messy(), separator=";")
    before = source.read_bytes()
    todo = new(tmp_path / "review", source)
    assert source.read_bytes() == before == (tmp_path / "review" / "my sheet.csv").read_bytes()
    review = load(tmp_path / "review")
    assert review.experiments["sd_treated"].iloc[0] == pytest.approx(2.25 * 8**0.5)
    assert review.experiments["n_treated"].tolist() == [8, 8, 6, 8, 8, 8, 8]
    assert review.moderator_values["species"].cat.categories.tolist() == ["rat", "mouse"]
    assert review.not_used.values.tolist() == [[5, "no SEM control (NS)"]]
    assert review.outcomes["infarct_volume_mm3"].better == "lower"
    assert any("SEMs in SEM treated, SEM control" in line for line in todo)
    text = (tmp_path / "review" / "review.toml").read_text()
    assert 'decimal = ","  # guessed' in text and "README" not in text
    assert all(line in (tmp_path / "review" / "README.md").read_text() for line in todo)


def test_a_workbook_takes_the_likeliest_sheet_and_joins_by_key(tmp_path):
    source = tmp_path / "book.xlsx"
    table = pd.DataFrame([line | {"study": f"S{i % 3}"} for i, line in enumerate(rows(6))])
    with pd.ExcelWriter(source) as book:
        pd.DataFrame({"Read me": ["notes"]}).to_excel(book, sheet_name="Notes", index=False)
        pd.DataFrame({"study": ["S0", "S1", "S2"], "species": ["rat", "mouse", "rat"]}).to_excel(
            book, sheet_name="Studies", index=False
        )
        table.to_excel(book, sheet_name="Data", index=False)
    new(tmp_path / "review", source)
    review = load(tmp_path / "review")
    assert review.sheet.sheet == "Data"
    assert review.moderator_values["species"].tolist() == ["rat", "mouse", "rat"] * 2


def test_names_of_arms_need_not_be_known(tmp_path):
    names = {"treated": "atd", "control": "ctr"}
    table = [
        {
            (f"{names[k.split('_')[1]]}_{k.split('_')[0]}" if "_" in k else k): v
            for k, v in line.items()
        }
        for line in rows(4)
    ]
    write_csv(tmp_path / "s.csv", table)
    new(tmp_path / "review", tmp_path / "s.csv")
    assert load(tmp_path / "review").experiments["mean_treated"].tolist() == [11, 11.5, 12, 12.5]


def test_what_cannot_be_guessed_is_to_be_filled_in(tmp_path):
    write_csv(tmp_path / "s.csv", [{"alpha": "x", "beta": 2}, {"alpha": "y", "beta": 3}])
    todo = new(tmp_path / "review", tmp_path / "s.csv")
    assert "name the column of mean_control under [sheet.columns]" in todo
    assert "the sheet has alpha, beta" in str(check(tmp_path / "review"))


def test_nothing_is_overwritten(tmp_path):
    write_csv(tmp_path / "s.csv", rows())
    new(tmp_path / "review", tmp_path / "s.csv")
    with pytest.raises(ReviewError, match="a review already"):
        new(tmp_path / "review", tmp_path / "s.csv")
    with pytest.raises(ReviewError, match="no such file"):
        new(tmp_path / "other", tmp_path / "nothing.csv")
    assert not (tmp_path / "other").exists()


def test_hostile_texts_stay_texts(tmp_path):
    evil = 'a"\n[sheet]\nfile = "/etc/passwd"'
    table = [row(f"e{i}", outcome=evil, study="<script>'\"") for i in range(3)]
    write_csv(tmp_path / "s.csv", table)
    new(tmp_path / "review", tmp_path / "s.csv")
    review = load(tmp_path / "review")
    assert [outcome.label for outcome in review.outcomes.values()] == [evil]
    assert review.sheet.file == "s.csv"


def test_outcomes_that_differ_in_no_ascii_letter_stay_apart(tmp_path):
    names = ["IL-1α", "IL-1β", "肿瘤", "脑"]
    table = [row(f"{name}{i}", outcome=name) for name in names for i in range(3)]
    write_csv(tmp_path / "s.csv", table)
    new(tmp_path / "review", tmp_path / "s.csv")
    outcomes = load(tmp_path / "review").outcomes
    assert {name: outcome.label for name, outcome in outcomes.items()} == dict(
        zip(["il_1", "il_1_2", "x", "x_2"], names, strict=True)
    )


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    heads=st.lists(
        st.sampled_from(["study", "n", "mean T", "SEM_c", "nC", "", "Outcome", "x", "sd treated"])
        | st.text(max_size=8),
        min_size=1, max_size=8,
    ),
    cells=st.lists(st.sampled_from(["", "NS", "1,5", "2.5", "6-8", "rat"]) | st.text(max_size=5)),
    name=st.sampled_from(["s.csv", "s.tsv", "s.xlsx"]),
)  # fmt: skip
def test_any_table_gives_a_review_or_words(tmp_path_factory, heads, cells, name):
    folder = tmp_path_factory.mktemp("any")
    width = len(heads)
    cells = cells + [""] * (-len(cells) % width)
    body = [cells[i : i + width] for i in range(0, len(cells), width)]
    if name.endswith("xlsx"):
        legal = [
            [re.sub(r"[\x00-\x1f\ufffe\uffff\ud800-\udfff]", "", c) for c in line]
            for line in (heads, *body)
        ]
        pd.DataFrame(legal).to_excel(folder / name, index=False, header=False)
    else:
        text = "\n".join(";".join(line) for line in (heads, *body))
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
    try:
        new(folder / "review", folder / name)
    except ReviewError as error:
        assert name in str(error)
    else:
        assert str(check(folder / "review"))


def test_command_line(tmp_path, capsys):
    write_csv(tmp_path / "s.csv", rows())
    assert command.main(["new", str(tmp_path / "r"), "--from", str(tmp_path / "s.csv")]) == 0
    assert "0 faults and 0 warnings" in capsys.readouterr().out
    assert command.main(["check", str(tmp_path / "r")]) == 0
    assert command.main(["new", str(tmp_path / "r"), "--from", str(tmp_path / "s.csv")]) == 2
    assert "a review already" in capsys.readouterr().err


# ---------------------------------------------------------------------- guesses are questions


def made(tmp_path, table, name="s.csv", **options):
    """A sheet, what `new` says of it, and the description of the review."""
    write_csv(tmp_path / name, table, **options)
    todo = new(tmp_path / "review", tmp_path / name)
    return todo, describe(tmp_path / "review")


def groups(i=0, *, names=("n_{}", "mean_{}", "sd_{}"), arms=("treated", "control")):
    """The numbers of a row under headings of any form; the means differ from row to row."""
    numbers = {arms[0]: (8, 4.5 + i, 1.25), arms[1]: (6, 6.5 + i, 1.5)}
    return {
        form.format(arm): value
        for arm in arms
        for form, value in zip(names, numbers[arm], strict=True)
    }


def test_every_guess_that_can_change_a_number_is_listed_with_what_was_seen(tmp_path):
    table = [
        {
            "Paper": f"Roe {i // 2}",
            "Marker": "GFAP",
            **groups(i, names=("n {}", "mean {}", "SEM {}")),
        }
        for i in range(6)
    ]
    todo, description = made(tmp_path, table)
    asked = (
        "sheet.constants.error_type",
        "sheet.columns.study",
        "sheet.columns.outcome",
        "families.outcomes.gfap.better",
    )
    assert description.unconfirmed == asked
    for setting in asked:
        assert any(line.startswith(f"{setting}: ") for line in todo)
    assert "sheet.columns.study: Paper (there stands 'Roe 0', 'Roe 1', 'Roe 2')?" in todo
    first = (tmp_path / "review" / "review.toml").read_text().split("[sheet]")[0]
    assert 'unconfirmed = [\n  "sheet.constants.error_type",' in first


def test_columns_called_as_ours_are_ours(tmp_path):
    table = [
        {"Article": f"A{i // 2}", "Outcome measure": "x", "StudyDesign": "between", "Error kind": "SEM",
         **row(f"e{i}", study=f"s{i % 3}"), "error_type": "SD", "control_group": f"c{i}",
         "cohort": f"k{i}", "follow_up_days": 7}
        for i in range(4)
    ]  # fmt: skip
    _, description = made(tmp_path, table)
    columns = description.config["sheet"]["columns"]
    ours = ["study", "outcome", "error_type", "control_group", "cohort", "follow_up_days"]
    assert {name: columns[name] for name in ours} == dict(zip(ours, ours, strict=True))


@pytest.mark.parametrize(
    "level, other",
    [
        ("15", "1.5"), ("1 5", "15"), (">60", "60"), ("<60", ">60"), ("ApoE+/+", "ApoE-/-"),
        ("C57BL/6J", "C57BL/6N"), ("IL-1α", "IL-1β"), ("±5", "+5"), ("10⁶", "106"), ("≤ 2", "2"),
        ("5 µg", "5 mg"), ("p53-/-", "p53+/-"), ("M?", "M"), ("3*", "3"), ("-5", "5"), ("1,5", "15"),
    ],
)  # fmt: skip
def test_levels_that_differ_by_a_digit_a_sign_or_a_letter_stay_apart(level, other):
    assert spelling(level) != spelling(other)


@pytest.mark.parametrize(
    "level, other",
    [
        ("Rat", "rat"), ("Rats", "rat"), ("mice", "Mouse"), ("Sprague Dawley", "SpragueDawley"),
        ("> 60", ">60"), ("sci.", "SCI"), ("Wistar ", "wistar"), ("5  mg/kg", "5 mg/kg"),
    ],
)  # fmt: skip
def test_spellings_of_one_level_are_one(level, other):
    assert spelling(level) == spelling(other)
    assert set(merge(pd.Series([level, level, other])).values()) == {level}


def test_a_merge_of_spellings_is_a_question_and_nothing_else_is_merged(tmp_path):
    strains = ["ApoE-/-", "ApoE+/+", "apoe-/-", "ApoE-/-"]
    table = [row(f"e{i}", strain=strain) for i, strain in enumerate(strains)]
    todo, description = made(tmp_path, table)
    assert description.moderators["strain"].levels == ("ApoE-/-", "ApoE+/+")
    assert description.config["sheet"]["values"]["strain"] == {"apoe-/-": "ApoE-/-"}
    assert "sheet.values.strain" in description.unconfirmed
    assert "sheet.values.strain: 'apoe-/-' is 'ApoE-/-', or levels of their own?" in todo


def test_outcomes_spelled_twice_become_one_by_a_question(tmp_path):
    names = ["Lesion area", "lesion  area", "Lesion areas", "Lesion area 2"]
    table = [row(f"e{i}", outcome=name) for i, name in enumerate(names)]
    _, description = made(tmp_path, table)
    assert {o.label for o in description.outcomes.values()} == {"Lesion area", "Lesion area 2"}
    assert "sheet.values.outcome" in description.unconfirmed
    assert len(load(tmp_path / "review").rows("lesion_area")) == 3


def test_numbers_are_numbers_however_few(tmp_path):
    doses = [0.1, 10, 3, 30, 0.3, 1, 10, 30]
    table = [row(f"e{i}", **{"Dose (mg/kg)": dose}) for i, dose in enumerate(doses)]
    _, description = made(tmp_path, table)
    assert description.moderators["dose_mg_kg"].levels == ()
    assert "moderators.dose_mg_kg" in description.unconfirmed
    assert load(tmp_path / "review").moderator_values["dose_mg_kg"].tolist() == doses


def test_codes_and_bounds_are_categories_in_the_order_of_their_numbers(tmp_path):
    table = [
        row(f"e{i}", model=code, age=age)
        for i, (code, age) in enumerate(zip("31213", [">60", "60", "8", "<60", "12"], strict=True))
    ]
    _, description = made(tmp_path, table)
    assert description.moderators["model"].levels == ("1", "2", "3")
    assert description.moderators["age"].levels == ("8", "12", "<60", "60", ">60")
    assert {"moderators.model", "moderators.age"} <= set(description.unconfirmed)
    assert in_order(["20 mg", "3 mg", "vehicle"]) == ["20 mg", "3 mg", "vehicle"]


@pytest.mark.parametrize(
    "heading, quantity",
    [
        ("sei", "effect_se"), ("SE(d)", "effect_se"), ("seTE", "effect_se"), ("se_g", "effect_se"),
        ("SE SMD", "effect_se"), ("std. error of effect", "effect_se"), ("vi", "effect_variance"),
        ("Var(g)", "effect_variance"), ("variance of d", "effect_variance"), ("yi", "effect"),
        ("Hedges' g", "effect"), ("ln(HR)", "effect"), ("log odds ratio", "effect"),
        ("mean difference", "effect"), ("HR", "ratio"), ("Odds ratio", "ratio"), ("RR", "ratio"),
    ],
)  # fmt: skip
def test_what_belongs_to_an_effect_is_no_number_of_a_group(heading, quantity):
    assert read_heading(heading).quantity == quantity


@pytest.mark.parametrize(
    "heading, expected",
    [
        ("nC", ("n", "control", "")), ("sdcon", ("sd", "control", "SD")),
        ("S.E.M. drug", ("sd", "treated", "SEM")), ("Std. error control", ("sd", "control", "SEM")),
        ("standard error of the mean treated", ("sd", "treated", "SEM")),
        ("Treated (mean ± SD)", ("mean", "treated", "")), ("SD non-treated", ("sd", "control", "SD")),
        ("Q1_t", ("low", "treated", "IQR")), ("95% CI upper vehicle", ("high", "control", "CI")),
        ("sd low", ("sd", "low", "SD")), ("Variance treated", ("sd", "treated", "")),
        ("SD or SEM control", ("sd", "control", "")), ("Cell count treated", ("", "", "")),
        ("Exp no", ("", "", "")),
        ("Lesion size control", ("", "", "")), ("Group size control", ("n", "control", "")),
        ("Mean treated (baseline)", ("", "", "")), ("sd difference", ("", "", "")),
        ("Standardfehler Kontrolle", ("sd", "control", "SEM")), ("n1i", ("n", "1", "")),
    ],
)  # fmt: skip
def test_headings_of_groups(heading, expected):
    found = read_heading(heading)
    assert (found.quantity, found.arm, found.kind) == expected
    assert read_heading("Group size control").plain and not read_heading("Control number").plain


def test_an_effects_error_beside_groups_is_not_used(tmp_path):
    table = [
        {"study": f"s{i}", **groups(i, names=("n_{}", "mean_{}", "sdv_{}"), arms=("e", "c")),
         "yi": -0.9, "vi": 0.25, "sei": 0.5}
        for i in range(3)
    ]  # fmt: skip
    todo, description = made(tmp_path, table)
    assert description.config["sheet"]["columns"]["sd_treated"] == "sdv_e"
    assert description.config["sheet"]["columns"]["sd_control"] == "sdv_c"
    assert "yi, vi, sei: not used, for effects are computed from the groups" in todo


def test_effects_are_named_by_a_person_and_a_variance_is_not_their_error(tmp_path):
    table = [{"Study": f"s{i}", "ln(HR)": -0.5, "SE": 0.25} for i in range(3)]
    _, description = made(tmp_path, table)
    assert description.config["sheet"]["columns"]["se"] == "SE"
    assert description.config["sheet"]["effect_scale"] == "log"
    assert {"sheet.columns.effect", "sheet.effect_name"} <= set(description.unconfirmed)
    table = [{"Study": f"s{i}", "g": -0.5, "Var(g)": 0.25} for i in range(3)]
    write_csv(tmp_path / "v.csv", table)
    new(tmp_path / "v", tmp_path / "v.csv")
    assert describe(tmp_path / "v").config["sheet"]["columns"]["variance"] == "Var(g)"
    assert "sheet.columns.variance" in describe(tmp_path / "v").unconfirmed
    assert load(tmp_path / "v").experiments["se"].tolist() == [0.5, 0.5, 0.5]
    assert (load(tmp_path / "v").trace["detail"] == "root of the variance").any()
    write_csv(tmp_path / "z.csv", [table[0], table[1] | {"Var(g)": 0}, table[2] | {"Var(g)": -1}])
    new(tmp_path / "z", tmp_path / "z.csv")
    assert [fault.row for fault in check(tmp_path / "z").faults if "variance" in fault.what] == [
        3,
        4,
    ]
    table = [{"Study": f"s{i}", "OR": 0.5, "CI low": 0.2, "CI high": 0.9} for i in range(3)]
    write_csv(tmp_path / "o.csv", table)
    assert any(
        "sheet.columns.ratio: OR" in line for line in new(tmp_path / "o", tmp_path / "o.csv")
    )
    assert load(tmp_path / "o").experiments["effect"].tolist() == pytest.approx([math.log(0.5)] * 3)
    assert load(tmp_path / "o").outcomes["outcome"].effect_name == "log odds ratio"


def test_author_and_year_are_a_study_and_a_design_is_none(tmp_path):
    table = [
        {"StudyDesign": "within", "First author": author, "Year": year, **groups(i)}
        for i, (author, year) in enumerate([("Li", 2010), ("Li", 2012), ("Li", 2010), ("Wu", 2010)])
    ]
    _, description = made(tmp_path, table)
    assert description.config["sheet"]["columns"]["study"] == ["First author", "Year"]
    assert load(tmp_path / "review").experiments["study"].nunique() == 3
    table = [{"StudyType": "in vivo", "PublicationID": f"P{i // 2}", **groups(i)} for i in range(4)]
    write_csv(tmp_path / "p.csv", table)
    new(tmp_path / "p", tmp_path / "p.csv")
    assert describe(tmp_path / "p").config["sheet"]["columns"]["study"] == "PublicationID"


def test_a_question_on_the_risk_of_bias_is_no_outcome(tmp_path):
    table = [
        {"StudyId": f"s{i}", "Was the outcome assessor blinded?": "Yes",
         "Outcome assessment blinded": "unclear", "Endpoint name": "latency", **groups(i)}
        for i in range(4)
    ]  # fmt: skip
    _, description = made(tmp_path, table)
    assert description.config["sheet"]["columns"]["outcome"] == "Endpoint name"


@pytest.mark.parametrize(
    "heading, words, signs",
    [
        ("GreaterIsWorse", ("TRUE", "FALSE"), [-1, 1]),
        ("Higher is worse", ("yes", "no"), [-1, 1]),
        ("lower_is_better", ("True", "False"), [-1, 1]),
        ("Higher is better?", ("Yes", "No"), [1, -1]),
    ],
)
def test_columns_that_say_which_way_is_better_become_signs_and_are_asked(
    tmp_path, heading, words, signs
):
    table = [row(f"e{i}", **{heading: word}) for i, word in enumerate(words)]
    _, description = made(tmp_path, table)
    assert load(tmp_path / "review").experiments["sign"].tolist() == signs
    assert "sheet.columns.sign" in description.unconfirmed
    assert description.outcomes["score"].better == "higher"


def test_a_direction_that_some_rows_lack_is_refused(tmp_path):
    table = [row(f"e{i}", GreaterIsWorse=word) for i, word in enumerate(["TRUE", "", "FALSE"])]
    todo, _ = made(tmp_path, table)
    assert any("GreaterIsWorse is empty" in line for line in todo)
    assert check(tmp_path / "review").faults


def test_what_controls_got_does_not_make_them_one_group(tmp_path):
    table = [{**row(f"e{i}"), "Control group": "vehicle" if i % 2 else "saline"} for i in range(4)]
    todo, description = made(tmp_path, table)
    assert "control_group" not in description.config["sheet"]["columns"]
    assert any("Control group names what controls got" in line for line in todo)


def test_cohorts_of_both_groups_are_told_apart_and_asked(tmp_path):
    table = [{**row(f"e{i}"), "cohort_t": f"t{i}", "cohort_c": f"c{i // 2}"} for i in range(4)]
    _, description = made(tmp_path, table)
    assert description.config["sheet"]["columns"]["cohort"] == "cohort_t"
    assert description.config["sheet"]["columns"]["control_group"] == "cohort_c"
    assert {"sheet.columns.cohort", "sheet.columns.control_group"} <= set(description.unconfirmed)


def test_equal_controls_without_an_id_are_a_question(tmp_path):
    table = [row(f"e{i}", study=f"s{i // 2}", mean_control=9 + i // 2) for i in range(4)]
    todo, description = made(tmp_path, table)
    assert description.config["sheet"]["shared_controls"] == "by_id"
    assert "sheet.shared_controls" in description.unconfirmed
    assert any("rows 2, 3, 4, 5 have equal controls" in line for line in todo)
    write_csv(
        tmp_path / "own.csv", [line | {"control_group": f"c{i}"} for i, line in enumerate(table)]
    )
    new(tmp_path / "own", tmp_path / "own.csv")
    assert "shared_controls" not in describe(tmp_path / "own").config["sheet"]


def test_kinds_of_error_come_from_each_heading_and_never_by_default(tmp_path):
    table = [
        {"study": f"s{i}", "n T": 9, "mean T": 5 + i, "SEM T": 2, "n C": 9, "mean C": 7, "SD C": 2}
        for i in range(3)
    ]
    _, description = made(tmp_path, table)
    kinds = {"error_type_treated": "SEM", "error_type_control": "SD", "outcome": "outcome"}
    assert description.config["sheet"]["constants"] == kinds
    assert load(tmp_path / "review").experiments["sd_treated"].tolist() == [6, 6, 6]
    for form in ("error {}", "variance {}", "SD or SEM {}"):
        table = [{"study": f"s{i}", **groups(i, names=("n {}", "mean {}", form))} for i in range(3)]
        write_csv(tmp_path / "e.csv", table)
        folder = tmp_path / slug(form)
        todo = new(folder, tmp_path / "e.csv")
        assert any(line.startswith("say error_type under [sheet.constants]") for line in todo)
        assert check(folder).faults


def test_medians_with_quartiles_are_said_and_asked(tmp_path):
    # Luo 2018 and Wan 2014 by hand: n 9, w = 0.7 + 0.39/9; quantile (0.75·9 - 0.125)/(9 + 0.25).
    names = ("N {}", "Median {}", "Q1 {}", "Q3 {}")
    table = [
        {"study": f"s{i}", **dict(zip([n.format("drug") for n in names], (9, 5, 4, 8), strict=True)),
         **dict(zip([n.format("vehicle") for n in names], (9, 9, 7, 12), strict=True))}
        for i in range(3)
    ]  # fmt: skip
    _, description = made(tmp_path, table)
    asked = {"sheet.constants.error_type", "sheet.constants.average_type"}
    assert asked <= set(description.unconfirmed)
    weight = 0.7 + 0.39 / 9
    mean = weight * (4 + 8) / 2 + (1 - weight) * 5
    first = load(tmp_path / "review").experiments.iloc[0]
    assert first["mean_treated"] == pytest.approx(mean)
    quantile = NormalDist().inv_cdf((0.75 * 9 - 0.125) / 9.25)
    assert first["sd_treated"] == pytest.approx((8 - 4) / (2 * quantile))


def test_sems_where_no_sd_is_given_are_converted_and_asked(tmp_path):
    table = [
        {"study": f"s{i}", "n_t": 9, "mean_t": 5, "sd_t": "NR" if i else 2, "se_t": 1 if i else "",
         "n_c": 4, "mean_c": 7, "sd_c": "" if i else 3, "se_c": 1.5 if i else ""}
        for i in range(3)
    ]  # fmt: skip
    _, description = made(tmp_path, table)
    asked = {"sheet.columns.sem_treated", "sheet.columns.sem_control"}
    assert asked <= set(description.unconfirmed)
    experiments = load(tmp_path / "review").experiments
    assert experiments["sd_treated"].tolist() == [2, 3, 3]
    assert experiments["sd_control"].tolist() == [3, 3, 3]


def test_means_and_medians_filled_in_turn_are_both_read(tmp_path):
    table = [
        {"study": f"s{i}", "n_t": 8, "mean_t": "" if i else 5, "median_t": 5 if i else "", "sd_t": 2,
         "n_c": 8, "mean_c": "" if i else 7, "median_c": 7 if i else "", "sd_c": 2}
        for i in range(3)
    ]  # fmt: skip
    todo, description = made(tmp_path, table)
    assert "sheet.columns.median_treated" in description.unconfirmed
    assert any("median_t where mean_t is empty" in line and "2 rows" in line for line in todo)
    assert load(tmp_path / "review").experiments["mean_treated"].tolist() == [5, 5, 5]


def test_a_strain_called_sd_says_no_kind_of_error(tmp_path):
    table = [
        {"study": f"s{i}", "Rat strain": "SD", **groups(i, names=("n {}", "mean {}", "SEM {}"))}
        for i in range(3)
    ]
    _, description = made(tmp_path, table)
    assert description.config["sheet"]["constants"]["error_type"] == "SEM"
    assert "error_type" not in description.config["sheet"]["columns"]


def test_groups_whose_names_are_unknown_are_asked_or_filled_in(tmp_path):
    forms = ("n{}i", "m{}i", "sd{}i")
    table = [{"trial": f"s{i}", **groups(i, names=forms, arms=("1", "2"))} for i in range(3)]
    _, description = made(tmp_path, table)
    assert description.config["sheet"]["columns"]["mean_treated"] == "m1i"
    assert "sheet.columns.mean_treated" in description.unconfirmed
    table = [
        {"study": f"s{i}", **groups(i, arms=("low", "control")), **groups(i, arms=("high", "sham"))}
        for i in range(3)
    ]
    write_csv(tmp_path / "arms.csv", table)
    todo = new(tmp_path / "arms", tmp_path / "arms.csv")
    assert any("sheet.blocks" in line and "low, high" in line for line in todo)
    assert len(load(tmp_path / "arms").experiments) == 6


def test_a_third_group_in_a_row_may_be_the_control(tmp_path):
    """ "Control, Model, Drug": the control is often healthy, and the model is compared with."""
    third = {"Model n": 9, "Model mean": 30, "Model SD": 3}
    drug = {"Drug n": 8, "Drug mean": 20, "Drug SD": 2}
    table = [{"Study": f"s{i}", "Control n": 7, "Control mean": 10 + i, "Control SD": 1} | third | drug
             for i in range(3)]  # fmt: skip
    todo, description = made(tmp_path, table)
    assert any("Control mean" in line and "or Model mean?" in line for line in todo)
    assert "sheet.columns.mean_control" in description.unconfirmed
    assert not description.moderators
    told = {"sheet.columns.mean_control": "Model mean"}
    write_csv(tmp_path / "s.csv", table)
    new(tmp_path / "told", tmp_path / "s.csv", ask=lambda guess: told)
    experiments = load(tmp_path / "told").experiments
    columns = ["n_treated", "mean_treated", "n_control", "mean_control", "sd_control"]
    assert experiments[columns].to_numpy().tolist() == [[8, 20, 9, 30, 3]] * 3


def test_a_standard_error_beside_a_ratio_is_a_question(tmp_path):
    """It may be that of the ratio instead of its logarithm's."""
    _, description = made(tmp_path, [{"Study": f"s{i}", "HR": 0.5, "SE": 0.2} for i in range(3)])
    assert "sheet.columns.se" in description.unconfirmed


def test_a_comma_that_may_part_thousands_is_not_made_a_decimal(tmp_path):
    table = [row(f"e{i}", mean_treated="1,250", mean_control="2,400") for i in range(3)]
    todo, _ = made(tmp_path, table, separator=";")
    assert any("1,250" in line and "thousands" in line for line in todo)
    assert check(tmp_path / "review").faults
    whole = {"sd_treated": 3, "sd_control": 4}
    table = [row(f"e{i}", mean_treated="1,250", mean_control="2,45", **whole) for i in range(3)]
    write_csv(tmp_path / "d.csv", table, separator=";")
    new(tmp_path / "d", tmp_path / "d.csv")
    assert "sheet.decimal" in describe(tmp_path / "d").unconfirmed


# ---------------------------------------------------------------------- workbooks


def book(path, **sheets):
    with pd.ExcelWriter(path) as writer:
        for name, table in sheets.items():
            pd.DataFrame(table).to_excel(writer, sheet_name=name, index=False)
    return path


@pytest.mark.parametrize(
    "key, number",
    [("No", lambda i: i + 1), ("ID", lambda i: i + 100), ("Row", lambda i: f"R{i:02}")],
)
def test_sheets_are_not_joined_on_a_running_number(tmp_path, key, number):
    source = book(
        tmp_path / "b.xlsx",
        First=[{key: number(i), **row(f"e{i}")} for i in range(4)],
        Other=[{key: number(i), "Species": "rat" if i % 2 else "mouse"} for i in range(6)],
    )
    todo = new(tmp_path / "review", source)
    description = describe(tmp_path / "review")
    assert "join" not in description.config["sheet"] and not description.moderators
    assert any(f"Other was not joined: {key} is a running number" in line for line in todo)
    assert "sheet.sheet: First (4 rows, 10 columns), or Other (6 rows, 2 columns)? " in " ".join(
        todo
    )
    assert "sheet.sheet" in description.unconfirmed


def test_a_join_is_a_question_and_a_sheet_of_experiments_is_not_joined(tmp_path):
    source = book(
        tmp_path / "b.xlsx",
        Histology=[{"Study": f"s{i}", **groups(i)} for i in range(4)],
        Behaviour=[{"Study": f"s{i}", "Outcome": "score", **groups(i + 1)} for i in range(3)],
        Papers=[{"Study": f"s{i}", "Species": "rat" if i % 2 else "mouse"} for i in range(4)],
    )
    todo = new(tmp_path / "review", source, "Histology")
    todo = new(tmp_path / "two", source)
    sheet = describe(tmp_path / "two").config["sheet"]
    assert [entry["sheet"] for entry in sheet.get("join", [])] == ["Papers"]
    assert "sheet.join" in describe(tmp_path / "two").unconfirmed
    passed = {"Histology": "Behaviour (3 rows", "Behaviour": "Histology (4 rows"}[sheet["sheet"]]
    assert any(line.startswith("sheet.sheet: ") and passed in line for line in todo)


# ---------------------------------------------------------------------- files and texts


def test_what_is_there_is_kept(tmp_path):
    folder = tmp_path / "review"
    folder.mkdir()
    write_csv(folder / "s.csv", rows())
    (folder / "README.md").write_text("mine")
    before = (folder / "s.csv").read_bytes()
    todo = new(folder, folder / "s.csv")
    assert "README.md was there and is kept" in todo
    assert (folder / "README.md").read_text() == "mine"
    assert (folder / "s.csv").read_bytes() == before
    assert len(load(folder).experiments) == 3


def test_another_file_of_the_sheets_name_is_not_replaced(tmp_path):
    folder = tmp_path / "review"
    folder.mkdir()
    (folder / "s.csv").write_text("older data")
    write_csv(tmp_path / "s.csv", rows())
    with pytest.raises(ReviewError, match="another file of this name is there"):
        new(folder, tmp_path / "s.csv")
    assert [path.name for path in folder.iterdir()] == ["s.csv"]
    assert (folder / "s.csv").read_text() == "older data"
    with pytest.raises(ReviewError, match="this is a file"):
        new(folder / "s.csv", tmp_path / "s.csv")
    write_csv(tmp_path / "exclusions.csv", rows())
    with pytest.raises(ReviewError, match="a meaning of its own"):
        new(tmp_path / "x", tmp_path / "exclusions.csv")


@pytest.mark.parametrize("name", ["Über uns 2024", "a\"b'c", "肿瘤", "2024", "a\\b", "x\ny"])
def test_folders_with_odd_names(tmp_path, name):
    write_csv(tmp_path / "s.csv", rows())
    new(tmp_path / name, tmp_path / "s.csv")
    description = describe(tmp_path / name)
    assert description.title == name and description.id.isidentifier()


def test_headings_with_odd_letters_are_kept_as_they_are(tmp_path):
    odd = 'SD\n"treated" \\ \x7f 🐀\x85'
    table = [
        {"Stu\tdy": f"s{i}", "Out\ncome": "a\nb", odd: 1.5, "SD 2 treated": 2, "n treated": 8,
         "mean treated": 5 + i, "n control": 8, "mean control": 7, "SD control": 1.5}
        for i in range(3)
    ]  # fmt: skip
    todo, description = made(tmp_path, table)
    assert not any("\n" in line for line in todo)
    assert odd.replace("\x85", "") in str(description.config["sheet"]["columns"]["sd_treated"])
    assert load(tmp_path / "review").rows_out == 3


def test_new_ends_with_the_rows_as_read(tmp_path, capsys):
    table = [row(f"e{i}", mean_treated=11 + i, sd_control="NR" if i == 1 else 2) for i in range(3)]
    write_csv(tmp_path / "s.csv", table)
    assert command.main(["new", str(tmp_path / "r"), "--from", str(tmp_path / "s.csv")]) == 0
    said = capsys.readouterr().out
    assert "s.csv: 3 rows, 2 of them experiments, 1 not used: 1 no sd_control (NR)" in said
    line = next(line.split() for line in said.splitlines() if "s-e0" in line)
    # The exact J of 12 degrees of freedom is 0.936902; (11 - 9.25) / 2.3050 is 0.7592.
    assert line == ["2", "s-e0", "score", "8", "11", "2.5", "6", "9.25", "2", "0.711"]


# ---------------------------------------------------------------------- until a person confirms


def test_unconfirmed_guesses_are_told_until_the_list_is_empty(tmp_path, capsys):
    table = [{"Paper": f"p{i}", "Outcome": "Cavity area", **groups(i)} for i in range(6)]
    made(tmp_path, table)
    folder = tmp_path / "review"
    assert command.main(["check", str(folder)]) == 0
    assert "guessed, not yet confirmed: study is the column Paper" in capsys.readouterr().out
    review = load(folder)
    (found,) = alerts.of_review(review, ["cavity_area"])
    assert found["severity"] == "warning"
    assert "not yet confirmed by a person: study is the column Paper" in found["text"]
    assert "lower is better for Cavity area" in found["text"]
    for report in (Report("outcomes", review=folder), Overview(review=folder)):
        assert "study is the column Paper" in report.alerts().html
    command.main(["check", str(folder)])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    told = [shlex.split(line) for line in lines if line.startswith("python -m helpers set ")]
    assert len(told) == len(describe(folder).unconfirmed) == found["detail"].count(": python -m ")
    assert "\n\nstudy is the column Paper: python -m helpers set review sheet." in found["detail"]
    for words in told:
        assert command.main(words[3:]) == 0
    assert describe(folder).unconfirmed == ()
    assert alerts.of_review(load(folder), ["cavity_area"]) == []
    command.main(["check", str(folder)])
    assert "not yet confirmed" not in capsys.readouterr().out


def test_an_entry_that_names_no_setting_is_a_fault_with_the_nearest(tmp_path):
    write(tmp_path / "r", rows(), 'missing = ["NR"]')
    path = tmp_path / "r" / "review.toml"
    good = ["sheet.missing", "families.movement.outcomes.score.better", "families.outcomes.score"]
    path.write_text(f"unconfirmed = {good}\n" + path.read_text())
    assert describe(tmp_path / "r").unconfirmed == tuple(good)
    bad = "families.outcomes.scor.better"
    path.write_text(path.read_text().replace("sheet.missing", bad))
    (fault,) = check(tmp_path / "r").faults
    assert fault.column == "unconfirmed" and fault.value == bad
    assert "families.outcomes.score.better" in fault.remedy
    path.write_text(path.read_text().replace(f"unconfirmed = ['{bad}',", "unconfirmed = [3,"))
    assert "a text is due here" in str(check(tmp_path / "r").faults[0])
