import html.parser
import io
import json
import re
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from page_sample import STRANGE, Parser, blocks_of_a_report

from helpers import writing
from helpers.drawing.marks import Hover
from helpers.page import assets, blocks, intervals, tables
from helpers.writing import leaves


@pytest.fixture(scope="module")
def report():
    return blocks_of_a_report()


def linked(block):
    """Text of the download link of a block."""
    (href,) = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', block.html)
    return unquote(html.unescape(href))


def cells(block):
    """Rows of a table as lists of texts."""
    body = re.findall(r"<tr[^>]*>(.*?)</tr>", block.html)
    return [
        [html.unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in body
    ]


# --- Every block -----------------------------------------------------------------------------


def test_every_block_is_balanced_html_with_plain_text_and_a_note(report):
    for name, block in report.items():
        Parser(block.html)
        bundle = block._repr_mimebundle_()
        assert assets.for_page(bundle["text/html"]) == block.html
        assert bundle["text/plain"], name
        assert bundle[blocks.MIME]["kind"] == block.kind
        assert bundle[blocks.MIME]["name"] == block.name
        json.dumps(bundle, allow_nan=False)


def test_nothing_strange_becomes_an_element(report):
    for block in report.values():
        assert STRANGE not in block.html
        assert not {"script", "style"} & {tag for tag, _ in Parser(block.html).elements}


def test_no_inline_style_and_no_address_but_dois(report):
    for block in report.values():
        assert " style=" not in block.html
        for tag, attributes in Parser(block.html).elements:
            for key in ("src", "href"):
                value = attributes.get(key) or "#"
                allowed = ("#", "data:")
                if tag == "a":  # only a person's click follows it
                    allowed += ("https://doi.org/", "overview.html")
                assert value.startswith(allowed), (tag, value[:80])


def test_identifiers_are_unique_in_a_report(report):
    marks = [a["id"] for b in report.values() for _, a in Parser(b.html).elements if "id" in a]
    assert len(marks) >= 6
    assert len(marks) == len(set(marks))


# --- Figures ---------------------------------------------------------------------------------


def figure(**more):
    axes = Figure(figsize=(4, 3)).add_subplot()
    words = {"name": "x", "number": 3, "caption": "A & B.", "alt": 'k = 3, "small"'}
    return blocks.figure(axes, **(words | more))


def test_figure_has_number_caption_and_alternative_text():
    block = figure()
    assert "<figcaption><b>Figure 3.</b> A &amp; B.</figcaption>" in block.html
    assert 'aria-label="k = 3, &quot;small&quot;"' in block.html
    assert block.text == 'Figure 3. A & B.\nk = 3, "small"'
    assert block.data["csv"] is None
    assert "data:text/csv" not in block.html


def test_figure_takes_axes_or_a_figure_and_closes_it():
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots()
    words = {"name": "x", "number": 1, "caption": "c", "alt": "a"}
    assert blocks.figure(axes, **words).html == blocks.figure(drawn, **words).html
    assert pyplot.get_fignums() == []


def test_a_form_for_phones_stands_behind_the_other_and_is_not_shown_by_itself():
    block = figure(narrow=Figure(figsize=(3.7, 2)).add_subplot())
    wide, narrow = (a for tag, a in Parser(block.html).elements if tag == "svg")
    assert (wide["class"], narrow["class"]) == ("wide", "narrow")
    assert "display" not in wide
    assert narrow["display"] == "none"  # where no style of a page says otherwise
    assert wide["aria-label"] == narrow["aria-label"]
    marks = [a["id"] for _, a in Parser(block.html).elements if "id" in a]
    assert len(marks) == len(set(marks))


@pytest.mark.parametrize(("width", "look"), [(4.8, None), (7.1, "broad")])
def test_only_a_broad_figure_scrolls_on_a_phone(width, look):
    axes = Figure(figsize=(width, 3)).add_subplot()
    block = blocks.figure(axes, name="x", number=1, caption="c", alt="a")
    (drawn,) = (a for tag, a in Parser(block.html).elements if tag == "svg")
    assert drawn.get("class") == look


def test_figure_shows_the_titles_of_its_rows():
    axes = Figure(figsize=(4, 3)).add_subplot()
    Hover(axes, [0.5], [0.5], ["first row"])
    block = blocks.figure(axes, name="x", number=1, caption="c", alt="a")
    assert "<title>first row</title></rect>" in block.html


def test_figure_offers_its_data():
    data = pd.DataFrame({"g": [1 / 3, np.nan], "who": ["a,b", '"q"']})
    block = figure(data=data)
    assert block.data["csv"] == 'g,who\n0.3333333333333333,"a,b"\n,"""q"""\n'
    assert linked(block) == block.data["csv"]


@pytest.mark.parametrize(("height", "tall"), [(7, False), (9, True)])
def test_only_a_very_long_figure_may_be_split_on_paper(height, tall):
    axes = Figure(figsize=(4, height)).add_subplot()
    block = blocks.figure(axes, name="x", number=1, caption="c", alt="a")
    assert ('class="figure tall"' in block.html) is tall


# --- Tables ----------------------------------------------------------------------------------


def table(frame, **more):
    return tables.table(frame, **({"name": "x", "number": 2, "caption": "C."} | more))


def test_table_has_caption_scoped_headers_and_row_headers(report):
    block = report["subgroups"]
    parsed = Parser(block.html)
    assert len(parsed.of("caption")) == 1
    assert [a.get("scope") for a in parsed.of("th")].count("col") == 6
    assert [a.get("scope") for a in parsed.of("th")].count("row") == 5
    assert [a.get("scope") for a in parsed.of("th")].count("rowgroup") == 2
    assert len(parsed.of("tbody")) == 2


def test_formats_are_specifications_or_functions(report):
    rows = cells(report["subgroups"])
    assert rows[0] == ["level", "k", "estimate", "ci_low", "ci_high", "p"]
    assert rows[2] == ["rat", "50", "2.12", "1.50", "2.75", "<0.001"]
    assert rows[3] == ["mouse", "22", "−0.50", "−1.25", "0.25", "0.43"]
    assert rows[7] == ["=cmd()", "1", "–", "–", "–", "–"]
    assert (
        cells(table(pd.DataFrame({"a": ["x"], "b": [0.123]}), formats={"b": ".1%"}))[1][1]
        == "12.3%"
    )


def test_truth_is_written_as_words():
    assert cells(table(pd.DataFrame({"a": ["x", "y"], "b": [True, False]})))[1:] == [
        ["x", "yes"],
        ["y", "no"],
    ]


def test_groups_keep_the_order_of_the_rows_and_same_labels_apart():
    frame = pd.DataFrame({"g": ["b", "a", "a", "b"], "x": list("1234")})
    rows = cells(table(frame, groups="g"))
    assert rows == [["x"], ["b"], ["1"], ["a"], ["2"], ["3"], ["b"], ["4"]]


def classes(frame, place, **more):
    body = re.search(r"<tbody>(.*)</tbody>", table(frame, **more).html)[1]
    rows = [re.findall(r"<t[hd][^>]*>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)]
    found = [re.search(r'class="([^"]*)"', row[place]) for row in rows]
    return [match and match[1] for match in found]


def test_numbers_are_aligned_at_the_decimal_point():
    frame = pd.DataFrame({"a": list("xyzw"), "p": ["<0.001", "0.12", "3", "–"]})
    assert classes(frame, 1) == ["num", "num d1", "num d3 i", "num d3 i"]


def test_texts_are_not_aligned_as_numbers():
    frame = pd.DataFrame({"a": ["3 days", "2 weeks"], "b": ["a", "1"], "c": ["–", "–"]})
    assert classes(frame, 0) == [None, None]
    assert classes(frame, 1) == [None, None]
    assert classes(frame, 2) == [None, None]


def test_what_stands_behind_a_number_is_equally_wide():
    frame = pd.DataFrame(
        {"a": list("xyz"), "e": ["2.31 [1.95, 2.66]", "−0.5 [−12.00, 1.00]", "Reference"]}
    )
    block = table(frame)
    assert re.findall(r'<span class="after (w\d+)">([^<]*)<', block.html) == [
        ("w8", " [1.95, 2.66]"),
        ("w8", " [−12.00, 1.00]"),
    ]
    assert cells(block)[1][1] == "2.31 [1.95, 2.66]"


def test_downloaded_table_has_full_precision_and_other_data_on_request():
    frame = pd.DataFrame({"a": ["x"], "b": [0.1 + 0.2]})
    assert linked(table(frame)) == "a,b\nx,0.30000000000000004\n"
    assert linked(table(frame, data=frame.assign(c=1))) == "a,b,c\nx,0.30000000000000004,1\n"


def test_empty_table_is_a_table():
    block = table(pd.DataFrame({"a": [], "b": []}))
    Parser(block.html)
    assert block.data["csv"] == "a,b\n"


def test_columns_of_one_name_are_kept_apart():
    frame = pd.DataFrame([["x", 1.5, 2.5]], columns=["a", "p", "p"])
    assert cells(table(frame)) == [["a", "p", "p"], ["x", "1.50", "2.50"]]


# --- CSV -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-cmd|' /C calc'!A0", "@SUM(A1)", "\tx", "\rx", "-1-1"]
)
def test_formulas_are_disarmed(text):
    assert writing.csv(pd.DataFrame({"a": [text]})).split("\n", 1)[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("text", ["-1.5", "+3", "-.5e-7", "a=b", "", "3-5", "-", "--"])
def test_numbers_and_harmless_texts_are_left_alone(text):
    written = io.StringIO(writing.csv(pd.DataFrame({"a": [text], "b": 1})))
    back = pd.read_csv(written, dtype=str, keep_default_na=False)
    assert back["a"].tolist() == [text]


def test_formulas_in_headers_are_disarmed():
    assert writing.csv(pd.DataFrame({"=a": [1]})) == "'=a\n1\n"


def test_categories_and_mixed_columns_are_disarmed():
    frame = pd.DataFrame({"c": pd.Categorical(["=x", "y"]), "m": [-1.5, "=z"]})
    assert writing.csv(frame) == "c,m\n'=x,-1.5\ny,'=z\n"


def test_missing_cells_are_empty_and_the_table_stays_as_it_was():
    frame = pd.DataFrame({"c": pd.Categorical(["a", None]), "m": [None, True], "x": [np.nan, 2]})
    texts = pd.DataFrame({"t": [None, "=1"], "u": [np.nan, "b"]}, dtype=object)
    before = texts.copy()
    assert writing.csv(frame) == "c,m,x\na,,\n,True,2.0\n"
    assert writing.csv(texts) == "t,u\n,\n'=1,b\n"
    pd.testing.assert_frame_equal(texts, before)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_survive_exactly(values):
    text = io.StringIO(writing.csv(pd.DataFrame({"x": values})))
    back = pd.read_csv(text, dtype=str)  # older pandas lose a digit of numbers
    assert back["x"].map(float).tolist() == values


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_link_carries_any_text(text):
    block = table(pd.DataFrame({"a": [text], "b": [1]}))
    assert linked(block) == block.data["csv"]
    Parser(block.html)


# --- Words -----------------------------------------------------------------------------------


def test_banner_is_silent_about_extracted_rows():
    assert blocks.banner({"kind": "extracted"}).html == ""
    assert 'role="note"' in blocks.banner({"kind": "simulated", "notice": "Made up."}).html


def test_alerts_come_gravest_first_and_say_their_grade(report):
    assert re.findall(r'<li class="(\w+)"><b>(\w+)</b>', report["alerts"].html) == [
        ("error", "Error"),
        ("warning", "Warning"),
        ("note", "Note"),
    ]
    assert blocks.alerts([]).html.count("Nothing to report.") == 1


def test_alert_of_an_unknown_grade_is_refused():
    with pytest.raises(ValueError, match="fatal"):
        blocks.alerts([{"severity": "fatal", "text": "x"}])


def test_glance_has_counts_and_a_sentence(report):
    parsed = Parser(report["glance"].html)
    assert len(parsed.of("dt")) == 6
    assert len(parsed.of("blockquote")) == 1


def test_the_head_says_who_and_marks_what_is_not_the_default(report):
    html, text = report["head"].html, report["head"].text
    assert '<a href="https://doi.org/10.1234/x.1">doi:10.1234/x.1</a>' in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 2025" in html
    assert '<mark title="not the default">DL</mark>' in html and "<mark>SMD" not in html
    assert "Settings: SMD; DL (not the default)" in text
    assert "[meta-analysis report]" in html
    bare = blocks.head([], evidence={"kind": "extracted"}).html
    assert "<dt>" not in bare and "Cite" not in bare and "banner" not in bare


def test_notes_are_folded_and_warnings_are_not(report):
    shown, folded = report["alerts"].html.split('<details class="notes">')
    assert "Warning" in shown and "Error" in shown and "not pooled" not in shown
    assert "1 note on" in folded and "not pooled" in folded


def test_a_section_holds_its_blocks_and_their_data():
    inner = tables.table(pd.DataFrame({"a": [1]}), name="t", number=1, caption="C")
    fold = blocks.section("One & two", [inner, None], name="x y", intro="Before.", folded=True)
    assert fold.html.startswith('<details class="fold" id="x-y"><summary><h3>One &amp; two</h3>')
    assert fold.html.index("Before.") < fold.html.index("<table")
    nested = blocks.section("Outer", [fold], name="outer", level=2)
    assert [(note["kind"], note["csv"]) for note in leaves(nested.note)] == [
        ("paragraph", None),
        ("table", "a\n1\n"),
    ]
    assert "One & two" in nested.text


def test_a_heading_over_nothing_is_not_shown():
    assert blocks.section("Empty", [None, None], name="e", intro="Words.") is None
    assert blocks.section("Empty", [blocks.banner({})], name="e") is None
    assert blocks.together([None], name="e") is None


def test_the_first_cells_of_a_table_can_be_links():
    frame = pd.DataFrame({"outcome": ["a", "b"], "k": [1, 2]})
    html = tables.table(frame, name="t", number=1, caption="C", links=["#a", "#b"]).html
    assert re.findall(r'<th scope="row"><a href="(#\w)">(\w)</a></th>', html) == [
        ("#a", "a"), ("#b", "b")
    ]  # fmt: skip


def test_paragraphs_are_parted_and_dois_are_links():
    block = blocks.paragraph(
        "One.\n\nTwo <b> doi:10.1/a.b. See doi: 10.2/c(1)2; end (doi:10.3/d): so."
    )
    assert block.html.count("<p>") == 2
    assert '<a href="https://doi.org/10.1/a.b">doi:10.1/a.b</a>. See' in block.html
    assert '<a href="https://doi.org/10.2/c(1)2">' in block.html
    assert '<a href="https://doi.org/10.3/d">doi:10.3/d</a>): so.' in block.html
    assert "&lt;b&gt;" in block.html
    assert 'class="copy' not in block.html


def test_details_keep_the_data_of_what_they_fold():
    inner = table(pd.DataFrame({"a": ["x"]}))
    assert blocks.details("Rows", inner, name="d").data["csv"] == "a\nx\n"


def test_facts_write_lists_line_by_line():
    block = blocks.facts({"a": 1, "b": ["x", "y"]})
    assert block.html == '<dl class="facts"><dt>a</dt><dd>1</dd><dt>b</dt><dd>x</dd><dd>y</dd></dl>'


# --- Intervals -------------------------------------------------------------------------------


def test_interval_lies_where_its_numbers_are():
    row = {"estimate": 1.0, "ci_low": 0.0, "ci_high": 3.0}
    drawn = Parser(intervals.interval(row, -1, 4))
    (ci,) = [a for a in drawn.of("line") if a["class"] == "ci"]
    assert (ci["x1"], ci["x2"]) == ("20.00%", "80.00%")
    assert drawn.of("circle")[0]["cx"] == "40.00%"


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.floats(-1e6, 1e6, allow_subnormal=False),
            st.just(float("nan")),
            st.just(float("inf")),
        )
    )
)
def test_axis_holds_zero_and_every_number(values):
    low, high = intervals.axis([{"estimate": value} for value in values])
    assert low <= 0 <= high
    assert low < high
    finite = [v for v in values if v is not None and np.isfinite(v)]
    assert all(low <= v <= high for v in finite)


