"""Results of a family as plain data: the contract of `<family>.json`."""

from __future__ import annotations

from helpers import provenance
from helpers.analysis.outcome import INFERENCE
from helpers.analysis.records import records
from helpers.analysis.result import is_modelled, result_fields
from helpers.analysis.small_study import LEAST
from helpers.article import tables
from helpers.stats.pooling import critical
from helpers.words.alerts import assumed as assumed_k
from helpers.writing import plain

OF_TEST = ("slope", "se", "intercept", "statistic", "df", "p")


def counts(review, analyses, not_analysed=()):
    """How many rows of the sheet went where; whatever a report says of them, it says from here.

    ``rows_in`` are ``rows_not_used`` (listed with the reason), ``rows_controls`` (controls of a
    sheet with a row a group), ``rows_elsewhere`` (outcomes that this report has not),
    ``rows_outside`` (of the review's subset), ``rows_used``, ``rows_excluded`` by a person, and
    ``rows_without_effect`` by the settings.

    Parameters
    ----------
    review : helpers.review.review.Review
    analyses : dict of OutcomeAnalysis
    not_analysed : dict of NothingToAnalyse
        By outcome.

    Returns
    -------
    dict of int
    """
    not_analysed = dict(not_analysed)
    lost = not_analysed.values()
    here = review.experiments["outcome"].isin([*analyses, *not_analysed])
    found = analyses.values()
    return {
        "rows_in": review.rows_in,
        "rows_not_used": len(review.not_used),
        "rows_controls": review.rows_in - len(review.not_used) - review.rows_out,
        "rows_elsewhere": review.rows_out - int(here.sum()),
        "rows_outside": int((here & ~review.inside).sum()),
        "rows_used": sum(len(one.rows) for one in found),
        "rows_excluded": sum(len(one.excluded) for one in found) + sum(e.excluded for e in lost),
        "rows_without_effect": sum(len(one.undefined) for one in found)
        + sum(error.undefined for error in lost),
    }


def family_results(
    review, family, analyses, parameters, seed, not_analysed=(), *, influence=None, small_study=(),
    planning=None, certainty=None, specifications=None,
):  # fmt: skip
    """All results of one family.

    Parameters
    ----------
    review : helpers.review.review.Review
    family : str
    analyses : dict of OutcomeAnalysis
    parameters : dict
        As the notebook received them.
    seed : int
    not_analysed : dict of NothingToAnalyse
        By outcome.
    influence : dict of list, optional
        By outcome, rows of `helpers.report.diagnosis.influence_rows`.
    small_study : list of dict
        Of `small_study_fields`.
    planning : dict of dict, optional
        By outcome, of `helpers.report.robustness.planning.fields`.
    certainty : dict of dict, optional
        By outcome, fields of `helpers.report.robustness.certainty`.
    specifications : dict of dict, optional
        By outcome, of `helpers.report.robustness.specifications.fields`.

    Returns
    -------
    dict
        ``review, family, parameters, provenance, outcomes, small_study``, every number at full
        precision and null where there is none.
    """
    printed = tables.pooled(review)
    assumed = assumed_k(review, printed)
    return plain(
        {
            "review": review.id,
            "family": family,
            "parameters": parameters,
            "provenance": {
                "evidence": review.evidence,
                "rows": review.digest(),
                "unconfirmed": list(review.unconfirmed),
                "inputs": review.inputs(),
                "code": provenance.code_hash(),
                "versions": provenance.versions(),
                "seed": seed,
                **counts(review, analyses, not_analysed),
                "not_analysed": {name: str(error) for name, error in dict(not_analysed).items()},
            },
            "outcomes": {
                name: outcome_results(analysis, printed)
                | {"influence": (influence or {}).get(name, []), "assumed": name in assumed}
                | {"planning": (planning or {}).get(name)}
                | {"certainty": (certainty or {}).get(name)}
                | {"specifications": (specifications or {}).get(name)}
                for name, analysis in analyses.items()
            },
            "small_study": list(small_study),
        }
    )


def outcome_results(analysis, printed):
    """Results of one outcome; `printed` is the table of `helpers.article.tables.pooled`."""
    outcome, measure, preset = analysis.outcome, analysis.measure, analysis.preset_measure
    series_measure = measure if is_modelled(analysis.leading) else analysis.recommended_measure

    def fields(result, of):
        if result is None:
            return None
        return result_fields(result, of, studies=analysis.studies, animals=analysis.animals)

    return {
        "label": outcome.label,
        "unit": outcome.unit,
        "better": outcome.better,
        "benefit": measure.better,
        "positive": measure.positive or None,
        "studies": analysis.studies,
        "animals": analysis.animals,
        "leading_is": analysis.leading_is,
        "leading": fields(analysis.leading, measure) | {"leading_is": analysis.leading_is},
        "article": fields(analysis.article, preset),
        "recommended": fields(analysis.recommended, analysis.recommended_measure),
        "chosen": fields(analysis.chosen, measure),
        "notes": analysis.notes,
        "three_level": three_level_fields(analysis),
        "rho": [
            {"rho": rho} | fields(result, series_measure) for rho, result in analysis.by_rho.items()
        ],
        "moderators": [moderator_fields(found, analysis) for found in analysis.models.values()],
        "regressions": [term_model_fields(found, analysis) for found in analysis.term_models],
        "published": printed.loc[outcome.id].to_dict() if outcome.id in printed.index else None,
        "subgroups": [
            {"moderator": moderator} | row | measure_fields(measure)
            for moderator, result in analysis.subgroups.items()
            for row in records(result.table)
        ],
        "q_between": {
            moderator: {
                "q": result.q_between,
                "df": result.df,
                "p": result.p_between,
                "single": list(result.single),
                "left_out": result.left_out,
            }
            for moderator, result in analysis.subgroups.items()
        },
        "meta_regression": [
            row | measure_fields(measure)
            for result in analysis.regressions.values()
            for row in records(result.coefficients)[1:]
        ],
        "models": {
            moderator: regression_fields(result)
            for moderator, result in analysis.regressions.items()
        },
        "p_holm": analysis.p_holm,
        "not_estimable": analysis.not_estimable,
        "not_tested": analysis.not_tested,
        "thin_levels": {
            moderator: [
                {"level": level, "k": k, "studies": studies} for level, (k, studies) in thin.items()
            ]
            for moderator, thin in analysis.thin_levels.items()
        },
        "tested": {
            moderator: regression_fields(result)
            for moderator, result in analysis.tested.items()
            if moderator in analysis.regressions
        },
        "excluded": records(
            analysis.excluded[["experiment", "study"]].join(
                analysis.left_out[["effect", "se", "reason", "by"]]
            )
        ),
        "undefined": records(
            analysis.undefined[["experiment", "study"]].join(analysis.left_out[["reason"]])
        ),
    }


