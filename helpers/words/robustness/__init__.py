"""Whether a result holds: its sentences and tables."""
