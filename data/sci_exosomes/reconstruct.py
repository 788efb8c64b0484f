"""Solve an extraction sheet that agrees with what the article printed.

The article prints pooled, subgroup and meta-regression results, not the experiments behind
them. Here group sizes, effects and moderator levels are searched so that the article's own
method (Hedges' g with the approximate correction, Stata's variance, REML, normal intervals)
gives the printed numbers back. Nothing in the result is evidence about exosomes.

    python data/sci_exosomes/reconstruct.py [--seed N] [--outcome ID] [--out FILE]
    python data/sci_exosomes/reconstruct.py --alternatives N [--outcome ID] [--out FILE]
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the matrices are small
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import pandas as pd
from reconstruct_search import Problem, search, variance_of
from scipy.optimize import linear_sum_assignment

HERE = Path(__file__).resolve().parent

# Experiments where the article prints no number: fewest tried, assumed, most that is plausible.
# The reasons are in README.md.
ASSUMED_K = {
    "beta_tubulin_iii": (3, 10, 25), "neun": (3, 8, 14), "gap_43": (3, 6, 12), "nissl": (3, 7, 16),
    "bax": (3, 12, 20), "bcl_2": (3, 12, 20), "caspase_1": (3, 5, 8), "caspase_3": (5, 8, 20),
    "arg1": (3, 5, 9), "cd206": (3, 4, 7), "cd68": (3, 8, 14), "iba_1": (3, 9, 21),
    "il_10": (3, 10, 25), "il_4": (3, 7, 12), "il_6": (4, 12, 20), "il_18": (3, 5, 10),
    "il_1a": (3, 4, 6), "nlrp3": (3, 5, 7), "mcp_1": (3, 4, 7), "gfap": (25, 25, 25),
}  # fmt: skip

# Printed coefficients that contradict their own interval or p; what is aimed at instead.
CORRECTED = {
    ("locomotion", "origin", "UCMSC"): (-0.32, -1.28, 0.64),
    ("il_1b", "severity", "Severe"): (-1.39, -3.35, 0.57),
    ("tnf_a", "species", "Rat"): (0.01, -1.43, 1.45),
    ("tnf_a", "timing", "Acute (24 to 72 hours)"): (-0.085, -2.22, 2.05),
}

# Estimate and bounds may be this far from what is printed (I2: 1.5 points).
TOLERANCE = {"pooled": (0.01, 0.01), "subgroup": (0.03, 0.05), "coefficient": (0.06, 0.1)}
EXCLUDED = {"il_1b": 1, "tnf_a": 3}  # experiments the article dropped as outliers
STUDIES, PAIRS = 65, 7  # 72 locomotion experiments from 65 studies: 7 studies with two arms

MODERATORS = ["species", "model", "severity", "origin", "administrations", "timing", "route"]
MODERATORS += ["follow_up"]
COLUMNS = ["experiment", "study", "cohort", "control_group", "outcome"]
COLUMNS += [f"{x}_{group}" for group in ("treated", "control") for x in ("n", "mean", "sd")]
COLUMNS += ["follow_up_days", *MODERATORS, "provenance"]
OF_A_STUDY = ["species", "model", "severity"]  # the others are properties of a treated arm
# What a disagreement with the animals of an arm costs when rows are dealt to studies.
DISAGREEMENT = dict.fromkeys(MODERATORS[:-1], 1) | {"species": 1000, "model": 20, "severity": 20}
DAYS = {"<28 days": [7, 14, 21], "≥28 days": [28, 28, 35, 42, 56]}

# Control mean from, to; the range that treated means keep to; SD as a share of the control mean.
SCALES = {
    "Rat": ((5, 10), (0.5, 20), (0.12, 0.3)),  # BBB
    "Mice": ((2, 4), (0.3, 8.7), (0.12, 0.3)),  # BMS
    "cavity_size": ((28, 45), (3, 90), (0.1, 0.25)),
    "apoptotic_cells": ((35, 60), (3, 95), (0.1, 0.25)),
    "cd206": ((10, 20), (2, 80), (0.15, 0.3)),
    "cd68": ((35, 60), (3, 95), (0.1, 0.25)),
    **dict.fromkeys(("neun", "nf200", "nissl"), ((25, 45), (8, 110), (0.12, 0.3))),
    "falls": ((2, 4), (0.3, 8), (0.1, 0.25)),  # relative expression, benefit is lower
    "rises": ((0.35, 0.7), (0.1, 2.5), (0.12, 0.3)),  # relative expression, benefit is higher
}


# ---------------------------------------------------------------- what is to be met


def read_problem(outcome, k=None):
    """Targets of one outcome from the published tables."""
    pooled = pd.read_csv(HERE / "published_pooled.csv")
    row = pooled[(pooled["outcome_id"] == outcome) & pooled["smd"].notna()].iloc[0]
    if k is None:
        k = int(row["k"]) if pd.notna(row["k"]) else ASSUMED_K[outcome][1]
    table = pd.read_csv(HERE / "published_subgroups.csv")
    table = table[table["outcome_id"] == outcome]
    fits, index, printed, tolerance = [(-1, -1)], [(0, 0, -1)], [], [TOLERANCE["pooled"]]
    printed.append((row["smd"], row["ci_low"], row["ci_high"]))
    names, i2_fit, i2 = [("pooled", "", "")], [], []
    moderators, levels, counts = [], [], []
    for moderator, block in table.groupby("moderator_id", sort=False):
        block = block.reset_index(drop=True)
        place = len(moderators)
        moderators.append(moderator)
        levels.append(block["level_id"].tolist())
        counts.append(block["k"].astype(int).tolist())
        joint = len(fits)
        fits.append((place, -1))
        reference = int(block.index[block["is_reference"] == "yes"][0])
        for level, line in block.iterrows():
            if pd.notna(line["smd"]):
                i2_fit.append(len(fits))
                i2.append(line["i2"])
                index.append((len(fits), 0, -1))
                fits.append((place, level))
                printed.append((line["smd"], line["ci_low"], line["ci_high"]))
                tolerance.append(TOLERANCE["subgroup"])
                names.append(("subgroup", moderator, line["level_id"]))
            if pd.notna(line["coef"]):
                target = (line["coef"], line["coef_low"], line["coef_high"])
                index.append((joint, level, reference))
                printed.append(CORRECTED.get((outcome, moderator, line["level_id"]), target))
                tolerance.append(TOLERANCE["coefficient"])
                names.append(("coefficient", moderator, line["level_id"]))
    return Problem(
        outcome, k, moderators, levels, counts, fits, np.array(index), np.array(printed, float),
        np.array(tolerance), np.array(i2_fit, int), np.array(i2, float), names,
    )  # fmt: skip


def solve(outcome, k=None, seed=0):
    """One reconstruction of one outcome.

    Parameters
    ----------
    outcome : str
        Outcome id.
    k : int, optional
        Number of experiments; default the printed or else the assumed one.
    seed : int
        Other seeds give other sheets that agree with what was printed.

    Returns
    -------
    DataFrame
        A row an experiment: `outcome, n_treated, n_control, g`, the moderators, `excluded`.
        `attrs["worst"]` is the largest distance from a target, in tolerances.
    """
    problem = read_problem(outcome, k)
    state = search(problem, seed)
    out = pd.DataFrame({"outcome": outcome, "n_treated": state.n[0], "n_control": state.n[1]})
    out["g"], out["excluded"] = state.y, False
    for moderator, names, codes in zip(
        problem.moderators, problem.levels, state.labels, strict=True
    ):
        out[moderator] = [names[c] if c >= 0 else "" for c in codes]
    rng = np.random.default_rng([seed, 99])
    for _ in range(EXCLUDED.get(outcome, 0)):
        row = out.iloc[[rng.integers(len(out))]].copy()
        n = int(rng.integers(8, 11))
        row[["n_treated", "n_control"]] = n
        row["g"] = np.sign(problem.printed[0, 0]) * rng.uniform(10.5, 13.5)
        row["excluded"] = True
        for moderator in problem.moderators:
            row[moderator] = rng.choice(out.loc[out[moderator] != "", moderator])
        out = pd.concat([out, row], ignore_index=True)
    out = out.astype({"n_treated": int, "n_control": int})
    out.attrs["worst"] = float(np.abs(state.miss()).max())
    return out


# ---------------------------------------------------------------- from effects to a sheet


def find_pairs(rows, rng):
    """Pairs of rows that could be two treated arms of a study with one control group."""
    same = ["n_control", *OF_A_STUDY, "follow_up"]
    rows = rows.reindex(columns=rows.columns.union(same), fill_value="")
    rows = rows[~rows["excluded"] & rows["g"].abs().lt(8)]
    found = []
    for _, block in rows.groupby(same):
        order = rng.permutation(block.index)
        found += zip(order[::2], order[1::2], strict=False)
    return found


def disagreement(row, arm):
    """What it costs to take this row for animals of this arm (levels known so far)."""
    return sum(cost for m, cost in DISAGREEMENT.items() if row[m] and arm.get(m, row[m]) != row[m])


def new_arm(arms):
    """Another arm of a study: what holds for all its animals."""
    return {m: level for m, level in arms[0].items() if m in OF_A_STUDY} if arms else {}


def join(row, arms, taken):
    """Arm of a study that a row belongs to, made if there is none; fills in what is known."""
    costs = [1 if a in taken else disagreement(row, arm) for a, arm in enumerate(arms)]
    if 0 not in costs:
        arms.append(new_arm(arms))
        costs.append(0)
    place = costs.index(0)
    arms[place].update({m: row[m] for m in DISAGREEMENT if row[m]})
    for arm in arms:
        for m in OF_A_STUDY:
            if row[m]:
                arm.setdefault(m, row[m])
    return place


def deal(rows, studies, rng):
    """Give an outcome's rows to studies so that a study's rows agree as far as they can.

    `studies` holds for each study its arms, for each arm its levels known so far; it is filled
    in. A row that agrees with no arm of its study is another arm. The first PAIRS studies have
    two arms in locomotion, and some of them in other outcomes.
    """
    wanted = PAIRS if not any(studies) else 2 if len(rows) >= 20 else int(len(rows) >= 8)
    records = rows.reindex(columns=list(DISAGREEMENT), fill_value="").to_dict("records")
    place = {}
    for units, most in ((find_pairs(rows, rng), wanted), (None, len(rows))):
        units = units or [(r,) for r in rows.index if r not in place]
        used = {study for study, _ in place.values()}
        free = [s for s in range(PAIRS if most == wanted else STUDIES) if s not in used]
        cost = rng.uniform(0, 0.1, (len(units), len(free)))
        for i, unit in enumerate(units):
            for j, s in enumerate(free):
                for r in unit:
                    another = 1 + len(studies[s]) + disagreement(records[r], new_arm(studies[s]))
                    known = [disagreement(records[r], arm) for arm in studies[s]]
                    cost[i, j] += min([another, *known])
        best = sorted(zip(*linear_sum_assignment(cost), strict=True), key=lambda ij: cost[ij])
        for i, j in best[:most]:
            if len(units[i]) > 1 and cost[i, j] > 15:  # no pair against its study's own facts
                continue
            taken = []
            for r in units[i]:
                taken.append(join(records[r], studies[free[j]], taken))
                place[r] = free[j], taken[-1]
    rows["study"], rows["arm"] = zip(*(place[r] for r in rows.index), strict=True)
    return rows.sort_values(["study", "arm"], ignore_index=True)


def add_days(rows, days, rng):
    """Follow-up in days within the row's level; a study has one for each level."""
    levels = rows.get("follow_up", pd.Series("≥28 days", rows.index))
    rows["follow_up_days"] = [
        days.setdefault((study, level), int(rng.choice(DAYS[level])))
        for study, level in zip(rows["study"], levels, strict=True)
    ]


