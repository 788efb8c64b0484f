"""Tables of moderators as a reader sees them: levels, slopes, coefficients and their tests."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pandas as pd

from helpers.analysis.records import records
from helpers.words.numbers import (
    effect,
    effect_interval,
    level_name,
    number,
    p_phrase,
    p_value,
    percent,
    told,
)
from helpers.words.tables import by_level, coefficient_rows, estimate_cell


def moderator_table(analysis, moderators, as_printed=False):
    """Subgroups and meta-regressions of one outcome, laid out as the article's Tables 2 to 7.

    `as_printed` keeps the tests of all levels, as an article has them, beside those without the
    levels of one experiment or one study.

    Returns
    -------
    pandas.DataFrame
        ``moderator`` (a heading with the test between levels), level, k, effect, p, I² (p),
        coefficient and its p, all as text.
    """
    rows, measure = [], analysis.measure
    names = measure.title, "Coefficient, as a ratio" if measure.is_log else "Coefficient"
    heads = [f"{name} [{level_name(analysis.settings.level)}]" for name in names]
    for name, result in analysis.subgroups.items():
        regression = analysis.regressions.get(name)
        heading = moderator_heading(analysis, moderators[name], as_printed)
        coefficients = _coefficient_cells(regression, name, measure)
        for row in records(result.table):
            coefficient, p = coefficients.get(row["level"], ("not estimable", "–"))
            rows.append(
                {"moderator": heading}
                | _level_cells(row, heads[0], measure)
                | {heads[1]: coefficient, "p (coefficient)": p}
            )
    for name, result in analysis.regressions.items():
        if name not in analysis.subgroups:
            heading = moderator_heading(analysis, moderators[name], as_printed)
            rows.append({"moderator": heading} | _slope_cells(result, *heads, slope_of(measure)))
    return pd.DataFrame(rows)


def moderator_heading(analysis, moderator, as_printed=False):
    """A moderator's name with what its test between levels and its regression say.

    Levels of one experiment or one study are named; nothing rests on them, but for what stands in
    an article's tables.
    """
    name, parts = moderator.id, [moderator.label]
    result, thin = analysis.subgroups.get(name), analysis.thin_levels.get(name, ())
    regression, tested = analysis.regressions.get(name), analysis.tested.get(name)
    if result and result.df and (as_printed or (tested and not thin)):
        parts.append(
            f"Q between ({result.df}) = {number(result.q_between)}, {p_phrase(result.p_between)}"
        )
        if result.single:
            parts.append(f"not in this test, k = 1: {', '.join(result.single)}")
    if regression is not None and as_printed and tested is not regression:
        parts.append(
            f"regression {p_phrase(regression.p_moderators)}, "
            f"{told('R²', percent(100 * regression.r2, 0))}"
        )
    if thin:
        parts.append(f"levels of one experiment or one study, not tested: {', '.join(thin)}")
    if tested is not None:
        without = "without them " if thin else ""
        parts.append(
            f"{without}regression {p_phrase(tested.p_moderators)}, by Holm "
            f"{p_phrase(analysis.p_holm[name])}, {told('R²', percent(100 * tested.r2, 0))}"
        )
    elif name in analysis.not_tested:
        parts.append(f"not tested: {analysis.not_tested[name]}")
    if result and result.left_out:
        parts.append(f"not reported in {result.left_out}")
    return " · ".join(parts)


def model_table(analysis, moderators):
    """Moderators in the leading model: cell means, slopes and their tests, as text.

    Returns
    -------
    pandas.DataFrame
        ``moderator`` (a heading with the test), level, k, studies, estimate with its interval,
        prediction interval.
    """
    rows, measure = [], analysis.measure
    level = level_name(analysis.settings.level)
    head, wide = f"{measure.title} [{level}]", "Prediction interval"
    for name, found in analysis.models.items():
        heading = model_heading(analysis, moderators[name])
        for cell in records(found.cells):
            rows.append({
                "moderator": heading,
                "Level": cell["level"] if cell["in_test"] else f"{cell['level']} (not in the test)",
                "k": cell["k"],
                "Studies": cell["studies"],
                head: estimate_cell(cell, measure=measure),
                wide: effect_interval(cell["pi_low"], cell["pi_high"], measure),
            })  # fmt: skip
        if found.slope:
            slope = found.slope | {"estimate": found.slope["coef"]}
            text = estimate_cell(slope, measure=slope_of(measure))
            rows.append({
                "moderator": heading, "Level": "per unit", "k": found.k, "Studies": found.studies,
                head: text, wide: "–",
            })  # fmt: skip
    return pd.DataFrame(rows)


def model_heading(analysis, moderator):
    """A moderator's name with what its test in the leading model says."""
    name, found = moderator.id, analysis.models[moderator.id]
    parts = [moderator.label]
    if found.tested:
        parts.append(
            f"{found.test}({found.df1:g}, {number(found.df2, 1)}) = {number(found.f)}, "
            f"{p_phrase(found.p)}, by Holm {p_phrase(analysis.p_holm[name])}"
        )
        parts.append(told("R²", percent(100 * found.r2, 0)))
    else:
        parts.append(f"not tested: {found.reason}")
    if found.left_out:
        parts.append(f"not reported in {found.left_out}")
    return " · ".join(parts)


