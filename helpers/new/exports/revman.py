"""What a review of RevMan says of itself: its analyses as outcomes, its comparisons as families."""

import textwrap

from helpers.new.headings import ARM_OF, words
from helpers.review.columns import ARMS
from helpers.sheet.revman import CONTINUOUS, DICHOTOMOUS, HEADINGS, INVERSE

# The project's columns for the numbers of a kind of data.
NUMBERS = {CONTINUOUS: {"mean": "mean", "sd": "SD"}, DICHOTOMOUS: {"events": "cases"}}
NAMES = {"OR": "log odds ratio", "RR": "log risk ratio", "HR": "log hazard ratio"}
NAMES |= {"Peto OR": "log odds ratio", "RD": "risk difference"}
SIDES = {"left": "lower", "right": "higher"}


def is_revman(table):
    """Whether a table has the columns that RevMan's files are read to."""
    return set(HEADINGS) <= set(table)


def find_analyses(guess):
    """The columns; a row that RevMan leaves out says nothing of what there is."""
    used = guess.table.drop(index=list(guess.raw.left_out))
    guess.columns = {"experiment": "row", "study": "Study", "outcome": "Analysis"}
    kinds = set(used["Data type"])
    names = {"n": "N"} | {
        n: c for kind in NUMBERS if kind in kinds for n, c in NUMBERS[kind].items()
    }
    for name, column in names.items():
        guess.columns |= {f"{name}_treated": f"Experimental {column}"}
        guess.columns |= {f"{name}_control": f"Control {column}"}
    if INVERSE in kinds:
        guess.columns |= {"effect": "GIV Mean", "se": "GIV SE"}
    _measure(guess, used)
    guess.of_pairs = tuple(column for column in HEADINGS if column != "Subgroup")
    for finding in guess.raw.findings:
        guess.say(f"{finding.what}. {finding.remedy}")
    if count := len(guess.raw.left_out):
        guess.say(f"{count} rows are not in RevMan's results and are listed, not used")


def _measure(guess, used):
    """The measure of means: one for the whole review."""
    means = used[used["Data type"] == CONTINUOUS]
    measures = dict.fromkeys(means["Effect measure"])
    if list(measures) == ["MD"]:
        guess.measure = "MD"
        guess.ask("settings.measure", "mean differences, as in RevMan", (), "SMD")
    elif "MD" in measures:
        listed = dict.fromkeys(means["Analysis"][means["Effect measure"] == "MD"])
        guess.say(
            f"analyses {', '.join(listed)}: RevMan has mean differences, and SMDs are computed"
        )


def find_subgroups(guess):
    """RevMan's subgroups as a moderator, where an analysis has several."""
    used = guess.table.drop(index=list(guess.raw.left_out))
    parted = used[used["Subgroup"] != ""]
    levels = list(dict.fromkeys(parted["Subgroup"]))
    guess.moderators = {}
    if (parted.groupby("Analysis")["Subgroup"].nunique() > 1).any():
        guess.moderators["subgroup"] = ("Subgroup", levels)


def families(guess, slug):
    """A family a comparison, an outcome an analysis, each direction a question.

    Parameters
    ----------
    guess : helpers.new.questions.Guesses
    slug : callable
        From a text and the ids that are taken to an id.

    Returns
    -------
    list of dict
        As `[[families]]` of `review.toml`.
    """
    used = guess.table.drop(index=list(guess.raw.left_out))
    found, taken, ids = [], set(), {}
    for comparison, of_comparison in used.groupby("Comparison", sort=False):
        outcomes = []
        for analysis, rows in of_comparison.groupby("Analysis", sort=False):
            first = rows.iloc[0]
            name = slug(_short(first["Outcome"]), taken)
            taken.add(name)
            ids[analysis] = name
            outcomes.append({"id": name} | _outcome(guess, name, first))
        family = slug(_short(comparison), [each["id"] for each in found])
        found.append({"id": family, "label": comparison, "outcomes": outcomes})
    guess.values["outcome"] = ids
    return found


def _short(text):
    """The first words of a name, for an id."""
    return textwrap.shorten(text, 50, placeholder="") or text[:50]


def _outcome(guess, name, row):
    """An analysis as an outcome."""
    better, why = _better(row) or (guess.better(row["Outcome"]), "RevMan's sides do not tell")
    setting = f"families.outcomes.{name}"
    other = {"higher": "lower", "lower": "higher"}[better]
    chosen = f"{better} is better for {row['Outcome']}"
    guess.ask(f"{setting}.better", chosen, (), other, why)
    entry = {"label": f"{row['Outcome']} ({row['Analysis']})", "better": better}
    if row["Data type"] == DICHOTOMOUS:
        entry |= {"measure": row["Effect measure"].removeprefix("Peto ")}
    if row["Data type"] == INVERSE:
        measure = row["Effect measure"]
        log = row["Scale"] == "log"
        known = NAMES.get(measure, f"log {measure}" if log else measure)
        entry |= {"effect_name": known or "effect", "effect_scale": "log" if log else "identity"}
        if not known:
            guess.ask(
                f"{setting}.effect_name", "effect", (), (), "RevMan does not name the measure"
            )
    return entry


def _better(row):
    """The direction of benefit by the sides of RevMan's forest plot, and these in words."""
    groups = {"treated": row["Experimental group"], "control": row["Control group"]}
    favours = {}
    for side in SIDES:
        label = row[f"{side.capitalize()} side"]
        said = words(label)
        if {"favours", "favors", "favour", "favor"} & set(said):
            favours[side] = _whose(said, groups)
    arms = {arm: side for side, arm in favours.items()}
    why = "RevMan's forest plot has {!r} on the left and {!r} on the right"
    why = why.format(row["Left side"], row["Right side"])
    if set(arms) == set(ARMS):
        return SIDES[arms["treated"]], why
    return None


def _whose(said, groups):
    """The arm that a side favours: by the words of its name, or else by those for arms."""
    bag = set(said)
    shared = {arm: bag & set(words(name)) for arm, name in groups.items()}
    named = [
        arm
        for arm, both in shared.items()
        if both - shared["control" if arm == "treated" else "treated"]
    ]
    if len(named) == 1:
        return named[0]
    known = {ARM_OF[word] for word in said if word in ARM_OF and len(word) > 2}
    return known.pop() if len(known) == 1 else ""