def add_means(rows, outcome, rng):
    """Means and SDs on the outcome's scale that still have each row's effect after rounding."""
    direction = "rises" if rows["g"].median() > 0 else "falls"
    for _, block in rows.groupby("study"):
        key = block["species"].iloc[0] if outcome == "locomotion" else outcome
        control, (low, high), spread = SCALES.get(key, SCALES[direction])
        mean = round(rng.uniform(*control), 4)
        sd_control = mean * rng.uniform(*spread)
        sd = sd_control * rng.uniform(0.85, 1.2, len(block))
        n1, n2 = block["n_treated"].to_numpy(), block["n_control"].to_numpy()
        m = n1 + n2 - 2
        d = block["g"].to_numpy() / (1 - 3 / (4 * m - 1))
        room = np.where(d > 0, high - mean, mean - low) * rng.uniform(0.7, 0.95, len(block))
        pooled = np.sqrt(((n1 - 1) * sd**2 + (n2 - 1) * sd_control**2) / m)
        shrink = np.minimum(1, room / (np.abs(d) * pooled)).min()  # large effects, small SDs
        sd, sd_control = np.round(sd * shrink, 4), round(sd_control * shrink, 4)
        pooled = np.sqrt(((n1 - 1) * sd**2 + (n2 - 1) * sd_control**2) / m)
        rows.loc[block.index, "mean_control"] = mean
        rows.loc[block.index, "sd_control"] = sd_control
        rows.loc[block.index, "sd_treated"] = sd
        rows.loc[block.index, "mean_treated"] = np.round(mean + d * pooled, 4)


