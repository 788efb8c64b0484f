"""What of a page goes on paper, under which heading."""

import pytest

from helpers.word.parts import sections

pytest.importorskip("bs4")

PAGE = """<!DOCTYPE html><body><nav><h2>Contents</h2></nav><main id="main">{}</main>
<script id="results">{{"svg": "<svg>"}}</script></body>"""


def texts(parts):
    return [" ".join(part.get_text(" ").split()) for part in parts]


@pytest.fixture
def found(html):
    return {section.title: section for section in sections(html)[0]}


def test_sections_stand_in_the_order_of_the_page_and_know_what_is_folded(html):
    listed = [(one.level, one.title, one.folded) for one in sections(html)[0]]
    assert listed == [
        (1, "Glia", False),
        (2, "Background", True),
        (2, "Arg1", False),
        (3, "Influence", True),
        (2, "Methods", False),
        (2, "Provenance", True),
    ]


def test_what_only_a_screen_needs_does_not_come_along(html):
    told = " ".join(text for one in sections(html)[0] for text in texts(one.parts))
    for word in ("secret_code", "CSV", "Contents", "Other reports", "Details", "Show code", "Why"):
        assert word not in told


def test_head_banner_and_first_screen_become_paragraphs(found):
    parts = found["Glia"].parts
    styled = [(part.get("custom-style"), texts([part])[0]) for part in parts]
    assert ("Evidence", "Reconstructed rows: no evidence. They were solved.") in styled
    assert ("Key Result", "CD68 was lower.") in styled
    facts = " ".join(text for style, text in styled if style == "Facts")
    assert "Authors: Doe J" in facts
    assert "DL (not the default)" in facts
    assert "Cite this report: Glia [report]." in facts
    assert (None, "Experiments 13 (none excluded); Studies 12.") in styled


def test_warnings_stay_with_their_details_and_notes(found):
    told = " ".join(texts(found["Glia"].parts))
    assert "Warning : k is assumed. Arg1 and CD68." in told
    assert "1 note on the data and the analysis" in told
    assert "Note : One experiment was left out." in told


def test_what_the_notebook_says_itself_is_known(found):
    assert texts(found["Glia"].told) == ["Are there fewer of them?"]
    assert len(found["Arg1"].parts) == 2 and len(found["Arg1"].told) == 1


def test_what_follows_a_folded_part_belongs_to_the_section_around_it():
    html = PAGE.format(
        "<h1>T</h1><div class='output'><h2 id='a'>A</h2><p>1</p><details class='fold'><summary>"
        "<h3 id='f'>F</h3></summary><p>2</p></details><p>3</p></div>"
    )
    _, a, f = sections(html)[0]
    assert (texts(a.parts), texts(f.parts)) == (["1", "3"], ["2"])


def test_figures_keep_the_capitals_that_svg_needs_and_the_form_for_phones_goes():
    svg = '<svg {}viewBox="0 0 9 9"><clipPath id="c"></clipPath></svg>'
    html = PAGE.format(f"<h1>T</h1><figure>{svg.format('')}{svg.format('class=narrow ')}</figure>")
    (figure,) = sections(html)[0][0].parts
    assert [one.get_text() for one in figure.select("svg")] == [svg.format("")]


def test_pictures_inside_tables_are_left_out():
    html = PAGE.format("<h1>T</h1><table><tr><td>1</td><td><svg><text>2</text></svg></td></tr>")
    assert texts(sections(html)[0][0].parts) == ["1"]


def test_links_to_a_section_by_another_name_are_known(html):
    _, aliases = sections(html)
    assert aliases["outcome-arg1"] == "arg1"
    assert aliases["arg1-influence"] == "influence"


def test_outputs_of_other_code_come_along():
    html = PAGE.format(
        "<h1>T</h1><div class='output'>bare text<!-- no --><pre>printed</pre>"
        "<img src='data:image/png;base64,AA'><table><tr><td>1</td></tr></table></div>"
    )
    parts = sections(html)[0][0].parts
    assert [part.name for part in parts] == ["p", "pre", "img", "table"]


def test_what_picks_specifications_stays_on_the_screen():
    picker = '<h2>One</h2><details class="picker"><summary>Pick</summary></details><p>Said.</p>'
    (section,) = sections(PAGE.format(picker))[0]
    assert texts(section.parts) == ["Said."]