def small_study_fields(name, outcomes, found):
    """Tests for small-study effects of a group of outcomes, with their power.

    Parameters
    ----------
    name : str
        What the outcomes are called together.
    outcomes : sequence of str
        Ids.
    found : helpers.analysis.small_study.Asymmetry

    Returns
    -------
    dict
        ``group, outcomes, k, dependence, tests, power, not_run``; no test where there are fewer than
        10 experiments.
    """
    reasons = list(found.refused)
    if found.k < LEAST:
        reasons.append(f"{found.k} of the {LEAST} experiments that a test needs")
    elif not found.tests and not reasons:
        reasons.append("group sizes or control means are missing")
    return {
        "group": name,
        "outcomes": list(outcomes),
        "k": found.k,
        "dependence": found.dependence or None,
        "tests": [
            {
                "name": test.test,
                **{key: getattr(test, key) for key in ("k", "predictor", *OF_TEST)},
                **{key: test.options.get(key) for key in ("test", "clusters", "label", "reason")},
            }
            for test in found.tests.values()
        ],
        "power": [] if found.power is None else records(found.power),
        "not_run": reasons,
    }


def moderator_fields(found, analysis):
    """A moderator in the leading model: its levels or slope, and the test."""
    names = (
        "moderator",
        "f",
        "df1",
        "df2",
        "p",
        "test",
        "r2",
        "k",
        "studies",
        "left_out",
        "sigma2",
    )
    return {name: getattr(found, name) for name in names} | {
        "tested": found.tested,
        "reason": found.reason,
        "p_holm": analysis.p_holm.get(found.moderator),
        "levels": records(found.cells),
        "slope": found.slope,
        **measure_fields(analysis.measure),
    }


def term_model_fields(model, analysis):
    """A regression on several terms: a test a term, its coefficients; nothing but a note without."""
    found, own = model.result, {"label": model.label, "note": model.note}
    if found is None:
        return own | {"terms": list(model.terms), "coefficients": []}
    names = ("k", "studies", "left_out", "missing", "tau2", "sigma2", "reference", "test", "level")
    return own | {name: getattr(found, name) for name in names} | {
        "r2": found.r2 / 100,
        "warnings": list(found.warnings),
        "terms": records(found.terms),
        "coefficients": records(found.coefficients),
        **measure_fields(analysis.measure),
    }  # fmt: skip


def measure_fields(measure):
    """What a result is: its measure by name, and whether its numbers are logarithms."""
    return {"measure": measure.label, "scale": measure.scale}


def three_level_fields(analysis):
    """The three-level result with cluster-robust inference, or why there is none.

    Its prediction interval is that of the multilevel models: by t with one degree of freedom less
    than clusters and never narrower than the confidence interval, or by normal quantiles with it.
    """
    fitted, robust = analysis.three_level, analysis.robust
    if fitted is None:
        return {"note": analysis.three_level_note}
    low, high = fitted.pi_low, fitted.pi_high
    if robust:
        total = fitted.sigma2_study + fitted.sigma2_experiment
        reach = critical(robust.level, robust.clusters - 1) * (robust.se**2 + total) ** 0.5
        low = min(robust.estimate - reach, robust.ci_low)
        high = max(robust.estimate + reach, robust.ci_high)
    return {
        "k": fitted.k,
        "studies": fitted.studies,
        "animals": analysis.animals,
        "level": fitted.level,
        **{name: getattr(robust or fitted, name) for name in INFERENCE},
        "df": getattr(robust, "df", None),
        "pi_low": low,
        "pi_high": high,
        "inference": "CR2" if robust else "z",
        "test": "cr2" if robust else "z",
        "sigma2": {"study": fitted.sigma2_study, "experiment": fitted.sigma2_experiment},
        "i2": fitted.i2,
        "i2_by_level": {"study": fitted.i2_study, "experiment": fitted.i2_experiment},
        "sigma2_study": fitted.sigma2_study,
        "sigma2_experiment": fitted.sigma2_experiment,
        "note": analysis.three_level_note,
        **measure_fields(analysis.preset_measure),
    }


def regression_fields(result):
    """A meta-regression without its coefficients' table."""
    intercept = records(result.coefficients)[0]
    names = ("k", "left_out", "tau2", "r2", "i2", "qm", "qm_df", "p_moderators", "q_residual",
             "p_residual", "reference")  # fmt: skip
    return {name: getattr(result, name) for name in names} | {
        "intercept": {name: intercept[name] for name in ("coef", "se", "ci_low", "ci_high", "p")}
    }
