"""Methods text: only what was done, and only its citations."""

import re

import pytest
from own_review import FAMILY, SPECIES, row, write

from helpers import Report
from helpers.words import methods

GROUPS = [f"{name}_{arm}" for name in ("n", "mean", "sd") for arm in ("treated", "control")]


def described(folder, rows, *, body="", toml=FAMILY, show=(), **settings):
    """The methods section of a made-up review, after some of its exhibits were shown."""
    report = Report("movement", review=write(folder, rows, body, toml=toml), **settings)
    for name in show:
        getattr(report.outcome("score"), name)()
    return report.methods().text


def lines(k=4, **cells):
    return [row(f"e{i}", mean_treated=11 + i * 0.9, **cells) for i in range(k)]


def test_every_citation_is_used_and_every_key_is_cited(tmp_path):
    text = described(tmp_path, lines(12), show=["galbraith"])
    body, *listed = re.split(r"\n\n\[(?=\d)", text)
    used = [int(n) for n in re.findall(r"\[(\d+)\]", body)]
    assert used and set(used) == set(range(1, len(listed) + 1))
    assert not re.findall(r"\[[a-z]\w*\]|\[[A-Z]+\]", body)


def test_a_plain_review_is_told_nothing_that_was_not_done(tmp_path):
    text = described(tmp_path, lines())
    assert "The outcome is Score." in text
    for word in ("oderator", "Holm", "three-level", "CR2", "Galbraith", "small-study", "article",
                 "converted", "ρ", "reconstruct"):  # fmt: skip
        assert word not in text, word
    assert "No experiment was left out" in text
    assert "does not say which treated groups share a control group" in text


@pytest.mark.parametrize(
    ("groups", "split", "words"),
    [
        (["a", "a", "b", "c"], False, "counted in full"),
        (["a", "a", "b", "c"], True, "was divided among them"),
        (["a", "b", "c", "d"], True, "No control group is shared"),
        (["", "", "", ""], True, "does not say which"),
    ],
)
def test_controls_are_told_as_the_sheet_has_them(tmp_path, groups, split, words):
    rows = lines()
    for line, group in zip(rows, groups, strict=True):
        line |= {"control_group": group, "follow_up_days": 28}
        line["study"] = f"s-{group or line['experiment']}"
    assert words in described(tmp_path, rows, split_controls=split)


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
        {"experiment": f"e{i}", "study": f"s{i}", "outcome": "score", "effect": 0.2 * i, "se": 0.3}
        for i in range(4)
    ]
    text = described(tmp_path, own)
    assert "as the sheet gives them with their standard errors" in text
    for word in ("Hedges", "J²", "small samples", "SD"):
        assert word not in text, word


def test_effects_that_the_sheet_turns_round_are_told(tmp_path):
    text = described(tmp_path / "all", lines(sign=-1), show=["galbraith"])
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


def test_moderators_are_told_by_what_was_fitted(tmp_path):
    toml = FAMILY + SPECIES + '\n[[moderators]]\nid = "dose"\nlabel = "Dose"\n'
    rows = lines(8)
    for i, line in enumerate(rows):
        line |= {"species": ("mouse", "rat")[i % 2], "dose": i % 4}
    text = described(tmp_path, rows, toml=toml)
    assert "subgroup analyses of species, each level pooled by itself" in text
    assert "mixed-effects meta-regression on species against a reference level" in text
    assert "mixed-effects meta-regression on dose as a number" in text
    assert "Holm" in text
    one = described(tmp_path, rows, toml=toml, moderators=["dose"])
    assert "subgroup" not in one
    assert "Holm" not in one
    common = described(tmp_path, rows, toml=toml, method="EE")
    assert "τ² of its own" not in common
    assert "mixed-effects" not in common


def test_small_study_tests_are_told_where_they_ran():
    report = Report("inflammation")
    assert "small-study" not in report.methods().text
    report.outcome("il_1b").small_study()
    report.group(["il_4", "il_10"], "Calming").small_study()
    report.outcome("il_1a").small_study()
    text = report.methods().text
    names = [
        " and ".join(report.analyses[name].outcome.label for name in group)
        for group in (["il_4", "il_10"], ["il_1a"])
    ]
    assert f"({report.analyses['il_1b'].outcome.label}; {names[0]})" in text
    assert f"no test for small-study effects was run ({names[1]})" in text


def test_exclusions_are_those_of_the_tables():
    report = Report("inflammation")
    excluded = sum(len(analysis.excluded) for analysis in report.analyses.values())
    assert f"{excluded} experiments were left out" in report.methods().text
    assert f"{excluded} excluded" in report.glance().text
    alone = Report("inflammation", outcomes=["il_1b"])
    assert "1 experiment was left out" in alone.methods().text


def test_dependence_is_told_where_it_was_modelled(tmp_path):
    rows = lines(6)
    for i, line in enumerate(rows):
        line["study"] = f"s{i // 2}"
    text = described(tmp_path, rows)
    assert "three-level model" in text
    assert "CR2" not in text.replace("too few studies for CR2", "")
    assert "sampling covariances" not in text
    many = lines(14)
    for i, line in enumerate(many):
        line |= {
            "study": f"s{i // 2}",
            "control_group": f"c{i // 2}",
            "follow_up_days": 7 * (i % 2),
        }
    text = described(tmp_path / "many", many)
    assert "cluster-robust (CR2)" in text
    assert "modelled where animals are shared" in text
    assert "correlate by ρ = 0.5" in text


def test_intervals_are_told_by_their_level_and_kind(tmp_path):
    text = described(tmp_path, lines(), level=0.9, interval="hksj", prediction="z")
    assert "90% confidence intervals use the method of Hartung" in text
    assert "95%" not in text
    assert methods.CITATIONS["riley"] not in text
    assert methods.CITATIONS["hksj"] in text
    assert "prediction intervals" not in described(tmp_path / "two", lines(2))
    single = described(tmp_path / "one", lines(1), interval="hksj")
    assert "nothing was pooled" in single
    assert "Hartung" not in single
    assert "random-effects" not in single
