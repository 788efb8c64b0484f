"""What a sheet says about quality as reports show it: by study, beside the forest plot, in data."""

import io
import re

import pandas as pd
import pytest

from helpers import Overview, Report
from tests.own_review import FAMILY, row, write

QUALITY = """
[quality]
risk_of_bias = ["Random allocation", "Blinded outcome assessment"]
reporting = ["ARRIVE 2a"]
drop_outs_treated = "lost"
"""


def csv(block):
    return pd.read_csv(io.StringIO(block.data["csv"].lstrip("\ufeff")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    random, blind = ["Yes", "No", "NR", "Yes", ""], ["low", "NR", "high", "low", "low"]
    table = [
        row(f"e{i}", study=f"Doe 201{i}", mean_treated=11 + i / 2,
            **{"Random allocation": random[i], "Blinded outcome assessment": blind[i],
               "ARRIVE 2a": "no" if i else "yes", "lost": i})
        for i in range(5)
    ]  # fmt: skip
    table.append(table[4] | {"experiment": "e5", "mean_treated": 14, "ARRIVE 2a": "yes",
                             "Blinded outcome assessment": "high"})  # fmt: skip
    return write(tmp_path_factory.mktemp("quality"), table, toml=FAMILY + QUALITY)


def test_judgements_are_shown_by_study_and_counted(folder):
    whole = Overview(folder)
    shown = csv(whole.risk_of_bias())
    assert shown["study_label"].tolist() == [f"Doe 201{i}" for i in range(5)]
    assert shown["Random allocation"].fillna("").tolist() == ["low", "high", "unclear", "low", ""]
    assert shown["Blinded outcome assessment"].tolist() == ["low", "unclear", "high", "low", "high"]
    assert set(shown["provenance"]) == {"as in the sheet"}
    counted = csv(whole.risk_of_bias_summary()).set_index("item")
    assert counted.loc["Random allocation", ["low", "unclear", "high"]].tolist() == [2, 1, 1]
    text = whole.risk_of_bias().text
    assert "Risk of bias in 5 studies" in text and "SYRCLE" not in text
    assert "Where rows of a study differ, the worse judgement is shown" in text


def test_a_checklist_is_shown_in_its_own_words(folder):
    whole = Overview(folder)
    assert csv(whole.reporting())["ARRIVE 2a"].tolist() == ["yes", "no", "no", "no", "no"]
    assert "+ reported, ? partly or unclear, − not reported" in whole.reporting().text
    assert "risk" not in whole.reporting().text.casefold()
    assert csv(whole.reporting_summary()).loc[0, ["yes", "partly", "no"]].tolist() == [1, 0, 4]


def test_a_review_without_these_columns_shows_nothing(tmp_path):
    whole = Overview(write(tmp_path, [row("e0"), row("e1", mean_treated=13)]))
    assert whole.reporting() is None and whole.risk_of_bias() is None


def test_judgements_stand_beside_the_forest_plot_as_letters_with_symbols(folder):
    block = Report("movement", review=folder).outcome("score").forest()
    for cells in ("A+ B+", "A− B?", "A? B−", "A· B+", "A· B−"):
        assert cells in block.html
    assert "Risk of bias: A Random allocation and B Blinded outcome assessment" in block.text
    rows = csv(block)
    assert rows["risk of bias: Random allocation"].fillna("").tolist() == [
        "low", "high", "unclear", "low", "", ""
    ]  # fmt: skip
    assert rows["drop_outs_treated"].tolist() == [0, 1, 2, 3, 4, 4]


def test_animals_lost_stand_beside_the_sizes_of_the_groups(folder):
    block = Report("movement", review=folder).outcome("score").forest()
    assert "Lost, treated" in block.html and "lost are drop-outs" in block.text


def test_where_no_side_is_benefit_no_word_speaks_of_one(tmp_path):
    cells = [{"mean_treated": 9 + i % 5, "sd_control": 2 + i / 9, "n_treated": 6 + i % 4}
             for i in range(14)]  # fmt: skip
    table = [row(f"e{i}", study=f"s{i}", **line) for i, line in enumerate(cells)]
    toml = FAMILY.replace('"higher"', '"neither"')
    report = Report("movement", review=write(tmp_path, table, toml=toml))
    outcome = report.outcome("score")
    shown = [outcome.result(), outcome.small_study(), outcome.small_study_tests(), report.certainty(),
             outcome.specifications(), outcome.planning(), outcome.publication_bias()]  # fmt: skip
    texts = [report.sentence(), *(block.text for block in [*shown, report.methods()])]
    for text in [*texts, outcome.forest().html]:
        for word in ("benefit", "harm", "favour", "better", "worse"):
            assert not re.search(rf"\b{word}", text.casefold()), word
