"""`[[regressions]]` from the file to the page: several moderators at once, their tests, refusals."""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers import Report
from helpers.analysis.outcome import analyse
from helpers.analysis.settings import of_review
from helpers.review.check import check
from helpers.review.description import PROJECT
from helpers.review.review import load
from helpers.words import methods

DOSE = '\n[[moderators]]\nid = "dose"\nlabel = "Dose (mg/kg)"\n'
ARTICLE = '\n[article]\ncitation = "Doe J. J Spinal Res 2020;1:1-9."\n'
DOSES = (0.1, 0.3, 1, 3, 10, 30)


def asking(*terms, **other):
    """A `[[regressions]]` of review.toml."""
    lines = {"terms": list(terms)} | other
    return "\n[[regressions]]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in lines.items())


def lines(k=36, each=2, **cells):
    """Rows of `each` experiments a study, with doses, species and effects that follow no line."""
    found = []
    for i in range(k):
        effect = 1.5 * np.log10(DOSES[i % 6]) + (i * 7 % 11) / 1.1 + (i // each * 5 % 7) / 2
        found.append(row(
            f"e{i}", study=f"s{i // each}", dose=DOSES[i % 6], mean_treated=round(9 + effect, 3),
            n_treated=6 + i % 5, n_control=5 + i % 4, species="rat" if i * 5 % 7 < 3 else "mouse",
        ) | {name: value(i) for name, value in cells.items()})  # fmt: skip
    return found


def analysed(folder, table, toml, **parameters):
    review = load(write(folder, table, toml=FAMILY + SPECIES + DOSE + toml))
    settings, model = of_review(
        review.settings, review.model, rebuilds=bool(review.article), parameters=parameters
    )
    return analyse(review, "score", chosen=settings, model=model), review


# ------------------------------------------------------------------------------------ numbers


R = shutil.which("Rscript")


def in_r(code, data):
    """What R prints of a data frame `d`, as JSON."""
    frame = json.dumps(data.to_dict("list"))
    script = (
        "suppressMessages({library(metafor); library(clubSandwich)})\n"
        f"d <- as.data.frame(jsonlite::fromJSON('{frame}'))\n{code}\n"
        "cat(jsonlite::toJSON(out, digits = NA, auto_unbox = TRUE))"
    )
    done = subprocess.run([R, "-e", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def data_of(found):
    return pd.DataFrame({
        "yi": found.effects["effect"].astype(float), "vi": found.effects["variance"].astype(float),
        "study": found.rows["study"].astype(str), "row": found.rows["experiment"].astype(str),
        "dose": found.moderator_values["dose"].astype(float),
        "species": found.moderator_values["species"].astype(str),
    })  # fmt: skip


@pytest.mark.skipif(R is None, reason="no R")
def test_a_logarithm_of_the_dose_by_the_articles_settings_is_that_of_rma(tmp_path):
    found, _ = analysed(tmp_path, lines(16), ARTICLE + asking("log10(dose)") + asking("dose"))
    right = in_r(
        "a <- rma(yi, vi, mods = ~ log10(dose), data = d, control = list(threshold = 1e-12))\n"
        "b <- rma(yi, vi, mods = ~ dose, data = d, control = list(threshold = 1e-12))\n"
        "out <- list(b = a$beta[2], se = a$se[2], p = a$QMp, plain = b$QMp)", data_of(found),
    )  # fmt: skip
    log, plain = (model.result for model in found.term_models)
    row = log.coefficients.iloc[1]
    assert (row["coef"], row["se"]) == pytest.approx((right["b"], right["se"]), rel=1e-6)
    assert log.terms["p"].item() == pytest.approx(right["p"], rel=1e-6)
    assert plain.terms["p"].item() == pytest.approx(right["plain"], rel=1e-6)
    # One moderator alone says the same in both of its places.
    assert plain.terms["p"].item() == pytest.approx(found.regressions["dose"].p_moderators)
    assert (log.test, log.terms["test"].item()) == ("z", "χ²")


@pytest.mark.skipif(R is None, reason="no R")
def test_an_interaction_in_the_leading_model_is_that_of_club_sandwich(tmp_path):
    terms = ["species", "log10(dose)", "species:log10(dose)"]
    found, _ = analysed(tmp_path, lines(), asking(*terms))
    right = in_r(
        "m <- rma.mv(yi, vi, mods = ~ factor(species) * log10(dose), random = ~ 1 | study/row,\n"
        "  data = d, control = list(optimizer = 'optim', optmethod = 'BFGS', reltol = 1e-14))\n"
        "w <- Wald_test(m, constrain_zero(4), 'CR2', cluster = d$study, test = 'HTZ')\n"
        "out <- list(b = as.numeric(m$beta), f = w$Fstat, df = w$df_denom, p = w$p_val)",
        data_of(found),
    )
    result = found.term_models[0].result
    assert result.coefficients["coef"].to_numpy() == pytest.approx(right["b"], rel=1e-4)
    last = result.terms.iloc[-1]
    assert last["term"] == "species:log10(dose)" and last["tested"]
    assert (last["statistic"], last["df2"], last["p"]) == pytest.approx(
        (right["f"], right["df"], right["p"]), rel=1e-3
    )
    assert result.studies == 18 and result.test == "cr2"


@pytest.mark.skipif(R is None, reason="no R")
def test_a_spline_of_independent_rows_is_that_of_ns_by_hartung_and_knapp(tmp_path):
    found, _ = analysed(tmp_path, lines(each=1), asking("spline(dose, 2)", "species"))
    right = in_r(
        "m <- rma(yi, vi, mods = ~ splines::ns(dose, 2) + factor(species), data = d,\n"
        "  test = 'knha', btt = 2:3, control = list(threshold = 1e-12))\n"
        "out <- list(f = m$QM, p = m$QMp, k = m$k, tau2 = m$tau2)", data_of(found),
    )  # fmt: skip
    assert found.model is None
    result = found.term_models[0].result
    spline = result.terms.set_index("term").loc["spline(dose, 2)"]
    assert (spline["statistic"], spline["p"]) == pytest.approx((right["f"], right["p"]), rel=1e-5)
    assert (spline["df1"], spline["df2"], result.k) == (2, right["k"] - 4, right["k"])
    assert result.tau2 == pytest.approx(right["tau2"], rel=1e-5) and result.test == "knha"


def test_one_term_is_tested_as_its_moderator_alone(tmp_path):
    """In the multilevel model, where rows are independent, and by settings of a person."""
    asked = asking("dose") + asking("species")
    for how, table in {"a": lines(), "b": lines(each=1)}.items():
        found, _ = analysed(tmp_path / how, table, asked)
        for model in found.term_models:
            alone, term = found.models[model.terms[0]], model.result.terms.iloc[0]
            assert [term["statistic"], term["df2"], term["p"]] == pytest.approx(
                [alone.f, alone.df2, alone.p], rel=1e-6
            )
    for interval in ("z", "hksj", "hksj_truncated"):
        found, _ = analysed(tmp_path, lines(), asked, interval=interval, method="DL")
        for model in found.term_models:
            alone = found.regressions[model.terms[0]]
            assert model.result.terms["p"].item() == pytest.approx(alone.p_moderators, rel=1e-6)
            assert model.result.tau2 == pytest.approx(alone.tau2, rel=1e-6)


# ----------------------------------------------------------------------------- what is not tested


def test_what_rests_on_one_study_is_not_tested(tmp_path):
    table = lines(species=lambda i: "rat" if i < 2 else "mouse")
    for toml in ("", ARTICLE):
        found, _ = analysed(tmp_path, table, toml + asking("species", "dose"))
        terms = found.term_models[0].result.terms.set_index("term")
        assert not terms.loc["species", "tested"] and np.isnan(terms.loc["species", "p"])
        assert terms.loc["species", "reason"]
        assert terms.loc["dose", "tested"]
    found, _ = analysed(tmp_path, lines(study=lambda i: "s1"), ARTICLE + asking("dose"))
    assert found.term_models[0].result.terms["reason"].item() == (
        "all experiments come from one study"
    )


def test_a_dose_of_nothing_is_named_by_its_row(tmp_path):
    table = lines(dose=lambda i: 0 if i == 3 else DOSES[i % 6])
    found, _ = analysed(tmp_path, table, asking("log10(dose)") + asking("dose"))
    log, plain = found.term_models
    assert log.result is None and "row 5 (0)" in log.note and "above 0" in log.note
    assert plain.result.terms["tested"].item() and plain.note == ""


def test_rows_without_a_value_are_left_out_and_counted(tmp_path):
    table = lines(dose=lambda i: "" if i in (3, 8) else DOSES[i % 6])
    found, _ = analysed(tmp_path, table, asking("log10(dose)", "species"))
    result = found.term_models[0].result
    assert (result.k, result.left_out, result.missing) == (34, 2, {"dose": 2})
    empty, _ = analysed(tmp_path, lines(dose=lambda i: ""), asking("dose", "species"))
    assert empty.term_models[0].note == "no experiment has a value of Dose (mg/kg)"


def test_a_regression_is_of_its_outcomes_and_the_chosen_moderators(tmp_path):
    second = FAMILY.split("\n\n")[1].replace('"score"', '"speed"').replace("[[", "\n[[")
    toml = FAMILY + second + SPECIES + DOSE + asking("dose", outcomes=["speed"]) + asking("species")
    table = lines() + [one | {"experiment": f"x{one['experiment']}", "outcome": "speed"}
                       for one in lines()]  # fmt: skip
    review = load(write(tmp_path, table, toml=toml))
    labels = {
        name: [model.label for model in analyse(review, name).term_models]
        for name in ("score", "speed")
    }
    assert labels == {"score": ["species"], "speed": ["dose", "species"]}
    narrow = analyse(review, "speed", moderators=["species"]).term_models
    assert narrow[0].result is None and narrow[0].note == "not among the moderators chosen: dose"
    assert narrow[1].result is not None


# --------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (asking("specis"), "Did you mean 'species'?"),
        (asking("log(dose)"), "there is no function log"),
        (asking("spline(dose)"), "a spline needs its df"),
        (asking("species*dose"), "is no term"),
        (asking("species", "dose:species", "species:dose"), "twice"),
        (asking("log10(species)"), "needs numbers"),
        (asking("dose", outcomes=["scores"]), "there is no such outcome"),
        (asking("dose", outcomes=[]), "no outcome"),
        (asking(), "a list is due"),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_the_file(tmp_path, asked, says):
    faults = check(write(tmp_path, lines(), toml=FAMILY + SPECIES + DOSE + asked)).faults
    assert len(faults) == 1 and says in str(faults[0]) and "review.toml" in str(faults[0])


def test_all_faults_come_at_once(tmp_path):
    asked = asking("specis", "dosis") + asking("log10(species)", outcomes=["scores"])
    assert len(check(write(tmp_path, lines(), toml=FAMILY + SPECIES + DOSE + asked)).faults) == 4


def test_what_the_readme_shows_is_read_as_it_says(tmp_path):
    text = (PROJECT / "docs" / "review.md").read_text("utf-8").split("## Settings and model")[1]
    shown = text.split("```toml")[1].split("```")[0].replace("il_6", "score")
    more = SPECIES.replace("species", "sex").replace("Species", "Sex") + DOSE.replace(
        "dose", "days"
    )
    more = more.replace('["mouse", "rat"]', '["f", "m"]')
    table = lines(
        sex=lambda i: "fm"[i * 3 % 7 % 2], days=lambda i: (3, 7, 14, 21, 28, 42)[i * 5 % 7 % 6],
        strain=lambda i: f"w{i // 4 % 5}", exp=lambda i: f"x{i // 2}",
    )  # fmt: skip
    found, _ = analysed(tmp_path, table, more + shown)
    assert found.leading_is == "chosen" and found.settings.variance == "average"
    assert found.model.levels == ("strain", "study", "exp") and found.model.within == "exp"
    (model,) = found.term_models
    assert model.label == "Dose by species" and model.note == "" and model.result.test == "contain"
    assert not check(tmp_path).faults


# --------------------------------------------------------------------------------------- the page


def test_table_sections_json_and_methods_hold_it(tmp_path):
    toml = asking("species", "log10(dose)", "species:log10(dose)", label="Dose by species")
    table = lines(dose=lambda i: "" if i == 3 else DOSES[i % 6])
    write(tmp_path, table, toml=FAMILY + SPECIES + DOSE + toml + asking("dose"))
    report = Report("movement", review=tmp_path)
    score = report.outcome("score")
    block = score.regressions()
    found = score.analysis.term_models[0].result
    for words in ("Dose by species", "k = 35 in 18 studies", "left out 1, which lack dose in 1",
                  "log10(Dose (mg/kg))", "Species: rat", "HTZ(1, ", "marginal R²",
                  "tested where log10(dose) = 0"):  # fmt: skip
        assert words in block.html, words
    data = block.data["csv"]
    assert repr(float(found.terms["p"].iloc[0])) in data and "log10(dose)" in data
    parts = score.sections()["What may explain the differences"]
    assert block.name in [part.name for part in parts]
    result = report.content["outcomes"]["score"]["regressions"]
    assert [one["label"] for one in result] == ["Dose by species", "dose"]
    assert result[0]["terms"][0]["p"] == found.terms["p"].iloc[0]
    assert result[0]["coefficients"][1]["coef"] == found.coefficients["coef"].iloc[1]
    assert result[0]["k"] == 35 and result[0]["r2"] == pytest.approx(found.r2 / 100)
    text = methods.methods_text(report.review, list(report.analyses.values()))
    assert "(Dose by species; dose); the coefficients of a term were tested together by the" in text


def test_one_without_a_result_says_why_and_none_shows_nothing(tmp_path):
    table = lines(dose=lambda i: 0 if i == 3 else DOSES[i % 6])
    write(tmp_path / "a", table, toml=FAMILY + SPECIES + DOSE + asking("log10(dose)"))
    report = Report("movement", review=tmp_path / "a")
    assert "row 5 (0)" in report.outcome("score").regressions().html
    (only,) = report.content["outcomes"]["score"]["regressions"]
    assert "row 5" in only["note"] and only["coefficients"] == []
    write(tmp_path / "b", lines(), toml=FAMILY + SPECIES + DOSE)
    report = Report("movement", review=tmp_path / "b")
    assert report.outcome("score").regressions() is None
    assert report.content["outcomes"]["score"]["regressions"] == []
    assert "Regressions on several terms" not in report.methods().text
