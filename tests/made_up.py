"""A made-up review of any size, seeded, for benchmarks and tests of size."""

import numpy as np
import pandas as pd

REVIEW = """\
title = "A made-up review"
evidence = { kind = "simulated", notice = "Simulated rows." }
sheet = { file = "experiments.csv" }
moderators = [
  { id = "species", label = "Species", levels = ["mouse", "rat", "pig"] },
  { id = "dose", label = "Dose" },
]
[[families]]
id = "made_up"
label = "Made up"
outcomes = [{ id = "score", label = "Score", better = "higher" }]
"""


def simulate(folder, rows):
    """Write a review of one outcome."""
    _write(folder, REVIEW, table(rows, np.random.default_rng(rows)))


def simulate_many(folder, families, outcomes, rows):
    """Write a review of several families, each of several outcomes, each of several rows."""
    rng, head = np.random.default_rng(rows), REVIEW.partition("[[families]]")[0]
    tables, text = [], [f"id = {folder.name!r}\n{head}"]
    for family in range(families):
        text.append(f'[[families]]\nid = "family_{family}"\nlabel = "Family {family}"\n')
        for name in (f"score_{family}_{number}" for number in range(outcomes)):
            text.append(
                f'[[families.outcomes]]\nid = "{name}"\nlabel = "{name}"\nbetter = "higher"\n'
            )
            one = table(rows, rng).assign(outcome=name)
            tables.append(one.assign(experiment=[f"{name}_{each}" for each in one["experiment"]]))
    _write(folder, "".join(text), pd.concat(tables))


def table(rows, rng):
    """Rows of an outcome: studies of one to four experiments; in half of them, on one control."""
    study = np.repeat(np.arange(rows), rng.integers(1, 5, rows))[:rows]
    control = np.where(rng.random(rows)[study] < 0.5, study, rows + np.arange(rows))
    n, n_control = rng.integers(5, 13, rows), rng.integers(5, 13, 2 * rows)[control]
    effect = 1 + 0.7 * rng.normal(size=rows)[study] + 0.7 * rng.normal(size=rows)
    mean_control = rng.normal(10, 0.4, 2 * rows)[control].round(3)
    return pd.DataFrame({
        "experiment": [f"e{i}" for i in range(rows)], "study": [f"s{i}" for i in study],
        "cohort": [f"c{i}" for i in range(rows)], "control_group": [f"g{i}" for i in control],
        "outcome": "score", "n_treated": n,
        "mean_treated": (mean_control + effect + rng.normal(0, 0.4, rows)).round(3),
        "sd_treated": rng.uniform(0.6, 1.6, rows).round(3), "n_control": n_control,
        "mean_control": mean_control, "sd_control": rng.uniform(0.6, 1.6, 2 * rows)[control].round(3),
        "follow_up_days": 28, "species": rng.choice(["mouse", "rat", "pig"], rows),
        "dose": rng.integers(1, 20, rows), "provenance": "simulated",
    })  # fmt: skip


def _write(folder, review, rows):
    folder.mkdir()
    (folder / "review.toml").write_text(review)
    rows.to_csv(folder / "experiments.csv", index=False)
