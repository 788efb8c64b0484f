"""How to read a section of a report: its parts in their order, each with what it does not say."""


def how_to_read(rebuilds):
    """Explain the parts of an outcome's section.

    Parameters
    ----------
    rebuilds : bool
        Whether the review rebuilds an article, whose choices are then spoken of.

    Returns
    -------
    list of (str, str)
        Name of the part, and its explanation.
    """
    if rebuilds:
        tested = (
            "They are run for the markers that the article tested together, or outcome by outcome"
        )
        usual = (
            "The article treats its experiments as independent and uses normal intervals. Other "
            "defensible choices stand beside it."
        )
    else:
        tested = "They are run outcome by outcome"
        usual = (
            "Experiments can be treated as independent or as parts of their study, and intervals "
            "can be normal or wider. Several defensible choices stand side by side."
        )
    return [
        (
            "Forest plot",
            "A line is one treated group against one control group. The area of a square is its "
            "weight, the diamond is the pooled effect with its confidence interval, and the bar "
            "below the diamond is the prediction interval: where the true effect of a further "
            "experiment of this kind is expected. Differences are treated minus control unless the "
            "sheet turns a row; log effects are shown as ratios, with no effect at 1.",
        ),
        (
            "Heterogeneity",
            "τ² is the variance of the true effects between experiments. I² is the share of the "
            "observed variation that is not sampling error; precise experiments turn small "
            "differences into a high I², so it does not say by itself how much the effects differ. "
            "The prediction interval does.",
        ),
        (
            "What may explain the differences",
            'A level\'s own estimate answers "how large is the effect in these animals?"; a '
            'coefficient answers "how much larger than in the reference level?". Moderators were '
            "looked at one at a time and were not randomised, so each stands for everything that "
            "goes with it.",
        ),
        (
            "Outliers and influence",
            "In a Galbraith plot the slope of the line is the common effect, and a point outside "
            "the band is an experiment that the common effect does not describe. Where effects "
            "differ much, many points lie outside without being wrong. To leave one out is a "
            "decision with a reason and an author, never a rule, and its result stands beside the "
            "one with all experiments. Influence is another matter: how far the result moves when "
            "one experiment is taken out, outlying or not.",
        ),
        (
            "Small-study effects",
            "For standardised mean differences the funnel plot stands on the number of animals, "
            "because their standard error contains the effect itself; for other effects it stands "
            "on the standard error. For the same reason only tests that rest on the number of "
            f"animals count. {tested}, and their power stands beside them: where it is low, a large "
            "p says nothing.",
        ),
        (
            "Other ways to compute it",
            f"{usual} With few experiments they may part company, and then the wider interval is "
            "the safer one to quote.",
        ),
    ]
