"""Whether a result holds: other defensible analyses, and what would change it."""
