"""The certainty of the evidence in words: judgements, what each rests on, rules with their sources."""

from __future__ import annotations

import hashlib

import pandas as pd

from helpers.analysis.robustness.bias import MOST
from helpers.analysis.robustness.certainty import (
    ENOUGH,
    IMPORTANT_RATIO,
    IMPORTANT_SD,
    POWER,
    SUBSTANTIAL_I2,
)
from helpers.analysis.small_study import ALPHA, LEAST
from helpers.review.robustness.certainty import CERTAINTY, DOMAINS, LOWERING
from helpers.words.numbers import (
    count,
    effect_interval,
    estimate_text,
    level_name,
    listing,
    number,
    p_phrase,
    percent,
)

LEVELS = {4: "high", 3: "moderate", 2: "low", 1: "very low"}
DOMAIN = {
    "risk_of_bias": "Risk of bias",
    "inconsistency": "Inconsistency",
    "indirectness": "Indirectness",
    "imprecision": "Imprecision",
    "publication_bias": "Publication bias",
    "upgrading": "Upgrading",
}
PERSON = "for a person"
JUDGED = {0: "not serious", -1: "serious", -2: "very serious", -3: "extremely serious"}
RAISED = {0: "none", 1: "one level up", 2: "two levels up"}
SUSPECTED = {0: "undetected", -1: "suspected"}
NAMED = 3  # items that a sentence names; the others are counted


def short(found, evidence):
    """The certainty for a narrow column: "at most low, unconfirmed".

    Parameters
    ----------
    found : helpers.analysis.robustness.certainty.Certainty
    evidence : str
        Kind of the rows; what is not extracted is said where nothing else stands behind the level.
    """
    text = "at most " * found.is_bound + LEVELS[found.level]
    if any(is_old(cell) for cell in found.cells.values()):
        return f"{text}, look again"
    if not found.is_confirmed:
        return f"{text}, unconfirmed"
    return text if evidence == "extracted" else f"{text} ({evidence} rows)"


def is_old(cell):
    """Whether the numbers under a person's judgement have changed since."""
    said = cell.judgement and cell.judgement.rests_on
    return bool(said) and _plain(said) != _plain(rests_on(cell))


def _plain(text):
    """A text without what spreadsheets and encodings may do to it."""
    return " ".join(text.encode("ascii", "ignore").decode().casefold().split())


def judged(levels, domain):
    """Levels in GRADE's words for a domain."""
    if levels is None:
        return PERSON
    if domain == "upgrading":
        return RAISED[levels]
    return {**JUDGED, **(SUSPECTED if domain == "publication_bias" else {})}[levels]


def cell(one):
    """The judgement that counts in a few words: its levels, and whose it is where a person judged."""
    levels = one.judgement.levels if one.judgement else one.levels
    text = judged(levels, one.domain)
    if levels:
        text += f" ({'+' * (levels > 0)}{number(levels, 0)})"
    if one.judgement is None:
        return text
    return f"{text}, {one.judgement.by}" + ": look again" * is_old(one)


def told(one):
    """Why a domain is judged as it is: a person's reason, then the rule's, and what has changed."""
    person, rule = one.judgement, because(one)
    if person is None:
        return rule
    text = (
        f"{person.by}: {person.reason.rstrip('.')}. By the rule {judged(one.levels, one.domain)}: "
    )
    text += rule[0].lower() + rule[1:] if rule[1:2].islower() else rule
    if is_old(one):
        return f"{text} Look again: judged on {person.rests_on}; now it is {rests_on(one)}."
    return text if person.rests_on else f"{text} The numbers at that time were not kept."


def because(one):
    """What a rule says of an outcome, in a sentence with its numbers."""
    return _SENTENCES[one.domain](one.rule, one.facts)


