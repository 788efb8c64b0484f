"""Numbers only: arrays in, results out; no files, no review."""