def assemble(solved, seed=0):
    """Sheet and exclusions from solved outcomes; the first one sets the studies."""
    rng = np.random.default_rng([seed, 7])
    studies, days, parts = [[] for _ in range(STUDIES)], {}, []
    for outcome, rows in solved.items():
        rows = deal(rows.copy(), studies, rng)
        add_days(rows, days, rng)
        add_means(rows, outcome, rng)
        name = f"reconstructed-{outcome.replace('_', '-')}"
        rows["experiment"] = [f"{name}-{i:02d}" for i in range(1, len(rows) + 1)]
        rows["study"] = (rows["study"] + 1).map("reconstructed-study-{:02d}".format)
        rows["control_group"] = rows["study"] + "-control"
        rows["cohort"] = rows["study"] + "-arm-" + (rows["arm"] + 1).astype(str)
        rows["provenance"] = "reconstructed"
        parts.append(rows)
    sheet = pd.concat(parts, ignore_index=True)
    exclusions = sheet.loc[sheet["excluded"], ["experiment"]]
    exclusions["reason"] = "outlier: significant effect on heterogeneity or publication bias"
    exclusions["by"] = "article"
    return sheet[COLUMNS], exclusions


# ---------------------------------------------------------------- what the article leaves open


def summary(outcome, k=None, seed=0):
    """Quantities that the article does not print, for one reconstruction of one outcome.

    Effects and weights are those of the article; see the column list in README.md.
    """
    from helpers.stats.influence import leave_one_out
    from helpers.stats.pooling import pool
    from helpers.stats.small_study import doleman, pustejovsky

    rows = solve(outcome, k, seed)
    worst = rows.attrs["worst"]
    rows = rows[~rows["excluded"]].reset_index(drop=True)
    rows = rows.assign(study=rows.index)
    add_means(rows, outcome, np.random.default_rng([seed, 7]))
    y, n1, n2 = rows["g"], rows["n_treated"], rows["n_control"]
    v = variance_of(y, n1, n2)[0]
    plain, knapp = pool(y, variance=v), pool(y, variance=v, interval="hksj")
    shift = leave_one_out(y, variance=v)["estimate"] - plain.estimate
    tests = {"doleman_p": np.nan, "pustejovsky_p": np.nan}
    if len(rows) >= 10:
        sizes = {"n_treated": n1, "n_control": n2}
        tests["pustejovsky_p"] = pustejovsky(y, **sizes).p
        tests["doleman_p"] = doleman(y, baseline=rows["mean_control"], variance=v, **sizes).p
    return {
        "outcome": outcome, "seed": seed, "k": len(rows), "largest_distance": worst,
        "estimate": plain.estimate, "ci_low": plain.ci_low, "ci_high": plain.ci_high,
        "tau2": plain.tau2, "i2": plain.i2, "pi_low": plain.pi_low, "pi_high": plain.pi_high,
        "hksj_low": knapp.ci_low, "hksj_high": knapp.ci_high,
        "hksj_excludes_0": knapp.ci_low * knapp.ci_high > 0, **tests,
        "leave_one_out_shift": shift[shift.abs().idxmax()], "weight_largest": plain.weights.max(),
        "n_smallest": min(n1.min(), n2.min()), "n_largest": max(n1.max(), n2.max()),
        "effect_lowest": y.min(), "effect_highest": y.max(),
    }  # fmt: skip


