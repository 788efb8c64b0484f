"""What printed numbers leave open: several reconstructions that agree with all of them."""

import pandas as pd

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
