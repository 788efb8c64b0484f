"""Exports of other programs, whose columns are known."""