def test_axis_is_little_longer_than_needed():
    assert intervals.axis([{"estimate": -1, "ci_low": -5.8, "ci_high": 5.5}]) == (-6, 6)
    assert intervals.axis([{"ci_low": 1.9, "ci_high": 2.36}]) == (0, 2.5)
    assert intervals.axis([]) == (0, 1)


def test_what_is_missing_is_not_drawn():
    assert intervals.estimate({"estimate": None}) == "not pooled"
    drawn = Parser(intervals.interval({"estimate": None, "ci_low": None}, -1, 1))
    assert drawn.of("circle") == []
    assert [a["class"] for a in drawn.of("line")] == ["zero"]


# --- Results ---------------------------------------------------------------------------------


def test_results_are_plain_data():
    content = {
        "a": np.float64(1.5),
        "b": np.array([1, 2]),
        "c": (np.nan, np.inf),
        "d": np.bool_(True),
        "e": pd.DataFrame({"x": [1]}),
        3: None,
    }
    assert blocks.results(content).data["results"] == {
        "a": 1.5,
        "b": [1, 2],
        "c": [None, None],
        "d": True,
        "e": [{"x": 1}],
        "3": None,
    }


NESTED = st.recursive(
    st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(NESTED)
def test_json_in_a_page_ends_no_script_and_reads_back(content):
    text = writing.as_json(content)
    assert not set("<>&") & set(text)
    assert json.loads(text) == content


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (-4, 0, [("−4", "start", False), ("0", "end", False)]),
        (0, 2.5, [("0", "start", False), ("2.5", "end", False)]),
        (-2, 2, [("−2", "start", False), ("0", "middle", False), ("2", "end", False)]),
        (-1, 9, [("−1", "start", False), ("0", "middle", True), ("9", "end", False)]),
    ],
)
def test_scale_names_its_ends_and_zero(low, high, shown):
    texts = re.findall(r'text-anchor="(\w+)"( class="near")?>([^<]*)<', intervals.scale(low, high))
    assert [(words, anchor, bool(near)) for anchor, near, words in texts] == shown


@pytest.mark.parametrize(("rows", "long"), [(40, False), (41, True)])
def test_only_a_long_table_scrolls_in_its_own_box(rows, long):
    block = table(pd.DataFrame({"a": range(rows)}))
    assert ('class="table long"' in block.html) is long


def test_an_output_in_jupyterlab_brings_the_pages_look_and_a_page_has_it_once(report):
    html = report["alerts"]._repr_mimebundle_()["text/html"]
    assert html.startswith("<style>") and html.count('<div class="preclinical">') == 1
    style = html[: html.index("</style>")]
    for rule in (".alerts .warning", "figcaption", "--ink: #1d2329", "--ink: #e4e8ec", ".fold"):
        assert rule in style, rule
    assert "[data-jp-theme-light=false]" in style and "nav" not in style
    assert len(style) < 12_000
    assert assets.for_page(html) == report["alerts"].html
    assert assets.for_page("<p>other</p></div>") == "<p>other</p></div>"
    assert report["results"]._repr_mimebundle_()["text/html"] == ""
