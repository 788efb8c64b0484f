"""How long reports take, how much memory and how large they are (`make bench`).

Every line is a whole process from its start to its end, set-up not counted: the median of several
runs. Where Rscript, rmarkdown, metafor and pandoc are there, an R Markdown report of one of the
26 outcomes (forest plot, six tables, funnel, radial, influence) is measured in the same run, once
with plain tables and once, where DT is there, with tables that can do what those here can.
"""

import argparse
import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pandas as pd
from made_up import simulate

from helpers.review.description import PROJECT

SHEET = PROJECT / "data" / "sci_exosomes" / "experiments.csv"
PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)
LIMIT = 900  # seconds after which a run is ended
R_NEEDS = 'for (name in c("rmarkdown", "metafor")) library(name, character.only = TRUE)'
R_CODE = (
    "rmarkdown::render('{rmd}', output_dir = '{out}', intermediates_dir = '{out}', quiet = TRUE, "
    "params = list(sheet = '{sheet}', sortable = {sortable}))"
)
R_TABLES = {"FALSE": "plain tables", "TRUE": "tables that sort, filter and download (DT)"}


class Run(NamedTuple):
    """One process and all that it started; memory in megabytes."""

    wall: float
    cpu: float
    largest: float  # memory of the largest process
    together: float  # of all at once, what they share counted once; 0 where it cannot be seen
    status: int
    said: list  # seconds and line


