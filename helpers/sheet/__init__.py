"""What stands in files, as text."""
