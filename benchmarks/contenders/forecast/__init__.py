"""Forecasters: the same series, window, horizon, network, optimiser and steps for everybody."""
