"""What tests for small-study effects say, and what they cannot say."""

from __future__ import annotations

import pandas as pd

from helpers.analysis.small_study import ALPHA, LEAST, SUPPRESSED, VALID
from helpers.words.numbers import count, listing, p_phrase, percent


def table(found, printed=None):
    """Tests beside their power and the printed p, a row a test."""
    rows = []
    power = found.power.set_index("test")
    for name, test in found.tests.items():
        chance = power.loc[VALID.get(name, name.lower())]
        rows.append(
            {
                "test": name,
                "regressed on": test.predictor,
                "t": test.statistic,
                "df": test.df,
                "p": test.p,
                "rejects with nothing suppressed": chance["false_alarms"],
                f"rejects with {percent(100 * SUPPRESSED, 0)} suppressed": chance["power"],
                "valid for SMDs": "yes" if name in VALID else "no",
                "printed p": printed if name == "Doleman" else None,
            }
        )
    return pd.DataFrame(rows)


def words(found, printed=None):
    """What the tests say, and what they cannot say."""
    quoted = f" The article prints p = {printed}." if printed else ""
    if found.k < LEAST:
        return (
            f"{count(found.k, 'experiment')}: no test for small-study effects was run, because "
            f"below {LEAST} a test says nothing either way.{quoted}"
        )
    if not found.tests:
        why = "; ".join(found.refused) or "group sizes or control means are missing"
        return f"No test for small-study effects was run: {why}.{quoted}"
    valid = {name: found.tests[name] for name in VALID if name in found.tests}
    rejected = [name for name, test in valid.items() if test.p < ALPHA]
    said = listing(f"{name} {p_phrase(test.p)}" for name, test in valid.items())
    power = found.power.set_index("test").loc[[VALID[name] for name in valid], "power"]
    replicates = found.power["replicates"].iloc[0]
    chance = listing(percent(100 * value, 0) for value in power)
    if rejected:
        meaning = (
            f"By {listing(rejected)} effects depend on sample size; unpublished results of small "
            "experiments are one explanation among several."
        )
    else:
        meaning = "That shows neither that effects depend on sample size nor that they do not."
    return (
        f"{said}. {meaning} In {replicates} simulated data sets with these group sizes, this mean "
        f"and this heterogeneity, and with {percent(100 * SUPPRESSED, 0)} of the non-significant "
        f"results unpublished, {'they' if len(valid) > 1 else 'it'} would reject in {chance}: "
        + (
            "a large p would therefore not show that all results were published."
            if power.max() < 0.5
            else "a large p would carry some weight, without showing that all were published."
        )
        + "".join(f" Not run: {why}." for why in found.refused)
        + quoted
    )
