"""A rendered report as a Word document: its parts, its figures as pictures, the file."""
