"""Whether a result holds: other choices, certainty, what would change it."""
