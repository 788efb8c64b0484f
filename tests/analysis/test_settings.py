"""Parameters: what a value means, whoever sets it, and what is refused with which advice."""

import inspect
import json
import re
from dataclasses import asdict, fields, replace

import nbformat
import numpy as np
import pandas as pd
import papermill.cli
import pytest
from click.testing import CliRunner
from own_review import FAMILY, SPECIES, row, write

from helpers import Overview, Report
from helpers.analysis.outcome import analyse
from helpers.analysis.settings import (
    NAMES,
    RECOMMENDED,
    WORDS,
    Settings,
    as_meant,
    chosen_ids,
    of_review,
)
from helpers.problems import Refused
from helpers.render.parameters import Parameter, declared, read_value
from helpers.report.group import Group
from helpers.report.outcome import Outcome
from helpers.review.description import PROJECT
from helpers.review.review import load
from helpers.writing import MIME

WELCOME = PROJECT / "notebooks" / "welcome.ipynb"  # is no report
NOTEBOOKS = sorted({*(PROJECT / "notebooks").glob("*.ipynb")} - {WELCOME})
TWO = FAMILY + FAMILY.split("\n\n")[1].replace('"score"', '"speed"').replace("[[", "\n[[")
DOSE = '\n[[moderators]]\nid = "dose"\nlabel = "Dose"\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Experiments called 1, 2, 12, ... as running numbers are, on two outcomes."""
    table = [
        row(str(i), outcome="score" if i < 13 else "speed", mean_treated=11 + i % 5 / 2,
            study=f"s{i // 2}", species="mouse" if i % 2 else "rat", dose=i)
        for i in range(1, 19)
    ]  # fmt: skip
    return write(tmp_path_factory.mktemp("review"), table, toml=TWO + SPECIES + DOSE)


@pytest.fixture(scope="module")
def report(folder):
    return Report("movement", review=folder, outcomes=["score"])


