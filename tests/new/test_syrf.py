"""SyRF exports, in the spellings of their versions, as `new` reads them."""

import pandas as pd
import pytest
from own_review import write_csv

from helpers import Report
from helpers.new.exports.syrf import columns_of, is_export
from helpers.new.folder import new
from helpers.review.check import check
from helpers.review.review import load

OLD = {  # what this version calls otherwise
    "TimeInMinute": "TimeInMinutes", "ErrorType": "OutcomeErrorType",
    "OutcomeAverage": "OutcomeResult", "ExperimentId": "ExperimentID",
}  # fmt: skip


def group(study, who, name, mean, *, model, control, final="", **cells):
    """A row of an export: one group of animals as one annotator noted it."""
    return {
        "StudyId": study, "Authors": "DOE J:ROE R", "Year": "2020", "InvestigatorId": who,
        "Is this a reconciliation?": final, "DateTimeDataEntered": "2024-01-01 10:00:00",
        "ExperimentId": f"{study}{who}", "ExperimentLabel": "fig 1", "CohortId": f"{study}{who}{name}",
        "CohortLabel": name, "NumberOfAnimals": 9, "IsDiseaseModelControl": model,
        "IsTreatmentControl": control, "TreatmentLabel(s)": name, "OutcomeId": f"o{study}{who}",
        "OutcomeLabel": "Neuroscore", "GreaterIsWorse": "True", "TimeInMinute": 10080,
        "OutcomeAverage": mean, "OutcomeAverageType": "Mean", "OutcomeError": 1, "ErrorType": "SEM",
    } | cells  # fmt: skip


def study(name, who, final="", **cells):
    """Sham, model and drug: True and False, and nothing for the sham and the model's treatment."""
    return [
        group(name, who, "sham", 1, model="", control="", final=final, **cells),
        group(name, who, "model", 8, model="False", control="", final=final, **cells),
        group(name, who, "drug", 5, model="False", control="False", final=final, **cells),
    ]


def made(folder, table, ask=None):
    folder.mkdir(exist_ok=True)
    write_csv(folder / "export.csv", table)
    return new(folder / "review", folder / "export.csv", ask=ask)


def test_groups_shams_signs_and_days_are_known(tmp_path):
    made(tmp_path, study("s1", "a") + study("s2", "a"))
    review = load(tmp_path / "review")
    found = review.experiments
    assert found["mean_treated"].tolist() == [5, 5] and found["mean_control"].tolist() == [8, 8]
    assert found["sd_control"].tolist() == [3, 3] and found["sign"].tolist() == [-1, -1]
    assert found["follow_up_days"].tolist() == [7, 7]
    assert found[["mean_reference", "sd_reference", "n_reference"]].to_numpy().tolist() == [
        [1, 3, 9], [1, 3, 9],
    ]  # fmt: skip
    assert not len(review.not_used)
    outcome = Report("outcomes", review=tmp_path / "review", measure="NMD").outcome("neuroscore")
    effects = outcome.analysis.effects["effect"]
    assert effects.tolist() == pytest.approx([100 * 3 / 7] * 2)  # from 8 to 5 of 8 to 1


def test_labels_are_authors_years_and_cohorts(tmp_path):
    made(tmp_path, study("A", "a") + study("B", "a"))
    found = load(tmp_path / "review").experiments
    assert found["study"].tolist() == ["Doe 2020a", "Doe 2020b"]
    assert found["cohort"].tolist() == ["Doe 2020a, drug", "Doe 2020b, drug"]
    assert found["control_group"].tolist() == ["Doe 2020a, model", "Doe 2020b, model"]
    assert found.index[0] == "Doe 2020a, drug Neuroscore"


@pytest.mark.parametrize("yes", ["True", "TRUE", "true"])
def test_both_spellings_of_headings_and_words(tmp_path, yes):
    table = [
        {OLD.get(name, name): yes if cell == "True" else cell for name, cell in line.items()}
        for line in study("s1", "a")
    ]
    assert is_export(write_and_read(tmp_path, table))
    made(tmp_path, table)
    assert load(tmp_path / "review").experiments["sign"].tolist() == [-1]
    assert not check(tmp_path / "review").faults


