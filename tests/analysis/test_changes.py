"""What changed between two states, and between two extractors."""

import numpy as np
import pandas as pd
import pytest
from own_review import FAMILY, row, rows, write, write_csv

from helpers import __main__ as command
from helpers.analysis.changes import compare_states
from helpers.problems import ReviewError
from helpers.review.review import load
from helpers.sheet.agreement import compare_sheets
from helpers.words.changes import report


def compared(*folders):
    return compare_states(*(load(folder) for folder in folders))


def text_of(old, new):
    return report(compared(old, new), load(new))


def test_nothing_changed(tmp_path):
    folders = [write(tmp_path / name, rows(5)) for name in "ab"]
    found = compared(*folders)
    assert found.rows.empty and found.settings.empty and not found.results["flipped"].any()
    assert found.results["estimate_old"].tolist() == found.results["estimate_new"].tolist()
    assert found.account["unchanged"] == found.account["before"] == found.account["after"] == 5
    assert "no experiment changed" in text_of(*folders) and "unchanged" in text_of(*folders)


def test_rows_added_removed_changed_and_excluded(tmp_path):
    table = rows(6)
    old = write(
        tmp_path / "a", table, exclusions=[{"experiment": "e1", "reason": "old", "by": "x"}]
    )
    later = [dict(line) for line in table[1:]] + [row("new")]
    later[2]["mean_treated"] = 13.25
    new = write(
        tmp_path / "b", later, exclusions=[{"experiment": "e4", "reason": "late", "by": "x"}]
    )
    found = compared(old, new)
    assert found.rows.values.tolist() == [
        ["e4", "excluded", "", "", "late"],
        ["e1", "included", "", "old", ""],
        ["new", "added", "", "", ""],
        ["e0", "removed", "", "", ""],
        ["e3", "changed", "mean_treated", "12.5", "13.25"],
    ]
    assert found.account == {
        "before": 6, "unchanged": 4, "changed": 1, "renamed": 0, "removed": 1, "added": 1,
        "after": 6, "excluded_before": 1, "excluded_after": 1,
    }  # fmt: skip
    results = found.results
    assert results["preset_old"].tolist() == results["preset_new"].tolist() == ["recommended"]
    assert results["k_old"].tolist() == [5] and results["k_new"].tolist() == [5]
    from helpers.analysis.outcome import analyse

    expected = analyse(load(new), "score", moderators=[]).recommended
    assert results["estimate_new"].iloc[0] == expected.estimate


def test_every_row_of_both_states_is_accounted_for(tmp_path):
    rng = np.random.default_rng(7)
    table = [
        row(f"e{i}", study=f"s{i % 3}", mean_treated=12 + round(float(rng.normal()), 2))
        for i in range(40)
    ]
    for attempt in range(8):
        states = []
        for _ in "ab":
            kept = [dict(line) for line in table if rng.random() < 0.7]
            for line in kept:
                if rng.random() < 0.15:
                    line["mean_treated"] += 1
                if rng.random() < 0.15:
                    line["experiment"] += "-renamed"
            states.append(kept)
        sheet = 'columns = { experiment = "row" }' if attempt % 2 else ""
        folders = [
            write(tmp_path / f"{attempt}{n}", part, sheet)
            for n, part in zip("ab", states, strict=True)
        ]
        found = compared(*folders)
        account, (one, two) = found.account, (load(folder).experiments for folder in folders)
        shared = account["unchanged"] + account["changed"] + account["renamed"]
        assert shared + account["removed"] == account["before"] == len(states[0])
        assert shared + account["added"] == account["after"] == len(states[1])
        named = found.rows.groupby("change")["experiment"].agg(set).to_dict()
        for change in ("added", "removed", "renamed", "changed"):
            assert len(named.get(change, ())) == account[change]
        # Who is not named is in both, with the same numbers.
        old_names = set(found.rows.loc[found.rows["change"] == "renamed", "old"])
        quiet = set(one.index) - named.get("removed", set()) - named.get("changed", set())
        numbers = ["mean_treated", "study", "n_control"]
        for name in quiet - old_names:
            assert one.loc[name, numbers].tolist() == two.loc[name, numbers].tolist()


