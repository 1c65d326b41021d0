"""Generative adversarial networks: the same networks, losses, optimiser, batch size and epochs for everybody."""
