"""A review that goes on: the version before."""
