"""The names of columns, each said once: of a checked sheet, and of the files read beside it."""

from helpers.stats.effects import GROUP_COLUMNS, REFERENCE_COLUMNS

ARMS = ("treated", "control")
SHAM = "reference"  # the uninjured group, where a row of the sheet is a group
# What a group of animals has: with `_treated` or `_control`, or without where both share it and in
# a sheet that has a row a group. `sd` is the error of whatever kind; `low` and `high` are its ends,
# `tip` is the tip of an error bar, `n_error` the n that it was computed with; `events` are animals
# with an event, `nonevents` those without.
EVENTS = ("events", "nonevents")
MEASURED = ("n", "mean", "sd", "low", "high", "tip", "n_error", *EVENTS)
KINDS = ("error_type", "average_type")
# Both ends of an interval of a kind, in the rows that have no SD.
INTERVALS = {"CI": ("ci_low", "ci_high"), "IQR": ("q1", "q3"), "RANGE": ("min", "max")}
IN_TURN = tuple(end for ends in INTERVALS.values() for end in ends)
# `sem` and `median` count where the SD or the mean is empty.
ARM = (*MEASURED, *KINDS, "sem", "median", *IN_TURN)

# As the effects are computed from them: n, mean and SD of both groups; the uninjured value.
GROUPS, REFERENCE = GROUP_COLUMNS, REFERENCE_COLUMNS
CONTROL = GROUPS[3:]
OWN_EFFECT = ("effect", "se")  # what rows bring that need no group data
# In their place: a variance, a ratio for its logarithm, the ends of a 95% interval.
ENDS = {"effect": ("effect_low", "effect_high"), "ratio": ("ratio_low", "ratio_high")}
IN_PLACE = ("variance", "ratio", *ENDS["effect"], *ENDS["ratio"])
NUMBERS = (*GROUPS, "follow_up_days", "sign", *OWN_EFFECT, *REFERENCE)
IDS = ("experiment", "study", "outcome", "cohort", "control_group", "provenance")
COLUMNS = (*IDS, *NUMBERS)  # the project's own in a checked sheet, in their order
# Columns that change how other columns are understood: none becomes one by a moderator's id unsaid.
GOVERNING = ("cohort", "control_group", "sign", *OWN_EFFECT)
# Before a moderator's id, so that no id is a column of the project's; no id holds a colon.
MODERATOR = "moderator: "
LEVEL = "level: "  # before a column that the levels of [model] name

# The files that say what is changed in a sheet and left out of it.
CORRECTIONS, EXCLUSIONS = "corrections.csv", "exclusions.csv"
CORRECTION = ("row", "column", "old", "new", "reason")
EXCLUSION = ("experiment", "reason", "by")
