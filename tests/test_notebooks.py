"""The notebooks: how they are written, and what they compute when they run whole."""

import ast
import io
import json
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest

from helpers.page.document import COLLAPSED
from helpers.review.description import PROJECT, describe
from helpers.stats import moderators, pooling, small_study
from helpers.stats.effects import effect_sizes
from helpers.stats.multilevel import multilevel
from helpers.words.numbers import number
from helpers.writing import MIME, leaves

REVIEW = PROJECT / "data" / "sci_exosomes"
DESCRIPTION = describe(REVIEW)
FAMILIES = list(DESCRIPTION.families)
PATHS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
LINES = 12  # of a code cell; the parameters are a list and may be longer
WELCOME = PROJECT / "notebooks" / "welcome.ipynb"
SHELL = re.compile(r"^!.*$", re.MULTILINE)  # a line for the command line, in the welcome notebook

# Headings of level 2 that every family's report has, before and after its markers.
BEFORE = ["Background", "What was measured"]
AFTER = ["Methods"]
# What is shown of every outcome, and from how many experiments on.
SHOWN = {
    "paragraph-{}-result": 1,
    "paragraph-{}-heterogeneity": 1,
    "figure-{}-galbraith": 3,
    "figure-{}-funnel": 3,
    "figure-{}-influence": 10,
    "table-{}-presets": 1,
    "table-{}-published": 1,
}
# Figures in which the article shows several markers.
GROUPS = {
    "neural-regeneration": ["beta_tubulin_iii", "neun", "nf200", "gap_43", "nissl"],
    "apoptosis-markers": ["bax", "bcl_2", "caspase_1", "caspase_3"],
    "microglia-markers": ["arg1", "cd206", "cd68", "iba_1"],
    "anti-inflammatory": ["il_10", "il_4"],
    "pro-inflammatory": ["il_18", "il_1a", "il_6", "mcp_1", "nlrp3"],
}


def read(path):
    return nbformat.read(path, as_version=4)


def tags(cell):
    return cell.metadata.get("tags", [])


def sections(cells):
    """Cells under each heading of level 2, the title's own under None."""
    found, heading = {None: []}, None
    for cell in cells:
        if match := re.match(r"## (.+)", cell.source):
            heading = match[1]
            assert heading not in found
            found[heading] = []
        found[heading].append(cell)
    return found


# --- How they are written --------------------------------------------------------------------

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
each_family = pytest.mark.parametrize("family", FAMILIES)


@each_notebook
def test_notebook_is_stored_without_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
        assert set(cell.metadata) <= {"tags", COLLAPSED}
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))


@each_notebook
def test_first_code_cell_holds_the_parameters(path):
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell for cell in code if "parameters" in tags(cell)] == code[:1]
    lines = code[0].source.splitlines()
    assert "review" in {line.split(" = ")[0] for line in lines}
    for line in lines:
        if line.startswith("# None is as the review says"):
            continue
        assert re.fullmatch(r"\w+ = .+  # \w.+", line), f"no comment: {line}"
        ast.literal_eval(ast.parse(line).body[0].value)


@each_notebook
def test_code_is_calls_in_short_cells(path):
    unwanted = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.comprehension,
                ast.If, ast.Try)  # fmt: skip
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= LINES or "parameters" in tags(cell)
            found = [
                node
                for node in ast.walk(ast.parse(SHELL.sub("...", cell.source)))
                if isinstance(node, unwanted)
            ]
            assert not found, cell.source


