"""The same experiments under many settings at once: their effects, and what pooling them gives."""
