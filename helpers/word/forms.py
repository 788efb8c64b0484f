"""Two orders of a report's parts: as the page has them, or as a supplement to a manuscript."""

from __future__ import annotations

from dataclasses import dataclass, replace

from helpers.word.parts import Section


@dataclass(frozen=True)
class Outline:
    """A document before it is written.

    Attributes
    ----------
    title : str
    sections : list of Section
        Level 1 is Word's Heading 1; the first has no heading and stands below the title.
    prefix : str
        What numbers of figures and tables begin with.
    """

    title: str
    sections: list
    prefix: str = ""


def report(sections):
    """As the page has it; what the page folds away follows in an appendix, provenance last.

    Parameters
    ----------
    sections : list of Section
        Of `helpers.word.parts.sections`.

    Returns
    -------
    Outline
    """
    title, *rest = sections
    shown = [replace(one, level=one.level - 1) for one in rest if not one.folded]
    appendix = _with_parents(rest)
    if appendix:
        appendix.insert(0, Section(1, "Appendix", "appendix", False))
    return Outline(title.title, _pruned([_head(title.parts), *shown, *appendix]))


def supplement(sections):
    """Methods, results and tables, without what explains them; numbers begin with S.

    Figures and tables keep the numbers of the page, so that nobody takes one for another.

    Parameters
    ----------
    sections : list of Section
        Of `helpers.word.parts.sections`.

    Returns
    -------
    Outline
    """
    title, *rest = sections
    told = {id(part) for one in sections for part in one.told}
    methods, last, results = [], [], []
    kind, story = results, False
    for one in rest:
        if one.level == 2:
            kind = {"methods": methods, "provenance": last}.get(one.mark, results)
            story = kind is results and one.folded  # how to read, background
        if story and not any(_shows(part) for part in one.parts):
            continue
        kept = [part for part in one.parts if id(part) not in told]
        kind.append(replace(one, parts=kept, level=one.level - (kind is not results)))
    front = [part for part in title.parts if part.get("custom-style") in ("Facts", "Evidence")]
    ahead = [part for part in title.parts if part not in front and id(part) not in told]
    tables = [part for one in (Section(1, "", "", False, ahead), *results) for part in one.parts]
    tables = [part for part in tables if _is_table(part)]
    return Outline(
        f"{title.title}: supplement",
        _pruned(
            [
                _head(front),
                *methods,
                Section(1, "Results", "supplement-results", False, _without_tables(ahead)),
                *(replace(one, parts=_without_tables(one.parts)) for one in results),
                Section(1, "Tables", "supplement-tables", False, tables),
                *last,
            ]
        ),
        prefix="S",
    )


def _head(parts):
    """What stands below the title: what kind of evidence this is, before anything else."""
    evidence = [part for part in parts if part.get("custom-style") == "Evidence"]
    return Section(0, "", "", False, evidence + [part for part in parts if part not in evidence])


def _is_table(part):
    return "table" in (part.get("class") or ()) or part.name == "table"


def _shows(part):
    return _is_table(part) or part.name == "figure"


def _without_tables(parts):
    return [part for part in parts if not _is_table(part)]


def _with_parents(sections):
    """Folded sections, under the names of those in which they are folded."""
    path, found = [], []
    for one in sections:
        path = [above for above in path if above.level < one.level]
        if one.folded:
            found += [replace(up, mark="", parts=[]) for up in path if not up.folded]
            path = [replace(up, folded=True) for up in path]  # named once
            found.append(one)
        path.append(one)
    return found


def _pruned(sections):
    """Without headings over nothing."""
    kept, below = [], 0
    for one in reversed(sections):
        if one.parts or below > one.level or one.level == 0:
            kept.append(one)
            below = one.level
    return kept[::-1]
