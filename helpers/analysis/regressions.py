"""Several moderators at once, as `[[regressions]]` of a review asks for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.analysis.moderators import thin_levels, untestable
from helpers.analysis.settings import EXPERIMENT
from helpers.stats.nested.regression import TermsResult, regression
from helpers.stats.nested.terms import parse


@dataclass(frozen=True, eq=False)
class TermModel:
    """One `[[regressions]]` on one outcome.

    Attributes
    ----------
    label : str
    terms : tuple of str
        As `review.toml` has them.
    result : TermsResult or None
        A term that would rest on one study is not tested in it.
    note : str
        Why there is no result, or empty.
    """

    label: str
    terms: tuple[str, ...]
    result: TermsResult | None
    note: str = ""


def of_outcome(analysis, review, options, moderators=None):
    """The regressions that a review asks for on one outcome.

    Parameters
    ----------
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    review : helpers.review.review.Review
    options : dict
        Of `helpers.analysis.model.options`; empty where rows are independent.
    moderators : sequence of str, optional
        Ids of those to look at; a regression on others is not run, and that is its note.

    Yields
    ------
    TermModel
    """
    for entry in review.regressions:
        if analysis.outcome.id not in entry.get("outcomes", [analysis.outcome.id]):
            continue
        terms = tuple(entry["terms"])
        label, note, result = entry.get("label", " + ".join(terms)), "", None
        names = named(terms, review.moderators)
        other = [name for name in names if moderators is not None and name not in moderators]
        if other:
            note = f"not among the moderators chosen: {', '.join(other)}"
        else:
            try:
                result = _fitted(analysis, review, terms, names, options)
            except ValueError as error:
                note = str(error)
        yield TermModel(label, terms, result, note)


def named(terms, known):
    """Moderators that terms name, each once; terms that cannot be read are refused."""
    return list(dict.fromkeys(part.name for term in terms for part in parse(term, known)))


def _fitted(analysis, review, terms, names, options):
    """Regression in the leading model; where rows are independent, as one moderator alone is."""
    study, settings = analysis.rows["study"], analysis.settings
    every = analysis.moderator_values.reindex(columns=names)
    # A message names a row as a spreadsheet counts it.
    values = every.set_axis(analysis.rows["sheet_row"])
    lacking = [review.moderators[name].label for name in names if every[name].isna().all()]
    if lacking:
        raise ValueError(f"no experiment has a value of {', '.join(lacking)}")
    whole = every[every.notna().all(axis=1)]
    # What leads by the recommended settings has its moderators by Hartung and Knapp, unfloored.
    own = bool(analysis.models) or analysis.leading_is == "recommended"
    how = options or {
        "levels": {EXPERIMENT: None}, "variance": analysis.effects["variance"], "study": study,
        "independent": True, "level": settings.level,
    }  # fmt: skip
    found = regression(
        analysis.effects["effect"],
        terms=terms,
        moderators=values,
        reference=_references(analysis.outcome.id, review.moderators, names, whole),
        interval="hksj" if options or own else settings.interval,
        method=settings.method,
        **how,
    )
    return _without_lone_studies(found, whole, study[whole.index])


def _references(outcome, moderators, names, values):
    """The level of each category that the others are compared with, one that rows have."""
    found = {}
    for name in names:
        present = [level for level in moderators[name].levels if (values[name] == level).any()]
        if present:
            found[name] = moderators[name].reference_for(outcome, present)
    return found


def _without_lone_studies(found, values, study):
    """The same without tests of terms that would rest on one study."""
    why = {}
    for name in values:
        thick = values[name]
        if name in found.reference:
            thick = thick.where(~thick.isin(list(thin_levels(thick, study))))
        if reason := untestable(thick, study):
            why[name] = reason
    table = found.terms.copy()
    for at, term in table["term"].items():
        reasons = [why[part.name] for part in found.design.factors[term] if part.name in why]
        if reasons:
            table.loc[at, ["statistic", "p"]] = np.nan
            table.loc[at, "tested"] = False
            table.loc[at, "reason"] = reasons[0]
    return replace(found, terms=table)
