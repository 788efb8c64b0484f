"""Whether a result holds: what a report shows of it."""
