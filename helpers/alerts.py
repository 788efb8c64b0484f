"""What a reader must know before the numbers: found, graded, said in a sentence."""

from __future__ import annotations

from helpers.wording import count, excludes_zero, interval, listing, number

FEW = 5
EXTREME = 10


def of_review(review, without_rows=()):
    """Alerts about the sheet as a whole.

    Returns
    -------
    list of dict
        ``severity, text`` and, where there is more to say, ``detail``.
    """
    found = []
    if review.warnings:
        found.append(
            {
                "severity": "warning",
                "text": f"{count(len(review.warnings), 'odd value')} in the sheet; nothing was "
                "changed or left out because of them.",
                "detail": "\n\n".join(str(finding) for finding in review.warnings),
            }
        )
    if without_rows:
        labels = [review.outcomes[name].label for name in without_rows]
        found.append({"severity": "note", "text": f"The sheet has no row of {listing(labels)}."})
    return found


def of(analysis):
    """Alerts about one outcome."""
    label, chosen, found = analysis.outcome.label, analysis.chosen, []
    name = analysis.outcome.id

    def add(severity, text, place="forest"):
        kind = "table" if place in ("presets", "excluded") else "figure"
        link = {"href": f"#{kind}-{name}-{place}", "link": "Look"}
        found.append({"severity": severity, "text": f"{label}: {text}"} | link)

    if not chosen.pooled:
        add("note", "one experiment, nothing is pooled.")
        return found
    results = {"the recommended settings": analysis.recommended}
    if analysis.robust is not None:
        results["the three-level model"] = analysis.robust
    flipped = [
        words for words, result in results.items()
        if excludes_zero(result) != excludes_zero(analysis.article)
    ]  # fmt: skip
    if flipped:
        state = "leaves" if excludes_zero(analysis.article) else "does not leave"
        add(
            "warning",
            f"the interval {state} zero out under the article's settings, and the other way round "
            f"under {listing(flipped)}.",
            "presets",
        )
    if chosen.k < FEW:
        add("warning", f"only {chosen.k} experiments; the interval rests on very little.")
    if excludes_zero(chosen) and chosen.pi_low < 0 < chosen.pi_high:
        add(
            "note",
            f"the pooled interval leaves zero out, but the prediction interval "
            f"{interval(chosen.pi_low, chosen.pi_high)} holds it.",
        )
    extreme = analysis.rows["effect"].abs() > EXTREME
    if analysis.settings.measure == "SMD" and extreme.any():
        largest = analysis.rows["effect"][extreme].abs().max()
        add(
            "warning",
            f"{count(int(extreme.sum()), 'effect')} beyond ±{EXTREME} SDs, the largest "
            f"{number(largest)}: check whether SEMs stand where SDs are due.",
        )
    if len(analysis.excluded):
        add("note", f"{count(len(analysis.excluded), 'experiment')} left out.", "excluded")
    return found
