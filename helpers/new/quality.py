"""Which columns say something of quality: judgements of the risk of bias, checklists, animals lost."""

import re

from helpers.new.headings import ARM_OF, KNOWN
from helpers.review.quality import LEVELS, Quality

# Items of SYRCLE's tool, of the CAMARADES checklist and of ARRIVE as headings of sheets name them.
ITEM = re.compile(
    r"random|sequence generation|blind|mask(ed|ing)|conceal|sample ?size|power (calc|anal)|attrition|"
    r"incomplete|selective|baseline|bias|(?<![^\W_])r(o)?b(?![a-z])|syrcle|camarades|arrive|conflict|"
    r"compliance|welfare|ethic|peer.?review|temperature|protocol regist",
    re.I,
)
CHECKLIST = re.compile(
    r"arrive|camarades|report(ed|ing)|statement|conflict|compliance|welfare|ethic|peer.?review",
    re.I,
)
LOST = re.compile(r"drop.?outs?|attrition|lost to follow|animals? lost|lost animals", re.I)
OF_SIGN = [*KNOWN["words"]["worse_if_higher"], *KNOWN["words"]["better_if_higher"]]
MOST = 12  # different words in a column of judgements
SHARE = 0.6  # of them that are judgements, so that the others are worth a note


def find_quality(guess):
    """Take columns of judgements and of animals lost, each list a question.

    A column is taken where each of its words is known; one that holds other words besides, or a
    yes that may be either, is named and not read.
    """
    guess.quality, unread = {}, {}
    for column in guess.table:
        named = ITEM.search(column) and not LOST.search(column)
        if named or _is_question(guess, column):
            why = _look(guess, column)
            if why and named:
                unread[column] = why
    for kind in LEVELS:
        if items := guess.quality.get(kind):
            words = [cell for item in items for cell in guess.filled(item)]
            what = "the risk of bias" if kind == "risk_of_bias" else "what was reported"
            _confirm(guess, kind, items, words, f"judgements of {what}")
    for column in guess.table:
        if LOST.search(column) and guess.share(column, False) == 1:
            arms = {ARM_OF[word] for word in guess.said[column] if word in ARM_OF}
            name = "drop_outs" + (f"_{arms.pop()}" if len(arms) == 1 else "")
            if name not in guess.quality:
                _confirm(guess, name, column, guess.filled(column), "animals lost")
    guess.apart |= set(unread)
    for why, columns in _by_reason(unread):
        guess.say(
            f"{', '.join(columns)}: not read as judgements, {why}; docs/sheets.md says how they are"
        )


def _is_question(guess, column):
    """Whether a heading asks for a judgement: "Were groups alike?", not "Higher is better?"."""
    joined = "".join(guess.said[column])
    return column.endswith("?") and not any(words in joined for words in OF_SIGN)


def _look(guess, column):
    """Take a column of judgements; why it is not, where most of its words are judgements."""
    cells = guess.filled(column)
    different = list(dict.fromkeys(guess.table[column]))
    if not cells or not 0 < len(different) <= MOST:
        return ""
    why = ""
    for kind in dict.fromkeys(_kinds(column)):
        words, unsure = Quality(**{kind: [column]}).words(column, different)
        odd = [word for word, level in words.items() if level is None]
        if not odd and any(words.values()):
            guess.quality.setdefault(kind, []).append(column)
            guess.apart.add(column)
            return ""
        if len(different) - len(odd) + len(unsure) >= SHARE * len(different):
            listed = " and ".join(map(repr, unsure or odd[:3]))
            why = why or (f"{listed} may be a low or a high risk" if unsure else f"for {listed}")
    return why


def _kinds(column):
    """What a heading's judgements may be, the likelier first."""
    return ("reporting", "risk_of_bias") if CHECKLIST.search(column) else ("risk_of_bias",)


def _confirm(guess, name, value, cells, what):
    setting, listed = f"quality.{name}", value if isinstance(value, str) else ", ".join(value)
    guess.ask(setting, f"{what} in {listed}", cells, "not read", values=(True, False))
    if guess.answer(setting, True):
        guess.quality[name] = value
        guess.apart |= {value} if isinstance(value, str) else set(value)
    else:
        guess.quality.pop(name, None)


def _by_reason(unread):
    for why in dict.fromkeys(unread.values()):
        yield why, [column for column, said in unread.items() if said == why]
