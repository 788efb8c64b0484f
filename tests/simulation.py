"""How far the two presets can be trusted, by simulation: bias, coverage, false alarms.

    python tests/simulation.py [replicates] [workers]

Animal studies as they are: a true SMD of 2, heterogeneity τ 1.3, 4 to 12 animals a group, nothing
suppressed, a moderator without any effect. Either one experiment a study, or 1 to 4 experiments a
study with half of the variance between studies. The table stands in tests/reference/README.md.

- `article`: approximate J, `stata` variance, REML, z, prediction interval t(k - 2); moderator by
  meta-regression with z; Egger's test.
- `recommended`: exact J, variance at the average g. One experiment a study: Hartung-Knapp floored
  at 1, prediction interval t(k - 2), F with Hartung-Knapp, Pustejovsky and Rodgers' test. Several:
  the multilevel model with CR2 or containment t, HTZ, and the regression on √(1/n1 + 1/n2) in it.
"""

import sys
from multiprocessing import get_context

import numpy as np
import pandas as pd
from scipy import special

from helpers.stats.effects import small_sample_factor
from helpers.stats.moderators import meta_regression
from helpers.stats.multilevel import moderator_levels, multilevel
from helpers.stats.pooling import pool
from helpers.stats.small_study import egger, pustejovsky

MEAN, TAU = 2.0, 1.3
STUDIES = (5, 10, 30, 100)
# Tests of small-study effects need ten experiments.
ENOUGH = 10
COLUMNS = ("error", "covered", "predicted", "moderator", "tested", "small_study")


def reviews(rng, studies, clustered):
    """Group sizes, d, the study of each experiment and its moderator, of one review."""
    size = rng.integers(1, 5, studies) if clustered else np.ones(studies, int)
    study = np.repeat(np.arange(studies), size)
    k = len(study)
    between, within = TAU * np.sqrt([0.5, 0.5] if clustered else [1, 0])
    true = MEAN + rng.normal(0, between, studies)[study] + rng.normal(0, within, k)
    n1, n2 = rng.integers(4, 13, (2, k))
    difference = true + rng.normal(0, np.sqrt(1 / n1 + 1 / n2))
    d = difference / np.sqrt(rng.chisquare(n1 + n2 - 2) / (n1 + n2 - 2))
    by = rng.permutation(np.arange(studies) < max(2, round(0.4 * studies)))[study]
    return n1, n2, d, study, by


def record(mean, moderator, tested, small_study):
    """What one analysis of one review says."""
    low, high = special.ndtr((np.array([mean.pi_low, mean.pi_high]) - MEAN) / TAU)
    covered = mean.ci_low <= MEAN <= mean.ci_high
    return mean.estimate - MEAN, covered, high - low, moderator, tested, small_study


def article(n1, n2, d, study, by):
    """The article's settings, which take all experiments as independent."""
    j = small_sample_factor(n1 + n2 - 2, "approximate")
    g, v = j * d, j**2 * (1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2)))
    found = meta_regression(g, variance=v, moderators=pd.DataFrame({"by": by.astype(float)}))
    small = egger(g, variance=v).p if len(g) >= ENOUGH else np.nan
    return record(pool(g, variance=v), found.p_moderators < 0.05, True, small < 0.05)


def recommended(n1, n2, d, study, by):
    """The recommended settings, which follow the dependence that there is."""
    g, n = small_sample_factor(n1 + n2 - 2, "exact") * d, n1 + n2
    v = 1 / n1 + 1 / n2 + (n * g).sum() ** 2 / n.sum() ** 2 / (2 * n)
    if len(np.unique(study)) == len(study):
        mean = pool(g, variance=v, interval="hksj_truncated")
        frame = pd.DataFrame({"by": by.astype(float)})
        found = meta_regression(g, variance=v, moderators=frame, interval="hksj_truncated")
        small = pustejovsky(g, n_treated=n1, n_control=n2).p if len(g) >= ENOUGH else np.nan
        return record(mean, found.p_moderators < 0.05, True, small < 0.05)
    levels, small = {"study": study, "experiment": None}, np.nan
    mean = multilevel(g, variance=v, levels=levels)
    wald = moderator_levels(g, by=by, levels=levels, variance=v).wald
    if len(g) >= ENOUGH:
        size = np.column_stack([np.ones(len(g)), np.sqrt(1 / n1 + 1 / n2)])
        slope = multilevel(g, variance=v, levels=levels, design=size)
        small = slope.fit.contrast(np.array([0.0, 1.0]))["p_effect"]
    return record(mean, wald.p < 0.05, wald.tested, small < 0.05)


def run(job):
    """Means over replicates of each column, and their Monte Carlo errors, by preset."""
    studies, clustered, replicates = job
    rng = np.random.default_rng([studies, clustered])
    rows = {"article": [], "recommended": []}
    for _ in range(replicates):
        review = reviews(rng, studies, clustered)
        rows["article"].append(article(*review))
        rows["recommended"].append(recommended(*review))
    found = {}
    for preset, columns in rows.items():
        table = pd.DataFrame(columns, columns=COLUMNS).astype(float)
        table["error"] *= 100 / MEAN
        table.loc[table["tested"] == 0, "moderator"] = np.nan
        if studies < ENOUGH:
            table["small_study"] = np.nan
        table[list(COLUMNS[1:])] *= 100
        count = table.notna().sum()
        found[preset] = table.mean(), table.std(ddof=1) / np.sqrt(count)
    return studies, clustered, found


def cell(mean, error):
    """A mean with its Monte Carlo error."""
    return "–" if np.isnan(mean) else f"{mean:.1f} ({error:.1f})"


def main(replicates=2500, workers=2):
    jobs = [(k, clustered, replicates) for k in STUDIES[::-1] for clustered in (True, False)]
    results = []
    with get_context("spawn").Pool(workers) as pool_of_workers:
        for result in pool_of_workers.imap_unordered(run, jobs):
            results.append(result)
            print(f"{len(results)} of {len(jobs)}", file=sys.stderr)
    print(f"{replicates:,} replicates; Monte Carlo errors in brackets; all in percent\n")
    print(
        "| experiments a study | studies | preset | bias | coverage | prediction | moderator |",
        end="",
    )
    print(" (tested) | small-study |\n|---|---|---|---|---|---|---|---|---|")
    for studies, clustered, found in sorted(results, key=lambda r: (r[1], r[0])):
        for preset, (mean, error) in found.items():
            if mean["tested"] < 1:
                mean["moderator"] = np.nan  # the rate of hardly any test
            cells = [cell(mean[c], error[c]) for c in COLUMNS if c != "tested"]
            cells.insert(4, f"{mean['tested']:.0f}")
            first = f"| {'1 to 4' if clustered else '1'} | {studies} | {preset}"
            print(" | ".join([first, *cells]), "|")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
