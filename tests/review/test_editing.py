"""One setting of review.toml changed, and not a byte besides."""

import os
import tomllib

import pytest
from own_review import FAMILY, row, rows, write, write_csv

from helpers import __main__ as command
from helpers.problems import ReviewError
from helpers.review.editing import edit

KINDS = """\
# A review.
unconfirmed = [
  "sheet.columns.study",  # who wrote it
  "families.outcomes.il_6.better", "moderators.dose",
  "sheet.missing",
]

title = 'Größe "µ"'   # with an odd letter
  treated   =   "drug"

[sheet]   # the sheet
file = "s.csv"
decimal='.'
outliers = { sd = 3.3 , by="outcome" }  # inline
values.strain."Big Rats, old" = "rat"
values.strain.'Mäuse = klein' = "mouse"   # dotted
missing = [
  "NS", # not said
  'NA',
]

[sheet.columns]  # guessed
study = "Paper"  # guessed, or Author
"mean_treated"   = "Mean Drug (µg)"  # quoted

# What was measured.

[[families]]
id = "blood"
  [[families.outcomes]]
  id = "il_6"
  better = "higher"  # guessed: the direction that is benefit

  [[families.outcomes]]
  id = "tnf"
  better = "higher"
  range = [0, 21] # a scale

[[families]]
id = "tissue"
outcomes = [ {id = "area", better = "higher"}, { id="depth" , better="higher" } ]

[[moderators]]
id = "dose"
column = "Dose"

# the end
"""


@pytest.fixture(params=["\n", "\r\n"], ids=["LF", "CRLF"])
def kinds(tmp_path, request):
    """A review with a file of all kinds, and what writes its text in the file's line ends."""
    path = tmp_path / "review.toml"

    def lines(text):
        return text.replace("\n", request.param).encode()

    path.write_bytes(lines(KINDS))
    return path, lines


@pytest.mark.parametrize(
    "setting, before, after",
    [
        ("treated=Exosomes", 'treated   =   "drug"', 'treated   =   "Exosomes"'),
        ("sheet.decimal=,", "decimal='.'", 'decimal=","'),
        ('sheet.decimal=","', "decimal='.'", 'decimal=","'),
        ("sheet.outliers.sd=2.5", "{ sd = 3.3 , by", "{ sd = 2.5 , by"),
        ('sheet.values.strain."Big Rats, old"=mouse', 'old" = "rat"', 'old" = "mouse"'),
        ("sheet.values.strain.Big Rats, old = mouse", 'old" = "rat"', 'old" = "mouse"'),
        ("sheet.values.strain.'Mäuse = klein'=Maus", '= "mouse"   #', '= "Maus"   #'),
        ("sheet.columns.mean_treated=2024", '"Mean Drug (µg)"  #', '"2024"  #'),
        ("families.outcomes.tnf.range=[1, 9]", "range = [0, 21] #", "range = [1, 9] #"),
        ("families.outcomes.tnf.better=lower", 'tnf"\n  better = "higher"', 'tnf"\n  better = "lower"'),
        ("families.tissue.outcomes.area.better=lower", 'area", better = "higher"',
         'area", better = "lower"'),
        ("families.outcomes.depth.better=neither", 'depth" , better="higher"',
         'depth" , better="neither"'),
        ("moderators.dose.column=Dose (mg)", '"Dose"', '"Dose (mg)"'),
    ],
)  # fmt: skip
def test_a_value_changes_and_nothing_else(kinds, setting, before, after):
    path, lines = kinds
    assert KINDS.count(before) == 1
    edit(path.parent, [setting])
    assert path.read_bytes() == lines(KINDS.replace(before, after))


@pytest.mark.parametrize(
    "setting, behind, added",
    [
        ("sheet.columns.outcome=Marker", "# quoted\n", 'outcome = "Marker"\n'),
        ("sheet.thousands=", "  'NA',\n]\n", 'thousands = ""\n'),
        ("moderators.dose.label=Dose per day", 'column = "Dose"\n', 'label = "Dose per day"\n'),
        ("control=saline", 'treated   =   "drug"\n', 'control = "saline"\n'),
    ],
)  # fmt: skip
def test_a_new_setting_stands_behind_the_last_of_its_table(kinds, setting, behind, added):
    path, lines = kinds
    edit(path.parent, [setting])
    assert path.read_bytes() == lines(KINDS.replace(behind, behind + added))


