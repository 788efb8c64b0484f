"""A review as it is handed on: types, order of levels, exclusions, what review.toml must say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_review import FAMILY, SPECIES, row, rows, write

from helpers.problems import ReviewError
from helpers.render.jobs import inputs
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.editing import edit
from helpers.review.review import load
from helpers.review.schema import REVIEW, misfits


def test_columns_have_their_types(tmp_path):
    number = '\n[[moderators]]\nid = "dose"\nlabel = "Dose"\n'
    table = [row("a", species="rat", dose=2.5), row("b", species="", dose="")]
    review = load(write(tmp_path, table, toml=FAMILY + SPECIES + number))
    found = review.moderator_values
    assert found.index.tolist() == ["a", "b"]
    assert found["species"].cat.categories.tolist() == ["mouse", "rat"]
    assert found["species"].isna().tolist() == [False, True]
    assert found["dose"].dtype == float and np.isnan(found["dose"]["b"])
    found = review.experiments
    assert found["mean_treated"].dtype == float
    assert found["cohort"].tolist() == ["", ""] and found["follow_up_days"].isna().all()


def test_the_description_speaks_through_the_review(tmp_path):
    review = load(
        write(tmp_path, rows(), exclusions=[{"experiment": "e1", "reason": "x", "by": "me"}])
    )
    assert review.title == "Made up" and list(review.outcomes) == ["score"]
    assert review.exclusions.values.tolist() == [["e1", "x", "me"]]
    assert review.facts("studies.csv").empty
    with pytest.raises(AttributeError):
        _ = review.nonsense


def test_numbers_are_read_to_the_last_bit(tmp_path):
    values = [0.1 + 0.2, 1 / 3, 1.2345678901234567e-74, 1.7976931348623157e74]
    table = [row(f"e{i}", mean_treated=repr(value)) for i, value in enumerate(values)]
    assert load(write(tmp_path, table)).experiments["mean_treated"].tolist() == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "not TOML"),
        ('title = "x"', "families: a list is due"),
        (FAMILY, "title: a text is due"),
        ('title = "x"' + FAMILY.replace('id = "score"', ""), "id: a word of letters.* is due"),
        ("title = 3\nfamilies = 3", "(?s)title: a text is due.*families: a list is due"),
        ('title = "x"\nfamilies = ["a"]', r"families\[1\]: a table is due"),
        ('title = "x"\n[[families]]\nid = "a"\noutcomes = "b"', "outcomes: a list is due"),
        ('title = "x"\nmoderators = 3' + FAMILY, "moderators: a list is due"),
        ('title = "x"\nsheet = 3' + FAMILY, "a table is due"),
        ('title = "x"\nevidence = "y"' + FAMILY, "a table is due"),
        ('title = "x"' + FAMILY + '[[moderators]]\nid = "a"\nlevels = "abc"', "a list is due"),
        (
            'title = "x"' + FAMILY.replace('"higher"', '"up"'),
            'better: "higher", "lower" or "neither" is due',
        ),
        ('title = "x"' + FAMILY.replace("[0, 21]", "[21, 0]"), "range .lowest, highest."),
        ('title = "x"' + FAMILY.replace('"movement"', '"index"'), "not overview, history or index"),
        ('title = "x"' + FAMILY + SPECIES + 'reference = "cat"', "is no level.*Did you mean 'rat'"),
        ('title = "x"' + FAMILY + SPECIES * 2, "species: this id is given twice"),
        (
            'title = "x"' + FAMILY.replace("unit", "unt").replace("label", "lable"),
            "no such setting",
        ),
        (
            'title = "x"' + FAMILY + SPECIES + "reference_by_outcome = { scor = 'rat' }",
            "no such outcome.*'scor'.*Did you mean 'score'",
        ),
    ],
)
def test_what_review_toml_must_say(tmp_path, text, words):
    (tmp_path / "review.toml").write_text(text)
    with pytest.raises(ReviewError, match=words):
        describe(tmp_path)


# A wrong entry, and what the refusal says of it: its place, what is due, the way out.
WRONG = [
    (
        'moderator = ["x"]',
        r"column moderator: there is no such setting\. Did you mean 'moderators'",
    ),
    ("[moderator]\nid = 'x'", "column moderator: there is no such setting"),
    ("[setings]\nlevel = 0.9", "column setings: there is no such setting"),
    ("[evidence]\nkind = 'extracted'\nnotic = 'x'", "evidence.notic: .*Did you mean 'notice'"),
    ("[evidence]\nkind = 'recontructed'", "evidence.kind: .*Did you mean 'reconstructed'"),
    ("[evidence]\nkind = 'extracted'\nfile = 'x'", r"It belongs under \[sheet\]"),
    ("[sheet]\nciation = 'x'\ncitation = 'x'", "sheet.citation: .*It belongs above all tables"),
    ("[protocol]\nid = 12", r"protocol.id: a text is due here, not a number \(there stands '12'\)"),
    ("[protocol]\ndeviatons = ['x']", "Did you mean 'deviations'"),
    ("[forest_columns]\nspecies = 1", "forest_columns.species: a text is due"),
    ("forest_columns = ['species']", r"a table is due here, not a list.*Write \[forest_columns\]"),
    ("[[sheet]]\nfile = 'x'", r"a table is due here, not a list.*Write \[sheet\] above"),
    ("[moderators]\nid = 'x'", r"a list is due here, not a table. Write \[\[moderators\]\] above"),
    ("[sheet.join]\non = 'x'", r"Write \[\[sheet.join\]\] above"),
    ("citation = 2024-01-01", "citation: a text is due here, not a date or time"),
    ("[sheet]\nheader = '2'", "the number of a row, or a list of them is due here, not a text"),
    ("[sheet]\ntime_point = 'frist'", "Did you mean 'first'"),
    ("[sheet]\ntime_point = nan", "all, first, last or a day is due"),
    ("[sheet]\noutliers = { sd = -3 }", "outliers.sd: a number is due.*Write one above 0"),
    ("[sheet]\noutliers = { sd = nan }", "outliers.sd: a number is due.*Write one above 0"),
    (
        "[sheet.divide]\nn_treated = 0",
        "divide.n_treated: a number or a column is due.*other than 0",
    ),
    ("[sheet.constants]\nsign = inf", "constants.sign: a text or a number is due"),
    (
        "[[sheet.leave_out]]\ncolum = 'x'",
        "(?s)leave_out.1..column: .*colum: there is no such setting",
    ),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_every_entry_at_every_level_is_known_or_refused(tmp_path, text, words):
    (tmp_path / "review.toml").write_text(f'title = "x"\n{text}\n{FAMILY}')
    with pytest.raises(ReviewError, match=words):
        describe(tmp_path)


def keys(shape, place=()):
    """The place of every table that a shape knows."""
    if isinstance(shape, list):
        yield from keys(shape[0], place)
    elif isinstance(shape, dict):
        yield place, shape
        for name, part in shape.items():
            yield from keys(part, (*place, name))


def test_no_table_takes_unknown_keys_unless_they_are_names():
    free = {place for place, shape in keys(REVIEW) if "*" in shape}
    assert free == {
        ("sheet", "columns"), ("sheet", "constants"), ("sheet", "values"),
        ("sheet", "values", "*"), ("sheet", "divide"), ("sheet", "split"), ("forest_columns",),
        ("abbreviations",), 
        ("sheet", "blocks", "columns!"), ("sheet", "blocks", "constants"),
        ("studies", "columns"), ("studies", "summaries"),
        ("moderators", "reference_by_outcome"), ("quality", "values"), ("quality", "values", "*"),
        ("families!", "outcomes!", "scales", "when"),
    }  # fmt: skip


def test_a_folder_that_is_no_review_says_how_to_make_one(tmp_path):
    with pytest.raises(ReviewError, match="python -m helpers new"):
        load(tmp_path)


def test_protocol_is_kept(tmp_path):
    toml = '[protocol]\nid = "CRD42"\ndeviations = ["one more outcome"]\n' + FAMILY
    assert load(write(tmp_path, rows(), toml=toml)).config["protocol"]["id"] == "CRD42"


WORDS = st.sampled_from(["id", "outcomes", "better", "sd", "columns", "range", "long", "values"])
PLAIN = st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
ANY = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(name=st.sampled_from(sorted(name.strip("!") for name in REVIEW)), value=ANY)
def test_whatever_stands_in_review_toml_is_answered_in_words(name, value):
    good = {"title": "x", "families": [{"id": "f", "outcomes": [{"id": "o", "better": "lower"}]}]}
    assert list(misfits(good, REVIEW)) == []
    for finding in misfits(good | {name: value}, REVIEW):
        assert finding.column.startswith(name) and finding.what and finding.remedy


def test_a_text_too_long_for_a_file_is_no_file(tmp_path):
    title = "\u044f" * 199  # 398 bytes; a name of a file ends at 255
    folder = write(tmp_path / "r", rows(), toml=FAMILY.replace('"Movement"', f'"{title}"'))
    assert set(inputs(describe(folder))) == {"experiments.csv", "review.toml"}
    text = (folder / "review.toml").read_text(encoding="utf-8").replace("experiments", title)
    (folder / "review.toml").write_text(text, encoding="utf-8")
    assert "there is no such file" in str(check(folder))
    with pytest.raises(ReviewError, match="there is no such file"):
        describe(tmp_path / title)


@pytest.mark.parametrize(
    "line", ["x = " + "[" * 5000 + "]" * 5000, "x = " + "9" * 5000, "x = 1\nx = 2", "\udcff"]
)
def test_every_toml_that_cannot_be_read_is_a_fault(tmp_path, line):
    folder = write(tmp_path, rows())
    toml = folder / "review.toml"
    toml.write_bytes(line.encode("utf-8", "surrogateescape") + b"\n" + toml.read_bytes())
    (fault,) = check(folder).faults
    assert fault.file == "review.toml" and fault.what.startswith("this is not TOML")
    with pytest.raises(ReviewError, match="this is not TOML"):
        edit(folder, ["title=x"])


def test_numbers_of_hundreds_of_digits_in_settings_are_refused(tmp_path):
    huge = "9" * 400
    for k, (sheet, toml) in enumerate([
        ("", FAMILY.replace("[0, 21]", f"[0, {huge}]")), (f"header = {huge}", FAMILY),
        (f"divide = {{ sd_treated = {huge} }}", FAMILY),
    ]):  # fmt: skip
        assert check(write(tmp_path / str(k), rows(), sheet, toml=toml)).faults
