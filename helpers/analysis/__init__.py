"""All results of one outcome, under settings side by side."""
