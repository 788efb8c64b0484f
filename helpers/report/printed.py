"""What was printed, in the article and in earlier reviews, and what it leaves open.

`report` is a `helpers.report.overview.Overview` throughout.
"""

from __future__ import annotations

import pandas as pd

from helpers.article import reconstructions
from helpers.figures import review as review_figures
from helpers.page import blocks
from helpers.page.document import slug
from helpers.review.check import EXTREME
from helpers.words import reconstructions as reconstructions_of
from helpers.words.numbers import count
from helpers.words.tables import estimate_cell

# The checks of `helpers.article.checks` in words.
CHECKS = {
    "statistics": "Estimates with an interval and a p-value",
    "middle": "Estimate is the middle of its interval",
    "p_value": "p-value follows from the interval",
    "significance": "p-value and interval agree about 0.05",
    "level_count": "Levels add up to the total",
    "sign": "Coefficient and subgroup estimates agree in sign",
    "wording": "Wording agrees with the sign",
    "text_vs_table": "Text, abstract and tables agree",
    "study_lists": "Tables list the same studies",
    "flow": "Flow diagram adds up",
}


def earlier_reviews(report):
    """Effects of earlier reviews beside those of this one."""
    table = report.review.facts("earlier_reviews.csv")
    if table.empty:
        return None
    names = {"review": "Review", "outcome": "Outcome", "population_or_source": "Animals, source",
             "smd": "SMD as printed"}  # fmt: skip
    own = pd.DataFrame(
        [("This review", report.review.outcomes[name].label, "all", estimate_cell(row))
         for name, row in report.printed.iterrows() if name in set(table["outcome_id"])],
        columns=list(names.values()),
    )  # fmt: skip
    far = int((pd.to_numeric(table["smd"]).abs() > EXTREME).sum())
    note = (
        f" {far} of them lie beyond ±{EXTREME}, further than standardised differences of "
        "measurements reach: they look like differences in other units."
        if far
        else ""
    )
    return report.exhibits.table(
        pd.concat([own, table[list(names)].rename(columns=names)]), name="earlier-reviews",
        data=table.assign(provenance="as printed"),
        caption=f"{count(len(table), 'effect')} quoted from earlier reviews, beside "
        f"{'the article' if report.rebuilds else 'this review'}'s own.{note}",
    )  # fmt: skip


def article_index(report):
    """Where each table and figure of the article is found in the reports."""
    table = report.review.facts("article_index.csv")
    if table.empty:
        return None
    pages = {"overview", *report.review.families}
    return report.exhibits.table(
        table.rename(columns=lambda name: name.replace("_", " ").capitalize()),
        name="article-index", data=table.assign(provenance="as printed"),
        links=[
            f"{page}.html#{slug(section)}" if page in pages else None
            for page, section in zip(table["report"], table["section"], strict=True)
        ],
        caption="For a reader with the article in hand: its tables and figures, and where their "
        "numbers are in these reports.",
    )  # fmt: skip


def _checked(report):
    """Whether there was any printed number to check."""
    return bool(report.audited["checked"].sum())


def audit_summary(report):
    """How many printed statistics agree with each other, check by check."""
    if not _checked(report):
        return None
    table = report.audited.rename_axis("Check").reset_index()
    total = table.iloc[0]
    shown = table.assign(Check=table["Check"].map(CHECKS)).rename(columns=str.capitalize)
    return report.exhibits.table(
        shown, name="audit-summary", data=table.assign(provenance="as printed"),
        caption=f"Printed statistics held against each other within their rounding: "
        f"{total['consistent']} of {total['checked']} estimates with an interval agree with it "
        "and with their p.",
    )  # fmt: skip


def audit(report):
    """Findings as questions to the authors."""
    if not _checked(report):
        return None
    if report.findings.empty:
        return blocks.paragraph(
            "All printed numbers that were checked agree with each other.", name="audit"
        )
    found = report.findings
    labels = {name: outcome.label for name, outcome in report.review.outcomes.items()}
    labels |= {name: one.label for name, one in report.review.moderators.items()}
    shown = pd.DataFrame({
        "Question": found["question"],
        "Grade": found["grade"],
        "Table": found["table"],
        "Outcome": found["outcome"].replace(labels),
        "Moderator": found["moderator"].replace(labels),
        "Level": found["level"],
        "Printed": found["printed"],
        "Follows from it": found["implied"],
        "Check": found["check"].map(CHECKS),
    })  # fmt: skip
    hard = int((report.findings["grade"] == "hard").sum())
    return report.exhibits.table(
        shown, name="audit", data=report.findings.assign(provenance="as printed"),
        caption=f"{count(len(shown), 'question')} to the authors, {hard} of them hard. Hard: no "
        "rounding and no number of degrees of freedom explains it, levels add up to more than k, "
        "or an estimate lies outside its interval. Soft: everything else that does not follow, "
        "sometimes for a harmless reason.",
    )  # fmt: skip


def alternatives(review):
    """The reconstructions, and what those of each outcome agree on."""
    table = reconstructions.read(review)
    other = review.evidence["kind"] != "reconstructed"
    found = None if table.empty or other else reconstructions.summary(table, review)
    return table, found


def open_questions(report):
    """What the printed numbers leave open, from several reconstructions, in words."""
    found = report.alternatives[1]
    if found is None:
        return None
    return blocks.paragraph(reconstructions_of.words(found), name="open-questions")


def open_questions_figure(report):
    """Ranges over the reconstructions, outcome by outcome."""
    table, found = report.alternatives
    if found is None:
        return None
    p = table.melt(id_vars="outcome", value_vars=["doleman_p", "pustejovsky_p"], value_name="p")
    labels = found.set_index("outcome")["label"]
    points = p.dropna().assign(label=lambda rows: rows["outcome"].map(labels))
    return report.exhibits.figure(
        review_figures.open_questions(found, points),
        name="open-questions",
        caption=f"{count(len(table), 'reconstruction')} that all agree with what is printed: "
        "the range of τ², whether a Hartung-Knapp interval excludes 0, and p of the "
        "Doleman and Pustejovsky-Rodgers tests from 10 experiments on, a dot each.",
        alt=reconstructions_of.words(found),
        data=table,
    )
