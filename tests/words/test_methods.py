"""Methods text: only what was done, of which outcomes, and only its citations."""

import re

import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers.analysis import small_study
from helpers.analysis.outcome import analyse
from helpers.analysis.settings import ARTICLE, RECOMMENDED, Model, Settings, of_review
from helpers.review.review import load
from helpers.words import methods
from helpers.words.settings import differences

ARTICLE_TOML = '\n[article]\ncitation = "Doe J. J Spinal Res 2020;1:1-9."\ndoi = "10.1234/x"\n'
DOSE = '\n[[moderators]]\nid = "dose"\nlabel = "Dose"\n'
WEIGHT = """
[[families.outcomes]]
id = "weight"
label = "Weight"
better = "lower"
"""
NESTED = """
[model]
levels = ["strain", "study", "exp"]
covariance = "constant"
within = "exp"
rho = 0.3
test = "contain"
"""
MEANS = (10.1, 12.9, 11.4, 13.8, 12.2, 14.6, 10.9)  # of treated groups, in turn

GROUPS = [f"{name}_{arm}" for name in ("n", "mean", "sd") for arm in ("treated", "control")]


def analysed(folder, rows, *, body="", toml=FAMILY, exclude=(), moderators=None, **parameters):
    """Analyses of a made-up review as a report makes them, and the review."""
    review = load(write(folder, rows, body, toml=toml))
    settings, model = of_review(
        review.settings, review.model, rebuilds=bool(review.article), parameters=parameters
    )
    asked = {"chosen": settings, "model": model, "exclude": exclude, "moderators": moderators}
    return [analyse(review, outcome, **asked) for outcome in review.outcomes], review


def described(folder, rows, **how):
    """The methods section of a made-up review."""
    analyses, review = analysed(folder, rows, **how)
    return methods.methods_text(review, analyses)


def lines(k=4, **cells):
    return [row(f"e{i}", mean_treated=11 + i * 0.9, **cells) for i in range(k)]


def nested(studies=14, each=2, outcome="score", **cells):
    """Rows of `each` experiments a study; cells may be functions of the row's and study's number."""
    rows = []
    for i in range(studies * each):
        s = i // each
        own = {k: value(i, s) if callable(value) else value for k, value in cells.items()}
        rows.append(
            row(f"{outcome}-{i}", study=f"s{s}", outcome=outcome, mean_treated=MEANS[i % 7], **own)
        )
    return rows


def species(i, s):
    return ("mouse", "rat")[s % 2]


def own_exp(i, s):
    """Two rows an experiment."""
    return f"x{i // 2}"