@pytest.mark.parametrize(
    "setting, table",
    [
        ("model.rho=0.3", {"model": {"rho": 0.3}}),
        ("sheet.constants.error_type=SEM", {"constants": {"error_type": "SEM"}}),
        ("sheet.values.sex.M=male", {"sex": {"M": "male"}}),
        ("regressions=[{terms = ['dose']}]", {"regressions": [{"terms": ["dose"]}]}),
    ],
)
def test_a_table_that_is_not_there_is_made(kinds, setting, table):
    path, lines = kinds
    edit(path.parent, [setting])
    new = path.read_bytes()
    for line in lines(KINDS).splitlines(keepends=True):
        assert line in new
    assert new.count(b"\r\n") in (0, new.count(b"\n"))
    config = tomllib.loads(new.decode())
    (name,) = table
    holder = {"constants": config["sheet"], "sex": config["sheet"]["values"]}.get(name, config)
    assert holder[name] == table[name]
    del holder[name]
    assert config == tomllib.loads(KINDS)


def test_a_new_table_stands_before_the_comment_of_the_next(tmp_path):
    text = 'title = "T"\n\n[sheet.columns]\nstudy = "A" # a\n\n# The families\n[[families]]\nid = "f"\n'
    text += '[[families.outcomes]]\nid = "o"\nbetter = "lower"\n'
    (tmp_path / "review.toml").write_text(text)
    edit(tmp_path, ["sheet.constants.cohort=c"])
    new = '"A" # a\n\n[sheet.constants]\ncohort = "c"\n\n# The families'
    assert (tmp_path / "review.toml").read_text() == text.replace('"A" # a\n\n# The families', new)


def test_a_review_with_sub_tables_only_takes_settings_of_the_table(tmp_path):
    text = '[sheet.columns]\nstudy = "A"\n\n[[families]]\nid = "f"\n'
    text = f'title = "T"\n\n{text}\n[[families.outcomes]]\nid = "o"\nbetter = "lower"'
    (tmp_path / "review.toml").write_text(text)
    edit(tmp_path, ["sheet.decimal=,", "families.f.outcomes.o.unit=mm"])
    config = tomllib.loads((tmp_path / "review.toml").read_text())
    assert config["sheet"] == {"columns": {"study": "A"}, "decimal": ","}
    assert config["families"][0]["outcomes"][0] == {"id": "o", "better": "lower", "unit": "mm"}


def test_what_was_set_or_confirmed_leaves_the_unconfirmed(kinds):
    path, lines = kinds
    changes = edit(
        path.parent,
        ["sheet.columns.study=Author", "families.blood.outcomes.il_6.better"],
        confirm=["sheet.missing"],
    )
    said = list(map(str, changes))
    assert said[0] == 'sheet.columns.study = "Author" (was "Paper"), confirmed'
    assert said[1] == 'families.blood.outcomes.il_6.better = "higher" as before, confirmed'
    assert said[2] == 'sheet.missing = ["NS", "NA"] as before, confirmed'
    new = path.read_bytes().decode()
    assert tomllib.loads(new)["unconfirmed"] == ["moderators.dose"]
    at = new.index("title")
    rest = lines(KINDS).decode()
    assert new[at:] == rest[rest.index("title") :].replace('"Paper"', '"Author"')
    edit(path.parent, ["moderators.dose"])
    assert tomllib.loads(path.read_text())["unconfirmed"] == []


def test_a_list_of_unconfirmed_on_one_line_stays_on_it(tmp_path):
    write(tmp_path, rows(), 'missing = ["NR"]\ndecimal = "."')
    path = tmp_path / "review.toml"
    names = ("sheet.missing", "sheet.decimal", "families.outcomes.score")
    text = path.read_text()
    for place, name in enumerate(names):
        listed = ", ".join(f'"{each}"' for each in names)
        left = ", ".join(f'"{each}"' for each in (*names[:place], *names[place + 1 :]))
        path.write_text(f"unconfirmed = [{listed}] # guesses\n{text}")
        edit(tmp_path, [name])
        assert path.read_text() == f"unconfirmed = [{left}] # guesses\n{text}"


