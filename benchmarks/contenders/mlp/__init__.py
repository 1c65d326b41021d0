"""Multi-layer perceptrons on arrays: the same network, optimiser, batch size and epochs for everybody."""
