"""A review: its description and its checked rows."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import provenance
from helpers.analysis.settings import one_of
from helpers.problems import Finding, Refused, ReviewError, file_of, nearest, row_of
from helpers.review import check, facts
from helpers.review.columns import CORRECTIONS, EXCLUSION, EXCLUSIONS, GROUPS, NUMBERS
from helpers.review.description import Description, find_folder
from helpers.review.living import previous
from helpers.review.mapping.numbers import floats
from helpers.review.schema import fault
from helpers.sheet.files import read_csv
from helpers.sheet.names import is_there
from helpers.stats.effects import effect_sizes, undefined

PRINTED = "published_"  # how the files of printed numbers begin
_held = {}  # by folder: a review and the version before it, see `hold`


@dataclass(frozen=True, eq=False)
class Review:
    """A review that can be analysed.

    Attributes
    ----------
    description : Description
        What `review.toml` says.
    experiments : pandas.DataFrame
        The project's columns of the checked sheet: ``experiment`` ids as index, numbers as floats;
        ``sheet_row`` is the row in the file.
    moderator_values : pandas.DataFrame
        The moderators of the same rows, a column an id: levels as a categorical in their order, or
        floats. They stand apart, so that no id of a moderator is a column of the program's.
    level_values : pandas.DataFrame
        What the sheet says of the same rows in the columns that the levels of `[model]` name.
    judgements, losses : pandas.DataFrame
        What the columns of `[quality]` say of the same rows: judgements in its words, a column a
        heading; animals lost and allocated.
    exclusions : pandas.DataFrame
        ``experiment, reason, by``.
    warnings : tuple of Finding
        What is odd but not refused.
    trace : pandas.DataFrame
        ``step, column, detail, rows``: what was done to the sheet, in order.
    not_used : pandas.DataFrame
        ``sheet_row, reason`` of the rows of the sheet that give no experiment.
    rows_in, rows_out : int
        Rows of the sheet, and how many of them became experiments.
    keys : pandas.Series of int
        By experiment, the row's key as findings have it (`helpers.problems`).
    files : frozenset of str
        The extraction sheet's file, or files.
    hashes : dict of str to str
        SHA-256 of all files of the folder as they were when the rows were read.
    whole : bool
        Whether these are all experiments, not a `part`.
    subset : helpers.analysis.selection.subset.Subset or None
        To which of these experiments `rows` is restricted.
    """

    description: Description
    experiments: pd.DataFrame
    moderator_values: pd.DataFrame
    level_values: pd.DataFrame
    judgements: pd.DataFrame
    losses: pd.DataFrame
    exclusions: pd.DataFrame
    warnings: tuple[Finding, ...]
    trace: pd.DataFrame
    not_used: pd.DataFrame
    rows_in: int
    rows_out: int
    keys: pd.Series
    files: frozenset
    hashes: dict
    whole: bool = True
    subset: object = None

    def __getattr__(self, name):
        # A review is its description with rows: review.title, review.outcomes, ...
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.description, name)

    def rows(self, outcome):
        """The rows of one outcome, exclusions not yet applied; an unknown one is refused."""
        outcome = one_of(outcome, self.outcomes, "outcome")
        return self.experiments[(self.experiments["outcome"] == outcome.id) & self.inside]

    @property
    def inside(self):
        """By experiment, whether `subset` keeps it; all of them without one."""
        index = self.experiments.index
        return pd.Series(True, index) if self.subset is None else self.subset.inside[index]

    def part(self, outcomes):
        """The same review with the rows of some outcomes; what was done to the sheet stays."""
        names = [one_of(outcome, self.outcomes, "outcome").id for outcome in outcomes]
        kept = self.experiments["outcome"].isin(names)
        experiments = self.experiments[kept]
        elsewhere = set(self.keys[~kept])
        return replace(
            self,
            experiments=experiments,
            moderator_values=self.moderator_values[kept],
            level_values=self.level_values[kept],
            judgements=self.judgements[kept],
            losses=self.losses[kept],
            keys=self.keys[kept],
            exclusions=self.exclusions[self.exclusions["experiment"].isin(experiments.index)],
            warnings=tuple(odd for odd in self.warnings if odd.key not in elsewhere),
            whole=False,
        )

    def inputs(self):
        """SHA-256 of the files read; those of a part without the ones that its rows come from."""
        files = self.hashes
        if self.whole:
            return files
        joined = {entry.get("file") for entry in self.sheet.join}
        of_rows = joined | {*self.files, CORRECTIONS, EXCLUSIONS}
        return {name: digest for name, digest in files.items() if name not in of_rows}

    def digest(self):
        """SHA-256 of the rows as CSV, of what was excluded, found odd and done to the sheet."""
        tables = (
            self.experiments, self.moderator_values, self.level_values, self.exclusions,
            self.trace, self.not_used,
        )  # fmt: skip
        tables += tuple(table for table in (self.judgements, self.losses) if len(table.columns))
        texts = [table.to_csv(index=False) for table in tables]
        texts += [str(self.rows_in), *map(str, self.warnings)]
        return provenance.sha256("\0".join(texts).encode())

    def facts(self, name):
        """One of the review's files of facts as text, empty where there is none.

        What is printed is of all experiments: a `subset` has none of it.
        """
        if self.subset is not None and name.startswith(PRINTED):
            return pd.DataFrame()
        return facts.read(self.description.folder, name)


def load(folder=None, *, earlier=False):
    """Read and check a review.

    Parameters
    ----------
    folder : str or Path, optional
        Folder with `review.toml`; by default the project's own review.
    earlier : bool
        Whether it is an earlier state of a review: its own `previous` is not looked up.

    Returns
    -------
    Review

    Raises
    ------
    ReviewError
        With all faults of all files.
    """
    if held := _held.get(find_folder(folder)):
        return held[0]
    hashes = provenance.input_hashes(find_folder(folder))
    description, sheet, findings = check.examine(folder, earlier=earlier)
    if provenance.input_hashes(description.folder) != hashes:
        raise Refused(f"{description.folder.name}: a file changed while it was read. Try again.")
    if findings.faults:
        raise ReviewError(findings.faults)
    path = description.folder / EXCLUSIONS
    listed = read_csv(path)[[*EXCLUSION]] if is_there(path) else pd.DataFrame(columns=EXCLUSION)
    experiments, moderators = _typed(description, sheet), _moderators(description, sheet)
    moderators.index = experiments.index
    levels, judgements, losses = (
        table.set_axis(experiments.index)
        for table in (sheet.levels, sheet.judgements, sheet.losses)
    )
    kept = experiments[~experiments.index.isin(listed["experiment"])]
    outliers = _outliers(description.sheet.outliers, kept, moderators.loc[kept.index])
    exclusions = pd.DataFrame([*listed.itertuples(index=False), *outliers], columns=EXCLUSION)
    return Review(
        description,
        experiments,
        moderators,
        levels,
        judgements,
        losses,
        exclusions,
        findings.warnings,
        trace=sheet.trace,
        not_used=sheet.not_used,
        rows_in=sheet.rows_in,
        rows_out=len(experiments),
        keys=pd.Series(sheet.table.index, experiments.index),
        files=frozenset(sheet.files),
        hashes=hashes,
    )


def load_before(review):
    """Read and check the version that a review names as `previous`."""
    if held := _held.get(review.folder, (None, None))[1]:
        return held
    with previous.folder_of(review.description) as folder:
        return load(folder, earlier=True)


def hold(review, before=None, *, folder=None):
    """Let `load` give a review, and `load_before` the one before it, wherever this process asks.

    Parameters
    ----------
    review : Review
    before : Review, optional
    folder : path, optional
        Where the review lies now; by default where it was read.
    """
    folder = review.folder if folder is None else Path(folder)
    moved = replace(review, description=replace(review.description, folder=folder))
    _held[folder] = moved, before


def _typed(description, sheet):
    """The project's columns, numbers as floats."""
    due = (*GROUPS, "follow_up_days", "cohort", "control_group", "provenance")
    table = sheet.table.reindex(columns=dict.fromkeys([*sheet.table, *due]), fill_value="")
    for name in table.columns.intersection(NUMBERS):
        table[name] = floats(table[name])
    outcomes = description.outcomes
    if any(outcome.scales for outcome in outcomes.values()):
        table["outcome_scale"] = sheet.scales
    on = zip(table["outcome"], sheet.scales, strict=True)
    fixed = [outcomes[name].on(label).reference for name, label in on]
    if any(value is not None for value in fixed):
        reference = pd.Series(fixed, table.index, float)
        measured = table.get("mean_reference", pd.Series(np.nan, table.index))
        table["mean_reference"] = measured.fillna(reference)
    table.insert(0, "sheet_row", table.index.map(row_of))
    if len(sheet.raw.parts) > 1:
        table.insert(0, "sheet_file", [sheet.raw.parts[file_of(key)][0] for key in table.index])
    return table.set_index("experiment", drop=False)


