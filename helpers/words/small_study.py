"""What tests for small-study effects say, and what they cannot say."""

from __future__ import annotations

import pandas as pd

from helpers.analysis.small_study import ALPHA, LEAST, SUPPRESSED, TIME_LAG, VALID
from helpers.words.numbers import count, listing, number, p_phrase, percent


def table(found, printed=None):
    """Tests beside their power and the printed p, a row a test."""
    if found.dependence:
        return _clustered_table(found, printed)
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


def _clustered_table(found, printed):
    """The same of rows that depend on each other, with how each was tested."""
    power = None if found.power is None else found.power.set_index("test")
    rows = []
    for name, test in found.tests.items():
        row = {
            "test": name,
            "regressed on": test.predictor,
            "slope": test.slope,
            "t": test.statistic,
            "df": test.df,
            "p": test.p,
            "tested by": _tested_by(test),
        }
        if power is not None:
            chance = power.loc[VALID[name]] if name in VALID else {}
            row |= {
                "rejects with nothing suppressed": chance.get("false_alarms"),
                f"rejects with {percent(100 * SUPPRESSED, 0)} suppressed": chance.get("power"),
            }
        rows.append(row | {"printed p": printed if name == "Doleman" else None})
    return pd.DataFrame(rows)


def table_words(found):
    """What stands in the table."""
    text = f"tests for small-study effects in {count(found.k, 'experiment')}"
    text += ", effects turned so that benefit is positive" if found.directed else ""
    if found.power is not None:
        clusters = " and clusters" if found.dependence else ""
        text += (
            ", and how often each rejects in simulated data sets of these group sizes" + clusters
        )
    text += "."
    if found.dependence:
        text += f" {_model_words(found)}"
    if "Egger" in found.tests:
        text += (
            " Egger's test rejects standardised differences whether or not results were left "
            "unpublished, and is not valid here."
        )
    return text


def t_words(test):
    """The statistic with its degrees of freedom, "t(12.4) = 2.10"."""
    return (
        f"t({number(test.df, 1 if 'clusters' in test.options else 0)}) = {number(test.statistic)}"
    )


def p_words(test):
    """The p of a test, or why there is none."""
    if pd.isna(test.p):
        return f"not tested ({test.options['reason']})"
    return p_phrase(test.p)


def _tested_by(test):
    """CR2 with its clusters, or containment and why; or why it is not tested."""
    said = test.options
    if pd.isna(test.p):
        return f"not tested: {said['reason']}"
    if said["test"] == "cr2":
        return f"CR2, {count(said['clusters'], 'cluster')}"
    return "containment" + (f": {said['reason']}" if said["reason"] else "")


def _model_words(found):
    """How dependence was taken into account."""
    if found.dependence == "model":
        return "Dependent rows are taken into account by the outcome's multilevel model."
    return (
        "Rows of one study are taken into account by random effects of study and experiment; "
        "sampling errors of different outcomes were taken to be independent."
    )


def _clustered_words(found):
    """What the tests of dependent rows say."""
    tests = {name: test for name, test in found.tests.items() if not pd.isna(test.p)}
    said = []
    for name, test in found.tests.items():
        text = f"{name[0].upper()}{name[1:]}: "
        if name in tests:
            text += f"{t_words(test)}, {p_words(test)} ({_tested_by(test)})"
        else:
            text += p_words(test)
        if left := test.options.get("left_out"):
            text += f", without {count(left, 'experiment')} of no known year"
        said.append(text)
    text = f"{_model_words(found)} {'; '.join(said)}."
    by_size = [name for name in tests if name in VALID]
    rejected = [name for name in by_size if tests[name].p < ALPHA]
    if rejected:
        text += (
            f" By {_the(rejected)} effects depend on sample size; unpublished results of small "
            "experiments are one possible explanation among several."
        )
    elif by_size:
        text += " This neither shows nor excludes that effects depend on sample size."
    if TIME_LAG in tests and tests[TIME_LAG].p < ALPHA:
        slope = tests[TIME_LAG].slope
        text += f" Later publications report {'larger' if slope > 0 else 'smaller'} "
        text += "benefits." if found.directed else "effects (treated minus control)."
    return (
        text + _clustered_power(found, by_size) + "".join(f" Not run: {w}." for w in found.refused)
    )


def _clustered_power(found, names):
    """How often the tests would see suppressed results."""
    if found.power is None:
        return ""
    power = found.power.set_index("test").loc[[VALID[name] for name in names], "power"].dropna()
    if power.empty:
        return ""
    shares = listing(percent(100 * value, 0) for value in power)
    return (
        f" In {found.power['replicates'].iloc[0]} simulated data sets with these group sizes and "
        "clusters, this mean and this heterogeneity, and with "
        f"{percent(100 * SUPPRESSED, 0)} of the non-significant results unpublished, "
        f"{'they' if len(power) > 1 else 'it'} would reject in {shares}: "
        + (
            "a non-significant test would therefore not be evidence that all results were published."
            if power.max() < 0.5
            else "a non-significant test would be some evidence, but no proof, that all were published."
        )
    )


def _the(names):
    return listing("Doleman" if name == "Doleman" else f"the {name}" for name in names)


def words(found, printed=None):
    """What the tests say, and what they cannot say."""
    quoted = f" The article prints p = {printed}." if printed else ""
    if found.k < LEAST:
        return (
            f"{count(found.k, 'experiment')}: no test for small-study effects was run, because "
            f"tests need at least {LEAST} experiments to be informative.{quoted}"
        )
    if not found.tests:
        why = "; ".join(found.refused) or "group sizes or control means are missing"
        return f"No test for small-study effects was run: {why}.{quoted}"
    if found.dependence:
        return _clustered_words(found) + quoted
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
        meaning = "This neither shows nor excludes that effects depend on sample size."
    return (
        f"{said}. {meaning} In {replicates} simulated data sets with these group sizes, this mean "
        f"and this heterogeneity, and with {percent(100 * SUPPRESSED, 0)} of the non-significant "
        f"results unpublished, {'they' if len(valid) > 1 else 'it'} would reject in {chance}: "
        + (
            "a non-significant test would therefore not be evidence that all results were published."
            if power.max() < 0.5
            else "a non-significant test would be some evidence, but no proof, that all were published."
        )
        + "".join(f" Not run: {why}." for why in found.refused)
        + quoted
    )
