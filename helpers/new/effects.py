"""Effects that a sheet brings itself, and animals counted by an event."""

from helpers.new.headings import EFFECTS, KINDS, KNOWN, QUANTITIES
from helpers.review.columns import ARMS
from helpers.review.schema import FILL_IN

# An effect's precision under a heading that does not name the effect again.
BARE_SE = KINDS["SEM"] | {"standard", "error", "std", "err"}
BARE_VARIANCE = set(KNOWN["effects"]["bare_variance"])
BARE_ENDS = (
    QUANTITIES["low"] | QUANTITIES["high"] | KINDS["CI"] | set(KNOWN["effects"]["bare_ends"])
)
BARE = BARE_SE | BARE_VARIANCE | BARE_ENDS


def take_events(guess):
    """Events of animals; which measure is computed of them is a question."""
    forget(guess, "sd", "low", "high")
    for arm in ARMS:
        if f"n_{arm}" not in guess.columns and f"nonevents_{arm}" not in guess.columns:
            guess.lack(f"n_{arm}")
    guess.measure = guess.answer("settings.measure", "OR")
    cells = guess.table[guess.columns["events_treated"]]
    guess.ask("settings.measure", "odds ratios of the events", cells, ("RR", "RD"),
              values=("OR", "RR", "RD"))  # fmt: skip


def forget(guess, *names):
    """Take back what was found for both groups."""
    columns = {
        f"{name}_{arm}": guess.columns.pop(f"{name}_{arm}", None) for arm in ARMS for name in names
    }
    settings = {f"sheet.columns.{name}" for name in columns}
    guess.questions = [each for each in guess.questions if each.setting not in settings]
    return [column for column in columns.values() if column]


def take_effects(guess, found, bare):
    """Effects that the sheet brings; a variance is no standard error, a ratio no logarithm."""
    forget(guess, "mean", "sd", "low", "high", "events", "nonevents")  # n may be there
    effects = [c for c, h in found.items() if h.quantity == "effect"]
    errors = [c for c, h in found.items() if h.quantity == "effect_se"]
    errors += [c for c, said in bare.items() if said and said <= BARE_SE]
    variances = [c for c, h in found.items() if h.quantity == "effect_variance"]
    variances += [c for c, said in bare.items() if said and said <= BARE_VARIANCE]
    effects.sort(key=lambda c: not guess.is_ours("effect", c))
    errors.sort(key=lambda c: not guess.is_ours("se", c))
    ratios = [c for c, h in found.items() if h.quantity == "ratio"]
    if effects:
        guess.take("effect", effects)
        said = set(guess.said[effects[0]])
        logs = bool(said & {"log", "ln"}) or "".join(said).startswith(("ln", "log", "lrr"))
        guess.effect_name = guess.answer("sheet.effect_name", guess.columns["effect"])
        scales = ("log", "identity") if logs else ("identity", "log")
        guess.effect_scale, cells = (
            guess.answer("sheet.effect_scale", scales[0]),
            guess.table[effects[0]],
        )
        why = "what they measure: a log hazard ratio, an SMD, ..."
        guess.ask("sheet.effect_name", guess.effect_name, cells, (), why,
                  values=(guess.effect_name,))  # fmt: skip
        guess.ask("sheet.effect_scale", scales[0], cells, scales[1], values=scales)
    elif ratios:
        guess.take("ratio", ratios)
        known = [
            name
            for word, name in KNOWN["effects"]["names"].items()
            if word in guess.said[ratios[0]]
        ]
        guess.effect_name = guess.answer("sheet.effect_name", (known or [f"log {ratios[0]}"])[0])
        guess.effect_scale = "log"
        why = "what they measure: a log hazard ratio, a log odds ratio, ..."
        guess.ask("sheet.effect_name", guess.effect_name, guess.table[ratios[0]], (), why,
                  values=(guess.effect_name,))  # fmt: skip
    else:
        guess.lack("effect")
    if errors:
        # Some sheets have the standard error of the ratio itself, on another scale.
        of_ratio = not effects and bool(ratios)
        why = "it is taken as that of the ratio's natural logarithm" if of_ratio else ""
        guess.take("se", errors, sure=False if of_ratio else None, why=why)
        if variances:
            guess.instead["se"] += variances
    elif variances:
        guess.take("variance", variances)
    else:
        _ends(guess, "effect" if effects else "ratio", found, bare)


def _ends(guess, kind, found, bare):
    """Both ends of an effect's interval."""
    listed = [c for c, h in found.items() if h.quantity == "effect_end"]
    listed += [c for c, said in bare.items() if said and said <= BARE_ENDS]
    sides = [
        [c for c in listed if words_ & set(guess.said[c])]
        for words_ in (
            QUANTITIES["low"] | EFFECTS["lower_end"], QUANTITIES["high"] | EFFECTS["upper_end"],
        )
    ]  # fmt: skip
    if not all(sides) or not (effect := guess.columns.get(kind)) or effect == FILL_IN:
        guess.lack("se", f": {', '.join(listed)} may be the ends of its interval" if listed else "")
        return
    for name, columns in zip(("low", "high"), sides, strict=True):
        guess.take(f"{kind}_{name}", columns, why="an end of the 95% interval")
