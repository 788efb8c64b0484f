"""Results as numbers, sentences and tables that a person reads."""
