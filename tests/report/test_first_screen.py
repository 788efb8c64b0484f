"""What a reader meets first: who, what, when, settings, findings; and nothing that has no content."""

import io
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from own_review import FAMILY, SPECIES, row, rows, write

from helpers import Overview, Report
from helpers.page.document import COLLAPSED
from helpers.render.reviews import REPORTS, folder_of
from helpers.review.check import check
from helpers.review.description import PROJECT, describe

TWO = (
    FAMILY
    + """
[[families.outcomes]]
id = "cavity"
label = "Cavity"
range = [0, 100]
better = "lower"
"""
)


def on_top(folder, text):
    """Put entries above all tables of a review's description."""
    path = folder / "review.toml"
    path.write_text(text + path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def csv(block):
    return pd.read_csv(io.StringIO(block.data["csv"]))


def two(folder):
    table = rows(4) + [
        line | {"experiment": f"c{i}", "outcome": "cavity", "mean_treated": 5 + i}
        for i, line in enumerate(rows(4))
    ]
    return write(folder, table, toml=TWO + SPECIES.replace('"mouse", "rat"', '"mouse", "rat"'))


def test_the_head_says_who_what_and_when_as_the_review_has_it(tmp_path):
    folder = on_top(
        write(tmp_path / "r", rows(4)),
        'authors = ["A. Doe", "B. Roe"]\ndate = 2026-03-01\nquestion = "Does it help?"\n'
        'citation = "Doe A. J 2026. doi:10.1234/x"\n',
    )
    report = Report("movement", review=folder)
    head = report.head()
    for words in ("Review: Made up", "Authors: A. Doe and B. Roe", "Date: 2026-03-01",
                  "Source: Doe A. J 2026. doi:10.1234/x"):  # fmt: skip
        assert words in head.text, words
    assert "Does it help?" in report.title().html and "<h1>Movement</h1>" in report.title().html
    assert '<a href="overview.html">Overview</a>' in head.html and "movement.html" not in head.html
    cited = re.search(r'class="copy">(.*?)</div>', head.html)[1]
    assert "A. Doe and B. Roe. Made up: movement [meta-analysis report]. 2026-03-01." in cited
    assert report.review.digest()[:12] in cited


def test_a_review_that_says_little_has_a_short_head(tmp_path):
    head = Report("movement", review=write(tmp_path / "r", rows(4))).head()
    for word in ("Authors", "Date", "Source", "Rebuilds", "mark"):
        assert word not in head.html


@pytest.mark.parametrize(("options", "marked"), [
    ({}, []),
    ({"method": "DL"}, ["random effects (DL)"]),
    ({"level": 0.9}, ["90% intervals"]),
    ({"interval": "hksj", "variance": "revman"},
     ["variance as in RevMan, approximate small-sample correction", "Hartung-Knapp intervals"]),
])  # fmt: skip
def test_settings_that_differ_from_the_default_are_marked(options, marked):
    html = Report("microglia", **options).head().html
    assert re.findall(r"<mark[^>]*>(.*?)</mark>", html) == marked
    assert ("the article&#39;s settings" in html) == (not options)


def test_findings_are_those_of_the_results_and_lead_to_the_sections(tmp_path):
    report = Report("movement", review=two(tmp_path))
    block = report.findings()
    found = csv(block).set_index("outcome")
    for name, analysis in report.analyses.items():
        assert found.loc[name, "estimate"] == pytest.approx(analysis.leading.estimate, rel=1e-12)
        assert found.loc[name, "k"] == 4 and f'href="#outcome-{name}"' in block.html
    # Animals by hand: four experiments of 8 and 6.
    assert found.loc["score", "animals"] == 56
    cells = re.findall(r"<td[^>]*>([^<]*)", block.html)
    assert "56" in cells and "lower" in cells


def test_the_probability_below_no_effect_follows_from_the_prediction_distribution(tmp_path):
    from scipy.stats import t

    report = Report("movement", review=write(tmp_path, [
        row(f"e{i}", mean_treated=m) for i, m in enumerate((8, 9, 11, 14))
    ]))  # fmt: skip
    (found,) = csv(report.findings()).itertuples()
    result = report.analyses["score"].leading
    half, df = (result.pi_high - result.pi_low) / 2, result.k - 2
    expected = t.cdf(-result.estimate / (half / t.isf(0.025, df)), df)
    assert found.probability_below_no_effect == pytest.approx(expected, rel=1e-6)


def test_a_single_outcome_needs_no_figure_of_all(tmp_path):
    assert Report("movement", review=write(tmp_path / "a", rows(4))).summary() is None
    shown = Report("movement", review=two(tmp_path / "b")).summary()
    assert "turned so that benefit lies to the right" in shown.text


def test_abbreviations_are_those_that_the_rows_use(tmp_path):
    text = 'BMS = "Basso Mouse Scale"\nmouse = "not one"\nunused = "never"\n'
    table = [line | {"species": "mouse"} for line in rows(4)]
    folder = write(tmp_path, table, toml=FAMILY.replace('"Score"', '"Score (BMS)"') + SPECIES
                   + f"[abbreviations]\n{text}")  # fmt: skip
    shown = Report("movement", review=folder).abbreviations().text
    assert "BMS, Basso Mouse Scale" in shown and "mouse, not one" in shown
    assert "SMD, standardised mean difference" in shown and "never" not in shown


def test_changes_since_the_previous_version_are_shown_where_the_review_names_it(tmp_path):
    write(tmp_path / "old", rows(4))
    later = [line | {"mean_treated": line["mean_treated"] + 5} for line in rows(4)] + [row("new")]
    new = on_top(write(tmp_path / "new", later), 'previous = "../old"\n')
    for report in (Report("movement", review=new), Overview(new)):
        shown = report.changes()
        assert "1 experiment added and 4 experiments changed" in shown.text
        assert "k 4" in shown.text and "k 5" in shown.text
        table = csv(replace(shown, data=shown.data["parts"][0]))
        before = Report("movement", review=tmp_path / "old").analyses["score"].leading
        assert table["estimate_old"].iloc[0] == pytest.approx(before.estimate, rel=1e-12)
    assert Report("movement", review=tmp_path / "old").changes() is None


def test_a_previous_version_that_is_not_there_is_a_fault(tmp_path):
    folder = on_top(write(tmp_path, rows(4)), 'previous = "../gone"\n')
    assert "no review.toml in this folder" in str(check(folder))


def everything(report, notebook):
    """All that a notebook's cells show of a report, as HTML."""
    cells = nbformat.read(PROJECT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    calls = [c.source for c in cells if c.cell_type == "code" and c.source.startswith("report.")]
    shown = [eval(call, {"report": report}) for call in calls if "outcome_sections" not in call]
    if isinstance(report, Report):
        shown += [report.outcome(name).show() for name in report.analyses]
    return "".join(block.html for block in shown if block is not None)


def test_an_own_review_bears_nothing_of_an_article(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.analysis.small_study.REPLICATES", (100, 100))
    folder = two(tmp_path)
    for report, notebook in ((Report("movement", review=folder), "family"),
                             (Overview(folder), "overview")):  # fmt: skip
        html = everything(report, notebook)
        words = re.sub(r"<a download[^>]*>|<[^>]*>", " ", html)
        for word in (
            r"[Aa]rticle", r"[Rr]econstruct", r"\b[Pp]ublished", r"\b[Pp]rinted", "Questions to",
            "Search", "Included studies",
        ):  # fmt: skip
            assert not re.search(word, words), (notebook, word)
        assert not re.search(r"Risk of bias</h\d", html), "a domain of the certainty, no section"


def test_reports_of_another_review_have_a_folder_of_their_own(tmp_path):
    assert folder_of(describe()) == REPORTS
    other = describe(on_top(write(tmp_path / "stroke", rows(3)), 'id = "stroke: 2024/../x"\n'))
    assert folder_of(other).parent == REPORTS and folder_of(other) != REPORTS
    assert Path(folder_of(other)).name == "stroke-2024-..-x"


def test_the_notebooks_fold_what_a_reader_need_not_read_first():
    notebooks = PROJECT / "notebooks"
    for path in {*notebooks.glob("*.ipynb")} - {notebooks / "welcome.ipynb"}:  # no report
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells)
        assert re.search(r'"Provenance"[^#]*folded=True', code), path.stem
        assert all(cell.cell_type == "markdown" for cell in cells if cell.metadata.get(COLLAPSED))


def test_the_index_says_who_asks_what(tmp_path):
    from helpers.render.index import index_page

    folder = on_top(write(tmp_path / "r", rows(3)), 'authors = ["A. Doe"]\nquestion = "Well?"\n')
    html, _ = index_page(tmp_path / "out", describe(folder), {})
    assert "<p>Well?</p><p>A. Doe</p>" in html and "ublished" not in re.sub(
        "(?s)<style.*?</style>|<script.*", "", html
    )


def test_questions_to_the_authors_come_first_and_in_words():
    overview = Overview()
    shown, summary = overview.audit(), overview.audit_summary()
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)', shown.html)
    assert heads[:2] == ["Question", "Grade"]
    cells = {cell for cell in re.findall(r"<td[^>]*>([^<]*)</td>", shown.html)}
    assert not [cell for cell in cells if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", cell)]
    assert "TNF-α" in cells and "Species" in cells
    assert "Levels add up to the total" in summary.html and "level_count" not in summary.text
    assert "nan" not in cells
    assert "tnf_a" in shown.data["csv"]  # the data keep the ids


def test_no_two_parts_of_a_page_have_one_identifier():
    html = everything(Overview(), "overview")
    marks = re.findall(r' id="([^"]*)"', html)
    assert len(marks) == len(set(marks))
    slugs = {re.sub(r"\W+", "-", t.lower()).strip("-") for t in re.findall(r"<h\d>(.*?)</h", html)}
    assert not slugs & set(marks)  # which the page gives to the headings themselves


def test_turned_effects_are_told_by_the_animals_values_and_no_column_is_dashes(tmp_path):
    turned = [row(f"e{i}", sign=-1, mean_treated=5 + i) for i in range(3)]
    shown = Report("movement", review=write(tmp_path / "t", turned)).findings().html
    assert ">lower<" in shown and ">higher<" not in shown  # positive effects are lower scores
    own = [{"experiment": f"e{i}", "study": f"s{i}", "outcome": "score", "effect": 0.2 + i / 9,
            "se": 0.2} for i in range(3)]  # fmt: skip
    folder = write(tmp_path / "o", own, 'effect_name = "log ratio of median survival"')
    report = Report("movement", review=folder)
    assert "Animals" not in report.findings().html
    assert "log ratios of median survival of treated" in report.methods().text


def test_links_to_other_reports_say_where_they_lead(tmp_path):
    head = Report("movement", review=write(tmp_path / "r", rows(4))).head()
    assert head.html.count("in the same folder") == 1
