"""Short labels: what they leave out, and that no two of a plot are equal."""

from helpers.drawing.text import text_width
from helpers.figures.labels import cut, numbered, shared_head, short


def test_ids_lose_the_beginning_that_all_share():
    ids = [f"reconstructed-locomotion-{n:02}" for n in (1, 12, 72)]
    assert short(ids) == (["01", "12", "72"], "reconstructed-locomotion-")
    several = ["reconstructed-il-18-01", "reconstructed-il-6-01"]
    assert short(several) == (["il-18-01", "il-6-01"], "reconstructed-")


def test_names_and_short_ids_stay_whole():
    for names in (
        ["Huang-Smith et al. of Guangzhou 2017", "Huang-Smith et al. of Guangzhou 2019"],
        ["e-01", "e-02"],
        ["a-single-id-that-is-long-and-alone"],
        ["extraction-sheet-row-", "extraction-sheet-row-1"],
    ):
        assert shared_head(names) == ""
        assert short(names) == (names, "")


def test_a_study_with_several_rows_gets_numbers():
    assert short(["Huang 2020", "Li 2019", "Huang 2020"])[0] == [
        "Huang 2020 (1)", "Li 2019", "Huang 2020 (2)",
    ]  # fmt: skip
    assert numbered(["a", "b"]) == ["a", "b"]


def test_cutting_never_makes_two_labels_equal():
    same_start = [f"A long name that no column would hold, number {n}" for n in range(30)]
    same_ends = [f"A long name that no {n} column would hold at all" for n in range(30)]
    for names in (same_start, same_ends, ["Immediate (<3 hours)", "Immediate (<4 hours)"]):
        fitting = cut(names, 1.1)
        assert len(set(fitting)) == len(names)
        assert max(map(text_width, fitting)) <= 1.1
    assert cut(["Acute (24 to 72 hours)", "Subacute"], 1.1)[0].startswith("Acute (24")
    assert cut(["Other", "Other"], 1.1) == ["Other", "Other"]  # equal before, as levels may be
