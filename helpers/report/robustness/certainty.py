"""Certainty of the evidence: summary of findings, why, by which rules, and lines to confirm it.

`report` is a `helpers.report.family.Report` or a `helpers.report.overview.Overview` throughout.
"""

from __future__ import annotations

import pandas as pd

from helpers.analysis import measures
from helpers.analysis.robustness import bias
from helpers.analysis.robustness.certainty import of_outcome
from helpers.page import blocks
from helpers.report.robustness.planning import declared_measure
from helpers.review.robustness.certainty import CERTAINTY, DOMAINS, read
from helpers.words import numbers
from helpers.words.robustness import certainty as words
from helpers.words.tables import estimate_cell

ANCHOR = "#table-summary-of-findings"


def of_report(report):
    """The certainty of each outcome of a report, by outcome."""
    review = report.review
    known = bias.read(review), read(review.folder), declared_measure(review)
    return {name: of_outcome(one, *known) for name, one in report.analyses.items()}


def column(report):
    """For the first screen's table: a text an outcome, where each leads, words for the caption."""
    kind = report.review.evidence["kind"]
    cells = [words.short(found, kind) for found in report.certainties.values()]
    note = "" if report.review.is_authentic else f" {words.of_rows(kind)}."
    return cells, [ANCHOR] * len(cells), note


def shown(report):
    """What the certainty of each outcome is, why, by which rules, and how a person confirms it.

    Returns
    -------
    Block
        The summary of findings, each judgement linked to what it rests on; the same with reasons,
        domain by domain, whose download is a `certainty.csv` to fill in; the rules with their
        sources.
    """
    kind, found = report.review.evidence["kind"], report.certainties
    head = blocks.paragraph(words.head(kind, found), name="certainty-head")
    summary, lines = _summary(report), words.lines(report.analyses, found)
    reasons = report.exhibits.table(
        words.explained(lines, found),
        name="certainty",  # so that its download is called as the file
        groups="outcome",
        data=lines,
        caption="Why, domain by domain. To confirm or to change a judgement, fill in judgement, reason "
        f"and by in a row of the download and save it as {CERTAINTY} beside review.toml.",
    )
    rules = report.exhibits.table(
        words.rules(),
        name="certainty-rules",
        caption="Rules and thresholds of the certainty, each with its source.",
    )
    return blocks.together([head, summary, reasons, rules], name="certainty")


def _summary(report):
    """The summary of findings, a row an outcome."""
    analyses, kind = report.analyses, report.review.evidence["kind"]
    shared = measures.common(one.measure for one in analyses.values())
    level = numbers.level_name(next(iter(analyses.values())).leading.level)
    rows, data = [], []
    links = {words.DOMAIN[domain]: [] for domain in DOMAINS}
    for name, found in report.certainties.items():
        one = analyses[name]
        result = one.leading
        rows.append({
            "Outcome": one.outcome.label,
            "Certainty": words.short(found, kind),
            **words.summary(found),
            f"{shared.title} [{level}]": estimate_cell(vars(result), measure=one.measure),
            "Prediction interval": "–" if pd.isna(result.pi_low) else numbers.effect_interval(
                result.pi_low, result.pi_high, one.measure),
            "k (studies)": f"{result.k:,} ({one.studies:,})",
            "Animals": f"{one.animals:,}" if one.animals else "–",
        })  # fmt: skip
        of_domains = {domain: cell.counted for domain, cell in found.cells.items()}
        own = {key: value for key, value in fields(found).items() if key != "domains"}
        data.append({"outcome": name, "label": one.outcome.label, **of_domains, **own})
        for domain, address in basis(report, name, found).items():
            links[words.DOMAIN[domain]].append(address)
    table = pd.DataFrame(rows).fillna("–")
    links = {heading: leads for heading, leads in links.items() if heading in table}
    links["Outcome"] = [f"{_page(report, name)}#outcome-{name}" for name in analyses]
    return report.exhibits.table(
        table, name="summary-of-findings", links=links, data=pd.DataFrame(data),
        caption="Summary of findings, in the manner of GRADE. Behind each judgement stand the levels "
        "by which it moves the certainty and who judged; one without a name is computed and "
        "unconfirmed. Its link leads to what it rests on.",
    )  # fmt: skip


def _page(report, name):
    """The page that shows an outcome: this one, or its family's where this is the overview."""
    family = report.analyses[name].outcome.family
    return "" if _is_of_family(report) else f"{family}.html"


def _is_of_family(report):
    return getattr(report, "family", None) is not None


def basis(report, name, found):
    """Where a reader finds what the judgements of an outcome rest on.

    A page drops links to parts that it does not have.

    Parameters
    ----------
    name : str
        Id of the outcome.
    found : helpers.analysis.robustness.certainty.Certainty

    Returns
    -------
    dict of str
        An address a domain, empty where nothing shows it.
    """
    whole = "overview.html" if _is_of_family(report) else ""
    page, many = _page(report, name), report.analyses[name].leading.k > 2
    judged = "low" in found.cells["risk_of_bias"].facts
    return dict.fromkeys(DOMAINS, f"{page}#outcome-{name}") | {
        "risk_of_bias": f"{whole}#risk-of-bias" * judged,
        "inconsistency": f"{page}#{name}-heterogeneity",
        "imprecision": f"{page}#table-findings",
        "publication_bias": f"{page}#{f'figure-{name}-funnel' if many else f'outcome-{name}'}",
    }


def fields(found):
    """The certainty of one outcome as plain data, for the JSON.

    Returns
    -------
    dict
        ``certainty, at_most, confirmed``, and ``domains``, a record a domain.
    """
    return {
        "certainty": words.LEVELS[found.level],
        "at_most": found.is_bound,
        "confirmed": found.is_confirmed,
        "look_again": any(map(words.is_old, found.cells.values())),
        "domains": [
            {
                "domain": one.domain,
                "levels": one.counted,
                "computed": one.levels,
                "rule": one.rule,
                "because": words.because(one),
                "rests_on": words.rests_on(one),
                "look_again": words.is_old(one),
                "judgement": None if one.judgement is None else vars(one.judgement),
            }
            for one in found.cells.values()
        ],
    }
