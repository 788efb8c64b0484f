"""A report explored by hand in JupyterLab: another choice, and what becomes of the result."""
