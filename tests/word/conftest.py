"""A small page with one of everything that Word documents know, made by the page's own means."""

import nbformat
import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers.page import blocks, document, tables

NOTICE = "Reconstructed rows: no evidence."
INTERVALS = ["1.80 [−0.37, 3.97]", "−6.26 [−8.06, −4.47]"]


def figure(name, number, alt, size=(7, 2)):
    drawn = Figure(figsize=size, facecolor="none")
    axes = drawn.add_axes((0.3, 0.3, 0.65, 0.6), facecolor="none")
    axes.plot([0, 9], [0, 1], color="#222222", clip_on=True)
    axes.set_xlim(0, 3)
    axes.text(2.9, 0.9, "τ² = 1.21", ha="right")
    phone = Figure(figsize=(3, 2))  # of which paper shows nothing
    return blocks.figure(
        drawn, name=name, number=number, caption=f"{name} of τ².", alt=alt, narrow=phone
    )


def wide_table():
    words = "a rather long remark that nobody wants to see in a column of five letters"
    return pd.DataFrame({f"Column {n}": [f"{n}.00 [{n}.00, {n}.00]", words] for n in range(12)})


def notebook():
    findings = pd.DataFrame(
        {"Outcome": ["Arg1", "CD68"], "SMD [95% CI]": INTERVALS, "Better": ["higher", "lower"]}
    )
    head = blocks.head(
        [("Authors", "Doe J"), ("Rebuilds", "Doe J. J Glia 2020;1:1-9. doi:10.1234/x")],
        settings=[("SMD", False), ("DL", True)],
        others=[("Overview", "overview.html")],
        cite="Glia [report].",
        evidence={"kind": "reconstructed", "notice": NOTICE, "detail": "They were solved."},
    )
    glance = blocks.glance(
        [("Experiments", 13, "none excluded"), ("Studies", 12, "")], sentence="CD68 was lower."
    )
    found = tables.table(
        findings, name="findings", number=1, caption="Findings.", links=["#outcome-arg1", "#no"]
    )
    levels = pd.DataFrame(
        {"by": ["Species", "Species", "Day"], "Level": ["rat", "mouse", "28"], "k": [3, 2, 5]}
    )
    alerts = blocks.alerts(
        [
            {"severity": "warning", "text": "k is assumed.", "detail": "Arg1 and CD68."},
            {"severity": "note", "text": "One experiment was left out."},
        ]
    )
    influence = blocks.section(
        "Influence",
        [
            blocks.paragraph("No experiment was left out."),
            figure("galbraith", 2, "Galbraith plot: slope 1.80.", (5, 4)),
            tables.table(levels, name="levels", number=2, caption="Arg1: levels.", groups="by"),
            tables.table(wide_table(), name="wide", number=3, caption="Arg1: all."),
        ],
        name="arg1-influence",
        folded=True,
    )
    methods = blocks.paragraph(
        "Effects are SMDs [1].\n\n[1] Hedges LV. doi:10.3102/10769986006002107", copy=True
    )
    facts = blocks.facts({"Seed": 7, "Versions": ["python 3.11", "numpy 2.0"]})
    provenance = blocks.section("Provenance", [facts], name="provenance", level=2, folded=True)

    def text(source, **metadata):
        return nbformat.v4.new_markdown_cell(source, metadata=metadata)

    def code(*shown):
        cell = nbformat.v4.new_code_cell("report.secret_code()")
        bundles = (block._repr_mimebundle_() for block in shown)
        cell.outputs = [nbformat.v4.new_output("display_data", bundle) for bundle in bundles]
        return cell

    cells = [
        text("# Glia\n\nAre there fewer of them?"),
        code(head, glance, found, figure("summary", 1, "Arg1: SMD 1.80 (−0.37 to 3.97).")),
        code(alerts),
        text("## Background\n\nGlia eat.", **{document.COLLAPSED: True}),
        text(
            "## Arg1\n\nAn enzyme; see [Figure 2](#figure-galbraith), "
            "[overview](overview.html), [nothing](#nothing).",
            tags=["outcome-arg1"],
        ),
        code(blocks.paragraph("Arg1: SMD 1.80 (95% CI −0.37 to 3.97).", copy=True), influence),
        text("## Methods"),
        code(methods),
        code(provenance),
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="session")
def html():
    return document.export(notebook())
