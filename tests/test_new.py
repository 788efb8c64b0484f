"""From somebody's sheet to a review folder without a fault."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_review import row, rows, write_csv

from helpers import __main__ as command
from helpers.check import check
from helpers.findings import ReviewError
from helpers.guess import new
from helpers.review import load


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
    assert any("SEMs" in line for line in todo)
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
    assert review.sheet["sheet"] == "Data"
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


def test_a_syrf_export_is_read_the_same_way(tmp_path):
    base = {
        "StudyId": "s1", "ExperimentId": "x", "OutcomeId": "o", "OutcomeLabel": "Neuroscore",
        "GreaterIsWorse": "TRUE", "TimeInMinutes": 10080, "OutcomeAverageType": "mean",
        "OutcomeErrorType": "SEM", "NumberOfAnimals": 9, "OutcomeError": 1,
    }  # fmt: skip
    kinds = [
        ("sham", "TRUE", "TRUE", 1),
        ("control", "FALSE", "TRUE", 8),
        ("drug", "FALSE", "FALSE", 5),
    ]
    table = [
        base | {"StudyId": study, "CohortId": f"{study}-{name}", "IsDiseaseModelControl": sham,
                "IsTreatmentControl": control, "OutcomeAverage": mean}
        for study in ("s1", "s2") for name, sham, control, mean in kinds
    ]  # fmt: skip
    write_csv(tmp_path / "syrf.csv", table)
    new(tmp_path / "review", tmp_path / "syrf.csv")
    found = load(tmp_path / "review")
    assert found.experiments["mean_treated"].tolist() == [5, 5]
    assert found.experiments["mean_control"].tolist() == [8, 8]
    assert found.experiments["sd_control"].tolist() == [3, 3]
    assert found.experiments["sign"].tolist() == [-1, -1]
    assert found.experiments["follow_up_days"].tolist() == [7, 7]
    assert found.not_used["reason"].tolist() == ["animals without the disease model"] * 2


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
    assert review.sheet["file"] == "s.csv"


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