LAYOUTS = {
    "plain": (lines(6), FAMILY),
    "article": (nested(species=species), FAMILY + SPECIES + ARTICLE_TOML),
    "study and experiment": (
        nested(species=species, control_group=lambda i, s: f"c{s}"),
        FAMILY + SPECIES,
    ),
    "named levels": (
        nested(7, 4, species=species, exp=own_exp, strain=lambda i, s: f"t{i % 6}"),
        FAMILY + SPECIES + NESTED,
    ),
    "two studies": (nested(2, 4), FAMILY),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_citation_is_used_and_every_key_is_cited(tmp_path, layout):
    rows, toml = LAYOUTS[layout]
    text = described(tmp_path, rows, toml=toml)
    body, *listed = re.split(r"\n\n\[(?=\d)", text)
    used = [int(n) for n in re.findall(r"\[(\d+)\]", body)]
    assert used and list(dict.fromkeys(used)) == list(range(1, len(listed) + 1))
    assert not re.findall(r"\[[a-z]\w*\]|\[[A-Z]+\]", body)


def test_a_plain_review_is_told_nothing_that_was_not_done(tmp_path):
    text = described(tmp_path, lines())
    assert "The outcome is Score." in text
    for word in ("oderator", "Holm", "three-level", "multilevel", "CR2", "Galbraith", "small-study",
                 "article", "converted", "ρ", "reconstruct", "differ from", "stand beside",
                 "taken as independent"):  # fmt: skip
        assert word not in text, word
    assert "No experiment was left out" in text
    assert "does not say which treated groups share a control group" in text
    assert "the variance factor held at 1 or above" in text


def test_the_variance_at_the_average_says_why(tmp_path):
    text = described(tmp_path / "recommended", lines())
    assert "1/n₁ + 1/n₂ + ḡ²/(2N)" in text
    assert "an SMD and its usual variance, which holds the SMD itself, are correlated" in text
    assert methods.CITATIONS["average"] in text
    usual = described(tmp_path / "usual", lines(), variance="metafor")
    assert "1/n₁ + 1/n₂ + g²/(2N), metafor's default" in usual
    assert "ḡ" not in usual
    assert "an SMD and its usual variance" not in usual
    # It is cited for the recommended result, which stands beside.
    assert "exact Hedges g with the variance at the mean effect [" in usual


@pytest.mark.parametrize(
    ("groups", "split", "words"),
    [
        (
            ["a", "a", "b", "c"],
            False,
            "each of them; that effects then covary is part of the model",
        ),
        (["a", "a", "b", "c"], True, "was divided among them"),
        (["a", "b", "c", "d"], True, "No control group is shared by several treated groups in the"),
        (["", "", "", ""], True, "does not say which"),
    ],
)
def test_controls_are_told_as_the_sheet_has_them(tmp_path, groups, split, words):
    rows = lines()
    for line, group in zip(rows, groups, strict=True):
        line |= {"control_group": group, "follow_up_days": 28}
        line["study"] = f"s-{group or line['experiment']}"
    assert words in described(tmp_path, rows, split_controls=split or None)


def test_a_control_shared_on_other_days_is_shared(tmp_path):
    rows = nested(control_group=lambda i, s: f"c{s}", follow_up_days=lambda i, s: 7 * (i % 2))
    text = described(tmp_path / "modelled", rows)
    assert "No control group is shared" not in text
    assert "that share a control group were taken to covary after Gleser and Olkin" in text
    assert "times ρ = 0.5 where the control was measured on different occasions" in text
    divided = described(tmp_path / "divided", rows, split_controls=True)
    assert "No control group is shared by several treated groups on one day" in divided
    assert "was divided" not in divided


def test_controls_that_the_sheet_has_divided_are_not_divided_again(tmp_path):
    text = described(tmp_path, lines(), body="control_n_is_split = true", split_controls=True)
    assert "already divided in the sheet" in text
    assert "was divided among them" not in text


def test_conversions_are_counted_and_cited(tmp_path):
    rows = lines(3, kind="SEM")
    rows[0]["kind"] = "CI"
    text = described(tmp_path, rows, body='[sheet.columns]\nerror_type = "kind"')
    assert "4 SDs: SEM times the root of n" in text
    assert "2 SDs: from the 95% CI by t" in text
    assert "Wan" not in text
    body = '[sheet.constants]\naverage_type = "median"\nerror_type = "IQR"\n[sheet.columns]\n'
    ends = {"low_treated": 10, "high_treated": 15, "low_control": 7, "high_control": 12}
    body += "\n".join(f'{name} = "{name}"' for name in ends)
    ends = lines(3, **ends, sd_treated="", sd_control="")
    text = described(tmp_path / "medians", ends, body=body)
    assert "6 means: from median and quartiles by Luo 2018 with n" in text
    assert methods.CITATIONS["wan"] in text
    assert methods.CITATIONS["luo"] in text


def test_effects_that_the_sheet_brings_are_told_without_hedges(tmp_path):
    own = [
        {"experiment": f"e{i}", "study": f"s{i // 2}", "outcome": "score", "effect": 0.2 * i % 0.7,
         "se": 0.3}
        for i in range(16)
    ]  # fmt: skip
    text = described(tmp_path, own)
    assert "as the sheet gives them with their standard errors" in text
    assert "three-level" in text
    for word in ("J²", "small samples", "SD", "ḡ", "Gleser"):
        assert word not in text.split("\n\nFor comparison")[0], word


# -------------------------------------------------------------------------------- multilevel model


def test_experiments_in_studies(tmp_path):
    (analysis,), review = analysed(tmp_path, nested())
    text = methods.methods_text(review, [analysis])
    assert "in a three-level random-effects model" in text
    assert "random effects of study and experiment within study" in text
    # 14 clusters of two alike rows: Satterthwaite's degrees of freedom are 13 exactly.
    assert "The model holds 28 effects from 14 studies (df = 13.0 from 14 clusters)." in text
    assert "cluster-robust (CR2)" in text
    assert "the clusters being studies, with t and Satterthwaite" in text
    assert "t·√(se² + Σσ²) with clusters − 1 degrees of freedom" in text
    assert analysis.leading.prediction_df == 13
    assert "by I² of each level" in text
    for key in ("konstantopoulos", "three_level", "REML", "cr2", "che", "nakagawa", "prediction"):
        assert methods.CITATIONS[key] in text, key
    for key in ("gleser", "metafor", "htz", "hksj", "riley", "knapp", "i2"):
        assert methods.CITATIONS[key] not in text, key
    for word in ("ρ = 0.2", "containment", "quotation marks", "“", "No random effect", "τ²"):
        assert word not in text, word
    assert "Sampling errors were taken to be independent." in text


def test_levels_are_named_by_the_headings_of_the_sheet(tmp_path):
    rows = nested(7, 4, exp=own_exp, strain=lambda i, s: f"t{s % 6}")
    (analysis,), review = analysed(tmp_path, rows, toml=FAMILY + NESTED)
    text = methods.methods_text(review, [analysis])
    # Study 0 and 6 are of one strain; four rows a study, two an exp.
    assert "in a four-level random-effects model" in text
    assert "random effects of “strain”, study within “strain” and “exp” within study" in text
    assert "effects of the same “exp” differ by sampling error alone" in text
    assert (
        "28 effects from 7 studies in 6 groups of “strain”, 7 groups of study within “strain” and "
        "14 groups of “exp” within study (df = 5)"
    ) in text
    assert "of the same “exp” were taken to correlate by ρ = 0.3, all others to be" in text
    assert "containment degrees of freedom, the smallest number of groups of any level less" in text
    assert "results with ρ = 0.2, 0.5 and 0.8 stand beside each other" in text
    assert "Names in quotation marks are columns of the extraction sheet." in text
    assert "CR2" not in re.split("\n\n", text)[2]
    assert analysis.leading.levels == ("strain", "study", "exp")
    assert analysis.leading.df == 5


def test_a_level_of_few_groups_is_said_to_be_left_out(tmp_path):
    rows = nested(7, 4, exp=own_exp, strain=lambda i, s: f"t{s % 3}")
    text = described(tmp_path, rows, toml=FAMILY + NESTED)
    assert "No random effect of “strain” (3 groups, fewer than 5) was fitted" in text
    assert "in a three-level random-effects model" in text
    assert "random effects of study and “exp” within study" in text
    assert "28 effects from 7 studies in 14 groups of “exp” within study (df = 6)" in text


def test_one_level_alone_is_no_three_level_model(tmp_path):
    rows = nested(4, 6, exp=own_exp, strain="t")
    text = described(tmp_path, rows, toml=FAMILY + NESTED)
    assert (
        "in a two-level random-effects model with a random effect of “exp”, the variance " in text
    )
    assert "[3] [4]" not in text
    assert "three-level" not in text.split("\n\nFor comparison")[0]
    assert "24 effects from 4 studies in 12 groups of “exp” (df = 11)" in text


def test_the_row_alone(tmp_path):
    text = described(tmp_path, nested(2, 4))
    assert "a random-effects model with a random effect of experiment, the variance " in text
    assert "No random effect of study (2 groups, fewer than 5) was fitted" in text
    assert "8 effects from 2 studies (df = 7)" in text
    assert "by the variance σ² and by I² as" in text
    assert "(CR2) was not used: 2 of the 5 clusters that CR2 needs (study)" in text
    for key in ("konstantopoulos", "che", "htz"):
        assert methods.CITATIONS[key] not in text, key


def test_one_study_is_no_level(tmp_path):
    text = described(tmp_path, nested(1, 6))
    assert "No random effect of study (1 group, fewer than 5) was fitted" in text
    assert "6 effects from 1 study (df = 5)" in text
    assert "1 of the 5 clusters that CR2 needs" in text


def test_levels_that_all_drop_out_leave_the_row(tmp_path):
    toml = FAMILY + '\n[model]\nlevels = ["strain", "study"]\n'
    text = described(tmp_path, nested(3, 4, strain=lambda i, s: f"t{s % 2}"), toml=toml)
    assert "with a random effect of experiment" in text
    assert (
        "No random effect of “strain” (2 groups, fewer than 5) and study (3 groups, fewer than 5)"
    ) in text


def test_a_level_that_is_another_is_none(tmp_path):
    toml = FAMILY + "\n[model]\nrho = 0.4\n"
    text = described(tmp_path, lines(8), toml=toml)
    assert (
        "No random effect of study was fitted besides, as each of its groups holds one experiment"
    ) in text
    assert "8 effects from 8 studies" in text


def test_clusters_are_the_outermost_groups(tmp_path):
    toml = FAMILY + '\n[model]\nlevels = ["strain", "study", "experiment"]\n'
    rows = nested(12, 2, strain=lambda i, s: f"t{s % 6}")
    text = described(tmp_path, rows, toml=toml)
    assert "the clusters being the groups of “strain”, with t" in text
    assert "from 6 clusters)" in text


def test_containment_takes_the_place_of_cr2_with_the_reason(tmp_path):
    toml = FAMILY + "\n[model]\nmin_groups = 2\n"
    text = described(tmp_path, nested(3, 3), toml=toml)
    assert "random effects of study and experiment within study" in text
    assert "was not used: 3 of the 5 clusters that CR2 needs (study)" in text
    assert "with the same degrees of freedom" in text
    assert "(df = 2)" in text
    assert "Satterthwaite" not in text


def test_containment_takes_the_place_of_a_cr2_with_few_degrees_of_freedom(tmp_path):
    rows = [line | {"study": f"s{max(i - 11, 0)}"} for i, line in enumerate(lines(16))]
    text = described(tmp_path, rows)
    assert "cluster-robust inference (CR2) was not used: CR2 has fewer than 4 degrees of" in text
    assert "Satterthwaite" not in text


@pytest.mark.parametrize(
    ("cells", "said", "unsaid"),
    [
        ({}, "taken to be independent", ("covary", "ρ")),
        (
            {"control_group": lambda i, s: f"c{s}"},
            "covary after Gleser and Olkin [6], with ḡ in place of both effects.",
            ("ρ", "repeated"),
        ),
        (
            {"cohort": lambda i, s: f"k{s}", "follow_up_days": lambda i, s: i % 2},
            "Sampling errors of repeated measurements of the same animals were taken to correlate by"
            " ρ = 0.5.",
            ("covary", "control group were"),
        ),
        (
            {
                "cohort": lambda i, s: f"k{s}-{i % 4 // 2}",
                "control_group": lambda i, s: f"c{s}",
                "follow_up_days": lambda i, s: i % 2,
            },
            "times ρ = 0.5 where the control was measured on different occasions; those of repeated "
            "measurements of the same animals were taken to correlate by ρ = 0.5.",
            ("independent",),
        ),
    ],
)
def test_sampling_errors_are_told_as_they_covary(tmp_path, cells, said, unsaid):
    text = described(tmp_path, nested(8, 4, **cells)).split("\n\n")[1]
    assert said in text
    for word in unsaid:
        assert word not in text, word
    # The series stands there where ρ has a part in the model, and only there.
    assert ("results with ρ = 0.2, 0.5 and 0.8" in text) == ("ρ = 0.5" in said)


def test_a_rho_of_its_own_stands_beside_the_three(tmp_path):
    cells = {"cohort": lambda i, s: f"k{s}", "follow_up_days": lambda i, s: i % 2}
    text = described(tmp_path, nested(**cells), toml=FAMILY + "\n[model]\nrho = 0.35\n")
    assert "correlate by ρ = 0.35" in text
    assert "ρ = 0.35 instead of 0.5" in text
    assert "results with ρ = 0.2, 0.5 and 0.8" in text


def test_what_is_not_an_smd_covaries_by_what_the_control_contributes(tmp_path):
    text = described(tmp_path, nested(control_group=lambda i, s: f"c{s}"), measure="MD")
    assert "covary by what the control contributes to both variances" in text
    assert methods.CITATIONS["gleser"] not in text


def test_outcomes_are_named_where_they_differ(tmp_path):
    rows = nested(species=species) + [
        row(f"w{i}", outcome="weight", mean_treated=MEANS[i % 7], species=("mouse", "rat")[i % 2])
        for i in range(12)
    ]
    analyses, review = analysed(tmp_path, rows, toml=FAMILY + WEIGHT + SPECIES)
    text = methods.methods_text(review, analyses)
    assert "For Score, effects were pooled in a three-level" in text
    assert "For Weight, effects were pooled under a random-effects model whose between-exp" in text
    assert "For Weight, the model is one of random effects" in text
    assert "For Score, that the levels have one mean was tested by the cluster-robust Wald" in text
    assert "taken as independent" not in text
    both = nested(species=species) + nested(12, 4, "weight", species=species)
    text = described(tmp_path / "both", both, toml=FAMILY + WEIGHT + SPECIES)
    assert "For " not in text.replace("For comparison", "")
    assert "The models hold: Score, 28 effects from 14 studies (df" in text
    assert "; Weight, 48 effects from 12 studies (df = 11.0 from 12 clusters)" in text


# ------------------------------------------------------------------------------------- moderators


def test_moderators_in_the_multilevel_model(tmp_path):
    rows = nested(species=species, dose=lambda i, s: i % 5)
    toml = FAMILY + SPECIES + DOSE
    text = described(tmp_path / "both", rows, toml=toml)
    assert "the means of the levels of species and the slope of dose as a number" in text
    assert "the model is the one that the effects were pooled in, its intervals by CR2;" in (
        text.replace("The model", "the model")
    )
    assert (
        "That the levels have one mean or that the slope is 0 was tested by the cluster-robust Wald "
        "test by CR2 and the approximate Hotelling T² (HTZ)"
    ) in text
    assert "Holm" in text
    assert "τ² of its own" not in text
    for key in ("htz", "r2", "holm"):
        assert methods.CITATIONS[key] in text
    one = described(tmp_path / "one", rows, toml=toml, moderators=["dose"])
    assert "That the slope is 0 was tested" in one
    assert "levels of" not in one
    assert "Holm" not in one
    none = described(tmp_path / "none", rows, toml=toml, moderators=[])
    assert "oderator" not in none


def test_moderators_by_containment(tmp_path):
    toml = FAMILY + SPECIES + '\n[model]\ntest = "contain"\n'
    text = described(tmp_path, nested(species=species), toml=toml)
    assert "its intervals by t with containment degrees of freedom" in text
    assert "tested by F with the smallest containment degrees of freedom of the coeff" in text
    assert "HTZ" not in text


def test_moderators_of_independent_experiments(tmp_path):
    rows = [line | {"species": ("mouse", "rat")[i % 2]} for i, line in enumerate(lines(8))]
    text = described(tmp_path, rows, toml=FAMILY + SPECIES)
    assert (
        "one of random effects with one τ², its intervals by Hartung and Knapp's standard" in text
    )
    assert "tested by F with m and k − p degrees of freedom" in text
    assert methods.CITATIONS["knapp"] in text
    for word in ("HTZ", "CR2", "Holm", "subgroup"):
        assert word not in text, word


def test_what_is_not_tested_is_named_with_the_reason(tmp_path):
    toml = FAMILY + SPECIES.replace('"rat"]', '"rat", "pig"]')
    few = nested(species=lambda i, s: "pig" if s == 0 else "mouse")
    text = described(tmp_path / "few", few, toml=toml)
    assert (
        "one experiment or one study is shown but has no part in a test (species on Score, pig)"
        in text
    )
    assert (
        "No moderator was tested where the test would rest on one study or, by HTZ, on fewer "
        in text
    )
    assert "than 5 clusters or 4 degrees of freedom (species on Score, " in text
    assert "was tested by" not in text.split("\n\nFor comparison")[0]
    three = nested(species=lambda i, s: "pig" if s == 0 else species(i, s))
    text = described(tmp_path / "three", three, toml=toml)
    assert "has no part in a test (species on Score, pig)" in text
    assert "No moderator was tested" not in text
    assert "That the levels have one mean was tested" in text


def test_rows_without_a_value_are_told(tmp_path):
    rows = nested(species=lambda i, s: "" if i == 3 else species(i, s))
    text = described(tmp_path, rows, toml=FAMILY + SPECIES)
    assert "Experiments without a value of a moderator are not in its model." in text


def test_effects_that_the_sheet_turns_round_are_told(tmp_path):
    text = described(tmp_path / "all", lines(sign=-1))
    assert "4 effects (logarithms for ratios) were multiplied by −1, as the sheet says" in text
    table = [*lines(), row("x", effect=0.5, se=0.2, sign=-1)]
    for name in GROUPS:
        table[-1][name] = ""
    for measure in ("SMD", "NMD"):  # NMD is never turned, an own effect always
        toml = FAMILY.replace("range", "reference = 21\nrange")
        text = described(tmp_path / measure, table, toml=toml, measure=measure)
        assert "1 effect (logarithms for ratios) was multiplied by −1" in text
    text = described(tmp_path / "nmd", lines(sign=-1), toml=toml, measure="NMD")
    assert "multiplied" not in text and "multiplied" not in described(tmp_path / "no", lines())


def test_moderators_of_an_article_are_told_by_what_was_fitted(tmp_path):
    toml = FAMILY + SPECIES + DOSE + ARTICLE_TOML
    rows = lines(8)
    for i, line in enumerate(rows):
        line |= {"species": ("mouse", "rat")[i % 2], "dose": i % 4}
    text = described(tmp_path / "both", rows, toml=toml)
    assert "subgroup analyses of species, each level pooled by itself" in text
    assert "mixed-effects meta-regression on species against a reference level" in text
    assert "mixed-effects meta-regression on dose as a number" in text
    assert "Holm" in text
    assert "in one model" not in text
    one = described(tmp_path / "one", rows, toml=toml, moderators=["dose"])
    assert "subgroup" not in one
    assert "Holm" not in one
    common = described(tmp_path / "common", rows, toml=toml, method="EE")
    assert "τ² of its own" not in common
    assert "mixed-effects" not in common


# ------------------------------------------------------------- whose settings, and what is beside


def test_an_article_leads_with_its_own_settings(tmp_path):
    rows = nested(cohort=lambda i, s: f"k{s}", follow_up_days=lambda i, s: i % 2)
    text = described(tmp_path, rows, toml=FAMILY + ARTICLE_TOML)
    assert (
        "The settings are those of the article that this rebuilds: Doe J. J Spinal Res 2020;1:1-9, "
        "doi:10.1234/x."
    ) in text
    assert "J²(1/n₁ + 1/n₂ + d²/(2N)), Stata's default" in text
    assert "95% confidence intervals use normal quantiles" in text
    assert "Experiments of one study were taken as independent of each other." in text
    assert (
        "Results by the recommended settings (exact Hedges g with the variance at the mean" in text
    )
    assert "a multilevel model of dependent effects" in text
    assert "repeated measurements correlating by ρ = 0.2, 0.5 and 0.8) stand beside these" in text
    assert "Dependence of experiments of one study was modelled by a three-level model" in text
    assert "differ from" not in text
    chosen = described(tmp_path / "chosen", rows, toml=FAMILY + ARTICLE_TOML, interval="hksj")
    assert "differ from those of the article: interval hksj instead of z." in chosen
    assert "by the article's settings and the recommended settings" in chosen


def test_what_is_recommended_beside_an_article_is_told_by_outcome(tmp_path):
    rows = nested() + nested(3, 4, "weight")
    rows += [row(f"t{i}", outcome="third", mean_treated=MEANS[i]) for i in range(6)]
    third = WEIGHT.replace("weight", "third").replace("Weight", "Third")
    text = described(tmp_path, rows, toml=FAMILY + WEIGHT + third + ARTICLE_TOML)
    beside = text.split("Results by the recommended settings")[1].split("stand beside these")[0]
    for words in (
        "a multilevel model of dependent effects for Score and Weight [",
        "cluster-robust inference (CR2) for Score [",
        "containment degrees of freedom for Weight [",
        "Hartung and Knapp's intervals for Third [",
    ):
        assert words in beside, words
    assert "ρ" not in beside


def test_chosen_settings_are_told_from_the_recommended(tmp_path):
    text = described(tmp_path, nested(), level=0.9)
    assert (
        "Settings of this report that differ from the recommended: 90% instead of 95% intervals. "
        "Results by the recommended settings stand beside these."
    ) in text
    assert "the 90% confidence interval of the mean effect" in text
    assert "95%" not in text.split("differ from the recommended")[1].replace("95% intervals", "")


def test_rows_that_are_taken_as_independent_are_told(tmp_path):
    text = described(tmp_path, nested(), method="DL")
    assert "effects taken as independent instead of a multilevel model where needed" in text
    assert "Experiments of one study were taken as independent of each other." in text
    assert "method DL instead of REML" in text
    assert "(exact Hedges g with the variance at the mean effect" in text


RECOMMENDED_MD = Settings(measure="MD", correction="exact", variance="average",
                          interval="hksj_truncated")  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "model", "rebuilds", "found"),
    [
        (None, None, False, ""),
        (None, None, True, ""),
        (RECOMMENDED, Model(), False, ""),
        (ARTICLE, None, True, ""),
        (RECOMMENDED, Model(rho=0.2), False, "ρ = 0.2 instead of 0.5"),
        (RECOMMENDED_MD, Model(), False, "measure MD instead of SMD"),
        (
            Settings(measure="MD", variance="stata", interval="hksj_truncated"),
            Model(),
            False,
            "measure MD instead of SMD; variance by pooled SDs instead of by each group's SD",
        ),
        (
            Settings(measure="NMD", interval="hksj_truncated"),
            Model(),
            False,
            "measure NMD instead of SMD",
        ),
        (
            Settings(correction="exact", variance="metafor", interval="hksj_truncated"),
            Model(levels=("strain", "study", "exp"), min_groups=1),
            False,
            "variance metafor instead of average; levels “strain”, study and “exp” instead of study "
            "and experiment; at least 1 instead of 5 groups for a level",
        ),
        (
            RECOMMENDED,
            Model(covariance="constant", within="exp", test="contain"),
            False,
            "sampling errors with a constant correlation within “exp” instead of modelled; containment "
            "degrees of freedom instead of cluster-robust inference (CR2)",
        ),
        (ARTICLE, Model(), True, "a multilevel model instead of independent effects"),
        (
            Settings(interval="hksj", split_controls=True, level=0.9),
            None,
            True,
            "90% instead of 95% intervals; interval hksj instead of z; shared controls divided "
            "instead of counted in full",
        ),
    ],
)
def test_differences_are_those_that_have_an_effect(settings, model, rebuilds, found):
    text = differences(settings, model, rebuilds)
    if not found:
        assert text == ""
    else:
        of = "those of the article" if rebuilds else "the recommended"
        assert text == f"Settings of this report that differ from {of}: {found}."


