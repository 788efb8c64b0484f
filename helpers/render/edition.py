"""One review's reports in one folder: what is due of them, what became of each, and their index."""

from helpers.problems import NotWritten, ReportFailed, of_system
from helpers.render import index, output
from helpers.render.jobs import due, entry, inputs, notes


class Edition:
    """The reports that a call asks of a review.

    Parameters
    ----------
    description : helpers.review.description.Description
    out : Path
        Folder of the reports, which the caller keeps (`output.kept`) from `look` on.
    jobs : list of Job
        All that the call asks for.
    notebooks : Path

    Attributes
    ----------
    todo : list of Job
        Those to render: due, and after `read` also those whose rows changed.
    review : bytes
        After `read`, for the workers.
    warnings, failed : int
    is_new : bool
        Whether its index was written.
    """

    def __init__(self, description, out, jobs, notebooks):
        self.description, self.out, self.jobs = description, out, jobs
        self.todo, self.review, self.warnings, self.failed, self.is_new = [], b"", 0, 0, False
        self._notebooks, self._doubtful, self._missing, self._drawn = notebooks, [], 0, {}

    def look(self, *, force=False):
        """Find what is due, or take all; refuse a folder in which it cannot be put in place."""
        output.refuse_others(self.out, self.description)
        self._files, self._entries = inputs(self.description), output.remembered(self.out)
        self._about = output.about(self.out)
        self.todo, self._doubtful = list(self.jobs), []
        if not force:
            self.todo, self._doubtful = due(self.jobs, self._entries, self._files, self.out)
        if self.is_due:
            output.refuse_unwritable(self.out, [job.family for job in self.todo])

    @property
    def is_due(self):
        """Whether there may be something to render."""
        return bool(self.todo or self._doubtful)

    def read(self, workers):
        """Read and check the review, and decide what was doubtful.

        Raises
        ------
        Refused
            With all its faults; nothing of it is rendered.
        """
        excluded = [job.parameters.get("exclude") for job in (*self.todo, *self._doubtful)]
        families = [job.family for job in self._doubtful]
        found, self.review = workers.checked(
            self.description.folder, families, filter(None, excluded)
        )
        for job in self._doubtful:
            if found["rows"][job.family] != self._entries[job.family]["rows"]:
                self.todo.append(job)
            else:  # as made from the new files
                self._entries[job.family]["files"] = self._files
        self._doubtful, self.warnings = [], found["warnings"]
        self._drawn = found["experiments"]
        self._missing = len(self.todo)
        self._remember()

    def weight(self, job):
        """By which the longest of all jobs is begun first."""
        return job.weight(self._drawn.get(job.family, 0))

    def place(self, job, made):
        """Put a report in place and remember it; gives its files, or why it failed."""
        made = self._placed(job, made)
        self._missing -= 1
        if isinstance(made, ReportFailed):
            self.failed += 1
            own = output.identity(self.description, self.out)
            old = self._entries.get(job.family, own)
            self._entries[job.family] = old | {"failure": str(made)}
        self._remember()
        return made

    def _placed(self, job, made):
        """Put files in place, or find why not.

        A report whose review changed while it was made may show old rows under the new files' hashes.
        """
        if isinstance(made, ReportFailed):
            return made
        try:
            now = inputs(self.description).items()
            changed = sorted({name for name, _ in now ^ self._files.items()})
            if changed:
                what = f"{', '.join(changed)} changed while the report was made. Render it again."
                return ReportFailed(what)
            kept = entry(job, made, self._files)
            output.put(self.out, made, instead=f"tables/{job.family}")
        except NotWritten as error:
            return ReportFailed(str(error))
        except OSError as error:
            return ReportFailed(of_system(error))
        except (AttributeError, TypeError, ValueError) as error:
            return ReportFailed(f"its results are of another shape: {error}")
        own = output.identity(self.description, self.out)
        self._entries[job.family] = own | kept
        return made

    @property
    def is_complete(self):
        """Whether all that was due is there, or failed."""
        return not self._missing

    def finish(self, call, others=()):
        """Write the index, where it would not be as it is.

        Parameters
        ----------
        call : callable
            Calls a function with its arguments, where pandas is imported already.
        others : list of dict
            Of `index.beside`: reviews to which the index leads too.
        """
        before = {family: made.get("note", "") for family, made in self._entries.items()}
        now = notes(self.description, self._entries, self._files, self._notebooks)
        for family, note in now.items():
            self._entries[family]["note"] = note
        if self.todo or before != now or not index.is_current(self.out, others):
            arguments = self.out, self.description, self._entries, others
            page, self._about = call(index.index_page, *arguments)
            output.put(self.out, {index.PAGE: page.encode("utf-8", "backslashreplace")})
            self._remember()
            self.is_new = True

    def _remember(self):
        output.remember(self.out, self._entries, self._about)
