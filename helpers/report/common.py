"""What every report says of its evidence, its sheet and the origin of its numbers.

`report` is a `helpers.report.family.Report` or a `helpers.report.overview.Overview` throughout, which
have most of these functions as their methods.
"""

from __future__ import annotations

from helpers.analysis.changes import compare_states
from helpers.analysis.outcome import NothingToAnalyse, analyse
from helpers.page import blocks
from helpers.report import results as results_of
from helpers.report.explore.live import waited
from helpers.review.review import load, load_before
from helpers.words import alerts as alerts_of
from helpers.words import changes as words_of_changes
from helpers.words import numbers
from helpers.words.numbers import count
from helpers.words.robustness import certainty
from helpers.words.settings import differences, restricted


def public_names(report):
    """What the Tab key lists."""
    return [name for name in object.__dir__(report) if not name.startswith("_")]


def rebuilds(report):
    """Whether the review rebuilds an article, whose settings then lead."""
    return report.review.article is not None


def counts(report):
    """How many rows of the sheet went where, of `helpers.report.results.counts`."""
    return results_of.counts(report.review, report.analyses, report.not_analysed)


def banner(report):
    """What kind of evidence this is."""
    return blocks.banner(report.review.evidence)


def section(report, title, *parts, intro="", level=2, folded=False):
    """Blocks under a heading; nothing, not even the heading, where there is nothing to show.

    Parameters
    ----------
    title : str
    parts : Block or None
    intro : str
        Plain text that stands before them.
    level : int
    folded : bool
        Whether a click opens it.
    """
    return blocks.section(
        title, parts, name=f"section-{title}", intro=intro, level=level, folded=folded
    )


def results(report):
    """All results as data, for programs."""
    return blocks.results(report.content)


def analyse_all(review, outcomes, **options):
    """Analyse outcomes; one of which no row has an effect is not analysed, and that is said.

    Returns
    -------
    analyses : dict of OutcomeAnalysis
    not_analysed : dict of NothingToAnalyse
    """
    analyses, not_analysed = {}, {}
    for name in waited(outcomes, "Analyses"):
        try:
            analyses[name] = analyse(review, name, **options)
        except NothingToAnalyse as error:
            not_analysed[name] = error
    return analyses, not_analysed


def evidence(report):
    """How to read what is printed, and rows that are not authentic; nothing for others."""
    parts = []
    if report.rebuilds:
        parts.append(
            "Comparison with the published values: what the article prints, beside what this "
            "sheet gives under the article's settings."
        )
    kind = report.review.evidence["kind"]
    if kind == "reconstructed":
        parts.append(
            "Reconstructed rows: the sheet was solved so that it reproduces the printed numbers; "
            "their agreement only shows that the reconstruction worked. What the printed numbers do "
            "not determine is made up: single effects, group sizes, the controls' means, and which "
            "experiments share a study. Galbraith and funnel plots, tests for small-study effects "
            "and influence therefore describe no real experiments; they show how extracted data "
            "would be reported."
        )
    elif kind == "simulated":
        parts.append(
            "Simulated rows: a program made up every row, so no result here is about animals; "
            "the report shows how extracted data would be reported."
        )
    return blocks.paragraph("\n\n".join(parts), name="evidence") if parts else None


def alerts(report):
    """What a reader should know before the numbers."""
    every = [*report.analyses, *report.not_analysed]
    said = [restricted(report.review, every), differences(*report.asked, report.rebuilds)]
    return blocks.alerts(
        _changes_alert(report)
        + [{"severity": "note", "text": text} for text in said if text]
        + alerts_of.of_review(report.review, report.analyses, report.without_rows)
        + alerts_of.of_assumptions(report.review, report.analyses, report.assumed)
        + alerts_of.of_not_analysed(report.review, report.not_analysed)
        + alerts_of.of_outcomes(list(report.analyses.values()), rebuilds=report.rebuilds)
        + certainty.alerts(report.certainties)
    )


def _changes_alert(report):
    if report.changed is None:
        return []
    labels = {name: one.label for name, one in report.review.outcomes.items()}
    return [words_of_changes.alert(*report.changed, labels, report.review.treated)]


def sheet(report):
    """What was done to the sheet on its way to the numbers, in order, with counts."""
    review, rows = report.review, report.counts
    here = review.rows_out - rows["rows_elsewhere"]
    words = f"{here:,} of them belong to this report, " if rows["rows_elsewhere"] else ""
    words += f"{rows['rows_used']:,} are used, {rows['rows_excluded']:,} excluded"
    if none := rows["rows_without_effect"]:
        words += f", {none:,} without an effect by these settings"
    if outside := rows["rows_outside"]:
        words += f", {outside:,} outside the subset ({review.subset.words})"
    return report.exhibits.within(None).table(
        review.trace.rename(columns=str.capitalize),
        name="sheet",
        caption=f"From the sheet to the numbers: {count(review.rows_in, 'row')} in, "
        f"{count(review.rows_out, 'experiment')} out, {count(len(review.not_used), 'row')} listed "
        f"with the reason why not; {words}.",
    )