def write_and_read(folder, table):
    write_csv(folder / "t.csv", table)
    return pd.read_csv(folder / "t.csv", dtype=str)


def test_what_is_no_export_is_not_taken_for_one(tmp_path):
    table = write_and_read(tmp_path, study("s1", "a"))
    assert not is_export(table.drop(columns="IsTreatmentControl"))
    assert columns_of(table)["treatments"] == "TreatmentLabel(s)"


def test_the_reconciled_record_counts_else_the_newest(tmp_path):
    late = {"DateTimeDataEntered": "2024-02-01 10:00:00"}
    table = study("s1", "a", **late) + study("s1", "r", "True") + study("s2", "a")
    table += study("s2", "b", **late)
    todo = made(tmp_path, table)
    [asked] = [line for line in todo if line.startswith("sheet.records")]
    assert "rows with Is this a reconciliation? True, else those with the newest" in asked
    review = load(tmp_path / "review")
    assert review.experiments["cohort"].tolist() == ["Doe 2020a, drug", "Doe 2020b, drug"]
    assert review.experiments["sheet_row"].tolist() == [7, 13]
    assert len(review.not_used) == 6
    assert set(review.not_used["reason"]) == {
        "not the reconciled record of a study that has one",
        "another annotator has a newer record of this study",
    }


def test_a_column_of_reconciled_that_says_no_everywhere_is_not_the_one(tmp_path):
    table = study("s1", "a") + study("s1", "r", "TRUE")
    made(tmp_path, [{"Reconciled": "False"} | line for line in table])
    assert load(tmp_path / "review").experiments["sheet_row"].tolist() == [7]


def test_records_without_annotators_are_kept_by_what_says_so(tmp_path):
    table = [
        {name: cell for name, cell in line.items() if name != "InvestigatorId"}
        for line in study("s1", "a") + study("s1", "r", "True")
    ]
    made(tmp_path, table)
    assert load(tmp_path / "review").experiments["sheet_row"].tolist() == [7]


def test_an_empty_cell_is_a_question(tmp_path):
    todo = made(tmp_path / "yes", study("s1", "a"))
    settings = [line.split(":")[0] for line in todo]
    assert {"sheet.long.control", "sheet.long.sham"} <= set(settings)
    no = {"sheet.long.control": False, "sheet.long.sham": False}
    made(tmp_path / "no", study("s1", "a"), ask=lambda guess: no)
    assert "treated or control is not said" in str(check(tmp_path / "no" / "review"))


def test_groups_of_several_treatments_are_listed_and_asked_about(tmp_path):
    table = study("s1", "a")
    table.append(group("s1", "a", "drug;KO", 7, model="False", control="False;False"))
    table.append(group("s1", "a", "vehicle;KO", 9, model="False", control="True;False"))
    todo = made(tmp_path, table)
    [asked] = [line for line in todo if line.startswith("sheet.leave_out")]
    assert "[[contrasts]] by TreatmentLabel(s)" in asked
    review = load(tmp_path / "review")
    assert len(review.experiments) == 1
    assert review.not_used.to_numpy().tolist() == [
        [5, "several treatments in one group"], [6, "several treatments in one group"],
    ]  # fmt: skip


def test_one_control_cohort_against_doses_and_days_is_one_group(tmp_path):
    table = []
    for name, shift in zip("ABCDE", (0, 3, -2, 5, 1), strict=True):
        for day in (1440, 10080):
            same = {"TimeInMinute": day, "ErrorType": "SD", "OutcomeError": 6}
            table.append(
                group(name, "a", "vehicle", 40 + shift, model="False", control="True", **same)
            )
            for dose in (1, 2, 3):
                mean = 40 + shift - 2 * dose - (day > 1440)
                table.append(group(name, "a", f"dose {dose}", mean, model="False", control="False",
                                   **same))  # fmt: skip
    made(tmp_path, table)
    report = Report("outcomes", review=tmp_path / "review")
    assert report.review.experiments["control_group"].nunique() == 5
    found = report.outcome("neuroscore").analysis
    assert found.leading.k == 30 and found.leading.levels == ("study", "experiment")
    assert found.animals == 5 * 4 * 9  # each cohort once
