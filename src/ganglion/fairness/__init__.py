"""Whether a model treats groups of people alike, and what can be done where it does not."""