# ------------------------------------------------------------------------------ the other parts


def test_small_study_tests_are_told_where_they_ran():
    review = load()
    of = {name: analyse(review, name) for name in ("il_1b", "il_4", "il_10", "il_1a")}
    groups = {"IL": ["il_1b"], "calming": ["il_4", "il_10"], "few": ["il_1a"]}
    tested = {
        name: small_study.of([of[one] for one in group], seed=0) for name, group in groups.items()
    }
    plain = methods.methods_text(review, of.values())
    assert "small-study" not in plain
    text = methods.methods_text(review, of.values(), tested=tested)
    assert "(IL; calming)" in text
    assert "no test for small-study effects was run (few)" in text


def test_exclusions_and_outliers_are_counted(tmp_path):
    analyses, review = analysed(tmp_path, lines(), exclude=["e1"])
    one = methods.methods_text(review, analyses, excluded=1, galbraith=["Score"])
    assert "Outliers were looked for in Galbraith plots [" in one
    assert "1 experiment was left out, each listed with its reason." in one
    more = methods.methods_text(review, analyses, excluded=3, without_effect=2)
    assert "3 experiments were left out" in more
    assert "2 experiments had no effect by these settings" in more
    assert "Galbraith" not in more


def test_the_three_level_model_stands_beside(tmp_path):
    text = described(tmp_path / "few", nested(3)).split("\n\nFor comparison")[1]
    assert "three-level model of exact Hedges g with the variance 1/n₁ + 1/n₂ + g²/(2N)" in text
    assert "with too few studies for CR2 it is by normal quantiles" in text
    assert "sampling covariances" not in text
    cells = {"control_group": lambda i, s: f"c{s}", "follow_up_days": lambda i, s: 7 * (i % 2)}
    text = described(tmp_path / "many", nested(**cells)).split("\n\nFor comparison")[1]
    assert "its inference is cluster-robust (CR2)" in text
    assert "modelled where animals are shared" in text
    assert "correlate by ρ = 0.5" in text


def test_intervals_are_told_by_their_level_and_kind(tmp_path):
    text = described(tmp_path, lines(), level=0.9, interval="hksj", prediction="z")
    assert "90% confidence intervals use the method of Hartung" in text
    assert "95%" not in text.replace("95% intervals", "")
    assert methods.CITATIONS["riley"] not in text
    assert methods.CITATIONS["hksj"] in text
    assert "prediction intervals" not in described(tmp_path / "two", lines(2))
    single = described(tmp_path / "one", lines(1), interval="hksj")
    assert "nothing was pooled" in single
    assert "Hartung" not in single
    assert "random-effects" not in single
    assert "differ from" not in single
