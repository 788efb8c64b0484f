"""What figures are drawn with, and how they become SVG."""