def model_data(analysis):
    """The numbers behind `model_table` at full precision, a row a level or slope."""
    parts = []
    for name, found in analysis.models.items():
        test = {"f": found.f, "df1": found.df1, "df2": found.df2, "p_test": found.p,
                "test_of_levels": found.test, "not_tested": found.reason, "r2": found.r2}  # fmt: skip
        table = found.cells
        if found.slope:
            own = found.slope | {"estimate": found.slope["coef"], "level": "per unit"}
            table = pd.DataFrame([own | {"k": found.k, "studies": found.studies}]).drop(
                columns="coef"
            )
        parts.append(table.assign(moderator=name, **test))
    if not parts:
        return pd.DataFrame()
    named = {"measure": analysis.measure.label, "scale": analysis.measure.scale}
    return pd.concat(parts, ignore_index=True).assign(**named)


def regressions_table(analysis, moderators):
    """Regressions on several terms, as text, a row a coefficient.

    Returns
    -------
    pandas.DataFrame
        ``regression`` (a heading with rows and R²), term, its test, its collinearity, coefficient
        with interval and p; one without a result has a row that says why.
    """
    rows, measure = [], analysis.measure
    own = slope_of(measure)
    name = "Coefficient, as a ratio" if measure.is_log else "Coefficient"
    head = f"{name} [{level_name(analysis.settings.level)}]"
    names = ("Term", "Test of the term", "Collinearity", "Level or unit", head, "p")
    for model in analysis.term_models:
        heading = {"regression": regression_heading(model)}
        if model.result is None:
            rows.append(heading | dict.fromkeys(names, "–") | {names[0]: model.note})
            continue
        found, tests = model.result, model.result.terms.set_index("term")
        last = ""
        for row in records(found.coefficients.rename(columns={"coef": "estimate"})):
            term, first = row["term"], row["term"] != last
            cells, tested, factors, last = ("", ""), True, (), term
            if term in tests.index:
                test, factors = tests.loc[term], found.design.factors[term]
                tested = test["tested"]
                cells = (term_test(test), number(test["gsif"])) if first else cells
            # A change by one category is an effect, one by a unit a slope.
            by_unit = any(part.name not in found.reference for part in factors)
            said = in_words(term, factors, moderators)
            rows.append(heading | dict(zip(names, (
                ("Intercept" if not factors else said) if first else "", *cells,
                in_words(row["column"], factors, moderators) if factors else "–",
                estimate_cell(row, measure=own if by_unit else measure),
                p_value(row["p"]) if tested else "–",
            ), strict=True)))  # fmt: skip
        rows += [
            heading | dict.fromkeys(names, "–") | {
                names[0]: in_words(term, found.design.factors[term], moderators),
                names[1]: term_test(test),
            }
            for term, test in tests.iterrows() if not found.design.terms[term]
        ]  # fmt: skip
    return pd.DataFrame(rows)


def regression_heading(model):
    """What a regression is called, its rows, R² and what a reader is to know of it."""
    parts, found = [model.label], model.result
    if found is None:
        return f"{model.label} · not estimated"
    parts.append(f"k = {found.k}" + f" in {found.studies} studies" * bool(found.studies))
    parts.append(told("marginal R²", percent(found.r2, 0)))
    if found.left_out:
        missing = ", ".join(f"{name} in {n}" for name, n in found.missing.items())
        parts.append(f"left out {found.left_out}, which lack {missing}")
    return " · ".join([*parts, *found.warnings])


