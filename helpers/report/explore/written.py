"""A choice written back: as parameters, as a Python call, as rows of `exclusions.csv`."""

from __future__ import annotations

import json
from pprint import pformat

from helpers.problems import Refused, command_line
from helpers.provenance import sha256
from helpers.review.columns import EXCLUSION, EXCLUSIONS
from helpers.sheet.delimited import clean, with_rows
from helpers.writing import replace_file

WIDTH = 80  # letters of a line
NEXT, INDENTED = "\n", "\n    "
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet would compute


def parameters(given, choice):
    """Parameters of a report that has the choice's result, those that differ from None alone.

    Parameters
    ----------
    given : dict
        What the report was asked for besides: ``review, outcomes, moderators, where, seed``.
    choice : helpers.report.explore.state.Choice

    Returns
    -------
    dict
    """
    found = {name: given[name] for name in ("review", "outcomes", "moderators", "where") if
             given.get(name) is not None}  # fmt: skip
    found |= choice.settings
    if choice.where:
        found["where"] = choice.where
    if choice.exclude:
        found["exclude"] = list(choice.exclude)
    if given.get("seed"):
        found["seed"] = given["seed"]
    return found


def texts(family, given, choice):
    """All that can be copied: headings, and the texts below them."""
    return [
        ["Parameters of the notebook", cell(given, choice)],
        ["On the command line", command(family, given, choice)],
        ["In Python", call(family, given, choice)],
    ]


def cell(given, choice):
    """The lines of a notebook's parameters cell that have to be changed."""
    lines = [f"{name} = {_literal(value)}" for name, value in parameters(given, choice).items()]
    return "\n".join([*_where_it_stands(choice), *lines]) or "# nothing differs from the report"


def command(family, given, choice):
    """The command that renders a report with the choice's result."""
    words = ["render", family]
    for name, value in parameters(given, choice).items():
        if name == "review":
            words += ["--review", str(value)]
        elif name != "seed":  # the notebook has its own
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            words += ["-p", f"{name}={text}"]
    return command_line(*words)


def call(family, given, choice):
    """The Python call that gives the choice's number."""
    passed = parameters(given, choice)
    words = [repr(family), *(f"{name}={_literal(value)}" for name, value in passed.items())]
    joined = ", ".join(words)
    if len(joined) > WIDTH or "\n" in joined:
        joined = "".join(f"\n    {word.replace(NEXT, INDENTED)}," for word in words) + "\n"
    which = "leading" if choice.preset == "chosen" else choice.preset
    return (
        "from helpers import Report\n\n"
        f"report = Report({joined})\n"
        f"report.outcome({choice.outcome!r}).analysis.{which}"
    )


def _literal(value):
    """A value as Python writes it, on several lines where it is long."""
    return pformat(value, width=WIDTH, compact=True, sort_dicts=False)


def _where_it_stands(choice):
    """Where a report shows a result that no parameter makes lead."""
    return {
        "recommended": ["# the recommended result: see the report's sensitivity analyses"],
        "article": ["# the result by the article's settings"],
    }.get(choice.preset, [])


def add_exclusions(review, experiments, reason, by):
    """Write experiments into the review's `exclusions.csv`, beside the rows that it has.

    The file keeps its bytes; the new rows have its encoding, separator, columns and line ends.

    Parameters
    ----------
    review : helpers.review.review.Review
    experiments : sequence of str
    reason, by : str
        Why, and who says so; of each experiment.

    Returns
    -------
    list of str
        The experiments that were written.

    Raises
    ------
    Refused
        No experiment, no reason or author, an experiment that stands there already or is none of
        the review's, a file that changed since it was read or cannot be written.
    """
    path = review.folder / EXCLUSIONS
    reason, by, experiments = clean(reason), clean(by), list(experiments)
    faults = [] if experiments else ["No experiment is left out here: click on one first."]
    for name, text in (("reason", reason), ("by", by)):
        if not text:
            faults.append(f"An exclusion states its reason and its author: `{name}` is empty.")
        elif text.startswith(FORMULA) or "\n" in text:
            faults.append(f"`{name}` is one line of words and no formula: {text!r}.")
    known, listed = set(review.experiments.index), set(review.exclusions["experiment"])
    faults += [f"There is no experiment {name}." for name in experiments if name not in known]
    faults += [f"{name} is left out already." for name in experiments if name in listed]
    data = path.read_bytes() if path.is_file() else None
    now = None if data is None else sha256(data)
    if now != review.hashes.get(EXCLUSIONS):
        faults.append(f"{EXCLUSIONS} has changed since it was read. Run the notebook anew.")
    if faults:
        raise Refused("\n".join(faults))
    rows = [{"experiment": name, "reason": reason, "by": by} for name in experiments]
    data = ",".join(EXCLUSION).encode() + b"\n" if data is None else data
    try:
        replace_file(path, with_rows(path, data, rows))
    except OSError as error:
        what = f"{EXCLUSIONS} cannot be written ({error.strerror}). Close it where it is open"
        raise Refused(f"{what}, and see that its folder is not read-only.") from error
    return experiments
