"""Two checklists filled in as far as a review's files tell: PRISMA 2020, and ARRIVE of its studies.

The items are told in our own words; what no file tells is marked, so that a person fills it in.
"""

import re

import pandas as pd

from helpers.analysis.result import is_modelled
from helpers.analysis.small_study import LEAST
from helpers.review import quality
from helpers.review.columns import GROUPS
from helpers.review.prisma import flow
from helpers.words.numbers import count, listing, was
from helpers.words.sentences import evidence_mark

OPEN = "To be filled in by a person"
NOT_SAID = r"|-|–|\?|n/?[ar]|n\.?[ar]\.?|not (reported|clear|stated|specified)|unclear|unknown|none"
# Section, number, what has to be said.
PRISMA = """
Title|1|That this is a systematic review
Abstract|2|The review in short, by PRISMA's list for abstracts
Introduction|3|Why it was done
Introduction|4|The question
Methods|5|Which studies were eligible, and how they were grouped
Methods|6|What was searched, and when last
Methods|7|The whole search of each source
Methods|8|How studies were selected, and by how many people
Methods|9|How data were extracted, and by how many people
Methods|10a|The outcomes
Methods|10b|Other variables, and what was assumed where they were not clear
Methods|11|How the risk of bias was judged, and by how many people
Methods|12|The effect measure of each outcome
Methods|13a|Which studies went into which synthesis
Methods|13b|Data that were converted or missing
Methods|13c|How results are tabulated and drawn
Methods|13d|The model, and how heterogeneity was measured
Methods|13e|How heterogeneity was explored
Methods|13f|Sensitivity analyses
Methods|14|How missing results (reporting bias) were looked for
Methods|15|How the certainty of the evidence was judged
Results|16a|From the records to the included studies
Results|16b|Studies that seemed eligible and were excluded, each with the reason
Results|17|Each included study and its characteristics
Results|18|How each included study was judged, item by item
Results|19|Data and effect of each study, with its interval
Results|20a|The studies of each synthesis, and their risk of bias
Results|20b|The result of each synthesis, with its interval and heterogeneity
Results|20c|What may explain heterogeneity
Results|20d|Results of sensitivity analyses
Results|21|What missing results (reporting bias) may have done
Results|22|Certainty of the evidence for each outcome
Discussion|23a|What the results mean beside other evidence
Discussion|23b|Limits of the evidence
Discussion|23c|Limits of how the review was done
Discussion|23d|What follows for practice and research
Other|24a|Registration
Other|24b|Where the protocol is, or that there is none
Other|24c|Deviations from registration or protocol
Other|25|Who paid, and what part they had
Other|26|Competing interests
Other|27|Where data, code and other material are
"""
ARRIVE = """
Design|1|The groups compared, and the experimental unit
Design|2|Animals in each group, and how that number was decided
Design|3|Which animals were included and which excluded
Conduct|4|Whether animals were randomised, and how
Conduct|5|Who was blinded, and at which stage
Measurement|6|The outcome measures, and the main one
Measurement|7|Statistical methods and their assumptions
Animals|8|Species, strain, sex, age or weight
Animals|9|What was done, when, where and why
Results|10|Summary with variability for each group, and effect with interval
"""
# Items of a tool for the risk of bias that bear on one of ARRIVE's: by words of item or domain.
BIAS = {
    "3": r"incomplete|attrition|missing outcome",
    "4": r"sequence|randomi[sz]|allocat",
    "5": r"blind|mask",
}
ANIMALS = {"species": r"^species|^animal", "strain": r"strain", "sex": r"\bsex|gender",
           "age or weight": r"\bage\b|weight"}  # fmt: skip


def table(items, answers):
    """A checklist with what is known.

    Parameters
    ----------
    items : str
        `PRISMA` or `ARRIVE`.
    answers : dict of (str, str, str)
        By number of the item: what the files tell, what a person has to add, and the address of the
        part that shows it; each may be empty.

    Returns
    -------
    pandas.DataFrame
        ``section, number, item, answer, missing, status, address``; `status` is complete, in part
        or open.
    """
    rows = []
    for line in items.strip().splitlines():
        section, number, item = line.split("|")
        answer, missing, address = answers.get(number, ("", "", ""))
        status = "open" if not answer else "in part" if missing else "complete"
        rows.append((section, number, item, answer, missing, status, address))
    names = ["section", "number", "item", "answer", "missing", "status", "address"]
    return pd.DataFrame(rows, columns=names)


def shown(checklist):
    """The checklist as a page shows it: what a person has to add is marked."""

    def cell(row):
        if row["status"] == "complete":
            return row["answer"]
        return f"{row['answer']} {OPEN}{': ' * bool(row['missing'])}{row['missing']}.".strip()

    return pd.DataFrame(
        {
            "section": checklist["section"],
            "Item": checklist["number"],
            "What is asked": checklist["item"],
            "In this review": [cell(row) for row in checklist.to_dict("records")],
        }
    )