def test_a_renamed_experiment_is_none_that_went_and_came(tmp_path):
    old = write(
        tmp_path / "a", rows(4), exclusions=[{"experiment": "e1", "reason": "x", "by": "y"}]
    )
    later = [line | {"experiment": "Doe 2019"} if line["experiment"] == "e1" else line
             for line in rows(4)]  # fmt: skip
    later[1]["study"] = "s-e1"
    new = write(
        tmp_path / "b", later, exclusions=[{"experiment": "Doe 2019", "reason": "x", "by": "y"}]
    )
    assert compared(old, new).rows.values.tolist() == [
        ["Doe 2019", "renamed", "experiment", "e1", "Doe 2019"]
    ]


def test_a_row_put_above_the_others_renames_those_that_are_called_by_their_row(tmp_path):
    by_row = 'columns = { experiment = "row" }'
    old = write(tmp_path / "a", rows(4), by_row)
    found = compared(old, write(tmp_path / "b", [row("new", mean_treated=20), *rows(4)], by_row))
    assert found.rows["change"].value_counts().to_dict() == {"renamed": 4, "added": 1}
    assert found.account["renamed"] == 4 and found.account["changed"] == 0


def test_a_conclusion_that_flips_is_named(tmp_path):
    good = [row(f"e{i}", mean_treated=14 + i / 10) for i in range(5)]
    bad = [line | {"mean_treated": 4 + i / 10} for i, line in enumerate(good)]
    folders = write(tmp_path / "a", good), write(tmp_path / "b", bad)
    assert compared(*folders).results["flipped"].all()
    flip = "95% CI excludes 0, favouring treated → 95% CI excludes 0, favouring the control"
    assert f"FLIPPED: {flip}" in text_of(*folders)


def test_an_outcome_that_is_new_is_no_conclusion_that_flipped(tmp_path):
    more = FAMILY + '[[families.outcomes]]\nid = "pain"\nlabel = "Pain"\nbetter = "lower"\n'
    table = [*rows(4), *(row(f"p{i}", outcome="pain") for i in range(3))]
    folders = write(tmp_path / "a", rows(4)), write(tmp_path / "b", table, toml=more)
    results = compared(*folders).results.set_index("outcome")
    assert not results["flipped"].any() and results.loc["pain", "k_old"] == 0
    assert "pain: no rows to SMD" in text_of(*folders)


def test_settings_that_numbers_depend_on_are_named_and_texts_are_not(tmp_path):
    old = write(tmp_path / "a", rows(4))
    text = (old / "review.toml").read_text()
    new = write(tmp_path / "b", rows(4))
    (new / "review.toml").write_text(
        text.replace('better = "higher"', 'better = "lower"').replace('"Score"', '"Points"')
        + '[settings]\nmethod = "DL"\n'
    )
    assert compared(old, new).settings.values.tolist() == [
        ["families.movement.outcomes.score.better", "higher", "lower"],
        ["settings.method", "", "DL"],
    ]
    assert "setting settings.method: not said to DL" in text_of(old, new)
    assert compared(old, new).results["flipped"].all()  # what was benefit is harm


def titled(folder, title, **extra):
    write(folder, rows(4), **extra)
    path = folder / "review.toml"
    path.write_text(title + path.read_text().split("\n", 1)[1])
    return folder