def _risk_of_bias(rule, known):
    if "low" not in known:
        return "No risk of bias was judged."
    whose = "" if known["matched"] else (
        " The judgements name none of these studies: they are those of all studies of the review, "
        "each counted once."
    )  # fmt: skip
    names = {"low": "at low", "unclear": "at unclear", "high": "at high"}
    shares = [f"{_share(known[key])} {words}" for key, words in names.items()]
    text = f"Of the weight, {listing(shares)} risk of bias"
    text += f", {_share(known['none'])} not judged" if known["none"] else ""
    weak = known["weak"]
    if weak and rule != "most at low risk":
        named = [*weak[:NAMED], *[f"{len(weak) - NAMED} more"] * (len(weak) > NAMED)]
        text += f"; at most half of it is at low risk on {listing(named)}"
    return f"{text}.{whose}"


def _share(share):
    return percent(100 * share, 0)


def _inconsistency(rule, known):
    text = f"I² {percent(known['i2'])}"
    prediction = _prediction(known)
    said = {
        "one study": "One study cannot show whether others agree",
        "not substantial": f"{text}, not above {percent(SUBSTANTIAL_I2, 0)}; {prediction}",
        "no prediction interval": f"{text}, above {percent(SUBSTANTIAL_I2, 0)}, and there is no "
        "prediction interval to say on which side another experiment lies",
        "both sides": f"{text}, above {percent(SUBSTANTIAL_I2, 0)}, and the {prediction} includes no "
        "effect",
        "one side": f"{text}, above {percent(SUBSTANTIAL_I2, 0)}, but the {prediction} excludes no "
        "effect: sizes differ, the side does not",
    }
    return f"{said[rule]}."


def _prediction(known):
    if pd.isna(known["pi_low"]):
        return "no prediction interval"
    interval = effect_interval(known["pi_low"], known["pi_high"], known["measure"])
    return f"{100 * known['level']:g}% prediction interval {interval}"


def _indirectness(rule, known):
    return (
        f"{_extent(known)}: whether these animals, their model, the timing and the outcome stand for "
        "what is asked, no rule can say."
    )


def _extent(known):
    return (
        f"{count(known['k'], 'experiment')} from {count(len(known['studies']), 'study', 'studies')}"
    )


def _imprecision(rule, known):
    interval = f"the {level_name(known['level'])} {_confidence(known)}"
    important = known["important"]
    if important is not None:
        text = effect_interval(*important, known["measure"]).strip("[]").replace(", ", " or ")
        text += ", as the review says" * known["is_said"]
        effects = f"an important effect ({text})"
    animals, enough = known["animals"], known["enough"]
    includes = known["ci_low"] <= 0 <= known["ci_high"]
    clear = "includes no effect, but no important one" if includes else "excludes no effect"
    size = f"{count(animals, 'animal')}" if animals is not None else "an unknown number of animals"
    said = {
        "no interval": "There is no confidence interval",
        "includes no effect": f"{interval} includes no effect; for this measure no source says which "
        "effect is important",
        "one important": important and f"{interval} includes both no effect and {effects}",
        "both important": important
        and f"{interval} includes important effects of both sides ({text})",
        "size not known": f"{interval} {clear}; whether {size} are enough, no rule says here",
        "precise": f"{interval} {clear} and rests on {size}; one experiment would need {enough}",
        "few animals": f"{interval} {clear}, but it rests on {size}; one experiment would need "
        f"{enough}",
    }
    sentence = said[rule]
    return f"{sentence[0].upper()}{sentence[1:]}."


def _confidence(known):
    return effect_interval(known["ci_low"], known["ci_high"], known["measure"])


def _publication_bias(rule, known):
    tests = listing(f"{name} {p_phrase(p)}" for name, p in known["p"].items())
    said = {
        "larger in small": f"Smaller experiments report larger effects ({tests}); unpublished results "
        "are one explanation among several",
        "not larger in small": f"No test finds larger effects in smaller experiments ({tests}), which "
        "does not show that nothing was left unpublished",
        "few": f"{count(known['k'], 'experiment')}, fewer than the {LEAST} that a test needs",
        "not tested": "No test was possible" + "".join(f": {why}" for why in known["refused"]),
    }
    return f"{said[rule]}."


def _upgrading(rule, known):
    return "Experiments start at high, and no rule raises the certainty."


