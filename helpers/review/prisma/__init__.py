"""What PRISMA 2020 asks of a review, read from its files."""
