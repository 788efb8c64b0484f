"""Made-up states of a living review: folders, or tags of a repository, with a known course."""

import os
import subprocess

from own_review import FAMILY, row, write

TWO = FAMILY + '[[families.outcomes]]\nid = "pain"\nlabel = "Pain"\nbetter = "lower"\n'
# Treated means of the outcome score, of which the control's is 9.25 and the SDs about 2.4.
UNCLEAR, BETTER = [9.5, 9.0, 10.5, 9.2], [12.5, 13.0, 12.0, 13.5, 12.8, 12.2]
WHO = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "A. Doe"), ("EMAIL", "doe@example.org"))
}


def table(means, **cells):
    return [row(f"e{i}", mean_treated=mean, **cells) for i, mean in enumerate(means)]


def states(folder, **extra):
    """Three states: four unclear experiments; six more that help; one of the first is gone."""
    third = table([*UNCLEAR, *BETTER])[1:]
    third[0]["sd_control"] = 2.75
    tables = {"2023-03-01": table(UNCLEAR), "2024-06-01": table([*UNCLEAR, *BETTER]),
              "2025-03-01": third}  # fmt: skip
    return [
        write(folder / f"stroke-{day}", rows, toml=TWO, **extra) for day, rows in tables.items()
    ]


def git(folder, *words, day=None):
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= WHO | {"GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder)}
    if day:
        env |= {f"GIT_{who}_DATE": f"{day}T12:00:00+0000" for who in ("AUTHOR", "COMMITTER")}
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=env, capture_output=True, check=True
    )
    return done.stdout.decode()


def repository(folder, of, tags=("v1", "v2", "v3"), name="stroke"):
    """A repository whose commits hold these states in turn; returns the review's folder."""
    review = folder / name
    review.mkdir(parents=True)
    git(folder, "init", "-q")
    for state, tag in zip(of, tags, strict=True):
        for old in review.iterdir():
            old.unlink()
        for file in state.iterdir():
            (review / file.name).write_bytes(file.read_bytes())
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", tag, day=state.name[-10:])
        git(folder, "tag", tag)
    return review
