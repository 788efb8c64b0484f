"""What a person sees while reports are made: a bar on a terminal, plain lines elsewhere."""

import sys
import time

from helpers.problems import ReportFailed


class Progress:
    """A bar on a terminal, plain lines elsewhere, nothing but failures on request.

    Parameters
    ----------
    todo : list of Job
        Where they are of several reviews, each line names its own.
    quiet : bool
        Say nothing but failures.
    """

    def __init__(self, todo, quiet):
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own
        self._bar = tqdm(
            total=sum(job.size + 1 for job in todo),  # Papermill adds a cell
            unit="cell",
            leave=False,
            file=sys.stderr,
            disable=quiet or None,  # None: where there is no terminal
        )
        self._quiet, self._started = quiet, {}
        self._several = len({job.review for job in todo}) > 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()

    def __call__(self, text, *, always=False):
        """Say a line."""
        if always or not self._quiet:  # in one piece: others write at the same time
            self._bar.write(f"{text}\n", file=sys.stderr, end="")

    def _name(self, job):
        return f"{job.review}/{job.family}" if self._several else job.family

    def begun(self, job):
        """A report is begun."""
        self._started[job.review, job.family] = time.perf_counter()
        if self._bar.disable:
            self(f"{self._name(job)}: started, {job.size} cells")

    def cell(self, job, number):
        """One of its cells is run."""
        self._bar.set_description(f"{self._name(job)}, cell {number}", refresh=False)
        self._bar.update()

    def ended(self, job, made, seconds=None):
        """A report is there, or failed; the seconds that it took where it was not begun here."""
        if seconds is not None:
            self._bar.update(job.size + 1)
        if isinstance(made, ReportFailed):
            self(f"{self._name(job)}: FAILED, {made}", always=True)
            return
        begun = self._started.pop((job.review, job.family), 0)
        spent = time.perf_counter() - begun if seconds is None else seconds
        size = len(made[f"{job.family}.html"]) / 1e6
        self(f"{self._name(job)}: rendered in {spent:.1f} s, {size:.1f} MB")


class Silence:
    """Says nothing, as a report goes on elsewhere."""

    def begun(self, job):
        """A report is begun."""

    def cell(self, job, number):
        """One of its cells is run."""
