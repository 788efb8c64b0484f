"""What belongs to no family: search, studies, risk of bias, all outcomes, printed numbers."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from helpers.analysis import measures
from helpers.analysis.outcome import ARTICLE, pooled_fields
from helpers.analysis.settings import as_meant, of_review
from helpers.article import audit
from helpers.article import tables as published
from helpers.figures import flow as flow_figure
from helpers.figures import review as review_figures
from helpers.page import blocks
from helpers.report import common, first_screen, printed, results, risk_of_bias
from helpers.report.exhibits import Exhibits
from helpers.report.robustness import certainty
from helpers.review.review import load
from helpers.words import alerts, checklists, numbers
from helpers.words.numbers import count, listing, number, percent
from helpers.words.robustness import certainty as certainty_words
from helpers.words.tables import BOUNDS, estimate_cell, preset_names
from helpers.writing import plain

PRINTED = {
    "estimate": "published", "ci_low": "published_low", "ci_high": "published_high"
}  # fmt: skip


class Overview:
    """The review as a whole; each method shows one thing.

    Parameters
    ----------
    review : str or Path, optional
        Folder of the review; by default the project's own.
    seed : int
        Kept for the record; nothing here is simulated.
    """

    # What every report says of its evidence, its sheet and the origin of its numbers.
    __dir__, section, banner = common.public_names, common.section, common.banner
    alerts, changes, evidence = common.alerts, common.changes, common.evidence
    sheet, not_used = common.sheet, common.not_used
    provenance, results = common.provenance, common.results
    rebuilds, counts = property(common.rebuilds), property(common.counts)
    changed = cached_property(common.changed)
    certainty, certainties = certainty.shown, cached_property(certainty.of_report)

    def __init__(self, review=None, seed=0):
        self.seed = as_meant("seed", seed)
        self.review = load(as_meant("review", review))
        self.printed = published.pooled(self.review)
        self.assumed = alerts.assumed(self.review, self.printed)
        self.exhibits = Exhibits(self.review.evidence["kind"])
        present = set(self.review.experiments["outcome"])
        self.without_rows = [name for name in self.review.outcomes if name not in present]
        outcomes = [name for name in self.review.outcomes if name in present]
        self.asked = of_review(self.review.settings, self.review.model, rebuilds=self.rebuilds)
        self.analyses, self.not_analysed = common.analyse_all(
            self.review, outcomes, chosen=self.asked[0], model=self.asked[1], moderators=()
        )
        self.findings, self.audited = audit.audit(self.review.folder)

    def __repr__(self):
        return (
            f"<Overview of review {self.review.id}\n"
            f"families: {', '.join(self.review.families)}\n"
            f"outcomes: {', '.join(self.analyses)}>"
        )

    # ------------------------------------------------------------------ first screen

    def head(self):
        """Authors, source, settings in one line, the other reports, kind of evidence."""
        return first_screen.head(self, "Overview", first_screen.OVERVIEW)

    def glance(self):
        """The numbers of the whole review and one sentence to quote."""
        studies = self.review.facts("studies.csv")
        items = [
            ("Outcomes", len(self.analyses), count(len(self.review.families), "family", "families"))
        ]
        items.append(("Experiments", f"{self.counts['rows_used']:,}", ""))
        if len(studies):
            items.append(("Studies", len(studies), "in the review's own list"))
        if len(self.findings):
            hard = int((self.findings["grade"] == "hard").sum())
            items.append(("Questions to the authors", len(self.findings), f"{hard} of them hard"))
        return blocks.glance(items, sentence=self.sentence())

    def sentence(self):
        """How many outcomes are on which side, in one sentence."""
        return first_screen.quotable(self, self.review.title)

    # ------------------------------------------------------------------ all outcomes

    def evidence_map(self):
        """All pooled effects of one measure, computed and printed, benefit to the right."""
        every = self._map()
        main, others = self._main, sorted({*every["measure"]} - {self._main.label})
        table = every[every["measure"] == main.label]
        directed = table["better"].isin(["higher", "lower"]).all()
        turned = ""
        if (table["better"] == "lower").any():
            turned = ", turned so that benefit lies to the right"
            turned += "" if directed else " where a side is benefit"
        left_out = (
            f" In the table only: {count(len(every) - len(table), 'outcome')} with another "
            f"measure ({listing(others)})."
            if others
            else ""
        )
        printed = ", and as printed" if self.rebuilds else ""
        leading = next(iter(self.analyses.values())).leading_is
        settings = f"the {self._preset_names[leading][:1].lower()}{self._preset_names[leading][1:]}"
        how = {
            "measure": main,
            "level": ARTICLE.level,
            "favours": (f"favours {self.review.control}", f"favours {self.review.treated}"),
        }
        return self.exhibits.figure(
            review_figures.evidence_map(table, **how),
            narrow=review_figures.evidence_map(table, narrow=True, **how),
            name="evidence-map",
            caption=f"{count(len(table), 'outcome')}{turned}: {main.name} with "
            f"{numbers.level_name(ARTICLE.level)}, computed by {settings}{printed}.{left_out}",
            alt="; ".join(
                f"{row['label']}: {main.name} {estimate_cell(row, measure=main)}"
                for _, row in table.iterrows()
            ),
            data=every,
        )

    @cached_property
    def _main(self):
        """The measure that most outcomes have, which the evidence map draws."""
        every = [analysis.measure for analysis in self.analyses.values()]
        labels = [one.label for one in every]
        return max(every, key=lambda one: labels.count(one.label))

    def _map(self):
        rows, every = [], self.printed.to_dict("index")
        for name, analysis in self.analyses.items():
            outcome, family = analysis.outcome, self.review.families[analysis.outcome.family]
            row = {"family": family.label, "outcome": name, "label": outcome.label}
            row |= {"better": analysis.measure.better, "k": analysis.leading.k}
            row |= {"measure": analysis.measure.label, "scale": analysis.measure.scale}
            row |= {key: getattr(analysis.leading, key) for key in BOUNDS}
            printed = every.get(name, dict.fromkeys(BOUNDS, np.nan))
            row |= {PRINTED[key]: printed[key] for key in BOUNDS}
            rows.append(row)
        return pd.DataFrame(rows)

    @property
    def _preset_names(self):
        return preset_names(self.rebuilds)

    def pooled(self):
        """All pooled effects under the two presets, beside the printed ones if there are any."""
        rows, every = [], self.printed.to_dict("index")
        shared = measures.common(analysis.measure for analysis in self.analyses.values())
        several = shared.id == "mixed" and len({*self._map()["measure"]}) > 1
        level = f"[{numbers.level_name(ARTICLE.level)}]"
        head = level if several else f"{shared.title} {level}"
        for name, analysis in self.analyses.items():
            printed, measure = every.get(name), analysis.measure
            rows.append(
                {
                    "family": self.review.families[analysis.outcome.family].label,
                    "Outcome": analysis.outcome.label,
                    "Better": analysis.measure.better_animals,
                    **({"Measure": measure.title} if several else {}),
                    "k": analysis.leading.k,
                    "k printed": "–" if printed is None else number(printed["k"], 0),
                    f"Printed: {head}": (
                        "–" if printed is None else estimate_cell(printed, measure=measure)
                    ),
                    f"{self._preset_names[analysis.leading_is]}: {head}": estimate_cell(
                        vars(analysis.leading), measure=measure
                    ),
                    "I²": percent(analysis.leading.i2),
                    **self._beside(analysis, head),
                }
            )
        of = {"article": "preset_measure", "recommended": "recommended_measure"}
        data = pd.DataFrame(
            [{"outcome": name, "preset": preset, **pooled_fields(getattr(analysis, preset)),
              **results.measure_fields(getattr(analysis, of.get(preset, "measure")))}
             for name, analysis in self.analyses.items()
             for preset in ("article", "recommended", "chosen")
             if getattr(analysis, preset) is not None]
        )  # fmt: skip
        shown = pd.DataFrame(rows)
        if not self.rebuilds:
            shown = shown.drop(columns=["k printed", f"Printed: {head}"])
        note = ""
        if self.assumed:
            note = (
                " Where the article prints no k, the sheet's k is an assumption, and no verdict "
                "may rest on it."
            )
        return self.exhibits.table(
            shown, name="pooled", groups="family", data=data,
            caption=f"Pooled effects of all outcomes.{note}",
        )  # fmt: skip

    def _beside(self, analysis, head):
        """The recommended result where another leads."""
        if analysis.leading_is == "recommended":
            return {}
        text = "–"
        if analysis.recommended is not None:
            text = estimate_cell(vars(analysis.recommended), measure=analysis.recommended_measure)
        return {f"{self._preset_names['recommended']}: {head}": text}

    # ------------------------------------------------------------------ search and studies

    def flow(self):
        """Flow diagram of the search."""
        table = self.review.facts("flow.csv")
        if table.empty:
            return None
        table = table.assign(n=pd.to_numeric(table["n"]))
        return self.exhibits.figure(
            flow_figure.flow(table),
            narrow=flow_figure.flow(table, narrow=True),
            name="flow",
            caption=f"Flow of records, after PRISMA 2020. {self.flow_words()}".strip(),
            alt="; ".join(f"{row['item']}: {row['n']}" for _, row in table.iterrows()),
            data=table.assign(provenance="as printed"),
        )

    def flow_words(self):
        """Whether the flow diagram's numbers add up, from its own numbers."""
        found = self.findings[self.findings["check"] == "flow"]
        if found.empty:
            return "Its numbers add up." if self.audited.loc["flow", "checked"] else ""
        return "Its numbers do not all add up: " + " ".join(found["implied"])

    def studies(self):
        """The included studies, as printed and cleaned."""
        table = self.review.facts("studies.csv")
        if table.empty:
            return None
        said = self.review.studies
        # A review that says nothing shows what there is.
        names = said.get("columns") or {name: name for name in table}
        shown = table[list(names)].set_axis(list(names.values()), axis=1).replace("", "–")
        note = f" {said['note']}" if "note" in said else ""
        return self.exhibits.table(
            shown, name="studies", data=table.assign(provenance="as printed"),
            caption=f"The {count(len(table), 'included study', 'included studies')}.{note} The "
            "download has every column.",
        )  # fmt: skip

    def study_counts(self):
        """How many studies have which property, of those that `[studies.summaries]` names."""
        table = self.review.facts("studies.csv")
        names = self.review.studies.get("summaries")
        if table.empty or not names:
            return None
        counted = {name: table[name].replace("", "not clear").value_counts() for name in names}
        data = pd.concat(counted, names=["property", "value"]).reset_index(name="studies")
        return self.exhibits.figure(
            review_figures.counts(table.replace("", "not clear"), names)[0].figure,
            name="study-counts",
            caption="What the included studies used; cleaned values, one count a study.",
            alt="; ".join(
                f"{name}: " + ", ".join(f"{value} {n}" for value, n in values.items())
                for name, values in counted.items()
            ),
            data=data.assign(provenance="as printed"),
        )

    # ------------------------------------------------------------------ risk of bias

    def risk_of_bias(self):
        """Judgement of each study on each item."""
        return risk_of_bias.judgements(self.exhibits, risk_of_bias.read(self.review))

    def risk_of_bias_summary(self):
        """Judgements counted for each item."""
        return risk_of_bias.summary(self.exhibits, risk_of_bias.read(self.review))

    def risk_of_bias_items(self):
        """The items' texts with their counts."""
        return risk_of_bias.texts(self.exhibits, risk_of_bias.read(self.review))

    def reporting(self):
        """What each study reported, by the checklist in the sheet."""
        return risk_of_bias.judgements(self.exhibits, risk_of_bias.read(self.review, "reporting"))

    def reporting_summary(self):
        """How many studies reported each item of the checklist."""
        return risk_of_bias.summary(self.exhibits, risk_of_bias.read(self.review, "reporting"))

    # ------------------------------------------------------------------ printed numbers

    def earlier_reviews(self):
        """Effects of earlier reviews beside those of this one."""
        return printed.earlier_reviews(self)

    def article_index(self):
        """Where each table and figure of the article is found in the reports."""
        return printed.article_index(self)

    def audit_summary(self):
        """How many printed statistics agree with each other, check by check."""
        return printed.audit_summary(self)

    def audit(self):
        """Findings as questions to the authors."""
        return printed.audit(self)

    def open_questions(self):
        """What the printed numbers leave open, from several reconstructions, in words."""
        return printed.open_questions(self)

    def open_questions_figure(self):
        """Ranges over the reconstructions, outcome by outcome."""
        return printed.open_questions_figure(self)

    @cached_property
    def alternatives(self):
        """The reconstructions, and what those of each outcome agree on."""
        return printed.alternatives(self.review)

    # ------------------------------------------------------------------ checklists

    def prisma(self):
        """PRISMA 2020's checklist as far as the review's files tell, the rest marked."""
        answers = checklists.prisma(self.review, list(self.analyses.values()))
        answers |= certainty_words.checklist(self.certainties)
        return self._checklist(
            checklists.table(checklists.PRISMA, answers), "prisma",
            "PRISMA 2020 for this review, its items in short (doi:10.1136/bmj.n71)",
        )  # fmt: skip

    def arrive(self):
        """ARRIVE's essential ten for the included studies as far as the files tell."""
        return self._checklist(
            checklists.table(checklists.ARRIVE, checklists.arrive(self.review)), "arrive",
            "ARRIVE's essential ten for the included studies taken together "
            "(doi:10.1371/journal.pbio.3000410)",
        )  # fmt: skip

    def _checklist(self, checklist, name, what):
        shown = checklists.shown(checklist)
        return self.exhibits.table(
            shown, name=name, groups="section", links=list(checklist["address"]), data=checklist,
            caption=f"{what}. {checklists.counted(checklist)}. What no file tells is marked; the "
            "download has it in a column of its own.",
        )  # fmt: skip

    # ------------------------------------------------------------------ the end of a report

    @cached_property
    def content(self):
        """All results as plain data, with the audit."""
        content = results.family_results(
            self.review,
            "overview",
            self.analyses,
            {"review": self.review.id, "seed": self.seed},
            self.seed,
            self.not_analysed,
            certainty={name: certainty.fields(one) for name, one in self.certainties.items()},
        )
        return content | {"audit": plain(self.findings)}
