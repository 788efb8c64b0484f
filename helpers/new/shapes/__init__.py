"""Habits of sheets that hide what their rows and cells hold, recognised."""
