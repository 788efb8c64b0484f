"""Tables as a reader sees them: results laid out, numbers written."""

from __future__ import annotations

import math

import pandas as pd

from helpers.analysis import presets
from helpers.moderators import resting_on_one
from helpers.results import records
from helpers.wording import (
    interval,
    level_name,
    listing,
    number,
    p_phrase,
    p_value,
    percent,
    r2_words,
    told,
)

BOUNDS = ("estimate", "ci_low", "ci_high")
PRESET_LABELS = {
    "article": "Article's settings",
    "recommended": "Recommended settings",
    "chosen": "Chosen settings",
    "three_level": "Three-level model",
    "published": "As printed",
}


def preset_names(rebuilds=True):
    """What the results side by side are called; nothing is an article's where there is none."""
    return PRESET_LABELS | ({} if rebuilds else {"article": "Plain settings"})


def estimate_cell(row, prefix=""):
    """Estimate with interval from a mapping whose keys begin with `prefix`."""
    estimate, low, high = (row[prefix + name] for name in BOUNDS)
    return f"{number(estimate)} {interval(low, high)}"


def moderator_table(analysis, moderators):
    """Subgroups and meta-regressions of one outcome, laid out as the article's Tables 2 to 7.

    Returns
    -------
    pandas.DataFrame
        ``moderator`` (a heading with the test between levels), level, k, effect, p, I² (p),
        coefficient and its p, all as text.
    """
    rows, settings, corrected = [], analysis.settings, analysis.p_holm
    heads = [f"{name} [{level_name(settings.level)}]" for name in (settings.measure, "Coefficient")]
    for name, result in analysis.subgroups.items():
        label, regression = moderators[name].label, analysis.regressions.get(name)
        thin = resting_on_one(analysis.rows[name], analysis.rows["study"])
        heading = moderator_heading(label, result, regression, corrected.get(name), thin)
        coefficients = _coefficient_cells(regression, name)
        for row in records(result.table):
            coefficient, p = coefficients.get(row["level"], ("not estimable", "–"))
            rows.append(
                {"moderator": heading}
                | _level_cells(row, heads[0])
                | {heads[1]: coefficient, "p (coefficient)": p}
            )
    for name, result in analysis.regressions.items():
        if name not in analysis.subgroups:
            r2 = r2_words(analysis, name)
            rows.append(_slope_row(f"{moderators[name].label} · {r2}", result, *heads))
    return pd.DataFrame(rows)


def moderator_heading(label, result, regression, corrected, thin=()):
    """A moderator's name with what its test between levels and its regression say.

    `thin` are levels that rest on one experiment or one study: they are named, and no R² stands
    where there are any.
    """
    parts = [label]
    if result.df:
        parts.append(
            f"Q between ({result.df}) = {number(result.q_between)}, {p_phrase(result.p_between)}"
        )
    if result.single:
        parts.append(f"not in this test, k = 1: {', '.join(result.single)}")
    if regression is not None:
        parts.append(
            f"regression {p_phrase(regression.p_moderators)}, by Holm {p_phrase(corrected)}"
        )
        if thin:
            rest = "rests" if len(thin) == 1 else "rest"
            parts.append(f"no finding, as {listing(thin)} {rest} on one study")
        else:
            parts.append(told("R²", percent(100 * regression.r2, 0)))
    if result.left_out:
        parts.append(f"not reported in {result.left_out}")
    return " · ".join(parts)


def _level_cells(row, head):
    pooled = bool(row["pooled"])
    return {
        "Level": row["level"],
        "k": row["k"],
        head: estimate_cell(row) if pooled else f"{number(row['estimate'])}, not pooled",
        "p": p_value(row["p_effect"]) if pooled else "–",
        "I² (p)": f"{percent(row['i2'])} ({p_value(row['p_heterogeneity'])})" if pooled else "–",
    }


def _coefficient_cells(regression, name):
    """Coefficient and its p, as text, of each level of the moderator."""
    if regression is None:
        return {}
    terms = _coefficients(regression)
    cells = {row["level"]: (estimate_cell(row), p_value(row["p"])) for row in terms}
    return cells | {regression.reference[name]: ("Reference", "–")}


def _coefficients(regression):
    """Coefficients as mappings, called estimates as effects are."""
    return records(regression.coefficients.rename(columns={"coef": "estimate"}))


def _by_level(rows):
    return {row["level"]: row for row in rows}