_SENTENCES = {
    "risk_of_bias": _risk_of_bias, "inconsistency": _inconsistency, "indirectness": _indirectness,
    "imprecision": _imprecision, "publication_bias": _publication_bias, "upgrading": _upgrading,
}  # fmt: skip


def rests_on(one):
    """The numbers that a judgement rests on, in plain letters for `certainty.csv`."""
    known = one.facts
    if one.domain == "risk_of_bias":
        keys = {"low": "low", "unclear": "unclear", "high": "high", "none": "not judged"}
        text = ", ".join(
            f"{word} {_share(known[key])}" for key, word in keys.items() if key in known
        )
        text = text or "not judged"
    elif one.domain == "inconsistency":
        text = f"I2 {percent(known['i2'])}; {_prediction(known)}"
    elif one.domain == "indirectness":
        mark = hashlib.sha256("\n".join(known["studies"]).encode()).hexdigest()[:6]
        text = f"{_extent(known)} ({mark})"
    elif one.domain == "imprecision":
        animals = "not known" if known["animals"] is None else str(known["animals"])
        text = f"{level_name(known['level'])} {_confidence(known)}; animals {animals}"
    elif one.domain == "publication_bias":
        tests = [f"{name} {p_phrase(p)}" for name, p in known["p"].items()]
        text = "; ".join([count(known["k"], "experiment"), *tests])
    else:
        interval = known["estimate"], known["ci_low"], known["ci_high"]
        text = estimate_text(*interval, known["measure"])
    return text.replace("−", "-").replace("–", "-")


def lines(analyses, certainties):
    """All domains of all outcomes as rows of `certainty.csv`, with what a person has judged.

    Returns
    -------
    pandas.DataFrame
        ``outcome, domain, judgement, reason, by, rests_on``, and what reading leaves alone:
        ``computed``, ``because``; ``now`` are the numbers of today where the judgement is about
        others.
    """
    rows = []
    for name, found in certainties.items():
        for domain, one in found.cells.items():
            person, old = one.judgement, is_old(one)
            rows.append({
                "outcome": name, "domain": domain,
                "judgement": judged(person.levels, domain) if person else "",
                "reason": person.reason if person else "",
                "by": person.by if person else "",
                "rests_on": person.rests_on if person else rests_on(one),
                "computed": judged(one.levels, domain), "because": because(one),
                "now": rests_on(one) if old else "",
                "label": analyses[name].outcome.label,
            })  # fmt: skip
    return pd.DataFrame(rows)


def explained(table, certainties):
    """The same for a page: a row a domain, why, and who says so; upgrading where a person judged."""
    cells = [one for found in certainties.values() for one in found.cells.values()]
    shown = pd.DataFrame({
        "outcome": table["label"],
        "Domain": table["domain"].map(DOMAIN),
        "Judgement": [
            cell(one) + ", unconfirmed" * (one.judgement is None and not one.is_open)
            for one in cells
        ],
        "Because": [told(one) for one in cells],
    })  # fmt: skip
    raised = [one.domain != "upgrading" or one.judgement is not None for one in cells]
    return shown[raised]


