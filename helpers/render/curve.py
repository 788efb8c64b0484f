"""The specification curve of one outcome, computed by the workers that make reports."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from helpers.problems import ReportFailed
from helpers.render.cluster import host
from helpers.render.cluster.client import Cluster
from helpers.render.run import cores
from helpers.render.workers import Workers


def computed(outcome, *, review=None, most=None, fits=None, jobs=None, scheduler=None):
    """Compute the specifications of an outcome of a review, as its report would by its settings.

    Parameters
    ----------
    outcome : str
        Id of an outcome.
    review : path, optional
        Folder of a review, by default the project's own.
    most, fits : int, optional
        As of `helpers.analysis.robustness.specifications.of_outcome`.
    jobs : int, optional
        Processes at a time; the number of usable cores by default.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers then compute.

    Returns
    -------
    table : pandas.DataFrame
        A row a specification with all of its choices, and ``provenance``.
    said : str
        What they conclude.

    Raises
    ------
    Refused, ReviewError
        No such outcome, or a single experiment on it.
    """
    from helpers.analysis.outcome import analyse
    from helpers.analysis.robustness import specifications
    from helpers.analysis.settings import of_review, one_of
    from helpers.article import tables
    from helpers.problems import Refused
    from helpers.review.review import load
    from helpers.words import alerts
    from helpers.words.robustness import specifications as words

    review = load(review)
    outcome = one_of(outcome, review.outcomes, "outcome")
    review = review.part([outcome.id])
    chosen, model = of_review(review.settings, review.model, rebuilds=bool(review.article))
    analysis = analyse(review, outcome.id, chosen=chosen, model=model, moderators=[])
    if not analysis.leading.pooled:
        raise Refused(f"there is a single experiment on {outcome.id}: nothing is pooled")
    with ExitStack() as stack:
        if scheduler:
            executor = stack.enter_context(Cluster(scheduler, _say)).executor
            run = partial(_by, executor.map, partial(_there, host.program()))
        else:
            workers = stack.enter_context(Workers())
            pool = ThreadPoolExecutor(jobs or cores())  # each thread waits for a process
            run = partial(_by, pool.map, workers.call)
        found = specifications.of_outcome(review, analysis, most=most, fits=fits, run=run)
    counted = words.counts(found)
    assumed = outcome.id in alerts.assumed(review, tables.pooled(review))
    said = words.sentence(found, counted, review, label=outcome.label, assumed=assumed)
    shown = words.shown_table(found, counted, review.treated).to_string(index=False)
    table = found.table.astype({"k": int}).assign(provenance=review.evidence["kind"])
    return table, "\n\n".join([said, shown, words.reasons(found)])


def _by(over, call, function, pieces):
    """A map that calls a function elsewhere."""
    return over(partial(call, function), pieces)


def _there(wanted, function, *arguments):
    """Call a function on a worker of a cluster, which may have come after the others were asked."""
    if host.program() != wanted:
        raise ReportFailed("a worker of the cluster has another version of the program")
    return function(*arguments)


def _say(line):
    print(line, file=sys.stderr)
