"""Variational autoencoders: the same network, loss, optimiser, batch size and epochs for everybody."""
