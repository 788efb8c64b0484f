"""Tables as a reader sees them: results laid out, numbers written."""

from __future__ import annotations

import pandas as pd

from helpers.analysis import presets
from helpers.wording import interval, level_name, number, p_phrase, p_value, percent

PRESET_LABELS = {
    "article": "Article's settings",
    "recommended": "Recommended settings",
    "chosen": "Chosen settings",
    "three_level": "Three-level model, CR2",
    "published": "As printed",
}


def estimate_cell(row, prefix=""):
    """Estimate with interval from a mapping."""
    low, high = (f"{prefix}_low", f"{prefix}_high") if prefix else ("ci_low", "ci_high")
    return f"{number(row[prefix or 'estimate'])} {interval(row[low], row[high])}"


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
        coefficients = {} if regression is None else _by_level(regression)
        heading = moderator_heading(label, result, regression, corrected.get(name))
        for _, row in result.table.iterrows():
            rows.append(
                {"moderator": heading}
                | _level_cells(row, heads[0])
                | _coefficient_cells(row["level"], coefficients, regression, name, heads[1])
            )
    for name, result in analysis.regressions.items():
        if name not in analysis.subgroups:
            rows.append(_slope_row(moderators[name].label, result, *heads))
    return pd.DataFrame(rows)


def moderator_heading(label, result, regression, corrected):
    """A moderator's name with what its test between levels and its regression say."""
    parts = [label]
    if result.df:
        parts.append(
            f"Q between ({result.df}) = {number(result.q_between)}, {p_phrase(result.p_between)}"
        )
    if result.single:
        parts.append(f"not in this test, k = 1: {', '.join(result.single)}")
    if regression is not None:
        parts.append(
            f"regression {p_phrase(regression.p_moderators)}, by Holm {p_phrase(corrected)}, "
            f"R² = {percent(100 * regression.r2, 0)}"
        )
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


def _coefficient_cells(level, coefficients, regression, name, head):
    if regression is None:
        text, p = "not estimable", "–"
    elif level == regression.reference[name]:
        text, p = "Reference", "–"
    else:
        row = coefficients[level]
        text, p = (
            estimate_cell(row.rename({"ci_low": "coef_low", "ci_high": "coef_high"}), "coef"),
            (p_value(row["p"])),
        )
    return {head: text, "p (coefficient)": p}


def _by_level(regression):
    return {row["level"]: row for _, row in regression.coefficients.iloc[1:].iterrows()}


def _slope_row(label, regression, effect_head, head):
    row = regression.coefficients.iloc[1]
    return {
        "moderator": f"{label} · R² = {percent(100 * regression.r2, 0)}",
        "Level": "per unit",
        "k": regression.k,
        effect_head: "–",
        "p": "–",
        "I² (p)": f"{percent(regression.i2)} ({p_value(regression.p_residual)})",
        head: f"{number(row['coef'])} {interval(row['ci_low'], row['ci_high'])}",
        "p (coefficient)": p_value(row["p"]),
    }


def moderator_data(analysis):
    """The numbers behind `moderator_table` at full precision, a row a level."""
    parts = []
    for name, result in analysis.subgroups.items():
        table = result.table.assign(moderator=name)
        regression = analysis.regressions.get(name)
        if regression is not None:
            columns = {"se": "coef_se", "ci_low": "coef_low", "ci_high": "coef_high", "p": "coef_p"}
            terms = regression.coefficients.iloc[1:].rename(columns=columns)
            table = table.merge(
                terms[["level", "coef", "coef_se", "coef_low", "coef_high", "coef_p"]],
                on="level",
                how="left",
            )
        parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def presets_table(analysis, printed):
    """Presets side by side, with what was printed, as `(shown, data)`."""
    data = presets(analysis)
    if printed is not None:
        row = {"result": "published"} | {
            name: printed[name] for name in ("k", "estimate", "ci_low", "ci_high")
        }
        data = pd.concat([data, pd.DataFrame([row])], ignore_index=True)
    shown = pd.DataFrame(
        {
            "Result": data["result"].map(PRESET_LABELS),
            "k": [number(k, 0) for k in data["k"]],
            "Effect [95% CI]": [estimate_cell(row) for _, row in data.iterrows()],
            "p": [p_value(p) for p in data["p_effect"]],
            "τ²": [number(value) for value in data["tau2"]],
            "I²": [percent(value) for value in data["i2"]],
            "Prediction interval": [
                "–" if pd.isna(row["pi_low"]) else interval(row["pi_low"], row["pi_high"])
                for _, row in data.iterrows()
            ],
        }
    )
    return shown, data


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
    outcome = analysis.outcome.id
    rows = []
    if outcome in pooled.index:
        computed = vars(analysis.article)
        rows.append(_pair("pooled", None, None, pooled.loc[outcome], computed))
    for _, row in levels[levels["outcome"] == outcome].iterrows():
        name, level = row["moderator"], row["level"]
        result = analysis.subgroups.get(name)
        if result is not None and not pd.isna(row["estimate"]):
            match = result.table[result.table["level"] == level]
            if len(match):
                rows.append(_pair("subgroup", name, level, row, match.iloc[0]))
        regression = analysis.regressions.get(name)
        if regression is not None and not pd.isna(row["coef"]):
            terms = regression.coefficients
            match = terms[terms["level"] == level]
            if len(match):
                names = {"coef": "estimate", "coef_low": "ci_low", "coef_high": "ci_high"}
                renamed = row.drop(["estimate", "ci_low", "ci_high", "i2"]).rename(names)
                rows.append(_pair("coefficient", name, level, renamed, match.iloc[0].rename(names)))
    return pd.DataFrame(rows)


def _pair(quantity, moderator, level, printed, computed):
    names = ("estimate", "ci_low", "ci_high")
    row = {"quantity": quantity, "moderator": moderator, "level": level}
    row |= {f"printed_{name}": printed[name] for name in names}
    row |= {f"computed_{name}": computed[name] for name in names}
    row["distance"] = max(abs(printed[name] - computed[name]) for name in names)
    row["printed_i2"] = printed.get("i2", float("nan"))
    row["computed_i2"] = computed["i2"] if quantity == "subgroup" else float("nan")
    return row


def published_shown(table, moderators):
    """`published_table` as it is read."""
    labels = {name: moderator.label for name, moderator in moderators.items()}
    words = {"pooled": "Pooled effect", "subgroup": "Subgroup", "coefficient": "Coefficient"}
    return pd.DataFrame(
        {
            "Quantity": table["quantity"].map(words),
            "Moderator": [labels.get(name, "–") for name in table["moderator"]],
            "Level": [level or "–" for level in table["level"]],
            "Printed": [_numbers(row, "printed") for _, row in table.iterrows()],
            "Computed": [_numbers(row, "computed") for _, row in table.iterrows()],
            "Largest distance": [number(value, 3) for value in table["distance"]],
            "I² printed": [percent(value) for value in table["printed_i2"]],
            "I² computed": [percent(value) for value in table["computed_i2"]],
        }
    )


def _numbers(row, which):
    return (
        f"{number(row[f'{which}_estimate'])} "
        f"{interval(row[f'{which}_ci_low'], row[f'{which}_ci_high'])}"
    )
