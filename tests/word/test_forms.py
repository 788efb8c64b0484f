"""A report in the order of its page, and as a supplement."""

from dataclasses import replace

import pytest

from helpers.word import forms
from helpers.word.parts import sections

pytest.importorskip("bs4")


def outline(outline):
    return [(one.level, one.title) for one in outline.sections]


def holders(outline):
    """Identifiers of figures and tables, by the heading above them."""
    return [
        (one.title, part["id"])
        for one in outline.sections
        for part in one.parts
        if part.get("id", "").startswith(("figure-", "table-"))
    ]


@pytest.fixture
def page(html):
    return sections(html)[0]


def test_report_has_what_is_open_then_an_appendix_with_provenance_last(page):
    made = forms.report(page)
    assert made.title == "Glia"
    assert outline(made) == [
        (0, ""),
        (1, "Arg1"),
        (1, "Methods"),
        (1, "Appendix"),
        (2, "Background"),
        (2, "Arg1"),
        (3, "Influence"),
        (2, "Provenance"),
    ]


def test_report_begins_with_the_kind_of_evidence(page):
    assert forms.report(page).sections[0].parts[0]["custom-style"] == "Evidence"


def test_report_has_every_part_of_the_page_once(page):
    before = [id(part) for one in page for part in one.parts]
    after = [id(part) for one in forms.report(page).sections for part in one.parts]
    assert sorted(before) == sorted(after)


def test_supplement_has_methods_results_tables_provenance(page):
    made = forms.supplement(page)
    assert (made.title, made.prefix) == ("Glia: supplement", "S")
    assert outline(made) == [
        (0, ""),
        (1, "Methods"),
        (1, "Results"),
        (2, "Arg1"),
        (3, "Influence"),
        (1, "Tables"),
        (1, "Provenance"),
    ]
    assert made.sections[0].parts[0]["custom-style"] == "Evidence"


def test_supplement_has_all_figures_and_tables_and_no_story(page):
    made = forms.supplement(page)
    assert holders(made) == [
        ("Results", "figure-summary"),
        ("Influence", "figure-galbraith"),
        ("Tables", "table-findings"),
        ("Tables", "table-levels"),
        ("Tables", "table-wide"),
    ]
    told = " ".join(part.get_text() for one in made.sections for part in one.parts)
    assert "An enzyme" not in told and "Glia eat" not in told and "fewer of them" not in told
    assert "k is assumed" in told  # a warning goes wherever the numbers go


def test_supplement_keeps_what_a_folded_section_shows(page):
    background = next(one for one in page if one.title == "Background")
    figure = next(part for one in page for part in one.parts if part.name == "figure")
    shown = replace(background, parts=[*background.parts, figure])
    made = forms.supplement([shown if one is background else one for one in page])
    assert "Background" in [one.title for one in made.sections]
    assert "Glia eat" not in " ".join(p.get_text() for one in made.sections for p in one.parts)


def test_a_heading_over_nothing_is_left_out(page):
    without = [one for one in page if one.title not in ("Methods", "Provenance")]
    titles = [title for _, title in outline(forms.supplement(without))]
    assert "Methods" not in titles and "Provenance" not in titles
    bare = [one for one in page if not one.folded]
    assert "Appendix" not in [title for _, title in outline(forms.report(bare))]
