"""Recurrent character models: the same network, optimiser, windows and steps for everybody."""
