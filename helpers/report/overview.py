"""What belongs to no family: search, studies, risk of bias, all outcomes, printed numbers."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from helpers.analysis import measures
from helpers.analysis.outcome import ARTICLE
from helpers.article import audit, reconstructions
from helpers.figures import flow as flow_figure
from helpers.figures import review as review_figures
from helpers.page import blocks
from helpers.report import results
from helpers.report.base import Exhibits
from helpers.review.check import EXTREME
from helpers.words import numbers, sentences
from helpers.words import reconstructions as reconstructions_of
from helpers.words.numbers import count, listing, number, percent
from helpers.words.tables import BOUNDS, estimate_cell, preset_names
from helpers.writing import plain

PRINTED = {
    "estimate": "published", "ci_low": "published_low", "ci_high": "published_high"
}  # fmt: skip


class Overview(Exhibits):
    """The review as a whole; each method shows one thing.

    Parameters
    ----------
    review : str or Path, optional
        Folder of the review; by default the project's own.
    seed : int
        Kept for the record; nothing here is simulated.
    """

    def __init__(self, review=None, seed=0):
        super().__init__(review, seed)
        present = set(self.review.experiments["outcome"])
        self.without_rows = [name for name in self.review.outcomes if name not in present]
        outcomes = [name for name in self.review.outcomes if name in present]
        self._analyse(outcomes, chosen=ARTICLE, moderators=())
        self.findings, self.audited = audit.audit(self.review.folder)

    # ------------------------------------------------------------------ first screen

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
        text = sentences.family_verdict(
            self.review.title, self.analyses.values(), assumed=self.assumed
        )
        return text + sentences.evidence_mark(self.review)

    # ------------------------------------------------------------------ all outcomes

    def evidence_map(self):
        """All pooled effects of one measure, computed and printed, benefit to the right."""
        every = self._map()
        main, others = self._main, sorted({*every["measure"]} - {self._main.label})
        table = every[every["measure"] == main.label]
        directed = table["better"].isin(["higher", "lower"]).all()
        turned = "turned so that benefit lies to the right" if directed else "turned to benefit "
        turned += "" if directed else "where a side is benefit"
        left_out = (
            f" In the table only: {count(len(every) - len(table), 'outcome')} with another "
            f"measure ({listing(others)})."
            if others
            else ""
        )
        printed = ", and as printed" if self.rebuilds else ""
        settings = f"{'the ' * self.rebuilds}{self._preset_names['article'].lower()}"
        return self._figure(
            review_figures.evidence_map(
                table,
                measure=main,
                level=ARTICLE.level,
                favours=(f"favours {self.review.control}", f"favours {self.review.treated}"),
            ),
            name="evidence-map",
            caption=f"{count(len(table), 'outcome')}, {turned}: {main.name} with "
            f"{numbers.level_name(ARTICLE.level)}, computed by {settings}{printed}. An outcome whose "
            f"effect was turned is one where less is better.{left_out}",
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
            row |= {"better": analysis.measure.better, "k": analysis.article.k}
            row |= {"measure": analysis.measure.label, "scale": analysis.measure.scale}
            row |= {key: getattr(analysis.article, key) for key in BOUNDS}
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
                    "Better": analysis.outcome.better,
                    **({"Measure": measure.title} if several else {}),
                    "k": analysis.article.k,
                    "k printed": "–" if printed is None else number(printed["k"], 0),
                    f"Printed: {head}": (
                        "–" if printed is None else estimate_cell(printed, measure=measure)
                    ),
                    f"{self._preset_names['article']}: {head}": estimate_cell(
                        vars(analysis.article), measure=measure
                    ),
                    "I²": percent(analysis.article.i2),
                    f"Recommended settings: {head}": estimate_cell(
                        vars(analysis.recommended), measure=measure
                    ),
                }
            )
        data = pd.DataFrame(
            [{"outcome": name, "preset": preset, **results.pooled_fields(getattr(analysis, preset)),
              **results.measure_fields(analysis.measure)}
             for name, analysis in self.analyses.items() for preset in ("article", "recommended")]
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
        return self._table(
            shown, name="pooled", groups="family", data=data,
            caption=f"Pooled effects of all outcomes.{note}",
        )  # fmt: skip

    # ------------------------------------------------------------------ search and studies

    def flow(self):
        """Flow diagram of the search."""
        table = self.review.facts("flow.csv")
        if table.empty:
            return None
        table = table.assign(n=pd.to_numeric(table["n"]))
        return self._figure(
            flow_figure.flow(table),
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
        return self._table(
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
        return self._figure(
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

    @cached_property
    def _bias(self):
        """Judgements, a row a study, and the items' texts."""
        items = self.review.facts("risk_of_bias_items.csv")
        texts = {} if items.empty else dict(zip(items["item"], items["text"], strict=True))
        return self.review.facts("risk_of_bias.csv"), texts

    def risk_of_bias(self):
        """Judgement of each study on each item."""
        table, items = self._bias
        if table.empty:
            return None
        overall, said = None, ""
        if "overall" in table:
            overall = "overall"
            said = f"; the printed word for all is {listing(sorted(set(table[overall])))!r}"
        return self._figure(
            review_figures.risk_of_bias(table, items, overall=overall),
            name="risk-of-bias",
            caption=f"SYRCLE's risk of bias in {count(len(table), 'study', 'studies')}: + low, ? "
            f"unclear, − high. There is no summary score{said}.",
            alt=self.bias_words(),
            data=table.assign(provenance="as printed"),
        )

    def risk_of_bias_summary(self):
        """Judgements counted for each item."""
        table, items = self._bias
        if table.empty:
            return None
        counted = self._bias_counts
        return self._figure(
            review_figures.risk_of_bias_summary(table, items),
            name="risk-of-bias-summary",
            caption=f"Judgements by item. {self.bias_words()}",
            alt=self.bias_words(),
            data=counted.assign(provenance="as printed"),
        )

    @cached_property
    def _bias_counts(self):
        table, items = self._bias
        counts = {word: (table[list(items)] == word).sum() for word in review_figures.JUDGEMENTS}
        counted = pd.DataFrame({"text": pd.Series(items, dtype=object), **counts})
        return counted.rename_axis("item").reset_index()

    def bias_words(self):
        """On which items few studies are at low risk, from the counts."""
        counted = self._bias_counts
        totals = counted[list(review_figures.JUDGEMENTS)].sum(axis=1)
        weak = [
            f"{item.replace('item_', 'item ')} ({low} of {total} low)"
            for item, low, total in zip(counted["item"], counted["low"], totals, strict=True)
            if 5 * low < total
        ]
        if not weak:
            return "On every item at least a fifth of the studies is at low risk."
        return f"Fewer than a fifth of the studies are at low risk on {listing(weak)}."

    def risk_of_bias_items(self):
        """The items' texts with their counts."""
        counted = self._bias_counts
        if counted.empty:
            return None
        shown = counted.assign(item=counted["item"].str.replace("item_", "Item "))
        return self._table(
            shown.rename(columns=str.capitalize), name="risk-of-bias-items",
            caption="SYRCLE's items and how many studies were judged low, unclear and high.",
            data=counted.assign(provenance="as printed"),
        )  # fmt: skip

    # ------------------------------------------------------------------ beside other reviews

    def earlier_reviews(self):
        """Effects of earlier reviews beside those of this one."""
        table = self.review.facts("earlier_reviews.csv")
        if table.empty:
            return None
        names = {"review": "Review", "outcome": "Outcome", "population_or_source": "Animals, source",
                 "smd": "SMD as printed"}  # fmt: skip
        own = pd.DataFrame(
            [("This review", self.review.outcomes[name].label, "all", estimate_cell(row))
             for name, row in self.printed.iterrows() if name in set(table["outcome_id"])],
            columns=list(names.values()),
        )  # fmt: skip
        far = int((pd.to_numeric(table["smd"]).abs() > EXTREME).sum())
        note = (
            f" {far} of them lie beyond ±{EXTREME}, further than standardised differences of "
            "measurements reach: they look like differences in other units."
            if far
            else ""
        )
        return self._table(
            pd.concat([own, table[list(names)].rename(columns=names)]), name="earlier-reviews",
            data=table.assign(provenance="as printed"),
            caption=f"{count(len(table), 'effect')} quoted from earlier reviews, beside "
            f"{'the article' if self.rebuilds else 'this review'}'s own.{note}",
        )  # fmt: skip

    def article_index(self):
        """Where each table and figure of the article is found in the reports."""
        table = self.review.facts("article_index.csv")
        if table.empty:
            return None
        return self._table(
            table.rename(columns=lambda name: name.replace("_", " ").capitalize()),
            name="article-index", data=table.assign(provenance="as printed"),
            caption="For a reader with the article in hand: its tables and figures, and where their "
            "numbers are in these reports.",
        )  # fmt: skip

    # ------------------------------------------------------------------ printed numbers

    @property
    def _audit_done(self):
        """Whether there was any printed number to check."""
        return bool(self.audited["checked"].sum())

    def audit_summary(self):
        """How many printed statistics agree with each other, check by check."""
        if not self._audit_done:
            return None
        table = self.audited.rename_axis("Check").reset_index()
        total = table.iloc[0]
        return self._table(
            table, name="audit-summary", data=table.assign(provenance="as printed"),
            caption=f"Printed statistics held against each other within their rounding: "
            f"{total['consistent']} of {total['checked']} estimates with an interval agree with it "
            "and with their p.",
        )  # fmt: skip

    def audit(self):
        """Findings as questions to the authors."""
        if not self._audit_done:
            return None
        if self.findings.empty:
            return blocks.paragraph(
                "Every printed number that was checked agrees with the others.", name="audit"
            )
        shown = self.findings.rename(columns=str.capitalize)
        hard = int((self.findings["grade"] == "hard").sum())
        return self._table(
            shown, name="audit", data=self.findings.assign(provenance="as printed"),
            caption=f"{count(len(shown), 'question')} to the authors, {hard} of them hard. Hard: no "
            "rounding and no number of degrees of freedom mends it, levels add up to more than k, or "
            "an estimate lies outside its interval. Soft: everything else that does not follow; some "
            "have an innocent reason.",
        )  # fmt: skip

    # ------------------------------------------------------------------ the end

    @cached_property
    def _alternatives(self):
        """The reconstructions, and what those of each outcome agree on."""
        table = reconstructions.read(self.review)
        other = self.review.evidence["kind"] != "reconstructed"
        found = None if table.empty or other else reconstructions.summary(table, self.review)
        return table, found

    def open_questions(self):
        """What the printed numbers leave open, from several reconstructions, in words."""
        found = self._alternatives[1]
        if found is None:
            return None
        return blocks.paragraph(reconstructions_of.words(found), name="open-questions")

    def open_questions_figure(self):
        """Ranges over the reconstructions, outcome by outcome."""
        table, found = self._alternatives
        if found is None:
            return None
        p = table.melt(id_vars="outcome", value_vars=["doleman_p", "pustejovsky_p"], value_name="p")
        labels = found.set_index("outcome")["label"]
        points = p.dropna().assign(label=lambda rows: rows["outcome"].map(labels))
        return self._figure(
            review_figures.open_questions(found, points),
            name="open-questions",
            caption=f"{count(len(table), 'reconstruction')} that all agree with what is printed: "
            "the range of τ², whether a Hartung-Knapp interval excludes 0, and p of the "
            "Doleman and Pustejovsky-Rodgers tests from 10 experiments on, a dot each.",
            alt=reconstructions_of.words(found),
            data=table,
        )

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
        )
        return content | {"audit": plain(self.findings)}
