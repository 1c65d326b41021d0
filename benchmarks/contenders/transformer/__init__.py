"""Small transformers on characters: the same network, optimiser, schedule and steps for everybody."""