@each_notebook
def test_headings_are_ordered(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    levels = [len(match) for match in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1 and max(levels) <= 3
    assert all(b <= a + 1 for a, b in pairwise(levels))


@each_notebook
def test_no_number_or_verdict_is_typed_by_hand(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            words = re.findall(r"\d\.\d|\bp [=<>]|\d ?%|\bsignifican\w+|(?<!\w)[−-]\d", cell.source)
            assert not words, cell.source


@each_family
def test_family_has_the_common_skeleton(family):
    cells = read(PROJECT / "notebooks" / f"{family}.ipynb").cells
    headings = [heading for heading in sections(cells) if heading]
    assert headings[:2] == BEFORE and headings[-1:] == AFTER
    folded = [cell.source.splitlines()[0][3:] for cell in cells if cell.metadata.get(COLLAPSED)]
    assert folded == BEFORE
    assert cells[0].source.startswith(f"# {DESCRIPTION.families[family].label}\n")
    calls = [cell.source for cell in cells if cell.cell_type == "code"]
    assert f'Report(\n    "{family}",' in calls[1]
    assert calls[1].endswith("report.head()")
    first = ("glance", "findings", "summary", "abbreviations", "alerts")
    assert calls[2:7] == [f"report.{name}()" for name in first]
    assert calls[-3] == "report.methods()" and calls[-1] == "report.results()"
    for name in ("sheet", "not_used", "provenance", "script"):
        assert f"report.{name}()" in calls[-2]
    assert "folded=True" in calls[-2]


@each_family
def test_every_parameter_reaches_the_report(family):
    code = [c.source for c in read(PROJECT / "notebooks" / f"{family}.ipynb").cells
            if c.cell_type == "code"]  # fmt: skip
    declared = {node.targets[0].id for node in ast.parse(code[0]).body}
    call = next(node for node in ast.walk(ast.parse(code[1])) if isinstance(node, ast.Call))
    assert {word.arg: word.value.id for word in call.keywords} == {name: name for name in declared}


@each_family
def test_every_outcome_has_a_section_of_its_own(family):
    cells = read(PROJECT / "notebooks" / f"{family}.ipynb").cells
    found = sections(cells)
    outcomes = DESCRIPTION.families[family].outcomes
    for outcome in outcomes:
        section = found[DESCRIPTION.outcomes[outcome].label]
        assert len(section[0].source) > 80, "a section begins with words about its marker"
        code = [cell.source for cell in section if cell.cell_type == "code"]
        # Other outcomes' cells may be dropped, so each section makes its own outcome, first of all.
        made = f'report.outcome("{outcome}")'
        assert code[0].startswith((f"{outcome} = {made}\n", f"{made}.show("))
        for cell in section:
            assert tags(cell) == [f"outcome-{outcome}"]
        assert all(outcome in source for source in code)
        assert sum(made in source for source in code) == 1
    tagged = {tag for cell in cells for tag in tags(cell) if tag.startswith("outcome-")}
    assert tagged == {f"outcome-{outcome}" for outcome in outcomes}


@each_family
def test_grouped_figures_go_with_the_last_of_their_outcomes(family):
    groups = {}
    for cell in read(PROJECT / "notebooks" / f"{family}.ipynb").cells:
        if "report.group" in cell.source:
            made = ast.parse(cell.source).body[0]
            group = [f"outcome-{o}" for o in ast.literal_eval(made.value.args[0])]
            groups[made.targets[0].id] = group
            assert tags(cell) == group
        elif cell.cell_type == "code" and (name := cell.source.split(".")[0]) in groups:
            assert tags(cell) == groups[name]


@each_family
def test_links_lead_to_figures_of_the_notebook(family):
    text = (PROJECT / "notebooks" / f"{family}.ipynb").read_text(encoding="utf-8")
    drawn = {name for name in GROUPS if f'name=\\"{name}\\"' in text}
    assert set(re.findall(r"\(#figure-([\w-]+)-forest\)", text)) == drawn


# --- What they compute -----------------------------------------------------------------------


def execute(family, **parameters):
    """Run a notebook's cells in this process, where warnings are errors; what they show."""
    names, shown = {}, []
    for cell in read(PROJECT / "notebooks" / f"{family}.ipynb").cells:
        if cell.cell_type == "code":
            *statements, last = ast.parse(cell.source).body
            if not isinstance(last, ast.Expr):
                statements.append(last)
            exec(compile(ast.Module(statements, []), "cell", "exec"), names)
            if isinstance(last, ast.Expr):
                shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), names))
        if "parameters" in tags(cell):
            names |= parameters
    return collect([block._repr_mimebundle_() for block in shown if block is not None])


def collect(bundles):
    """Blocks by name, and the results among them."""
    shown = {}
    for data in bundles:
        for note in leaves(data[MIME]):
            name = f"{note['kind']}-{note['name']}"
            assert name not in shown, "one name is shown twice"
            shown[name] = {"text": data["text/plain"]} | note
    (results,) = [note["results"] for note in shown.values() if "results" in note]
    return shown, results


@pytest.fixture(scope="module", params=FAMILIES)
def run(request):
    """One family under default parameters."""
    return request.param, *execute(request.param)


@pytest.fixture(scope="module")
def sheet():
    """The sheet without its exclusions, read without the project's own reader."""
    rows = pd.read_csv(REVIEW / "experiments.csv", dtype={"control_group": str})
    left_out = pd.read_csv(REVIEW / "exclusions.csv")["experiment"]
    return rows[~rows["experiment"].isin(left_out)].set_index("experiment", drop=False)


