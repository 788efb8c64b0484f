"""From notebooks to reports: jobs, workers, files."""
