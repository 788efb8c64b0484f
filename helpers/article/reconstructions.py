"""What printed numbers leave open: several reconstructions that agree with all of them."""

import pandas as pd

from helpers.words.sentences import count, listing, number, p_value

ENDS = ["pi_low", "pi_high"]
PINNED = 0.1  # a quantity whose range is within this share of its middle is pinned down


def read(review):
    """The review's `alternatives.csv` as numbers; empty where it has none.

    Returns
    -------
    pandas.DataFrame
        A row a reconstruction: ``outcome, seed, k, tau2, pi_low, pi_high, hksj_excludes_0,
        doleman_p, pustejovsky_p, leave_one_out_shift`` and more.
    """
    table = review.facts("alternatives.csv")
    if table.empty:
        return table
    texts = ("outcome", "hksj_excludes_0")
    numbers = {name: pd.to_numeric(table[name]) for name in table if name not in texts}
    return table.assign(**numbers, hksj_excludes_0=table["hksj_excludes_0"] == "True")


def summary(table, review):
    """What the reconstructions of each outcome agree on, a row an outcome.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `read`.
    review : helpers.review.review.Review

    Returns
    -------
    pandas.DataFrame
        ``outcome, label``; ``k`` as text, and whether it is ``assumed``, that is, not printed and
        different between reconstructions; ``tau2_low, tau2_high``; ``pi_spread``, by which the ends
        of the prediction interval differ at most; ``p_low, p_high`` of the sample-size tests;
        ``knapp``, what Hartung-Knapp says.
    """
    p, excludes = table[["doleman_p", "pustejovsky_p"]], table["hksj_excludes_0"]
    groups = table.assign(
        p_low=p.min(axis=1),
        p_high=p.max(axis=1),
        k_with=table["k"].where(excludes),
        k_without=table["k"].where(~excludes),
    ).groupby("outcome")
    names = [name for name in review.outcomes if name in groups.groups]
    low, high = groups.min().loc[names], groups.max().loc[names]
    assumed = low["k"] < high["k"]
    found = pd.DataFrame(
        {
            "label": [review.outcomes[name].label for name in names],
            "k": low["k"].astype(str) + (" to " + high["k"].astype(str)).where(assumed, ""),
            "assumed": assumed,
            "tau2_low": low["tau2"],
            "tau2_high": high["tau2"],
            "pi_spread": (high[ENDS] - low[ENDS]).max(axis=1),
            "p_low": low["p_low"],
            "p_high": high["p_high"],
            "knapp": list(map(_knapp, high["k_without"], low["k_with"])),
        }
    )
    return found.reset_index()


def _knapp(last, first):
    """Whether the Hartung-Knapp interval excludes 0, over all reconstructions.

    `last` is the largest k at which one does not, `first` the smallest at which one does; NaN
    where there is none.
    """
    if pd.isna(last) or pd.isna(first):
        return "never" if pd.isna(first) else "always"
    return "it depends" if first <= last else f"k ≤ {last:g} no, k ≥ {first:g} yes"


def words(found):
    """What is pinned down though not printed, and what stays open, from `summary`."""
    known, assumed = found[~found["assumed"]], found[found["assumed"]]
    middle = (known["tau2_low"] + known["tau2_high"]) / 2
    pinned = known[(known["tau2_high"] - known["tau2_low"]) <= PINNED * middle]
    parts = []
    if len(known):
        parts.append(
            f"Where k is printed ({listing(known['label'])}), "
            f"τ² is pinned down to {PINNED:.0%} for "
            f"{listing(pinned['label'])}, though it is not printed; "
            f"the ends of the prediction interval differ by at most {number(known['pi_spread'].max())}."
        )
    tested = found[found["p_high"].notna()]
    crossing = tested[(tested["p_low"] < 0.05) & (tested["p_high"] >= 0.05)]
    if len(tested):
        parts.append(
            f"Over the reconstructions the p of small-study tests runs from "
            f"{p_value(tested['p_low'].min())} to {p_value(tested['p_high'].max())}, and for "
            f"{count(len(crossing), 'outcome')} of {len(tested)} it falls on both sides of 0.05"
            f"{', which leaves these tests open' if len(crossing) else ''}."
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
        "What one experiment weighs and how far it moves the result is made up throughout."
    )
    return " ".join(parts)