def counted(checklist):
    """How many items are complete, in part and open, in words."""
    many = checklist["status"].value_counts()
    words = [f"{many[name]} {name}" for name in ("complete", "in part", "open") if name in many]
    return f"{count(len(checklist), 'item')}: {listing(words)}"


def prisma(review, analyses):
    """What a review's files tell of PRISMA's items, for `table`.

    Parameters
    ----------
    review : helpers.review.review.Review
    analyses : list of OutcomeAnalysis
    """
    said = {**_frame(review), **_methods(review, analyses), **_results(review, analyses)}
    return {number: answer for number, answer in said.items() if answer[0]}


def _frame(review):
    """Title, question, search, protocol, data and code."""
    named = re.search(r"systematic|meta-analy|review", review.title, re.I)
    records, plan = review.facts("flow.csv"), review.protocol
    said = {
        "1": (
            f"“{review.title}”.",
            "" if named else "a title that names it a systematic review",
            "",
        ),
        "2": ("The first screen has question, settings and findings.", "the abstract's text", ""),
        "4": (review.question, "", ""),
        "24a": (f"{plan['id']}." if "id" in plan else "", "", "#provenance"),
        "24b": (f"{plan['id']}." if "id" in plan else "", "where it can be read", ""),
        "27": (
            "Every figure and table can be downloaded as data; results as JSON, an R script and "
            "hashes of files and code are in each report.",
            "where the files are kept",
            "",
        ),
    }
    if "deviations" in plan:
        said["24c"] = (f"{listing(plan['deviations'] or ['None'])}.", "", "#provenance")
    if len(records):
        rows = flow.arranged(records.assign(n=pd.to_numeric(records["n"])))
        found = rows[rows["stage"] == "identification"]
        sources = [f"{item} ({n:,})" for item, n in zip(found["item"], found["n"], strict=True)]
        reasons = rows[rows["stage"].str.startswith("excluded")]
        why = f"Reasons of exclusion, {len(reasons)} of them, are in the flow of records."
        said["5"] = (why if len(reasons) else "", "the criteria of inclusion", "#figure-flow")
        said["6"] = (f"{listing(sources)}." if sources else "",
                     "each source by name, and when it was last searched", "#figure-flow")  # fmt: skip
        said["16a"] = ("The flow of records.", "", "#figure-flow")
        said["16b"] = (why if len(reasons) else "", "the studies themselves", "#figure-flow")
    return said


def _methods(review, analyses):
    """Outcomes, variables, measures and models."""
    labels = [one.outcome.label for one in analyses]
    measures = list(dict.fromkeys(one.measure.name for one in analyses))
    changed = int(review.trace["step"].str.endswith(" by conversion").sum())
    lost = len(review.not_used)
    methods = "the Methods of each report"
    modelled = any(is_modelled(one.leading) for one in analyses)
    _, bias = judgements(review)
    names = [one.label for one in review.moderators.values()]
    several = sum(one.leading.pooled for one in analyses)
    tested = sum(one.leading.k >= LEAST for one in analyses)
    return {
        "9": (
            "From the sheet to the numbers: each step is under Provenance.",
            "who extracted, and how many of them independently", "#table-sheet",
        ),
        "10a": (f"{count(len(labels), 'outcome')}: {listing(labels)}.", "", "#table-pooled"),
        "10b": (f"{listing(names)}." if names else "", "what was assumed where unclear", ""),
        "11": (
            f"{count(len(bias), 'item')}, without a summary score." if len(bias) else "",
            "the tool, and who judged", "#table-risk-of-bias-items",
        ),
        "12": (f"{listing(measures)}." if measures else "", "", "#table-pooled"),
        "13a": (
            "The experiments of one outcome are pooled with each other; "
            + (f"{count(lost, 'row')} of the sheet {was(lost)} not used, each with its reason."
               if lost else "every row of the sheet is one."),
            "", "#table-not-used" * bool(lost),
        ),
        "13b": (
            f"{count(changed, 'kind')} of conversion, with counts, under Provenance." if changed
            else "Nothing was converted; what was done to the sheet is under Provenance.",
            "", "#table-sheet",
        ),
        "13c": ("Forest plots and tables, one for each outcome or group of outcomes.", "", ""),
        "13d": (
            f"{'Multilevel' if modelled else 'Random-effects or common-effect'} models with I² and "
            f"prediction intervals; formulas and citations in {methods}." if several else "", "", "",
        ),
        "13e": (f"Subgroups and regressions; {methods}." if names else "", "", ""),
        "13f": (f"Other settings, and each experiment left out in turn; {methods}.", "", ""),
        "14": (
            f"Tests on sample size for outcomes of at least {LEAST} experiments ({tested} of "
            f"{len(analyses)}), with what they could have noticed." if tested else
            f"No outcome has the {LEAST} experiments that a test needs.", "", "",
        ),
    }  # fmt: skip


