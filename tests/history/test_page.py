"""The page of a history: whole in one file, the same each time, with its tables beside it."""

import json

import living
import pandas as pd
import pytest
from own_review import write
from page_sample import Parser

from helpers import __main__ as command


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("history")
    folders = living.states(place)
    write(place / "2024-01-01", [living.table([9])[0] | {"sd_treated": -1}])
    one, two, three = map(str, folders)
    arguments = ["history", three, "--states", one, two, str(place / "2024-01-01")]
    for name in ("out", "again"):
        assert command.main([*arguments, "--out", str(place / name)]) == 0
    return place


def test_the_page_holds_itself_and_asks_for_nothing(made):
    html = (made / "out" / "history.html").read_text(encoding="utf-8")
    page = Parser(html)
    assert html.count("<h1") == 1 and "Content-Security-Policy" in html
    assert "style=" not in html and "show-code" not in html.split("<main")[0].split("</style>")[1]
    assert not [one for one in page.of("link") if one.get("href", "").startswith("http")]
    assert "The state 2024-01-01 cannot be read" in html and "an SD is not negative" in html
    assert "the conclusion changed for Score" in html
    assert str(made) not in html


def test_the_same_states_give_the_same_bytes(made):
    files = sorted(path.relative_to(made / "out") for path in (made / "out").rglob("*.*"))
    assert len(files) >= 8
    for file in files:
        assert (made / "out" / file).read_bytes() == (made / "again" / file).read_bytes()


def test_results_and_tables_say_the_same(made):
    content = json.loads((made / "out" / "history.json").read_text())
    assert [one["state"] for one in content["states"]] == [
        "2023-03-01", "2024-01-01", "2024-06-01", "2025-03-01"
    ]  # fmt: skip
    (flip,) = content["flips"]
    assert (flip["outcome"], flip["to"], flip["conclusion_new"]) == (
        "score",
        "2024-06-01",
        "benefit",
    )
    drawn = pd.read_csv(made / "out" / "tables" / "history" / "over-time-1.csv")
    shown = [one for one in content["results"] if one["k"]]
    assert drawn["estimate"].tolist() == [one["estimate"] for one in shown]
    assert (drawn["provenance"] == "extracted").all()


def test_faults_of_usage_are_refused(tmp_path, capsys):
    one, two, _ = map(str, living.states(tmp_path))
    assert command.main(["history", one, two]) == 2
    assert "behind --states" in capsys.readouterr().err
    assert command.main(["history", one]) == 2
    assert "Name folders instead of tags" in capsys.readouterr().err
    assert command.main(["history", one, "--states", one]) == 2
    assert "needs two states" in capsys.readouterr().err
    assert command.main(["history", one, "--states", two, "--out", one]) == 2
    assert "holds the review itself" in capsys.readouterr().err
    assert not list(tmp_path.rglob("history.html"))


def test_a_history_inside_the_review_is_no_part_of_it(tmp_path):
    review = living.repository(tmp_path / "work", living.states(tmp_path))
    out = review / "reports"
    pages = []
    for _ in range(2):
        assert command.main(["history", str(review), "--out", str(out)]) == 0
        pages.append((out / "history.html").read_bytes())
    assert pages[0] == pages[1] and b"in 3 states" in pages[0]
