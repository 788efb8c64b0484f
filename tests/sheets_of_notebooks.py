"""A made-up review for the notebooks of `tests/notebooks`, a family each."""

from pathlib import Path

NOTEBOOKS = Path(__file__).parent / "notebooks"
SHEET = """\
experiment,study,cohort,control_group,outcome,n_treated,mean_treated,sd_treated,n_control,mean_control,sd_control,follow_up_days,provenance
e1,s1,c1,g1,one,6,2.5,1,6,0,1,28,made up
"""


def make_review(folder, *families):
    folder.mkdir(exist_ok=True)
    lines = ['id = "made_up"', 'title = "A review"', "[sheet]", 'file = "experiments.csv"']
    for family in families:
        lines += ["[[families]]", f'id = "{family}"', f'label = "{family.title()}"']
        for outcome in ("one", "two") if family == "good" else (f"of_{family}",):
            lines += ["[[families.outcomes]]", f'id = "{outcome}"', 'better = "higher"']
    for moderator in ("route", "timing"):
        lines += ["[[moderators]]", f'id = "{moderator}"']
    (folder / "review.toml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "experiments.csv").write_text(SHEET, encoding="utf-8")
    return folder
