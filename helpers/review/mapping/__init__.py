"""From a sheet as it was kept to the project's columns, step by step."""