def _results(review, analyses):
    """Studies, risk of bias and results."""
    studies, (judged, _) = review.facts("studies.csv"), judgements(review)
    pooled = sum(one.leading.pooled for one in analyses)
    k = sum(one.leading.k for one in analyses)
    bias = f"{count(len(judged), 'study', 'studies')}, item by item." if len(judged) else ""
    reports = "each family's report"
    return {
        "17": (f"{count(len(studies), 'study', 'studies')}." if len(studies) else "",
               "the reference of each", "#table-studies"),
        "18": (bias, "", "#figure-risk-of-bias"),
        "19": (f"{count(k, 'experiment')} with means, SDs, n and effects where the sheet has them; "
               f"forest plots and their data in {reports}.{evidence_mark(review)}", "", ""),
        "20a": ("Studies and risk of bias of the whole review." if bias and len(studies) else "",
                "those of each synthesis", ""),
        "20b": (f"{count(pooled, 'outcome')} pooled." if pooled else "", "", "#table-pooled"),
        "20c": (f"Heterogeneity and moderators in {reports}." if review.moderators else "", "", ""),
        "20d": (f"Sensitivity analyses in {reports}.", "", ""),
        "21": (f"Small-study effects in {reports}.", "", ""),
    }  # fmt: skip


def arrive(review):
    """What a review's files tell of how its studies report ARRIVE's essential ten, for `table`.

    Parameters
    ----------
    review : helpers.review.review.Review
    """
    rows, studies = review.experiments, review.facts("studies.csv")
    judged, items = judgements(review)
    said = {"1": (f"{review.treated.capitalize()} against {review.control}.",
                  "the experimental unit", "")}  # fmt: skip
    for number, form in BIAS.items():
        said[number] = (_judged(judged, items, form), "what the studies state",
                        "#table-risk-of-bias-items")  # fmt: skip
    sizes = rows.reindex(columns=["n_treated", "n_control"]).melt()["value"].dropna()
    if len(sizes):
        said["2"] = (
            f"{sizes.median():g} animals a group in the median ({sizes.min():g} to {sizes.max():g})."
            + evidence_mark(review),
            "how the studies decided it", "",
        )  # fmt: skip
    said["6"] = (f"{count(len(review.outcomes), 'outcome')}, named in the table of pooled effects.",
                 "which the studies named as the main one", "#table-pooled")  # fmt: skip
    full = rows.reindex(columns=[*GROUPS])
    known = int(full.notna().all(axis=1).sum())
    said["10"] = (f"Means, SDs and n of both groups: {known} of {count(len(rows), 'experiment')}."
                  + evidence_mark(review), "what else the studies give", "")  # fmt: skip
    said["8"] = (_reported(studies), "", "#table-studies")
    return {number: answer for number, answer in said.items() if answer[0]}


def judgements(review):
    """Judgements, a row a study, and their items: of the sheet, else of the review's files."""
    judged = quality.by_study(review, "risk_of_bias")
    if judged.empty:
        return review.facts("risk_of_bias.csv"), review.facts("risk_of_bias_items.csv")
    names = list(judged.columns.drop("study_label"))
    return judged, pd.DataFrame({"item": names, "domain": names, "text": names}, dtype=object)


def _judged(judged, items, form):
    """How many studies are at low risk on the items that bear on something."""
    if items.empty or judged.empty:
        return ""
    texts = items.reindex(columns=["item", "domain", "text"]).fillna("").agg(" ".join, axis=1)
    found = items[texts.str.contains(form, case=False)]
    called = found["domain"] if "domain" in found else found["text"]
    counts = [
        f"{name} {int((judged[item] == 'low').sum())} of {len(judged)}"
        for item, name in zip(found["item"], called, strict=True)
        if item in judged
    ]
    return f"Studies at low risk of bias: {listing(counts)}." if counts else ""


def _reported(studies):
    """How many studies report species, strain, sex, age or weight, by the columns of the list."""
    counts = []
    for name, form in ANIMALS.items():
        named = [c for c in studies if re.search(form, c.replace("_", " "), re.I)]
        if named:
            cells = studies[named].apply(lambda cells: cells.str.strip())
            given = ~cells.apply(lambda cells: cells.str.fullmatch(NOT_SAID, case=False))
            counts.append(f"{name} {int(given.any(axis=1).sum())}")
    return f"Of {len(studies)} studies report: {listing(counts)}." if counts else ""
