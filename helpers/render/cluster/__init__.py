"""Reports made on a cluster: what travels, what asks, and what answers."""
