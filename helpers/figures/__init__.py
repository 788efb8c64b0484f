"""Figures: rows and results in, axes out."""