@pytest.mark.parametrize(
    ("one", "two", "is_one"),
    [
        ('title = "A"\nid = "x"\n', 'title = "B"\nid = "x"\n', True),
        ('title = "A"\nid = "x"\n', 'title = "A"\nid = "y"\n', False),
        ('title = "A"\n', 'title = "A"\nid = "y"\n', True),
        ('title = "A"\n', 'title = "B"\nid = "y"\n', False),
        ('title = "A"\n', 'title = "B"\n', False),
    ],
)
def test_two_reviews_are_never_mixed(tmp_path, capsys, one, two, is_one):
    folders = [str(titled(tmp_path / n, text)) for n, text in (("a", one), ("b", two))]
    assert command.main(["diff", *folders]) == (0 if is_one else 2)
    assert is_one or "a and b are different reviews" in capsys.readouterr().err
    # `check` says it of the version that a review names as the one before.
    path = tmp_path / "b" / "review.toml"
    path.write_text('previous = "../a"\n' + path.read_text())
    assert command.main(["check", folders[1]]) == (0 if is_one else 2)
    assert is_one or "this is another review" in capsys.readouterr().out


def test_disjoint_states_say_so(tmp_path):
    others = [row(f"f{i}", mean_treated=10 + i) for i in range(3)]
    folders = write(tmp_path / "a", rows(4)), write(tmp_path / "b", others)
    assert "No experiment is called the same in both states" in text_of(*folders)


def test_command_line_of_diff(tmp_path, capsys):
    folders = [str(write(tmp_path / name, rows(k))) for name, k in (("a", 4), ("b", 5))]
    assert command.main(["diff", *folders]) == 0
    assert "1 experiment added" in capsys.readouterr().out


def test_two_extractors(tmp_path):
    a = [
        {"id": f"x{i}", "species": "rat" if i % 2 else "mouse", "mean": 10.0 + i, "n": 8}
        for i in range(6)
    ]
    b = [dict(line) for line in a]
    b[1] |= {"species": "mouse", "mean": "11.00"}
    b[2] |= {"mean": 12.3}
    b[5] |= {"id": "x9"}
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, table in zip(paths, (a, b), strict=True):
        write_csv(path, table)
    agreement, differing, reconciled = compare_sheets(*paths)
    assert agreement.set_index("column")["agree"].to_dict() == {"species": 4, "mean": 4, "n": 5}
    assert differing.values.tolist() == [
        ["x1", "species", "rat", "mouse"], ["x2", "mean", "12.0", "12.3"],
        ["x5", "", "only here", ""], ["x9", "", "", "only here"],
    ]  # fmt: skip
    settled = reconciled.set_index("id")
    assert settled.loc["x2", "mean"] == "12.0 | 12.3" and settled.loc["x1", "mean"] == "11.0"
    assert len(settled) == 7
    near = compare_sheets(*paths, tolerance=0.05)[2].set_index("id")
    assert float(near.loc["x2", "mean"]) == pytest.approx(12.15)


def test_kappa_is_cohens(tmp_path):
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, by chance 0.5, kappa 0.4
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    for side in (0, 1):
        write_csv(
            tmp_path / f"{side}.csv", [{"id": i, "bias": p[side]} for i, p in enumerate(pairs)]
        )
    agreement = compare_sheets(tmp_path / "0.csv", tmp_path / "1.csv")[0]
    assert agreement["kappa"].tolist() == [pytest.approx(0.4)]