def alternatives(outcomes, seeds, out):
    """Write a row for each outcome, assumed number of experiments and seed, as they are solved."""
    rows = []
    for outcome in outcomes:
        few, assumed, most = ASSUMED_K.get(outcome, (None, None, None))
        middle = [] if assumed is None else [(few + assumed) // 2, (assumed + most + 1) // 2]
        for k in sorted({few, assumed, most, *middle}, key=lambda k: k or 0):
            for seed in range(seeds):
                rows.append(summary(outcome, k, seed))
                pd.DataFrame(rows).round(6).to_csv(out, index=False)
                print(f"{outcome}, k {rows[-1]['k']}, seed {seed}", flush=True)


def main():
    """Solve and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--outcome", help="only this outcome (printed unless --out is given)")
    parser.add_argument("--out", type=Path, help="where to write the sheet")
    parser.add_argument("--alternatives", type=int, metavar="N", help="summarise N seeds instead")
    options = parser.parse_args()
    outcomes = pd.read_csv(HERE / "published_pooled.csv").dropna(subset="smd")["outcome_id"]
    outcomes = [options.outcome] if options.outcome else outcomes.tolist()
    if options.alternatives:
        alternatives(outcomes, options.alternatives, options.out or HERE / "alternatives.csv")
        return
    solved = {}
    for outcome in outcomes:
        begin = time.monotonic()
        solved[outcome] = solve(outcome, seed=options.seed)
        worst, took = solved[outcome].attrs["worst"], time.monotonic() - begin
        print(f"{outcome}: largest distance {worst:.2f} tolerances, {took:.0f} s", flush=True)
    if options.outcome and not options.out:
        print(solved[options.outcome].to_csv(index=False))
        return
    sheet, exclusions = assemble(solved, options.seed)
    out = options.out or HERE / "experiments.csv"
    sheet.to_csv(out, index=False)
    if not options.outcome:
        exclusions.to_csv(out.with_name("exclusions.csv"), index=False)


if __name__ == "__main__":
    main()
