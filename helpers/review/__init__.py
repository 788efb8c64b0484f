"""From a sheet to a checked review."""
