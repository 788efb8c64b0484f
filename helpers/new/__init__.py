"""A review of one's own from a sheet: what its columns seem to be, and what to ask."""
