"""How long the engine takes, and metafor in the same run where Rscript is there (`make bench`).

Times are the best of several runs of one process on one core. Where R would need minutes it does
a part of the work and the time is multiplied; the table says so.
"""

import json
import pathlib
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

from helpers.stats.influence import diagnostics, leave_one_out
from helpers.stats.moderators import meta_regression
from helpers.stats.multilevel import multilevel, three_level
from helpers.stats.pooling import pool, tau2
from helpers.stats.robust import cluster_robust
from helpers.stats.small_study import power

# stage: (what R does, repeats that its time is divided by, factor to the whole stage)
IN_R = {
    "one REML fit, k = 72": ("for (i in 1:100) rma(y, v)", 100, 1),
    "10,000 REML fits of bootstrap samples, k = 72": (
        "for (i in 1:200) { s <- sample(72, replace = TRUE); rma(y[s], v[s]) }", 1, 50,
    ),
    "leave-one-out, k = 72": ("leave1out(fit)", 1, 1),
    "all diagnostics, k = 72": ("influence(fit)", 1, 1),
    "a meta-regression, k = 72": ("for (i in 1:100) rma(y, v, mods = ~ x)", 100, 1),
    "three-level REML, 465 effects in 180 studies": (
        "rma.mv(ml$y, ml$v, random = ~ 1 | study / row, data = ml, sparse = TRUE)", 1, 1,
    ),
    "CR2 of it": (
        "clubSandwich::coef_test(mv, vcov = 'CR2', cluster = ml$study)", 1, 1,
    ),
}  # fmt: skip
R_SCRIPT = """
suppressPackageStartupMessages({library(metafor); library(jsonlite)})
d <- fromJSON("data.json"); y <- d$y; v <- d$v; x <- d$x; ml <- as.data.frame(d$ml)
ml$row <- seq_len(nrow(ml)); set.seed(1)
fit <- rma(y, v)
mv <- rma.mv(ml$y, ml$v, random = ~ 1 | study / row, data = ml, sparse = TRUE)
times <- sapply(d$code, function(code) {
  e <- parse(text = code)
  min(sapply(1:2, function(i) system.time(eval(e, globalenv()))[["elapsed"]]))
})
cat(toJSON(list(seconds = unname(times), metafor = as.character(packageVersion("metafor"))),
           digits = NA, auto_unbox = TRUE))
"""


def best(function, repeats):
    """Shortest of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def data(rng):
    """72 SMD-like effects, and 465 effects in 180 studies."""
    v = rng.uniform(0.2, 1.5, 72)
    y = 2 + rng.normal(0, np.sqrt(v + 1.4))
    study = np.sort(np.concatenate([np.arange(180), rng.integers(0, 180, 285)]))
    v2 = rng.uniform(0.05, 0.6, 465)
    y2 = 1 + rng.normal(0, 0.8, 180)[study] + rng.normal(0, np.sqrt(v2 + 0.3))
    return {"y": y, "v": v, "x": rng.normal(size=72), "ml": {"y": y2, "v": v2, "study": study}}


def ours(d, rng):
    """Seconds of each stage."""
    y, v, x, ml = d["y"], d["v"], d["x"], d["ml"]
    rows = rng.integers(0, 72, (10_000, 72))
    frame = pd.DataFrame({"x": x})
    nested = {"study": ml["study"], "variance": ml["v"]}
    fit = three_level(ml["y"], **nested)
    stages = [
        (lambda: pool(y, variance=v), 50),
        (lambda: tau2(y[rows], variances=v[rows]), 5),
        (lambda: leave_one_out(y, variance=v), 50),
        (lambda: diagnostics(y, variance=v), 50),
        (lambda: meta_regression(y, variance=v, moderators=frame), 50),
        (lambda: three_level(ml["y"], **nested), 10),
        (lambda: cluster_robust(fit, study=ml["study"]), 10),
    ]
    return {name: best(*stage) for name, stage in zip(IN_R, stages, strict=True)} | {
        "profile intervals of it": best(fit.profile_intervals, 5),
        "power of 3 tests, 1,000 simulated data sets, k = 72": best(
            lambda: power([6] * 72, [7] * 36 + [5] * 36, mean=2, tau=1.2, baseline=x), 3
        ),
    }


def theirs(d):
    """Seconds of the same stages in metafor, or nothing without R."""
    if not shutil.which("Rscript"):
        return {}, ""
    with tempfile.TemporaryDirectory() as folder:
        arrays = {"code": [code for code, _, _ in IN_R.values()], **d}
        text = json.dumps(arrays, default=lambda a: a.tolist())
        pathlib.Path(folder, "data.json").write_text(text)
        run = subprocess.run(
            ["Rscript", "-e", R_SCRIPT], cwd=folder, capture_output=True, text=True, check=False
        )
    if run.returncode:
        print("R did not run:", run.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return {}, ""
    found = json.loads(run.stdout)
    rows = zip(IN_R.items(), found["seconds"], strict=True)
    return {name: s / n * factor for (name, (_, n, factor)), s in rows}, found["metafor"]


def seconds(value):
    """A time with its unit, three digits."""
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def main():
    rng = np.random.default_rng(72)
    d = data(rng)
    mine = ours(d, rng)
    other, version = theirs(d)
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    print(f"metafor {version}\n" if other else "Rscript with metafor is not here\n")
    print("| stage | here | metafor | times faster |\n|---|---|---|---|")
    for name, value in mine.items():
        cells = ["", ""]
        if name in other:
            part = " (extrapolated)" if IN_R[name][2] > 1 else ""
            cells = [seconds(other[name]) + part, f"{other[name] / value:,.0f}"]
        print(f"| {name} | {seconds(value)} | {' | '.join(cells)} |")
    print("\n| k | one REML fit | per effect |\n|---|---|---|")
    for k in (10, 100, 1_000, 10_000, 100_000):
        v = rng.uniform(0.2, 1.5, k)
        y = rng.normal(2, np.sqrt(v + 1.4))
        value = best(lambda y=y, v=v: pool(y, variance=v), 10)
        print(f"| {k:,} | {seconds(value)} | {seconds(value / k)} |")
    print("\n| rows, studies | one multilevel fit with CR2 |\n|---|---|")
    for k, studies in ((500, 200), (5_000, 2_000), (50_000, 20_000)):
        study, v = rng.integers(0, studies, k), rng.uniform(0.05, 0.6, k)
        y = 1 + rng.normal(0, 0.8, studies)[study] + rng.normal(0, np.sqrt(v + 0.3))
        levels = {"study": study, "experiment": None}
        value = best(lambda y=y, v=v, levels=levels: multilevel(y, variance=v, levels=levels), 5)
        print(f"| {k:,}, {studies:,} | {seconds(value)} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nLargest memory of the whole run: {peak:.0f} MB")


if __name__ == "__main__":
    main()
