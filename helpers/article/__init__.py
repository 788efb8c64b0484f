"""What a publication prints, and whether it agrees with itself."""
