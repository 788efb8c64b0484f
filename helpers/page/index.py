"""The page that leads to all reports of a review, or of several."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from helpers.analysis.measures import SMD
from helpers.page.assets import asset, policy
from helpers.page.blocks import paragraph
from helpers.page.intervals import axis, by_measure, estimate, interval, scale
from helpers.page.templating import environment
from helpers.words.numbers import level_name

ARTICLE_LEVEL = 0.95  # of the intervals that articles print


def index(entries, *, title, lead="", banner="", language="en", reviews=(), mark=""):
    """Write the page that leads to all reports, of one review or of several.

    Parameters
    ----------
    entries : list of mapping
        A report each: ``family``, ``label``, ``href`` (None where there is no page), ``status``
        ("ok", "FAILED", "not rendered"), ``message`` (why it failed, or None) and ``outcomes``,
        a list of mappings with ``id, label, k, estimate, ci_low, ci_high, better``,
        ``published`` (a mapping with ``estimate, ci_low, ci_high``, or None) and optionally
        ``anchor`` (identifier of its section, by default ``outcome-<id>``; None where it has none);
        optionally the ``measure`` of an outcome (a `Measure`, by default the SMD) and the ``level``
        of the report's intervals. The page of a failed report is the last good one, and is called
        so.
    title, lead : str
        Heading, and a sentence below it.
    banner : str
        HTML of `blocks.banner`.
    reviews : list of mapping
        Other reviews: ``title, headline, state, href``.
    mark : str
        Text by which the list of them is known again.

    Returns
    -------
    str
        One HTML document.
    """
    css, js = asset("report.css"), asset("report.js")
    reports = [_family(entry) for entry in entries]
    named = [{row["id"] for row in report["rows"]} for report in reports]
    for place, (report, own) in enumerate(zip(reports, named, strict=True)):
        # A report that repeats what smaller ones or later ones show, such as an overview, is only
        # linked.
        later = (other for other in named[place + 1 :] if other == own)
        others = set().union(*(other for other in named if len(other) < len(own)), *later)
        report["repeats"] = bool(own) and own <= others
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            reports=reports,
            # Where nothing was published, no column of dashes says so.
            printed=level_name(ARTICLE_LEVEL) if any(r["printed"] for r in reports) else "",
            outcomes=len(set().union(*named)),
            states=Counter(report["status"].replace("ok", "rendered") for report in reports),
            title=title,
            lead=paragraph(lead).html if lead else "",
            language=language,
            banner=Markup(banner),
            reviews=reviews,
            mark=mark,
            css=css,
            js=js,
            policy=policy(css, js),
        )
    )


def _family(entry):
    """A report with its rows in the index drawn, those of each measure on an axis of their own."""
    outcomes = [{"measure": SMD, **one} for one in entry.get("outcomes") or []]
    level = level_name(entry.get("level", ARTICLE_LEVEL))
    rows, heads = {}, []
    for measure, run in by_measure(outcomes):
        printed = [one.get("published") or {} for one in run]
        # What was printed is of the article's measure: beside another it is written, not drawn.
        of = [one.get("printed_measure", SMD) for one in run]
        alike = [one.title == measure.title for one in of]
        drawn = [one for one, same in zip(printed, alike, strict=True) if same]
        low, high = axis([*run, *drawn], measure)
        heads.append({"measure": measure.title, "scale": scale(low, high, measure)})
        for one, shown, printed_as, same in zip(run, printed, of, alike, strict=True):
            plot, text = interval(one, low, high), "–"
            if shown.get("estimate") is not None:
                text = estimate({**shown, "measure": printed_as})
                if same:
                    plot = interval({**shown, "kind": "published"}, low, high) + plot
                else:
                    text = f"{printed_as.name} {text}"
            anchor = one.get("anchor", f"outcome-{one['id']}")
            rows[one["id"]] = {
                **one,
                "head": heads[-1] if one is run[0] and len(heads) > 1 else None,
                "plot": plot,
                "href": "#".join(filter(None, (entry["href"], anchor))) if entry["href"] else "",
                "computed": estimate(one),
                "published": text,
            }
    first = heads[0] if heads else {"measure": "", "scale": ""}
    printed = any(row["published"] != "–" for row in rows.values())
    return {**entry, "rows": list(rows.values()), **first, "level": level, "printed": printed}
