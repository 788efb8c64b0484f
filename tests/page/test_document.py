import base64
import copy
import hashlib
import html as entities
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import page_sample
import pytest
from page_sample import Parser

from helpers.page import assets, blocks, document
from helpers.page.index import index as write_index

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def notebook():
    return page_sample.notebook()


@pytest.fixture(scope="module")
def html(notebook):
    return document.export(notebook)


@pytest.fixture(scope="module")
def parsed(html):
    return Parser(html)


def of(*cells):
    return document.export(nbformat.v4.new_notebook(cells=list(cells)))


def text(source, **metadata):
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def shown(bundle):
    cell = nbformat.v4.new_code_cell("show()")
    cell.outputs = [nbformat.v4.new_output("display_data", bundle)]
    return cell


# --- The document ----------------------------------------------------------------------------


def test_document_has_language_title_and_landmarks(html, parsed):
    assert html.startswith("<!DOCTYPE html>")
    assert parsed.of("html") == [{"lang": "en"}]
    assert "<title>Exosomes and locomotion</title>" in html
    assert len(parsed.of("main")) == len(parsed.of("nav")) == 1
    assert parsed.of("nav")[0]["aria-label"] == "Contents"


def test_language_and_title_can_be_set(notebook):
    html = document.export(notebook, title="A & B", language="de")
    assert '<html lang="de">' in html
    assert "<title>A &amp; B</title>" in html


def test_identifiers_are_unique_and_links_lead_to_them(parsed):
    marks = [a["id"] for _, a in parsed.elements if "id" in a]
    assert len(marks) == len(set(marks))
    inside = [a["href"][1:] for a in parsed.of("a") if a["href"].startswith("#")]
    assert len(inside) > 10
    assert set(inside) <= set(marks)


def test_no_external_address(parsed):
    for tag, attributes in parsed.elements:
        for key in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(key)
            followed = ("https://doi.org/", "overview.html")  # by a person's click
            if value and not (tag == "a" and value.startswith(followed)):
                assert value.startswith(("#", "data:")), (tag, key, value[:80])
    for asset in ("report.css", "report.js"):
        assert not re.search(r"https?:|@import|url\(", assets.asset(asset))


def test_no_slot_is_left(html):
    assert "<!--slot" not in html


def test_size_is_small(html):
    assert len(html.encode()) < 150_000


# --- Policy ----------------------------------------------------------------------------------


def policy_of(html):
    (content,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    return dict(rule.strip().split(" ", 1) for rule in content.split(";"))


def test_policy_allows_the_own_script_and_no_connection(html):
    rules = policy_of(html)
    assert rules["default-src"] == rules["connect-src"] == "'none'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_policy_stands_before_everything_it_governs(html):
    assert html.index("Content-Security-Policy") < html.index("<style")


def test_inline_styles_are_allowed_only_where_a_notebook_brings_them(html):
    foreign = of(text("# T"), shown({"text/html": '<p style="color:red">x</p>'}))
    assert policy_of(foreign)["style-src"] == "'unsafe-inline'"
    assert "unsafe" not in str(policy_of(html))
    assert "unsafe" not in policy_of(foreign)["script-src"]


# --- Headings and contents -------------------------------------------------------------------


def headings(html):
    return [
        (int(level), mark, re.sub("<[^>]*>", "", words))
        for level, mark, words in re.findall(r'<h([1-6]) id="([^"]*)">(.*?)</h\1>', html)
    ]


def test_one_title_and_ordered_headings(html):
    levels = [level for level, _, _ in headings(html)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))


def test_crooked_headings_are_straightened():
    html = of(text("# A\n\n#### B\n\n# C\n\n## A"))
    assert [(level, mark) for level, mark, _ in headings(html)] == [
        (1, "a"),
        (2, "b"),
        (2, "c"),
        (2, "a-2"),
    ]


def test_page_without_a_title_gets_one():
    notebook = nbformat.v4.new_notebook(cells=[text("## Part")])
    assert headings(document.export(notebook, title="Name"))[0] == (1, "name", "Name")
    assert headings(document.export(notebook))[0][2] == "Report"


def test_title_comes_first_though_parameters_stand_before_it(html):
    assert html.index("<h1") < html.index("Parameters of this report")


def test_contents_list_sections_and_their_parts(html):
    nav = re.search(r"<nav.*?</nav>", html, re.DOTALL)[0]
    Parser(nav)
    assert re.findall(r'href="#([^"]*)">([^<]*)<', nav) == [
        ("results-2", "Results"),
        ("all-experiments", "All experiments"),
        ("moderators", "Moderators"),
        ("small-study-effects", "Small-study effects"),
        ("data", "Data"),
        ("methods", "Methods"),
        ("provenance", "Provenance"),
    ]
    assert nav.count("<ol>") == 2