def test_a_setting_is_taken_out(kinds):
    path, lines = kinds
    edit(path.parent, remove=["sheet.outliers", "moderators.dose"])
    config = tomllib.loads(KINDS)
    del config["sheet"]["outliers"], config["moderators"][0]
    config["unconfirmed"].remove("moderators.dose")
    assert tomllib.loads(path.read_text(encoding="utf-8")) == config
    assert b"# the sheet" in path.read_bytes() and lines("# dotted\n") in path.read_bytes()


@pytest.mark.parametrize(
    "setting, said",
    [
        ("sheet.colums.study=A", "Did you mean 'columns'?"),
        ("decimal=,", "It belongs under [sheet]"),
        ("sheeet.decimal=,", "Did you mean 'sheet'?"),
        ("families.outcomes.il_7.better=lower", "Did you mean 'families.outcomes.il_6.better'?"),
        ("sheet.columns.studdy", "Did you mean 'sheet.columns.study'?"),
        ("families.outcomes.il_6.beter=lower", "Did you mean 'better'?"),
        ("families.outcomes.il_6.better=lowr", "Did you mean 'lower'?"),
        ("sheet.header=two", "the number of a row"),
        ("sheet.header=2.5", "the number of a row"),
        ("sheet.control_n_is_split=yes", "true or false is due here"),
        ("sheet.missing=NS", "sheet.missing=\"['NS']\""),
        ("sheet.missing=[1]", "a text is due here"),
        ("families.outcomes.tnf.range=[9, 1]", "a range"),
        ("sheet.columns=Paper", "Set one of them, such as sheet.columns.study"),
        ("families=x", "this holds settings of its own"),
        ("sheet.columns.study=", "there is no value behind the ="),
        ("sheet.columns.study='Paper", "not closed"),
        ("settings.measure=SDM", "SMD"),
        ("sheet.columns.study.first=A", "no such setting"),
        ("=x", "this is no KEY=VALUE"),
        ("unconfirmed=['sheet.columns.stud']", "Did you mean 'sheet.columns.study'?"),
    ],
)
def test_what_cannot_be_is_refused_and_the_file_kept(kinds, setting, said):
    path, lines = kinds
    for settings in ([setting], ["treated=new", setting]):
        with pytest.raises(ReviewError) as error:
            edit(path.parent, settings)
        assert said in str(error.value)
        assert path.read_bytes() == lines(KINDS)
    assert os.listdir(path.parent) == ["review.toml"]


def test_entries_of_a_list_are_taken_out_together(tmp_path):
    more = "".join(f'\n[[moderators]]\nid = "m{i}"\n' for i in range(4))
    write(tmp_path, rows(), toml=FAMILY + more)
    edit(tmp_path, ["moderators.m3.label=Last"], remove=["moderators.m0", "moderators.m2"])
    config = tomllib.loads((tmp_path / "review.toml").read_text())
    assert config["moderators"] == [{"id": "m1"}, {"id": "m3", "label": "Last"}]


def test_all_faults_come_at_once_and_twice_is_one(kinds):
    path, lines = kinds
    with pytest.raises(ReviewError) as error:
        edit(
            path.parent,
            ["treated=a", "treated=b", "sheet.missing=x", "no.such"],
            remove=["title=3"],
        )
    assert [found.column for found in error.value.findings] == [
        "treated", "sheet.missing", "no.such", "title",
    ]  # fmt: skip
    with pytest.raises(ReviewError, match="title"):
        edit(path.parent, remove=["title"])
    assert path.read_bytes() == lines(KINDS)


def test_an_outcome_of_two_families_is_named_with_its_family(tmp_path):
    twice = FAMILY + FAMILY.replace("movement", "other")
    write(tmp_path, rows(), toml=twice)
    with pytest.raises(ReviewError, match=r"movement\.outcomes\.score\.better, families\.other"):
        edit(tmp_path, ["families.outcomes.score.better=lower"])
    before = (tmp_path / "review.toml").read_text()
    edit(tmp_path, ["families.other.outcomes.score.better=lower"])
    start, _, end = before.rpartition('"higher"')
    assert (tmp_path / "review.toml").read_text() == f'{start}"lower"{end}'


