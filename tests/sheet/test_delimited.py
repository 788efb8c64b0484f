"""Text files are read strictly: each row of the file is a row of the table, or a fault."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_review import row, rows, write, write_csv

from helpers import writing
from helpers.problems import ReviewError
from helpers.review.check import check
from helpers.review.review import load
from helpers.sheet.files import read_csv, read_table

HEAD = "study,n,mean,sd,note\n"


def table(tmp_path, text, name="s.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path).table


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        ('a,1,2,3,x\nb,1,2,3,"Fig. 2 left\nc,1,2,3,x\nd,1,2,3,x\n', 3),
        ('a,1,2,3,"Fig. 2\nb,1,2,3,x"\nc,1,2,3,x\n', 2),  # closed by chance at a row's end
        ('"a,1,2,3,x\nb",1,2,3,x\nc,1,2,3,x\n', 2),  # in the first column
        ('a,1,"2,3,x\nb,1,2,3,"x\nc,1,2,3,x\n', 2),
        ('a,1,2,3,x\nb,1,2,3,"x" y\n', 3),
        ('a,1,2,"3,x\nb,1,2,3",x\nc,1,2,3,x\n', 2),  # one row of two, of the right width
    ],
)
def test_a_lone_quotation_mark_is_refused_with_its_row(tmp_path, lines, row):
    with pytest.raises(ReviewError, match=f"row {row}: .*quotation mark") as caught:
        table(tmp_path, HEAD + lines)
    assert caught.value.findings[0].row == row


def test_quotation_marks_that_belong_there_are_read(tmp_path):
    text = HEAD + 'a,1,2,3,"said ""no"", twice"\nb,1,2,3,3" wide\nc,1,2,3, "x, y"\n'
    assert table(tmp_path, text)["note"].tolist() == ['said "no", twice', '3" wide', "x, y"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_breaks_in_a_cell_neither_double_nor_move_rows(tmp_path, end):
    lines = ["study,n,mean,sd,note", f'a,1,2,3,"two{end}lines, and more"', "b,4,5,6,x", ""]
    found = table(tmp_path, end.join(lines))
    assert found.index.tolist() == [2, 3]
    assert found["note"].tolist() == ["two\nlines, and more", "x"]


def test_nul_characters_are_refused_with_their_row(tmp_path):
    with pytest.raises(ReviewError, match="row 3: this row holds a NUL"):
        table(tmp_path, (HEAD + "a,1,2,3,x\nb,1\0,2,3,x\n").encode())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(tmp_path, encoding):
    found = table(tmp_path, (HEAD + "Dürr,1,2,3,x\n").encode(encoding))
    assert found["study"].tolist() == ["Dürr"]


def test_the_separator_that_a_spreadsheet_names_is_no_row(tmp_path):
    found = table(tmp_path, "sep=;\nstudy;mean\na, b;1,5\nc, d;2,5\n")
    assert found.index.tolist() == [2, 3] and found["mean"].tolist() == ["1,5", "2,5"]


def test_a_row_that_lacks_a_cell_is_warned_of(tmp_path):
    folder = write(tmp_path, rows(2))
    with open(folder / "experiments.csv", "a") as stream:
        stream.write("e9,s9,score,8,12,2,6,9\n")
    warnings = [str(w) for w in check(folder).warnings]
    assert any("row 4: this row has 8 cells under 9 headings" in text for text in warnings)


def test_letters_that_nobody_sees_do_not_make_another_study(tmp_path):
    found = table(tmp_path, "study,n\nA\u200b 2010,1\n\ufeffA 2010,2\nA\u00a02010,3\n")
    assert set(found["study"]) == {"A 2010"}


@pytest.mark.parametrize("name", ["exclusions.csv", "corrections.csv", "flow.csv"])
def test_every_file_of_a_review_is_read_strictly(tmp_path, name):
    folder = write(tmp_path, rows(3))
    heads = {
        "exclusions.csv": "experiment,reason,by\n",
        "corrections.csv": "row,column,old,new,reason\n",
        "flow.csv": "stage,item,n\n",
    }
    (folder / name).write_text(heads[name] + 'e0,"outlier,me\ne1,outlier,me\n')
    assert f"{name}, row 2: a quotation mark" in str(check(folder))


def test_exclusions_with_semicolons(tmp_path):
    folder = write(tmp_path, rows(3))
    (folder / "exclusions.csv").write_text("experiment;reason;by\ne1;outlier, far;me\n")
    assert load(folder).exclusions["reason"].tolist() == ["outlier, far"]


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\r\t",;'))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(texts=st.lists(NAMES, min_size=1, max_size=5))
def test_what_is_downloaded_can_be_read_again(tmp_path_factory, texts):
    frame = pd.DataFrame({"id": range(len(texts)), "text": texts, "end": "x"})
    path = tmp_path_factory.mktemp("d") / "d.csv"
    path.write_text(writing.csv(frame), encoding="utf-8", newline="")
    found = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert len(found) == len(texts)
    assert found["id"].tolist() == [str(i) for i in range(len(texts))]
    assert found["end"].tolist() == ["x"] * len(texts)


def test_a_carriage_return_in_a_cell_doubles_no_row_of_a_download(tmp_path):
    folder = write(tmp_path, None)
    table = [row(f"e{i}", study=f"s{i}\rmore", mean_treated=11 + i) for i in range(3)]
    write_csv(folder / "experiments.csv", table)
    review = load(folder)
    path = tmp_path / "again.csv"
    path.write_text(writing.csv(review.experiments), newline="")
    assert len(review.experiments) == len(read_csv(path)) == 3
