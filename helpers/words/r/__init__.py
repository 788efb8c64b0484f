"""The R script of a report: its data, effects, models and numbers."""