def smd(rows):
    return effect_sizes(rows, measure="SMD", correction="approximate", variance="stata")


def recommended(rows):
    """The recommended result by hand: multilevel where rows depend, else Hartung-Knapp floored."""
    found = effect_sizes(rows, correction="exact", variance="average")
    control = rows["control_group"].fillna(rows["experiment"])
    if not (rows["study"].duplicated().any() or control.duplicated().any()):
        return pooling.pool(found["effect"], variance=found["variance"], interval="hksj_truncated")
    n1, n2 = (rows[name].to_numpy(float) for name in ("n_treated", "n_control"))
    g, m, one = np.average(found["effect"], weights=n1 + n2), n1 + n2 - 2, control.to_numpy()
    shared = 1 / n2 + g**2 * (n2 - 1) / (2 * np.outer(m, m))
    covariance = np.where(one[:, None] == one, shared, 0.0)
    np.fill_diagonal(covariance, found["variance"])
    return multilevel(
        found["effect"],
        covariance=covariance,
        levels={"study": rows["study"], "experiment": None},
        study=rows["study"],
    )


def same(found, expected, names=("k", "estimate", "se", "ci_low", "ci_high", "tau2", "i2", "h2",
                                 "q", "p_effect", "p_heterogeneity", "pi_low", "pi_high"),
         rel=1e-9):  # fmt: skip
    for name in names:
        value = expected[name] if isinstance(expected, dict) else getattr(expected, name)
        close = pytest.approx(value, rel=rel, abs=1e-12) if np.isfinite(value) else None
        assert found[name] == close, name


def test_pooled_results_are_those_of_the_sheet(run, sheet):
    family, _, results = run
    assert list(results["outcomes"]) == list(DESCRIPTION.families[family].outcomes)
    for outcome, found in results["outcomes"].items():
        rows = sheet[sheet["outcome"] == outcome]
        effects = smd(rows)
        expected = pooling.pool(effects["effect"], variance=effects["variance"])
        same(found["article"], expected)
        same(found["chosen"], expected)
        expected = recommended(rows)
        names = ("k", "estimate", "se", "ci_low", "ci_high", "p_effect", "pi_low", "pi_high")
        same(found["recommended"], expected, names, rel=1e-6)


def test_subgroups_and_coefficients_are_those_of_the_sheet(run, sheet):
    _, _, results = run
    for outcome, found in results["outcomes"].items():
        rows = sheet[sheet["outcome"] == outcome]
        effects, levels = smd(rows), [row for row in found["subgroups"] if row["pooled"]]
        for row in levels:
            own = effects[rows[row["moderator"]] == row["level"]]
            same(row, pooling.pool(own["effect"], variance=own["variance"]))
        reported = [name for name in DESCRIPTION.moderators if rows[name].notna().any()]
        assert {row["moderator"] for row in found["subgroups"]} == set(reported)
        for name in found["models"]:
            expected = moderators.meta_regression(
                effects["effect"],
                variance=effects["variance"],
                moderators=rows[[name]],
                reference=found["models"][name]["reference"],
            ).coefficients
            for row in found["meta_regression"]:
                if row["moderator"] == name:
                    term = expected[expected["level"] == row["level"]].iloc[0]
                    same(row, term.to_dict(), ("coef", "se", "ci_low", "ci_high", "p"))


def test_exclusions_are_listed_with_their_reasons(run):
    listed = pd.read_csv(REVIEW / "exclusions.csv").set_index("experiment")
    _, shown, results = run
    for outcome, found in results["outcomes"].items():
        for row in found["excluded"]:
            assert row["reason"] == listed.loc[row["experiment"], "reason"]
            assert row["experiment"] in shown[f"table-{outcome}-excluded"]["csv"]
        if not found["excluded"]:
            assert f"paragraph-{outcome}-excluded" in shown


def test_every_outcome_shows_its_figures_tables_and_words(run, sheet):
    _, shown, results = run
    grouped = {outcome: name for name, outcomes in GROUPS.items() for outcome in outcomes}
    for outcome, found in results["outcomes"].items():
        rows = sheet[sheet["outcome"] == outcome]
        due = {name.format(outcome) for name, least in SHOWN.items() if len(rows) >= least}
        assert due <= set(shown)
        assert (f"table-{outcome}-moderators" in shown) == bool(found["subgroups"])
        forest = shown[f"figure-{grouped.get(outcome, outcome)}-forest"]
        assert all(name in forest["csv"] for name in rows["experiment"])
        best = found["chosen"]
        numbers = [number(best[name]) for name in ("estimate", "ci_low", "ci_high")]
        words = "SMD {} (95% CI {} to {})".format(*numbers)
        assert words in shown[f"paragraph-{outcome}-result"]["text"]
        cell = "{} [{}, {}]".format(*numbers)  # the measure stands in the heading
        assert cell in shown[f"table-{outcome}-presets"]["text"]
    kinds = [note["kind"] for note in shown.values()]
    assert {"head", "glance", "alerts", "facts", "download"} <= set(kinds)


