"""The page of a living review's history, and the tables and results beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat

from helpers.analysis.changes import SIDES
from helpers.analysis.measures import restored
from helpers.figures.history import over_time
from helpers.history import words
from helpers.history.replay import replay
from helpers.history.states import from_folders, from_tags
from helpers.page import blocks
from helpers.page.document import export
from helpers.problems import Refused
from helpers.provenance import code_hash, versions
from helpers.render import output
from helpers.render.execute import collect
from helpers.render.reviews import folder_of
from helpers.report.exhibits import Exhibits
from helpers.review.description import find_folder
from helpers.words.numbers import count
from helpers.writing import leaves

NAME = "history"


def write(review=None, *, states=(), tags=None, out=None):
    """Replay a review and write ``history.html``, ``history.json`` and its tables.

    Parameters
    ----------
    review : str or Path, optional
        Folder of the review; by default the project's own.
    states : list of str or Path
        Folders with its other states; without any, the tags of the git repository that holds the
        review.
    tags : str, optional
        Pattern of the tags to take, by default all.
    out : Path, optional
        Folder of the reports; as for `render`.

    Returns
    -------
    page : Path
    history : helpers.history.replay.History

    Raises
    ------
    Refused, ReviewError
    """
    folder, without = find_folder(review), []
    if out and Path(out).expanduser().resolve() == folder:
        raise Refused(f"{out} holds the review itself. Name another folder with --out.")
    if states:
        dated = from_folders([folder, *map(find_folder, states)])
    else:
        dated, without = from_tags(folder, tags)
    history = replay(dated)
    found = history.review.description
    here = replace(found, folder=folder, id=found.written.get("id", folder.name))
    out = Path(out or folder_of(here)).expanduser().resolve()
    parts = list(_parts(history, words.not_yet(without)))
    notes = [note for part in parts for note in leaves(part.note)]
    cells = [nbformat.v4.new_code_cell(id=f"cell-{n}", outputs=[_shown(part)])
             for n, part in enumerate(parts)]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=cells)
    html = export(notebook, title=f"History: {history.review.title}")
    files = collect(NAME, notes) | {f"{NAME}.html": html.encode()}
    with output.kept(out):
        output.refuse_others(out, here)
        output.put(out, files, instead=f"tables/{NAME}")
        output.remember(
            out, output.remembered(out), output.about(out)
        )  # so that it counts as a folder of reports
    return out / f"{NAME}.html", history


def _shown(part):
    return nbformat.v4.new_output("display_data", part.bundle)


def _parts(history, note):
    """The blocks of the page in their order."""
    review, exhibits = history.review, Exhibits(history.review.evidence["kind"])
    read = history.states[history.states["fault"] == ""]
    items = [("States", len(history.states), f"{len(read)} read")]
    items += [("Conclusions changed", len(history.flips), "")]
    yield blocks.banner(review.evidence)
    yield blocks.alerts(words.alerts(history))
    yield blocks.glance(items, sentence=words.sentence(history))
    yield blocks.section(
        "Conclusions that changed", [_flips(history, exhibits)],
        name="flips", intro=words.HOW, level=2,
    )  # fmt: skip
    yield blocks.section(
        "Results over time", list(_results(history, exhibits)), name="over-time", level=2
    )
    steps = exhibits.table(
        words.steps(history), name="steps", data=history.steps,
        caption="Experiments from the state before: those before are unchanged, changed, renamed or "
        "removed; those after unchanged, changed, renamed or added.",
    )  # fmt: skip
    changed = [
        _changes(exhibits, "changed-rows", history.rows, "experiments"),
        _changes(exhibits, "changed-settings", history.settings, "settings"),
    ]
    yield blocks.section("What came in, went and changed", [steps, *changed], name="steps", level=2)
    states = exhibits.table(
        words.states(history), name="states", data=history.states,
        caption=f"{count(len(history.states), 'state')}, oldest first. {words.DATES} {note}".strip(),
    )  # fmt: skip
    yield blocks.section("States", [states, _provenance()], name="states", level=2)
    tables = ("states", "steps", "rows", "settings", "results", "flips")
    yield blocks.results(
        {"review": review.id, "evidence": review.evidence, "code": code_hash(),
         "versions": versions(), **{name: getattr(history, name) for name in tables}}
    )  # fmt: skip


def _provenance():
    text = {"SHA-256 of code": code_hash(), "Versions": [f"{k} {v}" for k, v in versions().items()]}
    return blocks.details("Provenance", blocks.facts(text))


def _flips(history, exhibits):
    if history.flips.empty:
        return blocks.paragraph("No conclusion changed.", name="no-flips")
    return exhibits.table(
        words.flips(history), name="flips", data=history.flips,
        caption="Conclusions that changed, and what else changed with that state. By the settings "
        "before: what the newer experiments give under the older state's settings, where these are "
        "other ones.",
    )  # fmt: skip


def _changes(exhibits, name, rows, what):
    """A folded table of all that changed; nothing where nothing did."""
    if rows.empty:
        return None
    first = ["from", "to"]
    rows = rows[[*first, *(column for column in rows if column not in first)]]
    table = exhibits.table(
        rows.rename(columns=str.capitalize), name=name, data=rows,
        caption=f"All {what} that changed, a cell a row.",
    )  # fmt: skip
    return blocks.details(f"All {what} that changed ({len(rows):,})", table, name=f"all-{name}")


def _results(history, exhibits):
    """A figure for each family and measure, and the table of all results."""
    review = history.review
    order = {
        name: place for place, name in enumerate([*review.outcomes, *history.results["outcome"]])
    }
    table = history.results.assign(changed=[
        words.changed(row) for row in history.results.to_dict("records")
    ]).sort_values("outcome", key=lambda names: names.map(order), kind="stable")  # fmt: skip
    labels = {name: one.label for name, one in review.outcomes.items()}
    table["label"] = table["outcome"].map(labels).fillna(table["label"])
    drawn = table[table["conclusion"].isin(SIDES)]
    by = drawn.groupby(["family", "measure", "scale", "unit"], sort=False)
    for (family, *measure), rows in by:
        family = review.families[family].label if family in review.families else family
        measure = restored(*measure)
        levels = rows["level"].unique()
        look = {
            "measure": measure,
            "level": levels[0] if len(levels) == 1 else None,
            "favours": (f"favours {review.control}", f"favours {review.treated}"),
        }
        rows = rows.assign(outcome=rows["label"])
        number = len(exhibits.figures) + 1
        yield exhibits.figure(
            over_time(rows, **look), narrow=over_time(rows, narrow=True, **look),
            name=f"over-time-{number}",
            caption=f"{family}: pooled {measure.name} of each state with its confidence interval, "
            "k experiments. Hollow: the interval includes no effect.",
            alt="; ".join(f"{row['label']}, {row['state']}: {words.state_words(row)}"
                          for row in rows.to_dict("records")),
            data=rows.drop(columns=["changed"]),
        )  # fmt: skip
    every = exhibits.table(
        words.results(replace(history, results=table)), groups="Outcome",
        name="results", data=table.drop(columns="changed"),
        caption="Results of all outcomes in all states: the leading result of each.",
    )  # fmt: skip
    yield blocks.details("All results as a table", every, name="all-results")