def _moderators(description, sheet):
    """The moderators as categories or floats; one that the sheet does not have is missing."""
    columns = {}
    for name, cells in sheet.moderators.items():
        if levels := description.moderators[name].levels:
            cells = cells.where(cells != "")
            columns[name] = pd.Categorical(cells, categories=list(levels), ordered=True)
        else:
            columns[name] = floats(cells)
    return pd.DataFrame(columns, sheet.table.index)


def _outliers(rule, experiments, moderators):
    """Exclusions by `[sheet.outliers]`: effects further than `sd` SDs from the mean, one pass."""
    if rule is None:
        return
    sd, by = rule["sd"], rule.get("by")
    if by and by not in experiments and by not in moderators:
        advice = nearest(by, [*experiments, *moderators])
        raise ReviewError([fault("sheet.outliers", "there is no such column", by, advice)])
    defined = experiments[undefined(experiments) == ""]
    effect = effect_sizes(defined)["effect"] * defined.get("sign", 1.0)
    by = (experiments if by in experiments else moderators)[by] if by else ""
    by = pd.Series(by, experiments.index, dtype=object)[defined.index]
    groups = effect.groupby(by.to_numpy(), dropna=False)  # what is not reported is a group too
    far = ((effect - groups.transform("mean")) / groups.transform("std")).abs()
    for name, distance in far[far > sd].items():
        where = f"{distance:.1f} SDs from the mean of all rows (limit {sd})"
        yield name, f"g {effect[name]:.2f} lies {where}", "rule in review.toml"