def test_papermill_carries_parameters_through(sheet, tmp_path):
    rows = sheet[sheet["outcome"] == "iba_1"]
    first = rows["experiment"].iloc[0]
    parameters = {"method": "DL", "outcomes": ["iba_1", "cd68"], "exclude": [first], "level": 0.9}
    out = papermill.execute_notebook(
        PROJECT / "notebooks" / "microglia.ipynb",
        tmp_path / "out.ipynb",
        parameters=parameters,
        kernel_name="python3",
        progress_bar=False,
        cwd=tmp_path,  # no notebook leans on the current folder
    )
    outputs = [output for cell in out.cells for output in cell.get("outputs", [])]
    assert {output.output_type for output in outputs} == {"execute_result"}
    shown, results = collect([output.data for output in outputs if MIME in output.data])
    assert set(results["outcomes"]) == {"iba_1", "cd68"}
    assert {name for name in shown if re.search("arg1|cd206", name)} == {
        "paragraph-arg1-not-shown",
        "paragraph-cd206-not-shown",
    }
    found = results["outcomes"]["iba_1"]
    effects = smd(rows.iloc[1:])
    y, w = effects["effect"].to_numpy(), 1 / effects["variance"].to_numpy()
    q = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
    tau2 = max(0, (q - len(y) + 1) / (w.sum() - (w**2).sum() / w.sum()))
    v = 1 / w + tau2
    estimate, half = (y / v).sum() / (1 / v).sum(), 1.6448536269514722 / (1 / v).sum() ** 0.5
    expected = {"k": len(y), "q": q, "tau2": tau2, "estimate": estimate}
    expected |= {"ci_low": estimate - half, "ci_high": estimate + half}
    same(found["chosen"], expected, expected)
    article = pooling.pool(effects["effect"], variance=effects["variance"])
    same(found["article"], article)
    assert [row["experiment"] for row in found["excluded"]] == [first]
    assert "parameter" in found["excluded"][0]["by"]
    assert "DerSimonian" in shown["paragraph-methods"]["text"]
    assert "90%" in shown["paragraph-methods"]["text"]


def test_small_study_effects_are_tested_as_the_article_grouped_the_markers(run, sheet):
    family, shown, _ = run
    for _, row in pd.read_csv(REVIEW / "published_bias.csv", dtype=str).iterrows():
        outcomes = row["outcome_ids"].split()
        if DESCRIPTION.outcomes[outcomes[0]].family != family:
            continue
        (name,) = [
            name for name, group in GROUPS.items() if set(group) == set(outcomes)
        ] or outcomes
        words = shown[f"paragraph-{name}-small-study"]["text"]
        assert f"The article prints p = {row['p']}" in words
        rows = sheet[sheet["outcome"].isin(outcomes)]
        table = shown.get(f"table-{name}-small-study")
        assert (table is None) == (len(rows) < 10)
        if table is None:
            continue
        toward = [-1 if DESCRIPTION.outcomes[o].better == "lower" else 1 for o in rows["outcome"]]
        effects = smd(rows)
        n1, n2 = rows["n_treated"], rows["n_control"]
        expected = small_study.pustejovsky(effects["effect"] * toward, n_treated=n1, n_control=n2)
        computed = pd.read_csv(io.StringIO(table["csv"])).set_index("test")
        assert computed.loc[expected.test, "p"] == pytest.approx(expected.p, rel=1e-9)
        assert len(shown[f"figure-{name}-doleman"]["csv"].splitlines()) == len(rows) + 1


def test_results_are_plain_json(run):
    family, _, results = run
    assert results["family"] == family
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert results["parameters"]["method"] == "REML"
    assert not Path(results["review"]).is_absolute()