# --- Settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("measure", "smd", "SMD"),
        ("measure", np.str_("Rom"), "ROM"),
        ("method", " reml ", "REML"),
        ("interval", "HKSJ", "hksj"),
        ("correction", "Exact", "exact"),
        ("level", "0.9", 0.9),
        ("level", np.float64(0.9), 0.9),
        ("split_controls", "false", False),
        ("split_controls", "False", False),
        ("split_controls", "TRUE", True),
        ("split_controls", np.bool_(True), True),
    ],
)
def test_one_meaning_whoever_sets_it(name, given, meant):
    found = getattr(Settings(**{name: given}), name)
    assert found == meant and type(found) is type(meant)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("measure", "SMDD", "Did you mean 'SMD'?"),
        ("measure", 3, "measure is one of SMD"),
        ("measure", ["SMD"], "measure is one of SMD"),
        ("measure", "", "Known are SMD, GLASS"),
        ("method", "RMEL", "Did you mean 'REML'?"),
        ("interval", "hk", "interval is one of"),
        ("interval", True, "interval is one of"),
        ("level", 95, "Did you mean 0.95?"),
        ("level", "95%", "Did you mean 0.95?"),
        ("level", "0,95", "Did you mean 0.95?"),
        ("level", 0.05, "Did you mean 0.95?"),
        ("level", 0, "from 0.5 to below 1 is due"),
        ("level", 1, "from 0.5 to below 1 is due"),
        ("level", 1.0, "from 0.5 to below 1 is due"),
        ("level", -0.95, "from 0.5 to below 1 is due"),
        ("level", float("nan"), "from 0.5 to below 1 is due"),
        ("level", "nan", "from 0.5 to below 1 is due"),
        ("level", True, "this is a truth value"),
        ("level", [0.95], "this is a list"),
        ("level", "high", "a number"),
        ("split_controls", "no", "True or False is due"),
        ("split_controls", 1, "True or False is due, and this is a number"),
        ("split_controls", "", "True or False is due"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_due(name, given, says):
    with pytest.raises(Refused) as refusal:
        Settings(**{name: given})
    assert says in str(refusal.value) and name in str(refusal.value)


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_nothing_said_is_the_usual(name):
    assert Settings(**{name: None}) == Settings()
    assert of_review({}, rebuilds=False, parameters={name: None}) == (None, None)


def test_all_faults_of_settings_come_at_once():
    with pytest.raises(Refused, match=r"(?s)measure.*method.*level = 95"):
        Settings(measure="SND", method="RMEL", level=95)


@pytest.mark.parametrize("variance", WORDS["variance"])
def test_a_variance_belongs_to_its_measure(variance):
    of_nmd = variance in ("delta", "conventional")
    assert Settings(measure="nmd", variance=variance).variance == (variance if of_nmd else "delta")
    if of_nmd:
        with pytest.raises(Refused, match="is a formula of NMD, but the measure is ROM"):
            Settings(measure="rom", variance=variance)
    else:
        assert Settings(variance=variance.upper()).variance == variance


def test_presets_are_what_the_method_says_and_take_another_measure():
    assert asdict(RECOMMENDED) == {
        "measure": "SMD", "correction": "exact", "variance": "average", "method": "REML",
        "interval": "hksj_truncated", "prediction": "riley", "level": 0.95, "split_controls": False,
    }  # fmt: skip
    assert replace(RECOMMENDED, measure="NMD").variance == "delta"


@pytest.mark.parametrize(
    ("given", "meant"), [("7", 7), (7.0, 7), (np.int64(7), 7), (2**70, 2**70), (0, 0)]
)
def test_a_seed_is_a_whole_number(given, meant):
    assert as_meant("seed", given) == meant and type(as_meant("seed", given)) is int


@pytest.mark.parametrize(
    "given",
    [-1, 1.5, "1.5", "many", "", True, None, [1], float("nan"), "inf", "1_000", 10**400, "9" * 400],
)
def test_a_seed_that_is_none_is_refused(given):
    with pytest.raises(Refused, match=r"seed = .*: a whole number of at least 0 is due"):
        as_meant("seed", given)


@pytest.mark.parametrize("given", [3, True, ["a"], 0.5])
def test_a_review_is_a_folder(given):
    with pytest.raises(Refused, match=r"review = .*the folder of a review"):
        Overview(review=given)


# --- Ids -------------------------------------------------------------------------------------

KNOWN = ["1", "2", "12", "012", "E1", "a, b", "3.0", "4", "4.0", "1e3", "NO"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("12", ["12"]),
        (12, ["12"]),
        (12.0, ["12"]),
        (3.0, ["3.0"]),  # as the sheet writes it
        ([12, "E1"], ["12", "E1"]),
        ("012", ["012"]),
        ("[12, 012]", ["12", "012"]),  # no octal number
        ('["12", "E1"]', ["12", "E1"]),
        ("[1e3, NO]", ["1e3", "NO"]),
        ("1, 2", ["1", "2"]),
        ("a, b", ["a, b"]),  # an id may hold a comma
        (("1", "2"), ["1", "2"]),
        ({"2", "1"}, ["1", "2"]),
        (np.array([1, 2]), ["1", "2"]),
        (np.int64(12), ["12"]),
        (pd.Series([1.0, 2.0]), ["1", "2"]),
        (pd.Index(["1"]), ["1"]),
        (["1", "1", 1], ["1"]),
        ([], []),
        ("[]", []),
        ("", []),
        (None, []),
        ("None", []),
    ],
)
def test_ids_are_text_as_it_stands_in_the_sheet(given, meant):
    assert chosen_ids("exclude", given, KNOWN) == meant


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("13", "no such experiment to exclude: 13. Did you mean"),
        (["e1"], "Did you mean 'E1'?"),  # ids keep their case
        ([4.0], "may be '4' or '4.0'"),
        (True, "an id or a list of ids is due, and this is a truth value"),
        ([True], "this is a truth value"),
        ([["1"]], "this is a list"),
        ([None], "this is nothing"),
        ([float("nan")], "this is a number"),
        ({"1": 2}, "this is a table"),
        ("{a: 1}", "a list such as"),
        ("[1, 2", "not closed"),
        ("1; 2", "no such experiment to exclude: 1; 2"),
    ],
)
def test_what_is_no_id_is_refused(given, says):
    with pytest.raises(Refused) as refusal:
        chosen_ids("exclude", given, KNOWN)
    assert says in str(refusal.value)


def test_a_text_of_two_meanings_is_refused():
    with pytest.raises(Refused, match=r'may be one id or 2. Write \["a, b"\] or \["a", "b"\]'):
        chosen_ids("exclude", "a, b", ["a", "b", "a, b"])


def test_nothing_selected_is_no_report():
    with pytest.raises(Refused, match=r"selects nothing\. None is all of the family"):
        chosen_ids("outcomes", [], ["x"])
    assert chosen_ids("outcomes", None, ["x"]) is None
    assert chosen_ids("moderators", [], ["x"]) == []  # looks at none