def test_a_file_with_a_fault_can_be_mended_setting_by_setting(tmp_path):
    path = tmp_path / "review.toml"
    path.write_bytes(KINDS.replace('better = "higher"', 'better = "up"').encode())
    edit(tmp_path, ["families.outcomes.il_6.better=lower"])
    assert path.read_text(encoding="utf-8").count('"up"') == 2
    path.write_text("title = 'a'\nx = [", encoding="utf-8")
    with pytest.raises(ReviewError, match="this is not TOML"):
        edit(tmp_path, ["title=b"])


def test_blanks_are_filled_in_but_not_confirmed(tmp_path):
    write(tmp_path, rows(), '[sheet.constants]\nerror_type = "FILL IN"')
    with pytest.raises(ReviewError, match="still to be filled in"):
        edit(tmp_path, ["sheet.constants.error_type"])
    (change,) = edit(tmp_path, ["sheet.constants.error_type=SEM"])
    assert str(change) == 'sheet.constants.error_type = "SEM" (was "FILL IN")'


def test_numbers_are_numbers_and_words_of_digits_are_words(tmp_path):
    write(tmp_path, rows())
    edit(tmp_path, ["sheet.constants.n_control=8", "sheet.constants.cohort=1_2",
                    "sheet.constants.study=007", "sheet.constants.provenance=nan"])  # fmt: skip
    text = (tmp_path / "review.toml").read_text()
    assert tomllib.loads(text)["sheet"]["constants"] == {
        "n_control": 8, "cohort": "1_2", "study": "007", "provenance": "nan",
    }  # fmt: skip


def test_the_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    write(tmp_path, rows())
    path = tmp_path / "review.toml"
    path.chmod(0o640)
    before = path.read_bytes()

    def full(*_):
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(OSError, match="full"):
            edit(tmp_path, ["title=New"])
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["experiments.csv", "review.toml"]
    edit(tmp_path, ["title=New"])
    assert path.read_bytes() == before.replace(b"Made up", b"New")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_linked_file_is_changed_where_it_lies(tmp_path):
    write(tmp_path / "real", rows())
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "review.toml").symlink_to(tmp_path / "real" / "review.toml")
    edit(tmp_path / "link", ["title=New"])
    assert (tmp_path / "link" / "review.toml").is_symlink()
    assert 'title = "New"' in (tmp_path / "real" / "review.toml").read_text()


def test_the_command_says_what_was_what_is_and_what_is_wrong_now(tmp_path, capsys):
    table = [row(f"e{i}") | {"Paper": f"p{i}"} for i in range(3)]
    write(tmp_path, table, '[sheet.columns]\nstudy = "study"')
    folder = str(tmp_path)
    assert command.main(["set", folder, "sheet.columns.study=Paper", "title=Two words"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        'sheet.columns.study = "Paper" (was "study")', 'title = "Two words" (was "Made up")',
        "no fault",
    ]  # fmt: skip
    assert command.main(["set", folder, "sheet.columns.study=Papre"]) == 1
    said = capsys.readouterr().out
    assert "fault: " in said and "Paper" in said.splitlines()[1]
    assert command.main(["set", folder, "--remove", "sheet.columns.study"]) == 0
    assert capsys.readouterr().out.startswith("sheet.columns.study was taken out (was")
    before = (tmp_path / "review.toml").read_bytes()
    assert command.main(["set", folder, "sheet.columns.study"]) == 2
    assert command.main(["set", folder]) == 2
    assert "no such setting" in capsys.readouterr().err
    assert (tmp_path / "review.toml").read_bytes() == before


def test_confirming_by_what_a_message_names_works_for_every_guess(tmp_path):
    from helpers.new.folder import new
    from helpers.review.description import describe

    write_csv(tmp_path / "s.csv", [
        {"Paper": f"p {i}", "Marker": "IL 1.5 (pg)", "Strain": "rat" if i else "Rats",
         "n drug": 8, "mean drug": 4 + i, "SEM drug": 1, "n vehicle": 8, "mean vehicle": 3,
         "SEM vehicle": 1}
        for i in range(4)
    ])  # fmt: skip
    new(tmp_path / "r", tmp_path / "s.csv")
    names = describe(tmp_path / "r").unconfirmed
    assert len(names) == 4
    edit(tmp_path / "r", names)
    assert describe(tmp_path / "r").unconfirmed == ()
