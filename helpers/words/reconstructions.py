"""What several reconstructions of an article's rows say together."""

from helpers.article.reconstructions import PINNED
from helpers.words.numbers import count, listing, number, p_value


def words(found):
    """What is pinned down though not printed, and what stays open, from `summary`."""
    known, assumed = found[~found["assumed"]], found[found["assumed"]]
    middle = (known["tau2_low"] + known["tau2_high"]) / 2
    pinned = known[(known["tau2_high"] - known["tau2_low"]) <= PINNED * middle]
    parts = []
    if len(known):
        every = len(known) > 1 and len(pinned) == len(known)
        parts.append(
            f"Where k is printed ({listing(known['label'])}), "
            f"τ² is pinned down to {PINNED:.0%} for "
            f"{'all of them' if every else listing(pinned['label'])}, though it is not printed; "
            f"the ends of the prediction interval differ by at most {number(known['pi_spread'].max())}."
        )
    tested = found[found["p_high"].notna()]
    crossing = tested[(tested["p_low"] < 0.05) & (tested["p_high"] >= 0.05)]
    if len(tested):
        parts.append(
            f"Over the reconstructions the p of small-study tests runs from "
            f"{p_value(tested['p_low'].min())} to {p_value(tested['p_high'].max())}, and for "
            f"{count(len(crossing), 'outcome')} of {len(tested)} it falls on both sides of 0.05"
            f"{', so these tests remain inconclusive' if len(crossing) else ''}."
        )
    if len(assumed):
        said = assumed["knapp"].where(assumed["knapp"].isin(["always", "never"]), "turns with k")
        where = {
            "always": "at every k that was tried",
            "never": "at none",
            "turns with k": "at some only, so that the printed numbers do not decide,",
        }
        phrases = [
            f"{phrase} for {listing(assumed['label'][said == key])}"
            for key, phrase in where.items()
            if (said == key).any()
        ]
        parts.append(
            f"For {count(len(assumed), 'outcome')} k is assumed; τ² and prediction intervals follow "
            f"from it. A Hartung-Knapp interval excludes 0 {listing(phrases)}."
        )
    parts.append(
        "The weight of single experiments and their influence on the result are made up throughout."
    )
    return " ".join(parts)