@pytest.mark.parametrize("levels", ["2", "23", "232", "2332", "3", "24", "2343"])
def test_contents_are_balanced(levels):
    html = of(text("# T"), *(text(f"{'#' * int(n)} S{i}") for i, n in enumerate(levels)))
    nav = Parser(re.search(r"<nav.*?</nav>", html, re.DOTALL)[0])
    assert len(nav.of("li")) == len(nav.of("a"))


def test_strange_headings_are_escaped():
    html = of(text("# T"), text("## a < b & `c`"))
    assert '<a href="#a-b-c">a &lt; b &amp; c</a>' in html


def test_every_section_can_be_linked(html):
    marks = re.findall(r'<a aria-label="Link to this section" class="anchor" href="#([^"]*)"', html)
    marks = marks or re.findall(r'<a class="anchor" href="#([^"]*)" aria-label="Link', html)
    folded = re.findall(r'<summary><h\d id="([^"]*)"', html)
    assert folded == ["small-study-effects", "methods"]
    assert marks == [m for level, m, _ in headings(html) if level > 1 and m not in folded]


def test_first_cell_of_an_outcome_can_be_linked():
    cells = [text("## GFAP", tags=["outcome-gfap"]), text("more", tags=["outcome-gfap"])]
    both = text("of both", tags=["outcome-gfap", "outcome-nf200"])
    html = of(text("# T"), both, *cells)
    assert html.count('id="outcome-gfap"') == 1
    assert re.search(r'<div class="prose" id="outcome-gfap"><h2', html)
    assert "outcome-nf200" not in html


def test_links_that_lead_nowhere_are_words():
    found = [{"severity": "note", "text": "x", "href": "#figure-none", "link": "Look"}]
    html = of(text("# T"), shown(blocks.alerts(found)._repr_mimebundle_()))
    assert "x Look</li>" in html
    assert "figure-none" not in html


def test_headings_from_code_are_listed_with_the_others():
    block = blocks.heading("GFAP & more", level=2, name="outcome-gfap")
    html = of(text("# T"), text("## A"), shown(block._repr_mimebundle_()), text("### B"))
    assert re.search(r'<div id="outcome-gfap"><h2 id="gfap-more">GFAP &amp; more<a', html)
    nav = re.search(r"<nav.*?</nav>", html, re.DOTALL)[0]
    assert re.findall(r'href="#([^"]*)"', nav) == ["a", "gfap-more", "b"]


# --- Cells -----------------------------------------------------------------------------------


def test_code_stands_beside_its_output_behind_one_switch(html, parsed):
    assert html.count('<div class="code">') == 11
    assert html.count("Parameters of this report") == 1
    (switch,) = [a for a in parsed.of("input") if a.get("id") == "show-code"]
    assert switch["type"] == "checkbox" and "checked" not in switch
    assert ".code { display: none;" in html


def test_what_is_collapsed_in_jupyterlab_is_folded_here():
    cell = text("## Background\n\nA *blow*.\n\n- one", **{document.COLLAPSED: True})
    html = of(text("# T"), cell, text("## Next"))
    fold = re.search(
        r'<details class="fold prose"><summary>(.*?)</summary>(.*?)</details>', html, re.S
    )
    assert fold[1].strip() == '<h2 id="background">Background</h2>'
    assert "<em>blow</em>" in fold[2] and "<li>one</li>" in fold[2]
    assert '<a href="#background">Background</a>' in html


def test_cells_for_jupyterlab_alone_are_left_out():
    assert "notebook" not in of(text("# T"), text("Of the notebook", tags=["remove-cell"]))


def test_hidden_code_is_not_shown():
    cell = nbformat.v4.new_code_cell("secret()", metadata={"tags": ["hide-code"]})
    assert "secret" not in of(text("# T"), cell)


def test_blocks_go_through_untouched(html):
    for name, block in page_sample.blocks_of_a_report().items():
        for part in re.split(r"<h2>.*?</h2>", block.html):  # headings get their identifiers
            assert part in html, name


def test_results_are_data_and_not_shown(html):
    data = re.findall(r'<script id="results" type="application/json">(.*?)</script>', html)
    data = data or re.findall(r'<script type="application/json" id="results">(.*?)</script>', html)
    content = json.loads(data[0])
    assert content == {
        "k": 72,
        "estimate": 2.05,
        "p": None,
        "note": f"</script>{page_sample.STRANGE}",
    }
    assert "Results as JSON" not in html


def test_messages_of_the_code_become_alerts(html):
    assert "gave a message:<pre>careful &lt;script&gt;" in html
    assert "<pre>hello &lt;script&gt;" in html


def test_failures_of_the_code_become_alerts():
    cell = nbformat.v4.new_code_cell("1/0")
    cell.outputs = [
        nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="<i>", traceback=["<i>"])
    ]
    html = of(text("# T"), cell)
    assert '<li class="error"><b>Error</b>' in html
    assert "ZeroDivisionError" in html
    assert "<i>" not in html


