"""What a heading of an extraction sheet says: which quantity, of which group, of which kind."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.review.columns import ARMS

TEMPLATES = Path(__file__).resolve().parent / "templates"
KNOWN = tomllib.loads((TEMPLATES / "guess.toml").read_text(encoding="utf-8"))
QUANTITIES, KINDS, EFFECTS = (
    {name: set(listed) for name, listed in KNOWN[part].items() if isinstance(listed, list)}
    for part in ("quantities", "kinds", "effects")
)
ARM_OF = {word: arm for arm in ARMS for word in KNOWN["arms"][arm]}
INERT = set(KNOWN["words"]["substances"]) - {"sham", "none"}  # what controls get
OTHER_ARMS, NEGATED, OF_ARMS = (set(KNOWN["arms"][name]) for name in ("other", "negated", "group"))
# Longest first, so that none hides another.
PHRASES = sorted(
    ((tuple(said.split()), word) for word, listed in KNOWN["phrases"].items() for said in listed),
    key=lambda phrase: -len(phrase[0]),
)
OF_ANIMALS = {"size", "animal", "subjects", "sample", "tiere", "anzahl", "animaux", "animales"}
# A heading is one word of a quantity and an arm: "sdcon", "nt"; these are words of their own.
NOT_GLUED = {"sec", "set", "sei", "men", "int", "nt1", "note"}
SHORT = {
    "n": ("n",),
    "mean": ("mean", "avg", "m"),
    "median": ("median",),
    "sd": ("sd", "sem", "se", "std", "stdev", "var"),
}


@dataclass(frozen=True)
class Heading:
    """What a heading says.

    Attributes
    ----------
    column : str
        The heading as it stands.
    quantity : str
        ``n, mean, median, sd`` (the error of whatever kind), ``low, high, events, nonevents`` of a
        group; ``effect, effect_se, effect_variance, effect_end, ratio`` of a comparison; or empty.
    arm : str
        ``treated, control``, another word that may name a group, or empty.
    kind : str
        ``SD, SEM, CI, IQR, RANGE``, or empty where the heading does not say it.
    plain : bool
        Whether no word of it is left over, and the arm is a known one.
    """

    column: str
    quantity: str = ""
    arm: str = ""
    kind: str = ""
    plain: bool = True


@cache
def words(text):
    """A heading's words in lower case without accents, camelCase taken apart, phrases as one."""
    bare = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    bare = re.sub(r"\b([A-Za-z])\.([A-Za-z])\.([A-Za-z])?\.?", r"\1\2\3", bare)  # S.E.M.
    found = re.findall(r"(?<![A-Za-z])[Qq][13](?!\d)|[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+", bare)
    said = tuple(word.lower() for word in found)
    for phrase, word in PHRASES:
        for start in range(len(said) - len(phrase) + 1):
            if said[start : start + len(phrase)] == phrase:
                return (*said[:start], word, *said[start + len(phrase) :])
    return said


def read_heading(column):
    """Read a heading.

    Parameters
    ----------
    column : str

    Returns
    -------
    Heading
    """
    said = words(column)
    return _of_effect(column, said) or _of_group(column, said) or Heading(column)


def error_kinds(said):
    """The kinds of error that a text's words name."""
    said = set(said)
    kinds = {kind for kind, listed in KINDS.items() if said & listed}
    if said & {"standard", "std", "s"} and said & {"error", "err", "errors"}:
        kinds = (kinds - {"SD"}) | {"SEM"}
    if said & {"standard", "std"} and said & {"deviation", "dev"}:
        kinds |= {"SD"}
    return kinds


def _of_effect(column, said):
    """An effect that the sheet brings, or its error: never the numbers of one group."""
    whole, bag = "".join(said), set(said)
    for quantity in ("se", "variance"):
        if whole in EFFECTS[quantity]:
            return Heading(column, f"effect_{quantity}")
    logs = bag & {"log", "ln"}
    effects = bag & (EFFECTS["effect"] - {"d", "g"}) or ({whole} & EFFECTS["effect"])
    if bag & {"d", "g"} and (len(bag) == 1 or bag & {"hedges", "cohen", "cohens"}):
        effects |= bag & {"d", "g"}
    ratios = bag & EFFECTS["ratio"]
    errors = {w for w in bag if w in QUANTITIES["error"] | KINDS["SEM"] | KINDS["SD"] | {"v"}}
    ends = bag & (QUANTITIES["low"] | QUANTITIES["high"] | KINDS["CI"])
    if bag & {"d", "g"} and errors:
        effects |= bag & {"d", "g"}
    if "difference" in bag and "mean" in bag:
        effects = effects | {"difference"}
    if not (effects or ratios):
        return None
    if bag - effects - ratios - errors - ends - EFFECTS["effect"] - EFFECTS["with"]:
        return None
    if errors - {"std", "standard"} and errors != {"deviation"}:
        variance = errors & {"v", "var", "variance"}
        return Heading(column, "effect_variance" if variance else "effect_se")
    if ends:
        return Heading(column, "effect_end")
    return Heading(column, "ratio" if ratios and not logs and not effects else "effect")


