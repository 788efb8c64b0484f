"""Contrasts: what a review compares with what, and the families and outcomes that come of it."""

from dataclasses import dataclass

from helpers.problems import nearest
from helpers.review.schema import fault

GROUPS = ("treated", "control", "sham")


@dataclass(frozen=True)
class Contrast:
    """One comparison of groups of animals by what they got.

    `treated`, `control` and `sham` are treatments or patterns of them; several in an entry, parted
    as in the sheet, are the set of a cohort's treatments. None is what `[sheet.long]` says: for
    `treated` all groups that are neither control nor sham. `outcomes` are the ids of those it is
    asked for, empty for all. With `combine` the arms of one experiment and time become one.
    """

    id: str = ""
    label: str = ""
    treated: tuple | None = None
    control: tuple | None = None
    sham: tuple | None = None
    combine: bool = False
    outcomes: tuple[str, ...] = ()

    def outcome(self, name):
        """The id that an outcome has in this contrast."""
        return f"{name}_{self.id}" if self.id else name


def contrasts_of(config):
    """The contrasts of a `review.toml` by their ids; empty where it has none."""
    found = {}
    for entry in config.get("contrasts", ()):
        given = {name: tuple(entry[name]) for name in (*GROUPS, "outcomes") if name in entry}
        label, combine = entry.get("label", entry["id"]), entry.get("combine", False)
        found[entry["id"]] = Contrast(entry["id"], label, combine=combine, **given)
    return found


def faults(config):
    """What is wrong with `[[contrasts]]`: ids that stand twice, no groups to compare."""
    entries = config.get("contrasts", ())
    long = config.get("sheet", {}).get("long")
    if entries and long is None:
        what = "contrasts are made of rows that are groups of animals"
        yield fault("contrasts", what, remedy="Say group and pair under [sheet.long]")
    if long is not None and "control" not in long and not entries:
        remedy = "Name what stands in the group column of controls, or write [[contrasts]]"
        yield fault("sheet.long.control", "a list is due here", remedy=remedy)
    ids = [entry["id"] for entry in entries]
    known = [outcome["id"] for family in config["families"] for outcome in family["outcomes"]]
    for place, entry in enumerate(entries):
        if entry["id"] in ids[:place]:
            yield fault(f"id = {entry['id']}", "this id is given twice")
        if "control" not in {*entry, *(long or {"control": ()})}:
            remedy = "Name its control groups here, or those of all contrasts under [sheet.long]"
            yield fault(f"contrasts.{entry['id']}.control", "a list is due here", remedy=remedy)
        for outcome in entry.get("outcomes", ()):
            if outcome not in known:
                what, remedy = "there is no such outcome", nearest(outcome, known)
                yield fault(f"contrasts.{entry['id']}.outcomes", what, outcome, remedy)


def cross(config):
    """A `review.toml` whose outcomes are those of its contrasts.

    Parameters
    ----------
    config : dict
        As written: each outcome once.

    Returns
    -------
    dict
        With a family for each family and each contrast that is ``as = "family"`` (the default), and
        in each family as written an outcome for each contrast that is ``as = "outcome"``. Ids end in
        the contrast's. Where an outcome is named elsewhere, it is named in each contrast. The same
        dict where there are no contrasts.
    """
    entries = config.get("contrasts", ())
    if not entries:
        return config
    contrasts, families = contrasts_of(config), []
    as_outcomes = [contrasts[e["id"]] for e in entries if e.get("as") == "outcome"]
    as_families = [contrasts[e["id"]] for e in entries if e.get("as") != "outcome"]
    for family in config["families"]:
        label = family.get("label", family["id"])
        families.append(family | {"outcomes": _outcomes(family, as_outcomes)})
        for contrast in as_families:
            named = {"id": contrast.outcome(family["id"]), "label": f"{label}: {contrast.label}"}
            families.append(family | named | {"outcomes": _outcomes(family, [contrast])})
    families = [family for family in families if family["outcomes"]]
    ids = {}
    for contrast in contrasts.values():
        for outcome in _asked(config, contrast):
            ids.setdefault(outcome, []).append(contrast.outcome(outcome))
    crossed = config | {"families": families}
    if "regressions" in config:
        crossed["regressions"] = [
            entry | {"outcomes": [i for o in entry["outcomes"] for i in ids.get(o, [o])]}
            if "outcomes" in entry else entry
            for entry in config["regressions"]
        ]  # fmt: skip
    if "moderators" in config:
        crossed["moderators"] = [
            entry | {"reference_by_outcome": {
                i: level for o, level in entry["reference_by_outcome"].items() for i in ids.get(o, [o])
            }} if "reference_by_outcome" in entry else entry
            for entry in config["moderators"]
        ]  # fmt: skip
    return crossed


def _asked(config, contrast):
    """Ids of the outcomes, as written, that a contrast is asked for."""
    known = [outcome["id"] for family in config["families"] for outcome in family["outcomes"]]
    return [name for name in known if not contrast.outcomes or name in contrast.outcomes]


def _outcomes(family, contrasts):
    """A family's outcomes in each of some contrasts."""
    return [
        outcome | {
            "id": contrast.outcome(outcome["id"]),
            "label": f"{outcome.get('label', outcome['id'])} ({contrast.label})",
        }
        for outcome in family["outcomes"] for contrast in contrasts
        if not contrast.outcomes or outcome["id"] in contrast.outcomes
    ]  # fmt: skip
