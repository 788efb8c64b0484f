"""Pages that lead to reports: of one review, and of all reviews whose folders lie beside each other."""

import json
from collections import Counter
from types import SimpleNamespace

from helpers.provenance import MANIFEST, sha256
from helpers.render import output
from helpers.render.jobs import OVERVIEW

PAGE = "index.html"


def index_page(out, description, entries, others=()):
    """Page that leads to all reports of a review: rendered now or before, or failed, or not.

    Parameters
    ----------
    out : Path
    description : helpers.review.description.Description
    entries : dict
        Of `output.remembered`.
    others : list of dict
        Of `beside`: reviews to which this page leads too.

    Returns
    -------
    page : str
    about : dict of str to str
        What a page that leads to several reviews says of this one: ``title, headline, state``.
    """
    from helpers.page import blocks, index
    from helpers.words.numbers import count, listing

    labels = {family.id: family.label for family in description.families.values()}
    if OVERVIEW in entries:
        labels = {OVERVIEW: "Overview", **labels}
    rows, outcomes = [], {}
    for family, label in labels.items():
        row, found = _row(out, family, label, entries.get(family))
        rows.append(row)
        outcomes |= {name: one for name, one in found.items() if name not in outcomes}
    banner = blocks.banner(description.evidence).html
    who = ", ".join(
        filter(
            None, [*[listing(description.authors)] * bool(description.authors), description.date]
        )
    )
    lead = "\n\n".join(filter(None, [description.question, who, description.citation]))
    page = index.index(
        rows, title=description.title, lead=lead, banner=banner, reviews=others, mark=mark(others)
    )
    states = Counter(row["status"].replace("ok", "rendered") for row in rows)
    states["with a note"] = sum(bool(row.get("note")) for row in rows)
    said = ", ".join(f"{number} {state}" for state, number in states.items() if number)
    about = {
        "title": description.title,
        "headline": _headline(outcomes, description),
        "state": f"{count(len(rows), 'report')} on {count(len(outcomes), 'outcome')}: {said}",
    }
    return page, about


def reviews_page(others):
    """Page that leads to several reviews, where none of them lies in its folder."""
    from helpers.page import index

    return index.index([], title="Reviews", reviews=others, mark=mark(others))


def beside(folder):
    """What the folders inside one say of the reviews whose reports they hold.

    Returns
    -------
    list of dict
        ``title, headline, state, href``, by the name of the folder.
    """
    found = []
    for out in sorted(path.parent for path in folder.glob(f"*/{MANIFEST}")):
        if (out / PAGE).is_file():
            said = {"title": out.name, "headline": "", "state": ""} | output.about(out)
            found.append(said | {"href": f"{out.name}/{PAGE}"})
    return found


def mark(others):
    """A text by which a page that leads to these reviews is known again; empty for none."""
    return sha256(json.dumps(others, sort_keys=True).encode()) if others else ""


def is_current(folder, others):
    """Whether the page in a folder leads to these reviews, as they are."""
    try:
        text = (folder / PAGE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return f'name="reviews" content="{mark(others)}"' in text or not (
        others or 'name="reviews"' in text
    )


def _row(out, family, label, entry):
    """One report as `helpers.page.index.index` takes it, and its outcomes as its JSON has them.

    Without outcomes where it is of a part of the experiments: no sentence on the review rests on it.
    """
    row = {"family": family, "label": label, "status": "not rendered", "message": None}
    if entry is None:
        return row, {}
    page, data, level = out / f"{family}.html", out / f"{family}.json", 0.95
    note, text, found, outcomes, is_part = entry.get("note"), "", {}, [], False
    try:
        text = page.read_text(encoding="utf-8") if page.is_file() else ""
        results = json.loads(data.read_bytes()) if data.is_file() else {}
        asked = results.get("parameters") or {}
        level, is_part = asked.get("level", level), bool(asked.get("where"))
        found = results.get("outcomes") or {}
        outcomes = [_outcome(name, outcome, text) for name, outcome in found.items()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        note = f"{data.name} is not as it was rendered ({type(error).__name__}); render it anew."
    row |= {
        "status": "FAILED" if "failure" in entry else "ok",
        "message": entry.get("failure"),
        "note": note,
        "href": page.name if text else None,
        "level": level,
        "outcomes": outcomes,
    }
    return row, found if outcomes and not is_part else {}


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


def _headline(outcomes, description):
    """What all outcomes of a review say together; empty where their JSON does not tell."""
    from helpers.words.sentences import family_verdict, kind_mark

    try:
        analyses = {name: _leading(name, one) for name, one in outcomes.items()}
        assumed = tuple(name for name, one in outcomes.items() if one.get("assumed"))
        if not analyses:
            return ""
        text = family_verdict("", analyses.values(), description.treated, assumed=assumed)
    except (AttributeError, KeyError, TypeError, ValueError):  # of another version, or edited
        return ""
    return text + kind_mark(description)


def _leading(name, outcome):
    """An outcome of a report's JSON, with of its analysis what sentences ask for."""
    from dataclasses import replace

    from helpers.analysis.measures import restored

    leading = outcome["leading"]
    measure = restored(leading["measure"], leading["scale"], outcome["unit"])
    return SimpleNamespace(
        outcome=SimpleNamespace(id=name, label=outcome["label"]),
        leading=SimpleNamespace(**leading),
        measure=replace(measure, better=outcome["benefit"]),
    )
