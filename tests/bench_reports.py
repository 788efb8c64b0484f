"""How long reports take and how large they are, beside an R Markdown report (`make bench`).

Every time is that of a whole process, the median of several runs. The R Markdown report shows one
of the 26 outcomes with metafor: a forest plot, six tables, funnel, radial and influence plots.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from helpers import render, shelf
from helpers.description import PROJECT, describe
from helpers.plan import NOTEBOOKS, due, inputs, plan

HERE = Path(__file__).parent
R_REPORT = (
    "rmarkdown::render('{0}/bench_report.Rmd', output_dir = '{1}', "
    "intermediates_dir = '{1}', quiet = TRUE, params = list(sheet = '{2}'))"
)
HEADER = (
    "experiment,study,cohort,control_group,outcome,n_treated,mean_treated,sd_treated,n_control,"
    "mean_control,sd_control,follow_up_days,species,provenance"
)
DESCRIPTION = """\
title = "A made-up review"
[evidence]
kind = "simulated"
notice = "Simulated rows."
[sheet]
file = "experiments.csv"
[[families]]
id = "made_up"
label = "Made up"
[[families.outcomes]]
id = "score"
label = "Score"
better = "higher"
[[moderators]]
id = "species"
label = "Species"
levels = ["Mice", "Rat"]
"""


def main():
    """Measure and print; a row a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each stage (5)")
    parser.add_argument("--rows", type=int, nargs="*", default=[72, 561, 5_000, 50_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}\n")
        whole_processes(out, options.runs)
        stages(out)
        for path in sorted(out.glob("*.html")):
            print(f"{path.name:<48}{path.stat().st_size / 1e6:8.2f} MB")
        for rows in options.rows:
            growth(Path(folder), rows)


def whole_processes(out, runs):
    """Time the commands that a user gives."""
    show("all reports, nothing there", [command(out, "--force") for _ in range(runs)])
    show("nothing changed", [command(out) for _ in range(runs)])
    show("one family", [command(out, "locomotion", "--force") for _ in range(runs)])
    spawned = {"PRECLINICAL_KERNEL": "spawn"}
    show("all reports, ordinary kernels", [command(out, "--force", **spawned)])
    print(f"{'memory of all processes, at most':<48}{peak(out):8.0f} MB")
    if shutil.which("Rscript"):
        sheet = PROJECT / "data/sci_exosomes/experiments.csv"
        code = R_REPORT.format(HERE, out.parent, sheet)
        show(
            "R Markdown and metafor, one outcome", [run("Rscript", "-e", code) for _ in range(runs)]
        )
        size = (out.parent / "bench_report.html").stat().st_size
        print(f"{'its size':<48}{size / 1e6:8.2f} MB")


def stages(out):
    """Time the parts of one call, in this process."""
    begun = time.perf_counter()

    def lap(name):
        nonlocal begun
        print(f"{'  ' + name:<48}{time.perf_counter() - begun:8.2f} s")
        begun = time.perf_counter()

    print("one call, part by part")
    description = describe()
    jobs = plan(description, notebooks=NOTEBOOKS)
    lap("description, notebooks, hash of the code")
    due(jobs, shelf.remembered(out), inputs(description), out)
    lap("what is due: hashes of inputs and reports")
    with render._Kernels(description) as kernels:
        kernels.checked()
        lap("imports here and in the nursery, check")
        for job, _ in render._run(jobs, render._cores(), kernels, description, _Silent()):
            lap(f"until {job.family} was done")
    lap("end of the kernels")
    shelf.put_index(out, description, shelf.remembered(out))
    lap("index")


class _Silent:
    begun = ended = cell = staticmethod(lambda *_: None)


def growth(folder, rows):
    """Time a report of one outcome with many rows."""
    review, out = folder / f"rows-{rows}", folder / f"out-{rows}"
    review.mkdir()
    (review / "review.toml").write_text(DESCRIPTION)
    (review / "experiments.csv").write_text(f"{HEADER}\n" + "".join(simulated(rows)))
    try:
        spent = command(out, "made_up", "--review", str(review))
        size = (out / "made_up.html").stat().st_size / 1e6
        print(f"{f'{rows:,} rows':<48}{spent:8.2f} s{size:8.2f} MB")
    except subprocess.SubprocessError as error:
        print(f"{f'{rows:,} rows':<48}{type(error).__name__}")


def simulated(rows):
    """Lines of a sheet: studies of three experiments, a true effect of 1.5 with an SD of 1."""
    rng = np.random.default_rng(1)
    n = rng.integers(5, 13, (rows, 2))
    mean = 10 + rng.normal(1.5, 1, rows)
    for i in range(rows):
        yield (
            f"e{i},s{i // 3},c{i},g{i},score,{n[i, 0]},{mean[i]:.3f},1,{n[i, 1]},10,1,28,"
            f"{('Mice', 'Rat')[i % 2]},simulated\n"
        )


def command(out, *arguments, **environment):
    """Seconds that one rendering takes."""
    arguments = ["-m", "helpers", "render", *arguments, "--out", str(out), "--quiet"]
    return run(sys.executable, *arguments, **environment)


def run(*arguments, **environment):
    """Seconds that a process takes from its start to its end."""
    begun = time.perf_counter()
    subprocess.run(
        arguments, check=True, timeout=600, cwd=PROJECT, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - begun


def peak(out):
    """Megabytes that a rendering and all its processes hold at most, what they share once."""
    most, over = 0, threading.Event()
    before = (
        set(map(int, filter(str.isdigit, os.listdir("/proc")))) if os.path.isdir("/proc") else None
    )
    if before is None:
        return float("nan")

    def watch():
        nonlocal most
        while not over.wait(0.2):
            most = max(most, sum(map(proportional, new_processes(before))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    command(out, "--force")
    over.set()
    watcher.join()
    return most / 1e3


def new_processes(before):
    """Processes of this session's commands: those that were not there before."""
    return set(map(int, filter(str.isdigit, os.listdir("/proc")))) - before


def proportional(pid):
    """Kilobytes of a process, a shared page divided by the number of its users."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if b"helpers" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return 0
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def show(name, seconds):
    """Print a median with its range."""
    middle = statistics.median(seconds)
    spread = f"  ({min(seconds):.2f} to {max(seconds):.2f})" if len(seconds) > 1 else ""
    print(f"{name:<48}{middle:8.2f} s{spread}", flush=True)


if __name__ == "__main__":
    main()
