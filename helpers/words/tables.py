"""Tables as a reader sees them: results laid out, numbers written."""

from __future__ import annotations

import math

import pandas as pd

from helpers.analysis.measures import SMD
from helpers.analysis.outcome import presets
from helpers.analysis.records import records
from helpers.analysis.result import is_modelled
from helpers.words.numbers import (
    effect_interval,
    estimate_text,
    level_name,
    number,
    p_value,
    percent,
    variance_text,
)

BOUNDS = ("estimate", "ci_low", "ci_high")
PRESET_LABELS = {
    "article": "Article's settings",
    "recommended": "Recommended settings",
    "chosen": "Chosen settings",
    "three_level": "Three-level model, usual variance",
    "published": "As printed",
}


def preset_names(rebuilds=True):
    """What the results side by side are called; nothing is an article's where there is none."""
    return {name: label for name, label in PRESET_LABELS.items() if rebuilds or name != "article"}


def outcome_label(analysis, shared):
    """An outcome's label, with its measure where it is not the one of all."""
    own = analysis.measure
    if (own.title, own.scale) == (shared.title, shared.scale):
        return analysis.outcome.label
    return (
        f"{analysis.outcome.label} ({own.label if own.is_log and not shared.is_log else own.name})"
    )


def estimate_cell(row, prefix="", measure=SMD):
    """Estimate with interval from a mapping whose keys begin with `prefix`."""
    return estimate_text(*(row[prefix + name] for name in BOUNDS), measure)


def coefficient_rows(regression):
    """Coefficients as mappings, called estimates as effects are."""
    return records(regression.coefficients.rename(columns={"coef": "estimate"}))


def by_level(rows):
    """Rows by their ``level``."""
    return {row["level"]: row for row in rows}


def presets_table(analysis, printed, rebuilds=True):
    """Presets side by side, with what was printed, as `(shown, data)`; each names its measure."""
    data = presets(analysis)
    if printed is not None:
        row = {name: printed[name] for name in ("k", *BOUNDS)}
        data = pd.DataFrame([*records(data), {"result": "published"} | row])
    usual, own = level_name(analysis.recommended_level), level_name(analysis.leading.level)
    labels = preset_names(rebuilds) | {
        f"rho {rho:g}": f"Multilevel model, ρ = {rho:g}" for rho in analysis.by_rho
    }
    labels["three_level"] += ", CR2" if analysis.robust else ", z"
    if own != usual and analysis.leading_is == "chosen":
        labels["chosen"] += f", {own}"
    of = dict.fromkeys(data["result"], analysis.preset_measure)
    of |= {"chosen": analysis.measure, "recommended": analysis.recommended_measure}
    series = analysis.measure if is_modelled(analysis.leading) else analysis.recommended_measure
    of |= {f"rho {rho:g}": series for rho in analysis.by_rho}
    alike = len({of[name].title for name in data["result"]}) == 1
    head = analysis.measure.title if alike else "Estimate"
    shown = [
        {
            "Result": labels[row["result"]],
            **({} if alike else {"Measure": of[row["result"]].title}),
            "k": number(row["k"], 0),
            f"{head} [{usual}]": estimate_cell(row, measure=of[row["result"]]),
            "p": p_value(row["p_effect"]),
            "τ²": variance_text(row["tau2"]),
            "I²": percent(row["i2"]),
            "Prediction interval": (
                "–"
                if pd.isna(row["pi_low"])
                else effect_interval(row["pi_low"], row["pi_high"], of[row["result"]])
            ),
        }
        for row in records(data)
    ]
    named = [of[name] for name in data["result"]]
    return pd.DataFrame(shown), data.assign(
        measure=[one.label for one in named], scale=[one.scale for one in named]
    )


def published_table(analysis, pooled, levels):
    """Printed numbers beside those of the article preset, as a table of numbers.

    Parameters
    ----------
    analysis : OutcomeAnalysis
        By the article's settings.
    pooled, levels : pandas.DataFrame
        Of `helpers.article.tables.pooled` and `helpers.article.tables.subgroups`.

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
    groups = {name: by_level(records(one.table)) for name, one in analysis.subgroups.items()}
    terms = {name: by_level(coefficient_rows(one)) for name, one in analysis.regressions.items()}
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


def published_shown(table, moderators, measure=SMD):
    """`published_table` as it is read, both numbers being of the article's measure."""
    labels = {name: moderator.label for name, moderator in moderators.items()}
    words = {"pooled": "Pooled effect", "subgroup": "Subgroup", "coefficient": "Coefficient"}
    return pd.DataFrame(
        {
            "Quantity": words[row["quantity"]],
            "Moderator": labels.get(row["moderator"], "–"),
            "Level": row["level"] or "–",
            "Printed": estimate_cell(row, "printed_", measure),
            "Computed": estimate_cell(row, "computed_", measure),
            "Largest distance": number(row["distance"], 3),
            "I² printed": percent(row["printed_i2"]),
            "I² computed": percent(row["computed_i2"]),
        }
        for row in records(table)
    )
