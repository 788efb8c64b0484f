"""A notebook that shows one of everything, as if it had been executed."""

import html.parser
import json

import nbformat
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.drawing.marks import Hover
from helpers.page import blocks, document, tables

STRANGE = "<script>alert(1)</script>"


def forest(rows=72, seed=1):
    rng = np.random.default_rng(seed)
    effect, se = rng.normal(2, 1, rows), rng.uniform(0.3, 1, rows)
    labels = [f"reconstructed-locomotion-{i:02d}" for i in range(rows)]
    data = pd.DataFrame({"experiment": labels, "effect": effect, "se": se})
    figure = Figure(figsize=(9, 1.2 + 0.2 * rows), facecolor="none")
    axes = figure.add_axes((0.3, 0.06, 0.45, 0.92), facecolor="none")
    side = axes.get_yaxis_transform()
    for i, (label, g, s) in enumerate(zip(labels, effect, se, strict=True)):
        axes.plot([g - 2 * s, g + 2 * s], [i, i], color="#222222", lw=1)
        axes.text(-0.6, i, label, transform=side, color="#222222", va="center", size=9)
        text = f"{g:.2f} [{g - 2 * s:.2f}, {g + 2 * s:.2f}]"
        axes.text(1.3, i, text, transform=side, color="#222222", va="center", ha="right", size=9)
    axes.scatter(effect, range(rows), s=20 / se, color="#0072B2", marker="s", zorder=3)
    axes.axvline(0, color="#222222", lw=0.8, ls=":")
    axes.set(yticks=[], ylim=(rows, -1), xlabel="Hedges g")
    axes.spines[["left", "right", "top"]].set_visible(False)
    titles = [f"{label}: {g:.2f}" for label, g in zip(labels, effect, strict=True)]
    Hover(axes, effect, np.arange(rows), titles)
    return figure, data


def phone():
    figure = Figure(figsize=(3.7, 2), facecolor="none")
    axes = figure.add_axes((0.3, 0.2, 0.5, 0.75), facecolor="none")
    axes.plot([1, 3], [0, 0], color="#222222", clip_on=True)
    axes.set(yticks=[], xlim=(0, 2), xlabel="Hedges g")
    return figure


def funnel():
    rng = np.random.default_rng(2)
    figure = Figure(figsize=(5.5, 4), facecolor="none")
    axes = figure.add_axes((0.14, 0.15, 0.8, 0.8), facecolor="none")
    axes.fill_between([-1, 5], [0.2, 0.2], [0.5, 0.3], color="#0072B2", alpha=0.15, hatch="//")
    axes.scatter(rng.normal(2, 1, 60), rng.uniform(0.2, 0.5, 60), color="#D55E00", alpha=0.7)
    axes.set(xlabel="Hedges g", ylabel="1/√N", xlim=(-1, 4))
    return figure


def blocks_of_a_report():
    drawn, data = forest()
    asymmetry = blocks.figure(
        funnel(),
        name="funnel",
        number=2,
        caption="Funnel plot on the sample size.",
        alt="Funnel plot of 60 experiments without visible asymmetry.",
    )
    subgroups = pd.DataFrame(
        {
            "moderator": ["Species", "Species", "Time", "Time", "Time"],
            "level": ["rat", "mouse", "acute", STRANGE, "=cmd()"],
            "k": [50, 22, 40, 31, 1],
            "estimate": [2.1234567890123, -0.5, 12.25, 1.75, np.nan],
            "ci_low": [1.5, -1.25, 10.0, 1.5, np.nan],
            "ci_high": [2.75, 0.25, 14.5, 2.0, np.nan],
            "p": [0.0000001, 0.4301, 0.0125, 0.0301, np.nan],
        }
    )
    p = {"p": lambda value: "<0.001" if value < 0.001 else f"{value:.3g}"}
    return {
        "banner": blocks.banner(
            {
                "kind": "reconstructed",
                "notice": "Reconstructed rows: not the authors' data, no evidence about exosomes.",
                "detail": "The article does not publish its per-experiment means and SDs.",
            }
        ),
        "glance": blocks.glance(
            [
                ("Experiments", 72, "65 studies"),
                ("Animals", "1,234", "618 treated, 616 control"),
                ("Pooled effect g", "2.05", "95% CI 1.71 to 2.39"),
                ("Prediction interval", "−0.21 to 4.31", "where a new experiment may lie"),
                ("Heterogeneity I²", "81.5%", "τ² 1.21"),
                ("Small-study effects", "not decided", "p = 0.416, power 8%"),
            ],
            sentence="In 72 experiments, exosomes raised locomotor scores by 2.05 standard "
            "deviations (95% CI 1.71 to 2.39; prediction interval −0.21 to 4.31).",
        ),
        "alerts": blocks.alerts(
            [
                {"severity": "note", "text": "One experiment of this level is not pooled."},
                {"severity": "warning", "text": f"The level {STRANGE} is not in review.toml."}
                | {"detail": "Row 12\n\nRow 14", "href": "#table-subgroups"},
                {"severity": "error", "text": "The printed p does not follow from its interval."},
            ]
        ),
        "forest": blocks.figure(
            drawn,
            name="forest",
            number=1,
            caption="Effect of exosomes on locomotion in 72 experiments.",
            alt="Forest plot of 72 experiments; pooled effect 2.05, 95% CI 1.71 to 2.39.",
            data=data,
            narrow=phone(),
        ),
        "head": blocks.head(
            [("Review", "Exosomes"), ("Rebuilds", f"{STRANGE} 2025. doi:10.1234/x.1")],
            settings=[("SMD", False), ("DL", True)],
            others=[("Overview", "overview.html")],
            cite="Doe J. Exosomes and locomotion [meta-analysis report].",
        ),
        "diagnosis": blocks.section(
            "Small-study effects", [asymmetry], name="bias", level=2, folded=True
        ),
        "subgroups": tables.table(
            subgroups,
            name="subgroups",
            number=1,
            caption="Subgroup estimates by moderator.",
            formats=p,
            groups="moderator",
        ),
        "rows": tables.table(
            data.assign(sd=data.se * 3, n=range(len(data)), origin="bone marrow"),
            name="rows",
            number=2,
            caption="All experiments with their effects, standard errors, standard deviations "
            "and numbers of animals, as they went into the analysis of this report.",
        ),
        "methods": blocks.paragraph(
            "Hedges g was pooled by restricted maximum likelihood.\n\n"
            "Viechtbauer W. J Stat Softw 2010;36(3):1-48. doi:10.18637/jss.v036.i03.",
            copy=True,
        ),
        "facts": blocks.facts({"seed": 1, "sha-256": "d2a1" * 16, "files": ["a.csv", "b.csv"]}),
        "folded": blocks.details("Excluded rows", "Row 7 lies outside the band."),
        "script": blocks.download(
            "library(metafor)\n", name="metafor", filename="locomotion.R", label="metafor script"
        ),
        "results": blocks.results(
            {"k": np.int64(72), "estimate": 2.05, "p": np.nan, "note": f"</script>{STRANGE}"}
        ),
    }


