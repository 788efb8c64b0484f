"""Meta-analysis of animal experiments: from an extraction sheet to reports."""

__version__ = "0.1.0"