def rules():
    """Every rule with its thresholds and where they come from, a row a domain."""
    low, high = (number(bound) for bound in IMPORTANT_RATIO)
    share, half = percent(100 * MOST, 0), number(IMPORTANT_SD, 1)
    said = {
        "risk_of_bias": (
            f"Serious unless more than {share} of the weight is at low risk; a study is at the worst "
            "risk of its items. Very serious: for a person.",
            "Cochrane Handbook 5.1, tables 8.7.a and 12.2.d (“most information”); that most at unclear "
            "risk is serious is a choice of these reports, which the handbook leaves open",
        ),
        "inconsistency": (
            f"Serious if I² is above {percent(SUBSTANTIAL_I2, 0)} and the prediction interval includes "
            "no effect. Very serious, and whether moderators explain it: for a person.",
            "Cochrane Handbook 6.4, 10.10.2 (“substantial”); that both must hold is a choice of these "
            "reports, after IntHout et al. 2016 and Core GRADE 3 (2025)",
        ),
        "indirectness": (
            "For a person.",
            "Hooijmans et al. 2018, for whom it may tell how far animals predict patients",
        ),
        "imprecision": (
            "Important effects: what the review says under smallest, else "
            f"{half} SD either way, or a ratio of {low} or {high}. The CI includes no effect and one "
            "of them: serious; one on each side: very serious. Else serious with fewer animals than "
            "one experiment needs to find the important difference of means with "
            f"{percent(100 * POWER, 0)} power, {ENOUGH} for {half} SD.",
            f"{half} SD: GRADE by the KCE process book, 5.5.1.2; ratios and optimal information size: "
            "Guyatt et al. 2011 (GRADE 6); two levels: Zeng et al. 2022 (GRADE 34)",
        ),
        "publication_bias": (
            f"Suspected if a test valid for these effects finds larger effects in smaller experiments, "
            f"p < {number(ALPHA)}, from {LEAST} experiments on. Undetected: for a person.",
            "Guyatt et al. 2011 (GRADE 5); the level of the test is a choice of these reports",
        ),
        "upgrading": (
            "Never by a rule.",
            "GRADE raises what does not start at high; Hooijmans et al. 2018 leave it open how much "
            "consistency within and across species should count",
        ),
    }  # fmt: skip
    return pd.DataFrame(
        {"Domain": DOMAIN[domain], "Rule": said[domain][0], "Source": said[domain][1]}
        for domain in DOMAINS
    )


def head(evidence, certainties):
    """What the levels mean here, and what has been judged by whom."""
    text = (
        "Certainty in the manner of GRADE for animal experiments: Hooijmans et al. 2018, "
        "doi:10.1371/journal.pone.0187271. It starts at high, and each domain lowers it by the rules "
        f"below or by a person's judgement in {CERTAINTY}. “At most” stands where a domain is left "
        "for a person, who may lower it."
    )
    if evidence != "extracted":
        text = (
            f"{of_rows(evidence)}: they show how extracted rows would be rated, and say nothing about "
            f"the world.\n\n{text}"
        )
    return f"{text} {_confirmed(certainties)}"


def of_rows(evidence):
    """Whose certainty it is where rows are not authentic."""
    return f"Levels of certainty are those of {evidence} rows"


def _confirmed(certainties):
    every = list(certainties.values())
    done = sum(found.is_confirmed for found in every)
    return f"A person has judged every domain of {done} of {count(len(every), 'outcome')}."


def look_again(old):
    """How many judgements are about other numbers than today's."""
    verb = "rests" if old == 1 else "rest"
    return (
        f"{count(old, 'judgement')} of {CERTAINTY} {verb} on numbers that have changed: look again."
    )


def alerts(certainties):
    """An alert where judgements are about other numbers than today's."""
    old = sum(is_old(one) for found in certainties.values() for one in found.cells.values())
    if not old:
        return []
    where = {"href": "#table-certainty", "link": "Show them"}
    return [{"severity": "warning", "text": look_again(old), **where}]


def checklist(certainties):
    """What PRISMA's items 15 and 22 ask, for `helpers.words.checklists.table`."""
    done = sum(found.is_confirmed for found in certainties.values())
    lacking = "" if done == len(certainties) else f"a person's judgements in {CERTAINTY}"
    rated = count(len(certainties), "outcome")
    return {
        "15": ("In the manner of GRADE, by rules that stand there with their sources.", "who judged",
               "#table-certainty-rules"),
        "22": (f"{rated}, with the reasons domain by domain; {done} confirmed by a person.", lacking,
               "#table-summary-of-findings"),
    }  # fmt: skip


def summary(found):
    """Cells of the summary of findings for one outcome, by heading."""
    cells = {DOMAIN[domain]: cell(found.cells[domain]) for domain in LOWERING}
    if found.cells["upgrading"].judgement:
        cells["Upgrading"] = cell(found.cells["upgrading"])
    return cells
