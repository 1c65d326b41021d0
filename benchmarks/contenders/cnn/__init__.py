"""Convolutional networks on images: the same network, optimiser, batch size and epochs for everybody."""
