"""The version that a review names as the one before: a folder, or a tag."""

import living
import pytest
from own_review import row, rows, write

from helpers import __main__ as command
from helpers.problems import ReviewError
from helpers.render.jobs import entry, inputs
from helpers.report.family import Report
from helpers.report.overview import Overview
from helpers.review.check import check
from helpers.review.description import describe
from helpers.review.living.previous import folder_of
from helpers.review.review import load


def name_previous(folder, name):
    toml = folder / "review.toml"
    toml.write_text(f'previous = "{name}"\n{toml.read_text()}')


@pytest.fixture
def review(tmp_path):
    """A review whose last commit is tagged v3, and which has gone on since v1."""
    found = living.repository(tmp_path / "work", living.states(tmp_path))
    name_previous(found, "v1")
    return found


def test_a_tag_is_as_good_as_a_folder(review, tmp_path):
    with folder_of(describe(review)) as there:
        assert (there / "experiments.csv").read_text() == (
            tmp_path / "stroke-2023-03-01" / "experiments.csv"
        ).read_text()
    by_tag = Report("movement", review=review).changed[0]
    name_previous(tmp_path / "stroke-2025-03-01", "../stroke-2023-03-01")
    by_folder = Report("movement", review=tmp_path / "stroke-2025-03-01").changed[0]
    assert by_tag.account == by_folder.account
    assert by_tag.results.equals(by_folder.results) and by_tag.rows.equals(by_folder.rows)


@pytest.mark.parametrize("name", [".", "../now", "a\\u0000", "x" * 5000, "--help", "v1:", "HEAD"])
def test_what_cannot_be_a_version_before_is_refused(tmp_path, name):
    now = write(tmp_path / "now", rows(4))
    name_previous(now, name)
    assert [fault.column for fault in check(now).faults] == ["previous"]


def test_what_is_neither_is_refused(review, capsys):
    toml = review / "review.toml"
    toml.write_text(toml.read_text().replace('"v1"', '"v9"'))
    assert command.main(["check", str(review)]) == 2
    assert (
        "no review.toml in this folder or at this tag (there stands 'v9')"
        in capsys.readouterr().out
    )
    with pytest.raises(ReviewError, match="or a tag of the git repository"):
        load(review)


def test_the_alert_says_what_changed_and_leads_to_it(review):
    report = Report("movement", review=review)
    text = report.alerts().html
    assert (
        "Since the version v1: 6 experiments added, 1 experiment removed and 1 experiment" in text
    )
    assert "the conclusion changed for Score" in text and 'href="#changes"' in text
    assert "95% CI includes 0 → 95% CI excludes 0, favouring treated" in text
    section = report.changes()
    assert 'id="changes"' in section.html and section.html.startswith("<details")
    assert "Since the version v1" in Overview(review).alerts().html


def test_a_version_without_a_change_is_no_warning(tmp_path):
    write(tmp_path / "old", rows(4))
    now = write(tmp_path / "now", rows(4))
    name_previous(now, "../old")
    report = Report("movement", review=now)
    said = "Changed: Since the version ../old: no experiment changed; no conclusion changed."
    assert said in report.alerts().text.splitlines()


def test_a_parameter_leaves_the_comparison_as_it_is(review):
    plain, asked = (
        Report("movement", review=review, **given).changed[0].results
        for given in ({}, {"method": "DL", "exclude": ["e5"]})
    )
    assert plain.equals(asked) and plain["flipped"].any()


def test_an_outcome_that_is_gone_is_told_in_its_family(tmp_path):
    table = [*rows(4), *(row(f"p{i}", outcome="pain") for i in range(3))]
    write(tmp_path / "old", table, toml=living.TWO)
    now = write(tmp_path / "now", rows(4))
    name_previous(now, "../old")
    changed, _ = Report("movement", review=now).changed
    assert changed.account["removed"] == 3
    assert changed.results.set_index("outcome").loc["pain", "conclusion_new"] == "none"


def test_a_report_depends_on_the_version_before(tmp_path):
    write(tmp_path / "old", rows(4))
    now = write(tmp_path / "now", rows(4))
    name_previous(now, "../old")
    files = inputs(describe(now))
    told = [name for name in files if name.startswith("previous ../old/")]
    assert len(told) == 2
    results = b'{"provenance": {"inputs": {"experiments.csv": ""}, "rows": "x"}}'
    job = type("Job", (), {"family": "movement", "settings": {}, "made_by": "", "key": ""})
    assert set(told) <= set(entry(job, {"movement.json": results}, files)["used"])


def test_a_tag_that_moves_is_another_input(review):
    before = inputs(describe(review))
    living.git(review, "tag", "-f", "v1", "v2")
    after = inputs(describe(review))
    assert {name for name, _ in before.items() ^ after.items()} == {"previous v1"}
