"""The folder of reports: a report's files put in place together, the index, what is remembered."""

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers.render.jobs import OVERVIEW

MANIFEST = ".manifest.json"


def remembered(out):
    """Read what was rendered into a folder, and from what: `helpers.render.jobs.entry` by family."""
    try:
        return json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def remember(out, entries):
    """Write what `remembered` reads."""
    put(out, {MANIFEST: json.dumps(entries, indent=1, sort_keys=True).encode()})


def put(out, contents, *, instead=None):
    """Put files in place of their predecessors, all of them or none.

    Everything is written beside its place first, so that a full disk or a killed process leaves
    the old report; then it is renamed.

    Parameters
    ----------
    out : Path
    contents : dict of str to bytes
        By path inside the folder.
    instead : str, optional
        A folder inside `out` that afterwards holds nothing but what is in `contents`.
    """
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".", ignore_cleanup_errors=True) as beside:
        fresh, stale = Path(beside, "fresh"), Path(beside, "stale")
        for name, content in contents.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        if instead:
            with suppress(FileNotFoundError):
                os.replace(out / instead, stale)
        for name in contents:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(fresh / name, out / name)


def index_page(out, description, entries):
    """Page that leads to all reports of a review: rendered now or before, or failed, or not."""
    from helpers.page import blocks, index
    from helpers.words.numbers import listing

    labels = {family.id: family.label for family in description.families.values()}
    if OVERVIEW in entries:
        labels = {OVERVIEW: "Overview", **labels}
    rows = [_row(out, family, label, entries.get(family)) for family, label in labels.items()]
    banner = blocks.banner(description.evidence).html
    who = ", ".join(
        filter(
            None, [*[listing(description.authors)] * bool(description.authors), description.date]
        )
    )
    lead = "\n\n".join(filter(None, [description.question, who, description.citation]))
    return index.index(rows, title=description.title, lead=lead, banner=banner)


def _row(out, family, label, entry):
    """One report as `helpers.page.index.index` takes it."""
    row = {"family": family, "label": label, "status": "not rendered", "message": None}
    if entry is None:
        return row
    page, data = out / f"{family}.html", out / f"{family}.json"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    results = json.loads(data.read_bytes()) if data.is_file() else {}
    outcomes = results.get("outcomes") or {}
    return row | {
        "status": "FAILED" if "failure" in entry else "ok",
        "message": entry.get("failure"),
        "href": page.name if text else None,
        "level": (results.get("parameters") or {}).get("level", 0.95),
        "outcomes": [_outcome(name, outcome, text) for name, outcome in outcomes.items()],
    }


def _outcome(name, outcome, text):
    from helpers.analysis.measures import restored
    from helpers.page.document import slug

    chosen, unit = outcome["chosen"], outcome.get("unit")
    printed = outcome.get("article") or {}
    anchors = slug(outcome["label"]), f"outcome-{name}"
    fields = ("k", "estimate", "ci_low", "ci_high")
    return {
        "id": name,
        **{field: outcome.get(field) for field in ("label", "better", "published")},
        **{field: chosen.get(field) for field in fields},
        "measure": restored(chosen.get("measure"), chosen.get("scale"), unit),
        "printed_measure": restored(printed.get("measure"), printed.get("scale"), unit),
        "anchor": next((anchor for anchor in anchors if f'id="{anchor}"' in text), None),
    }