def _of_group(column, said):
    """A quantity of a group of animals: a word for what it is beside a word for whose it is."""
    if len(said) == 1:
        return _glued(column, said[0])
    if "i" in said and {"1", "2"} & set(said):  # metafor's "n1i"
        said = [word for word in said if word != "i"]
    said, sure = _spelled_out(said)
    arms = {ARM_OF[word] for word in said if word in ARM_OF}
    quantity, kind, used = quantity_of(said)
    if not quantity or set(said) & {"baseline", "pre", "before", "type", "unit", "units"}:
        return None
    rest = [word for word in said if word not in used and word not in ARM_OF]
    if arms == {"treated"} and set(rest) & NEGATED:
        arms, rest = {"control"}, [word for word in rest if word not in NEGATED]
    if len(arms) == 2:
        return None
    if arms:
        # A "control number" may count animals or name the control.
        bare = quantity == "n" and not set(said) & (QUANTITIES["n"] | OF_ANIMALS)
        plain = sure and not (set(rest) - OF_ARMS or bare)
        return Heading(column, quantity, arms.pop(), kind, plain)
    rest = [word for word in rest if word not in OF_ARMS]
    if rest and not set(rest) & OTHER_ARMS:
        return Heading(column, quantity, rest[0], kind, False)
    return None


def left_over(column):
    """Words of a group's heading besides those of its quantity and of treated or control."""
    said, _ = _spelled_out(words(column))
    used = quantity_of(said)[2]
    return tuple(w for w in said if w not in used and w not in ARM_OF and w not in OF_ARMS)


def _spelled_out(said):
    """An abbreviation beside nothing but a group's name as what it stands for, and whether none is."""
    bare = [word for word in said if word not in ARM_OF and word not in OF_ARMS - {"de"}]
    if len(bare) == 1 and bare[0] in KNOWN["abbreviations"] and len(said) > 1:
        said = [KNOWN["abbreviations"][word] if word == bare[0] else word for word in said]
        return said, False
    return said, True


def _glued(column, word):
    for quantity, listed in SHORT.items():
        for short in listed:
            for end, arm in ARM_OF.items():
                if word in (short + end, end + short) and word not in NOT_GLUED and end != "i":
                    kinds = error_kinds([short]) if quantity == "sd" else ()
                    return Heading(column, quantity, arm, "".join(kinds))
    return None


def quantity_of(said):
    """Quantity, kind of error and the words that say them."""
    bag = set(said)
    kinds = error_kinds(said)
    kind = kinds.pop() if len(kinds) == 1 else ""
    ends = [end for end in ("low", "high") if bag & QUANTITIES[end]]
    of_kind = set().union(*KINDS.values()) & bag
    errors = bag & (QUANTITIES["error"] | KINDS["SD"] | KINDS["SEM"] | KINDS["IQR"] | KINDS["CI"])
    errors |= bag & {"standard"}
    averages = {name: bag & QUANTITIES[name] for name in ("mean", "median")}
    average = next((name for name, there in averages.items() if there), "")
    counts = bag & QUANTITIES["n"]
    if len(ends) == 1 and (
        of_kind & (KINDS["CI"] | KINDS["IQR"] | KINDS["RANGE"])
        or not (averages["mean"] or averages["median"] or errors or counts)
    ):
        return ends[0], kind, bag & QUANTITIES[ends[0]] | of_kind | {"limit", "bound", "95"}
    # "mean ± SEM" begins with the mean; "standard error of the mean" does not.
    first = next(
        (word for word in said if word in errors | averages["mean"] | averages["median"]), ""
    )
    if errors and first in errors:
        return "sd", kind, errors | averages["mean"] | {"of", "deviation", "error", "bar", "bars"}
    if average:
        return average, "", averages[average] | errors
    if events := bag & QUANTITIES["events"]:
        return "events", "", events | counts | {"number", "of"} | QUANTITIES["n_with"]
    weak = bag & QUANTITIES["n_weak"]
    if counts or (weak and not bag - weak - QUANTITIES["n_with"] - set(ARM_OF) - {"1", "2"}):
        return "n", "", counts | weak | QUANTITIES["n_with"]
    return "", "", set()