def not_used(report):
    """Rows of the sheet that give no experiment, and experiments outside a subset, with the reason."""
    rows, parts = report.review.not_used, []
    names = {"sheet_row": "Row of the sheet", "reason": "Reason", "experiment": "Experiment"}
    if len(rows):
        caption = f"{count(len(rows), 'row')} of the sheet that give no experiment."
        parts.append(_listed(report, rows, names, "not-used", caption))
    if report.counts["rows_outside"]:
        rows = outside(report)
        caption = f"{count(len(rows), 'experiment')} outside the subset that this report is of."
        parts.append(_listed(report, rows, names, "outside", caption))
    return blocks.together(parts, name="not-used")


def outside(report):
    """Experiments that are not in a report's subset: ``sheet_row, experiment, reason``."""
    review = report.review
    here = review.experiments["outcome"].isin([*report.analyses, *report.not_analysed])
    rows = review.experiments.loc[here & ~review.inside, ["sheet_row", "experiment"]]
    return rows.join(review.subset.reasons.rename("reason"))


def _listed(report, rows, names, name, caption):
    every = report.exhibits.within(None)  # these rows are not those of a subset
    return every.table(rows.rename(columns=names), name=name, data=rows, caption=caption)


def provenance(report):
    """Parameters, hashes of inputs and code, versions and seed."""
    content, origin = report.content, report.content["provenance"]
    plan, protocol = report.review.protocol, {}
    if plan:
        protocol["Protocol"] = plan.get("id", "no id given")
        protocol["Deviations from it"] = plan.get("deviations") or "none stated"
    facts = {
        "Review": content["review"],
        "Evidence": origin["evidence"]["kind"],
        **protocol,
        "Rows in, rows used": f"{origin['rows_in']:,}, {origin['rows_used']:,}",
        "Parameters": [f"{k} = {v!r}" for k, v in content["parameters"].items()],
        "SHA-256 of this report's rows": f"{origin['rows']} "
        "(python -m helpers check prints it too)",
        "SHA-256 of inputs": [f"{k} {v}" for k, v in origin["inputs"].items()],
        "SHA-256 of code": origin["code"],
        "Versions": [f"{k} {v}" for k, v in origin["versions"].items()],
        "Seed": origin["seed"],
    }
    return blocks.facts(facts, name="provenance")


def changed(report):
    """What changed since the version that the review names as `previous`; None without one.

    Each version is taken as its own `review.toml` says, whatever the parameters of this report.
    """
    review = report.review
    if not review.previous:
        return None
    before = load_before(review)
    family = getattr(report, "family", None)
    names = None if family is None else list(report.analyses)
    if family and family.id in before.families:
        names += [one for one in before.families[family.id].outcomes if one not in review.outcomes]
    # Named otherwise, a tag's temporary place would stand in messages.
    return compare_states(before, load(review.folder), names), _version(before, review)


def _version(before, review):
    return f"{review.previous} of {before.date}" if before.date else review.previous


def changes(report):
    """Results, rows and settings beside those of the last published version; folded."""
    if report.changed is None:
        return None
    (found, since), review = report.changed, report.review
    exhibits = report.exhibits.within(None)  # whole versions are compared, whatever is asked for
    labels = {name: one.label for name, one in review.outcomes.items()}
    shown = words_of_changes.table(found.results, labels, review.treated)
    flipped = shown["Outcome"][found.results["flipped"]] if len(shown) else []
    said = f"The conclusion changed for {numbers.listing(flipped)}."
    caption = f"{words_of_changes.counts(found)}. " + (
        said if len(flipped) else "No conclusion changed."
    )
    all_of = "" if review.subset is None else " All experiments are compared, not the subset."
    parts = [
        exhibits.table(
            shown, name="changes", data=found.results,
            caption=f"Results of the version {since} and of this one, each by the settings of its "
            f"own review.toml: {caption}{all_of}",
        )
    ]  # fmt: skip
    for name, rows, what in (("changed-rows", found.rows, "the rows"),
                             ("changed-settings", found.settings, "the settings")):  # fmt: skip
        if len(rows):
            parts.append(
                exhibits.table(
                    rows.rename(columns=str.capitalize), name=name, data=rows,
                    caption=f"What changed in {what} since the version {since}.",
                )
            )  # fmt: skip
    return blocks.section("Changes since the last published version", parts, name="changes",
                          level=2, folded=True)  # fmt: skip
