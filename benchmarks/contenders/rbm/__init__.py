"""Restricted Boltzmann machines by persistent contrastive divergence: the same steps on the same rows for everybody."""