def test_ids_that_a_workbook_keeps_as_numbers_are_text_without_a_point(tmp_path):
    folder = write(tmp_path, [], file="sheet.xlsx", toml=FAMILY)
    table = [row(float(i), mean_treated=11 + i) for i in range(1, 4)] + [row("012")]
    pd.DataFrame(table).to_excel(folder / "sheet.xlsx", index=False)
    review = load(folder)
    assert list(review.experiments.index) == ["1", "2", "3", "012"]
    assert list(analyse(review, "score", exclude=[2.0]).excluded.index) == ["2"]


# --- Whoever calls ---------------------------------------------------------------------------


def test_a_hand_in_jupyterlab(folder):
    made = Report("movement", review=folder, outcomes="score", exclude=12, measure="smd", seed="3")
    assert list(made.analyses["score"].excluded.index) == ["12"]
    assert made.parameters["outcomes"] == ["score"] and made.parameters["seed"] == 3
    assert made.parameters["exclude"] == ["12"] and made.parameters["measure"] == "SMD"
    json.dumps(made.content, allow_nan=False)


def test_a_report_says_all_faults_of_its_parameters_at_once(folder):
    words = r"(?s)level = 95.*outcomes: .*Did you mean 'score'.*moderators: .*exclude: "
    with pytest.raises(Refused, match=words):
        Report("movement", review=folder, level=95, outcomes="scor", moderators="x", exclude=99)
    with pytest.raises(Refused, match=r"no parameter 'metod'\. Did you mean 'method'"):
        Report("movement", review=folder, metod="DL")


# Ways to write the parameters of the README's table as text, and what they mean.
TEXTS = [
    ("measure", "md", "MD"),
    ("variance", "metafor", "metafor"),
    ("method", "DL", "DL"),
    ("level", "0.9", 0.9),
    ("split_controls", "false", False),
    ("outcomes", "score", ["score"]),
    ("moderators", "[species]", ["species"]),
    ("exclude", "12", ["12"]),
    ("where", '{"species": "rat"}', {"species": ["rat"]}),
    ("seed", "5", 5),
]


