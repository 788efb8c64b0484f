"""How large a next experiment should be, and what one more would add."""