def main():
    """Measure and print, a line a stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each stage (3)")
    parser.add_argument("--rows", type=int, nargs="*", default=[72, 561, 5_000, 50_000])
    options = parser.parse_args()
    begin()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        whole = rivals(folder, options.runs)
        reports(folder, options.runs)
        for rows in options.rows:
            growth(folder, rows, options.runs if rows < 5_000 else 0)
        stages(whole)


def begin():
    """Count what orphans use too, and print the head of the table."""
    with suppress(OSError, AttributeError, TypeError):  # Linux: orphans become children of this
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    packages = ("numpy", "scipy", "pandas", "matplotlib", "papermill", "nbconvert")
    print(f"\n{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    print("\n| whole process | s, median | s, all runs | CPU s | largest process MB | all MB | "
          "HTML MB | load |\n|---|---:|---|---:|---:|---:|---:|---:|")  # fmt: skip


def run(*command, watch=False, limit=LIMIT, **environment):
    """Run a command to its end; to watch its memory four times a second takes time itself."""
    begun, sizes, over = time.perf_counter(), [0], threading.Event()
    process = subprocess.Popen(
        [str(part) for part in command], cwd=PROJECT, env=os.environ | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip

    def watch():
        while not over.wait(0.25):
            if watch:
                sizes.append(memory(process.pid))
            if time.perf_counter() - begun > limit:
                process.terminate()

    watcher = threading.Thread(target=watch)
    watcher.start()
    said = [(time.perf_counter() - begun, line.strip()) for line in process.stdout]
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    cpu = used.ru_utime + used.ru_stime
    with suppress(ChildProcessError):  # the server of its workers, adopted; until there is none
        while True:
            _, _, more = os.wait4(-1, 0)
            cpu += more.ru_utime + more.ru_stime
    process.returncode = os.waitstatus_to_exitcode(status)
    over.set()
    watcher.join()
    largest = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return Run(wall, cpu, largest, max(sizes), process.returncode, said)


def memory(pid):
    """Megabytes of a process and its descendants, a shared page counted once (on Linux)."""
    parents, total = {}, 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    for one in family:
        with suppress(OSError, TypeError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(re.search(r"Pss: +(\d+)", text)[1])
    return total / 1e3


def several(runs, make, *arguments, **options):
    """Run a thing several times, and once more with its memory watched, which is the first."""
    return [make(*arguments, watch=place == 0, **options) for place in range(runs + 1)]


def show(name, runs, pages=()):
    """Print a line of the table: memory from the first run, times from the others."""
    if failed := [run for run in runs if run.status]:
        name += f" (**FAILED**: {failed[0].said[-1][1][:120] if failed[0].said else 'in silence'})"
    first, *timed = runs
    timed = timed or runs
    wall, cpu = median(run.wall for run in timed), median(run.cpu for run in timed)
    largest, together = first.largest, first.together
    size = sum(page.stat().st_size for page in pages if page.exists()) / 1e6
    print(f"| {name} | {wall:.2f} | {' '.join(f'{run.wall:.2f}' for run in timed)} | {cpu:.1f} | "
          f"{largest:.0f} | {together:.0f} | {f'{size:.2f}' if size else ''} | "
          f"{os.getloadavg()[0]:.1f} |", flush=True)  # fmt: skip


def render(out, *arguments, cold=False, **options):
    """One call of the command line, with nothing there before on request."""
    if cold:
        shutil.rmtree(out, ignore_errors=True)
    return run(sys.executable, "-m", "helpers", "render", *arguments, "--out", out, **options)


def rivals(folder, runs):
    """All reports, and one outcome by R Markdown and metafor, in turns. Returns one of all."""
    out = folder / "out"
    render(out)  # for the sizes of its pages
    pages = [page for page in out.glob("*.html") if page.name != "index.html"]
    made = {f"**all {len(pages)} reports, nothing there**": (pages, render, (out,), {"cold": True})}
    if not (shutil.which("Rscript") and shutil.which("pandoc")) or run("Rscript", "-e", R_NEEDS)[4]:
        print("| R Markdown: not measured, Rscript, rmarkdown, metafor or pandoc is not there |")
    else:
        rmd = Path(__file__).with_name("bench_report.Rmd")
        for sortable, words in R_TABLES.items():
            page = folder / sortable / "bench_report.html"
            code = R_CODE.format(rmd=rmd, out=page.parent, sheet=SHEET, sortable=sortable)
            name = f"R Markdown and metafor, one outcome, {words}"
            made[name] = [page], run, ("Rscript", "-e", code), {}
    rounds = [
        [make(*arguments, watch=place == 0, **more) for _, make, arguments, more in made.values()]
        for place in range(runs + 1)
    ]
    for name, found in zip(made, zip(*rounds, strict=True), strict=True):
        show(name, found, made[name][0])
    return rounds[-1][0]


def reports(folder, runs):
    """The default review: each report alone, by ordinary kernels, again, after a change."""
    out, copy, alone = folder / "out", folder / "copy", folder / "alone"
    for page in sorted(out.glob("[!.]*.json")):
        made = several(runs, render, alone, page.stem, cold=True)
        show(f"{page.stem}, nothing there", made, [alone / f"{page.stem}.html"])
    made = render(alone, cold=True, watch=True, PRECLINICAL_KERNEL="spawn")
    show("all reports, nothing there, ordinary kernels", [made])
    show("nothing changed", several(runs, render, out))
    shutil.copytree(SHEET.parent, copy)
    out = folder / "changed"
    render(out, "--review", copy)
    table, made = pd.read_csv(SHEET, dtype=str, keep_default_na=False), []
    for place in range(runs + 1):
        table.loc[0, "mean_treated"] = f"{float(table.loc[0, 'mean_treated']) + 0.01:.2f}"
        table.to_csv(copy / SHEET.name, index=False)
        made.append(render(out, "--review", copy, watch=place == 0))
    text = next((line for _, line in made[-1].said if " up to date" in line), "it does not say")
    show(f"one value of the sheet changed ({text.split(',')[0]})", made)


def growth(folder, rows, runs):
    """A report of one outcome with many rows."""
    review, out = folder / f"rows-{rows}", folder / f"out-{rows}"
    simulate(review, rows)
    made = several(runs, render, out, "made_up", "--review", review, cold=True)
    show(f"one outcome with {rows:,} rows", made, [out / "made_up.html"])


def stages(whole):
    """What one rendering of all reports said and when, and imports by themselves."""
    print("\n| one rendering of all reports | s from the start |\n|---|---:|")
    for at, line in whole.said:
        if re.search(r": (started|rendered|FAILED)| up to date", line):
            print(f"| {line} | {at:.2f} |")
    print(f"| end | {whole.wall:.2f} |\n\n| imported by itself | s |\n|---|---:|")
    for modules in ("sys", "papermill.execute, nbconvert", "helpers.report.family"):
        print(f"| {modules} | {run(sys.executable, '-c', f'import {modules}').wall:.2f} |")


if __name__ == "__main__":
    main()