def term_test(test):
    """The joint test of a term, or why there is none, and where it holds."""
    df2 = "" if math.isinf(test["df2"]) else f", {number(test['df2'], 1)}"
    text = f"{test['test']}({test['df1']:g}{df2}) = {number(test['statistic'])}, "
    text += p_phrase(test["p"])
    if not test["tested"]:
        text = f"not tested: {test['reason']}"
    return f"{text}; {test['note']}" if test["note"] else text


def in_words(text, factors, moderators):
    """A term or a column of it, with the moderators' labels in place of their ids."""
    pattern = r"(.*?)(?::| × )".join(f"({re.escape(str(part))})" for part in factors) + "(.*)"
    found = re.fullmatch(pattern, text)
    if not factors or not found:
        return text
    groups = list(found.groups())
    for at, part in enumerate(factors):
        groups[2 * at] = str(replace(part, name=moderators[part.name].label))
    return " × ".join(a + b for a, b in zip(groups[::2], groups[1::2], strict=True))


def regressions_data(analysis):
    """The numbers behind `regressions_table` at full precision, a row a coefficient."""
    parts = []
    for model in analysis.term_models:
        if model.result is None:
            continue
        tests = model.result.terms.set_index("term").add_suffix("_term")
        table = model.result.coefficients.join(tests, on="term")
        table.insert(0, "regression", model.label)
        parts.append(table.assign(k=model.result.k, r2=model.result.r2))
    if not parts:
        return pd.DataFrame({
            "regression": [model.label for model in analysis.term_models],
            "note": [model.note for model in analysis.term_models],
        })  # fmt: skip
    named = {"measure": analysis.measure.label, "scale": analysis.measure.scale}
    return pd.concat(parts, ignore_index=True).assign(**named)


def slope_of(measure):
    """The measure of a change by a moderator's unit: it has the decimals that it needs."""
    return replace(measure, id="slope", label="log ratio" if measure.is_log else "slope")


def _level_cells(row, head, measure):
    pooled, alone = bool(row["pooled"]), effect(row["estimate"], measure)
    return {
        "Level": row["level"],
        "k": row["k"],
        head: estimate_cell(row, measure=measure) if pooled else f"{alone}, not pooled",
        "p": p_value(row["p_effect"]) if pooled else "–",
        "I² (p)": f"{percent(row['i2'])} ({p_value(row['p_heterogeneity'])})" if pooled else "–",
    }


def _coefficient_cells(regression, name, measure):
    """Coefficient and its p, as text, of each level of the moderator."""
    if regression is None:
        return {}
    terms = coefficient_rows(regression)
    cells = {
        row["level"]: (estimate_cell(row, measure=measure), p_value(row["p"])) for row in terms
    }
    return cells | {regression.reference[name]: ("Reference", "–")}


def _slope_cells(regression, effect_head, head, measure):
    row = coefficient_rows(regression)[1]
    return {
        "Level": "per unit",
        "k": regression.k,
        effect_head: "–",
        "p": "–",
        "I² (p)": f"{percent(regression.i2)} ({p_value(regression.p_residual)})",
        head: estimate_cell(row, measure=measure),
        "p (coefficient)": p_value(row["p"]),
    }


def moderator_data(analysis):
    """The numbers behind `moderator_table` at full precision, a row a level."""
    names = {
        "estimate": "coef", "se": "coef_se", "ci_low": "coef_low", "ci_high": "coef_high",
        "p": "coef_p",
    }  # fmt: skip
    parts = []
    for name, result in analysis.subgroups.items():
        table = result.table.assign(moderator=name)
        if (regression := analysis.regressions.get(name)) is not None:
            terms = by_level(coefficient_rows(regression))
            found = [terms.get(level, {}) for level in table["level"]]
            for field, column in names.items():
                table[column] = [term.get(field, math.nan) for term in found]
        parts.append(table)
    if not parts:
        return pd.DataFrame()
    named = {"measure": analysis.measure.label, "scale": analysis.measure.scale}
    return pd.concat(parts, ignore_index=True).assign(**named)
