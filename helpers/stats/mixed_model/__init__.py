"""What the multilevel model is fitted with: sampling errors, likelihood, inference."""