def test_the_same_parameters_on_the_command_line_and_in_papermill(folder, tmp_path):
    """README: a change of the first cell, `-p` of `helpers render`, and Papermill are the same."""
    path = PROJECT / "notebooks" / "family.ipynb"
    notebook = nbformat.read(path, as_version=4)
    known = declared(notebook.cells, path)
    by_line = {name: read_value(text, known[name]) for name, text, _ in TEXTS}
    # What Papermill makes of `-r NAME TEXT`, of `-p NAME TEXT`, and of `-y`.
    raw = {name: text for name, text, _ in TEXTS}
    guessed = {name: papermill.cli._resolve_type(text) for name, text in raw.items()}
    typed = {name: value for name, _, value in TEXTS}
    common = {"family": "movement", "review": str(folder)}
    reports = [Report(**common, **given).parameters for given in (raw, guessed, by_line, typed)]
    for parameters in reports:
        assert {name: parameters[name] for name in typed} == typed

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [code[0], code[1], code[-1]]  # parameters, report, results
    nbformat.write(notebook, tmp_path / "in.ipynb")
    arguments = [str(tmp_path / name) for name in ("in.ipynb", "out.ipynb")]
    for place, (name, text) in enumerate((raw | common).items()):
        option = ("-p", "-r", "-y")[place % 3]
        arguments += [option, f"{name}: {text}"] if option == "-y" else [option, name, text]
    arguments += ["--cwd", str(PROJECT), "--no-progress-bar"]
    ran = CliRunner().invoke(papermill.cli.papermill, arguments)
    assert ran.exit_code == 0, ran.output
    (results,) = [
        output.data[MIME]["results"]
        for output in nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs
        if MIME in output.get("data", {})
    ]
    assert {name: results["parameters"][name] for name in typed} == typed
    assert [row["experiment"] for row in results["outcomes"]["score"]["excluded"]] == ["12"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_comments_of_the_parameters_list_the_legal_words(path):
    cells = nbformat.read(path, as_version=4).cells
    source = next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    lines = dict(line.split(" = ", 1) for line in source.splitlines() if " = " in line)
    assert set(lines) - set(NAMES) <= {"review", "family"}
    for name in set(lines) & set(WORDS):
        default, comment = lines[name].split("  # ")
        title = comment.split(": ")[0] + ": " if ": " in comment.split(";")[0] else ""
        listed = re.split(r", | or |; NMD: ", comment.removeprefix(title))
        assert sorted(listed) == sorted(WORDS[name]), name
        assert default == "None"  # as the review says
    assert path.stem == "overview" or set(NAMES) <= set(lines)


def test_the_readme_lists_the_parameters_and_their_words():
    text = (PROJECT / "README.md").read_text("utf-8").split("| parameter | what it sets |")[1]
    table = dict(re.findall(r"^\| (`.+?`) \| (.+) \|$", text.split("\n\n")[0], re.MULTILINE))
    named = [name for key in table for name in re.findall(r"\w+", key)]
    assert sorted(named) == sorted([*NAMES, "review"])
    for name, words in WORDS.items():
        cells = [cell for key, cell in table.items() if f"`{name}`" in key]
        assert set(words) <= set(re.findall(r"\w+", " ".join(cells))), name


# --- Names that do not exist -----------------------------------------------------------------

OF_OUTCOME = [
    "forest", "heterogeneity", "result", "moderators", "levels", "regressions", "presets", "excluded",
    "published", "together", "galbraith", "funnel", "influence", "small_study",
    "small_study_tests", "doleman", "explained", "diagnosis", "show", "specifications", "planning",
    "cumulative", "publication_bias",
]  # fmt: skip
OF_GROUP = ["forest", "small_study", "small_study_tests", "doleman", "diagnosis"]


def methods_of(class_):
    """Public methods with the names of what each is given."""
    return {
        name: list(inspect.signature(method).parameters)[1:]
        for name, method in vars(class_).items()
        if not name.startswith("_") and inspect.isfunction(method)
    }


def test_every_method_that_takes_a_name_or_belongs_to_one_is_tried_here():
    taking = {
        (class_.__name__, name): given
        for class_ in (Report, Overview, Outcome, Group)
        for name, given in methods_of(class_).items()
        if given
    }
    assert taking == {
        ("Report", "outcome"): ["id", "where"],
        ("Report", "group"): ["outcomes", "label", "name"],
        ("Report", "explore"): ["outcomes"],
        ("Report", "section"): ["title", "parts", "intro", "level", "folded"],
        ("Overview", "section"): ["title", "parts", "intro", "level", "folded"],
        ("Outcome", "forest"): ["by", "groups", "sort", "rows", "ax"],
        ("Group", "forest"): ["groups", "sort", "rows"],
        ("Outcome", "bubble"): ["moderator"],
        ("Outcome", "explained"): ["moderators"],
        ("Outcome", "diagnosis"): ["tests"],
        ("Outcome", "show"): ["forest", "tests"],
        ("Outcome", "specifications"): ["most"],
    }
    assert methods_of(Outcome).keys() == {*OF_OUTCOME, "bubble", "sections", "explore"}
    assert methods_of(Group).keys() == set(OF_GROUP)


def test_an_outcome_that_does_not_exist_is_refused(report):
    with pytest.raises(Refused, match=r"no outcome .*'scor'. Did you mean 'score'\?"):
        report.outcome("scor")
    with pytest.raises(Refused, match=r"no such outcome: scor\. Did you mean 'score'"):
        report.explore("scor")


@pytest.mark.parametrize("method", OF_OUTCOME)
def test_an_outcome_that_was_not_selected_shows_nothing(report, method):
    assert report.analyses.get("speed") is None
    shown = getattr(report.outcome("speed"), method)()
    assert shown is None or "not selected" in shown.text
    # Nothing was printed, one moderator has levels, equal control groups leave nothing to test, no
    # year is known, and the review asks for no regression.
    nothing = {
        "published", "together", "small_study_tests", "doleman", "cumulative", "regressions"
    }  # fmt: skip
    assert (getattr(report.outcome("score"), method)() is None) == (method in nothing)


def test_an_outcome_of_a_group_that_does_not_exist_is_refused(report):
    with pytest.raises(Refused, match=r"no such outcome: sped. Did you mean 'speed'\?"):
        report.group(["score", "sped"], "Both")


@pytest.mark.parametrize("method", OF_GROUP)
def test_a_group_of_which_nothing_was_selected_shows_nothing(report, method):
    shown = getattr(report.group("speed", "Fast ones"), method)()
    assert shown is None or "was selected" in shown.text
    assert report.group(["speed", "score"], "Both").forest().name == "both-forest"


def test_a_group_bears_a_name_of_its_own(report):
    assert report.group(["score", "speed"], "Both of them").name == "both-of-them"
    assert report.group(["score", "speed"], "Both", name="pair").forest().name == "pair-forest"
    with pytest.raises(Refused, match="may not be called 'score'"):
        report.group(["score", "speed"], "Score")


def test_a_moderator_that_does_not_exist_is_refused(report):
    for call in (
        lambda: report.outcome("speed").bubble("specis"),
        lambda: report.outcome("speed").forest(by="specis"),
        lambda: report.outcome("score").bubble("specis"),
        lambda: report.outcome("score").explained("specis"),
        lambda: report.outcome("score").forest(by="specis"),
    ):
        with pytest.raises(Refused, match=r"no moderator 'specis'. Did you mean 'species'\?"):
            call()
    with pytest.raises(Refused, match="dose is a number"):
        report.outcome("score").forest(by="dose")
    for one in (report.outcome("score"), report.group(["score", "speed"], "Both")):
        with pytest.raises(Refused, match="specis"):
            one.forest(sort="specis")


def test_a_moderator_that_was_not_selected_shows_nothing(folder):
    report = Report("movement", review=folder, moderators=["dose"])
    assert report.outcome("score").bubble("species") is None
    assert "Not selected" in report.outcome("score").forest(by="species").text


def test_names_are_refused_below_the_reports_too(folder):
    review = load(folder)
    for call in (
        lambda: analyse(review, "scor"),
        lambda: review.rows("scor"),
        lambda: review.part(["scor"]),
    ):
        with pytest.raises(Refused, match="Did you mean 'score'"):
            call()
    with pytest.raises(Refused, match="Did you mean 'species'"):
        analyse(review, "score", moderators=["specis"])
    with pytest.raises(Refused, match="Did you mean 'movement'"):
        Report("Movment", review=folder)


def test_of_many_names_the_nearest_is_said_and_not_all(folder):
    with pytest.raises(Refused) as refusal:
        chosen_ids("exclude", "zzz", [f"e{i}" for i in range(5000)])
    assert len(str(refusal.value)) < 500 and "more" in str(refusal.value)


# --- Rows left out before effects are computed -------------------------------------------------


def undefined(folder, **extra):
    """The mean of c turns below 0: no log ratio of means exists for it."""
    table = [row("a"), row("b", mean_treated=11), row("c", mean_treated=-1), row("d")]
    return write(folder, table, toml=FAMILY.replace("[0, 21]", "[-9, 21]"), **extra)


@pytest.mark.parametrize("by_file", [True, False])
def test_a_row_without_an_effect_can_be_left_out(tmp_path, by_file):
    listed = {"exclusions": [{"experiment": "c", "reason": "turned", "by": "me"}]}
    folder = undefined(tmp_path, **(listed if by_file else {}))
    exclude = [] if by_file else ["c"]
    report = Report("movement", review=folder, measure="ROM", exclude=exclude)
    analysis = report.analyses["score"]
    # log(12.5/9.25), log(11/9.25)
    expected = [0.301105, 0.173272, 0.301105]
    assert analysis.effects["effect"].tolist() == pytest.approx(expected, abs=1e-6)
    assert analysis.left_out["effect"].isna().tolist() == [True]
    assert analysis.with_excluded.estimate == analysis.chosen.estimate
    assert report.results().data["results"]["outcomes"]["score"]["excluded"][0]["effect"] is None
    score = report.outcome("score")
    for show in (score.excluded, score.galbraith, score.forest, score.influence):
        assert "nan" not in show().text.lower()
    for show in (report.glance, report.alerts, report.methods, report.script):
        assert show() is not None


def test_a_row_with_an_effect_is_pooled_with_the_excluded(tmp_path):
    folder = undefined(tmp_path)
    analysis = analyse(load(folder), "score", chosen=Settings(measure="ROM"), exclude=["c", "b"])
    assert analysis.left_out["effect"].notna().tolist() == [True, False]
    assert analysis.with_excluded.k == 3 and analysis.chosen.k == 2


def test_parameters_of_other_notebooks_keep_their_own_types():
    own = Parameter("colour", "red", ("str",), ("red", "blue"))
    assert read_value("red", own) == "red"
    with pytest.raises(Refused, match="Did you mean 'blue'"):
        read_value("blu", own)


@pytest.mark.parametrize("given", [10**400, [10**400], -(10**400), float("inf")])
def test_a_number_of_hundreds_of_digits_is_no_id(given):
    with pytest.raises(Refused, match="an id, which is a text, is due"):
        chosen_ids("exclude", given, ["1", "2"])
