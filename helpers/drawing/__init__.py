"""What figures are drawn with, and how they become SVG; nothing here knows what they show."""
