"""Small made-up reviews for the tests of reading, mapping and checking."""

import csv
from pathlib import Path

HEAD = (
    "experiment", "study", "outcome", "n_treated", "mean_treated", "sd_treated", "n_control",
    "mean_control", "sd_control",
)  # fmt: skip
FAMILY = """
[[families]]
id = "movement"
label = "Movement"

[[families.outcomes]]
id = "score"
label = "Score"
range = [0, 21]
better = "higher"
"""
SPECIES = """
[[moderators]]
id = "species"
label = "Species"
levels = ["mouse", "rat"]
"""


def row(name="e1", **cells):
    """A row of a tidy sheet; any cell can be set."""
    tidy = dict(
        experiment=name, study=f"s-{name}", outcome="score", n_treated=8, mean_treated=12.5,
        sd_treated=2.5, n_control=6, mean_control=9.25, sd_control=2.25,
    )  # fmt: skip
    return tidy | cells


def rows(k=3):
    return [row(f"e{i}", mean_treated=11 + i * 0.5) for i in range(k)]


def write(folder, table, sheet="", *, toml="", file="experiments.csv", separator=",", **extra):
    """A review folder with one sheet; `sheet` is the body of [sheet], `extra` further files."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True, parents=True)
    text = f'title = "Made up"\n[sheet]\nfile = "{file}"\n{sheet}\n{toml or FAMILY}'
    (folder / "review.toml").write_text(text, encoding="utf-8")
    if isinstance(table, list):
        write_csv(folder / file, table, separator)
    for name, lines in extra.items():
        write_csv(folder / f"{name}.csv", lines)
    return folder


def write_csv(path, table, separator=","):
    columns = list(dict.fromkeys(column for line in table for column in line))
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, delimiter=separator, restval="")
        writer.writeheader()
        writer.writerows(table)