def notebook(parts=None):
    parts = parts or blocks_of_a_report()

    def code(source, *names, outputs=(), tags=()):
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})
        shown = [
            nbformat.v4.new_output("display_data", json.loads(json.dumps(bundle)))
            for bundle in (parts[name]._repr_mimebundle_() for name in names)
        ]
        cell.outputs = [*shown, *outputs]
        return cell

    text = nbformat.v4.new_markdown_cell
    cells = [
        code('outcome = "locomotion"  # which outcome', tags=["parameters"]),
        code('outcome = "locomotion"', tags=["injected-parameters"]),
        text("# Exosomes and locomotion"),
        code("report.banner()\nreport.head()", "banner", "head"),
        code("report.glance()\nreport.alerts()", "glance", "alerts"),
        text("## Results\n\nEvery number here comes from *code*; `g` is Hedges g."),
        text("### All experiments"),
        code('for i in range(3):\n    report.forest("locomotion")  # one figure', "forest"),
        text("### Moderators"),
        code("report.subgroups()", "subgroups"),
        code("report.diagnosis()", "diagnosis"),
        text("## Data"),
        code("report.rows()", "rows", "folded"),
        nbformat.v4.new_markdown_cell(
            "## Methods\n\n- one point\n- another", metadata={document.COLLAPSED: True}
        ),
        code("report.methods()", "methods", "script"),
        text("## Provenance"),
        code("report.provenance()\nreport.results()", "facts", "results"),
        code(
            "print('hello')",
            outputs=[
                nbformat.v4.new_output("stream", name="stdout", text=f"hello {STRANGE}\n"),
                nbformat.v4.new_output("stream", name="stderr", text=f"careful {STRANGE}\n"),
            ],
        ),
    ]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    )


def entries():
    """Three reports for an index, one of them failed."""

    def outcome(name, label, better, k, estimate, low, high, published=None):
        numbers = {"k": k, "estimate": estimate, "ci_low": low, "ci_high": high}
        words = {"id": name, "label": label, "better": better}
        return words | numbers | {"published": published}

    def report(family, label, *outcomes, **more):
        page = {"family": family, "label": label, "href": f"{family}.html"}
        return page | {"status": "ok", "message": None, "outcomes": outcomes} | more

    printed = {"estimate": 2.31, "ci_low": 1.95, "ci_high": 2.66}
    silent = dict.fromkeys(printed)
    walking = "Locomotion (BBB or BMS)"
    return [
        report(
            "locomotion",
            "Locomotion",
            outcome("locomotion", walking, "higher", 72, 2.3089, 1.9524, 2.6612, printed)
            | {"anchor": "locomotion-bbb-or-bms"},
        ),
        report(
            "histology",
            "Histology",
            outcome("cavity_size", "Cavity size", "lower", 26, -2.75, -3.69, -1.8, silent),
            outcome("gfap", "GFAP", "lower", 1, 3.2, 0.5, 5.9),
        ),
        report("apoptosis", "Apoptosis", href=None, status="FAILED")
        | {"message": "review.toml: no outcome is called 'bax2' <b>"},
    ]


class Parser(html.parser.HTMLParser):
    """Collects elements and refuses what is not closed in order."""

    VOID = ("br", "img", "meta", "link", "input")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]
