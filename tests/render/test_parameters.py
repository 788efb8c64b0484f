"""Values that `-p` cannot mean are refused before anything runs, whatever they are."""

import pytest
from own_review import rows, write

from helpers.problems import Refused
from helpers.render import execute
from helpers.render.jobs import plan
from helpers.render.run import render
from helpers.review.description import describe

NONSENSE = (
    "[[a]]", "[[[score]]]", "{a: 1}", "[score, [b]]", "[" * 3000, "[1" + "0" * 5000 + "]",
    "[2001-99-99]", "{[a]: 1}", "&a [*a]", "*x", "1e400", "-1", "nan", "inf", "NaN", "1.5", "95%",
    "0,95", "\udcff", "!!python/object:x", "[null]", "[true]", "a,b", "'", "{", "]", "1_0",
    "[2026-01-05]", "[.inf]", "<script>",
)  # fmt: skip
NAMES = ("outcomes", "moderators", "measure", "correction", "variance", "method", "interval",
         "prediction", "level", "split_controls", "where", "seed")  # fmt: skip


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    return write(tmp_path_factory.mktemp("review"), rows(4))


@pytest.mark.parametrize("name", NAMES)
def test_no_nonsense_is_taken_for_a_value(review, name):
    for text in NONSENSE:
        with pytest.raises(Refused, match=r"^-p |not closed or not well formed"):
            plan(describe(review), ["movement"], [f"{name}={text}"])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["measure=SMD", "variance=delta"], "is a formula of NMD"),
        (["measure=MD", "variance=conventional"], "is a formula of NMD"),
        (["exclude=[e9]"], "no such experiment to exclude: e9. Did you mean 'e"),
        (["exclude=[[e1]]"], "an id, which is a text, is due"),
        (["exclude=nan"], "no such experiment to exclude: nan"),
        (['where={"specis": "rat"}'], "no moderator 'specis'"),
    ],
)
def test_what_only_the_review_or_other_settings_can_tell_is_refused_before_the_run(
    review, tmp_path, settings, says, monkeypatch
):
    monkeypatch.setattr(execute, "make", None)  # no report is begun
    out = tmp_path / "out"
    with pytest.raises(Refused) as refusal:
        render(["movement"], review=review, out=out, settings=settings, quiet=True)
    assert says in str(refusal.value) and str(refusal.value).startswith("-p ")
    assert not out.exists()
