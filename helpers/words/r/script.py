"""An R script with the data inside that computes a report's numbers in metafor."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.analysis import animals
from helpers.analysis.model import codes
from helpers.analysis.records import records
from helpers.analysis.settings import Model
from helpers.stats.effects import GROUP_COLUMNS, REFERENCE_COLUMNS, brings_own
from helpers.stats.mixed_model.groups import labels
from helpers.words.r.effects import OTHERS, covariance_code, effects_code
from helpers.words.r.models import GROUPS, INDEPENDENT, MULTILEVEL, RUN
from helpers.words.r.notation import comment, frame, vector

TESTS = {"z": "z", "hksj": "knha", "hksj_truncated": "adhoc"}
HEAD = """\
# {title}: {family}
# {notice}
# Recomputes the results that lead the report, with its moderators, in metafor and prints how far
# they lie from the report's numbers. Needs R with {packages}.
"""
KNOWN = ("SMD", *OTHERS)
NUMBERS = ("estimate", "se", "ci_low", "ci_high", "df", "p", "pi_low", "pi_high", "q")


def metafor_script(review, family, analyses):
    """R code that reproduces in metafor what the leading results of a report show.

    Parameters
    ----------
    review : helpers.review.review.Review
    family : str
        Label of the family, for the heading.
    analyses : dict of OutcomeAnalysis
        Under the same settings; the rows of one may depend on each other, those of another not.

    Returns
    -------
    str
        The script; the data and the report's own numbers stand inside, at full precision.
    """
    found = list(analyses.values())
    settings, models = found[0].settings, [one.model for one in found if one.model]
    moderators = {name: f"moderator{at}" for at, name in enumerate(review.moderators, start=1)}
    data = pd.concat([_data(review, one, moderators) for one in found], ignore_index=True)
    # The covariance looks at group data, also of rows that bring their own effects.
    due = GROUP_COLUMNS if models else ()
    data = data.drop(columns=[c for c in data if c not in due and data[c].isna().all()])
    report, packages = _expected(analyses, moderators), ["metafor"]
    if report["by"].isin(["cr2", "HTZ"]).any():
        packages.append("clubSandwich")
    named = {column: name for name, column in moderators.items() if column in data}
    if models:
        named |= {f"level{at}": name for at, name in enumerate(models[0].levels, start=1)}
    parts = [
        HEAD.format(
            title=comment(review.title), family=comment(family),
            notice=comment(review.evidence.get("notice", "")), packages=" and ".join(packages),
        ),
        *(f"# {column}: {comment(name)}\n" for column, name in named.items()),
        *(f"suppressPackageStartupMessages(library({name}))\n" for name in packages),
        f"\ndat <- {frame(data)}\nreport <- {frame(report)}\n",
        f'method <- "{settings.method}"; prediction <- "{settings.prediction}"; ',
        f"level <- {settings.level!r}\n",
        effects_code(settings, found, data),
    ]  # fmt: skip
    if models:
        levels = [f"level{at}" for at, _ in enumerate(models[0].levels, start=1)]
        parts.append(f"levels <- {vector(levels)}; fewest <- {models[0].min_groups}\n")
        parts += [GROUPS, covariance_code(settings, models[0], data), MULTILEVEL]
    if len(models) < len(found):
        parts.append(INDEPENDENT)
    return "".join([*parts, RUN])


def _data(review, analysis, moderators):
    """The rows of an outcome as the script needs them; no column is called as a person says."""
    rows, effects, model = analysis.rows, analysis.effects, analysis.model
    own = pd.Series(brings_own(rows) | (analysis.settings.measure not in KNOWN), rows.index)
    table = rows.reindex(columns=["experiment", "study", "outcome", *GROUP_COLUMNS])
    if analysis.settings.measure == "NMD":
        table = table.join(rows.reindex(columns=REFERENCE_COLUMNS))
    table = table.assign(
        n_split=effects["n_split"], sign=rows["sign"].fillna(1) if "sign" in rows else 1.0,
        effect=effects["effect"].where(own), variance=effects["variance"].where(own),
    )  # fmt: skip
    values = analysis.moderator_values.rename(columns=moderators)
    table = table.join(values.astype({c: object for c in values.select_dtypes("category")}))
    if model is None:
        return table

    def of(levels):
        found = codes(Model(levels=levels), rows, review.level_values).values()
        return [rows["experiment"] if one is None else one for one in found]

    for at, one in enumerate(of(model.levels), start=1):
        table[f"level{at}"] = one
    if model.within:
        table["within"] = labels(*of([model.within]), len(rows), model.within)
        return table
    split = analysis.controls_are_split
    return table.assign(
        cohort=animals.cohorts(rows), day=animals.days(rows),
        control=np.arange(len(rows)) if split else animals.control_groups(rows),
    )  # fmt: skip


def _expected(analyses, moderators):
    """The report's numbers: a row each estimate, test and variance, with the model it is of."""
    rows, fits = [], 0

    def add(outcome, terms, variances, test=None, **place):
        nonlocal fits
        fits += 1
        place |= {"model": fits, "outcome": outcome}
        place["column"] = moderators.get(place.get("moderator"))
        tests = [{"kind": "test"} | test] if test else []
        sums = [{"kind": "variance", "level": n, "estimate": v} for n, v in variances.items()]
        rows.extend(one | place for one in [*terms, *tests, *sums])

    for outcome, analysis in analyses.items():
        rho, by = analysis.model and analysis.model.rho, TESTS[analysis.settings.interval]
        # What stands beside results of independent rows is not what leads.
        means = {rho: analysis.leading} | (analysis.by_rho if analysis.model else {})
        for each, result in means.items():
            if result.pooled:
                add(outcome, [_mean(result, by)], _variances(result), rho=each)
        for name, result in analysis.subgroups.items():
            for level, one in result.results.items():
                if one.pooled:
                    term = _mean(one, by) | {"kind": "subgroup", "level": level}
                    add(outcome, [term], _variances(one), moderator=name)
        for name, result in analysis.regressions.items():
            coefficients = result.coefficients.iloc[1:].rename(columns={"coef": "estimate"})
            kind = "coefficient" if result.reference else "slope"
            terms = [term | {"kind": kind, "by": by} for term in records(coefficients)]
            add(outcome, terms, {"tau2": result.tau2}, moderator=name)
        for name, result in analysis.models.items():
            terms = [{"kind": "cell"} | cell for cell in records(result.cells)]
            if result.slope:
                terms = [{"kind": "slope", "estimate": result.slope["coef"]} | result.slope]
            terms = [term | {"by": TESTS.get(term["test"], term["test"])} for term in terms]
            test = {"by": result.test, "estimate": result.f, "df": result.df2, "p": result.p}
            add(outcome, terms, result.sigma2, test if result.tested else None,
                moderator=name, rho=rho)  # fmt: skip
    columns = ["model", "outcome", "kind", "moderator", "column", "level", "rho", "by", "in_test"]
    return pd.DataFrame(rows).reindex(columns=[*columns, *NUMBERS])


def _mean(result, by):
    """A pooled result of either kind as a row of the report's numbers."""
    found = {name: getattr(result, name, np.nan) for name in NUMBERS} | {"p": result.p_effect}
    return found | {"kind": "mean", "by": getattr(result, "test", by)}


def _variances(result):
    return getattr(result, "sigma2", {"tau2": result.tau2})
