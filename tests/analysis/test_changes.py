"""What changed between two states, and between two extractors."""

import pandas as pd
import pytest
from own_review import FAMILY, row, rows, write, write_csv

from helpers import __main__ as command
from helpers.analysis.changes import compare_states
from helpers.problems import ReviewError
from helpers.review.review import load
from helpers.sheet.agreement import compare_sheets
from helpers.words.changes import report


def test_nothing_changed(tmp_path):
    folders = [write(tmp_path / name, rows(5)) for name in "ab"]
    found, results = compare_states(*folders)
    assert found.empty and not results["flipped"].any()
    assert results["estimate_old"].tolist() == results["estimate_new"].tolist()
    assert "no row changed" in report(found, results) and "unchanged" in report(found, results)


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
    found, results = compare_states(old, new)
    assert found.values.tolist() == [
        ["e4", "excluded", "", "", "late"],
        ["e1", "included", "", "old", ""],
        ["new", "added", "", "", ""],
        ["e0", "removed", "", "", ""],
        ["e3", "changed", "mean_treated", "12.5", "13.25"],
    ]
    assert results["preset"].tolist() == ["recommended"]
    assert results["k_old"].tolist() == [5] and results["k_new"].tolist() == [5]
    from helpers.analysis.outcome import analyse

    expected = analyse(load(new), "score", moderators=[]).recommended
    assert results["estimate_new"].iloc[0] == expected.estimate


def test_a_conclusion_that_flips_is_named(tmp_path):
    good = [row(f"e{i}", mean_treated=14 + i / 10) for i in range(5)]
    bad = [line | {"mean_treated": 4 + i / 10} for i, line in enumerate(good)]
    found, results = compare_states(write(tmp_path / "a", good), write(tmp_path / "b", bad))
    assert results["flipped"].all()
    assert "FLIPPED: above 0 to below 0" in report(found, results)


def test_command_line_of_diff(tmp_path, capsys):
    folders = [str(write(tmp_path / name, rows(k))) for name, k in (("a", 4), ("b", 5))]
    assert command.main(["diff", *folders]) == 0
    assert "1 added" in capsys.readouterr().out


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
    found, results = compare_states(old, write(tmp_path / "b", new, toml=toml))
    assert found.values.tolist() == [
        ["e1", "changed", "weight", "", "250.0"],
        ["e2", "changed", "moderator: n_treated", "2.0", "9.0"],
    ]
    assert (results["estimate_old"] == results["estimate_new"]).all()


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