def test_what_is_still_to_be_settled_is_refused_by_the_check(tmp_path):
    a, b = rows(3), rows(3)
    b[1]["mean_treated"] = 99
    write_csv(tmp_path / "a.csv", a)
    write_csv(tmp_path / "b.csv", b)
    out = tmp_path / "both.csv"
    arguments = ["compare", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--out", str(out)]
    assert command.main(arguments) == 1
    folder = write(tmp_path / "r", pd.read_csv(out, dtype=str).to_dict("records"))
    with pytest.raises(ReviewError, match=r"a number is due here.*'11.5 \| 99'"):
        load(folder)


def test_sheets_without_a_common_key_are_refused(tmp_path):
    write_csv(tmp_path / "a.csv", [{"x": 1}, {"x": 1}])
    write_csv(tmp_path / "b.csv", [{"x": 1}, {"x": 2}])
    with pytest.raises(ReviewError, match="--key"):
        compare_sheets(tmp_path / "a.csv", tmp_path / "b.csv")


def test_sheets_without_a_common_id_say_so(tmp_path, capsys):
    from helpers.__main__ import main

    (tmp_path / "a.csv").write_text("id,word\ne1,mouse\ne2,rat\n")
    (tmp_path / "b.csv").write_text("id,word,more\nf1,mouse,1\nf2,rat,2\n")
    assert main(["compare", str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]) == 1
    shown = capsys.readouterr().out
    assert "no id stands in both sheets" in shown and shown.count("only here") == 5
    differing = compare_sheets(tmp_path / "a.csv", tmp_path / "b.csv")[1]
    assert [tuple(line) for line in differing.to_numpy()] == [
        ("", "more", "", "only here"),
        ("e1", "", "only here", ""),
        ("e2", "", "only here", ""),
        ("f1", "", "", "only here"),
        ("f2", "", "", "only here"),
    ]


def test_moderators_and_missing_values_are_compared_by_what_the_sheet_says(tmp_path):
    toml = (
        FAMILY
        + '[[moderators]]\nid = "weight"\n[[moderators]]\nid = "n_treated"\ncolumn = "mine"\n'
    )
    table = [row(f"e{i}", weight="", mine=i, follow_up_days="") for i in range(4)]
    old = write(tmp_path / "a", table, toml=toml)
    new = [dict(line) for line in table]
    new[1]["weight"], new[2]["mine"] = 250, 9
    found = compared(old, write(tmp_path / "b", new, toml=toml))
    assert found.rows.values.tolist() == [
        ["e1", "changed", "moderator: weight", "", "250.0"],
        ["e2", "changed", "moderator: n_treated", "2.0", "9.0"],
    ]
    assert (found.results["estimate_old"] == found.results["estimate_new"]).all()


def test_a_moderator_that_only_one_state_has_is_a_setting_not_a_change_of_all_rows(tmp_path):
    table = [row(f"e{i}", weight=200 + i) for i in range(4)]
    toml = FAMILY + '[[moderators]]\nid = "weight"\n'
    found = compared(write(tmp_path / "a", table), write(tmp_path / "b", table, toml=toml))
    assert found.rows.empty
    assert found.settings["setting"].tolist() == ["moderators.weight.id"]


def test_an_empty_cell_is_no_name_of_a_row(tmp_path):
    for name in "ab":
        write_csv(tmp_path / f"{name}.csv", [{"id": "", "n": "5"}, {"id": "x", "n": "6"}])
    with pytest.raises(ReviewError, match="no column names each row once"):
        compare_sheets(tmp_path / "a.csv", tmp_path / "b.csv", key="id")


def test_a_key_may_be_called_like_a_column_of_the_comparison(tmp_path):
    for name, n in (("a", "5"), ("b", "6")):
        write_csv(tmp_path / f"{name}.csv", [{"column": "x", "n": n}])
    _, differing, _ = compare_sheets(tmp_path / "a.csv", tmp_path / "b.csv", key="column")
    assert differing.columns.is_unique and differing.iloc[0].tolist() == ["x", "n", "5", "6"]


def test_the_reconciled_sheet_is_written_without_formulas_and_its_other_cells_as_they_were(
    tmp_path,
):
    table = [{"id": "x1", "note": "=1+1", "mean": "-1.5", "sd": "-"}]
    for name in "ab":
        write_csv(tmp_path / f"{name}.csv", table)
    out = tmp_path / "both.csv"
    arguments = ["compare", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--out", str(out)]
    from helpers.__main__ import main

    assert main(arguments) == 0
    assert out.read_bytes() == b"id,note,mean,sd\nx1,'=1+1,-1.5,-\n"
