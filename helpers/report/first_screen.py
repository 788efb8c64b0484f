"""The first screen of a report: who and what, the settings, one table of findings, one figure.

`report` is a `helpers.report.family.Report` or a `helpers.report.overview.Overview` throughout.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from helpers.analysis import measures
from helpers.figures import review as review_figures
from helpers.page import blocks
from helpers.report.robustness import certainty
from helpers.stats.pooling import probability_below
from helpers.words import numbers, reading, sentences, tables
from helpers.words.numbers import count, percent
from helpers.words.settings import in_one_line

OVERVIEW = "overview"


def head(report, label, own):
    """Who reports what from where, by which settings; the evidence's notice; how to cite it.

    Parameters
    ----------
    report : Report or Overview
    label : str
        Of the report.
    own : str
        Its id, which its address is made of.
    """
    review = report.review
    facts = [("Review", review.title)]
    if review.authors:
        facts.append(("Authors", numbers.listing(review.authors)))
    if review.date:
        facts.append(("Date", review.date))
    if report.rebuilds:
        facts.append(("Rebuilds", _source(review.article)))
    elif review.citation:
        facts.append(("Source", review.citation))
    pages = {OVERVIEW: "Overview", **{name: one.label for name, one in review.families.items()}}
    settings = in_one_line(*report.asked, list(report.analyses.values()), report.rebuilds)
    if review.subset is not None:
        settings.insert(0, (f"only {review.subset.words}", True))
    return blocks.head(
        facts,
        settings=settings,
        others=[(words, f"{name}.html") for name, words in pages.items() if name != own],
        cite=citation(report, label),
        evidence=review.evidence,
    )


def _source(article):
    doi = article.get("doi", "")
    text = article["citation"]
    return text if not doi or doi in text else f"{text.rstrip('.')}. doi:{doi}"


def citation(report, label):
    """How this report is cited: by whom, what, when, from which rows; and what it rebuilds."""
    review = report.review
    who = f"{numbers.listing(review.authors)}. " if review.authors else ""
    when = f" {review.date}." if review.date else ""
    kind = "" if review.subset is None else f" Experiments with {review.subset.words}."
    kind += "" if review.is_authentic else f" {review.evidence['kind'].capitalize()} data."
    text = (
        f"{who}{review.title}: {label[:1].lower()}{label[1:]} [meta-analysis report].{when}{kind} "
        f"SHA-256 of the rows {review.digest()[:12]}."
    )
    source = _source(report.review.article) if report.rebuilds else review.citation
    return f"{text}\n\n{source}" if source else text


def findings(report):
    """One table of all outcomes: how much evidence, the effect, and what a new experiment may find.

    A row an outcome, in the review's order; its name leads to its section.
    """
    analyses = report.analyses
    measure = measures.common(one.measure for one in analyses.values())
    level = numbers.level_name(next(iter(analyses.values())).leading.level)
    several = len({one.measure.title for one in analyses.values()}) > 1
    head = f"Effect [{level}]" if several else f"{measure.title} [{level}]"
    rows, data = [], []
    for name, one in analyses.items():
        result = one.leading
        below = probability_below(result) if not pd.isna(result.pi_low) else np.nan
        data.append({
            "outcome": name, "label": one.outcome.label, "better": one.outcome.better,
            "measure": one.measure.label, "scale": one.measure.scale,
            "k": result.k, "studies": one.studies, "animals": one.animals,
            **{key: getattr(result, key) for key in
               ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")},
            "probability_below_no_effect": below, "i2": result.i2,
        })  # fmt: skip
        rows.append({
            "Outcome": one.outcome.label,
            **({"Measure": one.measure.title} if several else {}),
            head: tables.estimate_cell(vars(result), measure=one.measure),
            f"{100 * result.level:g}% prediction interval": _prediction(result, one.measure),
            f"P(effect below {'no effect' if several else one.measure.null})": (
                "–" if np.isnan(below) else percent(100 * below, 0 if 0.01 < below < 0.99 else 1)
            ),
            "k (studies)": f"{result.k:,} ({one.studies:,})",
            "Animals": f"{one.animals:,}" if one.animals else "–",
            "Better": one.measure.better_animals,
        })  # fmt: skip
    assumed = [one.outcome.label for name, one in analyses.items() if name in report.assumed]
    note = ""
    if assumed:
        every = "all" if len(assumed) == len(analyses) else numbers.listing(assumed)
        note = f" The number of experiments is assumed for {every}."
    shown = pd.DataFrame(rows)
    if (shown["Animals"] == "–").all():
        shown = shown.drop(columns="Animals")
    levels, leads, of_rows = certainty.column(report)
    return report.exhibits.table(
        shown.assign(Certainty=levels),
        name="findings",
        data=pd.DataFrame(data).assign(certainty=levels),
        links={"Outcome": [f"#outcome-{name}" for name in analyses], "Certainty": leads},
        caption="Findings. The prediction interval is where the true effect of a new experiment of "
        "this kind is expected, P the probability that it lies below no effect; k is the number of "
        f"experiments.{note}{of_rows}",
    )


def _prediction(result, measure):
    if pd.isna(result.pi_low):
        return "–"
    return numbers.effect_interval(result.pi_low, result.pi_high, measure)


def summary(report):
    """Forest plot of the family: the pooled effect of each outcome; nothing of a single one."""
    analyses = list(report.analyses.values())
    if len(analyses) < 2:
        return None
    kinds = [one.measure.label for one in analyses]
    most = max(analyses, key=lambda one: kinds.count(one.measure.label)).measure
    shown = [one for one in analyses if one.measure.label == most.label]
    if len(shown) < 2:
        return None
    table = pd.DataFrame([
        {"label": one.outcome.label, "better": one.measure.better, "k": one.leading.k,
         **{key: getattr(one.leading, key) for key in tables.BOUNDS}}
        for one in shown
    ])  # fmt: skip
    directed = table["better"].isin(["higher", "lower"]).all()
    mixed = len({*table["better"]}) > 1
    turned = ", turned so that benefit lies to the right" if directed and mixed else ""
    level = shown[0].leading.level
    rest = len(analyses) - len(shown)
    note = f" {count(rest, 'outcome')} with another measure: in Table 1 only." if rest else ""
    how = {
        "measure": most,
        "level": level,
        "favours": (f"favours {report.review.control}", f"favours {report.review.treated}"),
    }
    return report.exhibits.figure(
        review_figures.family_summary(table, **how),
        narrow=review_figures.family_summary(table, narrow=True, **how),
        name="summary",
        caption=f"Pooled {most.name} of each outcome with {numbers.level_name(level)}{turned}.{note}",
        alt="; ".join(
            f"{one.outcome.label}: {numbers.estimate_words(one.leading, one.measure)}"
            for one in shown
        ),
        data=table,
    )


def quotable(report, label):
    """The result of a family in one sentence."""
    analyses = list(report.analyses.values())
    if len(analyses) == 1:
        (one,) = analyses
        text = sentences.verdict(
            one.leading, one.outcome, report.review.treated, one.measure,
            assumed=one.outcome.id in report.assumed,
        )  # fmt: skip
    else:
        text = sentences.family_verdict(
            label, analyses, report.review.treated, assumed=report.assumed
        )
    return text + sentences.evidence_mark(report.review)


def abbreviations(report):
    """Abbreviations of measures, groups and levels that the report uses; nothing for none."""
    review, analyses = report.review, list(report.analyses.values())
    texts = [one.outcome.label for one in analyses] + [one.measure.name for one in analyses]
    texts += [text for text, _ in in_one_line(*report.asked, analyses, report.rebuilds)]
    texts += [review.treated, review.control, "CI"]
    for values in review.moderator_values.select_dtypes("category"):
        texts += list(review.moderator_values[values].cat.remove_unused_categories().cat.categories)
    words = {*texts, *re.findall(r"[\w-]+", " ".join(map(str, texts)))}
    text = reading.abbreviations(review.config.get("abbreviations", {}), words)
    if not text:
        return None
    return blocks.paragraph(f"Abbreviations: {text}.", name="abbreviations", small=True)