def test_few_experiments_or_none_are_told_and_not_refused(sheet, tmp_path):
    rows = [sheet[sheet["outcome"] == outcome].head(k)
            for outcome, k in {"arg1": 1, "cd206": 2, "cd68": 3}.items()]  # fmt: skip
    pd.concat(rows).to_csv(tmp_path / "experiments.csv", index=False)
    (tmp_path / "review.toml").write_bytes((REVIEW / "review.toml").read_bytes())
    shown, results = execute("microglia", review=str(tmp_path))
    assert {name: found["chosen"]["k"] for name, found in results["outcomes"].items()} == {
        "arg1": 1,
        "cd206": 2,
        "cd68": 3,
    }
    assert [found["chosen"]["pooled"] for found in results["outcomes"].values()] == [0, 1, 1]
    only = smd(rows[0])["effect"].iloc[0]
    assert results["outcomes"]["arg1"]["chosen"]["estimate"] == pytest.approx(only, rel=1e-9)
    assert "nothing is pooled" in shown["paragraph-arg1-result"]["text"]
    assert "figure-cd68-galbraith" in shown and "figure-cd206-galbraith" not in shown
    assert "no row of Iba-1" in shown["alerts-alerts"]["text"]


# --- The welcome notebook --------------------------------------------------------------------


@pytest.fixture(scope="module")
def welcome(tmp_path_factory):
    """The welcome notebook run from top to bottom into a folder; what each cell showed, by id."""
    folder = tmp_path_factory.mktemp("wel come")
    out = papermill.execute_notebook(
        WELCOME,
        folder / "out.ipynb",
        parameters={"folder": str(folder)},
        kernel_name="python3",
        progress_bar=False,
        cwd=folder,
    )
    shown = {}
    for cell in out.cells:
        outputs = cell.get("outputs", [])
        texts = [output.get("text") or output["data"].get("text/plain", "") for output in outputs]
        shown[cell.id] = "".join(texts)
        assert not [o for o in outputs if o.output_type == "error"], cell.source
    return folder, shown


def test_welcome_shows_the_report_and_the_changed_setting(welcome, sheet):
    _, shown = welcome
    rows = sheet[sheet["outcome"] == "locomotion"]
    for cell, kept, interval in (("report", rows, "z"),
                                 ("rats", rows[rows["species"] == "Rat"], "hksj")):  # fmt: skip
        effects = smd(kept)
        best = pooling.pool(effects["effect"], variance=effects["variance"], interval=interval)
        said = "{} [{}, {}]".format(*map(number, (best.estimate, best.ci_low, best.ci_high)))
        assert said in shown[cell], cell
    assert "Species: Rat" in shown["rats"] and "Species" not in shown["report"]
    assert "SMD" in shown["result"] and "Forest plot" in shown["forest"]


def test_welcome_saves_what_it_shows(welcome):
    folder, _ = welcome
    assert (folder / "rats.pdf").read_bytes().startswith(b"%PDF")
    assert len(pd.read_excel(folder / "rats.xlsx", sheet_name="Data")) == 1


def test_welcome_makes_a_review_of_its_sheet_and_answers_all_that_is_asked(welcome):
    folder, shown = welcome
    for open_question in ("sheet.shared_controls", "families.outcomes.walking_score.better"):
        assert open_question in shown["made"]
        assert re.search(rf"{re.escape(open_question)} = .*confirmed", shown["answered"])
    assert "no fault\nno warning" in shown["checked"].replace("\r", "")
    assert "not yet confirmed" not in shown["checked"]
    made = describe(folder / "walking")
    assert made.evidence["kind"] == "simulated" and not made.unconfirmed


def test_welcome_renders_the_sheet_that_it_wrote(welcome):
    folder, shown = welcome
    page = (folder / "reports" / "outcomes.html").read_text("utf-8")
    assert "Invented rows: no evidence about anything." in page
    results = json.loads((folder / "reports" / "outcomes.json").read_bytes())
    best = results["outcomes"]["walking_score"]["leading"]
    assert best["k"] == len(pd.read_csv(folder / "sheet.csv")) == 8
    assert "{} [{}, {}]".format(
        *(number(best[name]) for name in ("estimate", "ci_low", "ci_high"))
    ) in re.sub(r"<[^>]*>", "", page)  # fmt: skip
    assert "0 failed" in shown["rendered"]
    assert (
        shown["link"].strip().endswith("index.html") and (folder / "reports/index.html").is_file()
    )


def test_welcome_is_no_report_and_touches_no_data(welcome):
    from helpers.render.jobs import plan

    jobs = plan(DESCRIPTION)
    assert WELCOME not in [job.notebook for job in jobs]
    folder, _ = welcome
    assert {path.name for path in folder.iterdir()} == {
        "out.ipynb", "rats.pdf", "rats.xlsx", "reports", "sheet.csv", "walking",
    }  # fmt: skip
