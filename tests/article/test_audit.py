"""Reported against recomputed: clean articles, planted faults, and the default review's article."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.article import audit
from helpers.article.printed import count, number, p_value

ARTICLE = Path(__file__).parents[2] / "data" / "sci_exosomes"
LEVELS = {
    "species": ["Mice", "Rat"],
    "timing": ["Immediate (<3 hours)", "Acute (24 to 72 hours)", "Late (>72 hours)"],
    "follow_up": ["<28 days", "≥28 days"],
}
STUDIES = ["Alba 2019", "Bo 2020", "Bo 2020", "Cruz 2021", "Diaz 2021", "Ek 2022"]


# A clean article: true values are drawn, printed with rounding, and said in words.


def p_printed(p):
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.001 else f"{p:.3f}"


def printed(estimate, se, rng, df=np.inf):
    """Return estimate, bounds and p as an article rounds them."""
    digits = rng.integers(1, 5)
    half = stats.t.ppf(0.975, df) * se
    p = 2 * stats.t.sf(abs(estimate) / se, df)
    return [f"{v:.{digits}f}" for v in (estimate, estimate - half, estimate + half)] + [
        p_printed(p)
    ]


def table(rows):
    return pd.DataFrame([{name: str(cell) for name, cell in row.items()} for row in rows]).fillna(
        ""
    )


def clean(seed, df=np.inf):
    """Return the tables of an article that contradicts itself nowhere."""
    rng = np.random.default_rng(seed)
    pooled, subgroups, text = [], [], []
    for outcome in ("score", "size", "cells"):
        k = int(rng.integers(20, 60))
        value = rng.normal(0, 3)
        numbers = printed(value, rng.uniform(0.2, 1.5), rng, df)
        claim = "no difference" if float(numbers[3].lstrip("<")) >= 0.05 else "significant"
        if claim == "significant":
            claim = f"significantly {'increased' if value > 0 else 'decreased'}"
        about = {"outcome": f"{outcome} (points)", "outcome_id": outcome}
        names = ("smd", "ci_low", "ci_high", "p_reported")
        first = dict(zip(names, numbers, strict=True))
        pooled.append({**about, "k": k, **first, "where": "Results", "claim": claim})
        pooled.append({**about, "p_reported": numbers[3], "where": "Abstract", "claim": claim})
        for moderator, levels in LEVELS.items():
            cuts = np.sort(rng.choice(np.arange(1, k), len(levels) - 1, replace=False))
            means = value + rng.normal(0, 1, len(levels))
            for at, (level, n) in enumerate(zip(levels, np.diff([0, *cuts, k]), strict=True)):
                row = {**about, "table": "2", "moderator": moderator, "level": level, "k": n}
                row["is_reference"] = "no" if at else "yes"
                names = ("smd", "ci_low", "ci_high", "p")
                numbers = printed(means[at], rng.uniform(0.2, 2), rng, df)
                if n > 1:
                    row |= dict(zip(names, numbers, strict=True)) | {"i2": "70.1", "i2_p": "0.01"}
                if at:
                    names = ("coef", "coef_low", "coef_high", "coef_p")
                    numbers = printed(means[at] - means[0], rng.uniform(0.2, 2), rng, df)
                    row |= dict(zip(names, numbers, strict=True))
                    said = dict(zip(("estimate", "ci_low", "ci_high", "p"), numbers, strict=True))
                    place = {"moderator": moderator, "level": level, "statistic": "coefficient"}
                    text.append({**about, **place, **said, "where": "Results"})
                subgroups.append(row)
    rats = int(rng.integers(0, 7))
    species = ["rat"] * rats + ["mouse"] * (6 - rats)
    for kind, n in (("rat", rats), ("mouse", 6 - rats)):
        text.append(
            {"where": "Results", "statistic": "count", "n": n, "value": kind}
            | {"file": "studies.csv", "column": "species"}
        )
    studies = pd.DataFrame([s.split() for s in STUDIES], columns=["first_author", "year"])
    bias = pd.DataFrame({"study_label": rng.permutation(STUDIES), "item_1": "low"})
    flow = [
        ("identification", "records from databases", 105),
        ("identification", "duplicates removed", 15),
        ("screening", "records screened", 90),
        ("excluded_screening", "not on the subject", 70),
        ("eligibility", "full texts", 20),
        ("excluded_full_text", "reviews", 9),
        ("excluded_full_text", "no control group", 7),
        ("identification", "additional articles from other sources", 2),
        ("included", "articles included", 6),
    ]
    return {
        "published_pooled": table(pooled),
        "published_subgroups": table(subgroups),
        "published_text": table(text),
        "studies": studies.assign(species=species),
        "risk_of_bias": bias,
        "flow": pd.DataFrame(flow, columns=["stage", "item", "n"]).astype(str),
    }


def write(frames, folder):
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.mark.parametrize("seed", range(60))
def test_no_false_alarm_where_intervals_come_from_z(tmp_path, seed):
    folder = write(clean(seed), tmp_path)
    assert audit.audit(folder)[0].to_dict("records") == []
    counts = audit.audit(folder)[1]
    assert (counts["checked"] == counts["consistent"]).all()
    assert (counts["checked"] > 0).all()


@pytest.mark.parametrize("df", [1, 2, 4, 9, 30, 400])
@pytest.mark.parametrize("seed", range(5))
def test_intervals_from_t_raise_nothing_but_the_soft_question_whether_t_was_used(
    tmp_path, seed, df
):
    found = audit.audit(write(clean(seed, df), tmp_path))[0]
    assert set(found["check"]) <= {"p_value"}
    assert set(found["grade"]) <= {"soft"}
    assert len(found) > 0 or df == 400


# Planted faults, each in an article that is otherwise clean.


BASE = {
    "published_pooled": [
        # z = 2.00 / (0.50 / 1.96) = 7.84
        {"outcome": "score", "k": "30", "smd": "2.00", "ci_low": "1.50", "ci_high": "2.50"}
        | {"p_reported": "<0.0001", "where": "Results", "claim": "significantly increased"},
        # z = 0.50 / (1.00 / 1.96) = 0.98, p = 0.327
        {"outcome": "size", "k": "12", "smd": "-0.50", "ci_low": "-1.50", "ci_high": "0.50"}
        | {"p_reported": "0.327", "where": "Results", "claim": "no difference"},
        {"outcome": "score", "p_reported": "<0.0001", "where": "Abstract", "claim": "increased"},
    ],
    "published_subgroups": [
        {"table": "2", "outcome": "score", "moderator": "species", "level": "Mice", "k": "10"}
        | {"smd": "1.50", "ci_low": "0.50", "ci_high": "2.50", "p": "0.003"}  # z = 2.94
        | {"is_reference": "yes"},
        {"table": "2", "outcome": "score", "moderator": "species", "level": "Rat", "k": "20"}
        | {"smd": "2.20", "ci_low": "1.20", "ci_high": "3.20", "p": "<0.0001"}  # z = 4.31
        | {"is_reference": "no", "coef": "0.70", "coef_low": "-0.50", "coef_high": "1.90"}
        | {"coef_p": "0.253"},  # z = 0.7 / (1.2 / 1.96) = 1.143
    ],
    "published_bias": [
        {"group": "score", "p": "0.416", "bias_claimed": "no"},
        {"group": "size", "p": "0.024", "bias_claimed": "possible"},
    ],
    "published_text": [
        {"where": "Results", "statistic": "coefficient", "outcome": "score"}
        | {"moderator": "species", "level": "Rat", "k": "20", "estimate": "0.70"}
        | {"ci_low": "-0.50", "ci_high": "1.90", "p": "0.253", "claim": "not significant"},
        {"where": "Results", "statistic": "subgroup", "outcome": "score"}
        | {"claim": "all significant", "except_levels": ""},
        {"where": "Results", "statistic": "count", "file": "studies.csv", "column": "species"}
        | {"value": "rat", "n": "4"},
        {"where": "Abstract", "statistic": "count", "file": "studies.csv", "n": "6"},
    ],
}


def base():
    frames = clean(0)
    frames |= {name: table(rows) for name, rows in BASE.items()}
    frames["studies"]["species"] = ["rat"] * 4 + ["mouse"] * 2
    return frames


def test_the_article_in_which_faults_are_planted_is_clean(tmp_path):
    assert audit.audit(write(base(), tmp_path))[0].empty


MICE = ("score", "species", "Mice", "subgroup")
RAT = ("score", "species", "Rat", "coefficient")
POOLED = ("score", "", "", "pooled")
SIZE = ("size", "", "", "pooled")

# file, row, what is printed there instead, and the findings that must follow (and no others)
PLANTED = {
    "estimate off the middle": (
        "published_subgroups",
        0,
        {"smd": "1.52"},  # the middle is 1.50 give or take 0.005, and p stays 0.003
        {("middle", "soft", *MICE)},
    ),
    "estimate within rounding of the middle": (
        "published_subgroups",
        0,
        {"smd": "1.51"},  # 1.505 is both the middle's and the estimate's
        set(),
    ),
    "estimate outside its interval": (
        "published_pooled",
        1,
        {"ci_low": "0.40", "ci_high": "0.50"},
        {("middle", "hard", *SIZE), ("p_value", "hard", *SIZE), ("significance", "hard", *SIZE)}
        | {("wording", "soft", *SIZE)},
    ),
    "bounds in the wrong order": (
        "published_pooled",
        1,
        {"ci_low": "0.50", "ci_high": "-1.50"},
        {("middle", "hard", *SIZE)},
    ),
    "p that only t with 8 degrees of freedom gives": (
        "published_subgroups",
        0,
        {"p": "0.009"},  # t(8) = 1.5 / (1 / 2.306) = 3.459, p = 0.0086
        {("p_value", "soft", *MICE)},
    ),
    "p that nothing gives": (
        "published_subgroups",
        0,
        {"p": "0.048"},  # t(1) = 1.5 x 12.71 = 19.1, p = 0.0333 is the largest
        {("p_value", "hard", *MICE)},
    ),
    "p far too small": ("published_subgroups", 0, {"p": "<0.0001"}, {("p_value", "hard", *MICE)}),
    "p of another test in the text": (
        "published_pooled",
        1,
        {"p_reported": "0.555"},
        {("p_value", "hard", *SIZE)},
    ),
    "significant p, interval with 0": (
        "published_subgroups",
        1,
        {"coef_p": "0.008"},
        {("p_value", "hard", *RAT), ("significance", "hard", *RAT)}
        | {("text_vs_table", "soft", *RAT), ("wording", "soft", *RAT)},
    ),
    "p above 0.05, interval without 0": (
        "published_subgroups",
        0,
        {"p": "0.300"},
        {("p_value", "hard", *MICE), ("significance", "hard", *MICE)}
        | {("wording", "soft", *MICE)},
    ),
    "more experiments than there are": (
        "published_subgroups",
        0,
        {"k": "11"},
        {("level_count", "hard", "score", "species", "", "count")},
    ),
    "fewer experiments than there are": (
        "published_subgroups",
        0,
        {"k": "9"},
        {("level_count", "soft", "score", "species", "", "count")},
    ),
    "coefficient against the subgroups": (
        "published_subgroups",
        1,
        {"coef": "-0.70", "coef_low": "-1.90", "coef_high": "0.50"},
        {("sign", "soft", *RAT), ("text_vs_table", "soft", *RAT)},
    ),
    "direction in words": (
        "published_pooled",
        2,
        {"claim": "decreased"},
        {("wording", "soft", *POOLED)},
    ),
    "significance in words": (
        "published_pooled",
        1,
        {"claim": "significantly decreased"},
        {("wording", "soft", *SIZE)},
    ),
    "no difference in words": (
        "published_pooled",
        0,
        {"claim": "no difference"},
        {("wording", "soft", *POOLED)},
    ),
    "not increased in words": (
        "published_pooled",
        0,
        {"claim": "not increased"},
        {("wording", "soft", *POOLED)},
    ),
    "smaller effect in words": (
        "published_text",
        0,
        {"claim": "smaller effect"},  # 0.70 is added to 1.50
        {("wording", "soft", *RAT)},
    ),
    "exception in words": (
        "published_text",
        1,
        {"except_levels": "Rat"},
        {("wording", "soft", "score", "species", "Rat", "subgroup")},
    ),
    "overlapping levels": (
        "published_subgroups",
        slice(0, 2),
        {"level": ["Early (1 to 5 days)", "Late (>3 days)"]},
        {("wording", "soft", "score", "species", "Late (>3 days)", "count")},
    ),
    "bias in words": (
        "published_bias",
        0,
        {"p": "0.03"},
        {("wording", "soft", "score", "publication bias", "", "pooled")},
    ),
    "another p in the abstract": (
        "published_pooled",
        2,
        {"p_reported": "0.004"},
        {("text_vs_table", "soft", *POOLED)},
    ),
    "another bound in the text": (
        "published_text",
        0,
        {"ci_low": "0.50"},  # the text's own interval [0.50, 1.90] has 1.20 in the middle
        {("text_vs_table", "soft", *RAT), ("middle", "soft", *RAT)}
        | {("p_value", "hard", *RAT), ("significance", "hard", *RAT)},
    ),
    "another k in the text": ("published_text", 0, {"k": "21"}, {("text_vs_table", "soft", *RAT)}),
    "another count in the text": (
        "published_text",
        2,
        {"n": "5"},
        {("text_vs_table", "soft", "", "species", "rat", "count")},
    ),
    "another number of articles": (
        "published_text",
        3,
        {"n": "7"},
        {("text_vs_table", "soft", "", "", "", "count")},
    ),
    "another study": (
        "risk_of_bias",
        0,
        {"study_label": "Zola 2018"},
        {("study_lists", "soft", "", "", "Zola 2018", "count"), "and the one that it replaced"},
    ),
    "sum of the flow diagram": (
        "flow",
        5,
        {"n": "10"},
        {("flow", "soft", "", "", "articles included", "count")},
    ),
    "duplicates of the flow diagram": (
        "flow",
        1,
        {"n": "16"},
        {("flow", "soft", "", "", "records screened", "count")},
    ),
    "not larger in words": (
        "published_text",
        0,
        {"claim": "no larger effect"},  # 0.70 may be 0, so nothing is contradicted
        set(),
    ),
    "included but not listed": (
        "flow",
        7,
        {"n": "3"},
        {("flow", "soft", "", "", "articles included", "count")},
    ),
}


def keys(found):
    names = ["check", "grade", "outcome", "moderator", "level", "statistic"]
    return list(found[names].itertuples(index=False, name=None))


@pytest.mark.parametrize("name", PLANTED)
def test_planted_fault(tmp_path, name):
    file, row, change, expected = PLANTED[name]
    frames = base()
    replaced = frames[file].iloc[[0]].copy()
    for column, value in change.items():
        frames[file].iloc[row, frames[file].columns.get_loc(column)] = value
    found = audit.audit(write(frames, tmp_path))[0]
    assert list(found.columns) == audit.COLUMNS
    if "and the one that it replaced" in expected:
        label = replaced["study_label"].iloc[0]
        expected = {*expected, ("study_lists", "soft", "", "", label, "count")}
        expected.remove("and the one that it replaced")
    assert sorted(keys(found)) == sorted(expected)
    assert found["question"].str.endswith("?").all()


def test_every_check_and_both_grades_are_planted():
    planted = {f[:2] for *_, expected in PLANTED.values() for f in expected if len(f) == 6}
    assert {check for check, _ in planted} == {
        *("middle", "p_value", "significance", "level_count", "sign", "wording"),
        *("text_vs_table", "study_lists", "flow"),
    }
    assert {("p_value", "soft"), ("p_value", "hard")} <= planted
    assert {("level_count", "soft"), ("level_count", "hard")} <= planted


def test_one_spelling_variant_is_one_question(tmp_path):
    frames = base()
    at = frames["risk_of_bias"]["study_label"] == "Cruz 2021"
    frames["risk_of_bias"].loc[at, "study_label"] = "Cruiz2021"
    found = audit.audit(write(frames, tmp_path))[0]
    assert keys(found) == [("study_lists", "soft", "", "", "Cruz 2021", "count")]
    assert found["printed"][0] == "Cruz 2021 and Cruiz 2021"


def test_a_level_that_is_printed_twice_is_counted_twice(tmp_path):
    frames = base()
    table = frames["published_subgroups"]
    frames["published_subgroups"] = pd.concat([table, table.iloc[:1]])
    found = audit.audit(write(frames, tmp_path))[0]
    assert keys(found) == [("level_count", "hard", "score", "species", "", "count")]
    assert found["implied"][0] == "k 30 as printed: 10 too many"


def test_p_fits_the_rounding_interval_and_not_only_the_printed_number(tmp_path):
    # 0.7 stands for 0.65 to 0.75 and the half width 0.9 for 0.85 to 0.95:
    # z from 1.341 to 1.729, p from 0.0838 to 0.180, although 0.7 and 0.9 alone give 0.127
    frames = base()
    row = {"smd": "0.7", "ci_low": "-0.2", "ci_high": "1.6", "claim": ""}
    frames["published_pooled"].loc[1, list(row)] = list(row.values())
    for p, fits in (("0.084", True), ("0.180", True), ("0.083", False), ("0.181", False)):
        frames["published_pooled"].loc[1, "p_reported"] = p
        assert audit.audit(write(frames, tmp_path))[0].empty == fits


@pytest.mark.parametrize(
    ("p", "grade"),
    # t(2) = 4.303 x 3.591 gives p 0.00417, t(3) = 3.182 x 3.591 gives 0.00144
    [("0.004", "soft"), ("0.001", "soft"), ("0.003", "hard"), ("0.002", "hard"), ("0.014", "soft")],
)
def test_degrees_of_freedom_are_whole(tmp_path, p, grade):
    frames = base()
    row = {"smd": "-2.46", "ci_low": "-3.15", "ci_high": "-1.78", "claim": "", "p_reported": p}
    frames["published_pooled"].loc[1, list(row)] = list(row.values())
    found = audit.audit(write(frames, tmp_path))[0]
    assert keys(found) == [("p_value", grade, *SIZE)]


@pytest.mark.parametrize("i2", ["0.0", "27.04", "99.9"])
@pytest.mark.parametrize("p", ["<0.0001", "0.074", "0.9"])
def test_i2_under_reml_says_nothing_about_the_p_of_q(tmp_path, i2, p):
    frames = base()
    frames["published_subgroups"][["i2", "i2_p"]] = i2, p
    assert audit.audit(write(frames, tmp_path))[0].empty


def test_a_reference_level_that_is_not_pooled_leaves_the_pooled_effect_to_compare_with(tmp_path):
    frames = base()
    frames["published_subgroups"].loc[0, ["smd", "ci_low", "ci_high", "p"]] = "NA"
    assert audit.audit(write(frames, tmp_path))[0].empty
    frames["published_text"].loc[0, "claim"] = "smaller effect"  # 0.70 beside the pooled 2.00
    assert keys(audit.audit(write(frames, tmp_path))[0]) == [("wording", "soft", *RAT)]


# Folders that hold less, more, or what cannot be read.


def test_absent_files_and_columns_are_skipped(tmp_path):
    folder = write({}, tmp_path / "empty")
    assert audit.audit(folder)[0].empty
    assert (audit.audit(folder)[1] == 0).all(axis=None)
    columns = ["outcome", "smd", "ci_low", "ci_high"]
    write({"published_pooled": base()["published_pooled"][columns]}, folder)
    assert audit.audit(folder)[0].empty
    assert audit.audit(folder)[1]["checked"].loc[["middle", "p_value"]].tolist() == [2, 0]
    (folder / "flow.csv").touch()
    assert audit.audit(folder)[0].empty


def test_the_papers_own_columns_are_enough(tmp_path):
    """Without ids the outcome, moderator and level are taken as the table prints them."""
    frames = {}
    for name in ("published_pooled", "published_subgroups", "studies", "risk_of_bias", "flow"):
        table = pd.read_csv(ARTICLE / f"{name}.csv", dtype=str, keep_default_na=False)
        added = {"outcome_id", "moderator_id", "level_id", "claim", "source", "region"}
        frames[name] = table.drop(columns=added & set(table))
    found = audit.audit(write(frames, tmp_path))[0]
    own = audit.audit(ARTICLE)[0]
    own = own[own["check"].isin(["middle", "p_value", "significance", "level_count", "sign"])]
    own = own[~own["table"].str.startswith("Results: Inflammation") | own["level"].eq("")]
    again = found[found["check"].isin(own["check"])]
    assert again["printed"].tolist() == own["printed"].tolist()
    row = ["check", "outcome", "moderator", "level"]
    assert ["middle", "IL-1b", "severity", "Severe"] in again[row].to_numpy().tolist()


def test_what_cannot_be_read_is_named_by_file_row_and_column_all_at_once(tmp_path, capsys):
    frames = base()
    frames["published_pooled"].loc[0, "smd"] = "about 2"
    frames["published_subgroups"].loc[1, "k"] = "20.5"
    frames["published_subgroups"].loc[1, "coef_p"] = "1.2"
    frames["published_text"].loc[0, ["claim", "statistic"]] = ["rather good", "pooled"]
    frames["published_text"].loc[1, "statistic"] = "median"
    frames["flow"].loc[2, "n"] = "-3"
    folder = write(frames, tmp_path)
    with pytest.raises(ValueError, match="cannot be read") as fault:
        audit.audit(folder)
    for place in (
        "published_pooled.csv, row 2, column smd: 'about 2'",
        "published_subgroups.csv, row 3, column k: '20.5'",
        "published_subgroups.csv, row 3, column coef_p: '1.2'",
        "published_text.csv, row 2, column claim: 'rather good'",
        "published_text.csv, row 3, column statistic: 'median'",
        "flow.csv, row 4, column n: '-3'",
    ):
        assert place in str(fault.value)
    assert audit.main(folder) == 2
    assert "row 4, column n" in capsys.readouterr().err
    assert audit.main(tmp_path / "nowhere") == 2
    for content in (b"stage,item\na,b\0", b"stage,item\na,b,c", b'stage,item\n"a,b'):
        (folder / "flow.csv").write_bytes(content)
        with pytest.raises(ValueError, match=r"flow\.csv: cannot be read as a CSV file"):
            audit.audit(folder)


def test_main_prints_a_table_and_writes_the_findings(tmp_path, capsys):
    frames = base()
    frames["published_subgroups"].loc[0, ["level", "smd"]] = ["=1+1", "1.52"]
    folder = write(frames, tmp_path / "review")
    assert audit.main(folder, tmp_path / "findings.csv") == 0
    shown = capsys.readouterr().out
    assert "soft   middle  2, score, species, =1+1  subgroup   estimate 1.52 [0.50" in shown
    assert "1 finding: 0 hard, 1 soft" in shown
    written = pd.read_csv(tmp_path / "findings.csv", dtype=str, keep_default_na=False)
    assert list(written.columns) == audit.COLUMNS
    assert written["level"][0] == "'=1+1"  # no formula for a spreadsheet
    assert audit.report(audit.audit(write(base(), tmp_path / "clean"))[0]).startswith("No findings")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        *[("0.7", 0.65, 0.75), ("-.47", -0.475, -0.465), ("−3", -3.5, -2.5), ("+2.", 1.5, 2.5)],
        *[("1.50", 1.495, 1.505), ("1e-3", 0.0005, 0.0015)],
    ],
)
def test_a_number_stands_for_what_rounds_to_it(text, low, high):
    read = number(text)
    assert (float(read.low), float(read.high)) == pytest.approx((low, high), abs=1e-15)
    assert read.text == text


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        *[("<0.0001", 0, 0.0001), ("0.042", 0.0415, 0.0425), ("p = .05", 0.045, 0.055)],
        *[("0.000", 0, 0.0005), ("> 0.05", 0.05, 1), ("NS", 0.05, 1), ("≤0.01", 0, 0.01)],
        *[("1.00", 0.995, 1), ("0.03*", 0.025, 0.035), ("P<.001", 0, 0.001)],
    ],
)
def test_a_p_stands_for_what_rounds_to_it(text, low, high):
    read = p_value(text)
    assert (float(read.low), float(read.high)) == pytest.approx((low, high), abs=1e-15)


def test_nothing_printed_is_none_and_nonsense_is_refused():
    assert [number(t) for t in ("NA", "N/R", "–", "", "Reference")] == [None] * 5
    assert p_value("NA") is None
    for reader, text in ((number, "1,5"), (number, "2.31 [1"), (p_value, "-0.1"), (count, "1.5")):
        with pytest.raises(ValueError, match="is no"):
            reader(text)


# The default review's article, each finding with its value computed by hand: the half width of the
# interval over 1.96 is the standard error, and p is two-sided.


COEFFICIENT, SUBGROUP = "coefficient", "subgroup"
KNOWN = {
    # middle: (low + high) / 2 give or take what rounding allows
    ("middle", "soft", "locomotion", "species", "Mice", SUBGROUP),  # 1.425, not 1.44
    ("middle", "soft", "locomotion", "origin", "UCMSC", COEFFICIENT),  # -0.32, not -0.032
    ("middle", "soft", "apoptotic_cells", "severity", "Moderate", SUBGROUP),  # -4.325, not -4.31
    ("middle", "soft", "il_1b", "severity", "Severe", COEFFICIENT),  # -1.39, not -1.3
    ("middle", "hard", "tnf_a", "species", "Rat", COEFFICIENT),  # 0.01 outside [1.43, 1.45]
    ("middle", "soft", "tnf_a", "timing", "Acute (24 to 72 hours)", COEFFICIENT),  # -0.085
    ("middle", "soft", "tnf_a", "route", "Local", COEFFICIENT),  # text: [-2.91, 0.13] is -1.39
    # p: "<0.0001" where z gives more
    ("p_value", "hard", "gap_43", "", "", "pooled"),  # z 2.37 / 0.855 = 2.77, p 0.0056
    ("p_value", "hard", "iba_1", "", "", "pooled"),  # z 3.57, p 0.00036
    ("p_value", "hard", "locomotion", "model", "Transection", SUBGROUP),  # z 3.83, p 0.00013
    ("p_value", "hard", "locomotion", "origin", "hWJMSC", SUBGROUP),  # z 3.60, p 0.00032
    ("p_value", "hard", "cavity_size", "species", "Mice", SUBGROUP),  # z 3.55, p 0.00039
    ("p_value", "hard", "cavity_size", "follow_up", "<28 days", SUBGROUP),  # z 3.68, p 0.00023
    ("p_value", "hard", "gfap", "severity", "Moderate", SUBGROUP),  # z 2.87, p 0.0041
    ("p_value", "hard", "gfap", "follow_up", "<28 days", SUBGROUP),  # z 3.55, p 0.00039
    ("p_value", "hard", "il_1b", "severity", "Severe", SUBGROUP),  # z 3.72, p 0.0002
    ("p_value", "hard", "tnf_a", "severity", "Severe", SUBGROUP),  # z 3.02, p 0.0025
    ("p_value", "hard", "tnf_a", "origin", "UCMSC", SUBGROUP),  # z 3.18, p 0.0015
    ("p_value", "hard", "tnf_a", "follow_up", "≥28 days", SUBGROUP),  # z 3.80, p 0.00014
    # p: another number altogether; t with 1 degree of freedom is the other end of what t gives
    ("p_value", "hard", "caspase_1", "", "", "pooled"),  # 0.042; z 2.56, p 0.010; t(1) 0.038
    ("p_value", "hard", "caspase_3", "", "", "pooled"),  # 0.003; t(2) gives 0.0042, t(3) 0.0015
    ("p_value", "hard", "arg1", "", "", "pooled"),  # 0.206; z 1.63, p 0.104
    ("p_value", "hard", "il_18", "", "", "pooled"),  # 0.021; t(3) gives 0.0235, t(4) 0.0202
    ("p_value", "hard", "il_1a", "", "", "pooled"),  # 0.096; z 1.76, p 0.079
    ("p_value", "hard", "nlrp3", "", "", "pooled"),  # 0.276; z 1.59, p 0.112
    ("p_value", "soft", "il_10", "", "", "pooled"),  # 0.001; z 4.56, p 0.000005; t(7) 0.0011
    ("p_value", "soft", "il_4", "", "", "pooled"),  # 0.006; z 3.28, p 0.001; t(6) 0.0064
    ("p_value", "hard", "locomotion", "origin", "UCMSC", COEFFICIENT),  # 0.517; z 0.065, p 0.95
    ("p_value", "hard", "il_1b", "model", "Transection", COEFFICIENT),  # 0.512; z 2.91, p 0.0036
    ("p_value", "hard", "il_1b", "model", "Compression", COEFFICIENT),  # 0.008; z 0.65, p 0.51
    ("p_value", "soft", "il_1b", "severity", "Severe", COEFFICIENT),  # 0.166; z 1.30, p 0.19
    ("p_value", "hard", "tnf_a", "species", "Rat", COEFFICIENT),  # 0.987; z 1.96, p 0.05
    ("p_value", "hard", "tnf_a", "model", "Compression", COEFFICIENT),  # 0.469; at most 0.468
    ("p_value", "hard", "tnf_a", "timing", "Acute (24 to 72 hours)", COEFFICIENT),  # 0.936; 0.42
    ("p_value", "hard", "tnf_a", "route", "Local", COEFFICIENT),  # text: 0.024; z 1.96, p 0.05
    # p and interval about 0.05
    ("significance", "hard", "il_1b", "model", "Transection", COEFFICIENT),  # [-15, -3], 0.512
    ("significance", "hard", "il_1b", "model", "Compression", COEFFICIENT),  # [-2.5, 1.2], 0.008
    ("significance", "hard", "tnf_a", "species", "Rat", COEFFICIENT),  # [1.43, 1.45], 0.987
    ("significance", "hard", "tnf_a", "route", "Local", COEFFICIENT),  # text: [-2.91, 0.13], 0.024
    # levels that add up to less than k: 72, 26, 25 (other moderators of GFAP), 23, 27, 28
    ("level_count", "soft", "locomotion", "model", "", "count"),  # 8 + 45 + 17 = 70
    ("level_count", "soft", "locomotion", "severity", "", "count"),  # 40 + 25 = 65
    ("level_count", "soft", "locomotion", "timing", "", "count"),  # 56 + 9 + 2 = 67
    ("level_count", "soft", "locomotion", "route", "", "count"),  # 54 + 17 = 71
    ("level_count", "soft", "cavity_size", "severity", "", "count"),  # 13 + 9 = 22
    ("level_count", "soft", "gfap", "timing", "", "count"),  # 16 + 7 = 23
    ("level_count", "soft", "gfap", "route", "", "count"),  # 16 + 8 = 24
    ("level_count", "soft", "apoptotic_cells", "model", "", "count"),  # 15 + 1 + 6 = 22
    ("level_count", "soft", "apoptotic_cells", "severity", "", "count"),  # 14 + 8 = 22
    ("level_count", "soft", "apoptotic_cells", "administrations", "", "count"),  # 16 + 6 = 22
    ("level_count", "soft", "apoptotic_cells", "timing", "", "count"),  # 16 + 5 = 21
    ("level_count", "soft", "apoptotic_cells", "route", "", "count"),  # 17 + 5 = 22
    ("level_count", "soft", "il_1b", "model", "", "count"),  # 18 + 1 + 7 = 26
    ("level_count", "soft", "il_1b", "severity", "", "count"),  # 16 + 10 = 26
    ("level_count", "soft", "il_1b", "timing", "", "count"),  # 21 + 4 = 25
    ("level_count", "soft", "tnf_a", "model", "", "count"),  # 18 + 1 + 8 = 27
    ("level_count", "soft", "tnf_a", "severity", "", "count"),  # 20 + 7 = 27
    ("level_count", "soft", "tnf_a", "timing", "", "count"),  # 22 + 4 = 26
    # coefficient against the difference of the subgroups
    ("sign", "soft", "cavity_size", "origin", "ADMSC", COEFFICIENT),  # 0.18; -5.95 + 3.43 = -2.52
    ("sign", "soft", "cavity_size", "route", "Local", COEFFICIENT),  # 0.17; -2.95 + 2.78 = -0.17
    ("sign", "soft", "apoptotic_cells", "severity", "Severe", COEFFICIENT),  # 0.12; -0.10
    # words
    ("wording", "soft", "gfap", "administrations", "Multi dose", COEFFICIENT),  # -2.80 + 2.14
    ("wording", "soft", "il_1b", "model", "Compression", COEFFICIENT),  # significant, [-2.49, 1.24]
    ("wording", "soft", "locomotion", "timing", "Subacute (>24 hours)", "count"),  # and 24 to 72
    # text and tables
    ("text_vs_table", "soft", "il_10", "", "", "pooled"),  # abstract <0.001, text 0.001
    ("text_vs_table", "soft", "il_4", "", "", "pooled"),  # abstract 0.001, text 0.006
    ("text_vs_table", "soft", "tnf_a", "route", "Local", COEFFICIENT),  # 0.13, 0.024; -0.13, 0.032
    ("text_vs_table", "soft", "", "species", "Rat", "count"),  # 52 in the text, 53 rows
    ("text_vs_table", "soft", "", "species", "Mice", "count"),  # 13 in the text, 12 rows
    ("text_vs_table", "soft", "", "region", "thoracic", "count"),  # "all": 65, one row N/R
    ("text_vs_table", "soft", "", "route", "Intravenous", "count"),  # 46 in the text, 45 rows
    # lists of studies
    ("study_lists", "soft", "", "", "Suang 2022", "count"),  # Sung 2022
    ("study_lists", "soft", "", "", "Ren 2019", "count"),  # Table 1 only
    ("study_lists", "soft", "", "", "Zhao 2019", "count"),  # Supplementary Table 1 only
}
CD68 = ("wording", "soft", "cd68", "", "", "pooled")  # "increased", "not decreased": -6.26


@pytest.fixture(scope="module")
def findings():
    return audit.audit(ARTICLE)[0]


def test_findings_on_the_article_are_the_known_ones(findings):
    found = keys(findings)
    assert found.count(CD68) == 3  # results, abstract, discussion
    assert sorted(f for f in found if f != CD68) == sorted(KNOWN)


def test_counts_of_the_article():
    counts = audit.audit(ARTICLE)[1]
    # 26 pooled, 100 subgroups, 58 coefficients; one coefficient has no p (TNF-a, transection);
    # 44 moderators of 6 outcomes; 29 statistics fail in one way or other
    assert counts.loc["statistics"].tolist() == [184, 155, 24, 5]
    assert counts.loc["middle"].tolist() == [184, 178, 1, 5]
    assert counts.loc["p_value"].tolist() == [183, 156, 24, 3]
    assert counts.loc["significance"].tolist() == [183, 180, 3, 0]
    assert counts.loc["level_count"].tolist() == [44, 26, 0, 18]
    assert counts.loc["sign"].tolist() == [56, 53, 0, 3]
    # 1009 - 507 = 502; 156 - (52+5+8+4+2+1+1+3+4+1+10) = 65; 65 rows in Table 1
    assert counts.loc["flow"].tolist() == [3, 3, 0, 0]


@pytest.mark.parametrize(
    ("check", "place", "column", "text"),
    [
        ("middle", ("tnf_a", "Rat"), "question", "lies outside its interval; has the bound 1.43 "),
        ("middle", ("tnf_a", "Local"), "question", "has the bound 0.13 the wrong sign?"),
        ("middle", ("locomotion", "UCMSC"), "implied", "middle -0.32, -0.325 to -0.315"),
        ("p_value", ("locomotion", "UCMSC"), "question", "fits an estimate of -0.32"),
        ("p_value", ("il_1b", "Compression"), "question", "the p of Transection fits"),
        ("p_value", ("il_4", ""), "question", "was it t with 6 to 7 degrees of freedom?"),
        ("p_value", ("caspase_3", ""), "question", "is it the p of the test of heterogeneity?"),
        ("p_value", ("iba_1", ""), "question", "stand for a program's 0.000"),
        ("p_value", ("gap_43", ""), "implied", "p 0.00472 to 0.00648 by z"),
        ("text_vs_table", ("il_4", ""), "question", "p (0.001 follows from the interval); which"),
        ("text_vs_table", ("tnf_a", "Local"), "question", "p (0.032 follows from the interval);"),
        ("level_count", ("gfap", ""), "implied", "k 25 by another moderator's levels"),
    ],
)
def test_what_a_finding_says(findings, check, place, column, text):
    at = findings[["check", "outcome", "level"]].eq([check, *place]).all(axis=1)
    assert at.any()
    assert findings.loc[at, column].str.contains(text, regex=False).all()


def test_the_micro_sign_is_mended_beside_what_is_printed():
    studies = pd.read_csv(ARTICLE / "studies.csv", dtype=str, keep_default_na=False)
    mended = dict(zip(studies["dose_reported"], studies["dose"], strict=True))
    assert mended["200 g"] == "200 µg"
    assert mended["4l"] == "4 µl"
    assert (mended["100mg"], mended["100 ng"], mended["N/R"]) == ("100 mg", "100 ng", "")