def test_other_outputs_are_shown_but_bring_no_code():
    html = of(
        text("# T"),
        shown({"text/plain": "<Figure size 1x1>"}),
        shown({"text/markdown": "**bold**"}),
        shown({"image/png": "iVBORw0KGgo="}),
        shown({"application/javascript": "alert(7)"}),
    )
    assert "<pre>&lt;Figure size 1x1&gt;</pre>" in html
    assert "<strong>bold</strong>" in html
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in html
    assert html.count('alt="No description was given"') == 1
    assert "alert(7)" not in html


def test_slots_cannot_be_forged():
    mark = "<!--slot:js-->"
    html = of(text("# T"), shown(blocks.paragraph(mark)._repr_mimebundle_()))
    assert entities.escape(mark, quote=False) in html
    assert html.count(assets.asset("report.js")) == 1


# --- Same input, same bytes ------------------------------------------------------------------


def test_export_leaves_the_notebook_alone_and_repeats_its_bytes(notebook, html):
    before = copy.deepcopy(notebook)
    assert document.export(notebook) == html
    assert notebook == before


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_surroundings(tmp_path):
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
        "import hashlib, page_sample; from helpers.page.document import export\n"
        "from helpers.page.index import index\n"
        "html = export(page_sample.notebook()) + index(page_sample.entries(), title='T')\n"
        "print(hashlib.sha256(html.encode()).hexdigest())"
    )
    digests = set()
    for seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Tokyo", "C.UTF-8")):
        surroundings = {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | surroundings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


# --- The index -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index():
    return write_index(page_sample.entries(), title="R & D", lead="Three reports.")


def rows(index):
    body = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", index, re.DOTALL)
    return [[entities.unescape(re.sub("<[^>]*>", "", c)) for c in row.split("</t")] for row in body]


def test_index_is_a_closed_page_too(index):
    parsed = Parser(index)
    assert len(parsed.of("h1")) == 1
    assert policy_of(index)["connect-src"] == "'none'"
    assert "unsafe" not in str(policy_of(index))
    assert "<title>R &amp; D</title>" in index


def test_index_shows_computed_and_published_numbers(index):
    first, second, third = ([cell.split(">", 1)[-1].strip() for cell in row] for row in rows(index))
    assert first[:2] == ["Locomotion (BBB or BMS)", "72"]
    assert first[3:6] == ["2.31 [1.95,\xa02.66]", "2.31 [1.95,\xa02.66]", "higher"]
    assert second[3:6] == ["−2.75 [−3.69,\xa0−1.80]", "–", "lower"]
    assert third[4] == "–"


def test_index_links_to_the_section_of_each_outcome(index):
    assert re.findall(r'href="([^"#]+#[^"]*)"', index) == [
        "locomotion.html#locomotion-bbb-or-bms",
        "histology.html#outcome-cavity_size",
        "histology.html#outcome-gfap",
    ]


def test_index_draws_both_intervals(index):
    drawings = re.findall(r'<svg class="interval( hollow)?" width="100%"', index)
    assert drawings == [" hollow", "", "", ""]


def test_failed_report_is_shown_as_failed_with_its_message(index):
    section = re.search(r'<section class="family" id="apoptosis".*?</section>', index, re.DOTALL)[0]
    assert "FAILED" in section
    assert "no outcome is called &#39;bax2&#39; &lt;b&gt;" in section
    assert "Apoptosis (FAILED)" in index
    assert "last good report" not in section


def test_last_good_report_of_a_failed_one_is_offered():
    entry = page_sample.entries()[0] | {"status": "FAILED", "message": "cell 3: no such level"}
    html = write_index([entry], title="T")
    assert '<a href="locomotion.html">The last good report</a>' in html
    assert "FAILED" in html


def test_index_counts_reports_by_their_state(index):
    words = " ".join(
        re.sub("<[^>]*>", "", re.search(r'<p class="state">.*?</p>', index, re.DOTALL)[0]).split()
    )
    assert words == "3 reports on 3 outcomes: 2 rendered, 1 FAILED"


def test_report_that_repeats_the_others_is_only_linked():
    entries = page_sample.entries()
    every = [one for entry in entries for one in entry["outcomes"]]
    overview = entries[0] | {"family": "overview", "label": "Overview", "outcomes": every}
    html = write_index([overview | {"href": "overview.html"}, *entries], title="T")
    assert html.count("#outcome-gfap") == 1
    assert '<a href="overview.html">Overview</a>' in html
    assert "All outcomes side by side" in html


def test_an_outcome_without_a_section_leads_to_the_page():
    entry = page_sample.entries()[0]
    outcomes = [one | {"anchor": None} for one in entry["outcomes"]]
    html = write_index([entry | {"outcomes": outcomes}], title="T")
    assert f'<th scope="row"><a href="{entry["href"]}">' in html


def test_the_index_says_the_level_of_its_intervals():
    entries = page_sample.entries()
    assert "Computed: SMD [95% CI]" in write_index(entries, title="T")
    html = write_index([entries[0] | {"level": 0.9}, *entries[1:]], title="T")
    assert "Computed: SMD [90% CI]" in html
    assert "Computed: SMD [95% CI]" in html
    assert "Published [95% CI]" in html