def _slope_row(heading, regression, effect_head, head):
    row = _coefficients(regression)[1]
    return {
        "moderator": heading,
        "Level": "per unit",
        "k": regression.k,
        effect_head: "–",
        "p": "–",
        "I² (p)": f"{percent(regression.i2)} ({p_value(regression.p_residual)})",
        head: estimate_cell(row),
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
            terms = _by_level(_coefficients(regression))
            found = [terms.get(level, {}) for level in table["level"]]
            for field, column in names.items():
                table[column] = [term.get(field, math.nan) for term in found]
        parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def presets_table(analysis, printed, rebuilds=True):
    """Presets side by side, with what was printed, as `(shown, data)`."""
    data = presets(analysis)
    if printed is not None:
        row = {name: printed[name] for name in ("k", *BOUNDS)}
        data = pd.DataFrame([*records(data), {"result": "published"} | row])
    usual, own = level_name(analysis.article.level), level_name(analysis.chosen.level)
    labels = preset_names(rebuilds)
    labels["three_level"] += ", CR2" if analysis.robust else ", z"
    if own != usual:
        labels["chosen"] += f", {own}"
    shown = [
        {
            "Result": labels[row["result"]],
            "k": number(row["k"], 0),
            f"Effect [{usual}]": estimate_cell(row),
            "p": p_value(row["p_effect"]),
            "τ²": number(row["tau2"]),
            "I²": percent(row["i2"]),
            "Prediction interval": (
                "–" if pd.isna(row["pi_low"]) else interval(row["pi_low"], row["pi_high"])
            ),
        }
        for row in records(data)
    ]
    return pd.DataFrame(shown), data


def published_table(analysis, pooled, levels):
    """Printed numbers beside those of the article preset, as a table of numbers.

    Parameters
    ----------
    analysis : OutcomeAnalysis
    pooled, levels : pandas.DataFrame
        Of `helpers.published.pooled` and `helpers.published.subgroups`.

    Returns
    -------
    pandas.DataFrame
        ``quantity, moderator, level``, printed and computed estimate with interval, I² and the
        largest distance among estimate and bounds; empty where nothing was printed.
    """
    outcome, rows = analysis.outcome.id, []
    if outcome in pooled.index:
        computed = vars(analysis.article)
        rows.append(_pair("pooled", None, None, pooled.loc[outcome], computed))
    groups = {name: _by_level(records(one.table)) for name, one in analysis.subgroups.items()}
    terms = {name: _by_level(_coefficients(one)) for name, one in analysis.regressions.items()}
    for row in records(levels[levels["outcome"] == outcome]):
        name, level = row["moderator"], row["level"]
        group, term = (known.get(name, {}).get(level) for known in (groups, terms))
        if group and not pd.isna(row["estimate"]):
            rows.append(_pair("subgroup", name, level, row, group))
        if term and not pd.isna(row["coef"]):
            printed = {
                "estimate": row["coef"],
                "ci_low": row["coef_low"],
                "ci_high": row["coef_high"],
            }
            rows.append(_pair("coefficient", name, level, printed, term))
    return pd.DataFrame(rows)


def _pair(quantity, moderator, level, printed, computed):
    return {
        **{"quantity": quantity, "moderator": moderator, "level": level},
        **{f"printed_{name}": printed[name] for name in BOUNDS},
        **{f"computed_{name}": computed[name] for name in BOUNDS},
        "distance": max(abs(printed[name] - computed[name]) for name in BOUNDS),
        "printed_i2": printed.get("i2", math.nan),
        "computed_i2": computed["i2"] if quantity == "subgroup" else math.nan,
    }


def published_shown(table, moderators):
    """`published_table` as it is read."""
    labels = {name: moderator.label for name, moderator in moderators.items()}
    words = {"pooled": "Pooled effect", "subgroup": "Subgroup", "coefficient": "Coefficient"}
    return pd.DataFrame(
        {
            "Quantity": words[row["quantity"]],
            "Moderator": labels.get(row["moderator"], "–"),
            "Level": row["level"] or "–",
            "Printed": estimate_cell(row, "printed_"),
            "Computed": estimate_cell(row, "computed_"),
            "Largest distance": number(row["distance"], 3),
            "I² printed": percent(row["printed_i2"]),
            "I² computed": percent(row["computed_i2"]),
        }
        for row in records(table)
    )
