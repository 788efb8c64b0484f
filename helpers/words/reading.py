"""How to read a section of a report: its parts in their order, each with what it does not say."""

GENERAL = {
    "CI": "confidence interval",
    "SMD": "standardised mean difference (Hedges g)",
    "MD": "mean difference",
    "NMD": "normalised mean difference",
    "REML": "restricted maximum likelihood",
    "CR2": "cluster-robust variance, bias-reduced",
}


def abbreviations(own, words):
    """Abbreviations that a report uses, each with its meaning, in the order of the alphabet.

    Parameters
    ----------
    own : dict
        What the review says of its own: abbreviation to meaning.
    words : set of str
        Words of the report's rows, labels and settings.

    Returns
    -------
    str
        Empty where none is used.
    """
    used = sorted((name, said) for name, said in (GENERAL | own).items() if name in words)
    return "; ".join(f"{name}, {said}" for name, said in used)


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
    tested = "run outcome by outcome"
    usual = (
        "Experiments can be treated as independent or as nested in their study, and intervals can be "
        "normal or wider; the results under several defensible choices are shown side by side."
    )
    if rebuilds:
        tested = (
            "run for the markers that the article tested together, otherwise outcome by outcome"
        )
        usual = (
            "The article treats its experiments as independent and uses normal intervals. The results "
            "under other defensible choices are shown beside its own."
        )
    published = (
        "Comparison with the published values",
        "What the article prints, beside what this sheet gives under the article's settings, and how "
        "far the two are apart.",
    )
    return [
        (
            "Forest plot",
            "Each line compares one treated group with one control group. The area of a square is "
            "its weight, the diamond is the pooled effect with its confidence interval, and the bar "
            "below it is the prediction interval, in which the true effect of a further experiment "
            "of this kind is expected. Differences are treated minus control unless the sheet "
            "reverses a row; log effects are shown as ratios, with no effect at 1.",
        ),
        (
            "Heterogeneity",
            "τ² is the variance of the true effects between experiments. I² is the share of the "
            "observed variation that is not sampling error; because it also grows with the precision "
            "of the experiments, it does not measure how much effects differ. The prediction interval "
            "does.",
        ),
        (
            "What may explain the differences",
            'The estimate of a level answers "how large is the effect in these animals?", a '
            'coefficient "how much larger is it than in the reference level?". Moderators were '
            "examined one at a time and were not randomised, so an association may be due to "
            "anything that goes with the moderator.",
        ),
        (
            "Outliers and influence",
            "In a Galbraith plot the slope of the line is the common effect; an experiment outside "
            "the band is not described by it. With high heterogeneity many experiments lie outside "
            "without being wrong. Excluding one is a decision that needs a reason and an author, "
            "never a rule; and because exclusions that depend on the result make the rest look more "
            "homogeneous, the result of all experiments is always given beside it. Influence is "
            "something else: how far the result changes when one experiment is left out, outlying "
            "or not.",
        ),
        (
            "Small-study effects",
            "The funnel plot of standardised mean differences uses the number of animals, because "
            "their standard error contains the effect itself; that of other effects uses the "
            f"standard error. For the same reason only tests based on the number of animals count. "
            f"They are {tested}, and shown with their power: where it is low, a large p-value is not "
            "informative.",
        ),
        (
            "Sensitivity analyses",
            f"{usual} With few experiments they can disagree, and the wider interval is then the "
            "safer one to quote.",
        ),
        (
            "What would change the result",
            "A new experiment has a true effect of its own, drawn from the prediction distribution: "
            "assurance is its power averaged over that, and stays below the probability that its "
            "true effect lies on the side of the pooled one, however many animals there are. Power "
            "at the pooled effect leaves the differences between experiments out and promises more.",
        ),
        *[published] * rebuilds,
    ]
